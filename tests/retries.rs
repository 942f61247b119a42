//! Retries: after which failures, how often, after how long, and what the last failure reports.

mod support;

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use ::fish_api_credit::ffi::*;
use socket2::{Domain, Socket, Type};
use support::client::{Client, Options, Query, name};
use support::clock;
use support::server::{DOCUMENT, Script, Server, Step, always, answer, ok, read_head, send};

const WHOLE: Duration = Duration::from_millis(20_000);

fn client(url: &str, max_retries: i32) -> Client {
    let options =
        Options { base_url: Some(url), timeout_ms: WHOLE.as_millis() as u32, max_retries, ..Options::test() };
    Client::new(&options).unwrap()
}

fn part(length: usize, end: Step) -> Script {
    vec![Step::Send(answer(200, "", DOCUMENT)[..length].into()), end]
}

/// A failure that is worth asking again after, and what it is told as when it is the last.
fn failures() -> Vec<(&'static str, Script, fish_status, i32)> {
    let whole = answer(200, "", DOCUMENT).len();
    let head = whole - DOCUMENT.len();
    let chunked = |body: &str| format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
    let mut cases = vec![
        ("closed before the head", vec![Step::Close], FISH_CONNECTION_LOST, 0),
        ("reset before the head", vec![Step::Reset], FISH_CONNECTION_LOST, 0),
        ("a byte of the head", part(1, Step::Close), FISH_CONNECTION_LOST, 0),
        ("half a head", part(head / 2, Step::Close), FISH_CONNECTION_LOST, 0),
        ("half a head, reset", part(head / 2, Step::Reset), FISH_CONNECTION_LOST, 0),
        ("a head alone", part(head, Step::Close), FISH_CONNECTION_LOST, 200),
        ("half a body", part(head + 100, Step::Close), FISH_CONNECTION_LOST, 200),
        ("half a body, reset", part(head + 100, Step::Reset), FISH_CONNECTION_LOST, 200),
        ("all but a byte", part(whole - 1, Step::Close), FISH_CONNECTION_LOST, 200),
        ("half a chunk", vec![Step::Send(chunked("5\r\n{").into()), Step::Close], FISH_CONNECTION_LOST, 200),
        (
            "no last chunk",
            vec![Step::Send(chunked("1\r\n{\r\n").into()), Step::Close],
            FISH_CONNECTION_LOST,
            200,
        ),
        (
            "an interim answer alone",
            vec![Step::Send(b"HTTP/1.1 100 C\r\n\r\n".to_vec()), Step::Close],
            FISH_CONNECTION_LOST,
            0,
        ),
    ];
    for (code, status) in [
        (408, FISH_UNEXPECTED_STATUS),
        (429, FISH_RATE_LIMITED),
        (500, FISH_SERVER_ERROR),
        (502, FISH_SERVER_ERROR),
        (503, FISH_SERVER_ERROR),
        (504, FISH_SERVER_ERROR),
        (520, FISH_SERVER_ERROR),
        (530, FISH_SERVER_ERROR),
    ] {
        cases.push(("an answer to ask again after", send(answer(code, "", "later")), status, code.into()));
        cases.push((
            "and its connection closed",
            vec![Step::Send(answer(code, "Connection: close\r\n", "later")), Step::Close],
            status,
            code.into(),
        ));
        let cut = format!("HTTP/1.1 {code} No\r\nContent-Length: 99\r\n\r\nlat").into_bytes();
        cases.push(("and its body cut", vec![Step::Send(cut), Step::Close], status, code.into()));
    }
    cases
}

#[test]
fn retryable_failures_are_retried_and_reported() {
    for (title, script, status, http) in failures() {
        // Once, then well.
        let server = Server::scripted(vec![script.clone(), ok()]);
        let got = client(&server.url(), 0).get(&Query::default());
        assert_eq!(got.map(|c| c.credit).as_deref(), Ok("12.345678"), "{title} {http}");
        assert_eq!(server.requests().len(), 2, "{title} {http}");

        // Never well: as often as asked for.
        for (max_retries, attempts) in [(-1, 1), (1, 2), (0, 3), (3, 4)] {
            let server = always(script.clone());
            let failure = client(&server.url(), max_retries).get(&Query::default()).unwrap_err();
            let title = format!("{title} {http}, max_retries {max_retries}: {failure:?}");
            assert_eq!(name(failure.status), name(status), "{title}");
            assert_eq!(failure.http_status, http, "{title}");
            assert_eq!(failure.attempts, attempts, "{title}");
            assert!(failure.retryable, "{title}");
            assert_eq!(server.requests().len() as u32, attempts, "{title}");
            if max_retries > 0 && http != 0 {
                break; // The longer waits have been shown by those above.
            }
        }
    }
}

