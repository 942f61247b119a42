//! Reads a Fish Audio account's API credit, for any program that can call C.
//!
//! The interface is the C header `include/fish_api_credit.h`, which is generated from [`ffi`]. Data flows one
//! way: C → `ffi` → `client` → `request` → `transport` → `response` → `ffi` → C. Only `ffi` knows of C;
//! `transport` alone reads and writes sockets, and `until` alone waits; `money`, `time`, `retry`, `request` and
//! `response` are pure.

#![deny(unsafe_code)]

mod client;
mod error;
#[allow(unsafe_code)]
pub mod ffi;
#[cfg(fuzzing)]
pub mod fuzzing;
mod money;
mod request;
mod response;
mod retry;
mod signal;
mod status;
mod time;
mod transport;
mod until;
