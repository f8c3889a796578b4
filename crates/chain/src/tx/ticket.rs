//! Ticket: a validator asks for a seat in the committees of an epoch.
//!
//! The lot follows from the validator's key, which was registered before the epoch's seed was known, and from the seed: it
//! can be withheld, and neither chosen nor copied. So a ticket needs no signature of the sender's, and anybody may carry it.

use crate::{
    Refusal,
    apply::BlockContext,
    scratch::{Scratch, Stop},
    seats,
};
use crypto::{VrfProof, VrfPublicKey, VrfSuite};
use staking::TicketWindow;
use types::{
    Bytes, Hash,
    committee::{DrawRecord, Ticket, TicketRecord, ticket_alpha},
    staking::ValidatorRecord,
    state::{Key, Params},
};

pub(super) fn apply(
    pad: &mut Scratch<'_>,
    ticket: &Ticket,
    context: &BlockContext,
) -> Result<(), Stop> {
    if context.chain.is_shard() {
        return Err(Refusal::NoDrawHere.into());
    }
    let Ticket { epoch, operator, proof } = ticket;
    let draw: DrawRecord = pad.get(Key::Draw)?.unwrap_or_default();
    if *epoch != draw.epoch || draw.seed == Hash::ZERO {
        return Err(Refusal::TicketEpoch { got: *epoch, open: draw.epoch }.into());
    }
    TicketWindow { opens: draw.opens, closes: draw.closes }.check(context.height)?;
    let known: Option<TicketRecord> = pad.get(Key::Ticket(*operator))?;
    if known.is_some_and(|known| known.epoch == *epoch) {
        return Err(Refusal::TicketTaken(*operator).into());
    }
    let validator: Option<ValidatorRecord> = pad.get(Key::Validator(*operator))?;
    let validator = validator.ok_or(Refusal::UnknownValidator(*operator))?;
    let params: Params = pad.expect(Key::Params)?;
    if !staking::is_eligible(&validator, &params.staking) {
        return Err(Refusal::NotEligible(*operator).into());
    }
    let vrf = seats::vrf_before(pad, *operator, draw.boundary)?;
    let attestation = seats::attestation_before(pad, *operator, draw.boundary)?;
    let alpha = ticket_alpha(*epoch, &draw.seed, &attestation);
    let output = output(&vrf, &alpha, proof.as_slice()).ok_or(Refusal::NotItsTicket(*operator))?;
    let output = Bytes::new(output.to_vec()).expect("64 bytes");
    pad.put(Key::Ticket(*operator), &TicketRecord { epoch: *epoch, output });
    Ok(())
}

fn output(key: &Hash, alpha: &Hash, proof: &[u8]) -> Option<[u8; 64]> {
    let key = VrfPublicKey::new(key.0).ok()?;
    let proof = VrfProof::from_bytes(proof.try_into().ok()?).ok()?;
    Some(key.verify(VrfSuite::Ell2, &alpha.0, &proof).ok()?.0)
}
