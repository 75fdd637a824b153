//! What must not happen on any course, looked at from outside: from what was recorded, never from what the planner meant.

use jiff::{SignedDuration, Timestamp, civil::Date};

use crate::{
    calendar::{day_of, plus_days},
    fact::{Closing, DropReason, Entry, Fact, HandoverResult, MessageKey, Purpose},
    model::{Channel, Does, Role, Rung, TaskKind},
    state::{PatientState, Standing, TaskState},
};

use super::{
    Kind,
    world::{ENROLLMENT, Ground},
};

/// Silent asks in a row before somebody must know.
const SILENT_MAX: u8 = 3;

/// What the checks remember of a course.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Watch {
    /// Silent asks in a row while nobody had a task about the patient.
    pub unowned: u8,
    /// The day of the last of them: forms of one day that close together are one silence.
    pub silent_on: Option<Date>,
    /// Asks that went out so far, up to the limit.
    pub asked: u8,
    /// Another workflow took the place of a message.
    pub cap_taken: bool,
    /// No message may go any more, on that channel or at all.
    pub stopped: Option<Option<Channel>>,
    /// Nothing more was planned: somebody is asked to end it, again and again.
    pub out_of_steps: bool,
    /// When messages went within the last week.
    pub sent: Vec<(Timestamp, Channel)>,
}

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub kind: Kind,
    pub about: String,
    pub sentence: String,
}

fn wrong(kind: Kind, about: impl Into<String>, sentence: String) -> Wrong {
    Wrong { kind, about: about.into(), sentence }
}

impl Watch {
    pub fn cap_was_taken(&mut self) {
        self.cap_taken = true;
    }

    /// Looks at what an advance recorded.
    pub fn look(&mut self, ground: &Ground<'_>, state: &PatientState, entries: &[Entry]) -> Vec<Wrong> {
        let mut found = Vec::new();
        let owned = state.tasks.values().any(is_owned);
        for entry in entries {
            match &entry.fact {
                Fact::Stopped { .. } | Fact::Died { .. } => self.stopped = Some(None),
                Fact::ChannelStopped { channel } => {
                    self.stopped = self.stopped.or(Some(Some(*channel)));
                }
                Fact::HandedOver {
                    message,
                    result: HandoverResult::Accepted | HandoverResult::Unknown,
                    ..
                } => {
                    found.extend(self.went(ground, state, message, entry.occurred_at));
                }
                Fact::Dropped { message, why: DropReason::Cap }
                    if !self.cap_taken && !is_a_spare_reminder(state, message) =>
                {
                    let about = state.messages.get(message).and_then(|message| message.members.first());
                    let step = about.map_or("", |about| about.step.as_str());
                    let sentence =
                        format!("\"{step}\" has no place under the caps of the site and is not sent");
                    found.push(wrong(Kind::OverTheCap, step, sentence));
                }
                Fact::Closed { how: Closing::Silent, .. } => {
                    let day = day_of(&ground.zone, entry.occurred_at);
                    let again = self.unowned > 0 && self.silent_on == Some(day);
                    self.silent_on = Some(day);
                    self.unowned = if owned { 0 } else { (self.unowned + u8::from(!again)).min(SILENT_MAX) };
                    if self.unowned == SILENT_MAX {
                        let sentence = format!(
                            "the patient did not answer {SILENT_MAX} times in a row, and nobody has a task about it"
                        );
                        found.push(wrong(Kind::SilentWithoutOwner, "silence", sentence));
                    }
                }
                Fact::Answered { .. } => self.unowned = 0,
                Fact::TaskOpened(plan) if plan.title == crate::words::nothing_planned() => {
                    self.out_of_steps = true;
                    let sentence =
                        "the follow-up is not over, but nothing more is planned: it needs an end".to_owned();
                    found.push(wrong(Kind::OutOfSteps, "ending", sentence));
                }
                _ => {}
            }
        }
        if owned {
            self.unowned = 0;
        }
        found
    }

