//! `examples/c/fish-credit.c` with the quickstart's sandbox, and what it prints for other programs, read by the rules of
//! the format. `tests/commands.rs` has all the rest that it does.

#[path = "../examples/quickstart/sandbox.rs"]
mod sandbox;
mod support;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use support::child;
use support::credit::{KEY, SHOWN, command, credit, credit_with_key};
use support::server::{Server, answer, document, send};

#[test]
fn the_sandbox_is_asked_as_the_service_is() {
    let sandbox = sandbox::start(KEY);
    let with_free = SHOWN.replace("not requested (--check-free-credit)", "yes");
    let of_team = SHOWN
        .replace("the account's API credit, not a team's or", "the team's API credit, not the account's or");
    let invalid = "FISH_VALIDATION_FAILED: The request is invalid (HTTP 422); check the options.\n\
                   \x20 path.user_id: Input should be 'self' or a user id\n\
                   \x20 query.team_id: Input should be a team id\n";
    let missing = "FISH_NOT_FOUND: There is no such wallet (HTTP 404); check --user, --team and --base-url.\n\
                   \x20 the server said  User not found\n";
    for (arguments, status, stdout, stderr) in [
        (&[][..], 0, SHOWN, ""),
        (&["--check-free-credit"], 0, &with_free, ""),
        (&["--user", "self"], 0, SHOWN, ""),
        (&["--user", sandbox::USER], 0, SHOWN, ""),
        (&["--team", "00112233445566778899aabbccddeeff"], 0, &of_team, ""),
        (&["--json"], 0, &format!("{}\n", sandbox::document(false)), ""),
        (&["--user", "me", "--team", "ours"], 1, "", invalid),
        (&["--user", "00000000000000000000000000000000"], 1, "", missing),
    ] {
        let ran = credit(&sandbox, arguments);
        let got = (ran.status, ran.stdout.as_str(), ran.stderr.as_str());
        assert_eq!(got, (Some(status), stdout, stderr), "{arguments:?}");
    }
    let refused = credit_with_key(Some("sk-another"), &["--base-url", &sandbox.url()]);
    assert!(refused.stderr.ends_with("  the server said  Invalid API key\n"), "{refused:?}");
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
        (name.to_owned(), value.to_owned())
    });
    metrics.collect()
}

#[test]
fn prometheus_can_read_what_it_exposes() {
    let named = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| (format!("fish_api_credit_{name}"), (*value).to_owned())).collect()
    };
    for (text, level, balance) in [("12.345678", "1", "12.345678"), ("-0.0000001", "3", "-0.000001")] {
        let server = Server::directed(move |_, _| send(answer(200, "", document(text))));
        let ran = credit(&server, &["--prometheus"]);
        let want = [("success", "1"), ("level", level), ("balance", balance), ("age_seconds", "0")];
        assert_eq!(metrics(&ran.stdout), named(&want), "{text}");
    }
    let failed = credit_with_key(None, &["--prometheus"]);
    assert_eq!(metrics(&failed.stdout), named(&[("success", "0"), ("level", "0")]));
}

#[test]
fn the_lines_of_a_watch_are_json() {
    // The message has quotes in it.
    let server = Server::directed(|_, _| send(answer(200, "", "{}")));
    let mut command = command();
    command.env("FISH_API_KEY", KEY).args(["--base-url", &server.url(), "--watch", "--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    child::signal(&child, libc::SIGTERM);
    let last = lines.last().unwrap().unwrap();
    child.wait().unwrap();
    for line in [first, last] {
        let line: serde_json::Value =
            serde_json::from_str(&line).unwrap_or_else(|why| panic!("{line}: {why}"));
        let names: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["age_ms", "credit", "failures", "level", "message", "status", "time", "wallet"]);
        assert!(line["message"].as_str().unwrap().contains("its field \"_id\" is missing"), "{line}");
    }
}
