//! The tables of docs/c.md, in the header's words.

use std::fmt::Write;

use super::*;

pub fn files(header: &Header) -> Vec<File> {
    let mut page = Parts::of("docs/c.md", ("<!--", " -->"));
    for name in ["fish_api_credit", "fish_client_options", "fish_api_credit_query"] {
        page = page.put(&format!("the fields of {name}"), &fields(header, name));
    }
    vec![page.put("the values of fish_status_code", &statuses(header)).file()]
}

fn fields(header: &Header, name: &str) -> String {
    let mut text = format!("| `{name}` | |\n|---|---|\n");
    for field in &find_struct(header, name).fields {
        if !["owner", "reserved"].contains(&field.name.as_str()) {
            writeln!(text, "| `{}` | {} |", field.name, marked(&field.comment)).unwrap();
        }
    }
    text
}

fn statuses(header: &Header) -> String {
    let mut text = "| status | | |\n|---|---|---|\n".to_owned();
    for value in &find(header, "fish_status_code").values {
        writeln!(text, "| `{}` | {} | {} |", value.name, value.value, marked(&value.comment)).unwrap();
    }
    text
}

/// A comment on one line, with what a program would write marked as code.
fn marked(text: &str) -> String {
    let is_code = |word: &str| {
        let named = word.contains('_') && word.chars().all(|c| c.is_ascii_alphanumeric() || "_.".contains(c));
        named || word == "NULL"
    };
    let mark = |word: &str| {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        match is_code(bare) && !word.contains('"') {
            true => word.replacen(bare, &format!("`{bare}`"), 1),
            false => word.to_owned(),
        }
    };
    text.split_whitespace().map(mark).collect::<Vec<_>>().join(" ")
}
