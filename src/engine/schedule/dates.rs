//! Days of a schedule by ordinal, by arithmetic: the k-th is found without walking over the ones before it.

use jiff::civil::{Date, Weekday};

use crate::{
    calendar::{days_between, months_and_days, plus_civil, plus_days, plus_months_and_days},
    model::{Rhythm, Segment, Span, Window},
};

/// No schedule has more occurrences than this.
pub const ORDINALS_MAX: u32 = 100_000;

/// The day and window of the `ordinal`-th occurrence (from 1) counted from `anchor`.
#[must_use]
pub fn nth(segments: &[Segment], anchor: Date, ordinal: u32) -> Option<(Date, Window)> {
    let mut index = ordinal.checked_sub(1)?;
    if ordinal > ORDINALS_MAX {
        return None;
    }
    for segment in segments {
        let count = count(&segment.rhythm, anchor);
        if index < count {
            return day(&segment.rhythm, anchor, index).map(|day| (day, segment.window));
        }
        index -= count;
    }
    None
}

/// How many occurrences a rhythm has.
fn count(rhythm: &Rhythm, anchor: Date) -> u32 {
    match rhythm {
        Rhythm::At(offsets) => u32::try_from(offsets.len()).unwrap_or(ORDINALS_MAX),
        Rhythm::Every { to: None, .. } | Rhythm::Weekdays { to: None, .. } => ORDINALS_MAX,
        Rhythm::Every { every, from, to: Some(to) } => count_every(*every, *from, *to, anchor),
        Rhythm::Weekdays { days, from, to: Some(to) } => {
            count_weekdays(days, plus_civil(anchor, *from), plus_civil(anchor, *to))
        }
    }
}

/// The day of the `index`-th occurrence (from 0) of a rhythm.
fn day(rhythm: &Rhythm, anchor: Date, index: u32) -> Option<Date> {
    match rhythm {
        Rhythm::At(offsets) => offsets.get(index as usize).map(|offset| plus_civil(anchor, *offset)),
        Rhythm::Every { every, from, .. } => Some(multiple(*every, *from, anchor, index)),
        Rhythm::Weekdays { days, from, .. } => nth_weekday(days, plus_civil(anchor, *from), index),
    }
}

/// `anchor + (from + k * every)`, months first, so that clamping at one month end never carries over to the next.
pub fn multiple(every: Span, from: Span, anchor: Date, k: u32) -> Date {
    let (every_months, every_days) = months_and_days(every);
    let (from_months, from_days) = months_and_days(from);
    let k = i64::from(k);
    plus_months_and_days(anchor, from_months + k * every_months, from_days + k * every_days)
}

fn count_every(every: Span, from: Span, to: Span, anchor: Date) -> u32 {
    let (step_months, step_days) = months_and_days(every);
    let (from_months, from_days) = months_and_days(from);
    let (to_months, to_days) = months_and_days(to);
    let whole = |room: i64, step: i64| u32::try_from(room / step + 1).unwrap_or(0).min(ORDINALS_MAX);
    if step_months <= 0 && step_days <= 0 {
        return u32::from(plus_civil(anchor, from) <= plus_civil(anchor, to));
    }
    if step_days == 0 && from_days == 0 && to_days == 0 {
        return if to_months < from_months { 0 } else { whole(to_months - from_months, step_months) };
    }
    if step_months == 0 && from_months == 0 && to_months == 0 {
        return if to_days < from_days { 0 } else { whole(to_days - from_days, step_days) };
    }
    let last = plus_civil(anchor, to);
    first_index(ORDINALS_MAX, |k| multiple(every, from, anchor, k) > last)
}

/// The first index below `end` at which `past` holds, given that it holds ever after; `end` when it never does.
pub fn first_index(end: u32, past: impl Fn(u32) -> bool) -> u32 {
    let mut low = 0;
    let mut step = 1;
    while low + step < end && !past(low + step) {
        low += step;
        step = step.saturating_mul(2);
    }
    let mut high = end.min(low.saturating_add(step));
    while low < high {
        let middle = low + (high - low) / 2;
        if past(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

fn is_one_of(days: &[Weekday], day: Date) -> bool {
    days.contains(&day.weekday())
}

fn count_weekdays(days: &[Weekday], first: Date, last: Date) -> u32 {
    let length = days_between(first, last) + 1;
    if length <= 0 {
        return 0;
    }
    let per_week = distinct(days);
    let rest = (0..length % 7).filter(|n| is_one_of(days, plus_days(first, *n))).count();
    let whole = u32::try_from(length / 7).unwrap_or(ORDINALS_MAX).saturating_mul(per_week);
    whole.saturating_add(u32::try_from(rest).unwrap_or(0)).min(ORDINALS_MAX)
}

fn nth_weekday(days: &[Weekday], first: Date, index: u32) -> Option<Date> {
    let per_week = distinct(days);
    let weeks = index.checked_div(per_week)?;
    let within = (index % per_week) as usize;
    let start = plus_days(first, i64::from(weeks) * 7);
    (0..7).map(|n| plus_days(start, n)).filter(|day| is_one_of(days, *day)).nth(within)
}

fn distinct(days: &[Weekday]) -> u32 {
    let all = (0..7).filter(|n| is_one_of(days, plus_days(Date::ZERO, *n))).count();
    u32::try_from(all).unwrap_or(0)
}
