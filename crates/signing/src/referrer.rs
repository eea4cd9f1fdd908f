//! Bundles as referrers of an image.
