//! The library in other languages: runs the tests of the packages in examples, and the programs of their pages, with the
//! library that cargo just built.
//!
//! A missing toolchain is a skip ("skipped: no go"), and a failure when FISH_CI is set; except for Swift and Java 22,
//! which Debian 12 does not have: .ci/trixie.sh runs their tests in a tree of Debian 13, with FISH_TRIXIE set.
//! FISH_GO_RACE=1 runs Go's tests with its race detector, which takes a minute to build. FISH_DOTNET names the `dotnet` of
//! a .NET runtime, which then runs C#'s tests too. Node's packages are looked for in FISH_NODE_MODULES, in
//! the `node_modules` of examples/node and in that of target/node, where .ci/bindings.sh installs them.

#![cfg(unix)]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use support::c::{self, read, root};
use support::child;
use support::credit::SHOWN;
use support::packages::{command, have_go, node_package, runs, succeeds};
use support::server::{DOCUMENT, Server, Step, always, answer, document, ok, send};
use support::{pages, tools};

const KEY: &str = "sk-test";

/// One that finds the library without pkg-config, by these flags alone.
fn go_without_pkg_config() -> Command {
    let mut command = command("go");
    command
        .env_remove("PKG_CONFIG_PATH")
        .env_remove("LD_LIBRARY_PATH")
        .env("CGO_CFLAGS", format!("-I{}", root().join("include").display()))
        .env("CGO_LDFLAGS", format!("-L{0} -Wl,-rpath,{0}", c::library_folder().display()));
    command
}

/// A Python that the tests can run with: FISH_PYTHON, else the first of the usual ones that has pytest.
fn python() -> Option<String> {
    let chosen = std::env::var("FISH_PYTHON").ok();
    let usual = ["python3", "/usr/bin/python3"].map(String::from);
    let found = chosen.into_iter().chain(usual).find(|python| runs(python, &["-m", "pytest", "--version"]));
    tools::or_skipped(found.is_some(), "python3 with pytest").then(|| found.unwrap_or_default())
}

/// The first program of a page in this language, and what the page says that it prints.
fn program(page: &str, language: &str) -> (String, String) {
    let mut blocks = pages::blocks(page).into_iter().skip_while(|block| block.language != language);
    let program = blocks.next().expect("a program").text;
    (program, blocks.find(|block| block.language == "text").expect("what it prints").text)
}

/// The other code of a page in this language: what it shows beside its program, such as a watch.
fn others(page: &str, language: &str) -> Vec<String> {
    pages::texts(page, language).split_off(1)
}

/// Runs a page's watch, which prints this line for the credit and ends when `end` tells it to.
fn follows(command: &mut Command, expected: &str, end: impl FnOnce(&mut Child)) {
    let server = always(ok());
    command.env("FISH_API_KEY", KEY).env("FISH_BASE_URL", server.url());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut printed = String::new();
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    output.read_line(&mut printed).expect("a line");
    end(&mut child);
    output.read_to_string(&mut printed).expect("text");
    let status = child.wait().expect("it ends");
    assert!(status.success(), "{command:?} {status}: {printed}");
    assert_eq!(printed, format!("{expected}\n"));
    was_asked(&server);
}

/// Ends a watch that was made to end with its input.
fn close_input(child: &mut Child) {
    drop(child.stdin.take());
}

/// What a program with this server and the key has asked.
fn was_asked(server: &Server) {
    let requests = server.requests();
    let [request] = &requests[..] else { panic!("{} requests", requests.len()) };
    let request = String::from_utf8_lossy(request);
    assert!(request.starts_with("GET /wallet/self/api-credit"), "{request}");
    assert!(request.contains(&format!("\r\nauthorization: Bearer {KEY}\r\n")), "{request}");
}

