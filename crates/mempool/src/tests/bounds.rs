//! Random sequences: whatever happens, in whatever order, all bounds hold and all sums are right.

use super::*;
use crate::{lane::Purse, pool::Brought};

const PEERS: u64 = 3;

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % n
    }
}

fn limits() -> Limits {
    Limits {
        txs_max: 64,
        bytes_max: 16_000,
        lane_max: 12,
        lane_bytes_max: 3_000,
        lane_early_max: 4,
        gap_max: 9,
        before_seat_max: 2,
        seats_part: 4,
        early_part: 4,
        peer_part: 2,
        early_ms: Millis::new(100),
    }
}

/// All that must be true of a pool at any time.
#[track_caller]
fn check(pool: &Pool<Fake>) {
    let limits = limits();
    let (mut ids, mut duties) = (BTreeSet::new(), BTreeSet::new());
    let (mut ordinary, mut in_seats, mut early) = Default::default();
    let mut peers: BTreeMap<PublicKey, Brought> = BTreeMap::new();
    let mut purses: BTreeMap<Address, Purse> = BTreeMap::new();
    for (line, lane) in &pool.lanes {
        let purse = purses.entry(line.sender).or_default();
        assert!(!lane.txs.is_empty() && lane.next <= lane.ready && lane.ready <= lane.end);
        assert!(line.once.is_none() || lane.txs.len() == 1);
        let mut floor = None;
        for (nonce, waiting) in &lane.txs {
            assert_eq!(Line::of(waiting.tx.sender(), waiting.tx.nonce()), (*line, *nonce));
            assert!(*nonce >= lane.next && ids.insert(waiting.tx.id()), "no id twice");
            let one = Room::of(waiting.bytes);
            let ripe = *nonce < lane.ready;
            purse.owed += waiting.cost;
            purse.txs += 1;
            purse.bytes += waiting.bytes;
            purse.early += usize::from(!ripe);
            assert!(!ripe || waiting.is_sound(pool.base_fee));
            let listed = pool.caps.contains(&(waiting.cap, *line, *nonce));
            assert_eq!(listed, ripe && waiting.cap < u64::MAX);
            assert_eq!(pool.unripe.contains_key(&waiting.number), !ripe);
            match waiting.seat {
                Some(duty) => {
                    assert!(duties.insert(duty), "each duty once");
                    in_seats += one;
                }
                None => {
                    ordinary += one;
                    if !ripe {
                        early += one;
                    }
                    if ripe {
                        floor = Some(floor.map_or(waiting.rate, |f| waiting.rate.min(f)));
                        assert_eq!(Some(waiting.floor), floor);
                    }
                }
            }
            if let Some(peer) = waiting.from {
                let brought = peers.entry(peer).or_default();
                brought.all += one;
                if !ripe {
                    brought.early += one;
                }
            }
        }
        // Whoever could be ready is.
        let next = lane.txs.get(&lane.ready);
        assert!(next.is_none_or(|next| !next.is_sound(pool.base_fee)));
    }
    for (sender, purse) in &mut purses {
        purse.funds = pool.purses[sender].funds;
        assert!(purse.owed <= purse.funds, "{} of {}", purse.owed, purse.funds);
        assert!(purse.txs <= limits.lane_max && purse.bytes <= limits.lane_bytes_max);
        assert!(purse.early <= limits.lane_early_max);
    }
    assert_eq!(purses, pool.purses);
    let once = pool.lanes.keys().filter_map(|line| Some((line.once?.height, *line)));
    assert_eq!(once.collect::<BTreeSet<_>>(), pool.until);
    assert_eq!((&ids, &duties), (&pool.ids, &pool.duties));
    assert_eq!((ordinary, in_seats, early), (pool.ordinary, pool.in_seats, pool.early));
    let sums = |brought: &BTreeMap<PublicKey, Brought>| -> Vec<_> {
        brought.iter().map(|(peer, brought)| (*peer, brought.all, brought.early)).collect()
    };
    assert_eq!(sums(&peers), sums(&pool.peers));
    let nothing = Room::default();
    assert!(ordinary.fits(nothing, limits.ordinary()) && in_seats.fits(nothing, limits.seats()));
    assert!(early.fits(nothing, limits.early()));
    for brought in peers.values() {
        assert!(brought.all.fits(nothing, limits.peer()));
        assert!(brought.early.fits(nothing, limits.peer_early()));
    }
    assert_eq!(pool.lists(), (pool.heads.clone(), pool.tails.clone()));
}

