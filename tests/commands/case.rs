//! One command line with the server's answers, all that it must print, and how it must end. It is run by any command,
//! and everything that differs is told.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use crate::support::server::{Script, Server, Step, answer, ok, send};
use crate::support::{c, child, tls};

pub const KEY: &str = "sk-example-0123456789abcdef";

/// A program that is to do what the table says.
pub struct Program {
    pub name: &'static str,
    /// The command, before the arguments of the table.
    pub start: Vec<OsString>,
    pub variables: Vec<(&'static str, OsString)>,
    /// The cases that it cannot agree in, each with the reason.
    pub exceptions: &'static [(&'static str, &'static str)],
}

/// Where standard output goes.
#[derive(Clone, Copy)]
enum Output {
    Read,
    FullDisk,
    ClosedPipe,
    Closed,
}

/// What happens while it runs.
#[derive(Clone, Copy)]
enum Meanwhile {
    Nothing,
    /// This signal comes as soon as so many lines were printed; at 0, when the server has the first request.
    Signal(libc::c_int, usize),
    /// Nobody reads on after so many lines.
    Leave(usize),
}

/// What the command is told to ask.
#[derive(Clone, Copy, PartialEq)]
enum Asks {
    TheTable,
    /// The table's server, as if it spoke TLS.
    InVain,
    /// One that speaks TLS, with a certificate that nobody trusts.
    Untrusted,
    /// Nothing, so that it would ask the service.
    TheService,
}

pub struct Case {
    pub name: String,
    arguments: Vec<OsString>,
    key: Option<OsString>,
    variables: Vec<(&'static str, &'static str)>,
    answers: Arc<dyn Fn(usize) -> Script + Send + Sync>,
    asks_where: Asks,
    output: Output,
    /// Whether standard error is closed.
    mute: bool,
    meanwhile: Meanwhile,
    stdout: String,
    stderr: String,
    /// The exit status; a signal that ends it is below 0.
    status: i32,
    asked: Option<String>,
    /// How often it may be run until it is right.
    pub tries: usize,
}

/// A command line without options, which must print nothing and succeed unless its case says otherwise.
pub fn case(name: impl Into<String>) -> Case {
    Case {
        name: name.into(),
        arguments: Vec::new(),
        key: Some(KEY.into()),
        variables: Vec::new(),
        answers: Arc::new(|_| ok()),
        asks_where: Asks::TheTable,
        output: Output::Read,
        mute: false,
        meanwhile: Meanwhile::Nothing,
        stdout: String::new(),
        stderr: String::new(),
        status: 0,
        asked: None,
        tries: 1,
    }
}

impl Case {
    pub fn with<T: Into<OsString> + Clone>(mut self, arguments: &[T]) -> Case {
        self.arguments.extend(arguments.iter().cloned().map(Into::into));
        self
    }

    pub fn key(mut self, key: impl Into<OsString>) -> Case {
        self.key = Some(key.into());
        self
    }

    pub fn no_key(mut self) -> Case {
        self.key = None;
        self
    }

    pub fn variable(mut self, name: &'static str, value: &'static str) -> Case {
        self.variables.push((name, value));
        self
    }

    /// It is not told to ask the table's server.
    pub fn not_redirected(mut self) -> Case {
        self.asks_where = Asks::TheService;
        self
    }

    /// It is to speak TLS, and the table's server does not.
    pub fn in_vain(mut self) -> Case {
        self.asks_where = Asks::InVain;
        self
    }

    /// The server speaks TLS, with a certificate that nobody trusts.
    pub fn untrusted(mut self) -> Case {
        self.asks_where = Asks::Untrusted;
        self
    }

    /// Every request is answered so.
    pub fn answered(self, status: u16, fields: &str, body: impl AsRef<[u8]>) -> Case {
        let bytes = answer(status, fields, body);
        self.answers(move |_| send(bytes.clone()))
    }

    /// Request `n` is answered so, from 0.
    pub fn answers(mut self, answers: impl Fn(usize) -> Script + Send + Sync + 'static) -> Case {
        self.answers = Arc::new(answers);
        self
    }

    pub fn full_disk(mut self) -> Case {
        self.output = Output::FullDisk;
        self
    }

    pub fn closed_pipe(mut self) -> Case {
        self.output = Output::ClosedPipe;
        self
    }

    pub fn closed_output(mut self) -> Case {
        self.output = Output::Closed;
        self
    }

    /// Standard error is closed.
    pub fn mute(mut self) -> Case {
        self.mute = true;
        self
    }

    /// A signal comes when so many lines were printed; at 0, when the first request has arrived.
    pub fn signal(mut self, signal: libc::c_int, lines: usize) -> Case {
        self.meanwhile = Meanwhile::Signal(signal, lines);
        self
    }

    /// Its reader closes the pipe after so many lines.
    pub fn left_after(mut self, lines: usize) -> Case {
        self.meanwhile = Meanwhile::Leave(lines);
        self
    }

