//! Civil days and instants in a zone: where a day starts, what a gap or fold does to a local time, working days.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, Time},
    tz::{AmbiguousOffset, TimeZone},
};

use crate::{
    model::{Span, schedule::WorkingDay},
    site::{Calendar, QuietHours},
};

/// No step of the calendar is longer, in days.
const DAYS_MAX: i64 = 10_000 * 366;

/// The instant of a local time: in a gap the end of the gap, in a fold the first of both.
#[must_use]
pub fn instant(zone: &TimeZone, local: DateTime) -> Timestamp {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => ambiguous.earlier(),
        AmbiguousOffset::Gap { .. } => return end_of_gap(zone, local),
    }
    .unwrap_or(edge(local))
}

/// Read with the offset after the gap, a time inside it lies just before the transition.
fn end_of_gap(zone: &TimeZone, local: DateTime) -> Timestamp {
    let before = zone.to_ambiguous_timestamp(local).earlier().unwrap_or(edge(local));
    zone.following(before).next().map_or(before, |transition| transition.timestamp())
}

fn edge(local: DateTime) -> Timestamp {
    if local.year() < 0 { Timestamp::MIN } else { Timestamp::MAX }
}

/// The first instant of a day.
#[must_use]
pub fn start_of_day(zone: &TimeZone, day: Date) -> Timestamp {
    instant(zone, day.at(0, 0, 0, 0))
}

/// A local time on a day.
#[must_use]
pub fn at(zone: &TimeZone, day: Date, time: Time) -> Timestamp {
    instant(zone, day.to_datetime(time))
}

/// The civil day of an instant.
#[must_use]
pub fn day_of(zone: &TimeZone, instant: Timestamp) -> Date {
    zone.to_datetime(instant).date()
}

/// That many civil days later; saturates at the ends of the calendar.
#[must_use]
pub fn plus_days(day: Date, days: i64) -> Date {
    // Most steps stay within the month.
    if let Ok(within) = i8::try_from(i64::from(day.day()).saturating_add(days))
        && (1..=28).contains(&within)
    {
        return Date::new(day.year(), day.month(), within).unwrap_or(day);
    }
    day.saturating_add(SignedDuration::from_hours(days.clamp(-DAYS_MAX, DAYS_MAX) * 24))
}

/// Whole civil days from one day to another; negative when the second is earlier.
#[must_use]
pub fn days_between(from: Date, to: Date) -> i64 {
    day_number(to) - day_number(from)
}

/// Days since the first of March of the year 0, so that the leap day comes last in its year.
fn day_number(day: Date) -> i64 {
    let (year, month) = (i64::from(day.year()), i64::from(day.month()));
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap_days + (153 * month + 2) / 5 + i64::from(day.day())
}

/// Elapsed minutes later; saturates.
#[must_use]
pub fn plus_minutes(from: Timestamp, minutes: i64) -> Timestamp {
    from.saturating_add(SignedDuration::from_mins(minutes)).unwrap_or(Timestamp::MAX)
}

/// An instant moved by a span: hours and minutes elapse, days and longer keep the local time.
#[must_use]
pub fn plus_span(zone: &TimeZone, from: Timestamp, span: Span) -> Timestamp {
    match elapsed(span) {
        Some(minutes) => plus_minutes(from, minutes),
        None => {
            let local = zone.to_datetime(from);
            instant(zone, plus_civil(local.date(), span).to_datetime(local.time()))
        }
    }
}

/// The minutes of an elapsed span; `None` for civil ones.
#[must_use]
pub fn elapsed(span: Span) -> Option<i64> {
    match span {
        Span::Minutes(n) => Some(i64::from(n)),
        Span::Hours(n) => Some(i64::from(n) * 60),
        Span::Days(_) | Span::Weeks(_) | Span::Months(_) | Span::Years(_) => None,
    }
}

/// A day moved by a span; months are clamped at month end. Elapsed spans move it by their whole days.
#[must_use]
pub fn plus_civil(day: Date, span: Span) -> Date {
    let (months, days) = months_and_days(span);
    plus_months_and_days(day, months, days)
}

/// A span as whole months and whole days.
#[must_use]
pub fn months_and_days(span: Span) -> (i64, i64) {
    match span {
        Span::Minutes(n) => (0, i64::from(n) / (24 * 60)),
        Span::Hours(n) => (0, i64::from(n) / 24),
        Span::Days(n) => (0, i64::from(n)),
        Span::Weeks(n) => (0, i64::from(n) * 7),
        Span::Months(n) => (i64::from(n), 0),
        Span::Years(n) => (i64::from(n) * 12, 0),
    }
}

/// Months first, clamped at month end, then days.
#[must_use]
pub fn plus_months_and_days(day: Date, months: i64, days: i64) -> Date {
    if months == 0 {
        return plus_days(day, days);
    }
    let total = i64::from(day.year()) * 12 + i64::from(day.month()) - 1 + months;
    let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
    let first =
        i16::try_from(year).ok().zip(i8::try_from(month).ok()).and_then(|(y, m)| Date::new(y, m, 1).ok());
    match first {
        Some(first) => {
            let last = first.days_in_month();
            plus_days(first, i64::from(day.day().min(last)) - 1 + days)
        }
        None if months > 0 => Date::MAX,
        None => Date::MIN,
    }
}

/// The next or previous working day within the window around `day`; `day` itself when there is none.
#[must_use]
pub fn shifted(calendar: &Calendar, day: Date, way: WorkingDay, before: u32, after: u32) -> Date {
    let (step, room) = match way {
        WorkingDay::Next => (1, after),
        WorkingDay::Previous => (-1, before),
    };
    (0..=i64::from(room))
        .map(|n| plus_days(day, n * step))
        .find(|candidate| calendar.is_working_day(*candidate))
        .unwrap_or(day)
}

/// The first instant from `t` on at which a message may go in the patient's zone.
#[must_use]
pub fn outside_quiet(quiet: QuietHours, zone: &TimeZone, t: Timestamp) -> Timestamp {
    let local = zone.to_datetime(t);
    if local.time() < quiet.open {
        return at(zone, local.date(), quiet.open);
    }
    if local.time() >= quiet.close {
        return at(zone, plus_days(local.date(), 1), quiet.open);
    }
    t
}
