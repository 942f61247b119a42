//! fish_api_credit.hpp: the enumerators, the accessors of an answer, and the options of a client.

use std::fmt::Write;

use super::*;

const NAMES: &[(&str, &str)] = &[
    ("or after fish_api_credit_from_json", "or after ApiCredit::from_json"),
    ("FISH_UNKNOWN: absent or null", "None: absent or null"),
    ("without check_free_credit", "without Query::check_free_credit"),
    ("0 if the server did not send it", "None if the server did not send it"),
    ("wiped from memory when the client is freed", "this string is yours to wipe"),
    ("NULL", "None"),
];

pub fn files(header: &Header) -> Vec<File> {
    let file = Parts::of("include/fish_api_credit.hpp", ("//", ""))
        .put("the values of fish_status_code", &values(header, "fish_status_code", "FISH_"))
        .put("the values of fish_level", &values(header, "fish_level", "FISH_LEVEL_"))
        .put("the fields of fish_field_error", &field_error(header))
        .put("the members of fish_field_error", &members_of_field_error(header))
        .put("the fields of fish_client_options", &client_options(header))
        .put("the fields of fish_api_credit", &api_credit(header))
        .put("how fish_client_options are filled", &filled_options(header));
    vec![file.file()]
}

/// The enumerators of C++ are those of C, in C++'s own spelling.
fn values(header: &Header, name: &str, prefix: &str) -> String {
    let values = find(header, name).values.iter();
    values.map(|one| format!("  {} = {},\n", short(one, prefix).to_lowercase(), one.name)).collect()
}

fn field_error(header: &Header) -> String {
    let mut text = String::new();
    for field in returned(header, "fish_field_error") {
        writeln!(text, "  /** {} */", said(field.comment, NAMES)).unwrap();
        let kind = match field.is {
            Is::Text { optional: true } => "std::optional<std::string_view>",
            _ => "std::string_view",
        };
        writeln!(text, "  {kind} {};", field.name).unwrap();
    }
    text
}

fn members_of_field_error(header: &Header) -> String {
    let one = |field: &Returned<'_>| match field.is {
        Is::Text { optional: true } => format!("text_or_none(at_->{})", field.name),
        _ => format!("at_->{}", field.name),
    };
    let members: Vec<_> = returned(header, "fish_field_error").iter().map(one).collect();
    format!("    return {{{}}};\n", members.join(", "))
}

fn api_credit(header: &Header) -> String {
    let mut text = String::new();
    for field in returned(header, "fish_api_credit") {
        let raw = format!("raw_->{}", field.name);
        let (kind, name, value) = match &field.is {
            Is::Text { optional: true } | Is::Amount { optional: true } => (
                "std::optional<std::string_view>",
                field.name.to_owned(),
                format!("detail::text_or_none({raw})"),
            ),
            Is::Text { .. } | Is::Amount { .. } => {
                ("std::string_view", field.name.to_owned(), format!("view({raw})"))
            }
            Is::Stamp => ("std::string_view", format!("{}_text", field.name), format!("view({raw})")),
            Is::Micros { of, optional: true } => (
                "std::optional<std::int64_t>",
                field.name.to_owned(),
                format!("detail::if_set(raw_->{of}, {raw})"),
            ),
            Is::Time { of } => ("std::optional<Time>", of.name.clone(), format!("detail::time({raw})")),
            Is::Tristate => ("std::optional<bool>", field.name.to_owned(), format!("detail::flag({raw})")),
            Is::Bool => ("bool", field.name.to_owned(), raw),
            Is::Micros { .. } => ("std::int64_t", field.name.to_owned(), raw),
            Is::Number => ("auto", field.name.to_owned(), raw),
        };
        let about = said(field.about(), NAMES);
        let about = match field.is {
            Is::Time { .. } => format!("{about}; none if {name}_text() is not an RFC 3339 time."),
            _ => about,
        };
        text += &doc("  ", &about);
        let line = format!("  {kind} {name}() const noexcept {{ return {value}; }}\n");
        text += &match line.len() <= 116 {
            true => line,
            false => format!("  {kind} {name}() const noexcept {{\n    return {value};\n  }}\n"),
        };
    }
    text
}

fn client_options(header: &Header) -> String {
    let mut text = String::new();
    for option in options(header) {
        let name = without_unit(&option.name);
        let about = match Setting::of(option) {
            Setting::Retries => {
                "How many times a failed request is retried. None: 2 times. 0: never.".to_owned()
            }
            _ => said_of_option(option, NAMES),
        };
        text += &doc("  ", &about);
        match Setting::of(option) {
            Setting::Text => writeln!(text, "  std::optional<std::string> {name}{{}};"),
            Setting::Duration => writeln!(text, "  std::chrono::milliseconds {name}{{0}};"),
            Setting::Number => writeln!(text, "  std::uint32_t {name} = 0;"),
            Setting::Retries => writeln!(text, "  std::optional<std::uint32_t> {name}{{}};"),
            Setting::Roots => writeln!(text, "  std::int32_t {name} = FISH_TLS_ROOTS_BUNDLED;"),
        }
        .unwrap();
    }
    text
}

fn filled_options(header: &Header) -> String {
    let mut text = String::new();
    for option in options(header) {
        let name = without_unit(&option.name);
        match Setting::of(option) {
            Setting::Text => writeln!(
                text,
                "    if (detail::has_nul(options.{name})) {{\n      return \"options.{name} contains a NUL character; \
                 remove it.\";\n    }}"
            ),
            Setting::Duration => writeln!(
                text,
                "    if (options.{name}.count() < 0) {{\n      return \"options.{name} is negative; pass 0 for the \
                 default.\";\n    }}"
            ),
            _ => Ok(()),
        }
        .unwrap();
    }
    for option in options(header) {
        let name = without_unit(&option.name);
        let value = match Setting::of(option) {
            Setting::Text => format!("detail::pointer(options.{name})"),
            Setting::Duration => format!("detail::milliseconds(options.{name})"),
            Setting::Retries => format!("retries(options.{name})"),
            Setting::Number | Setting::Roots => format!("options.{name}"),
        };
        writeln!(text, "    raw.{} = {value};", option.name).unwrap();
    }
    text
}
