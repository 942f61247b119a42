//! The C++ header, compiled by each compiler in each standard with every warning an error, with exceptions and
//! without, and run against a server on loopback; the program of docs/cpp.md too.

#![cfg(unix)]
#![allow(missing_docs)]

mod loopback;
mod programs;

use loopback::Server;
use programs::{Compiler, fence, run, without};
use std::path::Path;
use std::process::Command;

const WARNINGS: [&str; 7] =
    ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wnon-virtual-dtor", "-Werror"];

const SOURCES: [&str; 2] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cpp/client.cpp"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cpp/other_unit.cpp"),
];

/// The compilers there are, of the two that matter.
fn compilers() -> Vec<&'static str> {
    ["g++", "clang++"].into_iter().filter(|name| !without(name)).collect()
}

fn compile(compiler: &str, flags: &[&str], sources: &[&Path], program: &str) -> std::path::PathBuf {
    Compiler::native(compiler).compile(&[&WARNINGS[..], flags].concat(), sources, program)
}

#[test]
fn the_header_works_in_every_standard_with_exceptions_and_without() {
    let server = Server::start();
    for compiler in compilers() {
        for standard in ["c++17", "c++20", "c++2b"] {
            for exceptions in ["-fexceptions", "-fno-exceptions"] {
                let standard_flag = format!("-std={standard}");
                let program = compile(
                    compiler,
                    &[&standard_flag, exceptions, "-O1"],
                    &SOURCES.map(Path::new),
                    &format!("client-{compiler}-{standard}{exceptions}"),
                );
                let printed = run(Command::new(program).arg(server.url()));
                assert_eq!(printed, "0 failures\n", "{compiler} {standard} {exceptions}");
            }
        }
    }
}

#[test]
fn below_cpp17_one_error_says_what_is_needed() {
    let source = programs::scratch().join("old.cpp");
    std::fs::write(&source, "#include <fish_api_credit.hpp>\nint main() {}\n").unwrap();
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("include");
    for compiler in compilers() {
        for (flags, errors) in
            [(&["-std=c++98"][..], 1), (&["-std=c++11"], 1), (&["-std=c++14"], 1), (&["-std=c++17"], 0)]
        {
            let mut command = Command::new(compiler);
            command.args(flags).arg("-fsyntax-only").arg("-I").arg(&include).arg(&source);
            let output = command.output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            let found: Vec<&str> = said.lines().filter(|line| line.contains("error:")).collect();
            assert_eq!(found.len(), errors, "{compiler} {flags:?}: {said}");
            assert!(found.iter().all(|line| line.contains("needs C++17")), "{said}");
        }
        // MSVC says in a macro of its own what __cplusplus does not. The standard library here believes the lie about
        // __cplusplus and complains too, so only the preprocessor is asked, and only for what this header says.
        for (standard, refused) in [("201402L", true), ("201703L", false), ("202002L", false)] {
            let mut command = Command::new(compiler);
            command.args(["-E", "-w", "-std=c++17", "-U__cplusplus", "-D__cplusplus=199711L"]);
            command.arg(format!("-D_MSVC_LANG={standard}")).arg("-I").arg(&include).arg(&source);
            let said = command.output().unwrap().stderr;
            let said = String::from_utf8_lossy(&said);
            assert_eq!(said.contains("needs C++17"), refused, "{compiler} {standard}: {said}");
        }
    }
}

#[test]
fn nothing_leaks_and_nothing_is_undefined() {
    let server = Server::start();
    for compiler in compilers() {
        let flags = ["-std=c++17", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
        let program = compile(compiler, &flags, &SOURCES.map(Path::new), &format!("sanitized-{compiler}"));
        let printed = run(Command::new(program)
            .arg(server.url())
            .env("ASAN_OPTIONS", "detect_stack_use_after_return=1"));
        assert_eq!(printed, "0 failures\n", "{compiler}");
    }
}

#[test]
fn the_header_defines_no_macro_but_its_guard() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let header = std::fs::read_to_string(root.join("include/fish_api_credit.hpp")).unwrap();
    let includes: String = header
        .lines()
        .filter(|line| line.starts_with("#include"))
        .map(|line| line.to_owned() + "\n")
        .collect();
    assert!(includes.contains("fish_api_credit.h\""), "{includes}");
    for compiler in compilers() {
        let macros = |name: &str, source: &str| -> Vec<String> {
            let scratch = programs::scratch();
            let source_path = scratch.join(format!("{name}-{compiler}.cpp"));
            std::fs::write(&source_path, source).unwrap();
            let printed = run(Command::new(compiler)
                .args(["-std=c++17", "-dM", "-E", "-I"])
                .arg(root.join("include"))
                .arg(source_path));
            printed.lines().map(|line| line.split([' ', '(']).nth(1).unwrap_or_default().to_owned()).collect()
        };
        let before = macros("without", &includes);
        let mut leaked = macros("with", "#include \"fish_api_credit.hpp\"\n");
        leaked.retain(|name| !before.contains(name));
        assert_eq!(leaked, ["FISH_API_CREDIT_HPP"], "{compiler}");
    }
}

#[test]
fn the_program_of_the_cpp_page_compiles_and_runs() {
    let server = Server::start();
    let source = programs::scratch().join("cpp-page.cpp");
    std::fs::write(&source, fence("docs/cpp.md", "cpp")).unwrap();
    for compiler in compilers() {
        let program = compile(compiler, &["-std=c++17"], &[&source], &format!("cpp-page-{compiler}"));
        let command = |base_url: &str| {
            let mut command = Command::new(&program);
            command.arg(format!("{}/{base_url}", server.url())).env("FISH_API_KEY", "secret-1");
            command
        };
        let printed = run(&mut command("ok"));
        assert!(printed.contains("12.345678"), "{printed}");
        let refused = command("401").output().unwrap();
        assert_eq!(refused.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&refused.stderr).contains("FISH_UNAUTHORIZED"), "{refused:?}");
    }
}
