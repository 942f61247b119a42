//! Any text as a Retry-After header: seconds, a date, or invalid.

#![no_main]

use std::time::{Duration, SystemTime};

use fish_api_credit::fuzzing::retry_after;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|value: &str| {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_785_587_696);
    let got = retry_after(value, now);
    let trimmed = value.trim_matches([' ', '\t']);
    if !trimmed.is_empty() && trimmed.bytes().all(|b| b.is_ascii_digit()) {
        let seconds = trimmed.parse().unwrap_or(u32::MAX);
        assert_eq!(got, Some(Duration::from_secs(seconds.into())));
    } else if let Some(wait) = got {
        let at = httpdate::parse_http_date(trimmed).expect("a date");
        assert_eq!(now + wait, at.max(now));
    } else {
        assert!(httpdate::parse_http_date(trimmed).is_err());
    }
});
