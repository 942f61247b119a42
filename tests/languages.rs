//! The library in other languages: runs the tests of the packages in examples, and the programs of their pages, with
//! the library that cargo just built.
//!
//! A test whose toolchain is missing is skipped and says so ("skipped: no go"); with FISH_CI set it fails. Swift and
//! Java 22 are not in Debian 12: .ci/trixie.sh runs their tests in a tree of Debian 13, with FISH_TRIXIE set, and only
//! there a skip of theirs is a failure. FISH_GO_RACE=1 runs Go's tests with its race detector, which takes a minute to
//! build. FISH_DOTNET names the `dotnet` of a .NET runtime, which then runs C#'s tests too.
#![cfg(unix)]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::thread;

use tempfile::TempDir;

const WALLET: &str = r#"{"_id":"w1","user_id":"u1","credit":"12.345678","cumulative_top_up":"100.00","created_at":"2026-01-02T03:04:05Z","updated_at":"2026-02-03T04:05:06.789012Z","has_phone_sha256":true,"has_free_credit":null}"#;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The library as an installation would lay it out.
struct Prefix {
    root: PathBuf,
    _temporary: Option<TempDir>,
}

/// Go's build cache keeps what pkg-config once said of a package, so Go's tests share a place that never moves,
/// and a cache of its own goes with it.
static FOR_GO: LazyLock<Prefix> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-prefix");
    let _ = fs::remove_dir_all(&root);
    Prefix::lay_out(root, None)
});

impl Prefix {
    fn new() -> Prefix {
        let temporary = TempDir::new().expect("a temporary directory");
        Prefix::lay_out(temporary.path().to_owned(), Some(temporary))
    }

    fn lay_out(root_of_it: PathBuf, temporary: Option<TempDir>) -> Prefix {
        let prefix = Prefix { root: root_of_it, _temporary: temporary };
        let (include, lib) = (prefix.path("include"), prefix.path("lib"));
        fs::create_dir_all(lib.join("pkgconfig")).expect("a fresh directory");
        symlink(root().join("include"), &include).expect("a fresh name");
        // Cargo builds the library beside the tests.
        let test = std::env::current_exe().expect("a path of this test");
        let (file, names) = match cfg!(target_vendor = "apple") {
            true => ("libfish_api_credit.dylib", ["libfish_api_credit.0.dylib", "libfish_api_credit.dylib"]),
            false => ("libfish_api_credit.so", ["libfish_api_credit.so.0", "libfish_api_credit.so"]),
        };
        let built = test.with_file_name(file);
        assert!(built.exists(), "{} was not built", built.display());
        for name in names {
            symlink(&built, lib.join(name)).expect("a fresh name");
        }
        let pc = format!(
            "prefix={}\nName: fish_api_credit\nDescription: a test's\nVersion: {}\n\
             Cflags: -I${{prefix}}/include\nLibs: -L${{prefix}}/lib -lfish_api_credit\n",
            prefix.root.display(),
            env!("CARGO_PKG_VERSION"),
        );
        fs::write(lib.join("pkgconfig/fish_api_credit.pc"), pc).expect("a fresh file");
        prefix
    }

    fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    /// A command that finds this library, and nothing of the caller's settings.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let lib = self.path("lib");
        let mut command = Command::new(program);
        command
            .env_remove("FISH_API_KEY")
            .env("PKG_CONFIG_PATH", lib.join("pkgconfig"))
            .env("LD_LIBRARY_PATH", &lib)
            .env("DYLD_LIBRARY_PATH", &lib)
            .env("FISH_API_CREDIT_LIBRARY", lib.join("libfish_api_credit.so"))
            .env("FISH_API_CREDIT_INCLUDE", self.path("include"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            // Everything that Go needs is here: nothing may be fetched.
            .env("CGO_ENABLED", "1")
            .env("GOCACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-cache"))
            .env("GOPROXY", "off")
            .env("GOTOOLCHAIN", "local")
            .env("GOFLAGS", "");
        if cfg!(target_vendor = "apple") {
            command.env("FISH_API_CREDIT_LIBRARY", lib.join("libfish_api_credit.dylib"));
        }
        command
    }

