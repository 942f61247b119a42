//! Keeps the module that contains the library's code loaded: the shared library, or a plugin that the static
//! library is linked into. A name lookup that never returns leaves a thread in that code, and Rust's standard
//! library registers thread-exit destructors in it; neither may outlive the code.

use std::sync::atomic::{AtomicBool, Ordering};

/// Pins the module. Call it before the first thread starts. A failure is ignored.
pub(super) fn module() {
    // Not a Once: a child forked while another thread is inside it would wait forever. Pinning twice is
    // harmless.
    static PINNED: AtomicBool = AtomicBool::new(false);
    if !PINNED.load(Ordering::Acquire) {
        pin();
        PINNED.store(true, Ordering::Release);
    }
}

#[cfg(unix)]
fn pin() {
    // SAFETY: all-zero bytes are a valid Dl_info.
    let mut here: libc::Dl_info = unsafe { std::mem::zeroed() };
    // RTLD_NOLOAD loads nothing. In a program that links the static library there is nothing to unload: dlopen
    // finds nothing by that name, or the program itself.
    // SAFETY: the address is a function's; the name is the loader's own, and is checked for NULL.
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
    // SAFETY: with FROM_ADDRESS, the second argument is an address inside the module, not a name.
    unsafe { GetModuleHandleExW(PIN | FROM_ADDRESS, pin as *const () as *const c_void, &raw mut module) };
}

#[cfg(not(any(unix, windows)))]
fn pin() {}
