//! A recipe, the repository that its packages come from, and what distil says to them.

use std::fs;
use std::path::{Path, PathBuf};

use distil_tests::apt::sha256;
use distil_tests::http::Server;
use distil_tests::program::{Ran, folder};
use distil_tests::{Deb, Program, Repository, Signer, layout};

use crate::example::reference;

/// A folder with a recipe, a keyring, a cache of its own, and a published repository.
pub(crate) struct Project {
    pub(crate) folder: PathBuf,
    pub(crate) signer: Signer,
    /// The file with the public key of the signer, which recipes name.
    pub(crate) keyring: PathBuf,
    _guard: tempfile::TempDir,
}

impl Project {
    /// Publishes the repository; there is no recipe yet.
    pub(crate) fn new(repository: &Repository) -> Self {
        let (guard, folder) = folder();
        let signer = Signer::new();
        let keyring = signer.write(&folder);
        let project = Self { folder, signer, keyring, _guard: guard };
        project.publish(repository);
        project
    }

    /// Publishes what the repository is now.
    pub(crate) fn publish(&self, repository: &Repository) {
        repository.publish(&self.repository(), &self.signer);
    }

    /// Where the repository lies.
    pub(crate) fn repository(&self) -> PathBuf {
        self.folder.join("repository")
    }

    /// A web server for the repository.
    pub(crate) fn serve(&self) -> Server {
        Server::start(&self.repository())
    }

    /// Writes a recipe for these packages of the suite `test`, from these mirrors.
    pub(crate) fn recipe(&self, mirrors: &[&str], packages: &[&str]) {
        self.write_recipe(packages, &format!("uris = {mirrors:?}\nsuites = [\"test\"]\ncomponents = [\"main\"]"));
    }

    /// Writes a recipe for these packages of a source, but for its `signed-by`.
    pub(crate) fn write_recipe(&self, packages: &[&str], source: &str) {
        let recipe =
            format!("[debian]\npackages = {packages:?}\n\n[[debian.sources]]\n{source}\nsigned-by = \"keyring.gpg\"\n");
        fs::write(self.folder.join("distil.toml"), recipe).unwrap();
    }

    /// The lock, as it is.
    pub(crate) fn lock(&self) -> String {
        fs::read_to_string(self.folder.join("distil.lock")).unwrap()
    }

    /// Runs distil in the folder, with the project's cache.
    pub(crate) fn distil(&self, words: &[&str]) -> Ran {
        let program = Program::distil().args(words).arg("--cache-dir").arg(self.cache());
        program.current_dir(&self.folder).run()
    }

    /// Builds to `layout:test` with these options more, and gives the report with the exit status unjudged.
    pub(crate) fn build(&self, options: &[&str]) -> Ran {
        let layout = reference(&self.layout(), "test");
        self.distil(&[&["build", "--json", "-o", &layout], options].concat())
    }

    /// Builds and gives the digest of the image.
    pub(crate) fn built(&self, options: &[&str]) -> String {
        digest(&self.build(options).success())
    }

    /// Builds and wants this exit status, each of these words in the message, and no image.
    pub(crate) fn refused(&self, options: &[&str], status: i32, words: &[&str]) {
        let ran = self.build(options).exits(status);
        let said = ran.errors();
        for word in words {
            assert!(said.contains(word), "{word:?} is not in: {ran}");
        }
        assert!(!layout::is_finished(&self.layout()), "left an image: {ran}");
        self.check_cache();
    }

    /// The layout that images are built into.
    pub(crate) fn layout(&self) -> PathBuf {
        self.folder.join("layout")
    }

    /// The cache of this project alone.
    pub(crate) fn cache(&self) -> PathBuf {
        self.folder.join("cache")
    }

    /// Forgets what was built and cached, as on another machine.
    pub(crate) fn forget(&self) {
        for folder in [self.layout(), self.cache()].iter().filter(|folder| folder.exists()) {
            fs::remove_dir_all(folder).unwrap();
        }
    }

    /// Fails the test where the cache holds something partial: content that its name does not fit, or leftovers of the
    /// process that wrote it.
    pub(crate) fn check_cache(&self) {
        let cache = self.cache();
        if !cache.exists() {
            return;
        }
        for (path, bytes) in layout::files(&cache) {
            let name = path.file_name().unwrap().to_str().unwrap();
            let content = path.starts_with("content") && name.len() == 64;
            assert!(!content || sha256(&bytes) == name, "{} holds something else", path.display());
            let partial =
                !content && !bytes.is_empty() && !path.starts_with("values") && !path.starts_with("fragments");
            assert!(!partial, "{} was left behind", path.display());
        }
    }
}

/// The digest that a build reports.
pub(crate) fn digest(ran: &Ran) -> String {
    ran.json()["images"][0]["digest"].as_str().unwrap_or_else(|| panic!("no digest: {ran}")).to_owned()
}

/// A package of a version with one file that says which.
pub(crate) fn package(name: &str, version: &str) -> Deb {
    Deb::new(name).with("Version", version).file(&format!("/usr/share/{name}"), &format!("{name} {version}\n"))
}

/// The repository of most tests: `app`, which needs `lib`, and `other`, which needs nothing.
pub(crate) fn repository() -> Repository {
    Repository::new("test")
        .with(package("app", "1.0").field("Depends: lib (>= 1.0)"))
        .with(package("lib", "1.0"))
        .with(package("other", "1.0"))
}

/// The path of a package of the repository, as servers see it.
pub(crate) fn pool(name: &str, version: &str) -> String {
    format!("/pool/main/{name}/{name}_{version}_all.deb")
}

/// `file:` and a folder.
pub(crate) fn file_url(folder: &Path) -> String {
    format!("file://{}", folder.display())
}
