//! What a report says of how bad something is.

use crate::severity::{Level, Rater, Rating, Score};

/// The level of a score, in the bands of its version of CVSS: the second has no critical.
fn level(score: Score, vector: Option<&str>) -> Level {
    let is_second = vector.is_some_and(|vector| !vector.starts_with("CVSS:"));
    match score.tenths() {
        0 => Level::Negligible,
        1..=39 => Level::Low,
        40..=69 => Level::Moderate,
        70..=89 => Level::High,
        _ if is_second => Level::High,
        _ => Level::Critical,
    }
}

/// A score, with the vector that it is of.
pub(super) fn score(rater: Rater, number: Option<f64>, vector: Option<&str>) -> Option<Rating> {
    let score = number.and_then(Score::from_number)?;
    let vector = vector.map(str::trim).filter(|vector| !vector.is_empty());
    Some(Rating { rater, level: Some(level(score, vector)), score: Some(score), vector: vector.map(str::to_owned) })
}

/// A word, unless it says that nobody knows.
pub(super) fn word(rater: Rater, word: &str) -> Option<Rating> {
    let level = word.trim().parse().ok()?;
    Some(Rating { rater, level: Some(level), score: None, vector: None })
}

/// A scanner's word for a Debian package: it is Debian's own, unless it may have been filled in from the scores, which scanners
/// do where Debian has none and do not tell. Debian itself never says critical.
pub(super) fn debian_word(text: &str, scores: &[Rating]) -> Option<Rating> {
    let mut rating = word(Rater::DebianUrgency, text)?;
    if rating.level == Some(Level::Critical) || scores.iter().any(|score| score.level == rating.level) {
        rating.rater = Rater::Vendor;
    }
    Some(rating)
}

/// Sorted, each once.
pub(super) fn tidy(mut ratings: Vec<Rating>) -> Vec<Rating> {
    ratings.sort();
    ratings.dedup();
    ratings
}
