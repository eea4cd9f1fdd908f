//! Images that start from other images: what of the base stays, what is added, and what does not fit together.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use distil_tests::program::{Ran, folder};
use distil_tests::tar::Entry;
use distil_tests::{Deb, Program, layout, listing, place};
use serde_json::{Value, json};

use crate::example::{self, reference};

/// A folder with a recipe for a base and one for the image on it.
struct Project {
    folder: PathBuf,
    _guard: tempfile::TempDir,
}

const BASE: &str = "[debian]\ndebs = [\"base/*.deb\"]\n";
const APP: &str = "[base]\nimage = \"oci:base.oci:test\"\n[debian]\ndebs = [\"app/*.deb\"]\n";

impl Project {
    fn new() -> Self {
        let (guard, folder) = folder();
        for name in ["base", "app", "files"] {
            fs::create_dir(folder.join(name)).unwrap();
        }
        Self { folder, _guard: guard }
    }

    /// A base of `hello`, and a package `app` for the image on it.
    fn usual() -> Self {
        let project = Self::new().of("base", &hello()).of("app", &app());
        project.base(BASE);
        project
    }

    fn of(self, recipe: &str, deb: &Deb) -> Self {
        assert!(deb.write(&self.folder.join(recipe)).is_file());
        self
    }

    /// Builds a recipe, which lies under `name`, to a layout of that name.
    fn build(&self, name: &str, recipe: &str, options: &[&str]) -> Ran {
        let file = format!("{name}.toml");
        fs::write(self.folder.join(&file), recipe).unwrap();
        let program = Program::distil().args(["build", &file, "--cache-dir", "cache"]).args(options);
        program.arg("-o").arg(format!("oci:{name}.oci:test")).current_dir(&self.folder).run()
    }

    fn base(&self, recipe: &str) {
        let ran = self.build("base", recipe, &[]);
        assert!(ran.status.success(), "{ran}");
    }

    /// Builds the image on the base, which must be valid, have the base's layers below all others, and hold each package
    /// once.
    fn app(&self, recipe: &str) -> layout::Image {
        let ran = self.build("app", recipe, &[]);
        assert!(ran.status.success(), "{ran}");
        let at = self.folder.join("app.oci");
        let ran = Program::distil().arg("validate").arg(reference(&at, "test")).run();
        assert!(ran.status.success(), "{ran}");
        let (base, app) = (self.image("base"), self.image("app"));
        let below = base.manifest["layers"].as_array().unwrap();
        assert_eq!(app.manifest["layers"].as_array().unwrap()[..below.len()], below[..]);
        let history = app.config["history"].as_array().unwrap();
        assert_eq!(history[..below.len()], base.config["history"].as_array().unwrap()[..]);
        assert_eq!(history.len(), app.layers.len());
        let names = self.packages();
        assert!(names.windows(2).all(|two| two[0] < two[1]), "{names:?}");
        app
    }

    /// Wants this exit status, each of these words in the message, and no image.
    fn refused(&self, recipe: &str, status: i32, words: &[&str]) {
        let ran = self.build("app", recipe, &[]).exits(status);
        for word in words {
            assert!(ran.errors().contains(word), "{word:?} is not in: {ran}");
        }
        assert!(!layout::is_finished(&self.folder.join("app.oci")), "left an image: {ran}");
    }

    fn image(&self, name: &str) -> layout::Image {
        layout::image(&self.folder.join(format!("{name}.oci")), "test")
    }

    /// The packages of the image as `inspect` lists them.
    fn packages(&self) -> Vec<String> {
        let image = reference(&self.folder.join("app.oci"), "test");
        let seen = Program::distil().args(["inspect", "--json", &image]).run().success().json();
        let packages = seen["packages"].as_array().unwrap().iter();
        packages.map(|p| format!("{} {}", p["name"].as_str().unwrap(), p["version"].as_str().unwrap())).collect()
    }

    /// The image `app` with all that is said about it but for its provenance, which has the recipe in it.
    fn described(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        layout::but_provenance(&self.folder.join("app.oci"))
    }
}

fn hello() -> Deb {
    Deb::new("hello").file("/usr/bin/hello", "#!/bin/sh\necho hello\n").file("/usr/share/hello/data", "of hello\n")
}

