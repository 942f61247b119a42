//! A call in the background (src/ffi/call.rs): its results, the use of it from several threads, its end, and what it does
//! without free descriptors or threads.

#![cfg(target_os = "linux")]
#![allow(clippy::result_large_err)] // A failure is compared whole, and nothing here is in a hurry.

mod support;

use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use ::fish_api_credit::ffi::*;
use support::client::{Call, Client, Failure, Options, Query, Token, name, readable};
use support::clock::{self, reached};
use support::server::{DOCUMENT, Server, Step, always, answer, ok, send};
use support::tls::{Trusted, answering};
use support::{child, tasks};

const LONG: u32 = 60_000;

fn stalled() -> Server {
    always(vec![Step::Stall])
}

fn status(failure: Result<impl Sized, Failure>) -> &'static str {
    name(failure.err().map_or(FISH_OK, |failure| failure.status))
}

#[test]
fn the_result_is_that_of_a_blocking_call_as_often_as_asked() {
    for script in [
        ok(),
        send(answer(401, "x-fish-trace-id: t\r\n", r#"{"status":401,"message":"bad key","reason":"key"}"#)),
        send(answer(422, "", support::routes::VALIDATION)),
        send(answer(429, "Retry-After: 7\r\n", "")),
        send(answer(503, "", "down")),
        send(answer(200, "", "{}")),
        vec![Step::Close],
    ] {
        let server = always(script.clone());
        let client = Client::once(&server.url());
        let blocking = client.get(&Query::default());
        let call = client.start(&Query::default()).unwrap();
        assert_eq!(call.wait(LONG), FISH_OK);
        for _ in 0..3 {
            assert!(call.is_done());
            assert_eq!(call.wait(0), FISH_OK);
            assert_eq!(call.result(), blocking, "{script:?}");
            let json = call.result_json();
            assert_eq!(json.as_ref().err(), blocking.as_ref().err());
            assert!(json.is_err() || json.as_deref() == Ok(DOCUMENT));
            assert!(readable(call.descriptor(), 0));
        }
        // What it gives outlives what it came from.
        drop(client);
        assert_eq!(call.result(), blocking);
    }
}

#[test]
fn while_it_runs_it_is_pending_and_its_deadline_holds() {
    let server = stalled();
    let client = Client::once(&server.url());
    reached("a look at it before its deadline", 400, |timeout_ms| {
        let before = server.requests().len();
        let limit = Duration::from_millis(timeout_ms.into());
        let (call, seen) = clock::ends_at("its deadline", limit, || {
            let call = client.start(&Query { timeout_ms, ..Query::default() }).unwrap();
            server.await_requests(before + 1);
            let waits = [call.wait(0), call.wait(1)];
            let failures = [call.result().err(), call.result_json().err()];
            let seen = (readable(call.descriptor(), 0), waits, failures, call.is_done());
            assert!(readable(call.descriptor(), -1));
            (call, seen)
        });
        assert_eq!(status(call.result()), "FISH_TIMED_OUT");
        // What was seen last was seen in time, or nothing of it may have been.
        let (readable, waits, failures, done) = seen;
        if done {
            return Err("it was over");
        }
        assert!(!readable);
        assert_eq!(waits, [FISH_PENDING; 2]);
        for failure in failures.map(Option::unwrap) {
            assert_eq!(name(failure.status), "FISH_PENDING");
            assert_eq!((failure.attempts, failure.retryable), (0, false));
            assert!(failure.message.contains("fish_call_wait"), "{}", failure.message);
        }
        Ok(())
    });
}

#[test]
fn what_a_blocking_call_refuses_is_refused_at_once() {
    let server = stalled();
    let cancelled = Token::new();
    cancelled.cancel();
    let long = "x".repeat(1 << 20);
    let good = Client::once(&server.url());
    let ended = Client::once(&server.url());
    ended.cancel();
    for (client, query) in [
        (&good, Query { user_id: Some(""), ..Query::default() }),
        (&good, Query { user_id: Some("."), ..Query::default() }),
        (&good, Query { user_id: Some(".."), ..Query::default() }),
        (&good, Query { user_id: Some(&long), ..Query::default() }),
        (&good, Query { team_id: Some(&long), ..Query::default() }),
        (&good, Query { cancel: Some(&cancelled), ..Query::default() }),
        (&ended, Query::default()),
    ] {
        let blocking = client.get(&query).unwrap_err();
        assert!(["FISH_INVALID_ARGUMENT", "FISH_CANCELLED"].contains(&name(blocking.status)), "{blocking:?}");
        assert_eq!(client.start(&query).err().unwrap(), blocking);
        assert_eq!(client.watch(&query, &Default::default()).err().unwrap(), blocking);
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn the_querys_strings_are_copied() {
    let server = always(vec![Step::Rest(Duration::from_millis(50)), ok()[0].clone()]);
    let client = Client::once(&server.url());
    let calls: Vec<Call> = (0..20)
        .map(|n| {
            let (user, team) = (format!("user {n}"), format!("team&{n}"));
            // The texts that C saw are gone when `start` returns.
            let query = Query { user_id: Some(&user), team_id: Some(&team), ..Query::default() };
            client.start(&query).unwrap()
        })
        .collect();
    drop(client.start(&Query { user_id: Some("other"), ..Query::default() }));
    for call in &calls {
        assert_eq!(call.wait(LONG), FISH_OK);
        call.result().unwrap();
    }
    let requests: Vec<String> =
        server.requests().iter().map(|request| String::from_utf8_lossy(request).into_owned()).collect();
    for n in 0..20 {
        let line = format!("GET /wallet/user%20{n}/api-credit?team_id=team%26{n} HTTP/1.1\r\n");
        assert!(requests.iter().any(|request| request.starts_with(&line)), "{line} {requests:?}");
    }
}

#[test]
fn any_thread_starts_waits_asks_and_frees() {
    let server = always(vec![Step::Rest(Duration::from_millis(100)), ok()[0].clone()]);
    let client = Client::once(&server.url());
    let call =
        thread::scope(|scope| scope.spawn(|| client.start(&Query::default())).join().unwrap()).unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                assert_eq!(call.wait(u32::MAX), FISH_OK);
                call.result().unwrap();
            });
            scope.spawn(|| {
                assert!(readable(call.descriptor(), LONG as i32));
                call.result_json().unwrap();
            });
        }
    });
    thread::spawn(move || drop(call)).join().unwrap();
}

