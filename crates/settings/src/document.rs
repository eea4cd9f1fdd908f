//! From a text to its top.

use toml::de::DeTable;

use crate::problem::Invalid;
use crate::problems::Problems;
use crate::section::{Keys, Section};
use crate::value_problem::ValueProblem;

/// A kind of document.
#[derive(Debug, Clone, Copy)]
pub struct Document {
    /// How messages name it, with an article: "the recipe".
    pub name: &'static str,
    /// The longest text that is read, in bytes.
    pub longest: usize,
}

impl Document {
    /// Reads a text: parses it, and has `read` make something of its top, whose keys are `keys`.
    ///
    /// # Errors
    /// [`Invalid`] with every mistake that was found; where the text is not TOML, with what is wrong about that alone.
    pub fn read<K: From<ValueProblem> + PartialEq, T>(
        &self,
        text: &str,
        keys: Keys,
        read: impl FnOnce(&Section<'_, '_>, &mut Problems<'_, K>) -> T,
    ) -> Result<T, Invalid<K>> {
        let mut problems = Problems::new(text, self.name);
        if text.len() > self.longest {
            problems.add(0..0, ValueProblem::TooLarge { found: text.len(), max: self.longest });
            return Err(Invalid { problems: problems.finish() });
        }
        let (document, errors) = DeTable::parse_recoverable(text);
        let broken = !errors.is_empty();
        for error in errors {
            let span = error.span().unwrap_or(text.len()..text.len());
            problems.add(span, ValueProblem::Syntax { message: error.message().to_owned() });
        }
        // What a parser guesses after an error is no basis for more complaints.
        let made = if broken {
            None
        } else {
            let top = Section::open(String::new(), document.span(), document.get_ref(), keys, &mut problems);
            Some(read(&top, &mut problems))
        };
        let problems = problems.finish();
        made.filter(|_| problems.is_empty()).ok_or(Invalid { problems })
    }
}
