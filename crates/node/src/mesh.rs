//! A whole mesh in this process: for `meshx up`, and for a `run` that has no network to go to.

pub use edge::now;
pub use network::Latency;

use crate::{
    BadFolder, Folder, Net, Node, NotStarted, Part,
    edges::{Edges, NotServed},
    local::{Plan, deal_network, gateway_key},
    run, serve, start,
};
use client::{home, wallet};
use edge::{Meeting, News, NotMet, Say};
use overlay::Role;
use serde::{Deserialize, Serialize};
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;
use tokio::net::TcpListener;
use types::{Address, ChainId, Float, Millis, NanoMeshx, state::Params};

/// What the development wallet starts with on every chain of a dealt network.
pub const DEVELOPMENT_BALANCE: NanoMeshx = NanoMeshx::new(1_000_000_000_000_000);

/// Blocks of a committee's term unless something else is asked for: five minutes of a busy chain. Every validator keeps a
/// term of blocks and a half, so that a longer one costs space on the disk.
pub const TERM_BLOCKS: u64 = 600;

/// Milliseconds between blocks of a mesh that nobody uses, unless something else is asked for.
pub const REST_MS: u64 = 3_000;

/// How long a mesh may take until every chain has a final block.
const READY_TIMEOUT: Duration = Duration::from_secs(60);

/// What a mesh is made of.
pub struct Shape {
    /// Validators of each chain, 1 to 100; all run in this process.
    pub validators: usize,
    /// Workers of each shard.
    pub workers: usize,
    /// How long messages between validators are held back, as if they stood elsewhere.
    pub latency: Latency,
    /// The time between blocks that leaders aim at, in milliseconds.
    pub block_ms: u64,
    /// Blocks of a committee's term.
    pub term_blocks: u64,
    /// Milliseconds between blocks while nobody waits for one; at most 5,000.
    pub rest_ms: u64,
    /// Where the API listens; with port 0, on any free port.
    pub listen: SocketAddr,
    /// Where edges join; with port 0, at any free port. `None`: it takes none.
    pub edges: Option<SocketAddr>,
    /// `None`: a folder that goes when the mesh does.
    pub data: Option<PathBuf>,
    /// Whether it ends with one command, so that it is no network to come back to.
    pub passing: bool,
    /// Hears while the mesh starts how many chains have a final block, and of how many.
    pub starting: fn(usize, usize),
}

impl Shape {
    /// Four validators and four workers, on any free port of this machine, in a folder that goes with it.
    pub fn ephemeral(latency: Latency) -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            validators: 4,
            workers: 4,
            latency,
            block_ms: 500,
            term_blocks: TERM_BLOCKS,
            rest_ms: REST_MS,
            listen,
            edges: None,
            data: None,
            passing: true,
            starting: |_, _| (),
        }
    }
}

/// Where everyone's money is on a network of development keys.
pub fn development_address() -> Address {
    wallet::address(&wallet::paying(&wallet::development()))
}

/// The rules of a network of this program, before governance has changed any.
pub fn usual_params() -> Params {
    let profile = sandbox::profile;
    chain::local_params(profile(Float::Strict), profile(Float::ArchClass), 500)
}

