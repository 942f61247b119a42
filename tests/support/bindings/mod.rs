//! What the other languages hold of the ABI: statuses, constants, layouts, the fields of an answer and the options of a
//! client. Each is written in its language's own words, as a file of its own or as a part of one, between two comments.

mod cpp;
mod csharp;
mod docs;
mod go;
mod java;
mod luajit;
mod node;
mod python;
mod swift;

use std::fmt::Write;

use super::abi::Description;
use super::generate::{File, committed};
use super::header::{Constant, Enum, Field, Header, Struct};

pub fn files(header: &Header, measured: &Description) -> Vec<File> {
    let all = [
        cpp::files,
        csharp::files,
        docs::files,
        go::files,
        luajit::files,
        node::files,
        python::files,
        swift::files,
    ];
    let mut files: Vec<_> = all.iter().flat_map(|files| files(header)).collect();
    files.extend(java::files(header, measured));
    files
}

fn find<'a>(header: &'a Header, name: &str) -> &'a Enum {
    header.enums.iter().find(|one| one.name == name).expect(name)
}

fn find_struct<'a>(header: &'a Header, name: &str) -> &'a Struct {
    header.structs.iter().find(|one| one.name == name).expect(name)
}

/// "FISH_LEVEL_LOW" of fish_level is LOW.
fn short<'a>(value: &'a Constant, prefix: &str) -> &'a str {
    value.name.strip_prefix(prefix).expect(prefix)
}

/// A hand-written file, with its generated parts as they should be. Each stands between a comment `Generated from
/// src/ffi: NAME.` and a comment `End of the generated part.`
struct Parts {
    path: &'static str,
    /// How a comment begins and ends.
    comment: (&'static str, &'static str),
    text: String,
}

impl Parts {
    fn of(path: &'static str, comment: (&'static str, &'static str)) -> Parts {
        Parts { path, comment, text: committed(path) }
    }

    fn put(mut self, name: &str, body: &str) -> Parts {
        let (open, close) = self.comment;
        let begin = format!("{open} Generated from src/ffi: {name}.{close}\n");
        let end = format!("{open} End of the generated part.{close}\n");
        let split =
            self.text.split_once(&begin).and_then(|(before, rest)| Some((before, rest, rest.find(&end)?)));
        let (before, rest, at) = split.unwrap_or_else(|| panic!("{}: no {begin:?} with its end", self.path));
        // The last line's own indentation stays.
        let at = rest[..at].rfind('\n').map_or(0, |newline| newline + 1);
        self.text = format!("{before}{begin}{body}{}", &rest[at..]);
        self
    }

    fn file(self) -> File {
        File { path: self.path, text: self.text }
    }
}

// ---- Names and comments ----------------------------------------------------------------------------------------

/// MISSING_API_KEY as MissingAPIKey.
fn camel(name: &str) -> String {
    let word = |word: &str| match word {
        "API" | "CA" | "HTTP" | "ID" | "OK" | "TLS" | "URL" => word.to_owned(),
        _ => word[..1].to_owned() + &word[1..].to_lowercase(),
    };
    name.to_uppercase().split('_').map(word).collect()
}

/// missingAPIKey, tlsFailed.
fn lower_camel(name: &str) -> String {
    let (first, rest) = name.split_once('_').unwrap_or((name, ""));
    first.to_lowercase() + &if rest.is_empty() { String::new() } else { camel(rest) }
}

/// MissingApiKey, BaseUrl.
fn pascal(name: &str) -> String {
    let word = |word: &str| word[..1].to_uppercase() + &word[1..].to_lowercase();
    name.split('_').map(word).collect()
}

/// missingApiKey, baseUrl.
fn lower_pascal(name: &str) -> String {
    let name = pascal(name);
    name[..1].to_lowercase() + &name[1..]
}

/// The names in the library's messages, and their form in a language with this spelling, without units.
fn names_in_messages(header: &Header, spell: fn(&str) -> String) -> Vec<(String, String)> {
    let structs = ["fish_client_options", "fish_api_credit_query", "fish_error", "fish_watch_options"];
    let fields = structs.iter().flat_map(|name| &find_struct(header, name).fields);
    let fields = fields.filter(|one| !["owner", "reserved", "status"].contains(&one.name.as_str()));
    let mut names: Vec<_> = fields
        .filter(|one| one.name.contains('_'))
        .map(|one| {
            let name = one.name.strip_suffix("_micros").unwrap_or(without_unit(&one.name));
            (one.name.clone(), if name == "tls_roots" { spell("system_roots") } else { spell(name) })
        })
        .collect();
    names.sort();
    names.dedup();
    for (in_c, here) in
        [("FISH_TLS_ROOTS_SYSTEM", "true"), ("FISH_TLS_ROOTS_BUNDLED", "false"), ("NULL", "null")]
    {
        names.push((in_c.to_owned(), here.to_owned()));
    }
    names
}

/// A comment in the names of a language, on one line.
fn comment(text: &str, names: &[(&str, &str)]) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    names.iter().fold(text, |text, (in_c, here)| text.replace(in_c, here))
}

