//! What a worker earned goes to the account that its owner named.
//!
//! The worker's key is on the machine that runs strangers' jobs. With a payout address, little money is ever behind it.

use types::NanoMeshx;

/// What stays with the worker for its fees: a thousand transactions at the least fee.
pub const KEPT: NanoMeshx = NanoMeshx::new(1_000_000);
/// The least that is worth a transaction.
const LEAST: NanoMeshx = NanoMeshx::new(1_000_000);

/// What of a balance is to be sent on, if anything. The fee comes out of what stays.
pub(crate) fn due(balance: NanoMeshx) -> Option<NanoMeshx> {
    balance.checked_sub(KEPT).filter(|beyond| *beyond >= LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_covers_fees_and_what_goes_is_worth_one() {
        let due = |nano| due(NanoMeshx::new(nano)).map(NanoMeshx::get);
        assert_eq!(due(0), None);
        assert_eq!(due(KEPT.get() + LEAST.get() - 1), None);
        assert_eq!(due(KEPT.get() + LEAST.get()), Some(LEAST.get()));
        assert_eq!(due(u64::MAX), Some(u64::MAX - KEPT.get()));
    }
}
