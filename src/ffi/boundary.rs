//! The boundary between C and this library: what every exported function runs inside, and what the library's own
//! threads run inside. No panic leaves it, no cancellation of the host's thread comes in, and every function that
//! can fail reports in the same way.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};

use super::{FISH_INTERNAL_ERROR, FISH_OK, error, fish_error, fish_status, memory};
use crate::error::{Error, Result};

thread_local! {
    /// Whether this thread is running the library's code. Without a destructor, so that a thread may outlive
    /// the library.
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
    #[cfg(test)]
    static INJECTED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a function that can fail: clears what it fills, and reports to `error` (rules 2 and 3 of the header).
/// `out` is called `name` in the header; `body` gets it when it is not NULL.
///
/// SAFETY: `out` and `error` are NULL or the caller's to overwrite, and all-zero bytes are a value of `T`.
pub(super) unsafe fn call<T>(
    out: *mut T,
    name: &str,
    error: *mut fish_error,
    body: impl FnOnce(*mut T) -> Result<()> + Copy,
) -> fish_status {
    // SAFETY: as the function demands.
    unsafe { tell(out, name, error, |out| body(out).map(|()| (FISH_OK, None))) }
}

/// The same for a function that can fill `out` and tell of a failure all the same. `body` gives the status that is
/// returned, and the failure if there is one.
///
/// SAFETY: as for `call`.
pub(super) unsafe fn tell<T>(
    out: *mut T,
    name: &str,
    error: *mut fish_error,
    body: impl FnOnce(*mut T) -> Result<(fish_status, Option<Box<Error>>)> + Copy,
) -> fish_status {
    uncancelled(|| {
        // SAFETY: as the function demands.
        unsafe {
            memory::clear(out);
            memory::clear(error);
        }
        // SAFETY: as the function demands.
        let filled =
            |failure: &Error| error.is_null() || contained(|| unsafe { error::fill(error, failure) }).is_ok();
        let done = contained(|| if out.is_null() { Err(memory::missing(name)) } else { body(out) });
        let failure = match done {
            Ok(Ok((status, None))) => return status,
            Ok(Ok((status, Some(told)))) => {
                return if filled(&told) { status } else { FISH_INTERNAL_ERROR };
            }
            Ok(Err(failure)) => failure,
            Err(panic) => Error::bug(&panic),
        };
        // SAFETY: as the function demands. It may have been filled before the failure.
        unsafe { memory::clear(out) };
        if filled(&failure) { failure.status as fish_status } else { FISH_INTERNAL_ERROR }
    })
}

/// Runs a function that cannot fail; `otherwise` is what a panic gives.
pub(super) fn guarded<T: Copy>(otherwise: T, body: impl FnOnce() -> T + Copy) -> T {
    uncancelled(|| contained(body).unwrap_or(otherwise))
}

/// Runs a function that a real-time thread may call. Unlike `guarded` it touches no thread-local variable, which
/// a thread's first use of it may have to allocate.
pub(super) fn realtime(body: impl FnOnce() + Copy) {
    uncancelled(|| {
        let _ = panic::catch_unwind(AssertUnwindSafe(|| {
            #[cfg(test)]
            injection_point();
            body();
        }));
    });
}

/// Runs `body` while `pthread_cancel` is held off. A thread that is cancelled in `body` ends once the call has
/// returned; one whose cancel type is asynchronous ends in `cancel::restore`, with the work done.
///
/// Where the C library ends a thread by unwinding its stack, the frames from here to the caller are unwound too:
/// nothing in them has a destructor (hence `Copy`), and the exported functions are `extern "C-unwind"`.
fn uncancelled<T: Copy>(body: impl FnOnce() -> T + Copy) -> T {
    /// Keeps the landing pads of `body` out of the frame that may be unwound.
    #[inline(never)]
    fn apart<T>(body: impl FnOnce() -> T) -> T {
        body()
    }
    let before = cancel::disable();
    let result = apart(body);
    cancel::restore(before);
    result
}

/// The calling thread's cancel state and type. Nothing here locks or allocates.
#[cfg(all(unix, not(target_os = "android")))]
mod cancel {
    use std::ffi::c_int;

    /// PTHREAD_CANCEL_DISABLE and PTHREAD_CANCEL_DEFERRED.
    const DISABLE: c_int = if cfg!(target_vendor = "apple") { 0 } else { 1 };
    const DEFERRED: c_int = if cfg!(target_vendor = "apple") { 2 } else { 0 };

    // Not in the libc crate for every system. "C-unwind", because restoring may end the thread.
    unsafe extern "C-unwind" {
        fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
        fn pthread_setcanceltype(kind: c_int, before: *mut c_int) -> c_int;
    }

    #[derive(Clone, Copy)]
    pub(super) struct Before {
        state: c_int,
        kind: c_int,
    }

    /// The type too: glibc 2.36 lets an asynchronous cancel that is under way act in spite of the state.
    pub(super) fn disable() -> Before {
        let mut before = Before { state: DISABLE, kind: DEFERRED };
        // SAFETY: each writes one int, and cannot fail for a value that exists.
        unsafe {
            pthread_setcanceltype(DEFERRED, &raw mut before.kind);
            pthread_setcancelstate(DISABLE, &raw mut before.state);
        }
        before
    }

    pub(super) fn restore(before: Before) {
        // POSIX does not say that the second may be NULL.
        let mut ours = before;
        // SAFETY: as above. If the thread has an asynchronous cancel pending, the second does not return.
        unsafe {
            pthread_setcancelstate(before.state, &raw mut ours.state);
            pthread_setcanceltype(before.kind, &raw mut ours.kind);
        }
    }
}

/// Threads cannot be cancelled on this system.
#[cfg(not(all(unix, not(target_os = "android"))))]
mod cancel {
    pub(super) fn disable() {}

    pub(super) fn restore((): ()) {}
}

/// Runs `body`; a panic in it comes back as its text, and prints nothing.
///
/// The caller must drop, or be done with, whatever `body` was changing: it may be half-changed.
pub(crate) fn contained<T>(body: impl FnOnce() -> T) -> std::result::Result<T, String> {
    // Nobody waits for whoever sets the hook: after a fork in the middle of that, nobody would end the wait.
    static QUIET: AtomicBool = AtomicBool::new(false);
    if !QUIET.load(Ordering::Relaxed) && !QUIET.swap(true, Ordering::Relaxed) {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !CONTAINED.get() {
                previous(info);
            }
        }));
    }
    let outer = CONTAINED.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(|| {
        #[cfg(test)]
        injection_point();
        body()
    }));
    CONTAINED.set(outer);
    result.map_err(text)
}

