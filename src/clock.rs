//! Time since the system started, time asleep included. `std::time::Instant` may not count time asleep, but idle
//! connections age during it.

use std::time::Duration;

#[cfg(any(target_os = "linux", target_os = "android"))]
const CLOCK: nix::time::ClockId = nix::time::ClockId::CLOCK_BOOTTIME;
// On Apple's systems this clock counts time asleep.
#[cfg(target_vendor = "apple")]
const CLOCK: nix::time::ClockId = nix::time::ClockId::CLOCK_MONOTONIC;

/// Only differences between two values are meaningful.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
pub(crate) fn since_start() -> Duration {
    nix::time::clock_gettime(CLOCK).map_or_else(|_| awake(), Duration::from)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(crate) fn since_start() -> Duration {
    // Windows' performance counter counts time asleep.
    awake()
}

/// The standard library's clock.
fn awake() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// The processor time that the calling thread has used, for tests that a wait does not spin.
#[cfg(all(test, unix))]
pub(crate) fn computed() -> Duration {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_forward() {
        for now in [since_start, awake] {
            let before = now();
            std::thread::sleep(Duration::from_millis(2));
            assert!(now() >= before + Duration::from_millis(2));
        }
    }
}
