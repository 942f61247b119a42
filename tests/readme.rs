//! README.md, taken at its word: its C is compiled and run, its commands are run, its output is what is printed,
//! its tables name what the header has, and its links lead somewhere.

#[path = "../examples/quickstart/sandbox.rs"]
mod sandbox;
mod support;

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use support::c::{self, Link};

const KEY: &str = "sk-readme-0123456789abcdef";

fn read(path: &str) -> String {
    std::fs::read_to_string(c::root().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

/// The fenced blocks of README.md in one language, without their fences.
fn blocks(language: &str) -> Vec<String> {
    let readme = read("README.md");
    let open = format!("```{language}\n");
    let blocks: Vec<String> = readme
        .split(&open)
        .skip(1)
        .map(|rest| rest.split_once("```\n").expect("a fence is closed").0.to_owned())
        .collect();
    assert!(!blocks.is_empty(), "README.md has no {language}");
    blocks
}

/// Stands between a program of README.md, which asks the service, and the library: it asks the sandbox instead.
const REDIRECT: &str = r#"
#include "fish_api_credit.h"
#include <stdlib.h>

fish_status sandboxed_client_new(const fish_client_options *given, fish_client **client, fish_error *error) {
  fish_client_options options = {0};
  if (given) options = *given;
  options.base_url = getenv("FISH_SANDBOX");
  if (!options.base_url) abort();
  return fish_client_new(&options, client, error);
}
"#;
const REDIRECTED: &str = "-Dfish_client_new=sandboxed_client_new";

/// The redirection, compiled.
fn redirect(scratch: &Path) -> PathBuf {
    let source = scratch.join("redirect.c");
    let object = scratch.join("redirect.o");
    std::fs::write(&source, REDIRECT).unwrap();
    c::build(&object, &[&source], Link::Shared, &["-c"], scratch).unwrap();
    object
}

/// A whole program stays as it is; a piece of one becomes the body of a function that has what it names.
fn whole(snippet: &str) -> String {
    if snippet.contains("int main") {
        return snippet.to_owned();
    }
    let piece = snippet.replace('\n', "\n  ");
    format!(
        "#include <stdio.h>\n#include \"fish_api_credit.h\"\n\nint main(void) {{\n  fish_client *client;\n  \
         fish_api_credit credit;\n  fish_error error;\n  {piece}\n  \
         printf(\"API credit: %s\\n\", status == FISH_OK ? credit.credit : error.message);\n  \
         fish_api_credit_free(&credit);\n  fish_error_free(&error);\n  fish_client_free(client);\n}}\n"
    )
}

#[test]
fn every_c_snippet_compiles_without_a_warning_and_reads_a_credit() {
    let sandbox = sandbox::start(KEY);
    let scratch = tempfile::tempdir().unwrap();
    let object = redirect(scratch.path());
    for (number, snippet) in blocks("c").iter().enumerate() {
        let source = scratch.path().join(format!("snippet{number}.c"));
        std::fs::write(&source, whole(snippet)).unwrap();
        for link in [Link::Shared, Link::Static] {
            let program = c::compile(&[&source, &object], link, &[REDIRECTED], scratch.path());
            let mut command = c::command(program);
            command.env("FISH_SANDBOX", sandbox.url()).env("FISH_API_KEY", KEY);
            assert_eq!(c::stdout(&command.output().unwrap()), "API credit: 12.345678\n", "{snippet}");
            if snippet.contains("int main") {
                let refused = command.env("FISH_API_KEY", "another").output().unwrap();
                let said = String::from_utf8(refused.stderr).unwrap();
                assert!(said.starts_with("FISH_UNAUTHORIZED: The server refused the API key"), "{said}");
            }
        }
    }
    assert!(
        sandbox.requests().iter().any(|head| head.starts_with(b"GET /wallet/self/api-credit?check_free"))
    );
}

fn script(path: &Path, lines: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{lines}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs each block as it stands, in a copy of the project's layout. Two commands are met by stand-ins: `cargo`,
/// which has just built what is asked for (this test is part of `cargo test`), and `cc`, which is the real one but
/// lets the program ask the sandbox.
#[test]
#[cfg(target_os = "linux")]
fn every_command_does_what_it_says() {
    let sandbox = sandbox::start(KEY);
    let scratch = tempfile::tempdir().unwrap();
    let object = redirect(scratch.path());
    let project = scratch.path().join("project");
    for folder in ["include", "examples"] {
        c::alias(&c::root().join(folder), &project.join(folder));
    }
    for library in ["libfish_api_credit.so", "libfish_api_credit.a"] {
        c::alias(&c::built().join(library), &project.join("target/release").join(library));
    }
    let bin = scratch.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let asked = scratch.path().join("asked-of-cargo");
    let quickstart = c::built().with_file_name("examples").join("quickstart");
    assert!(
        quickstart.exists(),
        "the quickstart is built: run `cargo test`, or `cargo build --examples` first"
    );
    script(
        &bin.join("cargo"),
        &format!(
            "echo \"cargo $*\" >>'{}'\ncase \"$*\" in\n'run --example quickstart') exec '{}' ;;\n\
             'build --release' | test) ;;\n*) exit 64 ;;\nesac",
            asked.display(),
            quickstart.display()
        ),
    );
    // By its path: the stand-in is found first under its name.
    let compiler = c::compiler();
    let (name, arguments) = compiler.split_once(' ').unwrap_or((&compiler, ""));
    let compiler = format!("{} {arguments}", found(name).display());
    script(&bin.join("cc"), &format!("exec {compiler} {REDIRECTED} '{}' \"$@\"", object.display()));

    let mut printed = String::new();
    for block in blocks("sh") {
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let mut command = c::command("sh");
        command.args(["-eu", "-c", &block]).current_dir(&project).env("PATH", path);
        command.env("CC", &compiler);
        // The quickstart's block is for those without a key.
        if block.contains("cc ") {
            command.env("FISH_API_KEY", KEY).env("FISH_SANDBOX", sandbox.url());
        }
        printed += &c::stdout(&command.output().unwrap());
    }
    assert!(printed.contains("It asks the sandbox"), "{printed}");
    assert!(printed.contains("Free credit left   yes\n"), "{printed}");
    assert!(printed.ends_with(&sandbox::document(false)), "{printed}");
    assert_eq!(
        std::fs::read_to_string(asked).unwrap(),
        "cargo run --example quickstart\ncargo test\ncargo build --release\n"
    );
    let run = read(".ci/run");
    for command in ["cargo run --example quickstart", "cargo test"] {
        assert!(run.contains(command), ".ci/run does not run {command}");
    }
}

/// Where a command is, with the tester's PATH.
fn found(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.exists()).expect(name)
}

#[test]
fn the_output_is_what_the_quickstart_prints() {
    let program = c::built().with_file_name("examples").join("quickstart");
    let output = c::command(program).current_dir(c::root()).env_remove("CC").output().unwrap();
    // The folder depends on the profile.
    let folder = c::built().with_file_name("quickstart");
    let folder = folder.strip_prefix(c::root()).unwrap_or(&folder).display().to_string();
    assert_eq!(c::stdout(&output).replace(&folder, "target/debug/quickstart"), blocks("text")[0]);
}

#[test]
fn the_tables_name_all_that_the_header_has() {
    let (readme, header) = (read("README.md"), read("include/fish_api_credit.h"));
    let table_after = |title: &str| {
        let rest = readme.split_once(title).unwrap_or_else(|| panic!("README.md has no {title:?}")).1;
        let table = rest.split_once("|---|").unwrap().1;
        table.lines().skip(1).take_while(|line| line.starts_with('|')).collect::<Vec<_>>()
    };
    let quoted =
        |cell: &str| -> BTreeSet<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let first = |row: &&str| row.split('|').nth(1).unwrap().to_owned();

    let statuses: Vec<(String, String)> = header
        .lines()
        .skip_while(|line| !line.starts_with("#define FISH_OK "))
        .filter_map(|line| line.strip_prefix("#define FISH_")?.split_once(' '))
        .take_while(|(name, _)| !name.starts_with("TLS_ROOTS"))
        .map(|(name, number)| (format!("`FISH_{name}`"), number.to_owned()))
        .collect();
    let rows: Vec<(String, String)> = table_after("### When it fails")
        .iter()
        .map(|row| row.split('|').map(str::trim).collect::<Vec<_>>())
        .map(|cells| (cells[1].to_owned(), cells[2].to_owned()))
        .collect();
    assert_eq!(statuses.len(), 21);
    assert_eq!(rows, statuses);

    for (structure, named) in [
        ("fish_api_credit", table_after("### What comes back").iter().map(first).collect::<String>()),
        ("fish_client_options", table_after("| `fish_client_options` |").iter().map(first).collect()),
        ("fish_api_credit_query", table_after("| `fish_api_credit_query` |").iter().map(first).collect()),
        (
            "fish_error",
            readme.split("### When it fails").nth(1).unwrap().split("| status").next().unwrap().into(),
        ),
    ] {
        let missing: Vec<String> = fields(&header, structure).difference(&quoted(&named)).cloned().collect();
        assert!(missing.is_empty(), "README.md does not name {missing:?} of {structure}");
    }
}

/// The fields of a struct in the header, without those that are the library's own.
fn fields(header: &str, structure: &str) -> BTreeSet<String> {
    let body = header.split(&format!("struct {structure} {{\n")).nth(1).unwrap().split("\n}").next().unwrap();
    let fields: BTreeSet<String> = body
        .lines()
        .filter_map(|line| line.strip_suffix(';'))
        .map(|line| line.rsplit([' ', '*']).next().unwrap().split('[').next().unwrap().to_owned())
        .filter(|name| !["owner", "reserved"].contains(&name.as_str()))
        .collect();
    assert!(fields.len() > 4, "{structure}: {fields:?}");
    fields
}

#[test]
fn every_link_leads_somewhere() {
    let readme = read("README.md");
    let targets: Vec<&str> =
        readme.split("](").skip(1).map(|rest| rest.split_once(')').expect("a link is closed").0).collect();
    let dead: Vec<&&str> = targets
        .iter()
        .filter(|target| !target.starts_with("https://") && !c::root().join(target).exists())
        .collect();
    assert!(targets.len() > 10 && dead.is_empty(), "README.md links to {dead:?}, which are not there");
}
