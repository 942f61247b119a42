//! The server of all tests, on a loopback port. A closure handles each connection (speaks TLS, acts as a proxy, answers
//! nonsense, stays silent), or each request is answered from a script. It records what it receives, and ends with its
//! threads when it is dropped.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};

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
    /// Send nothing until the client closes or the server is dropped.
    Stall,
    /// Send nothing for that long.
    Rest(Duration),
    /// Send these bytes that many times, or until the client closes.
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

/// `DOCUMENT` with another balance.
pub fn document(credit: &str) -> String {
    DOCUMENT.replace("12.345678", credit)
}

pub fn ok() -> Script {
    send(answer(200, "Content-Type: application/json\r\n", DOCUMENT))
}

/// A server that answers every request with this script.
pub fn always(script: Script) -> Server {
    Server::scripted(vec![script])
}

pub struct Server {
    address: SocketAddr,
    state: Arc<State>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    log: Mutex<Log>,
    changed: Condvar,
    over: AtomicBool,
    flooded: AtomicU64,
}

#[derive(Default)]
struct Log {
    connections: usize,
    ended: usize,
    requests: Vec<Vec<u8>>,
    received: Vec<u8>,
    decrypted: Vec<u8>,
    /// The connections that are open, each with a copy of its socket for as long as others may use it.
    open: Vec<(usize, Option<TcpStream>)>,
    threads: Vec<JoinHandle<()>>,
}

