//! Resolves host names. The system's lookup cannot be interrupted, so it runs on its own thread; callers share it, wait
//! for it only until their deadlines, and reuse its result for a minute.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use crate::clock;
use crate::deadline::Deadline;
use crate::event::Event;
use crate::ffi::boundary;
use crate::http::error::{Kind, Phase, TransportError};
use crate::request::Host;
use crate::thread;

/// How long a result is valid, time asleep included: the machine may wake up in another network.
const LIFETIME: Duration = Duration::from_secs(60);

pub(crate) type Addresses = Arc<[SocketAddr]>;
type Lookup = fn(&str, u16) -> io::Result<Vec<SocketAddr>>;

#[derive(Debug)]
pub(crate) struct Dns {
    lookup: Lookup,
    /// A list is enough: a client resolves one host, the server's or the proxy's.
    lookups: Mutex<Vec<Arc<Running>>>,
}

/// One lookup, running or done.
#[derive(Debug)]
struct Running {
    host: String,
    port: u16,
    done: Event,
    /// The result, and when it arrived by `clock::since_start`.
    outcome: OnceLock<(Duration, Result<Addresses, String>)>,
}

impl Dns {
    pub(crate) fn new() -> Dns {
        Dns::with_lookup(|host, port| Ok((host, port).to_socket_addrs()?.collect()))
    }

    fn with_lookup(lookup: Lookup) -> Dns {
        Dns { lookup, lookups: Mutex::default() }
    }

