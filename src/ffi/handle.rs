//! Opaque handles. C's pointer is one reference of an `Arc`. A call takes its own reference while it runs, so a
//! handle may be freed during a call.

use std::sync::Arc;

/// The C type of a pointer to `Inner`, which threads share.
pub(super) trait Handle {
    type Inner: Send + Sync;
}

pub(super) fn new<H: Handle>(inner: H::Inner) -> *mut H {
    Arc::into_raw(Arc::new(inner)).cast_mut().cast()
}

/// A reference for the time of a call; `None` for NULL.
///
/// SAFETY: `handle` is NULL, or came from `new` and has not been freed.
pub(super) unsafe fn share<H: Handle>(handle: *const H) -> Option<Arc<H::Inner>> {
    if handle.is_null() {
        return None;
    }
    let inner = handle.cast::<H::Inner>();
    // SAFETY: as for this function.
    unsafe {
        Arc::increment_strong_count(inner);
        Some(Arc::from_raw(inner))
    }
}

/// What a handle points to; `None` for NULL.
///
/// SAFETY: as for `share`, and the handle is not freed during `'a`.
pub(super) unsafe fn borrow<'a, H: Handle>(handle: *const H) -> Option<&'a H::Inner> {
    // SAFETY: as for this function.
    unsafe { handle.cast::<H::Inner>().as_ref() }
}

/// Takes C's reference back; `None` for NULL.
///
/// SAFETY: as for `share`, and the caller gives the handle up.
pub(super) unsafe fn take<H: Handle>(handle: *mut H) -> Option<Arc<H::Inner>> {
    // SAFETY: as for this function.
    (!handle.is_null()).then(|| unsafe { Arc::from_raw(handle.cast::<H::Inner>()) })
}