/// Everything that can end a call, while a thread waits for it.
#[test]
fn every_way_to_cancel_wakes_a_waiting_thread() {
    let server = stalled();
    for (n, what) in ["its token", "the client", "the client, freed"].into_iter().enumerate() {
        let mut client = Some(Client::once(&server.url()));
        let token = Token::new();
        let query = Query { cancel: Some(&token), ..Query::default() };
        let call = client.as_ref().unwrap().start(&query).unwrap();
        server.await_requests(n + 1);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let waited = call.wait(LONG);
                (waited, readable(call.descriptor(), 0))
            });
            clock::ends_by(what, Duration::ZERO, || {
                match what {
                    "its token" => token.cancel(),
                    "the client" => client.as_ref().unwrap().cancel(),
                    _ => drop(client.take()),
                }
                assert_eq!(waiting.join().unwrap(), (FISH_OK, true));
            });
        });
        assert_eq!(status(call.result()), "FISH_CANCELLED", "{what}");
    }
}

/// A token that is freed right after the start is held by the call.
#[test]
fn its_token_may_be_freed_while_it_runs() {
    let server = always(vec![Step::Rest(Duration::from_millis(50)), ok()[0].clone()]);
    let client = Client::once(&server.url());
    let token = Token::new();
    let call = client.start(&Query { cancel: Some(&token), ..Query::default() }).unwrap();
    drop(token);
    assert_eq!(call.wait(LONG), FISH_OK);
    call.result().unwrap();
}

