//! A watch.

use std::ffi::c_void;

use super::handle::{self, Handle};
use super::memory::Block;
use super::{api_credit, boundary, client, fish_api_credit, fish_api_credit_query, fish_client};
use super::{fish_error, fish_status, memory, query};
use crate::error::Result;
use crate::watch::{Level, Options, State, Watch};

/// How much credit there is, told from its amount and a watch's options. As wide as an int32_t.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum fish_level {
    /// Nothing has been read yet.
    FISH_LEVEL_UNKNOWN = 0,
    /// Enough.
    FISH_LEVEL_OK = 1,
    /// Below low_micros, or not yet recovered from there.
    FISH_LEVEL_LOW = 2,
    /// At or below zero, or not yet recovered from there where there is no FISH_LEVEL_LOW.
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

/// A watch reads the credit again and again on a thread of the library's, and always has the last good
/// answer at hand. It reads at once when it is started, then once an interval. A reading that fails doubles
/// the wait, up to ten intervals; after 401, 402, 403 and 404 it is ten at once, for somebody must act
/// first. Retry-After is respected. After the machine has slept it reads at once.
///
/// It ends with its client, its query's cancel token, or fish_watch_free. In a forked child no thread goes
/// on with its parent's watch: there its status is FISH_CANCELLED.
pub struct fish_watch {
    _opaque: (),
}

impl Handle for fish_watch {
    type Inner = Watch;
}

/// Settings of a watch. Zero the whole struct, then set what should differ from its default:
/// `fish_watch_options options = {0};`.
#[repr(C)]
pub struct fish_watch_options {
    /// Milliseconds between two readings, give or take 5 %. 0: 60000. Below 1000 is refused.
    pub interval_ms: u32,
    /// A credit below this is FISH_LEVEL_LOW. 0: there is no such level. Below 0 is refused.
    pub low_micros: i64,
    /// From LOW or EMPTY the level is OK again only at or above this, so that a credit at the edge does not
    /// flicker. 0: low_micros. Below low_micros is refused.
    pub recovered_micros: i64,
    /// Zero.
    pub reserved: [u64; 6],
}

/// What a watch knows. The library fills this struct and owns its strings; release them with
/// fish_watch_state_free.
#[repr(C)]
pub struct fish_watch_state {
    /// The last that was read; all zero until there is one. A failure never replaces it. It belongs to this
    /// struct: do not release it by itself.
    pub credit: fish_api_credit,
    /// The level of that credit.
    pub level: fish_level,
    /// How the newest reading ended. FISH_PENDING: none has. FISH_CANCELLED: the watch has ended.
    pub status: fish_status,
    /// How many readings in a row failed.
    pub failures: u32,
    /// Milliseconds until the next reading begins. 0: it has begun. UINT32_MAX: never.
    pub next_ms: u32,
    /// Milliseconds since credit was read, time asleep included. 0 if there is none.
    pub age_ms: u64,
    /// Grows by one whenever credit's text, the level or the status changes.
    pub changes: u64,
    /// The library's own.
    pub owner: *mut c_void,
    /// Zero.
    pub reserved: [u64; 4],
}

/// Starts a watch, without waiting for anything.
///
/// @param client   From fish_client_new. The watch keeps its own share: the client may be freed, which ends
///                 the watch. Not NULL.
/// @param query    NULL: the key's own account. Its strings are copied; its timeout_ms is that of each
///                 reading.
/// @param options  NULL: all defaults.
/// @param watch    Receives the watch; NULL on failure. Free it with fish_watch_free. Not NULL.
/// @param error    Says why it failed. May be NULL.
/// @return FISH_OK; what fish_get_api_credit would refuse before it sends anything: FISH_INVALID_ARGUMENT or
///         FISH_CANCELLED; FISH_CONNECT_FAILED if no thread could be started.
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

/// What the watch knows now. Reading it makes its descriptor silent until something changes again.
///
/// @param watch  From fish_watch_start. Not NULL.
/// @param state  Filled unless an argument is NULL, also when the newest reading failed. Release it with
///               fish_watch_state_free. Not NULL.
/// @param error  Why the newest reading failed; zeroed if it did not. May be NULL.
/// @return FISH_OK or any other fish_status, the same as state's: FISH_PENDING before the first reading has
///         ended, else how the newest one did.
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
        boundary::tell(state, "state", error, |state| {
            let watch = handle::share(watch).ok_or_else(|| memory::missing("watch"))?;
            let known = watch.read();
            fill(state, &known);
            Ok((known.status as fish_status, known.failure))
        })
    }
}

/// Reads now, after a purchase or a spend. Several at once are one; one that is asked for during a reading
/// follows it. Only a server's Retry-After is waited for. NULL is allowed.
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

/// What an event loop watches: readable (POLLIN) when changes has grown since the last fish_watch_read. A
/// file descriptor; on Windows a SOCKET. Never read it, never close it: it is the watch's, and closed by
/// fish_watch_free.
///
/// @return -1: none could be had, or watch is NULL, or this is a forked child; read the watch now and again
///         instead.
///
/// Any thread; never waits. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_watch_descriptor(watch: *const fish_watch) -> isize {
    boundary::guarded(-1, || {
        // SAFETY: it is NULL or alive.
        unsafe { handle::share(watch) }.and_then(|watch| watch.descriptor()).unwrap_or(-1)
    })
}

/// Releases what a fish_watch_state owns, its credit too, and zeroes it. NULL, a zeroed struct and a second
/// call are harmless.
///
/// Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_watch_state_free(state: *mut fish_watch_state) {
    boundary::guarded((), || {
        if !state.is_null() {
            // SAFETY: it is zeroed, or was filled by this library. Only the owners are looked at: the rest may have
            // been written over.
            unsafe {
                Block::free((&raw const (*state).credit.owner).read_unaligned());
                Block::free((&raw const (*state).owner).read_unaligned());
                memory::clear(state);
            }
        }
    });
}

/// Ends the watch, and lets go: the pointer and the descriptor are invalid from then on. It never waits; a
/// reading under way is cancelled, and the thread ends within 100 ms. NULL is allowed.
///
/// Any thread; never waits. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_watch_free(watch: *mut fish_watch) {
    boundary::guarded((), || {
        // SAFETY: it is NULL, or came from fish_watch_start and is given up.
        if let Some(watch) = unsafe { handle::take(watch) } {
            watch.end();
        }
    });
}

fn read(options: fish_watch_options) -> Result<Options> {
    memory::unused(&options.reserved, "options.reserved")?;
    Ok(Options {
        interval_ms: options.interval_ms,
        low_micros: options.low_micros,
        recovered_micros: options.recovered_micros,
    })
}

/// The state as C sees it.
///
/// SAFETY: `out` is zeroed and the caller's to overwrite.
unsafe fn fill(out: *mut fish_watch_state, known: &State) {
    let next_ms = known.next.map_or(u32::MAX, |next| {
        // Rounded up: 0 is kept for a reading that has begun.
        u32::try_from(next.as_micros().div_ceil(1000)).unwrap_or(u32::MAX - 1).min(u32::MAX - 1)
    });
    // SAFETY: as the function demands.
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
