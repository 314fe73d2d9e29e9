//! Attests results: signs what was executed, gathers the others' signatures.
//!
//! A quorum's signatures prove the result of a block as soon as it is executed, a block earlier
//! than a certified header that commits to it. Best effort: what is lost on the way is proven by
//! the next header, which a leader proposes when a result stays unproven.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use commonware_cryptography::ed25519;
use commonware_p2p::{Receiver, Recipients, Sender};
use etibar_ledger::attestation::{self, Attestation};
use etibar_primitives::{
    Digest,
    codec::{DecodeError, Reader, Writer as _},
    key::{PrivateKey, PublicKey, Signature},
};

use crate::{engine::application::key_bytes, shared::Shared};

/// How far around the executed height signatures are kept, in heights.
const DISTANCE_MAX: u64 = 64;

/// Signs and gathers.
pub(crate) struct Attestor {
    shared: Arc<Shared>,
    /// In the order of the genesis.
    validators: Vec<PublicKey>,
    key: PrivateKey,
    /// The height up to which this validator has signed.
    signed: u64,
    /// What each validator signed at a height; the first signature counts.
    gathered: BTreeMap<u64, Vec<Option<Signed>>>,
}

#[derive(Clone, Copy)]
struct Signed {
    record: Digest,
    signature: Signature,
}

/// What validators send each other.
struct Message {
    height: u64,
    signed: Signed,
}

impl Attestor {
    pub(crate) fn new(shared: Arc<Shared>, validators: Vec<PublicKey>, key: PrivateKey) -> Self {
        let signed = shared.executed.borrow().record.height;
        Self { shared, validators, key, signed, gathered: BTreeMap::new() }
    }

    /// Runs until the network or the executor stops.
    pub(crate) async fn run<S, R>(mut self, mut sender: S, mut receiver: R)
    where
        S: Sender<PublicKey = ed25519::PublicKey>,
        R: Receiver<PublicKey = ed25519::PublicKey>,
    {
        let mut executed = self.shared.executed.subscribe();
        loop {
            tokio::select! {
                changed = executed.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    for message in self.sign() {
                        drop(sender.send(Recipients::All, message.encode(), true));
                    }
                }
                message = receiver.recv() => {
                    let Ok((peer, bytes)) = message else { return };
                    self.take(&PublicKey(key_bytes(&peer)), &bytes.into());
                }
            }
        }
    }

    /// Signs the results that are new and have events.
    fn sign(&mut self) -> Vec<Message> {
        let executed = *self.shared.executed.borrow();
        let height = executed.record.height;
        let from = self.signed + 1;
        self.signed = height;
        self.gathered = self.gathered.split_off(&height.saturating_sub(DISTANCE_MAX));
        if *self.shared.finalized.borrow() > height + DISTANCE_MAX {
            // The others were there long ago.
            return Vec::new();
        }
        let network = self.shared.network;
        let mut messages = Vec::new();
        for height in from..=executed.eventful {
            let record = self.shared.recent().record_digest(height);
            let Some(record) = record else { continue };
            let signature = attestation::sign(&self.key, &network, &record);
            let signed = Signed { record, signature };
            messages.push(Message { height, signed });
            let own = self.key.public_key();
            self.keep(&own, height, signed);
            self.conclude(height);
        }
        messages
    }

    /// Takes in a signature of another validator.
    fn take(&mut self, peer: &PublicKey, bytes: &Bytes) {
        let Ok(Message { height, signed }) = Message::decode(bytes) else {
            tracing::warn!(%peer, "an attestation is malformed");
            return;
        };
        let executed = self.shared.executed.borrow().record.height;
        let near = executed.saturating_sub(DISTANCE_MAX)..=executed.saturating_add(DISTANCE_MAX);
        if near.contains(&height) && *self.shared.proven.borrow() < height {
            self.keep(peer, height, signed);
            self.conclude(height);
        }
    }

    fn keep(&mut self, validator: &PublicKey, height: u64, signed: Signed) {
        let Some(place) = self.validators.iter().position(|its| its == validator) else { return };
        let none = || vec![None; self.validators.len()];
        let all = self.gathered.entry(height).or_insert_with(none);
        all[place].get_or_insert(signed);
    }

    /// Proves the result of `height` when a quorum has signed what this validator has, too.
    fn conclude(&mut self, height: u64) {
        let ours = self.shared.recent().record_digest(height);
        let (Some(ours), Some(all)) = (ours, self.gathered.get_mut(&height)) else { return };
        let quorum = attestation::quorum(self.validators.len());
        let same = |its: &Option<Signed>| its.is_some_and(|signed| signed.record == ours);
        if all.iter().filter(|its| same(its)).count() < quorum {
            return;
        }
        let mut proof = Vec::with_capacity(quorum);
        for (place, (validator, its)) in self.validators.iter().zip(all).enumerate() {
            let Some(Signed { record, signature }) = *its else { continue };
            if record != ours || proof.len() == quorum {
                continue;
            }
            // Checked here, where they count: a wrong one is dropped for good.
            if !attestation::is_signed(validator, &signature, &self.shared.network, &record) {
                tracing::warn!(%validator, height, "an attestation is not the validator's");
                *its = Some(Signed { record: Digest::ZERO, signature });
                continue;
            }
            let validator = u16::try_from(place).expect("a network has at most 200 validators");
            proof.push(Attestation { validator, signature });
        }
        if proof.len() == quorum {
            self.gathered.remove(&height);
            self.shared.attest(height, attestation::encode(&proof));
        }
    }
}

impl Message {
    fn encode(&self) -> Bytes {
        let mut out = Vec::with_capacity(8 + 32 + 64);
        out.put_u64(self.height);
        out.put(&self.signed.record.0);
        out.put(&self.signed.signature.0);
        Bytes::from(out)
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let height = reader.u64()?;
        let record = reader.digest()?;
        let signature = Signature(reader.array()?);
        reader.finish()?;
        Ok(Self { height, signed: Signed { record, signature } })
    }
}
