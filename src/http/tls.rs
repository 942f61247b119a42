//! TLS over our sockets, by rustls.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

use rustls::client::{ClientConfig, ClientConnection};
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError};

use crate::deadline::Deadline;
use crate::http::error::{Kind, Phase, TransportError};
use crate::http::tcp::{Tcp, not_yet};
use crate::request::Host;

type Result<T> = std::result::Result<T, TransportError>;

/// A TLS connection after its handshake.
#[derive(Debug)]
pub(crate) struct Tls {
    socket: Tcp,
    session: ClientConnection,
    records: Records,
}

/// Tracks whether the received bytes end within a record (RFC 8446 §5.1). rustls buffers an incomplete record without
/// saying so.
#[derive(Debug, Default)]
struct Records {
    /// How many bytes of the record's header have arrived.
    head: usize,
    /// How many bytes of its fragment are still to come, once the header is complete.
    rest: usize,
}

impl Records {
    /// Type and version, then the length.
    const HEAD: usize = 5;

    fn pass(&mut self, mut bytes: &[u8]) {
        while let [byte, after @ ..] = bytes {
            if self.head == Records::HEAD {
                let some = self.rest.min(bytes.len());
                self.rest -= some;
                bytes = &bytes[some..];
            } else {
                self.head += 1;
                // The last two of the five bytes are the length.
                self.rest = (self.rest << 8 | usize::from(*byte)) & 0xffff;
                bytes = after;
            }
            if self.head == Records::HEAD && self.rest == 0 {
                *self = Records::default();
            }
        }
    }

    fn is_between(&self) -> bool {
        self.head == 0
    }
}

/// The socket for rustls, with its records tracked.
struct Counted<'a>(&'a mut Tcp, &'a mut Records);

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buffer)?;
        self.1.pass(&buffer[..read]);
        Ok(read)
    }
}

impl Tls {
    pub(crate) fn handshake(
        socket: Tcp,
        config: Arc<ClientConfig>,
        host: &Host,
        deadline: &Deadline,
    ) -> Result<Tls> {
        let name = match host {
            Host::Ip(ip) => ServerName::from(*ip),
            Host::Name(name) => match ServerName::try_from(name.trim_end_matches('.').to_owned()) {
                Ok(name) => name,
                Err(_) => return Err(fatal(format!("{name} is not a valid name for a certificate"))),
            },
        };
        let session = ClientConnection::new(config, name).map_err(|why| fatal(explain(&why, host)))?;
        let mut tls = Tls { socket, session, records: Records::default() };
        while tls.session.is_handshaking() {
            tls.flush(Phase::Tls, deadline).map_err(cut_short)?;
            if !tls.session.wants_read() {
                continue;
            }
            tls.socket.readable(Phase::Tls, deadline)?;
            match tls.session.read_tls(&mut Counted(&mut tls.socket, &mut tls.records)) {
                Ok(0) => return Err(cut_short(Phase::Tls.lost("the server closed it"))),
                Ok(_) => {}
                Err(why) if not_yet(&why) => continue,
                Err(why) if is_too_long(&why) => return Err(fatal(TOO_LONG.to_owned())),
                Err(_) => return Err(cut_short(Phase::Tls.lost("the server reset it"))),
            }
            if let Err(why) = tls.session.process_new_packets() {
                // Send the alert if that is possible without waiting.
                let _ = tls.session.write_tls(&mut tls.socket);
                return Err(fatal(explain(&why, host)));
            }
        }
        tls.flush(Phase::Tls, deadline).map_err(cut_short)?;
        Ok(tls)
    }

    pub(crate) fn send(&mut self, mut bytes: &[u8], deadline: &Deadline) -> Result<()> {
        while !bytes.is_empty() {
            let taken =
                self.session.writer().write(bytes).map_err(|_| Phase::Sending.lost("it was closed"))?;
            bytes = &bytes[taken..];
            self.flush(Phase::Sending, deadline)?;
        }
        Ok(())
    }

