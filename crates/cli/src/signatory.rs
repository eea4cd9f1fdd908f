//! The options of commands that sign with a key, or without one that is kept.

use std::path::{Path, PathBuf};

use clap::Args;
use distil_pipeline::Machine;
use distil_pipeline::signing::{
    IdentityToken, KeylessRequest, PasswordError, Signer, Zeroizing, open_key, open_keyless, read_password,
};

use crate::environment::{Environment, Hidden};
use crate::failure::Failure;
use crate::passwords::PasswordOptions;

/// Who a command signs as: whoever has a key, or whom a certificate names.
#[derive(Debug, Args)]
pub(crate) struct Signatory {
    /// Sign with this private key: a file that `distil key` or cosign wrote, or the URI of a key in a token (`pkcs11:…`)
    #[arg(
        long, value_name = "KEY", required_unless_present = "fulcio_url",
        conflicts_with_all = ["fulcio_url", "rekor_url", "timestamp_url", "identity_token", "trusted_root"],
    )]
    key: Option<PathBuf>,
    #[command(flatten)]
    password: PasswordOptions,
    #[command(flatten)]
    keyless: Keyless,
}

/// Signing with a certificate that lives for minutes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Signing without a key")]
struct Keyless {
    /// Have a certificate authority with the interface of Fulcio certify a new key, in the name that an OIDC token says
    #[arg(long, value_name = "URL", requires = "rekor_url")]
    fulcio_url: Option<String>,
    /// Have each signature logged, for everybody to see, by a log with the interface of Rekor, version 1
    #[arg(long, value_name = "URL", requires = "fulcio_url")]
    rekor_url: Option<String>,
    /// Have each signature stamped at this URL, by RFC 3161
    #[arg(long, value_name = "URL", requires = "fulcio_url")]
    timestamp_url: Option<String>,
    /// Read the OIDC token from this file of one line; - is standard input. Without this option it is in `SIGSTORE_ID_TOKEN`
    #[arg(long, value_name = "FILE", requires = "fulcio_url")]
    identity_token: Option<PathBuf>,
    /// Verify each signature before it is written, by these authorities and logs, as JSON; without this option nobody knows
    /// whether they are the ones that verifiers trust
    #[arg(long, value_name = "FILE", requires = "fulcio_url")]
    trusted_root: Option<PathBuf>,
}

impl Signatory {
    /// Opens the key, for which somebody may have to be asked, or gets a certificate for a new one: so it comes before signals
    /// are watched for.
    pub(crate) fn open(&self, environment: &Environment, machine: &Machine) -> Result<Box<dyn Signer>, Failure> {
        let Keyless { fulcio_url, rekor_url, timestamp_url, trusted_root, .. } = &self.keyless;
        match (&self.key, fulcio_url, rekor_url) {
            (Some(key), ..) => Ok(open_key(key, &self.password.source(environment))?),
            (None, Some(fulcio), Some(rekor)) => Ok(open_keyless(&KeylessRequest {
                identity: &self.keyless.source(environment),
                fulcio,
                rekor,
                stamps: timestamp_url.as_deref(),
                trusted_root: trusted_root.as_deref(),
                machine,
            })?),
            _ => Err(Failure::NoSignatory),
        }
    }

    /// Whether signatures are verified by what lies beside them.
    pub(crate) fn is_keyless(&self) -> bool {
        self.key.is_none()
    }

    /// Whether standard input is read for a token.
    pub(crate) fn reads_input(&self) -> bool {
        self.keyless.identity_token.as_deref() == Some(Path::new("-"))
    }
}

impl Keyless {
    fn source<'a>(&'a self, environment: &'a Environment) -> Source<'a> {
        match (&self.identity_token, &environment.sigstore_id_token) {
            (Some(path), _) => Source::File(path),
            (None, Some(value)) => Source::Variable(value),
            (None, None) => Source::Nowhere,
        }
    }
}

/// Where the OIDC token comes from.
#[derive(Debug)]
enum Source<'a> {
    File(&'a Path),
    Variable(&'a Hidden),
    Nowhere,
}

impl IdentityToken for Source<'_> {
    fn token(&self) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
        match self {
            Self::File(path) if *path == Path::new("-") => read_password(Path::new("/dev/stdin"), "standard input"),
            Self::File(path) => read_password(path, &distil_pipeline::Escaped::path(path).to_string()),
            Self::Variable(value) => Ok(value.reveal()),
            Self::Nowhere => Err(PasswordError::Missing),
        }
    }
}
