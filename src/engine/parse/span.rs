//! Lengths of time, times of day, windows, values.

use jiff::civil::{Date, Time};

use super::{
    fields::{Fields, scalar, shorten},
    tree::Node,
};
use crate::{
    Decimal, Name, Value,
    diagnostic::{Log, nearest, suggest},
    model::{FactKind, Span, Window, schedule::EXPIRES_DAYS_DEFAULT},
};

/// The longest length of time, in days.
pub const SPAN_DAYS_MAX: i32 = 36_600;
/// The widest side of a window, and the longest life of a link after it, in days.
pub const WINDOW_DAYS_MAX: u32 = 366;

type MakeSpan = fn(i32) -> Span;

/// A unit's name, what it makes, and how many of it are a day if it is shorter than one.
const UNITS: [(&str, MakeSpan, i32); 6] = [
    ("minute", Span::Minutes, 1440),
    ("hour", Span::Hours, 24),
    ("day", Span::Days, 1),
    ("week", Span::Weeks, 1),
    ("month", Span::Months, 1),
    ("year", Span::Years, 1),
];

/// A length of time such as `4 hours`, `1 day` or `-28 days`.
pub fn span(node: &Node, log: &mut Log) -> Option<Span> {
    let text = scalar(node, "a length of time such as 3 days", log)?;
    match parse_span(text) {
        Ok(span) => Some(span),
        Err(help) => {
            let message = format!("\"{}\" is not a length of time", shorten(text));
            log.error("E201", node.at, message, help);
            None
        }
    }
}

/// Reads a length of time.
///
/// # Errors
/// The mend.
pub fn parse_span(text: &str) -> Result<Span, String> {
    let usage = || "write a whole number and a unit, for example 3 days".to_owned();
    let (number, unit) = text.trim().split_once(' ').ok_or_else(usage)?;
    let number: i32 = number.parse().map_err(|_| usage())?;
    let unit = unit.trim();
    let singular = unit.strip_suffix('s').unwrap_or(unit);
    let Some((_, make, per_day)) = UNITS.iter().find(|(known, ..)| *known == singular) else {
        let both = [
            "minute", "hour", "day", "week", "month", "year", "minutes", "hours", "days", "weeks", "months",
            "years",
        ];
        let near = nearest(unit, both).map(|near| format!("did you mean \"{number} {near}\"?"));
        return Err(
            near.unwrap_or_else(|| "units are minutes, hours, days, weeks, months and years".to_owned())
        );
    };
    let span = make(number);
    if days_about(span).abs() > SPAN_DAYS_MAX || number.unsigned_abs() > 1_000_000 / per_day.unsigned_abs() {
        return Err("at most 100 years are planned".to_owned());
    }
    Ok(span)
}

/// About how many days, for order and limits only.
#[must_use]
pub fn days_about(span: Span) -> i32 {
    match span {
        Span::Minutes(n) => n / 1440,
        Span::Hours(n) => n / 24,
        Span::Days(n) => n,
        Span::Weeks(n) => n.saturating_mul(7),
        Span::Months(n) => n.saturating_mul(61) / 2,
        Span::Years(n) => n.saturating_mul(1461) / 4,
    }
}

/// A length of whole civil days or longer.
pub fn civil_span(node: &Node, what: &str, log: &mut Log) -> Option<Span> {
    let span = span(node, log)?;
    if matches!(span, Span::Minutes(_) | Span::Hours(_)) {
        let message = format!("{what} is counted in days or longer, not in hours or minutes");
        log.error("E201", node.at, message, "write days and set the hour with \"time\"");
        return None;
    }
    Some(span)
}

/// A length of time that is not negative.
pub fn positive_span(node: &Node, what: &str, log: &mut Log) -> Option<Span> {
    let span = span(node, log)?;
    if minutes_about(span) < 0 {
        log.error("E203", node.at, format!("{what} cannot be negative"), "write it without the minus");
        return None;
    }
    Some(span)
}

/// About how many minutes, for order only.
#[must_use]
pub fn minutes_about(span: Span) -> i64 {
    match span {
        Span::Minutes(n) => i64::from(n),
        Span::Hours(n) => i64::from(n) * 60,
        Span::Days(_) | Span::Weeks(_) | Span::Months(_) | Span::Years(_) => {
            i64::from(days_about(span)) * 1440
        }
    }
}

