//! What a worker is assigned to: read from the chain's own state, so that nothing is missed by who came late or fell
//! behind.

use commonware_runtime::tokio::Context;
use consensus::Chain;
use std::collections::BTreeSet;
use types::{
    Address, Height, JobId,
    codec::DecodeExt as _,
    state::{Due, JobRecord, Key, Phase, WorkerRecord},
};

/// Heights that are read at once. Few, because each may have a thousand jobs, and a worker's own are due soon.
const HEIGHTS: u64 = 16;

/// Open jobs that `worker` is assigned to; none before the chain's first final block.
///
/// Each open job has a reminder at the height at which its phase ends. So the heights ahead are read, until as many jobs
/// are found as the worker's record says.
pub(crate) async fn open_jobs(chain: &Chain<Context>, worker: Address) -> BTreeSet<JobId> {
    let mut found = BTreeSet::new();
    let (Some(params), Some(tip)) = (chain.params().await, chain.tip()) else { return found };
    let mut from = tip.height.next().get();
    let last = from.saturating_add(params.deadline_blocks_max);
    // Asked anew each time: blocks go on meanwhile, and with them assignments begin and end.
    while from <= last && found.len() < assignments(chain, worker).await {
        found.extend(due_between(chain, from, from + HEIGHTS, worker).await);
        from += HEIGHTS;
    }
    found
}

/// How many jobs the worker is assigned to now.
async fn assignments(chain: &Chain<Context>, worker: Address) -> usize {
    let record: Option<WorkerRecord> = chain.record(Key::Worker(worker)).await;
    record.map_or(0, |record| record.running.into())
}

async fn due_between(chain: &Chain<Context>, from: u64, to: u64, worker: Address) -> Vec<JobId> {
    let heights: Vec<Key> = (from..to).map(|height| Key::Due(Height::new(height))).collect();
    let due = chain.records(&heights).await.into_iter().flatten();
    let due = due.map(|bytes| Due::decode(bytes).expect("state holds what this code wrote"));
    let jobs: BTreeSet<JobId> = due.flat_map(Due::into_vec).collect();
    let keys: Vec<Key> = jobs.iter().map(|job| Key::Job(*job)).collect();
    let records = chain.records(&keys).await;
    jobs.into_iter()
        .zip(records)
        .filter(|(_, bytes)| bytes.clone().is_some_and(|bytes| is_assigned(bytes, worker)))
        .map(|(job, _)| job)
        .collect()
}

fn is_assigned(record: Vec<u8>, worker: Address) -> bool {
    let record = JobRecord::decode(record).expect("state holds what this code wrote");
    match record.phase {
        Phase::Committing { assignments, .. } | Phase::Revealing { assignments, .. } => {
            assignments.iter().any(|assignment| assignment.worker == worker)
        }
        Phase::Queued { .. } | Phase::Settled(_) | Phase::Ended { .. } => false,
    }
}
