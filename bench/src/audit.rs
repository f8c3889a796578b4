//! The audit at the end of a benchmark: a figure counts only if no nano appeared or disappeared.

use anyhow::{Context as _, Result, ensure};
use node::Host;
use std::collections::BTreeSet;
use types::{
    Address,
    codec::DecodeExt as _,
    state::{Account, Key, Supply, pools},
};

/// What the audit found, as a report prints it.
pub const EXACT: &str = "exact: genesis + minted - burned = sum of all balances";

/// Check that the balances of `holders` and of all pools sum to the supply of `host`'s chain, in nano.
///
/// `holders` names every account that the load can have paid; naming one twice does no harm.
/// Returns what the pool of promises to open jobs still holds.
///
/// # Errors
/// If the sums differ, or the chain has no supply yet.
pub async fn supply(host: &Host, holders: impl IntoIterator<Item = Address>) -> Result<u64> {
    let addresses: BTreeSet<Address> = holders.into_iter().chain(pools::all()).collect();
    let keys: Vec<Key> =
        std::iter::once(Key::Supply).chain(addresses.iter().copied().map(Key::Account)).collect();
    let mut records = host.chain.records(&keys).await.into_iter();
    let supply = records.next().flatten().context("the chain has no supply yet")?;
    let supply = Supply::decode(supply)?;
    let (mut sum, mut escrow) = (0_u128, 0);
    for (address, record) in addresses.into_iter().zip(records) {
        let Some(record) = record else { continue };
        let balance = Account::decode(record)?.balance.get();
        sum += u128::from(balance);
        if address == pools::escrow() {
            escrow = balance;
        }
    }
    let expected = supply.circulating();
    ensure!(
        sum == expected,
        "{}: balances sum to {sum} nano, but the supply is {expected}; an account is missing in the audit or money was lost",
        host.chain.id()
    );
    Ok(escrow)
}
