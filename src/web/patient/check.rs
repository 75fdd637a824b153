//! The answers once more before they are sent, and sending them.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Form},
};
use askama::Template;
use serde::Deserialize;

use super::{
    Alarm,
    say::{self, Said},
    session::{Door, Guest, enter},
};
use crate::{
    app::form::Question,
    web::{Contact, Page, Web, WebError, respond},
};

/// The page.
#[derive(Debug, Template)]
#[template(path = "patient/check.html")]
pub struct CheckPage {
    /// Its frame.
    pub page: Page,
    /// Whom to call.
    pub contact: Contact,
    /// What to do now, where an answer is a red flag.
    pub alarm: Option<Alarm>,
    /// Where the form goes.
    pub action: String,
    /// Token of the form.
    pub csrf: String,
    /// A carer answers.
    pub proxy: bool,
    /// The window of a part has closed.
    pub late: bool,
    /// Question by question.
    pub rows: Vec<CheckRow>,
}

/// A question with its answer.
#[derive(Debug)]
pub struct CheckRow {
    /// The question.
    pub ask: Said,
    /// The answer; none where it was passed over.
    pub answer: Option<String>,
    /// Where it can be changed.
    pub change: String,
}

/// What comes with the form.
#[derive(Debug, Deserialize)]
pub struct SendForm {
    #[serde(default)]
    csrf: String,
}

/// `GET /c/{token}/check`
///
/// # Errors
/// [`WebError::Internal`].
pub async fn show(web: Data<Web>, request: HttpRequest) -> Result<HttpResponse, WebError> {
    let guest = match enter(&web, &request).await? {
        Door::Open(guest) => guest,
        Door::Shut(response) => return Ok(response),
    };
    if guest.visit.form.open_question().is_some() {
        return Ok(guest.stay(&web, respond::see_other(&guest.next())));
    }
    Ok(guest.stay(&web, respond::page(&page(&web, &guest))?))
}

/// `POST /c/{token}/check`: sent twice, it counts once.
///
/// # Errors
/// [`WebError::Stale`], [`WebError::Internal`].
pub async fn submit(
    web: Data<Web>,
    request: HttpRequest,
    form: Form<SendForm>,
) -> Result<HttpResponse, WebError> {
    let guest = match enter(&web, &request).await? {
        Door::Open(guest) => guest,
        Door::Shut(response) => return Ok(response),
    };
    guest.check(&web, &form.csrf)?;
    if guest.visit.form.open_question().is_some() {
        return Ok(guest.stay(&web, respond::see_other(&guest.next())));
    }
    web.app.submit(&guest.visit, guest.visitor, guest.lang.code()).await?;
    Ok(guest.stay(&web, respond::see_other(&format!("/c/{}/done", guest.token))))
}

fn page(web: &Web, guest: &Guest) -> CheckPage {
    let form = &guest.visit.form;
    let languages = guest.languages();
    let flags = web.app.flags_of_draft(&guest.visit);
    let covered = web.app.is_covered(&guest.visit.site);
    let row = |question: &Question<'_>| {
        let part = form.parts.get(question.part)?;
        Some(CheckRow {
            ask: say::say(&question.item.ask, &languages, &guest.contact),
            answer: say::answer(&part.draft, question.item, &languages, &guest.contact, guest.lang),
            change: format!("/c/{}/q/{}/{}?from=check", guest.token, question.part, question.item.id),
        })
    };
    CheckPage {
        page: guest.page("/check"),
        contact: guest.contact.clone(),
        alarm: Alarm::of(&flags, covered, guest.lang, &languages, &guest.contact),
        action: format!("/c/{}/check", guest.token),
        csrf: guest.csrf.clone(),
        proxy: guest.visitor.proxy,
        late: form.parts.iter().any(|part| part.late),
        rows: form.questions().iter().filter_map(row).collect(),
    }
}
