//! An allocator that wipes memory when it is freed. A server may echo the key, which is then in every buffer
//! that the response passed through, including rustls', which no other code can wipe. `capi/lib.rs` makes this
//! the global allocator of the C library; it does not affect the host's heap. A Rust program that depends on
//! this crate chooses its own.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::ptr;

/// The system allocator, but freed memory is wiped.
#[derive(Debug)]
pub struct WipingHeap;

// SAFETY: it is the system allocator, and the bytes are still ours when they are wiped. `realloc` is the
// trait's own, which uses `alloc` and `dealloc`, so it leaves no copy behind.
unsafe impl GlobalAlloc for WipingHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as for this method.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as for this method.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // `black_box` keeps the compiler from removing the write. Volatile writes byte by byte would cost more
        // than all other memory work of a call.
        // SAFETY: as for this method.
        unsafe {
            ptr::write_bytes(memory, 0, layout.size());
            System.dealloc(black_box(memory), layout);
        }
    }
}
