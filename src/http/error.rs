//! Transport errors: their phase, their kind and their message. They pass through ureq unchanged, as
//! `ureq::Error::Other`.

use std::fmt;
use std::time::Duration;

use crate::deadline::Interrupted;
use crate::error::Error;
use crate::status::Status;

/// What a call was doing when it failed.
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
    /// connect_timeout_ms passed, but not the call's deadline.
    ConnectTimedOut(Duration),
    /// A kept connection did not respond within its part of the time.
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
    /// The server closed the connection with this alert, after the handshake.
    TlsAlert(String),
    Proxy {
        why: String,
        retryable: bool,
    },
    /// The connection ended too early, and why.
    Lost(&'static str),
    /// What is wrong with the response.
    Malformed(&'static str),
    /// Which part of the response is too large.
    TooLarge(&'static str),
    /// ureq rejected something that this library passed to it.
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
            Phase::Tls => "performing the TLS handshake",
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
    /// From ureq's error, which may contain one of ours. `phase` is what the call was doing.
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
                Protocol::BadContentLengthHeader => Kind::Malformed("its Content-Length is not a number"),
                Protocol::HeadersWith100 => Kind::Malformed("it has a 100 Continue with header fields"),
                Protocol::HttpParseFail(_) | Protocol::UnsupportedVersion => {
                    Kind::Malformed("its head is not valid HTTP")
                }
                Protocol::ChunkLenNotAscii | Protocol::ChunkLenNotANumber | Protocol::ChunkExpectedCrLf => {
                    Kind::Malformed("its chunks are not valid HTTP")
                }
                other => Kind::Internal(other.to_string()),
            },
            // The head was valid, so any other error while receiving is the body's.
            _ if phase == Phase::Receiving => Kind::Malformed("its body cannot be decoded"),
            other => Kind::Internal(other.to_string()),
        })
    }

    /// The call's error. `timeout` is the whole call's, for the message.
    pub(crate) fn into_error(self, timeout: Duration) -> Box<Error> {
        let TransportError { phase, kind } = self;
        let (status, retryable, message) = match kind {
            Kind::Cancelled => (Status::Cancelled, false, "The call was cancelled.".to_owned()),
            Kind::DeadlinePassed | Kind::Silent => (
                Status::TimedOut,
                true,
                format!(
                    "The call exceeded timeout_ms ({} ms) while {}; try again later, or raise it.",
                    timeout.as_millis(),
                    phase.gerund()
                ),
            ),
            Kind::ConnectTimedOut(limit) => (
                Status::TimedOut,
                true,
                format!(
                    "The connection attempt exceeded connect_timeout_ms ({} ms) while {}; check the network, or raise \
                     it.",
                    limit.as_millis(),
                    phase.gerund()
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
                format!("Could not connect to {to} ({why}); check base_url, the network and any firewall."),
            ),
            Kind::Tls { why, retryable } => (
                Status::TlsFailed,
                retryable,
                format!("The TLS connection failed: {why}; the key was not sent."),
            ),
            Kind::TlsAlert(alert) => (
                Status::TlsFailed,
                false,
                format!(
                    "The server closed the TLS connection ({alert}); it may require a client certificate, which this \
                     library does not support."
                ),
            ),
            Kind::Proxy { why, retryable } => (
                Status::ProxyFailed,
                retryable,
                format!("The proxy connection failed: {why}; check proxy_url or the proxy variables."),
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
                format!("The response could not be read: {what}; check that base_url is Fish Audio's API."),
            ),
            Kind::TooLarge(what) => (
                Status::ResponseTooLarge,
                false,
                format!("The response is too large: it has {what}; check that base_url is Fish Audio's API."),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ureq_reports_is_the_servers_fault_only_while_receiving() {
        let from = |error, phase| TransportError::from_ureq(error, phase);
        for phase in [Phase::Connecting, Phase::Sending, Phase::Waiting] {
            let got = from(ureq::Error::ConnectionFailed, phase);
            assert!(matches!(got.kind, Kind::Internal(_)), "{got:?}");
        }
        let undecoded = Phase::Receiving.error(Kind::Malformed("its body cannot be decoded"));
        assert_eq!(from(ureq::Error::ConnectionFailed, Phase::Receiving), undecoded);
        // What it only carried stays as it was.
        let ours = Phase::Resolving.error(Kind::Silent);
        assert_eq!(from(ours.clone().into(), Phase::Receiving), ours);
    }
}
