//! `tend timeline WORKFLOW --from DATE --days D …`: the schedule of one patient on paper.

use std::{collections::BTreeMap, process::ExitCode};

use clap::Args;
use jiff::{civil::Date, tz::TimeZone};
use serde::Serialize;
use tend_engine::{
    Decimal, Name, Value,
    model::{FactKind, Workflow},
    site::Calendar,
    timeline::{Known, Line, Request, restarts_main, timeline},
};

use crate::library;

/// Exit code of a command line that cannot be understood.
const BAD_USAGE: u8 = 2;
/// Most days that are drawn: two hundred years.
const DAYS_MAX: u32 = 73_000;

/// Print the schedule of one patient
#[derive(Debug, Args)]
pub struct Timeline {
    /// The workflow's name
    workflow: String,
    /// Date of the main anchor
    #[arg(long, value_name = "DATE")]
    from: String,
    /// Days drawn after it
    #[arg(long)]
    days: u32,
    /// A fact, as NAME=VALUE; others are unknown or at the default of the file
    #[arg(long = "fact", value_name = "NAME=VALUE")]
    facts: Vec<String>,
    /// Another anchor or a new event, as NAME=DATE or NAME=DATE@KNOWN_SINCE
    #[arg(long = "anchor", value_name = "NAME=DATE[@KNOWN_SINCE]")]
    anchors: Vec<String>,
    /// The patient's time zone
    #[arg(long, default_value = "Europe/London")]
    zone: String,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// One line as it is printed.
#[derive(Serialize)]
struct Printed<'a> {
    step: &'a str,
    ordinal: u32,
    opens: String,
    due: String,
    closes: String,
    does: &'a str,
}

impl Timeline {
    /// Prints the timeline; exit code 2 when the command line cannot be understood.
    #[must_use]
    pub fn run(&self) -> ExitCode {
        match self.drawn() {
            Ok(text) => {
                print!("{text}");
                ExitCode::SUCCESS
            }
            Err(sentence) => {
                eprintln!("error: {sentence}");
                ExitCode::from(BAD_USAGE)
            }
        }
    }

