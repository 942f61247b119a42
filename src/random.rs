//! Random numbers for jitter. Each one comes from the operating system: a generator that is seeded once, such as
//! `RandomState`, would give forked processes the same numbers, and panics where the system has none.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// 64 random bits.
pub(crate) fn random() -> u64 {
    let mut bytes = [0; 8];
    match getrandom::getrandom(&mut bytes) {
        Ok(()) => u64::from_ne_bytes(bytes),
        Err(_) => predictable(),
    }
}

/// For a sandbox that forbids random numbers: these differ between processes and from one to the next.
fn predictable() -> u64 {
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    let mut hasher = DefaultHasher::new();
    (std::process::id(), SystemTime::now(), DRAWN.fetch_add(1, Ordering::Relaxed)).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_do_not_repeat_on_any_thread() {
        well_distributed(random);
        well_distributed(predictable);
    }

    fn well_distributed(source: fn() -> u64) {
        let draw = move || (0..1000).map(|_| source()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(draw)).collect();
        let drawn: Vec<u64> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        let different: HashSet<u64> = drawn.iter().copied().collect();
        assert_eq!(different.len(), drawn.len());
        // Each bit is set in about half of them. Below 40 % of 4,000 has a probability of about 10^-36.
        for bit in 0..64 {
            let set = drawn.iter().filter(|number| *number >> bit & 1 == 1).count();
            assert!((1600..=2400).contains(&set), "bit {bit}: {set}");
        }
    }
}
