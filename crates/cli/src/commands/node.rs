//! `meshx node …`: nodes of their own, over real sockets.

use crate::{
    args::{NodeCommand, NodeVerb},
    commands::up::stop_signal,
    home, local,
    settings::Settings,
};
use anyhow::{Context as _, Result};
use crypto::SigningKey;
use network::{Latency, private_key};
use node::{
    Folder, Net, Part,
    local::{DealtWorker, Plan},
};
use std::path::Path;
use types::{ChainId, Millis, NanoMeshx};

/// What the dev wallet starts with on every shard of a dealt network.
const DEV_BALANCE: NanoMeshx = NanoMeshx::new(1_000_000_000_000_000);

pub fn node(_: &Settings, command: &NodeCommand) -> Result<()> {
    match &command.verb {
        NodeVerb::Init { nodes, dir, workers, chains, port, block_ms } => {
            init(*nodes, dir, *workers, chains, *port, *block_ms)
        }
        NodeVerb::Start { dir } => start(dir),
    }
}

fn init(
    nodes: u16,
    dir: &Path,
    workers: u16,
    chains: &[ChainId],
    port: u16,
    block_ms: u64,
) -> Result<()> {
    let mut chains = chains.to_vec();
    chains.sort_unstable();
    chains.dedup();
    let plan = Plan {
        name: "nodes".into(),
        chains,
        validators: usize::from(nodes),
        workers: usize::from(workers),
        capacity: 16,
        block: Millis::new(block_ms),
        started: local::now(),
        latency: Latency::real(),
        same_validators: true,
        accounts: vec![(local::dev_address(), DEV_BALANCE)],
    };
    let anchor = node::write_network(dir, &local::random_seed()?, &plan, port)?;
    home::trust(&anchor)?;
    println!("network {}", anchor.network());
    for index in 0..nodes {
        println!("meshx node start --dir {}", dir.join(format!("node-{index}")).display());
    }
    eprintln!("note: this process dealt all keys, so this network is for trying things out");
    Ok(())
}

fn start(dir: &Path) -> Result<()> {
    let (files, secrets) = node::read_node(dir)?;
    let held = Folder::open(dir)?;
    home::trust(&secrets.anchor)?;
    let key = private_key(&secrets.node_key);
    let place = Latency::real().seat(ChainId::Europe, 0);
    let parts = secrets
        .genesis
        .into_iter()
        .map(|genesis| {
            let chain = genesis.chain;
            let share =
                secrets.shares.iter().find(|(of, _)| *of == chain).map(|(_, share)| share.clone());
            let share =
                share.with_context(|| format!("node.json holds no share for chain {chain}"))?;
            let workers = secrets.workers.iter().filter(|(of, ..)| *of == chain);
            let workers = workers.map(|(_, seed, city)| DealtWorker {
                key: SigningKey::from_seed(seed),
                place: Latency::real().place(city).unwrap_or_else(|| place.clone()),
            });
            Ok(Part {
                genesis,
                validators: vec![(key.clone(), share, place.clone())],
                workers: workers.collect(),
                // Nobody but its peers knows.
                faucet: None,
                new_network: false,
            })
        })
        .collect::<Result<Vec<Part>>>()?;
    let net = Net::Sockets { key: key.clone(), listen: files.p2p, peers: secrets.peers };
    let (anchor, peers, api, folder) =
        (secrets.anchor, files.blob_peers, files.api, dir.to_owned());
    node::run(&held, |context| async move {
        // Probed first: the peer-to-peer listener below has no way to report a port in use.
        drop(local::bind(files.p2p).await?);
        let listener = local::bind(api).await?;
        // Before the start: one whose disk is empty waits for its peers there.
        println!("node      http://{api}");
        println!("network   {}", anchor.network());
        println!("peers     {} at {}", files.index, files.p2p);
        let running = node::start(context, folder, anchor, parts, net, peers).await?;
        let serving = tokio::spawn(node::serve(listener, running.node.clone()));
        let announce = async {
            local::ready(&running.node).await;
            println!("ready");
            std::future::pending::<()>().await;
        };
        tokio::select! {
            result = stop_signal() => result?,
            () = announce => {}
        }
        eprintln!("stopping");
        serving.abort();
        running.stop();
        Ok(())
    })
}
