//! What gives a consent's ledger entry its meaning, and takes it away when destroyed.

use core::fmt;

use etibar_primitives::{Digest, Domain};
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, ZeroizeOnDrop};

use super::artefact_hash;

const COMMITMENT: Domain = Domain::new("etibar.consent.commitment");

/// The secret part of a consent for one provider: made by the consumer, given to the provider and
/// the holder. Wiped when dropped.
#[derive(Clone, PartialEq, Eq, ZeroizeOnDrop)]
pub struct ConsentSecret {
    r: [u8; 32],
    salt: [u8; 32],
}

impl ConsentSecret {
    /// A new secret.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut secret = Self { r: [0; 32], salt: [0; 32] };
        rng.fill_bytes(&mut secret.r);
        rng.fill_bytes(&mut secret.salt);
        secret
    }

    /// The secret of these bytes, as another member sent them.
    pub const fn new(r: [u8; 32], salt: [u8; 32]) -> Self {
        Self { r, salt }
    }

    /// r and the salt, for storing and for sending to the provider.
    pub const fn expose(&self) -> (&[u8; 32], &[u8; 32]) {
        (&self.r, &self.salt)
    }

    /// The consent's name on the ledger: SHA-256("rel" ‖ r).
    pub fn rel(&self) -> Digest {
        let mut hasher = Sha256::new();
        hasher.update(b"rel");
        hasher.update(self.r);
        Digest(hasher.finalize().into())
    }

    /// The ledger's commitment to the artefact: without the salt it says nothing, not even to who
    /// knows the artefact.
    pub fn commitment(&self, jws: &str) -> Digest {
        COMMITMENT.hash_parts(&[&self.salt, &artefact_hash(jws)])
    }

    /// Destroys the secret now.
    pub fn destroy(mut self) {
        self.r.zeroize();
        self.salt.zeroize();
    }
}

impl fmt::Debug for ConsentSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConsentSecret(redacted)")
    }
}
