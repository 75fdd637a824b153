//! What a condition is worth for one patient at one moment. Pure and total: unknown is an answer, a panic is not.

use std::collections::BTreeMap;

use jiff::{civil::Date, tz::TimeZone};

use crate::{
    Decimal, Name, Value,
    calendar::{days_between, plus_days},
    fact::{Answer, OutcomeCode},
    instrument,
    model::{Compare, Expr, FactDef, ItemKind, LookBack, Questionnaire, Workflow},
    state::{AnchorState, Former, StepState, name_now},
};

/// The answer at hand: what the rule was triggered by, or a draft for branching and red flags.
#[derive(Debug, Clone, Copy)]
pub struct AnswerAtHand<'a> {
    /// The instrument.
    pub questionnaire: &'a Questionnaire,
    /// What was answered so far.
    pub answers: &'a BTreeMap<Name, Answer>,
}

/// Everything that a condition may look at. All borrowed; the parts of an enrollment's state fit as they are.
#[derive(Debug, Clone, Copy)]
pub struct Env<'a> {
    /// Definitions of facts, for their defaults.
    pub fact_defs: &'a [FactDef],
    /// Named conditions.
    pub define: &'a [(Name, Expr)],
    /// Facts by name.
    pub facts: &'a BTreeMap<Name, Value>,
    /// The answer at hand, if a rule on answers is looked at.
    pub answer: Option<AnswerAtHand<'a>>,
    /// Earlier numbers by item or total. Entries of `today` or later are never looked at, so it does not matter
    /// whether the answer at hand was folded in already.
    pub series: &'a BTreeMap<Name, Vec<(Date, Decimal)>>,
    /// Counters of steps.
    pub steps: &'a BTreeMap<Name, StepState>,
    /// Names that steps had in earlier versions: conditions of such a version use them.
    pub former: &'a BTreeMap<Name, Former>,
    /// Dates.
    pub anchors: &'a BTreeMap<Name, AnchorState>,
    /// The patient's civil day at which the condition is looked at; for an answer, the day it was given.
    pub today: Date,
    /// The patient's zone, in which instants fall on days.
    pub zone: &'a TimeZone,
}

/// For conditions that look at no instant.
pub(crate) static UTC: TimeZone = TimeZone::UTC;
static NO_FACTS: BTreeMap<Name, Value> = BTreeMap::new();
static NO_SERIES: BTreeMap<Name, Vec<(Date, Decimal)>> = BTreeMap::new();
static NO_STEPS: BTreeMap<Name, StepState> = BTreeMap::new();
pub(crate) static NO_FORMER: BTreeMap<Name, Former> = BTreeMap::new();
static NO_ANCHORS: BTreeMap<Name, AnchorState> = BTreeMap::new();

impl<'a> Env<'a> {
    /// Nothing is known but the workflow's own definitions. Fill in with struct update syntax.
    #[must_use]
    pub fn of_workflow(workflow: &'a Workflow, today: Date) -> Self {
        Self { fact_defs: &workflow.facts, define: &workflow.define, ..Self::blank(today) }
    }

    /// Only a questionnaire and its answers: branching and red flags.
    #[must_use]
    pub fn of_answers(questionnaire: &'a Questionnaire, answers: &'a BTreeMap<Name, Answer>) -> Self {
        Self { answer: Some(AnswerAtHand { questionnaire, answers }), ..Self::blank(Date::ZERO) }
    }

    /// Where a step stands, by the name that it has or had.
    fn step(&self, step: &Name) -> Option<&'a StepState> {
        self.steps.get(name_now(self.former, step))
    }

    fn blank(today: Date) -> Self {
        Self {
            fact_defs: &[],
            define: &[],
            facts: &NO_FACTS,
            answer: None,
            series: &NO_SERIES,
            steps: &NO_STEPS,
            former: &NO_FORMER,
            anchors: &NO_ANCHORS,
            today,
            zone: &UTC,
        }
    }
}

