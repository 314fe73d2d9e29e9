//! Making certificates: a self-signed authority and leaves under it, for a member's first start.

use core::str::FromStr as _;
use core::time::Duration;

use p256::ecdsa::signature::Keypair;
use p256::ecdsa::{Signature, VerifyingKey};
use x509_cert::Certificate;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder, CertificateBuilder};
use x509_cert::certificate::TbsCertificate;
use x509_cert::der::asn1::{BitString, Ia5String};
use x509_cert::der::{DateTime, Decode as _, Encode, flagset::FlagSet};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, KeyUsage, KeyUsages, SubjectAltName,
    SubjectKeyIdentifier,
};
use x509_cert::ext::{Extension, ToExtension as _};
use x509_cert::name::Name;
use x509_cert::request::RequestBuilder;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{
    self, AlgorithmIdentifierOwned, DynSignatureAlgorithmIdentifier, SubjectPublicKeyInfoOwned,
    SubjectPublicKeyInfoRef,
};
use x509_cert::time::{Time, Validity as TimeSpan};

use super::ECDSA_WITH_SHA256;
use crate::UnixSeconds;
use crate::jose::{PublicKey, SignError, Signer};

/// Whom a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    /// `CN`. Letters, digits, spaces, `.-()`; other characters are dropped.
    pub common_name: &'a str,
    /// `O`. As above.
    pub organization: &'a str,
    /// The URI the key speaks for (`subjectAltName`): the issuer identifier. ASCII.
    pub uri: Option<&'a str>,
}

/// From when until when a certificate is valid, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// `notBefore`.
    pub not_before: UnixSeconds,
    /// `notAfter`, before the year 10000.
    pub not_after: UnixSeconds,
}

/// A self-signed authority over `signer`'s key, allowed to issue leaves only. DER.
///
/// `serial`: 1 to 20 bytes, random, not all zero.
pub fn self_signed_authority(
    signer: &dyn Signer,
    subject: &Subject<'_>,
    validity: Validity,
    serial: &[u8],
) -> Result<Vec<u8>, SignError> {
    let name = name(subject)?;
    let profile = Profile { issuer: name.clone(), subject: name, uri: None, is_authority: true };
    make(signer, profile, &signer.public_key(), validity, serial)
}

/// A leaf for `key` under the authority whose key `signer` holds. DER.
///
/// `serial`: 1 to 20 bytes, random, not all zero.
pub fn issue_leaf(
    signer: &dyn Signer,
    authority: &[u8],
    key: &PublicKey,
    subject: &Subject<'_>,
    validity: Validity,
    serial: &[u8],
) -> Result<Vec<u8>, SignError> {
    let authority = Certificate::from_der(authority).map_err(|_| SignError::Certificate)?;
    let profile = Profile {
        issuer: authority.tbs_certificate().subject().clone(),
        subject: name(subject)?,
        uri: subject.uri.map(str::to_owned),
        is_authority: false,
    };
    make(signer, profile, key, validity, serial)
}

fn make(
    signer: &dyn Signer,
    profile: Profile,
    key: &PublicKey,
    validity: Validity,
    serial: &[u8],
) -> Result<Vec<u8>, SignError> {
    let serial = SerialNumber::new(serial).map_err(|_| SignError::Certificate)?;
    let span = TimeSpan::new(time(validity.not_before)?, time(validity.not_after)?);
    let spki =
        SubjectPublicKeyInfoOwned::from_key(key.inner()).map_err(|_| SignError::Certificate)?;
    let builder =
        CertificateBuilder::new(profile, serial, span, spki).map_err(|_| SignError::Certificate)?;
    finish(builder, signer)
}

