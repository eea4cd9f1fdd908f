//! `[image]`: how a container of the image starts.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use distil_imgcore::ImagePath;

use distil_settings::{Keys, Section, Value, ValueProblem};

use super::files::image_path;
use super::problem::Problems;
use super::users::{RunAs, Users};

pub(super) const KEYS: Keys = Keys::all(&[
    "entrypoint",
    "cmd",
    "user",
    "workdir",
    "env",
    "exposed-ports",
    "volumes",
    "stop-signal",
    "labels",
    "annotations",
]);

/// How a container of the image starts, and what is said about the image.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageSettings {
    /// The command that always runs, empty for none; `None` where the recipe leaves that to its base.
    pub entrypoint: Option<Vec<String>>,
    /// Its arguments, or the command where there is no entry point, until the user gives others; `None` as above.
    pub cmd: Option<Vec<String>>,
    /// Whose process it is; `None` for the base's user, and for `nonroot` without a base.
    pub user: Option<RunAs>,
    /// Where it starts.
    pub workdir: Option<ImagePath>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// Ports that it listens on.
    pub exposed_ports: Vec<Port>,
    /// Directories that are meant to outlive a container.
    pub volumes: Vec<ImagePath>,
    /// The signal that asks it to stop.
    pub stop_signal: Option<StopSignal>,
    /// Labels of the configuration.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
}

impl ImageSettings {
    /// These settings with another table `[image]` over them.
    ///
    /// What has one value is replaced, the command lines as a whole among it, since half of one means nothing. Tables are
    /// replaced key by key, and ports and volumes are added to those there are.
    pub(super) fn with(&self, over: &ImageChanges) -> Self {
        let table = |below: &BTreeMap<String, String>, over: &BTreeMap<String, String>| {
            below.iter().chain(over).map(|(k, v)| (k.clone(), v.clone())).collect()
        };
        Self {
            entrypoint: over.entrypoint.as_ref().or(self.entrypoint.as_ref()).cloned(),
            cmd: over.cmd.as_ref().or(self.cmd.as_ref()).cloned(),
            user: over.user.as_ref().or(self.user.as_ref()).cloned(),
            workdir: over.workdir.as_ref().or(self.workdir.as_ref()).cloned(),
            env: table(&self.env, &over.env),
            exposed_ports: appended(&self.exposed_ports, &over.exposed_ports),
            volumes: appended(&self.volumes, &over.volumes),
            stop_signal: over.stop_signal.as_ref().or(self.stop_signal.as_ref()).cloned(),
            labels: table(&self.labels, &over.labels),
            annotations: table(&self.annotations, &over.annotations),
        }
    }
}

/// A list with another behind it, without what it holds already.
pub(super) fn appended<T: Clone + PartialEq>(first: &[T], more: &[T]) -> Vec<T> {
    let new = more.iter().filter(|item| !first.contains(item));
    first.iter().chain(new).cloned().collect()
}

/// A table `[image]` as it stands in a recipe or in one of its variants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct ImageChanges {
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    user: Option<RunAs>,
    workdir: Option<ImagePath>,
    env: BTreeMap<String, String>,
    exposed_ports: Vec<Port>,
    volumes: Vec<ImagePath>,
    stop_signal: Option<StopSignal>,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

impl ImageChanges {
    pub(super) fn read(section: &Section<'_, '_>, users: &Users, problems: &mut Problems<'_>) -> Self {
        Self {
            entrypoint: section.value("entrypoint").and_then(|v| command_line(&v, problems)),
            cmd: section.value("cmd").and_then(|v| command_line(&v, problems)),
            user: section.value("user").and_then(|v| users.run_as(&v, problems)),
            workdir: section.value("workdir").and_then(|v| {
                let text = v.string(problems)?;
                image_path(&v.key, v.span.clone(), text, problems)
            }),
            env: section.value("env").map(|v| table(&v, env_name, ENV_NAME, problems)).unwrap_or_default(),
            exposed_ports: section
                .value("exposed-ports")
                .and_then(|v| parsed_list(&v, PORT, problems))
                .unwrap_or_default(),
            volumes: section
                .value("volumes")
                .and_then(|v| v.list(problems, |v, text, problems| image_path(&v.key, v.span.clone(), text, problems)))
                .unwrap_or_default(),
            stop_signal: section.value("stop-signal").and_then(|v| {
                let text = v.string(problems)?;
                text.parse().ok().or_else(|| v.malformed(text, SIGNAL, problems))
            }),
            labels: section.value("labels").map(|v| table(&v, label_key, LABEL_KEY, problems)).unwrap_or_default(),
            annotations: section
                .value("annotations")
                .map(|v| table(&v, label_key, LABEL_KEY, problems))
                .unwrap_or_default(),
        }
    }
}

