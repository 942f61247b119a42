//! Deadlines and cancelling: at every stage a call can hang at, it ends when its time is up, and at once when
//! its token is cancelled.

mod support;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use ::fish_api_credit::ffi::*;
use socket2::{Domain, Socket, Type};
use support::client::{Client, Options, Query, Token};
use support::clock::{self, reached};
use support::server::{BlackHole, DOCUMENT, Script, Server, Step, always, answer, ok, send};
use support::{child, tasks};

const SHORT: u32 = 300;

fn ms(ms: u32) -> Duration {
    Duration::from_millis(ms.into())
}

/// A server that accepts nobody: connections are made by the kernel, which takes little in, and nothing ever
/// answers.
struct Deaf(TcpListener);

impl Deaf {
    fn new() -> Deaf {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.set_recv_buffer_size(4096).unwrap();
        listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        listener.listen(128).unwrap();
        Deaf(listener.into())
    }
}

/// Keeps what a stage needs alive.
enum Place {
    Hole(BlackHole),
    Deaf(Deaf),
    Server(Server),
}

struct Stage {
    name: &'static str,
    place: Place,
    scheme: &'static str,
    proxy: Option<String>,
    max_retries: i32,
    /// What a deadline that passes there gives, and words of its message.
    at_deadline: (fish_status, &'static str),
}

impl Stage {
    fn url(&self) -> String {
        let address = match &self.place {
            Place::Hole(hole) => hole.address(),
            Place::Deaf(deaf) => deaf.0.local_addr().unwrap(),
            Place::Server(server) => server.address(),
        };
        format!("{}://{address}", self.scheme)
    }

