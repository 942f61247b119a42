//! The packages of examples, as their tests find the library that cargo just built and the tools that they need.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use super::c::{self, root};
use super::tools;

/// Cargo's for tests. What else reads these modules, an example, uses nothing of this one.
const TMPDIR: &str = match option_env!("CARGO_TARGET_TMPDIR") {
    Some(folder) => folder,
    None => "",
};

/// A folder with what pkg-config knows of the library. Go's build cache keeps what it once said, so this place never
/// moves, and a cache of its own goes with it.
static PKG_CONFIG: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(TMPDIR).join("pkgconfig");
    fs::create_dir_all(&folder).expect("a folder");
    let pc = format!(
        "Name: fish_api_credit\nDescription: a test's\nVersion: {}\nCflags: -I{}\nLibs: -L{} -lfish_api_credit\n",
        env!("CARGO_PKG_VERSION"),
        root().join("include").display(),
        c::library_folder().display(),
    );
    fs::write(folder.join("fish_api_credit.pc"), pc).expect("a file");
    folder
});

/// A command that finds this library, and nothing of the caller's settings.
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let lib = c::library_folder();
    let file =
        if cfg!(target_vendor = "apple") { "libfish_api_credit.dylib" } else { "libfish_api_credit.so" };
    assert!(lib.join(file).exists(), "{file} was not built");
    let mut command = c::command(program);
    command
        .env("PKG_CONFIG_PATH", &*PKG_CONFIG)
        .env("LD_LIBRARY_PATH", &lib)
        .env("DYLD_LIBRARY_PATH", &lib)
        .env("FISH_API_CREDIT_LIBRARY", lib.join(file))
        .env("FISH_API_CREDIT_INCLUDE", root().join("include"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        // Everything that Go needs is here: nothing may be fetched.
        .envs([("CGO_ENABLED", "1"), ("GOPROXY", "off"), ("GOTOOLCHAIN", "local"), ("GOFLAGS", "")])
        .env("GOCACHE", Path::new(TMPDIR).join("go-cache"));
    command
}

/// Runs a command to a good end, shows what it printed, and gives it.
pub fn succeeds(command: &mut Command) -> String {
    let printed = c::run(command);
    println!("{command:?}\n{printed}");
    printed
}

pub fn runs(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

pub fn have_go() -> bool {
    tools::or_skipped(runs("go", &["version"]), "go") && tools::have("pkg-config")
}

/// The package as npm lays it out, with what it depends on; and the program's folder, in which it is installed.
pub fn node_package(folder: &Path) -> Option<PathBuf> {
    if !tools::have("node") {
        return None;
    }
    let target = Path::new(TMPDIR).parent().expect("target");
    let named = std::env::var_os("FISH_NODE_MODULES").map(PathBuf::from);
    let usual = [root().join("examples/node").join("node_modules"), target.join("node/node_modules")];
    let modules = named.into_iter().chain(usual).find(|modules| modules.join("koffi").exists());
    if !tools::or_skipped(modules.is_some(), "koffi (npm ci in examples/node)") {
        return None;
    }
    let package = folder.join("node");
    let mut copy = Command::new("cp");
    succeeds(copy.arg("-R").arg(root().join("examples/node")).arg(&package));
    let _ = fs::remove_dir_all(package.join("node_modules"));
    symlink(modules.unwrap_or_default(), package.join("node_modules")).expect("a fresh name");
    fs::create_dir(folder.join("node_modules")).expect("a fresh folder");
    symlink(&package, folder.join("node_modules/fish-api-credit")).expect("a fresh name");
    Some(package)
}
