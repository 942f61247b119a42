//! What a real-time thread is promised: cancelling allocates nothing, not even on the thread's first call.

#![cfg(target_os = "linux")]

mod support;

use std::path::Path;

use support::c;

#[test]
fn cancelling_from_a_fresh_thread_allocates_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let program = scratch.path().join("realtime");
    let mut compiler = c::command("cc");
    compiler.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-pthread", "-fno-builtin", "-I"]);
    compiler.arg(c::root().join("include")).arg(c::root().join("tests/host/realtime.c"));
    c::stdout(&compiler.arg("-o").arg(&program).arg("-ldl").output().unwrap());
    let library = c::library_folder(scratch.path()).join(Path::new("libfish_api_credit.so"));
    let printed = c::stdout(&c::command(&program).arg(library).output().unwrap());
    assert_eq!(printed, "a careless thread allocates 1\na cancelling thread allocates 0\n");
}
