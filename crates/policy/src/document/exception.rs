//! `[[exception]]` and `[exceptions]`: what is let pass for a while, and what is asked of that.

use std::collections::BTreeSet;

use distil_vulns::Level;
use jiff::civil::Date;

use super::glob::Glob;

/// A vulnerability that is let pass for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// The vulnerability, by any of its identifiers.
    pub id: String,
    /// The source or binary packages in which it is let pass.
    pub package: Glob,
    /// The versions of the source package in which it is let pass, as relations in Debian's order: `<= 1:1.2.13.dfsg-1`. All
    /// must hold; none for every version.
    pub versions: Vec<(Relation, String)>,
    /// From the start of this day (UTC) on it counts again.
    pub expires: Date,
    /// It counts again where it is worse than this.
    pub max_severity: Option<Level>,
    /// Why.
    pub reason: Option<String>,
    /// Who says so.
    pub approved_by: Option<String>,
    /// The line of the policy where it stands, from 1.
    pub line: usize,
}

/// How a version is compared with another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `<` or `<<`
    Earlier,
    /// `<=`
    EarlierOrEqual,
    /// `=`
    Equal,
    /// `>=`
    LaterOrEqual,
    /// `>` or `>>`
    Later,
}

/// What is asked of exceptions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exceptions {
    /// The most days from now to the end of an exception; none for any number.
    pub max_duration: Option<u32>,
    /// What each one must have. The parser sees to it.
    pub require: BTreeSet<Requirement>,
    /// What an exception means that nothing needs.
    pub unused: Reaction,
    /// What an exception means whose time is over.
    pub expired: Reaction,
}

/// What an exception must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requirement {
    /// `reason`
    Reason,
    /// `approved-by`
    ApprovedBy,
}

/// What follows from something that is not in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// It is told.
    Warn,
    /// It is against the image.
    Fail,
}

impl Default for Exceptions {
    fn default() -> Self {
        Self {
            max_duration: Some(180),
            require: [Requirement::Reason, Requirement::ApprovedBy].into(),
            unused: Reaction::Warn,
            expired: Reaction::Fail,
        }
    }
}
