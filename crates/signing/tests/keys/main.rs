//! Keys through the public interface: files of cosign and OpenSSL, and the vectors of Wycheproof.
#![expect(clippy::unwrap_used, reason = "what stops a test is its result")]

mod import;
mod load;
mod openssl;
mod wycheproof;

/// The bytes of a file below `tests/data/keys`.
#[macro_export]
macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("../data/keys/", $name)).as_slice()
    };
}
