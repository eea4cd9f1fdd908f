use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Notation, RevocationCode, SignatureType as Kind, SubpacketData};
use pgp::types::{KeyDetails, KeyVersion};
use proptest::prelude::*;

use super::testkey::{BORN, Primary, Says, Sub, says, user_packet};
use super::*;
use crate::time::Timestamp;
use SignatureReason as Reason;

const DOCUMENT: &[u8] = b"Origin: test\r\nSuite: test";
const MADE: u32 = BORN + 1000;

fn at(seconds: u32) -> Timestamp {
    Timestamp::from_seconds(i64::from(seconds))
}

fn ring(packets: &[Vec<u8>]) -> Keyring {
    Keyring::parse("test", &packets.concat()).unwrap()
}

fn verify(ring: &Keyring, signatures: &[u8]) -> Result<Signer, VerifyError> {
    ring.verify(signatures, DOCUMENT, at(MADE + 1000))
}

/// Why the only signature does not count.
fn reason(outcome: Result<Signer, VerifyError>) -> Option<Reason> {
    match outcome {
        Ok(_) => None,
        Err(VerifyError::NoneValid { faults, .. }) if faults.len() == 1 => Some(faults.into_iter().next()?.reason),
        Err(other) => panic!("{other:?}"),
    }
}

fn primary() -> Primary {
    Primary::new(1, KeyVersion::V4)
}

fn may_sign(made: u32) -> Says {
    says(made).flags(true, true)
}

/// A certificate of one user, with these signatures of the key and of the name, which the key has signed a document of.
fn check(of_key: &[Vec<u8>], of_name: &[Vec<u8>]) -> Option<Reason> {
    let key = primary();
    let packets = [vec![key.packet()], of_key.to_vec(), vec![user_packet("a")], of_name.to_vec()].concat();
    reason(verify(&ring(&packets), &key.sign(&says(MADE), DOCUMENT)))
}

fn named(says: &Says) -> Vec<u8> {
    primary().of_user(&primary(), "a", Kind::CertPositive, says)
}

#[test]
fn the_newest_word_of_the_owner_decides() {
    let key_expired = |after: u32| Some(Reason::KeyExpired { since: at(BORN + after) });
    let direct = |says: &Says| primary().of_itself(Kind::Key, says);
    assert_eq!(check(&[], &[named(&may_sign(BORN))]), None);
    assert_eq!(check(&[], &[named(&says(BORN))]), None, "a key without flags");
    assert_eq!(check(&[direct(&may_sign(BORN))], &[]), None);
    assert_eq!(check(&[], &[named(&says(BORN).flags(true, false))]), Some(Reason::MayNotSign));
    assert_eq!(check(&[], &[named(&says(BORN).flags(false, false))]), Some(Reason::MayNotSign));
    // The order in the file does not matter.
    let (old, new) = (named(&may_sign(BORN).key_lasts(10)), named(&may_sign(BORN + 5).key_lasts(100_000)));
    assert_eq!(check(&[], &[old.clone(), new.clone()]), None);
    assert_eq!(check(&[], &[new, old.clone()]), None);
    assert_eq!(check(&[], &[old]), key_expired(10));
    assert_eq!(check(&[direct(&may_sign(BORN + 6).key_lasts(20))], &[named(&may_sign(BORN))]), key_expired(20));
    // Expired after signing, and before it is looked at.
    assert_eq!(check(&[], &[named(&may_sign(BORN).key_lasts(1500))]), key_expired(1500));
    // What the owner said for a while only.
    assert_eq!(check(&[], &[named(&may_sign(BORN).lasts(1500))]), Some(Reason::NotBound));
    assert_eq!(check(&[], &[named(&may_sign(BORN).lasts(0))]), None);
    assert_eq!(check(&[], &[named(&may_sign(MADE + 5000))]), None, "renewed since");
    let notation = SubpacketData::Notation(Notation { readable: true, name: "a@b".into(), value: "c".into() });
    assert_eq!(check(&[], &[named(&may_sign(BORN).and(notation.clone()))]), None);
    assert_eq!(check(&[], &[named(&may_sign(BORN).demands(notation))]), Some(Reason::NotBound));
}

