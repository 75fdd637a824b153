//! Why a message was sent or a task opened: the facts, the rule, the version, out of the history alone.

use jiff::Timestamp;

use crate::{
    Name, VersionHash,
    fact::{
        Author, Because, Closing, Entry, Fact, HandoverResult, MessageKey, Occurrence, Purpose, TaskKey,
        VersionChoice,
    },
    state::PatientState,
};

/// What is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    /// A message.
    Message(&'a MessageKey),
    /// A task.
    Task(&'a TaskKey),
}

/// An entry that has to do with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its sequence number.
    pub seq: u64,
    /// When it was written down.
    pub at: Timestamp,
    /// What it was, in words.
    pub what: String,
}

/// The explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// What led to it and what became of it, in order.
    pub links: Vec<Link>,
    /// The workflow and its version, when it comes from one.
    pub version: Option<(Name, VersionHash)>,
    /// The step or rule of the file that asked for it.
    pub from: Option<Name>,
}

/// Explains a message or task; `None` when the history does not know it.
#[must_use]
pub fn why(history: &[Entry], subject: Subject<'_>) -> Option<Why> {
    let decided = history.iter().find(|entry| decides(&entry.fact, subject))?;
    let mut seqs = vec![decided.seq];
    let (members, from): (Vec<&Occurrence>, Option<Name>) = match &decided.fact {
        Fact::Planned(plan) => {
            let from = match &plan.because {
                Because::Step(step) => Some(step.clone()),
                Because::Rule(rule, seq) => {
                    seqs.push(*seq);
                    Some(rule.clone())
                }
                Because::Reply(seq) => {
                    seqs.push(*seq);
                    None
                }
                Because::Fallback(failed) => {
                    let about = |entry: &&Entry| touches(&entry.fact, Subject::Message(failed));
                    seqs.extend(history.iter().filter(about).map(|entry| entry.seq));
                    plan.members.first().map(|about| about.step.clone())
                }
            };
            (plan.members.iter().collect(), from)
        }
        Fact::TaskOpened(plan) => {
            seqs.extend(plan.cause);
            let step = plan.about.as_ref().map(|about| about.step.clone());
            (plan.about.iter().collect(), plan.rule.clone().or(step))
        }
        _ => (Vec::new(), None),
    };
    for entry in history {
        let opened = matches!(&entry.fact, Fact::Opened { about, .. } if members.contains(&about));
        let judged = matches!(&entry.fact, Fact::Judged { seq, .. } if seqs.contains(seq));
        let started = matches!(&entry.fact, Fact::StepStarted { step, generation, ordinal, .. }
            if members.iter().any(|about| about.step == *step && about.generation == *generation && about.ordinal == *ordinal));
        if opened || judged || started || touches(&entry.fact, subject) {
            seqs.push(entry.seq);
        }
        if let (true, Fact::StepStarted { by, .. }) = (started, &entry.fact) {
            seqs.push(*by);
        }
    }
    seqs.extend(clock(history, decided, &members));
    let by_rule = match &decided.fact {
        Fact::TaskOpened(plan) if plan.rule.is_some() => plan.about.as_ref(),
        _ => None,
    };
    Some(Why { links: links(history, seqs), version: version(history, decided, by_rule), from })
}

