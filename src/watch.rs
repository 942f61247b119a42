//! A watch: reads the credit again and again, and always has the last good answer at hand. When to read next, which
//! level a credit has and what counts as a change is decided by `Progress`, which is fed with a clock and results;
//! the thread around it waits, calls and records.

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
/// How many intervals failures may stretch one to.
const LONGEST_WAIT: u32 = 10;

/// How much credit there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Level {
    /// Nothing has been read.
    #[default]
    Unknown,
    Ok,
    Low,
    Empty,
}

/// A watch's settings as they were given: zero means the default.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Options {
    pub interval_ms: u32,
    pub low_micros: i64,
    pub recovered_micros: i64,
}

/// What decides.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Policy {
    interval: Duration,
    /// Below it the level is low. 0: there is no such level.
    low: i64,
    /// From low or empty, the level is OK again at or above it.
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
                "options.interval_ms is {interval_ms}; set it to 1000 or more, or to 0 for 60000."
            )));
        }
        if low_micros < 0 {
            return Err(Error::invalid(format!(
                "options.low_micros is {low_micros}; set it to 0 for no such level, or above 0."
            )));
        }
        let recovered = if recovered_micros == 0 { low_micros } else { recovered_micros };
        if recovered < low_micros {
            return Err(Error::invalid(format!(
                "options.recovered_micros is {recovered_micros}, below low_micros; set it to {low_micros} or more, or \
                 to 0 for the same."
            )));
        }
        Ok(Policy { interval, low: low_micros, recovered })
    }

    fn level(&self, before: Level, credit: Micros) -> Level {
        let depleted = matches!(before, Level::Low | Level::Empty);
        // Rounded down: what is left of less than a millionth is more than zero.
        let micros = credit.value;
        if micros < 0 || (micros == 0 && credit.exact) {
            Level::Empty
        } else if micros < self.low {
            Level::Low
        } else if depleted && micros < self.recovered {
            // Not yet recovered; where there is no low level, it stays empty.
            if self.low > 0 { Level::Low } else { Level::Empty }
        } else {
            Level::Ok
        }
    }

    /// How long after a reading the next one begins. `failures`: readings in a row that failed, this one included.
    fn wait(&self, failure: Option<&Error>, failures: u32, random: u64) -> Duration {
        let stretch = match failure.map(|failure| failure.status) {
            None => 1,
            // Somebody must act first.
            Some(Status::Unauthorized | Status::PaymentRequired | Status::Forbidden | Status::NotFound) => {
                LONGEST_WAIT
            }
            Some(_) => 1u32.checked_shl(failures).map_or(LONGEST_WAIT, |twice| twice.min(LONGEST_WAIT)),
        };
        let wait = self.interval * stretch;
        // 10 % of jitter, around the interval.
        let share = (random % 1001) as u32;
        let jitter = wait / 10 * share / 1000;
        // What the server asks for is the least that is waited: those it sent away together do not come back so.
        let asked = failure.and_then(|failure| failure.retry_after).unwrap_or_default();
        (wait * 95 / 100 + jitter).max(asked.saturating_add(jitter))
    }
}

/// A good answer, and what of it is looked at, taken while it was decoded.
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

/// How far a watch has come. Times are those of `clock::since_start`.
#[derive(Debug)]
struct Progress {
    policy: Policy,
    /// The last good answer, and when it came.
    credit: Option<(Kept, Duration)>,
    /// The text of its amount.
    amount: String,
    level: Level,
    /// How the newest reading ended. `None`: none has.
    newest: Option<Result<()>>,
    failures: u32,
    changes: u64,
    /// When the next reading begins. `None`: never, the watch has ended.
    next: Option<Duration>,
    /// The server asked to be left alone until then, by a refresh too.
    not_before: Duration,
    /// A reading was asked for that has not begun.
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

    /// When the next reading is to begin. `None`: never.
    fn due(&self) -> Option<Duration> {
        let next = self.next?;
        Some(if self.refresh { next.min(self.not_before) } else { next })
    }

    /// A reading begins: it is no longer awaited.
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

    /// Takes a reading in. True if it changed something that is told.
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
                // A token and a client that were cancelled stay so.
                let over = failure.status == Status::Cancelled;
                self.next = (!over).then(|| now.saturating_add(wait));
                self.newest = Some(Err(failure));
            }
        }
        changed |= before != (self.status(), self.level);
        self.changes += u64::from(changed);
        changed
    }
}

