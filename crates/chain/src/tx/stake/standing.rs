//! Standing: what an operator says of its validator. Where it is reached, and what it draws lots with.

use super::position::validator_record;
use crate::{
    Refusal,
    apply::BlockContext,
    checks,
    scratch::{Scratch, Stop},
};
use types::{
    Address, Hash, PublicKey,
    committee::{VrfProofBytes, VrfRecord, vrf_possession},
    staking::{PeerAddresses, Standing},
    state::Key,
};

/// Only those who have something to lose are listed: a thousand places need a thousand stakes.
pub(super) fn announce(
    pad: &mut Scratch<'_>,
    from: Address,
    addresses: &PeerAddresses,
) -> Result<(), Stop> {
    check_standing(pad, from)?;
    // Others print these addresses, so nothing in them may move a terminal's cursor.
    let readable = |text: &str| text.starts_with('/') && text.chars().all(|c| c.is_ascii_graphic());
    if !addresses.iter().all(|address| readable(address.as_str())) {
        return Err(Refusal::PeerAddress.into());
    }
    if addresses.is_empty() {
        pad.forget(Key::Peers(from));
    } else {
        pad.put(Key::Peers(from), addresses);
    }
    Ok(())
}

/// Refused are keys under which a proof proves nothing, and those that sign votes: both schemes make nonces of the same
/// secret alike, and one nonce under two challenges gives it away.
pub(super) fn register_vrf(
    pad: &mut Scratch<'_>,
    from: Address,
    key: &Hash,
    proof: &VrfProofBytes,
    context: &BlockContext,
) -> Result<(), Stop> {
    check_standing(pad, from)?;
    let public = checks::vrf_key(pad.gas(), key).map_err(|_| Refusal::BadVrfKey)?;
    let signs = PublicKey(key.0);
    if Address::of(&signs) == from || pad.get::<Address>(Key::ValidatorKey(signs))?.is_some() {
        return Err(Refusal::VrfKeySigns.into());
    }
    let alpha = vrf_possession(&context.network, &from);
    checks::vrf_output(pad.gas(), &public, &alpha, proof.as_slice())
        .ok_or(Refusal::VrfKeyNotProved)?;
    pad.put(Key::Vrf(from), &VrfRecord { key: *key, registered: context.height });
    Ok(())
}

/// Whether `operator` has a validator that is not out for ever.
fn check_standing(pad: &Scratch<'_>, operator: Address) -> Result<(), Stop> {
    match validator_record(pad, operator)?.standing {
        Standing::Tombstoned => Err(staking::Refusal::Tombstoned.into()),
        Standing::Active | Standing::Jailed { .. } => Ok(()),
    }
}
