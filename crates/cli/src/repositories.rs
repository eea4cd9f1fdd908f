//! The options of commands that may need package repositories.

use std::path::PathBuf;

use clap::Args;
use distil_pipeline::Machine;

use crate::arguments::Global;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::registries::Registries;

/// Options of commands that may need package repositories, and a base image.
#[derive(Debug, Args)]
pub(crate) struct Repositories {
    /// Read this machine's apt sources from here
    #[arg(long, value_name = "DIR", default_value = "/etc/apt")]
    apt_dir: PathBuf,
    #[command(flatten)]
    registries: Registries,
}

impl Repositories {
    /// What the command may know of the machine and the network.
    pub(crate) fn machine(self, global: &Global, environment: &Environment) -> Result<Machine, Failure> {
        Ok(Machine { apt_dir: self.apt_dir, ..self.registries.machine(global, environment)? })
    }
}
