//! A network in a folder: one file everyone shares, and one per node with its secrets.

use crate::local::{Dealt, Plan, deal_network, follower_secret};
use crypto::SigningKey;
use network::{private_key, public_key};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};
use types::{
    ChainId, Hash, PublicKey,
    codec::{DecodeExt, Encode},
    network::{Genesis, NetworkKeys},
};

/// A node's folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum BadFile {
    #[error("cannot read {path}: {source}")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("cannot write {path}: {source}; choose a folder you may write to")]
    Unwritable { path: PathBuf, source: io::Error },
    #[error("{path} is not a node file: {what}")]
    Malformed { path: PathBuf, what: String },
    #[error("{path} exists already; choose an empty folder")]
    Exists { path: PathBuf },
}

/// Everything one node of a dealt network needs, as written by `meshx node init`.
#[derive(Serialize, Deserialize)]
pub struct NodeFiles {
    /// What people call the network.
    pub name: String,
    /// Hex of the bytes of the network keys. The file keeps the name it has always had.
    #[serde(rename = "anchor")]
    network_keys: String,
    /// Hex of each chain's genesis.
    genesis: Vec<String>,
    /// This node's place among the validators' addresses.
    pub index: usize,
    /// Secret: the node's identity.
    node_key: String,
    /// Secret: threshold share per chain; none for a chain that this node follows without voting.
    shares: Vec<(ChainId, String)>,
    /// Secret: the keys of its workers.
    workers: Vec<(ChainId, String, String)>,
    /// Secret: the key of its faucet on each chain.
    #[serde(default)]
    faucets: Vec<(ChainId, String)>,
    /// Node key and peer-to-peer address of every node.
    peers: Vec<(PublicKey, SocketAddr)>,
    /// Where the other validators connect to.
    pub p2p: SocketAddr,
    /// Where the API listens.
    pub api: SocketAddr,
    /// Where edges find this node.
    #[serde(default)]
    pub overlay: Option<SocketAddr>,
    /// Where the other nodes' overlays are, with the id of each: an edge of one learns of the others there.
    #[serde(default)]
    pub overlay_peers: Vec<String>,
    /// Where the other nodes' blobs can be asked for.
    pub blob_peers: Vec<String>,
}

/// What a node file says, read and checked.
pub struct NodeSecrets {
    /// The network keys, which all nodes of the network share.
    pub network_keys: NetworkKeys,
    /// What each chain of the network starts from.
    pub genesis: Vec<Genesis>,
    /// Secret: the seed of the key that the node is known by and votes with.
    pub node_key: [u8; 32],
    /// Secret: the node's encoded threshold share of each chain that it votes on.
    pub shares: Vec<(ChainId, Vec<u8>)>,
    /// Secret: chain, key seed and place of each worker that runs here.
    pub workers: Vec<(ChainId, [u8; 32], String)>,
    /// Secret: the seed of the key of its faucet on each chain.
    pub faucets: Vec<(ChainId, [u8; 32])>,
    /// Key and peer-to-peer address of every node, this one among them.
    pub peers: Vec<(PublicKey, SocketAddr)>,
}

impl NodeSecrets {
    /// The key that the node votes with.
    #[must_use]
    pub fn signing_key(&self) -> crypto::SigningKey {
        network::signing_key(&private_key(&self.node_key))
    }
}

/// Where the processes of a dealt network are to run.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Processes that follow all chains and vote on none, after those that vote.
    pub followers: usize,
    /// The address of each process, in order; those beyond the last are on this machine.
    pub hosts: Vec<IpAddr>,
    /// The first of three ports per process: peers and API of each, then one of each for edges.
    pub base_port: u16,
}

impl Layout {
    fn address(&self, node: usize, port: usize) -> SocketAddr {
        let host = self.hosts.get(node).copied().unwrap_or(Ipv4Addr::LOCALHOST.into());
        let port = u16::try_from(port).ok().and_then(|port| self.base_port.checked_add(port));
        SocketAddr::new(host, port.unwrap_or(u16::MAX))
    }

    fn peers(&self, node: usize) -> SocketAddr {
        self.address(node, 2 * node)
    }

    fn api(&self, node: usize) -> SocketAddr {
        self.address(node, 2 * node + 1)
    }
}

