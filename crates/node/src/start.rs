//! Starting a node's part of a network.

use crate::{
    failstop,
    folder::Folder,
    host::{Host, Node},
    line::Line,
    local::{DealtChain, DealtWorker},
    relay, tickets, workers,
};
use blobs::{BlobError, Store};
use commonware_runtime::{Runner as _, Supervisor as _, tokio as tokio_runtime};
use consensus::{CHANNELS, Chain, ChainConfig, Channels, message_bytes_max};
use crypto::SigningKey;
use futures::future::{BoxFuture, FutureExt as _, LocalBoxFuture, try_join_all};
use network::{
    Latency, Mesh, Place, PrivateKey, PublicKey, Sockets, SocketsConfig, consensus_key, ik::Suites,
};
use sandbox::{Engine, EngineConfig};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
};
use tokio::sync::broadcast::error::RecvError;
use types::{
    ChainId,
    network::{Anchor, Genesis},
};
use worker::Worker;

/// How the validators of this process reach the others.
#[expect(clippy::large_enum_variant, reason = "there is one per process")]
pub enum Net {
    /// All of them are in this process.
    InProcess(Latency),
    /// One per process; the addresses of all, by node key.
    Sockets { key: PrivateKey, listen: SocketAddr, peers: Vec<(types::PublicKey, SocketAddr)> },
}

/// The validators and workers of one chain that this process runs.
pub struct Part {
    pub genesis: Genesis,
    /// Key, threshold share, place. Without a share it follows the chain and does not vote.
    pub validators: Vec<(PrivateKey, Option<Vec<u8>>, Place)>,
    pub workers: Vec<DealtWorker>,
    /// The key of the chain's faucet, if this process has it.
    pub faucet: Option<SigningKey>,
    /// None of these validators has ever run: begin at genesis without asking the others.
    pub new_network: bool,
}

