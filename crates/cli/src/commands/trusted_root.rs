//! `distil trusted-root`.

use std::path::PathBuf;

use clap::Args;
use distil_pipeline::signing::{RefreshRequest, SIGSTORE_MIRROR, refresh_trusted_root};

use super::Context;
use crate::failure::Failure;
use crate::printer::Format;
use crate::registries::Registries;
use crate::status::Status;

/// Fetch the present trusted root of Sigstore, or of another instance, and check it
///
/// It says which authorities and logs vouch for keyless signatures; `--trusted-root` of the commands that verify takes the
/// file. It comes from a TUF repository, whose metadata must hold: signed by enough keys, not expired, and not older than
/// what was seen before.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    distil trusted-root -o trusted_root.json\n  \
    distil trusted-root -o trusted_root.json --mirror https://tuf.example.org --root tuf-root.json")]
pub(crate) struct TrustedRoot {
    /// Write it to this file, in the place of one that is there
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Take it from this TUF repository
    #[arg(long, value_name = "URL", default_value = SIGSTORE_MIRROR)]
    mirror: String,
    /// Start from this root of the repository, got in a way that you trust; where none is given, from that of Sigstore
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
}

impl TrustedRoot {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        let cache_dir = context.environment.cache_dir(context.global.cache_dir.as_deref())?;
        let machine = Registries::default().machine(&context.global, context.environment)?;
        let request = RefreshRequest {
            mirror: &self.mirror,
            root: self.root.as_deref(),
            output: &self.output,
            cache_dir: &cache_dir,
            machine: &machine,
        };
        let written = super::reading(context, |_| refresh_trusted_root(&request))?;
        if context.printer.format() == Format::Json {
            context.printer.document(&written)?;
        } else {
            context.printer.result(&format!("{} {}\n", written.path, written.digest))?;
            context.printer.note(&format!("{} vouches for it until {}", written.mirror, written.valid_until));
        }
        Ok(Status::Yes)
    }
}
