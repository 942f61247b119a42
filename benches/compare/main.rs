//! Compares one warm call of this library with libcurl plus cJSON and with the floor, prints a table, and fails if it
//! misses a goal that does not depend on the machine's load. `cargo bench` runs it, on Linux, with `apt-get install gcc
//! libcurl4-openssl-dev libcjson-dev valgrind strace`. benches/RESULTS.md has its output, explained.

mod measure;
mod server;

use std::path::{Path, PathBuf};
use std::process::Command;

use measure::{Contender, Counts};
use server::Server;

/// The columns: the floor first.
const LIBCURL: usize = 1;
const OURS: usize = 2;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let library = build(root);
    // The dynamic linker finds it by its SONAME.
    let soname = here.join("libfish_api_credit.so.0");
    std::fs::copy(&library, &soname).unwrap();
    let compile = |name: &str, links: &[&str]| {
        let program = here.join(name);
        let mut cc = Command::new("cc");
        cc.args(["-O2", "-std=gnu11", "-Wall", "-Wextra", "-Iinclude", "-o"]).arg(&program);
        said(cc.arg(format!("benches/c/{name}.c")).args(links).current_dir(root));
        Contender { program, speaks_tls: name != "floor" }
    };
    let rpath = format!("-Wl,-rpath,{}", here.display());
    let contenders = [
        compile("floor", &[]),
        compile("libcurl", &["-lcurl", "-lcjson"]),
        compile("ours", &[soname.to_str().unwrap(), &rpath]),
    ];
    let (http, https) = (Server::http(), Server::https(here));

    let mut table = Table::default();
    for (scheme, server) in [("http", &http), ("https", &https)] {
        // The cost of TLS is rustls' and OpenSSL's.
        let goal = |goal| (scheme == "http").then_some(goal);
        let instructions = measure::instructions(&contenders, server);
        let to_libcurl = instructions.map(|count| Some(count? / instructions[LIBCURL]?));
        table.counts(&format!("{scheme}: user-space instructions"), instructions, None);
        table.ratios(&format!("{scheme}: the same, to libcurl's"), to_libcurl, goal(0.5));
        table.counts(
            &format!("{scheme}: heap allocations"),
            measure::allocations(&contenders, server),
            goal(35.0),
        );
        table.counts(
            &format!("{scheme}: system calls"),
            measure::system_calls(&contenders, server),
            goal(4.0),
        );
        table.counts(&format!("{scheme}: threads started"), measure::threads(&contenders, server), goal(0.0));
    }
    let (microseconds, to_libcurl) = measure::interleaved(&contenders, &http, LIBCURL);
    table.row("http: time", microseconds.map(|time| format!("{time:.1} µs")), "");
    table.row("http: the same, to libcurl's", to_libcurl.map(two_decimals), "≤ 0.65");
    let (milliseconds, to_libcurl) = measure::first_calls(&contenders, &http, &https, LIBCURL);
    table.row("https: a process and its first call", milliseconds.map(|time| format!("{time:.1} ms")), "");
    table.row("https: the same, to libcurl's", to_libcurl.map(two_decimals), "≤ 0.30");

    let (with_libcurl, with_ours) = (libraries(&contenders[LIBCURL].program), libraries(&library));
    let megabytes =
        |files: &[PathBuf]| files.iter().map(|file| file.metadata().unwrap().len() as f64 / 1e6).sum();
    let sizes = [None, Some(megabytes(&with_libcurl)), Some(megabytes(&[library]) + megabytes(&with_ours))];
    table.ratios("MB that a program loads for it", sizes, Some(1.95));
    let needed = [None, Some(with_libcurl.len() as f64), Some(1.0 + with_ours.len() as f64)];
    table.counts("libraries that a program loads for it", needed, Some(1.0));

    println!("{}\n", machine());
    table.print("a warm call | floor | libcurl + cJSON | **this library**");

    // The same call in the ways that do not block.
    let ways = [
        contenders.into_iter().nth(OURS).unwrap(),
        compile("background", &[soname.to_str().unwrap(), &rpath]),
        compile("watch", &[soname.to_str().unwrap(), &rpath]),
    ];
    let mut other = Table::default();
    let instructions = measure::instructions(&ways, &http);
    other.counts("user-space instructions", instructions, None);
    // The refresh that asks for a reading and the copy that the program gets are not part of it.
    let reading = [instructions[0], None, Some(measure::instructions_of_thread(&ways[2], &http))];
    other.counts("of them, on the watch's thread", reading, None);
    let to_call = reading.map(|count| Some(count? / instructions[0]?));
    other.ratios("the same, to the call's", to_call, Some(1.1));
    other.counts("heap allocations", measure::allocations(&ways, &http), None);
    other.counts("system calls", measure::system_calls(&ways, &http), None);
    other.counts("threads started", measure::threads(&ways, &http), Some(0.0));
    let (microseconds, to_call) = measure::interleaved(&ways, &http, 0);
    other.row("time from start to result", microseconds.map(|time| format!("{time:.1} µs")), "");
    other.row("the same, to the call's", to_call.map(two_decimals), "");
    other.print("over http, warm | fish_get_api_credit | fish_call | a watch's reading");
    let missed = [table.missed, other.missed].concat();
    assert!(missed.is_empty(), "missed: {}", missed.join("; "));
}

