//! The two kinds of time in a response: RFC 3339 date-times in the document, and Retry-After in the head.

use std::time::{Duration, SystemTime};

use ::time::OffsetDateTime;
use ::time::format_description::well_known::Rfc3339;

/// Microseconds since 1970-01-01T00:00:00Z, rounded down. `None`: not an RFC 3339 date-time.
pub(crate) fn unix_micros(text: &str) -> Option<i64> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    Some(at.unix_timestamp() * 1_000_000 + i64::from(at.microsecond()))
}

/// The wait that a Retry-After header asks for (RFC 9110 §10.2.3: delay-seconds or HTTP-date). A date in the past is
/// zero. `None`: the value is neither.
pub(crate) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim_matches([' ', '\t']);
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // More than a century is as good as never.
        return Some(Duration::from_secs(value.parse::<u32>().unwrap_or(u32::MAX).into()));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    Some(at.duration_since(now).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_3339_becomes_unix_micros() {
        for (text, want) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2026-08-01T12:34:56Z", Some(1_785_587_696_000_000)),
            ("2026-08-01T12:34:56.789012Z", Some(1_785_587_696_789_012)),
            ("2026-08-01T12:34:56.7890129Z", Some(1_785_587_696_789_012)),
            ("2026-08-01T14:34:56+02:00", Some(1_785_587_696_000_000)),
            ("1969-12-31T23:59:59.5Z", Some(-500_000)),
            ("1969-12-31T23:59:59.9999999Z", Some(-1)),
            ("2026-02-29T00:00:00Z", None),
            ("2026-08-01T12:34:56", None),
            ("2026-08-01", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(unix_micros(text), want, "{text:?}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_785_587_696);
        for (value, want) in [
            ("0", Some(0)),
            ("7", Some(7)),
            (" 7 ", Some(7)),
            ("4294967295", Some(u64::from(u32::MAX))),
            ("4294967296", Some(u64::from(u32::MAX))),
            ("18446744073709551615", Some(u64::from(u32::MAX))),
            ("99999999999999999999999", Some(u64::from(u32::MAX))),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(251_616_713_103)),
            ("Sat, 01 Aug 2026 12:35:56 GMT", Some(60)),
            ("Saturday, 01-Aug-26 12:35:56 GMT", Some(60)),
            ("Sat Aug  1 12:35:56 2026", Some(60)),
            ("Sat, 01 Aug 2026 12:00:00 GMT", Some(0)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(retry_after(value, now), want.map(Duration::from_secs), "{value:?}");
        }
    }
}
