//! The elements of a document, as they come.

use std::collections::HashMap;

use super::node::Node;
use super::packages;
use crate::digests::Digests;
use crate::inventory::{Agent, Contact, Package, SourcePackage, System};
use crate::purl::Purl;
use crate::spdx3::package::{FOUND_IN, LAYER};

/// The name of an element within one document.
pub(super) type Key = u32;

/// All elements that are understood, under their names.
#[derive(Debug, Default)]
pub(super) struct Elements {
    keys: HashMap<Box<str>, Key>,
    count: usize,
    /// What the document and its bills of materials are about.
    pub(super) roots: Vec<Key>,
    pub(super) packages: Vec<(Key, FoundPackage)>,
    pub(super) files: Vec<(Key, FoundFile)>,
    pub(super) agents: HashMap<Key, Agent>,
    pub(super) licences: HashMap<Key, FoundLicence>,
    pub(super) texts: Vec<(String, String)>,
    pub(super) relations: Vec<Relation>,
}

/// A package as its element describes it.
#[derive(Debug)]
pub(super) struct FoundPackage {
    pub(super) package: Package,
    pub(super) has_purl: bool,
    pub(super) purpose: Option<String>,
    pub(super) digests: Digests,
    pub(super) comment: Option<String>,
    pub(super) source_info: Option<String>,
    pub(super) built: Option<String>,
    pub(super) properties: Vec<(String, String)>,
    pub(super) supplier: Option<Key>,
    pub(super) originator: Option<Key>,
    /// The value of the qualifier `distro` of its URL.
    pub(super) distro: Option<String>,
}

/// A file as its element describes it: of the image, or one that a package came as.
#[derive(Debug)]
pub(super) struct FoundFile {
    pub(super) name: Box<str>,
    pub(super) digests: Digests,
    pub(super) layer: Option<Box<str>>,
    pub(super) is_executable: bool,
    pub(super) is_conffile: bool,
    pub(super) more: Option<Box<MoreOfFile>>,
}

/// What few files have.
#[derive(Debug)]
pub(super) struct MoreOfFile {
    pub(super) description: Option<String>,
    /// The source package that it is.
    pub(super) source: Option<SourcePackage>,
    /// Path, suite and origin in an apt repository.
    pub(super) place: Option<(String, String, Option<String>)>,
}

/// A licence, or a set of them.
#[derive(Debug)]
pub(super) enum FoundLicence {
    /// An expression or an id.
    Text(String),
    /// All of them, or any.
    Set(&'static str, Vec<Key>),
    /// A licence, and what comes after it.
    With(Key, Key),
    /// A licence or a later version of it.
    OrLater(Key),
}

/// What relates elements to another one.
#[derive(Debug)]
pub(super) struct Relation {
    pub(super) kind: Kind,
    pub(super) from: Key,
    pub(super) to: Vec<Key>,
    pub(super) comment: Option<String>,
}

/// The kinds of relations that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Contains,
    DependsOn,
    Declared,
    Concluded,
    DistributedAs,
    Generates,
    DescendantOf,
}

impl Elements {
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The name of an element that may come later, or not at all.
    pub(super) fn key(&mut self, name: &str) -> Key {
        if let Some(key) = self.keys.get(name) {
            return *key;
        }
        // Standard licences are named without being described.
        let key = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        if let Some(id) = name.strip_prefix("https://spdx.org/licenses/") {
            self.licences.insert(key, FoundLicence::Text(id.trim_end_matches(".html").to_owned()));
        }
        self.keys.insert(name.into(), key);
        key
    }

