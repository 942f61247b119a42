//! What `fuzz/` uses of the core, whose modules are private. Only cargo-fuzz builds it (`--cfg fuzzing`). Each function
//! panics if it takes too long for the length of its input.

use std::borrow::Cow;
use std::io::Write;
use std::net::Shutdown;
use std::time::{Duration, Instant, SystemTime};

use nix::time::{ClockId, clock_gettime};
use socket2::{Domain, Type};

use crate::deadline::Deadline;
use crate::error::Error;
use crate::http;
use crate::money;
use crate::request::{self, Origin, Target, Template};
use crate::response::{self, Amount, Response, Stamp};
use crate::time;

/// A field's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text.
    Text(String),
    /// An amount: its text, its micros, and whether they are exact.
    Money(String, i64, bool),
    /// A time: its text, and its microseconds since 1970 if it is one.
    Time(String, Option<i64>),
    /// A flag.
    Flag(bool),
}

/// A decoded document: every field by its key, in the order of the list in `response/document.rs`. `None`: absent or null.
pub type Credit = Vec<(&'static str, Option<Value>)>;

/// How a field's value is shown to a fuzz target.
pub(crate) trait Show {
    fn show(&self) -> Option<Value>;
}

impl Show for Cow<'_, str> {
    fn show(&self) -> Option<Value> {
        Some(Value::Text(self.to_string()))
    }
}

impl Show for Amount<'_> {
    fn show(&self) -> Option<Value> {
        Some(Value::Money(self.text.to_string(), self.micros.value, self.micros.exact))
    }
}

impl Show for Stamp<'_> {
    fn show(&self) -> Option<Value> {
        Some(Value::Time(self.text.to_string(), self.unix_micros))
    }
}

impl Show for bool {
    fn show(&self) -> Option<Value> {
        Some(Value::Flag(*self))
    }
}

impl<T: Show> Show for Option<T> {
    fn show(&self) -> Option<Value> {
        self.as_ref().and_then(T::show)
    }
}

/// A failure: its numbers, and every text in it that leaves the library, with the message first.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct Failure {
    pub status: i32,
    pub http_status: u16,
    pub texts: Vec<String>,
    pub body: Option<String>,
}

/// The time limit per input, and per byte of it: about twenty times the usual under AddressSanitizer, but too little
/// for work that is quadratic in an input of 4 KiB.
const TIME: Duration = Duration::from_millis(20);
const TIME_A_BYTE: Duration = Duration::from_micros(2);

/// Runs `work` on `length` bytes, and checks the thread's CPU time: the best of three tries, as the machine is busy.
fn in_time<T>(length: usize, work: impl Fn() -> T) -> T {
    let now = || Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("the thread's time"));
    let limit = TIME + TIME_A_BYTE * u32::try_from(length).expect("a short input");
    let mut tries = 1;
    loop {
        let begun = now();
        let result = work();
        let took = now() - begun;
        if took <= limit {
            return result;
        }
        assert!(tries < 3, "{length} bytes took {took:?}");
        tries += 1;
    }
}

fn failure(error: Box<Error>) -> Failure {
    let mut texts = vec![error.message.into_owned()];
    texts.extend([error.api_message, error.api_reason, error.request_id].into_iter().flatten());
    texts.extend(error.body.clone());
    for row in error.field_errors {
        texts.extend([row.location, row.kind, row.message]);
        texts.extend(row.source.into_iter().chain(row.context));
    }
    Failure { status: error.status as i32, http_status: error.http_status, texts, body: error.body }
}

/// Decodes a document.
pub fn decode(document: &[u8]) -> Result<Credit, Failure> {
    in_time(document.len(), || response::decode(document).map(|(got, _)| got.by_key()).map_err(failure))
}

/// A decimal text's micros, and whether they are exact.
pub fn micros(text: &str) -> Option<(i64, bool)> {
    in_time(text.len(), || money::micros(text).map(|micros| (micros.value, micros.exact)))
}

/// The wait that Retry-After asks for.
pub fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    in_time(value.len(), || time::retry_after(value, now))
}

/// The request's bytes; `None` if an argument is invalid.
pub fn request(
    base_url: &str,
    user_id: Option<&str>,
    team_id: Option<&str>,
    check: bool,
    key: &str,
) -> Option<Vec<u8>> {
    let length = [base_url, user_id.unwrap_or(""), team_id.unwrap_or(""), key].map(str::len).iter().sum();
    in_time(length, || {
        let origin = Origin::parse(base_url).ok()?;
        let target = Target { user_id, team_id, check_free_credit: check };
        let template = Template::new(&origin, key, &request::user_agent(Some("agent/1")).ok()?).ok()?;
        let request = template.request(&template.uri(&target).ok()?).to_http();
        let mut call = ureq_proto::client::Call::new(request).ok()?.proceed();
        let mut output = vec![0; template.room()];
        let length = call.write(&mut output).ok()?;
        assert!(call.can_proceed(), "the room is for the longest request");
        output.truncate(length);
        Some(output)
    })
}

/// The target of a base URL: whether it is https, the host as written in a URL, and the port.
pub fn origin(base_url: &str) -> Option<(bool, String, u16)> {
    Origin::parse(base_url).ok().map(|origin| (origin.https, origin.host.to_string(), origin.port))
}

/// Reads a whole response from a socket, with the real transport, until the server closes. `bytewise`: it arrives byte
/// by byte. `None`: it is too long.
pub fn response(bytes: &[u8], key: &str, bytewise: bool) -> Option<Result<Credit, Failure>> {
    // Packets of one byte arrive one by one; the kernel queues about five hundred of them.
    if bytes.len() > if bytewise { 256 } else { 64 * 1024 } {
        return None;
    }
    in_time(bytes.len(), || exchange(bytes, key, bytewise))
}

fn exchange(bytes: &[u8], key: &str, bytewise: bool) -> Option<Result<Credit, Failure>> {
    let kind = if bytewise { Type::SEQPACKET } else { Type::STREAM };
    let (ours, mut theirs) = socket2::Socket::pair(Domain::UNIX, kind, None).expect("a pair of sockets");
    ours.set_nonblocking(true).expect("a socket that does not block");
    for piece in bytes.chunks(if bytewise { 1 } else { bytes.len().max(1) }) {
        theirs.write_all(piece).expect("room for a response");
    }
    theirs.shutdown(Shutdown::Write).expect("an end");
    let limit = Duration::from_secs(10);
    let deadline = Deadline::at(Instant::now() + limit);
    let origin = Origin::parse("http://127.0.0.1").expect("a base URL");
    let template = Template::new(&origin, key, &request::user_agent(None).expect("an agent")).ok()?;
    let request = template.request(&template.uri(&Target::default()).expect("a URI"));
    let read =
        |response: &Response<'_>, cut: Option<&http::error::TransportError>| match (response.status, cut) {
            (200, None) => response::success(response, key).map(|(got, _)| got.by_key()).map_err(failure),
            (200, Some(cut)) => {
                let mut error = cut.clone().into_error(limit);
                response::describe(&mut error, response, key);
                Err(failure(error))
            }
            _ => Err(failure(response::failure(response, key, SystemTime::UNIX_EPOCH))),
        };
    Some(match http::exchange_over(ours, template.room(), &request, &deadline, read) {
        Ok(result) => result,
        Err(error) => Err(failure(error.into_error(limit))),
    })
}
