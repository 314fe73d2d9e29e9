//! The ledger from the values of its authenticated store.

use alloc::vec::Vec;

use etibar_primitives::{
    Digest,
    codec::{DecodeError, Reader},
};

use super::{
    Account, Alias, Consent, Evidence, Issuer, Ledger, Member, Obligation, OperationKey,
    ParameterHistory, Purpose, Reserve, StatusList, Table, Totals,
    memory::Window,
    record::{Position, Record, RowKey},
    sums::Sums,
};

/// Why values are no ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// A value is no row.
    #[error("a stored row is unreadable: {0}")]
    Row(#[from] DecodeError),
    /// A row of a kind that this version does not know.
    #[error("a stored row has the unknown kind {0}")]
    UnknownKind(u8),
    /// The row that says where the ledger stands is missing.
    #[error("the stored state has no position")]
    NoPosition,
}

impl Ledger {
    /// Makes the ledger whose rows have `values`, in any order.
    ///
    /// # Panics
    /// When the rows are readable but break an invariant: the store was then not written by a
    /// ledger.
    pub fn restore<V: AsRef<[u8]>>(
        network: Digest,
        values: impl IntoIterator<Item = V>,
    ) -> Result<Self, RestoreError> {
        let mut ledger = Self::empty(network);
        let mut windows: Vec<((u64, u32), Window)> = Vec::new();
        let mut position = None;
        for value in values {
            let mut reader = Reader::new(value.as_ref());
            match reader.u8()? {
                Position::TAG => position = Some(row::<Position>(&mut reader)?.1),
                Window::TAG => windows.push(row(&mut reader)?),
                tag => ledger.load(tag, &mut reader)?,
            }
            reader.finish()?;
        }
        let position = position.ok_or(RestoreError::NoPosition)?;
        ledger.height = position.height;
        ledger.time = position.time;
        ledger.horizon = position.horizon;
        windows.sort_unstable_by_key(|(key, _)| *key);
        for ((_, chunk), window) in &windows {
            ledger.memory.load(*chunk, window);
        }
        let expiries = ledger.reserves.iter().map(|(key, reserve)| (reserve.expires, *key));
        ledger.expiries = expiries.collect();
        let ends = ledger.consents.iter().map(|(rel, consent)| (consent.expires, *rel));
        ledger.consent_ends = ends.collect();
        ledger.sums = Sums::of(&ledger);
        ledger.assert_invariants();
        Ok(ledger)
    }

    fn load(&mut self, tag: u8, reader: &mut Reader<'_>) -> Result<(), RestoreError> {
        match tag {
            Member::TAG => load(&mut self.members, reader),
            Account::TAG => load(&mut self.accounts, reader),
            Reserve::TAG => load::<OperationKey, _>(&mut self.reserves, reader),
            ParameterHistory::TAG => load(&mut self.parameters, reader),
            Alias::TAG => load(&mut self.aliases, reader),
            Consent::TAG => load(&mut self.consents, reader),
            Issuer::TAG => load(&mut self.issuers, reader),
            Evidence::TAG => load(&mut self.evidence, reader),
            Totals::TAG => load(&mut self.totals, reader),
            u64::TAG => load(&mut self.feeds, reader),
            Purpose::TAG => load(&mut self.purposes, reader),
            StatusList::TAG => load(&mut self.status_lists, reader),
            Obligation::TAG => load(&mut self.obligations, reader),
            unknown => Err(RestoreError::UnknownKind(unknown)),
        }
    }
}

fn row<R: Record>(reader: &mut Reader<'_>) -> Result<(R::Key, R), DecodeError> {
    let key = R::Key::decode(reader)?;
    Ok((key, R::decode(reader)?))
}

fn load<K: RowKey, R: Record<Key = K> + Clone + PartialEq>(
    table: &mut Table<K, R>,
    reader: &mut Reader<'_>,
) -> Result<(), RestoreError> {
    let (key, row) = row::<R>(reader)?;
    table.load(key, row);
    Ok(())
}
