//! TLS, against real servers with certificates made by the test: which are trusted, which are refused and with which
//! message, and that the key is not sent before the handshake has succeeded.

mod support;

use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use ::fish_api_credit::ffi::*;
use support::c;
use support::client::{Client, KEY, Options, Query, name};
use support::clock::reached;
use support::server::{Connection, DOCUMENT, Server, answer, document, send};
use support::tls::{Authority, BOTH, Identity, ONLY_1_2, ONLY_1_3, Secured, Trusted, answering, server};

/// Enough for a thousand bytes, each of which a busy machine wakes two threads for.
const AMPLE: u32 = 600_000;

fn base64(bytes: &[u8]) -> String {
    use ::base64::Engine;
    ::base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn ok() -> Vec<u8> {
    answer(200, "Content-Type: application/json\r\n", DOCUMENT)
}

#[test]
fn a_server_with_a_trusted_certificate_is_accepted() {
    let trusted = Trusted::new();
    for (what, versions) in [("both", BOTH), ("TLS 1.2 only", ONLY_1_2), ("TLS 1.3 only", ONLY_1_3)] {
        let peer = answering(trusted.authority.issue().config(versions), ok());
        for url in [peer.https_url(), format!("https://localhost:{}", peer.port())] {
            let credit = trusted.client(&url).get(&Query::default());
            assert_eq!(credit.expect(what).credit, "12.345678", "{what} {url}");
        }
        assert!(peer.saw(&format!("authorization: Bearer {KEY}\r\n")), "{what}");
    }
}

/// The places of Ed25519's number in a certificate: those of its signature are the first and the last.
fn of_ed25519(certificate: &[u8]) -> Vec<usize> {
    let number = [6, 3, 0x2b, 0x65, 0x70];
    let places = (0..certificate.len()).filter(|&at| certificate[at..].starts_with(&number));
    places.map(|at| at + number.len() - 1).collect()
}

#[test]
fn an_invalid_certificate_is_refused_with_a_reason() {
    let trusted = Trusted::new();
    let authority = &trusted.authority;
    let (past, future) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(4000, 1, 1));
    let here = &["127.0.0.1"];
    for (what, identity, why) in [
        ("expired", authority.issue_for(here, |leaf| leaf.not_after = past), "has expired"),
        ("not yet valid", authority.issue_for(here, |leaf| leaf.not_before = future), "is not valid yet"),
        (
            "wrong address",
            authority.issue_for(&["127.0.0.2"], |_| {}),
            "is for another host, not for 127.0.0.1",
        ),
        ("wrong name", authority.issue_for(&["api.fish.audio"], |_| {}), "is for another host"),
        ("another authority's", Authority::new().issue(), "no trusted issuer"),
        ("self-signed", Identity::self_signed(here, &rcgen::PKCS_ED25519).0, "no trusted issuer"),
        (
            "the authority's own",
            authority.itself(),
            "is that of a certificate authority, which a server may not use",
        ),
        (
            "not for servers",
            authority.issue_for(here, |leaf| {
                leaf.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
            }),
            "is not for servers",
        ),
        (
            "a critical policy",
            authority.issue_for(here, |leaf| {
                // certificatePolicies: 1.2.3
                let mut policy = rcgen::CustomExtension::from_oid_content(
                    &[2, 5, 29, 32],
                    vec![0x30, 6, 0x30, 4, 6, 2, 0x2a, 3],
                );
                policy.set_criticality(true);
                leaf.custom_extensions.push(policy);
            }),
            "has a critical extension that this library does not support",
        ),
        (
            "a signature of another kind",
            authority.issue().altered(|bytes| {
                let places = of_ed25519(bytes);
                assert_eq!(places.len(), 3);
                // Ed448.
                (bytes[places[0]], bytes[places[2]]) = (0x71, 0x71);
            }),
            "has a signature that this library cannot check (it supports RSA of 2048 to 8192 bits",
        ),
        (
            "a wrong signature",
            authority.issue().altered(|bytes| *bytes.last_mut().unwrap() ^= 1),
            "has an invalid signature, or one by a key that is too weak",
        ),
        (
            "issued by one that is no authority",
            authority.issue_through(&[|above| above.is_ca = rcgen::IsCa::ExplicitNoCa]),
            "was issued by a certificate that may not issue any",
        ),
        (
            "issued too far down",
            authority.issue_through(&[
                |above| above.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0)),
                |_| {},
            ]),
            "was issued through more authorities than one of them allows",
        ),
        (
            "issued for a name that is forbidden",
            authority.issue_through(&[|above| {
                let local = rcgen::CidrSubnet::V4([127, 0, 0, 0], [255, 0, 0, 0]);
                above.name_constraints = Some(rcgen::NameConstraints {
                    permitted_subtrees: vec![],
                    excluded_subtrees: vec![rcgen::GeneralSubtree::IpAddress(local)],
                });
            }]),
            "is for a name that its issuer may not issue for",
        ),
    ] {
        let peer = answering(identity.config(BOTH), ok());
        let failure = trusted.fails(&peer.https_url());
        assert_eq!(name(failure.status), "FISH_TLS_FAILED", "{what}: {failure:?}");
        assert!(failure.message.contains(why), "{what}: {}", failure.message);
        assert!(failure.message.contains("the key was not sent"), "{what}: {}", failure.message);
        // No debug text of Rust's.
        assert!(!failure.message.contains(['{', '[']), "{what}: {}", failure.message);
        assert!(!failure.retryable && failure.http_status == 0 && failure.attempts == 1, "{failure:?}");
        peer.await_ended(1);
        assert!(!peer.saw(KEY), "{what}");
    }
}

