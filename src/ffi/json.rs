//! The answer as the server's own document, and back.

use std::ffi::{c_char, c_void};

use super::memory::Block;
use super::{api_credit, boundary, client, fish_api_credit, fish_api_credit_query, fish_client, fish_error};
use super::{fish_status, memory, query};
use crate::response;

/// The same call as fish_get_api_credit, giving the server's JSON document as text: exactly the bytes sent,
/// fields unknown to this version included. It succeeds exactly when fish_get_api_credit would.
///
/// @param client  From fish_client_new. Not NULL.
/// @param query   NULL: the key's own account.
/// @param json    Receives the text, NUL-terminated UTF-8; NULL on failure. Release it with fish_string_free.
///                Not NULL.
/// @param error   Says why it failed. May be NULL.
/// @return FISH_OK or any other fish_status.
///
/// Any thread, any number at once; it blocks. Since 0.1.0.
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

/// A string for the caller.
pub(super) fn text(document: &str) -> *mut c_char {
    let mut block = Block::new(document.len() + 1);
    block.text(document);
    block.into_raw().cast()
}

/// Releases a string that fish_get_api_credit_json or fish_call_result_json gave. NULL is harmless; a
/// second call is not.
///
/// Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_string_free(string: *mut c_char) {
    boundary::guarded((), || {
        // SAFETY: it is NULL or the whole of a block made above, which the caller gives up.
        unsafe { Block::free(string.cast::<c_void>()) };
    });
}

/// Decodes a document kept from an earlier fish_get_api_credit_json, by the same rules. No network.
///
/// @param json    The document; it need not end in NUL. Not NULL.
/// @param length  Its length in bytes, without a closing NUL.
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
                return Err(memory::missing("json"));
            }
            // Looked at before the bytes are: a length that is no length must not reach them.
            response::within_limit(length)?;
            // SAFETY: the caller vouches for `length` readable bytes.
            let document = std::slice::from_raw_parts(json.cast::<u8>(), length);
            api_credit::fill(credit, &response::decode(document)?.0);
            Ok(())
        })
    }
}
