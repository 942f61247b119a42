//! Decodes the document of a 200 to an `ApiCredit`. Every known field is checked; unknown fields are ignored.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::redact::Redactor;
use super::{MAX_BODY, Response, error_body};
use crate::error::{Error, Result};
use crate::money::{self, Micros};
use crate::status::Status;
use crate::time;

/// What is wrong with a document, as a part of a sentence.
type Why = Cow<'static, str>;

/// The one list of the document's fields. It expands to `ApiCredit`, which has them decoded, to `Document`, which has
/// each as its JSON text, and to the step from one to the other.
macro_rules! fields {
    ($($name:ident: $kind:ty = $read:ident($key:literal),)+) => {
        /// An account's API credit.
        #[derive(Debug, PartialEq)]
        pub(crate) struct ApiCredit<'a> {
            $(pub $name: $kind,)+
            /// From the response's head; `None` for a decoded document.
            pub request_id: Option<Cow<'a, str>>,
        }

        /// The document's fields, each as its JSON text. Absent and null are the same.
        #[derive(Deserialize)]
        struct Document<'a> {
            $(#[serde(borrow, rename = $key)]
            $name: Option<&'a RawValue>,)+
        }

        #[cfg(fuzzing)]
        impl ApiCredit<'_> {
            pub(crate) fn by_key(&self) -> crate::fuzzing::Credit {
                vec![$(($key, crate::fuzzing::Show::show(&self.$name)),)+]
            }
        }

        impl<'a> Document<'a> {
            fn decode(&self) -> Field<ApiCredit<'a>> {
                Ok(ApiCredit { $($name: $read(self.$name, $key)?,)+ request_id: None })
            }
        }
    };
}

// docs/api/openapi.yaml, response 200; docs/api/notes.md for cumulative_top_up.
fields! {
    id: Cow<'a, str> = required("_id"),
    user_id: Cow<'a, str> = required("user_id"),
    credit: Amount<'a> = required("credit"),
    cumulative_top_up: Option<Amount<'a>> = optional("cumulative_top_up"),
    created_at: Stamp<'a> = required("created_at"),
    updated_at: Stamp<'a> = required("updated_at"),
    has_phone_sha256: Option<bool> = optional("has_phone_sha256"),
    has_free_credit: Option<bool> = optional("has_free_credit"),
}

/// A kept response, which can be decoded any number of times.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Kept {
    pub document: String,
    request_id: Option<String>,
}

impl Kept {
    pub(crate) fn new(credit: &ApiCredit<'_>, document: &str) -> Kept {
        Kept { document: document.to_owned(), request_id: credit.request_id.as_deref().map(str::to_owned) }
    }

    pub(crate) fn credit(&self) -> ApiCredit<'_> {
        let (credit, _) = decode(self.document.as_bytes()).expect("it was decoded before");
        ApiCredit { request_id: self.request_id.as_deref().map(Cow::Borrowed), ..credit }
    }
}

/// Money: the text, and the number derived from it.
#[derive(Debug, PartialEq)]
pub(crate) struct Amount<'a> {
    pub text: Cow<'a, str>,
    pub micros: Micros,
}

/// A time: the text, and the number derived from it if it is a date-time.
#[derive(Debug, PartialEq)]
pub(crate) struct Stamp<'a> {
    pub text: Cow<'a, str>,
    pub unix_micros: Option<i64>,
}

/// Rejects a document that is longer than the longest response body.
pub(crate) fn within_limit(length: usize) -> Result<()> {
    if length <= MAX_BODY {
        return Ok(());
    }
    Err(Error::new(
        Status::ResponseTooLarge,
        "The document is larger than 1 MiB; pass a single API credit document.",
    ))
}

/// Decodes a saved document, and returns it as text too.
pub(crate) fn decode(document: &[u8]) -> Result<(ApiCredit<'_>, &str)> {
    within_limit(document.len())?;
    read(document).map_err(|why| {
        Error::new(
            Status::BadResponse,
            format!(
                "The document is not an API credit: {why}; pass it whole and unchanged, as the API sent it."
            ),
        )
    })
}

