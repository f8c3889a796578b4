//! A whole mesh in this process: for `meshx up`, and for a `run` that has no network to go to.

use anyhow::{Context as _, Result, bail};
use crypto::{Mnemonic, Role, Wallet};
use network::Latency;
use node::{
    Folder, Net, Node, Part,
    local::{Plan, deal_network},
};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};
use tokio::net::TcpListener;
use types::{Address, ChainId, Millis, NanoMeshx};

use crate::{home, wallet};

/// The recovery words of the wallet that every local mesh gives money to. They are public on purpose:
/// money of a local mesh is worth nothing.
const DEV_WORDS: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

/// What the dev wallet starts with on every shard.
const DEV_BALANCE: NanoMeshx = NanoMeshx::new(1_000_000_000_000_000);

/// Blocks of a committee's term unless something else is asked for: an hour.
pub const TERM_BLOCKS: u64 = 7_200;

/// How long a mesh may take until every chain has a final block.
const READY_TIMEOUT: Duration = Duration::from_secs(60);

/// What a mesh is made of.
pub struct Shape {
    pub validators: usize,
    pub workers: usize,
    pub latency: Latency,
    pub block_ms: u64,
    pub term_blocks: u64,
    pub listen: SocketAddr,
    /// `None`: a folder that goes when the mesh does.
    pub data: Option<PathBuf>,
}

impl Shape {
    pub fn ephemeral(latency: Latency) -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let term_blocks = TERM_BLOCKS;
        Self { validators: 4, workers: 4, latency, block_ms: 500, term_blocks, listen, data: None }
    }
}

pub fn dev_wallet() -> Wallet {
    let words = Mnemonic::parse(DEV_WORDS).expect("these are BIP-39's own test words");
    Wallet::from_mnemonic(&words, "")
}

/// Where everyone's money is on a local mesh.
pub fn dev_address() -> Address {
    wallet::address(&dev_wallet().key(Role::Spend, 0))
}

pub fn now() -> Millis {
    Millis::new(
        UNIX_EPOCH
            .elapsed()
            .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX)),
    )
}

pub fn random_seed() -> Result<[u8; 32]> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)
        .map_err(|error| anyhow::anyhow!("the machine gives no randomness: {error}"))?;
    Ok(seed)
}

/// What a kept mesh is made from. The seed is every key of the network.
#[derive(Serialize, Deserialize)]
struct Kept {
    version: u32,
    seed: String,
    started: u64,
    validators: usize,
    workers: usize,
    block_ms: u64,
    term_blocks: u64,
    /// BLAKE3 of everything above, so that a damaged file cannot pass for another network.
    #[serde(default)]
    check: String,
    /// Made by this process, just now.
    #[serde(skip)]
    new: bool,
}

const KEPT_VERSION: u32 = 3;

impl Kept {
    fn checksum(&self) -> String {
        let Self { version, seed, started, validators, workers, block_ms, term_blocks, .. } = self;
        let text =
            format!("{version} {seed} {started} {validators} {workers} {block_ms} {term_blocks}");
        types::domain_hash("meshx/mesh-file/v1", &[text.as_bytes()]).to_string()
    }

