//! Reads the certificates of a PEM file (RFC 7468). Real files may have a byte order mark, text and keys between the
//! certificates, or no line break between two. Every certificate is read, or the file is rejected and the line named;
//! none is skipped silently.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;

const BEGIN: &[u8] = b"-----BEGIN ";
const DASHES: &[u8] = b"-----";

/// Outside of sections, these reveal a BEGIN or END line that is damaged or unmatched.
const DAMAGED: [&[u8]; 4] =
    [b"BEGIN CERTIFICATE", b"END CERTIFICATE", b"BEGIN X509 CERTIFICATE", b"BEGIN TRUSTED CERTIFICATE"];

/// The certificates, each with its first line's number. A failure continues a sentence that starts with
/// "options.ca_file".
pub(super) fn certificates(text: &[u8]) -> Result<Vec<(usize, CertificateDer<'static>)>, String> {
    if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
        return Err("is UTF-16 text (save it as UTF-8)".to_owned());
    }
    let mut found = Vec::new();
    let mut rest = Rest { text: text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text), line: 1 };
    loop {
        let (unread, line) = (rest.text, rest.line);
        let before = rest.take_until(BEGIN);
        let outside = before.unwrap_or(unread);
        if let Some(at) = DAMAGED.iter().filter_map(|words| position(outside, words)).min() {
            let line = line + lines(&outside[..at]);
            return Err(format!("has a BEGIN or END in line {line} that is damaged or unmatched"));
        }
        if before.is_none() {
            return Ok(found);
        }
        let line = rest.line;
        let label = rest.take_until(DASHES).filter(|label| !label.contains(&b'\n') && label.len() <= 64);
        let Some(label) = label else {
            return Err(format!("has a BEGIN in line {line} that is damaged"));
        };
        let body = rest.take_until(&[b"-----END ", label, DASHES].concat());
        let Some(body) = body.filter(|body| position(body, BEGIN).is_none()) else {
            return Err(format!("has a section in line {line} that does not end"));
        };
        match label {
            b"CERTIFICATE" | b"X509 CERTIFICATE" => {
                let letters: Vec<u8> = body.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
                match STANDARD.decode(letters) {
                    Ok(der) => found.push((line, der.into())),
                    Err(_) => {
                        return Err(format!("has a certificate in line {line} that is not valid base64"));
                    }
                }
            }
            b"TRUSTED CERTIFICATE" => {
                return Err(format!(
                    "has a certificate in line {line} of OpenSSL's TRUSTED kind, whose trust settings this library \
                     does not support (openssl x509 -in OLD -out NEW converts it)"
                ));
            }
            b"X509 CRL" | b"CERTIFICATE REQUEST" | b"NEW CERTIFICATE REQUEST" => {}
            _ if label.ends_with(b"KEY") || label.ends_with(b"PARAMETERS") => {}
            _ => {
                return Err(format!(
                    "has a section in line {line} that this library does not support ({})",
                    label.escape_ascii()
                ));
            }
        }
    }
}

/// The unread text, and the number of its first line.
struct Rest<'a> {
    text: &'a [u8],
    line: usize,
}

impl<'a> Rest<'a> {
    /// Takes the text before `end`, and skips `end`; `None` if there is no `end`.
    fn take_until(&mut self, end: &[u8]) -> Option<&'a [u8]> {
        let at = position(self.text, end)?;
        let taken = &self.text[..at];
        self.line += lines(taken);
        self.text = &self.text[at + end.len()..];
        Some(taken)
    }
}

fn position(text: &[u8], words: &[u8]) -> Option<usize> {
    text.windows(words.len()).position(|window| window == words)
}

