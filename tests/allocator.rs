//! A Rust program that depends on this crate keeps its own allocator, and its memory is not wiped. This test is such a
//! program: with a global allocator in the crate it would not compile.

#![allow(missing_docs)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;

use ::fish_api_credit::ffi::*;

struct Counting;

#[global_allocator]
static HEAP: Counting = Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    /// What the last freed bytes began with.
    static FREED: Cell<u8> = const { Cell::new(0) };
}

// SAFETY: it is the system's allocator; what is counted lies in constant thread-locals, which allocate nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: as the trait demands.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as the trait demands; a byte at least is there, and whoever frees had it written.
        unsafe {
            FREED.set(memory.read());
            System.dealloc(memory, layout);
        }
    }
}

#[test]
fn the_programs_own_allocator_is_used() {
    let json = r#"{"_id":"i","user_id":"u","credit":"1.5","created_at":"","updated_at":""}"#;
    let mut credit = std::mem::MaybeUninit::<fish_api_credit>::uninit();
    let before = ALLOCATIONS.get();
    // SAFETY: a document of that length, and room for what comes back.
    unsafe {
        let status =
            fish_api_credit_from_json(json.as_ptr().cast(), json.len(), credit.as_mut_ptr(), ptr::null_mut());
        assert_eq!(status, FISH_OK);
        fish_api_credit_free(credit.as_mut_ptr());
    }
    assert!(ALLOCATIONS.get() > before, "the crate allocates by it");

    drop(std::hint::black_box(vec![7_u8; 100]));
    assert_eq!(FREED.get(), 7, "the program's own memory is not wiped before its allocator frees it");
}

#[test]
fn a_program_may_choose_the_wiping_heap() {
    let layout = Layout::from_size_align(64, 8).unwrap();
    // SAFETY: written before it is read, and freed once, as it was allocated.
    unsafe {
        let memory = WipingHeap.alloc(layout);
        memory.write_bytes(7, layout.size());
        assert_eq!(memory.add(63).read(), 7);
        WipingHeap.dealloc(memory, layout);
    }
}
