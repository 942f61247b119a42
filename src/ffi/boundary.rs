//! The boundary between C and this library: every exported function and every thread of the library runs inside
//! it. No panic gets out, no `pthread_cancel` of the host gets in, and every function that can fail reports
//! alike.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};

use super::{FISH_INTERNAL_ERROR, FISH_OK, error, fish_error, fish_status, memory};
use crate::error::{Error, Result};

thread_local! {
    /// Whether this thread is running the library's code. It has no destructor, so a thread may outlive the
    /// library.
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
    #[cfg(test)]
    static INJECTED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a function that can fail: clears its out-parameter, and reports to `error` (rules 2 and 3 of the
/// header). `name` is what the header calls `out`; `body` gets `out` if it is not NULL.
///
/// SAFETY: `out` and `error` are NULL or may be overwritten, and all-zero bytes are a valid `T`.
pub(super) unsafe fn call<T>(
    out: *mut T,
    name: &str,
    error: *mut fish_error,
    body: impl FnOnce(*mut T) -> Result<()> + Copy,
) -> fish_status {
    // SAFETY: as for this function.
    unsafe { call_with_status(out, name, error, |out| body(out).map(|()| (FISH_OK, None))) }
}

/// Like `call`, for a function that may fill both `out` and `error`. `body` gives the status to return, and the
/// failure if there is one.
///
/// SAFETY: as for `call`.
pub(super) unsafe fn call_with_status<T>(
    out: *mut T,
    name: &str,
    error: *mut fish_error,
    body: impl FnOnce(*mut T) -> Result<(fish_status, Option<Box<Error>>)> + Copy,
) -> fish_status {
    uncancelled(|| {
        // SAFETY: as for this function.
        unsafe {
            memory::clear(out);
            memory::clear(error);
        }
        // SAFETY: as for this function.
        let filled =
            |failure: &Error| error.is_null() || contained(|| unsafe { error::fill(error, failure) }).is_ok();
        let done = contained(|| if out.is_null() { Err(memory::null_argument(name)) } else { body(out) });
        let failure = match done {
            Ok(Ok((status, None))) => return status,
            Ok(Ok((status, Some(failure)))) => {
                return if filled(&failure) { status } else { FISH_INTERNAL_ERROR };
            }
            Ok(Err(failure)) => failure,
            Err(panic) => Error::bug(&panic),
        };
        // It may have been filled before the failure.
        // SAFETY: as for this function.
        unsafe { memory::clear(out) };
        if filled(&failure) { failure.status as fish_status } else { FISH_INTERNAL_ERROR }
    })
}

/// Runs a function that cannot fail; a panic gives `otherwise`.
pub(super) fn guarded<T: Copy>(otherwise: T, body: impl FnOnce() -> T + Copy) -> T {
    uncancelled(|| contained(body).unwrap_or(otherwise))
}

/// Runs a function that a real-time thread may call. Unlike `guarded`, it uses no thread-local variable,
/// because a thread's first use of one may allocate.
pub(super) fn realtime(body: impl FnOnce() + Copy) {
    uncancelled(|| {
        let _ = panic::catch_unwind(AssertUnwindSafe(|| {
            #[cfg(test)]
            injection_point();
            body();
        }));
    });
}

/// Runs `body` with `pthread_cancel` disabled. A thread that is cancelled during `body` ends at its next
/// cancellation point after the call; one whose cancel type is asynchronous ends in `cancel::restore`, when the
/// work is done.
///
/// Some C libraries end a thread by unwinding its stack, including the frames from here to the caller. So
/// nothing in them has a destructor (hence `Copy`), and the exported functions are `extern "C-unwind"`.
fn uncancelled<T: Copy>(body: impl FnOnce() -> T + Copy) -> T {
    /// Keeps the landing pads of `body` out of the frame that may be unwound.
    #[inline(never)]
    fn in_own_frame<T>(body: impl FnOnce() -> T) -> T {
        body()
    }
    let before = cancel::disable();
    let result = in_own_frame(body);
    cancel::restore(before);
    result
}

/// The calling thread's cancel state and type. Takes no lock and allocates nothing.
#[cfg(all(unix, not(target_os = "android")))]
mod cancel {
    use std::ffi::c_int;

    /// PTHREAD_CANCEL_DISABLE and PTHREAD_CANCEL_DEFERRED.
    const DISABLE: c_int = if cfg!(target_vendor = "apple") { 0 } else { 1 };
    const DEFERRED: c_int = if cfg!(target_vendor = "apple") { 2 } else { 0 };

    // The libc crate lacks these on some systems. "C-unwind" because restoring may end the thread.
    unsafe extern "C-unwind" {
        fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
        fn pthread_setcanceltype(kind: c_int, before: *mut c_int) -> c_int;
    }

    #[derive(Clone, Copy)]
    pub(super) struct Before {
        state: c_int,
        kind: c_int,
    }

    /// Sets the type too: in glibc 2.36, a pending asynchronous cancel acts despite the disabled state.
    pub(super) fn disable() -> Before {
        let mut before = Before { state: DISABLE, kind: DEFERRED };
        // SAFETY: each writes one int, and cannot fail for a valid value.
        unsafe {
            pthread_setcanceltype(DEFERRED, &raw mut before.kind);
            pthread_setcancelstate(DISABLE, &raw mut before.state);
        }
        before
    }

    pub(super) fn restore(before: Before) {
        // POSIX does not allow NULL for the second argument.
        let mut ours = before;
        // SAFETY: as above. With an asynchronous cancel pending, the second call does not return.
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

/// Runs `body`, and turns a panic into its text. A panic prints nothing.
///
/// After a panic, the caller must not use what `body` was changing: it may be half-changed.
pub(crate) fn contained<T>(body: impl FnOnce() -> T) -> std::result::Result<T, String> {
    // Not a Once: a child forked while another thread is inside it would wait forever. A call that does not
    // wait for the hook to be set prints a panic at worst.
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
    // Its destructor could panic again, outside of catch_unwind.
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

/// Makes the next `injection_point` on this thread panic. Every exported function has one inside its boundary.
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

    /// Calls with an injected panic, and checks that it is reported as FISH_INTERNAL_ERROR with its text.
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
        // SAFETY: every pointer is valid or may be NULL, and everything created is freed.
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
            // Nothing listens on that port: a network failure, so the client still works.
            let after = fish_get_api_credit(client, ptr::null(), &mut credit, ptr::null_mut());
            assert_eq!(after, FISH_CONNECT_FAILED);
            fish_client_free(client);
        }
    }

    #[test]
    fn every_function_that_cannot_fail_survives_a_panic() {
        // SAFETY: every pointer is NULL, which is allowed, or fresh from its constructor.
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

    /// In a process of its own, whose standard error is read.
    #[test]
    fn a_contained_panic_prints_nothing_and_a_hosts_prints_as_before() {
        if std::env::var_os("FISH_TEST_CHILD").is_some() {
            let _ = contained(|| panic!("one of ours"));
            let _ = std::panic::catch_unwind(|| panic!("one of the host's"));
            return;
        }
        let test = "ffi::boundary::tests::a_contained_panic_prints_nothing_and_a_hosts_prints_as_before";
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env("FISH_TEST_CHILD", test)
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{output:?}");
        assert!(printed.contains("one of the host's") && !printed.contains("one of ours"), "{printed}");
    }

    #[test]
    fn a_panic_comes_back_as_its_text() {
        assert_eq!(contained(|| 7), Ok(7));
        assert_eq!(contained(|| -> i32 { panic!("plain") }), Err("plain".to_owned()));
        // A text that is put together only when it panics.
        let two = std::hint::black_box(2);
        assert_eq!(contained(|| -> i32 { panic!("1-{two}") }), Err("1-2".to_owned()));
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
