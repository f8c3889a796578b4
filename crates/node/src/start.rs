//! Starting a node's part of a network.

use crate::{
    host::{Host, Node},
    import,
    line::Line,
    local::DealtWorker,
    part::Part,
    tickets,
    wires::{Net, Wires},
    workers,
};
use blobs::{BlobError, Store};
use commonware_runtime::{Supervisor as _, tokio as tokio_runtime};
use consensus::{Chain, ChainConfig, Keep};
use crypto::SigningKey;
use futures::future::{BoxFuture, FutureExt as _, try_join_all};
use sandbox::{Engine, EngineConfig};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
};
use tokio::sync::broadcast::error::RecvError;
use types::{ChainId, Hash, network::NetworkKeys};
use worker::Worker;

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NotStarted {
    #[error("blob store: {0}")]
    Blobs(#[from] BlobError),
    #[error("sandbox: {0}")]
    Sandbox(#[from] sandbox::Refused),
    #[error("{chain}: {reason}")]
    Keys { chain: ChainId, reason: String },
    #[error(
        "cannot listen on {address}: {source}; stop the node that listens there, or choose another port"
    )]
    Listen { address: SocketAddr, source: std::io::Error },
}

/// A node that runs.
pub struct Running {
    /// What answers the API.
    pub node: Node,
    /// Every validator of this process.
    pub validators: Vec<Chain<tokio_runtime::Context>>,
    cancel: Arc<AtomicBool>,
}

impl Running {
    /// Stop workers and engines.
    pub fn stop(&self) {
        self.cancel.store(true, std::sync::atomic::Ordering::Relaxed);
        for validator in &self.validators {
            validator.stop();
        }
    }
}

/// Start `parts` of the network that `network_keys` describe. Blobs go to `folder/blobs`; `peers` are base URLs
/// of nodes that may have blobs this one lacks.
///
/// # Errors
/// [`NotStarted`]; nothing of the node is left running.
pub fn start(
    context: tokio_runtime::Context,
    folder: PathBuf,
    network_keys: NetworkKeys,
    parts: Vec<Part>,
    net: Net,
    peers: Vec<String>,
) -> BoxFuture<'static, Result<Running, NotStarted>> {
    start_parts(context, folder, network_keys, parts, net, peers).boxed()
}

/// Memory for pages of files, of one validator. It is set aside at the start.
const CACHE_BYTES: usize = 32 << 20;
/// The same, of each validator of a mesh in one process: such a chain is small, and a mesh has many validators.
const CACHE_BYTES_MESH: usize = 512 << 10;

async fn start_parts(
    context: tokio_runtime::Context,
    folder: PathBuf,
    network_keys: NetworkKeys,
    parts: Vec<Part>,
    net: Net,
    peers: Vec<String>,
) -> Result<Running, NotStarted> {
    let store = Store::open(folder.join("blobs"))?;
    let engine = Arc::new(Engine::new(engine_config())?);
    let Roster { starting, workers, voters, faucets } = enlist(&context, &network_keys, parts, net);
    // All at once: one with an empty disk waits until the others have said how far they are.
    let validators = try_join_all(starting).await?;
    let mut hosts = BTreeMap::new();
    for chain in &validators {
        // The first validator of each chain is this node's view of it.
        hosts.entry(chain.id()).or_insert_with(|| Host::new(chain.clone(), &folder));
    }
    let network = network_keys.network();
    let faucets = faucets.into_iter().filter_map(|(chain, key)| {
        let host: &Host = hosts.get(&chain)?;
        Some((chain, Line::open(host.chain.clone(), key, network)))
    });
    let faucets = Arc::new(faucets.collect());
    let node = Node {
        network_keys: Arc::new(network_keys),
        hosts: Arc::new(hosts),
        faucets,
        store: store.clone(),
        peers: Arc::new(peers),
        join: Arc::default(),
    };
    for host in node.hosts.values().cloned() {
        tokio::spawn(watch(host));
    }
    tokio::spawn(import::serve(node.clone(), import_lines(&node, &workers)));
    if let Some(line) = ticket_line(&node, &voters) {
        tokio::spawn(tickets::serve(node.clone(), voters, line));
    }
    let cancel = Arc::new(AtomicBool::new(false));
    for (chain, dealt) in workers {
        let Some(host) = node.host(chain) else { continue };
        let worker = Worker::new(dealt.key, engine.clone(), store.clone());
        tokio::spawn(workers::serve(node.clone(), host.chain.clone(), worker, cancel.clone()));
    }
    Ok(Running { node, validators, cancel })
}

