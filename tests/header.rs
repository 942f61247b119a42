//! The header: it compiles alone and without a warning as every dialect of C and C++, and its comments say what a caller
//! must know. Its layout and its numbers are in tests/abi.rs.

mod support;

use std::path::Path;

use support::c::{self, Compiler, Library};
use support::header::{Constant, Header, TEXT};
use support::tools::have;

/// What a program may compile it as.
const DIALECTS: [(&str, &str, &[&str]); 4] = [
    ("gcc", "c", &["c99", "c11", "c17", "c2x"]),
    ("clang", "c", &["c99", "c11", "c17", "c2x"]),
    ("g++", "c++", &["c++11", "c++17"]),
    ("clang++", "c++", &["c++11", "c++17"]),
];

/// Compiles a text, or gives the compiler's words.
fn compiles(
    compiler: &str,
    language: &str,
    standard: &str,
    include: &Path,
    text: &str,
) -> Result<(), String> {
    let scratch = tempfile::tempdir().unwrap();
    let source = scratch.path().join("one.txt");
    std::fs::write(&source, text).unwrap();
    let standard = format!("-std={standard}");
    let mut flags = vec!["-c", "-x", language, &standard];
    flags.extend(["-Wall", "-Wextra", "-Wpedantic", "-Wundef", "-Wshadow", "-Werror"]);
    if language == "c" {
        flags.extend(["-Wstrict-prototypes", "-Wmissing-prototypes"]);
    }
    if compiler.starts_with("clang") {
        flags.push("-Wdocumentation");
    }
    let compiler = Compiler { include: include.to_owned(), ..Compiler::named(compiler) };
    compiler.build(&scratch.path().join("one.o"), &[&source], Library::None, &flags)
}

#[test]
fn the_header_compiles_alone_and_twice_without_a_warning() {
    let include = c::root().join("include");
    let mut checked = 0;
    for (compiler, language, standards) in DIALECTS.into_iter().filter(|one| have(one.0)) {
        for (case, text) in [
            ("alone", "#include \"fish_api_credit.h\"\nint main(void) { return 0; }\n"),
            (
                "twice, and used",
                "#include <fish_api_credit.h>\n#include <fish_api_credit.h>\n\
                 int main(void) { return (int)fish_abi_version() + FISH_OK; }\n",
            ),
        ] {
            for standard in standards {
                if let Err(why) = compiles(compiler, language, standard, &include, text) {
                    panic!("{compiler} -std={standard}, {case}:\n{why}");
                }
            }
        }
        checked += standards.len();
    }
    assert!(checked >= 4, "there is a C compiler where there is Rust");
    support::note(format_args!("{checked} dialects of C and C++"));
}

#[test]
fn the_compile_check_finds_faults() {
    let include = tempfile::tempdir().unwrap();
    for (case, find, put) in [
        ("no declaration of its own types", "#include <stdint.h>", ""),
        ("included twice", "#ifndef FISH_API_CREDIT_H", "#ifndef FISH_API_CREDIT_Q"),
        ("no prototype", "fish_version(void)", "fish_version()"),
        ("not closed", "#endif /* FISH_API_CREDIT_H */", ""),
    ] {
        assert!(TEXT.contains(find), "{case}");
        std::fs::write(include.path().join("fish_api_credit.h"), TEXT.replace(find, put)).unwrap();
        let text =
            "#include <fish_api_credit.h>\n#include <fish_api_credit.h>\nint main(void) { return 0; }\n";
        assert!(compiles("cc", "c", "c11", include.path(), text).is_err(), "{case}");
    }
}

#[test]
fn it_includes_three_headers_and_is_ascii() {
    assert_eq!(Header::committed().includes, ["<stdbool.h>", "<stddef.h>", "<stdint.h>"]);
    for (at, line) in TEXT.lines().enumerate() {
        assert!(line.bytes().all(|b| b == b' ' || b.is_ascii_graphic()), "line {}: {line}", at + 1);
        assert!(line.len() <= 115 && line.trim_end() == line, "line {}: {line}", at + 1);
    }
    assert!(TEXT.ends_with('\n'));
}

