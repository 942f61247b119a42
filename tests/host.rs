//! The library inside other people's processes: loaded and unloaded, forked, interrupted, short of stack, several
//! times over in one process. Each test compiles a C program of tests/host with the system's compiler against the
//! library that cargo has just built, and runs it beside the servers of tests/host/server.rs.
//!
//! `cargo test` runs a few rounds of each; FISH_CI the thousand; FISH_HOST_ROUNDS=n says how many. `.ci/host.sh`
//! runs the same programs under valgrind and the sanitizers, by these variables:
//! FISH_HOST_CC, FISH_HOST_CFLAGS, FISH_HOST_LDFLAGS (compiler, more flags, and more at the end of a program's link),
//! FISH_HOST_RUNNER (what to run programs under), FISH_HOST_LIBRARY (a folder with another build of the library),
//! FISH_HOST_PATIENCE (by how much the times that the library promises are stretched), FISH_HOST_NO_AES (the TLS
//! server offers ChaCha20 only).

#![cfg(target_os = "linux")]

#[path = "host/server.rs"]
mod server;

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use server::Servers;
use tempfile::TempDir;

/// What a static link needs beside the library (rustc's native-static-libs).
const STATIC_LIBS: &[&str] = &["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl", "-lc"];
/// The flag that a plugin with the static library inside needs; docs/plugins.md says why.
const STATIC_PLUGIN: &[&str] = &["-Wl,--exclude-libs,ALL"];
/// Long past what any program takes, under valgrind too.
const PROGRAM_LIMIT: Duration = Duration::from_secs(1800);

/// A folder for programs, the library under the names that linker and loader know, and the servers.
struct Bench {
    scratch: TempDir,
    servers: Servers,
}

#[derive(Clone, Copy, PartialEq)]
enum Library {
    None,
    Shared,
    Static,
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// How many rounds: `quick` under plain `cargo test`, `thorough` under FISH_CI.
fn rounds(quick: u32, thorough: u32) -> String {
    let count = match variable("FISH_HOST_ROUNDS") {
        Some(count) => count.parse().expect("FISH_HOST_ROUNDS is a count"),
        None if variable("FISH_CI").is_some() => thorough,
        None => quick,
    };
    count.to_string()
}

/// By how much the programs are slowed down.
fn patience() -> f64 {
    variable("FISH_HOST_PATIENCE").map_or(1.0, |times| times.parse().expect("FISH_HOST_PATIENCE is a number"))
}

fn skipped(what: &str) {
    println!("skipped: {what}");
    assert!(variable("FISH_CI").is_none(), "a skip is a failure in CI: {what}");
}

impl Bench {
    /// `None` on a machine without a C compiler.
    fn new() -> Option<Bench> {
        if Command::new(Bench::compiler()).arg("--version").output().is_err() {
            skipped("no C compiler");
            return None;
        }
        let scratch = tempfile::tempdir().unwrap();
        let mut built = env::current_exe().unwrap();
        built.pop();
        if let Some(folder) = variable("FISH_HOST_LIBRARY") {
            built = env::current_dir().unwrap().join(folder);
        }
        for (from, to) in [
            ("libfish_api_credit.so", "libfish_api_credit.so"),
            ("libfish_api_credit.so", "libfish_api_credit.so.0"),
            ("libfish_api_credit.a", "libfish_api_credit.a"),
        ] {
            let from = built.join(from);
            assert!(from.exists(), "{} was not built", from.display());
            symlink(from, scratch.path().join(to)).unwrap();
        }
        let servers = Servers::start(scratch.path());
        Some(Bench { scratch, servers })
    }

