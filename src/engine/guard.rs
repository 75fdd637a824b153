//! The last question before a hand-over, asked in the transaction that claims the message: may it still go?

use jiff::Timestamp;

use crate::{
    arrange::{
        slot::{self, Ledger},
        sweep::{fallen_away, unwanted},
        wants::needs_cover,
    },
    calendar::day_of,
    fact::{DropReason, Fact, HandoverResult, MessageKey, MoveReason, Occurrence, Purpose},
    model::Channel,
    planner::{AdvanceError, Library},
    site::SiteSettings,
    state::{MessageStanding, MessageState, PatientState},
};

/// Whether a message may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// Now, on that channel, about these occurrences: those that fell away are left out, those that need cover come last.
    Go {
        /// How.
        channel: Channel,
        /// About what.
        members: Vec<Occurrence>,
        /// What for.
        purpose: Purpose,
    },
    /// Not before.
    Move {
        /// The next instant at which it may.
        until: Timestamp,
        /// Why not now.
        why: MoveReason,
    },
    /// Never.
    Drop(DropReason),
}

/// What is recorded of a message whose time has come: it moves, falls away, or goes and ends as `carrier` says. For whoever
/// stands in for the lanes.
///
/// # Errors
/// Those of [`guard`].
pub fn handed_over(
    library: &Library,
    site: &SiteSettings,
    state: &PatientState,
    key: &MessageKey,
    now: Timestamp,
    carrier: impl FnOnce(Channel) -> HandoverResult,
) -> Result<Vec<Fact>, AdvanceError> {
    let message = key.clone();
    Ok(match guard(library, site, state, key, now)? {
        Guard::Go { channel, .. } => {
            let attempt = state.messages.get(key).map_or(0, |message| message.attempts) + 1;
            let claimed = Fact::Claimed { message: message.clone(), attempt };
            vec![claimed, Fact::HandedOver { message, attempt, result: carrier(channel) }]
        }
        Guard::Move { until, why } => vec![Fact::Moved { message, send_after: until, why }],
        Guard::Drop(why) => vec![Fact::Dropped { message, why }],
    })
}

/// Whether the message of that key may go at `now`. Record what it says as `Moved` or `Dropped`, or claim.
///
/// # Errors
/// [`AdvanceError`] when the version or a zone is not known.
pub fn guard(
    library: &Library,
    site: &SiteSettings,
    state: &PatientState,
    key: &MessageKey,
    now: Timestamp,
) -> Result<Guard, AdvanceError> {
    let Some(message) =
        state.messages.get(key).filter(|message| message.standing == MessageStanding::Scheduled)
    else {
        return Ok(Guard::Drop(DropReason::Empty));
    };
    if let Some(why) = unwanted(state, message) {
        return Ok(Guard::Drop(why));
    }
    let purpose = message.purpose;
    let mut members: Vec<(bool, Occurrence)> = Vec::new();
    for member in message.members.iter().filter(|member| fallen_away(state, member).is_none()) {
        let closes = state.occurrence(member).map(|open| open.closes);
        if closes.is_some_and(|closes| now < closes) {
            members.push((is_covered_only(library, state, member)?, member.clone()));
        }
    }
    if now >= message.not_after || (members.is_empty() && !purpose.is_reply()) {
        return Ok(Guard::Drop(DropReason::Expired));
    }
    let only_covered = members.iter().any(|(covered, _)| *covered);
    let (site_zone, zone) = state.known_zones(site)?;
    let ledger = Ledger { site, state, zone: &zone, site_zone: &site_zone, now };
    members.sort_by_key(|(covered, _)| *covered);
    let members = members.into_iter().map(|(_, member)| member).collect();
    let channel = message.channel;
    Ok(moved(ledger, key, message, only_covered).unwrap_or(Guard::Go { channel, members, purpose }))
}

fn is_covered_only(
    library: &Library,
    state: &PatientState,
    member: &Occurrence,
) -> Result<bool, AdvanceError> {
    let Some(enrollment) = state.enrollments.get(&member.enrollment) else { return Ok(false) };
    let workflow = library
        .get(&enrollment.version)
        .ok_or_else(|| AdvanceError::UnknownVersion(enrollment.version.clone()))?;
    Ok(workflow.step(&member.step).is_some_and(|step| needs_cover(workflow, step)))
}

/// Why a message that is still wanted may not go at this very moment.
fn moved(ledger: Ledger<'_>, key: &MessageKey, message: &MessageState, only_covered: bool) -> Option<Guard> {
    if message.exempt {
        return None;
    }
    let now = ledger.now;
    let held = |until: Timestamp, why: MoveReason, too_late: DropReason| {
        let fits = until < message.not_after;
        Some(if fits { Guard::Move { until, why } } else { Guard::Drop(too_late) })
    };
    if message.send_after > now {
        return held(message.send_after, MoveReason::Retry, DropReason::Expired);
    }
    let quiet = slot::decent(ledger, now, false);
    if quiet > now {
        return held(quiet, MoveReason::QuietHours, DropReason::Expired);
    }
    let decent = slot::decent(ledger, now, only_covered);
    if decent > now {
        return held(decent, MoveReason::Uncovered, DropReason::Expired);
    }
    if !slot::has_room(ledger, message.channel, day_of(ledger.zone, now), Some(key)) {
        return match slot::find(ledger, message.channel, message.not_after, only_covered, Some(key)) {
            slot::Slot::At { at, .. } | slot::Slot::Wait(at) => held(at, MoveReason::Cap, DropReason::Cap),
            slot::Slot::Full | slot::Slot::Never => Some(Guard::Drop(DropReason::Cap)),
        };
    }
    let gap = slot::sent_gap(ledger, now, key)?;
    held(gap, MoveReason::Gap, DropReason::Expired)
}
