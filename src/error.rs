//! Why a call failed, before it becomes C's struct. `response` fills in what the server sent, `http` what happened in
//! transport, and `retry` decides whether to try again.

use std::borrow::Cow;
use std::time::Duration;

use crate::status::Status;

pub(crate) type Result<T> = std::result::Result<T, Box<Error>>;

/// A failure. `message` is one sentence that says what failed and what to do. Text from a server is redacted, without
/// control characters, and no longer than `response` allows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Error {
    pub status: Status,
    pub message: Cow<'static, str>,
    /// 0: no response arrived.
    pub http_status: u16,
    pub attempts: u32,
    pub retry_after: Option<Duration>,
    /// Whether the same call may succeed later.
    pub retryable: bool,
    pub api_message: Option<String>,
    pub api_reason: Option<String>,
    pub request_id: Option<String>,
    pub body: Option<String>,
    pub field_errors: Vec<FieldError>,
}

/// One problem that a 422 lists (docs/api/openapi.yaml, response 422).
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct FieldError {
    pub location: String,
    pub source: Option<String>,
    pub kind: String,
    pub message: String,
    pub context: Option<String>,
}

impl Error {
    pub(crate) fn new(status: Status, message: impl Into<Cow<'static, str>>) -> Box<Error> {
        Error::with(status, message.into())
    }

    /// Once in the library, not in each of the many places that fail and rarely run.
    #[cold]
    #[inline(never)]
    fn with(status: Status, message: Cow<'static, str>) -> Box<Error> {
        Box::new(Error {
            status,
            message,
            http_status: 0,
            attempts: 0,
            retry_after: None,
            retryable: false,
            api_message: None,
            api_reason: None,
            request_id: None,
            body: None,
            field_errors: Vec::new(),
        })
    }

    /// A caught panic.
    pub(crate) fn bug(panic: &str) -> Box<Error> {
        let text = panic.replace('\0', "\u{fffd}");
        Error::new(Status::InternalError, format!("The library has a bug; please report this text: {text}."))
    }

    #[cold]
    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Box<Error> {
        Error::new(Status::InvalidArgument, message)
    }
}
