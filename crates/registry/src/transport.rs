//! Requests to one repository of one registry: where it is, who asks, what may be tried again and where a server may lead.

mod challenge;
mod home;
mod hop;
mod proof;
mod realm;
mod refusal;
mod tokens;
mod wanted;

use std::mem;
use std::sync::{Mutex, PoisonError};

use distil_imgcore::{Escaped, RegistryName};
use distil_net::{Attempts, Body, Lead, Method, NetError, Reach, Redirects, Request, Response, shown};
use url::Url;

use self::home::{Address, Home};
use self::proof::{Identity, Proof};
use self::refusal::Refusing;
use crate::error::{PASSING, RegistryError};
use crate::repository::Options;

/// The way to one repository. Threads share it, and with it what it has learnt and its tokens.
#[derive(Debug)]
pub(crate) struct Transport {
    address: Address,
    /// As in references: `HOST/REPOSITORY`.
    place: String,
    options: Options,
    home: Mutex<Option<Home>>,
    identity: Identity,
}

/// What a token has to allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Reading.
    Pull,
    /// Reading and writing.
    Push,
    /// That, and reading another repository of the same registry.
    Mount(String),
}

/// Of which resource something is asked.
#[derive(Debug, Clone)]
pub(crate) enum Target<'a> {
    /// Below `/v2/REPOSITORY/`: `manifests/v1`, `blobs/uploads/?mount=…`.
    Path(&'a str),
    /// Where the registry sent us: the `Location` of an upload, the `Link` of a page; see [`Transport::locate`]. It must be on
    /// the registry's own host.
    Url(&'a Url),
}

/// One thing that is asked.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    pub(crate) target: Target<'a>,
    pub(crate) scope: Scope,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Body<'a>,
    /// Where the answer may send us; other hosts are asked without credentials.
    pub(crate) may_lead: Lead,
}

impl Transport {
    /// The way to a repository. Nothing is asked yet, the keychain neither.
    pub(crate) fn new(name: &RegistryName, options: Options) -> Result<Self, RegistryError> {
        let address = Address::new(name, options.insecure_http)?;
        let place = format!("{}/{}", name.host(), name.repository());
        let (home, identity) = (Mutex::default(), Identity::default());
        Ok(Self { address, place, options, home, identity })
    }

    /// What messages call the repository: `HOST/REPOSITORY`, as it was written.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// The name that the registry has for a repository, this one or a neighbour of it, that was written so.
    pub(crate) fn repository(&self, written: &str) -> String {
        home::repository_on(&self.address.host, written)
    }

    /// Asks, with the login or token that is needed. The answer may have any status but 401 and a redirect.
    ///
    /// Where it can be sent again without harm, a passing failure (connection, 408, 429, 5xx) is retried. That is so if there
    /// is no body or one of bytes, except for what changes an upload: a `PATCH`, and whatever writes to a [`Target::Url`]. How
    /// much of that has arrived is for the registry to say and for the caller to ask. The answer to these has any status.
    pub(crate) fn send(&self, attempts: &mut Attempts, mut ask: Ask<'_>) -> Result<Response, RegistryError> {
        let again = ask.may_be_repeated();
        let bytes = match mem::replace(&mut ask.body, Body::Empty) {
            stream @ Body::Stream { .. } => return self.send_stream(attempts, &ask, stream),
            Body::Bytes(bytes) => Some(bytes),
            Body::Empty => None,
        };
        if !again {
            return self.send_bytes(&ask, bytes);
        }
        let client = &self.options.client;
        client.persist(attempts, &*self.options.watch, &mut |_, _| {
            let answer = self.send_bytes(&ask, bytes)?;
            let passing = PASSING.contains(&answer.status());
            if passing { Err(self.refused(&ask.target.shown(), answer)) } else { Ok(answer) }
        })
    }

    /// The URL of a `Location` or `Link` in the answer to what was asked of `target`.
    pub(crate) fn locate(&self, target: &Target<'_>, location: &str) -> Result<Url, RegistryError> {
        let home = self.home()?;
        let from = self.url(&home, target)?;
        let to = from.join(location).map_err(|_| self.elsewhere(&home, Escaped(location.as_bytes()).to_string()))?;
        self.url(&home, &Target::Url(&to))
    }

    /// The error that an answer with an unexpected status stands for, with the registry's own words, escaped and bounded.
    pub(crate) fn refused(&self, what: &str, answer: Response) -> RegistryError {
        let server = &self.address.host;
        refusal::refused(Refusing { place: &self.place, server, login: self.identity.is_known() }, what, answer)
    }

