use std::os::unix::fs::PermissionsExt as _;

use super::*;

/// Says the same each time.
#[derive(Debug)]
struct Says(Result<&'static str, ()>);

impl Passwords for Says {
    fn password(&self, _: &Path) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
        self.0.map(|text| Zeroizing::new(text.as_bytes().to_vec())).map_err(|()| PasswordError::Missing)
    }

    fn new_password(&self, file: &Path) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
        self.password(file)
    }

    fn pin(&self, _: &str) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
        self.password(Path::new("token"))
    }
}

fn request<'a>(prefix: &'a Path, passwords: &'a Says, replace: bool) -> KeyPairRequest<'a> {
    KeyPairRequest { prefix, replace, passwords }
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    names
}

#[test]
fn a_pair_is_written_read_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (prefix, password) = (dir.path().join("release"), Says(Ok("s3cret")));
    let pair = generate_key(&request(&prefix, &password, false)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&pair.private_key), mode(&pair.public_key) & !0o022), (0o600, 0o644 & !0o022));
    assert_eq!(names(dir.path()), ["release.key", "release.pub"]);
    assert_eq!(open_key(&pair.private_key, &password).unwrap().public_key(), &pair.key);
    assert_eq!(read_public_key(&pair.public_key).unwrap(), pair.key);
    assert_eq!(public_key(&pair.private_key, &password).unwrap(), pair.key);
    assert_eq!(public_key(&pair.public_key, &Says(Err(()))).unwrap(), pair.key);

    let wrong = open_key(&pair.private_key, &Says(Ok("secret"))).unwrap_err();
    assert!(matches!(wrong, KeyFileError::Key { source: KeyError::Password, .. }) && wrong.is_mistake());
    // Nobody is asked before it is certain that the files can be written.
    let again = generate_key(&request(&prefix, &Says(Err(())), false)).unwrap_err();
    assert!(matches!(again, KeyFileError::Exists { .. }) && again.is_mistake());
    fs::remove_file(&pair.private_key).unwrap();
    assert!(matches!(
        generate_key(&request(&prefix, &password, false)),
        Err(KeyFileError::Exists { path }) if path == pair.public_key
    ));
    let other = generate_key(&request(&prefix, &password, true)).unwrap();
    assert_ne!(other.key, pair.key);
    assert_eq!(names(dir.path()), ["release.key", "release.pub"]);
}

#[test]
fn without_a_password_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let error = generate_key(&request(&dir.path().join("a"), &Says(Err(())), false)).unwrap_err();
    assert!(matches!(error, KeyFileError::Password { source: PasswordError::Missing, .. }) && error.is_mistake());
    assert!(names(dir.path()).is_empty());
}

#[test]
fn what_is_no_sealed_key_is_told_without_a_question() {
    let dir = tempfile::tempdir().unwrap();
    let nobody = Says(Err(()));
    let check = |text: &str| {
        let file = dir.path().join("file");
        crate::whole_file::replace(&file, text.as_bytes()).unwrap();
        [open_key(&file, &nobody).unwrap_err(), public_key(&file, &nobody).unwrap_err()].map(|error| {
            assert!(error.is_mistake());
            let KeyFileError::Key { source, .. } = error else { panic!("{error:?}") };
            source
        })
    };
    let plain = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    assert_eq!(check(plain), [KeyError::NotSealed, KeyError::NotSealed]);
    assert_eq!(check("no key\n"), [KeyError::NoBlock, KeyError::NoBlock]);
    let large = check(&"x".repeat(1 << 20));
    assert!(large.iter().all(|error| matches!(error, KeyError::TooLarge { .. })), "{large:?}");
    let missing = open_key(&dir.path().join("none"), &nobody).unwrap_err();
    assert!(matches!(missing, KeyFileError::Read { .. }) && !missing.is_mistake());
}

/// Its PIN would be in the message, as if it were the name of a file.
#[test]
fn a_token_is_no_file_to_verify_with_and_its_pin_is_not_told() {
    let uri = Path::new("pkcs11:token=release?pin-value=31415926");
    for dir in ["", "recipes"] {
        let error = read_public_key_in(Path::new(dir), uri).unwrap_err();
        assert!(matches!(error, KeyFileError::NoFile) && error.is_mistake());
        assert!(!format!("{error} {error:?}").contains("31415926"));
    }
}
