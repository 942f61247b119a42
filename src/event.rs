//! An event: a flag that a thread can wait for in the same `poll` as a socket, such as a cancelled token or a finished
//! lookup. Setting it takes no lock and allocates nothing.
//!
//! It belongs to the process that created it. A forked child shares the descriptor but not the flag, so it does not
//! use the descriptor and checks the flag periodically instead.

use std::sync::atomic::{AtomicBool, Ordering};

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
        self.wakeup().map(wakeup::Wakeup::descriptor)
    }

    fn wakeup(&self) -> Option<&wakeup::Wakeup> {
        self.wakeup.as_ref().filter(|_| self.process == fork::generation())
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod wakeup {
    use std::os::fd::{AsFd, AsRawFd};

    use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd};

    use crate::descriptor::Descriptor;

    #[derive(Debug)]
    pub(super) struct Wakeup(Descriptor);

    impl Wakeup {
        pub(super) fn new() -> std::io::Result<Wakeup> {
            let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
            Ok(Wakeup(Descriptor::new(fd)?))
        }

        pub(super) fn write(&self) {
            // Cannot fail: the counter is far from overflowing.
            let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
        }

        pub(super) fn read(&self) {
            let _ = rustix::io::read(&self.0, &mut [0; 8]);
        }

        pub(super) fn descriptor(&self) -> isize {
            self.0.as_fd().as_raw_fd() as isize
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

    use crate::descriptor::Descriptor;

    #[derive(Debug)]
    pub(super) struct Wakeup {
        reader: Descriptor,
        writer: Descriptor,
    }

    impl Wakeup {
        pub(super) fn new() -> std::io::Result<Wakeup> {
            let (reader, writer) = pipe()?;
            Ok(Wakeup { reader: Descriptor::new(reader.into())?, writer: Descriptor::new(writer.into())? })
        }

        pub(super) fn write(&self) {
            // One byte into an empty pipe never blocks.
            let _ = rustix::io::write(&self.writer, &[1]);
        }

        pub(super) fn read(&self) {
            // Does not block: the event was set, so there is a byte.
            let _ = rustix::io::read(&self.reader, &mut [0]);
        }

        pub(super) fn descriptor(&self) -> isize {
            self.reader.as_fd().as_raw_fd() as isize
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

        pub(super) fn descriptor(&self) -> isize {
            self.0.as_raw_socket() as isize
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
        for _ in 0..2 {
            event.clear();
            assert!(!event.is_set());
            assert_eq!(ready(&event), 0);
        }
        event.set();
        assert_eq!(ready(&event), 1);
    }
}
