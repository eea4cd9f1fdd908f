//! The words of a netrc file.
//!
//! There is no specification; this follows [curl] and, for machines that are URLs, [apt]. Words are separated by white
//! space, may be quoted, and `#` starts a comment where a keyword could stand.
//!
//! [curl]: https://everything.curl.dev/usingcurl/netrc.html
//! [apt]: https://manpages.debian.org/bookworm/apt/apt_auth.conf.5.en.html

use std::iter::Peekable;
use std::str::Chars;

use url::Url;

use crate::credentials::Entry;

/// A line, from 1, and what is wrong with it.
type Problem = (usize, &'static str);

/// The entries for web servers, in order.
pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<Entry>, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let before = bytes.get(..e.valid_up_to()).unwrap_or_default();
        (before.split(|b| *b == b'\n').count(), "not UTF-8")
    })?;
    let mut words = Words { chars: text.chars().peekable(), line: 1 };
    let mut entries = Vec::new();
    let mut open: Option<Open> = None;
    while let Some(keyword) = words.keyword()? {
        match keyword.as_str() {
            "machine" => {
                entries.extend(open.take().and_then(Open::close));
                let line = words.line;
                let server = Server::parse(&words.value()?).map_err(|problem| (line, problem))?;
                open = Some(Open { server, login: None, password: String::new() });
            }
            "default" => {
                entries.extend(open.take().and_then(Open::close));
                open = Some(Open { server: None, login: None, password: String::new() });
            }
            "login" => words.open(&mut open)?.login = Some(words.value()?),
            "password" => words.open(&mut open)?.password = words.value()?,
            "account" => drop(words.value()?),
            // Commands for file transfer: they end at the first empty line.
            "macdef" => words.skip_macro(),
            _ => return Err((words.line, "neither machine, default, login, password, account nor macdef")),
        }
    }
    entries.extend(open.and_then(Open::close));
    Ok(entries)
}

/// An entry as far as it has been read.
struct Open {
    /// None of `default`, and of machines that are no web servers.
    server: Option<Server>,
    login: Option<String>,
    password: String,
}

impl Open {
    fn close(self) -> Option<Entry> {
        let Server { scheme, host, port, path } = self.server?;
        Some(Entry { scheme, host, port, path, login: self.login?, password: self.password })
    }
}

struct Server {
    scheme: Option<String>,
    host: url::Host,
    port: Option<u16>,
    path: String,
}

impl Server {
    fn parse(machine: &str) -> Result<Option<Self>, &'static str> {
        let scheme = machine.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        if scheme.as_deref().is_some_and(|scheme| !matches!(scheme, "http" | "https")) {
            return Ok(None);
        }
        // Without a scheme, one whose default port nobody writes: a port that is given must not get lost.
        let url = if scheme.is_some() { machine.to_owned() } else { format!("ftp://{machine}") };
        let url = Url::parse(&url).ok().filter(|url| url.username().is_empty() && url.password().is_none());
        let url = url.filter(|url| url.query().is_none() && url.fragment().is_none()).ok_or(NO_SERVER)?;
        let host = url.host().ok_or(NO_SERVER)?.to_owned();
        // The parser takes hosts of `ftp` as it takes those of `http`, so that names compare.
        let port = if scheme.is_some() { url.port_or_known_default() } else { url.port() };
        Ok(Some(Self { scheme, host, port, path: url.path().trim_end_matches('/').to_owned() }))
    }
}

const NO_SERVER: &str = "the machine is neither a host nor a URL";

struct Words<'a> {
    chars: Peekable<Chars<'a>>,
    line: usize,
}

