//! Keys of messages and tasks: derived from what they are about, so that a repeat is recognised.

use std::borrow::Cow;

use crate::{
    EnrollmentId, Name,
    fact::{MessageKey, Occurrence, Purpose, TaskKey},
    state::PatientState,
};

fn purpose_name(purpose: Purpose) -> Cow<'static, str> {
    match purpose {
        Purpose::Ask => "ask".into(),
        Purpose::Remind(n) => format!("remind{n}").into(),
        Purpose::Tell => "tell".into(),
        Purpose::StopConfirmation => "stopped".into(),
        Purpose::StartConfirmation => "started".into(),
        Purpose::Help => "help".into(),
        Purpose::NotMonitored => "not-monitored".into(),
    }
}

/// Most keys are no longer.
const KEY_LENGTH: usize = 96;

/// Adds a number in digits.
fn number(text: &mut String, number: u32) {
    if number >= 10 {
        self::number(text, number / 10);
    }
    text.push(char::from(b'0' + u8::try_from(number % 10).unwrap_or(0)));
}

/// The text of an occurrence inside keys.
#[must_use]
pub fn occurrence(about: &Occurrence) -> String {
    // Made at each step of each patient: put together by hand.
    let mut text = String::with_capacity(KEY_LENGTH);
    text.push_str(std::str::from_utf8(&about.enrollment.hyphenated()).unwrap_or_default());
    text.extend(["/", about.step.as_str(), "/"]);
    number(&mut text, about.generation);
    text.push('.');
    number(&mut text, about.ordinal);
    text
}

/// The key of a message about an occurrence: occurrence, purpose, rung, recipient, resend.
pub(crate) fn message(state: &PatientState, about: &Occurrence, purpose: Purpose, rung: u32) -> MessageKey {
    let mut key = MessageKey(occurrence(about));
    key.0.extend(["/", &*purpose_name(purpose), "/"]);
    number(&mut key.0, rung);
    key.0.push_str("/own/");
    let stem = key.0.len();
    let mut resend = 0_u32;
    loop {
        number(&mut key.0, resend);
        if !state.messages.contains_key(&key) {
            return key;
        }
        key.0.truncate(stem);
        resend += 1;
    }
}

/// The key of an answer to the reply with that sequence number.
pub(crate) fn reply(state: &PatientState, seq: u64, purpose: Purpose) -> MessageKey {
    let whose = state.enrollments.keys().next().map_or_else(|| "patient".to_owned(), EnrollmentId::to_string);
    MessageKey(format!("{whose}/reply/{seq}/{}/own/0", purpose_name(purpose)))
}

/// The key of a step's own task.
pub(crate) fn step_task(about: &Occurrence) -> TaskKey {
    TaskKey(occurrence(about) + "/task")
}

/// The key of a task that a rule opened for the entry with that sequence number by its n-th action.
pub(crate) fn rule_task(enrollment: EnrollmentId, rule: &Name, seq: u64, action: usize) -> TaskKey {
    TaskKey(format!("{enrollment}/{rule}/{seq}.{action}"))
}

/// The key of a notice about the patient or an enrollment.
pub(crate) fn notice(state: &PatientState, enrollment: Option<EnrollmentId>, what: &str) -> TaskKey {
    let whose = enrollment.or_else(|| state.enrollments.keys().next().copied());
    let whose = whose.map_or_else(|| "patient".to_owned(), |id| id.to_string());
    TaskKey(format!("{whose}/{what}"))
}
