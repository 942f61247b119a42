//! `examples/c/fish-credit.c`, compiled and run as its users do.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use super::c::{self, Library};
use super::server::Server;

pub const KEY: &str = "sk-example-0123456789abcdef";

/// The program, compiled once, every warning an error.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let folder = c::built().with_file_name("credit-program");
        std::fs::create_dir_all(&folder).unwrap();
        c::compile(
            &[&c::root().join("examples/c/fish-credit.c")],
            Library::Shared,
            &["-Wconversion"],
            &folder,
        )
    })
}

#[derive(Debug)]
pub struct Ran {
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs it to its end, and checks what holds for every run: the key is nowhere in what it prints.
pub fn ran(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("it prints UTF-8");
    let ran = Ran { status: status.code(), stdout: text(stdout), stderr: text(stderr) };
    for printed in [&ran.stdout, &ran.stderr] {
        assert!(!printed.contains(KEY), "the key was printed: {ran:?}");
    }
    ran
}

pub fn command() -> Command {
    c::command(program())
}

pub fn credit_with_key(key: Option<&str>, arguments: &[&str]) -> Ran {
    let mut command = command();
    if let Some(key) = key {
        command.env("FISH_API_KEY", key);
    }
    ran(command.args(arguments))
}

pub fn credit(server: &Server, arguments: &[&str]) -> Ran {
    credit_with_key(Some(KEY), &[&["--base-url", server.url().as_str()], arguments].concat())
}

pub const SHOWN: &str = "\
API credit         12.34 US dollars
  exact text       12.345678
  which wallet     the account's API credit, not a team's or a plan's platform credit
Total paid in      20.00
Free credit left   not requested (--check-free-credit)
Phone number known yes
Account            fedcba9876543210fedcba9876543210
Wallet             0123456789abcdef0123456789abcdef
Created            2025-01-02T03:04:05Z
Last changed       2026-08-01T12:34:56.789012Z
";
