//! Programs in C and C++, compiled against this library and run: natively against the one that cargo has just
//! built, or for another platform against a release archive, with an emulator in front.

#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A compiler, and the tree of headers and libraries that it is to use.
pub struct Compiler {
    command: String,
    include: PathBuf,
    libraries: PathBuf,
}

impl Compiler {
    /// For the library that belongs to the running test.
    pub fn native(command: &str) -> Compiler {
        let libraries = scratch().join("lib");
        std::fs::create_dir_all(&libraries).unwrap();
        let built = std::env::current_exe().unwrap().parent().unwrap().to_owned();
        for (from, to) in [
            ("libfish_api_credit.so", "libfish_api_credit.so"),
            ("libfish_api_credit.so", "libfish_api_credit.so.0"),
            ("libfish_api_credit.dylib", "libfish_api_credit.dylib"),
            ("libfish_api_credit.dylib", "libfish_api_credit.0.dylib"),
        ] {
            if built.join(from).exists() {
                // Made anew under another name and renamed, because tests run side by side.
                let fresh = libraries.join(format!("{to}.{:?}", std::thread::current().id()));
                let _ = std::fs::remove_file(&fresh);
                std::os::unix::fs::symlink(built.join(from), &fresh).unwrap();
                std::fs::rename(&fresh, libraries.join(to)).unwrap();
            }
        }
        let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("include");
        Compiler { command: command.to_owned(), include, libraries }
    }

    /// For the library in `tree`, a release archive's contents.
    pub fn for_tree(command: &str, tree: &Path) -> Compiler {
        Compiler { command: command.to_owned(), include: tree.join("include"), libraries: tree.join("lib") }
    }

    pub fn compile(&self, flags: &[&str], sources: &[&Path], program: &str) -> PathBuf {
        let program = scratch().join(program);
        let mut words = self.command.split(' ');
        let mut command = Command::new(words.next().unwrap());
        command.args(words).args(flags).arg("-pthread").arg("-I").arg(&self.include).args(sources);
        command.arg("-L").arg(&self.libraries).arg("-lfish_api_credit");
        if !self.command.contains("mingw") {
            command.arg(format!("-Wl,-rpath,{}", self.libraries.display()));
        }
        run(command.arg("-o").arg(&program));
        program
    }
}

/// Whether a program is missing. On a developer's machine that skips what needs it; in CI it is a failure.
pub fn without(name: &str) -> bool {
    let found =
        Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        assert!(std::env::var_os("FISH_CI").is_none(), "no {name}");
        println!("skipped: no {name}");
    }
    !found
}

/// Where this test binary's programs are put.
pub fn scratch() -> PathBuf {
    let name = std::env::current_exe().unwrap().file_stem().unwrap().to_owned();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs a command, without the tester's key and proxies, and gives what it printed; panics with all of it if it
/// failed.
pub fn run(command: &mut Command) -> String {
    const NAMES: [&str; 4] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];
    for name in NAMES {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    let output = command.output().unwrap_or_else(|why| panic!("{command:?}: {why}"));
    let (printed, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{printed}{complained}", output.status);
    printed.into_owned()
}

/// The first fenced block of a page in this language that is a whole program.
pub fn fence(page: &str, language: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = std::fs::read_to_string(path).unwrap();
    text.split(&format!("```{language}\n"))
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .find(|block| block.contains("int main("))
        .unwrap_or_else(|| panic!("{page} has no program"))
        .to_owned()
}