#[test]
fn the_bundled_roots_are_the_default_and_trust_no_authority_of_a_test() {
    let trusted = Trusted::new();
    let peer = answering(trusted.config(), ok());
    let url = peer.https_url();
    let options = Options { ca_file: None, tls_roots: FISH_TLS_ROOTS_BUNDLED, ..trusted.options(&url) };
    let failure = Client::new(&options).unwrap().get(&Query::default()).unwrap_err();
    assert_eq!(failure.status, FISH_TLS_FAILED, "{failure:?}");
    assert!(failure.message.contains("no trusted issuer"), "{}", failure.message);
    assert!(!peer.saw(KEY));
}

/// A peer that is no TLS server: it reads what the client says first, and answers so.
fn saying(bytes: &'static [u8]) -> Server {
    Server::new(move |mut link| {
        let mut piece = [0; 4096];
        let _ = link.read(&mut piece)?;
        link.write_all(bytes)?;
        link.fin()
    })
}

#[test]
fn a_peer_without_tls_or_with_an_unsafe_version_is_refused_with_a_reason() {
    // A ServerHello of TLS 1.1 (RFC 4346 §7.4.1.3), choosing TLS_RSA_WITH_AES_128_CBC_SHA.
    const TLS_1_1: &[u8] = &[
        0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
        19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 0, 0, 0x2f, 0,
    ];
    let trusted = Trusted::new();
    for (what, bytes, why, again) in [
        (
            "plain http",
            &b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"[..],
            "does not speak TLS",
            false,
        ),
        ("ssh", b"SSH-2.0-OpenSSH_9.2p1\r\n", "does not speak TLS", false),
        ("TLS 1.1 chosen", TLS_1_1, "no secure TLS version or cipher", false),
        ("no common version", &[0x15, 3, 1, 0, 2, 2, 70], "no secure TLS version or cipher", false),
        (
            "handshake_failure",
            &[0x15, 3, 3, 0, 2, 2, 40],
            "rejected the handshake (handshake_failure), perhaps because its ciphers or its certificate",
            false,
        ),
        (
            "unrecognized_name",
            &[0x15, 3, 3, 0, 2, 2, 112],
            "rejected the handshake (unrecognised_name)",
            false,
        ),
        ("closed at once", b"", "the handshake was interrupted", true),
        ("half a record", &[0x16, 3, 3, 0, 99, 2], "the handshake was interrupted", true),
    ] {
        let peer = saying(bytes);
        let failure = trusted.fails(&peer.https_url());
        assert_eq!(name(failure.status), "FISH_TLS_FAILED", "{what}: {failure:?}");
        assert!(failure.message.contains(why), "{what}: {}", failure.message);
        assert_eq!(failure.retryable, again, "{what}");
        peer.await_ended(1);
        assert!(!peer.saw(KEY), "{what}");
    }
}

