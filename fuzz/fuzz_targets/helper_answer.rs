//! A login has something in it, and what is shown of a helper's words steers no terminal.

#![no_main]

use distil_registry::{Login, read_helper_answer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    match read_helper_answer(true, input) {
        Ok(Some(Login::Password { user, password })) => {
            assert!(!user.is_empty() && !user.contains(':') && !password.reveal().is_empty());
        }
        Ok(Some(Login::Identity(token) | Login::Token(token))) => assert!(!token.reveal().is_empty()),
        Ok(None) | Err(_) => {}
    }
    if let Err(fault) = read_helper_answer(false, input) {
        assert!(!fault.to_string().chars().any(char::is_control));
    }
});
