//! The resolver chooses what apt-get chooses, and nothing that dpkg would not take.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use distil_aptrepo::{Index, Offered, Request, Resolution, Universe, Wanted, resolve};
use distil_debunpack::{Architecture, Group, Qualifier, Relation, Relations, Version};
use distil_tests::program::folder;
use distil_tests::{Program, place};

/// Of how many packages the sets are compared.
const NAMES: usize = 300;
/// Picks them.
const SEED: u64 = 20_260_711;
/// Of a hundred sets, as many may differ, each for a reason that is known.
const DIFFERENT_PERCENT: usize = 2;

/// Packages for which the sets differ in another way than by what apt leaves behind, and why. There are none.
const KNOWN: &[(&str, &str)] = &[];

/// A set: names with versions.
type Set = BTreeMap<String, String>;

/// The package lists of this machine's sources, and the architecture they are for.
struct Lists {
    config: PathBuf,
    architecture: Architecture,
    /// Suite and text, in the order of the sources.
    texts: Vec<(String, String)>,
}

impl Lists {
    fn read() -> Self {
        let config = place::root().join("target/apt/host/apt.conf");
        assert!(
            config.is_file(),
            "{} is missing; get the package lists with: cargo xtask debs python",
            config.display()
        );
        let architecture = Program::new("dpkg").arg("--print-architecture").run().success().text();
        let format = ["indextargets", "--format", "$(RELEASE) $(ARCHITECTURE) $(FILENAME)", "Created-By: Packages"];
        let targets = Program::new("apt-get").arg("-c").arg(&config).args(format).run().success().text();
        let ours = targets.lines().map(|line| line.splitn(3, ' ').collect::<Vec<_>>());
        let texts = ours.filter(|words| [architecture.trim(), "all"].contains(&words[1]));
        let texts: Vec<_> = texts.map(|words| (words[0].to_owned(), fs::read_to_string(words[2]).unwrap())).collect();
        assert!(!texts.is_empty(), "no package lists for {architecture} in {targets}");
        Self { config, architecture: architecture.trim().parse().unwrap(), texts }
    }

    /// The same names every time, as long as the lists are the same.
    fn pick(&self) -> Vec<String> {
        let lines = self.texts.iter().flat_map(|(_, text)| text.lines());
        let names: BTreeSet<&str> = lines.filter_map(|line| line.strip_prefix("Package: ")).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let mut state = SEED;
        let mut picked = BTreeSet::new();
        while picked.len() < NAMES {
            // Knuth's multiplier; the high bits are those without a pattern.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            picked.insert(names[usize::try_from(state >> 33).unwrap() % names.len()].to_owned());
        }
        picked.into_iter().collect()
    }

    /// What apt-get would install on an empty system; nothing where it says that it cannot.
    fn apt(&self, cache: &str, name: &str) -> Option<Set> {
        let ran = Program::new("apt-get")
            .args(["-s", "--no-install-recommends", "-c"])
            .arg(&self.config)
            .args([
                "-o",
                cache,
                "-o",
                "Dir::Cache::pkgcache=pkgcache.bin",
                "-o",
                "Dir::Cache::srcpkgcache=srcpkgcache.bin",
            ])
            .args(["install", name])
            .env("LC_ALL", "C.UTF-8")
            .run();
        let text = ran.text();
        let installed = text.lines().filter_map(|line| line.strip_prefix("Inst "));
        let set = installed.map(|line| {
            let mut words = line.split([' ', '(']).filter(|word| !word.is_empty());
            (words.next().unwrap().to_owned(), words.next().unwrap().to_owned())
        });
        // 100 is how apt-get says no; anything else is no answer.
        match ran.code() {
            0 => Some(set.collect()),
            100 => None,
            code => panic!("apt-get -s install {name}: {code} {}", ran.errors()),
        }
    }
}

#[test]
fn sets_are_those_of_apt_and_dpkg_takes_them() {
    let lists = Lists::read();
    let indices: Vec<Index> = lists.texts.iter().map(|(_, text)| Index::parse(text.as_bytes()).unwrap()).collect();
    let suites = lists.texts.iter().map(|(suite, _)| suite.as_str());
    let offered: Vec<Offered<'_>> =
        suites.zip(&indices).map(|(suite, index)| Offered { suite, codename: None, index }).collect();
    let stanzas = Stanzas::read(&lists.texts);
    let names = lists.pick();

    let (_held, cache) = folder();
    fs::create_dir_all(cache.join("archives/partial")).unwrap();
    let cache = format!("Dir::Cache={}", cache.display());
    // The first run makes the cache that the others share.
    lists.apt(&cache, &names[0]);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut differences = Vec::new();
        while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
            let universe =
                Universe { architecture: lists.architecture.clone(), indices: &offered, local: &[], base: &[] };
            let requests = vec![Request::of(name.parse().unwrap())];
            let ours = resolve(&universe, &Wanted { requests, ..Wanted::default() });
            let ours = ours.map(|resolution| set(&resolution)).map_err(|error| error.to_string());
            if let Ok(ours) = &ours {
                let broken = stanzas.broken(ours, &lists.architecture);
                assert!(broken.is_empty(), "the set for {name} is not consistent: {broken:?}");
                assert!(ours.contains_key(name), "the set for {name} does not have it");
            }
            differences.extend(difference(name, lists.apt(&cache, name), ours));
        }
        differences
    };
    let differences: Vec<Difference> = thread::scope(|scope| {
        let threads = [scope.spawn(work), scope.spawn(work)];
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    println!("{} sets compared, {} differ", names.len(), differences.len());
    for Difference { name, what } in &differences {
        println!("{name}: {what}");
    }
    let unknown: Vec<_> = differences.iter().filter(|found| !found.is_known()).collect();
    assert!(unknown.is_empty(), "differences without a known reason: {unknown:?}");
    assert!(differences.len() * 100 < names.len() * DIFFERENT_PERCENT, "{} sets differ", differences.len());
}

fn set(resolution: &Resolution) -> Set {
    resolution.packages.iter().map(|chosen| (chosen.name.to_string(), chosen.version.to_string())).collect()
}

#[derive(Debug)]
struct Difference {
    name: String,
    what: What,
}

#[derive(Debug)]
enum What {
    /// apt-get chose them for something that turned out to have what it needs anyway, and never looks back. What is
    /// left without them is consistent, so nothing needs them.
    LeftBehind(Vec<String>),
    /// Anything else.
    Other { apt: Option<Set>, ours: Result<Set, String> },
}

impl Difference {
    fn is_known(&self) -> bool {
        matches!(self.what, What::LeftBehind(_)) || KNOWN.iter().any(|(name, _)| *name == self.name)
    }
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::LeftBehind(names) => write!(f, "apt leaves behind what nothing needs: {}", names.join(" ")),
            Self::Other { apt, ours } => write!(f, "apt {apt:?}, distil {ours:?}"),
        }
    }
}

