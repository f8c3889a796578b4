//! A committee's hand-over as blocks carry it: what the library's resharing calls a payload, as bytes of a body.

use commonware_codec::{Decode as _, DecodeExt as _, Encode as _};
use commonware_cryptography::{
    bls12381::{
        dkg::feldman_desmedt::Output,
        primitives::{sharing::ModeVersion, variant::MinSig},
    },
    transcript::Summary,
};
use commonware_glue::dkg::types::{self as dkg, EpochOutcome};
use commonware_utils::{NZU32, ordered::Set};
use network::{PrivateKey, PublicKey};
use std::num::NonZeroU32;
use types::{CEREMONY_BYTES_MAX, codec::Bytes, domain_hash, network::VALIDATORS_MAX};

/// Peers are found by key alone: each process knows the addresses of those it speaks to.
pub(crate) type Directory = commonware_utils::sequence::Unit;
pub(crate) type Payload = dkg::Payload<MinSig, PublicKey, Directory>;
pub(crate) type EpochInfo = dkg::EpochInfo<MinSig, PublicKey, Directory>;
/// What the application is handed for a proposal.
pub(crate) type Input = commonware_glue::dkg::reshare::Input<(), MinSig, PrivateKey, Directory>;

pub(crate) const SEATS_MAX: NonZeroU32 = NZU32!(VALIDATORS_MAX as u32);

/// The newest way to lay shares out that is understood here.
pub(crate) const fn sharing_mode() -> ModeVersion {
    ModeVersion::v0()
}

/// The payload in `bytes`, if it is one.
pub(crate) fn decode(bytes: &[u8]) -> Option<Payload> {
    Payload::decode_cfg(bytes.to_vec(), &(SEATS_MAX, sharing_mode())).ok()
}

/// `payload` as a body carries it.
pub(crate) fn encode(payload: &Payload) -> Bytes<CEREMONY_BYTES_MAX> {
    Bytes::new(payload.encode().to_vec()).expect("a payload of the most seats fits")
}

/// The dealt key, as genesis has it in `sharing`.
pub(crate) fn dealt(sharing: &[u8]) -> Option<Output<MinSig, PublicKey>> {
    Output::decode_cfg(sharing.to_vec(), &(SEATS_MAX, sharing_mode())).ok()
}

/// The first term: the dealt committee votes, and those who follow are the same.
pub(crate) fn first_term(output: Output<MinSig, PublicKey>) -> EpochInfo {
    let players: Set<PublicKey> = output.players().clone();
    EpochInfo {
        outcome: EpochOutcome::Success,
        epoch: commonware_consensus::types::Epoch::zero(),
        output,
        players: players.clone(),
        next_players: players,
        directory: Directory::default(),
    }
}

/// What the first term's dealing is drawn from: the same after a lost disk, so that nobody is dealt two different shares.
/// In later terms who lost its disk has no share to deal from.
pub(crate) fn first_seed(share: &[u8]) -> Summary {
    let seed = domain_hash("meshx/reshare/first-seed/v1", &[share]);
    Summary::decode(seed.0.as_slice().to_vec()).expect("a summary is 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dealer::deal;
    use commonware_cryptography::Signer as _;

    #[test]
    fn the_largest_payload_fits_into_a_body() {
        assert!(Payload::max_encode_size(SEATS_MAX) <= CEREMONY_BYTES_MAX);
    }

    #[test]
    fn a_payload_comes_back_as_it_went_and_others_are_none() {
        let keys: Vec<_> = (0..4)
            .map(|n| crate::block::plain_key(&PrivateKey::from_seed(n).public_key()))
            .collect();
        let mut keys = keys;
        keys.sort_unstable();
        let sharing = deal([7; 32], &keys).sharing;
        let output = dealt(sharing.as_slice()).expect("just dealt");
        let payload = Payload::EpochInfo(first_term(output));
        let bytes = encode(&payload);
        assert!(decode(bytes.as_slice()) == Some(payload));
        assert!(decode(&bytes.as_slice()[1..]).is_none());
        assert!(decode(&[2]).is_none());
        assert!(decode(&[]).is_none());
    }
}
