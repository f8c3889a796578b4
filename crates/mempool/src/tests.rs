//! The pool by small examples; `bounds` holds it against random sequences.

use super::*;
use crate::{
    lane::Line,
    pool::{Tail, Turn},
};
use types::{Hash, PublicKey};

/// Heads and tails.
pub(super) type Lists = (BTreeSet<(Turn, Line)>, BTreeSet<Tail>);

mod bounds;
mod flood;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fake {
    pub(super) from: u16,
    pub(super) nonce: u64,
    pub(super) tip: u64,
    pub(super) bytes: usize,
    pub(super) job: Option<u64>,
    pub(super) cap: u64,
    pub(super) until: Option<u64>,
}
impl Pooled for Fake {
    fn id(&self) -> TxId {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.nonce.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.tip.to_be_bytes());
        bytes[16..18].copy_from_slice(&self.from.to_be_bytes());
        bytes[18] = u8::from(self.job.is_some());
        bytes[20..24].copy_from_slice(&(self.bytes as u32).to_be_bytes());
        bytes[19] = self.until.unwrap_or(0) as u8;
        bytes[24..].copy_from_slice(&self.job.unwrap_or(self.cap).to_be_bytes());
        Hash(bytes)
    }
    fn sender(&self) -> Address {
        let mut key = [0; 32];
        key[..2].copy_from_slice(&self.from.to_be_bytes());
        Address::of(&PublicKey(key))
    }
    fn nonce(&self) -> Nonce {
        match self.until {
            None => Nonce::strict(self.nonce),
            Some(height) => Nonce::Until(Once { height: Height::new(height), salt: self.nonce }),
        }
    }
    fn fee_max(&self) -> NanoMeshx {
        NanoMeshx::new(self.cap)
    }
    fn tip(&self) -> NanoMeshx {
        NanoMeshx::new(self.tip)
    }
    fn bytes(&self) -> usize {
        self.bytes
    }
    fn duty(&self) -> Option<Duty> {
        self.job.map(|number| Duty::Commit(Hash([number as u8; 32]), self.sender()))
    }
    fn cost(&self, base_fee: NanoMeshx) -> NanoMeshx {
        base_fee.saturating_add(NanoMeshx::new(self.tip))
    }
}
pub(super) fn tx(from: u16, nonce: u64, tip: u64) -> Fake {
    Fake { from, nonce, tip, bytes: 100, job: None, cap: u64::MAX, until: None }
}
fn commit(from: u16, nonce: u64, job: u64) -> Fake {
    Fake { job: Some(job), ..tx(from, nonce, 0) }
}

/// From a client with money enough.
pub(super) fn arrival() -> Arrival {
    Arrival {
        next: 0,
        funds: Some(NanoMeshx::new(u64::MAX)),
        proven: false,
        from: None,
        now: Millis::ZERO,
    }
}
/// At the first block, with a base fee of 1.
pub(super) fn new(limits: Limits) -> Pool<Fake> {
    let mut pool = Pool::new(limits);
    assert_eq!(begin(&mut pool, 1, 1, 0), []);
    pool
}
fn begin(pool: &mut Pool<Fake>, base_fee: u64, height: u64, now: u64) -> Vec<(Fake, Gone)> {
    let gone = pool.begin(NanoMeshx::new(base_fee), Height::new(height), Millis::new(now));
    gone.into_iter().map(|gone| (gone.tx, gone.why)).collect()
}
fn insert(pool: &mut Pool<Fake>, tx: Fake, next: u64) -> Result<(), Rejected> {
    pool.insert(tx, &Arrival { next, ..arrival() }).map(|gone| assert_eq!(gone, []))
}
fn displaced(pool: &mut Pool<Fake>, tx: Fake) -> Vec<(Fake, Gone)> {
    let gone = pool.insert(tx, &arrival()).unwrap();
    gone.into_iter().map(|gone| (gone.tx, gone.why)).collect()
}
fn small(txs_max: usize) -> Limits {
    Limits { txs_max, ..Limits::default() }
}
fn best(pool: &Pool<Fake>, bytes_max: usize) -> Vec<Fake> {
    pool.best(10, bytes_max, &Ahead::default())
}

