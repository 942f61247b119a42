//! One answer, one refusal, one document: that the whole way works at all.

mod support;

use ::fish_api_credit::ffi::*;
use support::call::{Client, Query, name};
use support::server::{DOCUMENT, Server, answer, ok, send};

#[test]
fn a_credit_a_refusal_and_a_document() {
    let server = Server::scripted(vec![
        ok(),
        send(answer(401, "x-fish-trace-id: t-1\r\n", r#"{"status":401,"message":"bad key"}"#)),
        ok(),
    ]);
    let client = Client::once(&server.url());
    let credit = client.get(&Query::default()).unwrap();
    assert_eq!(credit.credit_micros, 12_345_678);
    let failure = client.get(&Query::default()).unwrap_err();
    assert_eq!(name(failure.status), "FISH_UNAUTHORIZED", "{failure:?}");
    assert_eq!(failure.status, FISH_UNAUTHORIZED);
    assert_eq!(failure.api_message.as_deref(), Some("bad key"));
    assert_eq!(failure.request_id.as_deref(), Some("t-1"));
    assert_eq!(failure.attempts, 1);
    assert_eq!(client.get_json(&Query::default()).unwrap(), DOCUMENT);
    assert_eq!(server.connections(), 1);
}
