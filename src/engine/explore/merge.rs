//! When two courses go on as one: they wait for the same instant, and nothing that a later decision can look at differs.

use std::hash::{Hash, Hasher};

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use crate::{
    calendar::{day_of, plus_days},
    fact::{Closing, MessageKey},
    state::{EnrollmentState, MessageStanding, MessageState, OpenOccurrence, PatientState, StepState},
};

use super::{
    look::Horizon,
    world::{Ground, Todo, World},
};

/// A number for a state: equal for states that cannot be told apart.
pub(super) fn of(world: &World, ground: &Ground<'_>, horizon: &Horizon) -> Option<u64> {
    let (next, _) = world.next()?;
    let mut hash = Mix(0);
    next.hash(&mut hash);
    let today = day_of(&ground.zone, next);
    let state = &world.state;
    (world.silent, world.idle).hash(&mut hash);
    state.preferred.hash(&mut hash);
    for (channel, known) in &state.channels {
        (channel, known.usable, known.consented, known.stopped, known.stop_confirmed).hash(&mut hash);
    }
    (state.died, state.failures.len(), state.unanswered_replies.len()).hash(&mut hash);
    for enrollment in state.enrollments.values() {
        of_enrollment(enrollment, state, horizon, (&ground.zone, today), &mut hash);
    }
    tasks(ground, state, &mut hash);
    messages(ground, state, next, &mut hash);
    agenda(world, &mut hash);
    let watch = &world.watch;
    (watch.unowned, watch.asked, watch.cap_taken, watch.stopped).hash(&mut hash);
    Some(hash.finish())
}

fn of_enrollment(
    enrollment: &EnrollmentState,
    state: &PatientState,
    horizon: &Horizon,
    (zone, today): (&TimeZone, Date),
    hash: &mut Mix,
) {
    std::mem::discriminant(&enrollment.standing).hash(hash);
    if let crate::state::Standing::Paused { until, .. } = enrollment.standing {
        until.hash(hash);
    }
    enrollment.facts.hash(hash);
    for (name, anchor) in &enrollment.anchors {
        (name, anchor.date).hash(hash);
    }
    for (name, days) in &horizon.series {
        let first = plus_days(today, -i64::from(*days));
        let series = enrollment.series.get(name).map_or(&[] as &[_], Vec::as_slice);
        series.iter().filter(|(day, _)| *day >= first).for_each(|kept| kept.hash(hash));
        hash.write_u8(0);
    }
    enrollment.unjudged.len().hash(hash);
    for (name, step) in &enrollment.steps {
        name.hash(hash);
        of_step(step, horizon, (zone, today), horizon.parents.contains(name), hash);
    }
    let notices = enrollment.noted.iter().map(|key| without_numbers(&key.0));
    notices.for_each(|notice| notice.hash(hash));
    state.daily_consent.hash(hash);
}

/// What a notice is about, without the entry it follows from.
fn without_numbers(key: &str) -> &str {
    key.trim_end_matches(|c: char| c.is_ascii_digit() || c == '/')
}

fn of_step(
    step: &StepState,
    horizon: &Horizon,
    (zone, today): (&TimeZone, Date),
    is_parent: bool,
    hash: &mut Mix,
) {
    (step.generation, step.from, step.only_later, step.after, step.ordinal).hash(hash);
    step.silent_in_a_row.min(horizon.silent_in_a_row).hash(hash);
    if horizon.silent_days > 0 {
        let first = plus_days(today, -i64::from(horizon.silent_days));
        step.silent_days.iter().filter(|day| **day >= first).for_each(|day| day.hash(hash));
    }
    step.answers.min(horizon.answers).hash(hash);
    if horizon.outcomes {
        step.outcome.hash(hash);
    }
    for start in &step.starts {
        (start.generation, start.ordinal, start.at).hash(hash);
    }
    if horizon.done_days > 0 {
        let first = plus_days(today, -i64::from(horizon.done_days));
        let days = step.done.iter().map(|done| day_of(zone, done.at)).filter(|day| *day >= first);
        days.for_each(|day| day.hash(hash));
    }
    if is_parent {
        step.done.iter().for_each(|done| (done.generation, done.ordinal).hash(hash));
    }
    for open in step.open.iter().filter(|open| matters(open)) {
        (open.generation, open.ordinal, open.asked_at, open.reminded_at, &open.flagged, open.rung).hash(hash);
        open.closed.map(|how| std::mem::discriminant(&how)).hash(hash);
    }
}

