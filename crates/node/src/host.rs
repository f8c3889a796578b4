//! One process' share of a network, and what it has seen of it.

use crate::{line::Line, listed::Listed, seen::Seen};
use api::ChainStatus;
use blobs::{BlobError, Store};
use commonware_runtime::tokio::Context;
use consensus::{Chain, Final};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, OnceLock},
    time::Duration,
};
use types::{
    Address, ChainId, Hash, Height, JobId, Millis,
    network::NetworkKeys,
    state::{Event, Phase},
};

/// A committee that lost its leader needs some seconds for the next block.
const PATIENCE_MIN: Duration = Duration::from_secs(10);

/// How many blocks back jobs are looked for at a start.
const RELISTED_BLOCKS: u64 = 120;

/// One chain as this process sees it: through one of its validators.
#[derive(Clone)]
pub struct Host {
    /// The running chain, to submit to and to read from.
    pub chain: Chain<Context>,
    seen: Arc<Mutex<Seen>>,
}

impl Host {
    /// `folder` is the node's: it keeps the list of jobs.
    pub(crate) fn new(chain: Chain<Context>, folder: &Path) -> Self {
        let jobs = folder.join("jobs").join(chain.id().name().to_lowercase());
        Self { chain, seen: Arc::new(Mutex::new(Seen::new(Listed::open(&jobs)))) }
    }

    /// List the jobs of the newest blocks: a process that was killed may not have kept the last ones.
    pub(crate) async fn list_newest(&self) {
        let Some(tip) = self.chain.tip() else { return };
        let first = tip.height.get().saturating_sub(RELISTED_BLOCKS);
        for height in first.max(1)..=tip.height.get() {
            let Some(block) = self.chain.block(Height::new(height)).await else { continue };
            let mut seen = self.seen();
            block.body.txs.iter().for_each(|tx| seen.list(&block.header, tx));
        }
    }

    /// What this process has seen. The lock is held for a moment and never while something is awaited.
    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("no panic while locked")
    }

    pub(crate) fn saw(&self, block: &Final) {
        for event in &block.events {
            let Event::Job { job, phase } = event else { continue };
            // The job's id is its trace: the API answered with it, and the receipt bears it.
            tracing::info!(trace = %job, chain = %block.header.chain, height = %block.header.height, phase = phase_name(phase), "job");
        }
        self.seen().add(block);
    }

    /// When the block at `height`, which holds `job`, was made. `None` if this node no longer keeps it.
    pub(crate) async fn submitted_at(&self, job: &JobId, height: Height) -> Option<Millis> {
        let listed = self.seen().jobs().at(job);
        match listed {
            Some(at) => Some(at),
            None => self.chain.block(height).await.map(|block| block.header.timestamp),
        }
    }

    /// Whether this chain has had a final block, its validator votes, and [`Host::status`] tells of that block: the
    /// engine knows a tip a moment before what watches its blocks does, and a user who was told `ready` asks at once.
    pub(crate) fn is_ready(&self) -> bool {
        self.chain.is_ready() && self.seen().newest().is_some()
    }

    pub(crate) async fn status(&self) -> ChainStatus {
        let workers: u32 = self.chain.record(types::state::Key::WorkerCount).await.unwrap_or(0);
        let (term, committee) = self.chain.committee();
        let ready = self.is_ready();
        let answering = u32::try_from(self.answering()).unwrap_or(u32::MAX);
        let seen = self.seen();
        let newest = seen.newest();
        let silence = seen.silence();
        let stands_still = silence > self.patience();
        // Figures of the last minute are old ones where nothing happens.
        let lately = |figure: Option<Millis>| figure.filter(|_| !stands_still);
        ChainStatus {
            chain: self.chain.id(),
            height: newest.map_or(Height::ZERO, |block| block.height),
            finalized_id: newest.map(|block| block.id),
            timestamp: newest.map(|block| block.timestamp),
            validators: u32::try_from(committee.len()).unwrap_or(u32::MAX),
            term,
            committee,
            workers,
            finality_ms_p50: lately(seen.finality(50)),
            finality_ms_p99: lately(seen.finality(99)),
            blocks_per_second: seen.blocks_per_second().filter(|_| !stands_still),
            silent_ms: Millis::new(u64::try_from(silence.as_millis()).unwrap_or(u64::MAX)),
            answering,
            stands_still,
            ready,
        }
    }

    /// How many of its validators answer.
    pub(crate) fn answering(&self) -> usize {
        let patience = u64::try_from(self.patience().as_millis()).unwrap_or(u64::MAX);
        self.chain.answering(Millis::new(patience))
    }

    /// After how long without a block the chain is said to stand still.
    fn patience(&self) -> Duration {
        Duration::from_millis(self.chain.slowest_beat().get().saturating_mul(4)).max(PATIENCE_MIN)
    }
}

/// The workers that have an assignment in a job of this phase.
pub(crate) fn workers_of(phase: &Phase) -> impl Iterator<Item = Address> {
    let assignments = match phase {
        Phase::Committing { assignments, .. }
        | Phase::Revealing { assignments, .. }
        | Phase::Ended { assignments, .. } => Some(assignments),
        Phase::Settled(settlement) => Some(&settlement.assignments),
        Phase::Queued { .. } => None,
    };
    assignments
        .into_iter()
        .flat_map(|assignments| assignments.iter().map(|assignment| assignment.worker))
}

const fn phase_name(phase: &Phase) -> &'static str {
    match phase {
        Phase::Queued { .. } => "queued",
        Phase::Committing { .. } => "committing",
        Phase::Revealing { .. } => "revealing",
        Phase::Settled(_) => "settled",
        Phase::Ended { .. } => "ended",
    }
}

/// A running node.
#[derive(Clone)]
pub struct Node {
    pub(crate) network_keys: Arc<NetworkKeys>,
    pub(crate) hosts: Arc<BTreeMap<ChainId, Host>>,
    pub(crate) store: Store,
    /// Base URLs of other nodes that may have a blob this one lacks.
    pub(crate) peers: Arc<Vec<String>>,
    /// The key that pays from the faucet, by chain: only on a network dealt in this process.
    pub(crate) faucets: Arc<BTreeMap<ChainId, Line>>,
    /// Where edges join, once they can.
    pub(crate) join: Arc<OnceLock<Vec<String>>>,
}

impl Node {
    /// The keys of the network that this node is part of.
    pub fn network_keys(&self) -> &NetworkKeys {
        &self.network_keys
    }

    pub(crate) fn faucet(&self, chain: ChainId) -> Option<&Line> {
        self.faucets.get(&chain)
    }

    /// Where edges join the network through this node. Each address ends in /p2p/ and the node's id. Empty: nowhere.
    #[must_use]
    pub fn join(&self) -> &[String] {
        self.join.get().map_or(&[], Vec::as_slice)
    }

    pub(crate) fn say_join(&self, addresses: Vec<String>) {
        self.join.get_or_init(|| addresses);
    }

    /// The chain with that id; `None` if this process does not run it.
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
#[error("no node that can be reached has blob {hash}: {last}")]
pub struct NoBlob {
    /// The name of the blob that is missing.
    pub hash: Hash,
    /// What the last peer that was asked said.
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
