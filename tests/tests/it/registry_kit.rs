//! The registries of the test kit: crane, skopeo and oras find them as they were meant, with who may do what.

use std::fs;
use std::path::Path;

use distil_tests::encoding::base64;
use distil_tests::program::{Ran, folder};
use distil_tests::registry::Setup;
use distil_tests::{Authority, Program, Registry, TokenServer, token_server};
use serde_json::json;

const USERS: [(&str, &str); 2] = [("ann", "s3cret: of ann"), ("bob", "other")];

/// What crane says to the tags of a repository, with a file of credentials in `home`.
fn tags(name: &str, home: &Path, authority: Option<&Authority>) -> Ran {
    let program = Program::new("crane").args(["ls", name]).env("DOCKER_CONFIG", home).env("HOME", home);
    let bundle = authority.map_or_else(|| "/nonexistent".into(), Authority::certificate);
    program.env("SSL_CERT_FILE", bundle).run()
}

fn push(name: &str, home: &Path, authority: Option<&Authority>) -> Ran {
    fs::write(home.join("layer.tar"), [0; 1024]).unwrap();
    let program = Program::new("crane").args(["append", "--new_tag", name, "--new_layer", "layer.tar"]);
    let bundle = authority.map_or_else(|| "/nonexistent".into(), Authority::certificate);
    program.current_dir(home).env("DOCKER_CONFIG", home).env("HOME", home).env("SSL_CERT_FILE", bundle).run()
}

fn log_in(home: &Path, host: &str, user: &str, password: &str) {
    let auth = base64(format!("{user}:{password}").as_bytes());
    fs::write(home.join("config.json"), json!({ "auths": { host: { "auth": auth } } }).to_string()).unwrap();
}

#[test]
fn names_and_passwords_decide() {
    let registry = Registry::with(&Setup { users: &USERS, ..Setup::default() });
    let (_guard, home) = folder();
    let name = registry.repository("app");
    let refused = |ran: Ran| assert!(ran.code() == 1 && ran.errors().contains("401 Unauthorized"), "{ran}");
    refused(push(&name, &home, None));
    log_in(&home, &registry.host(), "ann", "other");
    refused(push(&name, &home, None));
    log_in(&home, &registry.host(), "ann", "s3cret: of ann");
    let _pushed = push(&name, &home, None).success();
    assert_eq!(tags(&name, &home, None).success().text(), "latest\n");
}

#[test]
fn tokens_decide() {
    let tokens = TokenServer::start(&USERS);
    let registry = Registry::with(&Setup { tokens: Some(&tokens), ..Setup::default() });
    let (_guard, home) = folder();
    let name = registry.repository("public/app");
    assert_eq!(push(&name, &home, None).code(), 1);
    log_in(&home, &registry.host(), "bob", "other");
    let _pushed = push(&name, &home, None).success();
    assert!(tokens.asked().iter().any(|asked| asked.query("scope") == ["repository:public/app:push,pull"]));
    fs::remove_file(home.join("config.json")).unwrap();
    assert_eq!(tags(&name, &home, None).success().text(), "latest\n");
    let auths = json!({ "auths": { registry.host(): { "identitytoken": token_server::identity("ann") } } });
    fs::write(home.join("config.json"), auths.to_string()).unwrap();
    let _pushed = push(&registry.repository("closed"), &home, None).success();
    assert!(tokens.asked().iter().any(|asked| asked.method == "POST"));
}

#[test]
fn certificates_decide() {
    let (authority, other) = (Authority::new(), Authority::new());
    let registry = Registry::with(&Setup { authority: Some(&authority), ..Setup::default() });
    let (_guard, home) = folder();
    // Crane takes plain HTTP on loopback by its address alone.
    let name = format!("localhost:{}/app", registry.port());
    let by_tls = |authority| push(&name, &home, Some(authority));
    assert_eq!(by_tls(&other).code(), 1);
    let _pushed = by_tls(&authority).success();

    let registry = Registry::with(&Setup { authority: Some(&authority), clients_certified: true, ..Setup::default() });
    let url = format!("https://localhost:{}/v2/", registry.port());
    let asked = |client: Option<&distil_tests::authority::Certified>| {
        let program = Program::new("openssl").args(["s_client", "-quiet", "-verify_return_error", "-connect"]);
        let program = program.arg(registry.host()).arg("-CAfile").arg(authority.certificate());
        let program = match client {
            Some(client) => program.arg("-cert").arg(&client.certificate).arg("-key").arg(&client.key),
            None => program,
        };
        program.input(format!("GET {url} HTTP/1.0\r\n\r\n").into_bytes()).run().text()
    };
    assert!(asked(Some(&authority.client())).starts_with("HTTP/1.0 200 "));
    assert!(!asked(Some(&other.client())).starts_with("HTTP/1.0 200 ") && !asked(None).starts_with("HTTP/1.0 200 "));
}

#[test]
fn referrers_are_found_in_both() {
    let (_guard, home) = folder();
    fs::write(home.join("note"), "a note").unwrap();
    for registry in [Registry::start(), Registry::start_with_referrers()] {
        let name = registry.repository("app:latest");
        let _pushed = push(&name, &home, None).success();
        let attach =
            Program::new("oras").args(["attach", "--plain-http", "--artifact-type", "text/note", &name, "note"]);
        let _attached = attach.current_dir(&home).env("HOME", &home).run().success();
        let found = Program::new("oras").args(["discover", "--plain-http", "--format", "json", &name]).run().success();
        assert_eq!(found.json()["referrers"].as_array().unwrap().len(), 1, "{found}");
    }
}
