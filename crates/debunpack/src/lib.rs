//! Placeholder.

pub mod ar;
mod architecture;
pub mod conffiles;
mod control;
pub mod deb822;
pub mod decompress;
pub mod md5sums;
mod package_name;
mod relation;
mod version;

pub use architecture::{Architecture, ArchitectureError};
pub use control::{Control, ControlError, MultiArch, RelationField, Source, ValueError};
pub use md5sums::{Md5Sum, Md5sums};
pub use package_name::{PackageName, PackageNameError};
pub use relation::{
    Group, Operator, Qualifier, Relation, RelationError, RelationErrorKind, Relations, Term, VersionConstraint,
};
pub use version::{Version, VersionError, VersionErrorKind};

#[cfg(test)]
mod testdeb;
