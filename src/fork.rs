//! State that belongs to one process. A forked child must not use its parent's connections, must not wait for
//! its parent's threads, and must not take a lock that a thread of its parent held: it gets state of its own.
//!
//! The fork is noticed by handlers, which cost a call nothing. They are the only unsafe code here, and stand beside
//! what they count and guard.

use std::sync::OnceLock;
#[cfg(unix)]
use std::sync::atomic::AtomicBool;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many forks lie between this process and the one that loaded the library.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// From now on forks are noticed.
#[cfg(unix)]
pub(crate) fn watch() {
    // No Once: a fork in the middle of it would leave it under way for ever in the child. Two threads may both
    // register the handler, and a fork then counts twice, which does no harm.
    static WATCHING: AtomicBool = AtomicBool::new(false);
    if !WATCHING.load(Ordering::Acquire) {
        // SAFETY: the handlers change atomics and sleep, which is allowed around a fork. If the library is unloaded,
        // the C library drops the handlers with it.
        unsafe { libc::pthread_atfork(Some(setup::before), Some(setup::after), Some(in_child)) };
        WATCHING.store(true, Ordering::Release);
    }
}

#[cfg(not(unix))]
pub(crate) fn watch() {}

/// Runs in a forked child, before anything else does.
#[cfg(unix)]
extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    // The forks of its parent's other threads are none of its own.
    setup::clear();
}

/// Runs `first`, the first time in this process or in its parents, with no fork in its middle. For what a dependency
/// sets up once behind a lock of its own: a child forked in the middle of that would wait for it for ever.
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

/// A setup and the forks wait for each other. Both are short and the first is once, so they ask again and again: a
/// lock of the system's could not be taken by a handler that is registered twice, nor be given back by a child.
#[cfg(unix)]
mod setup {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    /// `BUSY` during a setup; otherwise how many handlers of forks under way have run.
    static STATE: AtomicU32 = AtomicU32::new(0);
    const BUSY: u32 = u32::MAX;

    fn change(to: impl Fn(u32) -> Option<u32>) {
        while STATE.fetch_update(Ordering::Acquire, Ordering::Relaxed, &to).is_err() {
            // Not a yield: whoever is waited for may have a lower priority.
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

    /// Runs in the thread that forks, before it does.
    pub(super) extern "C" fn before() {
        change(|state| (state != BUSY).then(|| state + 1));
    }

    /// Runs in that thread afterwards.
    pub(super) extern "C" fn after() {
        let _ = STATE.fetch_update(Ordering::Release, Ordering::Relaxed, |state| {
            // Registered since `before` would have run.
            if state == BUSY { None } else { state.checked_sub(1) }
        });
    }
}

/// This process's number, for whoever must know whether it is still the one that began something.
pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// How many generations find their place at once. More must pass through the place of an earlier one.
const NEAR: usize = 8;

/// A value for each process that comes to use it; the parent's is kept, untouched, for as long as the child
/// lives, because dropping it could run into the parent's locks.
pub(crate) struct PerProcess<T> {
    generation: u32,
    value: T,
    /// A place for each of the next generations. One that a process was filling when it was forked stays under
    /// way for ever in its child, so the child must have another.
    later: [OnceLock<Box<PerProcess<T>>>; NEAR],
}

impl<T> PerProcess<T> {
    pub(crate) fn new(value: T) -> PerProcess<T> {
        PerProcess::of(generation(), value)
    }

    fn of(generation: u32, value: T) -> PerProcess<T> {
        PerProcess { generation, value, later: [const { OnceLock::new() }; NEAR] }
    }

    /// This process's value, made by `make` where there is none yet.
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
    fn a_value_that_was_being_made_when_the_process_forked_holds_up_no_child() {
        let state = PerProcess::of(0, 0);
        let value = state.at(1, || {
            // As in a child of generation 2: generation 1 is making its value, and will never be done.
            assert_eq!(*state.at(2, || 2), 2);
            1
        });
        assert_eq!((*value, *state.at(2, || 3)), (1, 2));
    }
}
