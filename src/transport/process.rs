//! State that belongs to one process. A forked child must not use its parent's connections, must not wait for
//! its parent's threads, and must not take a lock that a thread of its parent held: it gets state of its own.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many forks lie between this process and the one that loaded the library.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// Called in a forked child, before anything else runs there.
pub(crate) fn forked() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// A value for each process that comes to use it; the parent's is kept, untouched, for as long as the child
/// lives, because dropping it could run into the parent's locks.
pub(crate) struct PerProcess<T> {
    generation: u32,
    value: T,
    child: OnceLock<Box<PerProcess<T>>>,
}

impl<T> PerProcess<T> {
    pub(crate) fn new(value: T) -> PerProcess<T> {
        PerProcess { generation: GENERATION.load(Ordering::Relaxed), value, child: OnceLock::new() }
    }

    /// This process's value, made by `make` where there is none yet.
    pub(crate) fn get(&self, make: impl Fn() -> T) -> &T {
        let generation = GENERATION.load(Ordering::Relaxed);
        let mut own = self;
        while own.generation != generation {
            own = own.child.get_or_init(|| Box::new(PerProcess::new(make())));
        }
        &own.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_generation_has_its_own_value_and_keeps_it() {
        let made = AtomicU32::new(0);
        let make = || made.fetch_add(1, Ordering::Relaxed) + 1;
        let of = |generation, value, child| PerProcess { generation, value, child };
        let now = GENERATION.load(Ordering::Relaxed);
        let state = of(now.wrapping_sub(1), 0, OnceLock::new());
        assert_eq!(*state.get(make), 1);
        assert_eq!(*state.get(make), 1);
        let same = PerProcess::new(0);
        assert_eq!(*same.get(make), 0);
    }
}
