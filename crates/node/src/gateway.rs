//! `meshx node start`: a node with keys, in a process of its own, that serves edges of the overlay.

use crate::{
    BadFile, BadFolder, Folder, Net, NodeFiles, NodeSecrets, NotStarted, Part,
    edges::{Edges, NotServed},
    local::DealtWorker,
    run, serve, start,
};
use crypto::SigningKey;
use edge::{Meeting, News, NotMet, Say};
use network::{Latency, PrivateKey, private_key};
use overlay::{Role, Roles};
use std::{io, net::SocketAddr};
use tokio::net::TcpListener;
use types::{
    ChainId,
    network::{Genesis, NetworkKeys},
};

/// Why a node does not run, or has ended.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NoGateway {
    #[error(transparent)]
    BadFile(#[from] BadFile),
    #[error(transparent)]
    BadFolder(#[from] BadFolder),
    #[error(transparent)]
    NotKept(#[from] client::home::NotKept),
    #[error(transparent)]
    NotMet(#[from] NotMet),
    #[error(
        "cannot listen on {address}\nhint: stop what listens there, or write another port into node.json in the folder of --dir; all nodes of the network must know its new address"
    )]
    Listen { address: SocketAddr, source: io::Error },
    #[error(transparent)]
    NotStarted(#[from] NotStarted),
    #[error(transparent)]
    NotServed(#[from] NotServed),
    #[error("cannot listen for signals")]
    Signal(#[source] io::Error),
}

/// What is told while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Where the API listens, as the file of the node says.
    pub api: SocketAddr,
    /// The network id.
    pub network: types::Hash,
    /// Which of the network's processes this is, from 0.
    pub index: usize,
    /// Where the other validators connect to.
    pub p2p: SocketAddr,
}

/// What a node with these keys does, unless its operator names roles: all that its keys allow.
#[must_use]
pub fn usual_roles(secrets: &NodeSecrets) -> Roles {
    let votes = |backbone| {
        secrets.shares.iter().any(|(chain, _)| (*chain == ChainId::Backbone) == backbone)
    };
    let roles = [
        Some(Role::Aggregator),
        Some(Role::Relay),
        votes(true).then_some(Role::Backbone),
        votes(false).then_some(Role::Validator),
    ];
    roles.into_iter().flatten().collect()
}

/// The shard of a node that holds several chains.
#[must_use]
pub fn usual_chain(secrets: &NodeSecrets) -> ChainId {
    let mut chains = secrets.genesis.iter().map(|genesis| genesis.chain);
    chains.find(|chain| *chain != ChainId::Backbone).unwrap_or(ChainId::Backbone)
}

/// Run the node of a folder until `stop` is done. `say` hears what is to be known; `began` hears where it answers, before it is
/// ready.
///
/// # Errors
/// [`NoGateway`].
pub fn gateway<S: Future<Output = io::Result<()>>>(
    meeting: &Meeting,
    (files, secrets): (NodeFiles, NodeSecrets),
    metrics: Option<SocketAddr>,
    began: impl FnOnce(Facts) + Send,
    say: &Say,
    stop: impl FnOnce() -> S + Send,
) -> Result<(), NoGateway> {
    let held = Folder::open(&meeting.dir, "--dir")?;
    client::home::trust(&secrets.network_keys)?;
    let config = meeting.config(SigningKey::from_seed(&secrets.node_key))?;
    let key = private_key(&secrets.node_key);
    let network = secrets.network_keys.network();
    let (api, p2p, peers) = (files.api, files.p2p, files.blob_peers);
    let (network_keys, net, parts) = parts(secrets, key, p2p);
    let facts = Facts { api, network, index: files.index, p2p };
    run(&held, |context| async move {
        // Probed first: the peer-to-peer listener below has no way to report a port in use.
        drop(bind(p2p).await?);
        let listener = bind(api).await?;
        // Before the start: one whose disk is empty waits for its peers there.
        began(facts);
        let running = start(context, meeting.dir.clone(), network_keys, parts, net, peers).await?;
        let serving = tokio::spawn(serve(listener, running.node.clone()));
        // Last, so that this node can answer when others hear of it.
        let edges = Edges::serve(&running.node, meeting, config, (api, metrics), say).await?;
        tokio::select! {
            result = stop() => result.map_err(NoGateway::Signal)?,
            () = edges.announce(&running.node, say) => {}
        }
        say(News::Stopping);
        edges.close().await;
        serving.abort();
        running.stop();
        Ok(())
    })
}

async fn bind(address: SocketAddr) -> Result<TcpListener, NoGateway> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|source| NoGateway::Listen { address, source })
}

/// What this process runs of each chain, and where the others are.
fn parts(
    secrets: NodeSecrets,
    key: PrivateKey,
    listen: SocketAddr,
) -> (NetworkKeys, Net, Vec<Part>) {
    let place = Latency::real().place_of(ChainId::Europe, 0);
    let part = |genesis: Genesis| {
        let chain = genesis.chain;
        // Without one it follows the chain.
        let share =
            secrets.shares.iter().find(|(of, _)| *of == chain).map(|(_, share)| share.clone());
        let workers = secrets.workers.iter().filter(|(of, ..)| *of == chain);
        let workers = workers.map(|(_, seed, city)| DealtWorker {
            key: SigningKey::from_seed(seed),
            place: Latency::real().place(city).unwrap_or_else(|| place.clone()),
        });
        let faucet = secrets.faucets.iter().find(|(of, _)| *of == chain);
        Part {
            genesis,
            validators: vec![(key.clone(), share, place.clone())],
            workers: workers.collect(),
            faucet: faucet.map(|(_, seed)| SigningKey::from_seed(seed)),
            new_network: false,
            rest: None,
            mesh: false,
        }
    };
    let parts = secrets.genesis.iter().cloned().map(part).collect();
    (secrets.network_keys, Net::Sockets { key, listen, peers: secrets.peers }, parts)
}
