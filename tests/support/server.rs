//! A scripted server on a loopback port: it reads whole requests, keeps their exact bytes, and answers each
//! connection from a script. It ends, with its threads, when it is dropped.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// What to do with one request, in order.
#[derive(Clone, Debug)]
pub enum Step {
    /// Send these bytes.
    Send(Vec<u8>),
    /// Send these bytes one by one, this far apart.
    Trickle(Vec<u8>, Duration),
    /// Close in order (FIN).
    Close,
    /// Close so that the client sees a reset (RST).
    Reset,
    /// Say nothing until the client has gone or the server is dropped.
    Stall,
    /// Say nothing for that long.
    Rest(Duration),
    /// Send these bytes that many times, or until nobody takes them any more.
    Flood(Vec<u8>, u64),
}

/// The answer to one request: its steps. The connection stays open after them unless one closed it.
pub type Script = Vec<Step>;

/// A whole answer with this status and body, and a Content-Length.
pub fn answer(status: u16, fields: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut bytes =
        format!("HTTP/1.1 {status} Scripted\r\n{fields}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

pub fn send(bytes: impl Into<Vec<u8>>) -> Script {
    vec![Step::Send(bytes.into())]
}

/// A document with nothing unusual about it.
pub const DOCUMENT: &str = r#"{"_id":"0123456789abcdef0123456789abcdef","user_id":"fedcba9876543210fedcba9876543210","credit":"12.345678","cumulative_top_up":"20.00","created_at":"2025-01-02T03:04:05Z","updated_at":"2026-08-01T12:34:56.789012Z","has_phone_sha256":true,"has_free_credit":null}"#;

pub fn ok() -> Script {
    send(answer(200, "Content-Type: application/json\r\n", DOCUMENT))
}

/// Decides the answer to request number `n` (from 0, over all connections).
pub type Director = dyn Fn(usize, &[u8]) -> Script + Send + Sync;

pub struct Server {
    address: SocketAddr,
    state: Arc<State>,
    accepting: Option<JoinHandle<()>>,
}

struct State {
    director: Box<Director>,
    log: Mutex<Log>,
    changed: Condvar,
    over: AtomicBool,
    flooded: AtomicU64,
}

#[derive(Default)]
struct Log {
    connections: usize,
    requests: Vec<Vec<u8>>,
    open: Vec<(TcpStream, SocketAddr)>,
    threads: Vec<JoinHandle<()>>,
}

impl Server {
    /// Answers the first request with the first script and so on; the last one again and again.
    pub fn scripted(scripts: Vec<Script>) -> Server {
        assert!(!scripts.is_empty());
        Server::directed(move |n, _| scripts[n.min(scripts.len() - 1)].clone())
    }

    pub fn directed(director: impl Fn(usize, &[u8]) -> Script + Send + Sync + 'static) -> Server {
        Server::on("127.0.0.1:0", director)
    }

    pub fn on(address: &str, director: impl Fn(usize, &[u8]) -> Script + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind(address).expect("a loopback port");
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            director: Box::new(director),
            log: Mutex::default(),
            changed: Condvar::new(),
            over: AtomicBool::new(false),
            flooded: AtomicU64::new(0),
        });
        let own = Arc::clone(&state);
        let accepting = std::thread::spawn(move || accept(&listener, &own));
        Server { address, state, accepting: Some(accepting) }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The exact bytes of every request so far, heads only (a GET has no body).
    pub fn requests(&self) -> Vec<Vec<u8>> {
        self.state.log.lock().unwrap().requests.clone()
    }

    pub fn connections(&self) -> usize {
        self.state.log.lock().unwrap().connections
    }

    /// How many connections are open now, as the server sees it.
    pub fn open_connections(&self) -> usize {
        self.state.log.lock().unwrap().open.len()
    }

    /// Waits until so many connections are open.
    pub fn await_open_connections(&self, count: usize) {
        let log = self.state.log.lock().unwrap();
        let waited = self
            .state
            .changed
            .wait_timeout_while(log, Duration::from_secs(30), |log| log.open.len() != count)
            .unwrap();
        let open = waited.0.open.len();
        drop(waited);
        assert_eq!(open, count, "connections stayed open");
    }

    /// How many bytes all floods together have got rid of.
    pub fn flooded(&self) -> u64 {
        self.state.flooded.load(Ordering::SeqCst)
    }

    /// Sends bytes that nobody asked for on every connection that is open now.
    pub fn send_unasked(&self, bytes: &[u8]) {
        for (stream, _) in &mut self.state.log.lock().unwrap().open {
            let _ = stream.write_all(bytes);
        }
    }

    /// Waits until so many requests have arrived.
    pub fn await_requests(&self, count: usize) {
        let log = self.state.log.lock().unwrap();
        let waited = self
            .state
            .changed
            .wait_timeout_while(log, Duration::from_secs(30), |log| log.requests.len() < count)
            .unwrap();
        let came = waited.0.requests.len();
        drop(waited);
        assert!(came >= count, "{count} requests never came, only {came}");
    }

    /// Closes every connection that is open now, as a server does with idle ones.
    pub fn close_connections(&self) {
        for (stream, _) in self.state.log.lock().unwrap().open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.state.over.store(true, Ordering::SeqCst);
        // Wakes the accept.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        let threads = {
            let mut log = self.state.log.lock().unwrap();
            for (stream, _) in log.open.drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
            self.state.changed.notify_all();
            std::mem::take(&mut log.threads)
        };
        for thread in threads {
            let _ = thread.join();
        }
    }
}

