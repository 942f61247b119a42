//! The builder of the tests' C and C++ programs: compiled with the system's compiler against the header and the library
//! that cargo just built, shared or static, or against a release archive; and run.
//!
//! `.ci/host.sh` and `tests/packages/archives.sh` (see tests/portable.rs) set these variables: FISH_HOST_CC, FISH_HOST_CFLAGS, FISH_HOST_LDFLAGS
//! (the C compiler, more flags, and more at the end of a program's link), FISH_HOST_LIBRARY (a folder with another build
//! of the library), FISH_HOST_RUNNER and FISH_RUNNER (what to run programs under), FISH_STATIC (what a program with the
//! static library is linked with).

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::tools;

/// Which library a program is linked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Library {
    None,
    Shared,
    Static,
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the repository, as text.
pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// Where cargo put the library that belongs to the running test or example.
pub fn built() -> PathBuf {
    if let Some(folder) = variable("FISH_HOST_LIBRARY") {
        return root().join(folder);
    }
    let mut folder = std::env::current_exe().unwrap();
    folder.pop();
    if folder.ends_with("examples") {
        folder = folder.parent().unwrap().join("deps");
    }
    folder
}

/// Where it put the programs of `examples` that are Rust.
pub fn example(name: &str) -> PathBuf {
    built().with_file_name("examples").join(name)
}

/// Without what cargo tells a test of its own package: ring is built again whenever that changes.
fn as_from_a_shell(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        let told = |name: &str| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "OUT_DIR"
        };
        if name.to_str().is_some_and(told) {
            command.env_remove(name);
        }
    }
    command
}

/// The release library as it is shipped, built now if it is not there or is old. It takes minutes.
pub fn release() -> PathBuf {
    let target = built().ancestors().nth(2).unwrap().join("shipped");
    let mut command = Command::new(root().join("packaging/build.sh"));
    run(as_from_a_shell(command.env("CARGO_TARGET_DIR", &target)));
    target.join("release")
}

/// The static library alone, built as a packager would, beside those that the tests use: where it is, what
/// cargo says of each crate that it compiled (a line of JSON each), and what the compiler says.
pub fn static_library() -> (PathBuf, String, String) {
    let target = built().ancestors().nth(2).unwrap().join("static-library");
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command.args(["rustc", "--locked", "--package", "fish-api-credit-capi", "--target-dir"]).arg(&target);
    command.args(["--config", "profile.dev.debug=0", "--color", "never"]);
    command.args(["--message-format", "json-render-diagnostics", "--", "--print", "native-static-libs"]);
    let output = as_from_a_shell(&mut command).output().expect("cargo");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (target.join("debug/libfish_api_credit.a"), stdout(&output), said)
}

/// What a link of the static library needs beside it: packaging's line for a target, if it has one.
pub fn native_static_libs(target: &str) -> Option<String> {
    let table = read("packaging/native-static-libs.txt");
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    let mut found = lines.filter_map(|line| line.split_once(' ')).filter(|(end, _)| target.ends_with(end));
    let (_, libraries) = found.next()?;
    assert!(found.next().is_none(), "{target} is listed twice");
    Some(libraries.trim().to_owned())
}

/// The same for the programs of the tests, one by one.
pub fn static_libs() -> Vec<String> {
    if let Some(said) = variable("FISH_STATIC") {
        return said.split_whitespace().map(str::to_owned).collect();
    }
    let here = if cfg!(target_os = "macos") { "-apple-darwin" } else { "-unknown-linux-gnu" };
    let libraries = native_static_libs(here).expect("a line for this platform");
    libraries.split_whitespace().map(str::to_owned).collect()
}

/// A static library that defines the header's functions alone, as it is released, made from one that cargo built.
pub fn localize(built: &Path, result: &Path) {
    run(Command::new(root().join("packaging/localize.sh")).arg(built).arg(result));
}

/// A folder with the library under every name that a linker and a loader look for.
pub fn library_folder() -> PathBuf {
    let folder = built().join("named");
    for (from, to) in [
        ("libfish_api_credit.so", "libfish_api_credit.so"),
        ("libfish_api_credit.so", "libfish_api_credit.so.0"),
        ("libfish_api_credit.dylib", "libfish_api_credit.dylib"),
        ("libfish_api_credit.dylib", "libfish_api_credit.0.dylib"),
        ("libfish_api_credit.a", "static/libfish_api_credit.a"),
    ] {
        let (from, to) = (built().join(from), folder.join(to));
        if from.exists() {
            alias(&from, &to);
        }
    }
    folder
}

/// Makes `to` another name of `from`, whatever it was before. Several threads and processes may do so at once.
pub fn alias(from: &Path, to: &Path) {
    if std::fs::read_link(to).is_ok_and(|target| target == from) {
        return;
    }
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    let unique = format!("new-{}-{:?}", std::process::id(), std::thread::current().id());
    let fresh = to.with_extension(unique);
    let _ = std::fs::remove_file(&fresh);
    #[cfg(unix)]
    std::os::unix::fs::symlink(from, &fresh).unwrap();
    #[cfg(not(unix))]
    std::fs::copy(from, &fresh).unwrap();
    std::fs::rename(fresh, to).unwrap();
}

