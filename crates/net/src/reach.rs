//! Which addresses may be asked.
//!
//! A registry may answer with the URL of another server. Whoever runs it must not make this machine ask its own services,
//! those of its network or the metadata service of its cloud. What a name resolves to is judged, and connected to, in one
//! step, so that a name cannot change in between.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Host;

use crate::request::Reach;

/// The networks of IANA's [registry of special addresses] and multicast, with the lengths of their prefixes.
///
/// [registry of special addresses]: https://www.iana.org/assignments/iana-ipv4-special-registry/
const SPECIAL_V4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The only part of IPv6 that is handed out to networks of the world.
const UNICAST_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What is special within: protocols (Teredo, which holds an IPv4 address, among them), two for documentation, and 6to4,
/// which holds an IPv4 address and is out of use.
const SPECIAL_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Two that stand for the IPv4 address in their last 32 bits: mapped ones, and those that networks without IPv4 reach it
/// by (NAT64), which their name servers hand out for every server that has no other.
const EMBEDDING_V6: [(Ipv6Addr, u32); 2] =
    [(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96), (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96)];

impl Reach {
    /// Whether a request may go to an address.
    pub(crate) fn allows(self, address: IpAddr) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Public => is_public(address),
            Self::Near => is_public(address) || is_private(address),
        }
    }
}

/// How far it is to those that a server names, by its own address where that is known.
pub(crate) fn of_those_named_by(server: Option<IpAddr>) -> Reach {
    if server.is_some_and(is_private) { Reach::Near } else { Reach::Public }
}

/// Whether an address is one of a private network of IPv4. What holds one in other ways is at the end of some tunnel.
fn is_private(address: IpAddr) -> bool {
    matches!(address.to_canonical(), IpAddr::V4(address) if address.is_private())
}

/// Whether an address is one of the public network.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => {
            if EMBEDDING_V6.iter().any(|network| within_v6(address, *network)) {
                let [.., a, b, c, d] = address.octets();
                return is_public_v4(Ipv4Addr::new(a, b, c, d));
            }
            within_v6(address, UNICAST_V6) && !SPECIAL_V6.iter().any(|network| within_v6(address, *network))
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !SPECIAL_V4.iter().any(|(network, length)| (address.to_bits() ^ network.to_bits()) >> (32 - length) == 0)
}

fn within_v6(address: Ipv6Addr, (network, length): (Ipv6Addr, u32)) -> bool {
    (address.to_bits() ^ network.to_bits()) >> (128 - length) == 0
}

/// Whether a host of a URL is this very machine, whatever names resolve to.
#[must_use]
pub fn is_loopback<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Domain(name) => name.as_ref() == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// A name resolves to this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is out of reach")]
pub(crate) struct OutOfReach(pub(crate) IpAddr);

/// Resolves names that have addresses within reach alone. One address that is not stands for all: a name with both kinds is
/// there to deceive, or looks different from outside.
#[derive(Debug)]
pub(crate) struct NamesWithin {
    pub(crate) reach: Reach,
    /// Our own proxies are asked for by name like all others, and stand where the user says.
    pub(crate) proxies: Vec<String>,
}

impl Resolve for NamesWithin {
    fn resolve(&self, name: Name) -> Resolving {
        let is_proxy = self.proxies.iter().any(|proxy| proxy == name.as_str());
        let reach = self.reach;
        Box::pin(async move {
            // The port is put in later.
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            match found.iter().find(|address| !is_proxy && !reach.allows(address.ip())) {
                Some(address) => Err(OutOfReach(address.ip()).into()),
                None => Ok(Box::new(found.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod tests;
