//! examples/csharp: the parts of FishApiCredit.cs that hold the ABI, and those that name each field.

use std::fmt::Write;

use super::*;

const NAMES: &[(&str, &str)] = &[
    ("fish_error.field_errors", "FishException.FieldErrors"),
    ("fish_error.retry_after_ms", "FishException.RetryAfter"),
    ("no api_key option", "no ApiKey"),
    ("the query's cancel token or the client was cancelled", "the client was disposed"),
    ("timeout_ms or connect_timeout_ms passed", "the timeout or connect timeout passed"),
    ("low_micros", "Low"),
    ("recovered_micros", "Recovered"),
    ("FISH_TLS_ROOTS_SYSTEM", "SystemRoots"),
    ("ca_file", "CaFile"),
    ("base_url", "BaseUrl"),
    ("proxy_url", "ProxyUrl"),
];

const FIELD_NAMES: &[(&str, &str)] = &[
    ("or after fish_api_credit_from_json", "or after Parse"),
    ("FISH_UNKNOWN: absent or null", "null: absent or null"),
    ("as it is without check_free_credit", "as it is without CheckFreeCredit"),
    ("credit x", "The balance x"),
    ("cumulative_top_up x", "CumulativeTopUp x"),
    ("False if credit_micros", "False if CreditMicros"),
    ("0 if the server did not send it", "null if the server did not send it"),
    ("The text is always exact", "CreditText is always exact"),
    ("; wiped from memory when the client is freed", ""),
    ("base_url", "BaseUrl"),
    ("tls_roots", "SystemRoots"),
    ("NULL", "null"),
];

pub fn files(header: &Header) -> Vec<File> {
    let (fields, copies) = credit(header);
    let (row, copied_row) = field_error(header);
    let (options, given) = client_options(header);
    vec![
        Parts::of("examples/csharp/FishApiCredit.cs", ("//", ""))
            .put("the statuses and levels", &enumerations(header))
            .put("the fields of fish_field_error", &row)
            .put("how each field of a row is copied", &copied_row)
            .put("the fields of fish_api_credit", &fields)
            .put("how each field of the credit is copied", &copies)
            .put("the fields of fish_client_options", &options)
            .put("how the options are given", &given)
            .put("constants, structs and functions", &native(header))
            .file(),
    ]
}

/// A comment as C# has it.
fn summary(indent: &str, about: &str) -> String {
    let about = about.replace('&', "&amp;").replace('<', "&lt;");
    let line = format!("{indent}/// <summary>{about}</summary>\n");
    match line.len() <= 116 {
        true => line,
        false => {
            let body = wrapped(&format!("{indent}///"), &about);
            format!("{indent}/// <summary>\n{body}{indent}/// </summary>\n")
        }
    }
}

fn property(kind: &str, name: &str, about: &str) -> String {
    format!("{}        public {kind} {name} {{ get; private set; }}\n", summary("        ", about))
}

// ---- What comes back -------------------------------------------------------------------------------------------

fn credit(header: &Header) -> (String, String) {
    let (mut fields, mut copies) = (Vec::new(), String::new());
    let mut add = |kind: &str, name: &str, about: &str, copy: &str| {
        fields.push(property(kind, name, about));
        writeln!(copies, "            {name} = {copy};").unwrap();
    };
    for field in returned(header, "fish_api_credit") {
        let raw = format!("filled.{}", field.name);
        let own = match field.name {
            "has_phone_sha256" => "HasPhone".to_owned(),
            name => pascal(name),
        };
        let about = said(field.about(), FIELD_NAMES);
        let text = format!("{own}Text");
        match &field.is {
            Is::Text { .. } => add("string", &own, &about, &format!("Text.Taken({raw})")),
            Is::Amount { optional } => {
                add("string", &text, &about, &format!("Text.Taken({raw})"));
                let (kind, value) = if *optional { ("decimal?", "") } else { ("decimal", ".Value") };
                let about = format!(
                    "{text} as a number. One of more than 28 digits is rounded down to whole micros, as {own}Micros."
                );
                add(kind, &own, &about, &format!("Number({text}, {raw}_micros){value}"));
            }
            Is::Micros { of, optional: true } => {
                let copy = format!("filled.{of} == IntPtr.Zero ? (long?) null : {raw}");
                add("long?", &own, &about, &copy);
            }
            Is::Micros { .. } | Is::Number => add("long", &own, &about, &raw),
            Is::Stamp => add("string", &text, &about, &format!("Text.Taken({raw})")),
            Is::Time { of } => {
                let about = format!("{about}. null: the text is no RFC 3339 time.");
                add("DateTimeOffset?", &pascal(&of.name), &about, &format!("Time({raw})"));
            }
            Is::Bool => add("bool", &own, &about, &format!("{raw} != 0")),
            Is::Tristate => add("bool?", &own, &about, &format!("Answer({raw})")),
        }
    }
    (fields.join("\n"), copies)
}

