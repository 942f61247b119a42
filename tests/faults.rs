//! The fault matrix: a server that fails at every byte and stage of an answer. Each case ends in time with its exact
//! status, the same client's next call succeeds, and no descriptor, thread or memory is leaked.

#![cfg(target_os = "linux")] // /proc tells of leaks.
#![allow(clippy::result_large_err)] // A failure is compared whole.

mod support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ::fish_api_credit::ffi::*;
use support::client::{Client, Failure, Query, name};
use support::clock;
use support::server::{DOCUMENT, Script, Server, Step, answer, ok, send};

/// The bytes that are allocated and not freed in the whole process, by the C library's own count: the library's
/// included, which has an allocator of its own.
fn live() -> i64 {
    // SAFETY: it only reads the heap's counts.
    let heap = unsafe { libc::mallinfo2() };
    (heap.uordblks + heap.hblkhd) as i64
}

/// For a case that is meant to run into its deadline.
const SHORT: u32 = 120;
/// The same where a busy machine's server needs longer, try after try.
const TRIES: [u32; 5] = [SHORT, 2 * SHORT, 5 * SHORT, 10 * SHORT, 20 * SHORT];
/// Between two bytes of a server that is too slow for all of them.
const SLOW: Duration = Duration::from_millis(60);
/// For a case that is not.
const AMPLE: u32 = 300_000;

/// What a case must come to.
#[derive(Clone)]
enum Want {
    /// The credit of `DOCUMENT`.
    Credit,
    /// This amount.
    Amount(String),
    /// A status, and the HTTP status that was seen.
    Failure(fish_status, i32),
    /// Any failure of these, or `DOCUMENT`'s credit: never another amount.
    Honest,
}

struct Case {
    group: &'static str,
    name: String,
    script: Script,
    want: Want,
    timeout_ms: u32,
}

struct Matrix(Vec<Case>);

impl Matrix {
    fn add(&mut self, group: &'static str, name: impl Into<String>, script: Script, want: Want) {
        let stalls = script.iter().any(|step| matches!(step, Step::Stall));
        let timeout_ms = if stalls { SHORT } else { AMPLE };
        self.0.push(Case { group, name: name.into(), script, want, timeout_ms });
    }

    /// `bytes` and then a close in order; whatever was wrong, nothing more will come.
    fn closed(
        &mut self,
        group: &'static str,
        name: impl Into<String>,
        bytes: impl Into<Vec<u8>>,
        want: Want,
    ) {
        self.add(group, name, vec![Step::Send(bytes.into()), Step::Close], want);
    }

    /// `bytes` and then nothing, on an open connection.
    fn open(&mut self, group: &'static str, name: impl Into<String>, bytes: impl Into<Vec<u8>>, want: Want) {
        self.add(group, name, send(bytes.into()), want);
    }
}

fn failure(status: fish_status, http: i32) -> Want {
    Want::Failure(status, http)
}

fn bad() -> Want {
    failure(FISH_BAD_RESPONSE, 0)
}

fn bad_document() -> Want {
    failure(FISH_BAD_RESPONSE, 200)
}

fn chunked_head() -> &'static str {
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
}

fn in_chunks(sizes: &[usize]) -> String {
    let mut rest = DOCUMENT;
    let mut text = chunked_head().to_owned();
    for size in sizes.iter().copied().chain([usize::MAX]) {
        let (chunk, after) = rest.split_at(size.min(rest.len()));
        if !chunk.is_empty() {
            text += &format!("{:x}\r\n{chunk}\r\n", chunk.len());
        }
        rest = after;
    }
    text + "0\r\n\r\n"
}

