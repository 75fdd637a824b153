//! How long it takes to walk every course of each shipped workflow, to simulate a population, and to check the library.
//!
//! `cargo bench -p tend-engine --bench courses [-- check|simulate|explore [WORKFLOW]]`. Beside the time that passed stands
//! the processor time of this thread, which other work on the machine changes little.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a bench reads the clock and prints"
)]

use std::{collections::BTreeMap, path::Path, time::Instant};

use tend_engine::{
    case::run::all,
    explore::{Bounds, Report, explore},
    model::Workflow,
    parse::{Compiled, compile},
    simulate::{Behaviour, Plan, simulate, walk_the_dates},
    site::SiteSettings,
};

fn main() {
    let mut files = BTreeMap::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workflows"), &mut files);
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let wanted = |what: &str| args.first().is_none_or(|first| first == what);
    let compiled = compile(&files);
    if wanted("check") {
        check(&files);
    }
    if wanted("simulate") {
        population(&compiled);
    }
    if wanted("explore") {
        for (_, workflow) in &compiled.workflows {
            if args.get(1).is_none_or(|name| workflow.id == **name) {
                courses(workflow);
            }
        }
    }
}

/// Time that passed, and processor time of this thread, in seconds.
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64, f64) {
    let (begun, used) = (Instant::now(), used());
    let made = work();
    let passed = begun.elapsed().as_secs_f64();
    (made, passed, self::used().zip(used).map_or(passed, |(after, before)| after - before))
}

/// Linux says it in nanoseconds.
fn used() -> Option<f64> {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: u64 = said.split(' ').next()?.parse().ok()?;
    Some(nanoseconds as f64 / 1e9)
}

fn site() -> SiteSettings {
    SiteSettings { zone: "Europe/London".into(), ..SiteSettings::default() }
}

fn check(files: &BTreeMap<String, Vec<u8>>) {
    let ((compiled, wrong), passed, used) = timed(|| {
        let compiled = compile(files);
        let wrong = all(&compiled).len() + compiled.diagnostics.len();
        (compiled, wrong)
    });
    println!(
        "check: {used:.2} s of processor time ({passed:.2} s passed) for {} files, {} workflows, {} cases; {wrong} problems",
        files.len(),
        compiled.workflows.len(),
        compiled.cases.len(),
    );
}

fn population(compiled: &Compiled) {
    let site = site();
    let workflow = compiled.workflow("hf-discharge-90d").expect("shipped");
    let plan =
        Plan { workflow, site: &site, behaviour: Behaviour::default(), patients: 1_000, days: 90, seed: 1 };
    let (totals, passed, used) = timed(|| simulate(&plan).expect("simulated"));
    let (dates, _, plain) = timed(|| walk_the_dates(&plan).expect("walked"));
    let patient_days = f64::from(plan.patients) * f64::from(plan.days);
    println!(
        "simulate hf-discharge-90d: {:.0} patient-days/s of processor time ({used:.2} s; {passed:.2} s passed), {} advances \
         ({:.2} µs each); a plain loop over the same {dates} dates: {:.0} patient-days/s, ratio {:.3}; {:.1} % of first \
         messages answered, {:.1} % of answers alert",
        patient_days / used,
        totals.advances,
        used * 1e6 / totals.advances as f64,
        patient_days / plain,
        plain / used,
        100.0 * totals.first_answer_share(),
        100.0 * totals.alert_share(),
    );
}

fn courses(workflow: &Workflow) {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u32>().ok());
    let mut bounds = Bounds::default();
    if let Some(deviations) = number("DEVIATIONS") {
        bounds.deviations = u8::try_from(deviations).unwrap_or(u8::MAX);
    }
    if let Some(states) = number("STATES") {
        bounds.states_max = states as usize;
    }
    if let Some(choices) = number("CHOICES") {
        bounds.choices_after = u8::try_from(choices).unwrap_or(u8::MAX);
    }
    let site = site();
    let (report, passed, used) = timed(|| explore(workflow, &site, bounds).expect("walked"));
    told(&report, passed, used);
}

fn told(report: &Report, passed: f64, used: f64) {
    println!(
        "explore {}: {used:.2} s of processor time ({passed:.2} s passed), {} states, {} merged, {} advances ({:.1} µs \
         each), {} left out, until {:?}, {} found",
        report.workflow,
        report.states,
        report.merged,
        report.advances,
        used * 1e6 / report.advances as f64,
        report.left_out,
        report.until,
        report.findings.len(),
    );
    for unseen in &report.unseen {
        println!("    unseen: {unseen}");
    }
    for finding in &report.findings {
        println!("    {:?} {}: {}", finding.kind, finding.about, finding.sentence);
        for line in &finding.story {
            println!("        {line}");
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
