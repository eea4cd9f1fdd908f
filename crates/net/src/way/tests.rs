//! What is different over HTTP/2, with a server of the crate that speaks it.

use std::io::{self, Read};
use std::sync::{Arc, mpsc};
use std::thread;

use bytes::Bytes;
use distil_tests::authority::Authority;
use h2::{RecvStream, SendStream};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use url::Url;

use crate::request::tests::{hasty, options, request, unwatched};
use crate::{Body, Client, ClientOptions, Method, NetError, Roots};

/// How a request's body ended at the server: so many bytes as a whole, or cut off.
type Ended = Result<u64, h2::Error>;

struct Server {
    client: Arc<Client>,
    url: Url,
    ended: mpsc::Receiver<Ended>,
}

/// Bytes of the answer to `GET`.
const LARGE: usize = 20 << 20;

/// Serves one connection: what is sent to `/early` is answered before it is read, and to `/never` not at all.
fn serve(options: ClientOptions) -> Server {
    let authority = Authority::new();
    let certified = authority.server();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let chain = vec![CertificateDer::from_pem_file(certified.certificate).unwrap()];
    let key = PrivateKeyDer::from_pem_file(certified.key).unwrap();
    let mut config = builder.with_no_client_auth().with_single_cert(chain, key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let (tell, ended) = mpsc::channel();
    let (tell_port, port) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell_port.send(listener.local_addr().unwrap().port()).unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            let stream = TlsAcceptor::from(Arc::new(config)).accept(stream).await.unwrap();
            let mut connection = h2::server::handshake(stream).await.unwrap();
            while let Some(Ok((request, mut respond))) = connection.accept().await {
                let tell = tell.clone();
                tokio::spawn(async move {
                    let path = request.uri().path().to_owned();
                    let answer = |status| http::Response::builder().status(status).body(()).unwrap();
                    let mut body = request.into_body();
                    match path.as_str() {
                        "/early" => {
                            let mut sending = respond.send_response(answer(413), false).unwrap();
                            sending.send_data(Bytes::from_static(b"hello"), true).unwrap();
                            let _told = tell.send(read(&mut body).await);
                        }
                        "/never" => {
                            std::future::pending::<()>().await;
                        }
                        _ => {
                            let _told = tell.send(read(&mut body).await);
                            // Who has given up takes no answer.
                            if let Ok(sending) = respond.send_response(answer(200), false) {
                                let _gone = write(sending).await;
                            }
                        }
                    }
                });
            }
        });
    });
    let pem = std::fs::read(authority.certificate()).unwrap();
    let roots = Roots::none().and_pem("ca.pem", &pem).unwrap();
    let client = Arc::new(Client::new(ClientOptions { roots, ..options }).unwrap());
    let url = Url::parse(&format!("https://localhost:{}/", port.recv().unwrap())).unwrap();
    Server { client, url, ended }
}

async fn read(body: &mut RecvStream) -> Ended {
    let mut read = 0;
    while let Some(piece) = body.data().await {
        let piece = piece?;
        read += piece.len() as u64;
        body.flow_control().release_capacity(piece.len())?;
    }
    Ok(read)
}

async fn write(mut sending: SendStream<Bytes>) -> Result<(), h2::Error> {
    let mut left = Bytes::from(vec![7; LARGE]);
    while !left.is_empty() {
        sending.reserve_capacity(left.len());
        let Some(room) = std::future::poll_fn(|cx| sending.poll_capacity(cx)).await else { break };
        sending.send_data(left.split_to(room?), false)?;
    }
    sending.send_data(Bytes::new(), true)
}

impl Server {
    fn put(&self, path: &str, content: &mut dyn Read, size: u64) -> Result<crate::Response, NetError> {
        let url = self.url.join(path).unwrap();
        self.client.send(request(Method::Put, &url, Body::Stream { content, size }), &unwatched())
    }
}

#[test]
fn large_bodies_go_both_ways() {
    let server = serve(options());
    for size in [0, 1, 3 << 20] {
        let answer = server.put("/", &mut io::repeat(1).take(size), size).unwrap();
        assert_eq!(server.ended.recv().unwrap().unwrap(), size);
        let mut found = Vec::new();
        answer.into_reader().read_to_end(&mut found).unwrap();
        assert!(found == vec![7; LARGE], "{} bytes", found.len());
    }
}

#[test]
fn content_of_another_size_is_never_sent_as_whole() {
    let server = serve(options());
    let size = 3 << 20;
    for found in [size - 1, size + 1] {
        let error = server.put("/", &mut io::repeat(1).take(found), size).unwrap_err();
        assert!(matches!(error, NetError::Source { .. }), "{error:?}");
        let ended = server.ended.recv().unwrap();
        assert!(ended.is_err(), "{ended:?}");
    }
    // The connection is as good as before.
    let answer = server.put("/", &mut io::repeat(1).take(9), 9).unwrap();
    assert_eq!(answer.status(), 200);
}

#[test]
fn an_early_answer_ends_the_upload() {
    let server = serve(options());
    let size = 1 << 30;
    let answer = server.put("/early", &mut io::repeat(1).take(size), size).unwrap();
    assert_eq!(answer.status(), 413);
    assert_eq!(answer.bytes(9).unwrap(), b"hello");
    let ended = server.ended.recv().unwrap();
    assert!(ended.is_err(), "{ended:?}");
}

#[test]
fn a_server_that_stops_reading_is_left() {
    let size = 1 << 30;
    let error = serve(hasty()).put("/never", &mut io::repeat(1).take(size), size).unwrap_err();
    assert!(matches!(error, NetError::NotTaken { sent: 1.., .. }), "{error:?}");
}