    fn went(
        &mut self,
        ground: &Ground<'_>,
        state: &PatientState,
        key: &crate::fact::MessageKey,
        at: Timestamp,
    ) -> Vec<Wrong> {
        let mut found = Vec::new();
        let Some(message) = state.messages.get(key) else { return found };
        let step = message.members.first().map_or("a message", |about| about.step.as_str()).to_owned();
        let silenced = match self.stopped {
            None => false,
            Some(None) => message.purpose != Purpose::StopConfirmation,
            Some(Some(channel)) => channel == message.channel && message.purpose != Purpose::StopConfirmation,
        };
        if silenced {
            let sentence = format!("a message about \"{step}\" goes out after the stop");
            found.push(wrong(Kind::AfterStop, &step, sentence));
        }
        if message.exempt {
            return found;
        }
        if message.purpose == Purpose::Ask {
            self.asked = (self.asked + 1).min(SILENT_MAX);
        }
        let gap = SignedDuration::from_hours(1);
        if self.sent.iter().any(|(before, _)| at.duration_since(*before).abs() < gap) {
            let sentence = format!("a message about \"{step}\" goes out within an hour of another one");
            found.push(wrong(Kind::TooClose, &step, sentence));
        }
        let day = day_of(&ground.zone, at);
        let oldest = plus_days(day, -6);
        self.sent.retain(|(before, _)| day_of(&ground.zone, *before) >= oldest);
        self.sent.push((at, message.channel));
        if self.is_over_the_cap(ground, state.daily_consent, message.channel, day) {
            let sentence = format!("with the message about \"{step}\" more goes out than the caps allow");
            found.push(wrong(Kind::OverTheCap, &step, sentence));
        }
        found
    }

    fn is_over_the_cap(&self, ground: &Ground<'_>, consent: bool, channel: Channel, day: Date) -> bool {
        let caps = ground.site.caps;
        let days = self.sent.iter().filter(|(_, on)| *on == channel).map(|(at, _)| day_of(&ground.zone, *at));
        let days: Vec<Date> = days.collect();
        let today = days.iter().filter(|sent| **sent == day).count();
        let over = |count: usize, most: u32| u32::try_from(count).unwrap_or(u32::MAX) > most;
        match channel {
            Channel::Email => over(today, caps.email_per_day),
            Channel::Sms if consent => over(today, caps.sms_per_day_with_consent),
            Channel::Sms => over(today, caps.sms_per_day) || over(days.len(), caps.sms_per_week),
        }
    }

    /// Looks at a course that nothing will happen on any more.
    pub fn look_at_the_end(&self, state: &PatientState) -> Vec<Wrong> {
        let mut found = Vec::new();
        let Some(enrollment) = state.enrollments.get(&ENROLLMENT) else { return found };
        let over = matches!(enrollment.standing, Standing::Over { .. });
        if !over && state.tasks.is_empty() {
            let sentence = "nothing will happen any more, and nobody has a task".to_owned();
            found.push(wrong(Kind::Lost, "ending", sentence));
        }
        let by_itself = !over || enrollment.standing == Standing::Over { because: None };
        if by_itself && self.unowned > 0 && self.unowned >= self.asked {
            let sentence = "the patient never answered, and nobody has a task about it".to_owned();
            found.push(wrong(Kind::SilentWithoutOwner, "silence", sentence));
        }
        found
    }
}

/// A reminder that was meant for another channel than the one that is left: the caps of that one may well be used up.
fn is_a_spare_reminder(state: &PatientState, key: &MessageKey) -> bool {
    let reminds = |purpose| matches!(purpose, Purpose::Remind(_));
    let open =
        state.channels.values().filter(|channel| channel.usable && channel.consented && !channel.stopped);
    state.messages.get(key).is_some_and(|message| reminds(message.purpose)) && open.count() < 2
}

/// Somebody is to look at the patient for more than what the schedule plans anyway.
fn is_owned(task: &TaskState) -> bool {
    !task.rules.is_empty() || task.kind == TaskKind::Alert || task.about.is_none()
}

/// A task that nobody does: whether anybody else ever hears of it.
pub(super) fn ignored(ground: &Ground<'_>, task: &TaskState) -> Option<Wrong> {
    let (about, roles): (String, Vec<Role>) = if let Some(rule) = task.rules.first() {
        let ladder =
            ground.workflow.level(task.level).map_or(&[] as &[Rung], |level| level.ladder.as_slice());
        (rule.to_string(), ladder.iter().map(|rung| rung.role).collect())
    } else {
        let step = &task.about.as_ref()?.step;
        let Does::Task { overdue, .. } = &ground.workflow.step(step)?.does else { return None };
        (step.to_string(), overdue.iter().map(|rung| rung.role).collect())
    };
    // Who stands on the last rung already is where a ladder is to end.
    if !roles.is_empty() {
        return None;
    }
    let sentence = format!("if nobody does the task of \"{about}\", nobody else ever hears of it");
    Some(wrong(Kind::LadderWithoutEnd, about, sentence))
}
