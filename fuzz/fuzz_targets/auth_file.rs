//! A login that is found is that of the host that was asked for, and a helper's name is no path.

#![no_main]

use distil_registry::{AuthFile, Source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(file) = AuthFile::parse("auth.json", input) else { return };
    let text = String::from_utf8_lossy(input);
    for host in ["a", "b.example:5000", "docker.io"] {
        for repository in ["x", "team/app"] {
            match file.find(host, repository) {
                // Escapes in the file can spell the host in many ways.
                Some(Source::Login(_)) => assert!(text.contains(host) || text.contains('\\'), "{text}"),
                Some(Source::Helper { name, server }) => {
                    assert!(!name.is_empty() && !name.contains(['/', ' ', '\0', '\n']) && !name.starts_with('.'));
                    assert!(server == host || server == "https://index.docker.io/v1/");
                }
                None => {}
            }
        }
    }
});
