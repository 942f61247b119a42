//! A session: one ureq agent whose pool holds one connection, and the exchange that it carries just now. One call at a
//! time has a session, so the connector and the transport inside the agent see that call's deadline and cancel, and
//! it is known whether a lost connection was a kept one.

use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use ureq::http::{HeaderMap, StatusCode, Uri, Version, response};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Connector, NextTimeout};
use ureq::{Agent, Body};

use crate::clock;
use crate::deadline::Deadline;
use crate::http::error::{Kind, Phase, TransportError};
use crate::request::Request;
use crate::response::MAX_BODY;

/// A head longer than this is refused, 1xx responses before it included.
pub(super) const MAX_HEAD: usize = 64 * 1024;
/// A head of more fields than this is refused.
const MAX_FIELDS: usize = 100;
/// Below what servers and the balancers before them keep an idle connection for, which is 60 s and more.
const IDLE_LIMIT: Duration = Duration::from_secs(50);
/// A buffer that grew beyond this for one large body is not kept for the next.
const KEPT_BODY: usize = 16 * 1024;

/// What ureq is told. Everything that it would do beyond one exchange is turned off.
pub(crate) fn config() -> Config {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .max_response_header_size(MAX_HEAD)
        .max_idle_connections(1)
        .max_idle_connections_per_host(1)
        // Ours is shorter, and goes on in suspend.
        .max_idle_age(2 * IDLE_LIMIT)
        .build()
}

/// The exchange that a session carries just now. Its lock is never contended: one call at a time has the session.
#[derive(Debug)]
pub(super) struct Exchange(Mutex<State>);

#[derive(Debug)]
pub(super) struct State {
    /// The call's.
    pub deadline: Deadline,
    /// Until when a kept connection must have begun to answer.
    pub kept_deadline: Deadline,
    /// The connection was made for this exchange.
    pub fresh: bool,
    /// The head has been read.
    pub in_body: bool,
    /// How many bytes of the response have arrived.
    pub received: usize,
    /// Until when the connection may be used again, by `clock::since_start`; `None`: not at all.
    idle_until: Option<Duration>,
}

impl Exchange {
    pub(super) fn new() -> Arc<Exchange> {
        let over = Deadline::new(Instant::now(), [None, None]);
        Arc::new(Exchange(Mutex::new(State {
            kept_deadline: over.clone(),
            deadline: over,
            fresh: false,
            in_body: false,
            received: 0,
            idle_until: None,
        })))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub(super) fn phase(&self) -> Phase {
        if self.received == 0 { Phase::Waiting } else { Phase::Receiving }
    }

    /// The deadline that holds for the connection's next step.
    pub(super) fn deadline(&self) -> &Deadline {
        if self.fresh || self.received > 0 { &self.deadline } else { &self.kept_deadline }
    }

    /// A kept connection that let its own deadline pass is given up; the call goes on.
    pub(super) fn judge(&self, error: TransportError) -> TransportError {
        let silent = error.kind == Kind::DeadlinePassed && !self.deadline.remaining().is_zero();
        if silent { error.phase.error(Kind::Silent) } else { error }
    }

    /// Whether the connection, idle since its last response, may still be used. Asks once.
    pub(super) fn wake(&mut self) -> bool {
        self.idle_until.take().is_some_and(|end| clock::since_start() < end)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.idle_until.is_some()
    }

    /// Lets the connection lie idle. The head may shorten it: an empty body ends before its head is seen here.
    pub(super) fn rest(&mut self) {
        self.idle_until = Some(clock::since_start() + IDLE_LIMIT);
    }
}

/// A response's head, and how its body ended. The body stays with the session.
pub(super) struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Why the body ends where it does, if that is not its end.
    pub cut: Option<TransportError>,
}

pub(super) struct Session {
    agent: Agent,
    exchange: Arc<Exchange>,
    body: Vec<u8>,
    /// When it last ended an exchange, by `clock::since_start`.
    pub rested_at: Duration,
}

