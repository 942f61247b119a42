//! Measures one warm call of this library beside the floor, and libcurl with cJSON, and prints one table.
//! `cargo bench` runs it; it installs nothing, and says which figures it left out and what they need.
//! benches/RESULTS.md is what it printed, and what that means.

mod contender;
mod measure;
mod server;

use contender::{Contender, Kind};
use measure::{Tool, Warm};
use server::Server;

/// Each figure's goal, from the design.
const INSTRUCTIONS: &str = "≤ 30,000";
const ALLOCATIONS: &str = "≤ 25";
const SYSTEM_CALLS: &str = "≤ 4";
const THREADS: &str = "0";
const TIME: &str = "≤ 1.6";
const FIRST: &str = "≤ 0.60";
const SIZE: &str = "≤ 1.80 MB";
const NEEDED: &str = "the C runtime";

const THREAD_COUNTS: [usize; 4] = [1, 2, 4, 8];

fn main() {
    let built = contender::build();
    let (http, https) = (Server::http(), Server::https(built.directory.path()));
    let mut missing = built.missing.clone();
    missing.extend([Tool::Valgrind, Tool::Strace].into_iter().filter_map(Tool::missing).map(str::to_owned));
    println!("{}\n", measure::machine());
    for what in &missing {
        println!("left out: {what}");
    }

    let mut table = Table::new(&built.contenders);
    for (scheme, server) in [("http", &http), ("https", &https)] {
        let counts = built.contenders.iter().map(|one| (one.kind, Warm::count(one, server)));
        let counts: Vec<(Kind, Warm)> = counts.collect();
        let goal = |goal| if scheme == "http" { goal } else { "" };
        let mut row = |name: &str, goal: &str, figure: fn(&Warm) -> Option<String>| {
            table.row(&format!("{scheme}: {name}"), goal, |kind| {
                counts.iter().find(|(one, _)| *one == kind).and_then(|(_, warm)| figure(warm))
            });
        };
        row("user-space instructions a call", goal(INSTRUCTIONS), |warm| warm.instructions.map(thousands));
        row("heap allocations a call", goal(ALLOCATIONS), |warm| warm.allocations.map(one_decimal));
        row("system calls a call", goal(SYSTEM_CALLS), |warm| warm.system_calls.map(one_decimal));
        row("threads started a call", goal(THREADS), |warm| warm.threads.map(one_decimal));
    }

    let times = measure::interleaved(&built.contenders, &[(&http, "http"), (&https, "https")]);
    for scheme in ["http", "https"] {
        let goal = if scheme == "http" { TIME } else { "" };
        table.row(&format!("{scheme}: time a call, to the plain floor"), goal, |kind| {
            times.ratio(kind, scheme).map(|ratio| format!("{ratio:.2}"))
        });
    }
    table.row("http: time a call, in this run", "", |kind| {
        times.microseconds(kind, "http").map(|us| format!("{us:.1} µs"))
    });

    let first = measure::first_calls(&built.contenders, &http, &https);
    table.row("https: first call of a process, whole", "", |kind| {
        first.milliseconds(kind).map(|ms| format!("{ms:.1} ms"))
    });
    table.row("the same, to libcurl's", FIRST, |kind| {
        first.to_libcurl(kind).map(|ratio| format!("{ratio:.2}"))
    });

    let threaded = measure::threads(&built.contenders, &http, &THREAD_COUNTS);
    for count in THREAD_COUNTS {
        table.row(&format!("http: calls a second, threads: {count} (to 1)"), "", |kind| {
            let (rate, gain) = threaded.rate(kind, count)?;
            Some(format!("{} ({gain:.2})", thousands(rate)))
        });
    }

    table.row("size, stripped", SIZE, |kind| built.size(kind));
    table.row("libraries needed", NEEDED, |kind| built.needed(kind));
    table.print();

    if !missing.is_empty() && std::env::var_os("FISH_CI").is_some() {
        std::process::exit(1);
    }
}

/// A row a figure, a column a contender.
struct Table {
    kinds: Vec<Kind>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn new(contenders: &[Contender]) -> Table {
        let kinds: Vec<Kind> = contenders.iter().map(|one| one.kind).collect();
        let names = kinds.iter().map(|kind| kind.name().to_owned());
        let head = std::iter::once(String::new()).chain(names).chain(["goal".to_owned()]).collect();
        Table { kinds, rows: vec![head] }
    }

    fn row(&mut self, name: &str, goal: &str, figure: impl Fn(Kind) -> Option<String>) {
        let figures = self.kinds.iter().map(|&kind| figure(kind).unwrap_or_else(|| "–".to_owned()));
        self.rows.push(std::iter::once(name.to_owned()).chain(figures).chain([goal.to_owned()]).collect());
    }

    fn print(&self) {
        println!();
        for (at, row) in self.rows.iter().enumerate() {
            println!("| {} |", row.join(" | "));
            if at == 0 {
                println!("|---|{}", "---:|".repeat(row.len() - 1));
            }
        }
    }
}

fn thousands(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn one_decimal(figure: f64) -> String {
    format!("{figure:.1}").replace("-0.0", "0.0")
}
