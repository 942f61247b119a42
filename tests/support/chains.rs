//! Certificate chains that cost the most to verify: what a server may send, trusted or not, in a Certificate message of
//! 64 KiB.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, GeneralSubtree, IsCa, Issuer, KeyPair,
    NameConstraints, PublicKeyData, SignatureAlgorithm, SigningKey,
};
use rustls::pki_types::CertificateDer;

use super::tls::{Authority, Identity, key_pair};

/// The longest Certificate message that rustls takes, less what is around the certificates: its records' heads too.
const ROOM: usize = 0xffff - 512;
/// Around each of them in TLS 1.3.
const AROUND: usize = 5;

/// A chain, and whether the authority signed something in it.
pub struct Chain {
    pub name: &'static str,
    pub identity: Identity,
    pub trusted: bool,
}

/// An RSA key of 8192 bits and the largest exponent, with signatures that are wrong: checking one is what costs most.
struct HugeKey(Vec<u8>);

impl HugeKey {
    fn new(seed: u8) -> HugeKey {
        let mut modulus = vec![seed | 0x80; 1024];
        modulus[1023] |= 1;
        let exponent = [2, 5, 1, 0xff, 0xff, 0xff, 0xff];
        let head = [&[0x30, 0x82, 4, 12, 2, 0x82, 4, 1, 0][..], &modulus, &exponent].concat();
        HugeKey(head)
    }
}

impl PublicKeyData for HugeKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

impl SigningKey for HugeKey {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(vec![1; 1024])
    }
}

fn params(subject: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, subject);
    params
}

fn authority(subject: &str) -> CertificateParams {
    let mut params = params(subject);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn leaf() -> CertificateParams {
    let mut params = CertificateParams::new(["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
}

fn issued_by(subject: CertificateParams, issuer: &str) -> CertificateDer<'static> {
    signed(subject, &key_pair(), &Issuer::new(authority(issuer), key_pair()))
}

fn signed(
    subject: CertificateParams,
    key: &impl PublicKeyData,
    issuer: &Issuer<'_, impl SigningKey>,
) -> CertificateDer<'static> {
    subject.signed_by(key, issuer).unwrap().der().clone()
}

/// Makes a certificate about this large with as many extensions as fit, each of which must be looked at.
fn fat(mut params: CertificateParams, size: usize) -> CertificateParams {
    let smallest = CustomExtension::from_oid_content(&[1, 2], vec![]);
    params.custom_extensions = vec![smallest; (size - 400) / 7];
    params
}

/// The same with one extension, the purposes, of which the last is the one looked for.
fn of_many_purposes(mut params: CertificateParams, size: usize) -> CertificateParams {
    let for_servers = [6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1];
    let purposes = [&[6, 1, 0x2a].repeat((size - 400) / 3)[..], &for_servers].concat();
    let length = (purposes.len() as u16).to_be_bytes();
    let content = [&[0x30, 0x82], &length[..], &purposes].concat();
    params.custom_extensions = vec![CustomExtension::from_oid_content(&[2, 5, 29, 37], content)];
    params
}

fn filled(mut chain: Vec<CertificateDer<'static>>) -> Vec<CertificateDer<'static>> {
    let size = |chain: &[CertificateDer<'_>]| chain.iter().map(|one| one.len() + AROUND).sum::<usize>();
    assert!(size(&chain) <= ROOM, "{}", size(&chain));
    let filler = issued_by(params("z"), "z");
    while size(&chain) + filler.len() + AROUND <= ROOM {
        chain.push(filler.clone());
    }
    chain
}

/// `key` is the leaf's, so that the handshake comes to where the chain is looked at.
pub fn all(trusted: &Authority) -> Vec<Chain> {
    let key = || key_pair();
    let mut chains = Vec::new();
    let mut add = |name, trusted, key: KeyPair, chain: Vec<CertificateDer<'static>>| {
        chains.push(Chain { name, identity: Identity::with_chain(filled(chain), &key), trusted });
    };
    let unsigned =
        |key: &KeyPair, issuer: &str| signed(leaf(), key, &Issuer::new(authority(issuer), key_pair()));

    for (name, width, levels) in
        [("a mesh of 11 by 5", 11, 5), ("a mesh of 3 by 6", 3, 6), ("one of 50", 50, 1)]
    {
        let key = key();
        let mut chain = vec![unsigned(&key, "1")];
        for level in 1..=levels {
            for _ in 0..width {
                chain.push(issued_by(authority(&level.to_string()), &(level + 1).to_string()));
            }
        }
        add(name, false, key, chain);
    }
    for (name, subjects) in
        [("six that sign each other", ["a"; 6]), ("pairs", ["a", "a", "b", "b", "c", "c"])]
    {
        for (name, fatten) in [
            (format!("{name}, large"), fat as fn(CertificateParams, usize) -> CertificateParams),
            (format!("{name}, for many purposes"), of_many_purposes),
        ] {
            let key = key();
            let mut chain = vec![unsigned(&key, "a")];
            for (at, subject) in subjects.iter().enumerate() {
                // Each pair goes on with either of the next, and the last with the first.
                let issuer = subjects[(at + if subjects[0] == subjects[5] { 1 } else { 2 }) % 6];
                chain.push(issued_by(fatten(authority(subject), 9_500), issuer));
            }
            add(String::leak(name), false, key, chain);
        }
    }
    {
        let key = key();
        let mut large = leaf();
        large.subject_alt_names =
            (0..5000).map(|n| rcgen::SanType::DnsName(format!("{n}.test").try_into().unwrap())).collect();
        let chain = vec![signed(large, &key, trusted.issuer())];
        add("a certificate of five thousand names", true, key, chain);
    }
    {
        // Signed by the authority, and after it goes on with signatures that are wrong.
        let key = key();
        let below = Issuer::new(authority("huge"), HugeKey::new(1));
        let mut chain = vec![signed(leaf(), &key, &below)];
        chain.push(signed(authority("huge"), &HugeKey::new(1), trusted.issuer()));
        chain.extend((2..7).map(|seed| signed(authority("huge"), &HugeKey::new(seed), &below)));
        add("keys of 8192 bits", true, key, chain);
    }
    for (name, names, length) in
        [("constraints of many names", 480, 20), ("constraints of long names", 220, 60)]
    {
        let key = key();
        let host = |n: usize| format!("{}{n:04}.test", "x".repeat(length));
        let own = key_pair();
        let mut above = authority("constrained");
        above.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![],
            excluded_subtrees: (0..names).map(|n| GeneralSubtree::DnsName(host(n + 5000))).collect(),
        });
        let mut below = leaf();
        below
            .subject_alt_names
            .extend((0..names).map(|n| rcgen::SanType::DnsName(host(n).try_into().unwrap())));
        let certificate = signed(above, &own, trusted.issuer());
        let chain = vec![signed(below, &key, &Issuer::new(authority("constrained"), own)), certificate];
        add(name, true, key, chain);
    }
    {
        let key = key();
        let mut chain = vec![unsigned(&key, "1")];
        chain.resize(10_000, CertificateDer::from(vec![0]));
        add("ten thousand that are none", false, key, chain);
    }
    chains
}

