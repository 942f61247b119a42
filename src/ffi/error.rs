//! The error, as a struct.

use std::ffi::{c_char, c_void};
use std::{mem, ptr};

use super::memory::Arena;
use super::{boundary, fish_status, memory};
use crate::error::Error;

/// One problem that the server found in the request (a 422 lists them).
#[derive(Clone, Copy)]
#[repr(C)]
pub struct fish_field_error {
    /// The field, such as "query.check_free_credit": the parts of "loc" joined by dots. Never NULL.
    pub location: *const c_char,
    /// "in": "path", "query", "header", "cookie" or "body". NULL if not sent.
    pub source: *const c_char,
    /// The kind of error, such as "bool_parsing". Never NULL.
    pub r#type: *const c_char,
    /// The server's description. Never NULL.
    pub message: *const c_char,
    /// "ctx" as text. NULL if not sent.
    pub context: *const c_char,
}

/// Why a call failed. The library fills this struct and owns its strings; release them with fish_error_free.
/// After success it is all zero, so freeing it is always safe.
#[repr(C)]
pub struct fish_error {
    /// What the function returned.
    pub status: fish_status,
    /// The HTTP status of the last response whose head arrived. 0: none arrived.
    pub http_status: i32,
    /// How many times the request was tried, including retries and failed connections. 0: nothing was sent.
    /// Replacing a kept connection that the server had closed does not count.
    pub attempts: u32,
    /// How long the server asks to wait (Retry-After), in milliseconds. 0: not sent.
    pub retry_after_ms: u32,
    /// Whether the same call may succeed later.
    pub retryable: bool,
    /// One sentence that says what failed and what to do. Never NULL on failure; never contains a secret.
    pub message: *const c_char,
    /// The server's own message, at most 4 KiB: "message" of an error response's JSON body, else "detail"
    /// unless it is a list; or the whole body if it is a JSON string or plain text. NULL if there is none, or
    /// if the body is HTML, has a Content-Encoding, is not UTF-8 or contains control characters.
    pub api_message: *const c_char,
    /// The server's machine-readable reason: "reason" of that JSON body, else the x-fish-error-code header,
    /// else "code" of that body. NULL if there is none.
    pub api_reason: *const c_char,
    /// The server's id for this request, to quote to its support: the x-fish-trace-id header, else cf-ray,
    /// else "request_id" of that JSON body. NULL if there is none.
    pub request_id: *const c_char,
    /// The start, at most 4 KiB, of the body of an error response, or of a 200 that could not be used. Bytes
    /// that are not UTF-8, and control characters other than tab, CR and LF, are replaced by U+FFFD. NULL if
    /// the body is empty or has a Content-Encoding.
    pub body: *const c_char,
    /// The problems that a 422 lists. NULL if there are none.
    pub field_errors: *const fish_field_error,
    /// The number of field_errors.
    pub field_error_count: usize,
    /// Used by the library.
    pub owner: *mut c_void,
    /// Zero.
    pub reserved: [u64; 4],
}

/// Releases what a fish_error owns and zeroes it. NULL, a zeroed struct and a second call are harmless.
///
/// Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_error_free(error: *mut fish_error) {
    boundary::guarded((), || {
        if !error.is_null() {
            // SAFETY: it is zeroed, or was filled by this library. Only the owner is read: the caller may have
            // changed the other fields.
            unsafe {
                Arena::free((&raw const (*error).owner).read_unaligned());
                memory::clear(error);
            }
        }
    });
}

/// Fills C's struct, with its table and all its strings in one arena.
///
/// SAFETY: `out` is zeroed and the caller's to overwrite.
pub(super) unsafe fn fill(out: *mut fish_error, failure: &Error) {
    let texts = [&failure.api_message, &failure.api_reason, &failure.request_id, &failure.body];
    let size = mem::size_of::<fish_field_error>() * failure.field_errors.len()
        + failure.message.len()
        + 1
        + texts.into_iter().flatten().map(|text| text.len() + 1).sum::<usize>()
        + failure
            .field_errors
            .iter()
            .flat_map(|row| {
                [
                    Some(&row.location),
                    row.source.as_ref(),
                    Some(&row.kind),
                    Some(&row.message),
                    row.context.as_ref(),
                ]
            })
            .flatten()
            .map(|text| text.len() + 1)
            .sum::<usize>();
    let mut arena = Arena::new(size);
    let table: *mut fish_field_error = arena.table(failure.field_errors.len());
    for (at, row) in failure.field_errors.iter().enumerate() {
        let row = fish_field_error {
            location: arena.text(&row.location),
            source: arena.optional(row.source.as_deref()),
            r#type: arena.text(&row.kind),
            message: arena.text(&row.message),
            context: arena.optional(row.context.as_deref()),
        };
        // SAFETY: the table has a row for each field error, and nothing else writes there.
        unsafe { table.add(at).write(row) };
    }
    let message = arena.text(&failure.message);
    let [api_message, api_reason, request_id, body] = texts.map(|text| arena.optional(text.as_deref()));
    // SAFETY: as for this function.
    unsafe {
        memory::fill!(
            out,
            fish_error {
                status: failure.status as fish_status,
                http_status: failure.http_status.into(),
                attempts: failure.attempts,
                retry_after_ms: failure
                    .retry_after
                    .map_or(0, |wait| wait.as_millis().try_into().unwrap_or(u32::MAX)),
                retryable: failure.retryable,
                message: message,
                api_message: api_message,
                api_reason: api_reason,
                request_id: request_id,
                body: body,
                field_errors: if failure.field_errors.is_empty() { ptr::null() } else { table },
                field_error_count: failure.field_errors.len(),
                owner: arena.into_raw(),
                reserved: [0; 4],
            }
        );
    }
}
