//! What an error body can cost at most: each shape at full length, with the worst keys for it. Rows, bytes, memory and
//! stack are bounded whatever is sent. No test here depends on the machine's speed.

use std::process::Command;
use std::thread;
use std::time::{Duration, SystemTime};

use super::*;

/// Above what can be kept: 100 rows of three texts of 1 KiB and two names, and 8 KiB of other text.
const MOST_KEPT: usize = 400 * 1024;
/// The most memory that one response may take, besides its body.
const MOST_MEMORY_KIB: u64 = 4 * 1024;
/// Part of the 64 KiB of stack that a call needs at most (docs/plugins.md), in a debug build too.
const STACK: usize = 48 * 1024;

fn filled(open: &str, item: &str, close: &str) -> Vec<u8> {
    let room = MAX_BODY - open.len() - close.len();
    let items = room / item.len();
    let mut body = [open, &item.repeat(items), close].concat();
    // JSON allows trailing white space.
    body.push_str(&" ".repeat(MAX_BODY - body.len()));
    body.into_bytes()
}

/// A field error with every field, in JSON, and a comma.
fn full_row(text: &str) -> String {
    let text = serde_json::to_string(text).unwrap();
    format!(r#"{{"loc":[{text},{text}],"in":{text},"type":{text},"msg":{text},"ctx":{text}}},"#)
}

/// Bodies whose cost does not depend on the key.
fn structures() -> Vec<(&'static str, Vec<u8>)> {
    let keys: String = (0..100_000).map(|n| format!("\"{n:05}\":0,")).collect();
    vec![
        ("zeros", filled("[0", ",0", "]")),
        ("zeros in detail", filled("{\"detail\":[0", ",0", "]}")),
        ("zeros in a row", filled("[[0", ",0", "]]")),
        ("zeros in loc", filled("[{\"loc\":[0", ",0", "]}]")),
        ("zeros in ctx", filled("{\"detail\":[{\"ctx\":[0", ",0", "]}]}")),
        ("zeros in message", filled("{\"message\":[0", ",0", "]}")),
        ("empty objects", filled("[{}", ",{}", "]")),
        ("empty strings", filled("[\"\"", ",\"\"", "]")),
        ("objects with loc", filled("[{}", ",{\"loc\":[0,0,0]}", "]")),
        ("long rows", filled("[", &full_row(&"x".repeat(2000)), "{}]")),
        ("many keys", format!("{{{keys}\"message\":\"m\"}}").into_bytes()),
        ("many keys in rows", format!("[{{{keys}\"msg\":\"m\"}}]").into_bytes()),
        ("the same key", filled("{\"message\":0", ",\"x\":0", "}")),
        ("an open array", filled("", "[", "")),
        ("open objects", filled("", "{\"a\":", "")),
        ("open details", filled("", "{\"detail\":", "")),
        ("a deep array", [vec![b'['; MAX_BODY / 2], vec![b']'; MAX_BODY / 2]].concat()),
        ("a deep detail", {
            let depth = MAX_BODY / 2 - 20;
            [b"{\"detail\":[", &vec![b'['; depth][..], &vec![b']'; depth], b"]}"].concat()
        }),
        ("a deep loc", {
            let depth = MAX_BODY / 2 - 20;
            [b"[{\"loc\":[", &vec![b'['; depth][..], &vec![b']'; depth], b"]}]"].concat()
        }),
        ("escapes", filled("{\"message\":\"", "\\u0026", "\"}")),
        ("escaped escapes", filled("\"", "\\\\", "\"")),
        ("escapes in rows", filled("[{\"msg\":\"", "\\u005c", "\"}]")),
        ("surrogates", filled("\"", "\\ud83d\\ude00", "\"")),
        ("an open string", filled("\"", "a", "")),
    ]
}

/// Bodies that may contain the key.
fn echoes(key: &str) -> Vec<(&'static str, Vec<u8>)> {
    let inside = |text: &str| {
        let json = serde_json::to_string(text).unwrap();
        json[1..json.len() - 1].to_owned()
    };
    let (whole, part) = (inside(key), inside(&key[..key.len().div_ceil(2)]));
    let hex: String = key.bytes().map(|b| format!("\\u{b:04x}")).collect();
    let long_row = full_row(&key[..1].repeat(1500));
    vec![
        ("plain text", filled("", "a", "")),
        ("ampersands", filled("", "&amp;", "")),
        ("percents", filled("", "%25", "")),
        ("backslashes", filled("", "\\", "")),
        ("HTML", filled("<", "<", "")),
        ("NULs", filled("", "\0", "")),
        ("keys", filled("{\"message\":\"", &whole, "\"}")),
        ("keys in rows", filled("[\"\"", &format!(",\"{whole}\""), "]")),
        ("rows of the key's first character", filled("[", &long_row, "0]")),
        ("keys in loc", filled("[{\"loc\":[0", &format!(",\"{whole}\""), "]}]")),
        ("beginnings of the key", filled("[\"\"", &format!(",\"{part}\""), "]")),
        ("the key in hexadecimal", filled("{\"detail\":\"", &hex, "\"}")),
        ("slashes", filled("[\"", "a\\/", "\"]")),
    ]
}

/// Each body with the keys that matter to it.
fn cases() -> impl Iterator<Item = (String, &'static str, Vec<u8>)> {
    let of = |key: String| move |(name, body)| (key.clone(), name, body);
    let structures = structures().into_iter().map(of(keys().remove(0)));
    structures.chain(keys().into_iter().flat_map(move |key| echoes(&key).into_iter().map(of(key))))
}

fn keys() -> Vec<String> {
    let cut = |unit: &str, length: usize| unit.repeat(length / unit.len() + 1)[..length].to_owned();
    vec![
        "sk-0123456789abcdef".into(),
        "a".into(),
        cut("a", 4096),
        cut("a/", 4096),
        format!("{}b", cut("a", 4095)),
        cut("&amp;", 4096),
        cut("\"\\/&<>'%", 4096),
    ]
}

/// What an error keeps, in bytes.
fn size(error: &Error) -> usize {
    let texts = [&error.api_message, &error.api_reason, &error.request_id, &error.body];
    let rows = error.field_errors.iter().map(|row| {
        let optional = |text: &Option<String>| text.as_ref().map_or(0, String::capacity);
        size_of_val(row)
            + [&row.location, &row.kind, &row.message].map(String::capacity).iter().sum::<usize>()
            + optional(&row.source)
            + optional(&row.context)
    });
    error.message.len()
        + texts.into_iter().flatten().map(String::capacity).sum::<usize>()
        + rows.sum::<usize>()
}

#[test]
fn whatever_a_body_is_what_is_kept_of_it_is_bounded() {
    for (key, name, body) in cases() {
        assert!(body.len() <= MAX_BODY + 1, "{name}: {}", body.len());
        let what = format!("{name}, key {:.12} of {}", key, key.len());
        let key = key.clone();
        let (error, spent) = thread::Builder::new()
            .stack_size(STACK)
            .spawn(move || {
                let error = tests::with_response(422, &[], &body, |response| {
                    failure(response, &key, SystemTime::UNIX_EPOCH)
                });
                // What this thread computed; a busy machine may have let it wait.
                (error, crate::clock::computed())
            })
            .unwrap()
            .join()
            .expect("no overflow");
        assert!(size(&error) <= MOST_KEPT, "{what}: {} bytes", size(&error));
        assert!(error.field_errors.len() <= 100, "{what}: {} rows", error.field_errors.len());
        for row in &error.field_errors {
            assert!(row.location.matches('.').count() < 32, "{what}: {}", row.location);
            for (text, limit) in [
                (Some(&row.location), 1024),
                (row.source.as_ref(), 256),
                (Some(&row.kind), 256),
                (Some(&row.message), 1024),
                (row.context.as_ref(), 1024),
            ] {
                assert!(text.is_none_or(|text| text.len() <= limit), "{what}: {text:?}");
            }
        }
        for (text, limit) in [(&error.api_message, 4096), (&error.body, 4096), (&error.api_reason, 256)] {
            assert!(text.as_ref().is_none_or(|text| text.len() <= limit), "{what}: {text:?}");
        }
        // Quadratic work would take minutes.
        assert!(spent < Duration::from_secs(10), "{what}: {spent:?}");
        if std::env::var_os("SHOW_BOUNDS").is_some() {
            println!("{spent:>12.3?} {:>8} bytes  {what}", size(&error));
        }
    }
}

#[test]
fn the_first_rows_and_parts_are_kept_and_the_others_passed_over() {
    let parts: Vec<String> = (0..1000).map(|n| n.to_string()).collect();
    let rows: Vec<String> =
        (0..1000).map(|n| format!(r#"{{"loc":[{}],"msg":"{n}"}}"#, parts.join(","))).collect();
    let location = parts[..32].join(".");
    for body in [format!("[{}]", rows.join(",")), format!(r#"{{"detail":[{}]}}"#, rows.join(","))] {
        let error = tests::failed(422, &[], body.as_bytes());
        assert_eq!(error.field_errors.len(), 100);
        for (n, row) in error.field_errors.iter().enumerate() {
            assert_eq!(
                (row.message.as_str(), row.location.as_str()),
                (n.to_string().as_str(), location.as_str())
            );
        }
        // What is passed over must be JSON all the same.
        let broken = body.replacen(r#""999""#, "?", 1);
        assert_eq!(tests::failed(422, &[], broken.as_bytes()).field_errors.len(), 0);
    }
}

#[test]
fn every_text_is_cut_at_its_limit() {
    let long = "x".repeat(60_000);
    let error = tests::failed(403, &[("x-fish-trace-id", &long), ("x-fish-error-code", &long)], b"");
    assert_eq!(error.request_id.as_deref(), Some(&long[..256]));
    assert_eq!(error.api_reason.as_deref(), Some(&long[..256]));
    for name in ["reason", "code"] {
        let body = format!(r#"{{"message":"{long}","{name}":"{long}","request_id":"{long}"}}"#);
        let error = tests::failed(403, &[], body.as_bytes());
        assert_eq!(error.api_message.as_deref(), Some(&long[..4096]));
        assert_eq!(error.api_reason.as_deref(), Some(&long[..256]));
        assert_eq!(error.request_id.as_deref(), Some(&long[..256]));
        assert_eq!(error.body.as_deref(), Some(&body[..4096]));
    }
    for body in [long.clone(), format!("\"{long}\""), format!(r#"{{"detail":"{long}"}}"#)] {
        let error = tests::failed(403, &[], body.as_bytes());
        assert_eq!(error.api_message.as_deref(), Some(&long[..4096]));
    }
    let error = tests::failed(422, &[], format!("[{}\"{long}\"]", full_row(&long)).as_bytes());
    let [row, other] = &error.field_errors[..] else { panic!("{:?}", error.field_errors.len()) };
    assert_eq!((row.location.as_str(), row.source.as_deref()), (&long[..1024], Some(&long[..256])));
    assert_eq!((row.kind.as_str(), row.message.as_str()), (&long[..256], &long[..1024]));
    assert_eq!((row.context.as_deref(), other.message.as_str()), (Some(&long[..1024]), &long[..1024]));
}

const ALONE: &str = "FISH_TEST_BOUNDS_ALONE";

/// The most that this process has had in memory, and has now, in KiB.
#[cfg(target_os = "linux")]
fn resident() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let number = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap()
    };
    (number("VmHWM:"), number("VmRSS:"))
}

/// In a process of its own, which does nothing else.
#[cfg(target_os = "linux")]
#[test]
fn whatever_a_body_is_the_memory_for_it_is_bounded() {
    if std::env::var_os(ALONE).is_some() {
        let headers = HeaderMap::new();
        for (key, name, body) in cases() {
            let response = Response { status: 422, headers: &headers, body: &body };
            // The most from here on.
            std::fs::write("/proc/self/clear_refs", "5").unwrap();
            let (_, before) = resident();
            drop(failure(&response, &key, SystemTime::UNIX_EPOCH));
            let (most, _) = resident();
            println!("\n{} KiB for {name}, key {key:.12} of {}", most.saturating_sub(before), key.len());
        }
        return;
    }
    let (_, test) = concat!(module_path!(), "::whatever_a_body_is_the_memory_for_it_is_bounded")
        .split_once("::")
        .unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(ALONE, "1");
    // Whatever is freed goes back to the system at once, so that what the process has is what it uses.
    command
        .env("MALLOC_TRIM_THRESHOLD_", "0")
        .env("MALLOC_MMAP_THRESHOLD_", "65536")
        .env("MALLOC_TOP_PAD_", "0");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<(u64, &str)> = printed
        .lines()
        .filter_map(|line| line.split_once(" KiB for "))
        .map(|(used, what)| (used.parse().unwrap(), what))
        .collect();
    assert_eq!(lines.len(), cases().count());
    // It is seen at all: the text of a long string is copied.
    assert!(lines.iter().any(|(used, _)| *used > 1024), "{lines:?}");
    for (used, what) in lines {
        assert!(used <= MOST_MEMORY_KIB, "{used} KiB for {what}");
        if std::env::var_os("SHOW_BOUNDS").is_some() {
            println!("{used:>6} KiB for {what}");
        }
    }
}
