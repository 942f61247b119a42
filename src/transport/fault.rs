//! What can go wrong between this machine and the server, and the sentence that each becomes.

use std::time::Duration;

use crate::error::Error;
use crate::status::Status;
use crate::transport::http::Unreadable;
use crate::until::Interrupted;

/// What a call was doing when its time was up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Resolving,
    Connecting,
    AskingProxy,
    Securing,
    Sending,
    Awaiting,
    Reading,
}

#[derive(Debug, Clone)]
pub(crate) enum Fault {
    Cancelled,
    /// The call's own deadline passed.
    DeadlinePassed(Stage),
    /// connect_timeout_ms passed, the deadline did not.
    ConnectTimedOut(Stage, Duration),
    Resolve {
        host: String,
        why: String,
    },
    Connect {
        to: String,
        why: String,
    },
    Tls {
        why: String,
        again: bool,
    },
    /// The server ended a connection whose handshake was done, with this alert.
    TlsEnded(String),
    Proxy {
        why: String,
        again: bool,
    },
    /// `answered`: some of the answer had arrived.
    Lost {
        answered: bool,
        why: &'static str,
    },
    Unreadable(Unreadable),
}

impl Stage {
    pub(crate) fn interrupted(self, interrupted: Interrupted) -> Fault {
        match interrupted {
            Interrupted::Cancelled => Fault::Cancelled,
            Interrupted::DeadlinePassed => Fault::DeadlinePassed(self),
        }
    }

    fn gerund(self) -> &'static str {
        match self {
            Stage::Resolving => "resolving the host name",
            Stage::Connecting => "connecting",
            Stage::AskingProxy => "waiting for the proxy",
            Stage::Securing => "in the TLS handshake",
            Stage::Sending => "sending the request",
            Stage::Awaiting => "waiting for the answer",
            Stage::Reading => "reading the answer",
        }
    }
}

impl From<Unreadable> for Fault {
    fn from(what: Unreadable) -> Fault {
        Fault::Unreadable(what)
    }
}

impl Fault {
    /// As an error. `timeout` is the whole call's, for the sentence.
    pub(crate) fn into_error(self, timeout: Duration) -> Box<Error> {
        let (status, retryable, message) = match self {
            Fault::Cancelled => {
                (Status::Cancelled, false, "The call was cancelled by its cancel token.".to_owned())
            }
            Fault::DeadlinePassed(stage) => (
                Status::TimedOut,
                true,
                format!(
                    "The call was still {} when its timeout_ms ({} ms) had passed; try again later or allow more time.",
                    stage.gerund(),
                    timeout.as_millis()
                ),
            ),
            Fault::ConnectTimedOut(stage, limit) => (
                Status::TimedOut,
                true,
                format!(
                    "The connection was still {} when connect_timeout_ms ({} ms) had passed; check the network or \
                     allow more time.",
                    stage.gerund(),
                    limit.as_millis()
                ),
            ),
            Fault::Resolve { host, why } => (
                Status::ResolveFailed,
                true,
                format!(
                    "The host name {host} could not be resolved ({why}); check base_url and the network's DNS."
                ),
            ),
            Fault::Connect { to, why } => (
                Status::ConnectFailed,
                true,
                format!(
                    "No connection to {to} could be made ({why}); check base_url, the network and any firewall."
                ),
            ),
            Fault::Tls { why, again } => (
                Status::TlsFailed,
                again,
                format!("No secure connection could be made: {why}; the key was not sent."),
            ),
            Fault::TlsEnded(alert) => (
                Status::TlsFailed,
                false,
                format!(
                    "The server ended the secure connection ({alert}); it may want a client certificate, which this \
                     library does not have."
                ),
            ),
            Fault::Proxy { why, again } => (
                Status::ProxyFailed,
                again,
                format!("The proxy made no connection: {why}; check proxy_url or the proxy variables."),
            ),
            Fault::Lost { answered, why } => (
                Status::ConnectionLost,
                true,
                format!(
                    "The connection was lost {} ({why}); try again later.",
                    if answered {
                        "before the whole answer had arrived"
                    } else {
                        "before any answer arrived"
                    }
                ),
            ),
            Fault::Unreadable(Unreadable::Malformed(what)) => (
                Status::BadResponse,
                false,
                format!(
                    "The server's answer could not be read: {what}; check that base_url is Fish Audio's API."
                ),
            ),
            Fault::Unreadable(Unreadable::TooLarge(what)) => (
                Status::ResponseTooLarge,
                false,
                format!(
                    "The server sent {what}, which no answer needs; check that base_url is Fish Audio's API."
                ),
            ),
        };
        let mut error = Error::new(status, message);
        error.retryable = retryable;
        error
    }
}
