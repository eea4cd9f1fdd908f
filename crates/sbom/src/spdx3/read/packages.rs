//! Packages of the inventory from their elements.

use distil_imgcore::ImagePath;

use super::elements::{Elements, FoundPackage, Key};
use super::node::Node;
use super::resolve::Copies;
use crate::inventory::{Contact, Package, PackageKind};
use crate::purl::Purl;
use crate::spdx3::package::{AS_STATED, LAYER, ORIGINATOR_STANDS_IN, SUPPLIER_STANDS_IN};

/// What an element says about a package without any other element.
pub(super) fn described(element: &Node<'_>, purl: Option<&Purl>) -> Package {
    let name = match element.get("name") {
        Some(Node::Text(name)) => Some(&**name),
        _ => None,
    };
    let mut package = match purl {
        Some(purl) => purl.to_package(),
        None => Package::new(PackageKind::of("generic"), name.unwrap_or_default(), None),
    };
    if let Some((namespace, name)) = name.and_then(|name| parts(name, package.namespace.as_deref())) {
        package.namespace = namespace.map(str::to_owned).or(package.namespace);
        name.clone_into(&mut package.name);
    }
    package.version = element.owned("software_packageVersion").or(package.version);
    package.homepage = element.owned("software_homePage");
    package.summary = element.owned("summary");
    package.description = element.owned("description");
    let copyright = element.text("software_copyrightText").filter(|text| !text.starts_with(AS_STATED));
    package.licences.copyright = copyright.map(|text| text.lines().map(str::to_owned).collect()).unwrap_or_default();
    package
}

/// A package with what its element says of other elements: people, and the layer that has this number.
pub(super) fn completed(
    found: &FoundPackage,
    elements: &Elements,
    copies: &mut Copies,
    mut layer: impl FnMut(&str) -> Option<usize>,
) -> Package {
    let mut package = found.package.clone();
    let comment = || found.comment.as_deref().unwrap_or_default().lines();
    let mut known = |agent: Option<Key>, stand_in: &str| {
        let agent = elements.agents.get(&agent.filter(|_| !comment().any(|line| line == stand_in))?)?;
        let contact = match &agent.contact {
            Some(Contact::Mail(text) | Contact::Url(text)) => text.len(),
            None => 0,
        };
        copies.afford(agent.name.len() + contact)?;
        Some(agent.clone())
    };
    package.supplier = known(found.supplier, SUPPLIER_STANDS_IN);
    package.maintainer = known(found.originator, ORIGINATOR_STANDS_IN);
    package.layer = comment().find_map(|line| layer(line.strip_prefix(LAYER)?));
    package.locations =
        found.found_in().into_iter().filter_map(|path| ImagePath::from_foreign(path.as_bytes()).ok()).collect();
    let property =
        |name: &str| found.properties.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone());
    package.section = property("distil:deb:section");
    package.priority = property("distil:deb:priority");
    package
}

/// A name as people know it, cut into what stands before it and itself: the group of a Maven artefact, the scope of an npm
/// package, a Go module's path. URLs have these in lower case, so that only the name tells how they are really written.
/// None where nothing is left of the name.
fn parts<'n>(name: &'n str, namespace: Option<&str>) -> Option<(Option<&'n str>, &'n str)> {
    let cut = namespace.and_then(|namespace| name.split_at_checked(namespace.len()));
    let cut = cut.filter(|(start, _)| namespace.is_some_and(|namespace| start.eq_ignore_ascii_case(namespace)));
    match cut.and_then(|(start, rest)| Some((start, rest.strip_prefix(['/', ':'])?))) {
        Some((_, "")) => None,
        Some((start, rest)) => Some((Some(start), rest)),
        None => Some((None, name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, namespace: Option<&str>, expected: (Option<&str>, &str)) {
        assert_eq!(parts(name, namespace), Some(expected));
    }

    #[test]
    fn names_are_cut_where_their_namespace_ends() {
        check("github.com/Example/mod", Some("github.com/example"), (Some("github.com/Example"), "mod"));
        check("@scope/name", Some("@scope"), (Some("@scope"), "name"));
        check("org.example:thing", Some("org.example"), (Some("org.example"), "thing"));
        check("debianutils", Some("debian"), (None, "debianutils"));
        check("libc6", Some("debian"), (None, "libc6"));
        check("größe", Some("grö"), (None, "größe"));
        check("größe", Some("gr\u{f6}"), (None, "größe"));
        check("ö", Some("d"), (None, "ö"));
        assert_eq!(parts("a/", Some("a")), None);
    }
}
