//! The answers behind a task: what was answered when its rule fired, the value before, and the fact that the rule compares
//! it with. A bare limit tells a nurse nothing.

use std::collections::BTreeMap;

use jiff::{civil::Date, tz::TimeZone};
use tend_engine::{
    Decimal, Name, Value,
    fact::{Answer, Entry, Fact},
    model::{Expr, FactKind, Item, ItemKind, LookBack, Questionnaire, Rule, Workflow},
    state::{EnrollmentState, PatientState},
};

use super::{Signed, answer::worded, vocabulary as v};
use crate::{
    app::{App, zone_named},
    store::read::{patient::HistoryLine, task::TaskView},
    web::{WebError, words::Worklist},
};

/// Entries after the answer among which what was decided about it is looked for.
const ENTRIES_AFTER: u64 = 60;
/// Answers among which the one before is looked for.
const ANSWERS_BEFORE: u64 = 30;

/// What is behind a task.
#[derive(Debug, Default)]
pub struct Behind {
    /// A line for each answer that its rules look at.
    pub answers: Vec<String>,
    /// The entry of the history that tells why.
    pub entry: Option<u64>,
}

/// What is behind a task, as far as an answer is.
///
/// # Errors
/// [`WebError::Internal`].
pub async fn behind(
    app: &App,
    signed: &Signed,
    state: &PatientState,
    task: &TaskView,
) -> Result<Behind, WebError> {
    let Some(cause) = task.plan.cause else { return Ok(Behind::default()) };
    let before = Some(cause.saturating_add(ENTRIES_AFTER));
    let found = app.store.history_before(task.patient, before, ENTRIES_AFTER).await?;
    let of = |seq: u64| found.iter().find(|line| line.entry.seq == seq).map(|line| &line.entry);
    let opened = |entry: &Entry| matches!(&entry.fact, Fact::TaskOpened(plan) if plan.key == task.key);
    let entry = found.iter().find(|line| opened(&line.entry)).map_or(cause, |line| line.entry.seq);
    let mut behind = Behind { answers: Vec::new(), entry: Some(entry) };
    let enrollment = task.enrollment.and_then(|id| state.enrollments.get(&id));
    // A red flag on a draft is followed by the whole form, whose rules added their reasons to the same task.
    let sent = |flag: &Entry| {
        let Fact::Flagged { about: flagged, .. } = &flag.fact else { return None };
        found.iter().map(|line| &line.entry).find(
            |entry| matches!(&entry.fact, Fact::Answered { about, .. } if about == flagged && entry.seq > flag.seq),
        )
    };
    let entry = of(cause).map(|entry| sent(entry).unwrap_or(entry));
    let Some((enrollment, entry)) = enrollment.zip(entry) else { return Ok(behind) };
    let (Fact::Answered { questionnaire, answers, .. } | Fact::Flagged { questionnaire, answers, .. }) =
        &entry.fact
    else {
        return Ok(behind);
    };
    let Some(workflow) = app.version(&enrollment.version) else { return Ok(behind) };
    let Some(asked) = workflow.questionnaires.get(questionnaire) else { return Ok(behind) };
    let earlier = app.store.answers_of(task.patient, ANSWERS_BEFORE).await?;
    let mut looked_at = LookedAt::default();
    for rule in workflow.rules.iter().filter(|rule| fired(task, &found, &[cause, entry.seq], rule)) {
        looked_at.rule(&workflow, rule, task);
    }
    let site = app.site(task.site);
    let zone = zone_named(if state.zone.is_empty() { &site.zone } else { &state.zone });
    let teller =
        Teller { signed, zone: &zone, enrollment, asked, workflow: &workflow, entry, earlier: &earlier };
    behind.answers = looked_at
        .items
        .iter()
        .filter_map(|(name, days)| {
            let item = asked.items.iter().find(|item| item.id == *name)?;
            Some(teller.line(item, answers.get(name)?, *days, &looked_at.facts))
        })
        .collect();
    Ok(behind)
}

