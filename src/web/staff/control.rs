//! A control chart as inline SVG: months in standard errors between two limits. The same numbers stand in a table behind it.

use std::fmt::Write as _;

use jiff::civil::Date;

/// Width and height in its own units.
const SIZE: (f64, f64) = (640.0, 200.0);
/// Room for labels left, right, above, below.
const EDGE: (f64, f64, f64, f64) = (40.0, 16.0, 12.0, 26.0);
/// Months at most; of more, the latest.
const MONTHS_MAX: usize = 36;

/// The picture of at least one month that counts; `title` is escaped here.
#[must_use]
pub fn svg(title: &str, months: &[(Date, f64)], limit: f64) -> String {
    let months = months.get(months.len().saturating_sub(MONTHS_MAX)..).unwrap_or(months);
    let (Some(first), Some(last)) = (months.first(), months.last()) else { return String::new() };
    let most = months.iter().fold(limit + 1.0, |most: f64, (_, z)| most.max(z.abs() + 0.5));
    let (left, right, top, bottom) = EDGE;
    let end = SIZE.0 - right;
    let step = (end - left) / (months.len().max(2) - 1) as f64;
    let x = |at: usize| left + step * at as f64;
    let y = |z: f64| top + (most - z) / (2.0 * most) * (SIZE.1 - top - bottom);
    let title = title.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let mut out = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{title}\">",
        SIZE.0, SIZE.1
    );
    for (z, class) in [(0.0, "axis"), (limit, "limit"), (-limit, "limit")] {
        let at = y(z);
        let _ = write!(out, "<path class=\"{class}\" d=\"M{left} {at:.1}H{end:.1}\"/>");
        let _ =
            write!(out, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{z}</text>", left - 6.0, at + 4.0);
    }
    let base = SIZE.1 - 8.0;
    let name = |day: Date| day.strftime("%Y-%m").to_string();
    let _ = write!(out, "<text x=\"{left}\" y=\"{base}\">{}</text>", name(first.0));
    if months.len() > 1 {
        let _ = write!(out, "<text x=\"{end}\" y=\"{base}\" text-anchor=\"end\">{}</text>", name(last.0));
    }
    let line: Vec<String> =
        months.iter().enumerate().map(|(at, (_, z))| format!("{:.1},{:.1}", x(at), y(*z))).collect();
    let _ = write!(out, "<polyline class=\"curve\" points=\"{}\"/>", line.join(" "));
    for (at, (_, z)) in months.iter().enumerate() {
        let class = if z.abs() > limit { "beyond" } else { "dot" };
        let _ = write!(out, "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\"/>", x(at), y(*z));
    }
    out.push_str("</svg>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_beyond_the_limit_are_drawn_otherwise() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let drawn = svg("a \"b\"", &[(day("2026-01-01"), 0.4), (day("2026-02-01"), -4.2)], 3.0);
        assert_eq!((drawn.matches("\"dot\"").count(), drawn.matches("\"beyond\"").count()), (1, 1));
        assert!(drawn.contains("a &quot;b&quot;") && drawn.contains("2026-02") && !drawn.contains("style="));
        assert_eq!(svg("t", &[], 3.0), "");
    }
}
