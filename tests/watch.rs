//! A watch (src/ffi/watch.rs) against a scripted server: what it reports, when it reads, and what ends it. Its policy
//! has tables of its own beside it, in src/watch.rs; here the shortest interval, a second, is long, so that most
//! readings are asked for with `fish_watch_refresh`.

#![cfg(target_os = "linux")]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use ::fish_api_credit::ffi::*;
use support::client::{Client, Query, State, Token, Watch, WatchOptions, name, readable};
use support::server::{Script, Server, Step, always, answer, document, ok, send};
use support::{child, clock, tasks};

const LONG: i32 = 60_000;
/// Nothing but a refresh makes such a watch read again within a test.
const RARELY: WatchOptions = WatchOptions { interval_ms: 3_600_000, low_micros: 0, recovered_micros: 0 };
const EVERY_SECOND: WatchOptions = WatchOptions { interval_ms: 1000, low_micros: 0, recovered_micros: 0 };

fn credit(amount: &str) -> Script {
    send(answer(200, "", document(amount)))
}

fn failing(status: u16, fields: &str) -> Script {
    send(answer(status, fields, ""))
}

/// Waits for the descriptor, and reads.
fn changed(watch: &Watch) -> State {
    assert!(readable(watch.descriptor(), LONG), "nothing changed");
    let state = watch.read();
    assert!(state.status == FISH_CANCELLED || !readable(watch.descriptor(), 0), "read, and still readable");
    state
}

/// What a state tells, in a line.
fn told(state: &State) -> String {
    let amount = state.credit.as_ref().map_or("none", |credit| &credit.credit);
    let level = ["UNKNOWN", "OK", "LOW", "EMPTY"][state.level as usize];
    format!("{amount} {level} {} {} {}", name(state.status), state.failures, state.changes)
}