    /// A command that finds the library without pkg-config, by these flags alone.
    fn go_without_pkg_config(&self) -> Command {
        let lib = self.path("lib");
        let mut command = self.command("go");
        command
            .env_remove("PKG_CONFIG_PATH")
            .env_remove("LD_LIBRARY_PATH")
            .env("CGO_CFLAGS", format!("-I{}", self.path("include").display()))
            .env("CGO_LDFLAGS", format!("-L{0} -Wl,-rpath,{0}", lib.display()));
        command
    }
}

fn succeeds(command: &mut Command) -> String {
    let output: Output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{command:?}\n{out}{err}");
    assert!(output.status.success(), "{command:?}: {}\n{out}{err}", output.status);
    out.into_owned()
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

/// Whether the tool is there; CI promises that it is.
fn has(what: &str, found: bool) -> bool {
    if !found {
        println!("skipped: no {what}");
        assert!(std::env::var_os("FISH_CI").is_none(), "FISH_CI is set, and there is no {what}");
    }
    found
}

/// The same for what Debian 12 does not have.
fn in_trixie(what: &str, found: bool) -> bool {
    if !found {
        println!("skipped: no {what}");
        assert!(std::env::var_os("FISH_TRIXIE").is_none(), "FISH_TRIXIE is set, and there is no {what}");
    }
    found
}

fn has_go() -> bool {
    has("go", runs("go", &["version"])) && has("pkg-config", runs("pkg-config", &["--version"]))
}

/// A Python that the tests can run with: FISH_PYTHON, else the first of the usual ones that has pytest.
fn python() -> Option<String> {
    let chosen = std::env::var("FISH_PYTHON").ok();
    let usual = ["python3", "/usr/bin/python3"].map(String::from);
    let found = chosen.into_iter().chain(usual).find(|python| runs(python, &["-m", "pytest", "--version"]));
    has("python3 with pytest", found.is_some()).then(|| found.unwrap_or_default())
}

/// The first block of code in this language, and the first block of text after it: what it prints.
fn program(page: &str, language: &str) -> (String, String) {
    let page = read(page);
    let block = |after: &str, kind: &str| -> (String, String) {
        let (_, rest) = after.split_once(&format!("\n```{kind}\n")).expect("a block of that language");
        let (code, rest) = rest.split_once("\n```\n").expect("an end of the block");
        (format!("{code}\n"), format!("\n{rest}"))
    };
    let (code, rest) = block(&page, language);
    (code, block(&rest, "text").0)
}

/// A server that answers one request with the wallet, and is then gone; its URL.
fn server() -> (String, thread::JoinHandle<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let thread = thread::spawn(move || {
        let (mut connection, _) = listener.accept().expect("a connection");
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            connection.read_exact(&mut byte).expect("a whole request");
            request.extend(byte);
        }
        let request = String::from_utf8(request).expect("text");
        assert!(request.starts_with("GET /wallet/self/api-credit"), "{request}");
        assert!(request.contains("\r\nauthorization: Bearer sk-test\r\n"), "{request}");
        write!(connection, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{WALLET}", WALLET.len())
            .expect("a client that listens");
    });
    (url, thread)
}

/// Runs a page's program against the server above.
fn prints(command: &mut Command, expected: &str) {
    let (url, thread) = server();
    let output = succeeds(command.env("FISH_API_KEY", "sk-test").env("FISH_BASE_URL", url));
    thread.join().expect("the server saw what it should");
    assert_eq!(output, expected);
}

#[test]
fn go() {
    if !has_go() {
        return;
    }
    let prefix = &*FOR_GO;
    let module = root().join("examples/go/fishcredit");
    let race = std::env::var_os("FISH_GO_RACE").is_some();
    let mut test = prefix.command("go");
    // Go would otherwise repeat an earlier result: it does not see that the library changed.
    test.current_dir(&module).args(["test", "-count=1"]).args(race.then_some("-race")).arg("./...");
    succeeds(&mut test);
    prints(
        prefix.command("go").current_dir(&module).args(["run", "./cmd/fish-credit", "-least", "12.345678"]),
        "API credit: 12.345678 (not the platform credit of a plan)\nlast change: 2026-02-03T04:05:06Z\n",
    );

    let mut without = prefix.go_without_pkg_config();
    without.current_dir(&module).args(["run", "-tags", "fish_prefix", "./cmd/fish-credit"]);
    prints(
        &mut without,
        "API credit: 12.345678 (not the platform credit of a plan)\nlast change: 2026-02-03T04:05:06Z\n",
    );
}

#[test]
fn the_program_of_go_md() {
    if !has_go() {
        return;
    }
    let (code, expected) = program("docs/go.md", "go");
    let directory = TempDir::new().expect("a temporary directory");
    let module = directory.path();
    fs::write(module.join("main.go"), code).expect("a fresh file");
    let path = "github.com/fish-api-credit/fish-api-credit/examples/go/fishcredit";
    fs::write(
        module.join("go.mod"),
        format!(
            "module program\n\ngo 1.19\n\nrequire {path} v0.0.0\n\nreplace {path} => {}\n",
            root().join("examples/go/fishcredit").display()
        ),
    )
    .expect("a fresh file");
    prints(FOR_GO.command("go").current_dir(module).args(["run", "."]), &expected);
}

#[test]
fn python_tests() {
    let Some(python) = python() else { return };
    let prefix = Prefix::new();
    let mut test = prefix.command(python);
    test.current_dir(root().join("examples/python"));
    let output = succeeds(test.args(["-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider"]));
    assert!(output.contains(" passed"), "{output}");
}

#[test]
fn the_program_of_python_md() {
    let Some(python) = python() else { return };
    let (code, expected) = program("docs/python.md", "python");
    let prefix = Prefix::new();
    fs::write(prefix.path("program.py"), code).expect("a fresh file");
    let mut run = prefix.command(python);
    prints(run.env("PYTHONPATH", root().join("examples/python")).arg(prefix.path("program.py")), &expected);
}

#[test]
fn the_module_maps() {
    if !has("clang", runs("clang", &["--version"])) {
        return;
    }
    let package = root().join("examples/swift/Sources/CFish");
    // Beside the header there may be a module map or not; the package's must do with both.
    let plain = TempDir::new().expect("a temporary directory");
    fs::copy(root().join("include/fish_api_credit.h"), plain.path().join("fish_api_credit.h"))
        .expect("the header is committed");
    for (name, module, include, map) in [
        ("the installed one", "CFishApiCredit", root().join("include"), None),
        ("the package's, alone", "CFish", plain.path().to_path_buf(), Some(&package)),
        ("the package's, beside the installed one", "CFish", root().join("include"), Some(&package)),
    ] {
        println!("{name}");
        let prefix = Prefix::new();
        let source = prefix.path("program.m");
        let code = format!(
            "@import {module};\n\
             int puts(const char *);\n\
             int main(void) {{\n  \
             fish_client_options options = {{.api_key = \"k\", .base_url = \"ftp://x\"}};\n  \
             fish_client *client = 0;\n  \
             fish_error error;\n  \
             fish_tristate tristate = FISH_UNKNOWN;\n  \
             if (fish_client_new(&options, &client, &error) != FISH_INVALID_ARGUMENT) return 1;\n  \
             fish_error_free(&error);\n  \
             if (tristate != FISH_UNKNOWN || FISH_TIME_UNKNOWN >= 0) return 2;\n  \
             puts(fish_version());\n  return 0;\n}}\n"
        );
        fs::write(&source, code).expect("a fresh file");
        let program = prefix.path("program");
        let mut clang = prefix.command("clang");
        clang.args(["-fmodules", "-Wall", "-Wextra", "-Werror"]);
        clang.arg(format!("-fmodules-cache-path={}", prefix.path("cache").display()));
        clang.arg("-I").arg(include).arg("-L").arg(prefix.path("lib"));
        if let Some(map) = map {
            clang.arg(format!("-fmodule-map-file={}", map.join("module.modulemap").display()));
        }
        // ELF has no room for the map's own "link"; where there is, naming it twice is harmless.
        succeeds(clang.arg(source).arg("-o").arg(&program).arg("-lfish_api_credit"));
        let version = succeeds(&mut prefix.command(&program));
        assert_eq!(version.trim_end(), env!("CARGO_PKG_VERSION"), "{name}");
    }
}

#[test]
fn swift() {
    if !in_trixie("swift", runs("swift", &["--version"])) {
        return;
    }
    let prefix = Prefix::new();
    let package = root().join("examples/swift");
    let swift = |subcommand: &str| {
        let mut command = prefix.command("swift");
        command.arg(subcommand).arg("--package-path").arg(&package);
        command.arg("--scratch-path").arg(prefix.path("build"));
        command
    };
    succeeds(&mut swift("build"));
    succeeds(&mut swift("test"));
    let (_, expected) = program("docs/swift.md", "swift");
    prints(swift("run").args(["--quiet", "fish-credit"]), &expected);
    // Wrong usage, and what cannot be printed, are told in a line.
    let refused = |command: &mut Command, why: &str| {
        let output = command.output().expect("swift");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.starts_with(&format!("fish-credit: {why}")) && said.lines().count() == 1, "{said}");
    };
    // The program itself: SwiftPM has something of its own to say on standard error.
    let command = || prefix.command(prefix.path("build/debug/fish-credit"));
    refused(command().args(["one", "two"]), "it takes at most one argument");
    if let Ok(full) = fs::File::options().write(true).open("/dev/full") {
        let (url, thread) = server();
        let mut run = command();
        run.env("FISH_API_KEY", "sk-test").env("FISH_BASE_URL", url);
        refused(run.stdout(full), "standard output: ");
        thread.join().expect("the server saw what it should");
    }
}

