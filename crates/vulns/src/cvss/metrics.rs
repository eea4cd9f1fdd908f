//! The metrics of a vector, by the grammar of a version.

use super::{CvssError, CvssVersion};

/// A metric: its name, its values with spaces between them, and whether a vector must state it.
pub(super) type Metric = (&'static str, &'static str, bool);

/// Metrics with their values.
#[derive(Debug)]
pub(super) struct Metrics(Vec<(&'static str, &'static str)>);

impl Metrics {
    /// Reads metrics that slashes are between.
    pub(super) fn parse(text: &str, grammar: &[Metric], version: CvssVersion) -> Result<Self, CvssError> {
        let mut found = Self(Vec::new());
        for (index, part) in text.split('/').enumerate() {
            let (metric, value) = known(part, grammar).ok_or(CvssError::Metric { part: index + 1, version })?;
            if found.get(metric).is_some() {
                return Err(CvssError::Twice { metric });
            }
            found.0.push((metric, value));
        }
        let missing = grammar.iter().find(|(metric, _, is_mandatory)| *is_mandatory && found.get(metric).is_none());
        match missing {
            Some((metric, ..)) => Err(CvssError::Missing { metric }),
            None => Ok(found),
        }
    }

    /// The value of a metric that is stated.
    pub(super) fn get(&self, metric: &str) -> Option<&'static str> {
        self.0.iter().find(|(name, _)| *name == metric).map(|(_, value)| *value)
    }

    /// The number of a metric's value; 0 for one that is not stated.
    pub(super) fn weight(&self, metric: &str, weights: &[(&str, f64)]) -> f64 {
        let value = self.get(metric);
        weights.iter().find(|(name, _)| Some(*name) == value).map_or(0.0, |(_, weight)| *weight)
    }
}

/// A part of a vector as a metric of the grammar with one of its values.
fn known(part: &str, grammar: &[Metric]) -> Option<(&'static str, &'static str)> {
    let (name, value) = part.split_once(':')?;
    let (metric, values, _) = grammar.iter().find(|(metric, ..)| *metric == name)?;
    Some((metric, values.split(' ').find(|known| *known == value)?))
}
