//! The quickstart as a program, and the sandbox that it asks.

#[path = "../examples/quickstart/sandbox.rs"]
mod sandbox;
mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use support::c;
use support::credit::{KEY, SHOWN, credit, ran};
use support::server::{Server, Step, answer};

/// Sends one request on a connection and reads one answer: its status and its body.
fn exchange(stream: &mut TcpStream, request: &str) -> (u16, String) {
    stream.write_all(request.as_bytes()).unwrap();
    let mut unread = Vec::new();
    let head = support::server::read_head(stream, &mut unread).unwrap().expect("an answer");
    let head = String::from_utf8(head).unwrap();
    let length = head.split("\r\n").find_map(|line| line.strip_prefix("Content-Length: ")).expect("a length");
    let mut body = unread;
    let missing = length.parse::<usize>().unwrap() - body.len();
    let mut rest = vec![0; missing];
    stream.read_exact(&mut rest).unwrap();
    body.extend(rest);
    assert!(head.contains("\r\nContent-Type: application/json\r\n"), "{head}");
    (head[9..12].parse().unwrap(), String::from_utf8(body).unwrap())
}

#[test]
fn the_sandbox_answers_as_the_schema_says_on_one_connection() {
    let sandbox = sandbox::start(KEY);
    let mut stream = TcpStream::connect(sandbox.address()).unwrap();
    let said = |status, message: &str| format!("{{\"status\":{status},\"message\":\"{message}\"}}");
    let wrong = |place: &str, field: &str, kind: &str, message: &str| {
        format!(
            "[{{\"loc\":[\"{place}\",\"{field}\"],\"type\":\"{kind}\",\"msg\":\"{message}\",\"in\":\"{place}\"}}]"
        )
    };
    let right = format!("Authorization: Bearer {KEY}\r\n");
    let bool_message = "Input should be a valid boolean";
    let requests = [
        ("GET", "/wallet/self/api-credit", right.as_str(), 200, sandbox::document(false)),
        ("GET", "/wallet/self/api-credit?check_free_credit=true", &right, 200, sandbox::document(true)),
        ("GET", "/wallet/self/api-credit?check_free_credit=False&x=1", &right, 200, sandbox::document(false)),
        (
            "GET",
            "/wallet/self/api-credit?check_free_credit=maybe",
            &right,
            422,
            wrong("query", "check_free_credit", "bool_parsing", bool_message),
        ),
        (
            "GET",
            "/wallet/me/api-credit",
            &right,
            422,
            wrong("path", "user_id", "string_pattern_mismatch", "Input should be 'self' or a user id"),
        ),
        ("GET", "/wallet/self/api-credit", "", 401, said(401, "Invalid API key")),
        ("GET", "/wallet/self/api-credit", "authorization: Bearer x\r\n", 401, said(401, "Invalid API key")),
        ("POST", "/wallet/self/api-credit", &right, 405, said(405, "Method Not Allowed")),
        ("GET", "/", "", 404, said(404, "Not Found")),
        ("GET", "/wallet//api-credit", &right, 404, said(404, "Not Found")),
        ("GET", "/wallet/self/api-credit/", &right, 404, said(404, "Not Found")),
        ("GET", "/v1/wallet/self/api-credit", &right, 404, said(404, "Not Found")),
    ];
    for (method, target, fields, status, body) in &requests {
        let got = exchange(&mut stream, &format!("{method} {target} HTTP/1.1\r\nHost: h\r\n{fields}\r\n"));
        assert_eq!(got, (*status, body.clone()), "{method} {target}");
    }
    assert_eq!((sandbox.connections(), sandbox.requests().len()), (1, requests.len()));
}

