//! `examples/c/credit.c` as its users meet it, asking the quickstart's sandbox and servers that misbehave; the
//! sandbox itself; and the quickstart as a program.

#[path = "../examples/quickstart/sandbox.rs"]
mod sandbox;
mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use support::c::{self, Link};
use support::server::{Server, Step, answer, send};

const KEY: &str = "sk-example-0123456789abcdef";

fn scratch() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// The program, compiled once, every warning an error.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        c::compile(&[&c::root().join("examples/c/credit.c")], Link::Shared, &["-Wconversion"], scratch())
    })
}

#[derive(Debug)]
struct Ran {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Runs it to its end, and checks what holds for every run: the key is nowhere in what it prints.
fn ran(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("it prints UTF-8");
    let ran = Ran { status: status.code(), stdout: text(stdout), stderr: text(stderr) };
    for printed in [&ran.stdout, &ran.stderr] {
        assert!(!printed.contains(KEY), "the key was printed: {ran:?}");
    }
    ran
}

fn credit_with_key(key: Option<&str>, arguments: &[&str]) -> Ran {
    let mut command = c::command(program());
    if let Some(key) = key {
        command.env("FISH_API_KEY", key);
    }
    ran(command.args(arguments))
}

fn credit(server: &Server, arguments: &[&str]) -> Ran {
    credit_with_key(Some(KEY), &[&["--base-url", server.url().as_str()], arguments].concat())
}

const SHOWN: &str = "\
API credit         12.34 US dollars
  exact text       12.345678
  which wallet     what programs spend through the API; not the platform credit of a plan
Paid in, ever      20.00
Free credit left   not asked (--check-free-credit)
Phone number known yes
Account            fedcba9876543210fedcba9876543210
Wallet             0123456789abcdef0123456789abcdef
Made               2025-01-02T03:04:05Z
Last changed       2026-08-01T12:34:56.789012Z
";

#[test]
fn a_credit_is_shown_as_a_person_reads_it() {
    let sandbox = sandbox::start(KEY);
    let with_free = SHOWN.replace("not asked (--check-free-credit)", "yes");
    for (arguments, want) in [
        (&[][..], SHOWN),
        (&["--check-free-credit"], &with_free),
        (&["--user", "self"], SHOWN),
        (&["--user", sandbox::USER], SHOWN),
        (&[&format!("--user={}", sandbox::USER), "--timeout=9000"], SHOWN),
        (&["--team", "00112233445566778899aabbccddeeff"], SHOWN),
    ] {
        let ran = credit(&sandbox, arguments);
        assert_eq!(
            (ran.status, ran.stdout.as_str(), ran.stderr.as_str()),
            (Some(0), want, ""),
            "{arguments:?}"
        );
    }
}

#[test]
fn what_is_asked_for_is_what_is_sent() {
    let server = Server::directed(|_, _| support::server::ok());
    for (arguments, want) in [
        (&[][..], "/wallet/self/api-credit"),
        (&["--user", "a/b"], "/wallet/a%2Fb/api-credit"),
        (&["--team=t=1"], "/wallet/self/api-credit?team_id=t%3D1"),
        (&["--check-free-credit", "--json"], "/wallet/self/api-credit?check_free_credit=true"),
        (&["--user", "u", "--user", "last"], "/wallet/last/api-credit"),
    ] {
        assert_eq!(credit(&server, arguments).status, Some(0), "{arguments:?}");
        let sent = String::from_utf8(server.requests().pop().unwrap()).unwrap();
        assert!(sent.starts_with(&format!("GET {want} HTTP/1.1\r\n")), "{arguments:?}: {sent}");
        assert!(sent.contains(&format!("authorization: Bearer {KEY}\r\n")), "{arguments:?}");
    }
}

#[test]
fn json_is_the_documents_exact_bytes() {
    let odd = "\r\n {\"_id\" : \"i\",\"user_id\":\"u\",\"credit\":0.10,\"created_at\":\"\",\"updated_at\":\"\u{e9}\",\"new\":[1, 2]}\n\n";
    let server = Server::directed(move |_, _| send(answer(200, "", odd)));
    let ran = credit(&server, &["--json"]);
    assert_eq!((ran.status, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), odd, ""));

    let sandbox = sandbox::start(KEY);
    for (arguments, want) in [
        (&["--json"][..], sandbox::document(false)),
        (&["--json", "--check-free-credit"], sandbox::document(true)),
    ] {
        let ran = credit(&sandbox, arguments);
        assert_eq!((ran.status, ran.stdout, ran.stderr.as_str()), (Some(0), want, ""), "{arguments:?}");
    }
}

