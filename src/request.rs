//! Turns a query into an HTTP request, and validates everything in it. Pure.

use std::net::IpAddr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HOST, USER_AGENT};
use ureq::http::uri::{Authority, PathAndQuery, Scheme};
use ureq::http::{self, HeaderMap, HeaderValue, Uri};
use zeroize::Zeroizing;

use crate::error::{Error, Result};

pub(crate) const DEFAULT_BASE_URL: &str = "https://api.fish.audio";
pub(crate) const LIBRARY_AGENT: &str = concat!("fish-api-credit/", env!("CARGO_PKG_VERSION"));

/// Far above any id, and far below servers' limits for a request line.
const MAX_ID_LENGTH: usize = 1024;
/// Far above any key. The cost of redaction is tested up to this length.
const MAX_KEY_LENGTH: usize = 4096;
/// Far above any base URL, proxy URL or user agent.
pub(crate) const MAX_TEXT_LENGTH: usize = 4096;

/// Everything except the unreserved characters of RFC 3986 §2.3 is encoded, in the path and in the query.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The host of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    Name(String),
    Ip(IpAddr),
}

impl Host {
    /// Parses a host as in a URL, with an IPv6 address in brackets. `None`: not a host.
    pub(crate) fn parse(text: &str) -> Option<Host> {
        if let Some(inside) = text.strip_prefix('[') {
            return Some(Host::Ip(IpAddr::V6(inside.strip_suffix(']')?.parse().ok()?)));
        }
        if let Ok(ip) = text.parse() {
            return Some(Host::Ip(IpAddr::V4(ip)));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        (name.len() <= 253 && name.split('.').all(label)).then(|| Host::Name(text.to_ascii_lowercase()))
    }

    /// Whether it always means this machine (RFC 6761 §6.3 for "localhost").
    pub(crate) fn is_loopback(&self) -> bool {
        match self {
            Host::Ip(ip) => ip.is_loopback(),
            Host::Name(name) => {
                let name = name.strip_suffix('.').unwrap_or(name);
                name == "localhost" || name.ends_with(".localhost")
            }
        }
    }
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::Ip(IpAddr::V4(ip)) => ip.fmt(f),
            Host::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
        }
    }
}

/// The parts of base_url.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub https: bool,
    pub host: Host,
    pub port: u16,
    /// Empty, or starts with a slash and does not end with one.
    pub path: String,
}

impl Origin {
    pub(crate) fn parse(url: &str) -> Result<Origin> {
        let refuse = |why: &str| Err(Error::invalid(format!("options.base_url {why}.")));
        if !url.bytes().all(|b| b.is_ascii_graphic()) {
            return refuse(
                "contains a space, a control or a non-ASCII character; write it in ASCII (a host in punycode)",
            );
        }
        if url.len() > MAX_TEXT_LENGTH {
            return refuse("is longer than 4096 bytes; write it like https://api.fish.audio");
        }
        let Some((scheme, rest)) = url.split_once("://") else {
            return refuse("has no scheme; write it like https://api.fish.audio");
        };
        let https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return refuse("is neither https:// nor http://; use https://"),
        };
        if rest.contains('?') || rest.contains('#') {
            return refuse("has a query or a fragment; remove everything after the path");
        }
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        if authority.contains('@') {
            return refuse("contains a user or password; remove it, and set the key in options.api_key");
        }
        let Some((host, port)) = split_port(authority) else {
            return refuse("has an invalid port; use a number from 1 to 65535");
        };
        let Some(host) = Host::parse(host) else {
            return refuse("has no valid host; write it like https://api.fish.audio");
        };
        if !https && !host.is_loopback() {
            return refuse(
                "is plain http to another machine, which would expose the key to the network; use https://",
            );
        }
        let path = path.trim_end_matches('/');
        if !is_path(path) {
            return refuse(
                "has a path with . or .. segments, or with characters that must be percent-encoded; correct the path",
            );
        }
        let port = port.unwrap_or(if https { 443 } else { 80 });
        Ok(Origin { https, host, port, path: path.to_owned() })
    }

    /// The Host header (RFC 9112 §3.2), with the port unless it is the scheme's default.
    pub(crate) fn authority(&self) -> String {
        match (self.https, self.port) {
            (true, 443) | (false, 80) => self.host.to_string(),
            (_, port) => format!("{}:{port}", self.host),
        }
    }
}

