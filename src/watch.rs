//! A watch reads the credit periodically and keeps the last good reading. `Progress` decides when to read next, which
//! level a credit has and what counts as a change; it is pure, with time and results as parameters. The thread around
//! it waits, calls and records.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use crate::alarm::{Alarm, Woken};
use crate::background::no_thread;
use crate::client::{Client, Prepared, Query, cancelled};
use crate::clock;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::ffi::boundary::contained;
use crate::fork::{self, PerProcess};
use crate::money::Micros;
use crate::random::random;
use crate::response::{ApiCredit, Kept};
use crate::status::Status;
use crate::thread;

const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
/// The longest wait after failures, in intervals.
const LONGEST_WAIT: u32 = 10;

/// How much credit is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Level {
    /// Nothing has been read yet.
    #[default]
    Unknown,
    Ok,
    Low,
    Empty,
}

/// A watch's options as the caller set them: zero means the default.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Options {
    pub interval_ms: u32,
    pub low_micros: i64,
    pub recovered_micros: i64,
}

/// The validated options.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Policy {
    interval: Duration,
    /// Below this the level is low. 0: no such level.
    low: i64,
    /// After low or empty, the level returns to OK at or above this.
    recovered: i64,
}

impl Policy {
    fn new(options: &Options) -> Result<Policy> {
        let Options { interval_ms, low_micros, recovered_micros } = *options;
        let interval = match interval_ms {
            0 => DEFAULT_INTERVAL,
            ms => Duration::from_millis(ms.into()),
        };
        if interval < SHORTEST_INTERVAL {
            return Err(Error::invalid(format!(
                "options.interval_ms is {interval_ms}; set it to 1000 or more, or to 0 for the default."
            )));
        }
        if low_micros < 0 {
            return Err(Error::invalid(format!(
                "options.low_micros is {low_micros}; set it above 0, or to 0 for no low level."
            )));
        }
        let recovered = if recovered_micros == 0 { low_micros } else { recovered_micros };
        if recovered < low_micros {
            return Err(Error::invalid(format!(
                "options.recovered_micros is {recovered_micros}, below low_micros; set it to {low_micros} or more, or \
                 to 0 for the default."
            )));
        }
        Ok(Policy { interval, low: low_micros, recovered })
    }

    fn level(&self, before: Level, credit: Micros) -> Level {
        let depleted = matches!(before, Level::Low | Level::Empty);
        // The value is rounded down, so 0 may stand for less than a millionth, which is more than zero.
        let micros = credit.value;
        if micros < 0 || (micros == 0 && credit.exact) {
            Level::Empty
        } else if micros < self.low {
            Level::Low
        } else if depleted && micros < self.recovered {
            // Not recovered yet. Without a low level it stays empty.
            if self.low > 0 { Level::Low } else { Level::Empty }
        } else {
            Level::Ok
        }
    }

    /// The wait between a reading and the next one. `failures`: how many in a row have failed, including this one.
    fn wait(&self, failure: Option<&Error>, failures: u32, random: u64) -> Duration {
        let stretch = match failure.map(|failure| failure.status) {
            None => 1,
            // These need a person to act.
            Some(Status::Unauthorized | Status::PaymentRequired | Status::Forbidden | Status::NotFound) => {
                LONGEST_WAIT
            }
            Some(_) => 1u32.checked_shl(failures).map_or(LONGEST_WAIT, |twice| twice.min(LONGEST_WAIT)),
        };
        let wait = self.interval * stretch;
        // 10 % of jitter, centred on the interval.
        let share = (random % 1001) as u32;
        let jitter = wait / 10 * share / 1000;
        // Retry-After is the minimum, plus jitter, so that clients that were rejected together do not come back
        // together.
        let asked = failure.and_then(|failure| failure.retry_after).unwrap_or_default();
        (wait * 95 / 100 + jitter).max(asked.saturating_add(jitter))
    }
}

/// A good reading, with the amount that was decoded.
struct Reading {
    kept: Kept,
    amount: String,
    micros: Micros,
}

impl Reading {
    fn new(credit: &ApiCredit<'_>, document: &str) -> Reading {
        let amount = &credit.credit;
        Reading { kept: Kept::new(credit, document), amount: amount.text.to_string(), micros: amount.micros }
    }
}

