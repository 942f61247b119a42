//! examples/python: all of _abi.py, and of what comes back and what goes in the parts that name each field.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::super::command;
use super::super::generate::COMMAND;
use super::*;

const NAMES: &[(&str, &str)] = &[
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
    ("FISH_TLS_ROOTS_SYSTEM", "system_roots"),
];

const FIELD_NAMES: &[(&str, &str)] = &[
    ("as exact decimal text, as sent", "exactly as sent"),
    (", as decimal text", ", exactly as sent"),
    ("or after fish_api_credit_from_json", "or after parse_credit"),
    ("FISH_UNKNOWN: absent or null", "None: absent or null"),
    ("credit x", "The balance x"),
    ("0 if the server did not send it", "None if the server did not send it"),
    ("The text is always exact", "The Decimal is always exact"),
    ("when the client is freed", "when the client is closed"),
    ("tls_roots", "system_roots"),
    ("NULL", "None"),
];

pub fn files(header: &Header) -> Vec<File> {
    let (fields, copies) = credit(header);
    let (row, copied_row) = field_error(header);
    vec![
        File { path: "examples/python/fish_api_credit/_abi.py", text: abi(header) },
        File { path: "examples/python/fish_api_credit/_help.py", text: help() },
        Parts::of("examples/python/fish_api_credit/_credit.py", ("#", ""))
            .put("the fields of fish_api_credit", &fields)
            .put("how each is copied", &copies)
            .file(),
        Parts::of("examples/python/fish_api_credit/_errors.py", ("#", ""))
            .put("the fields of fish_field_error", &row)
            .put("how each is copied", &copied_row)
            .file(),
        Parts::of("examples/python/fish_api_credit/_client.py", ("#", ""))
            .put("the fields of fish_client_options", &client_options(header))
            .file(),
    ]
}

// ---- What comes back -------------------------------------------------------------------------------------------

/// The fields of Credit and how each is copied. What may be None has that as its default and stands last.
fn credit(header: &Header) -> (String, String) {
    let (mut required, mut optional, mut copies) = (String::new(), String::new(), String::new());
    for field in returned(header, "fish_api_credit") {
        let raw = format!("filled.{}", field.name);
        let (kind, may_be_none, copy) = match &field.is {
            Is::Text { optional: false } | Is::Stamp => ("str", false, format!("{raw}.decode()")),
            Is::Text { optional: true } => ("str", true, format!("_text({raw})")),
            Is::Amount { optional: false } => ("Decimal", false, format!("Decimal({raw}.decode())")),
            Is::Amount { optional: true } => ("Decimal", true, format!("_decimal({raw})")),
            Is::Micros { of, optional: true } => {
                ("int", true, format!("None if filled.{of} is None else {raw}"))
            }
            Is::Micros { .. } | Is::Number => ("int", false, raw),
            Is::Time { .. } => ("datetime", true, format!("_instant({raw})")),
            Is::Bool => ("bool", false, raw),
            Is::Tristate => ("bool", true, format!("_flag({raw})")),
        };
        let name = match &field.is {
            Is::Stamp => format!("{}_text", field.name),
            Is::Time { of } => of.name.clone(),
            _ if field.name == "has_phone_sha256" => "has_phone".to_owned(),
            _ => field.name.to_owned(),
        };
        let about = match field.is {
            Is::Time { .. } => format!("{}, UTC. None: the text is not an RFC 3339 time.", field.about()),
            _ => said(field.comment, FIELD_NAMES),
        };
        let into = if may_be_none { &mut optional } else { &mut required };
        match name.as_str() {
            // It is of the answer, not of the credit.
            "request_id" => {
                *into += &wrapped("    #:", &format!("{about} It does not count when credits are compared."));
                writeln!(into, "    {name}: Optional[{kind}] = field(default=None, compare=False)").unwrap();
            }
            _ => {
                *into += &wrapped("    #:", &about);
                match may_be_none {
                    true => writeln!(into, "    {name}: Optional[{kind}] = None").unwrap(),
                    false => writeln!(into, "    {name}: {kind}").unwrap(),
                }
            }
        }
        writeln!(copies, "        {name}={copy},").unwrap();
        // A Decimal has no form of its own for every text: 1e2 and 1E+2 are one.
        if let Is::Amount { optional: may_be_none } = field.is {
            let (into, kind, copy) = match may_be_none {
                true => (&mut optional, "Optional[str] = None", format!("_text(filled.{name})")),
                false => (&mut required, "str", format!("filled.{name}.decode()")),
            };
            let none = if may_be_none { " None if the server did not send it." } else { "" };
            *into += &wrapped("    #:", &format!("The text of {name}, as sent.{none}"));
            writeln!(into, "    {name}_text: {kind}").unwrap();
            writeln!(copies, "        {name}_text={copy},").unwrap();
        }
    }
    (required + &optional, copies)
}

