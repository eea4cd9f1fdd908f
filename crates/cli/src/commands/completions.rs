//! `distil completions`.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Context;
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::status::Status;

/// Print completions for a shell
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "distil", &mut script);
        context.printer.result(&String::from_utf8_lossy(&script))?;
        Ok(Status::Yes)
    }
}
