//! One connection to the server: a request goes out, an answer comes in, and the connection knows whether it
//! may carry another.

use std::ops::Range;
use std::time::{Duration, Instant};

use crate::transport::fault::{Fault, Stage};
use crate::transport::http::{self, Dechunk, Framing, Head, MAX_BODY, MAX_HEAD, Unreadable};
use crate::transport::socket::{Socket, lost};
use crate::transport::tls::TlsStream;
use crate::until::Until;

/// Below what servers and the balancers before them keep an idle connection for, which is 60 s and more.
const IDLE_LIMIT: Duration = Duration::from_secs(50);
/// An answer is below 2 KiB, head and all; this is a page.
const FIRST_BUFFER: usize = 4096;
/// A buffer that grew beyond this for one large answer is not kept for the next.
const KEPT_BUFFER: usize = 64 * 1024;

pub(crate) enum Stream {
    Plain(Socket),
    Tls(Box<TlsStream>),
}

pub(crate) struct Connection {
    stream: Stream,
    /// What was read, up to `filled`; room beyond.
    buffer: Vec<u8>,
    filled: usize,
    /// Until when another request may be sent on it. `None`: no longer.
    reusable_until: Option<Instant>,
}

/// An answer, as far as it could be read. It borrows the connection's buffer.
pub(crate) struct Answer<'a> {
    bytes: &'a [u8],
    pub head: Head,
    pub body: &'a [u8],
    /// Why the body ends where it does, if that is not its end.
    pub cut: Option<Fault>,
}

impl<'a> Answer<'a> {
    /// The value of a head field as text, whatever bytes it has.
    pub(crate) fn field(&self, place: &Option<Range<usize>>) -> Option<String> {
        let value = self.bytes.get(place.clone()?)?;
        (!value.is_empty()).then(|| String::from_utf8_lossy(value).into_owned())
    }
}

impl Connection {
    pub(crate) fn new(stream: Stream) -> Connection {
        Connection { stream, buffer: vec![0; FIRST_BUFFER], filled: 0, reusable_until: None }
    }

