//! Several questionnaires of one day as one form.

use std::collections::BTreeMap;
use std::sync::Arc;

use tend::app::form::{Draft, Form, Part};
use tend_engine::fact::{Answer, Occurrence};
use tend_engine::model::Workflow;
use tend_engine::{EnrollmentId, Name, Value};

use crate::support::workflows::shipped;

fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

fn part(workflow: &Arc<Workflow>, questionnaire: &str) -> Part {
    Part {
        about: Occurrence {
            enrollment: EnrollmentId(1),
            step: name(questionnaire),
            generation: 1,
            ordinal: 1,
        },
        workflow: workflow.clone(),
        questionnaire: name(questionnaire),
        late: false,
        flagged: Vec::new(),
        last: BTreeMap::new(),
        draft: Draft::default(),
    }
}

fn form(questionnaires: &[&str]) -> Form {
    let heart = shipped().into_iter().find(|workflow| workflow.id == *"hf-discharge-90d").expect("shipped");
    let heart = Arc::new(heart);
    Form::of(questionnaires.iter().map(|questionnaire| part(&heart, questionnaire)).collect())
}

fn choose(form: &mut Form, part: usize, item: &str, option: &str) {
    let answer = Answer::Given { value: Value::Choice(name(option)), doubtful: false };
    form.parts[part].draft.answers.insert(name(item), answer);
}

#[test]
fn what_needs_somebody_on_duty_comes_last() {
    let form = form(&["phq-9", "heart-failure-check", "medicine-check"]);
    let order: Vec<&str> = form.parts.iter().map(|part| part.questionnaire.as_str()).collect();
    assert_eq!(order, ["heart-failure-check", "medicine-check", "phq-9"]);
}

#[test]
fn the_same_question_is_asked_once_and_counts_for_both() {
    let mut form = form(&["phq-9", "phq-2"]);
    let asked = |form: &Form| -> Vec<(usize, String)> {
        form.questions().iter().map(|question| (question.part, question.item.id.to_string())).collect()
    };
    let questions = asked(&form);
    assert_eq!(questions.iter().filter(|(_, item)| item == "interest").count(), 1);
    assert_eq!(questions[0], (0, "interest".to_owned()));
    choose(&mut form, 0, "interest", "several_days");
    choose(&mut form, 0, "feeling_down", "not_at_all");
    let (answers, _) = form.submission(1);
    assert_eq!(answers.keys().map(Name::as_str).collect::<Vec<_>>(), ["feeling_down", "interest"]);
    assert_eq!(form.open_question().expect("more to ask").part, 1);
}

#[test]
fn what_is_hidden_is_neither_asked_nor_sent() {
    let mut form = form(&["medicine-check"]);
    let number =
        |n: i64| Answer::Given { value: Value::Number(tend_engine::Decimal::whole(n)), doubtful: false };
    form.parts[0].draft.answers.insert(name("missed_days"), number(2));
    choose(&mut form, 0, "reason", "forgot");
    assert!(form.submission(0).0.contains_key("reason"));
    form.parts[0].draft.answers.insert(name("missed_days"), number(0));
    assert!(!form.submission(0).0.contains_key("reason"));
    assert!(form.questions().iter().all(|question| question.item.id != *"reason"));
}
