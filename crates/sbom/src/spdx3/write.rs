//! The elements that stand for the document, its makers and the image.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::graph::{CREATION, Graph};
use super::id::Id;
use super::plan::Plan;
use super::value::{DictionaryEntry, ExternalIdentifier, ExternalRef, Hash, Properties};
use crate::document::About;
use crate::inventory::{Inventory, LayerFacts, Owner, SourcePackage, System};
use crate::provenance::BUILD_TYPE;
use crate::purl::Purl;
use crate::time;

/// Said of the licence of an image whose own files nobody has named a licence for.
const PACKAGES_ONLY: &str = "of the packages; of the files of the recipe nothing is said";
const IMAGE_COPYRIGHT: &str = "as stated for each package";

/// Writes an inventory as SPDX 3.0.1 in JSON-LD, in one line.
///
/// # Errors
/// What the writer fails with.
pub fn write(inventory: &Inventory, about: &About, out: &mut dyn Write) -> io::Result<()> {
    let plan = Plan::new(inventory, about);
    let mut writer = Writer { plan: &plan, graph: Graph::begin(out)?, relations: 0 };
    writer.document()?;
    writer.makers()?;
    writer.licences()?;
    writer.image()?;
    writer.layers()?;
    for (number, package) in inventory.packages.iter().enumerate() {
        writer.package(number, package)?;
    }
    writer.sources()?;
    for number in (0..inventory.files.len()).filter(|number| plan.lists(*number)) {
        writer.file(number)?;
    }
    if plan.is_build() {
        writer.build()?;
    }
    writer.graph.finish()
}

/// Writes elements one after another, and numbers their relations.
pub(super) struct Writer<'a> {
    pub(super) plan: &'a Plan<'a>,
    pub(super) graph: Graph<'a>,
    relations: usize,
}

/// What else a relation says than what it relates.
#[derive(Default)]
pub(super) struct Detail<'a> {
    /// Whether the list of the other side is all there is.
    pub(super) completeness: Option<&'static str>,
    /// When the relation holds.
    pub(super) scope: Option<&'static str>,
    pub(super) comment: Option<Cow<'a, str>>,
}

