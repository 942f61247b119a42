//! README.md and the other pages. Every command of every page runs as it stands, the C of README.md and docs/c.md compiles
//! and runs, the output that docs/c.md shows is what the quickstart prints, its tables name what the header has, and what
//! a page or a comment names or links to exists.

#[path = "../examples/quickstart/sandbox.rs"]
mod sandbox;
mod support;

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::c::{self, Link};
use support::server::{Server, answer, send};

const KEY: &str = "sk-readme-0123456789abcdef";

fn read(path: &str) -> String {
    std::fs::read_to_string(c::root().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

/// The fenced blocks of a page in one language, without their fences.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let blocks = page_blocks(page).into_iter().filter(|block| block.language == language);
    let blocks: Vec<String> = blocks.map(|block| block.text).collect();
    assert!(!blocks.is_empty(), "{page} has no {language}");
    blocks
}

/// Stands between a program of a page, which asks the service, and the library: it asks the sandbox instead.
const REDIRECT: &str = r#"
#include "fish_api_credit.h"
#include <stdlib.h>

fish_status sandboxed_client_new(const fish_client_options *given, fish_client **client, fish_error *error) {
  fish_client_options options = {0};
  if (given) options = *given;
  options.base_url = getenv("FISH_SANDBOX");
  if (!options.base_url) abort();
  return fish_client_new(&options, client, error);
}
"#;
const REDIRECTED: &str = "-Dfish_client_new=sandboxed_client_new";

/// The redirection, compiled.
fn redirect(scratch: &Path) -> PathBuf {
    let source = scratch.join("redirect.c");
    let object = scratch.join("redirect.o");
    std::fs::write(&source, REDIRECT).unwrap();
    c::build(&object, &[&source], Link::Shared, &["-c", "-fPIC"], scratch).unwrap();
    object
}

/// A whole program stays as it is; a piece of one becomes the body of a function that has what it names.
fn whole(snippet: &str) -> String {
    if snippet.contains("int main") {
        return snippet.to_owned();
    }
    let piece = snippet.replace('\n', "\n  ");
    format!(
        "#include <stdio.h>\n#include \"fish_api_credit.h\"\n\nint main(void) {{\n  fish_client *client;\n  \
         fish_api_credit credit;\n  fish_error error;\n  {piece}\n  \
         printf(\"API credit: %s\\n\", status == FISH_OK ? credit.credit : error.message);\n  \
         fish_api_credit_free(&credit);\n  fish_error_free(&error);\n  fish_client_free(client);\n}}\n"
    )
}

#[test]
fn every_c_snippet_compiles_without_a_warning_and_reads_a_credit() {
    let sandbox = sandbox::start(KEY);
    let scratch = tempfile::tempdir().unwrap();
    let object = redirect(scratch.path());
    let snippets = [blocks("README.md", "c"), blocks("docs/c.md", "c")].concat();
    assert_eq!(snippets.len(), 3);
    for (number, snippet) in snippets.iter().enumerate() {
        let source = scratch.path().join(format!("snippet{number}.c"));
        std::fs::write(&source, whole(snippet)).unwrap();
        // A program that names the wallet says which it is not.
        let names = snippet.contains("(not your plan's platform credit)");
        let named = if names { " (not your plan's platform credit)" } else { "" };
        for link in [Link::Shared, Link::Static] {
            let program = c::compile(&[&source, &object], link, &[REDIRECTED], scratch.path());
            let mut command = c::command(program);
            command.env("FISH_SANDBOX", sandbox.url()).env("FISH_API_KEY", KEY);
            let printed = c::stdout(&command.output().unwrap());
            assert_eq!(printed, format!("API credit{named}: 12.345678\n"), "{snippet}");
            if snippet.contains("int main") {
                let refused = command.env("FISH_API_KEY", "another").output().unwrap();
                let said = String::from_utf8(refused.stderr).unwrap();
                assert!(said.starts_with("FISH_UNAUTHORIZED: The server rejected the API key"), "{said}");
            }
        }
    }
    assert!(
        sandbox.requests().iter().any(|head| head.starts_with(b"GET /wallet/self/api-credit?check_free"))
    );
}

fn script(path: &Path, lines: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{lines}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A fenced block of a page: its language, its text without the page's indentation, and the lines before it.
struct Block {
    language: String,
    text: String,
    before: String,
}

fn page_blocks(page: &str) -> Vec<Block> {
    let (mut blocks, mut before) = (Vec::new(), String::new());
    let text = read(page);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some((indent, language)) = line.split_once("```") else {
            before = format!("{before}{line}\n");
            continue;
        };
        let body: String = lines
            .by_ref()
            .take_while(|line| line.trim() != "```")
            .map(|line| line.strip_prefix(indent).unwrap_or(line).to_owned() + "\n")
            .collect();
        blocks.push(Block { language: language.to_owned(), text: body, before: std::mem::take(&mut before) });
    }
    blocks
}

/// What a comment before a block says of it: `<!-- needs: TOOL -->`, or `<!-- needs: TOOL MAJOR -->` for that version
/// or a later one, or `<!-- not run: REASON -->`.
fn mark<'a>(block: &'a Block, kind: &str) -> Option<&'a str> {
    let last = block.before.trim_end().lines().last()?.trim();
    last.strip_prefix("<!-- ")?.strip_suffix(" -->")?.strip_prefix(kind)
}

