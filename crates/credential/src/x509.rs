//! X.509 chains: who vouches for an issuer's key (RFC 5280, cut down).
//!
//! A chain is leaf first, at most [`CHAIN_MAX`] long, ES256 throughout, and ends in a self-signed
//! authority. Trust does not come from here: the verifier compares the authority's digest with the
//! one the ledger's trust registry holds.

mod make;
mod pem;

pub use make::{Subject, Validity, certificate_request, issue_leaf, self_signed_authority};
pub use pem::{chain_from_pem, chain_to_pem, request_to_pem};

use x509_cert::Certificate;
use x509_cert::der::asn1::{BitString, ObjectIdentifier};
use x509_cert::der::{Decode as _, Encode as _, Reader as _, SliceReader};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, SubjectAltName};
use x509_cert::spki::AlgorithmIdentifierOwned;

use crate::UnixSeconds;
use crate::jose::{PublicKey, encode, sha256};

/// Certificates in one chain.
pub const CHAIN_MAX: usize = 3;

/// Bytes of one certificate in DER.
pub const CERTIFICATE_BYTES_MAX: usize = 2 * 1024;

/// `ecdsa-with-SHA256` (RFC 5758 §3.2).
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");

/// `basicConstraints`, `keyUsage`, `subjectAltName`, and what may be ignored: key identifiers and
/// extended key usage. A critical extension beyond these is refused (RFC 5280 §4.2).
const UNDERSTOOD: [&str; 3] = ["2.5.29.19", "2.5.29.15", "2.5.29.17"];

/// Why a chain is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum X509Error {
    /// No certificate at all.
    #[error("there is no certificate chain")]
    Missing,
    /// More than [`CHAIN_MAX`] certificates, or one above [`CERTIFICATE_BYTES_MAX`].
    #[error("the certificate chain is too large")]
    TooLarge,
    /// Not DER, or not a P-256 key, or not `ecdsa-with-SHA256`.
    #[error("a certificate is malformed or not on P-256")]
    Malformed,
    /// A certificate is not signed by the next one, or the last one not by itself.
    #[error("a certificate's signature does not verify")]
    Signature,
    /// `issuer` is not the next certificate's `subject` (RFC 5280 §6.1.3).
    #[error("a certificate names another issuer")]
    Name,
    /// `notBefore` lies ahead.
    #[error("a certificate is not valid yet")]
    NotYetValid,
    /// `notAfter` has passed.
    #[error("a certificate has expired")]
    Expired,
    /// A certificate signs others without being an authority, or the leaf is one.
    #[error("a certificate is used for what it may not do")]
    Usage,
    /// A critical extension we do not know.
    #[error("a certificate has an unknown critical extension")]
    CriticalExtension,
}

impl X509Error {
    /// A stable code for logs, metrics and problem documents.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "chain_missing",
            Self::TooLarge => "chain_too_large",
            Self::Malformed => "certificate_malformed",
            Self::Signature => "certificate_signature",
            Self::Name => "certificate_issuer_name",
            Self::NotYetValid => "certificate_not_yet_valid",
            Self::Expired => "certificate_expired",
            Self::Usage => "certificate_usage",
            Self::CriticalExtension => "certificate_critical_extension",
        }
    }
}

/// What a verified chain says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedChain {
    /// The leaf's key: it signs credentials.
    pub leaf_key: PublicKey,
    /// SHA-256 of the leaf's DER: `x509_hash` in OpenID4VP 1.0 §5.9.3.
    pub leaf_digest: [u8; 32],
    /// SHA-256 of the authority's DER: what the trust registry holds.
    pub authority_digest: [u8; 32],
    /// URIs the leaf speaks for (`subjectAltName`); empty if it names none.
    pub uris: Vec<String>,
}

/// SHA-256 of a certificate's DER.
pub fn certificate_digest(der: &[u8]) -> [u8; 32] {
    sha256(der)
}

/// `x509_hash:…`, the client identifier of the verifier with this leaf (OpenID4VP 1.0 §5.9.3).
pub fn client_id(leaf: &[u8]) -> String {
    format!("x509_hash:{}", encode(&certificate_digest(leaf)))
}

