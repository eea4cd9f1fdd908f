//! The environment, the clock and the terminal: read once, here, and asked from then on.

use std::ffi::OsString;
use std::fmt;
use std::io::IsTerminal as _;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use distil_pipeline::Platform;
use distil_pipeline::signing::Zeroizing;
use rustix::termios::tcgetwinsize;

use crate::failure::Failure;

/// What a command may know of the machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    /// `SOURCE_DATE_EPOCH`.
    pub(crate) epoch: Option<OsString>,
    /// `XDG_CACHE_HOME`.
    pub(crate) xdg_cache_home: Option<OsString>,
    /// `XDG_STATE_HOME`.
    pub(crate) xdg_state_home: Option<OsString>,
    /// `HOME`.
    pub(crate) home: Option<OsString>,
    /// `NO_COLOR`.
    pub(crate) no_color: Option<OsString>,
    /// `http_proxy`. Its form in capitals is not read, since a web server sets that from a header of its clients.
    pub(crate) http_proxy: Option<OsString>,
    /// `https_proxy` or `HTTPS_PROXY`.
    pub(crate) https_proxy: Option<OsString>,
    /// `all_proxy` or `ALL_PROXY`.
    pub(crate) all_proxy: Option<OsString>,
    /// `no_proxy` or `NO_PROXY`.
    pub(crate) no_proxy: Option<OsString>,
    /// `SSL_CERT_FILE`.
    pub(crate) ssl_cert_file: Option<OsString>,
    /// `SSL_CERT_DIR`.
    pub(crate) ssl_cert_dir: Option<OsString>,
    /// `REGISTRY_AUTH_FILE`.
    pub(crate) registry_auth_file: Option<OsString>,
    /// `XDG_RUNTIME_DIR`.
    pub(crate) xdg_runtime_dir: Option<OsString>,
    /// `XDG_CONFIG_HOME`.
    pub(crate) xdg_config_home: Option<OsString>,
    /// `DOCKER_CONFIG`.
    pub(crate) docker_config: Option<OsString>,
    /// `PATH`.
    pub(crate) path: Option<OsString>,
    /// `NETRC`.
    pub(crate) netrc: Option<OsString>,
    /// `COSIGN_PASSWORD`. The empty password is one, too.
    pub(crate) cosign_password: Option<Hidden>,
    /// `COSIGN_PKCS11_PIN`, where it is not empty.
    pub(crate) cosign_pkcs11_pin: Option<Hidden>,
    /// `SIGSTORE_ID_TOKEN`, where it is not empty.
    pub(crate) sigstore_id_token: Option<Hidden>,
    /// `TERM`.
    pub(crate) term: Option<OsString>,
    /// Whether standard output is a terminal.
    pub(crate) stdout_is_terminal: bool,
    /// Whether standard error is a terminal.
    pub(crate) stderr_is_terminal: bool,
    /// Characters of a line of the terminal that standard output is; none where it is none.
    pub(crate) columns: Option<u16>,
    /// Seconds since 1970.
    pub(crate) now: u64,
    /// How many threads can run at once.
    pub(crate) cores: Option<NonZeroUsize>,
}

/// A value that is shown nowhere.
#[derive(Clone)]
pub(crate) struct Hidden(Zeroizing<Vec<u8>>);

impl Hidden {
    pub(crate) fn new(value: Vec<u8>) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The value, to be used.
    pub(crate) fn reveal(&self) -> Zeroizing<Vec<u8>> {
        self.0.clone()
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Environment {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads environment and clock")]
    pub(crate) fn read() -> Self {
        let var = |name: &str| std::env::var_os(name);
        let hidden = |name: &str| var(name).map(|value| Hidden::new(value.into_vec()));
        let stated = |name: &str| hidden(name).filter(|value| !value.reveal().is_empty());
        Self {
            epoch: var("SOURCE_DATE_EPOCH"),
            xdg_cache_home: var("XDG_CACHE_HOME"),
            xdg_state_home: var("XDG_STATE_HOME"),
            home: var("HOME"),
            no_color: var("NO_COLOR"),
            http_proxy: var("http_proxy"),
            https_proxy: var("https_proxy").or_else(|| var("HTTPS_PROXY")),
            all_proxy: var("all_proxy").or_else(|| var("ALL_PROXY")),
            no_proxy: var("no_proxy").or_else(|| var("NO_PROXY")),
            ssl_cert_file: var("SSL_CERT_FILE"),
            ssl_cert_dir: var("SSL_CERT_DIR"),
            registry_auth_file: var("REGISTRY_AUTH_FILE"),
            xdg_runtime_dir: var("XDG_RUNTIME_DIR"),
            xdg_config_home: var("XDG_CONFIG_HOME"),
            docker_config: var("DOCKER_CONFIG"),
            path: var("PATH"),
            netrc: var("NETRC"),
            cosign_password: hidden("COSIGN_PASSWORD"),
            cosign_pkcs11_pin: stated("COSIGN_PKCS11_PIN"),
            sigstore_id_token: stated("SIGSTORE_ID_TOKEN"),
            term: var("TERM"),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            columns: tcgetwinsize(std::io::stdout()).ok().map(|size| size.ws_col).filter(|columns| *columns > 0),
            now: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
            cores: std::thread::available_parallelism().ok(),
        }
    }

    /// Seconds since 1970 at this moment; [`Environment::now`] is of the start of the program.
    #[expect(clippy::disallowed_methods, reason = "when something ended is not known at the start")]
    pub(crate) fn clock() -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        i64::try_from(since).unwrap_or(i64::MAX)
    }

    /// Whether the terminal, where there is one, understands more than lines of text.
    pub(crate) fn is_capable(&self) -> bool {
        self.term.as_ref().is_some_and(|term| term != "dumb" && !term.is_empty())
    }

    /// Whether colours are wanted where nobody said so: see <https://no-color.org>.
    pub(crate) fn wants_color(&self) -> bool {
        self.is_capable() && self.no_color.as_ref().is_none_or(|value| value.is_empty())
    }

    /// The time that `SOURCE_DATE_EPOCH` sets: see <https://reproducible-builds.org/specs/source-date-epoch/>.
    ///
    /// Whatever is not a plain number of the past is refused, since a build that silently takes another time is not
    /// reproducible.
    pub(crate) fn epoch(&self) -> Result<Option<i64>, Failure> {
        let Some(found) = &self.epoch else { return Ok(None) };
        let digits = found.to_str().filter(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()));
        let seconds = digits.and_then(|text| text.parse::<u64>().ok()).filter(|seconds| *seconds <= self.now);
        let seconds = seconds.and_then(|seconds| i64::try_from(seconds).ok());
        seconds.map(Some).ok_or_else(|| Failure::Epoch { found: found.to_string_lossy().into_owned() })
    }

