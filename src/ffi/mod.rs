//! The C interface, one file per C noun. Almost all unsafe code is here. A function checks its pointers, makes
//! one call into the core and writes the results; the logic is in the core.
//!
//! `include/fish_api_credit.h` is generated from these files, in this order. Their doc comments address C
//! programmers.

#![allow(rustdoc::bare_urls, rustdoc::broken_intra_doc_links)] // The comments are C's, in plain text.
#![allow(non_camel_case_types)] // The types have their C names, so that this reads like the header.
#![allow(clippy::missing_safety_doc)] // The comments, and the top of the header, tell C what a caller must uphold.

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
