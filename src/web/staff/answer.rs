//! A questionnaire on one page, typed by a nurse while the patient is on the phone.

use std::collections::BTreeMap;

use actix_web::{
    HttpResponse,
    web::{Data, Path, Query},
};
use askama::Template;
use serde::Deserialize;
use tend_engine::{
    Decimal, EnrollmentId, Name, PatientId, TaskId, Value,
    decide::flags,
    fact::{Answer, Mode, Occurrence},
    instrument::visible_items,
    model::{Does, Item, ItemKind, Questionnaire, Workflow},
    state::{EnrollmentState, PatientState},
};

use super::{CLINICAL, Frame, Signed, StaffForm, Typed, form, vocabulary as v};
use crate::{
    app::{App, zone_named},
    web::{
        Page, WebError,
        respond::{invalid, page, see_other},
        words::{Chart, Staff, Worklist},
    },
};

/// Which questionnaire of whom.
#[derive(Debug, Clone, Deserialize)]
pub struct Which {
    enrollment: String,
    step: String,
    generation: u32,
    ordinal: u32,
}

/// Where to go on afterwards.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct From {
    task: Option<String>,
}

/// An option of an item.
#[derive(Debug)]
struct Shown {
    name: String,
    label: String,
    hint: Option<String>,
    unit: Option<String>,
    kind: &'static str,
    options: Vec<(String, String)>,
    declinable: bool,
    conditional: bool,
    /// The value must be confirmed.
    doubt: bool,
}

#[derive(Debug, Template)]
#[template(path = "staff/task/answer.html")]
struct AnswerPage {
    page: Page,
    frame: Frame,
    t: Worklist,
    action: String,
    back: String,
    name: String,
    title: String,
    stem: Option<String>,
    credit: Option<String>,
    items: Vec<Shown>,
    typed: Typed,
}

/// What a handler needs to know of the questionnaire at hand.
struct AtHand {
    patient: PatientId,
    patient_name: String,
    about: Occurrence,
    workflow: std::sync::Arc<Workflow>,
    questionnaire: Name,
    enrollment: EnrollmentState,
    language: String,
    zone: String,
}

impl AtHand {
    fn asked(&self) -> Option<&Questionnaire> {
        self.workflow.questionnaires.get(&self.questionnaire)
    }
}

/// The address of the page of an occurrence.
#[must_use]
pub fn href(about: &Occurrence, task: Option<TaskId>) -> String {
    let query = task.map_or_else(String::new, |task| format!("?task={task}"));
    format!("/answers/{}/{}/{}/{}{query}", about.enrollment, about.step, about.generation, about.ordinal)
}

/// `GET /answers/{enrollment}/{step}/{generation}/{ordinal}`
///
/// # Errors
/// [`WebError`].
pub async fn show(
    app: Data<App>,
    signed: Signed,
    which: Path<Which>,
    from: Query<From>,
) -> Result<HttpResponse, WebError> {
    let at_hand = at_hand(&app, &signed, &which).await?;
    app.viewed(signed.staff.id, at_hand.patient, "questionnaire").await?;
    page(&build(&signed, &at_hand, &from, Typed::default())?)
}

/// `POST /answers/{enrollment}/{step}/{generation}/{ordinal}`
///
/// # Errors
/// [`WebError`].
pub async fn submit(
    app: Data<App>,
    signed: Signed,
    which: Path<Which>,
    from: Query<From>,
    form: StaffForm,
) -> Result<HttpResponse, WebError> {
    let at_hand = at_hand(&app, &signed, &which).await?;
    let questionnaire = at_hand.asked().ok_or(WebError::NotFound)?;
    let mut typed = form.typed();
    let (answers, words) = read(&signed, questionnaire, &at_hand.enrollment, &form, &mut typed);
    if !typed.good() {
        return invalid(&build(&signed, &at_hand, &from, typed)?);
    }
    let flagged = raised(&app, &at_hand, &answers);
    app.answer_by_phone(crate::app::task::PhoneAnswer {
        patient: at_hand.patient,
        about: at_hand.about.clone(),
        questionnaire: at_hand.questionnaire.clone(),
        questionnaire_version: questionnaire.version.clone(),
        language: at_hand.language.clone(),
        mode: Mode::NursePhone,
        answers,
        words,
        by: signed.staff.id,
    })
    .await?;
    let done = match from.task.as_deref().and_then(|id| TaskId::parse(id).ok()) {
        Some(task) => format!("/tasks/{task}?done=answers"),
        None => format!("/patients/{}?done=answers", at_hand.patient),
    };
    Ok(see_other(&if flagged.is_empty() { done } else { format!("{done}&flags={flagged}") }))
}

