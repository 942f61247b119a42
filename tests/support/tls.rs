//! The server's side of TLS: certificates, and a connection that can be cut, slowed down or left without a close_notify
//! at any byte.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SignatureAlgorithm,
};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion};

use super::client::{Client, Failure, Options, Query};
use super::server::{Connection, Link, Script, Server, send};

pub const BOTH: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];
pub const ONLY_1_2: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];
pub const ONLY_1_3: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];

/// Signatures of a fixed length, so that a server's flight has one too.
pub fn key_pair() -> KeyPair {
    KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap()
}

/// A certificate authority that only the test knows.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// What a server shows: its certificates and its key.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Authority {
    pub fn new() -> Authority {
        let mut params = CertificateParams::default();
        // One of a name of its own: else a stranger's certificate would seem to be this one's, badly signed.
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let name = format!("fish test authority {}", MADE.fetch_add(1, Ordering::SeqCst));
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        Authority(CertifiedIssuer::self_signed(params, key_pair()).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    pub fn issuer(&self) -> &Issuer<'static, KeyPair> {
        &self.0
    }

    pub fn der(&self) -> &[u8] {
        self.0.der()
    }

    /// Writes it as a ca_file; gives its path.
    pub fn file(&self, folder: &Path) -> String {
        let path = folder.join("ca.pem");
        std::fs::write(&path, self.pem()).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// For this machine, valid now.
    pub fn issue(&self) -> Identity {
        self.issue_for(&["127.0.0.1", "localhost"], |_| {})
    }

    pub fn issue_for(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let key = key_pair();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Identity::new(certificate.der().clone(), &key)
    }

    /// For this machine, through intermediate authorities that are changed so, the uppermost first.
    pub fn issue_through(&self, changes: &[fn(&mut CertificateParams)]) -> Identity {
        let (mut chain, mut above) = (Vec::new(), None::<Issuer<'static, KeyPair>>);
        for (level, change) in changes.iter().enumerate() {
            let own = key_pair();
            let mut params = CertificateParams::default();
            params.distinguished_name.push(rcgen::DnType::CommonName, format!("level {level}"));
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            change(&mut params);
            let signed = params.signed_by(&own, above.as_ref().unwrap_or(&self.0)).unwrap();
            chain.insert(0, signed.der().clone());
            above = Some(Issuer::new(params, own));
        }
        let (key, params) = (key_pair(), CertificateParams::new(["127.0.0.1".to_owned()]).unwrap());
        let signed = params.signed_by(&key, above.as_ref().unwrap_or(&self.0)).unwrap();
        chain.insert(0, signed.der().clone());
        Identity::with_chain(chain, &key)
    }

    /// The authority's own certificate, shown as if it were a server's.
    pub fn itself(&self) -> Identity {
        Identity::new(self.0.der().clone(), self.0.key())
    }
}

impl Identity {
    fn new(certificate: CertificateDer<'static>, key: &KeyPair) -> Identity {
        Identity::with_chain(vec![certificate], key)
    }

    /// Shows all of these. The key is that of the first.
    pub fn with_chain(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> Identity {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Identity { chain, key }
    }

    /// Changes the bytes of the server's own certificate, whose signature is wrong then.
    pub fn altered(mut self, change: impl FnOnce(&mut Vec<u8>)) -> Identity {
        let mut bytes = self.chain[0].to_vec();
        change(&mut bytes);
        self.chain[0] = CertificateDer::from(bytes);
        self
    }

    /// Signed by its own key alone, of this kind; and the certificate as a ca_file.
    pub fn self_signed(names: &[&str], kind: &'static SignatureAlgorithm) -> (Identity, String) {
        let key = KeyPair::generate_for(kind).unwrap();
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        (Identity::new(certificate.der().clone(), &key), certificate.pem())
    }

    pub fn config(self, versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
        let builder =
            ServerConfig::builder_with_provider(provider()).with_protocol_versions(versions).unwrap();
        // Not `with_single_cert`, which refuses some of what a client must refuse.
        let key = provider().key_provider.load_private_key(self.key).unwrap();
        let shown = SingleCertAndKey::from(CertifiedKey::new(self.chain, key));
        builder.with_no_client_auth().with_cert_resolver(Arc::new(shown))
    }

    /// Wants a certificate of its clients too, issued by `authority`.
    pub fn strict_config(
        self,
        authority: &Authority,
        versions: &[&'static SupportedProtocolVersion],
    ) -> ServerConfig {
        let mut roots = RootCertStore::empty();
        roots.add(authority.0.der().clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider()).build().unwrap();
        let builder =
            ServerConfig::builder_with_provider(provider()).with_protocol_versions(versions).unwrap();
        builder.with_client_cert_verifier(verifier).with_single_cert(self.chain, self.key).unwrap()
    }
}

fn provider() -> Arc<CryptoProvider> {
    let mut provider = rustls::crypto::ring::default_provider();
    if std::env::var_os("FISH_HOST_NO_AES").is_some() {
        // valgrind takes the tags that ring's AES-GCM code makes for uninitialised.
        provider.cipher_suites.retain(|suite| format!("{suite:?}").contains("CHACHA20"));
    }
    Arc::new(provider)
}

/// An authority, with its ca_file for clients that trust it.
pub struct Trusted {
    pub authority: Authority,
    pub ca_file: String,
    pub folder: tempfile::TempDir,
}

impl Trusted {
    pub fn new() -> Trusted {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        let ca_file = authority.file(folder.path());
        Trusted { authority, ca_file, folder }
    }

    pub fn config(&self) -> ServerConfig {
        self.authority.issue().config(BOTH)
    }

    pub fn options<'a>(&'a self, url: &'a str) -> Options<'a> {
        Options { ca_file: Some(&self.ca_file), ..Options::once(url) }
    }

    pub fn client(&self, url: &str) -> Client {
        Client::new(&self.options(url)).expect("a client")
    }

    pub fn fails(&self, url: &str) -> Failure {
        self.client(url).get(&Query::default()).expect_err("a failure")
    }
}

/// A server that speaks TLS and leaves the rest to `handler`. A handshake that fails ends the connection.
pub fn server(
    config: ServerConfig,
    handler: impl Fn(Secured) -> io::Result<()> + Send + Sync + 'static,
) -> Server {
    let config = Arc::new(config);
    Server::new(move |link| {
        let mut secured = Secured::new(link, &config);
        secured.handshake()?;
        handler(secured)
    })
}

/// As `Server::directed`, over TLS.
pub fn directed(
    config: ServerConfig,
    director: impl Fn(usize, &[u8]) -> Script + Send + Sync + 'static,
) -> Server {
    server(config, move |mut secured| secured.follow(&director))
}

/// A server that answers every request alike.
pub fn answering(config: ServerConfig, answer: impl Into<Vec<u8>>) -> Server {
    let answer = answer.into();
    directed(config, move |_, _| send(answer.clone()))
}

/// A server's end of a connection. What it sends is encrypted first, and then sent as the test likes.
pub struct Secured {
    pub link: Link,
    pub tls: ServerConnection,
}

impl Secured {
    pub fn new(link: Link, config: &Arc<ServerConfig>) -> Secured {
        let mut tls = ServerConnection::new(Arc::clone(config)).unwrap();
        tls.set_buffer_limit(None);
        Secured { link, tls }
    }

    pub fn handshake(&mut self) -> io::Result<()> {
        while self.tls.is_handshaking() {
            let flight = self.outgoing();
            self.link.write_all(&flight)?;
            if self.tls.is_handshaking() {
                self.incoming()?;
            }
        }
        let rest = self.outgoing();
        self.link.write_all(&rest)
    }

    /// Reads once from the network. An error in TLS is told to the client.
    pub fn incoming(&mut self) -> io::Result<()> {
        if self.tls.read_tls(&mut self.link)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Err(why) = self.tls.process_new_packets() {
            let alert = self.outgoing();
            let _ = self.link.write_all(&alert);
            // Closing on unread bytes would be a reset, which can overtake the alert.
            while self.link.read(&mut [0; 1024]).is_ok_and(|read| read > 0) {}
            return Err(io::Error::other(why));
        }
        Ok(())
    }

    /// What TLS would send now, taken out of it.
    pub fn outgoing(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut bytes).unwrap();
        }
        bytes
    }

    pub fn encrypt(&mut self, plain: &[u8]) -> Vec<u8> {
        self.tls.writer().write_all(plain).unwrap();
        self.outgoing()
    }

    pub fn send(&mut self, plain: &[u8]) -> io::Result<()> {
        let bytes = self.encrypt(plain);
        self.link.write_all(&bytes)
    }

    pub fn trickle(&mut self, plain: &[u8], apart: Duration) -> io::Result<()> {
        let bytes = self.encrypt(plain);
        self.link.trickle(&bytes, apart)
    }

    /// Sends nothing more, and reads what requests still come.
    pub fn fin(&mut self) -> io::Result<()> {
        self.link.shutdown_write()?;
        while self.head()?.is_some() {}
        Ok(())
    }

    pub fn close_notify(&mut self) -> io::Result<()> {
        self.tls.send_close_notify();
        let bytes = self.outgoing();
        self.link.write_all(&bytes)
    }
}

impl Connection for Secured {
    fn link(&mut self) -> &mut Link {
        &mut self.link
    }
}

impl Write for Secured {
    fn write(&mut self, plain: &[u8]) -> io::Result<usize> {
        self.send(plain).map(|()| plain.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Secured {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.tls.reader().read(buffer) {
                Ok(read) => {
                    self.link.log_decrypted(&buffer[..read]);
                    return Ok(read);
                }
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => self.incoming()?,
                Err(why) => return Err(why),
            }
        }
    }
}