fn field_error(header: &Header) -> (String, String) {
    let (mut fields, mut copies) = (Vec::new(), String::new());
    for field in returned(header, "fish_field_error") {
        let name = pascal(field.name);
        fields.push(property("string", &name, &said(field.comment, FIELD_NAMES)));
        writeln!(copies, "            {name} = Text.Taken(row.{});", field.name).unwrap();
    }
    (fields.join("\n"), copies)
}

// ---- What goes in ----------------------------------------------------------------------------------------------

fn client_options(header: &Header) -> (String, String) {
    let (mut fields, mut given) = (Vec::new(), String::new());
    for option in options(header) {
        let setting = Setting::of(option);
        let name = match setting {
            Setting::Roots => "SystemRoots".to_owned(),
            _ => pascal(without_unit(&option.name)),
        };
        let (kind, value) = match setting {
            Setting::Text => ("string", format!("texts.Give(\"{name}\", {name})")),
            Setting::Duration => ("TimeSpan?", format!("Units.Milliseconds(\"{name}\", {name})")),
            Setting::Number => ("uint", name.clone()),
            Setting::Retries => ("int", format!("Units.Retries({name})")),
            Setting::Roots => ("bool", format!("Units.Roots({name})")),
        };
        let about = match setting {
            Setting::Retries => {
                "How many times a failed request is retried. By default 2. 0: never.".to_owned()
            }
            Setting::Roots => {
                "Trust the operating system's certificate authorities instead of Mozilla's.".to_owned()
            }
            Setting::Duration => said_of_option(option, FIELD_NAMES).replace(" 0: ", " null: "),
            _ => said_of_option(option, FIELD_NAMES),
        };
        let default = if setting == Setting::Retries { " = 2;" } else { "" };
        fields.push(format!(
            "{}        public {kind} {name} {{ get; set; }}{default}\n",
            summary("        ", &about)
        ));
        writeln!(given, "                {} = {value},", option.name).unwrap();
    }
    (fields.join("\n"), given)
}

// ---- The ABI ---------------------------------------------------------------------------------------------------

fn enumerations(header: &Header) -> String {
    let one = |(in_c, prefix, class, about): (&str, &str, &str, &str)| {
        let mut text = summary("    ", about);
        writeln!(text, "    public enum {class} {{").unwrap();
        for value in &find(header, in_c).values {
            text += &summary("        ", &comment(&value.comment, NAMES));
            writeln!(text, "        {} = {},", pascal(short(value, prefix)), value.value).unwrap();
        }
        text + "    }\n"
    };
    [
        (
            "fish_status_code",
            "FISH_",
            "FishStatus",
            "How a call ended. A newer library may have statuses that are not in this enum.",
        ),
        (
            "fish_level",
            "FISH_LEVEL_",
            "FishLevel",
            "How much credit there is, told from its amount and a watch's options.",
        ),
    ]
    .map(one)
    .join("\n")
}

