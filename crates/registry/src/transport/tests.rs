//! Against servers on loopback that say what each test wants.

mod hops;
mod logins;
mod repeated;
mod schemes;
mod tokens;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use distil_net::{Attempts, Body, Client, ClientOptions, Method, Response, Retry, Roots, Unwatched};
use distil_tests::loopback::{Answer, Asked, Loopback};

use super::*;
use crate::keychain::{Keychain, KeychainError, Login, Secret};

/// `user:hunter2`
const PASSWORD: &str = "Basic dXNlcjpodW50ZXIy";

/// Has one login for everybody, and keeps who asked.
#[derive(Debug, Default)]
struct Known {
    login: Option<Login>,
    asked: Mutex<Vec<String>>,
}

impl Keychain for Known {
    fn login(&self, host: &str, repository: &str) -> Result<Option<Login>, KeychainError> {
        self.asked.lock().unwrap().push(format!("{host} {repository}"));
        Ok(self.login.clone())
    }
}

fn password() -> Login {
    Login::Password { user: "user".to_owned(), password: Secret::new("hunter2".to_owned()) }
}

fn known(login: impl Into<Option<Login>>) -> Arc<Known> {
    Arc::new(Known { login: login.into(), asked: Mutex::default() })
}

fn options(login: impl Into<Option<Login>>) -> Options {
    let wait = Duration::from_millis(1);
    let retry = Retry { attempts: 3, first_wait: wait, longest_wait: wait };
    let client = Client::new(ClientOptions { retry, roots: Roots::none(), ..ClientOptions::default() }).unwrap();
    Options {
        client: Arc::new(client),
        keychain: known(login),
        insecure_http: false,
        token_servers: Vec::new(),
        watch: Arc::new(Unwatched),
    }
}

/// The repository `team/app` of a server on loopback.
fn transport(server: &Loopback, options: Options) -> Transport {
    Transport::new(&name(server), options).unwrap()
}

fn name(server: &Loopback) -> RegistryName {
    format!("127.0.0.1:{}/team/app", server.port()).parse().unwrap()
}

fn ask(method: Method, path: &str) -> Ask<'_> {
    let (target, headers) = (Target::Path(path), Vec::new());
    Ask { method, target, scope: Scope::Pull, headers, body: Body::Empty, may_lead: Lead::Nowhere }
}

fn get(transport: &Transport, path: &str) -> Result<Response, RegistryError> {
    send(transport, ask(Method::Get, path))
}

/// Asks for one thing alone.
fn send(transport: &Transport, ask: Ask<'_>) -> Result<Response, RegistryError> {
    transport.send(&mut Attempts::begin(), ask)
}

fn text(answer: Response) -> String {
    String::from_utf8(answer.bytes(1 << 20).unwrap()).unwrap()
}

/// `METHOD TARGET` and the `Authorization` of all requests.
fn seen(server: &Loopback) -> Vec<String> {
    let line = |asked: &Asked| format!("{} {} {}", asked.method, asked.target, asked.authorization().unwrap_or("-"));
    server.asked().iter().map(line).collect()
}

/// Wants a token of a server, and takes those that it is given below `/v2/`.
fn wants_token(asked: &Asked, realm: &str, valid: &[&str]) -> Option<Answer> {
    let given = asked.authorization().and_then(|value| value.strip_prefix("Bearer "));
    let wanted = asked.path().starts_with("/v2/") && !given.is_some_and(|token| valid.contains(&token));
    let challenge = format!("Bearer realm=\"{realm}\",service=\"s\",scope=\"repository:other:*\"");
    wanted.then(|| Answer::status(401).with("WWW-Authenticate", challenge))
}

/// The own server's URL of a path, whatever its port.
fn own(asked: &Asked, path: &str) -> String {
    format!("http://{}{path}", asked.headers["host"])
}

fn token(text: &str) -> Answer {
    Answer::body("application/json", serde_json::json!({"token": text, "expires_in": 300}).to_string())
}
