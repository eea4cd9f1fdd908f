//! A recipe as it was written, for messages that show its lines.

use std::path::PathBuf;

use distil_pipeline::init::RECIPE_NAME;
use distil_pipeline::inputs::{self, InputError};
use distil_pipeline::recipe::{Recipe, RecipeError};
use distil_pipeline::{LockError, lock_path};

use crate::failure::{Failure, Mistaken};

/// A recipe as it was written.
#[derive(Debug)]
pub(crate) struct Written {
    path: PathBuf,
    text: String,
}

impl Written {
    /// Reads the recipe that was named, or the one of the usual name.
    pub(crate) fn read(named: Option<PathBuf>) -> Result<Self, Failure> {
        let path = named.unwrap_or_else(|| PathBuf::from(RECIPE_NAME));
        Ok(Self { text: inputs::read_recipe(&path)?, path })
    }

    /// What it says.
    pub(crate) fn recipe(&self) -> Result<Recipe, Failure> {
        Recipe::parse(&self.text).map_err(|error| self.mistaken(error))
    }

    /// A mistake in it, drawn into its text.
    pub(crate) fn mistaken(&self, error: RecipeError) -> Failure {
        Failure::Recipe(Box::new(Mistaken { path: self.path.clone(), text: self.text.clone(), error }))
    }

    /// What kept its packages from being chosen.
    pub(crate) fn explained(&self, error: LockError) -> Failure {
        match error {
            LockError::Input(InputError::Recipe(error)) => self.mistaken(error),
            error => error.into(),
        }
    }

    /// The directory to which the recipe's paths are relative.
    pub(crate) fn directory(&self) -> PathBuf {
        match self.path.parent() {
            Some(dir) if !dir.as_os_str().is_empty() => dir.to_owned(),
            _ => PathBuf::from("."),
        }
    }

    /// Where its lock is.
    pub(crate) fn lock_path(&self) -> PathBuf {
        lock_path(&self.path)
    }
}
