//! Turns a response other than 200 into an `Error`. The status alone decides which error it is; the body, of any shape,
//! adds the server's message. What is kept of a body is bounded in rows, parts and bytes; the rest is skipped without
//! being stored.

use std::fmt;
use std::time::SystemTime;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use ureq::http::header::RETRY_AFTER;

use super::redact::Redactor;
use super::{MAX_NAME, MAX_TEXT, Response};
use crate::error::{Error, FieldError};
use crate::retry;
use crate::status::Status;
use crate::time;

const MAX_FIELD_ERRORS: usize = 100;
const MAX_LOCATION_PARTS: usize = 32;
/// The longest location, message and context of a field error. Type and source are limited by `MAX_NAME`.
const MAX_FIELD_ERROR_TEXT: usize = 1024;

/// RFC 6585 §6: the network requires a login.
const NETWORK_AUTHENTICATION_REQUIRED: u16 = 511;

/// The error of a response with any status but 200.
pub(crate) fn failure(response: &Response<'_>, key: &str, now: SystemTime) -> Box<Error> {
    let redactor = Redactor::new(key);
    let status = Status::from_http(response.status);
    let mut error = Error::new(status, sentence(status, response.status, response.is_web_page()));
    response.describe(&mut error, &redactor);
    error.retryable = retry::is_retryable(response.status);
    // A gateway may have added one to the server's: none of them is to be fallen short of.
    let asked = response.headers.get_all(RETRY_AFTER).iter();
    error.retry_after =
        asked.filter_map(|value| time::retry_after(&String::from_utf8_lossy(value.as_bytes()), now)).max();
    if let Some(text) = response.text() {
        let body = ErrorBody::read(text, &redactor);
        error.api_message = body.message;
        error.api_reason = body.reason.or(error.api_reason).or(body.code);
        error.request_id = error.request_id.or(body.request_id);
        error.field_errors = body.field_errors;
    }
    error
}

/// The message for a web page.
pub(super) fn web_page_sentence(code: u16) -> String {
    format!(
        "The server sent a web page (HTTP {code}), perhaps a network's login page or a gateway's page; sign in to the \
         network, or check base_url."
    )
}

/// The message for a status. It says "try again later" exactly if the status is retryable.
fn sentence(status: Status, code: u16, web_page: bool) -> String {
    let retryable = retry::is_retryable(code);
    let redirect = (300..400).contains(&code);
    if code == NETWORK_AUTHENTICATION_REQUIRED || (web_page && !retryable && !redirect) {
        return web_page_sentence(code);
    }
    let (what, advice) = match status {
        Status::Unauthorized => ("The server rejected the API key", "check options.api_key or FISH_API_KEY"),
        Status::PaymentRequired => ("The server requires payment", "top up the account at fish.audio"),
        Status::Forbidden => (
            "The API key may not read this wallet",
            "use the key of the wallet's owner, or leave user_id and team_id unset",
        ),
        Status::NotFound => ("There is no such wallet", "check user_id, team_id and base_url"),
        Status::ValidationFailed => ("The request is invalid", "see field_errors and api_message"),
        Status::RateLimited => ("There were too many requests", "try again later, and less often"),
        Status::ServerError if retryable => ("The server failed", "try again later"),
        Status::ServerError => (
            "The server cannot handle this request",
            "check base_url, or contact Fish Audio's support with request_id",
        ),
        _ if retryable => ("The server timed out waiting for the request", "try again later"),
        _ if redirect => (
            "The server sent a redirect",
            "check base_url, or sign in to the network (redirects are not followed, to protect the key)",
        ),
        _ => ("The server sent an unexpected status", "check that base_url is Fish Audio's API"),
    };
    let page = match web_page && !redirect {
        true => " with a web page, perhaps from a gateway",
        false => "",
    };
    format!("{what} (HTTP {code}){page}; {advice}.")
}

/// The contents of an error body of any shape.
#[derive(Default)]
struct ErrorBody {
    message: Option<String>,
    reason: Option<String>,
    code: Option<String>,
    request_id: Option<String>,
    field_errors: Vec<FieldError>,
}

#[derive(Deserialize)]
struct ErrorObject<'a> {
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    detail: Option<&'a RawValue>,
    #[serde(borrow)]
    reason: Option<&'a RawValue>,
    #[serde(borrow)]
    code: Option<&'a RawValue>,
    #[serde(borrow)]
    request_id: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct FieldErrorObject<'a> {
    #[serde(borrow)]
    loc: Option<First<'a, MAX_LOCATION_PARTS>>,
    #[serde(borrow, rename = "in")]
    source: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    msg: Option<&'a RawValue>,
    #[serde(borrow)]
    ctx: Option<&'a RawValue>,
}

