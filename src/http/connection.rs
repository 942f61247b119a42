//! One connection, as ureq's transport. It uses the deadline of the call that its session is running.

use std::fmt;
use std::sync::Arc;

use ureq::unversioned::transport::{Buffers as Seam, NextTimeout, Transport};

use crate::deadline::Deadline;
use crate::http::buffers::Buffers;
use crate::http::error::{Kind, Phase, TransportError};
use crate::http::session::{Exchange, MAX_HEAD};
use crate::http::tcp::Tcp;
use crate::http::tls::Tls;

/// The longest chunk header or trailer line.
const MAX_CHUNK_LINE: usize = 4096;
/// More than a body of 1 MiB in the smallest chunks takes on the wire, trailers included.
const MAX_RECEIVED: usize = 8 * 1024 * 1024;

pub(super) enum Stream {
    Plain(Tcp),
    Tls(Box<Tls>),
}

impl Stream {
    fn send(&mut self, bytes: &[u8], deadline: &Deadline) -> Result<(), TransportError> {
        match self {
            Stream::Plain(tcp) => tcp.send(bytes, Phase::Sending, deadline),
            Stream::Tls(tls) => tls.send(bytes, deadline),
        }
    }

    fn recv(&mut self, room: &mut [u8], phase: Phase, deadline: &Deadline) -> Result<usize, TransportError> {
        match self {
            Stream::Plain(tcp) => tcp.recv(room, phase, deadline),
            Stream::Tls(tls) => tls.recv(room, phase, deadline),
        }
    }

    /// Whether it is open and nothing has arrived unrequested.
    fn is_quiet(&mut self) -> bool {
        match self {
            Stream::Plain(tcp) => tcp.is_quiet(),
            Stream::Tls(tls) => tls.is_quiet(),
        }
    }

    /// Whether everything that was received has been read.
    fn is_drained(&mut self) -> bool {
        match self {
            Stream::Plain(_) => true,
            Stream::Tls(tls) => tls.is_drained(),
        }
    }
}

pub(super) struct Connection {
    stream: Stream,
    buffers: Buffers,
    exchange: Arc<Exchange>,
}

impl Connection {
    /// `room`: the length of the longest request.
    pub(super) fn new(stream: Stream, room: usize, exchange: Arc<Exchange>) -> Connection {
        Connection { stream, buffers: Buffers::new(room), exchange }
    }
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Seam {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        let state = self.exchange.lock();
        let sent = self.stream.send(self.buffers.written(amount), state.deadline());
        Ok(sent.map_err(|error| state.interpret(error))?)
    }

    /// Returns false if the server has closed the connection.
    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let mut state = self.exchange.lock();
        let room = if state.in_body {
            // ureq consumes a body as it arrives, except for a chunk header or trailer, which it needs whole.
            if self.buffers.unread() > MAX_CHUNK_LINE {
                return Err(Phase::Receiving.error(Kind::Malformed("its chunks are not valid HTTP")).into());
            }
            MAX_RECEIVED.saturating_sub(state.received)
        } else {
            MAX_HEAD.saturating_sub(state.received)
        };
        if room == 0 {
            let what = if state.in_body { "a body above 1 MiB" } else { "a head above 64 KiB" };
            return Err(Phase::Receiving.error(Kind::TooLarge(what)).into());
        }
        let received = self.stream.recv(self.buffers.room(room), state.phase(), state.deadline());
        let received = received.map_err(|error| state.interpret(error))?;
        self.buffers.filled(received);
        state.received += received;
        Ok(received > 0)
    }

    /// ureq asks twice per call: right after a response, which needs no system call, and before the next request.
    fn is_open(&mut self) -> bool {
        let mut state = self.exchange.lock();
        if state.is_idle() {
            return state.wake() && self.stream.is_quiet();
        }
        self.buffers.shrink();
        let drained = self.stream.is_drained();
        if drained {
            state.rest();
        }
        drained
    }

    fn is_tls(&self) -> bool {
        matches!(self.stream, Stream::Tls(_))
    }
}

/// Omits the fields, because the buffers contain the key.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}
