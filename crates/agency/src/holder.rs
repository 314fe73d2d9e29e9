//! What a person asks of the agency: end a consent, who saw my data, who may recover me.

use etibar_credential::evidence::Batch;
use etibar_ledger::{
    Operation, Outcome,
    operation::{Action, ConsentRevocation},
};
use etibar_openid::{
    Private,
    member::{
        ACCESSES_PAGE_MAX, AccessesAnswer, HolderAction, HolderEnvelope, RevokeAnswer,
        ServedReceipt,
    },
};
use etibar_primitives::{Digest, OperationId};

use crate::{
    agency::Agency, error::AgencyError, identifiers::Fin, provider::receipt_row, store::ReceiptRow,
};

impl Agency {
    /// `POST /v1/holder/revoke`: final once the ledger has it.
    pub async fn revoke(&self, envelope: &HolderEnvelope) -> Result<RevokeAnswer, AgencyError> {
        let (fin, request) = self.open_holder_request(envelope).await?;
        let HolderAction::Revoke { rel } = request.request else {
            return Err(AgencyError::OtherAction);
        };
        let row = self.inner.store.consent(&rel).await?;
        let holder = self.inner.store.key().holder(&fin);
        let row = row.filter(|row| row.holder == holder).ok_or(AgencyError::ConsentUnknown)?;
        // Of the request and the consent: a repeat is the same operation.
        let id = self.inner.store.key().tag("revocation", &[&request.id.to_bytes(), &rel.0]);
        let id = OperationId::from_bytes(id.0[..16].try_into().expect("16 of 32 bytes"));
        let action = Action::RevokeConsent(ConsentRevocation { rel });
        let done = self.inner.ledger.execute(Operation { id, linked: false, action }).await?;
        let ended = matches!(
            done.outcome,
            Outcome::Accepted | Outcome::Exists | Outcome::ConsentAlreadyRevoked
        );
        if !ended {
            return Err(AgencyError::LedgerRefused(done.outcome.name()));
        }
        self.inner.store.end_consent(&row.rel, done.time).await?;
        Ok(RevokeAnswer { rel, revoked_by: vec![id], revoked_at: done.time })
    }

    /// `POST /v1/holder/accesses`.
    pub async fn accesses(&self, envelope: &HolderEnvelope) -> Result<AccessesAnswer, AgencyError> {
        let (fin, request) = self.open_holder_request(envelope).await?;
        let HolderAction::Accesses { rel, after } = request.request else {
            return Err(AgencyError::OtherAction);
        };
        self.served(&fin, rel.as_ref(), after).await
    }

    /// `POST /v1/holder/guardians`, at the registrar.
    pub async fn guardians(&self, envelope: &HolderEnvelope) -> Result<(), AgencyError> {
        let (fin, request) = self.open_holder_request(envelope).await?;
        let HolderAction::Guardians { guardians } = request.request else {
            return Err(AgencyError::OtherAction);
        };
        self.name_guardians(&fin, &guardians).await
    }

    async fn served(
        &self,
        fin: &Fin,
        rel: Option<&Digest>,
        after: u64,
    ) -> Result<AccessesAnswer, AgencyError> {
        let holder = self.inner.store.key().holder(fin);
        let limit = u32::try_from(ACCESSES_PAGE_MAX).expect("a hundred fits");
        let rows = self.inner.store.receipts_of(&holder, rel, after, limit).await?;
        let next = rows.last().filter(|_| rows.len() == ACCESSES_PAGE_MAX);
        let next = next.map(|row| row.position);
        let mut receipts = Vec::with_capacity(rows.len());
        for row in &rows {
            receipts.push(self.serve(row).await?);
        }
        Ok(AccessesAnswer { receipts, next })
    }

    async fn serve(&self, row: &ReceiptRow) -> Result<ServedReceipt, AgencyError> {
        let kept = self.kept_receipt(row)?;
        let place = receipt_row(&row.rel, row.request);
        let counter_signature = row.counter_signature.as_deref().map(|sealed| {
            self.inner.store.key().open::<String>("counter-signature", &place, sealed)
        });
        let (mut inclusion, mut anchored_by) = (None, None);
        if let Some(number) = row.batch
            && let Some((batch, leaves)) = self.inner.store.batch(number).await?
            && batch.anchored.is_some()
        {
            let index = leaves.iter().position(|leaf| *leaf == row.leaf);
            let index = index.and_then(|index| u32::try_from(index).ok());
            let leaves: Vec<_> = leaves.into_iter().map(|leaf| (leaf, batch.from)).collect();
            let tree = Batch::new(&leaves);
            let proof = tree.zip(index).and_then(|(tree, index)| tree.inclusion(index));
            inclusion =
                proof.map(|proof| serde_json::to_value(proof).expect("plain data becomes JSON"));
            anchored_by = Some(batch.operation);
        }
        Ok(ServedReceipt {
            position: row.position,
            receipt: Private(kept.jws),
            counter_signature: counter_signature.transpose()?,
            inclusion,
            anchored_by,
        })
    }
}
