//! The portable C programs, each compiled for a platform and run there, while the server runs here: natively under
//! plain `cargo test`; for another platform when .ci/dist.sh names it:
//!
//! | variable        | what it says                                             |
//! |-----------------|----------------------------------------------------------|
//! | `FISH_TREE`     | the unpacked release archive                             |
//! | `FISH_CC`       | the compiler for that platform, with its flags           |
//! | `FISH_CXX`      | the C++ compiler for it; tests/cpp runs there then       |
//! | `FISH_RUNNER`   | what runs its programs, such as "qemu-aarch64 -L /usr/…" |

#![cfg(unix)]
#![allow(missing_docs)]

mod loopback;
mod programs;
mod support;

use loopback::Server;
use programs::{Compiler, fence, run, scratch, without};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

const WARNINGS: [&str; 6] = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"];

/// The platform's compiler; `None` on a machine that has none.
fn compiler() -> Option<Compiler> {
    if let Ok(tree) = env::var("FISH_TREE") {
        return Some(Compiler::for_tree(&env::var("FISH_CC").expect("FISH_CC"), Path::new(&tree)));
    }
    let name = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    (!without(&name)).then(|| Compiler::native(&name))
}

/// The command that runs a program on its platform.
fn start(program: &Path) -> Command {
    let words = env::var("FISH_RUNNER").unwrap_or_default();
    let mut words = words.split_whitespace();
    let Some(first) = words.next() else { return Command::new(program) };
    let mut command = Command::new(first);
    command.args(words).arg(program);
    command
}

/// Natively tests/cpp.rs does this, and more.
#[test]
fn the_cpp_program_passes_on_another_platform() {
    let (Ok(tree), Ok(compiler)) = (env::var("FISH_TREE"), env::var("FISH_CXX")) else { return };
    let compiler = Compiler::for_tree(&compiler, Path::new(&tree));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cpp");
    let sources = [folder.join("client.cpp"), folder.join("other_unit.cpp")];
    let sources = sources.each_ref().map(PathBuf::as_path);
    let program = compiler.compile(&["-std=c++17", "-Wall", "-Wextra", "-Werror"], &sources, "client.exe");
    let server = Server::start();
    assert_eq!(run(start(&program).arg(server.url())).trim_end(), "0 failures");
}

/// Natively tests/c_programs.rs does this, and compares what they print with the header.
#[test]
fn the_contracts_programs_pass_on_another_platform() {
    let (Ok(tree), Ok(compiler)) = (env::var("FISH_TREE"), env::var("FISH_CC")) else { return };
    let compiler = Compiler::for_tree(&compiler, Path::new(&tree));
    let server = support::scenarios::server();
    for source in programs("tests/c") {
        let name = source.file_stem().unwrap().to_str().unwrap();
        let flags = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-pthread"];
        let program = compiler.compile(&flags, &[&source], &format!("{name}.exe"));
        let printed = run(start(&program).arg(server.url()));
        assert!(!printed.trim().is_empty(), "{name} says what it checked");
        support::note(format_args!("{name}: {} lines", printed.lines().count()));
    }
}

fn programs(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut all: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| path.extension().is_some_and(|extension| extension == "c"));
    all.sort();
    assert!(!all.is_empty());
    all
}

#[test]
fn the_portable_programs_pass() {
    let Some(compiler) = compiler() else { return };
    let server = Server::start();
    for source in programs("tests/c/portable") {
        let name = source.file_stem().unwrap().to_str().unwrap();
        let program = compiler.compile(&WARNINGS, &[&source], &format!("{name}.exe"));
        let printed = run(start(&program).arg(server.url()));
        assert_eq!(printed.trim_end(), "0 failures", "{name}");
    }
}

#[test]
fn the_program_of_the_c_page_compiles_and_runs() {
    let Some(compiler) = compiler() else { return };
    let server = Server::start();
    let source = scratch().join("c-page.c");
    std::fs::write(&source, fence("docs/c.md", "c")).unwrap();
    let program = compiler.compile(&WARNINGS, &[&source], "c-page.exe");
    let asking = |route: &str| {
        let mut command = start(&program);
        command.arg(format!("{}/{route}", server.url())).env("FISH_API_KEY", "secret-1");
        command
    };
    let printed = run(&mut asking("ok"));
    assert!(printed.contains("12.345678"), "{printed}");
    let refused = asking("401").output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("FISH_UNAUTHORIZED"), "{refused:?}");
}
