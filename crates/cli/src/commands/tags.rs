//! `distil tags`.

use clap::Args;
use distil_pipeline::{Reference, TagList, TagsRequest};

use super::Context;
use crate::failure::Failure;
use crate::printer::Format;
use crate::registries::Registries;
use crate::status::Status;
use crate::table::{Align, Table};

/// List the tags of a repository, layout or archive, in the order of versions
///
/// Tags under which registries and cosign keep what is about an image are left out.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    distil tags registry.example.org/team/app\n  \
    distil tags oci:image --digests")]
pub(crate) struct Tags {
    /// The repository, layout or archive, as in registry.example.org/team/app or oci:DIR
    #[arg(value_name = "REF", value_parser = super::reference)]
    reference: Reference,
    /// Show the digest of each image
    #[arg(long)]
    digests: bool,
    /// Show tags, too, that only say something about another image, as sha256-….sig
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    registries: Registries,
}

impl Tags {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        let printer = &context.printer;
        let machine = self.registries.machine(&context.global, context.environment)?;
        let request =
            TagsRequest { reference: &self.reference, digests: self.digests, all: self.all, machine: &machine };
        let found = super::reading(context, |progress| distil_pipeline::tags(&request, progress))?;
        if printer.format() == Format::Json {
            printer.document(&found)?;
        } else {
            printer.result(&text(&found))?;
        }
        Ok(Status::Yes)
    }
}

fn text(list: &TagList) -> String {
    let mut table = Table::new(&[Align::Left, Align::Left]);
    for tag in &list.tags {
        table.row([tag.tag.clone(), tag.digest.clone().unwrap_or_default()]);
    }
    table.lines("")
}
