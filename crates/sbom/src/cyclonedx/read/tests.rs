//! Tests with documents as other tools write them, and with what nobody should.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::inventory::{Contact, Dependency, Owner, Package, PackageKind, SourcePackage};
use crate::sample;

fn inventory(document: &Value) -> Inventory {
    read(document.to_string().as_bytes()).unwrap()
}

fn document(components: &Value) -> Value {
    json!({ "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": components })
}

fn source(package: &Package) -> Option<(&str, &str)> {
    package.source.as_ref().map(|source| (source.name.as_str(), source.version.as_str()))
}

#[test]
fn syft_is_understood() {
    let properties = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect::<Vec<Value>>()
    };
    let deb = |name: &str, version: &str, purl: &str, more: &[(&str, &str)]| {
        let common = [("syft:package:foundBy", "dpkg-db-cataloger"), ("syft:package:type", "deb")];
        json!({
            "bom-ref": format!("{purl}&package-id=a8132a882d360ba2"), "type": "library", "name": name, "version": version,
            "publisher": "GNU Libc Maintainers <debian-glibc@lists.debian.org>",
            "licenses": [{ "license": { "id": "GPL-2.0-only" } }, { "license": { "name": "By" } }],
            "cpe": "cpe:2.3:a:libc6:libc6:2.36-9\\+deb12u14:*:*:*:*:*:*:*", "purl": purl,
            "properties": properties(&[&common[..], more].concat()),
        })
    };
    let libc = "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64&distro=debian-12&upstream=glibc";
    let tar = "pkg:deb/debian/tar@1.34%2Bdfsg-1.2?arch=amd64&distro=debian-12";
    let busybox = "pkg:deb/debian/busybox@1:1.35.0-4%2Bb3?arch=amd64&distro=debian-12&upstream=busybox%401:1.35.0-4";
    let layer = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let location = [("syft:location:0:layerID", layer), ("syft:location:0:path", "/var/lib/dpkg/status.d/tar")];
    let found = inventory(&json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json", "bomFormat": "CycloneDX", "specVersion": "1.6",
        "metadata": {
            "timestamp": "2026-11-22T12:48:14Z",
            "tools": { "components": [{ "type": "application", "author": "anchore", "name": "syft", "version": "1.18.1" }] },
            "component": { "bom-ref": "9ac8757ea76bd231", "type": "container", "name": "shop/web", "version": layer },
        },
        "components": [
            deb("tar", "1.34+dfsg-1.2", tar, &location),
            deb("libc6", "2.36-9+deb12u14", libc, &[("syft:metadata:source", "glibc")]),
            deb("busybox", "1:1.35.0-4+b3", busybox, &[("syft:metadata:sourceVersion", "1:1.35.0-4")]),
            { "type": "library", "name": "@babel/core", "version": "7.1.0", "purl": "pkg:npm/%40babel/core@7.1.0" },
            { "bom-ref": "os:debian@12", "type": "operating-system", "name": "debian", "version": "12",
              "description": "Debian GNU/Linux 12 (bookworm)", "swid": { "tagId": "debian", "name": "debian" },
              "properties": properties(&[("syft:distro:id", "debian"), ("syft:distro:versionID", "12"),
                                         ("syft:distro:versionCodename", "bookworm")]) },
        ],
        "dependencies": [{ "ref": format!("{tar}&package-id=a8132a882d360ba2"),
                           "dependsOn": [format!("{libc}&package-id=a8132a882d360ba2"), "nobody"] }],
    }));
    assert_eq!((found.image.name.as_str(), found.image.digest.unwrap().to_string().as_str()), ("shop/web", layer));
    assert_eq!(found.system, sample::inventory().system);
    let [busybox, libc, tar, babel] = found.packages.as_slice() else { panic!("{:?}", found.packages) };
    assert_eq!((source(busybox), busybox.version.as_deref()), (Some(("busybox", "1:1.35.0-4")), Some("1:1.35.0-4+b3")));
    assert_eq!(source(libc), Some(("glibc", "2.36-9+deb12u14")));
    assert_eq!(source(tar), Some(("tar", "1.34+dfsg-1.2")));
    assert_eq!((libc.architecture.as_deref(), libc.namespace.as_deref()), (Some("amd64"), Some("debian")));
    let maintainer = libc.maintainer.as_ref().unwrap();
    assert_eq!(maintainer.contact, Some(Contact::Mail("debian-glibc@lists.debian.org".into())));
    assert_eq!(tar.dependencies, [Dependency::Package(1)]);
    assert_eq!(tar.locations[0].as_bytes(), b"var/lib/dpkg/status.d/tar");
    assert_eq!((babel.namespace.as_deref(), babel.name.as_str()), (Some("@babel"), "core"));
    // A name that is no licence stands for a text nobody has.
    let declared = libc.licences.declared.as_deref().unwrap();
    let (reference, text) = found.licence_texts.first_key_value().unwrap();
    assert_eq!((declared, text.as_str()), (format!("GPL-2.0-only AND {reference}").as_str(), "By"));
    assert_eq!(libc.licences.concluded, None);
}

