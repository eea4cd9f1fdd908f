//! What is asked again, and what is not.

use std::sync::atomic::{AtomicU32, Ordering};

use distil_net::Passing as _;

use super::*;

/// Answers each path below `/v2/team/app/` so many times with a status before it answers with 200.
fn failing(status: u16, times: u32) -> Loopback {
    let left = AtomicU32::new(times);
    Loopback::start(move |asked| {
        let fails = asked.path() != "/v2/"
            && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok();
        if fails { Answer::status(status).with("Retry-After", "0") } else { Answer::status(200) }
    })
}

#[test]
fn what_passes_is_tried_again_where_it_does_no_harm() {
    for status in [408, 429, 500, 502, 503, 504] {
        for method in [Method::Get, Method::Head, Method::Delete, Method::Post, Method::Put] {
            let server = failing(status, 2);
            let body = if method == Method::Put { Body::Bytes(b"x") } else { Body::Empty };
            let answer = send(&transport(&server, options(None)), Ask { body, ..ask(method, "a") }).unwrap();
            assert_eq!(answer.status(), 200, "{method:?}");
            let bodies: Vec<Vec<u8>> = server.asked().into_iter().skip(1).map(|asked| asked.body).collect();
            let expected = if method == Method::Put { b"x".to_vec() } else { Vec::new() };
            assert_eq!(bodies, vec![expected; 3]);
        }
    }
}

#[test]
fn in_the_end_the_failure_is_reported() {
    let server = failing(503, 100);
    let error = get(&transport(&server, options(None)), "manifests/v1").unwrap_err();
    assert!(error.may_pass() && error.retry_after() == Some(Duration::ZERO), "{error:?}");
    assert_eq!(error.to_string(), "status 503 for manifests/v1");
    assert_eq!(server.asked().len(), 4);
    let server = Loopback::start(|_| Answer::status(503));
    assert!(get(&transport(&server, options(None)), "a").is_err());
    assert_eq!(server.asked().len(), 3, "the registry itself");
}

#[test]
fn a_server_says_by_its_own_clock_how_long_to_wait() {
    let server = Loopback::start(|_| {
        let answer = Answer::status(503).with("Date", "Thu, 01 Jan 2026 00:00:00 GMT");
        answer.with("Retry-After", "Thu, 01 Jan 2026 00:00:40 GMT")
    });
    let error = get(&transport(&server, options(None)), "a").unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(40)));
}

#[test]
fn what_changes_an_upload_is_sent_once() {
    let server = failing(503, 100);
    let transport = transport(&server, options(None));
    let url = Url::parse(&server.url("/upload?_state=s3cret")).unwrap();
    assert_eq!(send(&transport, ask(Method::Patch, "a")).unwrap().status(), 503);
    for method in [Method::Patch, Method::Put, Method::Post] {
        server.forget();
        let ask = Ask { target: Target::Url(&url), body: Body::Bytes(b"x"), ..ask(method, "") };
        let answer = send(&transport, ask).unwrap();
        let error = transport.refused("an upload", answer);
        assert!(error.may_pass(), "{error:?}");
        assert_eq!(server.asked().len(), 1);
    }
    let ask = Ask { target: Target::Url(&url), ..ask(Method::Get, "") };
    let error = send(&transport, ask).unwrap_err();
    assert!(error.may_pass() && !format!("{error} {error:?}").contains("s3cret"), "{error:?}");
}

#[test]
fn a_stream_is_sent_once_with_all_that_it_takes() {
    let server = Loopback::start(|asked| match (asked.path(), asked.authorization()) {
        ("/token", _) => token("t"),
        ("/v2/", _) => wants_token(asked, &own(asked, "/token"), &[]).unwrap(),
        (path, Some("Bearer t")) if !path.ends_with("late") => Answer::status(202),
        _ => wants_token(asked, &own(asked, "/token"), &[]).unwrap(),
    });
    let transport = transport(&server, options(None));
    let send = |path| {
        let mut content = &b"content"[..];
        let body = Body::Stream { content: &mut content, size: 7 };
        send(&transport, Ask { body, scope: Scope::Push, ..ask(Method::Put, path) })
    };
    assert_eq!(send("a").unwrap().status(), 202);
    let bodies: Vec<Vec<u8>> =
        server.asked().into_iter().filter(|asked| asked.method == "PUT").map(|a| a.body).collect();
    assert_eq!(bodies, [b"content"]);
    // A token that ended in between: the stream cannot be sent again here, but the caller may.
    let error = send("late").unwrap_err();
    assert!(matches!(error, RegistryError::Renewed { .. }) && error.may_pass(), "{error:?}");
    server.forget();
    assert_eq!(send("a").unwrap().status(), 202);
    assert_eq!(server.asked().len(), 2, "a new token, and the stream");
}

#[test]
fn statuses_become_errors_that_can_be_told_apart() {
    let server = Loopback::start(|asked| match asked.path().rsplit('/').next().unwrap().parse() {
        Ok(status) => Answer { status, ..Answer::body("application/json", r#"{"errors":[{"code":"CODE"}]}"#) },
        Err(_) => Answer::status(200),
    });
    let transport = transport(&server, options(None));
    let refused = |path| transport.refused("manifest v1", get(&transport, path).unwrap());
    assert!(matches!(refused("403"), RegistryError::Denied { login: false, .. }));
    assert!(matches!(refused("404"), RegistryError::Missing { .. }));
    let RegistryError::Refused { status: 405, said, .. } = refused("405") else { panic!() };
    assert_eq!(said.code(), Some("CODE"));
    assert_eq!(refused("405").to_string(), "status 405 for manifest v1: CODE");
    assert!(!refused("405").may_pass());
}