/// The first number that `TOOL --version` prints; 0 if there is none.
fn major(tool: &str) -> u32 {
    let output = Command::new(tool).arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    numbers.next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// A page as one shell session: its commands in their order, and each program whose paragraph ends in its file's name,
/// put there. A block that cannot be run here is named.
fn session(page: &str) -> String {
    let mut session = String::new();
    for block in page_blocks(page) {
        let reason = mark(&block, "not run: ").map(str::to_owned);
        let reason = reason.or_else(|| {
            let needed = mark(&block, "needs: ")?;
            let (tool, least) = needed.split_once(' ').unwrap_or((needed, "0"));
            let least = least.parse().expect("a number");
            (found(tool).is_none() || least > 0 && major(tool) < least).then(|| format!("no {needed}"))
        });
        let saved = block.before.trim_end().strip_suffix("`:").and_then(|text| text.rsplit('`').next());
        match (block.language.as_str(), saved, reason) {
            ("sh", _, Some(reason)) => println!("skipped, a block of {page}: {reason}"),
            ("sh", _, None) => session += &block.text,
            (_, Some(name), _) if name.contains('.') && !name.contains('/') => {
                session += &format!("cat >{name} <<'END OF FILE'\n{}END OF FILE\n", block.text)
            }
            _ => {}
        }
    }
    session
}

/// Where a page's commands are run: a copy of the repository with the library that cargo has just built, in a
/// namespace whose `/usr/local` and `/etc` are scratch. Some commands are met by stand-ins: `cargo`, which has just
/// built what is asked for (this test is part of `cargo test`), `sudo`, for the namespace's user is root, and `cc` and
/// `c++`, which are the real ones but let the program ask the sandbox.
struct Stage {
    scratch: tempfile::TempDir,
    sandbox: support::server::Server,
    key: &'static str,
    path: String,
}

impl Stage {
    fn new(key: &'static str) -> Stage {
        let scratch = tempfile::tempdir().unwrap();
        let object = redirect(scratch.path());
        let project = scratch.path().join("project");
        std::fs::create_dir(&project).unwrap();
        let mut copy = Command::new("cp");
        copy.args(["-R", "Cargo.toml", "Cargo.lock", "CMakeLists.txt", "LICENSE-MIT", "LICENSE-APACHE"]);
        copy.args([".gitignore", "README.md", "docs", "examples", "include", "packaging"]).arg(&project);
        c::stdout(&copy.current_dir(c::root()).output().unwrap());
        for library in ["libfish_api_credit.so", "libfish_api_credit.a"] {
            c::alias(&c::built().join(library), &project.join("target/release").join(library));
        }
        let bin = scratch.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        let quickstart = c::built().with_file_name("examples").join("quickstart");
        assert!(
            quickstart.exists(),
            "the quickstart is built: run `cargo test`, or `cargo build --examples` first"
        );
        script(
            &bin.join("cargo"),
            &format!(
                "case \"$*\" in\n\
                 'run --example quickstart') echo \"cargo $*\" >>'{asked}'; unset FISH_API_KEY; CC='{compiler}' exec '{quickstart}' ;;\n\
                 'build --release' | test) echo \"cargo $*\" >>'{asked}' ;;\n\
                 *' --target-dir '*) for target; do :; done; mkdir -p \"$target/release\"\n\
                 exec cp '{built}/libfish_api_credit.so' '{built}/libfish_api_credit.a' \"$target/release\" ;;\n\
                 *) exit 64 ;;\nesac",
                asked = scratch.path().join("asked-of-cargo").display(),
                compiler = real(&c::compiler()).unwrap_or_default(),
                quickstart = quickstart.display(),
                built = c::built().display(),
            ),
        );
        script(&bin.join("sudo"), "exec \"$@\"");
        // By their paths: the stand-ins are found first under their names.
        for (name, compiler) in [("cc", c::compiler()), ("c++", "c++".to_owned())] {
            let Some(real) = real(&compiler) else { continue };
            script(
                &bin.join(name),
                &format!(
                    "case \"$*\" in *fish_api_credit*) set -- {REDIRECTED} '{}' \"$@\" ;; esac\nexec {real} \"$@\"",
                    object.display(),
                ),
            );
        }
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let stage = Stage { sandbox: sandbox::start(key), scratch, key, path };
        stage.git(&["init", "--quiet"]);
        stage.git(&["add", "--all"]);
        stage
    }

    /// What git says of the copy; nothing, without git.
    fn git(&self, arguments: &[&str]) -> String {
        if found("git").is_none() {
            return String::new();
        }
        let mut git = c::command("git");
        git.args(arguments).current_dir(self.scratch.path().join("project"));
        c::stdout(&git.output().unwrap())
    }

    /// Runs the commands, and gives what they printed. What they made is ignored by git.
    fn run(&self, commands: &str) -> String {
        let scratch = self.scratch.path();
        let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
        let mut command = c::command("unshare");
        command.args((!root).then_some("--map-root-user")).args(["--mount", "sh", "-euc"]);
        // An entry of the real /usr/local is still there, by a link; what this library would install is not.
        command.arg(format!(
            "mount -t tmpfs tmpfs '{0}/mounted'\n\
             cd '{0}/mounted'\n\
             mkdir local etc\n\
             mount --bind /usr/local local\n\
             for folder in lib include share; do\n\
             mkdir $folder\n\
             for entry in local/$folder/*; do\n\
             case $entry in *fish* | */pkgconfig | */cmake | */licenses | *'*') ;;\n\
             *) ln -s \"$PWD/$entry\" $folder/ ;; esac\n\
             done\n\
             mount --bind $folder /usr/local/$folder\n\
             done\n\
             cp -a /etc/. etc 2>/dev/null || true\n\
             mount --bind etc /etc\n\
             cd ../project\n\
             {commands}",
            scratch.display(),
        ));
        std::fs::create_dir_all(scratch.join("mounted")).unwrap();
        // rustc, which CMake asks for its target, finds its own things by the real home.
        let home = std::env::var("HOME").unwrap_or_else(|_| "/root".into());
        for (name, folder) in [("RUSTUP_HOME", ".rustup"), ("CARGO_HOME", ".cargo")] {
            if std::env::var_os(name).is_none() {
                command.env(name, Path::new(&home).join(folder));
            }
        }
        for name in ["PKG_CONFIG_PATH", "LD_LIBRARY_PATH", "FISH_API_CREDIT_LIBRARY", "CMAKE_GENERATOR"] {
            command.env_remove(name);
        }
        command
            .env("HOME", scratch)
            .env("PATH", &self.path)
            .env("FISH_API_KEY", self.key)
            .env("FISH_SANDBOX", self.sandbox.url())
            .env("FISH_BASE_URL", self.sandbox.url())
            .env("GOCACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-cache"))
            .envs([("GOPROXY", "off"), ("GOTOOLCHAIN", "local"), ("GOFLAGS", "")]);
        let printed = c::stdout(&command.output().unwrap());
        let left = self.git(&["status", "--porcelain", "--untracked-files=all"]);
        let left: Vec<&str> = left.lines().filter(|line| line.starts_with("??")).collect();
        assert!(left.is_empty(), ".gitignore does not have what the commands made: {left:?}");
        printed
    }
}