#[test]
fn only_the_owner_binds_a_key() {
    let other = Primary::new(2, KeyVersion::V4);
    let by_other = other.of_user(&primary(), "a", Kind::CertGeneric, &may_sign(BORN));
    let of_other_name = primary().of_user(&primary(), "b", Kind::CertPositive, &may_sign(BORN));
    assert_eq!(check(&[], &[]), Some(Reason::NotBound));
    assert_eq!(check(&[], std::slice::from_ref(&by_other)), Some(Reason::NotBound));
    assert_eq!(check(&[], &[of_other_name]), Some(Reason::NotBound));
    // Debian's keys are certified by many people, whose keys are not in the ring.
    assert_eq!(check(&[], &[by_other.clone(), named(&may_sign(BORN)), by_other]), None);
    assert_eq!(check(&[], &[b"\xC2\x03abc".to_vec(), named(&may_sign(BORN))]), None);
}

#[test]
fn self_signatures_that_can_be_forged_bind_nothing() {
    let weak = |hash| primary().weakly(Kind::CertPositive, hash, &may_sign(BORN + 50));
    let refused = |name: &str| Some(Reason::WeakSelfSignature { hash: name.to_owned() });
    assert_eq!(check(&[], &[weak(HashAlgorithm::Sha1)]), refused("SHA-1"));
    assert_eq!(check(&[], &[weak(HashAlgorithm::Md5)]), refused("MD5"));
    assert_eq!(check(&[], &[weak(HashAlgorithm::Sha1), named(&may_sign(BORN))]), None);
    let message = refused("SHA-1").unwrap().to_string();
    assert!(message.contains("SHA-1 self-signature") && message.contains("must renew the key"), "{message}");
}

#[test]
fn revocations_count_by_their_reason() {
    let check =
        |by: &Primary, says: &Says| check(&[by.of_itself(Kind::KeyRevocation, says)], &[named(&may_sign(BORN))]);
    let own = primary();
    let revoked = |since| Some(Reason::KeyRevoked { since: at(since) });
    let late = MADE + 500;
    assert_eq!(check(&own, &says(late)), revoked(late), "without a reason");
    for hard in [RevocationCode::NoReason, RevocationCode::KeyCompromised, RevocationCode::Other(77)] {
        assert_eq!(check(&own, &says(late).because(hard)), revoked(late));
    }
    for soft in [RevocationCode::KeySuperseded, RevocationCode::KeyRetired] {
        assert_eq!(check(&own, &says(late).because(soft)), None);
        assert_eq!(check(&own, &says(MADE).because(soft)), revoked(MADE));
    }
    // Anybody can put a signature of their own into a file of keys.
    assert_eq!(check(&Primary::new(2, KeyVersion::V4), &says(BORN)), None);
}

#[test]
fn a_name_that_was_taken_back_binds_nothing_more() {
    let back = |made| primary().of_user(&primary(), "a", Kind::CertRevocation, &says(made));
    assert_eq!(check(&[], &[named(&may_sign(BORN)), back(BORN + 5)]), Some(Reason::NotBound));
    assert_eq!(check(&[], &[named(&may_sign(BORN)), back(BORN + 5), named(&may_sign(BORN + 9))]), None);
}

/// A certificate with a subkey that is bound by these signatures, and which has signed a document.
fn check_sub(version: KeyVersion, bindings: &[Vec<u8>]) -> Option<Reason> {
    let (key, sub) = (Primary::new(1, version), Sub::new(9, version));
    let direct = key.of_itself(Kind::Key, &says(BORN).flags(true, false));
    let packets = [vec![key.packet(), direct, sub.packet()], bindings.to_vec()].concat();
    let signed = verify(&ring(&packets), &sub.sign(&says(MADE), DOCUMENT));
    if let Ok(signer) = &signed {
        assert_eq!(signer.key.as_bytes(), sub.public.fingerprint().as_bytes());
        assert_eq!(signer.primary.as_bytes(), key.public.fingerprint().as_bytes());
        assert_eq!(signer.created, at(MADE));
    }
    reason(signed)
}

