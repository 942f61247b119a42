//! The binary interface: C and Rust agree on every struct, and a program compiled for the committed ABI (docs/abi.txt)
//! runs with the library of today. docs/symbols-in-versions lists each symbol with its version.
//!
//! `FISH_WRITE=1 cargo test --test generated` adds what is new to both; it refuses to write a breaking change.

mod support;

use std::mem::{MaybeUninit, align_of, offset_of, size_of};
use std::path::PathBuf;

use ::fish_api_credit::ffi::*;
use support::abi::{self, Description, Place};
use support::c;
use support::client::{Client, Query, WatchOptions, readable};
use support::generate;
use support::header::{Header, TEXT};
use support::server::{DOCUMENT, always, ok};
use support::tools::have;

/// A struct as Rust lays it out: its size and alignment, and each field's name, offset and size.
type Layout = (&'static str, usize, usize, Vec<(&'static str, usize, usize)>);

fn size_of_field<S, F>(_: fn(&S) -> &F) -> usize {
    size_of::<F>()
}

macro_rules! layouts {
    ($($name:ident { $($field:ident),* $(,)? })*) => {
        vec![$((
            stringify!($name),
            size_of::<$name>(),
            align_of::<$name>(),
            vec![$((
                stringify!($field).trim_start_matches("r#"),
                offset_of!($name, $field),
                size_of_field(|one: &$name| &one.$field),
            )),*],
        )),*]
    };
}

fn rust_layouts() -> Vec<Layout> {
    include!("support/layouts.rs")
}

fn include() -> PathBuf {
    c::root().join("include")
}

fn today() -> Description {
    abi::native(&Header::committed(), &include())
}

#[test]
fn c_and_rust_agree_on_every_field() {
    let header = Header::committed();
    let rust = rust_layouts();
    let names = |one: &Layout| (one.0.to_owned(), one.3.iter().map(|f| f.0.to_owned()).collect::<Vec<_>>());
    let in_header: Vec<_> = header
        .structs
        .iter()
        .map(|one| (one.name.clone(), one.fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>()))
        .collect();
    assert_eq!(rust.iter().map(names).collect::<Vec<_>>(), in_header, "every field is in the table above");

    let seen_by_c = today();
    for (name, size, align, fields) in rust {
        assert_eq!(
            seen_by_c[&format!("struct {name}")],
            format!("{size} bytes, aligned to {align}"),
            "{name}"
        );
        let mut end = 0;
        for (field, offset, size) in fields {
            let place = Place::parse(&seen_by_c[&format!("field {name}.{field}")]);
            assert_eq!((place.offset, place.size), (offset as i64, size as i64), "{name}.{field}");
            assert!(offset >= end && offset < end + 8, "{name}: something unnamed before {field}");
            end = offset + size;
        }
        assert!(size >= end && size < end + 8, "{name}: something unnamed at its end");
    }
    assert_eq!(seen_by_c["enum fish_tristate"], format!("{} bytes, signed", size_of::<fish_tristate>()));
    assert_eq!(seen_by_c["type fish_status"], format!("int32_t, {} bytes, signed", size_of::<fish_status>()));
    for (name, rust) in [
        ("FISH_ABI_VERSION", i64::from(FISH_ABI_VERSION)),
        ("FISH_TIME_UNKNOWN", FISH_TIME_UNKNOWN),
        ("FISH_TLS_ROOTS_SYSTEM", FISH_TLS_ROOTS_SYSTEM.into()),
    ] {
        assert_eq!(seen_by_c[&format!("constant {name}")], rust.to_string(), "{name}");
    }
    for (name, number, _) in STATUSES {
        let name = name.to_str().unwrap();
        assert_eq!(seen_by_c[&format!("value fish_status_code.{name}")], number.to_string(), "{name}");
    }
}

/// The bytes of a struct that no field has.
fn padding(name: &str) -> Vec<usize> {
    let (_, size, _, fields) = rust_layouts().into_iter().find(|one| one.0 == name).expect("a struct");
    (0..size)
        .filter(|at| !fields.iter().any(|(_, offset, size)| (*offset..offset + size).contains(at)))
        .collect()
}

