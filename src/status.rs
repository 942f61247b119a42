//! Every way a call can end, with the number C sees. `ffi/status.rs` repeats the numbers as the constants of
//! the header, and a test there holds the two together.

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
#[allow(clippy::enum_variant_names)] // UnexpectedStatus is FISH_UNEXPECTED_STATUS.
pub(crate) enum Status {
    Ok = 0,
    InvalidArgument = 1,
    MissingApiKey = 2,
    Cancelled = 3,
    ResolveFailed = 20,
    ConnectFailed = 21,
    TlsFailed = 22,
    ProxyFailed = 23,
    TimedOut = 24,
    ConnectionLost = 25,
    Unauthorized = 40,
    PaymentRequired = 41,
    Forbidden = 42,
    NotFound = 43,
    ValidationFailed = 44,
    RateLimited = 45,
    ServerError = 46,
    UnexpectedStatus = 47,
    BadResponse = 48,
    ResponseTooLarge = 49,
    InternalError = 90,
}

impl Status {
    pub(crate) const ALL: [Status; 21] = [
        Status::Ok,
        Status::InvalidArgument,
        Status::MissingApiKey,
        Status::Cancelled,
        Status::ResolveFailed,
        Status::ConnectFailed,
        Status::TlsFailed,
        Status::ProxyFailed,
        Status::TimedOut,
        Status::ConnectionLost,
        Status::Unauthorized,
        Status::PaymentRequired,
        Status::Forbidden,
        Status::NotFound,
        Status::ValidationFailed,
        Status::RateLimited,
        Status::ServerError,
        Status::UnexpectedStatus,
        Status::BadResponse,
        Status::ResponseTooLarge,
        Status::InternalError,
    ];

    /// The status of an HTTP answer that is no success.
    pub(crate) fn from_http(code: u16) -> Status {
        match code {
            401 => Status::Unauthorized,
            402 => Status::PaymentRequired,
            403 => Status::Forbidden,
            404 => Status::NotFound,
            400 | 422 => Status::ValidationFailed,
            429 => Status::RateLimited,
            500..=599 => Status::ServerError,
            _ => Status::UnexpectedStatus,
        }
    }

    /// Its name in the header, as a C string.
    pub(crate) fn name(self) -> &'static std::ffi::CStr {
        match self {
            Status::Ok => c"FISH_OK",
            Status::InvalidArgument => c"FISH_INVALID_ARGUMENT",
            Status::MissingApiKey => c"FISH_MISSING_API_KEY",
            Status::Cancelled => c"FISH_CANCELLED",
            Status::ResolveFailed => c"FISH_RESOLVE_FAILED",
            Status::ConnectFailed => c"FISH_CONNECT_FAILED",
            Status::TlsFailed => c"FISH_TLS_FAILED",
            Status::ProxyFailed => c"FISH_PROXY_FAILED",
            Status::TimedOut => c"FISH_TIMED_OUT",
            Status::ConnectionLost => c"FISH_CONNECTION_LOST",
            Status::Unauthorized => c"FISH_UNAUTHORIZED",
            Status::PaymentRequired => c"FISH_PAYMENT_REQUIRED",
            Status::Forbidden => c"FISH_FORBIDDEN",
            Status::NotFound => c"FISH_NOT_FOUND",
            Status::ValidationFailed => c"FISH_VALIDATION_FAILED",
            Status::RateLimited => c"FISH_RATE_LIMITED",
            Status::ServerError => c"FISH_SERVER_ERROR",
            Status::UnexpectedStatus => c"FISH_UNEXPECTED_STATUS",
            Status::BadResponse => c"FISH_BAD_RESPONSE",
            Status::ResponseTooLarge => c"FISH_RESPONSE_TOO_LARGE",
            Status::InternalError => c"FISH_INTERNAL_ERROR",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_http_status_has_the_status_the_design_gives_it() {
        for (code, want) in [
            (400, Status::ValidationFailed),
            (401, Status::Unauthorized),
            (402, Status::PaymentRequired),
            (403, Status::Forbidden),
            (404, Status::NotFound),
            (405, Status::UnexpectedStatus),
            (408, Status::UnexpectedStatus),
            (418, Status::UnexpectedStatus),
            (422, Status::ValidationFailed),
            (429, Status::RateLimited),
            (500, Status::ServerError),
            (503, Status::ServerError),
            (599, Status::ServerError),
            (600, Status::UnexpectedStatus),
            (201, Status::UnexpectedStatus),
            (204, Status::UnexpectedStatus),
            (301, Status::UnexpectedStatus),
            (308, Status::UnexpectedStatus),
        ] {
            assert_eq!(Status::from_http(code), want, "{code}");
        }
    }
}
