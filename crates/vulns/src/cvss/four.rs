//! [CVSS 4.0](https://www.first.org/cvss/v4.0/specification-document), section 8.
//!
//! All steps are whole numbers, so that the result is exact where the specification's own calculator depends on how binary
//! fractions come out.

use super::macro_vectors::SCORES;
use super::metrics::{Metric, Metrics};
use super::{CvssError, CvssVersion, tenths};
use crate::severity::Score;

const GRAMMAR: [Metric; 32] = [
    ("AV", "N A L P", true),
    ("AC", "L H", true),
    ("AT", "N P", true),
    ("PR", "N L H", true),
    ("UI", "N P A", true),
    ("VC", "H L N", true),
    ("VI", "H L N", true),
    ("VA", "H L N", true),
    ("SC", "H L N", true),
    ("SI", "H L N", true),
    ("SA", "H L N", true),
    ("E", "X A P U", false),
    ("CR", "X H M L", false),
    ("IR", "X H M L", false),
    ("AR", "X H M L", false),
    ("MAV", "X N A L P", false),
    ("MAC", "X L H", false),
    ("MAT", "X N P", false),
    ("MPR", "X N L H", false),
    ("MUI", "X N P A", false),
    ("MVC", "X H L N", false),
    ("MVI", "X H L N", false),
    ("MVA", "X H L N", false),
    ("MSC", "X H L N", false),
    ("MSI", "X S H L N", false),
    ("MSA", "X S H L N", false),
    ("S", "X N P", false),
    ("AU", "X N Y", false),
    ("R", "X A U I", false),
    ("V", "X D C", false),
    ("RE", "X L M H", false),
    ("U", "X Clear Green Amber Red", false),
];

/// The values of metrics that a distance is made of, the most severe first.
const ORDER: [(&str, &str); 14] = [
    ("AV", "NALP"),
    ("PR", "NLH"),
    ("UI", "NPA"),
    ("AC", "LH"),
    ("AT", "NP"),
    ("VC", "HLN"),
    ("VI", "HLN"),
    ("VA", "HLN"),
    ("CR", "HML"),
    ("IR", "HML"),
    ("AR", "HML"),
    ("SC", "SHLN"),
    ("SI", "SHLN"),
    ("SA", "SHLN"),
];

const EQ1: [&str; 3] = ["AV", "PR", "UI"];
const EQ2: [&str; 2] = ["AC", "AT"];
const EQ3_EQ6: [&str; 6] = ["VC", "VI", "VA", "CR", "IR", "AR"];
const EQ4: [&str; 3] = ["SC", "SI", "SA"];

/// Of each set of equivalence: its levels, each with its most severe vectors and the depth that distances are divided by.
const EQ1_LEVELS: [(&[&str], i64); 3] = [(&["NNN"], 1), (&["ANN", "NLN", "NNP"], 4), (&["PNN", "ALP"], 5)];
const EQ2_LEVELS: [(&[&str], i64); 2] = [(&["LN"], 1), (&["HN", "LP"], 2)];
const EQ3_EQ6_LEVELS: [(&[&str], i64); 5] = [
    (&["HHHHHH"], 7),
    (&["HHLMMH", "HHHMMM"], 6),
    (&["LHHHHH", "HLHHHH"], 8),
    (&["LHLHMH", "LHHHMM", "HLHMHM", "HLLMHH", "LLHHHM"], 8),
    (&["LLLHHH"], 10),
];
const EQ4_LEVELS: [(&[&str], i64); 3] = [(&["HSS"], 6), (&["HHH"], 5), (&["LLL"], 4)];

/// What every depth, and then every count of distances from 1 to 5, divides.
const SCALE: i64 = 840 * 60;

/// A macro vector: the levels of EQ1, EQ2, EQ3 with EQ6 (00, 01, 10, 11, 21), EQ4 and EQ5.
#[derive(Debug, Clone, Copy)]
struct MacroVector([usize; 5]);

impl MacroVector {
    fn tenths(self) -> Option<i64> {
        let [one, two, three_six, four, five] = self.0;
        let is_there = one < 3 && two < 2 && three_six < 5 && four < 3 && five < 3;
        let row = is_there.then(|| SCORES.get((one * 2 + two) * 5 + three_six))?;
        row?.get(four * 3 + five).map(|tenths| i64::from(*tenths))
    }

    /// The macro vector that is one level lower in one of the five.
    fn lower(self, index: usize) -> Self {
        let mut lower = self;
        if let Some(level) = lower.0.get_mut(index) {
            *level += 1;
        }
        lower
    }