#[test]
fn best_pays_most_first_but_keeps_each_senders_order() {
    let mut pool = new(Limits::default());
    for t in [tx(1, 0, 1), tx(1, 1, 9), tx(2, 0, 5)] {
        insert(&mut pool, t, 0).unwrap();
    }
    assert_eq!(best(&pool, 1_000), [tx(2, 0, 5), tx(1, 0, 1), tx(1, 1, 9)]);
    assert_eq!(best(&pool, 250), [tx(2, 0, 5), tx(1, 0, 1)]);
}

#[test]
fn a_gap_waits_but_not_too_far_ahead() {
    let mut pool = new(Limits { gap_max: 5, ..Limits::default() });
    assert_eq!(insert(&mut pool, tx(1, 6, 0), 0), Err(Rejected::Gap { next: 0, got: 6 }));
    insert(&mut pool, tx(1, 2, 0), 0).unwrap();
    insert(&mut pool, tx(1, 0, 0), 0).unwrap();
    assert_eq!(best(&pool, 1_000), [tx(1, 0, 0)]);
    assert_eq!(pool.next_nonce(&tx(1, 0, 0).sender(), 0), 1);
}

#[test]
fn one_sender_cannot_fill_the_pool() {
    let mut pool = new(Limits { lane_max: 3, ..Limits::default() });
    for n in 0..3 {
        insert(&mut pool, tx(1, n, 0), 0).unwrap();
    }
    assert_eq!(insert(&mut pool, tx(1, 3, 0), 0), Err(Rejected::Crowded));
    assert_eq!(insert(&mut pool, tx(2, 0, 0), 0), Ok(()));
}

#[test]
fn what_a_block_took_is_gone_and_cannot_come_back() {
    let mut pool = new(Limits::default());
    for n in 0..5 {
        insert(&mut pool, tx(1, n, 0), 0).unwrap();
    }
    pool.advance(&tx(1, 0, 0).sender(), 3);
    assert_eq!(pool.room(), Room { txs: 2, bytes: 200 });
    assert_eq!(insert(&mut pool, tx(1, 2, 0), 3), Err(Rejected::Used { next: 3, got: 2 }));
}

#[test]
fn a_block_on_unfinished_blocks_starts_behind_them() {
    let mut pool = new(Limits::default());
    for n in 0..4 {
        insert(&mut pool, tx(1, n, 0), 0).unwrap();
    }
    let ahead = Ahead { next: BTreeMap::from([(tx(1, 0, 0).sender(), 2)]), ..Ahead::default() };
    assert_eq!(pool.best(10, 1_000, &ahead), [tx(1, 2, 0), tx(1, 3, 0)]);
}

#[test]
fn what_waits_behind_a_refused_transaction_goes_with_it() {
    let mut pool = new(Limits::default());
    for n in 0..5 {
        insert(&mut pool, tx(1, n, 0), 0).unwrap();
    }
    assert_eq!(pool.refuse(&tx(1, 0, 0).sender(), Nonce::strict(3)), [tx(1, 3, 0), tx(1, 4, 0)]);
    assert_eq!(pool.room(), Room { txs: 3, bytes: 300 });
    assert_eq!(pool.next_nonce(&tx(1, 0, 0).sender(), 0), 3);
    insert(&mut pool, tx(1, 3, 7), 0).unwrap();
}

#[test]
fn a_full_pool_drops_the_one_that_pays_least_for_its_bytes() {
    // Four, and two more for seats.
    let mut pool = new(Limits { seats_part: 3, ..small(6) });
    for t in [tx(1, 0, 5), tx(2, 0, 3), tx(2, 1, 9), Fake { bytes: 1_000, ..tx(3, 0, 40) }] {
        insert(&mut pool, t, 0).unwrap();
    }
    assert_eq!(insert(&mut pool, tx(4, 0, 3), 0), Err(Rejected::Full), "no better than any");
    // 40 for 1,000 bytes are 4 for 100. The last of a lane counts for the least before it: 3.
    assert_eq!(displaced(&mut pool, tx(4, 0, 4)), [(tx(2, 1, 9), Gone::Outbid)]);
    assert_eq!(displaced(&mut pool, tx(5, 0, 6)), [(tx(2, 0, 3), Gone::Outbid)]);
    assert_eq!(pool.len(), 4);
    assert!(pool.is_closed_to(4, 100) && !pool.is_closed_to(5, 100));
}

