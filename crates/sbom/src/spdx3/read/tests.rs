//! Tests of reading documents.

use distil_imgcore::{ImagePath, Platform};
use proptest::prelude::*;
use proptest::{collection, option};

use super::*;
use crate::digests::Digests;
use crate::document::About;
use crate::inventory::{
    Agent, Artefact, BuiltUsing, Contact, Context, Dependency, File, Owner, Package, PackageKind, Repository,
    SourcePackage, System,
};
use crate::sample;
use crate::spdx3::write;

fn written(inventory: &Inventory, about: &About) -> Vec<u8> {
    let mut out = Vec::new();
    write(inventory, about, &mut out).unwrap();
    out
}

/// What is left of an inventory for whom a document is all there is: SPDX has no sizes, not all digests are written, and a
/// reader was not at the build.
fn as_read(mut inventory: Inventory) -> Inventory {
    inventory.image.context = Context::Analysis;
    for file in &mut inventory.files {
        file.size = 0;
        if file.owner != Owner::Recipe {
            (file.digests.md5, file.digests.sha512) = (None, None);
        }
    }
    for package in &mut inventory.packages {
        if let Some(artefact) = &mut package.artefact {
            artefact.size = None;
        }
    }
    inventory
}

#[track_caller]
fn check(inventory: Inventory) {
    let read = read(&written(&inventory, &sample::about())).unwrap();
    let expected = as_read(inventory);
    assert_eq!(read.image, expected.image);
    assert_eq!(read.packages, expected.packages);
    assert_eq!(read, expected);
}

#[test]
fn our_documents_come_back() {
    check(sample::inventory());
    check(Inventory::default());
}

#[test]
fn hostile_documents_of_ours_come_back_as_far_as_they_can() {
    let inventory = sample::hostile();
    let again = read(&written(&inventory, &sample::about())).unwrap();
    assert_eq!(again.packages.len(), inventory.packages.len());
    assert_eq!(again.files.len(), inventory.files.len());
    assert_eq!(again.packages[0].description, inventory.packages[0].description);
    assert_eq!(again.image.annotations, inventory.image.annotations);
}

