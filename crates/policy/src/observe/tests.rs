use distil_imgcore::Metadata;
use proptest::prelude::*;

use super::*;

fn entry(path: &str, size: usize) -> Entry {
    let path = ImagePath::from_archive(path.as_bytes()).unwrap();
    Entry { path, kind: EntryKind::File { size: size as u64 }, meta: Metadata::root(0o755, 0) }
}

fn look(path: &str, bytes: &[u8], piece: usize) -> Looked {
    let mut looker = Looker::new(&entry(path, bytes.len()));
    for piece in bytes.chunks(piece.max(1)) {
        looker.update(piece);
    }
    looker.finish()
}

/// The smallest program that has headers and a segment.
fn elf() -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0".to_vec();
    bytes.extend([0; 8]);
    bytes.extend(64_u64.to_le_bytes());
    bytes.extend([0; 8]);
    bytes.extend([0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 64, 0, 0, 0, 0, 0]);
    bytes.extend([1, 0, 0, 0, 5, 0, 0, 0]);
    bytes.extend([0; 48]);
    bytes
}

const PATHS: &[&str] = &[
    "etc/passwd",
    "etc/shadow",
    "etc/group",
    "root/.netrc",
    "root/.docker/config.json",
    "app/.npmrc",
    "etc/apt/sources.list",
    "etc/ld.so.preload",
    "root/.pgpass",
    "app/tool",
];

#[test]
fn a_program_is_told_from_its_headers() {
    let rules: Vec<&str> = look("app/tool", &elf(), 7).sights.iter().map(|sight| sight.rule).collect();
    assert_eq!(rules, ["DSTL-ELF-001", "DSTL-ELF-004"]);
}

#[test]
fn a_file_of_variables_without_a_secret_has_no_login() {
    let rules = |path: &str, text: &str| look(path, text.as_bytes(), 7).sights.len();
    let secret = "DEBUG=1\nAPI_KEY=\"0123-abcd\"\n";
    assert_eq!(rules("app/.env", secret), 1);
    for path in ["app/.env.example", "app/.envrc", "app/my.env", "app/env"] {
        assert_eq!(rules(path, secret), 0, "{path}");
    }
    for line in
        ["DB_PASSWORD=", "# DB_PASSWORD=hunter22", "DB_PASSWORD=${OTHER}", "PASSWORD_FILE=/run/secrets/db", "PORT=80"]
    {
        assert_eq!(rules("app/.env", line), 0, "{line}");
    }
}

#[test]
fn text_that_steers_a_terminal_is_escaped() {
    let config = ConfigFacts { user: Some("a\u{1b}[31m".into()), ..ConfigFacts::default() };
    let mut observer = Observer::new(&config);
    let bytes = b"\x1b[31mevil::0:0::/:\n";
    let entry = entry("etc/passwd", bytes.len());
    observer.visible(&entry, Place { layer: 0, package: Some("a\nb") }, Some(&look("etc/passwd", bytes, 100)));
    for observation in observer.finish() {
        assert!(!observation.seen.contains('\u{1b}') && !observation.path.contains('\u{1b}'), "{observation:?}");
    }
}

#[test]
fn links_that_go_round_lead_nowhere() {
    let config = ConfigFacts { entrypoint: Some(vec!["/bin/sh".into()]), ..ConfigFacts::default() };
    let mut observer = Observer::new(&config);
    for (path, target) in [("bin", "sbin/"), ("sbin", "/bin/../bin")] {
        let kind = EntryKind::Symlink { target: target.as_bytes().to_vec() };
        let link = Entry { kind, ..entry(path, 0) };
        observer.visible(&link, Place { layer: 0, package: None }, None);
    }
    let rules: Vec<String> = observer.finish().into_iter().map(|observation| observation.rule).collect();
    assert_eq!(rules, ["DSTL-CFG-013"]);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_and_pieces_make_no_difference(
        path in prop::sample::select(PATHS),
        bytes in prop::collection::vec(any::<u8>(), 0..4000),
        text in "[ -~\n]{0,300}",
        piece in 1_usize..200,
    ) {
        for bytes in [bytes.as_slice(), text.as_bytes()] {
            prop_assert_eq!(look(path, bytes, piece), look(path, bytes, usize::MAX));
        }
    }

    #[test]
    fn no_change_of_a_program_makes_it_panic(
        places in prop::collection::vec((0_usize..120, any::<u8>()), 0..20),
        end in 0_usize..121,
    ) {
        let mut bytes = elf();
        for (place, byte) in places {
            bytes[place] = byte;
        }
        bytes.truncate(end);
        let _ = look("app/tool", &bytes, 50);
    }

    #[test]
    fn words_of_secrets_in_any_order_make_it_not_panic(words in prop::collection::vec(prop::sample::select(WORDS), 0..60)) {
        let text = words.concat();
        prop_assert_eq!(look("app/x", text.as_bytes(), 3), look("app/x", text.as_bytes(), usize::MAX));
    }
}

const WORDS: &[&str] = &[
    "-----BEGIN ",
    "PRIVATE KEY-----",
    "-----END ",
    "\n",
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
    "eyJ",
    ".",
    "AKIA",
    "ghp_",
    "\u{e9}",
    "://me:",
    "@",
    "password",
    "=",
];
