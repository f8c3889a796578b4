//! Hold transactions that wait for a block, within bounds.
//!
//! One lane per sender, in nonce order; a proposer takes the best-paying lane heads first. The pool
//! never grows past [`Limits`]: a full pool refuses the newcomer, so that a transaction that was taken in waits
//! until a block holds it or refuses it.
//!
//! It checks form and signature (through `CheckedTx`, which it is handed), not balances: those belong
//! to the block's state, which only `chain` knows.

use std::collections::{BTreeMap, BTreeSet};
use types::{Address, Code, NanoMeshx, TxId};

/// What the pool needs to know of a transaction.
pub trait Pooled: Clone {
    /// The transaction's name.
    fn id(&self) -> TxId;
    /// Whose nonce it uses.
    fn sender(&self) -> Address;
    /// Which one.
    fn nonce(&self) -> u64;
    /// What the proposer gets.
    fn tip(&self) -> NanoMeshx;
    /// Its length on the wire.
    fn bytes(&self) -> usize;
}

/// How much the pool holds.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most transactions that wait.
    pub txs_max: usize,
    /// Most bytes that all of them have together.
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
#[expect(missing_docs, reason = "the message of each variant says what it means")]
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

impl Rejected {
    /// The word for it in the API.
    pub const fn code(&self) -> Code {
        match self {
            Self::Full => Code::Overloaded,
            Self::Used { .. } => Code::NonceUsed,
            Self::Gap { .. } => Code::NonceGap,
            Self::Occupied(_) => Code::NonceOccupied,
        }
    }
}

/// Transactions that wait.
pub struct Pool<T> {
    limits: Limits,
    lanes: BTreeMap<Address, Lane<T>>,
    ids: BTreeSet<TxId>,
    bytes: usize,
}

/// One sender's transactions.
struct Lane<T> {
    /// The sender's next nonce in the newest known state.
    next: u64,
    /// The first nonce, from `next` on, that neither state nor pool knows.
    end: u64,
    txs: BTreeMap<u64, T>,
}

impl<T> Lane<T> {
    fn find_end(&mut self, from: u64) {
        self.end = from.max(self.next);
        while self.txs.contains_key(&self.end) {
            self.end += 1;
        }
    }
}

impl<T: Pooled> Pool<T> {
    /// An empty pool.
    pub fn new(limits: Limits) -> Self {
        Self { limits, lanes: BTreeMap::new(), ids: BTreeSet::new(), bytes: 0 }
    }

    /// How many transactions wait.
    pub fn len(&self) -> usize {
        self.ids.len()
    }
    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
    /// Whether this transaction waits here.
    pub fn contains(&self, id: &TxId) -> bool {
        self.ids.contains(id)
    }

    /// The transaction of `sender` with this nonce.
    pub fn get(&self, sender: &Address, nonce: u64) -> Option<&T> {
        self.lanes.get(sender)?.txs.get(&nonce)
    }

    /// The state's next nonce of a sender with waiting transactions.
    pub fn state_nonce(&self, sender: &Address) -> Option<u64> {
        self.lanes.get(sender).map(|lane| lane.next)
    }

    /// Whether nothing more would be taken in, from any sender.
    pub fn is_full(&self) -> bool {
        self.ids.len() >= self.limits.txs_max || self.bytes >= self.limits.bytes_max
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
        let (got, sender) = (tx.nonce(), tx.sender());
        let lane = self.lanes.get(&sender);
        // The caller may have read the state before the block that the lane has heard of.
        let next = lane.map_or(next, |lane| lane.next.max(next));
        if got < next {
            return Err(Rejected::Used { next, got });
        }
        let end = lane.map_or(next, |lane| lane.end.max(next));
        // A transaction may overtake those before it on its way here, but one that is far ahead only takes up room.
        if got > end.saturating_add(self.limits.gap_max) {
            return Err(Rejected::Gap { next: end, got });
        }
        // The first one stays. If a later one could take its place, one fee would pay for checking and gossiping many.
        if lane.is_some_and(|lane| lane.txs.contains_key(&got)) {
            return Err(Rejected::Occupied(got));
        }
        let crowded = lane.map_or(0, |lane| lane.txs.len()) >= self.limits.lane_max;
        if crowded
            || self.ids.len() >= self.limits.txs_max
            || self.bytes + tx.bytes() > self.limits.bytes_max
        {
            return Err(Rejected::Full);
        }
        self.bytes += tx.bytes();
        self.ids.insert(tx.id());
        let lane = self.lanes.entry(sender).or_insert_with(|| Lane {
            next,
            end: next,
            txs: BTreeMap::new(),
        });
        lane.txs.insert(got, tx);
        if got == lane.end {
            lane.find_end(got);
        }
        Ok(())
    }

    /// The next nonce `sender` should use, counting what waits here after `next`.
    pub fn next_nonce(&self, sender: &Address, next: u64) -> u64 {
        self.lanes.get(sender).map_or(next, |lane| lane.end.max(next))
    }