/// The comment of a field or an option. What only C has may not be left in it.
fn said(text: &str, names: &[(&str, &str)]) -> String {
    let said = comment(&text.replace("Never NULL.", ""), names).trim().to_owned();
    for only_in_c in ["NULL", "FISH_UNKNOWN", "FISH_TIME", "fish_"] {
        assert!(!said.contains(only_in_c), "say in tests/support/bindings what {only_in_c} is here: {said}");
    }
    said
}

/// The same of an option: `0: 5000.` is `0: 5 s.`, and that it counts milliseconds goes without saying.
fn said_of_option(option: &Field, names: &[(&str, &str)]) -> String {
    let said = said(&option.comment, names);
    if Setting::of(option) != Setting::Duration {
        return said;
    }
    let said = said.strip_prefix("Milliseconds for").map_or(said.clone(), |rest| format!("For{rest}"));
    said.replace("000.", " s.")
}

/// Breaks a comment into lines of at most 110 characters, each behind `start`.
fn wrapped(start: &str, text: &str) -> String {
    wrapped_under(start, start, text)
}

/// The same, with another start from the second line on.
fn wrapped_under(first: &str, start: &str, text: &str) -> String {
    let mut lines = vec![String::from(first)];
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

/// A comment of C's or C++'s: on one line if it fits, else on several.
pub fn doc(indent: &str, about: &str) -> String {
    let line = format!("{indent}/** {about} */\n");
    match line.len() <= 116 {
        true => line,
        false => format!("{indent}/**\n{}{indent} */\n", wrapped(&format!("{indent} *"), about)),
    }
}

// ---- What comes back -------------------------------------------------------------------------------------------

/// What a field of a struct that comes back is, told from its C type and from the fields beside it.
#[derive(PartialEq)]
enum Is<'a> {
    /// A text with no number beside it.
    Text {
        optional: bool,
    },
    /// A decimal text; `NAME_micros` is the number.
    Amount {
        optional: bool,
    },
    /// A time as text; `NAME_unix_us` is the number.
    Stamp,
    /// The number beside an amount, and whether that may be NULL.
    Micros {
        of: &'a str,
        optional: bool,
    },
    /// The number beside a stamp.
    Time {
        of: &'a Field,
    },
    Bool,
    Tristate,
    Number,
}

struct Returned<'a> {
    name: &'a str,
    comment: &'a str,
    is: Is<'a>,
}

impl Returned<'_> {
    /// What a time is for, in place of how it is counted.
    fn about(&self) -> &str {
        match self.is {
            Is::Time { of } => of.comment.split_once(", as sent").expect("a time's text is as sent").0,
            _ => self.comment,
        }
    }
}

/// The fields of a struct that comes back, without those that are the library's own.
fn returned<'a>(header: &'a Header, name: &str) -> Vec<Returned<'a>> {
    let fields = &find_struct(header, name).fields;
    let field = |name: &str| fields.iter().find(|one| one.name == name);
    let optional = |field: &Field| !field.comment.contains("Never NULL");
    let is = |one: &'a Field| match one.kind.as_str() {
        "const char *" if field(&format!("{}_micros", one.name)).is_some() => {
            Is::Amount { optional: optional(one) }
        }
        "const char *" if field(&format!("{}_unix_us", one.name)).is_some() => Is::Stamp,
        "const char *" => Is::Text { optional: optional(one) },
        "int64_t" => match (one.name.strip_suffix("_micros"), one.name.strip_suffix("_unix_us")) {
            (Some(of), _) => Is::Micros { of, optional: optional(field(of).expect(of)) },
            (_, Some(of)) => Is::Time { of: field(of).expect(of) },
            _ => Is::Number,
        },
        "bool" => Is::Bool,
        "fish_tristate" => Is::Tristate,
        "int32_t" | "uint32_t" | "uint64_t" => Is::Number,
        other => panic!("{name}.{}: the bindings do not know the type {other}", one.name),
    };
    fields
        .iter()
        .filter(|one| !["owner", "reserved"].contains(&one.name.as_str()))
        .map(|one| Returned { name: &one.name, comment: &one.comment, is: is(one) })
        .collect()
}

// ---- What goes in ----------------------------------------------------------------------------------------------

/// What an option is, told from its C type and name.
#[derive(Debug, PartialEq)]
enum Setting {
    Text,
    /// Milliseconds in C, whose name ends in `_ms`; a duration elsewhere. 0 is the default.
    Duration,
    /// A number of its own. 0 is the default.
    Number,
    /// max_retries and tls_roots, each of which a language has in a form of its own.
    Retries,
    Roots,
}

impl Setting {
    fn of(option: &Field) -> Setting {
        match (option.name.as_str(), option.kind.as_str()) {
            ("max_retries", _) => Setting::Retries,
            ("tls_roots", _) => Setting::Roots,
            (_, "const char *") => Setting::Text,
            (name, "uint32_t") if name.ends_with("_ms") => Setting::Duration,
            (_, "uint32_t") => Setting::Number,
            (name, other) => panic!("fish_client_options.{name}: the bindings do not know the type {other}"),
        }
    }
}

fn options(header: &Header) -> impl Iterator<Item = &Field> {
    find_struct(header, "fish_client_options").fields.iter().filter(|one| one.name != "reserved")
}

/// connect_timeout_ms without its unit.
fn without_unit(name: &str) -> &str {
    name.strip_suffix("_ms").unwrap_or(name)
}
