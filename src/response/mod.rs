//! Interprets a response. Pure. A 200 becomes an `ApiCredit` (`document`), decoded strictly because money depends on
//! it; any other status becomes an `Error` (`error_body`), decoded leniently because the status decides. Every text is
//! redacted (`redact`) and no longer than the limits here, whatever a server sends.

mod document;
mod error_body;
mod redact;

use std::borrow::Cow;

use ureq::http::HeaderMap;
use ureq::http::header::{CONTENT_ENCODING, CONTENT_TYPE};

#[cfg(fuzzing)]
pub(crate) use document::{Amount, Stamp};
pub(crate) use document::{ApiCredit, Kept, decode, success, within_limit};
pub(crate) use error_body::failure;

use crate::error::Error;
use redact::Redactor;

/// The longest body that is read.
pub(crate) const MAX_BODY: usize = 1024 * 1024;
/// The longest excerpt of an error body, and the longest message.
const MAX_TEXT: usize = 4096;
/// The longest name, such as a reason or a request id.
const MAX_NAME: usize = 256;

/// A response, as far as it arrived.
pub(crate) struct Response<'a> {
    pub status: u16,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

impl<'a> Response<'a> {
    /// A header's value, unless it is empty.
    fn header(&self, name: &str) -> Option<&'a [u8]> {
        let value = self.headers.get(name)?.as_bytes().trim_ascii();
        (!value.is_empty()).then_some(value)
    }

    /// Whether it has a Content-Encoding, though none was requested.
    fn is_encoded(&self) -> bool {
        self.headers.get_all(CONTENT_ENCODING).iter().any(|value| {
            let value = value.as_bytes().trim_ascii();
            !value.is_empty() && !value.eq_ignore_ascii_case(b"identity")
        })
    }

    /// The body, if it is text: not encoded, UTF-8 (the last character may be truncated) and without control
    /// characters.
    fn text(&self) -> Option<&'a str> {
        let text = match std::str::from_utf8(self.body) {
            Ok(text) => text,
            Err(why) if why.error_len().is_none() => {
                std::str::from_utf8(&self.body[..why.valid_up_to()]).ok()?
            }
            Err(_) => return None,
        };
        (!self.is_encoded() && !text.contains(redact::is_control)).then_some(text)
    }

    /// The start of the body without its NULs, so that ASCII in UTF-16 or UTF-32 reads as what it is, and the key in it
    /// is found.
    fn without_nul(&self) -> Cow<'a, [u8]> {
        if self.body.contains(&0) {
            Cow::Owned(self.body.iter().copied().filter(|&byte| byte != 0).take(MAX_TEXT + 1).collect())
        } else {
            Cow::Borrowed(self.body)
        }
    }

    /// Whether it is a web page. The API never sends one, but a captive portal or a gateway does.
    fn is_web_page(&self) -> bool {
        let start = self.body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(self.body).trim_ascii_start();
        let says_so = self.headers.get(CONTENT_TYPE).is_some_and(|value| {
            let value = value.as_bytes().trim_ascii_start();
            let html = b"text/html";
            value.get(..html.len()).is_some_and(|start| start.eq_ignore_ascii_case(html))
        });
        match start.first() {
            Some(b'<') => true,
            // JSON: some servers label everything as HTML.
            Some(b'{' | b'[' | b'"') | None => false,
            Some(_) => says_so,
        }
    }

    /// The server's id for this request.
    fn request_id(&self, redactor: &Redactor<'_>) -> Option<Cow<'a, str>> {
        let value = self.header("x-fish-trace-id").or_else(|| self.header("cf-ray"))?;
        Some(redactor.text(value, MAX_NAME))
    }

    fn describe(&self, error: &mut Error, redactor: &Redactor<'_>) {
        error.http_status = self.status;
        error.request_id = self.request_id(redactor).map(Cow::into_owned);
        error.api_reason =
            self.header("x-fish-error-code").map(|value| redactor.text(value, MAX_NAME).into_owned());
        // An excerpt in another charset, such as Latin-1, is still useful; compressed bytes are not.
        if !self.body.is_empty() && !self.is_encoded() {
            error.body = Some(redactor.text(&self.without_nul(), MAX_TEXT).into_owned());
        }
    }
}

