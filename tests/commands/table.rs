//! The table: every option, every kind of answer, and how the command ends.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use crate::case::{Case, KEY, case};
use crate::support::command;
use crate::support::credit::SHOWN;
use crate::support::server::{DOCUMENT, Step, answer, document, ok, send};

pub fn all() -> Vec<Case> {
    let parts = [
        help(),
        options(),
        wrong_usage(),
        refused(),
        statuses(),
        transport(),
        amounts(),
        levels(),
        json(),
        prometheus(),
        watches(),
        signals(),
        unwritten(),
    ];
    let all: Vec<Case> = parts.into_iter().flatten().collect();
    let mut names: Vec<_> = all.iter().map(|case| &case.name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all.len(), "two cases have one name");
    all
}

const NO_KEY: &str = "FISH_MISSING_API_KEY: There is no API key; set FISH_API_KEY in the environment (create one at \
                      fish.audio).\n";
const FORBIDDEN: &str = "The API key may not read this wallet (HTTP 403); use the key of the wallet's owner, or leave \
                         --user and --team unset.";
const RATE_LIMITED: &str =
    "FISH_RATE_LIMITED: There were too many requests (HTTP 429); try again later, and less often.\n";
const UNAUTHORIZED: &str =
    "FISH_UNAUTHORIZED: The server rejected the API key (HTTP 401); check FISH_API_KEY.\n";
const SELF: &str = "/wallet/self/api-credit";

fn of_team() -> String {
    SHOWN.replace("the account's API credit, not a team's or", "the team's API credit, not the account's or")
}

fn shown_as(old: &str, new: &str) -> String {
    assert!(SHOWN.contains(old));
    SHOWN.replace(old, new)
}

fn help() -> Vec<Case> {
    let version = env!("CARGO_PKG_VERSION");
    let version = format!("fish-credit {version}, library {version}\n");
    let help = command::help();
    vec![
        case("--help").no_key().with(&["--help"]).prints(&help).asks(""),
        case("-h").with(&["-h"]).prints(&help).asks(""),
        case("--help before what is wrong").with(&["--json", "--help", "--nonsense"]).prints(&help).asks(""),
        case("--help after a value that is wrong").with(&["--timeout", "x", "--help"]).prints(&help).asks(""),
        case("--help before --version").with(&["--help", "--version"]).prints(&help).asks(""),
        case("--version").no_key().with(&["--version"]).prints(&version).asks(""),
        case("--version before --help").with(&["--version", "--help"]).prints(&version).asks(""),
        case("--help as a value").with(&["--user", "--help"]).prints(SHOWN).asks("/wallet/--help/api-credit"),
    ]
}

