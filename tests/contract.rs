//! The header as a contract: it compiles alone and without a warning wherever C or C++ does, says what a caller
//! must know of everything in it. Its layout and its numbers are in abi.rs.

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use support::c;
use support::header::{Constant, Header, TEXT};
use support::tools::{have, in_ci};

/// What a program may compile it as.
const DIALECTS: [(&str, &str, &str); 12] = [
    ("gcc", "c", "c99"),
    ("gcc", "c", "c11"),
    ("gcc", "c", "c17"),
    ("gcc", "c", "c2x"),
    ("clang", "c", "c99"),
    ("clang", "c", "c11"),
    ("clang", "c", "c17"),
    ("clang", "c", "c2x"),
    ("g++", "c++", "c++11"),
    ("g++", "c++", "c++17"),
    ("clang++", "c++", "c++11"),
    ("clang++", "c++", "c++17"),
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
    let mut command = Command::new(compiler);
    command.args(["-fsyntax-only", "-x", language, &format!("-std={standard}")]);
    command.args(["-Wall", "-Wextra", "-Wpedantic", "-Wundef", "-Wshadow", "-Werror"]);
    if language == "c" {
        command.args(["-Wstrict-prototypes", "-Wmissing-prototypes"]);
    }
    if compiler.starts_with("clang") {
        command.arg("-Wdocumentation");
    }
    let output = command.arg("-I").arg(include).arg(&source).output().expect("the compiler starts");
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

#[test]
fn the_header_compiles_alone_and_twice_without_a_warning() {
    let include = c::root().join("include");
    let mut checked = 0;
    for (compiler, language, standard) in DIALECTS {
        if !have(compiler) {
            continue;
        }
        for (case, text) in [
            ("alone", "#include \"fish_api_credit.h\"\nint main(void) { return 0; }\n"),
            (
                "twice, and used",
                "#include <fish_api_credit.h>\n#include <fish_api_credit.h>\n\
                 int main(void) { return (int)fish_abi_version() + FISH_OK; }\n",
            ),
        ] {
            if let Err(why) = compiles(compiler, language, standard, &include, text) {
                panic!("{compiler} -std={standard}, {case}:\n{why}");
            }
        }
        checked += 1;
    }
    assert!(checked >= 4, "there is a C compiler where there is Rust");
    println!("checked: {checked} of {} dialects", DIALECTS.len());
}

#[test]
fn a_header_with_a_fault_would_not_pass() {
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
fn everything_in_it_says_what_a_caller_must_know() {
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
        assert_eq!(support::call::name(number(one)), one.name);
    }
    for other in (-1000..1000).filter(|other| codes.values.iter().all(|one| number(one) != *other)) {
        assert_eq!(support::call::name(other), "FISH_UNKNOWN_STATUS", "{other}");
    }
}

#[cfg(target_os = "linux")]
mod elf {
    use super::*;

    fn tool(name: &str, arguments: &[&str], file: &Path) -> String {
        let output =
            Command::new(name).args(arguments).arg(file).output().expect("binutils, which gcc needs");
        assert!(output.status.success(), "{name} {arguments:?} {}", file.display());
        String::from_utf8(output.stdout).unwrap()
    }

    /// The release library under FISH_CI, where there is time to build it; else the one just built.
    fn library() -> std::path::PathBuf {
        if !in_ci() {
            println!("checked: the debug library (the release library where FISH_CI is set)");
            return c::built().join("libfish_api_credit.so");
        }
        println!("checked: the release library");
        c::release().join("libfish_api_credit.so")
    }

    #[test]
    fn the_library_exports_the_functions_of_the_header_and_nothing_else() {
        let symbols = tool("nm", &["-D", "--defined-only"], &library());
        let exported: Vec<_> =
            symbols.lines().map(|line| line.split(' ').skip(1).collect::<Vec<_>>()).collect();
        assert!(exported.iter().all(|one| one[0] == "T"), "{exported:?}");
        let exported: BTreeSet<_> = exported.iter().map(|one| one[1].to_owned()).collect();
        let header = Header::committed();
        let declared: BTreeSet<_> = header.functions.iter().map(|one| one.name.clone()).collect();
        assert_eq!(exported, declared);
    }

    #[test]
    fn the_library_has_its_name_stays_loaded_and_needs_nothing_but_the_c_runtime() {
        let dynamic = tool("readelf", &["-dW"], &library());
        let values = |tag: &str| -> Vec<String> {
            let lines = dynamic.lines().filter(|line| line.contains(tag));
            lines.map(|line| line.split(['[', ']']).nth(1).unwrap_or(line).to_owned()).collect()
        };
        assert_eq!(values("(SONAME)"), ["libfish_api_credit.so.0"]);
        assert!(values("(FLAGS_1)").iter().any(|flags| flags.contains("NODELETE")), "{dynamic}");
        assert_eq!(values("(TEXTREL)"), [""; 0]);
        assert_eq!(values("RPATH)"), [""; 0]);
        assert_eq!(values("RUNPATH)"), [""; 0]);
        for needed in values("(NEEDED)") {
            let runtime = ["libc.so.", "libgcc_s.so.", "libm.so.", "libpthread.so.", "libdl.so.", "ld-linux"];
            assert!(runtime.iter().any(|name| needed.starts_with(name)), "{needed}");
        }
        let segments = tool("readelf", &["-lW"], &library());
        let stack = segments.lines().find(|line| line.contains("GNU_STACK")).expect("GNU_STACK");
        assert!(!stack.contains("RWE"), "{stack}");
        assert!(segments.contains("GNU_RELRO"), "{segments}");
    }
}
