//! Which certificates to trust: the roots, and limits on the chain that a server sends. rustls uses ring, passed
//! explicitly; the process-wide default provider is not set.

use std::io::Read;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, OtherError, RootCertStore, SignatureScheme,
};

use crate::error::{Error, Result};
use crate::http::pem;
use crate::status::Status;

/// Far above any list of authorities; Mozilla's is a quarter of a megabyte.
const MAX_CA_FILE: u64 = 16 * 1024 * 1024;

/// Where the trusted certificates come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Roots<'a> {
    Bundled,
    System,
    File(&'a str),
}

/// The base of a client's TLS configurations, in this process and its forked children.
#[derive(Debug, Clone)]
pub(crate) struct Trust {
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn ServerCertVerifier>,
}

impl Trust {
    pub(crate) fn new(roots: Roots<'_>) -> Result<Trust> {
        // rustls would panic.
        if getrandom::getrandom(&mut [0]).is_err() {
            let message = "The system refuses random numbers, without which there is no TLS; let the sandbox allow getrandom.";
            return Err(Error::new(Status::TlsFailed, message));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier: Arc<dyn ServerCertVerifier> = match roots {
            Roots::Bundled => {
                let store = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
                verifier(store, &provider)?
            }
            Roots::File(path) => verifier(read_pem(path)?, &provider)?,
            Roots::System => system(&provider)?,
        };
        Ok(Trust { provider, verifier: Arc::new(Bounded(verifier)) })
    }

    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .expect("ring has the suites of TLS 1.2 and 1.3")
            // "Dangerous" because the verifier is ours to choose: it is rustls' own or the platform's.
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&self.verifier))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Arc::new(config)
    }
}

/// How many of a server's intermediate certificates are used. Real chains have at most four. Searching a path through
/// eleven that can all sign each other takes seconds, during which no deadline or cancel has an effect.
pub(super) const MAX_INTERMEDIATES: usize = 6;
/// How many of them may have the same name. A cross-signed one comes twice; every further one doubles the paths.
const MAX_OF_A_NAME: usize = 2;
/// The total size of their keys in bytes: six usual keys, or two RSA keys of 8192 bits. The time to check a signature
/// grows with its key.
const MAX_KEYS: usize = 3 * 1024;
/// The limit on the size of all name constraints times the largest certificate, in bytes squared: every constraint is
/// compared with every name. Real constraints are a few hundred bytes, for certificates of a few thousand.
const MAX_COMPARED: usize = 16 * 1024 * 1024;

/// A verifier that passes only chains within these limits to another one.
#[derive(Debug)]
struct Bounded(Arc<dyn ServerCertVerifier>);

/// The part of a chain that is within the limits; `None` if verifying it would take too long.
fn considered<'a>(
    end_entity: &CertificateDer<'_>,
    intermediates: &'a [CertificateDer<'a>],
) -> Option<Vec<CertificateDer<'a>>> {
    let mut considered = Vec::with_capacity(MAX_INTERMEDIATES);
    let mut names = Vec::with_capacity(MAX_INTERMEDIATES);
    let (mut keys, mut constraints, mut largest) = (0, 0, end_entity.len());
    for certificate in intermediates.iter().take(MAX_INTERMEDIATES) {
        let Ok(parsed) = webpki::anchor_from_trusted_cert(certificate) else { continue };
        keys += parsed.subject_public_key_info.len();
        let same = names.iter().filter(|name| **name == parsed.subject).count();
        if keys > MAX_KEYS || same >= MAX_OF_A_NAME {
            continue;
        }
        constraints += parsed.name_constraints.map_or(0, |constraints| constraints.len());
        largest = largest.max(certificate.len());
        names.push(parsed.subject);
        considered.push(CertificateDer::from(certificate.as_ref()));
    }
    (constraints.saturating_mul(largest) <= MAX_COMPARED).then_some(considered)
}

impl ServerCertVerifier for Bounded {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        let Some(intermediates) = considered(end_entity, intermediates) else {
            let why = OtherError(Arc::new(webpki::Error::MaximumNameConstraintComparisonsExceeded));
            return Err(CertificateError::Other(why).into());
        };
        self.0.verify_server_cert(end_entity, &intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.0.requires_raw_public_keys()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.0.root_hint_subjects()
    }
}

fn verifier(store: RootCertStore, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>> {
    match WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider)).build() {
        Ok(verifier) => Ok(verifier),
        Err(why) => {
            Err(Error::new(Status::TlsFailed, format!("The trusted certificates are unusable: {why}.")))
        }
    }
}

