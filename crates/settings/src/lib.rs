//! TOML documents that people write, read with the place of every mistake.
//!
//! A [`Document`] says what a text is called and how long it may be. [`Document::read`] parses it and hands its top over as a
//! [`Section`]; from there values are asked for one by one, and what is wrong with them is collected instead of ending the
//! reading, so that all can be repaired in one go. Nothing is opened, and keys that nobody knows are mistakes, too.
//!
//! ```
//! use distil_settings::{Document, Keys, ValueProblem};
//!
//! const PORTS: Document = Document { name: "the list of ports", longest: 1000 };
//! let read = |text| {
//!     PORTS.read::<ValueProblem, _>(text, Keys::all(&["http"]), |top, problems| {
//!         top.value("http").and_then(|value| value.integer(1..=65535, problems))
//!     })
//! };
//! assert_eq!(read("http = 80\n")?, Some(80));
//! let error = read("\nhtpp = 80\n").unwrap_err();
//! assert_eq!(error.to_string(), "line 2, column 1: unknown key htpp in the list of ports");
//! # Ok::<(), distil_settings::Invalid<ValueProblem>>(())
//! ```

mod document;
mod nearest;
mod place;
mod problem;
mod problems;
mod section;
mod value;
mod value_problem;

pub use document::Document;
pub use nearest::nearest;
pub use place::Place;
pub use problem::{Invalid, Problem};
pub use problems::Problems;
pub use section::{Keys, Section};
pub use value::{Named, Value};
pub use value_problem::{Quoted, Table, ValueProblem};

/// A date with neither time nor place, as TOML has it.
pub use toml::value::Date;

#[cfg(test)]
mod tests;
