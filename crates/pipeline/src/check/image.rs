//! What an image of one platform is, without what is known of its packages.

use std::collections::{BTreeMap, BTreeSet};

use distil_imgcore::Image;
use distil_policy::facts::{ConfigFacts, LayerFacts, PlatformFacts};
use jiff::Timestamp;
use serde::Deserialize;

/// What the documents of an image say; its layers are not read.
pub(crate) fn documents(image: &Image) -> PlatformFacts {
    let layers: Vec<LayerFacts> = image
        .layers()
        .iter()
        .map(|layer| LayerFacts { digest: layer.digest().to_string(), size: layer.size(), unpacked: None })
        .collect();
    PlatformFacts {
        digest: image.digest().to_string(),
        size: layers.iter().map(|layer| layer.size).sum(),
        layers,
        config: config(image.config().bytes()),
        annotations: image.manifest().annotations().clone(),
        created: image
            .config()
            .created()
            .filter(|created| *created > DAY)
            .and_then(|at| Timestamp::from_second(at).ok()),
        ..PlatformFacts::default()
    }
}

/// Builds that must not tell a time write the first moments of 1970, in whatever time zone.
const DAY: i64 = 24 * 60 * 60;

/// A configuration as it is written. What has another form than all readers expect is left out: an image with such a
/// configuration is refused long before.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Document {
    config: Option<Settings>,
    history: Option<Vec<Step>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Settings {
    user: Option<String>,
    env: Option<Vec<String>>,
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    working_dir: Option<String>,
    exposed_ports: Option<BTreeMap<String, serde_json::Value>>,
    volumes: Option<BTreeMap<String, serde_json::Value>>,
    labels: Option<BTreeMap<String, String>>,
    healthcheck: Option<Healthcheck>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Healthcheck {
    test: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Step {
    created_by: Option<String>,
}

fn config(bytes: &[u8]) -> ConfigFacts {
    let Document { config, history } = serde_json::from_slice(bytes).unwrap_or_default();
    let settings = config.unwrap_or_default();
    let pair = |text: String| match text.split_once('=') {
        Some((name, value)) => (name.to_owned(), value.to_owned()),
        None => (text, String::new()),
    };
    let keys = |map: Option<BTreeMap<String, serde_json::Value>>| {
        map.unwrap_or_default().into_keys().collect::<BTreeSet<String>>()
    };
    let test = settings.healthcheck.and_then(|check| check.test).unwrap_or_default();
    ConfigFacts {
        user: settings.user,
        env: settings.env.unwrap_or_default().into_iter().map(pair).collect(),
        entrypoint: settings.entrypoint,
        cmd: settings.cmd,
        workdir: settings.working_dir,
        exposed_ports: keys(settings.exposed_ports),
        volumes: keys(settings.volumes),
        labels: settings.labels.unwrap_or_default(),
        has_healthcheck: test.first().is_some_and(|word| word != "NONE"),
        history: history.unwrap_or_default().into_iter().filter_map(|step| step.created_by).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_taken_as_it_is_written() {
        let found = config(
            br#"{"architecture":"amd64","config":{"User":"0:0","Env":["A=b=c","D"],"Entrypoint":["/a"],"WorkingDir":"/w",
            "ExposedPorts":{"22/tcp":{}},"Volumes":{"/v":{}},"Labels":{"k":"v"},"Healthcheck":{"Test":["CMD","x"]}},
            "history":[{"created_by":"one"},{"empty_layer":true},{"created_by":"two"}]}"#,
        );
        assert_eq!(found.user.as_deref(), Some("0:0"));
        assert_eq!(found.env, [("A".to_owned(), "b=c".to_owned()), ("D".to_owned(), String::new())]);
        assert_eq!((found.entrypoint.unwrap(), found.cmd), (vec!["/a".to_owned()], None));
        assert!(found.exposed_ports.contains("22/tcp") && found.volumes.contains("/v") && found.has_healthcheck);
        assert_eq!(found.history, ["one", "two"]);
        assert!(!config(br#"{"config":{"Healthcheck":{"Test":["NONE"]}}}"#).has_healthcheck);
        for text in ["", "{}", r#"{"config":null}"#, r#"{"config":{"Env":1}}"#] {
            assert_eq!(config(text.as_bytes()), ConfigFacts::default(), "{text}");
        }
    }
}
