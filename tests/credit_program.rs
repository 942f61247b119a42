//! `examples/c/fish-credit.c` as its users meet it, asking the quickstart's sandbox and servers that misbehave.

#[path = "../examples/quickstart/sandbox.rs"]
mod sandbox;
mod support;

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use support::child;
use support::credit::{KEY, SHOWN, command, credit, credit_with_key, ran};
use support::server::{Server, Step, always, answer, document, send};

#[test]
fn a_credit_is_shown_as_a_table() {
    let sandbox = sandbox::start(KEY);
    let with_free = SHOWN.replace("not requested (--check-free-credit)", "yes");
    let own = "the account's API credit, not a team's or";
    let of_team = SHOWN.replace(own, "the team's API credit, not the account's or");
    assert_ne!(of_team, SHOWN);
    for (arguments, want) in [
        (&[][..], SHOWN),
        (&["--check-free-credit"], &with_free),
        (&["--user", "self"], SHOWN),
        (&["--user", sandbox::USER], SHOWN),
        (&[&format!("--user={}", sandbox::USER), "--timeout=9000"], SHOWN),
        (&["--team", "00112233445566778899aabbccddeeff"], &of_team),
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
fn each_option_is_sent_as_it_was_given() {
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
fn json_is_the_documents_exact_bytes_and_one_line_break() {
    let odd = "\r\n {\"_id\" : \"i\",\"user_id\":\"u\",\"credit\":0.10,\"created_at\":\"\",\"updated_at\":\"\u{e9}\",\"new\":[1, 2]}";
    for end in ["", "\n", "\r\n", "\n\r\n\n", " \t\n"] {
        let server = Server::directed(move |_, _| send(answer(200, "", format!("{odd}{end}"))));
        let ran = credit(&server, &["--json"]);
        let want = format!("{odd}{}\n", end.trim_end_matches(['\r', '\n']));
        assert_eq!((ran.status, ran.stdout, ran.stderr.as_str()), (Some(0), want, ""), "{end:?}");
    }

    let sandbox = sandbox::start(KEY);
    for (arguments, want) in [
        (&["--json"][..], sandbox::document(false)),
        (&["--json", "--check-free-credit"], sandbox::document(true)),
    ] {
        let ran = credit(&sandbox, arguments);
        assert_eq!(
            (ran.status, ran.stdout, ran.stderr.as_str()),
            (Some(0), want + "\n", ""),
            "{arguments:?}"
        );
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
            "FISH_UNAUTHORIZED: The server rejected the API key (HTTP 401); check FISH_API_KEY.\n\
             \x20 the server said  Invalid API key\n",
        ),
        (
            "a wrong key, as JSON",
            Some("sk-another"),
            &["--json"],
            "FISH_UNAUTHORIZED: The server rejected the API key (HTTP 401); check FISH_API_KEY.\n\
             \x20 the server said  Invalid API key\n",
        ),
        (
            "two wrong fields",
            Some(KEY),
            &["--user", "me", "--team", "ours"],
            "FISH_VALIDATION_FAILED: The request is invalid (HTTP 422); check the options.\n\
             \x20 path.user_id: Input should be 'self' or a user id\n\
             \x20 query.team_id: Input should be a team id\n",
        ),
        (
            "another's wallet",
            Some(KEY),
            &["--user", NOWHERE],
            "FISH_NOT_FOUND: There is no such wallet (HTTP 404); check --user, --team and --base-url.\n\
             \x20 the server said  User not found\n",
        ),
        (
            "no key",
            None,
            &[],
            "FISH_MISSING_API_KEY: There is no API key; set FISH_API_KEY in the environment \
             (create one at fish.audio).\n",
        ),
        (
            "a key with a line end",
            Some("sk-1\n"),
            &[],
            "FISH_INVALID_ARGUMENT: FISH_API_KEY contains a space, a control or a non-ASCII character; set it to the \
             key alone, without quotes or line breaks.\n",
        ),
        (
            "no user",
            Some(KEY),
            &["--user="],
            "FISH_INVALID_ARGUMENT: --user is empty; set it to an id, or leave it unset for self.\n",
        ),
    ] {
        let base = sandbox.url();
        let ran = credit_with_key(key, &[&["--base-url", base.as_str()], arguments].concat());
        assert_eq!((ran.status, ran.stdout.as_str(), ran.stderr.as_str()), (Some(1), "", want), "{name}");
    }
}

#[test]
fn a_servers_texts_are_printed_without_control_characters() {
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
fn the_number_of_attempts_is_printed() {
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
    let server = always(vec![Step::Stall]);
    let begun = Instant::now();
    let ran = credit(&server, &["--timeout", "300"]);
    assert!(begun.elapsed() >= Duration::from_millis(300));
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(1), ""));
    assert!(ran.stderr.starts_with("FISH_TIMED_OUT: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("--timeout (300 ms)"), "{}", ran.stderr);
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
             \x20 which wallet     the account's API credit, not a team's or a plan's platform credit\n\
             Total paid in      not sent by the server\n\
             Free credit left   not sent by the server\n\
             Phone number known not sent by the server\n\
             Account            u\nWallet             i\nCreated            then\nLast changed       now\n"
        );
        assert_eq!((ran.status, ran.stdout), (Some(0), want), "{text}: {}", ran.stderr);
    }
}

#[test]
fn wrong_usage_exits_2_and_sends_and_echoes_nothing() {
    let server = sandbox::start(KEY);
    let stray = "is not an option; set the key in FISH_API_KEY, see --help.\n";
    let no = |name: &str| format!("fish-credit: unknown option {name}; see --help.\n");
    let timeout = "fish-credit: --timeout takes whole milliseconds, from 1 to 4294967295.\n";
    let low = "fish-credit: --low takes an amount above 0 with at most six decimals, such as 5 or 0.50.\n";
    let interval = "fish-credit: --interval takes whole seconds, from 1 to 4294967.\n";
    let prometheus = "fish-credit: --prometheus cannot be combined with --watch or --json; see --help.\n";
    for (arguments, want) in [
        (&[KEY][..], format!("fish-credit: argument 3 {stray}")),
        (&["--api-key", KEY], no("--api-key")),
        (&[&format!("--api-key={KEY}")], no("--api-key=")),
        (&[&format!("--{KEY}")], format!("fish-credit: argument 3 {stray}")),
        (&["--json", "--use", "x"], no("--use")),
        (&["--users=x"], no("--users=")),
        (&["--json=yes"], no("--json=")),
        (&[""], format!("fish-credit: argument 3 {stray}")),
        (&["--user"], "fish-credit: --user needs a value; see --help.\n".to_owned()),
        (&["--json", "--timeout"], "fish-credit: --timeout needs a value; see --help.\n".to_owned()),
        (&["--timeout", "0"], timeout.to_owned()),
        (&["--timeout", ""], timeout.to_owned()),
        (&["--timeout", "-1"], timeout.to_owned()),
        (&["--timeout", "1s"], timeout.to_owned()),
        (&["--timeout", " 1"], timeout.to_owned()),
        (&["--timeout", "4294967296"], timeout.to_owned()),
        (&["--timeout", "99999999999999999999999"], timeout.to_owned()),
        (&["--low", "0"], low.to_owned()),
        (&["--low", "-1"], low.to_owned()),
        (&["--low", ""], low.to_owned()),
        (&["--low", "."], low.to_owned()),
        (&["--low", "5."], low.to_owned()),
        (&["--low", "1e3"], low.to_owned()),
        (&["--low", "NaN"], low.to_owned()),
        (&["--low", "0.0000001"], low.to_owned()),
        (&["--low", "9223372036854.775808"], low.to_owned()),
        (&["--watch", "--interval", "0"], interval.to_owned()),
        (&["--watch", "--interval", "1.5"], interval.to_owned()),
        (&["--watch", "--interval", "4294968"], interval.to_owned()),
        (&["--interval", "5"], "fish-credit: --interval needs --watch; see --help.\n".to_owned()),
        (&["--prometheus", "--watch"], prometheus.to_owned()),
        (&["--json", "--prometheus"], prometheus.to_owned()),
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
            "--low AMOUNT",
            "--watch ",
            "--interval SECONDS",
            "--prometheus",
            "--version",
            "--help",
            "FISH_API_KEY",
            "the platform credit of a plan, which the website spends",
            "Exit status:\n  0  ",
            "\n  1  ",
            "\n  2  ",
            "\n  3  with --low: ",
            "\n  4  with --low or --watch: ",
        ] {
            assert!(ran.stdout.contains(word), "{word} is not in:\n{}", ran.stdout);
        }
    }
}

