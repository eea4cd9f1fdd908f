//! The addresses of services that somebody names.

use url::Url;

/// A URL to which paths are added; nothing where this is none.
pub(super) fn base(text: &str) -> Option<Url> {
    let mut base: Url = text.parse().ok()?;
    if base.cannot_be_a_base() || base.query().is_some() || base.fragment().is_some() {
        return None;
    }
    if !base.path().ends_with('/') {
        base.set_path(&format!("{}/", base.path()));
    }
    Some(base)
}
