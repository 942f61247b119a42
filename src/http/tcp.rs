//! A connected socket, and waiting for it. No operation blocks, even if the host has changed the descriptor's flags,
//! and none raises SIGPIPE.

use std::io::{self, Read, Write};

use rustix::fd::BorrowedFd;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use socket2::SockRef;

use crate::deadline::Deadline;
use crate::http::error::{Phase, TransportError};

// In addition to the socket's non-blocking mode, which the host may have changed.
#[cfg(unix)]
const RECV: RecvFlags = RecvFlags::DONTWAIT;
#[cfg(not(unix))]
const RECV: RecvFlags = RecvFlags::empty();
#[cfg(all(unix, not(target_vendor = "apple")))]
const SEND: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);
// Apple's systems have the socket option SO_NOSIGPIPE instead.
#[cfg(target_vendor = "apple")]
const SEND: SendFlags = SendFlags::DONTWAIT;
#[cfg(not(unix))]
const SEND: SendFlags = SendFlags::empty();

#[cfg(unix)]
type Handle = crate::descriptor::Descriptor;
#[cfg(not(unix))]
type Handle = socket2::Socket;

#[derive(Debug)]
pub(crate) struct Tcp(Handle);

impl Tcp {
    /// Makes the socket non-blocking, and turns SIGPIPE off.
    pub(crate) fn new(socket: socket2::Socket) -> io::Result<Tcp> {
        #[cfg(unix)]
        let socket = Handle::new(socket.into())?;
        let tcp = Tcp(socket);
        tcp.socket().set_nonblocking(true)?;
        #[cfg(target_vendor = "apple")]
        rustix::net::sockopt::set_socket_nosigpipe(&tcp.0, true)?;
        Ok(tcp)
    }

    /// For operations other than reading, writing and waiting.
    pub(crate) fn socket(&self) -> SockRef<'_> {
        SockRef::from(&self.0)
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        rustix::fd::AsFd::as_fd(&self.0)
    }

    pub(crate) fn readable(&self, phase: Phase, deadline: &Deadline) -> Result<(), TransportError> {
        deadline.readable(self.as_fd()).map_err(|why| phase.interrupted(why))
    }

    pub(crate) fn writable(&self, phase: Phase, deadline: &Deadline) -> Result<(), TransportError> {
        deadline.writable(self.as_fd()).map_err(|why| phase.interrupted(why))
    }

    pub(crate) fn send(
        &mut self,
        mut bytes: &[u8],
        phase: Phase,
        deadline: &Deadline,
    ) -> Result<(), TransportError> {
        while !bytes.is_empty() {
            match self.write(bytes) {
                Ok(0) => return Err(phase.lost("it was closed")),
                Ok(sent) => bytes = &bytes[sent..],
                Err(why) if not_yet(&why) => self.writable(phase, deadline)?,
                Err(_) => return Err(phase.lost("the server reset it")),
            }
        }
        Ok(())
    }

    /// Returns 0 if the server closed the connection. Waits before reading, as a response never arrives at once.
    pub(crate) fn recv(
        &mut self,
        buffer: &mut [u8],
        phase: Phase,
        deadline: &Deadline,
    ) -> Result<usize, TransportError> {
        loop {
            self.readable(phase, deadline)?;
            match self.read(buffer) {
                Ok(read) => return Ok(read),
                Err(why) if not_yet(&why) => {}
                Err(_) => return Err(phase.lost("the server reset it")),
            }
        }
    }

    /// Whether it is open and nothing has arrived.
    pub(crate) fn is_quiet(&self) -> bool {
        let mut byte = [0];
        match recv(&self.0, &mut byte, RECV | RecvFlags::PEEK) {
            Ok(_) => false,
            Err(why) => not_yet(&why.into()),
        }
    }
}

impl Read for Tcp {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(recv(&self.0, buffer, RECV)?.0)
    }
}

impl Write for Tcp {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(send(&self.0, bytes, SEND)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) fn not_yet(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;
    use std::time::{Duration, Instant};

    #[test]
    fn sending_to_a_peer_that_has_gone_fails_at_once() {
        let (ours, gone) = UnixStream::pair().unwrap();
        drop(gone);
        let mut tcp = Tcp::new(std::os::fd::OwnedFd::from(ours).into()).unwrap();
        let deadline = Deadline::at(Instant::now() + Duration::from_secs(60));
        let lost = Phase::Sending.lost("the server reset it");
        assert_eq!(tcp.send(b"x", Phase::Sending, &deadline), Err(lost));
    }
}
