//! Host names to addresses. The system's lookup cannot be interrupted, so it runs on a thread of its own, which
//! callers wait for only as long as they like; they share it, and its answer is kept for a minute.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::ffi::boundary;
use crate::request::Host;
use crate::signal::Signal;
use crate::transport::fault::{Fault, Stage};
use crate::until::Until;

/// How long an answer is good for.
const LIFETIME: Duration = Duration::from_secs(60);
/// The system's lookup may load modules that need room.
const STACK_SIZE: usize = 512 * 1024;

pub(crate) type Addresses = Arc<[SocketAddr]>;
type Lookup = fn(&str, u16) -> io::Result<Vec<SocketAddr>>;

pub(crate) struct Resolver {
    lookup: Lookup,
    /// A client has one host to reach, or its proxy and the host: a list is a fine map.
    searches: Mutex<Vec<Arc<Search>>>,
}

/// One lookup, running or done.
struct Search {
    host: String,
    port: u16,
    done: Signal,
    outcome: OnceLock<(Instant, Result<Addresses, String>)>,
}

impl Resolver {
    pub(crate) fn new() -> Resolver {
        Resolver::with_lookup(|host, port| Ok((host, port).to_socket_addrs()?.collect()))
    }

    fn with_lookup(lookup: Lookup) -> Resolver {
        Resolver { lookup, searches: Mutex::default() }
    }

    pub(crate) fn resolve(&self, host: &Host, port: u16, until: &Until<'_>) -> Result<Addresses, Fault> {
        let name = match host {
            Host::Ip(ip) => return Ok(Arc::new([SocketAddr::new(*ip, port)])),
            // RFC 6761 §6.3: never asked of anybody, who could answer that it is another machine.
            _ if host.is_loopback() => {
                return Ok(Arc::new([
                    SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), port),
                    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port),
                ]));
            }
            Host::Name(name) => name,
        };
        let search = self.join(name, port)?;
        until.raised(&search.done).map_err(|why| Stage::Resolving.interrupted(why))?;
        let failed = |why: &str| Fault::Resolve { host: name.clone(), why: why.to_owned() };
        match search.outcome.get() {
            Some((_, Ok(addresses))) if addresses.is_empty() => Err(failed("it has no address")),
            Some((_, Ok(addresses))) => Ok(Arc::clone(addresses)),
            Some((_, Err(why))) => Err(failed(why)),
            None => Err(failed("the lookup ended without an answer")),
        }
    }

    /// Drops the kept answer: nothing at those addresses could be reached.
    pub(crate) fn forget(&self, host: &Host) {
        if let Host::Name(name) = host {
            self.searches().retain(|search| search.host != *name || search.outcome.get().is_none());
        }
    }

    /// The search for this name: the one under way, the one whose answer is still good, or a new one.
    fn join(&self, host: &str, port: u16) -> Result<Arc<Search>, Fault> {
        let mut searches = self.searches();
        searches.retain(|search| match search.outcome.get() {
            Some((at, Ok(_))) => at.elapsed() < LIFETIME,
            Some((_, Err(_))) => false,
            None => true,
        });
        if let Some(search) = searches.iter().find(|search| search.host == host && search.port == port) {
            return Ok(Arc::clone(search));
        }
        let search =
            Arc::new(Search { host: host.to_owned(), port, done: Signal::new(), outcome: OnceLock::new() });
        let (lookup, own) = (self.lookup, Arc::clone(&search));
        let thread = thread::Builder::new().name("fish-resolve".into()).stack_size(STACK_SIZE);
        let run = move || {
            let outcome = match boundary::contained(|| lookup(&own.host, own.port)) {
                Ok(Ok(addresses)) => Ok(addresses.into()),
                Ok(Err(why)) => Err(why.to_string()),
                Err(panic) => Err(panic),
            };
            let _ = own.outcome.set((Instant::now(), outcome));
            own.done.raise();
        };
        without_signals(|| thread.spawn(run)).map_err(|why| Fault::Resolve {
            host: host.to_owned(),
            why: format!("no thread could be started: {why}"),
        })?;
        searches.push(Arc::clone(&search));
        Ok(search)
    }

    fn searches(&self) -> MutexGuard<'_, Vec<Arc<Search>>> {
        self.searches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts a thread that takes none of the host's signals: a handler that ran there would run beside the thread