    /// Returns 0 if the server closed the connection properly.
    pub(crate) fn recv(&mut self, buffer: &mut [u8], phase: Phase, deadline: &Deadline) -> Result<usize> {
        loop {
            match self.session.reader().read(buffer) {
                Ok(read) => return Ok(read),
                Err(why) if why.kind() == ErrorKind::WouldBlock => {}
                // The stream ended without close_notify: an attacker may have truncated it (RFC 8446 §6.1).
                Err(_) => return Err(phase.lost("it was closed without a TLS close_notify")),
            }
            self.socket.readable(phase, deadline)?;
            match self.session.read_tls(&mut Counted(&mut self.socket, &mut self.records)) {
                Ok(_) => {}
                Err(why) if not_yet(&why) => continue,
                Err(why) if is_too_long(&why) => return Err(phase.lost(TOO_LONG)),
                Err(_) => return Err(phase.lost("the server reset it")),
            }
            match self.session.process_new_packets() {
                Ok(_) => {}
                // In TLS 1.3 the server may reject the client after the client has finished the handshake.
                Err(rustls::Error::AlertReceived(alert)) => {
                    return Err(phase.error(Kind::TlsAlert(alert_name(alert))));
                }
                Err(_) => return Err(phase.lost("the server violated the TLS protocol")),
            }
            self.flush(phase, deadline)?;
        }
    }

    /// Whether everything received has been decrypted and read.
    pub(crate) fn is_drained(&mut self) -> bool {
        self.records.is_between()
            && self
                .session
                .process_new_packets()
                .is_ok_and(|state| state.plaintext_bytes_to_read() == 0 && !state.peer_has_closed())
    }

    /// Whether it is open and nothing has arrived, not even a session ticket; servers send those before the first
    /// response.
    pub(crate) fn is_quiet(&mut self) -> bool {
        self.is_drained() && self.socket.is_quiet()
    }

    fn flush(&mut self, phase: Phase, deadline: &Deadline) -> Result<()> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut self.socket) {
                Ok(_) => {}
                Err(why) if not_yet(&why) => self.socket.writable(phase, deadline)?,
                Err(_) => return Err(phase.lost("the server reset it")),
            }
        }
        Ok(())
    }
}

const TOO_LONG: &str = "the server sent a TLS message above 64 KiB";

/// rustls' buffer for one is full.
fn is_too_long(why: &io::Error) -> bool {
    why.kind() == ErrorKind::InvalidData
}

fn fatal(why: String) -> TransportError {
    Phase::Tls.error(Kind::Tls { why, retryable: false })
}

/// A connection that is lost during the handshake is a TLS failure, but retryable.
fn cut_short(error: TransportError) -> TransportError {
    match error.kind {
        Kind::Lost(why) => Phase::Tls
            .error(Kind::Tls { why: format!("the handshake was interrupted ({why})"), retryable: true }),
        _ => error,
    }
}

/// In plain words, not as Debug text.
fn explain(why: &rustls::Error, host: &Host) -> String {
    use rustls::Error as Tls;
    match why {
        Tls::InvalidCertificate(bad) => explain_certificate(bad, host),
        Tls::AlertReceived(AlertDescription::ProtocolVersion) | Tls::PeerIncompatible(_) => {
            "the server offers no secure TLS version or cipher".to_owned()
        }
        Tls::AlertReceived(alert) => {
            let perhaps = match alert {
                // A server with a certificate on P-521 says so too.
                AlertDescription::HandshakeFailure => {
                    ", perhaps because its ciphers or its certificate are of a kind that this library does not support"
                }
                _ => "",
            };
            format!("the server rejected the handshake ({}){perhaps}", alert_name(*alert))
        }
        Tls::InvalidMessage(_) => "the server does not speak TLS (is this an http port?)".to_owned(),
        Tls::NoCertificatesPresented => "the server has no certificate".to_owned(),
        Tls::NoApplicationProtocol => "the server does not offer http/1.1".to_owned(),
        Tls::PeerSentOversizedRecord => "the server sent a record that is too large".to_owned(),
        Tls::InappropriateMessage { .. }
        | Tls::InappropriateHandshakeMessage { .. }
        | Tls::PeerMisbehaved(_)
        | Tls::DecryptError => "the server violated the TLS protocol".to_owned(),
        _ => "the handshake failed".to_owned(),
    }
}

