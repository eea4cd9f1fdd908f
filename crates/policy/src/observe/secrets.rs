//! What has the form of a secret: tokens of well-known services, and private keys. The form decides, never a name.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::Sight;

/// Bytes behind the start of a secret that are looked at: the longest private keys have less.
pub(super) const REACH: usize = 16 << 10;

/// A token: how it starts, and what follows.
struct Token {
    start: &'static str,
    service: &'static str,
    then: Then,
}

enum Then {
    /// At least and at most as many of these characters.
    Some(usize, usize, fn(u8) -> bool),
    /// The rest of a JSON web token.
    Jwt,
    /// The rest of a private key.
    Key,
    /// The rest of a file of `PuTTY`.
    Putty,
    /// Base64 as Azure's account keys are.
    AccountKey,
}

const TOKENS: &[Token] = &[
    token("AKIA", "AWS access key id", Then::Some(16, 16, is_upper)),
    token("ASIA", "AWS access key id", Then::Some(16, 16, is_upper)),
    token("ghp_", "GitHub token", Then::Some(36, 36, is_alphanumeric)),
    token("gho_", "GitHub token", Then::Some(36, 36, is_alphanumeric)),
    token("ghu_", "GitHub token", Then::Some(36, 36, is_alphanumeric)),
    token("ghs_", "GitHub token", Then::Some(36, 36, is_alphanumeric)),
    token("ghr_", "GitHub token", Then::Some(36, 76, is_alphanumeric)),
    token("github_pat_", "GitHub token", Then::Some(82, 82, is_word)),
    token("glpat-", "GitLab token", Then::Some(20, 64, is_word_or_dash)),
    token("gldt-", "GitLab deploy token", Then::Some(20, 64, is_word_or_dash)),
    token("glrt-", "GitLab runner token", Then::Some(20, 64, is_word_or_dash)),
    token("xoxb-", "Slack token", Then::Some(20, 250, is_slack)),
    token("xoxp-", "Slack token", Then::Some(20, 250, is_slack)),
    token("xoxa-", "Slack token", Then::Some(20, 250, is_slack)),
    token("xoxs-", "Slack token", Then::Some(20, 250, is_slack)),
    token("xapp-", "Slack token", Then::Some(20, 250, is_slack)),
    token("hooks.slack.com/services/T", "Slack webhook", Then::Some(40, 60, is_path)),
    token("AIza", "Google API key", Then::Some(35, 35, is_word_or_dash)),
    token("GOCSPX-", "Google client secret", Then::Some(28, 28, is_word_or_dash)),
    token("sk_live_", "Stripe key", Then::Some(24, 247, is_alphanumeric)),
    token("rk_live_", "Stripe key", Then::Some(24, 247, is_alphanumeric)),
    token("npm_", "npm token", Then::Some(36, 36, is_alphanumeric)),
    token("pypi-AgEIcHlwaS5vcmc", "PyPI token", Then::Some(50, 1000, is_word_or_dash)),
    token("dckr_pat_", "Docker Hub token", Then::Some(27, 36, is_word_or_dash)),
    token("dop_v1_", "DigitalOcean token", Then::Some(64, 64, is_hex)),
    token("hvs.", "Vault token", Then::Some(90, 200, is_word_or_dash)),
    token("hf_", "Hugging Face token", Then::Some(34, 34, is_letter)),
    token("sk-ant-api03-", "Anthropic key", Then::Some(80, 120, is_word_or_dash)),
    token("SG.", "SendGrid key", Then::Some(66, 66, is_word_dash_or_dot)),
    token("AGE-SECRET-KEY-1", "age key", Then::Some(58, 58, is_upper)),
    token("AccountKey=", "Azure account key", Then::AccountKey),
    token("eyJ", "JSON web token", Then::Jwt),
    token("-----BEGIN ", "private key", Then::Key),
    token("PuTTY-User-Key-File-", "private key of PuTTY", Then::Putty),
];

const fn token(start: &'static str, service: &'static str, then: Then) -> Token {
    Token { start, service, then }
}

static STARTS: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(TOKENS.iter().map(|token| token.start)).ok());

/// The secrets that start in a part of the bytes. One that is there twice is told once.
pub(super) fn find(bytes: &[u8], part: Range<usize>, found: &mut Vec<Sight>) {
    let Some(starts) = STARTS.as_ref() else { return };
    for hit in starts.find_iter(bytes) {
        if hit.start() >= part.end {
            break;
        }
        if hit.start() < part.start {
            continue;
        }
        let Some(token) = TOKENS.get(hit.pattern().as_usize()) else { continue };
        let before = hit.start().checked_sub(1).and_then(|at| bytes.get(at)).copied();
        let Some(rest) = bytes.get(hit.end()..) else { continue };
        let rest = rest.get(..REACH).unwrap_or(rest);
        if let Some(sight) = token.complete(before, rest)
            && !found.contains(&sight)
        {
            found.push(sight);
        }
    }
}

/// What secret a short text is or holds, in words.
pub(crate) fn in_text(text: &str) -> Option<String> {
    let mut found = Vec::new();
    find(text.as_bytes(), 0..text.len(), &mut found);
    found.into_iter().next().map(|sight| sight.seen)
}