/// Ends every whole answer after each of its bytes, in every way.
fn every_byte(matrix: &mut Matrix) {
    let length = answer(200, "Content-Type: application/json\r\n", DOCUMENT);
    let chunks = in_chunks(&[1, 100, 7]).into_bytes();
    let until_close = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{DOCUMENT}").into_bytes();
    let interim = [b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), answer(200, "", DOCUMENT)].concat();
    let refusal = answer(401, "x-fish-trace-id: t\r\n", r#"{"status":401,"message":"bad key"}"#);
    for (group, bytes, interims) in [
        ("a length", length, 0),
        ("chunks", chunks, 0),
        ("until close", until_close, 0),
        ("an interim answer first", interim, 25),
        ("a refusal", refusal, 0),
    ] {
        let head = interims + bytes[interims..].windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
        for cut in 0..=bytes.len() {
            for (end, how) in [(Step::Close, "closed"), (Step::Reset, "reset"), (Step::Stall, "silent")] {
                let lost = match end {
                    Step::Stall => FISH_TIMED_OUT,
                    _ => FISH_CONNECTION_LOST,
                };
                let whole = cut == bytes.len();
                let want = match group {
                    _ if cut < head => failure(lost, 0),
                    "a refusal" => failure(FISH_UNAUTHORIZED, 401),
                    "until close" if how != "closed" => failure(lost, 200),
                    "until close" if !whole => bad_document(),
                    // ureq takes the chunk of no length for the end, though its empty line is missing.
                    "chunks"
                        if how == "closed" && bytes[..cut].ends_with(b"0\r\n") && cut + 2 == bytes.len() =>
                    {
                        Want::Credit
                    }
                    _ if whole => Want::Credit,
                    _ => failure(lost, 200),
                };
                let mut script = vec![Step::Send(bytes[..cut].to_vec()), end];
                let waits = how == "silent" && (!whole || group == "until close");
                if how == "silent" && !waits {
                    // It is answered, so the server will listen to what comes next.
                    script.pop();
                }
                let timeout_ms = if waits { SHORT } else { AMPLE };
                let name = format!("{how} after {cut}");
                matrix.0.push(Case { group, name, script, want, timeout_ms });
            }
        }
    }
}

