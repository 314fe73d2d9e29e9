//! Identifiers that nobody can enumerate: made with a key that only one party has.
//!
//! The space of FINs is small (34^7), that of telephone numbers smaller: a plain hash of one can be
//! tried out in minutes. So identifiers come from an oblivious pseudorandom function (RFC 9497,
//! suite ristretto255-SHA512):
//!
//! - the registrar's `uid = OPRF_k(FIN)`, which never leaves it, finds duplicates;
//! - per bank, `ppid = HMAC-SHA-256(k2, uid ‖ member)` stands in that bank's pairwise credential;
//! - an alias's tag comes from the directory in verifiable mode: it sees a blinded number only, and
//!   proves that it used the key it published, so that it cannot mark who asks.
//!
//! Limiting how often the directory answers is the directory's duty.

use core::fmt;

use etibar_primitives::{Digest, Domain, MemberId, hex};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand_core::CryptoRng;
use sha2::Sha256;
use voprf::{
    BlindedElement, EvaluationElement, Group as _, OprfServer, Proof, Ristretto255, VoprfClient,
    VoprfServer,
};
use zeroize::{Zeroize as _, ZeroizeOnDrop};

use crate::identifier::{Fin, Phone};

const UID_KEY_INFO: &[u8] = b"etibar.registrar.uid.v1";
const ALIAS_KEY_INFO: &[u8] = b"etibar.directory.alias.v1";
const PHONE_PREFIX: &str = "tel:";
const ALIAS_TAG: Domain = Domain::new("etibar.alias.tag");

/// Bytes of a blinded or evaluated element.
pub const ELEMENT_BYTES: usize = 32;
/// Bytes of a proof.
pub const PROOF_BYTES: usize = 64;
/// Bytes of the function's output.
pub const OUTPUT_BYTES: usize = 64;

/// Why an exchange with the directory fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OprfError {
    /// Not an element of the group, or the neutral one.
    #[error("not an element of the group")]
    Element,
    /// Not a proof.
    #[error("not a proof")]
    Proof,
    /// The directory used another key than the one it published.
    #[error("the directory did not use its published key")]
    OtherKey,
    /// Not a public key of a directory.
    #[error("not a directory's public key")]
    PublicKey,
}

impl OprfError {
    /// The stable code in interfaces.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Element => "oprf_element",
            Self::Proof => "oprf_proof",
            Self::OtherKey => "oprf_other_key",
            Self::PublicKey => "oprf_public_key",
        }
    }
}

/// The registrar's name of a person: for finding duplicates, never shown to anyone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, ZeroizeOnDrop)]
pub struct Uid([u8; OUTPUT_BYTES]);

impl Uid {
    /// The 64 bytes, for the registrar's own store.
    pub const fn expose(&self) -> &[u8; OUTPUT_BYTES] {
        &self.0
    }

    /// The uid of bytes from the registrar's own store.
    pub const fn from_bytes(bytes: [u8; OUTPUT_BYTES]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Uid(redacted)")
    }
}

/// The name by which one bank knows a person: worthless to any other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ppid([u8; 32]);

impl Ppid {
    /// As the pairwise credential carries it: 64 hexadecimal digits.
    pub fn expose(&self) -> String {
        hex::encode(&self.0)
    }

    /// Reads the claim `ppid`; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        hex::decode_array(text).map(Self)
    }
}

impl fmt::Debug for Ppid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ppid(redacted)")
    }
}

/// The registrar's two keys.
pub struct RegistrarKeys {
    uid: OprfServer<Ristretto255>,
    pairwise: [u8; 32],
}

impl RegistrarKeys {
    /// The keys of two secrets of 32 random bytes each, k and k2.
    pub fn new(uid_seed: &[u8; 32], pairwise_key: &[u8; 32]) -> Self {
        let uid = OprfServer::new_from_seed(uid_seed, UID_KEY_INFO)
            .expect("deriving a key fails for one seed in 2^2000");
        Self { uid, pairwise: *pairwise_key }
    }

    /// The person's uid.
    pub fn uid(&self, fin: &Fin) -> Uid {
        let output = self
            .uid
            .evaluate(fin.expose().as_bytes())
            .expect("seven characters are an input, and hash to no neutral element in practice");
        Uid(output.into())
    }

    /// The name by which `member` knows the person: HMAC-SHA-256(k2, uid ‖ member), the member's
    /// number in four bytes, most significant first.
    pub fn ppid(&self, uid: &Uid, member: MemberId) -> Ppid {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.pairwise).expect("HMAC takes a key of any length");
        mac.update(&uid.0);
        mac.update(&member.0.to_be_bytes());
        Ppid(mac.finalize().into_bytes().into())
    }
}