impl Token {
    /// Whether what stands before and behind the start makes it a secret.
    fn complete(&self, before: Option<u8>, rest: &[u8]) -> Option<Sight> {
        let stands_alone = before.is_none_or(|b| !b.is_ascii_alphanumeric());
        match self.then {
            Then::Some(least, most, of) => {
                let end = rest.iter().position(|b| !of(*b)).unwrap_or(rest.len());
                let value = rest.get(..end)?;
                let is_one = stands_alone && (least..=most).contains(&end) && is_random(value);
                is_one.then(|| self.sight("DSTL-FS-010", value))
            }
            Then::Jwt => {
                let end = rest.iter().position(|b| !is_word_dash_or_dot(*b)).unwrap_or(rest.len());
                let value = rest.get(..end)?;
                let mut parts = value.split(|b| *b == b'.');
                let (head, body, sign, none) = (parts.next()?, parts.next()?, parts.next()?, parts.next());
                // The token that every page about them shows.
                let is_sample = body.starts_with(b"eyJzdWIiOiIxMjM0NTY3ODkwI");
                let is_one = stands_alone
                    && none.is_none()
                    && head.len() >= 12
                    && body.len() >= 12
                    && body.starts_with(b"eyJ")
                    && sign.len() >= 20
                    && !is_sample;
                is_one.then(|| self.sight("DSTL-FS-010", value))
            }
            Then::AccountKey => {
                let end = rest.iter().position(|b| !is_base64(*b)).unwrap_or(rest.len());
                let value = rest.get(..end)?;
                (end == 88 && value.ends_with(b"==") && is_random(value)).then(|| self.sight("DSTL-FS-010", value))
            }
            Then::Key => key(rest),
            Then::Putty => {
                let text = rest.get(..512).unwrap_or(rest);
                let has = |what: &[u8]| text.windows(what.len()).any(|window| window == what);
                if has(b"\nEncryption: none") {
                    Some(Sight::new("DSTL-FS-008", "a private key of PuTTY"))
                } else {
                    has(b"\nEncryption: ").then(|| Sight::new("DSTL-FS-018", "an encrypted private key of PuTTY"))
                }
            }
        }
    }

    /// Says what it is, and of the value the least that finds it again.
    fn sight(&self, rule: &'static str, value: &[u8]) -> Sight {
        let shown: String = value.iter().take(2).map(|b| char::from(*b)).collect();
        Sight { rule, seen: format!("{}: {}{shown}…", self.service, self.start) }
    }
}

/// What follows `-----BEGIN `: a label that ends in PRIVATE KEY, at least 30 characters of base64, and the end.
fn key(rest: &[u8]) -> Option<Sight> {
    let line = rest.windows(5).take(64).position(|window| window == b"-----")?;
    let label = std::str::from_utf8(rest.get(..line)?).ok()?;
    let is_pgp = label == "PGP PRIVATE KEY BLOCK";
    if !label.ends_with("PRIVATE KEY") && !is_pgp {
        return None;
    }
    let body = rest.get(line + 5..)?;
    let end = format!("-----END {label}");
    let end = body.windows(end.len()).position(|window| window == end.as_bytes())?;
    let body = body.get(..end)?;
    // In JSON and in variables lines end in a backslash and an n.
    let text: Vec<u8> = body.iter().copied().filter(|b| is_base64(*b)).collect();
    if text.len() < 30 || !is_random(&text) {
        return None;
    }
    let holds = |what: &[u8]| body.windows(what.len()).any(|window| window == what);
    let is_open = match label {
        "ENCRYPTED PRIVATE KEY" => false,
        // The magic number, and `none` for the name of the cipher.
        "OPENSSH PRIVATE KEY" => text.starts_with(b"b3BlbnNzaC1rZXktdjEAAAAABG5vbmU"),
        _ => !holds(b"Proc-Type: 4,ENCRYPTED"),
    };
    Some(if is_open {
        Sight { rule: "DSTL-FS-008", seen: format!("-----BEGIN {label}-----") }
    } else {
        Sight { rule: "DSTL-FS-018", seen: format!("-----BEGIN {label}-----, encrypted") }
    })
}

/// Whether a value is more than a placeholder: AWS's own samples end in EXAMPLE, others repeat one character.
fn is_random(value: &[u8]) -> bool {
    let mut seen = [false; 256];
    for byte in value {
        if let Some(place) = seen.get_mut(usize::from(*byte)) {
            *place = true;
        }
    }
    let different = seen.iter().filter(|is| **is).count();
    let is_sample = value.ends_with(b"EXAMPLE") || value.ends_with(b"EXAMPLEKEY");
    different >= 6 && !is_sample
}

fn is_upper(b: u8) -> bool {
    b.is_ascii_uppercase() || b.is_ascii_digit()
}

fn is_letter(b: u8) -> bool {
    b.is_ascii_alphabetic()
}

fn is_alphanumeric(b: u8) -> bool {
    b.is_ascii_alphanumeric()
}

fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

fn is_word_or_dash(b: u8) -> bool {
    is_word(b) || b == b'-'
}

fn is_word_dash_or_dot(b: u8) -> bool {
    is_word_or_dash(b) || b == b'.'
}

fn is_slack(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'-'
}

fn is_path(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'/'
}

fn is_hex(b: u8) -> bool {
    b.is_ascii_hexdigit()
}

fn is_base64(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=')
}
