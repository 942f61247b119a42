//! Connects to the first of a host's addresses that responds: Happy Eyeballs (RFC 8305) over non-blocking sockets, on
//! the caller's thread.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use socket2::{Domain, Protocol, Socket, Type};

use crate::deadline::Deadline;
use crate::descriptor::above_standard;
use crate::http::error::{Kind, Phase, TransportError};
use crate::http::tcp::Tcp;

/// How long an attempt runs before the next address is tried too (RFC 8305 §5, "Connection Attempt Delay").
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to the first of `addresses` that responds. `to` names the host in a failure.
pub(crate) fn connect(
    addresses: &[SocketAddr],
    to: &str,
    deadline: &Deadline,
) -> Result<Tcp, TransportError> {
    let mut waiting = interleave(addresses).into_iter();
    let mut begun: Vec<Tcp> = Vec::new();
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    let mut exhausted = false;
    let mut next_start = Instant::now();
    loop {
        if !exhausted && (begun.is_empty() || Instant::now() >= next_start) {
            match waiting.next() {
                None => exhausted = true,
                Some(address) => {
                    match begin(address) {
                        Ok((socket, true)) => return Ok(socket),
                        Ok((socket, false)) => begun.push(socket),
                        Err(why) => {
                            failure = why;
                            // Failed at once: try the next one now.
                            continue;
                        }
                    }
                    next_start = Instant::now() + HEAD_START;
                }
            }
        }
        if begun.is_empty() {
            if exhausted {
                let kind = Kind::NotConnected { to: to.to_owned(), why: describe(&failure) };
                return Err(Phase::Connecting.error(kind));
            }
            continue;
        }
        {
            let mut fds: Vec<PollFd<'_>> =
                begun.iter().map(|socket| PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::OUT)).collect();
            let end = if exhausted { Instant::now() + deadline.remaining() } else { next_start };
            deadline.any(&mut fds, end).map_err(|why| Phase::Connecting.interrupted(why))?;
        }
        // Checks every socket, because `poll` may have failed and reported none (see Deadline::poll).
        for at in (0..begun.len()).rev() {
            match outcome(&begun[at]) {
                None => {}
                Some(Ok(())) => return Ok(begun.swap_remove(at)),
                Some(Err(why)) => {
                    begun.swap_remove(at);
                    failure = why;
                    next_start = Instant::now();
                }
            }
        }
    }
}

/// Starts to connect. True: already connected.
fn begin(address: SocketAddr) -> io::Result<(Tcp, bool)> {
    let make = || Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP));
    let tcp = Tcp::new(above_standard(make)?)?;
    let socket = tcp.socket();
    // The request is one small packet, which must not be delayed.
    socket.set_tcp_nodelay(true)?;
    match socket.connect(&address.into()) {
        Ok(()) => Ok((tcp, true)),
        Err(why) if under_way(&why) => Ok((tcp, false)),
        Err(why) => Err(why),
    }
}

