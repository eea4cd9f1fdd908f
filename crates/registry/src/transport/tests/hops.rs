//! Where redirects lead, and what goes with a request on the way.

use distil_net::{NetError, RedirectRefusal};

use super::*;

fn blob(transport: &Transport, path: &str) -> Result<Response, RegistryError> {
    send(transport, Ask { may_lead: Lead::Away, ..ask(Method::Get, path) })
}

/// A registry that wants a password and redirects `/v2/team/app/NAME` to a URL.
fn redirecting(status: u16, to: String) -> Loopback {
    Loopback::start(move |asked| match (asked.path(), asked.authorization()) {
        ("/back" | "/near", _) => Answer::body("text/plain", asked.authorization().unwrap_or("-").as_bytes()),
        (_, None) => Answer::status(401).with("WWW-Authenticate", "Basic realm=\"x\""),
        ("/v2/team/app/near", _) => Answer::status(status).with("Location", "/near"),
        ("/v2/team/app/loop", _) => Answer::status(status).with("Location", "/v2/team/app/loop"),
        _ => Answer::status(status).with("Location", to.clone()),
    })
}

#[test]
fn a_blob_elsewhere_is_asked_for_without_credentials() {
    let storage = Loopback::start(|asked| match asked.path() {
        "/blob" => Answer::body("text/plain", asked.authorization().unwrap_or("-").as_bytes()),
        _ => Answer::status(307).with("Location", asked.query("to").concat()),
    });
    for status in [301, 302, 303, 307, 308] {
        let server = redirecting(status, storage.url("/blob?sig=x"));
        let transport = transport(&server, options(password()));
        assert_eq!(text(blob(&transport, "far").unwrap()), "-");
        assert_eq!(text(blob(&transport, "near").unwrap()), PASSWORD);
        let error = get(&transport, "far").unwrap_err();
        let RegistryError::Net(NetError::Redirect { refusal: RedirectRefusal::Host(_), .. }) = error else {
            panic!("{error:?}")
        };
    }
    assert!(storage.asked().iter().all(|asked| asked.authorization().is_none()));
}

#[test]
fn who_is_led_back_says_nothing_any_more() {
    let storage = Loopback::start(|asked| Answer::status(307).with("Location", asked.query("to").concat()));
    // The port of the registry is not known before it runs, so that it is given to the storage with the redirect.
    let to = storage.url("/?to=");
    let server = Loopback::start(move |asked| match (asked.path(), asked.authorization()) {
        ("/back", given) => Answer::body("text/plain", given.unwrap_or("-").as_bytes()),
        (_, None) => Answer::status(401).with("WWW-Authenticate", "Basic realm=\"x\""),
        _ => Answer::status(307).with("Location", format!("{to}{}", own(asked, "/back"))),
    });
    assert_eq!(text(blob(&transport(&server, options(password())), "far").unwrap()), "-");
}

#[test]
fn a_foreign_server_does_not_get_a_login_by_asking_for_it() {
    let storage = Loopback::start(|_| Answer::status(401).with("WWW-Authenticate", "Basic realm=\"x\""));
    let server = redirecting(307, storage.url("/"));
    let error = blob(&transport(&server, options(password())), "far").unwrap_err();
    assert!(matches!(error, RegistryError::Net(NetError::Status { status: 401, .. })), "{error:?}");
    assert!(storage.asked().iter().all(|asked| asked.authorization().is_none()));
}

#[test]
fn redirects_do_not_go_on_for_ever_and_not_everywhere() {
    let server = redirecting(302, "http://192.0.2.1/".to_owned());
    let transport = transport(&server, options(password()));
    let refusal = |answer: Result<Response, RegistryError>| match answer.unwrap_err() {
        RegistryError::Net(NetError::Redirect { refusal, .. }) => refusal,
        error => panic!("{error:?}"),
    };
    assert!(matches!(refusal(blob(&transport, "loop")), RedirectRefusal::Count(6, _)));
    assert!(matches!(refusal(blob(&transport, "far")), RedirectRefusal::Host(_)));
    // What writes is not led anywhere, not even next door.
    for method in [Method::Post, Method::Put, Method::Patch, Method::Delete] {
        let answer = send(&transport, Ask { scope: Scope::Push, ..ask(method, "near") });
        assert!(matches!(refusal(answer), RedirectRefusal::Count(1, _)), "{method:?}");
    }
}

#[test]
fn a_location_stays_with_the_registry() {
    let server = Loopback::start(|_| Answer::status(200));
    let other = Loopback::start(|_| Answer::status(200));
    let transport = transport(&server, options(password()));
    let asked = Target::Path("blobs/uploads/");
    for (location, path) in [
        ("/v2/team/app/blobs/uploads/x?_state=y", "/v2/team/app/blobs/uploads/x"),
        ("x", "/v2/team/app/blobs/uploads/x"),
        (&server.url("/y"), "/y"),
    ] {
        let url = transport.locate(&asked, location).unwrap();
        assert_eq!((url.path(), url.port()), (path, Some(server.port())));
        send(&transport, Ask { target: Target::Url(&url), ..ask(Method::Get, "") }).unwrap();
    }
    let port = server.port();
    for location in [
        other.url("/x"),
        format!("https://127.0.0.1:{port}/x"),
        format!("http://localhost:{port}/x"),
        format!("http://user:pass@127.0.0.1:{port}/x"),
        "//192.0.2.1/x".to_owned(),
        "file:///etc/passwd".to_owned(),
        "http://".to_owned(),
    ] {
        let error = transport.locate(&asked, &location).unwrap_err();
        assert!(matches!(&error, RegistryError::Elsewhere { .. }) && !error.to_string().contains("pass@"), "{error}");
        let Ok(url) = Url::parse(&location) else { continue };
        let answer = send(&transport, Ask { target: Target::Url(&url), ..ask(Method::Get, "") });
        assert!(matches!(answer, Err(RegistryError::Elsewhere { .. })));
    }
    assert!(matches!(get(&transport, "../../x/y"), Err(RegistryError::Elsewhere { .. })));
    assert!(other.asked().is_empty());
}