#[test]
fn the_sandbox_closes_connections_when_http_says_so() {
    let sandbox = sandbox::start(KEY);
    for (request, status) in [
        ("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 404),
        ("GET / HTTP/1.0\r\n\r\n", 404),
        ("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", 404),
        ("nonsense\r\n\r\n", 400),
    ] {
        let mut stream = TcpStream::connect(sandbox.address()).unwrap();
        assert_eq!(exchange(&mut stream, request).0, status, "{request}");
        assert_eq!(stream.read(&mut [0]).unwrap(), 0, "{request}");
    }
}

/// The example that cargo built with this test; `cargo test` builds both.
fn quickstart() -> Command {
    let program = c::example("quickstart");
    let age = |path: &Path| std::fs::metadata(path).and_then(|data| data.modified());
    let built =
        age(&program).expect("the quickstart is built: run `cargo test`, or `cargo build --examples` first");
    for source in ["examples/quickstart/main.rs", "examples/quickstart/sandbox.rs", "tests/support/c.rs"] {
        let edited = age(&c::root().join(source)).unwrap();
        assert!(edited <= built, "the quickstart is older than {source}: run `cargo build --examples` first");
    }
    let mut command = c::command(program);
    command.current_dir(c::root());
    command
}

#[test]
fn the_quickstart_asks_the_sandbox_without_a_key() {
    for key in [None, Some("")] {
        let mut command = quickstart();
        if let Some(key) = key {
            command.env("FISH_API_KEY", key);
        }
        let ran = ran(&mut command);
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
        assert!(ran.stdout.contains("It calls the sandbox"), "{}", ran.stdout);
        assert!(!ran.stdout.contains("It calls the service"), "{}", ran.stdout);
        let shown = SHOWN.replace("not requested (--check-free-credit)", "yes");
        assert!(ran.stdout.contains(&format!("\n\n{shown}\n")), "{}", ran.stdout);
    }
}

#[test]
fn the_quickstart_passes_its_arguments_on_and_its_sandbox_can_spend() {
    let ran = ran(quickstart().env("FISH_SANDBOX_SPEND", "2.5").args(["--json", "--low", "20"]));
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(3), ""), "{ran:?}");
    assert!(ran.stdout.contains(&sandbox::document(false)), "{}", ran.stdout);
    let server = sandbox::spending(KEY, "1.000001").unwrap();
    for want in ["12.345678", "11.345677", "10.345676"] {
        let shown = credit(&server, &[]).stdout;
        assert!(shown.contains(&format!("exact text       {want}\n")), "{shown}");
    }
    for amount in ["-1", "1e3", "0.0000001", "99999999999999", "1.2.3"] {
        let wrong = self::ran(quickstart().env("FISH_SANDBOX_SPEND", amount));
        assert_eq!((wrong.status, wrong.stdout.lines().count()), (Some(1), 1), "{amount}: {wrong:?}");
        assert!(wrong.stderr.starts_with("quickstart: FISH_SANDBOX_SPEND is not an amount"), "{wrong:?}");
    }
}

#[test]
fn the_quickstart_asks_the_service_with_a_key() {
    // A proxy that lets nobody through sees where it would have gone.
    let proxy = Server::directed(|_, _| vec![Step::Send(answer(403, "", "")), Step::Close]);
    let ran = ran(quickstart().env("FISH_API_KEY", KEY).env("HTTPS_PROXY", proxy.url()));
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert!(ran.stdout.contains("It calls the service, https://api.fish.audio"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("sandbox"), "{}", ran.stdout);
    assert!(ran.stderr.starts_with("FISH_PROXY_FAILED: "), "{}", ran.stderr);
    let seen = proxy.requests();
    assert!(seen[0].starts_with(b"CONNECT api.fish.audio:443 HTTP/1.1\r\n"), "{seen:?}");
    assert!(!String::from_utf8_lossy(&seen.concat()).contains(KEY));
}

#[test]
fn without_a_c_compiler_the_quickstart_says_so_in_one_sentence() {
    for (name, compiler) in [("PATH", "/nonexistent"), ("CC", "no-such-compiler -m64")] {
        let ran = ran(quickstart().env_remove("CC").env(name, compiler));
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(1), ""), "{name}");
        assert!(ran.stderr.starts_with("quickstart: There is no C compiler \""), "{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    }
}