    fn drawn(&self) -> Result<String, String> {
        let library = library::load(None);
        let workflow = library.compiled.workflow(&self.workflow).ok_or_else(|| {
            let names = library.compiled.workflows.iter().map(|(_, workflow)| workflow.id.as_str());
            format!("there is no workflow \"{}\": there is {}", self.workflow, listed(names))
        })?;
        let zone = TimeZone::get(&self.zone).map_err(|_| {
            format!(
                "\"{}\" is not a time zone: write a name such as Europe/London or Asia/Shanghai",
                self.zone
            )
        })?;
        if self.days > DAYS_MAX {
            return Err(format!("--days may be {DAYS_MAX} at most, not {}", self.days));
        }
        let from = date("--from", &self.from)?;
        let calendar = Calendar::default();
        let request = Request {
            workflow,
            calendar: &calendar,
            zone: &zone,
            from,
            days: self.days,
            facts: facts(workflow, &self.facts)?,
            anchors: self
                .anchors
                .iter()
                .map(|given| known(workflow, from, given))
                .collect::<Result<_, _>>()?,
        };
        let lines = timeline(&request);
        if self.json { as_json(&lines, &zone) } else { Ok(as_table(&lines, &zone)) }
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn date(what: &str, text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| format!("{what}: \"{text}\" is not a date: write YYYY-MM-DD"))
}

fn facts(workflow: &Workflow, given: &[String]) -> Result<BTreeMap<Name, Value>, String> {
    given.iter().map(|given| fact(workflow, given)).collect()
}

fn fact(workflow: &Workflow, given: &str) -> Result<(Name, Value), String> {
    let (name, value) =
        given.split_once('=').ok_or_else(|| format!("--fact \"{given}\": write NAME=VALUE"))?;
    let def = workflow.facts.iter().find(|def| def.id == *name).ok_or_else(|| {
        let names = workflow.facts.iter().map(|def| def.id.as_str());
        format!("{} has no fact \"{name}\": it has {}", workflow.id, listed(names))
    })?;
    let wrong = |expected: String| format!("--fact {name}: \"{value}\" is not {expected}");
    let number = || Decimal::parse(value).map_err(|error| format!("--fact {name}: {error}"));
    let value = match &def.kind {
        FactKind::Boolean => match value {
            "true" | "yes" => Value::Bool(true),
            "false" | "no" => Value::Bool(false),
            _ => return Err(wrong("yes or no: write true or false".into())),
        },
        FactKind::Choice(options) => {
            let chosen = options.iter().find(|(option, _)| *option == *value);
            let names = options.iter().map(|(option, _)| option.as_str());
            Value::Choice(
                chosen
                    .map(|(option, _)| option.clone())
                    .ok_or_else(|| wrong(format!("one of {}", listed(names))))?,
            )
        }
        FactKind::Whole { min, max } => {
            let number = number()?;
            let (low, high) = (Decimal::whole(*min), Decimal::whole(*max));
            let whole = number == Decimal::whole(number.rounded()) && low <= number && number <= high;
            if whole {
                Value::Number(number)
            } else {
                return Err(wrong(format!("a whole number from {min} to {max}")));
            }
        }
        FactKind::Quantity { unit, min, max } => {
            let number = number()?;
            let inside = *min <= number && number <= *max;
            if inside {
                Value::Number(number)
            } else {
                return Err(wrong(format!("between {min} and {max} {unit}")));
            }
        }
        FactKind::Date => Value::Date(date(&format!("--fact {name}"), value)?),
    };
    Ok((def.id.clone(), value))
}

/// A new event of the main clock is known from its day on; any other anchor from the start.
fn known(workflow: &Workflow, from: Date, given: &str) -> Result<Known, String> {
    let (name, rest) = given
        .split_once('=')
        .ok_or_else(|| format!("--anchor \"{given}\": write NAME=DATE or NAME=DATE@KNOWN_SINCE"))?;
    let def = workflow.anchors.iter().find(|def| def.id == *name).ok_or_else(|| {
        let names = workflow.anchors.iter().map(|def| def.id.as_str());
        format!("{} has no anchor \"{name}\": it has {}", workflow.id, listed(names))
    })?;
    let (day, since) = match rest.split_once('@') {
        Some((day, since)) => (date("--anchor", day)?, Some(date("--anchor", since)?)),
        None => (date("--anchor", rest)?, None),
    };
    let default = if restarts_main(workflow, &def.id).is_some() { day } else { from };
    Ok(Known { anchor: def.id.clone(), date: day, since: since.unwrap_or(default) })
}

fn as_json(lines: &[Line], zone: &TimeZone) -> Result<String, String> {
    let iso = |at: jiff::Timestamp| at.display_with_offset(zone.to_offset(at)).to_string();
    let printed: Vec<Printed<'_>> = lines
        .iter()
        .map(|line| Printed {
            step: line.step.as_str(),
            ordinal: line.ordinal,
            opens: iso(line.opens),
            due: iso(line.due),
            closes: iso(line.closes),
            does: line.does,
        })
        .collect();
    let json = serde_json::to_string_pretty(&printed);
    json.map(|json| json + "\n").map_err(|error| format!("the timeline could not be written: {error}"))
}

fn as_table(lines: &[Line], zone: &TimeZone) -> String {
    use std::fmt::Write as _;
    let wide = lines.iter().map(|line| line.step.as_str().len()).max().unwrap_or(4).max(4);
    let mut table = format!(
        "{:<16}  {:<5}  {:<wide$}  {:>3}  {:<16}  {:<16}\n",
        "due", "does", "step", "no", "opens", "closes"
    );
    let local = |at| zone.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string();
    for line in lines {
        let (due, opens, closes) = (local(line.due), local(line.opens), local(line.closes));
        let _ = writeln!(
            table,
            "{due:<16}  {:<5}  {:<wide$}  {:>3}  {opens:<16}  {closes:<16}",
            line.does,
            line.step.as_str(),
            line.ordinal
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(facts: &[&str], anchors: &[&str], days: u32) -> Result<Vec<(String, String)>, String> {
        let text = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        let command = Timeline {
            workflow: "nmibc-surveillance".into(),
            from: "2026-01-31".into(),
            days,
            facts: text(facts),
            anchors: text(anchors),
            zone: "Europe/London".into(),
            json: true,
        };
        let json: Vec<serde_json::Value> =
            serde_json::from_str(&command.drawn()?).map_err(|error| error.to_string())?;
        let cell = |line: &serde_json::Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
        Ok(json
            .iter()
            .filter(|line| cell(line, "step") == "cystoscopy")
            .map(|line| (cell(line, "due"), line["ordinal"].to_string()))
            .collect())
    }

    #[test]
    fn high_risk_has_fourteen_examinations_in_five_years_clamped_at_month_end() {
        let lines = drawn(&["risk_group=high"], &[], 1830).unwrap();
        assert_eq!(lines.len(), 14);
        assert_eq!(lines[0], ("2026-04-30T09:00:00+01:00".to_owned(), "1".to_owned()));
        assert_eq!(lines[1].0, "2026-07-31T09:00:00+01:00");
        assert_eq!(lines[3].0, "2027-01-31T09:00:00+00:00");
    }

    #[test]
    fn a_recurrence_restarts_the_clock_from_the_day_it_is_known() {
        let lines = drawn(&["risk_group=low"], &["recurrence=2027-09-10"], 800).unwrap();
        let due: Vec<&str> = lines.iter().map(|(due, _)| &due[..10]).collect();
        assert_eq!(due, ["2026-04-30", "2027-01-31", "2027-12-10"]);
        assert_eq!(lines[2].1, "1");
        let later = drawn(&["risk_group=low"], &["recurrence=2027-09-10@2028-01-01"], 800).unwrap();
        let due: Vec<&str> = later.iter().map(|(due, _)| &due[..10]).collect();
        assert_eq!(due, ["2026-04-30", "2027-01-31"]);
    }

    #[test]
    fn mistakes_name_what_exists() {
        assert!(drawn(&["risk=high"], &[], 10).unwrap_err().contains("it has risk_group, local_plan"));
        assert!(
            drawn(&["risk_group=hi"], &[], 10)
                .unwrap_err()
                .contains("one of low, intermediate, high, very_high")
        );
        assert!(drawn(&[], &["relapse=2027-01-01"], 10).unwrap_err().contains("it has turbt, recurrence"));
        assert!(drawn(&[], &["recurrence=soon"], 10).unwrap_err().contains("write YYYY-MM-DD"));
    }
}
