//! A machine without free descriptors, threads, name lookups or a steady clock. Each in a process of its own: calls fail
//! with the right status, and the same client works again afterwards.

#![cfg(target_os = "linux")]

mod support;

use std::env;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ::fish_api_credit::ffi::*;
use support::client::{Client, Failure, Options, Query, Token, WatchOptions, name, readable};
use support::clock::{self, reached};
use support::server::{BlackHole, Connection, DOCUMENT, Reserved, Server, Step, always, answer, ok, send};
use support::tls::{Authority, BOTH, Trusted, answering, server};
use support::{child, tasks};

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
    Client::new(&Options { timeout_ms: 5000, ..Options::once(url) }).unwrap()
}

#[test]
fn without_free_descriptors_calls_fail_and_recover() {
    child::alone(|| {
        limit_descriptors(128);
        let server = always(ok());
        let stuck = always(vec![Step::Stall]);
        let fresh = client(&server.url());
        let kept = client(&server.url());
        let content = client(&server.url());
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
        // Three for the call and its server, and two with which the clock looks at the threads.
        taken.truncate(taken.len() - 5);
        waiting.cancelled_by(&token, "a token without a descriptor", &Query::default(), || {
            stuck.await_requests(1);
        });
        // And its deadline holds as well.
        let other = Token::new();
        let query = Query { cancel: Some(&other), timeout_ms: 200, ..Query::default() };
        waiting.times_out("a deadline", &query, 200);

        // One is enough for this end of a connection, and two for both.
        taken.extend(take_all());
        taken.pop();
        let failure = content.get(&Query::default()).unwrap_err();
        assert_ne!(name(failure.status), "FISH_CONNECT_FAILED", "{failure:?}");
        taken.extend(take_all());
        drop(taken.split_off(taken.len() - 2));
        content.get(&Query::default()).unwrap();

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
    });
}

#[test]
fn without_threads_only_name_lookups_fail() {
    child::preloading(&["pthread_create"], || {
        let server = always(ok());
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
    });
}

#[test]
fn a_failed_lookup_is_reported_and_repeated_by_the_next_call() {
    child::preloading(&["getaddrinfo"], || {
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
    });
}

#[test]
fn a_wall_clock_that_jumps_moves_no_deadline() {
    child::preloading(&["clock"], || {
        let now = std::time::SystemTime::now;
        let (one, two) = (now(), now());
        let apart = one.duration_since(two).or_else(|_| two.duration_since(one)).unwrap();
        assert!(apart > Duration::from_secs(86_400 * 365), "the preloaded library does nothing");

        let server = always(ok());
        let healthy = client(&server.url());
        for _ in 0..20 {
            healthy.get(&Query::default()).unwrap();
        }
        assert_eq!(server.connections(), 1, "an idle connection ages by the other clock");
        let stuck = always(vec![Step::Stall]);
        let stuck = client(&stuck.url());
        for _ in 0..3 {
            stuck.times_out("a deadline", &Query { timeout_ms: 200, ..Query::default() }, 200);
        }
        // A date is the one thing that the wall clock decides: past, or far ahead, never a hang.
        let truly_now = one.min(two) + Duration::from_secs(315_360_000);
        for _ in 0..6 {
            let date = format!("Retry-After: {}\r\n", httpdate::fmt_http_date(truly_now));
            let server =
                Server::scripted(vec![send(answer(503, &date, "")), send(answer(200, "", DOCUMENT))]);
            let url = server.url();
            let options = Options { base_url: Some(&url), timeout_ms: 60_000, ..Options::test() };
            let client = Client::new(&options).unwrap();
            let get = || client.get(&Query::default()).err();
            if let Some(failure) = clock::ends_by("a date", ms(1000), get) {
                assert_eq!(name(failure.status), "FISH_SERVER_ERROR");
                assert!(failure.retry_after_ms > 1000, "{failure:?}");
            }
        }
    });
}

/// What lives in the parent of such a process: servers whose descriptors the child cannot lose.
struct Outside {
    server: Server,
    stuck: Server,
    secure: Server,
    hole: BlackHole,
    folder: tempfile::TempDir,
}

