//! Every kind of layer is unpacked alike by the tools that people have: modes, owners and times of directories, which come
//! last in a layer, among them.

use std::fs;
use std::path::{Path, PathBuf};

use distil_tests::listing::{self, Listing, Node};
use distil_tests::program::folder;
use distil_tests::tar::Entry;
use distil_tests::{Deb, Program, layout};

use crate::example::{folder_of_this_run, reference};

const STRATEGIES: [&str; 3] = ["single", "package", "origin"];

/// What is hard to get right: directories that a reader must not lock itself out of, or whose time it must set again after
/// files came into them, in several layers; links, long names, and a file of several parts.
fn packages() -> Vec<Deb> {
    let deep = format!("/usr/share/alpha/{}/{}", "d".repeat(120), "n".repeat(120));
    let many = |n: usize| format!("line {n}\n").repeat(600_000 / n);
    let alpha = with_shared_directories(Deb::new("alpha"))
        .file("/srv/sealed/alpha", "sealed\n")
        .file("/var/lib/alpha/secret", "secret\n")
        .entry(Entry::file("./usr/bin/alpha", "#!/bin/sh\n").mode(0o4755))
        .entry(Entry::hardlink("./usr/bin/alpha-too", "./usr/bin/alpha").mode(0o4755))
        .entry(Entry::symlink("./usr/share/alpha/here", "../../bin/alpha"))
        .entry(Entry::symlink("./usr/share/alpha/nowhere", &"x/".repeat(80)))
        .file(&deep, "deep\n")
        .file("/usr/share/alpha/empty", "")
        .file("/usr/share/alpha/large", &many(1));
    let beta = with_shared_directories(Deb::new("beta").field("Source: alpha"))
        .file("/srv/sealed/beta", "sealed\n")
        .file("/var/lib/alpha/beta", "beta\n")
        .entry(Entry::file("./srv/drop/beta", "beta\n").owned_by(33, 33).mode(0o660))
        .file("/usr/share/beta/large", &many(2));
    let mut tool = Deb::new("tool").compressed("xz");
    let program = fs::read("/sbin/ldconfig").unwrap();
    tool = tool.entry(Entry { content: program, ..Entry::file("./usr/sbin/tool", "").mode(0o755) });
    tool.data.iter_mut().for_each(|entry| entry.mtime -= 1_000_000);
    vec![alpha, beta, tool]
}

/// Directories that two packages ship alike.
fn with_shared_directories(deb: Deb) -> Deb {
    deb.entry(Entry::directory("./tmp").mode(0o1777))
        .entry(Entry::directory("./var/lib/alpha").mode(0o700))
        .entry(Entry::directory("./srv/drop").mode(0o2775).owned_by(0, 33))
        .entry(Entry::directory("./srv/sealed").mode(0o555))
}

fn recipe(strategy: &str, compression: &str) -> String {
    format!(
        "[debian]\ndebs = [\"*.deb\"]\n\n[image]\nentrypoint = [\"/usr/sbin/tool\", \"--version\"]\n\n\
         [files]\n\"/var/lib/app\" = {{ directory = true, mode = \"0750\", owner = \"nonroot:nonroot\" }}\n\
         \"/srv/drop/own\" = {{ source = \"own\", mode = \"0600\", owner = \"33:33\" }}\n\n\
         [layers]\nstrategy = \"{strategy}\"\ncompression = \"{compression}\"\n"
    )
}

/// An image of one kind, and what is in it.
struct Built {
    layout: PathBuf,
    tree: Listing,
    folder: PathBuf,
}

