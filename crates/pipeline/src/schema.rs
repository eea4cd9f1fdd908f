//! The JSON Schemas of what users write and of what commands print.

use schemars::JsonSchema;

use crate::advisories::DatabaseDocument;
use crate::cache::{CachePruned, CacheStatus};
use crate::files::FileList;
use crate::inspect::Inspection;
use crate::lock::LockDocument;
use crate::sbom::SbomDocument;
use crate::scan::ScanDocument;
use crate::signing::{
    KeyDocument, PromotedDocument, RefreshedDocument, SignedBlobDocument, SignedDocument, VerificationDocument,
};
use crate::tags::TagList;
use crate::validate::Validation;
use crate::why::WhyAnswer;
use crate::written::WrittenDocument;

/// The JSON Schema (draft 2020-12) of the recipe, by which editors complete and check `distil.toml`.
///
/// It is written by hand, since it says what the parser's types do not: what a key is for, and how a path, a port or a
/// mode is spelled. Tests compare its keys with those that the parser knows.
pub const RECIPE: &str = include_str!("schema/recipe.json");

/// The JSON Schema (draft 2020-12) of the policy, by which editors complete and check `distil-policy.toml`.
pub const POLICY: &str = distil_policy::SCHEMA;

/// The schema of what `build` and `copy` print.
#[must_use]
pub fn written() -> String {
    of::<WrittenDocument>()
}

/// The schema of what `inspect` prints.
#[must_use]
pub fn inspection() -> String {
    of::<Inspection>()
}

/// The schema of what `files` prints.
#[must_use]
pub fn files() -> String {
    of::<FileList>()
}

/// The schema of what `sbom` prints with `--json` as a table.
#[must_use]
pub fn sbom() -> String {
    of::<SbomDocument>()
}

/// The schema of what `scan` prints with `--json`.
#[must_use]
pub fn scan() -> String {
    of::<ScanDocument>()
}

/// The schema of what `tags` prints.
#[must_use]
pub fn tags() -> String {
    of::<TagList>()
}

/// The schema of what the commands of `key` print.
#[must_use]
pub fn key() -> String {
    of::<KeyDocument>()
}

/// The schema of what `sign-blob` prints.
#[must_use]
pub fn signed_blob() -> String {
    of::<SignedBlobDocument>()
}

/// The schema of what `trusted-root` prints.
#[must_use]
pub fn trusted_root() -> String {
    of::<RefreshedDocument>()
}

/// The schema of what `validate` prints.
#[must_use]
pub fn validation() -> String {
    of::<Validation>()
}

/// The schema of what `check` prints.
#[must_use]
pub fn verdict() -> String {
    of::<distil_policy::Verdict>()
}

/// The schema of what `promote` prints.
#[must_use]
pub fn promoted() -> String {
    of::<PromotedDocument>()
}

/// The schema of what `sign` and `attest` print.
#[must_use]
pub fn signed() -> String {
    of::<SignedDocument>()
}

/// The schema of what `verify`, `verify-attestation` and `verify-blob` print.
#[must_use]
pub fn verification() -> String {
    of::<VerificationDocument>()
}

/// The schema of what `lock` prints.
#[must_use]
pub fn locking() -> String {
    of::<LockDocument>()
}

/// The schema of what `why` prints.
#[must_use]
pub fn reason() -> String {
    of::<WhyAnswer>()
}

/// The schema of what `cache status` prints.
#[must_use]
pub fn cache_status() -> String {
    of::<CacheStatus>()
}

/// The schema of what `cache prune` prints.
#[must_use]
pub fn cache_prune() -> String {
    of::<CachePruned>()
}

/// The schema of what the commands of `db` print.
#[must_use]
pub fn database() -> String {
    of::<DatabaseDocument>()
}

