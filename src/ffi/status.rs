//! How a call ended, as a 32-bit int with named values, and the three-valued flag of an answer.

use std::ffi::{CStr, c_char};

use super::boundary;

/// How a call ended: a fish_status_code. New ones may come; treat an unknown one as a failure.
pub type fish_status = i32;

/// From the one list of statuses: the core's `Status`, the constants of this module, the names that
/// fish_status_name gives, and the rows from which tests/support/generate.rs writes `enum fish_status_code`.
macro_rules! statuses {
    ($($(#[doc = $doc:literal])+ $status:ident, $name:ident = $number:literal;)+) => {
        /// How a call ended.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(i32)]
        #[allow(clippy::enum_variant_names)] // UnexpectedStatus is FISH_UNEXPECTED_STATUS.
        #[allow(dead_code)] // Success is no Error's status.
        pub(crate) enum Status {
            $($(#[doc = $doc])+ $status = $number,)+
        }

        $($(#[doc = $doc])+ pub const $name: fish_status = $number;)+

        const NAMES: &[(fish_status, *const c_char)] =
            &[$(($number, c_name(concat!(stringify!($name), "\0")).as_ptr()),)+];

        /// Each status's name, number and comment, for those who write the header.
        #[doc(hidden)]
        pub const STATUSES: &[(&CStr, fish_status, &str)] = &[
            $((c_name(concat!(stringify!($name), "\0")), $number, concat!($($doc),+)),)+
        ];
    };
}

const fn c_name(text: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(name) => name,
        Err(_) => panic!("a name ends in NUL"),
    }
}

statuses! {
    /// Success.
    Ok, FISH_OK = 0;

    /// The caller: an argument or option was refused, and nothing was sent. The message names it.
    InvalidArgument, FISH_INVALID_ARGUMENT = 1;
    /// The caller: no api_key option, and no FISH_API_KEY in the environment.
    MissingApiKey, FISH_MISSING_API_KEY = 2;
    /// The caller: the query's cancel token, or the client, was cancelled.
    Cancelled, FISH_CANCELLED = 3;
    /// The caller: asked before there was a result. Not a failure.
    Pending, FISH_PENDING = 4;

    /// On the way: the host name could not be resolved. Check base_url and DNS.
    ResolveFailed, FISH_RESOLVE_FAILED = 20;
    /// On the way: no connection could be made to any of the host's addresses. Check the network and firewalls.
    ConnectFailed, FISH_CONNECT_FAILED = 21;
    /// On the way: no secure connection could be made. The message says what was wrong with it. In a company's network, set
    /// FISH_TLS_ROOTS_SYSTEM or ca_file.
    TlsFailed, FISH_TLS_FAILED = 22;
    /// On the way: the proxy could not be reached, refused, or gave an answer that is not a proxy's. Check proxy_url or
    /// the environment's proxies.
    ProxyFailed, FISH_PROXY_FAILED = 23;
    /// On the way: timeout_ms passed. A call never takes longer. Try later, or allow more time.
    TimedOut, FISH_TIMED_OUT = 24;
    /// On the way: the connection ended before a whole answer had arrived. Try later.
    ConnectionLost, FISH_CONNECTION_LOST = 25;

    /// The server's answer: 401. The API key is wrong.
    Unauthorized, FISH_UNAUTHORIZED = 40;
    /// The server's answer: 402. Top up the account.
    PaymentRequired, FISH_PAYMENT_REQUIRED = 41;
    /// The server's answer: 403. The key may not read this wallet.
    Forbidden, FISH_FORBIDDEN = 42;
    /// The server's answer: 404. There is no such user or team, or base_url is wrong.
    NotFound, FISH_NOT_FOUND = 43;
    /// The server's answer: 400 or 422. See fish_error.field_errors.
    ValidationFailed, FISH_VALIDATION_FAILED = 44;
    /// The server's answer: 429. Wait fish_error.retry_after_ms, and ask less often.
    RateLimited, FISH_RATE_LIMITED = 45;
    /// The server's answer: 500 to 599. Try later.
    ServerError, FISH_SERVER_ERROR = 46;
    /// The server's answer: any other HTTP status. Redirects too: they are never followed. Check base_url.
    UnexpectedStatus, FISH_UNEXPECTED_STATUS = 47;
    /// The server's answer: not HTTP, or a 200 that is not the documented document. No value of it is used. Check
    /// base_url.
    BadResponse, FISH_BAD_RESPONSE = 48;
    /// The server's answer: a document above 1 MiB, or a head above 64 KiB or 100 header fields. Check
    /// base_url.
    ResponseTooLarge, FISH_RESPONSE_TOO_LARGE = 49;

    /// This library: a bug of ours, caught before it could reach the caller. Please report the message.
    InternalError, FISH_INTERNAL_ERROR = 90;
}

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
pub extern "C-unwind" fn fish_status_name(status: i32) -> *const c_char {
    boundary::guarded(UNKNOWN_NAME.as_ptr(), || {
        let known = NAMES.iter().find(|(number, _)| *number == status);
        known.map_or(UNKNOWN_NAME.as_ptr(), |(_, name)| *name)
    })
}
