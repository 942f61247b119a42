//! The command in other languages: its --help, from the C program's.

use super::super::generate::COMMAND;
use super::*;

const PROGRAM: &str = "examples/c/fish-credit.c";

pub fn files() -> Vec<File> {
    let help = help(&committed(PROGRAM));
    assert!(!help.contains(['`', '\\', '$']) && !help.contains("\"\"\""), "quote it in the files below");
    let about = format!("generated from {PROGRAM} by `{COMMAND}`");
    vec![
        File {
            path: "examples/go/fishcredit/cmd/fish-credit/help_generated.go",
            text: format!("// Code {about}. DO NOT EDIT.\n\npackage main\n\nconst help = `{help}`\n"),
        },
        File {
            path: "examples/node/lib/command/help.js",
            text: format!("'use strict';\n\n// What --help prints: {about}\n\nmodule.exports = `{help}`;\n"),
        },
        File {
            path: "examples/swift/Sources/fish-credit/Help.swift",
            text: format!("// What --help prints: {about}\n\nlet help = \"\"\"\n{help}\n\"\"\"\n"),
        },
    ]
}

/// The text of `static const char HELP[]`.
fn help(program: &str) -> String {
    let (_, rest) = program.split_once("\nstatic const char HELP[] =\n").expect("HELP");
    let (literals, _) = rest.split_once(";\n").expect("its end");
    let lines = literals.lines().map(|line| {
        let line = line.trim().strip_prefix('"').and_then(|line| line.strip_suffix("\\n\"")).expect("a line");
        assert!(!line.contains(['\\', '"']), "{line}");
        format!("{line}\n")
    });
    lines.collect()
}
