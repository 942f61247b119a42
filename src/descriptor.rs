//! Descriptors inside somebody else's process. None of the library's is 0, 1 or 2: where the host has closed those, its
//! next `printf` would go into our socket. And the host may close one of ours, as it does with all when it becomes a
//! daemon: closing it again then fails, which is no reason to abort, as the standard library's debug builds do.

#[cfg(unix)]
mod unix {
    use std::io;
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

    use rustix::io::fcntl_dupfd_cloexec;

    const FIRST_OF_OURS: i32 = 3;

    #[derive(Debug)]
    pub(crate) struct Descriptor(Option<OwnedFd>);

    impl Descriptor {
        /// The same open file, under another number if it has that of standard input, output or error.
        pub(crate) fn new(fd: OwnedFd) -> io::Result<Descriptor> {
            let fd =
                if fd.as_raw_fd() < FIRST_OF_OURS { fcntl_dupfd_cloexec(&fd, FIRST_OF_OURS)? } else { fd };
            Ok(Descriptor(Some(fd)))
        }
    }

    impl AsFd for Descriptor {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.0.as_ref().expect("there until it is dropped").as_fd()
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
