//! Floods: an attacker fills the pool in each way there is, and a stranger who pays still gets in.

use super::*;

/// Everything that `send` can bring in for each sender and nonce.
fn flood(pool: &mut Pool<Fake>, mut send: impl FnMut(u16, u64) -> (Fake, Arrival)) {
    for from in 0..300 {
        for nonce in 0..4_096 {
            let (tx, arrival) = send(from, nonce);
            if pool.insert(tx, &arrival).is_err() {
                break;
            }
        }
    }
}

/// The least tip for which the pool takes a stranger's transfer in, of 0 to 4.
fn price(pool: &mut Pool<Fake>) -> Option<u64> {
    (0..5).find(|tip| pool.insert(tx(60_000, 0, *tip), &arrival()).is_ok())
}

fn takes_a_reveal(pool: &mut Pool<Fake>) -> bool {
    let proven = Arrival { proven: true, funds: Some(NanoMeshx::ZERO), ..arrival() };
    pool.insert(commit(60_001, 0, 1), &proven).is_ok()
}

#[test]
fn gapped_ones_of_nobody_are_not_kept() {
    let mut pool = new(Limits::default());
    let nobody = Arrival { funds: Some(NanoMeshx::ZERO), ..arrival() };
    flood(&mut pool, |from, nonce| (tx(from, nonce + 1, 0), nobody));
    flood(&mut pool, |from, nonce| (commit(from, nonce, nonce), nobody));
    assert_eq!(pool.len(), 0);
}

#[test]
fn gapped_ones_take_an_eighth_and_only_for_seconds() {
    let mut pool = new(Limits::default());
    flood(&mut pool, |from, nonce| (tx(from, nonce + 1, u64::from(from)), arrival()));
    assert_eq!(pool.len(), 50_000 / 8);
    assert!(!pool.is_crowded());
    assert_eq!(pool.best(10_000, 900_000, &Ahead::default()), []);
    assert_eq!(price(&mut pool), Some(0));
    assert!(takes_a_reveal(&mut pool));
    let gone = begin(&mut pool, 1, 1, 10_001);
    assert_eq!((gone.len(), pool.len()), (50_000 / 8, 2));
}

#[test]
fn one_peer_brings_half_at_most_and_a_sixteenth_of_gapped_ones() {
    let peer = Some(PublicKey([7; 32]));
    let mut pool = new(Limits::default());
    let brought = Arrival { from: peer, ..arrival() };
    flood(&mut pool, |from, nonce| (tx(from, nonce + 1, 9), brought));
    assert_eq!(pool.len(), 50_000 / 16);
    flood(&mut pool, |from, nonce| (tx(from + 1_000, nonce, 9), brought));
    assert_eq!(pool.len(), 50_000 / 2);
    assert_eq!(price(&mut pool), Some(0));
}

#[test]
fn a_pool_full_of_paid_ones_costs_a_stranger_one_nano_more() {
    let mut pool = new(Limits::default());
    flood(&mut pool, |from, nonce| (tx(from, nonce, 2), arrival()));
    assert_eq!(pool.len(), 50_000 / 8 * 7);
    assert_eq!(price(&mut pool), Some(3));
    assert!(takes_a_reveal(&mut pool));
    // And it is in the next block.
    let best = pool.best(10, 1_000, &Ahead::default());
    assert_eq!(best[..2], [commit(60_001, 0, 1), tx(60_000, 0, 3)]);
}

#[test]
fn a_rise_of_the_base_fee_leaves_no_more_than_an_eighth_that_will_not_pay_it() {
    let mut pool = new(Limits::default());
    flood(&mut pool, |from, nonce| (Fake { cap: 1, ..tx(from, nonce, 1_000) }, arrival()));
    assert_eq!(pool.len(), 50_000 / 8 * 7);
    let gone = begin(&mut pool, 2, 2, 0);
    assert!(gone.iter().all(|(_, why)| *why == Gone::Priced));
    assert!(pool.len() <= 50_000 / 8, "{}", pool.len());
    assert_eq!(price(&mut pool), Some(0));
}

/// A proposer asks for each block. What it does not take must cost it nothing.
#[test]
fn a_block_out_of_a_full_pool_is_found_without_looking_at_all_of_it() {
    let mut pool = new(Limits::default());
    for from in 0..u16::MAX {
        drop(pool.insert(tx(from, 0, u64::from(from % 7)), &arrival()));
    }
    assert_eq!(pool.len(), 50_000 / 8 * 7);
    let begun = std::time::Instant::now();
    for _ in 0..1_000 {
        assert_eq!(pool.best(10, 1_000, &Ahead::default()).len(), 10);
    }
    let each = begun.elapsed() / 1_000;
    // Some 10 µs without optimisation; looking at every lane took 20 ms.
    assert!(each < std::time::Duration::from_millis(1), "{each:?}");
}
