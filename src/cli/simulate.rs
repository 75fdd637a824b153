//! `tend simulate WORKFLOW --patients N --days D --seed S [--json] [--html FILE]`: a synthetic population through the
//! real engine. Nothing is sent and nothing is stored.

use std::{path::PathBuf, process::ExitCode, time::Instant};

use clap::Args;
use serde::Serialize;
use tend_engine::{
    simulate::{Behaviour, Day, Plan, Totals, simulate, walk_the_dates},
    site::SiteSettings,
};

use crate::library;

/// Walk a synthetic population through a workflow; nothing is sent
#[derive(Debug, Args)]
pub struct Simulate {
    /// The workflow's name
    workflow: String,
    /// Patients
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    patients: u32,
    /// Days after enrolment
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=36_600))]
    days: u32,
    /// Where chance begins: the same seed gives the same run
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    /// Write a page with plots
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// What is printed.
#[derive(Serialize)]
struct Report<'a> {
    workflow: &'a str,
    patients: u32,
    days: u32,
    seed: u64,
    behaviour: Behaviour,
    contacts_per_patient_and_day: f64,
    first_answer_share: f64,
    alert_share: f64,
    seconds: f64,
    patient_days_per_second: f64,
    plain_seconds: f64,
    ratio: f64,
    totals: &'a Totals,
}

