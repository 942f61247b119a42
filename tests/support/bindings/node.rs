//! examples/node: all of lib/abi.js, and of what comes back and what goes in the parts that name each field.

use std::fmt::Write;

use super::super::command;
use super::super::generate::COMMAND;
use super::*;

const NAMES: &[(&str, &str)] = &[
    ("a fish_status_code", "a Status"),
    ("fish_error.field_errors", "FishError.fieldErrors"),
    ("fish_error.retry_after_ms", "FishError.retryAfterMs"),
    ("no api_key option", "no apiKey"),
    ("the query's cancel token or the client was cancelled", "the client was closed"),
    ("connect_timeout_ms", "connectTimeoutMs"),
    ("timeout_ms", "timeoutMs"),
    ("low_micros", "lowMicros"),
    ("recovered_micros", "recoveredMicros"),
    ("base_url", "baseUrl"),
    ("proxy_url", "proxyUrl"),
    ("ca_file", "caFile"),
    ("FISH_TLS_ROOTS_SYSTEM", "systemRoots"),
];

const FIELD_NAMES: &[(&str, &str)] = &[
    ("or after fish_api_credit_from_json", "or after parseCredit"),
    ("FISH_UNKNOWN: absent or null", "null: absent or null"),
    ("as it is without check_free_credit", "as it is without checkFreeCredit"),
    ("0 if the server did not send it", "null if the server did not send it"),
    ("The text is", "`credit` is"),
    // The string of JavaScript that it came from is not.
    ("; wiped from memory when the client is freed", ""),
    ("credit_micros", "creditMicros"),
    ("cumulative_top_up", "cumulativeTopUp"),
    ("tls_roots", "systemRoots"),
    ("base_url", "baseUrl"),
    ("NULL", "null"),
];

pub fn files(header: &Header) -> Vec<File> {
    let slashes = ("//", "");
    let (credit, copies) = credit(header);
    let (row, copied_row) = field_error(header);
    let (options, given) = client_options(header);
    vec![
        File { path: "examples/node/lib/abi.js", text: abi(header) },
        File { path: "examples/node/lib/command/help.js", text: help() },
        versioned("examples/node/package.json", 1),
        versioned("examples/node/package-lock.json", 2),
        Parts::of("examples/node/index.d.ts", slashes)
            .put("the statuses and levels", &enums_of_types(header))
            .put("the fields of fish_api_credit", &credit)
            .put("the fields of fish_field_error", &row)
            .put("the fields of fish_client_options", &options)
            .file(),
        Parts::of("examples/node/lib/credit.js", slashes).put("how each field is copied", &copies).file(),
        Parts::of("examples/node/lib/errors.js", slashes).put("how each field is copied", &copied_row).file(),
        Parts::of("examples/node/lib/client.js", slashes)
            .put("the fields of fish_client_options", &given)
            .file(),
    ]
}

/// A file of npm's, with Cargo.toml's version as the package's own, which it has in its first `places`.
fn versioned(path: &'static str, places: usize) -> File {
    let text = committed(path);
    let mut pieces = text.split("\"version\": \"");
    let mut fresh = pieces.next().unwrap_or_default().to_owned();
    for (place, piece) in pieces.enumerate() {
        let (old, rest) = piece.split_once('"').unwrap_or_default();
        let version = if place < places { env!("CARGO_PKG_VERSION") } else { old };
        write!(fresh, "\"version\": \"{version}\"{rest}").unwrap();
    }
    File { path, text: fresh }
}

/// check_free_credit as checkFreeCredit.
fn name(in_c: &str) -> String {
    let mut words = in_c.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
}

/// A comment of one line or several.
fn about(indent: &str, text: &str) -> String {
    doc(indent, text)
}

// ---- What comes back -------------------------------------------------------------------------------------------

