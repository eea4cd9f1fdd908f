use std::path::Path;

use distil_tests::http::Server;
use proptest::prelude::*;
use url::Url;

use super::*;
use crate::request::tests::{options, request, unwatched};
use crate::{Body, Client, ClientOptions, Method, NetError, Proxies, Reach, Response};

fn public(address: &str) -> bool {
    is_public(address.parse().unwrap())
}

#[test]
fn special_addresses_are_not_public() {
    // The first and last of each network, and its neighbours on both sides where those are public.
    let special = [
        ("0.0.0.0", "0.255.255.255", None, Some("1.0.0.0")),
        ("10.0.0.0", "10.255.255.255", Some("9.255.255.255"), Some("11.0.0.0")),
        ("100.64.0.0", "100.127.255.255", Some("100.63.255.255"), Some("100.128.0.0")),
        ("127.0.0.0", "127.255.255.255", Some("126.255.255.255"), Some("128.0.0.0")),
        ("169.254.0.0", "169.254.255.255", Some("169.253.255.255"), Some("169.255.0.0")),
        ("172.16.0.0", "172.31.255.255", Some("172.15.255.255"), Some("172.32.0.0")),
        ("192.0.0.0", "192.0.0.255", Some("191.255.255.255"), Some("192.0.1.0")),
        ("192.0.2.0", "192.0.2.255", Some("192.0.1.255"), Some("192.0.3.0")),
        ("192.88.99.0", "192.88.99.255", Some("192.88.98.255"), Some("192.88.100.0")),
        ("192.168.0.0", "192.168.255.255", Some("192.167.255.255"), Some("192.169.0.0")),
        ("198.18.0.0", "198.19.255.255", Some("198.17.255.255"), Some("198.20.0.0")),
        ("198.51.100.0", "198.51.100.255", Some("198.51.99.255"), Some("198.51.101.0")),
        ("203.0.113.0", "203.0.113.255", Some("203.0.112.255"), Some("203.0.114.0")),
        ("224.0.0.0", "255.255.255.255", Some("223.255.255.255"), None),
        ("::", "::1", None, None),
        ("::2", "1fff:ffff::", None, None),
        ("64:ff9b:1::", "64:ff9b:1:ffff::", None, None),
        ("100::", "100::ffff", None, None),
        ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", Some("2000:ffff::"), Some("2001:200::")),
        ("2001:db8::", "2001:db8:ffff:ffff::", Some("2001:db7:ffff::"), Some("2001:db9::")),
        ("2002::", "2002:ffff::", Some("2001:ffff::"), Some("2003::")),
        ("2002:808:808::", "2002:7f00:1::1", None, None),
        ("3fff::", "3fff:fff:ffff::", Some("3ffe:ffff::"), Some("3fff:1000::")),
        ("4000::", "5f00::1", Some("3fff:ffff:ffff::"), None),
        ("fc00::", "fdff::1", None, None),
        ("fe80::", "feff::1", None, None),
        ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, None),
    ];
    for (first, last, before, after) in special {
        assert!(!public(first) && !public(last), "{first} {last}");
        for neighbour in [before, after].into_iter().flatten() {
            assert!(public(neighbour), "{neighbour}");
        }
    }
    for address in ["8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"] {
        assert!(public(address), "{address}");
    }
    for address in ["64:ff9b::a9fe:a9fe", "::ffff:169.254.169.254", "::8.8.8.8", "2001:0:808:808::"] {
        assert!(!public(address), "{address}");
    }
}

#[test]
fn who_is_in_a_private_network_may_lead_there_and_no_nearer() {
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    for private in [
        "10.0.0.0",
        "10.255.255.255",
        "172.16.0.0",
        "172.31.255.255",
        "192.168.0.0",
        "192.168.255.255",
        "::ffff:10.0.0.1",
    ] {
        let found = address(private);
        assert!(Reach::Near.allows(found) && !Reach::Public.allows(found), "{private}");
        assert_eq!(of_those_named_by(Some(found)), Reach::Near, "{private}");
    }
    for public in ["8.8.8.8", "9.255.255.255", "172.32.0.0", "2606:4700:4700::1111", "64:ff9b::808:808"] {
        let found = address(public);
        assert!(Reach::Near.allows(found), "{public}");
        assert_eq!(of_those_named_by(Some(found)), Reach::Public, "{public}");
    }
    // Among them metadata services: of most clouds, Alibaba's, Oracle's, and those of AWS and Google over IPv6.
    for other in [
        "127.0.0.1",
        "::1",
        "0.0.0.0",
        "::",
        "169.254.169.254",
        "fe80::a9fe:a9fe",
        "100.64.0.1",
        "100.100.100.200",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd20:ce::254",
        "224.0.0.1",
        "255.255.255.255",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::10.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b::7f00:1",
        "2002:a00:1::1",
    ] {
        let found = address(other);
        assert!(!Reach::Near.allows(found) && !Reach::Public.allows(found), "{other}");
        assert_eq!(of_those_named_by(Some(found)), Reach::Public, "{other}");
    }
    assert_eq!(of_those_named_by(None), Reach::Public);
}

