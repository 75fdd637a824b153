//! The card's figures as a page of their own: calibration and net benefit drawn, the rest as tables.

use std::fmt::Write;

use crate::card::{STOPPED_EARLY, at_horizon, by_curve, horizons, part_heads};
use crate::evaluate::NetBenefit;
use crate::figures::Tenth;
use crate::model::{Model, ModelFile};
use crate::score::plain;

/// Sides of a plot, in the unit of the drawing.
const SIDE: f64 = 320.0;
/// Room for the numbers at its edges.
const EDGE: f64 = 44.0;
/// Lines of a grid.
const TICKS: usize = 5;

/// A whole HTML page, without scripts and without anything from elsewhere.
pub fn page(model: &Model) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_page(&mut out, model.file());
    out
}

fn write_page(out: &mut String, file: &ModelFile) -> std::fmt::Result {
    let title = escape(if file.about.title.en.is_empty() { "Risk model" } else { &file.about.title.en });
    writeln!(out, "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">")?;
    writeln!(out, "<meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>")?;
    writeln!(
        out,
        "<style>body{{font:16px/1.5 sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}}table{{border-collapse:collapse}}td,th{{padding:.2rem .8rem;text-align:left;border-bottom:1px solid #bbb}}svg{{max-width:100%;height:auto}}</style>"
    )?;
    writeln!(out, "<h1>{title}</h1>\n<p>Model <code>{}</code></p>", file.version)?;
    for text in [&file.about.trained_on.en, &file.about.not_validated.en] {
        if !text.is_empty() {
            writeln!(out, "<p><strong>{}</strong></p>", escape(text))?;
        }
    }
    if file.training.stopped_early {
        writeln!(out, "<p><strong>{STOPPED_EARLY}</strong></p>")?;
    }
    writeln!(out, "<h2>Figures on held-out rows</h2>\n<table><tr><th>figure<th>value<th>95 % interval")?;
    for m in &file.metric {
        let at = m.horizon.map_or_else(String::new, |h| format!(" at {}", plain(h)));
        writeln!(
            out,
            "<tr><td>{}{at}<td>{:.4}<td>{:.4} to {:.4}",
            escape(&m.name.replace('_', " ")),
            m.value,
            m.low,
            m.high
        )?;
    }
    writeln!(out, "</table>")?;
    for at in horizons(file) {
        calibration(out, file, at)?;
        decision(out, file, at)?;
    }
    subgroups(out, file)
}

/// A square plot: maps data to the drawing and draws the frame.
struct Plot {
    x: (f64, f64),
    y: (f64, f64),
}

impl Plot {
    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let share = |v: f64, (from, to): (f64, f64)| (v - from) / (to - from);
        (EDGE + SIDE * share(x, self.x), SIDE * (1.0 - share(y, self.y)) + 10.0)
    }

    fn open(&self, out: &mut String, title: &str, labels: (&str, &str)) -> std::fmt::Result {
        let (width, height) = (SIDE + EDGE + 20.0, SIDE + EDGE + 20.0);
        writeln!(
            out,
            "<svg viewBox=\"0 0 {width} {height}\" width=\"480\" role=\"img\" aria-label=\"{title}\" font-size=\"11\" font-family=\"sans-serif\">"
        )?;
        for i in 0..=TICKS {
            let share = i as f64 / TICKS as f64;
            let (x, y) = (self.x.0 + share * (self.x.1 - self.x.0), self.y.0 + share * (self.y.1 - self.y.0));
            let (left, top) = (self.at(self.x.0, y), self.at(x, self.y.1));
            let (right, bottom) = (self.at(self.x.1, y), self.at(x, self.y.0));
            line(out, left, right, "#ddd", "")?;
            line(out, top, bottom, "#ddd", "")?;
            writeln!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                left.0 - 4.0,
                left.1 + 4.0,
                plain((y * 1e3).round() / 1e3)
            )?;
            writeln!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                bottom.0,
                bottom.1 + 14.0,
                plain((x * 1e3).round() / 1e3)
            )?;
        }
        let (middle, bottom) = self.at(0.5 * (self.x.0 + self.x.1), self.y.0);
        writeln!(
            out,
            "<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            bottom + 30.0,
            labels.0
        )?;
        writeln!(out, "<text x=\"{:.1}\" y=\"22\">{}</text>", EDGE + 6.0, labels.1)
    }

    fn path(&self, out: &mut String, points: &[(f64, f64)], colour: &str, dash: &str) -> std::fmt::Result {
        let each: Vec<String> = points
            .iter()
            .map(|(x, y)| self.at(*x, y.clamp(self.y.0, self.y.1)))
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dash}\"/>",
            each.join(" ")
        )
    }
}

