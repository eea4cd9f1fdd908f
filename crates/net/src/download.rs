//! A whole file, over as many connections as it takes.

use std::time::{Duration, Instant};

use reqwest::Response;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, DATE, ETAG, HeaderName, LAST_MODIFIED, RETRY_AFTER};
use url::Url;

use crate::client::Client;
use crate::error::NetError;
use crate::exchange::{Ended, Patience, Rest, explain};
use crate::limit::Limit;
use crate::response::TRICKLE;
use crate::retry;
use crate::shown::shown;
use crate::sink::{Sink, Watch};

/// What a download was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Downloaded {
    /// Its bytes.
    pub size: u64,
}

/// An attempt that brings so much more than all before has earned another one. A file of any size comes through a bad
/// line like this, and a server that only begins does not keep us for ever.
const GOOD_PART: u64 = 1 << 20;

/// A download under way.
pub(crate) struct Download<'a> {
    client: &'a Client,
    url: &'a Url,
    name: String,
    limit: Limit,
    sink: &'a mut dyn Sink,
    patience: Patience<'a>,
    received: u64,
    /// The most that was ever there: some servers begin anew each time.
    furthest: u64,
    /// By what the server knows the file that the received bytes are of.
    validator: Option<String>,
    /// How long the server wants to be left alone.
    retry_after: Option<Duration>,
}

impl<'a> Download<'a> {
    pub(crate) fn new(
        client: &'a Client,
        url: &'a Url,
        limit: Limit,
        sink: &'a mut dyn Sink,
        watch: &'a dyn Watch,
    ) -> Self {
        let patience = Patience { watch, deadline: Instant::now() + client.timeouts.whole };
        let (name, validator, retry_after) = (shown(url), None, None);
        Self { client, url, name, limit, sink, patience, received: 0, furthest: 0, validator, retry_after }
    }

    pub(crate) async fn run(mut self) -> Result<Downloaded, NetError> {
        let mut failures = 0;
        loop {
            let Err(error) = self.attempt().await else {
                return Ok(Downloaded { size: self.received });
            };
            if self.received >= self.furthest.saturating_add(GOOD_PART) {
                failures = 0;
            }
            self.furthest = self.furthest.max(self.received);
            failures += 1;
            if !error.may_retry() || failures >= self.client.retry.attempts {
                return Err(error);
            }
            let pause = self.client.retry.wait(failures, self.retry_after.take());
            match self.patience.wait(pause, std::future::pending::<()>()).await {
                Ok(()) | Err(Ended::Idle(_)) => {}
                Err(ended) => return Err(ended.explain(self.client, &self.name, self.received)),
            }
        }
    }

    /// One connection's worth.
    async fn attempt(&mut self) -> Result<(), NetError> {
        let rest = self.validator.clone().filter(|_| self.received > 0);
        let rest = rest.map(|validator| Rest { start: self.received, validator });
        let mut response = self.client.ask(self.url, rest.as_ref(), self.patience).await?;
        match response.status().as_u16() {
            200 => self.begin(&response)?,
            206 if rest.is_some() && self.goes_on(&response) => {}
            // The server answers for another range than the one asked for, or none of this length is left.
            206 | 416 if rest.is_some() => {
                self.restart()?;
                let source = "the server does not go on where it stopped".into();
                return Err(NetError::Interrupted { url: self.name.clone(), received: 0, source });
            }
            status => {
                self.retry_after =
                    text(&response, &RETRY_AFTER).and_then(|asked| retry::asked(asked, text(&response, &DATE)));
                return Err(NetError::Status { url: self.name.clone(), status });
            }
        }
        let idle = self.client.timeouts.idle;
        let (mut since, mut before) = (Instant::now(), self.received);
        loop {
            let chunk = self.patience.wait(idle, response.chunk()).await;
            let chunk = chunk.map_err(|ended| ended.explain(self.client, &self.name, self.received))?;
            let chunk = chunk.map_err(|error| explain(error, &self.name, self.received))?;
            let Some(chunk) = chunk else { break };
            let received = self.limit.add(self.received, chunk.len(), &self.name)?;
            self.sink.write(&chunk).map_err(|source| NetError::Sink { url: self.name.clone(), source })?;
            self.received = received;
            self.patience.watch.advanced(&self.name, chunk.len() as u64);
            let waited = since.elapsed();
            if waited >= idle {
                let found = received - before;
                if u128::from(found) * 1000 < u128::from(TRICKLE) * waited.as_millis() {
                    return Err(NetError::Trickle { url: self.name.clone(), received, found, waited });
                }
                (since, before) = (Instant::now(), received);
            }
        }
        self.limit.check_end(self.received, &self.name)
    }

    /// The file comes from its first byte on.
    fn begin(&mut self, response: &Response) -> Result<(), NetError> {
        if self.received > 0 {
            self.restart()?;
        }
        self.validator = validator(response);
        match text(response, &CONTENT_LENGTH).and_then(|length| length.parse().ok()) {
            Some(announced) => self.limit.check_announced(announced, &self.name),
            None => Ok(()),
        }
    }

    fn restart(&mut self) -> Result<(), NetError> {
        self.received = 0;
        self.validator = None;
        self.sink.restart().map_err(|source| NetError::Sink { url: self.name.clone(), source })
    }

    /// Whether a range is the rest of the file, to its end.
    fn goes_on(&self, response: &Response) -> bool {
        let parse = |range: &str| {
            let (range, total) = range.strip_prefix("bytes ")?.split_once('/')?;
            let (first, last) = range.split_once('-')?;
            Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?, total.parse::<u64>().ok()?))
        };
        let range = text(response, &CONTENT_RANGE).and_then(parse);
        range.is_some_and(|(first, last, total)| first == self.received && last.checked_add(1) == Some(total))
    }
}

/// What tells this content from any other: a strong entity tag, or the date. A weak tag stands for the same meaning,
/// not for the same bytes.
fn validator(response: &Response) -> Option<String> {
    let strong = text(response, &ETAG).filter(|tag| tag.starts_with('"'));
    strong.or_else(|| text(response, &LAST_MODIFIED)).map(str::to_owned)
}

fn text<'r>(response: &'r Response, name: &HeaderName) -> Option<&'r str> {
    response.headers().get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests;
