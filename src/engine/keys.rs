//! Keys of messages and tasks: derived from what they are about, so that a repeat is recognised.

use crate::{
    EnrollmentId, Name,
    fact::{MessageKey, Occurrence, Purpose, TaskKey},
    state::PatientState,
};

fn purpose_name(purpose: Purpose) -> String {
    match purpose {
        Purpose::Ask => "ask".into(),
        Purpose::Remind(n) => format!("remind{n}"),
        Purpose::Tell => "tell".into(),
        Purpose::StopConfirmation => "stopped".into(),
        Purpose::StartConfirmation => "started".into(),
        Purpose::Help => "help".into(),
        Purpose::NotMonitored => "not-monitored".into(),
    }
}

/// The text of an occurrence inside keys.
#[must_use]
pub fn occurrence(about: &Occurrence) -> String {
    format!("{}/{}/{}.{}", about.enrollment, about.step, about.generation, about.ordinal)
}

/// The key of a message about an occurrence: occurrence, purpose, rung, recipient, resend.
pub(crate) fn message(state: &PatientState, about: &Occurrence, purpose: Purpose, rung: u32) -> MessageKey {
    let stem = format!("{}/{}/{rung}/own", occurrence(about), purpose_name(purpose));
    let mut resend = 0_u32;
    loop {
        let key = MessageKey(format!("{stem}/{resend}"));
        if !state.messages.contains_key(&key) {
            return key;
        }
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
    TaskKey(format!("{}/task", occurrence(about)))
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
