//! Makes a connection, as ureq's connector: name lookup, socket, proxy tunnel, TLS.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use rustls::client::ClientConfig;
use ureq::unversioned::transport::{ConnectionDetails, Connector as Seam};

use crate::deadline::Deadline;
use crate::http::connection::{Connection, Stream};
use crate::http::dns::Dns;
use crate::http::error::{Kind, Phase, TransportError};
use crate::http::session::Exchange;
use crate::http::tls::Tls;
use crate::http::{Route, happy_eyeballs, tunnel};

pub(super) struct Connector {
    pub route: Arc<Route>,
    pub dns: Arc<Dns>,
    /// `None` for plain http.
    pub tls: Option<Arc<ClientConfig>>,
    pub exchange: Arc<Exchange>,
}

impl Seam for Connector {
    type Out = Connection;

    fn connect(&self, _: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Connection>, ureq::Error> {
        let deadline = {
            let mut state = self.exchange.lock();
            state.fresh = true;
            state.deadline.clone()
        };
        let stream = self.stream(&deadline)?;
        Ok(Some(Connection::new(stream, self.route.request_room, Arc::clone(&self.exchange))))
    }
}

impl Connector {
    fn stream(&self, deadline: &Deadline) -> Result<Stream, TransportError> {
        deadline.check().map_err(|why| Phase::Connecting.interrupted(why))?;
        let Route { origin, proxy, connect_timeout, user_agent, .. } = &*self.route;
        let (host, port) = match proxy {
            Some(proxy) => (&proxy.host, proxy.port),
            None => (&origin.host, origin.port),
        };
        // If there is a proxy, a failed lookup or connection is the proxy's.
        let of_proxy = |error: TransportError| {
            let why = match error.kind {
                Kind::NotResolved { host, why } if proxy.is_some() => {
                    format!("its name {host} could not be resolved ({why})")
                }
                Kind::NotConnected { to, why } if proxy.is_some() => {
                    format!("it could not be reached at {to} ({why})")
                }
                kind => return error.phase.error(kind),
            };
            Phase::Proxy.error(Kind::Proxy { why, retryable: true })
        };
        let addresses = self.dns.resolve(host, port, deadline).map_err(of_proxy)?;
        let attempt = deadline.no_later_than(Instant::now() + *connect_timeout);
        let reached = happy_eyeballs::connect(&addresses, &format!("{host}:{port}"), &attempt);
        if let Err(TransportError {
            phase: Phase::Connecting,
            kind: Kind::NotConnected { .. } | Kind::DeadlinePassed,
        }) = reached
        {
            self.dns.forget(host);
        }
        let stream = reached.map_err(of_proxy).and_then(|mut socket| {
            if let Some(proxy) = proxy {
                tunnel::open(proxy, &mut socket, origin, user_agent, &attempt)?;
            }
            Ok(match &self.tls {
                None => Stream::Plain(socket),
                Some(config) => {
                    let tls = Tls::handshake(socket, Arc::clone(config), &origin.host, &attempt)?;
                    Stream::Tls(Box::new(tls))
                }
            })
        });
        // Distinguishes the attempt's timeout from the call's.
        stream.map_err(|error| match error.kind {
            Kind::DeadlinePassed if !deadline.remaining().is_zero() => {
                error.phase.error(Kind::ConnectTimedOut(*connect_timeout))
            }
            _ => error,
        })
    }
}

/// Omits the fields, because the route contains the proxy's password.
impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}
