//! Inventories for the tests of all formats: one with every kind of fact in it, and one whose every text is hostile.

use std::collections::BTreeMap;

use distil_imgcore::{DiffId, Digest, ImagePath, Platform};

use crate::digests::Digests;
use crate::document::About;
use crate::inventory::{
    Agent, Artefact, BaseImage, BuiltUsing, Contact, Context, Dependency, File, ImageFacts, Inventory, LayerFacts,
    Owner, Package, PackageKind, Repository, SourcePackage, System,
};
use crate::licence::Licences;

/// The licence of [`inventory`] that SPDX has no name for.
pub(crate) const LICENCE_REF: &str = "LicenseRef-deb-permissive-5d8f2a90c1be";

/// What the documents of the tests say about themselves.
pub(crate) fn about() -> About {
    let author = Agent {
        name: "Image Team".into(),
        contact: Some(Contact::Mail("images@example.org".into())),
        is_person: false,
    };
    About { author: Some(author), created: 1_700_000_000, version: "0.1.0".into(), files: true }
}

/// Two Debian packages, the second with a Go module and a Python distribution in it, own files and a base image.
pub(crate) fn inventory() -> Inventory {
    let mut files = vec![
        file("usr/lib/libweird.so.1", package(0), true),
        file("usr/share/doc/libweird++1/copyright", package(0), false),
        file("etc/webtool.conf", Owner::Package { number: 1, is_conffile: true }, false),
        file("usr/bin/webtool", package(1), true),
        file("usr/lib/python3/dist-packages/sampledist-0.9.dist-info/METADATA", package(1), false),
        file("srv/app/run.sh", Owner::Recipe, true),
        file("srv/app/data.json", Owner::Recipe, false),
        file("etc/passwd", Owner::Generated, false),
        file("opt/strange.bin", Owner::Unknown, true),
    ];
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Inventory {
        image: image(),
        system: Some(System {
            id: "debian".into(),
            version_id: Some("12".into()),
            codename: Some("bookworm".into()),
            pretty_name: Some("Debian GNU/Linux 12 (bookworm)".into()),
        }),
        packages: vec![library(), program(), go_module(), python_distribution()],
        files,
        licence_texts: BTreeMap::from([(LICENCE_REF.to_owned(), "Do with it what you like.\n".to_owned())]),
    }
}

/// As [`inventory`], with terminal escapes, HTML, JSON and separators of package URLs in every text, among them a licence
/// that is no expression, a text of a megabyte, names of files that are not UTF-8, packages that need each other and
/// are part of each other, a nameless one, a file without digests, and a time that no calendar has.
pub(crate) fn hostile() -> Inventory {
    let mut all = inventory();
    let image = &mut all.image;
    spoil(&mut image.name);
    image.created = Some(i64::MAX);
    image.annotations = BTreeMap::from([(nasty("key"), nasty("value"))]);
    image.layers.iter_mut().for_each(|layer| layer.created_by = Some(nasty("RUN")));
    image.base.iter_mut().for_each(|base| base.name = Some(nasty("docker.io/base")));
    all.system = Some(System {
        id: nasty("debian"),
        version_id: Some(nasty("12")),
        codename: None,
        pretty_name: Some(nasty("Debian")),
    });
    let mut nameless = Package::new(PackageKind::Other(nasty("odd")), "", Some(String::new()));
    nameless.namespace = Some(String::new());
    all.packages.push(nameless);
    all.packages.iter_mut().for_each(spoil_package);
    all.packages[0].dependencies = vec![Dependency::Package(0), Dependency::Package(1)];
    all.packages[2].part_of = Some(3);
    all.packages[3].part_of = Some(2);
    all.packages[0].description = Some("\u{1b}[5mmegabyte\0".repeat(75_000));
    all.packages[0].licences.copyright.push("©\u{202e}\"<".repeat(150_000));
    for name in [&b"srv/caf\xe9.txt"[..], b"srv/caf\xe8.txt", b"srv/\x1b]0;owned\x07\n\"},{<b>", b"srv/%2e%2e#?@"] {
        all.files.push(File { path: ImagePath::from_archive(name).unwrap(), ..file("srv/x", Owner::Recipe, false) });
    }
    let unread = file("usr/lib/unread", package(0), false);
    all.files.push(File { digests: Digests::default(), ..unread });
    all.files.sort_by(|a, b| a.path.cmp(&b.path));
    all.licence_texts.insert(LICENCE_REF.to_owned(), nasty("licence").repeat(10_000));
    all.licence_texts.insert(nasty("LicenseRef-x"), nasty("licence"));
    all
}

