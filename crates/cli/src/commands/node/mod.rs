//! `meshx node …`: nodes of their own, over real sockets.

mod news;
pub mod peers;

use crate::{commands::up::stop_signal, settings::Settings};
use anyhow::{Context as _, Result, bail};
use args::{
    EdgeArgs, NodeBootstrap, NodeCommand, NodeInit, NodeStart, NodeVerb, OverlayArgs, RoleArg,
};
use client::home;
use edge::BootstrapList;
use edge::{Meeting, Offer, Work};
use node::{Folder, Layout, local::Plan, measuring::List, mesh, mesh::Latency};
use serde_json::json;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};
use types::{ChainId, City, Hash, Millis};

/// Where an edge offers its gateway's API, unless something else is asked for: where programs look for a node.
const API: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8700);

pub fn node(settings: &Settings, command: &NodeCommand) -> Result<()> {
    match &command.verb {
        NodeVerb::Init(args) => init(settings, args),
        NodeVerb::Bootstrap(args) => sign_bootstrap(settings, args),
        NodeVerb::Start(args) => {
            let keys = args.dir.join("node.json").exists();
            let chainless = |role: &RoleArg| matches!(role, RoleArg::Edge | RoleArg::Relay);
            match (&args.roles[..], keys) {
                ([], false) => work(settings, args),
                (roles, _) if roles.contains(&RoleArg::Edge) && roles.iter().all(chainless) => {
                    work(settings, args)
                }
                ([RoleArg::Relay], false) => carry(settings, args),
                (roles, true) if !roles.contains(&RoleArg::Edge) => start(settings, args),
                (_, true) => bail!(
                    "one process cannot both hold chains and be a worker without a chain\nhint: start two processes, each with its own folder"
                ),
                (_, false) => bail!(
                    "{} does not hold the keys of a node\nhint: make keys with meshx node init; --role edge and --role relay need none",
                    args.dir.display()
                ),
            }
        }
    }
}

fn init(settings: &Settings, args: &NodeInit) -> Result<()> {
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
            "--hosts names {} addresses, but there are {processes} processes\nhint: name one address for each process",
            hosts.len()
        );
    }
    let mut chains = chains.clone();
    chains.sort_unstable();
    chains.dedup();
    let listed = match witnesses {
        Some(list) => List::read(list)?.entries(list)?,
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
        started: mesh::now(),
        latency: Latency::real(),
        faucets: usize::from(processes),
        same_validators: true,
        accounts: vec![(mesh::development_address(), mesh::DEVELOPMENT_BALANCE)],
        witnesses: listed,
    };
    let layout =
        Layout { followers: usize::from(*aggregators), hosts: hosts.clone(), base_port: *port };
    let network_keys = node::write_network(dir, &client::wallet::random()?, &plan, &layout)?;
    home::trust(&network_keys)?;
    let folders: Vec<_> = (0..processes).map(|index| dir.join(format!("node-{index}"))).collect();
    if settings.json() {
        println!("{}", json!({ "network": network_keys.network(), "folders": folders }));
    } else {
        println!("network {}", network_keys.network());
        for folder in folders {
            println!("meshx node start --dir {}", folder.display());
        }
    }
    eprintln!("note: one process made all keys, so use this network only for development");
    Ok(())
}

/// A node with keys: it serves edges and carries connections, unless told otherwise.
fn start(settings: &Settings, args: &NodeStart) -> Result<()> {
    let (files, secrets) = node::read_node(&args.dir)?;
    if args.overlay.tor.tor {
        bail!(
            "a node that holds chains connects to others directly, so it cannot use --tor\nhint: --onion lets edges come through Tor; --tor is for --role edge"
        );
    }
    let mut meeting = meeting(args, secrets.network_keys.network(), node::usual_chain(&secrets));
    meeting.roles.get_or_insert(node::usual_roles(&secrets));
    meeting.serves.extend(secrets.genesis.iter().map(|genesis| genesis.chain));
    if meeting.listen.is_empty() {
        meeting.listen.extend(files.overlay.map(edge::multiaddr));
    }
    meeting.join.extend(files.overlay_peers.iter().filter_map(|address| address.parse().ok()));
    let metrics = args.overlay.metrics;
    let json = settings.json();
    let began = |facts| news::began(json, facts);
    node::gateway(&meeting, (files, secrets), metrics, began, &news::said(json), stop_signal)?;
    Ok(())
}

