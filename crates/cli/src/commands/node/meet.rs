//! How a node meets others: its identity, its roles, and what it says of itself.

use super::{registry, watch};
use crate::{
    args::{NodeBootstrap, NodeStart, OverlayArgs, RoleArg},
    home,
};
use anyhow::{Context as _, Result};
use crypto::SigningKey;
use network::ik::Suites;
use node::{NodeFiles, NodeSecrets};
use overlay::{
    ANCHORS_MAX, AsnTable, BOOTSTRAP_BYTES_MAX, BootstrapList, Config, Multiaddr, Overlay,
    PeerAddress, Role, Roles,
};
use std::{
    io::Read as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use types::{ChainId, Hash, Height, Millis};

const ANCHORS: &str = "anchors";
/// Nodes of a signed list that are dialled.
const LISTED_MAX: usize = 8;
/// How often the file that `meshx peers` reads is written.
const STATUS_EVERY: Duration = Duration::from_secs(2);

pub struct Meeting {
    pub config: Config,
}

impl Meeting {
    /// A node with keys: it serves edges and carries connections, unless told otherwise.
    pub fn of_node(args: &NodeStart, files: &NodeFiles, secrets: &NodeSecrets) -> Result<Self> {
        let network = secrets.anchor.network();
        let chains = || secrets.genesis.iter().map(|genesis| genesis.chain);
        let votes = || secrets.shares.iter().map(|(chain, _)| *chain);
        let roles: Roles = match &args.roles[..] {
            [] => [
                Some(Role::Aggregator),
                Some(Role::Relay),
                votes().any(|chain| chain == ChainId::Backbone).then_some(Role::Backbone),
                votes().any(|chain| chain != ChainId::Backbone).then_some(Role::Validator),
            ]
            .into_iter()
            .flatten()
            .collect(),
            named => named.iter().map(|role| role_of(*role)).collect(),
        };
        let chain = chains().find(|chain| *chain != ChainId::Backbone);
        let listen = match files.overlay {
            Some(address) if args.overlay.listen.is_empty() => vec![multiaddr(address)],
            _ => args.overlay.listen.clone(),
        };
        let key = SigningKey::from_seed(&secrets.node_key);
        let config = configured(&args.overlay, key, network, listen, first_of(args, network)?)?;
        Ok(Self { config: Config { roles, chain: chain.unwrap_or(ChainId::Backbone), ..config } })
    }

    /// A node without a chain: a worker unless roles are named.
    pub fn of_chainless(
        args: &NodeStart,
        key: SigningKey,
        network: Hash,
        chain: ChainId,
    ) -> Result<Self> {
        let listen = args.overlay.listen.clone();
        let config = configured(&args.overlay, key, network, listen, first_of(args, network)?)?;
        let roles = match &args.roles[..] {
            [] => config.roles,
            named => named.iter().map(|role| role_of(*role)).collect(),
        };
        Ok(Self { config: Config { roles, chain, ..config } })
    }
}

fn configured(
    args: &OverlayArgs,
    key: SigningKey,
    network: Hash,
    listen: Vec<Multiaddr>,
    bootstrap: Vec<PeerAddress>,
) -> Result<Config> {
    // What a node listens on by name, others reach: a relay has nobody to ask whether that is so.
    let announce = match &args.announce[..] {
        [] => listen.iter().filter(|address| is_certain(address)).cloned().collect(),
        named => named.to_vec(),
    };
    let asns = match &args.asn_table {
        Some(path) => asns(path).with_context(|| format!("cannot use {}", path.display()))?,
        None => AsnTable::default(),
    };
    Ok(Config {
        announce,
        bootstrap,
        asns,
        cell: args.place,
        suites: if args.accept_classic { Suites::AcceptClassic } else { Suites::HybridOnly },
        mdns: args.mdns,
        map_port: !args.no_port_mapping,
        tor: args.tor.used(),
        turn: args.turn.turn.clone(),
        ..Config::new(key, network, listen)
    })
}

/// Longest table of providers that is read: the internet's takes about 30 MB.
const ASN_BYTES_MAX: u64 = 128 << 20;

fn asns(path: &Path) -> Result<AsnTable> {
    let mut text = String::new();
    std::io::Read::take(std::fs::File::open(path)?, ASN_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text.parse()?)
}

/// Whether an address names one place: an IP address that is not "any", and a port that is not "some".
fn is_certain(address: &Multiaddr) -> bool {
    let text = address.to_string();
    !(text.contains("/0.0.0.0/") || text.contains("/ip6/::/") || text.ends_with("/tcp/0"))
}

fn multiaddr(address: SocketAddr) -> Multiaddr {
    let kind = if address.is_ipv4() { "ip4" } else { "ip6" };
    format!("/{kind}/{}/tcp/{}", address.ip(), address.port())
        .parse()
        .expect("an address of the system is an address")
}

const fn role_of(role: RoleArg) -> Role {
    match role {
        RoleArg::Edge => Role::Edge,
        RoleArg::Aggregator => Role::Aggregator,
        RoleArg::Validator => Role::Validator,
        RoleArg::Backbone => Role::Backbone,
        RoleArg::Relay => Role::Relay,
    }
}

/// Say how edges come here.
pub async fn tell(overlay: &Overlay, network: Hash) -> Result<()> {
    for address in overlay.listening().await? {
        println!(
            "join      meshx node start --role edge --dir DIR --network {network} --join {address}"
        );
    }
    Ok(())
}

/// Say how edges come here through Tor, once they can.
pub async fn tell_onion(overlay: &Overlay, network: Hash) {
    while let Ok(status) = overlay.status().await {
        if let Some(onion) = status.onion {
            let id = overlay.id();
            println!(
                "join      meshx node start --role edge --tor --dir DIR --network {network} --join {onion}/p2p/{id}"
            );
            return;
        }
        tokio::time::sleep(STATUS_EVERY).await;
    }
}

/// Serve the API to edges, and keep the file of peers.
pub async fn serve_edges(
    overlay: Overlay,
    dir: PathBuf,
    api: SocketAddr,
    metrics: Option<SocketAddr>,
) {
    let serving = overlay::serve_api(&overlay, api);
    tokio::select! {
        result = serving => {
            if let Err(error) = result {
                eprintln!("edges are not served: {error}");
            }
        }
        () = keep_status(&overlay, &dir, metrics, || None) => {}
    }
}

/// Serve metrics, if that is asked for; where.
pub async fn watch(overlay: &Overlay, at: Option<SocketAddr>) -> Result<Option<SocketAddr>> {
    let Some(at) = at else { return Ok(None) };
    let listener = watch::bind(at).await?;
    let at = listener.local_addr()?;
    println!("metrics   http://{at}/metrics");
    tokio::spawn(watch::serve(overlay.clone(), listener));
    Ok(Some(at))
}

/// Keep `DIR/peers.json` as it is, for `meshx peers`.
///
/// `newest`: the newest block known to be final, for a node that holds no chain.
pub async fn keep_status(
    overlay: &Overlay,
    dir: &Path,
    metrics: Option<SocketAddr>,
    newest: impl Fn() -> Option<Height>,
) {
    let path = dir.join("peers.json");
    let mut kept = Vec::new();
    while let Ok(status) = overlay.status().await {
        kept = keep_anchors(dir, kept, status.anchors());
        let mut value = serde_json::to_value(&status).expect("plain data is JSON");
        value["metrics"] = metrics.map(|address| address.to_string()).into();
        value["newest"] = newest().map(Height::get).into();
        if let Err(error) = home::write_whole(&path, value.to_string().as_bytes(), false) {
            eprintln!("{error:#}");
        }
        tokio::time::sleep(STATUS_EVERY).await;
    }
}

/// Keep in `DIR/anchors` whom to begin with after a restart: those who cut a node off from all others and end it must not be
/// whom it meets first again.
fn keep_anchors(dir: &Path, kept: Vec<PeerAddress>, now: Vec<PeerAddress>) -> Vec<PeerAddress> {
    if now.is_empty() || now == kept {
        return kept;
    }
    let text: String = now.iter().map(|address| format!("{address}\n")).collect();
    match home::write_whole(&dir.join(ANCHORS), text.as_bytes(), false) {
        Ok(()) => now,
        Err(error) => {
            eprintln!("{error:#}");
            kept
        }
    }
}

/// Whom a node of `dir` was connected to when it ran last. A file that cannot be read is none.
pub fn anchors(dir: &Path) -> Vec<PeerAddress> {
    let text = std::fs::read_to_string(dir.join(ANCHORS)).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).take(ANCHORS_MAX).collect()
}

