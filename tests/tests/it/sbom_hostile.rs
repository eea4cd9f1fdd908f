//! What packages say of themselves may be anything: documents stay valid, and terminals are left alone.

use std::fs;
use std::path::Path;

use distil_tests::program::folder;
use distil_tests::tar::Entry;
use distil_tests::{Deb, Program, layout, validators};
use serde_json::Value;

use crate::example::reference;
use crate::sbom::Documents;

/// Sequences that steer a terminal, markup, the end of a JSON text, the separators of package URLs, and text that runs
/// backwards.
const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J <script>alert(1)</script> \"}],\"x\":[{ ?a=b&c=d#e@f%00%2e/../ \
                       pkg:deb/debian/other@1 \u{202e}\u{9b}31m";

/// Bytes of the largest copyright file.
const COPYRIGHT: usize = 10 << 20;

fn hostile() -> [Deb; 2] {
    let stated = |deb: Deb| {
        deb.with("Maintainer", &format!("{HOSTILE} <{HOSTILE}@example.org>"))
            .with("Description", &format!("{HOSTILE}\n {HOSTILE}\n .\n {HOSTILE}"))
            .field(&format!("Homepage: https://example.org/{HOSTILE}"))
            .field(&format!("Section: {HOSTILE}"))
    };
    let free_form = format!(
        "{HOSTILE}\nCopyright 2020 {HOSTILE}\n{}",
        "no licence at all, and much of it\n".repeat(COPYRIGHT / 34)
    );
    let machine = format!(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nCopyright: 2020 {HOSTILE}\n\
         License: {HOSTILE} or GPL-2+\n {HOSTILE}\n{}",
        " and so it goes on\n".repeat(COPYRIGHT / 19)
    );
    let mut odd = stated(Deb::new("odd")).file("/usr/share/doc/odd/copyright", &free_form).file("/usr/bin/odd", "odd");
    let mut name = Entry::file("./usr/share/name", "a name that is no text");
    name.name = b"./usr/share/\xff\xfe\x1b[31m\"<b>".to_vec();
    odd.data.push(name);
    [odd, stated(Deb::new("stanzas")).file("/usr/share/doc/stanzas/copyright", &machine)]
}

/// Builds an image of the packages and gives its name.
fn built(folder: &Path) -> String {
    for deb in hostile() {
        let _path = deb.write(folder);
    }
    let recipe = "[debian]\ndebs = [\"*.deb\"]\n[attestations]\nauthor = \"Release team <release@example.org>\"\n";
    fs::write(folder.join("distil.toml"), recipe).unwrap();
    let image = reference(&folder.join("layout"), "test");
    let ran = Program::distil().arg("build").arg(folder.join("distil.toml")).args(["-o", &image]);
    let ran = ran.arg("--cache-dir").arg(folder.join("cache")).run().success();
    check_terminal(&ran.stdout);
    check_terminal(&ran.stderr);
    image
}

/// Nothing but lines, and no letter that hides or turns what follows.
fn check_terminal(bytes: &[u8]) {
    let text = str::from_utf8(bytes).unwrap();
    let steers = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
    assert_eq!(text.lines().find(|line| line.chars().any(steers)), None);
}

#[test]
fn documents_about_hostile_packages_are_valid() {
    let (_guard, folder) = folder();
    let image = built(&folder);
    let documents = Documents::of(&folder.join("layout"), "test");
    documents.check();
    let attached = layout::attached(&folder.join("layout"), &layout::image(&folder.join("layout"), "test").digest);
    for document in &attached {
        check_terminal(&document.content);
    }
    for document in [&documents.spdx2, &documents.cyclonedx] {
        let found = validators::syft_convert(document).into_iter().filter(|package| package.kind == "deb");
        let found: Vec<_> = found.map(|package| (package.name, package.version)).collect();
        assert_eq!(found, [("odd", "1.0"), ("stanzas", "1.0")].map(|(name, version)| (name.into(), version.into())));
    }
    for from in ["attached", "image"] {
        let table = Program::distil().args(["sbom", "--from", from, &image]).run().success();
        check_terminal(&table.stdout);
        check_terminal(&table.stderr);
        assert!(table.text().contains("stanzas"), "{table}");
        let rows = Program::distil().args(["sbom", "--json", "--from", from, &image]).run().success();
        check_terminal(&rows.stdout);
        assert_eq!(rows.json()["packages"].as_array().map(Vec::len), Some(2), "{rows}");
    }
    check_terminal(&Program::distil().args(["inspect", &image]).run().success().stdout);
    let inspected: Value = Program::distil().args(["inspect", "--json", &image]).run().success().json();
    assert_eq!(inspected["referrers"].as_array().map(Vec::len), Some(8), "{inspected:#}");
}
