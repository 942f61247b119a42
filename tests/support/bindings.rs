//! What examples/python, examples/go and examples/swift hold of the ABI: the statuses, the constants and, for Python's
//! ctypes, the layouts and prototypes. Each is written in its language's own words.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::generate::{COMMAND, File};
use super::header::{Constant, Enum, Header};

pub fn files(header: &Header) -> Vec<File> {
    vec![
        File { path: "examples/python/fish_api_credit/_abi.py", text: python(header) },
        File { path: "examples/go/fishcredit/status_generated.go", text: go(header) },
        File { path: "examples/swift/Sources/FishApiCredit/Status.swift", text: swift(header) },
    ]
}

fn find<'a>(header: &'a Header, name: &str) -> &'a Enum {
    header.enums.iter().find(|one| one.name == name).expect(name)
}

/// "FISH_LEVEL_LOW" of fish_level is LOW.
fn short<'a>(value: &'a Constant, prefix: &str) -> &'a str {
    value.name.strip_prefix(prefix).expect(prefix)
}

/// MISSING_API_KEY as MissingAPIKey.
fn camel(name: &str) -> String {
    let word = |word: &str| match word {
        "API" | "OK" | "TLS" => word.to_owned(),
        _ => word[..1].to_owned() + &word[1..].to_lowercase(),
    };
    name.to_uppercase().split('_').map(word).collect()
}

/// missingAPIKey, tlsFailed.
fn lower_camel(name: &str) -> String {
    let (first, rest) = name.split_once('_').unwrap_or((name, ""));
    first.to_lowercase() + &if rest.is_empty() { String::new() } else { camel(rest) }
}

/// A comment in the names of a language, on one line. The statuses' comments speak of what the caller of C has set.
fn comment(text: &str, names: &[(&str, &str)]) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    names.iter().fold(text, |text, (in_c, here)| text.replace(in_c, here))
}

/// Breaks a comment into lines of at most 110 characters, each behind `start`.
fn wrapped(start: &str, text: &str) -> String {
    let mut lines = vec![String::from(start)];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("one at least");
        if line.len() + 1 + word.len() > 110 && line.len() > start.len() {
            lines.push(format!("{start} {word}"));
        } else {
            write!(line, " {word}").unwrap();
        }
    }
    lines.join("\n") + "\n"
}

// ---- Python ----------------------------------------------------------------------------------------------------

const IN_PYTHON: &[(&str, &str)] = &[
    ("a fish_status_code", "a Status"),
    ("fish_error.field_errors", "FishError.field_errors"),
    ("fish_error.retry_after_ms", "FishError.retry_after"),
    ("The message", "str() of the error"),
    ("no api_key option", "no api_key"),
    (
        "the query's cancel token or the client was cancelled",
        "its token was cancelled or its client was closed",
    ),
    ("timeout_ms or connect_timeout_ms passed", "the timeout or connect timeout passed"),
    ("low_micros", "low"),
    ("recovered_micros", "recovered"),
];

fn python(header: &Header) -> String {
    let mut text = String::new();
    for one in &header.constants {
        let value = match one.value.as_str() {
            "INT64_MIN" => "-(2**63)",
            value => value,
        };
        writeln!(text, "{} = {value}", one.name.strip_prefix("FISH_").expect("FISH_")).unwrap();
    }
    for (name, prefix, class, what) in [
        (
            "fish_status_code",
            "FISH_",
            "Status",
            "How a call ended. A newer library may return statuses that are not listed here.",
        ),
        ("fish_tristate", "FISH_", "Tristate", "Yes, no or unknown."),
        (
            "fish_level",
            "FISH_LEVEL_",
            "Level",
            "How much credit is left, by its amount and a watch's options.",
        ),
    ] {
        write!(text, "\n\nclass {class}(enum.IntEnum):\n    \"\"\"{what}\"\"\"\n\n").unwrap();
        for value in &find(header, name).values {
            text += &wrapped("    #:", &comment(&value.comment, IN_PYTHON));
            writeln!(text, "    {} = {}", short(value, prefix), value.value).unwrap();
        }
    }
    for one in &header.structs {
        write!(text, "\n\nclass {}(Structure):\n    _fields_ = [\n", python_class(&one.name)).unwrap();
        for field in &one.fields {
            let kind = match field.kind.split_once('[') {
                Some((kind, count)) => format!("{} * {}", python_type(kind), count.trim_end_matches(']')),
                None => python_type(&field.kind),
            };
            writeln!(text, "        (\"{}\", {kind}),", field.name).unwrap();
        }
        text += "    ]\n";
    }
    text += "\n\n# Every function: what it returns, and what it takes. A handle is a c_void_p; so is a string that must be freed,\n\
             # because ctypes would turn a c_char_p into bytes and lose the pointer.\n\
             FUNCTIONS: Dict[str, Tuple[Any, List[Any]]] = {\n";
    for one in &header.functions {
        let parameters: Vec<_> = one.parameters.iter().map(|(kind, _)| python_type(kind)).collect();
        let returns = if one.returns == "void" { "None".to_owned() } else { python_type(&one.returns) };
        let line = format!("    \"{}\": ({returns}, [{}]),\n", one.name, parameters.join(", "));
        text += &match line.len() <= 110 {
            true => line,
            false => format!(
                "    \"{}\": (\n        {returns},\n        [{}],\n    ),\n",
                one.name,
                parameters.join(", ")
            ),
        };
    }
    text += "}\n";
    let used: BTreeSet<_> = text.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let used = used.iter().filter(|word| word.starts_with("c_") || ["POINTER", "Structure"].contains(word));
    let used: String = used.map(|word| format!("    {word},\n")).collect();
    format!(
        "\"\"\"fish_api_credit.h for ctypes: constants, statuses, structs and functions.\n\n\
         Written from the library's source: {COMMAND}\n\"\"\"\n\n\
         from __future__ import annotations\n\nimport enum\nfrom ctypes import (\n{used})\nfrom typing import Any, Dict, List, Tuple\n\n{text}"
    )
}