fn app() -> Deb {
    Deb::new("app").file("/usr/bin/app", "#!/bin/sh\nhello\n").file("/lib/app/data", "of app\n")
}

/// A file of the uppermost layer that has it.
fn content(image: &layout::Image, path: &str) -> String {
    let has = |layer: &&PathBuf| listing::of_layer(layer).contains_key(path);
    let layer = image.layers.iter().rev().find(has).unwrap_or_else(|| panic!("no {path}"));
    let plain = Program::new("zstd").arg("-dcq").arg(layer).run().success().stdout;
    Program::new("tar").args(["-xO", "-f", "-", path]).input(plain).run().success().text()
}

/// The paths of the layers that the base does not have, and are no directories.
fn added(project: &Project, image: &layout::Image) -> Vec<String> {
    let below = project.image("base").layers.len();
    let listed = image.layers[below..].iter().flat_map(|layer| listing::of_layer(layer));
    let mut paths: Vec<String> = listed.filter(|(_, node)| node.kind != "d").map(|(path, _)| path).collect();
    paths.sort();
    paths
}

#[test]
fn only_the_difference_is_added() {
    let project = Project::usual();
    let image = project.app(APP);
    assert_eq!(project.packages(), ["app 1.0", "hello 1.0"]);
    assert_eq!(
        added(&project, &image),
        ["usr/bin/app", "usr/lib/app/data", "var/lib/dpkg/status.d/app", "var/lib/dpkg/status.d/app.md5sums"]
    );
    let listed = Program::distil().args(["files", &reference(&project.folder.join("app.oci"), "test")]).run();
    let line = |path: &str| listed.text().lines().find(|line| line.ends_with(path)).unwrap_or_default().to_owned();
    assert!(line("/usr/bin/hello").contains("hello") && line("/usr/bin/app").contains("app"), "{listed}");
}

#[test]
fn a_recipe_that_adds_nothing_gives_no_layer() {
    let project = Project::usual().of("app", &hello());
    fs::remove_file(project.folder.join("app/app_1.0_all.deb")).unwrap();
    let image = project.app(APP);
    assert_eq!(image.layers.len(), project.image("base").layers.len());
    assert_eq!(project.packages(), ["hello 1.0"]);
}

#[test]
fn annotations_name_the_base_by_digest_and_by_what_the_recipe_calls_it() {
    const DIGEST: &str = "org.opencontainers.image.base.digest";
    const NAME: &str = "org.opencontainers.image.base.name";
    let project = Project::usual();
    let base = fs::read(project.folder.join("base.oci/index.json")).unwrap();
    let base: Value = serde_json::from_slice(&base).unwrap();
    let index = &base["manifests"][0]["digest"];
    let manifest = |name: &str| {
        let bytes = fs::read(project.folder.join(name).join("index.json")).unwrap();
        let outer: Value = serde_json::from_slice(&bytes).unwrap();
        let digest = outer["manifests"][0]["digest"].as_str().unwrap().replace(':', "/");
        let bytes = fs::read(project.folder.join(name).join("blobs").join(digest)).unwrap();
        serde_json::from_slice::<Value>(&bytes).unwrap()
    };
    let below = manifest("base.oci")["manifests"][0]["digest"].clone();
    let image = project.app(APP);
    assert_eq!(image.manifest["annotations"], json!({ DIGEST: below }));
    assert_eq!(manifest("app.oci")["annotations"], json!({ DIGEST: index }));
    let named = APP.replace("[debian]", "public-name = \"registry.example.org/team/base:v1\"\n[debian]");
    let image = project.app(&named);
    assert_eq!(image.manifest["annotations"][NAME], "registry.example.org/team/base:v1");
    assert_eq!(manifest("app.oci")["annotations"][NAME], "registry.example.org/team/base:v1");
}

#[test]
fn where_the_base_lies_makes_no_difference() {
    let project = Project::usual();
    let image = |recipe: &str| {
        let _ = fs::remove_dir_all(project.folder.join("app.oci"));
        project.app(recipe);
        project.described()
    };
    let first = image(APP);
    let elsewhere = project.folder.join("elsewhere");
    let copied = Program::new("cp").arg("-a").arg(project.folder.join("base.oci")).arg(&elsewhere).run();
    assert!(copied.status.success(), "{copied}");
    assert!(image(&APP.replace("base.oci", elsewhere.to_str().unwrap())) == first);
    let from = reference(&elsewhere, "test");
    let archived = Program::distil().args(["copy", &from, "oci-archive:base.tar:test"]).current_dir(&project.folder);
    let archived = archived.run();
    assert!(archived.status.success(), "{archived}");
    assert!(image(&APP.replace("oci:base.oci", "oci-archive:base.tar")) == first);
}

