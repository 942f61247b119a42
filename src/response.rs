//! An answer to an `ApiCredit` or an `Error`. Pure. The document is decoded strictly, because money hangs on
//! it; an error's body is read leniently, because its status has said what matters.

use std::borrow::Cow;
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::{Error, FieldError, Result};
use crate::money::{self, Micros};
use crate::retry;
use crate::status::Status;
use crate::time;
use crate::transport::connection::Answer;
use crate::transport::http::MAX_BODY;

/// How much of an error's body is kept.
const MAX_EXCERPT: usize = 4096;
/// A plain text body is the server's own words; this much of it.
const MAX_PLAIN_MESSAGE: usize = 1024;
const REDACTED: &str = "[API key]";

/// An account's API credit (openapi.yaml, response 200; NOTES.md for cumulative_top_up).
#[derive(Debug, PartialEq)]
pub(crate) struct ApiCredit<'a> {
    pub id: Cow<'a, str>,
    pub user_id: Cow<'a, str>,
    pub credit: Amount<'a>,
    pub cumulative_top_up: Option<Amount<'a>>,
    pub created_at: Stamp<'a>,
    pub updated_at: Stamp<'a>,
    pub has_phone_sha256: Option<bool>,
    pub has_free_credit: Option<bool>,
}

/// Money: the text, and the number derived from it.
#[derive(Debug, PartialEq)]
pub(crate) struct Amount<'a> {
    pub text: Cow<'a, str>,
    pub micros: Micros,
}

/// A time: the text, and the number derived from it if it is one.
#[derive(Debug, PartialEq)]
pub(crate) struct Stamp<'a> {
    pub text: Cow<'a, str>,
    pub unix_micros: Option<i64>,
}

/// The fields as they stand in the document, each by its own text. An absent one and null are the same.
#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow, rename = "_id")]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    user_id: Option<&'a RawValue>,
    #[serde(borrow)]
    credit: Option<&'a RawValue>,
    #[serde(borrow)]
    cumulative_top_up: Option<&'a RawValue>,
    #[serde(borrow)]
    created_at: Option<&'a RawValue>,
    #[serde(borrow)]
    updated_at: Option<&'a RawValue>,
    #[serde(borrow)]
    has_phone_sha256: Option<&'a RawValue>,
    #[serde(borrow)]
    has_free_credit: Option<&'a RawValue>,
}

/// Refuses a document longer than any answer is read.
pub(crate) fn within_limit(length: usize) -> Result<()> {
    if length <= MAX_BODY {
        return Ok(());
    }
    Err(Error::new(
        Status::ResponseTooLarge,
        "The document is above 1 MiB, which no API credit needs; pass it alone.",
    ))
}

/// Decodes a document, and gives it back as text.
pub(crate) fn decode(document: &[u8]) -> Result<(ApiCredit<'_>, &str)> {
    within_limit(document.len())?;
    let text = std::str::from_utf8(document).map_err(|_| not_a_credit("it is not valid UTF-8"))?;
    // serde would take an array for a struct's fields in order.
    if !text.trim_ascii_start().starts_with('{') {
        return Err(not_a_credit("it is not a JSON object"));
    }
    let fields: Document<'_> = serde_json::from_str(text).map_err(|why| not_a_credit(&why.to_string()))?;
    let credit = ApiCredit {
        id: required_text(fields.id, "_id")?,
        user_id: required_text(fields.user_id, "user_id")?,
        credit: amount(required(fields.credit, "credit")?, "credit")?,
        cumulative_top_up: fields
            .cumulative_top_up
            .map(|raw| amount(raw, "cumulative_top_up"))
            .transpose()?,
        created_at: stamp(required_text(fields.created_at, "created_at")?),
        updated_at: stamp(required_text(fields.updated_at, "updated_at")?),
        has_phone_sha256: flag(fields.has_phone_sha256, "has_phone_sha256")?,
        has_free_credit: flag(fields.has_free_credit, "has_free_credit")?,
    };
    Ok((credit, text))
}

fn not_a_credit(why: &str) -> Box<Error> {
    Error::new(
        Status::BadResponse,
        format!("The document is not an API credit: {why}; check that base_url is Fish Audio's API."),
    )
}

