//! Names of locales: `de_AT.UTF-8@euro`.

use std::fmt;

/// Language and territory of a locale's name. Code set and modifier are read and left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LocaleName {
    language: String,
    territory: Option<String>,
}

impl LocaleName {
    /// Reads `LANGUAGE[_TERRITORY][.CODESET][@MODIFIER]`, where the language is `C`, `POSIX` or two or three small
    /// letters. `None` for everything else, `locale.alias` among it.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (name, modifier) = split(name, '@');
        let (name, codeset) = split(name, '.');
        let (language, territory) = split(name, '_');
        let is_c = matches!(language, "C" | "POSIX");
        let is_language = matches!(language.len(), 2 | 3) && language.bytes().all(|b| b.is_ascii_lowercase());
        let is_word =
            |word: &str| (1..=32).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let words = [territory, codeset, modifier];
        let fits = (is_c && territory.is_none() || is_language) && words.into_iter().flatten().all(is_word);
        fits.then(|| Self { language: language.to_owned(), territory: territory.map(str::to_owned) })
    }

    /// Whether this is the locale that programs have without any: `C` or `POSIX`.
    pub(crate) fn is_c(&self) -> bool {
        matches!(&*self.language, "C" | "POSIX")
    }

    /// Whether somebody with this locale has a use for the files of another: the same language, and no two different
    /// territories.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let same_place = match (&self.territory, &other.territory) {
            (Some(a), Some(b)) => a == b,
            _ => true,
        };
        self.language == other.language && same_place
    }
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

impl fmt::Display for LocaleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.language)?;
        self.territory.iter().try_for_each(|territory| write!(f, "_{territory}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_or_refused() {
        for (name, expected) in [
            ("de", "de"),
            ("de_AT.UTF-8@euro", "de_AT"),
            ("C.utf8", "C"),
            ("es_419", "es_419"),
            ("sr@latin", "sr"),
            ("nan_TW@x", "nan_TW"),
        ] {
            assert_eq!(LocaleName::parse(name).unwrap().to_string(), expected);
        }
        for name in
            ["", "d", "locale.alias", "locale-archive", "DE", "de_", "de@", "C_X", "de_A/T", "de_AT\n", "german"]
        {
            assert_eq!(LocaleName::parse(name), None, "{name}");
        }
    }
}