/// Adds the response's status, ids and body excerpt to an error that has another cause.
pub(crate) fn describe(error: &mut Error, response: &Response<'_>, key: &str) {
    response.describe(error, &Redactor::new(key));
}

#[cfg(test)]
mod bounds;

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    pub(super) const KEY: &str = "sk-0123456789";

    /// Calls `ask` with a response that has these header fields.
    pub(super) fn with_response<T>(
        status: u16,
        headers: &[(&'static str, &str)],
        body: &[u8],
        ask: impl FnOnce(&Response<'_>) -> T,
    ) -> T {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        ask(&Response { status, headers: &map, body })
    }

    pub(super) fn failed(status: u16, headers: &[(&'static str, &str)], body: &[u8]) -> Box<Error> {
        with_response(status, headers, body, |response| failure(response, KEY, SystemTime::UNIX_EPOCH))
    }

    #[test]
    fn a_body_is_text_or_not() {
        fn text(headers: &[(&'static str, &str)], body: &[u8]) -> Option<String> {
            with_response(400, headers, body, |response| response.text().map(str::to_owned))
        }
        for (body, want) in [
            (&b""[..], Some("")),
            (b"a\tb\r\nc", Some("a\tb\r\nc")),
            ("é😀".as_bytes(), Some("é😀")),
            // A truncated body may end within a character.
            (b"a\xf0\x9f\x98", Some("a")),
            (b"a\xffb", None),
            (b"a\0b", None),
            (b"\x1b[2J", None),
            (b"\x7f", None),
            (b"\xc2\x85", None),
            (b"\x89PNG\r\n\x1a\n", None),
            (b"\x1f\x8b\x08\0", None),
        ] {
            assert_eq!(text(&[], body).as_deref(), want, "{body:?}");
        }
        for (encoding, want) in [
            ("", Some("m")),
            ("identity", Some("m")),
            (" Identity ", Some("m")),
            ("gzip", None),
            ("br", None),
            ("identity, gzip", None),
        ] {
            assert_eq!(text(&[("content-encoding", encoding)], b"m").as_deref(), want, "{encoding}");
        }
        let two = &[("content-encoding", "identity"), ("content-encoding", "gzip")];
        assert_eq!(text(two, b"m"), None);
    }

    #[test]
    fn a_web_page_is_recognised_by_its_start_or_its_type() {
        let html = "text/html; charset=utf-8";
        for (kind, body, want) in [
            ("", "<!doctype html>", true),
            ("application/json", " \n<html>", true),
            ("", "\u{feff}<html>", true),
            (html, "Sign in", true),
            ("TEXT/HTML", "Sign in", true),
            (html, "\u{1f}\u{8b}", true),
            ("text/plain", "Sign in", false),
            ("text/htm", "Sign in", false),
            (html, "", false),
            (html, r#"{"message":"m"}"#, false),
            (html, "[]", false),
            (html, r#""m""#, false),
            ("", "a < b", false),
        ] {
            let got = with_response(403, &[("content-type", kind)], body.as_bytes(), |response| {
                response.is_web_page()
            });
            assert_eq!(got, want, "{kind}: {body}");
        }
    }

    #[test]
    fn describe_adds_the_response_to_any_error() {
        let headers = &[("x-fish-trace-id", "t"), ("x-fish-error-code", "e")];
        let mut error = Error::new(crate::status::Status::ConnectionLost, "lost");
        with_response(200, headers, b"{", |response| describe(&mut error, response, KEY));
        assert_eq!((error.http_status, error.message.as_ref()), (200, "lost"));
        assert_eq!(error.request_id.as_deref(), Some("t"));
        assert_eq!(error.api_reason.as_deref(), Some("e"));
        assert_eq!(error.body.as_deref(), Some("{"));
    }
}