#[cfg(feature = "system-roots")]
fn system(provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>> {
    match rustls_platform_verifier::Verifier::new(Arc::clone(provider)) {
        Ok(verifier) => Ok(Arc::new(verifier)),
        Err(why) => Err(Error::new(
            Status::TlsFailed,
            format!(
                "The system's certificates could not be read ({why}); install them (often a package named \
                 ca-certificates) or set options.tls_roots to FISH_TLS_ROOTS_BUNDLED."
            ),
        )),
    }
}

#[cfg(not(feature = "system-roots"))]
fn system(_: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>> {
    Err(Error::invalid(
        "options.tls_roots is FISH_TLS_ROOTS_SYSTEM, which this build of the library does not include; use \
         FISH_TLS_ROOTS_BUNDLED or options.ca_file.",
    ))
}

fn read_pem(path: &str) -> Result<RootCertStore> {
    let refuse =
        |why: String| Error::invalid(format!("options.ca_file {why}; set it to a PEM file of certificates."));
    let unopened = |why: std::io::Error| refuse(format!("could not be opened ({why})"));
    // Opening a pipe would block, and reading a device may never end.
    if !std::fs::metadata(path).map_err(unopened)?.is_file() {
        return Err(refuse("is not a file".to_owned()));
    }
    let mut text = Vec::new();
    let file = std::fs::File::open(path).map_err(unopened)?;
    file.take(MAX_CA_FILE + 1)
        .read_to_end(&mut text)
        .map_err(|why| refuse(format!("could not be read ({why})")))?;
    if text.len() as u64 > MAX_CA_FILE {
        return Err(refuse(format!("is larger than {} MiB", MAX_CA_FILE >> 20)));
    }
    let mut store = RootCertStore::empty();
    for (line, certificate) in pem::certificates(&text).map_err(refuse)? {
        store
            .add(certificate)
            .map_err(|_| refuse(format!("has a certificate in line {line} that cannot be decoded")))?;
    }
    if store.is_empty() {
        return Err(refuse("contains no certificate".to_owned()));
    }
    Ok(store)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{
        CertificateParams, DnType, GeneralSubtree, KeyPair, NameConstraints, PKCS_RSA_SHA256, PublicKeyData,
        SignatureAlgorithm, SigningKey,
    };

    /// A certificate of this name that forbids as many names.
    fn certificate(name: &str, constraints: usize) -> CertificateDer<'static> {
        of_key(name, constraints, &KeyPair::generate().unwrap())
    }

    /// In a certificate its key takes as many bytes. Nobody checks that it is none.
    struct Key(Vec<u8>);

    impl Key {
        fn taking(bytes: usize) -> Key {
            // Around it: its algorithm, and the lengths of both.
            Key(vec![0; bytes - 20])
        }
    }

    impl PublicKeyData for Key {
        fn der_bytes(&self) -> &[u8] {
            &self.0
        }

        fn algorithm(&self) -> &'static SignatureAlgorithm {
            &PKCS_RSA_SHA256
        }
    }

    impl SigningKey for Key {
        fn sign(&self, _: &[u8]) -> std::result::Result<Vec<u8>, rcgen::Error> {
            Ok(vec![0; 256])
        }
    }

    fn of_key(name: &str, constraints: usize, key: &impl SigningKey) -> CertificateDer<'static> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::OrganizationName, name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        if constraints > 0 {
            let name = |n: usize| GeneralSubtree::DnsName(format!("{n:0>50}.test"));
            let excluded_subtrees = (0..constraints).map(name).collect();
            params.name_constraints = Some(NameConstraints { permitted_subtrees: vec![], excluded_subtrees });
        }
        params.self_signed(key).unwrap().der().clone()
    }

    #[test]
    fn what_is_considered_of_a_chain() {
        let server = certificate("server", 0);
        let [a, b] = ["a", "b"].map(|name| certificate(name, 0));
        let others: Vec<_> = (0..9).map(|n| certificate(&n.to_string(), 0)).collect();
        let considers = |chain: &[CertificateDer<'_>], want: &[CertificateDer<'_>]| {
            assert_eq!(considered(&server, chain).as_deref(), Some(want));
        };
        considers(&[], &[]);
        considers(&others, &others[..6]);
        let again = [&a, &b].map(|one| [one.clone(), one.clone(), one.clone()]).concat();
        considers(&again, &[&a, &a, &b, &b].map(Clone::clone));
        considers(&[CertificateDer::from(vec![0]), a.clone()], &[a]);

        // Two keys that take all there is for them, and a third.
        let large = ["1", "2", "3"].map(|name| of_key(name, 0, &Key::taking(MAX_KEYS / 2)));
        let parsed = webpki::anchor_from_trusted_cert(&large[0]).unwrap();
        assert_eq!(parsed.subject_public_key_info.len(), MAX_KEYS / 2);
        considers(&large, &large[..2]);

        // Sixty constraints take less than 4 KiB, in a certificate that is hardly larger.
        let constrained = certificate("c", 60);
        considers(&[constrained.clone(), b.clone()], &[constrained.clone(), b]);
        assert!(considered(&server, &[constrained.clone(), constrained.clone()]).is_none());
        assert!(considered(&certificate("large", 120), &[constrained]).is_none());
    }
}
