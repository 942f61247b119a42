//! The shared library as it is released: what it exports, its name, and what it needs.

#![cfg(target_os = "linux")]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use support::c;
use support::header::Header;
use support::tools::in_ci;

fn tool(name: &str, arguments: &[&str], file: &Path) -> String {
    c::run(c::command(name).args(arguments).arg(file))
}

/// The release library under FISH_CI, where there is time to build it; else the one just built.
fn library() -> PathBuf {
    if !in_ci() {
        support::note("the debug library (the release library where FISH_CI is set)");
        return c::built().join("libfish_api_credit.so");
    }
    c::release().join("libfish_api_credit.so")
}

#[test]
fn the_library_exports_the_functions_of_the_header_and_nothing_else() {
    let symbols = tool("nm", &["-D", "--defined-only"], &library());
    let exported: Vec<_> = symbols.lines().map(|line| line.split(' ').skip(1).collect::<Vec<_>>()).collect();
    assert!(exported.iter().all(|one| one[0] == "T"), "{exported:?}");
    let exported: BTreeSet<_> = exported.iter().map(|one| one[1].to_owned()).collect();
    let header = Header::committed();
    let declared: BTreeSet<_> = header.functions.iter().map(|one| one.name.clone()).collect();
    assert_eq!(exported, declared);
}

#[test]
fn the_library_has_its_name_stays_loaded_and_needs_nothing_but_the_c_runtime() {
    let dynamic = tool("readelf", &["-dW"], &library());
    let values = |tag: &str| -> Vec<String> {
        let lines = dynamic.lines().filter(|line| line.contains(tag));
        lines.map(|line| line.split(['[', ']']).nth(1).unwrap_or(line).to_owned()).collect()
    };
    assert_eq!(values("(SONAME)"), ["libfish_api_credit.so.0"]);
    assert!(values("(FLAGS_1)").iter().any(|flags| flags.contains("NODELETE")), "{dynamic}");
    assert_eq!(values("(TEXTREL)"), [""; 0]);
    assert_eq!(values("RPATH)"), [""; 0]);
    assert_eq!(values("RUNPATH)"), [""; 0]);
    for needed in values("(NEEDED)") {
        let runtime = ["libc.so.", "libgcc_s.so.", "libm.so.", "libpthread.so.", "libdl.so.", "ld-linux"];
        assert!(runtime.iter().any(|name| needed.starts_with(name)), "{needed}");
    }
    let segments = tool("readelf", &["-lW"], &library());
    let stack = segments.lines().find(|line| line.contains("GNU_STACK")).expect("GNU_STACK");
    assert!(!stack.contains("RWE"), "{stack}");
    assert!(segments.contains("GNU_RELRO"), "{segments}");
}