#[test]
fn trivy_is_understood() {
    let layer = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    let property = |name: &str, value: &str| json!({ "name": format!("aquasecurity:trivy:{name}"), "value": value });
    let zlib = "pkg:deb/debian/zlib1g@1.2.13.dfsg-1%2Bb1?arch=amd64&distro=debian-12.15&epoch=1";
    let found = inventory(&json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6",
        "metadata": { "component": { "bom-ref": "1", "type": "container", "name": "web:1",
            "purl": format!("pkg:oci/web@{}?arch=amd64&repository_url=example.org%2Fweb", layer.replace(':', "%3A")),
            "properties": [property("DiffID", layer), property("SchemaVersion", "2")] } },
        "components": [
            { "bom-ref": "os", "type": "operating-system", "name": "debian", "version": "12.15",
              "properties": [property("Class", "os-pkgs"), property("Type", "debian")] },
            { "bom-ref": zlib, "type": "library", "name": "zlib1g", "version": "1:1.2.13.dfsg-1+b1", "purl": zlib,
              "supplier": { "name": "Mark Brown <broonie@debian.org>" },
              "hashes": [{ "alg": "SHA-256", "content": "00".repeat(32) }],
              "licenses": [{ "license": { "name": "Zlib" } }],
              "properties": [property("LayerDiffID", layer), property("SrcName", "zlib"), property("SrcEpoch", "1"),
                             property("SrcVersion", "1.2.13.dfsg"), property("SrcRelease", "1")] },
            { "bom-ref": "bin", "type": "application", "name": "usr/bin/app", "version": "1",
              "properties": [property("Class", "lang-pkgs"), property("Type", "gobinary")] },
            { "bom-ref": "mod", "type": "library", "name": "github.com/BurntSushi/toml", "version": "v1.2.0",
              "purl": "pkg:golang/github.com/burntsushi/toml@v1.2.0",
              "properties": [property("FilePath", "usr/bin/app")] },
        ],
        "dependencies": [{ "ref": "os", "dependsOn": [zlib] }, { "ref": "bin", "dependsOn": ["mod"] }],
    }));
    assert_eq!(found.image.digest.unwrap().to_string(), layer);
    assert_eq!(found.image.platform.unwrap().to_string(), "linux/amd64");
    assert_eq!(found.system.unwrap().distro().unwrap(), "debian-12.15");
    let [zlib, toml] = found.packages.as_slice() else { panic!("{:?}", found.packages) };
    assert_eq!((source(zlib), zlib.layer), (Some(("zlib", "1:1.2.13.dfsg-1")), Some(0)));
    assert_eq!(zlib.licences.declared.as_deref(), Some("Zlib"));
    assert_eq!(zlib.supplier.as_ref().unwrap().name, "Mark Brown");
    assert_eq!(zlib.artefact.as_ref().unwrap().file_name, "zlib1g_1.2.13.dfsg-1+b1_amd64.deb");
    // Package URLs of Go are in lower case, its modules are not.
    assert_eq!((toml.namespace.as_deref(), toml.name.as_str()), (Some("github.com/BurntSushi"), "toml"));
    assert_eq!(toml.locations[0].as_bytes(), b"usr/bin/app");
}