const ENV_NAME: &str = "letters, digits, _, . and -, not starting with a digit";
const LABEL_KEY: &str = "printable characters without spaces";
const PORT: &str = "a port from 1 to 65535 with /tcp, /udp or /sctp, as in 8080/tcp";
const SIGNAL: &str = "the name of a signal as in SIGTERM, or its number";
const TEXT: &str = "text without NUL characters, which no process can be given";

fn command_line(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Vec<String>> {
    let words: Vec<String> = value.list(problems, |v, text, problems| nul_free(v, text, problems))?;
    if words.first().is_some_and(String::is_empty) {
        return value.malformed("", "a command line, whose first word names a program", problems);
    }
    Some(words)
}

fn nul_free(value: &Value<'_, '_>, text: &str, problems: &mut Problems<'_>) -> Option<String> {
    if text.contains('\0') { value.malformed(text, TEXT, problems) } else { Some(text.to_owned()) }
}

fn parsed_list<T: FromStr>(
    value: &Value<'_, '_>,
    expected: &'static str,
    problems: &mut Problems<'_>,
) -> Option<Vec<T>> {
    value.list(problems, |v, text, problems| text.parse().ok().or_else(|| v.malformed(text, expected, problems)))
}

/// A table of strings under names of a certain form.
fn table(
    value: &Value<'_, '_>,
    is_name: fn(&str) -> bool,
    expected: &'static str,
    problems: &mut Problems<'_>,
) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for entry in value.entries(problems).unwrap_or_default() {
        if !is_name(entry.name) {
            let (key, found) = (value.key.clone(), entry.name.to_owned());
            problems.add(entry.span.clone(), ValueProblem::Malformed { key, found, expected });
        }
        let text = entry.value.string(problems).and_then(|text| nul_free(&entry.value, text, problems));
        out.extend(text.map(|text| (entry.name.to_owned(), text)));
    }
    out
}

fn env_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

fn label_key(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| !c.is_control() && !c.is_whitespace())
}

/// A port that a container listens on, as in `8080/tcp`; without a protocol it is TCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    number: u16,
    protocol: Protocol,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Protocol {
    Tcp,
    Udp,
    Sctp,
}

/// A text that is no port.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not {PORT}")]
#[non_exhaustive]
pub struct PortError;

impl FromStr for Port {
    type Err = PortError;

    fn from_str(text: &str) -> Result<Self, PortError> {
        let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let protocol = match protocol {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            "sctp" => Protocol::Sctp,
            _ => return Err(PortError),
        };
        // Not every text that parses as a number: `+80` and `080` would be a second spelling of one port.
        let number = number.parse().ok().filter(|n: &u16| *n > 0 && n.to_string() == number).ok_or(PortError)?;
        Ok(Self { number, protocol })
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Sctp => "sctp",
        };
        write!(f, "{}/{protocol}", self.number)
    }
}

/// The signal that asks a container to stop: a name of Linux as in `SIGTERM` or `SIGRTMIN+3`, or a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopSignal(String);

/// A text that is no signal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not {SIGNAL}")]
#[non_exhaustive]
pub struct SignalError;

/// The names of signal(7) on the architectures that Debian is built for, without `SIG`.
const SIGNALS: [&str; 33] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "IOT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
    "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH",
    "IO", "POLL", "PWR", "SYS",
];

impl fmt::Display for StopSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for StopSignal {
    type Err = SignalError;

    fn from_str(text: &str) -> Result<Self, SignalError> {
        let number = |text: &str, most: u8| text.parse().is_ok_and(|n: u8| n <= most && n.to_string() == text);
        let known = match text.strip_prefix("SIG") {
            Some("RTMIN" | "RTMAX") => true,
            Some(name) => {
                SIGNALS.contains(&name)
                    || name.strip_prefix("RTMIN+").is_some_and(|n| number(n, 30))
                    || name.strip_prefix("RTMAX-").is_some_and(|n| number(n, 30))
            }
            None => text != "0" && number(text, 64),
        };
        if known { Ok(Self(text.to_owned())) } else { Err(SignalError) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_have_one_spelling() {
        for (text, expected) in [("80", Some("80/tcp")), ("53/udp", Some("53/udp")), ("9/sctp", Some("9/sctp"))] {
            assert_eq!(text.parse::<Port>().ok().map(|p| p.to_string()).as_deref(), expected);
        }
        for bad in ["", "0/tcp", "65536/tcp", "+80", "080", "80/TCP", "80/", "80-90/tcp", " 80"] {
            assert!(bad.parse::<Port>().is_err(), "{bad}");
        }
    }

    #[test]
    fn signals_are_those_of_linux() {
        for good in ["SIGTERM", "SIGRTMIN+3", "SIGRTMAX-14", "SIGRTMIN", "15", "64"] {
            assert_eq!(good.parse::<StopSignal>().unwrap().to_string(), good);
        }
        for bad in ["TERM", "SIGFOO", "0", "65", "SIGRTMIN+99", "sigterm", "+9", "SIG"] {
            assert!(bad.parse::<StopSignal>().is_err(), "{bad}");
        }
    }
}
