//! The key is a secret: it is in no text that the library returns, in no memory after the client is freed, and on no
//! connection but the server's. No string that is passed in can add a line to a request.

mod support;

use std::ffi::CStr;
use std::ptr;

use ::fish_api_credit::ffi::*;
use support::c;
use support::client::{Client, Failure, KEY, Options, Query, name, report};
use support::server::{DOCUMENT, Script, Server, Step, always, answer, ok, send};
use support::tls::{Authority, BOTH, ONLY_1_2, Trusted, directed, server};

/// Nowhere in a failure, nor as much of it as would tell, at the end of any text.
fn keeps(failure: &Failure, key: &str, what: &str) {
    let printed = format!("{failure:?}");
    assert!(!printed.contains(key), "{what}: {printed}");
    // What a text that was cut could end in, and then what stands behind it when printed.
    for part in 4..key.len() {
        assert!(!printed.contains(&format!("{}\"", &key[..part])), "{what}: {part} bytes of it: {printed}");
    }
}

fn failing(client: &Client, what: &str) -> Failure {
    client.get(&Query::default()).expect_err(what)
}

/// The key as it was sent: the server knows it from the request alone.
fn sent_key(request: &[u8]) -> String {
    let request = String::from_utf8(request.to_vec()).unwrap();
    let (_, after) = request.split_once("authorization: Bearer ").expect("a key");
    after.split_once("\r\n").unwrap().0.to_owned()
}