#[test]
fn other_failures_are_not_retried() {
    let mut cases: Vec<(String, Script)> =
        [201, 204, 301, 400, 401, 402, 403, 404, 409, 422, 501, 505, 511, 519, 525, 526, 531, 599]
            .map(|code| (format!("HTTP {code}"), send(answer(code, "Retry-After: 0\r\n", ""))))
            .into();
    cases.push(("no document".into(), send(answer(200, "", "[]"))));
    cases.push(("no HTTP".into(), vec![Step::Send(b"SSH-2.0-x\r\n".to_vec()), Step::Close]));
    cases.push(("a head that is wrong".into(), send("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n")));
    cases.push(("too large".into(), send(answer(200, "", vec![b' '; 1024 * 1024 + 1]))));
    for (title, script) in cases {
        let server = Server::scripted(vec![script, ok()]);
        let failure = client(&server.url(), 5).get(&Query::default()).unwrap_err();
        assert_eq!((failure.attempts, failure.retryable), (1, false), "{title}: {failure:?}");
        assert_eq!(server.requests().len(), 1, "{title}");
    }
}

#[test]
fn a_refused_connection_is_retried() {
    // Bound and not listening: the port is nobody else's, and refuses.
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let client = client(&format!("http://{address}"), 2);
    let failure = client.get(&Query::default()).unwrap_err();
    assert_eq!(name(failure.status), "FISH_CONNECT_FAILED", "{failure:?}");
    assert_eq!((failure.attempts, failure.retryable, failure.http_status), (3, true, 0));
    assert!(failure.message.contains(&address.to_string()), "{}", failure.message);

    socket.listen(8).unwrap();
    let listener = TcpListener::from(socket);
    thread::scope(|scope| {
        scope.spawn(|| {
            // Dropped before the request is read, which is a reset; and then served.
            let (unread, _) = listener.accept().unwrap();
            unread.peek(&mut [0]).unwrap();
            drop(unread);
            let (mut stream, _) = listener.accept().unwrap();
            read_head(&mut stream, &mut Vec::new()).unwrap().unwrap();
            stream.write_all(&answer(200, "", DOCUMENT)).unwrap();
        });
        assert_eq!(client.get(&Query::default()).unwrap().credit, "12.345678");
    });
}

