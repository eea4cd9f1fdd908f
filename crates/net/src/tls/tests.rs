use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use distil_tests::authority::{Authority, Certified};
use proptest::prelude::*;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoClientAuth, WebPkiClientVerifier};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use url::Url;

use super::*;
use crate::request::tests::{options, request, unwatched};
use crate::{Body, Client, ClientOptions, Method, NetError};

/// Serves connections over TLS with its authority's certificate, and asks for a certificate of `clients`' authority.
fn serve(authority: &Authority, clients: Option<&Authority>) -> u16 {
    let Certified { certificate, key } = authority.server();
    let provider = Arc::new(provider());
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    let verifier = clients.map(|clients| {
        let store = Arc::new(roots(clients).into_store());
        WebPkiClientVerifier::builder_with_provider(store, provider).build().unwrap()
    });
    let chain = vec![CertificateDer::from_pem_file(certificate).unwrap()];
    let config = builder
        .with_client_cert_verifier(verifier.unwrap_or_else(|| Arc::new(NoClientAuth)))
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key).unwrap())
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            let mut head = Vec::new();
            // Who is not let in is gone.
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut [0; 1]).is_ok_and(|read| read == 1) {
                head.push(0);
                if head.len() > 20 {
                    break;
                }
            }
            let _gone = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
            stream.conn.send_close_notify();
            let _gone = stream.flush();
        }
    });
    port
}

fn roots(authority: &Authority) -> Roots {
    Roots::none().and_pem("ca.pem", &fs::read(authority.certificate()).unwrap()).unwrap()
}

fn identity(certified: &Certified) -> Result<Identity, SetupError> {
    Identity::from_pem("client.pem", &fs::read(&certified.certificate).unwrap(), &fs::read(&certified.key).unwrap())
}

fn ask(port: u16, general: Roots, tls: Vec<HostTls>) -> Result<Vec<u8>, NetError> {
    let client = Arc::new(Client::new(ClientOptions { roots: general, tls, ..options() }).unwrap());
    let url = Url::parse(&format!("https://localhost:{port}/")).unwrap();
    client.send(request(Method::Get, &url, Body::Empty), &unwatched())?.bytes(9)
}

fn host(host: String, roots: Roots) -> Vec<HostTls> {
    vec![HostTls { host, roots, identity: None }]
}

#[test]
fn an_authority_is_for_its_host_and_port() {
    let (own, other) = (Authority::new(), Authority::new());
    let port = serve(&own, None);
    let here = format!("LOCALHOST:{port}");
    assert_eq!(ask(port, roots(&own), Vec::new()).unwrap(), b"ok");
    assert_eq!(ask(port, Roots::none(), host(here.clone(), roots(&own))).unwrap(), b"ok");
    assert_eq!(ask(port, roots(&other), host(here.clone(), roots(&own))).unwrap(), b"ok");
    assert_eq!(ask(port, roots(&own), host(here, Roots::none())).unwrap(), b"ok");
    for elsewhere in ["localhost".to_owned(), format!("127.0.0.1:{port}"), format!("localhost:{}", port ^ 1)] {
        let error = ask(port, roots(&other), host(elsewhere.clone(), roots(&own))).unwrap_err();
        assert!(matches!(error, NetError::Certificate { .. }), "{elsewhere}: {error:?}");
        let error = ask(port, Roots::none(), host(elsewhere, roots(&own))).unwrap_err();
        assert!(matches!(error, NetError::NoRoots { .. }), "{error:?}");
    }
}

#[test]
fn a_certificate_is_shown_to_its_host() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let port = serve(&servers, Some(&clients));
    let known = identity(&clients.client()).unwrap();
    let stranger = identity(&servers.client()).unwrap();
    let tls = |host: String, identity| vec![HostTls { host, roots: Roots::none(), identity: Some(identity) }];
    let here = format!("localhost:{port}");
    assert_eq!(ask(port, roots(&servers), tls(here.clone(), known.clone())).unwrap(), b"ok");
    let refused = [Vec::new(), tls(here, stranger), tls(format!("127.0.0.1:{port}"), known)];
    for tls in refused {
        let error = ask(port, roots(&servers), tls).unwrap_err();
        assert!(matches!(error, NetError::Connect { .. } | NetError::Interrupted { .. }), "{error:?}");
    }
}

#[test]
fn a_certificate_and_its_key_belong_together() {
    let authority = Authority::new();
    let (one, other) = (authority.client(), authority.server());
    let mixed = [
        Certified { certificate: one.certificate.clone(), key: other.key.clone() },
        Certified { certificate: one.key.clone(), key: one.key.clone() },
        Certified { certificate: one.certificate.clone(), key: one.certificate.clone() },
    ];
    for certified in mixed {
        assert!(matches!(identity(&certified), Err(SetupError::Identity { name, .. }) if name == "client.pem"));
    }
    // One file may hold both.
    let both = [fs::read(&one.certificate).unwrap(), fs::read(&one.key).unwrap()].concat();
    let identity = Identity::from_pem("both.pem", &both, &both).unwrap();
    let tls = vec![HostTls { host: "a.example".to_owned(), roots: roots(&authority), identity: Some(identity) }];
    let options = ClientOptions { tls, ..options() };
    let key = fs::read_to_string(&one.key).unwrap();
    let word = key.lines().nth(1).unwrap();
    let shown = format!("{options:?} {:?}", Client::new(options.clone()).unwrap());
    assert!(!shown.contains(word) && shown.contains("Identity(…)"), "{shown}");
}

#[test]
fn a_host_is_a_host() {
    let parse = |text| Server::parse(text).map(|server| (server.host, server.port)).ok();
    let of = |host: &str, port| Some((host.to_owned(), port));
    assert_eq!(parse("A.example"), of("a.example", 443));
    assert_eq!(parse("a.example:443"), of("a.example", 443));
    assert_eq!(parse("a.example:5000"), of("a.example", 5000));
    assert_eq!(parse("[::1]:5000"), of("[::1]", 5000));
    for bad in ["", ":1", "a/b", "u@a", "a:b", "a:99999", "a?b", "a#b", "https://a", "a b", "a\tb", "a\\b"] {
        assert_eq!(parse(bad), None, "{bad}");
        let tls = host(bad.to_owned(), Roots::none());
        assert!(matches!(Client::new(ClientOptions { tls, ..options() }), Err(SetupError::Host { .. })), "{bad}");
    }
}

proptest! {
    #[test]
    fn any_text_is_a_host_or_not(text: String, host in "[a-z.:@/0-9\\[\\]%-]{0,20}") {
        for text in [text, host] {
            if let Ok(server) = Server::parse(&text) {
                let url = Url::parse(&format!("https://{}:{}/", server.host, server.port)).unwrap();
                prop_assert_eq!(Server::of(&url), Some(server));
            }
        }
    }
}

#[test]
fn a_server_without_tls_is_known_as_one() {
    let peer = crate::request::tests::peer(|mut stream| {
        stream.get_mut().read_exact(&mut [0; 5])?;
        stream.get_mut().write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    });
    let error = ask(peer.url.port().unwrap(), roots(&Authority::new()), Vec::new()).unwrap_err();
    assert!(error.is_not_tls(), "{error:?}");
    peer.end().unwrap();
}
