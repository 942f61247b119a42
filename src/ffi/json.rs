//! The response as the server's JSON document, and decoding such a document.

use std::ffi::{c_char, c_void};

use super::memory::Arena;
use super::{api_credit, boundary, client, fish_api_credit, fish_api_credit_query, fish_client, fish_error};
use super::{fish_status, memory, query};
use crate::response;

/// Like fish_get_api_credit, but returns the server's JSON document as text: exactly the bytes sent, including
/// fields unknown to this version. It succeeds exactly when fish_get_api_credit would.
///
/// @param client  From fish_client_new. Not NULL.
/// @param query   NULL: the key's own account.
/// @param json    Receives the text, NUL-terminated UTF-8; NULL on failure. Release it with fish_string_free.
///                Not NULL.
/// @param error   Says why it failed. May be NULL.
/// @return FISH_OK or any other fish_status.
///
/// Any thread, any number at once. Blocks: do not call it on a UI or audio thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_get_api_credit_json(
    client: *const fish_client,
    query: *const fish_api_credit_query,
    json: *mut *mut c_char,
    error: *mut fish_error,
) -> fish_status {
    // SAFETY: out-parameters are NULL or the caller's to overwrite, in-parameters are NULL or valid for the
    // call (rules 1 and 2 of the header).
    unsafe {
        boundary::call(json, "json", error, |json| {
            client::share(client)?.api_credit(&query::read(query)?, |_, document| {
                json.write_unaligned(text(document));
            })
        })
    }
}

/// A string that the caller frees with fish_string_free.
pub(super) fn text(document: &str) -> *mut c_char {
    let mut arena = Arena::new(document.len() + 1);
    arena.text(document);
    arena.into_raw().cast()
}

/// Frees a string from fish_get_api_credit_json or fish_call_result_json. NULL is harmless; freeing a string
/// twice is not.
///
/// Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_string_free(string: *mut c_char) {
    boundary::guarded((), || {
        // SAFETY: it is NULL, or a whole arena from `text` that the caller gives up.
        unsafe { Arena::free(string.cast::<c_void>()) };
    });
}

/// Decodes a document saved from an earlier fish_get_api_credit_json, by the same rules. Does not use the
/// network.
///
/// @param json    The document; it need not end in NUL. Not NULL.
/// @param length  Its length in bytes, without a terminating NUL.
/// @param credit  Filled as by fish_get_api_credit. Release it with fish_api_credit_free. Not NULL.
/// @param error   Says why it failed. May be NULL.
/// @return FISH_OK, FISH_INVALID_ARGUMENT, FISH_BAD_RESPONSE, or FISH_RESPONSE_TOO_LARGE above 1 MiB.
///
/// Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_api_credit_from_json(
    json: *const c_char,
    length: usize,
    credit: *mut fish_api_credit,
    error: *mut fish_error,
) -> fish_status {
    // SAFETY: out-parameters are NULL or the caller's to overwrite (rule 2 of the header).
    unsafe {
        boundary::call(credit, "credit", error, |credit| {
            if json.is_null() {
                return Err(memory::null_argument("json"));
            }
            // Checked before the slice is made: a garbage length must not become one.
            response::within_limit(length)?;
            // SAFETY: the caller guarantees `length` readable bytes.
            let document = std::slice::from_raw_parts(json.cast::<u8>(), length);
            api_credit::fill(credit, &response::decode(document)?.0);
            Ok(())
        })
    }
}
