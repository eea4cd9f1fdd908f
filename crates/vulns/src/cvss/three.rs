//! [CVSS 3.1](https://www.first.org/cvss/v3.1/specification-document), section 7.1, and 3.0, which differs in how it rounds:
//! the rule of 3.1 gives what 3.0 meant, on every machine.

use super::metrics::{Metric, Metrics};
use super::{CvssError, CvssVersion, tenths};
use crate::severity::Score;

const GRAMMAR: [Metric; 22] = [
    ("AV", "N A L P", true),
    ("AC", "L H", true),
    ("PR", "N L H", true),
    ("UI", "N R", true),
    ("S", "U C", true),
    ("C", "N L H", true),
    ("I", "N L H", true),
    ("A", "N L H", true),
    ("E", "X U P F H", false),
    ("RL", "X O T W U", false),
    ("RC", "X U R C", false),
    ("CR", "X L M H", false),
    ("IR", "X L M H", false),
    ("AR", "X L M H", false),
    ("MAV", "X N A L P", false),
    ("MAC", "X L H", false),
    ("MPR", "X N L H", false),
    ("MUI", "X N R", false),
    ("MS", "X U C", false),
    ("MC", "X N L H", false),
    ("MI", "X N L H", false),
    ("MA", "X N L H", false),
];

const IMPACT: [(&str, f64); 3] = [("N", 0.0), ("L", 0.22), ("H", 0.56)];

pub(super) fn score(text: &str, version: CvssVersion) -> Result<Score, CvssError> {
    let metrics = Metrics::parse(text, &GRAMMAR, version)?;
    let is_changed = metrics.get("S") == Some("C");
    let kept = |metric| 1.0 - metrics.weight(metric, &IMPACT);
    let subscore = 1.0 - kept("C") * kept("I") * kept("A");
    let impact =
        if is_changed { 7.52 * (subscore - 0.029) - 3.25 * (subscore - 0.02).powi(15) } else { 6.42 * subscore };
    if impact <= 0.0 {
        return Ok(tenths(0.0));
    }
    let privileges =
        if is_changed { [("N", 0.85), ("L", 0.68), ("H", 0.5)] } else { [("N", 0.85), ("L", 0.62), ("H", 0.27)] };
    let exploitability = 8.22
        * metrics.weight("AV", &[("N", 0.85), ("A", 0.62), ("L", 0.55), ("P", 0.2)])
        * metrics.weight("AC", &[("L", 0.77), ("H", 0.44)])
        * metrics.weight("PR", &privileges)
        * metrics.weight("UI", &[("N", 0.85), ("R", 0.62)]);
    let sum = impact + exploitability;
    let sum = if is_changed { 1.08 * sum } else { sum };
    Ok(rounded_up(sum.min(10.0)))
}

/// The next tenth, as appendix A defines it: what is wrong in the sixth decimal place is the machine's arithmetic.
fn rounded_up(number: f64) -> Score {
    let steps = (number * 100_000.0).round();
    tenths((steps / 10_000.0).ceil())
}
