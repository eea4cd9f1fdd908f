//! Writes a lock: sorted, one line for each package, so that a diff shows what changed.

use std::collections::BTreeSet;
use std::fmt::{Display, Write as _};

use distil_debunpack::PackageName;
use distil_imgcore::Escaped;

use super::{
    Asked, AskedSource, AskedSources, FORMAT_VERSION, Lock, Locked, LockedPackage, LockedPlatform, LockedResult,
    PackageOrigin, RepositoryEvidence, SignedFile,
};

const HEADER: &str = "\
# What the recipe beside this file stands for. Written by distil, and meant to be committed, not to be edited:
# `distil lock` renews it, `distil lock --update NAME` moves one package, `distil build --locked` builds from it alone.
";

impl Lock {
    /// The lock as text. The same lock always gives the same text.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut out = HEADER.to_owned();
        line(&mut out, "format-version", FORMAT_VERSION);
        line(&mut out, "epoch", self.epoch);
        out.push_str("\n[asked]\n");
        line(&mut out, "digest", quoted(&self.asked.digest()));
        out.push_str(&asked(&self.asked));
        let names = repository_names(&self.repositories);
        for (repository, name) in self.repositories.iter().zip(&names) {
            write_repository(&mut out, repository, name);
        }
        if let Some(base) = &self.base {
            out.push_str("\n[base]\n");
            optional(&mut out, "digest", base.digest.as_ref());
            for (platform, digest) in &base.platforms {
                line(&mut out, &key(&platform.to_string()), quoted(digest));
            }
        }
        write_locked(&mut out, "", &self.main, None, &names);
        for (name, variant) in &self.variants {
            let name = format!("variants.{}", key(name));
            table(&mut out, &name);
            write_locked(&mut out, &format!("{name}."), variant, Some(&self.main), &names);
        }
        out
    }
}

/// The lines of `[asked]` below its digest, which is that of these very bytes.
pub(super) fn asked(asked: &Asked) -> String {
    let mut out = String::new();
    array(&mut out, "platforms", asked.platforms.iter().map(quoted));
    array(&mut out, "packages", asked.packages.iter().map(quoted));
    array(&mut out, "debs", asked.debs.iter().map(quoted));
    array(&mut out, "exclude", asked.exclude.iter().map(quoted));
    line(&mut out, "recommends", asked.recommends);
    match &asked.sources {
        AskedSources::Host { suites } => {
            line(&mut out, "sources", quoted(&"host"));
            if let Some(suites) = suites {
                array(&mut out, "host-suites", suites.iter().map(quoted));
            }
        }
        AskedSources::Tables(tables) => array(&mut out, "sources", tables.iter().map(source)),
    }
    optional(&mut out, "base", asked.base.as_ref());
    let layers = [("strategy", quoted(&asked.layers.strategy)), ("max", asked.layers.max.to_string())];
    line(&mut out, "layers", inline(layers));
    for (name, variant) in &asked.variants {
        let words = [("packages", words(&variant.packages)), ("debs", words(&variant.debs))];
        line(&mut out, &format!("variants.{}", key(name)), inline(words));
    }
    out
}

fn source(source: &AskedSource) -> String {
    let mut parts = vec![("suite", quoted(&source.suite)), ("components", words(&source.components))];
    parts.extend(source.architectures.as_ref().map(|architectures| ("architectures", words(architectures))));
    parts.push(("signed-by", words(&source.signed_by)));
    parts.extend(source.snapshot.map(|snapshot| ("snapshot", quoted(&snapshot))));
    inline(parts)
}

/// By what packages name their repositories: the suite, with a number behind it where several have that suite.
fn repository_names(repositories: &[RepositoryEvidence]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for repository in repositories {
        let numbered = (2..).map(|n| format!("{}#{n}", repository.suite));
        let name = std::iter::once(repository.suite.clone()).chain(numbered).find(|name| !names.contains(name));
        names.extend(name);
    }
    names
}

fn write_repository(out: &mut String, repository: &RepositoryEvidence, name: &str) {
    out.push_str("\n[[repository]]\n");
    line(out, "name", quoted(&name));
    line(out, "suite", quoted(&repository.suite));
    optional(out, "codename", repository.codename.as_ref());
    optional(out, "origin", repository.origin.as_ref());
    optional(out, "label", repository.label.as_ref());
    optional(out, "version", repository.version.as_ref());
    match &repository.signed {
        SignedFile::Inline { digest } => line(out, "in-release", quoted(digest)),
        SignedFile::Detached { release, signature } => {
            line(out, "release", quoted(release));
            line(out, "release-gpg", quoted(signature));
        }
    }
    line(out, "primary-key", quoted(&repository.primary_key));
    line(out, "key", quoted(&repository.key));
    line(out, "signed-at", quoted(&repository.signed_at));
    line(out, "date", quoted(&repository.date));
    optional(out, "valid-until", repository.valid_until.as_ref());
    optional(out, "snapshot", repository.snapshot.as_ref());
    let indices = repository.indices.iter().map(|index| {
        let sha256 = quoted(&index.sha256.hex());
        inline([("path", quoted(&index.path)), ("size", index.size.to_string()), ("sha256", sha256)])
    });
    array(out, "indices", indices);
}

