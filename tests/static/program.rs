//! A Rust program that uses the C library, linked statically, and has its own allocator: tests/static_library.rs.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::{CStr, c_char};
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counting;

#[global_allocator]
static HEAP: Counting = Counting;
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: it is the system's allocator, and a count.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) }
    }
}

#[repr(C, align(8))]
struct Credit([u8; 1024]);

#[link(name = "fish_api_credit", kind = "static")]
unsafe extern "C" {
    fn fish_api_credit_from_json(json: *const c_char, length: usize, credit: *mut Credit, error: *mut u8) -> i32;
    fn fish_api_credit_free(credit: *mut Credit);
}

fn main() {
    let json = r#"{"_id":"i","user_id":"u","credit":"12.345678","created_at":"","updated_at":""}"#;
    let mut credit = Credit([0; 1024]);
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    // SAFETY: the struct is larger than the library's; `credit` is its third pointer.
    unsafe {
        let status = fish_api_credit_from_json(json.as_ptr().cast(), json.len(), &mut credit, std::ptr::null_mut());
        assert_eq!(status, 0);
        assert_eq!(ALLOCATIONS.load(Ordering::Relaxed), before, "the library has its own heap");
        let text = *credit.0.as_ptr().cast::<*const c_char>().add(2);
        println!("{}", CStr::from_ptr(text).to_str().unwrap());
        fish_api_credit_free(&mut credit);
    }
    drop(std::hint::black_box(String::from("on this program's heap")));
    assert!(ALLOCATIONS.load(Ordering::Relaxed) > before);
}