/// Chains as there are: what they are, and whether they are to be trusted.
pub fn usual(trusted: &Authority) -> Vec<(String, Identity, bool)> {
    let mut chains = Vec::new();
    // From the authority down, as long as is looked at, and one longer. In another order, too.
    for (length, backwards) in [(0, false), (1, false), (6, false), (6, true), (7, false)] {
        let mut chain = Vec::new();
        let mut above: Option<Issuer<'static, KeyPair>> = None;
        for level in 0..length {
            let (own, name) = (key_pair(), format!("level {level}"));
            let issuer = above.as_ref().unwrap_or_else(|| trusted.issuer());
            chain.push(signed(authority(&name), &own, issuer));
            above = Some(Issuer::new(authority(&name), own));
        }
        let key = key_pair();
        if !backwards {
            chain.reverse();
        }
        chain.insert(0, signed(leaf(), &key, above.as_ref().unwrap_or_else(|| trusted.issuer())));
        let what = format!("{length} above it, backwards: {backwards}");
        chains.push((what, Identity::with_chain(chain, &key), length <= 6));
    }
    {
        // Cross-signed: the same name and key, by a stranger and by the authority; and the authority itself.
        let (own, key, stranger) = (key_pair(), key_pair(), Authority::new());
        let chain = vec![
            signed(leaf(), &key, &Issuer::new(authority("crossed"), &own)),
            signed(authority("crossed"), &own, stranger.issuer()),
            signed(authority("crossed"), &own, trusted.issuer()),
            CertificateDer::from(trusted.der().to_vec()),
        ];
        chains.push(("cross-signed".to_owned(), Identity::with_chain(chain, &key), true));
    }
    {
        let (own, key) = (key_pair(), key_pair());
        let mut above = authority("constrained");
        above.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![],
            excluded_subtrees: (0..30)
                .map(|n| GeneralSubtree::DnsName(format!("department-{n}.example.com")))
                .collect(),
        });
        let mut below = leaf();
        below.subject_alt_names.extend(
            (0..100).map(|n| rcgen::SanType::DnsName(format!("host-{n}.example.org").try_into().unwrap())),
        );
        let chain = vec![
            signed(below, &key, &Issuer::new(authority("constrained"), &own)),
            signed(above, &own, trusted.issuer()),
        ];
        chains.push(("constraints".to_owned(), Identity::with_chain(chain, &key), true));
    }
    chains
}