/// As many jobs at once as the machine has threads, at least two.
fn engine_config() -> EngineConfig {
    let threads = std::thread::available_parallelism();
    let slots = threads.map_or(2, |n| u32::try_from(n.get()).unwrap_or(2)).max(2);
    EngineConfig { slots, memory_bytes_max: 1 << 30, cache_modules: 64 }
}

type Starting = BoxFuture<'static, Result<Chain<tokio_runtime::Context>, NotStarted>>;

/// Who is to run here, of all parts together.
#[derive(Default)]
struct Roster {
    /// One for each validator.
    starting: Vec<Starting>,
    workers: Vec<(ChainId, DealtWorker)>,
    /// Keys that vote on the backbone.
    voters: Vec<SigningKey>,
    faucets: Vec<(ChainId, SigningKey)>,
}

/// Connect the validators of `parts`, and prepare their start.
fn enlist(
    context: &tokio_runtime::Context,
    network_keys: &NetworkKeys,
    parts: Vec<Part>,
    net: Net,
) -> Roster {
    let mut wires = Wires::new(context, network_keys, &parts, net);
    let mut roster = Roster::default();
    for part in parts {
        let chain = part.genesis.chain;
        let known = wires.known(&part);
        for (index, (key, share, _)) in part.validators.into_iter().enumerate() {
            let (channels, blocks) = wires.connect(chain, &key);
            if !chain.is_shard() {
                roster.voters.push(network::signing_key(&key));
            }
            let config = ChainConfig {
                network_keys: network_keys.clone(),
                genesis: part.genesis.clone(),
                key,
                share,
                peers: known.clone(),
                partition: format!("{}-{index}", chain.name().to_lowercase()),
                new_network: part.new_network,
                pool: mempool::Limits::default(),
                rest: part.rest,
                keep: match (part.mesh, index) {
                    (false, _) => Keep::NETWORK,
                    // The first validator of each chain is this node's view of it.
                    (true, 0) => Keep::SHOWN,
                    (true, _) => Keep::BESIDE,
                },
                cache_bytes: if part.mesh { CACHE_BYTES_MESH } else { CACHE_BYTES },
            };
            let context = context
                .child("validator")
                .with_attribute("chain", chain)
                .with_attribute("index", index);
            let starting =
                consensus::start(context, config, channels, blocks).map(move |started| {
                    started.map_err(|error| NotStarted::Keys { chain, reason: error.to_string() })
                });
            roster.starting.push(starting.boxed());
        }
        roster.faucets.extend(part.faucet.map(|key| (chain, key)));
        roster.workers.extend(part.workers.into_iter().map(|worker| (chain, worker)));
    }
    wires.start();
    roster
}

/// Keep `host`'s figures until its chain's feed ends.
async fn watch(host: Host) {
    let mut finals = host.chain.finals();
    host.list_newest().await;
    loop {
        match finals.recv().await {
            Ok(block) => host.saw(&block),
            // What was missed is missing in the figures, and nowhere else.
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

/// For each shard a key of the node's own that brings it the backbone's decrees: to bring one is free, and its nonces
/// are nobody else's.
fn import_lines(node: &Node, workers: &[(ChainId, DealtWorker)]) -> BTreeMap<ChainId, Line> {
    let mut lines = BTreeMap::new();
    for (chain, dealt) in workers {
        if let Some(host) = node.host(*chain) {
            // The name is as old as the key: another name would be another account.
            let seed = types::domain_hash("meshx/relay-key/v1", &[dealt.key.seed().as_slice()]);
            lines.entry(*chain).or_insert_with(|| own_line(host, node, &seed));
        }
    }
    lines
}

/// A key of the node's own on the backbone, which sends its validators' tickets.
fn ticket_line(node: &Node, voters: &[SigningKey]) -> Option<Line> {
    let (first, host) = (voters.first()?, node.host(ChainId::Backbone)?);
    let seed = types::domain_hash("meshx/ticket-line/v1", &[first.seed().as_slice()]);
    Some(own_line(host, node, &seed))
}

fn own_line(host: &Host, node: &Node, seed: &Hash) -> Line {
    Line::open(host.chain.clone(), SigningKey::from_seed(&seed.0), node.network_keys.network())
}

/// Answer the API for `node` on `listener` until the listener fails or this is dropped.
pub fn serve(listener: tokio::net::TcpListener, node: Node) -> BoxFuture<'static, ()> {
    const { assert!(api::BLOB_BYTES_MAX == blobs::BLOB_BYTES_MAX, "the API takes what the store takes") };
    let serving = async move {
        if let Err(error) = axum::serve(listener, api::router(node, api::Limits::default())).await {
            tracing::error!(%error, "the API stopped");
        }
    };
    serving.boxed()
}