fn required<'a>(raw: Option<&'a RawValue>, name: &str) -> Result<&'a RawValue> {
    raw.ok_or_else(|| not_a_credit(&format!("its field \"{name}\" is missing or null")))
}

fn required_text<'a>(raw: Option<&'a RawValue>, name: &str) -> Result<Cow<'a, str>> {
    string(required(raw, name)?, name)
}

fn string<'a>(raw: &'a RawValue, name: &str) -> Result<Cow<'a, str>> {
    let wrong = |why: &str| not_a_credit(&format!("its field \"{name}\" {why}"));
    let json = raw.get();
    let Some(inside) = json.strip_prefix('"').and_then(|json| json.strip_suffix('"')) else {
        return Err(wrong("is not a string"));
    };
    if !inside.contains('\\') {
        return Ok(Cow::Borrowed(inside));
    }
    let text: String = serde_json::from_str(json).map_err(|_| wrong("is not a valid string"))?;
    // C would see it end there.
    if text.contains('\0') { Err(wrong("has a NUL character in it")) } else { Ok(Cow::Owned(text)) }
}

fn amount<'a>(raw: &'a RawValue, name: &str) -> Result<Amount<'a>> {
    let json = raw.get();
    let text = match json.as_bytes()[0] {
        b'"' => string(raw, name)?,
        // A number is taken by its letters: it never becomes a float.
        b'-' | b'0'..=b'9' => Cow::Borrowed(json),
        _ => return Err(not_a_credit(&format!("its field \"{name}\" is neither a string nor a number"))),
    };
    match money::micros(&text) {
        Some(micros) => Ok(Amount { text, micros }),
        None => Err(not_a_credit(&format!("its field \"{name}\" is not a decimal amount"))),
    }
}

fn stamp(text: Cow<'_, str>) -> Stamp<'_> {
    let unix_micros = time::unix_micros(&text);
    Stamp { text, unix_micros }
}

fn flag(raw: Option<&RawValue>, name: &str) -> Result<Option<bool>> {
    match raw.map(RawValue::get) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(not_a_credit(&format!("its field \"{name}\" is neither true nor false"))),
    }
}

/// The API credit in a whole answer with status 200, or what is wrong with it.
pub(crate) fn success<'a>(answer: &'a Answer<'_>, key: &str) -> Result<(ApiCredit<'a>, &'a str)> {
    let decoded = match &answer.head.content_encoding {
        Some(_) => Err(not_a_credit("it has a Content-Encoding that was not asked for")),
        None => decode(answer.body),
    };
    decoded.map_err(|mut error| {
        describe(&mut error, answer, key);
        error
    })
}

/// What an answer with any other status says.
pub(crate) fn failure(answer: &Answer<'_>, key: &str, now: SystemTime) -> Box<Error> {
    let code = answer.head.status;
    let status = Status::from_http(code);
    let mut error = Error::new(status, sentence(status, code));
    describe(&mut error, answer, key);
    error.retryable = retry::is_retryable(code);
    error.retry_after =
        answer.field(&answer.head.retry_after).and_then(|value| time::retry_after(&value, now));
    let said = said(&clean(&String::from_utf8_lossy(answer.body), key));
    error.api_message = said.message.map(|text| clean(&text, key));
    error.api_reason = said.reason.map(|text| clean(&text, key)).or(error.api_reason);
    error.field_errors = said
        .field_errors
        .into_iter()
        .map(|row| FieldError {
            location: clean(&row.location, key),
            source: row.source.map(|text| clean(&text, key)),
            kind: clean(&row.kind, key),
            message: clean(&row.message, key),
            context: row.context.map(|text| clean(&text, key)),
        })
        .collect();
    error
}

/// What every answer tells, whatever is in it.
pub(crate) fn describe(error: &mut Error, answer: &Answer<'_>, key: &str) {
    let head = &answer.head;
    error.http_status = head.status;
    error.request_id =
        answer.field(&head.trace_id).or_else(|| answer.field(&head.cf_ray)).map(|text| clean(&text, key));
    error.api_reason = answer.field(&head.error_code).map(|text| clean(&text, key));
    if !answer.body.is_empty() {
        let mut text = clean(&String::from_utf8_lossy(answer.body), key);
        text.truncate(boundary(&text, MAX_EXCERPT));
        error.body = Some(text);
    }
}