#[test]
fn a_failed_call_says_why_and_exits_1() {
    let sandbox = sandbox::start(KEY);
    const NOWHERE: &str = "00000000000000000000000000000000";
    for (name, key, arguments, want) in [
        (
            "a wrong key",
            Some("sk-another"),
            &[][..],
            "FISH_UNAUTHORIZED: The server refused the API key (HTTP 401); check options.api_key or FISH_API_KEY.\n\
             \x20 the server said  Invalid API key\n",
        ),
        (
            "a wrong key, as JSON",
            Some("sk-another"),
            &["--json"],
            "FISH_UNAUTHORIZED: The server refused the API key (HTTP 401); check options.api_key or FISH_API_KEY.\n\
             \x20 the server said  Invalid API key\n",
        ),
        (
            "two wrong fields",
            Some(KEY),
            &["--user", "me", "--team", "ours"],
            "FISH_VALIDATION_FAILED: The request is invalid (HTTP 422); see field_errors and api_message.\n\
             \x20 path.user_id: Input should be 'self' or a user id\n\
             \x20 query.team_id: Input should be a team id\n",
        ),
        (
            "another's wallet",
            Some(KEY),
            &["--user", NOWHERE],
            "FISH_NOT_FOUND: The server knows no such wallet (HTTP 404); check user_id, team_id and base_url.\n\
             \x20 the server said  User not found\n",
        ),
        (
            "no key",
            None,
            &[],
            "FISH_MISSING_API_KEY: There is no API key; set options.api_key, or FISH_API_KEY in the environment \
             (keys are made at fish.audio).\n",
        ),
        (
            "a key with a line end",
            Some("sk-1\n"),
            &[],
            "FISH_INVALID_ARGUMENT: FISH_API_KEY has a space, a control or a non-ASCII character; pass the key \
             alone, without quotes or a line end.\n",
        ),
        (
            "no user",
            Some(KEY),
            &["--user="],
            "FISH_INVALID_ARGUMENT: query.user_id is empty; pass an id, or NULL for self.\n",
        ),
    ] {
        let base = sandbox.url();
        let ran = credit_with_key(key, &[&["--base-url", base.as_str()], arguments].concat());
        assert_eq!((ran.status, ran.stdout.as_str(), ran.stderr.as_str()), (Some(1), "", want), "{name}");
    }
}

#[test]
fn all_that_a_server_says_is_passed_on_without_its_control_characters() {
    let body = format!(
        "{{\"status\":503,\"message\":\"down\\u001b[2J\\u009b2J \u{e9} {KEY}\",\"reason\":\"deploying\"}}"
    );
    let fields = "Retry-After: 7\r\nx-fish-trace-id: t-1\r\n";
    let server = Server::directed(move |_, _| send(answer(503, fields, &body)));
    let ran = credit(&server, &["--timeout", "5000"]);
    assert_eq!(ran.status, Some(1));
    assert_eq!(
        ran.stderr,
        "FISH_SERVER_ERROR: The server failed (HTTP 503); try again later.\n\
         \x20 the server said  down\u{fffd}[2J\u{fffd}2J \u{e9} [API key]\n\
         \x20 its reason       deploying\n\
         \x20 ask again after  7.0 s\n\
         \x20 request id       t-1\n"
    );
}

#[test]
fn a_call_that_was_repeated_says_how_often() {
    let server = Server::directed(|_, _| send(answer(500, "Retry-After: 0\r\n", "")));
    let ran = credit(&server, &[]);
    assert_eq!(ran.status, Some(1));
    assert_eq!(
        ran.stderr,
        "FISH_SERVER_ERROR: The server failed (HTTP 500); try again later.\n\
         \x20 tried            3 times\n"
    );
}

