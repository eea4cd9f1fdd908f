use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use proptest::prelude::*;

use super::*;
use crate::keychain::Secret;

fn parse(text: &str) -> Result<AuthFile, AuthFileProblem> {
    AuthFile::parse("auth.json", text.as_bytes()).map_err(|error| error.problem)
}

/// A login as `USER:PASSWORD`, a helper as `NAME SERVER`.
fn find(file: &AuthFile, host: &str, repository: &str) -> Option<String> {
    Some(match file.find(host, repository)? {
        Source::Login(Login::Password { user, password }) => format!("{user}:{}", password.reveal()),
        Source::Login(Login::Identity(token)) => format!("identity {}", token.reveal()),
        Source::Login(Login::Token(token)) => format!("token {}", token.reveal()),
        Source::Helper { name, server } => format!("{name} {server}"),
    })
}

#[test]
fn the_longest_path_counts() {
    // 1:p to 4:p
    let file = parse(
        r#"{"auths": {"a.example": {"auth": "MTpw"}, "a.example/team": {"auth": "Mjpw"}, "a.example/team/app": {"auth": "Mzpw"},
            "a.example:5000/": {"auth": "NDpw"}}, "HttpHeaders": {"X": "y"}, "psFormat": "table"}"#,
    )
    .unwrap();
    for (host, repository, expected) in [
        ("a.example", "x", Some("1:p")),
        ("a.example", "teams/app", Some("1:p")),
        ("a.example", "team/x/y", Some("2:p")),
        ("a.example", "team/app", Some("3:p")),
        ("a.example", "team/app/x", Some("3:p")),
        ("a.example", "team/apps", Some("2:p")),
        ("a.example:5000", "team/app", Some("4:p")),
        ("a.example:443", "x", None),
        ("b.a.example", "x", None),
        ("example", "x", None),
    ] {
        assert_eq!(find(&file, host, repository).as_deref(), expected, "{host}/{repository}");
    }
}

#[test]
fn older_names_stand_for_registries() {
    let file = parse(
        r#"{"auths": {"https://index.docker.io/v1/": {"auth": "MTpw"}, "https://index.docker.io/v1/access-token": {"auth": "Mjpw"},
            "https://a.example/v2/": {"auth": "Mzpw"}, "http://b.example": {"auth": "NDpw"}, "b.example": {"auth": "NTpw"},
            "https://c.example/some/path": {"auth": "Njpw"}}}"#,
    )
    .unwrap();
    for (host, expected) in [
        ("docker.io", Some("1:p")),
        ("index.docker.io", Some("1:p")),
        ("a.example", Some("3:p")),
        ("b.example", Some("5:p")),
        ("c.example", None),
    ] {
        assert_eq!(find(&file, host, "library/x").as_deref(), expected, "{host}");
    }
}

