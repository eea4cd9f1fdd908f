//! Who we are for a registry: names and passwords, tokens, certificates, with real registries, from every place where docker
//! and podman keep them.

use std::fs;
use std::path::{Path, PathBuf};

use distil_tests::encoding::base64;
use distil_tests::program::{self, Ran, folder};
use distil_tests::registry::Setup;
use distil_tests::{Authority, LyingRegistry, Registry, TokenServer, token_server};
use serde_json::{Value, json};

use crate::registry_image::{at, digest, image, program};

const USERS: [(&str, &str); 2] = [("ann", "s3cret: of ann"), ("bob", "the other's")];

fn auth(user: usize) -> String {
    let (name, password) = USERS[user];
    base64(format!("{name}:{password}").as_bytes())
}

fn write(file: &Path, value: &Value) -> PathBuf {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, value.to_string()).unwrap();
    file.to_owned()
}

fn push(folder: &Path, name: &str, more: &[&str]) -> Ran {
    silent(at(folder, &[&["copy", "--json", &image().reference(), name], more].concat()))
}

/// No password ever gets into a message.
fn silent(ran: Ran) -> Ran {
    for (user, (_, password)) in USERS.iter().enumerate() {
        let said = ran.errors() + &ran.text();
        assert!(!said.contains(password) && !said.contains(&auth(user)), "{ran}");
    }
    ran
}

#[test]
fn every_file_of_logins_is_read() {
    let registry = Registry::with(&Setup { users: &USERS, ..Setup::default() });
    let name = registry.repository("team/app:v1");
    let good = json!({ "auths": { registry.host(): { "auth": auth(0) } } });
    let wrong = json!({ "auths": { registry.host(): { "auth": base64(b"ann:wrong") } } });
    let (_guard, folder) = folder();
    let denied = push(&folder, &name, &[]).exits(4);
    assert!(denied.errors().contains(&registry.host()), "{denied}");
    for file in [".docker/config.json", "run/containers/auth.json", "given.json"] {
        let file = folder.join(file);
        let more: Vec<&str> = if file.ends_with("given.json") { vec!["--authfile", "given.json"] } else { vec![] };
        let _wrong = write(&file, &wrong);
        let denied = push(&folder, &name, &more).exits(4);
        assert!(denied.errors().contains(&registry.host()), "{denied}");
        let _good = write(&file, &good);
        assert_eq!(digest(&push(&folder, &name, &more).success().json()), image().digest);
        fs::remove_file(&file).unwrap();
    }
    let file = write(&folder.join("by-variable.json"), &good);
    let ran = program(&folder, &["inspect", "--json", &name]).env("REGISTRY_AUTH_FILE", file).run();
    assert_eq!(silent(ran).success().json()["digest"], image().digest.as_str());
}

#[test]
fn the_login_of_the_longest_name_counts() {
    let registry = Registry::with(&Setup { users: &USERS, ..Setup::default() });
    let (_guard, folder) = folder();
    let auths = json!({ "auths": {
        registry.host(): { "auth": base64(b"ann:wrong") },
        format!("{}/team", registry.host()): { "auth": auth(0) },
        format!("{}/team/closed", registry.host()): { "auth": base64(b"bob:wrong") },
    } });
    let file = write(&folder.join("auth.json"), &auths);
    let with = ["--authfile", file.to_str().unwrap()];
    let _pushed = push(&folder, &registry.repository("team/app:v1"), &with).success();
    for closed in ["team/closed:v1", "team/closed/deep:v1", "other:v1", "teams:v1"] {
        let _denied = push(&folder, &registry.repository(closed), &with).exits(4);
    }
}

/// A program that keeps logins, as docker has them, which notes for whom it was asked.
fn helper(folder: &Path, name: &str, script: &str) -> String {
    let bin = folder.join("bin");
    fs::create_dir_all(&bin).unwrap();
    let file = bin.join(format!("docker-credential-{name}"));
    let note = format!("read -r host\necho \"$1 $host\" >>'{}/asked'", folder.display());
    program::script(&file, &format!("#!/bin/sh\n{note}\n{script}"));
    format!("{}:{}", bin.display(), std::env::var("PATH").unwrap())
}

