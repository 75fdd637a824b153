//! One question per page. Continue saves; a number that is far from the last one is asked again before it counts.

mod view;

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
    web::{Data, Form, Path, Query},
};
use serde::Deserialize;
use tend_engine::Name;

use super::session::{Door, Guest, UNIT_COOKIE, enter};
use crate::{
    app::{
        form::Question,
        reading::{self, Input, Mistake, Reading},
    },
    web::{Web, WebError, respond},
};

pub use view::{Control, DoubtPage, OptionRow, QuestionPage};

/// How long a device keeps the unit that was chosen.
const UNIT_DAYS: i64 = 365;

/// What comes with the form.
#[derive(Debug, Default, Deserialize)]
pub struct AnswerForm {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    answer: String,
    #[serde(default)]
    unit: String,
    /// The unit in which the digits would fit.
    #[serde(default)]
    other_unit: String,
    #[serde(default)]
    declined: String,
    #[serde(default)]
    sure: String,
}

impl AnswerForm {
    /// The unit that was chosen, at last.
    fn unit(&self) -> &str {
        if self.sure == "other" { &self.other_unit } else { &self.unit }
    }
}

/// From which page one came here.
#[derive(Debug, Default, Deserialize)]
pub struct CameFrom {
    #[serde(default)]
    from: String,
}

impl CameFrom {
    fn is_check(&self) -> bool {
        self.from == "check"
    }

    fn suffix(&self) -> &'static str {
        if self.is_check() { "?from=check" } else { "" }
    }
}

/// `GET /c/{token}/q/{part}/{item}`
///
/// # Errors
/// [`WebError::Internal`].
pub async fn show(
    web: Data<Web>,
    request: HttpRequest,
    path: Path<(String, usize, String)>,
    from: Query<CameFrom>,
) -> Result<HttpResponse, WebError> {
    let guest = match enter(&web, &request).await? {
        Door::Open(guest) => guest,
        Door::Shut(response) => return Ok(response),
    };
    let (_, part, item) = path.into_inner();
    // Not asked any more, as the answers stand: on to what is.
    let Some(page) = view::question(&guest, part, &item, &from, None) else {
        return Ok(guest.stay(&web, respond::see_other(&guest.next())));
    };
    Ok(guest.stay(&web, respond::page(&page)?))
}

/// `POST /c/{token}/q/{part}/{item}`
///
/// # Errors
/// [`WebError::Stale`], [`WebError::Internal`].
pub async fn keep(
    web: Data<Web>,
    request: HttpRequest,
    path: Path<(String, usize, String)>,
    from: Query<CameFrom>,
    form: Form<AnswerForm>,
) -> Result<HttpResponse, WebError> {
    let mut guest = match enter(&web, &request).await? {
        Door::Open(guest) => guest,
        Door::Shut(response) => return Ok(response),
    };
    guest.check(&web, &form.csrf)?;
    let (_, part, item) = path.into_inner();
    let Some((name, read)) = read(&guest, part, &item, &form) else {
        return Ok(guest.stay(&web, respond::see_other(&guest.next())));
    };
    if form.sure == "no" {
        let again = format!("/c/{}/q/{part}/{item}{}", guest.token, from.suffix());
        return Ok(guest.stay(&web, respond::see_other(&again)));
    }
    let reading = match read {
        Err(mistake) => {
            let page = view::question(&guest, part, &item, &from, Some((&mistake, &form)));
            return Ok(guest.stay(&web, respond::invalid(&page.ok_or(WebError::NotFound)?)?));
        }
        Ok(Reading::Doubt { value, last, typed, other }) => {
            let page = view::doubt(&guest, part, &item, &from, (value, last, typed, other));
            return Ok(guest.stay(&web, respond::page(&page.ok_or(WebError::NotFound)?)?));
        }
        Ok(reading) => reading,
    };
    let visitor = guest.visitor;
    let raised = web.app.keep_answer(&mut guest.visit, visitor, part, &name, reading).await?;
    let next = if raised.is_empty() { guest.next() } else { advice_path(&guest, part, &raised) };
    let response = guest.stay(&web, respond::see_other(&next));
    Ok(remember_unit(&web, response, &name, form.unit()))
}

/// The unit in which this device last answered is the one that is offered next time.
fn remember_unit(web: &Web, mut response: HttpResponse, item: &Name, unit: &str) -> HttpResponse {
    if unit.is_empty() || !unit.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return response;
    }
    let cookie = Cookie::build(format!("{UNIT_COOKIE}{item}"), unit)
        .path("/c")
        .max_age(Duration::days(UNIT_DAYS))
        .same_site(SameSite::Strict)
        .http_only(true)
        .secure(web.settings.behind_tls_proxy)
        .finish();
    // Only a cookie that cannot be written is refused, and this one has plain letters.
    let _ = response.add_cookie(&cookie);
    response
}

fn advice_path(guest: &Guest, part: usize, raised: &[Name]) -> String {
    let rules: Vec<&str> = raised.iter().map(Name::as_str).collect();
    format!("/c/{}/advice/{part}/{}", guest.token, rules.join(","))
}

type Read = (Name, Result<Reading, Mistake>);

fn read(guest: &Guest, part: usize, item: &str, form: &AnswerForm) -> Option<Read> {
    let questions = guest.visit.form.questions();
    let question = find(&questions, part, item)?;
    let input = Input {
        answer: form.answer.clone(),
        unit: form.unit().to_owned(),
        declined: form.declined == "1",
        sure: form.sure == "yes",
    };
    let last = guest.visit.form.parts.get(part)?.last.get(&question.item.id).copied();
    Some((question.item.id.clone(), reading::read(question.item, &input, last)))
}

fn find<'a>(questions: &[Question<'a>], part: usize, item: &str) -> Option<Question<'a>> {
    questions.iter().find(|question| question.part == part && question.item.id == *item).copied()
}
