//! The C interface, one file per C noun, and the only home of unsafe code. A function here checks its
//! pointers, makes one call into the core and writes the values out; everything interesting is elsewhere.
//!
//! `include/fish_api_credit.h` is generated from these files, in this order. What stands in their comments is
//! what a C programmer reads.

#![allow(rustdoc::bare_urls, rustdoc::broken_intra_doc_links)] // The comments are C's, in plain text.
#![allow(non_camel_case_types)] // The types bear their C names, so that this reads like the header.
#![allow(clippy::missing_safety_doc)] // What a caller must uphold is said to C, in each comment and at the header's top.

mod library;
mod status;

mod client;

mod query;

mod api_credit;

mod format;

mod json;

mod error;

mod cancel_token;

mod call;

mod watch;

pub(crate) mod boundary;
mod handle;
mod heap;
mod memory;
mod pin;

pub use api_credit::*;
pub use call::*;
pub use cancel_token::*;
pub use client::*;
pub use error::*;
pub use format::*;
pub use heap::WipingHeap;
pub use json::*;
pub use library::*;
pub use query::*;
pub use status::*;
pub use watch::*;
