//! Scores of the [Exploit Prediction Scoring System](https://www.first.org/epss/data_stats): a comment with the day, then CSV.

use std::io::BufRead;

use super::text::{time, word};
use super::{FeedError, Summary, line};
use crate::advisory::{CveFacts, Epss, Item};

const MAX_LINE: u64 = 4096;

pub(super) fn read(reader: &mut dyn BufRead, each: &mut dyn FnMut(Item)) -> Result<Summary, FeedError> {
    let mut summary = Summary::default();
    let mut number = 1;
    let mut head = line(reader, MAX_LINE, number)?;
    // The comment is not there in the oldest files.
    if let Some(comment) = head.as_deref().and_then(|text| text.strip_prefix('#')) {
        let date = comment.trim().split(',').find_map(|part| part.strip_prefix("score_date:"));
        summary.saw(date.and_then(score_date));
        number += 1;
        head = line(reader, MAX_LINE, number)?;
    }
    if head.as_deref().map(str::trim) != Some("cve,epss,percentile") {
        return Err(FeedError::Line { line: number, expected: "cve,epss,percentile" });
    }
    let mut rows = csv::ReaderBuilder::new().has_headers(false).from_reader(reader);
    let mut row = csv::StringRecord::new();
    loop {
        number += 1;
        let wrong = |expected| FeedError::Line { line: number, expected };
        match rows.read_record(&mut row) {
            Ok(true) => {}
            Ok(false) => return Ok(summary),
            Err(error) => {
                return Err(match error.into_kind() {
                    csv::ErrorKind::Io(error) => error.into(),
                    _ => wrong("a CVE and two numbers"),
                });
            }
        }
        summary.count()?;
        let (Some(id), Some(score), Some(percentile)) =
            (row.get(0), row.get(1).and_then(part), row.get(2).and_then(part))
        else {
            return Err(wrong("a CVE and two numbers between 0 and 1"));
        };
        let id = word(id.to_owned(), "cve", || format!("line {number}"))?;
        each(Item::Cve(CveFacts { id, epss: Some(Epss { score, percentile }), ..CveFacts::default() }));
    }
}

/// A number between 0 and 1.
fn part(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number| (0.0..=1.0).contains(number))
}

/// `2023-04-02T00:00:00+0000`; what stands behind the colons of the time has none.
fn score_date(text: &str) -> Option<jiff::Timestamp> {
    time(text).or_else(|| time(&format!("{}Z", text.split('+').next()?)))
}
