//! A Release file is believed only where its signature is of the very text that is read: any file with a signature of the
//! sound one tells what the sound one does.

#![no_main]

use distil_aptrepo::{Expected, Keyring, Release, Signed, Timestamp};
use libfuzzer_sys::fuzz_target;

macro_rules! sample {
    ($name:literal) => {
        include_bytes!(concat!("../../crates/aptrepo/testdata/inrelease/", $name))
    };
}

const INLINE: &[u8] = sample!("ok-subkey/InRelease");
const KEYS: &[u8] = sample!("ok-subkey/keyring.pgp");
const RELEASE: &[u8] = sample!("ok-detached/Release");
const SIGNATURE: &[u8] = sample!("ok-detached/Release.gpg");
const KEYS_OF_DETACHED: &[u8] = sample!("ok-detached/keyring.pgp");

fuzz_target!(|input: &[u8]| {
    let ring = Keyring::parse("sample", KEYS).expect("the sample is sound");
    let sound = read(Signed::Inline(INLINE), &ring).expect("the sample is sound");
    // The input as a file, and in the middle, before and after of a sound file.
    let place = input.first().map_or(0, |first| usize::from(*first) * INLINE.len() / 256);
    let (before, after) = INLINE.split_at(place);
    for file in [input.to_vec(), [before, input, after].concat(), changed(INLINE, input)] {
        if let Some(found) = read(Signed::Inline(&file), &ring) {
            assert_eq!(found, sound, "another text was believed");
        }
    }
    let ring = Keyring::parse("sample", KEYS_OF_DETACHED).expect("the sample is sound");
    let sound = read(Signed::Detached { release: RELEASE, signature: SIGNATURE }, &ring).expect("the sample is sound");
    for (release, signature) in [
        (RELEASE.to_vec(), input.to_vec()),
        (RELEASE.to_vec(), changed(SIGNATURE, input)),
        (changed(RELEASE, input), SIGNATURE.to_vec()),
    ] {
        if let Some(found) = read(Signed::Detached { release: &release, signature: &signature }, &ring) {
            assert_eq!(found, sound, "another text was believed");
        }
    }
});

/// All that a believed file tells.
fn read(signed: Signed<'_>, ring: &Keyring) -> Option<(String, String, bool, bool)> {
    let at = Timestamp::from_seconds(1_790_000_000);
    let release = Release::verify(signed, ring, &Expected { suite: "test", at, pinned: false }).ok()?;
    let files = ["main/binary-amd64/Packages", "main/binary-amd64/Packages.gz"].map(|path| release.file(path));
    let words = [release.suite(), release.codename(), release.origin(), release.label(), release.version()];
    let lists = (release.components(), release.architectures(), release.date(), release.valid_until());
    Some((format!("{files:?}"), format!("{words:?} {lists:?}"), release.by_hash(), release.lists_all_apart()))
}

/// The file with some of its bytes changed: each three of the input are a place and the bits to flip there.
fn changed(file: &[u8], input: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    for change in input.chunks_exact(3) {
        let place = usize::from(u16::from_be_bytes([change[0], change[1]])) % file.len();
        file[place] ^= change[2];
    }
    file
}