#[test]
fn version_prints_program_and_library() {
    let ran = credit_with_key(None, &["--version"]);
    let version = env!("CARGO_PKG_VERSION");
    let want = format!("fish-credit {version}, library {version}\n");
    assert_eq!((ran.status, ran.stdout, ran.stderr.as_str()), (Some(0), want, ""));
}

/// A document with this balance.
fn with_credit(credit: &str) -> Vec<u8> {
    answer(200, "Content-Type: application/json\r\n", document(credit))
}

#[test]
fn the_exit_status_distinguishes_ok_low_and_empty() {
    for (text, low, status, level) in [
        ("5", "5", 0, "ok"),
        ("4.999999", "5", 3, "low"),
        ("4.9999999", "5.000000", 3, "low"),
        ("0.000001", "0.000001", 0, "ok"),
        ("0.0000001", "0.000001", 4, "empty"),
        ("0", "0.01", 4, "empty"),
        ("-0.000001", "9223372036853", 4, "empty"),
        ("9223372036852.99", "9223372036853", 3, "low"),
    ] {
        let server = Server::directed(move |_, _| send(with_credit(text)));
        let shown = credit(&server, &["--low", low]);
        assert_eq!((shown.status, shown.stderr.as_str()), (Some(status), ""), "{text}");
        assert!(
            shown.stdout.contains(&format!("\n  level            {level}\n")),
            "{text}: {}",
            shown.stdout
        );
        let json = credit(&server, &["--json", "--low", low]);
        assert_eq!((json.status, json.stderr.as_str()), (Some(status), ""), "{text}");
        assert!(json.stdout.starts_with("{\"_id\":"), "{}", json.stdout);
        // Who does not ask is told as before.
        let plain = credit(&server, &[]);
        assert_eq!(plain.status, Some(0), "{text}");
        assert!(!plain.stdout.contains("level"), "{text}: {}", plain.stdout);
    }
}

