//! What staff record about a patient: each with a page of its own that says what will follow, and a reason.

use actix_web::{
    HttpResponse,
    web::{Data, Path, Query},
};
use askama::Template;
use serde::Deserialize;
use tend_engine::{
    EnrollmentId, Name, Value,
    fact::{Answer, Fact, StopReason},
    model::{Channel, Workflow},
    state::EnrollmentState,
};

use super::{CLINICAL, Frame, Signed, StaffForm, Typed, form, patient, vocabulary as v};
use crate::{
    app::{App, patient_change::Change},
    store::read::{
        patient::PatientRow,
        person::{ContactPoint, Owner},
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
            _ => return None,
        })
    }

    /// What a clerk may do: contacts, appointments, pauses. Not what decides on treatment.
    fn clinical(self) -> bool {
        match self {
            Self::Pause | Self::Resume | Self::Contact | Self::Preference | Self::Consent => false,
            Self::Stop | Self::Died | Self::Correct | Self::Event | Self::Fact | Self::Void => true,
        }
    }

    fn needs_enrollment(self) -> bool {
        match self {
            Self::Pause | Self::Resume | Self::Stop | Self::Correct | Self::Event | Self::Fact => true,
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
        | Kind::Consent => {}
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

/// The change that a form asks for; mistakes are noted in `typed`.
async fn change(
    app: &App,
    signed: &Signed,
    subject: &Subject,
    typed: &mut Typed,
) -> Result<Option<Change>, WebError> {
    let w = Staff(signed.lang);
    let today = patient::today(&subject.row, app.clock.now());
    if let Kind::Void = subject.kind {
        return void(app, signed, subject, typed).await;
    }
    let enrollment = subject.enrollment.as_ref().map(|(id, _)| *id);
    Ok(match (subject.kind, enrollment) {
        (Kind::Pause, Some(enrollment)) => {
            let until = typed.optional_date(w, "until");
            if until.is_some_and(|until| until <= today) {
                typed.wrong("until", w.err_date());
            }
            Some(Change::Pause { enrollment, until, reason: typed.reason(w, "reason") })
        }
        (Kind::Resume, Some(enrollment)) => Some(Change::Resume { enrollment }),
        (Kind::Stop, Some(enrollment)) => {
            let why = STOPS.into_iter().find(|why| typed.is("why", stop_word(*why)));
            if why.is_none() {
                typed.wrong("why", w.err_choice());
            }
            let note = typed.text(w, "reason");
            why.map(|why| Change::Stop { enrollment, why, note })
        }
        (Kind::Died, _) => {
            let date = typed.date(w, "date");
            if date.is_some_and(|date| date > today) {
                typed.wrong("date", w.err_date());
            }
            date.map(|date| Change::Died { date })
        }
        (Kind::Correct | Kind::Event, Some(enrollment)) => {
            let (anchor, date) = (anchor(signed, subject, typed), typed.date(w, "date"));
            let reason =
                if subject.kind == Kind::Correct { typed.reason(w, "reason") } else { String::new() };
            anchor.zip(date).map(|(anchor, date)| match subject.kind {
                Kind::Correct => Change::CorrectAnchor { enrollment, anchor, date, reason },
                _ => Change::AnchorEvent { enrollment, anchor, date },
            })
        }
        (Kind::Fact, Some(enrollment)) => set_fact(w, subject, typed, enrollment),
        (Kind::Contact, _) => contact(w, Chart(signed.lang), typed),
        (Kind::Preference, _) => preference(w, typed),
        (Kind::Consent, _) => consent(w, typed),
        (
            Kind::Pause | Kind::Resume | Kind::Stop | Kind::Correct | Kind::Event | Kind::Fact | Kind::Void,
            _,
        ) => None,
    })
}

fn anchor(signed: &Signed, subject: &Subject, typed: &mut Typed) -> Option<Name> {
    let chosen = Name::parse(typed.value("anchor")).ok();
    let known = anchors(signed, subject, subject.kind == Kind::Correct);
    let found = chosen.filter(|name| known.iter().any(|(id, _)| id == name.as_str()));
    if found.is_none() {
        typed.wrong("anchor", Staff(signed.lang).err_choice());
    }
    found
}

fn set_fact(w: Staff, subject: &Subject, typed: &mut Typed, enrollment: EnrollmentId) -> Option<Change> {
    let workflow = subject.workflow.as_ref()?;
    let Some(def) = workflow.facts.iter().find(|fact| typed.is("fact", fact.id.as_str())) else {
        typed.wrong("fact", w.err_choice());
        return None;
    };
    if typed.value("value").trim().is_empty() {
        typed.wrong("value", w.err_missing());
    }
    let value: Option<Value> = typed.fact(w, "value", &def.kind);
    let reason = typed.reason(w, "reason");
    value.map(|value| Change::SetFact { enrollment, name: def.id.clone(), value, reason })
}

fn contact(w: Staff, c: Chart, typed: &mut Typed) -> Option<Change> {
    let Some(channel) = v::channel_of(typed.value("channel")) else {
        typed.wrong("channel", w.err_choice());
        return None;
    };
    let owner = if typed.is("owner", "carer") { Owner::Carer } else { Owner::Own };
    let raw = typed.line(w, "address");
    let address = address(channel, &raw);
    if address.is_none() {
        typed.wrong("address", if channel == Channel::Sms { c.err_phone() } else { c.err_email() });
    }
    address.map(|address| Change::Contact { contact: ContactPoint { channel, address, owner } })
}

/// A telephone number in E.164 form, or an e-mail address that cannot smuggle a header.
#[must_use]
pub fn address(channel: Channel, raw: &str) -> Option<String> {
    match channel {
        Channel::Sms => {
            let number: String = raw.chars().filter(|c| !" -().\u{a0}".contains(*c)).collect();
            let digits = number.strip_prefix('+')?;
            let good = (8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
            good.then_some(number)
        }
        Channel::Email => {
            let raw = raw.trim();
            let (name, host) = raw.split_once('@')?;
            let plain = |part: &str| {
                !part.is_empty()
                    && part.chars().all(|c| c.is_ascii_graphic() && !"<>(),;:\\\"[]@".contains(c))
            };
            (plain(name) && plain(host) && host.contains('.') && raw.len() <= 254).then(|| raw.to_owned())
        }
    }
}

fn preference(w: Staff, typed: &mut Typed) -> Option<Change> {
    let language = crate::web::Lang::parse(typed.value("language"));
    if language.is_none() {
        typed.wrong("language", w.err_choice());
    }
    let zone = typed.line(w, "zone");
    if jiff::tz::TimeZone::get(&zone).is_err() {
        typed.wrong("zone", w.err_choice());
    }
    let preferred = v::channel_of(typed.value("preferred"));
    language.map(|language| Change::Preference { language: language.code().to_owned(), zone, preferred })
}

fn consent(w: Staff, typed: &mut Typed) -> Option<Change> {
    let channel = v::channel_of(typed.value("channel"));
    let wording = CONSENT_WORDING.to_owned();
    match (typed.value("what"), channel) {
        ("give", Some(channel)) => Some(Change::Consent { channel, wording }),
        ("withdraw", Some(channel)) => Some(Change::StopChannel { channel }),
        ("daily", _) => Some(Change::Daily { given: true, wording }),
        ("no_daily", _) => Some(Change::Daily { given: false, wording }),
        (_, None) => {
            typed.wrong("channel", w.err_choice());
            None
        }
        _ => {
            typed.wrong("what", w.err_choice());
            None
        }
    }
}

/// Voids an entry, or corrects its value where it has a single one.
async fn void(
    app: &App,
    signed: &Signed,
    subject: &Subject,
    typed: &mut Typed,
) -> Result<Option<Change>, WebError> {
    let w = Staff(signed.lang);
    let seq = subject.seq.filter(|seq| *seq > 0).ok_or(WebError::NotFound)?;
    let line = app.store.history(subject.row.id, seq - 1, 1).await.map_err(WebError::internal)?.pop();
    let entry = line
        .filter(|line| line.entry.seq == seq && patient::voidable(&line.entry.fact))
        .ok_or(WebError::NotFound)?
        .entry;
    let reason = typed.reason(w, "reason");
    let raw = typed.optional_line(w, "instead");
    if raw.is_empty() {
        return Ok(Some(Change::Void { enrollment: entry.enrollment, seq, reason }));
    }
    let instead = corrected(app, w, subject, &entry, &raw);
    Ok(match instead {
        Ok(instead) => {
            Some(Change::Correct { enrollment: entry.enrollment, seq, reason, instead: Box::new(instead) })
        }
        Err(sentence) => {
            typed.wrong("instead", sentence);
            None
        }
    })
}

/// The entry with another value: of a fact, a date, or of an answer to a single number.
fn corrected(
    app: &App,
    w: Staff,
    subject: &Subject,
    entry: &tend_engine::fact::Entry,
    raw: &str,
) -> Result<Fact, String> {
    let state = entry.enrollment.and_then(|id| subject.row.state.enrollments.get(&id));
    let workflow = state.and_then(|state| app.version(&state.version));
    let day = || form::date(raw).ok_or_else(|| w.err_date().to_owned());
    match &entry.fact {
        Fact::FactSet { name, .. } => {
            let def = workflow.as_ref().and_then(|w| w.facts.iter().find(|fact| fact.id == *name));
            let def = def.ok_or_else(|| w.err_choice().to_owned())?;
            Ok(Fact::FactSet { name: name.clone(), value: form::fact_value(w, raw, &def.kind)? })
        }
        Fact::AnchorEvent { anchor, .. } => Ok(Fact::AnchorEvent { anchor: anchor.clone(), date: day()? }),
        Fact::AnchorCorrected { anchor, reason, .. } => {
            Ok(Fact::AnchorCorrected { anchor: anchor.clone(), date: day()?, reason: reason.clone() })
        }
        Fact::Died { .. } => Ok(Fact::Died { date: day()? }),
        Fact::Answered { questionnaire, answers, .. } => {
            let asked = workflow.as_ref().and_then(|w| w.questionnaires.get(questionnaire));
            let (item, value) = raw.split_once('=').unwrap_or(("", raw));
            let item = match item.trim() {
                "" if answers.len() == 1 => answers.keys().next(),
                name => answers.keys().find(|id| id.as_str() == name),
            };
            let item = item.and_then(|id| asked?.items.iter().find(|item| item.id == *id));
            let item = item.ok_or_else(|| w.err_choice().to_owned())?;
            let answer: Answer = form::answer(w, value.trim(), &item.kind, false)?;
            let mut fact = entry.fact.clone();
            if let Fact::Answered { answers, .. } = &mut fact {
                answers.insert(item.id.clone(), answer);
            }
            Ok(fact)
        }
        _ => Err(w.err_choice().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_one_form() {
        assert_eq!(address(Channel::Sms, "+44 (7700) 900-123").as_deref(), Some("+447700900123"));
        for bad in ["07700900123", "+44x", "+123", "+1234567890123456", ""] {
            assert_eq!(address(Channel::Sms, bad), None, "{bad}");
        }
        assert_eq!(address(Channel::Email, " a.b@example.org ").as_deref(), Some("a.b@example.org"));
        for bad in ["a@b", "a@b.c\r\nBcc: x@y.z", "a b@c.d", "@c.d", "a@@c.d"] {
            assert_eq!(address(Channel::Email, bad), None, "{bad}");
        }
    }
}
