//! Keeps the host's signals away from the library's own thread: a handler that runs there would run beside the
//! thread that the host believes to be interrupted, and on a stack that was not made for it.

use std::mem::MaybeUninit;
use std::ptr;

/// Those that a fault of the thread itself raises: the host's crash reporter must go on seeing them.
const OF_THE_THREAD: [libc::c_int; 7] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGABRT, libc::SIGSYS];

/// Runs `body`, in which a thread is started: it inherits what is blocked here, for its whole life.
pub(crate) fn blocked<T>(body: impl FnOnce() -> T) -> T {
    struct Restore(libc::sigset_t);
    impl Drop for Restore {
        fn drop(&mut self) {
            // SAFETY: the mask is one that the system gave.
            unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.0, ptr::null_mut()) };
        }
    }
    let mut signals = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigfillset fills the one set and pthread_sigmask the other; neither fails with these arguments.
    let _restore = unsafe {
        libc::sigfillset(signals.as_mut_ptr());
        for signal in OF_THE_THREAD {
            libc::sigdelset(signals.as_mut_ptr(), signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, signals.as_ptr(), before.as_mut_ptr());
        Restore(before.assume_init())
    };
    body()
}
