//! What the library says of itself.

use std::ffi::{CStr, c_char};

use super::boundary;

/// The version of this header, in numbers: 0.1.0 is 0, 1 and 0.
pub const FISH_VERSION_MAJOR: u32 = 0;
/// The second number.
pub const FISH_VERSION_MINOR: u32 = 1;
/// The third number.
pub const FISH_VERSION_PATCH: u32 = 0;
/// The binary interface of this header. It grows when a program built for an older one would break.
pub const FISH_ABI_VERSION: u32 = 1;

const VERSION_TEXT: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("a version has no NUL"),
    };

/// The version of the library that was loaded, such as "0.1.0". Static: never NULL, never freed.
///
/// Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn fish_version() -> *const c_char {
    boundary::guarded(VERSION_TEXT.as_ptr(), || VERSION_TEXT.as_ptr())
}

/// The binary interface of the library that was loaded. A program that loads the library at run time should
/// refuse one whose number is not the FISH_ABI_VERSION it was built with.
///
/// Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn fish_abi_version() -> u32 {
    boundary::guarded(FISH_ABI_VERSION, || FISH_ABI_VERSION)
}