fn options() -> Vec<Case> {
    let shown = |name: &str| case(name).prints(SHOWN);
    vec![
        shown("no option").asks(SELF),
        shown("--user").with(&["--user", "a/b"]).asks("/wallet/a%2Fb/api-credit"),
        shown("--user, joined").with(&["--user=a=b"]).asks("/wallet/a%3Db/api-credit"),
        shown("--user of two bytes a letter").with(&["--user", "\u{e9}"]).asks("/wallet/%C3%A9/api-credit"),
        shown("--user twice").with(&["--user", "u", "--user", "last"]).asks("/wallet/last/api-credit"),
        case("--team").with(&["--team", "t"]).prints(of_team()).asks(&format!("{SELF}?team_id=t")),
        case("--team, joined").with(&["--team=t=1"]).prints(of_team()).asks(&format!("{SELF}?team_id=t%3D1")),
        // In some languages, an equals sign and an accent after it are one character.
        case("--team of an accent, joined")
            .with(&["--team=\u{301}"])
            .prints(of_team())
            .asks(&format!("{SELF}?team_id=%CC%81")),
        case("--check-free-credit, not known")
            .with(&["--check-free-credit"])
            .prints(shown_as("not requested (--check-free-credit)", "not sent by the server"))
            .asks(&format!("{SELF}?check_free_credit=true")),
        case("--check-free-credit, left")
            .with(&["--check-free-credit"])
            .answered(200, "", DOCUMENT.replace("\"has_free_credit\":null", "\"has_free_credit\":true"))
            .prints(shown_as("not requested (--check-free-credit)", "yes")),
        case("--check-free-credit, none left")
            .with(&["--check-free-credit"])
            .answered(200, "", DOCUMENT.replace("\"has_free_credit\":null", "\"has_free_credit\":false"))
            .prints(shown_as("not requested (--check-free-credit)", "no")),
        case("all flags twice")
            .with(&["--check-free-credit", "--json", "--json", "--check-free-credit"])
            .prints(format!("{DOCUMENT}\n"))
            .asks(&format!("{SELF}?check_free_credit=true")),
        shown("--timeout").with(&["--timeout", "9000"]),
        shown("--timeout, joined").with(&["--timeout=4294967295"]),
        shown("--timeout with zeros").with(&["--timeout", "00000000000000000000000060000"]),
        shown("FISH_BASE_URL means nothing").variable("FISH_BASE_URL", "ftp://nowhere"),
        case("little is known")
            .answered(200, "", r#"{"_id":"i","user_id":"u","credit":7,"created_at":"then","updated_at":""}"#)
            .prints(
                "API credit         7.00 US dollars\n  exact text       7\n\
                 \x20 which wallet     the account's API credit, not a team's or a plan's platform credit\n\
                 Total paid in      not sent by the server\n\
                 Free credit left   not requested (--check-free-credit)\n\
                 Phone number known not sent by the server\n\
                 Account            u\nWallet             i\nCreated            then\nLast changed       \n",
            ),
        case("control characters in a document")
            .answered(
                200,
                "",
                "{\"_id\":\"\\u001b[2J\",\
                 \"user_id\":\"\\u009b2J\\u007f\\u00e9\\u65e5\\ud83d\\udc1f\\u00ad\\u200e\\u2028\",\
                 \"credit\":1,\"created_at\":\"\\r\\n\\t\",\"updated_at\":\"\\u0080\\u00a0\\u00c2\"}",
            )
            .prints(
                "API credit         1.00 US dollars\n  exact text       1\n\
                 \x20 which wallet     the account's API credit, not a team's or a plan's platform credit\n\
                 Total paid in      not sent by the server\n\
                 Free credit left   not requested (--check-free-credit)\n\
                 Phone number known not sent by the server\n\
                 Account            ?2J?\u{e9}\u{65e5}\u{1f41f}\u{ad}\u{200e}\u{2028}\nWallet             ?[2J\n\
                 Created            ???\nLast changed       ?\u{a0}\u{c2}\n",
            ),
        case("in a locale without UTF-8")
            .variable("LC_ALL", "C")
            .variable("PYTHONUTF8", "0")
            .variable("PYTHONCOERCECLOCALE", "0")
            .with(&["--user", "\u{e9}"])
            .answered(200, "", DOCUMENT.replace("fedcba9876543210fedcba9876543210", "\u{e9}"))
            .prints(shown_as("fedcba9876543210fedcba9876543210", "\u{e9}"))
            .asks("/wallet/%C3%A9/api-credit"),
    ]
}

fn wrong_usage() -> Vec<Case> {
    const STRAY: &str = "argument 3 is not an option; set the key in FISH_API_KEY, see --help.";
    const TIMEOUT: &str = "--timeout takes whole milliseconds, from 1 to 4294967295.";
    const LOW: &str = "--low takes an amount above 0 with at most six decimals, such as 5 or 0.50.";
    const INTERVAL: &str = "--interval takes whole seconds, from 1 to 4294967.";
    const PROMETHEUS: &str = "--prometheus cannot be combined with --watch or --json; see --help.";
    let joined = format!("--api-key={KEY}");
    let dashed = format!("--{KEY}");
    let rows: &[(&[&str], &str)] = &[
        (&[KEY], STRAY),
        (&[&dashed], STRAY),
        (&["--api-key", KEY], "unknown option --api-key; see --help."),
        (&[&joined], "unknown option --api-key=; see --help."),
        (&["--json", KEY], "argument 4 is not an option; set the key in FISH_API_KEY, see --help."),
        (
            &["--user=u", "--json", ""],
            "argument 5 is not an option; set the key in FISH_API_KEY, see --help.",
        ),
        (&["-"], STRAY),
        (&["-v"], STRAY),
        (&["-hh"], STRAY),
        (&["-json"], STRAY),
        (&["--Json"], STRAY),
        (&["--json2"], STRAY),
        (&["--json "], STRAY),
        (&["--"], "unknown option --; see --help."),
        (&["--="], "unknown option --=; see --help."),
        (&["---json"], "unknown option ---json; see --help."),
        (&["--js"], "unknown option --js; see --help."),
        (&["--json", "--use", "x"], "unknown option --use; see --help."),
        (&["--users=x"], "unknown option --users=; see --help."),
        (&["--json=yes"], "unknown option --json=; see --help."),
        (&["--json="], "unknown option --json=; see --help."),
        (&["--help="], "unknown option --help=; see --help."),
        (&["-h=x"], STRAY),
        (&["--no-json"], "unknown option --no-json; see --help."),
        (&["--user"], "--user needs a value; see --help."),
        (&["--json", "--timeout"], "--timeout needs a value; see --help."),
        (&["--nonsense", "--help"], "unknown option --nonsense; see --help."),
        (&["--timeout", "0"], TIMEOUT),
        (&["--timeout", ""], TIMEOUT),
        (&["--timeout="], TIMEOUT),
        (&["--timeout", "-1"], TIMEOUT),
        (&["--timeout", "+1"], TIMEOUT),
        (&["--timeout", "1s"], TIMEOUT),
        (&["--timeout", " 1"], TIMEOUT),
        (&["--timeout", "1 "], TIMEOUT),
        (&["--timeout", "1.5"], TIMEOUT),
        (&["--timeout", "1_000"], TIMEOUT),
        (&["--timeout", "0x10"], TIMEOUT),
        (&["--timeout", "\u{661}"], TIMEOUT),
        (&["--timeout", "4294967296"], TIMEOUT),
        (&["--timeout", "99999999999999999999999"], TIMEOUT),
        (&["--low", "0"], LOW),
        (&["--low", "0.000000"], LOW),
        (&["--low", "-1"], LOW),
        (&["--low", "+1"], LOW),
        (&["--low", ""], LOW),
        (&["--low", "."], LOW),
        (&["--low", ".5"], LOW),
        (&["--low", "5."], LOW),
        (&["--low", "5.."], LOW),
        (&["--low", "1.2.3"], LOW),
        (&["--low", "1e3"], LOW),
        (&["--low", "1,5"], LOW),
        (&["--low", "1/2"], LOW),
        (&["--low", "NaN"], LOW),
        (&["--low", "inf"], LOW),
        (&["--low", "\u{665}"], LOW),
        (&["--low", "0.0000001"], LOW),
        (&["--low", "5.0000000"], LOW),
        (&["--low", "9223372036854"], LOW),
        (&["--low", "99999999999999999999"], LOW),
        (&["--watch", "--interval", "0"], INTERVAL),
        (&["--watch", "--interval", ""], INTERVAL),
        (&["--watch", "--interval", "1.5"], INTERVAL),
        (&["--watch", "--interval", "4294968"], INTERVAL),
        (&["--interval", "5"], "--interval needs --watch; see --help."),
        (&["--interval", "x"], "--interval needs --watch; see --help."),
        (&["--prometheus", "--watch"], PROMETHEUS),
        (&["--json", "--prometheus"], PROMETHEUS),
        // What is wrong first in this order is told.
        (&["--prometheus", "--json", "--low", "x", "--interval", "x", "--timeout", "x"], TIMEOUT),
        (
            &["--prometheus", "--json", "--low", "x", "--interval", "x"],
            "--interval needs --watch; see --help.",
        ),
        (&["--prometheus", "--json", "--low", "x"], LOW),
    ];
    let rows = rows.iter().map(|(arguments, why)| {
        case(format!("wrong usage {arguments:?}"))
            .with(arguments)
            .complains(format!("fish-credit: {why}\n"))
            .exits(2)
            .asks("")
    });
    let bytes = case("wrong usage in bytes that are no text")
        .with(&[OsString::from_vec(b"--\xff".to_vec())])
        .complains(format!("fish-credit: {STRAY}\n"))
        .exits(2)
        .asks("");
    rows.chain([bytes]).collect()
}

/// What the library refuses before it sends anything, in the words of the command line.
fn refused() -> Vec<Case> {
    let no_key = |name: &str| case(name).complains(NO_KEY).exits(1).asks("");
    let refuses = |name: &str, why: &str| {
        case(name).complains(format!("FISH_INVALID_ARGUMENT: {why}\n")).exits(1).asks("")
    };
    const CHARACTERS: &str = "FISH_API_KEY contains a space, a control or a non-ASCII character; set it to the key \
                              alone, without quotes or line breaks.";
    const USER: &str = "--user is empty; set it to an id, or leave it unset for self.";
    let none = exposed_failure();
    vec![
        no_key("no key").no_key(),
        no_key("an empty key").key(""),
        no_key("no key, watched").no_key().with(&["--watch", "--json"]),
        no_key("no key, exposed").no_key().with(&["--prometheus"]).prints(&none),
        refuses("a key with a line end", CHARACTERS).key("sk-1\n"),
        refuses("a key of two bytes a letter", CHARACTERS).key("sk-\u{e9}"),
        refuses("a key that is no text", "FISH_API_KEY in the environment is not valid UTF-8; set it to the key alone.")
            .key(OsString::from_vec(b"sk-\xff".to_vec())),
        refuses("a long key", "FISH_API_KEY is longer than 4096 bytes; set it to the key alone.")
            .key("k".repeat(4097)),
        refuses("an empty --user", USER).with(&["--user="]),
        refuses("an empty --user, as JSON", USER).with(&["--user=", "--json"]),
        refuses("an empty --user, watched", USER).with(&["--user=", "--watch"]),
        refuses("an empty --user, exposed", USER).with(&["--user=", "--prometheus"]).prints(&none),
        refuses(
            "a --user of dots",
            "--user is . or .., which is not an id; set it to an id, or leave it unset for self.",
        )
        .with(&["--user", ".."]),
        refuses("a long --user", "--user is longer than 1024 bytes; set it to the id alone.")
            .with(&["--user", &"u".repeat(1025)]),
        refuses("a --user that is no text", "--user is not valid UTF-8; encode it as UTF-8.")
            .with(&[OsString::from_vec(b"--user=\xff".to_vec())]),
        refuses("an empty --team", "--team is empty; set it to an id, or leave it unset for none.")
            .with(&["--team", ""]),
        refuses("an empty --team, exposed", "--team is empty; set it to an id, or leave it unset for none.")
            .with(&["--team=", "--prometheus"])
            .prints(success_and_level("team", "0", "0")),
        refuses("a --base-url without a scheme", "--base-url has no scheme; write it like https://api.fish.audio.")
            .with(&["--base-url", "localhost"]),
        refuses("an empty --base-url", "--base-url has no scheme; write it like https://api.fish.audio.")
            .with(&["--base-url="]),
        refuses("a --base-url of another scheme", "--base-url is neither https:// nor http://; use https://.")
            .with(&["--base-url", "ftp://localhost"]),
        refuses(
            "a --base-url over plain http",
            "--base-url is plain http to another machine, which would expose the key to the network; use https://.",
        )
        .with(&["--base-url", "http://example.com"]),
        refuses(
            "a --base-url with the key",
            "--base-url contains a user or password; remove it, and set the key in FISH_API_KEY.",
        )
        .with(&["--base-url", &format!("https://{KEY}@example.com")]),
        refuses(
            "a --base-url with a query",
            "--base-url has a query or a fragment; remove everything after the path.",
        )
        .with(&["--base-url", "https://example.com/?user_id"]),
        refuses(
            "a proxy variable",
            "HTTPS_PROXY is neither http:// nor socks5://; write it like http://host:3128.",
        )
        .not_redirected()
        .variable("HTTPS_PROXY", "ftp://proxy"),
    ]
}

fn statuses() -> Vec<Case> {
    // Told at once: the wait would pass the time limit.
    const LATER: &str = "Retry-After: 3600\r\n";
    const PAUSE: &str = "  ask again after  3600.0 s\n";
    const FAILED: &str = "FISH_SERVER_ERROR: The server failed (HTTP 503); try again later.\n";
    let invalid = r#"[{"loc":["query","check_free_credit"],"type":"bool_parsing","msg":"not a bool","in":"query",
        "ctx":{"error":"x"}},{"loc":["body",0,"name"],"type":"missing","msg":""},
        {"loc":[],"type":"t","msg":"m\u001b[2J"},{}]"#;
    let no_user = r#"{"_id":"i","credit":1,"created_at":"","updated_at":""}"#;
    let wrong = |name: &str, status: u16, fields: &str, body: &str, why: &str| {
        case(name).answered(status, fields, body).complains(why).exits(1).asks(SELF)
    };
    let no_credit = |name: &str, body: &str, why: &str| {
        let why = format!(
            "FISH_BAD_RESPONSE: The response is not an API credit: {why}; check that --base-url is Fish Audio's API.\n"
        );
        wrong(name, 200, "", body, &why)
    };
    let web_page = |name: &str, status: u16| {
        let why = format!(
            "The server sent a web page (HTTP {status}), perhaps a network's login page or a gateway's page; sign in \
             to the network, or check --base-url.\n"
        );
        (name.to_owned(), status, why)
    };
    let (page, status, why) = web_page("418 with a web page", 418);
    let teapot = wrong(&page, status, "", "<html>teapot</html>", &format!("FISH_UNEXPECTED_STATUS: {why}"));
    let (page, status, why) = web_page("200 with a web page", 200);
    let login = wrong(&page, status, "", "<html>sign in</html>", &format!("FISH_BAD_RESPONSE: {why}"));
    vec![
        wrong(
            "400",
            400,
            "",
            r#"{"detail":"no"}"#,
            "FISH_VALIDATION_FAILED: The request is invalid (HTTP 400); check the options.\n\
             \x20 the server said  no\n",
        ),
        wrong("401", 401, "", "", UNAUTHORIZED),
        wrong(
            "401 with a message",
            401,
            "",
            r#"{"message":"bad"}"#,
            &format!("{UNAUTHORIZED}  the server said  bad\n"),
        ),
        wrong("401, as JSON", 401, "", "", UNAUTHORIZED).with(&["--json"]),
        wrong("401, exposed", 401, "", "", UNAUTHORIZED).with(&["--prometheus"]).prints(exposed_failure()),
        wrong("401 with --low", 401, "", "", UNAUTHORIZED).with(&["--low", "5"]),
        wrong(
            "402",
            402,
            "x-fish-trace-id: t-1\r\n",
            r#"{"message":"top up","reason":"empty"}"#,
            "FISH_PAYMENT_REQUIRED: The server requires payment (HTTP 402); top up the account at fish.audio.\n\
             \x20 the server said  top up\n\
             \x20 its reason       empty\n\
             \x20 request id       t-1\n",
        ),
        wrong("403", 403, "", "no", &format!("FISH_FORBIDDEN: {FORBIDDEN}\n  the server said  no\n")),
        wrong(
            "403 with texts that are empty",
            403,
            "x-fish-trace-id: \r\n",
            r#"{"message":"","reason":""}"#,
            &format!("FISH_FORBIDDEN: {FORBIDDEN}\n"),
        ),
        wrong(
            "404",
            404,
            "",
            r#""nobody""#,
            "FISH_NOT_FOUND: There is no such wallet (HTTP 404); check --user, --team and --base-url.\n\
             \x20 the server said  nobody\n",
        ),
        wrong(
            "408",
            408,
            LATER,
            "",
            &format!(
                "FISH_UNEXPECTED_STATUS: The server timed out waiting for the request (HTTP 408); try again \
                 later.\n{PAUSE}"
            ),
        ),
        teapot,
        wrong(
            "422",
            422,
            "",
            invalid,
            "FISH_VALIDATION_FAILED: The request is invalid (HTTP 422); check the options.\n\
             \x20 query.check_free_credit: not a bool ({\"error\":\"x\"})\n\
             \x20 body.0.name: missing\n\
             \x20 (no field): m\u{fffd}[2J\n\
             \x20 (no field): \n",
        ),
        wrong(
            "422 with texts that are empty",
            422,
            "",
            r#"[{"loc":[""],"type":"","msg":"m","ctx":""}]"#,
            "FISH_VALIDATION_FAILED: The request is invalid (HTTP 422); check the options.\n\
             \x20 (no field): m\n",
        ),
        wrong(
            "429",
            429,
            "Retry-After: 3600\r\nx-fish-error-code: slow\r\n",
            r#"{"message":"slow down"}"#,
            &format!("{RATE_LIMITED}  the server said  slow down\n  its reason       slow\n{PAUSE}"),
        ),
        wrong(
            "429 with --timeout",
            429,
            "Retry-After: 7\r\n",
            "",
            &format!("{RATE_LIMITED}  ask again after  7.0 s\n"),
        )
        .with(&["--timeout", "6999"]),
        wrong(
            "500, three times",
            500,
            "Retry-After: 0\r\n",
            "",
            "FISH_SERVER_ERROR: The server failed (HTTP 500); try again later.\n\
             \x20 tried            3 times\n",
        ),
        wrong(
            "501",
            501,
            "",
            "",
            "FISH_SERVER_ERROR: The server cannot handle this request (HTTP 501); check --base-url, or contact Fish \
             Audio's support with the request id.\n",
        ),
        wrong("503", 503, LATER, "", &format!("{FAILED}{PAUSE}")),
        wrong(
            "503 with control characters",
            503,
            "Retry-After: 3600\r\nx-fish-trace-id: t\u{e9}\r\n",
            "{\"message\":\"down\\u001b[2J\\u009b2J \u{e9}\\u007f\",\"reason\":\"de\\nploy\\ting\"}",
            &format!(
                "{FAILED}  the server said  down\u{fffd}[2J\u{fffd}2J \u{e9}\u{fffd}\n  its reason       \
                 de?ploy?ing\n{PAUSE}  request id       t\u{e9}\n"
            ),
        ),
        wrong(
            "503 with the key",
            503,
            LATER,
            &format!(r#"{{"message":"{KEY}"}}"#),
            &format!("{FAILED}  the server said  [API key]\n{PAUSE}"),
        ),
        wrong(
            "a redirect",
            302,
            "Location: https://example.com/\r\n",
            "",
            "FISH_UNEXPECTED_STATUS: The server sent a redirect (HTTP 302); check --base-url, or sign in to the \
             network (redirects are not followed, to protect the key).\n",
        ),
        login,
        no_credit("200 without JSON", "credit", "it is not a JSON object"),
        no_credit("200 with a list", "[]", "it is not a JSON object"),
        no_credit("200 without \"user_id\"", no_user, "its field \"user_id\" is missing or null"),
        no_credit("200 without \"user_id\", as JSON", no_user, "its field \"user_id\" is missing or null")
            .with(&["--json"]),
        no_credit(
            "200 with NaN",
            &document("\"NaN\"").replace("\"\"", "\""),
            "its field \"credit\" is not a decimal amount",
        ),
    ]
}

