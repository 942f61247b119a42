//! The C++ header, compiled by each compiler in each standard with every warning an error, with exceptions and
//! without, and run against a server on loopback; the program of docs/cpp.md too.

#![cfg(unix)]

mod support;

use std::path::{Path, PathBuf};

use support::c::{self, Compiler, Library};
use support::tools::{have, or_skipped};
use support::{pages, routes};

const WARNINGS: [&str; 3] = ["-Wconversion", "-Wshadow", "-Wnon-virtual-dtor"];

/// The compilers there are, of the two that matter.
fn compilers() -> Vec<&'static str> {
    ["g++", "clang++"].into_iter().filter(|name| have(name)).collect()
}

fn compile(compiler: &str, flags: &[&str], sources: &[&Path], program: PathBuf) -> PathBuf {
    Compiler::named(compiler).compile(program, sources, Library::Shared, &[&WARNINGS[..], flags].concat())
}

/// Compiles and runs the program of tests/cpp.
fn passes(compiler: &str, flags: &[&str]) {
    let scratch = tempfile::tempdir().unwrap();
    let sources = ["client.cpp", "other_unit.cpp"].map(|name| c::root().join("tests/cpp").join(name));
    let sources = sources.each_ref().map(PathBuf::as_path);
    let program = compile(compiler, flags, &sources, scratch.path().join("client"));
    let server = routes::server();
    let mut command = c::command(program);
    let printed = c::run(command.arg(server.url()).env("ASAN_OPTIONS", "detect_stack_use_after_return=1"));
    assert_eq!(printed, "0 failures\n", "{compiler} {flags:?}");
}

#[test]
fn the_header_works_in_every_standard_with_exceptions_and_without() {
    for compiler in compilers() {
        for standard in ["-std=c++17", "-std=c++20", "-std=c++2b"] {
            for exceptions in ["-fexceptions", "-fno-exceptions"] {
                passes(compiler, &[standard, exceptions, "-O1"]);
            }
        }
    }
}

#[test]
fn nothing_leaks_and_nothing_is_undefined() {
    let flags = ["-std=c++17", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    let scratch = tempfile::tempdir().unwrap();
    let source = scratch.path().join("empty.cpp");
    std::fs::write(&source, "int main() {}\n").unwrap();
    for compiler in compilers() {
        let empty =
            Compiler::named(compiler).build(&scratch.path().join("empty"), &[&source], Library::None, &flags);
        if or_skipped(empty.is_ok(), &format!("sanitizers of {compiler}")) {
            passes(compiler, &flags);
        }
    }
}

#[test]
fn below_cpp17_one_error_says_what_is_needed() {
    let scratch = tempfile::tempdir().unwrap();
    let source = scratch.path().join("old.cpp");
    std::fs::write(&source, "#include <fish_api_credit.hpp>\nint main() {}\n").unwrap();
    for compiler in compilers() {
        let said = |flags: &[&str]| {
            let mut command = c::command(compiler);
            command.args(flags).arg("-I").arg(c::root().join("include")).arg(&source);
            String::from_utf8_lossy(&command.output().unwrap().stderr).into_owned()
        };
        for (standard, errors) in [("-std=c++98", 1), ("-std=c++11", 1), ("-std=c++14", 1), ("-std=c++17", 0)]
        {
            let said = said(&[standard, "-fsyntax-only"]);
            let found: Vec<&str> = said.lines().filter(|line| line.contains("error:")).collect();
            assert_eq!(found.len(), errors, "{compiler} {standard}: {said}");
            assert!(found.iter().all(|line| line.contains("needs C++17")), "{said}");
        }
        // MSVC says in a macro of its own what __cplusplus does not. The standard library here believes the lie about
        // __cplusplus and complains too, so only the preprocessor is asked, and only for what this header says.
        for (standard, refused) in [("201402L", true), ("201703L", false), ("202002L", false)] {
            let msvc = format!("-D_MSVC_LANG={standard}");
            let said = said(&["-E", "-w", "-std=c++17", "-U__cplusplus", "-D__cplusplus=199711L", &msvc]);
            assert_eq!(said.contains("needs C++17"), refused, "{compiler} {standard}: {said}");
        }
    }
}

#[test]
fn the_header_defines_no_macro_but_its_guard() {
    let header = c::read("include/fish_api_credit.hpp");
    let includes = header.lines().filter(|line| line.starts_with("#include"));
    let includes: String = includes.map(|line| line.to_owned() + "\n").collect();
    assert!(includes.contains("fish_api_credit.h\""), "{includes}");
    let scratch = tempfile::tempdir().unwrap();
    for compiler in compilers() {
        let macros = |source: &str| -> Vec<String> {
            let path = scratch.path().join("macros.cpp");
            std::fs::write(&path, source).unwrap();
            let mut command = c::command(compiler);
            command.args(["-std=c++17", "-dM", "-E", "-I"]).arg(c::root().join("include")).arg(path);
            let printed = c::run(&mut command);
            printed.lines().map(|line| line.split([' ', '(']).nth(1).unwrap_or_default().to_owned()).collect()
        };
        let before = macros(&includes);
        let mut leaked = macros("#include \"fish_api_credit.hpp\"\n");
        leaked.retain(|name| !before.contains(name));
        assert_eq!(leaked, ["FISH_API_CREDIT_HPP"], "{compiler}");
    }
}

#[test]
fn the_program_of_the_cpp_page_compiles_and_runs() {
    let scratch = tempfile::tempdir().unwrap();
    let source = scratch.path().join("cpp-page.cpp");
    std::fs::write(&source, pages::program("docs/cpp.md", "cpp")).unwrap();
    for compiler in compilers() {
        let program = compile(compiler, &["-std=c++17"], &[&source], scratch.path().join("cpp-page"));
        pages::shows_a_credit_and_a_refusal(&program);
    }
}
