use proptest::prelude::*;

use super::*;

fn entry(id: &str, line: usize, origin: &str) -> Ignore {
    Ignore {
        id: id.into(),
        package: None,
        is_source: false,
        version: None,
        expires: None,
        reason: None,
        origin: origin.into(),
        line,
    }
}

fn check(name: &str, text: &str, entries: &[Ignore], left_out: &[(usize, &str)]) {
    let file = read(text.as_bytes(), name).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(file.entries, entries, "{name}");
    let found: Vec<_> = file.left_out.iter().map(|it| (it.line, it.reason.as_str())).collect();
    assert_eq!(found, left_out, "{name}");
}

#[test]
fn lines_of_trivy() {
    check(
        "ci/.trivyignore",
        "# MiniZip is not built\n# in Debian\nCVE-2023-45853 exp:2024-01-01\n\nCVE-2018-14618 # accepted by the team\r\n\
         \tDSA-5000-1\nCVE-2020-1 ext:x\n#\n\nCVE-2020-2",
        &[
            Ignore {
                expires: Some("2024-01-01".parse().unwrap()),
                reason: Some("MiniZip is not built in Debian".into()),
                ..entry("CVE-2023-45853", 3, ".trivyignore")
            },
            Ignore { reason: Some("accepted by the team".into()), ..entry("CVE-2018-14618", 5, ".trivyignore") },
            entry("DSA-5000-1", 6, ".trivyignore"),
            entry("CVE-2020-2", 10, ".trivyignore"),
        ],
        &[(7, "something other than exp: follows the vulnerability")],
    );
}

#[test]
fn yaml_of_trivy() {
    let name = ".trivyignore.yaml";
    let statement = Some("not reachable".to_owned());
    check(
        name,
        r#"# comment
vulnerabilities:
  - id: CVE-2022-40897
    paths:
      - "usr/local/lib/python3.9/site-packages/setuptools-58.1.0.dist-info/METADATA"
    statement: Accept the risk
  - id: CVE-2023-2650
  - id: CVE-2023-3446
    expired_at: 2023-09-01
    statement: not reachable
    purls:
      - pkg:deb/debian/libssl3@3.0.9-1?epoch=1
      - "pkg:deb/debian/g%2B%2B"
      - pkg:deb/debian/openssl?arch=amd64
      - pkg:golang/openssl
      - pkg:deb/debian/openssl?arch=source
misconfigurations:
  - id: AVD-DS-0001
"#,
        &[
            entry("CVE-2023-2650", 7, name),
            Ignore {
                package: Some("libssl3".into()),
                version: Some("1:3.0.9-1".into()),
                expires: Some("2023-09-01".parse().unwrap()),
                reason: statement.clone(),
                ..entry("CVE-2023-3446", 8, name)
            },
            Ignore {
                package: Some("g++".into()),
                expires: Some("2023-09-01".parse().unwrap()),
                reason: statement.clone(),
                ..entry("CVE-2023-3446", 8, name)
            },
            Ignore {
                package: Some("openssl".into()),
                is_source: true,
                expires: Some("2023-09-01".parse().unwrap()),
                reason: statement,
                ..entry("CVE-2023-3446", 8, name)
            },
        ],
        &[
            (3, "it is about files, and a Debian package is not found by one"),
            (8, "it is about something other than a Debian package of any architecture"),
            (8, "it is about something other than a Debian package of any architecture"),
        ],
    );
    check(name, "# nothing yet\n\n", &[], &[]);
    check(name, "misconfigurations: []\n", &[], &[]);
}

#[test]
fn toml_of_osv_scanner() {
    let name = "osv-scanner.toml";
    check(
        name,
        r#"GoVersionOverride = "1.20.0"

[[IgnoredVulns]]
id = "GO-2022-0968"
ignoreUntil = 2022-11-09
reason = "No ssh servers are connected to or hosted in Go lang"

[[IgnoredVulns]]
id = "CVE-2022-1"
ignoreUntil = 2022-11-09T23:30:00-02:00

[[IgnoredVulns]]
reason = "of what?"

[[PackageOverrides]]
name = "lib"
ecosystem = "Debian"
vulnerability.ignore = true
effectiveUntil = 2022-11-09
"#,
        &[
            Ignore {
                expires: Some("2022-11-09".parse().unwrap()),
                reason: Some("No ssh servers are connected to or hosted in Go lang".into()),
                ..entry("GO-2022-0968", 3, name)
            },
            Ignore { expires: Some("2022-11-10".parse().unwrap()), ..entry("CVE-2022-1", 8, name) },
        ],
        &[(12, "it names no vulnerability"), (15, "it is about all vulnerabilities of the package lib")],
    );
}

