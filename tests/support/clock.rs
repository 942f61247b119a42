//! Holding calls to the promises of time in docs/limits.md. A machine that is too busy wakes everybody late, and lets
//! those who compute wait for a processor. So a second thread sleeps all the while in short steps, and looks how long
//! this process's threads have waited for one. For each of the two threads that a cancelled call needs (its own, and the
//! one that waits for it) a call may be as late as the unluckiest of all these was.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// What docs/limits.md allows after a deadline, and after a cancel.
pub const GRACE: Duration = Duration::from_millis(100);
const STEP: Duration = Duration::from_millis(10);
/// How many steps there are from one look at the threads to the next.
const LOOK: u32 = 4;

/// How long each thread of this process has been ready to run without running; nothing where the system does not say.
#[derive(Default)]
struct Queued(BTreeMap<String, (Duration, Duration)>);

impl Queued {
    /// `begun`: of a thread that was not there at the first look, all that it waited counts.
    fn look(&mut self, begun: bool) {
        for thread in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
            // It may have ended meanwhile.
            let Ok(text) = fs::read_to_string(thread.path().join("schedstat")) else { continue };
            let Some(Ok(waited)) = text.split(' ').nth(1).map(str::parse) else { continue };
            let waited = Duration::from_nanos(waited);
            let name = thread.file_name().to_string_lossy().into_owned();
            let before = if begun { Duration::ZERO } else { waited };
            self.0.entry(name).or_insert((before, waited)).1 = waited;
        }
    }

    /// The longest that any of them has waited since the first look at it.
    fn longest(&self) -> Duration {
        self.0.values().map(|&(first, last)| last - first).max().unwrap_or_default()
    }
}

/// Runs `body`, which must be over `GRACE` after `limit`, and no earlier than `limit` if `exact`.
fn held<T>(what: &str, limit: Duration, exact: bool, body: impl FnOnce() -> T) -> T {
    let (over, waits) = channel::<()>();
    let begun = Instant::now();
    let control = std::thread::spawn(move || {
        let mut latest = Duration::ZERO;
        let mut queued = Queued::default();
        // This thread may come to run only after the body.
        let mut due = begun;
        for step in 0.. {
            latest = latest.max(due.elapsed());
            due = Instant::now() + STEP;
            if step % LOOK == 0 {
                queued.look(step > 0);
            }
            match waits.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Err(RecvTimeoutError::Timeout) => {}
                _ => break,
            }
        }
        latest = latest.max(due.elapsed());
        queued.look(true);
        latest.max(queued.longest())
    });
    let result = body();
    let took = begun.elapsed();
    drop(over);
    let late = control.join().unwrap();
    assert!(
        took <= limit + GRACE + 2 * late,
        "{what}: took {took:?}, not {limit:?} (others were {late:?} late)"
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

/// Runs `body` with a limit of `ms`. Where a busy machine did not come to what is tried in that time, it gets more.
pub fn reached<E: Debug>(what: &str, ms: u32, body: impl Fn(u32) -> Result<(), E>) {
    let failed = [1, 5, 25].map(|more| ms * more).into_iter().map_while(|ms| body(ms).err());
    let failures: Vec<E> = failed.collect();
    assert!(failures.len() < 3, "{what}: {failures:?}");
}

/// Whether `body` takes less than `limit` in one of many tries. For where nobody can tell how late a busy machine is:
/// the other side is another process, or there is no descriptor to look at the threads with.
pub fn takes_less(limit: Duration, mut body: impl FnMut()) -> bool {
    (0..20).any(|_| {
        let begun = Instant::now();
        body();
        begun.elapsed() < limit
    })
}