#[test]
fn a_handshake_cut_at_any_byte_is_a_tls_failure_and_the_key_is_not_sent() {
    let trusted = Trusted::new();
    for versions in [ONLY_1_3, ONLY_1_2] {
        let config = Arc::new(trusted.authority.issue().config(versions));
        // How many bytes a server sends until the client takes the handshake for done.
        let length = Arc::new(AtomicUsize::new(usize::MAX));
        let cut = Arc::new(AtomicUsize::new(usize::MAX));
        let reset = Arc::new(AtomicUsize::new(0));
        let (measured, at, by) = (Arc::clone(&length), Arc::clone(&cut), Arc::clone(&reset));
        let peer = Server::new(move |link| {
            let mut secured = Secured::new(link, &config);
            let mut sent = 0;
            let limit = at.load(Ordering::SeqCst);
            secured.incoming()?;
            loop {
                let done = !secured.tls.is_handshaking();
                let flight = secured.outgoing();
                let room = flight.len().min(limit - sent);
                secured.link.write_all(&flight[..room])?;
                // The tickets of TLS 1.3 are no part of it: the client does not wait for them.
                if !done || secured.tls.protocol_version() != Some(rustls::ProtocolVersion::TLSv1_3) {
                    sent += room;
                }
                if sent == limit {
                    return match by.load(Ordering::SeqCst) {
                        0 => secured.fin(),
                        _ => secured.link.reset(),
                    };
                }
                if done {
                    measured.store(sent, Ordering::SeqCst);
                    return secured.follow(&|_, _| send(ok()));
                }
                secured.incoming()?;
            }
        });
        let url = peer.https_url();
        trusted.client(&url).get(&Query::default()).expect("uncut, it works");
        assert_eq!(peer.times_saw(KEY), 1, "the peer sees what is sent to it");
        let whole = length.load(Ordering::SeqCst);
        assert!((400..4000).contains(&whole), "{whole}");
        let client = trusted.client(&url);
        for by in [0, 1] {
            reset.store(by, Ordering::SeqCst);
            // Every byte of the first records' heads and of the last ones; every seventh between.
            for limit in (0..whole).filter(|at| *at < 16 || whole - at < 16 || at % 7 == 0) {
                cut.store(limit, Ordering::SeqCst);
                let failure = client.get(&Query::default()).expect_err("it was cut");
                let what = format!("{versions:?} cut at {limit} of {whole}, {by}: {failure:?}");
                assert_eq!(failure.status, FISH_TLS_FAILED, "{what}");
                assert!(failure.message.contains("the handshake was interrupted"), "{what}");
                assert!(failure.retryable, "{what}");
            }
        }
        assert_eq!(peer.times_saw(KEY), 1);
    }
}

#[test]
fn a_handshake_that_stalls_ends_at_the_deadline_at_the_connect_timeout_or_on_cancel() {
    let trusted = Trusted::new();
    let config = Arc::new(trusted.config());
    // After how much of its flight the server falls silent: none, a part of a record, all but the last byte.
    for part in [0, 1, 2] {
        let config = Arc::clone(&config);
        let peer = Server::new(move |link| {
            let mut secured = Secured::new(link, &config);
            secured.incoming()?;
            let flight = secured.outgoing();
            let length = [0, flight.len() / 2, flight.len() - 1][part];
            secured.link.write_all(&flight[..length])?;
            secured.link.stall()
        });
        let url = peer.https_url();

        for (by_call, limit, why) in [(true, 300, " timeout_ms"), (false, 200, "connect_timeout_ms")] {
            reached(why, limit, |limit| {
                let (timeout_ms, connect_timeout_ms) =
                    if by_call { (limit, 600_000) } else { (600_000, limit) };
                let options = Options { timeout_ms, connect_timeout_ms, ..trusted.options(&url) };
                let failure = Client::new(&options).unwrap().times_out(why, &Query::default(), limit);
                let words = format!("{why} ({limit} ms) while performing the TLS handshake");
                if failure.message.contains(&words) { Ok(()) } else { Err(failure) }
            });
        }
        let before = peer.connections();
        let under_way = || peer.await_connections(before + 1);
        trusted.client(&url).cancelled("a handshake", &Query::default(), under_way);
        assert!(!peer.saw(KEY));
    }
}

#[test]
fn a_handshake_byte_by_byte_is_accepted() {
    let trusted = Trusted::new();
    let config = Arc::new(trusted.config());
    let peer = Server::new(move |link| {
        let mut secured = Secured::new(link, &config);
        while secured.tls.is_handshaking() {
            let flight = secured.outgoing();
            secured.link.trickle(&flight, Duration::from_micros(50))?;
            if secured.tls.is_handshaking() {
                secured.incoming()?;
            }
        }
        secured.follow(&|_, _| send(ok()))
    });
    let url = peer.https_url();
    let options = Options { timeout_ms: AMPLE, connect_timeout_ms: AMPLE, ..trusted.options(&url) };
    assert_eq!(Client::new(&options).unwrap().get(&Query::default()).unwrap().credit, "12.345678");
}