impl Drop for Built {
    fn drop(&mut self) {
        // What a test leaves goes with the next run.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Built {
    /// `test` keeps what tests make apart. Names are in lower case, or podman takes no layout by them.
    fn new(test: &str, strategy: &str, compression: &str) -> Self {
        let folder = folder_of_this_run().join(format!("layers-{test}-{strategy}-{compression}"));
        fs::create_dir(&folder).unwrap();
        for deb in packages() {
            assert!(deb.write(&folder).is_file());
        }
        fs::write(folder.join("own"), "own\n").unwrap();
        fs::write(folder.join("distil.toml"), recipe(strategy, compression)).unwrap();
        let layout = folder.join("layout");
        let program = Program::distil().arg("build").arg("--cache-dir").arg(folder.join("cache"));
        let ran = program.arg("-o").arg(reference(&layout, "test")).current_dir(&folder).run();
        assert!(ran.status.success(), "{ran}");
        let tree = listing::of_layers(&layout::image(&layout, "test").layers);
        Self { layout, tree, folder }
    }

    fn reference(&self) -> String {
        reference(&self.layout, "test")
    }

    /// Compares what a tool made of the image with what is in it.
    fn check(&self, tool: &str, found: &Listing) {
        for (path, node) in &self.tree {
            assert_eq!(found.get(path), Some(node), "{tool} on /{path}");
        }
        let more: Vec<_> = found.keys().filter(|path| !self.tree.contains_key(*path)).collect();
        assert!(more.iter().all(|path| path.is_empty()), "{tool} has more: {more:?}");
    }

    fn check_all(&self) {
        self.check_listed();
        self.check_tar();
        self.check_containerd();
        self.check_umoci();
        self.check_crane();
        self.check_skopeo();
        self.check_podman();
    }

    /// `distil files` says the same as Python's tarfile.
    fn check_listed(&self) {
        let ran = Program::distil().args(["files", "--json", &self.reference()]).run().success();
        let listed = ran.json();
        let files = listed["files"].as_array().unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        for file in files {
            let path = text(&file["path"]);
            let Some(node) = self.tree.get(path.trim_start_matches('/')) else { panic!("no {path} but in {file}") };
            let kind = match node.kind.as_str() {
                "d" => "directory",
                "l" => "symbolic link",
                _ if file["kind"] == "hard link" && !node.names.is_empty() => "hard link",
                _ => "file",
            };
            assert_eq!(file["kind"], kind, "{path}");
            let owner = (file["uid"].as_u64().unwrap(), file["gid"].as_u64().unwrap());
            assert_eq!((owner, file["mtime"].as_i64()), (node.owner, Some(node.mtime)), "{path}");
            assert_eq!(u64::from_str_radix(&text(&file["mode"]), 8), Ok(node.mode), "{path}");
            assert!(kind != "symbolic link" || text(&file["target"]) == node.content, "{path}");
        }
        let paths = files.iter().map(|file| text(&file["path"]).trim_start_matches('/').to_owned());
        assert_eq!(paths.collect::<Vec<_>>(), self.tree.keys().cloned().collect::<Vec<_>>());
    }

    /// GNU tar, layer by layer into one folder. It makes links that lead upwards at the very end, unless it is told to trust
    /// the archive, and then forgets the time of their directory where that came after them.
    fn check_tar(&self) {
        let root = self.empty("tar");
        for layer in layout::image(&self.layout, "test").layers {
            let program = Program::new("tar").arg("--extract").arg("--file").arg(layer).arg("--directory").arg(&root);
            let ran = program.args(["--numeric-owner", "--preserve-permissions", "--absolute-names"]).run();
            assert!(ran.status.success() && ran.stderr.is_empty(), "{ran}");
        }
        self.check("tar", &of_folder(&root));
    }

    /// The package of containerd that unpacks layers for all its snapshotters.
    fn check_containerd(&self) {
        let root = self.empty("containerd");
        for layer in layout::image(&self.layout, "test").layers {
            let ran = Program::new("readers").arg("containerd-apply").arg(layer).arg(&root).run();
            assert!(ran.status.success(), "{ran}");
        }
        self.check("containerd", &of_folder(&root));
    }

    fn check_umoci(&self) {
        let bundle = self.folder.join("umoci");
        let image = format!("{}:test", self.layout.display());
        let ran = Program::new("umoci").args(["unpack", "--image", &image]).arg(&bundle).run();
        assert!(ran.status.success(), "{ran}");
        self.check("umoci", &of_folder(&bundle.join("rootfs")));
    }

    /// crane exports images of `docker save` alone.
    fn check_crane(&self) {
        let archive = self.folder.join("crane.tar");
        let ran = Program::distil().args(["copy", &self.reference()]).arg(docker(&archive)).run();
        assert!(ran.status.success(), "{ran}");
        let ran = Program::new("crane").args(["validate", "--tarball"]).arg(&archive).run();
        assert!(ran.status.success(), "{ran}");
        let bytes = fs::read(&archive).unwrap();
        let ran = Program::new("crane").args(["export", "-", "-"]).input(bytes).run().success();
        self.check("crane", &listing::of_tar(ran.stdout));
    }

    /// skopeo reads every blob and compares it with its digest; what it writes in another form still is the image.
    fn check_skopeo(&self) {
        let skopeo = |from: &str, to: &str, options: &[&str]| {
            let program = Program::new("skopeo").args(["--insecure-policy", "copy"]).args(options);
            let ran = program.args([from, to]).run();
            assert!(ran.status.success(), "{ran}");
        };
        let copy = reference(&self.folder.join("skopeo"), "test");
        skopeo(&self.reference(), &copy, &["--all"]);
        let ran = Program::distil().args(["validate", &copy]).run();
        assert!(ran.status.success(), "{ran}");
        let plain = self.folder.join("plain");
        skopeo(&self.reference(), &format!("dir:{}", plain.display()), &["--dest-decompress"]);
        let manifest = fs::read(plain.join("manifest.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        let digests = manifest["layers"].as_array().unwrap().iter().map(|layer| layer["digest"].as_str().unwrap());
        let layers: Vec<PathBuf> = digests.map(|digest| plain.join(digest.split_once(':').unwrap().1)).collect();
        self.check("skopeo", &listing::of_layers(&layers));
    }

    /// podman imports the image, runs it, and mounts it.
    fn check_podman(&self) {
        // The path of its store must not be long.
        let (_guard, store) = folder();
        let said = self.folder.join("said");
        let line = "set -e\n\
                    p() { podman --root \"$store/root\" --runroot \"$store/run\" --runtime runc \"$@\"; }\n\
                    id=$(p pull --quiet \"$image\")\n\
                    p run --rm --network none --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 \"$id\" >\"$said\"\n\
                    mounted=$(p image mount \"$id\")\n\
                    tar --create --numeric-owner --format=gnu --directory \"$mounted\" .\n\
                    p image unmount \"$id\" >/dev/null";
        let program = Program::new("sh").args(["-c", line]).env("store", &store).env("said", &said);
        let ran = program.env("image", self.reference()).run();
        assert!(ran.status.success(), "{ran}");
        assert!(fs::read_to_string(said).unwrap().starts_with("ldconfig "), "{ran}");
        self.check("podman", &listing::of_tar(ran.stdout));
    }

    fn empty(&self, name: &str) -> PathBuf {
        let root = self.folder.join(name);
        fs::create_dir(&root).unwrap();
        root
    }
}

fn docker(archive: &Path) -> String {
    format!("docker-archive:{}:example.org/test:test", archive.display())
}

/// What is in a folder, by the archive that GNU tar makes of it.
fn of_folder(root: &Path) -> Listing {
    let program = Program::new("tar").args(["--create", "--numeric-owner", "--format=gnu", "--directory"]).arg(root);
    listing::of_tar(program.arg(".").run().success().stdout)
}

fn check(compression: &str, strategies: &[&str]) {
    for strategy in strategies {
        Built::new("read", strategy, compression).check_all();
    }
}

#[test]
fn plain_layers_are_read_alike() {
    check("none", &STRATEGIES);
}

#[test]
fn gzip_layers_are_read_alike() {
    check("gzip", &STRATEGIES);
}

#[test]
fn zstd_layers_are_read_alike() {
    check("zstd", &STRATEGIES);
}

/// To whoever does not look for their tables, these are gzip and zstd.
#[test]
fn layers_with_tables_are_read_alike() {
    check("estargz", &["package"]);
    check("zstd-chunked", &["package"]);
}

#[test]
fn directories_are_the_images_whichever_layer_they_are_in() {
    let trees = STRATEGIES.map(|strategy| Built::new("directories", strategy, "none").tree.clone());
    let shown = |tree: &Listing| -> Vec<(String, Node)> {
        // The time of a directory is that of its layer.
        let timeless = |node: &Node| Node { mtime: if node.kind == "d" { 0 } else { node.mtime }, ..node.clone() };
        tree.iter().map(|(path, node)| (path.clone(), timeless(node))).collect()
    };
    assert_eq!(shown(&trees[0]), shown(&trees[1]));
    assert_eq!(shown(&trees[0]), shown(&trees[2]));
    let directory = |path: &str| (trees[1][path].mode, trees[1][path].owner);
    assert_eq!(directory("tmp"), (0o1777, (0, 0)));
    assert_eq!(directory("var/lib/alpha"), (0o700, (0, 0)));
    assert_eq!(directory("srv/drop"), (0o2775, (0, 33)));
    assert_eq!(directory("srv/sealed"), (0o555, (0, 0)));
    assert_eq!(directory("var/lib/app"), (0o750, (65532, 65532)));
}
