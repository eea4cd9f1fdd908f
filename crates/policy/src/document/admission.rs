//! `[admission]`: where images may come from, and how they are named.

/// Where images may come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Admission {
    /// Registries, or repositories in them, that an image may be in: `registry.example.org/prod` stands for all below it,
    /// compared segment by segment. All where there is none.
    pub registries: Vec<String>,
    /// What follows for an image that is in none of them.
    pub no_match: Response,
    /// Whether an image must be named by its digest.
    pub require_digest: bool,
    /// Tags by which it must not be named.
    pub forbid_tags: Vec<String>,
    /// The images that it may be built upon, each with all below it, compared segment by segment. All where there is none.
    pub base_images: Vec<String>,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Response {
    /// Nothing.
    Allow,
    /// A warning.
    Warn,
    /// It is against the image.
    #[default]
    Deny,
}
