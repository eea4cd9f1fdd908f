//! What a runtime does with an image.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::config::Config;
use crate::document::DocumentError;

/// What a runtime does with an image unless its user says otherwise: the `config` of a [configuration]. Empty fields are
/// left out.
///
/// [configuration]: https://github.com/opencontainers/image-spec/blob/main/config.md#properties
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The program, and its first arguments.
    pub entrypoint: Vec<String>,
    /// Further arguments, or the program where there is no entrypoint.
    pub cmd: Vec<String>,
    /// `USER[:GROUP]`, names or numbers.
    pub user: String,
    /// Where the program starts.
    pub working_dir: String,
    /// The environment. Written in the order of names.
    pub env: BTreeMap<String, String>,
    /// `NUMBER`, or `NUMBER/tcp`, `/udp`, `/sctp`.
    pub exposed_ports: BTreeSet<String>,
    /// Directories that hold data.
    pub volumes: BTreeSet<String>,
    /// What stops the program: `SIGTERM`.
    pub stop_signal: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

impl Settings {
    /// What the configuration of an image says, to start another image from. What has no place here is left behind: fields
    /// that the specification does not know, as Docker's health check, are not carried over.
    ///
    /// # Errors
    /// [`DocumentError::EnvName`] for a line of the environment without `=`, of which readers make different things.
    pub fn of(config: &Config) -> Result<Self, DocumentError> {
        let Some(run) = config.view().config() else { return Ok(Self::default()) };
        let mut env = BTreeMap::new();
        for line in run.env().iter().flatten() {
            let (name, value) = line.split_once('=').ok_or_else(|| DocumentError::EnvName(line.clone()))?;
            env.insert(name.to_owned(), value.to_owned());
        }
        Ok(Self {
            entrypoint: run.entrypoint().clone().unwrap_or_default(),
            cmd: run.cmd().clone().unwrap_or_default(),
            user: run.user().clone().unwrap_or_default(),
            working_dir: run.working_dir().clone().unwrap_or_default(),
            env,
            exposed_ports: run.exposed_ports().iter().flatten().cloned().collect(),
            volumes: run.volumes().iter().flatten().cloned().collect(),
            stop_signal: run.stop_signal().clone().unwrap_or_default(),
            labels: run.labels().iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect(),
        })
    }

    pub(crate) fn to_json(&self) -> Result<Value, DocumentError> {
        if let Some(name) = self.env.keys().find(|name| name.is_empty() || name.contains(['=', '\0'])) {
            return Err(DocumentError::EnvName(name.clone()));
        }
        if let Some(port) = self.exposed_ports.iter().find(|port| !is_port(port)) {
            return Err(DocumentError::Port(port.clone()));
        }
        let mut out = Map::new();
        put_text(&mut out, "User", &self.user);
        put_text(&mut out, "WorkingDir", &self.working_dir);
        put_text(&mut out, "StopSignal", &self.stop_signal);
        let env: Vec<String> = self.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
        for (key, list) in [("Entrypoint", &self.entrypoint), ("Cmd", &self.cmd), ("Env", &env)] {
            if !list.is_empty() {
                out.insert(key.into(), json!(list));
            }
        }
        for (key, set) in [("ExposedPorts", &self.exposed_ports), ("Volumes", &self.volumes)] {
            if !set.is_empty() {
                out.insert(key.into(), set.iter().map(|name| (name.clone(), json!({}))).collect());
            }
        }
        if !self.labels.is_empty() {
            out.insert("Labels".into(), json!(self.labels));
        }
        Ok(Value::Object(out))
    }
}

pub(crate) fn put_text(out: &mut Map<String, Value>, key: &str, text: &str) {
    if !text.is_empty() {
        out.insert(key.into(), text.into());
    }
}

fn is_port(text: &str) -> bool {
    let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    matches!(protocol, "tcp" | "udp" | "sctp")
        && number.bytes().all(|b| b.is_ascii_digit())
        && number.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn settings_come_back_from_a_configuration() {
        let set = |items: &[&str]| items.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        let settings = Settings {
            entrypoint: vec!["/app".into()],
            cmd: vec!["run".into()],
            user: "7".into(),
            working_dir: "/srv".into(),
            env: BTreeMap::from([("A".into(), "1=1".into()), ("B".into(), String::new())]),
            exposed_ports: set(&["80/tcp"]),
            volumes: set(&["/data"]),
            stop_signal: "SIGTERM".into(),
            labels: BTreeMap::from([("l".into(), "m".into())]),
        };
        let with = |run: Value| {
            let rootfs = json!({"type": "layers", "diff_ids": []});
            let config = json!({"architecture": "amd64", "os": "linux", "config": run, "rootfs": rootfs});
            Settings::of(&Config::parse(json::to_canonical(&config)).unwrap())
        };
        assert_eq!(with(settings.to_json().unwrap()).unwrap(), settings);
        assert_eq!(with(json!({})).unwrap(), Settings::default());
        assert!(matches!(with(json!({"Env": ["A"]})), Err(DocumentError::EnvName(_))));
    }
}