/// The state of a watch. Times are by `clock::since_start`.
#[derive(Debug)]
struct Progress {
    policy: Policy,
    /// The last good reading, and its time.
    credit: Option<(Kept, Duration)>,
    /// The text of its amount.
    amount: String,
    level: Level,
    /// How the latest reading ended. `None`: none has ended yet.
    newest: Option<Result<()>>,
    failures: u32,
    changes: u64,
    /// When the next reading starts. `None`: never, because the watch has ended.
    next: Option<Duration>,
    /// The end of a Retry-After, which a refresh respects too.
    not_before: Duration,
    /// A reading was requested and has not started.
    refresh: bool,
}

impl Progress {
    fn new(policy: Policy, now: Duration) -> Progress {
        Progress {
            policy,
            credit: None,
            amount: String::new(),
            level: Level::Unknown,
            newest: None,
            failures: 0,
            changes: 0,
            next: Some(now),
            not_before: Duration::ZERO,
            refresh: false,
        }
    }

    /// When the next reading is due. `None`: never.
    fn due(&self) -> Option<Duration> {
        let next = self.next?;
        Some(if self.refresh { next.min(self.not_before) } else { next })
    }

    /// Records that a reading starts.
    fn begin(&mut self, now: Duration) {
        self.next = Some(now);
        self.refresh = false;
    }

    fn refresh(&mut self) {
        self.refresh = true;
    }

    fn status(&self) -> Status {
        match &self.newest {
            None => Status::Pending,
            Some(Ok(())) => Status::Ok,
            Some(Err(failure)) => failure.status,
        }
    }

    /// Records the outcome of a reading. Returns true if it counts as a change.
    fn record(&mut self, now: Duration, outcome: Result<Reading>, random: u64) -> bool {
        let before = (self.status(), self.level);
        let mut changed = false;
        match outcome {
            Ok(Reading { kept, amount, micros }) => {
                changed = self.credit.is_none() || amount != self.amount;
                self.level = self.policy.level(self.level, micros);
                self.amount = amount;
                self.credit = Some((kept, now));
                self.failures = 0;
                self.next = Some(now + self.policy.wait(None, 0, random));
                self.not_before = Duration::ZERO;
                self.newest = Some(Ok(()));
            }
            Err(failure) => {
                self.failures = self.failures.saturating_add(1);
                let wait = self.policy.wait(Some(&failure), self.failures, random);
                self.not_before = now.saturating_add(failure.retry_after.unwrap_or_default());
                // A cancelled token or client stays cancelled.
                let over = failure.status == Status::Cancelled;
                self.next = (!over).then(|| now.saturating_add(wait));
                self.newest = Some(Err(failure));
            }
        }
        changed |= before != (self.status(), self.level);
        self.changes += u64::from(changed);
        changed
    }

    /// Records a failure after which there are no more readings.
    fn end(&mut self, failure: Box<Error>) {
        self.failures = self.failures.saturating_add(1);
        self.next = None;
        self.newest = Some(Err(failure));
        self.changes += 1;
    }
}

/// A snapshot of a watch.
#[derive(Clone)]
pub(crate) struct State {
    /// The last good reading.
    pub credit: Option<Kept>,
    pub level: Level,
    pub status: Status,
    pub failures: u32,
    /// Until the next reading starts. `None`: never.
    pub next: Option<Duration>,
    /// Since `credit` was read.
    pub age: Duration,
    pub changes: u64,
    /// Why the latest reading failed.
    pub failure: Option<Box<Error>>,
}

impl State {
    fn nothing() -> State {
        State {
            credit: None,
            level: Level::Unknown,
            status: Status::Pending,
            failures: 0,
            next: None,
            age: Duration::ZERO,
            changes: 0,
            failure: None,
        }
    }
}

pub(crate) struct Watch {
    shared: Arc<Shared>,
}

/// What a watch and its thread share. The lock is held only to copy.
struct Shared {
    progress: Mutex<Progress>,
    /// Set on a change, cleared by a read; both under the lock.
    changed: Event,
    /// Set to make the thread check `Progress::due` again. Set and cleared under the lock.
    wake: Event,
    /// Set by `Watch::end`.
    ended: Arc<Event>,
    /// The process that has the thread; a forked child has none.
    process: u32,
    /// A forked child's snapshot, and its time. Taken once, so that readers there need no lock.
    inherited: PerProcess<(Duration, State)>,
}