#[test]
fn a_docker_archive_can_be_a_base() {
    let project = Project::usual();
    let base = reference(&project.folder.join("base.oci"), "test");
    let saved = Program::distil().args(["copy", &base, "docker-archive:base.tar:a/b:c"]);
    let saved = saved.current_dir(&project.folder).run();
    assert!(saved.status.success(), "{saved}");
    let ran = project.build("app", &APP.replace("oci:base.oci:test", "docker-archive:base.tar:a/b:c"), &[]);
    assert!(ran.status.success(), "{ran}");
    let (base, image) = (project.image("base"), project.image("app"));
    let ids = |image: &layout::Image| image.config["rootfs"]["diff_ids"].as_array().unwrap().clone();
    assert_eq!(ids(&image)[..ids(&base).len()], ids(&base)[..]);
    assert_eq!(image.manifest["layers"][0]["mediaType"], "application/vnd.oci.image.layer.v1.tar");
    assert_eq!(project.packages(), ["app 1.0", "hello 1.0"]);
    // And back into one, which unpacks what was compressed.
    let app = reference(&project.folder.join("app.oci"), "test");
    let copied = Program::distil().args(["copy", &app, "docker-archive:app.tar:a/b:d"]).current_dir(&project.folder);
    let copied = copied.run();
    assert!(copied.status.success(), "{copied}");
    let read = Program::new("skopeo").args(["--insecure-policy", "copy", "docker-archive:app.tar", "dir:dir"]);
    let read = read.current_dir(&project.folder).run();
    assert!(read.status.success(), "{read}");
}

#[test]
fn settings_are_inherited_and_overridden() {
    let project = Project::usual();
    project.base(&format!(
        "{BASE}[image]\nentrypoint = [\"/usr/bin/hello\"]\ncmd = [\"x\"]\nuser = \"root\"\nenv = {{ A = \"1\", B = \"1\" }}\n"
    ));
    let run = |recipe: &str| project.app(recipe).config["config"].clone();
    let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let inherited = json!({"Entrypoint": ["/usr/bin/hello"], "Cmd": ["x"], "User": "0", "Env": ["A=1", "B=1", path]});
    assert_eq!(run(APP), inherited);
    let stated = format!("{APP}[image]\nentrypoint = [\"/usr/bin/app\"]\nuser = \"nonroot\"\nenv = {{ B = \"2\" }}\n");
    assert_eq!(run(&stated), json!({"Entrypoint": ["/usr/bin/app"], "User": "65532", "Env": ["A=1", "B=2", path]}));
}

#[test]
fn who_owns_a_path_is_settled_as_between_packages() {
    const PATH: &str = "/usr/share/hello/data";
    let refused = Project::usual().of("app", &Deb::new("other").file(PATH, "of other\n"));
    refused.refused(APP, 2, &[PATH, "hello of the base", "other"]);
    let same = Project::usual().of("app", &Deb::new("other").file(PATH, "of hello\n").file("/usr/share/x", ""));
    let image = same.app(APP);
    assert!(
        !added(&same, &image).contains(&PATH.trim_start_matches('/').to_owned()),
        "what the base has is not written again"
    );
    let other = Deb::new("other").file(PATH, "of other\n").field("Replaces: hello");
    let replaced = Project::usual().of("app", &other);
    assert_eq!(content(&replaced.app(APP), PATH.trim_start_matches('/')), "of other\n");
    let own = Project::usual();
    fs::write(own.folder.join("x"), "own\n").unwrap();
    let image = own.app(&format!("{APP}[files]\n\"{PATH}\" = {{ source = \"x\" }}\n"));
    assert_eq!(content(&image, PATH.trim_start_matches('/')), "own\n");
}

