//! Proxies: tunnels by CONNECT and SOCKS5, from the option and from the environment, through scripted proxies
//! that fail at every stage and through real ones. Whatever a proxy does, the library never bypasses it.

#![allow(clippy::type_complexity)] // A table's row is a tuple, whose fields its cases make plain.

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ::fish_api_credit::ffi::*;
use support::client::{Client, Failure, KEY, Options, Query, name};
use support::clock::reached;
use support::server::{Connection, DOCUMENT, Link, Reserved, Server, always, answer, ok};
use support::tls::{BOTH, Trusted, answering};
use support::{c, tools};

/// Credentials as they stand in a URL, in full, and as Basic authentication writes them.
const USER: &str = "proxy-user";
const PASSWORD_IN_URL: &str = "se%40same%3A%2Fx";
const PASSWORD: &str = "se@same:/x";
const BASIC: &str = "cHJveHktdXNlcjpzZUBzYW1lOi94";

fn target() -> Server {
    always(ok())
}

fn through<'a>(proxy: &'a str, base_url: &'a str) -> Options<'a> {
    Options { proxy_url: Some(proxy), ..Options::once(base_url) }
}

fn fails(options: &Options<'_>) -> Failure {
    let failure = Client::new(options).expect("a client").get(&Query::default()).expect_err("a failure");
    keeps_credentials(&failure);
    failure
}

fn keeps_credentials(failure: &Failure) {
    let everything = format!("{failure:?}");
    for secret in [USER, PASSWORD, PASSWORD_IN_URL, "sesame", "same", BASIC, KEY] {
        assert!(!everything.contains(secret), "{secret} in {everything}");
    }
}

