use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn debian(version: Option<&str>, codename: &str) -> System {
    System {
        id: "debian".into(),
        version_id: version.map(str::to_owned),
        codename: Some(codename.into()),
        pretty_name: None,
    }
}

fn deb(name: &str, version: &str, source: Option<(&str, &str)>) -> Package {
    let mut package = Package::new(PackageKind::Deb, name, Some(version.into()));
    package.architecture = Some("amd64".into());
    package.source = source.map(|(name, version)| SourcePackage { name: name.into(), version: version.into() });
    package
}

#[test]
fn debian_packages_are_written_as_syft_writes_them() {
    #[track_caller]
    fn check(package: &Package, expected: &str) {
        let system = debian(Some("12"), "bookworm");
        assert_eq!(Purl::of(package, Some(&system)).to_string(), expected);
    }
    check(
        &deb("libstdc++6", "12.2.0-14+deb12u1", Some(("gcc-12", "12.2.0-14+deb12u1"))),
        "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12&upstream=gcc-12",
    );
    check(
        &deb("zlib1g", "1:1.2.13.dfsg-1", Some(("zlib", "1:1.2.13.dfsg-1"))),
        "pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1?arch=amd64&distro=debian-12&upstream=zlib",
    );
    check(
        &deb("busybox-static", "1:1.35.0-4+b3", Some(("busybox", "1:1.35.0-4"))),
        "pkg:deb/debian/busybox-static@1:1.35.0-4%2Bb3?arch=amd64&distro=debian-12&upstream=busybox%401:1.35.0-4",
    );
    check(
        &deb("netbase", "6.4~rc1", Some(("netbase", "6.4~rc1"))),
        "pkg:deb/debian/netbase@6.4~rc1?arch=amd64&distro=debian-12",
    );
    check(&deb("", "", None), "pkg:deb/debian/unnamed?arch=amd64&distro=debian-12");
    check(&deb("a/b?c#d@e", "%&=", None), "pkg:deb/debian/a%2Fb%3Fc%23d%40e@%25%26%3D?arch=amd64&distro=debian-12");
}

#[test]
fn the_distribution_is_that_of_the_image() {
    let package = deb("dash", "0.5", None);
    let of = |system: Option<&System>| Purl::of(&package, system).to_string();
    assert_eq!(of(Some(&debian(None, "sid"))), "pkg:deb/debian/dash@0.5?arch=amd64&distro=debian-sid");
    assert_eq!(of(None), "pkg:deb/debian/dash@0.5?arch=amd64");
    let other = System { id: "ubuntu".into(), ..debian(Some("24.04"), "noble") };
    assert_eq!(of(Some(&other)), "pkg:deb/ubuntu/dash@0.5?arch=amd64&distro=ubuntu-24.04");
}

#[test]
fn sources_and_images_have_urls_of_their_own() {
    let source = SourcePackage { name: "attr".into(), version: "1:2.4.47-2".into() };
    let system = debian(Some("12"), "bookworm");
    assert_eq!(
        Purl::of_source(&source, Some(&system)).to_string(),
        "pkg:deb/debian/attr@1:2.4.47-2?arch=source&distro=debian-12"
    );
    let digest = format!("sha256:{}", "0a".repeat(32));
    let image = ImageFacts {
        name: "registry.example.org:5000/Team/App".into(),
        digest: Some(digest.parse().unwrap()),
        platform: Some("linux/arm64".parse().unwrap()),
        ..ImageFacts::default()
    };
    let purl = Purl::of_image(&image);
    assert_eq!(purl.to_string(), format!("pkg:oci/app@{digest}?arch=arm64"));
    let purl = purl.with_qualifier("repository_url", "registry.example.org/team/app").with_qualifier("no key", "x");
    assert_eq!(
        purl.to_string(),
        format!("pkg:oci/app@{digest}?arch=arm64&repository_url=registry.example.org%2Fteam%2Fapp")
    );
}

