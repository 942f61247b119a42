//! examples/luajit: the header for `ffi.cdef`, the constants that are no enumerators, and the fields that are copied.

use std::fmt::Write;

use super::*;

pub fn files(header: &Header) -> Vec<File> {
    vec![
        Parts::of("examples/luajit/fish_api_credit.lua", ("--", ""))
            .put("the header", &cdef(header))
            .put("the constants", &constants(header))
            .put("the fields of fish_client_options", &settings(header))
            .put("the fields of what comes back", &fields(header))
            .file(),
    ]
}

/// The header without what LuaJIT's parser does not know: comments and the preprocessor.
fn cdef(header: &Header) -> String {
    let mut text = String::from("local HEADER = [[\n");
    for name in header.opaque.iter().chain(header.structs.iter().map(|one| &one.name)) {
        writeln!(text, "typedef struct {name} {name};").unwrap();
    }
    for one in &header.typedefs {
        writeln!(text, "typedef {} {};", one.is, one.name).unwrap();
    }
    for one in &header.enums {
        let values: Vec<_> =
            one.values.iter().map(|value| format!("{} = {}", value.name, value.value)).collect();
        writeln!(text, "typedef enum {} {{\n  {}\n}} {};", one.name, values.join(",\n  "), one.name).unwrap();
    }
    for one in &header.structs {
        writeln!(text, "struct {} {{", one.name).unwrap();
        for field in &one.fields {
            let (kind, count) = field.kind.split_once('[').unwrap_or((&field.kind, ""));
            let array = if count.is_empty() { String::new() } else { format!("[{count}") };
            writeln!(text, "  {};", declared(kind, &format!("{}{array}", field.name))).unwrap();
        }
        text += "};\n";
    }
    for one in &header.functions {
        let takes: Vec<_> = one.parameters.iter().map(|(kind, name)| declared(kind, name)).collect();
        let takes = if takes.is_empty() { "void".to_owned() } else { takes.join(", ") };
        writeln!(text, "{};", declared(&one.returns, &format!("{}({takes})", one.name))).unwrap();
    }
    text + "]]\n"
}

/// `const char *` and `id` as `const char *id`.
fn declared(kind: &str, name: &str) -> String {
    let space = if kind.ends_with('*') { "" } else { " " };
    format!("{kind}{space}{name}")
}

fn constants(header: &Header) -> String {
    let mut text = String::new();
    for one in &header.constants {
        let value = match one.value.as_str() {
            "INT64_MIN" => "ffi.cast(\"int64_t\", -2 ^ 63)",
            value => value,
        };
        writeln!(text, "local {} = {value}", one.name.strip_prefix("FISH_").expect("FISH_")).unwrap();
    }
    for (in_c, prefix, table) in
        [("fish_status_code", "FISH_", "status"), ("fish_level", "FISH_LEVEL_", "level")]
    {
        writeln!(text, "fish.{table} = {{").unwrap();
        for value in &find(header, in_c).values {
            writeln!(text, "  {} = {},", short(value, prefix), value.value).unwrap();
        }
        text += "}\n";
    }
    text
}

fn settings(header: &Header) -> String {
    let mut text = String::from("local CLIENT = {\n");
    for option in options(header) {
        let (name, checked) = match Setting::of(option) {
            Setting::Text => (option.name.as_str(), "checked_text"),
            Setting::Duration => (option.name.as_str(), "milliseconds"),
            Setting::Number => (option.name.as_str(), "whole"),
            Setting::Retries => (option.name.as_str(), "retries"),
            Setting::Roots => ("system_roots", "roots"),
        };
        writeln!(text, "  {name} = {{ \"{}\", {checked} }},", option.name).unwrap();
    }
    text + "}\n"
}

/// How each field is copied. One that has a text beside it is nil if that is.
fn fields(header: &Header) -> String {
    let mut text = String::new();
    for (table, name) in [("CREDIT", "fish_api_credit"), ("FIELD_ERROR", "fish_field_error")] {
        writeln!(text, "local {table} = {{").unwrap();
        for field in returned(header, name) {
            let copied = match &field.is {
                Is::Text { .. } | Is::Amount { .. } | Is::Stamp => "text".to_owned(),
                Is::Micros { of, optional: true } => format!("beside(\"{of}\")"),
                Is::Time { .. } => "time".to_owned(),
                Is::Tristate => "answer".to_owned(),
                Is::Micros { .. } | Is::Bool | Is::Number => "same".to_owned(),
            };
            writeln!(text, "  {} = {copied},", field.name).unwrap();
        }
        text += "}\n";
    }
    text
}
