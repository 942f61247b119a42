//! The plugin of examples/obs inside the real OBS Studio, which asks a scripted server: what is on the screen, that OBS
//! draws on while a call hangs, that it ends at once then, what it counts as leaked, and where the key is not.
//!
//! Skipped where OBS, its development files, Xvfb or tesseract are missing. `.ci/obs.sh` installs them, and names in
//! FISH_OBS_PLUGIN the plugin that CMake has installed, with the release library inside; without that, one is compiled
//! here with the library that cargo has just built.

#![cfg(target_os = "linux")]

#[path = "obs/studio.rs"]
mod studio;
mod support;

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use studio::{Ended, Home, Screen, Studio, settings, until};
use support::c::{self, Compiler, Library};
use support::server::{Script, Server, Step, answer, document, ok, send};
use support::{note, tools};

const KEY: &str = "sk-obs-0123456789abcdef";
const OTHER_KEY: &str = "sk-obs-fedcba9876543210";
const ID: &str = "fedcba9876543210fedcba9876543210";

/// Within that, a call that hangs has not kept OBS waiting: it is a third of the call's deadline. It takes a few
/// hundredths of a second, on a busy machine more.
const AT_ONCE: Duration = Duration::from_secs(5);

const WHITE: [u8; 3] = [255, 255, 255];
const ORANGE: [u8; 3] = [255, 165, 0];
const RED: [u8; 3] = [255, 48, 48];
const GREY: [u8; 3] = [160, 160, 160];

/// Whether the machine has all that the tests need; a skip, if not.
fn ready() -> bool {
    let headers = pkg_config(&["--exists"]).output().is_ok_and(|output| output.status.success());
    tools::or_skipped(headers, "libobs for pkg-config")
        && ["obs", "Xvfb", "tesseract"].into_iter().all(tools::have)
}

fn pkg_config(arguments: &[&str]) -> Command {
    let mut command = Command::new("pkg-config");
    command.args(arguments).arg("libobs");
    command
}

