//! Proxies: which one to use, and asking it for a tunnel. What goes through the tunnel is the same as without,
//! so a proxy never sees a request; the key reaches it only if it is on this machine.

use std::ffi::OsString;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::request::{Host, Origin, split_port};
use crate::transport::fault::{Fault, Stage};
use crate::transport::http;
use crate::transport::socket::Socket;
use crate::until::Until;

/// The longest answer to CONNECT.
const MAX_ANSWER: usize = 16 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A tunnel by CONNECT (RFC 9110 §9.3.6).
    Http,
    /// RFC 1928, names resolved by the proxy.
    Socks5,
}

pub(crate) struct Proxy {
    kind: Kind,
    pub host: Host,
    pub port: u16,
    credentials: Option<Credentials>,
}

struct Credentials {
    user: Zeroizing<Vec<u8>>,
    password: Zeroizing<Vec<u8>>,
}

/// Reads an environment variable.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

impl Proxy {
    /// The proxy for `origin`: `option` if given ("" is none), else what the environment says.
    pub(crate) fn choose(
        option: Option<&str>,
        origin: &Origin,
        environment: Environment<'_>,
    ) -> Result<Option<Proxy>> {
        const OPTION: &str = "options.proxy_url";
        if let Some(url) = option {
            if url.is_empty() {
                return Ok(None);
            }
            let proxy = Proxy::parse(url, OPTION)?;
            if origin.host.is_loopback() && !proxy.host.is_loopback() {
                return Err(Error::invalid(
                    "options.proxy_url is another machine, but options.base_url is this one; pass \"\" for no proxy.",
                ));
            }
            return Ok(Some(proxy));
        }
        let Some((name, url)) = from_environment(origin, environment)? else {
            return Ok(None);
        };
        let url = if url.contains("://") { url } else { Zeroizing::new(format!("http://{}", *url)) };
        let proxy = Proxy::parse(&url, name)?;
        // What another machine calls localhost is not what the caller means by it.
        Ok((!origin.host.is_loopback() || proxy.host.is_loopback()).then_some(proxy))
    }