/// A scripted proxy that makes every tunnel to `to`, whatever it is asked for, and wants no credentials. What
/// it was asked stands in `received`.
fn http_proxy(to: SocketAddr) -> Server {
    Server::new(move |mut link| {
        link.head()?;
        link.write_all(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")?;
        link.relay(to)
    })
}

/// As above; with `reply` where it says from which address it connected.
fn socks_proxy(to: SocketAddr, reply: &'static [u8]) -> Server {
    Server::new(move |mut link| {
        let mut greeting = [0; 2];
        link.read_exact(&mut greeting)?;
        let mut methods = vec![0; greeting[1].into()];
        link.read_exact(&mut methods)?;
        if methods.contains(&2) {
            link.write_all(&[5, 2])?;
            let mut length = [0; 2];
            link.read_exact(&mut length)?;
            let mut user = vec![0; usize::from(length[1]) + 1];
            link.read_exact(&mut user)?;
            let mut password = vec![0; user[user.len() - 1].into()];
            link.read_exact(&mut password)?;
            let right = &user[..user.len() - 1] == USER.as_bytes() && password == PASSWORD.as_bytes();
            link.write_all(&[1, u8::from(!right)])?;
        } else {
            link.write_all(&[5, 0])?;
        }
        let mut request = [0; 4];
        link.read_exact(&mut request)?;
        let length = match request[3] {
            1 => 4,
            4 => 16,
            _ => {
                let mut length = [0];
                link.read_exact(&mut length)?;
                length[0].into()
            }
        };
        let mut address = vec![0; length + 2];
        link.read_exact(&mut address)?;
        link.write_all(&[5, 0, 0])?;
        link.write_all(reply)?;
        link.relay(to)
    })
}

const AGENT: &str = concat!("fish-api-credit/", env!("CARGO_PKG_VERSION"));
const FROM_IPV4: &[u8] = &[1, 127, 0, 0, 1, 1, 2];
const FROM_IPV6: &[u8] = &[4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2];
const FROM_NAME: &[u8] = &[3, 4, b'h', b'o', b's', b't', 1, 2];

#[test]
fn the_connect_request_byte_for_byte() {
    let server = target();
    for (base, credentials, want) in [
        (
            "http://127.0.0.1:9",
            "",
            "CONNECT 127.0.0.1:9 HTTP/1.1\r\nhost: 127.0.0.1:9\r\nuser-agent: AGENT\r\n\r\n",
        ),
        ("http://[::1]:9/v1", "", "CONNECT [::1]:9 HTTP/1.1\r\nhost: [::1]:9\r\nuser-agent: AGENT\r\n\r\n"),
        (
            "http://localhost",
            "",
            "CONNECT localhost:80 HTTP/1.1\r\nhost: localhost:80\r\nuser-agent: AGENT\r\n\r\n",
        ),
        (
            "http://localhost:9",
            "proxy-user:se%40same%3A%2Fx@",
            "CONNECT localhost:9 HTTP/1.1\r\nhost: localhost:9\r\nuser-agent: AGENT\r\nproxy-authorization: Basic cHJveHktdXNlcjpzZUBzYW1lOi94\r\n\r\n",
        ),
        (
            "http://localhost:9",
            "only@",
            "CONNECT localhost:9 HTTP/1.1\r\nhost: localhost:9\r\nuser-agent: AGENT\r\nproxy-authorization: Basic b25seTo=\r\n\r\n",
        ),
    ] {
        let proxy = http_proxy(server.address());
        let url = format!("http://{credentials}{}", proxy.address());
        let client = Client::new(&through(&url, base)).unwrap();
        for _ in 0..3 {
            assert_eq!(client.get(&Query::default()).unwrap().credit, "12.345678", "{base}");
        }
        assert_eq!(proxy.connections(), 1, "a tunnel is kept like any connection");
        let asked = String::from_utf8(proxy.received()).unwrap();
        let want = want.replace("AGENT", AGENT);
        assert!(asked.starts_with(&format!("{want}GET ")), "{base}: {asked}");
    }
    // The credentials are the proxy's alone.
    for request in server.requests() {
        assert!(!String::from_utf8(request).unwrap().to_ascii_lowercase().contains("proxy-auth"));
    }
}

#[test]
fn the_socks5_request_byte_for_byte() {
    let server = target();
    let login = [&[5, 2, 0, 2, 1, 10][..], USER.as_bytes(), &[10], PASSWORD.as_bytes()].concat();
    let none = &[5, 1, 0][..];
    let mut ipv6 = vec![5, 1, 0, 4];
    ipv6.extend([0; 15]);
    ipv6.extend([1, 0, 9]);
    let credentials = format!("{USER}:{PASSWORD_IN_URL}@");
    for (base, credentials, greeting, request, reply) in [
        ("http://127.0.0.1:9", "", none, &[5, 1, 0, 1, 127, 0, 0, 1, 0, 9][..], FROM_IPV4),
        ("http://[::1]:9", "", none, &ipv6, FROM_IPV6),
        ("http://localhost:258", "", none, b"\x05\x01\x00\x03\x09localhost\x01\x02", FROM_NAME),
        ("http://localhost:258", &credentials, &login, b"\x05\x01\x00\x03\x09localhost\x01\x02", FROM_IPV4),
    ] {
        for scheme in ["socks5", "socks5h", "SOCKS5"] {
            let proxy = socks_proxy(server.address(), reply);
            let url = format!("{scheme}://{credentials}{}", proxy.address());
            let client = Client::new(&through(&url, base)).unwrap();
            for _ in 0..2 {
                assert_eq!(client.get(&Query::default()).unwrap().credit, "12.345678", "{base}");
            }
            assert_eq!(proxy.connections(), 1);
            let want = [greeting, request, b"GET "].concat();
            assert_eq!(proxy.received()[..want.len()], want, "{scheme} {base}");
        }
    }
}

#[test]
fn the_default_server_is_reached_through_a_proxy_that_never_sees_the_key() {
    let Trusted { authority, ca_file, folder: _folder } = Trusted::new();
    let config = authority.issue_for(&["api.fish.audio"], |_| {}).config(BOTH);
    let server = answering(config, answer(200, "", DOCUMENT));
    for (proxy, scheme, asked) in [
        (
            http_proxy(server.address()),
            "http",
            &[
                b"CONNECT api.fish.audio:443 HTTP/1.1\r\nhost: api.fish.audio:443\r\nuser-agent: ",
                AGENT.as_bytes(),
                b"\r\n\r\n\x16\x03",
            ]
            .concat()[..],
        ),
        (
            socks_proxy(server.address(), FROM_IPV4),
            "socks5",
            b"\x05\x01\x00\x05\x01\x00\x03\x0eapi.fish.audio\x01\xbb\x16\x03",
        ),
    ] {
        let url = format!("{scheme}://{}", proxy.address());
        // No base_url: the name is the proxy's to resolve, so this needs no network.
        let options = Options { base_url: None, ca_file: Some(&ca_file), ..through(&url, "") };
        assert_eq!(Client::new(&options).unwrap().get(&Query::default()).unwrap().credit, "12.345678");
        assert_eq!(&proxy.received()[..asked.len()], asked);
        assert!(!proxy.saw(KEY));
        assert!(server.saw(KEY));
        // A proxy that connects to somebody else is found out by TLS.
        let options = Options { base_url: Some("https://other.fish.audio"), ..options };
        let failure = fails(&options);
        assert_eq!(failure.status, FISH_TLS_FAILED, "{failure:?}");
        assert!(failure.message.contains("is for another host"), "{}", failure.message);
    }
    assert_eq!(server.times_saw(KEY), 2);
}

/// How a scripted proxy ends, after its replies.
#[derive(Clone, Copy, Debug)]
enum End {
    Fin,
    Reset,
    Stall,
}

/// A proxy that answers the client's first message with the first reply and so on, whatever was asked.
fn replying(replies: Vec<Vec<u8>>, end: End) -> Server {
    Server::new(move |mut link: Link| {
        let mut piece = [0; 4096];
        for reply in &replies {
            let _ = link.read(&mut piece)?;
            link.write_all(reply)?;
        }
        match end {
            End::Fin => {
                if replies.is_empty() {
                    let _ = link.read(&mut piece)?;
                }
                link.fin()
            }
            End::Reset => {
                // What it says arrives, and then the reset.
                let _ = link.read(&mut piece)?;
                link.reset()
            }
            End::Stall => link.stall(),
        }
    })
}

#[test]
fn a_proxy_that_fails_to_connect_is_never_bypassed() {
    use End::{Fin, Reset};
    let no_scheme = "it rejected the user or password, and offers no scheme (HTTP 407)";
    let long_head = format!("HTTP/1.1 200 OK\r\n{}", "X: yyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(2000));
    let echo =
        format!("HTTP/1.1 407 {USER} {PASSWORD}\r\nX: {BASIC}\r\nContent-Length: 10\r\n\r\n{PASSWORD}");
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(101));
    let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(1000);
    // What is said of it, and whether another try may help.
    let closed = ("it closed the connection", true);
    let nonsense = ("its response was invalid", false);
    let by_connect: &[(&str, &[u8], End, (&str, bool))] = &[
        ("closes at once", b"", Fin, closed),
        ("resets at once", b"", Reset, closed),
        ("cut in the version", b"HTT", Fin, closed),
        ("cut in the head", b"HTTP/1.1 200 OK\r\nA: b\r\n", Fin, closed),
        ("forbids", b"HTTP/1.1 403 Forbidden\r\n\r\n", Fin, ("it responded with HTTP 403", false)),
        ("wants a login", echo.as_bytes(), Fin, (no_scheme, false)),
        ("redirects", b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n", Fin, ("HTTP 302", false)),
        ("has failed", b"HTTP/1.1 500 Oops\r\n\r\n", Fin, ("it responded with HTTP 500", false)),
        (
            "cannot connect",
            b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\nno",
            Fin,
            ("HTTP 502", true),
        ),
        ("is busy", b"HTTP/1.1 503 Busy\r\n\r\n", Fin, ("HTTP 503", true)),
        ("waited in vain", b"HTTP/1.0 504 Late\r\n\r\n", Fin, ("HTTP 504", true)),
        ("says go on", b"HTTP/1.1 100 Continue\r\n\r\n", Fin, closed),
        (
            "says go on, and no",
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 No\r\n\r\n",
            Fin,
            ("HTTP 403", false),
        ),
        ("says go on for ever", interim.as_bytes(), Fin, nonsense),
        ("changes the protocol", b"HTTP/1.1 101 Go\r\nUpgrade: x\r\n\r\n", Fin, nonsense),
        ("has no status", b"HTTP/1.1 OK\r\n\r\n", Fin, nonsense),
        ("is an ssh server", b"SSH-2.0-x\r\n", Fin, nonsense),
        ("is a TLS server", b"\x15\x03\x01\x00\x02\x02\x46", Fin, nonsense),
        ("is a SOCKS server", b"\x05\xff", Fin, nonsense),
        ("speaks HTTP/2", b"HTTP/2 200\r\n\r\n", Fin, nonsense),
        ("answers for the server", b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n", Fin, nonsense),
        ("never ends its head", long_head.as_bytes(), Fin, nonsense),
        ("has too many fields", many.as_bytes(), Fin, nonsense),
        ("has a NUL", b"HTTP/1.1 200 OK\r\nA: \0\r\n\r\n", Fin, nonsense),
    ];
    let by_socks5: &[(&str, &[&[u8]], End, (&str, bool))] = &[
        ("closes at once", &[], Fin, closed),
        ("resets at once", &[], Reset, closed),
        ("cut in the method", &[b"\x05"], Fin, closed),
        ("is SOCKS 4", &[b"\x04\x5b"], Fin, nonsense),
        ("is an HTTP server", &[b"HTTP/1.1 400 Bad Request\r\n\r\n"], Fin, nonsense),
        ("another method", &[b"\x05\x01"], Fin, nonsense),
        ("takes no user", &[b"\x05\xff"], Fin, ("it does not accept a user and password", false)),
        ("closes after the method", &[b"\x05\x02"], Fin, closed),
        ("resets after the method", &[b"\x05\x02"], Reset, closed),
        ("cut in the login", &[b"\x05\x02", b"\x01"], Fin, closed),
        ("refuses the login", &[b"\x05\x02", b"\x01\x01"], Fin, ("it rejected the user or password", false)),
        (
            "refuses with another version",
            &[b"\x05\x02", b"\x05\xff"],
            Fin,
            ("it rejected the user or password", false),
        ),
        (
            "refuses with version 0",
            &[b"\x05\x02", b"\x00\x02"],
            Fin,
            ("it rejected the user or password", false),
        ),
        ("closes after the login", &[b"\x05\x02", b"\x01\x00"], Fin, closed),
        ("cut in the reply", &[b"\x05\x00", b"\x05\x00\x00"], Fin, closed),
        ("cut in the address", &[b"\x05\x00", b"\x05\x00\x00\x01\x7f"], Fin, closed),
        ("cut in the name", &[b"\x05\x00", b"\x05\x00\x00\x03\x09loc"], Fin, closed),
        ("cut in the name's length", &[b"\x05\x00", b"\x05\x00\x00\x03"], Fin, closed),
        ("another version", &[b"\x05\x00", b"\x04\x00\x00\x01"], Fin, nonsense),
        ("another address", &[b"\x05\x00", b"\x05\x00\x00\x09"], Fin, nonsense),
        ("general failure", &[b"\x05\x00", b"\x05\x01\x00\x01"], Fin, ("it could not connect", true)),
        ("forbids", &[b"\x05\x00", b"\x05\x02\x00\x01"], Fin, ("its rules forbid this connection", false)),
        ("no network", &[b"\x05\x00", b"\x05\x03\x00\x01"], Fin, ("it cannot reach the network", true)),
        ("no host", &[b"\x05\x00", b"\x05\x04\x00\x01"], Fin, ("it cannot reach the host", true)),
        ("refused", &[b"\x05\x00", b"\x05\x05\x00\x01"], Fin, ("the host refused its connection", true)),
        ("too far", &[b"\x05\x00", b"\x05\x06\x00\x01"], Fin, ("TTL expired", true)),
        ("cannot connect at all", &[b"\x05\x00", b"\x05\x07\x00\x01"], Fin, ("it could not connect", false)),
        ("a number from nowhere", &[b"\x05\x00", b"\x05\xfe\x00\x01"], Fin, ("it could not connect", false)),
    ];
    let connects = by_connect.iter().map(|(what, reply, end, outcome)| {
        let replies = if reply.is_empty() { vec![] } else { vec![reply.to_vec()] };
        (*what, "http", replies, *end, *outcome)
    });
    let cases = connects.chain(by_socks5.iter().map(|(what, replies, end, outcome)| {
        (*what, "socks5", replies.iter().map(|reply| reply.to_vec()).collect(), *end, *outcome)
    }));
    let server = target();
    let base = server.url();
    for (what, scheme, replies, end, (why, again)) in cases {
        let proxy = replying(replies, end);
        let url = format!("{scheme}://{USER}:{PASSWORD_IN_URL}@{}", proxy.address());
        let failure = fails(&through(&url, &base));
        assert_eq!(name(failure.status), "FISH_PROXY_FAILED", "{scheme} {what}: {failure:?}");
        assert!(failure.message.contains(why), "{scheme} {what}: {}", failure.message);
        assert_eq!(failure.retryable, again, "{scheme} {what}");
        assert_eq!((failure.http_status, failure.attempts), (0, 1), "{scheme} {what}");
        assert!(failure.body.is_none() && failure.api_message.is_none(), "a proxy's answer is no server's");
        assert_eq!(proxy.connections(), 1, "{scheme} {what}");
        proxy.await_ended(1);
        assert!(!proxy.saw(KEY), "{scheme} {what}");
    }
    // Without a login there is nothing to give.
    for (replies, why) in [
        (vec![b"\x05\xff".to_vec()], "it requires a user and password"),
        (vec![b"\x05\x02".to_vec()], "its response was invalid"),
    ] {
        let proxy = replying(replies, End::Fin);
        let failure = fails(&through(&format!("socks5://{}", proxy.address()), &base));
        assert_eq!(failure.status, FISH_PROXY_FAILED);
        assert!(failure.message.contains(why), "{}", failure.message);
    }
    // Nobody listens there.
    let reserved = Reserved::new();
    let nobody = reserved.address();
    for scheme in ["http", "socks5"] {
        let failure = fails(&through(&format!("{scheme}://{USER}:{PASSWORD_IN_URL}@{nobody}"), &base));
        assert_eq!(failure.status, FISH_PROXY_FAILED, "{failure:?}");
        assert!(failure.message.contains(&format!("it could not be reached at {nobody}")), "{failure:?}");
    }
    assert_eq!(server.connections(), 0, "no direct connection was made");
}

#[test]
fn a_failing_proxy_is_retried_and_never_bypassed() {
    let server = target();
    let proxy = replying(vec![b"HTTP/1.1 503 Busy\r\n\r\n".to_vec()], End::Fin);
    let (url, base) = (proxy.url(), server.url());
    let failure = fails(&Options { max_retries: 2, ..through(&url, &base) });
    assert_eq!((failure.status, failure.attempts, proxy.connections()), (FISH_PROXY_FAILED, 3, 3));
    let proxy = replying(vec![b"HTTP/1.1 403 No\r\n\r\n".to_vec()], End::Fin);
    let url = proxy.url();
    let failure = fails(&Options { max_retries: 2, ..through(&url, &base) });
    assert_eq!((failure.status, failure.attempts, proxy.connections()), (FISH_PROXY_FAILED, 1, 1));
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_proxy_that_stalls_at_any_stage_ends_at_the_deadline_at_the_connect_timeout_or_on_cancel() {
    let server = target();
    let base = server.url();
    let cases: Vec<(&str, Vec<&[u8]>)> = vec![
        ("http", vec![]),
        ("http", vec![b"HTTP/1.1 2"]),
        ("http", vec![b"HTTP/1.1 200 OK\r\nA: b\r\n"]),
        ("socks5", vec![]),
        ("socks5", vec![b"\x05"]),
        ("socks5", vec![b"\x05\x02"]),
        ("socks5", vec![b"\x05\x02", b"\x01\x00"]),
        ("socks5", vec![b"\x05\x02", b"\x01\x00", b"\x05\x00\x00"]),
        ("socks5", vec![b"\x05\x02", b"\x01\x00", b"\x05\x00\x00\x03\x09loc"]),
    ];
    for (scheme, replies) in cases {
        let what = format!("{scheme} {replies:?}");
        let proxy = replying(replies.into_iter().map(<[u8]>::to_vec).collect(), End::Stall);
        let url = format!("{scheme}://{USER}:{PASSWORD_IN_URL}@{}", proxy.address());
        for (by_call, which) in [(true, " timeout_ms"), (false, "connect_timeout_ms")] {
            reached(&what, 200, |limit| {
                let (timeout_ms, connect_timeout_ms) =
                    if by_call { (limit, 600_000) } else { (600_000, limit) };
                let options = Options { timeout_ms, connect_timeout_ms, ..through(&url, &base) };
                let failure = Client::new(&options).unwrap().times_out(&what, &Query::default(), limit);
                keeps_credentials(&failure);
                let which = format!("{which} ({limit} ms)");
                assert!(failure.message.contains(&which), "{what}: {}", failure.message);
                if failure.message.contains("waiting for the proxy") { Ok(()) } else { Err(failure) }
            });
        }
        let client = Client::new(&through(&url, &base)).unwrap();
        let before = proxy.connections();
        client.cancelled(&what, &Query::default(), || proxy.await_connections(before + 1));
        assert!(!proxy.saw(KEY), "{what}");
    }
    assert_eq!(server.connections(), 0);
}

/// RFC 1929 says 1; proxies that say something else are in use.
#[test]
fn a_socks_proxy_may_accept_a_login_with_any_version() {
    let server = target();
    let to = server.address();
    for version in [0, 1, 2, 5, 0xff] {
        let proxy = Server::new(move |mut link| {
            let mut message = [0; 1024];
            for answer in [&[5, 2][..], &[version, 0], &[&[5, 0, 0], FROM_IPV4].concat()] {
                let _ = link.read(&mut message)?;
                link.write_all(answer)?;
            }
            link.relay(to)
        });
        let url = format!("socks5://{USER}:{PASSWORD_IN_URL}@{}", proxy.address());
        let client = Client::new(&through(&url, "http://localhost:9")).unwrap();
        assert_eq!(client.get(&Query::default()).expect("a tunnel").credit, "12.345678", "{version}");
    }
}

/// A 2xx makes the connection a tunnel, whatever its head says of a body (RFC 9110 §9.3.6), and whatever precedes it.
#[test]
fn every_2xx_opens_a_tunnel() {
    let server = target();
    let to = server.address();
    for head in [
        "HTTP/1.1 200\r\n\r\n",
        "HTTP/1.1 201 Created\r\n\r\n",
        "HTTP/1.0 204 No Content\r\n\r\n",
        "HTTP/1.1 299 Odd\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: none\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nProxy-Connection: close\r\n\r\n",
        "HTTP/1.1 200 Verbindung hergestellt f\u{fc}r Sie\r\nX: \u{fc}\r\n\r\n",
        "\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ] {
        let proxy = Server::new(move |mut link| {
            link.head()?;
            link.write_all(head.as_bytes())?;
            link.relay(to)
        });
        let (url, base) = (proxy.url(), server.url());
        let client = Client::new(&through(&url, &base)).unwrap();
        for _ in 0..2 {
            assert_eq!(client.get(&Query::default()).expect(head).credit, "12.345678");
        }
        assert_eq!(proxy.connections(), 1, "{head}");
    }
}

#[test]
fn a_proxys_answer_byte_by_byte_is_accepted() {
    let server = target();
    let to = server.address();
    let proxy = Server::new(move |mut link| {
        link.head()?;
        link.trickle(b"HTTP/1.0 200 OK\nA: b\n\n", Duration::from_millis(1))?;
        link.relay(to)
    });
    let (url, base) = (proxy.url(), server.url());
    let options = Options { timeout_ms: 60_000, connect_timeout_ms: 60_000, ..through(&url, &base) };
    assert!(Client::new(&options).unwrap().get(&Query::default()).is_ok());
}

#[test]
fn an_invalid_proxy_url_is_refused_and_nothing_is_sent() {
    let server = target();
    let base = server.url();
    for url in [
        "127.0.0.1:3128",
        "https://127.0.0.1:1",
        "socks4://127.0.0.1:1",
        "http://",
        "http://127.0.0.1:0",
        "http://127.0.0.1:99999",
        "http://proxy-user:se%40same%3A%2Fx@127.0.0.1:port",
        "ftp://proxy-user:se%40same%3A%2Fx@127.0.0.1",
        "http://127.0.0.1:1\r\nX: y",
        "http://127.0.0.1 :1",
        "http://[::1",
        "http://192.0.2.1:3128",
    ] {
        let failure = Client::new(&through(url, &base)).err().expect(url);
        keeps_credentials(&failure);
        assert_eq!(failure.status, FISH_INVALID_ARGUMENT, "{url}");
        assert!(failure.message.starts_with("options.proxy_url "), "{url}: {}", failure.message);
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn the_environment_chooses_the_proxy() {
    let Trusted { authority, ca_file, folder } = Trusted::new();
    let program = c::host_program("ask", &[], folder.path());
    let certificate = authority.issue_for(&["here.test", "localhost"], |_| {});
    let secure = answering(certificate.config(BOTH), answer(200, "", DOCUMENT));
    let plain = target();
    let port = secure.address().port().to_string();
    #[derive(Debug, PartialEq)]
    enum Way {
        Direct,
        Http,
        Socks,
        Refused,
    }
    use Way::*;
    // H and S stand for the proxies' addresses, PORT for the server's port.
    let named = format!("https://here.test:{port}");
    let local = format!("https://localhost:{port}");
    let plainly = plain.url();
    let cases: &[(&[(&str, &str)], &str, Option<&str>, Way)] = &[
        (&[], &named, None, Direct),
        (&[("HTTPS_PROXY", "http://H")], &named, None, Http),
        (&[("https_proxy", "http://H")], &named, None, Http),
        (&[("https_proxy", "http://H"), ("HTTPS_PROXY", "socks5://S")], &named, None, Http),
        (&[("HTTPS_PROXY", "H")], &named, None, Http),
        (&[("HTTPS_PROXY", "socks5://S")], &named, None, Socks),
        (&[("HTTPS_PROXY", "socks5h://proxy-user:se%40same%3A%2Fx@S")], &named, None, Socks),
        (&[("ALL_PROXY", "socks5://S")], &named, None, Socks),
        (&[("all_proxy", "http://proxy-user:se%40same%3A%2Fx@H")], &named, None, Http),
        (&[("ALL_PROXY", "socks5://S"), ("HTTPS_PROXY", "http://H")], &named, None, Http),
        (&[("HTTP_PROXY", "http://H")], &named, None, Direct),
        (&[("ALL_PROXY", "http://H"), ("NO_PROXY", "here.test")], &named, None, Direct),
        (&[("ALL_PROXY", "http://H"), ("no_proxy", "example.com,.test")], &named, None, Direct),
        (&[("ALL_PROXY", "http://H"), ("NO_PROXY", "*")], &named, None, Direct),
        (&[("ALL_PROXY", "http://H"), ("NO_PROXY", "here.test:PORT")], &named, None, Direct),
        (&[("ALL_PROXY", "http://H"), ("NO_PROXY", "here.test:1")], &named, None, Http),
        (&[("ALL_PROXY", "http://H"), ("NO_PROXY", "example.com")], &named, None, Http),
        (&[("ALL_PROXY", "http://H"), ("NO_PROXY", "")], &named, None, Http),
        (&[("ALL_PROXY", "http://H")], &named, Some(""), Direct),
        (&[("ALL_PROXY", "http://H")], &named, Some("socks5://S"), Socks),
        (&[("NO_PROXY", "*")], &named, Some("socks5://S"), Socks),
        // Neither a typing error nor an unknown kind of proxy is a reason to go without one.
        (&[("ALL_PROXY", "socks4://S")], &named, None, Refused),
        (&[("HTTPS_PROXY", "https://proxy-user:se%40same%3A%2Fx@H")], &named, None, Refused),
        (&[("HTTPS_PROXY", "http://H:x")], &named, None, Refused),
        // For a loopback host the environment is not looked at, whatever it says: the near end of a tunnel is on
        // loopback too, and its far end would see the key.
        (&[("HTTP_PROXY", "http://H"), ("http_proxy", "http://H")], &plainly, None, Direct),
        (&[("ALL_PROXY", "socks5://S")], &plainly, None, Direct),
        (&[("ALL_PROXY", "socks5://S")], &local, None, Direct),
        (&[("HTTPS_PROXY", "http://H")], &local, None, Direct),
        (&[("ALL_PROXY", "http://192.0.2.1:3128")], &plainly, None, Direct),
        (&[("ALL_PROXY", "socks://corp.example:1080")], &plainly, None, Direct),
        (&[("ALL_PROXY", "socks5://S")], &plainly, Some("http://H"), Http),
        (&[], &local, Some("socks5://S"), Socks),
    ];
    for (environment, base, option, want) in cases {
        let server = if base.starts_with("https") { secure.address() } else { plain.address() };
        let http = http_proxy(server);
        let socks = socks_proxy(server, FROM_IPV4);
        let fill = |text: &str| {
            text.replace("PORT", &port)
                .replace('H', &http.address().to_string())
                .replace('S', &socks.address().to_string())
        };
        let mut command = c::command(&program);
        command.env("LD_PRELOAD", c::preload("getaddrinfo", folder.path()));
        command.arg(format!("api_key={KEY}")).arg(format!("ca_file={ca_file}"));
        command.arg(format!("base_url={base}"));
        if let Some(option) = option {
            command.arg(format!("proxy_url={}", fill(option)));
        }
        command.envs(environment.iter().map(|(name, value)| (name, fill(value))));
        let before = (secure.connections(), plain.connections());
        let printed = c::run(&mut command);
        let what = format!("{environment:?} {base} {option:?}: {printed}");
        let got = match (http.connections(), socks.connections()) {
            (1, 0) => Http,
            (0, 1) => Socks,
            _ if (secure.connections(), plain.connections()) != before => Direct,
            _ => Refused,
        };
        assert_eq!(got, *want, "{what}");
        if got == Refused {
            assert!(printed.starts_with("FISH_INVALID_ARGUMENT 0 "), "{what}");
            assert!(printed.contains(environment[0].0), "{what}");
        } else {
            assert_eq!(printed, "FISH_OK 12.345678\n", "{what}");
        }
        assert!(!printed.contains("same") && !printed.contains(USER), "{what}");
    }
}

/// A real proxy that the test started; ended when it is dropped.
struct Daemon {
    child: Child,
    address: SocketAddr,
    _reserved: Reserved,
}

impl Daemon {
    /// Starts `program` on a free port. `None` where it is not installed.
    fn start(program: &str, arguments: impl Fn(u16) -> Vec<String>) -> Option<Daemon> {
        if !tools::have(program) {
            return None;
        }
        let reserved = Reserved::new();
        let address = reserved.address();
        let mut command = Command::new(program);
        command.args(arguments(address.port())).stdout(Stdio::null()).stderr(Stdio::null());
        let mut daemon = Daemon { child: command.spawn().unwrap(), address, _reserved: reserved };
        assert!(daemon.listens(), "{program} does not start");
        Some(daemon)
    }

    fn listens(&mut self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(20) {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            if TcpStream::connect(self.address).is_ok() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What must hold of a real proxy that wants USER and PASSWORD.
fn is_well_used(daemon: &Daemon, scheme: &str) {
    let trusted = Trusted::new();
    let ca_file = &trusted.ca_file;
    let secure = answering(trusted.config(), answer(200, "", DOCUMENT));
    let plain = target();
    let right = format!("{scheme}://{USER}:sesame@{}", daemon.address);
    for base in [secure.https_url(), format!("https://localhost:{}", secure.port()), plain.url()] {
        let client = Client::new(&Options { ca_file: Some(ca_file), ..through(&right, &base) }).unwrap();
        for _ in 0..2 {
            assert_eq!(client.get(&Query::default()).expect(&base).credit, "12.345678", "{base}");
        }
    }
    assert_eq!((secure.connections(), plain.connections()), (2, 1));
    let base = secure.https_url();
    for credentials in [format!("{USER}:wrong@"), "nobody:sesame@".to_owned(), String::new()] {
        let url = format!("{scheme}://{credentials}{}", daemon.address);
        let failure = fails(&Options { ca_file: Some(ca_file), ..through(&url, &base) });
        assert_eq!(failure.status, FISH_PROXY_FAILED, "{failure:?}");
        assert!(!failure.message.contains("wrong") && !failure.message.contains("nobody"), "{failure:?}");
    }
    // A target where nobody listens: the proxy says so.
    let nobody = Reserved::new();
    let failure = fails(&through(&right, &format!("http://{}", nobody.address())));
    assert_eq!(failure.status, FISH_PROXY_FAILED, "{failure:?}");
    assert_eq!((secure.connections(), plain.connections()), (2, 1), "no direct connection");
}

#[test]
fn a_real_http_proxy() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("tinyproxy.conf");
    let daemon = Daemon::start("tinyproxy", |port| {
        let text = format!(
            "Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 60\nMaxClients 20\nBasicAuth {USER} sesame\n"
        );
        std::fs::write(&settings, text).unwrap();
        vec!["-d".into(), "-c".into(), settings.to_str().unwrap().into()]
    });
    if let Some(daemon) = daemon {
        is_well_used(&daemon, "http");
    }
}

#[test]
fn a_real_socks_proxy() {
    let daemon = Daemon::start("microsocks", |port| {
        ["-i", "127.0.0.1", "-p", &port.to_string(), "-u", USER, "-P", "sesame"].map(String::from).to_vec()
    });
    if let Some(daemon) = daemon {
        is_well_used(&daemon, "socks5");
    }
}
