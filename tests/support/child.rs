//! A test whose body runs in a process of its own: the test's binary, started again for that one test, with
//! another environment, another limit or a library preloaded.

use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::c;

const MARK: &str = "FISH_TEST_CHILD";
/// Far above what any of them takes: one that hangs is ended.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs `body`, a closure of the calling test, in a new process, and fails as it fails.
pub fn alone(body: impl FnOnce()) {
    prepared(&[], |_| {}, body);
}

/// As `alone`, with these of tests/preload in front of the C library.
pub fn preloading(libraries: &[&str], body: impl FnOnce()) {
    prepared(libraries, |_| {}, body);
}

/// As `preloading`; `prepare` sees the command before it starts.
pub fn prepared<F: FnOnce()>(libraries: &[&str], prepare: impl FnOnce(&mut Command), body: F) {
    // The closure's type is named after the test: "binary::test::{{closure}}".
    let path = std::any::type_name::<F>().trim_end_matches("::{{closure}}");
    let (_, test) = path.split_once("::").expect("a closure of a test");
    if std::env::var(MARK).is_ok_and(|name| name == test) {
        return body();
    }
    let mut command = c::command(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(MARK, test);
    let scratch = tempfile::tempdir().unwrap();
    let libraries: Vec<_> = libraries.iter().map(|name| c::preload(name, scratch.path())).collect();
    command.env("LD_PRELOAD", std::env::join_paths(libraries).unwrap());
    prepare(&mut command);
    let said = c::stdout(&run(command, PATIENCE));
    assert!(said.contains("test result: ok. 1 passed"), "{test} names no test:\n{said}");
    // What a child has to say, its parent passes on.
    for (_, line) in said.lines().filter_map(|line| line.split_once("note: ")) {
        super::note(line);
    }
}

/// Runs `body` in a forked child, and fails if it does.
#[cfg(unix)]
pub fn forked(body: impl FnOnce()) {
    // SAFETY: the child is a copy of this thread alone; it runs `body`, which the test answers for, and ends.
    let id = unsafe { libc::fork() };
    assert!(id >= 0);
    if id == 0 {
        // SAFETY: ends the child if it hangs.
        unsafe { libc::alarm(PATIENCE.as_secs() as u32 / 2) };
        let fine = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).is_ok();
        // SAFETY: no destructor of its parent's runs here.
        unsafe { libc::_exit(i32::from(!fine)) };
    }
    let mut status = -1;
    // SAFETY: our own child.
    unsafe { assert_eq!(libc::waitpid(id, &mut status, 0), id) };
    assert_eq!(status, 0, "what the child did not find so stands above");
}

/// Whether this is such a process. What its parent starts for it (a server that must outlive its descriptors) it
/// does not start again.
pub fn is_one() -> bool {
    std::env::var_os(MARK).is_some()
}

/// A function of a preloaded library.
#[cfg(target_os = "linux")]
pub fn preloaded(name: &std::ffi::CStr) -> *mut std::ffi::c_void {
    // SAFETY: it only looks a name up.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    assert!(!found.is_null(), "no library with {name:?} was preloaded");
    found
}

/// Sends a signal to a child that has not been waited for.
pub fn signal(child: &Child, signal: libc::c_int) {
    // SAFETY: nobody has waited for it, so its id is still its own.
    assert_eq!(unsafe { libc::kill(child.id() as libc::pid_t, signal) }, 0);
}

/// Runs a command to its end, or ends it after `limit`.
pub fn run(mut command: Command, limit: Duration) -> Output {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let id = child.id();
    let (done, waits) = channel();
    let guard = thread::spawn(move || {
        if waits.recv_timeout(limit).is_err() {
            // SAFETY: our own child, which nobody has waited for yet, so that its id is still its own.
            unsafe { libc::kill(id as libc::pid_t, libc::SIGKILL) };
        }
    });
    let output = child.wait_with_output().unwrap();
    let _ = done.send(());
    guard.join().unwrap();
    output
}
