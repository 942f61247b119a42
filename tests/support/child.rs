//! A test whose body runs in a process of its own: the test's binary, started again for that one test, with
//! another environment, another limit or a library preloaded.

use std::process::Command;

use super::c;

const MARK: &str = "FISH_TEST_CHILD";

/// Runs `body` in a new process, and fails as it fails. `test` is the calling test's name; `prepare` sees the
/// command before it starts.
pub fn alone(test: &str, prepare: impl FnOnce(&mut Command), body: impl FnOnce()) {
    if std::env::var(MARK).is_ok_and(|name| name == test) {
        return body();
    }
    let mut command = c::command(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(MARK, test);
    prepare(&mut command);
    let output = command.output().unwrap();
    let said = c::stdout(&output);
    assert!(said.contains("test result: ok. 1 passed"), "{test} names no test:\n{said}");
    // What a child has to say, its parent passes on.
    for line in said.lines().filter(|line| line.starts_with("note: ")) {
        println!("{line}");
    }
}