/// Builds the library with the README's command. `cargo bench` has built one too, but with features that the
/// development dependencies turn on.
fn build(root: &Path) -> PathBuf {
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let command = readme.lines().find(|line| line.starts_with("cargo ") && line.contains("--release"));
    let arguments = command.expect("the README builds the library").split_whitespace().skip(1);
    said(Command::new(env!("CARGO")).args(arguments).current_dir(root));
    // This program is target/release/deps/compare-…
    std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("libfish_api_credit.so")
}

/// The libraries that a program or library loads, except the C runtime, as the dynamic linker lists them.
fn libraries(file: &Path) -> Vec<PathBuf> {
    let list = said(Command::new("ldd").arg(file));
    let paths = list.lines().filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')));
    let runtime = |path: &str| {
        ["/libc.so", "/libm.so", "/libgcc_s.so", "/ld-linux"].iter().any(|name| path.contains(name))
    };
    paths.filter(|path| !runtime(path)).map(PathBuf::from).collect()
}

/// One row per figure, one column per contender.
#[derive(Default)]
struct Table {
    rows: Vec<String>,
    /// The missed goals, of those that do not depend on the machine's load.
    missed: Vec<String>,
}

impl Table {
    fn row(&mut self, name: &str, figures: [String; 3], goal: &str) {
        self.rows.push(format!("| {name} | {} | {goal} |", figures.join(" | ")));
    }

    fn print(&self, heads: &str) {
        println!("| {heads} | goal |\n|---|---:|---:|---:|---:|\n{}\n", self.rows.join("\n"));
    }

    /// Whole numbers: costs of only some calls, such as growing a table, are rounded off.
    fn counts(&mut self, name: &str, counts: Counts, goal: Option<f64>) {
        self.checked(name, counts.map(|count| count.map(f64::round)), goal, thousands);
    }

    fn ratios(&mut self, name: &str, ratios: Counts, goal: Option<f64>) {
        self.checked(name, ratios, goal, two_decimals);
    }

    fn checked(&mut self, name: &str, figures: Counts, goal: Option<f64>, text: fn(f64) -> String) {
        if let (Some(ours), Some(goal)) = (figures[OURS], goal)
            && ours > goal
        {
            self.missed.push(format!("{name}, {} for {}", text(ours), text(goal)));
        }
        let figures = figures.map(|figure| figure.map_or("–".to_owned(), text));
        self.row(name, figures, &goal.map_or(String::new(), |goal| format!("≤ {}", text(goal))));
    }
}

fn thousands(figure: f64) -> String {
    let (thousands, rest) = (figure as i64 / 1000, figure as i64 % 1000);
    if thousands == 0 { rest.to_string() } else { format!("{thousands},{rest:03}") }
}

fn two_decimals(figure: f64) -> String {
    format!("{figure:.2}")
}

/// The machine, the versions and the date of the figures.
fn machine() -> String {
    let line = |command: &str| {
        let words: Vec<&str> = command.split(' ').collect();
        said(Command::new(words[0]).args(&words[1..])).lines().next().unwrap().trim().to_owned()
    };
    let file = |path: &str| std::fs::read_to_string(path).unwrap();
    let after = |path: &str, label: &str| {
        file(path).lines().find_map(|line| Some(line.strip_prefix(label)?.to_owned()))
    };
    let facts = [
        line("date +%F"),
        format!("{} x{}", line("nproc"), after("/proc/cpuinfo", "model name\t:").unwrap_or_default()),
        format!("load {}", file("/proc/loadavg").split(' ').next().unwrap()),
        after("/etc/os-release", "PRETTY_NAME=").unwrap_or_default().replace('"', ""),
        line("uname -sr"),
        line("rustc --version"),
        line("cc --version"),
        line("curl-config --version"),
        line("valgrind --version"),
    ];
    facts.join("; ")
}

/// The standard output of a command that must succeed.
fn said(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|why| panic!("{command:?}: {why}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