#[test]
fn subkeys_are_bound_both_ways() {
    for version in [KeyVersion::V4, KeyVersion::V6] {
        let (key, sub) = (Primary::new(1, version), Sub::new(9, version));
        let other = Sub::new(8, version);
        let back = sub.back(&key, &says(BORN + 20));
        let signs = || says(BORN + 20).flags(false, true);
        let binding = |says: &Says| key.of_subkey(&sub, Kind::SubkeyBinding, says);
        let sound = binding(&signs().and(back.clone()));
        assert_eq!(check_sub(version, std::slice::from_ref(&sound)), None);
        assert_eq!(check_sub(version, &[binding(&signs())]), Some(Reason::NotCrossCertified));
        let stolen = signs().and(other.back(&key, &says(BORN + 20)));
        assert_eq!(check_sub(version, &[binding(&stolen)]), Some(Reason::NotCrossCertified));
        let run_out = signs().and(sub.back(&key, &says(BORN + 20).lasts(60)));
        assert_eq!(check_sub(version, &[binding(&run_out)]), Some(Reason::NotCrossCertified));
        let elsewhere = signs().and(sub.back(&Primary::new(3, version), &says(BORN + 20)));
        assert_eq!(check_sub(version, &[binding(&elsewhere)]), Some(Reason::NotCrossCertified));
        let encrypts = says(BORN + 20).flags(false, false).and(back.clone());
        assert_eq!(check_sub(version, &[binding(&encrypts)]), Some(Reason::MayNotSign));
        assert_eq!(check_sub(version, &[binding(&says(BORN + 20).and(back.clone()))]), Some(Reason::MayNotSign));
        assert_eq!(check_sub(version, &[]), Some(Reason::NotBound));
        let by_other = Primary::new(2, version).of_subkey(&sub, Kind::SubkeyBinding, &signs().and(back.clone()));
        assert_eq!(check_sub(version, &[by_other]), Some(Reason::NotBound));
        let expired = Some(Reason::KeyExpired { since: at(BORN + 10 + 100) });
        assert_eq!(check_sub(version, &[binding(&signs().and(back.clone()).key_lasts(100))]), expired);
        let revoked = Some(Reason::KeyRevoked { since: at(MADE + 1) });
        let revocation = key.of_subkey(&sub, Kind::SubkeyRevocation, &says(MADE + 1));
        assert_eq!(check_sub(version, &[sound.clone(), revocation]), revoked);
        let retired = says(MADE + 1).because(RevocationCode::KeyRetired);
        assert_eq!(check_sub(version, &[sound, key.of_subkey(&sub, Kind::SubkeyRevocation, &retired)]), None);
        let weak = key.weakly(Kind::SubkeyBinding, HashAlgorithm::Sha256, &signs().and(back.clone()));
        assert_eq!(check_sub(version, &[weak]), Some(Reason::NotBound), "a forged binding");
    }
    let key = primary();
    let weak = key.weakly(Kind::SubkeyBinding, HashAlgorithm::Sha1, &says(BORN + 20).flags(false, true));
    assert_eq!(check_sub(KeyVersion::V4, &[weak]), Some(Reason::WeakSelfSignature { hash: "SHA-1".to_owned() }));
}

fn usual_ring() -> Keyring {
    ring(&[primary().packet(), user_packet("a"), named(&may_sign(BORN))])
}

#[test]
fn signatures_of_documents_have_a_kind_a_time_and_a_known_key() {
    let key = primary();
    let ring = usual_ring();
    let verify = |signature: Vec<u8>| reason(verify(&ring, &signature));
    let sign = |says: &Says| verify(key.sign(says, DOCUMENT));
    assert_eq!(sign(&says(MADE)), None);
    assert_eq!(verify(key.sign(&says(MADE), b"Origin: other")), Some(Reason::Bad));
    let now = at(MADE + 1000);
    assert_eq!(sign(&says(MADE + 1000 + 600)), None, "clocks differ");
    let made = at(MADE + 1601);
    assert_eq!(sign(&says(MADE + 1601)), Some(Reason::FromFuture { made, at: now }));
    assert_eq!(sign(&says(MADE).lasts(1000)), Some(Reason::Expired { since: now }));
    assert_eq!(sign(&says(MADE).lasts(1001)), None);
    assert_eq!(sign(&says(BORN - 1)), Some(Reason::OlderThanKey));
    let notation = SubpacketData::Notation(Notation { readable: false, name: "a@b".into(), value: "c".into() });
    assert_eq!(sign(&says(MADE).and(notation.clone())), None);
    assert_eq!(sign(&says(MADE).demands(notation)), Some(Reason::DemandsMore));
    let unknown = says(MADE).demands(SubpacketData::Other(60, "x".into()));
    assert_eq!(verify(key.weakly(Kind::Binary, HashAlgorithm::Sha512, &unknown)), Some(Reason::DemandsMore));
    for kind in [Kind::Standalone, Kind::CertPositive, Kind::Timestamp, Kind::Key, Kind::Other(0x60)] {
        assert_eq!(verify(key.sign_as(kind, &says(MADE), DOCUMENT)), Some(Reason::NotOfADocument), "{kind:?}");
    }
    assert_eq!(verify(key.sign_as(Kind::Binary, &says(MADE), DOCUMENT)), None);
    for (hash, name) in
        [(HashAlgorithm::Sha1, "SHA-1"), (HashAlgorithm::Ripemd160, "RIPEMD160"), (HashAlgorithm::Sha224, "SHA224")]
    {
        let weak = Some(Reason::WeakHash { hash: name.to_owned() });
        assert_eq!(verify(key.weakly(Kind::Binary, hash, &says(MADE))), weak);
    }
    let stranger = Primary::new(2, KeyVersion::V4);
    assert_eq!(verify(stranger.sign(&says(MADE), DOCUMENT)), Some(Reason::UnknownKey));
    assert_eq!(verify(b"\xC2\x03\x04\x01\x01".to_vec()), Some(Reason::Unreadable));
}