/// Verifies `chain`, DER, leaf first: signatures up to the self-signed authority, validity at
/// `now`, and that each certificate does only what it may.
///
/// An authority alone (one self-signed certificate) is refused: it does not sign credentials.
pub fn verify_chain(chain: &[Vec<u8>], now: UnixSeconds) -> Result<VerifiedChain, X509Error> {
    let (Some(leaf_der), Some(authority_der)) = (chain.first(), chain.last()) else {
        return Err(X509Error::Missing);
    };
    if chain.len() > CHAIN_MAX || chain.iter().any(|der| der.len() > CERTIFICATE_BYTES_MAX) {
        return Err(X509Error::TooLarge);
    }
    let parsed = chain.iter().map(|der| Parsed::read(der)).collect::<Result<Vec<_>, _>>()?;
    for (place, certificate) in parsed.iter().enumerate() {
        let issuer = parsed.get(place + 1).unwrap_or(certificate);
        certificate.check(issuer, place, now)?;
    }
    let leaf = &parsed[0];
    Ok(VerifiedChain {
        leaf_key: leaf.key,
        leaf_digest: certificate_digest(leaf_der),
        authority_digest: certificate_digest(authority_der),
        uris: leaf.uris()?,
    })
}

/// A certificate, and the bytes its signature is over.
struct Parsed {
    certificate: Certificate,
    signed: Vec<u8>,
    key: PublicKey,
}

impl Parsed {
    fn read(der: &[u8]) -> Result<Self, X509Error> {
        let malformed = |_| X509Error::Malformed;
        let certificate = Certificate::from_der(der).map_err(malformed)?;
        let mut reader = SliceReader::new(der).map_err(malformed)?;
        let signed = reader
            .sequence(|inner| -> x509_cert::der::Result<Vec<u8>> {
                let signed = inner.tlv_bytes()?.to_vec();
                AlgorithmIdentifierOwned::decode(inner)?;
                BitString::decode(inner)?;
                Ok(signed)
            })
            .map_err(malformed)?;
        let tbs = certificate.tbs_certificate();
        let is_es256 = certificate.signature_algorithm().oid == ECDSA_WITH_SHA256
            && tbs.signature() == certificate.signature_algorithm();
        if !is_es256 {
            return Err(X509Error::Malformed);
        }
        let spki = tbs.subject_public_key_info().to_der().map_err(malformed)?;
        let key = PublicKey::from_spki(&spki).ok_or(X509Error::Malformed)?;
        Ok(Self { certificate, signed, key })
    }

    fn check(&self, issuer: &Self, place: usize, now: UnixSeconds) -> Result<(), X509Error> {
        let tbs = self.certificate.tbs_certificate();
        if tbs.issuer() != issuer.certificate.tbs_certificate().subject() {
            return Err(X509Error::Name);
        }
        let signature = self.certificate.signature().as_bytes().ok_or(X509Error::Malformed)?;
        if !issuer.key.verifies_der(&self.signed, signature) {
            return Err(X509Error::Signature);
        }
        let validity = tbs.validity();
        if now.0 < validity.not_before.to_unix_duration().as_secs() {
            return Err(X509Error::NotYetValid);
        }
        if now.0 > validity.not_after.to_unix_duration().as_secs() {
            return Err(X509Error::Expired);
        }
        self.check_usage(place)
    }

    fn check_usage(&self, place: usize) -> Result<(), X509Error> {
        let tbs = self.certificate.tbs_certificate();
        for extension in tbs.extensions().into_iter().flatten() {
            let is_understood =
                UNDERSTOOD.iter().any(|oid| extension.extn_id == ObjectIdentifier::new_unwrap(oid));
            if extension.critical && !is_understood {
                return Err(X509Error::CriticalExtension);
            }
        }
        let constraints = self.extension::<BasicConstraints>()?;
        let usage = self.extension::<KeyUsage>()?;
        let is_authority = constraints.as_ref().is_some_and(|found| found.ca);
        let is_allowed = if place == 0 {
            !is_authority && usage.is_none_or(|usage| usage.digital_signature())
        } else {
            // `place - 1` certificates stand between this one and the leaf.
            let length = constraints.and_then(|found| found.path_len_constraint);
            let is_short = length.is_none_or(|length| place - 1 <= usize::from(length));
            is_authority && is_short && usage.is_none_or(|usage| usage.key_cert_sign())
        };
        if is_allowed { Ok(()) } else { Err(X509Error::Usage) }
    }