impl Outside {
    /// Runs a test's body in a process that is told where they are.
    fn run(preloaded: &[&str], body: impl FnOnce()) {
        let outside = (!child::is_one()).then(Outside::new);
        let tell = |command: &mut std::process::Command| outside.as_ref().unwrap().tell(command);
        child::prepared(preloaded, tell, body);
    }

    fn new() -> Outside {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        authority.file(folder.path());
        let certificate = authority.issue_for(&["here.test", "127.0.0.1"], |_| {});
        Outside {
            server: always(ok()),
            stuck: always(vec![Step::Stall]),
            secure: answering(certificate.config(BOTH), answer(200, "", DOCUMENT)),
            hole: BlackHole::new(),
            folder,
        }
    }

    fn tell(&self, command: &mut std::process::Command) {
        command.env("FISH_TEST_SERVER", self.server.url());
        command.env("FISH_TEST_STUCK", self.stuck.url());
        command.env("FISH_TEST_SECURE", self.secure.https_url());
        command.env("FISH_TEST_HOLE", format!("http://{}", self.hole.address()));
        command.env("FISH_TEST_CA_FILE", self.folder.path().join("ca.pem"));
    }
}

/// What the parent has told.
fn told(name: &str) -> String {
    env::var(format!("FISH_TEST_{name}")).expect(name)
}

fn secure_client(url: &str) -> Client {
    let ca_file = told("CA_FILE");
    Client::new(&Options { ca_file: Some(&ca_file), timeout_ms: 5000, ..Options::once(url) }).unwrap()
}

fn right(client: &Client, what: &str) {
    match client.get(&Query::default()) {
        Ok(credit) => assert_eq!(credit.credit, "12.345678", "{what}"),
        Err(failure) => panic!("{what}: {failure:?}"),
    }
}

/// The descriptors that are open, but for the three standard ones.
fn descriptors() -> Vec<i32> {
    let numbers = std::fs::read_dir("/proc/self/fd").unwrap();
    let numbers: Vec<i32> =
        numbers.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    // The one that listed them is closed by now.
    numbers.into_iter().filter(|fd| *fd > 2 && is_open(*fd)).collect()
}

fn is_open(fd: i32) -> bool {
    // SAFETY: it only asks.
    unsafe { libc::fcntl(fd, libc::F_GETFD) >= 0 }
}

type Replacement = fn() -> OwnedFd;

/// What a host may have in the place of a descriptor that it closed: nothing that can be read, written or waited
/// for without blocking.
const REPLACEMENTS: [(&str, Replacement); 6] = [
    ("a file", || File::open("/dev/zero").unwrap().into()),
    ("a pipe's reader", || {
        let (reader, writer) = std::io::pipe().unwrap();
        std::mem::forget(writer);
        reader.into()
    }),
    ("a pipe's writer", || {
        let (reader, writer) = std::io::pipe().unwrap();
        std::mem::forget(reader);
        writer.into()
    }),
    ("a silent socket", || {
        let (one, other) = UnixStream::pair().unwrap();
        std::mem::forget(other);
        one.into()
    }),
    ("a socket that listens", || std::net::TcpListener::bind("127.0.0.1:0").unwrap().into()),
    ("a datagram socket", || std::net::UdpSocket::bind("127.0.0.1:0").unwrap().into()),
];

/// Closes every descriptor, as a host does that becomes a daemon, and puts others in their places.
fn replace_all(replacement: Option<fn() -> OwnedFd>) {
    let ours = descriptors();
    for fd in &ours {
        // SAFETY: what a careless host does; whoever owned them must stand it.
        unsafe { libc::close(*fd) };
    }
    let Some(make) = replacement else { return };
    let last = ours.into_iter().max().unwrap_or(0);
    while make().into_raw_fd() <= last {}
}

