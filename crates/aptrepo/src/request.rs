//! What somebody asks for by name.

use std::fmt;
use std::str::FromStr;

use distil_debunpack::{
    Architecture, ArchitectureError, Operator, PackageName, PackageNameError, Version, VersionConstraint, VersionError,
};
use distil_imgcore::Escaped;

/// A package that is asked for: `NAME[:ARCH][CONSTRAINT][/SUITE]`. The constraint is `=PATTERN`, as apt-get takes it, or
/// one of the relations of a `Depends` field; spaces may stand around its sign.
///
/// ```
/// use distil_aptrepo::Request;
/// let request: Request = "libssl3=3.0.*".parse()?;
/// assert!(request.allows(&"3.0.17-1~deb12u2".parse()?));
/// assert!(!request.allows(&"3.5.1-1".parse()?));
/// assert_eq!("curl >= 7.88/bookworm".parse::<Request>()?.to_string(), "curl>=7.88/bookworm");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Request {
    package: PackageName,
    architecture: Option<Architecture>,
    constraint: Option<Constraint>,
    suite: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Constraint {
    /// `=`, then a version in which each `*` stands for any characters.
    Pattern(String),
    Relation(VersionConstraint),
}

/// Why text is no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{}\" asks for no package", Escaped(.text.as_bytes()))]
pub struct RequestError {
    /// The text, at most its first 128 characters.
    pub text: String,
    /// What is wrong with it.
    pub source: RequestErrorKind,
}

/// What is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestErrorKind {
    /// No name of a package.
    #[error(transparent)]
    Package(#[from] PackageNameError),
    /// No architecture behind the colon.
    #[error(transparent)]
    Architecture(#[from] ArchitectureError),
    /// No version behind the sign.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// Behind `=` stands what no version can match.
    #[error("\"{}\" is no pattern of versions", Escaped(.text.as_bytes()))]
    Pattern {
        /// What stands there.
        text: String,
    },
    /// Behind the slash stands no name of a suite.
    #[error("\"{}\" is no name of a suite", Escaped(.text.as_bytes()))]
    Suite {
        /// What stands there.
        text: String,
    },
    /// A sign that is none of `=` `>=` `<=` `>>` `<<`.
    #[error("no sign of = >= <= >> <<")]
    Sign,
}

impl Request {
    /// A request for a package, whatever its version.
    #[must_use]
    pub fn of(package: PackageName) -> Self {
        Self { package, architecture: None, constraint: None, suite: None }
    }

    /// The name.
    #[must_use]
    pub fn package(&self) -> &PackageName {
        &self.package
    }

    /// What stands behind the colon.
    #[must_use]
    pub fn architecture(&self) -> Option<&Architecture> {
        self.architecture.as_ref()
    }

    /// The suite, or its code name.
    #[must_use]
    pub fn suite(&self) -> Option<&str> {
        self.suite.as_deref()
    }

    /// Whether it wants anything else than the package itself.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.constraint.is_none() && self.suite.is_none()
    }

    /// Whether this version is one that is asked for.
    #[must_use]
    pub fn allows(&self, version: &Version) -> bool {
        match &self.constraint {
            None => true,
            Some(Constraint::Pattern(pattern)) if pattern.contains('*') => matches(pattern, version.as_str()),
            // As apt-get: the text counts, so that 1.0 does not stand for 1.00.
            Some(Constraint::Pattern(text)) => text == version.as_str(),
            Some(Constraint::Relation(bound)) => bound.allows(version),
        }
    }
}

/// Whether a text is the pattern, in which `*` stands for any characters, also none.
fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut last = "";
    for piece in pieces {
        // The piece before this one is not the last, so its earliest place is as good as any.
        match rest.split_once(last).filter(|_| !last.is_empty()) {
            None if last.is_empty() => {}
            None => return false,
            Some((_, behind)) => rest = behind,
        }
        last = piece;
    }
    rest.ends_with(last)
}

impl FromStr for Request {
    type Err = RequestError;

    fn from_str(text: &str) -> Result<Self, RequestError> {
        parse(text).map_err(|source| RequestError { text: text.chars().take(128).collect(), source })
    }
}

fn parse(text: &str) -> Result<Request, RequestErrorKind> {
    let (rest, suite) = match text.split_once('/') {
        None => (text, None),
        Some((rest, suite)) => (rest, Some(parse_suite(suite.trim_ascii())?)),
    };
    let sign = rest.find(['=', '<', '>']).unwrap_or(rest.len());
    let (name, constraint) = rest.split_at_checked(sign).unwrap_or((rest, ""));
    let (name, architecture) = match name.trim_ascii().split_once(':') {
        None => (name.trim_ascii(), None),
        Some((name, architecture)) => (name, Some(architecture.parse()?)),
    };
    let constraint = Some(constraint).filter(|text| !text.is_empty()).map(parse_constraint).transpose()?;
    Ok(Request { package: name.parse()?, architecture, constraint, suite })
}

fn parse_constraint(text: &str) -> Result<Constraint, RequestErrorKind> {
    use Operator::{Earlier, EarlierOrEqual, Later, LaterOrEqual};
    for operator in [Earlier, EarlierOrEqual, Later, LaterOrEqual] {
        if let Some(version) = text.strip_prefix(operator.as_str()) {
            let version = version.trim_ascii().parse()?;
            return Ok(Constraint::Relation(VersionConstraint { operator, version }));
        }
    }
    let pattern = text.strip_prefix('=').ok_or(RequestErrorKind::Sign)?.trim_ascii();
    if pattern.contains('*') {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b".+-~:*".contains(&b);
        let sound = pattern.len() <= 256 && pattern.bytes().all(allowed);
        if !sound {
            return Err(RequestErrorKind::Pattern { text: pattern.chars().take(128).collect() });
        }
    } else {
        pattern.parse::<Version>()?;
    }
    Ok(Constraint::Pattern(pattern.to_owned()))
}

fn parse_suite(text: &str) -> Result<String, RequestErrorKind> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"./_+-".contains(&b);
    let sound = !text.is_empty() && text.len() <= 128 && text.bytes().all(allowed);
    if sound { Ok(text.to_owned()) } else { Err(RequestErrorKind::Suite { text: text.chars().take(128).collect() }) }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.package)?;
        if let Some(architecture) = &self.architecture {
            write!(f, ":{architecture}")?;
        }
        match &self.constraint {
            None => {}
            Some(Constraint::Pattern(pattern)) => write!(f, "={pattern}")?,
            Some(Constraint::Relation(bound)) => write!(f, "{}{}", bound.operator.as_str(), bound.version)?,
        }
        self.suite.as_ref().map_or(Ok(()), |suite| write!(f, "/{suite}"))
    }
}