    /// Takes in an element, and those that are written within it.
    pub(super) fn insert(&mut self, element: &Node<'_>) {
        let kind = element.text("type").or_else(|| element.text("@type"));
        let name = element.text("spdxId").or_else(|| element.text("@id"));
        let (Some(kind), Some(name)) = (kind, name) else { return };
        for within in element.values().filter(|value| value.get("spdxId").is_some()) {
            self.insert(within);
        }
        self.count += 1;
        let key = self.key(name);
        match kind {
            "SpdxDocument" | "software_Sbom" | "Bom" => {
                let roots: Vec<_> = element.texts("rootElement").map(|root| self.key(root)).collect();
                self.roots.extend(roots);
            }
            "software_Package" => {
                let package = self.package(element);
                self.packages.push((key, package));
            }
            "software_File" => self.files.push((key, file(element))),
            "Person" | "Organization" | "SoftwareAgent" | "Agent" => {
                self.agents.extend(agent(element, kind == "Person").map(|agent| (key, agent)));
            }
            "Relationship" | "LifecycleScopedRelationship" => self.relation(element),
            "simplelicensing_SimpleLicensingText" | "expandedlicensing_CustomLicense" => self.text(key, element),
            _ => {
                let licence = self.licence(kind, element);
                self.licences.extend(licence.map(|licence| (key, licence)));
            }
        }
    }

    fn package(&mut self, element: &Node<'_>) -> FoundPackage {
        let purl = element.text("software_packageUrl").and_then(|purl| purl.parse::<Purl>().ok());
        let purl = purl.or_else(|| identifier(element, &["packageUrl", "purl"])?.parse().ok());
        let agents = ["suppliedBy", "originatedBy"].map(|property| element.text(property).map(|name| self.key(name)));
        let [supplier, originator] = agents;
        FoundPackage {
            package: packages::described(element, purl.as_ref()),
            has_purl: purl.as_ref().is_some_and(|purl| !matches!(purl.kind(), "oci" | "docker")),
            purpose: element.owned("software_primaryPurpose"),
            digests: digests(element),
            comment: element.owned("comment"),
            source_info: element.owned("software_sourceInfo"),
            built: element.owned("builtTime"),
            properties: properties(element),
            supplier,
            originator,
            distro: purl.and_then(|purl| purl.qualifier("distro").map(str::to_owned)),
        }
    }

    fn relation(&mut self, element: &Node<'_>) {
        let kind = match element.text("relationshipType") {
            Some("contains") => Kind::Contains,
            Some("dependsOn" | "hasDynamicLink" | "hasStaticLink") => Kind::DependsOn,
            Some("hasDeclaredLicense") => Kind::Declared,
            Some("hasConcludedLicense") => Kind::Concluded,
            Some("hasDistributionArtifact") => Kind::DistributedAs,
            Some("generates") => Kind::Generates,
            Some("descendantOf") => Kind::DescendantOf,
            _ => return,
        };
        let Some(from) = element.text("from").map(|name| self.key(name)) else { return };
        let to = element.texts("to").map(|name| self.key(name)).collect();
        self.relations.push(Relation { kind, from, to, comment: element.owned("comment") });
    }

    fn text(&mut self, key: Key, element: &Node<'_>) {
        let name =
            element.text("name").or_else(|| element.text("spdxId").and_then(|id| id.rsplit(['/', '#', ':']).next()));
        let Some(name) = name.filter(|name| name.starts_with("LicenseRef-")) else { return };
        if let Some(Node::Text(text)) = element.get("simplelicensing_licenseText") {
            self.texts.push((name.to_owned(), text.clone().into_owned()));
        }
        self.licences.insert(key, FoundLicence::Text(name.to_owned()));
    }

    fn licence(&mut self, kind: &str, element: &Node<'_>) -> Option<FoundLicence> {
        let mut key = |property: &str| element.text(property).map(|name| self.key(name));
        match kind {
            "simplelicensing_LicenseExpression" => {
                element.owned("simplelicensing_licenseExpression").map(FoundLicence::Text)
            }
            "expandedlicensing_ListedLicense" | "expandedlicensing_ListedLicenseException" => {
                element.owned("name").map(FoundLicence::Text)
            }
            "expandedlicensing_OrLaterOperator" => {
                Some(FoundLicence::OrLater(key("expandedlicensing_subjectLicense")?))
            }
            "expandedlicensing_WithAdditionOperator" => {
                let licence = key("expandedlicensing_subjectExtendableLicense")?;
                Some(FoundLicence::With(licence, key("expandedlicensing_subjectAddition")?))
            }
            "expandedlicensing_ConjunctiveLicenseSet" | "expandedlicensing_DisjunctiveLicenseSet" => {
                let word = if kind == "expandedlicensing_ConjunctiveLicenseSet" { "AND" } else { "OR" };
                let members = element.texts("expandedlicensing_member").map(|name| self.key(name)).collect();
                Some(FoundLicence::Set(word, members))
            }
            _ => None,
        }
    }
}

