//! Notices that the process was forked, at no cost per call: a forked child shares its parent's sockets, and
//! two processes that talk on one connection would read each other's answers.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::transport::process;

pub(super) fn watch() {
    // No Once: a fork in the middle of it would leave it under way for ever in the child. Two threads may both
    // register the handler, and a fork then counts twice, which is as good.
    static WATCHING: AtomicBool = AtomicBool::new(false);
    if !WATCHING.load(Ordering::Acquire) {
        // SAFETY: the handler only adds to an atomic, which is allowed in a forked child. If the library is
        // unloaded, the C library drops the handler with it.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        WATCHING.store(true, Ordering::Release);
    }
}

extern "C" fn in_child() {
    process::forked();
}
