//! The call screen: what to do and why, whom to call, what came of it in one click, and on to the next task.

use actix_web::{
    HttpResponse,
    web::{Data, Path, Query},
};
use askama::Template;
use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;
use tend_engine::{
    TaskId,
    fact::{Closing, Occurrence},
    model::{Channel, Does, LevelId, Role, TaskKind},
    state::PatientState,
};

use super::{
    CLINICAL, Frame, Signed, StaffForm, Typed,
    evidence::{self, Behind},
    vocabulary as v,
};
use crate::{
    app::{App, zone_named},
    store::read::{person::ContactRow, task::TaskView},
    web::{
        Page, WebError,
        contact::dial,
        respond::{invalid, page, see_other},
        words::Worklist,
    },
};

/// Open questionnaires that the call screen offers.
const ASKS_SHOWN: usize = 6;

/// A line to call.
#[derive(Debug)]
struct Phone {
    number: String,
    dial: String,
    carer: bool,
}

/// A questionnaire that can be asked on the phone.
#[derive(Debug)]
pub struct Ask {
    /// Its page.
    pub href: String,
    /// Its title.
    pub title: String,
    /// The day that it is due on.
    pub day: String,
}

/// An outcome button.
#[derive(Debug)]
struct Outcome {
    code: &'static str,
    label: &'static str,
}

/// A note as shown.
#[derive(Debug)]
struct Note {
    words: String,
    head: String,
}

#[derive(Debug, Template)]
#[template(path = "staff/task/page.html")]
struct TaskPage {
    page: Page,
    frame: Frame,
    t: Worklist,
    id: String,
    patient: String,
    name: String,
    born: String,
    title: String,
    colour: &'static str,
    sign: &'static str,
    level: &'static str,
    level_means: &'static str,
    about: String,
    due: String,
    overdue: bool,
    opened: String,
    reasons: Vec<String>,
    source: Option<String>,
    script: &'static str,
    emergency: Option<String>,
    phones: Vec<Phone>,
    carer: &'static str,
    asks: Vec<Ask>,
    outcomes: Vec<Outcome>,
    notes: Vec<Note>,
    typed: Typed,
    /// Who has it, when that is somebody else.
    taken_by: Option<String>,
    mine: bool,
    closed: Option<String>,
    notice: Option<String>,
    /// The first outcome is the button to press: not on a red task that nobody has taken.
    primary: bool,
    /// The answers that made a rule fire, and the entry that tells of it.
    behind: Behind,
    /// What to tell the patient now.
    advice: Vec<String>,
}

/// What happened just before.
#[derive(Debug, Default, Deserialize)]
pub struct Done {
    done: Option<String>,
    /// The task that was closed just before this one.
    after: Option<String>,
    /// Red flags of the answers that were typed.
    flags: Option<String>,
}

/// A task of the signed-in person's site that this account may see.
///
/// # Errors
/// [`WebError::NotFound`] for a task of another site, [`WebError::Forbidden`] for a clinical one and a clerk.
pub async fn of_site(app: &App, signed: &Signed, id: TaskId) -> Result<TaskView, WebError> {
    let task = app.store.task(id).await.map_err(WebError::internal)?.ok_or(WebError::NotFound)?;
    if task.site != signed.staff.site {
        return Err(WebError::NotFound);
    }
    if task.role != Role::Clerk {
        signed.needs(CLINICAL)?;
    }
    Ok(task)
}

/// `GET /tasks/{id}`
///
/// # Errors
/// [`WebError`].
pub async fn show(
    app: Data<App>,
    signed: Signed,
    id: Path<String>,
    done: Query<Done>,
) -> Result<HttpResponse, WebError> {
    let task = of_site(&app, &signed, task_id(&id)?).await?;
    let patient = task.patient;
    app.viewed(signed.staff.id, patient, "task").await?;
    let mut shown = build(&app, &signed, task).await?;
    shown.notice = match (done.done.as_deref(), done.after.as_deref()) {
        (Some("answers"), _) => Some(shown.t.answers_saved().to_owned()),
        (Some("saved"), Some(after)) => Some(saved_for(&app, &signed, &shown, after).await?),
        (Some("saved"), None) => Some(shown.t.saved().to_owned()),
        _ => None,
    };
    if done.flags.is_some() {
        let row = app.store.patient(patient).await.map_err(WebError::internal)?.ok_or(WebError::NotFound)?;
        shown.advice = super::answer::advice(&app, &signed, &row.state, done.flags.as_deref());
    }
    page(&shown)
}

