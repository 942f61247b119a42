//! examples/swift: all of Status.swift, and of what comes back and what goes in the parts that name each field.

use std::fmt::Write;

use super::super::command;
use super::super::generate::COMMAND;
use super::*;

const NAMES: &[(&str, &str)] = &[
    ("fish_error.field_errors", "`FishError.fields`"),
    ("fish_error.retry_after_ms", "`FishError.retryAfter`"),
    ("api_key option", "`apiKey`"),
    ("the query's cancel token or the client was cancelled", "its task or its token was cancelled"),
    ("timeout_ms or connect_timeout_ms passed", "the timeout or connect timeout passed"),
    ("base_url", "`baseURL`"),
    ("low_micros", "`low`"),
    ("recovered_micros", "`recovered`"),
    ("FISH_TLS_ROOTS_SYSTEM", "`systemRoots`"),
    ("ca_file", "`caFile`"),
    ("proxy_url", "`proxy`"),
];

const FIELD_NAMES: &[(&str, &str)] = &[
    ("or after fish_api_credit_from_json", "or after `init(json:)`"),
    ("FISH_UNKNOWN: absent or null", "nil: absent or null"),
    ("without check_free_credit", "without `checkFreeCredit`"),
    ("credit x", "The balance x"),
    ("cumulative_top_up x", "`cumulativeTopUp` x"),
    ("credit_micros", "`creditMicros`"),
    ("0 if the server did not send it", "nil if the server did not send it"),
    ("base_url", "`baseURL`"),
    ("tls_roots", "`systemRoots`"),
    ("NULL", "nil"),
];

pub fn files(header: &Header) -> Vec<File> {
    let (fields, copies) = credit(header);
    let (row, copied_row) = field_error(header);
    vec![
        File { path: "examples/swift/Sources/FishApiCredit/Status.swift", text: statuses(header) },
        File { path: "examples/swift/Sources/fish-credit/Help.swift", text: help() },
        Parts::of("examples/swift/Sources/FishApiCredit/Credit.swift", ("//", ""))
            .put("the fields of fish_api_credit", &fields)
            .put("how each is copied", &copies)
            .file(),
        Parts::of("examples/swift/Sources/FishApiCredit/Error.swift", ("//", ""))
            .put("the fields of fish_field_error", &row)
            .put("how each is copied", &copied_row)
            .put("the names of fish_client_options", &names(header))
            .file(),
        Parts::of("examples/swift/Sources/FishApiCredit/Client.swift", ("//", ""))
            .put("how the options are given", &given(header))
            .put("the fields of fish_client_options", &client_options(header))
            .put("how each is shown", &shown(header))
            .file(),
    ]
}

// ---- What comes back -------------------------------------------------------------------------------------------

fn credit(header: &Header) -> (String, String) {
    let (mut fields, mut copies) = (String::new(), String::new());
    let mut add = |about: &str, name: &str, kind: &str, copy: &str| {
        fields += &wrapped("    ///", about);
        writeln!(fields, "    public let {name}: {kind}").unwrap();
        writeln!(copies, "        {name} = {copy}").unwrap();
    };
    for field in returned(header, "fish_api_credit") {
        let raw = format!("filled.{}", field.name);
        let own = match field.name {
            "has_phone_sha256" => "hasPhone".to_owned(),
            name => lower_camel(name),
        };
        let about = said(field.about(), FIELD_NAMES);
        let text = format!("{own}Text");
        match &field.is {
            Is::Text { optional: false } => add(&about, &own, "String", &format!("text({raw}) ?? \"\"")),
            Is::Text { optional: true } => add(&about, &own, "String?", &format!("text({raw})")),
            Is::Amount { optional: false } => {
                let number = format!("decimal(text({raw}) ?? \"\", micros: {raw}_micros)");
                add(&about, &text, "String", &format!("text({raw}) ?? \"\""));
                add(&format!("`{text}` as a number, which holds 38 digits."), &own, "Decimal", &number);
            }
            Is::Amount { optional: true } => {
                let number = format!("text({raw}).map {{ decimal($0, micros: {raw}_micros) }}");
                add(&about, &text, "String?", &format!("text({raw})"));
                add(&format!("`{text}` as a number, which holds 38 digits."), &own, "Decimal?", &number);
            }
            Is::Micros { of, optional: true } => {
                add(&about, &own, "Int64?", &format!("filled.{of} == nil ? nil : {raw}"));
            }
            Is::Micros { .. } | Is::Number => add(&about, &own, "Int64", &format!("Int64({raw})")),
            Is::Stamp => add(&about, &text, "String", &format!("text({raw}) ?? \"\"")),
            Is::Time { of } => {
                let own = lower_camel(&of.name);
                add(
                    &format!("{about}. nil: the text is not an RFC 3339 time."),
                    &own,
                    "Date?",
                    &format!("date({raw})"),
                );
            }
            Is::Bool => add(&about, &own, "Bool", &raw),
            Is::Tristate => add(&about, &own, "Bool?", &format!("flag({raw})")),
        }
    }
    (fields, copies)
}

