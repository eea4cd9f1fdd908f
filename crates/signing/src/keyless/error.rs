//! What is wrong with tokens and answers.

use distil_imgcore::Escaped;
use distil_imgcore::json::JsonError;

use crate::object::FieldError;

/// Why a text is no token that somebody could sign with. No variant holds anything of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Not three parts in base64, of which the middle one is an object of JSON.
    #[error("the identity token is no JSON Web Token")]
    Form,
    /// It names neither an address nor a subject.
    #[error("the identity token names nobody")]
    Nobody,
    /// Whoever issued it has not verified the address that it names.
    #[error("the issuer of the identity token has not verified the address in it")]
    Unverified,
}

/// Why an answer is not one to what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// Not JSON, or JSON that two readers could understand differently.
    #[error("the answer has no single meaning")]
    Json(#[source] JsonError),
    /// Members that are missing or of another type.
    #[error("the answer is not of the form that its specification gives")]
    Form(#[from] FieldError),
    /// Another number of entries than the one that was asked for.
    #[error("the answer has {0} log entries where there must be one")]
    Entries(usize),
    /// The certificate has no proof inside that it was logged, and bundles have no place for one beside it.
    #[error("the certificate has no signed certificate timestamp in it")]
    Detached,
    /// What should be a certificate is none.
    #[error("the certificate cannot be read: {0}")]
    Certificate(String),
    /// A certificate for another key than the one that was sent.
    #[error("the certificate is for another key")]
    OtherKey,
    /// A certificate that names nobody, or nobody who vouches for the name.
    #[error("the certificate does not say {0}")]
    Unnamed(&'static str),
    /// The entry is about something else than what was sent.
    #[error("the log entry is about {0}")]
    Other(&'static str),
    /// An entry without what is verified later.
    #[error("the log entry has no {0}")]
    Missing(&'static str),
    /// The log took the entry at a time at which the certificate is not valid.
    #[error("the log states the time {time} (seconds since 1970), and the certificate is not valid then")]
    Time {
        /// Seconds since 1970.
        time: u64,
    },
    /// A timestamp authority that gives no timestamp.
    #[error("there is no timestamp: {}", Escaped(.0.as_bytes()))]
    NoStamp(String),
}
