//! Ticket: a validator asks for a seat in the committees of an epoch.
//!
//! The lot follows from the validator's key, which was registered before the epoch's seed was known, and from the seed: it
//! can be withheld, and neither chosen nor copied. So a ticket needs no signature of the sender's, and anybody may carry it.

use super::handler::{
    Address, BlockContext, CheckedTx, Fee, Handler, Home, Key, Refusal, Scratch, Stop, cost,
};
use crate::{checks, seats};
use staking::TicketWindow;
use types::{
    Bytes, Hash,
    committee::{DrawRecord, TicketRecord, ticket_alpha},
    staking::ValidatorRecord,
    state::Params,
};

pub(super) struct Ticket<'a>(pub(super) &'a types::committee::Ticket);

impl Handler for Ticket<'_> {
    const HOME: Home = Home::Backbone { elsewhere: Refusal::NoDrawHere };
    /// Free: a validator has one for each epoch.
    const FEE: Fee = Fee::Free;

    fn keys(&self, _: Address) -> impl IntoIterator<Item = Key> {
        let operator = self.0.operator;
        [
            Key::Draw,
            Key::Ticket(operator),
            Key::Validator(operator),
            Key::Vrf(operator),
            Key::Attested(operator),
        ]
    }

    fn gas(&self) -> u64 {
        cost::RULE
    }

    fn apply(&self, pad: &mut Scratch<'_>, _: &CheckedTx, at: &BlockContext) -> Result<(), Stop> {
        let types::committee::Ticket { epoch, operator, proof } = self.0;
        let draw: DrawRecord = pad.get(Key::Draw)?.unwrap_or_default();
        if *epoch != draw.epoch || draw.seed == Hash::ZERO {
            return Err(Refusal::TicketEpoch { got: *epoch, open: draw.epoch }.into());
        }
        TicketWindow { opens: draw.opens, closes: draw.closes }.check(at.height)?;
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
        let key = checks::vrf_key(pad.gas(), &vrf).map_err(|_| Refusal::NotItsTicket(*operator))?;
        let output = checks::vrf_output(pad.gas(), &key, &alpha, proof.as_slice())
            .ok_or(Refusal::NotItsTicket(*operator))?;
        let output = Bytes::new(output.to_vec()).expect("64 bytes");
        pad.put(Key::Ticket(*operator), &TicketRecord { epoch: *epoch, output });
        Ok(())
    }
}
