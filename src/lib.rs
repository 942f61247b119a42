//! Reads a Fish Audio account's API credit, for any program that can call C.
//!
//! The interface is the C header `include/fish_api_credit.h`, which is generated from [`ffi`]. Data flows one way:
//! C → `ffi` → `client` → `request` → `http` → `response` → `ffi` → C. Only `ffi` knows about C, only `http` uses
//! sockets, and only `deadline` waits; `money`, `time`, `retry`, `request` and `response` are pure.

#![deny(unsafe_code)]

mod alarm;
mod background;
mod client;
mod clock;
mod deadline;
mod descriptor;
mod error;
mod event;
#[allow(unsafe_code)]
pub mod ffi;
#[allow(unsafe_code)]
mod fork;
#[cfg(fuzzing)]
pub mod fuzzing;
mod http;
mod money;
mod random;
mod request;
mod response;
mod retry;
mod status;
mod thread;
mod time;
mod watch;
