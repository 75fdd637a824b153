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
use crate::{
    app::flag::Flag,
    web::{Contact, Lang, Page, Web, WebError, respond, words},
};

/// The page.
#[derive(Debug, Template)]
#[template(path = "patient/advice.html")]
pub struct AdvicePage {
    /// Its frame.
    pub page: Page,
    /// Whom to call.
    pub contact: Contact,
    /// What to do.
    pub alarm: Alarm,
    /// What comes next.
    pub next: String,
}

/// What to do now: it comes first on every page that follows such an answer.
#[derive(Debug, Clone)]
pub struct Alarm {
    /// One paragraph per rule.
    pub advice: Vec<Said>,
    /// The advice names the crisis line.
    pub crisis: bool,
    /// Somebody is on duty.
    pub covered: bool,
}

impl Alarm {
    /// Of red flags; none where there is no flag.
    #[must_use]
    pub fn of(
        flags: &[Flag],
        covered: bool,
        lang: Lang,
        languages: &[&str],
        contact: &Contact,
    ) -> Option<Self> {
        if flags.is_empty() {
            return None;
        }
        let texts: Vec<_> = flags.iter().filter_map(|flag| flag.advice.as_ref()).collect();
        let crisis = texts.iter().any(|text| text.0.values().any(|words| words.contains("{crisis_line}")));
        let mut advice: Vec<Said> = texts.iter().map(|text| say(text, languages, contact)).collect();
        advice.dedup();
        if advice.is_empty() {
            let general = words::Patient(lang).advice_general().to_owned();
            advice.push(Said { words: general, tag: lang.tag().to_owned() });
        }
        Some(Self { advice, crisis, covered })
    }
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
    let rules = workflow.rules.iter().filter(|rule| named.contains(&rule.id.as_str()));
    let flags: Vec<Flag> =
        rules.map(|rule| Flag { rule: rule.id.clone(), advice: rule.advice.clone() }).collect();
    let covered = web.app.is_covered(&guest.visit.site);
    Some(AdvicePage {
        page: guest.page(&format!("/advice/{part}/{}", named.join(","))),
        contact: guest.contact.clone(),
        alarm: Alarm::of(&flags, covered, guest.lang, &guest.languages(), &guest.contact)?,
        next: guest.next(),
    })
}
