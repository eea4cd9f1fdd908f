//! Writing and reading together, and documents of others.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::document::About;
use crate::inventory::{Contact, Context, Dependency, Inventory, Owner, Package, PackageKind, SourcePackage};
use crate::sample;

const SCHEMAS: [&str; 2] = [
    include_str!("../../testdata/schemas/spdx-2.3.schema.json"),
    include_str!("../../testdata/schemas/spdx-2.3.1.schema.json"),
];

fn written(inventory: &Inventory, about: &About) -> Vec<u8> {
    let mut out = Vec::new();
    write(inventory, about, &mut out).unwrap();
    out
}

fn document(inventory: &Inventory) -> Value {
    serde_json::from_slice(&written(inventory, &sample::about())).unwrap()
}

/// The element whose field has this value.
fn element<'a>(document: &'a Value, list: &str, field: &str, value: &str) -> &'a Value {
    let all = document[list].as_array().unwrap();
    all.iter().find(|element| element[field] == value).unwrap_or_else(|| panic!("no {field} {value}"))
}

/// The relationships from one element as `KIND TO COMMENT`.
fn relationships(document: &Value, from: &str) -> Vec<String> {
    let all = document["relationships"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    all.filter(|one| one["spdxElementId"] == from)
        .map(|one| [&one["relationshipType"], &one["relatedSpdxElement"], &one["comment"]].map(text).join(" "))
        .map(|line| line.trim_end().to_owned())
        .collect()
}

#[test]
fn documents_keep_to_the_schemas() {
    for schema in SCHEMAS {
        let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
        for inventory in [sample::inventory(), sample::hostile(), Inventory::default()] {
            for files in [true, false] {
                for author in [sample::about().author, None] {
                    let about = About { author, files, ..sample::about() };
                    let document: Value = serde_json::from_slice(&written(&inventory, &about)).unwrap();
                    let faults: Vec<String> = schema.iter_errors(&document).map(|e| e.to_string()).collect();
                    assert_eq!(faults, Vec::<String>::new());
                }
            }
        }
    }
}

/// What the schema does not say: every identifier is there once and well formed, and every relationship ends somewhere.
#[test]
fn relationships_have_two_ends() {
    for inventory in [sample::inventory(), sample::hostile()] {
        let document = document(&inventory);
        let ids = ["packages", "files"].into_iter().flat_map(|list| document[list].as_array().unwrap());
        let ids: Vec<&str> =
            ids.map(|element| element["SPDXID"].as_str().unwrap()).chain(["SPDXRef-DOCUMENT"]).collect();
        let distinct: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(distinct.len(), ids.len());
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
        assert!(ids.iter().all(|id| id.starts_with("SPDXRef-") && id.chars().all(allowed)));
        for one in document["relationships"].as_array().unwrap() {
            for end in ["spdxElementId", "relatedSpdxElement"] {
                let end = one[end].as_str().unwrap();
                assert!(distinct.contains(end) || ["NONE", "NOASSERTION"].contains(&end), "{end}");
            }
        }
    }
}

#[test]
fn nothing_in_a_document_steers_a_terminal() {
    let text = String::from_utf8(written(&sample::hostile(), &sample::about())).unwrap();
    let steers = |c: char| c.is_control() || ('\u{200b}'..='\u{202e}').contains(&c) || c == '\u{feff}';
    assert_eq!(text.chars().find(|c| steers(*c)), None);
}

#[test]
fn the_same_image_gives_the_same_document_under_a_name_of_its_own() {
    let (inventory, about) = (sample::inventory(), sample::about());
    assert_eq!(written(&inventory, &about), written(&inventory, &about));
    let mut analysed = inventory.clone();
    analysed.image.context = Context::Analysis;
    let mut unnamed = inventory.clone();
    unnamed.image.digest = None;
    let mut other = unnamed.clone();
    other.packages[1].version = Some("3.2".into());
    let changed = [
        (inventory.clone(), about.clone()),
        (inventory.clone(), About { files: false, ..about.clone() }),
        (inventory.clone(), About { author: None, ..about.clone() }),
        (inventory.clone(), About { created: 5, ..about.clone() }),
        (inventory, About { version: "0.2.0".into(), ..about.clone() }),
        (analysed, about.clone()),
        (unnamed, about.clone()),
        (other, about),
    ];
    let namespace = |(inventory, about): &(Inventory, About)| {
        let document: Value = serde_json::from_slice(&written(inventory, about)).unwrap();
        document["documentNamespace"].as_str().unwrap().to_owned()
    };
    let namespaces: Vec<String> = changed.iter().map(namespace).collect();
    assert!(namespaces.iter().all(|name| name.starts_with("https://spdx.org/spdxdocs/distil/")));
    assert_eq!(namespaces.iter().collect::<BTreeSet<_>>().len(), changed.len());
}

#[test]
fn scanners_find_what_they_look_for() {
    let document = document(&sample::inventory());
    let library = element(&document, "packages", "packageFileName", "libweird++1_1.0~rc1+dfsg-1+b2_amd64.deb");
    let sha1 = library["checksums"][1]["checksumValue"].as_str().unwrap();
    let download = format!("https://snapshot.debian.org/file/{sha1}/libweird%2B%2B1_1.0~rc1%2Bdfsg-1%2Bb2_amd64.deb");
    let purl = "pkg:deb/debian/libweird%2B%2B1@2:1.0~rc1%2Bdfsg-1%2Bb2?arch=amd64&distro=debian-12\
                &upstream=weird%402:1.0~rc1%2Bdfsg-1";
    for (pointer, expected) in [
        ("/versionInfo", "2:1.0~rc1+dfsg-1+b2"),
        ("/sourceInfo", "built package from: weird 2:1.0~rc1+dfsg-1"),
        ("/supplier", "Organization: Debian"),
        ("/originator", "Organization: Weird Team (unofficial) (weird@example.org)"),
        ("/downloadLocation", download.as_str()),
        ("/externalRefs/0/referenceLocator", purl),
        ("/externalRefs/1/referenceCategory", "SECURITY"),
        ("/annotations/0/comment", "PkgType: debian"),
        ("/licenseConcluded", "(GPL-2.0-or-later OR MIT) AND LicenseRef-deb-permissive-5d8f2a90c1be"),
        ("/copyrightText", "2001-2023 Ann Author\n2020 Zoë Ünïcode <zoe@example.org>"),
    ] {
        assert_eq!(library.pointer(pointer).unwrap(), expected, "{pointer}");
    }
    let source = element(&document, "packages", "name", "weird");
    assert_eq!(source["primaryPackagePurpose"], "SOURCE");
    assert_eq!(source["externalRefs"][0]["referenceCategory"], "OTHER");
    let system = element(&document, "packages", "name", "debian");
    assert_eq!((&system["primaryPackagePurpose"], &system["versionInfo"]), (&json!("OPERATING_SYSTEM"), &json!("12")));
    let module = element(&document, "packages", "name", "github.com/Example/mod");
    assert_eq!(
        (&module["supplier"], &module["licenseConcluded"]),
        (&json!("Organization: Debian"), &json!("NOASSERTION"))
    );
}

/// The minimum elements of the NTIA ask for a supplier of everything.
#[test]
fn everything_has_the_supplier_that_is_known() {
    let inventory = |context, vendor: Option<&str>| {
        let mut inventory = sample::inventory();
        inventory.image.context = context;
        inventory.image.annotations =
            vendor.map(|name| ("org.opencontainers.image.vendor".into(), name.into())).into_iter().collect();
        inventory.packages.iter_mut().for_each(|package| package.supplier = None);
        inventory
    };
    let author = sample::about().author;
    for (context, vendor, author, expected) in [
        (Context::Build, None, author.clone(), "Organization: Image Team (images@example.org)"),
        (Context::Build, None, None, "Organization: anonymous"),
        (Context::Build, Some("Shop <shop@example.org>"), author.clone(), "Organization: Shop (shop@example.org)"),
        (Context::Analysis, None, author, "NOASSERTION"),
    ] {
        let about = About { author, ..sample::about() };
        let document: Value = serde_json::from_slice(&written(&inventory(context, vendor), &about)).unwrap();
        assert_eq!(document["packages"][0]["supplier"], expected);
        let library = element(&document, "packages", "name", "libweird++1");
        assert_eq!(library["supplier"], "Organization: Weird Team (unofficial) (weird@example.org)");
    }
}

#[test]
fn relationships_tell_the_graph() {
    let document = document(&sample::inventory());
    let library = "SPDXRef-Package-deb--libweird-2b-2b1--2-3a1.0-7erc1-2bdfsg-2d1-2bb2--amd64";
    assert_eq!(
        relationships(&document, "SPDXRef-Package-deb--webtool--3.1-2d1--amd64"),
        [
            &format!("DEPENDS_ON {library}"),
            "DEPENDS_ON NOASSERTION nowhere (>= 2) | nothing",
            "GENERATED_FROM SPDXRef-Source-webtool--3.1-2d1",
            "GENERATED_FROM SPDXRef-Source-glibc--2.36-2d9-2bdeb12u9 built-using",
            "GENERATED_FROM SPDXRef-Source-golang-2d1.19--1.19.8-2d2 static-built-using",
            "CONTAINS SPDXRef-Package-golang--github.com--Example--mod--v1.2.3",
            "CONTAINS SPDXRef-Package-pypi--sampledist--0.9",
            "CONTAINS SPDXRef-File-etc--webtool.conf configuration file",
            "CONTAINS SPDXRef-File-usr--bin--webtool",
            "CONTAINS SPDXRef-File-usr--lib--python3--dist-2dpackages--sampledist-2d0.9.dist-2dinfo--METADATA",
        ]
    );
    assert!(relationships(&document, library).contains(&"DEPENDS_ON NONE".to_owned()));
    let image = document["packages"][0]["SPDXID"].as_str().unwrap();
    let of_image = relationships(&document, image);
    assert!(of_image.contains(&"CONTAINS SPDXRef-File-srv--app--run.sh brought by the recipe".to_owned()));
    assert!(of_image.iter().any(|one| one.starts_with("DESCENDANT_OF SPDXRef-BaseImage-sha256-")));
    assert_eq!(relationships(&document, "SPDXRef-DOCUMENT"), [format!("DESCRIBES {image}")]);
}

/// As the specification has it: a package that is not analysed contains no file, and has no code for its files.
#[test]
fn what_is_not_listed_as_a_whole_contains_nothing() {
    let mut inventory = sample::inventory();
    let conffile = inventory.files.iter_mut().find(|file| file.path.as_bytes() == b"etc/webtool.conf").unwrap();
    conffile.digests.sha1 = None;
    let all = document(&inventory);
    let own = About { files: false, ..sample::about() };
    let own: Value = serde_json::from_slice(&written(&inventory, &own)).unwrap();
    for (document, files) in [(all, 8), (own, 2)] {
        assert_eq!(document["files"].as_array().unwrap().len(), files);
        for package in document["packages"].as_array().unwrap() {
            let analysed = package["filesAnalyzed"] == true;
            assert_eq!(package.get("packageVerificationCode").is_some(), analysed);
            let held = relationships(&document, package["SPDXID"].as_str().unwrap());
            assert_eq!(held.iter().any(|one| one.starts_with("CONTAINS SPDXRef-File")), analysed);
        }
    }
}

#[test]
fn verification_codes_are_those_of_the_specification() {
    use sha1::Digest as _;
    let inventory = sample::inventory();
    let mut sums: Vec<String> = inventory.files_of(1).map(|file| hex::encode(file.digests.sha1.unwrap())).collect();
    sums.sort();
    let expected = hex::encode(sha1::Sha1::digest(sums.concat()));
    let document = document(&inventory);
    let program = element(&document, "packages", "packageFileName", "webtool_3.1-1_amd64.deb");
    assert_eq!(program["packageVerificationCode"]["packageVerificationCodeValue"], expected);
}

#[test]
fn a_sample_comes_back() {
    let inventory = sample::inventory();
    let back = read(&written(&inventory, &sample::about())).unwrap();
    let mut expected = inventory;
    expected.image.context = Context::Analysis;
    // The format has no place for these.
    expected.image.annotations.clear();
    expected.files.iter_mut().for_each(|file| (file.size, file.digests.sha512) = (0, None));
    let without_url = |agent: &mut crate::inventory::Agent| agent.contact.take_if(|of| matches!(of, Contact::Url(_)));
    for package in &mut expected.packages {
        package.supplier.iter_mut().for_each(|agent| drop(without_url(agent)));
    }
    // What was found in the files of a package came with it.
    let supplier = expected.packages[1].supplier.clone();
    expected.packages[2].supplier.clone_from(&supplier);
    expected.packages[3].supplier = supplier;
    for (one, other) in back.packages.iter().zip(&expected.packages) {
        assert_eq!(one, other);
    }
    assert_eq!(back, expected);
}

#[test]
fn what_was_read_is_written_and_read_alike() {
    let mut partial = sample::inventory();
    partial.files[0].digests.sha1 = None;
    for (inventory, packages) in
        [(sample::inventory(), 4), (sample::hostile(), 5), (partial, 4), (Inventory::default(), 0)]
    {
        for files in [true, false] {
            let about = About { files, ..sample::about() };
            let first = read(&written(&inventory, &about)).unwrap();
            let second = read(&written(&first, &about)).unwrap();
            assert_eq!(first.packages.len(), packages);
            assert_eq!(first.packages, second.packages);
            assert_eq!((first.files, first.licence_texts), (second.files, second.licence_texts));
            assert_eq!((first.image, first.system), (second.image, second.system));
        }
    }
}

#[test]
fn names_of_files_come_back_byte_for_byte() {
    let inventory = sample::hostile();
    let back = read(&written(&inventory, &sample::about())).unwrap();
    let known = inventory.files.iter().filter(|file| file.digests.sha1.is_some());
    assert!(known.map(|file| (&file.path, file.owner)).eq(back.files.iter().map(|file| (&file.path, file.owner))));
}

#[test]
fn documents_of_syft_are_read() {
    let documents = [
        include_bytes!("../../testdata/spdx2/syft-2.2.json").as_slice(),
        include_bytes!("../../testdata/spdx2/syft-2.3.json"),
    ];
    for document in documents {
        let inventory = read(document).unwrap();
        let names: Vec<&str> = inventory.packages.iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["base-files", "libc6", "libssl3", "tzdata"]);
        assert_eq!(inventory.system.as_ref().unwrap().distro().unwrap(), "debian-12");
        assert_eq!(inventory.image.name, "img.dtar");
        let digest = "sha256:e1d5013bb607860074e0e89793f53e25ddae236aaa1a4c1b7289e400d75b7adb";
        assert_eq!(inventory.image.digest.as_ref().unwrap().to_string(), digest);
        let library = &inventory.packages[2];
        assert_eq!(library.source, Some(SourcePackage { name: "openssl".into(), version: "3.0.22-1~deb12u2".into() }));
        assert_eq!(library.architecture.as_deref(), Some("amd64"));
        let declared = "Apache-2.0 AND LicenseRef-Artistic AND GPL-1.0-only AND GPL-1.0-or-later";
        assert_eq!(library.licences.declared.as_deref(), Some(declared));
        assert_eq!(library.licences.concluded, None);
        assert_eq!(library.dependencies, [Dependency::Package(1)]);
        let locations = ["/usr/share/doc/libssl3/copyright", "/var/lib/dpkg/status.d/libssl3"];
        assert!(locations.iter().all(|path| library.locations.iter().any(|at| at.to_string() == *path)));
        assert_eq!(inventory.licence_texts["LicenseRef-Artistic"], "Artistic");
        assert_eq!(inventory.files.len(), 6);
        let shared = inventory.files.iter().find(|file| file.path.as_bytes().ends_with(b"libssl.so.3")).unwrap();
        assert_eq!(shared.owner, Owner::Package { number: 2, is_conffile: false });
        assert!(shared.digests.sha1.is_some() && shared.digests.sha256.is_some() && shared.is_executable);
    }
}

