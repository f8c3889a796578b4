//! The dev dealer: one process that makes all keys of a committee and hands them out.
//!
//! Its operator could have kept the secret, so every network it makes says so in its network keys
//! (`dev_dealer`) and every receipt of such a network says so too.

use crate::ceremony;
use commonware_codec::{DecodeExt as _, Encode as _};
use commonware_cryptography::{
    bls12381::{
        dkg::feldman_desmedt::deal as deal_shares,
        primitives::{group::Share, sharing::Mode, variant::MinSig},
    },
    ed25519::PublicKey,
};
use commonware_utils::{N3f1, ordered::Set};
use rand::{SeedableRng as _, rngs::StdRng};
use receipt::light::{Scheme, namespace};
use std::num::NonZeroU64;
use types::{
    ChainId, Hash,
    codec::Bytes,
    network::{Genesis, TERM_BLOCKS_MIN, VALIDATORS_MAX},
};

/// A committee's keys: the public half goes into genesis, each share to its validator.
pub struct Committee {
    /// The threshold public key.
    pub identity: Bytes<96>,
    /// The commitment to the sharing polynomial, and who holds a share.
    pub sharing: Bytes<20_000>,
    /// One secret share per validator, by validator key in ascending order.
    pub shares: Vec<(types::PublicKey, Vec<u8>)>,
}

/// Deal threshold keys to `validators` from `seed`, which must be secret and never used twice.
///
/// # Panics
/// If `validators` is empty, holds more than [`VALIDATORS_MAX`], or something that is not a key.
pub fn deal(seed: [u8; 32], validators: &[types::PublicKey]) -> Committee {
    assert!((1..=VALIDATORS_MAX).contains(&validators.len()), "1 to {VALIDATORS_MAX} validators");
    let keys = validators
        .iter()
        .map(|key| crate::block::consensus_key(key).expect("the dealer made these keys"));
    let players: Set<PublicKey> = Set::from_iter_dedup(keys);
    let (output, shares) =
        deal_shares::<MinSig, _, N3f1>(StdRng::from_seed(seed), Mode::NonZeroCounter, players)
            .expect("there is at least one player");
    let identity = output.public().public();
    Committee {
        identity: Bytes::new(identity.encode().to_vec()).expect("a G2 point has 96 bytes"),
        sharing: Bytes::new(output.encode().to_vec()).expect("a hundred points fit"),
        shares: shares
            .iter_pairs()
            .map(|(key, share)| (crate::block::plain_key(key), share.encode().to_vec()))
            .collect(),
    }
}

/// Why a validator cannot take part in its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum BadKeys {
    #[error("genesis holds no sharing polynomial for its validators")]
    Sharing,
    #[error("genesis has terms of {0} blocks, but a hand-over takes at least {TERM_BLOCKS_MIN}")]
    Term(u64),
    #[error("the validator's threshold share cannot be read or is not the one genesis expects")]
    Share,
}

/// The committee's scheme with the share `share`; without one it checks votes and casts none.
///
/// # Errors
/// [`BadKeys`].
pub fn scheme(
    network: &Hash,
    chain: ChainId,
    validators: Set<PublicKey>,
    sharing: &[u8],
    share: Option<&[u8]>,
) -> Result<Scheme, BadKeys> {
    let output = ceremony::dealt(sharing).ok_or(BadKeys::Sharing)?;
    // The key must be shared by exactly those that genesis names, or a quorum of names could lack a quorum of shares.
    if *output.players() != validators {
        return Err(BadKeys::Sharing);
    }
    let sharing = output.public().clone();
    let namespace = namespace(network, chain);
    let Some(share) = share else { return Ok(Scheme::verifier(&namespace, validators, sharing)) };
    let share = Share::decode(share.to_vec()).map_err(|_| BadKeys::Share)?;
    Scheme::signer(&namespace, validators, sharing, share).ok_or(BadKeys::Share)
}

/// Blocks of a term, enough for a hand-over.
///
/// # Errors
/// [`BadKeys::Term`].
pub(crate) fn term_blocks(genesis: &Genesis) -> Result<NonZeroU64, BadKeys> {
    NonZeroU64::new(genesis.term_blocks)
        .filter(|blocks| blocks.get() >= TERM_BLOCKS_MIN)
        .ok_or(BadKeys::Term(genesis.term_blocks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_that_are_too_short_to_hand_over_in_are_refused() {
        let genesis = |term_blocks| Genesis {
            chain: ChainId::Europe,
            started: types::Millis::ZERO,
            validators: types::List::default(),
            sharing: Bytes::default(),
            term_blocks,
            params: types::state::Params::DEFAULT,
            accounts: types::List::default(),
            workers: types::List::default(),
            stakes: types::List::default(),
            emission: types::Schedule { steps: types::List::default() },
            vesting: types::List::default(),
            witnesses: types::List::default(),
        };
        for short in [0, 1, TERM_BLOCKS_MIN - 1] {
            assert_eq!(term_blocks(&genesis(short)), Err(BadKeys::Term(short)));
        }
        assert_eq!(
            term_blocks(&genesis(TERM_BLOCKS_MIN)).map(NonZeroU64::get),
            Ok(TERM_BLOCKS_MIN)
        );
    }
}