impl Simulate {
    /// Runs it and prints what was counted.
    ///
    /// # Errors
    /// A sentence when the workflow is not there or a file cannot be written.
    pub fn run(&self) -> Result<ExitCode, String> {
        let library = library::load(None);
        let workflow = library::workflow(&library, &self.workflow)?;
        let site = SiteSettings { zone: "Europe/London".into(), ..SiteSettings::default() };
        let plan = Plan {
            workflow,
            site: &site,
            behaviour: Behaviour::default(),
            patients: self.patients,
            days: self.days,
            seed: self.seed,
        };
        let begun = Instant::now();
        let totals = simulate(&plan).map_err(|error| error.to_string())?;
        let seconds = begun.elapsed().as_secs_f64();
        let begun = Instant::now();
        walk_the_dates(&plan).map_err(|error| error.to_string())?;
        let plain_seconds = begun.elapsed().as_secs_f64();
        let patient_days = f64::from(self.patients) * f64::from(self.days);
        let report = Report {
            workflow: &self.workflow,
            patients: self.patients,
            days: self.days,
            seed: self.seed,
            behaviour: plan.behaviour,
            contacts_per_patient_and_day: share(totals.contacts, patient_days),
            first_answer_share: totals.first_answer_share(),
            alert_share: totals.alert_share(),
            seconds,
            patient_days_per_second: patient_days / seconds,
            plain_seconds,
            ratio: plain_seconds / seconds,
            totals: &totals,
        };
        if self.json {
            println!("{}", serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?);
        } else {
            print!("{}", for_people(&report));
        }
        if let Some(path) = &self.html {
            std::fs::write(path, page(&report)).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a simulation stay far below 2^52")]
fn share(part: u64, whole: f64) -> f64 {
    part as f64 / whole
}

fn lines(report: &Report<'_>) -> Vec<(&'static str, String)> {
    let totals = report.totals;
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let alerts: Vec<String> =
        totals.alerts.iter().map(|(level, count)| format!("{level:?} {count}").to_lowercase()).collect();
    let patients = f64::from(report.patients);
    vec![
        ("contacts per patient and day", format!("{:.3}", report.contacts_per_patient_and_day)),
        ("most contacts of one patient on one day", totals.most_contacts_a_day.to_string()),
        ("questionnaires asked", totals.asked.to_string()),
        ("answered", format!("{} ({} late)", totals.answered, totals.answered_late)),
        (
            "first messages answered without a reminder",
            percent(report.first_answer_share) + " (82.8 % in a programme of texts after discharge)",
        ),
        ("reminders", totals.reminders.to_string()),
        (
            "answers that alert",
            percent(report.alert_share) + " (34 % of weekly surveys in a trial during cancer treatment)",
        ),
        ("alerts raised", alerts.join(", ")),
        ("other tasks", totals.tasks.to_string()),
        ("nurse minutes per patient", format!("{:.1}", share(totals.nurse_minutes, patients))),
        ("patients silent three times in a row", percent(share(totals.silent_patients, patients))),
        ("patients who stopped text messages", totals.stopped.to_string()),
    ]
}

fn for_people(report: &Report<'_>) -> String {
    let mut text = format!(
        "{}: {} patients, {} days, seed {} - simulated, nothing was sent\n",
        report.workflow, report.patients, report.days, report.seed
    );
    for (what, figure) in lines(report) {
        text += &format!("  {what:<44} {figure}\n");
    }
    text += "  day   contacts   answered   alerts   nurse minutes\n";
    let step = report.totals.days.len().div_ceil(30).max(1);
    for (first, days) in report.totals.days.chunks(step).enumerate() {
        let sum = |of: fn(&Day) -> u64| days.iter().map(of).sum::<u64>();
        text += &format!(
            "  {:<5} {:>8} {:>10} {:>8} {:>15}\n",
            first * step,
            sum(|day| day.contacts),
            sum(|day| day.answered),
            sum(|day| day.alerts),
            sum(|day| day.nurse_minutes),
        );
    }
    text += &format!(
        "{:.2} s, {:.0} patient-days/s; a plain loop over the same dates takes {:.2} s (ratio {:.3})\n",
        report.seconds, report.patient_days_per_second, report.plain_seconds, report.ratio
    );
    text
}

/// A figure of a day.
type Figure = fn(&Day) -> u64;

/// The same as a page that stands alone: a table and a plot for each figure by day.
fn page(report: &Report<'_>) -> String {
    let title = format!("{}, simulated", report.workflow);
    let rows: String = lines(report)
        .iter()
        .map(|(what, figure)| format!("<tr><th>{what}</th><td>{figure}</td></tr>\n"))
        .collect();
    let days = &report.totals.days;
    let plots: [(&str, Figure); 4] = [
        ("Contacts by day", |day| day.contacts),
        ("Questionnaires answered by day", |day| day.answered),
        ("Alerts by day", |day| day.alerts),
        ("Nurse minutes by day", |day| day.nurse_minutes),
    ];
    let plots: String = plots.iter().map(|(title, of)| plot(title, days, *of)).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\n\
         <style>body{{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}}\
         th{{text-align:left;font-weight:normal;padding-right:2rem}}svg{{width:100%;height:auto}}\
         rect{{fill:#1f6f6b}}</style>\n<h1>{title}</h1>\n\
         <p>{} synthetic patients over {} days, seed {}. No message was sent and no row was written.</p>\n\
         <table>\n{rows}</table>\n{plots}</html>\n",
        report.patients, report.days, report.seed
    )
}

fn plot(title: &str, days: &[Day], of: fn(&Day) -> u64) -> String {
    const HEIGHT: u64 = 120;
    let most = days.iter().map(of).max().unwrap_or(0).max(1);
    let bar = |(day, counted): (usize, &Day)| {
        let height = of(counted) * HEIGHT / most;
        format!("<rect x=\"{}\" y=\"{}\" width=\"7\" height=\"{height}\"/>", day * 8, HEIGHT - height)
    };
    let bars: String = days.iter().enumerate().map(bar).collect();
    format!(
        "<h2>{title}</h2>\n<svg viewBox=\"0 0 {} {HEIGHT}\" role=\"img\" aria-label=\"{title}, at most {most}\">{bars}</svg>\n\
         <p>Day 0 to {}, at most {most} a day.</p>\n",
        days.len() * 8,
        days.len().saturating_sub(1)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_stands_alone_and_says_that_nothing_was_sent() {
        let totals = Totals { days: vec![Day { contacts: 3, ..Day::default() }; 4], ..Totals::default() };
        let report = Report {
            workflow: "knee",
            patients: 3,
            days: 3,
            seed: 1,
            behaviour: Behaviour::default(),
            contacts_per_patient_and_day: 1.0,
            first_answer_share: 0.5,
            alert_share: 0.1,
            seconds: 1.0,
            patient_days_per_second: 9.0,
            plain_seconds: 0.1,
            ratio: 0.1,
            totals: &totals,
        };
        let page = page(&report);
        assert!(page.contains("No message was sent") && page.contains("<svg"), "{page}");
        assert!(for_people(&report).contains("nothing was sent"));
    }
}
