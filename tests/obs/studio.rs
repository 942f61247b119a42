//! The real OBS Studio on a screen that nobody sees: Xvfb, a home of its own, and a driver that asks it through
//! obs-websocket, which comes with it. All of it ends when dropped. Unsafe is what std has no word for: a signal.

use std::fmt::Write as _;
use std::fs::{self, File, Permissions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::support::server::Reserved;
use super::support::{c, child};

/// Far above what anything here takes.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks at what has no event: the screen.
const LOOK: Duration = Duration::from_millis(100);

/// What OBS draws on.
pub const WIDTH: usize = 960;
const HEIGHT: usize = 120;

/// Looks until it is so; fails with what was seen last.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) => assert!(Instant::now() < end, "{what}: {seen}"),
        }
        thread::sleep(LOOK);
    }
}

/// An X server with a screen in memory.
pub struct Screen {
    server: Child,
    pub display: String,
}

impl Screen {
    pub fn start() -> Screen {
        // It says by itself which number was free.
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb");
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        assert!(!number.trim().is_empty(), "Xvfb has no display");
        Screen { server, display: format!(":{}", number.trim()) }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // In order: it takes its lock and its socket away.
        child::signal(&self.server, libc::SIGTERM);
        let _ = self.server.wait();
    }
}

/// A home with OBS's settings, and the plugin where a user would put it.
pub struct Home {
    pub folder: PathBuf,
    port: u16,
    _reserved: Reserved,
}

impl Home {
    pub fn new(folder: &Path, plugin: &Path) -> Home {
        let reserved = Reserved::new();
        let port = reserved.address().port();
        let config = folder.join(".config/obs-studio");
        let write = |path: &str, text: String| {
            let path = config.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        // Nothing that would ask the user: no first-run wizard, no password.
        write(
            "global.ini",
            format!(
                "[General]\nFirstRun=true\n[Basic]\nProfile=Test\nProfileDir=Test\nSceneCollection=Test\n\
                 SceneCollectionFile=Test\n[OBSWebSocket]\nFirstLoad=false\nServerEnabled=true\n\
                 ServerPort={port}\nAlertsEnabled=false\nAuthRequired=false\n"
            ),
        );
        write(
            "basic/profiles/Test/basic.ini",
            format!(
                "[General]\nName=Test\n[Video]\nBaseCX={WIDTH}\nBaseCY={HEIGHT}\nOutputCX={WIDTH}\n\
                 OutputCY={HEIGHT}\nFPSCommon=30\n"
            ),
        );
        fs::set_permissions(folder, Permissions::from_mode(0o700)).unwrap();
        let plugins = config.join("plugins");
        fs::create_dir_all(&plugins).unwrap();
        symlink(plugin, plugins.join("fish-credit")).unwrap();
        Home { folder: folder.to_owned(), port, _reserved: reserved }
    }

    /// The files under it that have this text in them.
    pub fn files_with(&self, text: &str) -> Vec<PathBuf> {
        let (mut found, mut folders) = (Vec::new(), vec![self.folder.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else if entry.file_type().unwrap().is_file() {
                    let bytes = fs::read(entry.path()).unwrap();
                    if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                        found.push(entry.path());
                    }
                }
            }
        }
        found
    }
}

/// A WebSocket (RFC 6455), once OBS is ready for one.
fn web_socket(port: u16) -> io::Result<TcpStream> {
    let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let request = format!(
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    );
    socket.write_all(request.as_bytes())?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    match head.starts_with(b"HTTP/1.1 101 ") {
        true => Ok(socket),
        false => Err(io::Error::other(String::from_utf8_lossy(&head).into_owned())),
    }
}

/// A running OBS.
pub struct Studio<'a> {
    home: &'a Home,
    program: Child,
    socket: TcpStream,
    requests: usize,
}

/// What OBS said after it had ended, and how long it took to.
pub struct Ended {
    pub log: String,
    pub took: Duration,
}

