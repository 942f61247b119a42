//! What the integration tests share: a scripted server, peers, TLS, processes and clocks, and C programs built
//! against the library just built. Each test binary uses a part of it.

#![allow(dead_code, missing_docs)]

use std::io::Write;

pub mod abi;
pub mod bindings;
pub mod c;
pub mod call;
pub mod chains;
pub mod child;
pub mod clock;
pub mod generate;
pub mod header;
pub mod pages;
pub mod routes;
pub mod server;
#[cfg(target_os = "linux")]
pub mod tasks;
pub mod tls;
pub mod tools;

/// Says something that is seen without --nocapture: how many cases a table has, what was skipped.
pub fn note(text: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "note: {text}");
}