#[test]
fn a_long_one_displaces_several_or_none() {
    let mut pool = new(Limits { bytes_max: 800, ..Limits::default() });
    for from in 0..7 {
        insert(&mut pool, tx(from, 0, u64::from(from)), 0).unwrap();
    }
    let long = Fake { bytes: 300, ..tx(9, 0, 7) };
    // It pays 2.3 for 100 bytes; the third pays 2, the fourth 3.
    let firsts = [0, 1, 2].map(|from| (tx(from, 0, u64::from(from)), Gone::Outbid));
    assert_eq!(displaced(&mut pool, long.clone()), firsts);
    let longer = Fake { bytes: 500, ..tx(8, 0, 15) };
    assert_eq!(insert(&mut pool, longer, 0), Err(Rejected::Full));
    assert_eq!(pool.room(), Room { txs: 5, bytes: 700 });
}

#[test]
fn only_a_clearly_higher_tip_takes_a_place() {
    let mut pool = new(Limits::default());
    insert(&mut pool, tx(1, 0, 80), 0).unwrap();
    insert(&mut pool, tx(1, 1, 0), 0).unwrap();
    let occupied = Rejected::Occupied { nonce: 0, tip: 90 };
    assert_eq!(insert(&mut pool, tx(1, 0, 89), 0), Err(occupied));
    assert_eq!(displaced(&mut pool, tx(1, 0, 90)), [(tx(1, 0, 80), Gone::Replaced)]);
    assert_eq!(best(&pool, 1_000), [tx(1, 0, 90), tx(1, 1, 0)]);
    // And by what checking it costs, when tips are small.
    assert_eq!(begin(&mut pool, 1_000, 2, 0), []);
    let occupied = Rejected::Occupied { nonce: 1, tip: 1_000 };
    assert_eq!(insert(&mut pool, tx(1, 1, 999), 0), Err(occupied));
}

#[test]
fn what_a_sender_cannot_pay_for_is_not_kept() {
    let mut pool = new(Limits::default());
    let poor = Arrival { funds: Some(NanoMeshx::new(10)), ..arrival() };
    assert_eq!(pool.insert(tx(1, 0, 5), &poor), Ok(vec![]));
    let unfunded = Rejected::Unfunded { has: 10, needs: 12 };
    assert_eq!(pool.insert(tx(1, 1, 5), &poor), Err(unfunded), "6 of 10 are spoken for");
    assert_eq!(pool.standing(&tx(1, 0, 0).sender()), Some((0, 4)));
    assert_eq!(pool.insert(tx(1, 1, 3), &Arrival { funds: None, ..poor }), Ok(vec![]));
    // One that is free needs an account all the same.
    let nobody = Arrival { funds: Some(NanoMeshx::ZERO), ..arrival() };
    let unfunded = Rejected::Unfunded { has: 0, needs: 0 };
    assert_eq!(pool.insert(commit(2, 0, 7), &nobody), Err(unfunded));
    assert_eq!(pool.insert(commit(2, 0, 7), &Arrival { proven: true, ..nobody }), Ok(vec![]));
}

#[test]
fn a_seats_duty_needs_no_tip_and_is_kept_with_what_stands_before_it() {
    let mut pool = new(Limits { seats_part: 2, ..small(4) });
    let proven = Arrival { proven: true, ..arrival() };
    insert(&mut pool, tx(1, 0, 0), 0).unwrap();
    pool.insert(commit(1, 1, 7), &proven).unwrap();
    insert(&mut pool, tx(2, 0, 9), 0).unwrap();
    assert_eq!(best(&pool, 1_000)[..2], [tx(1, 0, 0), commit(1, 1, 7)]);
    assert_eq!(displaced(&mut pool, tx(3, 0, 10)), [(tx(2, 0, 9), Gone::Outbid)]);
    // The same duty once more has no seat; so it is early, and there is no room for that.
    assert_eq!(pool.insert(commit(1, 2, 7), &proven), Err(Rejected::Full));
    assert_eq!(pool.insert(commit(1, 2, 8), &proven), Ok(vec![]));
    assert_eq!(pool.room().txs, 4);
}

#[test]
fn what_is_early_waits_for_seconds() {
    let mut pool = new(Limits::default());
    let at = |now| Arrival { now: Millis::new(now), ..arrival() };
    pool.insert(tx(1, 1, 5), &at(0)).unwrap();
    pool.insert(tx(2, 1, 5), &at(5_000)).unwrap();
    pool.insert(tx(2, 0, 5), &at(6_000)).unwrap();
    assert_eq!(begin(&mut pool, 1, 1, 10_000), []);
    assert_eq!(begin(&mut pool, 1, 1, 10_001), [(tx(1, 1, 5), Gone::Expired)]);
    assert_eq!(begin(&mut pool, 1, 1, u64::MAX), [], "all others are ready");
    assert_eq!(pool.len(), 2);
}

