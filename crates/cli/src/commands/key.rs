//! `distil key`.

use std::path::{Path, PathBuf};

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use distil_pipeline::Escaped;
use distil_pipeline::signing::{
    KeyDocument, KeyFileError, KeyPair, KeyPairRequest, generate_key, import_key, public_key,
};

use super::Context;
use crate::failure::Failure;
use crate::passwords::PasswordOptions;
use crate::printer::Format;
use crate::status::Status;

/// Make, import and show keys that sign, in the files that cosign has
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    distil key generate --output-key-prefix release\n  \
    distil key import --key old.pem --output-key-prefix release\n  \
    distil key public --key release.key")]
pub(crate) struct Key {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    Generate(Generate),
    Import(Import),
    Public(Public),
}

/// Make a pair of keys, ECDSA on P-256
///
/// Writes the private key, sealed under a password, into PREFIX.key and its public half into PREFIX.pub. Both versions of cosign
/// sign and verify with them.
#[derive(Debug, Args)]
struct Generate {
    /// What the names of both files begin with
    #[arg(long, value_name = "PREFIX", default_value = "cosign", value_parser = NonEmptyStringValueParser::new())]
    output_key_prefix: String,
    #[command(flatten)]
    pair: Pair,
}

/// Seal a private key that others made under a password
///
/// Reads one PEM block EC PRIVATE KEY, RSA PRIVATE KEY or PRIVATE KEY, of ECDSA on P-256, P-384 or P-521, RSA of 2048, 3072 or
/// 4096 bits or Ed25519, and writes it into PREFIX.key, sealed, and its public half into PREFIX.pub.
#[derive(Debug, Args)]
struct Import {
    /// The private key, as PEM in the clear
    #[arg(long, value_name = "PEM")]
    key: PathBuf,
    /// What the names of both files begin with
    #[arg(long, value_name = "PREFIX", value_parser = NonEmptyStringValueParser::new())]
    output_key_prefix: String,
    #[command(flatten)]
    pair: Pair,
}

/// Print a public key, or the public half of a private one
#[derive(Debug, Args)]
struct Public {
    /// The key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    password: PasswordOptions,
}

#[derive(Debug, Args)]
struct Pair {
    /// Replace files that are there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    password: PasswordOptions,
}

impl Key {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        match self.command {
            KeyCommand::Generate(command) => command.pair.write(&command.output_key_prefix, context, generate_key),
            KeyCommand::Import(command) => {
                command.pair.write(&command.output_key_prefix, context, |request| import_key(&command.key, request))
            }
            KeyCommand::Public(command) => command.run(context),
        }
    }
}

impl Pair {
    fn write(
        &self,
        prefix: &str,
        context: &Context<'_>,
        make: impl FnOnce(&KeyPairRequest<'_>) -> Result<KeyPair, KeyFileError>,
    ) -> Result<Status, Failure> {
        let passwords = self.password.source(context.environment);
        let request = KeyPairRequest { prefix: Path::new(prefix), replace: self.force, passwords: &passwords };
        let pair = make(&request)?;
        if context.printer.format() == Format::Json {
            context.printer.document(&KeyDocument::of_pair(&pair))?;
            return Ok(Status::Yes);
        }
        for path in [&pair.private_key, &pair.public_key] {
            context.printer.result(&format!("{}\n", Escaped::path(path)))?;
        }
        context.printer.note(&format!("The key is {}, {}.", pair.key.fingerprint(), pair.key.kind()));
        Ok(Status::Yes)
    }
}

impl Public {
    fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        let key = public_key(&self.key, &self.password.source(context.environment))?;
        match context.printer.format() {
            Format::Json => context.printer.document(&KeyDocument::of_key(&key))?,
            Format::Text => context.printer.result(&key.to_pem())?,
        }
        Ok(Status::Yes)
    }
}
