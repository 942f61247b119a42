//! The files that are written from `src/ffi`: the header, the ABI as text and as JSON, the list of symbols, the table of
//! layouts that tests/abi.rs compares, and what C++ and the other languages hold of the ABI. One thing stands once by
//! hand, there; these follow from it. So does the help of the command in other languages, from that of the C program.
//! `tests/generated.rs` writes them, or proves them fresh.

use std::collections::BTreeMap;
use std::fmt::Write;

use ::fish_api_credit::ffi::STATUSES;
use serde::Serialize;

use super::abi::{self, Description, Place};
use super::bindings;
use super::c;
use super::header::Header;

/// How to write them.
pub const COMMAND: &str = "FISH_WRITE=1 cargo test --test generated";

/// A file's path from the top of the repository, and what it should hold.
#[derive(Clone)]
pub struct File {
    pub path: &'static str,
    pub text: String,
}

/// All of them, as `src/ffi` has it now. Fails if a program built for the committed ABI would break.
pub fn files() -> Vec<File> {
    let text = header();
    let header = Header::parse(&text);
    let include = tempfile::tempdir().unwrap();
    std::fs::write(include.path().join("fish_api_credit.h"), &text).unwrap();
    let description = abi::native(&header, include.path());
    abi::stands(&abi::read(&committed("docs/abi.txt")), &description, "docs/abi.txt");
    let file = |path, text| File { path, text };
    let mut files = vec![
        file("include/fish_api_credit.h", text),
        file("docs/abi.txt", abi::write(&description)),
        file("docs/abi.json", json(&header, &description)),
        file("docs/symbols-in-versions", symbols_in_versions(&header)),
        file("tests/support/layouts.rs", layouts(&header)),
        file("tests/c/every_field.h", every_field(&header)),
    ];
    files.extend(bindings::files(&header, &description));
    files
}

/// What is in the repository; nothing, for a file that is new.
pub fn committed(path: &str) -> String {
    std::fs::read_to_string(c::root().join(path)).unwrap_or_default()
}

const TOP: &str = r#"/*
 * fish_api_credit.h - read a Fish Audio account's API credit.
 *
 * The whole interface follows three rules:
 *
 *  1. Structs you pass in start zeroed. Zero or NULL in a field means its default. `reserved` must be zero.
 *     New fields take space from `reserved`, so a struct never changes size.
 *  2. Structs you get back are filled by the library and own their strings. Every call overwrites its
 *     out-parameters first and never frees what was in them, so they need no initialisation. Release each with
 *     its own *_free, which also zeroes it: calling it twice, or with NULL, is harmless.
 *  3. Every function that can fail returns a fish_status, and fills a fish_error if you gave it one. A
 *     `fish_error *` may always be NULL. After success the error is zeroed, so freeing it is always safe.
 *
 * All text is UTF-8. No function prints, raises a signal, changes a global setting or throws an exception.
 * "Any thread" means that the caller needs no lock around the call.
 *
 * Generated from src/ffi with cbindgen: do not edit.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef FISH_API_CREDIT_H
#define FISH_API_CREDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Defined below. */
typedef struct fish_error fish_error;
typedef struct fish_cancel_token fish_cancel_token;
"#;

const BOTTOM: &str = r#"
#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* FISH_API_CREDIT_H */
"#;

/// A section of the header: its title, and the file of src/ffi that it is written from.
const SECTIONS: [(&str, &str); 11] = [
    ("Version", "library"),
    ("Status", "status"),
    ("Client", "client"),
    ("Query", "query"),
    ("API credit", "api_credit"),
    ("Formatting amounts", "format"),
    ("JSON", "json"),
    ("Error", "error"),
    ("Cancel token", "cancel_token"),
    ("Background call", "call"),
    ("Watch", "watch"),
];

