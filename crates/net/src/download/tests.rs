#![expect(clippy::disallowed_methods, reason = "tests write plain files")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use distil_tests::http::{Lie, Server};
use url::Url;

use crate::{
    Client, ClientOptions, Credentials, Limit, NetError, Proxies, RedirectRefusal, Retry, Timeouts, Unwatched, Watch,
};

const PATH: &str = "/file";

struct Mirror {
    server: Server,
    content: Vec<u8>,
    _folder: tempfile::TempDir,
}

fn mirror() -> Mirror {
    let folder = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    fs::write(folder.path().join("file"), &content).unwrap();
    Mirror { server: Server::start(folder.path()), content, _folder: folder }
}

/// Waits as tests can.
fn options() -> ClientOptions {
    ClientOptions {
        timeouts: Timeouts {
            connect: Duration::from_secs(5),
            idle: Duration::from_millis(300),
            whole: Duration::from_secs(20),
        },
        retry: Retry { attempts: 4, first_wait: Duration::from_millis(1), longest_wait: Duration::from_millis(50) },
        ..ClientOptions::default()
    }
}

fn client() -> Client {
    Client::new(options()).unwrap()
}

impl Mirror {
    fn url(&self) -> Url {
        Url::parse(&self.server.url(PATH)).unwrap()
    }

    fn fetch(&self, limit: Limit) -> Result<Vec<u8>, NetError> {
        let mut bytes = Vec::new();
        client().download(&self.url(), limit, &mut bytes, &Unwatched).map(|downloaded| {
            assert_eq!(downloaded.size, bytes.len() as u64);
            bytes
        })
    }

    /// Fetches the file, which must come as it is after so many requests.
    fn check(&self, requests: usize) {
        let bytes = self.fetch(Limit::exactly(self.content.len() as u64)).unwrap();
        assert!(bytes == self.content, "other bytes");
        assert_eq!(self.server.requests_for(PATH).len(), requests);
    }

    fn ranges(&self) -> Vec<Option<String>> {
        self.server.requests_for(PATH).into_iter().map(|mut request| request.headers.remove("range")).collect()
    }
}

#[test]
fn a_broken_connection_goes_on_where_it_stopped() {
    for lie in [Lie::Drop(1000), Lie::Stall(1000)] {
        let mirror = mirror();
        mirror.server.lie_times(PATH, lie, 2);
        mirror.check(3);
        let start = |n: u32| Some(format!("bytes={n}-"));
        assert_eq!(mirror.ranges(), [None, start(1000), start(2000)]);
    }
}

#[test]
fn what_has_changed_or_cannot_go_on_starts_again() {
    let changed = mirror();
    changed.server.lie_times(PATH, Lie::Drop(1000), 1);
    let mut bytes = Vec::new();
    let limit = Limit::exactly(changed.content.len() as u64);
    let watch = Switch::new(&changed.server);
    client().download(&changed.url(), limit, &mut bytes, &watch).unwrap();
    assert!(bytes == changed.content, "other bytes");
    assert_eq!(changed.ranges().len(), 2);

    let plain = mirror();
    plain.server.lie_times(PATH, Lie::Plain, 1);
    plain.check(1);
    plain.server.forget();
    plain.server.lie_times(PATH, Lie::Drop(0), 1);
    plain.check(2);
    assert_eq!(plain.ranges(), [None, None], "there is no rest of nothing");
}

/// Tells the server, once something has come, that the file is another.
struct Switch<'a> {
    server: &'a Server,
    done: AtomicBool,
}

impl<'a> Switch<'a> {
    fn new(server: &'a Server) -> Self {
        Self { server, done: AtomicBool::new(false) }
    }
}

impl Watch for Switch<'_> {
    fn advanced(&self, _what: &str, _bytes: u64) {
        if !self.done.swap(true, Ordering::Relaxed) {
            self.server.lie(PATH, Lie::Changed);
        }
    }

    fn cancelled(&self) -> bool {
        false
    }
}

#[test]
fn passing_failures_are_survived_and_others_are_not_repeated() {
    for (status, after) in [(429, Some("0")), (503, None), (500, Some("Thu, 01 Jan 2026 00:00:00 GMT"))] {
        let mirror = mirror();
        mirror.server.lie_times(PATH, Lie::Status(status, after.map(str::to_owned)), 3);
        mirror.check(4);
    }
    for (status, missing, requests) in
        [(404, true, 1), (410, true, 1), (403, false, 1), (401, false, 1), (503, false, 4)]
    {
        let mirror = mirror();
        mirror.server.lie(PATH, Lie::Status(status, Some("3600".to_owned())));
        let error = mirror.fetch(Limit::at_most(1 << 20)).unwrap_err();
        assert!(matches!(error, NetError::Status { status: found, .. } if found == status), "{error}");
        assert_eq!((error.is_missing(), mirror.server.requests().len()), (missing, requests), "{error}");
    }
}