#[test]
fn each_change_is_reported_once_and_a_failure_keeps_the_balance() {
    let steps = [
        (failing(503, ""), Some("none UNKNOWN FISH_SERVER_ERROR 1 1")),
        (failing(503, ""), None),
        (credit("20"), Some("20 OK FISH_OK 0 2")),
        (credit("20"), None),
        (credit("20.0"), Some("20.0 OK FISH_OK 0 3")),
        (failing(401, ""), Some("20.0 OK FISH_UNAUTHORIZED 1 4")),
        (failing(401, ""), None),
        (failing(401, ""), None),
        (failing(302, ""), Some("20.0 OK FISH_UNEXPECTED_STATUS 4 5")),
        (send(answer(200, "", r#"{"credit":"0"}"#)), Some("20.0 OK FISH_BAD_RESPONSE 5 6")),
        (send(answer(200, "", "null")), None),
        (credit("9.99"), Some("9.99 LOW FISH_OK 0 7")),
        (credit("10"), Some("10 LOW FISH_OK 0 8")),
        (credit("9.99"), Some("9.99 LOW FISH_OK 0 9")),
        (credit("12"), Some("12 OK FISH_OK 0 10")),
        (credit("11"), Some("11 OK FISH_OK 0 11")),
        (credit("0.0000001"), Some("0.0000001 LOW FISH_OK 0 12")),
        (credit("0"), Some("0 EMPTY FISH_OK 0 13")),
        (failing(402, ""), Some("0 EMPTY FISH_PAYMENT_REQUIRED 1 14")),
        (credit("-3"), Some("-3 EMPTY FISH_OK 0 15")),
        (credit("1"), Some("1 LOW FISH_OK 0 16")),
        (credit("15"), Some("15 OK FISH_OK 0 17")),
    ];
    let server = Server::scripted(steps.iter().map(|(script, _)| script.clone()).collect());
    let client = Client::once(&server.url());
    let options = WatchOptions { low_micros: 10_000_000, recovered_micros: 12_000_000, ..RARELY };
    let watch = client.watch(&Query::default(), &options).unwrap();
    let mut before: Option<State> = None;
    for (n, (_, want)) in steps.iter().enumerate() {
        if n > 0 {
            watch.refresh();
        }
        server.await_requests(n + 1);
        let state = match want {
            Some(want) => {
                let state = changed(&watch);
                assert_eq!(&told(&state), want, "{n}");
                state
            }
            None => {
                let before = before.as_ref().unwrap();
                let mut state = watch.read();
                tasks::until("the reading is over", || {
                    state = watch.read();
                    state.next_ms > 0
                });
                let failures = if state.status == FISH_OK { 0 } else { before.failures + 1 };
                assert_eq!((state.status, state.failures), (before.status, failures), "{n}");
                assert_eq!(state.changes, before.changes, "{n}");
                assert!(!readable(watch.descriptor(), 0), "{n}: nothing changed");
                assert_eq!((&state.credit, state.level), (&before.credit, before.level), "{n}");
                state
            }
        };
        assert_eq!(state.failure.is_some(), state.status != FISH_OK, "{n}");
        assert_eq!(state.credit.is_none(), state.level == 0, "{n}");
        // Reading again changes nothing.
        assert_eq!(watch.read().changes, state.changes);
        before = Some(state);
    }
    assert_eq!(server.requests().len(), steps.len());
}

#[test]
fn it_reads_once_an_interval_and_reports_age_and_next() {
    let times = std::sync::Arc::new(Mutex::new(Vec::new()));
    let log = std::sync::Arc::clone(&times);
    let server = Server::directed(move |n, _| {
        log.lock().unwrap().push(Instant::now());
        credit(&n.to_string())
    });
    let client = Client::once(&server.url());
    let watch = client.watch(&Query::default(), &EVERY_SECOND).unwrap();
    let mut announced = false;
    for _ in 0..4 {
        let state = changed(&watch);
        // One that comes late on a busy machine sees the next change.
        assert_eq!(state.credit.as_ref().unwrap().credit, (state.changes - 1).to_string());
        assert!(state.next_ms <= 1050, "{}", state.next_ms);
        announced |= state.next_ms > 0;
        let later = {
            thread::sleep(Duration::from_millis(20));
            watch.read()
        };
        if later.changes == state.changes {
            assert!(
                later.age_ms >= state.age_ms + 20 && later.next_ms <= state.next_ms.saturating_sub(19),
                "{state:?} {later:?}"
            );
        }
    }
    assert!(announced);
    let times = times.lock().unwrap();
    for pair in times.windows(2) {
        let apart = pair[1] - pair[0];
        // A busy machine is late, and never early.
        assert!(apart >= Duration::from_millis(940), "{apart:?}");
    }
}

#[test]
fn before_the_first_reading_has_ended_it_is_pending() {
    let server = always(vec![Step::Stall]);
    let client = Client::once(&server.url());
    let watch = client.watch(&Query::default(), &RARELY).unwrap();
    server.await_requests(1);
    let state = watch.read();
    assert_eq!(told(&state), "none UNKNOWN FISH_PENDING 0 0");
    assert_eq!((state.next_ms, state.age_ms, state.failure), (0, 0, None));
    assert!(!readable(watch.descriptor(), 0));
}

#[test]
fn a_refused_key_is_tried_ten_times_less_often() {
    for (status, least, most) in [
        (401, 9500, 10_500),
        (402, 9500, 10_500),
        (403, 9500, 10_500),
        (404, 9500, 10_500),
        (503, 1900, 2100),
        (500, 1900, 2100),
    ] {
        let server = Server::scripted(vec![failing(status, "")]);
        let client = Client::once(&server.url());
        let begun = Instant::now();
        let watch = client.watch(&Query::default(), &EVERY_SECOND).unwrap();
        let next_ms = changed(&watch).next_ms;
        let since = begun.elapsed().as_millis() as u32;
        assert!(next_ms <= most && next_ms + since + 1 >= least, "{status}: {next_ms} after {since}");
    }
}

#[test]
fn retry_after_is_waited_for_by_a_refresh_too() {
    let server = Server::scripted(vec![failing(429, "Retry-After: 2\r\n"), ok()]);
    let client = Client::once(&server.url());
    let begun = Instant::now();
    let watch = client.watch(&Query::default(), &RARELY).unwrap();
    let state = changed(&watch);
    assert_eq!((name(state.status), state.failure.unwrap().retry_after_ms), ("FISH_RATE_LIMITED", 2000));
    for _ in 0..3 {
        watch.refresh();
    }
    assert!((1..=2000).contains(&watch.read().next_ms), "{}", watch.read().next_ms);
    let state = changed(&watch);
    assert_eq!(name(state.status), "FISH_OK");
    assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(server.requests().len(), 2);
}

/// An answer that asks to be left alone for ever does no harm, and what was known is still told.
#[test]
fn the_longest_retry_after_is_respected() {
    for value in ["4294967295", "18446744073709551616", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let fields = format!("Retry-After: {value}\r\n");
        let server = Server::scripted(vec![credit("1"), failing(503, &fields), credit("2")]);
        let client = Client::once(&server.url());
        let watch = client.watch(&Query::default(), &RARELY).unwrap();
        changed(&watch);
        watch.refresh();
        let state = changed(&watch);
        assert_eq!(told(&state), "1 OK FISH_SERVER_ERROR 1 2");
        assert!(state.next_ms > u32::MAX - 10, "{}", state.next_ms);
        watch.refresh();
        thread::sleep(Duration::from_millis(50));
        assert_eq!(told(&watch.read()), "1 OK FISH_SERVER_ERROR 1 2", "{value}");
        clock::ends_by("its end", Duration::ZERO, || {
            client.cancel();
            changed(&watch)
        });
        assert_eq!(server.requests().len(), 2);
    }
}

#[test]
fn a_refresh_during_a_reading_follows_it_and_several_are_one() {
    let (asked_for, answer_now) = mpsc::channel();
    let answer_now = Mutex::new(answer_now);
    let server = Server::directed(move |n, _| {
        if n == 0 {
            answer_now.lock().unwrap().recv().unwrap();
        }
        credit(&n.to_string())
    });
    let client = Client::once(&server.url());
    let watch = client.watch(&Query::default(), &RARELY).unwrap();
    server.await_requests(1);
    for _ in 0..5 {
        watch.refresh();
        assert_eq!(watch.read().next_ms, 0);
    }
    asked_for.send(()).unwrap();
    let mut state = changed(&watch);
    if state.changes == 1 {
        state = changed(&watch);
    }
    assert_eq!(told(&state), "1 OK FISH_OK 0 2");
    assert!(state.next_ms > 3_000_000);
    // One that was asked for by a refresh is under way: it is no longer awaited.
    assert!(!readable(watch.descriptor(), 100));
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn while_an_early_reading_is_under_way_next_is_zero() {
    let server = Server::directed(|n, _| if n == 0 { ok() } else { vec![Step::Stall] });
    let client = Client::once(&server.url());
    let watch = client.watch(&Query::default(), &RARELY).unwrap();
    changed(&watch);
    watch.refresh();
    server.await_requests(2);
    assert_eq!(watch.read().next_ms, 0);
}

/// Everything that ends a watch, in a reading and between two.
#[test]
fn a_cancelled_watch_keeps_its_last_balance() {
    for between in [true, false] {
        for what in ["its token", "the client", "the client, freed"] {
            let server = Server::directed(move |n, _| if n == 0 { ok() } else { vec![Step::Stall] });
            let mut client = Some(Client::once(&server.url()));
            let token = Token::new();
            let query = Query { cancel: Some(&token), ..Query::default() };
            let watch = client.as_ref().unwrap().watch(&query, &RARELY).unwrap();
            let first = changed(&watch);
            if !between {
                watch.refresh();
                server.await_requests(2);
            }
            let state = clock::ends_by(what, Duration::ZERO, || {
                match what {
                    "its token" => token.cancel(),
                    "the client" => client.as_ref().unwrap().cancel(),
                    _ => drop(client.take()),
                }
                changed(&watch)
            });
            assert_eq!(told(&state), "12.345678 OK FISH_CANCELLED 1 2", "{what}");
            assert_eq!((state.next_ms, &state.credit), (u32::MAX, &first.credit));
            watch.refresh();
            assert!(!readable(watch.descriptor(), 20));
            assert_eq!(watch.read().changes, 2);
        }
    }
}

#[test]
fn freeing_ends_the_watch_and_its_thread_at_any_time() {
    child::alone(|| {
        let stalled = always(vec![Step::Stall]);
        let answering = always(ok());
        for round in 0..10 {
            let client = Client::once(&stalled.url());
            let in_a_reading = client.watch(&Query::default(), &RARELY).unwrap();
            stalled.await_requests(round + 1);
            let other = Client::once(&answering.url());
            let between = other.watch(&Query::default(), &RARELY).unwrap();
            changed(&between);
            let at_once = other.watch(&Query::default(), &RARELY).unwrap();
            clock::ends_by("freeing", Duration::ZERO, || drop((in_a_reading, between, at_once)));
            clock::ends_by("their threads", Duration::ZERO, || tasks::await_none("fish-watch"));
        }
    });
}

#[test]
fn after_a_fork_the_child_sees_it_cancelled_and_the_parents_goes_on() {
    child::alone(|| {
        let server = Server::directed(|n, _| credit(&(n + 5).to_string()));
        let client = Client::once(&server.url());
        let watch = client.watch(&Query::default(), &RARELY).unwrap();
        assert_eq!(told(&changed(&watch)), "5 OK FISH_OK 0 1");
        child::forked(|| {
            for _ in 0..2 {
                let state = watch.read();
                assert_eq!(told(&state), "5 OK FISH_CANCELLED 0 1");
                assert_eq!((state.next_ms, state.failure.is_some()), (u32::MAX, true));
            }
            // Several readers are in nobody's way.
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        for _ in 0..200 {
                            assert_eq!(told(&watch.read()), "5 OK FISH_CANCELLED 0 1");
                        }
                    });
                }
            });
            assert_eq!(watch.descriptor(), -1);
            watch.refresh();
            drop(Watch(watch.0));
            let own = client.watch(&Query::default(), &RARELY).unwrap();
            assert_eq!(name(changed(&own).status), "FISH_OK");
        });
        let requests = server.requests().len();
        assert_eq!(requests, 2, "the child's own watch alone has read");
        assert!(!readable(watch.descriptor(), 0));
        watch.refresh();
        assert_eq!(told(&changed(&watch)), "7 OK FISH_OK 0 2");
    });
}

