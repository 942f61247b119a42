//! A program that is linked fully statically, alone in an empty root, as in a container made from nothing.
//! tests/packages/archives.sh names the archive for musl and its compiler as for tests/portable.rs; nothing is run without.

#![cfg(unix)]

mod support;

use std::env;
use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use support::c::{self, Compiler, Library};
use support::server::{DOCUMENT, Server, answer};
use support::tls::{BOTH, Trusted, answering};
use support::tools::or_skipped;

const KEY: &str = "secret-1";

/// A folder that a program takes for the root of the file system.
struct Root {
    folder: tempfile::TempDir,
    trusted: Trusted,
}

impl Root {
    /// With nothing in it. `None` where no archive is named.
    fn new() -> Option<Root> {
        let tree = env::var("FISH_TREE").ok().filter(|tree| tree.contains("-linux-musl"))?;
        // SAFETY: it reads a number.
        let is_root = unsafe { libc::geteuid() } == 0;
        let root = Root { folder: tempfile::tempdir().unwrap(), trusted: Trusted::new() };
        root.add("fish-credit", fs::read(Path::new(&tree).join("bin/fish-credit")).unwrap());
        fs::set_permissions(root.folder.path().join("fish-credit"), executable()).unwrap();
        or_skipped(is_root, "root, which alone may change the root").then_some(root)
    }

    fn add(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Adds the program of tests/static/alone.c.
    fn add_alone(&self) {
        let compiler = env::var("FISH_CC").expect("FISH_CC");
        let compiler = Compiler::for_tree(compiler, Path::new(&env::var("FISH_TREE").unwrap()));
        let source = c::root().join("tests/static/alone.c");
        compiler.compile(self.folder.path().join("alone"), &[&source], Library::Static, &[]);
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Output {
        let mut command: Command = c::command("chroot");
        command.arg(self.folder.path()).arg(program).args(arguments).env("FISH_API_KEY", KEY);
        command.output().unwrap()
    }

    /// What alone.c prints.
    fn asks(&self, url: &str, ca_file: &str, timeout: Duration) -> String {
        let timeout = timeout.as_millis().to_string();
        c::stdout(&self.command("/alone", &[url, ca_file, &timeout])).trim_end().to_owned()
    }

    /// A server whose certificate is for these names, issued by the authority in the test.
    fn server(&self, names: &[&str]) -> Server {
        let identity = self.trusted.authority.issue_for(names, |_| {});
        answering(identity.config(BOTH), answer(200, "Content-Type: application/json\r\n", DOCUMENT))
    }
}

fn executable() -> fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o755)
}

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn the_command_needs_no_other_file() {
    let Some(root) = Root::new() else { return };
    let files: Vec<_> = root.folder.path().read_dir().unwrap().map(|one| one.unwrap().file_name()).collect();
    assert_eq!(files, ["fish-credit"]);
    let server = support::server::always(support::server::ok());
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}", server.port());
        let shown = c::stdout(&root.command("/fish-credit", &["--base-url", &url]));
        assert!(shown.contains("12.345678"), "{shown}");
    }
    // The bundled certificates are at work: they do not know this test's authority.
    let stranger = root.server(&["127.0.0.1"]);
    let refused = root.command("/fish-credit", &["--base-url", &stranger.https_url()]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.starts_with("FISH_TLS_FAILED: ") && said.contains("no trusted issuer"), "{said}");
    assert!(!stranger.saw(KEY));
}

#[test]
fn a_balance_is_read_over_tls() {
    let Some(root) = Root::new() else { return };
    root.add_alone();
    root.add("ca.pem", root.trusted.authority.pem());
    let server = root.server(&["127.0.0.1", "localhost", "api.test"]);
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("https://{host}:{}", server.port());
        assert_eq!(root.asks(&url, "/ca.pem", PATIENCE), "FISH_OK 12.345678", "{url}");
    }
    // A container may be given these.
    let url = format!("https://api.test:{}", server.port());
    root.add("etc/hosts", "127.0.0.1 api.test\n");
    assert_eq!(root.asks(&url, "/ca.pem", PATIENCE), "FISH_OK 12.345678");
    let without = root.asks(&url, "", PATIENCE);
    assert!(without.starts_with("FISH_TLS_FAILED "), "{without}");
    root.add("etc/ssl/certs/ca-certificates.crt", root.trusted.authority.pem());
    assert_eq!(root.asks(&url, "", PATIENCE), "FISH_OK 12.345678");
}

/// The system's resolver asks port 53, so the server of names has an address of loopback for itself.
struct Names(Ipv4Addr);

impl Names {
    /// Knows api.test, says nothing of silent.test, and that there is no other.
    fn new() -> Names {
        let process = std::process::id();
        let address = Ipv4Addr::new(127, 53, (process >> 8) as u8, process as u8 | 1);
        let socket = UdpSocket::bind((address, 53)).unwrap();
        thread::spawn(move || {
            let mut question = [0; 512];
            while let Ok((length, asker)) = socket.recv_from(&mut question) {
                if let Some(answer) = Names::answer(&question[..length]) {
                    let _ = socket.send_to(&answer, asker);
                }
            }
        });
        Names(address)
    }

    fn answer(question: &[u8]) -> Option<Vec<u8>> {
        const HEAD: usize = 12;
        let name = &question[HEAD..];
        let (known, silent) =
            (name.starts_with(b"\x03api\x04test\0"), name.starts_with(b"\x06silent\x04test\0"));
        if silent {
            return None;
        }
        let end = HEAD + name.iter().position(|byte| *byte == 0)? + 1;
        let is_a = question[end..end + 2] == [0, 1];
        let answers = u8::from(known && is_a);
        let mut bytes = question[..2].to_vec();
        bytes.extend([0x81, if known { 0x80 } else { 0x83 }, 0, 1, 0, answers, 0, 0, 0, 0]);
        bytes.extend(&question[HEAD..end + 4]);
        if answers == 1 {
            bytes.extend([0xc0, HEAD as u8, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]);
        }
        Some(bytes)
    }
}

#[test]
fn a_name_is_looked_up_and_one_that_is_not_there_fails_in_time() {
    let Some(root) = Root::new() else { return };
    root.add_alone();
    root.add("ca.pem", root.trusted.authority.pem());
    let names = Names::new();
    root.add("etc/resolv.conf", format!("nameserver {}\noptions timeout:1 attempts:1\n", names.0));
    let server = root.server(&["api.test"]);
    let url = |name: &str| format!("https://{name}:{}", server.port());
    assert_eq!(root.asks(&url("api.test"), "/ca.pem", PATIENCE), "FISH_OK 12.345678");

    let begun = Instant::now();
    let missing = root.asks(&url("missing.test"), "/ca.pem", PATIENCE);
    assert!(missing.starts_with("FISH_RESOLVE_FAILED ") && missing.contains("missing.test"), "{missing}");
    let said = root.command("/fish-credit", &["--base-url", &url("missing.test")]);
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.starts_with("FISH_RESOLVE_FAILED: "), "{said}");
    // The resolver gives up after its own second; a deadline before that is kept.
    let silent = root.asks(&url("silent.test"), "/ca.pem", PATIENCE);
    assert!(silent.starts_with("FISH_RESOLVE_FAILED "), "{silent}");
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    root.add("etc/resolv.conf", format!("nameserver {}\noptions timeout:60\n", names.0));
    let begun = Instant::now();
    let silent = root.asks(&url("silent.test"), "/ca.pem", Duration::from_millis(300));
    assert!(silent.starts_with("FISH_TIMED_OUT "), "{silent}");
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
}