#[test]
fn freeing_ends_the_call_and_its_thread_at_any_time() {
    child::alone(|| {
        let server = stalled();
        let answering = always(ok());
        let client = Client::once(&server.url());
        for round in 0..20 {
            let calls: Vec<_> = (0..4).map(|_| client.start(&Query::default()).unwrap()).collect();
            if round % 2 == 0 {
                server.await_requests((round / 2 + 1) * 4);
            }
            clock::ends_by("freeing", Duration::ZERO, || drop(calls));
            clock::ends_by("their threads", Duration::ZERO, || tasks::await_none("fish-call"));
            let call = Client::once(&answering.url()).start(&Query::default()).unwrap();
            // The client is freed already; whatever came of it, the call is over at once.
            assert_eq!(call.wait(LONG), FISH_OK);
            drop(call);
        }
        // A thread that waits for a call holds nobody up: it is told when another one frees the call.
        let call = client.start(&Query::default()).unwrap();
        let address = call.0 as usize;
        let task = AtomicI32::new(0);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                // SAFETY: asks for this thread's id.
                task.store(unsafe { libc::gettid() }, Ordering::SeqCst);
                ManuallyDrop::new(Call(address as *mut fish_call)).wait(LONG)
            });
            tasks::until("the thread waits", || tasks::polls(task.load(Ordering::SeqCst)));
            let waited = clock::ends_by("a call freed under who waits", Duration::ZERO, || {
                drop(call);
                waiting.join().unwrap()
            });
            assert_eq!(waited, FISH_OK);
        });
    });
}

#[test]
fn a_thousand_run_at_once() {
    child::alone(|| {
        raise_descriptor_limit();
        let server = stalled();
        let url = server.url();
        let (timeout_ms, connect_timeout_ms) = (100_000, 100_000);
        let options = Options { timeout_ms, connect_timeout_ms, ..Options::once(&url) };
        let client = Client::new(&options).unwrap();
        let calls: Vec<Call> = (0..1000).map(|_| client.start(&Query::default()).unwrap()).collect();
        server.await_requests(1000);
        assert_eq!(tasks::named("fish-call").len(), 1000);
        assert!(calls.iter().all(|call| !call.is_done()));
        let begun = Instant::now();
        drop(calls);
        tasks::await_none("fish-call");
        support::note(format_args!("a thousand were cancelled in {:?}", begun.elapsed()));

        let server = always(ok());
        let url = server.url();
        let client = Client::new(&Options { base_url: Some(&url), ..options }).unwrap();
        let calls: Vec<Call> = (0..1000).map(|_| client.start(&Query::default()).unwrap()).collect();
        for call in &calls {
            assert_eq!(call.wait(LONG), FISH_OK);
            call.result().unwrap();
        }
    });
}

#[test]
fn without_threads_it_fails_with_a_reason() {
    let refused = |client: &Client| {
        let failures = [
            client.start(&Query::default()).err(),
            client.watch(&Query::default(), &Default::default()).err(),
        ];
        for failure in failures {
            let failure = failure.expect("no thread");
            assert_eq!(name(failure.status), "FISH_CONNECT_FAILED");
            assert_eq!((failure.retryable, failure.attempts), (true, 0), "{failure:?}");
            assert!(failure.message.contains("thread"), "{}", failure.message);
        }
    };
    child::preloading(&["pthread_create"], || {
        let server = always(ok());
        let client = Client::once(&server.url());
        client.get(&Query::default()).unwrap();
        // SAFETY: no other thread of this process reads the environment now.
        unsafe { std::env::set_var("FISH_TEST_NO_THREADS", "1") };
        refused(&client);
        // SAFETY: as above.
        unsafe { std::env::remove_var("FISH_TEST_NO_THREADS") };
        let call = client.start(&Query::default()).unwrap();
        assert_eq!(call.wait(LONG), FISH_OK);
        call.result().unwrap();
        drop(call);
        tasks::await_none("fish-call");

        // And by the kernel's own limit, which does not hold for root.
        // SAFETY: plain system calls; this process ends with the test.
        unsafe {
            let limit = libc::rlimit { rlim_cur: 1, rlim_max: 1 };
            assert_eq!(libc::setrlimit(libc::RLIMIT_NPROC, &limit), 0);
            if libc::geteuid() == 0 {
                assert_eq!(libc::setuid(54_321), 0);
            }
        }
        refused(&client);
        client.get(&Query::default()).unwrap();
    });
}