#[test]
fn a_server_that_requires_a_client_certificate_is_a_tls_failure() {
    let trusted = Trusted::new();
    for versions in [ONLY_1_2, ONLY_1_3] {
        let config = trusted.authority.issue().strict_config(&trusted.authority, versions);
        let failure = trusted.fails(&answering(config, ok()).https_url());
        assert_eq!(name(failure.status), "FISH_TLS_FAILED", "{failure:?}");
        assert!(failure.message.contains("ertificate"), "{failure:?}");
        assert!(!failure.retryable);
    }
}

/// As docs/limits.md says.
const LONGEST_CA_FILE: usize = 16 * 1024 * 1024;

#[test]
fn an_unusable_ca_file_is_refused_when_the_client_is_made() {
    let trusted = Trusted::new();
    let folder = trusted.folder.path();
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let pem = trusted.authority.pem();
    let lines: Vec<&str> = pem.lines().collect();
    let without_end = lines[..lines.len() - 1].join("\n");
    let not_base64 = pem.replacen(lines[1], "!!!!", 1);
    let not_der = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let trailing = [trusted.authority.der(), b"\x30\0"].concat();
    let more_behind =
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----", base64(&trailing));
    let broken_second = format!("certificate in line {} that cannot be decoded", lines.len() + 2);
    let openssls = pem.replace("CERTIFICATE", "TRUSTED CERTIFICATE");
    let container = pem.replace("CERTIFICATE", "PKCS7");
    let large = format!("{}{pem}", "#".repeat(LONGEST_CA_FILE + 1 - pem.len()));
    let key_only = rcgen::KeyPair::generate().unwrap().serialize_pem();
    for (what, path, why) in [
        ("missing", folder.join("none.pem").to_str().unwrap().to_owned(), "could not be opened"),
        ("no path", String::new(), "could not be opened"),
        ("a directory", folder.to_str().unwrap().to_owned(), "is not a file"),
        ("a device", "/dev/zero".to_owned(), "is not a file"),
        ("empty", write("empty.pem", ""), "contains no certificate"),
        ("not PEM", write("text.pem", "hello\nworld\n"), "contains no certificate"),
        ("a key", write("key.pem", &key_only), "contains no certificate"),
        ("cut short", write("cut.pem", &without_end), "has a section in line 1 that does not end"),
        ("not base64", write("base64.pem", &not_base64), "certificate in line 1 that is not valid base64"),
        ("not DER", write("der.pem", not_der), "certificate in line 1 that cannot be decoded"),
        ("more behind it", write("more.pem", &more_behind), "certificate in line 1 that cannot be decoded"),
        ("a broken one after a good one", write("two.pem", &format!("{pem}\n{not_der}")), &broken_second),
        ("OpenSSL's", write("trusted.pem", &format!("{pem}{openssls}")), "of OpenSSL's TRUSTED kind"),
        ("a container", write("pkcs7.pem", &format!("{pem}{container}")), "does not support (PKCS7)"),
        ("a byte order mark alone", write("bom.pem", "\u{feff}"), "contains no certificate"),
        ("beyond 16 MiB", write("large.pem", &large), "is larger than 16 MiB"),
    ] {
        // Even where it will not be used.
        for url in ["https://127.0.0.1:1", "http://127.0.0.1:1"] {
            let options = Options { ca_file: Some(&path), ..trusted.options(url) };
            let failure = Client::new(&options).err().expect(what);
            assert_eq!(name(failure.status), "FISH_INVALID_ARGUMENT", "{what}: {failure:?}");
            assert!(failure.message.starts_with("options.ca_file "), "{what}: {}", failure.message);
            assert!(failure.message.contains(why), "{what}: {}", failure.message);
            assert_eq!(failure.attempts, 0, "{what}");
        }
    }
}