const _: () = {
    const fn assert_shared_between_threads<T: Send + Sync>() {}
    assert_shared_between_threads::<Watch>();
};

impl Watch {
    /// Starts a watch; the first reading starts at once. Errors that can be found before anything is sent are reported
    /// here.
    pub(crate) fn start(client: Arc<Client>, query: &Query<'_>, options: &Options) -> Result<Watch> {
        let policy = Policy::new(options)?;
        let prepared = client.prepare(query)?;
        let shared = Arc::new(Shared {
            progress: Mutex::new(Progress::new(policy, clock::since_start())),
            changed: Event::new(),
            wake: Event::new(),
            ended: Arc::new(Event::new()),
            process: fork::generation(),
            inherited: PerProcess::new((Duration::ZERO, State::nothing())),
        });
        let own = Arc::clone(&shared);
        let run = move || {
            if let Err(panic) = contained(|| own.run(client, &prepared)) {
                own.fail(Error::bug(&panic));
            }
        };
        thread::start("fish-watch", thread::CALL_STACK, run).map_err(no_thread)?;
        Ok(Watch { shared })
    }

    /// The current state. Never waits for the network.
    pub(crate) fn read(&self) -> State {
        if self.shared.process != fork::generation() {
            return self.read_in_child();
        }
        let progress = self.shared.lock();
        self.shared.changed.clear();
        state(&progress)
    }

    /// Starts a reading now, or after the one that is running.
    pub(crate) fn refresh(&self) {
        if self.shared.process == fork::generation() {
            let mut progress = self.shared.lock();
            progress.refresh();
            self.shared.wake.set();
        }
    }

    /// Readable when something has changed since the last `read`. `None`: none was available.
    pub(crate) fn descriptor(&self) -> Option<isize> {
        self.shared.changed.descriptor()
    }

    /// Ends the watch, and cancels a running reading.
    pub(crate) fn end(&self) {
        self.shared.ended.set();
    }

    /// A forked child has no thread, so this returns the parent's last state before the fork.
    fn read_in_child(&self) -> State {
        let now = clock::since_start();
        let (taken, known) = self.shared.inherited.get(|| (now, self.shared.inherit()));
        let mut known = known.clone();
        if known.credit.is_some() {
            known.age += now.saturating_sub(*taken);
        }
        known
    }
}

