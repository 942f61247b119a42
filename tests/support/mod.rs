//! What the integration tests share: the scripted server, TLS, the builder of C programs, processes and clocks. Each
//! test binary uses a part of it.

#![allow(dead_code, missing_docs)]

use std::io::Write;

pub mod abi;
pub mod bindings;
pub mod c;
pub mod chains;
pub mod child;
pub mod client;
pub mod clock;
pub mod command;
pub mod credit;
pub mod generate;
pub mod header;
#[cfg(unix)]
pub mod packages;
pub mod pages;
pub mod routes;
pub mod server;
#[cfg(target_os = "linux")]
pub mod tasks;
pub mod tls;
pub mod tools;

/// Prints what is to be seen without --nocapture, such as how many cases a table has.
pub fn note(text: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "note: {text}");
}
