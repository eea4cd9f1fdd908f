//! Tokens: fetched once, for as little as is needed, and renewed.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use distil_net::NetError;
use distil_tests::TokenServer;
use distil_tests::registry::{Registry, Setup};
use distil_tests::token_server;

use super::*;
use crate::error::{RealmRefusal, TokenFault};

/// A registry with its own token server, which has a token for each scope: its name without the repository.
fn registry() -> Loopback {
    Loopback::start(|asked| {
        if asked.path() == "/token" {
            let scopes = asked.query("scope");
            return token(&scopes.join("+").replace("repository:", "").replace("team/app:", ""));
        }
        let valid = ["pull", "pull,push", "pull,push+other/app:pull"];
        wants_token(asked, &own(asked, "/token"), &valid).unwrap_or_else(|| Answer::status(200))
    })
}

#[test]
fn each_scope_has_its_token_and_each_token_is_fetched_once() {
    let server = registry();
    let transport = transport(&server, options(password()));
    let mount = Scope::Mount("other/app".to_owned());
    for (scope, expected) in [
        (Scope::Pull, "pull"),
        (Scope::Pull, "pull"),
        (Scope::Push, "pull,push"),
        (mount.clone(), "pull,push+other/app:pull"),
        (mount, "pull,push+other/app:pull"),
    ] {
        send(&transport, Ask { scope, ..ask(Method::Get, "a") }).unwrap();
        let last = server.asked().pop().unwrap();
        assert_eq!(last.authorization(), Some(format!("Bearer {expected}").as_str()));
    }
    let tokens: Vec<Asked> = server.asked().into_iter().filter(|asked| asked.path() == "/token").collect();
    assert_eq!(tokens.len(), 3);
    assert!(tokens.iter().all(|asked| asked.authorization() == Some(PASSWORD) && asked.query("service") == ["s"]));
    assert_eq!(tokens[0].query("scope"), ["repository:team/app:pull"]);
    assert_eq!(tokens[2].query("scope"), ["repository:team/app:pull,push", "repository:other/app:pull"]);
}

#[test]
fn threads_share_a_token() {
    let server = registry();
    let transport = transport(&server, options(None));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(get(&transport, "a").unwrap().status(), 200));
        }
    });
    assert_eq!(server.asked().iter().filter(|asked| asked.path() == "/token").count(), 1);
    assert_eq!(server.asked().iter().filter(|asked| asked.path() == "/v2/").count(), 1);
    assert!(server.asked().iter().all(|asked| asked.authorization().is_none_or(|value| value == "Bearer pull")));
}

#[test]
fn an_identity_token_is_exchanged() {
    let server = registry();
    let login = Login::Identity(Secret::new("id&=".to_owned()));
    // The answer of this server is made from the query, which a form does not have.
    assert!(get(&transport(&server, options(login)), "a").is_err());
    let posted = server.asked().into_iter().find(|asked| asked.path() == "/token").unwrap();
    assert_eq!((posted.method.as_str(), posted.authorization()), ("POST", None));
    for (field, expected) in [
        ("grant_type", "refresh_token"),
        ("refresh_token", "id&="),
        ("scope", "repository:team/app:pull"),
        ("service", "s"),
    ] {
        assert_eq!(posted.form(field), [expected]);
    }
}

#[test]
fn the_login_is_not_sent_to_another_server() {
    let other = Loopback::start(|_| token("t"));
    let realm = other.url("/token");
    let server =
        Loopback::start(move |asked| wants_token(asked, &realm, &["t"]).unwrap_or_else(|| Answer::status(200)));
    for login in [password(), Login::Identity(Secret::new("i".to_owned()))] {
        let error = get(&transport(&server, options(login)), "a").unwrap_err();
        assert!(matches!(&error, RegistryError::Realm { refusal: RealmRefusal::Login, .. }), "{error:?}");
    }
    let error = get(&transport(&server, options(None)), "a").unwrap_err();
    assert!(matches!(&error, RegistryError::Net(NetError::Address { .. })), "{error:?}");
    assert!(other.asked().is_empty());
    assert!(server.asked().iter().all(|asked| asked.authorization().is_none()));

    // Unless the user says that it belongs to the registry.
    let token_servers = vec![other.host()];
    let transport = transport(&server, Options { token_servers, ..options(password()) });
    assert_eq!(get(&transport, "a").unwrap().status(), 200);
    assert_eq!(other.asked().pop().unwrap().authorization(), Some(PASSWORD));
}