impl Shared {
    /// The state for a forked child. If a thread of the parent held the lock during the fork, it stays locked in the
    /// child, and nothing is known.
    fn inherit(&self) -> State {
        let mut known = match self.progress.try_lock() {
            Ok(progress) => state(&progress),
            Err(TryLockError::Poisoned(progress)) => state(&progress.into_inner()),
            Err(TryLockError::WouldBlock) => State::nothing(),
        };
        known.status = Status::Cancelled;
        known.next = None;
        known.failure = Some(cancelled(0));
        known
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the watch with a failure of its own.
    fn fail(&self, failure: Box<Error>) {
        let mut progress = self.lock();
        progress.end(failure);
        self.changed.set();
    }

    /// The body of the watch's thread.
    fn run(&self, client: Arc<Client>, prepared: &Prepared) {
        let cancels = [prepared.cancel.clone(), Some(client.ended()), Some(Arc::clone(&self.ended))];
        let alarm = Alarm::new(cancels);
        loop {
            let Some(due) = self.lock().due() else { break };
            match alarm.wait(due, &self.wake) {
                Woken::Due => self.lock().begin(clock::since_start()),
                Woken::Event => {
                    let _set_under_the_lock = self.lock();
                    self.wake.clear();
                    continue;
                }
                Woken::Cancelled => {
                    self.record(Err(cancelled(0)));
                    break;
                }
            }
            let outcome =
                contained(|| client.perform(prepared, Some(&self.ended), Instant::now(), Reading::new));
            self.record(outcome.unwrap_or_else(|panic| Err(Error::bug(&panic))));
        }
    }

    fn record(&self, outcome: Result<Reading>) {
        let mut progress = self.lock();
        if progress.record(clock::since_start(), outcome, random()) {
            self.changed.set();
        }
    }
}

fn state(progress: &Progress) -> State {
    let now = clock::since_start();
    let failure = progress.newest.as_ref().and_then(|newest| newest.as_ref().err()).cloned();
    State {
        credit: progress.credit.as_ref().map(|(kept, _)| kept.clone()),
        level: progress.level,
        status: progress.status(),
        failures: progress.failures,
        next: progress.due().map(|due| due.saturating_sub(now)),
        age: progress.credit.as_ref().map_or(Duration::ZERO, |(_, read)| now.saturating_sub(*read)),
        changes: progress.changes,
        failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const START: Duration = Duration::from_secs(100);

    fn policy(low: i64, recovered: i64) -> Policy {
        Policy::new(&Options { interval_ms: 1000, low_micros: low, recovered_micros: recovered }).unwrap()
    }

    fn reading(credit: &str) -> Result<Reading> {
        let document =
            format!(r#"{{"_id":"i","user_id":"u","credit":"{credit}","created_at":"","updated_at":""}}"#);
        let (credit, text) = crate::response::decode(document.as_bytes()).unwrap();
        Ok(Reading::new(&credit, text))
    }

    fn failure(status: Status) -> Box<Error> {
        Error::new(status, "why")
    }

    #[test]
    fn invalid_options_are_rejected_by_name() {
        for (interval_ms, low_micros, recovered_micros, want) in [
            (0, 0, 0, None),
            (1000, 5, 5, None),
            (u32::MAX, i64::MAX, i64::MAX, None),
            (1000, 0, 5, None),
            (999, 0, 0, Some("options.interval_ms is 999")),
            (1, 0, 0, Some("options.interval_ms is 1")),
            (0, -1, 0, Some("options.low_micros is -1")),
            (0, 5, 4, Some("options.recovered_micros is 4")),
            (0, 5, -5, Some("options.recovered_micros is -5")),
            (0, 0, -5, Some("options.recovered_micros is -5")),
        ] {
            let got = Policy::new(&Options { interval_ms, low_micros, recovered_micros }).err();
            assert_eq!(got.is_some(), want.is_some(), "{interval_ms} {low_micros} {recovered_micros}");
            if let (Some(error), Some(want)) = (got, want) {
                assert_eq!(error.status, Status::InvalidArgument);
                assert!(error.message.starts_with(want), "{}", error.message);
            }
        }
        assert_eq!(Policy::new(&Options::default()).unwrap().interval, 60 * SECOND);
    }

    #[test]
    fn levels_as_a_table_and_without_flicker_at_the_threshold() {
        use Level::*;
        for (low, recovered, steps) in [
            // No low level.
            (0, 0, &[(5, Ok), (0, Empty), (-1, Empty), (1, Ok), (i64::MIN, Empty), (i64::MAX, Ok)][..]),
            (0, 5, &[(1, Ok), (0, Empty), (4, Empty), (5, Ok), (1, Ok)]),
            (10, 0, &[(10, Ok), (9, Low), (10, Ok), (0, Empty), (9, Low), (0, Empty), (10, Ok)]),
            // Around the threshold: 9 and 10 in turn, but low only once.
            (10, 15, &[(10, Ok), (9, Low), (10, Low), (9, Low), (14, Low), (15, Ok), (10, Ok), (9, Low)]),
            (10, 15, &[(0, Empty), (14, Low), (0, Empty), (15, Ok)]),
            (10, 15, &[(12, Ok), (-3, Empty), (12, Low), (15, Ok)]),
        ] {
            let policy = policy(low, recovered);
            let mut level = Unknown;
            for (micros, want) in steps {
                level = policy.level(level, Micros { value: *micros, exact: true });
                assert_eq!(level, *want, "{low} {recovered}: {micros} in {steps:?}");
            }
        }
    }

    #[test]
    fn less_than_a_millionth_is_more_than_nothing() {
        for (text, want) in [
            ("0", Level::Empty),
            ("0.000000", Level::Empty),
            ("-0", Level::Empty),
            ("0.0000001", Level::Low),
            ("-0.0000001", Level::Empty),
            ("9.9999999", Level::Low),
            ("10", Level::Ok),
            ("1e30", Level::Ok),
            ("-1e30", Level::Empty),
        ] {
            let mut progress = Progress::new(policy(10_000_000, 0), START);
            progress.record(START, reading(text), 500);
            assert_eq!(progress.level, want, "{text}");
        }
    }

    #[test]
    fn during_a_reading_the_next_one_is_due_now() {
        let mut progress = Progress::new(policy(0, 0), START);
        let next = |progress: &Progress, now| progress.due().map(|due| due.saturating_sub(now));
        assert_eq!(next(&progress, START), Some(Duration::ZERO));
        progress.begin(START);
        assert_eq!(next(&progress, START + SECOND), Some(Duration::ZERO));
        progress.record(START + SECOND, reading("1"), 500);
        assert_eq!(next(&progress, START + SECOND), Some(SECOND));
        // A refresh comes before the due time.
        progress.refresh();
        assert_eq!(next(&progress, START + SECOND), Some(Duration::ZERO));
        progress.begin(START + SECOND);
        assert_eq!(next(&progress, START + SECOND), Some(Duration::ZERO));
    }

    #[test]
    fn when_the_next_reading_begins_as_a_table() {
        let policy = policy(0, 0);
        let seconds = |n: u64| Some(Duration::from_secs(n));
        for (status, failures, retry_after, want) in [
            (Status::ServerError, 1, None, 2.0),
            (Status::ServerError, 2, None, 4.0),
            (Status::TimedOut, 3, None, 8.0),
            (Status::ConnectFailed, 4, None, 10.0),
            (Status::BadResponse, 31, None, 10.0),
            (Status::BadResponse, 32, None, 10.0),
            (Status::RateLimited, u32::MAX, None, 10.0),
            // These need a person to act.
            (Status::Unauthorized, 1, None, 10.0),
            (Status::PaymentRequired, 1, None, 10.0),
            (Status::Forbidden, 1, None, 10.0),
            (Status::NotFound, 1, None, 10.0),
            (Status::RateLimited, 1, seconds(30), 30.1),
            (Status::RateLimited, 4, seconds(3), 10.0),
            (Status::Unauthorized, 1, seconds(3600), 3600.5),
        ] {
            let mut error = failure(status);
            error.retry_after = retry_after;
            // The middle of the jitter.
            let wait = policy.wait(Some(&error), failures, 500);
            assert_eq!(wait, Duration::from_secs_f64(want), "{status:?} {failures} {retry_after:?}");
        }
        let (least, most) = (policy.wait(None, 0, 0), policy.wait(None, 0, 1000));
        assert_eq!((least, most), (SECOND * 95 / 100, SECOND * 105 / 100), "10 % in all");
        // Clients that were rejected together come back apart, and not too soon.
        let mut error = failure(Status::RateLimited);
        error.retry_after = Some(60 * SECOND);
        let wait = |random| policy.wait(Some(&error), 1, random);
        assert_eq!((wait(0), wait(1000)), (60 * SECOND, 60 * SECOND + 2 * SECOND / 10));
        for random in [0, 1, 999, 1001, u64::MAX] {
            let wait = policy.wait(None, 0, random);
            assert!(wait >= least && wait <= most, "{random}: {wait:?}");
        }
    }

    #[test]
    fn a_failure_never_replaces_a_good_reading_and_each_change_counts_once() {
        let start = 100 * SECOND;
        let mut progress = Progress::new(policy(10_000_000, 12_000_000), start);
        assert_eq!((progress.due(), progress.status()), (Some(start), Status::Pending));
        let failed = |status| Err(failure(status));
        for (at, outcome, want) in [
            // status, level, failures, changes
            (1, failed(Status::TimedOut), (Status::TimedOut, Level::Unknown, 1, 1)),
            (2, failed(Status::TimedOut), (Status::TimedOut, Level::Unknown, 2, 1)),
            (3, reading("20"), (Status::Ok, Level::Ok, 0, 2)),
            (4, reading("20"), (Status::Ok, Level::Ok, 0, 2)),
            // A different text counts, even for the same amount.
            (5, reading("20.0"), (Status::Ok, Level::Ok, 0, 3)),
            (6, failed(Status::Unauthorized), (Status::Unauthorized, Level::Ok, 1, 4)),
            (7, failed(Status::Unauthorized), (Status::Unauthorized, Level::Ok, 2, 4)),
            (8, failed(Status::ServerError), (Status::ServerError, Level::Ok, 3, 5)),
            (9, reading("20.0"), (Status::Ok, Level::Ok, 0, 6)),
            (10, reading("9.999999"), (Status::Ok, Level::Low, 0, 7)),
            (11, reading("11"), (Status::Ok, Level::Low, 0, 8)),
            (12, reading("12"), (Status::Ok, Level::Ok, 0, 9)),
            (13, reading("-0.5"), (Status::Ok, Level::Empty, 0, 10)),
            (14, reading("-0.5"), (Status::Ok, Level::Empty, 0, 10)),
        ] {
            let now = start + at * SECOND;
            let before = (progress.changes, progress.credit.clone());
            let bad = outcome.is_err();
            let changed = progress.record(now, outcome, 500);
            assert_eq!(
                (progress.status(), progress.level, progress.failures, progress.changes),
                want,
                "{at}"
            );
            assert_eq!(changed, progress.changes > before.0, "{at}");
            if bad {
                assert_eq!(progress.credit, before.1, "{at}");
            } else {
                assert_eq!(progress.credit.as_ref().unwrap().1, now, "{at}");
                assert_eq!(progress.due(), Some(now + SECOND), "{at}");
            }
        }
    }

    #[test]
    fn a_refresh_is_at_once_but_not_before_what_the_server_asked_for() {
        let mut progress = Progress::new(policy(0, 0), 100 * SECOND);
        progress.begin(START);
        progress.record(100 * SECOND, reading("1"), 500);
        assert_eq!(progress.due(), Some(101 * SECOND));
        progress.refresh();
        progress.refresh();
        assert!(progress.due() <= Some(100 * SECOND));
        // Requests during a reading cause one more after it.
        progress.begin(START);
        progress.refresh();
        progress.record(100 * SECOND, reading("1"), 500);
        assert!(progress.due() <= Some(100 * SECOND));
        progress.begin(START);
        progress.record(100 * SECOND, reading("1"), 500);
        assert_eq!(progress.due(), Some(101 * SECOND));

        let mut busy = failure(Status::RateLimited);
        busy.retry_after = Some(30 * SECOND);
        progress.record(200 * SECOND, Err(busy), 0);
        assert_eq!(progress.due(), Some(230 * SECOND));
        progress.refresh();
        assert_eq!(progress.due(), Some(230 * SECOND));
        // After a failure without Retry-After, it is at once.
        progress.begin(START);
        progress.record(230 * SECOND, Err(failure(Status::Unauthorized)), 500);
        assert_eq!(progress.due(), Some(240 * SECOND));
        progress.refresh();
        assert!(progress.due() <= Some(230 * SECOND));
    }

    #[test]
    fn a_reading_that_falls_due_in_a_suspend_starts_once_after_it() {
        let mut progress = Progress::new(policy(0, 0), 100 * SECOND);
        progress.begin(START);
        progress.record(100 * SECOND, reading("1"), 500);
        let woken = 100 * SECOND + 8 * 3600 * SECOND;
        assert!(progress.due().unwrap() < woken);
        progress.begin(START);
        progress.record(woken, reading("1"), 500);
        assert_eq!(progress.due(), Some(woken + SECOND));
    }

    #[test]
    fn a_cancelled_watch_ends_and_keeps_its_credit() {
        let mut progress = Progress::new(policy(0, 0), SECOND);
        progress.record(SECOND, reading("1"), 500);
        assert!(progress.record(2 * SECOND, Err(failure(Status::Cancelled)), 500));
        assert_eq!((progress.due(), progress.status()), (None, Status::Cancelled));
        progress.refresh();
        assert_eq!(progress.due(), None);
        assert!(progress.credit.is_some());
    }

    #[test]
    fn a_watch_that_fails_itself_ends_and_keeps_its_credit() {
        let mut progress = Progress::new(policy(0, 0), START);
        progress.record(START, reading("5"), 0);
        progress.end(Error::bug("a panic"));
        assert_eq!((progress.status(), progress.due()), (Status::InternalError, None));
        assert_eq!((progress.failures, progress.changes), (1, 2));
        assert!(progress.credit.is_some());
    }

    #[test]
    fn the_longest_retry_after_overflows_nothing() {
        let mut progress = Progress::new(policy(0, 0), SECOND);
        let mut busy = failure(Status::RateLimited);
        busy.retry_after = Some(Duration::MAX);
        progress.record(SECOND, Err(busy), 500);
        assert_eq!(progress.due(), Some(Duration::MAX));
    }
}
