//! Who measures a claim, worked out by prover and witness alike from the period's tables.

use crate::Draw;
use crypto::{VrfProof, VrfPublicKey, VrfSuite};
use presence::{Committee, Direction, Tables, alpha};
use types::{
    PublicKey,
    presence::{Claim, PresenceParams, VRF_PROOF_BYTES},
};

/// Why somebody does not measure a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NotDrawn {
    #[error("the claim is for period {claimed}, but this is period {now}")]
    Period { claimed: u64, now: u64 },
    #[error("the claim's witnesses were not drawn with its VRF key")]
    Draw,
    #[error("this witness was not drawn for the claim")]
    NotThisOne,
}

/// The committee that a claim's proof draws, as [`presence::verify`] will: witnesses by their places in the period's list,
/// sorted.
///
/// # Errors
/// [`NotDrawn::Period`], [`NotDrawn::Draw`].
pub fn committee(
    claim: &Claim,
    proof: &Draw,
    params: &PresenceParams,
    tables: &Tables<'_>,
) -> Result<Committee, NotDrawn> {
    if claim.period != tables.period {
        return Err(NotDrawn::Period { claimed: claim.period, now: tables.period });
    }
    let proof = <&[u8; VRF_PROOF_BYTES]>::try_from(proof.as_slice()).ok();
    let proof = proof.and_then(|proof| VrfProof::from_bytes(proof).ok()).ok_or(NotDrawn::Draw)?;
    let key = VrfPublicKey::new(claim.vrf_key.0).map_err(|_| NotDrawn::Draw)?;
    let alpha = alpha(&tables.seed, claim);
    let output = key.verify(VrfSuite::Ell2, &alpha.0, &proof).map_err(|_| NotDrawn::Draw)?;
    Ok(presence::draw(
        (&claim.prover, &Direction::of_place(claim.place)),
        &output.0,
        tables.witnesses,
        tables.reference.directions(),
        params,
    ))
}

/// The place of `key` in the period's list, if it was drawn to measure the claim. Whether the claim is registered, and how
/// often it was measured already, is the caller's to look at.
///
/// # Errors
/// [`NotDrawn`].
pub fn seat(
    claim: &Claim,
    proof: &Draw,
    key: &PublicKey,
    params: &PresenceParams,
    tables: &Tables<'_>,
) -> Result<u16, NotDrawn> {
    let committee = committee(claim, proof, params, tables)?;
    let own = |index: &u16| tables.witnesses[usize::from(*index)].key == *key;
    committee.into_iter().find(own).ok_or(NotDrawn::NotThisOne)
}
