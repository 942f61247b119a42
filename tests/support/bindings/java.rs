//! examples/java: all of Abi.java, Status.java and Level.java, and of what comes back and what goes in the parts that
//! name each field.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::super::abi::{Description, Place};
use super::super::generate::COMMAND;
use super::*;

const PACKAGE: &str = "io.github.fishapicredit";

const NAMES: &[(&str, &str)] = &[
    ("fish_error.field_errors", "FishException.fieldErrors"),
    ("fish_error.retry_after_ms", "FishException.retryAfter"),
    ("no api_key option", "no apiKey"),
    (
        "the query's cancel token or the client was cancelled",
        "the thread was interrupted or the client was closed",
    ),
    ("timeout_ms or connect_timeout_ms passed", "the timeout or connect timeout passed"),
    ("low_micros", "low"),
    ("recovered_micros", "recovered"),
    ("FISH_TLS_ROOTS_SYSTEM", "systemRoots"),
    ("ca_file", "caFile"),
    ("base_url", "baseUrl"),
    ("proxy_url", "proxyUrl"),
];

const FIELD_NAMES: &[(&str, &str)] = &[
    ("as exact decimal text, as sent", "exactly as sent"),
    (", as decimal text", ", exactly as sent"),
    ("or after fish_api_credit_from_json", "or after parse"),
    ("FISH_UNKNOWN: absent or null", "null: absent or null"),
    ("as it is without check_free_credit", "as it is without checkFreeCredit"),
    ("credit x", "the balance x"),
    ("cumulative_top_up x", "cumulativeTopUp x"),
    ("False if credit_micros", "False if creditMicros"),
    ("0 if the server did not send it", "null if the server did not send it"),
    ("The text is always exact", "The BigDecimal is always exact"),
    ("; wiped from memory when the client is freed", ""),
    ("base_url", "baseUrl"),
    ("tls_roots", "systemRoots"),
    ("NULL", "null"),
];

pub fn files(header: &Header, measured: &Description) -> Vec<File> {
    let (fields, copies) = credit(header);
    let (row, copied_row) = field_error(header);
    let (options, given) = client_options(header);
    let comment = ("//", "");
    vec![
        File { path: "examples/java/src/io/github/fishapicredit/Abi.java", text: abi(header, measured) },
        File {
            path: "examples/java/src/io/github/fishapicredit/Status.java",
            text: enumeration(
                header,
                ("fish_status_code", "FISH_", "Status"),
                "How a call ended.",
                ("UNRECOGNIZED", "A status that this package does not know: the library is newer."),
            ),
        },
        File {
            path: "examples/java/src/io/github/fishapicredit/Level.java",
            text: enumeration(
                header,
                ("fish_level", "FISH_LEVEL_", "Level"),
                "How much credit there is, told from its amount and a watch's options.",
                ("UNRECOGNIZED", "A level that this package does not know: the library is newer."),
            ),
        },
        Parts::of("examples/java/src/io/github/fishapicredit/Credit.java", comment)
            .put("the fields of fish_api_credit", &fields)
            .put("how each is copied", &copies)
            .file(),
        Parts::of("examples/java/src/io/github/fishapicredit/FieldError.java", comment)
            .put("the fields of fish_field_error", &row)
            .put("how each is copied", &copied_row)
            .file(),
        Parts::of("examples/java/src/io/github/fishapicredit/FishOptions.java", comment)
            .put("the fields of fish_client_options", &options)
            .put("how the options are given", &given)
            .file(),
    ]
}

// ---- What comes back -------------------------------------------------------------------------------------------

/// A record's Javadoc and head.
fn record(name: &str, about: &str, components: &[(String, &str, String)]) -> String {
    let mut text = format!("/**\n * {about}\n *\n");
    for (name, _, about) in components {
        text += &wrapped_under(" *", " *    ", &format!("@param {name} {about}"));
    }
    let components: Vec<_> =
        components.iter().map(|(name, kind, _)| format!("        {kind} {name}")).collect();
    write!(text, " */\npublic record {name}(\n{}) {{\n", components.join(",\n")).unwrap();
    text
}

fn arguments(copies: &[String]) -> String {
    let lines: Vec<_> = copies.iter().map(|copy| format!("                {copy}")).collect();
    lines.join(",\n") + "\n"
}

