//! What a hostile server can cost a call, as docs/limits.md states it: each bound is tested with the worst input that was
//! found. The call ends in time, can be cancelled at once, and stays within its memory.

#![cfg(target_os = "linux")]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ::fish_api_credit::ffi::*;
use rustls::server::ProducesTickets;
use support::chains;
use support::client::{Client, Failure, KEY, Options, Query, Token, name};
use support::clock::{self, reached};
use support::server::{Connection, DOCUMENT, Link, Server, Step, always, answer, ok};
use support::tls::{Authority, BOTH, ONLY_1_2, ONLY_1_3, Secured, Trusted, answering, server};
use support::{child, tasks};

/// What a call may take of memory, whatever a server sends.
const MOST_MEMORY: isize = 8 * 1024 * 1024;
/// What a kept connection may take of it between two calls.
const MOST_KEPT: isize = 128 * 1024;

/// Counts what each thread has allocated: a call runs on one.
struct Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    let live = LIVE.get() + bytes;
    LIVE.set(live);
    MOST.set(MOST.get().max(live));
}

// SAFETY: the system's allocator, and numbers beside it that allocate nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Old and new may be there at the same time.
        count(size as isize);
        // SAFETY: as the caller promises.
        let moved = unsafe { System.realloc(pointer, layout, size) };
        count(-(layout.size() as isize));
        moved
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most that `body` had in memory at one time, and what is left of that.
fn memory<T>(body: impl FnOnce() -> T) -> (T, isize, isize) {
    let before = LIVE.get();
    MOST.set(before);
    let result = body();
    (result, MOST.get() - before, LIVE.get() - before)
}

/// What is computed between two looks at the token takes longer where nothing is optimised; .ci/secure.sh runs this
/// file as it is released.
const COMPUTING: Duration = Duration::from_millis(if cfg!(debug_assertions) { 300 } else { 0 });

const fn ms(ms: u32) -> Duration {
    Duration::from_millis(ms as u64)
}

/// Attacked with this client, a call ends on time, keeps its memory, and is cancelled at once.
fn withstands(what: &str, client: &Client, timeout_ms: u32) -> Option<Failure> {
    let query = Query { timeout_ms, ..Query::default() };
    let (got, most, _) = clock::ends_by(what, ms(timeout_ms) + COMPUTING, || memory(|| client.get(&query)));
    assert!(most <= MOST_MEMORY, "{what}: {most} bytes");
    support::note(format_args!("{what}: {} KiB", most / 1024));
    // Before, within and after what is computed.
    for wait in [0, 10, 100] {
        let token = Token::new();
        let query = Query { cancel: Some(&token), ..Query::default() };
        thread::scope(|scope| {
            let call = scope.spawn(|| client.get(&query));
            thread::sleep(ms(wait));
            let over = call.is_finished();
            clock::ends_by(what, COMPUTING, || {
                token.cancel();
                let got = call.join().unwrap();
                let cancelled = got.as_ref().is_err_and(|failure| failure.status == FISH_CANCELLED);
                assert!(over || cancelled || got.is_err(), "{what}: {got:?}");
            });
        });
    }
    got.err()
}

