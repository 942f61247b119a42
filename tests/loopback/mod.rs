//! A server on a loopback port for programs in other languages: what it answers is said by the first segment of
//! the path, so a program chooses by its base URL. It ends, with its threads, when it is dropped.
//!
//! | base URL       | answer                                             |
//! |----------------|----------------------------------------------------|
//! | `{url}/ok`     | 200, `DOCUMENT`                                    |
//! | `{url}/echo`   | 200, `DOCUMENT` with the request's target as "id"  |
//! | `{url}/401`    | a bad key, with a request id                       |
//! | `{url}/422`    | two field errors                                   |
//! | `{url}/503`    | a server in trouble, Retry-After: 7                |
//! | `{url}/stall`  | nothing, until the client goes away                |

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

pub const DOCUMENT: &str = r#"{"_id":"0123456789abcdef0123456789abcdef","user_id":"fedcba9876543210fedcba9876543210","credit":"12.345678","cumulative_top_up":"20.00","created_at":"2025-01-02T03:04:05Z","updated_at":"2026-08-01T12:34:56.789012Z","has_phone_sha256":true,"has_free_credit":null}"#;

const FIELD_ERRORS: &str = r#"[{"loc":["query","check_free_credit"],"type":"bool_parsing","msg":"not a bool","ctx":{"input":"maybe"},"in":"query"},{"loc":["path","user_id"],"type":"string_type","msg":"not a string"}]"#;

pub struct Server {
    address: SocketAddr,
    state: Arc<State>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    closing: AtomicBool,
    /// For ending the threads: a handle of each connection, and its thread.
    open: Mutex<Vec<(TcpStream, JoinHandle<()>)>>,
}

impl Server {
    pub fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.closing.load(Ordering::SeqCst) {
                    return;
                }
                let handle = stream.try_clone().unwrap();
                let thread = std::thread::spawn(move || serve(stream));
                shared.open.lock().unwrap().push((handle, thread));
            }
        });
        Server { address, state, accepting: Some(accepting) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.state.closing.store(true, Ordering::SeqCst);
        // Wakes the accepting thread.
        let _ = TcpStream::connect(self.address);
        let _ = self.accepting.take().unwrap().join();
        for (stream, thread) in self.state.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
            let _ = thread.join();
        }
    }
}

/// Answers one connection's requests until the client goes away.
fn serve(mut stream: TcpStream) {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") else {
            match stream.read(&mut piece) {
                Ok(0) | Err(_) => return,
                Ok(read) => request.extend_from_slice(&piece[..read]),
            }
            continue;
        };
        let head = String::from_utf8_lossy(&request[..end]).into_owned();
        request.drain(..end + 4);
        if answer(&head).is_some_and(|answer| stream.write_all(answer.as_bytes()).is_err()) {
            return;
        }
    }
}

/// What to send; `None`: nothing.
fn answer(head: &str) -> Option<String> {
    let target = head.split(' ').nth(1).unwrap_or_default();
    let route = target.split('/').nth(1).unwrap_or_default();
    let (status, fields, body) = match route {
        "ok" => (200, "", DOCUMENT.to_owned()),
        "echo" => (200, "", DOCUMENT.replace("0123456789abcdef0123456789abcdef", target)),
        "401" => (
            401,
            "x-fish-trace-id: trace-1\r\n",
            r#"{"status":401,"message":"bad key","reason":"key"}"#.into(),
        ),
        "422" => (422, "", FIELD_ERRORS.to_owned()),
        "503" => (503, "Retry-After: 7\r\n", "down for a moment".to_owned()),
        "stall" => return None,
        _ => (404, "", "no such route in tests/loopback".to_owned()),
    };
    let length = body.len();
    Some(format!("HTTP/1.1 {status} Loopback\r\n{fields}Content-Length: {length}\r\n\r\n{body}"))
}
