//! No descriptor of the library's is 0, 1 or 2: where the host has closed those, its next `printf` would go
//! into our socket.

#[cfg(unix)]
mod unix {
    use std::io;
    use std::os::fd::{AsRawFd, OwnedFd};

    use rustix::io::fcntl_dupfd_cloexec;

    const FIRST_OF_OURS: i32 = 3;

    /// The same open file under a number that is not standard input, output or error.
    pub(crate) fn above_stdio(fd: OwnedFd) -> io::Result<OwnedFd> {
        if fd.as_raw_fd() >= FIRST_OF_OURS {
            return Ok(fd);
        }
        Ok(fcntl_dupfd_cloexec(&fd, FIRST_OF_OURS)?)
    }
}

#[cfg(unix)]
pub(crate) use unix::above_stdio;
