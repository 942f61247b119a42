//! A deadline with cancel events: a call ends at whichever comes first. Every wait in the library is here, in one
//! `poll` that wakes for data, the deadline and a cancel.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::BorrowedFd;

use crate::event::Event;

/// How often to check an event that has no descriptor: often enough for the promised 100 ms, too rarely to spin.
const TICK: Duration = Duration::from_millis(40);
/// How often to check an event whose descriptor is not ready, which may not be ours any more.
const SLICE: Duration = Duration::from_secs(1);
/// How long to sleep when `poll` fails.
const RETRY: Duration = Duration::from_millis(5);
/// The longest single wait: Windows takes milliseconds in an i32.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// What can cancel a call: its token, its client, and the background call or watch that it belongs to.
pub(crate) type Cancels = [Option<Arc<Event>>; 3];

#[derive(Debug, Clone)]
pub(crate) struct Deadline {
    at: Instant,
    cancels: Cancels,
}

/// Why a wait ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interrupted {
    DeadlinePassed,
    Cancelled,
}

impl Deadline {
    pub(crate) fn new(at: Instant, cancels: Cancels) -> Deadline {
        Deadline { at, cancels }
    }

    /// A deadline without cancel events.
    pub(crate) fn at(at: Instant) -> Deadline {
        Deadline::new(at, Cancels::default())
    }

    pub(crate) fn remaining(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// The same deadline and cancel events, but no later than `at`.
    pub(crate) fn no_later_than(&self, at: Instant) -> Deadline {
        Deadline { at: self.at.min(at), cancels: self.cancels.clone() }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancels.iter().flatten().any(|event| event.is_set())
    }

    /// Checks the deadline and the cancel events without waiting.
    pub(crate) fn check(&self) -> Result<(), Interrupted> {
        if self.is_cancelled() {
            Err(Interrupted::Cancelled)
        } else if self.remaining().is_zero() {
            Err(Interrupted::DeadlinePassed)
        } else {
            Ok(())
        }
    }

    /// Waits until `source` may be readable. A read may still find nothing.
    pub(crate) fn readable(&self, source: BorrowedFd<'_>) -> Result<(), Interrupted> {
        self.one(PollFd::from_borrowed_fd(source, PollFlags::IN))
    }

    /// Waits until `sink` may be writable. A write may still find no room.
    pub(crate) fn writable(&self, sink: BorrowedFd<'_>) -> Result<(), Interrupted> {
        self.one(PollFd::from_borrowed_fd(sink, PollFlags::OUT))
    }

    /// Waits until `event` is set.
    pub(crate) fn event(&self, event: &Event) -> Result<(), Interrupted> {
        // Whether the descriptor is still ours. If the host has closed it, it is ready although the event is not set;
        // if one of the host's has taken its place, it may not be ready although the event is set.
        let mut trusted = true;
        while !event.is_set() {
            match event.poll_fd().filter(|_| trusted) {
                Some(fd) => {
                    let end = Instant::now() + SLICE;
                    self.any(&mut vec![fd], end)?;
                    trusted = event.is_set() || (Instant::now() >= end && event.descriptor().is_some());
                }
                None => self.pause(TICK)?,
            }
        }
        Ok(())
    }

    /// Waits for the whole `length` unless interrupted.
    pub(crate) fn pause(&self, length: Duration) -> Result<(), Interrupted> {
        let end = Instant::now() + length;
        let mut fds = Vec::new();
        loop {
            self.any(&mut fds, end)?;
            if Instant::now() >= end {
                return Ok(());
            }
        }
    }

    /// Waits until one of the sources may be ready, or until `end`. Reaching `end` is not an interruption.
    pub(crate) fn any<'a>(&'a self, sources: &mut Vec<PollFd<'a>>, end: Instant) -> Result<(), Interrupted> {
        let count = sources.len();
        sources.extend(self.cancel_fds());
        let waited = self.poll(sources, count, end);
        sources.truncate(count);
        waited
    }

    fn one(&self, source: PollFd<'_>) -> Result<(), Interrupted> {
        // An array, to allocate nothing; `poll` sees only the first `count`.
        let mut fds: [PollFd<'_>; 4] = std::array::from_fn(|_| source.clone());
        let mut count = 1;
        for fd in self.cancel_fds() {
            fds[count] = fd;
            count += 1;
        }
        self.poll(&mut fds[..count], 1, self.at)
    }

    fn cancel_fds(&self) -> impl Iterator<Item = PollFd<'_>> {
        self.cancels.iter().flatten().filter_map(|event| event.poll_fd())
    }