#[test]
fn one_good_signature_is_enough_and_all_bad_ones_are_told() {
    let (key, stranger) = (primary(), Primary::new(2, KeyVersion::V4));
    let ring = usual_ring();
    let (good, bad) = (key.sign(&says(MADE), DOCUMENT), key.sign(&says(MADE), b"other"));
    let foreign = stranger.sign(&says(MADE), DOCUMENT);
    assert!(verify(&ring, &[&bad[..], &foreign, &good].concat()).is_ok());
    let error = verify(&ring, &[&bad[..], &foreign].concat()).unwrap_err();
    let VerifyError::NoneValid { keyring, faults } = &error else { panic!("{error:?}") };
    assert_eq!(keyring, "test");
    let found: Vec<_> = faults.iter().map(|fault| (fault.issuer.clone().unwrap(), fault.reason.clone())).collect();
    let name = |key: &Primary| Fingerprint::from_bytes(key.public.fingerprint().as_bytes()).unwrap().to_string();
    assert_eq!(found, [(name(&key), Reason::Bad), (name(&stranger), Reason::UnknownKey)]);
    let message = error.to_string();
    assert!(found.iter().all(|(issuer, reason)| message.contains(issuer) && message.contains(&reason.to_string())));

    assert_eq!(verify(&ring, &foreign.repeat(MAX_SIGNATURES + 1)).unwrap_err(), VerifyError::TooMany);
    assert!(verify(&ring, &[foreign.repeat(MAX_SIGNATURES - 1), good.clone()].concat()).is_ok());
    let with_user = [good.clone(), user_packet("a")].concat();
    assert_eq!(verify(&ring, &with_user).unwrap_err(), VerifyError::NotASignature { tag: 13 });
    let cut = good.get(..good.len() - 1).unwrap();
    assert_eq!(verify(&ring, cut).unwrap_err(), VerifyError::Packets(PacketError { offset: 0 }));
    assert!(matches!(verify(&ring, b"").unwrap_err(), VerifyError::NoneValid { faults, .. } if faults.is_empty()));
}

#[test]
fn a_revocation_counts_in_whichever_copy_it_stands() {
    let key = primary();
    let revoked = ring(&[
        key.packet(),
        key.of_itself(Kind::KeyRevocation, &says(MADE + 1)),
        user_packet("a"),
        named(&may_sign(BORN)),
    ]);
    let expired = ring(&[key.packet(), user_packet("a"), named(&may_sign(BORN).key_lasts(5))]);
    let signed = key.sign(&says(MADE), DOCUMENT);
    let verify = |rings: Vec<Keyring>| reason(verify(&Keyring::merged("all", rings).unwrap(), &signed));
    let is_revoked = Some(Reason::KeyRevoked { since: at(MADE + 1) });
    assert_eq!(verify(vec![usual_ring(), revoked.clone()]), is_revoked);
    assert_eq!(verify(vec![revoked, usual_ring()]), is_revoked);
    assert_eq!(verify(vec![expired.clone(), usual_ring()]), None, "renewed in another copy");
    assert_eq!(verify(vec![usual_ring(), expired]), None);
    assert_eq!(Keyring::merged("none", Vec::new()).unwrap_err(), KeyringError::Empty);
    assert_eq!(Keyring::merged("many", vec![usual_ring(); 1025]).unwrap_err(), KeyringError::TooManyKeys);
}