/// What a watch tells.
#[derive(Clone)]
pub(crate) struct State {
    /// The last that was read.
    pub credit: Option<Kept>,
    pub level: Level,
    pub status: Status,
    pub failures: u32,
    /// Until the next reading begins. `None`: never.
    pub next: Option<Duration>,
    /// Since `credit` was read.
    pub age: Duration,
    pub changes: u64,
    /// Why the newest reading failed.
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

/// A watch.
pub(crate) struct Watch {
    shared: Arc<Shared>,
}

/// What a watch and its thread share. The lock is held for no longer than it takes to copy.
struct Shared {
    progress: Mutex<Progress>,
    /// Set when something has changed since it was last read. Set and cleared under the lock.
    changed: Event,
    /// Set when the thread has something to do before it is due. Likewise.
    wake: Event,
    /// Set by `Watch::end`.
    ended: Arc<Event>,
    /// The thread is of this process. In a forked child there is none.
    process: u32,
    /// What a forked child tells, and since when. Taken once, so that no reader there is in another's way.
    inherited: PerProcess<(Duration, State)>,
}

const _: () = {
    const fn assert_shared_between_threads<T: Send + Sync>() {}
    assert_shared_between_threads::<Watch>();
};

impl Watch {
    /// Starts it, without waiting for anything; the first reading begins at once. What can be refused before anything
    /// is sent is refused here.
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
        let run = move || own.run(client, &prepared);
        thread::start("fish-watch", thread::CALL_STACK, run).map_err(no_thread)?;
        Ok(Watch { shared })
    }

    /// What is known now. Never waits for the network.
    pub(crate) fn read(&self) -> State {
        if self.shared.process != fork::generation() {
            return self.read_in_child();
        }
        let progress = self.shared.lock();
        self.shared.changed.clear();
        state(&progress)
    }

    /// Reads now, or as soon as a reading that has begun is over.
    pub(crate) fn refresh(&self) {
        if self.shared.process == fork::generation() {
            let mut progress = self.shared.lock();
            progress.refresh();
            self.shared.wake.set();
        }
    }

    /// Readable when something has changed since the last `read`. `None`: none could be had.
    pub(crate) fn descriptor(&self) -> Option<isize> {
        self.shared.changed.descriptor()
    }

    /// No reading begins any more, and one that runs is cancelled.
    pub(crate) fn end(&self) {
        self.shared.ended.set();
    }

    /// A forked child has no thread that reads; what its parent knew at the fork is told.
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
    /// What a forked child takes over, if nobody was writing it down just then: who was, never lets go of the lock.
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

    /// The thread.
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
    fn options_that_make_no_sense_are_refused_with_their_name() {
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
    fn levels_as_a_table_and_without_flicker_at_the_edge() {
        use Level::*;
        for (low, recovered, steps) in [
            // No low level.
            (0, 0, &[(5, Ok), (0, Empty), (-1, Empty), (1, Ok), (i64::MIN, Empty), (i64::MAX, Ok)][..]),
            (0, 5, &[(1, Ok), (0, Empty), (4, Empty), (5, Ok), (1, Ok)]),
            (10, 0, &[(10, Ok), (9, Low), (10, Ok), (0, Empty), (9, Low), (0, Empty), (10, Ok)]),
            // At the edge: 9 and 10 in turn, and low once.
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
    fn while_a_reading_is_under_way_the_next_one_is_not_awaited() {
        let mut progress = Progress::new(policy(0, 0), START);
        let next = |progress: &Progress, now| progress.due().map(|due| due.saturating_sub(now));
        assert_eq!(next(&progress, START), Some(Duration::ZERO));
        progress.begin(START);
        assert_eq!(next(&progress, START + SECOND), Some(Duration::ZERO));
        progress.record(START + SECOND, reading("1"), 500);
        assert_eq!(next(&progress, START + SECOND), Some(SECOND));
        // One that was asked for begins before it was due.
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
            // Somebody must act first.
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
        // Those that the server sent away together come back apart, and not too soon.
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
    fn a_failure_never_replaces_a_good_answer_and_each_change_counts_once() {
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
            // Another text is another text.
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
        // Asked for again during the reading: there is another one after it, and only one.
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
        // After one that failed otherwise, it is at once.
        progress.begin(START);
        progress.record(230 * SECOND, Err(failure(Status::Unauthorized)), 500);
        assert_eq!(progress.due(), Some(240 * SECOND));
        progress.refresh();
        assert!(progress.due() <= Some(230 * SECOND));
    }

    #[test]
    fn what_falls_due_in_a_suspend_is_due_when_it_ends_and_once() {
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
    fn a_cancelled_watch_ends_and_keeps_what_it_knows() {
        let mut progress = Progress::new(policy(0, 0), SECOND);
        progress.record(SECOND, reading("1"), 500);
        assert!(progress.record(2 * SECOND, Err(failure(Status::Cancelled)), 500));
        assert_eq!((progress.due(), progress.status()), (None, Status::Cancelled));
        progress.refresh();
        assert_eq!(progress.due(), None);
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