#[test]
fn closed_or_replaced_descriptors_never_hang_a_call() {
    Outside::run(&["getaddrinfo"], || {
        let secure = told("SECURE").replace("127.0.0.1", "here.test");
        let ways: Vec<_> = std::iter::once(("nothing", None))
            .chain(REPLACEMENTS.map(|(what, make)| (what, Some(make))))
            .collect();
        for (what, make) in &ways {
            // Between two calls: the next one goes by a new connection.
            reached(what, 1000, |limit| {
                let clients = [client(&told("SERVER")), secure_client(&secure)];
                for client in &clients {
                    right(client, "before");
                }
                replace_all(*make);
                for client in clients {
                    let query = Query { timeout_ms: limit, ..Query::default() };
                    let got = clock::ends_by(what, ms(limit.into()), || client.get(&query));
                    assert_eq!(got?.credit, "12.345678", "{what}");
                }
                Ok::<(), Failure>(())
            });
        }
        // In the middle of a call, wherever it waits: it ends by its deadline.
        for (stage, url) in [
            ("resolving", "https://stuck.test"),
            ("connecting", &told("HOLE")),
            ("in the handshake", &told("STUCK").replace("http:", "https:")),
            ("waiting", &told("STUCK")),
        ] {
            for (what, make) in &ways {
                let what = format!("{stage}, {what}");
                reached(&what, 250, |limit| {
                    let client = client(url);
                    let query = Query { timeout_ms: limit, ..Query::default() };
                    let (in_time, got) = thread::scope(|scope| {
                        let call =
                            scope.spawn(|| clock::ends_by(&what, ms(limit.into()), || client.get(&query)));
                        thread::sleep(ms(60));
                        let in_time = !call.is_finished();
                        replace_all(*make);
                        (in_time, call.join().unwrap())
                    });
                    assert!(got.is_err(), "{what}");
                    if in_time { Ok(()) } else { Err("it was over before") }
                });
            }
        }
    });
}

/// What else a host may have there, which the library could harm or wait for: a file that could be written to, and a
/// pipe that could not without blocking.
const HARMED: [(&str, Replacement); 3] = [
    ("a file that is written", || {
        let name = std::path::Path::new(&told("CA_FILE")).with_file_name("written");
        File::options().create(true).append(true).read(true).open(name).unwrap().into()
    }),
    ("a full pipe's writer", || {
        let (reader, writer) = std::io::pipe().unwrap();
        // SAFETY: our own pipe: no bytes fit into it after these.
        unsafe {
            let room = libc::fcntl(writer.as_raw_fd(), libc::F_SETPIPE_SZ, 4096);
            assert!((1..=65_536).contains(&room));
            let bytes = vec![0_u8; room as usize];
            assert_eq!(libc::write(writer.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()), room as isize);
        }
        std::mem::forget(reader);
        writer.into()
    }),
    (HOLDS_SOMETHING, || {
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(&[7; HELD]).unwrap();
        // Closed, so that the next reader takes its number: every number is a reader's.
        drop(writer);
        reader.into()
    }),
];
const HOLDS_SOMETHING: &str = "a pipe's reader, with something to read";
const HELD: usize = 8;

/// A call in the background ends at its deadline, and whoever waits for it learns of it, however long that may take.
#[test]
fn closed_or_replaced_descriptors_keep_nobody_waiting_for_a_call() {
    Outside::run(&[], || {
        let ways = REPLACEMENTS.into_iter().chain(HARMED).map(|(what, make)| (what, Some(make)));
        for (what, make) in std::iter::once(("nothing", None)).chain(ways) {
            reached(what, 800, |limit| {
                let client = client(&told("STUCK"));
                let call = client.start(&Query { timeout_ms: limit, ..Query::default() }).unwrap();
                // Those who wait trust what they wait with for a second.
                let late = ms(u64::from(limit) + 1000);
                let in_time = thread::scope(|scope| {
                    let waits = scope.spawn(|| clock::ends_by(what, late + ms(100), || call.wait(60_000)));
                    let in_time = call.wait(60) == FISH_PENDING;
                    replace_all(make);
                    assert_eq!(clock::ends_by(what, late, || call.wait(60_000)), FISH_OK, "{what}");
                    assert_eq!(waits.join().unwrap(), FISH_OK, "{what}");
                    in_time
                });
                assert!([FISH_TIMED_OUT, FISH_CONNECTION_LOST].contains(&call.result().unwrap_err().status));
                if in_time { Ok(()) } else { Err("it was over before") }
            });
        }
    });
}