fn transport() -> Vec<Case> {
    let wrong = |name: &str, why: &str| case(name).complains(why).exits(1);
    vec![
        wrong(
            "nobody listens",
            "FISH_CONNECT_FAILED: Could not connect to 127.0.0.1:1 (connection refused); check --base-url, the network \
             and any firewall.\n\
             \x20 tried            3 times\n",
        )
        .with(&["--base-url", "http://127.0.0.1:1"]),
        wrong(
            "a server that is silent",
            "FISH_TIMED_OUT: The call exceeded --timeout (300 ms) while waiting for the response; try again later, or \
             raise it.\n",
        )
        .with(&["--timeout", "300"])
        .hurried()
        .answers(|_| vec![Step::Stall]),
        wrong(
            "a server that is silent for longer",
            "FISH_TIMED_OUT: The call exceeded --timeout (2007 ms) while waiting for the response; try again later, or \
             raise it.\n",
        )
        .with(&["--timeout", "2007"])
        .answers(|_| vec![Step::Stall]),
        wrong(
            "a server that is silent in the middle",
            "FISH_TIMED_OUT: The call exceeded --timeout (300 ms) while receiving the response; try again later, or \
             raise it.\n",
        )
        .with(&["--timeout=300"])
        .hurried()
        .answers(|_| vec![Step::Send(answer(200, "", DOCUMENT)[..200].to_vec()), Step::Stall]),
        wrong(
            "a server that hangs up",
            "FISH_CONNECTION_LOST: The connection was lost before any response arrived (the server closed it); try \
             again later.\n\
             \x20 tried            3 times\n",
        )
        .answers(|_| vec![Step::Close]),
        wrong(
            "a server that speaks something else",
            "FISH_BAD_RESPONSE: The response could not be read: its head is not valid HTTP; check that --base-url is \
             Fish Audio's API.\n",
        )
        .answers(|_| vec![Step::Send(b"SSH-2.0-x\r\n\r\n".to_vec()), Step::Close]),
        wrong(
            "a server that sends too much",
            "FISH_RESPONSE_TOO_LARGE: The response is too large: it has a body above 1 MiB; check that --base-url is \
             Fish Audio's API.\n",
        )
            .answers(|_| send("HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n")),
        wrong(
            "a server that nobody trusts",
            "FISH_TLS_FAILED: The TLS connection failed: the server's certificate has no trusted issuer; the key was \
             not sent.\n",
        )
        .untrusted()
        .asks(""),
        wrong(
            "a server that does not speak TLS",
            "FISH_TIMED_OUT: The connection attempt exceeded the connect timeout (5000 ms) while performing the TLS \
             handshake; check the network.\n\
             \x20 tried            3 times\n",
        )
        .with(&["--timeout", "20000"])
        .in_vain()
        .answers(|_| vec![Step::Stall]),
        wrong(
            "a proxy that nobody runs",
            "FISH_PROXY_FAILED: The proxy connection failed: it could not be reached at 127.0.0.1:1 (connection \
             refused); check the proxy variables.\n\
             \x20 tried            3 times\n",
        )
        .not_redirected()
        .variable("HTTPS_PROXY", "http://127.0.0.1:1"),
        case("a server that is well again")
            .answers(|n| if n == 0 { send(answer(503, "Retry-After: 0\r\n", "")) } else { ok() })
            .prints(SHOWN),
    ]
}

