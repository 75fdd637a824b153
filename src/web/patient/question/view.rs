//! How a question, and a doubtful number, are shown.

use askama::Template;
use tend_engine::{
    Decimal, Value,
    fact::Answer,
    model::{Item, ItemKind, Option_},
};

use super::{AnswerForm, CameFrom, find};
use crate::{
    app::{
        form::{Part, Question, Typed},
        reading::{DECLINED, Mistake},
    },
    web::{
        Contact, Lang, Page,
        patient::{
            say::{self, Said, say},
            session::Guest,
        },
        words,
    },
};

/// The page.
#[derive(Debug, Template)]
#[template(path = "patient/question.html")]
pub struct QuestionPage {
    /// Its frame.
    pub page: Page,
    /// Whom to call.
    pub contact: Contact,
    /// Where the form goes.
    pub action: String,
    /// Token of the form.
    pub csrf: String,
    /// The question before.
    pub back: Option<String>,
    /// How far one has come.
    pub progress: String,
    /// The questionnaire's neutral heading.
    pub heading: Said,
    /// Said above its questions.
    pub stem: Option<Said>,
    /// The question.
    pub ask: Said,
    /// Help under it.
    pub hint: Option<Said>,
    /// What is wrong with what was typed.
    pub error: Option<String>,
    /// How it is answered.
    pub control: Control,
    /// It may stay empty.
    pub optional: bool,
    /// "Prefer not to say" is offered beside the field, and chosen or not.
    pub declined: Option<bool>,
    /// The window has closed.
    pub late: bool,
    /// Credit line of the instrument.
    pub credit: Option<String>,
}

/// How a question is answered.
#[derive(Debug)]
pub enum Control {
    /// One row per option.
    Options(Vec<OptionRow>),
    /// A number.
    Number {
        /// What was typed.
        value: String,
        /// Units to choose from; one alone is only shown.
        units: Vec<OptionRow>,
        /// Digits only.
        whole: bool,
    },
    /// Words.
    Text {
        /// What was typed.
        value: String,
        /// Most characters.
        max: u32,
    },
}

/// A row to choose.
#[derive(Debug)]
pub struct OptionRow {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: Said,
    /// Chosen before.
    pub checked: bool,
}

impl OptionRow {
    /// "Prefer not to say".
    #[must_use]
    pub fn declines(&self) -> bool {
        self.value == DECLINED
    }
}

/// The page that asks an implausible number again.
#[derive(Debug, Template)]
#[template(path = "patient/doubt.html")]
pub struct DoubtPage {
    /// Its frame.
    pub page: Page,
    /// Whom to call.
    pub contact: Contact,
    /// Where the form goes.
    pub action: String,
    /// Token of the form.
    pub csrf: String,
    /// The question.
    pub ask: Said,
    /// The number with its unit.
    pub value: String,
    /// The number before with its unit.
    pub last: String,
    /// The number as it was typed.
    pub number: String,
    /// The unit that was chosen.
    pub unit: String,
    /// The unit in which the same digits would fit, and the number with it.
    pub other: Option<(String, String)>,
}

/// The page of a question; none when it is not asked as the answers stand.
pub fn question(
    guest: &Guest,
    part: usize,
    item: &str,
    from: &CameFrom,
    wrong: Option<(&Mistake, &AnswerForm)>,
) -> Option<QuestionPage> {
    let questions = guest.visit.form.questions();
    let at = questions.iter().position(|question| question.part == part && question.item.id == *item)?;
    let Question { item, .. } = *questions.get(at)?;
    let this = guest.visit.form.parts.get(part)?;
    let instrument = this.instrument()?;
    let languages = guest.languages();
    let said = |text| say(text, &languages, &guest.contact);
    let path = format!("/q/{part}/{}", item.id);
    let typed = wrong.map(|(_, form)| form);
    Some(QuestionPage {
        page: guest.page(&path),
        contact: guest.contact.clone(),
        action: format!("/c/{}{path}{}", guest.token, from.suffix()),
        csrf: guest.csrf.clone(),
        back: back(guest, from, at.checked_sub(1).and_then(|before| questions.get(before))),
        progress: guest.words().question_of(at + 1, questions.len()),
        heading: said(&instrument.heading),
        stem: instrument.stem.as_ref().map(said),
        ask: said(&item.ask),
        hint: item.hint.as_ref().map(said),
        error: wrong.map(|(mistake, _)| in_words(mistake, guest.lang)),
        control: control(guest, this, item, typed),
        optional: item.optional,
        declined: declined_beside(this, item, typed),
        late: this.late && at == 0,
        credit: instrument.credit.clone(),
    })
}

fn back(guest: &Guest, from: &CameFrom, before: Option<&Question<'_>>) -> Option<String> {
    if from.is_check() {
        return Some(format!("/c/{}/check", guest.token));
    }
    before.map(|question| format!("/c/{}/q/{}/{}", guest.token, question.part, question.item.id))
}

/// Among options "prefer not to say" is one more row; beside a field it is a box of its own.
fn declined_beside(part: &Part, item: &Item, typed: Option<&AnswerForm>) -> Option<bool> {
    let beside = match item.kind {
        ItemKind::Choice(_) | ItemKind::YesNo => false,
        ItemKind::Whole { .. } | ItemKind::Quantity { .. } | ItemKind::Text { .. } => item.declinable,
    };
    let kept = || matches!(part.draft.answers.get(&item.id), Some(Answer::Declined));
    beside.then(|| typed.map_or_else(kept, |form| form.declined == "1"))
}

