//! The options of commands that take references to images, and what they may know of machine and network for it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use distil_pipeline::{Authorities, Machine};

use crate::arguments::Global;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::keychain::AuthFiles;

/// Options of commands that take references to images.
#[derive(Debug, Default, Args)]
pub(crate) struct Registries {
    /// Speak plain HTTP to registries, also to those that are not on this machine
    #[arg(long, help_heading = REGISTRIES)]
    insecure_http: bool,
    /// Look here for certificates of registries, in directories named HOST or HOST:PORT
    #[arg(long, value_name = "DIR", help_heading = REGISTRIES)]
    cert_dir: Option<PathBuf>,
    /// Tell the login to this token server, where a registry on another host names it; may be repeated
    #[arg(long = "token-server", value_name = "HOST[:PORT]", help_heading = REGISTRIES)]
    token_servers: Vec<String>,
    /// Read logins from this file, in the form of podman and docker
    #[arg(long, value_name = "FILE", help_heading = REGISTRIES)]
    authfile: Option<PathBuf>,
}

const REGISTRIES: &str = "Registries";

impl Registries {
    /// What the command may know of the machine and the network.
    pub(crate) fn machine(self, global: &Global, environment: &Environment) -> Result<Machine, Failure> {
        let text = |value: &Option<OsString>| {
            value.as_ref().map(|value| value.to_string_lossy().into_owned()).filter(|value| !value.is_empty())
        };
        let files = path(environment.ssl_cert_file.as_ref()).into_iter().collect::<Vec<_>>();
        let directories = environment.ssl_cert_dir.as_ref().map(paths).unwrap_or_default();
        let home = path(environment.home.as_ref()).filter(|home| home.is_absolute());
        let netrc = path(environment.netrc.as_ref()).or_else(|| home.map(|home| home.join(".netrc")));
        if let Some(path) = self.cert_dir.as_ref().filter(|path| !path.is_dir()) {
            return Err(Failure::NoCertificates { path: path.clone() });
        }
        Ok(Machine {
            offline: global.offline,
            http_proxy: text(&environment.http_proxy).or_else(|| text(&environment.all_proxy)),
            https_proxy: text(&environment.https_proxy).or_else(|| text(&environment.all_proxy)),
            no_proxy: text(&environment.no_proxy),
            // A directory beside a file that has all certificates only costs time.
            authorities: match (files.is_empty(), directories.is_empty()) {
                (true, true) => Authorities::System,
                (false, _) => Authorities::Named { files, directories: Vec::new() },
                (true, false) => Authorities::Named { files, directories },
            },
            netrc: netrc.into_iter().collect(),
            keychain: Arc::new(AuthFiles::new(self.authfile, environment)),
            insecure_http: self.insecure_http,
            token_servers: self.token_servers,
            certificates: self.cert_dir.into_iter().chain(certificates(environment)).collect(),
            ..Machine::new(i64::try_from(environment.now).unwrap_or(i64::MAX))
        })
    }
}

/// Where podman and docker look for certificates of registries.
fn certificates(environment: &Environment) -> Vec<PathBuf> {
    let absolute = |value: &Option<OsString>| path(value.as_ref()).filter(|path| path.is_absolute());
    let in_home = || absolute(&environment.home).map(|home| home.join(".config"));
    let config = absolute(&environment.xdg_config_home).or_else(in_home);
    let own = config.map(|config| config.join("containers/certs.d"));
    let all = ["/etc/containers/certs.d", "/etc/docker/certs.d"].map(PathBuf::from);
    own.into_iter().chain(all).collect()
}

fn path(value: Option<&OsString>) -> Option<PathBuf> {
    value.filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// A list of directories as `PATH` has them.
fn paths(value: &OsString) -> Vec<PathBuf> {
    std::env::split_paths(value).filter(|path| !path.as_os_str().is_empty()).collect()
}