    /// Read what `folder` was started with, or start it now.
    fn open(folder: &Path, shape: &Shape) -> Result<Self> {
        let path = folder.join("mesh.json");
        match fs::read_to_string(&path) {
            Ok(text) => {
                let kept: Self = serde_json::from_str(&text).with_context(|| {
                    format!(
                        "{} is not a mesh file\nhint: choose another --data folder",
                        path.display()
                    )
                })?;
                if kept.version == KEPT_VERSION && kept.check != kept.checksum() {
                    bail!(
                        "{} is damaged: it does not match its own checksum\nhint: bring it back from a copy; it holds the keys of the mesh",
                        path.display()
                    );
                }
                if kept.version != KEPT_VERSION {
                    bail!(
                        "{} has version {}, this program reads {KEPT_VERSION}\nhint: use the version that wrote it",
                        path.display(),
                        kept.version
                    );
                }
                let same = kept.validators == shape.validators
                    && kept.workers == shape.workers
                    && kept.block_ms == shape.block_ms
                    && kept.term_blocks == shape.term_blocks;
                if !same {
                    bail!(
                        "{} was started with --validators {} --workers {} --block-ms {} --term-blocks {}\nhint: use the same, or another --data folder",
                        folder.display(),
                        kept.validators,
                        kept.workers,
                        kept.block_ms,
                        kept.term_blocks
                    );
                }
                Ok(kept)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let mut kept = Self {
                    version: KEPT_VERSION,
                    seed: hex::encode(random_seed()?),
                    started: now().get(),
                    validators: shape.validators,
                    workers: shape.workers,
                    block_ms: shape.block_ms,
                    term_blocks: shape.term_blocks,
                    check: String::new(),
                    new: true,
                };
                kept.check = kept.checksum();
                home::write_whole(&path, serde_json::to_string_pretty(&kept)?.as_bytes(), true)?;
                Ok(kept)
            }
            Err(error) => Err(error).with_context(|| {
                format!(
                    "cannot read {}\nhint: bring it back from a copy; it holds the keys of the mesh",
                    path.display()
                )
            }),
        }
    }
}

/// A mesh that is ready: its node, and where its API listens.
pub struct Ready {
    pub node: Node,
    pub url: String,
}

/// Start a mesh, wait until every chain has a final block, run `main`, and take the mesh down.
pub fn with_mesh<T: Send, F: Future<Output = Result<T>>>(
    shape: &Shape,
    main: impl FnOnce(Ready) -> F + Send,
) -> Result<T> {
    let temporary = passing_folder()?;
    let folder = shape.data.clone().unwrap_or_else(|| temporary.path().to_owned());
    let held = Folder::open(&folder)?;
    let kept = Kept::open(&folder, shape)?;
    let seed: [u8; 32] = hex::decode(&kept.seed)
        .ok()
        .and_then(|seed| seed.try_into().ok())
        .context("mesh.json holds no seed")?;
    let plan = Plan {
        name: "local".into(),
        chains: ChainId::ALL.to_vec(),
        validators: shape.validators,
        workers: shape.workers,
        capacity: 16,
        block: Millis::new(shape.block_ms),
        term_blocks: shape.term_blocks,
        started: Millis::new(kept.started),
        latency: shape.latency.clone(),
        same_validators: false,
        accounts: vec![(dev_address(), DEV_BALANCE)],
        witnesses: vec![],
    };
    let dealt = deal_network(&seed, &plan);
    home::trust(&dealt.anchor)?;
    let parts = dealt.chains.into_iter();
    let parts = parts.map(|dealt| Part { new_network: kept.new, ..Part::from(dealt) }).collect();
    let (anchor, net, listen) = (dealt.anchor, Net::InProcess(shape.latency.clone()), shape.listen);
    node::run(&held, |context| async move {
        // Before anything else, so that a port in use costs no start.
        let listener = bind(listen).await?;
        let running = node::start(context, folder, anchor, parts, net, vec![]).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let serving = tokio::spawn(node::serve(listener, running.node.clone()));
        let result = match tokio::time::timeout(READY_TIMEOUT, ready(&running.node)).await {
            Ok(()) => main(Ready { node: running.node.clone(), url }).await,
            Err(_) => Err(anyhow::anyhow!(
                "the mesh had no final block on every chain after a minute\nhint: is this machine very busy? try fewer --validators"
            )),
        };
        serving.abort();
        running.stop();
        result
    })
}

/// A folder that goes with the mesh: in memory where the machine offers that, for 32 validators sync
/// their files several times a second. A mesh writes about 160 MB an hour and keeps three hours.
fn passing_folder() -> Result<tempfile::TempDir> {
    let make = || tempfile::Builder::new().prefix("meshx-").to_owned();
    if let Ok(folder) = make().tempdir_in("/dev/shm") {
        return Ok(folder);
    }
    make().tempdir().context("cannot make a temporary folder\nhint: set TMPDIR to a folder you may write to, or use --data")
}

pub async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}\nhint: is another node running there? choose another address with --listen")
    })
}

pub async fn ready(node: &Node) {
    while !node.ready() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
