//! Which channel, and the first instant at which a message may go on it: quiet hours, caps, the gap, cover.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use crate::{
    calendar::{at, day_of, outside_quiet, plus_days, start_of_day},
    cover,
    fact::MessageKey,
    model::Channel,
    site::SiteSettings,
    state::{MessageStanding, MessageState, PatientState},
};

use super::wants::Want;

/// Days looked ahead for room under the caps.
const DAYS_AHEAD_MAX: u32 = 60;
/// Two messages to one patient are never closer than this, whatever the site says, in minutes.
const GAP_MINUTES_MIN: u32 = 1;

/// What went out, what is to go out, and what the site allows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ledger<'a> {
    pub site: &'a SiteSettings,
    pub state: &'a PatientState,
    pub zone: &'a TimeZone,
    pub site_zone: &'a TimeZone,
    pub now: Timestamp,
}

/// Where a message finds its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    /// It may go then; a cap moved it off the day that is given.
    At { at: Timestamp, capped: Option<Date> },
    /// Another message went, or goes, too short a time before: looked at again then.
    Wait(Timestamp),
    /// A cap leaves no room inside its window.
    Full,
    /// Its window closes before it may go.
    Never,
}

/// The open channels for a want in order: the preferred one, then the other, without those that failed for it.
pub(crate) fn candidates(state: &PatientState, want: &Want) -> Vec<Channel> {
    let preferred = want.prefer.or(state.preferred).unwrap_or(Channel::Sms);
    let other = match preferred {
        Channel::Sms => Channel::Email,
        Channel::Email => Channel::Sms,
    };
    let open = |channel: &Channel| state.channels.get(channel).is_some_and(|known| known.open());
    [preferred, other].into_iter().filter(open).filter(|channel| !want.tried.contains(channel)).collect()
}

/// The first instant from now on at which a message may go. `except` is the message itself when it exists already.
pub(crate) fn find(
    ledger: Ledger<'_>,
    channel: Channel,
    not_after: Timestamp,
    only_covered: bool,
    except: Option<&MessageKey>,
) -> Slot {
    let mut at = ledger.now;
    let mut capped = None;
    for _ in 0..DAYS_AHEAD_MAX {
        at = decent(ledger, at, only_covered);
        if at >= not_after {
            return if capped.is_some() { Slot::Full } else { Slot::Never };
        }
        let day = day_of(ledger.zone, at);
        if has_room(ledger, channel, day, except) {
            let Some(until) = gap(ledger, at, except) else { return Slot::At { at, capped } };
            // Looked at again only where it may go then: quiet hours or midnight would change the answer before.
            if decent(ledger, until, only_covered) == until && day_of(ledger.zone, until) == day {
                return Slot::Wait(until);
            }
            at = until;
            continue;
        }
        capped = capped.or(Some(day));
        at = start_of_day(ledger.zone, plus_days(day, 1));
    }
    Slot::Full
}

/// Outside the patient's quiet hours and, where needed, inside the site's cover.
pub(crate) fn decent(ledger: Ledger<'_>, from: Timestamp, only_covered: bool) -> Timestamp {
    let mut at = from;
    for _ in 0..8 {
        let mut next = outside_quiet(ledger.site.quiet, ledger.zone, at);
        if only_covered {
            next = cover::next_covered(ledger.site, ledger.site_zone, next);
        }
        if next == at {
            return at;
        }
        at = next;
    }
    at
}

/// When a message counts: when it went, or is to go. `None` if it never did and never will.
fn counts_at(message: &MessageState) -> Option<Timestamp> {
    if message.exempt {
        return None;
    }
    match message.standing {
        MessageStanding::Scheduled => Some(message.send_after),
        MessageStanding::Claimed(at)
        | MessageStanding::HandedOver(at)
        | MessageStanding::Uncertain(at)
        | MessageStanding::Bounced(at) => Some(at),
        MessageStanding::Refused | MessageStanding::Dropped(_) => None,
    }
}

/// Whether the caps leave room for one more message on that day.
pub(crate) fn has_room(ledger: Ledger<'_>, channel: Channel, day: Date, except: Option<&MessageKey>) -> bool {
    let caps = ledger.site.caps;
    // Only messages near that day are looked at closely: of its week, or with a cap by day alone of the days around it.
    let by_week = channel == Channel::Sms && !ledger.state.daily_consent;
    let reach = SignedDuration::from_hours(if by_week { 8 * 24 } else { 2 * 24 });
    let noon = at(ledger.zone, day, jiff::civil::time(12, 0, 0, 0));
    let near = |sent: &Timestamp| sent.duration_since(noon).abs() < reach;
    let of_channel = ledger.state.messages.iter().filter(|(_, message)| message.channel == channel);
    let others = of_channel.filter_map(|(key, message)| Some((key, counts_at(message).filter(near)?)));
    // Keys are long and alike: compared last.
    let others = others.filter(|(key, _)| except != Some(*key));
    let others: Vec<Date> = others.map(|(_, sent)| day_of(ledger.zone, sent)).collect();
    let within = |from: Date, to: Date| {
        let count = others.iter().filter(|sent| from <= **sent && **sent <= to).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    };
    match channel {
        Channel::Email => within(day, day) < caps.email_per_day,
        Channel::Sms if ledger.state.daily_consent => within(day, day) < caps.sms_per_day_with_consent,
        Channel::Sms => {
            let week = |n: i64| within(plus_days(day, n - 6), plus_days(day, n)) < caps.sms_per_week;
            within(day, day) < caps.sms_per_day && (0..7).all(week)
        }
    }
}

/// When the gap to the other messages has passed, if it has not at `at`.
pub(crate) fn gap(ledger: Ledger<'_>, at: Timestamp, except: Option<&MessageKey>) -> Option<Timestamp> {
    gap_to(ledger, at, except, |_| true)
}

/// The same for messages that left already: what only waits gives way to what is being claimed.
pub(crate) fn sent_gap(ledger: Ledger<'_>, at: Timestamp, except: &MessageKey) -> Option<Timestamp> {
    gap_to(ledger, at, Some(except), |message| message.standing != MessageStanding::Scheduled)
}

fn gap_to(
    ledger: Ledger<'_>,
    at: Timestamp,
    except: Option<&MessageKey>,
    counts: impl Fn(&MessageState) -> bool,
) -> Option<Timestamp> {
    let gap = SignedDuration::from_mins(i64::from(ledger.site.gap_minutes.max(GAP_MINUTES_MIN)));
    let near = |other: &Timestamp| at.duration_since(*other).abs() < gap;
    let all = ledger.state.messages.iter().filter(|(_, message)| counts(message));
    let others = all.filter_map(|(key, message)| Some((key, counts_at(message).filter(near)?)));
    // Keys are long and alike: compared last.
    let latest = others.filter(|(key, _)| except != Some(*key)).map(|(_, at)| at).max()?;
    latest.saturating_add(gap).ok()
}
