//! Workflow files.

use std::collections::BTreeMap;

use super::{
    context::Context,
    facts::{anchors, facts, langs, languages, sources},
    fields::{Fields, entries, items, scalar, text},
    questionnaire::QuestionnaireFile,
    rule::rule,
    span::positive_span,
    standard::Standard,
    step::{is_started, sort, step},
    tree::{Key, Kind, Node},
};
use crate::{
    Name, check,
    diagnostic::{Log, Place},
    expr::{self, types::Definition},
    model::{Does, Ending, Expr, LevelId, Questionnaire, Rule, Step, Trigger, Workflow},
};

/// Most steps, and most rules, of one workflow.
pub const STEPS_MAX: usize = 500;

pub(super) const KEYS: [&str; 14] = [
    "workflow",
    "title",
    "status",
    "languages",
    "translations",
    "sources",
    "discouraged",
    "facts",
    "anchors",
    "define",
    "steps",
    "rules",
    "ending",
    "changes",
];

/// What a workflow stands on.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// Levels and words.
    pub standard: &'a Standard,
    /// Instruments without errors.
    pub questionnaires: &'a BTreeMap<Name, QuestionnaireFile>,
}

/// Reads a workflow file; `None` when it must not be used.
pub fn workflow(
    expected: Option<&str>,
    node: &Node,
    source: &str,
    ground: Ground<'_>,
    log: &mut Log,
) -> Option<Workflow> {
    let fields = Fields::of(node, "a workflow", &KEYS, log)?;
    let id = super::file_id(&fields, "workflow", expected, log);
    let status = fields.need("status", log).and_then(|node| scalar(node, "a status", log));
    let languages = languages(fields.need("languages", log), log);
    covered_languages(fields.at("languages"), &languages, ground, log);
    let translations = super::facts::translations(fields.get("translations"), &languages, log);
    let title = fields.need("title", log).and_then(|node| text(node, &languages, None, log));
    let anchors = anchors(fields.need("anchors", log), &languages, log);
    let instruments: BTreeMap<Name, Questionnaire> =
        ground.questionnaires.iter().map(|(id, file)| (id.clone(), file.questionnaire.clone())).collect();
    let owned: Vec<LevelId> = ground.standard.levels.iter().map(|level| level.id).collect();
    let step_entries = fields.need("steps", log).map(|node| entries(node, "steps", log)).unwrap_or_default();
    let mut context = Context {
        source,
        languages: &languages,
        facts: facts(fields.get("facts"), &languages, log),
        anchors: anchors.iter().map(|anchor| anchor.id.clone()).collect(),
        steps: step_entries.iter().filter_map(|(id, _, node)| Some((id.clone(), sort(node)?))).collect(),
        started: step_entries
            .iter()
            .filter(|(_, _, node)| is_started(node))
            .map(|(id, ..)| id.clone())
            .collect(),
        define: Vec::new(),
        questionnaires: &instruments,
        own: None,
        sources: sources(fields.get("sources"), log),
        owned: &owned,
        log,
    };
    check_names(&step_entries, &mut context);
    let define = define(fields.get("define"), &mut context);
    let mut steps = Vec::new();
    for (id, key, node) in &step_entries {
        steps.extend(step(id.clone(), key, node, &mut context));
    }
    let own_rules = rules(fields.get("rules"), &mut context);
    let ending = ending(fields.need("ending", context.log), &mut context);
    let places: BTreeMap<&str, Place> =
        step_entries.iter().map(|(id, key, _)| (id.as_str(), key.at)).collect();
    check::schedule::check(&steps, &places, context.log);
    if !context.log.blocks() {
        check_starts(&steps, &own_rules, &places, context.log);
    }
    let changes = super::change::changes(fields.get("changes"), &step_entries, context.log);
    let discouraged = discouraged(fields.get("discouraged"), context.log);
    if let (false, Some(ending)) = (context.log.blocks(), &ending) {
        let own: Vec<Rule> = own_rules.iter().map(|(rule, _)| rule.clone()).collect();
        let parts = check::care::Parts {
            file: node,
            steps: &steps,
            rules: &own,
            facts: &context.facts,
            anchors: &anchors,
            define: &define,
            sources: &context.sources,
            ending,
            questionnaires: &instruments,
            discouraged: &discouraged,
        };
        check::care::check(&parts, context.log);
    }
    let facts = std::mem::take(&mut context.facts);
    let sources = std::mem::take(&mut context.sources);
    drop(context);
    let used = used(&steps);
    let own_rules = own_rules.into_iter().map(|(rule, _)| rule).collect();
    let rules = linked_rules(own_rules, &used, ground, log);
    if log.blocks() {
        return None;
    }
    let mut workflow = Workflow {
        id: id?,
        title: title?,
        status: status?.to_owned(),
        languages: langs(&languages),
        translations,
        sources,
        facts,
        anchors,
        define,
        steps,
        rules,
        ending: ending?,
        levels: ground.standard.levels.clone(),
        words: ground.standard.words.clone(),
        questionnaires: instruments.into_iter().filter(|(id, _)| used.contains(id)).collect(),
        changes,
    };
    super::prune::to_languages(&mut workflow, &languages);
    Some(workflow)
}

/// Tests that guidelines advise against.
fn discouraged(node: Option<&Node>, log: &mut Log) -> Vec<String> {
    let all = node.map(items).unwrap_or_default();
    all.into_iter().filter_map(|node| scalar(node, "the name of a test", log)).map(str::to_owned).collect()
}

