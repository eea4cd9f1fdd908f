//! The trusted root of a TUF repository that the reference implementation made, and of repositories that lie.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use distil_tests::http::{Lie, Server};
use distil_tests::program::Ran;
use distil_tests::{Program, place};
use tempfile::TempDir;

/// Repositories at several times, of which a server shows one at a time.
struct Shown {
    dir: TempDir,
    server: Server,
}

/// Two trusted roots, of which the second differs from the first by its end of line alone.
fn trusted_roots() -> [Vec<u8>; 2] {
    let file = place::root().join("crates/signing/tests/data/vectors/trust/trusted_root.json");
    let first = fs::read(file).unwrap();
    let second = [&first[..], b"\n"].concat();
    [first, second]
}

impl Shown {
    fn make(steps: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let [first, second] = trusted_roots();
        fs::write(dir.path().join("first"), first).unwrap();
        fs::write(dir.path().join("second"), second).unwrap();
        fs::write(dir.path().join("none"), "{}").unwrap();
        let _ = Program::new("tuf-repository").current_dir(dir.path()).arg("states").args(steps).run().success();
        fs::create_dir(dir.path().join("served")).unwrap();
        let server = Server::start(&dir.path().join("served"));
        Self { dir, server }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn show(&self, state: &str) -> &Self {
        let link = self.path("served/tuf");
        let _ = fs::remove_file(&link);
        symlink(self.path("states").join(state), link).unwrap();
        self
    }

    /// Asks with a cache of this name, starting from the first root.
    fn ask(&self, cache: &str) -> Ran {
        let mut command = Program::distil().args(["--json", "--cache-dir"]).arg(self.path(cache));
        command = command.args(["trusted-root", "--mirror", &format!("http://127.0.0.1:{}/tuf", self.server.port())]);
        command.arg("--root").arg(self.path("states/first/1.root.json")).arg("-o").arg(self.path("out")).run()
    }

    fn written(&self) -> Option<Vec<u8>> {
        fs::read(self.path("out")).ok()
    }
}

#[test]
fn the_present_trusted_root_is_fetched() {
    let [first, second] = trusted_roots();
    let shown = Shown::make(&["publish=first", "save=first", "rotate", "publish=second", "rotate", "save=second"]);
    let document = shown.show("first").ask("cache").success().json();
    assert_eq!(shown.written().unwrap(), first);
    assert_eq!(document["root-version"], 1);
    assert!(document["valid-until"].as_str().unwrap().ends_with('Z'), "{document}");
    // Again, when nothing has changed; then over two new roots at once.
    let _ = shown.ask("cache").success();
    assert_eq!(shown.written().unwrap(), first);
    let document = shown.show("second").ask("cache").success().json();
    assert_eq!((shown.written().unwrap(), &document["root-version"]), (second.clone(), &3.into()));
    // What was seen by nobody here is accepted, and by whoever has seen more refused.
    let refused = shown.show("first").ask("cache").exits(4);
    assert!(refused.errors().contains("rollback"), "{}", refused.errors());
    assert_eq!(shown.written().unwrap(), second);
    let _ = shown.ask("another-cache").success();
    assert_eq!(shown.written().unwrap(), first);
}

#[test]
fn a_repository_that_does_not_hold_is_refused() {
    let shown = Shown::make(&[
        "publish=first",
        "save=first",
        "publish=second",
        "swap=first",
        "save=swapped",
        "publish=none",
        "save=useless",
        "publish=second",
        "lapse",
        "save=lapsed",
        "usurp",
        "save=usurped",
    ]);
    for (state, why) in [
        ("swapped", "integrity check failed"),
        ("useless", "trusted_root.json cannot be used"),
        ("lapsed", "timestamp metadata expired"),
        ("usurped", "signature threshold not met"),
    ] {
        let refused = shown.show(state).ask(state).exits(4);
        assert!(refused.errors().contains(why), "{state}: {}", refused.errors());
        assert_eq!(shown.written(), None, "{state}");
    }
    // A root that was not signed by those who vouch for the next one.
    let other = Shown::make(&["publish=first", "save=first", "rotate", "publish=second", "save=second"]);
    fs::copy(other.path("states/first/1.root.json"), shown.path("states/first/1.root.json")).unwrap();
    let refused = shown.show("lapsed").ask("other").exits(4);
    assert!(refused.errors().contains("timestamp"), "{}", refused.errors());
    fs::write(shown.path("states/first/1.root.json"), "{}").unwrap();
    let refused = shown.show("first").ask("none").exits(2);
    assert!(refused.errors().contains("is not the root of a TUF repository"), "{}", refused.errors());
    assert_eq!(shown.written(), None);
}

#[test]
fn a_server_that_fails_leaves_the_file() {
    let [first, _] = trusted_roots();
    let shown = Shown::make(&["publish=first", "save=first"]);
    let _ = shown.show("first").ask("cache").success();
    shown.server.lie("/tuf/timestamp.json", Lie::Endless);
    let _ = shown.ask("cache").exits(4);
    shown.server.lie("/tuf/timestamp.json", Lie::Status(404, None));
    let refused = shown.ask("cache").exits(4);
    assert!(refused.errors().contains("timestamp.json not found"), "{}", refused.errors());
    assert_eq!(shown.written().unwrap(), first);
    let offline = Program::distil().args(["--offline", "trusted-root", "-o"]).arg(shown.path("out")).run().exits(4);
    assert!(offline.errors().contains("without the network"), "{}", offline.errors());
    let url = Program::distil().args(["trusted-root", "--mirror", "tuf", "-o"]).arg(shown.path("out")).run().exits(2);
    assert!(url.errors().contains("is not the URL of a TUF repository"), "{}", url.errors());
    assert_eq!(shown.written().unwrap(), first);
}
