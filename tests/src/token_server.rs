//! A token server as the distribution project specifies it, whose tokens docker-registry takes: it trusts the certificate
//! that signs them.
//!
//! <https://distribution.github.io/distribution/spec/auth/token/> and `/oauth/`: `GET` with the name and password of a user
//! or with nothing, `POST` with an identity token. Everybody may pull below `public/`, and users may do all they ask for.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::json;

use crate::encoding::{base64, base64url};
use crate::loopback::{Answer, Asked, Loopback};
use crate::program::{self, Program};

/// The name of the service, and of who issues its tokens.
pub const SERVICE: &str = "distil-test";

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct TokenServer {
    server: Loopback,
    certificate: PathBuf,
    _guard: tempfile::TempDir,
}

impl TokenServer {
    /// Starts a server that knows these users and their passwords.
    #[must_use]
    pub fn start(users: &[(&str, &str)]) -> Self {
        let (guard, folder) = program::folder();
        let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
        let made = Program::new("openssl").args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]);
        let made = made.args(["-subj", "/CN=distil test tokens"]).arg("-keyout").arg(&key);
        let _ran = made.arg("-out").arg(&certificate).run().success();
        let pem = fs::read_to_string(&certificate).unwrap();
        let lines = pem.lines().filter(|line| !line.starts_with("-----"));
        let signing = Arc::new(Signing { key, certificate: lines.collect() });
        let users: Vec<(String, String)> =
            users.iter().map(|(user, password)| ((*user).to_owned(), (*password).to_owned())).collect();
        let server = Loopback::start(move |asked| answer(asked, &users, &signing));
        Self { server, certificate, _guard: guard }
    }

    /// The URL that registries name in their challenges.
    #[must_use]
    pub fn realm(&self) -> String {
        self.server.url("/token")
    }

    /// Address and port.
    #[must_use]
    pub fn host(&self) -> String {
        self.server.host()
    }

    /// The file with the certificate that tokens are signed under.
    #[must_use]
    pub fn certificate(&self) -> &Path {
        &self.certificate
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
}

/// The identity token of a user.
#[must_use]
pub fn identity(user: &str) -> String {
    format!("identity-of-{user}")
}

struct Signing {
    key: PathBuf,
    /// The certificate in DER, in Base64.
    certificate: String,
}

fn answer(asked: &Asked, users: &[(String, String)], signing: &Signing) -> Answer {
    let refused = Answer::status(401).with("WWW-Authenticate", "Basic realm=\"tokens\"");
    if asked.path() != "/token" {
        return Answer::status(404);
    }
    let (user, scopes) = if asked.method == "POST" {
        let given = asked.form("refresh_token");
        let Some((user, _)) = users.iter().find(|(user, _)| given == [identity(user)]) else { return refused };
        (Some(user), asked.form("scope"))
    } else if let Some(given) = asked.authorization() {
        let is_given = |(user, password): &&(String, String)| {
            given == format!("Basic {}", base64(format!("{user}:{password}").as_bytes()))
        };
        let Some((user, _)) = users.iter().find(is_given) else { return refused };
        (Some(user), asked.query("scope"))
    } else {
        (None, asked.query("scope"))
    };
    let scopes: Vec<&str> = scopes.iter().flat_map(|scope| scope.split(' ')).collect();
    let token = signing.token(user.map(String::as_str), &scopes);
    Answer::body("application/json", json!({ "token": token, "expires_in": 300 }).to_string())
}

impl Signing {
    /// A JSON Web Token for what of the scopes is granted.
    fn token(&self, user: Option<&str>, scopes: &[&str]) -> String {
        let access: Vec<_> = scopes
            .iter()
            .filter_map(|scope| {
                let (kind, rest) = scope.split_once(':')?;
                let (name, actions) = rest.rsplit_once(':')?;
                let open = |action: &&str| user.is_some() || (*action == "pull" && name.starts_with("public/"));
                let actions: Vec<&str> = actions.split(',').filter(open).collect();
                Some(json!({ "type": kind, "name": name, "actions": actions }))
            })
            .collect();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let header = json!({ "typ": "JWT", "alg": "RS256", "x5c": [self.certificate] });
        let claims = json!({
            "iss": SERVICE, "aud": SERVICE, "sub": user.unwrap_or_default(), "jti": format!("{now}"),
            "iat": now, "nbf": now - 10, "exp": now + 300, "access": access,
        });
        let part = |value: &serde_json::Value| base64url(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let program = Program::new("openssl").args(["dgst", "-sha256", "-sign"]).arg(&self.key);
        let signature = program.input(signed.clone().into_bytes()).run().success().stdout;
        format!("{signed}.{}", base64url(&signature))
    }
}