fn amounts() -> Vec<Case> {
    let rows = [
        ("0", "0.00 US dollars"),
        ("0.000000", "0.00 US dollars"),
        ("0.009999", "0.00 US dollars"),
        ("20", "20.00 US dollars"),
        ("1234567.999999", "1234567.99 US dollars"),
        ("-0.000001", "-0.01 US dollars"),
        ("-0.01", "-0.01 US dollars"),
        ("-3.999", "-4.00 US dollars"),
        ("0.00999999999999999999", "0.00 US dollars"),
        ("1e2", "100.00 US dollars"),
        ("-1.5E-3", "-0.01 US dollars"),
        ("9223372036854.775807", "9223372036854.77 US dollars"),
        ("-9223372036854.775808", "-9223372036854.78 US dollars"),
        ("9223372036854.775808", "see the exact text"),
        ("-99999999999999999999", "see the exact text"),
    ];
    let rows = rows.map(|(text, want)| {
        case(format!("an amount of {text}"))
            .answered(200, "", document(text))
            .prints(shown_as("12.34 US dollars", want).replace("12.345678", text))
    });
    rows.into()
}

/// SHOWN with this balance, and with its level if there is one.
fn with_level(dollars: &str, text: &str, level: &str) -> String {
    let level = format!("platform credit\n  level            {level}\n");
    shown_as("12.34 US", &format!("{dollars} US"))
        .replace("12.345678", text)
        .replace("platform credit\n", &level)
}

