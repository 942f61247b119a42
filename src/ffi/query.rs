//! The query.

use std::ffi::c_char;
use std::time::Duration;

use super::{fish_cancel_token, handle, memory};
use crate::client::Query;
use crate::error::Result;
use crate::request::Target;

/// C's `bool`, read as a byte: in an uninitialised struct it may have any value, which would be undefined
/// behaviour for a Rust `bool`.
#[allow(missing_docs)]
pub type c_bool = u8;

/// Which wallet to read, and how. Zero the whole struct, then set the fields that should differ from their
/// default: `fish_api_credit_query query = {0};`.
#[repr(C)]
pub struct fish_api_credit_query {
    /// The wallet's owner. NULL: "self", the key's own account. The library percent-encodes it.
    pub user_id: *const c_char,
    /// The team whose API credit to read; it is separate from the account's. NULL: the account's own, even if
    /// the key is a team's.
    pub team_id: *const c_char,
    /// Whether to ask for has_free_credit too. Sent only when true.
    pub check_free_credit: c_bool,
    /// Milliseconds for this whole call. 0: the client's timeout_ms.
    pub timeout_ms: u32,
    /// Cancels this call from another thread. NULL: no token. The call keeps its own reference, so the token
    /// may be freed while the call runs.
    pub cancel: *mut fish_cancel_token,
    /// Must be zero.
    pub reserved: [u64; 4],
}

/// SAFETY: `query` is NULL or points to a query whose strings are NULL or NUL-terminated, and whose token is
/// NULL or alive; the strings outlive the result.
pub(super) unsafe fn read<'a>(query: *const fish_api_credit_query) -> Result<Query<'a>> {
    if query.is_null() {
        return Ok(Query::default());
    }
    // SAFETY: as for this function. A copy: the caller's memory may change at any time.
    let query = unsafe { query.read_unaligned() };
    memory::check_reserved(&query.reserved, "query.reserved")?;
    // SAFETY: as for this function.
    unsafe {
        Ok(Query {
            target: Target {
                user_id: memory::text(query.user_id, "query.user_id")?,
                team_id: memory::text(query.team_id, "query.team_id")?,
                check_free_credit: query.check_free_credit != 0,
            },
            timeout: (query.timeout_ms != 0).then(|| Duration::from_millis(query.timeout_ms.into())),
            cancel: handle::share(query.cancel),
        })
    }
}