/// The red flags that the answers raise, as an address names them.
fn raised(app: &App, at_hand: &AtHand, answers: &BTreeMap<Name, Answer>) -> String {
    let today = app.clock.now().to_zoned_datetime(zone_named(&at_hand.zone)).date();
    let rules = flags(&at_hand.workflow, &at_hand.enrollment, &at_hand.questionnaire, answers, today);
    rules.iter().map(Name::as_str).collect::<Vec<_>>().join(",")
}

/// What the nurse tells a patient whose answers raised these red flags: the words that the patient would have seen.
#[must_use]
pub fn advice(app: &App, signed: &Signed, state: &PatientState, flags: Option<&str>) -> Vec<String> {
    let named: Vec<&str> = flags.map_or_else(Vec::new, |flags| flags.split(',').collect());
    let site = app.site(signed.staff.site);
    let filled = |name: &str| match name {
        "hospital" => Some(site.short_name.as_str().into()),
        "ward_phone" => Some(site.ward_phone.as_str().into()),
        "emergency_number" => Some(site.emergency_number.as_str().into()),
        "crisis_line" => Some(site.crisis_line.as_str().into()),
        _ => None,
    };
    let workflows = state.enrollments.values().filter_map(|enrollment| app.version(&enrollment.version));
    let mut told = Vec::new();
    for workflow in workflows {
        let rules = workflow.rules.iter().filter(|rule| named.contains(&rule.id.as_str()));
        for words in rules.filter_map(|rule| rule.advice.as_ref()) {
            let words = v::text(signed.lang, words);
            told.push(tend_engine::text::render(words, filled).unwrap_or_else(|_| words.to_owned()));
        }
    }
    told.dedup();
    told
}

/// Reads the form: answers of the items that are shown given the others, free text apart.
fn read(
    signed: &Signed,
    questionnaire: &Questionnaire,
    enrollment: &EnrollmentState,
    form: &StaffForm,
    typed: &mut Typed,
) -> (BTreeMap<Name, Answer>, BTreeMap<String, String>) {
    let (w, t) = (Staff(signed.lang), Worklist(signed.lang));
    let mut answers = BTreeMap::new();
    let mut words = BTreeMap::new();
    let mut bad = BTreeMap::new();
    for item in &questionnaire.items {
        let raw = form.get(item.id.as_str());
        if item.declinable && raw == DECLINED {
            answers.insert(item.id.clone(), Answer::Declined);
            continue;
        }
        if raw.is_empty() {
            continue;
        }
        let confirmed = form.ticked(&format!("sure-{}", item.id));
        let doubt = doubtful(item, enrollment, raw);
        match form::answer(w, raw, &item.kind, doubt && confirmed) {
            Ok(answer) => {
                if matches!(answer, Answer::Text) {
                    words.insert(item.id.to_string(), raw.to_owned());
                }
                if doubt && !confirmed {
                    bad.insert(item.id.clone(), t.doubtful().to_owned());
                }
                answers.insert(item.id.clone(), answer);
            }
            Err(sentence) => {
                bad.insert(item.id.clone(), sentence);
            }
        }
    }
    let shown: Vec<&Name> = visible_items(questionnaire, &answers).into_iter().map(|item| &item.id).collect();
    answers.retain(|id, _| shown.contains(&id));
    words.retain(|id, _| shown.iter().any(|name| name.as_str() == id));
    for (id, sentence) in bad.into_iter().filter(|(id, _)| shown.contains(&id)) {
        typed.wrong(id.as_str(), sentence);
    }
    if let Some(first) = questionnaire.items.first().filter(|_| answers.is_empty() && typed.good()) {
        typed.wrong(first.id.as_str(), w.err_missing());
    }
    (answers, words)
}

/// The value of "prefers not to say" in the form.
const DECLINED: &str = "-declined-";

/// Whether a number differs from the last one so much that it is asked again.
fn doubtful(item: &Item, enrollment: &EnrollmentState, raw: &str) -> bool {
    let ItemKind::Quantity { doubt: Some(doubt), .. } = &item.kind else { return false };
    let (Ok(value), Some((_, last))) =
        (Decimal::parse(raw), enrollment.series.get(&item.id).and_then(|series| series.last()))
    else {
        return false;
    };
    let differs = if value > *last { value - *last } else { *last - value };
    differs > doubt.differs_by
}

