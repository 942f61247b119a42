//! The library at home in other languages: runs the tests of examples/go, examples/luajit, examples/node,
//! examples/python and examples/swift, and the programs of their pages, against the library that cargo just built.
//!
//! What a missing toolchain keeps from running is said ("skipped: no go"), and is a failure when FISH_CI is set;
//! except for Swift, which Debian 12 has not: .ci/swift.sh runs its test in a tree of Debian 13, with FISH_SWIFT set. FISH_GO_RACE=1 runs Go's tests with its race
//! detector, which takes a minute to build.
//!
//! Node's packages are looked for in FISH_NODE_MODULES, in examples/node/node_modules, and in target/node/node_modules,
//! where .ci/bindings.sh puts them.
#![cfg(unix)]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use support::server::{Server, Step, answer, send};
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

/// The package as npm lays it out, with what it depends on; and the program's folder, in which it is installed.
fn node_package(prefix: &Prefix) -> Option<PathBuf> {
    if !has("node", runs("node", &["--version"])) {
        return None;
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("target");
    let named = std::env::var_os("FISH_NODE_MODULES").map(PathBuf::from);
    let usual = [root().join("examples/node/node_modules"), target.join("node/node_modules")];
    let modules = named.into_iter().chain(usual).find(|modules| modules.join("koffi").exists());
    if !has("koffi (npm ci in examples/node)", modules.is_some()) {
        return None;
    }
    let package = prefix.path("node");
    let mut copy = Command::new("cp");
    succeeds(copy.arg("-R").arg(root().join("examples/node")).arg(&package));
    let _ = fs::remove_dir_all(package.join("node_modules"));
    symlink(modules.unwrap_or_default(), package.join("node_modules")).expect("a fresh name");
    fs::create_dir(prefix.path("node_modules")).expect("a fresh folder");
    symlink(&package, prefix.path("node_modules/fish-api-credit")).expect("a fresh name");
    Some(package)
}

#[test]
fn node() {
    let prefix = Prefix::new();
    let Some(package) = node_package(&prefix) else { return };
    let tests = fs::read_dir(package.join("test")).expect("its tests");
    let mut tests: Vec<_> = tests.map(|file| file.expect("a file").path()).collect();
    tests.retain(|file| file.to_string_lossy().ends_with(".test.js"));
    let mut test = prefix.command("node");
    test.current_dir(&package).arg("--test").args(tests);
    test.env("FISH_API_CREDIT_ABI", root().join("docs/abi.json"));
    succeeds(&mut test);

    prints(
        prefix.command("node").arg(package.join("bin/fish-credit.js")),
        "API credit: 12.345678 (not the platform credit of a plan)\nlast change: 2026-02-03T04:05:06.789Z\n",
    );
    // Wrong usage is told in a line, and an argument that could be a key is not repeated.
    let output = prefix.command("node").arg(package.join("bin/fish-credit.js")).arg("sk-secret").output();
    let output = output.expect("node");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.starts_with("fish-credit: ") && said.lines().count() == 1 && !said.contains("secret"),
        "{said}"
    );
}

#[test]
fn the_program_of_node_md() {
    let prefix = Prefix::new();
    if node_package(&prefix).is_none() {
        return;
    }
    let (code, expected) = program("docs/node.md", "js");
    fs::write(prefix.path("balance.mjs"), code).expect("a fresh file");
    prints(prefix.command("node").arg(prefix.path("balance.mjs")), &expected);
}

fn has_luajit() -> bool {
    has("luajit", runs("luajit", &["-v"]))
}

/// A command that finds the module.
fn luajit(prefix: &Prefix) -> Command {
    let mut command = prefix.command("luajit");
    command.env("LUA_PATH", root().join("examples/luajit/?.lua")).current_dir(root().join("examples/luajit"));
    command
}