/// The certificate that matters is the last, so that none before it and not it itself can have been passed over.
#[test]
fn a_ca_file_is_read_in_every_usual_form() {
    let trusted = Trusted::new();
    let (other, pem) = (Authority::new().pem(), trusted.authority.pem());
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let peer = answering(trusted.config(), ok());
    let url = peer.https_url();
    for (what, text) in [
        ("text between, as systems keep them", format!("# one\n{other}\n# two\n{pem}")),
        ("a byte order mark", format!("\u{feff}{pem}")),
        ("two files with byte order marks", format!("\u{feff}{other}\u{feff}{pem}")),
        ("glued without a line end", format!("{}{pem}", other.trim_end())),
        ("no last line end", pem.trim_end().to_owned()),
        ("Windows line ends", format!("{other}{pem}").replace('\n', "\r\n")),
        ("an older label", format!("{other}{pem}").replace("CERTIFICATE", "X509 CERTIFICATE")),
        ("a key beside", format!("{key}{pem}")),
        ("twice", format!("{pem}{pem}")),
        ("as long as may be", format!("{}\n{pem}", "#".repeat(LONGEST_CA_FILE - 1 - pem.len()))),
    ] {
        let path = trusted.folder.path().join("read.pem");
        std::fs::write(&path, text).unwrap();
        let options = Options { ca_file: path.to_str(), ..trusted.options(&url) };
        let got = Client::new(&options).and_then(|client| client.get(&Query::default()));
        assert_eq!(got.expect(what).credit, "12.345678");
    }
}

/// Runs tests/host/ask.c with these arguments and this environment; gives what it printed.
fn ask(folder: &Path, arguments: &[String], environment: &[(&str, &str)]) -> String {
    let program = c::host_program("ask", &[], folder);
    c::run(c::command(&program).args(arguments).envs(environment.iter().copied()))
}

#[cfg(all(feature = "system-roots", target_os = "linux"))]
#[test]
fn the_systems_roots_are_what_ssl_cert_file_says() {
    let trusted = Trusted::new();
    let other = tempfile::tempdir().unwrap();
    let stranger = Authority::new().file(other.path());
    let peer = answering(trusted.config(), ok());
    let base = format!("base_url={}", peer.https_url());
    let arguments = |roots: &str| vec![format!("api_key={KEY}"), base.clone(), format!("tls_roots={roots}")];
    let none = other.path().join("none.pem");
    for (what, roots, file, want) in [
        ("the system trusts it", "1", trusted.ca_file.as_str(), "FISH_OK 12.345678"),
        (
            "the system trusts another",
            "1",
            &stranger,
            "FISH_TLS_FAILED 1 The TLS connection failed: the server's certificate has no trusted issuer",
        ),
        ("bundled roots do not look there", "0", &trusted.ca_file, "FISH_TLS_FAILED 1 "),
        (
            "the system's cannot be read",
            "1",
            none.to_str().unwrap(),
            "FISH_TLS_FAILED 0 The system's certificates could not be read",
        ),
    ] {
        let printed =
            ask(trusted.folder.path(), &arguments(roots), &[("SSL_CERT_FILE", file), ("SSL_CERT_DIR", "")]);
        assert!(printed.starts_with(want), "{what}: {printed}");
    }
    assert_eq!(peer.times_saw(KEY), 1);
}

#[cfg(not(feature = "system-roots"))]
#[test]
fn a_build_without_the_systems_roots_says_so() {
    let options = Options { tls_roots: FISH_TLS_ROOTS_SYSTEM, ..Options::test() };
    let failure = Client::new(&options).err().expect("refused");
    assert_eq!(failure.status, FISH_INVALID_ARGUMENT);
    assert_eq!(
        failure.message,
        "options.tls_roots is FISH_TLS_ROOTS_SYSTEM, which this build of the library does not include; use \
         FISH_TLS_ROOTS_BUNDLED or options.ca_file."
    );
}

#[test]
fn no_process_wide_provider_is_used_or_installed() {
    let trusted = Trusted::new();
    let peer = answering(trusted.config(), ok());
    assert!(trusted.client(&peer.https_url()).get(&Query::default()).is_ok());
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
}

#[test]
fn an_answer_cut_below_tls_is_a_lost_connection() {
    let until_close = format!("HTTP/1.1 200 OK\r\n\r\n{DOCUMENT}");
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{DOCUMENT}\r\n",
        DOCUMENT.len()
    );
    let whole = String::from_utf8(ok()).unwrap();
    let trusted = Trusted::new();
    for (what, bytes, notify, want) in [
        ("until close, with close_notify", until_close.as_str(), true, FISH_OK),
        ("until close, without", &until_close, false, FISH_CONNECTION_LOST),
        ("until close, cut short", &until_close[..until_close.len() - 9], false, FISH_CONNECTION_LOST),
        ("a length, with close_notify", &whole, true, FISH_OK),
        ("a length, without", &whole, false, FISH_OK),
        ("a length, cut short", &whole[..whole.len() - 1], true, FISH_CONNECTION_LOST),
        ("a length, cut short, without", &whole[..whole.len() - 1], false, FISH_CONNECTION_LOST),
        ("chunked, no last chunk", &chunked, true, FISH_CONNECTION_LOST),
        ("chunked, no last chunk, without", &chunked, false, FISH_CONNECTION_LOST),
        ("nothing", "", true, FISH_CONNECTION_LOST),
        ("nothing, without", "", false, FISH_CONNECTION_LOST),
    ] {
        for versions in [ONLY_1_3, ONLY_1_2] {
            let bytes = bytes.to_owned();
            let peer = server(trusted.authority.issue().config(versions), move |mut secured| {
                secured.head()?;
                secured.send(bytes.as_bytes())?;
                if notify {
                    secured.close_notify()?;
                }
                secured.link.fin()
            });
            let got = trusted.client(&peer.https_url()).get(&Query::default());
            let status = got.as_ref().map_or_else(|failure| failure.status, |_| FISH_OK);
            assert_eq!(name(status), name(want), "{what}: {got:?}");
        }
    }
}

