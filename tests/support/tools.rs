//! The tools that a test runs beside the compiler: those of the machine, if it has them.

use std::process::Command;

/// Whether the machine has this tool. Without it a test says so and passes; where FISH_CI is set, it fails.
pub fn have(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        skipped(&format!("no {tool}"));
    }
    found
}

/// Says why something was not tested. Where FISH_CI is set, everything is to be tested.
pub fn skipped(why: &str) {
    assert!(!in_ci(), "FISH_CI is set, but: {why}");
    println!("skipped: {why}");
}

pub fn in_ci() -> bool {
    std::env::var_os("FISH_CI").is_some()
}
