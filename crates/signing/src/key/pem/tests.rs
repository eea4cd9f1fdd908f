use proptest::prelude::*;

use super::*;

#[test]
fn blocks_are_written_in_64_columns() {
    for (bytes, lines) in [(48, 1), (49, 2), (96, 2), (97, 3)] {
        let text = write("X", &vec![7; bytes]);
        assert_eq!(text.lines().count(), lines + 2);
        assert!(text.lines().all(|line| line.len() <= 64) && text.ends_with("\n-----END X-----\n"));
    }
}

#[test]
fn what_is_no_block_is_refused() {
    for (file, error) in [
        ("", KeyError::NoBlock),
        ("AAAA", KeyError::NoBlock),
        ("----BEGIN X-----\nAAAA\n-----END X-----\n", KeyError::NoBlock),
        ("-----BEGIN X-----\nAAAA\n-----END Y-----\n", KeyError::Pem),
        ("-----BEGIN X-----\nAAAA\n", KeyError::Pem),
        ("-----BEGIN X-----\nAA=A\n-----END X-----\n", KeyError::Pem),
        ("-----BEGIN X-----\nAAA\n-----END X-----\n", KeyError::Pem),
        // The last bits must be zero, or one file could be written in several ways.
        ("-----BEGIN X-----\nAAB=\n-----END X-----\n", KeyError::Pem),
        ("-----BEGIN X-----\nA: b\n\nAAAA\n-----END X-----\n", KeyError::Pem),
        ("-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END X-----\n", KeyError::Encrypted),
        ("-----BEGIN X-----\nAAAA\n-----END X-----\n-----BEGIN X-----\nAAAA\n-----END X-----", KeyError::SeveralBlocks),
        ("-----BEGIN EC PARAMETERS-----\nAAAA\n-----END EC PARAMETERS-----\n", KeyError::EcParameters),
    ] {
        assert_eq!(read(file.as_bytes()).err(), Some(error), "{file}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(bytes in proptest::collection::vec(any::<u8>(), 1..300), before in "[a-z \n]{0,20}") {
        let text = format!("{before}\n{}", write("SOME KEY", &bytes));
        let block = read(text.as_bytes()).unwrap();
        prop_assert_eq!((block.label, &*block.bytes), ("SOME KEY", &bytes));
    }

    #[test]
    fn no_bytes_stop_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(read(&bytes));
        drop(read(&[b"-----BEGIN X-----\n", bytes.as_slice(), b"\n-----END X-----\n"].concat()));
    }
}