fn garbage(matrix: &mut Matrix) {
    let whole = answer(200, "Content-Type: application/json\r\n", DOCUMENT);
    let head = whole.len() - DOCUMENT.len();
    for byte in 0..=255u8 {
        let bytes = [&[byte][..], &whole].concat();
        // An empty line before the head is passed over (RFC 9112 §2.2).
        let want = if byte == b'\n' { Want::Credit } else { bad() };
        matrix.closed("a byte before", format!("{byte:#04x}"), bytes, want);
        // Behind the answer it spoils the connection, not the answer.
        let bytes = [&whole[..], &[byte]].concat();
        matrix.open("a byte behind", format!("{byte:#04x}"), bytes, Want::Credit);
    }
    for (at, &old) in whole.iter().enumerate() {
        let mut with = |byte: u8, want: Want| {
            let mut bytes = whole.clone();
            bytes[at] = byte;
            matrix.closed("a byte inside", format!("{byte:#04x} for {old:#04x} at {at}"), bytes, want);
        };
        // A NUL has no place anywhere.
        with(0, if at >= head { bad_document() } else { bad() });
        if at >= head {
            with(0xff, bad_document());
        } else {
            // Whatever becomes of the head: it is refused, or it is the same amount.
            for byte in
                [0xff, b'\r', b'\n', b' ', b':', b',', b'0', b'9', b'X', b'\t', 0x7f, old ^ 1, old ^ 0x20]
            {
                if byte != old {
                    with(byte, Want::Honest);
                }
            }
        }
    }
    // A byte missing, and a byte twice.
    for at in 0..head {
        let gone = [&whole[..at], &whole[at + 1..]].concat();
        matrix.closed("a byte missing", format!("at {at}"), gone, Want::Honest);
        let twice = [&whole[..=at], &whole[at..]].concat();
        matrix.closed("a byte twice", format!("at {at}"), twice, Want::Honest);
    }
    for (name, bytes) in [
        ("TLS", &b"\x15\x03\x01\0\x02\x02\x28"[..]),
        ("SSH", b"SSH-2.0-OpenSSH_9.2\r\n"),
        ("HTTP/2", b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80\0\x04\0\x01\0\0\0\x05\0\xff\xff\xff"),
        ("HTTP/0.9", b"<html>hello</html>"),
        ("a document alone", DOCUMENT.as_bytes()),
        ("NULs", &[0; 100]),
        ("HTTP/2.0 in the line", b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
        ("HTTP/1.2", b"HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n"),
        ("lower case", b"http/1.1 200 ok\r\nContent-Length: 0\r\n\r\n"),
        ("no status", b"HTTP/1.1 \r\nContent-Length: 0\r\n\r\n"),
        ("two digits", b"HTTP/1.1 20\r\nContent-Length: 0\r\n\r\n"),
        ("four digits", b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"),
        ("letters", b"HTTP/1.1 2xx OK\r\nContent-Length: 0\r\n\r\n"),
        ("a request", b"GET / HTTP/1.1\r\n\r\n"),
    ] {
        matrix.closed("no HTTP", name, bytes, bad());
        // It can be told without waiting for more.
        let script = vec![Step::Send(bytes.to_vec()), Step::Stall];
        let (group, name) = ("no HTTP, and silence", name.to_owned());
        matrix.0.push(Case { group, name, script, want: bad(), timeout_ms: AMPLE });
    }
}

fn lengths(matrix: &mut Matrix) {
    let real = DOCUMENT.len();
    for said in (0..real + 40).chain([1024, 4096, 65_536, 1 << 20]) {
        let bytes = format!("HTTP/1.1 200 OK\r\nContent-Length: {said}\r\n\r\n{DOCUMENT}");
        let want = match said {
            _ if said < real => bad_document(),
            _ if said == real => Want::Credit,
            _ => failure(FISH_CONNECTION_LOST, 200),
        };
        matrix.closed("a wrong length", said.to_string(), bytes.clone(), want.clone());
        if said > real && said % 10 == 0 {
            let script = vec![Step::Send(bytes.into()), Step::Stall];
            matrix.add("a wrong length, and silence", said.to_string(), script, failure(FISH_TIMED_OUT, 200));
        } else if said < real {
            // What is beyond it is nobody's answer: the next call must not see it.
            matrix.open("a wrong length, left open", said.to_string(), bytes, want);
        }
    }
    for said in ["1048577", "2147483648", "4294967296", "9223372036854775808", "18446744073709551615"] {
        let bytes = format!("HTTP/1.1 200 OK\r\nContent-Length: {said}\r\n\r\n{DOCUMENT}");
        // It can be told from the head, without waiting for any of it; an error answer has said its status.
        let too_large = failure(FISH_RESPONSE_TOO_LARGE, 200);
        matrix.closed("a huge length", said, bytes.clone(), too_large.clone());
        matrix.open("a huge length, and silence", said, bytes.clone(), too_large);
        let refusal = bytes.replace("200 OK", "404 No");
        matrix.closed("a huge length", format!("{said}, 404"), refusal, failure(FISH_NOT_FOUND, 404));
    }
    for said in [
        "",
        " ",
        "-1",
        "+239",
        "0x10",
        "1e3",
        "239.0",
        "239 240",
        "239;",
        "18446744073709551616",
        "99999999999999999999999999",
        "\u{661}",
        "239,240",
        "240, 239",
        ",",
        "239,",
        "NaN",
        "two",
    ] {
        let bytes = format!("HTTP/1.1 200 OK\r\nContent-Length: {said}\r\n\r\n{DOCUMENT}");
        matrix.closed("a length that is none", said, bytes, bad());
    }
    let length = format!("Content-Length: {real}\r\n");
    let more = format!("Content-Length: {}\r\n", real + 1);
    for (name, fields, body, want) in [
        ("twice alike", format!("{length}{length}"), DOCUMENT.to_owned(), Want::Credit),
        ("in one line alike", format!("Content-Length: {real}, {real}\r\n"), DOCUMENT.into(), Want::Credit),
        ("twice unlike", format!("{length}{more}"), DOCUMENT.into(), bad()),
        ("twice unlike, the other way", format!("{more}{length}"), DOCUMENT.into(), bad()),
        ("a length and chunks", format!("{length}Transfer-Encoding: chunked\r\n"), "0\r\n\r\n".into(), bad()),
        ("chunks and a length", format!("Transfer-Encoding: chunked\r\n{length}"), "0\r\n\r\n".into(), bad()),
        (
            "chunks twice",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n".into(),
            "0\r\n\r\n".into(),
            bad(),
        ),
        ("gzip and chunks", "Transfer-Encoding: gzip, chunked\r\n".into(), "0\r\n\r\n".into(), bad()),
        ("an unknown coding", "Transfer-Encoding: x\r\n".into(), DOCUMENT.into(), bad()),
        ("chunked, chunked", "Transfer-Encoding: chunked, chunked\r\n".into(), "0\r\n\r\n".into(), bad()),
        ("an empty coding", "Transfer-Encoding:\r\n".into(), DOCUMENT.into(), bad()),
        ("a space before the colon", format!("Content-Length : {real}\r\n"), DOCUMENT.into(), bad()),
        ("a folded line", format!("X: y\r\n z\r\n{length}"), DOCUMENT.into(), bad()),
        ("a line that is no field", format!("nonsense\r\n{length}"), DOCUMENT.into(), bad()),
        ("a field without a name", format!(": x\r\n{length}"), DOCUMENT.into(), bad()),
        ("a space in a name", format!("A b: x\r\n{length}"), DOCUMENT.into(), bad()),
        ("a NUL in a value", format!("A: \0\r\n{length}"), DOCUMENT.into(), bad()),
        ("a lone CR in a value", format!("A: b\rc\r\n{length}"), DOCUMENT.into(), bad()),
        (
            "bytes beyond ASCII in a value",
            format!("A: \u{e9}\u{1f600}\r\n{length}"),
            DOCUMENT.into(),
            Want::Credit,
        ),
        ("no length", String::new(), DOCUMENT.into(), Want::Credit),
        ("no body", String::new(), String::new(), bad_document()),
        (
            "gzip that was not requested",
            format!("Content-Encoding: gzip\r\n{length}"),
            DOCUMENT.into(),
            bad_document(),
        ),
    ] {
        let bytes = format!("HTTP/1.1 200 OK\r\n{fields}\r\n{body}");
        matrix.closed("contradictions", name, bytes, want);
    }
}

fn chunks(matrix: &mut Matrix) {
    let real = DOCUMENT.len();
    for first in 1..real {
        matrix.open("two chunks", first.to_string(), in_chunks(&[first]), Want::Credit);
    }
    matrix.open("chunks", "of a byte each", in_chunks(&vec![1; real]), Want::Credit);
    // A size that is off by anything: the line end after the chunk is not where it must be.
    for said in 1..real + 20 {
        if said != real {
            let bytes = format!("{}{said:x}\r\n{DOCUMENT}\r\n0\r\n\r\n", chunked_head());
            // Too large, it runs into the 7 bytes that follow, or beyond them.
            let want = if said < real { bad_document() } else { Want::Honest };
            matrix.closed("a chunk's size that is wrong", said.to_string(), bytes, want);
        }
    }
    for (name, body, want) in [
        ("no size", format!("\r\n{DOCUMENT}\r\n0\r\n\r\n"), bad_document()),
        ("a size of letters", format!("xyz\r\n{DOCUMENT}\r\n0\r\n\r\n"), bad_document()),
        ("a negative size", "-1\r\n{\r\n0\r\n\r\n".into(), bad_document()),
        ("a size with 0x", format!("0x{real:x}\r\n{DOCUMENT}\r\n0\r\n\r\n"), bad_document()),
        ("a size with a space before", format!(" {real:x}\r\n{DOCUMENT}\r\n0\r\n\r\n"), Want::Credit),
        ("17 digits", "10000000000000000\r\n{".into(), bad_document()),
        // What a chunk announces is believed when it comes.
        ("16 digits", "ffffffffffffffff\r\n{".into(), failure(FISH_CONNECTION_LOST, 200)),
        ("above a MiB", "100001\r\n{".into(), failure(FISH_CONNECTION_LOST, 200)),
        (
            "above a MiB together",
            "fffff\r\n".to_owned() + &" ".repeat(0xfffff) + "\r\n2\r\n{}",
            failure(FISH_RESPONSE_TOO_LARGE, 200),
        ),
        ("no chunk at all", "0\r\n\r\n".into(), bad_document()),
        ("an extension", format!("{real:x};a=b;c=\"d\"\r\n{DOCUMENT}\r\n0;e\r\n\r\n"), Want::Credit),
        ("an extension without end", format!("{real:x};{}", "x".repeat(100_000)), bad_document()),
        ("zeros before the size", format!("000{real:X}\r\n{DOCUMENT}\r\n0000\r\n\r\n"), Want::Credit),
        ("a trailer", format!("{real:x}\r\n{DOCUMENT}\r\n0\r\nA: b\r\nC: d\r\n\r\n"), Want::Credit),
        (
            "a trailer with another length",
            format!("{real:x}\r\n{DOCUMENT}\r\n0\r\nContent-Length: 1\r\n\r\n"),
            Want::Credit,
        ),
        (
            "a trailer without end",
            format!("{real:x}\r\n{DOCUMENT}\r\n0\r\n{}", "A: b\r\n".repeat(20_000)),
            Want::Credit,
        ),
        (
            "a trailer of 12 MB",
            format!("{real:x}\r\n{DOCUMENT}\r\n0\r\n{}", "A: b\r\n".repeat(2_000_000)),
            failure(FISH_RESPONSE_TOO_LARGE, 200),
        ),
        (
            "a trailer line of 10 KB",
            format!("{real:x}\r\n{DOCUMENT}\r\n0\r\nA: {}\r\n\r\n", "b".repeat(10_000)),
            bad_document(),
        ),
        (
            "a trailer line without end",
            format!("{real:x}\r\n{DOCUMENT}\r\n0\r\n{}", "A".repeat(100_000)),
            bad_document(),
        ),
        ("no line end after a chunk", format!("{real:x}\r\n{DOCUMENT}0\r\n\r\n"), bad_document()),
        (
            "another answer instead of the last chunk",
            format!("{real:x}\r\n{DOCUMENT}\r\nHTTP/1.1 200 OK\r\n\r\n"),
            bad_document(),
        ),
    ] {
        let bytes = format!("{}{body}", chunked_head());
        matrix.closed("bad chunks", name, bytes, want);
    }
}

fn interims_and_heads(matrix: &mut Matrix) {
    let whole = String::from_utf8(answer(200, "", DOCUMENT)).unwrap();
    for code in [100, 102, 103, 150, 199] {
        // ureq lets a 100 have no fields.
        let fields = if code == 100 { "" } else { "A: b\r\n" };
        let one = format!("HTTP/1.1 {code} Wait\r\n{fields}\r\n");
        let group = "interim answers";
        let silence = vec![Step::Send(one.clone().into()), Step::Stall];
        matrix.open(group, format!("one {code}"), format!("{one}{whole}"), Want::Credit);
        matrix.open(group, format!("ten {code}"), format!("{}{whole}", one.repeat(10)), Want::Credit);
        matrix.closed(group, format!("{code} alone"), one, failure(FISH_CONNECTION_LOST, 0));
        matrix.add(group, format!("{code} and silence"), silence, failure(FISH_TIMED_OUT, 0));
    }
    let many = "HTTP/1.1 100 Continue\r\n\r\n".repeat(50_000);
    for (name, first, want) in [
        ("a length in one", "HTTP/1.1 103 H\r\nContent-Length: 9\r\n\r\n", Want::Credit),
        ("a 100 with fields", "HTTP/1.1 100 Wait\r\nA: b\r\n\r\n", bad()),
        ("switching protocols", "HTTP/1.1 101 S\r\n\r\n", failure(FISH_UNEXPECTED_STATUS, 101)),
        ("50,000", &many, failure(FISH_RESPONSE_TOO_LARGE, 0)),
    ] {
        matrix.open("interim answers", name, format!("{first}{whole}"), want);
    }
    let broken = format!("HTTP/1.1 103 H\r\nbroken\r\n\r\n{whole}");
    matrix.closed("interim answers", "a broken one", broken, bad());

    let head = |fields: String| {
        format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: {}\r\n\r\n{DOCUMENT}", DOCUMENT.len())
    };
    for (name, fields, want) in [
        ("99 fields more", "A: b\r\n".repeat(99), Want::Credit),
        ("100 fields more", "A: b\r\n".repeat(100), failure(FISH_RESPONSE_TOO_LARGE, 0)),
        ("10,000 fields", "A: b\r\n".repeat(10_000), failure(FISH_RESPONSE_TOO_LARGE, 0)),
        ("a field of 60 KB", format!("A: {}\r\n", "b".repeat(60_000)), Want::Credit),
        ("a name of 60 KB", format!("{}: b\r\n", "A".repeat(60_000)), Want::Credit),
        ("a field of 70 KB", format!("A: {}\r\n", "b".repeat(70_000)), failure(FISH_RESPONSE_TOO_LARGE, 0)),
        (
            "a MiB in fields",
            format!("A: {}\r\n", "b".repeat(1000)).repeat(1049),
            failure(FISH_RESPONSE_TOO_LARGE, 0),
        ),
        (
            "a MiB in one field",
            format!("A: {}\r\n", "b".repeat(1 << 20)),
            failure(FISH_RESPONSE_TOO_LARGE, 0),
        ),
    ] {
        matrix.open("large heads", name, head(fields), want);
    }
    let flood = |start: &str, piece: &str, times| {
        vec![Step::Send(start.as_bytes().to_vec()), Step::Flood(piece.as_bytes().to_vec(), times)]
    };
    let fields = "A: b\r\n".repeat(10_000);
    let interims = "HTTP/1.1 100 C\r\n\r\n".repeat(4000);
    for (name, script) in [
        ("one line without end", flood("HTTP/1.1 200 ", &"a".repeat(65_536), 1000)),
        ("fields without end", flood("HTTP/1.1 200 OK\r\n", &fields, 1000)),
        ("interim answers without end", flood("", &interims, 1000)),
    ] {
        matrix.add("large heads", name, script, failure(FISH_RESPONSE_TOO_LARGE, 0));
    }
}

fn bodies(matrix: &mut Matrix) {
    let field = |field: &str, raw: &str| {
        let at = DOCUMENT.find(&format!("\"{field}\":")).unwrap() + field.len() + 3;
        let end = at + DOCUMENT[at..].find([',', '}']).unwrap();
        format!("{}{raw}{}", &DOCUMENT[..at], &DOCUMENT[end..])
    };
    let extra = |raw: &str| format!("{{\"x\":{raw},{}", &DOCUMENT[1..]);
    let amount = |text: &str| Want::Amount(text.to_owned());
    let digits = "7".repeat(100_000);
    for (name, body, want) in [
        ("a byte order mark", format!("\u{feff}{DOCUMENT}"), bad_document()),
        ("100,000 arrays deep", extra(&("[".repeat(100_000) + &"]".repeat(100_000))), Want::Credit),
        (
            "100,000 objects deep",
            extra(&("{\"a\":".repeat(100_000) + "1" + &"}".repeat(100_000))),
            Want::Credit,
        ),
        ("arrays that never close", extra(&"[".repeat(1_000_000)), bad_document()),
        (
            "deep inside an amount",
            field("credit", &("[".repeat(100_000) + &"]".repeat(100_000))),
            bad_document(),
        ),
        ("a key twice", format!("{},\"credit\":\"1\"}}", &DOCUMENT[..DOCUMENT.len() - 1]), bad_document()),
        ("an unknown key twice", extra("1,\"x\":2"), Want::Credit),
        ("a number of 100,000 digits", field("credit", &digits), amount(&digits)),
        ("text of 100,000 digits", field("credit", &format!("\"{digits}\"")), amount(&digits)),
        ("1e999", field("credit", "1e999"), bad_document()),
        ("1e99999999999999999999", field("credit", "1e99999999999999999999"), bad_document()),
        ("1e100", field("credit", "1e100"), amount("1e100")),
        ("a huge number elsewhere", extra("1e99999"), Want::Credit),
        ("a million keys", extra(&format!("{{{}\"z\":0}}", "\"k\":1,".repeat(150_000))), Want::Credit),
        ("NaN", field("credit", "NaN"), bad_document()),
        ("escapes only", extra(&format!("\"{}\"", "\\u0041".repeat(100_000))), Want::Credit),
        ("a second document", format!("{DOCUMENT}{DOCUMENT}"), bad_document()),
        ("HTML", "<html>sign in to this network</html>".into(), bad_document()),
    ] {
        matrix.open("documents", name, answer(200, "", &body), want.clone());
        let until_close = format!("HTTP/1.1 200 OK\r\n\r\n{body}");
        matrix.closed("documents until close", name, until_close, want);
    }
    // Cut at every byte, by a length that agrees.
    for cut in 0..DOCUMENT.len() {
        let part = answer(200, "", &DOCUMENT[..cut]);
        matrix.open("a document that is cut", cut.to_string(), part, bad_document());
    }
    let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\xae\x05\0\x43\xbf\xa6\xa3\x02\0\0\0";
    for (name, fields) in [("gzip nobody asked for", "Content-Encoding: gzip\r\n"), ("gzip nobody named", "")]
    {
        matrix.open("documents", name, answer(200, fields, gzip), bad_document());
    }
    // One that is right, and then one that nobody asked for: the next call must not see it.
    let other = answer(200, "", field("credit", "\"666\""));
    // (One that arrives in the very moment between looking and asking is the answer to any HTTP/1.1 client;
    // tests/connections.rs has those that come while the connection lies idle.)
    let twice = [answer(200, "", DOCUMENT), other].concat();
    matrix.open("a second answer", "at once", twice, Want::Credit);

    // A GB, of which no more than a MiB is read.
    let gib = 1u64 << 30;
    let piece = vec![b' '; 1 << 16];
    let flood = |head: String, piece: Vec<u8>| {
        let times = gib / piece.len() as u64;
        vec![Step::Send(head.into_bytes()), Step::Flood(piece, times)]
    };
    let chunk = [b"10000\r\n".to_vec(), piece.clone(), b"\r\n".to_vec()].concat();
    for (code, want) in [(200, failure(FISH_RESPONSE_TOO_LARGE, 200)), (404, failure(FISH_NOT_FOUND, 404))] {
        let start = |fields: String| format!("HTTP/1.1 {code} X\r\n{fields}\r\n");
        let chunks = || start("Transfer-Encoding: chunked\r\n".into());
        for (how, head, piece) in [
            ("a length", start(format!("Content-Length: {gib}\r\n")), piece.clone()),
            ("until close", start(String::new()), piece.clone()),
            ("chunks", chunks(), chunk.clone()),
            ("chunks of a byte", chunks(), b"1\r\n \r\n".repeat(8192)),
        ] {
            matrix.add("a GiB", format!("{code}, {how}"), flood(head, piece), want.clone());
        }
    }
}

fn trickles(matrix: &mut Matrix) {
    let refusal = answer(403, "", r#"{"message":"no"}"#);
    for (name, bytes, want) in [
        ("a length", answer(200, "", DOCUMENT), Want::Credit),
        ("chunks", in_chunks(&[3, 50]).into_bytes(), Want::Credit),
        ("a refusal", refusal, failure(FISH_FORBIDDEN, 403)),
        ("no HTTP", b"Hello".to_vec(), bad()),
    ] {
        let fast = vec![Step::Trickle(bytes.clone(), Duration::from_micros(200))];
        matrix.add("trickles", format!("{name}, in time"), fast, want.clone());
        let head = bytes.windows(4).position(|w| w == b"\r\n\r\n").map_or(0, |at| at + 4);
        if head > 0 {
            let late = vec![Step::Trickle(bytes.clone(), SLOW), Step::Stall];
            matrix.add("trickles", format!("{name}, too slow a head"), late, failure(FISH_TIMED_OUT, 0));
            let body = Step::Trickle(bytes[head..].into(), SLOW);
            let late = vec![Step::Send(bytes[..head].into()), body, Step::Stall];
            let want = match want {
                Want::Credit => failure(FISH_TIMED_OUT, 200),
                other => other,
            };
            matrix.add("trickles", format!("{name}, too slow a body"), late, want);
        }
    }
}

fn matrix() -> Vec<Case> {
    let mut matrix = Matrix(Vec::new());
    every_byte(&mut matrix);
    garbage(&mut matrix);
    lengths(&mut matrix);
    chunks(&mut matrix);
    interims_and_heads(&mut matrix);
    bodies(&mut matrix);
    trickles(&mut matrix);
    matrix.0
}

/// One case, and a healthy call after it with the same client. `stage` is what its server does next; a case that is
/// meant to run into its deadline has `short_ms`. Tells by how much the case was over its time; zero, if its server
/// was in time too.
fn run(case: &Case, short_ms: u32, client: &Client, server: &Server, stage: &Mutex<Script>) -> Duration {
    let Case { group, name: title, script, want, timeout_ms } = case;
    let short = *timeout_ms == SHORT;
    let timeout_ms = if short { short_ms } else { *timeout_ms };
    let title = format!("{group}: {title}");
    *stage.lock().unwrap() = script.clone();
    let before = server.requests().len();
    let flooded = server.flooded();
    let query = Query { timeout_ms, ..Query::default() };
    let (got, took) = client.timed(&query);
    // A busy machine's server did not even come to the head.
    let headless = |failure: &Failure| (failure.status, failure.http_status) == (FISH_TIMED_OUT, 0);
    let wants_head = !matches!(want, Want::Failure(FISH_TIMED_OUT, 0));
    let late_server = short && wants_head && got.as_ref().is_err_and(headless);
    match (got, want) {
        _ if late_server => {}
        (Ok(credit), Want::Credit | Want::Honest) => assert_eq!(credit.credit, "12.345678", "{title}"),
        (Ok(credit), Want::Amount(amount)) => assert_eq!(&credit.credit, amount, "{title}"),
        (Err(failure), Want::Failure(status, http)) => {
            let got = (name(failure.status), failure.http_status);
            assert_eq!(got, (name(*status), *http), "{title}: {failure:?}");
            assert_eq!(failure.attempts, 1, "{title}: {failure:?}");
            let again = matches!(*status, FISH_CONNECTION_LOST | FISH_TIMED_OUT);
            assert_eq!(failure.retryable, again, "{title}: {failure:?}");
        }
        (Err(failure), Want::Honest) => {
            let honest =
                [FISH_BAD_RESPONSE, FISH_CONNECTION_LOST, FISH_UNEXPECTED_STATUS, FISH_RESPONSE_TOO_LARGE];
            let http = Some(failure.http_status).filter(|http| *http != 0 && *http != 200);
            // A damaged status is another status.
            let other = http.is_some() && failure.status >= FISH_UNAUTHORIZED;
            assert!(honest.contains(&failure.status) || other, "{title}: {failure:?}");
        }
        (got, _) => panic!("{title}: {got:?}"),
    }
    // On the connection kept from the call before, neither a close without a word nor silence is the answer to this
    // one.
    let wordless = matches!(
        &script[..],
        [Step::Send(bytes), Step::Close | Step::Reset | Step::Stall] if bytes.is_empty()
    );
    let asked = server.requests().len() - before;
    let right = asked == 1 || wordless && asked == 2;
    // Nor is half the time without a byte, which a busy machine's server needs now and then.
    let slow = late_server || short && !right;
    assert!(right || slow, "{title}: asked {asked} times");
    *stage.lock().unwrap() = ok();
    let next = client.get(&Query::default());
    assert_eq!(next.map(|credit| credit.credit).as_deref(), Ok("12.345678"), "{title}: the next call");
    // Read: a MiB and what the sockets hold of the rest.
    assert!(server.flooded() - flooded < 64 << 20, "{title}: {} MiB", (server.flooded() - flooded) >> 20);
    let late = took.saturating_sub(Duration::from_millis(timeout_ms.into()) + clock::GRACE);
    if slow { late.max(Duration::from_millis(1)) } else { late }
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

/// Runs cases `workers` at a time, each worker with its own server and its own client.
fn run_all(cases: &[Case], workers: usize) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let stage = Arc::new(Mutex::new(ok()));
                let own = Arc::clone(&stage);
                let server = Server::directed(move |_, _| own.lock().unwrap().clone());
                let client = Client::once(&server.url());
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // A library that is late, or asks twice, does so every time, a busy machine now and then.
                    let in_time =
                        TRIES.iter().any(|short_ms| run(case, *short_ms, &client, &server, &stage).is_zero());
                    assert!(in_time, "{}: {}: not within its time", case.group, case.name);
                }
                // Only the connection of the last healthy call may still be open.
                drop(client);
                server.await_open_connections(0);
            });
        }
    });
}

