//! A file descriptor that is safe in a host process. It is never 0, 1 or 2: if the host has closed those, its next
//! `printf` would go into our socket. And closing it may fail, because a host that becomes a daemon closes all
//! descriptors; `OwnedFd` would abort in debug builds.

#[cfg(unix)]
mod unix {
    use std::io;
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

    use rustix::io::fcntl_dupfd_cloexec;

    const FIRST_OF_OURS: i32 = 3;

    #[derive(Debug)]
    pub(crate) struct Descriptor(Option<OwnedFd>);

    impl Descriptor {
        /// Duplicates `fd` if it has the number of standard input, output or error.
        pub(crate) fn new(fd: OwnedFd) -> io::Result<Descriptor> {
            let fd =
                if fd.as_raw_fd() < FIRST_OF_OURS { fcntl_dupfd_cloexec(&fd, FIRST_OF_OURS)? } else { fd };
            Ok(Descriptor(Some(fd)))
        }
    }

    impl AsFd for Descriptor {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.0.as_ref().expect("present until drop").as_fd()
        }
    }

    impl Drop for Descriptor {
        fn drop(&mut self) {
            if let Some(fd) = self.0.take() {
                let _ = nix::unistd::close(fd);
            }
        }
    }
}

#[cfg(unix)]
pub(crate) use unix::Descriptor;