fn field_error(header: &Header) -> (String, String) {
    let (mut fields, mut copies) = (String::new(), Vec::new());
    for field in returned(header, "fish_field_error") {
        let name = lower_camel(field.name);
        let (kind, copy) = match field.is {
            Is::Text { optional: true } => ("String?", format!("text(row.{})", field.name)),
            _ => ("String", format!("text(row.{}) ?? \"\"", field.name)),
        };
        fields += &wrapped("        ///", &said(field.comment, FIELD_NAMES));
        writeln!(fields, "        public let {name}: {kind}").unwrap();
        copies.push(format!("                {name}: {copy}"));
    }
    (fields, copies.join(",\n") + "\n")
}

// ---- What goes in ----------------------------------------------------------------------------------------------

/// The options in the order of the initialiser's arguments, which Swift holds callers to: `systemRoots` is beside
/// `caFile`, and what is new comes last.
fn in_order(header: &Header) -> Vec<&Field> {
    let mut all: Vec<_> = options(header).collect();
    let at = |all: &[&Field], name: &str| all.iter().position(|one| one.name == name).expect(name);
    let roots = all.remove(at(&all, "tls_roots"));
    all.insert(at(&all, "ca_file") + 1, roots);
    all
}

/// An option's name here. A proxy is an enum, of which "proxyURL" would be one case.
fn option_name(option: &Field) -> String {
    match option.name.as_str() {
        "tls_roots" => "systemRoots".to_owned(),
        "proxy_url" => "proxy".to_owned(),
        name => lower_camel(without_unit(name)),
    }
}

/// Its type, and the default that an initialiser needs.
fn option_type(option: &Field) -> (&'static str, &'static str) {
    match (Setting::of(option), option.name.as_str()) {
        (_, "proxy_url") => ("Proxy", ".environment"),
        (Setting::Text, _) => ("String?", "nil"),
        (Setting::Duration, _) => ("Duration?", "nil"),
        (Setting::Number, _) => ("UInt32", "0"),
        (Setting::Retries, _) => ("Int", "2"),
        (Setting::Roots, _) => ("Bool", "false"),
    }
}

fn client_options(header: &Header) -> String {
    let (mut fields, mut parameters, mut assigned) = (String::new(), Vec::new(), String::new());
    for option in in_order(header) {
        let (name, (kind, default)) = (option_name(option), option_type(option));
        let about = match (Setting::of(option), name.as_str()) {
            (_, "proxy") => "Which proxy, if any.".to_owned(),
            (Setting::Retries, _) => "How many times a failed request is retried. 0: never.".to_owned(),
            (Setting::Roots, _) => {
                "Trust the operating system's certificate authorities instead of Mozilla's.".to_owned()
            }
            (Setting::Duration, _) => said_of_option(option, FIELD_NAMES).replace(" 0: ", " nil: "),
            _ => said_of_option(option, FIELD_NAMES),
        };
        fields += &wrapped("    ///", &about);
        writeln!(fields, "    public var {name}: {kind}").unwrap();
        parameters.push(format!("        {name}: {kind} = {default}"));
        writeln!(assigned, "        self.{name} = {name}").unwrap();
    }
    format!("{fields}\n    public init(\n{}\n    ) {{\n{assigned}    }}\n", parameters.join(",\n"))
}