/// Splits "host:port"; `None` if the port is invalid.
pub(crate) fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let after_host = authority.rfind(']').map_or(0, |at| at + 1);
    match authority[after_host..].rfind(':') {
        None => Some((authority, None)),
        Some(at) => {
            let (host, port) = (&authority[..after_host + at], &authority[after_host + at + 1..]);
            if !port.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            port.parse().ok().filter(|&port| port != 0).map(|port| (host, Some(port)))
        }
    }
}

/// path-abempty of RFC 3986 §3.3, without dot segments.
fn is_path(path: &str) -> bool {
    let bytes = path.as_bytes();
    let characters = bytes.iter().enumerate().all(|(at, b)| match b {
        b'%' => bytes.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)),
        _ => b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(b),
    });
    characters && path.split('/').all(|segment| segment != "." && segment != "..")
}

/// Checks that a key can be sent in a header; `name` is where it came from.
pub(crate) fn check_key(key: &str, name: &str) -> Result<()> {
    if key.len() > MAX_KEY_LENGTH {
        return Err(Error::invalid(format!(
            "{name} is longer than {MAX_KEY_LENGTH} bytes; set it to the key alone."
        )));
    }
    if key.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{name} contains a space, a control or a non-ASCII character; set it to the key alone, without quotes or line \
         breaks."
    )))
}

/// The User-Agent header: the caller's, if any, before the library's.
pub(crate) fn user_agent(own: Option<&str>) -> Result<HeaderValue> {
    let text = match own {
        None => return Ok(HeaderValue::from_static(LIBRARY_AGENT)),
        Some(own) if own.len() > MAX_TEXT_LENGTH => {
            return Err(Error::invalid(
                "options.user_agent is longer than 4096 bytes; write it like \"studio/2.1\", or leave it unset.",
            ));
        }
        Some(own) if !own.is_empty() && own.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) => {
            HeaderValue::try_from(format!("{own} {LIBRARY_AGENT}")).ok()
        }
        Some(_) => None,
    };
    text.ok_or_else(|| {
        Error::invalid(
            "options.user_agent is empty or contains a control or non-ASCII character; write it like \"studio/2.1\", \
             or leave it unset.",
        )
    })
}

/// Which wallet to read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Target<'a> {
    pub user_id: Option<&'a str>,
    pub team_id: Option<&'a str>,
    pub check_free_credit: bool,
}

/// The parts of a request that are the same for a client's whole life. It contains the key.
pub(crate) struct Template {
    scheme: Scheme,
    authority: Authority,
    path: String,
    headers: HeaderMap,
    /// The URI of most calls: the key's own account, without options.
    own: Uri,
}

/// A request. It can be sent any number of times.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    uri: Uri,
    headers: &'a HeaderMap,
}

impl Request<'_> {
    pub(crate) fn to_http(&self) -> http::Request<()> {
        let mut request = http::Request::new(());
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }
}

impl Template {
    /// `key` and `user_agent` must be valid.
    pub(crate) fn new(origin: &Origin, key: &str, user_agent: &HeaderValue) -> Result<Template> {
        let own = |why: http::Error| Error::invalid(format!("options.base_url is not a valid URL ({why})."));
        let authority = origin.authority();
        let host = HeaderValue::from_str(&authority).map_err(|why| own(why.into()))?;
        let authority = Authority::try_from(authority).map_err(|why| own(why.into()))?;
        let bearer = Zeroizing::new(["Bearer ", key].concat());
        let mut bearer = HeaderValue::from_str(&bearer).map_err(|why| own(why.into()))?;
        bearer.set_sensitive(true);
        let mut headers = HeaderMap::with_capacity(5);
        headers.insert(HOST, host);
        headers.insert(AUTHORIZATION, bearer);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(USER_AGENT, user_agent.clone());
        let mut template = Template {
            scheme: if origin.https { Scheme::HTTPS } else { Scheme::HTTP },
            authority,
            path: origin.path.clone(),
            headers,
            own: Uri::default(),
        };
        template.own = template.build(&Target::default())?;
        Ok(template)
    }