/// A document as Syft writes it: the image is the root, files name their layer, licences are sets of elements.
const LIKE_SYFT: &str = r#"{
"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
"@graph": [
  {"type": "CreationInfo", "@id": "_:CreationInfo-1", "created": "2026-01-01T00:00:00Z", "specVersion": "3.0.1"},
  {"type": "software_Package", "spdxId": "x:Package-deb-hello", "creationInfo": "_:CreationInfo-1", "name": "hello",
   "software_packageVersion": "2.10-3", "software_downloadLocation": "NOASSERTION", "software_copyrightText": "NOASSERTION",
   "software_packageUrl": "pkg:deb/debian/hello@2.10-3?arch=amd64&distro=debian-12&upstream=hello-src%402.10-2",
   "software_sourceInfo": "acquired package info from DPKG DB: /usr/share/doc/hello/copyright, /var/lib/dpkg/status.d/hello",
   "originatedBy": ["x:Person-1"], "suppliedBy": "x:nobody", "unheardOf": [1, {"a": [null, 2.5]}, true]},
  {"type": "software_Package", "spdxId": "x:Package-go", "name": "github.com/Example/Mod", "software_packageVersion": "v1",
   "externalIdentifier": [{"type": "ExternalIdentifier", "externalIdentifierType": "packageUrl",
     "identifier": "pkg:golang/github.com/Example/Mod@v1"}], "software_copyrightText": 7},
  {"type": "software_File", "spdxId": "x:File-1", "name": "/usr/bin/hello", "contentType": "application/x-elf",
   "comment": "layerID: sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
   "verifiedUsing": [{"type": "Hash", "algorithm": "sha1", "hashValue": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]},
  {"type": "software_File", "spdxId": "x:File-2", "name": "../../etc/shadow"},
  {"type": "software_Package", "spdxId": "x:root", "name": "registry.example.org/hello", "software_primaryPurpose": "container",
   "software_packageVersion": "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc",
   "software_packageUrl": "pkg:oci/hello@sha256%3Acccc?arch=amd64"},
  {"type": "Person", "spdxId": "x:Person-1", "name": "A Maintainer"},
  {"type": "Relationship", "spdxId": "x:r1", "from": "x:root", "relationshipType": "contains",
   "to": ["x:Package-deb-hello", "x:Package-go"]},
  {"type": "Relationship", "spdxId": "x:r2", "from": "x:Package-deb-hello", "relationshipType": "contains", "to": "x:File-1"},
  {"type": "Relationship", "spdxId": "x:r3", "from": "x:Package-deb-hello", "relationshipType": "other",
   "comment": "evident-by: indicates the package's existence is evident by the given file", "to": ["x:File-1"]},
  {"type": "Relationship", "spdxId": "x:r4", "from": "x:Package-go", "relationshipType": "dependsOn",
   "to": ["x:Package-deb-hello", "x:Package-deb-hello", "x:missing"]},
  {"type": "Relationship", "spdxId": "x:r5", "from": "x:Package-deb-hello", "relationshipType": "hasDeclaredLicense", "to": [
    {"type": "expandedlicensing_ConjunctiveLicenseSet", "spdxId": "x:set", "expandedlicensing_member": ["x:any", "x:with"]}]},
  {"type": "expandedlicensing_DisjunctiveLicenseSet", "spdxId": "x:any",
   "expandedlicensing_member": ["https://spdx.org/licenses/MIT", "x:custom"]},
  {"type": "expandedlicensing_CustomLicense", "spdxId": "x:custom", "name": "LicenseRef-own",
   "simplelicensing_licenseText": "Own terms."},
  {"type": "expandedlicensing_WithAdditionOperator", "spdxId": "x:with",
   "expandedlicensing_subjectExtendableLicense": "x:later", "expandedlicensing_subjectAddition": "x:exception"},
  {"type": "expandedlicensing_OrLaterOperator", "spdxId": "x:later", "expandedlicensing_subjectLicense": "x:apache"},
  {"type": "expandedlicensing_ListedLicense", "spdxId": "x:apache", "name": "Apache-2.0"},
  {"type": "expandedlicensing_ListedLicenseException", "spdxId": "x:exception", "name": "LLVM-exception"},
  {"type": "expandedlicensing_ConjunctiveLicenseSet", "spdxId": "x:loop", "expandedlicensing_member": ["x:loop", "x:loop"]},
  {"type": "Relationship", "spdxId": "x:r6", "from": "x:Package-go", "relationshipType": "hasConcludedLicense", "to": ["x:loop"]},
  {"type": "software_Sbom", "spdxId": "x:sbom", "rootElement": ["x:root"]},
  {"type": "SpdxDocument", "spdxId": "https://example.org/doc", "rootElement": ["x:sbom"]}
]}"#;

#[test]
fn documents_of_syft_are_understood() {
    let read = read(LIKE_SYFT.as_bytes()).unwrap();
    assert_eq!(read.image.name, "registry.example.org/hello");
    assert_eq!(read.image.digest.unwrap().to_string(), format!("sha256:{}", "c".repeat(64)));
    assert_eq!(read.system.unwrap().distro().unwrap(), "debian-12");
    let [hello, module] = read.packages.as_slice() else { panic!("{:?}", read.packages) };
    assert_eq!(
        (&hello.kind, hello.name.as_str(), hello.architecture.as_deref()),
        (&PackageKind::Deb, "hello", Some("amd64"))
    );
    assert_eq!(hello.source, Some(SourcePackage { name: "hello-src".into(), version: "2.10-2".into() }));
    assert_eq!(hello.maintainer, Some(Agent { name: "A Maintainer".into(), contact: None, is_person: true }));
    assert_eq!(hello.licences.declared.as_deref(), Some("(MIT OR LicenseRef-own) AND Apache-2.0+ WITH LLVM-exception"));
    assert_eq!((hello.supplier.as_ref(), hello.licences.copyright.len(), hello.locations.len()), (None, 0, 2));
    assert_eq!((module.namespace.as_deref(), module.name.as_str()), (Some("github.com/Example"), "Mod"));
    assert_eq!((&module.licences.concluded, &module.dependencies), (&None, &vec![Dependency::Package(0)]));
    assert_eq!(read.licence_texts["LicenseRef-own"], "Own terms.");
    let [file] = read.files.as_slice() else { panic!("{:?}", read.files) };
    assert_eq!(file.path, ImagePath::from_archive(b"usr/bin/hello").unwrap());
    assert_eq!((file.owner, file.layer), (Owner::Package { number: 0, is_conffile: false }, Some(0)));
    assert_eq!(file.digests.sha1, Some([0xaa; 20]));
    assert_eq!(read.image.layers.len(), 1);
}

