//! A call in the background.

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

/// One call in the background, on a thread of the library's: for event loops, for runtimes with threads of
/// their own, and for threads that draw. Wait for it with poll, epoll, select, kqueue or WSAPoll on its
/// descriptor, with fish_call_wait, or look at it now and again with fish_call_is_done.
///
/// In a forked child there is no thread that goes on with its parent's call: there it is done, and its
/// result is FISH_CANCELLED if it was not there before the fork.
pub struct fish_call {
    _opaque: (),
}

impl Handle for fish_call {
    type Inner = Call;
}

/// Starts a call, without waiting for anything. Its thread has 256 KiB of stack and all signals blocked but
/// those of its own faults, and ends by itself.
///
/// @param client  From fish_client_new. The call keeps its own share: the client may be freed, which
///                cancels the call. Not NULL.
/// @param query   NULL: the key's own account. Its strings are copied.
/// @param call    Receives the call; NULL on failure. Free it with fish_call_free. Not NULL.
/// @param error   Says why it failed. May be NULL.
/// @return FISH_OK; what fish_get_api_credit would refuse before it sends anything: FISH_INVALID_ARGUMENT or
///         FISH_CANCELLED; FISH_CONNECT_FAILED if no thread could be started.
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

/// Whether the call is done, and its result can be had. True for NULL.
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
/// @param call        From fish_call_start. NULL is refused.
/// @param timeout_ms  Milliseconds to wait at most. 0: does not wait.
/// @return FISH_OK: it is done, whatever its result is. FISH_PENDING: it is not. FISH_INVALID_ARGUMENT:
///         call is NULL.
///
/// Any thread, any number at once; it blocks. Since 0.1.0.
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

/// What an event loop watches: readable (POLLIN) once the call is done, and from then on. A file
/// descriptor; on Windows a SOCKET. Never read it, never close it: it is the call's, and closed by
/// fish_call_free.
///
/// @return -1: none could be had, or call is NULL, or this is a forked child; look at fish_call_is_done
///         instead.
///
/// Any thread; never waits. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_call_descriptor(call: *const fish_call) -> isize {
    boundary::guarded(-1, || {
        // SAFETY: it is NULL or alive.
        unsafe { handle::share(call) }.and_then(|call| call.descriptor()).unwrap_or(-1)
    })
}

/// The call's result, as often as asked: what fish_get_api_credit would have given.
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

/// The same as the server's JSON document: what fish_get_api_credit_json would have given.
///
/// @param call   From fish_call_start. Not NULL.
/// @param json   Receives the text; NULL unless it succeeded. Release it with fish_string_free. Not NULL.
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

/// Cancels the call if it runs, and lets go: the pointer and the descriptor are invalid from then on. It
/// never waits; the thread ends within 100 ms. NULL is allowed.
///
/// Any thread; never waits. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_call_free(call: *mut fish_call) {
    boundary::guarded((), || {
        // SAFETY: it is NULL, or came from fish_call_start and is given up.
        if let Some(call) = unsafe { handle::take(call) } {
            call.give_up();
        }
    });
}

/// SAFETY: `call` is NULL, or came from fish_call_start and has not been freed.
unsafe fn share(call: *const fish_call) -> Result<Arc<Call>> {
    // SAFETY: as the function demands.
    unsafe { handle::share(call) }.ok_or_else(|| memory::missing("call"))
}

fn outcome(call: &Call) -> Result<&Kept> {
    call.outcome()?.ok_or_else(|| {
        Error::new(
            Status::Pending,
            "The call is not done; wait for it with fish_call_wait or its descriptor.",
        )
    })
}
