//! A machine that has run out: of descriptors, of threads, of names, of a clock that can be trusted. Each in a
//! process of its own: a clean status, and the same client works again when the machine does.

#![cfg(target_os = "linux")]

mod support;

use std::fs::File;
use std::thread;
use std::time::Duration;

use ::fish_api_credit::ffi::*;
use support::call::{Client, Options, Query, Token, name};
use support::server::{DOCUMENT, Server, Step, answer, ok, send};
use support::{c, child, clock};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn limit_descriptors(count: u64) {
    // SAFETY: a plain struct, filled before it is read.
    unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit), 0);
        limit.rlim_cur = count.min(limit.rlim_max);
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &limit), 0);
    }
}

/// Opens files until none is left.
fn take_all() -> Vec<File> {
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

fn client(url: &str) -> Client {
    let options = Options { base_url: Some(url), timeout_ms: 5000, max_retries: -1, ..Options::test() };
    Client::new(&options).unwrap()
}

#[test]
fn no_descriptor_is_left() {
    const TEST: &str = "no_descriptor_is_left";
    child::alone(
        TEST,
        |_| {},
        || {
            limit_descriptors(128);
            let server = Server::scripted(vec![ok()]);
            let stuck = Server::scripted(vec![vec![Step::Stall]]);
            let fresh = client(&server.url());
            let kept = client(&server.url());
            let waiting = client(&stuck.url());
            kept.get(&Query::default()).unwrap();
            let mut taken = take_all();
            assert!(taken.len() > 50);

            // A new connection cannot be made, with retries and without; a kept one works.
            let failure = fresh.get(&Query::default()).unwrap_err();
            assert_eq!(name(failure.status), "FISH_CONNECT_FAILED", "{failure:?}");
            assert!(failure.message.contains("open files"), "{}", failure.message);
            assert_eq!((failure.attempts, failure.retryable), (1, true));
            kept.get(&Query::default()).unwrap();
            kept.get_json(&Query::default()).unwrap();
            // Making and freeing clients and tokens takes no descriptor that must be there.
            for _ in 0..3 {
                let failure = client(&server.url()).get(&Query::default()).unwrap_err();
                assert_eq!(name(failure.status), "FISH_CONNECT_FAILED", "{failure:?}");
            }
            // A file that cannot be opened is named, and what makes no file is no failure.
            let base_url = Some("https://127.0.0.1:1");
            let options = Options { base_url, ca_file: Some("/etc/hostname"), ..Options::test() };
            let failure = Client::new(&options).err().unwrap();
            assert_eq!(name(failure.status), "FISH_INVALID_ARGUMENT");
            assert!(failure.message.contains("options.ca_file"), "{}", failure.message);
            let failure = client("https://127.0.0.1:1").get(&Query::default()).unwrap_err();
            assert_eq!(name(failure.status), "FISH_CONNECT_FAILED", "{failure:?}");
            // A name cannot be looked up without a file or a socket.
            let failure = client("https://name.test").get(&Query::default()).unwrap_err();
            assert_eq!(name(failure.status), "FISH_RESOLVE_FAILED", "{failure:?}");
            assert!(failure.retryable);
            // System roots: read at once or not at all.
            let options = Options { base_url, tls_roots: FISH_TLS_ROOTS_SYSTEM, ..Options::test() };
            if let Err(failure) = Client::new(&options) {
                assert_eq!(name(failure.status), "FISH_TLS_FAILED", "{failure:?}");
            }

            // A token made now has no descriptor to wake anybody with, and still cancels in time.
            let token = Token::new();
            taken.truncate(taken.len() - 3);
            thread::scope(|scope| {
                let (waiting, token) = (&waiting, &token);
                let call = scope.spawn(move || {
                    let query = Query { cancel: Some(token), ..Query::default() };
                    waiting.get(&query).unwrap_err()
                });
                stuck.await_requests(1);
                let failure = clock::ends_by("a token without a bell", Duration::ZERO, || {
                    token.cancel();
                    call.join().unwrap()
                });
                assert_eq!(name(failure.status), "FISH_CANCELLED");
            });
            // And its deadline holds as well.
            let other = Token::new();
            let query = Query { cancel: Some(&other), timeout_ms: 200, ..Query::default() };
            let failure = clock::ends_at("a deadline", ms(200), || waiting.get(&query).unwrap_err());
            assert_eq!(name(failure.status), "FISH_TIMED_OUT");

            // Given back one at a time: a failure or a success, and at last a success.
            taken.extend(take_all());
            let mut worked = 0;
            for _ in 0..8 {
                taken.pop();
                match fresh.get(&Query::default()) {
                    Ok(_) => worked += 1,
                    // Connected, but the server had no descriptor for it.
                    Err(failure) => assert!(
                        [FISH_CONNECT_FAILED, FISH_CONNECTION_LOST, FISH_TIMED_OUT].contains(&failure.status),
                        "{failure:?}"
                    ),
                }
            }
            drop(taken);
            fresh.get(&Query::default()).unwrap();
            support::note(format_args!("{worked} of 8 calls worked while descriptors came back"));
        },
    );
}

#[test]
fn no_thread_can_be_started() {
    const TEST: &str = "no_thread_can_be_started";
    let scratch = tempfile::tempdir().unwrap();
    child::alone(
        TEST,
        |command| {
            command.env("LD_PRELOAD", c::preload("pthread_create", scratch.path()));
        },
        || {
            let server = Server::scripted(vec![ok()]);
            let literal = client(&server.url());
            // Its connection has its server thread from now on.
            literal.get(&Query::default()).unwrap();
            let named = client("https://name.test");
            let local = client(&server.url().replace("127.0.0.1", "localhost"));
            local.get(&Query::default()).unwrap();
            // SAFETY: no other thread of this process reads the environment now.
            unsafe { std::env::set_var("FISH_TEST_NO_THREADS", "1") };
            assert!(thread::Builder::new().spawn(|| ()).is_err(), "the preloaded library does nothing");
            let failure = named.get(&Query::default()).unwrap_err();
            assert_eq!(name(failure.status), "FISH_RESOLVE_FAILED", "{failure:?}");
            assert!(failure.message.contains("no thread could be started"), "{}", failure.message);
            assert_eq!((failure.attempts, failure.retryable), (1, true));
            // An address, and a name that means this machine, need no thread.
            literal.get(&Query::default()).unwrap();
            local.get(&Query::default()).unwrap();
            let failure = client("https://127.0.0.1:1").get(&Query::default()).unwrap_err();
            assert_eq!(name(failure.status), "FISH_CONNECT_FAILED", "{failure:?}");
            // SAFETY: as above.
            unsafe { std::env::remove_var("FISH_TEST_NO_THREADS") };
            client(&server.url()).get(&Query::default()).unwrap();
        },
    );
}

#[test]
fn a_name_that_cannot_be_resolved() {
    const TEST: &str = "a_name_that_cannot_be_resolved";
    let scratch = tempfile::tempdir().unwrap();
    child::alone(
        TEST,
        |command| {
            command.env("LD_PRELOAD", c::preload("getaddrinfo", scratch.path()));
        },
        || {
            for host in ["again.test", "fail.test", "memory.test", "system.test", "empty.test", "none.test"] {
                let client = client(&format!("https://{host}"));
                for _ in 0..2 {
                    let failure = client.get(&Query::default()).unwrap_err();
                    assert_eq!(name(failure.status), "FISH_RESOLVE_FAILED", "{failure:?}");
                    assert!(failure.message.contains(host), "{}", failure.message);
                    assert_eq!((failure.attempts, failure.retryable, failure.http_status), (1, true, 0));
                }
                // Each failure is asked about again: the network may have come back.
                let url = format!("https://{host}");
                let options = Options { base_url: Some(&url), max_retries: 2, ..Options::test() };
                let failure = Client::new(&options).unwrap().get(&Query::default()).unwrap_err();
                assert_eq!(failure.attempts, 3, "{failure:?}");
            }
            // Through a proxy it is the proxy that cannot be found.
            let base_url = Some("https://api.fish.audio");
            let proxy_url = Some("http://none.test:3128");
            let options = Options { base_url, proxy_url, max_retries: -1, ..Options::test() };
            let failure = Client::new(&options).unwrap().get(&Query::default()).unwrap_err();
            assert_eq!(name(failure.status), "FISH_PROXY_FAILED", "{failure:?}");
        },
    );
}

#[test]
fn a_wall_clock_that_jumps_moves_no_deadline() {
    const TEST: &str = "a_wall_clock_that_jumps_moves_no_deadline";
    let scratch = tempfile::tempdir().unwrap();
    child::alone(
        TEST,
        |command| {
            command.env("LD_PRELOAD", c::preload("clock", scratch.path()));
        },
        || {
            let now = std::time::SystemTime::now;
            let (one, two) = (now(), now());
            let apart = one.duration_since(two).or_else(|_| two.duration_since(one)).unwrap();
            assert!(apart > Duration::from_secs(86_400 * 365), "the preloaded library does nothing");

            let server = Server::scripted(vec![ok()]);
            let healthy = client(&server.url());
            for _ in 0..20 {
                healthy.get(&Query::default()).unwrap();
            }
            assert_eq!(server.connections(), 1, "an idle connection ages by the other clock");
            let stuck = Server::scripted(vec![vec![Step::Stall]]);
            let stuck = client(&stuck.url());
            for _ in 0..3 {
                let query = Query { timeout_ms: 200, ..Query::default() };
                let failure = clock::ends_at("a deadline", ms(200), || stuck.get(&query).unwrap_err());
                assert_eq!(name(failure.status), "FISH_TIMED_OUT");
            }
            // A date is the one thing that the wall clock decides: past, or far ahead, never a hang.
            let truly_now = one.min(two) + Duration::from_secs(315_360_000);
            for _ in 0..6 {
                let date = format!("Retry-After: {}\r\n", httpdate::fmt_http_date(truly_now));
                let server =
                    Server::scripted(vec![send(answer(503, &date, "")), send(answer(200, "", DOCUMENT))]);
                let url = server.url();
                let options = Options { base_url: Some(&url), timeout_ms: 2000, ..Options::test() };
                let client = Client::new(&options).unwrap();
                let get = || client.get(&Query::default()).err();
                if let Some(failure) = clock::ends_by("a date", ms(1000), get) {
                    assert_eq!(name(failure.status), "FISH_SERVER_ERROR");
                    assert!(failure.retry_after_ms > 1000, "{failure:?}");
                }
            }
        },
    );
}
