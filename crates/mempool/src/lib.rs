//! Hold transactions that wait for a block, within bounds.
//!
//! One lane per sender, in nonce order; a proposer takes the best-paying lane heads first. The pool
//! never grows past [`Limits`]: a full pool refuses the newcomer or drops the tail of the fullest lane,
//! never a transaction it would have to take back from the middle of a lane.
//!
//! It checks form and signature (through `CheckedTx`, which it is handed), not balances: those belong
//! to the block's state, which only `chain` knows.

use std::collections::{BTreeMap, BTreeSet};
use types::{Address, NanoMeshx, TxId};

/// What the pool needs to know of a transaction.
pub trait Pooled: Clone {
    fn id(&self) -> TxId;
    fn sender(&self) -> Address;
    fn nonce(&self) -> u64;
    fn tip(&self) -> NanoMeshx;
    fn bytes(&self) -> usize;
}

/// How much the pool holds.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub txs_max: usize,
    pub bytes_max: usize,
    /// Per sender, so that nobody fills the pool alone.
    pub lane_max: usize,
    /// How far ahead of the next nonce a transaction may wait for those before it.
    pub gap_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { txs_max: 50_000, bytes_max: 64 << 20, lane_max: 4_096, gap_max: 4_096 }
    }
}

/// Why a transaction was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    #[error("the pool is full; try again in a second")]
    Full,
    #[error("nonce {got} was used already; the next is {next}")]
    Used { next: u64, got: u64 },
    #[error("nonce {got} leaves a gap; the next is {next}")]
    Gap { next: u64, got: u64 },
    #[error("another transaction of this sender waits with nonce {0}")]
    Occupied(u64),
}

/// Transactions that wait.
pub struct Pool<T> {
    limits: Limits,
    lanes: BTreeMap<Address, BTreeMap<u64, T>>,
    ids: BTreeSet<TxId>,
    bytes: usize,
}

impl<T: Pooled> Pool<T> {
    pub fn new(limits: Limits) -> Self {
        Self { limits, lanes: BTreeMap::new(), ids: BTreeSet::new(), bytes: 0 }
    }

    pub fn len(&self) -> usize {
        self.ids.len()
    }
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
    pub fn contains(&self, id: &TxId) -> bool {
        self.ids.contains(id)
    }

    /// Take `tx` in; `next` is its sender's next nonce in the newest known state. Taking the same one
    /// in twice is no error.
    ///
    /// # Errors
    /// [`Rejected`]; the pool is then as before.
    pub fn insert(&mut self, tx: T, next: u64) -> Result<(), Rejected> {
        if self.ids.contains(&tx.id()) {
            return Ok(());
        }
        let got = tx.nonce();
        if got < next {
            return Err(Rejected::Used { next, got });
        }
        let lane = self.lanes.get(&tx.sender());
        // The first nonce that neither state nor pool knows.
        let expected =
            (next..).find(|n| !lane.is_some_and(|lane| lane.contains_key(n))).unwrap_or(next);
        if got > expected.saturating_add(self.limits.gap_max) {
            return Err(Rejected::Gap { next: expected, got });
        }
        if lane.is_some_and(|lane| lane.contains_key(&got)) {
            return Err(Rejected::Occupied(got));
        }
        let crowded = lane.map_or(0, BTreeMap::len) >= self.limits.lane_max;
        if crowded
            || self.ids.len() >= self.limits.txs_max
            || self.bytes + tx.bytes() > self.limits.bytes_max
        {
            return Err(Rejected::Full);
        }
        self.bytes += tx.bytes();
        self.ids.insert(tx.id());
        self.lanes.entry(tx.sender()).or_default().insert(got, tx);
        Ok(())
    }

    /// The next nonce `sender` should use, counting what waits here after `next`.
    pub fn next_nonce(&self, sender: &Address, next: u64) -> u64 {
        let lane = self.lanes.get(sender);
        (next..).find(|n| !lane.is_some_and(|lane| lane.contains_key(n))).unwrap_or(next)
    }

    /// The best transactions that fit into `bytes_max`: highest tip first, each sender's in nonce order
    /// without gaps between them.
    pub fn best(&self, txs_max: usize, bytes_max: usize) -> Vec<T> {
        let mut heads: BTreeSet<(std::cmp::Reverse<NanoMeshx>, Address, u64)> = BTreeSet::new();
        for (sender, lane) in &self.lanes {
            if let Some((nonce, tx)) = lane.first_key_value() {
                heads.insert((std::cmp::Reverse(tx.tip()), *sender, *nonce));
            }
        }
        let (mut taken, mut bytes) = (Vec::new(), 0);
        while let Some((_, sender, nonce)) = heads.pop_first() {
            let lane = &self.lanes[&sender];
            let tx = &lane[&nonce];
            if taken.len() >= txs_max || bytes + tx.bytes() > bytes_max {
                break;
            }
            bytes += tx.bytes();
            taken.push(tx.clone());
            if let Some(tx) = lane.get(&(nonce + 1)) {
                heads.insert((std::cmp::Reverse(tx.tip()), sender, nonce + 1));
            }
        }
        taken
    }