    /// The length of the longest request in bytes.
    pub(crate) fn room(&self) -> usize {
        const AROUND_THE_IDS: usize = 128;
        let headers = self.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
        self.path.len() + 2 * 3 * MAX_ID_LENGTH + AROUND_THE_IDS + headers.sum::<usize>()
    }

    pub(crate) fn request(&self, uri: &Uri) -> Request<'_> {
        Request { uri: uri.clone(), headers: &self.headers }
    }

    /// The URI of a target (docs/api/openapi.yaml; docs/api/notes.md for team_id).
    pub(crate) fn uri(&self, target: &Target<'_>) -> Result<Uri> {
        match target {
            Target { user_id: None, team_id: None, check_free_credit: false } => Ok(self.own.clone()),
            _ => self.build(target),
        }
    }

    fn build(&self, target: &Target<'_>) -> Result<Uri> {
        let user_id = target.user_id.unwrap_or("self");
        check_id(user_id, "query.user_id", "self")?;
        if matches!(user_id, "." | "..") {
            return Err(Error::invalid(
                "query.user_id is . or .., which is not an id; set it to an id, or leave it unset for self.",
            ));
        }
        if let Some(team_id) = target.team_id {
            check_id(team_id, "query.team_id", "none")?;
        }
        let encoded = |id: &str| id.len() * 3;
        let room = self.path.len() + 64 + encoded(user_id) + target.team_id.map_or(0, encoded);
        let mut path = String::with_capacity(room);
        let mut put = |part: &str| path.push_str(part);
        put(&self.path);
        put("/wallet/");
        utf8_percent_encode(user_id, RESERVED).for_each(&mut put);
        put("/api-credit");
        let mut separator = "?";
        if target.check_free_credit {
            put("?check_free_credit=true");
            separator = "&";
        }
        if let Some(team_id) = target.team_id {
            put(separator);
            put("team_id=");
            utf8_percent_encode(team_id, RESERVED).for_each(&mut put);
        }
        let uri = PathAndQuery::try_from(path).map_err(http::Error::from).and_then(|path| {
            Uri::builder()
                .scheme(self.scheme.clone())
                .authority(self.authority.clone())
                .path_and_query(path)
                .build()
        });
        uri.map_err(|why| Error::invalid(format!("options.base_url is not a valid URL ({why}).")))
    }
}