fn explain_certificate(bad: &CertificateError, host: &Host) -> String {
    use CertificateError as Bad;
    let what = match bad {
        Bad::Expired | Bad::ExpiredContext { .. } => "has expired (or this machine's clock is wrong)",
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
            "is not valid yet (or this machine's clock is wrong)"
        }
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
            return format!("the server's certificate is for another host, not for {host}");
        }
        Bad::UnknownIssuer => "has no trusted issuer (see ca_file and tls_roots)",
        Bad::Revoked => "was revoked",
        Bad::BadEncoding => "is not a certificate (it cannot be decoded)",
        Bad::BadSignature => {
            "or one above it has an invalid signature, or one by a key that is too weak, such as RSA below 2048 bits"
        }
        Bad::UnhandledCriticalExtension => "has a critical extension that this library does not support",
        Bad::InvalidPurpose | Bad::InvalidPurposeContext { .. } => "is not for servers",
        Bad::UnsupportedSignatureAlgorithmContext { .. }
        | Bad::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "or one above it has a signature that this library cannot check (it supports RSA of 2048 to 8192 bits, \
             ECDSA on P-256 and P-384 with SHA-256 or SHA-384, and Ed25519)"
        }
        Bad::Other(other) => explain_webpki(other.0.downcast_ref()),
        _ => "or one above it is not valid",
    };
    format!("the server's certificate {what}")
}

/// The errors of webpki that rustls passes on as `Other`.
fn explain_webpki(why: Option<&webpki::Error>) -> &'static str {
    use webpki::Error as Webpki;
    match why {
        Some(Webpki::CaUsedAsEndEntity) => {
            "is that of a certificate authority, which a server may not use; issue one for the server"
        }
        Some(Webpki::EndEntityUsedAsCa) => "was issued by a certificate that may not issue any",
        Some(Webpki::UnsupportedCriticalExtension) => {
            "or one above it has a critical extension that this library does not support"
        }
        Some(Webpki::UnsupportedCertVersion) => "or one above it is not of X.509 version 3",
        Some(Webpki::NameConstraintViolation) => "is for a name that its issuer may not issue for",
        Some(Webpki::PathLenConstraintViolated) => {
            "was issued through more authorities than one of them allows"
        }
        Some(
            Webpki::MaximumSignatureChecksExceeded
            | Webpki::MaximumPathBuildCallsExceeded
            | Webpki::MaximumPathDepthExceeded
            | Webpki::MaximumNameConstraintComparisonsExceeded,
        ) => "has a chain that is too complex to verify",
        _ => "or one above it is not valid",
    }
}

