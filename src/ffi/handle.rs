//! Handles: what C has a pointer to and never looks into. The pointer is one share of an `Arc`. A call takes a
//! share of its own for as long as it runs, so a handle may be freed while calls are using it.

use std::sync::Arc;

/// A C name for a pointer to `Inner`, which threads share.
pub(super) trait Handle {
    type Inner: Send + Sync;
}

pub(super) fn new<H: Handle>(inner: H::Inner) -> *mut H {
    Arc::into_raw(Arc::new(inner)).cast_mut().cast()
}

/// A share for the time of a call; `None` for NULL.
///
/// SAFETY: `handle` is NULL, or came from `new` and has not been freed when this is called.
pub(super) unsafe fn share<H: Handle>(handle: *const H) -> Option<Arc<H::Inner>> {
    if handle.is_null() {
        return None;
    }
    let inner = handle.cast::<H::Inner>();
    // SAFETY: as the function demands.
    unsafe {
        Arc::increment_strong_count(inner);
        Some(Arc::from_raw(inner))
    }
}

/// What a handle points to, for a moment in which nobody can have a reason to free it yet; `None` for NULL.
///
/// SAFETY: as for `share`, and it is not freed during `'a`.
pub(super) unsafe fn borrow<'a, H: Handle>(handle: *const H) -> Option<&'a H::Inner> {
    // SAFETY: as the function demands.
    unsafe { handle.cast::<H::Inner>().as_ref() }
}

/// The share that C had; `None` for NULL.
///
/// SAFETY: as for `share`, and the caller gives the handle up.
pub(super) unsafe fn take<H: Handle>(handle: *mut H) -> Option<Arc<H::Inner>> {
    // SAFETY: as the function demands.
    (!handle.is_null()).then(|| unsafe { Arc::from_raw(handle.cast::<H::Inner>()) })
}