impl Session {
    /// `exchange` is the one that `connector` and its connections share.
    pub(super) fn new(config: Config, connector: impl Connector, exchange: Arc<Exchange>) -> Session {
        let agent = Agent::with_parts(config, connector, NoResolver);
        Session { agent, exchange, body: Vec::new(), rested_at: Duration::ZERO }
    }

    /// Sends `request` and reads the response, error responses included. A kept connection must begin to answer
    /// within `patience`.
    pub(super) fn exchange(
        &mut self,
        request: &Request<'_>,
        deadline: &Deadline,
        patience: Duration,
    ) -> Result<Response, TransportError> {
        {
            let mut state = self.exchange.lock();
            state.deadline = deadline.clone();
            state.kept_deadline = deadline.no_later_than(Instant::now() + patience);
            state.fresh = false;
            state.in_body = false;
            state.received = 0;
        }
        self.body.clear();
        let response = self.agent.run(request.to_http()).map_err(|error| {
            let phase = self.exchange.lock().phase();
            TransportError::from_ureq(error, phase)
        })?;
        let (head, mut body) = response.into_parts();
        framing(&head).map_err(|kind| Phase::Receiving.error(kind))?;
        self.exchange.lock().in_body = true;
        let cut = self.read_body(&head, &mut body).err();
        drop(body);
        if let Some(limit) = idle_limit(&head.headers) {
            let mut state = self.exchange.lock();
            state.idle_until =
                state.idle_until.filter(|_| !limit.is_zero()).map(|end| end - IDLE_LIMIT + limit);
        }
        Ok(Response { status: head.status, headers: head.headers, cut })
    }

    fn read_body(&mut self, head: &response::Parts, body: &mut Body) -> Result<(), TransportError> {
        let too_large = || Phase::Receiving.error(Kind::TooLarge("a body above 1 MiB"));
        let length = body.content_length();
        // Nothing in it could be used, so nothing of it is waited for.
        if head.status == StatusCode::OK && length.is_some_and(|length| length > MAX_BODY as u64) {
            return Err(too_large());
        }
        self.body.reserve(length.map_or(0, |length| length.min(KEPT_BODY as u64) as usize));
        // An error response may be longer than is read: its status and its start are what is wanted.
        let read = body.as_reader().take(MAX_BODY as u64 + 1).read_to_end(&mut self.body);
        if self.body.len() > MAX_BODY {
            self.body.truncate(MAX_BODY);
            return Err(too_large());
        }
        read.map(drop).map_err(|error| TransportError::from_ureq(error.into(), Phase::Receiving))
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Whether the same request may be sent again at once because of this failure, on a fresh connection: the one that
    /// was used had been kept, and nothing came from it.
    pub(super) fn was_stale(&self, error: &TransportError) -> bool {
        let state = self.exchange.lock();
        !state.fresh
            && state.received == 0
            && matches!(error.kind, Kind::Lost(_) | Kind::Silent | Kind::TlsAlert(_))
    }

    /// Whether it has a connection whose time is not up.
    pub(super) fn is_kept(&self) -> bool {
        self.exchange.lock().idle_until.is_some_and(|end| clock::since_start() < end)
    }

    /// Ready to lie idle: without the room that a large body took, and without the call's share of its events.
    pub(super) fn rest(&mut self) {
        if self.body.capacity() > KEPT_BODY {
            self.body = Vec::new();
        }
        let over = Deadline::new(Instant::now(), [None, None]);
        let mut state = self.exchange.lock();
        state.kept_deadline = over.clone();
        state.deadline = over;
        self.rested_at = clock::since_start();
    }
}

/// What ureq lets pass and nobody should (RFC 9112 §6.3): one response could be taken for another.
fn framing(head: &response::Parts) -> Result<(), Kind> {
    if head.headers.len() > MAX_FIELDS {
        return Err(Kind::TooLarge("more than 100 header fields"));
    }
    let bodiless = head.status.is_informational()
        || matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let mut codings = head.headers.get_all(TRANSFER_ENCODING).iter();
    let Some(coding) = codings.next().filter(|_| !bodiless) else {
        return Ok(());
    };
    Err(Kind::Malformed(if codings.next().is_some() {
        "it has two Transfer-Encodings"
    } else if head.headers.contains_key(CONTENT_LENGTH) {
        "it has both a Content-Length and a Transfer-Encoding"
    } else if head.version != Version::HTTP_11 {
        "it has a Transfer-Encoding in HTTP/1.0"
    } else if !coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
        "its Transfer-Encoding is not chunked"
    } else {
        return Ok(());
    }))
}

