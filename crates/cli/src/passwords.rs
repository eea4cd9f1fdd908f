//! Where the password of a key comes from: an option, a variable, or whoever sits at the terminal.

mod terminal;

use std::path::{Path, PathBuf};

use clap::Args;
use distil_pipeline::Escaped;
use distil_pipeline::signing::{PasswordError, Passwords, Zeroizing, read_password};

use crate::environment::{Environment, Hidden};

/// The options of commands that open or make a key.
#[derive(Debug, Args)]
pub(crate) struct PasswordOptions {
    /// Read the password of the key, or the PIN of its token, from this file of one line, whose line end is not part of it; without
    /// this option and the next it is in `COSIGN_PASSWORD`, which may be empty, or `COSIGN_PKCS11_PIN`, or is asked for at the
    /// terminal
    #[arg(long, value_name = "FILE", conflicts_with = "password_fd", help_heading = PASSWORDS)]
    password_file: Option<PathBuf>,
    /// Read the password of the key from this file descriptor, in the same way
    #[arg(long, value_name = "N", help_heading = PASSWORDS)]
    password_fd: Option<u32>,
}

const PASSWORDS: &str = "Passwords";

impl PasswordOptions {
    /// Knows passwords and PINs, or asks for them. An option wins over the variables.
    pub(crate) fn source<'a>(&'a self, environment: &'a Environment) -> Sources<'a> {
        Sources {
            password: self.or(environment.cosign_password.as_ref()),
            pin: self.or(environment.cosign_pkcs11_pin.as_ref()),
        }
    }

    fn or<'a>(&'a self, variable: Option<&'a Hidden>) -> Source<'a> {
        match (&self.password_file, self.password_fd, variable) {
            (Some(path), _, _) => Source::File { path: path.clone(), shown: Escaped::path(path).to_string() },
            // Another descriptor of the same file or pipe.
            (None, Some(number), _) => Source::File {
                path: format!("/dev/fd/{number}").into(),
                shown: format!("the file descriptor {number}"),
            },
            (None, None, Some(value)) => Source::Variable(value),
            (None, None, None) => Source::Terminal,
        }
    }
}

/// Where passwords of files, and PINs of tokens, come from.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    password: Source<'a>,
    pin: Source<'a>,
}

#[derive(Debug)]
enum Source<'a> {
    File { path: PathBuf, shown: String },
    Variable(&'a Hidden),
    Terminal,
}

impl Source<'_> {
    fn secret(&self, questions: &[&str]) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
        match self {
            Self::File { path, shown } => read_password(path, shown),
            Self::Variable(value) => Ok(value.reveal()),
            Self::Terminal => terminal::ask(questions),
        }
    }
}

impl Passwords for Sources<'_> {
    fn password(&self, file: &Path) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
        self.password.secret(&[&format!("Password of {}: ", Escaped::path(file))])
    }

    fn new_password(&self, file: &Path) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
        let first = format!("New password for {}: ", Escaped::path(file));
        self.password.secret(&[&first, "The same password again: "])
    }

    fn pin(&self, token: &str) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
        self.pin.secret(&[&format!("PIN of the token {}: ", Escaped(token.as_bytes()))])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_wins_over_the_variable_which_wins_over_the_terminal() {
        let options =
            |file: Option<&str>, fd| PasswordOptions { password_file: file.map(PathBuf::from), password_fd: fd };
        let [password, pin] = ["password", "pin"].map(|value| Some(Hidden::new(value.into())));
        let set = Environment { cosign_password: password, cosign_pkcs11_pin: pin, ..Environment::default() };
        for (file, fd, expected) in [(Some("f"), None, "f"), (None, Some(3), "/dev/fd/3")] {
            let options = options(file, fd);
            let Sources { password, pin } = options.source(&set);
            for source in [password, pin] {
                assert!(matches!(source, Source::File { path, .. } if path == Path::new(expected)));
            }
        }
        let none = options(None, None);
        assert_eq!(none.source(&set).password(Path::new("k")).unwrap().as_slice(), b"password");
        assert_eq!(none.source(&set).pin("t").unwrap().as_slice(), b"pin");
        let empty = Environment { cosign_password: Some(Hidden::new(Vec::new())), ..Environment::default() };
        assert!(none.source(&empty).password(Path::new("k")).unwrap().is_empty());
        assert!(matches!(none.source(&empty).pin, Source::Terminal));
        assert!(matches!(none.source(&Environment::default()).password, Source::Terminal));
        assert_eq!(format!("{:?}", Hidden::new(b"s3cret".to_vec())), "…");
    }
}
