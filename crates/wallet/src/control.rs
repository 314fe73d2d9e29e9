//! The end of a consent: withdrawal and erasure.

use etibar_client::clock;
use etibar_openid::{
    http::Answer,
    member::{self, EraseAnswer, HolderAction, Message, RevokeAnswer},
};
use etibar_primitives::{BlockTime, MemberId};

use crate::{
    WalletError,
    gesture::{Action, Gesture},
    holder::Holder,
    id::EntryId,
    record::ConsentRecord,
    store::Kind,
    view::Proof,
};

impl Holder {
    /// Withdraws a consent at its consumer, which revokes it on the ledger: final in one block,
    /// from which on providers refuse.
    ///
    /// The wallet does not take the consumer's word: the consent counts as withdrawn once the
    /// ledger says so.
    pub async fn revoke(&self, consent: EntryId, gesture: &Gesture) -> Result<(), WalletError> {
        gesture.check(self.person(), &Action::Revoke { consent })?;
        let mut record = self.consent(consent).await?;
        let consumer = record.consumer;
        for rel in record.rels.clone() {
            let action = HolderAction::Revoke { rel };
            let answer = self.ask_member(consumer, "revoke", action).await?;
            let answer: RevokeAnswer = read(consumer, &answer)?;
            let known = self.wallet.inner.client.consent(rel).await?;
            let revoked = known.and_then(|known| known.revoked);
            let what = "revocation on the ledger";
            let at = revoked.ok_or(WalletError::Answer { member: consumer.0, what })?;
            record.revoked = Some(record.revoked.map_or(at, |earlier| earlier.min(at)));
            let proof = |operation| Proof { submitter: consumer, operation };
            record.proofs.extend(answer.revoked_by.into_iter().map(proof));
        }
        record.proofs.sort_by_key(|proof| (proof.submitter, proof.operation));
        record.proofs.dedup();
        Ok(self.records.put(Kind::Consent, consent, &record, clock::now()).await?)
    }

    /// Has the member of an ended consent erase everything that it has of the person and that no
    /// law makes it keep; keeps its signed receipt. Its other consents end with it.
    pub async fn erase(&self, consent: EntryId, gesture: &Gesture) -> Result<(), WalletError> {
        gesture.check(self.person(), &Action::Erase { consent })?;
        let record = self.consent(consent).await?;
        let consumer = record.consumer;
        let rel = *record.rels.first().ok_or(WalletError::EntryUnknown)?;
        let answer = self.ask_member(consumer, "erase", HolderAction::Erase { rel }).await?;
        let answer: EraseAnswer = read(consumer, &answer)?;
        let mut holds: Vec<(String, BlockTime)> =
            answer.holds.iter().map(|hold| (hold.categories.join(","), hold.until)).collect();
        holds.sort_unstable();
        holds.dedup();
        let all: Vec<(EntryId, ConsentRecord)> = self.records.all(Kind::Consent).await?;
        for (id, mut record) in all.into_iter().filter(|(_, its)| its.consumer == consumer) {
            if record.revoked.is_none() {
                record.revoked = self.ended(&record).await?;
            }
            record.erasure = Some(answer.receipt.clone());
            record.holds.clone_from(&holds);
            self.records.put(Kind::Consent, id, &record, clock::now()).await?;
        }
        Ok(())
    }

    /// When the ledger says that a consent was revoked, wherever it was granted.
    async fn ended(&self, record: &ConsentRecord) -> Result<Option<BlockTime>, WalletError> {
        let mut first: Option<BlockTime> = None;
        for rel in &record.rels {
            let known = self.wallet.inner.client.consent(*rel).await?;
            let Some(at) = known.and_then(|known| known.revoked) else { return Ok(None) };
            first = Some(first.map_or(at, |earlier| earlier.min(at)));
        }
        Ok(first)
    }

    /// A consent with everything that proves it: the artefact as the bank signed it, the screen as
    /// it was shown, the passkey's signature over it, the ledger's operations, and the receipt of
    /// an erasure. JSON, for the person alone.
    pub async fn consent_copy(&self, consent: EntryId) -> Result<Vec<u8>, WalletError> {
        let record = self.consent(consent).await?;
        Ok(serde_json::to_vec_pretty(&record).expect("a consent is plain data"))
    }

    pub(crate) async fn consent(&self, consent: EntryId) -> Result<ConsentRecord, WalletError> {
        let record = self.records.get(Kind::Consent, consent).await?;
        record.ok_or(WalletError::EntryUnknown)
    }
}

/// The message in an answer.
pub(crate) fn read<T: Message>(member: MemberId, answer: &Answer) -> Result<T, WalletError> {
    let what = "message of its interface";
    member::parse(&answer.body).map_err(|_| WalletError::Answer { member: member.0, what })
}
