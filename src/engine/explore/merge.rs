//! When two courses go on as one: they wait for the same instant, and nothing that a later decision can look at differs.

use std::{
    collections::BTreeSet,
    hash::{Hash, Hasher},
};

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use crate::{
    Name,
    calendar::{day_of, plus_days},
    fact::{Answer, Closing, MessageKey, TaskKey},
    model::{Does, Schedule, Step},
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
    for (questionnaire, form) in &world.always {
        questionnaire.hash(&mut hash);
        form.iter().for_each(|(item, answer)| of_answer(item, answer, &mut hash));
    }
    state.preferred.hash(&mut hash);
    for (channel, known) in &state.channels {
        (channel, known.usable, known.consented, known.stopped, known.stop_confirmed).hash(&mut hash);
    }
    (state.died, state.failures.len(), state.unanswered_replies.len()).hash(&mut hash);
    for enrollment in state.enrollments.values() {
        of_enrollment(enrollment, world, ground, horizon, today, &mut hash);
    }
    tasks(ground, world, &mut hash);
    messages(ground, state, next, &mut hash);
    agenda(world, &mut hash);
    let watch = &world.watch;
    // Another silence today is the same one; on a later day no earlier one is.
    let silent_today = watch.unowned > 0 && watch.silent_on == Some(today);
    (watch.unowned, silent_today, watch.asked, watch.cap_taken, watch.stopped).hash(&mut hash);
    Some(hash.finish())
}

fn of_answer(item: &Name, answer: &Answer, hash: &mut Mix) {
    item.hash(hash);
    std::mem::discriminant(answer).hash(hash);
    if let Answer::Given { value, doubtful } = answer {
        (value, doubtful).hash(hash);
    }
}

fn of_enrollment(
    enrollment: &EnrollmentState,
    world: &World,
    ground: &Ground<'_>,
    horizon: &Horizon,
    today: Date,
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
    for (index, step) in ground.workflow.steps.iter().enumerate() {
        let Some(state) = enrollment.steps.get(&step.id) else { continue };
        index.hash(hash);
        coming(enrollment, index, step, state, hash);
        of_step(step, state, world, horizon, (&ground.zone, today), hash);
    }
    // A failed message is reported once and never looked up again.
    let what =
        |key: &'_ TaskKey| key.0.split_once('/').is_some_and(|(_, what)| what.starts_with("undeliverable/"));
    let notices = enrollment.noted.iter().filter(|key| !what(key)).map(|key| without_numbers(&key.0));
    notices.for_each(|notice| notice.hash(hash));
    world.state.daily_consent.hash(hash);
}

/// What the schedule of a step goes on with. Since when it plans is told by what it plans next.
fn coming(enrollment: &EnrollmentState, index: usize, step: &Step, state: &StepState, hash: &mut Mix) {
    (state.generation, state.after).hash(hash);
    match (&step.schedule, enrollment.memo.known(index)) {
        (Schedule::Plan { .. } | Schedule::ByFact { .. } | Schedule::Around { .. }, Some(next)) => {
            next.map(|next| (next.generation, next.planned.ordinal, next.up, next.closes)).hash(hash);
        }
        _ => (state.from, state.only_later, state.ordinal).hash(hash),
    }
}

/// What a notice is about, without the entry it follows from.
fn without_numbers(key: &str) -> &str {
    key.trim_end_matches(|c: char| c.is_ascii_digit() || c == '/')
}

fn of_step(
    def: &Step,
    step: &StepState,
    world: &World,
    horizon: &Horizon,
    (zone, today): (&TimeZone, Date),
    hash: &mut Mix,
) {
    let is_parent = horizon.parents.contains(&def.id);
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
    for open in step.open.iter().filter(|open| matters(open) && !is_given_up(def, open, world)) {
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

/// Work that was not done in its window, that everybody heard of and that nobody is going to do.
fn is_given_up(step: &Step, open: &OpenOccurrence, world: &World) -> bool {
    let (Does::Task { overdue, .. }, Some(Closing::Undone), Some(task)) =
        (&step.does, open.closed, &open.task)
    else {
        return false;
    };
    let planned = |(_, todo): &(Timestamp, Todo)| matches!(todo, Todo::Task(key) if key == task);
    !matches!(step.schedule, Schedule::Chain { .. })
        && open.rung as usize >= overdue.len()
        && !world.agenda.iter().any(planned)
}

fn tasks(ground: &Ground<'_>, world: &World, hash: &mut Mix) {
    let mut given_up = BTreeSet::new();
    for task in world.state.tasks.values() {
        let own = task.about.as_ref().filter(|_| task.rules.is_empty());
        let open = own.and_then(|about| world.state.occurrence(about).zip(ground.workflow.step(&about.step)));
        if let Some((open, step)) = open
            && is_given_up(step, open, world)
        {
            given_up.insert(&step.id);
            continue;
        }
        (task.kind, task.level, task.role, &task.rules, task.taken_at).hash(hash);
        own.hash(hash);
        let ladder = ground.workflow.level(task.level).map_or(0, |level| level.ladder.len());
        // At the end of its ladder it does not matter any more since when it is open.
        if task.rules.is_empty() || (task.rung as usize) < ladder {
            (task.rung, task.opened_at).hash(hash);
        }
    }
    given_up.hash(hash);
}

fn messages(ground: &Ground<'_>, state: &PatientState, next: Timestamp, hash: &mut Mix) {
    let (hour, week) = (SignedDuration::from_hours(2), SignedDuration::from_hours(8 * 24));
    let mut open: Vec<(&Name, u32, u32)> = Vec::new();
    for (name, step) in state.enrollments.values().flat_map(|enrollment| &enrollment.steps) {
        let unclosed = step.open.iter().filter(|open| open.closed.is_none());
        open.extend(unclosed.map(|open| (name, open.generation, open.ordinal)));
    }
    for message in state.messages.values() {
        let mut members = message.members.iter();
        let is_open = members.any(|about| open.contains(&(&about.step, about.generation, about.ordinal)));
        if is_open || message.standing == MessageStanding::Scheduled {
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
