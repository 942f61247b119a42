//! A flag that is raised once and stays up, and that a thread can wait for in the same `poll` as a socket: a
//! cancelled token, a finished lookup. Raising it takes no lock and allocates nothing.

use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::PollFd;
#[cfg(not(windows))]
use rustix::event::PollFlags;

#[derive(Debug)]
pub(crate) struct Signal {
    raised: AtomicBool,
    /// `None` when the process had no descriptor to spare; whoever waits must then look now and again.
    bell: Option<bell::Bell>,
}

impl Signal {
    pub(crate) fn new() -> Signal {
        Signal { raised: AtomicBool::new(false), bell: bell::Bell::new().ok() }
    }

    pub(crate) fn raise(&self) {
        if self.raised.swap(true, Ordering::Release) {
            return;
        }
        if let Some(bell) = &self.bell {
            bell.ring();
        }
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Acquire)
    }

    /// What `poll` watches: readable from `raise` on, for ever.
    pub(crate) fn poll_fd(&self) -> Option<PollFd<'_>> {
        self.bell.as_ref().map(bell::Bell::poll_fd)
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod bell {
    use super::{PollFd, PollFlags};
    use rustix::event::{EventfdFlags, eventfd};
    use std::os::fd::OwnedFd;

    #[derive(Debug)]
    pub(super) struct Bell(OwnedFd);

    impl Bell {
        pub(super) fn new() -> std::io::Result<Bell> {
            Ok(Bell(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
        }

        pub(super) fn ring(&self) {
            // Cannot fail: the counter is far from full.
            let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
        }

        pub(super) fn poll_fd(&self) -> PollFd<'_> {
            PollFd::new(&self.0, PollFlags::IN)
        }
    }
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
mod bell {
    use super::{PollFd, PollFlags};
    use std::io::{PipeReader, PipeWriter, pipe};

    #[derive(Debug)]
    pub(super) struct Bell {
        reader: PipeReader,
        writer: PipeWriter,
    }

    impl Bell {
        pub(super) fn new() -> std::io::Result<Bell> {
            let (reader, writer) = pipe()?;
            Ok(Bell { reader, writer })
        }

        pub(super) fn ring(&self) {
            // One byte in an empty pipe: never blocks.
            let _ = rustix::io::write(&self.writer, &[1]);
        }

        pub(super) fn poll_fd(&self) -> PollFd<'_> {
            PollFd::new(&self.reader, PollFlags::IN)
        }
    }
}

#[cfg(windows)]
mod bell {
    use super::PollFd;
    use rustix::event::PollFlags;
    use std::net::{Ipv4Addr, UdpSocket};

    /// WSAPoll takes sockets only, so the bell is one that sends to itself.
    #[derive(Debug)]
    pub(super) struct Bell(UdpSocket);

    impl Bell {
        pub(super) fn new() -> std::io::Result<Bell> {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            socket.connect(socket.local_addr()?)?;
            socket.set_nonblocking(true)?;
            Ok(Bell(socket))
        }

        pub(super) fn ring(&self) {
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
    fn a_raised_signal_stays_up_and_wakes_every_poll() {
        let signal = Signal::new();
        let ready = |signal: &Signal| {
            let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
            rustix::event::poll(&mut [signal.poll_fd().unwrap()], Some(&now)).unwrap()
        };
        assert!(!signal.is_raised());
        assert_eq!(ready(&signal), 0);
        signal.raise();
        signal.raise();
        for _ in 0..3 {
            assert!(signal.is_raised());
            assert_eq!(ready(&signal), 1);
        }
    }
}
