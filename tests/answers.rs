//! How the library reads answers: documents, every status, every shape of error body, and the header fields. All
//! through the C interface and a real socket.

mod support;

use std::time::{Duration, SystemTime};

use ::fish_api_credit::ffi::*;
use support::client::{Client, Credit, Failure, FieldError, Query, decode, name};
use support::server::{DOCUMENT, Server, Step, always, answer, ok, send};

const TIME_UNKNOWN: i64 = i64::MIN;

/// What a field of a document must be.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Money,
    Flag,
}

/// The fields of a document, to be changed one at a time: each one's JSON, what it must be, and what a credit has in its
/// place if it may be absent.
type Row = (&'static str, &'static str, Kind, Option<fn(&mut Credit)>);
const FIELDS: &[Row] = &[
    ("_id", r#""0123456789abcdef0123456789abcdef""#, Kind::Text, None),
    ("user_id", r#""fedcba9876543210fedcba9876543210""#, Kind::Text, None),
    ("credit", r#""12.345678""#, Kind::Money, None),
    (
        "cumulative_top_up",
        r#""20.00""#,
        Kind::Money,
        Some(|c| (c.cumulative_top_up, c.cumulative_top_up_micros) = (None, 0)),
    ),
    ("created_at", r#""2025-01-02T03:04:05Z""#, Kind::Text, None),
    ("updated_at", r#""2026-08-01T12:34:56.789012Z""#, Kind::Text, None),
    ("has_phone_sha256", "true", Kind::Flag, Some(|c| c.has_phone_sha256 = -1)),
    ("has_free_credit", "null", Kind::Flag, Some(|c| c.has_free_credit = -1)),
];

fn fields() -> impl DoubleEndedIterator<Item = (&'static str, &'static str)> {
    FIELDS.iter().map(|(name, raw, ..)| (*name, *raw))
}

fn base() -> Credit {
    Credit {
        id: "0123456789abcdef0123456789abcdef".into(),
        user_id: "fedcba9876543210fedcba9876543210".into(),
        credit: "12.345678".into(),
        cumulative_top_up: Some("20.00".into()),
        created_at: "2025-01-02T03:04:05Z".into(),
        updated_at: "2026-08-01T12:34:56.789012Z".into(),
        request_id: None,
        credit_micros: 12_345_678,
        cumulative_top_up_micros: 20_000_000,
        created_at_unix_us: 1_735_787_045_000_000,
        updated_at_unix_us: 1_785_587_696_789_012,
        credit_micros_exact: true,
        has_phone_sha256: 1,
        has_free_credit: -1,
    }
}

fn object<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let fields: Vec<String> = fields.into_iter().map(|(name, raw)| format!("\"{name}\":{raw}")).collect();
    format!("{{{}}}", fields.join(","))
}

fn with(field: &str, raw: &str) -> String {
    object(fields().map(|(name, old)| (name, if name == field { raw } else { old })))
}

fn without(field: &str) -> String {
    object(fields().filter(|(name, _)| *name != field))
}

struct Case {
    name: String,
    body: Vec<u8>,
    want: Result<Credit, String>,
}

fn good(name: impl Into<String>, body: impl Into<Vec<u8>>, change: impl FnOnce(&mut Credit)) -> Case {
    let mut credit = base();
    change(&mut credit);
    Case { name: name.into(), body: body.into(), want: Ok(credit) }
}

/// `why` is a part of the message.
fn bad(name: impl Into<String>, body: impl Into<Vec<u8>>, why: &str) -> Case {
    Case { name: name.into(), body: body.into(), want: Err(why.into()) }
}

/// Every 200 that can be told by its body, with what it must become.
fn documents() -> Vec<Case> {
    assert!(object(fields()).starts_with(DOCUMENT.trim_end_matches('}')));
    let mut cases = vec![
        good("as documented", object(fields()), |_| {}),
        good(
            "no fields that may be absent",
            object(FIELDS.iter().filter(|row| row.3.is_none()).map(|(name, raw, ..)| (*name, *raw))),
            |c| FIELDS.iter().filter_map(|row| row.3).for_each(|absent| absent(c)),
        ),
        good("in another order", object(fields().rev()), |_| {}),
        good(
            "white space everywhere",
            object(fields()).replace("\":", "\"\r :\t").replace(",\"", " ,\n \"").replace('}', "\n}"),
            |_| {},
        ),
        good(
            "unknown fields",
            format!(r#"{{"new":{{"_id":7,"a":[1,{{}},"\ud83d\ude00"]}},{}"#, &object(fields())[1..]),
            |_| {},
        ),
        good(
            "a field's name in other letters is another field",
            format!(r#"{{"Credit":1,{}"#, &object(fields())[1..]),
            |_| {},
        ),
        good(
            "a field's name written with escapes",
            object(fields()).replace("\"credit\"", r#""\u0063redit""#),
            |_| {},
        ),
        good("a newline at the end", format!("{}\r\n", object(fields())), |_| {}),
        good("a space before", format!(" \n{}", object(fields())), |_| {}),
        good("text beyond ASCII", with("user_id", "\"é 😀\""), |c| c.user_id = "é 😀".into()),
        good("escapes in text", with("_id", r#""a\"\\\/\n\u00e9\ud83d\ude00""#), |c| {
            c.id = "a\"\\/\né😀".into()
        }),
        good("an empty id", with("_id", r#""""#), |c| c.id = String::new()),
        good(
            "deep nesting in a field of no interest",
            format!(r#"{{"x":{}{},{}"#, "[".repeat(100_000), "]".repeat(100_000), &object(fields())[1..]),
            |_| {},
        ),
        bad("nothing", "", "not a JSON object"),
        bad("white space only", " \r\n", "not a JSON object"),
        bad("an empty object", "{}", "\"_id\" is missing or null"),
        bad("null", "null", "not a JSON object"),
        bad("a number", "12.5", "not a JSON object"),
        bad("a string", "\"12.5\"", "not a JSON object"),
        bad(
            "an array of the values in order",
            format!("[{}]", fields().map(|(_, raw)| raw).collect::<Vec<_>>().join(",")),
            "not a JSON object",
        ),
        bad("an array of the object", format!("[{}]", object(fields())), "not a JSON object"),
        bad("wrapped in data", format!(r#"{{"data":{}}}"#, object(fields())), "\"_id\" is missing"),
        bad("an error's body", r#"{"status":401,"message":"no"}"#, "\"_id\" is missing"),
        bad("a byte order mark", format!("\u{feff}{}", object(fields())), "not a JSON object"),
        bad(
            "UTF-16",
            object(fields()).encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(),
            "not a",
        ),
        bad("garbage behind", format!("{}x", object(fields())), "trailing characters"),
        bad("a second object behind", format!("{0}{0}", object(fields())), "trailing characters"),
        bad("a NUL behind", format!("{}\0", object(fields())), "trailing characters"),
        bad("a comma at the end", object(fields()).replace('}', ",}"), "trailing comma"),
        bad("a comment", object(fields()).replace('{', "{/* */"), "not an API credit"),
        bad("single quotes", object(fields()).replace('"', "'"), "not an API credit"),
        bad("cut short", &object(fields())[..100], "EOF"),
        bad("a NUL in a string", with("_id", "\"a\0b\""), "control character"),
        bad("an escaped NUL in a string", with("_id", r#""a\u0000b""#), "\"_id\" contains a NUL character"),
        bad("an escaped NUL in money", with("credit", r#""1\u0000""#), "\"credit\" contains a NUL character"),
        bad(
            "an escaped NUL in a time",
            with("created_at", r#""2025-01-02T03:04:05Z\u0000""#),
            "\"created_at\" contains a NUL",
        ),
        bad("a newline in a string", with("_id", "\"a\nb\""), "control character"),
        bad("half a surrogate pair", with("user_id", r#""\ud800""#), "\"user_id\" is not a valid string"),
        bad("an unknown escape", with("user_id", r#""\x41""#), "invalid escape"),
        bad(
            "invalid UTF-8",
            {
                let mut body = object(fields()).into_bytes();
                let at = body.iter().position(|&b| b == b'0').unwrap();
                body[at] = 0xff;
                body
            },
            "not valid UTF-8",
        ),
        bad("deep nesting without an end", format!(r#"{{"x":{}"#, "[".repeat(500_000)), "EOF"),
        bad(
            "gzip nobody asked for and nobody named",
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\xae\x05\0\x43\xbf\xa6\xa3\x02\0\0\0".to_vec(),
            "not a",
        ),
    ];

    for &(field, old, must_be, absent) in FIELDS {
        for (how, body) in [("absent", without(field)), ("null", with(field, "null"))] {
            let name = format!("{field} {how}");
            cases.push(match absent {
                None => bad(name, body, &format!("\"{field}\" is missing or null")),
                Some(absent) => good(name, body, absent),
            });
        }
        let twice = format!("{{\"{field}\":{},{}", with(field, "1"), &object(fields())[1..]);
        cases.push(bad(format!("{field} twice"), twice, "not an API credit"));
        let same = format!("{{\"{field}\":{old},{}", &object(fields())[1..]);
        cases.push(bad(format!("{field} twice alike"), same, &format!("duplicate field `{field}`")));
        for (kind, raw) in [
            ("an object", "{}"),
            ("an array", "[]"),
            ("an array of one", "[\"1\"]"),
            ("a flag", "false"),
            ("a number", "1"),
            ("a string", "\"true\""),
            ("an empty string", "\"\""),
        ] {
            let right = match kind {
                "a flag" => must_be == Kind::Flag,
                "a number" => must_be == Kind::Money,
                "a string" | "an empty string" => must_be == Kind::Text,
                _ => false,
            };
            if !right {
                let why = match must_be {
                    Kind::Money if kind.ends_with("string") => "is not a decimal amount",
                    Kind::Money => "is neither a string nor a number",
                    Kind::Text => "is not a string",
                    Kind::Flag => "is neither true nor false",
                };
                let why = format!("\"{field}\" {why}");
                cases.push(bad(format!("{field} as {kind}"), with(field, raw), &why));
            }
        }
    }

    for (raw, text, micros, exact) in [
        (r#""0""#, "0", 0, true),
        (r#""0.000000""#, "0.000000", 0, true),
        (r#""-0""#, "-0", 0, true),
        (r#""0E-6""#, "0E-6", 0, true),
        (r#""-0.01""#, "-0.01", -10_000, true),
        (r#""-0.0000001""#, "-0.0000001", -1, false),
        (r#""0.12345678901234567890""#, "0.12345678901234567890", 123_456, false),
        (r#""1.00000000000000000000""#, "1.00000000000000000000", 1_000_000, true),
        (r#""9223372036854.775807""#, "9223372036854.775807", i64::MAX, true),
        (r#""9223372036854.775808""#, "9223372036854.775808", i64::MAX, false),
        (r#""-9223372036854.775808""#, "-9223372036854.775808", i64::MIN, true),
        (r#""-9223372036854.775809""#, "-9223372036854.775809", i64::MIN, false),
        (r#""1e3""#, "1e3", 1_000_000_000, true),
        (r#""\u0031.5""#, "1.5", 1_500_000, true),
        ("0", "0", 0, true),
        ("-0.0", "-0.0", 0, true),
        ("12.340", "12.340", 12_340_000, true),
        ("0.1", "0.1", 100_000, true),
        ("0.30000000000000004", "0.30000000000000004", 300_000, false),
        ("9007199254740993", "9007199254740993", i64::MAX, false),
        ("9007199254.740993", "9007199254.740993", 9_007_199_254_740_993, true),
        ("1E+2", "1E+2", 100_000_000, true),
        ("1e-7", "1e-7", 0, false),
        ("-5", "-5", -5_000_000, true),
    ] {
        cases.push(good(format!("credit {raw}"), with("credit", raw), |c| {
            (c.credit, c.credit_micros, c.credit_micros_exact) = (text.into(), micros, exact);
        }));
        cases.push(good(format!("cumulative_top_up {raw}"), with("cumulative_top_up", raw), |c| {
            (c.cumulative_top_up, c.cumulative_top_up_micros) = (Some(text.into()), micros);
        }));
    }
    let digits = "9".repeat(10_000);
    cases.push(good("credit of 10,000 digits", with("credit", &digits), |c| {
        (c.credit, c.credit_micros, c.credit_micros_exact) = (digits.clone(), i64::MAX, false);
    }));
    for text in [
        "NaN",
        "nan",
        "Infinity",
        "-Infinity",
        "inf",
        "-inf",
        "true",
        "1e101",
        "1e-101",
        "1e999999999999999999999",
        "",
        " ",
        "1 ",
        " 1",
        "1,5",
        "1.234.567",
        "0x10",
        "1_000",
        "$5",
        "5 USD",
        "-",
        "+",
        ".",
        "e5",
        "1e",
        "--1",
        "١",
    ] {
        for field in ["credit", "cumulative_top_up"] {
            let why = format!("\"{field}\" is not a decimal amount");
            cases.push(bad(format!("{field} {text:?}"), with(field, &format!("\"{text}\"")), &why));
        }
    }
    cases.push(bad("credit 1e999", with("credit", "1e999"), "\"credit\" is not a decimal amount"));
    // These are no JSON at all.
    for raw in
        ["NaN", "Infinity", "-Infinity", "+1", "01", ".5", "1.", "0x1", "-", "1e", "tru", "undefined", "''"]
    {
        for (field, _) in fields() {
            cases.push(bad(format!("{field}: {raw}"), with(field, raw), "not an API credit"));
        }
    }

    for (text, at) in [
        ("2026-08-01T12:34:56Z", 1_785_587_696_000_000),
        ("2026-08-01T12:34:56.5+00:00", 1_785_587_696_500_000),
        ("2026-08-01T14:34:56+02:00", 1_785_587_696_000_000),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("2026-08-01T12:34:56", TIME_UNKNOWN),
        ("2026-08-01", TIME_UNKNOWN),
        ("2026-02-30T00:00:00Z", TIME_UNKNOWN),
        ("yesterday", TIME_UNKNOWN),
        ("", TIME_UNKNOWN),
    ] {
        let raw = format!("\"{text}\"");
        cases.push(good(format!("created_at {raw}"), with("created_at", &raw), |c| {
            (c.created_at, c.created_at_unix_us) = (text.into(), at);
        }));
        cases.push(good(format!("updated_at {raw}"), with("updated_at", &raw), |c| {
            (c.updated_at, c.updated_at_unix_us) = (text.into(), at);
        }));
    }
    for (raw, value) in [("true", 1), ("false", 0), ("null", -1)] {
        cases.push(good(format!("has_phone_sha256 {raw}"), with("has_phone_sha256", raw), |c| {
            c.has_phone_sha256 = value
        }));
        cases.push(good(format!("has_free_credit {raw}"), with("has_free_credit", raw), |c| {
            c.has_free_credit = value
        }));
    }
    // The limit to the byte: padding in a field of no interest.
    for (length, whole) in [(1024 * 1024, true), (1024 * 1024 + 1, false)] {
        let empty = format!(r#"{{"pad":"",{}"#, &object(fields())[1..]);
        let pad = "x".repeat(length - empty.len());
        let body = empty.replacen("\"\"", &format!("\"{pad}\""), 1);
        assert_eq!(body.len(), length);
        cases.push(match whole {
            true => good("1 MiB", body, |_| {}),
            false => bad("1 MiB and a byte", body, "1 MiB"),
        });
    }
    cases
}

/// One of each, on one connection.
#[test]
fn a_credit_an_error_and_a_json_document_on_one_connection() {
    let refusal = answer(401, "x-fish-trace-id: t-1\r\n", r#"{"status":401,"message":"bad key"}"#);
    let whole = object(fields());
    let success = || send(answer(200, "", &whole));
    let server = Server::scripted(vec![success(), send(refusal), success()]);
    let client = Client::once(&server.url());
    assert_eq!(client.get(&Query::default()).unwrap(), base());
    let failure = client.get(&Query::default()).unwrap_err();
    assert_eq!(
        (name(failure.status), failure.status),
        ("FISH_UNAUTHORIZED", FISH_UNAUTHORIZED),
        "{failure:?}"
    );
    assert_eq!(failure.api_message.as_deref(), Some("bad key"));
    assert_eq!((failure.request_id.as_deref(), failure.attempts), (Some("t-1"), 1));
    assert_eq!(client.get_json(&Query::default()).unwrap(), whole);
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_200_is_decoded_or_refused_alike_in_all_three_ways() {
    let cases = documents();
    let bodies: Vec<Vec<u8>> = cases.iter().map(|case| case.body.clone()).collect();
    let server = Server::directed(move |n, _| send(answer(200, "", &bodies[n / 2])));
    let client = Client::once(&server.url());
    for Case { name: title, body, want } in &cases {
        let got = client.get(&Query::default());
        let json = client.get_json(&Query::default());
        let decoded = decode(body);
        match want {
            Ok(credit) => {
                assert_eq!(got.as_ref(), Ok(credit), "{title}");
                assert_eq!(decoded.as_ref(), Ok(credit), "{title}, decoded");
                assert_eq!(json.unwrap().as_bytes(), body, "{title}: exactly the bytes sent");
            }
            Err(why) => {
                let status =
                    if body.len() > 1024 * 1024 { FISH_RESPONSE_TOO_LARGE } else { FISH_BAD_RESPONSE };
                for (way, failure, http) in [
                    ("struct", got.unwrap_err(), 200),
                    ("json", json.unwrap_err(), 200),
                    ("from_json", decoded.unwrap_err(), 0),
                ] {
                    assert_eq!(failure.status, status, "{title}, {way}: {failure:?}");
                    assert!(failure.message.contains(why.as_str()), "{title}, {way}: {}", failure.message);
                    assert_eq!(failure.http_status, http, "{title}, {way}");
                    assert!(!failure.retryable, "{title}, {way}");
                    assert_eq!(failure.attempts, u32::from(http != 0), "{title}, {way}");
                }
            }
        }
    }
    support::note(format_args!("{} documents, three ways each", cases.len()));
}

#[test]
fn a_200_that_is_encoded_is_refused() {
    for (fields, fine) in [
        ("Content-Encoding: gzip\r\n", false),
        ("Content-Encoding: br\r\n", false),
        ("Content-Encoding: x\r\n", false),
        ("Content-Encoding: identity\r\n", true),
        ("content-encoding: Identity\r\n", true),
        ("Content-Encoding:\r\n", true),
        ("Content-Type: text/html\r\n", true),
    ] {
        let server = always(send(answer(200, fields, DOCUMENT)));
        let client = Client::once(&server.url());
        let got = client.get(&Query::default());
        let json = client.get_json(&Query::default());
        assert_eq!(got.is_ok(), json.is_ok(), "{fields}");
        assert_eq!(got.is_ok(), fine, "{fields}: {got:?}");
        if let Err(failure) = got {
            assert_eq!(failure.status, FISH_BAD_RESPONSE, "{}", failure.message);
            assert!(failure.message.contains("Content-Encoding"), "{}", failure.message);
        }
    }
}

#[test]
fn the_document_arrives_however_it_is_framed() {
    let half = DOCUMENT.len() / 2;
    let chunked = |tail: &str| {
        format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n{:X};a=b\r\n{}\r\n0\r\n{tail}\r\n",
            half,
            &DOCUMENT[..half],
            DOCUMENT.len() - half,
            &DOCUMENT[half..]
        )
    };
    let length = DOCUMENT.len();
    let whole = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{DOCUMENT}");
    for (title, bytes, ends) in [
        ("a length", whole.clone(), false),
        ("a length, in lines that end in LF", whole.replacen("\r\n", "\n", 3), false),
        (
            "the same length twice",
            whole.replacen("\r\n\r\n", &format!("\r\nContent-Length: {length}\r\n\r\n"), 1),
            false,
        ),
        ("no reason", whole.replace(" OK", ""), false),
        (
            "an interim answer first",
            format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n{whole}"),
            false,
        ),
        ("chunks", chunked(""), false),
        ("chunks and a trailer", chunked("X: y\r\nContent-Length: 3\r\n"), false),
        ("until it is closed", format!("HTTP/1.1 200 OK\r\n\r\n{DOCUMENT}"), true),
        ("HTTP/1.0 until it is closed", format!("HTTP/1.0 200 OK\r\n\r\n{DOCUMENT}"), true),
        ("HTTP/1.0 and a length", whole.replace("1.1", "1.0"), false),
    ] {
        for trickled in [false, true] {
            let mut script = match trickled {
                false => send(bytes.clone()),
                true => vec![Step::Trickle(bytes.clone().into_bytes(), Duration::from_micros(50))],
            };
            script.extend(ends.then_some(Step::Close));
            let server = always(script);
            let client = Client::once(&server.url());
            assert_eq!(client.get_json(&Query::default()).as_deref(), Ok(DOCUMENT), "{title} {trickled}");
            assert_eq!(client.get(&Query::default()).unwrap().credit, "12.345678", "{title} {trickled}");
        }
    }
}

#[test]
fn an_html_page_is_distinguished_from_an_api_answer() {
    let html = "Content-Type: text/html; charset=utf-8\r\n";
    let page = "<!doctype html><title>Sign in</title>";
    for (code, fields, body, status, part) in [
        (
            200,
            "",
            page,
            FISH_BAD_RESPONSE,
            "a network's login page or a gateway's page; sign in to the network",
        ),
        (200, html, "Sign in", FISH_BAD_RESPONSE, "or check base_url."),
        (401, html, page, FISH_UNAUTHORIZED, "sign in to the network, or check base_url."),
        (403, "", page, FISH_FORBIDDEN, "sign in to the network, or check base_url."),
        (404, html, "<h1>Not here</h1>", FISH_NOT_FOUND, "sign in to the network, or check base_url."),
        (511, html, page, FISH_SERVER_ERROR, "sign in to the network, or check base_url."),
        (511, "", "", FISH_SERVER_ERROR, "sign in to the network, or check base_url."),
        (302, html, page, FISH_UNEXPECTED_STATUS, "sign in to the network"),
        (502, html, page, FISH_SERVER_ERROR, "perhaps from a gateway; try again later."),
        (401, html, r#"{"message":"bad key"}"#, FISH_UNAUTHORIZED, "check options.api_key or FISH_API_KEY."),
    ] {
        let server = always(send(answer(code, fields, body)));
        let client = Client::once(&server.url());
        let failure = client.get(&Query::default()).unwrap_err();
        assert_eq!(client.get_json(&Query::default()).unwrap_err(), failure);
        assert_eq!((failure.status, failure.http_status), (status, code.into()), "{failure:?}");
        assert!(failure.message.contains(part), "{code}: {}", failure.message);
        assert_eq!(failure.api_message.is_none(), !body.starts_with('{'), "{failure:?}");
    }
    // A document that was kept came from no address.
    let failure = decode(page.as_bytes()).unwrap_err();
    assert!(failure.message.contains("not a JSON object"), "{}", failure.message);
    assert!(!failure.message.contains("base_url"), "{}", failure.message);
}

#[test]
fn a_body_that_is_encoded_or_no_text_has_no_message() {
    for (code, fields, body, excerpt) in [
        (401, "Content-Encoding: gzip\r\n", &b"\x1f\x8b\x08\0\0"[..], None),
        (422, "Content-Encoding: br\r\n", br#"[{"msg":"m"}]"#, None),
        (403, "Content-Type: image/png\r\n", b"\x89PNG\r\n\x1a\n", Some("\u{fffd}PNG\r\n\u{fffd}\n")),
        (401, "", b"\x1f\x8b\x08", Some("\u{fffd}\u{fffd}\u{fffd}")),
    ] {
        let server = always(send(answer(code, fields, body)));
        let failure = Client::once(&server.url()).get(&Query::default()).unwrap_err();
        assert_eq!((failure.status, failure.retryable), of_http(code));
        assert_eq!((failure.api_message, failure.field_errors), (None, vec![]), "{code}");
        assert_eq!(failure.body.as_deref(), excerpt, "{code}");
    }
}

#[test]
fn only_a_hundred_field_errors_are_kept() {
    let zeros = format!("[0{}]", ",0".repeat(500_000));
    let parts = format!(r#"[{{"loc":[0{}],"msg":"m"}}]"#, ",0".repeat(500_000));
    for (body, rows, location) in [
        (zeros.clone(), 100, String::new()),
        (format!(r#"{{"detail":{zeros}}}"#), 100, String::new()),
        (parts, 1, ["0"; 32].join(".")),
    ] {
        let server = always(send(answer(422, "", &body)));
        let failure = Client::once(&server.url()).get(&Query::default()).unwrap_err();
        assert_eq!(failure.field_errors.len(), rows);
        assert_eq!(failure.field_errors[0].location, location);
    }
}

/// The statuses of docs/c.md for an HTTP status, and whether it is retried, written down once more.
fn of_http(code: u16) -> (fish_status, bool) {
    let status = match code {
        401 => FISH_UNAUTHORIZED,
        402 => FISH_PAYMENT_REQUIRED,
        403 => FISH_FORBIDDEN,
        404 => FISH_NOT_FOUND,
        400 | 422 => FISH_VALIDATION_FAILED,
        429 => FISH_RATE_LIMITED,
        500..=599 => FISH_SERVER_ERROR,
        _ => FISH_UNEXPECTED_STATUS,
    };
    let retryable = [408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529, 530];
    (status, retryable.contains(&code))
}

#[test]
fn every_http_status_has_its_own_meaning() {
    let codes: Vec<u16> = [101].into_iter().chain(201..=999).collect();
    let told = codes.clone();
    let server = Server::directed(move |n, _| {
        let code = told[n / 2];
        let body = if code < 200 || matches!(code, 204 | 304) { "" } else { r#"{"status":1,"message":"m"}"# };
        send(answer(code, "", body))
    });
    let client = Client::once(&server.url());
    for code in codes {
        let failure = client.get(&Query::default()).unwrap_err();
        let json = client.get_json(&Query::default()).unwrap_err();
        assert_eq!(failure, json, "{code}");
        let (status, retryable) = of_http(code);
        assert_eq!(name(failure.status), name(status), "{code}: {failure:?}");
        assert_eq!(failure.retryable, retryable, "{code}");
        assert_eq!((failure.http_status, failure.attempts), (i32::from(code), 1));
        assert!(failure.message.contains(&format!("HTTP {code}")), "{}", failure.message);
        assert_eq!(failure.message.contains("try again later"), retryable, "{}", failure.message);
        let empty = code < 200 || matches!(code, 204 | 304);
        assert_eq!(failure.api_message.as_deref(), (!empty).then_some("m"), "{code}");
    }
}

#[test]
fn only_a_200_is_a_success() {
    for (code, body) in
        [(201, DOCUMENT), (202, DOCUMENT), (203, DOCUMENT), (204, ""), (205, ""), (206, DOCUMENT)]
    {
        let server = Server::scripted(vec![send(answer(code, "", body)), ok()]);
        let client = Client::once(&server.url());
        let failure = client.get(&Query::default()).unwrap_err();
        assert_eq!((failure.status, failure.http_status), (FISH_UNEXPECTED_STATUS, code.into()), "{code}");
        assert!(client.get(&Query::default()).is_ok(), "{code}");
    }
}

#[derive(Default)]
struct Told {
    message: Option<String>,
    reason: Option<&'static str>,
    body: Option<String>,
    field_errors: Vec<FieldError>,
}

fn row(location: &str, kind: &str, message: &str) -> FieldError {
    FieldError {
        location: location.into(),
        kind: kind.into(),
        message: message.into(),
        ..FieldError::default()
    }
}

#[test]
fn every_error_body_keeps_its_status_and_is_reported() {
    let text = |text: &str| Some(text.to_owned());
    let said = |message: &str| Told { message: Some(message.into()), ..Told::default() };
    let rows = |field_errors| Told { field_errors, ..Told::default() };
    let long = "é".repeat(3000);
    let huge = "x".repeat(2 * 1024 * 1024);
    let one =
        FieldError { source: text("query"), context: text(r#"{"error":1}"#), ..row("query.a", "t", "m") };
    let cases: Vec<(&str, Vec<u8>, Told)> = vec![
        ("nothing", vec![], Told::default()),
        ("white space", b" \r\n".to_vec(), Told::default()),
        ("status and message", br#"{"status":401,"message":"bad key"}"#.to_vec(), said("bad key")),
        ("and a reason", br#"{"status":1,"message":"m","reason":"r"}"#.to_vec(), Told { reason: Some("r"), ..said("m") }),
        ("and a null reason", br#"{"message":"m","reason":null}"#.to_vec(), said("m")),
        ("a reason only", br#"{"reason":"r"}"#.to_vec(), Told { reason: Some("r"), ..Told::default() }),
        ("a null message", br#"{"message":null}"#.to_vec(), Told::default()),
        ("a message that is no text", br#"{"message":{"a":[1]}}"#.to_vec(), said(r#"{"a":[1]}"#)),
        ("a message that is a number", br#"{"message": 7 }"#.to_vec(), said("7")),
        ("an escaped message", br#"{"message":"\u00e9\n\"x\""}"#.to_vec(), said("é\n\"x\"")),
        ("an escaped NUL", br#"{"message":"a\u0000b"}"#.to_vec(), said("a\u{fffd}b")),
        ("FastAPI's detail", br#"{"detail":"Not Found"}"#.to_vec(), said("Not Found")),
        ("a detail that is an object", br#"{"detail":{"code":1}}"#.to_vec(), said(r#"{"code":1}"#)),
        ("message before detail", br#"{"detail":"d","message":"m"}"#.to_vec(), said("m")),
        (
            "FastAPI's validation",
            br#"{"detail":[{"loc":["query","a"],"msg":"m","type":"t","in":"query","ctx":{"error":1}}]}"#.to_vec(),
            rows(vec![one.clone()]),
        ),
        ("an empty detail", br#"{"detail":[]}"#.to_vec(), Told::default()),
        (
            "the documented 422",
            br#"[{"loc":["query","a"],"type":"t","msg":"m","ctx":{"error":1},"in":"query"},{"loc":["body",3,"x"],"type":"u","msg":"n"}]"#.to_vec(),
            rows(vec![one, row("body.3.x", "u", "n")]),
        ),
        ("no rows", b"[]".to_vec(), Told::default()),
        ("rows of other shapes", br#"["a",7,null,{"loc":"x"},[]]"#.to_vec(), rows(vec![row("", "", "a"), row("", "", "7"), row("", "", "null"), row("", "", r#"{"loc":"x"}"#), row("", "", "[]")])),
        ("rows with nulls", br#"[{"loc":null,"type":null,"msg":null,"ctx":null,"in":null}]"#.to_vec(), rows(vec![row("", "", "")])),
        ("a row with nothing", b"[{}]".to_vec(), rows(vec![row("", "", "")])),
        ("a string", br#""try later""#.to_vec(), said("try later")),
        ("plain text", b"Service Unavailable\n".to_vec(), said("Service Unavailable")),
        ("plain text in brackets", b"[error] try later".to_vec(), said("[error] try later")),
        ("a NUL", b"a\0b".to_vec(), Told::default()),
        ("invalid UTF-8", b"a\xff\xfeb".to_vec(), Told::default()),
        ("HTML", b"<html><body>502</body></html>".to_vec(), Told::default()),
        ("XML behind white space", b"\n <?xml?>".to_vec(), Told::default()),
        ("an object that is cut", br#"{"message":"m"#.to_vec(), Told::default()),
        ("an empty object", b"{}".to_vec(), Told::default()),
        ("an object of other fields", br#"{"error":"x"}"#.to_vec(), Told::default()),
        ("more than 4 KiB of text", long.clone().into_bytes(), Told { body: Some(long[..4096].into()), ..said(&long[..4096]) }),
        ("more than 1 MiB", huge.clone().into_bytes(), Told { body: Some(huge[..4096].into()), ..said(&huge[..4096]) }),
    ];
    let count = cases.len();
    for code in [400u16, 401, 402, 403, 404, 408, 409, 422, 429, 500, 503, 302, 206] {
        let bodies: Vec<Vec<u8>> = cases.iter().map(|(_, body, _)| body.clone()).collect();
        let server = Server::directed(move |n, _| send(answer(code, "", &bodies[n])));
        let client = Client::once(&server.url());
        for (title, bytes, said) in &cases {
            let failure = client.get(&Query::default()).unwrap_err();
            let plain = String::from_utf8_lossy(bytes).replace('\0', "");
            let body = said.body.clone().or((!plain.is_empty()).then_some(plain));
            let want = Failure {
                status: of_http(code).0,
                http_status: code.into(),
                attempts: 1,
                retry_after_ms: 0,
                retryable: of_http(code).1,
                message: failure.message.clone(),
                api_message: said.message.clone(),
                api_reason: said.reason.map(str::to_owned),
                request_id: None,
                body,
                field_errors: said.field_errors.clone(),
            };
            assert_eq!(failure, want, "{code}, {title}");
        }
        assert_eq!(server.requests().len(), count);
    }
    support::note(format_args!("{} error answers", 13 * count));
}

#[test]
fn a_failure_reports_its_header_fields() {
    struct Head {
        fields: &'static str,
        reason: Option<&'static str>,
        request_id: Option<&'static str>,
    }
    let head = |fields, reason, request_id| Head { fields, reason, request_id };
    for (Head { fields, reason, request_id }, body, said) in [
        (head("", None, None), "{}", None),
        (head("x-fish-trace-id: t\r\ncf-ray: c\r\n", None, Some("t")), "{}", None),
        (head("CF-RAY: c\r\n", None, Some("c")), "{}", None),
        (head("X-Fish-Trace-Id:\r\nCf-Ray: c\r\n", None, Some("c")), "{}", None),
        (head("x-fish-trace-id:   t 1\t\r\n", None, Some("t 1")), "{}", None),
        (head("X-FISH-ERROR-CODE: busy\r\n", Some("busy"), None), "{}", None),
        (head("x-fish-error-code: busy\r\n", Some("body's"), None), r#"{"reason":"body's"}"#, Some("body's")),
        (head("x-fish-error-code: busy\r\n", Some("busy"), None), r#"{"reason":null}"#, None),
        (head("x-fish-error-code: busy\r\n", Some("busy"), None), "plain", None),
        (head("", None, Some("id")), r#"{"code":"body's","request_id":"id"}"#, Some("body's")),
        (
            head("x-fish-error-code: busy\r\ncf-ray: c\r\n", Some("busy"), Some("c")),
            r#"{"code":"x","request_id":"id"}"#,
            None,
        ),
        (head("x-fish-trace-id: \u{e9}\r\n", None, Some("\u{e9}")), "{}", None),
    ] {
        let server = always(send(answer(403, fields, body)));
        let failure = Client::once(&server.url()).get(&Query::default()).unwrap_err();
        assert_eq!(failure.api_reason.as_deref(), reason.or(said), "{fields}");
        assert_eq!(failure.request_id.as_deref(), request_id, "{fields}");
    }
    // Invalid UTF-8 is shown as such, and a 200 that is refused tells its head too.
    let server = Server::scripted(vec![
        send([b"HTTP/1.1 401 No\r\ncf-ray: a\xffb\r\nContent-Length: 0\r\n\r\n".as_slice()].concat()),
        send(answer(200, "x-fish-trace-id: t\r\nx-fish-error-code: e\r\n", "[]")),
        vec![
            Step::Send(b"HTTP/1.1 200 OK\r\nx-fish-trace-id: t\r\nContent-Length: 9\r\n\r\n{".to_vec()),
            Step::Close,
        ],
    ]);
    let client = Client::once(&server.url());
    let failure = client.get(&Query::default()).unwrap_err();
    assert_eq!(failure.request_id.as_deref(), Some("a\u{fffd}b"));
    let failure = client.get(&Query::default()).unwrap_err();
    assert_eq!(failure.status, FISH_BAD_RESPONSE);
    assert_eq!((failure.request_id.as_deref(), failure.api_reason.as_deref()), (Some("t"), Some("e")));
    assert_eq!(failure.body.as_deref(), Some("[]"));
    let failure = client.get(&Query::default()).unwrap_err();
    assert_eq!((failure.status, failure.http_status), (FISH_CONNECTION_LOST, 200));
    assert_eq!((failure.request_id.as_deref(), failure.body.as_deref()), (Some("t"), Some("{")));
}

#[test]
fn retry_after_is_reported_in_milliseconds() {
    for code in [408u16, 429, 503, 500, 404] {
        for (value, want) in [
            ("0", 0),
            ("1", 1000),
            (" 120 ", 120_000),
            ("4294967", 4_294_967_000),
            ("4294968", u32::MAX),
            ("99999999999999999999", u32::MAX),
            ("-1", 0),
            ("1.5", 0),
            ("soon", 0),
            ("", 0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
            ("Sat, 06 Nov 2094 08:49:37 GMT", 2_000_000_000),
        ] {
            let server = always(send(answer(code, &format!("Retry-After: {value}\r\n"), "")));
            let failure = Client::once(&server.url()).get(&Query::default()).unwrap_err();
            if value.contains("2094") {
                assert!(failure.retry_after_ms > want, "{value}: {failure:?}");
            } else {
                assert_eq!(failure.retry_after_ms, want, "{code} {value:?}");
            }
        }
    }
    let soon = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(60));
    let server = always(send(answer(503, &format!("Retry-After: {soon}\r\n"), "")));
    let failure = Client::once(&server.url()).get(&Query::default()).unwrap_err();
    assert!((50_000..=60_000).contains(&failure.retry_after_ms), "{failure:?}");
}
