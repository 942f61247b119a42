//! Any bytes as what the server sends, read from a socket by the real transport: an answer or a failure, the same
//! however the bytes arrive, with nothing in it that must stay inside.

#![no_main]

use fish_api_credit::fuzzing::answer;
use libfuzzer_sys::fuzz_target;

const KEY: &str = "sk-9f86d081884c7d65";

fuzz_target!(|bytes: &[u8]| {
    let Some(whole) = answer(bytes, KEY, false) else { return };
    if let Some(bytewise) = answer(bytes, KEY, true) {
        assert_eq!(whole, bytewise);
    }
    match whole {
        Ok(_) => assert!(bytes.windows(6).any(|six| six == b" 200\r\n" || six[..5] == *b" 200 " || six[..5] == *b" 200\n")),
        Err(failure) => {
            // Lost, any answer, but no bug and no time-out: the end of the bytes was at hand.
            assert!(matches!(failure.status, 25 | 40..=49), "{failure:?}");
            for text in &failure.texts {
                assert!(!text.contains(KEY) && !text.contains('\0'), "{text:?}");
            }
        }
    }
});
