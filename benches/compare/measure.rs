//! The measurements. Counts are slopes between two numbers of calls, which excludes the startup. Times are ratios
//! between contenders that take turns, so that a busy machine affects all alike.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::server::Server;

/// The two numbers of calls for a count's slope.
const FEW: usize = 100;
const MANY: usize = 600;

const ROUNDS: usize = 100;
const CALLS_A_ROUND: usize = 300;
const FIRST_CALLS: usize = 60;

/// A program as benches/c/contender.h describes it.
pub struct Contender {
    pub program: PathBuf,
    pub speaks_tls: bool,
}

impl Contender {
    /// Starts the program, under `tool` if that is not empty.
    fn start(&self, tool: &[&str], server: &Server) -> Child {
        let words: Vec<&str> = tool.iter().copied().chain(self.program.to_str()).collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).args([server.address.ip().to_string(), server.address.port().to_string()]);
        command.args(&server.ca_file).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap_or_else(|why| panic!("{command:?}: {why}"))
    }

    /// Runs the program for that many calls, and returns its and `tool`'s standard error.
    fn run(&self, tool: &[&str], server: &Server, calls: usize) -> String {
        let mut child = self.start(tool, server);
        writeln!(child.stdin.take().unwrap(), "{calls}").unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{tool:?} {}: {said}", self.program.display());
        said
    }
}

/// One figure per contender; `None` if it does not support the server's protocol.
pub type Counts = [Option<f64>; 3];

pub fn instructions(contenders: &[Contender; 3], server: &Server) -> Counts {
    let callgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"];
    slopes(contenders, server, &callgrind, |said| number_after(said, "Collected : "))
}

/// The instructions of a program's second thread.
pub fn instructions_of_thread(contender: &Contender, server: &Server) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let out = format!("--callgrind-out-file={}", folder.path().join("out").display());
    let tool = ["valgrind", "--tool=callgrind", "--separate-threads=yes", &out];
    slope(|calls| {
        contender.run(&tool, server, calls);
        let counted = std::fs::read_to_string(folder.path().join("out-02")).unwrap();
        number_after(&counted, "\ntotals: ")
    })
}

pub fn allocations(contenders: &[Contender; 3], server: &Server) -> Counts {
    slopes(contenders, server, &["valgrind", "--leak-check=no"], |said| {
        number_after(said, "total heap usage: ")
    })
}

pub fn system_calls(contenders: &[Contender; 3], server: &Server) -> Counts {
    slopes(contenders, server, &STRACE, |said| calls_of(said, &["total"]))
}

pub fn threads(contenders: &[Contender; 3], server: &Server) -> Counts {
    slopes(contenders, server, &STRACE, |said| calls_of(said, &["clone", "clone3"]))
}

const STRACE: [&str; 5] = ["strace", "-f", "-c", "-U", "name,calls"];

/// The increase of a count per call.
fn slopes(contenders: &[Contender; 3], server: &Server, tool: &[&str], read: impl Fn(&str) -> f64) -> Counts {
    contenders.each_ref().map(|one| {
        (one.speaks_tls || server.ca_file.is_none())
            .then(|| slope(|calls| read(&one.run(tool, server, calls))))
    })
}

fn slope(count: impl Fn(usize) -> f64) -> f64 {
    (count(MANY) - count(FEW)) / (MANY - FEW) as f64
}

fn number_after(text: &str, label: &str) -> f64 {
    let (_, rest) = text.split_once(label).unwrap_or_else(|| panic!("no {label:?} in {text}"));
    let digits: String =
        rest.chars().take_while(|c| !c.is_whitespace()).filter(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

/// A count from strace's summary, whose lines are a name and a count.
fn calls_of(summary: &str, names: &[&str]) -> f64 {
    assert!(summary.contains("total"), "no summary by strace: {summary}");
    let rows = summary.lines().filter_map(|line| line.split_once(char::is_whitespace));
    rows.filter(|(name, _)| names.contains(name)).map(|(_, count)| count.trim().parse::<f64>().unwrap()).sum()
}

/// Microseconds per call, and the median of the ratios to contender `base` in the same round.
pub fn interleaved(contenders: &[Contender; 3], server: &Server, base: usize) -> ([f64; 3], [f64; 3]) {
    let mut running = contenders.each_ref().map(|one| {
        let mut child = one.start(&[], server);
        (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()), child)
    });
    let rounds = in_turn(ROUNDS, base, |which| {
        let (input, output, _) = &mut running[which];
        let mut line = String::new();
        writeln!(input, "{CALLS_A_ROUND}").unwrap();
        output.read_line(&mut line).unwrap();
        line.trim().parse::<f64>().expect("the nanoseconds that the calls took") / 1e3 / CALLS_A_ROUND as f64
    });
    for (input, _, mut child) in running {
        drop(input);
        assert!(child.wait().unwrap().success());
    }
    rounds
}

/// Milliseconds of a whole process that makes one call, over https except for the floor, which shows what any process
/// costs.
pub fn first_calls(
    contenders: &[Contender; 3],
    http: &Server,
    https: &Server,
    base: usize,
) -> ([f64; 3], [f64; 3]) {
    in_turn(FIRST_CALLS, base, |which| {
        let one = &contenders[which];
        let begun = Instant::now();
        one.run(&[], if one.speaks_tls { https } else { http }, 1);
        begun.elapsed().as_secs_f64() * 1e3
    })
}

/// The median time of each of the three, and of its ratio to `base` in the same round. The first round is a warm-up.
fn in_turn(rounds: usize, base: usize, mut time: impl FnMut(usize) -> f64) -> ([f64; 3], [f64; 3]) {
    let rounds: Vec<[f64; 3]> = (0..=rounds).map(|_| [0, 1, 2].map(&mut time)).skip(1).collect();
    let of = |figure: &dyn Fn(&[f64; 3], usize) -> f64| {
        [0, 1, 2].map(|which| {
            let mut figures: Vec<f64> = rounds.iter().map(|round| figure(round, which)).collect();
            figures.sort_by(f64::total_cmp);
            figures[figures.len() / 2]
        })
    };
    (of(&|round, which| round[which]), of(&|round, which| round[which] / round[base]))
}
