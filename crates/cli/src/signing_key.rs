//! The options of commands that sign.

use std::path::PathBuf;

use clap::Args;
use distil_pipeline::signing::{Signer, open_key};

use crate::environment::Environment;
use crate::failure::Failure;
use crate::passwords::PasswordOptions;

/// Which key a command signs with.
#[derive(Debug, Args)]
pub(crate) struct SigningKey {
    /// Sign with this private key: a file that `distil key` or cosign wrote, or the URI of a key in a token (`pkcs11:…`)
    #[arg(long, value_name = "KEY")]
    key: PathBuf,
    #[command(flatten)]
    password: PasswordOptions,
}

impl SigningKey {
    /// Opens the key, for which somebody may have to be asked: so it comes before signals are watched for.
    pub(crate) fn open(&self, environment: &Environment) -> Result<Box<dyn Signer>, Failure> {
        Ok(open_key(&self.key, &self.password.source(environment))?)
    }
}
