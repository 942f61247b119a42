//! Cancelling a call from outside it.

use std::ptr;

use super::boundary;
use super::handle::{self, Handle};
use crate::event::Event;

/// Cancels calls from any thread, any number of them at once. A cancelled token stays cancelled: make a new
/// one for the next call.
pub struct fish_cancel_token {
    _opaque: (),
}

impl Handle for fish_cancel_token {
    type Inner = Event;
}

/// Makes a token. NULL only if the library has a bug.
///
/// Any thread; never waits. Free it with fish_cancel_token_free. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn fish_cancel_token_new() -> *mut fish_cancel_token {
    boundary::guarded(ptr::null_mut(), || handle::new(Event::new()))
}

/// Cancels every call that was given this token, now or later; each returns FISH_CANCELLED within 100 ms. NULL
/// is allowed, and cancelling twice. A call that returns for it may free the token at once, even before this
/// function has returned. In a forked child it cancels the child's calls only.
///
/// Any thread, a real-time audio thread too: takes no lock, allocates nothing. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_cancel_token_cancel(token: *mut fish_cancel_token) {
    boundary::realtime(|| {
        // A share of its own: whoever is woken may free the token before `set` is done.
        // SAFETY: it is NULL or alive.
        if let Some(event) = unsafe { handle::share(token) } {
            event.set();
        }
    });
}

/// Frees a token; it does not cancel. NULL is allowed. Calls that were given it keep their own share, so it
/// may be freed while they run.
///
/// Any thread; never waits. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_cancel_token_free(token: *mut fish_cancel_token) {
    boundary::guarded((), || {
        // SAFETY: it is NULL, or came from fish_cancel_token_new and is given up.
        drop(unsafe { handle::take(token) });
    });
}
