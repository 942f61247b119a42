//! A session: one ureq agent whose pool holds one connection, and the state of its current exchange. One call at a time
//! uses a session, so the agent's connector and transport see that call's deadline and cancel events, and whether a
//! lost connection was a kept one.

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

/// The longest head, including 1xx responses before it.
pub(super) const MAX_HEAD: usize = 64 * 1024;
/// The most header fields of a head.
const MAX_FIELDS: usize = 100;
/// Less than servers and load balancers keep an idle connection, which is 60 s or more.
const IDLE_LIMIT: Duration = Duration::from_secs(50);
/// A body buffer larger than this is freed after its response.
const KEPT_BODY: usize = 16 * 1024;

/// ureq's configuration. Everything beyond a single exchange is turned off.
pub(crate) fn config() -> Config {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .max_response_header_size(MAX_HEAD)
        .max_idle_connections(1)
        .max_idle_connections_per_host(1)
        // Our own limit is shorter, and counts time asleep.
        .max_idle_age(2 * IDLE_LIMIT)
        .build()
}

/// A session's current exchange. Its lock is never contended, because one call at a time uses the session.
#[derive(Debug)]
pub(super) struct Exchange(Mutex<State>);

#[derive(Debug)]
pub(super) struct State {
    /// The call's deadline.
    pub deadline: Deadline,
    /// When a kept connection must have begun to respond.
    pub kept_deadline: Deadline,
    /// Whether the connection was made for this exchange.
    pub fresh: bool,
    /// Whether the head has been read.
    pub in_body: bool,
    /// How many bytes of the response have arrived.
    pub received: usize,
    /// Until when the connection may be used again, by `clock::since_start`. `None`: it may not.
    idle_until: Option<Duration>,
}

impl Exchange {
    pub(super) fn new() -> Arc<Exchange> {
        let over = Deadline::at(Instant::now());
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

    /// The deadline of the connection's next operation.
    pub(super) fn deadline(&self) -> &Deadline {
        if self.fresh || self.received > 0 { &self.deadline } else { &self.kept_deadline }
    }

    /// Turns a passed `kept_deadline` into `Silent`: the connection is dropped, but the call continues.
    pub(super) fn interpret(&self, error: TransportError) -> TransportError {
        let silent = error.kind == Kind::DeadlinePassed && !self.deadline.remaining().is_zero();
        if silent { error.phase.error(Kind::Silent) } else { error }
    }

    /// Takes the connection out of its idle state, and returns whether it may still be used.
    pub(super) fn wake(&mut self) -> bool {
        self.idle_until.take().is_some_and(|end| clock::since_start() < end)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.idle_until.is_some()
    }

    /// Makes the connection idle. The head may shorten the limit later, because an empty body ends before its head is
    /// seen here.
    pub(super) fn rest(&mut self) {
        self.idle_until = Some(clock::since_start() + IDLE_LIMIT);
    }
}

/// A response's head, and how its body ended. The body stays with the session.
pub(super) struct ResponseHead {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Why the body is incomplete, if it is.
    pub cut: Option<TransportError>,
}

pub(super) struct Session {
    agent: Agent,
    exchange: Arc<Exchange>,
    body: Vec<u8>,
    /// When the last exchange ended, by `clock::since_start`.
    pub rested_at: Duration,
}

impl Session {
    /// `connector` and its connections share `exchange`.
    pub(super) fn new(config: Config, connector: impl Connector, exchange: Arc<Exchange>) -> Session {
        let agent = Agent::with_parts(config, connector, NoResolver);
        Session { agent, exchange, body: Vec::new(), rested_at: Duration::ZERO }
    }

    /// Sends `request` and reads the response, including error responses. A kept connection must begin to respond
    /// within `patience`.
    pub(super) fn exchange(
        &mut self,
        request: &Request<'_>,
        deadline: &Deadline,
        patience: Duration,
    ) -> Result<ResponseHead, TransportError> {
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
        Ok(ResponseHead { status: head.status, headers: head.headers, cut })
    }