/// Runs a page's program against a server.
fn prints(command: &mut Command, expected: &str) {
    let server = always(ok());
    let output = succeeds(command.env("FISH_API_KEY", KEY).env("FISH_BASE_URL", server.url()));
    was_asked(&server);
    assert_eq!(output, expected);
}

#[test]
fn go() {
    if !have_go() {
        return;
    }
    let module = root().join("examples/go/fishcredit");
    let race = std::env::var_os("FISH_GO_RACE").is_some();
    let mut test = command("go");
    // Go would otherwise repeat an earlier result: it does not see that the library changed.
    test.current_dir(&module).args(["test", "-count=1"]).args(race.then_some("-race")).arg("./...");
    succeeds(&mut test);
    // Without pkg-config it is found too. tests/commands.rs runs the command at length.
    let server = always(ok());
    let mut run = go_without_pkg_config();
    run.current_dir(&module).args(["run", "-tags", "fish_prefix", "./cmd/fish-credit"]);
    assert_eq!(succeeds(run.args(["--base-url", &server.url()]).env("FISH_API_KEY", KEY)), SHOWN);
}

#[test]
fn the_program_of_go_md() {
    if !have_go() {
        return;
    }
    let (code, expected) = program("docs/go.md", "go");
    let [watch] = &others("docs/go.md", "go")[..] else {
        panic!("nobody compiles the other code of docs/go.md")
    };
    let directory = tempfile::tempdir().unwrap();
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
    prints(command("go").current_dir(module).args(["run", "."]), &expected);

    let imports = ["context", "fmt", "time", path].map(|path| format!("import \"{path}\"\n")).concat();
    fs::write(module.join("page.go"), format!("package main\n\n{imports}\n{watch}")).expect("a fresh file");
    fs::write(module.join("main.go"), read("tests/languages/follow.go")).expect("a file");
    succeeds(command("go").current_dir(module).args(["build", "-o", "follow"]));
    follows(&mut command(module.join("follow")), "false 12.345678 <nil>", close_input);
}

#[test]
fn python_tests() {
    let Some(python) = python() else { return };
    let mut test = command(python);
    test.current_dir(root().join("examples/python"));
    let output = succeeds(test.args(["-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider"]));
    assert!(output.contains(" passed"), "{output}");
}

#[test]
fn the_program_of_python_md() {
    let Some(python) = python() else { return };
    let (code, expected) = program("docs/python.md", "python");
    let scratch = tempfile::tempdir().unwrap();
    fs::write(scratch.path().join("program.py"), code).expect("a fresh file");
    let run = |name: &str| {
        let mut run = command(&python);
        run.current_dir(scratch.path()).env("PYTHONPATH", root().join("examples/python"));
        run.args(["-u", name]);
        run
    };
    prints(&mut run("program.py"), &expected);

    let [others] = &others("docs/python.md", "python")[..] else {
        panic!("nobody runs the other code of docs/python.md")
    };
    fs::write(scratch.path().join("page.py"), others).expect("a fresh file");
    fs::write(scratch.path().join("follow.py"), read("tests/languages/follow.py")).expect("a fresh file");
    prints(run("follow.py").arg("balance"), "12.345678\n");
    follows(run("follow.py").arg("follow"), "OK 12.345678 ", close_input);
}

#[test]
fn node() {
    let scratch = tempfile::tempdir().unwrap();
    let Some(package) = node_package(scratch.path()) else { return };
    let tests = fs::read_dir(package.join("test")).expect("its tests");
    let mut tests: Vec<_> = tests.map(|file| file.expect("a file").path()).collect();
    tests.retain(|file| file.to_string_lossy().ends_with(".test.js"));
    let mut test = command("node");
    test.current_dir(&package).arg("--test").args(tests);
    test.env("FISH_API_CREDIT_ABI", root().join("docs/abi.json"));
    succeeds(&mut test);
}