/// Prometheus' text format, taken apart by its rules: HELP and TYPE before each metric, and nothing else.
fn metrics(text: &str) -> Vec<(String, String)> {
    assert!(text.ends_with('\n') && !text.contains('\r'), "{text:?}");
    let lines: Vec<&str> = text.lines().collect();
    let metrics = lines.chunks(3).map(|lines| {
        let [help, kind, sample] = lines else { panic!("{text}") };
        let (name, labelled) = sample.split_once('{').unwrap();
        let (labels, value) = labelled.split_once("} ").unwrap();
        assert!(name.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase()), "{name}");
        let said = help.strip_prefix(&format!("# HELP {name} ")).unwrap_or_else(|| panic!("{text}"));
        assert!(!said.is_empty() && !said.contains('\\'), "{said}");
        assert_eq!(*kind, format!("# TYPE {name} gauge"));
        assert!(["wallet=\"account\"", "wallet=\"team\""].contains(&labels), "{labels}");
        value.parse::<f64>().unwrap();
        (format!("{name} {labels}"), value.to_owned())
    });
    metrics.collect()
}

#[test]
fn prometheus_output_has_balance_level_age_and_success() {
    let account = "fish_api_credit_? wallet=\"account\"";
    let named = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| (account.replace('?', name), (*value).to_owned())).collect()
    };
    for (text, arguments, status, level, balance) in [
        ("12.345678", &[][..], 0, "1", "12.345678"),
        ("4.5", &["--low", "5"], 3, "2", "4.500000"),
        ("-0.0000001", &["--low", "5"], 4, "3", "-0.000001"),
    ] {
        let server = Server::directed(move |_, _| send(with_credit(text)));
        let ran = credit(&server, &[&["--prometheus"], arguments].concat());
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(status), ""), "{text}");
        let want = [("success", "1"), ("level", level), ("balance", balance), ("age_seconds", "0")];
        assert_eq!(metrics(&ran.stdout), named(&want), "{text}");
    }

    // A failure has no balance: an old one, or 0, would be a lie.
    let sandbox = sandbox::start(KEY);
    for (key, said) in [(Some("sk-another"), "FISH_UNAUTHORIZED: "), (None, "FISH_MISSING_API_KEY: ")] {
        let ran = credit_with_key(key, &["--base-url", &sandbox.url(), "--prometheus"]);
        assert_eq!(ran.status, Some(1));
        assert!(ran.stderr.starts_with(said), "{}", ran.stderr);
        assert_eq!(metrics(&ran.stdout), named(&[("success", "0"), ("level", "0")]));
    }
    let team = credit(&sandbox, &["--prometheus", "--team", "00112233445566778899aabbccddeeff"]);
    assert!(team.stdout.contains("fish_api_credit_balance{wallet=\"team\"} 12.345678\n"), "{}", team.stdout);
}

