//! Who must have signed, as commands and recipes state it.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use distil_imgcore::{Digest, Escaped};
use distil_signing::key::PublicKey;
use distil_signing::verify::{Identity, Pattern, PatternError, Requirements, Trust, TrustedRoot, TrustedRootError};

use super::keys::{KeyFileError, read_public_key_in};
use crate::machine::{self, MachineError};

/// Who must have signed, and what is asked of the signatures, before any file that it names was read. The fields have the
/// names of the options of the commands and of the keys of a recipe's `[base]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrustOptions {
    /// Files of public keys, in PEM.
    pub keys: Vec<PathBuf>,
    /// The name that a certificate must have: an address or a URI.
    pub certificate_identity: Option<String>,
    /// In place of that, an expression that matches the whole name.
    pub certificate_identity_regexp: Option<String>,
    /// The issuer of that name: the URL of an OIDC provider.
    pub certificate_oidc_issuer: Option<String>,
    /// In place of that, an expression that matches the whole URL.
    pub certificate_oidc_issuer_regexp: Option<String>,
    /// The file of the trusted root, in JSON. Where certificates, log entries or timestamps are asked for and none is given, it
    /// is that of the public instance of Sigstore, as it was when this program was built.
    pub trusted_root: Option<PathBuf>,
    /// How many different signers there must be; one where it is left out.
    pub threshold: Option<NonZeroUsize>,
    /// What must be among the annotations that were signed, key and value.
    pub annotations: Vec<(String, String)>,
    /// Whether signatures by keys must be in a log, too.
    pub require_tlog: bool,
    /// Whether there must be an RFC 3161 timestamp.
    pub use_signed_timestamps: bool,
    /// The name that must have been signed. Tags and digests are not compared.
    pub reference: Option<String>,
}

/// Why it cannot be told who must have signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// Neither a key nor an identity.
    #[error("nothing says who must have signed")]
    Nobody,
    /// A key and an identity: which of the two is to count?
    #[error("key and {identity} cannot be asked for together")]
    Both {
        /// The option that speaks of a certificate.
        identity: &'static str,
    },
    /// An identity without an issuer, or the other way round: whoever runs an issuer of his own can have any name in it.
    #[error("{there} says nothing without {missing}")]
    Half {
        /// What is stated.
        there: &'static str,
        /// What is not.
        missing: &'static str,
    },
    /// The same twice, exactly and by an expression.
    #[error("{exact} and {pattern} cannot be asked for together")]
    Twice {
        /// The one option.
        exact: &'static str,
        /// The other.
        pattern: &'static str,
    },
    /// A name or expression that can be nobody's.
    #[error("{option} names nobody")]
    Pattern {
        /// The option.
        option: &'static str,
        /// What is wrong with it.
        source: PatternError,
    },
    /// One annotation with two values.
    #[error("the annotation {} is asked for with two values", Escaped(.0.as_bytes()))]
    AnnotationTwice(String),
    /// More signers than there can be.
    #[error("{threshold} different signers are asked for, where there can be only {signers}")]
    Threshold {
        /// How many are asked for.
        threshold: NonZeroUsize,
        /// How many there can be.
        signers: usize,
    },
    /// A key that cannot be read, or is none.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// A trusted root that cannot be read.
    #[error(transparent)]
    ReadRoot(MachineError),
    /// A file that is no trusted root.
    #[error("{} is no trusted root that can be used", Escaped::path(.path))]
    Root {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: TrustedRootError,
    },
    /// The trusted root that is part of the program cannot be used.
    #[error("the trusted root that is built in cannot be used")]
    PublicGood(#[source] TrustedRootError),
}

const IDENTITY: &str = "certificate-identity";
const IDENTITY_REGEXP: &str = "certificate-identity-regexp";
const ISSUER: &str = "certificate-oidc-issuer";
const ISSUER_REGEXP: &str = "certificate-oidc-issuer-regexp";

impl TrustError {
    /// Whether the question is wrong, or a key.
    #[must_use]
    pub fn is_mistake(&self) -> bool {
        match self {
            Self::Key(error) => error.is_mistake(),
            error => !error.is_undecided(),
        }
    }

    /// Whether the question is good, and nobody can answer it for want of a trusted root.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        matches!(self, Self::ReadRoot(_) | Self::Root { .. } | Self::PublicGood(_))
    }
}

impl TrustOptions {
    /// Whether they say who must have signed.
    #[must_use]
    pub fn names_signers(&self) -> bool {
        !self.keys.is_empty() || self.names_certificates().is_some()
    }