/// Explains any entry: one about a message or task by all that has to do with it, every other one by what it follows from and
/// what followed from it at once. `None` when the history does not have it.
#[must_use]
pub fn why_entry(history: &[Entry], seq: u64) -> Option<Why> {
    let at = history.iter().position(|entry| entry.seq == seq)?;
    let entry = history.get(at)?;
    if let Some(explained) = subject_of(&entry.fact).and_then(|subject| why(history, subject)) {
        return Some(explained);
    }
    let by_engine = entry.author == Author::Engine;
    let mut seqs = vec![seq];
    let same_time = |other: &&Entry| other.recorded_at == entry.recorded_at;
    let before = history.iter().take(at).rev().take_while(same_time);
    // What a person, a carrier or the system wrote down in the same commit, last.
    seqs.extend(
        before.filter(|_| by_engine).find(|other| other.author != Author::Engine).map(|other| other.seq),
    );
    if !by_engine {
        let after = history.iter().skip(at + 1).take_while(same_time);
        let followed = after.skip_while(|other| other.author != Author::Engine);
        let followed = followed.take_while(|other| other.author == Author::Engine);
        seqs.extend(followed.take(FOLLOWED_MAX).map(|other| other.seq));
    }
    let mut from = None;
    let mut by_rule = None;
    let mut members: Vec<Occurrence> = Vec::new();
    match &entry.fact {
        Fact::Judged { seq, fired, .. } => {
            seqs.push(*seq);
            from = fired.first().cloned();
            let judged = history.iter().find(|other| other.seq == *seq).map(|other| &other.fact);
            if let Some(Fact::Answered { about, .. } | Fact::Flagged { about, .. }) = judged {
                by_rule = Some(about);
            }
        }
        Fact::StepStarted { step, by, .. } => {
            seqs.push(*by);
            from = Some(step.clone());
        }
        Fact::Opened { about, .. } | Fact::Closed { about, .. } | Fact::ScoreWanted { about, .. } => {
            members.push(about.clone());
        }
        Fact::Replanned { step, generation, .. } | Fact::Skipped { step, generation, .. } => {
            let (step, generation) = (step.clone(), *generation);
            let enrollment = entry.enrollment;
            members.extend(enrollment.map(|enrollment| Occurrence {
                enrollment,
                step,
                generation,
                ordinal: 0,
            }));
        }
        Fact::Voided { seq, .. } | Fact::Corrected { seq, .. } => seqs.push(*seq),
        _ => {}
    }
    let opened =
        |other: &&Entry| matches!(&other.fact, Fact::Opened { about, .. } if members.contains(about));
    seqs.extend(history.iter().filter(opened).map(|other| other.seq));
    let members: Vec<&Occurrence> = members.iter().collect();
    from = from.or_else(|| members.first().map(|about| about.step.clone()));
    if by_engine {
        seqs.extend(clock(history, entry, &members));
    }
    Some(Why { links: links(history, seqs), version: version(history, entry, by_rule), from })
}

/// Consequences of one entry that are told.
const FOLLOWED_MAX: usize = 40;

fn links(history: &[Entry], mut seqs: Vec<u64>) -> Vec<Link> {
    seqs.sort_unstable();
    seqs.dedup();
    let known = history.iter().filter(|entry| seqs.binary_search(&entry.seq).is_ok());
    known.map(|entry| Link { seq: entry.seq, at: entry.recorded_at, what: in_words(&entry.fact) }).collect()
}

/// The message or task that an entry is about.
fn subject_of(fact: &Fact) -> Option<Subject<'_>> {
    match fact {
        Fact::Planned(plan) => Some(Subject::Message(&plan.key)),
        Fact::Joined { message, .. }
        | Fact::Moved { message, .. }
        | Fact::Dropped { message, .. }
        | Fact::Claimed { message, .. }
        | Fact::Released { message, .. }
        | Fact::HandedOver { message, .. }
        | Fact::Receipt { message, .. } => Some(Subject::Message(message)),
        Fact::TaskOpened(plan) => Some(Subject::Task(&plan.key)),
        Fact::TaskChanged { task, .. }
        | Fact::TaskWithdrawn { task, .. }
        | Fact::Taken { task, .. }
        | Fact::Outcome { task, .. } => Some(Subject::Task(task)),
        _ => None,
    }
}

/// The patient's state right after the last entry written down by then.
#[must_use]
pub fn state_at(history: &[Entry], at: Timestamp) -> PatientState {
    let mut state = PatientState::default();
    history.iter().take_while(|entry| entry.recorded_at <= at).for_each(|entry| state.fold(entry));
    state
}

fn decides(fact: &Fact, subject: Subject<'_>) -> bool {
    match (fact, subject) {
        (Fact::Planned(plan), Subject::Message(key)) => plan.key == *key,
        (Fact::TaskOpened(plan), Subject::Task(key)) => plan.key == *key,
        _ => false,
    }
}

fn touches(fact: &Fact, subject: Subject<'_>) -> bool {
    subject_of(fact) == Some(subject)
}

/// The enrolment, and the latest change of a date or fact that planned its step afresh.
fn clock(history: &[Entry], decided: &Entry, members: &[&Occurrence]) -> Vec<u64> {
    let of = |entry: &&Entry| entry.enrollment == decided.enrollment && entry.seq < decided.seq;
    let enrolled = history.iter().filter(of).find(|entry| matches!(entry.fact, Fact::Enrolled { .. }));
    let replans = |entry: &&Entry| matches!(&entry.fact, Fact::Replanned { step, .. } if members.iter().any(|about| about.step == *step));
    let replanned = history.iter().filter(of).rfind(replans);
    let cause = replanned.and_then(|replanned| {
        let changes = |entry: &&Entry| {
            matches!(
                entry.fact,
                Fact::AnchorEvent { .. }
                    | Fact::AnchorCorrected { .. }
                    | Fact::FactSet { .. }
                    | Fact::VersionChanged { .. }
                    | Fact::Voided { .. }
            )
        };
        history.iter().filter(of).filter(|entry| entry.seq < replanned.seq).rfind(changes)
    });
    [enrolled, cause, replanned].into_iter().flatten().map(|entry| entry.seq).collect()
}

