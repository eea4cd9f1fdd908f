//! Licences of packages.

/// The licences of a package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Licences {
    /// What its authors declare, as an SPDX expression. None where nothing was found, which is not "no licence".
    pub declared: Option<String>,
    /// What holds for it by the rules of this crate. None as above.
    pub concluded: Option<String>,
    /// Lines of copyright, without duplicates, in the order of the file.
    pub copyright: Vec<String>,
    /// What was guessed to come to the expression, for people.
    pub remarks: Vec<String>,
}