fn sentence(status: Status, code: u16) -> String {
    let (what, advice) = match status {
        Status::Unauthorized => ("The server refused the API key", "check options.api_key or FISH_API_KEY"),
        Status::PaymentRequired => ("The server asks for payment first", "top up the account at fish.audio"),
        Status::Forbidden => (
            "This API key may not read this wallet",
            "use the key of its owner, or leave user_id and team_id NULL",
        ),
        Status::NotFound => ("The server knows no such wallet", "check user_id, team_id and base_url"),
        Status::ValidationFailed => {
            ("The server found the request invalid", "see field_errors and api_message, and mend the query")
        }
        Status::RateLimited => ("There were too many requests", "ask again later, and less often"),
        Status::ServerError => ("The server failed", "try again later"),
        _ if code == 408 => ("The server gave up waiting for the request", "try again later"),
        _ if (300..400).contains(&code) => (
            "The server answered with a redirect",
            "check base_url (a redirect is not followed, so that the key goes nowhere else)",
        ),
        _ => ("The server's answer was not one of this call", "check that base_url is Fish Audio's API"),
    };
    format!("{what} (HTTP {code}); {advice}.")
}

/// What an error's body says, in whatever shape.
#[derive(Default)]
struct Said {
    message: Option<String>,
    reason: Option<String>,
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
}

#[derive(Deserialize)]
struct FieldErrorObject<'a> {
    #[serde(borrow)]
    loc: Option<Vec<&'a RawValue>>,
    #[serde(borrow, rename = "in")]
    source: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    msg: Option<&'a RawValue>,
    #[serde(borrow)]
    ctx: Option<&'a RawValue>,
}

fn said(body: &str) -> Said {
    let text = body.trim();
    match text.chars().next() {
        Some('{') => match serde_json::from_str::<ErrorObject<'_>>(text) {
            Ok(object) => {
                let field_errors = object.detail.and_then(|detail| field_errors(detail.get()));
                let detail = object.detail.filter(|_| field_errors.is_none());
                Said {
                    message: object.message.or(detail).map(as_text),
                    reason: object.reason.map(as_text),
                    field_errors: field_errors.unwrap_or_default(),
                }
            }
            Err(_) => Said::default(),
        },
        Some('[') => match field_errors(text) {
            Some(field_errors) => Said { field_errors, ..Said::default() },
            // Words may begin with a bracket too: "[busy] try later".
            None => plain(text),
        },
        Some('"') => Said { message: serde_json::from_str(text).ok(), ..Said::default() },
        // A page for people to look at says nothing that a program could pass on.
        Some('<') | None => Said::default(),
        Some(_) => plain(text),
    }
}

fn plain(text: &str) -> Said {
    let words = &text[..boundary(text, MAX_PLAIN_MESSAGE)];
    Said { message: Some(words.to_owned()), ..Said::default() }
}

/// The rows of a 422's array; `None` if it is no array.
fn field_errors(json: &str) -> Option<Vec<FieldError>> {
    let rows: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    let row = |raw: &&RawValue| match serde_json::from_str::<FieldErrorObject<'_>>(raw.get()) {
        Ok(row) if raw.get().starts_with('{') => FieldError {
            location: row.loc.unwrap_or_default().into_iter().map(as_text).collect::<Vec<_>>().join("."),
            source: row.source.map(as_text),
            kind: row.kind.map(as_text).unwrap_or_default(),
            message: row.msg.map(as_text).unwrap_or_default(),
            context: row.ctx.map(as_text),
        },
        // Not the documented shape; pass it on as it is rather than lose it.
        _ => FieldError { message: as_text(raw), ..FieldError::default() },
    };
    Some(rows.iter().map(row).collect())
}

/// A string's text, and anything else as its JSON.
fn as_text(raw: &RawValue) -> String {
    serde_json::from_str(raw.get()).unwrap_or_else(|_| raw.get().to_owned())
}

