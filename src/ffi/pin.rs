//! Keeps the module that the library's code lies in loaded: the shared library, or a plugin with the static library
//! inside. A name lookup that never answers leaves a thread in that code, and Rust's standard library leaves
//! destructors there for threads that end later; neither may outlive its code.

use std::sync::atomic::{AtomicBool, Ordering};

/// Pins the module. Called before the first thread can be started; once is enough, and a failure changes nothing.
pub(super) fn module() {
    // No Once: a fork in the middle of it would leave it under way for ever in the child. Pinning twice is harmless.
    static PINNED: AtomicBool = AtomicBool::new(false);
    if !PINNED.load(Ordering::Acquire) {
        pin();
        PINNED.store(true, Ordering::Release);
    }
}

#[cfg(unix)]
fn pin() {
    // SAFETY: all-zero is a Dl_info.
    let mut here: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: both are only looked up; the name is the loader's own, and NULL is looked out for. What is loaded is
    // not loaded again. In a program that links the static library there is nothing to unload: dlopen finds
    // nothing under its name, or the program itself.
    unsafe {
        let found = libc::dladdr(pin as *const () as *const libc::c_void, &raw mut here) != 0;
        if found && !here.dli_fname.is_null() {
            libc::dlopen(here.dli_fname, libc::RTLD_NOW | libc::RTLD_NOLOAD | libc::RTLD_NODELETE);
        }
    }
}

#[cfg(windows)]
fn pin() {
    use std::ffi::c_void;

    const FROM_ADDRESS: u32 = 4;
    const PIN: u32 = 1;

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleExW(flags: u32, address: *const c_void, module: *mut *mut c_void) -> i32;
    }

    let mut module = std::ptr::null_mut();
    // SAFETY: with FROM_ADDRESS the second is an address inside the module, not a name.
    unsafe { GetModuleHandleExW(PIN | FROM_ADDRESS, pin as *const () as *const c_void, &raw mut module) };
}

#[cfg(not(any(unix, windows)))]
fn pin() {}