    /// Reads the files that are named, those with a relative path below `dir`.
    ///
    /// # Errors
    /// [`TrustError`]; [`TrustError::is_undecided`] where only the trusted root is missing.
    pub fn requirements(&self, dir: &Path) -> Result<Requirements, TrustError> {
        let (trust, signers) = self.trust(dir)?;
        let threshold = self.threshold.unwrap_or(NonZeroUsize::MIN);
        if let Some(signers) = signers.filter(|signers| *signers < threshold.get()) {
            return Err(TrustError::Threshold { threshold, signers });
        }
        Ok(Requirements {
            threshold,
            annotations: self.annotations()?,
            reference: self.reference.clone(),
            require_tlog: self.require_tlog,
            use_signed_timestamps: self.use_signed_timestamps,
            trusted_root: self.trusted_root(dir)?,
            ..Requirements::new(trust)
        })
    }

    /// Who must have signed, and how many different ones there can be, where that is known.
    fn trust(&self, dir: &Path) -> Result<(Trust, Option<usize>), TrustError> {
        if let Some(identity) = self.names_certificates() {
            if !self.keys.is_empty() {
                return Err(TrustError::Both { identity });
            }
            let identity = self.identity()?;
            let exact = self.certificate_identity.is_some() && self.certificate_oidc_issuer.is_some();
            return Ok((Trust::Identity(identity), exact.then_some(1)));
        }
        if self.keys.is_empty() {
            return Err(TrustError::Nobody);
        }
        let keys = self.keys.iter().map(|path| read_public_key_in(dir, path)).collect::<Result<Vec<_>, _>>()?;
        let different: BTreeSet<Digest> = keys.iter().map(PublicKey::fingerprint).collect();
        Ok((Trust::Keys(keys), Some(different.len())))
    }

    /// The first option that speaks of a certificate.
    fn names_certificates(&self) -> Option<&'static str> {
        let stated = [
            (IDENTITY, &self.certificate_identity),
            (IDENTITY_REGEXP, &self.certificate_identity_regexp),
            (ISSUER, &self.certificate_oidc_issuer),
            (ISSUER_REGEXP, &self.certificate_oidc_issuer_regexp),
        ];
        stated.into_iter().find_map(|(name, value)| value.is_some().then_some(name))
    }

    fn identity(&self) -> Result<Identity, TrustError> {
        let identity = pattern(
            (IDENTITY, self.certificate_identity.as_deref()),
            (IDENTITY_REGEXP, self.certificate_identity_regexp.as_deref()),
        )?;
        let issuer = pattern(
            (ISSUER, self.certificate_oidc_issuer.as_deref()),
            (ISSUER_REGEXP, self.certificate_oidc_issuer_regexp.as_deref()),
        )?;
        match (identity, issuer) {
            (Some(identity), Some(issuer)) => Ok(Identity::new(identity, issuer)),
            (None, _) => Err(TrustError::Half { there: ISSUER, missing: IDENTITY }),
            (_, None) => Err(TrustError::Half { there: IDENTITY, missing: ISSUER }),
        }
    }

    fn annotations(&self) -> Result<BTreeMap<String, String>, TrustError> {
        let mut found = BTreeMap::new();
        for (key, value) in &self.annotations {
            if found.insert(key.clone(), value.clone()).is_some_and(|before| before != *value) {
                return Err(TrustError::AnnotationTwice(key.clone()));
            }
        }
        Ok(found)
    }

    /// The root that is named, or that of the public instance where one is needed.
    fn trusted_root(&self, dir: &Path) -> Result<Option<TrustedRoot>, TrustError> {
        if let Some(path) = &self.trusted_root {
            return read_root(&dir.join(path)).map(Some);
        }
        if self.keys.is_empty() || self.require_tlog || self.use_signed_timestamps {
            return TrustedRoot::public_good().map(Some).map_err(TrustError::PublicGood);
        }
        Ok(None)
    }
}

/// Reads a trusted root from a file.
pub(super) fn read_root(path: &Path) -> Result<TrustedRoot, TrustError> {
    let text = machine::read(path).map_err(TrustError::ReadRoot)?;
    TrustedRoot::from_json(&text).map_err(|source| TrustError::Root { path: path.to_owned(), source })
}