#[test]
fn no_chain_of_certificates_takes_long() {
    // The system's roots are what this variable says, when the process starts.
    let folder = tempfile::tempdir().unwrap();
    let system = folder.path().join("system.pem");
    let authority = Authority::new();
    let (system, own) = match std::env::var("SSL_CERT_FILE") {
        Ok(file) if child::is_one() => (file.clone().into(), format!("{file}.own")),
        _ => (system.clone(), String::new()),
    };
    let prepare = |command: &mut std::process::Command| {
        std::fs::write(&system, Authority::new().pem()).unwrap();
        command.env("SSL_CERT_FILE", &system).env("SSL_CERT_DIR", "");
    };
    child::prepared(&[], prepare, || {
        std::fs::write(&own, authority.pem()).unwrap();
        // The system trusts the same authority from here on.
        std::fs::write(&system, authority.pem()).unwrap();
        for versions in [ONLY_1_2, ONLY_1_3] {
            for chain in chains::all(&authority) {
                let peer = answering(chain.identity.config(versions), answer(200, "", DOCUMENT));
                let url = peer.https_url();
                for (roots, ca_file, tls_roots) in [
                    ("ca_file", Some(own.as_str()), FISH_TLS_ROOTS_BUNDLED),
                    ("bundled", None, FISH_TLS_ROOTS_BUNDLED),
                    #[cfg(feature = "system-roots")]
                    ("system", None, FISH_TLS_ROOTS_SYSTEM),
                ] {
                    let what = format!("{}, {roots}, {versions:?}", chain.name);
                    let client = Client::new(&Options { ca_file, tls_roots, ..Options::once(&url) }).unwrap();
                    let failure = withstands(&what, &client, 1000).expect(&what);
                    // On a busy machine it may wait longer for its turn than that; what it computes is no more.
                    let mut computed = Duration::ZERO;
                    let failure = match failure.status {
                        FISH_TIMED_OUT => {
                            let before = tasks::computed();
                            let query = Query { timeout_ms: 600_000, ..Query::default() };
                            let failure = client.get(&query).expect_err(&what);
                            computed = tasks::computed() - before;
                            failure
                        }
                        _ => failure,
                    };
                    assert!(computed < ms(1000), "{what}: {computed:?}");
                    assert_eq!(name(failure.status), "FISH_TLS_FAILED", "{what}: {failure:?}");
                    assert!(!failure.retryable, "{what}: {failure:?}");
                    let trusted = chain.trusted && roots != "bundled";
                    let unknown = failure.message.contains("no trusted issuer");
                    // Where looking for an issuer is itself too much, that is what is told.
                    let given_up = failure.message.contains("too complex");
                    assert!(unknown != (trusted || given_up), "{what}: {failure:?}");
                }
                assert!(!peer.saw(KEY));
            }
        }
    });
}

#[test]
fn an_ordinary_certificate_chain_is_checked_to_its_end() {
    let trusted = Trusted::new();
    for (what, identity, want) in chains::usual(&trusted.authority) {
        let peer = answering(identity.config(BOTH), answer(200, "", DOCUMENT));
        let got = trusted.client(&peer.https_url()).get(&Query::default());
        assert_eq!(got.is_ok(), want, "{what}: {got:?}");
    }
}

/// Sends `bytes` again and again, so many at a time, until nobody takes them.
fn flood(link: &mut impl Write, bytes: &[u8], piece: usize) -> io::Result<()> {
    loop {
        for piece in bytes.chunks(piece) {
            link.write_all(piece)?;
        }
    }
}

/// Tickets of 60,000 bytes.
#[derive(Debug)]
struct Large;

impl ProducesTickets for Large {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        3600
    }

    fn encrypt(&self, _: &[u8]) -> Option<Vec<u8>> {
        Some(vec![7; 60_000])
    }

    fn decrypt(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }
}

/// The records of a flight, each split into ones of a byte.
fn in_single_bytes(flight: &[u8]) -> Vec<u8> {
    let mut rest = flight;
    let mut split = Vec::new();
    while let [kind, 3, 3, high, low, after @ ..] = rest {
        let (fragment, next) = after.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        split.extend(fragment.iter().flat_map(|byte| [*kind, 3, 3, 0, 1, *byte]));
        rest = next;
    }
    split
}