/// Why a mesh does not run here.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NoMesh {
    #[error("{} is not a mesh file\nhint: choose another --data folder", path.display())]
    NotAMesh { path: PathBuf, source: serde_json::Error },
    #[error("{} is damaged: it does not match its own checksum\nhint: bring it back from a copy; it holds the keys of the mesh", .0.display())]
    Damaged(PathBuf),
    #[error("{} has version {version}, but this program reads version {KEPT_VERSION}\nhint: use the version that wrote it", path.display())]
    Version { path: PathBuf, version: u32 },
    #[error("{} was started with {kept}\nhint: use the same options, or another --data folder", folder.display())]
    Shape { folder: PathBuf, kept: String },
    #[error("cannot read {}\nhint: bring it back from a copy; it holds the keys of the mesh", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("mesh.json is missing in {}, where there are chains\nhint: bring it back from a copy, for it holds the keys of the mesh; or choose another --data folder", .0.display())]
    Missing(PathBuf),
    #[error("mesh.json holds no seed")]
    NoSeed,
    #[error(
        "cannot make a temporary folder\nhint: set TMPDIR to a folder you may write to, or use --data"
    )]
    NoTemporary(#[source] std::io::Error),
    #[error(
        "cannot listen on {address}\nhint: stop the node that listens there, or choose another address with --listen"
    )]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error(
        "{} is no address of this machine\nhint: name one with --listen, such as 127.0.0.1:8700", .0.ip()
    )]
    NoAddress(SocketAddr),
    #[error(
        "the mesh had no final block on every chain after a minute\nhint: this machine may be too busy; try fewer --validators"
    )]
    Slow,
    #[error(transparent)]
    NoRandomness(#[from] wallet::NoRandomness),
    #[error(transparent)]
    NotWritten(#[from] client::NotWritten),
    #[error(transparent)]
    NotKept(#[from] home::NotKept),
    #[error(transparent)]
    Folder(#[from] BadFolder),
    #[error(transparent)]
    NotStarted(#[from] NotStarted),
    #[error(transparent)]
    NotMet(#[from] NotMet),
    #[error(
        "edges cannot join\nhint: choose another address for them with --edges, or take none with --no-edges"
    )]
    NotServed(#[from] NotServed),
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
    /// Made just now, or by a process that ended before every chain had a block: none of its validators that has no disk
    /// has voted.
    #[serde(skip)]
    new: bool,
}

const KEPT_VERSION: u32 = 3;

/// A file beside mesh.json from when it is made until every chain has a final block.
const STARTING: &str = "mesh.starting";

impl Kept {
    fn checksum(&self) -> String {
        let Self { version, seed, started, validators, workers, block_ms, term_blocks, .. } = self;
        let text =
            format!("{version} {seed} {started} {validators} {workers} {block_ms} {term_blocks}");
        types::domain_hash("meshx/mesh-file/v1", &[text.as_bytes()]).to_string()
    }

    fn of(seed: [u8; 32], shape: &Shape) -> Self {
        let mut kept = Self {
            version: KEPT_VERSION,
            seed: hex::encode(seed),
            started: now().get(),
            validators: shape.validators,
            workers: shape.workers,
            block_ms: shape.block_ms,
            term_blocks: shape.term_blocks,
            check: String::new(),
            new: true,
        };
        kept.check = kept.checksum();
        kept
    }

    /// Read what `folder` was started with, or start it now.
    fn open(folder: &Path, shape: &Shape) -> Result<Self, NoMesh> {
        let path = folder.join("mesh.json");
        match fs::read_to_string(&path) {
            Ok(text) => Self::read(folder, path, &text, shape),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if fs::read_dir(folder.join("chains")).is_ok_and(|mut all| all.next().is_some()) {
                    return Err(NoMesh::Missing(folder.to_owned()));
                }
                client::write_whole(&folder.join(STARTING), b"", false)?;
                let kept = Self::of(wallet::random()?, shape);
                let text = serde_json::to_string_pretty(&kept).expect("plain data is JSON");
                client::write_whole(&path, text.as_bytes(), true)?;
                Ok(kept)
            }
            Err(source) => Err(NoMesh::Unreadable { path, source }),
        }
    }

    /// What stands in the file, if it is whole and of this shape.
    fn read(folder: &Path, path: PathBuf, text: &str, shape: &Shape) -> Result<Self, NoMesh> {
        let mut kept: Self = match serde_json::from_str(text) {
            Ok(kept) => kept,
            Err(source) => return Err(NoMesh::NotAMesh { path, source }),
        };
        let version = kept.version;
        // Before the checksum: what that covers is another thing in another version.
        if version != KEPT_VERSION {
            return Err(NoMesh::Version { path, version });
        }
        if kept.check != kept.checksum() {
            return Err(NoMesh::Damaged(path));
        }
        let Self { validators, workers, block_ms, term_blocks, .. } = kept;
        let asked = (shape.validators, shape.workers, shape.block_ms, shape.term_blocks);
        if (validators, workers, block_ms, term_blocks) != asked {
            let kept = format!(
                "--validators {validators} --workers {workers} --block-ms {block_ms} --term-blocks {term_blocks}"
            );
            return Err(NoMesh::Shape { folder: folder.to_owned(), kept });
        }
        kept.new = folder.join(STARTING).exists();
        Ok(kept)
    }
}

/// A mesh that is ready: its node, and where its API listens.
pub struct Ready {
    /// The node that runs all of it.
    pub node: Node,
    /// The base URL of its API.
    pub url: String,
}

/// Start a mesh, wait until every chain has a final block, run `main`, and take the mesh down.
///
/// # Errors
/// [`NoMesh`] if it does not start, or what `main` fails with.
pub fn with_mesh<T, E, F>(shape: &Shape, main: impl FnOnce(Ready) -> F + Send) -> Result<T, E>
where
    T: Send,
    E: From<NoMesh> + Send,
    F: Future<Output = Result<T, E>>,
{
    let temporary = match &shape.data {
        Some(_) => None,
        None => Some(passing_folder()?),
    };
    let passing = temporary.as_ref().map(|passing| passing.state.path().to_owned());
    let folder = shape.data.clone().or(passing).expect("one of both is there");
    let held = Folder::open(&folder, "--data").map_err(NoMesh::from)?;
    let kept = Kept::open(&folder, shape)?;
    let seed = hex::decode(&kept.seed).ok().and_then(|seed| seed.try_into().ok());
    let seed = seed.ok_or(NoMesh::NoSeed)?;
    let dealt = deal_network(&seed, &plan(&kept, shape));
    if shape.passing {
        // A machine that keeps nothing can run a job all the same.
        let _ = home::remember_passing(&dealt.network_keys.network());
    } else {
        home::trust(&dealt.network_keys).map_err(NoMesh::from)?;
    }
    let parts = dealt.chains.into_iter();
    // Only while the seed is new has none of these validators voted yet. With an old one an empty disk means a lost
    // disk.
    let rest = Some(Millis::new(shape.rest_ms));
    let part = |dealt| Part { new_network: kept.new, rest, mesh: true, ..Part::from(dealt) };
    let parts = parts.map(part).collect();
    let (network_keys, net, listen) =
        (dealt.network_keys, Net::InProcess(shape.latency.clone()), shape.listen);
    let gateway = shape.edges.map(|at| Gateway::new(&seed, &folder, network_keys.network(), at));
    let gateway = gateway.transpose()?;
    let starting = folder.join(STARTING);
    run(&held, |context| async move {
        // Before anything else, so that a port in use costs no start.
        let listener = bind(listen).await?;
        let address = listener.local_addr().map_err(|source| not_bound(listen, source))?;
        let running =
            start(context, folder, network_keys, parts, net, vec![]).await.map_err(NoMesh::from)?;
        let serving = tokio::spawn(serve(listener, running.node.clone()));
        let edges = match gateway {
            Some(gateway) => Some(gateway.open(&running.node, address).await?),
            None => None,
        };
        let ready = ready_telling(&running.node, shape.starting);
        let result = match tokio::time::timeout(READY_TIMEOUT, ready).await {
            Ok(()) => {
                // Whether it can be removed or not, the chains run.
                let _ = fs::remove_file(starting);
                main(Ready { node: running.node.clone(), url: format!("http://{address}") }).await
            }
            Err(_) => Err(NoMesh::Slow.into()),
        };
        if let Some(edges) = edges {
            edges.close().await;
        }
        serving.abort();
        running.stop();
        result
    })
}

/// How edges join a mesh: as they would at any node that holds chains.
struct Gateway {
    meeting: Meeting,
    config: overlay::Config,
}

impl Gateway {
    fn new(
        seed: &[u8; 32],
        folder: &Path,
        network: types::Hash,
        at: SocketAddr,
    ) -> Result<Self, NoMesh> {
        let meeting = Meeting {
            dir: folder.to_owned(),
            network,
            chain: ChainId::Europe,
            serves: ChainId::ALL.to_vec(),
            roles: Some([Role::Aggregator, Role::Relay].into_iter().collect()),
            listen: vec![edge::multiaddr(at)],
            announce: vec![],
            join: vec![],
            bootstrap: None,
            place: None,
            asn_table: None,
            mdns: false,
            map_port: false,
            tor: None,
            turn: None,
            accept_classic: false,
        };
        let config = meeting.config(gateway_key(seed))?;
        Ok(Self { meeting, config })
    }

    async fn open(self, node: &Node, api: SocketAddr) -> Result<Edges, NoMesh> {
        let say: Say = Arc::new(|news| {
            if let News::Trouble(what) = news {
                eprintln!("{what}");
            }
        });
        Ok(Edges::serve(node, &self.meeting, self.config, (api, None), &say).await?)
    }
}

fn plan(kept: &Kept, shape: &Shape) -> Plan {
    Plan {
        name: "local".into(),
        chains: ChainId::ALL.to_vec(),
        validators: shape.validators,
        workers: shape.workers,
        capacity: 16,
        block: Millis::new(shape.block_ms),
        term_blocks: shape.term_blocks,
        started: Millis::new(kept.started),
        latency: shape.latency.clone(),
        faucets: 1,
        same_validators: false,
        accounts: vec![(development_address(), DEVELOPMENT_BALANCE)],
        witnesses: vec![],
    }
}

/// What goes with the mesh when it is dropped.
struct Passing {
    /// In memory where the machine offers that, for 32 validators sync their files several times a second.
    state: TempDir,
    /// What jobs read and write: on a disk, since many jobs may have more of it than the machine has memory.
    _files: (Folder, TempDir),
}

fn passing_folder() -> Result<Passing, NoMesh> {
    let make = |place: &Path| {
        forget_dead(place);
        tempfile::Builder::new().prefix(PASSING_PREFIX).tempdir_in(place)
    };
    let usual = std::env::temp_dir();
    let files = make(&usual).map_err(NoMesh::NoTemporary)?;
    let state = make(Path::new("/dev/shm")).or_else(|_| make(&usual));
    let state = state.map_err(NoMesh::NoTemporary)?;
    let held = Folder::open(files.path(), "TMPDIR").map_err(NoMesh::from)?;
    let blobs = files.path().join("blobs");
    let linked = fs::create_dir(&blobs)
        .and_then(|()| std::os::unix::fs::symlink(&blobs, state.path().join("blobs")));
    linked.map_err(NoMesh::NoTemporary)?;
    *PASSING.lock().expect("no panic while locked") =
        vec![state.path().to_owned(), files.path().to_owned()];
    Ok(Passing { state, _files: (held, files) })
}

/// What the name of a passing mesh's folder begins with.
const PASSING_PREFIX: &str = "meshx-mesh-";

/// Remove what passing meshes left in `place` that were killed: nobody holds the lock of their folder any more.
fn forget_dead(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().filter_map(Result::ok) {
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PASSING_PREFIX));
        // What belongs to another user can be neither locked nor removed.
        if ours && Folder::is_abandoned(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Where this process' passing mesh has its files.
static PASSING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Remove the folders of this process' passing mesh: for a process that ends without taking its mesh down.
pub fn remove_passing_folder() {
    for folder in PASSING.lock().expect("no panic while locked").drain(..) {
        // What cannot be removed goes with the machine's next start.
        let _ = fs::remove_dir_all(folder);
    }
}

/// Listen on `address`.
///
/// # Errors
/// [`NoMesh::Listen`], for instance because another node listens there.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, NoMesh> {
    TcpListener::bind(address).await.map_err(|source| not_bound(address, source))
}

fn not_bound(address: SocketAddr, source: std::io::Error) -> NoMesh {
    match source.kind() {
        std::io::ErrorKind::AddrNotAvailable => NoMesh::NoAddress(address),
        _ => NoMesh::Listen { address, source },
    }
}

/// Wait until every chain of `node` has a final block.
pub async fn ready(node: &Node) {
    ready_telling(node, |_, _| ()).await;
}

async fn ready_telling(node: &Node, tell: fn(usize, usize)) {
    while !node.ready() {
        let ready = node.hosts.values().filter(|host| host.is_ready()).count();
        tell(ready, node.hosts.len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(workers: usize) -> Shape {
        Shape { workers, ..Shape::ephemeral(Latency::none()) }
    }

    #[test]
    fn a_kept_mesh_comes_back_whole_and_in_its_own_shape_only() {
        let dir = tempfile::tempdir().unwrap();
        let made = Kept::open(dir.path(), &shape(4)).unwrap();
        let kept = Kept::open(dir.path(), &shape(4)).unwrap();
        assert_eq!((kept.seed, made.new, kept.new), (made.seed, true, true));
        // Every chain has had a block.
        fs::remove_file(dir.path().join(STARTING)).unwrap();
        assert!(!Kept::open(dir.path(), &shape(4)).unwrap().new);
        let other = Kept::open(dir.path(), &shape(5)).err().unwrap();
        assert!(other.to_string().contains("--workers 4"), "{other}");
        let path = dir.path().join("mesh.json");
        let text = fs::read_to_string(&path).unwrap();
        let change = |from: &str, to: &str| {
            fs::write(&path, text.replace(from, to)).unwrap();
            Kept::open(dir.path(), &shape(4)).err().unwrap()
        };
        assert!(matches!(change("\"started\": 1", "\"started\": 2"), NoMesh::Damaged(_)));
        assert!(matches!(change("\"version\": 3", "\"version\": 2"), NoMesh::Version { .. }));
        assert!(matches!(change("{", "["), NoMesh::NotAMesh { .. }));
        fs::remove_file(&path).unwrap();
        fs::create_dir_all(dir.path().join("chains/eu-0")).unwrap();
        let missing = Kept::open(dir.path(), &shape(4)).err().unwrap();
        assert!(matches!(missing, NoMesh::Missing(_)), "{missing}");
    }
}