/// What a name must be, of which at most one form may be stated.
fn pattern(
    (exact, text): (&'static str, Option<&str>),
    (pattern, expression): (&'static str, Option<&str>),
) -> Result<Option<Pattern>, TrustError> {
    let (option, found) = match (text, expression) {
        (Some(_), Some(_)) => return Err(TrustError::Twice { exact, pattern }),
        (Some(text), None) => (exact, Pattern::exact(text)),
        (None, Some(expression)) => (pattern, Pattern::regex(expression)),
        (None, None) => return Ok(None),
    };
    found.map(Some).map_err(|source| TrustError::Pattern { option, source })
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests write plain files")]
mod tests {
    use std::fs;

    use distil_signing::key::{PrivateKey, Signer as _};

    use super::*;

    /// A folder with two keys and a trusted root that names nobody.
    fn folder() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.pub", "b.pub"] {
            fs::write(dir.path().join(name), PrivateKey::generate().unwrap().public_key().to_pem()).unwrap();
        }
        let root = r#"{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}"#;
        fs::write(dir.path().join("root.json"), root).unwrap();
        fs::write(dir.path().join("empty"), "").unwrap();
        dir
    }

    fn keys(names: &[&str]) -> TrustOptions {
        TrustOptions { keys: names.iter().map(PathBuf::from).collect(), ..TrustOptions::default() }
    }

    fn identity(identity: &str, issuer: &str) -> TrustOptions {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        TrustOptions {
            certificate_identity: text(identity),
            certificate_oidc_issuer: text(issuer),
            ..TrustOptions::default()
        }
    }

    #[test]
    fn keys_are_read_and_need_no_root() {
        let dir = folder();
        let wanted = keys(&["a.pub", "b.pub"]).requirements(dir.path()).unwrap();
        assert!(matches!(&wanted.trust, Trust::Keys(keys) if keys.len() == 2));
        assert!(wanted.trusted_root.is_none() && wanted.threshold == NonZeroUsize::MIN);
        let logged = TrustOptions { require_tlog: true, ..keys(&["a.pub"]) };
        assert!(logged.requirements(dir.path()).unwrap().trusted_root.is_some());
        let stamped = TrustOptions { use_signed_timestamps: true, ..keys(&["a.pub"]) };
        assert!(stamped.requirements(dir.path()).unwrap().trusted_root.is_some());
    }

    #[test]
    fn identities_need_an_issuer_and_have_a_root() {
        let dir = folder();
        let wanted = identity("release@example.org", "https://issuer.example.org").requirements(dir.path()).unwrap();
        assert!(wanted.trusted_root.is_some());
        let Trust::Identity(found) = wanted.trust else { panic!() };
        assert!(found.subject().matches("release@example.org") && !found.subject().matches("x"));
        for (subject, issuer, missing) in [("a", "", ISSUER), ("", "b", IDENTITY)] {
            let error = identity(subject, issuer).requirements(dir.path()).unwrap_err();
            assert!(matches!(error, TrustError::Half { missing: found, .. } if found == missing), "{error}");
            assert!(error.is_mistake());
        }
    }

    #[test]
    fn what_cannot_be_asked_together_is_refused() {
        let dir = folder();
        let refused = |options: TrustOptions| options.requirements(dir.path()).unwrap_err();
        assert!(matches!(refused(TrustOptions::default()), TrustError::Nobody));
        let both = TrustOptions { keys: vec!["a.pub".into()], ..identity("a", "b") };
        assert!(matches!(refused(both), TrustError::Both { .. }));
        let twice = TrustOptions { certificate_identity_regexp: Some("a".into()), ..identity("a", "b") };
        assert!(matches!(refused(twice), TrustError::Twice { .. }));
        let bad = TrustOptions { certificate_identity_regexp: Some("(".into()), ..identity("", "b") };
        assert!(matches!(refused(bad), TrustError::Pattern { option: IDENTITY_REGEXP, .. }));
        let annotation = |value: &str| ("k".to_owned(), value.to_owned());
        let two = TrustOptions { annotations: vec![annotation("1"), annotation("2")], ..keys(&["a.pub"]) };
        assert!(matches!(refused(two), TrustError::AnnotationTwice(_)));
        let same = TrustOptions { annotations: vec![annotation("1"), annotation("1")], ..keys(&["a.pub"]) };
        assert_eq!(same.requirements(dir.path()).unwrap().annotations.len(), 1);
    }

    #[test]
    fn no_more_signers_can_be_asked_for_than_there_are() {
        let dir = folder();
        let two = NonZeroUsize::new(2);
        let check = |options: TrustOptions, good: bool| {
            let found = TrustOptions { threshold: two, ..options }.requirements(dir.path());
            assert_eq!(found.is_ok(), good, "{found:?}");
            assert!(good || matches!(found, Err(TrustError::Threshold { signers: 1, .. })));
        };
        check(keys(&["a.pub", "b.pub"]), true);
        check(keys(&["a.pub", "a.pub"]), false);
        check(identity("a", "b"), false);
        check(TrustOptions { certificate_identity_regexp: Some(".*".into()), ..identity("", "b") }, true);
    }

    #[test]
    fn a_bad_key_is_a_mistake_and_without_a_root_nothing_is_known() {
        let dir = folder();
        for name in ["nosuch", "empty", "root.json"] {
            let error = keys(&[name]).requirements(dir.path()).unwrap_err();
            assert_eq!((error.is_mistake(), error.is_undecided()), (name != "nosuch", false), "{name}");
            let options = TrustOptions { trusted_root: Some(name.into()), ..identity("a", "b") };
            let found = options.requirements(dir.path());
            assert_eq!(found.is_ok(), name == "root.json");
            assert!(found.is_ok() || found.is_err_and(|error| error.is_undecided() && !error.is_mistake()), "{name}");
        }
    }
}
