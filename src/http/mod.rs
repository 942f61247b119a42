//! Sends a request and receives the response. ureq implements HTTP; this module adds what it leaves open: name lookup,
//! connections, proxies, TLS, and which connection a call uses. Every wait goes through `Deadline`.

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
use crate::response::Response;
use connector::Connector;
use dns::Dns;
use error::{Kind, TransportError};
use proxy::Proxy;
use session::{Exchange, Session};
use trust::Trust;

pub(crate) use session::config;

/// How many idle connections a client keeps.
const MAX_IDLE: usize = 16;

/// How to reach the server. It is the same for a client's whole life.
pub(crate) struct Route {
    pub origin: Origin,
    pub proxy: Option<Proxy>,
    /// `None` for plain http.
    pub trust: Option<Trust>,
    pub connect_timeout: Duration,
    pub user_agent: HeaderValue,
    /// The length of the longest request in bytes.
    pub request_room: usize,
    pub config: Config,
}

/// The state of the network: addresses, connections, TLS sessions. It belongs to one process.
pub(crate) struct Network {
    route: Arc<Route>,
    dns: Arc<Dns>,
    tls: Option<Arc<ClientConfig>>,
    /// A stack: the session used last is on top. A forked child has its own `Network`, so no thread of its parent ever
    /// holds this lock there.
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

    /// Triggers ureq's one-time setup by a request that sends nothing, because its deadline has passed.
    pub(crate) fn rehearse(&self, request: &Request<'_>) {
        let over = Deadline::at(Instant::now());
        drop(self.session().exchange(request, &over, Duration::ZERO));
    }

    /// Sends `request` once and passes the response to `read`. A kept connection that the server has closed, or that
    /// stays silent, is replaced at once; that does not count as another attempt.
    pub(crate) fn send<T>(
        &self,
        request: &Request<'_>,
        deadline: &Deadline,
        read: impl Fn(&Response<'_>, Option<&TransportError>) -> T,
    ) -> Result<T, TransportError> {
        let begun = clock::since_start();
        let mut session = self.take().unwrap_or_else(|| self.session());
        // At most half of the time, to leave the other half to a fresh connection.
        let patience = self.route.connect_timeout.min(deadline.remaining() / 2);
        let mut response = session.exchange(request, deadline, patience);
        if let Err(error) = &response
            && session.was_stale(error)
        {
            if error.kind == Kind::Silent {
                // The cause (a suspend, a network change, an expired NAT entry) affects the other idle ones too.
                self.drop_idle_since(begun);
            }
            response = session.exchange(request, deadline, patience);
        }
        let head = response?;
        let response =
            Response { status: head.status.as_u16(), headers: &head.headers, body: session.body() };
        let result = read(&response, head.cut.as_ref());
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

    /// Takes a session whose connection has not expired. Whether it is still open is checked later.
    fn take(&self) -> Option<Session> {
        loop {
            // An expired one is dropped outside the lock, because closing is a system call.
            let session = self.idle().pop()?;
            if session.is_kept() {
                return Some(session);
            }
        }
    }

    /// Keeps a session for later if it has a connection, and drops it otherwise.
    fn put(&self, mut session: Session) {
        if !session.is_kept() {
            return;
        }
        session.rest();
        let mut idle = self.idle();
        // The oldest one is removed if there is no room or it has expired. It is dropped outside the lock.
        let leaving = idle.first().is_some_and(|oldest| idle.len() == MAX_IDLE || !oldest.is_kept());
        let leaving = leaving.then(|| idle.remove(0));
        idle.push(session);
        drop(idle);
        drop(leaving);
    }

    /// Closes the connections that have been idle since before `time`.
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

/// One exchange over a connected socket.
#[cfg(fuzzing)]
pub(crate) fn exchange_over<T>(
    socket: socket2::Socket,
    room: usize,
    request: &Request<'_>,
    deadline: &Deadline,
    read: impl Fn(&Response<'_>, Option<&TransportError>) -> T,
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
    let head = session.exchange(request, deadline, deadline.remaining())?;
    let response = Response { status: head.status.as_u16(), headers: &head.headers, body: session.body() };
    Ok(read(&response, head.cut.as_ref()))
}
