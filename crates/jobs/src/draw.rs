//! Drawing workers from randomness nobody could choose.
//!
//! Rejection sampling over places: the beacon and the job's id give an endless list of (place number, threshold); the worker
//! whose place it is is taken when its weight exceeds the threshold. A worker has put down a bond for each place, so its
//! chance follows from the bond and its reputation, whatever the number of its names. Places are read one at a time, so a
//! draw costs the same among ten workers and among a million.

use crate::{compile::compile_time, price};
use types::{
    Address, Beacon, Height, JobId, JobSpec, Millis, NanoMeshx, Submission,
    codec::Encode,
    state::{JobRecord, Params, REPUTATION_MAX, WorkerRecord},
};

/// Tries per replica before a draw gives up and the job waits for the next block. With every worker at a
/// tenth of full weight, a replica stays without a worker with probability 0.9^64 = 0.1 %.
pub const TRIES_PER_REPLICA: usize = 64;

/// A worker that was not heard of for so many times the longest time between two heartbeats is not drawn.
const SILENT_AFTER: u64 = 4;

/// The rule that keeps a worker from a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum Ineligible {
    #[error("takes no jobs now")]
    Resting,
    #[error("is running {running} of at most {capacity} jobs")]
    Busy { running: u16, capacity: u16 },
    #[error("sent no heartbeat since block {seen}; blocks without one at most: {most}")]
    Silent { seen: Height, most: u64 },
    #[error("is the payer of the job")]
    IsPayer,
    #[error("asks for at least {floor} MESHX for this job, but its part of the offer is {cap}")]
    Floor { floor: NanoMeshx, cap: NanoMeshx },
}

/// The draw's tries for `job` among `places`: (place number, threshold).
pub fn tries(
    beacon: &Beacon,
    job: &JobId,
    places: u32,
) -> impl Iterator<Item = (u32, u16)> + use<> {
    let mut hasher = blake3::Hasher::new_derive_key("meshx/draw/v1");
    hasher.update(&beacon.encode());
    // Jobs of one height share a beacon; with their ids each has a draw of its own.
    hasher.update(&job.0);
    let mut stream = hasher.finalize_xof();
    std::iter::from_fn(move || {
        if places == 0 {
            return None;
        }
        let mut bytes = [0; 10];
        stream.fill(&mut bytes);
        let (index, threshold) = bytes.split_at(8);
        let index = u64::from_be_bytes(index.try_into().expect("eight bytes"));
        let threshold = u16::from_be_bytes(threshold.try_into().expect("two bytes"));
        // The modulo's bias is below 2^-32 for any u32 of places.
        let index = u32::try_from(index % u64::from(places)).expect("below a u32");
        Some((index, threshold))
    })
}

/// Whether `worker` may run this job at all.
pub fn eligible(
    address: &Address,
    worker: &WorkerRecord,
    job: &JobRecord,
    now: Height,
    params: &Params,
) -> Result<(), Ineligible> {
    if *address == job.payer {
        return Err(Ineligible::IsPayer);
    }
    if worker.capacity == 0 {
        return Err(Ineligible::Resting);
    }
    if worker.running >= worker.capacity {
        return Err(Ineligible::Busy { running: worker.running, capacity: worker.capacity });
    }
    let most = params.heartbeat_blocks.saturating_mul(SILENT_AFTER);
    if worker.silent || now.saturating_sub(worker.seen).get() > most {
        return Err(Ineligible::Silent { seen: worker.seen, most });
    }
    if worker.floor > NanoMeshx::ZERO {
        let Submission { spec, agreement, price_max, .. } = &job.submission;
        let cap = price::cap(*price_max, agreement);
        // At its limits, since nobody knows before the run what a job will use: no worker may end up below its floor.
        let used =
            price::usage_max(spec, params).and_then(|used| price::floor(&used, worker.floor));
        let floor = used.unwrap_or(NanoMeshx::new(u64::MAX));
        if floor > cap {
            return Err(Ineligible::Floor { floor, cap });
        }
    }
    Ok(())
}

