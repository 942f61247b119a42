//! The client: what it is made from, making it, freeing it.

use std::ffi::c_char;
use std::sync::Arc;

use super::handle::{self, Handle};
use super::{boundary, fish_error, fish_status, memory, pin};
use crate::client::{Client, Options};
use crate::error::Result;

/// Settings of a client. Zero the whole struct, then set what should differ from its default:
/// `fish_client_options options = {0};`. The strings are copied.
#[repr(C)]
pub struct fish_client_options {
    /// The secret API key. NULL: the environment variable FISH_API_KEY. Wiped from memory by
    /// fish_client_free, and sent nowhere but to base_url's host.
    pub api_key: *const c_char,
    /// NULL: "https://api.fish.audio". May carry a port and a path; no user, query or fragment. Plain
    /// http:// only to a loopback host.
    pub base_url: *const c_char,
    /// "http://[user:password@]host:port" or "socks5://...". "": no proxy. NULL: the environment variables
    /// HTTPS_PROXY, ALL_PROXY and NO_PROXY, which are ignored if base_url is a loopback host. For such a host,
    /// only a proxy on a loopback host is allowed.
    pub proxy_url: *const c_char,
    /// A PEM file of the certificates to trust, and no others. NULL: see tls_roots.
    pub ca_file: *const c_char,
    /// Put before the library's own User-Agent, such as "studio/2.1". NULL: "fish-api-credit/0.1.0" alone.
    pub user_agent: *const c_char,
    /// Milliseconds for a whole call: resolving, connecting, retries and the waits between. 0: 15000.
    pub timeout_ms: u32,
    /// Milliseconds for one attempt at a connection, TLS included. 0: 5000.
    pub connect_timeout_ms: u32,
    /// How often a failed call is repeated. 0: 2 times. -1: never.
    pub max_retries: i32,
    /// FISH_TLS_ROOTS_BUNDLED or FISH_TLS_ROOTS_SYSTEM.
    pub tls_roots: i32,
    /// Zero.
    pub reserved: [u64; 8],
}

/// Trust the certificate authorities of Mozilla's list, as it was when the library was built. The default.
pub const FISH_TLS_ROOTS_BUNDLED: i32 = 0;
/// Trust what the operating system trusts, a company's own authorities included.
pub const FISH_TLS_ROOTS_SYSTEM: i32 = 1;

/// A client: its connections, its TLS and its settings. Make one and keep it: a call on a kept connection
/// is many times cheaper than a first one. Any number of threads may call with one client at once. After a
/// fork, the child may go on with it: it opens connections of its own.
pub struct fish_client {
    _opaque: (),
}

impl Handle for fish_client {
    type Inner = Client;
}

/// Makes a client. Sends nothing: a wrong key shows at the first call.
///
/// @param options  NULL: all defaults.
/// @param client   Receives the client; NULL on failure. Free it with fish_client_free. Not NULL.
/// @param error    Says why it failed. May be NULL.
/// @return FISH_OK, FISH_INVALID_ARGUMENT, FISH_MISSING_API_KEY, or FISH_TLS_FAILED if the system's
///         certificates could not be read.
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

/// Ends every call with this client, now and later: each returns FISH_CANCELLED within 100 ms. NULL is allowed,
/// and cancelling twice. The client still has to be freed. In a forked child it ends the child's calls only.
///
/// Any thread, a real-time audio thread too: takes no lock, allocates nothing. One line in a host's exit hook.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_client_cancel(client: *mut fish_client) {
    boundary::realtime(|| {
        // A share of the event alone: whoever it wakes may free the client before `set` is done, and the release of
        // a client is not for a real-time thread.
        // SAFETY: it is NULL or alive: before `set`, nobody is woken.
        if let Some(ended) = unsafe { handle::borrow(client) }.map(Client::ended) {
            ended.set();
        }
    });
}

/// Cancels as fish_client_cancel does, and lets go. It never waits: calls under way keep their own share of the
/// client, and the last of them to return closes its connections and wipes its key. NULL is allowed. No call may
/// begin with this pointer afterwards.
///
/// Any thread; never waits. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_client_free(client: *mut fish_client) {
    boundary::guarded((), || {
        // SAFETY: it is NULL, or came from fish_client_new and is given up.
        if let Some(client) = unsafe { handle::take(client) } {
            client.cancel();
        }
    });
}

/// SAFETY: the strings are NULL or NUL-terminated and outlive the result.
unsafe fn read<'a>(options: fish_client_options) -> Result<Options<'a>> {
    memory::unused(&options.reserved, "options.reserved")?;
    // SAFETY: as the function demands.
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

/// A call's own share of its client.
///
/// SAFETY: `client` is NULL, or came from fish_client_new and has not been freed.
pub(super) unsafe fn share(client: *const fish_client) -> Result<Arc<Client>> {
    // SAFETY: as the function demands.
    unsafe { handle::share(client) }.ok_or_else(|| memory::missing("client"))
}