    fn compiler() -> String {
        variable("FISH_HOST_CC").unwrap_or_else(|| "cc".to_owned())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Compiles `source`, a path from the top of the repository, into `name`.
    fn compile(&self, source: &str, name: &str, library: Library, flags: &[&str]) -> PathBuf {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = self.scratch.path();
        let output = self.path(name);
        let mut command = Command::new(Bench::compiler());
        command
            .args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g", "-O1", "-pthread"])
            .args(flags)
            .args(variable("FISH_HOST_CFLAGS").iter().flat_map(|flags| flags.split_whitespace()))
            .arg("-I")
            .arg(root.join("include"))
            .arg(root.join(source))
            .arg("-o")
            .arg(&output);
        match library {
            Library::None => {}
            Library::Shared => {
                command
                    .arg(folder.join("libfish_api_credit.so"))
                    .arg(format!("-Wl,-rpath,{}", folder.display()));
            }
            Library::Static => {
                command.arg(folder.join("libfish_api_credit.a")).args(STATIC_LIBS);
            }
        }
        // After the library, whose calls of getaddrinfo and the like it may be there to answer.
        command.args(["-ldl", "-rdynamic"]);
        if !flags.contains(&"-shared") {
            command.args(variable("FISH_HOST_LDFLAGS").iter().flat_map(|flags| flags.split_whitespace()));
        }
        let compiled = command.output().unwrap();
        assert!(compiled.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&compiled.stderr));
        output
    }

    fn plugin(&self, name: &str, library: Library, flags: &[&str]) -> PathBuf {
        let flags = [&["-shared", "-fPIC", "-fvisibility=hidden"], flags].concat();
        self.compile("tests/host/plugin.c", name, library, &flags)
    }

    fn plain(&self) -> OsString {
        format!("http://{}", self.servers.plain).into()
    }

    fn tls(&self) -> OsString {
        format!("https://localhost:{}", self.servers.tls.port()).into()
    }

    fn ca_file(&self) -> OsString {
        self.servers.ca_file.clone().into()
    }

    /// Runs a program to a good end, prints what it said on stdout, and gives it.
    fn run(&self, program: &Path, arguments: &[OsString]) -> String {
        let (ended_well, out, err) = self.run_with(program, arguments, &[]);
        assert!(ended_well, "{} failed\n{out}\n{err}", program.display());
        out
    }

    /// Runs the example's host with a plugin, for so many seconds or until it has drawn `awaited`, and gives what it
    /// printed.
    fn example(&self, plugin: &Path, seconds: &str, behaviour: &str, awaited: &str) -> String {
        let host = self.compile("examples/plugin/host.c", "meter-host", Library::None, &["-D_GNU_SOURCE"]);
        let mut url = self.plain();
        url.push(behaviour);
        let arguments = [plugin.as_os_str().to_owned(), seconds.into(), url, awaited.into()];
        let (ended_well, out, err) = self.run_with(&host, &arguments, &[("FISH_API_KEY", "example")]);
        assert!(ended_well, "{out}\n{err}");
        out
    }

    fn run_with(
        &self,
        program: &Path,
        arguments: &[OsString],
        environment: &[(&str, &str)],
    ) -> (bool, String, String) {
        let runner = variable("FISH_HOST_RUNNER").unwrap_or_default();
        let words: Vec<&OsStr> =
            runner.split_whitespace().map(OsStr::new).chain([program.as_os_str()]).collect();
        let mut child = Command::new(words[0])
            .args(&words[1..])
            .args(arguments)
            .env_remove("FISH_API_KEY")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let drain = |pipe: Option<Box<dyn Read + Send>>| {
            thread::spawn(move || {
                let mut text = Vec::new();
                let _ = pipe.unwrap().read_to_end(&mut text);
                String::from_utf8_lossy(&text).into_owned()
            })
        };
        let out = drain(child.stdout.take().map(|pipe| Box::new(pipe) as _));
        let err = drain(child.stderr.take().map(|pipe| Box::new(pipe) as _));
        let end = Instant::now() + PROGRAM_LIMIT;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > end {
                child.kill().unwrap();
            }
            thread::sleep(Duration::from_millis(10));
        };
        let (out, err) = (out.join().unwrap(), err.join().unwrap());
        print!("{out}");
        (status.success(), out, format!("{status}\n{err}"))
    }
}

#[test]
fn eight_threads_share_a_client_and_a_token() {
    let Some(bench) = Bench::new() else { return };
    let program = bench.compile("tests/host/threads.c", "threads", Library::Shared, &[]);
    bench.run(&program, &[bench.plain(), bench.tls(), bench.ca_file(), rounds(3, 30).into()]);
}

