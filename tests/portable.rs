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

mod support;

use std::env;
use std::path::{Path, PathBuf};

use support::c::{self, Compiler, Library};
use support::{pages, routes};

const WARNINGS: [&str; 2] = ["-std=c99", "-Wconversion"];

/// The other platform's compiler that this variable names.
fn cross(variable: &str) -> Option<Compiler> {
    let tree = env::var("FISH_TREE").ok()?;
    Some(Compiler::for_tree(env::var(variable).expect(variable), Path::new(&tree)))
}

/// The platform's C compiler; `None` on a machine that has none.
fn compiler() -> Option<Compiler> {
    cross("FISH_CC").or_else(|| c::have_compiler().then(Compiler::c))
}

/// The C programs of a folder, with their names.
fn programs(folder: &str) -> Vec<(String, PathBuf)> {
    let paths = c::root().join(folder).read_dir().unwrap().map(|entry| entry.unwrap().path());
    let programs = paths.filter(|path| path.extension().is_some_and(|extension| extension == "c"));
    let programs: Vec<_> =
        programs.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path)).collect();
    assert!(!programs.is_empty());
    programs
}

/// Natively tests/cpp.rs does this, and more.
#[test]
fn the_cpp_program_passes_on_another_platform() {
    let Some(compiler) = cross("FISH_CXX") else { return };
    let scratch = tempfile::tempdir().unwrap();
    let sources = ["client.cpp", "other_unit.cpp"].map(|name| c::root().join("tests/cpp").join(name));
    let sources = sources.each_ref().map(PathBuf::as_path);
    let program = scratch.path().join("client.exe");
    let program = compiler.compile(program, &sources, Library::Shared, &["-std=c++17", "-Wno-pedantic"]);
    let server = routes::server();
    assert_eq!(c::run(c::under_runner(&program).arg(server.url())).trim_end(), "0 failures");
}

/// Natively tests/c_interface.rs does this, and compares what they print with the header.
#[test]
fn the_c_programs_pass_on_another_platform() {
    let Some(compiler) = cross("FISH_CC") else { return };
    let scratch = tempfile::tempdir().unwrap();
    let server = routes::server();
    for (name, source) in programs("tests/c") {
        let program = scratch.path().join(format!("{name}.exe"));
        let program = compiler.compile(program, &[&source], Library::Shared, &[]);
        let printed = c::run(c::under_runner(&program).arg(server.url()));
        assert!(!printed.trim().is_empty(), "{name} says what it checked");
        support::note(format_args!("{name}: {} lines", printed.lines().count()));
    }
}

#[test]
fn the_portable_programs_pass() {
    let Some(compiler) = compiler() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let server = routes::server();
    for (name, source) in programs("tests/c/portable") {
        let program = scratch.path().join(format!("{name}.exe"));
        let program = compiler.compile(program, &[&source], Library::Shared, &WARNINGS);
        let printed = c::run(c::under_runner(&program).arg(server.url()));
        assert_eq!(printed.trim_end(), "0 failures", "{name}");
    }
}

#[test]
fn the_program_of_the_c_page_compiles_and_runs() {
    let Some(compiler) = compiler() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let source = scratch.path().join("c-page.c");
    std::fs::write(&source, pages::program("docs/c.md", "c")).unwrap();
    let program = scratch.path().join("c-page.exe");
    let program = compiler.compile(program, &[&source], Library::Shared, &WARNINGS);
    pages::shows_a_credit_and_a_refusal(&program);
}