/// Everything with a descriptor of its own, used and freed after its host has closed or replaced all of them.
#[test]
fn descriptors_of_the_host_are_neither_read_nor_written_nor_closed() {
    Outside::run(&[], || {
        let written = std::path::Path::new(&told("CA_FILE")).with_file_name("written");
        let ways = REPLACEMENTS.into_iter().chain(HARMED).map(|(what, make)| (what, Some(make)));
        for (what, make) in std::iter::once(("nothing", None)).chain(ways) {
            let (client, stuck) = (client(&told("SERVER")), client(&told("STUCK")));
            right(&client, "before");
            let token = Token::new();
            let call = stuck.start(&Query { cancel: Some(&token), ..Query::default() }).unwrap();
            let watch = client.watch(&Query::default(), &WatchOptions::default()).unwrap();
            // Its event is set from here on, until it is read.
            assert!(readable(watch.descriptor(), 60_000));
            replace_all(make);
            let open = descriptors();

            let now = Duration::ZERO;
            assert_eq!((watch.descriptor(), call.descriptor()), (-1, -1), "{what}");
            let state = clock::ends_by(&format!("read, {what}"), now, || watch.read());
            assert_eq!((state.status, state.changes), (FISH_OK, 1), "{what}");
            clock::ends_by(&format!("refresh, {what}"), now, || watch.refresh());
            clock::ends_by(&format!("cancel, {what}"), now, || token.cancel());
            clock::ends_by(&format!("client_cancel, {what}"), now, || client.cancel());
            clock::ends_by(&format!("free, {what}"), now, || drop((call, watch, token, client, stuck)));

            // The library's threads end later, some only at their call's deadline.
            let lost = || open.iter().filter(|fd| !is_open(**fd)).count();
            assert_eq!(lost(), 0, "{what}: the host's are closed");
            if let Ok(file) = std::fs::metadata(&written) {
                assert_eq!(file.len(), 0, "{what}: the host's file is written to");
            }
            for fd in open.iter().filter(|_| what == HOLDS_SOMETHING) {
                let mut left = 0;
                // SAFETY: it only asks.
                assert_eq!(unsafe { libc::ioctl(*fd, libc::FIONREAD, &raw mut left) }, 0);
                assert_eq!(left, HELD as i32, "the host's pipe is read");
            }
        }
    });
}

/// On Linux it looks like one of ours. An empty one blocks who reads it, unless it was made not to.
#[test]
fn an_eventfd_of_the_host_in_the_place_of_ours_keeps_nobody_waiting() {
    Outside::run(&[], || {
        let client = client(&told("SERVER"));
        let watch = client.watch(&Query::default(), &WatchOptions::default()).unwrap();
        assert!(readable(watch.descriptor(), 60_000));
        replace_all(Some(|| {
            // SAFETY: a new descriptor, which nobody else owns.
            unsafe { OwnedFd::from_raw_fd(libc::eventfd(0, 0)) }
        }));
        let now = Duration::ZERO;
        let state = clock::ends_by("read", now, || watch.read());
        assert_eq!((state.status, state.changes), (FISH_OK, 1));
        clock::ends_by("free", now, || drop((watch, client)));
    });
}

