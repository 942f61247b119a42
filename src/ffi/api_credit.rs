//! The API credit, as a struct.

use std::ffi::{c_char, c_void};

use super::memory::Arena;
use super::{boundary, client, fish_api_credit_query, fish_client, fish_error, fish_status, fish_tristate};
use super::{memory, query};
use crate::response::ApiCredit;

/// The API credit of one wallet, which API calls spend: the account's own, or a team's if the query names one.
/// It is not the platform credit of a plan, which the website spends. The library fills this struct and owns
/// its strings; release them with fish_api_credit_free.
#[repr(C)]
pub struct fish_api_credit {
    /// The wallet's id ("_id"). Never NULL.
    pub id: *const c_char,
    /// The account's id. Never NULL.
    pub user_id: *const c_char,
    /// The balance as exact decimal text, as sent, presumably in US dollars. May be negative. Never NULL.
    pub credit: *const c_char,
    /// The total ever paid in, as decimal text. NULL if the server did not send it.
    pub cumulative_top_up: *const c_char,
    /// When the wallet was created, as sent (RFC 3339). Never NULL.
    pub created_at: *const c_char,
    /// When the wallet last changed, as sent (RFC 3339). Never NULL.
    pub updated_at: *const c_char,
    /// The server's id for this request (x-fish-trace-id, else cf-ray), to quote to its support. NULL if the
    /// server did not send one, or after fish_api_credit_from_json.
    pub request_id: *const c_char,
    /// credit x 1,000,000, rounded down (never overstated), saturating.
    pub credit_micros: i64,
    /// cumulative_top_up x 1,000,000, likewise. 0 if the server did not send it.
    pub cumulative_top_up_micros: i64,
    /// created_at in microseconds since 1970 UTC, or FISH_TIME_UNKNOWN.
    pub created_at_unix_us: i64,
    /// updated_at in microseconds since 1970 UTC, or FISH_TIME_UNKNOWN.
    pub updated_at_unix_us: i64,
    /// False if credit_micros was rounded or saturated. The text is always exact.
    pub credit_micros_exact: bool,
    /// Whether the account has a phone number. FISH_UNKNOWN: absent or null.
    pub has_phone_sha256: fish_tristate,
    /// Whether free credit is left. FISH_UNKNOWN: absent or null, as it is without check_free_credit.
    pub has_free_credit: fish_tristate,
    /// Used by the library.
    pub owner: *mut c_void,
    /// Zero.
    pub reserved: [u64; 4],
}

/// In place of a time whose text is no RFC 3339 date-time.
pub const FISH_TIME_UNKNOWN: i64 = i64::MIN;

/// Reads an account's API credit. Returns within timeout_ms, whatever the network does.
///
/// @param client  From fish_client_new. Not NULL.
/// @param query   NULL: the key's own account.
/// @param credit  Filled on success, zeroed otherwise; its previous content is overwritten, not freed.
///                Release it with fish_api_credit_free. Not NULL.
/// @param error   Says why it failed. May be NULL.
/// @return FISH_OK or any other fish_status.
///
/// Any thread, any number at once. Blocks: do not call it on a UI or audio thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_get_api_credit(
    client: *const fish_client,
    query: *const fish_api_credit_query,
    credit: *mut fish_api_credit,
    error: *mut fish_error,
) -> fish_status {
    // SAFETY: out-parameters are NULL or the caller's to overwrite, in-parameters are NULL or valid for the
    // call (rules 1 and 2 of the header).
    unsafe {
        boundary::call(credit, "credit", error, |credit| {
            client::share(client)?.api_credit(&query::read(query)?, |got, _| fill(credit, got))
        })
    }
}

/// Releases what a fish_api_credit owns and zeroes it. NULL, a zeroed struct and a second call are harmless.
///
/// Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_api_credit_free(credit: *mut fish_api_credit) {
    boundary::guarded((), || {
        if !credit.is_null() {
            // SAFETY: it is zeroed, or was filled by this library. Only the owner is read: the caller may have
            // changed the other fields.
            unsafe {
                Arena::free((&raw const (*credit).owner).read_unaligned());
                memory::clear(credit);
            }
        }
    });
}

/// Fills C's struct, with all its strings in one arena.
///
/// SAFETY: `out` is zeroed and the caller's to overwrite.
pub(super) unsafe fn fill(out: *mut fish_api_credit, got: &ApiCredit<'_>) {
    let top_up = got.cumulative_top_up.as_ref();
    // SAFETY: as for this function.
    unsafe {
        memory::fill_owned!(
            out,
            fish_api_credit {
                texts: {
                    id: Some(&got.id),
                    user_id: Some(&got.user_id),
                    credit: Some(&got.credit.text),
                    cumulative_top_up: top_up.map(|amount| &amount.text),
                    created_at: Some(&got.created_at.text),
                    updated_at: Some(&got.updated_at.text),
                    request_id: got.request_id.as_ref(),
                },
                values: {
                    credit_micros: got.credit.micros.value,
                    cumulative_top_up_micros: top_up.map_or(0, |amount| amount.micros.value),
                    created_at_unix_us: got.created_at.unix_micros.unwrap_or(FISH_TIME_UNKNOWN),
                    updated_at_unix_us: got.updated_at.unix_micros.unwrap_or(FISH_TIME_UNKNOWN),
                    credit_micros_exact: got.credit.micros.exact,
                    has_phone_sha256: got.has_phone_sha256.into(),
                    has_free_credit: got.has_free_credit.into(),
                },
            }
        );
    }
}
