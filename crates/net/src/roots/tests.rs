#![expect(clippy::disallowed_methods, reason = "tests write plain files")]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use distil_tests::{Program, place, program};
use url::Url;

use super::*;
use crate::{Client, ClientOptions, Credentials, NetError, Retry, Unwatched};

/// A server of OpenSSL with a certificate for 127.0.0.1, signed by an authority of its own.
struct Server {
    port: u16,
    folder: PathBuf,
    process: Child,
    _guard: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let (guard, folder) = program::folder();
        authority(&folder);
        let request = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=server"];
        openssl(&folder, &[&request[..], &["-keyout", "key.pem", "-out", "request.pem"]].concat());
        fs::write(folder.join("names"), "subjectAltName=IP:127.0.0.1\n").unwrap();
        let sign = ["x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"];
        openssl(&folder, &[&sign[..], &["-extfile", "names", "-out", "server.pem"]].concat());
        // With this option the file is the whole answer.
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
        fs::write(folder.join("file"), answer).unwrap();
        // The port is free until somebody else takes it in the moment between; then the wait below ends with a panic.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(place::peer("openssl"));
        command.args(["s_server", "-HTTP", "-quiet", "-cert", "server.pem", "-key", "key.pem", "-accept"]);
        command.arg(format!("127.0.0.1:{port}")).current_dir(&folder).stdin(Stdio::null());
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self { port, folder, process, _guard: guard };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return server;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("openssl does not answer on port {port}");
    }

    fn roots(&self) -> Roots {
        Roots::none().and_pem("ca.pem", &fs::read(self.folder.join("ca.pem")).unwrap()).unwrap()
    }

    fn get(&self, host: &str, roots: Roots) -> Result<Vec<u8>, NetError> {
        let netrc = format!("machine {host} login user password word");
        let credentials = Credentials::netrc("netrc", netrc.as_bytes()).unwrap();
        let retry = Retry { attempts: 2, first_wait: Duration::from_millis(1), longest_wait: Duration::from_millis(1) };
        let client = Client::new(ClientOptions { roots, credentials, retry, ..ClientOptions::default() }).unwrap();
        let url = Url::parse(&format!("https://{host}:{}/file", self.port)).unwrap();
        client.get(&url, 100, &Unwatched)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ended = self.process.kill().and_then(|()| self.process.wait());
    }
}

/// An authority of its own in a folder.
fn authority(folder: &Path) {
    let authority = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    openssl(folder, &[&authority[..], &["-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem"]].concat());
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let _ran = Program::new("openssl").args(arguments).current_dir(folder).run().success();
}

#[test]
fn a_server_is_who_an_authority_says_it_is() {
    let server = Server::start();
    assert_eq!(server.get("127.0.0.1", server.roots()).unwrap(), b"hello");

    let (_guard, folder) = program::folder();
    authority(&folder);
    let stranger = Roots::none().and_pem("ca.pem", &fs::read(folder.join("ca.pem")).unwrap()).unwrap();
    for (host, roots) in [("127.0.0.1", stranger), ("localhost", server.roots())] {
        let error = server.get(host, roots).unwrap_err();
        assert!(matches!(error, NetError::Certificate { .. }), "{host}: {error:?}");
        assert!(error.is_unreachable() && !error.may_retry(), "{error}");
    }
}

#[test]
fn a_file_without_certificates_is_named() {
    for pem in [&b""[..], b"\xff\n", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(matches!(Roots::none().and_pem("ca.pem", pem), Err(SetupError::Roots { name }) if name == "ca.pem"));
    }
}