/// The version that decided. `by_rule` is what a rule was looked at for: an answer to a step that was removed is judged by the
/// last version that asked it.
fn version(history: &[Entry], decided: &Entry, by_rule: Option<&Occurrence>) -> Option<(Name, VersionHash)> {
    let enrolled = history.iter().filter(|entry| entry.enrollment == decided.enrollment);
    let mut found: Option<(Name, VersionHash)> = None;
    for entry in enrolled.filter(|entry| entry.seq <= decided.seq) {
        match (&entry.fact, &mut found) {
            (Fact::Enrolled { workflow, version, .. }, None) => {
                found = Some((workflow.clone(), version.clone()));
            }
            (Fact::VersionChanged { to, .. }, Some((_, version))) => version.clone_from(to),
            _ => {}
        }
    }
    let (workflow, version) = found?;
    let Some(about) = by_rule else { return Some((workflow, version)) };
    let mut state = PatientState::default();
    history.iter().take_while(|entry| entry.seq < decided.seq).for_each(|entry| state.fold(entry));
    let judged_by = state.enrollments.get(&about.enrollment).map(|of| of.version_of(&about.step).clone());
    Some((workflow, judged_by.unwrap_or(version)))
}

/// An entry in a few words, without anything that says who the patient is.
#[must_use]
pub fn in_words(fact: &Fact) -> String {
    let steps = |members: &[Occurrence]| {
        members
            .iter()
            .map(|about| format!("{} no. {}", about.step, about.ordinal))
            .collect::<Vec<_>>()
            .join(" + ")
    };
    let words = |text: &crate::model::Text| {
        text.get("en").or_else(|| text.0.values().next().map(String::as_str)).unwrap_or("").to_owned()
    };
    match fact {
        Fact::Enrolled { workflow, version, anchors, .. } => {
            let dates: Vec<String> = anchors.iter().map(|(name, date)| format!("{name} {date}")).collect();
            format!("enrolled in {workflow} version {}: {}", version.short(), dates.join(", "))
        }
        Fact::FactSet { name, .. } => format!("the fact {name} was set"),
        Fact::AnchorEvent { anchor, date } => format!("a new {anchor} on {date}"),
        Fact::AnchorCorrected { anchor, date, .. } => format!("{anchor} was corrected to {date}"),
        Fact::Flagged { about, rule, .. } => format!("an answer of {} raised the flag {rule}", about.step),
        Fact::Answered { about, questionnaire, .. } => {
            format!("{questionnaire} was answered for {} no. {}", about.step, about.ordinal)
        }
        Fact::Outcome { code, .. } => format!("outcome: {}", crate::expr::eval::outcome_name(*code)),
        Fact::Taken { by: Some(_), .. } => "taken by a member of staff".to_owned(),
        Fact::Taken { by: None, .. } => "given back".to_owned(),
        Fact::Replied { reply, .. } => format!("the patient wrote: {reply:?}").to_lowercase(),
        Fact::Opened { about, due, .. } => format!("{} no. {} came up, due {due}", about.step, about.ordinal),
        Fact::Closed { about, how: Closing::Silent } => {
            format!("{} no. {} was not answered", about.step, about.ordinal)
        }
        Fact::Closed { about, how } => format!("{} no. {} closed: {how:?}", about.step, about.ordinal),
        Fact::Replanned { step, generation, .. } => {
            format!("{step} was planned afresh, generation {generation}")
        }
        Fact::StepStarted { step, ordinal, by, .. } => {
            format!("{step} no. {ordinal} was started by entry {by}")
        }
        Fact::Judged { seq, fired, .. } if fired.is_empty() => format!("no rule fired for entry {seq}"),
        Fact::Judged { seq, fired, .. } => {
            let fired: Vec<&str> = fired.iter().map(Name::as_str).collect();
            format!("for entry {seq} fired: {}", fired.join(", "))
        }
        Fact::Planned(plan) => {
            let what = match plan.purpose {
                Purpose::Ask => "ask".to_owned(),
                Purpose::Remind(n) => format!("remind ({n})"),
                Purpose::Tell => "tell".to_owned(),
                other => format!("{other:?}").to_lowercase(),
            };
            format!(
                "planned: {what} {} by {:?}, not before {}",
                steps(&plan.members),
                plan.channel,
                plan.send_after
            )
        }
        Fact::Joined { member, .. } => format!("{} no. {} goes with it", member.step, member.ordinal),
        Fact::Moved { send_after, why, .. } => format!("moved to {send_after}: {why:?}"),
        Fact::Dropped { why, .. } => format!("dropped: {why:?}"),
        Fact::Claimed { attempt, .. } => format!("attempt {attempt} begins"),
        Fact::Released { .. } => "given back before its first byte".to_owned(),
        Fact::HandedOver { result: HandoverResult::Accepted, .. } => "the carrier took it".to_owned(),
        Fact::HandedOver { result: HandoverResult::Refused { permanent, .. }, .. } => {
            if *permanent { "refused for good" } else { "refused for now" }.to_owned()
        }
        Fact::HandedOver { result: HandoverResult::Unknown, .. } => {
            "may have gone: no clear answer".to_owned()
        }
        Fact::Receipt { delivered, .. } => {
            if *delivered { "a receipt says it arrived" } else { "a receipt says it did not arrive" }
                .to_owned()
        }
        Fact::TaskOpened(plan) => {
            let because: Vec<String> = plan.because.iter().map(words).collect();
            format!(
                "opened: {:?} {:?} for {:?}: {} ({})",
                plan.kind,
                plan.level,
                plan.role,
                words(&plan.title),
                because.join("; ")
            )
        }
        Fact::TaskChanged { level, role, because, .. } => {
            format!("now {level:?} for {role:?}: {}", words(because))
        }
        Fact::TaskWithdrawn { why, .. } => format!("withdrawn: {why:?}"),
        Fact::VersionChosen { to, choice: VersionChoice::Stay } => {
            format!("stays on its version, version {} is not taken", to.short())
        }
        Fact::VersionChosen { to, choice: VersionChoice::MoveWhenQuiet(_) } => {
            format!("moves to version {} as soon as nothing waits", to.short())
        }
        Fact::VersionChanged { from, to, undone, .. } => {
            let how = if *undone { "moved back" } else { "moved" };
            format!("{how} from version {} to version {}", from.short(), to.short())
        }
        Fact::Paused { .. } => "sending paused".to_owned(),
        Fact::Resumed => "sending went on".to_owned(),
        Fact::Stopped { reason } => format!("ended: {reason:?}"),
        Fact::Ended => "the follow-up reached its end".to_owned(),
        Fact::Skipped { step, first, last, .. } => format!("{step} no. {first} to {last} were passed over"),
        Fact::ScoreWanted { about, model } => format!("{} asks the model {model}", about.step),
        Fact::Scored { model, .. } => format!("the model {model} scored"),
        Fact::RiskMoved { .. } => "a clinician moved the patient on the risk queue".to_owned(),
        Fact::Voided { seq, .. } => format!("entry {seq} was wrong"),
        Fact::Corrected { seq, .. } => format!("entry {seq} was corrected"),
        Fact::Preference { .. }
        | Fact::Reachable { .. }
        | Fact::ConsentGiven { .. }
        | Fact::ConsentWithdrawn { .. }
        | Fact::DailyConsent { .. }
        | Fact::ChannelStopped { .. }
        | Fact::ChannelRestarted { .. }
        | Fact::Died { .. } => "what is known of the patient changed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{run::play, tests::shipped};

    #[test]
    fn every_message_and_task_of_every_shipped_case_is_explained() {
        let compiled = shipped();
        for (path, case) in &compiled.cases {
            let Some(workflow) = compiled.workflow(case.workflow.as_str()) else { continue };
            let history = play(case, workflow);
            let mut state = PatientState::default();
            history.iter().for_each(|entry| state.fold(entry));
            let latest = history.iter().map(|entry| entry.recorded_at).max().expect("entries");
            assert_eq!(state_at(&history, latest), state, "{path}");
            for entry in &history {
                let explained = why_entry(&history, entry.seq).unwrap_or_else(|| panic!("{path}: {entry:?}"));
                assert!(explained.links.iter().any(|link| link.seq == entry.seq), "{path}: {entry:?}");
                let alone = explained.links.len() == 1 && entry.author == Author::Engine;
                assert!(!alone, "{path}: nothing leads to {entry:?}");
            }
            for entry in history.iter().filter(|entry| entry.author == Author::Engine) {
                let explained = match &entry.fact {
                    Fact::Planned(plan) => why(&history, Subject::Message(&plan.key)),
                    Fact::TaskOpened(plan) => why(&history, Subject::Task(&plan.key)),
                    _ => continue,
                };
                let explained = explained.unwrap_or_else(|| panic!("{path}: {:?}", entry.fact));
                assert!(explained.links.len() >= 2, "{path}: {explained:?}");
                assert!(explained.links.iter().all(|link| !link.what.is_empty()));
            }
        }
    }
}