fn image() -> ImageFacts {
    let layer = |name: &str| LayerFacts {
        diff_id: DiffId::new(Digest::of(name.as_bytes())),
        digest: Some(Digest::of(format!("{name}.zst").as_bytes())),
        created_by: Some(format!("distil {name}")),
    };
    ImageFacts {
        name: "shop/web".into(),
        digest: Some(Digest::of(b"manifest")),
        sha512: Digests::of(b"manifest").sha512,
        platform: Some(Platform::new("linux", "amd64", None).unwrap()),
        layers: vec![layer("base"), layer("packages"), layer("files")],
        base: Some(BaseImage { name: Some("docker.io/library/debian:12".into()), digest: Digest::of(b"base") }),
        created: Some(1_700_000_000),
        annotations: BTreeMap::from([
            ("org.opencontainers.image.title".into(), "web".into()),
            ("org.opencontainers.image.version".into(), "2.1".into()),
        ]),
        context: Context::Build,
    }
}

fn library() -> Package {
    let (name, version) = ("libweird++1", "2:1.0~rc1+dfsg-1+b2");
    let file_name = "libweird++1_1.0~rc1+dfsg-1+b2_amd64.deb";
    Package {
        architecture: Some("amd64".into()),
        source: Some(SourcePackage { name: "weird".into(), version: "2:1.0~rc1+dfsg-1".into() }),
        summary: Some("weird library".into()),
        section: Some("libs".into()),
        licences: Licences {
            declared: Some(format!("(GPL-2.0-or-later OR MIT) AND {LICENCE_REF}")),
            concluded: Some(format!("(GPL-2.0-or-later OR MIT) AND {LICENCE_REF}")),
            copyright: vec!["2001-2023 Ann Author".into(), "2020 Zoë Ünïcode <zoe@example.org>".into()],
            remarks: vec!["version of the GPL taken from the text".into()],
        },
        artefact: Some(artefact(file_name, "pool/main/w/weird/")),
        layer: Some(1),
        locations: vec![path("usr/share/doc/libweird++1/copyright"), path("var/lib/dpkg/status.d/libweird++1")],
        ..deb(name, version)
    }
}

fn program() -> Package {
    Package {
        architecture: Some("amd64".into()),
        source: Some(SourcePackage { name: "webtool".into(), version: "3.1-1".into() }),
        built_using: vec![built_using("glibc", "2.36-9+deb12u9", false), built_using("golang-1.19", "1.19.8-2", true)],
        homepage: Some("https://webtool.example.org/".into()),
        summary: Some("tool for the web".into()),
        description: Some("It does things.\n\nAnd others.".into()),
        section: Some("web".into()),
        priority: Some("optional".into()),
        licences: Licences {
            declared: Some("Apache-2.0".into()),
            concluded: Some("Apache-2.0".into()),
            copyright: vec!["2019 Webtool Authors".into()],
            remarks: vec![],
        },
        artefact: Some(artefact("webtool_3.1-1_amd64.deb", "pool/main/w/webtool/")),
        layer: Some(1),
        locations: vec![path("var/lib/dpkg/status.d/webtool")],
        dependencies: vec![Dependency::Package(0), Dependency::Missing("nowhere (>= 2) | nothing".into())],
        ..deb("webtool", "3.1-1")
    }
}

fn go_module() -> Package {
    Package {
        namespace: Some("github.com/Example".into()),
        layer: Some(1),
        locations: vec![path("usr/bin/webtool")],
        part_of: Some(1),
        ..Package::new(PackageKind::Golang, "mod", Some("v1.2.3".into()))
    }
}

fn python_distribution() -> Package {
    Package {
        licences: Licences { declared: Some("BSD-3-Clause".into()), ..Licences::default() },
        layer: Some(1),
        locations: vec![path("usr/lib/python3/dist-packages/sampledist-0.9.dist-info/METADATA")],
        part_of: Some(1),
        ..Package::new(PackageKind::Pypi, "sampledist", Some("0.9".into()))
    }
}

