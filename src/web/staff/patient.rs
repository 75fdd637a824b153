//! One patient: who it is, where it stands, what comes next, what was answered, and everything that happened with its reason.

mod parts;

pub use parts::*;

use std::collections::BTreeMap;

use actix_web::{
    HttpResponse,
    web::{Data, Path, Query},
};
use askama::Template;
use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;
use tend_engine::{
    EnrollmentId, Name, PatientId, StaffId, Value,
    fact::{Fact, Occurrence},
    model::{FactDef, FactKind, Role},
    planner::Library,
    state::Standing,
};

use super::{
    CLINICAL, Frame, Signed, StaffForm, answer, answers,
    answers::Series,
    published::{self, asked_for_risk},
    story::{Teller, Titles},
    task::Ask,
    vocabulary as v,
};
use crate::{
    app::{App, zone_named},
    store::read::{
        patient::{HistoryLine, PatientRow},
        staff::AccountRole,
        task::TaskView,
        timeline::TIMELINE_ROWS,
    },
    web::{
        Page, WebError,
        respond::{page, see_other},
        words::{self, Chart, Staff, Worklist},
    },
};

/// What became of a patient, by follow-up.
type Became = BTreeMap<EnrollmentId, crate::store::read::life::OutcomeRow>;

/// Answers that charts are drawn from; older ones are in the timeline.
const ANSWERS_MAX: u64 = 400;

/// An enrollment as shown.
#[derive(Debug)]
struct Enrolled {
    title: String,
    version: String,
    standing: String,
    running: bool,
    paused: bool,
    anchors: Vec<String>,
    facts: Vec<(String, String)>,
    scores: published::Shown,
    /// What became of the patient, if it is known.
    became: Option<String>,
    id: String,
}

/// A task as shown.
#[derive(Debug)]
struct Task {
    href: String,
    title: String,
    state: String,
    colour: &'static str,
    sign: &'static str,
    level: &'static str,
    open: bool,
}

/// A message as shown.
#[derive(Debug)]
struct Message {
    what: String,
    channel: &'static str,
    state: String,
    uncertain: bool,
    when: String,
    why: String,
    id: String,
}

/// An address as shown.
#[derive(Debug)]
struct Contact {
    channel: &'static str,
    address: String,
    remarks: String,
}

/// An entry of the timeline as shown.
#[derive(Debug)]
struct Line {
    seq: u64,
    when: String,
    who: String,
    sentence: String,
    why: Option<String>,
    words: Vec<String>,
    void: bool,
    minor: bool,
    voidable: bool,
}

#[derive(Debug, Template)]
#[template(path = "staff/patient/page.html")]
struct PatientPage {
    page: Page,
    frame: Frame,
    c: Chart,
    t: Worklist,
    id: String,
    name: String,
    born: Option<String>,
    sex: String,
    identifiers: Vec<(String, String)>,
    notices: Vec<(&'static str, String)>,
    /// In which zone the patient lives, where it is another one than the site's.
    elsewhere: Option<String>,
    aside: bool,
    advice: Vec<String>,
    alive: bool,
    enrolled: Vec<Enrolled>,
    coming: Vec<(String, String)>,
    wakes: Option<String>,
    tasks: Vec<Task>,
    closed_tasks: Vec<Task>,
    asks: Vec<Ask>,
    clinical: bool,
    clinician: bool,
    b: words::Became,
    p: words::Published,
    series: Vec<Series>,
    forms: Vec<answers::Filled>,
    messages: Vec<Message>,
    contacts: Vec<Contact>,
    channels: Vec<(String, String)>,
    consents: Vec<String>,
    preference: (String, String, String),
    timeline: Vec<Line>,
    older: Option<u64>,
}

/// What the address asks for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    before: Option<u64>,
    done: Option<String>,
    /// Red flags of the answers that a nurse typed.
    flags: Option<String>,
}

/// Words of the versions that a patient is on, and names of staff.
#[derive(Debug)]
pub struct Known<'a> {
    pub(super) lang: crate::web::Lang,
    pub(super) library: &'a Library,
    pub(super) row: &'a PatientRow,
    pub(super) staff: &'a BTreeMap<StaffId, String>,
}

