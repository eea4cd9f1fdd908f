//! Draws the mistakes of a recipe, or of another document that people write, into its text.

use std::fmt;
use std::ops::Range;
use std::path::Path;

use distil_pipeline::Escaped;
use distil_pipeline::policy::PolicyProblem;
use distil_pipeline::recipe::{Invalid, ProblemKind, ValueProblem};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};

/// Lines longer than this are not drawn: nobody writes them, and a terminal cannot show them.
const LONGEST_LINE: usize = 300;
/// Texts longer than this, in bytes, are not drawn.
const LONGEST_TEXT: usize = 1 << 20;

/// A kind of mistakes, for those who have to repair one.
pub(crate) trait Mistake: std::error::Error {
    /// How to.
    fn advice(&self) -> Option<String>;

    /// Whether the text has a secret in it.
    fn is_secret(&self) -> bool {
        false
    }
}

/// All mistakes, each with the lines around it.
pub(crate) fn render<K: Mistake>(path: &Path, text: &str, error: &Invalid<K>, color: bool) -> String {
    let name = Escaped::path(path).to_string();
    let source = NamedSource::new(&name, clean(text));
    // The lines of a text with a password are not for a terminal or a log, whichever mistake they are around.
    let secret = error.problems.iter().any(|problem| problem.kind.is_secret());
    let short = text.len() <= LONGEST_TEXT && text.lines().all(|l| l.len() <= LONGEST_LINE);
    let drawable = short && !secret;
    let theme = if color { GraphicalTheme::unicode() } else { GraphicalTheme::none() };
    // The width is fixed, so that one mistake looks the same in every log.
    let handler = GraphicalReportHandler::new_themed(theme).with_width(100).with_links(false).with_context_lines(1);
    let mut out = String::new();
    for problem in &error.problems {
        let mut drawing = String::new();
        let shown = Shown { mistake: &problem.kind, span: problem.span.clone(), source: &source };
        if drawable && handler.render_report(&mut drawing, &shown).is_ok() {
            out.push_str(&drawing);
            out.push('\n');
        } else {
            out.extend([format!("error: {name}: {problem}\n")]);
        }
    }
    let count = error.problems.len();
    let mistakes = if count == 1 { "1 mistake".to_owned() } else { format!("{count} mistakes") };
    out + &format!("error: {name} has {mistakes}")
}

/// The text with everything that a terminal would obey taken out, and all places as they were.
fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let plain =
            c == '\n' || c == '\t' || Escaped(c.encode_utf8(&mut [0; 4]).as_bytes()).to_string() == c.to_string();
        if plain {
            out.push(c);
        } else {
            out.extend(std::iter::repeat_n('?', c.len_utf8()));
        }
    }
    out
}

/// One mistake as miette draws it.
struct Shown<'a> {
    mistake: &'a dyn Mistake,
    span: Range<usize>,
    source: &'a NamedSource<String>,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.mistake, f)
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.mistake, f)
    }
}

impl std::error::Error for Shown<'_> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.mistake.source()
    }
}

impl Diagnostic for Shown<'_> {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::new_with_span(Some("here".to_owned()), self.span.clone());
        Some(Box::new(std::iter::once(label)))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.mistake.advice().map(|text| Box::new(text) as Box<dyn fmt::Display>)
    }
}

/// What is advised of a value of any document, whose keys `schema` prints.
fn of_value(problem: &ValueProblem, schema: &str) -> Option<String> {
    match problem {
        ValueProblem::UnknownKey { nearest: Some(nearest), .. }
        | ValueProblem::NotOneOf { nearest: Some(nearest), .. } => Some(format!("did you mean {nearest}?")),
        ValueProblem::UnknownKey { .. } => Some(format!("`{schema}` prints all keys")),
        _ => None,
    }
}

impl Mistake for ProblemKind {
    fn advice(&self) -> Option<String> {
        match self {
            Self::UnknownUser { nearest: Some(nearest), .. } => Some(format!("did you mean {nearest}?")),
            Self::UnknownUser { .. } => Some("add a table [users.NAME] with a uid, or write a number".to_owned()),
            Self::NoSource { .. } => Some("it is looked for in the directory of the recipe".to_owned()),
            Self::NoMatch { .. } => Some("patterns are relative to the directory of the recipe".to_owned()),
            Self::NotADirectory { .. } => Some("leave out the slash at the end to copy a file".to_owned()),
            Self::Special { .. } | Self::Name { .. } | Self::ReservedTarget { .. } => {
                Some("take it out of the source, or name the files that are wanted one by one".to_owned())
            }
            Self::Value(ValueProblem::Never { .. }) => {
                Some("leave it out, and give the repository a key under signed-by".to_owned())
            }
            Self::Credentials { .. } => Some("put it into a file of credentials in the form of netrc".to_owned()),
            Self::Excluded { .. } => Some("ask for the package or exclude it, not both".to_owned()),
            Self::Value(problem) => of_value(problem, "distil schema"),
            _ => None,
        }
    }

    fn is_secret(&self) -> bool {
        matches!(self, Self::Credentials { .. })
    }
}