#[test]
fn a_server_that_only_begins_is_given_up() {
    for lie in [Lie::Drop(0), Lie::Drop(10), Lie::Stall(0)] {
        let mirror = mirror();
        mirror.server.lie(PATH, lie.clone());
        let error = mirror.fetch(Limit::at_most(1 << 20)).unwrap_err();
        let stalled = matches!(error, NetError::Stalled { .. });
        assert_eq!(stalled, matches!(lie, Lie::Stall(_)), "{error}");
        assert!(error.may_retry() && error.is_unreachable(), "{error}");
        assert_eq!(mirror.server.requests().len(), 4);
    }
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = Url::parse(&format!("http://{nobody}/file")).unwrap();
    let error = client().get(&url, 1, &Unwatched).unwrap_err();
    assert!(matches!(error, NetError::Connect { .. }) && error.is_unreachable(), "{error}");
}

#[test]
fn the_first_byte_too_many_ends_it() {
    let mirror = mirror();
    let size = mirror.content.len() as u64;
    assert!(mirror.fetch(Limit::at_most(size)).is_ok());
    let too_long = |error: &NetError, most| matches!(error, NetError::TooLong { limit, .. } if *limit == most);
    let error = mirror.fetch(Limit::at_most(size - 1)).unwrap_err();
    assert!(too_long(&error, size - 1), "{error}");
    for wrong in [size - 1, size + 1] {
        let error = mirror.fetch(Limit::exactly(wrong)).unwrap_err();
        assert!(
            matches!(error, NetError::Length { expected, found, .. } if (expected, found) == (wrong, size)),
            "{error}"
        );
    }
    for limit in [Limit::at_most(50_000), Limit::exactly(50_000)] {
        mirror.server.lie(PATH, Lie::Endless);
        mirror.server.forget();
        let mut bytes = Vec::new();
        let error = client().download(&mirror.url(), limit, &mut bytes, &Unwatched).unwrap_err();
        assert!(too_long(&error, 50_000) && bytes.len() <= 50_000, "{error}");
        assert_eq!(mirror.server.requests().len(), 1, "a lie is not asked for again");
    }
    mirror.server.lie(PATH, Lie::Length(1 << 40));
    let error = mirror.fetch(Limit::at_most(size)).unwrap_err();
    assert!(too_long(&error, size), "{error}");
    mirror.server.lie(PATH, Lie::Half(1000));
    let error = mirror.fetch(Limit::exactly(size)).unwrap_err();
    assert!(matches!(error, NetError::Length { found: 1000, .. }), "{error}");
}

#[test]
fn redirects_stay_with_the_server() {
    let (here, there) = (mirror(), mirror());
    here.server.lie("/other", Lie::Redirect("/file".to_owned()));
    let url = Url::parse(&here.server.url("/other")).unwrap();
    assert!(client().get(&url, 1 << 20, &Unwatched).unwrap() == here.content);

    let refused = |to: String| {
        here.server.lie("/other", Lie::Redirect(to));
        match client().get(&url, 1 << 20, &Unwatched) {
            Err(NetError::Redirect { refusal, .. }) => refusal,
            other => panic!("{other:?}"),
        }
    };
    let to = there.server.url(PATH);
    assert_eq!(refused(to.clone()), RedirectRefusal::Host(to));
    assert_eq!(refused("file:///etc/hostname".into()), RedirectRefusal::Scheme("file:///etc/hostname".into()));
    assert!(matches!(refused("/other".into()), RedirectRefusal::Count(6, _)));
    assert!(there.server.requests().is_empty());
}