#[test]
fn documents_of_trivy_are_read() {
    let package = |id: &str, name: &str, purl: &str, comments: &[&str]| {
        let annotation =
            |comment: &&str| json!({"annotator": "Tool: trivy-0.74.0", "annotationType": "OTHER", "comment": comment});
        json!({"name": name, "SPDXID": id, "versionInfo": "1:1.2-3", "supplier": "Organization: A Team ()",
            "downloadLocation": "NONE", "filesAnalyzed": false, "licenseDeclared": "MIT", "licenseConcluded": "BSD style",
            "sourceInfo": "built package from: up 1:1.2-3", "annotations": comments.iter().map(annotation).collect::<Vec<_>>(),
            "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}]})
    };
    let layer = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
    let link = |from: &str, kind: &str, to: &str| json!({"spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to});
    let document = json!({
        "spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "files": null,
        "creationInfo": {"creators": ["Organization: aquasecurity", "Tool: trivy-0.74.0"]},
        "packages": [
            {"name": "usr/bin/tool", "SPDXID": "SPDXRef-Application-1", "primaryPackagePurpose": "APPLICATION"},
            {"name": "shop", "SPDXID": "SPDXRef-ContainerImage-2", "primaryPackagePurpose": "CONTAINER",
             "annotations": [{"annotator": "Tool: trivy-0.74.0", "comment": format!("DiffID: {layer}")}]},
            {"name": "debian", "SPDXID": "SPDXRef-OperatingSystem-3", "versionInfo": "12.15",
             "primaryPackagePurpose": "OPERATING-SYSTEM"},
            package("SPDXRef-Package-4", "lib", "pkg:deb/debian/lib@1.2-3?arch=amd64&distro=debian-12.15&epoch=1",
                &["PkgType: debian", &format!("LayerDiffID: {layer}")]),
            package("SPDXRef-Package-5", "example.org/Mod", "pkg:golang/example.org/mod@v1", &[]),
        ],
        "relationships": [
            link("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-ContainerImage-2"),
            link("SPDXRef-ContainerImage-2", "CONTAINS", "SPDXRef-OperatingSystem-3"),
            link("SPDXRef-OperatingSystem-3", "CONTAINS", "SPDXRef-Package-4"),
            link("SPDXRef-Application-1", "CONTAINS", "SPDXRef-Package-5"),
        ],
    });
    let inventory = read(document.to_string().as_bytes()).unwrap();
    assert_eq!(inventory.system.unwrap().distro().unwrap(), "debian-12");
    assert_eq!(inventory.image.layers.len(), 1);
    let [lib, module] = inventory.packages.as_slice() else { panic!("{:?}", inventory.packages) };
    assert_eq!((lib.version.as_deref(), lib.layer), (Some("1:1.2-3"), Some(0)));
    assert_eq!(lib.source, Some(SourcePackage { name: "up".into(), version: "1:1.2-3".into() }));
    assert_eq!(lib.supplier.as_ref().unwrap().name, "A Team");
    assert_eq!((lib.licences.declared.as_deref(), lib.licences.concluded.as_deref()), (Some("MIT"), None));
    assert_eq!(lib.licences.remarks.len(), 1);
    assert_eq!((module.namespace.as_deref(), module.name.as_str()), (Some("example.org"), "Mod"));
    assert_eq!(module.locations[0].to_string(), "/usr/bin/tool");
}

#[test]
fn documents_of_apko_are_read() {
    let package = |id: &str, purl: &str| {
        json!({"SPDXID": format!("SPDXRef-Package-{id}"), "name": id, "versionInfo": "1.0-r0", "downloadLocation": "NOASSERTION",
            "originator": "Organization: unknown", "copyrightText": "TODO\n", "licenseDeclared": "MIT",
            "externalRefs": [{"referenceCategory": "PACKAGE_MANAGER", "referenceType": "purl", "referenceLocator": purl}]})
    };
    let from = |kind: &str, to: &str| json!({"spdxElementId": "SPDXRef-Package-tool", "relationshipType": kind, "relatedSpdxElement": to});
    let digest = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
    let mut image = package(digest, "pkg:oci/image@sha256%3Aabc?mediaType=&os=linux");
    image["versionInfo"] = json!(digest);
    let document = json!({
        "spdxVersion": "SPDX-2.3", "documentDescribes": [format!("SPDXRef-Package-{digest}")],
        "packages": [
            image,
            {"SPDXID": "SPDXRef-OperatingSystem-x", "name": "wolfi", "versionInfo": "3.0", "description": "Operating System",
             "primaryPackagePurpose": "OPERATING_SYSTEM"},
            package("tool", "pkg:apk/wolfi/tool@1.0-r0?arch=x86_64"),
            package("tool.yaml", "pkg:github/wolfi-dev/os@123#tool.yaml"),
            package("upstream", "pkg:github/up/stream@1.0"),
        ],
        "relationships": [
            from("DESCRIBED_BY", "SPDXRef-Package-tool.yaml"), from("GENERATED_FROM", "SPDXRef-Package-upstream"),
        ],
    });
    let inventory = read(document.to_string().as_bytes()).unwrap();
    assert_eq!(inventory.image.digest.unwrap().to_string(), digest);
    assert_eq!(inventory.system.unwrap().distro().unwrap(), "wolfi-3.0");
    let [tool] = inventory.packages.as_slice() else { panic!("{:?}", inventory.packages) };
    assert_eq!((&tool.kind, tool.name.as_str()), (&PackageKind::Other("apk".into()), "tool"));
    assert_eq!((tool.version.as_deref(), tool.source.as_ref()), (Some("1.0-r0"), None));
}

#[test]
fn other_documents_are_errors() {
    assert!(matches!(read(b""), Err(Spdx2Error::Json(_))));
    assert!(matches!(read(b"{}"), Err(Spdx2Error::Json(_))));
    let size = 256 * 1024 * 1024 + 1;
    assert!(matches!(read(&vec![b' '; size]), Err(Spdx2Error::TooLarge { size: found }) if found == size));
    assert!(
        matches!(read(br#"{"spdxVersion":"SPDX-3.0"}"#), Err(Spdx2Error::Version { found }) if found == "SPDX-3.0")
    );
    let deep = |field| {
        let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
        read(format!(r#"{{"spdxVersion":"SPDX-2.3","{field}":{open}{close}}}"#).as_bytes())
    };
    assert!(matches!(deep("packages"), Err(Spdx2Error::Json(_))));
    assert_eq!(deep("unknown").unwrap(), Inventory::default());
    assert_eq!(read(br#"{"spdxVersion":"SPDX-2.3"}"#).unwrap(), Inventory::default());
}

#[test]
fn packages_within_each_other_are_taken_apart() {
    let mut inventory = sample::inventory();
    let module = inventory.packages[2].clone();
    let more = (0..200).map(|n| Package { name: format!("n{n:03}"), part_of: Some(n.max(1) + 2), ..module.clone() });
    inventory.packages.splice(2.., more);
    let all = read(&written(&inventory, &sample::about())).unwrap().packages;
    for start in 0..all.len() {
        let chain = std::iter::successors(Some(start), |number: &usize| all[*number].part_of);
        assert!(chain.take(1000).count() < 1000, "{start}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let words = [
        "SPDXID",
        "SPDXRef-DOCUMENT",
        "SPDXRef-Package-1",
        "DESCRIBES",
        "CONTAINS",
        "purl",
        "NOASSERTION",
        "pkg:deb/x@1",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(words.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-zA-Z]{1,8}", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The places in a document.
fn pointers(value: &Value, at: String, all: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().enumerate().for_each(|(n, item)| pointers(item, format!("{at}/{n}"), all)),
        Value::Object(fields) => fields.iter().for_each(|(key, field)| pointers(field, format!("{at}/{key}"), all)),
        _ => {}
    }
    all.push(at);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }

    #[test]
    fn any_json_is_read_or_refused(packages in any_json(), files in any_json(), relationships in any_json()) {
        let document = json!({"spdxVersion": "SPDX-2.3", "packages": packages, "files": files, "relationships": relationships});
        let _ = read(document.to_string().as_bytes());
    }

    #[test]
    fn a_document_with_something_else_in_it_is_read_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any_json()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut document = document(&sample::inventory());
        for (at, value) in changes {
            let mut all = Vec::new();
            pointers(&document, String::new(), &mut all);
            if let Some(place) = document.pointer_mut(at.get(all.as_slice()).as_str()) {
                *place = value;
            }
        }
        let mut text = document.to_string().into_bytes();
        if let Ok(inventory) = read(&text) {
            // Whatever was read can be written, and that can be read.
            prop_assert!(inventory.packages.is_sorted_by(|a, b| a.key() <= b.key()));
            prop_assert!(read(&written(&inventory, &sample::about())).is_ok());
        }
        text.truncate(cut.index(text.len()));
        prop_assert!(read(&text).is_err());
    }
}