#[test]
fn links_and_directories_of_the_base_stay() {
    let owned = Entry::directory("./var/cache/hello").mode(0o2750).owned_by(0, 9);
    let base = hello().entry(owned).entry(Entry::symlink("./usr/share/link", "hello"));
    let with = |path: &str| {
        let other = Deb::new("other").entry(Entry::directory(&format!("./{path}"))).file("/var/cache/hello/x", "");
        Project::new().of("base", &base).of("app", &other)
    };
    let project = with("usr/share/link");
    project.base(BASE);
    let image = project.app(APP);
    let node = &listing::of_layers(&image.layers)["var/cache/hello"];
    assert_eq!((node.mode, node.owner), (0o2750, (0, 9)));
    assert_eq!(listing::of_layers(&image.layers)["usr/share/link"].kind, "l");
    let project = with("usr/share/link/below");
    project.base(BASE);
    project.refused(APP, 2, &["/usr/share/link", "hello of the base", "/usr/share/link/below"]);
}

#[test]
fn another_version_of_what_the_base_has_is_refused() {
    let project = Project::usual().of("app", &hello().with("Version", "2.0"));
    project.refused(APP, 2, &["hello", "1.0 all", "2.0 all"]);
}

#[test]
fn records_have_the_form_of_the_base() {
    let project = Project::usual();
    let file = format!("{BASE}database = \"status\"\n");
    project.base(&file);
    let image = project.app(APP);
    assert_eq!(project.packages(), ["app 1.0", "hello 1.0"]);
    assert!(!listing::of_layers(&image.layers).keys().any(|path| path.starts_with("var/lib/dpkg/status.d")));
    // dpkg reads it, too.
    let database = project.folder.join("dpkg");
    fs::create_dir(&database).unwrap();
    fs::write(database.join("status"), content(&image, "var/lib/dpkg/status")).unwrap();
    let asked = Program::new("dpkg-query").arg("--admindir").arg(&database).args([
        "-W",
        "-f",
        "${db:Status-Abbrev}${Package}\n",
    ]);
    let mut lines: Vec<String> = asked.run().success().text().lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["ii app", "ii hello"]);
    fs::remove_dir_all(project.folder.join("app.oci")).unwrap();
    project.refused(&format!("{APP}database = \"status.d\"\n"), 2, &["status.d", "database"]);
    project.base(BASE);
    project.refused(&format!("{APP}database = \"status\"\n"), 2, &["status.d", "database"]);
    project.app(&format!("{APP}database = \"status.d\"\n"));
}

#[test]
fn users_of_the_base_stay_and_new_ones_follow() {
    let project = Project::usual();
    project.base(&format!("{BASE}[users.db]\nuid = 70\n"));
    let image = project.app(&format!("{APP}[users.app]\nuid = 1000\n"));
    let passwd = content(&image, "etc/passwd");
    let names: Vec<&str> = passwd.lines().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(names, ["root", "db", "nonroot", "nobody", "app"]);
    assert!(listing::of_layers(&image.layers).contains_key("home/app"));
    fs::remove_dir_all(project.folder.join("app.oci")).unwrap();
    project.refused(&format!("{APP}[users.app]\nuid = 70\n"), 2, &["app", "70", "db:x:70"]);
}

#[test]
fn new_certificates_join_those_of_the_base() {
    let certificate = |name: &str| {
        Deb::new(name).file(&format!("/usr/share/ca-certificates/{name}.crt"), &format!("the certificate {name}\n"))
    };
    let project = Project::new().of("base", &certificate("one")).of("app", &certificate("two"));
    project.base(BASE);
    let image = project.app(APP);
    assert_eq!(content(&image, "etc/ssl/certs/ca-certificates.crt"), "the certificate one\nthe certificate two\n");
}

#[test]
fn bases_that_are_not_there_are_named_as_the_recipe_names_them() {
    let project = Project::usual();
    let on = |image: &str| APP.replace("oci:base.oci:test", image);
    project.refused(&on("oci:nosuch:test"), 4, &["oci:nosuch:test", "base.image in line 2", "nosuch"]);
    project.refused(&on("oci:base.oci:other"), 2, &["oci:base.oci:other", "test"]);
    // Nobody listens there.
    project.refused(&on("docker://127.0.0.1:1/a:b"), 4, &["docker://127.0.0.1:1/a:b", "base.image in line 2"]);
    let other = format!("platforms = [\"linux/s390x\"]\n{APP}");
    project.refused(&other, 2, &["linux/s390x", "linux/amd64"]);
}

