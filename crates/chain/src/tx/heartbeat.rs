//! Heartbeat: a worker is still there, and is paid for the time since its last one.

use crate::{
    Refusal,
    apply::BlockContext,
    earned,
    scratch::{Scratch, Stop},
};
use types::{
    Address, Height, NanoMeshx,
    state::{Destination, Key, Params, REPUTATION_MAX, Transfer, WorkerRecord, pools},
};

const HOUR_MS: u128 = 3_600_000;

/// The time between two heartbeats counts if it is short enough, so a worker earns by how much of the time it is
/// there. What it earns is in proportion to its places and reputation, and ends when the pool does.
pub(super) fn apply(
    pad: &mut Scratch<'_>,
    from: Address,
    context: &BlockContext,
) -> Result<(), Stop> {
    let Some(worker) = pad.get::<WorkerRecord>(Key::Worker(from))? else {
        return Err(Refusal::NotWorker.into());
    };
    let params: Params = pad.expect(Key::Params)?;
    let pool = pools::availability();
    let reward = reward(&worker, context.height, &params).min(pad.account(pool)?.balance);
    pad.put(Key::Worker(from), &WorkerRecord { seen: context.height, ..worker });
    if reward > NanoMeshx::ZERO {
        let to = Destination::Account(from);
        pad.transfer(&[Transfer { from: pool, to, amount: reward }])?;
        earned::count(pad, from, reward, |earned| &mut earned.availability)?;
    }
    Ok(())
}

/// What being there since the last heartbeat is worth; rounded down, nothing after too long a gap.
fn reward(worker: &WorkerRecord, now: Height, params: &Params) -> NanoMeshx {
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

#[cfg(test)]
mod tests {
    use super::*;
    use types::City;

    fn worker(capacity: u16, reputation: u16) -> WorkerRecord {
        WorkerRecord {
            capacity,
            running: 0,
            reputation,
            city: City::default(),
            registered: Height::ZERO,
            floor: NanoMeshx::ZERO,
            seen: Height::new(100),
        }
    }

    #[test]
    fn an_hour_of_a_full_place_is_the_rate_and_a_long_gap_nothing() {
        let params = Params { heartbeat_blocks: 7_200, ..Params::DEFAULT };
        let of = |capacity, reputation, blocks: u64| {
            reward(&worker(capacity, reputation), Height::new(100 + blocks), &params).get()
        };
        assert_eq!(of(1, 10_000, 7_200), 100_000);
        assert_eq!(of(4, 5_000, 7_200), 200_000);
        assert_eq!(of(1, 10_000, 1), 13);
        assert_eq!(of(1, 10_000, 7_201), 0);
        assert_eq!(of(1, 0, 7_200), 0);
    }
}
