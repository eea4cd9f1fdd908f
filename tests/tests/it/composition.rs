//! What becomes of packages in an image: merged paths, filters, records, layers.

use std::collections::BTreeMap;
use std::fs;

use distil_tests::listing::{self, Listing};
use distil_tests::program::{Ran, folder};
use distil_tests::tar::Entry;
use distil_tests::{Deb, Program, layout};

use crate::example::reference;

/// An image that was built from a few packages.
struct Made {
    layers: Vec<Listing>,
    config: serde_json::Value,
    said: String,
    root: std::path::PathBuf,
    _guard: tempfile::TempDir,
}

fn build(recipe: &str, debs: &[Deb], files: &[(&str, &str)]) -> (Ran, std::path::PathBuf, tempfile::TempDir) {
    let (guard, folder) = folder();
    fs::write(folder.join("distil.toml"), recipe).unwrap();
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
    }
    for deb in debs {
        assert!(deb.write(&folder).is_file());
    }
    let program = Program::distil().arg("build").arg("--cache-dir").arg(folder.join("cache"));
    let ran = program.arg("-o").arg(reference(&folder.join("layout"), "test")).current_dir(&folder).run();
    (ran, folder, guard)
}

/// Builds, and checks that `validate` has nothing to say against it.
fn made(recipe: &str, debs: &[Deb], files: &[(&str, &str)]) -> Made {
    let recipe = format!("[debian]\ndebs = [\"*.deb\"]\n{recipe}");
    let (ran, root, guard) = build(&recipe, debs, files);
    let ran = ran.success();
    let valid = Program::distil().arg("validate").arg(reference(&root.join("layout"), "test")).run();
    assert!(valid.status.success(), "{valid}");
    let image = layout::image(&root.join("layout"), "test");
    let layers = image.layers.iter().map(|layer| listing::of_layer(layer)).collect();
    Made { layers, config: image.config, said: ran.errors(), root, _guard: guard }
}

impl Made {
    fn tree(&self) -> Listing {
        self.layers.iter().flatten().map(|(path, node)| (path.clone(), node.clone())).collect()
    }

    /// How many layers have the path as something else than a directory.
    fn times(&self, path: &str) -> usize {
        self.layers.iter().filter(|layer| layer.get(path).is_some_and(|node| node.kind != "d")).count()
    }

    /// The content of a file, read by unpacking the layers with GNU tar.
    fn read(&self, path: &str) -> String {
        let out = self.root.join("unpacked");
        fs::create_dir_all(&out).unwrap();
        for layer in layout::image(&self.root.join("layout"), "test").layers {
            let ran = Program::new("tar").arg("--zstd").arg("-xf").arg(layer).arg("-C").arg(&out).run();
            assert!(ran.status.success(), "{ran}");
        }
        fs::read_to_string(out.join(path)).unwrap()
    }
}

fn md5(text: &str) -> String {
    let ran = Program::new("md5sum").input(text.into()).run().success();
    ran.text().split(' ').next().unwrap().to_owned()
}

#[test]
fn a_file_that_is_left_out_lives_on_under_its_hard_links() {
    let deb = Deb::new("hello")
        .file("/usr/share/doc/hello/NEWS", "news\n")
        .entry(Entry::hardlink("./usr/share/hello/a", "./usr/share/doc/hello/NEWS"))
        .entry(Entry::hardlink("./usr/share/hello/b", "./usr/share/doc/hello/NEWS"));
    let made = made("", &[deb], &[]);
    let tree = made.tree();
    assert!(!tree.contains_key("usr/share/doc/hello/NEWS"));
    assert_eq!(tree["usr/share/hello/a"].names, ["usr/share/hello/a", "usr/share/hello/b"].map(String::from).into());
    assert_eq!(made.read("usr/share/hello/b"), "news\n");
}

#[test]
fn a_folder_that_lost_all_it_had_goes_and_an_empty_one_stays() {
    let deb =
        Deb::new("hello").file("/usr/share/extra/man/hello.1", "page\n").entry(Entry::directory("./var/lib/hello/"));
    let tree = made("[filter]\nexclude = [\"/usr/share/extra/man/*\"]\n", &[deb], &[]).tree();
    assert!(!tree.contains_key("usr/share/extra"), "{:?}", tree.keys());
    assert_eq!(tree["var/lib/hello"].kind, "d");
}

