//! TLS over a socket of ours, by rustls.

use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;

use rustls::client::{ClientConfig, ClientConnection};
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError};

use crate::deadline::Deadline;
use crate::http::error::{Kind, Phase, TransportError};
use crate::http::tcp::{Tcp, not_yet};
use crate::request::Host;

type Result<T> = std::result::Result<T, TransportError>;

/// A TLS connection whose handshake is done.
#[derive(Debug)]
pub(crate) struct Tls {
    socket: Tcp,
    session: ClientConnection,
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
                Err(_) => return Err(fatal(format!("{name} is not a name that a certificate can have"))),
            },
        };
        let session = ClientConnection::new(config, name).map_err(|why| fatal(explain(&why, host)))?;
        let mut tls = Tls { socket, session };
        while tls.session.is_handshaking() {
            tls.flush(Phase::Tls, deadline).map_err(cut_short)?;
            if !tls.session.wants_read() {
                continue;
            }
            tls.socket.readable(Phase::Tls, deadline)?;
            match tls.session.read_tls(&mut tls.socket) {
                Ok(0) => return Err(cut_short(Phase::Tls.lost("the server closed it"))),
                Ok(_) => {}
                Err(why) if not_yet(&why) => continue,
                Err(_) => return Err(cut_short(Phase::Tls.lost("the server reset it"))),
            }
            if let Err(why) = tls.session.process_new_packets() {
                // Tell the server, as far as it can be told without waiting.
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

    /// 0: the server said that there is no more.
    pub(crate) fn recv(&mut self, buffer: &mut [u8], phase: Phase, deadline: &Deadline) -> Result<usize> {
        loop {
            match self.session.reader().read(buffer) {
                Ok(read) => return Ok(read),
                Err(why) if why.kind() == ErrorKind::WouldBlock => {}
                // The end of the stream without TLS's own word for it: somebody may have cut it (RFC 8446 §6.1).
                Err(_) => return Err(phase.lost("it was closed without a TLS close_notify")),
            }
            self.socket.readable(phase, deadline)?;
            match self.session.read_tls(&mut self.socket) {
                Ok(_) => {}
                Err(why) if not_yet(&why) => continue,
                Err(_) => return Err(phase.lost("the server reset it")),
            }
            match self.session.process_new_packets() {
                Ok(_) => {}
                // In TLS 1.3 a server may refuse the client only after the client's handshake is done.
                Err(rustls::Error::AlertReceived(alert)) => {
                    return Err(phase.error(Kind::TlsAlert(alert_name(alert))));
                }
                Err(_) => return Err(phase.lost("the server broke the TLS protocol")),
            }
            self.flush(phase, deadline)?;
        }
    }

    /// Whether everything that was decrypted has been read.
    pub(crate) fn is_drained(&mut self) -> bool {
        self.session
            .process_new_packets()
            .is_ok_and(|state| state.plaintext_bytes_to_read() == 0 && !state.peer_has_closed())
    }

    /// Whether it is open and nothing has arrived, not even what is no answer, such as a session ticket: a server
    /// sends those before its first answer.
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

fn fatal(why: String) -> TransportError {
    Phase::Tls.error(Kind::Tls { why, retryable: false })
}

/// A connection that ends in the handshake may do better next time; it is TLS that failed all the same.
fn cut_short(error: TransportError) -> TransportError {
    match error.kind {
        Kind::Lost(why) => Phase::Tls
            .error(Kind::Tls { why: format!("the handshake was cut short ({why})"), retryable: true }),
        _ => error,
    }
}

/// In words; never in those of a type's Debug text.
fn explain(why: &rustls::Error, host: &Host) -> String {
    use rustls::Error as Tls;
    match why {
        Tls::InvalidCertificate(bad) => explain_certificate(bad, host),
        Tls::AlertReceived(AlertDescription::ProtocolVersion) | Tls::PeerIncompatible(_) => {
            "the server offers no version or cipher of TLS that is still safe".to_owned()
        }
        Tls::AlertReceived(alert) => format!("the server refused the handshake ({})", alert_name(*alert)),
        Tls::InvalidMessage(_) => "what answered does not speak TLS (is this an http port?)".to_owned(),
        Tls::NoCertificatesPresented => "the server has no certificate".to_owned(),
        Tls::NoApplicationProtocol => "the server does not offer http/1.1".to_owned(),
        Tls::PeerSentOversizedRecord => "the server sent a record that is too large".to_owned(),
        Tls::InappropriateMessage { .. }
        | Tls::InappropriateHandshakeMessage { .. }
        | Tls::PeerMisbehaved(_)
        | Tls::DecryptError => "the server broke the TLS protocol".to_owned(),
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
        Bad::UnknownIssuer => "was issued by nobody who is trusted here (see ca_file and tls_roots)",
        Bad::Revoked => "was revoked",
        Bad::BadEncoding => "is not a certificate (it cannot be decoded)",
        Bad::BadSignature => "has a signature that is wrong",
        Bad::UnhandledCriticalExtension => "has a critical extension that this library does not know",
        Bad::InvalidPurpose | Bad::InvalidPurposeContext { .. } => "is not one for servers",
        Bad::UnsupportedSignatureAlgorithmContext { .. }
        | Bad::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "or one above it has a signature that this library cannot check (it knows RSA of 2048 to 8192 bits, ECDSA \
             on P-256 and P-384, and Ed25519)"
        }
        Bad::Other(other) => explain_webpki(other.0.downcast_ref()),
        _ => "or one above it is not valid",
    };
    format!("the server's certificate {what}")
}

/// What webpki says that rustls has no word for.
fn explain_webpki(why: Option<&webpki::Error>) -> &'static str {
    use webpki::Error as Webpki;
    match why {
        Some(Webpki::CaUsedAsEndEntity) => {
            "is that of a certificate authority, which no server may use; have one issued for it"
        }
        Some(Webpki::EndEntityUsedAsCa) => "was issued by a certificate that may not issue any",
        Some(Webpki::UnsupportedCriticalExtension) => {
            "or one above it has a critical extension that this library does not know"
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
        ) => "comes with a chain that is too complicated to verify",
        _ => "or one above it is not valid",
    }
}

/// As RFC 8446 §6 spells it, such as "handshake_failure".
fn alert_name(alert: AlertDescription) -> String {
    let Some(name) = alert.as_str() else {
        return format!("alert {}", u8::from(alert));
    };
    let mut words = String::with_capacity(name.len() + 4);
    for (at, letter) in name.char_indices() {
        let after_lower = name[..at].ends_with(|before: char| before.is_ascii_lowercase());
        if letter.is_ascii_uppercase() && after_lower {
            words.push('_');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}