impl Server {
    /// Hands each connection to `handler`, on a thread of its own.
    pub fn new(handler: impl Fn(Link) -> io::Result<()> + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let own = Arc::clone(&state);
        let handler = Arc::new(handler);
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if own.over.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let Ok(copy) = stream.try_clone() else { continue };
                let _ = stream.set_nodelay(true);
                let mut log = own.log.lock().unwrap();
                let number = log.connections;
                log.connections += 1;
                log.open.push((number, Some(copy)));
                log.threads.retain(|thread| !thread.is_finished());
                let link = Link { number, stream, unread: Vec::new(), request: 0, state: Arc::clone(&own) };
                let (handler, state) = (Arc::clone(&handler), Arc::clone(&own));
                log.threads.push(std::thread::spawn(move || {
                    let _ = handler(link);
                    let mut log = state.log.lock().unwrap();
                    log.open.retain(|(open, _)| *open != number);
                    log.ended += 1;
                    drop(log);
                    state.changed.notify_all();
                }));
                drop(log);
                own.changed.notify_all();
            }
        });
        Server { address, state, accepting: Some(accepting) }
    }

    /// Answers request number `n` (from 0, over all connections) as `director` says.
    pub fn directed(director: impl Fn(usize, &[u8]) -> Script + Send + Sync + 'static) -> Server {
        Server::new(move |mut link| link.follow(&director))
    }

    /// Answers the first request with the first script and so on; the last one again and again.
    pub fn scripted(scripts: Vec<Script>) -> Server {
        assert!(!scripts.is_empty());
        Server::directed(move |n, _| scripts[n.min(scripts.len() - 1)].clone())
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn https_url(&self) -> String {
        format!("https://{}", self.address)
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

    /// Every byte that arrived, and every byte that was under TLS.
    pub fn received(&self) -> Vec<u8> {
        let log = self.state.log.lock().unwrap();
        [&log.received[..], &log.decrypted[..]].concat()
    }

    pub fn saw(&self, text: &str) -> bool {
        self.times_saw(text) > 0
    }

    pub fn times_saw(&self, text: &str) -> usize {
        self.received().windows(text.len()).filter(|window| *window == text.as_bytes()).count()
    }

    /// How many bytes all floods together have sent.
    pub fn flooded(&self) -> u64 {
        self.state.flooded.load(Ordering::SeqCst)
    }

    pub fn await_connections(&self, count: usize) {
        self.wait(|log| log.connections >= count);
    }

    /// Waits until so many requests have arrived.
    pub fn await_requests(&self, count: usize) {
        self.wait(|log| log.requests.len() >= count);
    }

    /// Waits until so many connections are open.
    pub fn await_open_connections(&self, count: usize) {
        self.wait(|log| log.open.len() == count);
    }

    /// Waits until so many connections have been handled to their end.
    pub fn await_ended(&self, count: usize) {
        self.wait(|log| log.ended >= count);
    }

    #[track_caller]
    fn wait(&self, done: impl Fn(&Log) -> bool) {
        let log = self.state.log.lock().unwrap();
        let limit = Duration::from_secs(30);
        let (log, waited) = self.state.changed.wait_timeout_while(log, limit, |log| !done(log)).unwrap();
        let counts = (log.connections, log.open.len(), log.ended, log.requests.len());
        drop(log);
        assert!(!waited.timed_out(), "connections, open ones, ended ones, requests: {counts:?}");
    }

    /// Sends unsolicited bytes on every connection that is open now.
    pub fn send_unasked(&self, bytes: &[u8]) {
        for stream in self.state.log.lock().unwrap().open.iter_mut().filter_map(|(_, open)| open.as_mut()) {
            let _ = stream.write_all(bytes);
        }
    }

    /// Closes every connection that is open now, as a server does with idle ones.
    pub fn close_connections(&self) {
        for stream in self.state.log.lock().unwrap().open.drain(..).filter_map(|(_, open)| open) {
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
        self.close_connections();
        self.state.changed.notify_all();
        let threads = std::mem::take(&mut self.state.log.lock().unwrap().threads);
        for thread in threads {
            let _ = thread.join();
        }
    }
}

/// One connection, from the server's side, as TCP carries it. Dropping it closes it.
pub struct Link {
    /// From 0, in the order of arrival.
    pub number: usize,
    stream: TcpStream,
    unread: Vec<u8>,
    /// The number of its last request, over all connections.
    request: usize,
    state: Arc<State>,
}

/// A connection on which requests are read and answered: a link, or TLS on one.
pub trait Connection: Read + Write {
    fn link(&mut self) -> &mut Link;

    /// A request's head with its empty line; `None` when the client has closed.
    fn head(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut unread = std::mem::take(&mut self.link().unread);
        let head = read_head(self, &mut unread);
        self.link().unread = unread;
        let head = match head {
            Err(why) if why.kind() == io::ErrorKind::UnexpectedEof => None,
            other => other?,
        };
        if let Some(head) = &head {
            let link = self.link();
            let mut log = link.state.log.lock().unwrap();
            link.request = log.requests.len();
            log.requests.push(head.clone());
            link.state.changed.notify_all();
        }
        Ok(head)
    }

    /// Answers requests as the director says, until the client or a script closes.
    fn follow(&mut self, director: &dyn Fn(usize, &[u8]) -> Script) -> io::Result<()> {
        while let Some(request) = self.head()? {
            for step in director(self.link().request, &request) {
                match step {
                    Step::Send(bytes) => self.write_all(&bytes)?,
                    Step::Trickle(bytes, apart) => {
                        for byte in bytes {
                            self.link().rest(apart)?;
                            self.write_all(&[byte])?;
                        }
                    }
                    Step::Close => return self.link().stream.shutdown(Shutdown::Both),
                    Step::Reset => return self.link().reset(),
                    Step::Rest(length) => self.link().rest(length)?,
                    Step::Flood(piece, times) => {
                        for _ in 0..times {
                            self.write_all(&piece)?;
                            let sent = piece.len() as u64;
                            self.link().state.flooded.fetch_add(sent, Ordering::SeqCst);
                        }
                    }
                    Step::Stall => return self.link().stall(),
                }
            }
        }
        Ok(())
    }
}

impl Connection for Link {
    fn link(&mut self) -> &mut Link {
        self
    }
}

impl Read for Link {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        self.state.log.lock().unwrap().received.extend_from_slice(&buffer[..read]);
        Ok(read)
    }
}

impl Write for Link {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Link {
    pub fn trickle(&mut self, bytes: &[u8], apart: Duration) -> io::Result<()> {
        for byte in bytes {
            self.rest(apart)?;
            self.write_all(&[*byte])?;
        }
        Ok(())
    }

    /// Waits that long; an error if the server is dropped.
    pub fn rest(&self, length: Duration) -> io::Result<()> {
        let log = self.state.log.lock().unwrap();
        let going_on = |_: &mut Log| !self.state.over.load(Ordering::SeqCst);
        drop(self.state.changed.wait_timeout_while(log, length, going_on).unwrap());
        if self.state.over.load(Ordering::SeqCst) { Err(io::ErrorKind::Other.into()) } else { Ok(()) }
    }

    /// Sends nothing, and reads, until the client closes or the server is dropped.
    pub fn stall(&mut self) -> io::Result<()> {
        let mut piece = [0; 4096];
        while self.read(&mut piece)? > 0 {}
        Ok(())
    }

    pub fn shutdown_write(&self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }

    /// Closes its sending side, and reads until the client closes.
    pub fn fin(&mut self) -> io::Result<()> {
        self.shutdown_write()?;
        self.stall()
    }

    /// Makes dropping this a reset (RST).
    pub fn reset(&mut self) -> io::Result<()> {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))?;
        self.own_alone();
        Ok(())
    }

    /// Closes at once, both ways.
    pub fn close(self) -> io::Result<()> {
        self.own_alone();
        Ok(())
    }

    /// Drops the log's copy of the socket, so that dropping ours closes it.
    fn own_alone(&self) {
        let mut log = self.state.log.lock().unwrap();
        log.open.iter_mut().filter(|(open, _)| *open == self.number).for_each(|(_, copy)| *copy = None);
    }

    /// Passes everything on between the client and `address`, both ways, until one of them closes.
    pub fn relay(mut self, address: SocketAddr) -> io::Result<()> {
        let mut there = TcpStream::connect(address)?;
        there.set_nodelay(true)?;
        let (mut back, mut here) = (there.try_clone()?, self.stream.try_clone()?);
        let returning = std::thread::spawn(move || {
            let _ = io::copy(&mut back, &mut here);
            let _ = here.shutdown(Shutdown::Both);
        });
        there.write_all(&std::mem::take(&mut self.unread))?;
        let _ = io::copy(&mut self, &mut there);
        let _ = there.shutdown(Shutdown::Both);
        let _ = returning.join();
        Ok(())
    }

    pub(super) fn log_decrypted(&self, bytes: &[u8]) {
        self.state.log.lock().unwrap().decrypted.extend_from_slice(bytes);
    }
}

/// A request's head with its empty line; `None` when the client has closed.
pub fn read_head(stream: &mut (impl Read + ?Sized), unread: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
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

/// A port of loopback where nobody listens, kept from all others for as long as this is there. A program that is told its
/// number may listen there if it sets SO_REUSEADDR, as servers do.
pub struct Reserved(Socket);

impl Reserved {
    pub fn new() -> Reserved {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_reuse_address(true).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        Reserved(socket)
    }

    pub fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap().as_socket().unwrap()
    }
}

/// An address at which connecting neither succeeds nor fails: its backlog is full.
pub struct BlackHole(SocketAddr, #[allow(dead_code)] Vec<Socket>);

impl BlackHole {
    pub fn new() -> BlackHole {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut sockets = vec![listener];
        for _ in 0..3 {
            let filler = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            filler.set_nonblocking(true).unwrap();
            let _ = filler.connect(&address);
            sockets.push(filler);
        }
        BlackHole(address.as_socket().unwrap(), sockets)
    }

    pub fn address(&self) -> SocketAddr {
        self.0
    }
}
