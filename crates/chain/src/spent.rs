//! Spent: expiring nonces, each of which counts once.
//!
//! One record for each account holds those that are in blocks and have not expired. It is pruned when it is used, so nothing
//! has to go through all accounts, and it has a bound, so it stays small.

use crate::{
    BlockContext, Refusal,
    scratch::{Scratch, Stop},
};
use types::{Address, Height, ONCE_BLOCKS_MAX, Once, Spent, state::Key};

/// Use up `once`, which must not have been used by `sender` before.
pub(crate) fn spend(
    pad: &mut Scratch<'_>,
    sender: Address,
    once: Once,
    at: &BlockContext,
) -> Result<(), Stop> {
    let (until, height) = (once.height, at.height);
    if until < height {
        return Err(Refusal::TxExpired { until, height }.into());
    }
    let last = Height::new(height.get().saturating_add(ONCE_BLOCKS_MAX));
    if until > last {
        return Err(Refusal::UntilTooFar { until, last }.into());
    }
    let key = Key::Spent(sender);
    let spent: Spent = pad.get(key)?.unwrap_or_default();
    let mut open = spent.into_vec();
    // Those that have expired are refused above, so nothing needs to remember them.
    open.retain(|known| known.height >= height);
    let Err(place) = open.binary_search(&once) else {
        return Err(Refusal::TxSpent(once.salt).into());
    };
    let first = open.first().map_or(height, |first| first.height);
    open.insert(place, once);
    let spent = Spent::new(open).map_err(|_| Refusal::TooManyOpen { first })?;
    pad.put(key, &spent);
    Ok(())
}
