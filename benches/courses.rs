//! How long it takes to walk every course of each shipped workflow, and to simulate a population.
//!
//! `cargo bench -p tend-engine --bench courses`

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a bench reads the clock and prints"
)]

use std::{collections::BTreeMap, path::Path, time::Instant};

use tend_engine::{
    explore::{Bounds, explore},
    parse::compile,
    simulate::{Behaviour, Plan, simulate, walk_the_dates},
    site::SiteSettings,
};

fn main() {
    let mut files = BTreeMap::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workflows"), &mut files);
    let compiled = compile(&files);
    let site = SiteSettings { zone: "Europe/London".into(), ..SiteSettings::default() };
    let workflow = compiled.workflow("hf-discharge-90d").expect("shipped");
    let plan =
        Plan { workflow, site: &site, behaviour: Behaviour::default(), patients: 500, days: 90, seed: 1 };
    let begun = Instant::now();
    let totals = simulate(&plan).expect("simulated");
    let took = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    let dates = walk_the_dates(&plan).expect("walked");
    let plain = begun.elapsed().as_secs_f64();
    let patient_days = f64::from(plan.patients) * f64::from(plan.days);
    println!(
        "simulate hf-discharge-90d: {:.0} patient-days/s, {} advances ({:.2} µs each); the same {dates} dates in a plain \
         loop: {:.0} patient-days/s; {:.1} % of first messages answered, {:.1} % of answers alert",
        patient_days / took,
        totals.advances,
        took * 1e6 / totals.advances as f64,
        patient_days / plain,
        100.0 * totals.first_answer_share(),
        100.0 * totals.alert_share(),
    );
    let deviations = std::env::var("DEVIATIONS").ok().and_then(|n| n.parse().ok());
    for (_, workflow) in &compiled.workflows {
        let bounds =
            Bounds { deviations: deviations.unwrap_or(Bounds::default().deviations), ..Bounds::default() };
        let begun = Instant::now();
        let report = explore(workflow, &site, bounds).expect("walked");
        let took = begun.elapsed().as_secs_f64();
        println!(
            "explore {}: {took:.2} s, {} states, {} merged, {} advances ({:.1} µs each), {} left out, until {:?}, {} found",
            workflow.id,
            report.states,
            report.merged,
            report.advances,
            took * 1e6 / report.advances as f64,
            report.left_out,
            report.until,
            report.findings.len(),
        );
        for unseen in &report.unseen {
            println!("    unseen: {unseen}");
        }
        for finding in report.findings {
            println!("    {:?} {}: {}", finding.kind, finding.about, finding.sentence);
            for line in finding.story {
                println!("        {line}");
            }
        }
    }
}

fn read(folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            read(&entry, files);
        } else if entry.extension().is_some_and(|end| end == "yaml") {
            files.insert(entry.display().to_string(), std::fs::read(&entry).expect("a file"));
        }
    }
}