fn field_error(header: &Header) -> (String, String) {
    let (mut fields, mut copies) = (String::new(), String::new());
    for field in returned(header, "fish_field_error") {
        let name = field.name;
        let (kind, copy) = match field.is {
            Is::Text { optional: true } => ("Optional[str]", format!("_text(row.{name})")),
            _ => ("str", format!("row.{name}.decode()")),
        };
        fields += &wrapped("    #:", &said(field.comment, FIELD_NAMES));
        writeln!(fields, "    {name}: {kind}").unwrap();
        writeln!(copies, "        {name}={copy},").unwrap();
    }
    (fields, copies)
}

/// What the command prints for --help.
fn help() -> String {
    let help = command::help();
    assert!(!help.contains("\"\"\""));
    format!(
        "\"\"\"What fish-credit --help prints. Written from examples/c/fish-credit.c: {COMMAND}\"\"\"\n\n\
         HELP = \"\"\"\\\n{help}\"\"\"\n"
    )
}

// ---- What goes in ----------------------------------------------------------------------------------------------

/// Client's __init__, up to the struct that C reads.
fn client_options(header: &Header) -> String {
    let (mut parameters, mut about, mut given) = (String::new(), String::new(), String::new());
    for option in options(header) {
        let in_c = &option.name;
        let setting = Setting::of(option);
        let name = if setting == Setting::Roots { "system_roots" } else { without_unit(in_c) };
        let kind = match (setting, name) {
            (_, "ca_file") => "\"Union[str, os.PathLike[str], None]\" = None",
            (Setting::Text, _) => "Optional[str] = None",
            (Setting::Duration, _) => "Optional[float] = None",
            (Setting::Number, _) => "int = 0",
            (Setting::Retries, _) => "int = 2",
            (Setting::Roots, _) => "bool = False",
        };
        let says = match Setting::of(option) {
            Setting::Retries => "How many times a failed request is retried. 0: never.".to_owned(),
            Setting::Roots => {
                "Trust the operating system's certificate authorities instead of Mozilla's.".to_owned()
            }
            Setting::Duration => said_of_option(option, FIELD_NAMES).replace(" 0: ", " None: "),
            _ => said_of_option(option, FIELD_NAMES),
        };
        let value = match Setting::of(option) {
            Setting::Text if name == "ca_file" => {
                "_encode(\"ca_file\", None if ca_file is None else os.fspath(ca_file))".to_owned()
            }
            Setting::Text => format!("_encode(\"{name}\", {name})"),
            Setting::Duration => format!("_milliseconds(\"{name}\", {name})"),
            Setting::Number => name.to_owned(),
            Setting::Retries => format!("_retries({name})"),
            Setting::Roots => format!("c.TLS_ROOTS_SYSTEM if {name} else c.TLS_ROOTS_BUNDLED"),
        };
        writeln!(parameters, "        {name}: {kind},").unwrap();
        if parameters.lines().count() == 1 {
            parameters += "        *,\n";
        }
        about += &wrapped_under("       ", "           ", &format!(":param {name}: {says}"));
        writeln!(given, "            {in_c}={value},").unwrap();
    }
    format!(
        "    def __init__(\n        self,\n{parameters}    ) -> None:\n        \"\"\"None means the library's default. \
         Timeouts are in seconds.\n\n{about}        \"\"\"\n        options = c.ClientOptions(\n{given}        )\n"
    )
}

// ---- The ABI ---------------------------------------------------------------------------------------------------

fn abi(header: &Header) -> String {
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
            text += &wrapped("    #:", &comment(&value.comment, NAMES));
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
