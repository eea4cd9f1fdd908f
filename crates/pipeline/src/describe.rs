//! What is in an image: found while a package is converted, or by looking through a finished image.

mod description;
mod join;
mod look;
mod scan;

pub(crate) use description::{Description, Draft};
pub(crate) use join::{Belongs, Pieces};
pub(crate) use look::{Hashed, Look, Looking, SeenFile, copyright_of, is_os_release};
pub(crate) use scan::{debs, facts, linked, scan, survey};