fn levels() -> Vec<Case> {
    let rows = [
        ("5", "5", "5.00", 0, "ok"),
        ("4.999999", "5", "4.99", 3, "low"),
        ("4.9999999", "5.000000", "4.99", 3, "low"),
        ("0.000001", "0.000001", "0.00", 0, "ok"),
        ("0.0000001", "0.000001", "0.00", 4, "empty"),
        ("0", "0.01", "0.00", 4, "empty"),
        ("-0.000001", "9223372036853", "-0.01", 4, "empty"),
        ("9223372036852.99", "9223372036853", "9223372036852.99", 3, "low"),
        ("9223372036853.999999", "0009223372036853.999999", "9223372036853.99", 0, "ok"),
    ];
    let shown = rows.iter().map(|(text, low, dollars, status, level)| {
        case(format!("{text} is {level} with --low {low}"))
            .with(&["--low", low])
            .answered(200, "", document(text))
            .prints(with_level(dollars, text, level))
            .exits(*status)
    });
    let as_json = rows.iter().map(|(text, low, _, status, level)| {
        case(format!("{text} is {level} with --low {low} as JSON"))
            .with(&["--json", &format!("--low={low}")])
            .answered(200, "", document(text))
            .prints(document(text) + "\n")
            .exits(*status)
    });
    let unasked = case("empty, and nobody asks")
        .answered(200, "", document("-1"))
        .prints(shown_as("12.34 US", "-1.00 US").replace("12.345678", "-1"));
    shown.chain(as_json).chain([unasked]).collect()
}

