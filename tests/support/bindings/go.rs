//! examples/go: all of status_generated.go, and of what comes back and what goes in the parts that name each field.

use std::fmt::Write;

use super::super::command;
use super::super::generate::COMMAND;
use super::*;

const NAMES: &[(&str, &str)] = &[
    ("fish_error.field_errors", "Error.FieldErrors"),
    ("fish_error.retry_after_ms", "Error.RetryAfter"),
    ("api_key option", "Options.APIKey"),
    ("the query's cancel token or the client was cancelled", "the context ended or the client was closed"),
    ("timeout_ms or connect_timeout_ms passed", "the timeout or connect timeout passed"),
    ("base_url", "Options.BaseURL"),
    ("low_micros", "WatchOptions.LowMicros"),
    ("recovered_micros", "WatchOptions.RecoveredMicros"),
    ("FISH_TLS_ROOTS_SYSTEM", "Options.SystemRoots"),
    ("ca_file", "Options.CAFile"),
    ("proxy_url", "Options.ProxyURL"),
];

const FIELD_NAMES: &[(&str, &str)] = &[
    ("or after fish_api_credit_from_json", "or after ParseCredit"),
    ("FISH_UNKNOWN: absent or null", "nil: absent or null"),
    ("without check_free_credit", "without Query.CheckFreeCredit"),
    ("credit x", "The balance x"),
    ("cumulative_top_up x", "CumulativeTopUpText x"),
    ("credit_micros", "Micros"),
    ("when the client is freed", "when the client is closed"),
    ("base_url", "BaseURL"),
    ("tls_roots", "SystemRoots"),
    ("\"\": no proxy.", "For none, see NoProxy."),
    ("NULL", "\"\""),
];

pub fn files(header: &Header) -> Vec<File> {
    let (fields, copies) = credit(header);
    let (row, copied_row) = field_error(header);
    let (settings, given) = client_options(header);
    vec![
        File { path: "examples/go/fishcredit/status_generated.go", text: statuses(header) },
        File { path: "examples/go/fishcredit/cmd/fish-credit/help_generated.go", text: help() },
        Parts::of("examples/go/fishcredit/credit.go", ("//", ""))
            .put("the fields of fish_api_credit", &fields)
            .put("how each is copied", &copies)
            .file(),
        Parts::of("examples/go/fishcredit/error.go", ("//", ""))
            .put("the fields of fish_field_error", &row)
            .put("how each is copied", &copied_row)
            .file(),
        Parts::of("examples/go/fishcredit/client.go", ("//", ""))
            .put("the fields of fish_client_options", &settings)
            .put("how each is given", &given)
            .file(),
        Parts::of("examples/go/fishcredit/names.go", ("//", ""))
            .put("the fields of fish_client_options", &names(header))
            .file(),
    ]
}

fn credit(header: &Header) -> (String, String) {
    let (mut fields, mut copies) = (String::new(), Vec::new());
    for field in returned(header, "fish_api_credit") {
        let raw = format!("c.{}", field.name);
        let own = camel(field.name);
        // The type is called Credit: its own amount is its Text and Micros.
        let own = if field.name.starts_with("credit") { own["Credit".len()..].to_owned() } else { own };
        let (name, kind, copy) = match &field.is {
            Is::Text { .. } => (own, "string", format!("C.GoString({raw})")),
            Is::Amount { .. } | Is::Stamp => (own + "Text", "string", format!("C.GoString({raw})")),
            Is::Micros { .. } | Is::Number => (own, "int64", format!("int64({raw})")),
            Is::Time { of } => (camel(&of.name), "time.Time", format!("instant({raw})")),
            Is::Bool => (own, "bool", format!("bool({raw})")),
            Is::Tristate if field.name == "has_phone_sha256" => {
                ("HasPhone".to_owned(), "*bool", format!("flag({raw})"))
            }
            Is::Tristate => (own, "*bool", format!("flag({raw})")),
        };
        let about = match field.is {
            Is::Time { .. } => {
                format!("{}, UTC. The zero time if {name}Text is not an RFC 3339 time.", field.about())
            }
            _ => said(field.comment, FIELD_NAMES),
        };
        fields += &wrapped("\t//", &about);
        writeln!(fields, "\t{name} {kind}").unwrap();
        copies.push((name, copy));
    }
    (apart(&fields), aligned("\t\t", &copies))
}