impl Writer<'_> {
    /// Writes a relation, where there is something on its other side.
    pub(super) fn relate<'b>(
        &mut self,
        from: Id<'_>,
        kind: &'static str,
        to: impl Iterator<Item = Id<'b>> + Clone,
        detail: &Detail<'_>,
    ) -> io::Result<()> {
        if to.clone().next().is_none() {
            return Ok(());
        }
        let id = self.plan.one('r', self.relations);
        self.relations += 1;
        let class = if detail.scope.is_some() { "LifecycleScopedRelationship" } else { "Relationship" };
        self.graph.element(class, id, |fields| {
            fields.put("from", &from)?.put("relationshipType", kind)?.list("to", to)?;
            fields.some("completeness", detail.completeness)?.some("scope", detail.scope)?;
            fields.some("comment", detail.comment.as_deref())?;
            Ok(())
        })
    }

    /// How complete lists of contents are: a build knows all, and a look into an image finds what it knows to look for.
    pub(super) fn completeness(&self) -> &'static str {
        if self.plan.is_build() && self.plan.about.files { "complete" } else { "noAssertion" }
    }

    fn document(&mut self) -> io::Result<()> {
        let plan = self.plan;
        let author = plan.about.author.as_ref().and_then(|author| plan.agent(author));
        self.graph.object(|fields| {
            fields.put("type", "CreationInfo")?.put("@id", CREATION)?.put("specVersion", "3.0.1")?;
            fields.put("created", &time::of_document(plan.about.created))?;
            fields.put("createdBy", &[author.unwrap_or(plan.only("agent"))])?;
            fields.put("createdUsing", &[plan.only("tool")])?;
            Ok(())
        })?;
        // The profile of extensions is not named: in the context of SPDX that word stands for the property of this name.
        let profiles = ["core", "software", "simpleLicensing", "build"];
        let count = if plan.is_build() { 4 } else { 3 };
        self.graph.element("SpdxDocument", plan.only("document"), |fields| {
            fields.put("name", &plan.inventory.image.name)?.put("dataLicense", &plan.only("data-licence"))?;
            fields.list("profileConformance", profiles.iter().take(count))?;
            fields.put("rootElement", &[plan.only("sbom")])?;
            Ok(())
        })?;
        self.graph.element("software_Sbom", plan.only("sbom"), |fields| {
            fields.put("software_sbomType", &[if plan.is_build() { "build" } else { "analyzed" }])?;
            fields.put("rootElement", &[plan.only("image")])?;
            Ok(())
        })?;
        self.graph.element("simplelicensing_LicenseExpression", plan.only("data-licence"), |fields| {
            fields.put("simplelicensing_licenseExpression", "CC0-1.0").map(drop)
        })
    }

    fn makers(&mut self) -> io::Result<()> {
        let plan = self.plan;
        let name = format!("distil-{}", plan.about.version);
        self.graph.element("Tool", plan.only("tool"), |fields| fields.put("name", &name).map(drop))?;
        if plan.about.author.is_none() {
            // Somebody must have made the document. Without a name it is the program that did.
            self.graph.element("SoftwareAgent", plan.only("agent"), |fields| fields.put("name", &name).map(drop))?;
        }
        for (id, agent) in plan.agents() {
            let class = if agent.is_person { "Person" } else { "Organization" };
            let contact = ExternalIdentifier::of_agent(agent);
            self.graph.element(class, id, |fields| {
                fields.put("name", &agent.name)?.list("externalIdentifier", contact.iter()).map(drop)
            })?;
        }
        Ok(())
    }

    fn licences(&mut self) -> io::Result<()> {
        let plan = self.plan;
        let texts = &plan.inventory.licence_texts;
        for (number, (name, text)) in texts.iter().enumerate() {
            self.graph.element("simplelicensing_SimpleLicensingText", plan.one('t', number), |fields| {
                fields.put("name", name)?.put("simplelicensing_licenseText", text).map(drop)
            })?;
        }
        let numbers: BTreeMap<&str, usize> = texts.keys().map(String::as_str).zip(0..).collect();
        for (id, expression) in plan.licences() {
            let words: BTreeSet<_> = expression.split(|c: char| c.is_whitespace() || "()".contains(c)).collect();
            let known = words.iter().filter_map(|word| {
                let (name, number) = numbers.get_key_value(word)?;
                Some(DictionaryEntry { key: name, value: plan.one('t', *number) })
            });
            self.graph.element("simplelicensing_LicenseExpression", id, |fields| {
                fields.put("simplelicensing_licenseExpression", expression)?;
                fields.list("simplelicensing_customIdToUri", known).map(drop)
            })?;
        }
        Ok(())
    }

    fn image(&mut self) -> io::Result<()> {
        let plan = self.plan;
        let image = &plan.inventory.image;
        let id = plan.only("image");
        let purl = Purl::of_image(image).to_string();
        let identifiers = std::iter::once(ExternalIdentifier::new("packageUrl", &purl));
        let system = plan.inventory.system.as_ref();
        let identifiers: Vec<_> = identifiers.chain(system.and_then(cpe)).collect();
        let annotations = image.annotations.iter().map(|(key, value)| (Cow::Borrowed(key.as_str()), value));
        let platform = image.platform.as_ref().map(ToString::to_string);
        let platform = platform.iter().map(|platform| (Cow::Borrowed("distil:platform"), platform));
        let properties = Properties::new(annotations.chain(platform));
        let supplier = plan.supplier_of_image().and_then(|agent| plan.agent(&agent));
        let built = image.created.and_then(time::text);
        self.graph.element("software_Package", id, |fields| {
            fields.put("name", &image.name)?;
            fields.list("verifiedUsing", self.plan.digests_of_image())?;
            fields.list("externalIdentifier", identifiers.iter())?.list("extension", properties.iter())?;
            fields.some("builtTime", built)?.list("originatedBy", supplier.iter())?.some("suppliedBy", supplier)?;
            fields.put("software_primaryPurpose", "container")?.put("software_copyrightText", IMAGE_COPYRIGHT)?;
            fields.some("software_packageVersion", image.digest.as_ref().map(ToString::to_string))?;
            fields.put("software_packageUrl", &purl)?;
            fields.some("software_sourceInfo", system.map(os_release))?;
            Ok(())
        })?;
        if let Some(digest) = &image.digest {
            let manifest = plan.only("manifest");
            self.graph.element("software_File", manifest, |fields| {
                fields.put("name", &digest.hex())?.list("verifiedUsing", plan.digests_of_image())?;
                fields.put("software_additionalPurpose", &["archive", "container"])?;
                fields.put("contentType", "application/vnd.oci.image.manifest.v1+json").map(drop)
            })?;
            self.relate(id, "hasDistributionArtifact", [manifest].into_iter(), &Detail::default())?;
        }
        let declared = plan.declared_of_image();
        let has_own = declared.is_none() && plan.files_of(Owner::Recipe).next().is_some();
        let remark = has_own.then_some(Cow::Borrowed(PACKAGES_ONLY));
        self.licence_relations(id, declared, plan.concluded_of_image().as_deref(), remark)?;
        self.contents_of_image(id)
    }

    fn contents_of_image(&mut self, image: Id<'_>) -> io::Result<()> {
        let plan = self.plan;
        let completeness = Some(self.completeness());
        let outermost = (0..plan.inventory.packages.len()).filter(|number| plan.is_outermost(*number));
        let packages = outermost.map(|number| plan.one('p', number));
        self.relate(image, "contains", packages, &Detail { completeness, ..Detail::default() })?;
        let owners = [(Owner::Recipe, Some("recipe")), (Owner::Generated, Some("generated")), (Owner::Unknown, None)];
        for (owner, comment) in owners {
            let files = plan.files_of(owner).map(|number| plan.one('f', number));
            let detail = Detail { completeness, comment: comment.map(Cow::Borrowed), scope: None };
            self.relate(image, "contains", files, &detail)?;
        }
        let layers = (0..plan.inventory.image.layers.len()).map(|number| plan.one('y', number));
        let detail = Detail { completeness: Some("complete"), comment: Some("layers".into()), scope: None };
        self.relate(image, "contains", layers, &detail)?;
        let base = plan.inventory.image.base.as_ref().map(|_| plan.only("base"));
        self.relate(image, "descendantOf", base.into_iter(), &Detail::default())
    }

    fn layers(&mut self) -> io::Result<()> {
        let plan = self.plan;
        for (number, LayerFacts { diff_id, digest, created_by }) in plan.inventory.image.layers.iter().enumerate() {
            let stored = digest.as_ref().and_then(|digest| digest.as_sha256());
            let stored = stored.map(|bytes| Hash::new("sha256", bytes));
            self.graph.element("software_File", plan.one('y', number), |fields| {
                fields.put("name", &format!("{diff_id}"))?.some("description", created_by.as_deref())?;
                fields.list("verifiedUsing", stored.iter())?.put("software_primaryPurpose", "archive").map(drop)
            })?;
        }
        let Some(base) = &plan.inventory.image.base else { return Ok(()) };
        let digest = base.digest.as_sha256().map(|bytes| Hash::new("sha256", bytes));
        self.graph.element("software_File", plan.only("base"), |fields| {
            fields.some("name", base.name.as_deref())?.list("verifiedUsing", digest.iter())?;
            fields.put("software_primaryPurpose", "container").map(drop)
        })
    }

    fn sources(&mut self) -> io::Result<()> {
        let plan = self.plan;
        let system = plan.inventory.system.as_ref();
        for (id, source, users) in plan.sources() {
            let purl = Purl::of_source(source, system).to_string();
            let places = if users.is_debian { places_of_source(source) } else { Vec::new() };
            self.graph.element("software_File", id, |fields| {
                fields.put("name", &description_file(source))?;
                fields.put("externalIdentifier", &[ExternalIdentifier::new("packageUrl", &purl)])?;
                fields.list("externalRef", places.iter())?.put("software_primaryPurpose", "source").map(drop)
            })?;
            let kinds = [
                (&users.built, None),
                (&users.using, Some("Built-Using".into())),
                (&users.linking, Some("Static-Built-Using".into())),
            ];
            for (packages, comment) in kinds {
                let packages = packages.iter().map(|number| plan.one('p', *number));
                self.relate(id, "generates", packages, &Detail { comment, ..Detail::default() })?;
            }
        }
        Ok(())
    }

    fn build(&mut self) -> io::Result<()> {
        let plan = self.plan;
        let id = plan.only("build");
        self.graph.element("build_Build", id, |fields| fields.put("build_buildType", BUILD_TYPE).map(drop))?;
        let during = || Detail { scope: Some("build"), ..Detail::default() };
        let packages = plan.inventory.packages.iter().enumerate();
        let archives = packages.filter(|(_, package)| package.artefact.is_some());
        let archives = archives.map(|(number, _)| plan.one('d', number));
        let own = plan.files_of(Owner::Recipe).map(|number| plan.one('f', number));
        let base = plan.inventory.image.base.as_ref().map(|_| plan.only("base"));
        self.relate(id, "hasInput", base.into_iter().chain(archives).chain(own), &during())?;
        self.relate(id, "hasOutput", [plan.only("image")].into_iter(), &during())?;
        self.relate(id, "usesTool", [plan.only("tool")].into_iter(), &during())
    }
}

