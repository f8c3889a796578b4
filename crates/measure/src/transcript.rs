//! The transcript: one root over what each witness asked and got, so that all of them sign for the same measurement.
//!
//! The prover signs the root before it knows any minimum: minima of two measurements never make one certificate.

use crate::{Nonce, SessionId};
use types::{
    Hash, List, domain_hash,
    presence::{PROBES, WITNESSES_MAX},
};

/// Steps from a leaf to the root: 2⁷ leaves are more than 96.
pub const PATH_MAX: usize = 7;
const _: () = assert!(WITNESSES_MAX <= 1 << PATH_MAX && PROBES == 8, "a byte says which rounds");

/// The hashes beside a part's way to the root, from below.
pub type Path = List<Hash, PATH_MAX>;

/// A probe and the MAC that answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub(crate) nonce: Nonce,
    pub(crate) mac: [u8; 32],
}

/// Exchanges by round; `None` where the prover saw no question.
pub(crate) type Exchanges = [Option<Exchange>; PROBES as usize];

/// What a witness and its prover have in common.
#[must_use]
pub(crate) fn leaf(witness: u16, session: &SessionId, exchanges: &Exchanges) -> Hash {
    let mut bytes = Vec::with_capacity(usize::from(PROBES) * 49);
    for exchange in exchanges {
        match exchange {
            Some(Exchange { nonce, mac }) => {
                bytes.push(1);
                bytes.extend_from_slice(nonce);
                bytes.extend_from_slice(mac);
            }
            None => bytes.push(0),
        }
    }
    domain_hash("meshx/measure/leaf/v1", &[&witness.to_be_bytes(), session, &bytes])
}

/// Where a witness finds itself under the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Rounds in the leaf: bit 0 is round 0.
    pub answered: u8,
    /// Of the leaf, counted from the left.
    pub position: u8,
    /// Leads from this part to the root.
    pub path: Path,
}

/// Leaves by witness, and the tree above them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// Witness, rounds answered, leaf; sorted by witness.
    leaves: Vec<(u16, u8, Hash)>,
}

impl Transcript {
    /// At most [`WITNESSES_MAX`] of them, none of a witness twice.
    pub(crate) fn new(mut leaves: Vec<(u16, u8, Hash)>) -> Self {
        leaves.sort_unstable_by_key(|(witness, ..)| *witness);
        assert!(leaves.len() <= WITNESSES_MAX, "{} leaves", leaves.len());
        assert!(leaves.windows(2).all(|pair| pair[0].0 < pair[1].0), "a witness is there once");
        Self { leaves }
    }

    /// The root of all parts.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut row = self.bottom();
        while row.len() > 1 {
            row = above(&row);
        }
        row[0]
    }

    /// The part of a witness; `None` if it is not in the transcript.
    #[must_use]
    pub fn part(&self, witness: u16) -> Option<Part> {
        let position = self.leaves.binary_search_by_key(&witness, |(witness, ..)| *witness).ok()?;
        let mut row = self.bottom();
        let mut at = position;
        let mut path = Path::default();
        while row.len() > 1 {
            path.push(row[at ^ 1]).expect("at most seven rows have a sibling");
            row = above(&row);
            at /= 2;
        }
        let answered = self.leaves[position].1;
        Some(Part { answered, position: u8::try_from(position).expect("at most 96"), path })
    }

    /// Leaves, and nothing up to a power of two.
    fn bottom(&self) -> Vec<Hash> {
        let mut row: Vec<Hash> = self.leaves.iter().map(|(.., leaf)| *leaf).collect();
        row.resize(row.len().next_power_of_two(), Hash::ZERO);
        row
    }
}

/// Does the path lead from the leaf at that position to the root?
#[must_use]
pub(crate) fn leads_to(leaf: Hash, position: u8, path: &Path, root: &Hash) -> bool {
    let mut node = leaf;
    let mut position = usize::from(position);
    for sibling in path.iter() {
        node = if position % 2 == 0 { parent(&node, sibling) } else { parent(sibling, &node) };
        position /= 2;
    }
    // What is left of the position would lie beyond the leaves that so short a path can tell apart.
    position == 0 && node == *root
}

fn above(row: &[Hash]) -> Vec<Hash> {
    row.chunks_exact(2).map(|pair| parent(&pair[0], &pair[1])).collect()
}

fn parent(left: &Hash, right: &Hash) -> Hash {
    domain_hash("meshx/measure/node/v1", &[&left.0, &right.0])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf_of(witness: u16) -> Hash {
        leaf(witness, &[3; 8], &[None; 8])
    }

    #[test]
    fn every_witness_finds_itself_and_nobody_else() {
        for count in [1_u16, 2, 3, 5, 64, 95, 96] {
            let leaves = (0..count).rev().map(|at| (at * 600, 1, leaf_of(at * 600))).collect();
            let transcript = Transcript::new(leaves);
            let root = transcript.root();
            for at in 0..count {
                let Part { position, path, .. } = transcript.part(at * 600).unwrap();
                assert!(leads_to(leaf_of(at * 600), position, &path, &root));
                assert!(!leads_to(leaf_of(at * 600 + 1), position, &path, &root));
                assert!(!leads_to(leaf_of(at * 600), position ^ 1, &path, &root));
                assert!(!leads_to(leaf_of(at * 600), position, &path, &leaf_of(9)));
                for step in 0..path.len() {
                    let mut crooked = path.clone();
                    crooked.iter_mut().nth(step).unwrap().0[0] ^= 1;
                    assert!(!leads_to(leaf_of(at * 600), position, &crooked, &root));
                }
            }
            assert_eq!(transcript.part(1), None);
        }
    }

    #[test]
    fn a_leaf_hangs_on_all_that_was_said() {
        let exchange = Exchange { nonce: [1; 16], mac: [2; 32] };
        let mut exchanges = [None; 8];
        exchanges[2] = Some(exchange);
        let one = leaf(4, &[3; 8], &exchanges);
        let mut later = [None; 8];
        later[3] = Some(exchange);
        let mut other_nonce = exchanges;
        other_nonce[2] = Some(Exchange { nonce: [9; 16], ..exchange });
        let mut other_mac = exchanges;
        other_mac[2] = Some(Exchange { mac: [9; 32], ..exchange });
        for other in [
            leaf(5, &[3; 8], &exchanges),
            leaf(4, &[4; 8], &exchanges),
            leaf(4, &[3; 8], &later),
            leaf(4, &[3; 8], &other_nonce),
            leaf(4, &[3; 8], &other_mac),
        ] {
            assert_ne!(one, other);
        }
    }
}