#[test]
fn logins_have_several_forms() {
    for (entry, expected) in [
        (r#"{"auth": "dXNlcjpwYTpzcw=="}"#, Some("user:pa:ss")),
        (r#"{"auth": "dTpwAAA="}"#, Some("u:p")),
        (r#"{"username": "u", "password": "p", "email": "e"}"#, Some("u:p")),
        (r#"{"auth": "dTpw", "identitytoken": "i"}"#, Some("identity i")),
        (r#"{"auth": "dTpw", "identitytoken": "", "registrytoken": null}"#, Some("u:p")),
        (r#"{"registrytoken": "r", "identitytoken": "i"}"#, Some("token r")),
        ("{}", None),
        (r#"{"auth": "", "username": ""}"#, None),
    ] {
        let file = parse(&format!(r#"{{"auths": {{"a.example": {entry}}}}}"#)).unwrap();
        assert_eq!(find(&file, "a.example", "x").as_deref(), expected, "{entry}");
    }
}

#[test]
fn helpers_come_before_and_behind_entries() {
    let file = parse(
        r#"{"auths": {"a.example": {"auth": "dTpw"}, "b.example": {"auth": "dTpw"}, "c.example": {}, "docker.io": {}},
            "credHelpers": {"a.example": "ecr-login", "https://index.docker.io/v1/": "desktop.exe", "d.example": ""},
            "credsStore": "secretservice"}"#,
    )
    .unwrap();
    for (host, expected) in [
        ("a.example", Some("ecr-login a.example")),
        ("b.example", Some("u:p")),
        ("c.example", Some("secretservice c.example")),
        ("d.example", None),
        ("e.example:5000", Some("secretservice e.example:5000")),
        ("docker.io", Some("desktop.exe https://index.docker.io/v1/")),
    ] {
        assert_eq!(find(&file, host, "x/y").as_deref(), expected, "{host}");
    }
}

#[test]
fn what_is_not_in_order_is_an_error_without_secrets() {
    let auth = || AuthFileProblem::Auth { key: "a".to_owned() };
    for text in [
        r#"{"auths": {"a": {"auth": "hunter2!"}}}"#,
        r#"{"auths": {"a": {"auth": "aHVudGVyMg=="}}}"#,
        r#"{"auths": {"a": {"auth": "Omh1bnRlcjI="}}}"#,
        r#"{"auths": {"a": {"auth": "aHVudGVyMjo="}}}"#,
        r#"{"auths": {"a": {"auth": "/zr/"}}}"#,
        r#"{"auths": {"a": {"username": "hunter2"}}}"#,
        r#"{"auths": {"a": {"username": "a:b", "password": "hunter2"}}}"#,
    ] {
        assert_eq!(parse(text).unwrap_err(), auth(), "{text}");
    }
    for text in [
        r#"["hunter2"]"#,
        r#"{"auths": "hunter2"}"#,
        r#"{"auths": {"a": "hunter2"}}"#,
        r#"{"auths": {"a": {"password": ["hunter2"]}}}"#,
        r#"{"credHelpers": {"a": 5}}"#,
    ] {
        let error = AuthFile::parse("x/auth.json", text.as_bytes()).unwrap_err();
        assert!(matches!(error.problem, AuthFileProblem::Shape { line: 1, .. }), "{text}");
        let shown = format!("{error} {} {error:?}", error.problem);
        assert!(shown.contains("x/auth.json") && !shown.contains("hunter2"), "{shown}");
    }
    for text in ["", "{", "{\"auths\": {}} x", "{\"auths\": {}, \"auths\": {}}", "{\"auths\": {\"a\": {}, \"a\": {}}}"]
    {
        assert!(matches!(parse(text), Err(AuthFileProblem::Json(_))), "{text}");
    }
    let large = " ".repeat(MAX_AUTH_FILE + 1);
    assert!(matches!(parse(&large), Err(AuthFileProblem::Json(JsonError::TooLarge { .. }))));
}

#[test]
fn the_name_of_a_helper_is_no_path_and_no_command() {
    for name in ["../x", "a/b", "a b", "-a", ".a", "a.", "A", "a;b", "a\n", "ä", &"a".repeat(65)] {
        let text = serde_json::json!({"credsStore": name}).to_string();
        assert_eq!(parse(&text).unwrap_err(), AuthFileProblem::Helper { name: name.to_owned() });
        let text = serde_json::json!({"credHelpers": {"a.example": name}}).to_string();
        assert_eq!(parse(&text).unwrap_err(), AuthFileProblem::Helper { name: name.to_owned() });
    }
}

#[test]
fn secrets_are_not_shown() {
    let file = parse(r#"{"auths": {"a.example": {"username": "u", "password": "hunter2"}}}"#).unwrap();
    let shown = format!("{file:?} {:?}", file.find("a.example", "x"));
    assert!(!shown.contains("hunter2"), "{shown}");
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = AuthFile::parse("x", &bytes);
    }

    #[test]
    fn what_docker_writes_is_found(user in "[^:\u{0}]{1,12}", password in "[^\u{0}]{1,12}", repository in "[a-z/]{1,12}") {
        let auth = BASE64_STANDARD.encode(format!("{user}:{password}"));
        let text = serde_json::json!({"auths": {"a.example": {"auth": auth}}}).to_string();
        let login = Login::Password { user, password: Secret::new(password) };
        prop_assert_eq!(parse(&text).unwrap().find("a.example", &repository), Some(Source::Login(login)));
    }

    #[test]
    fn a_login_never_goes_to_another_host(
        key in "(https?://)?[a-z.]{1,8}(:[0-9]{1,3})?(/[a-z/]{0,6})?",
        host in "[a-z.]{1,8}(:[0-9]{1,3})?",
    ) {
        let text = serde_json::json!({"auths": {&key: {"auth": "dTpw"}}}).to_string();
        let found = parse(&text).unwrap().find(&host, "x");
        let named = key.trim_start_matches("https://").trim_start_matches("http://").split('/').next();
        prop_assert!(found.is_none() || named == Some(host.as_str()));
    }
}