/// The words that come from other files have to exist in the workflow's languages.
fn covered_languages(at: Place, languages: &[String], ground: Ground<'_>, log: &mut Log) {
    if languages.is_empty() {
        log.error("E102", at, "the workflow declares no language", "write \"languages: [en]\"");
    }
    if ground.standard.levels.is_empty() {
        let message =
            "there is no standard.yaml that can be used, so there are no levels and no words for messages";
        log.error("E307", Place::START, message, "put standard.yaml beside the folder of the workflow");
    }
    for language in languages {
        if !ground.standard.languages.contains(language) && !ground.standard.levels.is_empty() {
            let message = format!("standard.yaml has no words in \"{language}\"");
            log.error("E301", at, message, "add the language there, or leave it out here");
        }
    }
}

fn check_names(steps: &[(Name, &Key, &Node)], context: &mut Context<'_>) {
    if context.anchors.is_empty() {
        context.log.error(
            "E102",
            Place::START,
            "the workflow has no anchor to count from",
            "add \"anchors: {discharge: {label: …}}\"",
        );
    }
    if let Some((_, key, _)) = steps.get(STEPS_MAX) {
        let message = format!("a workflow has at most {STEPS_MAX} steps");
        context.log.error("E108", key.at, message, "split it into several workflows");
    }
    for (id, key, _) in steps {
        if context.facts.iter().any(|fact| fact.id == *id) || context.anchors.contains(id) {
            let message = format!("\"{id}\" is a step and a fact or anchor");
            context.log.error("E105", key.at, message, "give one of them another name");
        }
    }
}

fn define(node: Option<&Node>, context: &mut Context<'_>) -> Vec<(Name, Expr)> {
    let mut found = Vec::new();
    for (id, key, node) in node.map(|node| entries(node, "definitions", context.log)).unwrap_or_default() {
        if context.facts.iter().any(|fact| fact.id == id) {
            let message = format!("\"{id}\" is a fact already");
            context.log.error("E105", key.at, message, "give the definition another name");
        }
        match context.expression(node) {
            Some((expr, ty, nodes)) => {
                context.define.push(Definition { name: id.clone(), ty, nodes, answer: None });
                found.push((id, expr));
            }
            // Known all the same, so that one mistake is not reported again wherever its name is used.
            None => {
                context.define.push(Definition { name: id, ty: expr::Type::Bool, nodes: 1, answer: None });
            }
        }
    }
    found
}

fn rules(node: Option<&Node>, context: &mut Context<'_>) -> Vec<(Rule, Place)> {
    let all = node.map(|node| entries(node, "rules", context.log)).unwrap_or_default();
    if all.len() > STEPS_MAX {
        let message = format!("a workflow has at most {STEPS_MAX} rules");
        context.log.error("E108", all[STEPS_MAX].1.at, message, "split it into several workflows");
        return Vec::new();
    }
    let mut found = Vec::new();
    for (id, key, node) in all {
        if let Some(rule) = rule(id, node, None, context) {
            found.push((rule, key.at));
        }
    }
    found
}

fn ending(node: Option<&Node>, context: &mut Context<'_>) -> Option<Ending> {
    let node = node?;
    if matches!(&node.kind, Kind::Scalar { text, .. } if text == "never") {
        return Some(Ending { after: None, when: None });
    }
    let fields = Fields::of(node, "the ending", &["after", "when"], context.log)?;
    if fields.present(&["after", "when"]).is_empty() {
        context.log.error(
            "E102",
            node.at,
            "the ending says neither when nor after how long",
            "write {after: 90 days} or never",
        );
        return None;
    }
    let after = match fields.get("after") {
        Some(node) => Some(positive_span(node, "the length of the follow-up", context.log)?),
        None => None,
    };
    let when = match fields.get("when") {
        Some(node) => Some(context.condition(node, None)?),
        None => None,
    };
    Some(Ending { after, when })
}

fn check_starts(steps: &[Step], rules: &[(Rule, Place)], places: &BTreeMap<&str, Place>, log: &mut Log) {
    use crate::model::{Action, Schedule};
    for step in steps.iter().filter(|step| matches!(step.schedule, Schedule::Started { .. })) {
        let started = rules.iter().any(|(rule, _)| rule.then.contains(&Action::Start(step.id.clone())));
        if !started {
            let at = places.get(step.id.as_str()).copied().unwrap_or(Place::START);
            log.warn(
                "W104",
                at,
                format!("no rule starts step \"{}\"", step.id),
                format!("add a rule with \"then: [start {}]\"", step.id),
            );
        }
    }
    let asked = used(steps);
    for (rule, at) in rules {
        if let Trigger::Answer(id) = &rule.on
            && !asked.contains(id)
        {
            let message = format!("rule \"{}\" waits for an answer to {id}, which no step asks", rule.id);
            log.warn("W106", *at, message, format!("add a step with \"ask: {id}\", or remove the rule"));
        }
    }
}

fn used(steps: &[Step]) -> Vec<Name> {
    let asked = |step: &Step| match &step.does {
        Does::Ask { questionnaire, .. } => Some(questionnaire.clone()),
        Does::Tell { .. } | Does::Task { .. } | Does::Score { .. } => None,
    };
    let mut names: Vec<Name> = steps.iter().filter_map(asked).collect();
    names.sort();
    names.dedup();
    names
}

/// The workflow's own rules, then those of its questionnaires.
fn linked_rules(mut rules: Vec<Rule>, used: &[Name], ground: Ground<'_>, log: &mut Log) -> Vec<Rule> {
    for id in used {
        for rule in ground.questionnaires.get(id).map(|file| file.rules.as_slice()).unwrap_or_default() {
            if rules.iter().any(|known| known.id == rule.id) {
                let message =
                    format!("rule \"{}\" of questionnaire {id} has the name of another rule", rule.id);
                log.error("E105", Place::START, message, "give one of them another name");
            }
            rules.push(rule.clone());
        }
    }
    rules
}