#[test]
fn the_library_never_uses_a_closed_standard_descriptor() {
    Outside::run(&["getaddrinfo"], || {
        // SAFETY: descriptors of this process, which this test alone uses.
        let kept = [0, 1, 2].map(|fd| unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 100) });
        for fd in [0, 1, 2] {
            // SAFETY: as above.
            unsafe { libc::close(fd) };
        }
        // Everything that has a descriptor: tokens, clients, connections, a lookup's end, calls in the background.
        let token = Token::new();
        let query = Query { cancel: Some(&token), ..Query::default() };
        let secure = told("SECURE");
        let clients = [
            client(&told("SERVER")),
            client(&told("SERVER").replace("127.0.0.1", "localhost")),
            secure_client(&secure),
            secure_client(&secure.replace("127.0.0.1", "here.test")),
        ];
        let got = clients.each_ref().map(|client| client.get(&query).is_ok());
        let mut call = std::ptr::null_mut();
        // SAFETY: every pointer is valid for the call.
        let started =
            unsafe { fish_call_start(clients[0].0, std::ptr::null(), &mut call, std::ptr::null_mut()) };
        let open = [0, 1, 2].map(is_open);
        // SAFETY: the call that was started.
        let done = unsafe { fish_call_wait(call, 60_000) };
        // SAFETY: as above, and freed once.
        let of_the_call = unsafe {
            let descriptor = fish_call_descriptor(call);
            fish_call_free(call);
            descriptor
        };
        let of_the_watch =
            clients[3].watch(&Query::default(), &WatchOptions::default()).map(|watch| watch.descriptor());
        for (fd, kept) in kept.into_iter().enumerate() {
            // SAFETY: as above.
            unsafe { libc::dup2(kept, fd as i32) };
        }
        assert_eq!(got, [true; 4]);
        assert_eq!((started, done), (FISH_OK, FISH_OK));
        assert_eq!(open, [false; 3], "one of the library's is a standard descriptor");
        assert!(of_the_call > 2 && of_the_watch.is_ok_and(|descriptor| descriptor > 2));
    });
}

/// Not for a moment either: to print to a socket that is not connected yet would end the process.
#[test]
fn a_host_that_prints_to_a_closed_descriptor_never_meets_the_library() {
    Outside::run(&[], || {
        // SAFETY: descriptors of this process, which this test alone uses.
        let kept = unsafe { libc::fcntl(1, libc::F_DUPFD_CLOEXEC, 100) };
        // SAFETY: as above. Descriptor 0 stays, so that 1 is the lowest that is free.
        unsafe { libc::close(1) };
        let over = AtomicBool::new(false);
        let (met, failed) = thread::scope(|scope| {
            let printing = scope.spawn(|| {
                let mut met = Vec::new();
                while !over.load(Ordering::Relaxed) {
                    // SAFETY: eight bytes that are there.
                    let wrote = unsafe { libc::write(1, b"printed\n".as_ptr().cast(), 8) };
                    let why = std::io::Error::last_os_error().raw_os_error();
                    if wrote >= 0 || why != Some(libc::EBADF) {
                        met.push((wrote, why));
                    }
                }
                met
            });
            let mut failed = 0;
            for _ in 0..1000 {
                drop(Token::new());
                failed += u32::from(client(&told("SERVER")).get(&Query::default()).is_err());
            }
            over.store(true, Ordering::Relaxed);
            (printing.join().unwrap(), failed)
        });
        // SAFETY: as above.
        unsafe { libc::dup2(kept, 1) };
        assert_eq!((met.first(), failed), (None, 0), "{} met it", met.len());
    });
}

/// What holds when the kernel refuses to wait: with no room for descriptors, or by a filter.
fn works_without_waiting(kept: &[Client], stuck: &Client) {
    for client in kept {
        assert!(clock::takes_less(ms(500), || right(client, "a kept connection")));
    }
    stuck.times_out("a deadline", &Query { timeout_ms: 200, ..Query::default() }, 200);
}

#[test]
fn with_no_descriptors_allowed_kept_connections_work() {
    Outside::run(&[], || {
        let kept = [client(&told("SERVER")), secure_client(&told("SECURE"))];
        for client in &kept {
            right(client, "before");
        }
        // poll takes no more descriptors than may be open, and refuses even those that are.
        let fresh = client(&told("SERVER"));
        let stuck = client(&told("STUCK"));
        limit_descriptors(0);
        for client in &kept {
            assert!(clock::takes_less(ms(500), || right(client, "kept")));
            let call = client.start(&Query::default()).unwrap();
            assert_eq!((call.descriptor(), call.wait(60_000)), (-1, FISH_OK));
            assert_eq!(call.result().unwrap().credit, "12.345678");
        }
        for client in [&fresh, &stuck] {
            assert!(clock::takes_less(ms(500), || {
                let failure = client.get(&Query::default()).unwrap_err();
                assert_eq!(name(failure.status), "FISH_CONNECT_FAILED", "{failure:?}");
                assert!(failure.message.contains("open files"), "{}", failure.message);
            }));
        }
        limit_descriptors(128);
        for client in kept.iter().chain([&fresh]) {
            right(client, "after");
        }
    });
}