    /// Once, and once more where the answer says that it takes something else to show who we are.
    fn send_bytes(&self, ask: &Ask<'_>, bytes: Option<&[u8]>) -> Result<Response, RegistryError> {
        let body = || bytes.map_or(Body::Empty, Body::Bytes);
        let proof = self.proof(&ask.scope)?;
        let answer = self.walk(ask, body(), proof.as_ref())?;
        if answer.status() != 401 {
            return Ok(answer);
        }
        let better = if self.learn(&answer, proof.as_ref())? { self.proof(&ask.scope)? } else { None };
        let Some(proof) = better else { return Err(self.refused(&ask.target.shown(), answer)) };
        drop(answer);
        let answer = self.walk(ask, body(), Some(&proof))?;
        if answer.status() == 401 { Err(self.refused(&ask.target.shown(), answer)) } else { Ok(answer) }
    }

    /// Once. What is needed to show who we are is had before, since a stream cannot be sent again.
    fn send_stream(&self, attempts: &mut Attempts, ask: &Ask<'_>, stream: Body<'_>) -> Result<Response, RegistryError> {
        let Options { client, watch, .. } = &self.options;
        let proof = client.persist(attempts, &**watch, &mut |_, _| self.proof(&ask.scope))?;
        let answer = self.walk(ask, stream, proof.as_ref())?;
        if answer.status() != 401 {
            return Ok(answer);
        }
        let what = ask.target.shown();
        let better = self.learn(&answer, proof.as_ref())?;
        Err(if better {
            RegistryError::Renewed { place: self.place.clone(), what }
        } else {
            self.refused(&what, answer)
        })
    }

    /// Sends it and follows where the answers lead. Whoever we are is said to the registry's own scheme, host and port alone,
    /// and not to it any more when another server has led back there.
    fn walk(&self, ask: &Ask<'_>, body: Body<'_>, proof: Option<&Proof>) -> Result<Response, RegistryError> {
        let home = self.home()?;
        let mut at = self.url(&home, &ask.target)?;
        let mut body = Some(body);
        let only_reads = matches!(ask.method, Method::Get | Method::Head);
        let redirects = Redirects { lead: ask.may_lead, most: if only_reads { Redirects::USUAL } else { 0 } };
        let (mut at_home, mut followed, mut led) = (true, 0, Reach::Public);
        loop {
            let mut headers = ask.headers.clone();
            at_home &= at.origin() == home.base.origin();
            if at_home && let Some(proof) = proof {
                headers.push(("authorization", proof.header.reveal().to_owned()));
            }
            let (url, reach) = (at.clone(), hop::reach(&home.base, &at, led));
            let body = body.take().unwrap_or(Body::Empty);
            let request = Request { method: ask.method, url, headers, body, reach };
            let answer = self.options.client.send(request, &self.options.watch)?;
            if !answer.is_redirect() {
                let foreign = answer.status() == 401 && !at_home;
                let denied = || NetError::Status { url: shown(&at), status: 401 };
                return if foreign { Err(denied().into()) } else { Ok(answer) };
            }
            let to = redirects.follow(&at, answer.header("location"), followed);
            at = to.map_err(|refusal| NetError::Redirect { url: shown(&at), refusal })?;
            led = answer.may_lead();
            followed += 1;
        }
    }

    /// Where the registry is and what it wants; asked once for all threads.
    fn home(&self) -> Result<Home, RegistryError> {
        let mut home = self.home.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(home) = &*home {
            return Ok(home.clone());
        }
        Ok(home.insert(self.address.ask(&self.options)?).clone())
    }

    fn url(&self, home: &Home, target: &Target<'_>) -> Result<Url, RegistryError> {
        match target {
            Target::Path(path) => {
                let own = format!("{}{}/", home.base, self.address.repository);
                let url = Url::parse(&format!("{own}{path}")).ok().filter(|url| url.as_str().starts_with(&own));
                url.ok_or_else(|| self.elsewhere(home, Escaped(path.as_bytes()).to_string()))
            }
            Target::Url(url) => {
                let has_user = !url.username().is_empty() || url.password().is_some();
                let own = url.origin() == home.base.origin() && !has_user;
                if own { Ok((*url).clone()) } else { Err(self.elsewhere(home, shown(url))) }
            }
        }
    }

    fn elsewhere(&self, home: &Home, found: String) -> RegistryError {
        let expected = home.base.origin().ascii_serialization();
        RegistryError::Elsewhere { place: self.place.clone(), expected, found }
    }
}

impl Ask<'_> {
    fn may_be_repeated(&self) -> bool {
        match self.method {
            Method::Get | Method::Head | Method::Delete => true,
            Method::Post | Method::Put => matches!(self.target, Target::Path(_)),
            Method::Patch => false,
        }
    }
}

impl Target<'_> {
    fn shown(&self) -> String {
        match self {
            // What follows may be the state of an upload, which is as good as a password for it.
            Self::Path(path) => path.split('?').next().unwrap_or_default().to_owned(),
            Self::Url(url) => shown(url),
        }
    }
}

#[cfg(test)]
mod tests;