    /// Sends `request` and reads the answer, error answers included.
    pub(crate) fn exchange(&mut self, request: &[u8], until: &Until<'_>) -> Result<Answer<'_>, Fault> {
        self.reusable_until = None;
        self.filled = 0;
        match &mut self.stream {
            Stream::Plain(socket) => socket.send(request, Stage::Sending, until)?,
            Stream::Tls(tls) => tls.send(request, until)?,
        }
        let (head_at, body_at) = self.read_head(until)?;
        let head = http::parse_head(&self.buffer[head_at..body_at])?;
        let (body_end, cut) = match head.framing {
            // Nothing in it could be used, so nothing of it is waited for.
            Framing::Length(length) if head.status == 200 && length > MAX_BODY as u64 => {
                (body_at, Some(Unreadable::TooLarge("a body above 1 MiB").into()))
            }
            framing => match self.read_body(framing, body_at, until) {
                Ok(end) => (end, None),
                Err((end, cut)) => (end, Some(cut)),
            },
        };
        // A byte beyond the body would be taken for the next answer's.
        if cut.is_none() && head.keep_alive && self.filled == body_end {
            let limit = head.idle_limit.map_or(IDLE_LIMIT, |server| IDLE_LIMIT.min(server / 2));
            self.reusable_until = (!limit.is_zero()).then(|| Instant::now() + limit);
        }
        let bytes = &self.buffer[head_at..body_end];
        Ok(Answer { bytes, head, body: &bytes[body_at - head_at..], cut })
    }

    /// Whether another request may be sent: its time is not up, it is open, and nothing unasked waits in it.
    pub(crate) fn is_reusable(&mut self) -> bool {
        !self.is_overdue()
            && match &mut self.stream {
                Stream::Plain(socket) => socket.is_quiet() == Some(true),
                Stream::Tls(tls) => tls.is_quiet(),
            }
    }

    /// Whether its time is up.
    pub(crate) fn is_overdue(&self) -> bool {
        self.reusable_until.is_none_or(|end| Instant::now() >= end)
    }

    /// Ready to lie in the pool: without the room a large answer took. `None`: it is not to be kept.
    pub(crate) fn rested(mut self) -> Option<Connection> {
        self.reusable_until?;
        if self.buffer.len() > KEPT_BUFFER {
            self.buffer = vec![0; FIRST_BUFFER];
        }
        Some(self)
    }

    /// Reads the final head; gives where it begins and where the body does. Interim answers (1xx) are passed
    /// over, and count towards the limit.
    fn read_head(&mut self, until: &Until<'_>) -> Result<(usize, usize), Fault> {
        let mut start = 0;
        let mut seen = 0;
        loop {
            let unseen = &self.buffer[start..self.filled];
            if !http::may_be_http(unseen) {
                return Err(Unreadable::Malformed("it is not HTTP").into());
            }
            match http::head_end(unseen, seen) {
                Some(length) => {
                    let end = start + length;
                    if end > MAX_HEAD {
                        return Err(Unreadable::TooLarge("a head above 64 KiB").into());
                    }
                    let interim = matches!(interim_status(&self.buffer[start..end]), 100 | 102..=199);
                    if !interim {
                        return Ok((start, end));
                    }
                    http::parse_head(&self.buffer[start..end])?;
                    (start, seen) = (end, 0);
                }
                None if self.filled > MAX_HEAD => {
                    return Err(Unreadable::TooLarge("a head above 64 KiB").into());
                }
                None => {
                    seen = unseen.len();
                    let stage = if self.filled == 0 { Stage::Awaiting } else { Stage::Reading };
                    if self.read_more(stage, until)? == 0 {
                        return Err(lost(stage, "the server closed it"));
                    }
                }
            }
        }
    }

    /// Reads the body that begins at `start`, and gives where it ends; or where it was cut, and why.
    fn read_body(
        &mut self,
        framing: Framing,
        start: usize,
        until: &Until<'_>,
    ) -> Result<usize, (usize, Fault)> {
        let too_large = || Unreadable::TooLarge("a body above 1 MiB").into();
        match framing {
            Framing::Length(length) => {
                // An error answer may be longer than we read: its status and its start are what is wanted.
                let wanted = length.min(MAX_BODY as u64) as usize;
                let end = start + wanted;
                while self.filled < end {
                    self.more(start, until)?;
                }
                if wanted as u64 == length { Ok(end) } else { Err((end, too_large())) }
            }
            Framing::UntilClose => loop {
                if self.filled - start > MAX_BODY {
                    return Err((start + MAX_BODY, too_large()));
                }
                let read = self.read_more(Stage::Reading, until).map_err(|fault| (self.filled, fault))?;
                if read == 0 {
                    return Ok(self.filled);
                }
            },
            Framing::Chunked => {
                let mut dechunk = Dechunk::new(start);
                loop {
                    match dechunk.advance(&mut self.buffer, self.filled, start) {
                        Ok((filled, whole)) => {
                            self.filled = filled;
                            if whole {
                                return Ok(dechunk.body_end);
                            }
                        }
                        Err(why) => return Err((dechunk.body_end, why.into())),
                    }
                    self.more(start, until).map_err(|(_, fault)| (dechunk.body_end, fault))?;
                }
            }
        }
    }

    /// Reads some more of a body that is not whole yet.
    fn more(&mut self, start: usize, until: &Until<'_>) -> Result<(), (usize, Fault)> {
        debug_assert!(self.filled >= start);
        match self.read_more(Stage::Reading, until) {
            Ok(0) => Err((self.filled, lost(Stage::Reading, "the server closed it"))),
            Ok(_) => Ok(()),
            Err(fault) => Err((self.filled, fault)),
        }
    }

    /// 0: there is no more.
    fn read_more(&mut self, stage: Stage, until: &Until<'_>) -> Result<usize, Fault> {
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let room = &mut self.buffer[self.filled..];
        let read = match &mut self.stream {
            Stream::Plain(socket) => socket.recv(room, stage, until)?,
            Stream::Tls(tls) => tls.recv(room, stage, until)?,
        };
        self.filled += read;
        Ok(read)
    }
}

/// The three digits after the version; 0 where there are none, which the parser will refuse.
fn interim_status(head: &[u8]) -> u16 {
    let digits = head.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}
