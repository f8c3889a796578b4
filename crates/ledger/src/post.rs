//! Posting transfers: all of them or none.

use std::collections::BTreeMap;
use types::{
    Address, NanoMeshx,
    state::{Account, Destination, Transfer},
};

/// The accounts a batch of transfers touches. One that is absent is empty.
pub type Accounts = BTreeMap<Address, Account>;

/// Why the ledger refused. A refusal leaves every balance as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum Refusal {
    #[error("account {account} holds {available} MESHX, but this needs {needed}")]
    InsufficientFunds { account: Address, available: NanoMeshx, needed: NanoMeshx },
    #[error("account {account} would hold more than can exist")]
    Overflow { account: Address },
    #[error("the next nonce of account {account} is {expected}, but the transaction has {got}")]
    Nonce { account: Address, expected: u64, got: u64 },
    #[error("a transfer of zero moves nothing")]
    ZeroAmount,
}

/// Carry out `transfers` in order on `accounts`; returns what was burned.
///
/// The sum of all balances before equals the sum after plus what is returned.
///
/// # Errors
/// [`Refusal::InsufficientFunds`] or [`Refusal::Overflow`]; then `accounts` is unchanged.
pub fn post(accounts: &mut Accounts, transfers: &[Transfer]) -> Result<NanoMeshx, Refusal> {
    let mut after = accounts.clone();
    let mut burned = NanoMeshx::ZERO;
    for transfer in transfers {
        let from = after.entry(transfer.from).or_default();
        from.balance =
            from.balance.checked_sub(transfer.amount).ok_or(Refusal::InsufficientFunds {
                account: transfer.from,
                available: from.balance,
                needed: transfer.amount,
            })?;
        match transfer.to {
            Destination::Account(address) => {
                let to = after.entry(address).or_default();
                to.balance = to
                    .balance
                    .checked_add(transfer.amount)
                    .ok_or(Refusal::Overflow { account: address })?;
            }
            Destination::Burned => {
                burned = burned
                    .checked_add(transfer.amount)
                    .ok_or(Refusal::Overflow { account: transfer.from })?;
            }
        }
    }
    *accounts = after;
    Ok(burned)
}

/// Use up `account`'s next nonce, which must be `nonce`.
///
/// # Errors
/// [`Refusal::Nonce`] on a gap or a replay.
pub fn spend_nonce(account: &mut Account, address: Address, nonce: u64) -> Result<(), Refusal> {
    if account.nonce != nonce {
        return Err(Refusal::Nonce { account: address, expected: account.nonce, got: nonce });
    }
    account.nonce = nonce.checked_add(1).ok_or(Refusal::Overflow { account: address })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::PublicKey;

    fn who(n: u8) -> Address {
        Address::of(&PublicKey([n; 32]))
    }
    fn transfer(from: u8, to: u8, amount: u64) -> Transfer {
        Transfer {
            from: who(from),
            to: Destination::Account(who(to)),
            amount: NanoMeshx::new(amount),
        }
    }
    fn accounts(balances: &[(u8, u64)]) -> Accounts {
        balances
            .iter()
            .map(|(n, b)| (who(*n), Account { balance: NanoMeshx::new(*b), nonce: 0 }))
            .collect()
    }
    fn total(accounts: &Accounts) -> u128 {
        accounts.values().map(|a| u128::from(a.balance.get())).sum()
    }

    #[test]
    fn moves_exactly_what_it_says() {
        let mut all = accounts(&[(1, 5)]);
        post(&mut all, &[transfer(1, 2, 5)]).unwrap();
        assert_eq!(all, accounts(&[(1, 0), (2, 5)]));
    }

    #[test]
    fn refuses_overdraft_and_changes_nothing() {
        let mut all = accounts(&[(1, 5)]);
        let refused = post(&mut all, &[transfer(1, 2, 5), transfer(1, 2, 1)]);
        assert!(
            matches!(refused, Err(Refusal::InsufficientFunds { needed, .. }) if needed.get() == 1)
        );
        assert_eq!(all, accounts(&[(1, 5)]));
    }

    #[test]
    fn refuses_a_balance_beyond_u64() {
        let mut all = accounts(&[(1, 1), (2, u64::MAX)]);
        assert_eq!(
            post(&mut all, &[transfer(1, 2, 1)]),
            Err(Refusal::Overflow { account: who(2) })
        );
    }

    #[test]
    fn a_transfer_to_oneself_changes_nothing() {
        let mut all = accounts(&[(1, 5)]);
        post(&mut all, &[transfer(1, 1, 5)]).unwrap();
        assert_eq!(all, accounts(&[(1, 5)]));
    }

    #[test]
    fn a_nonce_counts_up_by_one_and_never_repeats() {
        let mut account = Account::default();
        assert_eq!(spend_nonce(&mut account, who(1), 0), Ok(()));
        for wrong in [0, 2, u64::MAX] {
            let refused = spend_nonce(&mut account, who(1), wrong);
            assert_eq!(refused, Err(Refusal::Nonce { account: who(1), expected: 1, got: wrong }));
        }
    }

    /// Invariant: no posting makes a nano appear or disappear.
    #[test]
    fn random_transfers_conserve_money() {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut random = |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let mut all = accounts(&[(0, 1_000), (1, 1_000), (2, 0), (3, u64::MAX - 500)]);
        let (start, mut burned) = (total(&all), 0_u128);
        for _ in 0..20_000 {
            let batch: Vec<Transfer> = (0..random(4))
                .map(|_| {
                    let (from, to) = (who(random(4) as u8), who(random(4) as u8));
                    let to =
                        if random(5) == 0 { Destination::Burned } else { Destination::Account(to) };
                    Transfer { from, to, amount: NanoMeshx::new(random(600)) }
                })
                .collect();
            let before = all.clone();
            match post(&mut all, &batch) {
                Ok(gone) => burned += u128::from(gone.get()),
                Err(_) => assert_eq!(all, before),
            }
            assert_eq!(total(&all) + burned, start);
        }
    }
}