    /// Drop everything of `sender` below nonce `next`: it is in a block, or never can be.
    pub fn advance(&mut self, sender: &Address, next: u64) {
        let Some(lane) = self.lanes.get_mut(sender) else { return };
        let rest = lane.split_off(&next);
        for tx in std::mem::replace(lane, rest).into_values() {
            self.bytes -= tx.bytes();
            self.ids.remove(&tx.id());
        }
        if self.lanes[sender].is_empty() {
            self.lanes.remove(sender);
        }
    }

    /// Drop one transaction that a block's state refused for good.
    pub fn remove(&mut self, sender: &Address, nonce: u64) {
        let Some(lane) = self.lanes.get_mut(sender) else { return };
        if let Some(tx) = lane.remove(&nonce) {
            self.bytes -= tx.bytes();
            self.ids.remove(&tx.id());
        }
        if self.lanes[sender].is_empty() {
            self.lanes.remove(sender);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::{Hash, PublicKey};

    #[derive(Clone, Debug, PartialEq)]
    struct Fake {
        from: u8,
        nonce: u64,
        tip: u64,
    }
    impl Pooled for Fake {
        fn id(&self) -> TxId {
            let mut bytes = [self.from; 32];
            bytes[..8].copy_from_slice(&self.nonce.to_be_bytes());
            bytes[8..16].copy_from_slice(&self.tip.to_be_bytes());
            Hash(bytes)
        }
        fn sender(&self) -> Address {
            Address::of(&PublicKey([self.from; 32]))
        }
        fn nonce(&self) -> u64 {
            self.nonce
        }
        fn tip(&self) -> NanoMeshx {
            NanoMeshx::new(self.tip)
        }
        fn bytes(&self) -> usize {
            100
        }
    }
    fn tx(from: u8, nonce: u64, tip: u64) -> Fake {
        Fake { from, nonce, tip }
    }

    #[test]
    fn best_pays_most_first_but_keeps_each_senders_order() {
        let mut pool = Pool::new(Limits::default());
        for t in [tx(1, 0, 1), tx(1, 1, 9), tx(2, 0, 5)] {
            pool.insert(t, 0).unwrap();
        }
        assert_eq!(pool.best(10, 1_000), [tx(2, 0, 5), tx(1, 0, 1), tx(1, 1, 9)]);
        assert_eq!(pool.best(10, 250), [tx(2, 0, 5), tx(1, 0, 1)]);
    }

    #[test]
    fn a_gap_waits_but_not_too_far_ahead() {
        let mut pool = Pool::new(Limits { gap_max: 5, ..Limits::default() });
        assert_eq!(pool.insert(tx(1, 6, 0), 0), Err(Rejected::Gap { next: 0, got: 6 }));
        pool.insert(tx(1, 2, 0), 0).unwrap();
        pool.insert(tx(1, 0, 0), 0).unwrap();
        assert_eq!(pool.best(10, 1_000), [tx(1, 0, 0)]);
        assert_eq!(pool.next_nonce(&tx(1, 0, 0).sender(), 0), 1);
    }

    #[test]
    fn one_sender_cannot_fill_the_pool() {
        let mut pool = Pool::new(Limits { lane_max: 3, ..Limits::default() });
        for n in 0..3 {
            pool.insert(tx(1, n, 0), 0).unwrap();
        }
        assert_eq!(pool.insert(tx(1, 3, 0), 0), Err(Rejected::Full));
        assert_eq!(pool.insert(tx(2, 0, 0), 0), Ok(()));
    }

    #[test]
    fn what_a_block_took_is_gone_and_cannot_come_back() {
        let mut pool = Pool::new(Limits::default());
        for n in 0..5 {
            pool.insert(tx(1, n, 0), 0).unwrap();
        }
        pool.advance(&tx(1, 0, 0).sender(), 3);
        assert_eq!((pool.len(), pool.bytes), (2, 200));
        assert_eq!(pool.insert(tx(1, 2, 0), 3), Err(Rejected::Used { next: 3, got: 2 }));
    }
}
