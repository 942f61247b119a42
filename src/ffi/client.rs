//! The client and its options.

use std::ffi::c_char;
use std::sync::Arc;

use super::handle::{self, Handle};
use super::{boundary, fish_error, fish_status, memory, pin};
use crate::client::{Client, Options};
use crate::error::Result;

/// The options of a client. Zero the whole struct, then set the fields that should differ from their default:
/// `fish_client_options options = {0};`. The strings are copied.
#[repr(C)]
pub struct fish_client_options {
    /// The secret API key. NULL: the environment variable FISH_API_KEY. Sent only to base_url's host; wiped
    /// from memory when the client is freed.
    pub api_key: *const c_char,
    /// The API's address. NULL: "https://api.fish.audio". It may have a port and a path, but no user, query or
    /// fragment. Plain http:// is allowed for loopback hosts only.
    pub base_url: *const c_char,
    /// "http://[user:password@]host:port" or "socks5://...". "": no proxy. NULL: the environment variables
    /// HTTPS_PROXY, ALL_PROXY and NO_PROXY, which are ignored if base_url is a loopback host. For such a host,
    /// only a proxy on a loopback host is allowed.
    pub proxy_url: *const c_char,
    /// The path of a PEM file with the certificates to trust, and no others. NULL: see tls_roots.
    pub ca_file: *const c_char,
    /// Prepended to the library's own User-Agent, such as "studio/2.1". NULL: "fish-api-credit/0.1.0" alone.
    pub user_agent: *const c_char,
    /// Milliseconds for a whole call: resolving, connecting, retries and the waits between them. 0: 15000.
    pub timeout_ms: u32,
    /// Milliseconds for one connection attempt, TLS included. 0: 5000.
    pub connect_timeout_ms: u32,
    /// How many times a failed request is retried. 0: 2 times. -1: never.
    pub max_retries: i32,
    /// FISH_TLS_ROOTS_BUNDLED or FISH_TLS_ROOTS_SYSTEM.
    pub tls_roots: i32,
    /// Must be zero.
    pub reserved: [u64; 8],
}

/// Trust Mozilla's certificate authorities, as of the library's build. The default.
pub const FISH_TLS_ROOTS_BUNDLED: i32 = 0;
/// Trust the operating system's certificate authorities, including those that a company has added.
pub const FISH_TLS_ROOTS_SYSTEM: i32 = 1;

/// A client holds connections, TLS state and options. Create one and keep it: a call on a kept connection is
/// many times cheaper than the first one. Any number of threads may use one client at once. After a fork, the
/// child may use it too; it opens its own connections.
pub struct fish_client {
    _opaque: (),
}

impl Handle for fish_client {
    type Inner = Client;
}

/// Creates a client. Sends nothing: the first call reports a wrong key.
///
/// @param options  NULL: all defaults.
/// @param client   Receives the client; NULL on failure. Free it with fish_client_free. Not NULL.
/// @param error    Says why it failed. May be NULL.
/// @return FISH_OK, FISH_INVALID_ARGUMENT, FISH_MISSING_API_KEY, or FISH_TLS_FAILED if the system's
///         certificates could not be read, or if it refuses random numbers.
///
/// Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_client_new(
    options: *const fish_client_options,
    client: *mut *mut fish_client,
    error: *mut fish_error,
) -> fish_status {
    // SAFETY: out-parameters are NULL or the caller's to overwrite, in-parameters are NULL or valid for the
    // call (rules 1 and 2 of the header).
    unsafe {
        boundary::call(client, "client", error, |client| {
            let options =
                if options.is_null() { Options::default() } else { read(options.read_unaligned())? };
            pin::module();
            crate::fork::watch();
            let made = Client::new(&options, &|name| std::env::var_os(name))?;
            client.write_unaligned(handle::new(made));
            Ok(())
        })
    }
}

/// Cancels every call with this client, current and future: each returns FISH_CANCELLED within 100 ms. NULL and
/// repeated calls are harmless. The client must still be freed. In a forked child, it cancels only the child's
/// calls. Useful in a host's exit hook.
///
/// Any thread, including a real-time audio thread: takes no lock, allocates nothing. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_client_cancel(client: *mut fish_client) {
    boundary::realtime(|| {
        // Keeps the event alone, not the client: a thread that `set` wakes may free the client before `set`
        // returns, and this thread, which may be a real-time one, must not be the one that drops it.
        // SAFETY: it is NULL or alive, because no thread is woken before `set`.
        if let Some(ended) = unsafe { handle::borrow(client) }.map(Client::ended) {
            ended.set();
        }
    });
}

/// Cancels every call like fish_client_cancel, and frees the client. Running calls keep their own reference;
/// the last one to return closes the connections and wipes the key. NULL is harmless. No call may start with
/// this pointer afterwards.
///
/// Any thread; never waits. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_client_free(client: *mut fish_client) {
    boundary::guarded((), || {
        // SAFETY: it is NULL, or came from fish_client_new and the caller gives it up.
        if let Some(client) = unsafe { handle::take(client) } {
            client.cancel();
        }
    });
}

/// SAFETY: the strings are NULL or NUL-terminated and outlive the result.
unsafe fn read<'a>(options: fish_client_options) -> Result<Options<'a>> {
    memory::check_reserved(&options.reserved, "options.reserved")?;
    // SAFETY: as for this function.
    unsafe {
        Ok(Options {
            api_key: memory::text(options.api_key, "options.api_key")?,
            base_url: memory::text(options.base_url, "options.base_url")?,
            proxy_url: memory::text(options.proxy_url, "options.proxy_url")?,
            ca_file: memory::text(options.ca_file, "options.ca_file")?,
            user_agent: memory::text(options.user_agent, "options.user_agent")?,
            timeout_ms: options.timeout_ms,
            connect_timeout_ms: options.connect_timeout_ms,
            max_retries: options.max_retries,
            tls_roots: options.tls_roots,
        })
    }
}

/// A call's own reference to its client.
///
/// SAFETY: `client` is NULL, or came from fish_client_new and has not been freed.
pub(super) unsafe fn share(client: *const fish_client) -> Result<Arc<Client>> {
    // SAFETY: as for this function.
    unsafe { handle::share(client) }.ok_or_else(|| memory::null_argument("client"))
}