#[test]
fn no_use_of_tls_takes_more_than_its_time_or_its_memory() {
    let trusted = Trusted::new();
    // With words of its explanation, where it ends by itself: a slow machine may need more than the deadline for it.
    let mut attacks: Vec<(&str, Server, &str)> = Vec::new();

    let mut worst = chains::all(&trusted.authority).into_iter();
    let config = Arc::new(worst.next().unwrap().identity.config(ONLY_1_2));
    attacks.push((
        "a handshake in records of a byte",
        Server::new(move |link| {
            let mut secured = Secured::new(link, &config);
            secured.incoming()?;
            let flight = secured.outgoing();
            secured.link.write_all(&in_single_bytes(&flight))?;
            secured.link.stall()
        }),
        "above 64 KiB",
    ));
    for (what, record, words) in [
        ("handshake records that are empty", &[22, 3, 3, 0, 0][..], "does not speak TLS"),
        ("warnings in the handshake", &[21, 3, 3, 0, 2, 1, 0], "violated the TLS protocol"),
        ("changes of cipher in the handshake", &[20, 3, 3, 0, 1, 1], "violated the TLS protocol"),
        (
            "a handshake message that never ends",
            &[22, 3, 3, 0, 8, 11, 0, 0xff, 0xff, 0, 0, 0, 0],
            "above 64 KiB",
        ),
        ("records that are too large", &[22, 3, 3, 0xff, 0xff, 0], "does not speak TLS"),
    ] {
        attacks.push((what, Server::new(move |mut link| flood(&mut link, &record.repeat(500), 4096)), words));
    }
    for (what, count, ticketer) in [
        ("tickets without end", 20_000, None),
        ("large tickets without end", 300, Some(Arc::new(Large) as Arc<dyn ProducesTickets>)),
    ] {
        let mut config = trusted.authority.issue().config(ONLY_1_3);
        config.send_tls13_tickets = count;
        if let Some(ticketer) = ticketer {
            config.ticketer = ticketer;
        }
        attacks.push((what, server(config, |mut secured| secured.link.stall()), "above 64 KiB"));
    }
    attacks.push((
        "key updates without end",
        server(trusted.authority.issue().config(ONLY_1_3), |mut secured| {
            secured.head()?;
            loop {
                secured.tls.refresh_traffic_keys().map_err(io::Error::other)?;
                let update = secured.outgoing();
                secured.link.write_all(&update)?;
            }
        }),
        "violated the TLS protocol",
    ));
    attacks.push((
        "key updates between the bytes of a head",
        server(trusted.authority.issue().config(ONLY_1_3), |mut secured| {
            secured.head()?;
            secured.send(b"HTTP/1.1 200 OK\r\nX: ")?;
            loop {
                secured.tls.refresh_traffic_keys().map_err(io::Error::other)?;
                secured.send(b"x")?;
            }
        }),
        "",
    ));
    for versions in [ONLY_1_2, ONLY_1_3] {
        attacks.push((
            "a head in records of a byte",
            server(trusted.authority.issue().config(versions), |mut secured| {
                secured.head()?;
                secured.send(b"HTTP/1.1 200 OK\r\nX: ")?;
                loop {
                    secured.send(b"x")?;
                }
            }),
            "above 64 KiB",
        ));
        attacks.push((
            "records that hold nothing",
            server(trusted.authority.issue().config(versions), |mut secured| {
                secured.head()?;
                loop {
                    // rustls sends none that are empty: one of a byte is the least.
                    secured.send(b"\n")?;
                }
            }),
            "above 64 KiB",
        ));
    }
    for (what, peer, words) in attacks {
        let url = peer.https_url();
        let client = trusted.client(&url);
        let failure = withstands(what, &client, 700).expect(what);
        let failure = match failure.status {
            FISH_TIMED_OUT if !words.is_empty() => {
                client.get(&Query { timeout_ms: 600_000, ..Query::default() }).expect_err(what)
            }
            _ => failure,
        };
        assert!(failure.message.contains(words), "{what}: {failure:?}");
    }
}