    pub fn prints(mut self, stdout: impl Into<String>) -> Case {
        self.stdout = stdout.into();
        self
    }

    pub fn complains(mut self, stderr: impl Into<String>) -> Case {
        self.stderr = stderr.into();
        self
    }

    pub fn exits(mut self, status: i32) -> Case {
        self.status = status;
        self
    }

    /// It sends requests for this target, with its key, and no others. An empty one: it sends nothing.
    pub fn asks(mut self, target: &str) -> Case {
        self.asked = Some(target.to_owned());
        self
    }

    /// Its time is so short that a busy machine may not come to what is tried: then it is run again.
    pub fn hurried(mut self) -> Case {
        self.tries = 10;
        self
    }

    /// Runs it with this program. What is not as it must be is told.
    pub fn run(&self, program: &Program) -> Result<(), String> {
        let progress = Arc::new(Progress::default());
        let server = self.server(&progress);
        let mut command = c::command(&program.start[0]);
        command.args(&program.start[1..]);
        match self.asks_where {
            Asks::TheTable => _ = command.args(["--base-url", &server.url()]),
            Asks::InVain | Asks::Untrusted => _ = command.args(["--base-url", &server.https_url()]),
            Asks::TheService => {}
        }
        command.args(&self.arguments).envs(program.variables.iter().cloned());
        if let Some(key) = &self.key {
            command.env("FISH_API_KEY", key);
        }
        command.envs(self.variables.iter().copied());
        let ran = self.play(command, &progress);

        let show = |text: &str| text.replace(&server.address().to_string(), "SERVER");
        let (stdout, stderr) = (undated(&show(&ran.stdout)), show(&ran.stderr));
        let mut wrong = String::new();
        if stdout != self.stdout {
            wrong += &format!("-- standard output is\n{stdout}-- and not\n{}", self.stdout);
        }
        if stderr != self.stderr {
            wrong += &format!("-- standard error is\n{stderr}-- and not\n{}", self.stderr);
        }
        if ran.status != self.status {
            wrong += &format!("-- it ends with {} and not {}\n", ran.status, self.status);
        }
        if [&ran.stdout, &ran.stderr].iter().any(|text| text.contains(KEY)) {
            wrong += "-- it prints the key\n";
        }
        if let Some(target) = &self.asked {
            wrong += &wrongly_asked(&server, target);
        }
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(format!("{}: {} {:?}\n{wrong}", program.name, self.name, self.arguments)),
        }
    }

    /// The table's server for this case. What a watch reads next is not answered before the line of what it read last
    /// has come: none is passed over.
    fn server(&self, progress: &Arc<Progress>) -> Server {
        let (answers, progress) = (Arc::clone(&self.answers), Arc::clone(progress));
        if self.asks_where == Asks::Untrusted {
            return tls::directed(tls::Authority::new().issue().config(tls::BOTH), move |n, _| answers(n));
        }
        let stepwise = matches!(self.meanwhile, Meanwhile::Signal(_, 1..) | Meanwhile::Leave(_));
        Server::directed(move |n, _| {
            progress.note(|reached| reached.asked = true);
            match stepwise && !progress.wait(|reached| reached.lines >= n) {
                true => vec![Step::Close],
                false => answers(n),
            }
        })
    }

    fn play(&self, mut command: Command, progress: &Progress) -> Ran {
        command.stdin(Stdio::null()).stderr(Stdio::piped());
        command.stdout(match self.output {
            Output::Read => Stdio::piped(),
            Output::FullDisk => std::fs::File::options().write(true).open("/dev/full").unwrap().into(),
            Output::ClosedPipe => std::io::pipe().unwrap().1.into(),
            Output::Closed => Stdio::null(),
        });
        let closed = [(1, matches!(self.output, Output::Closed)), (2, self.mute)];
        // SAFETY: both functions may be called between fork and exec.
        unsafe {
            command.pre_exec(move || {
                // What runs in a shell's background has Ctrl-C ignored, and that is inherited.
                libc::signal(libc::SIGINT, libc::SIG_DFL);
                for (descriptor, _) in closed.iter().filter(|(_, closed)| *closed) {
                    libc::close(*descriptor);
                }
                Ok(())
            });
        }
        let child = &mut command.spawn().unwrap_or_else(|why| panic!("{command:?}: {why}"));
        let guard = Guard::over(child);
        let (stdout, mut errors) = (child.stdout.take(), child.stderr.take().unwrap());
        let errors = thread::spawn(move || {
            let mut bytes = Vec::new();
            errors.read_to_end(&mut bytes).unwrap();
            bytes
        });
        let stdout = thread::scope(|scope| {
            let child = &*child;
            if let Meanwhile::Signal(signal, 0) = self.meanwhile {
                scope.spawn(move || {
                    if progress.wait(|reached| reached.asked) {
                        child::signal(child, signal);
                    }
                });
            }
            let stdout = stdout.map(|stdout| self.read(stdout, child, progress)).unwrap_or_default();
            progress.note(|reached| reached.over = true);
            stdout
        });
        let status = child.wait().unwrap();
        guard.done();
        let text = |bytes: Vec<u8>| {
            String::from_utf8(bytes)
                .unwrap_or_else(|why| String::from_utf8_lossy(why.as_bytes()).into_owned())
        };
        Ran {
            stdout: text(stdout),
            stderr: text(errors.join().unwrap()),
            status: status.code().or(status.signal().map(|signal| -signal)).unwrap(),
        }
    }

