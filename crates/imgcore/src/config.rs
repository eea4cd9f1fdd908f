//! The configuration of an image.

use oci_spec::image::ImageConfiguration;
use serde::Deserialize as _;

use crate::digest::{DiffId, Digest};
use crate::document::{DocumentError, Fields, MAX_DOCUMENT, MAX_LAYERS};
use crate::json;
use crate::platform::Platform;
use crate::time::parse_rfc3339;

/// A [configuration]: its bytes, and what they say. It is data only; nothing in it is ever run.
///
/// [configuration]: https://github.com/opencontainers/image-spec/blob/main/config.md
#[derive(Debug, Clone)]
pub struct Config {
    bytes: Vec<u8>,
    digest: Digest,
    view: ImageConfiguration,
    platform: Platform,
    diff_ids: Vec<DiffId>,
}

const FIELDS: &[&str] =
    &["created", "author", "architecture", "os", "os.version", "os.features", "variant", "config", "rootfs", "history"];
const FOREIGN: &[&str] = &["manifests", "layers", "fsLayers"];
const RUN_FIELDS: &[&str] = &[
    "User",
    "ExposedPorts",
    "Env",
    "Entrypoint",
    "Cmd",
    "Volumes",
    "WorkingDir",
    "Labels",
    "StopSignal",
    "ArgsEscaped",
];
const ROOTFS_FIELDS: &[&str] = &["type", "diff_ids"];

impl Config {
    /// Parses the bytes of a configuration.
    ///
    /// # Errors
    /// [`DocumentError`] for everything that the specification forbids or two readers would understand differently.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, DocumentError> {
        let value = json::parse(&bytes, MAX_DOCUMENT)?;
        let fields = Fields::of(&value, "a configuration", FIELDS, FOREIGN)?;
        if let Some(run) = fields.field("config") {
            Fields::of(run, "a configuration", RUN_FIELDS, &[])?;
        }
        if let Some(rootfs) = fields.field("rootfs") {
            Fields::of(rootfs, "a configuration", ROOTFS_FIELDS, &[])?;
        }
        let view = ImageConfiguration::deserialize(&value)?;
        if view.rootfs().typ() != "layers" {
            return Err(DocumentError::RootFsType(view.rootfs().typ().clone()));
        }
        let found = view.rootfs().diff_ids().len();
        if found > MAX_LAYERS {
            return Err(DocumentError::TooMany { what: "diff ids", limit: MAX_LAYERS, found });
        }
        let diff_ids = view.rootfs().diff_ids().iter().map(|id| id.parse()).collect::<Result<_, _>>()?;
        let platform =
            Platform::new(&view.os().to_string(), &view.architecture().to_string(), view.variant().as_deref())?
                .with_os_version(view.os_version().clone());
        Ok(Self { digest: Digest::of(&bytes), bytes, view, platform, diff_ids })
    }

    /// The bytes that its digest is over.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The digest of the bytes: what `docker images` calls an image's id.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Everything that the configuration says, for reading. It is never written back: it has lost what it does not know
    /// and the order of the rest.
    #[must_use]
    pub fn view(&self) -> &ImageConfiguration {
        &self.view
    }

    /// When the image was made, in seconds since 1970; `None` where it does not say so in the form of the specification.
    #[must_use]
    pub fn created(&self) -> Option<i64> {
        self.view.created().as_deref().and_then(parse_rfc3339)
    }

    /// The platform that the image is for.
    #[must_use]
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// The digest of each layer's tar, lowest first.
    #[must_use]
    pub fn diff_ids(&self) -> &[DiffId] {
        &self.diff_ids
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn good() -> Value {
        json!({
            "architecture": "arm", "os": "linux", "variant": "v6",
            "config": {"Cmd": null, "Env": ["A=b"], "Labels": {"a": "1", "A": "2"}},
            "rootfs": {"type": "layers", "diff_ids": [Digest::of(b"x").to_string()]},
            "x-unknown": {"deep": [1]},
        })
    }

    fn refused(path: &[&str], value: Option<Value>) -> DocumentError {
        let mut document = good();
        let mut at = &mut document;
        for key in &path[..path.len() - 1] {
            at = &mut at[key];
        }
        let last = path[path.len() - 1];
        match value {
            Some(value) => at[last] = value,
            None => drop(at.as_object_mut().unwrap().remove(last)),
        }
        Config::parse(json::to_canonical(&document)).unwrap_err()
    }

    #[test]
    fn what_matters_is_read() {
        let config = Config::parse(json::to_canonical(&good())).unwrap();
        assert_eq!(config.platform().to_string(), "linux/arm/v6");
        assert_eq!(config.diff_ids(), [DiffId::new(Digest::of(b"x"))]);
        assert_eq!(config.view().config().as_ref().unwrap().env(), &Some(vec!["A=b".to_owned()]));
    }

    #[test]
    fn each_missing_or_wrong_field_is_refused() {
        assert!(matches!(refused(&["rootfs"], None), DocumentError::Form(_)));
        assert!(matches!(refused(&["os"], None), DocumentError::Form(_)));
        assert!(matches!(refused(&["architecture"], None), DocumentError::Form(_)));
        assert!(matches!(refused(&["architecture"], Some(json!("a/b"))), DocumentError::PlatformGrammar(_)));
        assert!(matches!(refused(&["rootfs", "type"], Some(json!("disk"))), DocumentError::RootFsType(_)));
        assert!(matches!(refused(&["rootfs", "diff_ids"], Some(json!(["x"]))), DocumentError::DiffId(_)));
        assert!(matches!(refused(&["rootfs", "diff_ids"], Some(json!(null))), DocumentError::Form(_)));
        assert!(matches!(refused(&["config", "Env"], Some(json!([1]))), DocumentError::Form(_)));
        assert!(matches!(refused(&["config", "user"], Some(json!("root"))), DocumentError::Respelled { .. }));
        assert!(matches!(refused(&["manifests"], Some(json!([]))), DocumentError::Confused { .. }));
        let many = vec![Digest::of(b"x").to_string(); 128];
        assert!(matches!(refused(&["rootfs", "diff_ids"], Some(json!(many))), DocumentError::TooMany { .. }));
    }
}