impl Words<'_> {
    fn next_char(&mut self) -> Option<char> {
        let next = self.chars.next();
        self.line += usize::from(next == Some('\n'));
        next
    }

    fn skip_space(&mut self) {
        while self.chars.peek().is_some_and(char::is_ascii_whitespace) {
            self.next_char();
        }
    }

    fn skip_line(&mut self) {
        while self.chars.peek().is_some_and(|c| *c != '\n') {
            self.next_char();
        }
    }

    fn skip_macro(&mut self) {
        loop {
            self.skip_line();
            self.next_char();
            if self.chars.peek().is_none_or(|c| *c == '\n') {
                return;
            }
        }
    }

    /// The next word where a comment may stand in its place.
    fn keyword(&mut self) -> Result<Option<String>, Problem> {
        loop {
            self.skip_space();
            match self.chars.peek() {
                None => return Ok(None),
                Some('#') => self.skip_line(),
                Some(_) => return self.value().map(Some),
            }
        }
    }

    /// The next word, which must be there.
    fn value(&mut self) -> Result<String, Problem> {
        self.skip_space();
        let quoted = self.chars.next_if_eq(&'"').is_some();
        let mut word = String::new();
        loop {
            match self.chars.peek() {
                None if quoted => return Err((self.line, "a quoted word without an end")),
                Some('"') if quoted => {
                    self.next_char();
                    return Ok(word);
                }
                Some('\\') if quoted => {
                    self.next_char();
                    word.push(match self.next_char() {
                        Some('n') => '\n',
                        Some('r') => '\r',
                        Some('t') => '\t',
                        Some(other) => other,
                        None => return Err((self.line, "a quoted word without an end")),
                    });
                }
                Some(c) if quoted || !c.is_ascii_whitespace() => {
                    word.push(*c);
                    self.next_char();
                }
                _ if word.is_empty() => return Err((self.line, "a keyword without its value")),
                _ => return Ok(word),
            }
        }
    }

    /// The entry that a login or password belongs to.
    fn open<'a>(&self, open: &'a mut Option<Open>) -> Result<&'a mut Open, Problem> {
        open.as_mut().ok_or((self.line, "a login or password before any machine"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entries(text: &str) -> Vec<String> {
        let entries = parse(text.as_bytes()).unwrap().into_iter();
        let port = |port: Option<u16>| port.map_or(String::new(), |port| format!(":{port}"));
        entries.map(|e| format!("{}{}{} {} {}", e.host, port(e.port), e.path, e.login, e.password)).collect()
    }

    #[test]
    fn entries_are_read_as_written() {
        let text = "# a comment\nmachine a.example login u password #p # behind\n\n\
                    machine b.example:8080/deb\n\tlogin \"a \\\"b\\\\\" account x password \"\"\n\
                    macdef init\nmachine not.example login x password y\n\n\
                    machine http://c.example/ login u2 password p2\n\
                    machine ftp://d.example login u password p\n\
                    machine e.example password only\n\
                    default login anonymous password mail@example.org\n\
                    machine f.example:443 login u";
        let expected = ["a.example u #p", "b.example:8080/deb a \"b\\ ", "c.example:80 u2 p2", "f.example:443 u "];
        assert_eq!(entries(text), expected);
        assert!(entries("").is_empty());
    }

    #[test]
    fn the_line_is_told_and_never_a_word() {
        let cases = [
            ("\nsecret", 2),
            ("machine a.example login", 1),
            ("machine a.example\nlogin u\npassword \"secret", 3),
            ("login u", 1),
            ("machine a:d:e", 1),
            ("machine https://u:secret@a.example", 1),
            ("machine a.example?x", 1),
            ("machine", 1),
        ];
        for (text, line) in cases {
            let (found, problem) = parse(text.as_bytes()).err().unwrap();
            assert_eq!(found, line, "{text:?}: {problem}");
        }
        assert_eq!(parse(b"machine a.example\n\xff").err().unwrap().0, 2);
    }

    proptest! {
        #[test]
        fn any_text_has_an_answer(text in r#"((machine|default|login|password|macdef|#|"|\\|\n| |a\.b|://|:1|é) ?){0,40}"#) {
            let _ = parse(text.as_bytes());
        }
    }
}
