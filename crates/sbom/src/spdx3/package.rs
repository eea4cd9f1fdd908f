//! The elements that stand for a package, and for the file it came as.

use std::borrow::Cow;
use std::io;

use super::id::Id;
use super::value::{ExternalIdentifier, ExternalRef, Hash, Properties, is_url};
use super::write::{Detail, Writer};
use crate::expression;
use crate::inventory::{Artefact, Dependency, Owner, Package, PackageKind};
use crate::purl::Purl;

/// Said of a package whose author is not on record.
pub(super) const ORIGINATOR_STANDS_IN: &str = "originatedBy: not on record; who made what it was found in stands in";
/// Who made a package has no address, and whoever stands second has one.
const ASKED: &str = "originatedBy: no address of the first is on record; the second can be asked";
/// Said of a package whose supplier is not on record.
pub(super) const SUPPLIER_STANDS_IN: &str = "suppliedBy: not on record; who supplied what it was found in stands in";
/// Said of a licence that a package's own record does not conclude.
pub(super) const INFERRED: &str = "concluded from what is declared, or from the package around it";
/// What the copyright of a package in another one begins with.
pub(super) const AS_STATED: &str = "as stated for ";
/// What comes before the files that show a package, one on each line.
pub(super) const FOUND_IN: &str = "found in";
/// What comes before the relations of a package that nothing in the image fulfils, one on each line.
pub(super) const MISSING: &str = "not in the image";
/// What comes before the digest of a layer: the words of Syft and BuildKit.
pub(super) const LAYER: &str = "layerID: ";