#[test]
fn paths_move_onto_the_merged_usr_and_collide_there() {
    let first = Deb::new("first").file("/bin/tool", "one\n").entry(Entry::hardlink("./bin/same", "./bin/tool"));
    let made = made("", std::slice::from_ref(&first), &[]);
    let tree = made.tree();
    assert_eq!((tree["bin"].kind.as_str(), tree["bin"].content.as_str()), ("l", "usr/bin"));
    assert_eq!(tree["usr/bin/tool"].names, ["usr/bin/same", "usr/bin/tool"].map(String::from).into());

    let second = Deb::new("second").file("/usr/bin/tool", "two\n");
    let (ran, ..) = build("[debian]\ndebs = [\"*.deb\"]\n", &[first, second], &[]);
    let ran = ran.exits(2);
    for word in ["/usr/bin/tool", "first", "second"] {
        assert!(ran.errors().contains(word), "{ran}");
    }
}

#[test]
fn one_package_with_both_sides_of_the_merge_is_refused() {
    let deb = Deb::new("both").file("/lib/x", "one\n").file("/usr/lib/x", "two\n");
    let (ran, ..) = build("[debian]\ndebs = [\"*.deb\"]\n", &[deb], &[]);
    assert!([2, 4].contains(&ran.code()) && ran.errors().contains("/usr/lib/x"), "{ran}");
}

#[test]
fn an_own_file_takes_the_place_of_a_packages() {
    let deb = Deb::new("hello").file("/etc/hello.conf", "theirs\n").file("/etc/other.conf", "other\n");
    for strategy in ["package", "single"] {
        let recipe =
            format!("[layers]\nstrategy = \"{strategy}\"\n[files]\n\"/etc/hello.conf\" = {{ source = \"own\" }}\n");
        let made = made(&recipe, std::slice::from_ref(&deb), &[("own", "ours\n")]);
        assert_eq!(made.times("etc/hello.conf"), 1, "{strategy}");
        assert_eq!(made.times("etc/other.conf"), 1, "{strategy}");
        assert_eq!(made.read("etc/hello.conf"), "ours\n", "{strategy}");
    }
}

#[test]
fn an_own_file_below_a_packages_link_is_a_conflict() {
    let deb = Deb::new("hello").entry(Entry::symlink("./opt/app", "/usr/lib/app"));
    let recipe = "[debian]\ndebs = [\"*.deb\"]\n[files]\n\"/opt/app/x\" = { source = \"own\" }\n";
    let (ran, ..) = build(recipe, &[deb], &[("own", "x\n")]);
    assert!(ran.exits(2).errors().contains("/opt/app/x"));
}

#[test]
fn a_copied_folder_does_not_change_a_packages_directory_but_a_stated_one_does() {
    let deb = Deb::new("hello")
        .entry(Entry::directory("./srv/drop").mode(0o1777))
        .entry(Entry::directory("./srv/data").mode(0o755));
    let files = "[files]\n\"/srv/drop\" = { source = \"tree/\" }\n\
                 \"/srv/data\" = { directory = true, mode = \"0700\", owner = \"nonroot\" }\n";
    let recipe = format!("[debian]\ndebs = [\"*.deb\"]\n{files}");
    let (guard, folder) = folder();
    fs::create_dir(folder.join("tree")).unwrap();
    fs::write(folder.join("tree/x"), "x\n").unwrap();
    fs::write(folder.join("distil.toml"), recipe).unwrap();
    assert!(deb.write(&folder).is_file());
    let program = Program::distil().arg("build").arg("--cache-dir").arg(folder.join("cache"));
    let ran = program.arg("-o").arg(reference(&folder.join("layout"), "test")).current_dir(&folder).run();
    assert!(ran.status.success(), "{ran}");
    let tree = listing::of_layers(&layout::image(&folder.join("layout"), "test").layers);
    assert_eq!(tree["srv/drop"].mode, 0o1777);
    assert_eq!((tree["srv/data"].mode, tree["srv/data"].owner), (0o700, (65532, 65532)));
    drop(guard);
}

