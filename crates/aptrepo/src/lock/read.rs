//! Reads a lock. Whatever it does not say in exactly one way is refused: a lock is trusted for what gets into images.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::str::FromStr;

use distil_debunpack::{PackageName, Source};
use distil_imgcore::{Digest, Platform};

use super::table::{self, Table, Value};
use super::{
    Asked, AskedLayers, AskedSource, AskedSources, AskedVariant, FORMAT_VERSION, IndexEvidence, Lock, LockError,
    LockFault, Locked, LockedBase, LockedImage, LockedPackage, LockedPlatform, LockedResult, MAX_LOCK, PackageOrigin,
    PlanError, RepositoryEvidence, SignedFile,
};

const PLATFORM: &str = "a platform";
const DIGEST: &str = "a digest of the form sha256:HEX";
const SHA256: &str = "a SHA-256 of 64 lower-case hexadecimal digits";
const SIZE: &str = "a number of bytes";
const TIME: &str = "a time of the form 2026-07-11T10:16:37Z";
const NAME: &str = "the name of a package";
const VERSION: &str = "a version";
const PATH: &str = "a relative path of plain names";
const LOCAL: &str = "a path";
const VARIANT: &str = "the name of a variant";

impl Lock {
    /// Reads a lock.
    ///
    /// # Errors
    /// [`LockError`] with the place of the first fault.
    pub fn parse(text: &str) -> Result<Self, LockError> {
        if text.len() > MAX_LOCK {
            return Err(LockError::TooLarge { found: text.len() });
        }
        let document = table::parse(text)?;
        let top = table::top(text, &document);
        // Before anything else: what another version means by a key is not known.
        let version = top.required("format-version")?.integer::<i64>("a number")?;
        if version != i64::from(FORMAT_VERSION) {
            return Err(LockError::FormatVersion { found: version });
        }
        read(&top.only(&[
            "format-version",
            "epoch",
            "asked",
            "repository",
            "base",
            "platforms",
            "result",
            "variants",
        ])?)
    }
}

fn read(top: &Table<'_, '_>) -> Result<Lock, LockError> {
    let epoch = top.required("epoch")?.integer::<u64>("a time in seconds since 1970")?;
    let (repositories, names) =
        top.optional("repository").map_or_else(|| Ok(Default::default()), |v| repositories(&v))?;
    let main = read_locked(top, None, &names)?;
    let mut variants = BTreeMap::new();
    for (name, value) in top.optional("variants").map(|v| v.table()).transpose()?.iter().flat_map(Table::entries) {
        let section = value.table()?.only(&["platforms", "result"])?;
        variants.insert(variant_name(name, &value)?, read_locked(&section, Some(&main), &names)?);
    }
    Ok(Lock {
        asked: asked(&top.required("asked")?)?,
        epoch: epoch.cast_signed(),
        repositories,
        base: top.optional("base").map(|v| base(&v)).transpose()?,
        main,
        variants,
    })
}

fn asked(value: &Value<'_, '_>) -> Result<Asked, LockError> {
    let section = value.table()?.only(&[
        "digest",
        "platforms",
        "packages",
        "debs",
        "exclude",
        "recommends",
        "sources",
        "host-suites",
        "base",
        "layers",
        "variants",
    ])?;
    let layers = section.required("layers")?.table()?.only(&["strategy", "max"])?;
    let mut variants = BTreeMap::new();
    for (name, value) in section.optional("variants").map(|v| v.table()).transpose()?.iter().flat_map(Table::entries) {
        let section = value.table()?.only(&["packages", "debs"])?;
        let (packages, debs) = (words(&section.required("packages")?)?, words(&section.required("debs")?)?);
        variants.insert(variant_name(name, &value)?, AskedVariant { packages, debs });
    }
    let asked = Asked {
        platforms: distinct(&section.required("platforms")?, |v| v.parse::<Platform>(PLATFORM))?,
        packages: words(&section.required("packages")?)?,
        debs: words(&section.required("debs")?)?,
        exclude: words(&section.required("exclude")?)?,
        recommends: section.required("recommends")?.boolean()?,
        sources: asked_sources(&section)?,
        base: section.optional("base").map(|v| text(&v)).transpose()?,
        layers: AskedLayers {
            strategy: text(&layers.required("strategy")?)?,
            max: layers.required("max")?.integer("a number of layers")?,
        },
        variants,
    };
    let digest = section.required("digest")?;
    if digest.parse::<Digest>(DIGEST)? == asked.digest() {
        Ok(asked)
    } else {
        Err(digest.fault(LockFault::AskedDigest))
    }
}

