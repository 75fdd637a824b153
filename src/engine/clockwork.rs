//! Time at its edges: gaps, folds, month ends, weekdays, cover, retries.

use jiff::{Timestamp, civil::Weekday, tz::TimeZone};

use crate::{
    arrange::carriers::retry_at,
    calendar::{at, outside_quiet, plus_span, shifted, start_of_day},
    cover::{plus_covered, respond_by},
    model::{Respond, Rhythm, Segment, Span, schedule::WorkingDay},
    sample::{date, local, window},
    schedule::dates::nth,
    site::{Calendar, QuietHours, SiteSettings},
};

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).expect("a zone")
}

fn utc(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn days(rhythm: Rhythm, anchor: &str, ordinals: std::ops::RangeInclusive<u32>) -> Vec<String> {
    let segments = [Segment { rhythm, window: window(0, 0) }];
    ordinals.filter_map(|n| nth(&segments, date(anchor), n)).map(|(day, _)| day.to_string()).collect()
}

#[test]
fn a_gap_ends_at_its_end_and_a_fold_is_its_first() {
    let time = |hour, minute| jiff::civil::time(hour, minute, 0, 0);
    let london = zone("Europe/London");
    assert_eq!(at(&london, date("2026-03-29"), time(1, 30)), utc("2026-03-29T01:00:00Z"));
    assert_eq!(at(&london, date("2026-10-25"), time(1, 30)), utc("2026-10-25T00:30:00Z"));
    // Half an hour is skipped on Lord Howe.
    assert_eq!(
        at(&zone("Australia/Lord_Howe"), date("2026-10-04"), time(2, 10)),
        utc("2026-10-03T15:30:00Z")
    );
    // Midnight does not exist on this day in Santiago.
    assert_eq!(start_of_day(&zone("America/Santiago"), date("2026-09-06")), utc("2026-09-06T04:00:00Z"));
    // Nine o'clock stays nine o'clock; twenty-four hours do not.
    let before = local("Europe/London", "2026-03-28T09:00");
    assert_eq!(plus_span(&london, before, Span::Days(1)), utc("2026-03-29T08:00:00Z"));
    assert_eq!(plus_span(&london, before, Span::Hours(24)), utc("2026-03-29T09:00:00Z"));
}

#[test]
fn months_are_counted_from_the_anchor_and_clamped() {
    let every = |to| Rhythm::Every { every: Span::Months(3), from: Span::Months(3), to };
    assert_eq!(
        days(every(Some(Span::Months(12))), "2026-01-31", 1..=9),
        ["2026-04-30", "2026-07-31", "2026-10-31", "2027-01-31"]
    );
    assert_eq!(days(every(None), "2025-11-30", 1..=1), ["2026-02-28"]);
    assert_eq!(days(every(None), "2027-11-30", 1..=1), ["2028-02-29"]);
    assert_eq!(days(every(None), "2026-01-31", 40..=40), ["2036-01-31"]);
}

#[test]
fn weekdays_are_found_by_arithmetic() {
    let rhythm = Rhythm::Weekdays {
        days: vec![Weekday::Monday, Weekday::Wednesday, Weekday::Friday],
        from: Span::Days(31),
        to: Some(Span::Days(40)),
    };
    // 2 March 2026 is a Monday; day 31 is a Thursday.
    assert_eq!(days(rhythm, "2026-03-02", 1..=9), ["2026-04-03", "2026-04-06", "2026-04-08", "2026-04-10"]);
}

#[test]
fn a_shift_to_a_working_day_stays_in_the_window() {
    let calendar = Calendar { holidays: [date("2026-04-06")].into(), working: [date("2026-04-11")].into() };
    let next = |day: &str, after| shifted(&calendar, date(day), WorkingDay::Next, 0, after).to_string();
    assert_eq!(next("2026-04-04", 5), "2026-04-07");
    assert_eq!(next("2026-04-04", 2), "2026-04-04");
    assert_eq!(next("2026-04-11", 2), "2026-04-11");
}

#[test]
fn quiet_hours_open_at_eight_and_close_at_nine() {
    let quiet = SiteSettings::default().quiet;
    let london = zone("Europe/London");
    let moved = |text: &str| outside_quiet(quiet, &london, local("Europe/London", text));
    assert_eq!(moved("2026-03-02T20:59:59"), local("Europe/London", "2026-03-02T20:59:59"));
    assert_eq!(moved("2026-03-02T21:00"), local("Europe/London", "2026-03-03T08:00"));
    assert_eq!(moved("2026-03-02T07:59"), local("Europe/London", "2026-03-02T08:00"));
    let late = QuietHours { open: jiff::civil::time(1, 30, 0, 0), ..quiet };
    // The night on which half past one does not exist.
    assert_eq!(outside_quiet(late, &london, utc("2026-03-29T00:10:00Z")), utc("2026-03-29T01:00:00Z"));
}

#[test]
fn covered_minutes_pass_only_while_somebody_is_there() {
    let site = SiteSettings::default();
    let utc_zone = zone("UTC");
    let plus = |from: &str, minutes| plus_covered(&site, &utc_zone, utc(from), minutes).to_string();
    assert_eq!(plus("2026-03-06T17:30:00Z", 60), "2026-03-09T08:30:00Z");
    assert_eq!(plus("2026-03-06T16:00:00Z", 120), "2026-03-06T18:00:00Z");
    let by = |at: &str, respond| respond_by(&site, &utc_zone, utc(at), respond).map(|by| by.to_string());
    let same_day = Respond::SameDay { raised_before_minute: 15 * 60 };
    assert_eq!(by("2026-03-06T14:59:00Z", same_day), Some("2026-03-06T18:00:00Z".into()));
    assert_eq!(by("2026-03-06T15:00:00Z", same_day), Some("2026-03-07T15:00:00Z".into()));
    assert_eq!(by("2026-03-06T15:00:00Z", Respond::WorkingDays(1)), Some("2026-03-09T18:00:00Z".into()));
    assert_eq!(by("2026-03-06T15:00:00Z", Respond::Never), None);
}

#[test]
fn retries_back_off_to_an_hour() {
    let now = utc("2026-03-06T15:00:00Z");
    let wait = |attempts, jitter| retry_at(attempts, jitter, now).duration_since(now).as_secs();
    assert_eq!((wait(1, 0), wait(2, 0), wait(3, 0), wait(50, 0)), (30, 60, 120, 3600));
    assert!(wait(50, u32::MAX) < 3600 + 1800 + 1);
    assert!(wait(1, 1023) > 30);
}