/// A compiler with its arguments, and the header and the libraries that it uses.
pub struct Compiler {
    pub command: String,
    pub include: PathBuf,
    pub libraries: PathBuf,
    pub static_library: PathBuf,
}

impl Compiler {
    /// The system's C compiler: `cc`, or what `CC` names.
    pub fn c() -> Compiler {
        Compiler::named(variable("FISH_HOST_CC").or_else(|| variable("CC")).unwrap_or_else(|| "cc".into()))
    }

    pub fn named(command: impl Into<String>) -> Compiler {
        let libraries = library_folder();
        let static_library = libraries.join("static/libfish_api_credit.a");
        Compiler { command: command.into(), include: root().join("include"), libraries, static_library }
    }

    /// For the library in `tree`, a release archive's contents.
    pub fn for_tree(command: String, tree: &Path) -> Compiler {
        let libraries = tree.join("lib");
        let static_library = libraries.join("libfish_api_credit.a");
        Compiler { command, include: tree.join("include"), libraries, static_library }
    }

    /// Compiles sources into a program, or says in a sentence why not. C is C11 unless a flag says otherwise.
    pub fn build(
        &self,
        program: &Path,
        sources: &[&Path],
        library: Library,
        flags: &[&str],
    ) -> Result<(), String> {
        let mut words = self.command.split_whitespace();
        let mut command = Command::new(words.next().unwrap());
        command
            .args(words)
            .args((!self.command.contains("++")).then_some("-std=c11"))
            .args(["-g", "-pthread"]);
        command
            .args(flags)
            .args(variable("FISH_HOST_CFLAGS").iter().flat_map(|flags| flags.split_whitespace()));
        command.arg("-I").arg(&self.include).args(sources).arg("-o").arg(program);
        match library {
            Library::None => {}
            Library::Shared => {
                command.arg("-L").arg(&self.libraries).arg("-lfish_api_credit");
                if !self.command.contains("mingw") {
                    command.arg(format!("-Wl,-rpath,{}", self.libraries.display()));
                }
            }
            Library::Static => {
                command.arg(&self.static_library).args(static_libs());
            }
        }
        // After the library, whose calls of getaddrinfo and the like it may be there to answer.
        if !flags.contains(&"-shared") {
            command.args(variable("FISH_HOST_LDFLAGS").iter().flat_map(|flags| flags.split_whitespace()));
        }
        match command.output() {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(format!(
                "The C compiler failed: {command:?}\n{}",
                String::from_utf8_lossy(&output.stderr).trim_end()
            )),
            Err(why) => Err(format!(
                "There is no C compiler \"{}\" here ({why}); install one (Debian: apt-get install gcc \
                 libc6-dev; macOS: xcode-select --install), or name yours in CC.",
                self.command
            )),
        }
    }

    /// The same with every warning an error; gives the program.
    pub fn compile(&self, program: PathBuf, sources: &[&Path], library: Library, flags: &[&str]) -> PathBuf {
        let flags = [&["-Wall", "-Wextra", "-Wpedantic", "-Werror"], flags].concat();
        self.build(&program, sources, library, &flags).unwrap_or_else(|why| panic!("{why}"));
        program
    }
}

/// Compiles C sources into a program in `scratch`, every warning an error.
pub fn compile(sources: &[&Path], library: Library, flags: &[&str], scratch: &Path) -> PathBuf {
    let stem = sources[0].file_stem().unwrap().to_str().unwrap();
    let program = scratch.join(format!("{stem}-{library:?}").to_lowercase());
    Compiler::c().compile(program, sources, library, flags)
}

/// Compiles one program of tests/host with the shared library.
pub fn host_program(name: &str, flags: &[&str], scratch: &Path) -> PathBuf {
    compile(&[&root().join("tests/host").join(name).with_extension("c")], Library::Shared, flags, scratch)
}

/// Compiles one of tests/preload to a library for LD_PRELOAD.
pub fn preload(name: &str, scratch: &Path) -> PathBuf {
    let source = root().join("tests/preload").join(name).with_extension("c");
    let library = scratch.join(format!("{name}.so"));
    let flags = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-ldl"];
    Compiler::c().build(&library, &[&source], Library::None, &flags).unwrap_or_else(|why| panic!("{why}"));
    library
}

/// Whether there is a C compiler; a skip, if not.
pub fn have_compiler() -> bool {
    let command = Compiler::c().command;
    tools::have(command.split_whitespace().next().unwrap())
}

/// Starts a program in an environment without the tester's key and proxies.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_remove("FISH_API_KEY");
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command
}

/// The same under what runs programs here: valgrind, or an emulator.
pub fn under_runner(program: &Path) -> Command {
    let runner = variable("FISH_HOST_RUNNER").or_else(|| variable("FISH_RUNNER")).unwrap_or_default();
    let mut words = runner.split_whitespace().map(OsStr::new).chain([program.as_os_str()]);
    let mut under = command(words.next().unwrap());
    under.args(words);
    under
}

/// Runs it to a good end, and gives what it printed; a failed test with all it printed otherwise.
pub fn run(command: &mut Command) -> String {
    stdout(&command.output().unwrap_or_else(|why| panic!("{command:?}: {why}")))
}

/// Its standard output, if it succeeded; a failed test with all it printed otherwise.
pub fn stdout(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{}\nstdout:\n{}\nstderr:\n{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}
