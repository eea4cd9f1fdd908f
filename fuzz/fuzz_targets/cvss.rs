//! A vector has one score whatever the order of its metrics, a severity that fits it, and is no vector with one metric less
//! or more.

#![no_main]

use distil_vulns::Level;
use distil_vulns::cvss::{Cvss, CvssVersion};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(cvss) = text.parse::<Cvss>() else { return };
    let score = cvss.score().tenths();
    assert!(score <= 100);
    assert_eq!(score == 0, cvss.level() == Level::Negligible);
    assert!(cvss.version() != CvssVersion::Two || cvss.level() < Level::Critical);
    let (prefix, metrics) = match cvss.version() {
        CvssVersion::Two => ("", text.trim_start_matches('(').trim_end_matches(')')),
        _ => text.split_at(9),
    };
    let mut parts: Vec<&str> = metrics.split('/').collect();
    parts.reverse();
    let turned = format!("{prefix}{}", parts.join("/"));
    assert_eq!(turned.parse(), Ok(cvss));
    assert!(format!("{turned}/{}", parts[0]).parse::<Cvss>().is_err());
});
