//! What to do now, after an answer that cannot wait: fixed words keyed to the answer, and numbers to call.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use askama::Template;

use super::{
    say::{Said, say},
    session::{Door, Guest, enter},
};
use crate::web::{Contact, Page, Web, WebError, respond};

/// The page.
#[derive(Debug, Template)]
#[template(path = "patient/advice.html")]
pub struct AdvicePage {
    /// Its frame.
    pub page: Page,
    /// Whom to call.
    pub contact: Contact,
    /// What to do, one paragraph per rule.
    pub advice: Vec<Said>,
    /// The advice names the crisis line.
    pub crisis: bool,
    /// Somebody is on duty.
    pub covered: bool,
    /// What comes next.
    pub next: String,
}

/// `GET /c/{token}/advice/{part}/{rules}`
///
/// # Errors
/// [`WebError::NotFound`] for rules that the workflow does not have; [`WebError::Internal`].
pub async fn show(
    web: Data<Web>,
    request: HttpRequest,
    path: Path<(String, usize, String)>,
) -> Result<HttpResponse, WebError> {
    let guest = match enter(&web, &request).await? {
        Door::Open(guest) => guest,
        Door::Shut(response) => return Ok(response),
    };
    let (_, part, rules) = path.into_inner();
    let page = advice(&web, &guest, part, &rules).ok_or(WebError::NotFound)?;
    Ok(guest.stay(&web, respond::page(&page)?))
}

fn advice(web: &Web, guest: &Guest, part: usize, rules: &str) -> Option<AdvicePage> {
    let workflow = &guest.visit.form.parts.get(part)?.workflow;
    let named: Vec<_> = rules.split(',').collect();
    let rules: Vec<_> = workflow.rules.iter().filter(|rule| named.contains(&rule.id.as_str())).collect();
    if rules.is_empty() {
        return None;
    }
    let texts: Vec<_> = rules.iter().filter_map(|rule| rule.advice.as_ref()).collect();
    let crisis = texts.iter().any(|text| text.0.values().any(|words| words.contains("{crisis_line}")));
    let general =
        || Said { words: guest.words().advice_general().to_owned(), tag: guest.lang.tag().to_owned() };
    let advice: Vec<Said> = texts.iter().map(|text| say(text, &guest.languages(), &guest.contact)).collect();
    Some(AdvicePage {
        page: guest.page(&format!("/advice/{part}/{}", named.join(","))),
        contact: guest.contact.clone(),
        advice: if advice.is_empty() { vec![general()] } else { advice },
        crisis,
        covered: web.app.is_covered(&guest.visit),
        next: guest.next(),
    })
}
