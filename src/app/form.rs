//! A form: what the questionnaires of one link ask, in order, and how far a draft of the answers has come. Pure.
//!
//! Several questionnaires of one day come as one form. What two of them ask in the same words is asked once; those that
//! need somebody on duty come last.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use tend_engine::{
    Decimal, Name,
    fact::{Answer, Occurrence},
    instrument,
    model::{Item, Questionnaire, Text, Workflow},
};

/// The questionnaires of one link.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// In the order in which they are asked.
    pub parts: Vec<Part>,
}

/// One questionnaire of a form.
#[derive(Debug, Clone)]
pub struct Part {
    /// What is answered.
    pub about: Occurrence,
    /// The version that the patient is on.
    pub workflow: Arc<Workflow>,
    /// Which of its questionnaires.
    pub questionnaire: Name,
    /// The window has closed: the answer is taken and marked late.
    pub late: bool,
    /// Red flags that were recorded before submission.
    pub flagged: Vec<Name>,
    /// The latest numbers before this form, for asking an implausible one again.
    pub last: BTreeMap<Name, Decimal>,
    /// What was typed so far.
    pub draft: Draft,
}

/// Answers that were typed and not submitted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Draft {
    /// By item.
    pub answers: BTreeMap<Name, Answer>,
    /// Free text by item.
    pub text: BTreeMap<String, String>,
    /// Optional items that were passed over.
    pub skipped: BTreeSet<Name>,
    /// Numbers as they were typed.
    pub typed: BTreeMap<Name, Typed>,
}

/// A number as it was typed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Typed {
    /// Digits.
    pub number: String,
    /// The unit that was chosen.
    pub unit: String,
}

/// A question of a form.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Which part, from 0.
    pub part: usize,
    /// Which item of it.
    pub item: &'a Item,
}

impl Part {
    /// The instrument; the library has every questionnaire that a version leads to.
    #[must_use]
    pub fn instrument(&self) -> Option<&Questionnaire> {
        self.workflow.questionnaires.get(&self.questionnaire)
    }
}

impl Form {
    /// The parts in the order in which they are asked: what needs somebody on duty comes last.
    #[must_use]
    pub fn of(mut parts: Vec<Part>) -> Self {
        parts
            .sort_by_key(|part| part.instrument().is_some_and(|instrument| instrument.only_in_covered_hours));
        Self { parts }
    }

    /// Every question that is asked as the answers stand.
    #[must_use]
    pub fn questions(&self) -> Vec<Question<'_>> {
        let mut questions: Vec<Question<'_>> = Vec::new();
        for part in 0..self.parts.len() {
            for item in self.visible(part) {
                if !questions.iter().any(|earlier| earlier.part < part && same(earlier.item, item)) {
                    questions.push(Question { part, item });
                }
            }
        }
        questions
    }

    /// The first question that is neither answered nor passed over.
    #[must_use]
    pub fn open_question(&self) -> Option<Question<'_>> {
        self.questions().into_iter().find(|question| !self.is_settled(*question))
    }

    /// Whether the question was answered or passed over.
    #[must_use]
    pub fn is_settled(&self, question: Question<'_>) -> bool {
        self.parts.get(question.part).is_some_and(|part| {
            part.draft.answers.contains_key(&question.item.id)
                || part.draft.skipped.contains(&question.item.id)
        })
    }

    /// What counts for a part: its own answers, and those of an earlier part to the same question.
    #[must_use]
    pub fn answers_of(&self, part: usize) -> BTreeMap<Name, Answer> {
        let Some(this) = self.parts.get(part) else { return BTreeMap::new() };
        let mut answers = this.draft.answers.clone();
        for item in this.instrument().into_iter().flat_map(|instrument| &instrument.items) {
            if let Some((_, answer)) =
                self.earlier(part, item).and_then(|from| self.answer_in(from, &item.id))
            {
                answers.insert(item.id.clone(), answer.clone());
            }
        }
        answers
    }

    /// What is submitted for a part: answers to what is visible, and its free text.
    #[must_use]
    pub fn submission(&self, part: usize) -> (BTreeMap<Name, Answer>, BTreeMap<String, String>) {
        let answers = self.answers_of(part);
        let mut given = BTreeMap::new();
        let mut text = BTreeMap::new();
        for item in self.visible(part) {
            let Some(answer) = answers.get(&item.id) else { continue };
            given.insert(item.id.clone(), answer.clone());
            let from = self.earlier(part, item).unwrap_or(part);
            let words = self.parts.get(from).and_then(|part| part.draft.text.get(item.id.as_str()));
            if let Some(words) = words {
                text.insert(item.id.to_string(), words.clone());
            }
        }
        (given, text)
    }

    fn visible(&self, part: usize) -> Vec<&Item> {
        let answers = self.answers_of(part);
        let instrument = self.parts.get(part).and_then(Part::instrument);
        instrument.map(|instrument| instrument::visible_items(instrument, &answers)).unwrap_or_default()
    }

    /// The first part before `part` that asks the same.
    fn earlier(&self, part: usize, item: &Item) -> Option<usize> {
        self.parts.iter().take(part).position(|before| {
            before
                .instrument()
                .is_some_and(|instrument| instrument.items.iter().any(|other| same(other, item)))
                && before.draft.answers.contains_key(&item.id)
        })
    }

    fn answer_in(&self, part: usize, item: &Name) -> Option<(&Name, &Answer)> {
        self.parts.get(part)?.draft.answers.get_key_value(item)
    }
}

/// The same question in the same words.
fn same(one: &Item, other: &Item) -> bool {
    one.id == other.id && one.ask == other.ask && one.kind == other.kind
}

/// The words in the reader's language, else in the patient's, else in the first that there is; with the language.
#[must_use]
pub fn say<'a>(text: &'a Text, languages: &[&str]) -> (&'a str, String) {
    let found = languages.iter().find_map(|lang| text.get(lang).map(|words| (words, (*lang).to_owned())));
    let first = || text.0.iter().next().map(|(lang, words)| (words.as_str(), lang.clone()));
    found.or_else(first).unwrap_or_default()
}
