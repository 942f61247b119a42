//! The ABI as text: every size, offset, value and signature, measured by a C compiler from the header. And which changes
//! of it break a compiled program.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use super::c::{self, Compiler, Library};
use super::header::Header;

/// The name and value of each thing, one a line.
pub type Description = BTreeMap<String, String>;

/// The values that only a compiler knows, in the order in which `describe` uses them.
fn measures(header: &Header) -> Vec<String> {
    let mut all = Vec::new();
    for one in header.constants.iter().filter(|one| !one.is_text()) {
        all.push(one.name.clone());
    }
    for name in header.typedefs.iter().map(|one| &one.name).chain(header.enums.iter().map(|one| &one.name)) {
        all.push(format!("sizeof({name})"));
        all.push(format!("({name})-1 < 0"));
    }
    for value in header.enums.iter().flat_map(|one| &one.values) {
        all.push(value.name.clone());
    }
    for one in &header.structs {
        all.push(format!("sizeof({})", one.name));
        all.push(format!("_Alignof({})", one.name));
        for field in &one.fields {
            all.push(format!("sizeof((({} *)0)->{})", one.name, field.name));
            all.push(format!("offsetof({}, {})", one.name, field.name));
        }
    }
    all
}

/// A C file that holds the measures as data, and does not compile unless each function is what was read.
fn source(header: &Header) -> String {
    let mut text = String::from("#include \"fish_api_credit.h\"\nconst long long fish_abi[] = {\n");
    for measure in measures(header) {
        writeln!(text, "  (long long)({measure}),").unwrap();
    }
    text += "};\n";
    for one in &header.functions {
        let pointer = one.signature().replacen(" (", " (*)(", 1);
        writeln!(text, "_Static_assert(_Generic(&{}, {pointer}: 1, default: 0), \"{0}\");", one.name)
            .unwrap();
    }
    text
}

/// Measured natively: compiled, and run.
pub fn native(header: &Header, include: &Path) -> Description {
    let scratch = tempfile::tempdir().unwrap();
    let (file, program) = (scratch.path().join("abi.c"), scratch.path().join("abi"));
    let mut text = source(header);
    text += "#include <stdio.h>\nint main(void) {\n\
             for (unsigned i = 0; i < sizeof fish_abi / sizeof *fish_abi; i++) printf(\"%lld\\n\", fish_abi[i]);\n\
             return 0;\n}\n";
    std::fs::write(&file, text).unwrap();
    let compiler = Compiler { include: include.to_owned(), ..Compiler::c() };
    compiler.build(&program, &[&file], Library::None, &[]).unwrap_or_else(|why| panic!("{why}"));
    let values = c::run(&mut Command::new(&program));
    describe(header, values.lines().map(|line| line.parse().unwrap()))
}

/// Measured for another machine, by reading the data out of what clang makes of the C file.
pub fn of_target(header: &Header, include: &Path, target: &str) -> Description {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("abi.c");
    std::fs::write(&file, source(header)).unwrap();
    let mut command = Command::new("clang");
    command.args(["-std=c11", "-ffreestanding", "-S", "-emit-llvm", "-o", "-", "-target", target]);
    let text = c::run(command.arg("-I").arg(include).arg(&file));
    let line = text.lines().find(|line| line.starts_with("@fish_abi")).expect("the data");
    let (_, list) = line.split_once("x i64] [").expect("a list");
    let (list, _) = list.split_once(']').unwrap();
    describe(header, list.split(", ").map(|one| one.trim_start_matches("i64 ").parse().unwrap()))
}

fn describe(header: &Header, values: impl IntoIterator<Item = i64>) -> Description {
    let mut values = values.into_iter();
    let mut next = || values.next().expect("a value for each measure");
    let mut description = Description::new();
    let mut add = |what: String, is: String| {
        let twice = description.insert(what.clone(), is);
        assert!(twice.is_none(), "{what}");
    };
    for one in header.constants.iter().filter(|one| !one.is_text()) {
        let value = next().to_string();
        // The version of the package is not of the binary interface.
        if !one.name.starts_with("FISH_VERSION_") {
            add(format!("constant {}", one.name), value);
        }
    }
    for one in &header.typedefs {
        let (size, signed) = (next(), next());
        add(format!("type {}", one.name), format!("{}, {size} bytes, {}", one.is, sign(signed)));
    }
    for one in &header.enums {
        let (size, signed) = (next(), next());
        // MSVC's are always signed, gcc's when a value is negative.
        let negative = one.values.iter().any(|value| value.value.starts_with('-'));
        let sign = if negative { format!(", {}", sign(signed)) } else { String::new() };
        add(format!("enum {}", one.name), format!("{size} bytes{sign}"));
    }
    for one in &header.enums {
        for value in &one.values {
            add(format!("value {}.{}", one.name, value.name), next().to_string());
        }
    }
    for name in &header.opaque {
        add(format!("opaque {name}"), "only pointers to it".into());
    }
    for one in &header.structs {
        let (size, align) = (next(), next());
        add(format!("struct {}", one.name), format!("{size} bytes, aligned to {align}"));
        for field in &one.fields {
            let (size, offset) = (next(), next());
            let place = Place { kind: field.kind.clone(), offset, size };
            add(format!("field {}.{}", one.name, field.name), place.to_string());
        }
    }
    for one in &header.functions {
        add(format!("function {}", one.name), one.signature());
    }
    assert!(values.next().is_none());
    description
}