#[test]
fn a_reset_below_tls_is_told_as_one() {
    let trusted = Trusted::new();
    let peer = server(trusted.config(), |mut secured| {
        secured.head()?;
        secured.link.reset()
    });
    let in_handshake = Server::new(|mut link| {
        link.read_exact(&mut [0])?;
        link.reset()
    });
    for (peer, status) in [(peer, "FISH_CONNECTION_LOST"), (in_handshake, "FISH_TLS_FAILED")] {
        let failure = trusted.client(&peer.https_url()).get(&Query::default()).unwrap_err();
        assert_eq!(name(failure.status), status);
        assert!(failure.message.contains("(the server reset it)"), "{}", failure.message);
    }
}

#[test]
fn a_server_that_has_closed_does_not_kill_a_c_program_by_sigpipe() {
    let trusted = Trusted::new();
    let config = Arc::new(trusted.config());
    // It shows all it has to show and is gone: the client's Finished meets a closed socket, and its request a
    // reset one.
    let peer = Server::new(move |link| {
        let mut secured = Secured::new(link, &config);
        secured.incoming()?;
        let flight = secured.outgoing();
        secured.link.write_all(&flight)?;
        secured.link.close()
    });
    let program = c::host_program("sigpipe", &[], trusted.folder.path());
    let printed = c::run(c::command(&program).args([KEY, &peer.https_url(), &trusted.ca_file]));
    assert_eq!(printed, "survived 100 failures\n");
    assert_eq!(peer.connections(), 100);
}

#[test]
fn a_kept_connection_carries_the_next_call() {
    let trusted = Trusted::new();
    for versions in [ONLY_1_3, ONLY_1_2] {
        let peer = answering(trusted.authority.issue().config(versions), ok());
        let client = trusted.client(&peer.https_url());
        for _ in 0..5 {
            client.get(&Query::default()).unwrap();
        }
        assert_eq!(peer.connections(), 1);
    }
}

#[test]
fn tickets_and_key_updates_after_an_answer_are_harmless() {
    let trusted = Trusted::new();
    // Tickets after the answer: the answer goes out with the server's first flight, the tickets only once the
    // client's last one has come.
    let mut early = trusted.authority.issue().config(ONLY_1_3);
    early.send_half_rtt_data = true;
    let config = Arc::new(early);
    let peer = Server::new(move |link| {
        let mut secured = Secured::new(link, &config);
        secured.incoming()?;
        secured.send(&ok())?;
        while secured.tls.is_handshaking() {
            secured.incoming()?;
        }
        let tickets = secured.outgoing();
        assert!(!tickets.is_empty());
        secured.link.write_all(&tickets)?;
        secured.head()?;
        secured.follow(&|_, _| send(ok()))
    });
    let client = trusted.client(&peer.https_url());
    for _ in 0..4 {
        assert_eq!(client.get(&Query::default()).unwrap().credit, "12.345678", "tickets");
    }

    // A new key after each answer (RFC 8446 §4.6.3), which the client must answer with one of its own.
    let peer = server(trusted.authority.issue().config(ONLY_1_3), |mut secured| {
        while secured.head()?.is_some() {
            secured.send(&ok())?;
            secured.tls.refresh_traffic_keys().unwrap();
            let update = secured.outgoing();
            secured.link.write_all(&update)?;
        }
        Ok(())
    });
    let client = trusted.client(&peer.https_url());
    for _ in 0..4 {
        assert_eq!(client.get(&Query::default()).unwrap().credit, "12.345678", "key updates");
    }
}