#[test]
fn without_descriptors_it_fails_and_can_be_waited_for_and_freed() {
    child::alone(|| {
        let stuck = stalled();
        let server = always(ok());
        let (waiting, fresh) = (Client::once(&stuck.url()), Client::once(&server.url()));
        fresh.get(&Query::default()).unwrap();
        let take_all = || std::iter::from_fn(|| std::fs::File::open("/dev/null").ok());
        let mut taken: Vec<_> = take_all().collect();
        // On the kept connection it works; it has no descriptor to be waited for with.
        let call = fresh.start(&Query::default()).unwrap();
        assert_eq!(call.descriptor(), -1);
        // Two, with which the clock looks at the threads.
        taken.truncate(taken.len() - 2);
        clock::ends_by("a call without a descriptor", Duration::ZERO, || {
            assert_eq!(call.wait(LONG), FISH_OK);
        });
        call.result().unwrap();
        taken.extend(take_all());
        let failed = Client::once(&server.url()).start(&Query::default()).unwrap();
        assert_eq!(failed.wait(LONG), FISH_OK);
        // The client is freed already: that may have come first.
        assert!(["FISH_CONNECT_FAILED", "FISH_CANCELLED"].contains(&status(failed.result())));
        let failed = waiting.start(&Query::default()).unwrap();
        assert_eq!(failed.wait(LONG), FISH_OK);
        assert_eq!(status(failed.result()), "FISH_CONNECT_FAILED");

        // Started without one, then connected: cancelled all the same.
        let watch = fresh.watch(&Query::default(), &Default::default()).unwrap();
        assert_eq!(watch.descriptor(), -1);
        let call = waiting.start(&Query::default()).unwrap();
        assert_eq!(call.descriptor(), -1);
        assert_eq!(call.wait(LONG), FISH_OK);
        drop(call);
        let token = Token::new();
        // Three for the call and its server, and two for the clock.
        taken.truncate(taken.len() - 5);
        let call = waiting.start(&Query { cancel: Some(&token), ..Query::default() }).unwrap();
        stuck.await_requests(1);
        clock::ends_by("a token without a descriptor", Duration::ZERO, || {
            token.cancel();
            assert_eq!(call.wait(LONG), FISH_OK);
        });
        assert_eq!(status(call.result()), "FISH_CANCELLED");
        drop((watch, taken));
    });
}

#[test]
fn its_thread_has_a_name_a_small_stack_and_no_signals() {
    child::alone(|| {
        let server = stalled();
        let client = Client::once(&server.url());
        let _call = client.start(&Query::default()).unwrap();
        let _watch = client.watch(&Query::default(), &Default::default()).unwrap();
        server.await_requests(2);
        for (name, most) in [("fish-call", 512), ("fish-watch", 512)] {
            let tasks = tasks::named(name);
            assert_eq!(tasks.len(), 1, "{name}");
            let faults = [
                libc::SIGSEGV,
                libc::SIGBUS,
                libc::SIGFPE,
                libc::SIGILL,
                libc::SIGTRAP,
                libc::SIGABRT,
                libc::SIGSYS,
            ];
            let blocked = tasks::blocked_signals(tasks[0]);
            for signal in 1..32 {
                let free = faults.contains(&signal) || [libc::SIGKILL, libc::SIGSTOP].contains(&signal);
                assert_eq!(blocked >> (signal - 1) & 1 == 0, free, "{name}: signal {signal}");
            }
            let stack = tasks::stack_kib(tasks[0]);
            assert!((64..=most).contains(&stack), "{name}: {stack} KiB");
        }
    });
}