impl Writer<'_> {
    pub(super) fn package(&mut self, number: usize, package: &Package) -> io::Result<()> {
        let plan = self.plan;
        let id = plan.one('p', number);
        let purl = Purl::of(package, plan.inventory.system.as_ref()).to_string();
        let originator = plan.originator(number);
        let supplier = plan.supplier(number);
        let stand_ins = [(&originator, ORIGINATOR_STANDS_IN), (&supplier, SUPPLIER_STANDS_IN)];
        let stand_ins =
            stand_ins.into_iter().filter(|(found, _)| found.as_ref().is_some_and(|found| found.is_stand_in));
        let stand_ins = stand_ins.map(|(_, note)| note.to_owned());
        let asked = plan.asked(number).and_then(|agent| plan.agent(agent));
        let stand_ins = stand_ins.chain(asked.map(|_| ASKED.to_owned()));
        let comments: Vec<_> = self.layer(package.layer).into_iter().chain(stand_ins).collect();
        let [originator, supplier] = [originator, supplier].map(|found| plan.agent(found?.agent));
        let known = [("distil:deb:section", &package.section), ("distil:deb:priority", &package.priority)];
        let known = known.into_iter().filter_map(|(name, value)| Some((Cow::Borrowed(name), value.as_ref()?)));
        let properties = Properties::new(known);
        let copyright = self.copyright(number, package);
        self.graph.element("software_Package", id, |fields| {
            fields.put("name", &display_name(package))?;
            fields.some("summary", package.summary.as_deref())?;
            fields.some("description", package.description.as_deref())?;
            fields.some("comment", (!comments.is_empty()).then(|| comments.join("\n")))?;
            fields.put("externalIdentifier", &[ExternalIdentifier::new("packageUrl", &purl)])?;
            fields.list("extension", properties.iter())?;
            fields.list("originatedBy", originator.iter().chain(&asked))?.some("suppliedBy", supplier)?;
            fields.some("software_copyrightText", copyright)?;
            fields.some("software_packageVersion", package.version.as_deref())?;
            fields.put("software_packageUrl", &purl)?;
            fields.some("software_homePage", package.homepage.as_deref().filter(|page| is_url(page)))?;
            fields.some("software_sourceInfo", found_in(package))?;
            Ok(())
        })?;
        if let Some(artefact) = &package.artefact {
            self.artefact(number, artefact)?;
        }
        self.relate(id, "hasDistributionArtifact", plan.distribution(number).into_iter(), &Detail::default())?;
        self.contents(id, number)?;
        self.dependencies(id, package)?;
        let concluded = plan.concluded(number);
        let declared = package.licences.declared.as_deref().filter(|text| expression::is_valid(text));
        let remark = match &concluded {
            Some(concluded) if concluded.is_inferred => Some(Cow::Borrowed(INFERRED)),
            _ if package.licences.remarks.is_empty() => None,
            _ => Some(Cow::Owned(package.licences.remarks.join("\n"))),
        };
        self.licence_relations(id, declared, concluded.map(|concluded| concluded.expression), remark)
    }

    /// The relations of a package, or of the image, to its licences: as declared, and as they hold for whoever gets it and
    /// for whoever made the image, between which nothing has been chosen.
    pub(super) fn licence_relations(
        &mut self,
        from: Id<'_>,
        declared: Option<&str>,
        concluded: Option<&str>,
        remark: Option<Cow<'_, str>>,
    ) -> io::Result<()> {
        let plan = self.plan;
        let declared = declared.and_then(|expression| plan.licence(expression));
        let concluded = concluded.and_then(|expression| plan.licence(expression));
        let complete = Some("complete");
        let detail = |comment| Detail { completeness: complete, comment, ..Detail::default() };
        self.relate(from, "hasDeclaredLicense", declared.into_iter(), &detail(None))?;
        self.relate(from, "hasConcludedLicense", concluded.into_iter(), &detail(remark))?;
        self.relate(from, "other", concluded.into_iter(), &detail(Some("hasEffectiveLicense".into())))
    }

    /// The comment that names a layer.
    pub(super) fn layer(&self, number: Option<usize>) -> Option<String> {
        let layer = self.plan.inventory.image.layers.get(number?)?;
        Some(format!("{LAYER}{}", layer.diff_id))
    }

    /// The archive that a package was installed from: a file that holds others, with their names and modes.
    fn artefact(&mut self, number: usize, artefact: &Artefact) -> io::Result<()> {
        let place = artefact.repository.as_ref().map(|repository| {
            let path = artefact.path.as_ref().unwrap_or(&artefact.file_name);
            ExternalIdentifier::new("other", path).with_authority(&repository.suite, repository.origin.as_deref())
        });
        let url = artefact.snapshot().map(|url| ExternalRef::new("binaryArtifact", url));
        self.graph.element("software_File", self.plan.one('d', number), |fields| {
            fields.put("name", &artefact.file_name)?.list("verifiedUsing", Hash::all(&artefact.digests))?;
            fields.list("externalIdentifier", place.iter())?.list("externalRef", url.iter())?;
            fields.put("software_primaryPurpose", "install")?;
            fields.put("software_additionalPurpose", &["archive", "container"]).map(drop)
        })
    }

    /// What lies within a package: others that were found in it, and its files.
    fn contents(&mut self, id: Id<'_>, number: usize) -> io::Result<()> {
        let plan = self.plan;
        let within = plan.within(number).map(|within| plan.one('p', within));
        let files = plan.files_of(Owner::Package { number, is_conffile: false }).map(|file| plan.one('f', file));
        let detail = Detail { completeness: Some(self.completeness()), ..Detail::default() };
        self.relate(id, "contains", within.chain(files), &detail)
    }

    /// What a package needs to run, and whether that is all. Only Debian's records say so.
    fn dependencies(&mut self, id: Id<'_>, package: &Package) -> io::Result<()> {
        let plan = self.plan;
        let count = plan.inventory.packages.len();
        let needed = package.dependencies.iter().filter_map(|dependency| match dependency {
            Dependency::Package(number) => (*number < count).then(|| plan.one('p', *number)),
            Dependency::Missing(_) => None,
        });
        let missing = package.dependencies.iter().filter_map(|dependency| match dependency {
            Dependency::Package(_) => None,
            Dependency::Missing(relation) => Some(relation.replace(char::is_control, " ")),
        });
        let missing: Vec<_> = std::iter::once(MISSING.to_owned()).chain(missing).collect();
        let is_known = package.kind == PackageKind::Deb || !package.dependencies.is_empty();
        let (completeness, nothing) = match (missing.len(), is_known) {
            (1, true) => ("complete", Id::None),
            (1, false) => ("noAssertion", Id::NoAssertion),
            _ => ("incomplete", Id::NoAssertion),
        };
        let comment = (missing.len() > 1).then(|| Cow::Owned(missing.join("\n")));
        let detail = Detail { completeness: Some(completeness), scope: Some("runtime"), comment };
        let nothing = needed.clone().next().is_none().then_some(nothing);
        self.relate(id, "dependsOn", needed.chain(nothing), &detail)
    }

    /// The copyright of a package, or the name of the package around it whose copyright covers it.
    fn copyright<'p>(&self, number: usize, package: &'p Package) -> Option<Cow<'p, str>> {
        match package.licences.copyright.as_slice() {
            [] => {}
            [line] => return Some(Cow::Borrowed(line)),
            lines => return Some(Cow::Owned(lines.join("\n"))),
        }
        let (_, around) = self.plan.around(number).find(|(_, package)| !package.licences.copyright.is_empty())?;
        Some(Cow::Owned(format!("{AS_STATED}{}", around.name)))
    }
}

/// The name that people know a package by.
fn display_name(package: &Package) -> Cow<'_, str> {
    match (&package.kind, &package.namespace) {
        (PackageKind::Golang | PackageKind::Npm, Some(namespace)) if !namespace.is_empty() => {
            Cow::Owned(format!("{namespace}/{}", package.name))
        }
        _ => Cow::Borrowed(&package.name),
    }
}

fn found_in(package: &Package) -> Option<String> {
    let lines = package.locations.iter().map(|path| super::file::name(path));
    let lines: Vec<_> = std::iter::once(Cow::Borrowed(FOUND_IN)).chain(lines).collect();
    (lines.len() > 1).then(|| lines.join("\n"))
}