/// Whether there is a JDK with java.lang.foreign.
fn has_java() -> bool {
    let output = Command::new("javac").arg("--version").output();
    let version = output.ok().and_then(|output| {
        let text = String::from_utf8(output.stdout).ok()?;
        text.trim().strip_prefix("javac ")?.split(['.', '-', '+']).next()?.parse::<u32>().ok()
    });
    in_trixie("javac 22", version.is_some_and(|version| version >= 22))
}

/// The files of a package in examples whose names end so, for its compiler.
fn sources(folder: &str, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}")) {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("UTF-8");
        if entry.file_type().expect("a type").is_dir() {
            found.extend(sources(&format!("{folder}/{name}"), end));
        } else if name.ends_with(end) {
            found.push(entry.path());
        }
    }
    found.sort();
    found
}

/// Compiles the Java package and its tests without a warning, as the oldest Java that it is for.
fn compile_java(prefix: &Prefix) -> PathBuf {
    let classes = prefix.path("classes");
    let mut javac = prefix.command("javac");
    javac.args(["--release", "22", "-Xlint:all,-restricted,-try", "-Werror", "-d"]).arg(&classes);
    succeeds(javac.args(sources("examples/java", ".java")));
    classes
}

#[test]
fn java() {
    if !has_java() {
        return;
    }
    let prefix = Prefix::new();
    let classes = compile_java(&prefix);
    let mut test = prefix.command("java");
    test.args(["--enable-native-access=ALL-UNNAMED", "-ea"]);
    // One carrier for all virtual threads: a test sees if one of them keeps it.
    let scheduler = "-Djdk.virtualThreadScheduler";
    test.args([format!("{scheduler}.parallelism=1"), format!("{scheduler}.maxPoolSize=1")]);
    let output = succeeds(test.arg("-cp").arg(classes).arg("Tests"));
    assert!(output.contains(" passed, 0 failed"), "{output}");
}