#[test]
fn other_ecosystems_have_their_own_spelling() {
    #[track_caller]
    fn check(kind: PackageKind, namespace: Option<&str>, name: &str, version: &str, expected: &str) {
        let mut package = Package::new(kind, name, Some(version.into()));
        package.namespace = namespace.map(str::to_owned);
        let system = debian(Some("12"), "bookworm");
        assert_eq!(Purl::of(&package, Some(&system)).to_string(), expected);
    }
    check(
        PackageKind::Golang,
        Some("github.com/Masterminds/semver"),
        "v3",
        "v3.2.0+incompatible",
        "pkg:golang/github.com/masterminds/semver/v3@v3.2.0%2Bincompatible",
    );
    check(PackageKind::Golang, None, "golang.org/x/net", "v0.1.0", "pkg:golang/golang.org/x/net@v0.1.0");
    check(PackageKind::Golang, None, "stdlib", "go1.22", "pkg:golang/stdlib@1.22");
    check(PackageKind::Cargo, None, "serde_json", "1.0.1", "pkg:cargo/serde_json@1.0.1");
    check(PackageKind::Pypi, None, "Ruamel._.Yaml", "0.17", "pkg:pypi/ruamel-yaml@0.17");
    check(PackageKind::Npm, Some("@Babel"), "core", "7.0.0", "pkg:npm/%40babel/core@7.0.0");
    check(
        PackageKind::Maven,
        Some("org.apache.xmlgraphics"),
        "batik-Anim",
        "1.9.1",
        "pkg:maven/org.apache.xmlgraphics/batik-Anim@1.9.1",
    );
    check(PackageKind::Maven, None, "junit", "3.8", "pkg:maven/junit/junit@3.8");
    check(PackageKind::Other("Gem".into()), None, "rails", "7", "pkg:gem/rails@7");
    check(PackageKind::Other("a/b".into()), None, "x", "1", "pkg:generic/x@1");
}

#[test]
fn what_others_write_is_understood() {
    #[track_caller]
    fn check(text: &str, parts: (&str, Option<&str>, &str, Option<&str>), written: &str) {
        let purl: Purl = text.parse().unwrap();
        assert_eq!((purl.kind(), purl.namespace(), purl.name(), purl.version()), parts);
        assert_eq!(purl.to_string(), written);
    }
    check(
        "pkg:deb/debian/bash@5.2.15-2?arch=amd64&distro=debian-12.15&epoch=1",
        ("deb", Some("debian"), "bash", Some("1:5.2.15-2")),
        "pkg:deb/debian/bash@1:5.2.15-2?arch=amd64&distro=debian-12.15",
    );
    check(
        "PKG://DEB/Debian/Bash@5?Arch=amd64&empty=",
        ("deb", Some("Debian"), "Bash", Some("5")),
        "pkg:deb/debian/bash@5?arch=amd64",
    );
    check(
        "pkg:oci/oci/21-best@sha256%3A00?arch=",
        ("oci", Some("oci"), "21-best", Some("sha256:00")),
        "pkg:oci/oci/21-best@sha256:00",
    );
    check("pkg:npm/@babel/core", ("npm", Some("@babel"), "core", None), "pkg:npm/%40babel/core");
    check("pkg:npm/@babel/core@7", ("npm", Some("@babel"), "core", Some("7")), "pkg:npm/%40babel/core@7");
    check("pkg:generic/a%FFb", ("generic", None, "a\u{fffd}b", None), "pkg:generic/a%EF%BF%BDb");
    check(
        "pkg:golang/google.golang.org/genproto@abc#/googleapis//../api/",
        ("golang", Some("google.golang.org"), "genproto", Some("abc")),
        "pkg:golang/google.golang.org/genproto@abc#googleapis/api",
    );
}