/// Whom to begin with: those named, those of a signed list, and those known before.
pub fn first_of(args: &NodeStart, network: Hash) -> Result<Vec<PeerAddress>> {
    let mut first = args.overlay.join.clone();
    if let (Some(path), Some(key)) = (&args.overlay.bootstrap, args.overlay.bootstrap_key) {
        let mut listed = listed(path, network, &key.0)?;
        // Not everybody begins with the first of the list.
        let start = usize::from(crate::local::random_seed()?[0]) % listed.len().max(1);
        listed.rotate_left(start);
        first.extend(listed.into_iter().take(LISTED_MAX));
    }
    first.extend(anchors(&args.dir));
    first.extend(registry::kept(&args.dir, usize::from(crate::local::random_seed()?[0])));
    let mut seen = std::collections::BTreeSet::new();
    first.retain(|address| seen.insert(address.to_string()));
    Ok(first)
}

fn listed(path: &Path, network: Hash, key: &[u8; 32]) -> Result<Vec<PeerAddress>> {
    let file =
        std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut text = String::new();
    let most = u64::try_from(BOOTSTRAP_BYTES_MAX).unwrap_or(u64::MAX) + 1;
    std::io::Read::read_to_string(&mut std::io::Read::take(file, most), &mut text)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let list = BootstrapList::open(&text, network, key, now())
        .with_context(|| format!("{} does not count", path.display()))?;
    Ok(list.peers().to_vec())
}