#[test]
fn the_program_of_node_md() {
    let scratch = tempfile::tempdir().unwrap();
    if node_package(scratch.path()).is_none() {
        return;
    }
    let (code, expected) = program("docs/node.md", "js");
    let [watch] = &others("docs/node.md", "js")[..] else {
        panic!("nobody runs the other code of docs/node.md")
    };
    fs::write(scratch.path().join("balance.mjs"), code).expect("a fresh file");
    fs::write(scratch.path().join("follow.mjs"), watch).expect("a fresh file");
    prints(command("node").arg(scratch.path().join("balance.mjs")), &expected);
    follows(command("node").arg(scratch.path().join("follow.mjs")), "false 12.345678 ", |child| {
        child::signal(child, libc::SIGINT);
    });
}

/// A command that finds the module.
fn luajit() -> Command {
    let mut command = command("luajit");
    command.env("LUA_PATH", root().join("examples/luajit/?.lua")).current_dir(root().join("examples/luajit"));
    command
}

/// A server whose answer is in the user's id, as examples/luajit/test.lua wants it.
fn scenarios() -> Server {
    let counted = AtomicI32::new(9);
    Server::directed(move |_, request| {
        let request = String::from_utf8_lossy(request);
        let user = request.strip_prefix("GET /wallet/").and_then(|rest| rest.split("/api-credit").next());
        match user.expect("a request for a credit") {
            "wallet" => send(answer(200, "x-fish-trace-id: t-9\r\n", DOCUMENT)),
            "counted" => {
                let amount = counted.fetch_sub(1, Ordering::SeqCst);
                send(answer(200, "", document(&amount.to_string())))
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
    if !tools::have("luajit") {
        return;
    }
    for name in ["credit", "money", "errors", "refusals", "background", "watch", "leaks"] {
        let server = scenarios();
        let mut test = luajit();
        assert_eq!(succeeds(test.arg("test.lua").arg(name).env("FISH_BASE_URL", server.url())), "passed\n");
    }
    // However it ends while a call hangs, it ends at once: long before the call would.
    for (name, status) in
        [("exit", 7), ("exit that closes the state", 7), ("an error", 1), ("the last line", 0), ("Ctrl-C", 1)]
    {
        let server = scenarios();
        let mut test = luajit();
        test.arg("test.lua").arg(name).env("FISH_BASE_URL", server.url());
        let child = test.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("luajit");
        let begun = Instant::now();
        if name == "Ctrl-C" {
            server.await_requests(1);
            child::signal(&child, libc::SIGINT);
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
    if !tools::have("luajit") {
        return;
    }
    prints(luajit().arg("credit.lua"), &expected);
}

/// Where Lua looks for modules in C it finds the library, too; and without it the module says what is wrong.
#[test]
fn lua_finds_the_library_beside_its_modules() {
    if !tools::have("luajit") {
        return;
    }
    let run = |path: &str| {
        let mut run = luajit();
        run.env_remove("FISH_API_CREDIT_LIBRARY")
            .env_remove("LD_LIBRARY_PATH")
            .env_remove("DYLD_LIBRARY_PATH");
        run.env("LUA_CPATH", path).args(["-e", "print(require('fish_api_credit').version())"]);
        run
    };
    let version = concat!(env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(succeeds(&mut run(&format!("{}/?.so", c::library_folder().display()))), version);
    let output = run("/nowhere/?.so").output().expect("luajit");
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("libfish_api_credit cannot be loaded ("), "{said}");
    }
}

#[test]
fn the_module_maps() {
    if !tools::have("clang") {
        return;
    }
    let package = root().join("examples/swift/Sources/CFish");
    // Beside the header there may be a module map or not; the package's must do with both.
    let plain = tempfile::tempdir().unwrap();
    fs::copy(root().join("include/fish_api_credit.h"), plain.path().join("fish_api_credit.h"))
        .expect("the header is committed");
    for (name, module, include, map) in [
        ("the installed one", "CFishApiCredit", root().join("include"), None),
        ("the package's, alone", "CFish", plain.path().to_path_buf(), Some(&package)),
        ("the package's, beside the installed one", "CFish", root().join("include"), Some(&package)),
    ] {
        let scratch = tempfile::tempdir().unwrap();
        let source = scratch.path().join("program.m");
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
        let program = scratch.path().join("program");
        let mut clang = command("clang");
        clang.args(["-fmodules", "-Wall", "-Wextra", "-Werror"]);
        clang.arg(format!("-fmodules-cache-path={}", scratch.path().join("cache").display()));
        clang.arg("-I").arg(include).arg("-L").arg(c::library_folder());
        if let Some(map) = map {
            clang.arg(format!("-fmodule-map-file={}", map.join("module.modulemap").display()));
        }
        // ELF has no room for the map's own "link"; where there is, naming it twice is harmless.
        succeeds(clang.arg(source).arg("-o").arg(&program).arg("-lfish_api_credit"));
        let version = succeeds(&mut command(&program));
        assert_eq!(version.trim_end(), env!("CARGO_PKG_VERSION"), "{name}");
    }
}

#[test]
fn swift() {
    if !runs("swift", &["--version"]) {
        return tools::skipped_unless("FISH_TRIXIE", "no swift");
    }
    let build = tempfile::tempdir().unwrap();
    let package = root().join("examples/swift");
    let swift = |subcommand: &str| {
        let mut command = command("swift");
        command.arg(subcommand).arg("--package-path").arg(&package);
        command.arg("--scratch-path").arg(build.path());
        command
    };
    succeeds(&mut swift("build"));
    succeeds(&mut swift("test"));
}

#[test]
fn the_program_of_swift_md() {
    if !runs("swift", &["--version"]) {
        return tools::skipped_unless("FISH_TRIXIE", "no swift");
    }
    let [manifest, program, watch] = &pages::texts("docs/swift.md", "swift")[..] else {
        panic!("nobody compiles the other code of docs/swift.md")
    };
    let expected = &pages::texts("docs/swift.md", "text")[0];
    let folder = tempfile::tempdir().unwrap();
    // Where the page has it, and nothing is built in the repository.
    fs::create_dir(folder.path().join("examples")).unwrap();
    let mut copy = Command::new("cp");
    succeeds(copy.arg("-R").arg(root().join("examples/swift")).arg(folder.path().join("examples")));
    let package = |name: &str, files: &[(&str, &str)]| {
        let package = folder.path().join(name);
        fs::create_dir(&package).unwrap();
        for (file, text) in files {
            fs::write(package.join(file), text).unwrap();
        }
        let mut build = command("swift");
        succeeds(build.args(["build", "--package-path"]).arg(&package));
        command(package.join(".build/debug").join(name))
    };
    let mut balance = package("balance", &[("Package.swift", manifest), ("Balance.swift", program)]);
    prints(&mut balance, expected);

    let renamed =
        manifest.replace("balance", "follow").replace("Balance.swift", "Follow.swift\", \"Page.swift");
    let page = format!("import FishApiCredit\n\n{watch}");
    let harness = read("tests/languages/Follow.swift");
    let follow =
        package("follow", &[("Package.swift", &renamed), ("Follow.swift", &harness), ("Page.swift", &page)]);
    // Into a pipe, Swift prints when its buffer is full.
    let mut lines = command("stdbuf");
    lines.arg("-oL").arg(follow.get_program());
    follows(&mut lines, "ok 12.345678 ", close_input);
}

/// Whether there is a JDK with java.lang.foreign.
fn have_java() -> bool {
    let output = Command::new("javac").arg("--version").output();
    let version = output.ok().and_then(|output| {
        let text = String::from_utf8(output.stdout).ok()?;
        text.trim().strip_prefix("javac ")?.split(['.', '-', '+']).next()?.parse::<u32>().ok()
    });
    let found = version.is_some_and(|version| version >= 22);
    if !found {
        tools::skipped_unless("FISH_TRIXIE", "no javac 22");
    }
    found
}

/// The files below a folder whose names end so, for a compiler.
fn sources(folder: &str, end: &str) -> Vec<PathBuf> {
    let files = pages::files(folder).into_iter().filter(|file| file.ends_with(end));
    files.map(|file| root().join(file)).collect()
}

/// Compiles the Java package and its tests without a warning, for the oldest Java that it supports.
fn compile_java(classes: &Path) {
    let mut javac = command("javac");
    javac.args(["--release", "22", "-Xlint:all,-restricted,-try", "-Werror", "-d"]).arg(classes);
    succeeds(javac.args(sources("examples/java", ".java")));
}

#[test]
fn java() {
    if !have_java() {
        return;
    }
    let classes = tempfile::tempdir().unwrap();
    compile_java(classes.path());
    let mut test = command("java");
    test.args(["--enable-native-access=ALL-UNNAMED", "-ea"]);
    // With one carrier for all virtual threads, a pinned one is seen.
    let scheduler = "-Djdk.virtualThreadScheduler";
    test.args([format!("{scheduler}.parallelism=1"), format!("{scheduler}.maxPoolSize=1")]);
    let output = succeeds(test.arg("-cp").arg(classes.path()).arg("Tests"));
    assert!(output.contains(" passed, 0 failed"), "{output}");
}

#[test]
fn the_program_of_java_md() {
    if !have_java() {
        return;
    }
    let (code, expected) = program("docs/java.md", "java");
    let folder = tempfile::tempdir().unwrap();
    let (classes, source) = (folder.path().join("classes"), folder.path().join("Balance.java"));
    compile_java(&classes);
    fs::write(&source, code).unwrap();
    let mut run = command("java");
    prints(run.args(["--enable-native-access=ALL-UNNAMED", "-cp"]).args([classes, source]), &expected);
}

/// Compiles a C# program with FishApiCredit.cs, without a warning.
fn compile_csharp(program: &Path, files: &[PathBuf]) {
    let mut mcs = command("mcs");
    mcs.args(["-langversion:7", "-warn:4", "-warnaserror", "-debug"]);
    mcs.arg(format!("-out:{}", program.display()));
    succeeds(mcs.arg(root().join("examples/csharp/FishApiCredit.cs")).args(files));
}

#[test]
fn csharp() {
    if !(tools::have("mcs") && tools::have("mono")) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("Tests.exe");
    compile_csharp(&program, &sources("examples/csharp/tests", ".cs"));
    let abi = root().join("docs/abi.json");
    let output = succeeds(command("mono").env("FISH_ABI", &abi).arg("--debug").arg(&program));
    assert!(output.contains(" passed, 0 failed"), "{output}");

    let Some(dotnet) = std::env::var_os("FISH_DOTNET") else {
        return println!("not run under .NET: no FISH_DOTNET");
    };
    let config = r#"{"runtimeOptions":{"rollForward":"Major","framework":{"name":"Microsoft.NETCore.App",
        "version":"3.1.0"},"configProperties":{"System.Globalization.Invariant":true}}}"#;
    fs::write(program.with_extension("runtimeconfig.json"), config).unwrap();
    let output = succeeds(command(dotnet).env("FISH_ABI", &abi).arg(program));
    assert!(output.contains(" passed, 0 failed"), "{output}");
}

#[test]
fn the_program_of_csharp_md() {
    if !(tools::have("mcs") && tools::have("mono")) {
        return;
    }
    let (code, expected) = program("docs/csharp.md", "csharp");
    let folder = tempfile::tempdir().unwrap();
    let (source, program) = (folder.path().join("Balance.cs"), folder.path().join("Balance.exe"));
    fs::write(&source, code).unwrap();
    compile_csharp(&program, &[source]);
    prints(command("mono").arg(program), &expected);
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
