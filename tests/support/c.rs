//! C programs, compiled with the system's compiler against the header and the library that cargo just built,
//! shared and static, and run.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What a static link needs beside the library (rustc's native-static-libs).
pub const STATIC_LIBS: &[&str] = if cfg!(target_os = "macos") {
    &["-framework", "Security", "-framework", "CoreFoundation", "-lSystem", "-lc", "-lm", "-liconv"]
} else {
    &["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl", "-lc"]
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    Shared,
    Static,
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where cargo put the library that belongs to the running test or example.
pub fn built() -> PathBuf {
    let mut folder = std::env::current_exe().unwrap();
    folder.pop();
    if folder.ends_with("examples") {
        folder = folder.parent().unwrap().join("deps");
    }
    folder
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
    let output = as_from_a_shell(command.env("CARGO_TARGET_DIR", &target)).output().expect("bash");
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
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

/// A static library that defines the header's functions alone, as it is released, made from one that cargo built.
pub fn localize(built: &Path, result: &Path) {
    let mut command = Command::new(root().join("packaging/localize.sh"));
    stdout(&command.arg(built).arg(result).output().expect("a shell"));
}

/// A folder with the library under every name that a linker and a loader look for.
pub fn library_folder(scratch: &Path) -> PathBuf {
    let folder = scratch.join("lib");
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

/// Makes `to` another name of `from`, whatever it was before. Two processes may do so at once.
pub fn alias(from: &Path, to: &Path) {
    if std::fs::read_link(to).is_ok_and(|target| target == from) {
        return;
    }
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    let fresh = to.with_extension(format!("new-{}", std::process::id()));
    let _ = std::fs::remove_file(&fresh);
    #[cfg(unix)]
    std::os::unix::fs::symlink(from, &fresh).unwrap();
    #[cfg(not(unix))]
    std::fs::copy(from, &fresh).unwrap();
    std::fs::rename(fresh, to).unwrap();
}

/// The system's C compiler: what `CC` says, with its arguments, or `cc`.
pub fn compiler() -> String {
    std::env::var("CC").ok().filter(|name| !name.trim().is_empty()).unwrap_or_else(|| "cc".into())
}

/// Compiles C sources into a program, or says in a sentence why not. The library's names go into `scratch`.
pub fn build(
    program: &Path,
    sources: &[&Path],
    link: Link,
    flags: &[&str],
    scratch: &Path,
) -> Result<(), String> {
    let compiler = compiler();
    let mut words = compiler.split_whitespace();
    let library = library_folder(scratch);
    let mut command = Command::new(words.next().unwrap());
    command
        .args(words)
        .args(["-std=c11", "-g", "-pthread"])
        .args(flags)
        .arg("-I")
        .arg(root().join("include"))
        .args(sources)
        .arg("-o")
        .arg(program);
    match link {
        Link::Shared => {
            let rpath = format!("-Wl,-rpath,{}", library.display());
            command.arg("-L").arg(&library).arg(rpath).arg("-lfish_api_credit");
        }
        Link::Static => {
            command.arg(library.join("static/libfish_api_credit.a")).args(STATIC_LIBS);
        }
    }
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!(
            "The C compiler failed: {command:?}\n{}",
            String::from_utf8_lossy(&output.stderr).trim_end()
        )),
        Err(why) => Err(format!(
            "There is no C compiler \"{compiler}\" here ({why}); install one (Debian: apt-get install gcc \
             libc6-dev; macOS: xcode-select --install), or name yours in CC."
        )),
    }
}

/// Compiles C sources into a program in `scratch`, every warning an error. `CC` names another compiler than `cc`.
pub fn compile(sources: &[&Path], link: Link, flags: &[&str], scratch: &Path) -> PathBuf {
    let stem = sources[0].file_stem().unwrap().to_str().unwrap();
    let program = scratch.join(format!("{stem}-{link:?}").to_lowercase());
    let flags = [&["-Wall", "-Wextra", "-Wpedantic", "-Werror"], flags].concat();
    build(&program, sources, link, &flags, scratch).unwrap_or_else(|why| panic!("{why}"));
    program
}

/// Compiles one of tests/preload to a library for LD_PRELOAD.
pub fn preload(name: &str, scratch: &Path) -> PathBuf {
    let source = root().join("tests/preload").join(name).with_extension("c");
    let library = scratch.join(format!("{name}.so"));
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let mut command = Command::new(compiler);
    command.args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"]);
    command.arg(&library).arg(&source).args(["-ldl", "-pthread"]);
    let output = command.output().expect("a C compiler named cc");
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    library
}

/// Runs a program in an environment without the tester's key and proxies.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for name in [
        "FISH_API_KEY",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "no_proxy",
    ] {
        command.env_remove(name);
    }
    command
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
