//! Commands that the history keeps.

use super::Against;
use super::configuration::shown;
use crate::observe::{has_login, in_text, secret};

/// Bytes of one command that are looked at; the largest real ones are scripts of a few thousand.
const MAX_COMMAND: usize = 64 << 10;

pub(super) fn look(history: &[String], against: &mut Vec<Against>) {
    for (number, command) in history.iter().enumerate() {
        let mut end = command.len().min(MAX_COMMAND);
        while !command.is_char_boundary(end) {
            end -= 1;
        }
        let command = command.get(..end).unwrap_or_default();
        let mut tell = |rule, evidence: String| against.push(Against::new(rule, format!("history {number}"), evidence));
        if let Some(seen) = secrets(command) {
            tell("DSTL-CFG-004", seen);
        }
        if adds_url(command) {
            tell("DSTL-CFG-011", "ADD of a URL".to_owned());
        }
        let words: Vec<&str> = command.split(|c: char| c.is_whitespace() || ";&|()".contains(c)).collect();
        let runs = |what: &str| words.contains(&what);
        let is_apt = runs("apt-get") || runs("apt");
        if is_apt
            && runs("update")
            && !["install", "upgrade", "dist-upgrade", "full-upgrade"].iter().any(|word| runs(word))
        {
            tell("DSTL-CFG-011", "lists of packages are updated in a step alone".to_owned());
        }
        if is_apt && (runs("dist-upgrade") || runs("full-upgrade")) {
            tell("DSTL-CFG-014", "the distribution is upgraded".to_owned());
        }
        if let Some(into) = piped(command) {
            tell("DSTL-CFG-015", format!("a download is piped into {into}"));
        }
    }
}

/// A secret in a command: by its form, in a URL, or behind a name and an equals sign.
fn secrets(command: &str) -> Option<String> {
    if let Some(seen) = in_text(command) {
        return Some(seen);
    }
    if has_login(command) {
        return Some("a URL with a password".to_owned());
    }
    let assigned = command.split_whitespace().filter_map(|word| word.trim_start_matches('-').split_once('='));
    assigned.into_iter().find_map(|(name, value)| {
        let name = name.rsplit([';', '&', '|', '(']).next().unwrap_or_default();
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
        let seen = secret(name, value.trim_matches(['"', '\'', ';']))?;
        is_name.then(|| format!("{}: {seen}", shown(name)))
    })
}

fn adds_url(command: &str) -> bool {
    let rest = command.strip_prefix("/bin/sh -c #(nop) ").unwrap_or(command).trim_start();
    rest.strip_prefix("ADD ").is_some_and(|rest| {
        let urls = rest.split_whitespace().filter(|word| word.starts_with("http://") || word.starts_with("https://"));
        urls.count() > 0 && !rest.contains("--checksum=")
    })
}

/// The interpreter that a download is piped into, or that is given what one prints: `bash <(curl …)`, `sh -c "$(curl …)"`.
fn piped(command: &str) -> Option<&str> {
    const INTERPRETERS: &[&str] = &["sh", "bash", "dash", "ash", "zsh", "python", "python3", "perl", "ruby", "node"];
    let mut is_download = false;
    for step in command.split(['\n', ';', '&']) {
        for (number, part) in step.split('|').enumerate() {
            // Docker starts each step with a shell of its own.
            let part = part.trim_start().trim_start_matches("RUN ").trim_start_matches("/bin/sh -c ");
            let mut words = part.split_whitespace().filter(|word| !matches!(*word, "sudo" | "env" | "-E"));
            let first = words.next().unwrap_or_default();
            let name = first.rsplit('/').next().unwrap_or_default();
            let is_given = number > 0 && is_download || is_given_download(words);
            if is_given && INTERPRETERS.contains(&name) {
                return Some(name);
            }
            is_download = part.split_whitespace().any(is_loader);
        }
    }
    None
}

/// Whether an interpreter with these arguments runs what a download prints: `<(curl …)`, `-c "$(curl …)"`.
fn is_given_download<'a>(arguments: impl Iterator<Item = &'a str>) -> bool {
    let mut is_program = false;
    for word in arguments {
        let word = word.trim_start_matches(['"', '\'']);
        let printed = if is_program { word.strip_prefix("$(").or(word.strip_prefix('`')) } else { None };
        if word.strip_prefix("<(").or(printed).is_some_and(is_loader) {
            return true;
        }
        is_program = word.starts_with('-') && word.ends_with('c');
    }
    false
}

fn is_loader(word: &str) -> bool {
    matches!(word.rsplit('/').next(), Some("curl" | "wget"))
}
