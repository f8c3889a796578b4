//! What an account has earned, kept by how.

use crate::scratch::{Scratch, Stop};
use types::{
    Address, NanoMeshx,
    state::{Earned, Key},
};

/// Count `amount` on the line of `address`'s record that `line` picks. Pools keep no record.
pub(crate) fn count(
    pad: &mut Scratch<'_>,
    address: Address,
    amount: NanoMeshx,
    line: impl FnOnce(&mut Earned) -> &mut NanoMeshx,
) -> Result<(), Stop> {
    if amount == NanoMeshx::ZERO || address.is_pool() {
        return Ok(());
    }
    let mut earned: Earned = pad.get(Key::Earned(address))?.unwrap_or_default();
    let line = line(&mut earned);
    // The same nano can be earned again and again: the count, not the money, could pass a u64.
    *line = line.saturating_add(amount);
    pad.put(Key::Earned(address), &earned);
    Ok(())
}
