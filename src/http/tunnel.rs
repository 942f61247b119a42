//! Opens a tunnel to the server through a proxy. TLS runs inside it, so the proxy never sees a request or the key,
//! except a proxy on this machine for a loopback server with plain http.
//!
//! ureq's own proxy connectors do not support cancelling, accept no 2xx but 200, and do not report what a 407 offers.
//! But CONNECT itself is ureq's: its protocol engine writes the request, and its parser reads the response's head.

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ureq::http::header::{HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, USER_AGENT};
use ureq::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use ureq_proto::client::Call;
use ureq_proto::parser::try_parse_response;
use zeroize::Zeroizing;

use crate::deadline::Deadline;
use crate::http::error::{Kind, Phase, TransportError};
use crate::http::proxy::{Credentials, Protocol, Proxy};
use crate::http::tcp::Tcp;
use crate::request::{Host, Origin};

type Result<T> = std::result::Result<T, TransportError>;

/// The longest CONNECT request, and the longest head of its response.
const MAX_HEAD: usize = 16 * 1024;

/// Opens a tunnel to `origin` over a fresh connection to `proxy`.
pub(crate) fn open(
    proxy: &Proxy,
    socket: &mut Tcp,
    origin: &Origin,
    user_agent: &HeaderValue,
    deadline: &Deadline,
) -> Result<()> {
    let opened = match proxy.protocol {
        Protocol::Http => connect(proxy, socket, origin, user_agent, deadline),
        Protocol::Socks5 => socks5(proxy, socket, origin, deadline),
    };
    opened.map_err(|error| match error.kind {
        Kind::Lost(_) => refused("it closed the connection", true),
        _ => error,
    })
}

/// RFC 9110 §9.3.6.
fn connect(
    proxy: &Proxy,
    socket: &mut Tcp,
    origin: &Origin,
    user_agent: &HeaderValue,
    deadline: &Deadline,
) -> Result<()> {
    let request = connect_request(proxy, origin, user_agent)
        .map_err(|why| Phase::Proxy.error(Kind::Internal(why.to_string())))?;
    socket.send(&request, Phase::Proxy, deadline)?;

    let mut buffer = vec![0; MAX_HEAD];
    let (mut parsed, mut filled) = (0, 0);
    let response = loop {
        match try_parse_response::<100>(&buffer[parsed..filled]) {
            Ok(Some((length, response))) => {
                parsed += length;
                // Any number of others may precede the final response (RFC 9110 §15.2).
                if !response.status().is_informational()
                    || response.status() == StatusCode::SWITCHING_PROTOCOLS
                {
                    break response;
                }
            }
            Ok(None) if filled < buffer.len() => {
                let read = socket.recv(&mut buffer[filled..], Phase::Proxy, deadline)?;
                if read == 0 {
                    return Err(refused("it closed the connection", true));
                }
                filled += read;
            }
            _ => return Err(invalid_response()),
        }
    };
    match response.status().as_u16() {
        // Nothing may follow the head, because the server speaks only after the client. A 2xx has no body, whatever
        // its head says.
        200..=299 if parsed == filled => Ok(()),
        407 => Err(wants_credentials(response.headers(), proxy.credentials.is_some())),
        status @ 300..=599 => {
            Err(refused(&format!("it responded with HTTP {status}"), matches!(status, 502..=504)))
        }
        _ => Err(invalid_response()),
    }
}

/// The bytes of the CONNECT request.
fn connect_request(
    proxy: &Proxy,
    origin: &Origin,
    user_agent: &HeaderValue,
) -> std::result::Result<Zeroizing<Vec<u8>>, ureq::Error> {
    let target = format!("{}:{}", origin.host, origin.port);
    let uri = Uri::builder().scheme("http").authority(target.as_str()).path_and_query("/").build()?;
    let mut request = Request::builder()
        .method(Method::CONNECT)
        .uri(uri)
        .header(HOST, target)
        .header(USER_AGENT, user_agent);
    if let Some(Credentials { user, password }) = &proxy.credentials {
        let pair = Zeroizing::new([user, &b":"[..], password].concat());
        let encoded = Zeroizing::new(STANDARD.encode(&*pair));
        let value = Zeroizing::new(["Basic ", &encoded].concat());
        let mut value = HeaderValue::from_str(&value).map_err(ureq::http::Error::from)?;
        value.set_sensitive(true);
        request = request.header(PROXY_AUTHORIZATION, value);
    }
    let mut call = Call::new(request.body(())?).map_err(ureq::Error::from)?.proceed();
    let mut output = Zeroizing::new(vec![0; MAX_HEAD]);
    let mut length = 0;
    while !call.can_proceed() {
        length += call.write(&mut output[length..]).map_err(ureq::Error::from)?;
    }
    output.truncate(length);
    Ok(output)
}

