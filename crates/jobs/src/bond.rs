//! What a worker puts down for its places, and when it comes back.

use types::{
    Height, NanoMeshx,
    state::{Params, WorkerRecord},
};

/// What a change of a worker's offer moves between its account and the pool of bonds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bonded {
    /// What the worker has put down from now on.
    pub bond: NanoMeshx,
    /// What is on its way back.
    pub leaving: NanoMeshx,
    /// The first block in which that can come back.
    pub free_at: Height,
    /// What the account pays now.
    pub pays: NanoMeshx,
    /// What the account gets now.
    pub gets: NanoMeshx,
}

/// What `worker` pays and gets when it offers `capacity` places at `now`. Places that it gives up keep their bond for
/// [`Params::place_bond_blocks`]; the bond is used again if the worker takes places again before. `None` if the bond is more
/// than there can be.
pub fn offer(worker: &WorkerRecord, capacity: u16, now: Height, params: &Params) -> Option<Bonded> {
    let needed = params.bond(capacity)?.get();
    let (bond, mut leaving) = (worker.bond.get(), worker.leaving.get());
    let (mut free_at, mut gets) = (worker.free_at, 0);
    if leaving > 0 && worker.free_at <= now {
        (gets, leaving) = (leaving, 0);
    }
    let mut pays = 0;
    if needed >= bond {
        let more = needed - bond;
        let kept = more.min(leaving);
        leaving -= kept;
        pays = more - kept;
    } else {
        leaving = leaving.checked_add(bond - needed)?;
        // All of it waits anew, for it is one sum.
        free_at = Height::new(now.get().checked_add(params.place_bond_blocks)?);
    }
    let [bond, leaving, pays, gets] = [needed, leaving, pays, gets].map(NanoMeshx::new);
    Some(Bonded { bond, leaving, free_at, pays, gets })
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::state::PLACES_MAX;

    fn params() -> Params {
        Params { place_bond: NanoMeshx::new(10), place_bond_blocks: 100, ..Params::DEFAULT }
    }

    fn after(worker: &WorkerRecord, capacity: u16, now: u64) -> (WorkerRecord, i64) {
        let done = offer(worker, capacity, Height::new(now), &params()).unwrap();
        let Bonded { bond, leaving, free_at, pays, gets } = done;
        let moved = i64::try_from(gets.get()).unwrap() - i64::try_from(pays.get()).unwrap();
        (WorkerRecord { capacity, bond, leaving, free_at, ..worker.clone() }, moved)
    }

    #[test]
    fn a_bond_comes_back_after_its_time_and_not_before() {
        let (worker, moved) = after(&WorkerRecord::default(), 4, 1);
        assert_eq!((worker.bond.get(), moved), (40, -40));
        let (worker, moved) = after(&worker, 1, 2);
        assert_eq!((worker.bond.get(), worker.leaving.get(), moved), (10, 30, 0));
        // Two places again: one of the three that were given up.
        let (worker, moved) = after(&worker, 2, 50);
        assert_eq!((worker.bond.get(), worker.leaving.get(), moved), (20, 20, 0));
        let (worker, moved) = after(&worker, 2, 101);
        assert_eq!((worker.leaving.get(), moved), (20, 0));
        let (worker, moved) = after(&worker, 2, 102);
        assert_eq!((worker.leaving.get(), moved), (0, 20));
        let (worker, moved) = after(&worker, 0, 200);
        assert_eq!((worker.bond.get(), worker.leaving.get(), moved), (0, 20, 0));
    }

    /// Invariant: what was paid in and not given back is what the record says, and nothing comes back early.
    #[test]
    fn no_nano_of_a_bond_is_lost() {
        let mut random = 7_u64;
        let (mut worker, mut held, mut now) = (WorkerRecord::default(), 0_i64, 1);
        for _ in 0..10_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            now += (random >> 33) % 80;
            let before = worker.clone();
            let capacity = u16::try_from((random >> 50) % 300).unwrap();
            let (next, moved) = after(&worker, capacity, now);
            assert!(moved <= 0 || before.free_at.get() <= now);
            held -= moved;
            worker = next;
            let kept = worker.bond.get() + worker.leaving.get();
            assert_eq!(held, i64::try_from(kept).unwrap());
            assert_eq!(worker.bond.get(), 10 * u64::from(capacity.min(PLACES_MAX)));
        }
    }
}