#[test]
fn a_server_that_repeats_the_key_anywhere_is_not_repeated() {
    let json = "Content-Type: application/json\r\n";
    // K stands for the key.
    let cases: &[(&str, u16, &str, &str)] = &[
        ("plain text", 401, "", "the key K is wrong, K!"),
        ("the whole body", 401, "", "K"),
        ("a field and twice in a row", 401, "", "Authorization: Bearer K, twice KK"),
        ("message and reason", 401, json, r#"{"message":"bad key K","reason":"K"}"#),
        ("message", 401, json, r#"{"status":401,"message":"bad key K"}"#),
        ("detail", 403, json, r#"{"detail":"K"}"#),
        ("detail that is no text", 403, json, r#"{"detail":{"key":"K","K":["K"]}}"#),
        ("reason", 403, json, r#"{"message":"x","reason":"K"}"#),
        ("a status that is text", 400, json, r#"{"status":"K","message":{"a":"K"}}"#),
        ("a JSON string", 400, json, r#""K""#),
        (
            "field errors",
            422,
            json,
            r#"[{"loc":["header","K"],"in":"K","type":"K","msg":"no K","ctx":{"K":"K"}}]"#,
        ),
        (
            "field errors of two shapes",
            422,
            json,
            r#"[{"loc":["K",1],"type":"K","msg":"K","in":"K","ctx":["K"]},"K"]"#,
        ),
        ("field errors in detail", 422, json, r#"{"detail":[{"loc":["K"],"msg":"K","type":"K","ctx":"K"}]}"#),
        ("field errors of another shape", 422, json, r#"["K",{"K":"K"},["K"],7]"#),
        ("escaped in JSON", 401, json, r#"{"message":"sk\u002dtest\u002d0123456789abcdef"}"#),
        ("HTML", 502, "Content-Type: text/html\r\n", "<html><body>K</body></html>"),
        ("no UTF-8 around it", 401, "", "\u{fffd}K\u{fffd}"),
        ("between NULs", 401, "", "\0K\0"),
        ("error code", 429, "x-fish-error-code: K\r\n", ""),
        ("trace id", 500, "x-fish-trace-id: a K b\r\n", ""),
        ("trace id and error code", 401, "x-fish-trace-id: K\r\nx-fish-error-code: K\r\n", ""),
        ("cf-ray", 500, "cf-ray: K\r\n", ""),
        (
            "every other field",
            500,
            "Retry-After: K\r\nServer: K\r\nK: K\r\nContent-Type: K\r\nSet-Cookie: K\r\n",
            "",
        ),
        ("a redirect", 302, "Location: https://example.com/?K\r\n", "K"),
        ("an encoding", 200, "Content-Encoding: K\r\n", DOCUMENT),
        ("a 200 of text", 200, "", "K"),
        ("a 200 of HTML", 200, "", "<p>K</p>"),
        ("a 200 of nothing but keys", 200, "", r#"{"K":"K"}"#),
        ("an amount", 200, "", r#"{"_id":"a","user_id":"b","credit":"K","created_at":"","updated_at":""}"#),
        (
            "a flag",
            200,
            "",
            r#"{"_id":"a","user_id":"b","credit":"1","created_at":"","updated_at":"","has_free_credit":"K"}"#,
        ),
        ("an id twice", 200, "", r#"{"_id":"K","_id":"K"}"#),
        ("an array", 200, "", r#"["K"]"#),
        ("broken JSON", 200, "", r#"{"_id":K"#),
        ("broken inside", 200, "", "{\"_id\":\"K\n\"}"),
        ("a bad Content-Length", 200, "Content-Length: K\r\n", ""),
        ("a bad Transfer-Encoding", 200, "Transfer-Encoding: K\r\n", ""),
    ];
    for &(what, own, fields, body) in cases {
        let mut statuses = vec![own, 401, 422, 200];
        statuses.dedup();
        let mut failures = statuses.iter().map(|&status| {
            let server = Server::directed(move |_, request| {
                let key = sent_key(request);
                send(answer(status, &fields.replace('K', &key), body.replace('K', &key)))
            });
            let failure = failing(&Client::once(&server.url()), what);
            keeps(&failure, KEY, &format!("{what}, {status}"));
            failure
        });
        let failure = failures.next().unwrap();
        assert_eq!(failures.count() + 1, statuses.len());
        if body.starts_with("the key") {
            // What else was said is kept.
            assert_eq!(failure.api_message.as_deref(), Some("the key [API key] is wrong, [API key]!"));
            assert_eq!(failure.body, failure.api_message);
        }
    }
    // Where there is no field to put it in.
    for head in [
        "HTTP/1.1 401 K\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 K\r\n\r\n",
        "K\r\n\r\n",
        "HTTP/1.1 200 OK\r\nK\r\n\r\n",
    ] {
        let server = Server::directed(move |_, request| {
            vec![Step::Send(head.replace('K', &sent_key(request)).into_bytes()), Step::Close]
        });
        keeps(&failing(&Client::once(&server.url()), head), KEY, head);
    }
}

#[test]
fn a_key_that_json_or_a_url_must_escape_is_not_repeated_either() {
    const ODD: &str = r#"sk/ab"cd\ef+gh==/0123456789"#;
    let json = serde_json::to_string(ODD).unwrap();
    let slashes = json.replace('/', "\\/");
    for quoted in [json, slashes] {
        for body in [
            format!(r#"{{"message":{quoted}}}"#),
            // No JSON, so the whole is what the server said.
            format!(r#"{{"message":"key {ODD}"}}"#),
            quoted.clone(),
            format!(r#"[{{"msg":"x","ctx":{{"k":{quoted}}}}}]"#),
        ] {
            let body2 = body.clone();
            let server = Server::directed(move |_, _| send(answer(422, "", &body2)));
            let url = server.url();
            let options = Options { api_key: Some(ODD), ..Options::once(&url) };
            let failure = failing(&Client::new(&options).unwrap(), &body);
            // As it stands in the body, not as the debug print of a test escapes it.
            let texts = [
                &failure.body,
                &failure.api_message,
                &failure.field_errors.first().and_then(|row| row.context.clone()),
            ];
            for text in texts.into_iter().flatten() {
                assert!(!text.contains(ODD) && !text.contains(quoted.trim_matches('"')), "{body}: {text}");
                assert!(text.contains("[API key]"), "{body}: {text}");
            }
        }
    }
}

#[test]
fn a_key_in_any_spelling_of_json_a_url_or_html_is_not_repeated() {
    const ODD: &str = "sk/ab&cd<ef>\"'0123456789";
    let numbered = |before: &str, radix16: bool, after: &str| -> String {
        let one =
            |b: u8| if radix16 { format!("{before}{b:02x}{after}") } else { format!("{before}{b}{after}") };
        ODD.bytes().map(one).collect()
    };
    let html = ODD.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let html = html.replace('"', "&quot;").replace('\'', "&#39;");
    for spelled in [
        ODD.replace('"', "\\\"").replace('/', "\\/").replace('&', "\\u0026").replace('<', "\\u003C"),
        numbered("\\u00", true, ""),
        numbered("%", true, ""),
        numbered("%", true, "").to_uppercase(),
        numbered("&#", false, ";"),
        numbered("&#x", true, ";"),
        html.replace('&', "\\u0026"),
        html,
    ] {
        let status = if spelled.contains('\\') { 422 } else { 401 };
        let body = format!(
            r#"{{"message":"bad key {spelled}","detail":[{{"ctx":"{spelled}","msg":["{spelled}"]}}]}}"#
        );
        let server = Server::directed(move |_, _| send(answer(status, "", &body)));
        let url = server.url();
        let options = Options { api_key: Some(ODD), ..Options::once(&url) };
        let failure = failing(&Client::new(&options).unwrap(), &spelled);
        let row = &failure.field_errors[0];
        assert_eq!(failure.api_message.as_deref(), Some("bad key [API key]"), "{spelled}");
        assert_eq!(row.context.as_deref(), Some("[API key]"), "{spelled}");
        assert_eq!(row.message, r#"["[API key]"]"#, "{spelled}");
        let want = r#"{"message":"bad key [API key]","detail":[{"ctx":"[API key]","msg":["[API key]"]}]}"#;
        assert_eq!(failure.body.as_deref(), Some(want), "{spelled}");
    }
}

#[test]
fn no_part_of_a_truncated_key_is_repeated() {
    // The excerpt and the message end at 4 KiB, reading at 1 MiB.
    for (limit, status) in
        [(4096, 401), (4096, 422), (4096, 200), (1 << 20, 401), (1 << 20, 422), (1 << 20, 200)]
    {
        for part in 0..=KEY.len() {
            let padding = "x".repeat(limit - part);
            let server = Server::directed(move |_, request| {
                let body = format!("{padding}{}{}", sent_key(request), "y".repeat(64));
                send(answer(status, "Connection: close\r\n", body))
            });
            let failure = failing(&Client::once(&server.url()), "cut by a limit");
            keeps(&failure, KEY, &format!("{status}, {part} bytes before {limit}"));
            assert_eq!(failure.http_status, i32::from(status));
        }
    }
    // The body, or the connection, ends inside it.
    for status in [200, 401, 422] {
        for framing in ["Content-Length: 5000\r\n", "Content-Length: ", "Transfer-Encoding: chunked\r\n", ""]
        {
            for part in 4..=KEY.len() {
                let server = Server::directed(move |_, request| {
                    let text = format!("your key is {}", &sent_key(request)[..part]);
                    let (text, length) = match framing.as_bytes() {
                        [b'T', ..] => (format!("fff\r\n{text}"), String::new()),
                        [.., b' '] => (text.clone(), format!("{}\r\n", text.len())),
                        _ => (text, String::new()),
                    };
                    let head = format!("HTTP/1.1 {status} X\r\n{framing}{length}\r\n");
                    vec![Step::Send([head, text].concat().into_bytes()), Step::Close]
                });
                let failure = failing(&Client::once(&server.url()), "cut by the end");
                let what = format!("{status} {framing:?} after {part} bytes");
                keeps(&failure, KEY, &what);
                let body = failure.body.as_deref();
                assert_eq!(body, Some("your key is [API key]"), "{what}");
                assert!(status == 200 || failure.api_message.as_deref() == body, "{what}: {failure:?}");
            }
        }
    }
    // It lies in two chunks, which are one body.
    let server = Server::directed(|_, request| {
        let key = sent_key(request);
        let (one, two) = key.split_at(9);
        let body = format!("{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n", one.len(), two.len());
        send(format!("HTTP/1.1 401 X\r\nTransfer-Encoding: chunked\r\n\r\n{body}"))
    });
    let failure = failing(&Client::once(&server.url()), "two chunks");
    assert_eq!(failure.body.as_deref(), Some("[API key]"));
}

#[test]
fn a_key_that_is_refused_is_not_repeated() {
    for key in ["sesame 0", "sesame\n", "\r\nsesame", "\"sesame\"\t", "sesam\u{e9}sesame", "sesame\u{7f}"] {
        let failure = Client::new(&Options { api_key: Some(key), ..Options::test() }).err().expect(key);
        assert_eq!(failure.status, FISH_INVALID_ARGUMENT);
        assert!(!format!("{failure:?}").contains("sesam"), "{failure:?}");
        assert!(failure.message.starts_with("options.api_key "), "{}", failure.message);
    }
    // Bad UTF-8, which no Rust string can hold.
    let options = fish_client_options { api_key: c"sesame\xff".as_ptr(), ..zeroed_options() };
    let mut client = ptr::null_mut();
    // SAFETY: every pointer is valid for the call.
    let failure = report(|error| unsafe { fish_client_new(&options, &mut client, error) }).unwrap_err();
    assert_eq!(failure.status, FISH_INVALID_ARGUMENT);
    assert!(!format!("{failure:?}").contains("sesame"), "{failure:?}");
}

fn zeroed_options() -> fish_client_options {
    // SAFETY: all-zero is a value of it (rule 1 of the header).
    unsafe { std::mem::zeroed() }
}

#[test]
fn no_redirect_is_followed_or_takes_the_key_anywhere() {
    let elsewhere = always(ok());
    let there = format!("{}/wallet/self/api-credit", elsewhere.url());
    for status in [300, 301, 302, 303, 304, 305, 307, 308] {
        for location in [&elsewhere.url(), &there, "/", "/login", ""] {
            let fields = format!(
                "Location: {location}\r\nRefresh: 0;url={location}\r\nAlt-Svc: h2=\"{}\"\r\n",
                elsewhere.address()
            );
            let server = always(send(answer(status, &fields, "")));
            let client = Client::new(&Options { base_url: Some(&server.url()), ..Options::test() }).unwrap();
            let failure = failing(&client, "a redirect");
            assert_eq!((failure.status, failure.http_status), (FISH_UNEXPECTED_STATUS, status.into()));
            assert!(failure.message.contains("redirect") && !failure.retryable, "{failure:?}");
            assert_eq!(server.requests().len(), 1, "not even to itself");
        }
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn no_hostile_base_url_sees_the_key() {
    let thief = Server::new(|mut link| link.stall());
    let at = thief.address();
    let port = thief.port();
    for url in [
        format!("http://api.fish.audio@{at}"),
        format!("https://api.fish.audio@{at}"),
        format!("https://api.fish.audio\\@{at}"),
        format!("http://{KEY}@{at}"),
        format!("http://u:{KEY}@{at}"),
        format!("http://{at}?https://api.fish.audio"),
        format!("http://{at}#@api.fish.audio"),
        format!("http://{at}\r\nHost: api.fish.audio"),
        format!("http://{at} /"),
        format!("//{at}"),
        format!("{at}"),
        format!("ftp://{at}"),
        format!("http:/{at}"),
        format!("http:\\\\{at}"),
        format!("http://2130706433:{port}"),
        format!("http://0x7f.1:{port}"),
        format!("http://127.1:{port}"),
        format!("http://0.0.0.0:{port}"),
        format!("http://[::ffff:127.0.0.1]:{port}"),
        format!("http://{at}/../{KEY}/.."),
        "http://api.fish.audio".to_owned(),
        "http://localhost.example.com".to_owned(),
        format!("http://example.com:{port}/localhost"),
    ] {
        let failure = Client::new(&Options { base_url: Some(&url), ..Options::test() }).err().expect(&url);
        assert_eq!(name(failure.status), "FISH_INVALID_ARGUMENT", "{url}");
        keeps(&failure, KEY, &url);
    }
    assert_eq!(thief.connections(), 0);
}

#[test]
fn no_string_becomes_a_line_of_its_own_on_the_wire() {
    let server = always(ok());
    let base = server.url();
    let mut refused = 0;
    for control in ["\r\n", "\r", "\n", "\u{1}", "\t", "\u{7f}", "\u{85}", "\u{2028}", "\u{b}"] {
        let text = format!("a{control}X-Injected: yes{control}{control}GET / HTTP/1.1{control}b");
        let text = text.as_str();
        let url = format!("{base}/{text}");
        let proxy = format!("http://{text}");
        let proxy_login = format!("http://u:{text}@127.0.0.1:1");
        let usual = Options::once(&base);
        for options in [
            Options { api_key: Some(text), ..usual.clone() },
            Options { base_url: Some(&url), ..usual.clone() },
            Options { user_agent: Some(text), ..usual.clone() },
            Options { proxy_url: Some(&proxy), ..usual.clone() },
            Options { ca_file: Some(text), ..usual.clone() },
        ] {
            let failure = Client::new(&options).err().expect("refused");
            assert_eq!(failure.status, FISH_INVALID_ARGUMENT, "{failure:?}");
            refused += 1;
        }
        // A login may be anything: it is encoded. Nobody listens there.
        if let Ok(client) = Client::new(&Options { proxy_url: Some(&proxy_login), ..usual.clone() }) {
            assert_eq!(failing(&client, "no proxy").status, FISH_PROXY_FAILED);
        }
        let client = Client::new(&usual).unwrap();
        for query in [
            Query { user_id: Some(text), ..Query::default() },
            Query { team_id: Some(text), ..Query::default() },
            Query {
                user_id: Some(control),
                team_id: Some(control),
                check_free_credit: true,
                ..Query::default()
            },
        ] {
            assert!(client.get(&query).is_ok());
        }
    }
    assert_eq!(refused, 45);
    let requests = server.requests();
    assert_eq!(requests.len(), 27);
    for request in requests {
        // Six lines and an empty one, each ended as HTTP ends a line, and no other control character.
        let text = String::from_utf8(request).unwrap();
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(lines.len(), 8, "{text:?}");
        assert!(lines.iter().all(|line| line.bytes().all(|b| b == b' ' || b.is_ascii_graphic())), "{text:?}");
        assert!(lines[0].starts_with("GET /wallet/") && lines[0].ends_with(" HTTP/1.1"), "{text:?}");
        let fields = ["host: ", "authorization: ", "accept: ", "accept-encoding: ", "user-agent: "];
        for (line, field) in lines[1..6].iter().zip(fields) {
            assert!(line.to_ascii_lowercase().starts_with(field), "{text:?}");
        }
        assert_eq!(lines[0].matches(' ').count(), 2, "{text:?}");
    }
}

#[test]
fn a_string_ends_at_its_nul_and_what_is_behind_it_is_not_sent() {
    let server = always(ok());
    let url = format!("{}\0/secret", server.url());
    let c = |bytes: &'static [u8]| CStr::from_bytes_until_nul(bytes).unwrap().as_ptr();
    let options = fish_client_options {
        api_key: c(b"key\0secret\0"),
        base_url: CStr::from_bytes_until_nul(url.as_bytes()).unwrap().as_ptr(),
        proxy_url: c(b"\0http://secret\0"),
        user_agent: c(b"agent\0secret\0"),
        ..zeroed_options()
    };
    let mut client = ptr::null_mut();
    // SAFETY: every pointer is valid for the calls, and what is made is freed once.
    unsafe {
        report(|error| fish_client_new(&options, &mut client, error)).unwrap();
        let query = fish_api_credit_query {
            user_id: c(b"user\0secret\0"),
            team_id: c(b"team\0secret\0"),
            ..std::mem::zeroed()
        };
        let mut credit: fish_api_credit = std::mem::zeroed();
        report(|error| fish_get_api_credit(client, &query, &mut credit, error)).unwrap();
        fish_api_credit_free(&mut credit);
        fish_client_free(client);
    }
    let request = String::from_utf8(server.requests().remove(0)).unwrap();
    assert!(request.starts_with("GET /wallet/user/api-credit?team_id=team HTTP/1.1\r\n"), "{request:?}");
    assert!(!request.contains("secret") && !request.contains('\0'), "{request:?}");
}

#[test]
fn a_key_from_the_environment_is_as_secret_and_checked_alike() {
    let folder = tempfile::tempdir().unwrap();
    let program = c::host_program("ask", &[], folder.path());
    let server = Server::directed(|n, request| match n {
        0 => ok(),
        _ => send(answer(401, "", format!("no: {}", sent_key(request)))),
    });
    let base = format!("base_url={}", server.url());
    let environments: &[(&[(&str, &str)], &str)] = &[
        (&[("FISH_API_KEY", "sesame-0123456789")], "FISH_OK 12.345678\n"),
        (&[("FISH_API_KEY", "sesame-0123456789")], "FISH_UNAUTHORIZED 1 "),
        (
            &[("FISH_API_KEY", "sesame\r\nX-Injected: 1")],
            "FISH_INVALID_ARGUMENT 0 FISH_API_KEY contains a space",
        ),
        (&[("FISH_API_KEY", "")], "FISH_MISSING_API_KEY 0 "),
        (&[], "FISH_MISSING_API_KEY 0 "),
        (
            &[("FISH_API_KEY", "sesame"), ("HTTPS_PROXY", "http://sesame:sesame@127.0.0.1:1\r\nX: y")],
            "FISH_INVALID_ARGUMENT 0 HTTPS_PROXY ",
        ),
    ];
    for (environment, want) in environments {
        // A loopback host has no proxy from the environment, so that is tried with another; nothing is sent there.
        let proxied = environment.len() > 1;
        let base = if proxied { "base_url=https://api.fish.audio" } else { &base };
        let printed = c::run(c::command(&program).arg(base).envs(environment.iter().copied()));
        assert!(printed.starts_with(want), "{environment:?}: {printed}");
        assert!(!printed.contains("sesame"), "{environment:?}: {printed}");
    }
    assert_eq!(server.requests().len(), 2);
    // Not UTF-8.
    use std::os::unix::ffi::OsStrExt;
    let bad = std::ffi::OsStr::from_bytes(b"sesame\xff");
    let printed = c::run(c::command(&program).arg(&base).env("FISH_API_KEY", bad));
    assert!(printed.starts_with("FISH_INVALID_ARGUMENT 0 FISH_API_KEY in the environment"), "{printed}");
    assert!(!printed.contains("sesame"));
}

/// Answers that repeat the key in whatever way is left in memory longest: in a document, in errors of every
/// shape, in heads, large and small, whole and cut.
fn echo(number: usize, request: &[u8]) -> Script {
    let key = sent_key(request);
    let document = DOCUMENT.replace("{\"_id\":\"", &format!("{{\"echo\":\"{key}\",\"_id\":\"{key}"));
    let escaped = document.replace("\"user_id\":\"", &format!("\"user_id\":\"\\u0041{key}"));
    let large = format!("{}{key}{}", "x".repeat(70_000), key.repeat(50));
    let rows =
        format!(r#"{{"detail":[{{"loc":["{key}"],"msg":"\u0041{key}","type":"t","ctx":{{"a":"{key}"}}}}]}}"#);
    let cut = answer(200, "", format!("{document}      "));
    match number % 9 {
        0 => send(answer(200, &format!("X: {key}\r\n"), document)),
        1 => send(answer(200, "", escaped)),
        2 => send(answer(
            401,
            &format!("x-fish-error-code: {key}\r\nx-fish-trace-id: {key}\r\n"),
            format!(r#"{{"message":"{key}"}}"#),
        )),
        3 => send(answer(422, "", rows)),
        4 => send(answer(403, "", large)),
        5 => vec![Step::Send(cut[..cut.len() - 4].to_vec()), Step::Close],
        6 => send(answer(500, "", format!("<p>{key}</p>"))),
        7 => send(answer(200, "", format!(r#"{{"_id":"{key}","credit":"{key}"}}"#))),
        _ => send(format!(
            "HTTP/1.1 404 {key}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{key}\r\n0\r\n\r\n",
            key.len()
        )),
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_key_is_in_no_memory_of_the_process_after_the_client_is_freed() {
    const LONG_KEY: &str = "5f1b0c9e7d3a4862b1c0ffee9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3b2c1d0e";
    let Trusted { authority, ca_file, folder } = Trusted::new();
    let usual: fn(usize, &[u8]) -> Script = |_, _| ok();
    let (plain, echoing) = (Server::directed(usual), Server::directed(echo));
    let secured = |versions, director| directed(authority.issue().config(versions), director);
    let (tls, tls_echoing) = (secured(BOTH, usual), secured(BOTH, echo));
    let (tls_1_2, tls_1_2_echoing) = (secured(ONLY_1_2, usual), secured(ONLY_1_2, echo));
    // Failures on the way: a handshake that fails, nobody there.
    let stranger = server(Authority::new().issue().config(BOTH), |_| Ok(()));
    // Bound at the start: binding a function at its first call saves every register on the stack, with whatever
    // the last copy left in them.
    let program = c::host_program("key_in_memory", &["-O2", "-Wl,-z,now"], folder.path());
    let masked: String = LONG_KEY.bytes().map(|byte| format!("{:02x}", byte ^ 0x5a)).collect();
    let cases = [
        ("http", vec![plain.url()]),
        ("http, echoed", vec![echoing.url(); 6]),
        ("https", vec![tls.https_url()]),
        ("https, echoed", vec![tls_echoing.https_url(); 6]),
        ("TLS 1.2", vec![tls_1_2.https_url()]),
        ("TLS 1.2, echoed", vec![tls_1_2_echoing.https_url(); 6]),
        ("failures", vec![stranger.https_url(), "http://127.0.0.1:1".to_owned()]),
    ];
    let mut failures = Vec::new();
    for (what, urls) in &cases {
        for source in ["options", "environment"] {
            let mut command = c::command(&program);
            command.args([&masked, source, &ca_file]).args(urls);
            if source == "environment" {
                command.env("FISH_API_KEY", LONG_KEY);
            }
            let output = command.output().unwrap();
            let printed = String::from_utf8_lossy(&output.stdout).into_owned();
            let gone = output.status.success() && printed.ends_with("the key is gone\n");
            if !gone {
                failures.push(format!("{what} by {source}: {}\n{printed}", output.status));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