/// Writes a recipe's packages; of a variant's only those that its recipe has not.
fn write_locked(out: &mut String, prefix: &str, locked: &Locked, main: Option<&Locked>, names: &[String]) {
    let nothing = LockedPlatform::default();
    for (platform, packages) in &locked.platforms {
        table(out, &format!("{prefix}platforms.{}", key(&platform.to_string())));
        let main = main.map(|main| main.platforms.get(platform).unwrap_or(&nothing));
        write_platform(out, packages, main, names);
    }
    if let Some(result) = &locked.result {
        write_result(out, prefix, result);
    }
}

/// `main` is what a variant is compared with: the same platform of its recipe.
fn write_platform(out: &mut String, platform: &LockedPlatform, main: Option<&LockedPlatform>, names: &[String]) {
    if let Some(main) = main {
        let other = |package: &&LockedPackage| platform.package(&package.name) != Some(*package);
        let without = main.packages.iter().filter(other).map(|package| quoted(&package.name));
        array(out, "without", without);
    }
    let same = |package: &LockedPackage| main.is_some_and(|main| main.package(&package.name) == Some(package));
    array(out, "packages", platform.packages.iter().filter(|p| !same(p)).map(|p| package(p, names)));
    if main.is_none_or(|main| main.layers != platform.layers) {
        array(out, "layers", platform.layers.iter().map(|names| layer(names)));
    }
}

/// Names that share a layer have lines of their own, so that a diff shows which of them came or went.
fn layer(names: &[PackageName]) -> String {
    match names {
        [name] => format!("[{}]", quoted(name)),
        names => lines(names.iter().map(quoted), "    "),
    }
}

fn package(package: &LockedPackage, names: &[String]) -> String {
    let mut parts = vec![
        ("name", quoted(&package.name)),
        ("version", quoted(&package.version)),
        ("architecture", quoted(&package.architecture)),
    ];
    if package.source.name != package.name {
        parts.push(("source", quoted(&package.source.name)));
    }
    if package.source.version.as_str() != package.version.as_str() {
        parts.push(("source-version", quoted(&package.source.version)));
    }
    parts.extend([("size", package.size.to_string()), ("sha256", quoted(&package.sha256.hex()))]);
    match &package.origin {
        PackageOrigin::Repository { repository, path } => {
            let name = names.get(*repository).map_or("", String::as_str);
            parts.extend([("repository", quoted(&name)), ("path", quoted(path))]);
        }
        PackageOrigin::Local { path } => parts.push(("local", quoted(path))),
    }
    inline(parts)
}

fn write_result(out: &mut String, prefix: &str, result: &LockedResult) {
    table(out, &format!("{prefix}result"));
    line(out, "files", quoted(&result.files));
    line(out, "compression", quoted(&result.compression));
    line(out, "digest", quoted(&result.digest));
    for (platform, image) in &result.platforms {
        table(out, &format!("{prefix}result.platforms.{}", key(&platform.to_string())));
        line(out, "digest", quoted(&image.digest));
        array(out, "diff-ids", image.diff_ids.iter().map(quoted));
    }
}

fn table(out: &mut String, name: &str) {
    // Writing to a string does not fail; the same below.
    let _ = writeln!(out, "\n[{name}]");
}

fn line(out: &mut String, key: &str, value: impl Display) {
    let _ = writeln!(out, "{key} = {value}");
}

fn optional(out: &mut String, key: &str, value: Option<impl Display>) {
    if let Some(value) = value {
        line(out, key, quoted(&value));
    }
}

/// An array with a line for each item, so that a diff shows single items.
fn array(out: &mut String, key: &str, items: impl Iterator<Item = String>) {
    line(out, key, lines(items, ""));
}

fn lines(items: impl Iterator<Item = String>, indent: &str) -> String {
    let mut out = String::from("[");
    for item in items {
        let _ = write!(out, "\n{indent}    {item},");
    }
    if out.len() > 1 {
        let _ = write!(out, "\n{indent}");
    }
    out + "]"
}

fn words(items: &BTreeSet<String>) -> String {
    let items: Vec<String> = items.iter().map(quoted).collect();
    format!("[{}]", items.join(", "))
}

fn inline<'a>(parts: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let parts: Vec<String> = parts.into_iter().map(|(key, value)| format!("{key} = {value}")).collect();
    format!("{{ {} }}", parts.join(", "))
}

/// A key, quoted where TOML wants it.
pub(super) fn key(text: &str) -> String {
    let bare = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if bare { text.to_owned() } else { quoted(&text) }
}

/// A basic string. What a reader of a diff could not see is written as its number.
fn quoted<T: Display + ?Sized>(value: &T) -> String {
    let mut out = String::from("\"");
    for c in value.to_string().chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if Escaped(c.encode_utf8(&mut [0; 4]).as_bytes()).to_string().chars().eq([c]) => out.push(c),
            c => {
                let number = u32::from(c);
                let _ = if number > 0xffff { write!(out, "\\U{number:08X}") } else { write!(out, "\\u{number:04X}") };
            }
        }
    }
    out.push('"');
    out
}
