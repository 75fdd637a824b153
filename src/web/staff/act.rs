//! What staff record about a patient: each with a page of its own that says what will follow, and a reason.

mod change;

pub use change::address;
use change::change;

use actix_web::{
    HttpResponse,
    web::{Data, Path, Query},
};
use askama::Template;
use serde::Deserialize;
use tend_engine::{
    EnrollmentId, Name, Value,
    fact::{Answer, Fact, RiskMove, StopReason},
    model::{Channel, Workflow},
    state::EnrollmentState,
};

use super::{CLINICAL, Frame, Signed, StaffForm, Typed, form, patient, vocabulary as v};
use crate::{
    app::{App, patient_change::Change},
    store::read::{
        patient::PatientRow,
        person::{ContactPoint, Owner},
        staff::AccountRole,
    },
    web::{
        Page, WebError,
        respond::{invalid, page, see_other},
        words::{Chart, Staff},
    },
};

/// The version of the consent wording that staff read out.
pub const CONSENT_WORDING: &str = "follow-up-1";

/// What can be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pause,
    Resume,
    Stop,
    Died,
    Correct,
    Event,
    Fact,
    Void,
    Contact,
    Preference,
    Consent,
    Risk,
}

impl Kind {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "pause" => Self::Pause,
            "resume" => Self::Resume,
            "stop" => Self::Stop,
            "died" => Self::Died,
            "correct" => Self::Correct,
            "event" => Self::Event,
            "fact" => Self::Fact,
            "void" => Self::Void,
            "contact" => Self::Contact,
            "preference" => Self::Preference,
            "consent" => Self::Consent,
            "risk" => Self::Risk,
            _ => return None,
        })
    }

    /// What a clerk may do: contacts, appointments, pauses. Not what decides on treatment.
    fn clinical(self) -> bool {
        match self {
            Self::Pause | Self::Resume | Self::Contact | Self::Preference | Self::Consent => false,
            Self::Stop | Self::Died | Self::Correct | Self::Event | Self::Fact | Self::Void | Self::Risk => {
                true
            }
        }
    }

    fn needs_enrollment(self) -> bool {
        match self {
            Self::Pause
            | Self::Resume
            | Self::Stop
            | Self::Correct
            | Self::Event
            | Self::Fact
            | Self::Risk => true,
            Self::Died | Self::Void | Self::Contact | Self::Preference | Self::Consent => false,
        }
    }

    fn heading(self, c: Chart) -> (&'static str, &'static str) {
        match self {
            Self::Pause => (c.act_pause(), c.pause_help()),
            Self::Resume => (c.act_resume(), c.resume_help()),
            Self::Stop => (c.act_stop(), c.stop_help()),
            Self::Died => (c.act_died(), c.died_help()),
            Self::Correct => (c.act_correct_anchor(), c.correct_help()),
            Self::Event => (c.act_new_anchor(), c.new_anchor_help()),
            Self::Fact => (c.act_set_fact(), ""),
            Self::Void => (c.act_void(), c.void_help()),
            Self::Contact => (c.act_contact(), c.contact_help()),
            Self::Preference => (c.act_preference(), ""),
            Self::Consent => (c.act_consent(), c.consent_help()),
            Self::Risk => (c.act_risk(), c.risk_help()),
        }
    }
}

/// A field of the form.
#[derive(Debug)]
struct Field {
    name: String,
    label: String,
    kind: &'static str,
    options: Vec<(String, String)>,
}

#[derive(Debug, Template)]
#[template(path = "staff/patient/act.html")]
struct ActPage {
    page: Page,
    frame: Frame,
    action: String,
    back: String,
    name: String,
    title: &'static str,
    help: &'static str,
    about: Option<String>,
    fields: Vec<Field>,
    typed: Typed,
    danger: bool,
}

/// What the address asks for.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Asked {
    enrollment: Option<String>,
    seq: Option<u64>,
}

/// All that a form is about.
struct Subject {
    kind: Kind,
    row: PatientRow,
    enrollment: Option<(EnrollmentId, EnrollmentState)>,
    workflow: Option<std::sync::Arc<Workflow>>,
    seq: Option<u64>,
}

/// `GET /patients/{id}/{act}`
///
/// # Errors
/// [`WebError`].
pub async fn show(
    app: Data<App>,
    signed: Signed,
    path: Path<(String, String)>,
    asked: Query<Asked>,
) -> Result<HttpResponse, WebError> {
    let subject = subject(&app, &signed, &path, &asked).await?;
    let mut typed = Typed::default();
    prefill(&app, &subject, &mut typed);
    page(&build(&app, &signed, &subject, typed).await?)
}

