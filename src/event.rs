//! An event: a flag that a thread can wait for in the same `poll` as a socket, such as a cancelled token or a finished
//! lookup. Setting it takes no lock and allocates nothing.
//!
//! It belongs to the process that created it. A forked child shares the descriptor but not the flag, so it does not
//! use the descriptor and checks the flag periodically instead.

#[cfg(not(all(test, loom)))]
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

#[cfg(all(test, loom))]
use loom::sync::atomic::AtomicBool;
use rustix::event::PollFd;

use crate::fork;

#[derive(Debug)]
pub(crate) struct Event {
    set: AtomicBool,
    /// `None` if the process had no descriptor left: a waiter then checks the flag periodically.
    wakeup: Option<wakeup::Wakeup>,
    process: u32,
}

const _: () = {
    const fn assert_shared_between_threads<T: Send + Sync>() {}
    assert_shared_between_threads::<Event>();
};

impl Event {
    pub(crate) fn new() -> Event {
        let wakeup = wakeup::Wakeup::new().ok();
        Event { set: AtomicBool::new(false), wakeup, process: fork::generation() }
    }

    /// As if the process had no descriptor left.
    #[cfg(test)]
    pub(crate) fn without_descriptor() -> Event {
        Event { wakeup: None, ..Event::new() }
    }

    pub(crate) fn set(&self) {
        if self.set.swap(true, Ordering::Release) {
            return;
        }
        if let Some(wakeup) = self.wakeup() {
            wakeup.write();
        }
    }

    /// Resets the event. The caller holds a lock that it also holds for `set`.
    pub(crate) fn clear(&self) {
        if self.set.swap(false, Ordering::Acquire)
            && let Some(wakeup) = self.wakeup()
        {
            wakeup.read();
        }
    }

    pub(crate) fn is_set(&self) -> bool {
        self.set.load(Ordering::Acquire)
    }

    /// For `poll`: readable while the event is set.
    pub(crate) fn poll_fd(&self) -> Option<PollFd<'_>> {
        self.wakeup().map(wakeup::Wakeup::poll_fd)
    }

    /// The same for the host's event loop: a file descriptor, or a socket on Windows.
    pub(crate) fn descriptor(&self) -> Option<isize> {
        self.wakeup().and_then(wakeup::Wakeup::descriptor)
    }

    fn wakeup(&self) -> Option<&wakeup::Wakeup> {
        self.wakeup.as_ref().filter(|_| self.process == fork::generation())
    }
}

#[cfg(all(any(target_os = "linux", target_os = "android"), not(all(test, loom))))]
mod wakeup {
    use std::os::fd::{AsFd, AsRawFd};

    use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

    use crate::descriptor::{Descriptor, above_standard};

    #[derive(Debug)]
    pub(super) struct Wakeup(Descriptor);

    impl Wakeup {
        pub(super) fn new() -> std::io::Result<Wakeup> {
            let fd = above_standard(|| eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK))?;
            Ok(Wakeup(Descriptor::new(fd)?))
        }

        pub(super) fn write(&self) {
            if self.0.is_ours() {
                // Cannot fail: the counter is far from overflowing.
                let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
            }
        }

        pub(super) fn read(&self) {
            // An eventfd of the host's, which could be read but not without blocking, looks like ours.
            if self.0.is_ours() && self.may_be_readable() {
                let _ = rustix::io::read(&self.0, &mut [0; 8]);
            }
        }

        /// True too if `poll` fails, for which see `Deadline`.
        fn may_be_readable(&self) -> bool {
            poll(&mut [self.poll_fd()], Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) != Ok(0)
        }

        pub(super) fn descriptor(&self) -> Option<isize> {
            self.0.is_ours().then(|| self.0.as_fd().as_raw_fd() as isize)
        }

        pub(super) fn poll_fd(&self) -> PollFd<'_> {
            PollFd::new(&self.0, PollFlags::IN)
        }
    }
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
mod wakeup {
    use std::io::pipe;
    use std::os::fd::{AsFd, AsRawFd};

    use rustix::event::{PollFd, PollFlags};

    use crate::descriptor::{Descriptor, above_standard};

    #[derive(Debug)]
    pub(super) struct Wakeup {
        reader: Descriptor,
        writer: Descriptor,
    }

    impl Wakeup {
        pub(super) fn new() -> std::io::Result<Wakeup> {
            let (reader, writer) = above_standard(pipe)?;
            Ok(Wakeup { reader: Descriptor::new(reader.into())?, writer: Descriptor::new(writer.into())? })
        }

        pub(super) fn write(&self) {
            if self.writer.is_ours() {
                // One byte into an empty pipe never blocks.
                let _ = rustix::io::write(&self.writer, &[1]);
            }
        }

        pub(super) fn read(&self) {
            // Does not block: the event was set, so there is a byte, unless the writer was not ours any more.
            if self.reader.is_ours() && self.writer.is_ours() {
                let _ = rustix::io::read(&self.reader, &mut [0]);
            }
        }

        pub(super) fn descriptor(&self) -> Option<isize> {
            self.reader.is_ours().then(|| self.reader.as_fd().as_raw_fd() as isize)
        }

        pub(super) fn poll_fd(&self) -> PollFd<'_> {
            PollFd::new(&self.reader, PollFlags::IN)
        }
    }
}

