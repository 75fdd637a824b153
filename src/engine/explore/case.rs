//! A story as a case file: it comes true once the workflow is mended.

use std::fmt::Write;

use jiff::Timestamp;

use crate::fact::Answer;

use super::{
    ENROLLED_ON, Kind,
    answers::Answers,
    later,
    moves::{Carrier, Move},
    story::{Told, word},
    walk::Walk,
    watch::Wrong,
};

/// The case; nothing when no case can say it.
pub(super) fn of(walk: &Walk<'_>, wrong: &Wrong, told: &Told) -> Option<String> {
    let workflow = walk.ground.workflow;
    let at = |at: Timestamp| walk.ground.zone.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string();
    let mut text = String::new();
    let anchors: Vec<String> =
        told.root.anchors.iter().map(|anchor| format!("{anchor}: {ENROLLED_ON}")).collect();
    let facts: Vec<String> =
        told.root.facts.iter().map(|(name, value)| format!("{name}: {}", word(value))).collect();
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "case: {}\nworkflow: {}\nzone: {}\nenrol:\n  on: {ENROLLED_ON} 09:00\n  facts: {{{}}}\n  \
         anchors: {{{}}}\n  channels: [sms, email]\n  daily_consent: true\nstory:\n",
        wrong.sentence.replace(['"', ':'], ""),
        workflow.id,
        walk.ground.site.zone,
        facts.join(", "),
        anchors.join(", "),
    );
    for (when, made, about) in &told.acts {
        if let Some(act) = act(made, about, &at(*when)) {
            let _ = match act.strip_prefix('#') {
                Some(comment) => writeln!(text, "  # {}:{comment}", at(*when)),
                None => writeln!(text, "  - {{at: {}, {act}}}", at(*when)),
            };
        }
    }
    let ends = told.ends?;
    let (when, expected) = expected(wrong, ends)?;
    let _ = writeln!(text, "  - {{at: {}, {expected}}}", at(when));
    Some(text)
}

/// What must come true instead.
fn expected(wrong: &Wrong, ends: Timestamp) -> Option<(Timestamp, String)> {
    let about = &wrong.about;
    match wrong.kind {
        Kind::SilentWithoutOwner => Some((ends, "expect: [task]".to_owned())),
        Kind::LadderWithoutEnd => Some((later(ends, 8 * 24 * 60), "expect: [task]".to_owned())),
        Kind::OverTheCap => Some((ends, format!("expect_not: [dropped {about}]"))),
        Kind::AfterStop | Kind::TooClose => Some((ends, "expect_not: [message]".to_owned())),
        Kind::OutOfSteps | Kind::Lost => Some((ends, "expect: [ended]".to_owned())),
        Kind::NeverReached | Kind::NeverTrue | Kind::AlwaysTrue | Kind::FeedsItself => None,
    }
}

/// What somebody does, in the words of a case; a comment where cases have no word for it.
fn act(made: &Move, about: &str, now: &str) -> Option<String> {
    Some(match made {
        Move::Wake | Move::Send(_, Carrier::Takes) | Move::Later(..) | Move::Never(_) | Move::Silent(_) => {
            return None;
        }
        Move::Ignore(_) | Move::Idle(_) => return None,
        Move::Send(_, Carrier::Refuses) => "refuse: sms".to_owned(),
        Move::Send(_, carrier) => format!("# the message about {about}: {carrier:?}"),
        Move::Receipt(_) => format!("# the message about {about} did not arrive"),
        Move::Answer { about, answers } | Move::Always { about, answers } => {
            format!("answer: {}, {}", about.step, typed(answers))
        }
        Move::Flag { about, answers, .. } => format!("draft: {}, {}", about.step, typed(answers)),
        Move::Outcome(_, code) => {
            format!("outcome: {{task: {about}, code: {}}}", crate::expr::eval::outcome_name(*code))
        }
        Move::StopReply => "reply: \"STOP\"".to_owned(),
        Move::Withdraws => "stop: withdrawn".to_owned(),
        Move::Dies => format!("died: {}", now.get(..10)?),
        Move::Event(anchor, date) => format!("event: {{{anchor}: {date}}}"),
        Move::Corrects(anchor, date) => format!("correct: {{{anchor}: {date}}}"),
        Move::Sets(name, value) => format!("set: {{{name}: {}}}", word(value)),
    })
}

fn typed(answers: &Answers) -> String {
    let (mut with, mut declined, mut doubtful) = (Vec::new(), Vec::new(), Vec::new());
    for (item, answer) in answers.iter() {
        match answer {
            Answer::Given { value, doubtful: confirmed } => {
                with.push(format!("{item}: {}", word(value)));
                if *confirmed {
                    doubtful.push(item.to_string());
                }
            }
            Answer::Declined => declined.push(item.to_string()),
            Answer::Text => {}
        }
    }
    let mut text = format!("with: {{{}}}", with.join(", "));
    if !declined.is_empty() {
        text += &format!(", declined: [{}]", declined.join(", "));
    }
    if !doubtful.is_empty() {
        text += &format!(", doubtful: [{}]", doubtful.join(", "));
    }
    text
}