/// Leaves 0xAA where the library's frames will lie.
#[inline(never)]
fn soil_the_stack() {
    std::hint::black_box([0xAA_u8; 32 * 1024]);
}

/// A host whose `bool` is four bytes wide reads them.
#[test]
fn every_byte_that_is_no_field_is_zero_in_what_comes_back() {
    fn bytes<T>(of: &MaybeUninit<T>) -> &[u8] {
        // SAFETY: filled with 0xAA before, and with defined bytes by the library: that is what is tested.
        unsafe { std::slice::from_raw_parts(of.as_ptr().cast(), size_of::<T>()) }
    }
    assert!(
        padding("fish_error").len() >= 3 && padding("fish_api_credit").len() >= 3,
        "there is padding to look at"
    );
    for (document, status) in [(DOCUMENT, FISH_OK), ("[]", FISH_BAD_RESPONSE)] {
        let mut credit = MaybeUninit::<fish_api_credit>::uninit();
        let mut error = MaybeUninit::<fish_error>::uninit();
        // SAFETY: both structs are ours, and the document is as long as it says.
        unsafe {
            credit.as_mut_ptr().cast::<u8>().write_bytes(0xAA, size_of::<fish_api_credit>());
            error.as_mut_ptr().cast::<u8>().write_bytes(0xAA, size_of::<fish_error>());
            soil_the_stack();
            let (start, length) = (document.as_ptr().cast(), document.len());
            assert_eq!(
                fish_api_credit_from_json(start, length, credit.as_mut_ptr(), error.as_mut_ptr()),
                status
            );
            for at in padding("fish_api_credit") {
                assert_eq!(bytes(&credit)[at], 0, "byte {at} of fish_api_credit");
            }
            for at in padding("fish_error") {
                assert_eq!(bytes(&error)[at], 0, "byte {at} of fish_error");
            }
            fish_api_credit_free(credit.as_mut_ptr());
            fish_error_free(error.as_mut_ptr());
        }
        assert!(bytes(&credit).iter().chain(bytes(&error)).all(|&byte| byte == 0), "a freed struct is zero");
    }
    assert!(padding("fish_field_error").is_empty(), "its table is written row by row");

    // A watch's state has a credit inside it.
    let server = always(ok());
    let client = Client::once(&server.url());
    let watch = client.watch(&Query::default(), &WatchOptions::default()).unwrap();
    assert!(readable(watch.descriptor(), 60_000));
    let mut state = MaybeUninit::<fish_watch_state>::uninit();
    // SAFETY: the struct is ours, and the watch alive.
    unsafe {
        state.as_mut_ptr().cast::<u8>().write_bytes(0xAA, size_of::<fish_watch_state>());
        soil_the_stack();
        assert_eq!(fish_watch_read(watch.0, state.as_mut_ptr(), std::ptr::null_mut()), FISH_OK);
        let credit = offset_of!(fish_watch_state, credit);
        let inside = padding("fish_api_credit").into_iter().map(|at| credit + at);
        for at in padding("fish_watch_state").into_iter().chain(inside) {
            assert_eq!(bytes(&state)[at], 0, "byte {at} of fish_watch_state");
        }
        fish_watch_state_free(state.as_mut_ptr());
    }
    assert!(bytes(&state).iter().all(|&byte| byte == 0), "a freed struct is zero");
}

/// Every struct that the library fills is looked at above.
#[test]
fn no_filled_struct_is_left_out() {
    let filled = ["fish_api_credit", "fish_error", "fish_field_error", "fish_watch_state"];
    let passed_in = ["fish_client_options", "fish_api_credit_query", "fish_watch_options"];
    for (name, ..) in rust_layouts() {
        assert!(
            filled.contains(&name) || passed_in.contains(&name),
            "{name} is neither filled nor passed in"
        );
    }
}

