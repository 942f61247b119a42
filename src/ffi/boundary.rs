//! The boundary itself: what every function that can fail runs inside. No panic leaves it, and each reports in
//! the same way. Those that cannot fail run inside `panics::guarded`.

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

#[cfg(test)]
mod tests {
    use std::ffi::CStr;
    use std::mem::{MaybeUninit, zeroed};
    use std::ptr;

    use super::super::*;
    use crate::panics::inject;

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
        }
    }
}
