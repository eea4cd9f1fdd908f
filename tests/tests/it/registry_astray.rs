//! Registries that lead elsewhere: to other hosts for blobs, tokens, uploads and pages. Nobody there is ever told who we are,
//! and where the registry has no right to lead nobody is asked at all.

use std::fs;
use std::path::Path;

use distil_tests::encoding::base64;
use distil_tests::loopback::{Answer, Asked, Loopback};
use distil_tests::lying_registry::error;
use distil_tests::program::{Ran, folder};
use distil_tests::{LyingRegistry, layout};
use serde_json::json;

use crate::registry_image::{at, image};

const USER: &str = "ann";
const SECRET: &str = "the-secret-of-ann";
const TOKEN: &str = "the-token-of-ann";

fn basic() -> String {
    format!("Basic {}", base64(format!("{USER}:{SECRET}").as_bytes()))
}

/// A registry of the image that wants a login, and a folder where one is kept for it.
fn closed() -> (LyingRegistry, tempfile::TempDir) {
    wanting_login(LyingRegistry::serving(&image().layout))
}

fn wanting_login(registry: LyingRegistry) -> (LyingRegistry, tempfile::TempDir) {
    registry.lie("*", "/v2/", |asked, answer| {
        let known = asked.authorization() == Some(&basic());
        if known { answer } else { error(401, "UNAUTHORIZED").with("WWW-Authenticate", "Basic realm=\"test\"") }
    });
    let (guard, folder) = folder();
    log_in(&folder, &registry);
    (registry, guard)
}

fn log_in(folder: &Path, registry: &LyingRegistry) {
    let auths = json!({ "auths": { registry.host(): { "auth": base64(format!("{USER}:{SECRET}").as_bytes()) } } });
    fs::create_dir(folder.join(".docker")).unwrap();
    fs::write(folder.join(".docker/config.json"), auths.to_string()).unwrap();
}

fn pull(folder: &Path, registry: &LyingRegistry, more: &[&str]) -> Ran {
    checked(at(folder, &[&["copy", &registry.repository("app:test"), "oci:back:v1"], more].concat()))
}

fn push(folder: &Path, registry: &LyingRegistry) -> Ran {
    checked(at(folder, &["copy", &image().reference(), &registry.repository("new:v1")]))
}

/// Messages never hold what is secret.
fn checked(ran: Ran) -> Ran {
    for secret in [SECRET.to_owned(), TOKEN.to_owned(), base64(format!("{USER}:{SECRET}").as_bytes())] {
        assert!(!ran.errors().contains(&secret) && !ran.text().contains(&secret), "{ran}");
    }
    ran
}

/// Another server on loopback, at a port that is not the registry's own: it answers with what it is asked for.
fn elsewhere() -> Loopback {
    let blobs = image().layout.join("blobs/sha256");
    Loopback::start(move |asked| {
        let name = asked.path().rsplit(['/', ':']).next().unwrap_or_default();
        fs::read(blobs.join(name)).map_or_else(|_| Answer::status(404), |bytes| Answer::body("text/plain", bytes))
    })
}

/// The same server under a name that is another host than `127.0.0.1`.
fn other_host(server: &Loopback) -> String {
    format!("http://localhost:{}", server.port())
}

fn told_nobody(server: &Loopback) {
    for asked in server.asked() {
        let told = asked.headers.values().any(|value| value.contains(SECRET) || value.contains(TOKEN));
        assert!(!told && asked.authorization().is_none(), "{asked:?}");
        assert!(!String::from_utf8_lossy(&asked.body).contains(SECRET), "{asked:?}");
    }
}

#[test]
fn blobs_on_another_port_come_without_the_login() {
    let (registry, folder) = closed();
    let server = elsewhere();
    let to = server.url("");
    registry.lie("GET", "/blobs/", move |asked, answer| match answer.status {
        200 => Answer::status(307).with("Location", format!("{to}{}", asked.path())),
        _ => answer,
    });
    let _pulled = pull(folder.path(), &registry, &[]).success();
    assert_eq!(layout::image(&folder.path().join("back"), "v1").root, image().digest);
    assert!(!server.asked().is_empty());
    told_nobody(&server);
}

