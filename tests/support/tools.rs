//! The tools that a test runs beside the compiler, if the machine has them. The one rule for skipping: what cannot be
//! tested is named on the terminal, and where FISH_CI is set it is a failure.

use std::io::Write;
use std::path::PathBuf;

/// Where a command is, by PATH.
pub fn found(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Whether the machine has this tool; a skip, if not.
pub fn have(tool: &str) -> bool {
    or_skipped(found(tool).is_some(), tool)
}

/// Whether there is what a test needs; a skip, if not.
pub fn or_skipped(there_is: bool, what: &str) -> bool {
    if !there_is {
        skipped(&format!("no {what}"));
    }
    there_is
}

/// Says why something is not tested.
pub fn skipped(why: &str) {
    skipped_unless("FISH_CI", why);
}

/// As `skipped`, for what another variable than FISH_CI promises.
pub fn skipped_unless(variable: &str, why: &str) {
    assert!(std::env::var_os(variable).is_none(), "{variable} is set, but: {why}");
    // Not by println, which the test harness keeps from the terminal.
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

pub fn in_ci() -> bool {
    std::env::var_os("FISH_CI").is_some()
}