    /// Returns when one of the first `sources` of `fds` may be ready, or at `end`. The rest of `fds` are cancel events.
    fn poll(&self, fds: &mut [PollFd<'_>], sources: usize, end: Instant) -> Result<(), Interrupted> {
        let mut watched = fds.len();
        let cancels = self.cancels.iter().flatten().count();
        loop {
            if self.is_cancelled() {
                return Err(Interrupted::Cancelled);
            }
            let now = Instant::now();
            if now >= self.at {
                return Err(Interrupted::DeadlinePassed);
            }
            if now >= end {
                return Ok(());
            }
            let mut wait = (end.min(self.at) - now).min(LONGEST);
            if watched - sources < cancels {
                wait = wait.min(TICK);
            }
            let timeout = Timespec { tv_sec: wait.as_secs() as _, tv_nsec: wait.subsec_nanos() as _ };
            match poll(&mut fds[..watched], Some(&timeout)) {
                Ok(0) => {}
                Ok(_) if self.is_cancelled() => {}
                Ok(_) if fds[..sources].iter().any(|fd| !fd.revents().is_empty()) => return Ok(()),
                // A cancel event's descriptor is ready but its flag is not set: a forked process, which shares the
                // descriptor but not the flag, has set it, or the host has closed the descriptor.
                Ok(_) => watched = sources,
                Err(rustix::io::Errno::INTR) => {}
                // `poll` fails (a limit on descriptors, a seccomp filter): the caller's next non-blocking read or
                // write finds out what is ready.
                Err(_) => {
                    std::thread::sleep(wait.min(RETRY));
                    if sources > 0 {
                        return self.check();
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_ends_at_its_end_at_the_deadline_or_on_cancel() {
        let long = Duration::from_secs(3600);
        let soon = Duration::from_millis(20);
        let begun = Instant::now();
        let deadline = Deadline::at(begun + long);
        assert_eq!(deadline.pause(soon), Ok(()));
        assert!(begun.elapsed() >= soon);

        let deadline = Deadline::at(Instant::now() + soon);
        assert_eq!(deadline.pause(long), Err(Interrupted::DeadlinePassed));
        assert_eq!(deadline.check(), Err(Interrupted::DeadlinePassed));

        for which in 0..3 {
            let events = [(); 3].map(|()| Arc::new(Event::new()));
            let deadline = Deadline::new(Instant::now() + long, events.clone().map(Some));
            assert_eq!(deadline.check(), Ok(()));
            std::thread::scope(|scope| {
                scope.spawn(|| events[which].set());
                assert_eq!(deadline.pause(long), Err(Interrupted::Cancelled));
            });
            assert_eq!(deadline.event(&events[which]), Ok(()));
            assert_eq!(deadline.event(&events[(which + 1) % 3]), Err(Interrupted::Cancelled));
        }
    }

    /// As after a fork, or where the host has closed or replaced the descriptor.
    #[cfg(unix)]
    #[test]
    fn an_event_that_looks_ready_without_being_set_ends_no_wait_and_lets_none_spin() {
        use crate::clock::computed;
        use std::os::fd::AsFd;

        let event = Arc::new(Event::new());
        rustix::io::write(event.poll_fd().unwrap(), &1u64.to_ne_bytes()).unwrap();
        let (silent, _writer) = std::io::pipe().unwrap();
        for cancels in [true, false] {
            let cancel = cancels.then(|| Arc::clone(&event));
            let deadline = Deadline::new(Instant::now() + Duration::from_millis(500), [cancel, None, None]);
            let before = computed();
            let waited = if cancels { deadline.readable(silent.as_fd()) } else { deadline.event(&event) };
            assert_eq!(waited, Err(Interrupted::DeadlinePassed));
            assert_eq!(deadline.check(), Err(Interrupted::DeadlinePassed));
            let computed = computed() - before;
            assert!(computed < Duration::from_millis(50), "{computed:?}");
        }
    }

    #[test]
    fn an_earlier_deadline_keeps_the_cancels() {
        let event = Arc::new(Event::new());
        let long = Instant::now() + Duration::from_secs(3600);
        let deadline = Deadline::new(long, [Some(Arc::clone(&event)), None, None]);
        let earlier = deadline.no_later_than(Instant::now());
        assert!(earlier.remaining().is_zero());
        assert_eq!(deadline.no_later_than(long + Duration::from_secs(1)).at, long);
        event.set();
        assert!(earlier.is_cancelled());
    }
}