/// Watches until a line is what is waited for, and then sends it the signal: its lines and how it ended.
fn watched(
    url: &str,
    arguments: &[&str],
    signal: libc::c_int,
    awaited: impl Fn(&str) -> bool,
) -> (Vec<String>, Option<i32>, String) {
    let mut command = command();
    command.env("FISH_API_KEY", KEY).args(["--base-url", url, "--watch", "--interval", "1"]).args(arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut lines, mut sent) = (Vec::new(), false);
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        // A second one would end it at once.
        if !sent && awaited(&line) {
            sent = true;
            child::signal(&child, signal);
        }
        lines.push(line);
    }
    let ended = child.wait_with_output().unwrap();
    let complaints = String::from_utf8(ended.stderr).unwrap();
    for printed in lines.iter().chain([&complaints]) {
        assert!(!printed.contains(KEY), "the key was printed: {printed}");
    }
    (lines, ended.status.code(), complaints)
}

/// A line without its time, which is checked.
fn undated(line: &str) -> &str {
    let (time, rest) = line.split_at(20);
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00Z", "{line}");
    rest.strip_prefix("  API credit of the account: ").unwrap_or_else(|| panic!("{line}"))
}

#[test]
fn a_watch_prints_each_change_and_the_last_balance_at_its_end() {
    for (signal, arguments, awaited, want, status) in [
        (
            libc::SIGINT,
            &["--low", "5"][..],
            "low",
            &[
                "12.34 US dollars (12.345678), ok",
                "7.34 US dollars (7.345678), ok",
                "2.34 US dollars (2.345678), low",
            ][..],
            3,
        ),
        (
            libc::SIGTERM,
            &[],
            "empty",
            &[
                "12.34 US dollars (12.345678), ok",
                "7.34 US dollars (7.345678), ok",
                "2.34 US dollars (2.345678), ok",
                "-2.66 US dollars (-2.654322), empty",
            ],
            4,
        ),
        (libc::SIGTERM, &[], "ok", &["12.34 US dollars (12.345678), ok"], 0),
    ] {
        // A balance is answered when the line of the one before has come: none is passed over, and none follows.
        let (seen, sees) = channel();
        let sees = Mutex::new(sees);
        let server = Server::directed(move |n, _| {
            if n > 0 && sees.lock().unwrap().recv().is_err() {
                return vec![Step::Close];
            }
            send(with_credit(["12.345678", "7.345678", "2.345678", "-2.654322"][n]))
        });
        let (lines, ended, complaints) = watched(&server.url(), arguments, signal, |line| {
            let last = line.ends_with(awaited);
            if !last {
                seen.send(()).unwrap();
            }
            last
        });
        drop(seen);
        let lines: Vec<&str> = lines.iter().map(|line| undated(line)).collect();
        assert_eq!(lines, [want, &want[want.len() - 1..]].concat());
        assert_eq!((ended, complaints.as_str()), (Some(status), ""), "{lines:?}");
    }
}

