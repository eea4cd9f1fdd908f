//! How an image is put together of layers and settings.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::config::Config;
use crate::document::{DocumentError, MAX_LAYERS};
use crate::image::Image;
use crate::json;
use crate::layer::Layer;
use crate::platform::Platform;
use crate::time::rfc3339;

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

/// Puts an image together; [`ImageBuilder::finish`] makes it.
#[derive(Debug, Clone)]
pub struct ImageBuilder {
    platform: Platform,
    created: i64,
    settings: Settings,
    annotations: BTreeMap<String, String>,
    layers: Vec<Layer>,
}

impl ImageBuilder {
    /// An image for `platform` with the creation time `created`, in seconds since 1970, and nothing in it.
    #[must_use]
    pub fn new(platform: Platform, created: i64) -> Self {
        Self { platform, created, settings: Settings::default(), annotations: BTreeMap::new(), layers: Vec::new() }
    }

    /// Says how it is run.
    #[must_use]
    pub fn settings(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    /// Sets the annotations of the manifest.
    #[must_use]
    pub fn annotations(self, annotations: BTreeMap<String, String>) -> Self {
        Self { annotations, ..self }
    }

    /// Puts a layer on top.
    #[must_use]
    pub fn layer(mut self, layer: Layer) -> Self {
        self.layers.push(layer);
        self
    }

    /// Makes the image. Every layer has one entry in its history.
    ///
    /// # Errors
    /// [`DocumentError`] for a setting that cannot be written so that every reader understands it the same, for more than
    /// [`MAX_LAYERS`] layers, and for a time that has no form.
    pub fn finish(self) -> Result<Image, DocumentError> {
        let found = self.layers.len();
        if found > MAX_LAYERS {
            return Err(DocumentError::TooMany { what: "layers", limit: MAX_LAYERS, found });
        }
        let created = rfc3339(self.created).ok_or(DocumentError::Time(self.created))?;
        let diff_ids: Vec<String> = self.layers.iter().map(|layer| layer.diff_id().to_string()).collect();
        let mut out = Map::new();
        out.insert("architecture".into(), self.platform.architecture().into());
        out.insert("os".into(), self.platform.os().into());
        put_text(&mut out, "variant", self.platform.variant().unwrap_or_default());
        put_text(&mut out, "os.version", self.platform.os_version().unwrap_or_default());
        out.insert("config".into(), self.settings.to_json()?);
        out.insert("rootfs".into(), json!({"type": "layers", "diff_ids": diff_ids}));
        out.insert("history".into(), self.layers.iter().map(|layer| history(layer, &created)).collect());
        out.insert("created".into(), created.into());
        let config = Config::parse(json::to_canonical(&Value::Object(out)))?;
        Image::new(config, self.layers, &self.annotations)
    }
}

fn history(layer: &Layer, created: &str) -> Value {
    let mut out = Map::new();
    put_text(&mut out, "created", created);
    put_text(&mut out, "created_by", layer.created_by());
    Value::Object(out)
}

impl Settings {
    fn to_json(&self) -> Result<Value, DocumentError> {
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

fn put_text(out: &mut Map<String, Value>, key: &str, text: &str) {
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
    use std::sync::Arc;

    use super::*;
    use crate::Memory;
    use crate::compression::Codec;
    use crate::digest::{DiffId, Digest};
    use crate::image::Index;
    use crate::store::{Selector, Store};

    fn layer(text: &str) -> Layer {
        let digest = Digest::of(text.as_bytes());
        let content = Arc::new(text.as_bytes().to_vec());
        let diff_id = DiffId::new(digest.clone());
        Layer::stated(digest, text.len() as u64, diff_id, Codec::None, content).with_created_by("distil")
    }

    fn builder(platform: &str) -> ImageBuilder {
        ImageBuilder::new(platform.parse().unwrap(), 1_700_000_000)
    }

    fn set(items: &[&str]) -> BTreeSet<String> {
        items.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_config_is_canonical_and_whole() {
        let settings = Settings {
            entrypoint: vec!["/app".into()],
            user: "nonroot".into(),
            env: BTreeMap::from([("B".into(), "2".into()), ("A".into(), "1=1".into())]),
            exposed_ports: set(&["8080/tcp"]),
            volumes: set(&["/data"]),
            labels: BTreeMap::from([("l".into(), String::new())]),
            ..Settings::default()
        };
        let image = builder("linux/arm/v6").settings(settings).layer(layer("x")).finish().unwrap();
        let diff_id = Digest::of(b"x");
        let expected = format!(
            concat!(
                r#"{{"architecture":"arm","config":{{"Entrypoint":["/app"],"Env":["A=1=1","B=2"],"#,
                r#""ExposedPorts":{{"8080/tcp":{{}}}},"Labels":{{"l":""}},"User":"nonroot","Volumes":{{"/data":{{}}}}}},"#,
                r#""created":"2023-11-14T22:13:20Z","history":[{{"created":"2023-11-14T22:13:20Z","created_by":"distil"}}],"#,
                r#""os":"linux","rootfs":{{"diff_ids":["{diff_id}"],"type":"layers"}},"variant":"v6"}}"#
            ),
            diff_id = diff_id
        );
        assert_eq!(String::from_utf8(image.config().bytes().to_vec()).unwrap(), expected);
        assert_eq!(image.manifest().config().digest(), &Digest::of(expected.as_bytes()));
    }

    #[test]
    fn settings_with_two_meanings_are_refused() {
        let check = |settings: Settings| builder("linux/amd64").settings(settings).finish().unwrap_err();
        let env = |name: &str| BTreeMap::from([(name.to_owned(), String::new())]);
        for name in ["", "A=B", "A\0"] {
            let error = check(Settings { env: env(name), ..Settings::default() });
            assert!(matches!(error, DocumentError::EnvName(_)));
        }
        for port in ["", "0", "65536", "80/http", "+80", "80/tcp/x"] {
            let error = check(Settings { exposed_ports: set(&[port]), ..Settings::default() });
            assert!(matches!(error, DocumentError::Port(_)), "{port}");
        }
        let error = ImageBuilder::new("linux/amd64".parse().unwrap(), i64::MAX).finish().unwrap_err();
        assert!(matches!(error, DocumentError::Time(i64::MAX)));
    }

    #[test]
    fn layers_are_counted() {
        let with = |n: usize| (0..n).fold(builder("linux/amd64"), |b, i| b.layer(layer(&i.to_string()))).finish();
        assert!(with(127).is_ok());
        assert!(matches!(with(128), Err(DocumentError::TooMany { found: 128, .. })));
    }

    #[test]
    fn an_index_is_ordered_by_platform_and_has_each_once() {
        let image = |platform: &str| builder(platform).layer(layer("x")).finish().unwrap();
        let none = BTreeMap::new();
        let one = Index::new(vec![image("linux/arm64"), image("linux/amd64")], &none).unwrap();
        let other = Index::new(vec![image("linux/amd64"), image("linux/arm64")], &none).unwrap();
        assert_eq!(one.digest(), other.digest());
        assert_eq!(one.images()[0].platform().architecture(), "amd64");
        let twice = Index::new(vec![image("linux/arm64"), image("linux/arm64/v8")], &none);
        assert!(matches!(twice, Err(DocumentError::PlatformTwice(_))));
    }

    #[test]
    fn an_image_comes_back_from_a_store() {
        let image = builder("linux/amd64").layer(layer("x")).layer(layer("y")).finish().unwrap();
        let index = Index::new(vec![image.clone()], &BTreeMap::new()).unwrap();
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let root = index.write_to(&*store, &mut |_| {}).unwrap();
        store.tag(None, &root).unwrap();
        assert_eq!(store.resolve(&Selector::Only).unwrap(), root);
        let back = Image::read(&store, &index.document().manifests()[0]).unwrap();
        assert_eq!(back.digest(), image.digest());
        let mut content = String::new();
        back.layers()[1].content().open().unwrap().read_to_string(&mut content).unwrap();
        assert_eq!(content, "y");
    }

    #[test]
    fn other_annotations_make_another_image() {
        let image = builder("linux/amd64").finish().unwrap();
        let annotations = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
        let other = image.clone().with_annotations(&annotations).unwrap();
        assert_ne!(image.digest(), other.digest());
        assert_eq!(image.config().digest(), other.config().digest());
        assert_eq!(other.manifest().annotations(), &annotations);
    }
}