fn section(title: &str, file: &str) -> String {
    let root = c::root();
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml is valid");
    let bindings = cbindgen::Builder::new()
        .with_config(config)
        .with_src(root.join("src/ffi").join(file).with_extension("rs"))
        .generate()
        .expect("src/ffi is valid Rust");
    let mut text = Vec::new();
    bindings.write(&mut text);
    let mut text = String::from_utf8(text).expect("cbindgen writes UTF-8");

    // These two are declared at the top, where the functions before their sections need them; C99 has no
    // second typedef.
    text = text.replace("typedef struct fish_error {", "struct fish_error {").replace("} fish_error;", "};");
    text = text.replace("typedef struct fish_cancel_token fish_cancel_token;", "struct fish_cancel_token;");
    // Every type has a typedef, so none needs its tag where it is used.
    let untagged = text.split_inclusive('\n').map(|line| match line {
        line if line.starts_with("typedef ") || line.starts_with("struct ") && !line.contains('(') => {
            line.to_owned()
        }
        line => line.replace("struct fish_", "fish_").replace("enum fish_", "fish_"),
    });
    text = untagged.collect();
    // With usize as size_t, cbindgen writes isize as ptrdiff_t; a descriptor is an intptr_t.
    text = text.replace("ptrdiff_t", "intptr_t");
    // A comment that fits on a line takes one.
    for indent in ["", "  "] {
        let (open, close) = (format!("{indent}/**\n{indent} * "), format!("\n{indent} */\n"));
        let mut pieces = text.split(&open);
        let mut compact = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            match piece.split_once(&close) {
                Some((line, rest)) if !line.contains('\n') => {
                    compact += &format!("{indent}/** {line} */\n{rest}")
                }
                _ => compact += &format!("{open}{piece}"),
            }
        }
        text = compact;
    }
    // A list of constants is easier to read without a gap after each.
    while let Some(at) = gap_between_constants(&text) {
        text.remove(at);
    }
    // What cbindgen cannot write: a text, and the least int64_t in a form that C reads as one.
    if file == "library" {
        let version = env!("CARGO_PKG_VERSION");
        text = format!(
            "/** The version of this header; fish_version() returns that of the loaded library. */\n\
             #define FISH_VERSION \"{version}\"\n{}",
            text.trim_start()
        );
    }
    if file == "status" {
        text = format!("{}\n\n{}", status_code(), text.trim_start());
    }
    if file == "api_credit" {
        text = format!(
            "/** Stands for a time whose text is not an RFC 3339 date-time. */\n#define FISH_TIME_UNKNOWN INT64_MIN\n\n{}",
            text.trim_start()
        );
    }
    let rule = "-".repeat(68 - title.len());
    format!("\n/* ---- {title} {rule} */\n\n{}\n", text.trim())
}

/// The statuses, which a macro writes on the Rust side, where cbindgen cannot see them.
fn status_code() -> String {
    let rows = STATUSES.iter().map(|(name, number, comment)| {
        bindings::doc("  ", comment.trim()) + &format!("  {} = {number},\n", name.to_str().expect("ASCII"))
    });
    format!(
        "/** How a call ended. The values are stable; functions take and return them as a fish_status. */\n\
         typedef enum fish_status_code {{\n{}}} fish_status_code;",
        rows.collect::<String>()
    )
}

/// Where the empty line is that stands between one constant and the next one's one-line comment.
fn gap_between_constants(text: &str) -> Option<usize> {
    let mut at = 0;
    let mut before = "";
    for line in text.split_inclusive('\n') {
        let rest = &text[at + line.len()..];
        let mut next = rest.lines();
        let commented = next.next().is_some_and(|line| line.starts_with("/** ") && line.ends_with(" */"));
        let constant = next.next().is_some_and(|line| line.starts_with("#define "));
        if line == "\n" && before.starts_with("#define ") && commented && constant {
            return Some(at);
        }
        at += line.len();
        before = line;
    }
    None
}

fn header() -> String {
    let sections: String = SECTIONS.iter().map(|(title, file)| section(title, file)).collect();
    format!("{TOP}{sections}{BOTTOM}")
}

