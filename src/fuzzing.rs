//! What `fuzz/` needs of the core, whose modules are private. Only cargo-fuzz builds it (`--cfg fuzzing`).

use std::io::Write;
use std::net::Shutdown;
use std::time::{Duration, Instant, SystemTime};

use socket2::{Domain, Type};

use crate::deadline::Deadline;
use crate::error::Error;
use crate::http;
use crate::money;
use crate::request::{self, Origin, Target, Template};
use crate::response::{self, Amount, Answer, ApiCredit, Stamp};
use crate::time;

/// An amount: its text, its micros, and whether they are exact.
pub type Money = (String, i64, bool);

/// A decoded document.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct Credit {
    pub id: String,
    pub user_id: String,
    pub credit: Money,
    pub cumulative_top_up: Option<Money>,
    pub created_at: (String, Option<i64>),
    pub updated_at: (String, Option<i64>),
    pub has_phone_sha256: Option<bool>,
    pub has_free_credit: Option<bool>,
}

/// A failure: its numbers, and every text in it that leaves the library, the message first.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct Failure {
    pub status: i32,
    pub http_status: u16,
    pub texts: Vec<String>,
    pub body: Option<String>,
}

fn credit(got: &ApiCredit<'_>) -> Credit {
    let money = |amount: &Amount<'_>| (amount.text.to_string(), amount.micros.value, amount.micros.exact);
    let stamp = |stamp: &Stamp<'_>| (stamp.text.to_string(), stamp.unix_micros);
    Credit {
        id: got.id.to_string(),
        user_id: got.user_id.to_string(),
        credit: money(&got.credit),
        cumulative_top_up: got.cumulative_top_up.as_ref().map(money),
        created_at: stamp(&got.created_at),
        updated_at: stamp(&got.updated_at),
        has_phone_sha256: got.has_phone_sha256,
        has_free_credit: got.has_free_credit,
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
    response::decode(document).map(|(got, _)| credit(&got)).map_err(failure)
}

/// A decimal text's micros, and whether they are exact.
pub fn micros(text: &str) -> Option<(i64, bool)> {
    money::micros(text).map(|micros| (micros.value, micros.exact))
}

/// What Retry-After asks for.
pub fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    time::retry_after(value, now)
}

/// The request's bytes; `None` if something in it is refused.
pub fn request(
    base_url: &str,
    user_id: Option<&str>,
    team_id: Option<&str>,
    check: bool,
    key: &str,
) -> Option<Vec<u8>> {
    let origin = Origin::parse(base_url).ok()?;
    let target = Target { user_id, team_id, check_free_credit: check };
    let template = Template::new(&origin, key, &request::user_agent(Some("agent/1")).ok()?).ok()?;
    let request = template.request(&target).ok()?.to_http();
    let mut call = ureq_proto::client::Call::new(request).ok()?.proceed();
    let mut output = vec![0; template.room()];
    let length = call.write(&mut output).ok()?;
    assert!(call.can_proceed(), "the room is for the longest request");
    output.truncate(length);
    Some(output)
}

/// Where a base URL leads: whether by https, the host as a URL writes it, and the port.
pub fn origin(base_url: &str) -> Option<(bool, String, u16)> {
    Origin::parse(base_url).ok().map(|origin| (origin.https, origin.host.to_string(), origin.port))
}

/// A whole answer, read from a socket by the real transport until the server closes. `bytewise`: it arrives byte
/// by byte; `None` if it is too long for that.
pub fn answer(bytes: &[u8], key: &str, bytewise: bool) -> Option<Result<Credit, Failure>> {
    // Packets of a byte each arrive one by one; the kernel keeps some five hundred of them.
    if bytes.len() > if bytewise { 256 } else { 64 * 1024 } {
        return None;
    }
    let kind = if bytewise { Type::SEQPACKET } else { Type::STREAM };
    let (ours, mut theirs) = socket2::Socket::pair(Domain::UNIX, kind, None).expect("a pair of sockets");
    ours.set_nonblocking(true).expect("a socket that does not block");
    for piece in bytes.chunks(if bytewise { 1 } else { bytes.len().max(1) }) {
        theirs.write_all(piece).expect("room for an answer");
    }
    theirs.shutdown(Shutdown::Write).expect("an end");
    let limit = Duration::from_secs(10);
    let deadline = Deadline::new(Instant::now() + limit, [None, None]);
    let origin = Origin::parse("http://127.0.0.1").expect("a base URL");
    let template = Template::new(&origin, key, &request::user_agent(None).expect("an agent")).ok()?;
    let request = template.request(&Target::default()).expect("a request");
    let read = |answer: &Answer<'_>, cut: Option<&http::error::TransportError>| match (answer.status, cut) {
        (200, None) => response::success(answer, key).map(|(got, _)| credit(&got)).map_err(failure),
        (200, Some(cut)) => {
            let mut error = cut.clone().into_error(limit);
            response::describe(&mut error, answer, key);
            Err(failure(error))
        }
        _ => Err(failure(response::failure(answer, key, SystemTime::UNIX_EPOCH))),
    };
    Some(match http::exchange_over(ours, template.room(), &request, &deadline, read) {
        Ok(result) => result,
        Err(error) => Err(failure(error.into_error(limit))),
    })
}
