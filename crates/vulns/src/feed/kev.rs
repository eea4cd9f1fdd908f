//! CISA's [catalogue of known exploited vulnerabilities](https://www.cisa.gov/known-exploited-vulnerabilities-catalog).

use std::io::Read;

use serde::Deserialize;

use super::text::{day, time, word};
use super::{FeedError, Summary};
use crate::advisory::{CveFacts, Item, Kev};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Catalogue {
    date_released: Option<String>,
    vulnerabilities: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "cveID")]
    cve: String,
    date_added: String,
    due_date: Option<String>,
    known_ransomware_campaign_use: Option<String>,
}

pub(super) fn read(reader: &mut dyn Read, each: &mut dyn FnMut(Item)) -> Result<Summary, FeedError> {
    let catalogue: Catalogue = serde_json::from_reader(reader)?;
    let mut summary = Summary::default();
    summary.saw(catalogue.date_released.as_deref().and_then(time));
    for entry in catalogue.vulnerabilities {
        summary.count()?;
        let id = word(entry.cve, "cveID", || "the catalogue".to_owned())?;
        let wrong = |what| FeedError::Record { record: id.clone(), what, expected: "a date as 2025-08-25" };
        let kev = Kev {
            added: day(&entry.date_added).ok_or_else(|| wrong("dateAdded"))?,
            due: entry.due_date.map(|due| day(&due).ok_or_else(|| wrong("dueDate"))).transpose()?,
            ransomware: entry.known_ransomware_campaign_use.is_some_and(|word| word.eq_ignore_ascii_case("known")),
        };
        each(Item::Cve(CveFacts { id, kev: Some(kev), ..CveFacts::default() }));
    }
    Ok(summary)
}
