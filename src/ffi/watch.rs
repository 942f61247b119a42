//! The watch.

use std::ffi::c_void;

use super::handle::{self, Handle};
use super::memory::Arena;
use super::{api_credit, boundary, client, fish_api_credit, fish_api_credit_query, fish_client};
use super::{fish_error, fish_status, memory, query};
use crate::error::Result;
use crate::watch::{Level, Options, State, Watch};

/// How much credit is left, by its amount and a watch's options. As wide as an int32_t.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum fish_level {
    /// Nothing has been read yet.
    FISH_LEVEL_UNKNOWN = 0,
    /// Enough.
    FISH_LEVEL_OK = 1,
    /// Below low_micros, or still below recovered_micros after a low or empty credit.
    FISH_LEVEL_LOW = 2,
    /// At or below zero; without low_micros also while still below recovered_micros.
    FISH_LEVEL_EMPTY = 3,
}

const _: () = assert!(size_of::<fish_level>() == size_of::<i32>());

impl From<Level> for fish_level {
    fn from(level: Level) -> fish_level {
        match level {
            Level::Unknown => fish_level::FISH_LEVEL_UNKNOWN,
            Level::Ok => fish_level::FISH_LEVEL_OK,
            Level::Low => fish_level::FISH_LEVEL_LOW,
            Level::Empty => fish_level::FISH_LEVEL_EMPTY,
        }
    }
}

/// A watch reads the credit periodically on a thread of the library, and keeps the last good reading. The first
/// reading starts at once, then one follows per interval. Each failure in a row doubles the wait, up to ten
/// intervals; after 401, 402, 403 and 404, which need a person to act, the wait is ten intervals at once.
/// Retry-After is respected. A reading that fell due while the machine slept starts when it wakes.
///
/// A watch ends with its client, its query's cancel token, or fish_watch_free. A forked child has no thread to
/// continue its parent's watch: there its status is FISH_CANCELLED.
pub struct fish_watch {
    _opaque: (),
}

impl Handle for fish_watch {
    type Inner = Watch;
}

/// The options of a watch. Zero the whole struct, then set the fields that should differ from their default:
/// `fish_watch_options options = {0};`.
#[repr(C)]
pub struct fish_watch_options {
    /// Milliseconds between two readings, plus or minus 5 %. 0: 60000. Below 1000 is invalid.
    pub interval_ms: u32,
    /// A credit below this is FISH_LEVEL_LOW. 0: no such level. Below 0 is invalid.
    pub low_micros: i64,
    /// After LOW or EMPTY, the level returns to OK only at or above this, so that it does not flicker around
    /// low_micros. 0: low_micros. Below low_micros is invalid.
    pub recovered_micros: i64,
    /// Must be zero.
    pub reserved: [u64; 6],
}

/// The state of a watch. The library fills this struct and owns its strings; release them with
/// fish_watch_state_free.
#[repr(C)]
pub struct fish_watch_state {
    /// The last credit that was read; all zero until there is one. A failure never replaces it. It belongs to
    /// this struct: do not release it separately.
    pub credit: fish_api_credit,
    /// The level of that credit.
    pub level: fish_level,
    /// How the latest reading ended. FISH_PENDING: none has ended yet. FISH_CANCELLED: the watch has ended.
    pub status: fish_status,
    /// How many readings in a row failed.
    pub failures: u32,
    /// Milliseconds until the next reading starts. 0: it has started. UINT32_MAX: never.
    pub next_ms: u32,
    /// Milliseconds since credit was read, time asleep included. 0 if there is none.
    pub age_ms: u64,
    /// Increases by one whenever the text of credit, the level or the status changes.
    pub changes: u64,
    /// Used by the library.
    pub owner: *mut c_void,
    /// Zero.
    pub reserved: [u64; 4],
}

/// Starts a watch.
///
/// @param client   From fish_client_new. The watch keeps its own reference: the client may be freed, which ends
///                 the watch. Not NULL.
/// @param query    NULL: the key's own account. Its strings are copied; its timeout_ms applies to each reading.
/// @param options  NULL: all defaults.
/// @param watch    Receives the watch; NULL on failure. Free it with fish_watch_free. Not NULL.
/// @param error    Says why it failed. May be NULL.
/// @return FISH_OK; FISH_INVALID_ARGUMENT or FISH_CANCELLED where fish_get_api_credit would return it before
///         sending anything; FISH_CONNECT_FAILED if no thread could be started.
///
/// Any thread; never waits. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_watch_start(
    client: *const fish_client,
    query: *const fish_api_credit_query,
    options: *const fish_watch_options,
    watch: *mut *mut fish_watch,
    error: *mut fish_error,
) -> fish_status {
    // SAFETY: out-parameters are NULL or the caller's to overwrite, in-parameters are NULL or valid for the
    // call (rules 1 and 2 of the header).
    unsafe {
        boundary::call(watch, "watch", error, |watch| {
            let options =
                if options.is_null() { Options::default() } else { read(options.read_unaligned())? };
            let started = Watch::start(client::share(client)?, &query::read(query)?, &options)?;
            watch.write_unaligned(handle::new(started));
            Ok(())
        })
    }
}

