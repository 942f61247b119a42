//! TLS over a socket of ours, by rustls with ring, which is named here and nowhere made the process's default.

use std::io::{BufReader, ErrorKind, Read, Write};
use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ClientConfig, ClientConnection, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{AlertDescription, CertificateError, RootCertStore};

use crate::error::{Error, Result};
use crate::request::Host;
use crate::status::Status;
use crate::transport::fault::{Fault, Stage};
use crate::transport::socket::{Socket, lost, not_yet};
use crate::until::Until;

/// No list of authorities comes near it; Mozilla's is a quarter of a megabyte.
const MAX_CA_FILE: u64 = 16 * 1024 * 1024;

/// Whom to trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Roots<'a> {
    Bundled,
    System,
    File(&'a str),
}

/// What every TLS configuration of a client is made from, in this process and in its forked children.
#[derive(Debug, Clone)]
pub(crate) struct Trust {
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn ServerCertVerifier>,
}

impl Trust {
    pub(crate) fn new(roots: Roots<'_>) -> Result<Trust> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier: Arc<dyn ServerCertVerifier> = match roots {
            Roots::Bundled => {
                let store = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
                verifier(store, &provider)?
            }
            Roots::File(path) => verifier(read_pem(path)?, &provider)?,
            Roots::System => system(&provider)?,
        };
        Ok(Trust { provider, verifier })
    }

    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .expect("ring has the suites of TLS 1.2 and 1.3")
            // The name means that rustls does not choose the verifier; it is one of its own, or the platform's.
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&self.verifier))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Arc::new(config)
    }
}

fn verifier(store: RootCertStore, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>> {
    match WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider)).build() {
        Ok(verifier) => Ok(verifier),
        Err(why) => {
            Err(Error::new(Status::TlsFailed, format!("The certificates to trust are unusable: {why}.")))
        }
    }
}

