//! The retry policy: whether to try again, and after how long. Pure: time and randomness are parameters.

use std::time::Duration;

use crate::error::Error;
use crate::status::Status;

const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const LONGEST_BACKOFF: Duration = Duration::from_secs(8);

/// Whether a request that got this HTTP status may succeed later (a GET is safe to repeat, RFC 9110 §9.2.2). Cloudflare
/// uses 520 to 524 and 530 for a failing server behind it; 529 means an overloaded server.
pub(crate) fn is_retryable(http_status: u16) -> bool {
    matches!(http_status, 408 | 429 | 500 | 502..=504 | 520..=524 | 529 | 530)
}

/// How long to wait before the next attempt, or `None` to return this failure.
///
/// `retries` counts the retries already made; `random` is any random number. Retry-After is the minimum, and jitter is
/// added to it, so that clients that were rejected together do not come back together.
pub(crate) fn backoff(
    failure: &Error,
    retries: u32,
    max_retries: u32,
    remaining: Duration,
    random: u64,
) -> Option<Duration> {
    if !failure.retryable || failure.status == Status::Cancelled || retries >= max_retries {
        return None;
    }
    let least = failure.retry_after.unwrap_or_default();
    let wait = least.saturating_add(full_jitter(retries, random));
    (wait < remaining).then_some(wait)
}

/// A random wait from zero to the exponential step ("full jitter"). The steps grow to a limit, so that even with many
/// retries allowed, a call makes only a few per second at first and one every few seconds later.
fn full_jitter(retries: u32, random: u64) -> Duration {
    let step = FIRST_BACKOFF.saturating_mul(1 << retries.min(16)).min(LONGEST_BACKOFF);
    let micros = step.as_micros() as u64;
    Duration::from_micros(random % (micros + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_as_a_table() {
        const AGES: Duration = Duration::from_secs(3600);
        let ms = Duration::from_millis;
        let top = 250_000; // a random number that lands on the whole first step
        for (name, retryable, retry_after, retries, max, remaining, random, want) in [
            ("first retry, whole step", true, None, 0, 2, AGES, top, Some(ms(250))),
            ("full jitter reaches zero", true, None, 0, 2, AGES, 0, Some(ms(0))),
            ("second retry doubles", true, None, 1, 2, AGES, 500_000, Some(ms(500))),
            ("numbers wrap inside the step", true, None, 0, 2, AGES, top + 1, Some(ms(0))),
            ("the last step that grows", true, None, 4, 99, AGES, 4_000_000, Some(ms(4000))),
            ("steps stop growing", true, None, 5, 99, AGES, 8_000_000, Some(ms(8000))),
            ("at eight seconds", true, None, 6, 99, AGES, 8_000_001, Some(ms(0))),
            ("and stay there", true, None, u32::MAX - 1, u32::MAX, AGES, 8_000_000, Some(ms(8000))),
            ("retries used up", true, None, 2, 2, AGES, 0, None),
            ("retries turned off", true, None, 0, 0, AGES, 0, None),
            ("not retryable", false, None, 0, 2, AGES, 0, None),
            ("the server names the least wait", true, Some(ms(1000)), 0, 2, AGES, 0, Some(ms(1000))),
            ("jitter is added to it", true, Some(ms(1000)), 0, 2, AGES, top, Some(ms(1250))),
            ("and grows", true, Some(ms(1000)), 1, 2, AGES, 500_000, Some(ms(1500))),
            ("the server says now", true, Some(ms(0)), 0, 2, AGES, top, Some(ms(250))),
            ("the server says never", true, Some(Duration::MAX), 0, 2, AGES, top, None),
            ("no room for the wait", true, Some(ms(1000)), 0, 2, ms(1000), 0, None),
            ("no room for the jitter", true, Some(ms(900)), 0, 2, ms(1000), top, None),
            ("no room at all", true, None, 0, 2, ms(0), 0, None),
            ("just room", true, Some(ms(749)), 0, 2, ms(1000), top, Some(ms(999))),
        ] {
            let mut failure = Error::new(Status::ServerError, "");
            failure.retryable = retryable;
            failure.retry_after = retry_after;
            assert_eq!(backoff(&failure, retries, max, remaining, random), want, "{name}");
        }
    }

    #[test]
    fn a_cancelled_call_is_never_repeated() {
        let mut failure = Error::new(Status::Cancelled, "");
        failure.retryable = true;
        assert_eq!(backoff(&failure, 0, 9, Duration::MAX, 0), None);
    }

    #[test]
    fn a_server_that_says_now_is_not_flooded_however_many_retries_are_allowed() {
        let mut failure = Error::new(Status::ServerError, "");
        failure.retryable = true;
        failure.retry_after = Some(Duration::ZERO);
        let timeout = Duration::from_secs(15);
        for seed in 0..1000u64 {
            let (mut retries, mut waited) = (0, Duration::ZERO);
            let mut random = seed;
            loop {
                random =
                    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                match backoff(&failure, retries, 100_000, timeout - waited, random >> 16) {
                    Some(wait) => (retries, waited) = (retries + 1, waited + wait),
                    None => break,
                }
            }
            assert!((3..=25).contains(&retries), "{seed}: {retries} retries in {waited:?}");
        }
    }

    #[test]
    fn which_statuses_are_retried() {
        let again: Vec<u16> = (0..=999).filter(|&status| is_retryable(status)).collect();
        assert_eq!(again, [408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529, 530]);
    }
}