/// A peer that waits for a request, says how its answer begins, and then goes on with the same for ever.
fn going_on(start: impl Into<Vec<u8>>, with: impl Into<Vec<u8>>, piece: usize) -> Server {
    let (start, with) = (start.into(), with.into());
    Server::new(move |mut link: Link| {
        link.head()?;
        link.write_all(&start)?;
        flood(&mut link, &with, piece)
    })
}

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn no_response_takes_more_than_its_time_or_its_memory() {
    let extension = format!("1;{}\r\nx\r\n", "x".repeat(4000));
    let field = format!("X: {}\r\n", "y".repeat(600));
    for (what, peer) in [
        ("a head byte by byte", going_on("HTTP/1.1 200 OK\r\nX: ", "x", 1)),
        ("a head of fields byte by byte", going_on("HTTP/1.1 200 OK\r\n", field.as_str(), 1)),
        ("a head of fields", going_on("HTTP/1.1 200 OK\r\n", "A:b\r\n".repeat(800), 4096)),
        ("line ends before the head, byte by byte", going_on("", "\r\n", 1)),
        ("interim answers", going_on("", "HTTP/1.1 100 Continue\r\n\r\n".repeat(100), 4096)),
        ("interim answers byte by byte", going_on("", "HTTP/1.1 103 Early\r\nA: b\r\n\r\n", 1)),
        ("a body without end", going_on("HTTP/1.1 200 OK\r\n\r\n", "[0,".repeat(2000), 6000)),
        ("an error's body without end", going_on("HTTP/1.1 422 No\r\n\r\n[0", ",0".repeat(3000), 6000)),
        ("chunks of a byte", going_on(CHUNKED, "1\r\n[\r\n".repeat(1000), 6000)),
        ("chunks byte by byte", going_on(CHUNKED, "1\r\n[\r\n", 1)),
        ("chunks with long extensions", going_on(CHUNKED, extension.as_str(), 4096)),
        ("extensions byte by byte", going_on(CHUNKED, extension.as_str(), 1)),
        ("an extension without end", going_on(format!("{CHUNKED}1;"), "x".repeat(4096), 4096)),
        ("trailers", going_on(format!("{CHUNKED}0\r\n"), field.repeat(10), 4096)),
        ("trailers byte by byte", going_on(format!("{CHUNKED}0\r\n"), field.as_str(), 1)),
    ] {
        let client = Client::once(&peer.url());
        withstands(what, &client, 700);
    }
}