fn sign(negative: i64) -> &'static str {
    if negative != 0 { "signed" } else { "unsigned" }
}

/// Where a field lies.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    pub kind: String,
    pub offset: i64,
    pub size: i64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "at {}, {} bytes, {}", self.offset, self.size, self.kind)
    }
}

impl Place {
    pub fn parse(text: &str) -> Place {
        let mut parts = text.splitn(3, ", ");
        let mut part = || parts.next().expect("three parts");
        let offset = part().strip_prefix("at ").unwrap().parse().unwrap();
        let size = part().strip_suffix(" bytes").unwrap().parse().unwrap();
        Place { offset, size, kind: part().into() }
    }

    fn end(&self) -> i64 {
        self.offset + self.size
    }
}

const TOP: &str = "\
# What a compiled program knows of the library: sizes, offsets, values and signatures, where pointers have 64
# bits. Measured from the header by a C compiler; tests/abi.rs fails when a program built for this would break.
# To add what is new: FISH_WRITE=1 cargo test --test generated
";

pub fn write(description: &Description) -> String {
    let mut text = TOP.to_owned();
    for (what, is) in description {
        writeln!(text, "{what} = {is}").unwrap();
    }
    text
}

pub fn read(text: &str) -> Description {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_once(" = ").expect("what = is")).map(|(k, v)| (k.into(), v.into())).collect()
}

/// What a program that was compiled for `old` would trip over in `new`.
pub fn breaks(old: &Description, new: &Description) -> Vec<String> {
    let mut breaks = Vec::new();
    for (what, was) in old {
        let reserved = what.starts_with("field ") && what.ends_with(".reserved");
        match new.get(what) {
            Some(is) if is == was => {}
            // Shorter, because a new field took its place.
            Some(is) if reserved && Place::parse(is).end() == Place::parse(was).end() => {}
            Some(is) => breaks.push(format!("{what} was {was}, and is {is}")),
            None if reserved => {}
            None => breaks.push(format!("{what} is gone")),
        }
    }
    // A new field lies where there were reserved words: what a program zeroed, or what it does not look at.
    for (what, is) in new.iter().filter(|(what, _)| what.starts_with("field ") && !old.contains_key(*what)) {
        let (owner, _) = what.split_once('.').expect("a field has a struct");
        if !old.contains_key(&owner.replacen("field", "struct", 1)) {
            continue;
        }
        let inside =
            old.get(&format!("{owner}.reserved")).map(|text| Place::parse(text)).is_some_and(|old| {
                let new = Place::parse(is);
                old.offset <= new.offset && new.end() <= old.end()
            });
        if !inside {
            breaks.push(format!("{what} is new, and does not lie in reserved words"));
        }
    }
    breaks
}

/// Fails if a program built for `old` would break, unless the version of the interface says that it will.
pub fn stands(old: &Description, new: &Description, whose: &str) {
    let version = |one: &Description| one.get("constant FISH_ABI_VERSION").map(|v| v.parse::<u32>().unwrap());
    match (version(old), version(new).expect("FISH_ABI_VERSION")) {
        (Some(old), new) if new > old => return,
        (Some(old), new) => assert_eq!(old, new, "FISH_ABI_VERSION never falls"),
        (None, _) => assert!(old.is_empty(), "{whose} has no FISH_ABI_VERSION"),
    }
    let breaks = breaks(old, new);
    assert!(
        breaks.is_empty(),
        "programs compiled for {whose} would break:\n  {}\nTake it back, or let FISH_ABI_VERSION grow \
         (docs/abi.md).",
        breaks.join("\n  ")
    );
}