/// True only if the condition is known to hold: what fires a rule.
#[must_use]
pub fn holds(condition: &Expr, env: &Env<'_>) -> bool {
    worth(condition, env) == Some(Worth::Bool(true))
}

/// The value of an expression; `None` is unknown.
#[must_use]
pub fn eval(expr: &Expr, env: &Env<'_>) -> Option<Value> {
    worth(expr, env).map(|worth| match worth {
        Worth::Bool(yes) => Value::Bool(yes),
        Worth::Number(number) => Value::Number(number),
        Worth::Choice(choice) => Value::Choice(Name::known(choice)),
        Worth::Date(date) => Value::Date(date),
    })
}

/// A value that is only looked at: nothing is cloned or counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Worth<'a> {
    Bool(bool),
    Number(Decimal),
    Choice(&'a str),
    Date(Date),
}

impl<'a> From<&'a Value> for Worth<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Bool(yes) => Self::Bool(*yes),
            Value::Number(number) => Self::Number(*number),
            Value::Choice(choice) => Self::Choice(choice.as_str()),
            Value::Date(date) => Self::Date(*date),
        }
    }
}

fn worth<'a>(expr: &'a Expr, env: &Env<'a>) -> Option<Worth<'a>> {
    match expr {
        Expr::Literal(value) => Some(value.into()),
        Expr::Fact(name) => fact(name, env),
        Expr::Item(name) => given(name, env).map(|(value, _)| value.into()),
        Expr::Points(name) => points(name, env).map(Worth::Number),
        Expr::Score(name) => total(name, env).map(Worth::Number),
        Expr::Band(name) => band(name, env).map(Worth::Choice),
        Expr::Defined(name) => env.define.iter().find(|(id, _)| id == name).and_then(|(_, e)| worth(e, env)),
        Expr::Earlier { what, of, days } => earlier(*what, of, *days, env).map(Worth::Number),
        Expr::Times { of, how, with, days } => count(times(of, *how, *with, *days, env)),
        Expr::DaysSince(anchor) => days_since(anchor, env),
        Expr::SilentInARow(step) => count(env.step(step).map_or(0, |s| u64::from(s.silent_in_a_row))),
        Expr::SilentWithin { step, days } => count(silent_within(step, *days, env)),
        Expr::AnswerCount(step) => count(env.step(step).map_or(0, |s| u64::from(s.answers))),
        Expr::DoneWithin { step, days } => Some(Worth::Bool(done_within(step, *days, env))),
        Expr::Outcome(step) => {
            env.step(step).and_then(|s| s.outcome).map(|code| Worth::Choice(outcome_word(code)))
        }
        Expr::Known(inner) => Some(Worth::Bool(worth(inner, env).is_some())),
        Expr::Doubtful(name) => env.answer.map(|_| Worth::Bool(matches!(given(name, env), Some((_, true))))),
        Expr::Declined(name) => {
            env.answer.map(|at_hand| Worth::Bool(matches!(at_hand.answers.get(name), Some(Answer::Declined))))
        }
        Expr::Add(left, right) => arithmetic(left, right, env, |a, b| a + b),
        Expr::Subtract(left, right) => arithmetic(left, right, env, |a, b| a - b),
        Expr::Share(percent, inner) => match worth(inner, env)? {
            Worth::Number(number) => Some(Worth::Number(number.percent(*percent))),
            Worth::Bool(_) | Worth::Choice(_) | Worth::Date(_) => None,
        },
        Expr::Compare(how, left, right) => compare(*how, worth(left, env)?, worth(right, env)?),
        Expr::In(inner, list) => {
            worth(inner, env).map(|value| Worth::Bool(list.iter().any(|one| Worth::from(one) == value)))
        }
        Expr::And(parts) => kleene(parts, env, false),
        Expr::Or(parts) => kleene(parts, env, true),
        Expr::Not(inner) => match worth(inner, env)? {
            Worth::Bool(value) => Some(Worth::Bool(!value)),
            Worth::Number(_) | Worth::Choice(_) | Worth::Date(_) => None,
        },
    }
}

