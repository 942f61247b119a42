//! Chooses the proxy: from the option, else from the environment. `tunnel.rs` opens a tunnel through it.

use std::ffi::OsString;
use std::net::IpAddr;

use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::request::{Host, MAX_TEXT_LENGTH, Origin, split_port};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// A tunnel by CONNECT (RFC 9110 §9.3.6).
    Http,
    /// RFC 1928. The proxy resolves names.
    Socks5,
}

pub(crate) struct Proxy {
    pub protocol: Protocol,
    pub host: Host,
    pub port: u16,
    pub credentials: Option<Credentials>,
}

pub(crate) struct Credentials {
    pub user: Zeroizing<Vec<u8>>,
    pub password: Zeroizing<Vec<u8>>,
}

/// Reads an environment variable.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

impl Proxy {
    /// The proxy for `origin`: `option` if it is set ("": no proxy), else from the environment.
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
                    "options.proxy_url is on another machine, but options.base_url is on this one; pass \"\" for no \
                     proxy.",
                ));
            }
            return Ok(Some(proxy));
        }
        // Through a proxy on another machine, the request would leave this one in clear text, and reach that machine's
        // localhost. Even a proxy on this machine may forward to another one.
        if origin.host.is_loopback() {
            return Ok(None);
        }
        let Some((name, url)) = from_environment(origin, environment)? else {
            return Ok(None);
        };
        let url = if url.contains("://") { url } else { Zeroizing::new(format!("http://{}", *url)) };
        Proxy::parse(&url, name).map(Some)
    }

    fn parse(url: &str, name: &str) -> Result<Proxy> {
        let refuse = |why: &str| Error::invalid(format!("{name} {why}; write it like http://host:3128."));
        if url.len() > MAX_TEXT_LENGTH {
            return Err(refuse(&format!("is longer than {MAX_TEXT_LENGTH} bytes")));
        }
        let (scheme, rest) = url.split_once("://").ok_or_else(|| refuse("has no scheme"))?;
        let protocol = match scheme.to_ascii_lowercase().as_str() {
            "http" => Protocol::Http,
            "socks5" | "socks5h" => Protocol::Socks5,
            _ => return Err(refuse("is neither http:// nor socks5://")),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (credentials, authority) = match rest.rsplit_once('@') {
            Some((credentials, authority)) => (Some(credentials), authority),
            None => (None, rest),
        };
        let (host, port) = split_port(authority).ok_or_else(|| refuse("has an invalid port"))?;
        let host = Host::parse(host).ok_or_else(|| refuse("has no valid host"))?;
        let port = port.unwrap_or(if protocol == Protocol::Http { 80 } else { 1080 });
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
                let fits = (1..=255).contains(&user.len()) && password.len() <= 255;
                if protocol == Protocol::Socks5 && !fits {
                    return Err(refuse("has a user or password of a length that SOCKS5 does not allow"));
                }
                if user.contains(&b':') {
                    return Err(refuse("has a colon in the user"));
                }
                Some(Credentials { user, password })
            }
        };
        Ok(Proxy { protocol, host, port, credentials })
    }
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
        Some(Err(_)) => {
            Err(Error::invalid(format!("{name} in the environment is not valid UTF-8; correct or unset it.")))
        }
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
    // Not HTTP_PROXY: plain http is allowed for loopback hosts only, which use no proxy from the environment.
    first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
}

/// Whether NO_PROXY covers `origin`: "*", a name (with its subdomains), an address or a range, with or without a port.
fn is_exempt(list: &str, origin: &Origin) -> bool {
    list.split([',', ' ', '\t']).filter(|entry| !entry.is_empty()).any(|entry| {
        if entry == "*" {
            return true;
        }
        if let (Host::Ip(ip), Some((network, bits))) = (&origin.host, entry.split_once('/')) {
            return in_range(*ip, network, bits);
        }
        // The colons of a bare IPv6 address do not separate a port.
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
        Some(format!("{:?} {}:{}", proxy.protocol, proxy.host, proxy.port))
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
            (Some("http://[::1]:1"), LOCAL, &[], Some("Http [::1]:1")),
            // For a loopback host the environment is ignored.
            (None, LOCAL, &[("HTTP_PROXY", "http://p:1")], None),
            (None, LOCAL, &[("HTTP_PROXY", "http://localhost:1")], None),
            (None, LOCAL, &[("ALL_PROXY", "socks5://127.0.0.1:1080")], None),
            (None, LOCAL, &[("ALL_PROXY", "socks://corp.example:1080")], None),
            (None, "https://localhost", &[("HTTPS_PROXY", "http://[::1]:1")], None),
            (None, "https://[::1]", &[("all_proxy", "x://")], None),
        ] {
            assert_eq!(
                chosen(option, base, environment).as_deref(),
                want,
                "{option:?} {base} {environment:?}"
            );
        }
    }

    #[test]
    fn invalid_proxies() {
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
            &format!("http://u:{}@p", "x".repeat(MAX_TEXT_LENGTH)),
        ] {
            let error = Proxy::choose(Some(url), &api, &|_| None).err().expect(url);
            assert!(error.message.starts_with("options.proxy_url "), "{}", error.message);
        }
        assert!(Proxy::choose(Some("http://a%3Ab:c@p"), &api, &|_| None).is_err());
        assert!(Proxy::choose(Some("http://p:1"), &origin("http://localhost"), &|_| None).is_err());
        let bad = |name: &str| (name == "ALL_PROXY").then(|| "ftp://p".into());
        let error = Proxy::choose(None, &api, &bad).err().unwrap();
        assert!(error.message.starts_with("ALL_PROXY "), "{}", error.message);
    }

    #[test]
    fn only_socks5_limits_the_length_of_a_user_and_a_password() {
        let api = origin("https://api.fish.audio");
        for (user, password, accepted) in
            [(0, 1, false), (1, 0, true), (255, 255, true), (256, 1, false), (1, 256, false)]
        {
            for (scheme, accepted) in [("socks5", accepted), ("http", true)] {
                let url = format!("{scheme}://{}:{}@p", "u".repeat(user), "x".repeat(password));
                let proxy = Proxy::choose(Some(&url), &api, &|_| None);
                assert_eq!(proxy.is_ok(), accepted, "{scheme}, {user} and {password}");
            }
        }
    }

    #[test]
    fn no_message_contains_the_password() {
        let api = origin("https://api.fish.audio");
        for url in ["ftp://user:sesame@p", "http://user:sesame@p:x", "http://user:sesame@"] {
            let error = Proxy::choose(Some(url), &api, &|_| None).err().unwrap();
            assert!(!format!("{error:?}").contains("sesame"), "{error:?}");
        }
    }

    #[test]
    fn which_hosts_are_exempt() {
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
