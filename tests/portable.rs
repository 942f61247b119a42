//! The portable C programs, each compiled for a platform and run there, while the server runs here: natively under
//! plain `cargo test`; for another platform when tests/packages/archives.sh names it, and then the archive's command too:
//!
//! | variable        | what it says                                                                       |
//! |-----------------|------------------------------------------------------------------------------------|
//! | `FISH_TREE`     | the unpacked release archive                                                       |
//! | `FISH_CC`       | the compiler for that platform, with its flags                                     |
//! | `FISH_CXX`      | the C++ compiler for it; tests/cpp runs there then                                 |
//! | `FISH_STATIC`   | what a program with the static library is linked with beside it, such as "-static" |
//! | `FISH_RUNNER`   | what runs its programs, such as "qemu-aarch64 -L /usr/…"                           |

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

const BOTH: [Library; 2] = [Library::Shared, Library::Static];

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
    let server = routes::server();
    for library in BOTH {
        let program = scratch.path().join(format!("client-{library:?}.exe"));
        let program = compiler.compile(program, &sources, library, &["-std=c++17", "-Wno-pedantic"]);
        assert_eq!(c::run(c::under_runner(&program).arg(server.url())).trim_end(), "0 failures");
    }
}

/// Natively tests/c_interface.rs does this, and compares what they print with the header.
#[test]
fn the_c_programs_pass_on_another_platform() {
    let Some(compiler) = cross("FISH_CC") else { return };
    let scratch = tempfile::tempdir().unwrap();
    let server = routes::server();
    for (name, source) in programs("tests/c") {
        let [shared, linked] = BOTH.map(|library| {
            let program = scratch.path().join(format!("{name}-{library:?}.exe"));
            let program = compiler.compile(program, &[&source], library, &[]);
            c::run(c::under_runner(&program).arg(server.url()))
        });
        assert!(!shared.trim().is_empty(), "{name} says what it checked");
        assert_eq!(shared, linked, "{name}");
        support::note(format_args!("{name}: {} lines", shared.lines().count()));
    }
}

/// Whatever finds the unwinder and its tables there: packaging/musl.
#[test]
fn a_panic_is_caught_in_a_program_with_the_static_library() {
    let Some(compiler) = cross("FISH_CC") else { return };
    // The program replaces Linux's clock.
    if !env::var("FISH_TREE").unwrap().contains("-linux-") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let source = c::root().join("tests/static/both.c");
    for flags in [&["-DALONE"][..], &["-DALONE", "-O2", "-ffunction-sections", "-Wl,--gc-sections"]] {
        let program = scratch.path().join("panic.exe");
        let flags = [&["-std=gnu11"], flags].concat();
        let program = compiler.compile(program, &[&source], Library::Static, &flags);
        assert_eq!(c::run(&mut c::under_runner(&program)), "ours: caught\n", "{flags:?}");
    }
}

/// The archive's own command, which has the library inside.
#[test]
fn the_command_of_the_archive_shows_a_credit() {
    let Ok(tree) = env::var("FISH_TREE") else { return };
    let commands: Vec<_> =
        Path::new(&tree).join("bin").read_dir().unwrap().map(|one| one.unwrap().path()).collect();
    let command =
        commands.iter().find(|path| path.file_stem().unwrap() == "fish-credit").expect("the command");
    let server = routes::server();
    let run = |arguments: &[&str]| {
        let output =
            c::under_runner(command).args(arguments).env("FISH_API_KEY", "secret-1").output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace("\r\n", "\n");
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let version = env!("CARGO_PKG_VERSION");
    // What runs it may have something to say on standard error.
    let (status, shown, _) = run(&["--version"]);
    assert_eq!((status, shown), (Some(0), format!("fish-credit {version}, library {version}\n")));
    let (status, shown, said) = run(&["--base-url", &format!("{}/ok", server.url())]);
    assert!(status == Some(0) && shown.contains("12.345678"), "{status:?} {shown} {said}");
    let (status, shown, said) = run(&["--base-url", &format!("{}/401", server.url())]);
    assert!(
        status == Some(1) && shown.is_empty() && said.contains("FISH_UNAUTHORIZED: "),
        "{status:?} {shown} {said}"
    );
}

#[test]
fn the_portable_programs_pass() {
    let Some(compiler) = compiler() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let server = routes::server();
    for (name, source) in programs("tests/c/portable") {
        for library in BOTH {
            let program = scratch.path().join(format!("{name}-{library:?}.exe"));
            let program = compiler.compile(program, &[&source], library, &WARNINGS);
            let printed = c::run(c::under_runner(&program).arg(server.url()));
            assert_eq!(printed.trim_end(), "0 failures", "{name}");
        }
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
