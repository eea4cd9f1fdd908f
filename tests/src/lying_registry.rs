//! A registry on loopback that serves a layout, takes what is pushed, and lies where a test tells it to.
//!
//! It answers as the distribution specification 1.1 wants, with the referrers API, for every repository alike; then a lie may
//! change the answer. <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md>

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::apt::sha256;
use crate::listener::lock;
use crate::loopback::{Answer, Asked, Loopback};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A registry that runs until it is dropped.
#[derive(Debug)]
pub struct LyingRegistry {
    server: Loopback,
    state: Arc<State>,
}

/// What changes an answer.
type Change = dyn Fn(&Asked, Answer) -> Answer + Send + Sync;

struct Lie {
    method: String,
    part: String,
    times: Option<u32>,
    change: Box<Change>,
}

#[derive(Default)]
struct State {
    blobs: Mutex<BTreeMap<String, Vec<u8>>>,
    /// What was pushed or found as a manifest or index, with its media type.
    documents: Mutex<BTreeMap<String, String>>,
    tags: Mutex<BTreeMap<String, String>>,
    uploads: Mutex<Vec<Vec<u8>>>,
    lies: Mutex<Vec<Lie>>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

impl Default for LyingRegistry {
    fn default() -> Self {
        Self::empty()
    }
}

impl LyingRegistry {
    /// Holds nothing yet.
    #[must_use]
    pub fn empty() -> Self {
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let server = Loopback::start(move |asked| shared.changed(asked, shared.honest(asked)));
        Self { server, state }
    }

    /// Holds what a layout holds, under the layout's names.
    #[must_use]
    pub fn serving(layout: &Path) -> Self {
        let registry = Self::empty();
        for blob in fs::read_dir(layout.join("blobs/sha256")).unwrap() {
            let path = blob.unwrap().path();
            let digest = format!("sha256:{}", path.file_name().unwrap().to_str().unwrap());
            lock(&registry.state.blobs).insert(digest, fs::read(path).unwrap());
        }
        let index: Value = serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
        for entry in index["manifests"].as_array().unwrap() {
            let digest = entry["digest"].as_str().unwrap();
            registry.state.add(digest);
            if let Some(name) = entry["annotations"]["org.opencontainers.image.ref.name"].as_str() {
                registry.tag(name, digest);
            }
        }
        registry
    }

    /// Points a tag to what is there.
    pub fn tag(&self, name: &str, digest: &str) {
        lock(&self.state.tags).insert(name.to_owned(), digest.to_owned());
    }

    /// Holds one more manifest or index, of this media type, and gives its digest.
    #[must_use]
    pub fn put(&self, media_type: &str, bytes: &[u8]) -> String {
        let digest = format!("sha256:{}", sha256(bytes));
        self.state.keep(&digest, media_type, bytes);
        digest
    }

    /// The name of a repository in it.
    #[must_use]
    pub fn repository(&self, name: &str) -> String {
        format!("{}/{name}", self.host())
    }

    /// Address and port.
    #[must_use]
    pub fn host(&self) -> String {
        self.server.host()
    }

    /// What tags point to now.
    #[must_use]
    pub fn tags(&self) -> BTreeMap<String, String> {
        lock(&self.state.tags).clone()
    }

    /// Digests of all that is held.
    #[must_use]
    pub fn digests(&self) -> Vec<String> {
        lock(&self.state.blobs).keys().cloned().collect()
    }

    /// All requests so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.server.asked()
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        self.server.forget();
    }

    /// From now on changes the answers to requests of this method, or of any for `*`, whose target has this part in it.
    pub fn lie(&self, method: &str, part: &str, change: impl Fn(&Asked, Answer) -> Answer + Send + Sync + 'static) {
        self.add(method, part, None, change);
    }

    /// The same for the next so many requests alone.
    pub fn lie_times(
        &self,
        times: u32,
        method: &str,
        part: &str,
        change: impl Fn(&Asked, Answer) -> Answer + Send + Sync + 'static,
    ) {
        self.add(method, part, Some(times), change);
    }