/// Every struct and field, for the macro in tests/abi.rs.
fn layouts(header: &Header) -> String {
    let mut text = format!("// Written from src/ffi: {COMMAND}\nlayouts! {{\n");
    for one in &header.structs {
        writeln!(text, "    {} {{", one.name).unwrap();
        for field in &one.fields {
            let raw = if field.name == "type" { "r#" } else { "" };
            writeln!(text, "        {raw}{},", field.name).unwrap();
        }
        text += "    }\n";
    }
    text + "}\n"
}

/// The fields of every struct, for C programs that do the same with each: FISH_ERROR_TEXTS(X) is X(message) and so on.
fn every_field(header: &Header) -> String {
    let mut text = format!("/* Written from src/ffi: {COMMAND} */\n");
    for one in &header.structs {
        for (kinds, group) in [
            (&["const char *"][..], "TEXTS"),
            (&["int32_t", "int64_t", "uint32_t", "uint64_t", "size_t", "bool"], "NUMBERS"),
            (&["fish_status", "fish_level", "fish_tristate"], "ENUMS"),
        ] {
            let fields = one.fields.iter().filter(|field| kinds.contains(&field.kind.as_str()));
            let fields: Vec<_> = fields.map(|field| format!("  X({})", field.name)).collect();
            if !fields.is_empty() {
                let name = one.name.to_uppercase();
                writeln!(text, "#define {name}_{group}(X) \\\n{}", fields.join(" \\\n")).unwrap();
            }
        }
    }
    text
}

#[derive(Serialize)]
struct JsonConstant<'a> {
    name: &'a str,
    value: serde_json::Value,
    comment: &'a str,
}

#[derive(Serialize)]
struct JsonType<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    is: &'a str,
    size: i64,
    comment: &'a str,
}

#[derive(Serialize)]
struct JsonField<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    /// 1, or the length of an array.
    count: u32,
    offset: i64,
    size: i64,
    comment: &'a str,
}

#[derive(Serialize)]
struct JsonParameter<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
}

#[derive(Serialize)]
struct JsonFunction<'a> {
    name: &'a str,
    returns: &'a str,
    parameters: Vec<JsonParameter<'a>>,
    comment: &'a str,
}