fn text(payload: Box<dyn Any + Send>) -> String {
    let text = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "a panic without a text".to_owned(),
    };
    // Its destructor could panic in turn, and nothing would catch that.
    std::mem::forget(payload);
    text
}

/// Panics once after `inject`.
#[cfg(test)]
fn injection_point() {
    if INJECTED.take() {
        panic!("injected by a test");
    }
}

/// The next `injection_point` on this thread panics, which each exported function has inside its boundary.
#[cfg(test)]
fn inject() {
    INJECTED.set(true);
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;
    use std::mem::{MaybeUninit, zeroed};
    use std::ptr;

    use super::super::*;
    use super::{contained, inject};

    /// Calls with a panic injected, and checks that it came back as FISH_INTERNAL_ERROR with its text.
    fn reports(name: &str, mut call: impl FnMut(*mut fish_error) -> fish_status) {
        let mut error = MaybeUninit::<fish_error>::uninit();
        inject();
        assert_eq!(call(error.as_mut_ptr()), FISH_INTERNAL_ERROR, "{name}");
        // SAFETY: the call filled it.
        unsafe {
            let error = error.assume_init_mut();
            assert_eq!(error.status, FISH_INTERNAL_ERROR, "{name}");
            let message = CStr::from_ptr(error.message).to_str().unwrap();
            assert!(message.contains("injected by a test"), "{name}: {message}");
            fish_error_free(error);
        }
        inject();
        assert_eq!(call(ptr::null_mut()), FISH_INTERNAL_ERROR, "{name} without an error");
    }

    #[test]
    fn every_function_that_can_fail_reports_a_panic_and_the_client_stays_usable() {
        // SAFETY: every pointer is valid or allowed to be NULL, and what is made is freed.
        unsafe {
            let options = fish_client_options {
                api_key: c"key".as_ptr(),
                base_url: c"http://127.0.0.1:1".as_ptr(),
                max_retries: -1,
                ..zeroed()
            };
            let mut client = ptr::null_mut();
            reports("fish_client_new", |error| fish_client_new(&options, &raw mut client, error));
            assert!(client.is_null());

            assert_eq!(fish_client_new(&options, &mut client, ptr::null_mut()), FISH_OK);
            let mut credit: fish_api_credit = zeroed();
            let mut json = ptr::null_mut();
            let (credit_out, json_out) = (&raw mut credit, &raw mut json);
            reports("fish_get_api_credit", |error| {
                fish_get_api_credit(client, ptr::null(), credit_out, error)
            });
            reports("fish_get_api_credit_json", |error| {
                fish_get_api_credit_json(client, ptr::null(), json_out, error)
            });
            reports("fish_api_credit_from_json", |error| {
                fish_api_credit_from_json(c"{}".as_ptr(), 2, credit_out, error)
            });
            assert!(credit.owner.is_null() && json.is_null());
            let (mut call, mut watch) = (ptr::null_mut(), ptr::null_mut());
            let (call_out, watch_out) = (&raw mut call, &raw mut watch);
            reports("fish_call_start", |error| fish_call_start(client, ptr::null(), call_out, error));
            reports("fish_watch_start", |error| {
                fish_watch_start(client, ptr::null(), ptr::null(), watch_out, error)
            });
            assert!(call.is_null() && watch.is_null());
            assert_eq!(fish_call_start(client, ptr::null(), &mut call, ptr::null_mut()), FISH_OK);
            assert_eq!(fish_call_wait(call, 60_000), FISH_OK);
            reports("fish_call_result", |error| fish_call_result(call, credit_out, error));
            reports("fish_call_result_json", |error| fish_call_result_json(call, json_out, error));
            inject();
            assert_eq!(fish_call_wait(call, 0), FISH_INTERNAL_ERROR);
            fish_call_free(call);
            assert_eq!(
                fish_watch_start(client, ptr::null(), ptr::null(), &mut watch, ptr::null_mut()),
                FISH_OK
            );
            let mut state: fish_watch_state = zeroed();
            let state_out = &raw mut state;
            reports("fish_watch_read", |error| fish_watch_read(watch, state_out, error));
            assert_eq!(state.status, FISH_OK, "all zero");
            fish_watch_free(watch);
            // Nobody listens there: a failure of the network, not of the client.
            let after = fish_get_api_credit(client, ptr::null(), &mut credit, ptr::null_mut());
            assert_eq!(after, FISH_CONNECT_FAILED);
            fish_client_free(client);
        }
    }

    #[test]
    fn every_function_that_cannot_fail_survives_a_panic() {
        // SAFETY: every pointer is NULL, which each of them allows, or fresh from its own constructor.
        unsafe {
            inject();
            assert_eq!(CStr::from_ptr(fish_version()).to_str().unwrap(), env!("CARGO_PKG_VERSION"));
            inject();
            assert_eq!(fish_abi_version(), FISH_ABI_VERSION);
            inject();
            assert_eq!(CStr::from_ptr(fish_status_name(0)), c"FISH_UNKNOWN_STATUS");
            inject();
            assert_eq!(fish_format_micros(0, 0, ptr::null_mut(), 0), 0);
            inject();
            fish_client_cancel(ptr::null_mut());
            inject();
            fish_client_free(ptr::null_mut());
            inject();
            fish_api_credit_free(ptr::null_mut());
            inject();
            fish_error_free(ptr::null_mut());
            inject();
            fish_string_free(ptr::null_mut());
            inject();
            assert!(fish_cancel_token_new().is_null());
            let token = fish_cancel_token_new();
            inject();
            fish_cancel_token_cancel(token);
            fish_cancel_token_free(token);
            inject();
            fish_cancel_token_free(ptr::null_mut());
            inject();
            assert!(fish_call_is_done(ptr::null()));
            inject();
            assert_eq!(fish_call_descriptor(ptr::null()), -1);
            inject();
            fish_call_free(ptr::null_mut());
            inject();
            fish_watch_refresh(ptr::null_mut());
            inject();
            assert_eq!(fish_watch_descriptor(ptr::null()), -1);
            inject();
            fish_watch_state_free(ptr::null_mut());
            inject();
            fish_watch_free(ptr::null_mut());
        }
    }

    #[test]
    fn a_panic_comes_back_as_its_text() {
        assert_eq!(contained(|| 7), Ok(7));
        assert_eq!(contained(|| -> i32 { panic!("plain") }), Err("plain".to_owned()));
        assert_eq!(contained(|| -> i32 { panic!("{}-{}", 1, 2) }), Err("1-2".to_owned()));
        struct Rude;
        impl Drop for Rude {
            fn drop(&mut self) {
                panic!("again");
            }
        }
        let odd = contained(|| -> i32 { std::panic::panic_any(Rude) });
        assert_eq!(odd, Err("a panic without a text".to_owned()));
    }
}
