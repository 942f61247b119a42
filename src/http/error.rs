//! What can go wrong between this machine and the server: in which phase, of which kind, and the sentence that it
//! becomes. It travels through ureq as `ureq::Error::Other` and comes out as it went in.

use std::fmt;
use std::time::Duration;

use crate::deadline::Interrupted;
use crate::error::Error;
use crate::status::Status;

/// What a call was doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Resolving,
    Connecting,
    Proxy,
    Tls,
    Sending,
    Waiting,
    Receiving,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TransportError {
    pub phase: Phase,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Cancelled,
    /// The call's own deadline passed.
    DeadlinePassed,
    /// connect_timeout_ms passed, the deadline did not.
    ConnectTimedOut(Duration),
    /// A kept connection did not answer in its share of the time.
    Silent,
    NotResolved {
        host: String,
        why: String,
    },
    NotConnected {
        to: String,
        why: String,
    },
    Tls {
        why: String,
        retryable: bool,
    },
    /// The server ended a connection whose handshake was done, with this alert.
    TlsAlert(String),
    Proxy {
        why: String,
        retryable: bool,
    },
    /// The connection ended too early.
    Lost(&'static str),
    /// What is wrong with the response.
    Malformed(&'static str),
    /// What of the response is too large.
    TooLarge(&'static str),
    /// ureq refused what this library gave it.
    Internal(String),
}

impl Phase {
    pub(crate) fn interrupted(self, interrupted: Interrupted) -> TransportError {
        self.error(match interrupted {
            Interrupted::Cancelled => Kind::Cancelled,
            Interrupted::DeadlinePassed => Kind::DeadlinePassed,
        })
    }

    pub(crate) fn error(self, kind: Kind) -> TransportError {
        TransportError { phase: self, kind }
    }

    pub(crate) fn lost(self, why: &'static str) -> TransportError {
        self.error(Kind::Lost(why))
    }

    fn gerund(self) -> &'static str {
        match self {
            Phase::Resolving => "resolving the host name",
            Phase::Connecting => "connecting",
            Phase::Proxy => "waiting for the proxy",
            Phase::Tls => "in the TLS handshake",
            Phase::Sending => "sending the request",
            Phase::Waiting => "waiting for the response",
            Phase::Receiving => "receiving the response",
        }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.phase.gerund())
    }
}

impl std::error::Error for TransportError {}

impl From<TransportError> for ureq::Error {
    fn from(error: TransportError) -> ureq::Error {
        ureq::Error::Other(Box::new(error))
    }
}

impl TransportError {
    /// What came out of ureq: our own error as it went in, or one of ureq's. `phase` is where the call was.
    pub(crate) fn from_ureq(error: ureq::Error, phase: Phase) -> TransportError {
        use ureq_proto::Error as Protocol;
        phase.error(match error {
            ureq::Error::Other(inside) => match inside.downcast::<TransportError>() {
                Ok(ours) => return *ours,
                Err(other) => Kind::Internal(other.to_string()),
            },
            ureq::Error::Io(_) | ureq::Error::BodyStalled => Kind::Lost("the server closed it"),
            ureq::Error::LargeResponseHeader(..) => Kind::TooLarge("a head above 64 KiB"),
            ureq::Error::Protocol(broken) => match broken {
                Protocol::HttpParseTooManyHeaders => Kind::TooLarge("more than 100 header fields"),
                Protocol::TooManyContentLengthHeaders => {
                    Kind::Malformed("it has two different Content-Lengths")
                }
                Protocol::BadContentLengthHeader => Kind::Malformed("its Content-Length is no number"),
                Protocol::HeadersWith100 => Kind::Malformed("it has a 100 Continue with header fields"),
                Protocol::HttpParseFail(_) | Protocol::UnsupportedVersion => {
                    Kind::Malformed("its head is not valid HTTP")
                }
                Protocol::ChunkLenNotAscii | Protocol::ChunkLenNotANumber | Protocol::ChunkExpectedCrLf => {
                    Kind::Malformed("its chunks are not valid HTTP")
                }
                other => Kind::Internal(other.to_string()),
            },
            // Of the head all is known; what else can go wrong with a body is its sender's doing.
            _ if phase == Phase::Receiving => Kind::Malformed("its body cannot be decoded"),
            other => Kind::Internal(other.to_string()),
        })
    }

    /// As the call's error. `timeout` is the whole call's, for the sentence.
    pub(crate) fn into_error(self, timeout: Duration) -> Box<Error> {
        let TransportError { phase, kind } = self;
        let (status, retryable, message) = match kind {
            Kind::Cancelled => (Status::Cancelled, false, "The call was cancelled.".to_owned()),
            Kind::DeadlinePassed | Kind::Silent => (
                Status::TimedOut,
                true,
                format!(
                    "The call was still {} when its timeout_ms ({} ms) had passed; try again later or allow more time.",
                    phase.gerund(),
                    timeout.as_millis()
                ),
            ),
            Kind::ConnectTimedOut(limit) => (
                Status::TimedOut,
                true,
                format!(
                    "The connection was still {} when connect_timeout_ms ({} ms) had passed; check the network or \
                     allow more time.",
                    phase.gerund(),
                    limit.as_millis()
                ),
            ),
            Kind::NotResolved { host, why } => (
                Status::ResolveFailed,
                true,
                format!(
                    "The host name {host} could not be resolved ({why}); check base_url and the network's DNS."
                ),
            ),
            Kind::NotConnected { to, why } => (
                Status::ConnectFailed,
                true,
                format!(
                    "No connection to {to} could be made ({why}); check base_url, the network and any firewall."
                ),
            ),
            Kind::Tls { why, retryable } => (
                Status::TlsFailed,
                retryable,
                format!("No secure connection could be made: {why}; the key was not sent."),
            ),
            Kind::TlsAlert(alert) => (
                Status::TlsFailed,
                false,
                format!(
                    "The server ended the secure connection ({alert}); it may want a client certificate, which this \
                     library does not have."
                ),
            ),
            Kind::Proxy { why, retryable } => (
                Status::ProxyFailed,
                retryable,
                format!("The proxy made no connection: {why}; check proxy_url or the proxy variables."),
            ),
            Kind::Lost(why) => (
                Status::ConnectionLost,
                true,
                format!(
                    "The connection was lost {} ({why}); try again later.",
                    if phase == Phase::Receiving {
                        "before the whole response had arrived"
                    } else {
                        "before any response arrived"
                    }
                ),
            ),
            Kind::Malformed(what) => (
                Status::BadResponse,
                false,
                format!(
                    "The server's response could not be read: {what}; check that base_url is Fish Audio's API."
                ),
            ),
            Kind::TooLarge(what) => (
                Status::ResponseTooLarge,
                false,
                format!(
                    "The server sent {what}, which no response needs; check that base_url is Fish Audio's API."
                ),
            ),
            Kind::Internal(why) => (
                Status::InternalError,
                false,
                format!("The library has a bug; please report this text: {why}."),
            ),
        };
        let mut error = Error::new(status, message);
        error.retryable = retryable;
        error
    }
}
