//! Relations between packages: what `Depends`, `Provides`, `Breaks` and their like hold.

use std::fmt;
use std::str::FromStr;

use distil_imgcore::Escaped;

use crate::{Architecture, PackageName, Version};

/// The value of a relation field: every one of these groups is wanted. See [Debian Policy 7.1].
///
/// ```
/// use distil_debunpack::{Relations, Version};
/// let depends: Relations = "libc6 (>= 2.36),\n mail-transport-agent | exim4:any".parse()?;
/// let [libc, mail] = depends.groups() else { panic!() };
/// let constraint = libc.alternatives()[0].constraint.as_ref().unwrap();
/// assert!(constraint.allows(&"2.36-9".parse()?));
/// assert_eq!(mail.to_string(), "mail-transport-agent | exim4:any");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [Debian Policy 7.1]: https://www.debian.org/doc/debian-policy/ch-relationships.html
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Relations(Vec<Group>);

/// Relations of which one is enough, the preferred one first. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Group(Vec<Relation>);

/// One package, with what it must be like.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Relation {
    /// The package, real or virtual.
    pub package: PackageName,
    /// What stands behind the colon.
    pub qualifier: Option<Qualifier>,
    /// What stands in round brackets.
    pub constraint: Option<VersionConstraint>,
    /// What stands in square brackets: the architectures that the relation is for. Empty for all.
    pub architectures: Vec<Term<Architecture>>,
    /// What stands in angle brackets: build profiles; one list must hold entirely. Empty for all.
    pub profiles: Vec<Vec<Term<String>>>,
}

/// The architecture that a package in a relation must have.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Qualifier {
    /// `:any`: any, where the package allows it.
    Any,
    /// `:native`: that of the machine that builds.
    Native,
    /// `:ARCH`: this one.
    Architecture(Architecture),
}

/// A bound on a version.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VersionConstraint {
    /// How the version must compare.
    pub operator: Operator,
    /// To what.
    pub version: Version,
}

/// How a version must compare to the one in the relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `<<`
    Earlier,
    /// `<=`
    EarlierOrEqual,
    /// `=`
    Equal,
    /// `>=`
    LaterOrEqual,
    /// `>>`
    Later,
}

/// A word of a list in brackets, with or without an exclamation mark before it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Term<T> {
    /// Whether an exclamation mark stands before it.
    pub negated: bool,
    /// The word.
    pub value: T,
}

/// Why text is not a relation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("relation \"{}\": {kind}", Escaped(.relation.as_bytes()))]
pub struct RelationError {
    /// The relation, at most its first 128 characters.
    pub relation: String,
    /// What is wrong with it.
    pub kind: RelationErrorKind,
}

/// What is wrong with a relation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RelationErrorKind {
    /// Nothing where a package belongs, as after a comma at the end.
    #[error("no package")]
    Empty,
    /// No name of a package.
    #[error(transparent)]
    Package(#[from] crate::PackageNameError),
    /// No name of an architecture, behind the colon or in square brackets.
    #[error(transparent)]
    Architecture(#[from] crate::ArchitectureError),
    /// No operator of a version. The old `<` and `>`, which mean `<=` and `>=`, count as none.
    #[error("no operator of << <= = >= >>")]
    Operator,
    /// No version.
    #[error(transparent)]
    Version(#[from] crate::VersionError),
    /// A bracket that does not close, or an empty pair.
    #[error("{0} does not close, or is empty")]
    Bracket(char),
    /// No name of a build profile.
    #[error("no name of a build profile")]
    Profile,
    /// Text after the relation, or brackets in another order than round, square, angle.
    #[error("text behind it")]
    Trailing,
}

impl Relations {
    /// The groups, in the order of the field.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.0
    }
}

impl Group {
    /// The relations of which one is enough. There is at least one.
    #[must_use]
    pub fn alternatives(&self) -> &[Relation] {
        &self.0
    }
}

impl VersionConstraint {
    /// Whether a package of this version meets the constraint.
    #[must_use]
    pub fn allows(&self, version: &Version) -> bool {
        let order = version.cmp(&self.version);
        match self.operator {
            Operator::Earlier => order.is_lt(),
            Operator::EarlierOrEqual => order.is_le(),
            Operator::Equal => order.is_eq(),
            Operator::LaterOrEqual => order.is_ge(),
            Operator::Later => order.is_gt(),
        }
    }
}

impl Operator {
    /// The sign that stands for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Earlier => "<<",
            Self::EarlierOrEqual => "<=",
            Self::Equal => "=",
            Self::LaterOrEqual => ">=",
            Self::Later => ">>",
        }
    }
}