/// Compiles a source of the repository against libobs.
fn compile(source: &str, made: &Path, more: &[&str]) {
    // As a system's header: its warnings are its own.
    let flags = c::run(&mut pkg_config(&["--cflags"])).replace("-I", "-isystem");
    let mut flags: Vec<&str> = flags.split_whitespace().collect();
    flags.extend(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wl,--no-as-needed", "-lobs"]);
    flags.extend(more);
    Compiler::c().build(made, &[&c::root().join(source)], Library::Static, &flags).unwrap();
}

/// The plugin's folder, as OBS wants it.
fn plugin(scratch: &Path) -> PathBuf {
    if let Some(installed) = std::env::var_os("FISH_OBS_PLUGIN") {
        return installed.into();
    }
    let folder = scratch.join("plugin");
    fs::create_dir_all(folder.join("bin/64bit")).unwrap();
    symlink(c::root().join("examples/obs/data"), folder.join("data")).unwrap();
    let made = folder.join("bin/64bit/fish-credit.so");
    let flags = ["-shared", "-fPIC", "-fvisibility=hidden", "-Wl,--exclude-libs,ALL", "-Wl,--no-undefined"];
    compile("examples/obs/fish-credit.c", &made, &flags);
    folder
}

/// A server whose answer can be changed at any time.
struct Service {
    server: Server,
    script: Arc<Mutex<Script>>,
}

impl Service {
    fn start() -> Service {
        let script = Arc::new(Mutex::new(ok()));
        let own = Arc::clone(&script);
        Service { server: Server::directed(move |_, _| own.lock().unwrap().clone()), script }
    }

    fn answers(&self, script: Script) {
        *self.script.lock().unwrap() = script;
    }

    fn has(&self, amount: &str) {
        self.answers(send(answer(200, "", document(amount))));
    }

    fn asked(&self) -> usize {
        self.server.requests().len()
    }

    fn last_request(&self) -> String {
        String::from_utf8(self.server.requests().pop().unwrap()).unwrap()
    }
}

fn press_read_now(studio: &mut Studio) {
    studio.ask("PressInputPropertiesButton", r#""inputName":"Credit","propertyName":"refresh""#);
}

/// Has a call under way that is never answered, and OBS draw on meanwhile.
fn hang(studio: &mut Studio, service: &Service) {
    let asked = service.asked();
    service.answers(vec![Step::Stall]);
    press_read_now(studio);
    service.server.await_requests(asked + 1);
    let drawn = studio.frames();
    until("thirty frames more", || match studio.frames() - drawn {
        ..30 => Err("not yet".to_owned()),
        _ => Ok(()),
    });
    service.server.await_open_connections(1);
    assert_eq!(service.asked(), asked + 1, "the call still hangs");
}

fn no_leaks(ended: &Ended) {
    assert!(ended.log.contains("[fish-credit] loaded"), "{}", ended.log);
    assert!(ended.log.contains("Number of memory leaks: 0"), "{}", ended.log);
}

#[test]
fn the_balance_is_on_the_screen_and_obs_never_waits() {
    if !ready() {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let (screen, service) = (Screen::start(), Service::start());
    let url = service.server.url();
    let home = Home::new(&scratch.path().join("home"), &plugin(scratch.path()));
    let key_file = home.folder.join("key");
    fs::write(&key_file, format!("{KEY}\n")).unwrap();
    fs::set_permissions(&key_file, Permissions::from_mode(0o600)).unwrap();
    let key_file = key_file.to_str().unwrap();

    // A source like any other, its key in a file.
    let mut studio = Studio::start(&home, &screen, &[("FISH_BASE_URL", &url)]);
    let given = settings(&[
        ("key_file", &format!("\"{key_file}\"")),
        ("team_id", &format!("\"{ID}\"")),
        ("interval", "3600"),
    ]);
    studio.ask(
        "CreateInput",
        &format!(
            r#""sceneName":"Scene","inputName":"Credit","inputKind":"fish_api_credit","inputSettings":{{{given}}}"#
        ),
    );
    studio.await_text("API credit: $12.34", WHITE);
    let request = service.last_request();
    assert!(
        request.starts_with(&format!("GET /wallet/self/api-credit?team_id={ID} HTTP/1.1\r\n")),
        "{request}"
    );
    assert!(request.contains(&format!("uthorization: Bearer {KEY}\r\n")), "{request}");
    assert!(request.contains("obs-fish-credit/1.0"), "{request}");
    assert_eq!(service.asked(), 1);

    service.has("0.5");
    press_read_now(&mut studio);
    studio.await_text("API credit: $0.50", ORANGE);
    service.answers(send(answer(500, "", "{}")));
    press_read_now(&mut studio);
    studio.await_text("API credit: $0.50 (old)", ORANGE);
    service.has("-1.005");
    press_read_now(&mut studio);
    studio.await_text("API credit: -$1.01", RED);

    // What is only shown is shown without asking again.
    let asked = service.asked();
    studio.ask("SetInputSettings", r#""inputName":"Credit","inputSettings":{"label":"Team wallet"}"#);
    studio.await_text("Team wallet: -$1.01", RED);
    assert_eq!(service.asked(), asked);

    // It ends while a call hangs, whose deadline is 15 seconds.
    hang(&mut studio, &service);
    let busy = studio.stop();
    no_leaks(&busy);
    assert!(busy.log.contains("'Credit': FISH_SERVER_ERROR: "), "{}", busy.log);
    service.server.await_open_connections(0);

    // The scene remembers all of it but the key.
    assert_eq!(home.files_with(KEY), [home.folder.join("key")]);
    let scenes = fs::read_to_string(home.folder.join(".config/obs-studio/basic/scenes/Test.json")).unwrap();
    assert!(scenes.contains(key_file) && scenes.contains("Team wallet"), "{scenes}");

    // Again, from what it remembers; but the key file is not private any more.
    fs::set_permissions(key_file, Permissions::from_mode(0o640)).unwrap();
    service.answers(ok());
    let asked = service.asked();
    let mut studio = Studio::start(&home, &screen, &[("FISH_BASE_URL", &url), ("FISH_API_KEY", OTHER_KEY)]);
    studio.await_text("Team wallet: ?", GREY);
    assert_eq!(service.asked(), asked, "nothing was sent");
    fs::set_permissions(key_file, Permissions::from_mode(0o600)).unwrap();
    press_read_now(&mut studio);
    studio.await_text("Team wallet: $12.34", WHITE);
    assert!(service.last_request().contains(KEY));

    // The key of the environment.
    studio.ask("SetInputSettings", r#""inputName":"Credit","inputSettings":{"key_file":""}"#);
    service.server.await_requests(asked + 2);
    assert!(service.last_request().contains(OTHER_KEY));
    studio.await_text("Team wallet: $12.34", WHITE);

    // The source is deleted while a call hangs, and another takes its place.
    hang(&mut studio, &service);
    studio.ask("RemoveInput", r#""inputName":"Credit""#);
    service.server.await_open_connections(0);
    service.answers(ok());
    studio.ask(
        "CreateInput",
        r#""sceneName":"Scene","inputName":"Credit","inputKind":"fish_api_credit","inputSettings":{}"#,
    );
    studio.await_text("API credit: $12.34", WHITE);
    let calm = studio.stop();
    no_leaks(&calm);
    assert!(calm.log.contains("Others may read the key file: chmod 600 it."), "{}", calm.log);
    assert_eq!(home.files_with(OTHER_KEY), [] as [PathBuf; 0]);

    note(format!("OBS ended in {:?} while a call hung, in {:?} without", busy.took, calm.took));
    let late = busy.took.saturating_sub(calm.took);
    assert!(late < AT_ONCE, "it ended {late:?} later than without a call");
}

/// What the real OBS does once a process, in one process twice.
#[test]
fn it_is_unloaded_twice_while_a_call_hangs() {
    if !ready() {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let (screen, service) = (Screen::start(), Service::start());
    service.answers(vec![Step::Stall]);
    let host = scratch.path().join("twice");
    compile("tests/obs/twice.c", &host, &["-lX11", "-ldl"]);
    let modules = c::run(&mut pkg_config(&["--variable=libdir"]));
    let text_module = Path::new(modules.trim()).join("obs-plugins/text-freetype2.so");
    let mut command = c::command(host);
    let mut program = command
        .arg(plugin(scratch.path()))
        .arg(text_module)
        .arg("2")
        .env("DISPLAY", &screen.display)
        .env("LIBGL_ALWAYS_SOFTWARE", "1")
        .env("HOME", scratch.path())
        .env("FISH_API_KEY", KEY)
        .env("FISH_BASE_URL", service.server.url())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(fs::File::create(scratch.path().join("said")).unwrap())
        .spawn()
        .unwrap();
    // It ends when its stdin does, whatever fails here.
    let (mut tell, mut hear) =
        (program.stdin.take().unwrap(), BufReader::new(program.stdout.take().unwrap()).lines());
    let mut next = || {
        hear.next().and_then(Result::ok).unwrap_or_else(|| {
            panic!("it ended: {}", fs::read_to_string(scratch.path().join("said")).unwrap())
        })
    };
    for round in 1..=2 {
        while next() != "created" {}
        service.server.await_requests(round);
        tell.write_all(b"\n").unwrap();
        let ended = loop {
            let line = next();
            if line.contains(" left, ") {
                break line;
            }
        };
        note(format!("round {round}: {ended}"));
        let (ms, rest) = ended.split_once(" ms, ").unwrap();
        let took = Duration::from_secs_f64(ms.parse::<f64>().unwrap() / 1e3);
        assert!(took < AT_ONCE, "{ended}");
        assert_eq!(rest, "0 left, mapped", "the library pins the plugin that it is in");
        service.server.await_open_connections(0);
    }
    assert!(program.wait().unwrap().success());
}

#[test]
fn the_plugin_exports_what_obs_looks_for_and_nothing_else() {
    if !ready() {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let made = plugin(scratch.path()).join("bin/64bit/fish-credit.so");
    let symbols = c::run(Command::new("nm").args(["-D", "--defined-only"]).arg(made));
    let mut names: Vec<&str> = symbols.lines().filter_map(|line| line.split(' ').nth(2)).collect();
    names.sort_unstable();
    // The linker marks the ends of its sections, because libobs does so too.
    names.retain(|name| !["__bss_start", "_edata", "_end"].contains(name));
    assert_eq!(
        names,
        [
            "obs_module_free_locale",
            "obs_module_get_string",
            "obs_module_load",
            "obs_module_set_locale",
            "obs_module_set_pointer",
            "obs_module_ver"
        ]
    );
}
