//! Any bytes from the server, read from a socket by the real transport. They give a credit or a failure, the same
//! however the bytes arrive, without the key in any text. Of a body that is not valid HTTP, the part before the error
//! was found is reported, which is longer when the bytes arrive one by one.

#![no_main]

use fish_api_credit::fuzzing::{Failure, response};
use libfuzzer_sys::fuzz_target;

const KEY: &str = "sk-9f86d081884c7d65";

fn agree(whole: &Failure, bytewise: &Failure) -> bool {
    let body = |failure: &Failure| failure.body.clone().unwrap_or_default();
    let (less, more) = (body(whole), body(bytewise));
    // A shorter body may end within a character, or within what could be the key: redacted, or too short to be.
    let start = less.trim_end_matches('\u{FFFD}');
    let cut = (0..=KEY.len()).rev().find_map(|length| start.strip_suffix(&KEY[..length]));
    let start = start.strip_suffix("[API key]").or(cut).unwrap_or(start);
    let is_start = more.starts_with(start) && more != less;
    let status = |failure: &Failure| (failure.status, failure.http_status);
    whole == bytewise || is_start && status(whole) == status(bytewise)
}

fuzz_target!(|bytes: &[u8]| {
    let Some(whole) = response(bytes, KEY, false) else { return };
    if let Some(bytewise) = response(bytes, KEY, true) {
        match (&whole, &bytewise) {
            (Err(whole), Err(bytewise)) => assert!(agree(whole, bytewise), "{whole:?}\n{bytewise:?}"),
            _ => assert_eq!(whole, bytewise),
        }
    }
    match whole {
        Ok(_) => assert!(bytes.windows(6).any(|six| six == b" 200\r\n" || six[..5] == *b" 200 " || six[..5] == *b" 200\n")),
        Err(failure) => {
            // Any failure except a bug or a timeout: the connection was closed after the bytes.
            assert!(matches!(failure.status, 25 | 40..=49), "{failure:?}");
            for text in &failure.texts {
                assert!(!text.contains(KEY) && !text.contains('\0'), "{text:?}");
            }
        }
    }
});