#[test]
fn components_within_others_are_part_of_them() {
    let npm = |name: &str, within: Value| {
        json!({ "type": "library", "name": name, "version": "1.0.0", "purl": format!("pkg:npm/{name}@1.0.0"),
                "bom-ref": name, "components": within })
    };
    let file =
        json!({ "type": "file", "name": "/usr/lib/c.js", "hashes": [{ "alg": "SHA-1", "content": "00".repeat(20) }] });
    let nested = npm("a", json!([npm("b", json!([npm("c", json!([file]))])), npm("d", Value::Null)]));
    let mut document = document(&json!([nested]));
    document["dependencies"] = json!([
        { "ref": "a", "dependsOn": ["b", "a", "b"] }, { "ref": "b", "dependsOn": ["a"] }, { "ref": "?", "dependsOn": ["a"] },
    ]);
    let found = inventory(&document);
    let names: Vec<(&str, Option<usize>)> = found.packages.iter().map(|p| (p.name.as_str(), p.part_of)).collect();
    assert_eq!(names, [("a", None), ("b", Some(0)), ("c", Some(1)), ("d", Some(0))]);
    assert_eq!(found.packages[0].dependencies, [Dependency::Package(1)]);
    assert_eq!(found.packages[1].dependencies, [Dependency::Package(0)]);
    assert_eq!(found.files[0].owner, Owner::Package { number: 2, is_conffile: false });
}

#[test]
fn what_the_document_is_about_can_be_a_package() {
    let mut maven = document(&json!([]));
    maven["metadata"] = json!({ "component": { "type": "library", "group": "org.example", "name": "app", "version": "1",
                                               "purl": "pkg:maven/org.example/app@1?type=jar" } });
    let found = inventory(&maven);
    assert_eq!(
        (&found.packages[0].kind, found.packages[0].namespace.as_deref()),
        (&PackageKind::Maven, Some("org.example"))
    );
}

#[test]
fn what_is_not_installed_is_no_package() {
    let library = |purl: &str| json!({ "type": "library", "name": "x", "version": "1", "purl": purl });
    let found = inventory(&document(&json!([
        library("pkg:deb/debian/x@1?arch=source"),
        library("pkg:oci/x@sha256:00"),
        { "type": "library", "name": "without a version" },
        { "type": "data", "name": "data", "version": "1" },
        { "type": "container", "name": "base", "version": "1" },
        { "type": "file", "name": "package-lock.json" },
        { "type": "file", "name": "/../../etc/passwd" },
        { "type": "library", "name": "plain", "version": 1.5 },
    ])));
    assert_eq!(found.packages.len(), 1);
    assert_eq!((found.packages[0].kind.as_str(), found.packages[0].version.as_deref()), ("generic", Some("1.5")));
    assert!(found.files.is_empty());
}

#[test]
fn the_system_can_be_known_from_a_package_alone() {
    for (distro, expected) in
        [("debian-12", "debian-12"), ("debian-sid", "debian-sid"), ("ubuntu-24.04", "ubuntu-24.04")]
    {
        let purl = format!("pkg:deb/debian/x@1?distro={distro}");
        let found = inventory(&document(&json!([{ "type": "library", "name": "x", "version": "1", "purl": purl }])));
        assert_eq!(found.system.unwrap().distro().as_deref(), Some(expected));
    }
}

#[test]
fn the_source_of_a_package_is_its_ancestor() {
    let found = inventory(&document(&json!([{
        "type": "library", "name": "x", "version": "1-1+b1", "purl": "pkg:deb/debian/x@1-1%2Bb1?arch=amd64",
        "pedigree": { "ancestors": [{ "type": "library", "purl": "pkg:deb/debian/y@1-1?arch=source" }] },
    }])));
    assert_eq!(found.packages[0].source, Some(SourcePackage { name: "y".into(), version: "1-1".into() }));
}

