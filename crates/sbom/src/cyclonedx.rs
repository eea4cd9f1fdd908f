//! `CycloneDX`: documents of [version 1.6](https://cyclonedx.org/docs/1.6/json/) are written, those of 1.2 to 1.7 read, as
//! JSON both.

mod address;
mod bom;
mod facts;
mod files;
mod package;
mod property;
mod refs;
mod write;

pub use write::write;