#[test]
fn several_threads_read_refresh_and_wait() {
    let server = Server::directed(|n, _| credit(&n.to_string()));
    let client = Client::once(&server.url());
    let watch = client.watch(&Query::default(), &RARELY).unwrap();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut last = 0;
                while !over.load(Ordering::SeqCst) {
                    let state = watch.read();
                    assert!(state.changes >= last);
                    last = state.changes;
                    // What belongs together is told together: change n came with answer n - 1.
                    if let Some(credit) = &state.credit {
                        assert_eq!(credit.credit, (state.changes - 1).to_string());
                    }
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(Ordering::SeqCst) {
                    watch.refresh();
                    thread::yield_now();
                }
            });
        }
        let begun = Instant::now();
        while server.requests().len() < 20 && begun.elapsed() < Duration::from_secs(30) {
            thread::sleep(Duration::from_millis(1));
        }
        over.store(true, Ordering::SeqCst);
        assert!(server.requests().len() >= 20);
    });
    // Whoever reads last leaves a silent descriptor, and the next change is not missed.
    tasks::until("no reading is due", || watch.read().next_ms > 1000);
    let last = watch.read().changes;
    assert!(!readable(watch.descriptor(), 0));
    watch.refresh();
    assert_eq!(changed(&watch).changes, last + 1);
}