impl Drop for RegistrarKeys {
    fn drop(&mut self) {
        self.pairwise.zeroize();
    }
}

impl fmt::Debug for RegistrarKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RegistrarKeys(redacted)")
    }
}

/// The directory's key.
pub struct DirectoryKey(VoprfServer<Ristretto255>);

/// The directory's answer to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// The evaluated element.
    pub element: [u8; ELEMENT_BYTES],
    /// The proof that the published key was used.
    pub proof: [u8; PROOF_BYTES],
}

impl DirectoryKey {
    /// The key of 32 random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self::derive(seed, ALIAS_KEY_INFO)
    }

    fn derive(seed: &[u8], info: &[u8]) -> Self {
        let server = VoprfServer::new_from_seed(seed, info);
        Self(server.expect("deriving a key fails for one seed in 2^2000"))
    }

    /// The public key, for members to know beforehand.
    pub fn public_key(&self) -> [u8; ELEMENT_BYTES] {
        Ristretto255::serialize_elem(self.0.get_public_key()).into()
    }

    /// Answers a blinded question, seeing neither the alias nor its tag.
    ///
    /// # Errors
    /// [`OprfError::Element`].
    pub fn evaluate<R: CryptoRng + ?Sized>(
        &self,
        blinded: &[u8; ELEMENT_BYTES],
        rng: &mut R,
    ) -> Result<Evaluation, OprfError> {
        let blinded = BlindedElement::deserialize(blinded).map_err(|_| OprfError::Element)?;
        let result = self.0.blind_evaluate(&mut Source(rng), &blinded);
        Ok(Evaluation {
            element: result.message.serialize().into(),
            proof: result.proof.serialize().into(),
        })
    }
}

impl fmt::Debug for DirectoryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DirectoryKey(redacted)")
    }
}

/// A question to the directory on its way. Holds the alias; its `Debug` tells nothing.
pub struct AliasQuestion {
    input: Vec<u8>,
    client: VoprfClient<Ristretto255>,
    blinded: [u8; ELEMENT_BYTES],
}

impl AliasQuestion {
    /// Blinds a telephone number.
    pub fn phone<R: CryptoRng + ?Sized>(phone: &Phone, rng: &mut R) -> Self {
        Self::blind(format!("{PHONE_PREFIX}{}", phone.expose()).into_bytes(), rng)
    }

    fn blind<R: CryptoRng + ?Sized>(input: Vec<u8>, rng: &mut R) -> Self {
        let result = VoprfClient::blind(&input, &mut Source(rng))
            .expect("an alias is a short input, and hashes to no neutral element in practice");
        Self { blinded: result.message.serialize().into(), client: result.state, input }
    }

    /// What goes to the directory.
    pub const fn blinded(&self) -> &[u8; ELEMENT_BYTES] {
        &self.blinded
    }

    /// The alias's tag on the ledger, from the directory's answer.
    ///
    /// # Errors
    /// [`OprfError::Element`], [`OprfError::Proof`], [`OprfError::PublicKey`], or
    /// [`OprfError::OtherKey`] when the proof does not hold.
    pub fn finalize(
        &self,
        answer: &Evaluation,
        public_key: &[u8; ELEMENT_BYTES],
    ) -> Result<Digest, OprfError> {
        self.output(answer, public_key).map(|output| ALIAS_TAG.hash(&output))
    }

    fn output(
        &self,
        answer: &Evaluation,
        public_key: &[u8; ELEMENT_BYTES],
    ) -> Result<[u8; OUTPUT_BYTES], OprfError> {
        let element =
            EvaluationElement::deserialize(&answer.element).map_err(|_| OprfError::Element)?;
        let proof = Proof::deserialize(&answer.proof).map_err(|_| OprfError::Proof)?;
        let public_key =
            Ristretto255::deserialize_elem(public_key).map_err(|_| OprfError::PublicKey)?;
        self.client
            .finalize(&self.input, &element, &proof, public_key)
            .map(Into::into)
            .map_err(|_| OprfError::OtherKey)
    }
}

impl Drop for AliasQuestion {
    fn drop(&mut self) {
        self.input.zeroize();
    }
}

impl fmt::Debug for AliasQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AliasQuestion(redacted)")
    }
}

/// The library's random source is of an older interface than ours.
struct Source<'a, R: ?Sized>(&'a mut R);

impl<R: CryptoRng + ?Sized> rand_core_06::RngCore for Source<'_, R> {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core_06::Error> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

impl<R: CryptoRng + ?Sized> rand_core_06::CryptoRng for Source<'_, R> {}

#[cfg(test)]
mod tests;