fn lines(text: &[u8]) -> usize {
    text.iter().filter(|&&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";

    #[test]
    fn every_certificate_is_read_or_rejected_with_its_line() {
        let labelled = |label: &str| ONE.replace("CERTIFICATE", label);
        let two: Result<&[usize], &str> = Ok(&[1, 4]);
        for (what, text, want) in [
            ("nothing", String::new(), Ok(&[][..])),
            ("one", ONE.to_owned(), Ok(&[1])),
            ("no last line end", ONE.trim_end().to_owned(), Ok(&[1])),
            ("two", ONE.repeat(2), two),
            ("a byte order mark", format!("\u{feff}{}", ONE.repeat(2)), two),
            ("a byte order mark between", format!("{ONE}\u{feff}{ONE}"), two),
            ("glued", ONE.trim_end().repeat(2), Ok(&[1, 3])),
            ("glued to text", format!("subject=x{ONE}"), Ok(&[1])),
            ("CRLF", ONE.repeat(2).replace('\n', "\r\n"), two),
            ("CR", ONE.repeat(2).replace('\n', "\r"), Ok(&[1, 1])),
            ("white space", ONE.replace("AQID", " AQ \n\n\tID "), Ok(&[1])),
            ("indented", ONE.replace('\n', "\n  "), Ok(&[1])),
            ("on one line", ONE.replace('\n', ""), Ok(&[1])),
            ("text around", format!("a\n# b\n{ONE}c\n\n{ONE}d"), Ok(&[3, 8])),
            ("another label", labelled("X509 CERTIFICATE").repeat(2), two),
            ("keys beside", format!("{}{ONE}{}", labelled("EC PRIVATE KEY"), labelled("KEY")), Ok(&[4])),
            (
                "what a server's own file has",
                labelled("EC PARAMETERS") + &labelled("X509 CRL") + ONE,
                Ok(&[7]),
            ),
            ("a request", labelled("CERTIFICATE REQUEST") + ONE, Ok(&[4])),
            //
            ("trusted", format!("{ONE}{}", labelled("TRUSTED CERTIFICATE")), Err("in line 4 of OpenSSL's")),
            ("a container", format!("{ONE}{}", labelled("PKCS7")), Err("in line 4 that this library")),
            (
                "small letters",
                ONE.to_lowercase().replace("begin", "BEGIN").replace("end", "END"),
                Err("line 1"),
            ),
            ("no label", labelled(""), Err("line 1")),
            (
                "no end",
                format!("{ONE}-----BEGIN CERTIFICATE-----\nAQID\n"),
                Err("in line 4 that does not end"),
            ),
            (
                "no end before the next",
                format!("-----BEGIN CERTIFICATE-----\nAQID\n{ONE}"),
                Err("in line 1 that does not end"),
            ),
            ("another end", ONE.replace("END C", "END X509 C"), Err("in line 1 that does not end")),
            ("four dashes", ONE.to_owned() + &ONE[1..], Err("in line 4 that is damaged")),
            ("four dashes at last", ONE.replace("\n-----E", "\n----E"), Err("line 1")),
            ("four dashes behind", ONE.trim_end().trim_end_matches('-').to_owned() + "----", Err("line 1")),
            ("a long dash", format!("{ONE}\n{}", ONE.replace("-----", "\u{2014}")), Err("in line 5 that is")),
            ("an end too many", format!("{ONE}\n-----END CERTIFICATE-----"), Err("in line 5 that is")),
            ("a begin that goes on", "-----BEGIN CERTIFICATE\nAQID".to_owned(), Err("line 1")),
            ("a label of two lines", labelled("A\nKEY"), Err("BEGIN in line 1 that is damaged")),
            (
                "a long label",
                labelled(&format!("{} KEY", "A".repeat(61))),
                Err("BEGIN in line 1 that is damaged"),
            ),
            ("the longest label", labelled(&format!("{} KEY", "A".repeat(60))) + ONE, Ok(&[4])),
            ("not base64", ONE.replace("AQID", "AQ*D"), Err("in line 1 that is not valid base64")),
            ("base64 cut short", format!("\n{}", ONE.replace("AQID", "AQI")), Err("in line 2 that is not")),
            ("a field of a mail", ONE.replace("AQID", "X: y\n\nAQID"), Err("in line 1 that is not")),
            ("commented out", format!("{ONE}{}", ONE.replace('\n', "\n#")), Err("in line 4 that is not")),
        ] {
            let got = certificates(text.as_bytes());
            match (&got, want) {
                (Ok(found), Ok(lines)) => {
                    assert_eq!(found.iter().map(|(line, _)| *line).collect::<Vec<_>>(), lines, "{what}");
                    assert!(found.iter().all(|(_, der)| der.as_ref() == [1, 2, 3]), "{what}: {got:?}");
                }
                (Err(why), Err(words)) => assert!(why.contains(words), "{what}: {why}"),
                _ => panic!("{what}: {got:?}, not {want:?}"),
            }
        }
        for bytes in [&b"\xff\xfe-\0-\0"[..], b"\xfe\xff\0-"] {
            assert!(certificates(bytes).unwrap_err().contains("UTF-16"));
        }
        // Other text need not be UTF-8.
        assert_eq!(certificates(&[b"\xe9t\xe9\0\n", ONE.as_bytes()].concat()).unwrap().len(), 1);
    }
}