/// The longest body of an error, all but its last byte at once and that one just before the deadline: what is computed
/// comes after. Shapes that cost the most to read, and texts that cost the most to search for the key.
#[test]
fn an_errors_body_that_ends_at_the_deadline_is_read_in_time() {
    const LIMIT: u32 = 500;
    // Nothing is optimised there.
    const READING: Duration = ms(if cfg!(debug_assertions) { 4000 } else { 0 });
    let body = |open: &str, item: &str, close: &str| {
        let items = ((1 << 20) - open.len() - close.len()) / item.len();
        [open, &item.repeat(items), close].concat()
    };
    let row = |text: &str| {
        format!(r#"{{"loc":["{text}"],"in":"{text}","type":"{text}","msg":"{text}","ctx":"{text}"}},"#)
    };
    let rows = |text: &str| body("[", &row(text), "0]");
    let usual = || KEY.to_owned();
    let (same, slashes) = (|| "a".repeat(4096), || "a/".repeat(2048));
    for (what, key, body) in [
        ("zeros", usual(), body("[0", ",0", "]")),
        ("zeros in detail", usual(), body("{\"detail\":[0", ",0", "]}")),
        ("a deep array", usual(), ["[".repeat(1 << 19), "]".repeat(1 << 19)].concat()),
        ("open objects", usual(), body("", "{\"detail\":", "")),
        ("the same key", usual(), body("{\"detail\":0", ",\"detail\":[]", "}")),
        ("long keys", usual(), body("[0", &format!(",{{\"{}\":0}}", "k".repeat(4096)), "]")),
        ("escapes", usual(), body("{\"message\":\"", "\\u0061", "\"}")),
        ("escaped escapes", same(), body("\"", "\\\\u0061", "\"")),
        ("plain text", same(), body("", "a", "")),
        ("rows", same(), rows(&"a".repeat(1100))),
        ("rows with percents", same(), rows(&"%61".repeat(400))),
        ("rows with entities", same(), rows(&"&#x61;".repeat(200))),
        ("rows with escapes", same(), rows(&"\\\\u0061".repeat(200))),
        ("rows with percents and slashes", slashes(), rows(&"%61%2F".repeat(200))),
    ] {
        let whole = answer(422, "", &body);
        let (start, last) = whole.split_at(whole.len() - 1);
        reached(what, LIMIT, |limit| {
            let rest = Step::Rest(ms(limit - 50));
            let peer = always(vec![Step::Send(start.to_vec()), rest, Step::Send(last.to_vec())]);
            let url = peer.url();
            let client = Client::new(&Options { api_key: Some(&key), ..Options::once(&url) }).unwrap();
            let query = Query { timeout_ms: limit, ..Query::default() };
            let (got, most, _) = clock::ends_by(what, ms(limit) + READING, || memory(|| client.get(&query)));
            assert!(most <= MOST_MEMORY, "{what}: {most} bytes");
            let failure = got.expect_err(what);
            assert!(failure.field_errors.len() <= 100, "{what}: {}", failure.field_errors.len());
            // It has arrived.
            let there = failure.status == FISH_VALIDATION_FAILED && most > body.len() as isize / 2;
            if there { Ok(()) } else { Err(failure) }
        });
    }
}

#[test]
fn no_proxy_takes_more_than_its_time_or_its_memory() {
    let target = always(ok());
    let greeted = |start: &[u8], with: &str, piece: usize| {
        let (start, with) = (start.to_vec(), with.as_bytes().to_vec());
        Server::new(move |mut link: Link| {
            io::Read::read(&mut link, &mut [0; 1024])?;
            link.write_all(&start)?;
            flood(&mut link, &with, piece)
        })
    };
    for (what, scheme, peer) in [
        ("a head byte by byte", "http", greeted(b"HTTP/1.1 200 OK\r\nX: ", "x", 1)),
        ("fields byte by byte", "http", greeted(b"HTTP/1.1 200 OK\r\n", "A: b\r\n", 1)),
        ("line ends", "http", greeted(b"", "\r\n", 1)),
        ("an address", "socks5", greeted(b"\x05\0\x05\0\0\x03\xff", "x", 1)),
    ] {
        let proxy_url = format!("{scheme}://{}", peer.address());
        let url = target.url();
        let options = Options { proxy_url: Some(&proxy_url), ..Options::once(&url) };
        withstands(what, &Client::new(&options).unwrap(), 700).expect(what);
    }
    assert_eq!(target.connections(), 0);
}

/// What a large answer took is given back before the next call.
#[test]
fn a_large_answer_leaves_nothing_behind() {
    let large = format!(
        "{}{}",
        DOCUMENT.strip_suffix('}').unwrap(),
        format_args!(",\"x\":\"{}\"}}", "x".repeat(1_000_000))
    );
    let long_head = format!("X: {}\r\n", "x".repeat(60_000));
    let trusted = Trusted::new();
    let kept = |url: &str| {
        let client = trusted.client(url);
        let query = Query { timeout_ms: 60_000, ..Query::default() };
        let (_, most, left) = memory(|| drop(client.get(&query)));
        (most, left)
    };
    // As after a usual answer; rustls keeps its largest record's buffers.
    let plain = kept(&always(ok()).url()).1 + 4 * 1024;
    let secure = kept(&answering(trusted.config(), answer(200, "", DOCUMENT)).https_url()).1 + 36 * 1024;
    for (what, whole) in [
        ("a large body", answer(200, "", &large)),
        ("a long head", answer(200, &long_head, DOCUMENT)),
        ("both, as an error", answer(403, &long_head, &large)),
    ] {
        let peers = [
            (always(vec![Step::Send(whole.clone())]), plain),
            (answering(trusted.authority.issue().config(BOTH), whole), secure),
        ];
        for ((peer, usual), url) in peers.iter().zip([peers[0].0.url(), peers[1].0.https_url()]) {
            let (most, left) = kept(&url);
            assert!(most <= MOST_MEMORY, "{what}: {most} bytes");
            assert!(most > 50_000, "{what}: it is seen at all");
            assert!(left <= *usual && left <= MOST_KEPT, "{what}: {left} bytes are kept, not {usual}");
            assert_eq!(peer.connections(), 1, "{what}");
        }
    }
}

/// The numbers of docs/limits.md that this file holds.
#[test]
fn the_page_states_these_numbers() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/limits.md");
    let page = std::fs::read_to_string(page).unwrap();
    for number in [MOST_MEMORY, MOST_KEPT] {
        let words = match number >> 20 {
            0 => format!("{} KiB", number >> 10),
            _ => format!("{} MiB", number >> 20),
        };
        assert!(page.contains(&words), "{words}");
    }
    assert!(page.contains(&format!("{} ms", clock::GRACE.as_millis())));
}