/// Write the folders `node-0` … under `folder`, one for each process. The first run one validator of every chain
/// each and share the workers; the others follow.
///
/// # Errors
/// [`BadFile`].
pub fn write_network(
    folder: &Path,
    seed: &[u8; 32],
    plan: &Plan,
    layout: &Layout,
) -> Result<NetworkKeys, BadFile> {
    let (voters, nodes) = (plan.validators, plan.validators + layout.followers);
    let dealt: Dealt = deal_network(seed, &Plan { same_validators: true, ..plan.clone() });
    let first = &dealt.chains[0];
    let secrets: Vec<[u8; 32]> = (first.validators.iter().map(|validator| validator.secret))
        .chain((0..layout.followers).map(|index| follower_secret(seed, index)))
        .collect();
    let peers: Vec<(PublicKey, SocketAddr)> = secrets
        .iter()
        .enumerate()
        .map(|(index, secret)| (public_key(&private_key(secret)), layout.peers(index)))
        .collect();
    for (index, secret) in secrets.iter().enumerate() {
        let node = folder.join(format!("node-{index}"));
        fs::create_dir_all(&node)
            .map_err(|source| BadFile::Unwritable { path: node.clone(), source })?;
        let workers = dealt.chains.iter().flat_map(|chain| {
            let mine = chain.workers.iter().enumerate().filter(move |(i, _)| i % voters == index);
            mine.map(|(_, worker)| {
                (
                    chain.genesis.chain,
                    hex::encode(worker.key.seed().as_slice()),
                    worker.place.city.clone(),
                )
            })
        });
        let files = NodeFiles {
            name: plan.name.clone(),
            network_keys: hex::encode(dealt.network_keys.encode()),
            genesis: dealt.chains.iter().map(|chain| hex::encode(chain.genesis.encode())).collect(),
            index,
            node_key: hex::encode(secret),
            shares: dealt
                .chains
                .iter()
                .filter_map(|chain| {
                    Some((chain.genesis.chain, hex::encode(&chain.validators.get(index)?.share)))
                })
                .collect(),
            workers: workers.collect(),
            faucets: dealt
                .chains
                .iter()
                .filter_map(|chain| {
                    let seed = chain.faucets.get(index)?.seed();
                    Some((chain.genesis.chain, hex::encode(seed.as_slice())))
                })
                .collect(),
            peers: peers.clone(),
            p2p: layout.peers(index),
            api: layout.api(index),
            overlay: Some(layout.address(index, 2 * nodes + index)),
            overlay_peers: (0..nodes)
                .filter(|other| *other != index)
                .map(|other| {
                    overlay_address(&secrets[other], layout.address(other, 2 * nodes + other))
                })
                .collect(),
            blob_peers: (0..nodes)
                .filter(|i| *i != index)
                .map(|i| format!("http://{}", layout.api(i)))
                .collect(),
        };
        let path = node.join("node.json");
        if path.exists() {
            return Err(BadFile::Exists { path });
        }
        let text = serde_json::to_string_pretty(&files).expect("plain data is JSON");
        write_secret(&path, text.as_bytes())
            .map_err(|source| BadFile::Unwritable { path, source })?;
    }
    Ok(dealt.network_keys)
}

/// Where the overlay of the node with this secret is, and who answers there.
fn overlay_address(secret: &[u8; 32], at: SocketAddr) -> String {
    let id = overlay::peer_id(&SigningKey::from_seed(secret).public());
    format!("{}/p2p/{}", edge::multiaddr(at), id.expect("a key that was dealt is one of Ed25519"))
}

/// Write a file that only its owner may read.
fn write_secret(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use io::Write as _;
    let mut options = fs::OpenOptions::new();
    // Never over a file that is there: it may be the only copy of other keys.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Read the node file in `folder`.
///
/// # Errors
/// [`BadFile`] with the path and what is wrong.
pub fn read_node(folder: &Path) -> Result<(NodeFiles, NodeSecrets), BadFile> {
    let path = folder.join("node.json");
    let text = fs::read_to_string(&path)
        .map_err(|source| BadFile::Unreadable { path: path.clone(), source })?;
    let malformed = |what: String| BadFile::Malformed { path: path.clone(), what };
    let files: NodeFiles =
        serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
    let bytes = |text: &str| hex::decode(text).map_err(|error| malformed(error.to_string()));
    let key = |text: &str| -> Result<[u8; 32], BadFile> {
        bytes(text)?.try_into().map_err(|_| malformed("a key has 32 bytes".into()))
    };
    let network_keys = NetworkKeys::decode(bytes(&files.network_keys)?)
        .map_err(|error| malformed(format!("network keys: {error}")))?;
    let genesis: Vec<Genesis> = files
        .genesis
        .iter()
        .map(|text| {
            Genesis::decode(bytes(text)?).map_err(|error| malformed(format!("genesis: {error}")))
        })
        .collect::<Result<_, _>>()?;
    for genesis in &genesis {
        // With another genesis the node would start another chain under the keys of this one.
        let fits =
            network_keys.chain(genesis.chain).is_some_and(|known| known.genesis == genesis.id());
        if !fits || genesis.validators.is_empty() {
            return Err(malformed(format!(
                "the genesis of {} is not the one that the network keys name",
                genesis.chain
            )));
        }
    }
    let secrets = NodeSecrets {
        network_keys,
        genesis,
        node_key: key(&files.node_key)?,
        shares: files
            .shares
            .iter()
            .map(|(chain, share)| Ok((*chain, bytes(share)?)))
            .collect::<Result<_, BadFile>>()?,
        workers: files
            .workers
            .iter()
            .map(|(chain, secret, city)| Ok((*chain, key(secret)?, city.clone())))
            .collect::<Result<_, BadFile>>()?,
        faucets: files
            .faucets
            .iter()
            .map(|(chain, secret)| Ok((*chain, key(secret)?)))
            .collect::<Result<_, BadFile>>()?,
        peers: files.peers.clone(),
    };
    Ok((files, secrets))
}

/// The id of a network, for people.
pub fn short(network: &Hash) -> String {
    network.to_string().chars().take(12).collect()
}