fn credit(header: &Header) -> (String, String) {
    let (mut components, mut copies) = (Vec::new(), Vec::new());
    for field in returned(header, "fish_api_credit") {
        let at = format!("Abi.ApiCredit.{}", field.name.to_uppercase());
        let (kind, copy) = match &field.is {
            Is::Text { .. } | Is::Stamp => ("String", format!("Taken.text(filled, {at})")),
            Is::Amount { .. } => ("BigDecimal", format!("Taken.decimal(filled, {at})")),
            Is::Micros { of, optional: true } => (
                "Long",
                format!(
                    "Taken.text(filled, Abi.ApiCredit.{}) == null\n                        ? null : filled.get(JAVA_LONG, {at})",
                    of.to_uppercase()
                ),
            ),
            Is::Micros { .. } | Is::Number => ("long", format!("filled.get(JAVA_LONG, {at})")),
            Is::Time { .. } => ("Instant", format!("Taken.instant(filled.get(JAVA_LONG, {at}))")),
            Is::Bool => ("boolean", format!("filled.get(JAVA_BOOLEAN, {at})")),
            Is::Tristate => ("Boolean", format!("Taken.answer(filled.get(JAVA_INT, {at}))")),
        };
        let name = match &field.is {
            Is::Stamp => format!("{}Text", lower_pascal(field.name)),
            Is::Time { of } => lower_pascal(&of.name),
            _ if field.name == "has_phone_sha256" => "hasPhone".to_owned(),
            _ => lower_pascal(field.name),
        };
        let about = match field.is {
            Is::Time { .. } => format!("{}. null: the text is no RFC 3339 time.", field.about()),
            _ => said(field.comment, FIELD_NAMES),
        };
        components.push((name, kind, about));
        copies.push(copy);
    }
    let about = "An account's API credit, which programs spend; not the platform credit of a plan.";
    (record("Credit", about, &components), arguments(&copies))
}

fn field_error(header: &Header) -> (String, String) {
    let (mut components, mut copies) = (Vec::new(), Vec::new());
    for field in returned(header, "fish_field_error") {
        components.push((lower_pascal(field.name), "String", said(field.comment, FIELD_NAMES)));
        copies.push(format!("Taken.text(row, Abi.FieldError.{})", field.name.to_uppercase()));
    }
    let about = "One problem that the server found in the request.";
    (record("FieldError", about, &components), arguments(&copies))
}

// ---- What goes in ----------------------------------------------------------------------------------------------

