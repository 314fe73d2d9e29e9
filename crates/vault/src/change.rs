//! A change: what is written together. It never reads a personal value.

use etibar_primitives::{BlockTime, MemberId};
use sqlx::{Sqlite, Transaction};

use crate::{
    ItemId, LinkKind, NewItem, PartyId, PartyKind, TagKind, VALUE_BYTES_MAX, Vault, VaultError,
    consent::{ConsentId, ConsentState, NewConsent},
    random_id, row,
    seal::{DataKey, context},
};

/// A change under way. Dropping it undoes everything; [`Change::commit`] makes it last.
pub struct Change {
    pub(crate) vault: Vault,
    pub(crate) transaction: Transaction<'static, Sqlite>,
}

impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Change")
    }
}

impl Change {
    pub(crate) const fn new(vault: Vault, transaction: Transaction<'static, Sqlite>) -> Self {
        Self { vault, transaction }
    }

    /// Makes the change last: all of it, or nothing.
    pub async fn commit(self) -> Result<(), VaultError> {
        Ok(self.transaction.commit().await?)
    }

    /// A new party with a data key of its own.
    pub async fn new_party(
        &mut self,
        kind: PartyKind,
        now: BlockTime,
    ) -> Result<PartyId, VaultError> {
        let party = PartyId(random_id());
        let key = DataKey::draw();
        let bound = context("party", &party.0, &[]);
        let wrapped = self.vault.inner.keys.wrap(&bound, key.bytes()).await?;
        sqlx::query("INSERT INTO party (id, kind, wrapped_key, created) VALUES (?, ?, ?, ?)")
            .bind(party.0.to_vec())
            .bind(kind.code())
            .bind(wrapped)
            .bind(row::stamp(now))
            .execute(&mut *self.transaction)
            .await?;
        Ok(party)
    }

    /// The party that `identifier` names, as this change sees it.
    pub async fn find(
        &mut self,
        kind: TagKind,
        identifier: &[u8],
    ) -> Result<Option<PartyId>, VaultError> {
        let tag = self.vault.identifier_tag(kind, identifier);
        let found = sqlx::query("SELECT party FROM lookup WHERE tag = ?")
            .bind(tag.to_vec())
            .fetch_optional(&mut *self.transaction)
            .await?;
        found.map(|row| row::bytes(&row, "party").map(PartyId)).transpose()
    }

    /// Lets `party` be found by `identifier`.
    ///
    /// # Errors
    /// [`VaultError::TagTaken`] when it names another party.
    pub async fn tag(
        &mut self,
        party: PartyId,
        kind: TagKind,
        identifier: &[u8],
    ) -> Result<(), VaultError> {
        match self.find(kind, identifier).await? {
            Some(known) if known == party => return Ok(()),
            Some(_) => return Err(VaultError::TagTaken),
            None => {}
        }
        let tag = self.vault.identifier_tag(kind, identifier);
        sqlx::query("INSERT INTO lookup (tag, party) VALUES (?, ?)")
            .bind(tag.to_vec())
            .bind(party.0.to_vec())
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    /// Keeps a value; an attribute or account of the same name gives way to it.
    pub async fn put(
        &mut self,
        party: PartyId,
        item: &NewItem<'_>,
        now: BlockTime,
    ) -> Result<ItemId, VaultError> {
        if item.value.expose().len() > VALUE_BYTES_MAX {
            return Err(VaultError::TooLarge);
        }
        let key = self.vault.clone().data_key(&mut self.transaction, party).await?;
        if item.kind.replaces() {
            sqlx::query("DELETE FROM item WHERE party = ? AND kind = ? AND name = ?")
                .bind(party.0.to_vec())
                .bind(item.kind.code())
                .bind(item.name.to_owned())
                .execute(&mut *self.transaction)
                .await?;
        }
        let id = ItemId(random_id());
        let sealed = key.seal("item", &party.0, &id.0, &item.value);
        sqlx::query("INSERT INTO item VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .bind(id.0.to_vec())
            .bind(party.0.to_vec())
            .bind(item.kind.code())
            .bind(item.name.to_owned())
            .bind(i64::from(item.category))
            .bind(item.consent.map(|consent| consent.0.to_vec()))
            .bind(row::stamp(now))
            .bind(item.keep_until.map(row::stamp))
            .bind(sealed)
            .execute(&mut *self.transaction)
            .await?;
        Ok(id)
    }

    /// Says that `other` stands to `party` as `kind`; saying it again changes nothing.
    pub async fn link(
        &mut self,
        party: PartyId,
        other: PartyId,
        kind: LinkKind,
        now: BlockTime,
    ) -> Result<(), VaultError> {
        let sql = "INSERT INTO link VALUES (?, ?, ?, ?, ?) \
                   ON CONFLICT (party, other, kind) DO NOTHING";
        sqlx::query(sql)
            .bind(random_id().to_vec())
            .bind(party.0.to_vec())
            .bind(other.0.to_vec())
            .bind(kind.code())
            .bind(row::stamp(now))
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    /// Writes a consent down before it is on the ledger.
    pub async fn draft_consent(
        &mut self,
        consent: &NewConsent,
        now: BlockTime,
    ) -> Result<(), VaultError> {
        let tag = self.vault.rel_tag(&consent.rel);
        sqlx::query("INSERT INTO consent VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)")
            .bind(consent.id.0.to_vec())
            .bind(consent.party.0.to_vec())
            .bind(tag.to_vec())
            .bind(member(consent.provider))
            .bind(i64::from(consent.purpose))
            .bind(i64::from(consent.scope))
            .bind(ConsentState::Drafted.code())
            .bind(row::stamp(now))
            .bind(row::stamp(consent.expires))
            .execute(&mut *self.transaction)
            .await?;
        let item = NewItem {
            kind: crate::ItemKind::Consent,
            name: "consent",
            category: 0,
            consent: Some(consent.id),
            keep_until: None,
            value: consent.secret.clone(),
        };
        self.put(consent.party, &item, now).await?;
        Ok(())
    }

    /// Moves a consent on. An ended one stays ended.
    pub async fn set_consent(
        &mut self,
        consent: ConsentId,
        state: ConsentState,
        now: BlockTime,
    ) -> Result<(), VaultError> {
        let ended = matches!(state, ConsentState::Revoked | ConsentState::Refused);
        let sql = "UPDATE consent SET state = ?, ended = ? WHERE id = ? AND state < 3";
        sqlx::query(sql)
            .bind(state.code())
            .bind(ended.then(|| row::stamp(now)))
            .bind(consent.0.to_vec())
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    /// Deletes what a consent brought beyond the person's identity, its secret and the
    /// evidence of it: a refused application leaves nothing.
    pub async fn forget(&mut self, consent: ConsentId) -> Result<(), VaultError> {
        let sql = "DELETE FROM item WHERE consent = ? AND (kind IN (?, ?) OR instr(name, '.') > 0)";
        sqlx::query(sql)
            .bind(consent.0.to_vec())
            .bind(crate::ItemKind::Evidence.code())
            .bind(crate::ItemKind::Consent.code())
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }
}

fn member(member: MemberId) -> i64 {
    i64::from(member.0)
}
