//! Holding calls to the promises of time in docs/limits.md. A machine that is too busy to run anybody wakes everybody
//! late, so a second thread sleeps all the while in short steps, and for each of the two threads that a cancelled
//! call needs awake (its own, and the one that waits for it) a call may be as late as that one ever was.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// What docs/limits.md allows after a deadline, and after a cancel.
pub const GRACE: Duration = Duration::from_millis(100);
const STEP: Duration = Duration::from_millis(10);

/// Runs `body`, which must be over `GRACE` after `limit`, and no earlier than `limit` if `exact`.
fn held<T>(what: &str, limit: Duration, exact: bool, body: impl FnOnce() -> T) -> T {
    let (over, waits) = channel::<()>();
    let begun = Instant::now();
    let control = std::thread::spawn(move || {
        let mut latest = Duration::ZERO;
        loop {
            let due = Instant::now() + STEP;
            match waits.recv_timeout(STEP) {
                Err(RecvTimeoutError::Timeout) => latest = latest.max(due.elapsed()),
                _ => return latest,
            }
        }
    });
    let result = body();
    let took = begun.elapsed();
    drop(over);
    let late = control.join().unwrap();
    assert!(
        took <= limit + GRACE + 2 * late,
        "{what}: took {took:?}, not {limit:?} (a sleeper was {late:?} late)"
    );
    assert!(!exact || took >= limit, "{what}: took only {took:?} of {limit:?}");
    result
}

/// `body` ends when its time is up: not before, and hardly after.
pub fn ends_at<T>(what: &str, limit: Duration, body: impl FnOnce() -> T) -> T {
    held(what, limit, true, body)
}

/// `body` is over by then.
pub fn ends_by<T>(what: &str, limit: Duration, body: impl FnOnce() -> T) -> T {
    held(what, limit, false, body)
}
