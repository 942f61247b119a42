//! The background call.

use std::ffi::c_char;
use std::sync::Arc;
use std::time::Duration;

use super::handle::{self, Handle};
use super::{FISH_OK, FISH_PENDING, fish_status, json, memory, query};
use super::{api_credit, boundary, client, fish_api_credit, fish_api_credit_query, fish_client, fish_error};
use crate::background::Call;
use crate::error::{Error, Result};
use crate::response::Kept;
use crate::status::Status;

/// A call that runs in the background, on a thread of the library: for event loops, for runtimes with their own
/// threads, and for UI threads. Wait for it with poll, epoll, select, kqueue or WSAPoll on its descriptor, or
/// with fish_call_wait, or check fish_call_is_done from time to time.
///
/// A forked child has no thread to continue its parent's call: there the call is done, and its result is
/// FISH_CANCELLED unless it had ended before the fork.
pub struct fish_call {
    _opaque: (),
}

impl Handle for fish_call {
    type Inner = Call;
}

/// Starts a call in the background. Its thread has a stack of 256 KiB, blocks all signals except those that its
/// own faults raise, and ends by itself.
///
/// @param client  From fish_client_new. The call keeps its own reference: the client may be freed, which
///                cancels the call. Not NULL.
/// @param query   NULL: the key's own account. Its strings are copied.
/// @param call    Receives the call; NULL on failure. Free it with fish_call_free. Not NULL.
/// @param error   Says why it failed. May be NULL.
/// @return FISH_OK; FISH_INVALID_ARGUMENT or FISH_CANCELLED where fish_get_api_credit would return it before
///         sending anything; FISH_CONNECT_FAILED if no thread could be started.
///
/// Any thread, any number at once; never waits. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_call_start(
    client: *const fish_client,
    query: *const fish_api_credit_query,
    call: *mut *mut fish_call,
    error: *mut fish_error,
) -> fish_status {
    // SAFETY: out-parameters are NULL or the caller's to overwrite, in-parameters are NULL or valid for the
    // call (rules 1 and 2 of the header).
    unsafe {
        boundary::call(call, "call", error, |call| {
            let started = Call::start(client::share(client)?, &query::read(query)?)?;
            call.write_unaligned(handle::new(started));
            Ok(())
        })
    }
}

/// Returns whether the call is done, so that its result is available. True for NULL.
///
/// Any thread; never waits. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_call_is_done(call: *const fish_call) -> bool {
    boundary::guarded(true, || {
        // SAFETY: it is NULL or alive.
        unsafe { handle::share(call) }.is_none_or(|call| call.is_done())
    })
}

/// Waits until the call is done.
///
/// @param call        From fish_call_start. Not NULL.
/// @param timeout_ms  Milliseconds to wait at most. 0: does not wait.
/// @return FISH_OK: it is done, whatever its result. FISH_PENDING: it is still running. FISH_INVALID_ARGUMENT:
///         call is NULL.
///
/// Any thread, any number at once. Blocks. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_call_wait(call: *const fish_call, timeout_ms: u32) -> fish_status {
    boundary::guarded(super::FISH_INTERNAL_ERROR, || {
        // SAFETY: it is NULL or alive.
        match unsafe { handle::share(call) } {
            None => super::FISH_INVALID_ARGUMENT,
            Some(call) if call.wait(Duration::from_millis(timeout_ms.into())) => FISH_OK,
            Some(_) => FISH_PENDING,
        }
    })
}

/// Returns a descriptor for an event loop. It becomes readable (POLLIN) when the call is done, and stays
/// readable. A file descriptor; on Windows a SOCKET. Never read or close it: the call owns it, and
/// fish_call_free closes it.
///
/// @return The descriptor. -1: none was available, call is NULL, or this is a forked child; check
///         fish_call_is_done instead.
///
/// Any thread; never waits. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_call_descriptor(call: *const fish_call) -> isize {
    boundary::guarded(-1, || {
        // SAFETY: it is NULL or alive.
        unsafe { handle::share(call) }.and_then(|call| call.descriptor()).unwrap_or(-1)
    })
}

/// Returns the call's result, as fish_get_api_credit would have. It may be called any number of times.
///
/// @param call    From fish_call_start. Not NULL.
/// @param credit  Filled on success, zeroed otherwise. Release it with fish_api_credit_free. Not NULL.
/// @param error   Says why it failed. May be NULL.
/// @return FISH_OK or any other fish_status; FISH_PENDING while the call runs.
///
/// Any thread, any number at once; never waits. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_call_result(
    call: *const fish_call,
    credit: *mut fish_api_credit,
    error: *mut fish_error,
) -> fish_status {
    // SAFETY: out-parameters are NULL or the caller's to overwrite, `call` is NULL or alive.
    unsafe {
        boundary::call(credit, "credit", error, |credit| {
            let call = share(call)?;
            api_credit::fill(credit, &outcome(&call)?.credit());
            Ok(())
        })
    }
}

/// Returns the call's result as JSON, as fish_get_api_credit_json would have. It may be called any number of
/// times.
///
/// @param call   From fish_call_start. Not NULL.
/// @param json   Receives the text; NULL on failure. Release it with fish_string_free. Not NULL.
/// @param error  Says why it failed. May be NULL.
/// @return FISH_OK or any other fish_status; FISH_PENDING while the call runs.
///
/// Any thread, any number at once; never waits. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_call_result_json(
    call: *const fish_call,
    json: *mut *mut c_char,
    error: *mut fish_error,
) -> fish_status {
    // SAFETY: out-parameters are NULL or the caller's to overwrite, `call` is NULL or alive.
    unsafe {
        boundary::call(json, "json", error, |json| {
            let call = share(call)?;
            json.write_unaligned(json::text(&outcome(&call)?.document));
            Ok(())
        })
    }
}

/// Cancels the call if it is running, and frees it: the pointer and the descriptor become invalid. The thread
/// ends within 100 ms. NULL is harmless.
///
/// Any thread; never waits. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_call_free(call: *mut fish_call) {
    boundary::guarded((), || {
        // SAFETY: it is NULL, or came from fish_call_start and the caller gives it up.
        if let Some(call) = unsafe { handle::take(call) } {
            call.cancel();
        }
    });
}

/// SAFETY: `call` is NULL, or came from fish_call_start and has not been freed.
unsafe fn share(call: *const fish_call) -> Result<Arc<Call>> {
    // SAFETY: as for this function.
    unsafe { handle::share(call) }.ok_or_else(|| memory::null_argument("call"))
}

fn outcome(call: &Call) -> Result<&Kept> {
    call.outcome()?.ok_or_else(|| {
        Error::new(
            Status::Pending,
            "The call is still running; wait for it with fish_call_wait or its descriptor.",
        )
    })
}
