//! What to ask for.

use std::ffi::c_char;
use std::time::Duration;

use super::{fish_cancel_token, handle, memory};
use crate::client::Query;
use crate::error::Result;
use crate::request::Target;

/// C's `bool`, read as a byte: a struct that was never initialised may hold anything there, and a Rust `bool`
/// may not.
#[allow(missing_docs)]
pub type c_bool = u8;

/// What to ask for. Zero the whole struct, then set what should differ from its default:
/// `fish_api_credit_query query = {0};`.
#[repr(C)]
pub struct fish_api_credit_query {
    /// Whose wallet. NULL: "self", the key's own account. Percent-encoded by the library.
    pub user_id: *const c_char,
    /// The team whose API credit is meant, which is another number than the account's own. NULL: not sent, and the
    /// account's own is read, with a team's key too.
    pub team_id: *const c_char,
    /// Ask for has_free_credit too. Sent only when true.
    pub check_free_credit: c_bool,
    /// Milliseconds for this whole call. 0: the client's timeout_ms.
    pub timeout_ms: u32,
    /// Cancels this call from another thread. NULL: it cannot be cancelled. The call keeps its own share: the
    /// token may be freed while the call runs.
    pub cancel: *mut fish_cancel_token,
    /// Zero.
    pub reserved: [u64; 4],
}

/// SAFETY: `query` is NULL or points to a query whose strings are NULL or NUL-terminated, and whose token is
/// NULL or alive; the strings outlive the result.
pub(super) unsafe fn read<'a>(query: *const fish_api_credit_query) -> Result<Query<'a>> {
    if query.is_null() {
        return Ok(Query::default());
    }
    // SAFETY: as the function demands. A copy: the caller's memory may change at any time.
    let query = unsafe { query.read_unaligned() };
    memory::unused(&query.reserved, "query.reserved")?;
    // SAFETY: as the function demands.
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