    pub(crate) fn resolve(
        &self,
        host: &Host,
        port: u16,
        deadline: &Deadline,
    ) -> Result<Addresses, TransportError> {
        let name = match host {
            Host::Ip(ip) => return Ok(Arc::new([SocketAddr::new(*ip, port)])),
            // RFC 6761 §6.3: not sent to DNS, which could return another machine's address.
            _ if host.is_loopback() => {
                return Ok(Arc::new([
                    SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), port),
                    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port),
                ]));
            }
            Host::Name(name) => name,
        };
        let running = self.join(name, port)?;
        deadline.event(&running.done).map_err(|why| Phase::Resolving.interrupted(why))?;
        let failed = |why: &str| not_resolved(name, why.to_owned());
        match running.outcome.get() {
            Some((_, Ok(addresses))) if addresses.is_empty() => Err(failed("it has no address")),
            Some((_, Ok(addresses))) => Ok(Arc::clone(addresses)),
            Some((_, Err(why))) => Err(failed(why)),
            None => Err(failed("the lookup ended without a result")),
        }
    }

    /// Drops the kept result, because its addresses could not be reached.
    pub(crate) fn forget(&self, host: &Host) {
        if let Host::Name(name) = host {
            self.lookups().retain(|running| running.host != *name || running.outcome.get().is_none());
        }
    }

    /// The lookup for this name: one that is running or whose result is still valid, or a new one.
    fn join(&self, host: &str, port: u16) -> Result<Arc<Running>, TransportError> {
        let mut lookups = self.lookups();
        lookups.retain(|running| match running.outcome.get() {
            Some((at, Ok(_))) => clock::since_start().saturating_sub(*at) < LIFETIME,
            Some((_, Err(_))) => false,
            None => true,
        });
        if let Some(running) = lookups.iter().find(|running| running.host == host && running.port == port) {
            return Ok(Arc::clone(running));
        }
        let running =
            Arc::new(Running { host: host.to_owned(), port, done: Event::new(), outcome: OnceLock::new() });
        let (lookup, own) = (self.lookup, Arc::clone(&running));
        let run = move || {
            let outcome = match boundary::contained(|| lookup(&own.host, own.port)) {
                Ok(Ok(addresses)) => Ok(addresses.into()),
                Ok(Err(why)) => Err(why.to_string()),
                Err(panic) => Err(panic),
            };
            let _ = own.outcome.set((clock::since_start(), outcome));
            own.done.set();
        };
        thread::start("fish-resolve", thread::LOOKUP_STACK, run)
            .map_err(|why| not_resolved(host, format!("no thread could be started: {why}")))?;
        lookups.push(Arc::clone(&running));
        Ok(running)
    }

    fn lookups(&self) -> MutexGuard<'_, Vec<Arc<Running>>> {
        self.lookups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_resolved(host: &str, why: String) -> TransportError {
    Phase::Resolving.error(Kind::NotResolved { host: host.to_owned(), why })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deadline::Interrupted;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;
    use std::time::Instant;

    fn soon() -> Deadline {
        Deadline::at(Instant::now() + Duration::from_millis(30))
    }

    fn long() -> Deadline {
        Deadline::at(Instant::now() + Duration::from_secs(60))
    }

    fn name(name: &str) -> Host {
        Host::Name(name.to_owned())
    }

    #[test]
    fn addresses_and_loopback_names_need_no_lookup() {
        let dns = Dns::with_lookup(|_, _| panic!("asked"));
        for (host, want) in [
            ("192.0.2.7", vec!["192.0.2.7:9"]),
            ("[2001:db8::1]", vec!["[2001:db8::1]:9"]),
            ("localhost", vec!["[::1]:9", "127.0.0.1:9"]),
            ("a.localhost.", vec!["[::1]:9", "127.0.0.1:9"]),
        ] {
            let got = dns.resolve(&Host::parse(host).unwrap(), 9, &long()).unwrap();
            assert_eq!(got.iter().map(|a| a.to_string()).collect::<Vec<_>>(), want);
        }
    }

    #[test]
    fn a_lookup_that_never_returns_costs_one_thread_and_no_caller_its_deadline() {
        static LOOKUPS: AtomicU32 = AtomicU32::new(0);
        let dns = Dns::with_lookup(|_, _| {
            LOOKUPS.fetch_add(1, Ordering::SeqCst);
            loop {
                thread::park();
            }
        });
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..3 {
                        let got = dns.resolve(&name("stuck.test"), 1, &soon());
                        assert_eq!(got, Err(Phase::Resolving.error(Kind::DeadlinePassed)));
                        // Only a result can be forgotten.
                        dns.forget(&name("stuck.test"));
                    }
                });
            }
        });
        // Its thread may come to run only now.
        while LOOKUPS.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
        assert_eq!(LOOKUPS.load(Ordering::SeqCst), 1);
        let cancel = Arc::new(Event::new());
        cancel.set();
        let deadline = Deadline::new(Instant::now() + Duration::from_secs(60), [Some(cancel), None, None]);
        let got = dns.resolve(&name("stuck.test"), 1, &deadline);
        assert_eq!(got, Err(Phase::Resolving.error(Kind::Cancelled)));
        assert_eq!(deadline.pause(Duration::ZERO), Err(Interrupted::Cancelled));
    }

    #[test]
    fn a_result_is_kept_until_it_is_forgotten_and_a_failure_is_not_kept() {
        static LOOKUPS: AtomicU32 = AtomicU32::new(0);
        let dns = Dns::with_lookup(|host, port| {
            LOOKUPS.fetch_add(1, Ordering::SeqCst);
            match host {
                "good.test" => Ok(vec![SocketAddr::from(([192, 0, 2, 1], port))]),
                "panic.test" => panic!("inside the lookup"),
                "empty.test" => Ok(vec![]),
                _ => Err(io::Error::other("no such host")),
            }
        });
        for _ in 0..3 {
            dns.resolve(&name("good.test"), 443, &long()).unwrap();
        }
        dns.forget(&name("another.test"));
        dns.resolve(&name("good.test"), 443, &long()).unwrap();
        assert_eq!(LOOKUPS.load(Ordering::SeqCst), 1);
        dns.forget(&name("good.test"));
        dns.resolve(&name("good.test"), 443, &long()).unwrap();
        assert_eq!(LOOKUPS.load(Ordering::SeqCst), 2);
        for (host, why) in [
            ("bad.test", "no such host"),
            ("bad.test", "no such host"),
            ("panic.test", "inside the lookup"),
            ("empty.test", "it has no address"),
        ] {
            match dns.resolve(&name(host), 443, &long()) {
                Err(TransportError { kind: Kind::NotResolved { why: got, .. }, .. }) => assert_eq!(got, why),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(LOOKUPS.load(Ordering::SeqCst), 6);
    }
}