#[test]
fn the_program_of_java_md() {
    if !has_java() {
        return;
    }
    let (code, expected) = program("docs/java.md", "java");
    let prefix = Prefix::new();
    let classes = compile_java(&prefix);
    fs::write(prefix.path("Balance.java"), code).expect("a fresh file");
    let mut run = prefix.command("java");
    run.args(["--enable-native-access=ALL-UNNAMED", "-cp"]).arg(classes);
    prints(run.arg(prefix.path("Balance.java")), &expected);
}

fn has_mono() -> bool {
    has("mcs", runs("mcs", &["--version"])) && has("mono", runs("mono", &["--version"]))
}

/// A program with FishApiCredit.cs, compiled without a warning.
fn compile_csharp(prefix: &Prefix, program: &str, files: &[PathBuf]) -> PathBuf {
    let program = prefix.path(program);
    let mut mcs = prefix.command("mcs");
    mcs.args(["-langversion:7", "-warn:4", "-warnaserror", "-debug"]);
    mcs.arg(format!("-out:{}", program.display()));
    succeeds(mcs.arg(root().join("examples/csharp/FishApiCredit.cs")).args(files));
    program
}

#[test]
fn csharp() {
    if !has_mono() {
        return;
    }
    let prefix = Prefix::new();
    let program = compile_csharp(&prefix, "Tests.exe", &sources("examples/csharp/tests", ".cs"));
    let abi = root().join("docs/abi.json");
    let output = succeeds(prefix.command("mono").env("FISH_ABI", &abi).arg("--debug").arg(&program));
    assert!(output.contains(" passed, 0 failed"), "{output}");

    let Some(dotnet) = std::env::var_os("FISH_DOTNET") else {
        println!("skipped, the same program under .NET: no FISH_DOTNET");
        return;
    };
    let config = r#"{"runtimeOptions":{"rollForward":"Major","framework":{"name":"Microsoft.NETCore.App",
        "version":"3.1.0"},"configProperties":{"System.Globalization.Invariant":true}}}"#;
    fs::write(prefix.path("Tests.runtimeconfig.json"), config).expect("a fresh file");
    let output = succeeds(prefix.command(dotnet).env("FISH_ABI", &abi).arg(program));
    assert!(output.contains(" passed, 0 failed"), "{output}");
}

