//! Placeholder.

pub mod ar;
pub mod decompress;
#[cfg(test)]
mod testdeb;