impl ErrorBody {
    fn read(body: &str, redactor: &Redactor<'_>) -> ErrorBody {
        let text = body.strip_prefix('\u{feff}').unwrap_or(body).trim();
        match text.chars().next() {
            Some('{') => {
                serde_json::from_str(text).map(|object| Self::object(object, redactor)).unwrap_or_default()
            }
            Some('[') => match field_errors(text, redactor) {
                Some(field_errors) => ErrorBody { field_errors, ..ErrorBody::default() },
                // Plain text may begin with a bracket too: "[busy] try later".
                None => Self::words(text, redactor),
            },
            Some('"') => match serde_json::from_str::<String>(text) {
                Ok(text) => Self::words(&text, redactor),
                Err(_) => ErrorBody::default(),
            },
            // A web page has no message.
            Some('<') | None => ErrorBody::default(),
            Some(_) => Self::words(text, redactor),
        }
    }

    fn object(object: ErrorObject<'_>, redactor: &Redactor<'_>) -> ErrorBody {
        let text = |raw: Option<&RawValue>, limit| raw.map(|raw| redacted(raw, limit, redactor));
        let field_errors = object.detail.and_then(|detail| field_errors(detail.get(), redactor));
        let detail = object.detail.filter(|_| field_errors.is_none());
        ErrorBody {
            message: text(object.message.or(detail), MAX_TEXT),
            reason: text(object.reason, MAX_NAME),
            code: text(object.code, MAX_NAME),
            request_id: text(object.request_id, MAX_NAME),
            field_errors: field_errors.unwrap_or_default(),
        }
    }

    fn words(text: &str, redactor: &Redactor<'_>) -> ErrorBody {
        let message = redactor.text(text.as_bytes(), MAX_TEXT).into_owned();
        ErrorBody { message: Some(message), ..ErrorBody::default() }
    }
}

/// The rows of a 422's array; `None` if it is not an array.
fn field_errors(json: &str, redactor: &Redactor<'_>) -> Option<Vec<FieldError>> {
    let rows: First<'_, MAX_FIELD_ERRORS> = serde_json::from_str(json).ok()?;
    Some(rows.0.into_iter().map(|row| field_error(row, redactor)).collect())
}

fn field_error(raw: &RawValue, redactor: &Redactor<'_>) -> FieldError {
    let text = |raw: &RawValue| redacted(raw, MAX_FIELD_ERROR_TEXT, redactor);
    let name = |raw: &RawValue| redacted(raw, MAX_NAME, redactor);
    match serde_json::from_str::<FieldErrorObject<'_>>(raw.get()) {
        Ok(row) if raw.get().starts_with('{') => {
            let parts: Vec<String> =
                row.loc.map_or_else(Vec::new, |loc| loc.0.into_iter().map(plain).collect());
            FieldError {
                location: redactor.text(parts.join(".").as_bytes(), MAX_FIELD_ERROR_TEXT).into_owned(),
                source: row.source.map(name),
                kind: row.kind.map(name).unwrap_or_default(),
                message: row.msg.map(text).unwrap_or_default(),
                context: row.ctx.map(text),
            }
        }
        // Not the documented shape: keep the JSON as the message.
        _ => FieldError { message: text(raw), ..FieldError::default() },
    }
}

/// The text of a JSON string; anything else as JSON.
fn plain(raw: &RawValue) -> String {
    serde_json::from_str(raw.get()).unwrap_or_else(|_| raw.get().to_owned())
}

fn redacted(raw: &RawValue, limit: usize, redactor: &Redactor<'_>) -> String {
    redactor.text(plain(raw).as_bytes(), limit).into_owned()
}

/// The first `N` values of an array, as JSON. The others are skipped.
struct First<'a, const N: usize>(Vec<&'a RawValue>);

