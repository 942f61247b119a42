//! The server that all contenders use: HTTP/1.1 on loopback with keep-alive, each response in one write. The credit's
//! last digit alternates, so that a watch sees changes. It runs in the benchmark's own process, which is not measured.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

const BODY: &str = concat!(
    r#"{"_id":"66f1a2b3c4d5e6f708192a3b4c5d6e7f","user_id":"0123456789abcdef0123456789abcdef","#,
    r#""credit":"12.34567~","created_at":"2025-03-01T12:34:56.789012Z","updated_at":"2026-08-01T01:02:03Z","#,
    r#""has_phone_sha256":true,"has_free_credit":null}"#,
);

pub struct Server {
    pub address: SocketAddr,
    /// The file of the authority that signed its certificate; `None`: plain http.
    pub ca_file: Option<PathBuf>,
}

impl Server {
    pub fn http() -> Server {
        Server { address: listen(None), ca_file: None }
    }

    /// Starts it with a new certificate, whose authority is written to `directory`.
    pub fn https(directory: &Path) -> Server {
        let mut authority = CertificateParams::default();
        // OpenSSL treats a certificate with the same name as its issuer as self-signed.
        authority.distinguished_name.push(DnType::CommonName, "The benchmark's authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let ca_file = directory.join("authority.pem");
        std::fs::write(&ca_file, authority.self_signed(&key).unwrap().pem()).unwrap();
        let issuer = Issuer::new(authority, key);
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.into()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        Server { address: listen(Some(Arc::new(config))), ca_file: Some(ca_file) }
    }
}

/// Serves each connection on its own thread until the benchmark ends.
fn listen(tls: Option<Arc<ServerConfig>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let socket = socket.unwrap();
            socket.set_nodelay(true).unwrap();
            let tls = tls.clone();
            thread::spawn(move || match tls {
                None => serve(socket),
                Some(config) => serve(StreamOwned::new(ServerConnection::new(config).unwrap(), socket)),
            });
        }
    });
    address
}

fn serve(mut stream: impl Read + Write) {
    let response = format!(
        "HTTP/1.1 200 OK\r\nDate: Sat, 01 Aug 2026 01:02:03 GMT\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: keep-alive\r\n\r\n{BODY}",
        BODY.len()
    );
    let mut responses = ["8", "9"].map(|digit| response.replace('~', digit)).into_iter().cycle();
    let mut request = [0; 4096];
    let mut filled = 0;
    loop {
        match stream.read(&mut request[filled..]) {
            Ok(0) | Err(_) => return,
            Ok(read) => filled += read,
        }
        if request[..filled].ends_with(b"\r\n\r\n") {
            filled = 0;
            if stream
                .write_all(responses.next().unwrap_or_default().as_bytes())
                .and_then(|()| stream.flush())
                .is_err()
            {
                return;
            }
        }
    }
}