/// `POST /tasks/{id}/outcome`
///
/// # Errors
/// [`WebError`].
pub async fn outcome(
    app: Data<App>,
    signed: Signed,
    id: Path<String>,
    form: StaffForm,
) -> Result<HttpResponse, WebError> {
    let task = of_site(&app, &signed, task_id(&id)?).await?;
    let mut typed = form.typed();
    let w = crate::web::words::Staff(signed.lang);
    let note = typed.text(w, "note");
    let code = v::outcome_of(form.get("outcome")).filter(|code| v::outcomes_of(task.kind).contains(code));
    if code.is_none() {
        typed.wrong("outcome", w.err_choice());
    }
    let (Some(code), true) = (code, typed.good()) else {
        let mut shown = build(&app, &signed, task).await?;
        shown.typed = typed;
        return invalid(&shown);
    };
    let id = task.id;
    app.close_task(&task, code, &note, signed.staff.id).await?;
    let next = next_task(&app, &signed, id).await?;
    Ok(see_other(
        &next.map_or_else(|| "/worklist".to_owned(), |next| format!("/tasks/{next}?done=saved&after={id}")),
    ))
}

/// What was saved belongs to one patient, and the page is about another: both are named.
async fn saved_for(app: &App, signed: &Signed, shown: &TaskPage, after: &str) -> Result<String, WebError> {
    let closed = of_site(app, signed, task_id(after)?).await?;
    if closed.patient.to_string() == shown.patient {
        return Ok(shown.t.saved_next_same(&shown.name));
    }
    let person = app.store.demographics(closed.patient).await.map_err(WebError::internal)?;
    let name = person.map_or_else(|| shown.frame.w.erased().to_owned(), |person| person.name);
    Ok(shown.t.saved_for(name, &shown.name))
}

/// `POST /tasks/{id}/note`: a note without an outcome.
///
/// # Errors
/// [`WebError`].
pub async fn note(
    app: Data<App>,
    signed: Signed,
    id: Path<String>,
    form: StaffForm,
) -> Result<HttpResponse, WebError> {
    let task = of_site(&app, &signed, task_id(&id)?).await?;
    let mut typed = form.typed();
    let note = typed.reason(crate::web::words::Staff(signed.lang), "note");
    if !typed.good() {
        let mut shown = build(&app, &signed, task).await?;
        shown.typed = typed;
        return invalid(&shown);
    }
    app.note_task(&task, &note, signed.staff.id).await?;
    Ok(see_other(&format!("/tasks/{}?done=saved", task.id)))
}

/// The first task of this person's duties that nobody has taken.
async fn next_task(app: &App, signed: &Signed, but: TaskId) -> Result<Option<TaskId>, WebError> {
    let roles = if signed.has_any(CLINICAL) { signed.staff.duty_roles.clone() } else { vec![Role::Clerk] };
    let filter = crate::store::read::worklist::WorklistFilter { roles, ..Default::default() };
    let found = app.store.worklist(signed.staff.site, &filter).await.map_err(WebError::internal)?;
    let free = |row: &&crate::store::read::worklist::WorklistRow| {
        row.id != but && row.taken_by.as_ref().is_none_or(|(by, _)| *by == signed.staff.id)
    };
    Ok(found.rows.iter().find(free).map(|row| row.id))
}

async fn build(app: &App, signed: &Signed, task: TaskView) -> Result<TaskPage, WebError> {
    let (page, frame) = signed.page(&format!("/tasks/{}", task.id), "/worklist");
    let (w, t) = (frame.w, Worklist(signed.lang));
    let now = app.clock.now();
    let site = app.site(signed.staff.site);
    let zone = zone_named(&site.zone);
    let person = app.store.demographics(task.patient).await.map_err(WebError::internal)?;
    let contacts = app.store.contacts(task.patient).await.map_err(WebError::internal)?;
    let patient =
        app.store.patient(task.patient).await.map_err(WebError::internal)?.ok_or(WebError::NotFound)?;
    let clinical = signed.has_any(CLINICAL);
    let asks = if clinical { asks(app, signed, &patient.state, &task, ASKS_SHOWN) } else { Vec::new() };
    let notes = app.store.notes_of(task.patient).await.map_err(WebError::internal)?.remove(&task.id);
    let behind = if clinical {
        evidence::behind(app, signed, &patient.state, &task).await?
    } else {
        Behind::default()
    };
    let mine = task.taken_by.as_ref().is_some_and(|(by, _)| *by == signed.staff.id);
    let overdue = task.open && task.respond_by.is_some_and(|by| by <= now);
    Ok(TaskPage {
        id: task.id.to_string(),
        patient: task.patient.to_string(),
        name: person.as_ref().map_or_else(|| w.erased().to_owned(), |person| person.name.clone()),
        born: person.map_or_else(String::new, |person| person.birth_date.to_string()),
        title: v::text(signed.lang, &task.title).to_owned(),
        colour: v::level_colour(task.level),
        sign: v::level_sign(task.level),
        level: v::level(w, task.level),
        level_means: v::level_means(w, task.level),
        about: format!("{} · {} · {}", v::kind(w, task.kind), v::role(w, task.role), t.minutes(task.minutes)),
        due: due(t, &task, &zone, now),
        overdue,
        opened: v::instant(&zone, task.opened_at),
        reasons: task.because.iter().map(|text| v::text(signed.lang, text).to_owned()).collect(),
        source: source(t, &patient.state, &task),
        script: script(t, &task),
        emergency: clinical.then(|| t.script_emergency(&site.emergency_number)),
        phones: phones(contacts),
        carer: crate::web::words::Chart(signed.lang).carer(),
        asks,
        outcomes: outcomes(w, task.kind),
        notes: notes.unwrap_or_default().into_iter().map(|note| shown_note(&zone, note)).collect(),
        typed: Typed::default(),
        primary: mine || task.level > LevelId::Red,
        behind,
        mine,
        taken_by: task.taken_by.clone().filter(|(by, _)| *by != signed.staff.id).map(|(_, name)| name),
        closed: (!task.open).then(|| closed(w, t, &task)),
        notice: None,
        advice: Vec::new(),
        page,
        frame,
        t,
    })
}

