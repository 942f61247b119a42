//! The commands of README.md and the other pages: every one runs as it stands, the C of README.md and docs/c.md compiles
//! and runs, and the output that docs/c.md shows is what the quickstart prints.

#[path = "../examples/quickstart/sandbox.rs"]
mod sandbox;
mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::c::{self, Compiler, Library, read};
use support::pages;
use support::server::{Server, answer, send};
use support::tools::{self, found};

const KEY: &str = "sk-readme-0123456789abcdef";

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
    Compiler::c().build(&object, &[&source], Library::None, &["-c", "-fPIC"]).unwrap();
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
    let snippets = ["README.md", "docs/c.md"].map(|page| pages::texts(page, "c")).concat();
    assert_eq!(snippets.len(), 3);
    for (number, snippet) in snippets.iter().enumerate() {
        let source = scratch.path().join(format!("snippet{number}.c"));
        std::fs::write(&source, whole(snippet)).unwrap();
        // A program that names the wallet says which it is not.
        let names = snippet.contains("(not your plan's platform credit)");
        let named = if names { " (not your plan's platform credit)" } else { "" };
        for library in [Library::Shared, Library::Static] {
            let program = c::compile(&[&source, &object], library, &[REDIRECTED], scratch.path());
            let mut command = c::command(program);
            command.env("FISH_SANDBOX", sandbox.url()).env("FISH_API_KEY", KEY);
            assert_eq!(c::run(&mut command), format!("API credit{named}: 12.345678\n"), "{snippet}");
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
    for block in pages::blocks(page) {
        let reason = block.mark("not run: ").map(str::to_owned);
        let reason = reason.or_else(|| {
            let needed = block.mark("needs: ")?;
            let (tool, least) = needed.split_once(' ').unwrap_or((needed, "0"));
            let least = least.parse().expect("a number");
            (found(tool).is_none() || least > 0 && major(tool) < least).then(|| format!("no {needed}"))
        });
        match (block.language.as_str(), block.file_name(), reason) {
            ("sh", _, Some(reason)) => support::note(format_args!("not run, a block of {page}: {reason}")),
            ("sh", _, None) => session += &block.text,
            (_, Some(name), _) => {
                session += &format!("cat >{name} <<'END OF FILE'\n{}END OF FILE\n", block.text)
            }
            _ => {}
        }
    }
    session
}

/// Where a page's commands are run: a copy of the repository with the library that cargo has just built, in a
/// namespace whose `/usr/local` and `/etc` are scratch. Some commands are met by stand-ins: `cargo`, which has just
/// built what is asked for (this test is part of `cargo test`), `sudo`, for the namespace's user is root, and `cc`,
/// `c++` and `python3`, which are the real ones but let the program ask the sandbox.
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
        copy.args(["-R", "Cargo.toml", "Cargo.lock", "CMakeLists.txt", "CHANGELOG.md", "LICENSE-MIT"]);
        copy.args(["LICENSE-APACHE", ".gitignore", "README.md", "docs", "examples", "include", "packaging"])
            .arg(&project);
        c::run(copy.current_dir(c::root()));
        for library in ["libfish_api_credit.so", "libfish_api_credit.a"] {
            c::alias(&c::built().join(library), &project.join("target/release").join(library));
        }
        let cc = Compiler::c().command;
        let bin = scratch.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        let quickstart = c::example("quickstart");
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
                compiler = real(&cc).unwrap_or_default(),
                quickstart = quickstart.display(),
                built = c::built().display(),
            ),
        );
        script(&bin.join("sudo"), "exec \"$@\"");
        // By their paths: the stand-ins are found first under their names.
        for (name, compiler) in [("cc", cc), ("c++", "c++".to_owned())] {
            let Some(real) = real(&compiler) else { continue };
            script(
                &bin.join(name),
                &format!(
                    "case \"$*\" in *fish_api_credit*) set -- {REDIRECTED} '{}' \"$@\" ;; esac\nexec {real} \"$@\"",
                    object.display(),
                ),
            );
        }
        // A command of this library is told where the sandbox is; a program of a page reads the variable itself.
        if let Some(real) = found("python3") {
            script(
                &bin.join("python3"),
                &format!(
                    "case \"$*\" in '-m fish_api_credit'*) set -- \"$@\" --base-url \"$FISH_SANDBOX\" ;; esac\n\
                     exec '{}' \"$@\"",
                    real.display(),
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
        c::run(c::command("git").args(arguments).current_dir(self.scratch.path().join("project")))
    }

    /// Runs the commands, and gives what they printed. What they made is ignored by git.
    fn run(&self, commands: &str) -> String {
        let scratch = self.scratch.path();
        let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
        let mut command = c::command("unshare");
        command.args((!root).then_some("--map-root-user")).args(["--mount", "sh", "-euc"]);
        // An entry of the real /usr/local is still there, by a link; what this library would install is not, nor is a
        // folder that it would install into.
        command.arg(format!(
            "mount -t tmpfs tmpfs '{0}/mounted'\n\
             cd '{0}/mounted'\n\
             mkdir local etc\n\
             mount --bind /usr/local local\n\
             for folder in bin lib include share; do\n\
             mkdir $folder\n\
             for entry in local/$folder/*; do\n\
             case $entry in *fish* | */pkgconfig | */cmake | */licenses | *'*') ;;\n\
             */bash-completion | */doc | */man | */zsh) ;;\n\
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
        let installed = || c::run(Command::new("find").args(["/usr/local", "-name", "*fish*"]));
        let before = installed();
        let printed = c::run(&mut command);
        assert_eq!(installed(), before, "the commands wrote to the machine's own /usr/local");
        let left = self.git(&["status", "--porcelain", "--untracked-files=all"]);
        let left: Vec<&str> = left.lines().filter(|line| line.starts_with("??")).collect();
        assert!(left.is_empty(), ".gitignore does not have what the commands made: {left:?}");
        printed
    }
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
        ("docs/luajit.md", &["cmake", "luajit"], &["API credit: 12.345678 (last change"]),
        ("docs/node.md", &["cmake", "pkg-config"], &[]),
        (
            "docs/obs.md",
            &["cmake", "obs", "/usr/include/obs/obs-module.h"],
            &[".config/obs-studio/plugins/fish-credit/bin/64bit/fish-credit.so\n"],
        ),
        (
            "docs/plugins.md",
            &["cmake", "pkg-config"],
            &["API credit: $12.345678\n", "opened in ", "API credit: $12.345678\n", "opened in "],
        ),
        (
            "docs/python.md",
            &["cmake", "python3"],
            &["API credit         12.34 US dollars\n", "API credit: 12.345678 (last change"],
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
    for page in pages::all() {
        // docs/install.md: by the tests of the packages (tests/pages.rs).
        let elsewhere = ["README.md", "docs/install.md"].contains(&page.as_str());
        let listed = elsewhere || PAGES.iter().any(|(listed, ..)| page == *listed);
        let commands = pages::blocks(&page).iter().any(|block| block.language == "sh");
        assert!(listed || !commands, "nobody runs the commands of {page}");
    }

    let refused = |arguments: &[&str]| {
        Command::new("unshare").args(arguments).output().is_ok_and(|output| !output.status.success())
    };
    if refused(&["--map-root-user", "--mount", "true"]) && refused(&["--mount", "true"]) {
        return tools::skipped("this machine allows no mount namespace");
    }
    // What the other pages mean by "Install the library".
    let install = pages::blocks("docs/c.md").remove(0).text;
    // One page, as .ci/trixie.sh wants it.
    let only = std::env::var("FISH_PAGE").ok();
    for (page, tools, prints) in
        PAGES.iter().filter(|(page, ..)| only.as_deref().is_none_or(|only| only == *page))
    {
        let session = session(page);
        let installs = read(page).contains("#install)") && !session.is_empty();
        if session.is_empty() || tools.iter().filter(|tool| !tools::have(tool)).count() > 0 {
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
        let commands = format!("{ready}{}{session}", if installs { install.as_str() } else { "" });
        let mut printed = stage.run(&commands);
        let missing = |printed: &str| {
            let mut rest = printed;
            prints.iter().find(|expected| match rest.split_once(**expected) {
                Some((_, after)) => {
                    rest = after;
                    false
                }
                None => true,
            })
        };
        // A program that shows its credit for two seconds shows none where a busy machine is later than that.
        if missing(&printed).is_some() {
            printed = Stage::new("...").run(&commands);
        }
        assert_eq!(missing(&printed), None, "{page} prints\n{printed}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn every_command_does_what_it_says() {
    let stage = Stage::new(KEY);
    let printed = stage.run(&session("README.md"));
    assert!(printed.contains("It calls the sandbox"), "{printed}");
    assert!(printed.contains("Free credit left   yes\n"), "{printed}");
    assert!(printed.ends_with(&format!("{}\n", sandbox::document(false))), "{printed}");
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
fn the_key_check_says_good_bad_or_unknown() {
    let scratch = tempfile::tempdir().unwrap();
    let object = redirect(scratch.path());
    let mut programs = std::collections::BTreeMap::new();
    for block in pages::blocks("docs/without-blocking.md") {
        let name = block.file_name().filter(|name| name.ends_with(".c") && *name != "glib.c");
        let Some(name) = name else { continue };
        let source = scratch.path().join(name);
        std::fs::write(&source, &block.text).unwrap();
        let flags = [REDIRECTED, "-D_GNU_SOURCE"];
        let program = c::compile(&[&source, &object], Library::Shared, &flags, scratch.path());
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

/// A compiler and its arguments, by its path.
fn real(compiler: &str) -> Option<String> {
    let (name, arguments) = compiler.split_once(' ').unwrap_or((compiler, ""));
    Some(format!("{} {arguments}", found(name)?.display()))
}

#[test]
fn the_output_is_what_the_quickstart_prints() {
    let printed = c::run(c::command(c::example("quickstart")).current_dir(c::root()).env_remove("CC"));
    // The folder depends on the profile.
    let folder = c::built().with_file_name("quickstart");
    let folder = folder.strip_prefix(c::root()).unwrap_or(&folder).display().to_string();
    let printed = printed.replace(&folder, "target/debug/quickstart");
    assert_eq!(printed, pages::texts("docs/c.md", "text")[0]);
}