#[test]
fn a_server_that_never_answers_times_out() {
    let server = Server::scripted(vec![vec![Step::Stall]]);
    let begun = Instant::now();
    let ran = credit(&server, &["--timeout", "300"]);
    assert!(begun.elapsed() >= Duration::from_millis(300));
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(1), ""));
    assert!(ran.stderr.starts_with("FISH_TIMED_OUT: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("(300 ms)"), "{}", ran.stderr);
}

#[test]
fn balances_of_every_kind_are_rounded_down_to_cents() {
    for (text, want) in [
        ("0", "0.00 US dollars"),
        ("0.000000", "0.00 US dollars"),
        ("0.009999", "0.00 US dollars"),
        ("20", "20.00 US dollars"),
        ("1234567.999999", "1234567.99 US dollars"),
        ("-0.000001", "-0.01 US dollars"),
        ("-0.01", "-0.01 US dollars"),
        ("-3.999", "-4.00 US dollars"),
        ("0.00999999999999999999", "0.00 US dollars"),
        ("9223372036854.775807", "9223372036854.77 US dollars"),
        ("-9223372036854.775808", "-9223372036854.78 US dollars"),
        ("9223372036854.775808", "see the exact text"),
        ("-99999999999999999999", "see the exact text"),
    ] {
        let body = format!(
            "{{\"_id\":\"i\",\"user_id\":\"u\",\"credit\":\"{text}\",\"created_at\":\"then\",\"updated_at\":\"now\"}}"
        );
        let server = Server::directed(move |_, _| send(answer(200, "", &body)));
        let ran = credit(&server, &["--check-free-credit"]);
        let want = format!(
            "API credit         {want}\n  exact text       {text}\n\
             \x20 which wallet     what programs spend through the API; not the platform credit of a plan\n\
             Paid in, ever      the server did not say\n\
             Free credit left   the server did not say\n\
             Phone number known the server did not say\n\
             Account            u\nWallet             i\nMade               then\nLast changed       now\n"
        );
        assert_eq!((ran.status, ran.stdout), (Some(0), want), "{text}: {}", ran.stderr);
    }
}

#[test]
fn wrong_usage_exits_2_sends_nothing_and_repeats_nothing() {
    let server = sandbox::start(KEY);
    let stray = "is no option; the key goes into FISH_API_KEY, see --help.\n";
    let no = |name: &str| format!("credit: there is no option {name}; see --help.\n");
    let timeout = "credit: --timeout takes whole milliseconds, from 1 to 4294967295.\n";
    for (arguments, want) in [
        (&[KEY][..], format!("credit: argument 3 {stray}")),
        (&["--api-key", KEY], no("--api-key")),
        (&[&format!("--api-key={KEY}")], no("--api-key=")),
        (&[&format!("--{KEY}")], format!("credit: argument 3 {stray}")),
        (&["--json", "--use", "x"], no("--use")),
        (&["--users=x"], no("--users=")),
        (&["--json=yes"], no("--json=")),
        (&[""], format!("credit: argument 3 {stray}")),
        (&["--user"], "credit: --user needs a value; see --help.\n".to_owned()),
        (&["--json", "--timeout"], "credit: --timeout needs a value; see --help.\n".to_owned()),
        (&["--timeout", "0"], timeout.to_owned()),
        (&["--timeout", ""], timeout.to_owned()),
        (&["--timeout", "-1"], timeout.to_owned()),
        (&["--timeout", "1s"], timeout.to_owned()),
        (&["--timeout", " 1"], timeout.to_owned()),
        (&["--timeout", "4294967296"], timeout.to_owned()),
        (&["--timeout", "99999999999999999999999"], timeout.to_owned()),
    ] {
        let ran = credit(&server, arguments);
        assert_eq!((ran.status, ran.stdout.as_str(), ran.stderr), (Some(2), "", want), "{arguments:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn help_names_every_option_and_needs_no_key() {
    for arguments in [&["--help"][..], &["-h"], &["--json", "--help", "--nonsense"]] {
        let ran = credit_with_key(None, arguments);
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        for word in [
            "--user ID",
            "--team ID",
            "--check-free-credit",
            "--json",
            "--base-url URL",
            "--timeout MS",
            "FISH_API_KEY",
            "not the platform credit",
            "Exit status: 0",
        ] {
            assert!(ran.stdout.contains(word), "{word} is not in:\n{}", ran.stdout);
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn what_cannot_be_written_is_a_failure() {
    let sandbox = sandbox::start(KEY);
    for arguments in [&["--help"][..], &[], &["--json"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = c::command(program());
        command.env("FISH_API_KEY", KEY).args(["--base-url", &sandbox.url()]).args(arguments).stdout(full);
        let ran = ran(&mut command);
        assert_eq!(ran.status, Some(1), "{arguments:?}");
        assert!(ran.stderr.starts_with("credit: standard output: "), "{ran:?}");
    }
}

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
fn the_sandbox_closes_where_a_client_expects_it_to() {
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
    let program = c::built().with_file_name("examples").join("quickstart");
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
        assert!(ran.stdout.contains("It asks the sandbox"), "{}", ran.stdout);
        assert!(!ran.stdout.contains("It asks the service"), "{}", ran.stdout);
        let shown = SHOWN.replace("not asked (--check-free-credit)", "yes");
        assert!(ran.stdout.contains(&format!("\n\n{shown}\n")), "{}", ran.stdout);
    }
}

#[test]
fn the_quickstart_asks_the_service_with_a_key() {
    // A proxy that lets nobody through sees where it would have gone.
    let proxy = Server::directed(|_, _| vec![Step::Send(answer(403, "", "")), Step::Close]);
    let ran = ran(quickstart().env("FISH_API_KEY", KEY).env("HTTPS_PROXY", proxy.url()));
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert!(ran.stdout.contains("It asks the service, https://api.fish.audio"), "{}", ran.stdout);
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