fn asked_sources(section: &Table<'_, '_>) -> Result<AskedSources, LockError> {
    let (sources, suites) = (section.required("sources")?, section.optional("host-suites"));
    if sources.is_string() {
        sources.checked("\"host\" or a list of tables", |text| text == "host")?;
        return Ok(AskedSources::Host { suites: suites.map(|v| words(&v)).transpose()? });
    }
    match suites {
        Some(suites) => Err(suites.fault(LockFault::UnknownKey)),
        None => distinct(&sources, asked_source).map(AskedSources::Tables),
    }
}

fn asked_source(value: &Value<'_, '_>) -> Result<AskedSource, LockError> {
    let section = value.table()?.only(&["suite", "components", "architectures", "signed-by", "snapshot"])?;
    Ok(AskedSource {
        suite: text(&section.required("suite")?)?,
        components: words(&section.required("components")?)?,
        architectures: section.optional("architectures").map(|v| words(&v)).transpose()?,
        signed_by: words(&section.required("signed-by")?)?,
        snapshot: section.optional("snapshot").map(|v| v.parse("a time of the form 20260818T205150Z")).transpose()?,
    })
}

type Names<'r> = BTreeMap<&'r str, usize>;

fn repositories<'r>(value: &Value<'r, '_>) -> Result<(Vec<RepositoryEvidence>, Names<'r>), LockError> {
    let (mut repositories, mut names) = (Vec::new(), Names::new());
    for value in value.elements()? {
        let section = value.table()?.only(&[
            "name",
            "suite",
            "codename",
            "origin",
            "label",
            "version",
            "in-release",
            "release",
            "release-gpg",
            "primary-key",
            "key",
            "signed-at",
            "date",
            "valid-until",
            "snapshot",
            "indices",
        ])?;
        let name = section.required("name")?;
        let number = repositories.len();
        if names.insert(name.string()?, number).is_some() {
            return Err(name.fault(LockFault::Twice { name: name.string()?.to_owned() }));
        }
        repositories.push(repository(&section)?);
    }
    Ok((repositories, names))
}

fn repository(section: &Table<'_, '_>) -> Result<RepositoryEvidence, LockError> {
    let words = |key| section.optional(key).map(|v| text(&v)).transpose();
    let digest = |key| section.required(key)?.parse(DIGEST);
    let signed = match (section.optional("in-release"), section.optional("release")) {
        (Some(_), None) if section.optional("release-gpg").is_none() => {
            SignedFile::Inline { digest: digest("in-release")? }
        }
        (None, Some(_)) => SignedFile::Detached { release: digest("release")?, signature: digest("release-gpg")? },
        _ => return Err(section.fault(LockFault::NotExactlyOne { first: "in-release", second: "release" })),
    };
    Ok(RepositoryEvidence {
        suite: text(&section.required("suite")?)?,
        codename: words("codename")?,
        origin: words("origin")?,
        label: words("label")?,
        version: words("version")?,
        signed,
        primary_key: section.required("primary-key")?.parse("a fingerprint")?,
        key: section.required("key")?.parse("a fingerprint")?,
        signed_at: section.required("signed-at")?.parse(TIME)?,
        date: section.required("date")?.parse(TIME)?,
        valid_until: section.optional("valid-until").map(|v| v.parse(TIME)).transpose()?,
        snapshot: section.optional("snapshot").map(|v| v.parse("a time of the form 20260818T205150Z")).transpose()?,
        indices: section.required("indices")?.list(index)?,
    })
}