    fn client(&self, timeout_ms: u32) -> Client {
        let url = self.url();
        let proxy_url = Some(self.proxy.as_deref().unwrap_or(""));
        let max_retries = self.max_retries;
        let base_url = Some(url.as_str());
        Client::new(&Options { base_url, timeout_ms, max_retries, proxy_url, ..Options::test() }).unwrap()
    }
}

fn stages() -> Vec<Stage> {
    let plain = |name, place, words| Stage {
        name,
        place,
        scheme: "http",
        proxy: None,
        max_retries: -1,
        at_deadline: (FISH_TIMED_OUT, words),
    };
    let server = |script: Script| Place::Server(always(script));
    let slowly = |bytes: &[u8]| Step::Trickle(bytes.to_vec(), ms(20));
    let whole = answer(200, "", DOCUMENT);
    let head = whole.len() - DOCUMENT.len();
    let chunks: String = DOCUMENT.chars().map(|c| format!("1\r\n{c}\r\n")).collect();
    let endless = [Step::Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n".to_vec())];
    let interim = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(200);
    let until_close = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    let long_error = b"HTTP/1.1 503 Busy\r\nContent-Length: 99\r\n\r\nbusy".to_vec();
    let deaf_proxy = Deaf::new();
    let proxy_url = |scheme: &str, deaf: &Deaf| Some(format!("{scheme}://{}", deaf.0.local_addr().unwrap()));
    // Leaked on purpose: the listener must stay for as long as the stage does.
    let http_proxy = proxy_url("http", &deaf_proxy);
    let socks_proxy = proxy_url("socks5", &deaf_proxy);
    std::mem::forget(deaf_proxy);
    vec![
        plain("connecting", Place::Hole(BlackHole::new()), "connecting"),
        plain("a server that never reads", Place::Deaf(Deaf::new()), "waiting for the response"),
        Stage {
            scheme: "https",
            ..plain("the TLS handshake", Place::Deaf(Deaf::new()), "performing the TLS handshake")
        },
        Stage { proxy: http_proxy, ..plain("an HTTP proxy", server(ok()), "waiting for the proxy") },
        Stage { proxy: socks_proxy, ..plain("a SOCKS proxy", server(ok()), "waiting for the proxy") },
        plain("waiting for the head", server(vec![Step::Stall]), "waiting for the response"),
        plain(
            "half a head",
            server(vec![Step::Send(whole[..head / 2].into()), Step::Stall]),
            "receiving the response",
        ),
        plain("a head a byte at a time", server(vec![slowly(&whole)]), "receiving the response"),
        plain(
            "interim answers without end",
            server(vec![Step::Trickle(interim, ms(2))]),
            "receiving the response",
        ),
        plain(
            "a head and nothing more",
            server(vec![Step::Send(whole[..head].into()), Step::Stall]),
            "receiving the response",
        ),
        plain(
            "a body a byte at a time",
            server(vec![Step::Send(whole[..head].into()), slowly(&whole[head..])]),
            "receiving the response",
        ),
        plain(
            "chunks of a byte",
            server([&endless[..], &[slowly(chunks.as_bytes())]].concat()),
            "receiving the response",
        ),
        plain(
            "a chunk without end",
            server([&endless[..], &[Step::Stall]].concat()),
            "receiving the response",
        ),
        plain(
            "a body until the close that never comes",
            server(vec![Step::Send([until_close, DOCUMENT.into()].concat()), Step::Stall]),
            "receiving the response",
        ),
        Stage {
            // Its status has said what matters.
            at_deadline: (FISH_SERVER_ERROR, "HTTP 503"),
            ..plain("an error's body", server(vec![Step::Send(long_error), Step::Stall]), "")
        },
        Stage {
            // Connection after connection is lost: the time goes into trying and waiting. The last failure is told.
            max_retries: 1000,
            at_deadline: (FISH_CONNECTION_LOST, "lost"),
            ..plain("retries without end", server(vec![Step::Close]), "")
        },
    ]
}

#[test]
fn a_call_ends_at_its_deadline_at_every_stage() {
    for stage in stages() {
        let Stage { name: title, at_deadline: (status, words), .. } = stage;
        // Backing off, a call may give up early: when the wait would pass the deadline.
        let exact = stage.max_retries < 0;
        for by_query in [false, true] {
            reached(title, SHORT, |limit| {
                let client = stage.client(if by_query { 600_000 } else { limit });
                let query = Query { timeout_ms: if by_query { limit } else { 0 }, ..Query::default() };
                let call = || client.get(&query).unwrap_err();
                let failure = match exact {
                    true => clock::ends_at(title, ms(limit), call),
                    false => clock::ends_by(title, ms(limit), call),
                };
                assert!(failure.retryable, "{title}: {failure:?}");
                if failure.status == FISH_TIMED_OUT {
                    assert!(failure.message.contains(&format!("{limit} ms")), "{title}: {}", failure.message);
                    assert!(failure.attempts == 1 || !exact, "{title}: {failure:?}");
                }
                let there = failure.status == status && failure.message.contains(words);
                if there { Ok(()) } else { Err(failure) }
            });
        }
    }
}

#[test]
fn a_call_is_cancelled_at_once_at_every_stage() {
    for stage in stages() {
        let failure = stage.client(30_000).cancelled(stage.name, &Query::default(), || {
            // It must be in the middle of it, not before it.
            if let (Place::Server(server), None) = (&stage.place, &stage.proxy) {
                server.await_requests(1);
            }
            thread::sleep(ms(60));
        });
        assert!(failure.attempts >= u32::from(stage.max_retries > 0), "{}", stage.name);
    }
}

#[test]
fn a_querys_timeout_may_be_longer_than_its_clients() {
    let server = always(vec![Step::Stall]);
    let client = Client::new(&Options { timeout_ms: 50, ..Options::once(&server.url()) }).unwrap();
    client.times_out("a query", &Query { timeout_ms: SHORT, ..Query::default() }, SHORT);
}

#[test]
fn connect_timeout_ends_an_attempt_and_not_the_call() {
    let hole = BlackHole::new();
    let deaf = Deaf::new();
    for (url, words) in [
        (format!("http://{}", hole.address()), "connecting"),
        (format!("https://{}", deaf.0.local_addr().unwrap()), "performing the TLS handshake"),
    ] {
        reached(words, 200, |limit| {
            let options = Options { timeout_ms: 60_000, connect_timeout_ms: limit, ..Options::once(&url) };
            let failure = Client::new(&options).unwrap().times_out(words, &Query::default(), limit);
            assert_eq!(failure.attempts, 1);
            let why = format!("connect_timeout_ms ({limit} ms)");
            assert!(failure.message.contains(&why), "{}", failure.message);
            if failure.message.contains(words) { Ok(()) } else { Err(failure) }
        });
        // With retries, each attempt has its own time, and the deadline holds for all of them.
        reached(words, 700, |limit| {
            let options = Options { timeout_ms: limit, connect_timeout_ms: 200, ..Options::once(&url) };
            let client = Client::new(&Options { max_retries: 50, ..options }).unwrap();
            let failure = clock::ends_by(words, ms(limit), || client.get(&Query::default()).unwrap_err());
            assert_eq!(failure.status, FISH_TIMED_OUT);
            assert!(failure.attempts <= limit / 200 + 1, "{failure:?}");
            if failure.attempts >= 2 { Ok(()) } else { Err(failure) }
        });
    }
}

#[test]
fn a_wait_between_retries_is_cancelled_at_once_and_sends_nothing_more() {
    let busy = send(answer(503, "Retry-After: 20\r\n", ""));
    let server = Server::scripted(vec![busy, ok()]);
    let url = server.url();
    let client =
        Client::new(&Options { base_url: Some(&url), timeout_ms: 60_000, ..Options::test() }).unwrap();
    let failure = client.cancelled("a wait", &Query::default(), || {
        server.await_requests(1);
        thread::sleep(ms(60));
    });
    assert_eq!(failure.attempts, 1);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_token_cancelled_before_the_call_sends_nothing_and_stays_cancelled() {
    let server = always(ok());
    let client = Client::once(&server.url());
    let token = Token::new();
    token.cancel();
    token.cancel();
    let query = Query { cancel: Some(&token), ..Query::default() };
    for _ in 0..3 {
        let failure = client.get(&query).unwrap_err();
        assert_eq!((failure.status, failure.attempts, failure.http_status), (FISH_CANCELLED, 0, 0));
        assert_eq!(client.get_json(&query).unwrap_err().status, FISH_CANCELLED);
    }
    assert_eq!((server.connections(), server.requests().len()), (0, 0));
    // A kept connection is left alone, too.
    client.get(&Query::default()).unwrap();
    assert_eq!(client.get(&query).unwrap_err().status, FISH_CANCELLED);
    client.get(&Query::default()).unwrap();
    assert_eq!((server.connections(), server.requests().len()), (1, 2));
}

#[test]
fn one_token_cancels_many_calls_of_many_clients() {
    let server = always(vec![Step::Stall]);
    let clients: Vec<Client> = (0..4).map(|_| Client::once(&server.url())).collect();
    let token = Token::new();
    thread::scope(|scope| {
        let calls: Vec<_> = (0..16)
            .map(|n| {
                let (client, token) = (&clients[n % 4], &token);
                scope.spawn(move || {
                    let query = Query { cancel: Some(token), timeout_ms: 30_000, ..Query::default() };
                    client.get(&query).unwrap_err().status
                })
            })
            .collect();
        server.await_requests(16);
        clock::ends_by("sixteen calls", Duration::ZERO, || {
            token.cancel();
            for call in calls {
                assert_eq!(call.join().unwrap(), FISH_CANCELLED);
            }
        });
    });
}

#[test]
fn a_token_may_be_freed_while_its_call_runs() {
    let slow = vec![Step::Rest(ms(200)), Step::Send(answer(200, "", DOCUMENT))];
    let server = Server::scripted(vec![slow, vec![Step::Stall]]);
    let client = Arc::new(Client::once(&server.url()));
    // Freed uncancelled, the call goes on to its end; freed right after it was cancelled, it is cancelled.
    for (cancel, want) in [(false, Ok("12.345678")), (true, Err(FISH_CANCELLED))] {
        let token = Token::new();
        let raw = token.0 as usize;
        let own = Arc::clone(&client);
        let call = thread::spawn(move || {
            let borrowed = std::mem::ManuallyDrop::new(Token(raw as *mut fish_cancel_token));
            let got = own.get(&Query { cancel: Some(&borrowed), ..Query::default() });
            got.map(|credit| credit.credit).map_err(|failure| failure.status)
        });
        server.await_requests(1 + usize::from(cancel));
        if cancel {
            token.cancel();
        }
        drop(token);
        assert_eq!(call.join().unwrap().as_deref(), want.as_ref().copied());
    }
}

#[test]
fn a_client_can_be_used_after_a_deadline_or_a_cancel() {
    let silent = Arc::new(AtomicBool::new(true));
    let told = Arc::clone(&silent);
    let server =
        Server::directed(move |_, _| if told.load(Ordering::SeqCst) { vec![Step::Stall] } else { ok() });
    let client = Client::once(&server.url());
    for round in 0..6 {
        silent.store(true, Ordering::SeqCst);
        let before = server.requests().len();
        let token = Token::new();
        let query = Query { timeout_ms: 50, cancel: Some(&token), ..Query::default() };
        if round % 2 == 0 {
            assert_eq!(client.get(&query).unwrap_err().status, FISH_TIMED_OUT);
        } else {
            let waits = thread::scope(|scope| {
                let client = &client;
                let query = Query { timeout_ms: 30_000, ..query };
                let call = scope.spawn(move || client.get(&query).unwrap_err().status);
                server.await_requests(before + 1);
                token.cancel();
                call.join().unwrap()
            });
            assert_eq!(waits, FISH_CANCELLED);
        }
        silent.store(false, Ordering::SeqCst);
        assert_eq!(client.get(&Query::default()).unwrap().credit, "12.345678", "{round}");
    }
}

#[test]
fn an_answer_that_is_slow_but_in_time_is_taken() {
    let whole = answer(200, "", DOCUMENT);
    let server = always(vec![Step::Trickle(whole, Duration::from_millis(1))]);
    let client = Client::once(&server.url());
    let query = Query { timeout_ms: 300_000, ..Query::default() };
    assert_eq!(client.get(&query).unwrap().credit, "12.345678");
}

#[test]
fn the_shortest_and_the_longest_timeout_are_accepted() {
    let server = always(vec![Step::Stall]);
    let client = Client::once(&server.url());
    let query = Query { timeout_ms: 1, ..Query::default() };
    let failure = clock::ends_by("1 ms", ms(1), || client.get(&query).unwrap_err());
    assert_eq!(failure.status, FISH_TIMED_OUT);
    let server = always(ok());
    let url = server.url();
    let options = Options {
        base_url: Some(&url),
        timeout_ms: u32::MAX,
        connect_timeout_ms: u32::MAX,
        max_retries: i32::MAX,
        ..Options::test()
    };
    let client = Client::new(&options).unwrap();
    client.get(&Query { timeout_ms: u32::MAX, ..Query::default() }).unwrap();
}

/// The longest request is a few KiB, so a server that never reads makes sending it wait only if the buffers between them
/// are smaller than they usually are.
#[cfg(target_os = "linux")]
#[test]
fn sending_to_a_server_that_never_reads_ends_at_the_deadline() {
    child::preloading(&["socket"], || {
        let deaf = Deaf::new();
        let url = format!("http://{}/{}", deaf.0.local_addr().unwrap(), "p".repeat(4000));
        let (agent, id) = ("a".repeat(4000), "?".repeat(1024));
        let client = Client::new(&Options { user_agent: Some(&agent), ..Options::once(&url) }).unwrap();
        let query = Query { user_id: Some(&id), team_id: Some(&id), ..Query::default() };
        reached("sending", SHORT, |limit| {
            let failure = client.times_out("sending", &Query { timeout_ms: limit, ..query.clone() }, limit);
            if failure.message.contains("sending the request") { Ok(()) } else { Err(failure) }
        });
        client.cancelled("sending", &query, || thread::sleep(ms(150)));
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_lookup_that_hangs_delays_no_call() {
    child::preloading(&["getaddrinfo"], || {
        let options = Options { base_url: Some("https://stuck.test"), timeout_ms: SHORT, ..Options::test() };
        let client = Client::new(&options).unwrap();
        for round in 0..3 {
            let failure = client.times_out("resolving", &Query::default(), SHORT);
            assert_eq!(failure.attempts, 1, "{failure:?}");
            assert!(failure.message.contains("resolving the host name"), "{}", failure.message);
            let what = format!("one thread for all of them, in round {round}");
            // A new thread has its name once it runs.
            tasks::until(&what, || tasks::named("fish-resolve").len() == 1);
        }
        let query = Query { timeout_ms: 30_000, ..Query::default() };
        client.cancelled("resolving", &query, || thread::sleep(ms(60)));
        // Eight callers at once share the one lookup, and none waits longer for it than it likes.
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| client.times_out("resolving together", &Query::default(), SHORT));
            }
        });
        assert_eq!(tasks::named("fish-resolve").len(), 1);
        // Freeing the client does not wait for the lookup either.
        clock::ends_by("freeing", Duration::ZERO, || drop(client));
    });
}

#[cfg(target_os = "linux")]
#[test]
fn no_call_to_an_address_starts_a_thread() {
    child::alone(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = Client::once(&format!("http://{}", listener.local_addr().unwrap()));
        let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
        let before = threads();
        // The kernel makes the connection; nobody accepts it.
        let failure = client.get(&Query { timeout_ms: 50, ..Query::default() }).unwrap_err();
        assert_eq!((failure.status, threads()), (FISH_TIMED_OUT, before));
    });
}