#[test]
fn credentials_go_to_their_server_and_are_not_shown() {
    let mirror = mirror();
    // The base64 of `user:pass word`.
    mirror.server.lie(PATH, Lie::Authorized("Basic dXNlcjpwYXNzIHdvcmQ=".to_owned()));
    mirror.server.lie("/moved", Lie::Redirect(PATH.to_owned()));
    let denied = mirror.fetch(Limit::at_most(1 << 20)).unwrap_err();
    assert!(matches!(denied, NetError::Status { status: 401, .. }), "{denied}");

    let netrc = format!("machine 127.0.0.1:{} login user password \"pass word\"", mirror.server.port());
    let credentials = Credentials::netrc("netrc", netrc.as_bytes()).unwrap();
    let knowing = Client::new(ClientOptions { credentials, ..options() }).unwrap();
    for path in [PATH, "/moved"] {
        let mut url = Url::parse(&mirror.server.url(path)).unwrap();
        assert!(knowing.get(&url, 1 << 20, &Unwatched).unwrap() == mirror.content);
        url.set_username("user").unwrap();
        url.set_password(Some("pass word")).unwrap();
        assert!(client().get(&url, 1 << 20, &Unwatched).unwrap() == mirror.content);
        url.set_password(Some("hunter2")).unwrap();
        let error = client().get(&url, 1 << 20, &Unwatched).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

#[test]
fn a_proxy_is_used_for_all_but_the_exceptions() {
    let mirror = mirror();
    let proxies = Proxies {
        http: Some(mirror.server.url("")),
        no_proxy: Some("direct.invalid".to_owned()),
        ..Proxies::default()
    };
    let client = Client::new(ClientOptions { proxies, ..options() }).unwrap();
    let get = |url: &str| client.get(&Url::parse(url).unwrap(), 1 << 20, &Unwatched);
    assert!(get("http://somewhere.invalid/file").unwrap() == mirror.content);
    assert_eq!(mirror.server.requests()[0].target, "http://somewhere.invalid/file");
    assert!(matches!(get("http://direct.invalid/file"), Err(NetError::Connect { .. })));
    let bad = Proxies { https: Some("socks5://h".to_owned()), ..Proxies::default() };
    assert!(Client::new(ClientOptions { proxies: bad, ..options() }).is_err());
}

#[test]
fn waiting_is_cancelled_and_bounded() {
    struct After(Instant, AtomicU64);
    impl Watch for After {
        fn advanced(&self, _what: &str, bytes: u64) {
            self.1.fetch_add(bytes, Ordering::Relaxed);
        }
        fn cancelled(&self) -> bool {
            self.0.elapsed() > Duration::from_millis(200)
        }
    }
    let mirror = mirror();
    mirror.server.lie(PATH, Lie::Stall(1000));
    let mut patient = options();
    patient.timeouts.idle = Duration::from_secs(20);
    let watch = After(Instant::now(), AtomicU64::new(0));
    let error = Client::new(patient.clone()).unwrap().get(&mirror.url(), 1 << 20, &watch).unwrap_err();
    assert!(error.is_cancelled() && watch.0.elapsed() < Duration::from_secs(3), "{error}");
    assert_eq!(watch.1.into_inner(), 1000);

    patient.timeouts.whole = Duration::from_millis(200);
    let error = Client::new(patient).unwrap().get(&mirror.url(), 1 << 20, &Unwatched).unwrap_err();
    assert!(matches!(error, NetError::TooSlow { received: 1000, .. }), "{error}");
}

#[test]
fn one_client_serves_many_threads() {
    let mirror = mirror();
    let client = client();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert!(client.get(&mirror.url(), 1 << 20, &Unwatched).unwrap() == mirror.content));
        }
    });
}

#[test]
fn without_authorities_tls_is_not_tried() {
    let error = client().get(&Url::parse("https://host.invalid/").unwrap(), 1, &Unwatched).unwrap_err();
    assert!(matches!(error, NetError::NoRoots { .. }), "{error}");
    let error = client().get(&Url::parse("ftp://host.invalid/").unwrap(), 1, &Unwatched).unwrap_err();
    assert!(matches!(error, NetError::Scheme { .. }), "{error}");
}

#[test]
fn files_of_this_machine_are_regular() {
    let folder = tempfile::tempdir().unwrap();
    let url = |path: &std::path::Path| Url::from_file_path(path).unwrap();
    let file = folder.path().join("a b");
    fs::write(&file, "12345").unwrap();
    assert_eq!(client().get(&url(&file), 5, &Unwatched).unwrap(), b"12345");
    assert!(matches!(client().get(&url(&file), 4, &Unwatched), Err(NetError::TooLong { limit: 4, .. })));
    let mut bytes = Vec::new();
    let short = client().download(&url(&file), Limit::exactly(6), &mut bytes, &Unwatched);
    assert!(matches!(short, Err(NetError::Length { expected: 6, found: 5, .. })), "{short:?}");
    assert!(matches!(client().get(&url(folder.path()), 5, &Unwatched), Err(NetError::NotAFile { .. })));
    let below = client().get(&url(&file.join("x")), 5, &Unwatched).unwrap_err();
    assert!(below.is_missing(), "{below}");
    let other = Url::parse("file://other.example/a").unwrap();
    assert!(matches!(client().get(&other, 5, &Unwatched), Err(NetError::NotAFile { .. })));
}

/// A byte now and then is no stall, and would keep us for hours.
#[test]
fn a_trickle_is_no_download() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("http://{}/file", listener.local_addr().unwrap())).unwrap();
    // It ends when nobody listens any more.
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let head = stream.read(&mut [0; 4096]).and_then(|_| stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n"));
                let mut open = head.is_ok();
                while open {
                    thread::sleep(Duration::from_millis(50));
                    open = stream.write_all(b"a").is_ok();
                }
            });
        }
    });
    let retry = Retry { attempts: 2, ..options().retry };
    let client = Client::new(ClientOptions { retry, ..options() }).unwrap();
    let error = client.get(&url, 1 << 20, &Unwatched).unwrap_err();
    assert!(matches!(error, NetError::Trickle { found: 1..20, .. }), "{error}");
    assert!(error.is_unreachable());
}
