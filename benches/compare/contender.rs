//! The contenders: building them, starting them, and what they weigh.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::server::Server;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Floor,
    Libcurl,
    Ours,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Floor => "floor",
            Kind::Libcurl => "libcurl + cJSON",
            Kind::Ours => "**this library**",
        }
    }

    pub fn speaks_tls(self) -> bool {
        self != Kind::Floor
    }
}

/// A program as benches/c/contender.h describes it.
pub struct Contender {
    pub kind: Kind,
    program: PathBuf,
    arguments: Vec<&'static str>,
}

impl Contender {
    /// The program with its arguments, put after `wrapper`, which runs it. `None`: it does not speak TLS.
    pub fn command(&self, wrapper: &[OsString], server: &Server, threads: usize) -> Option<Command> {
        if server.ca_file.is_some() && !self.kind.speaks_tls() {
            return None;
        }
        let mut command = match wrapper {
            [] => Command::new(&self.program),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(&self.program);
                command
            }
        };
        command
            .args(&self.arguments)
            .arg(server.address.ip().to_string())
            .arg(server.address.port().to_string())
            .arg(server.ca_file.as_deref().unwrap_or(Path::new("")))
            .arg(threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        Some(command)
    }

    pub fn start(&self, server: &Server, threads: usize) -> Option<Running> {
        let mut child = self.command(&[], server, threads)?.spawn().unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        Some(Running { kind: self.kind, child, input, output })
    }
}

/// A contender that waits for its next calls. Dropping it ends it.
pub struct Running {
    pub kind: Kind,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Running {
    pub fn call(&mut self, count: usize) -> Duration {
        writeln!(self.input.as_ref().unwrap(), "{count}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let nanoseconds = line.trim().parse();
        Duration::from_nanos(
            nanoseconds.unwrap_or_else(|_| panic!("{} gave {line:?} for a time", self.kind.name())),
        )
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.wait();
    }
}

pub struct Built {
    pub contenders: Vec<Contender>,
    /// What could not be built, and why.
    pub missing: Vec<String>,
    pub directory: TempDir,
    library: PathBuf,
    libcurl: Option<PathBuf>,
}

/// Builds the release library as it is shipped, and the contenders beside it.
pub fn build() -> Built {
    let own = std::env::current_exe().unwrap();
    // This program is target/release/deps/compare-…
    let library = own.ancestors().nth(2).unwrap().join("libfish_api_credit.so");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // `cargo bench` has just built the library too, but with what the development dependencies turn on in it.
    let cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()))
        .args(["build", "--release", "--package", "fish-api-credit-capi", "--quiet"])
        .current_dir(root)
        .status();
    assert!(cargo.unwrap().success(), "the release library could not be built");

    let directory = TempDir::new().unwrap();
    let here = directory.path();
    // The dynamic linker looks for it by its SONAME.
    std::os::unix::fs::symlink(&library, here.join("libfish_api_credit.so.0")).unwrap();
    let library_here = here.join("libfish_api_credit.so.0").into_os_string();
    let rpath = OsString::from(format!("-Wl,-rpath,{}", here.display()));
    let include = OsString::from(format!("-I{}", root.join("include").display()));

    let mut built = Built { contenders: Vec::new(), missing: Vec::new(), directory, library, libcurl: None };
    for (kind, source, links, needs) in [
        (Kind::Floor, "floor", vec![], "a C compiler (gcc)"),
        (
            Kind::Libcurl,
            "libcurl",
            vec!["-lcurl".into(), "-lcjson".into()],
            "libcurl and cJSON (libcurl4-openssl-dev, libcjson-dev)",
        ),
        (Kind::Ours, "ours", vec![library_here, rpath], "a C compiler (gcc)"),
    ] {
        let program = built.directory.path().join(source);
        let compiled = Command::new("cc")
            .args(["-O2", "-std=gnu11", "-Wall", "-Wextra", "-pthread", "-o"])
            .arg(&program)
            .arg(root.join("benches/c").join(source).with_extension("c"))
            .arg(&include)
            .args(links)
            .output();
        match compiled {
            Ok(output) if output.status.success() => {
                built.contenders.push(Contender { kind, program, arguments: vec![] });
            }
            Ok(output) => {
                let why = String::from_utf8_lossy(&output.stderr);
                let why = why.lines().find(|line| line.contains("error") || line.contains("cannot find"));
                built.missing.push(format!(
                    "{} needs {needs}: {}",
                    kind.name(),
                    why.unwrap_or("it did not compile")
                ));
            }
            Err(why) => built.missing.push(format!("{} needs {needs}: {why}", kind.name())),
        }
    }
    let libcurl = built.contenders.iter().find(|one| one.kind == Kind::Libcurl);
    built.libcurl = libcurl.and_then(|one| {
        libraries(&one.program).into_iter().find(|path| path.to_string_lossy().contains("libcurl"))
    });
    built
}

impl Built {
    pub fn size(&self, kind: Kind) -> Option<String> {
        let megabytes = |bytes: u64| format!("{:.2} MB", bytes as f64 / 1e6);
        match kind {
            Kind::Ours => Some(megabytes(weight(&self.library))),
            Kind::Libcurl => {
                let libcurl = self.libcurl.as_ref()?;
                let closure: u64 = libraries(libcurl).iter().map(|path| weight(path)).sum();
                let own = weight(libcurl);
                Some(format!("{}, {} with what it needs", megabytes(own), megabytes(own + closure)))
            }
            _ => None,
        }
    }

    pub fn needed(&self, kind: Kind) -> Option<String> {
        match kind {
            Kind::Ours => {
                let names = libraries(&self.library);
                let names = names.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned());
                Some(names.collect::<Vec<_>>().join(", "))
            }
            Kind::Libcurl => Some(libraries(self.libcurl.as_ref()?).len().to_string()),
            _ => None,
        }
    }
}

/// All that a program or library needs, and what that needs: the dynamic linker's own list.
fn libraries(file: &Path) -> BTreeSet<PathBuf> {
    let output = Command::new("ldd").arg(file).output().expect("ldd, of the C library, runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let paths = text.lines().filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')));
    paths.map(PathBuf::from).collect()
}

fn weight(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}