fn client_options(header: &Header) -> (String, String) {
    let (mut fields, mut setters, mut given) = (String::new(), String::new(), String::new());
    for option in options(header) {
        let at = format!("Abi.ClientOptions.{}", option.name.to_uppercase());
        let setting = Setting::of(option);
        let name = match setting {
            Setting::Roots => "systemRoots".to_owned(),
            _ => lower_pascal(without_unit(&option.name)),
        };
        let (kind, default, place, value) = match setting {
            Setting::Text => ("String", "", "ADDRESS", format!("Given.text(arena, \"{name}\", {name})")),
            Setting::Duration => {
                ("Duration", "", "JAVA_INT", format!("Given.milliseconds(\"{name}\", {name})"))
            }
            Setting::Number => ("int", "", "JAVA_INT", name.clone()),
            Setting::Retries => ("int", " = 2", "JAVA_INT", format!("Given.retries({name})")),
            Setting::Roots => ("boolean", "", "JAVA_INT", format!("Given.roots({name})")),
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
        writeln!(fields, "    private {kind} {name}{default};").unwrap();
        write!(
            setters,
            "\n{}    public FishOptions {name}({kind} {name}) {{\n        this.{name} = {name};\n        \
             return this;\n    }}\n",
            doc("    ", &about),
        )
        .unwrap();
        writeln!(given, "        given.set({place}, {at}, {value});").unwrap();
    }
    (fields + &setters, given)
}

// ---- The ABI ---------------------------------------------------------------------------------------------------

/// An enum with the library's numbers, and one more for unknown ones.
fn enumeration(
    header: &Header,
    (in_c, prefix, class): (&str, &str, &str),
    about: &str,
    (unknown, of_unknown): (&str, &str),
) -> String {
    let mut text = format!(
        "// Written from the library's source: {COMMAND}\npackage {PACKAGE};\n\n/** {about} */\n\
         public enum {class} {{\n"
    );
    let values = &find(header, in_c).values;
    for value in values {
        text += &doc("    ", &comment(&value.comment, NAMES));
        writeln!(text, "    {}({}),", short(value, prefix), value.value).unwrap();
    }
    write!(
        text,
        "    /** {of_unknown} */\n    {unknown}(-1);\n\n    private final int code;\n\n    {class}(int code) {{\n        \
         this.code = code;\n    }}\n\n    /** The library's number. */\n    public int code() {{\n        \
         return code;\n    }}\n\n    static {class} of(int code) {{\n        for (var one : values()) {{\n            \
         if (one.code == code) {{\n                return one;\n            }}\n        }}\n        \
         return {unknown};\n    }}\n}}\n"
    )
    .unwrap();
    text
}

fn abi(header: &Header, measured: &Description) -> String {
    let mut text = String::new();
    for one in &header.constants {
        let name = one.name.strip_prefix("FISH_").expect("FISH_");
        let (kind, value) = match one.value.as_str() {
            "INT64_MIN" => ("long", "Long.MIN_VALUE"),
            value if one.is_text() => ("String", value),
            value => ("int", value),
        };
        writeln!(text, "    static final {kind} {name} = {value};").unwrap();
    }
    text.push('\n');
    for value in header.enums.iter().flat_map(|one| &one.values) {
        writeln!(text, "    static final int {} = {};", short(value, "FISH_"), value.value).unwrap();
    }
    for one in &header.structs {
        let measure = |what: &str| &measured[&format!("{what} {}", one.name)];
        let size: String = measure("struct").chars().take_while(char::is_ascii_digit).collect();
        let name = pascal(one.name.strip_prefix("fish_").expect("fish_"));
        write!(
            text,
            "\n    /** {}: its size, and where its fields are, in bytes. */\n    static final class {name} {{\n        \
             static final long SIZE = {size};\n",
            one.name
        )
        .unwrap();
        for field in one.fields.iter().filter(|field| field.name != "reserved") {
            let place = Place::parse(&measured[&format!("field {}.{}", one.name, field.name)]);
            writeln!(text, "        static final long {} = {};", field.name.to_uppercase(), place.offset)
                .unwrap();
        }
        write!(text, "\n        private {name}() {{}}\n    }}\n").unwrap();
    }
    text += "\n    /** The names in the library's messages that differ here. */\n    \
             static final Map<String, String> NAMES = Map.ofEntries(\n";
    let names: Vec<_> = names_in_messages(header, lower_pascal)
        .into_iter()
        .map(|(in_c, here)| format!("            Map.entry(\"{in_c}\", \"{here}\")"))
        .collect();
    text += &names.join(",\n");
    text += ");\n";
    for one in &header.functions {
        let parameters: Vec<_> = one.parameters.iter().map(|(kind, name)| (java_type(kind), name)).collect();
        let mut layouts: Vec<_> = parameters.iter().map(|((layout, _), _)| *layout).collect();
        let (returned, of) = match one.returns.as_str() {
            "void" => ("void", "ofVoid"),
            kind => {
                layouts.insert(0, java_type(kind).0);
                (java_type(kind).1, "of")
            }
        };
        let constant = one.name.to_uppercase();
        let given: Vec<_> =
            parameters.iter().map(|((_, kind), name)| format!("{kind} {}", lower_pascal(name))).collect();
        let passed: Vec<_> = parameters.iter().map(|(_, name)| lower_pascal(name)).collect();
        let cast = if returned == "void" { String::new() } else { format!("return ({returned}) ") };
        write!(
            text,
            "\n    private static final MethodHandle {constant} =\n            \
             Library.function(\"{}\", FunctionDescriptor.{of}({}));\n\n    \
             static {returned} {0}({}) {{\n        try {{\n            {cast}{constant}.invokeExact({});\n        \
             }} catch (Throwable impossible) {{\n            throw new AssertionError(impossible);\n        }}\n    }}\n",
            one.name,
            layouts.join(", "),
            given.join(", "),
            passed.join(", "),
        )
        .unwrap();
    }
    let used: BTreeSet<_> = text.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let used = used.into_iter().filter(|word| word.starts_with("JAVA_") || *word == "ADDRESS");
    let used: String =
        used.map(|word| format!("import static java.lang.foreign.ValueLayout.{word};\n")).collect();
    format!(
        "// Written from the library's source: {COMMAND}\npackage {PACKAGE};\n\n{used}\n\
         import java.lang.foreign.FunctionDescriptor;\nimport java.lang.foreign.MemorySegment;\n\
         import java.lang.invoke.MethodHandle;\nimport java.util.Map;\n\n\
         /** fish_api_credit.h in java.lang.foreign's words: constants, layouts and functions, where pointers have 64 bits. */\n\
         final class Abi {{\n    private Abi() {{}}\n\n{text}}}\n"
    )
}

/// Its layout, and what Java calls it.
fn java_type(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "bool" => ("JAVA_BOOLEAN", "boolean"),
        "int32_t" | "uint32_t" | "fish_status" | "fish_tristate" | "fish_level" => ("JAVA_INT", "int"),
        "int64_t" | "uint64_t" | "size_t" | "intptr_t" => ("JAVA_LONG", "long"),
        kind if kind.ends_with('*') => ("ADDRESS", "MemorySegment"),
        other => panic!("Java's bindings do not know the type {other}"),
    }
}