fn due(t: Worklist, task: &TaskView, zone: &TimeZone, now: Timestamp) -> String {
    let short = |by| v::short_instant(t.0, zone, by, now);
    match task.respond_by {
        Some(by) if task.open && by <= now => t.overdue(short(by)),
        Some(by) => short(by),
        None => t.no_deadline().to_owned(),
    }
}

fn closed(w: crate::web::words::Staff, t: Worklist, task: &TaskView) -> String {
    match task.outcome.as_deref().and_then(v::outcome_of) {
        Some(code) => t.closed(v::outcome(w, code)),
        None => t.withdrawn().to_owned(),
    }
}

fn shown_note(zone: &TimeZone, note: crate::store::read::task::TaskNote) -> Note {
    Note { head: format!("{} · {}", v::instant(zone, note.written_at), note.written_by), words: note.words }
}

fn outcomes(w: crate::web::words::Staff, kind: TaskKind) -> Vec<Outcome> {
    let outcome = |code| Outcome { code: v::outcome_word(code), label: v::outcome(w, code) };
    v::outcomes_of(kind).into_iter().map(outcome).collect()
}

fn script(t: Worklist, task: &TaskView) -> &'static str {
    match task.kind {
        TaskKind::Visit | TaskKind::Examination | TaskKind::Review | TaskKind::Admin => t.script_visit(),
        TaskKind::Alert | TaskKind::Call if task.level == LevelId::Grey => t.script_silent(),
        TaskKind::Alert | TaskKind::Call => t.script_alert(),
    }
}

/// Which rule or step of which version it comes from.
fn source(t: Worklist, state: &PatientState, task: &TaskView) -> Option<String> {
    let enrollment = state.enrollments.get(&task.enrollment?)?;
    let version = enrollment.version.short();
    match (&task.plan.rule, &task.plan.about) {
        (Some(rule), _) => Some(t.rule(rule, version)),
        (None, Some(about)) => Some(t.step(&about.step, version)),
        (None, None) => None,
    }
}

fn phones(contacts: Vec<ContactRow>) -> Vec<Phone> {
    contacts
        .into_iter()
        .filter(|contact| contact.channel == Channel::Sms && !contact.address.is_empty())
        .map(|contact| Phone {
            dial: dial(&contact.address),
            carer: contact.owner == crate::store::read::person::Owner::Carer,
            number: contact.address,
        })
        .collect()
}

/// The questionnaires of a patient that can still be answered; the one that the task is about first.
pub fn asks(app: &App, signed: &Signed, state: &PatientState, task: &TaskView, max: usize) -> Vec<Ask> {
    let mut found = open_asks(app, signed, state, Some(task.id));
    if let Some(about) = &task.plan.about {
        let mark = format!("/{}/{}/{}/{}", about.enrollment, about.step, about.generation, about.ordinal);
        found.sort_by_key(|ask| !ask.href.contains(&mark));
    }
    found.truncate(max);
    found
}

/// The open questionnaires of a patient, the latest due first.
#[must_use]
pub fn open_asks(app: &App, signed: &Signed, state: &PatientState, task: Option<TaskId>) -> Vec<Ask> {
    let mut found = Vec::new();
    for (id, enrollment) in &state.enrollments {
        let Some(workflow) = app.version(&enrollment.version) else { continue };
        for (name, step) in &enrollment.steps {
            let Some(Does::Ask { questionnaire, .. }) = workflow.step(name).map(|step| step.does.clone())
            else {
                continue;
            };
            let title = workflow.questionnaires.get(&questionnaire).map(|q| v::text(signed.lang, &q.title));
            for open in step.open.iter().filter(|open| matches!(open.closed, None | Some(Closing::Silent))) {
                let about = Occurrence {
                    enrollment: *id,
                    step: name.clone(),
                    generation: open.generation,
                    ordinal: open.ordinal,
                };
                found.push((
                    open.day,
                    super::answer::href(&about, task),
                    title.unwrap_or_default().to_owned(),
                ));
            }
        }
    }
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(day, href, title)| Ask { href, title, day: day.to_string() }).collect()
}

/// An id out of an address.
///
/// # Errors
/// [`WebError::NotFound`].
pub fn task_id(text: &str) -> Result<TaskId, WebError> {
    TaskId::parse(text).map_err(|_| WebError::NotFound)
}
