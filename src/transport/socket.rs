//! A connected, non-blocking socket, and waiting on it. Only plain `read` and `write` reach it: the standard
//! library's vectored write would raise SIGPIPE in the host when the server is gone.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use rustix::fd::{AsFd, BorrowedFd};

use crate::transport::fault::{Fault, Stage};
use crate::until::Until;

#[derive(Debug)]
pub(crate) struct Socket(TcpStream);

impl Socket {
    /// `stream` must be non-blocking.
    pub(crate) fn new(stream: TcpStream) -> Socket {
        Socket(stream)
    }

    pub(crate) fn readable(&self, stage: Stage, until: &Until<'_>) -> Result<(), Fault> {
        until.readable(self.fd()).map_err(|why| stage.interrupted(why))
    }

    pub(crate) fn writable(&self, stage: Stage, until: &Until<'_>) -> Result<(), Fault> {
        until.writable(self.fd()).map_err(|why| stage.interrupted(why))
    }

    pub(crate) fn send(&mut self, mut bytes: &[u8], stage: Stage, until: &Until<'_>) -> Result<(), Fault> {
        while !bytes.is_empty() {
            match self.0.write(bytes) {
                Ok(0) => return Err(lost(stage, "it was closed")),
                Ok(sent) => bytes = &bytes[sent..],
                Err(why) if not_yet(&why) => self.writable(stage, until)?,
                Err(_) => return Err(lost(stage, "the server reset it")),
            }
        }
        Ok(())
    }

    /// 0: the server closed it. Waits before it reads: right after a request there is never anything yet.
    pub(crate) fn recv(
        &mut self,
        buffer: &mut [u8],
        stage: Stage,
        until: &Until<'_>,
    ) -> Result<usize, Fault> {
        loop {
            self.readable(stage, until)?;
            match self.0.read(buffer) {
                Ok(read) => return Ok(read),
                Err(why) if not_yet(&why) => {}
                Err(_) => return Err(lost(stage, "the server reset it")),
            }
        }
    }

    /// Whether nothing waits to be read. `None`: it is closed or broken.
    pub(crate) fn is_quiet(&self) -> Option<bool> {
        match self.0.peek(&mut [0]) {
            Err(why) if not_yet(&why) => Some(true),
            Ok(1..) => Some(false),
            _ => None,
        }
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) fn not_yet(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

pub(crate) fn lost(stage: Stage, why: &'static str) -> Fault {
    Fault::Lost { answered: stage == Stage::Reading, why }
}