#[test]
fn eight_threads_share_the_static_library_too() {
    let Some(bench) = Bench::new() else { return };
    if variable("FISH_HOST_CFLAGS").is_some() {
        println!("not run: GNU ld cannot link a sanitizer's runtime and this library into one program");
        return;
    }
    let program = bench.compile("tests/host/threads.c", "threads-static", Library::Static, &[]);
    bench.run(&program, &[bench.plain(), bench.tls(), bench.ca_file(), rounds(1, 3).into()]);
}

#[test]
fn a_handle_may_be_freed_while_it_is_used() {
    let Some(bench) = Bench::new() else { return };
    let program = bench.compile("tests/host/handles.c", "handles", Library::Shared, &[]);
    bench.run(&program, &[bench.plain(), rounds(20, 1000).into()]);
}

#[test]
fn a_plugin_that_links_the_shared_library_is_unloaded_while_busy() {
    let Some(bench) = Bench::new() else { return };
    let host = bench.compile("tests/host/unload.c", "unload", Library::None, &[]);
    let plugin = bench.plugin("shared.so", Library::Shared, &[]);
    // The plugin's own code goes; the library, linked with -z nodelete, stays.
    let arguments = [bench.plain(), plugin.into(), rounds(40, 1000).into(), "leaves".into()];
    bench.run(&host, &arguments);
    let (ended_well, _, err) = bench.run_with(&host, &arguments, &[("LD_BIND_NOW", "1")]);
    assert!(ended_well, "with LD_BIND_NOW: {err}");
}

#[test]
fn a_plugin_with_the_static_library_inside_is_unloaded_while_busy() {
    let Some(bench) = Bench::new() else { return };
    let host = bench.compile("tests/host/unload.c", "unload", Library::None, &[]);
    // No flag keeps it loaded: the library pins the module that it is in.
    let plugin = bench.plugin("static.so", Library::Static, STATIC_PLUGIN);
    bench.run(&host, &[bench.plain(), plugin.into(), rounds(40, 1000).into(), "resident".into()]);
}

#[test]
fn plugins_with_copies_of_their_own_live_in_one_process() {
    let Some(bench) = Bench::new() else { return };
    let host = bench.compile("tests/host/copies.c", "copies", Library::None, &[]);
    let run = |copies: &str, plugins: &[&PathBuf]| {
        let mut arguments = vec![bench.plain(), copies.into()];
        arguments.extend(plugins.iter().map(|plugin| plugin.as_os_str().to_owned()));
        bench.run(&host, &arguments);
    };
    let shared = bench.plugin("shared1.so", Library::Shared, &[]);
    let shared_too = bench.plugin("shared2.so", Library::Shared, &[]);
    let inside = bench.plugin("static1.so", Library::Static, STATIC_PLUGIN);
    let inside_too = bench.plugin("static2.so", Library::Static, STATIC_PLUGIN);
    run("apart", &[&inside, &inside_too]);
    run("apart", &[&inside, &shared]);
    run("apart", &[&shared, &inside]);
    run("shared", &[&shared, &shared_too]);
}

#[test]
fn a_static_plugin_exports_its_own_functions_only() {
    let Some(bench) = Bench::new() else { return };
    let plugin = bench.plugin("static.so", Library::Static, STATIC_PLUGIN);
    let Ok(symbols) = Command::new("nm").args(["-D", "--defined-only"]).arg(plugin).output() else {
        return skipped("no nm");
    };
    let symbols = String::from_utf8(symbols.stdout).unwrap();
    let mut names: Vec<&str> = symbols.lines().filter_map(|line| line.split(' ').nth(2)).collect();
    names.sort_unstable();
    assert_eq!(names, ["plugin_call", "plugin_library", "plugin_start", "plugin_stop"]);
}

#[test]
fn a_forked_child_and_its_parent_do_not_notice_each_other() {
    let Some(bench) = Bench::new() else { return };
    let program = bench.compile("tests/host/fork.c", "fork", Library::Shared, &[]);
    bench.run(&program, &[bench.plain(), bench.tls(), bench.ca_file(), rounds(20, 300).into()]);
}

