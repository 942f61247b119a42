//! The server that the host programs talk to, plain and over TLS. The first part of a request's path says how it
//! behaves, so a program picks a behaviour by its base_url: `http://127.0.0.1:PORT/hang`.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

const DOCUMENT: &str = r#"{"_id":"wallet","user_id":"user","credit":"12.345678","cumulative_top_up":"50","created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05.678901Z","has_phone_sha256":true,"has_free_credit":null}"#;
const FIELD_ERRORS: &str = r#"[{"loc":["query","check_free_credit"],"type":"bool_parsing","msg":"not a boolean","in":"query","ctx":{"given":"perhaps"}}]"#;

pub struct Servers {
    pub plain: SocketAddr,
    pub tls: SocketAddr,
    /// The certificate to trust for `localhost` and `named.test`.
    pub ca_file: PathBuf,
}

impl Servers {
    pub fn start(scratch: &Path) -> Servers {
        let names = vec!["localhost".to_owned(), "named.test".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let ca_file = scratch.join("ca.pem");
        std::fs::write(&ca_file, made.cert.pem()).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let mut provider = rustls::crypto::ring::default_provider();
        if std::env::var_os("FISH_HOST_NO_AES").is_some() {
            // valgrind takes the tags that ring's AES-GCM code makes for uninitialised.
            provider.cipher_suites.retain(|suite| format!("{suite:?}").contains("CHACHA20"));
        }
        let config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let config = Arc::new(config);
        Servers {
            plain: listen(serve),
            tls: listen(move |tcp| {
                let tls = ServerConnection::new(Arc::clone(&config)).map_err(io::Error::other)?;
                serve(StreamOwned::new(tls, tcp))
            }),
            ca_file,
        }
    }
}

fn listen(serve: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let serve = Arc::clone(&serve);
            // The client going away is part of most tests.
            thread::spawn(move || stream.and_then(|stream| serve(stream)));
        }
    });
    address
}

/// Answers requests on one connection until it ends.
fn serve<S: Read + Write>(mut stream: S) -> io::Result<()> {
    loop {
        let behaviour = request(&mut stream)?;
        match behaviour.as_str() {
            "ok" => answer(&mut stream, "200 OK", "", DOCUMENT)?,
            // Says that the connection stays, and closes it: the next request meets a dead one.
            "shut" => return answer(&mut stream, "200 OK", "", DOCUMENT),
            "unprocessable" => answer(&mut stream, "422 Unprocessable Entity", "", FIELD_ERRORS)?,
            "later" => answer(&mut stream, "503 Service Unavailable", "Retry-After: 1\r\n", "{}")?,
            "drop" => return Ok(()),
            "drip" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")?;
                loop {
                    stream.write_all(b" ")?;
                    stream.flush()?;
                    thread::sleep(Duration::from_millis(20));
                }
            }
            "hang" => {
                // Until the client has had enough.
                while stream.read(&mut [0; 64])? > 0 {}
                return Ok(());
            }
            other => panic!("no such behaviour: {other}"),
        }
    }
}

/// Reads a request's head; gives the first part of its path.
fn request<S: Read>(stream: &mut S) -> io::Result<String> {
    let mut head = Vec::new();
    let mut buffer = [0; 2048];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => head.extend(&buffer[..read]),
        }
    }
    let head = String::from_utf8_lossy(&head);
    let path = head.split(' ').nth(1).unwrap_or_default();
    Ok(path.split('/').nth(1).unwrap_or_default().to_owned())
}

fn answer<S: Write>(stream: &mut S, status: &str, fields: &str, body: &str) -> io::Result<()> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{fields}\r\n"
    );
    stream.write_all(format!("{head}{body}").as_bytes())?;
    stream.flush()
}
