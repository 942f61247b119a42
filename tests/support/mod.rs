//! What the integration tests share: a scripted server, peers, TLS, processes and clocks, and C programs built
//! against the library just built. Each test binary uses a part of it.

#![allow(dead_code, missing_docs)]

pub mod abi;
pub mod c;
pub mod call;
pub mod child;
pub mod clock;
pub mod header;
pub mod peer;
pub mod scenarios;
pub mod server;
pub mod tls;
pub mod tools;