#[test]
fn a_documentation_folder_that_is_a_link_becomes_real() {
    let base = Deb::new("base").file("/usr/share/doc/base/copyright", "the licence\n");
    let lib = Deb::new("lib").file("/usr/lib/lib.so", "x").entry(Entry::symlink("./usr/share/doc/lib", "base"));
    let made = made("", &[base, lib], &[]);
    assert_eq!(made.tree()["usr/share/doc/lib"].kind, "d");
    assert_eq!(made.times("usr/share/doc/lib"), 0, "the link is in no layer");
    assert_eq!(made.read("usr/share/doc/lib/copyright"), "the licence\n");
}

#[test]
fn records_list_the_files_that_are_there_and_the_configuration() {
    let mut deb = Deb::new("hello")
        .file("/bin/hello", "hello\n")
        .file("/usr/share/doc/hello/NEWS", "news\n")
        .file("/etc/hello.conf", "conf\n");
    let sums = format!("{}  bin/hello\n{}  usr/share/doc/hello/NEWS\n", md5("hello\n"), md5("news\n"));
    deb.control_files.push(("md5sums".to_owned(), sums));
    deb.control_files.push(("conffiles".to_owned(), "/etc/hello.conf\n".to_owned()));
    let expected = format!("{}  usr/bin/hello\n{}  etc/hello.conf\n", md5("hello\n"), md5("conf\n"));

    let with_status_d = made("", std::slice::from_ref(&deb), &[]);
    assert_eq!(with_status_d.read("var/lib/dpkg/status.d/hello.md5sums"), expected);
    assert_eq!(with_status_d.read("var/lib/dpkg/status.d/hello"), deb.control);
    let layer = with_status_d.layers.iter().find(|layer| layer.contains_key("usr/bin/hello")).unwrap();
    assert!(layer.contains_key("var/lib/dpkg/status.d/hello"), "the record is in the package's layer");

    let with_status = made("database = \"status\"\n", &[deb], &[]);
    assert!(with_status.read("var/lib/dpkg/status").contains("\nStatus: install ok installed\n"));
    assert_eq!(with_status.read("var/lib/dpkg/info/hello.md5sums"), expected);
    assert!(!with_status.tree().contains_key("var/lib/dpkg/status.d"));
}

#[test]
fn a_record_leaves_out_what_another_package_took_over() {
    let with_sums = |name: &str, content: &str| {
        let mut deb = Deb::new(name).file("/usr/bin/tool", content);
        deb.control_files.push(("md5sums".to_owned(), format!("{}  usr/bin/tool\n", md5(content))));
        deb
    };
    let debs = [with_sums("old", "old\n"), with_sums("new", "new\n").field("Replaces: old (<< 2)")];
    let made = made("", &debs, &[]);
    assert_eq!(made.times("usr/bin/tool"), 1);
    assert_eq!(made.read("usr/bin/tool"), "new\n");
    assert_eq!(made.read("var/lib/dpkg/status.d/old.md5sums"), "");
    assert!(made.read("var/lib/dpkg/status.d/new.md5sums").ends_with("  usr/bin/tool\n"));
}

#[test]
fn layers_follow_the_strategy() {
    let debs: Vec<Deb> = (0..8).map(|i| Deb::new(&format!("pkg{i}")).file(&format!("/usr/share/{i}"), "x\n")).collect();
    let count = |recipe: &str| made(recipe, &debs, &[]).layers.len();
    assert_eq!(count("[layers]\nstrategy = \"single\"\n"), 1);
    assert_eq!(count("[layers]\nstrategy = \"package\"\n"), 9, "one a package, and one for what is generated");
    assert!(count("[layers]\nmax = 4\n") <= 4);
    for made in [made("[layers]\nstrategy = \"single\"\n", &debs, &[]), made("[layers]\nmax = 3\n", &debs, &[])] {
        let tree = made.tree();
        (0..8).for_each(|i| assert_eq!(made.times(&format!("usr/share/{i}")), 1));
        assert_eq!(tree.keys().filter(|path| path.starts_with("var/lib/dpkg/status.d/pkg")).count(), 16);
    }
}