/// Whether an eligible `worker` is taken at this threshold: its chance is proportional to its reputation and to the free
/// part of its places.
pub fn accepts(worker: &WorkerRecord, threshold: u16) -> bool {
    let free = worker.capacity.saturating_sub(worker.running);
    let weight =
        u64::from(free) * u64::from(worker.reputation.min(REPUTATION_MAX)) * u64::from(u16::MAX);
    let full = u64::from(worker.capacity) * u64::from(REPUTATION_MAX);
    // Strictly below, so that a worker of weight 0 is never taken.
    u64::from(threshold) * full < weight
}

/// The block by which workers drawn at `drawn` must have committed.
pub fn commit_until(submission: &Submission, params: &Params, drawn: Height) -> Height {
    let until = drawn.get().saturating_add(commit_blocks(&submission.spec, params));
    Height::new(until).min(submission.deadline)
}

/// Blocks in which a job may be compiled and run. Rounded up: a run that takes all of its wall-clock limit must still be
/// committed in time.
pub fn run_blocks(spec: &JobSpec, params: &Params) -> u64 {
    let run = spec.limits.wall.saturating_add(compile_time(spec.module_len));
    run.get().div_ceil(params.block_ms.max(1))
}

/// Blocks that workers have for their commitments.
fn commit_blocks(spec: &JobSpec, params: &Params) -> u64 {
    params.commit_blocks.saturating_add(run_blocks(spec, params))
}

/// The block in which the others have had enough time to commit, once so many have that they can settle a job, at `now`:
/// three times as long, and never less than the core time that the job's fuel stands for.
pub(crate) fn enough_time(
    submission: &Submission,
    params: &Params,
    drawn: Height,
    now: Height,
) -> Height {
    let core_ms = core_time(&submission.spec, params)
        .saturating_add(compile_time(submission.spec.module_len));
    let least = core_ms.get().div_ceil(params.block_ms.max(1));
    let others = now.saturating_sub(drawn).get().saturating_mul(3);
    let blocks = params.commit_blocks.saturating_add(least.max(others));
    Height::new(drawn.get().saturating_add(blocks))
}

/// The core time that a job's fuel stands for, rounded up.
pub(crate) fn core_time(spec: &JobSpec, params: &Params) -> Millis {
    let us = spec.limits.fuel.get().div_ceil(params.fuel_per_core_us.max(1));
    Millis::new(us.div_ceil(1_000))
}

/// Blocks from a submission to the earliest deadline that leaves time for a draw, the run and the reveals.
pub(crate) fn least_blocks(spec: &JobSpec, params: &Params) -> u64 {
    /// A job is drawn in the block after its own. One more may pass without its beacon.
    const DRAW: u64 = 2;
    commit_blocks(spec, params).saturating_add(params.reveal_blocks).saturating_add(DRAW)
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::{Hash, Term, codec::Bytes};

    fn worker(capacity: u16, running: u16, reputation: u16) -> WorkerRecord {
        WorkerRecord { capacity, running, reputation, ..WorkerRecord::default() }
    }
    fn beacon(n: u8) -> Beacon {
        Beacon {
            height: Height::new(1),
            term: Term::ZERO,
            view: 1,
            signature: Bytes::new(vec![n; 48]).unwrap(),
        }
    }

    #[test]
    fn another_beacon_draws_others() {
        let draw = |n| tries(&beacon(n), &Hash([1; 32]), 1_000).take(20).collect::<Vec<_>>();
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn chance_follows_reputation_and_free_places() {
        let share = |w: &WorkerRecord| {
            let taken = tries(&beacon(3), &Hash([2; 32]), 7)
                .take(40_000)
                .filter(|(_, t)| accepts(w, *t))
                .count();
            (taken * 100).div_ceil(40_000)
        };
        assert_eq!(share(&worker(16, 0, 10_000)), 100);
        assert!((48..=52).contains(&share(&worker(16, 0, 5_000))));
        assert!((23..=27).contains(&share(&worker(16, 12, 10_000))));
        assert_eq!(share(&worker(16, 16, 10_000)), 0);
    }

    #[test]
    fn nobody_is_drawn_from_nobody() {
        assert_eq!(tries(&beacon(1), &Hash([1; 32]), 0).next(), None);
    }
}
