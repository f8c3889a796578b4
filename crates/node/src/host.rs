//! One process' share of a network, and what it has seen of it.

use crate::line::Line;
use api::ChainStatus;
use blobs::{BlobError, Store};
use commonware_runtime::tokio::Context;
use consensus::{Chain, Final};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};
use types::{
    Action, Address, ChainId, Hash, Height, JobId, Millis,
    network::Anchor,
    state::{Event, Phase},
};

/// How many recent blocks the figures of `status` are taken from: a minute at two a second.
const WINDOW: usize = 120;

/// Most jobs that can be listed; all others are found by id.
const JOBS_LISTED_MAX: usize = 10_000;

/// One chain as this process sees it: through one of its validators.
#[derive(Clone)]
pub struct Host {
    pub chain: Chain<Context>,
    recent: Arc<Mutex<VecDeque<Seen>>>,
    /// Jobs submitted since this process started, oldest first, with their payers.
    jobs: Arc<Mutex<VecDeque<(JobId, Address)>>>,
    pub(crate) counts: Arc<Counts>,
}

/// What became final since this process started.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) txs: AtomicU64,
    pub(crate) jobs_settled: AtomicU64,
    /// Without a result.
    pub(crate) jobs_ended: AtomicU64,
}

#[derive(Clone, Copy)]
struct Seen {
    height: Height,
    id: Hash,
    timestamp: Millis,
    finality: Millis,
}

impl Host {
    pub(crate) fn new(chain: Chain<Context>) -> Self {
        Self { chain, recent: Arc::default(), jobs: Arc::default(), counts: Arc::default() }
    }

    pub(crate) fn saw(&self, block: &Final) {
        self.counts.txs.fetch_add(block.txs.len() as u64, Ordering::Relaxed);
        for event in &block.events {
            let Event::Job { job, phase } = event else { continue };
            // The job's id is its trace: the API answered with it, and the receipt bears it.
            tracing::info!(trace = %job, chain = %block.header.chain, height = %block.header.height, phase = phase_name(phase), "job");
            match phase {
                Phase::Settled(_) => drop(self.counts.jobs_settled.fetch_add(1, Ordering::Relaxed)),
                Phase::Ended { .. } => drop(self.counts.jobs_ended.fetch_add(1, Ordering::Relaxed)),
                Phase::Queued | Phase::Committing { .. } | Phase::Revealing { .. } => {}
            }
        }
        let mut recent = self.recent.lock().expect("no panic while locked");
        recent.push_back(Seen {
            height: block.header.height,
            id: block.header.id(),
            timestamp: block.header.timestamp,
            finality: block.finality,
        });
        if recent.len() > WINDOW {
            recent.pop_front();
        }
        let mut jobs = self.jobs.lock().expect("no panic while locked");
        for tx in &block.txs {
            if matches!(tx.tx().action, Action::SubmitJob(_)) {
                jobs.push_back((tx.id(), tx.from()));
            }
            if jobs.len() > JOBS_LISTED_MAX {
                jobs.pop_front();
            }
        }
    }

    /// Jobs submitted since this process started, newest first.
    pub(crate) fn jobs_seen(&self, payer: Option<Address>) -> Vec<JobId> {
        let jobs = self.jobs.lock().expect("no panic while locked");
        let wanted = |of: &Address| payer.is_none_or(|payer| payer == *of);
        jobs.iter().rev().filter(|(_, of)| wanted(of)).map(|(job, _)| *job).collect()
    }

    /// Milliseconds from a block's timestamp to its finality here, over the last minute: the value below
    /// which `hundredths` of 100 lie.
    pub(crate) fn finality(&self, hundredths: usize) -> u64 {
        let recent = self.recent.lock().expect("no panic while locked");
        let mut finality: Vec<u64> = recent.iter().map(|seen| seen.finality.get()).collect();
        finality.sort_unstable();
        finality.get(finality.len().saturating_sub(1) * hundredths / 100).copied().unwrap_or(0)
    }

    /// Whether this chain has had a final block, its validator votes, and [`Host::status`] tells of that block: the
    /// engine knows a tip a moment before what watches its blocks does, and a user who was told `ready` asks at once.
    pub(crate) fn is_ready(&self) -> bool {
        self.chain.is_ready() && !self.recent.lock().expect("no panic while locked").is_empty()
    }