#[test]
fn a_token_that_is_not_taken_any_more_is_renewed_once() {
    let fetched = Arc::new(AtomicU32::new(0));
    let (current, counter) = (Arc::clone(&fetched), Arc::clone(&fetched));
    let server = Loopback::start(move |asked| {
        if asked.path() == "/token" {
            return token(&format!("t{}", counter.fetch_add(1, Ordering::SeqCst) + 1));
        }
        // Each token is good for one request.
        let valid = format!("t{}", current.load(Ordering::SeqCst));
        let answer = if asked.path().ends_with("/never") { None } else { Some(Answer::status(200)) };
        if let Some(refused) = wants_token(asked, &own(asked, "/token"), &[&valid]) {
            return refused;
        }
        answer.unwrap_or_else(|| wants_token(asked, &own(asked, "/token"), &[]).unwrap())
    });
    let transport = transport(&server, options(None));
    assert_eq!(get(&transport, "a").unwrap().status(), 200);
    // As if the registry had forgotten all tokens.
    fetched.store(5, Ordering::SeqCst);
    assert_eq!(get(&transport, "a").unwrap().status(), 200);
    assert_eq!(server.asked().pop().unwrap().authorization(), Some("Bearer t6"));
    server.forget();
    let error = get(&transport, "never").unwrap_err();
    assert!(matches!(error, RegistryError::Denied { login: false, .. }), "{error:?}");
    assert_eq!(server.asked().iter().filter(|asked| asked.path() == "/token").count(), 1);
}

#[test]
fn a_token_is_used_as_long_as_it_is_valid() {
    let server = Loopback::start(|asked| {
        let fleeting = Answer::body("application/json", r#"{"token": "t", "expires_in": 0}"#);
        let answer = if asked.path() == "/token" { fleeting } else { Answer::status(200) };
        wants_token(asked, &own(asked, "/token"), &["t"]).unwrap_or(answer)
    });
    let transport = transport(&server, options(None));
    for _ in 0..3 {
        assert_eq!(get(&transport, "a").unwrap().status(), 200);
    }
    assert_eq!(server.asked().iter().filter(|asked| asked.path() == "/token").count(), 3);
}

#[test]
fn what_a_token_server_may_not_say() {
    let large = format!(r#"{{"token": "t", "x": "{}"}}"#, "x".repeat(64 << 10));
    let cases = [
        (Answer::status(302).with("Location", "/v2/"), Some(TokenFault::Status(302))),
        (Answer::status(418), Some(TokenFault::Status(418))),
        (Answer::body("application/json", "{}"), Some(TokenFault::Missing)),
        (Answer::body("application/json", r#"{"token": "a\nb"}"#), Some(TokenFault::Unusable)),
        (Answer::body("application/json", large), None),
    ];
    for (answer, expected) in cases {
        let server = Loopback::start(move |asked| {
            wants_token(asked, &own(asked, "/token"), &["t"]).unwrap_or_else(|| answer.clone())
        });
        match (get(&transport(&server, options(password())), "a").unwrap_err(), expected) {
            (RegistryError::Token { fault, .. }, Some(expected)) => assert_eq!(fault, expected),
            (RegistryError::Net(NetError::TooLong { .. }), None) => {}
            (error, expected) => panic!("{error:?}, not {expected:?}"),
        }
        assert_eq!(server.asked().len(), 2, "nothing is asked again");
    }
}

#[test]
fn a_token_server_that_denies_is_named() {
    let server = Loopback::start(|asked| {
        let refused = Answer::body("application/json", r#"{"details": "wrong password"}"#);
        wants_token(asked, &own(asked, "/token"), &[]).unwrap_or(Answer { status: 401, ..refused })
    });
    let error = get(&transport(&server, options(password())), "a").unwrap_err();
    assert!(matches!(&error, RegistryError::Denied { login: true, .. }), "{error:?}");
    assert_eq!(error.to_string(), format!("{} denies access: wrong password", server.url("/token")));
}

#[test]
fn a_real_registry_takes_tokens_of_a_password_and_of_an_identity() {
    let server = TokenServer::start(&[("user", "hunter2")]);
    let registry = Registry::with(&Setup { tokens: Some(&server), ..Setup::default() });
    let token_servers = vec![server.host()];
    let name: RegistryName = registry.repository("team/app").parse().unwrap();
    let digest = "sha256:ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73";
    for login in [password(), Login::Identity(Secret::new(token_server::identity("user")))] {
        let options = Options { token_servers: token_servers.clone(), ..options(login) };
        let transport = Transport::new(&name, options).unwrap();
        let start = Target::Path("blobs/uploads/");
        let answer = send(&transport, Ask { scope: Scope::Push, ..ask(Method::Post, "blobs/uploads/") }).unwrap();
        assert_eq!(answer.status(), 202);
        let mut session = transport.locate(&start, answer.header("location").unwrap()).unwrap();
        session.query_pairs_mut().append_pair("digest", digest);
        let mut content = &b"content"[..];
        let body = Body::Stream { content: &mut content, size: 7 };
        let target = Target::Url(&session);
        let answer = send(&transport, Ask { target, body, scope: Scope::Push, ..ask(Method::Put, "") }).unwrap();
        assert_eq!(answer.status(), 201);
        assert_eq!(text(get(&transport, &format!("blobs/{digest}")).unwrap()), "content");
        // Reading is not enough for writing, whoever one is.
        let error = send(&transport, ask(Method::Post, "blobs/uploads/")).unwrap_err();
        assert!(matches!(error, RegistryError::Denied { login: true, .. }), "{error:?}");
    }
    let nobody = Transport::new(&name, Options { token_servers, ..options(None) }).unwrap();
    let error = get(&nobody, "tags/list").unwrap_err();
    assert!(matches!(error, RegistryError::Denied { login: false, .. }), "{error:?}");
}
