//! Any text as a base URL. An accepted one has the target that a browser's parser finds, is never plain http to another
//! machine, and produces a single request.

#![no_main]

use std::net::Ipv4Addr;

use fish_api_credit::fuzzing::{origin, request};
use libfuzzer_sys::fuzz_target;
use url::{Host, Url};

fuzz_target!(|text: &str| {
    let Some((https, host, port)) = origin(text) else {
        assert!(request(text, None, None, false, "key").is_none());
        return;
    };
    // A browser reads 127.1 as an address, and rejects a name that ends in a number or is not valid IDNA. This library
    // passes such names to the system's lookup, and only for https.
    if let Ok(url) = Url::parse(text) {
        let theirs = match url.host().expect("a host") {
            Host::Ipv6(ip) => format!("[{ip}]"),
            other => other.to_string(),
        };
        let numeric = host.rsplit('.').find(|label| !label.is_empty()).is_some_and(|label| {
            label.bytes().all(|b| b.is_ascii_digit()) || label.starts_with("0x")
        });
        assert!(theirs == host || numeric && https, "{text:?}: {theirs} is not {host}");
        assert_eq!(url.port_or_known_default(), Some(port), "{text:?}");
        assert_eq!(url.scheme() == "https", https);
        assert!(url.username().is_empty() && url.password().is_none());
    }
    if !https {
        let name = host.trim_end_matches('.');
        let loopback = host == "[::1]"
            || name == "localhost"
            || name.ends_with(".localhost")
            || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback());
        assert!(loopback, "{text:?} is plain http to {host}");
    }
    let bytes = request(text, None, None, false, "key").expect("what parses can be asked");
    let mut fields = [httparse::EMPTY_HEADER; 8];
    let mut parsed = httparse::Request::new(&mut fields);
    assert_eq!(parsed.parse(&bytes).expect("HTTP"), httparse::Status::Complete(bytes.len()));
    assert_eq!(parsed.headers.len(), 5);
    let path = parsed.path.expect("a path");
    assert!(path.starts_with('/') && path.ends_with("/wallet/self/api-credit"), "{path}");
    assert!(!path.split('/').any(|segment| segment == "." || segment == ".."), "{path}");
    let authority = std::str::from_utf8(parsed.headers[0].value).expect("ASCII");
    assert!(authority.starts_with(&host), "{authority}");
});