impl Mistake for PolicyProblem {
    fn advice(&self) -> Option<String> {
        match self {
            Self::UnknownRule { nearest: Some(nearest), .. } => Some(format!("did you mean {nearest}?")),
            Self::NoAuthority { table, .. } => {
                Some(format!("add a table [[{table}.authority]] with a name, and a key or an identity"))
            }
            Self::OtherAuthority { .. } => Some("give it another name".to_owned()),
            Self::Contradiction { .. } => Some("leave it out of one of the two".to_owned()),
            Self::Value(ValueProblem::WrongType { expected: "a date", .. }) => {
                Some("a date stands without quotation marks, as in 2027-01-31".to_owned())
            }
            Self::Value(problem) => elsewhere(problem).or_else(|| of_value(problem, "distil schema policy")),
            _ => None,
        }
    }
}

/// Keys that somebody may look for in a policy and that are none, by table, and where what they ask for is done.
const ELSEWHERE: [(&str, &[&str], &str); 4] = [
    (
        "data",
        &["osv", "debian-tracker", "kev", "epss", "distro-info"],
        "`distil db import` takes such lists, and makes the database that images are judged with",
    ),
    ("registry", &["retention"], "which images go is for the registry's own rules: distil deletes none"),
    ("admission", &["namespaces-exclude"], "distil knows no namespaces: the cluster says for which it asks"),
    ("hardening.allow", &["annotations-required"], "it stands in [hardening]"),
];

fn elsewhere(problem: &ValueProblem) -> Option<String> {
    let ValueProblem::UnknownKey { table, key, .. } = problem else { return None };
    let key = key.replace('_', "-");
    let found = ELSEWHERE.iter().find(|(name, keys, _)| *name == table.name && keys.contains(&key.as_str()));
    found.map(|(_, _, advice)| (*advice).to_owned())
}

#[cfg(test)]
mod tests {
    use distil_pipeline::inputs::InputError;
    use distil_pipeline::policy::Policy;
    use distil_pipeline::recipe::Recipe;

    use super::*;

    fn rendered(text: &str) -> String {
        render(Path::new("distil.toml"), text, &Recipe::parse(text).unwrap_err(), false)
    }

    #[test]
    fn mistakes_are_drawn_into_the_text() {
        insta::assert_snapshot!(rendered(
            "[image]\nentripoint = [\"/usr/bin/app\"]\nuser = \"app\"\n\n[debian]\npackages = [\"libc6 2.36\"]\n\n\
             [files]\n\"etc/x\" = { source = \"x\", mode = \"rw\" }\n"
        ));
    }

    #[test]
    fn mistakes_of_a_policy_are_drawn_into_the_text() {
        let text = "version = 1\n\n[vulnerabilities]\nresolution = { critical = \"48h\" }\nstrat = \"published\"\n\n\
                    [[exception]]\nid = \"CVE-2023-45853\"\npackage = \"zlib\"\nexpires = \"2027-01-31\"\n\
                    reason = \"MiniZip is not built\"\n\n[hardening.rules]\nDSTL-CFG-01 = \"off\"\n\n\
                    [signatures]\nrequire-signature = true\n";
        let error = Policy::parse(text).unwrap_err();
        insta::assert_snapshot!(render(Path::new("distil-policy.toml"), text, &error, false));
    }

    #[test]
    fn what_is_done_elsewhere_is_told_where() {
        let advice = |text: &str| {
            let error = Policy::parse(&format!("version = 1\n{text}")).unwrap_err();
            error.problems.iter().filter_map(|problem| problem.kind.advice()).collect::<Vec<_>>().join("\n")
        };
        for key in ["osv", "debian-tracker", "debian_tracker", "kev", "epss", "distro-info"] {
            assert!(advice(&format!("data.{key} = 'x'")).contains("distil db import"), "{key}");
        }
        assert!(advice("registry.retention.dry-run = true").contains("deletes none"));
        assert!(advice("admission.namespaces-exclude = ['kube-system']").contains("cluster"));
        assert!(advice("hardening.allow.annotations-required = []").contains("[hardening]"));
        assert!(advice("vulnerabilities.zzz = 1").contains("distil schema policy"));
    }

    #[test]
    fn what_is_not_toml_is_drawn_too() {
        insta::assert_snapshot!(rendered("[image\nuser = 'a'\n"));
    }

    #[test]
    fn no_text_reaches_the_terminal_as_a_command() {
        let out = rendered("a = '\u{1b}[2J\u{9b}2J\u{202e}'\n\"\\u001b[2J\" = 1\n");
        assert!(!out.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')), "{out:?}");
    }

    #[test]
    fn a_huge_line_is_not_drawn() {
        let out = rendered(&format!("x = '{}'", "y".repeat(10_000)));
        assert!(out.len() < 400, "{out}");
    }

    #[test]
    fn a_password_is_not_drawn() {
        let out = rendered(
            "[[debian.sources]]\nuris = ['https://me:secret@mirror.example.org/']\nsuites = ['./']\nsigned-by = 1\n",
        );
        assert!(!out.contains("secret"), "{out}");
        assert!(out.contains("debian.sources[0].uris[0] holds a user name or a password"), "{out}");
    }

    #[test]
    fn what_a_recipe_names_and_is_not_there_is_drawn_too() {
        let text = "[debian]\ndebs = [\"dist/*.deb\"]\n\n[files]\n\"/app/x\" = { source = \"x\" }\n";
        let found = distil_pipeline::inputs::find(&Recipe::parse(text).unwrap(), Path::new("/dev/null"));
        let Err(InputError::Recipe(error)) = found else { panic!("{found:?}") };
        insta::assert_snapshot!(render(Path::new("distil.toml"), text, &error, false));
    }
}