#[cfg(feature = "system-roots")]
fn system(provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>> {
    match rustls_platform_verifier::Verifier::new(Arc::clone(provider)) {
        Ok(verifier) => Ok(Arc::new(verifier)),
        Err(why) => Err(Error::new(
            Status::TlsFailed,
            format!(
                "The system's certificates could not be read ({why}); install them (often a package named \
                 ca-certificates) or set options.tls_roots to FISH_TLS_ROOTS_BUNDLED."
            ),
        )),
    }
}

#[cfg(not(feature = "system-roots"))]
fn system(_: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>> {
    Err(Error::invalid(
        "options.tls_roots is FISH_TLS_ROOTS_SYSTEM, which this build of the library leaves out; use \
         FISH_TLS_ROOTS_BUNDLED or options.ca_file.",
    ))
}

fn read_pem(path: &str) -> Result<RootCertStore> {
    let refuse =
        |why: String| Error::invalid(format!("options.ca_file {why}; name a PEM file of certificates."));
    let unopened = |why: std::io::Error| refuse(format!("could not be opened ({why})"));
    // Opening a pipe would wait for its other end, and a device may never end.
    if !std::fs::metadata(path).map_err(unopened)?.is_file() {
        return Err(refuse("is not a file".to_owned()));
    }
    let file = std::fs::File::open(path).map_err(unopened)?.take(MAX_CA_FILE);
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_reader_iter(BufReader::new(file)) {
        let certificate = certificate.map_err(|why| refuse(format!("could not be read as PEM ({why})")))?;
        store
            .add(certificate)
            .map_err(|why| refuse(format!("has a certificate that cannot be used ({why})")))?;
    }
    if store.is_empty() {
        return Err(refuse("holds no certificate".to_owned()));
    }
    Ok(store)
}

/// A TLS connection whose handshake is done.
pub(crate) struct TlsStream {
    socket: Socket,
    tls: ClientConnection,
}

impl TlsStream {
    pub(crate) fn handshake(
        socket: Socket,
        config: Arc<ClientConfig>,
        host: &Host,
        until: &Until<'_>,
    ) -> std::result::Result<TlsStream, Fault> {
        let name = match host {
            Host::Ip(ip) => ServerName::from(*ip),
            Host::Name(name) => match ServerName::try_from(name.trim_end_matches('.').to_owned()) {
                Ok(name) => name,
                Err(_) => return Err(fatal(format!("{name} is not a name that a certificate can have"))),
            },
        };
        let tls = ClientConnection::new(config, name).map_err(|why| fatal(why.to_string()))?;
        let mut stream = TlsStream { socket, tls };
        while stream.tls.is_handshaking() {
            stream.flush(Stage::Securing, until).map_err(cut_short)?;
            if !stream.tls.wants_read() {
                continue;
            }
            stream.socket.readable(Stage::Securing, until)?;
            match stream.tls.read_tls(&mut stream.socket) {
                Ok(0) => return Err(cut_short(lost(Stage::Securing, "the server closed it"))),
                Ok(_) => {}
                Err(why) if not_yet(&why) => continue,
                Err(_) => return Err(cut_short(lost(Stage::Securing, "the server reset it"))),
            }
            if let Err(why) = stream.tls.process_new_packets() {
                // Tell the server, as far as it can be told without waiting.
                let _ = stream.tls.write_tls(&mut stream.socket);
                return Err(fatal(explain(&why, host)));
            }
        }
        stream.flush(Stage::Securing, until).map_err(cut_short)?;
        Ok(stream)
    }

    pub(crate) fn send(&mut self, mut bytes: &[u8], until: &Until<'_>) -> std::result::Result<(), Fault> {
        while !bytes.is_empty() {
            let taken = self.tls.writer().write(bytes).map_err(|_| lost(Stage::Sending, "it was closed"))?;
            bytes = &bytes[taken..];
            self.flush(Stage::Sending, until)?;
        }
        Ok(())
    }

    /// 0: the server said that there is no more.
    pub(crate) fn recv(
        &mut self,
        buffer: &mut [u8],
        stage: Stage,
        until: &Until<'_>,
    ) -> std::result::Result<usize, Fault> {
        loop {
            match self.tls.reader().read(buffer) {
                Ok(read) => return Ok(read),
                Err(why) if why.kind() == ErrorKind::WouldBlock => {}
                // The end of the stream without TLS's own word for it: somebody may have cut it (RFC 8446 §6.1).
                Err(_) => return Err(lost(stage, "it was closed without a TLS close_notify")),
            }
            self.socket.readable(stage, until)?;
            match self.tls.read_tls(&mut self.socket) {
                Ok(_) => {}
                Err(why) if not_yet(&why) => continue,
                Err(_) => return Err(lost(stage, "the server reset it")),
            }
            match self.tls.process_new_packets() {
                Ok(_) => {}
                // In TLS 1.3 a server may refuse the client only after the client's handshake is done.
                Err(rustls::Error::AlertReceived(alert)) => {
                    return Err(Fault::TlsEnded(format!("{alert:?}")));
                }
                Err(_) => return Err(lost(stage, "the server broke the TLS protocol")),
            }
            if self.tls.wants_write() {
                self.flush(stage, until)?;
            }
        }
    }

    /// Whether an idle connection is still good: open, and nothing unasked waits in it, nor in what was already
    /// taken off the socket.
    pub(crate) fn is_quiet(&mut self) -> bool {
        match self.socket.is_quiet() {
            Some(true) => {}
            // A session ticket or the like is no answer; anything else is the end of this connection.
            Some(false) => match self.tls.read_tls(&mut self.socket) {
                Ok(1..) => {}
                _ => return false,
            },
            None => return false,
        }
        match self.tls.process_new_packets() {
            Ok(state) => state.plaintext_bytes_to_read() == 0 && !state.peer_has_closed(),
            Err(_) => false,
        }
    }

    fn flush(&mut self, stage: Stage, until: &Until<'_>) -> std::result::Result<(), Fault> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut self.socket) {
                Ok(_) => {}
                Err(why) if not_yet(&why) => self.socket.writable(stage, until)?,
                Err(_) => return Err(lost(stage, "the server reset it")),
            }
        }
        Ok(())
    }
}

fn fatal(why: String) -> Fault {
    Fault::Tls { why, again: false }
}

/// A connection that ends in the handshake may do better next time; it is TLS that failed all the same.
fn cut_short(fault: Fault) -> Fault {
    match fault {
        Fault::Lost { why, .. } => {
            Fault::Tls { why: format!("the handshake was cut short ({why})"), again: true }
        }
        other => other,
    }
}

fn explain(why: &rustls::Error, host: &Host) -> String {
    use rustls::Error as Tls;
    match why {
        Tls::InvalidCertificate(bad) => match bad {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "the server's certificate has expired (or this machine's clock is wrong)".to_owned()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "the server's certificate is not valid yet (or this machine's clock is wrong)".to_owned()
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                format!("the server's certificate is for another host, not for {host}")
            }
            CertificateError::UnknownIssuer => {
                "the server's certificate was issued by nobody who is trusted here (see ca_file and tls_roots)"
                    .to_owned()
            }
            CertificateError::Revoked => "the server's certificate was revoked".to_owned(),
            other => format!("the server's certificate is not valid ({other})"),
        },
        Tls::AlertReceived(AlertDescription::ProtocolVersion) | Tls::PeerIncompatible(_) => {
            format!("the server offers no version or cipher of TLS that is still safe ({why})")
        }
        Tls::AlertReceived(alert) => format!("the server refused the handshake ({alert:?})"),
        Tls::InvalidMessage(_) => "what answered does not speak TLS (is this an http port?)".to_owned(),
        other => format!("the handshake failed ({other})"),
    }
}