#[test]
fn a_connection_that_the_server_ended_is_not_used_again() {
    let trusted = Trusted::new();
    // In the answer's own packet, so that the socket itself has nothing more to tell; and left open.
    let peer = server(trusted.config(), |mut secured| {
        secured.head()?;
        let mut bytes = secured.encrypt(&ok());
        secured.tls.send_close_notify();
        bytes.extend(secured.outgoing());
        secured.link.write_all(&bytes)?;
        while secured.head()?.is_some() {}
        Ok(())
    });
    let client = trusted.client(&peer.https_url());
    for _ in 0..3 {
        client.get(&Query::default()).unwrap();
    }
    drop(client);
    peer.await_ended(3);
    assert_eq!(peer.connections(), 3);
    assert_eq!(peer.times_saw(KEY), 3, "no request was sent into a connection that had ended");
}

#[test]
fn a_kept_connection_that_ends_with_an_alert_is_replaced() {
    let trusted = Trusted::new();
    for versions in [ONLY_1_3, ONLY_1_2] {
        let peer = server(trusted.authority.issue().config(versions), |mut secured| {
            secured.head()?;
            secured.send(&ok())?;
            secured.head()?;
            // A record that was not encrypted by the client: rustls complains of it by an alert.
            secured.tls.read_tls(&mut &[&[23, 3, 3, 0, 32][..], &[0; 32]].concat()[..])?;
            assert!(secured.tls.process_new_packets().is_err());
            let alert = secured.outgoing();
            assert!(!alert.is_empty());
            secured.link.write_all(&alert)?;
            secured.link.fin()
        });
        let client = trusted.client(&peer.https_url());
        for _ in 0..3 {
            assert_eq!(client.get(&Query::default()).unwrap().credit, "12.345678", "{versions:?}");
        }
        assert_eq!(peer.connections(), 3, "{versions:?}");
    }
}

#[test]
fn an_unsolicited_answer_is_never_taken_for_the_next_one() {
    let trusted = Trusted::new();
    let second = answer(200, "", document("66.6"));
    // However the two answers lie in the client's buffer: in one TLS record, in two, ending where it ends.
    for length in (4000..4200).chain([1000, 8192, 16_000]) {
        let padding = length - answer(200, "X: \r\n", DOCUMENT).len();
        let first = answer(200, &format!("X: {}\r\n", "x".repeat(padding)), DOCUMENT);
        assert_eq!(first.len(), length);
        let second = second.clone();
        let peer = server(trusted.config(), move |mut secured| {
            secured.head()?;
            secured.send(&[&first[..], &second].concat())?;
            secured.follow(&|_, _| send(ok()))
        });
        let client = trusted.client(&peer.https_url());
        for _ in 0..2 {
            assert_eq!(client.get(&Query::default()).unwrap().credit, "12.345678", "{length}");
        }
    }
}

#[test]
fn unread_bytes_in_a_kept_connection_end_it() {
    let trusted = Trusted::new();
    let wrong = answer(200, "", document("66.6"));
    for versions in [ONLY_1_3, ONLY_1_2] {
        // With the answer, or while it lies idle: more than rustls reads at once, too.
        for (length, idle) in
            [1, 4096, 5000, 20_000, 100_000].into_iter().flat_map(|length| [(length, false), (length, true)])
        {
            let unasked = [&wrong[..], &vec![b' '; length]].concat()[..length].to_vec();
            let sent = Arc::new(Barrier::new(2));
            let told = Arc::clone(&sent);
            let peer = server(trusted.authority.issue().config(versions), move |mut secured| {
                let mut first = secured.link.number == 0;
                while secured.head()?.is_some() {
                    secured.send(&ok())?;
                    if std::mem::take(&mut first) {
                        if idle {
                            told.wait();
                        }
                        secured.send(&unasked)?;
                        told.wait();
                    }
                }
                Ok(())
            });
            let client = trusted.client(&peer.https_url());
            client.get(&Query::default()).unwrap();
            if idle {
                sent.wait();
            }
            sent.wait();
            for _ in 0..2 {
                assert_eq!(client.get(&Query::default()).unwrap().credit, "12.345678", "{length}");
            }
            assert_eq!(peer.connections(), 2, "{versions:?}: {length}");
        }

        // The start of a record, in one packet with the answer; its end comes when the next request has.
        for part in [1, 4, 5, 6, 100, 300] {
            let wrong = wrong.clone();
            let peer = server(trusted.authority.issue().config(versions), move |mut secured| {
                secured.head()?;
                let answer = secured.encrypt(&ok());
                if secured.link.number > 0 {
                    return secured.link.write_all(&answer).and_then(|()| secured.link.stall());
                }
                let record = secured.encrypt(&wrong);
                secured.link.write_all(&[&answer[..], &record[..part]].concat())?;
                secured.link.read_exact(&mut [0])?;
                secured.link.write_all(&record[part..])?;
                secured.link.stall()
            });
            let client = trusted.client(&peer.https_url());
            for _ in 0..2 {
                assert_eq!(client.get(&Query::default()).unwrap().credit, "12.345678", "{part}");
            }
            assert_eq!(peer.connections(), 2, "{versions:?}: {part} bytes of a record");
        }
    }
}