/// The ABI for programs that write bindings: one thing a line, in the header's order.
fn json(header: &Header, measured: &Description) -> String {
    let value = |what: String| measured[&what].as_str();
    let constants = header.constants.iter().map(|one| {
        let number = measured.get(&format!("constant {}", one.name)).unwrap_or(&one.value);
        line(&JsonConstant {
            name: &one.name,
            value: serde_json::from_str(number).expect("a number or a text"),
            comment: &one.comment,
        })
    });
    let types = header.typedefs.iter().map(|one| {
        let size = first_number(value(format!("type {}", one.name)).split_once(", ").expect("a size").1);
        line(&JsonType { name: &one.name, is: &one.is, size, comment: &one.comment })
    });
    let enums = header.enums.iter().map(|one| {
        let size = first_number(value(format!("enum {}", one.name)));
        let values = one.values.iter().map(|one| {
            let number = one.value.parse::<i64>().expect("a number").into();
            line(&JsonConstant { name: &one.name, value: number, comment: &one.comment })
        });
        let rest = format!(r#""comment":{},"values":{}"#, line(&one.comment), list(values, 6));
        format!(r#"{{"name":{},"size":{size},{rest}}}"#, line(&one.name))
    });
    let structs = header.structs.iter().map(|one| {
        let measure = value(format!("struct {}", one.name));
        let align = first_number(measure.rsplit_once(' ').expect("an alignment").1);
        let fields = one.fields.iter().map(|field| {
            let place = Place::parse(value(format!("field {}.{}", one.name, field.name)));
            let (kind, count) = match field.kind.split_once('[') {
                Some((kind, count)) => (kind, count.trim_end_matches(']').parse().expect("a length")),
                None => (field.kind.as_str(), 1),
            };
            let (offset, size) = (place.offset, place.size);
            line(&JsonField { name: &field.name, kind, count, offset, size, comment: &field.comment })
        });
        let rest = format!(r#""comment":{},"fields":{}"#, line(&one.comment), list(fields, 6));
        let size = first_number(measure);
        format!(r#"{{"name":{},"size":{size},"align":{align},{rest}}}"#, line(&one.name))
    });
    let functions = header.functions.iter().map(|one| {
        let parameters = one.parameters.iter().map(|(kind, name)| JsonParameter { name, kind }).collect();
        line(&JsonFunction { name: &one.name, returns: &one.returns, parameters, comment: &one.comment })
    });
    let opaque = header.opaque.iter().map(line);
    let parts = [
        ("constants", list(constants, 4)),
        ("types", list(types, 4)),
        ("enums", list(enums, 4)),
        ("opaque", list(opaque, 4)),
        ("structs", list(structs, 4)),
        ("functions", list(functions, 4)),
    ];
    let about = format!(
        "The C interface of fish-api-credit where pointers have 64 bits, for programs that write bindings. Written \
         from src/ffi: {COMMAND}"
    );
    let parts: Vec<_> = parts.iter().map(|(name, list)| format!("  \"{name}\": {list}")).collect();
    format!("{{\n  \"about\": {},\n  \"pointer_bits\": 64,\n{}\n}}\n", line(&about), parts.join(",\n"))
}

fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain data")
}

fn list(items: impl Iterator<Item = String>, indent: usize) -> String {
    let items: Vec<_> = items.map(|item| format!("{:indent$}{item}", "")).collect();
    format!("[\n{}\n{:2$}]", items.join(",\n"), "", indent - 2)
}

fn first_number(text: &str) -> i64 {
    text.split(' ').next().and_then(|word| word.parse().ok()).expect("a number")
}

/// Each symbol that a C program can name, and what its comment says of since when.
pub fn symbols(header: &Header) -> BTreeMap<String, Option<String>> {
    let unsaid = |name: String| (name, None);
    let mut all = BTreeMap::new();
    all.extend(header.functions.iter().map(|one| {
        let (_, since) = one.comment.rsplit_once("Since ").expect("Since, as contract.rs demands");
        (one.name.clone(), Some(since.trim().trim_end_matches('.').to_owned()))
    }));
    all.extend(header.constants.iter().map(|one| unsaid(one.name.clone())));
    all.extend(header.typedefs.iter().map(|one| unsaid(one.name.clone())));
    all.extend(header.opaque.iter().map(|one| unsaid(one.clone())));
    for one in &header.enums {
        all.extend(one.values.iter().map(|value| unsaid(value.name.clone())));
        all.insert(one.name.clone(), None);
    }
    for one in &header.structs {
        all.extend(one.fields.iter().map(|field| unsaid(format!("{}.{}", one.name, field.name))));
        all.insert(one.name.clone(), None);
    }
    all
}

const SYMBOLS_TOP: &str = "\
# Every name of fish_api_credit.h, with the version that it came with and, if it is gone, the version that it
# went with. A field is written struct.field.
";

/// Each line's name and versions.
pub fn listed(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut listed = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace().map(str::to_owned);
        let name = words.next().expect("no empty lines");
        assert!(listed.insert(name.clone(), words.collect()).is_none(), "{name} is listed twice");
    }
    listed
}

/// What was listed, and what is new with the version that it comes with.
fn symbols_in_versions(header: &Header) -> String {
    let mut listed = listed(&committed("docs/symbols-in-versions"));
    for name in symbols(header).into_keys() {
        listed.entry(name).or_insert_with(|| vec![env!("CARGO_PKG_VERSION").into()]);
    }
    let lines = listed.iter().map(|(name, versions)| format!("{name:<52} {}\n", versions.join("  ")));
    SYMBOLS_TOP.to_owned() + &lines.collect::<String>()
}