fn line(out: &mut String, a: (f64, f64), b: (f64, f64), colour: &str, dash: &str) -> std::fmt::Result {
    writeln!(
        out,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{colour}\" stroke-dasharray=\"{dash}\"/>",
        a.0, a.1, b.0, b.1
    )
}

fn calibration(out: &mut String, file: &ModelFile, at: Option<f64>) -> std::fmt::Result {
    let when = at_horizon(at);
    let tenths: Vec<&Tenth> = file.tenth.iter().filter(|tenth| tenth.horizon == at).collect();
    let most = tenths.iter().fold(0.05f64, |m, t| m.max(t.high).max(t.predicted));
    let top = (most * 10.0).ceil() / 10.0;
    let plot = Plot { x: (0.0, top), y: (0.0, top) };
    writeln!(
        out,
        "<h2>Calibration{when}</h2>\n<p>Each point is a tenth of the rows by risk, with its 95 % interval; on the dashed line as many have the event as predicted.{}</p>",
        by_curve(at)
    )?;
    plot.open(out, &format!("Calibration by tenths of risk{when}"), ("predicted", "seen"))?;
    plot.path(out, &[(0.0, 0.0), (top, top)], "#666", "4 4")?;
    for tenth in tenths {
        line(out, plot.at(tenth.predicted, tenth.low), plot.at(tenth.predicted, tenth.high), "#0b5394", "")?;
        let (x, y) = plot.at(tenth.predicted, tenth.observed);
        writeln!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"#0b5394\"/>")?;
    }
    writeln!(out, "</svg>")
}

fn decision(out: &mut String, file: &ModelFile, at: Option<f64>) -> std::fmt::Result {
    let when = at_horizon(at);
    let curve: Vec<&NetBenefit> = file.decision_curve.iter().filter(|point| point.horizon == at).collect();
    let most = curve.iter().fold(0.01f64, |m, p| m.max(p.model).max(p.everybody));
    let right = curve.last().map_or(1.0, |p| p.threshold);
    let plot = Plot { x: (0.0, right), y: (-0.25 * most, 1.1 * most) };
    writeln!(
        out,
        "<h2>Decision curve{when}</h2>\n<p>Net benefit of acting from a risk on: by the model (solid), on everybody (dashed), on nobody (0).</p>"
    )?;
    plot.open(out, &format!("Net benefit by threshold{when}"), ("acting from this risk on", "net benefit"))?;
    plot.path(out, &[(0.0, 0.0), (right, 0.0)], "#666", "1 3")?;
    let points = |pick: fn(&NetBenefit) -> f64| -> Vec<(f64, f64)> {
        curve.iter().map(|p| (p.threshold, pick(p))).collect()
    };
    plot.path(out, &points(|p| p.everybody), "#666", "4 4")?;
    plot.path(out, &points(|p| p.model), "#0b5394", "")?;
    writeln!(out, "</svg>")
}

fn subgroups(out: &mut String, file: &ModelFile) -> std::fmt::Result {
    if file.subgroup.is_empty() {
        return Ok(());
    }
    let (ranks, ratio) = part_heads(file);
    writeln!(
        out,
        "<h2>Parts of the patients</h2>\n<table><tr><th>part<th>rows<th>events<th>{ranks}<th>{ratio}"
    )?;
    for part in &file.subgroup {
        write!(
            out,
            "<tr><td>{}: {}<td>{}<td>{}",
            escape(&part.feature),
            escape(&part.name),
            part.rows,
            part.events
        )?;
        for m in &part.metric {
            write!(out, "<td>{:.3} ({:.3} to {:.3})", m.value, m.low, m.high)?;
        }
        writeln!(out)?;
    }
    writeln!(out, "</table>")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
