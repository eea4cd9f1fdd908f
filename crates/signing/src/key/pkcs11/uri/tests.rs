use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Pin, Uri};
use crate::key::pkcs11::UriError;

const MODULE: &str = "module-path=/usr/lib/m.so";

fn parse(uri: &str) -> Result<Uri, UriError> {
    uri.parse()
}

#[test]
fn what_cosign_writes_is_read() {
    let uri = "pkcs11:token=my%20token;slot-id=17;id=%4f%00;object=key/1?module-path=/usr/lib/m.so&pin-value=12%2634";
    let uri = parse(uri).unwrap();
    assert_eq!(uri.label.as_deref(), Some("my token"));
    assert_eq!(uri.slot, Some(17));
    assert_eq!(uri.id.as_deref(), Some([0x4f, 0].as_slice()));
    assert_eq!(uri.object.as_deref(), Some("key/1"));
    assert_eq!(uri.module(), Path::new("/usr/lib/m.so"));
    assert_eq!(uri.pin(), Some(&Pin::Value(b"12&34".to_vec().into())));
}

#[test]
fn what_p11tool_lists_is_read() {
    let uri = "pkcs11:model=SoftHSM%20v2;manufacturer=SoftHSM%20project;serial=8a;token=T;id=%01;object=k;type=private";
    let uri = parse(&format!("{uri}?{MODULE}")).unwrap();
    assert_eq!(uri.serial.as_deref(), Some("8a"));
    assert_eq!(uri.model.as_deref(), Some("SoftHSM v2"));
    assert_eq!(uri.manufacturer.as_deref(), Some("SoftHSM project"));
    assert_eq!(uri.pin(), None);
}

#[test]
fn a_plus_is_a_plus() {
    assert_eq!(parse(&format!("pkcs11:token=a+b;object=c?{MODULE}")).unwrap().label.as_deref(), Some("a+b"));
}

#[test]
fn the_file_of_a_pin_has_three_spellings() {
    for source in ["file:/etc/pin", "file:///etc/pin", "/etc/pin"] {
        let uri = parse(&format!("pkcs11:token=t;object=o?{MODULE}&pin-source={source}")).unwrap();
        assert_eq!(uri.pin(), Some(&Pin::File("/etc/pin".into())), "{source}");
    }
}

#[test]
fn no_pin_is_shown() {
    let uri = parse(&format!("pkcs11:token=t;object=o?{MODULE}&pin-value=secret")).unwrap();
    assert_eq!(uri.to_string(), "pkcs11:token=t;object=o");
    for text in [format!("{uri:?}"), format!("{:?}", uri.pin())] {
        assert!(!text.contains("secret") && !text.contains("115"), "{text}");
    }
}

#[test]
fn other_uris_are_refused() {
    let value = |name: &str, expected| UriError::Value { name: name.to_owned(), expected };
    let encoding = "as a URI writes it: %XX for what it cannot have";
    let attribute = |name: &str| UriError::Attribute { name: name.to_owned() };
    let repeated = |name: &str| UriError::Repeated { name: name.to_owned() };
    for (path, query, expected) in [
        ("token=t;token=t;object=o", MODULE, repeated("token")),
        ("token=t;object=o", "module-path=/a&module-path=/a", repeated("module-path")),
        ("token=t;object=o;library-version=3", MODULE, attribute("library-version")),
        ("token=t;object=o;x-own=3", MODULE, attribute("x-own")),
        ("token=t;object", MODULE, attribute("object")),
        ("token=t;object=o;type=public", MODULE, value("type", "private")),
        ("token=t;object=o;slot-id=+1", MODULE, value("slot-id", "a number")),
        ("token=t;object=o;slot-id=", MODULE, value("slot-id", "a number")),
        ("token=%4;object=o", MODULE, value("token", encoding)),
        ("token=%zz;object=o", MODULE, value("token", encoding)),
        ("token=a b;object=o", MODULE, value("token", encoding)),
        ("token=%ff;object=o", MODULE, value("token", "UTF-8")),
        ("token=t", MODULE, UriError::Missing { what: "object or id" }),
        ("object=o", MODULE, UriError::Missing { what: "token, serial or slot-id" }),
        ("token=t;object=o", "", UriError::Missing { what: "module-path" }),
        ("token=t;object=o", "module-name=m", UriError::Missing { what: "module-path" }),
        ("token=t;object=o", "module-path=m.so", value("module-path", "an absolute path")),
        ("token=t;object=o", "module-path=/m&pin-source=|cat", value("pin-source", "an absolute path")),
        ("token=t;object=o", "module-path=/m&pin-value=1&pin-source=/p", UriError::TwoPins),
        ("token=t;object=o", "module-path=/m&pin-value=1&2", UriError::Query),
    ] {
        let uri = format!("pkcs11:{path}?{query}");
        assert_eq!(parse(&uri), Err(expected), "{uri}");
    }
    assert_eq!(parse("token=t;object=o"), Err(UriError::Scheme));
}

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| ["%".to_owned(), hex::encode([*byte])]).collect()
}

proptest! {
    #[test]
    fn whatever_is_escaped_is_read(label in "\\PC*", id in vec(any::<u8>(), 0..40), pin in vec(any::<u8>(), 0..40)) {
        let path = format!("pkcs11:token={};id={}", escaped(label.as_bytes()), escaped(&id));
        let uri = parse(&format!("{path}?{MODULE}&pin-value={}", escaped(&pin))).unwrap();
        prop_assert_eq!(uri.label.as_deref(), Some(label.as_str()));
        prop_assert_eq!(uri.id.as_deref(), Some(id.as_slice()));
        prop_assert_eq!(uri.pin(), Some(&Pin::Value(pin.into())));
        prop_assert_eq!(uri.to_string(), path);
    }

    #[test]
    fn no_text_is_too_much(text in "(pkcs11:)?[a-z%;&?=/0-9-]*") {
        if let Ok(uri) = parse(&text) {
            prop_assert!(text.starts_with(&uri.to_string()) && uri.module().is_absolute());
        }
    }
}
