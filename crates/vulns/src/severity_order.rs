//! Which rater is believed.

use crate::severity::{Level, Rater, Rating, Severity};

/// The order in which raters are asked: scanners mostly agree on what an image has, and differ in whom they ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeverityOrder {
    /// Who is asked, the first first. Who is not here is never asked.
    pub order: Vec<Rater>,
    /// What Debian's `unimportant` stands for.
    pub unimportant: Level,
    /// What Debian's `not yet assigned` stands for; none where the next rater is asked.
    pub not_yet_assigned: Option<Level>,
    /// What counts where nobody says.
    pub unknown: Option<Level>,
    /// Versions of CVSS, the one that is believed before the others first. Those that are not here come last.
    pub cvss_preference: Vec<String>,
}

impl Default for SeverityOrder {
    fn default() -> Self {
        Self {
            order: vec![Rater::Override, Rater::DebianUrgency, Rater::NvdCvss, Rater::CnaCvss, Rater::Vendor],
            unimportant: Level::Negligible,
            not_yet_assigned: None,
            unknown: None,
            cvss_preference: ["4.0", "3.1", "3.0", "2.0"].map(str::to_owned).into(),
        }
    }
}

impl SeverityOrder {
    /// How bad something with these ratings is. The order of the ratings does not matter: where one rater has several, the
    /// preferred version of CVSS counts, and within one version the worst.
    #[must_use]
    pub fn decide(&self, ratings: &[Rating]) -> Severity {
        let asked = self.order.iter().find_map(|rater| {
            let of_rater = ratings.iter().filter(|rating| rating.rater == *rater);
            of_rater.filter_map(|rating| Some((self.weigh(rating)?, rating))).max_by_key(|(weight, _)| *weight)
        });
        match asked {
            Some(((_, level, _), rating)) => {
                Severity { level: Some(level), score: rating.score, from: Some(rating.rater) }
            }
            None => Severity { level: self.unknown, score: None, from: None },
        }
    }

    /// How much a rating counts among those of its rater; none where it says nothing.
    fn weigh(&self, rating: &Rating) -> Option<(usize, Level, u8)> {
        let level = match (rating.rater, rating.level) {
            (Rater::DebianUrgency, Some(Level::Negligible)) => self.unimportant,
            (Rater::DebianUrgency, None) => self.not_yet_assigned?,
            (_, level) => level?,
        };
        let place = rating.vector.as_deref().and_then(|vector| {
            let version = cvss_version(vector)?;
            self.cvss_preference.iter().rev().position(|preferred| preferred == version)
        });
        // A score without a vector may be of any version, and is only taken where there is no other.
        Some((place.map_or(0, |place| place + 1), level, rating.score.map_or(0, super::severity::Score::tenths)))
    }
}

/// The version of CVSS that a vector is written in.
fn cvss_version(vector: &str) -> Option<&str> {
    match vector.strip_prefix("CVSS:") {
        Some(rest) => rest.split('/').next(),
        None => Some("2.0"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::severity::Score;

    fn rating(rater: Rater, level: Option<Level>, tenths: Option<u8>, vector: Option<&str>) -> Rating {
        Rating { rater, level, score: tenths.and_then(Score::from_tenths), vector: vector.map(str::to_owned) }
    }

    #[test]
    fn the_first_who_says_something_decides() {
        use Rater::{CnaCvss, DebianUrgency, NvdCvss, Override, Vendor};
        let debian = |level| rating(DebianUrgency, level, None, None);
        let nvd = rating(NvdCvss, Some(Level::Critical), Some(98), Some("CVSS:3.1/x"));
        let newer = rating(NvdCvss, Some(Level::High), Some(87), Some("CVSS:4.0/x"));
        let old = rating(NvdCvss, Some(Level::High), Some(100), Some("AV:N/AC:L"));
        let vendor = rating(Vendor, Some(Level::High), None, None);
        let check = |order: &SeverityOrder, ratings: &[&Rating], level: Option<Level>, from: Option<Rater>| {
            let mut ratings: Vec<Rating> = ratings.iter().map(|rating| (*rating).clone()).collect();
            let decided = order.decide(&ratings);
            assert_eq!((decided.level, decided.from), (level, from), "{ratings:?}");
            ratings.reverse();
            assert_eq!(order.decide(&ratings), decided);
        };
        let standard = SeverityOrder::default();
        let low = debian(Some(Level::Low));
        let not_yet = debian(None);
        let unimportant = debian(Some(Level::Negligible));
        check(&standard, &[], None, None);
        check(&standard, &[&nvd, &low, &vendor], Some(Level::Low), Some(DebianUrgency));
        check(&standard, &[&nvd, &not_yet], Some(Level::Critical), Some(NvdCvss));
        check(&standard, &[&not_yet], None, None);
        check(&standard, &[&unimportant, &nvd], Some(Level::Negligible), Some(DebianUrgency));
        check(&standard, &[&old, &nvd], Some(Level::Critical), Some(NvdCvss));
        check(&standard, &[&old, &nvd, &newer], Some(Level::High), Some(NvdCvss));
        assert_eq!(standard.decide(&[old.clone(), nvd.clone(), newer]).score, Score::from_tenths(87));
        let nvd_first = SeverityOrder { order: vec![NvdCvss, DebianUrgency], ..SeverityOrder::default() };
        check(&nvd_first, &[&nvd, &low, &vendor], Some(Level::Critical), Some(NvdCvss));
        check(&nvd_first, &[&vendor], None, None);
        let v2 = SeverityOrder { cvss_preference: vec!["2.0".to_owned()], ..SeverityOrder::default() };
        assert_eq!(v2.decide(&[old, nvd.clone()]).score, Score::from_tenths(100));
        let strict = SeverityOrder {
            unimportant: Level::Low,
            not_yet_assigned: Some(Level::Moderate),
            unknown: Some(Level::High),
            ..SeverityOrder::default()
        };
        check(&strict, &[&unimportant, &nvd], Some(Level::Low), Some(DebianUrgency));
        check(&strict, &[&not_yet, &nvd], Some(Level::Moderate), Some(DebianUrgency));
        check(&strict, &[], Some(Level::High), None);
        let overridden = rating(Override, Some(Level::Low), None, None);
        check(&strict, &[&not_yet, &nvd, &overridden], Some(Level::Low), Some(Override));
        assert_eq!(rating(CnaCvss, None, None, None).level, None);
    }
}
