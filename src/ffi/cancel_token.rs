//! Cancelling a call from outside it.

use std::ptr;
use std::sync::Arc;

use crate::event::Event;
use crate::panics::guarded;

/// Cancels calls from any thread, any number of them at once. A cancelled token stays cancelled: make a new
/// one for the next call.
pub struct fish_cancel_token {
    /// Only C's name for it: the pointer is that of an `Arc<Event>`.
    _opaque: (),
}

/// Makes a token. NULL only if the library has a bug.
///
/// Any thread. Free it with fish_cancel_token_free. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn fish_cancel_token_new() -> *mut fish_cancel_token {
    guarded(ptr::null_mut(), || Arc::into_raw(Arc::new(Event::new())).cast_mut().cast())
}

/// Cancels every call that was given this token, now or later; each returns FISH_CANCELLED within 100 ms. NULL
/// is allowed, and cancelling twice.
///
/// Any thread, a real-time audio thread too: takes no lock, allocates nothing. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fish_cancel_token_cancel(token: *mut fish_cancel_token) {
    // Not `guarded`: its thread-local may have to be allocated on a thread's first use of it.
    let _ = std::panic::catch_unwind(|| {
        #[cfg(test)]
        crate::panics::injection_point();
        // SAFETY: it is NULL or alive.
        if let Some(event) = unsafe { token.cast::<Event>().as_ref() } {
            event.set();
        }
    });
}

/// Frees a token; it does not cancel. NULL is allowed. Calls that were given it keep their own share, so it
/// may be freed while they run.
///
/// Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fish_cancel_token_free(token: *mut fish_cancel_token) {
    guarded((), || {
        if !token.is_null() {
            // SAFETY: it came from fish_cancel_token_new, and the caller gives up its share.
            drop(unsafe { Arc::from_raw(token.cast::<Event>()) });
        }
    });
}

/// A call's own share of a token.
///
/// SAFETY: `token` is NULL or alive.
pub(super) unsafe fn share(token: *mut fish_cancel_token) -> Option<Arc<Event>> {
    if token.is_null() {
        return None;
    }
    // SAFETY: as the function demands.
    unsafe {
        Arc::increment_strong_count(token.cast::<Event>());
        Some(Arc::from_raw(token.cast::<Event>()))
    }
}
