//! Kept connections: which are kept, for how long, and that bytes of an earlier exchange are never taken for the answer
//! to a later request.

mod support;

use std::io::Write;
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use ::fish_api_credit::ffi::*;
use support::client::{Client, Failure, Options, Query};
use support::clock::{self, reached};
use support::server::{Connection, DOCUMENT, Script, Server, Step, always, answer, document, ok, send};

/// A document that nobody should ever see.
fn wrong() -> Vec<u8> {
    answer(200, "", document("666"))
}

fn right(client: &Client) {
    assert_eq!(client.get(&Query::default()).unwrap().credit, "12.345678");
}

#[test]
fn calls_one_after_another_share_a_connection() {
    let server = Server::directed(|n, _| match n % 3 {
        0 => ok(),
        1 => send(answer(401, "", "no")),
        _ => send(answer(200, "Connection: keep-alive\r\nKeep-Alive: timeout=60\r\n", DOCUMENT)),
    });
    let client = Client::once(&server.url());
    for _ in 0..300 {
        let _ = client.get(&Query::default());
        let _ = client.get_json(&Query::default());
    }
    assert_eq!((server.connections(), server.requests().len()), (1, 600));
    assert_eq!(server.open_connections(), 1);
    drop(client);
    server.await_open_connections(0);
}

#[test]
fn eight_threads_on_one_client_keep_a_connection_each() {
    const THREADS: usize = 8;
    const ROUNDS: usize = 400;
    let server = always(ok());
    let client = Client::once(&server.url());
    let together = Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for round in 0..ROUNDS {
                    // Now and then all of them set off at the same moment.
                    if round % 10 == 0 {
                        together.wait();
                    }
                    right(&client);
                }
            });
        }
    });
    assert_eq!(server.requests().len(), THREADS * ROUNDS);
    assert!(server.connections() <= THREADS, "{} connections for {THREADS} threads", server.connections());
}

#[test]
fn more_threads_than_the_pool_has_room_for_are_all_served() {
    let server = always(ok());
    let client = Client::once(&server.url());
    let together = Barrier::new(40);
    thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| {
                for _ in 0..10 {
                    together.wait();
                    right(&client);
                }
            });
        }
    });
    assert_eq!(server.requests().len(), 400);
    drop(client);
    server.await_open_connections(0);

    // Answered at the same time, there are forty connections; what does not fit is closed.
    let asked = Barrier::new(40);
    let server = Server::directed(move |_, _| {
        asked.wait();
        ok()
    });
    let client = Client::once(&server.url());
    at_once(&client, 40);
    assert_eq!(server.connections(), 40);
    server.await_open_connections(16);
}

#[test]
fn an_expired_connection_is_closed_by_the_next_call_on_another() {
    // On a busy machine a second may pass between two calls, now and then.
    let kept = (0..5).any(|_| {
        let both = Barrier::new(2);
        let server = Server::directed(move |n, _| {
            if n < 2 {
                both.wait();
            }
            send(answer(200, "Keep-Alive: timeout=2\r\n", DOCUMENT))
        });
        let client = Client::once(&server.url());
        at_once(&client, 2);
        assert_eq!(server.open_connections(), 2);
        // Of the two, one is used again and again, and the other is not asked for.
        for _ in 0..15 {
            thread::sleep(Duration::from_millis(100));
            right(&client);
        }
        server.await_open_connections(1);
        server.connections() == 2
    });
    assert!(kept);
}

#[test]
fn a_connection_closed_while_idle_is_not_counted_as_an_attempt() {
    for reset in [false, true] {
        let server = Server::directed(move |n, _| match (n, reset) {
            // A reset lies in wait: it follows right after the answer.
            (0, true) => vec![Step::Send(answer(200, "", DOCUMENT)), Step::Reset],
            (1, _) => ok(),
            (2, _) => send(answer(404, "", "")),
            _ => ok(),
        });
        let client = Client::once(&server.url());
        right(&client);
        server.close_connections();
        server.await_open_connections(0);
        right(&client);
        assert_eq!((server.connections(), server.requests().len()), (2, 2), "{reset}");
        server.close_connections();
        server.await_open_connections(0);
        let failure = client.get(&Query::default()).unwrap_err();
        assert_eq!((failure.status, failure.attempts), (FISH_NOT_FOUND, 1), "{reset}");
        assert_eq!(server.connections(), 3, "{reset}");
    }
}