#[test]
fn one_whose_limit_is_below_the_base_fee_waits_and_does_not_pay_more() {
    let mut pool = new(Limits::default());
    for t in [tx(1, 0, 5), Fake { cap: 9, ..tx(1, 1, 5) }, tx(1, 2, 5), tx(2, 0, 1)] {
        insert(&mut pool, t, 0).unwrap();
    }
    assert_eq!(begin(&mut pool, 9, 2, 0), []);
    assert_eq!(best(&pool, 1_000).len(), 4);
    assert_eq!(begin(&mut pool, 10, 3, 0), []);
    assert_eq!(pool.early.txs, 2, "it, and the one behind it");
    // A transaction that nobody can say will go through comes last in a block; there it is refused, and kept.
    assert_eq!(best(&pool, 200), [tx(1, 0, 5), tx(2, 0, 1)]);
    assert_eq!(begin(&mut pool, 9, 4, 5_000), []);
    assert_eq!((pool.early.txs, best(&pool, 1_000).len()), (0, 4));
    begin(&mut pool, 10, 5, 6_000);
    let gone = begin(&mut pool, 10, 6, 16_001);
    let expected = [Fake { cap: 9, ..tx(1, 1, 5) }, tx(1, 2, 5)];
    assert_eq!(gone, expected.map(|tx| (tx, Gone::Expired)));
}

#[test]
fn those_with_expiring_nonces_wait_for_nobody_and_end() {
    let mut pool = new(Limits::default());
    let once = |salt, until, tip| Fake { until: Some(until), ..tx(1, salt, tip) };
    for t in [tx(1, 1, 9), once(7, 3, 2), once(8, 4, 3), once(9, 601, 1)] {
        insert(&mut pool, t, 0).unwrap();
    }
    let height = Height::new;
    let late = Rejected::TooLate { until: height(1), height: height(1) };
    assert_eq!(insert(&mut pool, once(1, 1, 1), 0), Err(late));
    let far = Rejected::TooFar { until: height(603), last: height(602) };
    assert_eq!(insert(&mut pool, once(1, 603, 1), 0), Err(far));
    // The strict one waits for its turn; no refusal and no progress of such a one touches the others.
    assert_eq!(best(&pool, 1_000), [once(8, 4, 3), once(7, 3, 2), once(9, 601, 1)]);
    assert_eq!(pool.refuse(&tx(1, 0, 0).sender(), Nonce::strict(0)), [tx(1, 1, 9)]);
    pool.advance(&tx(1, 0, 0).sender(), 5);
    let sender = tx(1, 0, 0).sender();
    let in_a_block = Once { height: height(4), salt: 8 };
    let ahead = Ahead { once: BTreeSet::from([(sender, in_a_block)]), ..Ahead::default() };
    assert_eq!(pool.best(10, 1_000, &ahead), [once(7, 3, 2), once(9, 601, 1)]);
    pool.done(&sender, in_a_block);
    assert_eq!(begin(&mut pool, 1, 3, 0), [(once(7, 3, 2), Gone::Expired)]);
    assert_eq!(best(&pool, 1_000), [once(9, 601, 1)]);
}

/// The lane's end is kept, not searched for: it must always be what a search would find.
#[test]
fn a_lane_always_knows_its_first_gap() {
    let mut random = 1_u64;
    let mut below = |n: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) % n
    };
    let mut pool = new(Limits::default());
    let (sender, mut next) = (tx(1, 0, 0).sender(), 0);
    for _ in 0..5_000 {
        match below(10) {
            0 => {
                next += below(3);
                pool.advance(&sender, next);
            }
            1 => drop(pool.refuse(&sender, Nonce::strict(next + below(20)))),
            _ => drop(insert(&mut pool, tx(1, next + below(12), 0), next)),
        }
        let has = |n: u64| pool.get(&sender, Nonce::strict(n)).is_some();
        let searched = (next..).find(|n| !has(*n)).unwrap();
        assert_eq!(pool.next_nonce(&sender, next), searched);
    }
}