#[test]
#[cfg(target_pointer_width = "64")]
fn a_program_compiled_for_the_committed_abi_still_runs() {
    let new = today();
    abi::stands(&abi::read(&generate::committed("docs/abi.txt")), &new, "docs/abi.txt");
    // What was released, where CI hands it over (.ci/abi.sh).
    if let Some(released) = std::env::var_os("FISH_ABI_RELEASED") {
        abi::stands(&abi::read(&std::fs::read_to_string(released).unwrap()), &new, "the last release");
    }
}

#[test]
fn the_check_finds_what_breaks_a_program_and_accepts_additions() {
    let old = today();
    let start = "  const char *id;\n";
    let from = TEXT.find(start).expect("the first field") + start.len();
    let last = "  const char *credit;\n";
    let user_id_and_credit = &TEXT[from..TEXT.find(last).expect("the third field") + last.len()];
    // The query's: a client option of half a word would leave the other half, which nobody promises to zero.
    let reserved = "  uint64_t reserved[4];\n} fish_api_credit_query;\n";
    let fewer = "  uint64_t reserved[3];\n} fish_api_credit_query;\n";
    let one_more = &format!("  const char *realm;\n{fewer}");
    let two_more = &format!("  uint32_t red;\n  uint32_t blue;\n{fewer}");
    for (case, find, put, broken) in [
        (
            "a field moves",
            user_id_and_credit,
            "  const char *credit;\n  const char *user_id;\n",
            "field fish_api_credit.user_id was at 8, 8 bytes, const char *, and is at 16",
        ),
        (
            "a field is put in front",
            "  /** What the function returned. */",
            "  int32_t kind;\n  /** What the function returned. */",
            "field fish_error.status was at 0, 4 bytes, fish_status, and is at 4",
        ),
        (
            "a field is put in the middle, and the struct grows",
            "  const char *base_url;\n",
            "  const char *realm;\n  const char *base_url;\n",
            "struct fish_client_options was 120 bytes, aligned to 8, and is 128 bytes",
        ),
        ("a field goes", "  uint32_t retry_after_ms;\n", "", "field fish_error.retry_after_ms is gone"),
        (
            "a field takes padding, which nobody zeroed",
            "  bool check_free_credit;\n",
            "  bool check_free_credit;\n  bool quick;\n",
            "field fish_api_credit_query.quick is new, and does not lie in reserved",
        ),
        (
            "a field becomes unsigned",
            "int32_t max_retries;",
            "uint32_t max_retries;",
            "field fish_client_options.max_retries was at 48, 4 bytes, int32_t, and is at 48, 4 bytes, uint32_t",
        ),
        (
            "reserved words go and nothing comes",
            reserved,
            fewer,
            "struct fish_api_credit_query was 64 bytes, aligned to 8, and is 56 bytes",
        ),
        (
            "a row grows",
            "  const char *context;\n",
            "  const char *context;\n  const char *hint;\n",
            "struct fish_field_error was 40 bytes, aligned to 8, and is 48 bytes",
        ),
        ("a function goes", "uint32_t fish_abi_version(void);", "", "function fish_abi_version is gone"),
        (
            "a function takes more",
            "void fish_string_free(char *string);",
            "void fish_string_free(char *string, size_t length);",
            "function fish_string_free was void (char *), and is void (char *, size_t)",
        ),
        (
            "a status changes its number",
            "FISH_TIMED_OUT = 24,",
            "FISH_TIMED_OUT = 26,",
            "value fish_status_code.FISH_TIMED_OUT was 24, and is 26",
        ),
        ("a status goes", "  FISH_TIMED_OUT = 24,\n", "", "value fish_status_code.FISH_TIMED_OUT is gone"),
        (
            "a constant changes its number",
            "#define FISH_TLS_ROOTS_SYSTEM 1",
            "#define FISH_TLS_ROOTS_SYSTEM 2",
            "constant FISH_TLS_ROOTS_SYSTEM was 1, and is 2",
        ),
        (
            "a flag changes its number",
            "FISH_UNKNOWN = -1",
            "FISH_UNKNOWN = 2",
            "value fish_tristate.FISH_UNKNOWN was -1, and is 2",
        ),
        (
            "the status widens",
            "typedef int32_t fish_status;",
            "typedef int64_t fish_status;",
            "type fish_status was int32_t, 4 bytes, signed, and is int64_t, 8 bytes",
        ),
        ("a new field takes a reserved word", reserved, one_more, ""),
        ("two small fields share one", reserved, two_more, ""),
        ("a new status", "  FISH_OK = 0,\n", "  FISH_OK = 0,\n  FISH_BUSY = 50,\n", ""),
        (
            "a new function",
            "uint32_t fish_abi_version(void);",
            "uint32_t fish_abi_version(void);\nint32_t fish_more(void);",
            "",
        ),
        (
            "a parameter gets another name",
            "fish_string_free(char *string)",
            "fish_string_free(char *text)",
            "",
        ),
        ("a new version of the package", "#define FISH_VERSION_MINOR 1", "#define FISH_VERSION_MINOR 2", ""),
    ] {
        assert_eq!(TEXT.matches(find).count(), 1, "{case}: {find}");
        let include = tempfile::tempdir().unwrap();
        let text = TEXT.replace(find, put);
        std::fs::write(include.path().join("fish_api_credit.h"), &text).unwrap();
        let breaks = abi::breaks(&old, &abi::native(&Header::parse(&text), include.path()));
        if broken.is_empty() {
            assert_eq!(breaks, [""; 0], "{case}");
        } else {
            assert!(breaks.iter().any(|one| one.starts_with(broken)), "{case}: {breaks:#?}");
        }
    }
}