#[cfg(windows)]
mod wakeup {
    use std::net::{Ipv4Addr, UdpSocket};
    use std::os::windows::io::AsRawSocket;

    use rustix::event::{PollFd, PollFlags};

    /// A UDP socket that sends to itself, because WSAPoll accepts only sockets.
    #[derive(Debug)]
    pub(super) struct Wakeup(UdpSocket);

    impl Wakeup {
        pub(super) fn new() -> std::io::Result<Wakeup> {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            socket.connect(socket.local_addr()?)?;
            socket.set_nonblocking(true)?;
            Ok(Wakeup(socket))
        }

        pub(super) fn write(&self) {
            let _ = self.0.send(&[1]);
        }

        pub(super) fn read(&self) {
            // Read all: a datagram may have arrived too late for an earlier clear.
            while self.0.recv(&mut [0]).is_ok() {}
        }

        pub(super) fn descriptor(&self) -> Option<isize> {
            Some(self.0.as_raw_socket() as isize)
        }

        pub(super) fn poll_fd(&self) -> PollFd<'_> {
            PollFd::new(&self.0, PollFlags::IN)
        }
    }
}

/// A model of a descriptor for the model checker.
#[cfg(all(test, loom))]
mod wakeup {
    use loom::sync::{Condvar, Mutex};
    use rustix::event::PollFd;

    #[derive(Debug)]
    pub(super) struct Wakeup {
        count: Mutex<u64>,
        grown: Condvar,
    }

    impl Wakeup {
        pub(super) fn new() -> std::io::Result<Wakeup> {
            Ok(Wakeup { count: Mutex::new(0), grown: Condvar::new() })
        }

        pub(super) fn write(&self) {
            *self.count.lock().unwrap() += 1;
            self.grown.notify_all();
        }

        pub(super) fn read(&self) {
            *self.count.lock().unwrap() = 0;
        }

        pub(super) fn is_readable(&self) -> bool {
            *self.count.lock().unwrap() > 0
        }

        /// Like `poll` without a timeout.
        pub(super) fn wait(&self) {
            let mut count = self.count.lock().unwrap();
            while *count == 0 {
                count = self.grown.wait(count).unwrap();
            }
        }

        pub(super) fn descriptor(&self) -> Option<isize> {
            unreachable!("the model has no descriptors")
        }

        pub(super) fn poll_fd(&self) -> PollFd<'_> {
            unreachable!("the model has no descriptors")
        }
    }
}

/// Each test runs with every possible interleaving of its threads.
#[cfg(all(test, loom))]
mod model {
    use super::*;
    use loom::sync::atomic::AtomicU32;
    use loom::sync::{Arc, Mutex};
    use loom::thread;

    fn wait(event: &Event) {
        while !event.is_set() {
            event.wakeup().unwrap().wait();
        }
    }

    /// As fish_cancel_token_cancel runs beside a call and fish_cancel_token_free: each has its own reference.
    #[test]
    fn a_waiter_wakes_and_frees_while_two_threads_set() {
        loom::model(|| {
            let event = Arc::new(Event::new());
            let setters = [(); 2].map(|()| {
                let own = Arc::clone(&event);
                thread::spawn(move || own.set())
            });
            wait(&event);
            assert!(event.is_set());
            drop(event);
            for setter in setters {
                setter.join().unwrap();
            }
        });
    }

    /// A woken waiter sees what was written before the event was set.
    #[test]
    fn a_waiter_sees_what_was_written_before_the_set() {
        loom::model(|| {
            let shared = Arc::new((AtomicU32::new(0), Event::new()));
            let own = Arc::clone(&shared);
            let setter = thread::spawn(move || {
                own.0.store(1, Ordering::Relaxed);
                own.1.set();
            });
            wait(&shared.1);
            assert_eq!(shared.0.load(Ordering::Relaxed), 1);
            setter.join().unwrap();
        });
    }

    /// As a watch's `changed` and `wake`, which are set and cleared under the lock that guards the state.
    #[test]
    fn under_a_lock_no_change_is_lost_or_reported_twice() {
        loom::model(|| {
            let shared = Arc::new((Mutex::new(0), Event::new()));
            let own = Arc::clone(&shared);
            let writer = thread::spawn(move || {
                for _ in 0..2 {
                    let mut value = own.0.lock().unwrap();
                    *value += 1;
                    own.1.set();
                }
            });
            let mut seen = 0;
            while seen < 2 {
                wait(&shared.1);
                let value = shared.0.lock().unwrap();
                shared.1.clear();
                assert!(*value > seen, "woken without a change");
                seen = *value;
                assert!(!shared.1.wakeup().unwrap().is_readable());
            }
            writer.join().unwrap();
        });
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn an_event_stays_set_and_wakes_every_poll() {
        let event = Event::new();
        let ready = |event: &Event| {
            let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
            rustix::event::poll(&mut [event.poll_fd().unwrap()], Some(&now)).unwrap()
        };
        assert!(!event.is_set());
        assert_eq!(ready(&event), 0);
        event.set();
        event.set();
        for _ in 0..3 {
            assert!(event.is_set());
            assert_eq!(ready(&event), 1);
        }
        for _ in 0..2 {
            event.clear();
            assert!(!event.is_set());
            assert_eq!(ready(&event), 0);
        }
        event.set();
        assert_eq!(ready(&event), 1);
    }
}