impl FromStr for Relations {
    type Err = RelationError;

    /// Reads the value of a field. A blank one is no relation, as for dpkg.
    fn from_str(text: &str) -> Result<Self, RelationError> {
        if text.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let group = |text: &str| text.split('|').map(str::parse).collect::<Result<_, _>>().map(Group);
        text.split(',').map(group).collect::<Result<_, _>>().map(Self)
    }
}

impl FromStr for Relation {
    type Err = RelationError;

    fn from_str(text: &str) -> Result<Self, RelationError> {
        let error = |kind| RelationError { relation: text.trim_ascii().chars().take(128).collect(), kind };
        parse_relation(text.trim_ascii()).map_err(error)
    }
}

fn parse_relation(text: &str) -> Result<Relation, RelationErrorKind> {
    let end = text.find(|c: char| c.is_ascii_whitespace() || matches!(c, '(' | '[' | '<')).unwrap_or(text.len());
    let (head, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    if head.is_empty() {
        return Err(RelationErrorKind::Empty);
    }
    let (package, qualifier) = match head.split_once(':') {
        None => (head, None),
        Some((package, "any")) => (package, Some(Qualifier::Any)),
        Some((package, "native")) => (package, Some(Qualifier::Native)),
        Some((package, other)) => (package, Some(Qualifier::Architecture(other.parse()?))),
    };
    let package = package.parse()?;
    let (constraint, rest) = take_bracket(rest, '(', ')')?;
    let constraint = constraint.map(parse_constraint).transpose()?;
    let (list, mut rest) = take_bracket(rest, '[', ']')?;
    let architectures = list.map_or(Ok(Vec::new()), parse_architectures)?;
    let mut profiles = Vec::new();
    while let (Some(list), next) = take_bracket(rest, '<', '>')? {
        profiles.push(parse_profiles(list)?);
        rest = next;
    }
    if !rest.trim_ascii().is_empty() {
        return Err(RelationErrorKind::Trailing);
    }
    Ok(Relation { package, qualifier, constraint, architectures, profiles })
}

/// The text between brackets, if they come next, and what follows them.
fn take_bracket(text: &str, open: char, close: char) -> Result<(Option<&str>, &str), RelationErrorKind> {
    let Some(inside) = text.trim_ascii_start().strip_prefix(open) else { return Ok((None, text)) };
    match inside.split_once(close) {
        Some((list, rest)) if !list.trim_ascii().is_empty() => Ok((Some(list.trim_ascii()), rest)),
        _ => Err(RelationErrorKind::Bracket(open)),
    }
}

fn parse_constraint(text: &str) -> Result<VersionConstraint, RelationErrorKind> {
    use Operator::{Earlier, EarlierOrEqual, Equal, Later, LaterOrEqual};
    for operator in [Earlier, EarlierOrEqual, Equal, LaterOrEqual, Later] {
        if let Some(version) = text.strip_prefix(operator.as_str()) {
            return Ok(VersionConstraint { operator, version: version.trim_ascii_start().parse()? });
        }
    }
    Err(RelationErrorKind::Operator)
}

fn parse_architectures(list: &str) -> Result<Vec<Term<Architecture>>, RelationErrorKind> {
    let term = |word| {
        let (negated, name) = split_negation(word);
        Ok(Term { negated, value: name.parse()? })
    };
    list.split_ascii_whitespace().map(term).collect()
}

fn parse_profiles(list: &str) -> Result<Vec<Term<String>>, RelationErrorKind> {
    let term = |word| {
        let (negated, name) = split_negation(word);
        let allowed = !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+'));
        allowed.then(|| Term { negated, value: name.to_owned() }).ok_or(RelationErrorKind::Profile)
    };
    list.split_ascii_whitespace().map(term).collect()
}

fn split_negation(word: &str) -> (bool, &str) {
    word.strip_prefix('!').map_or((false, word), |name| (true, name))
}

fn write_joined<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: &[T], separator: &str) -> fmt::Result {
    for (n, item) in items.iter().enumerate() {
        if n > 0 {
            f.write_str(separator)?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}

impl fmt::Display for Relations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_joined(f, &self.0, ", ")
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_joined(f, &self.0, " | ")
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.package)?;
        match &self.qualifier {
            None => {}
            Some(Qualifier::Any) => f.write_str(":any")?,
            Some(Qualifier::Native) => f.write_str(":native")?,
            Some(Qualifier::Architecture(architecture)) => write!(f, ":{architecture}")?,
        }
        if let Some(constraint) = &self.constraint {
            write!(f, " ({constraint})")?;
        }
        if !self.architectures.is_empty() {
            f.write_str(" [")?;
            write_joined(f, &self.architectures, " ")?;
            f.write_str("]")?;
        }
        for list in &self.profiles {
            f.write_str(" <")?;
            write_joined(f, list, " ")?;
            f.write_str(">")?;
        }
        Ok(())
    }
}

