//! A peer on a loopback port that does whatever a closure does with each connection: speak TLS, be a proxy,
//! answer nonsense, say nothing. It keeps every byte that it was sent, and ends when it is dropped.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::server::read_head;

pub struct Peer {
    address: SocketAddr,
    state: Arc<State>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    log: Mutex<Log>,
    changed: Condvar,
    over: AtomicBool,
}

#[derive(Default)]
struct Log {
    connections: usize,
    ended: usize,
    received: Vec<u8>,
    decrypted: Vec<u8>,
    open: Vec<(usize, TcpStream)>,
    threads: Vec<JoinHandle<()>>,
}

impl Peer {
    /// Hands each connection to `handler`, on a thread of its own.
    pub fn new(handler: impl Fn(Link) -> io::Result<()> + Send + Sync + 'static) -> Peer {
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
                let _ = stream.set_nodelay(true);
                let mut log = own.log.lock().unwrap();
                let number = log.connections;
                log.connections += 1;
                log.open.push((number, stream.try_clone().unwrap()));
                let link = Link { number, stream, unread: Vec::new(), state: Arc::clone(&own) };
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
        Peer { address, state, accepting: Some(accepting) }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn http_url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn https_url(&self) -> String {
        format!("https://{}", self.address)
    }

    pub fn connections(&self) -> usize {
        self.state.log.lock().unwrap().connections
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

    pub fn await_connections(&self, count: usize) {
        self.wait(|log| log.connections >= count);
    }

    /// Waits until so many connections have been handled to their end.
    pub fn await_ended(&self, count: usize) {
        self.wait(|log| log.ended >= count);
    }

    fn wait(&self, done: impl Fn(&Log) -> bool) {
        let log = self.state.log.lock().unwrap();
        let limit = Duration::from_secs(30);
        let waited = self.state.changed.wait_timeout_while(log, limit, |log| !done(log)).unwrap();
        assert!(!waited.1.timed_out(), "{} connections, {} ended", waited.0.connections, waited.0.ended);
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.state.over.store(true, Ordering::SeqCst);
        // Wakes the accept.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        let threads = {
            let mut log = self.state.log.lock().unwrap();
            for (_, stream) in log.open.drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
            std::mem::take(&mut log.threads)
        };
        self.state.changed.notify_all();
        for thread in threads {
            let _ = thread.join();
        }
    }
}

/// One connection, from the peer's side. Dropping it closes it.
pub struct Link {
    /// From 0, in the order of arrival.
    pub number: usize,
    stream: TcpStream,
    unread: Vec<u8>,
    state: Arc<State>,
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
    /// A request's head; `None` when the client has closed.
    pub fn head(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut unread = std::mem::take(&mut self.unread);
        let head = read_head(self, &mut unread);
        self.unread = unread;
        head
    }

    pub fn trickle(&mut self, bytes: &[u8], apart: Duration) -> io::Result<()> {
        for byte in bytes {
            self.rest(apart)?;
            self.write_all(&[*byte])?;
        }
        Ok(())
    }

    /// Waits that long; an error if the peer is over.
    pub fn rest(&self, length: Duration) -> io::Result<()> {
        let log = self.state.log.lock().unwrap();
        let going_on = |_: &mut Log| !self.state.over.load(Ordering::SeqCst);
        drop(self.state.changed.wait_timeout_while(log, length, going_on).unwrap());
        if self.state.over.load(Ordering::SeqCst) { Err(io::ErrorKind::Other.into()) } else { Ok(()) }
    }

    /// Says nothing, and reads what comes, until the client closes or the peer is over.
    pub fn stall(&mut self) -> io::Result<()> {
        let mut piece = [0; 4096];
        while self.read(&mut piece)? > 0 {}
        Ok(())
    }

    pub fn shutdown_write(&self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }

    /// Closes in order, and reads what still comes.
    pub fn fin(&mut self) -> io::Result<()> {
        self.shutdown_write()?;
        self.stall()
    }

    /// Closes so that the client sees a reset.
    pub fn reset(self) -> io::Result<()> {
        socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))?;
        self.close()
    }

    /// Closes at once, both ways, reading nothing more.
    pub fn close(self) -> io::Result<()> {
        let number = self.number;
        self.state.log.lock().unwrap().open.retain(|(open, _)| *open != number);
        Ok(())
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