/// Returns the watch's state. The descriptor is then not readable until something changes again.
///
/// @param watch  From fish_watch_start. Not NULL.
/// @param state  Filled unless an argument is NULL, even if the latest reading failed. Release it with
///               fish_watch_state_free. Not NULL.
/// @param error  Why the latest reading failed; zeroed if it did not. May be NULL.
/// @return FISH_OK or any other fish_status, the same as in state: FISH_PENDING before the first reading has
///         ended, then how the latest one ended.
///
/// Any thread, any number at once; never waits for the network. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_watch_read(
    watch: *const fish_watch,
    state: *mut fish_watch_state,
    error: *mut fish_error,
) -> fish_status {
    // SAFETY: out-parameters are NULL or the caller's to overwrite, `watch` is NULL or alive.
    unsafe {
        boundary::call_with_status(state, "state", error, |state| {
            let watch = handle::share(watch).ok_or_else(|| memory::null_argument("watch"))?;
            let known = watch.read();
            fill(state, &known);
            Ok((known.status as fish_status, known.failure))
        })
    }
}

/// Starts a reading now, for example after a purchase. Several requests at once cause one reading; a request
/// during a reading causes another one after it. Only a server's Retry-After delays it. NULL is harmless.
///
/// Any thread; never waits. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_watch_refresh(watch: *mut fish_watch) {
    boundary::guarded((), || {
        // SAFETY: it is NULL or alive.
        if let Some(watch) = unsafe { handle::share(watch) } {
            watch.refresh();
        }
    });
}

/// Returns a descriptor for an event loop. It is readable (POLLIN) when changes has increased since the last
/// fish_watch_read. A file descriptor; on Windows a SOCKET. Never read or close it: the watch owns it, and
/// fish_watch_free closes it.
///
/// @return The descriptor. -1: none was available, watch is NULL, or this is a forked child; call
///         fish_watch_read from time to time instead.
///
/// Any thread; never waits. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_watch_descriptor(watch: *const fish_watch) -> isize {
    boundary::guarded(-1, || {
        // SAFETY: it is NULL or alive.
        unsafe { handle::share(watch) }.and_then(|watch| watch.descriptor()).unwrap_or(-1)
    })
}

/// Releases what a fish_watch_state owns, including its credit, and zeroes it. NULL, a zeroed struct and a
/// second call are harmless.
///
/// Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_watch_state_free(state: *mut fish_watch_state) {
    boundary::guarded((), || {
        if !state.is_null() {
            // SAFETY: it is zeroed, or was filled by this library. Only the owners are read: the caller may
            // have changed the other fields.
            unsafe {
                Arena::free((&raw const (*state).credit.owner).read_unaligned());
                Arena::free((&raw const (*state).owner).read_unaligned());
                memory::clear(state);
            }
        }
    });
}

/// Ends the watch and frees it: the pointer and the descriptor become invalid. A running reading is cancelled,
/// and the thread ends within 100 ms. NULL is harmless.
///
/// Any thread; never waits. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_watch_free(watch: *mut fish_watch) {
    boundary::guarded((), || {
        // SAFETY: it is NULL, or came from fish_watch_start and the caller gives it up.
        if let Some(watch) = unsafe { handle::take(watch) } {
            watch.end();
        }
    });
}

fn read(options: fish_watch_options) -> Result<Options> {
    memory::check_reserved(&options.reserved, "options.reserved")?;
    Ok(Options {
        interval_ms: options.interval_ms,
        low_micros: options.low_micros,
        recovered_micros: options.recovered_micros,
    })
}

/// Fills C's struct.
///
/// SAFETY: `out` is zeroed and the caller's to overwrite.
unsafe fn fill(out: *mut fish_watch_state, known: &State) {
    let next_ms = known.next.map_or(u32::MAX, |next| {
        // Rounded up: 0 means that the reading has started.
        u32::try_from(next.as_micros().div_ceil(1000)).unwrap_or(u32::MAX - 1).min(u32::MAX - 1)
    });
    // SAFETY: as for this function.
    unsafe {
        if let Some(kept) = &known.credit {
            api_credit::fill(&raw mut (*out).credit, &kept.credit());
        }
        (&raw mut (*out).level).write_unaligned(known.level.into());
        (&raw mut (*out).status).write_unaligned(known.status as fish_status);
        (&raw mut (*out).failures).write_unaligned(known.failures);
        (&raw mut (*out).next_ms).write_unaligned(next_ms);
        (&raw mut (*out).age_ms).write_unaligned(known.age.as_millis().try_into().unwrap_or(u64::MAX));
        (&raw mut (*out).changes).write_unaligned(known.changes);
    }
}
