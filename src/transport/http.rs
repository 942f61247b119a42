//! HTTP/1.1 as one GET needs it (RFC 9112): what the head of an answer says, and where its body ends. Bytes
//! in, facts out; reading them is `connection.rs`'s. Strict wherever a lenient reading could take one answer
//! for another: a wrong balance is worse than none.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::time::Duration;

/// A head longer than this is refused, 1xx answers before it included.
pub(crate) const MAX_HEAD: usize = 64 * 1024;
/// A head of more fields than this is refused.
pub(crate) const MAX_FIELDS: usize = 100;
/// A body longer than this is refused.
pub(crate) use crate::response::MAX_BODY;
/// The longest line that may announce a chunk, and the longest trailer.
const MAX_CHUNK_LINE: usize = 4096;

/// What a head says. Ranges are places in the bytes that were parsed.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Head {
    pub status: u16,
    pub framing: Framing,
    /// The connection may carry another request afterwards.
    pub keep_alive: bool,
    /// How long the server keeps an idle connection (Keep-Alive: timeout=…).
    pub idle_limit: Option<Duration>,
    pub retry_after: Option<Range<usize>>,
    pub error_code: Option<Range<usize>>,
    pub trace_id: Option<Range<usize>>,
    pub cf_ray: Option<Range<usize>>,
    pub content_encoding: Option<Range<usize>>,
    pub content_type: Option<Range<usize>>,
}

/// Where the body ends (RFC 9112 §6.3).
#[derive(Debug, Default, PartialEq, Clone, Copy)]
pub(crate) enum Framing {
    Length(u64),
    Chunked,
    #[default]
    UntilClose,
}

