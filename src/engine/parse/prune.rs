//! Shared files may speak more languages than a workflow; the workflow keeps its own only, so that a new language of
//! a shared file makes no new version of a workflow that does not use it.

use crate::model::{Action, ItemKind, Questionnaire, Rule, Text, Workflow};

/// Leaves only `languages` in every text that came from a shared file.
pub fn to_languages(workflow: &mut Workflow, languages: &[String]) {
    let keep = |text: &mut Text| text.0.retain(|language, _| languages.contains(language));
    workflow.words.values_mut().for_each(keep);
    for level in &mut workflow.levels {
        level.outside_hours.iter_mut().for_each(keep);
    }
    workflow.rules.iter_mut().for_each(|rule| prune_rule(rule, &keep));
    workflow.questionnaires.values_mut().for_each(|q| {
        prune_questionnaire(q, &keep);
        q.translation_source.retain(|(language, _)| languages.contains(language));
        q.translations.retain(|(language, _)| languages.iter().any(|kept| language.0 == *kept.as_str()));
    });
}

fn prune_rule(rule: &mut Rule, keep: &impl Fn(&mut Text)) {
    rule.advice.iter_mut().for_each(keep);
    rule.alternatives.iter_mut().for_each(|alternative| keep(&mut alternative.because));
    for action in &mut rule.then {
        match action {
            Action::Task { title, .. } => keep(title),
            Action::Stop { because } => keep(because),
            Action::Alert(_)
            | Action::AlertWithin { .. }
            | Action::Start(_)
            | Action::Set(..)
            | Action::Pause { .. } => {}
        }
    }
}

fn prune_questionnaire(questionnaire: &mut Questionnaire, keep: &impl Fn(&mut Text)) {
    keep(&mut questionnaire.title);
    keep(&mut questionnaire.heading);
    questionnaire.stem.iter_mut().for_each(keep);
    questionnaire.closing.iter_mut().for_each(keep);
    for item in &mut questionnaire.items {
        keep(&mut item.ask);
        item.hint.iter_mut().for_each(keep);
        if let ItemKind::Choice(options) = &mut item.kind {
            options.iter_mut().for_each(|option| keep(&mut option.label));
        }
    }
    for score in &mut questionnaire.scores {
        keep(&mut score.label);
        score.bands.iter_mut().for_each(|band| keep(&mut band.label));
    }
}
