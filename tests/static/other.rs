//! Another project's Rust library, for a program that links two: tests/static_library.rs.

/// True if a panic was caught here.
#[unsafe(no_mangle)]
pub extern "C" fn other_catches() -> bool {
    std::panic::set_hook(Box::new(|_| {}));
    let text = std::hint::black_box(String::from("no number"));
    std::panic::catch_unwind(|| text.parse::<u32>().unwrap()).is_err()
}