/// Whether the rule fired for the answer: as recorded, or it is the task's own.
fn fired(task: &TaskView, found: &[HistoryLine], causes: &[u64], rule: &Rule) -> bool {
    let recorded = found.iter().any(|line| {
        matches!(&line.entry.fact, Fact::Judged { seq, fired, .. } if causes.contains(seq) && fired.contains(&rule.id))
    });
    recorded || task.plan.rule.as_ref() == Some(&rule.id)
}

/// What the conditions that were true look at, in their order.
#[derive(Default)]
struct LookedAt {
    /// Items, with how far back their earlier values were looked at, and at which.
    items: Vec<(Name, Option<(LookBack, u32)>)>,
    /// Facts.
    facts: Vec<Name>,
}

impl LookedAt {
    /// The alternatives whose words stand on the task, else all of them.
    fn rule(&mut self, workflow: &Workflow, rule: &Rule, task: &TaskView) {
        let said = |words: &str| {
            let fixed = words.split('{').next().unwrap_or_default().to_owned();
            task.because.iter().any(|text| text.0.values().any(|reason| reason.starts_with(&fixed)))
        };
        let holds = |text: &tend_engine::model::Text| text.0.values().any(|words| said(words));
        let any = rule.alternatives.iter().any(|one| holds(&one.because));
        for one in rule.alternatives.iter().filter(|one| !any || holds(&one.because)) {
            self.expr(workflow, &one.when);
        }
    }

    fn item(&mut self, name: &Name, back: Option<(LookBack, u32)>) {
        match self.items.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = known.or(back),
            None => self.items.push((name.clone(), back)),
        }
    }

    fn expr(&mut self, workflow: &Workflow, expr: &Expr) {
        match expr {
            Expr::Item(name) | Expr::Points(name) | Expr::Declined(name) => self.item(name, None),
            Expr::Earlier { what, of, days } => self.item(of, Some((*what, *days))),
            Expr::Times { of, .. } => self.item(of, None),
            Expr::Fact(name) => {
                if !self.facts.contains(name) {
                    self.facts.push(name.clone());
                }
            }
            Expr::Defined(name) => {
                if let Some((_, inner)) = workflow.define.iter().find(|(id, _)| id == name) {
                    self.expr(workflow, inner);
                }
            }
            Expr::Known(inner) | Expr::Share(_, inner) | Expr::In(inner, _) | Expr::Not(inner) => {
                self.expr(workflow, inner);
            }
            Expr::Add(one, other) | Expr::Subtract(one, other) | Expr::Compare(_, one, other) => {
                self.expr(workflow, one);
                self.expr(workflow, other);
            }
            Expr::And(all) | Expr::Or(all) => all.iter().for_each(|inner| self.expr(workflow, inner)),
            Expr::Literal(_)
            | Expr::Score(_)
            | Expr::Band(_)
            | Expr::DaysSince(_)
            | Expr::SilentInARow(_)
            | Expr::SilentWithin { .. }
            | Expr::AnswerCount(_)
            | Expr::DoneWithin { .. }
            | Expr::Outcome(_)
            | Expr::Doubtful(_) => {}
        }
    }
}

struct Teller<'a> {
    signed: &'a Signed,
    zone: &'a TimeZone,
    enrollment: &'a EnrollmentState,
    asked: &'a Questionnaire,
    workflow: &'a Workflow,
    entry: &'a Entry,
    earlier: &'a [HistoryLine],
}

