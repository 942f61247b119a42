//! From a request's bytes to an answer's bytes: name, connection, proxy, TLS, HTTP. Every wait on the way goes
//! through `Until`. It is made for one kind of call, and drives `rustls` and `httparse` itself: a general HTTP
//! client copies the key to where it cannot be wiped, does not say whether a lost connection was a pooled one,
//! and allocates more for a call than the whole call may (benches/RESULTS.md has the figures).

pub(crate) mod connection;
mod connector;
pub(crate) mod fault;
pub(crate) mod http;
mod pool;
pub(crate) mod process;
pub(crate) mod proxy;
mod resolver;
pub(crate) mod socket;
pub(crate) mod tls;

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::client::ClientConfig;

use crate::request::Origin;
use crate::until::Until;
use connection::{Answer, Connection, Stream};
use fault::{Fault, Stage};
use pool::Pool;
use proxy::Proxy;
use resolver::Resolver;
use tls::{TlsStream, Trust};

/// The way to the server; the same for a client's whole life.
pub(crate) struct Route {
    pub origin: Origin,
    pub proxy: Option<Proxy>,
    /// `None` for plain http.
    pub trust: Option<Trust>,
    pub connect_timeout: Duration,
}

/// What has come to be on the way: addresses, connections, TLS sessions. It belongs to one process.
pub(crate) struct Transport {
    resolver: Resolver,
    pool: Pool,
    tls: Option<Arc<ClientConfig>>,
}

impl Transport {
    pub(crate) fn new(route: &Route) -> Transport {
        Transport {
            resolver: Resolver::new(),
            pool: Pool::default(),
            tls: route.trust.as_ref().map(Trust::config),
        }
    }

    /// Sends `request` once and hands the answer to `read`. A kept connection that the server had closed is
    /// replaced at once: that is no attempt of its own.
    pub(crate) fn ask<T>(
        &self,
        route: &Route,
        request: &[u8],
        until: &Until<'_>,
        read: impl Fn(&Answer<'_>) -> T,
    ) -> Result<T, Fault> {
        if let Some(kept) = self.pool.take() {
            match self.exchange(kept, request, until, &read) {
                Err(Fault::Lost { answered: false, .. }) => {}
                other => return other,
            }
        }
        self.exchange(self.connect(route, until)?, request, until, &read)
    }

    fn exchange<T>(
        &self,
        mut connection: Connection,
        request: &[u8],
        until: &Until<'_>,
        read: impl Fn(&Answer<'_>) -> T,
    ) -> Result<T, Fault> {
        let result = read(&connection.exchange(request, until)?);
        self.pool.put(connection);
        Ok(result)
    }

    fn connect(&self, route: &Route, until: &Until<'_>) -> Result<Connection, Fault> {
        let Route { origin, proxy, connect_timeout, .. } = route;
        let (host, port) = match proxy {
            Some(proxy) => (&proxy.host, proxy.port),
            None => (&origin.host, origin.port),
        };
        // A proxy that cannot be found or reached is the proxy's failure, not the server's.
        let of_proxy = |fault| match (fault, proxy) {
            (Fault::Resolve { host, why }, Some(_)) => {
                Fault::Proxy { why: format!("its name {host} could not be resolved ({why})"), again: true }
            }
            (Fault::Connect { to, why }, Some(_)) => {
                Fault::Proxy { why: format!("it could not be reached at {to} ({why})"), again: true }
            }
            (fault, _) => fault,
        };
        let addresses = self.resolver.resolve(host, port, until).map_err(of_proxy)?;
        let soon = until.no_later_than(Instant::now() + *connect_timeout);
        let reached = connector::connect(&addresses, &format!("{host}:{port}"), &soon);
        if let Err(Fault::Connect { .. } | Fault::DeadlinePassed(Stage::Connecting)) = reached {
            self.resolver.forget(host);
        }
        let stream = reached.map_err(of_proxy).and_then(|mut socket| {
            if let Some(proxy) = proxy {
                proxy.tunnel(&mut socket, origin, &soon)?;
            }
            Ok(match &self.tls {
                None => Stream::Plain(socket),
                Some(config) => {
                    let tls = TlsStream::handshake(socket, Arc::clone(config), &origin.host, &soon)?;
                    Stream::Tls(Box::new(tls))
                }
            })
        });
        match stream {
            Ok(stream) => Ok(Connection::new(stream)),
            // Whose time was up: the attempt's, or the whole call's.
            Err(Fault::DeadlinePassed(stage)) if !until.remaining().is_zero() => {
                Err(Fault::ConnectTimedOut(stage, *connect_timeout))
            }
            Err(fault) => Err(fault),
        }
    }
}
