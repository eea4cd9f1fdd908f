use proptest::prelude::*;

use super::HostSourceErrorKind as Kind;
use super::*;

const KEY: &str = "53A65CBF74459B82B76F60D2DF691D7754600519";

fn one_line(text: &str) -> Result<Vec<HostSource>, HostSourceError> {
    parse_one_line("sources.list", text.as_bytes())
}

fn deb822(text: &str) -> Result<Vec<HostSource>, HostSourceError> {
    parse_deb822("debian.sources", text.as_bytes())
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn source(place: &str, uri: &str, suites: &[&str], components: &[&str]) -> HostSource {
    HostSource {
        place: place.to_owned(),
        uris: texts(&[uri]),
        suites: texts(suites),
        components: texts(components),
        architectures: ArchitectureChoice::default(),
        signed_by: SignedBy::Default,
        snapshot: None,
        enabled: true,
    }
}

#[test]
fn the_files_of_a_debian_are_read() {
    // The form in which Debian's images bring theirs, with a comment in the middle of a paragraph.
    let found = deb822(
        "Types: deb\n# http://snapshot.example.org/archive/debian/20250520T000000Z\nURIs: http://deb.example.org/debian\n\
         Suites: bookworm bookworm-updates\nComponents: main\nSigned-By: /usr/share/keyrings/archive.gpg\n\n\
         Types: deb deb-src\nURIs: http://deb.example.org/debian-security\nSuites: bookworm-security\nComponents: main\n\
         Signed-By: /usr/share/keyrings/archive.gpg",
    );
    let signed_by = SignedBy::Files(vec!["/usr/share/keyrings/archive.gpg".into()]);
    let first =
        source("debian.sources:1", "http://deb.example.org/debian", &["bookworm", "bookworm-updates"], &["main"]);
    let second =
        source("debian.sources:8", "http://deb.example.org/debian-security", &["bookworm-security"], &["main"]);
    let expected = [first, second].map(|source| HostSource { signed_by: signed_by.clone(), ..source });
    assert_eq!(found.unwrap(), expected);

    let found = one_line(
        "# a comment\n\ndeb http://deb.example.org/debian bookworm main contrib # more\n\
         deb-src http://deb.example.org/debian bookworm main\n\
         deb [ arch=amd64,arm64 signed-by=/k/a.gpg,/k/b.asc ] https://x.example.org/$(ARCH)/ ./\n#deb x\n\
         deb\t[arch+=i386 arch-=arm64 lang=none]\tfile:/srv/repo\tstable/updates\tmain\n",
    );
    let architecture = |name: &str| name.parse::<Architecture>().unwrap();
    let mut flat = source("sources.list:5", "https://x.example.org/$(ARCH)/", &["./"], &[]);
    flat.architectures.only = Some(vec![architecture("amd64"), architecture("arm64")]);
    flat.signed_by = SignedBy::Files(vec!["/k/a.gpg".into(), "/k/b.asc".into()]);
    let mut local = source("sources.list:7", "file:/srv/repo", &["stable/updates"], &["main"]);
    local.architectures.added = vec![architecture("i386")];
    local.architectures.removed = vec![architecture("arm64")];
    let plain = source("sources.list:3", "http://deb.example.org/debian", &["bookworm"], &["main", "contrib"]);
    assert!(flat.architectures.includes(&architecture("arm64")) && !flat.architectures.includes(&architecture("i386")));
    assert!(
        local.architectures.includes(&architecture("i386")) && !local.architectures.includes(&architecture("arm64"))
    );
    assert_eq!(found.unwrap(), [plain, flat, local]);
}

fn paragraph(fields: &str) -> String {
    format!("Types: deb\nURIs: https://example.org/debian\nSuites: bookworm\nComponents: main\n{fields}")
}

#[test]
fn keys_are_files_fingerprints_or_a_block() {
    let check = |value: &str, expected: SignedBy| {
        assert_eq!(deb822(&paragraph(&format!("Signed-By:{value}\n"))).unwrap()[0].signed_by, expected);
    };
    let pin: KeyPin = KEY.parse().unwrap();
    let exact = KeyPin { exact: true, ..pin };
    check(" /a /b", SignedBy::Files(vec!["/a".into(), "/b".into()]));
    check("\n /a\n# not this\n /b", SignedBy::Files(vec!["/a".into(), "/b".into()]));
    check(&format!(" {KEY}\n {KEY}!"), SignedBy::Fingerprints(vec![pin, exact]));
    check(&format!(" /a {KEY}"), SignedBy::Selected { files: vec!["/a".into()], pins: vec![pin] });
    check("", SignedBy::Default);
    check(
        "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDME\n =abcd\n -----END PGP PUBLIC KEY BLOCK-----",
        SignedBy::Embedded(
            b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDME\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----".to_vec(),
        ),
    );
    let line = format!("deb [signed-by={KEY}!,/a] https://example.org/ bookworm main");
    let selected = SignedBy::Selected { files: vec!["/a".into()], pins: vec![exact] };
    assert_eq!(one_line(&line).unwrap()[0].signed_by, selected);
    assert!(matches!(deb822(&paragraph("Signed-By: key.gpg\n")).unwrap_err().kind, Kind::SignedBy(_)));
}

#[test]
fn what_weakens_checks_is_refused_by_name() {
    for (field, option) in [
        ("Trusted: yes", "Trusted"),
        ("Trusted: no", "Trusted"),
        ("Allow-Insecure: yes", "Allow-Insecure"),
        ("allow-weak: true", "Allow-Weak"),
        ("Allow-Downgrade-To-Insecure: 1", "Allow-Downgrade-To-Insecure"),
        ("Check-Valid-Until: no", "Check-Valid-Until"),
        ("Check-Date: off", "Check-Date"),
        ("Check-Date: perhaps", "Check-Date"),
    ] {
        let error = deb822(&paragraph(&format!("{field}\n"))).unwrap_err();
        assert_eq!((error.line, error.kind), (5, Kind::Weakens { option: option.to_owned() }), "{field}");
        let line = format!("\ndeb [{}] https://example.org/ bookworm main", field.replace(": ", "="));
        let error = one_line(&line).unwrap_err();
        assert_eq!((error.line, error.kind), (2, Kind::Weakens { option: option.to_ascii_lowercase() }), "{field}");
    }
    for harmless in ["Allow-Insecure: no", "Check-Valid-Until: yes", "Check-Date: 1", "Languages: en", "X-Other: a"] {
        assert_eq!(deb822(&paragraph(&format!("{harmless}\n"))).unwrap().len(), 1, "{harmless}");
    }
}

#[test]
fn sources_that_are_off_are_left_out() {
    assert_eq!(deb822(&paragraph("Enabled: no\nTrusted: yes\n")).unwrap(), []);
    assert_eq!(deb822("Enabled: off\nTypes: deb\n").unwrap(), []);
    assert_eq!(deb822("Types: deb-src\n").unwrap(), []);
    assert!(deb822(&paragraph("Enabled: yes\n")).unwrap()[0].enabled);
    assert!(matches!(deb822(&paragraph("Enabled: perhaps\n")).unwrap_err().kind, Kind::NotABoolean { .. }));
    let pinned = deb822(&paragraph("Snapshot: 20260818T205150Z\n")).unwrap().remove(0);
    assert_eq!(pinned.snapshot.unwrap().to_string(), "20260818T205150Z");
    assert_eq!(deb822(&paragraph("Snapshot: enable\n")).unwrap()[0].snapshot, None);
    assert!(matches!(deb822(&paragraph("Snapshot: today\n")).unwrap_err().kind, Kind::Snapshot { .. }));
}

#[test]
fn what_cannot_be_used_is_an_error_at_its_line() {
    type Is = fn(&Kind) -> bool;
    let lines: [(&str, Is); 12] = [
        ("rpm https://example.org/ a b", |k| matches!(k, Kind::Type { found } if found == "rpm")),
        ("deb", |k| matches!(k, Kind::Missing { part: "address" })),
        ("deb https://example.org/", |k| matches!(k, Kind::Missing { part: "suite" })),
        ("deb https://example.org/ bookworm", |k| matches!(k, Kind::Missing { part: "component" })),
        ("deb https://example.org/ ./ main", |k| matches!(k, Kind::FlatComponents)),
        ("deb [arch=amd64 https://example.org/ a b", |k| matches!(k, Kind::Bracket)),
        ("deb [arch] https://example.org/ a b", |k| matches!(k, Kind::Option { .. })),
        ("deb [arch=AMD] https://example.org/ a b", |k| matches!(k, Kind::Architecture(_))),
        (
            "deb cdrom:[Debian 12 _Bookworm_]/ bookworm main",
            |k| matches!(k, Kind::Scheme { scheme } if scheme == "cdrom"),
        ),
        (
            "deb mirror+file:/etc/apt/m bookworm main",
            |k| matches!(k, Kind::Scheme { scheme } if scheme == "mirror+file"),
        ),
        ("deb /srv/repo bookworm main", |k| matches!(k, Kind::Address)),
        ("deb https://example.org/\u{7} bookworm main", |k| matches!(k, Kind::NotText)),
    ];
    for (line, expected) in lines {
        let error = one_line(&format!("# first\n{line}\n")).unwrap_err();
        assert!(error.line == 2 && expected(&error.kind), "{line}: {error:?}");
    }
    let paragraphs: [(&str, usize, Is); 7] = [
        ("Types: deb\nSuites: a\n", 1, |k| matches!(k, Kind::Missing { part: "address" })),
        ("Types: deb\nURIs:\nSuites: a\n", 2, |k| matches!(k, Kind::Missing { part: "address" })),
        ("Types: rpm\n", 1, |k| matches!(k, Kind::Type { .. })),
        (
            "Types: deb\nURIs: ftp://user:secret@example.org/\n",
            2,
            |k| matches!(k, Kind::Scheme { scheme } if scheme == "ftp"),
        ),
        ("Types: deb\nURIs: file:/a\nSuites: a ./\nComponents: main\n", 3, |k| matches!(k, Kind::FlatComponents)),
        ("Types: deb\nURIs: file:/a\nSuites: a\n", 3, |k| matches!(k, Kind::Missing { part: "component" })),
        ("Enabled: no\n\nno colon\n", 3, |k| matches!(k, Kind::Format(_))),
    ];
    for (text, line, expected) in paragraphs {
        let error = deb822(text).unwrap_err();
        assert!(error.line == line && expected(&error.kind), "{text}: {error:?}");
    }
    let many = "deb file:/a a b\n".repeat(MAX_SOURCES + 1);
    assert!(matches!(one_line(&many).unwrap_err().kind, Kind::TooMany { .. }));
    let large = "#".repeat(MAX_FILE + 1);
    assert!(matches!(one_line(&large).unwrap_err().kind, Kind::TooLarge { .. }));
    assert!(matches!(deb822(&large).unwrap_err().kind, Kind::TooLarge { .. }));
}

proptest! {
    #[test]
    fn any_file_is_read_or_refused(
        words in proptest::collection::vec(prop_oneof![
            Just("deb"), Just("\n"), Just(" "), Just("["), Just("]"), Just("arch=amd64"), Just("arch-=i386"), Just("#"),
            Just("https://example.org/"), Just("./"), Just("main"), Just("trusted=yes"), Just("Types: deb\n"), Just("\t"),
            Just("URIs: file:/a\n"), Just("Suites: a\n"), Just("Components: b\n"), Just("Signed-By:\n"), Just("\u{e4}"),
        ], 0..30),
    ) {
        let text = words.concat();
        for source in one_line(&text).into_iter().chain(deb822(&text)).flatten() {
            prop_assert!(!source.uris.is_empty() && !source.suites.is_empty() && source.enabled);
            prop_assert!(source.suites.iter().all(|suite| suite.ends_with('/') == source.components.is_empty()));
        }
    }
}
