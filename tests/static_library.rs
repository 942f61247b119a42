//! The static library as it is released: what it defines, what a link needs beside it, and that it links beside
//! another Rust library and into a Rust program.

#![cfg(target_os = "linux")]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::c;
use support::header::Header;
use support::tools::{have, in_ci};

/// The release library under FISH_CI, where there is time to build it; else the one just built, made in the same way.
fn library(scratch: &Path) -> PathBuf {
    let library = scratch.join("libfish_api_credit.a");
    if in_ci() {
        std::fs::copy(c::release().join("libfish_api_credit.a"), &library).unwrap();
    } else {
        c::localize(&c::built().join("libfish_api_credit.a"), &library);
    }
    library
}

fn source(name: &str) -> PathBuf {
    c::root().join("tests/static").join(name)
}

fn rustc(crate_type: &str, name: &str, scratch: &Path, flags: &[&str]) -> PathBuf {
    let output = scratch.join(name).with_extension(if crate_type == "bin" { "" } else { "a" });
    let mut command = Command::new("rustc");
    command.args(["--edition=2024", "-Copt-level=1", "--crate-type", crate_type]).arg("-L").arg(scratch);
    command.args(flags).arg(source(name)).arg("-o").arg(&output);
    c::run(&mut command);
    output
}

/// It is what packagers copy from, and what the tests link with.
#[test]
fn the_table_says_what_rustc_says() {
    let about = c::run(Command::new("rustc").arg("-vV"));
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let (_, _, said) = c::static_library();
    let said = said.split("native-static-libs: ").nth(1).unwrap().lines().next().unwrap();
    assert_eq!(c::native_static_libs(host).as_deref(), Some(said), "{host}");
    assert_eq!(c::static_libs(), said.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn it_defines_the_functions_of_the_header_and_no_other_symbol() {
    let scratch = tempfile::tempdir().unwrap();
    let mut nm = Command::new("nm");
    nm.args(["--extern-only", "--defined-only", "--format=posix"]).arg(library(scratch.path()));
    let symbols = c::run(&mut nm);
    let symbols = symbols.lines().filter(|line| !line.ends_with(':'));
    let symbols: Vec<_> = symbols.map(|line| line.split(' ').collect::<Vec<_>>()).collect();
    assert!(symbols.iter().all(|symbol| symbol[1] == "T"), "{symbols:?}");
    let defined: BTreeSet<_> = symbols.iter().map(|symbol| symbol[0].to_owned()).collect();
    let declared: BTreeSet<_> = Header::committed().functions.into_iter().map(|one| one.name).collect();
    assert_eq!(defined, declared);
    assert_eq!(symbols.len(), declared.len(), "each once");
}

/// The program makes each library panic and catch it: both unwind, each by its own runtime.
#[test]
fn two_rust_libraries_meet_in_one_program_and_both_unwind() {
    let scratch = tempfile::tempdir().unwrap();
    let here = scratch.path();
    let ours = library(here);
    let other = rustc("staticlib", "other.rs", here, &["-Cpanic=unwind"]);
    let program = here.join("both");
    let compilers: &[&[&str]] = &[
        &["cc"],
        &["cc", "-Wl,--gc-sections"],
        &["cc", "-fuse-ld=gold", "-Wl,--gc-sections"],
        &["clang"],
        &["clang", "-fuse-ld=lld", "-Wl,--gc-sections"],
        &["c++", "-x", "c++"],
    ];
    for compiler in compilers {
        let linker = if compiler.contains(&"-fuse-ld=lld") { "ld.lld" } else { compiler[0] };
        if !have(compiler[0]) || !have(linker) {
            continue;
        }
        for libraries in [[&ours, &other], [&other, &ours]] {
            let mut command = Command::new(compiler[0]);
            command.args(&compiler[1..]).arg("-I").arg(c::root().join("include")).arg(source("both.c"));
            command.args(["-x", "none"]).args(libraries).args(c::static_libs()).arg("-o").arg(&program);
            c::run(&mut command);
            let said = c::run(&mut c::command(&program));
            assert_eq!(said, "other: caught\nours: caught\n", "{compiler:?}");
        }
    }
}

/// A Rust program that links the C library, with an allocator of its own, which stays its own.
#[test]
fn it_links_into_a_rust_program() {
    let scratch = tempfile::tempdir().unwrap();
    library(scratch.path());
    let program = rustc("bin", "program.rs", scratch.path(), &[]);
    assert_eq!(c::run(&mut c::command(program)), "12.345678\n");
}

#[test]
fn a_linker_that_cannot_make_it_is_refused_with_a_sentence() {
    let scratch = tempfile::tempdir().unwrap();
    let mut command = Command::new(c::root().join("packaging/localize.sh"));
    command.args(["built.a", "result.a"]).current_dir(scratch.path()).env("LD", "true");
    let output = command.output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "localize.sh: true has no --force-group-allocation; name GNU ld in LD\n");
    assert!(!scratch.path().join("result.a").exists());
}