fn python_class(name: &str) -> String {
    let name = name.strip_prefix("fish_").expect("fish_");
    name.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

fn python_type(kind: &str) -> String {
    let name = match kind {
        "const char *" => "c_char_p",
        // ctypes would turn a c_char_p into bytes, and lose what must be freed.
        "char *" | "void *" => "c_void_p",
        "bool" => "c_bool",
        "int64_t" => "c_int64",
        "uint32_t" => "c_uint32",
        "uint64_t" => "c_uint64",
        "size_t" => "c_size_t",
        "intptr_t" => "c_ssize_t",
        "int32_t" | "fish_status" | "fish_tristate" | "fish_level" => "c_int32",
        "char **" | "fish_client **" | "fish_call **" | "fish_watch **" => "POINTER(c_void_p)",
        _ => {
            let kind = kind.strip_prefix("const ").unwrap_or(kind);
            return match kind.strip_suffix(" *") {
                Some("fish_client" | "fish_cancel_token" | "fish_call" | "fish_watch") => {
                    "c_void_p".to_owned()
                }
                Some(name) => format!("POINTER({})", python_class(name)),
                None => python_class(kind),
            };
        }
    };
    name.to_owned()
}

// ---- Go --------------------------------------------------------------------------------------------------------

const IN_GO: &[(&str, &str)] = &[
    ("fish_error.field_errors", "Error.FieldErrors"),
    ("fish_error.retry_after_ms", "Error.RetryAfter"),
    ("api_key option", "Options.APIKey"),
    ("the query's cancel token or the client was cancelled", "the context ended or the client was closed"),
    ("timeout_ms or connect_timeout_ms passed", "the timeout or connect timeout passed"),
    ("base_url", "Options.BaseURL"),
    ("low_micros", "WatchOptions.LowMicros"),
    ("recovered_micros", "WatchOptions.RecoveredMicros"),
];

fn go(header: &Header) -> String {
    let mut text = format!(
        "// Code generated from the library's source by `{COMMAND}`. DO NOT EDIT.\n\npackage fishcredit\n\n\
         // #include <fish_api_credit.h>\nimport \"C\"\n"
    );
    for (name, prefix, kind, what) in [
        ("fish_status_code", "FISH_", "Status", "Status is how a call ended. New values may be added."),
        (
            "fish_level",
            "FISH_LEVEL_",
            "Level",
            "Level is how much credit is left, by its amount and a watch's options.",
        ),
    ] {
        write!(text, "\n// {what}\ntype {kind} int32\n\nconst (\n").unwrap();
        for value in &find(header, name).values {
            let own = camel(short(value, prefix));
            let own = if kind == "Level" { format!("Level{own}") } else { own };
            text += &wrapped("\t//", &comment(&value.comment, IN_GO));
            writeln!(text, "\t{own} {kind} = C.{}", value.name).unwrap();
        }
        text += ")\n";
    }
    text
}

// ---- Swift -----------------------------------------------------------------------------------------------------

const IN_SWIFT: &[(&str, &str)] = &[
    ("fish_error.field_errors", "`FishError.fields`"),
    ("fish_error.retry_after_ms", "`FishError.retryAfter`"),
    ("api_key option", "`apiKey`"),
    ("the query's cancel token or the client was cancelled", "its task or its token was cancelled"),
    ("timeout_ms or connect_timeout_ms passed", "the timeout or connect timeout passed"),
    ("base_url", "`baseURL`"),
    ("low_micros", "`low`"),
    ("recovered_micros", "`recovered`"),
];

fn swift(header: &Header) -> String {
    let mut text = format!("// The library's statuses and levels. Written from its source: {COMMAND}\n\n");
    text += "extension FishError.Status {\n";
    for value in &find(header, "fish_status_code").values {
        text += &wrapped("    ///", &comment(&value.comment, IN_SWIFT));
        let name = lower_camel(short(value, "FISH_"));
        writeln!(text, "    public static let {name} = FishError.Status(rawValue: {})", value.value).unwrap();
    }
    text += "}\n\n/// How much credit is left, by its amount and a watch's options.\n\
             public enum FishLevel: Int32, Sendable, Hashable {\n";
    for value in &find(header, "fish_level").values {
        text += &wrapped("    ///", &comment(&value.comment, IN_SWIFT));
        writeln!(text, "    case {} = {}", lower_camel(short(value, "FISH_LEVEL_")), value.value).unwrap();
    }
    text +=
        "}\n\n/// Stands for a time whose text is not an RFC 3339 date-time.\nlet timeUnknown = Int64.min\n";
    text
}
