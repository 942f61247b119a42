//! From a request to a response. ureq speaks HTTP; what is ours is what it leaves open: names, connections, proxies,
//! TLS, and which connection a call uses. Every wait on the way goes through `Deadline`.

mod buffers;
mod connection;
mod connector;
mod dns;
pub(crate) mod error;
mod happy_eyeballs;
mod pem;
pub(crate) mod proxy;
mod session;
mod tcp;
mod tls;
pub(crate) mod trust;
mod tunnel;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustls::client::ClientConfig;
use ureq::config::Config;
use ureq::http::HeaderValue;

use crate::clock;
use crate::deadline::Deadline;
use crate::request::{Origin, Request};
use crate::response::Answer;
use connector::Connector;
use dns::Dns;
use error::{Kind, TransportError};
use proxy::Proxy;
use session::{Exchange, Session};
use trust::Trust;

pub(crate) use session::config;

/// As many as may call at once and each keep a connection.
const MAX_IDLE: usize = 16;

/// The way to the server; the same for a client's whole life.
pub(crate) struct Route {
    pub origin: Origin,
    pub proxy: Option<Proxy>,
    /// `None` for plain http.
    pub trust: Option<Trust>,
    pub connect_timeout: Duration,
    pub user_agent: HeaderValue,
    /// Bytes of the longest request.
    pub request_room: usize,
    pub config: Config,
}

/// What has come to be on the way: addresses, connections, TLS sessions. It belongs to one process.
pub(crate) struct Network {
    route: Arc<Route>,
    dns: Arc<Dns>,
    tls: Option<Arc<ClientConfig>>,
    /// The one used last on top. A forked child has a network of its own, so no parent's thread ever holds the lock.
    idle: Mutex<Vec<Session>>,
}

impl Network {
    pub(crate) fn new(route: &Arc<Route>) -> Network {
        Network {
            route: Arc::clone(route),
            dns: Arc::new(Dns::new()),
            tls: route.trust.as_ref().map(Trust::config),
            idle: Mutex::default(),
        }
    }

    /// Lets ureq make what it makes at its first request, and sends nothing: the time for it has passed.
    pub(crate) fn rehearse(&self, request: &Request<'_>) {
        let over = Deadline::at(Instant::now());
        drop(self.session().exchange(request, &over, Duration::ZERO));
    }

    /// Sends `request` once and hands the response to `read`. A kept connection that the server had closed, or that
    /// stays silent, is replaced at once: that is no attempt of its own.
    pub(crate) fn send<T>(
        &self,
        request: &Request<'_>,
        deadline: &Deadline,
        read: impl Fn(&Answer<'_>, Option<&TransportError>) -> T,
    ) -> Result<T, TransportError> {
        let begun = clock::since_start();
        let mut session = self.take().unwrap_or_else(|| self.session());
        // Half of the time, so that a fresh connection has the other half.
        let patience = self.route.connect_timeout.min(deadline.remaining() / 2);
        let mut response = session.exchange(request, deadline, patience);
        if let Err(error) = &response
            && session.was_stale(error)
        {
            if error.kind == Kind::Silent {
                // Whatever silenced it (sleep, another network, a NAT's memory) has silenced those beside it.
                self.drop_idle_since(begun);
            }
            response = session.exchange(request, deadline, patience);
        }
        let response = response?;
        let answer =
            Answer { status: response.status.as_u16(), headers: &response.headers, body: session.body() };
        let result = read(&answer, response.cut.as_ref());
        self.put(session);
        Ok(result)
    }

    fn session(&self) -> Session {
        let exchange = Exchange::new();
        let connector = Connector {
            route: Arc::clone(&self.route),
            dns: Arc::clone(&self.dns),
            tls: self.tls.clone(),
            exchange: Arc::clone(&exchange),
        };
        Session::new(self.route.config.clone(), connector, exchange)
    }

    /// A session whose connection may carry another request, as far as can be told without asking the kernel.
    fn take(&self) -> Option<Session> {
        loop {
            // Closed, if so, only when the lock is open again: that is a system call.
            let session = self.idle().pop()?;
            if session.is_kept() {
                return Some(session);
            }
        }
    }

    /// Keeps a session for later if it has a connection, and closes it otherwise.
    fn put(&self, mut session: Session) {
        if !session.is_kept() {
            return;
        }
        session.rest();
        let mut idle = self.idle();
        // The one that has lain longest makes room, and makes room in any case when its time is up.
        let leaving = idle.first().is_some_and(|oldest| idle.len() == MAX_IDLE || !oldest.is_kept());
        let leaving = leaving.then(|| idle.remove(0));
        idle.push(session);
        drop(idle);
        drop(leaving);
    }

    /// Closes what has lain idle since before `time`.
    fn drop_idle_since(&self, time: Duration) {
        let mut idle = self.idle();
        let (kept, leaving) = idle.drain(..).partition(|session| session.rested_at > time);
        *idle = kept;
        drop(idle);
        drop::<Vec<Session>>(leaving);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One exchange over a socket that is connected already.
#[cfg(fuzzing)]
pub(crate) fn exchange_over<T>(
    socket: socket2::Socket,
    room: usize,
    request: &Request<'_>,
    deadline: &Deadline,
    read: impl Fn(&Answer<'_>, Option<&TransportError>) -> T,
) -> Result<T, TransportError> {
    use ureq::unversioned::transport::{ConnectionDetails, Connector as Seam};

    struct Given(Mutex<Option<connection::Connection>>, Arc<Exchange>);
    impl Seam for Given {
        type Out = connection::Connection;
        fn connect(
            &self,
            _: &ConnectionDetails<'_>,
            _: Option<()>,
        ) -> Result<Option<connection::Connection>, ureq::Error> {
            self.1.lock().fresh = true;
            Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).take())
        }
    }
    impl std::fmt::Debug for Given {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Given")
        }
    }

    let exchange = Exchange::new();
    let stream = connection::Stream::Plain(tcp::Tcp::new(socket).expect("a socket"));
    let connection = connection::Connection::new(stream, room, Arc::clone(&exchange));
    let given = Given(Mutex::new(Some(connection)), Arc::clone(&exchange));
    let mut session = Session::new(config(), given, exchange);
    let response = session.exchange(request, deadline, deadline.remaining())?;
    let answer =
        Answer { status: response.status.as_u16(), headers: &response.headers, body: session.body() };
    Ok(read(&answer, response.cut.as_ref()))
}
