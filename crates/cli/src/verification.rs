//! The options of commands that verify: who must have signed, and what else is asked of signatures.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use distil_pipeline::signing::TrustOptions;

/// How the options of verification are called: with a prefix where a command signs as well.
macro_rules! verification {
    ($(#[$doc:meta])* $name:ident, $prefix:literal $(, $short:ident = $letter:literal)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Args)]
        #[command(next_help_heading = "Verification")]
        pub(crate) struct $name {
            /// A public key that must have signed; may be repeated: one of them is enough, or as many as --threshold says
            #[arg(long = concat!($prefix, "key"), id = concat!($prefix, "keys"), value_name = "FILE")]
            keys: Vec<PathBuf>,
            /// The name that the signer's certificate must have: an address or a URI
            #[arg(long = concat!($prefix, "certificate-identity"), id = concat!($prefix, "identity"), value_name = "ID")]
            identity: Option<String>,
            /// The same by an expression, which must match the whole name
            #[arg(
                long = concat!($prefix, "certificate-identity-regexp"), id = concat!($prefix, "identity-regexp"),
                value_name = "RE"
            )]
            identity_regexp: Option<String>,
            /// Who vouched for that name: the URL of an OIDC provider
            #[arg(long = concat!($prefix, "certificate-oidc-issuer"), id = concat!($prefix, "issuer"), value_name = "URL")]
            issuer: Option<String>,
            /// The same by an expression, which must match the whole URL
            #[arg(
                long = concat!($prefix, "certificate-oidc-issuer-regexp"), id = concat!($prefix, "issuer-regexp"),
                value_name = "RE"
            )]
            issuer_regexp: Option<String>,
            /// The authorities and logs that count, as JSON; the default is the public instance of Sigstore, as this program
            /// knows it
            #[arg(long = concat!($prefix, "trusted-root"), id = concat!($prefix, "trusted-root"), value_name = "FILE")]
            trusted_root: Option<PathBuf>,
            /// How many different keys or identities must have signed
            #[arg(
                long = concat!($prefix, "threshold"), id = concat!($prefix, "threshold"), value_name = "N",
                default_value = "1"
            )]
            threshold: NonZeroUsize,
            /// An annotation that must have been signed; may be repeated
            #[arg(
                $($short = $letter,)? long = concat!($prefix, "annotations"), id = concat!($prefix, "annotations"),
                value_name = "KEY=VALUE", value_parser = annotation
            )]
            annotations: Vec<(String, String)>,
            /// Signatures by keys must be in a transparency log, too
            #[arg(long = concat!($prefix, "require-tlog"), id = concat!($prefix, "require-tlog"))]
            require_tlog: bool,
            /// There must be an RFC 3161 timestamp
            #[arg(long = concat!($prefix, "use-signed-timestamps"), id = concat!($prefix, "use-signed-timestamps"))]
            use_signed_timestamps: bool,
            /// The name under which it must have been signed, as in registry.example.org/team/app; tags are not compared
            #[arg(long = concat!($prefix, "reference"), id = concat!($prefix, "signed-reference"), value_name = "NAME")]
            signed_reference: Option<String>,
        }

        impl $name {
            /// What is asked for.
            pub(crate) fn options(self) -> TrustOptions {
                TrustOptions {
                    keys: self.keys,
                    certificate_identity: self.identity,
                    certificate_identity_regexp: self.identity_regexp,
                    certificate_oidc_issuer: self.issuer,
                    certificate_oidc_issuer_regexp: self.issuer_regexp,
                    trusted_root: self.trusted_root,
                    threshold: Some(self.threshold),
                    annotations: self.annotations,
                    require_tlog: self.require_tlog,
                    use_signed_timestamps: self.use_signed_timestamps,
                    reference: self.signed_reference,
                }
            }
        }
    };
}

verification!(
    /// Options of commands that verify.
    Verification,
    "",
    short = 'a'
);

verification!(
    /// The same of a command that signs as well, for what it reads.
    SourceVerification,
    "verify-"
);

fn annotation(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("an annotation is KEY=VALUE".to_owned()),
    }
}