#[test]
fn a_fork_in_the_middle_of_the_first_calls_holds_up_no_child() {
    let Some(bench) = Bench::new() else { return };
    // valgrind and the sanitizers have allocators of their own.
    if variable("FISH_HOST_RUNNER").is_some() || variable("FISH_HOST_CFLAGS").is_some() {
        println!("not run: the slow allocator has no place under a tool that brings one");
        return;
    }
    let program = bench.compile("tests/host/fork.c", "fork", Library::Shared, &[]);
    let slow = bench.compile(
        "tests/preload/malloc.c",
        "malloc.so",
        Library::None,
        &["-shared", "-fPIC", "-D_GNU_SOURCE"],
    );
    let arguments = [bench.plain(), bench.tls(), bench.ca_file(), rounds(20, 100).into(), "first".into()];
    let (ended_well, _, err) =
        bench.run_with(&program, &arguments, &[("LD_PRELOAD", slow.to_str().unwrap())]);
    assert!(ended_well, "{err}");
}

#[test]
fn signals_interrupt_every_wait_and_change_nothing() {
    let Some(bench) = Bench::new() else { return };
    let program = bench.compile("tests/host/signals.c", "signals", Library::Shared, &[]);
    bench.run(&program, &[bench.plain(), bench.tls(), bench.ca_file(), "300".into()]);
}

#[test]
fn a_thread_that_its_host_cancels_ends_after_the_call() {
    let Some(bench) = Bench::new() else { return };
    let program = bench.compile("tests/host/cancelled.c", "cancelled", Library::Shared, &[]);
    bench.run(&program, &[bench.plain(), bench.tls(), bench.ca_file(), rounds(5, 200).into()]);
}

#[test]
fn a_started_program_inherits_no_descriptor() {
    let Some(bench) = Bench::new() else { return };
    let program = bench.compile("tests/host/descriptors.c", "descriptors", Library::Shared, &[]);
    bench.run(&program, &[bench.plain(), bench.tls(), bench.ca_file()]);
}

#[test]
fn a_thread_with_a_small_stack_can_call() {
    let Some(bench) = Bench::new() else { return };
    let program = bench.compile("tests/host/stack.c", "stack", Library::Shared, &[]);
    // The promise is the release build's; without optimisation the same code needs several times as much.
    let limit = if cfg!(debug_assertions) { "512" } else { "64" };
    bench.run(&program, &[bench.plain(), bench.tls(), bench.ca_file(), limit.into()]);
}

#[test]
fn the_example_plugin_never_keeps_its_host_waiting() {
    let Some(bench) = Bench::new() else { return };
    let flags = ["-shared", "-fPIC", "-fvisibility=hidden"];
    let source = "examples/plugin/plugin.c";
    let inside_flags = [&flags[..], STATIC_PLUGIN].concat();
    for plugin in [
        bench.compile(source, "meter-shared.so", Library::Shared, &flags),
        bench.compile(source, "meter-static.so", Library::Static, &inside_flags),
    ] {
        // It may be there at the first look, or late on a busy machine: it is waited for, far longer than it takes.
        let shown = "API credit: $12.345678";
        let out = bench.example(&plugin, &format!("{}", 60.0 * patience()), "/ok", shown);
        assert!(out.lines().any(|line| line == shown), "{out}");
        let shown =
            "API credit unknown: The request is invalid (HTTP 422); see field_errors and api_message.";
        let out = bench.example(&plugin, &format!("{}", 60.0 * patience()), "/unprocessable", shown);
        assert!(out.lines().any(|line| line == shown), "{out}");
        // Unloaded while the call waits for an answer that never comes.
        let out = bench.example(&plugin, "0.3", "/hang", "nothing that is drawn");
        let times: Vec<f64> =
            out.lines().last().unwrap().split(' ').filter_map(|word| word.parse().ok()).collect();
        assert_eq!(times.len(), 3, "{out}");
        assert!(times[2] < 100.0 * patience(), "{out}");
    }
}
