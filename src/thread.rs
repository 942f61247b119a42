//! The library's own threads: named, with a small stack, and with signals blocked.

use std::io;
use std::thread::Builder;

/// Enough for the modules that the system's name lookup may load.
pub(crate) const LOOKUP_STACK: usize = 512 * 1024;
/// Four times what a call with TLS needs in a debug build.
pub(crate) const CALL_STACK: usize = 256 * 1024;

/// Starts a detached thread. Linux shows at most 15 bytes of its name.
pub(crate) fn start(name: &str, stack: usize, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    // In a box, so that the standard library's part is compiled only once.
    let body: Box<dyn FnOnce() + Send> = Box::new(body);
    let builder = Builder::new().name(name.to_owned()).stack_size(stack);
    with_signals_blocked(|| builder.spawn(body)).map(drop)
}

/// The host's signal handlers must not run on our threads: the host does not expect them there, and the stack is small.
#[cfg(unix)]
fn with_signals_blocked<T>(start: impl FnOnce() -> T) -> T {
    use nix::sys::signal::{SigSet, SigmaskHow, Signal};

    // Faults of the thread itself raise these; the host's crash reporter must still see them.
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
    // A thread inherits the mask of its parent thread.
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