/// A worker that holds no chain.
fn work(settings: &Settings, args: &NodeStart) -> Result<()> {
    let meeting = meeting(args, network_of(args)?, settings.chain);
    work_for(settings, &meeting, (&args.edge, API), args.overlay.metrics)
}

/// Work for the network that `meeting` leads to. Its API is offered where `edge` says, or at `api`.
pub(super) fn work_for(
    settings: &Settings,
    meeting: &Meeting,
    (edge, api): (&EdgeArgs, SocketAddr),
    metrics: Option<SocketAddr>,
) -> Result<()> {
    meeting.check()?;
    let city = City::new(edge.city.as_str()).context("a city has at most 64 bytes")?;
    if edge.payout.is_some_and(|to| to.is_pool()) {
        bail!("--payout names an account of the protocol, which belongs to nobody");
    }
    let _held = Folder::open(&meeting.dir, "--dir")?;
    let cores = std::thread::available_parallelism()
        .map_or(1, |cores| u16::try_from(cores.get()).unwrap_or(u16::MAX));
    let capacity = edge.capacity.unwrap_or(cores);
    let offer = Offer { chain: settings.chain, capacity, city, floor: edge.floor };
    let work = Work { offer, payout: edge.payout, api: edge.api.unwrap_or(api), metrics };
    Ok(edge::work(meeting, &work, &news::said(settings.json()), stop_signal())?)
}

/// A node that only carries connections.
fn carry(settings: &Settings, args: &NodeStart) -> Result<()> {
    let meeting = meeting(args, network_of(args)?, settings.chain);
    let _held = Folder::open(&args.dir, "--dir")?;
    Ok(edge::carry(&meeting, args.overlay.metrics, &news::said(settings.json()), stop_signal())?)
}

/// Which network a node without a chain joins.
fn network_of(args: &NodeStart) -> Result<Hash> {
    args.edge.network.context(
        "no network is named\nhint: add --network ID and --join ADDRESS; a node of the network prints both when it starts",
    )
}

fn meeting(args: &NodeStart, network: Hash, chain: ChainId) -> Meeting {
    let named = args.roles.iter().map(|role| role.role());
    let roles = (!args.roles.is_empty()).then(|| named.collect());
    Meeting { roles, ..meeting_of(args.dir.clone(), &args.overlay, network, chain) }
}

/// How a worker meets others, unless it has other roles.
pub(super) fn meeting_of(
    dir: PathBuf,
    overlay: &OverlayArgs,
    network: Hash,
    chain: ChainId,
) -> Meeting {
    let OverlayArgs { listen, announce, join, bootstrap, bootstrap_key, .. } = overlay;
    let OverlayArgs { place, asn_table, mdns, no_port_mapping, turn, tor, .. } = overlay;
    Meeting {
        dir,
        network,
        chain,
        serves: vec![],
        roles: None,
        listen: listen.clone(),
        announce: announce.clone(),
        join: join.clone(),
        bootstrap: bootstrap.clone().zip(*bootstrap_key),
        place: *place,
        asn_table: asn_table.clone(),
        mdns: *mdns,
        map_port: !no_port_mapping,
        tor: tor.used(),
        turn: turn.turn.clone(),
        accept_classic: overlay.accept_classic,
    }
}

/// Sign a list of nodes to begin with.
fn sign_bootstrap(settings: &Settings, args: &NodeBootstrap) -> Result<()> {
    std::fs::create_dir_all(&args.dir)?;
    let key = edge::identity(&args.dir)?;
    let list = BootstrapList::new(args.network, edge::now(), args.peers.clone())?;
    let signed_by = Hash(key.public());
    if settings.json() {
        println!("{}", json!({ "list": list.sign(&key), "signed_by": signed_by }));
        return Ok(());
    }
    print!("{}", list.sign(&key));
    eprintln!(
        "signed by {signed_by}\nothers use it with --bootstrap FILE --bootstrap-key {signed_by}"
    );
    Ok(())
}
