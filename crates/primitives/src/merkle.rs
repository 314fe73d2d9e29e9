//! Binary Merkle trees over an ordered list of leaf digests.
//!
//! The shape is RFC 6962's (the left subtree holds the largest power of two of leaves), with
//! keyed BLAKE3 instead of prefix bytes, so that an inner node is one compression of 64 bytes.
//! The leaf count is not in the root; whoever commits to a root commits to the count beside it.

use alloc::vec::Vec;

use crate::{
    Digest, Domain,
    codec::{DecodeError, Reader, Writer},
};

const NODE: Domain = Domain::new("etibar.merkle.node");

/// The longest path: a tree of up to 2^32 leaves.
pub const PATH_LENGTH_MAX: usize = 32;

/// The siblings from a leaf up to the root.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path(pub Vec<Digest>);

fn node(left: &Digest, right: &Digest) -> Digest {
    let mut both = [0; 64];
    both[..32].copy_from_slice(&left.0);
    both[32..].copy_from_slice(&right.0);
    NODE.hash(&both)
}

/// The root over `leaves`; [`Digest::ZERO`] when there are none.
pub fn root(leaves: &[Digest]) -> Digest {
    root_of(leaves.to_vec())
}

/// The root over `leaves`, using their own room for the work.
///
/// Pairing neighbours level by level, an odd last one moving up as it is, gives RFC 6962's shape.
pub fn root_of(mut level: Vec<Digest>) -> Digest {
    while level.len() > 1 {
        fold(&mut level);
    }
    level.first().copied().unwrap_or(Digest::ZERO)
}

fn fold(level: &mut Vec<Digest>) {
    let pairs = level.len() / 2;
    for index in 0..pairs {
        level[index] = node(&level[2 * index], &level[2 * index + 1]);
    }
    if !level.len().is_multiple_of(2) {
        level[pairs] = level[level.len() - 1];
    }
    level.truncate(level.len().div_ceil(2));
}

/// The path from leaf `index` to the root over `leaves`, or `None` when there is no such leaf.
pub fn path(leaves: &[Digest], index: usize) -> Option<Path> {
    if index >= leaves.len() {
        return None;
    }
    let mut level = leaves.to_vec();
    let mut position = index;
    let mut siblings = Vec::new();
    while level.len() > 1 {
        if let Some(sibling) = level.get(position ^ 1) {
            siblings.push(*sibling);
        }
        fold(&mut level);
        position /= 2;
    }
    Some(Path(siblings))
}

impl Path {
    /// The root that `leaf` at `index` of `count` leaves has by this path, or `None` when the path
    /// has not the length that this place in the tree demands.
    pub fn root(&self, leaf: Digest, index: u64, count: u64) -> Option<Digest> {
        if index >= count {
            return None;
        }
        let (mut digest, mut position, mut width) = (leaf, index, count);
        let mut siblings = self.0.iter();
        while width > 1 {
            if position ^ 1 < width {
                let sibling = siblings.next()?;
                let right = !position.is_multiple_of(2);
                digest = if right { node(sibling, &digest) } else { node(&digest, sibling) };
            }
            position /= 2;
            width = width.div_ceil(2);
        }
        siblings.next().is_none().then_some(digest)
    }

    /// Appends the path: a byte of length, then the siblings.
    pub fn encode(&self, out: &mut impl Writer) {
        out.put_u8(u8::try_from(self.0.len()).expect("a path has at most 32 siblings"));
        for sibling in &self.0 {
            out.put(&sibling.0);
        }
    }

    /// Reads what [`Path::encode`] wrote.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = usize::from(reader.u8()?);
        if length > PATH_LENGTH_MAX {
            return Err(DecodeError::TooLong("merkle path"));
        }
        (0..length).map(|_| reader.digest()).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LEAF: Domain = Domain::new("test.leaf");

    fn leaves(count: u64) -> Vec<Digest> {
        (0..count).map(|index| LEAF.hash(&index.to_le_bytes())).collect()
    }

    #[test]
    fn an_empty_tree_has_the_zero_root_and_no_paths() {
        assert_eq!(root(&[]), Digest::ZERO);
        assert_eq!(path(&[], 0), None);
    }

    proptest! {
        #[test]
        fn every_path_leads_to_the_root_and_no_other_place_does(
            count in 1_u64..70, pick in any::<prop::sample::Index>(),
        ) {
            let leaves = leaves(count);
            let at = pick.index(leaves.len());
            let index = u64::try_from(at).expect("below 70");
            let path = path(&leaves, at).expect("index is below the count");
            let root = root(&leaves);
            prop_assert_eq!(path.root(leaves[at], index, count), Some(root));
            for other in (0..count).filter(|other| *other != index) {
                prop_assert_ne!(path.root(leaves[at], other, count), Some(root));
            }
        }

        #[test]
        fn a_changed_sibling_or_a_longer_path_is_refused(count in 2_u64..70, flip in 0_usize..32) {
            let leaves = leaves(count);
            let mut path = path(&leaves, 0).expect("there is a first leaf");
            path.0[0].0[flip] ^= 1;
            prop_assert_ne!(path.root(leaves[0], 0, count), Some(root(&leaves)));
            path.0[0].0[flip] ^= 1;
            path.0.push(Digest::ZERO);
            prop_assert_eq!(path.root(leaves[0], 0, count), None);
        }
    }
}
