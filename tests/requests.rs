//! What the library sends, to the byte, and what it refuses to send. All through the C interface.

mod support;

use std::ffi::{CString, OsStr, c_char};
use std::mem::zeroed;
use std::os::unix::ffi::OsStrExt;
use std::ptr;

use ::fish_api_credit::ffi::*;
use support::child;
use support::client::{Client, KEY, Options, Query, Token, name, report};
use support::server::{Server, always, ok};

const AGENT: &str = concat!("fish-api-credit/", env!("CARGO_PKG_VERSION"));

/// The whole request, with the names of its header fields in lower case.
fn request(target: &str, host: &str, key: &str, agent: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\naccept: application/json\r\n\
         accept-encoding: identity\r\nuser-agent: {agent}\r\n\r\n"
    )
}

/// What was sent, with the names of header fields in lower case: they mean the same in any (RFC 9110 §5.1).
fn lowercased(sent: &[u8]) -> String {
    let text = String::from_utf8_lossy(sent);
    let lines = text.split_inclusive("\r\n").map(|line| match line.split_once(": ") {
        Some((name, value)) if !name.contains(' ') => format!("{}: {value}", name.to_ascii_lowercase()),
        _ => line.to_owned(),
    });
    lines.collect()
}

#[test]
fn every_kind_of_query_is_sent_to_the_byte() {
    let server = always(ok());
    let host = server.address().to_string();
    let long = "x".repeat(1024);
    let token = Token::new();
    let user = |user_id| Query { user_id: Some(user_id), ..Query::default() };
    let team = |team_id| Query { team_id: Some(team_id), ..Query::default() };
    let cases = [
        (Query::default(), "/wallet/self/api-credit".to_owned()),
        (user("self"), "/wallet/self/api-credit".into()),
        (user("0123456789abcdef0123456789abcdef"), "/wallet/0123456789abcdef0123456789abcdef/api-credit".into()),
        (user("a-b._~Z9"), "/wallet/a-b._~Z9/api-credit".into()),
        (user("a/../b"), "/wallet/a%2F..%2Fb/api-credit".into()),
        (user("..."), "/wallet/.../api-credit".into()),
        (user("%2e%2e"), "/wallet/%252e%252e/api-credit".into()),
        (user("a b+c?d#e&f=g:@!$'()*,;\"<>\\^`{|}"), "/wallet/a%20b%2Bc%3Fd%23e%26f%3Dg%3A%40%21%24%27%28%29%2A%2C%3B%22%3C%3E%5C%5E%60%7B%7C%7D/api-credit".into()),
        (user("\r\nHost: evil\r\n\r\n"), "/wallet/%0D%0AHost%3A%20evil%0D%0A%0D%0A/api-credit".into()),
        (user("\u{1}\u{7f}"), "/wallet/%01%7F/api-credit".into()),
        (user("é😀"), "/wallet/%C3%A9%F0%9F%98%80/api-credit".into()),
        (user(&long), format!("/wallet/{long}/api-credit")),
        (team("t1"), "/wallet/self/api-credit?team_id=t1".into()),
        (team("a b&check_free_credit=true+"), "/wallet/self/api-credit?team_id=a%20b%26check_free_credit%3Dtrue%2B".into()),
        (team(".."), "/wallet/self/api-credit?team_id=..".into()),
        (team("é\n"), "/wallet/self/api-credit?team_id=%C3%A9%0A".into()),
        (
            Query { check_free_credit: true, ..Query::default() },
            "/wallet/self/api-credit?check_free_credit=true".into(),
        ),
        (
            Query { check_free_credit: true, ..team("t") },
            "/wallet/self/api-credit?check_free_credit=true&team_id=t".into(),
        ),
        (
            Query { user_id: Some("u"), team_id: Some("t"), check_free_credit: true, timeout_ms: 9000, cancel: Some(&token) },
            "/wallet/u/api-credit?check_free_credit=true&team_id=t".into(),
        ),
    ];
    let client = Client::once(&server.url());
    for (query, target) in &cases {
        client.get(query).unwrap();
        client.get_json(query).unwrap();
        let want = request(target, &host, KEY, AGENT);
        for sent in server.requests().iter().rev().take(2) {
            assert_eq!(lowercased(sent), want);
        }
    }
    assert_eq!(server.requests().len(), 2 * cases.len());
    assert_eq!(server.connections(), 1);
}

