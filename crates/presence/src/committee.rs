//! Who measures a claim: most of them near it, some anywhere, nobody by choice.

use crate::Direction;
use std::collections::BTreeMap;
use types::{Address, Place, PublicKey, domain_hash, presence::PresenceParams};

/// A certified node that measures others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Witness {
    /// What it signs its measurements with.
    pub key: PublicKey,
    /// Where it stands.
    pub place: Place,
    /// Who runs it, and what network it is in: few of either measure one claim.
    pub operator: Address,
    /// The autonomous system it is in.
    pub network: u32,
}

/// The witnesses of a claim, by their places in the period's list, sorted.
pub type Committee = Vec<u16>;

/// Draw the committee of a claim from the period's witnesses: of the `pool` nearest to it those with the lowest tickets,
/// then of all others. A ticket follows from `randomness`, the claimant's VRF output, and the witness's key; the witness
/// of the claimant itself is passed over. Fewer than the parameters say, where there are no more.
///
/// `directions` are those of `witnesses`, in their order, at most 65,535.
#[must_use]
pub fn draw(
    claim: (&PublicKey, &Direction),
    randomness: &[u8],
    witnesses: &[Witness],
    directions: &[Direction],
    params: &PresenceParams,
) -> Committee {
    let (prover, place) = claim;
    let mut by_distance: Vec<(i64, u16)> = (0_u16..)
        .zip(witnesses.iter().zip(directions))
        .filter(|(_, (witness, _))| witness.key != *prover)
        .map(|(index, (_, direction))| (-direction.dot(place), index))
        .collect();
    by_distance.sort_unstable();
    let near = by_distance.len().min(usize::from(params.pool));
    let ticket = |index: u16| {
        let key = &witnesses[usize::from(index)].key;
        domain_hash("meshx/presence/draw/v1", &[randomness, &key.0])
    };
    let mut seats =
        Seats { committee: Vec::new(), operators: BTreeMap::new(), networks: BTreeMap::new() };
    let (pool, others) = by_distance.split_at(near);
    let mut left: Vec<u16> = others.iter().map(|(_, index)| *index).collect();
    let mut pool: Vec<u16> = pool.iter().map(|(_, index)| *index).collect();
    pool.sort_by_cached_key(|index| ticket(*index));
    left.extend(seats.fill(&pool, params.witnesses_near, witnesses, params));
    left.sort_by_cached_key(|index| ticket(*index));
    seats.fill(&left, params.witnesses_anywhere, witnesses, params);
    seats.committee.sort_unstable();
    seats.committee
}

struct Seats {
    committee: Committee,
    operators: BTreeMap<Address, u16>,
    networks: BTreeMap<u32, u16>,
}

impl Seats {
    /// Seat `wanted` of the candidates in their order, as far as the caps go, and return who was not.
    fn fill(
        &mut self,
        candidates: &[u16],
        wanted: u16,
        witnesses: &[Witness],
        params: &PresenceParams,
    ) -> Vec<u16> {
        let mut seated = 0;
        let mut left = Vec::new();
        for index in candidates {
            let witness = &witnesses[usize::from(*index)];
            let of_operator = self.operators.entry(witness.operator).or_default();
            let of_network = self.networks.entry(witness.network).or_default();
            if seated == wanted
                || *of_operator >= params.operator_max
                || *of_network >= params.network_max
            {
                left.push(*index);
                continue;
            }
            *of_operator += 1;
            *of_network += 1;
            seated += 1;
            self.committee.push(*index);
        }
        left
    }
}