/// The facts of the operating system as they stand in its own file. Line ends would begin another fact.
fn os_release(system: &System) -> String {
    let facts = [
        ("ID", Some(&system.id)),
        ("VERSION_ID", system.version_id.as_ref()),
        ("VERSION_CODENAME", system.codename.as_ref()),
        ("PRETTY_NAME", system.pretty_name.as_ref()),
    ];
    let facts = facts.into_iter().filter_map(|(key, value)| {
        let value = value?.replace(char::is_control, " ").replace('\\', "\\\\").replace('"', "\\\"");
        Some(format!("{key}=\"{value}\""))
    });
    facts.collect::<Vec<_>>().join("\n")
}

/// The name that vulnerabilities of Debian itself are found by.
fn cpe(system: &System) -> Option<ExternalIdentifier<'static>> {
    let version = system.version_id.as_deref().filter(|_| system.id == "debian")?;
    let is_plain = !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    is_plain.then(|| ExternalIdentifier::new("cpe23", format!("cpe:2.3:o:debian:debian_linux:{version}:*:*:*:*:*:*:*")))
}

/// The name of the file that describes a source package. It has no epoch.
fn description_file(source: &SourcePackage) -> String {
    let version = source.version.split_once(':').map_or(source.version.as_str(), |(_, rest)| rest);
    format!("{}_{version}.dsc", source.name)
}

/// Where Debian has a source package for good, and where it tells of what is known of it.
fn places_of_source(source: &SourcePackage) -> Vec<ExternalRef> {
    vec![ExternalRef::new("sourceArtifact", source.snapshot()), ExternalRef::new("issueTracker", source.bugs())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_of_a_system_come_back() {
        let system = System {
            id: "debian".into(),
            version_id: None,
            codename: Some("si\"d\\".into()),
            pretty_name: Some("Debian 'x'".into()),
        };
        assert_eq!(System::parse(os_release(&system).as_bytes()), Some(system));
    }
}
