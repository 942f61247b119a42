//! Compiles `examples/c/fish-credit.c` against the header and the shared library that cargo just built, and runs it
//! with this program's arguments. With FISH_API_KEY set it calls the service, otherwise a sandbox inside this program.
//! To see the balance decrease, make each response of the sandbox cost something:
//!
//! FISH_SANDBOX_SPEND=2.5 cargo run --example quickstart -- --watch --interval 1 --low 5

mod sandbox;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use support::c::{self, Compiler, Library};

const KEY_VARIABLE: &str = "FISH_API_KEY";
const SPEND_VARIABLE: &str = "FISH_SANDBOX_SPEND";

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(why) => {
            eprintln!("quickstart: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode, String> {
    let program = compile()?;
    let name = shown(&program);
    println!(
        "{name} is examples/c/fish-credit.c, compiled with {} and linked to this library.",
        Compiler::c().command
    );

    let has_key = std::env::var_os(KEY_VARIABLE).is_some_and(|key| !key.is_empty());
    // Lives until the program has ended.
    let sandbox = match std::env::var(SPEND_VARIABLE) {
        _ if has_key => None,
        Err(_) => Some(sandbox::start("sandbox-key")),
        Ok(amount) => Some(sandbox::spending("sandbox-key", &amount).ok_or_else(|| {
            format!("{SPEND_VARIABLE} is not an amount such as 0.5, with at most six decimals.")
        })?),
    };
    let mut command = match &sandbox {
        None => {
            println!("It calls the service, https://api.fish.audio, with the key in {KEY_VARIABLE}:\n");
            Command::new(&program)
        }
        Some(server) => {
            println!(
                "It calls the sandbox, a stand-in for the service inside this example, so the numbers are made up.\n\
                 Set {KEY_VARIABLE} to call the service:\n"
            );
            let mut command = c::command(&program);
            command.env(KEY_VARIABLE, "sandbox-key").args(["--base-url", &server.url()]);
            command
        }
    };
    let mut arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if arguments.is_empty() {
        arguments.push("--check-free-credit".into());
    }
    let status = command.args(arguments).status().map_err(|why| format!("{name}: {why}."))?;
    match status.code() {
        Some(0) => println!("\nThe program stays: try {name} --help"),
        Some(_) => {}
        None => return Err(format!("{name} ended early: {status}.")),
    }
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

/// Compiles the program into its own folder in cargo's target directory.
fn compile() -> Result<PathBuf, String> {
    let folder = c::built().with_file_name("quickstart");
    std::fs::create_dir_all(&folder).map_err(|why| format!("{}: {why}.", folder.display()))?;
    let program = folder.join("fish-credit").with_extension(std::env::consts::EXE_EXTENSION);
    // Another quickstart may be running the old program, so replace the file rather than overwrite it.
    let fresh = folder.join(format!("fish-credit-{}", std::process::id()));
    Compiler::c().build(
        &fresh,
        &[&c::root().join("examples/c/fish-credit.c")],
        Library::Shared,
        &["-Wall"],
    )?;
    std::fs::rename(&fresh, &program).map_err(|why| format!("{}: {why}.", program.display()))?;
    Ok(program)
}

/// A path relative to the current directory.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}