fn control(guest: &Guest, part: &Part, item: &Item, typed: Option<&AnswerForm>) -> Control {
    let own = |words: &str| Said { words: words.to_owned(), tag: guest.lang.tag().to_owned() };
    match &item.kind {
        ItemKind::Choice(options) => Control::Options(choices(guest, part, item, options)),
        ItemKind::YesNo => Control::Options(yes_no(guest, part, item)),
        ItemKind::Whole { .. } => {
            Control::Number { value: number(part, item, typed).0, units: Vec::new(), whole: true }
        }
        ItemKind::Quantity { unit, other_units, .. } => {
            let (value, chosen) = number(part, item, typed);
            let has = |name: &&String| *name == unit || other_units.iter().any(|(other, _)| other == *name);
            let habit = || guest.units.get(item.id.as_str()).filter(has).unwrap_or(unit).clone();
            let chosen = if chosen.is_empty() { habit() } else { chosen };
            let row = |name: &String| OptionRow {
                value: name.clone(),
                label: own(&say::unit_name(name, guest.lang)),
                checked: *name == chosen,
            };
            let units =
                std::iter::once(unit).chain(other_units.iter().map(|(name, _)| name)).map(row).collect();
            Control::Number { value, units, whole: false }
        }
        ItemKind::Text { max_chars } => {
            let kept = || part.draft.text.get(item.id.as_str()).cloned().unwrap_or_default();
            Control::Text { value: typed.map_or_else(kept, |form| form.answer.clone()), max: *max_chars }
        }
    }
}

fn choices(guest: &Guest, part: &Part, item: &Item, options: &[Option_]) -> Vec<OptionRow> {
    let before = part.draft.answers.get(&item.id);
    let chosen = |option: &Option_| matches!(before, Some(Answer::Given { value: Value::Choice(id), .. }) if *id == option.id);
    let row = |option: &Option_| OptionRow {
        value: option.id.to_string(),
        label: say(&option.label, &guest.languages(), &guest.contact),
        checked: chosen(option),
    };
    with_declined(guest, options.iter().map(row).collect(), item, before)
}

fn yes_no(guest: &Guest, part: &Part, item: &Item) -> Vec<OptionRow> {
    let before = part.draft.answers.get(&item.id);
    let w = guest.words();
    let row = |value: &str, label: &str, yes: bool| OptionRow {
        value: value.to_owned(),
        label: Said { words: label.to_owned(), tag: guest.lang.tag().to_owned() },
        checked: matches!(before, Some(Answer::Given { value: Value::Bool(was), .. }) if *was == yes),
    };
    let rows = vec![row("yes", w.yes(), true), row("no", w.no(), false)];
    with_declined(guest, rows, item, before)
}

fn with_declined(
    guest: &Guest,
    mut rows: Vec<OptionRow>,
    item: &Item,
    before: Option<&Answer>,
) -> Vec<OptionRow> {
    if item.declinable {
        let label = Said { words: guest.words().declined().to_owned(), tag: guest.lang.tag().to_owned() };
        let checked = matches!(before, Some(Answer::Declined));
        rows.push(OptionRow { value: DECLINED.to_owned(), label, checked });
    }
    rows
}

/// What was typed just now, else what is kept: digits and unit.
fn number(part: &Part, item: &Item, typed: Option<&AnswerForm>) -> (String, String) {
    let kept = || part.draft.typed.get(&item.id).map(|typed| (typed.number.clone(), typed.unit.clone()));
    typed.map(|form| (form.answer.clone(), form.unit.clone())).or_else(kept).unwrap_or_default()
}

fn in_words(mistake: &Mistake, lang: Lang) -> String {
    let w = words::Patient(lang);
    match mistake {
        Mistake::ChooseOne => w.choose_one().to_owned(),
        Mistake::EnterNumber => w.enter_number().to_owned(),
        Mistake::EnterWhole => w.enter_whole().to_owned(),
        Mistake::OutOfRange { min, max, unit } if unit.is_empty() => w.out_of_count(min, max),
        Mistake::OutOfRange { min, max, unit } => w.out_of_range(min, max, say::unit_name(unit, lang)),
        Mistake::EnterText => w.enter_text().to_owned(),
        Mistake::TooLong(max) => w.too_long(max),
        Mistake::UnknownUnit => w.unit_unknown().to_owned(),
    }
}

/// The page that asks an implausible number again.
pub fn doubt(
    guest: &Guest,
    part: usize,
    item: &str,
    from: &CameFrom,
    (value, last, typed, other): (Decimal, Decimal, Typed, Option<Typed>),
) -> Option<DoubtPage> {
    let questions = guest.visit.form.questions();
    let Question { item, .. } = find(&questions, part, item)?;
    let ItemKind::Quantity { unit, .. } = &item.kind else { return None };
    let path = format!("/q/{part}/{}", item.id);
    let plain = |typed: &Typed| format!("{} {}", typed.number, say::unit_name(&typed.unit, guest.lang));
    Some(DoubtPage {
        page: guest.page(&path),
        contact: guest.contact.clone(),
        action: format!("/c/{}{path}{}", guest.token, from.suffix()),
        csrf: guest.csrf.clone(),
        ask: say(&item.ask, &guest.languages(), &guest.contact),
        value: match &other {
            Some(_) => plain(&typed),
            None => say::quantity(value, unit, Some(&typed), guest.lang),
        },
        other: other.map(|other| (other.unit.clone(), plain(&other))),
        last: say::quantity(last, unit, None, guest.lang),
        number: typed.number,
        unit: typed.unit,
    })
}
