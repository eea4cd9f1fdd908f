//! Who is told which login.

use super::*;

#[test]
fn who_is_not_asked_says_nothing() {
    let server = Loopback::start(|asked| Answer::body("text/plain", asked.target.clone()));
    let known = known(password());
    let transport = transport(&server, Options { keychain: known.clone(), ..options(None) });
    assert_eq!(text(get(&transport, "manifests/v1?x=y").unwrap()), "/v2/team/app/manifests/v1?x=y");
    assert_eq!(seen(&server), ["GET /v2/ -", "GET /v2/team/app/manifests/v1?x=y -"]);
    assert!(known.asked.lock().unwrap().is_empty());
}

#[test]
fn a_password_is_sent_to_who_asks_for_it() {
    let server = Loopback::start(|asked| match asked.authorization() {
        Some(PASSWORD) => Answer::status(204),
        _ => Answer::status(401).with("WWW-Authenticate", "Basic realm=\"x\""),
    });
    let known = known(password());
    let transport = transport(&server, Options { keychain: known.clone(), ..options(None) });
    assert_eq!(get(&transport, "a").unwrap().status(), 204);
    assert_eq!(get(&transport, "b").unwrap().status(), 204);
    let expected =
        ["GET /v2/ -".to_owned(), format!("GET /v2/team/app/a {PASSWORD}"), format!("GET /v2/team/app/b {PASSWORD}")];
    assert_eq!(seen(&server), expected);
    assert_eq!(*known.asked.lock().unwrap(), [format!("127.0.0.1:{} team/app", server.port())]);
}

#[test]
fn a_registry_that_asks_late_is_told_then() {
    let server = Loopback::start(|asked| match (asked.path(), asked.authorization()) {
        ("/v2/", _) | (_, Some(PASSWORD)) => Answer::status(200),
        _ => Answer::status(401).with("WWW-Authenticate", "Negotiate, Basic realm=\"x\""),
    });
    assert_eq!(get(&transport(&server, options(password())), "a").unwrap().status(), 200);
    assert_eq!(seen(&server)[1..], ["GET /v2/team/app/a -".to_owned(), format!("GET /v2/team/app/a {PASSWORD}")]);
}

#[test]
fn a_wrong_password_is_sent_once() {
    let server = Loopback::start(|_| {
        let body = r#"{"errors": [{"code": "UNAUTHORIZED", "message": "no\u0007"}]}"#;
        let refused = Answer::body("application/json", body).with("WWW-Authenticate", "Basic realm=\"x\"");
        Answer { status: 401, ..refused }
    });
    let error = get(&transport(&server, options(password())), "a").unwrap_err();
    assert!(matches!(&error, RegistryError::Denied { login: true, .. }), "{error:?}");
    assert_eq!(error.to_string(), format!("{} denies access: no\\x07", server.host()));
    assert!(!format!("{error:?}").contains("hunter2"));
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn without_a_login_there_is_nothing_to_send() {
    let server = Loopback::start(|_| Answer::status(401).with("WWW-Authenticate", "Basic realm=\"x\""));
    let error = get(&transport(&server, options(None)), "a").unwrap_err();
    assert!(matches!(error, RegistryError::Denied { login: false, .. }), "{error:?}");
    assert!(seen(&server).iter().all(|line| line.ends_with(" -")));
}

#[test]
fn an_unknown_way_to_authenticate_is_an_error() {
    for challenge in ["Negotiate", "Basic realm=\"", "Digest realm=a, Digest realm=b"] {
        let server = Loopback::start(move |_| Answer::status(401).with("WWW-Authenticate", challenge));
        let error = get(&transport(&server, options(password())), "a").unwrap_err();
        assert!(matches!(error, RegistryError::Challenge { .. }), "{challenge}: {error:?}");
    }
    let server = Loopback::start(|_| Answer::status(401));
    let error = get(&transport(&server, options(password())), "a").unwrap_err();
    assert!(matches!(error, RegistryError::Denied { .. }), "{error:?}");
}

#[test]
fn a_ready_token_is_sent_as_it_is() {
    let server = Loopback::start(|asked| {
        wants_token(asked, &own(asked, "/token"), &["ready"]).unwrap_or_else(|| Answer::status(200))
    });
    let login = Login::Token(Secret::new("ready".to_owned()));
    assert_eq!(get(&transport(&server, options(login)), "a").unwrap().status(), 200);
    assert_eq!(seen(&server), ["GET /v2/ -", "GET /v2/team/app/a Bearer ready"]);
}

#[test]
fn a_keychain_that_fails_is_not_taken_for_an_empty_one() {
    #[derive(Debug)]
    struct Broken;
    impl Keychain for Broken {
        fn login(&self, host: &str, _repository: &str) -> Result<Option<Login>, KeychainError> {
            Err(KeychainError { host: host.to_owned(), source: "locked".into() })
        }
    }
    let server = Loopback::start(|_| Answer::status(401).with("WWW-Authenticate", "Basic realm=\"x\""));
    let transport = transport(&server, Options { keychain: Arc::new(Broken), ..options(None) });
    assert!(matches!(get(&transport, "a"), Err(RegistryError::Keychain(_))));
}

#[test]
fn nothing_shows_a_secret() {
    let server = Loopback::start(|asked| {
        let answer = if asked.path() == "/token" { token("t0ken") } else { Answer::status(200) };
        wants_token(asked, &own(asked, "/token"), &["t0ken"]).unwrap_or(answer)
    });
    let transport = transport(&server, options(password()));
    assert_eq!(get(&transport, "a").unwrap().status(), 200);
    let shown = format!("{transport:?}");
    for secret in ["hunter2", "t0ken", "dXNlcjpodW50ZXIy"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