fn field_error(header: &Header) -> (String, String) {
    let (mut fields, mut copies) = (String::new(), Vec::new());
    for field in returned(header, "fish_field_error") {
        fields += &wrapped("\t//", &said(field.comment, FIELD_NAMES));
        writeln!(fields, "\t{} string", camel(field.name)).unwrap();
        // A word of Go's has an underscore before it in cgo.
        let raw = if field.name == "type" { "_type" } else { field.name };
        copies.push((camel(field.name), format!("C.GoString(row.{raw})")));
    }
    (apart(&fields), aligned("\t\t\t\t", &copies))
}

/// `system_roots` for `tls_roots`, and no unit.
fn option_name(option: &Field) -> String {
    match Setting::of(option) {
        Setting::Roots => "SystemRoots".to_owned(),
        _ => camel(without_unit(&option.name)),
    }
}

fn client_options(header: &Header) -> (String, String) {
    let (mut fields, mut given) = (String::new(), Vec::new());
    for option in options(header) {
        let name = option_name(option);
        let about = match Setting::of(option) {
            Setting::Roots => {
                "Trust the operating system's certificate authorities instead of Mozilla's.".to_owned()
            }
            _ => said_of_option(option, FIELD_NAMES),
        };
        let (kind, value) = match Setting::of(option) {
            Setting::Text if option.name == "proxy_url" => ("string", "given.proxy(options)".to_owned()),
            Setting::Text => ("string", format!("given.text(\"Options.{name}\", options.{name})")),
            Setting::Duration => {
                ("time.Duration", format!("given.milliseconds(\"Options.{name}\", options.{name})"))
            }
            Setting::Number => ("uint32", format!("C.uint32_t(options.{name})")),
            Setting::Retries => ("int", format!("given.count(\"Options.{name}\", options.{name})")),
            Setting::Roots => ("bool", format!("roots(options.{name})")),
        };
        fields += &wrapped("\t//", &about);
        writeln!(fields, "\t{name} {kind}").unwrap();
        given.push((option.name.clone(), value));
    }
    (apart(&fields), aligned("\t\t", &given))
}

/// What a message calls an option, and what it is called here. A longer name stands before one that it ends with.
fn names(header: &Header) -> String {
    let row = |option: &Field| {
        let (in_c, name) = (&option.name, option_name(option));
        format!("\t\"options.{in_c}\", \"Options.{name}\", \"{in_c}\", \"Options.{name}\",\n")
    };
    options(header).filter(|one| one.name != "timeout_ms").map(row).collect()
}

/// Lets go doc see where the comment that begins the part ends.
fn apart(fields: &str) -> String {
    format!("\n{fields}\n")
}

/// The rows of a composite literal, as gofmt has them.
fn aligned(indent: &str, rows: &[(String, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.len() + 1).max().unwrap_or_default();
    rows.iter().map(|(name, value)| format!("{indent}{:width$} {value},\n", format!("{name}:"))).collect()
}

fn statuses(header: &Header) -> String {
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
            text += &wrapped("\t//", &comment(&value.comment, NAMES));
            writeln!(text, "\t{own} {kind} = C.{}", value.name).unwrap();
        }
        text += ")\n";
    }
    text
}

/// What the command prints for --help.
fn help() -> String {
    let help = command::help();
    assert!(!help.contains('`'));
    format!(
        "// Code generated from examples/c/fish-credit.c by `{COMMAND}`. DO NOT EDIT.\n\npackage main\n\n\
         const help = `{help}`\n"
    )
}