#[test]
fn the_interface_is_the_same_wherever_pointers_have_64_bits() {
    if !have("clang") {
        return;
    }
    let (header, include) = (Header::committed(), include());
    let here = abi::write(&abi::of_target(&header, &include, "x86_64-unknown-linux-gnu"));
    for target in [
        "aarch64-unknown-linux-gnu",
        "riscv64-unknown-linux-gnu",
        "x86_64-apple-macosx11",
        "arm64-apple-macosx11",
        "x86_64-pc-windows-gnu",
        "x86_64-pc-windows-msvc",
        "aarch64-pc-windows-msvc",
        "aarch64-linux-android",
    ] {
        let there = abi::write(&abi::of_target(&header, &include, target));
        assert!(there == here, "{target}:\n{there}");
    }
    #[cfg(all(target_pointer_width = "64", not(windows)))]
    assert_eq!(here, abi::write(&today()), "clang's data and a program that runs say the same");
}

#[test]
fn every_symbol_is_listed_with_its_version() {
    let listed = generate::listed(&generate::committed("docs/symbols-in-versions"));
    let header = generate::symbols(&Header::committed());
    let number = |text: &str| -> (u32, u32, u32) {
        let parts: Vec<_> = text.split('.').map(|part| part.parse().expect("a version")).collect();
        (parts[0], parts[1], parts[2])
    };
    let now = number(env!("CARGO_PKG_VERSION"));
    for (name, since) in &header {
        let versions = listed.get(name).unwrap_or_else(|| {
            panic!("{name} is not in docs/symbols-in-versions; run: {}", generate::COMMAND)
        });
        assert_eq!(versions.len(), 1, "{name} is in the header, and listed as gone");
        assert!(number(&versions[0]) <= now, "{name} came with a version that is not yet");
        if let Some(since) = since {
            assert_eq!(since, &versions[0], "{name}: what its comment says");
        }
    }
    for (name, versions) in listed.iter().filter(|(name, _)| !header.contains_key(*name)) {
        assert_eq!(versions.len(), 2, "{name} is not in the header; say since when it is gone");
        assert!(number(&versions[0]) < number(&versions[1]) && number(&versions[1]) <= now, "{name}");
    }
}
