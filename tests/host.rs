//! The library inside other people's processes: loaded and unloaded, forked, interrupted, short of stack, several
//! times over in one process. Each test compiles a C program of tests/host against the library that cargo has just
//! built, and runs it beside the servers of tests/support/routes.rs, plain and over TLS.
//!
//! `cargo test` runs a few rounds of each; FISH_CI the thousand; FISH_HOST_ROUNDS=n says how many. `.ci/host.sh`
//! runs the same programs under valgrind and the sanitizers, by the variables of tests/support/c.rs and by
//! FISH_HOST_PATIENCE (by how much the times that the library promises are stretched) and FISH_HOST_NO_AES (the TLS
//! server offers ChaCha20 only).

#![cfg(target_os = "linux")]

mod support;

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use support::c::{self, Compiler, Library};
use support::header::Header;
use support::server::Server;
use support::tls::{BOTH, Identity, directed};
use support::tools::{have, in_ci};
use support::{child, routes};
use tempfile::TempDir;

/// The flags of a plugin, and the one that it needs with the static library inside; docs/plugins.md says why.
const PLUGIN: [&str; 3] = ["-shared", "-fPIC", "-fvisibility=hidden"];
const STATIC_PLUGIN: [&str; 4] = ["-shared", "-fPIC", "-fvisibility=hidden", "-Wl,--exclude-libs,ALL"];
/// Long past what any program takes, under valgrind too.
const PROGRAM_LIMIT: Duration = Duration::from_secs(1800);

/// A folder for programs, and the servers.
struct Bench {
    scratch: TempDir,
    plain: Server,
    tls: Server,
    /// The certificate to trust for `localhost` and `named.test`.
    ca_file: PathBuf,
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// How many rounds: `quick` under plain `cargo test`, `thorough` under FISH_CI.
fn rounds(quick: u32, thorough: u32) -> OsString {
    let count = match variable("FISH_HOST_ROUNDS") {
        Some(count) => count.parse().expect("FISH_HOST_ROUNDS is a count"),
        None if in_ci() => thorough,
        None => quick,
    };
    count.to_string().into()
}

/// By how much the programs are slowed down.
fn patience() -> f64 {
    variable("FISH_HOST_PATIENCE").map_or(1.0, |times| times.parse().expect("FISH_HOST_PATIENCE is a number"))
}

/// Valgrind and the sanitizers have allocators of their own: a program that brings one has no place there.
fn under_a_tool() -> bool {
    let under = variable("FISH_HOST_RUNNER").is_some() || variable("FISH_HOST_CFLAGS").is_some();
    if under {
        support::note("not run under a tool that brings an allocator");
    }
    under
}

impl Bench {
    /// `None` on a machine without a C compiler.
    fn new() -> Option<Bench> {
        if !c::have_compiler() {
            return None;
        }
        let scratch = tempfile::tempdir().unwrap();
        let (identity, pem) =
            Identity::self_signed(&["localhost", "named.test"], &rcgen::PKCS_ECDSA_P256_SHA256);
        let ca_file = scratch.path().join("ca.pem");
        std::fs::write(&ca_file, pem).unwrap();
        let tls = directed(identity.config(BOTH), routes::respond);
        Some(Bench { scratch, plain: routes::server(), tls, ca_file })
    }

    /// Compiles `source`, a path from the top of the repository, into `name`.
    fn compile(&self, source: &str, name: &str, library: Library, flags: &[&str]) -> PathBuf {
        let flags = [&["-O1", "-ldl", "-rdynamic"], flags].concat();
        Compiler::c().compile(self.scratch.path().join(name), &[&c::root().join(source)], library, &flags)
    }

    fn host(&self, name: &str, library: Library) -> PathBuf {
        self.compile(&format!("tests/host/{name}.c"), name, library, &[])
    }

    fn plugin(&self, name: &str, library: Library) -> PathBuf {
        let flags = if library == Library::Static { &STATIC_PLUGIN[..] } else { &PLUGIN };
        self.compile("tests/host/plugin.c", name, library, flags)
    }

    fn plain(&self) -> OsString {
        self.plain.url().into()
    }

    /// What the programs that ask both servers are told first.
    fn both(&self) -> [OsString; 3] {
        let tls = format!("https://localhost:{}", self.tls.port());
        [self.plain(), tls.into(), self.ca_file.clone().into()]
    }