/// A closed one only waits for its link to die, unless its work is still owed.
fn matters(open: &OpenOccurrence) -> bool {
    match open.closed {
        None => true,
        Some(Closing::Undone) => open.task.is_some(),
        Some(_) => false,
    }
}

fn tasks(ground: &Ground<'_>, state: &PatientState, hash: &mut Mix) {
    for task in state.tasks.values() {
        (task.kind, task.level, task.role, &task.rules, task.taken_at).hash(hash);
        task.about.as_ref().filter(|_| task.rules.is_empty()).hash(hash);
        let ladder = ground.workflow.level(task.level).map_or(0, |level| level.ladder.len());
        // At the end of its ladder it does not matter any more since when it is open.
        if task.rules.is_empty() || (task.rung as usize) < ladder {
            (task.rung, task.opened_at).hash(hash);
        }
    }
}

fn messages(ground: &Ground<'_>, state: &PatientState, next: Timestamp, hash: &mut Mix) {
    let (hour, week) = (SignedDuration::from_hours(2), SignedDuration::from_hours(8 * 24));
    for message in state.messages.values() {
        let open = message
            .members
            .iter()
            .any(|about| state.occurrence(about).is_some_and(|open| open.closed.is_none()));
        if open || message.standing == MessageStanding::Scheduled {
            waiting(message, hash);
        }
        let sent = match message.standing {
            MessageStanding::HandedOver(at)
            | MessageStanding::Uncertain(at)
            | MessageStanding::Claimed(at)
            | MessageStanding::Bounced(at) => at,
            MessageStanding::Scheduled | MessageStanding::Refused | MessageStanding::Dropped(_) => continue,
        };
        let ago = next.duration_since(sent);
        if ago < hour {
            sent.hash(hash);
        }
        // With daily consent only the day itself counts.
        let counts = if state.daily_consent {
            day_of(&ground.zone, sent) >= day_of(&ground.zone, next)
        } else {
            ago < week
        };
        if counts {
            (message.channel, day_of(&ground.zone, sent)).hash(hash);
        }
    }
}

fn waiting(message: &MessageState, hash: &mut Mix) {
    (message.purpose, &message.members, message.channel, message.rung).hash(hash);
    (message.send_after, message.attempts, message.retry).hash(hash);
    std::mem::discriminant(&message.standing).hash(hash);
}

fn agenda(world: &World, hash: &mut Mix) {
    let mut lines: Vec<u64> = Vec::with_capacity(world.agenda.len() + world.held.len());
    let line = |at: Timestamp, what: u8, about: &dyn Fn(&mut Mix)| {
        let mut own = Mix(0);
        (at, what).hash(&mut own);
        about(&mut own);
        own.finish()
    };
    for (at, todo) in &world.agenda {
        lines.push(match todo {
            Todo::Answer(about) => line(*at, 0, &|own| about.hash(own)),
            Todo::Task(key) => line(*at, 1, &|own| {
                if let Some(task) = world.state.tasks.get(key) {
                    (&task.rules, &task.about).hash(own);
                }
            }),
            Todo::Receipt(key) => line(*at, 2, &|own| hash_key(key, own)),
        });
    }
    for (key, at) in &world.held {
        lines.push(line(*at, 3, &|own| hash_key(key, own)));
    }
    lines.sort_unstable();
    lines.hash(hash);
}

fn hash_key(key: &MessageKey, hash: &mut Mix) {
    key.0.hash(hash);
}

/// The same in every run and on every machine of one width.
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        let x = (self.0 ^ (self.0 >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        x ^ (x >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0_u8; 8];
            word[..part.len()].copy_from_slice(part);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