impl Known<'_> {
    fn workflows(&self) -> impl Iterator<Item = std::sync::Arc<tend_engine::model::Workflow>> + '_ {
        let enrolled = self.row.state.enrollments.values();
        // Also those that a follow-up was moved from: what was asked then is told by its name.
        let versions = enrolled.flat_map(|of| {
            let before = of.moved_from.iter().map(|(version, _)| version);
            let removed = of.former.keys().map(|step| of.version_of(step));
            std::iter::once(&of.version).chain(before).chain(removed)
        });
        versions.filter_map(|version| self.library.get(version).cloned())
    }
}

impl Titles for Known<'_> {
    fn step(&self, about: &Occurrence) -> String {
        format!("{} #{}", self.step_named(&about.step), about.ordinal)
    }

    fn step_named(&self, step: &Name) -> String {
        let found = self
            .workflows()
            .find_map(|workflow| workflow.step(step).map(|step| v::text(self.lang, &step.title).to_owned()));
        found.unwrap_or_else(|| step.to_string())
    }

    fn questionnaire(&self, id: &Name) -> String {
        let found = self.workflows().find_map(|workflow| {
            workflow.questionnaires.get(id).map(|asked| v::text(self.lang, &asked.title).to_owned())
        });
        found.unwrap_or_else(|| id.to_string())
    }

    fn workflow(&self, name: &Name) -> String {
        let found = self.workflows().find(|workflow| workflow.id == *name);
        found.map_or_else(|| name.to_string(), |workflow| v::text(self.lang, &workflow.title).to_owned())
    }

    fn fact(&self, name: &Name, value: &Value) -> (String, String) {
        let found = self.workflows().find_map(|workflow| {
            workflow.facts.iter().find(|fact| fact.id == *name).map(|def| known_fact(self.lang, def, value))
        });
        found.unwrap_or_else(|| known_feature(self.lang, name, value))
    }

    fn rule(&self, rule: &Name) -> String {
        let found = self.workflows().find_map(|workflow| {
            let rule = workflow.rules.iter().find(|one| one.id == *rule)?;
            let said = |words: &tend_engine::model::Text| without_places(v::text(self.lang, &words.clone()));
            let all: Vec<String> = rule.alternatives.iter().map(|one| said(&one.because)).collect();
            let joined = all.join(" / ");
            Some(if all.len() > 1 { words::Story(self.lang).one_of(joined) } else { joined })
        });
        found.unwrap_or_else(|| rule.to_string())
    }

    fn staff(&self, id: StaffId) -> String {
        self.staff.get(&id).cloned().unwrap_or_else(|| Staff(self.lang).unknown().to_owned())
    }
}

/// Words with a dot where a value would stand.
fn without_places(words: &str) -> String {
    let mut out = String::new();
    let mut rest = words;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        out.push('…');
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}

/// A patient of the signed-in person's site.
///
/// # Errors
/// [`WebError::NotFound`] for another site's patient.
pub async fn of_site(app: &App, signed: &Signed, id: &str) -> Result<PatientRow, WebError> {
    let id = PatientId::parse(id).map_err(|_| WebError::NotFound)?;
    let row = app.store.patient(id).await.map_err(WebError::internal)?.ok_or(WebError::NotFound)?;
    if row.site == signed.staff.site { Ok(row) } else { Err(WebError::NotFound) }
}

/// `GET /patients/{id}`
///
/// # Errors
/// [`WebError`].
pub async fn show(
    app: Data<App>,
    signed: Signed,
    id: Path<String>,
    asked: Query<Asked>,
) -> Result<HttpResponse, WebError> {
    let row = of_site(&app, &signed, &id).await?;
    app.viewed(signed.staff.id, row.id, "patient").await?;
    page(&build(&app, &signed, &row, &asked).await?)
}

/// `POST /patients/{id}/take-back`: somebody has looked at the record of a patient who was set aside.
///
/// # Errors
/// [`WebError`].
pub async fn take_back(
    app: Data<App>,
    signed: Signed,
    id: Path<String>,
    _form: StaffForm,
) -> Result<HttpResponse, WebError> {
    let row = of_site(&app, &signed, &id).await?;
    let goes_on = app.take_back(row.id, signed.staff.id).await?;
    Ok(see_other(&format!("/patients/{}{}", row.id, if goes_on { "?done=yes" } else { "" })))
}