#[test]
fn a_sandbox_that_ends_who_opens_a_file_ends_no_call() {
    child::alone(|| {
        let server = always(ok());
        let [fresh, other] = [client(&server.url()), client(&server.url())];
        let opens = [
            libc::SYS_openat,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_open,
        ];
        filter(&opens, libc::SECCOMP_RET_KILL_PROCESS);
        fresh.get(&Query::default()).unwrap();
        let call = other.start(&Query::default()).unwrap();
        assert_eq!(call.wait(60_000), FISH_OK);
        call.result().unwrap();
        assert!(call.descriptor() >= 3);
    });
}

/// Lets the kernel do this to whoever makes one of these system calls, on this thread and on those that it starts.
fn filter(refused: &[libc::c_long], refusal: u32) {
    let statement = |code: u32, jt, k: u32| libc::sock_filter { code: code as u16, jt, jf: 0, k };
    // Loads the system call's number.
    let mut program = vec![statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0)];
    for (at, call) in refused.iter().enumerate() {
        let to_refuse = (refused.len() - at) as u8;
        program.push(statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, to_refuse, *call as u32));
    }
    program.push(statement(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW));
    program.push(statement(libc::BPF_RET | libc::BPF_K, 0, refusal));
    let filter = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: a filter that is whole, and alive for the call.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &filter), 0);
    }
}

/// Lets the kernel refuse these system calls.
fn refuse(refused: &[libc::c_long]) {
    filter(refused, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32);
    // SAFETY: it is refused before it looks at its arguments.
    unsafe {
        assert_eq!(libc::syscall(refused[0], 0, 0, 0, 0), -1);
        assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(libc::EPERM), "it is refused");
    }
}

fn refuse_poll() {
    refuse(&[
        libc::SYS_ppoll,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll,
    ]);
}

/// A call in the background and a watch, begun now, are as they always are; a second call can be cancelled.
fn works_in_the_background(client: &Client, stuck: &Client) {
    let call = client.start(&Query::default()).unwrap();
    assert_eq!(call.wait(60_000), FISH_OK);
    assert_eq!(call.result().unwrap().credit, "12.345678");
    let cancelled = (0..20).any(|_| {
        let token = Token::new();
        let query = Query { cancel: Some(&token), timeout_ms: 60_000, ..Query::default() };
        let call = stuck.start(&query).unwrap();
        assert_eq!(call.wait(30), FISH_PENDING);
        let begun = Instant::now();
        token.cancel();
        assert_eq!(call.wait(60_000), FISH_OK);
        let took = begun.elapsed();
        assert_eq!(call.result().unwrap_err().status, FISH_CANCELLED);
        took < clock::GRACE
    });
    assert!(cancelled);
    assert!(clock::takes_less(ms(1000), || {
        let watch = client.watch(&Query::default(), &WatchOptions::default()).unwrap();
        let state = loop {
            match watch.read() {
                state if state.status != FISH_PENDING => break state,
                _ => thread::yield_now(),
            }
        };
        assert_eq!((state.status, state.credit.unwrap().credit.as_str()), (FISH_OK, "12.345678"));
    }));
}

