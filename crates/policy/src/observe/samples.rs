//! Where packages keep samples: certificates for tests, examples in documentation.

/// Whether what looks like a secret here is a sample, in a file of a package or of nobody known.
///
/// A team's own files count wherever they lie, but for the tests of language runtimes, which bases bring without records.
/// Libraries of cryptography carry the keys with which they test themselves.
pub(super) fn is_sample(path: &str, is_of_package: bool, is_elf: bool) -> bool {
    let is_built_in = is_elf
        && is_of_package
        && ["usr/", "lib/", "lib64/", "bin/", "sbin/"].iter().any(|folder| path.starts_with(folder));
    let in_tests = path.split('/').any(|part| matches!(part, "test" | "tests" | "testdata" | "test-data" | "testing"));
    // What people test their own cryptography with is published, keys and all.
    let is_vectors = is_of_package && path.split('/').any(|part| part.ends_with("_vectors") || part == "fixtures");
    let is_runtime = ["usr/lib/", "usr/local/lib/", "usr/share/", "opt/"].iter().any(|folder| path.starts_with(folder))
        && ["python", "ruby", "node_modules", "perl", "go/src", "golang", "php"].iter().any(|name| path.contains(name));
    let is_documentation = is_of_package
        && (["usr/share/", "usr/include/"].iter().any(|folder| path.starts_with(folder))
            || ["/examples/", "/doc/", "/docs/"].iter().any(|part| path.contains(part))
            // The description of a Python package, which is its README.
            || ["/PKG-INFO", "/METADATA"].iter().any(|name| path.ends_with(name)));
    in_tests && (is_of_package || is_runtime)
        || is_vectors
        || is_documentation
        || is_built_in
        || path.ends_with("/ssl-cert-snakeoil.key")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_of_runtimes_and_documentation_of_packages_are_samples() {
        assert!(is_sample("usr/lib/python3.11/test/keycert.pem", true, false));
        assert!(is_sample("usr/local/lib/python3.12/test/certdata/keycert.pem", false, false));
        assert!(is_sample("usr/share/doc/openssl/demos/x.pem", true, false));
        assert!(is_sample("etc/ssl/private/ssl-cert-snakeoil.key", false, false));
        assert!(is_sample("usr/lib/python3/dist-packages/PyJWT-2.6.0.egg-info/PKG-INFO", true, false));
        assert!(is_sample("usr/lib/python3/dist-packages/cryptography_vectors/x509/custom/ca/ca_key.pem", true, false));
        assert!(!is_sample("app/cryptography_vectors/key.pem", false, false));
        assert!(!is_sample("usr/share/app/key.pem", false, false));
        assert!(!is_sample("app/tests/key.pem", false, false));
        assert!(!is_sample("etc/app/key.pem", true, false));
        assert!(is_sample("usr/lib/x86_64-linux-gnu/libgnutls.so.30", true, true));
        assert!(!is_sample("usr/bin/app", false, true));
        assert!(!is_sample("app/run", true, true));
    }
}
