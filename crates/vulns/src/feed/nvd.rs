//! JSON 2.0 of the [National Vulnerability Database](https://nvd.nist.gov/developers/vulnerabilities): a page of its API, a
//! yearly feed, or a single record as mirrors keep them.

use std::fmt;
use std::io::Read;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::json::{Each, Elements, outcome};
use super::osv::newest;
use super::text::{day, time, title, word};
use super::{FeedError, Summary};
use crate::advisory::{CveFacts, Item};
use crate::severity::Rater;

/// Whose ratings are NVD's own; all others are of whoever gave the number.
const NVD: &str = "nvd@nist.gov";

#[derive(Debug, Deserialize)]
struct Element {
    cve: Cve,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cve {
    id: String,
    published: Option<String>,
    last_modified: Option<String>,
    vuln_status: Option<String>,
    #[serde(default)]
    descriptions: Vec<Description>,
    #[serde(default)]
    metrics: Metrics,
}

#[derive(Debug, Deserialize)]
struct Description {
    lang: String,
    value: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metrics {
    #[serde(rename = "cvssMetricV40")]
    four: Vec<Metric>,
    #[serde(rename = "cvssMetricV31")]
    three_one: Vec<Metric>,
    #[serde(rename = "cvssMetricV30")]
    three: Vec<Metric>,
    #[serde(rename = "cvssMetricV2")]
    two: Vec<Metric>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metric {
    source: String,
    cvss_data: CvssData,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CvssData {
    vector_string: String,
}

pub(super) fn read(reader: &mut dyn Read, each: &mut dyn FnMut(Item)) -> Result<Summary, FeedError> {
    let mut summary = Summary::default();
    let mut take = |element: Element| take(element.cve, &mut summary, each);
    let (mut failed, mut stated) = (None, None);
    let mut deserializer = serde_json::Deserializer::from_reader(reader);
    let document = Document { take: &mut take, failed: &mut failed, stated: &mut stated };
    let parsed = document.deserialize(&mut deserializer);
    outcome(parsed.and_then(|()| deserializer.end()), failed)?;
    summary.saw(stated.as_deref().and_then(time));
    Ok(summary)
}

fn take(cve: Cve, summary: &mut Summary, each: &mut dyn FnMut(Item)) -> Result<(), FeedError> {
    let id = word(cve.id, "id", || "a record".to_owned())?;
    summary.saw(cve.last_modified.as_deref().and_then(time));
    if cve.vuln_status.as_deref() == Some("Rejected") {
        summary.passed_over += 1;
        return Ok(());
    }
    summary.count()?;
    let metrics = &cve.metrics;
    let all = [&metrics.four, &metrics.three_one, &metrics.three, &metrics.two];
    let vectors = all.into_iter().flatten().map(|metric| {
        let rater = if metric.source == NVD { Rater::NvdCvss } else { Rater::CnaCvss };
        (rater, metric.cvss_data.vector_string.as_str())
    });
    let english = cve.descriptions.iter().find(|description| description.lang == "en");
    each(Item::Cve(CveFacts {
        id,
        ratings: newest(vectors),
        published: cve.published.as_deref().and_then(day),
        title: english.and_then(|description| title(&description.value)),
        ..CveFacts::default()
    }));
    Ok(())
}

/// A document in any of the three forms; its records are taken one by one.
struct Document<'a> {
    take: &'a mut dyn FnMut(Element) -> Result<(), FeedError>,
    failed: &'a mut Option<FeedError>,
    stated: &'a mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { take, failed, stated } = self;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "vulnerabilities" => map.next_value_seed(Elements(Each::new(&mut *take, &mut *failed)))?,
                "cve" => one(&mut *take, Element { cve: map.next_value()? }, failed)?,
                "item" => one(&mut *take, map.next_value()?, failed)?,
                "timestamp" => *stated = map.next_value()?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Takes a record that stands alone.
fn one<E: serde::de::Error>(
    take: &mut dyn FnMut(Element) -> Result<(), FeedError>,
    element: Element,
    failed: &mut Option<FeedError>,
) -> Result<(), E> {
    take(element).map_err(|error| {
        *failed = Some(error);
        E::custom("refused")
    })
}