fn under_way(why: &io::Error) -> bool {
    #[cfg(unix)]
    let in_progress = why.raw_os_error() == Some(libc::EINPROGRESS);
    #[cfg(not(unix))]
    let in_progress = false;
    // EINTR: the attempt continues.
    in_progress || matches!(why.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// In English where the standard library has a text; the system's may be localised.
fn describe(why: &io::Error) -> String {
    match why.kind() {
        kind @ (io::ErrorKind::ConnectionRefused
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::AddrNotAvailable
        | io::ErrorKind::PermissionDenied) => kind.to_string(),
        _ => why.to_string(),
    }
}

/// The result of connecting; `None` while it is under way.
fn outcome(socket: &Tcp) -> Option<io::Result<()>> {
    let socket = socket.socket();
    match socket.take_error() {
        Ok(Some(why)) | Err(why) => return Some(Err(why)),
        Ok(None) => {}
    }
    match socket.peer_addr() {
        Ok(_) => Some(Ok(())),
        Err(why) if why.kind() == io::ErrorKind::NotConnected => None,
        Err(why) => Some(Err(why)),
    }
}

/// Alternates the address families, starting with the first address's (RFC 8305 §4).
fn interleave(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut one, mut other): (Vec<SocketAddr>, Vec<SocketAddr>) =
        addresses.iter().partition(|address| address.is_ipv6() == first_is_v6);
    one.reverse();
    other.reverse();
    let mut turns = Vec::with_capacity(addresses.len());
    while !one.is_empty() || !other.is_empty() {
        turns.extend(one.pop());
        turns.extend(other.pop());
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::computed;
    use std::net::TcpListener;

    fn deadline(ms: u64) -> Deadline {
        Deadline::at(Instant::now() + Duration::from_millis(ms))
    }

    /// Whether `body` takes less than `limit` in one of many tries: on a busy machine not every one does.
    fn takes_less(limit: Duration, mut body: impl FnMut()) -> bool {
        (0..50).any(|_| {
            let begun = Instant::now();
            body();
            begun.elapsed() < limit
        })
    }

    /// An address where connecting neither succeeds nor fails, because its backlog is full.
    struct BlackHole {
        listener: Socket,
        _fillers: Vec<Socket>,
    }

    impl BlackHole {
        fn new() -> BlackHole {
            let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
            listener.listen(0).unwrap();
            let address = listener.local_addr().unwrap();
            let fillers = (0..3)
                .map(|_| {
                    let filler = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
                    filler.set_nonblocking(true).unwrap();
                    let _ = filler.connect(&address);
                    filler
                })
                .collect();
            BlackHole { listener, _fillers: fillers }
        }

        fn address(&self) -> SocketAddr {
            self.listener.local_addr().unwrap().as_socket().unwrap()
        }
    }

    fn refusing() -> SocketAddr {
        // Bound but not listening, so that nothing else can take the port.
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        std::mem::forget(socket);
        address
    }

    #[test]
    fn families_take_turns() {
        let parse = |all: &[&str]| all.iter().map(|a| a.parse().unwrap()).collect::<Vec<SocketAddr>>();
        for (given, want) in [
            (
                &["[::1]:1", "[::2]:1", "1.1.1.1:1", "2.2.2.2:1"][..],
                &["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1"][..],
            ),
            (&["1.1.1.1:1", "2.2.2.2:1", "[::1]:1"], &["1.1.1.1:1", "[::1]:1", "2.2.2.2:1"]),
            (&["1.1.1.1:1"], &["1.1.1.1:1"]),
            (&[], &[]),
        ] {
            assert_eq!(interleave(&parse(given)), parse(want));
        }
    }

    #[test]
    fn a_dead_first_address_costs_only_its_head_start() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let hole = BlackHole::new();
        let addresses = [hole.address(), server.local_addr().unwrap()];
        assert!(takes_less(HEAD_START + Duration::from_millis(200), || {
            let begun = Instant::now();
            connect(&addresses, "x", &deadline(60_000)).unwrap();
            assert!(begun.elapsed() >= HEAD_START, "{:?}", begun.elapsed());
        }));
        assert_eq!(HEAD_START, Duration::from_millis(250), "as RFC 8305 recommends");
    }

    #[test]
    fn a_connection_does_not_hold_small_packets_back() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let connected = connect(&[server.local_addr().unwrap()], "x", &deadline(60_000)).unwrap();
        assert!(connected.socket().tcp_nodelay().unwrap());
    }

    #[test]
    fn after_a_refusal_the_next_address_is_tried_at_once() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let addresses = [refusing(), refusing(), server.local_addr().unwrap()];
        assert!(takes_less(HEAD_START, || {
            connect(&addresses, "x", &deadline(60_000)).unwrap();
        }));
    }

    #[test]
    fn every_address_refusing_is_a_failure_to_connect() {
        let got = connect(&[refusing(), refusing()], "host:1", &deadline(60_000));
        assert!(
            matches!(&got, Err(TransportError { kind: Kind::NotConnected { to, why }, .. })
            if to == "host:1" && why == "connection refused"),
            "{got:?}"
        );
        // No attempt even begins.
        let broadcast = SocketAddr::from(([255, 255, 255, 255], 1));
        let got = connect(&[broadcast], "host:1", &deadline(60_000)).unwrap_err();
        assert!(matches!(got.kind, Kind::NotConnected { .. }), "{got:?}");
        let none = connect(&[], "host:1", &deadline(60_000)).unwrap_err();
        assert!(matches!(none.kind, Kind::NotConnected { .. }), "{none:?}");
    }

    #[test]
    fn a_packet_that_is_dropped_ends_at_the_deadline() {
        let hole = BlackHole::new();
        let before = computed();
        assert!(takes_less(Duration::from_millis(1100), || {
            let got = connect(&[hole.address()], "x", &deadline(1000));
            assert!(
                got.as_ref().is_err_and(|why| *why == Phase::Connecting.error(Kind::DeadlinePassed)),
                "{got:?}"
            );
        }));
        // While it waited, it did not spin.
        let computed = computed() - before;
        assert!(computed < Duration::from_millis(50), "{computed:?}");
    }
}