#[test]
fn packages_of_one_source_share_a_layer() {
    let deb = |name: &str, source: &str| Deb::new(name).field(&format!("Source: {source}"));
    let debs = [deb("first", "one"), deb("second", "two"), deb("third", "one")].map(|deb| {
        let path = format!("/usr/share/{}", deb.name);
        deb.file(&path, "x\n")
    });
    let made = made("[layers]\nstrategy = \"origin\"\n", &debs, &[]);
    assert_eq!(made.layers.len(), 3, "one a source, and one for what is generated");
    assert!(made.layers[0].contains_key("usr/share/first") && made.layers[0].contains_key("usr/share/third"));
    assert!(made.layers[1].contains_key("usr/share/second"));
}

#[test]
fn layers_of_a_base_count() {
    let debs: Vec<Deb> = (0..4).map(|i| Deb::new(&format!("pkg{i}")).file(&format!("/usr/share/{i}"), "x\n")).collect();
    let (ran, folder, _guard) = build("[debian]\ndebs = [\"*.deb\"]\n", &debs, &[]);
    assert!(ran.status.success(), "{ran}");
    let below = layout::image(&folder.join("layout"), "test").layers.len();
    let base = folder.join("layout");
    let upper: Vec<Deb> =
        (0..4).map(|i| Deb::new(&format!("top{i}")).file(&format!("/usr/share/top{i}"), "x\n")).collect();
    let on_base = |max: usize| {
        let base = reference(&base, "test");
        let recipe = format!("[base]\nimage = \"{base}\"\n[debian]\ndebs = [\"*.deb\"]\n[layers]\nmax = {max}\n");
        build(&recipe, &upper, &[])
    };
    for room in 2..6 {
        let (ran, folder, _guard) = on_base(below + room);
        assert!(ran.status.success(), "{ran}");
        let found = layout::image(&folder.join("layout"), "test").layers.len();
        assert!(found > below && found <= below + room, "{found} layers on {below} where {room} more may be");
    }
    let (ran, ..) = on_base(below + 1);
    let ran = ran.exits(2);
    for word in ["layers.max", "base.image", "line 2", &format!("set layers.max to {} or more", below + 2)] {
        assert!(ran.errors().contains(word), "{word:?} is not in {ran}");
    }
}

#[test]
fn another_package_changes_only_its_own_layer() {
    let debs: Vec<Deb> = (0..6).map(|i| Deb::new(&format!("pkg{i}")).file(&format!("/usr/share/{i}"), "x\n")).collect();
    let diff_ids = |debs: &[Deb]| -> Vec<String> {
        let config = made("", debs, &[]).config;
        let ids = config["rootfs"]["diff_ids"].as_array().unwrap();
        ids.iter().map(|id| id.as_str().unwrap().to_owned()).collect()
    };
    let (before, after) = (diff_ids(&debs[..5]), diff_ids(&debs));
    let new: Vec<_> = after.iter().filter(|id| !before.contains(id)).collect();
    assert_eq!((before.len(), after.len(), new.len()), (6, 7, 1), "{before:?} {after:?}");
}

#[test]
fn the_time_of_the_image_is_the_newest_packages_and_bounds_all_others() {
    let mut far = Entry::file("./usr/share/far", "x");
    far.mtime = 8_000_000_000;
    let made = made("", &[Deb::new("hello").entry(far)], &[]);
    assert_eq!(made.config["created"], "2023-11-14T22:13:20Z");
    let late: BTreeMap<_, _> = made.tree().into_iter().filter(|(_, node)| node.mtime > 1_700_000_000).collect();
    assert!(late.is_empty(), "{late:?}");
}

#[test]
fn a_system_without_identity_is_told() {
    let made = made("", &[Deb::new("hello").file("/usr/bin/hello", "x")], &[]);
    assert!(made.said.contains("/etc/os-release") && made.said.contains("/etc/debian_version"), "{}", made.said);
}