#[test]
fn without_poll_calls_work_and_end_in_time() {
    Outside::run(&["getaddrinfo"], || {
        let secure = told("SECURE");
        let kept = [client(&told("SERVER")), secure_client(&secure)];
        for client in &kept {
            right(client, "before");
        }
        refuse_poll();
        let stuck = client(&told("STUCK"));
        works_without_waiting(&kept, &stuck);
        // New connections too: connecting, the handshake and the lookup's end are looked at again and again.
        let named = secure.replace("127.0.0.1", "here.test");
        let fresh: [&dyn Fn() -> Client; 3] =
            [&|| client(&told("SERVER")), &|| secure_client(&secure), &|| secure_client(&named)];
        for client in fresh {
            assert!(clock::takes_less(ms(1000), || right(&client(), "fresh")));
        }
        works_in_the_background(&client(&told("SERVER")), &stuck);
        for (stage, url) in [("a lookup", "https://stuck.test"), ("a server", &told("STUCK"))] {
            client(url).cancelled(stage, &Query::default(), || thread::sleep(ms(60)));
        }
        // It does not spin meanwhile.
        let before = tasks::computed();
        let query = Query { timeout_ms: 1000, ..Query::default() };
        assert_eq!(stuck.get(&query).unwrap_err().status, FISH_TIMED_OUT);
        let computed = tasks::computed() - before;
        assert!(computed < ms(250), "{computed:?}");
    });
}

#[test]
fn without_events_and_timers_calls_and_watches_work() {
    Outside::run(&[], || {
        refuse(&[
            libc::SYS_eventfd2,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_eventfd,
            libc::SYS_timerfd_create,
        ]);
        let (client, stuck) = (client(&told("SERVER")), client(&told("STUCK")));
        right(&client, "a call");
        let call = client.start(&Query::default()).unwrap();
        assert_eq!(call.descriptor(), -1);
        works_in_the_background(&client, &stuck);
    });
}

/// A sandbox that opens no files either: there is no other way to ask for them.
#[test]
fn without_random_numbers_calls_and_watches_work() {
    Outside::run(&[], || {
        let stuck = client(&told("STUCK"));
        let client = client(&told("SERVER"));
        refuse(&[
            libc::SYS_getrandom,
            libc::SYS_openat,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_open,
        ]);
        right(&client, "a call");
        stuck.times_out("a deadline", &Query { timeout_ms: 200, ..Query::default() }, 200);
        works_in_the_background(&client, &stuck);
        // But no TLS.
        let failure = Client::new(&Options::once("https://127.0.0.1:1")).err().unwrap();
        assert_eq!(name(failure.status), "FISH_TLS_FAILED", "{failure:?}");
        assert!(failure.message.contains("random numbers"), "{failure:?}");
    });
}

#[test]
fn time_asleep_counts_for_kept_connections_and_addresses() {
    child::preloading(&["suspend", "getaddrinfo"], || {
        // SAFETY: the functions' types are those of tests/preload.
        let (sleep, lookups) = unsafe {
            let sleep = child::preloaded(c"fish_test_sleep");
            let lookups = child::preloaded(c"fish_test_lookups");
            (
                std::mem::transmute::<*mut libc::c_void, extern "C" fn(libc::c_long)>(sleep),
                std::mem::transmute::<*mut libc::c_void, extern "C" fn() -> libc::c_uint>(lookups),
            )
        };
        // A connection is kept for fifty seconds, asleep or not, and then closed and not tried.
        let plain = always(ok());
        let client = client(&plain.url());
        right(&client, "first");
        sleep(45);
        right(&client, "still kept");
        sleep(45);
        right(&client, "kept again");
        assert_eq!(plain.connections(), 1);
        for hours in [0, 8] {
            let before = plain.connections();
            sleep(51 + hours * 3600);
            right(&client, "after a long sleep");
            assert_eq!(plain.connections(), before + 1);
            plain.await_open_connections(1);
        }

        // An address is kept for a minute.
        let trusted = Trusted::new();
        let certificate = trusted.authority.issue_for(&["here.test"], |_| {});
        let peer = server(certificate.config(BOTH), |mut secured| {
            secured.head()?;
            secured.send(&answer(200, "Connection: close\r\n", DOCUMENT))?;
            secured.close_notify()
        });
        let url = format!("https://here.test:{}", peer.port());
        let named = trusted.client(&url);
        let before = lookups();
        for (slept, want) in [(0, 1), (0, 1), (55, 1), (10, 2), (8 * 3600, 3), (0, 3)] {
            sleep(slept);
            right(&named, "named");
            assert_eq!(lookups() - before, want, "{slept}");
        }
        // Not that of a host that could not be reached: its address may be another by now.
        let nobody = Reserved::new();
        let unreachable = trusted.client(&format!("https://here.test:{}", nobody.address().port()));
        let before = lookups();
        for count in 1..4 {
            let failure = unreachable.get(&Query::default()).unwrap_err();
            assert_eq!(name(failure.status), "FISH_CONNECT_FAILED", "{failure:?}");
            assert_eq!(lookups() - before, count);
        }
        // Nor if it takes no connection, and says nothing.
        let hole = BlackHole::new();
        let url = format!("https://here.test:{}", hole.address().port());
        let options = Options { connect_timeout_ms: 50, ..trusted.options(&url) };
        let silent = Client::new(&options).unwrap();
        let before = lookups();
        for count in 1..4 {
            let failure = silent.get(&Query::default()).unwrap_err();
            assert_eq!(name(failure.status), "FISH_TIMED_OUT", "{failure:?}");
            assert_eq!(lookups() - before, count);
        }
    });
}

