//! The answers have arrived: when, and what happens next. After a red flag what to do now stands first, and nothing that
//! reassures.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use askama::Template;

use super::{
    Alarm, gone,
    say::{self, Said},
    session::{self, Front},
};
use crate::{
    app::link::{Closed, Gone, Opened},
    web::{Contact, Lang, Page, Web, WebError, respond},
};

/// The page.
#[derive(Debug, Template)]
#[template(path = "patient/done.html")]
pub struct DonePage {
    /// Its frame.
    pub page: Page,
    /// Whom to call.
    pub contact: Contact,
    /// What to do now, where an answer was a red flag.
    pub alarm: Option<Alarm>,
    /// When they arrived.
    pub at: Option<String>,
    /// What the questionnaires say at the end.
    pub closing: Vec<Said>,
    /// The day of the next questions.
    pub ask: Option<String>,
    /// The day of the next visit.
    pub visit: Option<String>,
}

/// `GET /c/{token}/done`
///
/// # Errors
/// [`WebError::Internal`].
pub async fn show(web: Data<Web>, request: HttpRequest) -> Result<HttpResponse, WebError> {
    let Front { token, opened, lang, contact } = session::front(&web, &request).await?;
    let closed = match opened {
        Opened::Unknown => return gone::unknown(lang, contact),
        Opened::Here(_) => return Ok(respond::see_other(&format!("/c/{token}"))),
        Opened::Gone(closed) => closed,
    };
    let own = session::recognise(&web, &request, &closed.link).filter(|_| closed.why == Gone::Answered);
    let Some(visitor) = own else { return gone::page(closed.why, &token, lang, contact) };
    let page = page(&web, &closed, &token, lang, contact).await?;
    Ok(session::admit(&web, respond::page(&page)?, &token, &closed.link, visitor))
}

async fn page(
    web: &Web,
    closed: &Closed,
    token: &str,
    lang: Lang,
    contact: Contact,
) -> Result<DonePage, WebError> {
    let next = web.app.next_for(&closed.state, &closed.site)?;
    let flags = web.app.flags_of_answers(closed).await?;
    let covered = web.app.is_covered(&closed.site);
    let ending = web.app.ending_of(closed);
    let languages = [lang.code(), &closed.state.language];
    let zone = if closed.state.zone.is_empty() { &closed.site.zone } else { &closed.state.zone };
    let mut closing: Vec<Said> =
        ending.closing.iter().map(|text| say::say(text, &languages, &contact)).collect();
    closing.dedup();
    Ok(DonePage {
        page: Page::at(lang, &format!("/c/{token}/done")),
        alarm: Alarm::of(&flags, covered, lang, &languages, &contact),
        contact,
        at: ending.at.map(|at| say::moment(at, zone, lang)),
        closing,
        ask: next.ask.map(|day| say::day(day, lang)),
        visit: next.visit.map(|day| say::day(day, lang)),
    })
}
