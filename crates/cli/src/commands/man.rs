//! `distil man`.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _};
use distil_pipeline::whole_file;

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
        let mut command = Arguments::command().disable_help_subcommand(true);
        command.build();
        let mut commands = vec![command];
        while let Some(command) = commands.pop() {
            commands.extend(command.get_subcommands().cloned());
            let page = clap_mangen::Man::new(command);
            let path = self.dir.join(page.get_filename());
            let mut text = Vec::new();
            page.render(&mut text)
                .and_then(|()| whole_file::replace(&path, &text))
                .map_err(|source| Failure::Write { path, source })?;
        }
        Ok(Status::Yes)
    }
}
