//! Waits for a time of `clock::since_start`, which counts time asleep: a reading that fell due during a suspend starts
//! right after it.

use std::time::{Duration, Instant};

use rustix::event::PollFd;

use crate::clock;
use crate::deadline::{Cancels, Deadline};
use crate::event::Event;

/// How often to check the clock on systems without a timer that counts time asleep.
const SLICE: Duration = Duration::from_secs(10);
/// The longest single wait: some systems' timers take no more.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// How often to check an event that has no descriptor.
const TICK: Duration = Duration::from_millis(40);

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Woken {
    Due,
    Event,
    Cancelled,
}

#[derive(Debug)]
pub(crate) struct Alarm {
    cancels: Cancels,
    timer: Option<timer::Timer>,
}

impl Alarm {
    pub(crate) fn new(cancels: Cancels) -> Alarm {
        Alarm { cancels, timer: timer::Timer::new().ok() }
    }

    /// Waits until `due`, or until `event` is set.
    pub(crate) fn wait(&self, due: Duration, event: &Event) -> Woken {
        // Whether the descriptors are still ours. The host may have closed them.
        let mut trusted = true;
        loop {
            let now = clock::since_start();
            let left = due.saturating_sub(now).min(LONGEST);
            let begun = Instant::now();
            let deadline = Deadline::new(begun + left, self.cancels.clone());
            if deadline.is_cancelled() {
                return Woken::Cancelled;
            }
            if left.is_zero() {
                return Woken::Due;
            }
            if event.is_set() {
                return Woken::Event;
            }
            let mut wait = left;
            let mut fds: Vec<PollFd<'_>> = Vec::with_capacity(5);
            match event.poll_fd().filter(|_| trusted) {
                Some(fd) => fds.push(fd),
                None => wait = wait.min(TICK),
            }
            match self.timer.as_ref().filter(|_| trusted).and_then(|timer| timer.set(left)) {
                Some(fd) => fds.push(fd),
                None => wait = wait.min(SLICE),
            }
            let waited = deadline.any(&mut fds, begun + wait);
            // A descriptor that is ready without a reason is no longer ours.
            let spurious = waited.is_ok() && begun.elapsed() < wait && !event.is_set();
            trusted &= !spurious || clock::since_start() >= now + left;
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod timer {
    use std::time::Duration;

    use rustix::event::{PollFd, PollFlags};
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };

    use crate::descriptor::{Descriptor, above_standard};

    #[derive(Debug)]
    pub(super) struct Timer(Descriptor);

    impl Timer {
        pub(super) fn new() -> std::io::Result<Timer> {
            let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
            let fd = above_standard(|| timerfd_create(TimerfdClockId::Boottime, flags))?;
            Ok(Timer(Descriptor::new(fd)?))
        }

        /// Readable after `length`, time asleep included.
        pub(super) fn set(&self, length: Duration) -> Option<PollFd<'_>> {
            let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
            let value = Timespec { tv_sec: length.as_secs() as _, tv_nsec: length.subsec_nanos() as _ };
            let once = Itimerspec { it_interval: zero, it_value: value };
            timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once).ok()?;
            Some(PollFd::new(&self.0, PollFlags::IN))
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod timer {
    use std::time::Duration;

    use rustix::event::PollFd;

    /// These systems have no timer that counts time asleep and works with `poll`.
    #[derive(Debug)]
    pub(super) struct Timer;

    impl Timer {
        pub(super) fn new() -> std::io::Result<Timer> {
            Ok(Timer)
        }

        pub(super) fn set(&self, _: Duration) -> Option<PollFd<'_>> {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_wait_ends_when_it_is_due_when_the_event_is_set_and_when_it_is_cancelled() {
        let cancel = Arc::new(Event::new());
        let alarm = Alarm::new([None, Some(Arc::clone(&cancel)), None]);
        let event = Event::new();
        let soon = clock::since_start() + Duration::from_millis(30);
        assert_eq!(alarm.wait(soon, &event), Woken::Due);
        assert!(clock::since_start() >= soon);
        assert_eq!(alarm.wait(Duration::ZERO, &event), Woken::Due);

        let late = clock::since_start() + Duration::from_secs(3600);
        std::thread::scope(|scope| {
            scope.spawn(|| event.set());
            assert_eq!(alarm.wait(late, &event), Woken::Event);
        });
        assert_eq!(alarm.wait(late, &event), Woken::Event);
        // A due time comes before a set event.
        assert_eq!(alarm.wait(soon, &event), Woken::Due);
        event.clear();
        // Beyond the range of any timer.
        let late = Duration::MAX;
        std::thread::scope(|scope| {
            scope.spawn(|| cancel.set());
            assert_eq!(alarm.wait(late, &event), Woken::Cancelled);
        });
        assert_eq!(alarm.wait(soon, &event), Woken::Cancelled);
    }

    /// Not even where the event looks ready without being set: after a fork, or where the host has replaced its
    /// descriptor.
    #[cfg(unix)]
    #[test]
    fn a_wait_does_not_spin() {
        for looks_ready in [false, true] {
            let event = Event::new();
            if looks_ready {
                rustix::io::write(event.poll_fd().unwrap(), &1u64.to_ne_bytes()).unwrap();
            }
            let before = clock::computed();
            let until = clock::since_start() + Duration::from_millis(500);
            assert_eq!(Alarm::new([const { None }; 3]).wait(until, &event), Woken::Due);
            let computed = clock::computed() - before;
            assert!(computed < Duration::from_millis(50), "{computed:?}");
        }
    }

    #[test]
    fn without_descriptors_a_wait_ends_within_a_tick() {
        for cancels in [false, true] {
            let [event, cancel] = [(); 2].map(|()| Arc::new(Event::without_descriptor()));
            let mut alarm = Alarm::new([Some(Arc::clone(&cancel)), None, None]);
            alarm.timer = None;
            for _ in 0..10 {
                let late = clock::since_start() + Duration::from_secs(3600);
                let begun = Instant::now();
                std::thread::scope(|scope| {
                    scope.spawn(|| if cancels { cancel.set() } else { event.set() });
                    let want = if cancels { Woken::Cancelled } else { Woken::Event };
                    assert_eq!(alarm.wait(late, &event), want);
                });
                // Without ticks it would be the next look at the clock.
                assert!(begun.elapsed() < SLICE, "{:?}", begun.elapsed());
                event.clear();
            }
        }
    }
}
