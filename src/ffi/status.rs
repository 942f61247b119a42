//! How a call ended, as a 32-bit int with named values, and the three-valued flag.

use std::ffi::{CStr, c_char};

use super::boundary;

/// How a call ended: a fish_status_code. New values may be added; treat an unknown one as a failure.
pub type fish_status = i32;

/// Expands the one list of statuses to the core's `Status`, the constants of this module, the names that
/// fish_status_name returns, and the rows from which tests/support/generate.rs writes `enum fish_status_code`.
macro_rules! statuses {
    ($($(#[doc = $doc:literal])+ $status:ident, $name:ident = $number:literal;)+) => {
        /// How a call ended.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(i32)]
        #[allow(clippy::enum_variant_names)] // UnexpectedStatus is FISH_UNEXPECTED_STATUS.
        #[allow(dead_code)] // No Error has the status Ok.
        pub(crate) enum Status {
            $($(#[doc = $doc])+ $status = $number,)+
        }

        $($(#[doc = $doc])+ pub const $name: fish_status = $number;)+

        const NAMES: &[(fish_status, *const c_char)] =
            &[$(($number, c_name(concat!(stringify!($name), "\0")).as_ptr()),)+];

        /// Each status's name, number and comment, from which the header is generated.
        #[doc(hidden)]
        pub const STATUSES: &[(&CStr, fish_status, &str)] = &[
            $((c_name(concat!(stringify!($name), "\0")), $number, concat!($($doc),+)),)+
        ];
    };
}

const fn c_name(text: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(name) => name,
        Err(_) => panic!("the name does not end in NUL"),
    }
}

statuses! {
    /// Success.
    Ok, FISH_OK = 0;

    /// Caller: an argument or option is invalid; nothing was sent. The message names it.
    InvalidArgument, FISH_INVALID_ARGUMENT = 1;
    /// Caller: no api_key option and no FISH_API_KEY in the environment.
    MissingApiKey, FISH_MISSING_API_KEY = 2;
    /// Caller: the query's cancel token or the client was cancelled.
    Cancelled, FISH_CANCELLED = 3;
    /// Caller: there is no result yet. Not a failure.
    Pending, FISH_PENDING = 4;

    /// Transport: the host name could not be resolved. Check base_url and DNS.
    ResolveFailed, FISH_RESOLVE_FAILED = 20;
    /// Transport: no connection could be made to any of the host's addresses. Check the network and firewalls.
    ConnectFailed, FISH_CONNECT_FAILED = 21;
    /// Transport: the TLS connection failed. The message says why. In a company network, try FISH_TLS_ROOTS_SYSTEM or
    /// ca_file.
    TlsFailed, FISH_TLS_FAILED = 22;
    /// Transport: the proxy was unreachable, refused the connection, or sent an invalid response. Check proxy_url
    /// or the proxy variables.
    ProxyFailed, FISH_PROXY_FAILED = 23;
    /// Transport: timeout_ms or connect_timeout_ms passed. Try later, or allow more time.
    TimedOut, FISH_TIMED_OUT = 24;
    /// Transport: the connection ended before the whole response had arrived. Try later.
    ConnectionLost, FISH_CONNECTION_LOST = 25;

    /// Response: 401. The API key is wrong.
    Unauthorized, FISH_UNAUTHORIZED = 40;
    /// Response: 402. The account needs a top-up.
    PaymentRequired, FISH_PAYMENT_REQUIRED = 41;
    /// Response: 403. The key may not read this wallet.
    Forbidden, FISH_FORBIDDEN = 42;
    /// Response: 404. There is no such user or team, or base_url is wrong.
    NotFound, FISH_NOT_FOUND = 43;
    /// Response: 400 or 422. See fish_error.field_errors.
    ValidationFailed, FISH_VALIDATION_FAILED = 44;
    /// Response: 429. Wait for fish_error.retry_after_ms, and ask less often.
    RateLimited, FISH_RATE_LIMITED = 45;
    /// Response: 500 to 599. Try later.
    ServerError, FISH_SERVER_ERROR = 46;
    /// Response: any other HTTP status, including redirects, which are never followed. Check base_url.
    UnexpectedStatus, FISH_UNEXPECTED_STATUS = 47;
    /// Response: not HTTP, or a 200 whose body is not the documented JSON. None of it is used. Check base_url.
    BadResponse, FISH_BAD_RESPONSE = 48;
    /// Response: a body above 1 MiB, or a head above 64 KiB or 100 header fields. Check base_url.
    ResponseTooLarge, FISH_RESPONSE_TOO_LARGE = 49;

    /// Library: a bug in this library, caught before it reached the caller. Please report the message.
    InternalError, FISH_INTERNAL_ERROR = 90;
}

/// Yes, no or unknown. As wide as an int32_t.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum fish_tristate {
    /// The response leaves it out, or it is null.
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

/// Returns the name of a status as in this header, such as "FISH_TIMED_OUT", or "FISH_UNKNOWN_STATUS" for any
/// other number. Static: never NULL, never freed.
///
/// Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn fish_status_name(status: i32) -> *const c_char {
    boundary::guarded(UNKNOWN_NAME.as_ptr(), || {
        let known = NAMES.iter().find(|(number, _)| *number == status);
        known.map_or(UNKNOWN_NAME.as_ptr(), |(_, name)| *name)
    })
}