#[test]
fn the_program_of_csharp_md() {
    if !has_mono() {
        return;
    }
    let (code, expected) = program("docs/csharp.md", "csharp");
    let prefix = Prefix::new();
    let source = prefix.path("Balance.cs");
    fs::write(&source, code).expect("a fresh file");
    let program = compile_csharp(&prefix, "Balance.exe", &[source]);
    prints(prefix.command("mono").arg(program), &expected);
}

#[test]
fn swift_md_shows_the_packages_own_program() {
    let (code, _) = program("docs/swift.md", "swift");
    assert_eq!(code, read("examples/swift/Sources/fish-credit/FishCredit.swift"));
}

/// What can be seen without a Swift compiler: a name of C's that the header does not have is a mistake.
#[test]
fn swift_uses_only_names_of_the_header() {
    let header = read("include/fish_api_credit.h");
    let names = |text: &str| -> Vec<String> {
        text.split(|c: char| !c.is_alphanumeric() && c != '_')
            .filter(|word| word.starts_with("fish_") || word.starts_with("FISH_"))
            .map(String::from)
            .collect()
    };
    let declared = names(&header);
    for file in ["Client", "Credit", "Error", "Waiting", "Watch"] {
        let source = read(&format!("examples/swift/Sources/FishApiCredit/{file}.swift"));
        let used = names(&source);
        assert!(!used.is_empty(), "{file}.swift uses the library");
        for name in used {
            assert!(
                declared.contains(&name) || name == "FISH_API_KEY",
                "{file}.swift: {name} is not in the header"
            );
        }
    }
}