    fn add(
        &self,
        method: &str,
        part: &str,
        times: Option<u32>,
        change: impl Fn(&Asked, Answer) -> Answer + Send + Sync + 'static,
    ) {
        let lie = Lie { method: method.to_owned(), part: part.to_owned(), times, change: Box::new(change) };
        lock(&self.state.lies).push(lie);
    }

    /// Is honest about everything again.
    pub fn tell_the_truth(&self) {
        lock(&self.state.lies).clear();
    }
}

/// An error as registries word it.
#[must_use]
pub fn error(status: u16, code: &str) -> Answer {
    let document = json!({ "errors": [{ "code": code, "message": format!("{code} as a test wants it") }] });
    Answer { status, ..Answer::body("application/json", document.to_string()) }
}

impl State {
    fn changed(&self, asked: &Asked, mut answer: Answer) -> Answer {
        for lie in lock(&self.lies).iter_mut() {
            let is_meant = (lie.method == "*" || lie.method == asked.method) && asked.target.contains(&lie.part);
            if !is_meant || lie.times == Some(0) {
                continue;
            }
            lie.times = lie.times.map(|times| times - 1);
            answer = (lie.change)(asked, answer);
        }
        answer
    }

    /// Takes up a manifest or index of a layout with all that it names.
    fn add(&self, digest: &str) {
        let bytes = lock(&self.blobs).get(digest).cloned().unwrap_or_default();
        let Ok(document) = serde_json::from_slice::<Value>(&bytes) else { return };
        let media_type = document["mediaType"].as_str().unwrap_or("application/vnd.oci.image.manifest.v1+json");
        let _known = lock(&self.documents).insert(digest.to_owned(), media_type.to_owned());
        for child in document["manifests"].as_array().into_iter().flatten() {
            self.add(child["digest"].as_str().unwrap());
        }
    }

    fn keep(&self, digest: &str, media_type: &str, bytes: &[u8]) {
        lock(&self.blobs).insert(digest.to_owned(), bytes.to_vec());
        lock(&self.documents).insert(digest.to_owned(), media_type.to_owned());
    }

    fn honest(&self, asked: &Asked) -> Answer {
        let path = asked.path();
        if path == "/v2/" {
            return Answer::body("application/json", "{}");
        }
        let after = |word: &str| path.rsplit_once(word).map(|(_, rest)| rest);
        if path.ends_with("/tags/list") {
            self.list(asked)
        } else if let Some(upload) = after("/blobs/uploads/") {
            self.upload(asked, upload)
        } else if let Some(digest) = after("/blobs/") {
            self.blob(asked, digest)
        } else if let Some(name) = after("/manifests/") {
            if asked.method == "PUT" { self.push(asked, name) } else { self.manifest(name) }
        } else if let Some(digest) = after("/referrers/") {
            self.referrers(digest)
        } else {
            error(404, "NAME_UNKNOWN")
        }
    }

    fn list(&self, asked: &Asked) -> Answer {
        let last = asked.query("last").pop().unwrap_or_default();
        let most = asked.query("n").pop().and_then(|n| n.parse().ok()).unwrap_or(usize::MAX);
        let names: Vec<String> = lock(&self.tags).keys().filter(|name| **name > last).cloned().collect();
        let page = &names[..most.min(names.len())];
        let answer = Answer::body("application/json", json!({ "name": "test", "tags": page }).to_string());
        match page.last().filter(|_| page.len() < names.len()) {
            Some(last) => answer.with("Link", format!("<{}?n={most}&last={last}>; rel=\"next\"", asked.path())),
            None => answer,
        }
    }

    fn manifest(&self, name: &str) -> Answer {
        let digest = lock(&self.tags).get(name).cloned().unwrap_or_else(|| name.to_owned());
        let media_type = lock(&self.documents).get(&digest).cloned();
        match (media_type, lock(&self.blobs).get(&digest)) {
            (Some(media_type), Some(bytes)) => {
                Answer::body(&media_type, bytes.clone()).with("Docker-Content-Digest", digest)
            }
            _ => error(404, "MANIFEST_UNKNOWN"),
        }
    }