#[test]
fn a_watch_keeps_the_balance_when_a_reading_fails_and_says_why() {
    let once = || {
        Server::directed(|n, _| {
            send(if n == 0 {
                with_credit("12.345678")
            } else {
                answer(403, "", "{\"message\":\"a \\\"quota\\\"\"}")
            })
        })
    };
    let server = once();
    let (lines, ended, complaints) =
        watched(&server.url(), &[], libc::SIGTERM, |line| line.contains("FISH_FORBIDDEN"));
    assert_eq!(undated(&lines[0]), "12.34 US dollars (12.345678), ok");
    assert!(undated(&lines[1]).starts_with("12.34 US dollars (12.345678), ok "), "{lines:?}");
    assert!(lines[1].contains(" s ago; FISH_FORBIDDEN: "), "{lines:?}");
    assert_eq!((ended, complaints.as_str(), lines.len()), (Some(0), "", 3));

    let server = once();
    let (lines, ended, _) =
        watched(&server.url(), &["--json"], libc::SIGTERM, |line| line.contains("FISH_FORBIDDEN"));
    let lines: Vec<serde_json::Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{line}: {why}")))
        .collect();
    for line in &lines {
        let names: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["age_ms", "credit", "failures", "level", "message", "status", "time", "wallet"]);
        assert_eq!(
            (&line["credit"], &line["level"], &line["wallet"]),
            (&"12.345678".into(), &"ok".into(), &"account".into())
        );
    }
    assert_eq!((&lines[0]["status"], &lines[0]["message"]), (&"FISH_OK".into(), &serde_json::Value::Null));
    assert_eq!((&lines[1]["status"], &lines[1]["failures"]), (&"FISH_FORBIDDEN".into(), &1.into()));
    assert!(lines[1]["age_ms"].as_u64().unwrap() > 0 && lines[1]["message"].is_string(), "{lines:?}");
    assert_eq!((ended, lines.len()), (Some(0), 3));
}

#[test]
fn a_watch_that_never_read_a_balance_exits_1() {
    let sandbox = sandbox::start("sk-another");
    let want = "unknown; FISH_UNAUTHORIZED: The server rejected the API key (HTTP 401); check FISH_API_KEY.";
    let (lines, ended, complaints) = watched(&sandbox.url(), &[], libc::SIGINT, |line| line.ends_with(want));
    assert_eq!(lines.iter().map(|line| undated(line)).collect::<Vec<_>>(), [want, want]);
    assert_eq!((ended, complaints.as_str()), (Some(1), "fish-credit: no balance was read.\n"));

    // The message is the library's, in the words of the command line, and JSON.
    let (lines, ..) = watched(&sandbox.url(), &["--json"], libc::SIGINT, |_| true);
    let line: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(line["message"], want.split_once(": ").unwrap().1);
    assert!(line["credit"].is_null() && line["level"] == "unknown", "{line}");

    let ran = credit(&sandbox, &["--watch", "--user="]);
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(1), ""));
    assert!(ran.stderr.starts_with("FISH_INVALID_ARGUMENT: --user is empty"), "{}", ran.stderr);
}

#[test]
#[cfg(target_os = "linux")]
fn a_write_error_is_one_line_and_exits_2() {
    let sandbox = sandbox::start(KEY);
    for arguments in [&["--help"][..], &[], &["--json"], &["--prometheus"], &["--watch"]] {
        let full = || std::fs::File::options().write(true).open("/dev/full").unwrap().into();
        let pipe = || std::process::Stdio::from(std::io::pipe().unwrap().1);
        for output in [&full as &dyn Fn() -> std::process::Stdio, &pipe] {
            let mut command = command();
            command.env("FISH_API_KEY", KEY).args(["--base-url", &sandbox.url()]).args(arguments);
            let ran = ran(command.stdout(output()));
            assert_eq!(ran.status, Some(2), "{arguments:?}");
            assert!(ran.stderr.starts_with("fish-credit: standard output: "), "{ran:?}");
            assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
        }
    }
}