#[test]
fn a_record_that_arrives_byte_by_byte_is_read_and_a_deadline_holds_inside_one() {
    let trusted = Trusted::new();
    let peer = server(trusted.config(), |mut secured| {
        while secured.head()?.is_some() {
            secured.trickle(&ok(), Duration::from_micros(200))?;
        }
        Ok(())
    });
    let client = trusted.client(&peer.https_url());
    for _ in 0..2 {
        let query = Query { timeout_ms: AMPLE, ..Query::default() };
        assert_eq!(client.get(&query).unwrap().credit, "12.345678");
    }
    assert_eq!(peer.connections(), 1);

    let peer = server(trusted.config(), |mut secured| {
        secured.head()?;
        secured.trickle(&ok(), Duration::from_millis(20))
    });
    let query = Query { timeout_ms: 400, ..Query::default() };
    trusted.client(&peer.https_url()).times_out("a record", &query, 400);
}

#[test]
fn deadline_and_cancel_hold_while_the_body_is_read() {
    let trusted = Trusted::new();
    let peer = server(trusted.config(), |mut secured| {
        secured.head()?;
        let whole = ok();
        secured.send(&whole[..whole.len() - 1])?;
        secured.link.stall()
    });
    let client = trusted.client(&peer.https_url());
    reached("a body", 300, |limit| {
        let query = Query { timeout_ms: limit, ..Query::default() };
        let failure = client.times_out("a body", &query, limit);
        if failure.message.contains("receiving the response") { Ok(()) } else { Err(failure) }
    });
    let before = peer.requests().len();
    client.cancelled("a body", &Query::default(), || peer.await_requests(before + 1));
}

#[test]
fn http_1_1_is_what_is_negotiated() {
    let trusted = Trusted::new();
    for versions in [ONLY_1_3, ONLY_1_2] {
        let offering = |protocols: &[&str]| {
            let mut config = trusted.authority.issue().config(versions);
            config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
            server(config, |mut secured| {
                assert!(secured.head()?.is_some());
                let chosen = secured.tls.alpn_protocol().map(<[u8]>::to_vec).unwrap_or_default();
                let document = DOCUMENT.replace("fedcba9876543210", &String::from_utf8(chosen).unwrap());
                secured.send(&answer(200, "", document))?;
                secured.link.stall()
            })
        };
        for protocols in [&["h2", "http/1.1"][..], &["http/1.1"]] {
            let peer = offering(protocols);
            let credit = trusted.client(&peer.https_url()).get(&Query::default()).unwrap();
            assert_eq!(credit.user_id, "http/1.1http/1.1", "{protocols:?}");
        }
        let failure = trusted.fails(&offering(&["h2"]).https_url());
        assert_eq!(name(failure.status), "FISH_TLS_FAILED", "{failure:?}");
        assert!(failure.message.contains("no_application_protocol"), "{}", failure.message);
        assert!(!failure.retryable);
    }
}

#[test]
fn a_second_connection_resumes_the_session() {
    let trusted = Trusted::new();
    for versions in [ONLY_1_3, ONLY_1_2] {
        let resumed = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&resumed);
        let peer = server(trusted.authority.issue().config(versions), move |mut secured| {
            if secured.tls.handshake_kind() == Some(rustls::HandshakeKind::Resumed) {
                count.fetch_add(1, Ordering::SeqCst);
            }
            secured.head()?;
            secured.send(&answer(200, "Connection: close\r\n", DOCUMENT))?;
            secured.close_notify()?;
            secured.link.fin()
        });
        let client = trusted.client(&peer.https_url());
        for _ in 0..4 {
            client.get(&Query::default()).unwrap();
        }
        assert_eq!(peer.connections(), 4);
        assert!(resumed.load(Ordering::SeqCst) > 0, "{versions:?}");
    }
}