impl fmt::Display for VersionConstraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.operator.as_str(), self.version)
    }
}

impl<T: fmt::Display> fmt::Display for Term<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.negated { "!" } else { "" }, self.value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn relations_show_as_they_are_usually_written() {
        for (text, shown) in [
            ("", ""),
            (" \n ", ""),
            ("libc6(>=2.36)", "libc6 (>= 2.36)"),
            ("aa|bb ( << 1~ ) ,\n cc:any", "aa | bb (<< 1~), cc:any"),
            (
                "aa:i386 (= 1:2-3) [amd64 !i386] <!nocheck> <stage1 cross>",
                "aa:i386 (= 1:2-3) [amd64 !i386] <!nocheck> <stage1 cross>",
            ),
            ("aa [linux-any]", "aa [linux-any]"),
            ("aa:native<!nodoc>", "aa:native <!nodoc>"),
        ] {
            assert_eq!(text.parse::<Relations>().unwrap().to_string(), shown, "{text:?}");
        }
    }

    type Case<'a> = (&'a str, fn(&RelationErrorKind) -> bool);

    #[test]
    fn bad_relations_say_what_is_wrong() {
        use RelationErrorKind as Kind;
        let cases: [Case<'_>; 17] = [
            ("aa,", |k| matches!(k, Kind::Empty)),
            ("aa,,bb", |k| matches!(k, Kind::Empty)),
            ("aa | ", |k| matches!(k, Kind::Empty)),
            ("(>= 1)", |k| matches!(k, Kind::Empty)),
            ("../x", |k| matches!(k, Kind::Package(_))),
            ("aa:", |k| matches!(k, Kind::Architecture(_))),
            ("aa:b c", |k| matches!(k, Kind::Trailing)),
            ("aa (1)", |k| matches!(k, Kind::Operator)),
            ("aa (< 1)", |k| matches!(k, Kind::Operator)),
            ("aa (>)", |k| matches!(k, Kind::Operator)),
            ("aa (>= )", |k| matches!(k, Kind::Version(_))),
            ("aa (>= 1/2)", |k| matches!(k, Kind::Version(_))),
            ("aa (>= 1", |k| matches!(k, Kind::Bracket('('))),
            ("aa []", |k| matches!(k, Kind::Bracket('['))),
            ("aa <A>", |k| matches!(k, Kind::Profile)),
            ("aa [amd64] (= 1)", |k| matches!(k, Kind::Trailing)),
            ("aa (= 1) (= 2)", |k| matches!(k, Kind::Trailing)),
        ];
        for (text, expected) in cases {
            let found = text.parse::<Relations>().unwrap_err();
            assert!(expected(&found.kind), "{text:?}: {found:?}");
        }
    }

    #[test]
    fn operators_compare() {
        let allowed = |constraint: &str| {
            let relation: Relation = format!("aa ({constraint} 2)").parse().unwrap();
            let constraint = relation.constraint.unwrap();
            ["1", "2.0", "2", "3"].map(|v| constraint.allows(&v.parse().unwrap()))
        };
        assert_eq!(allowed("<<"), [true, false, false, false]);
        assert_eq!(allowed("<="), [true, false, true, false]);
        assert_eq!(allowed("="), [false, false, true, false]);
        assert_eq!(allowed(">="), [false, true, true, true]);
        assert_eq!(allowed(">>"), [false, true, false, true]);
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_the_same(text in "(aa|bb|c+)(:any|:native|:i386|:)?( ?\\((<<|<=|=|>=|>>|<|) ?[0-9]:?[0-9]\\))?( ?\\[!?amd64( i386)?\\])?( ?<!?x>){0,2}[,|]?(dd| )?") {
            if let Ok(relations) = text.parse::<Relations>() {
                prop_assert_eq!(relations.to_string().parse::<Relations>().unwrap(), relations);
            }
        }

        #[test]
        fn any_text_ends_in_an_answer(text in "[a-c(<>=)\\[\\]!:|, \\n1é]{0,24}") {
            let _ = text.parse::<Relations>();
        }
    }
}