/// An answer that cannot be read.
#[derive(Debug, PartialEq, Clone, Copy)]
pub(crate) enum Unreadable {
    /// What is wrong with it.
    Malformed(&'static str),
    /// What is too large.
    TooLarge(&'static str),
}

use Unreadable::{Malformed, TooLarge};

/// Where the head ends, `None` while it is unfinished. `seen` bytes held no end last time.
pub(crate) fn head_end(bytes: &[u8], seen: usize) -> Option<usize> {
    // An end is an empty line: the bytes "\n\n" or "\n\r\n".
    let mut at = seen.saturating_sub(2);
    while let Some(newline) = bytes[at..].iter().position(|&b| b == b'\n') {
        at += newline + 1;
        match bytes[at..] {
            [b'\n', ..] => return Some(at + 1),
            [b'\r', b'\n', ..] => return Some(at + 2),
            _ => {}
        }
    }
    None
}

/// Whether these first bytes can still become an answer.
pub(crate) fn may_be_http(bytes: &[u8]) -> bool {
    bytes.iter().zip(b"HTTP/1.").all(|(got, want)| got == want)
}

/// Reads a whole head, its empty line included.
pub(crate) fn parse_head(bytes: &[u8]) -> Result<Head, Unreadable> {
    // Not filled in beforehand: that would cost as much as parsing does.
    let mut fields = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    let mut answer = httparse::Response::new(&mut []);
    let parser = httparse::ParserConfig::default();
    match parser.parse_response_with_uninit_headers(&mut answer, bytes, &mut fields) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err(Malformed("its head is incomplete")),
        Err(httparse::Error::TooManyHeaders) => return Err(TooLarge("more than 100 header fields")),
        Err(_) => return Err(Malformed("its head is not valid HTTP")),
    }
    let place = |value: &[u8]| {
        let start = value.as_ptr() as usize - bytes.as_ptr() as usize;
        start..start + value.len()
    };
    let http_1_1 = answer.version == Some(1);
    let mut head = Head { status: answer.code.unwrap_or(0), keep_alive: http_1_1, ..Head::default() };
    let mut length = None;
    let mut chunked = None;
    for field in answer.headers.iter() {
        let value = field.value.trim_ascii();
        // Lengths first: they sort the field names that matter from those that do not, cheaply.
        match field.name.len() {
            6 if field.name.eq_ignore_ascii_case("cf-ray") => head.cf_ray = Some(place(value)),
            10 if field.name.eq_ignore_ascii_case("connection") => {
                for option in value.split(|&b| b == b',').map(<[u8]>::trim_ascii) {
                    head.keep_alive &= !option.eq_ignore_ascii_case(b"close");
                }
            }
            10 if field.name.eq_ignore_ascii_case("keep-alive") => head.idle_limit = idle_limit(value),
            11 if field.name.eq_ignore_ascii_case("retry-after") => head.retry_after = Some(place(value)),
            12 if field.name.eq_ignore_ascii_case("content-type") => head.content_type = Some(place(value)),
            14 if field.name.eq_ignore_ascii_case("content-length") => {
                for one in value.split(|&b| b == b',').map(<[u8]>::trim_ascii) {
                    let one = decimal(one).ok_or(Malformed("its Content-Length is no number"))?;
                    if length.is_some_and(|before| before != one) {
                        return Err(Malformed("it has two different Content-Lengths"));
                    }
                    length = Some(one);
                }
            }
            15 if field.name.eq_ignore_ascii_case("x-fish-trace-id") => head.trace_id = Some(place(value)),
            16 if field.name.eq_ignore_ascii_case("content-encoding") => {
                let plain = value.is_empty() || value.eq_ignore_ascii_case(b"identity");
                head.content_encoding = (!plain).then(|| place(value));
            }
            17 if field.name.eq_ignore_ascii_case("x-fish-error-code") => {
                head.error_code = Some(place(value))
            }
            17 if field.name.eq_ignore_ascii_case("transfer-encoding") => {
                let before = chunked.replace(value.eq_ignore_ascii_case(b"chunked"));
                if before.is_some() {
                    return Err(Malformed("it has two Transfer-Encodings"));
                }
            }
            _ => {}
        }
    }
    head.framing = match (chunked, length) {
        // RFC 9112 §6.3, 1: these never have a body, whatever their head says.
        _ if matches!(head.status, 100..=199 | 204 | 304) => Framing::Length(0),
        (Some(_), Some(_)) => return Err(Malformed("it has both a Content-Length and a Transfer-Encoding")),
        (Some(_), None) if !http_1_1 => return Err(Malformed("it has a Transfer-Encoding in HTTP/1.0")),
        (Some(true), None) => Framing::Chunked,
        (Some(false), None) => return Err(Malformed("its Transfer-Encoding is not chunked")),
        (None, Some(length)) => Framing::Length(length),
        (None, None) => Framing::UntilClose,
    };
    // After 101 the connection speaks another protocol.
    head.keep_alive &= head.framing != Framing::UntilClose && head.status != 101;
    Ok(head)
}

fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |sum, b| {
        let digit = b.is_ascii_digit().then(|| u64::from(b - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

fn idle_limit(value: &[u8]) -> Option<Duration> {
    let mut parameters = value.split(|&b| b == b',').map(<[u8]>::trim_ascii);
    let seconds = parameters.find_map(|p| decimal(p.strip_prefix(b"timeout=")?))?;
    Some(Duration::from_secs(seconds))
}

/// Undoes the chunked coding (RFC 9112 §7.1) in place: the body moves down over the lines between its chunks.
#[derive(Debug, Default)]
pub(crate) struct Dechunk {
    /// Everything before is body.
    pub body_end: usize,
    /// Everything before was read.
    at: usize,
    state: ChunkState,
}

#[derive(Debug, Default, PartialEq, Clone, Copy)]
enum ChunkState {
    #[default]
    Size,
    Data(usize),
    AfterData,
    Trailer(usize),
}

impl Dechunk {
    /// The body will stand from `start`, where the first chunk's line is.
    pub(crate) fn new(start: usize) -> Dechunk {
        Dechunk { body_end: start, at: start, state: ChunkState::Size }
    }

    /// Goes on with what is in `buffer[..filled]`, and returns where it now ends. The second value is true when
    /// the body is whole; what lies beyond then belongs to nobody.
    pub(crate) fn advance(
        &mut self,
        buffer: &mut [u8],
        filled: usize,
        start: usize,
    ) -> Result<(usize, bool), Unreadable> {
        let whole = loop {
            let rest = &buffer[self.at..filled];
            match self.state {
                ChunkState::Size => match httparse::parse_chunk_size(rest) {
                    // The parser takes an empty line for a size of 0.
                    _ if rest.first().is_some_and(|b| !b.is_ascii_hexdigit()) => {
                        return Err(Malformed("its chunks are not valid HTTP"));
                    }
                    Ok(httparse::Status::Complete((line, 0))) => {
                        self.at += line;
                        self.state = ChunkState::Trailer(0);
                    }
                    Ok(httparse::Status::Complete((line, size))) => {
                        let total = size.saturating_add((self.body_end - start) as u64);
                        if total > MAX_BODY as u64 {
                            return Err(TooLarge("a body above 1 MiB"));
                        }
                        self.at += line;
                        self.state = ChunkState::Data(size as usize);
                    }
                    Ok(httparse::Status::Partial) if rest.len() <= MAX_CHUNK_LINE => break false,
                    _ => return Err(Malformed("its chunks are not valid HTTP")),
                },
                ChunkState::Data(left) => {
                    let here = left.min(rest.len());
                    buffer.copy_within(self.at..self.at + here, self.body_end);
                    self.body_end += here;
                    self.at += here;
                    if here < left {
                        self.state = ChunkState::Data(left - here);
                        break false;
                    }
                    self.state = ChunkState::AfterData;
                }
                ChunkState::AfterData => match rest {
                    [b'\r', b'\n', ..] => {
                        self.at += 2;
                        self.state = ChunkState::Size;
                    }
                    [] | [b'\r'] => break false,
                    _ => return Err(Malformed("its chunks are not valid HTTP")),
                },
                ChunkState::Trailer(size) => match rest.iter().position(|&b| b == b'\n') {
                    Some(line) => {
                        let empty = matches!(rest[..line], [] | [b'\r']);
                        let size = size + line + 1;
                        if size > MAX_HEAD {
                            return Err(TooLarge("a trailer above 64 KiB"));
                        }
                        self.at += line + 1;
                        self.state = ChunkState::Trailer(size);
                        if empty {
                            break true;
                        }
                    }
                    None if rest.len() <= MAX_CHUNK_LINE => break false,
                    None => return Err(TooLarge("a trailer line above 4 KiB")),
                },
            }
        };
        // What is read and used gives its place to what comes next.
        buffer.copy_within(self.at..filled, self.body_end);
        let filled = filled - (self.at - self.body_end);
        self.at = self.body_end;
        Ok((filled, whole))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(head: &str) -> Result<Head, Unreadable> {
        parse_head(head.as_bytes())
    }

    #[test]
    fn a_head_ends_at_its_empty_line_however_it_arrives() {
        for head in
            ["HTTP/1.1 200 OK\r\nA: b\r\n\r\n", "HTTP/1.1 200 OK\nA: b\n\n", "HTTP/1.1 200 OK\r\n\r\n"]
        {
            let mut bytes = head.as_bytes().to_vec();
            bytes.extend_from_slice(b"body\r\n\r\n");
            assert_eq!(head_end(&bytes, 0), Some(head.len()));
            let mut seen = 0;
            for filled in 0..bytes.len() {
                let end = head_end(&bytes[..filled], seen);
                assert_eq!(end, (filled >= head.len()).then_some(head.len()), "{filled}");
                if end.is_none() {
                    seen = filled;
                }
            }
        }
    }

    #[test]
    fn framing_and_keep_alive() {
        use Framing::*;
        for (head, framing, keep_alive) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Length(5), true),
            ("HTTP/1.1 200 OK\r\ncontent-length: 5 , 5\r\nCONTENT-LENGTH: 5\r\n\r\n", Length(5), true),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", Chunked, true),
            ("HTTP/1.1 200 OK\r\n\r\n", UntilClose, false),
            ("HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", Length(0), true),
            ("HTTP/1.1 101 Switching\r\n\r\n", Length(0), false),
            ("HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n", Length(0), true),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: x, Close\r\n\r\n", Length(5), false),
            ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", Length(5), false),
            ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n", Length(5), false),
        ] {
            let got = parse(head).unwrap();
            assert_eq!((got.framing, got.keep_alive), (framing, keep_alive), "{head:?}");
        }
    }

    #[test]
    fn heads_that_are_refused() {
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(101));
        for (head, why) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", "two different"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n", "two different"),
            ("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "no number"),
            ("HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n", "no number"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\n", "no number"),
            ("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", "no number"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", "no number"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "both"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "not chunked"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n", "not chunked"),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
                "two Transfer",
            ),
            ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.0"),
            ("HTTP/1.1 2x0 OK\r\n\r\n", "not valid"),
            ("HTTP/1.1 200 OK\r\nA b\r\n\r\n", "not valid"),
            ("HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n", "not valid"),
            ("HTTP/1.1 200 OK\r\n", "incomplete"),
            (many.as_str(), "more than 100"),
        ] {
            match parse(head) {
                Err(Malformed(what) | TooLarge(what)) => assert!(what.contains(why), "{head:?}: {what}"),
                Ok(got) => panic!("{head:?}: {got:?}"),
            }
        }
    }

    #[test]
    fn the_fields_an_error_tells_of() {
        let head = "HTTP/1.1 503 Busy\r\nRetry-After:  7 \r\nX-Fish-Error-Code: busy\r\nx-fish-trace-id: t\r\n\
                    CF-Ray: r\r\nContent-Encoding: gzip\r\nKeep-Alive: max=9, timeout=5\r\nContent-Type: a/b\r\n\
                    Content-Length: 0\r\n\r\n";
        let got = parse(head).unwrap();
        assert_eq!(got.status, 503);
        assert_eq!(got.idle_limit, Some(Duration::from_secs(5)));
        for (range, want) in [
            (got.retry_after, "7"),
            (got.error_code, "busy"),
            (got.trace_id, "t"),
            (got.cf_ray, "r"),
            (got.content_encoding, "gzip"),
            (got.content_type, "a/b"),
        ] {
            assert_eq!(&head[range.unwrap()], want);
        }
    }

    /// Feeds `raw` in pieces of `step` bytes behind a two-byte "head".
    fn dechunk(raw: &[u8], step: usize) -> Result<Option<(Vec<u8>, usize)>, Unreadable> {
        let mut buffer = vec![0; raw.len() + 2];
        let mut filled = 2;
        let mut dechunk = Dechunk::new(2);
        for piece in raw.chunks(step) {
            buffer[filled..filled + piece.len()].copy_from_slice(piece);
            let (now, whole) = dechunk.advance(&mut buffer, filled + piece.len(), 2)?;
            filled = now;
            if whole {
                return Ok(Some((buffer[2..dechunk.body_end].to_vec(), filled - dechunk.body_end)));
            }
        }
        Ok(None)
    }

    #[test]
    fn chunks_become_a_body_however_they_arrive() {
        for (raw, body) in [
            ("0\r\n\r\n", ""),
            ("5\r\nhello\r\n0\r\n\r\n", "hello"),
            ("3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: z\r\n\r\n", "hello"),
            ("A\r\n0123456789\r\n1\r\n!\r\n00\r\n\r\n", "0123456789!"),
        ] {
            for step in 1..=raw.len() {
                assert_eq!(
                    dechunk(raw.as_bytes(), step),
                    Ok(Some((body.as_bytes().to_vec(), 0))),
                    "{raw:?} {step}"
                );
            }
        }
        let (body, surplus) = dechunk(b"1\r\nx\r\n0\r\n\r\nHTTP/1.1", 99).unwrap().unwrap();
        assert_eq!((body.as_slice(), surplus), (&b"x"[..], 8));
    }

    #[test]
    fn chunks_that_are_refused_or_unfinished() {
        for raw in
            ["x\r\n", "5\r\nhelloX\r\n0\r\n\r\n", "-1\r\n", "FFFFFFFFFFFFFFFFFF\r\n", "\r\n", "100001\r\n"]
        {
            for step in [1, 3, raw.len()] {
                assert!(dechunk(raw.as_bytes(), step).is_err(), "{raw:?}");
            }
        }
        for raw in
            ["", "5", "5\r\nhel", "5\r\nhello", "5\r\nhello\r\n", "5\r\nhello\r\n0\r\n", "0\r\nA: b\r\n"]
        {
            assert_eq!(dechunk(raw.as_bytes(), 1), Ok(None), "{raw:?}");
        }
        let endless = format!("5;{}", "x".repeat(2 * MAX_CHUNK_LINE));
        assert!(dechunk(endless.as_bytes(), 100).is_err());
        let endless = format!("0\r\n{}", "x".repeat(2 * MAX_CHUNK_LINE));
        assert!(dechunk(endless.as_bytes(), 100).is_err());
    }
}