    /// What the next lower level of EQ3 and EQ6 together scores: there are two below the highest, and one that counts.
    fn lower_three_six(self) -> Option<i64> {
        let [one, two, three_six, four, five] = self.0;
        let at = |pair| Self([one, two, pair, four, five]).tenths();
        match three_six {
            0 => at(1).max(at(2)),
            1 | 2 => at(3),
            3 => at(4),
            _ => None,
        }
    }
}

pub(super) fn score(text: &str) -> Result<Score, CvssError> {
    let metrics = Metrics::parse(text, &GRAMMAR, CvssVersion::Four)?;
    if ["VC", "VI", "VA", "SC", "SI", "SA"].iter().all(|metric| effective(&metrics, metric) == "N") {
        return Ok(tenths(0.0));
    }
    let of = macro_vector(&metrics);
    let [one, two, three_six, four, _] = of.0;
    let value = of.tenths().unwrap_or(0);
    let distances = [
        (of.lower(0).tenths(), part(&metrics, &EQ1, EQ1_LEVELS.get(one))),
        (of.lower(1).tenths(), part(&metrics, &EQ2, EQ2_LEVELS.get(two))),
        (of.lower_three_six(), part(&metrics, &EQ3_EQ6, EQ3_EQ6_LEVELS.get(three_six))),
        (of.lower(3).tenths(), part(&metrics, &EQ4, EQ4_LEVELS.get(four))),
        // Within a level of EQ5 nothing differs.
        (of.lower(4).tenths(), (0, 1)),
    ];
    let existing: Vec<i64> = distances
        .into_iter()
        .filter_map(|(lower, (distance, depth))| Some((value - lower?) * distance * (SCALE / depth)))
        .collect();
    let count = i64::try_from(existing.len()).unwrap_or(0).max(1);
    let exact = value * SCALE - existing.iter().sum::<i64>() / count;
    #[expect(clippy::cast_precision_loss, reason = "it is at most 100")]
    let rounded = ((exact.max(0) + SCALE / 2) / SCALE) as f64;
    Ok(tenths(rounded))
}

/// The value that counts: that of the environment where it states one, and the worst of what is not known.
fn effective(metrics: &Metrics, metric: &str) -> &'static str {
    let stated = |metric: &str| metrics.get(metric).filter(|value| *value != "X");
    match metric {
        "E" => stated(metric).unwrap_or("A"),
        "CR" | "IR" | "AR" => stated(metric).unwrap_or("H"),
        _ => stated(&format!("M{metric}")).or_else(|| stated(metric)).unwrap_or("N"),
    }
}

/// Section 8.2, tables 24 to 29.
fn macro_vector(metrics: &Metrics) -> MacroVector {
    let is = |metric: &str, value: &str| effective(metrics, metric) == value;
    let open = [is("AV", "N"), is("PR", "N"), is("UI", "N")];
    let one = if open == [true; 3] {
        0
    } else if open != [false; 3] && !is("AV", "P") {
        1
    } else {
        2
    };
    let two = usize::from(!(is("AC", "L") && is("AT", "N")));
    let high = [is("VC", "H"), is("VI", "H"), is("VA", "H")];
    let three = match high {
        [true, true, _] => 0,
        [false, false, false] => 2,
        _ => 1,
    };
    let four = if is("SI", "S") || is("SA", "S") {
        0
    } else if is("SC", "H") || is("SI", "H") || is("SA", "H") {
        1
    } else {
        2
    };
    let five = match effective(metrics, "E") {
        "A" => 0,
        "P" => 1,
        _ => 2,
    };
    let required = [is("CR", "H"), is("IR", "H"), is("AR", "H")];
    let six = usize::from(!high.iter().zip(required).any(|(high, required)| *high && required));
    let three_six = if three == 2 { 4 } else { three * 2 + six };
    MacroVector([one, two, three_six, four, five])
}

/// How far the vector is below the most severe one of its level, and how deep that level is.
fn part(metrics: &Metrics, names: &[&str], level: Option<&(&[&str], i64)>) -> (i64, i64) {
    let Some((severest, depth)) = level else { return (0, 1) };
    let distance = severest.iter().find_map(|vector| {
        let steps = names.iter().zip(vector.chars()).map(|(name, value)| {
            let order = ORDER.iter().find(|(metric, _)| metric == name).map_or("", |(_, order)| order);
            let place = |wanted: &str| order.find(wanted).and_then(|place| i64::try_from(place).ok()).unwrap_or(0);
            let steps = place(effective(metrics, name)) - place(value.encode_utf8(&mut [0; 4]));
            (steps >= 0).then_some(steps)
        });
        steps.sum::<Option<i64>>()
    });
    (distance.unwrap_or(0), *depth)
}
