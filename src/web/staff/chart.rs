//! A number over time as inline SVG. The same numbers stand in a table below, so the picture is hidden from screen readers
//! but for its title.

use std::fmt::Write as _;

use jiff::civil::Date;
use tend_engine::Decimal;

/// Width and height of a chart in its own units.
const SIZE: (f64, f64) = (640.0, 180.0);
/// Room for labels left, right, above, below.
const EDGE: (f64, f64, f64, f64) = (52.0, 16.0, 14.0, 26.0);
/// Points of a chart; of more, the latest.
pub const POINTS_MAX: usize = 400;

/// A value on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The day that it belongs to.
    pub day: Date,
    /// The value.
    pub value: Decimal,
    /// Confirmed although it differed implausibly; drawn hollow.
    pub doubtful: bool,
}

/// What the values of an item can be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    low: f64,
    high: f64,
    /// Whole numbers only.
    whole: bool,
}

impl Bounds {
    /// Of a measurement.
    #[must_use]
    pub fn of(low: Decimal, high: Decimal) -> Self {
        Self { low: low.to_f64(), high: high.to_f64(), whole: false }
    }

    /// Of a count.
    #[must_use]
    pub fn whole(low: i64, high: i64) -> Self {
        Self { whole: true, ..Self::of(Decimal::whole(low), Decimal::whole(high)) }
    }

    /// Of a total of points.
    #[must_use]
    pub fn points() -> Self {
        Self { low: 0.0, high: f64::MAX, whole: true }
    }
}

/// The picture of at least one point, oldest first. `title` is escaped here.
#[must_use]
pub fn svg(title: &str, points: &[Point], bounds: &Bounds) -> String {
    let points = points.get(points.len().saturating_sub(POINTS_MAX)..).unwrap_or(points);
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return String::new() };
    let days = f64::from((last.day - first.day).get_days().max(1));
    let values = points.iter().map(|point| point.value.to_f64());
    let ends = (values.clone().fold(f64::MAX, f64::min), values.fold(f64::MIN, f64::max));
    let (low, high) = scale(ends, bounds);
    let (left, right, top, bottom) = EDGE;
    let x = |day: Date| left + f64::from((day - first.day).get_days()) / days * (SIZE.0 - left - right);
    let y = |value: f64| SIZE.1 - bottom - (value - low) / (high - low) * (SIZE.1 - top - bottom);
    let mut out = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">",
        SIZE.0,
        SIZE.1,
        escape(title)
    );
    let (floor, ceiling, end) = (y(low), y(high), SIZE.0 - right);
    let _ = write!(out, "<path class=\"axis\" d=\"M{left} {ceiling:.1}V{floor:.1}H{end:.1}\"/>");
    for (value, at) in [(high, ceiling + 4.0), (low, floor)] {
        let _ = write!(
            out,
            "<text x=\"{:.1}\" y=\"{at:.1}\" text-anchor=\"end\">{}</text>",
            left - 6.0,
            short(value, bounds.whole)
        );
    }
    let base = SIZE.1 - 8.0;
    let _ = write!(out, "<text x=\"{left}\" y=\"{base}\">{}</text>", first.day);
    if last.day > first.day {
        let _ = write!(out, "<text x=\"{end}\" y=\"{base}\" text-anchor=\"end\">{}</text>", last.day);
    }
    let line: Vec<String> =
        points.iter().map(|point| format!("{:.1},{:.1}", x(point.day), y(point.value.to_f64()))).collect();
    let _ = write!(out, "<polyline class=\"curve\" points=\"{}\"/>", line.join(" "));
    for point in points {
        let class = if point.doubtful { "doubt" } else { "dot" };
        let (cx, cy) = (x(point.day), y(point.value.to_f64()));
        let _ = write!(out, "<circle class=\"{class}\" cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"3.5\"/>");
    }
    out.push_str("</svg>");
    out
}

/// A scale with a little air, never beyond what the item can be; a single value stands in the middle.
fn scale((low, high): (f64, f64), bounds: &Bounds) -> (f64, f64) {
    let air = ((high - low) * 0.1).max(if high > low { 0.0 } else { 1.0 });
    let (mut floor, mut ceiling) = (low - air, high + air);
    if bounds.whole {
        (floor, ceiling) = (floor.floor(), ceiling.ceil());
    }
    // A value that is no longer within its bounds is drawn all the same.
    (floor.max(bounds.low.min(low)), ceiling.min(bounds.high.max(high)))
}

fn short(value: f64, whole: bool) -> String {
    if whole || value.abs() >= 100.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

/// Text as it may stand in HTML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kilograms() -> Bounds {
        Bounds::of(Decimal::whole(25), Decimal::whole(350))
    }

    fn point(day: &str, value: &str) -> Point {
        Point { day: day.parse().unwrap(), value: Decimal::parse(value).unwrap(), doubtful: false }
    }

    #[test]
    fn a_chart_has_a_dot_for_each_value_and_escapes_its_title() {
        let drawn = svg("<b>\"kg\"", &[point("2026-03-02", "78"), point("2026-03-05", "80.4")], &kilograms());
        assert_eq!(drawn.matches("<circle").count(), 2);
        assert!(drawn.contains("aria-label=\"&lt;b&gt;&quot;kg&quot;\""), "{drawn}");
        assert!(!drawn.contains("style="), "the policy forbids inline styles");
    }

    #[test]
    fn one_value_and_none_are_drawn_too() {
        assert!(svg("t", &[point("2026-03-02", "5")], &kilograms()).contains("<circle"));
        assert_eq!(svg("t", &[], &kilograms()), "");
        let many = vec![point("2026-03-02", "5"); POINTS_MAX + 1];
        assert_eq!(svg("t", &many, &kilograms()).matches("<circle").count(), POINTS_MAX);
    }

    #[test]
    fn a_count_has_no_axis_below_nothing_and_no_half() {
        let drawn = svg("t", &[point("2026-03-02", "0"), point("2026-03-05", "3")], &Bounds::whole(0, 7));
        assert!(drawn.contains(">0</text>") && drawn.contains(">4</text>"), "{drawn}");
        assert!(!drawn.contains(">-") && !drawn.contains(".0</text>"), "{drawn}");
        let full = svg("t", &[point("2026-03-02", "95"), point("2026-03-05", "100")], &Bounds::whole(0, 100));
        assert!(full.contains(">100</text>"), "{full}");
    }
}
