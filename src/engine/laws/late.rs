//! A late tick sends at most one message per patient: of what one advance plans, and that is no answer to the patient's own
//! message, one at most may go now. What else it plans goes on a later day of its own, for one of two named reasons, which are
//! laws of their own and are counted.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::{
    arrange::{
        slot::{Ledger, has_room},
        wants::needs_cover,
    },
    fact::MessagePlan,
};

/// Advances that planned anything, and that planned several messages.
static PLANNED: AtomicUsize = AtomicUsize::new(0);
static SEVERAL: AtomicUsize = AtomicUsize::new(0);
/// Later messages that wait until somebody is on duty.
static WAIT_FOR_COVER: AtomicUsize = AtomicUsize::new(0);
/// Later messages that a cap moved.
static CAPPED: AtomicUsize = AtomicUsize::new(0);

/// Days on which a late story begins, one after the other: every weekday is among them.
const LATE_STARTS: i64 = 7;
/// How many days the planner is not woken.
const LATE_DAYS: [i64; 4] = [3, 15, 31, 92];

pub(super) fn counted() -> String {
    let of = |count: &AtomicUsize| count.load(Ordering::Relaxed);
    format!(
        "{} advances planned messages, {} of them several: {} wait for cover, {} were moved by a cap",
        of(&PLANNED),
        of(&SEVERAL),
        of(&WAIT_FOR_COVER),
        of(&CAPPED)
    )
}

/// Plain stories of a planner that was not woken for some days, by text message alone: whatever workflow it is, whatever day it begins on.
#[test]
fn late_ticks_plan_one_message_or_name_why_not() {
    for workflow in 0..workflows().len() {
        for start_day in 0..LATE_STARTS {
            for days in LATE_DAYS {
                let by_text = Event::Consent(Channel::Email, false);
                let events = vec![by_text, Event::Asleep(days * 24 * 60), Event::Minutes(60)];
                let story = Story { workflow, zone: 0, start_day, daily_consent: false, events };
                hold(&story).unwrap_or_else(|error| panic!("{error}: {story:?}"));
            }
        }
    }
    let several = SEVERAL.load(Ordering::Relaxed);
    let explained = WAIT_FOR_COVER.load(Ordering::Relaxed) + CAPPED.load(Ordering::Relaxed);
    #[expect(
        clippy::disallowed_macros,
        reason = "how often a named reason came up is for whoever runs the test"
    )]
    {
        println!("{}", counted());
    }
    assert!(several > 0 && explained >= several, "{}", counted());
}

/// The law, for what was recorded from that entry on.
pub(super) fn one_message(patient: &Rehearsal<'_>, from: usize) -> Checked {
    let mut plans = plans(patient, from);
    plans.sort_by_key(|plan| plan.send_after);
    let Some((first, later)) = plans.split_first() else { return Ok(()) };
    PLANNED.fetch_add(1, Ordering::Relaxed);
    SEVERAL.fetch_add(usize::from(!later.is_empty()), Ordering::Relaxed);
    let zone = jiff::tz::TimeZone::get(&patient.state.zone).expect("a zone of the list");
    let mut days = BTreeSet::from([day_of(&zone, first.send_after)]);
    for plan in later {
        let (key, at) = (&plan.key, plan.send_after);
        prop_assert!(at > patient.now, "two messages of one tick may go now: {:?} and {key:?}", first.key);
        prop_assert!(
            days.insert(day_of(&zone, at)),
            "two messages of one tick on {}: {key:?}",
            day_of(&zone, at)
        );
        if waits_for_cover(patient, plan) {
            WAIT_FOR_COVER.fetch_add(1, Ordering::Relaxed);
        } else {
            prop_assert!(is_capped(patient, first, plan)?, "no cap moved {key:?} to {at}: {:?}", first.key);
            CAPPED.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok(())
}

/// What was planned and is to go, but for answers to the patient's own message.
fn plans<'a>(patient: &'a Rehearsal<'_>, from: usize) -> Vec<&'a MessagePlan> {
    let new = &patient.history[from..];
    let dropped = |key: &MessageKey| {
        new.iter().any(|entry| matches!(&entry.fact, Fact::Dropped { message, .. } if message == key))
    };
    let planned = new.iter().filter_map(|entry| match &entry.fact {
        Fact::Planned(plan) => Some(plan),
        _ => None,
    });
    planned.filter(|plan| !plan.exempt && !dropped(&plan.key)).collect()
}

/// Named reason one: a questionnaire that may only leave while somebody is on duty goes apart from what may leave on a day
/// without cover.
fn waits_for_cover(patient: &Rehearsal<'_>, plan: &MessagePlan) -> bool {
    plan.members.iter().any(|about| {
        let enrollment = patient.state.enrollments.get(&about.enrollment);
        let workflow = enrollment.and_then(|of| library().get(of.version_of(&about.step)));
        let step =
            enrollment.zip(workflow).and_then(|(of, workflow)| workflow.step(of.name_now(&about.step)));
        workflow.zip(step).is_some_and(|(workflow, step)| needs_cover(workflow, step))
    })
}

/// Named reason two: on the day of the first message the cap of its channel leaves no room for another.
fn is_capped(
    patient: &Rehearsal<'_>,
    first: &MessagePlan,
    plan: &MessagePlan,
) -> Result<bool, TestCaseError> {
    let zone =
        |name: &str| jiff::tz::TimeZone::get(name).map_err(|error| TestCaseError::fail(error.to_string()));
    let (zone, site_zone) = (zone(&patient.state.zone)?, zone(&patient.site.zone)?);
    let ledger = Ledger {
        site: patient.site,
        state: &patient.state,
        zone: &zone,
        site_zone: &site_zone,
        now: patient.now,
    };
    Ok(!has_room(ledger, plan.channel, day_of(&zone, first.send_after), Some(&plan.key)))
}