#[test]
fn forms_that_nobody_should_write_are_passed_over() {
    let found = inventory(&document(&json!([{
        "type": "library", "name": "x", "version": true, "purl": "pkg:npm/x@1", "bom-ref": 7, "description": ["a"],
        "hashes": null, "licenses": "MIT", "supplier": null, "pedigree": 3, "evidence": [], "properties": {},
        "externalReferences": { "type": "website", "url": "https://example.org/" }, "copyright": {}, "components": null,
        "manufacturer": { "name": "M", "url": "https://example.org/", "contact": 1 }, "unknown": { "a": [1] },
    }])));
    let package = &found.packages[0];
    assert_eq!((package.version.as_deref(), package.homepage.as_deref()), (Some("1"), Some("https://example.org/")));
    let with_mark = format!("\u{feff}{}", document(&json!(null)));
    assert_eq!(read(with_mark.as_bytes()).unwrap(), Inventory::default());
}

#[test]
fn licences_are_put_into_one_expression() {
    let check = |licenses: Value, declared: Option<&str>, concluded: Option<&str>| {
        let found = inventory(&document(&json!([
            { "type": "library", "name": "x", "purl": "pkg:npm/x@1", "licenses": licenses }
        ])));
        let licences = &found.packages[0].licences;
        assert_eq!((licences.declared.as_deref(), licences.concluded.as_deref()), (declared, concluded));
    };
    check(json!([]), None, None);
    check(json!([{ "expression": "MIT OR ISC" }]), Some("MIT OR ISC"), None);
    check(json!([{ "expression": "MIT", "acknowledgement": "concluded" }]), None, Some("MIT"));
    let both = json!([{ "license": { "id": "MIT" } }, { "license": { "id": "MIT", "acknowledgement": "concluded" } }]);
    check(both, Some("MIT"), Some("MIT"));
    let several =
        json!([{ "license": { "id": "MIT" } }, { "expression": "ISC OR Zlib" }, { "license": { "id": "MIT" } }]);
    check(several, Some("MIT AND (ISC OR Zlib)"), None);
    let slug = "LicenseRef-My-licence-1-4f826aa492bf";
    check(json!([{ "license": { "name": "My licence\u{1b}; 1" } }]), Some(slug), None);
}

