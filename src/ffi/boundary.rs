//! The boundary itself: what every exported function runs inside. No panic leaves it, and every function that
//! can fail reports in the same way.

use super::{FISH_INTERNAL_ERROR, FISH_OK, error, fish_error, fish_status, memory};
use crate::error::{Error, Result};
use crate::panics::contained;
use crate::status::Status;

/// Runs a function that can fail, and reports to `error` (rule 3 of the header).
///
/// SAFETY: `error` is NULL or the caller's to overwrite.
pub(super) unsafe fn call(error: *mut fish_error, body: impl FnOnce() -> Result<()>) -> fish_status {
    // SAFETY: as the function demands.
    unsafe { memory::clear(error) };
    let failure = match contained(body) {
        Ok(Ok(())) => return FISH_OK,
        Ok(Err(failure)) => failure,
        Err(panic) => Error::new(
            Status::InternalError,
            format!("The library has a bug; please report this text: {}.", panic.replace('\0', "\u{fffd}")),
        ),
    };
    let status = failure.status as fish_status;
    if !error.is_null() {
        match contained(|| error::fill(&failure)) {
            // SAFETY: as the function demands.
            Ok(filled) => unsafe { error.write(filled) },
            Err(_) => return FISH_INTERNAL_ERROR,
        }
    }
    status
}

/// Runs a function that cannot fail; `otherwise` is what a panic gives.
pub(super) fn guarded<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    contained(body).unwrap_or(otherwise)
}