    /// Runs a program of tests/host that asks both servers.
    fn asks_both(&self, name: &str, more: &[OsString]) {
        self.run(&self.host(name, Library::Shared), &[&self.both(), more].concat(), &[]);
    }

    /// Runs a program to a good end, prints what it said on stdout, and gives it.
    fn run(&self, program: &Path, arguments: &[OsString], environment: &[(&str, &str)]) -> String {
        let mut command = c::under_runner(program);
        command.args(arguments).envs(environment.iter().copied());
        let said = c::stdout(&child::run(command, PROGRAM_LIMIT));
        print!("{said}");
        said
    }

    /// Runs the example's host with a plugin, for so many seconds or until it has drawn `awaited`, and gives what it
    /// printed.
    fn example(&self, plugin: &Path, seconds: f64, route: &str, awaited: &str) -> String {
        let flags = ["-D_GNU_SOURCE"];
        let host = self.compile("examples/plugin/host.c", "meter-host", Library::None, &flags);
        let url = format!("{}/{route}", self.plain.url());
        let arguments = [plugin.into(), seconds.to_string().into(), url.into(), awaited.into()];
        self.run(&host, &arguments, &[("FISH_API_KEY", "example")])
    }
}

#[test]
fn eight_threads_share_a_client_and_a_token() {
    let Some(bench) = Bench::new() else { return };
    bench.asks_both("threads", &[rounds(3, 30)]);
}

#[test]
fn eight_threads_share_the_static_library_too() {
    let Some(bench) = Bench::new() else { return };
    if variable("FISH_HOST_CFLAGS").is_some() {
        support::note("not run: GNU ld cannot link a sanitizer's runtime and this library into one program");
        return;
    }
    let program = bench.host("threads", Library::Static);
    bench.run(&program, &[&bench.both()[..], &[rounds(1, 3)]].concat(), &[]);
}

#[test]
fn a_handle_may_be_freed_while_it_is_used() {
    let Some(bench) = Bench::new() else { return };
    let program = bench.host("handles", Library::Shared);
    bench.run(&program, &[bench.plain(), rounds(20, 1000)], &[]);
}

#[test]
fn a_plugin_that_links_the_shared_library_is_unloaded_while_busy() {
    let Some(bench) = Bench::new() else { return };
    let host = bench.host("unload", Library::None);
    let plugin = bench.plugin("shared.so", Library::Shared);
    // The plugin's own code goes; the library, linked with -z nodelete, stays.
    let arguments = [bench.plain(), plugin.into(), rounds(40, 1000), "leaves".into()];
    bench.run(&host, &arguments, &[]);
    bench.run(&host, &arguments, &[("LD_BIND_NOW", "1")]);
}

#[test]
fn a_plugin_with_the_static_library_inside_is_unloaded_while_busy() {
    let Some(bench) = Bench::new() else { return };
    let host = bench.host("unload", Library::None);
    // No flag keeps it loaded: the library pins the module that it is in.
    let plugin = bench.plugin("static.so", Library::Static);
    bench.run(&host, &[bench.plain(), plugin.into(), rounds(40, 1000), "resident".into()], &[]);
}

#[test]
fn plugins_with_copies_of_their_own_live_in_one_process() {
    let Some(bench) = Bench::new() else { return };
    let host = bench.host("copies", Library::None);
    let run = |copies: &str, plugins: [&PathBuf; 2]| {
        let plugins = plugins.map(|plugin| plugin.as_os_str().to_owned());
        bench.run(&host, &[&[bench.plain(), copies.into()][..], &plugins].concat(), &[]);
    };
    let shared = bench.plugin("shared1.so", Library::Shared);
    let shared_too = bench.plugin("shared2.so", Library::Shared);
    let inside = bench.plugin("static1.so", Library::Static);
    let inside_too = bench.plugin("static2.so", Library::Static);
    run("apart", [&inside, &inside_too]);
    run("apart", [&inside, &shared]);
    run("apart", [&shared, &inside]);
    run("shared", [&shared, &shared_too]);
}

#[test]
fn a_static_plugin_exports_its_own_functions_only() {
    let Some(bench) = Bench::new() else { return };
    if !have("nm") {
        return;
    }
    let plugin = bench.plugin("static.so", Library::Static);
    let symbols = c::run(c::command("nm").args(["-D", "--defined-only"]).arg(plugin));
    let mut names: Vec<&str> = symbols.lines().filter_map(|line| line.split(' ').nth(2)).collect();
    names.sort_unstable();
    assert_eq!(names, ["plugin_call", "plugin_library", "plugin_start", "plugin_stop"]);
}

#[test]
fn a_forked_child_and_its_parent_do_not_affect_each_other() {
    let Some(bench) = Bench::new() else { return };
    bench.asks_both("fork", &[rounds(20, 300)]);
}

#[test]
fn a_fork_during_the_first_calls_blocks_no_child() {
    let Some(bench) = Bench::new() else { return };
    if under_a_tool() {
        return;
    }
    let program = bench.host("fork", Library::Shared);
    let slow = c::preload("malloc", bench.scratch.path());
    let arguments = [&bench.both()[..], &[rounds(20, 100), "first".into()]].concat();
    bench.run(&program, &arguments, &[("LD_PRELOAD", slow.to_str().unwrap())]);
}

#[test]
fn signals_interrupt_every_wait_and_change_nothing() {
    let Some(bench) = Bench::new() else { return };
    bench.asks_both("signals", &["300".into()]);
}

#[test]
fn a_thread_that_its_host_cancels_ends_after_the_call() {
    let Some(bench) = Bench::new() else { return };
    bench.asks_both("cancelled", &[rounds(5, 200)]);
    let program = c::read("tests/host/cancelled.c") + &c::read("tests/host/host.h");
    for function in Header::committed().functions {
        assert!(program.contains(&format!("{}(", function.name)), "{} is not called", function.name);
    }
}

/// What a real-time thread is promised, on its first call too.
#[test]
fn cancelling_from_a_fresh_thread_allocates_nothing() {
    let Some(bench) = Bench::new() else { return };
    if under_a_tool() {
        return;
    }
    let flags = ["-fno-builtin", "-Wno-pedantic"];
    let program = bench.compile("tests/host/realtime.c", "realtime", Library::None, &flags);
    let library = c::library_folder().join("libfish_api_credit.so");
    let printed = bench.run(&program, &[library.into()], &[]);
    assert_eq!(printed, "a careless thread allocates 1\na cancelling thread allocates 0\n");
}

#[test]
fn a_started_program_inherits_no_descriptor() {
    let Some(bench) = Bench::new() else { return };
    bench.asks_both("descriptors", &[]);
}

#[test]
fn a_thread_with_a_small_stack_can_call() {
    let Some(bench) = Bench::new() else { return };
    // The promise is the release build's; without optimisation the same code needs several times as much.
    let release = !cfg!(debug_assertions) || std::env::var_os("FISH_HOST_LIBRARY").is_some();
    let limit = if release { "64" } else { "512" };
    bench.asks_both("stack", &[limit.into()]);
}

#[test]
fn the_example_plugin_never_keeps_its_host_waiting() {
    let Some(bench) = Bench::new() else { return };
    let source = "examples/plugin/plugin.c";
    for plugin in [
        bench.compile(source, "meter-shared.so", Library::Shared, &PLUGIN),
        bench.compile(source, "meter-static.so", Library::Static, &STATIC_PLUGIN),
    ] {
        // It may be there at the first look, or late on a busy machine: it is waited for, far longer than it takes.
        for (route, shown) in [
            ("ok", "API credit: $12.345678"),
            (
                "422",
                "API credit unknown: The request is invalid (HTTP 422); see field_errors and api_message.",
            ),
        ] {
            let out = bench.example(&plugin, 60.0 * patience(), route, shown);
            assert!(out.lines().any(|line| line == shown), "{out}");
        }
        // Unloaded while the call waits for an answer that never comes: at once, if not every time on a busy machine.
        let mut closed = (0..10).map(|_| {
            let out = bench.example(&plugin, 0.3, "stall", "nothing that is drawn");
            let times: Vec<f64> =
                out.lines().last().unwrap().split(' ').filter_map(|word| word.parse().ok()).collect();
            assert_eq!(times.len(), 3, "{out}");
            times[2]
        });
        assert!(closed.any(|ms| ms < 100.0 * patience()));
    }
}
