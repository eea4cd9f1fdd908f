use proptest::prelude::*;

use super::*;

/// Vectors with the score that NVD, GitHub and vendors published.
const PUBLISHED: &str = include_str!("../../tests/data/cvss/vectors.tsv");

fn published() -> impl Iterator<Item = (&'static str, &'static str)> {
    PUBLISHED.lines().skip(1).filter_map(|line| line.split_once('\t'))
}

fn score(vector: &str) -> String {
    vector.parse::<Cvss>().unwrap_or_else(|error| panic!("{vector}: {error}")).score().to_string()
}

#[test]
fn every_published_vector_has_its_score() {
    assert_eq!(published().count(), 86);
    for (vector, expected) in published() {
        let expected: f64 = expected.parse().unwrap();
        assert_eq!(score(vector), format!("{expected:.1}"), "{vector}");
    }
}

/// The scores that FIRST's own calculator gives, with threat and environment among the metrics. Where the exact value lies in
/// the middle between two tenths, its binary fractions fall to either side; the specification rounds up.
#[test]
fn version_four_is_as_its_reference_has_it() {
    let reference = include_str!("../../tests/data/cvss/four.tsv");
    let mut in_the_middle = 0;
    for (vector, expected) in reference.lines().skip(1).filter_map(|line| line.split_once('\t')) {
        let expected: f64 = expected.parse().unwrap();
        let found: f64 = score(vector).parse().unwrap();
        if found > expected {
            assert!(found - expected < 0.11, "{vector}: {found}");
            in_the_middle += 1;
        } else {
            assert!((found - expected).abs() < 0.01, "{vector}: {found}");
        }
    }
    assert_eq!((reference.lines().count(), in_the_middle), (82, 2));
}

#[test]
fn each_version_has_the_scores_of_its_calculator() {
    for (vector, expected) in [
        ("CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:N/VI:H/VA:N/SC:N/SI:N/SA:N", "5.7"),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:P/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N", "5.3"),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", "10.0"),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "9.3"),
        ("CVSS:4.0/AV:P/AC:H/AT:P/PR:H/UI:A/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", "0.0"),
        ("CVSS:4.0/AV:P/AC:H/AT:P/PR:H/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N", "1.0"),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:L/VA:L/SC:H/SI:H/SA:H/MSI:S", "9.8"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", "6.1"),
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", "6.4"),
        ("CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L", "4.2"),
        ("CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", "3.1"),
        ("AV:N/AC:L/Au:N/C:N/I:N/A:C", "7.8"),
        ("AV:N/AC:L/Au:N/C:C/I:C/A:C/E:F/RL:OF/RC:C", "10.0"),
        ("(AV:L/AC:H/Au:N/C:C/I:C/A:C)", "6.2"),
        ("AV:N/AC:L/Au:N/C:N/I:N/A:N", "0.0"),
    ] {
        assert_eq!(score(vector), expected, "{vector}");
    }
}

#[test]
fn bands_are_those_of_the_versions() {
    let level = |vector: &str| vector.parse::<Cvss>().unwrap().level();
    assert_eq!(level("AV:N/AC:L/Au:N/C:C/I:C/A:C"), Level::High);
    assert_eq!(level("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"), Level::Critical);
    assert_eq!(level("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N"), Level::Negligible);
    for (tenths, expected) in [
        (0, Level::Negligible),
        (1, Level::Low),
        (39, Level::Low),
        (40, Level::Moderate),
        (69, Level::Moderate),
        (70, Level::High),
        (89, Level::High),
        (90, Level::Critical),
        (100, Level::Critical),
    ] {
        let score = Score::from_tenths(tenths).unwrap();
        assert_eq!(Cvss { version: CvssVersion::Four, score }.level(), expected, "{score}");
    }
}

#[test]
fn what_is_no_vector_is_refused() {
    let error = |vector: &str| vector.parse::<Cvss>().unwrap_err();
    assert_eq!(error("CVSS:3.2/AV:N"), CvssError::Version);
    assert_eq!(error(""), CvssError::Metric { part: 1, version: CvssVersion::Two });
    assert_eq!(error("AV:N/AC:L/Au:N/C:C/I:C"), CvssError::Missing { metric: "A" });
    assert_eq!(error("AV:N/AC:L/Au:N/C:C/I:C/A:C/AV:N"), CvssError::Twice { metric: "AV" });
    assert_eq!(error("CVSS:3.1/AV:N/AC:M"), CvssError::Metric { part: 2, version: CvssVersion::ThreeOne });
    assert_eq!(error("CVSS:4.0/AV:N/\u{1b}[31m"), CvssError::Metric { part: 2, version: CvssVersion::Four });
    assert_eq!(error(&"AV:N/".repeat(200)), CvssError::TooLong);
    assert_eq!(Rating::from_vector(Rater::NvdCvss, "7.5"), None);
}

proptest! {
    #[test]
    fn any_text_is_a_vector_or_an_error(text in ".{0,80}", prefix in "(CVSS:[234][.][01]/)?") {
        let _ = format!("{prefix}{text}").parse::<Cvss>();
    }

    #[test]
    fn every_vector_of_version_four_scores(values in proptest::collection::vec(0_usize..4, 11), more in "(/E:[XAPU])?(/CR:[XHML])?(/MSI:[XSHLN])?") {
        let grammar = ["N A L P", "L H", "N P", "N L H", "N P A", "H L N", "H L N", "H L N", "H L N", "H L N", "H L N"];
        let names = ["AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA"];
        let parts: Vec<String> = names.iter().zip(grammar).zip(values).map(|((name, values), index)| {
            let values: Vec<&str> = values.split(' ').collect();
            format!("{name}:{}", values[index % values.len()])
        }).collect();
        let cvss: Cvss = format!("CVSS:4.0/{}{more}", parts.join("/")).parse().unwrap();
        prop_assert!(cvss.score().tenths() <= 100);
    }
}