/// `POST /patients/{id}/{act}`
///
/// # Errors
/// [`WebError`].
pub async fn submit(
    app: Data<App>,
    signed: Signed,
    path: Path<(String, String)>,
    asked: Query<Asked>,
    form: StaffForm,
) -> Result<HttpResponse, WebError> {
    let subject = subject(&app, &signed, &path, &asked).await?;
    let mut typed = form.typed();
    let change = change(&app, &signed, &subject, &mut typed).await?;
    let (Some(change), true) = (change, typed.good()) else {
        return invalid(&build(&app, &signed, &subject, typed).await?);
    };
    app.change_patient(subject.row.id, change, signed.staff.id).await?;
    Ok(see_other(&format!("/patients/{}?done=yes", subject.row.id)))
}

async fn subject(
    app: &App,
    signed: &Signed,
    path: &(String, String),
    asked: &Asked,
) -> Result<Subject, WebError> {
    let kind = Kind::of(&path.1).ok_or(WebError::NotFound)?;
    if kind.clinical() {
        signed.needs(CLINICAL)?;
    }
    if kind == Kind::Risk {
        signed.needs(&[AccountRole::Clinician])?;
    }
    let row = patient::of_site(app, signed, &path.0).await?;
    let enrollment = match &asked.enrollment {
        Some(id) => {
            let id = EnrollmentId::parse(id).map_err(|_| WebError::NotFound)?;
            Some((id, row.state.enrollments.get(&id).cloned().ok_or(WebError::NotFound)?))
        }
        None => None,
    };
    if kind.needs_enrollment() && enrollment.is_none() {
        return Err(WebError::NotFound);
    }
    let workflow = enrollment.as_ref().and_then(|(_, state)| app.version(&state.version));
    Ok(Subject { kind, row, enrollment, workflow, seq: asked.seq })
}

fn prefill(app: &App, subject: &Subject, typed: &mut Typed) {
    match subject.kind {
        Kind::Died | Kind::Event => {
            typed.set("date", patient::today(&subject.row, app.clock.now()).to_string())
        }
        Kind::Preference => {
            typed.set("language", subject.row.state.language.clone());
            typed.set("zone", subject.row.state.zone.clone());
            typed.set("preferred", subject.row.state.preferred.map_or("", v::channel_word));
        }
        Kind::Pause
        | Kind::Resume
        | Kind::Stop
        | Kind::Correct
        | Kind::Fact
        | Kind::Void
        | Kind::Contact
        | Kind::Consent
        | Kind::Risk => {}
    }
}

async fn build(app: &App, signed: &Signed, subject: &Subject, typed: Typed) -> Result<ActPage, WebError> {
    let id = subject.row.id;
    let (w, c) = (Staff(signed.lang), Chart(signed.lang));
    let (title, help) = subject.kind.heading(c);
    let word = path_word(subject.kind);
    let query = match (&subject.enrollment, subject.seq) {
        (Some((enrollment, _)), _) => format!("?enrollment={enrollment}"),
        (None, Some(seq)) => format!("?seq={seq}"),
        (None, None) => String::new(),
    };
    let path = format!("/patients/{id}/{word}");
    let person = app.store.demographics(id).await.map_err(WebError::internal)?;
    let (page, frame) = (Page::unswitched(signed.lang), Frame::of(signed, ""));
    let about = subject
        .workflow
        .as_ref()
        .map(|workflow| v::text(signed.lang, &workflow.title).to_owned())
        .or_else(|| subject.seq.map(|seq| format!("{} {seq}", c.void_entry())));
    Ok(ActPage {
        action: format!("{path}{query}"),
        back: format!("/patients/{id}"),
        name: person.map_or_else(|| w.erased().to_owned(), |person| person.name),
        title,
        help,
        about,
        fields: fields(signed, subject),
        typed,
        danger: matches!(subject.kind, Kind::Stop | Kind::Died),
        page,
        frame,
    })
}

fn path_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Pause => "pause",
        Kind::Resume => "resume",
        Kind::Stop => "stop",
        Kind::Died => "died",
        Kind::Correct => "correct",
        Kind::Event => "event",
        Kind::Fact => "fact",
        Kind::Void => "void",
        Kind::Contact => "contact",
        Kind::Preference => "preference",
        Kind::Consent => "consent",
        Kind::Risk => "risk",
    }
}

fn field(name: &str, label: impl Into<String>, kind: &'static str) -> Field {
    Field { name: name.to_owned(), label: label.into(), kind, options: Vec::new() }
}

fn select(name: &str, label: impl Into<String>, options: Vec<(String, String)>) -> Field {
    Field { options, ..field(name, label, "select") }
}

fn channel_options(w: Staff) -> Vec<(String, String)> {
    let one = |channel| (v::channel_word(channel).to_owned(), v::channel(w, channel).to_owned());
    [Channel::Sms, Channel::Email].map(one).to_vec()
}