#[test]
fn failures_of_many_kinds_in_one_call() {
    let server = Server::scripted(vec![
        vec![Step::Reset],
        send(answer(503, "x-fish-trace-id: first\r\n", "busy")),
        part(60, Step::Close),
        send(answer(429, "Retry-After: 0\r\nx-fish-trace-id: second\r\n", r#"{"message":"slow"}"#)),
        send(answer(403, "x-fish-trace-id: last\r\n", r#"{"message":"no"}"#)),
    ]);
    let failure = client(&server.url(), 9).get(&Query::default()).unwrap_err();
    assert_eq!((failure.status, failure.attempts, failure.retryable), (FISH_FORBIDDEN, 5, false));
    assert_eq!(failure.request_id.as_deref(), Some("last"));
    assert_eq!((failure.api_message.as_deref(), failure.retry_after_ms), (Some("no"), 0));
}

#[test]
fn retry_after_is_respected_in_both_forms() {
    /// What the server says, at the moment it says it.
    enum Says {
        Text(&'static str),
        DateIn(u64),
    }
    use Says::*;
    let ms = Duration::from_millis;
    for (says, least, most) in [
        // The library's own wait, of at most 250 ms, comes on top.
        (Text("1"), ms(1000), ms(1600)),
        (Text("0"), ms(0), ms(650)),
        // A date has whole seconds: three ahead are more than two.
        (DateIn(3), ms(2000), ms(3600)),
        (DateIn(0), ms(0), ms(1650)),
        (Text("Sun, 06 Nov 1994 08:49:37 GMT"), ms(0), ms(650)),
        // No such thing was said.
        (Text("-1"), ms(0), ms(650)),
        (Text("tomorrow"), ms(0), ms(650)),
    ] {
        for code in [429, 503] {
            // Before a date that is so far ahead.
            let begun = Instant::now();
            let value = match says {
                Text(text) => text.to_owned(),
                DateIn(seconds) => httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(seconds)),
            };
            let busy = answer(code, &format!("Retry-After: {value}\r\n"), "");
            let server = Server::scripted(vec![send(busy), ok()]);
            let client = client(&server.url(), 1);
            clock::ends_by(&value, most, || client.get(&Query::default()).unwrap());
            assert!(begun.elapsed() >= least, "{value}: {:?}", begun.elapsed());
            assert_eq!(server.requests().len(), 2, "{value}");
            // On the same connection: an error answer is no reason to open another.
            assert_eq!(server.connections(), 1, "{value}");
            if least > ms(0) {
                break;
            }
        }
    }
}

#[test]
fn retry_after_zero_does_not_flood_the_server() {
    for value in ["0", "Sun, 06 Nov 1994 08:49:37 GMT"] {
        // On a busy machine its time may be up in the middle of an answer, now and then.
        let counted = (0..5).any(|_| {
            let server = always(send(answer(503, &format!("Retry-After: {value}\r\n"), "")));
            let client = client(&server.url(), 100_000);
            let query = Query { timeout_ms: 1500, ..Query::default() };
            let failure = client.get(&query).unwrap_err();
            assert!([FISH_SERVER_ERROR, FISH_TIMED_OUT].contains(&failure.status), "{failure:?}");
            // Steps of 250 ms that double: that 20 waits fit into 1.5 s happens once in far more than 10^20 times.
            assert!((1..20).contains(&failure.attempts), "{value}: {} attempts", failure.attempts);
            let asked = server.requests().len() as u32;
            failure.status == FISH_SERVER_ERROR && asked == failure.attempts
        });
        assert!(counted, "{value}");
    }
}

#[test]
fn a_wait_beyond_the_deadline_is_not_started() {
    for (value, told) in [("30", 30_000), ("3600", 3_600_000), ("99999999999", u32::MAX)] {
        let busy = answer(429, &format!("Retry-After: {value}\r\nx-fish-trace-id: t\r\n"), "slow down");
        let server = Server::scripted(vec![send(busy), ok()]);
        let client = client(&server.url(), 2);
        let query = Query { timeout_ms: 15_000, ..Query::default() };
        let failure = clock::ends_by(value, Duration::ZERO, || client.get(&query).unwrap_err());
        assert_eq!((failure.status, failure.http_status), (FISH_RATE_LIMITED, 429), "{failure:?}");
        assert_eq!((failure.attempts, failure.retryable, failure.retry_after_ms), (1, true, told));
        assert_eq!(failure.request_id.as_deref(), Some("t"));
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn the_last_failure_is_reported_when_the_deadline_passes_in_a_wait() {
    // Each answer takes 120 ms, and each wait has at most 250 ms: the deadline comes in between.
    let slow = vec![Step::Rest(Duration::from_millis(120)), Step::Send(answer(503, "", "busy"))];
    let server = always(slow);
    let client = client(&server.url(), 1000);
    for _ in 0..5 {
        let query = Query { timeout_ms: 500, ..Query::default() };
        let failure = clock::ends_by("503s", Duration::from_millis(500), || client.get(&query).unwrap_err());
        // Its time is up either in the wait or in the next answer.
        match failure.status {
            FISH_SERVER_ERROR => assert_eq!(failure.http_status, 503),
            FISH_TIMED_OUT => assert_eq!(failure.http_status, 0),
            _ => panic!("{failure:?}"),
        }
        assert!(failure.retryable && failure.attempts >= 1, "{failure:?}");
    }
}

#[test]
fn waits_have_jitter() {
    // Calls of one retry each: full jitter from 0 to 250 ms.
    const CALLS: u32 = 24;
    let server = Server::directed(|n, _| if n % 2 == 0 { send(answer(503, "", "")) } else { ok() });
    let client = client(&server.url(), 1);
    let wait = |_| {
        let begun = Instant::now();
        client.get(&Query::default()).unwrap();
        begun.elapsed()
    };
    // Together they take 3 s and almost never half as much again.
    let most = CALLS * Duration::from_millis(225);
    let mut waits: Vec<Duration> = clock::ends_by("all of them", most, || (0..CALLS).map(wait).collect());
    waits.sort();
    // Uniform over 250 ms: that 24 of them lie within 60 ms happens once in 10^13 times.
    assert!(waits[23] - waits[0] > Duration::from_millis(60), "{waits:?}");
}