/// The fields of Credit as types, and how each is copied.
fn credit(header: &Header) -> (String, String) {
    let (mut types, mut copies) = (String::new(), String::new());
    for field in returned(header, "fish_api_credit") {
        let raw = format!("filled.{}", field.name);
        let (kind, copy) = match &field.is {
            Is::Text { optional: false } | Is::Amount { optional: false } | Is::Stamp => ("string", raw),
            Is::Text { optional: true } | Is::Amount { optional: true } => ("string | null", raw),
            Is::Micros { of, optional: true } => {
                ("bigint | null", format!("filled.{of} === null ? null : BigInt({raw})"))
            }
            Is::Micros { .. } => ("bigint", format!("BigInt({raw})")),
            Is::Time { .. } => ("bigint | null", format!("time({raw})")),
            Is::Bool => ("boolean", raw),
            Is::Tristate => ("boolean | null", format!("answer({raw})")),
            Is::Number => ("number", raw),
        };
        let named = match &field.is {
            Is::Stamp => name(&format!("{}_text", field.name)),
            _ if field.name == "has_phone_sha256" => "hasPhone".to_owned(),
            _ => name(field.name),
        };
        if let Is::Time { of } = field.is {
            let date = name(&of.name);
            types += &self::about("  ", &format!("{}. null: the text is no RFC 3339 time.", field.about()));
            writeln!(types, "  readonly {date}: Date | null;").unwrap();
            writeln!(copies, "    this.{date} = date(filled.{});", field.name).unwrap();
            types += &self::about(
                "  ",
                "The same in microseconds since 1970 UTC, of which a Date keeps the milliseconds.",
            );
        } else {
            types += &self::about("  ", &said(field.comment, FIELD_NAMES));
        }
        writeln!(types, "  readonly {named}: {kind};").unwrap();
        writeln!(copies, "    this.{named} = {copy};").unwrap();
    }
    (types, copies)
}

fn field_error(header: &Header) -> (String, String) {
    let (mut types, mut copies) = (String::new(), String::new());
    for field in returned(header, "fish_field_error") {
        let kind = if field.is == (Is::Text { optional: true }) { "string | null" } else { "string" };
        types += &about("  ", &said(field.comment, FIELD_NAMES));
        writeln!(types, "  readonly {}: {kind};", name(field.name)).unwrap();
        writeln!(copies, "    {}: row.{},", name(field.name), field.name).unwrap();
    }
    (types, copies)
}

// ---- What goes in ----------------------------------------------------------------------------------------------

/// ClientOptions as a type, and how each option is given to C.
fn client_options(header: &Header) -> (String, String) {
    let (mut types, mut given) = (String::new(), String::new());
    for option in options(header) {
        let in_c = &option.name;
        let named = if Setting::of(option) == Setting::Roots { "systemRoots".to_owned() } else { name(in_c) };
        let (kind, checked) = match Setting::of(option) {
            Setting::Text if named == "caFile" => ("string | URL | null", "path"),
            Setting::Text => ("string | null", "text"),
            Setting::Duration => ("number | null", "milliseconds"),
            Setting::Number => ("number | null", "whole"),
            Setting::Retries => ("number | null", "retries"),
            Setting::Roots => ("boolean | null", "roots"),
        };
        let says = match Setting::of(option) {
            Setting::Retries => {
                "How many times a failed request is retried. 0: never. null: 2 times.".to_owned()
            }
            Setting::Roots => {
                "Trust the operating system's certificate authorities instead of Mozilla's.".to_owned()
            }
            Setting::Duration => said(&option.comment, FIELD_NAMES).replace(" 0: ", " null: "),
            _ => said(&option.comment, FIELD_NAMES),
        };
        types += &about("  ", &says);
        writeln!(types, "  {named}?: {kind};").unwrap();
        writeln!(given, "  {named}: ['{in_c}', {checked}],").unwrap();
    }
    (types, given)
}

// ---- The ABI ---------------------------------------------------------------------------------------------------

