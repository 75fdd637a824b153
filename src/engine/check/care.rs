//! What would let a patient fall through: silence that nobody hears, work that nobody finishes, messages at night.

use std::collections::BTreeMap;

use super::uses::Uses;
use crate::{
    diagnostic::{Log, Place},
    model::{AnchorDef, Does, Ending, Expr, FactDef, Questionnaire, Role, Rule, Source, Step, Trigger},
    name::Name,
    parse::{
        fields::entries,
        tree::{Kind, Node},
    },
    site::SiteSettings,
};

/// The parts of a workflow as far as they were read, with the file's tree for places.
pub struct Parts<'a> {
    /// The file.
    pub file: &'a Node,
    /// Steps.
    pub steps: &'a [Step],
    /// Rules of the workflow itself.
    pub rules: &'a [Rule],
    /// Facts.
    pub facts: &'a [FactDef],
    /// Anchors.
    pub anchors: &'a [AnchorDef],
    /// Named conditions.
    pub define: &'a [(Name, Expr)],
    /// Sources.
    pub sources: &'a [Source],
    /// The end.
    pub ending: &'a Ending,
    /// Instruments.
    pub questionnaires: &'a BTreeMap<Name, Questionnaire>,
    /// Words that steps should not have in their titles.
    pub discouraged: &'a [String],
}

/// Looks at a workflow that is otherwise in order.
pub fn check(parts: &Parts<'_>, log: &mut Log) {
    for step in parts.steps {
        let at = place(parts.file, "steps", &step.id);
        silence(step, parts, at, log);
        work(step, at, log);
        night(step, parts, at, log);
        discouraged(step, parts, at, log);
    }
    unused(parts, log);
}

fn silence(step: &Step, parts: &Parts<'_>, at: Place, log: &mut Log) {
    if !matches!(step.does, Does::Ask { .. }) {
        return;
    }
    let heard = parts.rules.iter().any(|rule| rule.on == Trigger::Silent(step.id.clone()));
    if !heard {
        let message = format!("nothing follows when nobody answers step \"{}\"", step.id);
        log.warn("W105", at, message, format!("add a rule with \"on: silence of {}\"", step.id));
    }
}

fn work(step: &Step, at: Place, log: &mut Log) {
    let Does::Task { role, overdue, .. } = &step.does else { return };
    let last = overdue.last().map_or(*role, |rung| rung.role);
    let help = "add an \"overdue\" rung with role nurse_lead or clinician";
    if overdue.is_empty() {
        log.warn(
            "W108",
            at,
            format!("nobody hears when the task of step \"{}\" stays undone", step.id),
            help,
        );
    } else if !matches!(last, Role::NurseLead | Role::Clinician) {
        let message = format!("the ladder of step \"{}\" ends at somebody who does not lead", step.id);
        log.warn("W108", at, message, help);
    }
}

fn night(step: &Step, parts: &Parts<'_>, at: Place, log: &mut Log) {
    let site = SiteSettings::default();
    let (time, id) = (step.timing.time, &step.id);
    match &step.does {
        Does::Ask { questionnaire, .. } => {
            let covered = parts.questionnaires.get(questionnaire).is_some_and(|q| q.only_in_covered_hours);
            if covered && !(site.cover.from <= time && time < site.cover.to) {
                let message = format!(
                    "step \"{id}\" asks {questionnaire} at {} , when nobody is there to see the answer",
                    time.strftime("%H:%M")
                );
                log.warn("W110", at, message.replace(" ,", ","), "choose a time between 08:00 and 18:00");
                return;
            }
        }
        Does::Tell { .. } => {}
        Does::Task { .. } | Does::Score { .. } => return,
    }
    if !(site.quiet.open <= time && time < site.quiet.close) {
        let message =
            format!("step \"{id}\" writes at {}, which is in the quiet hours", time.strftime("%H:%M"));
        log.warn("W109", at, message, "choose a time between 08:00 and 21:00");
    }
}

fn discouraged(step: &Step, parts: &Parts<'_>, at: Place, log: &mut Log) {
    let words_of = |text: &str| -> Vec<String> {
        text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase).collect()
    };
    for title in step.title.0.values() {
        let title = words_of(title);
        let found = parts.discouraged.iter().find(|word| {
            let word = words_of(word);
            !word.is_empty() && title.windows(word.len()).any(|window| window == word.as_slice())
        });
        if let Some(word) = found {
            let message =
                format!("step \"{}\" schedules \"{word}\", which the file lists as discouraged", step.id);
            log.warn("W112", at, message, "remove the step, or the word from \"discouraged\"");
        }
    }
}

fn unused(parts: &Parts<'_>, log: &mut Log) {
    let mut uses = Uses::default();
    parts.steps.iter().for_each(|step| uses.step(step));
    parts.rules.iter().for_each(|rule| uses.rule(rule));
    parts.define.iter().for_each(|(_, expr)| uses.expr(expr));
    parts.ending.when.iter().for_each(|when| uses.expr(when));
    let say = |section: &str, what: &str, id: &Name, log: &mut Log| {
        let message = format!("{what} \"{id}\" is never used");
        log.warn("W118", place(parts.file, section, id), message, "use it, or remove it");
    };
    for fact in parts.facts.iter().filter(|fact| !uses.names.contains(&fact.id)) {
        say("facts", "the fact", &fact.id, log);
    }
    for (id, _) in parts.define.iter().filter(|(id, _)| !uses.names.contains(id)) {
        say("define", "the definition", id, log);
    }
    let needed = |anchor: &AnchorDef| uses.names.contains(&anchor.id) || anchor.restarts.is_some();
    for anchor in parts.anchors.iter().skip(1).filter(|anchor| !needed(anchor)) {
        say("anchors", "the anchor", &anchor.id, log);
    }
    for source in parts.sources.iter().filter(|source| !uses.sources.contains(&source.id)) {
        say("sources", "the source", &source.id, log);
    }
}

/// Where the name of an entry of a section stands.
fn place(file: &Node, section: &str, id: &Name) -> Place {
    let Kind::Map(pairs) = &file.kind else { return Place::START };
    let Some((_, node)) = pairs.iter().find(|(key, _)| key.text == section) else { return Place::START };
    let mut quiet = Log::new("");
    let found = entries(node, section, &mut quiet).into_iter().find(|(name, ..)| name == id);
    found.map_or(Place::START, |(_, key, _)| key.at)
}