    fn read_body(&mut self, head: &response::Parts, body: &mut Body) -> Result<(), TransportError> {
        let too_large = || Phase::Receiving.error(Kind::TooLarge("a body above 1 MiB"));
        let length = body.content_length();
        // It would be rejected anyway, so do not wait for it.
        if head.status == StatusCode::OK && length.is_some_and(|length| length > MAX_BODY as u64) {
            return Err(too_large());
        }
        self.body.reserve(length.map_or(0, |length| length.min(KEPT_BODY as u64) as usize));
        // An error body may be longer; its start is enough.
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

    /// Whether the request may be sent again at once on a fresh connection: the failed one was kept, and nothing
    /// arrived on it.
    pub(super) fn was_stale(&self, error: &TransportError) -> bool {
        let state = self.exchange.lock();
        !state.fresh
            && state.received == 0
            && matches!(error.kind, Kind::Lost(_) | Kind::Silent | Kind::TlsAlert(_))
    }

    /// Whether it has a connection that has not expired.
    pub(super) fn is_kept(&self) -> bool {
        self.exchange.lock().idle_until.is_some_and(|end| clock::since_start() < end)
    }

    /// Makes the session idle: frees a large body's memory, and drops the call's references to its events.
    pub(super) fn rest(&mut self) {
        if self.body.capacity() > KEPT_BODY {
            self.body = Vec::new();
        }
        let over = Deadline::at(Instant::now());
        let mut state = self.exchange.lock();
        state.kept_deadline = over.clone();
        state.deadline = over;
        self.rested_at = clock::since_start();
    }
}

/// Rejects ambiguous framing that ureq accepts (RFC 9112 §6.3), by which one response could be taken for another.
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

/// How long to keep the connection if the server announces its own limit (Keep-Alive: timeout=…): half of that.
fn idle_limit(headers: &HeaderMap) -> Option<Duration> {
    let mut parameters = headers.get("keep-alive")?.to_str().ok()?.split(',');
    let seconds = parameters.find_map(|parameter| parameter.trim().strip_prefix("timeout=")?.parse().ok())?;
    Some(IDLE_LIMIT.min(Duration::from_secs(seconds) / 2))
}

/// ureq resolves before it checks its pool. Our connector resolves instead, when it makes a connection.
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
    use crate::event::Event;
    use ureq::http::Response as HttpResponse;

    fn head(status: u16, version: Version, fields: &[(&str, &str)]) -> response::Parts {
        let mut builder = HttpResponse::builder().status(status).version(version);
        for (name, value) in fields {
            builder = builder.header(*name, *value);
        }
        builder.body(()).unwrap().into_parts().0
    }

    #[test]
    fn ambiguous_framing_is_rejected() {
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
    fn a_connection_is_kept_shorter_than_the_server_keeps_it() {
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
        // ureq's own limit, which does not know of time asleep, never ends one earlier.
        assert!(config().max_idle_age() > IDLE_LIMIT);
    }

    #[test]
    fn an_idle_session_keeps_nothing_of_its_last_call() {
        let exchange = Exchange::new();
        let mut session = Session::new(config(), (), Arc::clone(&exchange));
        let cancel = Arc::new(Event::new());
        let deadline = Deadline::new(Instant::now(), [Some(Arc::clone(&cancel)), None, None]);
        exchange.lock().deadline = deadline.clone();
        exchange.lock().kept_deadline = deadline.clone();
        drop(deadline);
        assert_eq!(Arc::strong_count(&cancel), 3);
        session.body = vec![0; KEPT_BODY + 1];
        session.rest();
        // A caller that frees its token gets the descriptor back at once.
        assert_eq!(Arc::strong_count(&cancel), 1);
        assert_eq!(session.body.capacity(), 0);
        session.body = Vec::with_capacity(KEPT_BODY);
        session.rest();
        assert_eq!(session.body.capacity(), KEPT_BODY);
    }
}