impl FoundPackage {
    /// The operating system, where the element stands for one or tells of one.
    pub(super) fn system(&self) -> Option<System> {
        if self.purpose.as_deref() == Some("operatingSystem") {
            let version_id = self.package.version.clone();
            return Some(System { id: self.package.name.clone(), version_id, codename: None, pretty_name: None });
        }
        self.source_info.as_ref().and_then(|facts| System::parse(facts.as_bytes()))
    }

    /// The files that show the package, one on each line, or in a row as Syft has them.
    pub(super) fn found_in(&self) -> Vec<&str> {
        let Some(info) = &self.source_info else { return Vec::new() };
        if let Some(lines) = info.strip_prefix(FOUND_IN) {
            return lines.lines().filter(|line| !line.is_empty()).collect();
        }
        let row = info.strip_prefix("acquired package info from ").and_then(|rest| rest.split_once(": "));
        row.map(|(_, row)| row.split(", ").collect()).unwrap_or_default()
    }
}

fn file(element: &Node<'_>) -> FoundFile {
    let purpose = |wanted: &str| {
        let all = element.texts("software_primaryPurpose").chain(element.texts("software_additionalPurpose"));
        all.into_iter().any(|purpose| purpose == wanted)
    };
    let layer = element.text("comment").and_then(|comment| comment.strip_prefix(LAYER));
    let more = MoreOfFile {
        description: element.owned("description"),
        source: identifier(element, &["packageUrl"]).and_then(source),
        place: place(element),
    };
    let is_empty = more.description.is_none() && more.source.is_none() && more.place.is_none();
    FoundFile {
        name: element.text("name").unwrap_or_default().into(),
        digests: digests(element),
        layer: layer.map(Into::into),
        is_executable: purpose("executable"),
        is_conffile: purpose("configuration"),
        more: (!is_empty).then(|| Box::new(more)),
    }
}

fn source(purl: &str) -> Option<SourcePackage> {
    let purl: Purl = purl.parse().ok()?;
    Some(SourcePackage { name: purl.name().to_owned(), version: purl.version().unwrap_or_default().to_owned() })
}

fn place(element: &Node<'_>) -> Option<(String, String, Option<String>)> {
    let other = |found: &&Node<'_>| found.text("externalIdentifierType") == Some("other");
    let found = element.all("externalIdentifier").iter().find(other)?;
    Some((found.owned("identifier")?, found.owned("issuingAuthority")?, found.owned("comment")))
}

fn agent(element: &Node<'_>, is_person: bool) -> Option<Agent> {
    let url = || identifier(element, &["urlScheme"]).map(|url| Contact::Url(url.to_owned()));
    let contact = identifier(element, &["email"]).map(|address| Contact::Mail(address.to_owned())).or_else(url);
    Some(Agent { name: element.owned("name")?, contact, is_person })
}

/// The first external identifier of one of these types.
fn identifier<'n>(element: &'n Node<'_>, types: &[&str]) -> Option<&'n str> {
    let mut all = element.all("externalIdentifier").iter();
    let is_wanted = |found: &&Node<'_>| found.text("externalIdentifierType").is_some_and(|kind| types.contains(&kind));
    all.find(is_wanted)?.text("identifier")
}

fn digests(element: &Node<'_>) -> Digests {
    let mut digests = Digests::default();
    for hash in element.all("verifiedUsing") {
        if let (Some(function), Some(value)) = (hash.text("algorithm"), hash.text("hashValue")) {
            digests.insert(function.rsplit('/').next().unwrap_or_default(), value);
        }
    }
    digests
}

fn properties(element: &Node<'_>) -> Vec<(String, String)> {
    let entries = element.all("extension").iter().flat_map(|extension| extension.all("extension_cdxProperty"));
    let pair = |entry: &Node<'_>| {
        let Some(Node::Text(value)) = entry.get("extension_cdxPropValue") else { return None };
        Some((entry.owned("extension_cdxPropName")?, value.clone().into_owned()))
    };
    entries.filter_map(pair).collect()
}