/// What stands in the room for seats.
fn seated(pool: &Pool<Fake>) -> BTreeSet<TxId> {
    let all = pool.lanes.values().flat_map(|lane| lane.txs.values());
    all.filter(|waiting| waiting.seat.is_some()).map(|waiting| waiting.tx.id()).collect()
}

fn step(pool: &mut Pool<Fake>, random: &mut Random, state: &mut BTreeMap<u16, u64>, now: u64) {
    let from = random.below(14) as u16;
    let next = *state.entry(from).or_default();
    let sender = tx(from, 0, 0).sender();
    match random.below(20) {
        0 => {
            let next = next + random.below(3);
            state.insert(from, next);
            pool.advance(&sender, next);
        }
        1 => drop(pool.refuse(&sender, Nonce::strict(next + random.below(8)))),
        2 => drop(begin(pool, 1 + random.below(3), now / 30, now)),
        3 => {
            let mut ours = pool.lanes.keys().filter_map(|line| Some((line.sender, line.once?)));
            if let Some((sender, once)) = ours.next_back() {
                pool.done(&sender, once);
            }
        }
        _ => {
            let nonce = next + random.below(3) * random.below(5);
            let job = (random.below(4) == 0).then(|| random.below(30));
            let bytes = 50 + random.below(500) as usize;
            let cap = if random.below(3) == 0 { 1 + random.below(3) } else { u64::MAX };
            let until = (random.below(4) == 0).then(|| now / 30 + random.below(6));
            let tx = Fake { from, nonce, tip: random.below(60), bytes, job, cap, until };
            let peer = random.below(PEERS + 1);
            let arrival = Arrival {
                next,
                funds: Some(NanoMeshx::new(random.below(600))),
                proven: job.is_some() && random.below(3) > 0,
                from: (peer < PEERS).then_some(PublicKey([peer as u8; 32])),
                now: Millis::new(now),
            };
            let before = seated(pool);
            let (len, result) = (pool.len(), pool.insert(tx, &arrival));
            assert!(before.is_subset(&seated(pool)), "nobody displaces a seat's duty");
            match result {
                Ok(gone) => assert!(pool.len() + gone.len() <= len + 1),
                Err(_) => assert_eq!(pool.len(), len),
            }
        }
    }
}

#[test]
fn all_bounds_hold_and_a_paying_stranger_gets_in() {
    for seed in 0..24 {
        let (mut pool, mut random) = (new(limits()), Random(seed));
        let mut state = BTreeMap::new();
        for turn in 0..500 {
            step(&mut pool, &mut random, &mut state, turn * 3);
            check(&pool);
            // One nano more for a byte than anybody offers is enough, at any time.
            if turn % 50 == 0 {
                let stranger = tx(1_000 + turn as u16, 0, 60 * 100);
                let in_the_pool = pool.insert(stranger.clone(), &arrival()).is_ok();
                let pinned = pool.tails.is_empty();
                assert!(in_the_pool || pinned, "seed {seed}, turn {turn}");
                check(&pool);
                pool.refuse(&stranger.sender(), Nonce::strict(0));
            }
        }
    }
}

/// What a proposer is given is in nonce order, fits, and has no transaction twice.
#[test]
fn a_block_is_made_of_whole_beginnings_of_lanes() {
    for seed in 0..20 {
        let (mut pool, mut random) = (new(limits()), Random(seed));
        let mut state = BTreeMap::new();
        for turn in 0..300 {
            step(&mut pool, &mut random, &mut state, turn * 3);
            let (txs_max, bytes_max) = (random.below(40) as usize, random.below(9_000) as usize);
            let mut next = state.clone();
            let ahead_of: BTreeMap<Address, u64> = (0..3)
                .map(|_| (random.below(14) as u16, random.below(3)))
                .map(|(from, more)| (from, state.get(&from).copied().unwrap_or(0) + more))
                .map(|(from, ahead)| {
                    next.insert(from, ahead);
                    (tx(from, 0, 0).sender(), ahead)
                })
                .collect();
            let ahead = Ahead { next: ahead_of, ..Ahead::default() };
            let best = pool.best(txs_max, bytes_max, &ahead);
            assert!(best.len() <= txs_max);
            assert!(best.iter().map(|tx| tx.bytes).sum::<usize>() <= bytes_max);
            for tx in best.into_iter().filter(|tx| tx.until.is_none()) {
                let next = next.entry(tx.from).or_default();
                assert_eq!(tx.nonce, *next, "seed {seed}, turn {turn}");
                *next += 1;
            }
        }
    }
}
