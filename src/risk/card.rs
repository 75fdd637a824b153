//! The model card: what a clinician and an auditor should know, in the order of the 31 source attributes.

use std::fmt::Write;

use crate::model::{Model, ModelFile};
use crate::schema::Kind;
use crate::score::plain;
use crate::tripod;

/// The groups and their attributes, numbered from 1 throughout.
const ATTRIBUTES: [(&str, &[&str]); 9] = [
    (
        "Details and output",
        &[
            "Developer name and contact",
            "Funding of the technical work",
            "Value that the model outputs",
            "Type of output",
        ],
    ),
    ("Purpose", &["Intended use", "Intended patients", "Intended users", "Intended role in the decision"]),
    (
        "Cautions",
        &["Tasks, situations and populations to avoid", "Known risks, wrong settings and uses, limits"],
    ),
    (
        "Development and inputs",
        &[
            "Inclusion and exclusion that shaped the training data",
            "Use of race, ethnicity, language, sexual orientation, gender identity, sex, birth date, social determinants, health-status assessments",
            "Demographic representativeness",
            "Relevance of the training data to the place of use",
        ],
    ),
    ("Fairness", &["Approach to fair output", "Ways to manage, reduce and remove bias"]),
    (
        "External validation",
        &[
            "Data source and setting",
            "Who did the external test",
            "Representativeness of the external data",
            "How it was done",
        ],
    ),
    (
        "Performance",
        &[
            "Validity, test data of the same source",
            "Fairness, test data of the same source",
            "Validity, external data",
            "Fairness, external data",
            "References to evaluations of outcomes",
        ],
    ),
    (
        "Maintenance",
        &[
            "How and how often validity is monitored",
            "Validity in local data",
            "How and how often fairness is monitored",
            "Fairness in local data",
        ],
    ),
    (
        "Updates",
        &[
            "How and how often the model is updated",
            "How often performance is corrected when a risk to validity or fairness is found",
        ],
    ),
];

/// Positions, among all attributes, of those that the program fills in from its own figures.
const VALIDITY: usize = 21;
const FAIRNESS: usize = 22;

/// What card and page say of a training that somebody ended.
pub const STOPPED_EARLY: &str =
    "The training was stopped early: the model is whole, and has not learned all that it would have.";

/// The card of a model in Markdown.
pub fn card(model: &Model) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_card(&mut out, model.file());
    out
}

fn write_card(out: &mut String, file: &ModelFile) -> std::fmt::Result {
    let about = &file.about;
    let title = if about.title.en.is_empty() { "Risk model" } else { &about.title.en };
    writeln!(out, "# {title}\n")?;
    writeln!(out, "Model `{}` (SHA-256 of the weights `{}`).\n", file.version, file.weights_sha256)?;
    for text in [&about.trained_on.en, &about.not_validated.en] {
        if !text.is_empty() {
            writeln!(out, "**{text}**\n")?;
        }
    }
    if !about.attribution.is_empty() {
        writeln!(out, "Data: {}\n\nLicence of the data: {}\n", about.attribution, about.licence)?;
    }
    figures(out, file)?;
    for section in &about.section {
        writeln!(out, "## {}\n\n{}\n", section.heading, section.text.trim())?;
    }
    attributes(out, file)?;
    tripod::write(out, file)?;
    inputs(out, file)
}

fn figures(out: &mut String, file: &ModelFile) -> std::fmt::Result {
    let training = &file.training;
    writeln!(out, "## Training\n")?;
    writeln!(
        out,
        "{} rows of {} patients, {} with the event. SHA-256 of the data `{}`. Seed {}; the same data and seed on the same machine give the same bytes.",
        training.rows, training.ids, training.events, training.data_sha256, training.seed
    )?;
    writeln!(
        out,
        "A linear path (ridge {}) beside {} members ({} inner folds, {} hidden units, {} epochs) and {} trees; calibration fitted on held-out predictions: intercept {:.3}, slope of the linear path {:.3}, of the members {:.3}, of the trees {:.3}.\n",
        plain(training.ridge),
        training.members,
        training.inner_folds,
        training.hidden,
        training.epochs,
        training.trees,
        file.calibration.intercept,
        file.calibration.linear,
        file.calibration.members,
        file.calibration.trees
    )?;
    if training.stopped_early {
        writeln!(out, "**{STOPPED_EARLY}**\n")?;
    }
    if file.metric.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "Figures on rows held out inside training (epochs, shrinkage and calibration were chosen on the same rows, so slightly optimistic), with 95 % bootstrap intervals by patient:\n"
    )?;
    writeln!(out, "| figure | value | 95 % interval |\n|---|---|---|")?;
    for metric in &file.metric {
        let at = metric.horizon.map_or_else(String::new, |h| format!(" at {}", plain(h)));
        writeln!(
            out,
            "| {}{at} | {:.4} | {:.4} to {:.4} |",
            metric.name, metric.value, metric.low, metric.high
        )?;
    }
    writeln!(out)?;
    by_fold(out, file)?;
    plots(out, file)?;
    subgroups(out, file)
}

/// Calibration by tenths and net benefit, as tables; `page` draws them.
fn plots(out: &mut String, file: &ModelFile) -> std::fmt::Result {
    for at in horizons(file) {
        plots_at(out, file, at)?;
    }
    Ok(())
}

/// The horizons of the tenths and of the decision curve; a single one that is none for a label.
pub fn horizons(file: &ModelFile) -> Vec<Option<f64>> {
    let mut out: Vec<Option<f64>> = file.tenth.iter().map(|tenth| tenth.horizon).collect();
    out.dedup();
    out
}

