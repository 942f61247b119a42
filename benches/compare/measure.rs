//! What is counted and timed, and how. Counts are slopes between two numbers of calls, so that starting up drops
//! out; times are ratios between contenders that took turns, so that a busy machine disturbs all alike.

use std::ffi::OsString;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::contender::{Contender, Kind, Running};
use crate::server::Server;

/// The two numbers of calls between which a count's slope is taken.
const FEW: usize = 100;
const MANY: usize = 600;

const ROUNDS: usize = 100;
const CALLS_A_ROUND: usize = 300;
const FIRST_CALLS: usize = 60;
const THREAD_ROUNDS: usize = 15;
const CALLS_A_THREAD_ROUND: usize = 4_000;

#[derive(Clone, Copy)]
pub enum Tool {
    Valgrind,
    Strace,
}

impl Tool {
    /// Why it cannot be used here, if it cannot.
    pub fn missing(self) -> Option<&'static str> {
        static VALGRIND: OnceLock<Option<String>> = OnceLock::new();
        static STRACE: OnceLock<Option<String>> = OnceLock::new();
        let known = match self {
            Tool::Valgrind => &VALGRIND,
            Tool::Strace => &STRACE,
        };
        known.get_or_init(|| self.look()).as_deref()
    }

    fn look(self) -> Option<String> {
        let (command, package, figures) = match self {
            Tool::Valgrind => {
                (["valgrind", "-q", "true"], "valgrind", "instructions and allocations need valgrind")
            }
            // Some containers have strace and do not let it trace.
            Tool::Strace => (["strace", "-qq", "true"], "strace", "system calls and threads need strace"),
        };
        let output = Command::new(command[0]).args(&command[1..]).output();
        match output {
            Ok(output) if output.status.success() => None,
            Ok(output) => Some(format!("{figures}: {}", String::from_utf8_lossy(&output.stderr).trim())),
            Err(why) => Some(format!("{figures} (package {package}): {why}")),
        }
    }
}

/// A warm call's counts.
pub struct Warm {
    pub instructions: Option<f64>,
    pub allocations: Option<f64>,
    pub system_calls: Option<f64>,
    pub threads: Option<f64>,
}

impl Warm {
    pub fn count(contender: &Contender, server: &Server) -> Warm {
        let file = tempfile::NamedTempFile::new().unwrap();
        let strace = ["strace", "-f", "-c", "-U", "name,calls", "-o"].map(OsString::from);
        let strace: Vec<OsString> = strace.into_iter().chain([file.path().into()]).collect();
        let traced = |of: fn(&str) -> Option<f64>| {
            slope(contender, server, Tool::Strace, &strace, |_| {
                of(&std::fs::read_to_string(file.path()).ok()?)
            })
        };
        let callgrind =
            ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"].map(OsString::from);
        let memcheck = ["valgrind", "--tool=memcheck", "--leak-check=no"].map(OsString::from);
        Warm {
            instructions: slope(contender, server, Tool::Valgrind, &callgrind, |said| {
                number_after(said, "Collected : ")
            }),
            allocations: slope(contender, server, Tool::Valgrind, &memcheck, |said| {
                number_after(said, "total heap usage: ")
            }),
            system_calls: traced(|summary| calls_of(summary, |name| name == "total")),
            threads: traced(|summary| {
                Some(calls_of(summary, |name| matches!(name, "clone" | "clone3")).unwrap_or(0.0))
            }),
        }
    }
}

/// By how much a count grows for each call more. `None`: it cannot be had.
fn slope(
    contender: &Contender,
    server: &Server,
    tool: Tool,
    wrapper: &[OsString],
    read: impl Fn(&str) -> Option<f64>,
) -> Option<f64> {
    if tool.missing().is_some() {
        return None;
    }
    let count = |calls: usize| {
        let mut command = contender.command(wrapper, server, 1)?;
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        writeln!(child.stdin.take().unwrap(), "{calls}").unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{}: {said}", contender.kind.name());
        read(&said)
    };
    Some((count(MANY)? - count(FEW)?) / (MANY - FEW) as f64)
}

fn number_after(text: &str, label: &str) -> Option<f64> {
    let rest = &text[text.find(label)? + label.len()..];
    let digits = rest.chars().take_while(|c| c.is_ascii_digit() || *c == ',').filter(|c| *c != ',');
    digits.collect::<String>().parse().ok()
}

/// From strace's summary, whose lines are a name and a count.
fn calls_of(summary: &str, wanted: impl Fn(&str) -> bool) -> Option<f64> {
    let rows = summary.lines().filter_map(|line| line.split_once(char::is_whitespace));
    let counts =
        rows.filter(|(name, _)| wanted(name)).filter_map(|(_, count)| count.trim().parse::<f64>().ok());
    counts.reduce(|sum, count| sum + count)
}