    fn parse(url: &str, name: &str) -> Result<Proxy> {
        let refuse = |why: &str| Error::invalid(format!("{name} {why}; write it like http://host:3128."));
        let (scheme, rest) = url.split_once("://").ok_or_else(|| refuse("has no scheme"))?;
        let kind = match scheme.to_ascii_lowercase().as_str() {
            "http" => Kind::Http,
            "socks5" | "socks5h" => Kind::Socks5,
            _ => return Err(refuse("is neither http:// nor socks5://")),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (credentials, authority) = match rest.rsplit_once('@') {
            Some((credentials, authority)) => (Some(credentials), authority),
            None => (None, rest),
        };
        let (host, port) =
            split_port(authority).ok_or_else(|| refuse("has a port that is not a number from 1 to 65535"))?;
        let host = Host::parse(host).ok_or_else(|| refuse("has no valid host"))?;
        let port = port.unwrap_or(if kind == Kind::Http { 80 } else { 1080 });
        let credentials = match credentials {
            None => None,
            Some(text) => {
                let (user, password) = text.split_once(':').unwrap_or((text, ""));
                let decoded = |part: &str| {
                    let mut bytes = Zeroizing::new(Vec::with_capacity(part.len()));
                    bytes.extend(percent_decode_str(part));
                    bytes
                };
                let (user, password) = (decoded(user), decoded(password));
                if kind == Kind::Socks5 && !(1..=255).contains(&user.len()) || password.len() > 255 {
                    return Err(refuse("has a user or password that SOCKS5 has no room for"));
                }
                if user.contains(&b':') {
                    return Err(refuse("has a user with a colon"));
                }
                Some(Credentials { user, password })
            }
        };
        Ok(Proxy { kind, host, port, credentials })
    }

    /// Asks for a tunnel to `origin`.
    pub(crate) fn tunnel(
        &self,
        socket: &mut Socket,
        origin: &Origin,
        until: &Until<'_>,
    ) -> std::result::Result<(), Fault> {
        let asked = match self.kind {
            Kind::Http => self.connect(socket, origin, until),
            Kind::Socks5 => self.socks5(socket, origin, until),
        };
        asked.map_err(|fault| match fault {
            Fault::Lost { .. } => refused("it closed the connection", true),
            other => other,
        })
    }

    fn connect(
        &self,
        socket: &mut Socket,
        origin: &Origin,
        until: &Until<'_>,
    ) -> std::result::Result<(), Fault> {
        let target = format!("{}:{}", origin.host, origin.port);
        let credentials = match &self.credentials {
            None => Zeroizing::default(),
            Some(Credentials { user, password }) => {
                let pair = Zeroizing::new([user, &b":"[..], password].concat());
                let encoded = Zeroizing::new(STANDARD.encode(&*pair));
                Zeroizing::new(["Proxy-Authorization: Basic ", &encoded, "\r\n"].concat())
            }
        };
        let request = Zeroizing::new(
            ["CONNECT ", &target, " HTTP/1.1\r\nHost: ", &target, "\r\n", &credentials, "\r\n"].concat(),
        );
        socket.send(request.as_bytes(), Stage::AskingProxy, until)?;

        let mut answer = vec![0; MAX_ANSWER];
        let mut filled = 0;
        let end = loop {
            let read = socket.recv(&mut answer[filled..], Stage::AskingProxy, until)?;
            if read == 0 {
                return Err(refused("it closed the connection", true));
            }
            let seen = filled;
            filled += read;
            if let Some(end) = http::head_end(&answer[..filled], seen) {
                break end;
            }
            if !http::may_be_http(&answer[..filled]) || filled == answer.len() {
                return Err(nonsense());
            }
        };
        let status = http::parse_head(&answer[..end]).map_err(|_| nonsense())?.status;
        match status {
            // Nobody has spoken through the tunnel yet, so nothing may come out of it.
            200..=299 if end == filled => Ok(()),
            407 => Err(refused("it wants a user and password (HTTP 407)", false)),
            300..=599 => Err(refused(&format!("it answered HTTP {status}"), matches!(status, 502..=504))),
            _ => Err(nonsense()),
        }
    }

    fn socks5(
        &self,
        socket: &mut Socket,
        origin: &Origin,
        until: &Until<'_>,
    ) -> std::result::Result<(), Fault> {
        const VERSION: u8 = 5;
        const NO_AUTHENTICATION: u8 = 0;
        const USER_AND_PASSWORD: u8 = 2;
        let greeting: &[u8] = match self.credentials {
            None => &[VERSION, 1, NO_AUTHENTICATION],
            Some(_) => &[VERSION, 2, NO_AUTHENTICATION, USER_AND_PASSWORD],
        };
        socket.send(greeting, Stage::AskingProxy, until)?;
        match (receive(socket, until)?, &self.credentials) {
            ([VERSION, NO_AUTHENTICATION], _) => {}
            ([VERSION, USER_AND_PASSWORD], Some(Credentials { user, password })) => {
                // RFC 1929
                let mut message = Zeroizing::new(Vec::with_capacity(3 + user.len() + password.len()));
                message.extend_from_slice(&[1, user.len() as u8]);
                message.extend_from_slice(user);
                message.push(password.len() as u8);
                message.extend_from_slice(password);
                socket.send(&message, Stage::AskingProxy, until)?;
                match receive(socket, until)? {
                    [1, 0] => {}
                    [1, _] => return Err(refused("it refused the user or password", false)),
                    _ => return Err(nonsense()),
                }
            }
            ([VERSION, 0xff], None) => return Err(refused("it wants a user and password", false)),
            ([VERSION, 0xff], Some(_)) => return Err(refused("it takes no user and password", false)),
            _ => return Err(nonsense()),
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
        socket.send(&request, Stage::AskingProxy, until)?;
        let [version, reply, _, kind] = receive(socket, until)?;
        if version != VERSION {
            return Err(nonsense());
        }
        if reply != 0 {
            let why = match reply {
                2 => "its rules forbid this connection",
                3 => "it cannot reach the network",
                4 => "it cannot reach the host",
                5 => "the host refused its connection",
                6 => "the way to the host was too long",
                _ => "it could not connect",
            };
            return Err(refused(why, matches!(reply, 1 | 3..=6)));
        }
        // The address it connected from is of no use, but must be read.
        match kind {
            1 => receive::<6>(socket, until).map(drop),
            4 => receive::<18>(socket, until).map(drop),
            3 => {
                let [length] = receive(socket, until)?;
                for _ in 0..length {
                    receive::<1>(socket, until)?;
                }
                receive::<2>(socket, until).map(drop)
            }
            _ => Err(nonsense()),
        }
    }
}

/// Exactly that many bytes, and none beyond.
fn receive<const N: usize>(socket: &mut Socket, until: &Until<'_>) -> std::result::Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    let mut filled = 0;
    while filled < N {
        match socket.recv(&mut bytes[filled..], Stage::AskingProxy, until)? {
            0 => return Err(refused("it closed the connection", true)),
            read => filled += read,
        }
    }
    Ok(bytes)
}

fn refused(why: &str, again: bool) -> Fault {
    Fault::Proxy { why: why.to_owned(), again }
}

fn nonsense() -> Fault {
    refused("its answer was no proxy's", false)
}

/// The variable that applies to `origin`, and its value.
fn from_environment(
    origin: &Origin,
    environment: Environment<'_>,
) -> Result<Option<(&'static str, Zeroizing<String>)>> {
    let read = |name: &'static str| match environment(name).map(OsString::into_string) {
        None => Ok(None),
        Some(Ok(value)) if value.is_empty() => Ok(None),
        Some(Ok(value)) => Ok(Some((name, Zeroizing::new(value)))),
        Some(Err(_)) => Err(Error::invalid(format!("{name} in the environment is not valid UTF-8."))),
    };
    let first = |names: &[&'static str]| {
        for name in names {
            if let Some(found) = read(name)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    };
    let exempt = first(&["no_proxy", "NO_PROXY"])?;
    if exempt.is_some_and(|(_, list)| is_exempt(&list, origin)) {
        return Ok(None);
    }
    let names: &[&'static str] = match (origin.https, environment("REQUEST_METHOD")) {
        (true, _) => &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
        (false, None) => &["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"],
        // In a CGI program, HTTP_PROXY is what a client's Proxy header says.
        (false, Some(_)) => &["http_proxy", "all_proxy", "ALL_PROXY"],
    };
    first(names)
}

/// Whether NO_PROXY names `origin`: "*", a name (its subdomains too), an address or a range, with or without a
/// port.
fn is_exempt(list: &str, origin: &Origin) -> bool {
    list.split([',', ' ', '\t']).filter(|entry| !entry.is_empty()).any(|entry| {
        if entry == "*" {
            return true;
        }
        if let (Host::Ip(ip), Some((network, bits))) = (&origin.host, entry.split_once('/')) {
            return in_range(*ip, network, bits);
        }
        // A bare IPv6 address has colons of its own.
        let (host, port) = match entry.parse() {
            Ok(IpAddr::V6(ip)) => (Some(Host::Ip(ip.into())), None),
            _ => match split_port(entry) {
                Some((host, port)) => (Host::parse(host.trim_start_matches(['.', '*'])), port),
                None => return false,
            },
        };
        if port.is_some_and(|port| port != origin.port) {
            return false;
        }
        match (&origin.host, host) {
            (Host::Name(name), Some(Host::Name(suffix))) => {
                let (name, suffix) = (name.trim_end_matches('.'), suffix.trim_end_matches('.'));
                name.strip_suffix(suffix).is_some_and(|before| before.is_empty() || before.ends_with('.'))
            }
            (own, Some(exempt)) => *own == exempt,
            (_, None) => false,
        }
    })
}

fn in_range(ip: IpAddr, network: &str, bits: &str) -> bool {
    let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    let (ip, network, width) = match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) => (u32::from(ip).into(), u32::from(network).into(), 32),
        (IpAddr::V6(ip), IpAddr::V6(network)) => (u128::from(ip), u128::from(network), 128),
        _ => return false,
    };
    bits <= width && (bits == 0 || (ip ^ network) >> (width - bits) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(url: &str) -> Origin {
        Origin::parse(url).unwrap()
    }

    fn chosen(option: Option<&str>, base: &str, environment: &[(&str, &str)]) -> Option<String> {
        let lookup = |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, v)| v.into());
        let proxy = Proxy::choose(option, &origin(base), &lookup).unwrap()?;
        Some(format!("{:?} {}:{}", proxy.kind, proxy.host, proxy.port))
    }

    #[test]
    fn which_proxy_is_used() {
        const API: &str = "https://api.fish.audio";
        const LOCAL: &str = "http://127.0.0.1:8080";
        for (option, base, environment, want) in [
            (None, API, &[][..], None),
            (None, API, &[("HTTPS_PROXY", "http://p:3128")], Some("Http p:3128")),
            (None, API, &[("https_proxy", "http://a:1"), ("HTTPS_PROXY", "http://b:2")], Some("Http a:1")),
            (None, API, &[("ALL_PROXY", "socks5://p")], Some("Socks5 p:1080")),
            (None, API, &[("HTTPS_PROXY", "p:3128"), ("ALL_PROXY", "socks5://x")], Some("Http p:3128")),
            (None, API, &[("HTTPS_PROXY", "")], None),
            (None, API, &[("HTTP_PROXY", "http://p")], None),
            (None, API, &[("HTTPS_PROXY", "http://p"), ("NO_PROXY", "fish.audio")], None),
            (Some(""), API, &[("HTTPS_PROXY", "http://p")], None),
            (Some("socks5h://[::1]:9/"), API, &[("HTTPS_PROXY", "http://p")], Some("Socks5 [::1]:9")),
            (Some("http://u:p%40@p"), API, &[("NO_PROXY", "*")], Some("Http p:80")),
            (None, LOCAL, &[("HTTP_PROXY", "http://p:1")], None),
            (None, LOCAL, &[("HTTP_PROXY", "http://localhost:1")], Some("Http localhost:1")),
            (None, LOCAL, &[("HTTP_PROXY", "http://[::1]:1"), ("REQUEST_METHOD", "GET")], None),
            (
                None,
                LOCAL,
                &[("http_proxy", "http://[::1]:1"), ("REQUEST_METHOD", "GET")],
                Some("Http [::1]:1"),
            ),
            (None, LOCAL, &[("HTTP_PROXY", "http://[::1]:1"), ("no_proxy", "127.0.0.1")], None),
        ] {
            assert_eq!(
                chosen(option, base, environment).as_deref(),
                want,
                "{option:?} {base} {environment:?}"
            );
        }
    }

    #[test]
    fn proxies_that_are_refused() {
        let api = origin("https://api.fish.audio");
        for url in [
            "p:1",
            "https://p",
            "socks4://p",
            "http://",
            "http://p:0",
            "http://p:x",
            "http://a b",
            "http://p/x",
        ] {
            let error = Proxy::choose(Some(url), &api, &|_| None).err().expect(url);
            assert!(error.message.starts_with("options.proxy_url "), "{}", error.message);
        }
        let long = format!("socks5://u:{}@p", "x".repeat(256));
        assert!(Proxy::choose(Some(&long), &api, &|_| None).is_err());
        assert!(Proxy::choose(Some("http://a%3Ab:c@p"), &api, &|_| None).is_err());
        assert!(Proxy::choose(Some("http://p:1"), &origin("http://localhost"), &|_| None).is_err());
        let bad = |name: &str| (name == "ALL_PROXY").then(|| "ftp://p".into());
        let error = Proxy::choose(None, &api, &bad).err().unwrap();
        assert!(error.message.starts_with("ALL_PROXY "), "{}", error.message);
    }

    #[test]
    fn a_refusal_never_repeats_the_password() {
        let api = origin("https://api.fish.audio");
        for url in ["ftp://user:sesame@p", "http://user:sesame@p:x", "http://user:sesame@"] {
            let error = Proxy::choose(Some(url), &api, &|_| None).err().unwrap();
            assert!(!format!("{error:?}").contains("sesame"), "{error:?}");
        }
    }

    #[test]
    fn who_is_exempt() {
        for (list, base, want) in [
            ("*", "https://x.test", true),
            ("x.test", "https://x.test", true),
            ("X.TEST", "https://x.test", true),
            (".x.test", "https://x.test", true),
            ("*.x.test", "https://a.x.test", true),
            ("x.test", "https://a.x.test", true),
            ("x.test", "https://ax.test", false),
            ("y.test, x.test", "https://x.test", true),
            ("x.test:443", "https://x.test", true),
            ("x.test:444", "https://x.test", false),
            ("192.0.2.1", "https://192.0.2.1", true),
            ("192.0.2.0/24", "https://192.0.2.77", true),
            ("192.0.2.0/24", "https://192.0.3.77", false),
            ("0.0.0.0/0", "https://192.0.3.77", true),
            ("192.0.2.0/33", "https://192.0.2.77", false),
            ("2001:db8::/32", "https://[2001:db8::9]", true),
            ("2001:db8::9", "https://[2001:db8::9]", true),
            ("[2001:db8::9]:443", "https://[2001:db8::9]", true),
            ("2.1", "https://192.0.2.1", false),
            ("", "https://x.test", false),
            (",,", "https://x.test", false),
        ] {
            assert_eq!(is_exempt(list, &origin(base)), want, "{list} {base}");
        }
    }
}
