//! Random rhythms from random anchors.

use std::fmt::Write as _;

use serde_json::json;

use super::{COMPARED, Dice, agree};
use crate::{
    calendar::{months_and_days, plus_days},
    model::{Rhythm, Segment, Span},
    sample::{date, window},
    schedule::dates::nth,
};

const SEED: u64 = 0x5eed_0002;
/// Occurrences compared of each.
const MOST: u32 = 80;

fn span(dice: &mut Dice, least: i64, most_days: i64) -> Span {
    let n = |n: i64| i32::try_from(n).unwrap_or(1);
    match dice.roll(5) {
        0 => Span::Weeks(n(dice.number(least, most_days / 7))),
        1 => Span::Months(n(dice.number(least, (most_days / 28).max(least)))),
        2 => Span::Years(n(dice.number(least.min(1), (most_days / 366).max(1)))),
        _ => Span::Days(n(dice.number(least, most_days))),
    }
}

fn pair(span: Span) -> [i64; 2] {
    let (months, days) = months_and_days(span);
    [months, days]
}

#[test]
fn ten_thousand_recurrences_fall_on_the_days_of_dateutil() {
    let mut dice = Dice(SEED);
    let mut lines = String::new();
    for _ in 0..COMPARED {
        let mut anchor = plus_days(date("1995-01-01"), dice.number(0, 30_000));
        if dice.often(3) {
            anchor = anchor.last_of_month();
        }
        let from = span(&mut dice, 0, 400);
        let to = dice.often(7).then(|| span(&mut dice, 0, 4000));
        let weekly = dice.often(3);
        let (rhythm, json) = if weekly {
            let days: Vec<i64> = (0..7).filter(|_| dice.often(4)).collect();
            let days = if days.is_empty() { vec![dice.number(0, 6)] } else { days };
            let all = days
                .iter()
                .filter_map(|n| jiff::civil::Weekday::from_monday_zero_offset(i8::try_from(*n).ok()?).ok());
            (
                Rhythm::Weekdays { days: all.collect(), from, to },
                json!({"weekdays": days, "from": pair(from), "to": to.map(pair)}),
            )
        } else {
            let every = span(&mut dice, 1, 200);
            (
                Rhythm::Every { every, from, to },
                json!({"every": pair(every), "from": pair(from), "to": to.map(pair)}),
            )
        };
        let segments = [Segment { rhythm, window: window(0, 0) }];
        let days: Vec<String> = (1..=MOST)
            .map_while(|ordinal| nth(&segments, anchor, ordinal))
            .map(|(day, _)| day.to_string())
            .collect();
        let _ = writeln!(lines, "{}", json!({"anchor": anchor.to_string(), "rhythm": json, "days": days}));
    }
    agree("recur.py", &lines, SEED);
}