#[test]
fn what_is_no_such_document_is_refused() {
    let is_json = |text: &str| matches!(read(text.as_bytes()), Err(ReadError::Json(_)));
    let is_other = |text: &str| matches!(read(text.as_bytes()), Err(ReadError::NotSpdx3));
    assert!(is_json("") && is_json("[]") && is_json("{\"@graph\":{}}") && is_json("{} x"));
    assert!(is_other("{}") && is_other(r#"{"spdxVersion":"SPDX-2.3","packages":[]}"#));
    assert!(is_other(r#"{"@context":"https://spdx.org/rdf/2.0","@graph":[]}"#));
    let graph =
        |inner: &str| format!(r#"{{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[{inner}]}}"#);
    assert!(is_json(&graph(&"[".repeat(100_000))));
    assert_eq!(read(graph("").as_bytes()).unwrap(), Inventory::default());
    let limits = Limits { values: 20, elements: 2, copies: 100 };
    let tools = |count: usize| graph(vec![r#"{"type":"Tool","spdxId":"a:b"}"#; count].join(",").as_str());
    let count = |text: String| read_within(text.as_bytes(), &limits);
    assert!(count(tools(2)).is_ok());
    assert!(matches!(count(tools(3)), Err(ReadError::TooManyElements { limit: 2 })));
    assert!(matches!(count(tools(9)), Err(ReadError::Json(_))));
    let shared = |copies: usize| read_within(LIKE_SYFT.as_bytes(), &Limits { copies, ..LIMITS });
    assert!(matches!(shared(20), Err(ReadError::TooMuchShared { limit: 20 })));
}

/// A text as people write it. Lines of their own are told apart by line ends, so that there are none in it.
fn text() -> impl Strategy<Value = String> {
    "[ -~äß漢\u{202e}\u{feff}🦀]{1,12}".prop_filter("words for nothing", |text| text != "NONE" && text.trim() == text)
}

fn agent() -> impl Strategy<Value = Agent> {
    let contact = prop_oneof![
        "[a-z]{1,5}@[a-z]{1,5}\\.org".prop_map(Contact::Mail),
        "https://[a-z]{1,5}\\.org/[a-z?=&]{0,5}".prop_map(Contact::Url),
    ];
    (text(), option::of(contact), any::<bool>()).prop_map(|(name, contact, is_person)| Agent {
        name,
        contact,
        is_person,
    })
}

fn source() -> impl Strategy<Value = SourcePackage> {
    ("[a-z][a-z0-9+.-]{1,8}", "([0-9]:)?[0-9][0-9a-z.+~-]{0,8}")
        .prop_map(|(name, version)| SourcePackage { name, version })
}

fn licence() -> impl Strategy<Value = Option<String>> {
    option::of(
        proptest::sample::select(vec!["MIT", "GPL-2.0-or-later OR ISC", "Zlib AND (MIT OR ISC)"])
            .prop_map(str::to_owned),
    )
}

prop_compose! {
    fn package()(
        name in "[a-z][a-z0-9+.-]{1,8}",
        source in option::of(source()),
        built_using in option::of((source(), any::<bool>())),
        people in (option::of(agent()), option::of(agent())),
        texts in (option::of(text()), option::of(text()), option::of(text()), option::of(text())),
        licences in (licence(), licence(), collection::vec(text(), 0..3), option::of(text())),
        artefact in option::of((text(), any::<[u8; 8]>(), option::of((text(), option::of(text()))))),
        layer in option::of(0..2_usize),
        missing in collection::vec(text(), 0..2),
    ) -> Package {
        let (declared, concluded, copyright, remark) = licences;
        let mut package = Package::new(PackageKind::Deb, name, Some("1:2~3".into()));
        package.namespace = Some("debian".into());
        package.architecture = Some("arm64".into());
        package.source = source.or(Some(SourcePackage { name: "from".into(), version: "1".into() }));
        package.built_using = built_using.into_iter().map(|(source, is_static)| BuiltUsing { source, is_static }).collect();
        (package.maintainer, package.supplier) = people;
        (package.summary, package.description, package.section, package.priority) = texts;
        package.licences.remarks = remark.filter(|_| concluded.is_some()).into_iter().collect();
        (package.licences.declared, package.licences.concluded, package.licences.copyright) = (declared, concluded, copyright);
        package.artefact = artefact.map(|(file_name, seed, repository)| Artefact {
            digests: Digests::of(&seed),
            path: repository.is_some().then(|| format!("pool/{file_name}")),
            repository: repository.map(|(suite, origin)| Repository { origin, suite }),
            file_name,
            size: None,
        });
        package.layer = layer;
        package.dependencies = missing.into_iter().map(Dependency::Missing).collect();
        package
    }
}

prop_compose! {
    fn inventory()(
        mut packages in collection::vec(package(), 0..4),
        files in collection::vec(("[a-zäß \\\\%#]{1,6}", any::<u8>(), any::<bool>(), option::of(0..2_usize)), 0..6),
        edges in collection::vec((0..4_usize, 0..4_usize), 0..4),
        texts in (text(), text()),
        context in prop_oneof![Just(Context::Build), Just(Context::Analysis)],
    ) -> Inventory {
        packages.sort_by(|a, b| a.key().cmp(&b.key()));
        for (from, to) in edges {
            let needed = Dependency::Package(to);
            if to < packages.len() && from < packages.len() && !packages[from].dependencies.contains(&needed) {
                packages[from].dependencies.insert(0, needed);
            }
        }
        let count = packages.len();
        let owner = |seed: u8| match usize::from(seed / 2) % (count + 3) {
            0 => Owner::Unknown,
            1 => Owner::Recipe,
            2 => Owner::Generated,
            number => Owner::Package { number: number - 3, is_conffile: seed.is_multiple_of(2) },
        };
        let mut files: Vec<File> = files.into_iter().map(|(name, seed, is_executable, layer)| {
            let (path, owner) = (ImagePath::from_archive(name.as_bytes()).unwrap(), owner(seed));
            let digests = Digests::of(&[seed]);
            let layer = match owner {
                Owner::Package { number, .. } => layer.or(packages[number].layer),
                _ => layer,
            };
            File { path, size: 0, digests, is_executable, layer, owner }
        }).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.dedup_by(|a, b| a.path == b.path);
        let mut all = sample::inventory();
        all.image.layers.truncate(2);
        all.image.platform = Some(Platform::new("linux", "arm64", None).unwrap());
        (all.image.name, all.image.context) = (texts.0, context);
        all.system = Some(System { id: "debian".into(), version_id: None, codename: Some("sid".into()), pretty_name: Some(texts.1) });
        (all.packages, all.files) = (packages, files);
        all
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn inventories_come_back(inventory in inventory()) {
        let document = written(&inventory, &sample::about());
        let mut expected = as_read(inventory);
        for package in &mut expected.packages {
            package.dependencies.sort();
        }
        let mut again = read(&document).unwrap();
        for package in &mut again.packages {
            package.dependencies.sort();
        }
        prop_assert_eq!(again, expected);
    }

    #[test]
    fn any_bytes_have_an_answer(bytes in collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(read(&bytes).is_err());
    }

    /// Documents that begin well, cut or with one byte replaced. What is made of one is written and read as the same.
    #[test]
    fn damaged_documents_have_an_answer(at in any::<proptest::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = LIKE_SYFT.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if cut {
            bytes.truncate(at);
        }
        if let Ok(first) = read(&bytes) {
            let second = read(&written(&first, &sample::about())).unwrap();
            let third = read(&written(&second, &sample::about())).unwrap();
            prop_assert_eq!(&second, &third);
            prop_assert_eq!(first.packages.len(), second.packages.len());
        }
    }
}