/// " at 30" in a heading, nothing for a label.
pub fn at_horizon(at: Option<f64>) -> String {
    at.map_or_else(String::new, |horizon| format!(" at {}", plain(horizon)))
}

fn plots_at(out: &mut String, file: &ModelFile, at: Option<f64>) -> std::fmt::Result {
    let when = at_horizon(at);
    writeln!(out, "## Calibration by tenths of risk{when}\n\nOn the same held-out rows.{}\n", by_curve(at))?;
    writeln!(out, "| tenth | rows | predicted | seen | 95 % interval |\n|---|---|---|---|---|")?;
    for (i, tenth) in file.tenth.iter().filter(|tenth| tenth.horizon == at).enumerate() {
        writeln!(
            out,
            "| {} | {} | {:.4} | {:.4} | {:.4} to {:.4} |",
            i + 1,
            tenth.rows,
            tenth.predicted,
            tenth.observed,
            tenth.low,
            tenth.high
        )?;
    }
    writeln!(
        out,
        "\n## Decision curve{when}\n\nNet benefit per patient of acting from a risk on: by the model, or on everybody.\n"
    )?;
    writeln!(out, "| acting from | model | everybody |\n|---|---|---|")?;
    for point in file.decision_curve.iter().filter(|point| point.horizon == at) {
        writeln!(out, "| {:.2} | {:.4} | {:.4} |", point.threshold, point.model, point.everybody)?;
    }
    writeln!(out)
}

/// How the seen share comes about.
pub fn by_curve(at: Option<f64>) -> &'static str {
    match at {
        Some(_) => {
            " The seen share is Kaplan and Meier's within the tenth, so that follow-up that ends early counts."
        }
        None => "",
    }
}

/// Column headings of the figures of a part.
pub fn part_heads(file: &ModelFile) -> (&'static str, String) {
    let discrimination = if file.intervals.is_label() { "AUROC" } else { "concordance" };
    let last = file.subgroup.first().and_then(|part| part.metric.last()).and_then(|metric| metric.horizon);
    (discrimination, format!("observed / expected{}", at_horizon(last)))
}

fn by_fold(out: &mut String, file: &ModelFile) -> std::fmt::Result {
    if file.fold_metric.is_empty() {
        return Ok(());
    }
    writeln!(out, "Fold by fold, each predicted by networks that had not seen it:\n")?;
    writeln!(out, "| figure | mean ± standard deviation | folds |\n|---|---|---|")?;
    for metric in &file.fold_metric {
        let folds: Vec<String> = metric.folds.iter().map(|v| format!("{v:.4}")).collect();
        writeln!(out, "| {} | {:.4} ± {:.4} | {} |", metric.name, metric.mean, metric.sd, folds.join(", "))?;
    }
    writeln!(out)
}

fn subgroups(out: &mut String, file: &ModelFile) -> std::fmt::Result {
    if file.subgroup.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "## Parts of the patients\n\nOn the same held-out rows, with 95 % bootstrap intervals by patient.\n"
    )?;
    let (ranks, ratio) = part_heads(file);
    writeln!(out, "| part | rows | events | {ranks} | {ratio} |\n|---|---|---|---|---|")?;
    for part in &file.subgroup {
        let cells: Vec<String> =
            part.metric.iter().map(|m| format!("{:.3} ({:.3} to {:.3})", m.value, m.low, m.high)).collect();
        let label = file.input.iter().find(|i| i.feature.name == part.feature);
        let label = label.map_or(part.feature.as_str(), |input| input.feature.label.en.as_str());
        writeln!(
            out,
            "| {label}: {} | {} | {} | {} |",
            part.name,
            part.rows,
            part.events,
            cells.join(" | ")
        )?;
    }
    writeln!(out)
}

fn attributes(out: &mut String, file: &ModelFile) -> std::fmt::Result {
    writeln!(out, "## The 31 source attributes\n")?;
    let mut number = 0;
    for (group, names) in ATTRIBUTES {
        writeln!(out, "### {group}\n")?;
        for name in names {
            number += 1;
            let text = file.about.attribute.get(&number.to_string());
            let own = match number {
                VALIDITY if !file.metric.is_empty() => Some("The tables under \"Training\"."),
                FAIRNESS if !file.subgroup.is_empty() => Some("The table under \"Parts of the patients\"."),
                _ => None,
            };
            let own = own.map(str::to_owned);
            let text = text.cloned().or(own);
            let text = text.unwrap_or_else(|| "Not available: nobody has stated it.".to_owned());
            writeln!(out, "{number}. **{name}.** {}", text.trim())?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn inputs(out: &mut String, file: &ModelFile) -> std::fmt::Result {
    writeln!(
        out,
        "## Inputs\n\n| input | in words | required | values that are scored | reference patient |\n|---|---|---|---|---|"
    )?;
    for input in &file.input {
        let feature = &input.feature;
        let unit = feature.unit.as_ref().map_or_else(String::new, |unit| format!(" {}", unit.en));
        let values = match &feature.kind {
            Kind::Number { min, max, .. } if *max < f64::MAX && *min > f64::MIN => {
                format!("{} to {}{unit}", plain(*min), plain(*max))
            }
            Kind::Number { .. } => format!("any number{unit}"),
            Kind::Boolean => "0 or 1".to_owned(),
            Kind::Category { levels } => {
                levels.iter().map(|level| level.name.as_str()).collect::<Vec<_>>().join(", ")
            }
        };
        let reference = crate::score::in_words(feature, input.reference.unwrap_or(f64::NAN));
        let required = if feature.required { "yes" } else { "no" };
        writeln!(
            out,
            "| `{}` | {} / {} | {required} | {values} | {} |",
            feature.name, feature.label.en, feature.label.zh, reference.en
        )?;
    }
    Ok(())
}