    fn read(&self, stdout: ChildStdout, child: &Child, progress: &Progress) -> Vec<u8> {
        let mut reader = BufReader::new(stdout);
        let (mut bytes, mut count) = (Vec::new(), 0);
        while reader.read_until(b'\n', &mut bytes).unwrap() > 0 {
            count += 1;
            match self.meanwhile {
                Meanwhile::Leave(last) if count == last => {
                    drop(reader);
                    progress.note(|reached| reached.lines = count);
                    return bytes;
                }
                // A second signal would end it at once.
                Meanwhile::Signal(signal, last) if count == last => child::signal(child, signal),
                Meanwhile::Signal(..) | Meanwhile::Leave(_) => progress.note(|reached| reached.lines = count),
                Meanwhile::Nothing => {}
            }
        }
        bytes
    }
}

struct Ran {
    stdout: String,
    stderr: String,
    status: i32,
}

/// How far a run has come.
#[derive(Default)]
struct Progress {
    reached: Mutex<Reached>,
    changed: Condvar,
}

#[derive(Default)]
struct Reached {
    asked: bool,
    lines: usize,
    over: bool,
}

impl Progress {
    fn note(&self, change: impl FnOnce(&mut Reached)) {
        change(&mut self.reached.lock().unwrap());
        self.changed.notify_all();
    }

    /// Waits for it; false if the run is over before.
    fn wait(&self, enough: impl Fn(&Reached) -> bool) -> bool {
        let reached = self.reached.lock().unwrap();
        let going_on = |reached: &mut Reached| !reached.over && !enough(reached);
        !self.changed.wait_while(reached, going_on).unwrap().over
    }
}

/// Ends a child that hangs.
struct Guard {
    done: std::sync::mpsc::Sender<()>,
    thread: thread::JoinHandle<()>,
}

impl Guard {
    /// Far above what any case takes.
    const PATIENCE: Duration = Duration::from_secs(120);

    fn over(child: &Child) -> Guard {
        let (done, waits) = channel();
        let id = child.id() as libc::pid_t;
        let thread = thread::spawn(move || {
            if waits.recv_timeout(Guard::PATIENCE).is_err() {
                // SAFETY: our own child, which nobody has waited for yet, so that its id is still its own.
                unsafe { libc::kill(id, libc::SIGKILL) };
            }
        });
        Guard { done, thread }
    }

    fn done(self) {
        let _ = self.done.send(());
        self.thread.join().unwrap();
    }
}

fn wrongly_asked(server: &Server, target: &str) -> String {
    let requests = server.requests();
    if requests.is_empty() != target.is_empty() {
        return format!("-- it sends {} requests, and should ask for {target:?}\n", requests.len());
    }
    let right = requests.iter().all(|request| {
        let request = String::from_utf8_lossy(request);
        request.starts_with(&format!("GET {target} HTTP/1.1\r\n"))
            && request.contains(&format!("\r\nauthorization: Bearer {KEY}\r\n"))
    });
    if right { String::new() } else { format!("-- it asks {:?}\n", String::from_utf8_lossy(&requests[0])) }
}

/// The lines of a watch with TIME, AGE and N in place of the time of day, of how long ago it was, and of milliseconds.
fn undated(text: &str) -> String {
    let lines = text.split_inclusive('\n').map(|line| {
        let (quoted, rest) = match line.strip_prefix("{\"time\":\"") {
            Some(rest) => ("{\"time\":\"", rest),
            None => ("", line),
        };
        let shape = |c: char| if c.is_ascii_digit() { '0' } else { c };
        match rest.get(..20) {
            Some(time) if time.chars().map(shape).eq("0000-00-00T00:00:00Z".chars()) => {
                format!("{quoted}TIME{}", unaged(&rest[20..]))
            }
            _ => line.to_owned(),
        }
    });
    lines.collect()
}

fn unaged(line: &str) -> String {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    if let Some((before, age)) = line.split_once("\"age_ms\":") {
        return format!("{before}\"age_ms\":N{}", &age[digits(age)..]);
    }
    match line.split_once(" s ago; ") {
        Some((before, rest)) => {
            format!("{} AGE s ago; {rest}", before.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end())
        }
        None => line.to_owned(),
    }
}
