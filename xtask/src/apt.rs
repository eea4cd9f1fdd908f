//! This machine's apt, with lists and caches of our own under `target/`, so that no root is needed and nothing on the
//! machine changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::error::{Error, Result, at};
use crate::process;

/// Package lists older than this are fetched again.
const FRESH: Duration = Duration::from_hours(24);
/// Debian's own keys, which sign every suite of the main archive.
const DEBIAN_KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// One configuration of apt: which sources, and where the lists lie.
pub(crate) struct Apt {
    folder: PathBuf,
    config: PathBuf,
}

/// A package file as the signed index describes it.
#[derive(Debug, Clone)]
pub(crate) struct Remote {
    /// The name under which apt saves it.
    pub(crate) file: String,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// Its SHA-256, in hexadecimal.
    pub(crate) sha256: String,
}

impl Apt {
    /// The sources and keyrings of this machine.
    pub(crate) fn host(root: &Path) -> Result<Self> {
        Self::new(root.join("target/apt/host"), "")
    }

    /// One suite of the main Debian archive, from wherever this machine's sources take it, by Debian's own keys.
    pub(crate) fn suite(root: &Path, suite: &str) -> Result<Self> {
        let folder = root.join("target/apt").join(suite);
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        let repositories = process::read(Command::new("apt-get").args(["indextargets", "--format", "$(REPO_URI)"]))?;
        let archive = repositories.lines().map(|uri| uri.trim_end_matches('/')).find(|uri| uri.ends_with("/debian"));
        let archive = archive.ok_or(Error::NoArchive)?;
        let list = folder.join("sources.list");
        let source = format!("deb [signed-by={DEBIAN_KEYRING}] {archive} {suite} main\n");
        fs::write(&list, source).map_err(at(&list))?;
        let list = list.display();
        Self::new(folder, &format!("Dir::Etc::SourceList \"{list}\";\nDir::Etc::SourceParts \"/dev/null\";\n"))
    }

    fn new(folder: PathBuf, sources: &str) -> Result<Self> {
        for below in ["lists/partial", "cache/archives/partial"] {
            let path = folder.join(below);
            fs::create_dir_all(&path).map_err(at(path))?;
        }
        let status = folder.join("status");
        fs::write(&status, "").map_err(at(&status))?;
        let config = folder.join("apt.conf");
        // Read after the machine's own configuration, whose proxies and certificates stay in force. Hooks are dropped,
        // lists are kept uncompressed since tests read them, and the empty status keeps what is installed here from
        // having a say in what is downloaded.
        let text = format!(
            "#clear APT::Update::Post-Invoke;\n#clear APT::Update::Post-Invoke-Success;\n#clear APT::Update::Pre-Invoke;\n\
             Dir::State::Lists \"{0}/lists\";\nDir::State::Status \"{0}/status\";\nDir::Cache \"{0}/cache\";\n\
             Acquire::GzipIndexes \"false\";\nAcquire::Languages {{ \"none\"; }};\nAcquire::Retries \"3\";\n\
             Acquire::IndexTargets::deb::DEP-11::DefaultEnabled \"false\";\n\
             APT::Sandbox::User \"root\";\nAPT::Get::List-Cleanup \"true\";\n{sources}",
            folder.display()
        );
        fs::write(&config, text).map_err(at(&config))?;
        Ok(Self { folder, config })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.arg("-qq").arg("-c").arg(&self.config).env("LC_ALL", "C.UTF-8");
        command
    }

    /// Fetches the package lists where there are none, or none of the last day.
    pub(crate) fn refresh(&self) -> Result<()> {
        let fetched = fs::metadata(self.stamp()).and_then(|m| m.modified());
        let age = fetched.ok().and_then(|time| SystemTime::now().duration_since(time).ok());
        if age.is_none_or(|age| age > FRESH) { self.update() } else { Ok(()) }
    }

    /// Fetches the package lists.
    pub(crate) fn update(&self) -> Result<()> {
        // Any list that cannot be had is an error: with a part of the lists, the choice of versions would differ.
        process::run(self.command("apt-get").args(["-o", "APT::Update::Error-Mode=any", "update"]))?;
        fs::write(self.stamp(), "").map_err(at(self.stamp()))
    }

    fn stamp(&self) -> PathBuf {
        self.folder.join("updated")
    }

    /// Every uncompressed `Packages` file.
    pub(crate) fn indices(&self) -> Result<Vec<String>> {
        let files = process::read(self.command("apt-get").args([
            "indextargets",
            "--format",
            "$(FILENAME)",
            "Created-By: Packages",
        ]))?;
        files.lines().map(|file| fs::read_to_string(file).map_err(at(file))).collect()
    }

    /// What the signed lists say about packages, in the order of the file names.
    pub(crate) fn describe(&self, names: &[String]) -> Result<Vec<Remote>> {
        let lines = process::read(self.command("apt-get").args(["download", "--print-uris"]).args(names))?;
        let mut remotes = lines.lines().map(Remote::parse).collect::<Result<Vec<_>>>()?;
        remotes.sort_by(|a, b| a.file.cmp(&b.file));
        Ok(remotes)
    }

    /// The command that says what apt would install on an empty system. Its cache of the lists is kept, which the
    /// machine's own configuration may have off.
    pub(crate) fn simulation(&self, package: &str) -> String {
        format!(
            "apt-get -qq -c {} -o Dir::Cache::pkgcache=pkgcache.bin -o Dir::Cache::srcpkgcache=srcpkgcache.bin \
             -s install --no-install-recommends {package}",
            self.config.display()
        )
    }

    /// Downloads packages into a folder; apt checks them against the signed lists.
    pub(crate) fn download(&self, names: &[String], into: &Path) -> Result<()> {
        process::run(self.command("apt-get").arg("download").args(names).current_dir(into))
    }
}

impl Remote {
    /// Reads a line of `--print-uris`: `'URI' FILE SIZE SHA256:HEX`.
    fn parse(line: &str) -> Result<Self> {
        let mut words = line.rsplit(' ');
        let sha256 = words.next().and_then(|word| word.strip_prefix("SHA256:"));
        let size = words.next().and_then(|word| word.parse().ok());
        match (sha256, size, words.next()) {
            (Some(sha256), Some(size), Some(file)) if !file.contains('/') => {
                Ok(Self { file: file.to_owned(), size, sha256: sha256.to_owned() })
            }
            _ => Err(Error::Output { program: "apt-get download --print-uris", line: line.to_owned() }),
        }
    }

    /// The package's name: what precedes the first underscore, which names cannot hold.
    pub(crate) fn package(&self) -> &str {
        self.file.split('_').next().unwrap_or_default()
    }
}