#[test]
fn losing_a_new_connection_counts_as_an_attempt_losing_a_kept_one_does_not() {
    // On a connection that has carried an answer, a server that closes right after the next request had closed it
    // before: a race that nobody can see. On a fresh connection it is a failure.
    for (lose, how) in [(Step::Close, "closed"), (Step::Reset, "reset")] {
        let one = lose.clone();
        let server = Server::directed(move |n, _| if n == 1 { vec![one.clone()] } else { ok() });
        let client = Client::once(&server.url());
        right(&client);
        right(&client);
        assert_eq!((server.connections(), server.requests().len()), (2, 3), "{how}");

        // Twice in a row: the second time on a fresh connection, which counts.
        let two = lose.clone();
        let server = Server::directed(move |n, _| if n >= 1 { vec![two.clone()] } else { ok() });
        let client = Client::once(&server.url());
        right(&client);
        let failure = client.get(&Query::default()).unwrap_err();
        assert_eq!((failure.status, failure.attempts), (FISH_CONNECTION_LOST, 1), "{how}: {failure:?}");
        assert_eq!((server.connections(), server.requests().len()), (2, 3), "{how}");

        // Part of an answer: the server did see the request, so this one counts, kept or not.
        let server = Server::directed(move |n, _| match n {
            1 => vec![Step::Send(b"HTTP/1.1 2".to_vec()), lose.clone()],
            _ => ok(),
        });
        let client = Client::once(&server.url());
        right(&client);
        let failure = client.get(&Query::default()).unwrap_err();
        assert_eq!((failure.status, failure.attempts), (FISH_CONNECTION_LOST, 1), "{how}: {failure:?}");
        assert_eq!(server.requests().len(), 2, "{how}");
    }
}

#[test]
fn a_pool_of_closed_connections_costs_no_attempt() {
    let server = always(ok());
    let client = Arc::new(Client::once(&server.url()));
    let together = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                together.wait();
                right(&client);
            });
        }
    });
    server.close_connections();
    server.await_open_connections(0);
    let before = server.connections();
    for _ in 0..8 {
        right(&client);
    }
    assert_eq!(server.connections(), before + 1);
}

/// A peer whose first connections answer once, all at the same time, and then never again; later ones always answer.
fn falls_silent(first: usize) -> Server {
    let together = Barrier::new(first);
    Server::new(move |mut link| {
        let dies = link.number < first;
        while link.head()?.is_some() {
            if dies {
                together.wait();
            }
            link.write_all(&answer(200, "", DOCUMENT))?;
            if dies {
                return link.stall();
            }
        }
        Ok(())
    })
}

/// Makes so many calls at once.
fn at_once(client: &Client, count: usize) {
    thread::scope(|scope| {
        for _ in 0..count {
            scope.spawn(|| right(client));
        }
    });
}

#[test]
fn a_pool_of_silent_connections_is_replaced_within_the_first_call() {
    // As after sleep, a change of network or a NAT that forgot: nothing is closed, nothing answers.
    for (timeout_ms, connect_timeout_ms, share) in [(1000, 0, 2), (10_000, 200, 50)] {
        reached("a silent pool", timeout_ms, |timeout_ms| {
            // No longer than a connection may take by default.
            let given_up_after = (timeout_ms / share).min(5000);
            let connect_timeout_ms = if connect_timeout_ms == 0 { 0 } else { given_up_after };
            let peer = falls_silent(4);
            let url = peer.url();
            let options = Options { timeout_ms, connect_timeout_ms, ..Options::once(&url) };
            let client = Client::new(&options).unwrap();
            let ample = Query { timeout_ms: 60_000, ..Query::default() };
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| client.get(&ample).unwrap());
                }
            });
            assert_eq!(peer.connections(), 4);
            let limit = Duration::from_millis(given_up_after.into());
            clock::ends_at("a silent pool", limit, || client.get(&Query::default()))?;
            // The others went with it, though nobody had tried them.
            peer.await_ended(4);
            for _ in 0..4 {
                client.get(&ample)?;
            }
            // More only if one that was alive seemed silent.
            if peer.connections() == 5 { Ok(()) } else { Err(Failure::default()) }
        });
    }
}

