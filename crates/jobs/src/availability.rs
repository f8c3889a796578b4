//! Availability: what a worker is paid for being there.

use types::{
    Height, NanoMeshx,
    state::{Params, REPUTATION_MAX, REPUTATION_NEW, WorkerRecord},
};

const HOUR_MS: u128 = 3_600_000;

/// What being there from the last heartbeat to `now` is worth: in proportion to time, places and reputation, rounded down.
/// Nothing after too long a gap, so a worker earns by how much of the time it is there.
pub fn availability(worker: &WorkerRecord, now: Height, params: &Params) -> NanoMeshx {
    let blocks = now.saturating_sub(worker.seen).get();
    if blocks > params.heartbeat_blocks {
        return NanoMeshx::ZERO;
    }
    let time = u128::from(blocks) * u128::from(params.block_ms);
    let weight = u128::from(worker.capacity) * u128::from(worker.reputation.min(REPUTATION_MAX));
    let reward = u128::from(params.availability_hour.get())
        .checked_mul(time)
        .and_then(|product| product.checked_mul(weight))
        .map(|product| product / (HOUR_MS * u128::from(REPUTATION_MAX)));
    // Beyond what a number holds it is certainly beyond what the pool does.
    let reward = reward.and_then(|reward| u64::try_from(reward).ok()).unwrap_or(u64::MAX);
    NanoMeshx::new(reward)
}

/// The reputation of a worker that sends a heartbeat at `now`: below that of a new worker it recovers by one gain for each
/// half of the time that may lie between two heartbeats.
pub fn recovered(worker: &WorkerRecord, now: Height, params: &Params) -> u16 {
    let since = now.saturating_sub(worker.seen).get();
    if since < params.heartbeat_blocks / 2 || worker.reputation >= REPUTATION_NEW {
        return worker.reputation;
    }
    worker.reputation.saturating_add(params.reputation_gain).min(REPUTATION_NEW)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(capacity: u16, reputation: u16) -> WorkerRecord {
        WorkerRecord { capacity, reputation, seen: Height::new(100), ..WorkerRecord::default() }
    }

    #[test]
    fn a_bad_reputation_recovers_with_time_up_to_that_of_a_new_worker() {
        let params = Params { heartbeat_blocks: 240, reputation_gain: 10, ..Params::DEFAULT };
        let of = |reputation, blocks: u64| {
            recovered(&worker(1, reputation), Height::new(100 + blocks), &params)
        };
        assert_eq!([of(500, 120), of(500, 119), of(4_995, 240)], [510, 500, 5_000]);
        assert_eq!([of(5_000, 240), of(9_000, 240)], [5_000, 9_000]);
    }

    #[test]
    fn an_hour_of_a_full_place_is_the_rate_and_a_long_gap_nothing() {
        let params = Params { heartbeat_blocks: 7_200, ..Params::DEFAULT };
        let of = |capacity, reputation, blocks: u64| {
            availability(&worker(capacity, reputation), Height::new(100 + blocks), &params).get()
        };
        assert_eq!(of(1, 10_000, 7_200), 100_000);
        assert_eq!(of(4, 5_000, 7_200), 200_000);
        assert_eq!(of(1, 10_000, 1), 13);
        assert_eq!(of(1, 10_000, 7_201), 0);
        assert_eq!(of(1, 0, 7_200), 0);
    }
}
