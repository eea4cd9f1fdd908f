//! The verbs of distil as a library: what a recipe says, and what is built, read, compared and copied for it.

pub mod inputs;
mod progress;
pub mod recipe;
mod schema;

pub use progress::{Phase, Progress, Silent};
pub use schema::RECIPE_SCHEMA;