fn json() -> Vec<Case> {
    const ODD: &str = "\r\n {\"_id\" : \"i\",\"user_id\":\"u\",\"credit\":0.10,\"created_at\":\"\\u001b\",\
                       \"updated_at\":\"\u{e9}\",\"new\":[1, 2]}";
    let ends = ["", "\n", "\r\n", "\n\r\n\n", " \t\n"];
    let rows = ends.map(|end| {
        case(format!("--json of a document that ends with {end:?}"))
            .with(&["--json"])
            .answered(200, "", format!("{ODD}{end}"))
            .prints(format!("{ODD}{}\n", end.trim_end_matches(['\r', '\n'])))
    });
    rows.into()
}

fn metric(name: &str, about: &str, wallet: &str, value: &str) -> String {
    format!(
        "# HELP fish_api_credit_{name} {about}\n# TYPE fish_api_credit_{name} gauge\n\
         fish_api_credit_{name}{{wallet=\"{wallet}\"}} {value}\n"
    )
}

fn success_and_level(wallet: &str, success: &str, level: &str) -> String {
    metric("success", "Whether the API credit could be read: 1 or 0.", wallet, success)
        + &metric("level", "0 unknown, 1 ok, 2 low, 3 empty.", wallet, level)
}

/// A failure has no balance: an old one, or 0, would be a lie.
fn exposed_failure() -> String {
    success_and_level("account", "0", "0")
}

