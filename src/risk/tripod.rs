//! The reporting items of TRIPOD+AI, in its order: what the program knows it says, the rest is for the author.

use std::fmt::Write;

use crate::model::ModelFile;

/// What the program can say of an item.
type Says = fn(&ModelFile) -> Option<String>;

/// Items, and what the program can say of them.
const ITEMS: [(&str, Says); 27] = [
    ("Title", |f| some(&f.about.title.en)),
    ("Abstract", |f| some(&f.about.outcome.en)),
    ("Background and objectives", |f| attribute(f, 5)),
    ("Data source and dates", |f| some(&f.about.attribution)),
    ("Participants", |f| attribute(f, 11)),
    ("Outcome", |f| some(&f.about.outcome.en)),
    ("Predictors", |f| Some(format!("{} inputs, in the table under \"Inputs\".", f.input.len()))),
    ("Sample size", |f| {
        let t = &f.training;
        Some(format!("{} rows of {} patients, {} with the event: all there were.", t.rows, t.ids, t.events))
    }),
    ("Missing data", |f| {
        let learned = if f.training.random_absence {
            " Optional inputs were also taken away at random while learning."
        } else {
            ""
        };
        Some(format!(
            "Nothing was imputed: absence is a state of its own. Without a required input there is no score.{learned}"
        ))
    }),
    ("Analysis", |f| {
        let t = &f.training;
        Some(format!(
            "A ridge-shrunk line, {} small networks and {} boosted trees of the same discrete-time hazards, weighed by their predictions on held-out patients ({} inner folds by patient).",
            t.members, t.trees, t.inner_folds
        ))
    }),
    ("Class imbalance", |_| {
        Some("No rows were weighted or drawn again for it, so that probabilities stay calibrated.".to_owned())
    }),
    ("Fairness", |f| attribute(f, 15)),
    ("Model output", |f| attribute(f, 3)),
    ("Training against evaluation", |_| {
        Some("Every figure is on rows whose patient no part of the model had seen; settings were chosen on the same rows.".to_owned())
    }),
    ("Ethical approval", |_| None),
    ("Funding", |f| attribute(f, 2)),
    ("Protocol and registration", |_| None),
    ("Data sharing", |f| some(&f.about.licence)),
    ("Code sharing", |_| {
        Some(
            "The program that trained it is open; the same data, seed and machine give the same bytes."
                .to_owned(),
        )
    }),
    ("Patient and public involvement", |_| None),
    ("Flow of participants", |f| attribute(f, 13)),
    ("Model specification", |f| {
        Some(format!("The folder of this card, weights SHA-256 `{}`.", f.weights_sha256))
    }),
    ("Performance with intervals", |f| {
        (!f.metric.is_empty()).then(|| "The tables under \"Training\".".to_owned())
    }),
    ("Updating", |f| {
        Some(f.local.as_ref().map_or_else(
            || "Not recalibrated to a site.".to_owned(),
            |l| {
                format!(
                    "Recalibrated on {} rows of a site, {} events: intercept {:+.3}, slope {:.3} ({}).",
                    l.rows, l.events, l.intercept, l.slope, l.rule
                )
            },
        ))
    }),
    ("Interpretation", |f| attribute(f, 8)),
    ("Limits", |f| attribute(f, 10)),
    ("Usability", |f| attribute(f, 16)),
];

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn attribute(file: &ModelFile, number: usize) -> Option<String> {
    file.about.attribute.get(&number.to_string()).cloned()
}

/// The section of the card.
pub fn write(out: &mut String, file: &ModelFile) -> std::fmt::Result {
    writeln!(out, "## TRIPOD+AI\n")?;
    for (item, text) in ITEMS {
        let text = text(file).unwrap_or_else(|| "Not available: nobody has stated it.".to_owned());
        writeln!(out, "- **{item}.** {}", text.trim())?;
    }
    writeln!(out)
}