#[test]
fn pins_name_primary_keys_or_subkeys() {
    let (key, sub) = (primary(), Sub::new(9, KeyVersion::V4));
    let back = sub.back(&key, &says(BORN + 20));
    let ring = ring(&[
        key.packet(),
        key.of_itself(Kind::Key, &may_sign(BORN)),
        sub.packet(),
        key.of_subkey(&sub, Kind::SubkeyBinding, &says(BORN + 20).flags(false, true).and(back)),
    ]);
    let [of_key, of_sub] = ring.fingerprints()[..] else { panic!() };
    let signed = [key.sign(&says(MADE), DOCUMENT), sub.sign(&says(MADE), DOCUMENT)];
    let check = |pins: &[KeyPin], by_key: bool, by_sub: bool| {
        let ring = ring.restricted(pins).unwrap();
        let found = signed.each_ref().map(|signed| verify(&ring, signed).is_ok());
        assert_eq!(found, [by_key, by_sub], "{pins:?}");
        assert_eq!(ring.fingerprints().len(), usize::from(by_key) + usize::from(by_sub));
    };
    let exact = |fingerprint| KeyPin { fingerprint, exact: true };
    check(&[of_key.into()], true, true);
    check(&[exact(of_key)], true, false);
    check(&[of_sub.into()], false, true);
    check(&[exact(of_sub)], false, true);
    check(&[exact(of_key), exact(of_sub)], true, true);
    let stranger: Fingerprint = "53A65CBF74459B82B76F60D2DF691D7754600519".parse().unwrap();
    check(&[stranger.into(), of_sub.into()], false, true);
    let none: &[Fingerprint] = &[];
    assert!(matches!(ring.restricted(&[stranger]), Err(KeyringError::NotThere { pins, .. }) if pins.len() == 1));
    assert!(matches!(ring.restricted(none), Err(KeyringError::NotThere { .. })));
    // A restriction of a restriction does not widen it.
    assert!(ring.restricted(&[exact(of_key)]).unwrap().restricted(&[of_sub]).is_err());
}

#[test]
fn short_keys_are_refused() {
    // An RSA key whose modulus says it has 2048 bits, but has 1024 and zeros before them.
    let mut body =
        [&b"\x04\x65\x53\xf1\x00\x01\x08\x00"[..], &[0; 128], &[0xff; 128], b"\x00\x11\x01\x00\x01"].concat();
    let packet = |body: &[u8]| [&[0xC6, 0xFF][..], &u32::try_from(body.len()).unwrap().to_be_bytes(), body].concat();
    let ring = Keyring::parse("short", &packet(&body)).unwrap();
    let refused = |ring: &Keyring| {
        let fingerprint = ring.fingerprints()[0];
        let issuer = [&b"\x16\x21\x04"[..], fingerprint.as_bytes()].concat();
        let hashed = [&b"\x05\x02\x65\x54\x00\x00"[..], &issuer].concat();
        let length = u8::try_from(hashed.len()).unwrap();
        let body = [&[4, 0, 1, 8, 0, length][..], &hashed, &[0, 0, 0, 0, 0, 9, 1, 1]].concat();
        let signature = [&[0xC2, u8::try_from(body.len()).unwrap()][..], &body].concat();
        reason(verify(ring, &signature))
    };
    assert_eq!(refused(&ring), Some(Reason::WeakKey { algorithm: "RSA".to_owned(), bits: Some(1024) }));
    body[8] = 0xff;
    assert_eq!(refused(&Keyring::parse("long", &packet(&body)).unwrap()), Some(Reason::Bad));
}