fn index(value: &Value<'_, '_>) -> Result<IndexEvidence, LockError> {
    let section = value.table()?.only(&["path", "size", "sha256"])?;
    Ok(IndexEvidence {
        path: section.required("path")?.checked(PATH, is_relative)?,
        size: section.required("size")?.integer(SIZE)?,
        sha256: sha256(&section.required("sha256")?)?,
    })
}

fn base(value: &Value<'_, '_>) -> Result<LockedBase, LockError> {
    let section = value.table()?;
    let mut base = LockedBase::default();
    for (name, value) in section.entries() {
        if name == "digest" {
            base.digest = Some(value.parse(DIGEST)?);
        } else {
            base.platforms.insert(platform(name, &value)?, value.parse(DIGEST)?);
        }
    }
    Ok(base)
}

/// Reads the tables of a recipe, or those of a variant over its recipe's.
fn read_locked(top: &Table<'_, '_>, main: Option<&Locked>, names: &Names<'_>) -> Result<Locked, LockError> {
    let mut platforms = BTreeMap::new();
    for (name, value) in top.optional("platforms").map(|v| v.table()).transpose()?.iter().flat_map(Table::entries) {
        let platform = platform(name, &value)?;
        let empty = LockedPlatform::default();
        let of_main = main.map(|main| main.platforms.get(&platform).unwrap_or(&empty));
        let packages = read_platform(&value, of_main, names)?;
        platforms.insert(platform, packages);
    }
    Ok(Locked { platforms, result: top.optional("result").map(|v| read_result(&v)).transpose()? })
}

fn read_platform(
    value: &Value<'_, '_>,
    main: Option<&LockedPlatform>,
    names: &Names<'_>,
) -> Result<LockedPlatform, LockError> {
    let section = value.table()?.only(if main.is_some() {
        &["without", "packages", "layers"]
    } else {
        &["packages", "layers"]
    })?;
    let mut packages: BTreeMap<PackageName, LockedPackage> = BTreeMap::new();
    if let Some(main) = main {
        packages.extend(main.packages.iter().map(|package| (package.name.clone(), package.clone())));
        for value in section.required("without")?.elements()? {
            let name: PackageName = value.parse(NAME)?;
            if packages.remove(&name).is_none() {
                return Err(value.fault(LockFault::Unknown { what: "package", name: name.to_string() }));
            }
        }
    }
    for value in section.required("packages")?.elements()? {
        let package = package(&value, names)?;
        if let Some(first) = packages.insert(package.name.clone(), package) {
            return Err(value.fault(LockFault::Twice { name: first.name.to_string() }));
        }
    }
    let layers = match (section.optional("layers"), main) {
        (None, Some(main)) => main.layers.clone(),
        _ => section.required("layers")?.list(|layer| layer.list(|name| name.parse(NAME)))?,
    };
    LockedPlatform::new(packages.into_values().collect(), layers).map_err(|error| {
        let name = |name: PackageName| name.to_string();
        value.fault(match error {
            PlanError::Twice(package) | PlanError::TwoLayers(package) => LockFault::Twice { name: name(package) },
            PlanError::Unknown(package) => LockFault::Unknown { what: "package", name: name(package) },
            PlanError::NoLayer(package) => LockFault::NoLayer { name: name(package) },
        })
    })
}

fn package(value: &Value<'_, '_>, names: &Names<'_>) -> Result<LockedPackage, LockError> {
    let section = value.table()?.only(&[
        "name",
        "version",
        "architecture",
        "source",
        "source-version",
        "size",
        "sha256",
        "repository",
        "path",
        "local",
    ])?;
    let name: PackageName = section.required("name")?.parse(NAME)?;
    let version = section.required("version")?.parse(VERSION)?;
    let source = Source {
        name: parsed_or(&section, "source", NAME, &name)?,
        version: parsed_or(&section, "source-version", VERSION, &version)?,
    };
    let origin = match (section.optional("repository"), section.optional("local")) {
        (Some(repository), None) => PackageOrigin::Repository {
            repository: *names.get(repository.string()?).ok_or_else(|| {
                let name = repository.string().unwrap_or_default().to_owned();
                repository.fault(LockFault::Unknown { what: "repository", name })
            })?,
            path: section.required("path")?.checked(PATH, is_relative)?,
        },
        (None, Some(local)) if section.optional("path").is_none() => {
            PackageOrigin::Local { path: local.checked(LOCAL, is_path)? }
        }
        _ => return Err(section.fault(LockFault::NotExactlyOne { first: "repository", second: "local" })),
    };
    Ok(LockedPackage {
        name,
        version,
        architecture: section.required("architecture")?.parse("an architecture")?,
        source,
        size: section.required("size")?.integer(SIZE)?,
        sha256: sha256(&section.required("sha256")?)?,
        origin,
    })
}