/// The error for HTTP 407: which schemes the proxy offers, and whether it got credentials.
fn wants_credentials(headers: &HeaderMap, given: bool) -> TransportError {
    let mut schemes: Vec<&str> = Vec::new();
    for value in headers.get_all(PROXY_AUTHENTICATE) {
        for scheme in challenges(value.as_bytes()).filter_map(scheme) {
            if !schemes.contains(&scheme) {
                schemes.push(scheme);
            }
        }
    }
    let offers_basic =
        schemes.is_empty() || schemes.iter().any(|scheme| scheme.eq_ignore_ascii_case("Basic"));
    let offered = if schemes.is_empty() { "no scheme".to_owned() } else { schemes.join(", ") };
    let why = match (given, offers_basic) {
        (false, true) => "it requires a user and password (HTTP 407)".to_owned(),
        (false, false) => {
            format!(
                "it requires authentication by {offered}, but this library supports only Basic (HTTP 407)"
            )
        }
        (true, _) => format!("it rejected the user or password, and offers {offered} (HTTP 407)"),
    };
    refused(&why, false)
}

/// The parts of a Proxy-Authenticate (RFC 9110 §11.6.1) between its commas, except for those in quotes.
fn challenges(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    value.split(move |&byte| {
        let ends = byte == b',' && !quoted;
        quoted ^= byte == b'"' && !escaped;
        escaped = byte == b'\\' && quoted && !escaped;
        ends
    })
}

/// The scheme that a part begins with; `None` if it is only another parameter, "name=value".
fn scheme(part: &[u8]) -> Option<&str> {
    let part = part.trim_ascii_start();
    let token = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let (word, rest) = part.split_at(part.iter().take_while(token).count());
    let ends = rest.first().is_none_or(u8::is_ascii_whitespace) && !rest.trim_ascii_start().starts_with(b"=");
    std::str::from_utf8(word).ok().filter(|_| ends && (1..=32).contains(&word.len()))
}

/// RFC 1928. The proxy resolves names.
fn socks5(proxy: &Proxy, socket: &mut Tcp, origin: &Origin, deadline: &Deadline) -> Result<()> {
    const VERSION: u8 = 5;
    const NO_AUTHENTICATION: u8 = 0;
    const USER_AND_PASSWORD: u8 = 2;
    let greeting: &[u8] = match proxy.credentials {
        None => &[VERSION, 1, NO_AUTHENTICATION],
        Some(_) => &[VERSION, 2, NO_AUTHENTICATION, USER_AND_PASSWORD],
    };
    socket.send(greeting, Phase::Proxy, deadline)?;
    match (receive(socket, deadline)?, &proxy.credentials) {
        ([VERSION, NO_AUTHENTICATION], _) => {}
        ([VERSION, USER_AND_PASSWORD], Some(Credentials { user, password })) => {
            // RFC 1929
            let mut message = Zeroizing::new(Vec::with_capacity(3 + user.len() + password.len()));
            message.extend_from_slice(&[1, user.len() as u8]);
            message.extend_from_slice(user);
            message.push(password.len() as u8);
            message.extend_from_slice(password);
            socket.send(&message, Phase::Proxy, deadline)?;
            match receive(socket, deadline)? {
                // The first byte should be this negotiation's version, 1. Some servers send that of SOCKS or another.
                [_, 0] => {}
                _ => return Err(refused("it rejected the user or password", false)),
            }
        }
        ([VERSION, 0xff], None) => return Err(refused("it requires a user and password", false)),
        ([VERSION, 0xff], Some(_)) => return Err(refused("it does not accept a user and password", false)),
        _ => return Err(invalid_response()),
    }

    let mut request = vec![VERSION, 1, 0];
    match &origin.host {
        Host::Ip(IpAddr::V4(ip)) => {
            request.push(1);
            request.extend_from_slice(&ip.octets());
        }
        Host::Ip(IpAddr::V6(ip)) => {
            request.push(4);
            request.extend_from_slice(&ip.octets());
        }
        Host::Name(name) => {
            // At most 254 bytes, by `Host::parse`.
            request.extend_from_slice(&[3, name.len() as u8]);
            request.extend_from_slice(name.as_bytes());
        }
    }
    request.extend_from_slice(&origin.port.to_be_bytes());
    socket.send(&request, Phase::Proxy, deadline)?;
    let [version, reply, _, kind] = receive(socket, deadline)?;
    if version != VERSION {
        return Err(invalid_response());
    }
    if reply != 0 {
        let why = match reply {
            2 => "its rules forbid this connection",
            3 => "it cannot reach the network",
            4 => "it cannot reach the host",
            5 => "the host refused its connection",
            6 => "the TTL expired on the way to the host",
            _ => "it could not connect",
        };
        return Err(refused(why, matches!(reply, 1 | 3..=6)));
    }
    // The proxy's own address is not used, but must be read.
    match kind {
        1 => receive::<6>(socket, deadline).map(drop),
        4 => receive::<18>(socket, deadline).map(drop),
        3 => {
            let [length] = receive(socket, deadline)?;
            for _ in 0..length {
                receive::<1>(socket, deadline)?;
            }
            receive::<2>(socket, deadline).map(drop)
        }
        _ => Err(invalid_response()),
    }
}