/// As RFC 8446 §6 spells it, such as "handshake_failure".
fn alert_name(alert: AlertDescription) -> String {
    let Some(name) = alert.as_str() else {
        return format!("alert {}", u8::from(alert));
    };
    let mut words = String::with_capacity(name.len() + 4);
    let mut after_lower = false;
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && after_lower {
            words.push('_');
        }
        after_lower = letter.is_ascii_lowercase();
        words.push(letter.to_ascii_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_record_is_found_however_its_bytes_arrive() {
        let record = |length: u16| {
            let [high, low] = length.to_be_bytes();
            [&[23, 3, 3, high, low][..], &vec![0xff; length.into()]].concat()
        };
        let lengths = [0, 1, 255, 256, 257, 16_640, 0, 0, u16::MAX, 2];
        let bytes: Vec<u8> = lengths.into_iter().flat_map(record).collect();
        let ends: Vec<usize> = lengths
            .iter()
            .scan(0, |end, &length| {
                *end += Records::HEAD + usize::from(length);
                Some(*end)
            })
            .collect();
        for step in [1, 2, 3, 5, 7, 4096, 100_000] {
            let (mut records, mut at) = (Records::default(), 0);
            assert!(records.is_between());
            for piece in bytes.chunks(step) {
                records.pass(piece);
                at += piece.len();
                assert_eq!(records.is_between(), ends.contains(&at), "{step}: {at}");
            }
        }
    }

    #[test]
    fn what_ended_a_handshake_is_said_in_words() {
        use rustls::{Error as Tls, InvalidMessage, PeerIncompatible, PeerMisbehaved};
        let host = Host::parse("x.test").unwrap();
        for (why, want) in [
            (
                Tls::AlertReceived(AlertDescription::ProtocolVersion),
                "the server offers no secure TLS version or cipher",
            ),
            (
                Tls::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon),
                "the server offers no secure TLS version or cipher",
            ),
            (
                Tls::AlertReceived(AlertDescription::InternalError),
                "the server rejected the handshake (internal_error)",
            ),
            (
                Tls::AlertReceived(AlertDescription::HandshakeFailure),
                "the server rejected the handshake (handshake_failure), perhaps because its ciphers or its certificate \
                 are of a kind that this library does not support",
            ),
            (
                Tls::InvalidMessage(InvalidMessage::InvalidContentType),
                "the server does not speak TLS (is this an http port?)",
            ),
            (Tls::NoCertificatesPresented, "the server has no certificate"),
            (Tls::NoApplicationProtocol, "the server does not offer http/1.1"),
            (Tls::PeerSentOversizedRecord, "the server sent a record that is too large"),
            (
                Tls::PeerMisbehaved(PeerMisbehaved::TooManyEmptyFragments),
                "the server violated the TLS protocol",
            ),
            (Tls::DecryptError, "the server violated the TLS protocol"),
            (Tls::FailedToGetCurrentTime, "the handshake failed"),
        ] {
            assert_eq!(explain(&why, &host), want);
        }
    }

    #[test]
    fn what_is_wrong_with_a_certificate_is_said_in_words() {
        use CertificateError as Bad;
        let host = Host::parse("x.test").unwrap();
        for (bad, want) in [
            (Bad::BadEncoding, "the server's certificate is not a certificate (it cannot be decoded)"),
            (Bad::Revoked, "the server's certificate was revoked"),
            (
                Bad::UnknownIssuer,
                "the server's certificate has no trusted issuer (see ca_file and tls_roots)",
            ),
            (Bad::NotValidForName, "the server's certificate is for another host, not for x.test"),
            (Bad::Expired, "the server's certificate has expired (or this machine's clock is wrong)"),
            (
                Bad::NotValidYet,
                "the server's certificate is not valid yet (or this machine's clock is wrong)",
            ),
            (
                Bad::UnhandledCriticalExtension,
                "the server's certificate has a critical extension that this library does not support",
            ),
            (Bad::InvalidPurpose, "the server's certificate is not for servers"),
            (Bad::UnknownRevocationStatus, "the server's certificate or one above it is not valid"),
        ] {
            assert_eq!(explain_certificate(&bad, &host), want);
        }
    }

    #[test]
    fn what_webpki_finds_is_said_in_words() {
        use webpki::Error as Webpki;
        for (why, want) in [
            (
                Webpki::CaUsedAsEndEntity,
                "is that of a certificate authority, which a server may not use; issue one for the server",
            ),
            (Webpki::EndEntityUsedAsCa, "was issued by a certificate that may not issue any"),
            (
                Webpki::UnsupportedCriticalExtension,
                "or one above it has a critical extension that this library does not support",
            ),
            (Webpki::UnsupportedCertVersion, "or one above it is not of X.509 version 3"),
            (Webpki::NameConstraintViolation, "is for a name that its issuer may not issue for"),
            (
                Webpki::PathLenConstraintViolated,
                "was issued through more authorities than one of them allows",
            ),
            (Webpki::MaximumPathDepthExceeded, "has a chain that is too complex to verify"),
            (Webpki::UnknownIssuer, "or one above it is not valid"),
        ] {
            assert_eq!(explain_webpki(Some(&why)), want);
        }
        assert_eq!(explain_webpki(None), "or one above it is not valid");
    }
}
