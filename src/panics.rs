//! Panics, kept inside. A panic is always a bug of this library; it becomes an error, and nothing is printed
//! into the host's stderr on the way.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};

thread_local! {
    /// Whether this thread is running the library's code. Without a destructor, so that a thread may outlive
    /// the library.
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
    #[cfg(test)]
    static INJECTED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `body`; a panic in it comes back as its text.
///
/// The caller must drop, or be done with, whatever `body` was changing: it may be half-changed.
pub(crate) fn contained<T>(body: impl FnOnce() -> T) -> Result<T, String> {
    // Nobody waits for whoever sets the hook: after a fork in the middle of that, nobody would end the wait.
    static QUIET: AtomicBool = AtomicBool::new(false);
    if !QUIET.load(Ordering::Relaxed) && !QUIET.swap(true, Ordering::Relaxed) {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !CONTAINED.get() {
                previous(info);
            }
        }));
    }
    let outer = CONTAINED.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(|| {
        #[cfg(test)]
        injection_point();
        body()
    }));
    CONTAINED.set(outer);
    result.map_err(text)
}

/// Runs `body`, which has no way to report; `otherwise` is what a panic gives.
pub(crate) fn guarded<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    contained(body).unwrap_or(otherwise)
}

fn text(payload: Box<dyn Any + Send>) -> String {
    let text = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "a panic without a text".to_owned(),
    };
    // Its destructor could panic in turn, and nothing would catch that.
    std::mem::forget(payload);
    text
}

/// Panics once after `inject`.
#[cfg(test)]
pub(crate) fn injection_point() {
    if INJECTED.take() {
        panic!("injected by a test");
    }
}

/// The next `injection_point` on this thread panics, which each exported function has inside its boundary.
#[cfg(test)]
pub(crate) fn inject() {
    INJECTED.set(true);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_comes_back_as_its_text() {
        assert_eq!(contained(|| 7), Ok(7));
        assert_eq!(contained(|| -> i32 { panic!("plain") }), Err("plain".to_owned()));
        assert_eq!(contained(|| -> i32 { panic!("{}-{}", 1, 2) }), Err("1-2".to_owned()));
        struct Rude;
        impl Drop for Rude {
            fn drop(&mut self) {
                panic!("again");
            }
        }
        let odd = contained(|| -> i32 { panic::panic_any(Rude) });
        assert_eq!(odd, Err("a panic without a text".to_owned()));
    }
}