#[test]
fn what_is_no_package_url_is_told_apart() {
    #[track_caller]
    fn check(text: &str, expected: &PurlError) {
        assert_eq!(text.parse::<Purl>().as_ref(), Err(expected));
    }
    check("EnterpriseLibrary.Common@6.0.1304", &PurlError::Scheme);
    check("pkg%3Amaven/org.apache.commons/io", &PurlError::Scheme);
    check("pkg:EnterpriseLibrary.Common@6", &PurlError::Kind("EnterpriseLibrary.Common@6".into()));
    check("pkg:3nginx/nginx@0.8.9", &PurlError::Kind("3nginx".into()));
    check("pkg:nginx:a/nginx@0.8.9", &PurlError::Kind("nginx:a".into()));
    check("pkg:maven/@1.3.4", &PurlError::Name);
    check("pkg:npm/x@1?in%20production=true", &PurlError::Qualifier("in%20production".into()));
}

#[test]
fn a_package_is_told_by_its_url() {
    let read = |text: &str| text.parse::<Purl>().unwrap().to_package();
    let deb = read("pkg:deb/debian/busybox-static@1.35.0-4%2Bb3?arch=amd64&epoch=1&upstream=busybox%401:1.35.0-4");
    assert_eq!(deb.version.as_deref(), Some("1:1.35.0-4+b3"));
    assert_eq!(deb.architecture.as_deref(), Some("amd64"));
    assert_eq!(deb.source, Some(SourcePackage { name: "busybox".into(), version: "1:1.35.0-4".into() }));
    let module = read("pkg:golang/github.com/Masterminds/semver@v3.2.0#v3/x");
    assert_eq!(module.namespace.as_deref(), Some("github.com/Masterminds/semver/v3"));
    assert_eq!((module.kind, module.name.as_str()), (PackageKind::Golang, "x"));
    assert_eq!(read("pkg:gem/rails@7").kind, PackageKind::Other("gem".into()));
}

/// The specification's own tests of the type, one for each way of using a URL.
#[test]
fn the_tests_of_the_specification_pass() {
    let tests: Value = serde_json::from_slice(include_bytes!("../../testdata/purl/deb-test.json")).unwrap();
    let tests = tests["tests"].as_array().unwrap();
    assert_eq!(tests.len(), 19);
    for test in tests {
        let expected = &test["expected_output"];
        match &test["input"] {
            Value::String(input) => {
                let purl: Purl = input.parse().unwrap();
                match expected {
                    Value::String(canonical) => assert_eq!(&purl.to_string(), canonical),
                    parts => assert_eq!(&parts_of(&purl), parts, "{input}"),
                }
            }
            input => {
                let qualifiers = input["qualifiers"].as_object().unwrap();
                let qualifiers = qualifiers.iter().map(|(key, value)| (key.clone(), value.as_str().unwrap().into()));
                let mut purl = Purl::new("deb", input["name"].as_str().unwrap(), input["version"].as_str());
                purl.namespace = input["namespace"].as_str().map(str::to_owned);
                purl.qualifiers = qualifiers.collect();
                assert_eq!(purl.to_string(), expected.as_str().unwrap());
            }
        }
    }
}

fn parts_of(purl: &Purl) -> Value {
    serde_json::json!({
        "type": purl.kind, "namespace": purl.namespace, "name": purl.name, "version": purl.version,
        "qualifiers": purl.qualifiers, "subpath": purl.subpath,
    })
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = text.parse::<Purl>();
        let _ = format!("pkg:deb/{text}").parse::<Purl>();
    }

    #[test]
    fn what_is_written_is_printable_and_read_back(
        kind in 0..6_usize, namespace in proptest::option::of("[^/]{1,8}"), name in ".{1,12}", version in ".{0,12}", arch in ".{0,6}",
    ) {
        let kinds = [
            PackageKind::Deb, PackageKind::Golang, PackageKind::Pypi, PackageKind::Npm, PackageKind::Maven,
            PackageKind::Other("x-y".into()),
        ];
        let mut package = Package::new(kinds[kind].clone(), name, Some(version));
        package.namespace = namespace;
        package.architecture = Some(arch);
        let written = Purl::of(&package, None).to_string();
        prop_assert!(written.bytes().all(|b| b.is_ascii_graphic()));
        let read: Purl = written.parse().unwrap();
        prop_assert_eq!(read.to_string(), written);
    }
}