#[test]
fn rules_of_grype() {
    let name = ".grype.yaml";
    let of = |id: &str, package: &str, line| Ignore { package: Some(package.into()), ..entry(id, line, name) };
    check(
        name,
        r#"fail-on-severity: high
ignore:
  - vulnerability: CVE-2008-4318
    include-aliases: true
    reason: "it is fine"
  - vulnerability: CVE-2023-1
    package:
      name: libssl.*
      type: deb
  - vulnerability: CVE-2023-2
    package:
      upstream-name: ^zlib$
      version: 1:1.2.13
  - vulnerability: CVE-2023-3
    package: {name: libstdc++}
  - vulnerability: CVE-2023-4
    fix-state: wont-fix
  - vulnerability: CVE-2023-5
    package: {type: gem}
  - vulnerability: CVE-2023-6
    package: {location: "/usr/local/lib/node_modules/**"}
  - vulnerability: CVE-2023-7
    package: {name: "lib(ssl|crypto)3"}
  - package: {name: openssl}
  - vulnerability: CVE-2023-8
    vex-status: not_affected
"#,
        &[
            Ignore { reason: Some("it is fine".into()), ..entry("CVE-2008-4318", 3, name) },
            of("CVE-2023-1", "libssl*", 6),
            Ignore { version: Some("1:1.2.13".into()), is_source: true, ..of("CVE-2023-2", "zlib", 10) },
            of("CVE-2023-3", "libstdc++", 14),
        ],
        &[
            (16, "it has a condition that is not known here: fix-state"),
            (18, "it is about something other than a Debian package"),
            (20, "it has a condition that is not known here: package.location"),
            (22, "the expression of its package says more than a pattern can"),
            (24, "it is about all vulnerabilities"),
            (25, "it has a condition that is not known here: vex-status"),
        ],
    );
}

#[test]
fn what_is_broken_is_refused_where_it_is() {
    let date = |line, text: &str| IgnoreError::Date { line, text: text.into() };
    let refused = |text: &str, name: &str| read(text.as_bytes(), name).unwrap_err();
    assert_eq!(refused("CVE-1\nCVE-2 exp:soon", "x"), date(2, "soon"));
    assert_eq!(refused("CVE-2 exp:2023-02-30", "x"), date(1, "2023-02-30"));
    assert_eq!(refused("CVE-2 exp:2023-01-01x", "x"), date(1, "2023-01-01x"));
    assert_eq!(refused("vulnerabilities:\n- id: A\n  expired_at: never\n", "x.yaml"), date(2, "never"));
    assert_eq!(refused("ignored: []\n", "x.yml"), IgnoreError::Unknown);
    let place = |error: IgnoreError| match error {
        IgnoreError::Syntax { line, .. } => line,
        other => panic!("{other:?}"),
    };
    assert_eq!(place(refused("vulnerabilities:\n- id: [1, 2]\n", "x.yaml")), 2);
    assert_eq!(place(refused("ignore:\n  - vulnerability: \"CVE\n", "x.yaml")), 2);
    assert_eq!(place(refused("[[IgnoredVulns]]\nid = 7\n", "x.toml")), 2);
    assert_eq!(place(refused("\n[[IgnoredVulns]\n", "x.toml")), 2);
    assert!(matches!(read(b"\xff", "x"), Err(IgnoreError::NotUtf8 { at: 0 })));
    assert!(matches!(read(&vec![b'\n'; MAX_BYTES + 1], "x"), Err(IgnoreError::TooLarge { .. })));
    assert_eq!(refused(&"CVE-1\n".repeat(MAX_ENTRIES + 1), "x"), IgnoreError::TooMany);
}

#[test]
fn hostile_yaml_is_refused() {
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\nignore: [*b,*b,*b,*b]\n";
    let deep = format!("ignore: {}{}", "[".repeat(2000), "]".repeat(2000));
    let wide = format!("ignore:\n{}", "- vulnerability: CVE-1\n".repeat(40_000));
    for text in
        [bomb, &deep, &wide, "ignore: []\n---\nignore: []\n", "ignore: !!binary aGk=\n", "- ignore\n", "ignore: 3\n"]
    {
        assert!(read(text.as_bytes(), "x.yaml").is_err(), "{}", text.chars().take(40).collect::<String>());
    }
    let long = format!("{}\n", "x".repeat(300));
    assert_eq!(read(long.as_bytes(), ".trivyignore").unwrap().entries, []);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>, name in prop::sample::select(vec!["x", "x.yaml", "x.toml"])) {
        let _ = read(&bytes, name);
    }

    #[test]
    fn whatever_looks_like_an_ignore_file_is_read_or_refused(
        text in r#"((ignore|vulnerabilities):|- id: |\[\[IgnoredVulns\]\]|id = |"|[a-zA-Z0-9\-: \n#\[\]{}&*!|>]){0,40}"#,
        name in prop::sample::select(vec!["x", "x.yaml", "x.toml"]),
    ) {
        if let Ok(file) = read(text.as_bytes(), name) {
            let lines = text.lines().count();
            prop_assert!(file.entries.iter().all(|entry| entry.line >= 1 && entry.line <= lines));
        }
    }
}
