//! Any bytes as an error body. The status alone decides, and no text that leaves the library contains the key or a NUL.
//! The first two bytes choose the status; each `K` in the body becomes the key.

#![no_main]

use fish_api_credit::fuzzing::response;
use libfuzzer_sys::fuzz_target;

const KEY: &str = "sk-9f86d081884c7d65";

fuzz_target!(|input: &[u8]| {
    let [high, low, body @ ..] = input else { return };
    let status = 300 + u16::from_be_bytes([*high, *low]) % 300;
    let mut echoing = Vec::new();
    for &byte in body {
        match byte {
            b'K' => echoing.extend_from_slice(KEY.as_bytes()),
            _ => echoing.push(byte),
        }
    }
    let head = format!(
        "HTTP/1.1 {status} {KEY}\r\nx-fish-error-code: {KEY}\r\ncf-ray: {KEY}\r\nContent-Length: {}\r\n\r\n",
        echoing.len()
    );
    let whole = [head.as_bytes(), &echoing].concat();
    let Some(got) = response(&whole, KEY, false) else { return };
    let failure = got.expect_err("an error response is never a success");
    let want = match status {
        401 => 40,
        402 => 41,
        403 => 42,
        404 => 43,
        400 | 422 => 44,
        429 => 45,
        500..=599 => 46,
        _ => 47,
    };
    assert_eq!((failure.status, failure.http_status), (want, status));
    for text in &failure.texts {
        assert!(!text.contains(KEY) && !text.contains('\0'), "{text:?}");
    }
    assert!(failure.body.is_none_or(|body| body.len() <= 4096));
});