#[test]
fn every_option_that_shapes_the_request_is_sent_to_the_byte() {
    let server = always(ok());
    let port = server.address().port();
    let plain = |base: &str| (base.to_owned(), None, KEY);
    let path = "/wallet/self/api-credit";
    for ((base, agent, key), target, host) in [
        (plain("http://127.0.0.1:PORT"), path.to_owned(), "127.0.0.1"),
        (plain("http://127.0.0.1:PORT/"), path.into(), "127.0.0.1"),
        (plain("http://127.0.0.1:PORT///"), path.into(), "127.0.0.1"),
        (plain("http://127.0.0.1:PORT/v1"), format!("/v1{path}"), "127.0.0.1"),
        (plain("http://127.0.0.1:PORT/v1/"), format!("/v1{path}"), "127.0.0.1"),
        (plain("http://127.0.0.1:PORT/a/b%20c/~d"), format!("/a/b%20c/~d{path}"), "127.0.0.1"),
        (plain("HTTP://127.0.0.1:PORT"), path.into(), "127.0.0.1"),
        (plain("http://localhost:PORT"), path.into(), "localhost"),
        (plain("http://LocalHost:PORT/v1"), format!("/v1{path}"), "localhost"),
        (plain("http://api.localhost:PORT"), path.into(), "api.localhost"),
        (("http://127.0.0.1:PORT".into(), Some("studio/2.1"), KEY), path.into(), "127.0.0.1"),
        (("http://127.0.0.1:PORT".into(), Some("a/1 (b; c)"), "k"), path.into(), "127.0.0.1"),
        (
            ("http://127.0.0.1:PORT".into(), None, "!#$%&'*+-.^_`|~\"\\/:;<=>?@[]{}()"),
            path.into(),
            "127.0.0.1",
        ),
    ] {
        let base = base.replace("PORT", &port.to_string());
        let options =
            Options { api_key: Some(key), base_url: Some(&base), user_agent: agent, ..Options::test() };
        Client::new(&options).unwrap().get(&Query::default()).unwrap();
        let agent = agent.map_or(AGENT.to_owned(), |own| format!("{own} {AGENT}"));
        let want = request(&target, &format!("{host}:{port}"), key, &agent);
        assert_eq!(lowercased(server.requests().last().unwrap()), want, "{base}");
    }
}

#[test]
fn a_retry_and_a_kept_connection_send_the_same_bytes() {
    use support::server::{answer, send};
    let server = Server::scripted(vec![send(answer(503, "Retry-After: 0\r\n", "")), ok()]);
    let url = server.url();
    let client = Client::new(&Options { base_url: Some(&url), ..Options::test() }).unwrap();
    client.get(&Query { user_id: Some("a b"), ..Query::default() }).unwrap();
    let sent = server.requests();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0], sent[1]);
}