    /// The directory of the cache: the one given, or the one that the [base directory specification] states.
    ///
    /// [base directory specification]: https://specifications.freedesktop.org/basedir-spec/latest/
    pub(crate) fn cache_dir(&self, given: Option<&Path>) -> Result<PathBuf, Failure> {
        let given = given.map(Path::to_owned);
        given.or_else(|| self.base_dir(self.xdg_cache_home.as_ref(), ".cache")).ok_or(Failure::NoCacheDir)
    }

    /// The log of promotions: the file given, or one in the directory of state that the [base directory specification] states.
    ///
    /// [base directory specification]: https://specifications.freedesktop.org/basedir-spec/latest/
    pub(crate) fn promotions(&self, given: Option<&Path>) -> Result<PathBuf, Failure> {
        let in_state = || Some(self.base_dir(self.xdg_state_home.as_ref(), ".local/state")?.join("promotions.jsonl"));
        given.map(Path::to_owned).or_else(in_state).ok_or(Failure::NoStateDir)
    }

    /// The advisory database: the file given, or one in the same directory of state.
    pub(crate) fn advisories(&self, given: Option<&Path>) -> Result<PathBuf, Failure> {
        let in_state = || Some(self.base_dir(self.xdg_state_home.as_ref(), ".local/state")?.join("advisories.redb"));
        given.map(Path::to_owned).or_else(in_state).ok_or(Failure::NoStateDir)
    }

    /// Our own directory below the one that a variable of the base directory specification names, or else in the home.
    fn base_dir(&self, variable: Option<&OsString>, in_home: &str) -> Option<PathBuf> {
        // The specification wants relative paths in its variables ignored.
        let absolute = |value: Option<&OsString>| value.map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || absolute(self.home.as_ref()).map(|home| home.join(in_home));
        absolute(variable).or_else(home).map(|dir| dir.join("distil"))
    }

    /// The platform of this machine, as far as the program knows: the one that it was compiled for.
    pub(crate) fn host() -> Result<Platform, Failure> {
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            "x86" => "386",
            "powerpc64" => "ppc64le",
            "loongarch64" => "loong64",
            other => other,
        };
        Platform::new("linux", architecture, None).map_err(Failure::Host)
    }

    /// How many threads to use: as many as were asked for, or as can run at once.
    pub(crate) fn jobs(&self, given: Option<NonZeroUsize>) -> NonZeroUsize {
        given.or(self.cores).unwrap_or(NonZeroUsize::MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_epoch_is_a_number_of_the_past() {
        let epoch = |text: &str| Environment { epoch: Some(text.into()), now: 1000, ..Environment::default() }.epoch();
        assert_eq!(epoch("0").unwrap(), Some(0));
        assert_eq!(epoch("1000").unwrap(), Some(1000));
        for bad in ["", "1001", "-1", "+1", " 1", "1.0", "0x1", "99999999999999999999", "now"] {
            assert!(matches!(epoch(bad), Err(Failure::Epoch { .. })), "{bad:?}");
        }
        assert_eq!(Environment::default().epoch().unwrap(), None);
    }

    #[test]
    fn the_cache_is_where_the_specification_wants_it() {
        let dir = |xdg: Option<&str>, home: Option<&str>, given: Option<&str>| {
            let (xdg_cache_home, home) = (xdg.map(OsString::from), home.map(OsString::from));
            Environment { xdg_cache_home, home, ..Environment::default() }.cache_dir(given.map(Path::new)).ok()
        };
        let path = |text: &str| Some(PathBuf::from(text));
        assert_eq!(dir(Some("/x"), Some("/h"), Some("g")), path("g"));
        assert_eq!(dir(Some("/x"), Some("/h"), None), path("/x/distil"));
        assert_eq!(dir(Some("x"), Some("/h"), None), path("/h/.cache/distil"));
        assert_eq!(dir(Some(""), None, None), None);
    }

    #[test]
    fn the_log_is_where_state_is_kept() {
        let log = |xdg: Option<&str>, home: Option<&str>, given: Option<&str>| {
            let (xdg_state_home, home) = (xdg.map(OsString::from), home.map(OsString::from));
            Environment { xdg_state_home, home, ..Environment::default() }.promotions(given.map(Path::new)).ok()
        };
        let path = |text: &str| Some(PathBuf::from(text));
        assert_eq!(log(Some("/x"), Some("/h"), Some("g")), path("g"));
        assert_eq!(log(Some("/x"), Some("/h"), None), path("/x/distil/promotions.jsonl"));
        assert_eq!(log(None, Some("/h"), None), path("/h/.local/state/distil/promotions.jsonl"));
        assert_eq!(log(Some("x"), None, None), None);
    }
}