/// What is missing from the header's comments.
fn unsaid(header: &Header) -> Vec<String> {
    let mut unsaid = Vec::new();
    for function in &header.functions {
        let (name, comment) = (&function.name, function.comment.as_str());
        let lower = comment.to_lowercase();
        let mut ask = |said: bool, what: &str| {
            if !said {
                unsaid.push(format!("{name}: {what}"));
            }
        };
        ask(!comment.is_empty(), "a comment");
        ask(since(comment).is_some(), "since which version, as in `Since 0.1.0.`");
        ask(lower.contains("any thread"), "which threads may call");
        // Where there are several parameters, each has its own paragraph.
        let params: Vec<_> = comment.split("@param ").skip(1).collect();
        for (kind, parameter) in &function.parameters {
            let own = params.iter().find(|one| one.split(' ').next() == Some(parameter));
            if function.parameters.len() > 1 {
                ask(own.is_some(), &format!("@param {parameter}"));
            }
            if kind.ends_with('*') {
                let where_said = own.copied().unwrap_or(comment);
                ask(where_said.contains("NULL"), &format!("whether {parameter} may be NULL"));
            }
        }
        if function.returns == "fish_status" {
            ask(comment.contains("@return FISH_OK"), "what it returns");
        }
        let gives = function.returns.ends_with('*')
            || params.iter().any(|one| one.contains("Receives") || one.contains("Filled"));
        if gives {
            let owned =
                ["free it with", "release it with", "never freed"].iter().any(|by| lower.contains(by));
            ask(owned, "who frees what it gives");
        }
        if function.returns.ends_with('*') {
            ask(comment.contains("NULL"), "whether it can return NULL");
        }
    }
    let own = header.constants.iter().map(|one| (one.name.clone(), &one.comment));
    let own = own.chain(header.typedefs.iter().map(|one| (one.name.clone(), &one.comment)));
    let own = own.chain(header.enums.iter().map(|one| (one.name.clone(), &one.comment)));
    let own = own.chain(header.structs.iter().map(|one| (one.name.clone(), &one.comment)));
    let values = header.enums.iter().flat_map(|one| {
        one.values.iter().map(move |value| (format!("{}.{}", one.name, value.name), &value.comment))
    });
    let fields = header.structs.iter().flat_map(|one| {
        one.fields.iter().map(move |field| (format!("{}.{}", one.name, field.name), &field.comment))
    });
    for (name, comment) in own.chain(values).chain(fields) {
        if comment.is_empty() {
            unsaid.push(format!("{name}: a comment"));
        }
    }
    // A string that is given back is never NULL, or says when it is.
    for one in header.structs.iter().filter(|one| !one.name.ends_with("_options")) {
        for field in one.fields.iter().filter(|field| field.kind.ends_with('*') && field.name != "owner") {
            if !field.comment.contains("NULL") {
                unsaid.push(format!("{}.{}: whether it can be NULL", one.name, field.name));
            }
        }
    }
    unsaid
}

fn since(comment: &str) -> Option<&str> {
    let (_, after) = comment.rsplit_once("Since ")?;
    let version = after.trim_end().strip_suffix('.')?;
    (version.split('.').count() == 3 && version.split('.').all(|part| part.parse::<u32>().is_ok()))
        .then_some(version)
}

#[test]
fn every_comment_says_what_a_caller_must_know() {
    let header = Header::committed();
    assert_eq!(header.functions.len(), TEXT.matches(");\n").count(), "every function was read");
    assert_eq!(unsaid(&header), [""; 0]);
    // The test sees what is not said.
    for (find, put, missing) in [
        (
            " * Any thread. Since 0.1.0.\n */\nuint32_t",
            " * Any thread.\n */\nuint32_t",
            "fish_abi_version: since",
        ),
        (
            " * Any thread. Since 0.1.0.\n */\nuint32_t",
            " * Since 0.1.0.\n */\nuint32_t",
            "fish_abi_version: which th",
        ),
        (
            "@param error    Says why it failed. May be NULL.",
            "@param error    Why.",
            "fish_client_new: whether error",
        ),
        ("/** The account's id. Never NULL. */\n", "", "fish_api_credit.user_id: a comment"),
        ("The account's id. Never NULL.", "The account's id.", "fish_api_credit.user_id: whether"),
        ("/** Yes. */\n", "", "fish_tristate.FISH_TRUE: a comment"),
        ("/** Success. */\n", "", "fish_status_code.FISH_OK: a comment"),
        (
            "/** Trust the operating system's certificate authorities, including those that a company has added. */\n",
            "",
            "FISH_TLS_ROOTS_SYSTEM: a comment",
        ),
        ("Free it with fish_client_free. Not NULL.", "Not NULL.", "fish_client_new: who frees"),
    ] {
        assert!(TEXT.contains(find), "{find}");
        let found = unsaid(&Header::parse(&TEXT.replacen(find, put, 1)));
        assert!(found.iter().any(|one| one.starts_with(missing)), "{missing}: {found:?}");
    }
}

#[test]
fn its_versions_are_that_of_the_package() {
    let header = Header::committed();
    for (name, value) in [
        ("FISH_VERSION", concat!("\"", env!("CARGO_PKG_VERSION"), "\"")),
        ("FISH_VERSION_MAJOR", env!("CARGO_PKG_VERSION_MAJOR")),
        ("FISH_VERSION_MINOR", env!("CARGO_PKG_VERSION_MINOR")),
        ("FISH_VERSION_PATCH", env!("CARGO_PKG_VERSION_PATCH")),
        ("FISH_ABI_VERSION", &fish_api_credit::ffi::fish_abi_version().to_string()),
    ] {
        let constant = header.constants.iter().find(|one| one.name == name).expect(name);
        assert_eq!(constant.value, value, "{name}");
    }
}

/// Their numbers are held by docs/abi.txt.
#[test]
fn every_status_has_its_name_and_no_other_number_has_one() {
    let header = Header::committed();
    let codes = header.enums.iter().find(|one| one.name == "fish_status_code").expect("fish_status_code");
    let number = |one: &Constant| one.value.parse::<i32>().expect("a number");
    for one in &codes.values {
        assert_eq!(support::client::name(number(one)), one.name);
    }
    for other in (-1000..1000).filter(|other| codes.values.iter().all(|one| number(one) != *other)) {
        assert_eq!(support::client::name(other), "FISH_UNKNOWN_STATUS", "{other}");
    }
}