fn native(header: &Header) -> String {
    let mut text = String::new();
    for one in &header.constants {
        let name = one.name.strip_prefix("FISH_").expect("FISH_");
        let (kind, value) = match one.value.as_str() {
            "INT64_MIN" => ("long", "long.MinValue"),
            value if one.is_text() => ("string", value),
            value => ("int", value),
        };
        writeln!(text, "        internal const {kind} {name} = {value};").unwrap();
    }
    for value in header.enums.iter().flat_map(|one| &one.values) {
        let name = short(value, "FISH_");
        if ["OK", "UNKNOWN", "TRUE"].contains(&name) {
            writeln!(text, "        internal const int {name} = {};", value.value).unwrap();
        }
    }
    text += "\n        /// <summary>The names in the library's messages that differ here.</summary>\n        \
             internal static readonly Dictionary<string, string> Names = new Dictionary<string, string> {\n";
    for (in_c, here) in names_in_messages(header, pascal) {
        writeln!(text, "            {{ \"{in_c}\", \"{here}\" }},").unwrap();
    }
    text += "        };\n";
    for one in &header.structs {
        let name = pascal(one.name.strip_prefix("fish_").expect("fish_"));
        let qualifier = "\n        [StructLayout(LayoutKind.Sequential)]\n        internal struct";
        writeln!(text, "{qualifier} {name} {{").unwrap();
        for field in &one.fields {
            match field.kind.split_once('[') {
                // An array would make the struct one that .NET must convert, and not pass as it is.
                Some((kind, count)) => {
                    let count: usize = count.trim_end_matches(']').parse().expect("a length");
                    let words: Vec<_> = (0..count).map(|at| format!("{}{at}", field.name)).collect();
                    writeln!(text, "            internal {} {};", field_type(kind), words.join(", "))
                }
                None => writeln!(text, "            internal {} {};", field_type(&field.kind), field.name),
            }
            .unwrap();
        }
        text += "        }\n";
    }
    for one in &header.functions {
        let ends = one.name.ends_with("_free");
        let parameters: Vec<_> = one
            .parameters
            .iter()
            .map(|(kind, name)| {
                let keyword = if name == "string" { "@" } else { "" };
                format!("{} {keyword}{name}", parameter_type(kind, ends))
            })
            .collect();
        let returns = match one.returns.as_str() {
            "void" => "void".to_owned(),
            kind => field_type(kind),
        };
        let (attribute, returns) = match one.returns.as_str() {
            "bool" => ("        [return: MarshalAs(UnmanagedType.I1)]\n", "bool".to_owned()),
            _ => ("", returns),
        };
        let head = format!("        internal static extern {returns} {}(", one.name);
        let line = format!("{head}{});\n", parameters.join(", "));
        let line = match line.len() <= 116 {
            true => line,
            false => format!("{head}\n            {});\n", parameters.join(", ")),
        };
        write!(
            text,
            "\n        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]\n{attribute}{line}"
        )
        .unwrap();
    }
    text
}

/// In a struct, or returned: as wide as C's, so that .NET passes it as it is.
fn field_type(kind: &str) -> String {
    match kind {
        "bool" => "byte",
        "int32_t" | "fish_status" | "fish_tristate" | "fish_level" => "int",
        "uint32_t" => "uint",
        "int64_t" => "long",
        "uint64_t" => "ulong",
        "size_t" => "UIntPtr",
        "intptr_t" => "IntPtr",
        kind if kind.ends_with('*') => "IntPtr",
        kind => return pascal(kind.strip_prefix("fish_").expect("a struct")),
    }
    .to_owned()
}

/// A SafeHandle stays open during the function. The functions that free take the bare pointer, or a filled struct.
fn parameter_type(kind: &str, ends: bool) -> String {
    let bare = kind.strip_prefix("const ").unwrap_or(kind);
    match bare {
        "char *" if ends => "IntPtr".to_owned(),
        "char *" => "byte[]".to_owned(),
        "char **" => "out IntPtr".to_owned(),
        "fish_client **" | "fish_call **" | "fish_watch **" => {
            format!("out {}Handle", pascal(&bare["fish_".len()..bare.len() - " **".len()]))
        }
        "fish_cancel_token *" => "IntPtr".to_owned(),
        "fish_client *" | "fish_call *" | "fish_watch *" if ends => "IntPtr".to_owned(),
        "fish_client *" | "fish_call *" | "fish_watch *" => {
            format!("{}Handle", pascal(&bare["fish_".len()..bare.len() - " *".len()]))
        }
        _ => match bare.strip_suffix(" *") {
            Some(name) => {
                let passed = if kind.starts_with("const ") || ends { "ref" } else { "out" };
                format!("{passed} {}", pascal(name.strip_prefix("fish_").expect("a struct")))
            }
            None => field_type(kind),
        },
    }
}
