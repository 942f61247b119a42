//! A file descriptor that is safe in a host process. It is never 0, 1 or 2: if the host has closed those, its next
//! `printf` would go into our socket. And it may be gone: a host that becomes a daemon closes all descriptors, and opens
//! its own under the same numbers. Those are not closed here, and `is_ours` tells them apart.

#[cfg(unix)]
mod unix {
    use std::io;
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};

    use rustix::fs::{Mode, OFlags, fstat, open};
    use rustix::io::{Errno, fcntl_dupfd_cloexec, fcntl_getfd};
    use rustix::stdio::{stderr, stdin, stdout};

    const FIRST_OF_OURS: i32 = 3;

    #[derive(Debug)]
    pub(crate) struct Descriptor {
        /// Present until drop.
        fd: Option<OwnedFd>,
        /// What it was when it was made. `None`: the system did not say.
        file: Option<File>,
    }

    /// The device and the number of a file. A socket and a pipe have a number of their own; on Linux all eventfds and
    /// timers have the same.
    type File = (u64, u64);

    /// Makes a socket or the like while none of the standard numbers is free. `Descriptor::new` alone would give it
    /// another number a moment later: in that moment, what the host prints goes there, and to print to a socket that is
    /// not connected yet ends the process (SIGPIPE).
    pub(crate) fn above_standard<T>(make: impl FnOnce() -> T) -> T {
        let _held = hold_standard();
        make()
    }

    /// A folder opened for reading takes each standard number that is free: to write there fails as if it were closed.
    fn hold_standard() -> [Option<Descriptor>; FIRST_OF_OURS as usize] {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut held = [const { None }; FIRST_OF_OURS as usize];
        // No file is opened without need: a sandbox may log that, or end the process.
        if [stdin(), stdout(), stderr()].into_iter().all(|fd| fcntl_getfd(fd).is_ok()) {
            return held;
        }
        for place in &mut held {
            let Ok(fd) = open("/", flags, Mode::empty()) else { break };
            let (number, folder) = (fd.as_raw_fd(), Descriptor { file: file(&fd).ok(), fd: Some(fd) });
            // Any other number is given back at once: it may be the last that there is.
            if number >= FIRST_OF_OURS {
                break;
            }
            *place = Some(folder);
        }
        held
    }

    fn file(fd: &OwnedFd) -> Result<File, Errno> {
        // As wide as the widest system's.
        fstat(fd).map(|found| (found.st_dev as _, found.st_ino as _))
    }

    impl Descriptor {
        /// Duplicates `fd` if it has the number of standard input, output or error.
        pub(crate) fn new(fd: OwnedFd) -> io::Result<Descriptor> {
            let fd =
                if fd.as_raw_fd() < FIRST_OF_OURS { fcntl_dupfd_cloexec(&fd, FIRST_OF_OURS)? } else { fd };
            let file = file(&fd).ok();
            Ok(Descriptor { fd: Some(fd), file })
        }

        /// Whether it still is what it was. To write to it, or to close it, would otherwise harm the host, and to read
        /// from it could block.
        pub(crate) fn is_ours(&self) -> bool {
            match self.fd.as_ref().map(file) {
                Some(Ok(now)) => self.file.is_none_or(|then| then == now),
                Some(Err(Errno::BADF)) | None => false,
                // The system does not say (a seccomp filter).
                Some(Err(_)) => true,
            }
        }
    }

    impl AsFd for Descriptor {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.fd.as_ref().expect("present until drop").as_fd()
        }
    }

    impl Drop for Descriptor {
        fn drop(&mut self) {
            let ours = self.is_ours();
            if let Some(fd) = self.fd.take() {
                if ours {
                    // Not by dropping it, which aborts in debug builds if it was closed meanwhile.
                    let _ = nix::unistd::close(fd);
                } else {
                    let _ = fd.into_raw_fd();
                }
            }
        }
    }
}

#[cfg(unix)]
pub(crate) use unix::{Descriptor, above_standard};

/// Other systems have no such numbers.
#[cfg(not(unix))]
pub(crate) fn above_standard<T>(make: impl FnOnce() -> T) -> T {
    make()
}