impl<'a> Studio<'a> {
    pub fn start(home: &'a Home, screen: &Screen, environment: &[(&str, &str)]) -> Studio<'a> {
        let log = File::create(home.folder.join("said")).unwrap();
        let mut command = c::command("obs");
        command.arg("--multi");
        for (name, _) in std::env::vars_os().filter(|(name, _)| {
            name.to_str().is_some_and(|name| name.starts_with("XDG_") || name.starts_with("FISH_"))
        }) {
            command.env_remove(name);
        }
        command
            .env("HOME", &home.folder)
            .env("XDG_RUNTIME_DIR", &home.folder)
            .env("DISPLAY", &screen.display)
            .env_remove("WAYLAND_DISPLAY")
            .env("QT_QPA_PLATFORM", "xcb")
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            // OBS asks its makers for news: it reaches nobody. The library uses no such proxy for loopback.
            .envs([("http_proxy", "http://127.0.0.1:1"), ("https_proxy", "http://127.0.0.1:1")])
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let mut program = command.spawn().expect("obs");
        let socket = until("OBS answers", || {
            assert!(program.try_wait().unwrap().is_none(), "OBS ended:\n{}", said(home));
            web_socket(home.port).map_err(|why| format!("{why}\n{}", said(home)))
        });
        let mut studio = Studio { home, program, socket, requests: 0 };
        studio.shake_hands();
        studio
    }

    /// That of OBS: a Hello, our Identify (no events, please), Identified.
    fn shake_hands(&mut self) {
        let hello = self.receive();
        assert!(hello.contains("\"op\":0"), "{hello}");
        self.send(r#"{"op":1,"d":{"rpcVersion":1,"eventSubscriptions":0}}"#);
        let identified = self.receive();
        assert!(identified.contains("\"op\":2"), "{identified}");
    }

    fn send(&mut self, text: &str) {
        // One frame, the last, of text. A client's is masked; by zero, it stays what it is.
        let mut frame = vec![0x81];
        match text.len() {
            length @ ..=125 => frame.push(0x80 | length as u8),
            length => {
                frame.push(0x80 | 126);
                frame.extend((length as u16).to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        self.socket.write_all(&frame).unwrap();
    }

    fn receive(&mut self) -> String {
        let mut take = |count: usize| {
            let mut bytes = vec![0; count];
            self.socket.read_exact(&mut bytes).unwrap();
            bytes
        };
        let head = take(2);
        assert_eq!(head[0], 0x81, "a whole frame of text");
        let length = match head[1] {
            126 => u16::from_be_bytes(take(2).try_into().unwrap()).into(),
            127 => u64::from_be_bytes(take(8).try_into().unwrap()),
            short => u64::from(short),
        };
        String::from_utf8(take(length as usize)).unwrap()
    }

    /// Has it do something; gives its answer once it has.
    pub fn ask(&mut self, request: &str, data: &str) -> String {
        self.requests += 1;
        self.send(&format!(
            r#"{{"op":6,"d":{{"requestType":"{request}","requestId":"{}","requestData":{{{data}}}}}}}"#,
            self.requests
        ));
        let answer = self.receive();
        assert!(answer.contains("\"result\":true"), "{request} {data}: {answer}");
        answer
    }

    /// How many frames it has drawn.
    pub fn frames(&mut self) -> u64 {
        let stats = self.ask("GetStats", "");
        let (_, rest) = stats.split_once("\"renderTotalFrames\":").expect("a count of frames");
        rest.split([',', '}']).next().unwrap().parse().unwrap()
    }

    /// Waits until the scene shows `text` in this colour. Seen by other eyes: a screenshot, and tesseract.
    pub fn await_text(&mut self, text: &str, color: [u8; 3]) {
        until(&format!("{text:?} on the screen"), || {
            let read = self.read(color).unwrap_or_else(|| format!("nothing in {color:?}"));
            if read == text { Ok(()) } else { Err(format!("{read:?}\n{}", said(self.home))) }
        });
    }

    /// The text of that colour on the screen; `None` if nothing is in it.
    fn read(&mut self, color: [u8; 3]) -> Option<String> {
        let (shot, clean) = (self.home.folder.join("shot.ppm"), self.home.folder.join("clean.pgm"));
        self.ask(
            "SaveSourceScreenshot",
            &format!(
                r#""sourceName":"Scene","imageFormat":"ppm","imageFilePath":"{}""#,
                shot.to_str().unwrap()
            ),
        );
        let bytes = fs::read(&shot).unwrap();
        let pixels = &bytes[bytes.len() - WIDTH * HEIGHT * 3..];
        let inside = pixels.chunks(3).filter(|pixel| *pixel == color).count();
        if inside < 100 {
            return None;
        }
        // Black on white, as print is: all that is half as far from black as the colour.
        let brightest = usize::from(color.into_iter().max().unwrap());
        let mut image = format!("P5 {WIDTH} {HEIGHT} 255\n").into_bytes();
        image.extend(pixels.chunks(3).map(|pixel| {
            let bright = usize::from(*pixel.iter().max().unwrap());
            255 - (bright * 255 / brightest).min(255) as u8
        }));
        fs::write(&clean, image).unwrap();
        let mut tesseract = Command::new("tesseract");
        tesseract.arg(&clean).args(["stdout", "--psm", "7", "--dpi", "96"]).env("OMP_THREAD_LIMIT", "1");
        Some(c::run(&mut tesseract).trim().to_owned())
    }

    /// Ends it as Ctrl-C does, in order.
    pub fn stop(mut self) -> Ended {
        // obs-websocket gives a connection five seconds to close.
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
        let begun = Instant::now();
        child::signal(&self.program, libc::SIGINT);
        let end = begun + PATIENCE;
        let status = loop {
            if let Some(status) = self.program.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < end, "OBS does not end:\n{}", said(self.home));
            thread::sleep(Duration::from_millis(5));
        };
        let ended = Ended { log: said(self.home), took: begun.elapsed() };
        assert!(status.success(), "{status}\n{}", ended.log);
        ended
    }
}

impl Drop for Studio<'_> {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// What it has printed so far.
fn said(home: &Home) -> String {
    fs::read(home.folder.join("said"))
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

/// Settings as JSON, without the braces.
pub fn settings(pairs: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        let comma = if text.is_empty() { "" } else { "," };
        write!(text, r#"{comma}"{name}":{value}"#).unwrap();
    }
    text
}