async fn build(app: &App, signed: &Signed, row: &PatientRow, asked: &Asked) -> Result<PatientPage, WebError> {
    let (page, frame) = signed.page(&format!("/patients/{}", row.id), "");
    let (w, c) = (frame.w, Chart(signed.lang));
    let clinical = signed.has_any(CLINICAL);
    let zone = app.zone(row.site);
    let own_zone = zone_named(&row.state.zone);
    let internal = WebError::internal;
    let person = app.store.demographics(row.id).await.map_err(internal)?;
    let identifiers = app.store.identifiers(row.id).await.map_err(internal)?;
    let contacts = app.store.contacts(row.id).await.map_err(internal)?;
    let consents = app.store.consents(row.id).await.map_err(internal)?;
    let tasks = app.store.tasks_of(row.id).await.map_err(internal)?;
    let messages = app.store.messages_of(row.id).await.map_err(internal)?;
    let dropped = app.store.drops_of(&[row.id]).await.map_err(internal)?;
    let staff = app.store.staff_names(row.site).await.map_err(internal)?;
    let history =
        app.store.history_before(row.id, asked.before, TIMELINE_ROWS + 1).await.map_err(internal)?;
    let mine: Vec<EnrollmentId> = row.state.enrollments.keys().copied().filter(|_| clinical).collect();
    let became = app.store.outcomes_of(&mine).await.map_err(internal)?;
    let live = app.live();
    let known = Known { lang: signed.lang, library: &live.library, row, staff: &staff };
    let answered = if clinical {
        app.store.answers_of(row.id, ANSWERS_MAX).await.map_err(internal)?
    } else {
        Vec::new()
    };
    let (series, forms) = answers::of(signed, row, &live.library, &answered, (&zone, &own_zone));
    let older =
        (history.len() as u64 > TIMELINE_ROWS).then(|| history.get(TIMELINE_ROWS as usize - 1)).flatten();
    let older = older.map(|line| line.entry.seq);
    Ok(PatientPage {
        t: Worklist(signed.lang),
        id: row.id.to_string(),
        name: person.as_ref().map_or_else(|| w.erased().to_owned(), |person| person.name.clone()),
        born: person.as_ref().map(|person| c.born(person.birth_date)),
        sex: v::sex(signed.lang, &person.and_then(|person| person.sex).unwrap_or_default()),
        identifiers: identifiers.into_iter().map(|number| (number.system, number.value)).collect(),
        notices: notices(c, row, asked, &messages),
        elsewhere: elsewhere(app, c, row),
        aside: clinical && row.quarantined.is_some(),
        advice: answer::advice(app, signed, &row.state, asked.flags.as_deref().filter(|_| clinical)),
        alive: row.state.died.is_none(),
        enrolled: enrolled(signed, app, row, &became),
        coming: super::coming::of(signed, app, row),
        wakes: row.wake_at.map(|at| c.wakes(v::instant(&zone, at))),
        tasks: shown_tasks(signed, &tasks, &zone, true),
        closed_tasks: shown_tasks(signed, &tasks, &zone, false),
        asks: if clinical { super::task::open_asks(app, signed, &row.state, None) } else { Vec::new() },
        messages: messages.into_iter().map(|m| message(signed, &known, &zone, &dropped, m)).collect(),
        contacts: contacts
            .into_iter()
            .map(|contact| Contact {
                channel: v::channel(w, contact.channel),
                remarks: contact_remarks(c, &contact),
                address: contact.address,
            })
            .collect(),
        channels: channels(w, c, row),
        consents: consents.into_iter().map(|consent| consent_line(w, c, &zone, &consent)).collect(),
        preference: (
            v::language(w, &row.state.language),
            row.state.zone.clone(),
            row.state
                .preferred
                .map_or_else(|| w.none().to_owned(), |channel| v::channel(w, channel).to_owned()),
        ),
        timeline: timeline(signed, &known, &zone, clinical, history),
        older,
        series,
        forms,
        clinical,
        clinician: signed.has_any(&[AccountRole::Clinician]),
        b: words::Became(signed.lang),
        p: words::Published(signed.lang),
        page,
        frame,
        c,
    })
}

