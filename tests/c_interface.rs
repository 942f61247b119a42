//! The C interface, called from C: the programs of tests/c, linked with the shared and with the static library, run
//! against the scripted server. They print what they tried, which is compared with the header, so that nothing that is
//! added to it stays untested.

mod support;

use std::collections::BTreeSet;
use std::path::PathBuf;

use support::c::{self, Library};
use support::header::{Header, Struct};
use support::routes;

/// Compiles and runs a program of tests/c with both libraries; gives what each printed.
fn run(name: &str) -> Vec<String> {
    let server = routes::server();
    let source = c::root().join("tests/c").join(name).with_extension("c");
    [Library::Shared, Library::Static]
        .map(|library| {
            let scratch = tempfile::tempdir().unwrap();
            let program = c::compile(&[&source], library, &[], scratch.path());
            let printed = c::run(c::command(&program).arg(server.url()));
            assert!(!printed.trim().is_empty(), "{name} says what it checked");
            printed
        })
        .into()
}

fn words<'a>(printed: &'a str, first: &str) -> BTreeSet<&'a str> {
    printed.lines().filter_map(|line| line.strip_prefix(first)?.strip_prefix(' ')).collect()
}

#[test]
fn every_function_survives_null_in_every_pointer() {
    let header = Header::committed();
    let expected: BTreeSet<_> =
        header.functions.iter().map(|one| format!("{} {}", one.name, 1 << one.pointers())).collect();
    for printed in run("nulls") {
        assert_eq!(printed.lines().map(str::to_owned).collect::<BTreeSet<_>>(), expected);
    }
}

/// The structs that are passed in, by the name that the program gives them.
fn passed_in(header: &Header) -> impl Iterator<Item = (&'static str, &Struct)> {
    let all = [
        ("options", "fish_client_options"),
        ("query", "fish_api_credit_query"),
        ("watch", "fish_watch_options"),
    ];
    let by_name = |name: &str| header.structs.iter().find(|one| one.name == name).expect("a struct");
    // No function takes a struct to read that is not one of these.
    for (kind, _) in header.functions.iter().flat_map(|one| &one.parameters) {
        let read = kind.strip_prefix("const ").and_then(|kind| kind.strip_suffix(" *"));
        let read = read.filter(|name| header.structs.iter().any(|one| one.name == *name));
        assert!(read.is_none_or(|name| all.iter().any(|one| one.1 == name)), "{kind}");
    }
    all.into_iter().map(move |(short, name)| (short, by_name(name)))
}

#[test]
fn invalid_values_are_refused_by_name() {
    let header = Header::committed();
    let (mut texts, mut reserved) = (BTreeSet::new(), BTreeSet::new());
    for (short, one) in passed_in(&header) {
        for field in &one.fields {
            if field.kind == "const char *" {
                texts.insert(format!("{short}.{}", field.name));
            }
            if let Some(length) = field.kind.strip_prefix("uint64_t[") {
                assert_eq!(field.name, "reserved");
                reserved.insert(format!("{short}.reserved {}", length.trim_end_matches(']')));
            }
        }
    }
    for printed in run("refusals") {
        assert_eq!(words(&printed, "text"), texts.iter().map(String::as_str).collect());
        assert_eq!(words(&printed, "reserved"), reserved.iter().map(String::as_str).collect());
        let statuses = header.enums.iter().find(|one| one.name == "fish_status_code").unwrap().values.len();
        assert!(printed.contains(&format!("numbers\nflag\nstatuses {statuses}\n")), "{printed}");
    }
}

#[test]
fn stale_contents_and_second_frees_are_harmless() {
    run("memory");
}

#[test]
fn every_field_that_comes_back_is_right() {
    let header = Header::committed();
    for printed in run("fields") {
        let tried = |struct_name: &str, prefix: &str| {
            let fields = &header.structs.iter().find(|one| one.name == struct_name).unwrap().fields;
            for field in fields {
                let own = ["owner", "reserved", "field_error_count"].contains(&field.name.as_str());
                let line = format!("{prefix}.{}", field.name);
                assert!(own || printed.contains(&line), "{line} was not printed:\n{printed}");
            }
        };
        tried("fish_api_credit", "full");
        tried("fish_api_credit", "bare");
        tried("fish_error", "422");
    }
}

#[test]
fn threads_share_a_client_and_are_cancelled_together() {
    run("threads");
}

#[test]
fn every_program_is_run() {
    let folder = std::fs::read_dir(c::root().join("tests/c")).unwrap();
    let programs = folder.filter_map(|entry| entry.unwrap().file_name().into_string().ok());
    for name in programs.filter_map(|name| Some(name.strip_suffix(".c")?.to_owned())) {
        let called = format!("run({name:?})");
        let tests = std::fs::read_dir(c::root().join("tests")).unwrap();
        let mut sources = tests.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
        let is_run = |path: PathBuf| {
            let text = std::fs::read_to_string(path).unwrap();
            text.contains(&called) || text.contains(&format!("tests/c/{name}.c"))
        };
        assert!(sources.any(is_run), "no test runs tests/c/{name}.c");
    }
}
