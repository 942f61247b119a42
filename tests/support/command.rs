//! The text of the command's --help, from the C program, where it stands by hand.

use super::c::read;

pub fn help() -> String {
    let program = read("examples/c/fish-credit.c");
    let (_, rest) = program.split_once("\nstatic const char HELP[] =\n").expect("HELP");
    let (literals, _) = rest.split_once(";\n").expect("its end");
    let lines = literals.lines().map(|line| {
        let line = line.trim().strip_prefix('"').and_then(|line| line.strip_suffix("\\n\"")).expect("a line");
        assert!(!line.contains(['\\', '"']), "{line}");
        format!("{line}\n")
    });
    lines.collect()
}
