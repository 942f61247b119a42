//! What a static link needs beside the library is what rustc says, no more and no less.

#![allow(missing_docs)]

use std::path::Path;
use std::process::Command;

/// The table's line for a target; `None` if it has none.
fn listed(target: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/native-static-libs.txt");
    let table = std::fs::read_to_string(path).unwrap();
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    let mut found = lines.filter_map(|line| line.split_once(' ')).filter(|(end, _)| target.ends_with(end));
    let (_, libraries) = found.next()?;
    assert!(found.next().is_none(), "{target} is listed twice");
    Some(libraries.trim().to_owned())
}

#[test]
fn the_table_says_what_rustc_says() {
    let cargo = env!("CARGO");
    let about = Command::new("rustc").arg("-vV").output().unwrap();
    let about = String::from_utf8(about.stdout).unwrap();
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let output = Command::new(cargo)
        .args(["rustc", "--locked", "--package", "fish-api-credit-capi", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        // A folder of its own: in the one that this test was built in, each would undo the other's build.
        .arg("--target-dir")
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("static-libs"))
        .args(["--", "--print", "native-static-libs"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let said = said.split("native-static-libs: ").nth(1).unwrap().lines().next().unwrap();
    assert_eq!(listed(host).as_deref(), Some(said), "{host}");
}
