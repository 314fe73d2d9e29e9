//! The search for personal values where none may be, in clear and hashed.
//!
//! A value counts as found when its bytes are there, or the bytes or hexadecimal digits of a hash
//! of it that anybody can compute: SHA-256, BLAKE3, and both keyed with what is public, the
//! network's id. So a salted commitment or a keyed tag passes, a plain hash does not.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use etibar_primitives::{Digest, hex};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::failure::{self, Failure};

/// The shortest value that is searched, in bytes: a personal number.
const VALUE_BYTES_MIN: usize = 7;
/// A window of this many bytes is compared between two vaults: a key, a name, a nonce.
const WINDOW: usize = 16;
/// Different bytes that a window of random bytes has at least, nearly always.
const DIFFERENT_MIN: usize = 13;
/// Of those, bytes outside of ASCII: fewer are text or small numbers.
const HIGH_MIN: usize = 8;
/// Of those, bytes near zero at most: more are the places of records in a database's page.
const LOW_MAX: usize = 3;

/// What is searched for.
pub(crate) struct Dictionary {
    network: Digest,
    /// What each value is, and its bytes.
    values: Vec<(&'static str, Vec<u8>)>,
    /// Values by their first bytes.
    heads: HashMap<[u8; VALUE_BYTES_MIN], Vec<usize>>,
    /// Which first three bytes any value has: most places are passed by this alone.
    gate: Vec<bool>,
}

impl Dictionary {
    /// An empty one; `network` is the public key of keyed hashes.
    pub(crate) fn new(network: &Digest) -> Self {
        let gate = vec![false; 1 << 24];
        Self { network: *network, values: Vec::new(), heads: HashMap::new(), gate }
    }

    /// How many byte strings are searched for.
    pub(crate) const fn len(&self) -> usize {
        self.values.len()
    }

    /// Adds a value that is a `what`; one too short to be told from chance is left out.
    pub(crate) fn add(&mut self, what: &'static str, value: &str) {
        if value.len() < VALUE_BYTES_MIN {
            return;
        }
        let bytes = value.as_bytes();
        self.put(what, bytes.to_vec());
        let mut keyed = Hmac::<Sha256>::new_from_slice(&self.network.0).expect("any length is one");
        keyed.update(bytes);
        let hashes: [[u8; 32]; 4] = [
            Sha256::digest(bytes).into(),
            *blake3::hash(bytes).as_bytes(),
            keyed.finalize().into_bytes().into(),
            *blake3::keyed_hash(&self.network.0, bytes).as_bytes(),
        ];
        for hash in hashes {
            self.put(what, hash.to_vec());
            self.put(what, hex::encode(&hash).into_bytes());
        }
    }

    fn put(&mut self, what: &'static str, bytes: Vec<u8>) {
        let head = *bytes.first_chunk().expect("shorter values were left out");
        self.gate[gate(&bytes)] = true;
        self.heads.entry(head).or_default().push(self.values.len());
        self.values.push((what, bytes));
    }

    /// What of the dictionary stands in `content`: the kinds of value, never the values.
    pub(crate) fn hits(&self, content: &[u8]) -> impl Iterator<Item = &'static str> {
        content.windows(VALUE_BYTES_MIN).enumerate().filter_map(|(at, window)| {
            if !self.gate[gate(window)] {
                return None;
            }
            let head: &[u8; VALUE_BYTES_MIN] = window.first_chunk()?;
            let candidates = self.heads.get(head)?;
            let value = candidates.iter().map(|index| &self.values[*index]);
            let mut found = value.filter(|(_, bytes)| content[at..].starts_with(bytes));
            found.next().map(|(what, _)| *what)
        })
    }
}

fn gate(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 16 | usize::from(bytes[1]) << 8 | usize::from(bytes[2])
}

/// How many places of `other` repeat a run of random bytes or hexadecimal digits of `one` that is
/// not in `empty`: a store without anybody in it, whose content says nothing.
pub(crate) fn shared_randomness(one: &[u8], other: &[u8], empty: &[u8]) -> usize {
    let everywhere: HashSet<&[u8]> = empty.windows(WINDOW / 2).collect();
    let in_empty = |run: &[u8]| {
        let (head, tail) = run.split_at(WINDOW / 2);
        everywhere.contains(head) || everywhere.contains(tail)
    };
    let known: HashSet<&[u8]> = one.windows(WINDOW).filter(|run| is_random(run)).collect();
    let runs = other.windows(WINDOW).filter(|run| is_random(run));
    runs.filter(|run| known.contains(run) && !in_empty(run)).count()
}

/// Whether a window looks like a key, a digest, a random name or a sealed value.
fn is_random(window: &[u8]) -> bool {
    let different: BTreeSet<u8> = window.iter().copied().collect();
    let high = window.iter().filter(|byte| **byte >= 0x80).count();
    let low = window.iter().filter(|byte| **byte < 0x10).count();
    let hexadecimal = window.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let letters = window.iter().any(u8::is_ascii_lowercase);
    let digits = window.iter().any(u8::is_ascii_digit);
    different.len() >= DIFFERENT_MIN && high >= HIGH_MIN && low <= LOW_MAX
        || hexadecimal && letters && digits && different.len() >= 7
}

/// All files below `path`, or `path` itself.
pub(crate) fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut open = vec![path.to_owned()];
    let mut files = Vec::new();
    while let Some(path) = open.pop() {
        if !path.is_dir() {
            files.push(path);
            continue;
        }
        for entry in fs::read_dir(&path).map_err(failure::file("read", &path))? {
            open.push(entry.map_err(failure::file("read", &path))?.path());
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dictionary() -> Dictionary {
        let mut dictionary = Dictionary::new(&Digest([7; 32]));
        dictionary.add("FIN", "9ZZ9ZZ9");
        dictionary.add("name", "Aynur Nümunəyeva");
        dictionary
    }

    #[test]
    fn a_value_is_found_in_clear_hashed_and_hashed_with_a_public_key() {
        let dictionary = dictionary();
        let found = |content: &[u8]| dictionary.hits(content).collect::<Vec<_>>();
        assert_eq!(found(b"....9ZZ9ZZ9...."), ["FIN"]);
        assert_eq!(found("x Aynur Nümunəyeva y".as_bytes()), ["name"]);
        assert_eq!(found(&Sha256::digest(b"9ZZ9ZZ9")), ["FIN"]);
        assert_eq!(found(blake3::hash(b"9ZZ9ZZ9").to_hex().as_bytes()), ["FIN"]);
        assert_eq!(found(blake3::keyed_hash(&[7; 32], b"9ZZ9ZZ9").as_bytes()), ["FIN"]);
        assert_eq!(found(blake3::keyed_hash(&[8; 32], b"9ZZ9ZZ9").as_bytes()), [""; 0]);
        assert_eq!(found(b"9ZZ9ZZ"), [""; 0]);
    }

    #[test]
    fn two_stores_share_a_key_but_not_their_text() {
        let key: Vec<u8> = (0..32).map(|at: u8| at.wrapping_mul(167).wrapping_add(91)).collect();
        let text = b"CREATE TABLE party (id BLOB PRIMARY KEY) granted pid.family_name".to_vec();
        assert_eq!(shared_randomness(&text, &text, &[]), 0);
        let (one, other) = ([text.clone(), key.clone()].concat(), [key, text].concat());
        assert!(shared_randomness(&one, &other, &[]) > 0);
        assert_eq!(shared_randomness(&one, &other, &one), 0);
    }
}
