//! Draws the mistakes of a recipe into its text.

use std::fmt;
use std::path::Path;

use distil_pipeline::Escaped;
use distil_pipeline::recipe::{Problem, ProblemKind, RecipeError};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};

/// Lines longer than this are not drawn: a recipe has none, and a terminal cannot show them.
const LONGEST_LINE: usize = 300;

/// All mistakes, each with the lines around it.
pub(crate) fn render(path: &Path, text: &str, error: &RecipeError, color: bool) -> String {
    let name = Escaped::path(path).to_string();
    let source = NamedSource::new(&name, clean(text));
    // The lines of a recipe with a password are not for a terminal or a log, whichever mistake they are around.
    let secret = error.problems.iter().any(|problem| matches!(problem.kind, ProblemKind::Credentials { .. }));
    let short = text.len() <= distil_pipeline::recipe::MAX_RECIPE && text.lines().all(|l| l.len() <= LONGEST_LINE);
    let drawable = short && !secret;
    let theme = if color { GraphicalTheme::unicode() } else { GraphicalTheme::none() };
    // The width is fixed, so that one mistake looks the same in every log.
    let handler = GraphicalReportHandler::new_themed(theme).with_width(100).with_links(false).with_context_lines(1);
    let mut out = String::new();
    for problem in &error.problems {
        let mut drawing = String::new();
        let shown = Shown { problem, source: &source };
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
    problem: &'a Problem,
    source: &'a NamedSource<String>,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.kind.fmt(f)
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl std::error::Error for Shown<'_> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.problem.kind.source()
    }
}

impl Diagnostic for Shown<'_> {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::new_with_span(Some("here".to_owned()), self.problem.span.clone());
        Some(Box::new(std::iter::once(label)))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        advice(&self.problem.kind).map(|text| Box::new(text) as Box<dyn fmt::Display>)
    }
}

/// How to repair a mistake.
fn advice(kind: &ProblemKind) -> Option<String> {
    match kind {
        ProblemKind::UnknownKey { nearest: Some(nearest), .. }
        | ProblemKind::NotOneOf { nearest: Some(nearest), .. }
        | ProblemKind::UnknownUser { nearest: Some(nearest), .. } => Some(format!("did you mean {nearest}?")),
        ProblemKind::UnknownUser { .. } => Some("add a table [users.NAME] with a uid, or write a number".to_owned()),
        ProblemKind::UnknownKey { .. } => Some("`distil schema` prints all keys".to_owned()),
        ProblemKind::NoSource { .. } => Some("it is looked for in the directory of the recipe".to_owned()),
        ProblemKind::NoMatch { .. } => Some("patterns are relative to the directory of the recipe".to_owned()),
        ProblemKind::NotADirectory { .. } => Some("leave out the slash at the end to copy a file".to_owned()),
        ProblemKind::Special { .. } | ProblemKind::Name { .. } | ProblemKind::ReservedTarget { .. } => {
            Some("take it out of the source, or name the files that are wanted one by one".to_owned())
        }
        ProblemKind::Never { .. } => Some("leave it out, and give the repository a key under signed-by".to_owned()),
        ProblemKind::Credentials { .. } => Some("put it into a file of credentials in the form of netrc".to_owned()),
        ProblemKind::Excluded { .. } => Some("ask for the package or exclude it, not both".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use distil_pipeline::inputs::InputError;
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