impl From<DealtChain> for Part {
    /// The whole of a chain, with all its secrets.
    fn from(dealt: DealtChain) -> Self {
        let validators =
            dealt.validators.into_iter().map(|v| (v.key, Some(v.share), v.place)).collect();
        let (genesis, workers, faucet) = (dealt.genesis, dealt.workers, Some(dealt.faucet));
        Self { genesis, validators, workers, faucet, new_network: false }
    }
}

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum NotStarted {
    #[error("blob store: {0}")]
    Blobs(#[from] BlobError),
    #[error("sandbox: {0}")]
    Sandbox(#[from] sandbox::Refused),
    #[error("{chain}: {reason}")]
    Keys { chain: ChainId, reason: String },
    #[error("cannot listen on {address}: {source}; is another node running? choose another port")]
    Listen { address: SocketAddr, source: std::io::Error },
}

/// A node that runs.
pub struct Running {
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

/// Memory for pages of files, shared by the validators of this process, and the most for one.
const CACHE_BYTES: usize = 128 << 20;
const CACHE_BYTES_EACH_MAX: usize = 32 << 20;

/// Starting an engine moves state machines of some hundred kilobytes through the stack.
const STACK_BYTES: usize = 32 << 20;

/// Run `main` on the runtime every node needs, with its files under `folder`.
///
/// # Panics
/// If the machine gives no thread, or `main` panics.
pub fn run<T, F>(folder: &Folder, main: impl FnOnce(tokio_runtime::Context) -> F + Send) -> T
where
    T: Send,
    F: Future<Output = T>,
{
    let mut result = None;
    // Behind a pointer, so that the runtime is compiled here and not by every caller.
    run_boxed(
        folder,
        Box::new(|context| main(context).map(|value| result = Some(value)).boxed_local()),
    );
    result.expect("main ran to its end")
}

type Main<'a> = Box<dyn FnOnce(tokio_runtime::Context) -> LocalBoxFuture<'a, ()> + Send + 'a>;

fn run_boxed(folder: &Folder, main: Main<'_>) {
    failstop::arm(folder.path());
    let threads = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 8);
    let config = tokio_runtime::Config::default()
        .with_storage_directory(folder.path().join("chains"))
        .with_worker_threads(threads)
        .with_catch_panics(false);
    std::thread::scope(|scope| {
        let main = std::thread::Builder::new()
            .name("node".into())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || tokio_runtime::Runner::new(config).start(main))
            .expect("the machine has a thread to spare");
        main.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Start `parts` of the network `anchor` describes. Blobs go to `folder/blobs`; `peers` are base URLs
/// of nodes that may have blobs this one lacks.
///
/// # Errors
/// [`NotStarted`]; nothing of the node is left running.
pub fn start(
    context: tokio_runtime::Context,
    folder: PathBuf,
    anchor: Anchor,
    parts: Vec<Part>,
    net: Net,
    peers: Vec<String>,
) -> BoxFuture<'static, Result<Running, NotStarted>> {
    start_parts(context, folder, anchor, parts, net, peers).boxed()
}

async fn start_parts(
    context: tokio_runtime::Context,
    folder: PathBuf,
    anchor: Anchor,
    parts: Vec<Part>,
    net: Net,
    peers: Vec<String>,
) -> Result<Running, NotStarted> {
    let store = Store::open(folder.join("blobs"))?;
    let slots = std::thread::available_parallelism()
        .map_or(2, |n| u32::try_from(n.get()).unwrap_or(2))
        .max(2);
    let engine = Arc::new(Engine::new(EngineConfig {
        slots,
        memory_bytes_max: 1 << 30,
        cache_modules: 64,
    })?);
    let cancel = Arc::new(AtomicBool::new(false));

    let mut wires = Wires::new(&context, &anchor, &parts, net);
    let validators: usize = parts.iter().map(|part| part.validators.len()).sum();
    let cache_bytes = (CACHE_BYTES / validators.max(1)).min(CACHE_BYTES_EACH_MAX);
    let mut starting = Vec::new();
    let mut workers = Vec::new();
    let mut voters = Vec::new();
    let mut faucets = Vec::new();
    for part in parts {
        let chain = part.genesis.chain;
        let known = wires.known(&part);
        for (index, (key, share, _)) in part.validators.into_iter().enumerate() {
            let (channels, blocks) = wires.connect(chain, &key);
            if !chain.is_shard() {
                voters.push(network::signing_key(&key));
            }
            let config = ChainConfig {
                anchor: anchor.clone(),
                genesis: part.genesis.clone(),
                key,
                share,
                peers: known.clone(),
                partition: format!("{}-{index}", chain.name().to_lowercase()),
                new_network: part.new_network,
                pool: mempool::Limits::default(),
                cache_bytes,
            };
            let context = context
                .child("validator")
                .with_attribute("chain", chain)
                .with_attribute("index", index);
            starting.push(Box::pin(async move {
                let started = consensus::start(context, config, channels, blocks).await;
                started.map_err(|error| NotStarted::Keys { chain, reason: error.to_string() })
            }));
        }
        faucets.extend(part.faucet.map(|key| (chain, key)));
        workers.extend(part.workers.into_iter().map(|worker| (chain, worker)));
    }
    wires.start();

    let mut hosts = BTreeMap::new();
    let validators = try_join_all(starting).await?;
    for chain in &validators {
        // The first validator of each chain is this node's view of it.
        hosts.entry(chain.id()).or_insert_with(|| Host::new(chain.clone()));
    }
    let network = anchor.network();
    let faucets = faucets
        .into_iter()
        .filter_map(|(chain, key)| {
            let host: &Host = hosts.get(&chain)?;
            Some((chain, Line::open(host.chain.clone(), key, network)))
        })
        .collect();
    let node = Node {
        anchor: Arc::new(anchor),
        hosts: Arc::new(hosts),
        faucets: Arc::new(faucets),
        store: store.clone(),
        peers: Arc::new(peers),
    };
    for host in node.hosts.values().cloned() {
        let mut finals = host.chain.finals();
        tokio::spawn(async move {
            loop {
                match finals.recv().await {
                    Ok(block) => host.saw(&block),
                    // What was missed is missing in the figures, and nowhere else.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                }
            }
        });
    }
    // A key of the node's own for each shard: to bring a decree is free, and its nonces are nobody else's.
    let mut lines = BTreeMap::new();
    for (chain, dealt) in &workers {
        if let Some(host) = node.host(*chain) {
            let seed = types::domain_hash("meshx/relay-key/v1", &[dealt.key.seed().as_slice()]);
            lines.entry(*chain).or_insert_with(|| {
                Line::open(host.chain.clone(), SigningKey::from_seed(&seed.0), network)
            });
        }
    }
    tokio::spawn(relay::serve(node.clone(), lines));
    // So it is with tickets, on the backbone.
    if let (Some(first), Some(host)) = (voters.first(), node.host(ChainId::Backbone)) {
        let seed = types::domain_hash("meshx/ticket-line/v1", &[first.seed().as_slice()]);
        let line = Line::open(host.chain.clone(), SigningKey::from_seed(&seed.0), network);
        tokio::spawn(tickets::serve(node.clone(), voters, line));
    }
    for (chain, dealt) in workers {
        let Some(host) = node.host(chain) else { continue };
        let worker = Worker::new(dealt.key, engine.clone(), store.clone());
        tokio::spawn(workers::serve(node.clone(), host.chain.clone(), worker, cancel.clone()));
    }
    Ok(Running { node, validators, cancel })
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

/// The network of one process, whichever it is.
enum Wires {
    Mesh(BTreeMap<ChainId, Mesh>),
    Sockets { sockets: Box<Sockets>, peers: Vec<PublicKey> },
}

impl Wires {
    fn new(context: &tokio_runtime::Context, anchor: &Anchor, parts: &[Part], net: Net) -> Self {
        match net {
            Net::InProcess(latency) => Self::Mesh(
                parts
                    .iter()
                    .map(|part| {
                        let places: BTreeMap<PublicKey, Place> = part
                            .validators
                            .iter()
                            .map(|(key, _, place)| (network::peer_key(key), place.clone()))
                            .collect();
                        (part.genesis.chain, Mesh::new(latency.clone(), places))
                    })
                    .collect(),
            ),
            Net::Sockets { key, listen, peers } => {
                let peers: Vec<_> = peers
                    .iter()
                    .filter_map(|(key, address)| Some((consensus_key(key)?, *address)))
                    .collect();
                let known = peers.iter().map(|(key, _)| key.clone()).collect();
                let config = SocketsConfig {
                    key,
                    suites: Suites::default(),
                    namespace: anchor.network().0.to_vec(),
                    listen,
                    peers,
                    message_bytes_max: message_bytes_max(),
                };
                let sockets = Box::new(Sockets::new(context.child("sockets"), config));
                Self::Sockets { sockets, peers: known }
            }
        }
    }

    /// Whom a validator of `part` may meet, in this term or a later one.
    fn known(&self, part: &Part) -> Vec<PublicKey> {
        match self {
            Self::Mesh(_) => {
                part.validators.iter().map(|(key, _, _)| network::peer_key(key)).collect()
            }
            Self::Sockets { peers, .. } => peers.clone(),
        }
    }

    fn connect(&mut self, chain: ChainId, key: &PrivateKey) -> (Channels, network::Blocks) {
        match self {
            Self::Mesh(meshes) => {
                let (mesh, me) = (&meshes[&chain], network::peer_key(key));
                (Channels::register(|channel| mesh.register(&me, channel)), mesh.blocks(&me))
            }
            Self::Sockets { sockets, .. } => {
                let base = CHANNELS * chain as u64;
                (Channels::register(|channel| sockets.register(base + channel)), sockets.blocks())
            }
        }
    }

    fn start(self) {
        if let Self::Sockets { sockets, .. } = self {
            sockets.start();
        }
    }
}
