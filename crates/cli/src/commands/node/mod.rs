//! `meshx node …`: nodes of their own, over real sockets.

mod edge;
mod headers;
mod meet;
pub mod peers;
mod registry;
mod relay;
mod watch;

use crate::{
    args::{NodeCommand, NodeInit, NodeStart, NodeVerb, RoleArg},
    commands::up::stop_signal,
    home, local,
    settings::Settings,
};
use anyhow::{Result, bail};
use crypto::SigningKey;
use network::{Latency, private_key};
use node::{
    Folder, Layout, Net, Part,
    local::{DealtWorker, Plan},
};
use types::{ChainId, Millis, NanoMeshx};

/// What the dev wallet starts with on every chain of a dealt network.
const DEV_BALANCE: NanoMeshx = NanoMeshx::new(1_000_000_000_000_000);

pub fn node(settings: &Settings, command: &NodeCommand) -> Result<()> {
    match &command.verb {
        NodeVerb::Init(args) => init(args),
        NodeVerb::Bootstrap(args) => meet::sign_bootstrap(args),
        NodeVerb::Start(args) => {
            let keys = args.dir.join("node.json").exists();
            let chainless = |role: &RoleArg| matches!(role, RoleArg::Edge | RoleArg::Relay);
            match (&args.roles[..], keys) {
                ([], false) => edge::start(settings, args),
                (roles, _) if roles.contains(&RoleArg::Edge) && roles.iter().all(chainless) => {
                    edge::start(settings, args)
                }
                ([RoleArg::Relay], false) => relay::start(settings, args),
                (roles, true) if !roles.contains(&RoleArg::Edge) => start(args),
                (_, true) => bail!(
                    "one process is a worker without a chain, or holds chains\nhint: start two, each with a folder of its own"
                ),
                (_, false) => bail!(
                    "{} holds no keys of a node\nhint: meshx node init deals some; --role edge and --role relay need none",
                    args.dir.display()
                ),
            }
        }
    }
}

fn init(args: &NodeInit) -> Result<()> {
    let NodeInit {
        nodes,
        aggregators,
        hosts,
        dir,
        workers,
        chains,
        port,
        block_ms,
        term_blocks,
        witnesses,
    } = args;
    let processes = nodes + aggregators;
    if !hosts.is_empty() && hosts.len() != usize::from(processes) {
        bail!(
            "{} addresses for {processes} processes\nhint: --hosts names one for each",
            hosts.len()
        );
    }
    let mut chains = chains.clone();
    chains.sort_unstable();
    chains.dedup();
    let listed = match witnesses {
        Some(list) => crate::commands::presence::entries(list)?,
        None => vec![],
    };
    let plan = Plan {
        name: "nodes".into(),
        chains,
        validators: usize::from(*nodes),
        workers: usize::from(*workers),
        capacity: 16,
        block: Millis::new(*block_ms),
        term_blocks: *term_blocks,
        started: local::now(),
        latency: Latency::real(),
        same_validators: true,
        accounts: vec![(local::dev_address(), DEV_BALANCE)],
        witnesses: listed,
    };
    let layout =
        Layout { followers: usize::from(*aggregators), hosts: hosts.clone(), base_port: *port };
    let anchor = node::write_network(dir, &local::random_seed()?, &plan, &layout)?;
    home::trust(&anchor)?;
    println!("network {}", anchor.network());
    for index in 0..processes {
        println!("meshx node start --dir {}", dir.join(format!("node-{index}")).display());
    }
    eprintln!("note: this process dealt all keys, so this network is for trying things out");
    Ok(())
}

fn start(args: &NodeStart) -> Result<()> {
    let dir = &args.dir;
    let (files, secrets) = node::read_node(dir)?;
    let held = Folder::open(dir)?;
    home::trust(&secrets.anchor)?;
    if args.overlay.tor.tor {
        bail!(
            "validators meet each other directly, and so does whoever holds their chains\nhint: --onion lets edges come through Tor; --tor is for --role edge"
        );
    }
    let meeting = meet::Meeting::of_node(args, &files, &secrets)?;
    let key = private_key(&secrets.node_key);
    let place = Latency::real().seat(ChainId::Europe, 0);
    let parts = secrets
        .genesis
        .into_iter()
        .map(|genesis| {
            let chain = genesis.chain;
            // Without one it follows the chain.
            let share =
                secrets.shares.iter().find(|(of, _)| *of == chain).map(|(_, share)| share.clone());
            let workers = secrets.workers.iter().filter(|(of, ..)| *of == chain);
            let workers = workers.map(|(_, seed, city)| DealtWorker {
                key: SigningKey::from_seed(seed),
                place: Latency::real().place(city).unwrap_or_else(|| place.clone()),
            });
            Part {
                genesis,
                validators: vec![(key.clone(), share, place.clone())],
                workers: workers.collect(),
                // Nobody but its peers knows.
                faucet: None,
                new_network: false,
            }
        })
        .collect();
    let net = Net::Sockets { key: key.clone(), listen: files.p2p, peers: secrets.peers };
    let (anchor, peers, api, folder) =
        (secrets.anchor, files.blob_peers, files.api, dir.to_owned());
    node::run(&held, |context| async move {
        // Probed first: the peer-to-peer listener below has no way to report a port in use.
        drop(local::bind(files.p2p).await?);
        let listener = local::bind(api).await?;
        // Before the start: one whose disk is empty waits for its peers there.
        println!("node      http://{api}");
        let anchor_id = anchor.network();
        println!("network   {anchor_id}");
        println!("peers     {} at {}", files.index, files.p2p);
        let running = node::start(context, folder, anchor, parts, net, peers).await?;
        let serving = tokio::spawn(node::serve(listener, running.node.clone()));
        // Last, so that whoever is told of this node finds it able to answer.
        let overlay = overlay::Overlay::start(meeting.config)?;
        headers::serve(&overlay, &running.node);
        meet::tell(&overlay, anchor_id).await?;
        if args.overlay.tor.onion {
            let overlay = overlay.clone();
            tokio::spawn(async move { meet::tell_onion(&overlay, anchor_id).await });
        }
        let metrics = meet::watch(&overlay, args.overlay.metrics).await?;
        let serving_edges =
            tokio::spawn(meet::serve_edges(overlay.clone(), dir.clone(), api, metrics));
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
        serving_edges.abort();
        overlay.close().await;
        serving.abort();
        running.stop();
        Ok(())
    })
}