proptest! {
    #[test]
    fn near_is_what_is_public_or_private(bits: u32) {
        let address = Ipv4Addr::from_bits(bits);
        let mapped = address.to_ipv6_mapped();
        let near = Reach::Near.allows(address.into());
        prop_assert_eq!(near, address.is_private() || is_public(address.into()));
        prop_assert_eq!(near, Reach::Near.allows(mapped.into()));
        prop_assert!(!near || !(address.is_loopback() || address.is_link_local() || address.is_unspecified()));
    }

    #[test]
    fn what_holds_an_address_is_no_more_public_than_it(bits: u32) {
        let held = Ipv4Addr::from_bits(bits);
        let [a, b, c, d] = held.octets().map(u16::from);
        let (high, low) = (a << 8 | b, c << 8 | d);
        let own = is_public(held.into());
        let is = |address: Ipv6Addr| is_public(address.into());
        prop_assert_eq!(is(held.to_ipv6_mapped()), own);
        prop_assert_eq!(is(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low)), own);
        prop_assert!(!is(held.to_ipv6_compatible()));
        prop_assert!(!is(Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1)));
        prop_assert!(!is(Ipv6Addr::new(0x2001, 0, high, low, 0, 0, !high, !low)));
        prop_assert!(!is(Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low)));
    }

    #[test]
    fn the_standard_library_does_not_know_more(bits: u32) {
        let address = Ipv4Addr::from_bits(bits);
        let known = address.is_loopback() || address.is_private() || address.is_link_local() || address.is_multicast()
            || address.is_unspecified() || address.is_broadcast() || address.is_documentation();
        prop_assert!(!known || !is_public(address.into()));
    }
}

fn ask(proxies: Proxies, url: &str, reach: Reach) -> Result<Response, NetError> {
    let client = std::sync::Arc::new(Client::new(ClientOptions { proxies, ..options() }).unwrap());
    let mut request = request(Method::Get, &Url::parse(url).unwrap(), Body::Empty);
    request.reach = reach;
    client.send(request, &unwatched())
}

#[test]
fn another_server_does_not_lead_here() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let port = server.port();
    for host in
        ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "0", "localhost", "LOCALHOST", "[::1]", "[::ffff:127.0.0.1]"]
    {
        for reach in [Reach::Public, Reach::Near] {
            let error = ask(Proxies::default(), &format!("http://{host}:{port}/"), reach).unwrap_err();
            assert!(matches!(error, NetError::Address { address, .. } if !is_public(address)), "{host}: {error:?}");
            assert!(!error.may_retry() && !error.is_unreachable());
        }
    }
    assert!(server.requests().is_empty());
    for host in ["127.0.0.1", "localhost"] {
        let answer = ask(Proxies::default(), &format!("http://{host}:{port}/"), Reach::Anywhere).unwrap();
        assert_eq!(answer.status(), 404);
    }
}

fn proxied(server: &Server, host: &str) -> Proxies {
    let http = Some(format!("http://{host}:{}", server.port()));
    Proxies { http, https: None, no_proxy: Some("near.invalid".to_owned()) }
}

#[test]
fn behind_a_proxy_the_proxy_finds_the_way() {
    let server = Server::start(Path::new("/nonexistent"));
    for host in ["127.0.0.1", "localhost"] {
        let answer = ask(proxied(&server, host), "http://far.invalid/x", Reach::Public).unwrap();
        assert_eq!(answer.status(), 404);
        let direct = ask(proxied(&server, host), "http://near.invalid/x", Reach::Public).unwrap_err();
        assert!(matches!(direct, NetError::Connect { .. }), "{direct:?}");
        for (reach, address) in [(Reach::Public, "10.0.0.1"), (Reach::Near, "169.254.169.254")] {
            let literal = ask(proxied(&server, host), &format!("http://{address}/x"), reach).unwrap_err();
            assert!(matches!(literal, NetError::Address { .. }), "{literal:?}");
        }
    }
    assert_eq!(server.requests_for("/x").len(), 2);
    let itself = ask(proxied(&server, "localhost"), "http://localhost/x", Reach::Public).unwrap_err();
    assert!(matches!(itself, NetError::Proxy { .. }), "{itself:?}");
}

#[test]
fn what_is_meant_for_this_machine_is_not_shown_to_a_proxy() {
    let proxy = Server::start(Path::new("/nonexistent"));
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}/x", server.port());
        assert_eq!(ask(proxied(&proxy, "127.0.0.1"), &url, Reach::Anywhere).unwrap().status(), 404);
    }
    assert!(proxy.requests().is_empty());
    assert_eq!(server.requests_for("/x").len(), 2);
}

#[test]
fn what_a_proxy_brings_is_from_nowhere() {
    let server = Server::start(Path::new("/nonexistent"));
    let direct = ask(Proxies::default(), &format!("http://127.0.0.1:{}/x", server.port()), Reach::Anywhere).unwrap();
    assert_eq!(direct.peer(), Some(Ipv4Addr::LOCALHOST.into()));
    let proxied = ask(proxied(&server, "127.0.0.1"), "http://far.invalid/x", Reach::Anywhere).unwrap();
    assert_eq!(proxied.peer(), None);
    assert_eq!((direct.may_lead(), proxied.may_lead()), (Reach::Public, Reach::Public));
}
