//! The library's version.

use std::ffi::{CStr, c_char};

use super::boundary;

/// The major version of this header: the 0 of 0.1.0.
pub const FISH_VERSION_MAJOR: u32 = 0;
/// The minor version of this header: the 1 of 0.1.0.
pub const FISH_VERSION_MINOR: u32 = 1;
/// The patch version of this header: the last 0 of 0.1.0.
pub const FISH_VERSION_PATCH: u32 = 0;
/// The ABI version of this header. It increases when programs built for an older one would break.
pub const FISH_ABI_VERSION: u32 = 1;

const VERSION_TEXT: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("the version contains NUL"),
    };

/// Returns the version of the loaded library, such as "0.1.0". Static: never NULL, never freed.
///
/// Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn fish_version() -> *const c_char {
    boundary::guarded(VERSION_TEXT.as_ptr(), || VERSION_TEXT.as_ptr())
}

/// Returns the ABI version of the loaded library. A program that loads the library at run time should reject it
/// unless this equals the FISH_ABI_VERSION that the program was built with.
///
/// Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn fish_abi_version() -> u32 {
    boundary::guarded(FISH_ABI_VERSION, || FISH_ABI_VERSION)
}