/// Waits until all threads but the harness's have gone: a joined thread may still be on its way out.
fn await_threads(count: usize) {
    let begun = Instant::now();
    while threads() > count {
        assert!(begun.elapsed() < Duration::from_secs(30), "{} threads leaked", threads() - count);
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn every_fault_has_its_status_and_leaks_nothing() {
    let threads_before = threads();
    // Once around first: what is made once and kept (thread-local buffers, the C library's) is made here.
    let mut cases = matrix();
    let few: Vec<Case> = {
        let all = matrix();
        all.into_iter().step_by(50).collect()
    };
    run_all(&few, 4);
    await_threads(threads_before);
    let descriptors_before = descriptors();

    // Those that only wait can wait together; those that move many bytes need the machine.
    let heavy = |case: &Case| case.script.iter().any(|step| matches!(step, Step::Flood(..)));
    let (large, rest): (Vec<Case>, Vec<Case>) = cases.drain(..).partition(heavy);
    let (waiting, quick): (Vec<Case>, Vec<Case>) =
        rest.into_iter().partition(|case| case.timeout_ms == SHORT);
    let live_before = live();
    run_all(&large, 2);
    run_all(&quick, 4);
    run_all(&waiting, 24);
    await_threads(threads_before);
    let grown = live() - live_before;

    assert_eq!(descriptors(), descriptors_before, "descriptors leaked");
    // Some bytes a case at most; what little there is, is the C library's caches and the test harness's.
    assert!(grown < 64 * 1024, "{grown} bytes leaked");
    let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
    for case in large.iter().chain(&quick).chain(&waiting) {
        *groups.entry(case.group).or_default() += 1;
    }
    let count = large.len() + quick.len() + waiting.len();
    assert!(count > 4000, "the matrix has shrunk to {count} cases");
    support::note(format_args!(
        "{count} cases, {} of them waiting for a deadline, {grown} bytes more afterwards",
        waiting.len()
    ));
    for (group, count) in groups {
        support::note(format_args!("{count:5} {group}"));
    }
}
