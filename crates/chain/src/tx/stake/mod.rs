//! Stake: one order about the sender's stake, or about its validator.

mod orders;
mod position;
mod standing;

use self::orders::Order;
use super::handler::{
    Address, BlockContext, CheckedTx, Fee, Handler, Home, Key, Refusal, Scratch, Stop, cost,
};
use staking::{Moment, Portion};
use types::{NanoMeshx, staking::StakeOrder, state::Params};

pub(super) struct Stake<'a>(pub(super) &'a StakeOrder);

impl Handler for Stake<'_> {
    const HOME: Home = Home::Backbone { elsewhere: Refusal::NoStakeHere };
    const FEE: Fee = Fee::Gas;

    /// What an order needs is found out while it runs: orders are rare.
    fn keys(&self, _: Address) -> impl IntoIterator<Item = Key> {
        []
    }

    fn gas(&self) -> u64 {
        cost::RULE
    }

    fn apply(&self, pad: &mut Scratch<'_>, tx: &CheckedTx, at: &BlockContext) -> Result<(), Stop> {
        let from = tx.from();
        let params: Params = pad.expect(Key::Params)?;
        let rules = &params.staking;
        let order = Order { from, rules, now: Moment { height: at.height, at: at.timestamp } };
        match self.0 {
            StakeOrder::Bond { key, amount, commission_bps, proof } => {
                orders::bond(pad, order, (key, proof), (*amount, *commission_bps), at)
            }
            StakeOrder::Delegate { validator, amount } => {
                orders::delegate(pad, order, *validator, *amount)
            }
            StakeOrder::Undelegate { validator, amount } => {
                orders::undelegate(pad, order, *validator, portion(*amount))
            }
            StakeOrder::Redelegate { from, to, amount } => {
                orders::redelegate(pad, order, (*from, *to), portion(*amount))
            }
            StakeOrder::Withdraw { validator } => orders::withdraw(pad, order, *validator),
            StakeOrder::Claim { validator } => orders::claim(pad, order, *validator),
            StakeOrder::ClaimCommission => orders::claim_commission(pad, from),
            StakeOrder::SetCommission { bps } => orders::set_commission(pad, order, *bps),
            StakeOrder::Unjail => orders::unjail(pad, order),
            StakeOrder::Announce { addresses } => standing::announce(pad, from, addresses),
            StakeOrder::RegisterVrf { key, proof } => {
                standing::register_vrf(pad, from, key, proof, at)
            }
        }
    }
}

fn portion(amount: Option<NanoMeshx>) -> Portion {
    amount.map_or(Portion::All, Portion::Amount)
}
