//! What README.md and the other pages say: their tables name what the header has, and what a page or a comment names or
//! links to exists.

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use support::c::{self, read};
use support::pages;

/// A test that a page names by `--test` exists.
#[test]
fn every_test_that_a_page_names_is_there() {
    let mut named = 0;
    for page in pages::all() {
        let text = read(&page);
        let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || "`,)(".contains(c)).collect();
        for pair in words.windows(2).filter(|pair| pair[0] == "--test") {
            let file = format!("tests/{}.rs", pair[1]);
            assert!(c::root().join(&file).exists(), "{page} names {file}, which is not there");
            named += 1;
        }
    }
    assert!(named > 10);
}

/// CONTRIBUTING.md lists every part of CI.
#[test]
fn every_part_of_ci_is_listed() {
    let page = read("CONTRIBUTING.md");
    let parts =
        pages::files(".ci").into_iter().filter(|part| part.ends_with(".sh") && part != ".ci/packages.sh");
    let missing: Vec<String> = parts.filter(|part| !page.contains(&format!("`{part}`"))).collect();
    assert!(missing.is_empty(), "CONTRIBUTING.md does not list {missing:?}");
}

/// What docs/install.md says to type is typed by a test of a package (tests/packages/support), each section by its heading.
#[test]
fn every_section_of_install_md_is_typed_by_a_test() {
    let tests: String = pages::files("tests/packages").iter().map(|file| read(file)).collect();
    let mut heading = String::new();
    let mut typed = 0;
    for block in pages::blocks("docs/install.md") {
        if let Some(last) = block.before.lines().filter_map(|line| line.strip_prefix("## ")).next_back() {
            heading = last.to_owned();
        }
        let quoted = [heading.clone(), format!("'{heading}'"), format!("\"{heading}\"")];
        let ways =
            ["lines", "typed"].iter().flat_map(|way| quoted.iter().map(move |name| format!("{way} {name}")));
        assert!(ways.into_iter().any(|way| tests.contains(&way)), "no test types what \"{heading}\" says");
        typed += 1;
    }
    assert!(typed > 8, "{typed}");
}

/// The code that docs/architecture.md names by its path exists.
#[test]
fn everything_that_the_architecture_names_is_in_the_code() {
    let code: String = pages::files("src").iter().map(|file| read(file)).collect();
    let page = prose("docs/architecture.md");
    let paths: Vec<&str> = page.split('`').skip(1).step_by(2).filter(|name| name.contains("::")).collect();
    for path in &paths {
        let name = path.rsplit("::").next().unwrap();
        let defined = ["fn", "struct", "enum"].iter().any(|kind| {
            let start = format!("{kind} {name}");
            let mut rests = code.split(&start).skip(1);
            rests.any(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        });
        assert!(defined || code.contains(path), "docs/architecture.md names {path}, which src does not have");
    }
    assert!(paths.len() > 8, "{paths:?}");
}

/// A file or folder of the repository that a comment, a script or a page names exists. A name is what starts with a
/// folder of the repository, or ends like a page or a YAML file. One is written by packaging/conan.sh.
#[test]
fn every_file_that_is_named_is_there() {
    let files = pages::FOLDERS.into_iter().flat_map(pages::files).chain(pages::top());
    let mut named = 0;
    let mut missing = Vec::new();
    for file in files {
        let beside = Path::new(&file).parent().unwrap();
        let text = read(&file);
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "_-./".contains(c)));
        for word in words.map(|word| word.trim_end_matches('.').trim_matches('/')) {
            let of_ours = word.split_once('/').is_some_and(|(first, _)| pages::FOLDERS.contains(&first));
            let stem = [".md", ".yaml", ".yml"].into_iter().find_map(|end| word.strip_suffix(end));
            if of_ours || stem.is_some_and(|stem| !stem.is_empty() && !stem.ends_with("conandata")) {
                named += 1;
                if !c::root().join(word).exists() && !c::root().join(beside).join(word).exists() {
                    missing.push(format!("{file}: {word}"));
                }
            }
        }
    }
    assert!(missing.is_empty(), "named, but missing:\n{}", missing.join("\n"));
    assert!(named > 300, "{named}");
}

/// The tables of the other structs are generated.
#[test]
fn what_fish_error_has_is_named() {
    let (page, header) = (read("docs/c.md"), read("include/fish_api_credit.h"));
    let named = page.split("## When it fails").nth(1).unwrap().split("<!-- Generated").next().unwrap();
    let quoted: BTreeSet<String> = named.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    let missing: Vec<String> = fields(&header, "fish_error").difference(&quoted).cloned().collect();
    assert!(missing.is_empty(), "docs/c.md does not name {missing:?} of fish_error");
}

/// The fields of a struct in the header, without those that are the library's own.
fn fields(header: &str, structure: &str) -> BTreeSet<String> {
    let body = header.split(&format!("struct {structure} {{\n")).nth(1).unwrap().split("\n}").next().unwrap();
    let fields: BTreeSet<String> = body
        .lines()
        .filter_map(|line| line.strip_suffix(';'))
        .map(|line| line.rsplit([' ', '*']).next().unwrap().split('[').next().unwrap().to_owned())
        .filter(|name| !["owner", "reserved"].contains(&name.as_str()))
        .collect();
    assert!(fields.len() > 4, "{structure}: {fields:?}");
    fields
}

/// A page without its fenced blocks.
fn prose(page: &str) -> String {
    let mut fenced = false;
    let text = read(page);
    let lines = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The anchor that a heading has: what GitHub makes of it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// A link to a file finds it, and a link to a heading finds that.
#[test]
fn every_link_leads_somewhere() {
    let mut links = 0;
    for page in pages::all() {
        for rest in prose(&page).split("](").skip(1) {
            let target = rest.split_once(')').expect("a link is closed").0;
            if target.starts_with("https://") {
                continue;
            }
            links += 1;
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let beside = Path::new(&page).parent().unwrap();
            let file = if file.is_empty() { PathBuf::from(&page) } else { beside.join(file) };
            assert!(c::root().join(&file).exists(), "{page} links to {target}, which is not there");
            if !heading.is_empty() {
                let linked = prose(file.to_str().unwrap());
                let headings = linked.lines().filter(|line| line.starts_with('#'));
                let mut anchors = headings.map(|line| anchor(line.trim_start_matches('#').trim()));
                assert!(
                    anchors.any(|one| one == heading),
                    "{page} links to {target}, which has no such heading"
                );
            }
        }
    }
    assert!(links > 50, "{links}");
}
