//! Where an answer may lead.
//!
//! A registry keeps its blobs elsewhere as it likes, and says so with a redirect; what comes from there is checked by its
//! digest. Over TLS that may be any host of the public network, and of the private one that the registry itself is in. Without TLS nobody knows who it was that answered, so that
//! only another port of the same host is followed. Manifests may be elsewhere over TLS alone, since nothing but the word of the
//! registry says which one a tag names. All other redirects stay with the registry.

use distil_net::{Reach, is_loopback};
use url::Url;

/// Which addresses are asked: the user named the registry, and the registry everything else. `led` is what whoever leads to
/// this URL may lead to.
pub(super) fn reach(home: &Url, to: &Url, led: Reach) -> Reach {
    let is_here = home.host().is_some_and(|host| is_loopback(&host));
    let other_port_here = home.scheme() == "http" && is_here && home.host() == to.host();
    if to.origin() == home.origin() || other_port_here { Reach::Anywhere } else { led }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_registry_may_be_at_any_address() {
        let url = |text| Url::parse(text).unwrap();
        for (home, to, expected) in [
            ("https://a.example/v2/", "https://a.example/z", Some(Reach::Anywhere)),
            ("http://localhost:5000/v2/", "http://localhost:5001/z", Some(Reach::Anywhere)),
            ("https://a.example/v2/", "https://a.example:444/z", None),
            ("https://a.example/v2/", "https://b.example/z", None),
            ("https://localhost:5000/v2/", "https://localhost:5001/z", None),
            ("http://a.example/v2/", "http://a.example:81/z", None),
        ] {
            for led in [Reach::Public, Reach::Near] {
                assert_eq!(reach(&url(home), &url(to), led), expected.unwrap_or(led), "{home} {to}");
            }
        }
    }
}
