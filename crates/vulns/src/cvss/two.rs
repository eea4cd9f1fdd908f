//! [CVSS 2.0](https://www.first.org/cvss/v2/guide), section 3.2.1.

use super::metrics::{Metric, Metrics};
use super::{CvssError, CvssVersion, tenths};
use crate::severity::Score;

const GRAMMAR: [Metric; 14] = [
    ("AV", "L A N", true),
    ("AC", "H M L", true),
    ("Au", "M S N", true),
    ("C", "N P C", true),
    ("I", "N P C", true),
    ("A", "N P C", true),
    ("E", "U POC F H ND", false),
    ("RL", "OF TF W U ND", false),
    ("RC", "UC UR C ND", false),
    ("CDP", "N L LM MH H ND", false),
    ("TD", "N L M H ND", false),
    ("CR", "L M H ND", false),
    ("IR", "L M H ND", false),
    ("AR", "L M H ND", false),
];

const IMPACT: [(&str, f64); 3] = [("N", 0.0), ("P", 0.275), ("C", 0.660)];

pub(super) fn score(text: &str) -> Result<Score, CvssError> {
    let metrics = Metrics::parse(text, &GRAMMAR, CvssVersion::Two)?;
    let kept = |metric| 1.0 - metrics.weight(metric, &IMPACT);
    let impact = 10.41 * (1.0 - kept("C") * kept("I") * kept("A"));
    let exploitability = 20.0
        * metrics.weight("AV", &[("L", 0.395), ("A", 0.646), ("N", 1.0)])
        * metrics.weight("AC", &[("H", 0.35), ("M", 0.61), ("L", 0.71)])
        * metrics.weight("Au", &[("M", 0.45), ("S", 0.56), ("N", 0.704)]);
    // Without any impact the factor of the specification is 0.
    let has_impact = ["C", "I", "A"].iter().any(|metric| metrics.get(metric) != Some("N"));
    let factor = if has_impact { 1.176 } else { 0.0 };
    Ok(tenths(((0.6 * impact + 0.4 * exploitability - 1.5) * factor * 10.0).round()))
}