    /// The best transactions that fit into `bytes_max`: highest tip first, each sender's in nonce order
    /// without gaps. `ahead` gives the next nonce of senders with transactions in blocks that the next
    /// block builds on and that are not final yet; for all others the pool knows it.
    pub fn best(&self, txs_max: usize, bytes_max: usize, ahead: &BTreeMap<Address, u64>) -> Vec<T> {
        let mut heads: BTreeSet<(std::cmp::Reverse<NanoMeshx>, Address, u64)> = BTreeSet::new();
        for (sender, lane) in &self.lanes {
            let nonce = ahead.get(sender).map_or(lane.next, |next| lane.next.max(*next));
            if let Some(tx) = lane.txs.get(&nonce) {
                heads.insert((std::cmp::Reverse(tx.tip()), *sender, nonce));
            }
        }
        let (mut taken, mut bytes) = (Vec::new(), 0);
        while let Some((_, sender, nonce)) = heads.pop_first() {
            let lane = &self.lanes[&sender].txs;
            let tx = &lane[&nonce];
            // Stop, and do not look on for a smaller one: that would go through the whole pool for each full block.
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

    /// The state's next nonce of `sender` is `next` now: drop everything below, for it is in a block or
    /// never can be.
    pub fn advance(&mut self, sender: &Address, next: u64) {
        let Some(lane) = self.lanes.get_mut(sender) else { return };
        let rest = lane.txs.split_off(&next);
        let gone = std::mem::replace(&mut lane.txs, rest);
        lane.next = lane.next.max(next);
        if lane.end < lane.next {
            lane.find_end(next);
        }
        self.forget(sender, gone);
    }

    /// Drop a transaction that a block's state refused for good, and those of its sender behind it,
    /// which would wait for it forever. Returns what was dropped.
    pub fn refuse(&mut self, sender: &Address, nonce: u64) -> Vec<T> {
        let Some(lane) = self.lanes.get_mut(sender) else { return Vec::new() };
        // Those behind it could never be executed, because a nonce has no gaps.
        let gone = lane.txs.split_off(&nonce);
        lane.end = lane.end.min(nonce.max(lane.next));
        let dropped = gone.values().cloned().collect();
        self.forget(sender, gone);
        dropped
    }

    fn forget(&mut self, sender: &Address, gone: BTreeMap<u64, T>) {
        for tx in gone.into_values() {
            self.bytes -= tx.bytes();
            self.ids.remove(&tx.id());
        }
        if self.lanes.get(sender).is_some_and(|lane| lane.txs.is_empty()) {
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

    fn best(pool: &Pool<Fake>, bytes_max: usize) -> Vec<Fake> {
        pool.best(10, bytes_max, &BTreeMap::new())
    }

    #[test]
    fn best_pays_most_first_but_keeps_each_senders_order() {
        let mut pool = Pool::new(Limits::default());
        for t in [tx(1, 0, 1), tx(1, 1, 9), tx(2, 0, 5)] {
            pool.insert(t, 0).unwrap();
        }
        assert_eq!(best(&pool, 1_000), [tx(2, 0, 5), tx(1, 0, 1), tx(1, 1, 9)]);
        assert_eq!(best(&pool, 250), [tx(2, 0, 5), tx(1, 0, 1)]);
    }

    #[test]
    fn a_gap_waits_but_not_too_far_ahead() {
        let mut pool = Pool::new(Limits { gap_max: 5, ..Limits::default() });
        assert_eq!(pool.insert(tx(1, 6, 0), 0), Err(Rejected::Gap { next: 0, got: 6 }));
        pool.insert(tx(1, 2, 0), 0).unwrap();
        pool.insert(tx(1, 0, 0), 0).unwrap();
        assert_eq!(best(&pool, 1_000), [tx(1, 0, 0)]);
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

    #[test]
    fn a_block_on_unfinished_blocks_starts_behind_them() {
        let mut pool = Pool::new(Limits::default());
        for n in 0..4 {
            pool.insert(tx(1, n, 0), 0).unwrap();
        }
        let ahead = BTreeMap::from([(tx(1, 0, 0).sender(), 2)]);
        assert_eq!(pool.best(10, 1_000, &ahead), [tx(1, 2, 0), tx(1, 3, 0)]);
    }

    #[test]
    fn what_waits_behind_a_refused_transaction_goes_with_it() {
        let mut pool = Pool::new(Limits::default());
        for n in 0..5 {
            pool.insert(tx(1, n, 0), 0).unwrap();
        }
        assert_eq!(pool.refuse(&tx(1, 0, 0).sender(), 3), [tx(1, 3, 0), tx(1, 4, 0)]);
        assert_eq!((pool.len(), pool.bytes), (3, 300));
        assert_eq!(pool.next_nonce(&tx(1, 0, 0).sender(), 0), 3);
        pool.insert(tx(1, 3, 7), 0).unwrap();
    }

    /// The lane's end is kept, not searched for: it must always be what a search would find.
    #[test]
    fn a_lane_always_knows_its_first_gap() {
        let mut random = 1_u64;
        let mut below = |n: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) % n
        };
        let mut pool = Pool::new(Limits::default());
        let (sender, mut next) = (tx(1, 0, 0).sender(), 0);
        for _ in 0..5_000 {
            match below(10) {
                0 => {
                    next += below(3);
                    pool.advance(&sender, next);
                }
                1 => drop(pool.refuse(&sender, next + below(20))),
                _ => drop(pool.insert(tx(1, next + below(12), 0), next)),
            }
            let has = |n: u64| pool.get(&sender, n).is_some();
            let searched = (next..).find(|n| !has(*n)).unwrap();
            assert_eq!(pool.next_nonce(&sender, next), searched);
        }
    }
}