/// Sign a list of nodes to begin with.
pub fn sign_bootstrap(args: &NodeBootstrap) -> Result<()> {
    std::fs::create_dir_all(&args.dir)?;
    let key = identity(&args.dir)?;
    let list = BootstrapList::new(args.network, now(), args.peers.clone())?;
    print!("{}", list.sign(&key));
    eprintln!(
        "signed by {}\nothers begin with it by --bootstrap FILE --bootstrap-key {0}",
        hex::encode(key.public())
    );
    Ok(())
}

fn now() -> Millis {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    Millis::new(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Which network a node without a chain joins, and by whom.
pub fn network_of(args: &NodeStart) -> Result<Hash> {
    let network = args.edge.network.context(
        "which network?\nhint: --network ID and --join ADDRESS; a node of the network prints both when it starts",
    )?;
    Ok(network)
}

/// The identity of a node without keys: made on the first start, kept in `DIR/identity`.
pub fn identity(dir: &Path) -> Result<SigningKey> {
    let path = dir.join("identity");
    let seed = match std::fs::read_to_string(&path) {
        Ok(text) => hex::decode(text.trim())
            .ok()
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .with_context(|| {
                format!("{} holds no identity\nhint: move it away to get a new one", path.display())
            })?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let seed = crate::local::random_seed()?;
            home::write_whole(&path, hex::encode(seed).as_bytes(), true)?;
            seed
        }
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read {}", path.display()));
        }
    };
    Ok(SigningKey::from_seed(&seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_outlive_the_process_and_a_moment_alone() {
        let dir = tempfile::tempdir().unwrap();
        assert!(anchors(dir.path()).is_empty());
        let peer = overlay::peer_id(&SigningKey::from_seed(&[7; 32]).public()).unwrap();
        let at = |host: u8| format!("/ip4/192.0.{host}.1/tcp/8800/p2p/{peer}").parse().unwrap();
        let kept = keep_anchors(dir.path(), Vec::new(), vec![at(1), at(2)]);
        assert_eq!(anchors(dir.path()), kept);
        // Whoever has lost everybody needs them most.
        assert_eq!(keep_anchors(dir.path(), kept.clone(), Vec::new()), kept);
        assert_eq!(anchors(dir.path()), kept);
        let damaged = format!("{}\nnonsense\n/ip4/192.0.2.1/tcp/1\n", kept[0]);
        std::fs::write(dir.path().join(ANCHORS), damaged).unwrap();
        assert_eq!(anchors(dir.path()), kept[..1]);
    }
}
