//! `CycloneDX`: documents of [version 1.6](https://cyclonedx.org/docs/1.6/json/) are written, those of 1.2 to 1.7 read, as
//! JSON both.

mod address;
mod bom;
mod facts;
mod files;
mod package;
mod property;
mod read;
mod refs;
#[cfg(test)]
mod tests;
mod write;

pub use read::{ReadError, read};
pub use write::write;
