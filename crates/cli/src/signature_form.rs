//! The options that say in which form something is signed.

use clap::{Args, ValueEnum};
use distil_pipeline::signing::Formats;

/// Options of commands that put something beside an image.
#[derive(Debug, Args)]
pub(crate) struct SignatureForm {
    /// In which form: as cosign 2 has it, as a bundle of cosign 3, or both
    #[arg(long, value_name = "FORM", default_value = "both")]
    format: FormName,
    /// The repository that is signed for, in place of the one that the image is in
    #[arg(long = "reference", value_name = "NAME")]
    name: Option<String>,
}

/// A form by its name.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum FormName {
    Legacy,
    Bundle,
    Both,
}

impl SignatureForm {
    /// The forms to write.
    pub(crate) fn formats(&self) -> Formats {
        self.format.into()
    }

    /// The repository that was stated.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

impl From<FormName> for Formats {
    fn from(name: FormName) -> Self {
        match name {
            FormName::Legacy => Self::Legacy,
            FormName::Bundle => Self::Bundle,
            FormName::Both => Self::Both,
        }
    }
}

/// Reads an annotation from the command line.
pub(crate) fn annotation(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("an annotation is KEY=VALUE".to_owned()),
    }
}