/// Whether the tool is there; CI promises that it is.
fn has(tools: &[&str]) -> bool {
    let missing: Vec<&&str> = tools.iter().filter(|tool| found(tool).is_none()).collect();
    for tool in &missing {
        println!("skipped: no {tool}");
    }
    assert!(
        missing.is_empty() || std::env::var_os("FISH_CI").is_none(),
        "FISH_CI is set, and there is no {missing:?}"
    );
    missing.is_empty()
}

/// Every page with commands that is not README.md, with the tools that they need, and what a run of it prints.
#[test]
#[cfg(target_os = "linux")]
fn every_command_of_every_page_runs_as_it_stands() {
    const PAGES: &[(&str, &[&str], &[&str])] = &[
        (
            "docs/c.md",
            &["cmake", "pkg-config"],
            &["API credit (not your plan's platform credit): 12.345678\n"],
        ),
        (
            "docs/cpp.md",
            &["cmake", "pkg-config", "c++"],
            &["API credit (not your plan's platform credit): 12.345678\n", "API credit: 12.345678\n"],
        ),
        (
            "docs/csharp.md",
            &["cmake", "mcs", "mono"],
            &["API credit: 12.345678 (last change: ", "time to top up\n"],
        ),
        ("docs/go.md", &["cmake", "pkg-config", "go"], &["API credit: 12.345678, exactly 6172839/500000\n"]),
        ("docs/java.md", &["cmake"], &[]),
        (
            "docs/plugins.md",
            &["cmake", "pkg-config"],
            &["API credit: $12.345678\n", "opened in ", "API credit: $12.345678\n", "opened in "],
        ),
        (
            "docs/python.md",
            &["cmake", "python3"],
            &["API credit: 12.345678 (not the platform", "API credit: 12.345678 (last change"],
        ),
        ("docs/reproducible.md", &[], &[]),
        ("docs/swift.md", &["cmake", "pkg-config"], &[]),
        (
            "docs/without-blocking.md",
            &["cmake", "pkg-config", "glib-mkenums"],
            &[
                "API credit: 12.345678\n",
                "API credit: 12.345678\n",
                "API credit: 12.345678\n",
                "API credit: 12.345678\n",
                "The key is good.\n",
            ],
        ),
        ("examples/plugin/README.md", &[], &["API credit: $12.345678\n", "opened in "]),
    ];
    for page in pages() {
        let listed = page == "README.md" || PAGES.iter().any(|(listed, ..)| page == *listed);
        let commands = page_blocks(&page).iter().any(|block| block.language == "sh");
        assert!(listed || !commands, "nobody runs the commands of {page}");
    }

    if Command::new("unshare")
        .args(["--map-root-user", "--mount", "true"])
        .output()
        .is_ok_and(|it| !it.status.success())
        && Command::new("unshare").args(["--mount", "true"]).output().is_ok_and(|it| !it.status.success())
    {
        println!("skipped: this machine allows no mount namespace");
        assert!(std::env::var_os("FISH_CI").is_none(), "FISH_CI is set, and unshare does not work");
        return;
    }
    // What the other pages mean by "Install the library".
    let install = page_blocks("docs/c.md").remove(0).text;
    // One page, as .ci/trixie.sh wants it.
    let only = std::env::var("FISH_PAGE").ok();
    for (page, tools, prints) in
        PAGES.iter().filter(|(page, ..)| only.as_deref().is_none_or(|only| only == *page))
    {
        let session = session(page);
        let installs = read(page).contains("#install)") && !session.is_empty();
        if session.is_empty() || !has(tools) {
            continue;
        }
        println!("{page}");
        let stage = Stage::new("...");
        // From a real clone's release folder, as README.md has it.
        let ready = if page.starts_with("examples") {
            "ln -sf libfish_api_credit.so target/release/libfish_api_credit.so.0\n"
        } else {
            ""
        };
        let printed = stage.run(&format!("{ready}{}{session}", if installs { install.as_str() } else { "" }));
        let mut rest = printed.as_str();
        for expected in *prints {
            rest = rest
                .split_once(expected)
                .unwrap_or_else(|| panic!("{page}: no {expected:?} in\n{printed}"))
                .1;
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn every_command_does_what_it_says() {
    let stage = Stage::new(KEY);
    let printed = stage.run(&session("README.md"));
    assert!(printed.contains("It calls the sandbox"), "{printed}");
    assert!(printed.contains("Free credit left   yes\n"), "{printed}");
    assert!(printed.ends_with(&sandbox::document(false)), "{printed}");
    assert_eq!(
        std::fs::read_to_string(stage.scratch.path().join("asked-of-cargo")).unwrap(),
        "cargo run --example quickstart\ncargo test\ncargo build --release\n"
    );
    let run = read(".ci/run");
    for command in ["cargo run --example quickstart", "cargo test"] {
        assert!(run.contains(command), ".ci/run does not run {command}");
    }
}

/// The programs of the page compile without a warning; that of its recipe says good, bad, and of all else unknown.
#[test]
fn a_key_is_good_bad_or_unknown() {
    let scratch = tempfile::tempdir().unwrap();
    let object = redirect(scratch.path());
    let mut programs = std::collections::BTreeMap::new();
    for block in page_blocks("docs/without-blocking.md") {
        let name = block.before.trim_end().strip_suffix("`:").and_then(|text| text.rsplit('`').next());
        let Some(name) = name.filter(|name| name.ends_with(".c") && *name != "glib.c") else { continue };
        let source = scratch.path().join(name);
        std::fs::write(&source, &block.text).unwrap();
        let flags = [REDIRECTED, "-D_GNU_SOURCE"];
        let program = c::compile(&[&source, &object], Link::Shared, &flags, scratch.path());
        programs.insert(name.to_owned(), program);
    }
    assert_eq!(programs.keys().collect::<Vec<_>>(), ["epoll.c", "frames.c", "key.c", "poll.c"]);

    let answering = |status| Server::directed(move |_, _| send(answer(status, "Retry-After: 60\r\n", "{}")));
    let (sandbox, forbidden, busy) = (sandbox::start(KEY), answering(403), answering(429));
    for (url, key, word, status) in [
        (sandbox.url(), KEY, "good", 0),
        (sandbox.url(), "sk-another", "bad", 1),
        (forbidden.url(), KEY, "unknown", 2),
        (busy.url(), KEY, "unknown", 2),
        ("http://127.0.0.1:1".into(), KEY, "unknown", 2),
    ] {
        let mut command = c::command(&programs["key.c"]);
        let output = command.env("FISH_SANDBOX", &url).env("FISH_API_KEY", key).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(
            (said.as_ref(), output.status.code()),
            (&*format!("The key is {word}.\n"), Some(status)),
            "{url}"
        );
    }
}

/// A test that a page names by `--test` exists.
#[test]
fn every_test_that_a_page_names_is_there() {
    let mut named = 0;
    for page in pages() {
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
    let parts = texts(".ci").into_iter().filter(|part| part.ends_with(".sh") && part != ".ci/packages.sh");
    let missing: Vec<String> = parts.filter(|part| !page.contains(&format!("`{part}`"))).collect();
    assert!(missing.is_empty(), "CONTRIBUTING.md does not list {missing:?}");
}

/// The code that docs/architecture.md names by its path exists.
#[test]
fn everything_that_the_architecture_names_is_in_the_code() {
    let code: String = texts("src").iter().map(|file| read(file)).collect();
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

/// The folders whose files are searched for names of files.
const FOLDERS: [&str; 11] =
    [".ci", ".github", "benches", "capi", "docs", "examples", "fuzz", "include", "packaging", "src", "tests"];

/// The text files under a folder, by their paths from the top of the repository. Not what is built there, nor lock files.
fn texts(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(c::root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            let built = ["target", "build", ".build", "__pycache__", "artifacts", "corpus", "coverage"];
            if !built.contains(&&*name) && !name.ends_with(".egg-info") && path != "fuzz/seeds" {
                found.append(&mut texts(&path));
            }
        } else if kind.is_file() && !name.ends_with(".lock") && std::fs::read_to_string(entry.path()).is_ok()
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The text files at the top of the repository.
fn top() -> impl Iterator<Item = String> {
    let kinds = [".md", ".toml", ".txt", ".in"];
    let files = std::fs::read_dir(c::root()).unwrap().map(|entry| entry.unwrap());
    files
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(move |name| kinds.iter().any(|kind| name.ends_with(kind)))
}

/// Every page: README.md, those of docs, those of the examples.
fn pages() -> Vec<String> {
    let folders = ["benches", "docs", "examples"].into_iter().flat_map(texts);
    let pages: Vec<String> = top().chain(folders).filter(|path| path.ends_with(".md")).collect();
    assert!(pages.len() > 15, "{pages:?}");
    pages
}

/// A file or folder of the repository that a comment, a script or a page names exists. A name is what starts with a
/// folder of the repository, or ends like a page or a YAML file.
#[test]
fn every_file_that_is_named_is_there() {
    let files = FOLDERS.into_iter().flat_map(texts).chain(top());
    let mut named = 0;
    let mut missing = Vec::new();
    for file in files {
        let beside = Path::new(&file).parent().unwrap();
        let text = read(&file);
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "_-./".contains(c)));
        for word in words.map(|word| word.trim_end_matches('.').trim_matches('/')) {
            let of_ours = word.split_once('/').is_some_and(|(first, _)| FOLDERS.contains(&first));
            let stem = [".md", ".yaml", ".yml"].into_iter().find_map(|end| word.strip_suffix(end));
            if of_ours || stem.is_some_and(|stem| !stem.is_empty()) {
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

/// A compiler and its arguments, by its path.
fn real(compiler: &str) -> Option<String> {
    let (name, arguments) = compiler.split_once(' ').unwrap_or((compiler, ""));
    Some(format!("{} {arguments}", found(name)?.display()))
}

/// Where a command is, with the tester's PATH.
fn found(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.exists())
}

#[test]
fn the_output_is_what_the_quickstart_prints() {
    let program = c::built().with_file_name("examples").join("quickstart");
    let output = c::command(program).current_dir(c::root()).env_remove("CC").output().unwrap();
    // The folder depends on the profile.
    let folder = c::built().with_file_name("quickstart");
    let folder = folder.strip_prefix(c::root()).unwrap_or(&folder).display().to_string();
    let shown = &blocks("docs/c.md", "text")[0];
    assert_eq!(&c::stdout(&output).replace(&folder, "target/debug/quickstart"), shown);
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
    for page in pages() {
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
