//! What became of a patient after a discharge, entered by a nurse: what models are watched by.

use actix_web::{
    HttpResponse,
    web::{Data, Path},
};
use askama::Template;
use jiff::civil::Date;
use tend_engine::{EnrollmentId, Name, state::EnrollmentState};

use super::{Frame, Signed, StaffForm, Typed, patient};
use crate::{
    app::{
        App,
        score::outcome::{self, OutcomeError},
    },
    store::read::{life::OutcomeRow, patient::PatientRow},
    web::{
        Lang, Page, WebError,
        respond::{invalid, page, see_other},
        words::Became,
    },
};

#[derive(Debug, Template)]
#[template(path = "staff/risk/became.html")]
struct BecamePage {
    page: Page,
    frame: Frame,
    b: Became,
    action: String,
    back: String,
    name: String,
    about: String,
    known: Option<String>,
    typed: Typed,
}

struct Subject {
    row: PatientRow,
    enrollment: EnrollmentId,
    discharge: Option<Date>,
}

/// `GET /risk/outcome/{patient}/{enrollment}`
///
/// # Errors
/// [`WebError`].
pub async fn show(
    app: Data<App>,
    signed: Signed,
    path: Path<(String, String)>,
) -> Result<HttpResponse, WebError> {
    let subject = subject(&app, &signed, &path).await?;
    app.viewed(signed.staff.id, subject.row.id, "outcome").await?;
    page(&build(&app, &signed, &subject, Typed::default()).await?)
}

/// `POST /risk/outcome/{patient}/{enrollment}`
///
/// # Errors
/// [`WebError`].
pub async fn submit(
    app: Data<App>,
    signed: Signed,
    path: Path<(String, String)>,
    form: StaffForm,
) -> Result<HttpResponse, WebError> {
    let subject = subject(&app, &signed, &path).await?;
    let (w, b) = (crate::web::words::Staff(signed.lang), Became(signed.lang));
    let mut typed = form.typed();
    let became = match form.get("happened") {
        "yes" => typed.date(w, "day").map(outcome::Became::Admitted),
        "no" => Some(outcome::Became::NotAdmitted),
        _ => return Err(WebError::BadForm),
    };
    if let Some(became) = became.filter(|_| typed.good()) {
        let (site, by) = (signed.staff.site, signed.staff.id);
        let recorded =
            app.record_outcome(site, subject.row.id, subject.enrollment, subject.discharge, became, by).await;
        match recorded {
            Ok(()) => return Ok(see_other(&format!("/patients/{}?done=yes", subject.row.id))),
            Err(OutcomeError::TooEarly { known_from }) => typed.wrong("happened", b.not_yet(known_from)),
            Err(OutcomeError::NotWithin { .. }) => typed.wrong("day", b.not_within()),
            Err(OutcomeError::Unknown(_)) => return Err(WebError::NotFound),
            Err(OutcomeError::Store(error)) => return Err(WebError::internal(error)),
        }
    }
    invalid(&build(&app, &signed, &subject, typed).await?)
}

async fn subject(app: &App, signed: &Signed, path: &(String, String)) -> Result<Subject, WebError> {
    let row = patient::of_site(app, signed, &path.0).await?;
    let enrollment = EnrollmentId::parse(&path.1).map_err(|_| WebError::NotFound)?;
    let state = row.state.enrollments.get(&enrollment).ok_or(WebError::NotFound)?;
    let discharge = discharge(app, state);
    Ok(Subject { enrollment, discharge, row })
}

/// The day that the follow-up counts from.
fn discharge(app: &App, state: &EnrollmentState) -> Option<Date> {
    let workflow = app.version(&state.version)?;
    let main: &Name = &workflow.main_anchor()?.id;
    state.anchors.get(main).map(|anchor| anchor.date)
}

async fn build(app: &App, signed: &Signed, subject: &Subject, typed: Typed) -> Result<BecamePage, WebError> {
    let id = subject.row.id;
    let (page, frame) = (Page::unswitched(signed.lang), Frame::of(signed, ""));
    let person = app.store.demographics(id).await.map_err(WebError::internal)?;
    let known = app.store.outcomes_of(&[subject.enrollment]).await.map_err(WebError::internal)?;
    let about = subject.row.state.enrollments.get(&subject.enrollment).map(|state| {
        let title = app.version(&state.version);
        title.map_or_else(
            || state.workflow.to_string(),
            |w| super::vocabulary::text(signed.lang, &w.title).to_owned(),
        )
    });
    Ok(BecamePage {
        b: Became(signed.lang),
        action: format!("/risk/outcome/{id}/{}", subject.enrollment),
        back: format!("/patients/{id}"),
        name: person.map_or_else(|| frame.w.erased().to_owned(), |person| person.name),
        about: match (about, subject.discharge) {
            (Some(about), Some(day)) => format!("{about}, {day}"),
            (about, _) => about.unwrap_or_default(),
        },
        known: known.get(&subject.enrollment).map(|row| sentence(signed.lang, row)),
        typed,
        page,
        frame,
    })
}

/// What became, in words.
#[must_use]
pub fn sentence(lang: Lang, row: &OutcomeRow) -> String {
    let b = Became(lang);
    match row.became {
        outcome::Became::Admitted(day) => b.was(day),
        outcome::Became::NotAdmitted => b.was_not().to_owned(),
    }
}