#[test]
fn bounds_hold() {
    let error = |bytes: &[u8]| read(bytes).unwrap_err();
    assert!(matches!(error(b"{}"), ReadError::NotCycloneDx));
    assert!(matches!(error(b""), ReadError::Form { part: "document", at: 0 }));
    assert!(matches!(error(b"{\"bomFormat\":x}"), ReadError::Json { part: "document", .. }));
    assert!(matches!(error(b"{\"bomFormat\":1,\"bomFormat\":1}"), ReadError::Twice { field: "bomFormat", .. }));
    assert!(matches!(error(b"{\xff}"), ReadError::NotUtf8(_)));
    assert!(matches!(error(b"{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.8\"}"), ReadError::Version(_)));
    assert!(matches!(error(&vec![b' '; MAX_BYTES + 1]), ReadError::TooLarge { .. }));
    assert!(matches!(error(document(&json!([1])).to_string().as_bytes()), ReadError::Json { part: "components", .. }));
    let nested = |depth: usize| {
        let (start, end) = ("{\"type\":\"data\",\"components\":[".repeat(depth), "]}".repeat(depth));
        format!("{{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.4\",\"components\":[{start}{end}]}}")
    };
    assert!(read(nested(MAX_DEPTH).as_bytes()).is_ok());
    assert!(matches!(error(nested(MAX_DEPTH + 1).as_bytes()), ReadError::TooDeep { .. }));
    assert!(matches!(error(nested(20_000).as_bytes()), ReadError::TooDeep { .. }));
    let many = format!(
        "{{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.4\",\"components\":[{}{{}}]}}",
        "{\"type\":\"library\",\"name\":\"a\",\"version\":\"1\"},".repeat(MAX_PACKAGES)
    );
    assert!(read(many.as_bytes()).is_ok());
    let more = many.replace("{}]", "{\"type\":\"library\",\"name\":\"a\",\"version\":\"1\"}]");
    assert!(matches!(error(more.as_bytes()), ReadError::TooMany { what: "packages", .. }));
    let colour =
        error("{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"\u{1}[31m\"}".replace('\u{1}', "\\u001b").as_bytes());
    assert!(!colour.to_string().contains('\u{1b}'));
}

/// What components may have, each field with values that tell something and others that do not fit.
fn facts() -> Vec<(String, Value)> {
    let property = |name: &str, value: &str| json!({ "name": name, "value": value });
    let fields = json!({
        "type": ["library", "library", "library", "application", "file", "file", "operating-system", "container", 1],
        "name": ["a", "B.c_d", "@s/n", "github.com/A/b", "/usr/bin/x", "/%ff", "/\\xff", "\u{1b}[2J", "", null],
        "version": ["1:2-3", "v1", "1.0", "1".repeat(1025), "", 2],
        "purl": ["pkg:deb/debian/a@1:2-3?arch=amd64&upstream=b%402", "pkg:deb/a@2-3?epoch=1&distro=debian-sid",
                 "pkg:golang/github.com/A/b@v1#c", "pkg:npm/%40s/n@1", "pkg:pypi/b-c-d@1", "pkg:odd%20/a", "pkg:x/%00@%0a", "a"],
        "bom-ref": ["a", "b", "file:///%ff", "file:///usr/bin/x", "pkg:npm/%40s/n@1#2"],
        "group": ["@s", "org.example", "/"],
        "description": ["a", "a\nb\n\n", "\n\nb", "\r\n"],
        "publisher": ["A <a@example.org>", "<>", "\"A\" <b"],
        "supplier": [{ "name": "A <a@b>", "url": ["https://example.org/ x"] }, { "name": "", "contact": [{ "email": "a" }] }],
        "manufacturer": [{ "name": "A", "contact": [{ "email": "a@b" }] }, { "name": " A ", "url": ["gopher://x"] }, []],
        "authors": [[{ "name": "A" }], [{ "name": 1 }]],
        "hashes": [[{ "alg": "SHA-1", "content": "00".repeat(20) }, { "alg": "SHA-512", "content": "0" }]],
        "licenses": [[{ "expression": "MIT OR ISC", "acknowledgement": "concluded" }], [{ "license": { "id": "MIT" } }],
                     [{ "license": { "name": "No <\u{1b}>", "text": { "content": "t" } } }, { "expression": "MIT OR (ISC" }],
                     [{ "expression": "LicenseRef-x AND LicenseRef-y" }], [{ "license": { "name": "LicenseRef- x" } }]],
        "copyright": ["a\n\nb\n", "\n", "\r"],
        "evidence": [{ "occurrences": [{ "location": "/a/../b" }, { "location": "a//b" }, { "location": "" }] },
                     { "licenses": [{ "license": { "name": "LicenseRef-x", "text": { "content": "x" } } }] }],
        "pedigree": [{ "ancestors": [{ "name": "s", "version": "1" }, { "purl": "pkg:deb/t@2?arch=source" }] }],
        "externalReferences": [[{ "type": "website", "url": "https://example.org/<" }, { "type": "website", "url": "x" }],
                               [{ "type": "distribution", "url": "x", "hashes": [{ "alg": "md5", "content": "00" }] }]],
        "properties": [
            [property("syft:package:type", "deb"), property("syft:metadata:source", "s")],
            [property("syft:package:type", "go-module"), property("syft:location:0:path", "/x")],
            [property("aquasecurity:trivy:SrcName", "s"), property("aquasecurity:trivy:SrcVersion", "1"),
             property("aquasecurity:trivy:SrcRelease", "2"), property("aquasecurity:trivy:SrcEpoch", "0")],
            [property("aquasecurity:trivy:DiffID", &format!("sha256:{}", "00".repeat(32))), property("distil:layer:0:createdBy", "x"),
             property("distil:layer:9:digest", "x"), property("distil:image:annotation:", ""), property("distil:image:created", "x")],
            [property("distil:file:owner", "recipe"), property("distil:file:size", "-1"), property("distil:dependency:missing", "a | b")],
            [property("bsi:component:filename", ""), property("distil:repository:suite", "s"), property("distil:licence:declared", "(")],
        ],
    });
    let Value::Object(fields) = fields else { unreachable!() };
    let of = |(name, values): (&String, &Value)| {
        values.as_array().unwrap().iter().map(|value| (name.clone(), value.clone())).collect::<Vec<_>>()
    };
    fields.iter().flat_map(of).collect()
}

fn components() -> impl Strategy<Value = Value> {
    let fields = proptest::collection::vec(proptest::sample::select(facts()), 0..16);
    let plain = fields.prop_map(|fields| fields.into_iter().collect::<serde_json::Map<String, Value>>().into());
    plain.prop_recursive(3, 12, 3, |inner| {
        (inner.clone(), proptest::collection::vec(inner, 0..3)).prop_map(|(mut outer, within): (Value, Vec<Value>)| {
            outer["components"] = within.into();
            outer
        })
    })
}

/// Documents with components of all sorts, and edges between some.
fn documents() -> impl Strategy<Value = Value> {
    let names = proptest::sample::select(vec!["a", "b", "pkg:npm/%40s/n@1#2", "?"]);
    let edge = (names.clone(), proptest::collection::vec(names, 0..3));
    let edges = proptest::collection::vec(edge.prop_map(|(from, to)| json!({ "ref": from, "dependsOn": to })), 0..4);
    let all = (components(), proptest::collection::vec(components(), 0..6), edges);
    all.prop_map(|(subject, components, edges)| {
        json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": { "component": subject },
                "components": components, "dependencies": edges })
    })
}