const ENUMS: [(&str, &str, &str, &str); 3] = [
    (
        "fish_status_code",
        "FISH_",
        "Status",
        "How a call ended. A newer library may have statuses that are not here.",
    ),
    ("fish_tristate", "FISH_", "Tristate", "Yes, no, or unknown."),
    ("fish_level", "FISH_LEVEL_", "Level", "How much credit is left, by its amount and a watch's options."),
];

fn enums_of_types(header: &Header) -> String {
    let mut text = String::new();
    for (in_c, prefix, class, what) in ENUMS.iter().filter(|one| one.2 != "Tristate") {
        writeln!(text, "{}export declare const {class}: {{", about("", what)).unwrap();
        for value in &find(header, in_c).values {
            text += &about("  ", &comment(&value.comment, NAMES));
            writeln!(text, "  readonly {}: {};", short(value, prefix), value.value).unwrap();
        }
        text += "};\n";
    }
    text
}

fn abi(header: &Header) -> String {
    let mut text = format!(
        "'use strict';\n\n// fish_api_credit.h in koffi's words: constants, statuses, structs and functions.\n\
         // Written from src/ffi: {COMMAND}\n\n"
    );
    for one in &header.constants {
        let value = match one.value.as_str() {
            "INT64_MIN" => "-(2n ** 63n)".to_owned(),
            value => value.replace('"', "'"),
        };
        writeln!(text, "exports.{} = {value};", one.name.strip_prefix("FISH_").expect("FISH_")).unwrap();
    }
    for (in_c, prefix, class, what) in ENUMS {
        writeln!(text, "\n{}exports.{class} = Object.freeze({{", about("", what)).unwrap();
        for value in &find(header, in_c).values {
            writeln!(text, "  {}: {},", short(value, prefix), value.value).unwrap();
        }
        text += "});\n";
    }
    text += "\n/** Every struct: the type of each field. A pair is an array. */\nexports.STRUCTS = {\n";
    for one in &header.structs {
        writeln!(text, "  {}: {{", one.name).unwrap();
        for field in &one.fields {
            let kind = match field.kind.split_once('[') {
                Some((kind, count)) => {
                    format!("['{}', {}]", kind_of(header, kind), count.trim_end_matches(']'))
                }
                None => format!("'{}'", kind_of(header, &field.kind)),
            };
            writeln!(text, "    {}: {kind},", field.name).unwrap();
        }
        text += "  },\n";
    }
    text += "};\n\n/** Every function: what it returns, and what it takes. 'pointer *' is filled by the function. */\n\
             exports.FUNCTIONS = {\n";
    for one in &header.functions {
        let takes: Vec<_> =
            one.parameters.iter().map(|(kind, _)| format!("'{}'", kind_of(header, kind))).collect();
        writeln!(text, "  {}: ['{}', [{}]],", one.name, kind_of(header, &one.returns), takes.join(", "))
            .unwrap();
    }
    text + "};\n"
}

/// A handle is a pointer; so is a string that must be freed, of which koffi would give a copy and lose the pointer.
fn kind_of(header: &Header, kind: &str) -> String {
    let kind = match kind {
        "const char *" => return "str".to_owned(),
        "char *" | "void *" => return "pointer".to_owned(),
        "fish_status" | "fish_tristate" | "fish_level" => "int32_t",
        kind => kind.strip_prefix("const ").unwrap_or(kind),
    };
    match kind.strip_suffix(" *").or(kind.strip_suffix(" **")) {
        _ if kind.ends_with("**") => "pointer *".to_owned(),
        Some(name) if !header.structs.iter().any(|one| one.name == name) => "pointer".to_owned(),
        _ => kind.to_owned(),
    }
}

/// What the command prints for --help.
fn help() -> String {
    let help = command::help();
    assert!(!help.contains(['`', '$']));
    format!(
        "'use strict';\n\n// What fish-credit --help prints. Written from examples/c/fish-credit.c: {COMMAND}\n\n\
         module.exports = `{help}`;\n"
    )
}
