//! HTTP for networks that fail and servers that lie: fetching files, and the requests of other protocols.
//!
//! A download goes into a [`Sink`] as it comes and stops at the first byte past its [`Limit`]. One that breaks or stalls
//! goes on where it stopped, after growing waits, if the server still has the same file. Nothing is decompressed,
//! cached or believed: digests and signatures are the caller's.
//!
//! A request is one exchange: no redirect is followed, nothing is tried again, and bodies go both ways without being held
//! in memory. An upload never ends as if it were whole when it is not. Where another server says whom to ask, the caller
//! may keep the request to the public network, or to that and the private one of the server.
//!
//! Downloads refuse redirects that lose TLS, leave the scheme or, without TLS, the host. The crate sends credentials to
//! their own server alone and shows none in any message; it reads neither environment nor configuration: proxies,
//! certificate authorities and credentials are values of [`ClientOptions`]. Without authorities `https:` fails, since there
//! are no built-in ones.
//!
//! ```
//! use distil_net::{Client, ClientOptions, Unwatched};
//! use url::Url;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let client = Client::new(ClientOptions::default())?;
//! let missing = Url::from_file_path(folder.path().join("Release")).map_err(|()| "no path of a file")?;
//! let error = client.get(&missing, 1 << 20, &Unwatched).unwrap_err();
//! assert!(error.is_missing() && !error.may_retry());
//! # Ok(())
//! # }
//! ```
//!
//! | what | where |
//! |---|---|
//! | fetching | [`Client::download`] into a [`Sink`], [`Client::get`] for small files; [`Watch`] looks on and may end it |
//! | other requests | [`Client::send`] a [`Request`] with a [`Body`] within a [`Reach`], for a [`Response`]; [`Client::persist`] for what is [`Passing`], within its [`Attempts`] |
//! | bounds | [`Limit`] in bytes, [`Timeouts`] in time, [`Retry`] in attempts |
//! | the way to a server | [`Proxies`], [`Roots`] of TLS, [`Credentials`] bound to their servers, [`HostTls`] with an [`Identity`] for one |
//! | what went wrong | [`NetError`], which says whether to try again; [`SetupError`] before anything was asked |
//! | where a URL leads | [`Redirects`], which may [`Lead`] away or not; [`is_loopback`]; [`shown()`] for messages, without what is secret in it |

mod client;
mod credentials;
mod download;
mod error;
mod exchange;
mod limit;
mod local;
mod netrc;
mod persist;
mod proxies;
mod reach;
mod redirect;
mod request;
mod response;
mod retry;
mod roots;
mod shown;
mod sink;
mod tls;
mod upload;
mod way;

pub use client::{Client, ClientOptions, Timeouts};
pub use credentials::Credentials;
pub use download::Downloaded;
pub use error::{Cause, NetError, RedirectRefusal, SetupError};
pub use limit::Limit;
pub use persist::{Attempts, Passing};
pub use proxies::Proxies;
pub use reach::is_loopback;
pub use redirect::{Lead, Redirects};
pub use request::{Body, Method, Reach, Request};
pub use response::Response;
pub use retry::Retry;
pub use roots::Roots;
pub use shown::shown;
pub use sink::{Sink, Unwatched, Watch};
pub use tls::{HostTls, Identity};
