//! Every zone of the database, every transition of seven years: a daily step is due exactly once a day.

use jiff::{Timestamp, civil::Time, tz::TimeZone};

use crate::{
    calendar::{at, day_of, plus_days, start_of_day},
    sample::local,
};

const TIMES: [(i8, i8); 9] = [(0, 0), (0, 30), (1, 30), (2, 0), (2, 30), (3, 0), (9, 0), (21, 30), (23, 59)];

#[test]
fn a_daily_step_is_due_once_a_day_through_every_transition() {
    let (from, until) = (local("UTC", "2024-01-01T00:00"), local("UTC", "2031-01-01T00:00"));
    let (mut zones, mut transitions) = (0, 0);
    for name in jiff::tz::db().available() {
        let zone = TimeZone::get(name.as_str()).expect("a zone of the database");
        zones += 1;
        for transition in zone.following(from).take_while(|t| t.timestamp() < until) {
            transitions += 1;
            for (hour, minute) in TIMES {
                once_a_day(name.as_str(), &zone, transition.timestamp(), Time::constant(hour, minute, 0, 0));
            }
        }
    }
    assert!(zones > 400, "{zones} zones");
    assert!(transitions > 1000, "{transitions} transitions");
}

#[track_caller]
fn once_a_day(name: &str, zone: &TimeZone, transition: Timestamp, time: Time) {
    let middle = day_of(zone, transition);
    let mut last: Option<Timestamp> = None;
    for n in -3..=3 {
        let day = plus_days(middle, n);
        let due = at(zone, day, time);
        assert!(last.is_none_or(|last| last < due), "{name}: {time} on {day} is not after the day before");
        // Within the day that it is for: from its first instant to before the next day's, or that very instant when the
        // end of the day is skipped.
        assert!(start_of_day(zone, day) <= due, "{name}: {time} on {day} is due before the day begins");
        assert!(due <= start_of_day(zone, plus_days(day, 1)), "{name}: {time} on {day} is due after the day");
        last = Some(due);
    }
}
