//! How a call ended, as a 32-bit int with named values, and the three-valued flag of an answer. The numbers
//! are the contract; `status.rs` in the core has the same ones, and a test below holds them together.

use std::ffi::{CStr, c_char};

use crate::panics::guarded;
use crate::status::Status;

/// How a call ended: one of the values below. New ones may come; treat an unknown one as a failure.
pub type fish_status = i32;

/// Success.
pub const FISH_OK: fish_status = 0;

/// The caller: an argument or option was refused, and nothing was sent. The message names it.
pub const FISH_INVALID_ARGUMENT: fish_status = 1;
/// The caller: no api_key option, and no FISH_API_KEY in the environment.
pub const FISH_MISSING_API_KEY: fish_status = 2;
/// The caller: the query's cancel token was cancelled.
pub const FISH_CANCELLED: fish_status = 3;

/// On the way: the host name could not be resolved.
pub const FISH_RESOLVE_FAILED: fish_status = 20;
/// On the way: no connection could be made to any of the host's addresses.
pub const FISH_CONNECT_FAILED: fish_status = 21;
/// On the way: no secure connection could be made. The message says what was wrong with it.
pub const FISH_TLS_FAILED: fish_status = 22;
/// On the way: the proxy could not be reached, refused, or answered nonsense.
pub const FISH_PROXY_FAILED: fish_status = 23;
/// On the way: timeout_ms passed. A call never takes longer.
pub const FISH_TIMED_OUT: fish_status = 24;
/// On the way: the connection ended before a whole answer had arrived.
pub const FISH_CONNECTION_LOST: fish_status = 25;

/// The server's answer: 401. The API key is wrong.
pub const FISH_UNAUTHORIZED: fish_status = 40;
/// The server's answer: 402.
pub const FISH_PAYMENT_REQUIRED: fish_status = 41;
/// The server's answer: 403. The key may not read this wallet.
pub const FISH_FORBIDDEN: fish_status = 42;
/// The server's answer: 404. There is no such user, or base_url is wrong.
pub const FISH_NOT_FOUND: fish_status = 43;
/// The server's answer: 400 or 422. See fish_error.field_errors.
pub const FISH_VALIDATION_FAILED: fish_status = 44;
/// The server's answer: 429. See fish_error.retry_after_ms.
pub const FISH_RATE_LIMITED: fish_status = 45;
/// The server's answer: 500 to 599.
pub const FISH_SERVER_ERROR: fish_status = 46;
/// The server's answer: any other HTTP status. Redirects too: they are never followed.
pub const FISH_UNEXPECTED_STATUS: fish_status = 47;
/// The server's answer: not HTTP, or a 200 that is not the documented document. No value of it is used.
pub const FISH_BAD_RESPONSE: fish_status = 48;
/// The server's answer: a document above 1 MiB, or a head above 64 KiB or 100 header fields.
pub const FISH_RESPONSE_TOO_LARGE: fish_status = 49;

/// This library: a bug of ours, caught before it could reach the caller. Please report the message.
pub const FISH_INTERNAL_ERROR: fish_status = 90;

/// Yes, no, or the server did not say. As wide as an int32_t.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum fish_tristate {
    /// Absent from the answer, or null in it.
    FISH_UNKNOWN = -1,
    /// No.
    FISH_FALSE = 0,
    /// Yes.
    FISH_TRUE = 1,
}

const _: () = assert!(size_of::<fish_tristate>() == size_of::<i32>());

impl From<Option<bool>> for fish_tristate {
    fn from(flag: Option<bool>) -> fish_tristate {
        match flag {
            None => fish_tristate::FISH_UNKNOWN,
            Some(false) => fish_tristate::FISH_FALSE,
            Some(true) => fish_tristate::FISH_TRUE,
        }
    }
}

const UNKNOWN_NAME: &CStr = c"FISH_UNKNOWN_STATUS";

/// The name of a status as it stands in this header, such as "FISH_TIMED_OUT"; "FISH_UNKNOWN_STATUS" for any
/// number that is none. Static: never NULL, never freed.
///
/// Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn fish_status_name(status: i32) -> *const c_char {
    guarded(UNKNOWN_NAME.as_ptr(), || {
        let known = Status::ALL.into_iter().find(|known| *known as i32 == status);
        known.map_or(UNKNOWN_NAME, Status::name).as_ptr()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constants_of_the_header_are_the_statuses_of_the_core() {
        let constants = [
            FISH_OK,
            FISH_INVALID_ARGUMENT,
            FISH_MISSING_API_KEY,
            FISH_CANCELLED,
            FISH_RESOLVE_FAILED,
            FISH_CONNECT_FAILED,
            FISH_TLS_FAILED,
            FISH_PROXY_FAILED,
            FISH_TIMED_OUT,
            FISH_CONNECTION_LOST,
            FISH_UNAUTHORIZED,
            FISH_PAYMENT_REQUIRED,
            FISH_FORBIDDEN,
            FISH_NOT_FOUND,
            FISH_VALIDATION_FAILED,
            FISH_RATE_LIMITED,
            FISH_SERVER_ERROR,
            FISH_UNEXPECTED_STATUS,
            FISH_BAD_RESPONSE,
            FISH_RESPONSE_TOO_LARGE,
            FISH_INTERNAL_ERROR,
        ];
        assert_eq!(Status::ALL.map(|status| status as i32), constants);
    }
}