fn prometheus() -> Vec<Case> {
    let all = |wallet: &str, level: &str, balance: &str| {
        let about = "The API credit that is left, in US dollars. Not a plan's platform credit.";
        success_and_level(wallet, "1", level)
            + &metric("balance", about, wallet, balance)
            + &metric("age_seconds", "How long ago the balance was read.", wallet, "0")
    };
    let exposed =
        |name: &str, text: &str| case(name).with(&["--prometheus"]).answered(200, "", document(text));
    let low = |name: &str, text: &str| exposed(name, text).with(&["--low", "5"]);
    vec![
        exposed("exposed", "12.345678").prints(all("account", "1", "12.345678")),
        exposed("exposed, a team's", "12.34").with(&["--team=t"]).prints(all("team", "1", "12.340000")),
        low("exposed, low", "4.5").prints(all("account", "2", "4.500000")).exits(3),
        low("exposed, empty", "-0.0000001").prints(all("account", "3", "-0.000001")).exits(4),
        exposed("exposed, empty, and nobody asks", "0").prints(all("account", "3", "0.000000")),
        exposed("exposed, more than can be counted", "99999999999999").prints(all(
            "account",
            "1",
            "9223372036854.775807",
        )),
    ]
}

fn watched(name: &str) -> Case {
    case(name).with(&["--watch", "--interval", "1"])
}

/// The lines of a watch, each behind its time.
fn lines(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("TIME  API credit of the account: {line}\n")).collect()
}

fn watches() -> Vec<Case> {
    let spent =
        |n: usize| send(answer(200, "", document(["12.345678", "7.345678", "2.345678", "-2.654322"][n])));
    let failing = |n: usize| match n {
        0 => ok(),
        _ => send(answer(403, "", "{\"message\":\"a \\\"quota\\\"\"}")),
    };
    let json = |credit: &str, level: &str, status: &str, failures: usize, message: &str| {
        format!(
            "{{\"time\":\"TIME\",\"wallet\":\"account\",\"credit\":{credit},\"level\":\"{level}\",\"age_ms\":N,\
             \"status\":\"{status}\",\"failures\":{failures},\"message\":{message}}}\n"
        )
    };
    let read = |credit: &str, level: &str| json(&format!("\"{credit}\""), level, "FISH_OK", 0, "null");
    let forbidden = format!("12.34 US dollars (12.345678), ok AGE s ago; FISH_FORBIDDEN: {FORBIDDEN}");
    let forbidden_json = json("\"12.345678\"", "ok", "FISH_FORBIDDEN", 1, &format!("\"{FORBIDDEN}\""));
    let unauthorized = format!("unknown; {}", UNAUTHORIZED.trim_end());
    let unauthorized_json = json(
        "null",
        "unknown",
        "FISH_UNAUTHORIZED",
        1,
        &format!("\"{}\"", UNAUTHORIZED.trim_end().strip_prefix("FISH_UNAUTHORIZED: ").unwrap()),
    );
    let in_vain = |name: &str, signal: libc::c_int, lines: usize| {
        watched(name).signal(signal, lines).complains("fish-credit: no balance was read.\n").exits(1)
    };
    vec![
        watched("a watch until Ctrl-C")
            .signal(libc::SIGINT, 1)
            .prints(lines(&["12.34 US dollars (12.345678), ok"; 2])),
        watched("a watch of a team until SIGTERM")
            .with(&["--team", "t", "--user", "u"])
            .signal(libc::SIGTERM, 1)
            .prints(lines(&["12.34 US dollars (12.345678), ok"; 2]).replace("account", "team")),
        watched("a watch that ends low")
            .with(&["--low", "5"])
            .answers(spent)
            .signal(libc::SIGINT, 3)
            .prints(lines(&[
                "12.34 US dollars (12.345678), ok",
                "7.34 US dollars (7.345678), ok",
                "2.34 US dollars (2.345678), low",
                "2.34 US dollars (2.345678), low",
            ]))
            .exits(3),
        watched("a watch that ends empty")
            .answers(spent)
            .signal(libc::SIGTERM, 4)
            .prints(lines(&[
                "12.34 US dollars (12.345678), ok",
                "7.34 US dollars (7.345678), ok",
                "2.34 US dollars (2.345678), ok",
                "-2.66 US dollars (-2.654322), empty",
                "-2.66 US dollars (-2.654322), empty",
            ]))
            .exits(4),
        // An amount that no double holds, and the largest.
        watched("a watch that ends low by a millionth")
            .with(&["--low", "9007199254.740993"])
            .answered(200, "", document("9007199254.740992"))
            .signal(libc::SIGINT, 1)
            .prints(lines(&["9007199254.74 US dollars (9007199254.740992), low"; 2]))
            .exits(3),
        watched("a watch with the largest --low")
            .with(&["--low", "9223372036853.999999"])
            .answered(200, "", document("9223372036854"))
            .signal(libc::SIGINT, 1)
            .prints(lines(&["9223372036854.00 US dollars (9223372036854), ok"; 2])),
        watched("a watch as JSON")
            .with(&["--json", "--low=5"])
            .answers(spent)
            .signal(libc::SIGINT, 4)
            .prints(
                read("12.345678", "ok")
                    + &read("7.345678", "ok")
                    + &read("2.345678", "low")
                    + &read("-2.654322", "empty").repeat(2),
            )
            .exits(4),
        watched("a watch of more than can be counted")
            .answered(200, "", document("9223372036854.775808"))
            .signal(libc::SIGINT, 1)
            .prints(lines(&["see the exact text (9223372036854.775808), ok"; 2])),
        watched("a watch whose second reading fails")
            .answers(failing)
            .signal(libc::SIGTERM, 2)
            .prints(lines(&["12.34 US dollars (12.345678), ok", &forbidden, &forbidden])),
        watched("a watch whose second reading fails, as JSON")
            .with(&["--json"])
            .answers(failing)
            .signal(libc::SIGTERM, 2)
            .prints(read("12.345678", "ok") + &forbidden_json.repeat(2)),
        in_vain("a watch that reads nothing", libc::SIGINT, 1)
            .answered(401, "", "")
            .prints(lines(&[&unauthorized, &unauthorized])),
        in_vain("a watch that reads nothing, as JSON", libc::SIGINT, 1)
            .with(&["--json"])
            .answered(401, "", "")
            .prints(unauthorized_json.repeat(2)),
        in_vain("a watch with quotes in a message, as JSON", libc::SIGINT, 1)
            .with(&["--json"])
            .answered(200, "", "{}")
            .prints(
                json(
                    "null",
                    "unknown",
                    "FISH_BAD_RESPONSE",
                    1,
                    "\"The response is not an API credit: its field \\\"_id\\\" is missing or null; check that \
                     --base-url is Fish Audio's API.\"",
                )
                .repeat(2),
            ),
        in_vain("a watch that is told to wait", libc::SIGTERM, 1)
            .answered(429, "Retry-After: 3600\r\n", "{}")
            .prints(lines(&[&*format!("unknown; {}", RATE_LIMITED.trim_end()); 2])),
        in_vain("a watch that ends before it has read anything", libc::SIGINT, 0)
            .answers(|_| vec![Step::Stall])
            .prints(lines(&["not read yet"])),
        in_vain("a watch that ends before it has read anything, as JSON", libc::SIGTERM, 0)
            .with(&["--json"])
            .answers(|_| vec![Step::Stall])
            .prints(json("null", "unknown", "FISH_PENDING", 0, "null")),
        watched("a watch whose reader leaves")
            .answers(spent)
            .left_after(1)
            .prints(lines(&["12.34 US dollars (12.345678), ok"]))
            .complains("fish-credit: standard output: Broken pipe\n")
            .exits(2),
    ]
}

