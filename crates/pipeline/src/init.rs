//! `init`: a recipe to start from.

use std::io;
use std::path::{Path, PathBuf};

use distil_imgcore::Escaped;

use crate::whole_file;

/// The name under which a recipe is looked for.
pub const RECIPE_NAME: &str = "distil.toml";

/// The starter recipe.
pub const STARTER: &str = include_str!("init/distil.toml");

/// Why no starter recipe was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// There is a recipe, which is left as it is.
    #[error("{} is there already", Escaped::path(.path))]
    Exists {
        /// Its path.
        path: PathBuf,
    },
    /// The directory or the file cannot be made.
    #[error("cannot write {}", Escaped::path(.path))]
    Write {
        /// The path of the recipe.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Writes the starter recipe into a directory, which is made where it is missing, and gives its path.
///
/// # Errors
/// [`InitError::Exists`] where a recipe is there, even a link to nowhere; it is never replaced.
pub fn init(dir: &Path) -> Result<PathBuf, InitError> {
    let path = dir.join(RECIPE_NAME);
    match whole_file::create(&path, STARTER.as_bytes()) {
        Ok(()) => Ok(path),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(InitError::Exists { path }),
        Err(source) => Err(InitError::Write { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::recipe::Recipe;

    #[test]
    fn a_recipe_that_is_there_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("a/b");
        let path = init(&inner).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), STARTER);
        assert!(matches!(init(&inner), Err(InitError::Exists { .. })));
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("nowhere", &path).unwrap();
        assert!(matches!(init(&inner), Err(InitError::Exists { .. })));
        assert_eq!(fs::read_dir(&inner).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_an_error() {
        assert!(matches!(init(Path::new("/dev/null/x")), Err(InitError::Write { .. })));
    }

    /// What stands behind `#` in the starter is meant to be uncommented.
    #[test]
    fn the_starter_is_a_recipe_with_and_without_its_comments() {
        Recipe::parse(STARTER).unwrap();
        // Prose starts with a capital letter.
        let is_code =
            |text: &str| text.starts_with('[') || text.contains(" = ") && !text.starts_with(char::is_uppercase);
        let uncommented: String = STARTER
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(code) if is_code(code) => format!("{code}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        assert_ne!(uncommented, STARTER);
        Recipe::parse(&uncommented).unwrap();
    }
}