fn fields(signed: &Signed, subject: &Subject) -> Vec<Field> {
    let (w, c) = (Staff(signed.lang), Chart(signed.lang));
    let reason = || field("reason", w.reason(), "area");
    match subject.kind {
        Kind::Pause => vec![field("until", c.pause_until(), "date"), reason()],
        Kind::Resume => Vec::new(),
        Kind::Stop => {
            let option = |why| (stop_word(why).to_owned(), v::stop_reason(w, why).to_owned());
            vec![select("why", w.reason(), STOPS.map(option).to_vec()), field("reason", c.what(), "area")]
        }
        Kind::Died => vec![field("date", c.died_date(), "date"), reason()],
        Kind::Correct => vec![
            select("anchor", c.anchor(), anchors(signed, subject, true)),
            field("date", w.date(), "date"),
            reason(),
        ],
        Kind::Event => {
            vec![
                select("anchor", c.anchor(), anchors(signed, subject, false)),
                field("date", w.date(), "date"),
            ]
        }
        Kind::Fact => {
            let facts = subject.workflow.iter().flat_map(|workflow| &workflow.facts);
            let option = |fact: &tend_engine::model::FactDef| {
                (fact.id.to_string(), v::text(signed.lang, &fact.label).to_owned())
            };
            vec![
                select("fact", c.fact(), facts.map(option).collect()),
                field("value", c.value(), "text"),
                reason(),
            ]
        }
        Kind::Void => vec![field("instead", c.correct_value(), "text"), reason()],
        Kind::Contact => {
            let owner =
                vec![("own".to_owned(), c.own().to_owned()), ("carer".to_owned(), c.carer().to_owned())];
            vec![
                select("channel", c.channel(), channel_options(w)),
                select("owner", w.patient(), owner),
                field("address", c.new_address(), "text"),
            ]
        }
        Kind::Preference => {
            let languages =
                crate::web::Lang::ALL.map(|l| (l.code().to_owned(), l.own_name().to_owned())).to_vec();
            let mut channels = vec![(String::new(), w.none().to_owned())];
            channels.extend(channel_options(w));
            vec![
                select("language", c.language(), languages),
                field("zone", c.zone(), "text"),
                select("preferred", c.preferred(), channels),
            ]
        }
        Kind::Consent => {
            let what = vec![
                ("give".to_owned(), c.consent_give().to_owned()),
                ("withdraw".to_owned(), c.consent_withdraw().to_owned()),
                ("daily".to_owned(), c.consent_daily_give().to_owned()),
                ("no_daily".to_owned(), c.consent_daily_withdraw().to_owned()),
            ];
            vec![select("channel", c.channel(), channel_options(w)), select("what", c.what(), what)]
        }
        Kind::Risk => {
            let moved = subject.enrollment.as_ref().and_then(|(_, state)| state.risk_moved);
            let option = |(to, word): &(RiskMove, &str)| ((*word).to_owned(), risk_move(c, *to).to_owned());
            let open = MOVES.iter().filter(|(to, _)| match to {
                RiskMove::Back => moved.is_some(),
                RiskMove::Up | RiskMove::Down | RiskMove::Dismissed => moved != Some(*to),
            });
            vec![select("to", c.what(), open.map(option).collect()), reason()]
        }
    }
}

/// Where a clinician can put a patient, with its word in forms.
const MOVES: [(RiskMove, &str); 4] = [
    (RiskMove::Up, "up"),
    (RiskMove::Down, "down"),
    (RiskMove::Dismissed, "dismiss"),
    (RiskMove::Back, "back"),
];

fn risk_move(c: Chart, to: RiskMove) -> &'static str {
    match to {
        RiskMove::Up => c.risk_up(),
        RiskMove::Down => c.risk_down(),
        RiskMove::Dismissed => c.risk_dismiss(),
        RiskMove::Back => c.risk_back(),
    }
}

const STOPS: [StopReason; 4] =
    [StopReason::Withdrawn, StopReason::Transferred, StopReason::Hospice, StopReason::Clinician];

fn stop_word(why: StopReason) -> &'static str {
    match why {
        StopReason::Withdrawn => "withdrawn",
        StopReason::Transferred => "transferred",
        StopReason::Hospice => "hospice",
        StopReason::Clinician => "clinician",
        StopReason::Rule => "rule",
        StopReason::Died => "died",
    }
}

/// The anchors of the workflow: those that have a date, or all.
fn anchors(signed: &Signed, subject: &Subject, known: bool) -> Vec<(String, String)> {
    let has =
        |name: &Name| subject.enrollment.as_ref().is_some_and(|(_, state)| state.anchors.contains_key(name));
    let all = subject.workflow.iter().flat_map(|workflow| &workflow.anchors);
    all.filter(|anchor| !known || has(&anchor.id))
        .map(|anchor| (anchor.id.to_string(), v::text(signed.lang, &anchor.label).to_owned()))
        .collect()
}
