//! Signing without a key that is kept: a key lives for minutes, a certificate says whose it is, and a log says when it signed.
//!
//! It goes so, and whoever has a connection to the services does it with what this module gives him:
//!
//! 1. Somebody shows an OIDC [`Token`], which says who he is.
//! 2. A certificate authority with the interface of [Fulcio] gets it with a new public key and a signature over the name in the
//!    token, and gives a [`Certificate`].
//! 3. The key signs.
//! 4. A log with the interface of [Rekor], version 1, takes [what was signed](Logged) and gives an entry of it.
//! 5. Where that is wanted, an authority gives an [RFC 3161] timestamp over the signature.
//!
//! [`Evidence`] is all of that beside a signature, and [`Witness`] the joint: a [`Signer`](crate::key::Signer) that has one is
//! nothing without it. What comes back is read strictly, and has to be about what was sent: the certificate for this key, the
//! entry for this signature and certificate, at a time at which the certificate is valid. Whether authority and log are those
//! that verifiers trust, only a [trusted root](crate::verify::TrustedRoot) can tell: [`requirements`].
//!
//! | what | where |
//! |---|---|
//! | who signs | [`Token`], [`Certificate`] |
//! | what is sent | [`certificate_request`], [`Logged::request`], [`stamp_request`] |
//! | what comes back | [`Certificate::read`], [`Logged::entry`], [`read_stamp`] |
//! | beside a signature | [`Evidence`], [`Witness`] |
//!
//! [Fulcio]: https://github.com/sigstore/fulcio/blob/main/fulcio.proto
//! [Rekor]: https://github.com/sigstore/rekor/blob/main/openapi.yaml
//! [RFC 3161]: https://www.rfc-editor.org/rfc/rfc3161

mod certificate;
mod error;
mod log;
mod stamp;
mod token;
mod witness;

pub use certificate::{Certificate, certificate_request};
pub use error::{AnswerError, TokenError};
pub use log::Logged;
pub use stamp::{read_stamp, stamp_request};
pub use token::Token;
pub use witness::{Evidence, Witness, WitnessError, requirements};

/// Bytes of an answer of a certificate authority, a log or a timestamp authority.
pub const MAX_ANSWER: usize = 4 << 20;

#[cfg(test)]
mod tests;