fn read_result(value: &Value<'_, '_>) -> Result<LockedResult, LockError> {
    let section = value.table()?.only(&["files", "compression", "digest", "platforms"])?;
    let mut platforms = BTreeMap::new();
    for (name, value) in section.optional("platforms").map(|v| v.table()).transpose()?.iter().flat_map(Table::entries) {
        let section = value.table()?.only(&["digest", "diff-ids"])?;
        let digest = section.required("digest")?.parse(DIGEST)?;
        let diff_ids = section.required("diff-ids")?.list(|v| v.parse(DIGEST))?;
        platforms.insert(platform(name, &value)?, LockedImage { digest, diff_ids });
    }
    Ok(LockedResult {
        files: section.required("files")?.parse(DIGEST)?,
        compression: text(&section.required("compression")?)?,
        digest: section.required("digest")?.parse(DIGEST)?,
        platforms,
    })
}

/// A value that may be left out where it equals another one.
fn parsed_or<T: FromStr + Display + Clone>(
    section: &Table<'_, '_>,
    key: &str,
    expected: &'static str,
    default: &T,
) -> Result<T, LockError> {
    section.optional(key).map_or_else(|| Ok(default.clone()), |value| value.parse(expected))
}

/// A key that is a platform. Several spellings of one platform would be several tables about it.
fn platform(name: &str, value: &Value<'_, '_>) -> Result<Platform, LockError> {
    let platform = name.parse().ok().filter(|platform: &Platform| platform.to_string() == name);
    platform.ok_or_else(|| value.malformed(name, PLATFORM))
}

fn variant_name(name: &str, value: &Value<'_, '_>) -> Result<String, LockError> {
    let fits = (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.'));
    if fits { Ok(name.to_owned()) } else { Err(value.malformed(name, VARIANT)) }
}

fn sha256(value: &Value<'_, '_>) -> Result<Digest, LockError> {
    let digits = value.string()?;
    format!("sha256:{digits}").parse().map_err(|_| value.malformed(digits, SHA256))
}

/// Words of others, which only come into messages.
fn text(value: &Value<'_, '_>) -> Result<String, LockError> {
    value.string().map(str::to_owned)
}

fn words(value: &Value<'_, '_>) -> Result<BTreeSet<String>, LockError> {
    distinct(value, text)
}

/// An array in which nothing stands twice.
fn distinct<T: Ord>(
    value: &Value<'_, '_>,
    read: impl Fn(&Value<'_, '_>) -> Result<T, LockError>,
) -> Result<BTreeSet<T>, LockError> {
    let mut items = BTreeSet::new();
    for value in value.elements()? {
        if !items.insert(read(&value)?) {
            return Err(value.fault(LockFault::Twice { name: value.string().unwrap_or("a table").to_owned() }));
        }
    }
    Ok(items)
}

/// A path that leads nowhere but down, whatever it is put behind: a URL or a directory. A first `./` is how repositories
/// without components write theirs.
fn is_relative(path: &str) -> bool {
    let name = |name: &str| !matches!(name, "" | "." | "..") && !name.contains(|c: char| c.is_control() || c == '\\');
    path.len() <= 4096 && path.strip_prefix("./").unwrap_or(path).split('/').all(name)
}

/// A recipe may name packages wherever it likes.
fn is_path(path: &str) -> bool {
    (1..=4096).contains(&path.len()) && !path.contains('\0')
}