/// A signal ends a call as it ends any program.
fn signals() -> Vec<Case> {
    let hung = |name: &str, signal: libc::c_int| {
        case(name).answers(|_| vec![Step::Stall]).signal(signal, 0).exits(-signal).asks(SELF)
    };
    vec![
        hung("Ctrl-C in a call", libc::SIGINT),
        hung("SIGTERM in a call", libc::SIGTERM),
        hung("Ctrl-C in a call for JSON", libc::SIGINT).with(&["--json"]),
    ]
}

fn unwritten() -> Vec<Case> {
    let kinds: &[&[&str]] = &[
        &["--help"],
        &["--version"],
        &[],
        &["--json"],
        &["--prometheus"],
        &["--watch"],
        &["--watch", "--json"],
        &["--low", "20"],
    ];
    let cases = kinds.iter().flat_map(|arguments| {
        let unwritten = |how: &str, why: &str| {
            case(format!("{how} {arguments:?}"))
                .with(arguments)
                .complains(format!("fish-credit: standard output: {why}\n"))
                .exits(2)
        };
        [
            unwritten("a full disk", "No space left on device").full_disk(),
            unwritten("a closed pipe", "Broken pipe").closed_pipe(),
            unwritten("a closed output", "Bad file descriptor").closed_output(),
        ]
    });
    let failed = |name: &str| case(name).answered(401, "", "");
    let others = [
        failed("a full disk does not hide why a call failed").full_disk().complains(UNAUTHORIZED).exits(1),
        failed("a failed call that cannot be exposed")
            .with(&["--prometheus"])
            .full_disk()
            .complains(format!("{UNAUTHORIZED}fish-credit: standard output: No space left on device\n"))
            .exits(2),
        failed("a failed call that cannot be explained").mute().exits(1),
        case("wrong usage that cannot be explained").with(&["--nonsense"]).mute().exits(2),
        case("a full disk that cannot be explained").full_disk().mute().exits(2),
        case("a watch with nothing to print to").with(&["--watch"]).closed_output().mute().exits(2),
        failed("a watch with nothing to print to, that fails")
            .with(&["--watch"])
            .closed_output()
            .mute()
            .exits(2),
    ];
    cases.chain(others).collect()
}
