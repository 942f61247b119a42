//! How long a call may go on: until its deadline or until it is cancelled, whichever comes first. Everything
//! in the library that waits, waits here, in one `poll` that wakes for data, deadline and cancel.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::BorrowedFd;

use crate::signal::Signal;

/// How often a signal that has no descriptor is looked at: often enough for the promised 100 ms.
const TICK: Duration = Duration::from_millis(40);
/// The longest single wait: Windows takes it as milliseconds in an i32, and refuses more.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug, Clone, Copy)]
pub(crate) struct Until<'a> {
    deadline: Instant,
    cancel: Option<&'a Signal>,
}

/// Why a wait ended before what it waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interrupted {
    DeadlinePassed,
    Cancelled,
}

impl<'a> Until<'a> {
    pub(crate) fn new(deadline: Instant, cancel: Option<&'a Signal>) -> Until<'a> {
        Until { deadline, cancel }
    }

    pub(crate) fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// The same, but no later than `deadline`.
    pub(crate) fn no_later_than(self, deadline: Instant) -> Until<'a> {
        Until { deadline: self.deadline.min(deadline), ..self }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.is_some_and(Signal::is_raised)
    }

    pub(crate) fn readable(&self, source: BorrowedFd<'_>) -> Result<(), Interrupted> {
        self.one(PollFd::from_borrowed_fd(source, PollFlags::IN))
    }

    pub(crate) fn writable(&self, sink: BorrowedFd<'_>) -> Result<(), Interrupted> {
        self.one(PollFd::from_borrowed_fd(sink, PollFlags::OUT))
    }

    /// Waits for a signal.
    pub(crate) fn raised(&self, signal: &Signal) -> Result<(), Interrupted> {
        while !signal.is_raised() {
            match signal.poll_fd() {
                Some(fd) => self.one(fd)?,
                None => self.pause(TICK)?,
            }
        }
        Ok(())
    }

    /// Waits that long, and no shorter unless interrupted.
    pub(crate) fn pause(&self, length: Duration) -> Result<(), Interrupted> {
        let end = Instant::now() + length;
        match self.cancel.and_then(Signal::poll_fd) {
            None => self.poll(&mut [], false, end),
            Some(bell) => self.poll(&mut [bell], true, end),
        }
    }

    fn one(&self, fd: PollFd<'_>) -> Result<(), Interrupted> {
        match self.cancel.and_then(Signal::poll_fd) {
            None => self.poll(&mut [fd], false, self.deadline),
            Some(bell) => self.poll(&mut [fd, bell], true, self.deadline),
        }
    }

    /// Waits until one of the sockets is ready, or until `end`, which is no interruption.
    pub(crate) fn any<'b>(&self, fds: &mut Vec<PollFd<'b>>, end: Option<Instant>) -> Result<(), Interrupted>
    where
        'a: 'b,
    {
        let bell = self.cancel.and_then(Signal::poll_fd);
        let has_bell = bell.is_some();
        fds.extend(bell);
        let ready = self.poll(fds, has_bell, end.unwrap_or(self.deadline));
        if has_bell {
            fds.pop();
        }
        ready
    }

    /// Returns when one of `fds` is ready or `end` has come. `bell`: the last of them is the cancel signal's.
    fn poll(&self, fds: &mut [PollFd<'_>], bell: bool, end: Instant) -> Result<(), Interrupted> {
        let mut watched = fds.len();
        let sockets = watched - usize::from(bell);
        loop {
            if self.is_cancelled() {
                return Err(Interrupted::Cancelled);
            }
            let now = Instant::now();
            if now >= self.deadline {
                return Err(Interrupted::DeadlinePassed);
            }
            if now >= end {
                return Ok(());
            }
            let mut wait = (end.min(self.deadline) - now).min(LONGEST);
            if self.cancel.is_some() && watched == sockets {
                wait = wait.min(TICK);
            }
            let timeout = Timespec { tv_sec: wait.as_secs() as _, tv_nsec: wait.subsec_nanos() as _ };
            match poll(&mut fds[..watched], Some(&timeout)) {
                Ok(0) => {}
                Ok(_) if self.is_cancelled() => {}
                Ok(_) if fds[..sockets].iter().any(|fd| !fd.revents().is_empty()) => return Ok(()),
                // The bell rang for somebody else: a forked process shares the descriptor but not the flag.
                Ok(_) => watched = sockets,
                Err(rustix::io::Errno::INTR) => {}
                // Out of kernel memory, or of what the host allows: wait without the kernel's help.
                Err(_) => std::thread::sleep(wait.min(TICK)),
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
        let until = Until::new(begun + long, None);
        assert_eq!(until.pause(soon), Ok(()));
        assert!(begun.elapsed() >= soon);

        let until = Until::new(Instant::now() + soon, None);
        assert_eq!(until.pause(long), Err(Interrupted::DeadlinePassed));

        let signal = Signal::new();
        let until = Until::new(Instant::now() + long, Some(&signal));
        std::thread::scope(|scope| {
            scope.spawn(|| signal.raise());
            assert_eq!(until.pause(long), Err(Interrupted::Cancelled));
        });
        assert_eq!(until.raised(&signal), Ok(()));
    }
}