#[test]
fn its_descriptor_serves_epoll_and_select() {
    child::alone(|| {
        let server = always(vec![Step::Rest(Duration::from_millis(100)), ok()[0].clone()]);
        let client = Client::once(&server.url());
        for edge in [0, libc::EPOLLET] {
            let call = client.start(&Query::default()).unwrap();
            let fd = call.descriptor() as i32;
            // SAFETY: descriptors of our own, and structs that are there.
            unsafe {
                let epoll = libc::epoll_create1(libc::EPOLL_CLOEXEC);
                let mut event = libc::epoll_event { events: (libc::EPOLLIN | edge) as u32, u64: 7 };
                assert_eq!(libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, fd, &mut event), 0);
                let mut got = libc::epoll_event { events: 0, u64: 0 };
                assert_eq!(libc::epoll_wait(epoll, &mut got, 1, LONG as i32), 1);
                assert_eq!((got.events as i32, { got.u64 }), (libc::EPOLLIN, 7));
                assert!(call.is_done());
                libc::close(epoll);
            }
        }
        let call = client.start(&Query::default()).unwrap();
        let fd = call.descriptor() as i32;
        assert!((3..libc::FD_SETSIZE as i32).contains(&fd));
        // SAFETY: as above, and the descriptor is below FD_SETSIZE.
        unsafe {
            let mut set: libc::fd_set = std::mem::zeroed();
            libc::FD_SET(fd, &mut set);
            let mut limit = libc::timeval { tv_sec: 60, tv_usec: 0 };
            let null = std::ptr::null_mut();
            assert_eq!(libc::select(fd + 1, &mut set, null, null, &mut limit), 1);
            assert!(libc::FD_ISSET(fd, &set) && call.is_done());
        }
        call.result().unwrap();
    });
}

#[test]
fn after_a_fork_the_child_sees_it_cancelled_and_the_parents_goes_on() {
    child::alone(|| {
        let (forked, answer_now) = mpsc::channel();
        let answer_now = Mutex::new(answer_now);
        let server = Server::directed(move |n, _| {
            if n == 1 {
                answer_now.lock().unwrap().recv().unwrap();
            }
            ok()
        });
        let client = Client::once(&server.url());
        let done = client.start(&Query::default()).unwrap();
        assert_eq!(done.wait(LONG), FISH_OK);
        let call = client.start(&Query::default()).unwrap();
        server.await_requests(2);
        child::forked(|| {
            assert!(call.is_done());
            assert_eq!(call.wait(LONG), FISH_OK);
            assert_eq!(call.descriptor(), -1);
            assert_eq!(status(call.result()), "FISH_CANCELLED");
            assert_eq!(status(call.result_json()), "FISH_CANCELLED");
            // What was known before the fork is known after it.
            done.result().unwrap();
            // Freed, and a call of the child's own with its parent's client.
            drop(Call(call.0));
            drop(Call(done.0));
            let own = client.start(&Query::default()).unwrap();
            assert_eq!(own.wait(LONG), FISH_OK);
            own.result().unwrap();
        });
        forked.send(()).unwrap();
        assert_eq!(call.wait(LONG), FISH_OK);
        call.result().unwrap();
        assert!(readable(call.descriptor(), 0));
    });
}

#[test]
fn its_stack_is_enough_for_tls() {
    let trusted = Trusted::new();
    let server = answering(trusted.config(), answer(200, "", DOCUMENT));
    let client = trusted.client(&server.https_url());
    let call = client.start(&Query::default()).unwrap();
    assert_eq!(call.wait(LONG), FISH_OK);
    call.result().unwrap();
}

fn raise_descriptor_limit() {
    // SAFETY: a plain struct, filled before it is read.
    unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit), 0);
        limit.rlim_cur = limit.rlim_max;
        assert!(limit.rlim_max >= 8192, "a thousand calls and their server take that many");
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &limit), 0);
    }
}
