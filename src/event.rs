//! An event: a flag that is set once and stays set, and that a thread can wait for in the same `poll` as a socket.
//! A cancelled token is one, a finished lookup another. Setting it takes no lock and allocates nothing.

use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::PollFd;

#[derive(Debug)]
pub(crate) struct Event {
    set: AtomicBool,
    /// `None` when the process had no descriptor to spare: a waiter then looks at the flag now and again.
    wakeup: Option<wakeup::Wakeup>,
}

const _: () = {
    const fn assert_shared_between_threads<T: Send + Sync>() {}
    assert_shared_between_threads::<Event>();
};

impl Event {
    pub(crate) fn new() -> Event {
        Event { set: AtomicBool::new(false), wakeup: wakeup::Wakeup::new().ok() }
    }

    pub(crate) fn set(&self) {
        if self.set.swap(true, Ordering::Release) {
            return;
        }
        if let Some(wakeup) = &self.wakeup {
            wakeup.write();
        }
    }

    pub(crate) fn is_set(&self) -> bool {
        self.set.load(Ordering::Acquire)
    }

    /// What `poll` watches: readable from `set` on, for ever.
    pub(crate) fn poll_fd(&self) -> Option<PollFd<'_>> {
        self.wakeup.as_ref().map(wakeup::Wakeup::poll_fd)
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod wakeup {
    use std::os::fd::OwnedFd;

    use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd};

    use crate::descriptor::above_stdio;

    #[derive(Debug)]
    pub(super) struct Wakeup(OwnedFd);

    impl Wakeup {
        pub(super) fn new() -> std::io::Result<Wakeup> {
            Ok(Wakeup(above_stdio(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)?))
        }

        pub(super) fn write(&self) {
            // Cannot fail: the counter is far from full.
            let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
        }

        pub(super) fn poll_fd(&self) -> PollFd<'_> {
            PollFd::new(&self.0, PollFlags::IN)
        }
    }
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
mod wakeup {
    use std::io::pipe;
    use std::os::fd::OwnedFd;

    use rustix::event::{PollFd, PollFlags};

    use crate::descriptor::above_stdio;

    #[derive(Debug)]
    pub(super) struct Wakeup {
        reader: OwnedFd,
        writer: OwnedFd,
    }

    impl Wakeup {
        pub(super) fn new() -> std::io::Result<Wakeup> {
            let (reader, writer) = pipe()?;
            Ok(Wakeup { reader: above_stdio(reader.into())?, writer: above_stdio(writer.into())? })
        }

        pub(super) fn write(&self) {
            // One byte in an empty pipe: never blocks.
            let _ = rustix::io::write(&self.writer, &[1]);
        }

        pub(super) fn poll_fd(&self) -> PollFd<'_> {
            PollFd::new(&self.reader, PollFlags::IN)
        }
    }
}

#[cfg(windows)]
mod wakeup {
    use std::net::{Ipv4Addr, UdpSocket};

    use rustix::event::{PollFd, PollFlags};

    /// WSAPoll takes sockets only, so this is one that sends to itself.
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

        pub(super) fn poll_fd(&self) -> PollFd<'_> {
            PollFd::new(&self.0, PollFlags::IN)
        }
    }
}

#[cfg(test)]
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
    }
}
