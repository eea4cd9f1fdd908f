//! `distil init`.

use std::path::{Path, PathBuf};

use clap::Args;
use distil_pipeline::Escaped;
use serde_json::json;

use super::Context;
use crate::failure::Failure;
use crate::printer::Format;
use crate::status::Status;

/// Write a commented starter recipe
///
/// Writes distil.toml into DIR, which is made where it is missing. A recipe that is already there is left alone.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Where to write it
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

impl Init {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        let path = distil_pipeline::init(&self.dir)?;
        let shown = Escaped::path(&path).to_string();
        if context.printer.format() == Format::Json {
            context.printer.document(&json!({ "schema": "distil.init/v1", "recipe": shown }))?;
            return Ok(Status::Yes);
        }
        context.printer.result(&format!("{shown}\n"))?;
        let recipe = if self.dir == Path::new(".") { String::new() } else { format!(" {shown}") };
        context.printer.note(&format!(
            "Next: say in it which packages are wanted and what to start, and run\n  \
             distil build{recipe} -o oci:image:latest"
        ));
        Ok(Status::Yes)
    }
}
