//! The header: written from `src/ffi`, one section a file, and proved to be what is committed.
//!
//! `FISH_WRITE_HEADER=1 cargo test --test header` rewrites it.

use std::path::Path;

use fish_api_credit::ffi::STATUSES;

const PATH: &str = "include/fish_api_credit.h";

const TOP: &str = r#"/*
 * fish_api_credit.h - read a Fish Audio account's API credit.
 *
 * Three rules make the whole interface:
 *
 *  1. Structs you pass in start zeroed. Zero or NULL in a field means its default. `reserved` must be zero.
 *     New fields take their place from `reserved`, so a struct never changes size.
 *  2. Structs you get back are filled by the library and own their strings. Every call overwrites its
 *     out-parameters first and never frees what was in them, so they need no initialisation. Release each with
 *     its own *_free, which also zeroes it: calling it twice, or with NULL, is harmless.
 *  3. Every function that can fail returns a fish_status, and fills a fish_error if you gave it one. A
 *     `fish_error *` may always be NULL. After success the error is zeroed, so freeing it is always right.
 *
 * All text is UTF-8. No function prints, raises a signal, changes a global setting or lets an exception out.
 * "Any thread" means that no lock of yours is needed around the call.
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

/* Described further down. */
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
const SECTIONS: [(&str, &str); 9] = [
    ("The library", "library"),
    ("How a call ended", "status"),
    ("A client", "client"),
    ("What to ask for", "query"),
    ("What comes back", "api_credit"),
    ("Amounts as text", "format"),
    ("The same, as the server's JSON", "json"),
    ("Why it failed", "error"),
    ("Cancelling", "cancel_token"),
];

fn section(title: &str, file: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
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
    text = text.replace("struct fish_cancel_token *", "fish_cancel_token *");
    text = text.replace("struct fish_error *", "fish_error *");
    for name in
        ["fish_client_options", "fish_client", "fish_api_credit_query", "fish_api_credit", "fish_field_error"]
    {
        text = text.replace(&format!("struct {name} *"), &format!("{name} *"));
    }
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
            "/** The version of this header; fish_version() is that of the library that was loaded. */\n\
             #define FISH_VERSION \"{version}\"\n{}",
            text.trim_start()
        );
    }
    if file == "status" {
        text = format!("{}\n\n{}", status_code(), text.trim_start());
    }
    if file == "api_credit" {
        text = format!(
            "/** In place of a time whose text is no RFC 3339 date-time. */\n#define FISH_TIME_UNKNOWN INT64_MIN\n\n{}",
            text.trim_start()
        );
    }
    let rule = "-".repeat(68 - title.len());
    format!("\n/* ---- {title} {rule} */\n\n{}\n", text.trim())
}

/// The statuses, which a macro writes on the Rust side, where cbindgen cannot see them.
fn status_code() -> String {
    let rows = STATUSES.iter().map(|(name, number, comment)| {
        format!("  /** {} */\n  {} = {number},\n", comment.trim(), name.to_str().expect("ASCII"))
    });
    format!(
        "/** How a call ended. The values are stable; functions take and give them as a fish_status. */\n\
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

fn generated() -> String {
    let sections: String = SECTIONS.iter().map(|(title, file)| section(title, file)).collect();
    format!("{TOP}{sections}{BOTTOM}")
}

#[test]
fn the_committed_header_is_what_the_source_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PATH);
    let generated = generated();
    if std::env::var_os("FISH_WRITE_HEADER").is_some() {
        std::fs::write(&path, &generated).expect("the header can be written");
    }
    let committed = std::fs::read_to_string(&path).expect("the header is committed");
    assert!(
        committed == generated,
        "{PATH} is not what src/ffi says; run: FISH_WRITE_HEADER=1 cargo test --test header"
    );
}