/// The name by which conditions and files know an outcome code.
#[must_use]
pub fn outcome_name(code: OutcomeCode) -> Name {
    Name::constant(outcome_word(code))
}

fn outcome_word(code: OutcomeCode) -> &'static str {
    match code {
        OutcomeCode::Done => "done",
        OutcomeCode::DidNotCome => "did_not_come",
        OutcomeCode::Refused => "refused",
        OutcomeCode::CalledAdvice => "called_advice",
        OutcomeCode::MedicineChanged => "medicine_changed",
        OutcomeCode::VisitBooked => "visit_booked",
        OutcomeCode::SentToEmergency => "sent_to_emergency",
        OutcomeCode::NoAction => "no_action",
        OutcomeCode::FalseAlarm => "false_alarm",
        OutcomeCode::CouldNotReach => "could_not_reach",
    }
}

/// Every outcome code.
pub const OUTCOME_CODES: [OutcomeCode; 10] = [
    OutcomeCode::Done,
    OutcomeCode::DidNotCome,
    OutcomeCode::Refused,
    OutcomeCode::CalledAdvice,
    OutcomeCode::MedicineChanged,
    OutcomeCode::VisitBooked,
    OutcomeCode::SentToEmergency,
    OutcomeCode::NoAction,
    OutcomeCode::FalseAlarm,
    OutcomeCode::CouldNotReach,
];

fn fact<'a>(name: &Name, env: &Env<'a>) -> Option<Worth<'a>> {
    let default = || env.fact_defs.iter().find(|def| def.id == *name).and_then(|def| def.default.as_ref());
    env.facts.get(name).or_else(default).map(Worth::from)
}

fn given<'a>(name: &Name, env: &Env<'a>) -> Option<(&'a Value, bool)> {
    match env.answer?.answers.get(name)? {
        Answer::Given { value, doubtful } => Some((value, *doubtful)),
        Answer::Declined | Answer::Text => None,
    }
}

fn points(name: &Name, env: &Env<'_>) -> Option<Decimal> {
    let at_hand = env.answer?;
    let item = at_hand.questionnaire.items.iter().find(|item| item.id == *name)?;
    instrument::points(item, at_hand.answers.get(name)?)
}

fn total(name: &Name, env: &Env<'_>) -> Option<Decimal> {
    let at_hand = env.answer?;
    let def = at_hand.questionnaire.scores.iter().find(|score| score.id == *name)?;
    instrument::score(def, at_hand.questionnaire, at_hand.answers).total
}

fn band<'a>(name: &Name, env: &Env<'a>) -> Option<&'a str> {
    let def = env.answer?.questionnaire.scores.iter().find(|score| score.id == *name)?;
    instrument::band(def, total(name, env)?).map(|band| band.id.as_str())
}

/// The series is in order of its days, so the days looked back at are one stretch of it.
fn earlier(what: LookBack, of: &Name, days: u32, env: &Env<'_>) -> Option<Decimal> {
    let series = env.series.get(of)?;
    let first = plus_days(env.today, -i64::from(days));
    let from = series.partition_point(|(day, _)| *day < first);
    let to = series.partition_point(|(day, _)| *day < env.today);
    let mut values = series.get(from..to)?.iter().map(|(_, value)| *value);
    match what {
        LookBack::Lowest => values.min(),
        LookBack::Highest => values.max(),
        LookBack::Previous => values.next_back(),
    }
}

fn times(of: &Name, how: Compare, with: Decimal, days: u32, env: &Env<'_>) -> u64 {
    let within = |day: Date| (1..=i64::from(days)).contains(&days_between(day, env.today));
    let fits = |value: Decimal| ordered(how, value.cmp(&with));
    let earlier = env.series.get(of).map(Vec::as_slice).unwrap_or_default();
    earlier.iter().filter(|(day, value)| within(*day) && fits(*value)).count() as u64
}

fn done_within(step: &Name, days: u32, env: &Env<'_>) -> bool {
    let recent = |at: jiff::Timestamp| {
        let ago = days_between(crate::calendar::day_of(env.zone, at), env.today);
        (0..=i64::from(days)).contains(&ago)
    };
    env.step(step).is_some_and(|state| state.done.iter().any(|done| recent(done.at)))
}

