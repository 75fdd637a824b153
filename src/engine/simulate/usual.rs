//! What people measure on an ordinary day: a number that no rule minds.

use std::collections::BTreeMap;

use crate::{
    Decimal, Name,
    expr::{AnswerAtHand, Env, holds},
    fact::Answer,
    model::{ItemKind, Questionnaire, Rule, Trigger, Workflow},
    value::Value,
};

/// The usual number of each measured item, by questionnaire and item.
#[derive(Debug, Default)]
pub(super) struct Usual(BTreeMap<(Name, Name), Decimal>);

/// Places in the range of a number that are tried, in eighths: the middle first.
const EIGHTHS: [i64; 7] = [4, 3, 5, 2, 6, 1, 7];

impl Usual {
    pub fn of(workflow: &Workflow) -> Self {
        let mut found = BTreeMap::new();
        for questionnaire in workflow.questionnaires.values() {
            for item in &questionnaire.items {
                if let ItemKind::Quantity { min, max, .. } = &item.kind {
                    let number = unminded(workflow, questionnaire, &item.id, (*min, *max));
                    found.insert((questionnaire.id.clone(), item.id.clone()), number);
                }
            }
        }
        Self(found)
    }

    pub fn number(&self, questionnaire: &Name, item: &Name) -> Decimal {
        let known = self.0.iter().find(|((of, name), _)| of == questionnaire && name == item);
        known.map(|(_, number)| *number).unwrap_or_default()
    }
}

fn unminded(
    workflow: &Workflow,
    questionnaire: &Questionnaire,
    item: &Name,
    (min, max): (Decimal, Decimal),
) -> Decimal {
    let place = |eighth: i64| {
        let part = (max - min).times(Decimal::whole(eighth)).over(Decimal::whole(8));
        min + part.unwrap_or_default()
    };
    let minds = |number: Decimal| {
        let given = Answer::Given { value: Value::Number(number), doubtful: false };
        let answers = BTreeMap::from([(item.clone(), given)]);
        let answer = Some(AnswerAtHand { questionnaire, answers: &answers });
        let env = Env { answer, ..Env::of_workflow(workflow, super::FIRST_DAY) };
        let of_this = |rule: &&Rule| rule.on == Trigger::Answer(questionnaire.id.clone());
        let mut rules = workflow.rules.iter().filter(of_this);
        rules.any(|rule| rule.alternatives.iter().any(|alternative| holds(&alternative.when, &env)))
    };
    EIGHTHS.map(place).into_iter().find(|number| !minds(*number)).unwrap_or_else(|| place(EIGHTHS[0]))
}
