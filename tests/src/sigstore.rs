//! What is behind keyless signatures, on loopback: a certificate authority with Fulcio's interface, a log with Rekor's, a
//! timestamp authority, and who knows all of them.

mod authority;
mod key;
mod log;

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use self::authority::{CertificateAuthority, pem};
pub use self::authority::{IDENTITY, ISSUER};
use self::key::Key;
use self::log::Log;
use crate::encoding::{base64, base64_decoded, base64url};
use crate::listener::lock;
use crate::loopback::{Answer, Asked, Loopback};
use crate::program::{self, Program};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The certificate authority refuses the token.
    Refused,
    /// It certifies another key.
    OtherKey,
    /// Another key signs that the certificate was logged.
    BadSct,
    /// The log answers with an entry about another digest.
    OtherDigest,
    /// With one about another signature.
    OtherSignature,
    /// With one that is not promised.
    NoPromise,
    /// With one that was promised by another log.
    OtherLog,
    /// With one that it took in the next hour.
    Late,
    /// The log answers with nothing that could be read.
    Nonsense,
    /// The log fails.
    Broken,
    /// The timestamp authority refuses.
    NoStamp,
}

/// The services, which run until this is dropped.
#[derive(Debug)]
pub struct Sigstore {
    server: Loopback,
    state: Arc<State>,
    folder: PathBuf,
    _guard: tempfile::TempDir,
}

#[derive(Debug)]
struct State {
    authority: CertificateAuthority,
    log: Mutex<Log>,
    /// Another log, which nobody knows.
    other: Mutex<Log>,
    fault: Mutex<Option<Fault>>,
    stamps: Key,
}

impl Default for Sigstore {
    fn default() -> Self {
        Self::start()
    }
}

impl Sigstore {
    /// Starts services that nobody else knows.
    #[must_use]
    pub fn start() -> Self {
        let (guard, folder) = program::folder();
        let stamps = Key::new(&folder, "tsa");
        let authority = CertificateAuthority::new(&folder, &stamps, now());
        let log = Log::new(Key::new(&folder, "rekor"));
        let other = Log::new(Key::new(&folder, "other"));
        let state =
            State { authority, log: Mutex::new(log), other: Mutex::new(other), fault: Mutex::default(), stamps };
        let state = Arc::new(state);
        let asked = Arc::clone(&state);
        let server = Loopback::start(move |request| asked.answer(request));
        let stack = Self { server, state, folder, _guard: guard };
        stack.write();
        stack
    }

    /// Where all services answer.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url("")
    }

    /// Where timestamps are made.
    #[must_use]
    pub fn stamps_url(&self) -> String {
        self.server.url("/api/v1/timestamp")
    }

    /// A token that names [`IDENTITY`], and is signed by nobody.
    #[must_use]
    pub fn token(&self) -> String {
        token(&json!({
            "iss": ISSUER, "aud": "sigstore", "email": IDENTITY, "email_verified": true, "sub": "4711", "exp": now() + 600,
            "iat": now(),
        }))
    }

    /// A file of the services: `trusted_root.json`, `fulcio.pem` with the certificates of the authority, `rekor.pub`,
    /// `ctlog.pub`, `tsa.pem`, `trust_config.json`, `signing_config.json`.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// From now on this goes wrong.
    pub fn fail(&self, fault: Option<Fault>) {
        *lock(&self.state.fault) = fault;
    }

    /// All requests so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.server.asked()
    }

    fn write(&self) {
        let write = |name: &str, text: &str| fs::write(self.folder.join(name), text).unwrap();
        let all = |chain: [&[u8]; 2]| chain.map(pem).concat();
        write("fulcio.pem", &all(self.state.authority.chain()));
        write("tsa.pem", &all(self.state.authority.stampers()));
        let root = self.trusted_root();
        write("trusted_root.json", &root.to_string());
        let since = "2020-01-01T00:00:00Z";
        let service = |url: &str| {
            json!([{
                "url": url, "majorApiVersion": 1, "validFor": {"start": since}, "operator": "distil.test"
            }])
        };
        let config = json!({
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json", "caUrls": service(&self.url()),
            "rekorTlogUrls": service(&self.url()), "rekorTlogConfig": {"selector": "ANY"}, "tsaConfig": {"selector": "ANY"},
            "oidcUrls": [], "tsaUrls": [],
        });
        write("signing_config.json", &config.to_string());
        let trust = json!({
            "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json", "trustedRoot": root,
            "signingConfig": config,
        });
        write("trust_config.json", &trust.to_string());
    }

    fn trusted_root(&self) -> Value {
        let since = json!({"start": "2020-01-01T00:00:00Z"});
        let log = |key: &Key, url: &str| {
            json!({
                "baseUrl": url, "hashAlgorithm": "SHA2_256", "logId": {"keyId": base64(&key.id())},
                "publicKey": {
                    "rawBytes": base64(&key.spki), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": since
                },
            })
        };
        let authority = |chain: [&[u8]; 2], url: &str| {
            let certificates = chain.map(|der| json!({"rawBytes": base64(der)}));
            json!({
                "subject": {"organization": "distil test", "commonName": "root"}, "uri": url,
                "certChain": {"certificates": certificates}, "validFor": since,
            })
        };
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(&lock(&self.state.log).key, "https://rekor.distil.test")],
            "ctlogs": [log(&self.state.authority.log, "https://ctlog.distil.test")],
            "certificateAuthorities": [authority(self.state.authority.chain(), "https://fulcio.distil.test")],
            "timestampAuthorities": [authority(self.state.authority.stampers(), "https://tsa.distil.test")],
        })
    }
}