impl<'de: 'a, 'a, const N: usize> Deserialize<'de> for First<'a, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Array<const N: usize>;

        impl<'de, const N: usize> Visitor<'de> for Array<N> {
            type Value = First<'de, N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
                let mut values = Vec::new();
                while values.len() < N {
                    match array.next_element()? {
                        Some(value) => values.push(value),
                        None => return Ok(First(values)),
                    }
                }
                while array.next_element::<IgnoredAny>()?.is_some() {}
                Ok(First(values))
            }
        }

        deserializer.deserialize_seq(Array::<N>)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{KEY, failed};
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_failure_has_its_head_and_its_body() {
        let headers = [
            ("retry-after", "Thu, 01 Jan 1970 00:00:09 GMT"),
            ("x-fish-error-code", "slow"),
            ("cf-ray", "c"),
        ];
        let error = failed(429, &headers, br#"{"message":"m"}"#);
        assert_eq!((error.status, error.http_status), (Status::RateLimited, 429));
        assert!(error.retryable);
        assert_eq!(error.retry_after, Some(Duration::from_secs(9)));
        assert_eq!(error.api_reason.as_deref(), Some("slow"));
        assert_eq!(error.request_id.as_deref(), Some("c"));
        assert_eq!(error.api_message.as_deref(), Some("m"));
        assert_eq!(error.body.as_deref(), Some(r#"{"message":"m"}"#));
    }

    #[test]
    fn the_longest_retry_after_is_taken() {
        for (values, want) in [
            (&["0", "7"][..], Some(7)),
            (&["7", "0"], Some(7)),
            (&["-1", "3"], Some(3)),
            (&["3", "soon", ""], Some(3)),
            (&["2", "Thu, 01 Jan 1970 00:00:09 GMT"], Some(9)),
            (&["", "3, 4"], None),
        ] {
            let headers: Vec<_> = values.iter().map(|value| ("retry-after", *value)).collect();
            let error = failed(503, &headers, b"");
            assert_eq!(error.retry_after.map(|wait| wait.as_secs()), want, "{values:?}");
        }
    }

    #[test]
    fn the_message_says_what_happened_and_what_to_do() {
        let gateway = "check base_url, or contact Fish Audio's support with request_id.";
        for (code, message) in [
            (
                302,
                "The server sent a redirect (HTTP 302); check base_url, or sign in to the network (redirects are",
            ),
            (400, "The request is invalid (HTTP 400); see field_errors and api_message."),
            (401, "The server rejected the API key (HTTP 401); check options.api_key or FISH_API_KEY."),
            (402, "The server requires payment (HTTP 402); top up the account at fish.audio."),
            (
                403,
                "The API key may not read this wallet (HTTP 403); use the key of the wallet's owner, or leave",
            ),
            (404, "There is no such wallet (HTTP 404); check user_id, team_id and base_url."),
            (408, "The server timed out waiting for the request (HTTP 408); try again later."),
            (
                418,
                "The server sent an unexpected status (HTTP 418); check that base_url is Fish Audio's API.",
            ),
            (422, "The request is invalid (HTTP 422); see field_errors and api_message."),
            (429, "There were too many requests (HTTP 429); try again later, and less often."),
            (501, &format!("The server cannot handle this request (HTTP 501); {gateway}")),
            (503, "The server failed (HTTP 503); try again later."),
            (511, "The server sent a web page (HTTP 511), perhaps a network's login page"),
        ] {
            let error = failed(code, &[], b"");
            assert!(error.message.starts_with(message), "{}", error.message);
        }
        let page = failed(503, &[], b"<html>").message;
        assert_eq!(
            page,
            "The server failed (HTTP 503) with a web page, perhaps from a gateway; try again later."
        );
        let redirect = failed(302, &[], b"<html>").message;
        assert!(redirect.starts_with("The server sent a redirect (HTTP 302); "), "{redirect}");
    }

    #[test]
    fn a_row_that_is_no_object_is_kept_as_its_json() {
        let error = failed(422, &[], br#"[["query"],{"msg":"m"},7,[null,null,null,null,null]]"#);
        let messages: Vec<&str> = error.field_errors.iter().map(|row| row.message.as_str()).collect();
        assert_eq!(messages, [r#"["query"]"#, "m", "7", "[null,null,null,null,null]"]);
    }

    #[test]
    fn an_error_body_of_any_shape_is_read() {
        for (body, message, reason, rows) in [
            ("", None, None, 0),
            (r#"{"message":"m","reason":"r"}"#, Some("m"), Some("r"), 0),
            (r#"{"detail":"d"}"#, Some("d"), None, 0),
            (r#"{"detail":[{"loc":["a"],"msg":"m","type":"t"}]}"#, None, None, 1),
            (r#"[{"loc":["a",0],"msg":"m","type":"t"},{}]"#, None, None, 2),
            (r#""s""#, Some("s"), None, 0),
            ("plain", Some("plain"), None, 0),
            ("[busy] plain", Some("[busy] plain"), None, 0),
            ("\u{feff}{\"message\":\"m\"}", Some("m"), None, 0),
            (r#"{"message":"\u001b[2J\u0000\t"}"#, Some("\u{fffd}[2J\u{fffd}\t"), None, 0),
            ("<html>", None, None, 0),
            ("{not json", None, None, 0),
        ] {
            let error = failed(400, &[], body.as_bytes());
            assert_eq!(error.status, Status::ValidationFailed);
            assert_eq!(error.api_message.as_deref(), message, "{body}");
            assert_eq!(error.api_reason.as_deref(), reason, "{body}");
            assert_eq!(error.field_errors.len(), rows, "{body}");
        }
        let error = failed(422, &[], br#"[{"loc":["a",0],"msg":"m","type":"t"},{}]"#);
        assert_eq!(error.field_errors[0].location, "a.0");
    }

    #[test]
    fn a_body_supplies_what_the_head_lacks() {
        let code = ("x-fish-error-code", "head");
        let trace = ("x-fish-trace-id", "trace");
        let ray = ("cf-ray", "ray");
        let both = r#"{"message":"m","code":"body","request_id":"id"}"#;
        for (headers, body, reason, request_id) in [
            (&[][..], both, Some("body"), Some("id")),
            (&[code], both, Some("head"), Some("id")),
            (&[trace], both, Some("body"), Some("trace")),
            (&[ray], both, Some("body"), Some("ray")),
            (&[ray, trace], both, Some("body"), Some("trace")),
            (&[], r#"{"reason":"r","code":"c"}"#, Some("r"), None),
            (&[code], r#"{"reason":"r","code":"c"}"#, Some("r"), None),
            (&[code], r#"{"reason":null,"code":"c"}"#, Some("head"), None),
            (&[], r#"{"code":1004}"#, Some("1004"), None),
            (&[], r#"{"code":null,"request_id":null}"#, None, None),
            (&[], r#"["code"]"#, None, None),
        ] {
            let error = failed(400, headers, body.as_bytes());
            assert_eq!(error.api_reason.as_deref(), reason, "{headers:?} {body}");
            assert_eq!(error.request_id.as_deref(), request_id, "{headers:?} {body}");
        }
    }

    #[test]
    fn a_body_that_is_not_text_has_no_message() {
        let gzip = ("content-encoding", "gzip");
        for (headers, body, excerpt) in [
            (&[gzip][..], &b"\x1f\x8b\x08\0{}"[..], None),
            (&[gzip], br#"{"message":"m","code":"c"}"#, None),
            (&[], b"\x1f\x8b\x08\0", Some("\u{fffd}\u{fffd}\u{fffd}")),
            (&[], b"\x89PNG\r\n\x1a\n", Some("\u{fffd}PNG\r\n\u{fffd}\n")),
            (&[], b"Zugriff verweigert f\xfcr Sie", Some("Zugriff verweigert f\u{fffd}r Sie")),
            (&[], b"{\"message\":\"a\0b\"}", Some("{\"message\":\"ab\"}")),
        ] {
            let error = failed(401, headers, body);
            assert_eq!((error.api_message, error.api_reason), (None, None), "{body:?}");
            assert_eq!(error.body.as_deref(), excerpt, "{body:?}");
            assert_eq!(error.status, Status::Unauthorized);
        }
    }

    #[test]
    fn a_body_with_nul_is_as_long_as_one_without() {
        let body = |text: &str| failed(500, &[], format!("\0{text}").as_bytes()).body.unwrap();
        assert_eq!(body(&"x".repeat(5000)), "x".repeat(4096));
        assert_eq!(body(&("x".repeat(4093) + "😀")), "x".repeat(4093));
    }

    #[test]
    fn the_key_is_found_in_utf_16_and_utf_32() {
        type Encode = fn(u8) -> Vec<u8>;
        let encodings: [(&[u8], Encode); 5] = [
            (b"\xff\xfe", |b| u16::from(b).to_le_bytes().into()),
            (b"\xfe\xff", |b| u16::from(b).to_be_bytes().into()),
            (b"", |b| u16::from(b).to_le_bytes().into()),
            (b"", |b| u32::from(b).to_le_bytes().into()),
            (b"", |b| u32::from(b).to_be_bytes().into()),
        ];
        for (mark, encode) in encodings {
            let encoded = |text: &str| [mark, &text.bytes().flat_map(encode).collect::<Vec<_>>()].concat();
            let error = failed(401, &[], &encoded(&format!("{{\"message\":\"no {KEY}!\"}}")));
            let body = error.body.unwrap();
            assert_eq!(body.trim_start_matches('\u{fffd}'), r#"{"message":"no [API key]!"}"#);
            assert_eq!(error.api_message, None);
            // Cut within the key, by the server or by our limit.
            for before in [7, 4090 - mark.len()] {
                let text = format!("{}{}", "x".repeat(before), &KEY[..6]);
                let body = failed(401, &[], &encoded(&text)).body.unwrap();
                assert!(!body.contains("sk-0") && body.len() <= 4096, "{body}");
            }
        }
    }

    #[test]
    fn every_text_of_a_body_is_redacted_after_it_is_decoded() {
        let escaped = KEY.replace('-', "\\u002d").replace("0", "\\u0030");
        let escaped_twice = escaped.replace('\\', "\\\\");
        for spelled in [KEY, &escaped, &escaped_twice] {
            let row = format!(
                r#"{{"loc":["a","{spelled}"],"in":"{spelled}","type":"{spelled}","msg":"{spelled}","ctx":"{spelled}"}}"#
            );
            let bodies = [
                format!(r#"{{"message":"{spelled}","reason":"{spelled}","request_id":"{spelled}"}}"#),
                format!(r#"{{"detail":"{spelled}","code":"{spelled}"}}"#),
                format!(r#"{{"detail":{{"key":"{spelled}"}}}}"#),
                format!(r#""{spelled}""#),
                format!("[{row}]"),
                format!(r#"{{"detail":[{row}]}}"#),
                format!(r#"["{spelled}",["{spelled}"],{{"loc":"{spelled}"}}]"#),
                format!(r#"[{{"ctx":{{"k":["{spelled}"]}},"loc":[["{spelled}"]]}}]"#),
            ];
            for body in bodies {
                let error = failed(422, &[], body.as_bytes());
                let rows = error.field_errors.iter().flat_map(|row| {
                    let texts =
                        [Some(&row.location), row.source.as_ref(), Some(&row.kind), Some(&row.message)];
                    texts.into_iter().chain([row.context.as_ref()])
                });
                let texts = [&error.api_message, &error.api_reason, &error.request_id, &error.body];
                let texts: Vec<&String> =
                    texts.map(Option::as_ref).into_iter().chain(rows).flatten().collect();
                assert!(!format!("{texts:?}").contains("123456789"), "{texts:?}");
                for text in texts.into_iter().filter(|text| !text.is_empty()) {
                    assert!(text.contains("[API key]"), "{text}");
                }
            }
        }
        // One row, to the letter.
        let body =
            br#"[{"loc":["sk\u002d0123456789",7],"in":"sk-\u0030123456789","type":"sk\u002D0123456789",
            "msg":"no sk-012345678\u0039!","ctx":"\u0073k-0123456789"}]"#;
        let want = FieldError {
            location: "[API key].7".into(),
            source: Some("[API key]".into()),
            kind: "[API key]".into(),
            message: "no [API key]!".into(),
            context: Some("[API key]".into()),
        };
        assert_eq!(failed(422, &[], body).field_errors, [want]);
    }

    #[test]
    fn every_status_has_a_sentence_that_says_what_to_do() {
        for code in 100..=999 {
            for page in [false, true] {
                let text = sentence(Status::from_http(code), code, page);
                assert!(text.contains(&format!(" (HTTP {code})")), "{text}");
                let (_, advice) = text.split_once("; ").expect(&text);
                assert!(advice.len() > 10 && advice.ends_with('.') && !text.contains(".."), "{text}");
                assert_eq!(text.contains("try again later"), retry::is_retryable(code), "{text}");
                assert_eq!(text.matches("again").count(), usize::from(retry::is_retryable(code)), "{text}");
                let redirect = (300..400).contains(&code);
                assert_eq!(text.contains("redirect"), redirect, "{text}");
                assert_eq!(text.contains("web page"), (page && !redirect) || code == 511, "{text}");
                // A web page's status is not the API's, so the message does not speak of key or wallet.
                let of_api = text.contains("API key") || text.contains("wallet");
                assert!(!page || redirect || !of_api, "{text}");
            }
        }
    }

    #[test]
    fn a_web_page_is_not_taken_for_the_apis_response() {
        let page = b"<!DOCTYPE html><title>Sign in</title>";
        for (code, part) in [
            (401, "a network's login page"),
            (403, "sign in to the network"),
            (404, "check base_url"),
            (511, "sign in to the network"),
            (302, "sign in to the network"),
            (503, "perhaps from a gateway; try again later."),
        ] {
            let error = failed(code, &[], page);
            assert!(error.message.contains(part), "{}", error.message);
            assert_eq!(error.status, Status::from_http(code));
            assert_eq!(error.api_message, None);
        }
        assert!(failed(511, &[], b"").message.contains("sign in to the network"));
        let json = failed(401, &[("content-type", "text/html")], br#"{"message":"bad key"}"#);
        assert!(json.message.starts_with("The server rejected the API key"), "{}", json.message);
    }
}