#[test]
fn a_silent_connection_takes_no_newer_one_with_it() {
    let (answered, answer_now) = mpsc::channel();
    let answer_now = Mutex::new(answer_now);
    let together = Barrier::new(2);
    let server = Server::directed(move |n, _| {
        match n {
            0 | 1 => drop(together.wait()),
            2 => answer_now.lock().unwrap().recv().unwrap(),
            3 => return vec![Step::Stall],
            4 => {}
            _ => drop(together.wait()),
        }
        ok()
    });
    let client = Client::once(&server.url());
    at_once(&client, 2);
    thread::scope(|scope| {
        let slow = scope.spawn(|| right(&client));
        server.await_requests(3);
        let silent = scope.spawn(|| client.get(&Query { timeout_ms: 4000, ..Query::default() }));
        server.await_requests(4);
        // Answered while the other call waits in vain: this connection is alive, whatever has become of that one.
        answered.send(()).unwrap();
        slow.join().unwrap();
        assert_eq!(silent.join().unwrap().unwrap().credit, "12.345678");
    });
    at_once(&client, 2);
    assert_eq!((server.connections(), server.requests().len()), (3, 7));
}

#[test]
fn a_silent_connection_does_not_hold_up_a_deadline_or_a_cancel() {
    reached("two silent connections", 400, |limit| {
        let peer = Server::new(|mut link| {
            link.head()?;
            if link.number == 0 {
                link.write_all(&answer(200, "", DOCUMENT))?;
            }
            link.stall()
        });
        let client = Client::once(&peer.url());
        right(&client);
        // The fresh one is silent too.
        let query = Query { timeout_ms: limit, ..Query::default() };
        let failure = client.times_out("two silent connections", &query, limit);
        assert_eq!(failure.attempts, 1, "{failure:?}");
        assert!(failure.message.contains(&format!("{limit} ms")), "{}", failure.message);
        if peer.connections() == 2 { Ok(()) } else { Err(failure) }
    });

    let peer = falls_silent(1);
    let client = Client::once(&peer.url());
    right(&client);
    client.cancelled("a silent connection", &Query::default(), || {
        thread::sleep(Duration::from_millis(60));
    });
    assert_eq!(peer.connections(), 1);
}

#[test]
fn unsolicited_bytes_are_never_taken_for_an_answer() {
    let twice = |fields: &str| [answer(200, fields, DOCUMENT), wrong()].concat();
    let chunked = |tail: &str| {
        let length = DOCUMENT.len();
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        [format!("{head}{length:x}\r\n{DOCUMENT}\r\n0\r\n\r\n{tail}").into_bytes(), wrong()].concat()
    };
    let cases: Vec<(&str, Script)> = vec![
        ("with the answer", send(twice(""))),
        ("with chunks", send(chunked(""))),
        ("white space", send([answer(200, "", DOCUMENT), b"\r\n".to_vec()].concat())),
        ("one byte", send([answer(200, "", DOCUMENT), b"H".to_vec()].concat())),
        ("after a 204", send([b"HTTP/1.1 204 No\r\n\r\n".to_vec(), wrong()].concat())),
        ("after a 304", send([b"HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n".to_vec(), wrong()].concat())),
        ("after a 101", send([b"HTTP/1.1 101 Go\r\nUpgrade: x\r\n\r\n".to_vec(), wrong()].concat())),
        ("after an error", send([answer(404, "", "x"), wrong()].concat())),
    ];
    for (title, script) in cases {
        let server = Server::directed(move |n, _| if n == 0 { script.clone() } else { ok() });
        let client = Client::once(&server.url());
        let _ = client.get(&Query::default());
        for _ in 0..3 {
            right(&client);
        }
        assert_eq!(server.connections(), 2, "{title}");
    }
    // Later, while the connection lies idle.
    for bytes in [&wrong()[..], b"\r\n", b"H", b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"] {
        let server = always(ok());
        let client = Client::once(&server.url());
        right(&client);
        server.send_unasked(bytes);
        right(&client);
        right(&client);
        assert_eq!(server.connections(), 2);
    }
}