/// that the host believes to be interrupted, and on a stack that was not made for it.
#[cfg(unix)]
fn without_signals<T>(start: impl FnOnce() -> T) -> T {
    use nix::sys::signal::{SigSet, SigmaskHow, Signal};

    // Those that a fault of the thread itself raises: the host's crash reporter must go on seeing them.
    let of_the_thread = [
        Signal::SIGSEGV,
        Signal::SIGBUS,
        Signal::SIGFPE,
        Signal::SIGILL,
        Signal::SIGTRAP,
        Signal::SIGABRT,
        Signal::SIGSYS,
    ];
    let blocked = of_the_thread.into_iter().fold(SigSet::all(), |mut set, signal| {
        set.remove(signal);
        set
    });
    // A thread inherits the mask of the one that starts it.
    let before = blocked.thread_swap_mask(SigmaskHow::SIG_BLOCK);
    let started = start();
    if let Ok(before) = before {
        let _ = before.thread_set_mask();
    }
    started
}

#[cfg(not(unix))]
fn without_signals<T>(start: impl FnOnce() -> T) -> T {
    start()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::until::Interrupted;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn soon() -> Until<'static> {
        Until::new(Instant::now() + Duration::from_millis(30), None)
    }

    fn long() -> Until<'static> {
        Until::new(Instant::now() + Duration::from_secs(60), None)
    }

    fn name(name: &str) -> Host {
        Host::Name(name.to_owned())
    }

    #[test]
    fn addresses_and_loopback_names_ask_nobody() {
        let resolver = Resolver::with_lookup(|_, _| panic!("asked"));
        for (host, want) in [
            ("192.0.2.7", vec!["192.0.2.7:9"]),
            ("[2001:db8::1]", vec!["[2001:db8::1]:9"]),
            ("localhost", vec!["[::1]:9", "127.0.0.1:9"]),
            ("a.localhost.", vec!["[::1]:9", "127.0.0.1:9"]),
        ] {
            let got = resolver.resolve(&Host::parse(host).unwrap(), 9, &long()).unwrap();
            assert_eq!(got.iter().map(|a| a.to_string()).collect::<Vec<_>>(), want);
        }
    }

    #[test]
    fn a_lookup_that_never_returns_costs_one_thread_and_no_caller_its_deadline() {
        static LOOKUPS: AtomicU32 = AtomicU32::new(0);
        let resolver = Resolver::with_lookup(|_, _| {
            LOOKUPS.fetch_add(1, Ordering::SeqCst);
            loop {
                thread::park();
            }
        });
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..3 {
                        let got = resolver.resolve(&name("stuck.test"), 1, &soon());
                        assert!(matches!(got, Err(Fault::DeadlinePassed(Stage::Resolving))), "{got:?}");
                    }
                });
            }
        });
        assert_eq!(LOOKUPS.load(Ordering::SeqCst), 1);
        let cancel = Signal::new();
        cancel.raise();
        let until = Until::new(Instant::now() + Duration::from_secs(60), Some(&cancel));
        assert!(matches!(resolver.resolve(&name("stuck.test"), 1, &until), Err(Fault::Cancelled)));
        assert_eq!(until.pause(Duration::ZERO), Err(Interrupted::Cancelled));
    }

    #[test]
    fn an_answer_is_kept_until_it_is_forgotten_and_a_failure_is_not_kept() {
        static LOOKUPS: AtomicU32 = AtomicU32::new(0);
        let resolver = Resolver::with_lookup(|host, port| {
            LOOKUPS.fetch_add(1, Ordering::SeqCst);
            match host {
                "good.test" => Ok(vec![SocketAddr::from(([192, 0, 2, 1], port))]),
                "panic.test" => panic!("inside the lookup"),
                "empty.test" => Ok(vec![]),
                _ => Err(io::Error::other("no such host")),
            }
        });
        for _ in 0..3 {
            resolver.resolve(&name("good.test"), 443, &long()).unwrap();
        }
        assert_eq!(LOOKUPS.load(Ordering::SeqCst), 1);
        resolver.forget(&name("good.test"));
        resolver.resolve(&name("good.test"), 443, &long()).unwrap();
        assert_eq!(LOOKUPS.load(Ordering::SeqCst), 2);
        for (host, why) in [
            ("bad.test", "no such host"),
            ("bad.test", "no such host"),
            ("panic.test", "inside the lookup"),
            ("empty.test", "it has no address"),
        ] {
            match resolver.resolve(&name(host), 443, &long()) {
                Err(Fault::Resolve { why: got, .. }) => assert_eq!(got, why),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(LOOKUPS.load(Ordering::SeqCst), 6);
    }
}
