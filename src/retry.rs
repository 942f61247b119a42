//! Whether to ask again, and after how long. Pure: the clock and the dice are handed in.

use std::time::Duration;

use crate::error::Error;
use crate::status::Status;

const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const LONGEST_BACKOFF: Duration = Duration::from_secs(8);

/// An answer with this HTTP status may be different next time (a GET is safe to repeat, RFC 9110 §9.2.2).
pub(crate) fn worth_asking_again(http_status: u16) -> bool {
    matches!(http_status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// How long to wait before asking again, or `None` to give up with this failure.
///
/// `retries` counts those already made; `dice` is any random number.
pub(crate) fn backoff(
    failure: &Error,
    retries: u32,
    max_retries: u32,
    remaining: Duration,
    dice: u64,
) -> Option<Duration> {
    if !failure.retryable || failure.status == Status::Cancelled || retries >= max_retries {
        return None;
    }
    let wait = failure.retry_after.unwrap_or_else(|| full_jitter(retries, dice));
    (wait < remaining).then_some(wait)
}

/// Anywhere from nothing to the exponential step ("full jitter"), so that clients that failed together do not
/// come back together.
fn full_jitter(retries: u32, dice: u64) -> Duration {
    let step = FIRST_BACKOFF.saturating_mul(1 << retries.min(16)).min(LONGEST_BACKOFF);
    let micros = step.as_micros() as u64;
    Duration::from_micros(dice % (micros + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_as_a_table() {
        const AGES: Duration = Duration::from_secs(3600);
        let ms = Duration::from_millis;
        let top = 250_000; // dice that land on the whole first step
        for (name, retryable, retry_after, retries, max, remaining, dice, want) in [
            ("first retry, whole step", true, None, 0, 2, AGES, top, Some(ms(250))),
            ("full jitter reaches zero", true, None, 0, 2, AGES, 0, Some(ms(0))),
            ("second retry doubles", true, None, 1, 2, AGES, 500_000, Some(ms(500))),
            ("dice wrap inside the step", true, None, 0, 2, AGES, top + 1, Some(ms(0))),
            ("steps stop growing", true, None, 40, 99, AGES, 8_000_000, Some(ms(8000))),
            ("retries used up", true, None, 2, 2, AGES, 0, None),
            ("retries turned off", true, None, 0, 0, AGES, 0, None),
            ("not worth it", false, None, 0, 2, AGES, 0, None),
            ("the server names the wait", true, Some(ms(1000)), 0, 2, AGES, 0, Some(ms(1000))),
            ("the server says now", true, Some(ms(0)), 0, 2, AGES, top, Some(ms(0))),
            ("no room for the wait", true, Some(ms(1000)), 0, 2, ms(1000), 0, None),
            ("no room at all", true, None, 0, 2, ms(0), 0, None),
            ("just room", true, Some(ms(999)), 0, 2, ms(1000), 0, Some(ms(999))),
        ] {
            let mut failure = Error::new(Status::ServerError, "");
            failure.retryable = retryable;
            failure.retry_after = retry_after;
            assert_eq!(backoff(&failure, retries, max, remaining, dice), want, "{name}");
        }
    }

    #[test]
    fn a_cancelled_call_is_never_repeated() {
        let mut failure = Error::new(Status::Cancelled, "");
        failure.retryable = true;
        assert_eq!(backoff(&failure, 0, 9, Duration::MAX, 0), None);
    }

    #[test]
    fn which_answers_are_worth_asking_again() {
        let again: Vec<u16> = (100..600).filter(|&s| worth_asking_again(s)).collect();
        assert_eq!(again, [408, 429, 500, 502, 503, 504]);
    }
}
