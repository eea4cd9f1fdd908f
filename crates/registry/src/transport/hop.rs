//! Where an answer may lead.
//!
//! A registry keeps its blobs elsewhere as it likes, and says so with a redirect; what comes from there is checked by its
//! digest. Over TLS that may be any host of the public network. Without TLS nobody knows who it was that answered, so that
//! only another port of the same host is followed. Manifests may be elsewhere over TLS alone, since nothing but the word of the
//! registry says which one a tag names. All other redirects stay with the registry.

use distil_net::{Reach, is_loopback};
use url::Url;

/// Which addresses a redirect may go to: the user named the registry, and the registry everything else.
pub(super) fn reach(home: &Url, to: &Url) -> Reach {
    let is_here = home.host().is_some_and(|host| is_loopback(&host));
    let other_port_here = home.scheme() == "http" && is_here && home.host() == to.host();
    if to.origin() == home.origin() || other_port_here { Reach::Anywhere } else { Reach::Public }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_registry_may_be_at_any_address() {
        let url = |text| Url::parse(text).unwrap();
        for (home, to, expected) in [
            ("https://a.example/v2/", "https://a.example/z", Reach::Anywhere),
            ("https://a.example/v2/", "https://a.example:444/z", Reach::Public),
            ("https://a.example/v2/", "https://b.example/z", Reach::Public),
            ("http://localhost:5000/v2/", "http://localhost:5001/z", Reach::Anywhere),
            ("http://a.example/v2/", "http://a.example:81/z", Reach::Public),
        ] {
            assert_eq!(reach(&url(home), &url(to)), expected, "{home} {to}");
        }
    }
}