async fn at_hand(app: &App, signed: &Signed, which: &Which) -> Result<AtHand, WebError> {
    signed.needs(CLINICAL)?;
    let id = EnrollmentId::parse(&which.enrollment).map_err(|_| WebError::NotFound)?;
    let step = form::name(&which.step)?;
    let patient =
        app.store.patient_enrolled(id).await.map_err(WebError::internal)?.ok_or(WebError::NotFound)?;
    let row = app.store.patient(patient).await.map_err(WebError::internal)?.ok_or(WebError::NotFound)?;
    if row.site != signed.staff.site {
        return Err(WebError::NotFound);
    }
    let enrollment = row.state.enrollments.get(&id).cloned().ok_or(WebError::NotFound)?;
    let workflow = app.version(&enrollment.version).ok_or(WebError::NotFound)?;
    let Some(Does::Ask { questionnaire, .. }) = workflow.step(&step).map(|step| step.does.clone()) else {
        return Err(WebError::NotFound);
    };
    let open = enrollment.steps.get(&step).is_some_and(|state| {
        state.open.iter().any(|open| open.generation == which.generation && open.ordinal == which.ordinal)
    });
    if !open {
        return Err(WebError::NotFound);
    }
    let person = app.store.demographics(patient).await.map_err(WebError::internal)?;
    let about = Occurrence { enrollment: id, step, generation: which.generation, ordinal: which.ordinal };
    Ok(AtHand {
        patient,
        patient_name: person.map_or_else(String::new, |person| person.name),
        about,
        workflow,
        questionnaire,
        enrollment,
        language: row.state.language,
        zone: row.state.zone,
    })
}

fn build(signed: &Signed, at_hand: &AtHand, from: &From, typed: Typed) -> Result<AnswerPage, WebError> {
    let task = from.task.as_deref().and_then(|id| TaskId::parse(id).ok());
    let action = href(&at_hand.about, task);
    let (page, frame) = signed.page(action.split('?').next().unwrap_or_default(), "/worklist");
    let questionnaire = at_hand.asked().ok_or(WebError::NotFound)?;
    let say = |text| v::text(signed.lang, text).to_owned();
    let back = match task {
        Some(task) => format!("/tasks/{task}"),
        None => format!("/patients/{}", at_hand.patient),
    };
    Ok(AnswerPage {
        t: Worklist(signed.lang),
        name: at_hand.patient_name.clone(),
        title: say(&questionnaire.title),
        stem: questionnaire.stem.as_ref().map(say),
        credit: questionnaire.credit.clone(),
        items: questionnaire.items.iter().map(|item| shown(signed, item, &typed)).collect(),
        action,
        back,
        typed,
        page,
        frame,
    })
}

fn shown(signed: &Signed, item: &Item, typed: &Typed) -> Shown {
    let w = Staff(signed.lang);
    let say = |text| v::text(signed.lang, text).to_owned();
    let (kind, options, unit) = match &item.kind {
        ItemKind::Choice(options) => {
            let options = options.iter().map(|option| (option.id.to_string(), say(&option.label))).collect();
            ("options", options, None)
        }
        ItemKind::YesNo => {
            let options = vec![("yes".to_owned(), w.yes().to_owned()), ("no".to_owned(), w.no().to_owned())];
            ("options", options, None)
        }
        ItemKind::Whole { .. } => ("number", Vec::new(), None),
        ItemKind::Quantity { unit, .. } => ("number", Vec::new(), Some(unit.clone())),
        ItemKind::Text { .. } => ("text", Vec::new(), None),
    };
    Shown {
        name: item.id.to_string(),
        label: say(&item.ask),
        hint: item.hint.as_ref().map(say),
        unit,
        kind,
        options,
        declinable: item.declinable,
        conditional: item.only_if.is_some(),
        doubt: typed.error(item.id.as_str()) == Some(Worklist(signed.lang).doubtful()),
    }
}

/// A value for people, with the words of a choice.
#[must_use]
pub fn worded(signed: &Signed, item: Option<&Item>, answer: &Answer, text: Option<&str>) -> String {
    let w = Staff(signed.lang);
    match answer {
        Answer::Declined => Worklist(signed.lang).declined().to_owned(),
        Answer::Text => text.unwrap_or(w.erased()).to_owned(),
        Answer::Given { value, doubtful } => {
            let mut out = match (item.map(|item| &item.kind), value) {
                (Some(ItemKind::Choice(options)), Value::Choice(id)) => options
                    .iter()
                    .find(|option| option.id == *id)
                    .map_or_else(|| id.to_string(), |option| v::text(signed.lang, &option.label).to_owned()),
                (Some(ItemKind::Quantity { unit, .. }), value) => format!("{} {unit}", form::shown(w, value)),
                (_, value) => form::shown(w, value),
            };
            if *doubtful {
                out.push_str(&format!(" ({})", Chart(signed.lang).doubtful()));
            }
            out
        }
    }
}
