//! `distil man`.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _};

use super::Context;
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::status::Status;

/// Write the man pages, one for each command
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Where to write them; made where it is missing
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

impl Man {
    pub(crate) fn run(self, _: &Context<'_>) -> Result<Status, Failure> {
        std::fs::create_dir_all(&self.dir)
            .and_then(|()| clap_mangen::generate_to(Arguments::command(), &self.dir))
            .map_err(|source| Failure::Write { path: self.dir, source })?;
        Ok(Status::Yes)
    }
}
