//! How an image is put together of layers and settings.

use std::collections::BTreeMap;

use oci_spec::image::History;
use serde_json::{Map, Value, json};

use crate::config::Config;
use crate::document::{DocumentError, MAX_LAYERS};
use crate::image::Image;
use crate::json;
use crate::layer::Layer;
use crate::platform::Platform;
use crate::settings::{Settings, put_text};
use crate::time::rfc3339;

/// Puts an image together; [`ImageBuilder::finish`] makes it.
#[derive(Debug, Clone)]
pub struct ImageBuilder {
    platform: Platform,
    created: i64,
    settings: Settings,
    annotations: BTreeMap<String, String>,
    layers: Vec<Layer>,
    /// How many of the layers are those of the image that this one starts from, and that image's history.
    below: usize,
    history: Vec<Value>,
}

impl ImageBuilder {
    /// An image for `platform` with the creation time `created`, in seconds since 1970, and nothing in it.
    #[must_use]
    pub fn new(platform: Platform, created: i64) -> Self {
        Self {
            platform,
            created,
            settings: Settings::default(),
            annotations: BTreeMap::new(),
            layers: Vec::new(),
            below: 0,
            history: Vec::new(),
        }
    }

    /// Starts from another image: its layers, byte for byte, come below all others, and its history before theirs. Its
    /// settings and annotations are for the caller to take over, or not.
    #[must_use]
    pub fn base(mut self, image: &Image) -> Self {
        self.history = below(image);
        self.layers.splice(..self.below, image.layers().iter().cloned());
        self.below = image.layers().len();
        self
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

    /// Makes the image. Every layer has one entry in its history; what a base did without making a layer has one, too.
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
        let own = self.layers.iter().skip(self.below).map(|layer| history(layer, &created));
        out.insert("history".into(), self.history.into_iter().chain(own).collect());
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

/// The history of an image to start from, in which every layer has one entry: readers count them to tell which is whose. A
/// history that is left out, as it may be, or does not fit its layers becomes one of empty entries.
fn below(image: &Image) -> Vec<Value> {
    let stated = image.config().view().history().as_deref().unwrap_or_default();
    let layers = stated.iter().filter(|entry| entry.empty_layer() != Some(true)).count();
    if layers != image.layers().len() {
        return vec![json!({}); image.layers().len()];
    }
    let texts = |entry: &History| {
        let fields = [
            ("created", entry.created()),
            ("author", entry.author()),
            ("created_by", entry.created_by()),
            ("comment", entry.comment()),
        ];
        let mut out = Map::new();
        for (key, text) in fields {
            put_text(&mut out, key, text.as_deref().unwrap_or_default());
        }
        if entry.empty_layer() == Some(true) {
            out.insert("empty_layer".into(), true.into());
        }
        Value::Object(out)
    };
    stated.iter().map(texts).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
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

    #[test]
    fn an_image_on_another_keeps_its_layers_and_history() {
        let base = builder("linux/amd64").layer(layer("x")).finish().unwrap();
        let image = builder("linux/amd64").layer(layer("y")).base(&base).layer(layer("z")).finish().unwrap();
        let texts: Vec<_> = image.layers().iter().map(|layer| layer.digest().clone()).collect();
        assert_eq!(texts, ["x", "y", "z"].map(|text| Digest::of(text.as_bytes())));
        assert_eq!(image.config().view().history().as_ref().map(Vec::len), Some(3));
    }

    #[test]
    fn a_history_that_fits_is_kept_and_another_is_replaced() {
        let check = |history: Value, expected: Value| {
            let plain = builder("linux/amd64").layer(layer("x")).finish().unwrap();
            let mut config: Value = serde_json::from_slice(plain.config().bytes()).unwrap();
            config["history"] = history;
            let config = Config::parse(json::to_canonical(&config)).unwrap();
            let base = Image::new(config, plain.layers().to_vec(), &BTreeMap::new()).unwrap();
            let image = builder("linux/amd64").base(&base).finish().unwrap();
            let config: Value = serde_json::from_slice(image.config().bytes()).unwrap();
            assert_eq!(config["history"], expected);
        };
        let told = json!([{"created_by": "COPY", "comment": "c"}, {"created_by": "ENV A=b", "empty_layer": true}]);
        check(told.clone(), told);
        check(Value::Null, json!([{}]));
        check(json!([{"created_by": "COPY"}, {"created_by": "RUN"}]), json!([{}]));
        check(json!([{"empty_layer": true}]), json!([{}]));
    }
}
