//! What an HTTP status means for a call. The list of statuses is in `ffi/status.rs`.

pub(crate) use crate::ffi::Status;

impl Status {
    /// The status of an HTTP response other than 200.
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_http_status_has_its_status() {
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
