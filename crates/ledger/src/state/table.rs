//! A table: ordered rows that know which of them changed since the last block, and can go back to
//! where a linked group began.

use alloc::{collections::BTreeMap, vec::Vec};

use super::record::{Change, Record};

#[derive(Debug, Clone)]
pub(crate) struct Table<K, V> {
    rows: BTreeMap<K, V>,
    /// What each row that was written since the last block was before.
    dirty: BTreeMap<K, Option<V>>,
    /// The former rows, latest last, while a linked group is open.
    undo: Option<Vec<(K, Option<V>)>>,
}

impl<K: Ord + Copy, V: Record<Key = K> + Clone + PartialEq> Table<K, V> {
    pub(super) const fn new() -> Self {
        Self { rows: BTreeMap::new(), dirty: BTreeMap::new(), undo: None }
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.rows.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn set(&mut self, key: K, row: Option<V>) {
        let former = match row {
            Some(row) => self.rows.insert(key, row),
            None => self.rows.remove(&key),
        };
        self.dirty.entry(key).or_insert_with(|| former.clone());
        if let Some(undo) = &mut self.undo {
            undo.push((key, former));
        }
    }

    /// Puts a row back that was read from storage.
    pub(super) fn load(&mut self, key: K, row: V) {
        self.rows.insert(key, row);
    }

    pub(super) fn begin(&mut self) {
        self.undo = Some(Vec::new());
    }

    pub(super) const fn is_open(&self) -> bool {
        self.undo.is_some()
    }

    pub(super) fn end(&mut self, keep: bool) {
        let undo = self.undo.take().unwrap_or_default();
        if keep {
            return;
        }
        for (key, former) in undo.into_iter().rev() {
            match former {
                Some(row) => self.rows.insert(key, row),
                None => self.rows.remove(&key),
            };
        }
    }

    /// Appends the rows that differ from what they were at the last call.
    pub(super) fn drain(&mut self, out: &mut Vec<Change>) {
        for (key, former) in core::mem::take(&mut self.dirty) {
            let row = self.rows.get(&key);
            if row == former.as_ref() {
                continue;
            }
            let value = row.map(|row| row.to_value(key));
            out.push(Change { key: V::storage_key(key), value });
        }
    }
}