#[test]
fn keyrings_hold_public_keys_and_nothing_else() {
    use KeyringError as E;
    let parse = |bytes: &[u8]| Keyring::parse("test", bytes);
    let key = [primary().packet(), user_packet("a"), named(&may_sign(BORN))].concat();
    assert_eq!(parse(&key.repeat(2)).unwrap().fingerprints().len(), 2);
    assert_eq!(parse(b"").unwrap_err(), E::Empty);
    assert_eq!(parse(b"just text\n").unwrap_err(), E::Empty);
    assert_eq!(parse(b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n").unwrap_err(), E::SecretKey);
    assert_eq!(parse(b"\xC5\x01\x04").unwrap_err(), E::SecretKey);
    assert_eq!(parse(&[&key[..], b"\xC7\x01\x04"].concat()).unwrap_err(), E::SecretKey);
    assert_eq!(parse(b"\x00\x00\x00\x20\x01\x01\x00\x02KBXf").unwrap_err(), E::Keybox);
    assert_eq!(parse(&user_packet("a")).unwrap_err(), E::NotAKey { tag: 13 });
    assert_eq!(parse(b"\xC6\x01\x03").unwrap_err(), E::NoneKnown { keys: 1 });
    assert_eq!(parse(&[b"\xC6\x01\x03", &key[..]].concat()).unwrap().fingerprints().len(), 1);
    assert_eq!(parse(&[&key[..], b"\xC6"].concat()).unwrap_err(), E::Packets(PacketError { offset: key.len() }));
    assert_eq!(parse(&b"\xC6\x01\x03".repeat(1025)).unwrap_err(), E::TooManyKeys);
    assert_eq!(parse(&[primary().packet(), b"\xC2\x00".repeat(4097)].concat()).unwrap_err(), E::TooManySignatures);
    let (size, limit) = (MAX_SIZE + 1, MAX_SIZE);
    assert_eq!(parse(&vec![0; size]).unwrap_err(), E::TooLarge { size, limit });
    let block = "-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: x\n\nxgEE\n-----END PGP PUBLIC KEY BLOCK-----\n";
    assert_eq!(parse(format!("a note\n{block}\n{block}").as_bytes()).unwrap_err(), E::NoneKnown { keys: 2 });
    assert_eq!(parse(block.replace("END", "EDN").as_bytes()).unwrap_err(), E::Armor(ArmorError::Base64 { line: 5 }));
}

fn flip(bytes: &mut [u8], flips: &[(prop::sample::Index, u8)]) {
    for (index, bits) in flips {
        if !bytes.is_empty() {
            let place = index.index(bytes.len());
            bytes[place] ^= bits;
        }
    }
}

fn flips() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    proptest::collection::vec((any::<prop::sample::Index>(), 1_u8..), 1..4)
}

proptest! {
    // Making and checking keys takes its time without optimisation; the fuzz targets go on where this ends.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn another_document_is_never_believed(changes in flips()) {
        let signed = primary().sign(&says(MADE), DOCUMENT);
        let mut document = DOCUMENT.to_vec();
        flip(&mut document, &changes);
        let found = usual_ring().verify(&signed, &document, at(MADE + 1000));
        // A text signature covers a text whatever its line ends.
        let ends = |text: &[u8]| text.iter().filter(|b| !matches!(b, b'\r' | b'\n')).copied().collect::<Vec<_>>();
        prop_assert!(found.is_err() || ends(&document) == ends(DOCUMENT));
    }

    #[test]
    fn damaged_keys_and_signatures_are_read_or_refused(in_key in flips(), in_signature in flips()) {
        let (key, sub) = (primary(), Sub::new(9, KeyVersion::V4));
        let back = sub.back(&key, &says(BORN + 20));
        let binding = key.of_subkey(&sub, Kind::SubkeyBinding, &says(BORN + 20).flags(false, true).and(back));
        let mut packets =
            [key.packet(), user_packet("a"), named(&may_sign(BORN)), sub.packet(), binding].concat();
        let mut signatures = [sub.sign(&says(MADE), DOCUMENT), key.sign(&says(MADE), DOCUMENT)].concat();
        let sound = Keyring::parse("sound", &packets).unwrap();
        flip(&mut packets, &in_key);
        if let Ok(ring) = Keyring::parse("damaged", &packets) {
            let _ = verify(&ring, &signatures);
        }
        flip(&mut signatures, &in_signature);
        let _ = verify(&sound, &signatures);
    }

    #[test]
    fn any_bytes_are_a_keyring_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Keyring::parse("any", &bytes);
        let packet = [&[0xC6, u8::try_from(bytes.len().min(191)).unwrap()][..], &bytes].concat();
        let _ = Keyring::parse("any", &packet);
    }
}