fn of<T: JsonSchema>() -> String {
    let schema = schemars::schema_for!(T);
    format!("{schema:#}\n", schema = schema.as_value())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::recipe::Recipe;
    use crate::recipe::known_keys;

    fn schema() -> Value {
        serde_json::from_str(RECIPE).unwrap()
    }

    /// Whether the schema takes a document that is valid TOML.
    fn takes(recipe: &str) -> bool {
        let document: Value = toml::from_str(recipe).unwrap();
        jsonschema::draft202012::new(&schema()).unwrap().is_valid(&document)
    }

    #[test]
    fn it_is_a_schema_itself() {
        assert!(jsonschema::draft202012::meta::is_valid(&schema()));
    }

    #[test]
    fn it_has_the_keys_that_the_parser_knows() {
        let schema = schema();
        for (table, keys) in known_keys() {
            let pointer =
                if table.is_empty() { "/properties".to_owned() } else { format!("/$defs/{table}/properties") };
            let listed: Vec<&str> =
                schema.pointer(&pointer).unwrap().as_object().unwrap().keys().map(String::as_str).collect();
            let mut keys = keys.to_vec();
            keys.sort_unstable();
            assert_eq!(listed, keys, "{pointer}");
        }
    }

    #[test]
    fn every_table_says_no_to_other_keys_and_every_key_says_what_it_is_for() {
        let schema = schema();
        let tables = schema["$defs"].as_object().unwrap().values().chain([&schema]);
        for table in tables.filter(|t| t.get("properties").is_some()) {
            assert_eq!(table["additionalProperties"], Value::Bool(false), "{table}");
            for (key, value) in table["properties"].as_object().unwrap() {
                assert!(value.get("description").is_some(), "{key}");
            }
        }
    }

    /// A recipe with a source that lacks some of its keys and has others.
    fn source(without: &str, with: &str) -> String {
        let all = [
            ("uris", "['https://mirror.example.org/debian']"),
            ("suites", "['bookworm', 'bookworm-updates']"),
            ("components", "['main', 'non-free-firmware']"),
            ("signed-by", "'keys/archive.gpg'"),
        ];
        let kept = all.iter().filter(|(key, _)| !without.split(' ').any(|gone| gone == *key));
        let mut parts: Vec<String> = kept.map(|(key, value)| format!("{key} = {value}")).collect();
        parts.extend(Some(with.to_owned()).filter(|with| !with.is_empty()));
        format!("[debian]\nsources = [{{ {} }}]", parts.join(", "))
    }

    #[test]
    fn it_and_the_parser_agree() {
        let cases = [
            ("", true),
            ("platforms = ['linux/amd64', 'linux/arm/v7']", true),
            ("platforms = []", false),
            ("image.user = 'nonroot'", true),
            ("image.user = 1000", false),
            ("image.entrypoint = '/bin/sh'", false),
            ("image.exposed-ports = ['8080/tcp', '53']", true),
            ("image.exposed-ports = ['8080/http']", false),
            ("image.exposed-ports = ['0/tcp']", false),
            ("image.exposed-ports = ['65536/tcp']", false),
            ("image.stop-signal = 'SIGTERM'", true),
            ("image.stop-signal = 'TERM'", false),
            ("image.workdir = '/srv'", true),
            ("image.workdir = 'srv'", false),
            ("image.workdir = '/srv/'", false),
            ("image.workdir = '/srv/../x'", false),
            ("image.env = { A = 'x' }", true),
            ("image.env = { '1A' = 'x' }", false),
            ("image.env = { A = 1 }", false),
            ("debian.debs = ['*.deb']", true),
            ("debian.debs = ['']", false),
            ("debian.packages = []", true),
            ("debian.packages = ['libc6', 'libssl3=3.0.*', 'curl >= 7.88/bookworm', 'libc6:i386']", true),
            ("debian.packages = ['libc6', 'libc6']", false),
            ("debian.packages = ['Libc6']", false),
            ("debian.packages = ['libc6 (>= 2.36)']", false),
            ("debian.packages = ['libc6~2']", false),
            ("debian.exclude = [{ package = 'perl-base', reason = 'only scripts need it' }]", true),
            ("debian.exclude = [{ package = 'perl-base', reason = ' ' }]", false),
            ("debian.exclude = [{ package = 'perl-base' }]", false),
            ("debian.exclude = ['perl-base']", false),
            ("debian.recommends = true", true),
            ("debian.recommends = 'yes'", false),
            ("debian.sources = 'host'", true),
            ("debian.sources = 'hosts'", false),
            ("debian.sources = []", false),
            ("debian.host-suites = ['bookworm', 'bookworm/updates']", true),
            ("debian = { sources = 'host', host-suites = ['./'] }", true),
            ("debian.host-suites = []", false),
            ("debian.host-suites = ['bookworm', 'bookworm']", false),
            ("debian.host-suites = ['../bookworm']", false),
            (&source("", ""), true),
            (&source("", "architectures = ['amd64', 'i386'], snapshot = '20260818T205150Z'"), true),
            (&source("uris", "uris = ['file:repository', 'file:///srv/debian', 'http://[::1]:80/debian']"), true),
            (&source("uris", "uris = ['http://user:secret@mirror.example.org/debian']"), false),
            (&source("uris", "uris = ['ftp://mirror.example.org/debian']"), false),
            (&source("uris", "uris = ['file://mirror.example.org/debian']"), false),
            (&source("uris", "uris = ['https://mirror.example.org/debian?a=b']"), false),
            (&source("uris", "uris = []"), false),
            (&source("uris", ""), false),
            (&source("suites", "suites = ['./']"), false),
            (&source("components", ""), false),
            (&source("suites components", "suites = ['./', 'x/']"), true),
            (&source("suites components", "suites = ['./', 'x']"), false),
            (&source("suites", "suites = ['./', 'x']"), false),
            (&source("components", "components = ['main', 'main']"), false),
            (&source("", "architectures = ['all']"), false),
            (&source("", "architectures = []"), false),
            (&source("signed-by", ""), false),
            (&source("signed-by", "signed-by = ''"), false),
            (&source("signed-by", "signed-by = []"), false),
            (&source("signed-by", "signed-by = ['keys/archive.gpg']"), false),
            (&source("signed-by", "signed-by = ['4CB5 0190 207B 4758 A3F7  3A79 6ED0 E7B8 2643 E131']"), true),
            (&source("", "snapshot = '2026-08-18'"), false),
            (&source("", "trusted = true"), false),
            (&format!("{}\nhost-suites = ['bookworm']", source("", "")), false),
            ("debian.database = 'status'", true),
            ("debian.database = 'dpkg'", false),
            ("[files]\n'/a' = { source = 'a', mode = '0644', owner = 'root:root' }", true),
            ("[files]\n'/a' = { source = 'a', mode = 420 }", false),
            ("[files]\n'/a' = { source = 'a', mode = '0888' }", false),
            ("[files]\n'/a' = { source = 'a', symlink = 'b' }", false),
            ("[files]\n'/a' = { directory = false }", false),
            ("[files]\n'/a' = { symlink = 'b', mode = '0644' }", false),
            ("[files]\n'/a' = {}", false),
            ("[files]\n'a' = { source = 'a' }", false),
            ("users.app = { uid = 1000, home = '/home/app' }", true),
            ("users.app = {}", false),
            ("users.App = { uid = 1000 }", false),
            ("users.app = { uid = 4294967295 }", false),
            ("filter = { exclude = ['/usr/share/man/**'], docs = 'none', locales = ['C', 'de'] }", true),
            ("filter.exclude = ['usr/share']", false),
            ("filter.docs = 'some'", false),
            ("filter.locales = ['C/..']", false),
            ("layers = { strategy = 'single', max = 100, compression = 'zstd:19' }", true),
            ("layers.strategy = 'origin'", true),
            ("layers.strategy = 'source'", false),
            ("layers.max = 1", false),
            ("layers.max = 101", false),
            ("layers.compression = 'zstd:20'", false),
            ("layers.compression = 'zstd-chunked'", true),
            ("layers.compression = 'zstd-chunked:20'", false),
            ("layers.compression = 'estargz:9'", true),
            ("layers.compression = 'estargz:19'", false),
            ("layers.compression = 'gzip:9'", true),
            ("layers.compression = 'none:1'", false),
            ("[variants.debug]\ndebs = ['busybox.deb']\nimage.entrypoint = ['/bin/sh']", true),
            ("[variants.debug]\npackages = ['busybox-static']", true),
            ("[variants.debug]\npackages = ['']", false),
            ("[variants.debug]\nplatforms = ['linux/amd64']", false),
            ("[variants.Debug]\n", false),
            ("base.image = 'oci:base:v1'", true),
            ("base = { image = 'oci-archive:base.tar', public-name = 'registry.example.org/team/base:1' }", true),
            ("base = { image = 'oci:base', public-name = 'base' }", false),
            ("base.public-name = 'registry.example.org/base'", false),
            ("base = { image = 'oci:base', key = 'base.pub' }", true),
            (
                "base = { image = 'oci:base', key = ['a.pub', 'b.pub'], threshold = 2, trusted-root = 'root.json' }",
                true,
            ),
            ("base = { image = 'oci:base', key = [] }", false),
            ("base = { image = 'oci:base', key = [''] }", false),
            ("base = { image = 'oci:base', key = 'a.pub', threshold = 0 }", false),
            ("base = { image = 'oci:base', threshold = 1 }", false),
            ("base = { image = 'oci:base', trusted-root = 'root.json' }", false),
            ("base = { image = 'oci:base', certificate-identity = 'a', certificate-oidc-issuer = 'b' }", true),
            (
                "base = { image = 'oci:base', certificate-identity-regexp = 'a', certificate-oidc-issuer-regexp = 'b' }",
                true,
            ),
            ("base = { image = 'oci:base', certificate-identity = 'a' }", false),
            ("base = { image = 'oci:base', certificate-oidc-issuer = 'b' }", false),
            ("base = { image = 'oci:base', certificate-identity = '', certificate-oidc-issuer = 'b' }", false),
            ("base = { image = 'oci:base', key = 'a.pub', certificate-oidc-issuer = 'b' }", false),
            ("base = { image = 'oci:base', key = 'a.pub', certificate-identity = 'a' }", false),
            ("nothing = 1", false),
        ];
        for (recipe, expected) in cases {
            assert_eq!(Recipe::parse(recipe).is_ok(), expected, "the parser on {recipe}: {:?}", Recipe::parse(recipe));
            assert_eq!(takes(recipe), expected, "the schema on {recipe}");
        }
    }

    #[test]
    fn documents_have_schemas_in_which_every_field_is_described() {
        let images = [written(), inspection(), files(), sbom(), tags(), validation(), verification()];
        for text in images.into_iter().chain([locking(), reason(), key(), signed_blob(), cache_status(), cache_prune()])
        {
            let schema: Value = serde_json::from_str(&text).unwrap();
            assert!(jsonschema::draft202012::meta::is_valid(&schema));
            let tables = schema["$defs"].as_object().into_iter().flat_map(|defs| defs.values()).chain([&schema]);
            for table in tables {
                for (key, value) in table["properties"].as_object().into_iter().flatten() {
                    assert!(value.get("description").is_some(), "{key}");
                    assert!(!key.contains('_'), "{key}");
                }
            }
        }
    }

    #[test]
    fn every_example_is_a_recipe() {
        let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
        let mut seen = 0;
        for example in std::fs::read_dir(examples).unwrap() {
            let path = example.unwrap().path().join("distil.toml");
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            Recipe::parse(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            assert!(takes(&text), "{}", path.display());
            seen += 1;
        }
        assert!(seen > 0);
    }
}