fn days_since<'a>(anchor: &Name, env: &Env<'a>) -> Option<Worth<'a>> {
    let date = env.anchors.get(anchor)?.date;
    Some(Worth::Number(Decimal::whole(days_between(date, env.today))))
}

fn silent_within(step: &Name, days: u32, env: &Env<'_>) -> u64 {
    let first = plus_days(env.today, -i64::from(days));
    let recent = |day: &&Date| first <= **day && **day <= env.today;
    env.step(step).map_or(0, |s| s.silent_days.iter().filter(recent).count() as u64)
}

fn count<'a>(n: u64) -> Option<Worth<'a>> {
    Some(Worth::Number(Decimal::whole(i64::try_from(n).unwrap_or(i64::MAX))))
}

fn arithmetic<'a>(
    left: &'a Expr,
    right: &'a Expr,
    env: &Env<'a>,
    apply: impl Fn(Decimal, Decimal) -> Decimal,
) -> Option<Worth<'a>> {
    match (worth(left, env)?, worth(right, env)?) {
        (Worth::Number(a), Worth::Number(b)) => Some(Worth::Number(apply(a, b))),
        _ => None,
    }
}

fn compare<'a>(how: Compare, left: Worth<'_>, right: Worth<'_>) -> Option<Worth<'a>> {
    let order = match (left, right) {
        (Worth::Number(a), Worth::Number(b)) => a.cmp(&b),
        (Worth::Date(a), Worth::Date(b)) => a.cmp(&b),
        (Worth::Bool(a), Worth::Bool(b)) => a.cmp(&b),
        (Worth::Choice(a), Worth::Choice(b)) => a.cmp(b),
        _ => return None,
    };
    Some(Worth::Bool(ordered(how, order)))
}

fn ordered(how: Compare, order: std::cmp::Ordering) -> bool {
    match how {
        Compare::Equal => order.is_eq(),
        Compare::NotEqual => order.is_ne(),
        Compare::Less => order.is_lt(),
        Compare::AtMost => order.is_le(),
        Compare::More => order.is_gt(),
        Compare::AtLeast => order.is_ge(),
    }
}

/// Kleene and (`decisive` false) or or (`decisive` true): one decisive part decides, else one unknown leaves it unknown.
fn kleene<'a>(parts: &'a [Expr], env: &Env<'a>, decisive: bool) -> Option<Worth<'a>> {
    let mut unknown = false;
    for part in parts {
        match worth(part, env) {
            Some(Worth::Bool(value)) if value == decisive => return Some(Worth::Bool(decisive)),
            Some(Worth::Bool(_)) => {}
            Some(Worth::Number(_) | Worth::Choice(_) | Worth::Date(_)) | None => unknown = true,
        }
    }
    if unknown { None } else { Some(Worth::Bool(!decisive)) }
}

/// What an answered questionnaire adds to the series that look-backs read: numbers as they are, choices by their
/// points, yes as 1 and no as 0, totals by their value. Doubtful and declined answers add nothing.
#[must_use]
pub fn series_of(questionnaire: &Questionnaire, answers: &BTreeMap<Name, Answer>) -> Vec<(Name, Decimal)> {
    let mut values = Vec::new();
    for item in &questionnaire.items {
        match answers.get(&item.id) {
            Some(answer @ Answer::Given { doubtful: false, .. }) => {
                let worth = match (&item.kind, instrument::points(item, answer)) {
                    (ItemKind::Text { .. }, _) => None,
                    (_, worth) => worth,
                };
                values.extend(worth.map(|worth| (item.id.clone(), worth)));
            }
            Some(Answer::Given { doubtful: true, .. } | Answer::Declined | Answer::Text) | None => {}
        }
    }
    for def in &questionnaire.scores {
        let total = instrument::score(def, questionnaire, answers).total;
        values.extend(total.map(|total| (def.id.clone(), total)));
    }
    values
}