/// How long to keep the connection where the server says how long it does (Keep-Alive: timeout=…): for less.
fn idle_limit(headers: &HeaderMap) -> Option<Duration> {
    let mut parameters = headers.get("keep-alive")?.to_str().ok()?.split(',');
    let seconds = parameters.find_map(|parameter| parameter.trim().strip_prefix("timeout=")?.parse().ok())?;
    Some(IDLE_LIMIT.min(Duration::from_secs(seconds) / 2))
}

/// ureq resolves before it looks into its pool; our connector does so when a connection is really to be made.
#[derive(Debug)]
struct NoResolver;

impl Resolver for NoResolver {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ureq::http::Response as HttpResponse;

    fn head(status: u16, version: Version, fields: &[(&str, &str)]) -> response::Parts {
        let mut builder = HttpResponse::builder().status(status).version(version);
        for (name, value) in fields {
            builder = builder.header(*name, *value);
        }
        builder.body(()).unwrap().into_parts().0
    }

    #[test]
    fn framing_that_could_be_read_in_two_ways_is_refused() {
        const CHUNKED: (&str, &str) = ("transfer-encoding", "chunked");
        const LENGTH: (&str, &str) = ("content-length", "5");
        let many = [("a", "b"); 101];
        for (status, version, fields, want) in [
            (200, Version::HTTP_11, &[LENGTH][..], None),
            (200, Version::HTTP_11, &[CHUNKED], None),
            (200, Version::HTTP_11, &[("Transfer-Encoding", "Chunked")], None),
            (200, Version::HTTP_11, &[], None),
            (200, Version::HTTP_11, &many[..100], None),
            (200, Version::HTTP_11, &many, Some("more than 100")),
            (200, Version::HTTP_11, &[LENGTH, CHUNKED], Some("both")),
            (200, Version::HTTP_11, &[CHUNKED, CHUNKED], Some("two Transfer")),
            (200, Version::HTTP_11, &[("transfer-encoding", "gzip, chunked")], Some("not chunked")),
            (200, Version::HTTP_11, &[("transfer-encoding", "identity")], Some("not chunked")),
            (200, Version::HTTP_10, &[CHUNKED], Some("HTTP/1.0")),
            (304, Version::HTTP_11, &[LENGTH, CHUNKED], None),
            (204, Version::HTTP_10, &[CHUNKED], None),
            (101, Version::HTTP_11, &[CHUNKED, CHUNKED], None),
        ] {
            let got = framing(&head(status, version, fields)).err();
            let text = match &got {
                Some(Kind::Malformed(why) | Kind::TooLarge(why)) => Some(*why),
                _ => None,
            };
            assert_eq!(got.is_some(), want.is_some(), "{status} {fields:?}: {got:?}");
            assert!(text.unwrap_or("").contains(want.unwrap_or("")), "{status} {fields:?}: {got:?}");
        }
    }

    #[test]
    fn a_connection_is_kept_for_less_than_the_server_keeps_it() {
        let seconds = Duration::from_secs;
        for (value, want) in [
            (None, None),
            (Some("timeout=5, max=100"), Some(seconds(5) / 2)),
            (Some("max=100,timeout=20"), Some(seconds(10))),
            (Some("timeout=1"), Some(seconds(1) / 2)),
            (Some("timeout=3600"), Some(IDLE_LIMIT)),
            (Some("timeout=0"), Some(Duration::ZERO)),
            (Some("timeout=x"), None),
            (Some("max=1"), None),
        ] {
            let fields: Vec<_> = value.map(|value| ("keep-alive", value)).into_iter().collect();
            assert_eq!(idle_limit(&head(200, Version::HTTP_11, &fields).headers), want, "{value:?}");
        }
        assert_eq!(IDLE_LIMIT, seconds(50));
    }
}
