//! The library's own threads: named, with a small stack, and with the host's signals blocked.

use std::io;
use std::thread::Builder;

/// Enough for a call with TLS, and for the modules that the system's name lookup may load.
const STACK_SIZE: usize = 512 * 1024;

/// Starts a thread that nobody joins. A name has at most 15 bytes, which is what Linux shows.
pub(crate) fn start(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let builder = Builder::new().name(name.to_owned()).stack_size(STACK_SIZE);
    with_signals_blocked(|| builder.spawn(body)).map(drop)
}

/// A handler of the host's that ran on our thread would run beside the thread that the host believes to be
/// interrupted, and on a stack that was not made for it.
#[cfg(unix)]
fn with_signals_blocked<T>(start: impl FnOnce() -> T) -> T {
    use nix::sys::signal::{SigSet, SigmaskHow, Signal};

    // Those that a fault of the thread itself raises: the host's crash reporter must go on seeing them.
    let of_the_thread = [
        Signal::SIGSEGV,
        Signal::SIGBUS,
        Signal::SIGFPE,
        Signal::SIGILL,
        Signal::SIGTRAP,
        Signal::SIGABRT,
        Signal::SIGSYS,
    ];
    let blocked = of_the_thread.into_iter().fold(SigSet::all(), |mut set, signal| {
        set.remove(signal);
        set
    });
    // A thread inherits the mask of the one that starts it.
    let before = blocked.thread_swap_mask(SigmaskHow::SIG_BLOCK);
    let started = start();
    if let Ok(before) = before {
        let _ = before.thread_set_mask();
    }
    started
}

#[cfg(not(unix))]
fn with_signals_blocked<T>(start: impl FnOnce() -> T) -> T {
    start()
}
