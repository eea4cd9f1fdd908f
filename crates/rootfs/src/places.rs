//! Paths that this crate knows by name.

use distil_imgcore::ImagePath;

pub(crate) const CA_BUNDLE: &str = "etc/ssl/certs/ca-certificates.crt";
pub(crate) const CA_CONF: &str = "etc/ca-certificates.conf";
pub(crate) const CA_PACKAGED: &str = "usr/share/ca-certificates";
pub(crate) const CA_LOCAL: &str = "usr/local/share/ca-certificates";
pub(crate) const DOCS: &str = "usr/share/doc";
pub(crate) const GROUP: &str = "etc/group";
pub(crate) const GSHADOW: &str = "etc/gshadow";
pub(crate) const NSSWITCH: &str = "etc/nsswitch.conf";
pub(crate) const NSSWITCH_DEFAULT: &str = "usr/share/libc-bin/nsswitch.conf";
pub(crate) const OPENSSL_CERT_FILE: &str = "usr/lib/ssl/cert.pem";
pub(crate) const PASSWD: &str = "etc/passwd";
pub(crate) const SHADOW: &str = "etc/shadow";

/// The path with a name from this source.
pub(crate) fn at(name: &'static str) -> ImagePath {
    ImagePath::from_archive(name.as_bytes()).expect("a relative path without dots is written in the source")
}