fn check_id(id: &str, name: &str, otherwise: &str) -> Result<()> {
    match id.len() {
        0 => Err(Error::invalid(format!(
            "{name} is empty; set it to an id, or leave it unset for {otherwise}."
        ))),
        1..=MAX_ID_LENGTH => Ok(()),
        _ => Err(Error::invalid(format!(
            "{name} is longer than {MAX_ID_LENGTH} bytes; set it to the id alone."
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(base_url: &str) -> Template {
        let origin = Origin::parse(base_url).unwrap();
        Template::new(&origin, "sk-1", &HeaderValue::from_static("ua/1")).unwrap()
    }

    /// The bytes that ureq writes.
    fn sent(base_url: &str, target: Target<'_>) -> String {
        let template = template(base_url);
        let request = template.request(&template.uri(&target).unwrap()).to_http();
        let mut call = ureq_proto::client::Call::new(request).unwrap().proceed();
        // One write is enough, because `room` is.
        let mut output = vec![0; template.room()];
        let length = call.write(&mut output).unwrap();
        assert!(call.can_proceed(), "{base_url} {target:?}");
        String::from_utf8(output[..length].to_vec()).unwrap()
    }

    #[test]
    fn the_whole_request() {
        assert_eq!(
            sent(DEFAULT_BASE_URL, Target::default()),
            "GET /wallet/self/api-credit HTTP/1.1\r\nhost: api.fish.audio\r\nauthorization: Bearer sk-1\r\n\
             accept: application/json\r\naccept-encoding: identity\r\nuser-agent: ua/1\r\n\r\n"
        );
    }

    #[test]
    fn an_id_that_cannot_be_one_is_refused_with_its_name_and_what_to_do() {
        let template = template(DEFAULT_BASE_URL);
        let long = "x".repeat(MAX_ID_LENGTH + 1);
        for (user_id, team_id, want) in [
            (Some(""), None, "query.user_id is empty; set it to an id, or leave it unset for self."),
            (None, Some(""), "query.team_id is empty; set it to an id, or leave it unset for none."),
            (Some(&*long), None, "query.user_id is longer than 1024 bytes; set it to the id alone."),
            (None, Some(&*long), "query.team_id is longer than 1024 bytes; set it to the id alone."),
            (
                Some("."),
                None,
                "query.user_id is . or .., which is not an id; set it to an id, or leave it unset for self.",
            ),
        ] {
            let error = template.uri(&Target { user_id, team_id, check_free_credit: false }).unwrap_err();
            assert_eq!(error.message, want);
        }
        for id in [&long[1..], "...", "%", "/"] {
            assert!(template.uri(&Target { user_id: Some(id), ..Target::default() }).is_ok(), "{id}");
        }
    }

    #[test]
    fn the_longest_request_has_room() {
        let id = "\u{e9}".repeat(MAX_ID_LENGTH / 2);
        let base = format!("https://h/{}", "x".repeat(MAX_TEXT_LENGTH - 10));
        let target = Target { user_id: Some(&id), team_id: Some(&id), check_free_credit: true };
        assert!(sent(&base, target).len() > MAX_TEXT_LENGTH + 6 * MAX_ID_LENGTH);
    }

    #[test]
    fn no_debug_text_contains_the_key() {
        let template = template(DEFAULT_BASE_URL);
        let request = template.request(&template.uri(&Target::default()).unwrap());
        let text = format!("{request:?} {:?}", request.to_http());
        assert!(text.contains("authorization") && !text.contains("sk-1"), "{text}");
    }

    #[test]
    fn the_request_line_and_host_of_every_kind_of_base_url_and_query() {
        let id = |user_id| Target { user_id: Some(user_id), ..Target::default() };
        for (base, target, line, host) in [
            ("https://h", Target::default(), "/wallet/self/api-credit", "h"),
            ("https://h/", Target::default(), "/wallet/self/api-credit", "h"),
            ("HTTPS://H/v1", Target::default(), "/v1/wallet/self/api-credit", "h"),
            ("https://h/v1/a%20b/", Target::default(), "/v1/a%20b/wallet/self/api-credit", "h"),
            ("https://h:443", Target::default(), "/wallet/self/api-credit", "h"),
            ("https://h:8443/v1", Target::default(), "/v1/wallet/self/api-credit", "h:8443"),
            ("http://localhost:80", Target::default(), "/wallet/self/api-credit", "localhost"),
            ("http://127.9.9.9:1", Target::default(), "/wallet/self/api-credit", "127.9.9.9:1"),
            ("http://[::1]:65535", Target::default(), "/wallet/self/api-credit", "[::1]:65535"),
            ("https://[2001:db8::]", Target::default(), "/wallet/self/api-credit", "[2001:db8::]"),
            ("https://h", id("0123abc"), "/wallet/0123abc/api-credit", "h"),
            ("https://h", id("a/b?c#d e%"), "/wallet/a%2Fb%3Fc%23d%20e%25/api-credit", "h"),
            ("https://h", id("\r\nX: y"), "/wallet/%0D%0AX%3A%20y/api-credit", "h"),
            ("https://h", id("é~-._"), "/wallet/%C3%A9~-._/api-credit", "h"),
            ("https://h", id("..."), "/wallet/.../api-credit", "h"),
            (
                "https://h",
                Target { check_free_credit: true, ..Target::default() },
                "/wallet/self/api-credit?check_free_credit=true",
                "h",
            ),
            (
                "https://h",
                Target { team_id: Some("t&1"), ..Target::default() },
                "/wallet/self/api-credit?team_id=t%261",
                "h",
            ),
            (
                "https://h",
                Target { user_id: Some("u"), team_id: Some("t=2"), check_free_credit: true },
                "/wallet/u/api-credit?check_free_credit=true&team_id=t%3D2",
                "h",
            ),
        ] {
            let request = sent(base, target);
            let mut lines = request.lines();
            assert_eq!(lines.next(), Some(format!("GET {line} HTTP/1.1").as_str()), "{base} {target:?}");
            assert_eq!(lines.next(), Some(format!("host: {host}").as_str()), "{base}");
        }
    }

    #[test]
    fn invalid_base_urls() {
        for (url, why) in [
            ("", "no scheme"),
            ("api.fish.audio", "no scheme"),
            ("ftp://h", "neither"),
            (&format!("https://h/{}", "x".repeat(4096)), "longer"),
            ("://h", "neither"),
            ("https://", "no valid host"),
            ("https:///x", "no valid host"),
            ("https://a..b", "no valid host"),
            ("https://[::1", "no valid host"),
            ("https://[::1]x:1", "no valid host"),
            ("https://[fe80::1%25eth0]", "no valid host"),
            ("https://a_b\u{e9}", "non-ASCII"),
            ("https://h /x", "space"),
            ("https://h\r\nX: y", "control"),
            ("https://u@h", "user or password"),
            ("https://u:p@h", "user or password"),
            ("https://h?x", "query"),
            ("https://h/#x", "fragment"),
            ("https://h:0", "port"),
            ("https://h:65536", "port"),
            ("https://h:", "port"),
            ("https://h:+80", "port"),
            ("https://h:8a", "port"),
            ("https://h/a/../b", ".."),
            ("https://h/%2", "percent-encoded"),
            ("https://h/<x>", "percent-encoded"),
            ("http://api.fish.audio", "plain http"),
            ("http://127.1", "plain http"),
            ("http://2130706433", "plain http"),
            ("http://0.0.0.0", "plain http"),
            ("http://localhost.example.com", "plain http"),
            ("http://[::ffff:127.0.0.1]", "plain http"),
        ] {
            let error = Origin::parse(url).expect_err(url);
            assert!(error.message.contains(why), "{url}: {}", error.message);
            assert!(error.message.starts_with("options.base_url "), "{url}: {}", error.message);
        }
    }

    #[test]
    fn invalid_ids() {
        let template = template(DEFAULT_BASE_URL);
        let long = "x".repeat(1025);
        for id in ["", ".", "..", long.as_str()] {
            let error = template.uri(&Target { user_id: Some(id), ..Target::default() }).unwrap_err();
            assert!(error.message.contains("query.user_id"), "{}", error.message);
        }
        for id in ["", long.as_str()] {
            let error = template.uri(&Target { team_id: Some(id), ..Target::default() }).unwrap_err();
            assert!(error.message.contains("query.team_id"), "{}", error.message);
        }
        assert!(template.uri(&Target { user_id: Some(&long[1..]), ..Target::default() }).is_ok());
    }

    #[test]
    fn invalid_keys_and_user_agents() {
        for key in ["a b", "a\n", "\r\nX: y", "\u{7f}", "clé", "\t"] {
            assert!(check_key(key, "options.api_key").is_err(), "{key:?}");
        }
        assert!(check_key("sk-!~", "options.api_key").is_ok());
        assert!(check_key(&"k".repeat(4096), "options.api_key").is_ok());
        let error = check_key(&"k".repeat(4097), "FISH_API_KEY").unwrap_err();
        assert_eq!(error.message, "FISH_API_KEY is longer than 4096 bytes; set it to the key alone.");
        let long = "x".repeat(4097);
        for agent in ["", "a\r\nX: y", "é", "\0", &long] {
            assert!(user_agent(Some(agent)).is_err(), "{agent:?}");
        }
        assert!(user_agent(Some(&long[1..])).is_ok());
        assert_eq!(user_agent(None).unwrap(), LIBRARY_AGENT);
        assert_eq!(
            user_agent(Some("studio/2.1 (x; y)")).unwrap(),
            format!("studio/2.1 (x; y) {LIBRARY_AGENT}")
        );
    }
}