fn deb(name: &str, version: &str) -> Package {
    Package {
        namespace: Some("debian".into()),
        maintainer: Agent::parse("Weird Team (unofficial) <weird@example.org>"),
        supplier: Some(Agent {
            name: "Debian".into(),
            contact: Some(Contact::Url("https://www.debian.org/".into())),
            is_person: false,
        }),
        ..Package::new(PackageKind::Deb, name, Some(version.into()))
    }
}

fn artefact(file_name: &str, folder: &str) -> Artefact {
    Artefact {
        file_name: file_name.into(),
        size: Some(12_345),
        digests: Digests::of(file_name.as_bytes()),
        path: Some(format!("{folder}{file_name}")),
        repository: Some(Repository { origin: Some("Debian".into()), suite: "bookworm".into() }),
    }
}

fn built_using(name: &str, version: &str, is_static: bool) -> BuiltUsing {
    BuiltUsing { source: SourcePackage { name: name.into(), version: version.into() }, is_static }
}

fn package(number: usize) -> Owner {
    Owner::Package { number, is_conffile: false }
}

fn file(name: &str, owner: Owner, is_executable: bool) -> File {
    let layer = match owner {
        Owner::Package { .. } => 1,
        Owner::Recipe | Owner::Generated => 2,
        Owner::Unknown => 0,
    };
    File {
        path: path(name),
        size: name.len() as u64,
        digests: Digests::of(name.as_bytes()),
        is_executable,
        layer: Some(layer),
        owner,
    }
}

fn path(name: &str) -> ImagePath {
    ImagePath::from_archive(name.as_bytes()).unwrap()
}

fn nasty(start: &str) -> String {
    format!(
        "{start}\u{1b}[31m\u{1b}]0;owned\u{7}\0\u{9b}2J\u{202e}\u{feff}\u{ffff}</script><b onload=x>&amp;\"}}],{{'\\\r\n\
         (x) <y@z> Tool: Organization: SPDXRef-DOCUMENT #a ?b=c&d @1 pkg:deb/../%2e%2E//x:y $(id) `id` LicenseRef-\t"
    )
}

fn spoil(text: &mut String) {
    *text = nasty(text);
}

fn spoil_agent(agent: &mut Agent) {
    spoil(&mut agent.name);
    match &mut agent.contact {
        Some(Contact::Mail(text) | Contact::Url(text)) => spoil(text),
        None => {}
    }
}

fn spoil_package(package: &mut Package) {
    let nameless = package.name.is_empty();
    let optional = [
        &mut package.namespace,
        &mut package.version,
        &mut package.architecture,
        &mut package.summary,
        &mut package.description,
        &mut package.section,
        &mut package.priority,
        &mut package.licences.declared,
    ];
    optional.into_iter().flatten().filter(|_| !nameless).for_each(spoil);
    if !nameless {
        spoil(&mut package.name);
    }
    package.homepage = Some(nasty("javascript:alert(1)//"));
    package.maintainer.iter_mut().for_each(spoil_agent);
    package.supplier.iter_mut().for_each(spoil_agent);
    let sources = package.source.iter_mut().chain(package.built_using.iter_mut().map(|built| &mut built.source));
    sources.flat_map(|source| [&mut source.name, &mut source.version]).for_each(spoil);
    package.licences.copyright.iter_mut().chain(&mut package.licences.remarks).for_each(spoil);
    if let Some(artefact) = &mut package.artefact {
        spoil(&mut artefact.file_name);
        artefact.path.iter_mut().for_each(spoil);
        if let Some(repository) = &mut artefact.repository {
            spoil(&mut repository.suite);
        }
    }
    package.dependencies.push(Dependency::Missing(nasty("libmissing")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_keep_to_the_model() {
        for all in [inventory(), hostile()] {
            assert!(all.packages.is_sorted_by(|a, b| a.key() <= b.key()));
            assert!(all.files.is_sorted_by(|a, b| a.path < b.path));
            let owned = all.files.iter().filter_map(|file| match file.owner {
                Owner::Package { number, .. } => Some(number),
                _ => None,
            });
            let needed = all.packages.iter().flat_map(|package| &package.dependencies);
            let needed = needed.filter_map(|dependency| match dependency {
                Dependency::Package(number) => Some(*number),
                Dependency::Missing(_) => None,
            });
            let within = all.packages.iter().filter_map(|package| package.part_of);
            assert!(owned.chain(needed).chain(within).all(|number| number < all.packages.len()));
            assert!(all.files.iter().filter_map(|file| file.layer).all(|layer| layer < all.image.layers.len()));
        }
    }
}
