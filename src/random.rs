//! Random numbers, for what must not happen to all at once. They come from the operating system at every call, so
//! that two processes forked from one never draw the same: what is seeded once, as `RandomState` is, they share.

use std::hash::{BuildHasher, RandomState};
use std::time::SystemTime;

/// Any 64 bits.
pub(crate) fn random() -> u64 {
    let mut bytes = [0; 8];
    match getrandom::getrandom(&mut bytes) {
        Ok(()) => u64::from_ne_bytes(bytes),
        // Refused to this process (a sandbox): not unpredictable, but different in each process and at each time.
        Err(_) => RandomState::new().hash_one((std::process::id(), SystemTime::now())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_number_comes_twice_on_any_thread() {
        let draw = || (0..1000).map(|_| random()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(draw)).collect();
        let drawn: Vec<u64> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        let different: HashSet<u64> = drawn.iter().copied().collect();
        assert_eq!(different.len(), drawn.len());
        // Each bit is set in about half of them: by less than 40 % of 4,000 once in 10^36 times.
        for bit in 0..64 {
            let set = drawn.iter().filter(|number| *number >> bit & 1 == 1).count();
            assert!((1600..=2400).contains(&set), "bit {bit}: {set}");
        }
    }
}