#[test]
fn programs_that_keep_logins_are_asked() {
    let registry = Registry::with(&Setup { users: &USERS, ..Setup::default() });
    let (_guard, folder) = folder();
    let (user, password) = USERS[0];
    let answer = json!({ "ServerURL": registry.host(), "Username": user, "Secret": password });
    let path = helper(&folder, "kept", &format!("cat <<'END'\n{answer}\nEND\n"));
    for config in [json!({ "credHelpers": { registry.host(): "kept" } }), json!({ "credsStore": "kept" })] {
        let _config = write(&folder.join(".docker/config.json"), &config);
        let ran = program(&folder, &["copy", "--json", &image().reference(), &registry.repository("team/app:v1")]);
        assert_eq!(digest(&silent(ran.env("PATH", &path).run()).success().json()), image().digest);
        let asked = fs::read_to_string(folder.join("asked")).unwrap();
        assert!(asked.lines().all(|line| line == format!("get {}", registry.host())), "{asked}");
        fs::remove_file(folder.join("asked")).unwrap();
    }
}

#[test]
fn where_a_program_that_keeps_logins_fails_nothing_is_asked_of_the_registry() {
    let registry = LyingRegistry::serving(&image().layout);
    registry.lie("*", "/v2/", |_, _| {
        distil_tests::lying_registry::error(401, "UNAUTHORIZED").with("WWW-Authenticate", "Basic realm=\"x\"")
    });
    let host = registry.host();
    let (_guard, folder) = folder();
    for (number, script) in ["exit 1", "echo not json", "yes", "echo '{}'; exit 3"].iter().enumerate() {
        let name = format!("bad{number}");
        let path = helper(&folder, &name, script);
        let _config = write(&folder.join(".docker/config.json"), &json!({ "credHelpers": { &host: name } }));
        let ran = program(&folder, &["inspect", &registry.repository("app:test")]).env("PATH", &path).run().exits(4);
        assert!(ran.errors().contains(&format!("docker-credential-{name}")), "{ran}");
    }
    assert!(registry.asked().iter().all(|asked| asked.authorization().is_none()));
    for name in ["../bin/bad0", "bad0; touch gone", "missing"] {
        let _config = write(&folder.join(".docker/config.json"), &json!({ "credHelpers": { &host: name } }));
        let ran = at(&folder, &["inspect", &registry.repository("app:test")]).exits(4);
        assert!(!folder.join("gone").exists(), "{ran}");
    }
}

#[test]
fn tokens_allow_no_more_than_is_needed() {
    let tokens = TokenServer::start(&USERS);
    let registry = Registry::with(&Setup { tokens: Some(&tokens), ..Setup::default() });
    let (_guard, folder) = folder();
    let token_server = tokens.host();
    let with = ["--token-server", token_server.as_str()];
    let name = registry.repository("public/app:v1");
    let _denied = push(&folder, &name, &with).exits(4);
    let host = registry.host();
    let logins = [json!({ "auth": auth(1) }), json!({ "identitytoken": token_server::identity("ann") })];
    for login in logins {
        tokens.forget();
        let _config = write(&folder.join(".docker/config.json"), &json!({ "auths": { &host: login } }));
        assert_eq!(digest(&push(&folder, &name, &with).success().json()), image().digest);
        let _pulled = silent(at(&folder, &["copy", &name, "oci:back:v1", with[0], with[1]])).success();
        let asked = tokens.asked();
        let scopes = asked.iter().flat_map(|asked| [asked.query("scope"), asked.form("scope")]).flatten();
        let mut scopes: Vec<String> = scopes.collect();
        scopes.sort();
        scopes.dedup();
        assert!(scopes.iter().all(|scope| scope.starts_with("repository:public/app:pull")), "{scopes:?}");
        assert!(scopes.contains(&"repository:public/app:pull".to_owned()), "{scopes:?}");
        assert!(asked.len() < 12, "tokens are kept: {}", asked.len());
    }
    fs::remove_file(folder.join(".docker/config.json")).unwrap();
    let pulled = at(&folder, &["inspect", "--json", &name, with[0], with[1]]).success().json();
    assert_eq!(pulled["digest"], image().digest.as_str());
}