fn notices(
    c: Chart,
    row: &PatientRow,
    asked: &Asked,
    messages: &[crate::store::read::message_log::MessageRow],
) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    if asked.done.is_some() {
        out.push(("green", c.saved().to_owned()));
    }
    if let Some(day) = row.state.died {
        out.push(("red", c.died_on(day)));
    }
    let in_flight = messages.iter().filter(|message| message.state == "claimed").count();
    if in_flight > 0 {
        out.push(("amber", c.in_flight(in_flight)));
    }
    if let Some(why) = &row.quarantined {
        out.push(("red", c.quarantined(why)));
    }
    out
}

/// A fact of a workflow: its words, and the value with its unit or the words of its option.
fn known_fact(lang: crate::web::Lang, def: &FactDef, value: &Value) -> (String, String) {
    (v::text(lang, &def.label).to_owned(), with_unit(lang, &def.kind, value))
}

/// What a model wants to know, the same way.
fn known_feature(lang: crate::web::Lang, name: &Name, value: &Value) -> (String, String) {
    let asked = asked_for_risk(lang).into_iter().find(|feature| feature.name == name.as_str());
    match asked {
        Some(feature) => (feature.label, with_unit(lang, &feature.kind, value)),
        None => (name.to_string(), super::form::shown(Staff(lang), value)),
    }
}

fn with_unit(lang: crate::web::Lang, kind: &FactKind, value: &Value) -> String {
    let plain = super::form::shown(Staff(lang), value);
    match (kind, value) {
        (FactKind::Quantity { unit, .. }, _) if !unit.is_empty() => format!("{plain} {unit}"),
        (FactKind::Choice(options), Value::Choice(chosen)) => options
            .iter()
            .find(|(id, _)| id == chosen)
            .map_or(plain, |(_, label)| v::text(lang, label).to_owned()),
        (
            FactKind::Quantity { .. }
            | FactKind::Choice(_)
            | FactKind::Whole { .. }
            | FactKind::Boolean
            | FactKind::Date,
            _,
        ) => plain,
    }
}

fn enrolled(signed: &Signed, app: &App, row: &PatientRow, became: &Became) -> Vec<Enrolled> {
    let clinical = signed.has_any(CLINICAL);
    let w = Staff(signed.lang);
    let c = Chart(signed.lang);
    let one = |(id, state): (&EnrollmentId, &tend_engine::state::EnrollmentState)| {
        let workflow = app.version(&state.version);
        let title = workflow
            .as_ref()
            .map_or_else(|| state.workflow.to_string(), |w| v::text(signed.lang, &w.title).to_owned());
        let anchor = |name: &Name| {
            let label = workflow.as_ref().and_then(|w| w.anchors.iter().find(|anchor| anchor.id == *name));
            label.map_or_else(|| name.to_string(), |anchor| v::text(signed.lang, &anchor.label).to_owned())
        };
        let fact = |(name, value): (&Name, &Value)| {
            let def = workflow.as_ref().and_then(|w| w.facts.iter().find(|fact| fact.id == *name));
            match def {
                Some(def) => known_fact(signed.lang, def, value),
                None => known_feature(signed.lang, name, value),
            }
        };
        Enrolled {
            title,
            version: state.version.short().to_owned(),
            standing: v::standing(w, &state.standing),
            running: !matches!(state.standing, Standing::Over { .. }),
            paused: matches!(state.standing, Standing::Paused { .. }),
            anchors: state.anchors.iter().map(|(name, at)| c.since_anchor(anchor(name), at.date)).collect(),
            facts: if clinical { state.facts.iter().map(fact).collect() } else { Vec::new() },
            scores: if clinical { published::shown(signed.lang, state) } else { published::Shown::default() },
            became: became.get(id).map(|outcome| super::became::sentence(signed.lang, outcome)),
            id: id.to_string(),
        }
    };
    let mut all: Vec<Enrolled> = row.state.enrollments.iter().map(one).collect();
    all.sort_by_key(|enrolled| !enrolled.running);
    all
}
