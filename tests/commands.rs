//! One command, the same everywhere: a table of command lines, run by the C program and by the command of each
//! language's package. All print the same bytes and end with the same status. An exception stands with its program, with
//! the reason. A program that this machine cannot run is a skip, which is a failure when FISH_CI is set.
//!
//! `FISH_CASE=words cargo test --test commands` runs the cases whose names have these words.

#![cfg(target_os = "linux")]

#[path = "commands/case.rs"]
mod case;
mod support;
#[path = "commands/table.rs"]
mod table;

use std::ffi::OsString;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use case::{Case, Program};
use support::packages::{command, have_go, node_package, runs, succeeds};
use support::{c, credit, tools};

/// Most of a case is waiting.
const AT_ONCE: usize = 4;

/// Runs the table with a program, and tells all that differs.
fn agrees(program: &Program) {
    let wanted = std::env::var("FISH_CASE").unwrap_or_default();
    let table = table::all();
    let excepted = |case: &Case| program.exceptions.iter().any(|(name, _)| *name == case.name);
    for (name, why) in program.exceptions {
        assert!(table.iter().any(|case| case.name == *name), "{}: no case is called {name:?}", program.name);
        support::note(format_args!("{} does not agree in {name:?}: {why}", program.name));
    }
    let cases: Vec<&Case> =
        table.iter().filter(|case| !excepted(case) && case.name.contains(&wanted)).collect();
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let failed = (0..case.tries).map_while(|_| case.run(program).err());
                    let mut failed: Vec<String> = failed.collect();
                    if failed.len() == case.tries {
                        wrong.lock().unwrap().extend(failed.pop());
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {} cases differ:\n\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    support::note(format_args!("{}: {} command lines", program.name, cases.len()));
}

/// How a command of another language finds this library.
fn library() -> Vec<(&'static str, OsString)> {
    let folder = c::library_folder();
    vec![
        ("FISH_API_CREDIT_LIBRARY", folder.join("libfish_api_credit.so").into()),
        ("LD_LIBRARY_PATH", folder.into()),
    ]
}

#[test]
fn c() {
    if c::have_compiler() {
        agrees(&Program {
            name: "C",
            start: vec![credit::program().into()],
            variables: Vec::new(),
            exceptions: &[],
        });
    }
}

#[test]
fn python() {
    // Its own path: what stands first may be a script that takes as long as the command.
    let name = std::env::var_os("FISH_PYTHON").unwrap_or("python3".into());
    let path = Command::new(name).args(["-c", "import sys; print(sys.executable)"]).output().ok();
    let path = path.filter(|output| output.status.success());
    if tools::or_skipped(path.is_some(), "python3") {
        let path = String::from_utf8(path.unwrap().stdout).unwrap();
        let mut variables = library();
        variables.push(("PYTHONPATH", c::root().join("examples/python").into()));
        variables.push(("PYTHONDONTWRITEBYTECODE", "1".into()));
        let start = vec![path.trim_end().into(), "-m".into(), "fish_api_credit".into()];
        agrees(&Program { name: "Python", start, variables, exceptions: &[] });
    }
}

/// Node, and a Go from 1.21 on, put /dev/null in place of an output that is closed when they start.
const CLOSED: &str = "the language's runtime has opened /dev/null in its place";
const CLOSED_OUTPUTS: &[(&str, &str)] = &[
    ("a closed output [\"--help\"]", CLOSED),
    ("a closed output [\"--version\"]", CLOSED),
    ("a closed output []", CLOSED),
    ("a closed output [\"--json\"]", CLOSED),
    ("a closed output [\"--prometheus\"]", CLOSED),
    ("a closed output [\"--watch\"]", CLOSED),
    ("a closed output [\"--watch\", \"--json\"]", CLOSED),
    ("a closed output [\"--low\", \"20\"]", CLOSED),
    ("a watch with nothing to print to", CLOSED),
    ("a watch with nothing to print to, that fails", CLOSED),
];

#[test]
fn go() {
    if !have_go() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("fish-credit");
    let mut build = command("go");
    build.current_dir(c::root().join("examples/go/fishcredit")).args(["build", "-o"]).arg(&program);
    succeeds(build.arg("./cmd/fish-credit"));
    agrees(&Program {
        name: "Go",
        start: vec![program.into()],
        variables: library(),
        exceptions: CLOSED_OUTPUTS,
    });
}

#[test]
fn node() {
    let folder = tempfile::tempdir().unwrap();
    if let Some(package) = node_package(folder.path()) {
        let start = vec!["node".into(), package.join("bin/fish-credit.js").into()];
        agrees(&Program { name: "Node", start, variables: library(), exceptions: CLOSED_OUTPUTS });
    }
}

/// In a tree of Debian 13: .ci/trixie.sh.
#[test]
fn swift() {
    if !runs("swift", &["--version"]) {
        return tools::skipped_unless("FISH_TRIXIE", "no swift");
    }
    let folder = tempfile::tempdir().unwrap();
    let mut build = command("swift");
    build.args(["build", "--product", "fish-credit"]);
    build.arg("--package-path").arg(c::root().join("examples/swift"));
    succeeds(build.arg("--scratch-path").arg(folder.path()));
    let start = vec![folder.path().join("debug/fish-credit").into()];
    agrees(&Program { name: "Swift", start, variables: library(), exceptions: &[] });
}
