//! The library that C links and loads: the functions of `fish_api_credit`, and a heap that wipes what it frees.
//!
//! The heap is here and not in `fish_api_credit` because a Rust program has only one, and chooses it itself. A
//! Rust program that wants the key gone from freed memory declares it as below.

pub use rust::ffi::*;

#[global_allocator]
static HEAP: rust::ffi::WipingHeap = rust::ffi::WipingHeap;