#[test]
fn without_tls_blobs_come_from_no_other_host() {
    for to in ["localhost", "127.0.0.2", "169.254.169.254", "[::1]", "0.0.0.0"] {
        let (registry, folder) = closed();
        let server = elsewhere();
        let to = format!("http://{to}:{}", server.port());
        let redirect = move |asked: &Asked, _| Answer::status(302).with("Location", format!("{to}{}", asked.path()));
        registry.lie("GET", "/blobs/", redirect);
        let ran = pull(folder.path(), &registry, &[]).exits(4);
        assert!(!layout::is_finished(&folder.path().join("back")), "{ran}");
        assert!(server.asked().is_empty(), "{:?}", server.asked());
    }
}

#[test]
fn manifests_and_referrers_come_from_the_registry_alone() {
    // There is a registry that sends whoever asks for referrers to pages for people, which is as good as having no list.
    for (part, status) in [("/manifests/test", 4), ("/referrers/", 0)] {
        let (registry, folder) = closed();
        let server = elsewhere();
        let to = server.url("/x");
        registry.lie("*", part, move |_, answer| match answer.status {
            200 => Answer::status(307).with("Location", to.clone()),
            _ => answer,
        });
        let ran = pull(folder.path(), &registry, &[]).exits(status);
        assert_eq!(layout::is_finished(&folder.path().join("back")), status == 0, "{ran}");
        assert!(server.asked().is_empty(), "{part}: {:?}", server.asked());
    }
}

#[test]
fn redirects_without_end_are_not_followed() {
    let (registry, folder) = closed();
    registry.lie("GET", "/blobs/", |asked, _| Answer::status(307).with("Location", asked.path()));
    let ran = pull(folder.path(), &registry, &[]).exits(4);
    assert!(!layout::is_finished(&folder.path().join("back")), "{ran}");
}

/// Makes a registry want a token of a server.
fn challenge(registry: &LyingRegistry, realm: String) {
    registry.lie("*", "/v2/", move |asked, answer| {
        let known = asked.authorization() == Some(&format!("Bearer {TOKEN}"));
        let wanted = format!("Bearer realm=\"{realm}\",service=\"test\"");
        if known { answer } else { error(401, "UNAUTHORIZED").with("WWW-Authenticate", wanted) }
    });
}

fn token_server() -> Loopback {
    Loopback::start(|_| Answer::body("application/json", json!({ "token": TOKEN }).to_string()))
}

#[test]
fn the_login_goes_to_no_token_server_that_nobody_named() {
    let server = token_server();
    let realms = [server.url("/token"), format!("{}/token", other_host(&server)), "https://127.0.0.2/token".to_owned()];
    for realm in realms {
        let registry = LyingRegistry::serving(&image().layout);
        let (_guard, folder) = folder();
        log_in(&folder, &registry);
        challenge(&registry, realm.clone());
        let ran = pull(&folder, &registry, &[]).exits(4);
        assert!(!layout::is_finished(&folder.join("back")), "{ran}");
        assert!(ran.errors().contains("token server"), "{realm}: {ran}");
        assert!(server.asked().is_empty(), "{:?}", server.asked());
        // Without a login nothing could be told, but requests into this machine are not made for others either.
        fs::remove_dir_all(folder.join(".docker")).unwrap();
        let _refused = pull(&folder, &registry, &[]).exits(4);
        assert!(server.asked().is_empty(), "{:?}", server.asked());
    }
}