fn accept(listener: &TcpListener, state: &Arc<State>) {
    loop {
        let accepted = listener.accept();
        if state.over.load(Ordering::SeqCst) {
            return;
        }
        let Ok((stream, peer)) = accepted else { continue };
        let Ok(copy) = stream.try_clone() else { continue };
        let _ = stream.set_nodelay(true);
        let own = Arc::clone(state);
        let mut log = state.log.lock().unwrap();
        log.connections += 1;
        log.open.push((copy, peer));
        log.threads.retain(|thread| !thread.is_finished());
        log.threads.push(std::thread::spawn(move || {
            // The log's copy goes before ours does: a reset is one only if no other descriptor is left.
            let mut stream = stream;
            let _ = serve(&mut stream, &own);
            forget(&own, peer);
        }));
    }
}

fn serve(stream: &mut TcpStream, state: &State) -> io::Result<()> {
    let mut unread = Vec::new();
    while let Some(request) = read_head(stream, &mut unread)? {
        let number = {
            let mut log = state.log.lock().unwrap();
            log.requests.push(request.clone());
            state.changed.notify_all();
            log.requests.len() - 1
        };
        for step in (state.director)(number, &request) {
            match step {
                Step::Send(bytes) => stream.write_all(&bytes)?,
                Step::Trickle(bytes, apart) => {
                    for byte in bytes {
                        if !rest(state, apart) {
                            return Ok(());
                        }
                        stream.write_all(&[byte])?;
                    }
                }
                Step::Close => return stream.shutdown(Shutdown::Both),
                Step::Reset => {
                    socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO))?;
                    return Ok(());
                }
                Step::Rest(length) => {
                    if !rest(state, length) {
                        return Ok(());
                    }
                }
                Step::Flood(piece, times) => {
                    for _ in 0..times {
                        stream.write_all(&piece)?;
                        state.flooded.fetch_add(piece.len() as u64, Ordering::SeqCst);
                    }
                }
                Step::Stall => {
                    while stream.read(&mut [0; 4096])? > 0 {}
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// Drops the log's copy of a stream, so that closing ours closes it.
fn forget(state: &State, peer: SocketAddr) {
    let mut log = state.log.lock().unwrap();
    log.open.retain(|(_, open)| *open != peer);
    state.changed.notify_all();
}

/// Waits that long; false if the server is over.
fn rest(state: &State, length: Duration) -> bool {
    let log = state.log.lock().unwrap();
    let over = |_: &mut Log| !state.over.load(Ordering::SeqCst);
    drop(state.changed.wait_timeout_while(log, length, over).unwrap());
    !state.over.load(Ordering::SeqCst)
}

/// A request's head with its empty line; `None` when the client has closed.
pub fn read_head(stream: &mut impl Read, unread: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    loop {
        if let Some(end) = unread.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = unread.split_off(end + 4);
            return Ok(Some(std::mem::replace(unread, rest)));
        }
        let mut piece = [0; 4096];
        match stream.read(&mut piece)? {
            0 => return Ok(None),
            read => unread.extend_from_slice(&piece[..read]),
        }
    }
}