    pub(crate) async fn status(&self) -> ChainStatus {
        let workers: u32 = self.chain.record(types::state::Key::WorkerCount).await.unwrap_or(0);
        let recent: Vec<Seen> =
            self.recent.lock().expect("no panic while locked").iter().copied().collect();
        let mut finality: Vec<u64> = recent.iter().map(|seen| seen.finality.get()).collect();
        finality.sort_unstable();
        let percentile = |hundredths: usize| {
            finality
                .get(finality.len().saturating_sub(1) * hundredths / 100)
                .map(|ms| Millis::new(*ms))
        };
        let blocks_per_second = match (recent.first(), recent.last()) {
            (Some(first), Some(last)) if last.timestamp > first.timestamp => {
                let blocks = last.height.get() - first.height.get();
                let ms = last.timestamp.get() - first.timestamp.get();
                Some(blocks as f64 * 1_000.0 / ms as f64)
            }
            _ => None,
        };
        let last = recent.last();
        let (term, committee) = self.chain.committee();
        ChainStatus {
            chain: self.chain.id(),
            height: last.map_or(Height::ZERO, |seen| seen.height),
            finalized_id: last.map(|seen| seen.id),
            timestamp: last.map(|seen| seen.timestamp),
            validators: u32::try_from(committee.len()).unwrap_or(u32::MAX),
            term,
            committee,
            workers,
            finality_ms_p50: percentile(50),
            finality_ms_p99: percentile(99),
            blocks_per_second,
            ready: self.is_ready(),
        }
    }
}

/// Whoever has a seat in a job of this phase.
pub(crate) fn workers_of(phase: &Phase) -> impl Iterator<Item = Address> {
    let seats = match phase {
        Phase::Committing { seats, .. }
        | Phase::Revealing { seats, .. }
        | Phase::Ended { seats, .. } => Some(seats),
        Phase::Settled(settlement) => Some(&settlement.seats),
        Phase::Queued => None,
    };
    seats.into_iter().flat_map(|seats| seats.iter().map(|seat| seat.worker))
}

const fn phase_name(phase: &Phase) -> &'static str {
    match phase {
        Phase::Queued => "queued",
        Phase::Committing { .. } => "committing",
        Phase::Revealing { .. } => "revealing",
        Phase::Settled(_) => "settled",
        Phase::Ended { .. } => "ended",
    }
}

/// A running node.
#[derive(Clone)]
pub struct Node {
    pub(crate) anchor: Arc<Anchor>,
    pub(crate) hosts: Arc<BTreeMap<ChainId, Host>>,
    pub(crate) store: Store,
    /// Base URLs of other nodes that may have a blob this one lacks.
    pub(crate) peers: Arc<Vec<String>>,
    /// Who gives money to whoever asks, by chain: none but on a network dealt in this process.
    pub(crate) faucets: Arc<BTreeMap<ChainId, Line>>,
}

impl Node {
    pub fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    pub(crate) fn faucet(&self, chain: ChainId) -> Option<&Line> {
        self.faucets.get(&chain)
    }

    pub fn host(&self, chain: ChainId) -> Option<&Host> {
        self.hosts.get(&chain)
    }

    /// Put `bytes` into this node's blob store.
    ///
    /// # Errors
    /// [`BlobError`].
    pub fn keep(&self, bytes: &[u8]) -> Result<Hash, BlobError> {
        Ok(self.store.put(bytes)?.hash)
    }

    /// Whether every chain of this node has had a final block and its validator votes.
    pub fn ready(&self) -> bool {
        self.hosts.values().all(Host::is_ready)
    }
}

/// A blob that neither this node nor any it knows could give.
#[derive(Debug, thiserror::Error)]
#[error("{hash} is in no store this node can reach: {last}")]
pub struct NoBlob {
    pub hash: Hash,
    pub last: String,
}

impl Node {
    /// Make sure `hash` is in this node's store, fetching it from a peer if need be. What a peer sends
    /// is checked chunk by chunk as it arrives.
    pub(crate) async fn fetch_blob(&self, hash: Hash) -> Result<(), NoBlob> {
        if self.store.contains(hash) {
            return Ok(());
        }
        let (store, peers) = (self.store.clone(), self.peers.clone());
        let fetch = tokio::task::spawn_blocking(move || {
            let mut last = "no peers are known".to_owned();
            for peer in peers.iter() {
                let fetched = api::Client::new(peer).and_then(|client| client.blob_encoded(hash));
                match fetched.map(|reader| store.put_encoded(hash, reader)) {
                    Ok(Ok(_)) => return Ok(()),
                    Ok(Err(error)) => last = format!("{peer}: {error}"),
                    Err(error) => last = format!("{peer}: {error}"),
                }
            }
            Err(NoBlob { hash, last })
        });
        fetch.await.unwrap_or_else(|_| Err(NoBlob { hash, last: "the transfer panicked".into() }))
    }
}