impl Teller<'_> {
    fn day(&self) -> Date {
        self.zone.to_datetime(self.entry.occurred_at).date()
    }

    fn said(&self, day: Date) -> String {
        v::day(self.signed.lang, day, self.day())
    }

    fn line(&self, item: &Item, answer: &Answer, back: Option<(LookBack, u32)>, facts: &[Name]) -> String {
        let t = Worklist(self.signed.lang);
        let value = worded(self.signed, Some(item), answer, None);
        let mut parts =
            vec![t.answer_now(v::text(self.signed.lang, &item.ask), value, self.said(self.day()))];
        match (answer, &item.kind) {
            (Answer::Given { value: Value::Number(value), .. }, ItemKind::Quantity { unit, .. }) => {
                parts.extend(self.change(item, *value, unit, back));
                parts.extend(facts.iter().filter_map(|name| self.fact(name, *value, unit)));
            }
            _ => parts.extend(self.before(item)),
        }
        parts.join("; ")
    }

    /// How far the number went, and from where: from the value that the rule compares it with, else from the one before.
    fn change(
        &self,
        item: &Item,
        value: Decimal,
        unit: &str,
        back: Option<(LookBack, u32)>,
    ) -> Option<String> {
        let t = Worklist(self.signed.lang);
        let today = self.day();
        let series = self.enrollment.series.get(&item.id)?;
        let mut earlier = series.iter().filter(|(day, _)| *day < today);
        let (day, from) = match back {
            Some((what, days)) => {
                let mut within = earlier
                    .filter(|(day, _)| (today - *day).get_days() <= i32::try_from(days).unwrap_or(i32::MAX));
                match what {
                    LookBack::Lowest => within.min_by_key(|(_, value)| *value),
                    LookBack::Highest => within.max_by_key(|(_, value)| *value),
                    LookBack::Previous => within.next_back(),
                }
            }
            None => earlier.next_back(),
        }?;
        let days = (today - *day).get_days();
        let (from_words, to_words) =
            (format!("{from} {unit}, {}", self.said(*day)), format!("{value} {unit}, {}", self.said(today)));
        Some(t.answer_change(signed_number(value, *from, unit), days, from_words, to_words))
    }

    /// A number of the enrollment in the same unit, and how far the answer is from it.
    fn fact(&self, name: &Name, value: Decimal, unit: &str) -> Option<String> {
        let def = self.workflow.facts.iter().find(|fact| fact.id == *name)?;
        let FactKind::Quantity { unit: own, .. } = &def.kind else { return None };
        let Some(Value::Number(known)) = self.enrollment.facts.get(name) else { return None };
        // A limit that is a fact is a number of the same unit, and far smaller than what is measured.
        if own != unit || known.times(Decimal::whole(2)) < value {
            return None;
        }
        let label = v::text(self.signed.lang, &def.label);
        let change = signed_number(value, *known, unit);
        Some(Worklist(self.signed.lang).answer_than(label, format!("{known} {unit}"), change))
    }

    /// What was answered to the same question the time before.
    fn before(&self, item: &Item) -> Option<String> {
        let earlier = self.earlier.iter().filter(|line| line.entry.seq < self.entry.seq);
        let mut same = earlier.filter_map(|line| match &line.entry.fact {
            Fact::Answered { about, questionnaire, answers, .. }
                if *questionnaire == self.asked.id && !self.is_about(about) =>
            {
                Some((line, answers.get(&item.id)?))
            }
            _ => None,
        });
        let (line, answer) = same.next()?;
        let day = self.zone.to_datetime(line.entry.occurred_at).date();
        let text: &BTreeMap<String, String> = &line.words;
        let value = worded(self.signed, Some(item), answer, text.get(item.id.as_str()).map(String::as_str));
        Some(Worklist(self.signed.lang).answer_before(value, self.said(day)))
    }

    fn is_about(&self, other: &tend_engine::fact::Occurrence) -> bool {
        matches!(&self.entry.fact, Fact::Answered { about, .. } | Fact::Flagged { about, .. } if about == other)
    }
}

fn signed_number(value: Decimal, from: Decimal, unit: &str) -> String {
    if value < from { format!("−{} {unit}", from - value) } else { format!("+{} {unit}", value - from) }
}