/// Decodes a complete response with status 200 to the API credit and its document.
pub(crate) fn success<'a>(response: &Response<'a>, key: &str) -> Result<(ApiCredit<'a>, &'a str)> {
    let redactor = Redactor::new(key);
    let read = match response.is_encoded() {
        true => Err("it has a Content-Encoding that was not requested".into()),
        false => read(response.body),
    };
    match read {
        Ok((mut credit, document)) => {
            credit.request_id = response.request_id(&redactor);
            Ok((credit, document))
        }
        Err(why) => {
            let message = match response.is_web_page() {
                true => error_body::web_page_sentence(response.status),
                false => format!(
                    "The response is not an API credit: {why}; check that base_url is Fish Audio's API."
                ),
            };
            let mut error = Error::new(Status::BadResponse, message);
            response.describe(&mut error, &redactor);
            Err(error)
        }
    }
}

fn read(document: &[u8]) -> std::result::Result<(ApiCredit<'_>, &str), Why> {
    let text = std::str::from_utf8(document).map_err(|_| "it is not valid UTF-8")?;
    // serde would accept an array of the struct's fields in order.
    if !text.trim_ascii_start().starts_with('{') {
        return Err("it is not a JSON object".into());
    }
    let fields: Document<'_> = serde_json::from_str(text).map_err(|why| why.to_string())?;
    let credit = fields.decode()?;
    Ok((credit, text))
}

type Field<T> = std::result::Result<T, Why>;

fn wrong(name: &str, why: &str) -> Why {
    format!("its field \"{name}\" {why}").into()
}

/// What a field can be.
trait Value<'a>: Sized {
    fn read(raw: &'a RawValue, name: &str) -> Field<Self>;
}

fn required<'a, T: Value<'a>>(raw: Option<&'a RawValue>, name: &str) -> Field<T> {
    T::read(present(raw, name)?, name)
}

fn present<'a>(raw: Option<&'a RawValue>, name: &str) -> Field<&'a RawValue> {
    raw.ok_or_else(|| wrong(name, "is missing or null"))
}

fn optional<'a, T: Value<'a>>(raw: Option<&'a RawValue>, name: &str) -> Field<Option<T>> {
    match raw {
        None => Ok(None),
        Some(raw) => Ok(Some(T::read(raw, name)?)),
    }
}

impl<'a> Value<'a> for Cow<'a, str> {
    fn read(raw: &'a RawValue, name: &str) -> Field<Self> {
        let json = raw.get();
        let Some(inside) = json.strip_prefix('"').and_then(|json| json.strip_suffix('"')) else {
            return Err(wrong(name, "is not a string"));
        };
        if !inside.contains('\\') {
            return Ok(Cow::Borrowed(inside));
        }
        let text: String = serde_json::from_str(json).map_err(|_| wrong(name, "is not a valid string"))?;
        // In C the string would end there.
        if text.contains('\0') { Err(wrong(name, "contains a NUL character")) } else { Ok(Cow::Owned(text)) }
    }
}

impl<'a> Value<'a> for Amount<'a> {
    fn read(raw: &'a RawValue, name: &str) -> Field<Self> {
        let json = raw.get();
        let text = match json.as_bytes()[0] {
            b'"' => Cow::read(raw, name)?,
            // A number's JSON text is used as it is, so it never becomes a float.
            b'-' | b'0'..=b'9' => Cow::Borrowed(json),
            _ => return Err(wrong(name, "is neither a string nor a number")),
        };
        match money::micros(&text) {
            Some(micros) => Ok(Amount { text, micros }),
            None => Err(wrong(name, "is not a decimal amount")),
        }
    }
}

impl<'a> Value<'a> for Stamp<'a> {
    fn read(raw: &'a RawValue, name: &str) -> Field<Self> {
        let text = Cow::read(raw, name)?;
        let unix_micros = time::unix_micros(&text);
        Ok(Stamp { text, unix_micros })
    }
}

impl<'a> Value<'a> for bool {
    fn read(raw: &'a RawValue, name: &str) -> Field<Self> {
        match raw.get() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(wrong(name, "is neither true nor false")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{KEY, with_response};
    use super::*;

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
            request_id: None,
        };
        assert_eq!(credit, want);
        // Text without an escape is not copied, to keep a warm call cheap.
        assert!(matches!((credit.id, credit.credit.text), (Cow::Borrowed(_), Cow::Borrowed(_))));
    }

