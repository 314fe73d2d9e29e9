//! The end of a consent: withdrawal and erasure.

use etibar_client::clock;
use etibar_credential::catalogue::{Category, Language};
use etibar_openid::{
    http::Answer,
    member::{self, EraseAnswer, HolderAction, Message, RevokeAnswer},
};
use etibar_primitives::MemberId;

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

    /// Has the data of an ended consent erased; keeps the member's signed receipt.
    pub async fn erase(&self, consent: EntryId, gesture: &Gesture) -> Result<(), WalletError> {
        gesture.check(self.person(), &Action::Erase { consent })?;
        let mut record = self.consent(consent).await?;
        let language = self.language().await?.unwrap_or(Language::Az);
        for rel in record.rels.clone() {
            let action = HolderAction::Erase { rel };
            let answer = self.ask_member(record.consumer, "erase", action).await?;
            let answer: EraseAnswer = read(record.consumer, &answer)?;
            record.holds = answer
                .holds
                .iter()
                .map(|hold| (categories(&hold.categories, language), hold.until))
                .collect();
            record.erasure = Some(answer.receipt);
        }
        Ok(self.records.put(Kind::Consent, consent, &record, clock::now()).await?)
    }

    pub(crate) async fn consent(&self, consent: EntryId) -> Result<ConsentRecord, WalletError> {
        let record = self.records.get(Kind::Consent, consent).await?;
        record.ok_or(WalletError::EntryUnknown)
    }
}

/// Categories as people read them.
fn categories(codes: &[String], language: Language) -> String {
    let label = |code: &String| {
        let known = Category::from_code(code);
        known.map_or_else(|| code.clone(), |category| category.label(language).to_owned())
    };
    codes.iter().map(label).collect::<Vec<_>>().join(", ")
}

/// The message in an answer.
pub(crate) fn read<T: Message>(member: MemberId, answer: &Answer) -> Result<T, WalletError> {
    let what = "message of its interface";
    member::parse(&answer.body).map_err(|_| WalletError::Answer { member: member.0, what })
}
