//! `distil validate`.

use clap::Args;
use distil_pipeline::validate::Finding;
use distil_pipeline::{Reference, Validation};

use super::Context;
use crate::failure::Failure;
use crate::printer::Format;
use crate::registries::Registries;
use crate::status::Status;

/// Check an image: every digest and size, and everything that two readers would understand differently
///
/// Reports every problem. The exit status is 0 for a valid image and 1 for another.
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// The image, as in registry.example.org/team/app:1.0 or oci:DIR:TAG
    #[arg(value_name = "REF", value_parser = super::reference)]
    reference: Reference,
    #[command(flatten)]
    registries: Registries,
}

impl Validate {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        let printer = &context.printer;
        let machine = self.registries.machine(&context.global, context.environment)?;
        let found = super::reading(context, |progress| distil_pipeline::validate(&self.reference, &machine, progress))?;
        if printer.format() == Format::Json {
            printer.document(&found)?;
        } else {
            printer.result(&text(&found))?;
        }
        Ok(if found.valid { Status::Yes } else { Status::No })
    }
}

fn text(found: &Validation) -> String {
    if found.valid {
        return "valid\n".to_owned();
    }
    let problem = |p: &Finding| format!("{}\n  expected: {}\n  found:    {}\n", p.place, p.expected, p.found);
    found.problems.iter().map(problem).collect()
}
