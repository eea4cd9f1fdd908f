//! The services, asked over HTTP.

use std::fmt;
use std::sync::Arc;

use distil_imgcore::json;
use distil_net::{Body, Client, Method, NetError, Reach, Request, Response, Unwatched, is_loopback, shown};
use distil_signing::bundle::LogEntry;
use distil_signing::key::{PrivateKey, PublicKey, Signer, SignerError};
use distil_signing::keyless::{
    AnswerError, Certificate, Logged, MAX_ANSWER, Token, Witness, WitnessError, certificate_request, read_stamp,
    stamp_request,
};
use distil_signing::verify::TrustedRoot;
use serde_json::Value;
use url::Url;

use super::{KeylessError, KeylessRequest, ServiceError};
use crate::signing::service_url;
use crate::signing::trust::read_root;

const CERTIFICATES: &str = "api/v2/signingCert";
const ENTRIES: &str = "api/v1/log/entries";
const JSON: &str = "application/json";
/// Bytes of an error's body that are read, and letters of its message that are shown.
const MAX_REFUSAL: u64 = 64 << 10;
const MAX_SAID: usize = 300;

/// A key that lives as long as this, with its certificate and what vouches for its signatures.
struct Keyless {
    key: PrivateKey,
    certificate: Certificate,
    rekor: Url,
    stamps: Option<Url>,
    root: Option<TrustedRoot>,
    client: Arc<Client>,
}

pub(super) fn open(request: &KeylessRequest<'_>) -> Result<Box<dyn Signer>, KeylessError> {
    let fulcio = service(request.fulcio, "certificate authority", service_url::base)?;
    let rekor = service(request.rekor, "log", service_url::base)?;
    // Here the URL is the service itself, and nothing is added to it.
    let whole = |text: &str| text.parse().ok();
    let stamps = request.stamps.map(|text| service(text, "timestamp authority", whole)).transpose()?;
    if request.machine.offline {
        return Err(KeylessError::Offline { url: shown(&fulcio) });
    }
    let root = request.trusted_root.map(read_root).transpose()?;
    let token = Token::parse(&request.identity.token().map_err(KeylessError::NoToken)?);
    let token = token.map_err(KeylessError::Token)?;
    if let Some(end) = token.expires().filter(|end| *end <= request.machine.now) {
        return Err(KeylessError::Expired(end));
    }
    let client = Arc::new(request.machine.client(None)?);
    let key = PrivateKey::generate().map_err(KeylessError::Key)?;
    let asked = certificate_request(&token, &key).map_err(KeylessError::Signer)?;
    let ask = Ask { client: &client, base: &fulcio, path: CERTIFICATES, media_type: JSON };
    let certificate = ask.post(&asked, |answer| Certificate::read(&answer, key.public_key()));
    let certificate = certificate.map_err(KeylessError::Certificate)?;
    Ok(Box::new(Keyless { key, certificate, rekor, stamps, root, client }))
}

/// The token goes to the certificate authority, and what a log or an authority answers is believed where no trusted root is
/// given: nobody may listen or speak in between.
fn service(text: &str, service: &'static str, read: impl Fn(&str) -> Option<Url>) -> Result<Url, KeylessError> {
    let is_safe = |url: &Url| match url.scheme() {
        "https" => true,
        "http" => url.host().is_some_and(|host| is_loopback(&host)),
        _ => false,
    };
    read(text).filter(is_safe).ok_or_else(|| KeylessError::Url { url: text.to_owned(), service })
}

impl Signer for Keyless {
    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        self.key.sign(message)
    }

    fn sign_sha256(&self, digest: &[u8; 32]) -> Result<Option<Vec<u8>>, SignerError> {
        self.key.sign_sha256(digest)
    }

    fn witness(&self) -> Option<&dyn Witness> {
        Some(self)
    }
}

impl Witness for Keyless {
    fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    fn entry(&self, signed: Logged<'_>) -> Result<LogEntry, WitnessError> {
        let ask = Ask { client: &self.client, base: &self.rekor, path: ENTRIES, media_type: JSON };
        let entry = ask.post(&signed.request(&self.certificate), |answer| signed.entry(&answer, &self.certificate));
        entry.map_err(WitnessError::new)
    }

    fn stamp(&self, bytes: &[u8]) -> Result<Option<Vec<u8>>, WitnessError> {
        let Some(base) = &self.stamps else { return Ok(None) };
        let ask = Ask { client: &self.client, base, path: "", media_type: "application/timestamp-query" };
        ask.post(&stamp_request(bytes), read_stamp).map(Some).map_err(WitnessError::new)
    }

    fn trusted_root(&self) -> Option<&TrustedRoot> {
        self.root.as_ref()
    }
}

impl fmt::Debug for Keyless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyless").field("signer", self.certificate.signer()).finish_non_exhaustive()
    }
}

/// What is asked of a service: always with `POST`, and once, since a log that has an entry already refuses it.
struct Ask<'a> {
    client: &'a Arc<Client>,
    base: &'a Url,
    path: &'static str,
    media_type: &'static str,
}

impl Ask<'_> {
    /// Sends this, and reads the answer.
    fn post<T>(&self, body: &[u8], read: impl FnOnce(Vec<u8>) -> Result<T, AnswerError>) -> Result<T, ServiceError> {
        let url = shown(self.base);
        let failed = |source| ServiceError::Net { url: url.clone(), source: Box::new(source) };
        let answer = self.send(body).map_err(failed)?;
        let status = answer.status();
        if !matches!(status, 200 | 201) {
            return Err(ServiceError::Status { url, status, said: said(answer) });
        }
        let answer = answer.bytes(MAX_ANSWER as u64).map_err(failed)?;
        read(answer).map_err(|source| ServiceError::Answer { url, source })
    }

    fn send(&self, body: &[u8]) -> Result<Response, NetError> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{}", url.path(), self.path));
        let headers = vec![("Content-Type", self.media_type.to_owned())];
        let body = Body::Bytes(body);
        let request = Request { method: Method::Post, url, headers, body, reach: Reach::Anywhere };
        self.client.send(request, &(Arc::new(Unwatched) as _))
    }
}

/// What a service says about its refusal, as Fulcio and Rekor do: as a member of an object.
fn said(answer: Response) -> Option<String> {
    let bytes = answer.bytes(MAX_REFUSAL).ok()?;
    let found = json::parse(&bytes, bytes.len()).ok()?;
    let said = found.get("message").and_then(Value::as_str).filter(|said| !said.is_empty())?;
    Some(said.chars().take(MAX_SAID).collect())
}
