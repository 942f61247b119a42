//! The third-party notice: it names every crate that is linked into the library, with its licence texts. .ci/supply.sh
//! checks licences, duplicates, advisories and that the build is reproducible.

#![cfg(unix)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;
use support::c;
use support::tools::have;

/// An entry of the notice: its names, and the numbers of its texts.
struct Entry {
    names: Vec<String>,
    texts: Vec<usize>,
}

fn notice() -> String {
    c::run(&mut Command::new(c::root().join("packaging/third-party.sh")))
}

/// The entries, and how many texts there are.
fn read(notice: &str) -> (Vec<Entry>, usize) {
    let (list, texts) = notice.split_once("==== Texts ====").expect("texts");
    let (_, list) = list.split_once("==== Crates ====").expect("crates");
    let mut entries: Vec<Entry> = Vec::new();
    for line in list.lines().filter(|line| !line.is_empty() && !line.starts_with("====")) {
        if !line.starts_with(' ') {
            let names = line.split(" (").next().unwrap().split(", ").map(str::to_owned).collect();
            entries.push(Entry { names, texts: Vec::new() });
        } else if let Some(numbers) = line.trim().strip_prefix('[') {
            let numbers = numbers.trim_end_matches(']').split("] [").map(|one| one.parse().unwrap());
            entries.last_mut().unwrap().texts = numbers.collect();
        }
    }
    (entries, texts.lines().filter(|line| line.starts_with("---- [")).count())
}

/// What cargo resolved, compiled and linked, found by walking its graph: name and version.
fn linked() -> BTreeSet<String> {
    let said = c::run(Command::new("rustc").arg("-vV"));
    let host = said.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(c::root());
    command.args(["metadata", "--locked", "--format-version", "1", "--filter-platform", host]);
    let graph: Value = serde_json::from_str(&c::run(&mut command)).unwrap();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let list = |value: &Value| value.as_array().expect("a list").clone();

    let mut packages = BTreeMap::new();
    for package in list(&graph["packages"]) {
        let for_compiler = list(&package["targets"]).iter().any(|one| one["kind"][0] == "proc-macro");
        let name = format!("{} {}", text(&package["name"]), text(&package["version"]));
        packages.insert(text(&package["id"]), (name, for_compiler));
    }
    let nodes = list(&graph["resolve"]["nodes"]);
    let nodes: BTreeMap<_, _> = nodes.into_iter().map(|node| (text(&node["id"]), node)).collect();
    let (mut open, mut seen) = (vec![text(&graph["resolve"]["root"])], BTreeSet::new());
    while let Some(id) = open.pop() {
        if packages[&id].1 || !seen.insert(id.clone()) {
            continue;
        }
        for dependency in list(&nodes[&id]["deps"]) {
            if list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null()) {
                open.push(text(&dependency["pkg"]));
            }
        }
    }
    // The graph has more than is built, such as what only a feature of the tests' own crates turns on.
    let (_, compiled, _) = c::static_library();
    let compiled = compiled.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let compiled: BTreeSet<_> =
        compiled.filter_map(|line| Some(line["package_id"].as_str()?.to_owned())).collect();
    let names = seen.intersection(&compiled).map(|id| packages[id].0.clone());
    names.filter(|name| !name.starts_with("fish-api-credit ")).collect()
}

/// The crates whose object files are in the static library, as the compiler names them.
fn archived() -> BTreeSet<String> {
    let members = c::run(Command::new("ar").arg("t").arg(c::static_library().0));
    let name = |member: &str| {
        let (name, hash) = member.split('.').next()?.rsplit_once('-')?;
        (hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit())).then(|| name.to_owned())
    };
    members.lines().filter_map(name).collect()
}

#[test]
fn the_notice_names_every_crate_that_is_linked_and_gives_its_texts() {
    if !have("bash") {
        return;
    }
    let (entries, texts) = read(&notice());
    let named: BTreeSet<_> = entries.iter().flat_map(|one| one.names.iter().cloned()).collect();
    let linked = linked();
    assert!(linked.len() > 20, "{linked:?}");
    let missing: Vec<_> = linked.difference(&named).collect();
    assert!(missing.is_empty(), "not in the notice: {missing:?}");

    for entry in &entries {
        assert!(!entry.texts.is_empty(), "{:?} has no text", entry.names);
        assert!(entry.texts.iter().all(|number| (1..=texts).contains(number)), "{:?}", entry.names);
    }
    let used: BTreeSet<_> = entries.iter().flat_map(|one| &one.texts).collect();
    assert_eq!(used.len(), texts, "every text is somebody's");
}

#[test]
fn what_a_c_compiler_adds_is_named_with_its_text() {
    if !have("bash") {
        return;
    }
    let mut command = Command::new(c::root().join("packaging/third-party.sh"));
    let text = c::root().join("CONTRIBUTING.md");
    command.env("FISH_RUNTIME", format!("a runtime|MIT|https://example.org|{}", text.display()));
    let said = c::run(&mut command);
    let (entries, texts) = read(&said);
    let last = entries.last().unwrap();
    assert_eq!((&last.names[..], &last.texts[..]), (&["a runtime".to_owned()][..], &[texts][..]));
    assert!(said.trim_end().ends_with(c::read("CONTRIBUTING.md").trim_end()));
    command.env("FISH_RUNTIME", "a runtime|MIT|https://example.org|no such file");
    assert!(!command.output().unwrap().status.success());
}

/// The archive knows nothing of cargo's graph: it holds what was linked, Rust's own library included.
#[test]
#[cfg(target_os = "linux")]
fn the_notice_names_every_crate_that_is_in_the_static_library() {
    if !have("bash") {
        return;
    }
    // A library may have another name than its package.
    let by_package =
        |library: &str| if library == "webpki" { "rustls_webpki".into() } else { library.to_owned() };
    let (entries, _) = read(&notice());
    let names = entries.iter().flat_map(|one| &one.names);
    let named: BTreeSet<_> = names.map(|name| name.split(' ').next().unwrap().replace('-', "_")).collect();
    let archived = archived();
    for sure in ["ring", "rustls", "std", "compiler_builtins"] {
        assert!(archived.contains(sure), "{sure}: {archived:?}");
    }
    let own = |library: &String| library == "fish_api_credit";
    let unnamed: Vec<_> = archived
        .iter()
        .filter(|library| !own(library) && !library.starts_with("rustc_std_workspace"))
        .filter(|library| !named.contains(&by_package(library)))
        .collect();
    assert!(unnamed.is_empty(), "not in the notice: {unnamed:?}");
}