fn difference(name: &str, apt: Option<Set>, ours: Result<Set, String>) -> Option<Difference> {
    let what = match (&apt, &ours) {
        (None, Err(_)) => return None,
        (Some(apt), Ok(ours)) if apt == ours => return None,
        (Some(apt), Ok(ours)) if ours.iter().all(|(name, version)| apt.get(name) == Some(version)) => {
            What::LeftBehind(apt.keys().filter(|name| !ours.contains_key(*name)).cloned().collect())
        }
        _ => What::Other { apt, ours },
    };
    Some(Difference { name: name.to_owned(), what })
}

/// The stanzas of the lists, read without the index under test.
struct Stanzas<'a>(HashMap<(&'a str, &'a str), Fields<'a>>);

type Fields<'a> = HashMap<&'a str, &'a str>;

impl<'a> Stanzas<'a> {
    fn read(texts: &'a [(String, String)]) -> Self {
        let mut stanzas = HashMap::new();
        for stanza in texts.iter().flat_map(|(_, text)| text.split("\n\n")) {
            // The relations of Debian's indices stand in one line each.
            let fields: Fields<'_> = stanza.lines().filter_map(|line| line.split_once(": ")).collect();
            if let (Some(name), Some(version)) = (fields.get("Package"), fields.get("Version")) {
                stanzas.entry((*name, *version)).or_insert(fields);
            }
        }
        Self(stanzas)
    }

    /// What dpkg would say against having exactly these packages.
    fn broken(&self, set: &Set, native: &Architecture) -> Vec<String> {
        let packages: Vec<&Fields<'_>> = set.iter().map(|(n, v)| &self.0[&(n.as_str(), v.as_str())]).collect();
        let mut by_name: HashMap<String, Vec<&Fields<'_>>> = HashMap::new();
        for package in &packages {
            let field = relations(package, "Provides");
            let names = field.groups().iter().flat_map(Group::alternatives).map(|r| r.package.to_string());
            for name in names.chain([package["Package"].to_owned()]) {
                by_name.entry(name).or_default().push(package);
            }
        }
        let who_meets = |relation: &Relation| {
            let candidates = by_name.get(relation.package.as_str()).into_iter().flatten();
            candidates.copied().filter(|package| meets(package, relation, native)).collect::<Vec<_>>()
        };
        let mut broken = Vec::new();
        for package in packages {
            for field in ["Pre-Depends", "Depends"] {
                for group in relations(package, field).groups() {
                    if group.alternatives().iter().all(|relation| who_meets(relation).is_empty()) {
                        broken.push(format!("{} {field} {group}", package["Package"]));
                    }
                }
            }
            for field in ["Conflicts", "Breaks"] {
                for relation in relations(package, field).groups().iter().flat_map(Group::alternatives) {
                    if who_meets(relation).iter().any(|other| other["Package"] != package["Package"]) {
                        broken.push(format!("{} {field} {relation}", package["Package"]));
                    }
                }
            }
        }
        broken
    }
}

fn relations(package: &Fields<'_>, field: &str) -> Relations {
    package.get(field).copied().unwrap_or_default().parse().unwrap()
}

/// Policy 7.1, 7.4 and 7.5, and multiarch for a system of one architecture.
fn meets(package: &Fields<'_>, relation: &Relation, native: &Architecture) -> bool {
    let qualified = match &relation.qualifier {
        None => true,
        Some(Qualifier::Any) => package.get("Multi-Arch") == Some(&"allowed"),
        Some(Qualifier::Architecture(architecture)) => architecture == native,
        Some(Qualifier::Native) => false,
    };
    let allows = |version: &Version| relation.constraint.as_ref().is_none_or(|constraint| constraint.allows(version));
    let itself = package["Package"] == relation.package.as_str() && allows(&package["Version"].parse().unwrap());
    let field = relations(package, "Provides");
    let stands_in = field.groups().iter().flat_map(Group::alternatives).any(|given| {
        given.package == relation.package
            && given.constraint.as_ref().map_or(relation.constraint.is_none(), |given| allows(&given.version))
    });
    qualified && (itself || stands_in)
}