    fn extension<'a, T>(&'a self) -> Result<Option<T>, X509Error>
    where
        T: x509_cert::der::Decode<'a> + x509_cert::der::oid::AssociatedOid,
        T::Error: Into<x509_cert::der::Error>,
    {
        let mut found = None;
        for extension in self.certificate.tbs_certificate().extensions().into_iter().flatten() {
            if extension.extn_id != T::OID {
                continue;
            }
            let value = T::from_der(extension.extn_value.as_bytes());
            let value = value.map_err(|_| X509Error::Malformed)?;
            if found.replace(value).is_some() {
                return Err(X509Error::Malformed);
            }
        }
        Ok(found)
    }

    fn uris(&self) -> Result<Vec<String>, X509Error> {
        let names = self.extension::<SubjectAltName>()?.map(|names| names.0).unwrap_or_default();
        let uri = |name| match name {
            GeneralName::UniformResourceIdentifier(uri) => Some(uri.to_string()),
            _ => None,
        };
        Ok(names.into_iter().filter_map(uri).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::{Certified, Signer as _, SoftwareKey};

    const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

    fn key(seed: u8) -> SoftwareKey {
        SoftwareKey::from_bytes(&[seed; 32]).expect("a scalar below the order")
    }

    fn validity() -> Validity {
        Validity { not_before: UnixSeconds(NOW.0 - 1_000), not_after: UnixSeconds(NOW.0 + 1_000) }
    }

    fn subject(name: &str) -> Subject<'_> {
        Subject { common_name: name, organization: "Sample Agency", uri: None }
    }

    fn authority() -> Vec<u8> {
        self_signed_authority(&key(1), &subject("Sample CA"), validity(), &[1; 16])
            .expect("a name and a validity in range")
    }

    fn chain() -> Vec<Vec<u8>> {
        let uri = Some("https://agency.example");
        let leaf = Subject { uri, ..subject("Sample Leaf") };
        let authority = authority();
        let leaf =
            issue_leaf(&key(1), &authority, &key(2).public_key(), &leaf, validity(), &[2; 16])
                .expect("a name and a validity in range");
        vec![leaf, authority]
    }

    #[test]
    fn a_leaf_under_a_self_signed_authority_verifies() {
        let chain = chain();
        let verified = verify_chain(&chain, NOW).expect("our own chain");
        assert_eq!(verified.leaf_key, key(2).public_key());
        assert_eq!(verified.authority_digest, certificate_digest(&chain[1]));
        assert_eq!(verified.uris, ["https://agency.example"]);
        assert_eq!(client_id(&chain[0]), format!("x509_hash:{}", encode(&verified.leaf_digest)));
        let signer = Certified::new(key(2), chain.clone());
        assert_eq!(signer.chain(), chain);
    }

    #[test]
    fn a_chain_is_refused_outside_its_validity() {
        let chain = chain();
        let at = |seconds: u64| verify_chain(&chain, UnixSeconds(seconds)).map(|_| ());
        assert_eq!(at(NOW.0 - 1_001), Err(X509Error::NotYetValid));
        assert_eq!(at(NOW.0 - 1_000), Ok(()));
        assert_eq!(at(NOW.0 + 1_000), Ok(()));
        assert_eq!(at(NOW.0 + 1_001), Err(X509Error::Expired));
    }

    #[test]
    fn a_chain_without_authority_with_a_foreign_one_or_of_an_authority_alone_is_refused() {
        let chain = chain();
        let foreign = self_signed_authority(&key(9), &subject("Sample CA"), validity(), &[1; 16])
            .expect("a name and a validity in range");
        let other_name = self_signed_authority(&key(1), &subject("Other"), validity(), &[1; 16])
            .expect("a name and a validity in range");
        let check = |chain: &[Vec<u8>]| verify_chain(chain, NOW).map(|_| ());
        assert_eq!(check(&[]), Err(X509Error::Missing));
        assert_eq!(check(&chain[..1]), Err(X509Error::Name));
        assert_eq!(check(&chain[1..]), Err(X509Error::Usage));
        assert_eq!(check(&[chain[0].clone(), foreign]), Err(X509Error::Signature));
        assert_eq!(check(&[chain[0].clone(), other_name]), Err(X509Error::Name));
        assert_eq!(check(&[chain[0].clone(), chain[0].clone()]), Err(X509Error::Name));
        let long = vec![chain[1].clone(); CHAIN_MAX + 1];
        assert_eq!(check(&long), Err(X509Error::TooLarge));
    }

    #[test]
    fn a_leaf_cannot_issue_another_leaf() {
        let chain = chain();
        let below =
            issue_leaf(&key(2), &chain[0], &key(3).public_key(), &subject("X"), validity(), &[3])
                .expect("a name and a validity in range");
        let chain = [below, chain[0].clone(), chain[1].clone()];
        assert_eq!(verify_chain(&chain, NOW), Err(X509Error::Usage));
    }

    #[test]
    fn any_changed_byte_of_a_leaf_is_refused() {
        let chain = chain();
        for at in 0..chain[0].len() {
            let mut changed = chain.clone();
            changed[0][at] ^= 1;
            assert!(verify_chain(&changed, NOW).is_err(), "byte {at}");
        }
    }
}
