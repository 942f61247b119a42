//! The sandbox of `examples/quickstart` alone, for programs that are tried without a key: it prints its address, and
//! ends when its standard input does. It accepts the key in FISH_API_KEY, or "sandbox-key".

#[path = "../quickstart/sandbox.rs"]
mod sandbox;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::io::{Read, Write};

fn main() -> std::io::Result<()> {
    let key = std::env::var("FISH_API_KEY").ok().filter(|key| !key.is_empty());
    let server = sandbox::start(key.as_deref().unwrap_or("sandbox-key"));
    let mut out = std::io::stdout();
    writeln!(out, "{}", server.url())?;
    out.flush()?;
    // Whoever started this holds the other end; its end is the signal, however it comes.
    std::io::stdin().read_to_end(&mut Vec::new()).map(|_| ())
}