/// Reads exactly `N` bytes.
fn receive<const N: usize>(socket: &mut Tcp, deadline: &Deadline) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let mut filled = 0;
    while filled < N {
        match socket.recv(&mut bytes[filled..], Phase::Proxy, deadline)? {
            0 => return Err(refused("it closed the connection", true)),
            read => filled += read,
        }
    }
    Ok(bytes)
}

#[cold]
fn refused(why: &str, retryable: bool) -> TransportError {
    Phase::Proxy.error(Kind::Proxy { why: why.to_owned(), retryable })
}

#[cold]
fn invalid_response() -> TransportError {
    refused("its response was invalid", false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{LIBRARY_AGENT, MAX_TEXT_LENGTH};

    #[test]
    fn a_407_says_what_the_proxy_offers_and_whether_it_got_credentials() {
        for (offers, given, want) in [
            (&["Basic realm=\"x\""][..], false, "it requires a user and password (HTTP 407)"),
            (&[], false, "it requires a user and password (HTTP 407)"),
            (&["NTLM"], false, "by NTLM, but this library supports only Basic"),
            (&["NTLM"], true, "it rejected the user or password, and offers NTLM"),
            (&["Negotiate", "NTLM", "NTLM"], true, "and offers Negotiate, NTLM (HTTP"),
            (&["Digest realm=\"a, b\", nonce=\"1\", Basic realm=x"], true, "offers Digest, "),
            (&["<script>"], true, "offers no scheme"),
            (&["negotiate, NTLM, basic realm=\"x\""], false, "it requires a user and password (HTTP 407)"),
            (&["Basic realm=\"a, Digest b\", charset=\"UTF-8\""], true, "offers Basic (HTTP"),
            (&["Digest realm=\"ask, Basic user\", nonce=\"1\""], false, "by Digest, but"),
            (&["Digest realm=\"a\\\", Basic b\\\\\", nonce=\"1\", NTLM"], true, "offers Digest, NTLM (HTTP"),
            (&["Digest realm = \"a\", nonce\t= \"1\""], true, "offers Digest (HTTP"),
            (&["Basic\trealm=\"a\""], true, "offers Basic (HTTP"),
            (&["NTLM TlRMTVNTUAACAAAA=="], true, "offers NTLM (HTTP"),
            (&["Basic realm=\"Z\u{fc}rich\""], true, "offers Basic (HTTP"),
            (&["Digest realm=\"never ends, Basic"], false, "by Digest, but"),
        ] {
            let mut headers = HeaderMap::new();
            for offer in offers {
                headers.append(PROXY_AUTHENTICATE, HeaderValue::from_bytes(offer.as_bytes()).unwrap());
            }
            let Kind::Proxy { why, retryable: false } = wants_credentials(&headers, given).kind else {
                panic!("{offers:?}")
            };
            assert!(why.contains(want), "{offers:?} {given}: {why}");
        }
    }

    #[test]
    fn connect_is_sent_with_our_user_agent_and_the_credentials() {
        let origin = Origin::parse("https://[2001:db8::1]:8443/v1").unwrap();
        let proxy = Proxy::choose(Some("http://u:p%40@proxy:1"), &origin, &|_| None).unwrap().unwrap();
        let sent = connect_request(&proxy, &origin, &HeaderValue::from_static("agent/1")).unwrap();
        assert_eq!(
            std::str::from_utf8(&sent).unwrap(),
            "CONNECT [2001:db8::1]:8443 HTTP/1.1\r\nhost: [2001:db8::1]:8443\r\nuser-agent: agent/1\r\n\
             proxy-authorization: Basic dTpwQA==\r\n\r\n"
        );
    }

    #[test]
    fn the_longest_connect_request_fits() {
        let host = vec!["a".repeat(62); 4].join(".");
        let origin = Origin::parse(&format!("https://{host}:65535")).unwrap();
        let url = format!("http://u:{}@p", "x".repeat(MAX_TEXT_LENGTH - 12));
        let proxy = Proxy::choose(Some(&url), &origin, &|_| None).unwrap().unwrap();
        let agent = HeaderValue::from_str(&"a".repeat(MAX_TEXT_LENGTH + LIBRARY_AGENT.len() + 1)).unwrap();
        let sent = connect_request(&proxy, &origin, &agent).unwrap();
        assert!(sent.ends_with(b"\r\n\r\n"));
        assert!(sent.len() > 2 * MAX_TEXT_LENGTH + MAX_TEXT_LENGTH / 4, "{}", sent.len());
    }
}
