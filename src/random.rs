//! Random numbers for jitter. Each one comes from the operating system: a generator that is seeded once, such as
//! `RandomState`, would give forked processes the same numbers.

use std::hash::{BuildHasher, RandomState};
use std::time::SystemTime;

/// 64 random bits.
pub(crate) fn random() -> u64 {
    let mut bytes = [0; 8];
    match getrandom::getrandom(&mut bytes) {
        Ok(()) => u64::from_ne_bytes(bytes),
        // A sandbox may forbid it. This is predictable, but differs between processes and over time.
        Err(_) => RandomState::new().hash_one((std::process::id(), SystemTime::now())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_do_not_repeat_on_any_thread() {
        let draw = || (0..1000).map(|_| random()).collect::<Vec<_>>();
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
