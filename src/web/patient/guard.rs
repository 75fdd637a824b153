//! The wrong-person guard: the date of birth, before anything is shown.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Form},
};
use askama::Template;
use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use serde::Deserialize;

use super::{
    gone,
    session::{self, Front, Guest},
};
use crate::{
    app::{
        link::{Gone, Opened, Proof},
        visitor::Visitor,
    },
    web::{Contact, Lang, Page, Web, WebError, respond, words},
};

const YEAR_MIN: i16 = 1890;

/// The page.
#[derive(Debug, Template)]
#[template(path = "patient/guard.html")]
pub struct GuardPage {
    /// Its frame.
    pub page: Page,
    /// Whom to call.
    pub contact: Contact,
    /// Where the form goes.
    pub action: String,
    /// What is wrong with what was typed.
    pub error: Option<String>,
    /// What was typed.
    pub typed: BirthForm,
    /// The year is asked for first.
    pub year_first: bool,
}

impl GuardPage {
    /// The field that comes first.
    fn first(&self) -> &'static str {
        if self.year_first { "year" } else { "day" }
    }
}

/// What is typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct BirthForm {
    /// Day of the month.
    #[serde(default)]
    pub day: String,
    /// Month, from 1.
    #[serde(default)]
    pub month: String,
    /// Year with four digits.
    #[serde(default)]
    pub year: String,
    /// A carer answers for the patient.
    #[serde(default)]
    pub proxy: String,
}

/// `GET /c/{token}`: leads on to where the draft stands when the date of birth was given already.
///
/// # Errors
/// [`WebError::Internal`].
pub async fn show(web: Data<Web>, request: HttpRequest) -> Result<HttpResponse, WebError> {
    let Front { token, opened, lang, contact } = session::front(&web, &request).await?;
    match opened {
        Opened::Unknown => gone::unknown(lang, contact),
        Opened::Gone(closed) => {
            let own = session::recognise(&web, &request, &closed.link).is_some();
            if closed.why == Gone::Answered && own {
                return Ok(respond::see_other(&format!("/c/{token}/done")));
            }
            gone::page(closed.why, &token, lang, contact)
        }
        Opened::Here(visit) => match session::recognise(&web, &request, &visit.link) {
            Some(visitor) => {
                let guest = Guest::new(&web, token, *visit, visitor, lang, contact);
                Ok(respond::see_other(&guest.next()))
            }
            None => respond::page(&page(lang, contact, &token, None, BirthForm::default())),
        },
    }
}

/// `POST /c/{token}`
///
/// # Errors
/// [`WebError::TooMany`] from one address; [`WebError::Internal`].
pub async fn prove(
    web: Data<Web>,
    request: HttpRequest,
    form: Form<BirthForm>,
) -> Result<HttpResponse, WebError> {
    web.births.count(&request, &web.settings)?;
    let Front { token, opened, lang, contact } = session::front(&web, &request).await?;
    let w = words::Patient(lang);
    let visit = match opened {
        Opened::Unknown => return gone::unknown(lang, contact),
        Opened::Gone(closed) => return gone::page(closed.why, &token, lang, contact),
        Opened::Here(visit) => visit,
    };
    let typed = form.into_inner();
    let date = match read(&typed, web.app.clock.now(), &w) {
        Ok(date) => date,
        Err(error) => return respond::invalid(&page(lang, contact, &token, Some(error.to_owned()), typed)),
    };
    match web.app.prove(&visit, date).await? {
        Proof::Right => {
            let visitor = Visitor { proxy: typed.proxy == "1" };
            let guest = Guest::new(&web, token, *visit, visitor, lang, contact);
            Ok(guest.stay(&web, respond::see_other(&guest.next())))
        }
        Proof::Wrong(left) => {
            let error = Some(w.guard_wrong(left));
            respond::invalid(&page(lang, contact, &token, error, BirthForm::default()))
        }
        Proof::Locked => gone::page(Gone::Locked, &token, lang, contact),
    }
}

fn page(lang: Lang, contact: Contact, token: &str, error: Option<String>, typed: BirthForm) -> GuardPage {
    let action = format!("/c/{token}");
    let year_first = lang == Lang::Zh;
    GuardPage { page: Page::at(lang, &action), contact, action, error, typed, year_first }
}

/// A date out of three fields; a whole date pasted into one of them is taken too. A day on which nobody can have been born
/// is told of and is no try.
fn read(typed: &BirthForm, now: Timestamp, w: &words::Patient) -> Result<Date, &'static str> {
    let numbers = |text: &str| -> Vec<String> {
        let parts = text.split(|c: char| !c.is_ascii_digit());
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let pasted =
        [&typed.day, &typed.year].into_iter().map(|text| numbers(text)).find(|found| found.len() == 3);
    let pasted = pasted.unwrap_or_default();
    let (day, month, year) = match pasted.as_slice() {
        [first, month, last] if first.len() == 4 => (last.clone(), month.clone(), first.clone()),
        [day, month, year] => (day.clone(), month.clone(), year.clone()),
        _ => (typed.day.trim().to_owned(), typed.month.trim().to_owned(), typed.year.trim().to_owned()),
    };
    let (Ok(day), Ok(month), Ok(year)) = (day.parse(), month.parse(), year.parse::<i16>()) else {
        return Err(w.guard_missing());
    };
    if year < YEAR_MIN {
        return Err(w.guard_unreal());
    }
    let date = Date::new(year, month, day).map_err(|_| w.guard_unreal())?;
    // Tomorrow has begun somewhere.
    let latest = TimeZone::UTC.to_datetime(now).date().saturating_add(1.day());
    if date > latest { Err(w.guard_unborn()) } else { Ok(date) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(day: &str, month: &str, year: &str) -> Result<Date, &'static str> {
        let form =
            BirthForm { day: day.into(), month: month.into(), year: year.into(), proxy: String::new() };
        read(&form, "2026-03-02T09:00:00Z".parse().expect("an instant"), &words::Patient(Lang::En))
    }

    #[test]
    fn a_date_is_read_from_three_fields_or_pasted() {
        let date = jiff::civil::date(1958, 3, 27);
        assert_eq!(typed("27", " 3 ", "1958"), Ok(date));
        assert_eq!(typed("27/03/1958", "", ""), Ok(date));
        assert_eq!(typed("1958-03-27", "", ""), Ok(date));
        assert_eq!(typed("1958年3月27日", "", ""), Ok(date));
    }

    #[test]
    fn no_date_is_told_in_plain_words() {
        let w = words::Patient(Lang::En);
        assert_eq!(typed("", "", ""), Err(w.guard_missing()));
        assert_eq!(typed("31", "2", "1958"), Err(w.guard_unreal()));
        assert_eq!(typed("1", "1", "58"), Err(w.guard_unreal()));
        assert_eq!(typed("1", "1", "2958"), Err(w.guard_unborn()));
    }
}
