//! The C library's heap: what is freed is wiped. A server may repeat the key, and then it lies wherever its answer
//! did: in TLS's buffers too, which nothing else can reach. The host's own heap is not touched. `capi/lib.rs` makes it
//! the global allocator; a Rust program that depends on this crate chooses its own.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::ptr;

/// The system's allocator, which wipes what is freed.
#[derive(Debug)]
pub struct WipingHeap;

// SAFETY: it is the system's allocator; the bytes are still ours when they are wiped. Growing goes through
// `alloc` and `dealloc` (the trait's own `realloc`), so that no copy is left where the memory was.
unsafe impl GlobalAlloc for WipingHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the trait demands.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the trait demands.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as the trait demands. The compiler must not see that nobody reads what is written here; a
        // volatile write byte by byte would cost more than the rest of a call's memory does.
        unsafe {
            ptr::write_bytes(memory, 0, layout.size());
            System.dealloc(black_box(memory), layout);
        }
    }
}