    fn push(&self, asked: &Asked, name: &str) -> Answer {
        let digest = format!("sha256:{}", sha256(&asked.body));
        let media_type = asked.headers.get("content-type").cloned().unwrap_or_default();
        let Ok(document) = serde_json::from_slice::<Value>(&asked.body) else { return error(400, "MANIFEST_INVALID") };
        let named = ["layers", "manifests"].iter().filter_map(|list| document[list].as_array()).flatten();
        let named: Vec<&str> =
            named.chain([&document["config"]]).filter_map(|entry| entry["digest"].as_str()).collect();
        if named.iter().any(|child| !lock(&self.blobs).contains_key(*child)) {
            return error(404, "MANIFEST_BLOB_UNKNOWN");
        }
        if name.contains(':') && name != digest {
            return error(400, "DIGEST_INVALID");
        }
        self.keep(&digest, &media_type, &asked.body);
        if !name.contains(':') {
            lock(&self.tags).insert(name.to_owned(), digest.clone());
        }
        let answer = Answer::status(201).with("Docker-Content-Digest", digest).with("Location", asked.path());
        match document["subject"]["digest"].as_str() {
            Some(subject) => answer.with("OCI-Subject", subject),
            None => answer,
        }
    }

    fn blob(&self, asked: &Asked, digest: &str) -> Answer {
        let Some(bytes) = lock(&self.blobs).get(digest).cloned() else { return error(404, "BLOB_UNKNOWN") };
        Answer::body("application/octet-stream", bytes).with("Docker-Content-Digest", digest).part_for(asked)
    }

    fn upload(&self, asked: &Asked, number: &str) -> Answer {
        let place = |number: usize| {
            let path = asked.path().rsplit_once('/').map_or("", |(path, _)| path);
            Answer::status(202).with("Location", format!("{path}/{number}"))
        };
        let digest = |name: &str| asked.query(name).pop();
        if asked.method == "POST" {
            if let Some(mounted) = digest("mount").filter(|digest| lock(&self.blobs).contains_key(digest)) {
                return Answer::status(201).with("Docker-Content-Digest", mounted).with("Location", asked.path());
            }
            let mut uploads = lock(&self.uploads);
            uploads.push(Vec::new());
            return place(uploads.len() - 1);
        }
        let mut uploads = lock(&self.uploads);
        let number = number.parse().unwrap_or(usize::MAX);
        let Some(upload) = uploads.get_mut(number) else { return error(404, "BLOB_UPLOAD_UNKNOWN") };
        let start = asked.headers.get("content-range").and_then(|range| range.split('-').next()?.parse().ok());
        if start.is_some_and(|start: usize| start != upload.len()) {
            return error(416, "BLOB_UPLOAD_INVALID");
        }
        upload.extend(&asked.body);
        let range = format!("0-{}", upload.len().saturating_sub(1));
        match asked.method.as_str() {
            "GET" => Answer { status: 204, ..place(number) }.with("Range", range),
            "PATCH" => place(number).with("Range", range),
            "PUT" => {
                let digest = digest("digest").unwrap_or_default();
                if digest != format!("sha256:{}", sha256(upload)) {
                    return error(400, "DIGEST_INVALID");
                }
                lock(&self.blobs).insert(digest.clone(), std::mem::take(upload));
                Answer::status(201).with("Docker-Content-Digest", digest).with("Location", asked.path())
            }
            _ => error(405, "UNSUPPORTED"),
        }
    }

    fn referrers(&self, subject: &str) -> Answer {
        let blobs = lock(&self.blobs);
        let mut found = Vec::new();
        for (digest, media_type) in lock(&self.documents).iter() {
            let document: Value = serde_json::from_slice(&blobs[digest]).unwrap_or_default();
            if document["subject"]["digest"] == subject {
                let kind = document.get("artifactType").unwrap_or(&document["config"]["mediaType"]);
                let mut entry = json!({
                    "mediaType": media_type, "digest": digest, "size": blobs[digest].len(), "artifactType": kind,
                });
                if let Some(annotations) = document.get("annotations") {
                    entry["annotations"] = annotations.clone();
                }
                found.push(entry);
            }
        }
        Answer::body(INDEX, json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": found }).to_string())
    }
}
