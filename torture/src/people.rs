//! Who pays whom. A transfer is a function of its sender and nonce, so that the nonces of all accounts
//! decide what every account must hold.

use crate::random::mix;
use client::{signed, wallet};
use crypto::SigningKey;
use std::collections::BTreeMap;
use types::{Action, Address, ChainId, Hash, Intent, NanoMeshx, Nonce, Tx, domain_hash};

/// What the development wallet has on each shard of a local mesh.
pub const DEV_BALANCE: u64 = 1_000_000_000_000_000;
/// What each worker starts with.
pub const WORKER_BALANCE: u64 = 1_000_000_000;

/// What everyone is given before the load.
const GIFT: u64 = 100_000_000_000;
/// Most that one transfer moves, in nano.
const AMOUNT_MAX: u64 = 1_000;

/// Where transfers happen: two shards, so that two chains of one process are under load.
pub const CHAINS: [ChainId; 2] = [ChainId::NorthAmerica, ChainId::Europe];

/// Accounts with keys. On each chain, number 0 is the dev wallet, which funds the others in order.
pub struct People {
    /// The network id that transactions are signed for.
    pub network: Hash,
    fee: u64,
    dev: SigningKey,
    keys: Vec<SigningKey>,
    addresses: Vec<Address>,
}

/// How many transactions each account has had in blocks: by chain, then by number.
pub type Nonces = BTreeMap<ChainId, Vec<u64>>;

impl People {
    /// `count` accounts per chain beside the dev wallet. `fee` is burned for every transfer.
    pub fn new(network: Hash, fee: NanoMeshx, count: usize) -> Self {
        let dev = wallet::paying(&wallet::development());
        let seed = |n: usize| domain_hash("meshx/torture/v1", &[&(n as u64).to_be_bytes()]).0;
        let keys: Vec<SigningKey> = (0..count).map(|n| SigningKey::from_seed(&seed(n))).collect();
        let addresses = std::iter::once(&dev).chain(&keys).map(wallet::address).collect();
        Self { network, fee: fee.get(), dev, keys, addresses }
    }

    /// How many there are on a chain, dev wallet included.
    pub fn count(&self) -> usize {
        self.addresses.len()
    }

    /// The address of account `number`; 0 is the dev wallet.
    ///
    /// # Panics
    /// If there is no such account.
    pub fn address(&self, number: usize) -> Address {
        self.addresses[number]
    }

    /// What each transfer burns, in nano-MESHX.
    pub fn fee(&self) -> u64 {
        self.fee
    }

    /// Who is paid by transaction `nonce` of account `number`, and how much.
    fn payment(&self, number: usize, nonce: u64) -> (usize, u64) {
        let others = self.keys.len() as u64;
        if number == 0 {
            return (1 + (nonce % others) as usize, GIFT);
        }
        let random = mix(nonce.wrapping_mul(0x1_0001) ^ mix(number as u64));
        (1 + (random % others) as usize, 1 + (random >> 32) % AMOUNT_MAX)
    }

    /// The one transaction that account `number` of `chain` ever signs with `nonce`.
    pub fn transfer(&self, chain: ChainId, number: usize, nonce: u64) -> Tx {
        let key = if number == 0 { &self.dev } else { &self.keys[number - 1] };
        let (to, amount) = self.payment(number, nonce);
        let action = Action::Transfer { to: self.addresses[to], amount: NanoMeshx::new(amount) };
        // It must be the same whenever it is signed.
        let (nonce, tip, fee_max) = (Nonce::strict(nonce), NanoMeshx::ZERO, Tx::ANY_FEE);
        signed(key, &self.network, Intent { chain, nonce, tip, fee_max, action })
    }

    /// What every account must hold after exactly `nonces[number]` transactions of each.
    pub fn balances(&self, nonces: &[u64]) -> Vec<i128> {
        let mut balances = vec![0_i128; self.count()];
        balances[0] = i128::from(DEV_BALANCE);
        for (number, count) in nonces.iter().enumerate() {
            for nonce in 0..*count {
                let (to, amount) = self.payment(number, nonce);
                balances[number] -= i128::from(amount + self.fee);
                balances[to] += i128::from(amount);
            }
        }
        balances
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_goes_nowhere_but_to_others_and_into_fees() {
        let people = People::new(Hash::default(), NanoMeshx::new(1_000), 5);
        let nonces = [5, 3, 0, 9, 2, 4];
        let sum: i128 = people.balances(&nonces).iter().sum();
        assert_eq!(sum, i128::from(DEV_BALANCE) - 23 * 1_000);
    }

    #[test]
    fn a_transfer_is_the_same_each_time() {
        let people = People::new(Hash::default(), NanoMeshx::new(1_000), 5);
        let id = |nonce| people.transfer(CHAINS[0], 3, nonce).id();
        assert_eq!(id(1), id(1));
        assert_ne!(id(1), id(2));
    }
}
