//! Notices that the process was forked, at no cost per call: a forked child shares its parent's sockets, and
//! two processes that talk on one connection would read each other's answers.

use std::sync::Once;

use crate::transport::process;

pub(super) fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the handler only adds to an atomic, which is allowed in a forked child. If the library is
        // unloaded, the C library drops the handler with it.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    });
}

extern "C" fn in_child() {
    process::forked();
}