#[test]
fn a_lookup_has_enough_stack_for_resolver_modules() {
    child::preloading(&["getaddrinfo"], || {
        let failure = client("https://deep.test").get(&Query::default()).unwrap_err();
        assert_eq!(name(failure.status), "FISH_RESOLVE_FAILED", "{failure:?}");
    });
}

#[test]
fn forked_workers_retry_at_different_times() {
    const WORKERS: usize = 8;
    let came: Arc<Mutex<Vec<(String, Instant)>>> = Arc::default();
    let log = Arc::clone(&came);
    let busy = (!child::is_one()).then(|| {
        Server::directed(move |_, request| {
            let request = String::from_utf8_lossy(request);
            let worker = request.split('/').nth(2).unwrap_or_default().to_owned();
            log.lock().unwrap().push((worker, Instant::now()));
            send(answer(503, "", ""))
        })
    });
    let tell = |command: &mut std::process::Command| {
        command.env("FISH_TEST_BUSY", busy.as_ref().unwrap().url());
    };
    child::prepared(&[], tell, || {
        let url = told("BUSY");
        let options = Options { base_url: Some(&url), max_retries: 1, ..Options::test() };
        let client = Client::new(&options).unwrap();
        // It has drawn before, so that its children inherit whatever it draws from.
        let _ = client.get(&Query { user_id: Some("parent"), ..Query::default() });
        let workers: Vec<libc::pid_t> = (0..WORKERS)
            .map(|worker| {
                // SAFETY: the child only makes a call and ends.
                let pid = unsafe { libc::fork() };
                assert!(pid >= 0);
                if pid == 0 {
                    let id = format!("worker-{worker}");
                    let got = client.get(&Query { user_id: Some(&id), ..Query::default() });
                    let told = got.is_err_and(|failure| failure.attempts == 2);
                    // SAFETY: ends the process, and runs nothing of its parent's.
                    unsafe { libc::_exit(if told { 0 } else { 1 }) };
                }
                pid
            })
            .collect();
        for pid in workers {
            let mut status = -1;
            // SAFETY: our own child.
            assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
            assert_eq!(status, 0);
        }
    });
    let Some(_busy) = busy else { return };
    let came = came.lock().unwrap();
    let mut waits: Vec<Duration> = (0..WORKERS)
        .map(|worker| {
            let id = format!("worker-{worker}");
            let times: Vec<Instant> =
                came.iter().filter(|(who, _)| *who == id).map(|(_, when)| *when).collect();
            let [first, second] = times[..] else { panic!("{id}: {times:?}") };
            second - first
        })
        .collect();
    waits.sort();
    // Eight numbers below 250 ms, all within 25 of them: once in ten million runs.
    assert!(waits[WORKERS - 1] - waits[0] > ms(25), "{waits:?}");
}