#[test]
fn blobs_are_mounted_with_a_token_for_both_repositories() {
    let tokens = TokenServer::start(&USERS);
    let registry = Registry::with(&Setup { tokens: Some(&tokens), ..Setup::default() });
    let (_guard, folder) = folder();
    let token_server = tokens.host();
    let _config =
        write(&folder.join(".docker/config.json"), &json!({ "auths": { registry.host(): { "auth": auth(1) } } }));
    let names = ["one/app:v1", "two/app:v1"].map(|name| registry.repository(name));
    let with = ["--token-server", token_server.as_str()];
    let _pushed = push(&folder, &names[0], &with).success();
    tokens.forget();
    let _copied = silent(at(&folder, &[&["copy", &names[0], &names[1]], &with[..]].concat())).success();
    let both = |scopes: Vec<String>| scopes.len() == 2 && scopes.iter().any(|scope| scope == "repository:one/app:pull");
    assert!(tokens.asked().iter().any(|asked| both(asked.query("scope"))), "{:?}", tokens.asked());
}

#[test]
fn certificates_are_checked_and_plain_http_is_no_way_around() {
    let (authority, other) = (Authority::new(), Authority::new());
    let registry = Registry::with(&Setup { authority: Some(&authority), ..Setup::default() });
    let (_guard, folder) = folder();
    let name = registry.repository("team/app:v1");
    let words = ["copy", "--json", &image().reference(), &name];
    let trusting = |authority: &Authority| program(&folder, &words).env("SSL_CERT_FILE", authority.certificate());
    assert_eq!(digest(&trusting(&authority).run().success().json()), image().digest);
    for insecure in [false, true] {
        let ran = trusting(&other).args(insecure.then_some("--insecure-http")).run().exits(4);
        assert!(ran.errors().to_lowercase().contains("certificate"), "{ran}");
    }
    // Of this registry alone, in the directories that podman and docker have for it.
    let folders = ["certs", ".config/containers/certs.d"].map(|dir| folder.join(dir).join(registry.host()));
    for dir in &folders {
        fs::create_dir_all(dir).unwrap();
        fs::copy(authority.certificate(), dir.join("ca.crt")).unwrap();
        let more: &[&str] = if dir.starts_with(folder.join("certs")) { &["--cert-dir", "certs"] } else { &[] };
        assert_eq!(digest(&trusting(&other).args(more).run().success().json()), image().digest);
        fs::remove_dir_all(dir).unwrap();
    }
}

#[test]
fn a_registry_is_shown_our_certificate() {
    let authority = Authority::new();
    let setup = Setup { authority: Some(&authority), clients_certified: true, ..Setup::default() };
    let registry = Registry::with(&setup);
    let (_guard, folder) = folder();
    let name = registry.repository("team/app:v1");
    let dir = folder.join("certs").join(registry.host());
    fs::create_dir_all(&dir).unwrap();
    fs::copy(authority.certificate(), dir.join("ca.crt")).unwrap();
    let words = ["copy", "--json", "--cert-dir", "certs", &image().reference(), &name];
    let _refused = at(&folder, &words).exits(4);
    let client = authority.client();
    fs::copy(&client.certificate, dir.join("client.cert")).unwrap();
    fs::copy(&client.key, dir.join("client.key")).unwrap();
    assert_eq!(digest(&at(&folder, &words).success().json()), image().digest);
}