/// A token with these claims, signed by nobody.
#[must_use]
pub fn token(claims: &Value) -> String {
    let part = |value: &Value| base64url(value.to_string().as_bytes());
    format!("{}.{}.{}", part(&json!({"alg": "RS256", "typ": "JWT"})), part(claims), base64url(b"nobody"))
}

impl State {
    fn answer(&self, asked: &Asked) -> Answer {
        let done = match (asked.method.as_str(), asked.path()) {
            ("POST", "/api/v2/signingCert") => self.certify(asked),
            ("POST", "/api/v1/log/entries") => self.log(asked),
            ("POST", "/api/v1/timestamp") => self.stamp(asked),
            _ => return Answer::status(404),
        };
        done.unwrap_or_else(|| Answer::status(400))
    }

    fn fails(&self, fault: Fault) -> bool {
        *lock(&self.fault) == Some(fault)
    }

    fn certify(&self, asked: &Asked) -> Option<Answer> {
        let request: Value = serde_json::from_slice(&asked.body).ok()?;
        let token = request["credentials"]["oidcIdentityToken"].as_str()?;
        let claims = base64_decoded(&token.split('.').nth(1)?.replace('-', "+").replace('_', "/"))?;
        let claims: Value = serde_json::from_slice(&claims).ok()?;
        if self.fails(Fault::Refused) || claims["email"] != IDENTITY || claims["iss"] != ISSUER {
            let said =
                json!({"code": 16, "message": "There was an error processing the identity token", "details": []});
            return Some(Answer { status: 401, ..Answer::body("application/json", said.to_string()) });
        }
        let wanted = &request["publicKeyRequest"];
        let key = wanted["publicKey"]["content"].as_str()?;
        let proof = base64_decoded(wanted["proofOfPossession"].as_str()?)?;
        if !key::verifies(key, IDENTITY.as_bytes(), &proof) {
            return None;
        }
        let spki = if self.fails(Fault::OtherKey) { self.stamps.spki.clone() } else { key::public(key)? };
        let chain = self.authority.certify(&spki, now(), !self.fails(Fault::BadSct));
        let chain: Vec<String> = chain.iter().map(|der| pem(der)).collect();
        let said = json!({"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}});
        Some(Answer::body("application/json", said.to_string()))
    }

    fn log(&self, asked: &Asked) -> Option<Answer> {
        let mut proposed: Value = serde_json::from_slice(&asked.body).ok()?;
        let fault = *lock(&self.fault);
        match fault {
            Some(Fault::Broken) => return Some(Answer::status(503)),
            Some(Fault::Nonsense) => return Some(Answer::body("application/json", "{\"a\":1,\"a\":2}")),
            Some(Fault::OtherDigest) => other_digest(&mut proposed)?,
            Some(Fault::OtherSignature) => {
                proposed["spec"]["signature"]["content"] = "MAYCAQECAQE=".into();
            }
            _ => {}
        }
        let log = if fault == Some(Fault::OtherLog) { &self.other } else { &self.log };
        let later = if fault == Some(Fault::Late) { 60 * 60 } else { 0 };
        let mut entry = lock(log).take(&proposed, now() + later)?;
        if fault == Some(Fault::NoPromise) {
            let (_, entry) = entry.as_object_mut()?.iter_mut().next()?;
            entry["verification"].as_object_mut()?.remove("signedEntryTimestamp");
        }
        Some(Answer { status: 201, ..Answer::body("application/json", entry.to_string()) })
    }

    fn stamp(&self, asked: &Asked) -> Option<Answer> {
        let (_guard, folder) = program::folder();
        let chain = self.authority.stampers().map(pem);
        let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
        write("signer.pem", chain[0].as_bytes());
        write("query", if self.fails(Fault::NoStamp) { b"0" } else { &asked.body });
        write("number", b"01");
        write(
            "config",
            b"[tsa]\ndefault_tsa = one\n[one]\nserial = number\ndefault_policy = 1.2.3.4\ndigests = sha256\n\
              signer_digest = sha256\ness_cert_id_alg = sha256\n",
        );
        let words =
            ["ts", "-reply", "-config", "config", "-queryfile", "query", "-signer", "signer.pem", "-out", "reply"];
        let ran = Program::new("openssl").args(words).arg("-inkey").arg(self.stamps.path()).current_dir(&folder).run();
        let reply = fs::read(folder.join("reply")).ok().filter(|reply| !reply.is_empty());
        assert!(reply.is_some(), "{ran}");
        Some(Answer::body("application/timestamp-reply", reply?))
    }
}

/// Changes what is logged: the digest of bytes, or the statement of an envelope.
fn other_digest(proposed: &mut Value) -> Option<()> {
    if proposed["kind"] == "hashedrekord" {
        proposed["spec"]["data"]["hash"]["value"] = "0".repeat(64).into();
        return Some(());
    }
    let content = &mut proposed["spec"]["proposedContent"]["envelope"];
    let mut envelope: Value = serde_json::from_str(content.as_str()?).ok()?;
    envelope["payload"] = base64(b"{}").into();
    *content = envelope.to_string().into();
    Some(())
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