#[test]
fn a_reset_is_told_as_one() {
    let server = always(vec![Step::Reset]);
    let failure = Client::once(&server.url()).get(&Query::default()).unwrap_err();
    assert_eq!(failure.status, FISH_CONNECTION_LOST);
    assert!(failure.message.contains("(the server reset it)"), "{}", failure.message);
}

#[test]
fn a_connection_that_switched_protocols_is_not_kept() {
    // What comes then is no HTTP, and comes only when the next request does.
    let server = Server::directed(|n, _| match n {
        0 => send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"),
        _ => ok(),
    });
    let client = Client::once(&server.url());
    let failure = client.get(&Query::default()).unwrap_err();
    assert_eq!((failure.status, failure.http_status), (FISH_UNEXPECTED_STATUS, 101));
    right(&client);
    assert_eq!(server.connections(), 2);
}

#[test]
fn connections_are_closed_when_the_server_says_so() {
    let until_close = format!("HTTP/1.1 200 OK\r\n\r\n{DOCUMENT}").into_bytes();
    let cut = b"HTTP/1.1 404 No\r\nContent-Length: 99\r\n\r\nx".to_vec();
    for (title, script, kept) in [
        ("close", send(answer(200, "Connection: close\r\n", DOCUMENT)), false),
        ("Close among others", send(answer(200, "Connection: x, CLOSE\r\n", DOCUMENT)), false),
        ("two Connections", send(answer(200, "Connection: x\r\nConnection: close\r\n", DOCUMENT)), false),
        ("close on an error", send(answer(503, "Connection: close\r\n", "")), false),
        ("keep-alive", send(answer(200, "Connection: keep-alive\r\n", DOCUMENT)), true),
        ("closed is another word", send(answer(200, "Connection: closed\r\n", DOCUMENT)), true),
        (
            "HTTP/1.0",
            send(String::from_utf8(answer(200, "", DOCUMENT)).unwrap().replace("1.1", "1.0")),
            false,
        ),
        ("until closed", vec![Step::Send(until_close), Step::Close], false),
        ("an error body that is cut", vec![Step::Send(cut), Step::Close], false),
        ("no longer than now", send(answer(200, "Keep-Alive: timeout=0\r\n", DOCUMENT)), false),
        ("a timeout that is none", send(answer(200, "Keep-Alive: timeout=x\r\n", DOCUMENT)), true),
        ("too large an error", send(answer(404, "", vec![b'x'; 2 << 20])), false),
    ] {
        let server = Server::directed(move |n, _| if n == 0 { script.clone() } else { ok() });
        let client = Client::once(&server.url());
        let _ = client.get(&Query::default());
        if !kept {
            // Closed at once, not at the next call.
            server.await_open_connections(0);
        }
        right(&client);
        assert_eq!(server.connections(), if kept { 1 } else { 2 }, "{title}");
    }
}

#[test]
fn a_connection_is_kept_for_half_of_the_servers_limit() {
    // The server keeps an idle connection for two seconds; the library lets go of it at half of that, so that a
    // request never meets the close on its way.
    let server = always(send(answer(200, "Keep-Alive: max=9, timeout=2\r\n", DOCUMENT)));
    let client = Client::once(&server.url());
    right(&client);
    right(&client);
    assert_eq!(server.connections(), 1);
    thread::sleep(Duration::from_millis(1100));
    right(&client);
    assert_eq!(server.connections(), 2);
}

#[test]
fn two_clients_share_nothing() {
    let server = always(ok());
    let url = server.url();
    let keys = ["one", "two"];
    let clients =
        keys.map(|key| Client::new(&Options { api_key: Some(key), ..Options::once(&url) }).unwrap());
    for round in 0..5 {
        for (client, key) in clients.iter().zip(keys) {
            right(client);
            let sent = String::from_utf8(server.requests().pop().unwrap()).unwrap();
            assert!(sent.contains(&format!("Bearer {key}\r\n")), "{round}: {sent}");
        }
    }
    assert_eq!(server.connections(), 2);
}