#[test]
fn after_a_suspend_it_reads_at_once() {
    child::preloading(&["suspend"], || {
        let server = Server::directed(|n, _| credit(&n.to_string()));
        let client = Client::once(&server.url());
        // The clock that is preloaded moves no timer of the kernel's, so this watch gets none: then it looks at
        // the clock now and again.
        let taken: Vec<_> = std::iter::from_fn(|| std::fs::File::open("/dev/null").ok()).collect();
        let watch = client.watch(&Query::default(), &RARELY).unwrap();
        tasks::until("the first reading failed", || watch.read().failures == 1);
        drop(taken);
        watch.refresh();
        tasks::until("a reading", || watch.read().status == FISH_OK);
        let before = watch.read();
        assert!(before.age_ms < 60_000 && before.next_ms > 3_000_000);
        sleep_for(8 * 3600);
        tasks::until("another reading", || watch.read().changes > before.changes);
        let state = watch.read();
        assert_eq!(state.credit.unwrap().credit, "1");
        assert!(state.age_ms < 60_000 && state.next_ms > 3_000_000);
        // Time asleep belongs to the age.
        sleep_for(1000);
        assert!(watch.read().age_ms >= 1_000_000);
        assert_eq!(server.requests().len(), 2);
    });
}

fn sleep_for(seconds: libc::c_long) {
    let found = child::preloaded(c"fish_test_sleep");
    // SAFETY: so tests/preload/suspend.c has it.
    let sleep: extern "C" fn(libc::c_long) = unsafe { std::mem::transmute(found) };
    sleep(seconds);
}

/// Between two readings the thread sleeps in one wait: it is scheduled as often as its readings make it wait, and
/// once more.
#[test]
fn an_idle_watch_takes_no_time() {
    const READINGS: u64 = 3;
    child::alone(|| {
        let server = Server::directed(|n, _| credit(&n.to_string()));
        let client = Client::once(&server.url());
        let watch = client.watch(&Query::default(), &EVERY_SECOND).unwrap();
        let first = changed(&watch).changes;
        let task = tasks::named("fish-watch")[0];
        let switches = || tasks::status(task, "voluntary_ctxt_switches").parse::<u64>().unwrap();
        let before = switches();
        let mut readings = 0;
        while readings < READINGS {
            readings = changed(&watch).changes - first;
        }
        // One wait for each answer, one for each interval, and the lock when a reader has it.
        let took = switches() - before;
        assert!(took <= 3 * readings + 2, "{took} waits in {readings} intervals");
    });
}