    #[test]
    fn an_invalid_document_is_rejected_and_the_field_named() {
        for (from, to, why) in [
            ("\"w\"", "null", "\"_id\" is missing or null"),
            ("\"u\"", "[]", "\"user_id\" is not a string"),
            ("\"1.5\"", "true", "\"credit\" is neither a string nor a number"),
            ("\"1.5\"", "\"1.5.0\"", "\"credit\" is not a decimal amount"),
            ("\"1.5\"", "\"NaN\"", "\"credit\" is not a decimal amount"),
            ("\"1.5\"", "NaN", "expected value"),
            ("\"new\"", "\"cumulative_top_up\"", "\"cumulative_top_up\" is neither"),
            ("\"soon\"", "0", "\"updated_at\" is not a string"),
            ("\"soon\"", "\"\\u0000\"", "\"updated_at\" contains a NUL character"),
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
        assert_eq!(decode(&vec![b' '; 1024 * 1024 + 1]).unwrap_err().status, Status::ResponseTooLarge);
        assert_eq!(decode(&vec![b' '; 1024 * 1024]).unwrap_err().status, Status::BadResponse);
    }

    #[test]
    fn a_credit_has_the_request_id_of_its_response() {
        for (headers, want) in [
            (&[][..], None),
            (&[("x-fish-trace-id", "t"), ("cf-ray", "c")], Some("t")),
            (&[("x-fish-trace-id", ""), ("cf-ray", "c")], Some("c")),
            (&[("x-fish-trace-id", " t 1\t")], Some("t 1")),
            (&[("cf-ray", "of sk-0123456789")], Some("of [API key]")),
        ] {
            with_response(200, headers, WHOLE.as_bytes(), |response| {
                let (credit, document) = success(response, KEY).unwrap();
                assert_eq!((credit.request_id.as_deref(), document), (want, WHOLE), "{headers:?}");
                // What a background call or a watch keeps has it too.
                let kept = Kept::new(&credit, document);
                assert_eq!(kept.credit(), credit, "{headers:?}");
                // An unchanged id is not copied, to keep a warm call cheap.
                let borrowed = matches!(credit.request_id, None | Some(Cow::Borrowed(_)));
                assert_eq!(borrowed, want.is_none_or(|want| !want.contains("[API key]")), "{headers:?}");
            });
        }
        let long = "x".repeat(1000);
        with_response(200, &[("cf-ray", &long)], WHOLE.as_bytes(), |response| {
            assert_eq!(success(response, KEY).unwrap().0.request_id.unwrap(), long[..256]);
        });
    }

    #[test]
    fn a_message_speaks_of_the_response_or_of_the_document() {
        let html = &[("content-type", "text/html")][..];
        let page = "The server sent a web page (HTTP 200), perhaps a network's login page or a gateway's page; sign in to \
                    the network, or check base_url.";
        for (headers, body, of_server) in [
            (
                &[][..],
                "[]",
                "The response is not an API credit: it is not a JSON object; check that base_url is Fish Audio's API.",
            ),
            (&[], "<html>", page),
            (html, "Sign in", page),
            (
                html,
                "{}",
                "The response is not an API credit: its field \"_id\" is missing or null; check that base_url is Fish \
                 Audio's API.",
            ),
            (
                &[("content-encoding", "gzip")],
                WHOLE,
                "The response is not an API credit: it has a Content-Encoding that was not requested; check that \
                 base_url is Fish Audio's API.",
            ),
        ] {
            let error =
                with_response(200, headers, body.as_bytes(), |response| success(response, KEY).unwrap_err());
            assert_eq!((error.status, error.http_status), (Status::BadResponse, 200));
            assert_eq!(error.message, of_server, "{body}");
            assert!(!error.retryable);
        }
        // A saved document has no base_url.
        for body in ["", "[]", "{}", "<html>", "{\"_id\":", "{\"credit\":1}", "\"é"] {
            let error = decode(body.as_bytes()).unwrap_err();
            assert!(error.message.starts_with("The document is not an API credit: "), "{}", error.message);
            assert!(
                error.message.ends_with("; pass it whole and unchanged, as the API sent it."),
                "{}",
                error.message
            );
            assert!(!error.message.contains("base_url"), "{}", error.message);
        }
    }

    #[test]
    fn no_message_repeats_what_was_sent() {
        for (from, to) in
            [("1.5", "secret"), ("\"w\"", "secret"), ("\"new\"", "\"secret\" secret"), ("{\"_id", "secret{")]
        {
            let error = decode(WHOLE.replacen(from, to, 1).as_bytes()).unwrap_err();
            assert!(!error.message.contains("secret"), "{}", error.message);
        }
    }
}