pub struct Times {
    /// What took turns, and how long each round took it.
    rows: Vec<(Kind, &'static str, Vec<Duration>)>,
}

/// All contenders over all servers, a round each in turn.
pub fn interleaved(contenders: &[Contender], servers: &[(&Server, &'static str)]) -> Times {
    let mut running: Vec<(Running, &'static str, Vec<Duration>)> = servers
        .iter()
        .flat_map(|&(server, scheme)| {
            contenders.iter().filter_map(move |one| Some((one.start(server, 1)?, scheme, Vec::new())))
        })
        .collect();
    for (one, ..) in &mut running {
        one.call(CALLS_A_ROUND);
    }
    for _ in 0..ROUNDS {
        for (one, _, times) in &mut running {
            times.push(one.call(CALLS_A_ROUND));
        }
    }
    Times { rows: running.into_iter().map(|(one, scheme, times)| (one.kind, scheme, times)).collect() }
}

impl Times {
    fn of(&self, kind: Kind, scheme: &str) -> Option<&[Duration]> {
        self.rows.iter().find(|row| row.0 == kind && row.1 == scheme).map(|row| row.2.as_slice())
    }

    /// The median, over the rounds, of its time to the plain floor's in the same round.
    pub fn ratio(&self, kind: Kind, scheme: &str) -> Option<f64> {
        let (own, floor) = (self.of(kind, scheme)?, self.of(Kind::Floor, "http")?);
        Some(median(own.iter().zip(floor).map(|(own, floor)| own.as_secs_f64() / floor.as_secs_f64())))
    }

    pub fn microseconds(&self, kind: Kind, scheme: &str) -> Option<f64> {
        let own = self.of(kind, scheme)?.iter();
        Some(median(own.map(|time| time.as_secs_f64() * 1e6 / CALLS_A_ROUND as f64)))
    }
}

pub struct FirstCalls {
    rows: Vec<(Kind, Vec<Duration>)>,
}

/// Whole processes that make one HTTPS call, in turn. The floor makes a plain one: it is what any process costs.
pub fn first_calls(contenders: &[Contender], http: &Server, https: &Server) -> FirstCalls {
    let mut rows: Vec<(&Contender, Vec<Duration>)> = contenders.iter().map(|one| (one, Vec::new())).collect();
    for round in 0..=FIRST_CALLS {
        for (one, times) in &mut rows {
            let server = if one.kind.speaks_tls() { https } else { http };
            let begun = Instant::now();
            let mut child = one.command(&[], server, 1).unwrap().spawn().unwrap();
            writeln!(child.stdin.take().unwrap(), "1").unwrap();
            assert!(child.wait().unwrap().success());
            // The first round only brings the files into memory.
            if round > 0 {
                times.push(begun.elapsed());
            }
        }
    }
    FirstCalls { rows: rows.into_iter().map(|(one, times)| (one.kind, times)).collect() }
}

impl FirstCalls {
    fn of(&self, kind: Kind) -> Option<&[Duration]> {
        self.rows.iter().find(|row| row.0 == kind).map(|row| row.1.as_slice())
    }

    pub fn milliseconds(&self, kind: Kind) -> Option<f64> {
        Some(median(self.of(kind)?.iter().map(|time| time.as_secs_f64() * 1e3)))
    }

    pub fn to_libcurl(&self, kind: Kind) -> Option<f64> {
        let (own, libcurl) = (self.of(kind)?, self.of(Kind::Libcurl)?);
        Some(median(own.iter().zip(libcurl).map(|(own, libcurl)| own.as_secs_f64() / libcurl.as_secs_f64())))
    }
}

pub struct Threaded {
    /// Calls a second, by number of threads.
    rows: Vec<(Kind, usize, f64)>,
}

/// This library with one client, libcurl with a handle a thread, in turn.
pub fn threads(contenders: &[Contender], server: &Server, counts: &[usize]) -> Threaded {
    let mut running: Vec<(Running, usize, Vec<Duration>)> = counts
        .iter()
        .flat_map(|&count| {
            contenders
                .iter()
                .filter(|one| matches!(one.kind, Kind::Ours | Kind::Libcurl))
                .filter_map(move |one| Some((one.start(server, count)?, count, Vec::new())))
        })
        .collect();
    for round in 0..=THREAD_ROUNDS {
        for (one, _, times) in &mut running {
            let took = one.call(CALLS_A_THREAD_ROUND);
            if round > 0 {
                times.push(took);
            }
        }
    }
    let rate = |times: &[Duration]| {
        median(times.iter().map(|time| CALLS_A_THREAD_ROUND as f64 / time.as_secs_f64()))
    };
    Threaded { rows: running.iter().map(|(one, count, times)| (one.kind, *count, rate(times))).collect() }
}

impl Threaded {
    /// Calls a second, and that to one thread's.
    pub fn rate(&self, kind: Kind, count: usize) -> Option<(f64, f64)> {
        let of = |count| self.rows.iter().find(|row| row.0 == kind && row.1 == count).map(|row| row.2);
        Some((of(count)?, of(count)? / of(1)?))
    }
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Where and when this was, for whoever reads the figures later.
pub fn machine() -> String {
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Some(text.lines().next().unwrap_or_default().to_owned())
    };
    let system = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let system = system
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))
        .unwrap_or("Linux")
        .trim_matches('"');
    let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processors.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let facts = [
        said("date", &["-u", "+%Y-%m-%d"]),
        Some(format!(
            "{} x {}",
            std::thread::available_parallelism().map_or(1, usize::from),
            processor.trim_start_matches(['\t', ' ', ':'])
        )),
        Some(system.to_owned()),
        said("uname", &["-sr"]),
        said("rustc", &["--version"]),
        said("cc", &["--version"]),
        said("curl-config", &["--version"]),
        said("valgrind", &["--version"]),
        Some(format!("fish-api-credit {}", env!("CARGO_PKG_VERSION"))),
    ];
    facts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}