#[test]
fn options_that_are_refused_are_named() {
    let server = always(ok());
    let url = server.url();
    let test = || Options { base_url: Some(&url), ..Options::test() };
    let base = |base_url| Options { base_url: Some(base_url), ..test() };
    let long = "k".repeat(4097);
    let (https, http) = (format!("https://h/{long}"), format!("http://user:{long}@127.0.0.1:1"));
    let key = |api_key| Options { api_key: Some(api_key), ..test() };
    let agent = |user_agent| Options { user_agent: Some(user_agent), ..test() };
    let proxy = |proxy_url| Options { proxy_url: Some(proxy_url), ..test() };
    for (options, status, named) in [
        (key(""), FISH_MISSING_API_KEY, "options.api_key"),
        (key(" "), FISH_INVALID_ARGUMENT, "options.api_key"),
        (key("secret\n"), FISH_INVALID_ARGUMENT, "options.api_key"),
        (key("secret\r\nX: y"), FISH_INVALID_ARGUMENT, "options.api_key"),
        (key("\"secret \""), FISH_INVALID_ARGUMENT, "options.api_key"),
        (key("secret\u{7f}"), FISH_INVALID_ARGUMENT, "options.api_key"),
        (key("secreté"), FISH_INVALID_ARGUMENT, "options.api_key"),
        (key(&long), FISH_INVALID_ARGUMENT, "options.api_key is longer than 4096 bytes"),
        (base(""), FISH_INVALID_ARGUMENT, "options.base_url"),
        (base("api.fish.audio"), FISH_INVALID_ARGUMENT, "options.base_url"),
        (base("ftp://127.0.0.1"), FISH_INVALID_ARGUMENT, "options.base_url"),
        (base("http://api.fish.audio"), FISH_INVALID_ARGUMENT, "options.base_url"),
        (base("http://127.0.0.1.example.com"), FISH_INVALID_ARGUMENT, "options.base_url"),
        (base("http://user:secret@127.0.0.1"), FISH_INVALID_ARGUMENT, "options.base_url"),
        (base("http://127.0.0.1/?secret"), FISH_INVALID_ARGUMENT, "options.base_url"),
        (base("http://127.0.0.1/#secret"), FISH_INVALID_ARGUMENT, "options.base_url"),
        (base("http://127.0.0.1:0"), FISH_INVALID_ARGUMENT, "options.base_url"),
        (base("http://127.0.0.1:99999"), FISH_INVALID_ARGUMENT, "options.base_url"),
        (base("http://127.0.0.1/a b"), FISH_INVALID_ARGUMENT, "options.base_url"),
        (base("http://127.0.0.1/../x"), FISH_INVALID_ARGUMENT, "options.base_url"),
        (base(&https), FISH_INVALID_ARGUMENT, "options.base_url is longer than 4096 bytes"),
        (base("http://127.0.0.1\r\nX: y"), FISH_INVALID_ARGUMENT, "options.base_url"),
        (agent(""), FISH_INVALID_ARGUMENT, "options.user_agent"),
        (agent("a\r\nX: y"), FISH_INVALID_ARGUMENT, "options.user_agent"),
        (agent(&long), FISH_INVALID_ARGUMENT, "options.user_agent is longer than 4096 bytes"),
        (agent("é"), FISH_INVALID_ARGUMENT, "options.user_agent"),
        (proxy("nonsense"), FISH_INVALID_ARGUMENT, "options.proxy_url"),
        (proxy("ftp://secret@p"), FISH_INVALID_ARGUMENT, "options.proxy_url"),
        (proxy(&http), FISH_INVALID_ARGUMENT, "options.proxy_url is longer than 4096 bytes"),
        (proxy("http://p.example.com:1"), FISH_INVALID_ARGUMENT, "options.proxy_url"),
        (Options { max_retries: -2, ..test() }, FISH_INVALID_ARGUMENT, "options.max_retries"),
        (Options { max_retries: i32::MIN, ..test() }, FISH_INVALID_ARGUMENT, "options.max_retries"),
        (Options { tls_roots: 2, ..test() }, FISH_INVALID_ARGUMENT, "options.tls_roots"),
        (Options { tls_roots: -1, ..test() }, FISH_INVALID_ARGUMENT, "options.tls_roots"),
        (
            Options { ca_file: Some("/nonexistent/ca.pem"), ..test() },
            FISH_INVALID_ARGUMENT,
            "options.ca_file",
        ),
        (Options { ca_file: Some(""), ..test() }, FISH_INVALID_ARGUMENT, "options.ca_file"),
        (Options { ca_file: Some("/"), ..test() }, FISH_INVALID_ARGUMENT, "options.ca_file"),
        (Options { ca_file: Some("/dev/null"), ..test() }, FISH_INVALID_ARGUMENT, "options.ca_file"),
    ] {
        let failure = Client::new(&options).err().unwrap_or_else(|| panic!("{named} was taken"));
        assert_eq!(name(failure.status), name(status), "{failure:?}");
        assert!(failure.message.contains(named), "{named}: {}", failure.message);
        assert!(!failure.message.contains("secret"), "{}", failure.message);
        assert_eq!((failure.http_status, failure.attempts, failure.retryable), (0, 0, false), "{failure:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn queries_that_are_refused_are_named_and_nothing_is_sent() {
    let server = always(ok());
    let client = Client::once(&server.url());
    let long = "x".repeat(1025);
    for (query, named) in [
        (Query { user_id: Some(""), ..Query::default() }, "query.user_id"),
        (Query { user_id: Some("."), ..Query::default() }, "query.user_id"),
        (Query { user_id: Some(".."), ..Query::default() }, "query.user_id"),
        (Query { user_id: Some(&long), ..Query::default() }, "query.user_id"),
        (Query { team_id: Some(""), ..Query::default() }, "query.team_id"),
        (Query { team_id: Some(&long), ..Query::default() }, "query.team_id"),
    ] {
        let failure = client.get(&query).unwrap_err();
        assert_eq!(failure, client.get_json(&query).unwrap_err());
        assert_eq!(failure.status, FISH_INVALID_ARGUMENT, "{named}");
        assert!(failure.message.contains(named), "{}", failure.message);
        assert_eq!((failure.http_status, failure.attempts, failure.retryable), (0, 0, false));
    }
    // What only C can do wrong.
    let bad_utf8: *const c_char = c"\xff\xfe".as_ptr();
    type Spoil = fn(&mut fish_api_credit_query, *const c_char);
    let spoils: [(Spoil, &str); 6] = [
        (|query, text| query.user_id = text, "query.user_id"),
        (|query, text| query.team_id = text, "query.team_id"),
        (|query, _| query.reserved[0] = 1, "query.reserved"),
        (|query, _| query.reserved[1] = u64::MAX, "query.reserved"),
        (|query, _| query.reserved[2] = 1 << 63, "query.reserved"),
        (|query, _| query.reserved[3] = 1, "query.reserved"),
    ];
    for (spoil, named) in spoils {
        // SAFETY: all-zero is a query and a credit; every pointer is valid for the call.
        let failure = report(|error| unsafe {
            let mut query: fish_api_credit_query = zeroed();
            spoil(&mut query, bad_utf8);
            fish_get_api_credit(client.0, &query, &mut zeroed(), error)
        });
        let failure = failure.unwrap_err();
        assert_eq!(failure.status, FISH_INVALID_ARGUMENT);
        assert!(failure.message.contains(named), "{}", failure.message);
    }
    assert_eq!((server.connections(), server.requests().len()), (0, 0));
}

#[test]
fn bad_utf8_and_reserved_words_in_options_are_named() {
    let bad_utf8: *const c_char = c"a\xc3(".as_ptr();
    type Spoil = fn(&mut fish_client_options, *const c_char);
    let spoils: [(Spoil, &str); 7] = [
        (|options, text| options.api_key = text, "options.api_key"),
        (|options, text| options.base_url = text, "options.base_url"),
        (|options, text| options.proxy_url = text, "options.proxy_url"),
        (|options, text| options.ca_file = text, "options.ca_file"),
        (|options, text| options.user_agent = text, "options.user_agent"),
        (|options, _| options.reserved[0] = 1, "options.reserved"),
        (|options, _| *options.reserved.last_mut().unwrap() = 1, "options.reserved"),
    ];
    for (spoil, named) in spoils {
        // SAFETY: all-zero is a set of options; every pointer is valid for the call.
        let failure = report(|error| unsafe {
            let mut options: fish_client_options = zeroed();
            options.api_key = c"key".as_ptr();
            spoil(&mut options, bad_utf8);
            let mut client = ptr::dangling_mut();
            let status = fish_client_new(&options, &mut client, error);
            assert!(client.is_null(), "{named}");
            status
        });
        let failure = failure.unwrap_err();
        assert_eq!(failure.status, FISH_INVALID_ARGUMENT, "{failure:?}");
        assert!(failure.message.contains(named), "{}", failure.message);
    }
}

#[test]
fn the_key_comes_from_the_environment_where_none_is_given() {
    child::alone(|| {
        let server = always(ok());
        let url = server.url();
        let set = |value: Option<&[u8]>| {
            // SAFETY: the only test of this process, and its server reads no environment.
            unsafe {
                match value {
                    None => std::env::remove_var("FISH_API_KEY"),
                    Some(value) => std::env::set_var("FISH_API_KEY", OsStr::from_bytes(value)),
                }
            }
        };
        let (long, longer) = (vec![b'k'; 4096], vec![b'k'; 4097]);
        for (value, option, want) in [
            (None, None, Err(FISH_MISSING_API_KEY)),
            (Some(&b""[..]), None, Err(FISH_MISSING_API_KEY)),
            (Some(b"from-env"), None, Ok("from-env")),
            (Some(&long), None, Ok(std::str::from_utf8(&long).unwrap())),
            (Some(b"from-env"), Some("given"), Ok("given")),
            (None, Some("given"), Ok("given")),
            (Some(b"\xff"), Some("given"), Ok("given")),
            // An empty option is a mistake of the caller's, which the environment should not cover up.
            (Some(b"from-env"), Some(""), Err(FISH_MISSING_API_KEY)),
            (Some(&longer), None, Err(FISH_INVALID_ARGUMENT)),
            (Some(b"secret\xff"), None, Err(FISH_INVALID_ARGUMENT)),
            (Some(b"secret\n"), None, Err(FISH_INVALID_ARGUMENT)),
            (Some(b"'secret '"), None, Err(FISH_INVALID_ARGUMENT)),
        ] {
            set(value);
            let options = Options { api_key: option, base_url: Some(&url), ..Options::test() };
            match (Client::new(&options), want) {
                (Ok(client), Ok(key)) => {
                    // It was copied: what the environment says later does not matter.
                    set(None);
                    client.get(&Query::default()).unwrap();
                    let host = server.address().to_string();
                    let want = request("/wallet/self/api-credit", &host, key, AGENT);
                    assert_eq!(lowercased(server.requests().last().unwrap()), want);
                }
                (Err(failure), Err(status)) => {
                    assert_eq!(name(failure.status), name(status), "{failure:?}");
                    assert!(failure.message.contains("FISH_API_KEY"), "{}", failure.message);
                    assert!(!failure.message.contains("secret"), "{}", failure.message);
                }
                (got, want) => panic!("{value:?} {option:?}: {want:?}, but {:?}", got.err()),
            }
        }
        // NULL options: everything by default, the key from the environment.
        set(Some(b"from-env"));
        let mut client = ptr::null_mut();
        // SAFETY: every pointer is valid or allowed to be NULL.
        unsafe {
            assert_eq!(fish_client_new(ptr::null(), &mut client, ptr::null_mut()), FISH_OK);
            fish_client_free(client);
        }
    });
}

#[test]
fn a_clients_options_are_copied() {
    let server = always(ok());
    let strings = [KEY, &server.url(), "", "agent/1"].map(|text| CString::new(text).unwrap());
    let mut client = ptr::null_mut();
    // SAFETY: all-zero is a set of options; every pointer is valid for the call.
    unsafe {
        let mut options: fish_client_options = zeroed();
        options.api_key = strings[0].as_ptr();
        options.base_url = strings[1].as_ptr();
        options.proxy_url = strings[2].as_ptr();
        options.user_agent = strings[3].as_ptr();
        assert_eq!(fish_client_new(&options, &mut client, ptr::null_mut()), FISH_OK);
    }
    for text in strings {
        let length = text.as_bytes().len();
        let raw = text.into_raw();
        // SAFETY: ours, of that length, and freed right away.
        unsafe {
            ptr::write_bytes(raw, b'#', length);
            drop(CString::from_raw(raw));
        }
    }
    Client(client).get(&Query::default()).unwrap();
    let host = server.address().to_string();
    let want = request("/wallet/self/api-credit", &host, KEY, &format!("agent/1 {AGENT}"));
    assert_eq!(String::from_utf8_lossy(&server.requests()[0]), want);
}