/// A number of whole days, not negative.
fn days(node: &Node, what: &str, log: &mut Log) -> Option<u32> {
    let days = match civil_span(node, what, log)? {
        Span::Days(n) => n,
        Span::Weeks(n) => n.saturating_mul(7),
        Span::Minutes(_) | Span::Hours(_) | Span::Months(_) | Span::Years(_) => {
            log.error("E201", node.at, format!("{what} is counted in days or weeks"), "write it in days");
            return None;
        }
    };
    match u32::try_from(days) {
        Ok(days) if days <= WINDOW_DAYS_MAX => Some(days),
        Ok(_) => {
            log.error(
                "E108",
                node.at,
                format!("{what} is at most {WINDOW_DAYS_MAX} days"),
                "write fewer days",
            );
            None
        }
        Err(_) => {
            log.error("E203", node.at, format!("{what} cannot be negative"), "write it without the minus");
            None
        }
    }
}

/// A window such as `{before: 14 days, after: 14 days}`.
pub fn window(node: &Node, log: &mut Log) -> Option<Window> {
    let fields = Fields::of(node, "a window", &["before", "after", "expires"], log)?;
    let mut side = |key: &str, default: u32, what: &str| match fields.get(key) {
        Some(node) => days(node, what, log),
        None => Some(default),
    };
    let before_days = side("before", 0, "the time before");
    let after_days = side("after", 0, "the time after");
    let expires_days = side("expires", EXPIRES_DAYS_DEFAULT, "the life of the link");
    Some(Window { before_days: before_days?, after_days: after_days?, expires_days: expires_days? })
}

/// A time of day such as `"09:00"`.
pub fn time(node: &Node, log: &mut Log) -> Option<Time> {
    let text = scalar(node, "a time of day such as \"09:00\"", log)?;
    let read = || {
        let (hour, minute) = text.split_once(':')?;
        let good = hour.len() == 2 && minute.len() == 2;
        let (hour, minute) = (hour.parse().ok()?, minute.parse().ok()?);
        good.then(|| Time::new(hour, minute, 0, 0).ok()).flatten()
    };
    let found = read();
    if found.is_none() {
        let message = format!("\"{}\" is not a time of day", shorten(text));
        log.error("E202", node.at, message, "write hours and minutes, for example \"09:00\"");
    }
    found
}

/// A civil date.
pub fn date(node: &Node, log: &mut Log) -> Option<Date> {
    let text = scalar(node, "a date such as 2026-03-31", log)?;
    let found = (text.len() == 10).then(|| text.parse::<Date>().ok()).flatten();
    if found.is_none() {
        let message = format!("\"{}\" is not a date that exists", shorten(text));
        log.error("E103", node.at, message, "write year, month and day, for example 2026-03-31");
    }
    found
}

/// A value of a fact's type, within its range.
pub fn value(node: &Node, kind: &FactKind, log: &mut Log) -> Option<Value> {
    let text = scalar(node, "a value", log)?;
    match parse_value(text, kind) {
        Ok(value) => Some(value),
        Err((code, message, help)) => {
            log.error(code, node.at, message, help);
            None
        }
    }
}

/// Reads a value of a fact's type.
///
/// # Errors
/// Code, message and mend.
pub fn parse_value(text: &str, kind: &FactKind) -> Result<Value, (&'static str, String, String)> {
    let shown = shorten(text);
    let bare = |text: &str, unit: &str| text.strip_suffix(unit).unwrap_or(text).trim().to_owned();
    let number = |text: &str| {
        Decimal::parse(text)
            .map_err(|_| ("E103", format!("\"{shown}\" is not a number"), "write digits".to_owned()))
    };
    let inside = |n: Decimal, min: Decimal, max: Decimal| {
        if (min..=max).contains(&n) {
            return Ok(Value::Number(n));
        }
        Err((
            "E108",
            format!("{n} lies outside {min} to {max}"),
            format!("write a value from {min} to {max}"),
        ))
    };
    match kind {
        FactKind::Boolean => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err((
                "E103",
                format!("\"{shown}\" is neither true nor false"),
                "write true or false".to_owned(),
            )),
        },
        FactKind::Choice(options) => match options.iter().find(|(id, _)| *id == *text) {
            Some((id, _)) => Ok(Value::Choice(id.clone())),
            None => {
                let help = suggest(text, options.iter().map(|(id, _): &(Name, _)| id.as_str()));
                Err(("E107", format!("\"{shown}\" is not one of the options"), help))
            }
        },
        FactKind::Whole { min, max } => {
            let n = number(text)?;
            if Decimal::whole(n.rounded()) != n {
                return Err((
                    "E103",
                    format!("{n} is not a whole number"),
                    "leave out the places".to_owned(),
                ));
            }
            inside(n, Decimal::whole(*min), Decimal::whole(*max))
        }
        FactKind::Quantity { unit, min, max } => inside(number(&bare(text, unit))?, *min, *max),
        FactKind::Date => text
            .parse::<Date>()
            .map(Value::Date)
            .map_err(|_| ("E103", format!("\"{shown}\" is not a date"), "write 2026-03-31".to_owned())),
    }
}