/// A server whose answer is in the user's id, as examples/luajit/test.lua wants it.
fn scenarios() -> Server {
    let counted = std::sync::atomic::AtomicI32::new(9);
    Server::directed(move |_, request| {
        let request = String::from_utf8_lossy(request);
        let user = request.strip_prefix("GET /wallet/").and_then(|rest| rest.split("/api-credit").next());
        match user.expect("a request for a credit") {
            "wallet" => send(answer(200, "x-fish-trace-id: t-9\r\n", WALLET)),
            "counted" => {
                let amount = counted.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                send(answer(200, "", WALLET.replace("12.345678", &amount.to_string())))
            }
            "invalid" => send(answer(
                422,
                "x-fish-trace-id: t-1\r\n",
                r#"[{"loc":["query","check_free_credit"],"type":"bool_parsing","msg":"not a bool","in":"query","ctx":{"error":"x"}},{"loc":["path","user_id"],"type":"missing","msg":"needed"}]"#,
            )),
            "busy" => send(answer(429, "Retry-After: 7\r\n", r#"{"message":"slow down","reason":"rate"}"#)),
            "silent" => vec![Step::Stall],
            other => panic!("{other}"),
        }
    })
}

#[test]
#[cfg(target_os = "linux")]
fn lua() {
    if !has_luajit() {
        return;
    }
    let prefix = Prefix::new();
    for name in ["credit", "money", "errors", "refusals", "background", "watch", "leaks"] {
        let server = scenarios();
        let mut test = luajit(&prefix);
        assert_eq!(succeeds(test.arg("test.lua").arg(name).env("FISH_BASE_URL", server.url())), "passed\n");
    }
    // However it ends while a call hangs, it ends at once: long before the call would.
    for (name, status) in
        [("exit", 7), ("exit that closes the state", 7), ("an error", 1), ("the last line", 0), ("Ctrl-C", 1)]
    {
        let server = scenarios();
        let mut test = luajit(&prefix);
        test.arg("test.lua").arg(name).env("FISH_BASE_URL", server.url());
        let child = test.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("luajit");
        let begun = std::time::Instant::now();
        if name == "Ctrl-C" {
            server.await_requests(1);
            succeeds(Command::new("kill").arg("-INT").arg(child.id().to_string()));
        }
        let output = child.wait_with_output().expect("luajit");
        assert_eq!(output.status.code(), Some(status), "{name}: {output:?}");
        assert!(begun.elapsed() < Duration::from_secs(60), "{name} took {:?}", begun.elapsed());
    }
}

#[test]
fn the_program_of_luajit_md() {
    let (code, expected) = program("docs/luajit.md", "lua");
    assert_eq!(code, read("examples/luajit/credit.lua"), "docs/luajit.md shows the example's own program");
    if !has_luajit() {
        return;
    }
    prints(luajit(&Prefix::new()).arg("credit.lua"), &expected);
}

/// Where Lua looks for modules in C it finds the library, too; and without it the module says what is wrong.
#[test]
fn lua_finds_the_library_beside_its_modules() {
    if !has_luajit() {
        return;
    }
    let prefix = Prefix::new();
    let run = |path: &str| {
        let mut run = luajit(&prefix);
        run.env_remove("FISH_API_CREDIT_LIBRARY")
            .env_remove("LD_LIBRARY_PATH")
            .env_remove("DYLD_LIBRARY_PATH");
        run.env("LUA_CPATH", path).args(["-e", "print(require('fish_api_credit').version())"]);
        run
    };
    let version = concat!(env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(succeeds(&mut run(&format!("{}/?.so", prefix.path("lib").display()))), version);
    let output = run("/nowhere/?.so").output().expect("luajit");
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("libfish_api_credit cannot be loaded ("), "{said}");
    }
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
    if !runs("swift", &["--version"]) {
        println!("skipped: no swift");
        assert!(std::env::var_os("FISH_SWIFT").is_none(), "FISH_SWIFT is set, and there is no swift");
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
