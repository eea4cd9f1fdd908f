//! Keys in tokens of `SoftHSM`, with keys that OpenSSL made.
#![cfg(feature = "pkcs11")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what stops a test is its result")]
#![expect(clippy::disallowed_methods, reason = "SoftHSM is set up by the environment and by plain files")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use cryptoki::context::Pkcs11;
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, CertificateType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use distil_signing::key::pkcs11::{Token, TokenError, TokenKey, Uri};
use distil_signing::key::{KeyKind, PrivateKey, Signer, SignerError, sign};
use distil_tests::place;

const PIN: &str = "4711";
const MESSAGE: &[u8] = b"what is signed";
const CONFIG: &str = "SOFTHSM2_CONF";

/// A `SoftHSM` of a test's own, with an empty token `release`.
struct Hsm {
    dir: PathBuf,
}

/// Runs a test in a process of its own: `SoftHSM` finds its tokens by the environment that it is loaded in.
fn with_hsm(test: &str, run: impl FnOnce(&Hsm)) {
    if let Some(config) = env::var_os(CONFIG) {
        run(&Hsm { dir: Path::new(&config).parent().unwrap().to_owned() });
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (config, tokens) = (dir.path().join("softhsm2.conf"), dir.path().join("tokens"));
    fs::create_dir(&tokens).unwrap();
    fs::write(&config, format!("directories.tokendir = {}\nobjectstore.backend = file\n", tokens.display())).unwrap();
    Hsm { dir: dir.path().to_owned() }.init("release");
    let mut again = Command::new(env::current_exe().unwrap());
    let output = again.args(["--exact", test, "--nocapture"]).env(CONFIG, &config).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

impl Hsm {
    fn util(&self, arguments: &[&str]) {
        let mut util = Command::new(place::peer("softhsm2-util"));
        util.arg("--module").arg(module()).args(arguments).env(CONFIG, self.dir.join("softhsm2.conf"));
        let output = util.output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn init(&self, label: &str) {
        self.util(&["--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "12345678"]);
    }

    /// A new key, in a file and in the token.
    fn import(&self, algorithm: &[&str], label: &str, id: &str) -> PrivateKey {
        let file = self.dir.join(format!("{label}-{id}.pem"));
        let made = Command::new("openssl").arg("genpkey").args(algorithm).arg("-out").arg(&file).output().unwrap();
        assert!(made.status.success(), "{algorithm:?}");
        let path = file.to_str().unwrap();
        self.util(&["--import", path, "--token", "release", "--label", label, "--id", id, "--pin", PIN]);
        PrivateKey::import(&fs::read(&file).unwrap()).unwrap()
    }
}

const P256: &[&str] = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
const RSA: &[&str] = &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];

fn module() -> PathBuf {
    place::peer("libsofthsm2.so")
}

/// The module's own view of the token `release`, to change what is in it.
fn session() -> Session {
    let context = Pkcs11::new(module()).unwrap();
    let slots = context.get_slots_with_initialized_token().unwrap();
    let slot = slots.into_iter().find(|slot| context.get_token_info(*slot).unwrap().label() == "release").unwrap();
    let session = context.open_rw_session(slot).unwrap();
    session.login(UserType::User, Some(&AuthPin::new(PIN.into()))).unwrap();
    session
}

fn find(path: &str) -> Result<Token, TokenError> {
    let uri: Uri = format!("pkcs11:{path}?module-path={}", module().display()).parse().unwrap();
    Token::find(&uri)
}

fn key(path: &str) -> Result<TokenKey, TokenError> {
    find(path)?.key(Some(PIN.as_bytes()))
}

fn public(session: &Session, id: u8) -> ObjectHandle {
    let found = session.find_objects(&[Attribute::Class(ObjectClass::PUBLIC_KEY), Attribute::Id(vec![id])]).unwrap();
    assert_eq!(found.len(), 1);
    found[0]
}

#[test]
fn every_kind_of_key_signs() {
    with_hsm("every_kind_of_key_signs", |hsm| {
        let kinds: [(&[&str], KeyKind); 7] = [
            (P256, KeyKind::P256),
            (&["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"], KeyKind::P384),
            (&["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"], KeyKind::P521),
            (RSA, KeyKind::Rsa { bits: 2048 }),
            (&["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"], KeyKind::Rsa { bits: 3072 }),
            (&["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"], KeyKind::Rsa { bits: 4096 }),
            (&["-algorithm", "ED25519"], KeyKind::Ed25519),
        ];
        for (number, (algorithm, kind)) in kinds.into_iter().enumerate() {
            let id = format!("{number:02}");
            let file = hsm.import(algorithm, "key", &id);
            let key = key(&format!("token=release;object=key;id=%{id}")).unwrap();
            assert_eq!(key.public_key().kind(), kind);
            assert_eq!(key.public_key(), file.public_key());
            for message in [MESSAGE, b"", &vec![7; 100_000]] {
                let signature = sign(&key, message).unwrap();
                assert_eq!(file.public_key().verify(message, &signature), Ok(kind.scheme()), "{kind}");
            }
        }
    });
}

#[test]
fn a_token_and_a_key_have_several_names() {
    with_hsm("a_token_and_a_key_have_several_names", |hsm| {
        let file = hsm.import(P256, "first", "01");
        hsm.import(P256, "second", "02");
        hsm.import(P256, "second", "03");
        hsm.init("spare");
        hsm.init("spare");
        let (serial, slot) = place_of_release();
        for path in [
            "token=release;object=first".to_owned(),
            "token=release;id=%01".to_owned(),
            "token=release;id=%01;object=first;type=private;model=SoftHSM%20v2".to_owned(),
            format!("serial={serial};object=first"),
            format!("slot-id={slot};object=first"),
        ] {
            assert_eq!(key(&path).unwrap().public_key(), file.public_key(), "{path}");
        }
        let error = key("token=release;object=third").unwrap_err();
        let TokenError::NoKey { token, mut found, .. } = error else { panic!("{error}") };
        found.sort();
        assert_eq!((token.as_str(), found), ("release", ["first", "second", "second"].map(String::from).to_vec()));
        assert!(matches!(key("token=release;id=%01;object=second"), Err(TokenError::NoKey { .. })));
        let error = key("token=release;object=second").unwrap_err();
        assert!(matches!(error, TokenError::SeveralKeys { count: 2, .. }), "{error}");
        let error = find("token=spare;object=first").unwrap_err();
        assert!(matches!(error, TokenError::SeveralTokens { count: 2, .. }), "{error}");
        let error = find("token=other;object=first").unwrap_err();
        let TokenError::NoToken { mut found, .. } = error else { panic!("{error}") };
        found.sort();
        assert_eq!(found, ["release", "spare", "spare"].map(String::from));
    });
}

/// Serial number and slot of the token `release`.
fn place_of_release() -> (String, u64) {
    find("token=release;object=any").unwrap();
    let context = Pkcs11::new(module()).unwrap();
    let slots = context.get_slots_with_initialized_token().unwrap();
    let tokens = slots.into_iter().map(|slot| (slot, context.get_token_info(slot).unwrap()));
    let (slot, info) = tokens.into_iter().find(|(_, info)| info.label() == "release").unwrap();
    (info.serial_number().to_owned(), slot.id())
}

#[test]
fn a_token_is_asked_with_its_pin_alone() {
    with_hsm("a_token_is_asked_with_its_pin_alone", |hsm| {
        hsm.import(P256, "key", "01");
        let path = "token=release;object=key";
        assert!(find(path).unwrap().wants_pin());
        let error = find(path).unwrap().key(None).unwrap_err();
        assert!(matches!(&error, TokenError::NoPin { token } if token == "release"), "{error}");
        for pin in ["4712", "", "47111"] {
            let error = find(path).unwrap().key(Some(pin.as_bytes())).unwrap_err();
            assert!(matches!(&error, TokenError::Pin { token, .. } if token == "release"), "{error}");
        }
        let key = key(path).unwrap();
        sign(&key, MESSAGE).unwrap();
        assert!(!format!("{key:?}").contains(PIN));
    });
}

#[test]
fn a_certificate_tells_the_public_key_as_well() {
    with_hsm("a_certificate_tells_the_public_key_as_well", |hsm| {
        let path = "token=release;object=key";
        let file = hsm.import(P256, "key", "01");
        let (pem, der) = (hsm.dir.join("key-01.pem"), hsm.dir.join("certificate"));
        let mut openssl = Command::new("openssl");
        openssl
            .args(["req", "-x509", "-subj", "/CN=release", "-outform", "DER", "-key"])
            .arg(pem)
            .arg("-out")
            .arg(&der);
        assert!(openssl.output().unwrap().status.success());
        find(path).unwrap();
        let session = session();
        session.destroy_object(public(&session, 1)).unwrap();
        let error = key(path).unwrap_err();
        assert!(matches!(error, TokenError::NoPublicKey { .. }), "{error}");
        let certificate = |der: Vec<u8>| {
            vec![
                Attribute::Class(ObjectClass::CERTIFICATE),
                Attribute::CertificateType(CertificateType::X_509),
                Attribute::Token(true),
                Attribute::Id(vec![1]),
                Attribute::Subject(vec![0x30, 0]),
                Attribute::Value(der),
            ]
        };
        let broken = session.create_object(&certificate(b"no certificate".to_vec())).unwrap();
        let error = key(path).unwrap_err();
        assert!(matches!(error, TokenError::Key { .. }), "{error}");
        session.destroy_object(broken).unwrap();
        session.create_object(&certificate(fs::read(der).unwrap())).unwrap();
        let key = key(path).unwrap();
        assert_eq!(key.public_key(), file.public_key());
        sign(&key, MESSAGE).unwrap();
    });
}

#[test]
fn a_public_key_of_somebody_else_is_noticed() {
    with_hsm("a_public_key_of_somebody_else_is_noticed", |hsm| {
        hsm.import(P256, "key", "01");
        hsm.import(P256, "other", "02");
        find("token=release;object=key").unwrap();
        let session = session();
        session.destroy_object(public(&session, 1)).unwrap();
        session.update_attributes(public(&session, 2), &[Attribute::Id(vec![1])]).unwrap();
        let key = key("token=release;object=key").unwrap();
        let error = sign(&key, MESSAGE).unwrap_err();
        assert!(matches!(error, SignerError::Unverified { kind: KeyKind::P256 }), "{error}");
    });
}

#[test]
fn a_key_may_want_the_pin_for_each_signature() {
    with_hsm("a_key_may_want_the_pin_for_each_signature", |_| {
        find("token=release;object=key").unwrap();
        let session = session();
        let both = [Attribute::Token(true), Attribute::Label(b"key".to_vec()), Attribute::Id(vec![1])];
        let public = [Attribute::ModulusBits(2048.into()), Attribute::PublicExponent(vec![1, 0, 1])];
        let private = [Attribute::Private(true), Attribute::Sign(true), Attribute::AlwaysAuthenticate(true)];
        let (public, private) = ([&both[..], &public].concat(), [&both[..], &private].concat());
        session.generate_key_pair(&Mechanism::RsaPkcsKeyPairGen, &public, &private).unwrap();
        let key = key("token=release;object=key").unwrap();
        for message in [MESSAGE, b"another message"] {
            sign(&key, message).unwrap();
        }
    });
}

#[test]
fn keys_of_one_token_sign_in_several_threads() {
    with_hsm("keys_of_one_token_sign_in_several_threads", |hsm| {
        hsm.import(P256, "one", "01");
        hsm.import(RSA, "two", "02");
        let (one, two) = (key("token=release;object=one").unwrap(), key("token=release;object=two").unwrap());
        thread::scope(|scope| {
            for number in 0..8_u8 {
                let key = if number % 2 == 0 { &one } else { &two };
                scope.spawn(move || (0..20).for_each(|round| drop(sign(key, &[number, round]).unwrap())));
            }
        });
        drop(one);
        sign(&two, MESSAGE).unwrap();
    });
}

#[test]
fn what_is_no_module_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let text = dir.path().join("text.so");
    fs::write(&text, "no library").unwrap();
    for module in [dir.path().join("none.so"), text] {
        let uri: Uri = format!("pkcs11:token=t;object=o?module-path={}", module.display()).parse().unwrap();
        let error = Token::find(&uri).unwrap_err();
        assert!(matches!(&error, TokenError::Module { module: named, .. } if *named == module), "{error}");
    }
}
