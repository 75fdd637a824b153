//! `tend explore WORKFLOW [--json] [--save FILE]`: every course that a workflow can take, and what goes wrong on one.

use std::{path::PathBuf, process::ExitCode, time::Instant};

use clap::Args;
use tend_engine::{
    explore::{Bounds, Report, explore},
    site::SiteSettings,
};

use crate::library;

/// Walk every course that a workflow can take
#[derive(Debug, Args)]
pub struct Explore {
    /// The workflow's name
    workflow: String,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    /// Write the first finding as a case file
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Deviations in one course
    #[arg(long, value_name = "N", default_value_t = Bounds::default().deviations)]
    deviations: u8,
    /// Most states
    #[arg(long, value_name = "N", default_value_t = Bounds::default().states_max)]
    states: usize,
}

impl Explore {
    /// Prints what was walked and found; exit code 1 if something was found.
    ///
    /// # Errors
    /// A sentence when the workflow is not there or a file cannot be written.
    pub fn run(&self) -> Result<ExitCode, String> {
        let library = library::load(None);
        let workflow = library::workflow(&library, &self.workflow)?;
        let site = SiteSettings { zone: "Europe/London".into(), ..SiteSettings::default() };
        let bounds = Bounds { deviations: self.deviations, states_max: self.states, ..Bounds::default() };
        let begun = Instant::now();
        let report = explore(workflow, &site, bounds).map_err(|error| error.to_string())?;
        let seconds = begun.elapsed().as_secs_f64();
        if self.json {
            let json = serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?;
            println!("{json}");
        } else {
            print!("{}", for_people(&report, seconds));
        }
        if let Some(path) = &self.save {
            let Some(case) = report.findings.iter().find_map(|finding| finding.case.as_ref()) else {
                return Err("there is no story to save".to_owned());
            };
            std::fs::write(path, case).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(if report.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn for_people(report: &Report, seconds: f64) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        text += &format!("{}\n", finding.sentence);
        for line in &finding.story {
            text += &format!("    {line}\n");
        }
        text.push('\n');
    }
    let bounds = report.bounds;
    let until = report.until.map(|day| day.to_string()).unwrap_or_default();
    text += &format!(
        "{}: {} found. {} states, {} courses went on as one, {} advances, {seconds:.1} s\n\
         bounds: up to {} deviations in a course, the second within {} choices of the first; courses to {until}; after a \
         change of a date or fact that came before in the same way, {} days; ",
        report.workflow,
        report.findings.len(),
        report.states,
        report.merged,
        report.advances,
        bounds.deviations,
        bounds.choices_after,
        bounds.days_after_change,
    );
    text += &match report.left_out {
        0 => "nothing left out\n".to_owned(),
        n => format!(
            "{n} left out: courses beyond {} states, or sets of facts at the start\n",
            bounds.states_max
        ),
    };
    for unseen in &report.unseen {
        text += &format!("possible, but on no course within the bounds: {unseen}\n");
    }
    text
}
