//! The options of commands that may need package repositories, and what they may know of machine and network.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use distil_pipeline::{Authorities, Machine};

use crate::arguments::Global;
use crate::environment::Environment;

/// Options of commands that may need package repositories.
#[derive(Debug, Args)]
pub(crate) struct Repositories {
    /// Read this machine's apt sources from here
    #[arg(long, value_name = "DIR", default_value = "/etc/apt")]
    apt_dir: PathBuf,
}

impl Repositories {
    /// What the command may know of the machine and the network.
    pub(crate) fn machine(self, global: &Global, environment: &Environment) -> Machine {
        let Self { apt_dir } = self;
        let text = |value: &Option<OsString>| {
            value.as_ref().map(|value| value.to_string_lossy().into_owned()).filter(|value| !value.is_empty())
        };
        let files = path(environment.ssl_cert_file.as_ref()).into_iter().collect::<Vec<_>>();
        let directories = environment.ssl_cert_dir.as_ref().map(paths).unwrap_or_default();
        let home = path(environment.home.as_ref()).filter(|home| home.is_absolute());
        let netrc = path(environment.netrc.as_ref()).or_else(|| home.map(|home| home.join(".netrc")));
        Machine {
            now: i64::try_from(environment.now).unwrap_or(i64::MAX),
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
            apt_dir,
        }
    }
}

fn path(value: Option<&OsString>) -> Option<PathBuf> {
    value.filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// A list of directories as `PATH` has them.
fn paths(value: &OsString) -> Vec<PathBuf> {
    std::env::split_paths(value).filter(|path| !path.as_os_str().is_empty()).collect()
}
