//! What moves with load: the base fee and demand of the next block, from what this one did.

use crate::{
    gas,
    scratch::{Scratch, Stop},
};
use types::state::{Key, Market, Params};

/// Close a block that took in `bytes` of transactions and used `gas`. The base fee follows the scarcer of the two.
pub(crate) fn close(pad: &mut Scratch<'_>, bytes: u64, gas: u64) -> Result<(), Stop> {
    let params: Params = pad.expect(Key::Params)?;
    let before: Market = pad.expect(Key::Market)?;
    let worked = u128::from(gas) * u128::from(params.base_fee.target) / u128::from(gas::TARGET);
    let used = bytes.max(u64::try_from(worked).unwrap_or(u64::MAX));
    let market = Market {
        base_fee: ledger::next_base_fee(before.base_fee, used, &params.base_fee),
        demand: jobs::next_demand(before.demand, utilisation_bps(&before), &params.demand),
        ..before
    };
    // A market at rest writes nothing, so that an idle chain's state stays as it is.
    if market != before {
        pad.put(Key::Market, &market);
    }
    Ok(())
}

/// The part of all places that is paid for, rounded down. Places nobody offers are idle.
pub fn utilisation_bps(market: &Market) -> u16 {
    let part = u128::from(market.running) * 10_000;
    let part = part.checked_div(u128::from(market.capacity)).unwrap_or(0);
    // A worker that lowers its offer while it works counts more places taken than it has.
    u16::try_from(part.min(10_000)).expect("at most 10,000")
}

/// Change the market's record.
pub(crate) fn change(pad: &mut Scratch<'_>, change: impl FnOnce(&mut Market)) -> Result<(), Stop> {
    let mut market: Market = pad.expect(Key::Market)?;
    change(&mut market);
    pad.put(Key::Market, &market);
    Ok(())
}