/// A request (PKCS#10, RFC 2986) for a certificate over `signer`'s key. DER.
pub fn certificate_request(
    signer: &dyn Signer,
    subject: &Subject<'_>,
) -> Result<Vec<u8>, SignError> {
    let failed = |_| SignError::Certificate;
    let mut builder = RequestBuilder::new(name(subject)?).map_err(failed)?;
    if let Some(uri) = subject.uri {
        let uri = Ia5String::new(uri).map_err(|_| SignError::Certificate)?;
        let names = SubjectAltName(vec![GeneralName::UniformResourceIdentifier(uri)]);
        builder.add_extension(&names).map_err(|_| SignError::Certificate)?;
    }
    let usage = KeyUsage(FlagSet::from(KeyUsages::DigitalSignature));
    builder.add_extension(&usage).map_err(|_| SignError::Certificate)?;
    finish(builder, signer)
}

/// Signs what `builder` holds. DER.
fn finish<B: Builder>(mut builder: B, signer: &dyn Signer) -> Result<Vec<u8>, SignError>
where
    B::Output: Encode,
{
    let adapter = Adapter(signer);
    let body = builder.finalize(&adapter).map_err(|_| SignError::Certificate)?;
    let signature =
        Signature::from_slice(&signer.sign(&body)?).map_err(|_| SignError::Unavailable)?.to_der();
    let signature =
        BitString::from_bytes(signature.as_bytes()).map_err(|_| SignError::Certificate)?;
    let whole = builder.assemble(signature, &adapter).map_err(|_| SignError::Certificate)?;
    whole.to_der().map_err(|_| SignError::Certificate)
}

fn time(seconds: UnixSeconds) -> Result<Time, SignError> {
    DateTime::from_unix_duration(Duration::from_secs(seconds.0))
        .map(Time::from)
        .map_err(|_| SignError::Certificate)
}

/// The names come from configuration: what could be read as syntax (RFC 4514) is dropped.
fn name(subject: &Subject<'_>) -> Result<Name, SignError> {
    let plain = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric() || " .-()".contains(*c)).take(64).collect()
    };
    let (organization, common_name) = (plain(subject.organization), plain(subject.common_name));
    Name::from_str(&format!("O={organization},CN={common_name}"))
        .map_err(|_| SignError::Certificate)
}

struct Profile {
    issuer: Name,
    subject: Name,
    uri: Option<String>,
    is_authority: bool,
}

impl BuilderProfile for Profile {
    fn get_issuer(&self, _subject: &Name) -> Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        spk: SubjectPublicKeyInfoRef<'_>,
        issuer_spk: SubjectPublicKeyInfoRef<'_>,
        tbs: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        let mut made = Vec::new();
        let key = SubjectKeyIdentifier::try_from(spk)?;
        made.push(key.to_extension(tbs.subject(), &made)?);
        let issuer_key = SubjectKeyIdentifier::try_from(issuer_spk)?;
        let issuer_key =
            AuthorityKeyIdentifier { key_identifier: Some(issuer_key.0), ..Default::default() };
        made.push(issuer_key.to_extension(tbs.subject(), &made)?);
        let path_len_constraint = self.is_authority.then_some(0);
        let constraints = BasicConstraints { ca: self.is_authority, path_len_constraint };
        made.push(constraints.to_extension(tbs.subject(), &made)?);
        let usage =
            if self.is_authority { KeyUsages::KeyCertSign } else { KeyUsages::DigitalSignature };
        made.push(KeyUsage(FlagSet::from(usage)).to_extension(tbs.subject(), &made)?);
        if let Some(uri) = &self.uri {
            let uri = GeneralName::UniformResourceIdentifier(Ia5String::new(uri)?);
            made.push(SubjectAltName(vec![uri]).to_extension(tbs.subject(), &made)?);
        }
        Ok(made)
    }
}

/// Our signer in the words of the builder, which only asks for the key and the algorithm.
struct Adapter<'a>(&'a dyn Signer);

impl Keypair for Adapter<'_> {
    type VerifyingKey = VerifyingKey;

    fn verifying_key(&self) -> VerifyingKey {
        *self.0.public_key().inner()
    }
}

impl DynSignatureAlgorithmIdentifier for Adapter<'_> {
    fn signature_algorithm_identifier(&self) -> spki::Result<AlgorithmIdentifierOwned> {
        Ok(AlgorithmIdentifierOwned { oid: ECDSA_WITH_SHA256, parameters: None })
    }
}
