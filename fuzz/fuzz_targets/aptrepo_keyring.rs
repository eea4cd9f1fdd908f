//! Whatever a keyring holds, a signature counts only where the unchanged keyring would let its very key sign; and what is
//! read names every key once.

#![no_main]

use distil_aptrepo::{Expected, Keyring, Release, Signed, Timestamp};
use libfuzzer_sys::fuzz_target;

macro_rules! sample {
    ($case:literal) => {
        (
            include_bytes!(concat!("../../crates/aptrepo/testdata/inrelease/", $case, "/InRelease")).as_slice(),
            include_bytes!(concat!("../../crates/aptrepo/testdata/inrelease/", $case, "/keyring.pgp")).as_slice(),
        )
    };
}

/// Files whose keys may not sign, whatever part of their own signatures is taken away or changed.
const REFUSED: [(&[u8], &[u8]); 2] = [sample!("key-certify-only"), sample!("unknown-key")];
const SOUND: (&[u8], &[u8]) = sample!("ok-subkey");

fuzz_target!(|input: &[u8]| {
    if let Ok(ring) = Keyring::parse("input", input) {
        assert!(!ring.fingerprints().is_empty(), "a keyring without a key");
        let all = ring.fingerprints();
        let same = ring.restricted(&all).expect("its own keys are there");
        assert_eq!(same.fingerprints(), all);
        believed(SOUND.0, &ring);
    }
    for (file, keys) in REFUSED {
        if let Ok(ring) = Keyring::parse("changed", &changed(keys, input)) {
            assert!(!believed(file, &ring), "a key signed that may not");
        }
    }
    if let Ok(ring) = Keyring::parse("changed", &changed(SOUND.1, input)) {
        let signer = verify(SOUND.0, &ring).map(|release| release.signer().clone());
        let sound = Keyring::parse("sound", SOUND.1).expect("the sample is sound");
        let expected = verify(SOUND.0, &sound).map(|release| release.signer().clone());
        assert!(signer.is_none() || signer == expected, "another key has signed");
    }
});

fn believed(file: &[u8], ring: &Keyring) -> bool {
    verify(file, ring).is_some()
}

fn verify(file: &[u8], ring: &Keyring) -> Option<Release> {
    let at = Timestamp::from_seconds(1_790_000_000);
    Release::verify(Signed::Inline(file), ring, &Expected { suite: "test", at, pinned: false }).ok()
}

/// The keyring with some of its bytes changed, left out or doubled.
fn changed(file: &[u8], input: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    for change in input.chunks_exact(4) {
        let place = usize::from(u16::from_be_bytes([change[0], change[1]])) % file.len().max(1);
        let length = usize::from(change[3]).min(file.len() - place);
        match change[2] {
            0 => drop(file.drain(place..place + length)),
            1 => file.extend_from_within(place..place + length),
            bits => file.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= bits),
        }
    }
    file
}