/// The last place no later than `limit` where the text can be cut.
fn boundary(text: &str, limit: usize) -> usize {
    if text.len() <= limit {
        return text.len();
    }
    (0..=limit).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// The key as it is, and as JSON writes it where that is something else; a slash may or may not be escaped.
fn forms(key: &str) -> Vec<Cow<'_, str>> {
    let mut forms = vec![Cow::Borrowed(key)];
    if key.contains(['"', '\\', '/']) {
        let escaped = key.replace('\\', r"\\").replace('"', r#"\""#);
        forms.push(Cow::Owned(escaped.replace('/', r"\/")));
        forms.push(Cow::Owned(escaped));
    }
    forms
}

/// Text that may leave the library: without the key, should the server repeat it, and without NUL, where C
/// would see it end. To be cut, if at all, only afterwards.
fn clean(text: &str, key: &str) -> String {
    let mut text = text.replace('\0', "\u{fffd}");
    if key.is_empty() {
        return text;
    }
    let forms = forms(key);
    for form in &forms {
        text = text.replace(form.as_ref(), REDACTED);
    }
    // A text that was cut before it came here may end in the beginning of the key.
    const TELLING: usize = 4;
    let ending =
        |form: &Cow<'_, str>| (TELLING..form.len()).rev().find(|&part| text.ends_with(&form[..part]));
    if let Some(part) = forms.iter().filter_map(ending).max() {
        text.truncate(text.len() - part);
        text.push_str(REDACTED);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::http;
    use std::time::Duration;

    const KEY: &str = "sk-0123456789";

    const WHOLE: &str = r#"{"_id":"w","user_id":"u","credit":"1.5","created_at":"1970-01-01T00:00:01Z",
        "updated_at":"soon","has_phone_sha256":false,"new":[{}]}"#;

    #[test]
    fn a_document_is_decoded_field_by_field() {
        let (credit, document) = decode(WHOLE.as_bytes()).unwrap();
        assert_eq!(document, WHOLE);
        let want = ApiCredit {
            id: "w".into(),
            user_id: "u".into(),
            credit: Amount { text: "1.5".into(), micros: Micros { value: 1_500_000, exact: true } },
            cumulative_top_up: None,
            created_at: Stamp { text: "1970-01-01T00:00:01Z".into(), unix_micros: Some(1_000_000) },
            updated_at: Stamp { text: "soon".into(), unix_micros: None },
            has_phone_sha256: Some(false),
            has_free_credit: None,
        };
        assert_eq!(credit, want);
        // Text without an escape is not copied: a warm call may not afford it.
        assert!(matches!((credit.id, credit.credit.text), (Cow::Borrowed(_), Cow::Borrowed(_))));
    }

    #[test]
    fn what_is_no_document_is_refused_with_its_field_named() {
        for (from, to, why) in [
            ("\"w\"", "null", "\"_id\" is missing or null"),
            ("\"u\"", "[]", "\"user_id\" is not a string"),
            ("\"1.5\"", "true", "\"credit\" is neither a string nor a number"),
            ("\"1.5\"", "\"1.5.0\"", "\"credit\" is not a decimal amount"),
            ("\"1.5\"", "\"NaN\"", "\"credit\" is not a decimal amount"),
            ("\"1.5\"", "NaN", "expected value"),
            ("\"new\"", "\"cumulative_top_up\"", "\"cumulative_top_up\" is neither"),
            ("\"soon\"", "0", "\"updated_at\" is not a string"),
            ("\"soon\"", "\"\\u0000\"", "\"updated_at\" has a NUL character"),
            ("\"soon\"", "\"\\udc00\"", "\"updated_at\" is not a valid string"),
            ("false", "0", "\"has_phone_sha256\" is neither true nor false"),
            ("\"new\"", "\"credit\"", "duplicate field `credit`"),
            ("}]}", "}]} {", "trailing characters"),
            ("{\"_id\"", "[\"_id\"", "not a JSON object"),
            ("{\"_id\"", "\u{feff}{\"_id\"", "not a JSON object"),
        ] {
            let document = WHOLE.replacen(from, to, 1);
            assert_ne!(document, WHOLE, "{from}");
            let error = decode(document.as_bytes()).unwrap_err();
            assert_eq!(error.status, Status::BadResponse, "{document}");
            assert!(error.message.contains(why), "{document}: {}", error.message);
        }
        assert_eq!(decode(b"{\"_id\":\"\xff\"}").unwrap_err().status, Status::BadResponse);
        assert_eq!(decode(&vec![b' '; MAX_BODY + 1]).unwrap_err().status, Status::ResponseTooLarge);
        assert_eq!(decode(&vec![b' '; MAX_BODY]).unwrap_err().status, Status::BadResponse);
    }

    fn told(head: &str, body: &[u8]) -> Box<Error> {
        let bytes = [head.as_bytes(), body].concat();
        let parsed = http::parse_head(head.as_bytes()).unwrap();
        let answer = Answer::new(&bytes, parsed, head.len());
        failure(&answer, KEY, SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn a_failure_tells_its_head_and_its_body() {
        let head = "HTTP/1.1 429 No\r\nRetry-After: Thu, 01 Jan 1970 00:00:09 GMT\r\nx-fish-error-code: slow\r\n\
                    cf-ray: c\r\n\r\n";
        let error = told(head, br#"{"message":"m"}"#);
        assert_eq!((error.status, error.http_status), (Status::RateLimited, 429));
        assert!(error.retryable);
        assert_eq!(error.retry_after, Some(Duration::from_secs(9)));
        assert_eq!(error.api_reason.as_deref(), Some("slow"));
        assert_eq!(error.request_id.as_deref(), Some("c"));
        assert_eq!(error.api_message.as_deref(), Some("m"));
        assert_eq!(error.body.as_deref(), Some(r#"{"message":"m"}"#));
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
            ("<html>", None, None, 0),
            ("{not json", None, None, 0),
        ] {
            let error = told("HTTP/1.1 400 No\r\n\r\n", body.as_bytes());
            assert_eq!(error.status, Status::ValidationFailed);
            assert_eq!(error.api_message.as_deref(), message, "{body}");
            assert_eq!(error.api_reason.as_deref(), reason, "{body}");
            assert_eq!(error.field_errors.len(), rows, "{body}");
        }
        let error = told("HTTP/1.1 422 No\r\n\r\n", br#"[{"loc":["a",0],"msg":"m","type":"t"},{}]"#);
        assert_eq!(error.field_errors[0].location, "a.0");
    }

    #[test]
    fn every_status_has_a_sentence_that_says_what_to_do() {
        for code in 100..=999 {
            let text = sentence(Status::from_http(code), code);
            assert!(text.contains(&format!(" (HTTP {code}); ")) && text.ends_with('.'), "{text}");
            let again = text.contains("again later") || text.contains("try again");
            assert!(again || !retry::is_retryable(code), "{text}");
        }
    }

    #[test]
    fn text_leaves_without_the_key_and_without_nul() {
        for (text, key, want) in [
            ("plain", KEY, "plain"),
            ("", KEY, ""),
            ("a\0b", KEY, "a\u{fffd}b"),
            ("Bearer sk-0123456789!", KEY, "Bearer [API key]!"),
            ("sk-0123456789sk-0123456789", KEY, "[API key][API key]"),
            ("the end of it: sk-01234", KEY, "the end of it: [API key]"),
            ("sk-0", KEY, "[API key]"),
            // Three letters tell nothing.
            ("ask-", KEY, "ask-"),
            ("sk-01 in the middle", KEY, "sk-01 in the middle"),
            ("abcabcab", "abcabcd", "abc[API key]"),
            (r"a\/bcd", "a/bcde", "[API key]"),
            (r"x a\/bc", "a/bcd", "x [API key]"),
            ("x", "", "x"),
            ("aaa", "a", "[API key][API key][API key]"),
            ("é", KEY, "é"),
            (r"a\/b\/c and a/b/c", "a/b/c", "[API key] and [API key]"),
            (r#"a\"\\b and a"\b"#, r#"a"\b"#, "[API key] and [API key]"),
        ] {
            assert_eq!(clean(text, key), want, "{text:?}");
        }
    }

    #[test]
    fn text_is_cut_between_characters() {
        for (text, limit, want) in
            [("abc", 5, 3), ("abc", 2, 2), ("é", 1, 0), ("aé", 2, 1), ("😀😀", 7, 4), ("", 0, 0)]
        {
            assert_eq!(boundary(text, limit), want, "{text}");
        }
    }
}
