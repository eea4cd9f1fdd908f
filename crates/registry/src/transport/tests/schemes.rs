//! Plain HTTP and TLS, and who decides between them.

use std::fs;

use distil_net::NetError;
use distil_tests::Authority;
use distil_tests::registry::{Registry, Setup};

use super::*;

#[test]
fn loopback_with_tls_is_found() {
    let authority = Authority::new();
    let setup = Setup { users: &[("user", "hunter2")], authority: Some(&authority), ..Setup::default() };
    let registry = Registry::with(&setup);
    let name: RegistryName = registry.repository("team/app").parse().unwrap();
    let pem = fs::read(authority.certificate()).unwrap();
    let roots = Roots::none().and_pem("authority", &pem).unwrap();
    let client = Arc::new(Client::new(ClientOptions { roots, ..ClientOptions::default() }).unwrap());
    let transport = Transport::new(&name, Options { client, ..options(password()) }).unwrap();
    assert_eq!(get(&transport, "tags/list").unwrap().status(), 404);
    assert_eq!(transport.locate(&Target::Path(""), "/x").unwrap().scheme(), "https");

    // Who is not trusted gets nothing, with TLS or without.
    let stranger = fs::read(Authority::new().certificate()).unwrap();
    let roots = Roots::none().and_pem("stranger", &stranger).unwrap();
    let client = Arc::new(Client::new(ClientOptions { roots, ..ClientOptions::default() }).unwrap());
    let transport = Transport::new(&name, Options { client, insecure_http: true, ..options(password()) }).unwrap();
    let error = get(&transport, "tags/list").unwrap_err();
    assert!(matches!(error, RegistryError::Net(NetError::Certificate { .. })), "{error:?}");
}

#[test]
fn plain_http_is_spoken_on_loopback_and_where_it_is_allowed() {
    let plan = |name: &str, insecure| {
        let address = Address::new(&name.parse().unwrap(), insecure).unwrap();
        address.schemes().join(" ")
    };
    for host in ["localhost", "localhost:5000", "127.0.0.1:5000", "127.8.9.1", "[::1]:5000"] {
        let name = format!("{host}/x");
        assert_eq!(plan(&name, false), "http https", "{host}");
        assert_eq!(plan(&name, true), "http https", "{host}");
    }
    let hosts =
        ["a.example", "localhost.example", "127.0.0.1.example", "10.0.0.1:5000", "[::2]:5000", "[::ffff:127.0.0.1]:80"];
    for host in hosts {
        let name = format!("{host}/x");
        assert_eq!(plan(&name, false), "https", "{host}");
        assert_eq!(plan(&name, true), "https http", "{host}");
    }
}

#[test]
fn docker_hub_has_several_names() {
    let address = |name: &str| Address::new(&name.parse().unwrap(), false).unwrap();
    for (name, host, repository) in [
        ("docker.io/debian", "docker.io", "library/debian"),
        ("index.docker.io/debian", "docker.io", "library/debian"),
        ("docker.io/team/app", "docker.io", "team/app"),
        ("a.example/debian", "a.example", "debian"),
    ] {
        let address = address(name);
        assert_eq!((address.host.as_str(), address.repository.as_str()), (host, repository));
    }
    let transport = Transport::new(&"docker.io/debian".parse().unwrap(), options(None)).unwrap();
    assert_eq!(transport.place(), "docker.io/debian");
}

#[test]
fn a_server_that_refuses_plain_http_without_tls_is_taken_at_its_word() {
    let server = Loopback::start(|_| Answer::status(400));
    let pem = fs::read(Authority::new().certificate()).unwrap();
    let roots = Roots::none().and_pem("authority", &pem).unwrap();
    let client = Arc::new(Client::new(ClientOptions { roots, ..ClientOptions::default() }).unwrap());
    let transport = transport(&server, Options { client, ..options(None) });
    assert_eq!(get(&transport, "a").unwrap().status(), 400);
}
