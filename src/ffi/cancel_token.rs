//! The cancel token.

use std::ptr;

use super::boundary;
use super::handle::{self, Handle};
use crate::event::Event;

/// Cancels calls from any thread, any number of them at once. A cancelled token stays cancelled: create a new
/// one for the next call.
pub struct fish_cancel_token {
    _opaque: (),
}

impl Handle for fish_cancel_token {
    type Inner = Event;
}

/// Creates a token. Returns NULL only if the library has a bug.
///
/// Any thread; never waits. Free it with fish_cancel_token_free. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn fish_cancel_token_new() -> *mut fish_cancel_token {
    boundary::guarded(ptr::null_mut(), || handle::new(Event::new()))
}

/// Cancels every call with this token, current and future: each returns FISH_CANCELLED within 100 ms. NULL and
/// repeated calls are harmless. Once a call has returned FISH_CANCELLED, its thread may free the token, even
/// before this function returns. In a forked child, it cancels only the child's calls.
///
/// Any thread, including a real-time audio thread: takes no lock, allocates nothing. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_cancel_token_cancel(token: *mut fish_cancel_token) {
    boundary::realtime(|| {
        // A reference of its own: a thread that `set` wakes may free the token before `set` returns.
        // SAFETY: it is NULL or alive.
        if let Some(event) = unsafe { handle::share(token) } {
            event.set();
        }
    });
}

/// Frees a token without cancelling it. NULL is harmless. Calls keep their own reference, so the token may be
/// freed while they run.
///
/// Any thread; never waits. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_cancel_token_free(token: *mut fish_cancel_token) {
    boundary::guarded((), || {
        // SAFETY: it is NULL, or came from fish_cancel_token_new and the caller gives it up.
        drop(unsafe { handle::take(token) });
    });
}