/// FishClient's initialiser, from the options to the struct that C reads.
fn given(header: &Header) -> String {
    let (mut checked, mut texts, mut given) = (String::new(), Vec::new(), String::new());
    for option in in_order(header) {
        let (name, in_c) = (option_name(option), &option.name);
        let value = if name == "proxy" { "proxyURL".to_owned() } else { format!("options.{name}") };
        match Setting::of(option) {
            Setting::Text => {
                writeln!(checked, "        try refuseNUL(in: {value}, named: \"{name}\")").unwrap();
                writeln!(given, "            given.{in_c} = texts[{}]", texts.len()).unwrap();
                texts.push(value);
            }
            Setting::Duration => {
                writeln!(checked, "        let {name} = try milliseconds({value}, named: \"{name}\")")
                    .unwrap();
                writeln!(given, "            given.{in_c} = {name}").unwrap();
            }
            Setting::Retries => {
                writeln!(checked, "        let {name} = try retries({value})").unwrap();
                writeln!(given, "            given.{in_c} = {name}").unwrap();
            }
            Setting::Number => writeln!(given, "            given.{in_c} = {value}").unwrap(),
            Setting::Roots => writeln!(given, "            given.{in_c} = roots({value})").unwrap(),
        }
    }
    format!(
        "{checked}        let made = withCStrings([{}]) {{\n            (texts: [UnsafePointer<CChar>?]) -> \
         Result<Handle, FishError> in\n            var given = fish_client_options()\n{given}",
        texts.join(", ")
    )
}

/// Each option as text, without the secrets.
fn shown(header: &Header) -> String {
    let one = |option: &Field| {
        let name = option_name(option);
        let value = match (Setting::of(option), name.as_str()) {
            (_, "apiKey") => "apiKey == nil ? \"nil\" : redacted".to_owned(),
            (_, "proxy") => "through".to_owned(),
            (Setting::Text, _) => format!("{name} ?? \"nil\""),
            (Setting::Duration, _) => format!("{name}.map(String.init(describing:)) ?? \"nil\""),
            _ => format!("String({name})"),
        };
        format!("            (\"{name}\", {value}),\n")
    };
    in_order(header).into_iter().map(one).collect()
}

/// What a message calls an option, and what it is called here. A longer name stands before one that it ends with.
fn names(header: &Header) -> String {
    let row = |option: &Field| {
        let (in_c, name) = (&option.name, option_name(option));
        format!("    (\"options.{in_c}\", \"{name}\"), (\"{in_c}\", \"{name}\"),\n")
    };
    in_order(header).into_iter().map(row).collect()
}

// ---- Statuses and levels ---------------------------------------------------------------------------------------

fn statuses(header: &Header) -> String {
    let mut text = format!("// The library's statuses and levels. Written from its source: {COMMAND}\n\n");
    text += "extension FishError.Status {\n";
    for value in &find(header, "fish_status_code").values {
        text += &wrapped("    ///", &comment(&value.comment, NAMES));
        let name = lower_camel(short(value, "FISH_"));
        writeln!(text, "    public static let {name} = FishError.Status(rawValue: {})", value.value).unwrap();
    }
    text += "}\n\n/// How much credit is left, by its amount and a watch's options.\n\
             public enum FishLevel: Int32, Sendable, Hashable {\n";
    for value in &find(header, "fish_level").values {
        text += &wrapped("    ///", &comment(&value.comment, NAMES));
        writeln!(text, "    case {} = {}", lower_camel(short(value, "FISH_LEVEL_")), value.value).unwrap();
    }
    text +=
        "}\n\n/// Stands for a time whose text is not an RFC 3339 date-time.\nlet timeUnknown = Int64.min\n";
    text
}

/// What the command prints for --help.
fn help() -> String {
    let help = command::help();
    assert!(!help.contains("\"\"\""));
    // The last line break before the quotes is not part of the text.
    format!(
        "// What fish-credit --help prints. Written from examples/c/fish-credit.c: {COMMAND}\n\n\
         let help = \"\"\"\n{help}\n\"\"\"\n"
    )
}
