//! The library's heap: what is freed is wiped. A server may repeat the key, and then it lies wherever its answer
//! did: in TLS's buffers too, which nothing else can reach. The host's own heap is not touched.

use std::alloc::{GlobalAlloc, Layout, System};
use std::mem::MaybeUninit;

use zeroize::Zeroize;

struct Wiped;

#[global_allocator]
static HEAP: Wiped = Wiped;

// SAFETY: it is the system's allocator; the bytes are still ours when they are wiped. Growing goes through
// `alloc` and `dealloc` (the trait's own `realloc`), so that no copy is left where the memory was.
unsafe impl GlobalAlloc for Wiped {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the trait demands.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the trait demands.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as the trait demands; any bytes are `MaybeUninit` ones.
        unsafe {
            std::slice::from_raw_parts_mut(memory.cast::<MaybeUninit<u8>>(), layout.size()).zeroize();
            System.dealloc(memory, layout);
        }
    }
}
