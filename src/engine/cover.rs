//! Covered hours: when somebody of the site is on duty, and time counted only then.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use crate::{
    calendar::{at, day_of, plus_days, plus_minutes},
    model::{Counting, Respond},
    site::SiteSettings,
};

/// Days looked ahead for cover; a site without any within a year has none.
const DAYS_MAX: i64 = 400;

/// Whether there is cover on that day of the site's zone.
#[must_use]
pub fn covered_day(site: &SiteSettings, day: Date) -> bool {
    if site.calendar.working.contains(&day) {
        return true;
    }
    let weekday = site.cover.days.contains(&day.weekday());
    weekday && (site.cover.on_holidays || !site.calendar.holidays.contains(&day))
}

/// The covered hours of a day, if any.
fn hours(site: &SiteSettings, zone: &TimeZone, day: Date) -> Option<(Timestamp, Timestamp)> {
    let span = (at(zone, day, site.cover.from), at(zone, day, site.cover.to));
    (covered_day(site, day) && span.0 < span.1).then_some(span)
}

/// The first covered instant from `t` on; `t` itself when there is no cover within a year.
#[must_use]
pub fn next_covered(site: &SiteSettings, zone: &TimeZone, t: Timestamp) -> Timestamp {
    let today = day_of(zone, t);
    (0..DAYS_MAX)
        .filter_map(|n| hours(site, zone, plus_days(today, n)))
        .find(|(_, to)| t < *to)
        .map_or(t, |(from, _)| from.max(t))
}

/// Whether somebody is on duty.
#[must_use]
pub fn is_covered(site: &SiteSettings, zone: &TimeZone, t: Timestamp) -> bool {
    hours(site, zone, day_of(zone, t)).is_some_and(|(from, to)| from <= t && t < to)
}

/// `minutes` of covered time after `t`; wall-clock time when there is no cover within a year.
#[must_use]
pub fn plus_covered(site: &SiteSettings, zone: &TimeZone, t: Timestamp, minutes: u32) -> Timestamp {
    let mut left = SignedDuration::from_mins(i64::from(minutes));
    let today = day_of(zone, t);
    for (from, to) in (0..DAYS_MAX).filter_map(|n| hours(site, zone, plus_days(today, n))) {
        let begin = from.max(t);
        if begin >= to {
            continue;
        }
        let room = to.duration_since(begin);
        if left <= room {
            return begin.saturating_add(left).unwrap_or(to);
        }
        left = left.saturating_sub(room);
    }
    plus_minutes(t, i64::from(minutes))
}

/// Minutes after `t`, counted so.
#[must_use]
pub fn after(
    site: &SiteSettings,
    zone: &TimeZone,
    t: Timestamp,
    minutes: u32,
    counting: Counting,
) -> Timestamp {
    match counting {
        Counting::Wall => plus_minutes(t, i64::from(minutes)),
        Counting::Covered => plus_covered(site, zone, t, minutes),
    }
}

/// By when a person must have acted on what was raised at `t`.
#[must_use]
pub fn respond_by(site: &SiteSettings, zone: &TimeZone, t: Timestamp, respond: Respond) -> Option<Timestamp> {
    match respond {
        Respond::Never => None,
        Respond::Within { minutes, counting } => Some(after(site, zone, t, minutes, counting)),
        Respond::SameDay { raised_before_minute } => {
            let local = zone.to_datetime(t);
            let minute =
                u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
            let today = hours(site, zone, local.date()).map(|(_, to)| to);
            let same_day = today.filter(|to| minute < raised_before_minute && t < *to);
            Some(same_day.unwrap_or_else(|| plus_minutes(t, 24 * 60)))
        }
        Respond::WorkingDays(n) => Some(end_of_working_day(site, zone, t, n)),
    }
}

/// The end of cover on the n-th working day after the day of `t`.
fn end_of_working_day(site: &SiteSettings, zone: &TimeZone, t: Timestamp, n: u16) -> Timestamp {
    let today = day_of(zone, t);
    let end = |day| at(zone, day, site.cover.to);
    if n == 0 {
        return end(today).max(t);
    }
    (1..DAYS_MAX)
        .map(|offset| plus_days(today, offset))
        .filter(|day| site.calendar.is_working_day(*day))
        .nth(usize::from(n) - 1)
        .map_or_else(|| plus_minutes(t, i64::from(n) * 24 * 60), end)
}