#[test]
fn the_login_goes_to_the_token_server_that_was_named_and_the_token_to_the_registry() {
    let (server, other) = (token_server(), elsewhere());
    let registry = LyingRegistry::serving(&image().layout);
    let (_guard, folder) = folder();
    log_in(&folder, &registry);
    challenge(&registry, server.url("/token"));
    let to = other.url("");
    registry.lie("GET", "/blobs/", move |asked, answer| match answer.status {
        200 => Answer::status(307).with("Location", format!("{to}{}", asked.path())),
        _ => answer,
    });
    let _pulled = pull(&folder, &registry, &["--token-server", &server.host()]).success();
    assert_eq!(layout::image(&folder.join("back"), "v1").root, image().digest);
    assert!(server.asked().iter().all(|asked| asked.authorization() == Some(&basic())));
    assert!(server.asked().iter().all(|asked| asked.query("scope") == ["repository:app:pull"]), "{:?}", server.asked());
    assert!(registry.asked().iter().all(|asked| asked.authorization() != Some(&basic())));
    told_nobody(&other);
}

#[test]
fn a_token_server_that_leads_elsewhere_or_says_too_much_is_no_token_server() {
    let other = token_server();
    let answers = [
        Answer::status(307).with("Location", other.url("/token")),
        Answer { sent: distil_tests::loopback::Sent::Endless, ..Answer::body("application/json", [b' '; 1024]) },
        Answer::body("application/json", "[]"),
        Answer::body("application/json", json!({ "token": "a\r\nX: y" }).to_string()),
        Answer::body("application/json", json!({ "token": "" }).to_string()),
    ];
    for answer in answers {
        let server = Loopback::start(move |_| answer.clone());
        let registry = LyingRegistry::serving(&image().layout);
        let (_guard, folder) = folder();
        log_in(&folder, &registry);
        challenge(&registry, server.url("/token"));
        let _refused = pull(&folder, &registry, &["--token-server", &server.host()]).exits(4);
        assert!(!layout::is_finished(&folder.join("back")));
        assert!(other.asked().is_empty());
    }
}

#[test]
fn uploads_go_to_the_registry_alone() {
    let server = elsewhere();
    for to in [server.url("/upload"), format!("{}/upload", other_host(&server)), "//127.0.0.2/x".to_owned()] {
        let (registry, folder) = wanting_login(LyingRegistry::empty());
        registry.lie("POST", "/blobs/uploads/", move |_, answer| match answer.status {
            202 => answer.with("Location", to.clone()),
            _ => answer,
        });
        let ran = push(folder.path(), &registry).exits(4);
        assert!(!registry.tags().contains_key("v1"), "{ran}");
        assert!(server.asked().is_empty(), "{:?}", server.asked());
    }
}

#[test]
fn pages_of_tags_come_from_the_registry_alone_and_end() {
    let server = elsewhere();
    for to in [server.url("/v2/app/tags/list"), format!("{}/v2/app/tags/list", other_host(&server))] {
        let (registry, folder) = closed();
        registry.lie("GET", "/tags/list", move |_, answer| answer.with("Link", format!("<{to}>; rel=\"next\"")));
        let _refused = checked(at(folder.path(), &["tags", &registry.repository("app")])).exits(4);
        assert!(server.asked().is_empty(), "{:?}", server.asked());
    }
    let (registry, folder) = closed();
    registry.lie("GET", "/tags/list", |asked, answer| answer.with("Link", format!("<{}>; rel=\"next\"", asked.target)));
    let _refused = checked(at(folder.path(), &["tags", &registry.repository("app")])).exits(4);
    assert!(registry.asked().len() < 20_000);
}

#[test]
fn what_a_registry_says_is_shown_escaped() {
    let (registry, folder) = closed();
    let words = json!({ "errors": [{ "code": "DENIED", "message": "\u{1b}[2J\u{202e}gone\r\n::error::x" }] });
    registry.lie("*", "/manifests/", move |_, _| Answer {
        status: 403,
        ..Answer::body("application/json", words.to_string())
    });
    let ran = pull(folder.path(), &registry, &[]).exits(4);
    assert!(!ran.errors().contains(['\u{1b}', '\u{202e}', '\r']), "{ran}");
    assert!(ran.errors().contains("gone"), "{ran}");
    assert!(!ran.errors().lines().any(|line| line.starts_with("::")), "{ran}");
}