/// Whatever is read keeps to the model: packages and files in their order, and no number that stands for nothing.
fn keeps_to_the_model(all: &Inventory) {
    assert!(all.packages.is_sorted_by(|a, b| a.key() <= b.key()));
    assert!(all.files.is_sorted_by(|a, b| a.path < b.path));
    let count = all.packages.len();
    for package in &all.packages {
        assert!(package.part_of.is_none_or(|number| number < count));
        assert!(package.layer.is_none_or(|number| number < all.image.layers.len()));
        assert!(package.dependencies.iter().all(|needed| !matches!(needed, Dependency::Package(n) if *n >= count)));
    }
    assert!(all.files.iter().all(|file| !matches!(file.owner, Owner::Package { number, .. } if number >= count)));
}

proptest! {
    #[test]
    fn any_document_is_read_or_refused(document in documents()) {
        if let Ok(found) = read(document.to_string().as_bytes()) {
            keeps_to_the_model(&found);
        }
    }

    /// What was read once is written in a form that is read as the same packages and files, and from then on nothing changes.
    #[test]
    fn what_is_read_is_written_and_read_again(document in documents()) {
        if let Ok(found) = read(document.to_string().as_bytes()) {
            let again = |inventory: &Inventory| {
                let mut out = Vec::new();
                crate::cyclonedx::write(inventory, &sample::about(), &mut out).unwrap();
                read(&out).unwrap()
            };
            let told = again(&found);
            prop_assert_eq!(told.packages.len(), found.packages.len());
            prop_assert_eq!(&told.files, &found.files);
            prop_assert_eq!(again(&told), told);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(cut in 0..4000_usize, at in 0..4000_usize, byte: u8) {
        let mut bytes = Vec::new();
        crate::cyclonedx::write(&sample::inventory(), &sample::about(), &mut bytes).unwrap();
        if let Some(place) = bytes.get_mut(at * 5) {
            *place = byte;
        }
        if let Ok(found) = read(&bytes) {
            keeps_to_the_model(&found);
        }
        bytes.truncate(bytes.len() - cut);
        let _ = read(&bytes).is_ok();
    }
}