#[test]
fn a_damaged_layer_of_the_base_is_found() {
    let project = Project::usual();
    let layer = project.image("base").layers[0].clone();
    let mut bytes = fs::read(&layer).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&layer, bytes).unwrap();
    project.refused(APP, 4, &[layer.file_name().unwrap().to_str().unwrap()]);
}

#[test]
fn each_platform_has_its_own_base() {
    let project = Project::usual();
    let platforms = "platforms = [\"linux/amd64\", \"linux/arm64\"]\n";
    project.base(&format!("{platforms}{BASE}"));
    let image = |options: &[&str]| {
        let _ = fs::remove_dir_all(project.folder.join("app.oci"));
        let ran = project.build("app", &format!("{platforms}{APP}"), &[&["--json"], options].concat());
        ran.success().json()["images"][0]["platforms"].clone()
    };
    let (both, one) = (image(&[]), image(&["--platform", "linux/arm64"]));
    assert_eq!(both.as_array().unwrap().len(), 2);
    assert_eq!(both[1], one[0], "an image is the same with and without the others");
}

/// What Debian's packages need of a base that a build in one go gives them.
const FIRST: [&str; 6] = ["base-files", "gcc-12-base", "libc6", "libgcc-s1", "netbase", "zlib1g"];

#[test]
fn a_system_is_the_same_in_one_step_and_in_two() {
    let (_guard, folder) = folder();
    let recipe = fs::read_to_string(example::recipe()).unwrap();
    fs::copy(example::recipe().with_file_name("main.py"), folder.join("main.py")).unwrap();
    let all = place::debs("python");
    let name = |deb: &&PathBuf| deb.file_name().unwrap().to_str().unwrap().split('_').next().unwrap().to_owned();
    let first: Vec<&PathBuf> = all.iter().filter(|deb| FIRST.contains(&name(deb).as_str())).collect();
    assert_eq!(first.len(), FIRST.len());
    let build = |name: &str, debs: &[&PathBuf], more: &str| {
        let (head, tail) = recipe.split_once("debs = [").unwrap();
        let (_, tail) = tail.split_once(']').unwrap();
        let text = format!("platforms = [\"linux/amd64\"]\n{head}debs = {debs:?}{tail}\n{more}");
        fs::write(folder.join(format!("{name}.toml")), text).unwrap();
        let ran = Program::distil().args(["build", &format!("{name}.toml"), "--cache-dir", "cache"]);
        let ran = ran.arg("-o").arg(format!("oci:{name}:test")).current_dir(&folder).run();
        assert!(ran.status.success() && !ran.errors().contains("warning"), "{ran}");
        layout::image(&folder.join(name), "test")
    };
    let all: Vec<&PathBuf> = all.iter().collect();
    let whole = build("whole", &all, "");
    let below = build("below", &first, "");
    let above = build("above", &all, "[base]\nimage = \"oci:below:test\"\n");
    assert!(above.layers.len() > below.layers.len());
    let tree = |image: &layout::Image| {
        let mut tree = listing::of_layers(&image.layers);
        for node in tree.values_mut() {
            node.mtime = 0;
        }
        tree
    };
    let (whole, above) = (tree(&whole), tree(&above));
    for (path, node) in &whole {
        assert_eq!(above.get(path), Some(node), "{path}");
    }
    assert_eq!(whole.len(), above.len());
    // podman names the image after the path, in which it takes no capital letters.
    let ran = podman(&folder, "oci:above:test");
    assert_eq!(ran.text(), "hello\n", "{ran}");
    let copy = format!("oci:{}", folder.join("copy").display());
    let copied =
        Program::new("skopeo").args(["--insecure-policy", "copy", &reference(&folder.join("above"), "test"), &copy]);
    let copied = copied.run();
    assert!(copied.status.success(), "{copied}");
}

/// Runs an image in a store of its own, without a network.
fn podman(folder: &Path, image: &str) -> Ran {
    let program =
        Program::new("podman").arg("--root").arg(folder.join("root")).arg("--runroot").arg(folder.join("run"));
    let program = program.args(["--runtime", "runc", "run", "--rm", "--network", "none"]);
    program.args(["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", image]).current_dir(folder).run()
}
