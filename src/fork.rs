//! State that belongs to one process. A forked child must not use its parent's connections, wait for its parent's
//! threads, or take a lock that a thread of its parent held, so it gets its own state. `pthread_atfork` handlers detect
//! the fork, at no cost to a call. Registering them is unsafe, and is here rather than in src/ffi because the handlers
//! change this file's private counters.

use std::sync::OnceLock;
#[cfg(unix)]
use std::sync::atomic::AtomicBool;
use std::sync::atomic::{AtomicU32, Ordering};

/// The number of forks between the process that loaded the library and this one.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// Starts detecting forks.
#[cfg(unix)]
pub(crate) fn watch() {
    // Not a Once: a child forked while another thread is inside it would wait forever. Two threads may both register
    // the handlers; a fork then counts twice, which is harmless.
    static WATCHING: AtomicBool = AtomicBool::new(false);
    if !WATCHING.load(Ordering::Acquire) {
        // SAFETY: the handlers only change atomics and sleep, which is allowed around a fork. If the library is
        // unloaded, the C library removes its handlers.
        unsafe { libc::pthread_atfork(Some(setup::before), Some(setup::after), Some(in_child)) };
        WATCHING.store(true, Ordering::Release);
    }
}

#[cfg(not(unix))]
pub(crate) fn watch() {}

/// Runs first in a forked child.
#[cfg(unix)]
extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    // The parent's other threads, and so their setups and forks, do not exist here.
    setup::clear();
}

/// Runs `first` once, in this process or an ancestor, and lets no fork happen during it. For the one-time setup of a
/// dependency that takes a lock: a child forked in the middle of it would wait for that lock forever.
#[cfg(unix)]
pub(crate) fn set_up(first: impl FnOnce()) {
    static DONE: AtomicBool = AtomicBool::new(false);
    if !DONE.load(Ordering::Acquire) {
        let _under_way = setup::begin();
        if !DONE.load(Ordering::Acquire) {
            first();
            DONE.store(true, Ordering::Release);
        }
    }
}

#[cfg(not(unix))]
pub(crate) fn set_up(_: impl FnOnce()) {}

/// Mutual exclusion between a setup and forks, by polling; both are short, and setup is rare. A system mutex does not
/// work here: a handler that is registered twice would deadlock, and a child could not unlock it.
#[cfg(unix)]
mod setup {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    /// `BUSY` during a setup, otherwise the number of running forks.
    static STATE: AtomicU32 = AtomicU32::new(0);
    const BUSY: u32 = u32::MAX;

    fn change(to: impl Fn(u32) -> Option<u32>) {
        while STATE.fetch_update(Ordering::Acquire, Ordering::Relaxed, &to).is_err() {
            // Not a yield: the other thread may have a lower priority.
            std::thread::sleep(Duration::from_micros(50));
        }
    }

    pub(super) struct UnderWay;

    pub(super) fn begin() -> UnderWay {
        change(|state| (state == 0).then_some(BUSY));
        UnderWay
    }

    impl Drop for UnderWay {
        fn drop(&mut self) {
            clear();
        }
    }

    pub(super) fn clear() {
        STATE.store(0, Ordering::Release);
    }

    /// Runs in the forking thread before the fork.
    pub(super) extern "C" fn before() {
        change(|state| (state != BUSY).then(|| state + 1));
    }

    /// Runs in the forking thread after the fork.
    pub(super) extern "C" fn after() {
        let _ = STATE.fetch_update(Ordering::Release, Ordering::Relaxed, |state| {
            // BUSY: the handlers were registered after this fork began, so `before` did not run.
            if state == BUSY { None } else { state.checked_sub(1) }
        });
    }
}

/// A number that differs between a process and its forked children.
pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// How many later generations have a slot of their own. Those beyond are reached through the last slot.
const NEAR: usize = 8;

/// One value per process. A child keeps its parent's value untouched, because dropping it could block on a lock that
/// the parent held.
pub(crate) struct PerProcess<T> {
    generation: u32,
    value: T,
    /// One slot for each of the next generations. A slot that was being initialised during a fork stays so forever in
    /// the child, so the child needs another.
    later: [OnceLock<Box<PerProcess<T>>>; NEAR],
}

impl<T> PerProcess<T> {
    pub(crate) fn new(value: T) -> PerProcess<T> {
        PerProcess::of(generation(), value)
    }

    fn of(generation: u32, value: T) -> PerProcess<T> {
        PerProcess { generation, value, later: [const { OnceLock::new() }; NEAR] }
    }

    /// This process's value, created by `make` on first use.
    pub(crate) fn get(&self, make: impl Fn() -> T) -> &T {
        self.at(generation(), make)
    }

    fn at(&self, generation: u32, make: impl Fn() -> T) -> &T {
        let mut own = self;
        while own.generation != generation {
            let step = generation.wrapping_sub(own.generation).min(NEAR as u32);
            let reached = own.generation.wrapping_add(step);
            own = own.later[step as usize - 1].get_or_init(|| Box::new(PerProcess::of(reached, make())));
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
        let state = PerProcess::of(u32::MAX - 1, 0);
        for generation in [u32::MAX - 1, u32::MAX, 0, 5, 6, 7, 40] {
            let value = *state.at(generation, make);
            assert_eq!(value == 0, generation == u32::MAX - 1);
            let so_far = made.load(Ordering::Relaxed);
            assert_eq!(*state.at(generation, make), value);
            assert_eq!(made.load(Ordering::Relaxed), so_far);
        }
        assert_eq!(*PerProcess::new(0).get(make), 0);
    }

    #[test]
    fn a_value_being_made_during_a_fork_does_not_block_the_child() {
        let state = PerProcess::of(0, 0);
        let value = state.at(1, || {
            // As in a child of generation 2: the initialisation of generation 1 never ends there.
            assert_eq!(*state.at(2, || 2), 2);
            1
        });
        assert_eq!((*value, *state.at(2, || 3)), (1, 2));
    }
}
