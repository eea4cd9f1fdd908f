//! `distil schema`.

use clap::{Args, ValueEnum};

use super::Context;
use crate::failure::Failure;
use crate::status::Status;

/// Print the JSON Schema of the recipe, of the policy, or of a command's JSON document
#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// Of what; for a command, of what it prints with --json
    #[arg(value_name = "WHAT", default_value = "recipe")]
    what: What,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    Recipe,
    Policy,
    Build,
    Lock,
    Why,
    Copy,
    Check,
    Promote,
    Inspect,
    Validate,
    Verify,
    Files,
    Sbom,
    Scan,
    Tags,
    Key,
    Sign,
    Attest,
    SignBlob,
    TrustedRoot,
    CacheStatus,
    CachePrune,
    Db,
}

impl Schema {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        use distil_pipeline::schema;
        let schema = match self.what {
            What::Recipe => schema::RECIPE.to_owned(),
            What::Policy => schema::POLICY.to_owned(),
            What::Build | What::Copy => schema::written(),
            What::Check => schema::verdict(),
            What::Promote => schema::promoted(),
            What::Lock => schema::locking(),
            What::Why => schema::reason(),
            What::Inspect => schema::inspection(),
            What::Validate => schema::validation(),
            What::Verify => schema::verification(),
            What::Files => schema::files(),
            What::Sbom => schema::sbom(),
            What::Scan => schema::scan(),
            What::Tags => schema::tags(),
            What::Key => schema::key(),
            What::Sign | What::Attest => schema::signed(),
            What::SignBlob => schema::signed_blob(),
            What::TrustedRoot => schema::trusted_root(),
            What::CacheStatus => schema::cache_status(),
            What::CachePrune => schema::cache_prune(),
            What::Db => schema::database(),
        };
        context.printer.result(&schema)?;
        Ok(Status::Yes)
    }
}
