//! `meshx node start --role edge`: a worker that holds no chain, wherever it stands.

use super::meet::{self, Meeting};
use crate::{args::NodeStart, commands::up::stop_signal, home, local, settings::Settings, submit};
use anyhow::{Context as _, Result, bail};
use api::Client;
use blobs::Store;
use edge::{Edge, Offer, Said};
use node::Folder;
use overlay::{Cell, Overlay, PeerId, Role};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::watch;
use types::{City, codec::DecodeExt as _, network::Anchor};
use worker::Worker;

/// How long to look for a first gateway before saying so.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often to look whether the gateway is still there.
const LOOK: Duration = Duration::from_secs(2);

/// Gateways of the table that are compared, of those that answer.
const COMPARED_MAX: usize = 4;

pub fn start(settings: &Settings, args: &NodeStart) -> Result<()> {
    let network = meet::network_of(args)?;
    if !args.overlay.mdns && meet::first_of(args, network)?.is_empty() {
        bail!(
            "nobody to begin with\nhint: --join ADDRESS, --bootstrap FILE, or --mdns on a local network"
        );
    }
    let city = City::new(args.edge.city.as_str()).context("a city has at most 64 bytes")?;
    let _held = Folder::open(&args.dir)?;
    let key = meet::identity(&args.dir)?;
    let store = Store::open(args.dir.join("blobs"))?;
    let worker = Worker::new(key.clone(), Arc::new(submit::engine()?), store.clone());
    let cores = std::thread::available_parallelism()
        .map_or(1, |cores| u16::try_from(cores.get()).unwrap_or(u16::MAX));
    let offer = Offer {
        chain: settings.chain,
        capacity: args.edge.capacity.unwrap_or(cores),
        city,
        floor: args.edge.floor,
    };
    let meeting = Meeting::of_chainless(args, key, network, settings.chain)?;
    let runtime = tokio::runtime::Runtime::new().context("the machine gives no threads")?;
    let cancel = Arc::new(AtomicBool::new(false));
    runtime.block_on(async {
        let near = args.overlay.place;
        // Nodes known before may be gone, and each that is costs a lookup: they only lead into the table.
        let joined = args.overlay.join.clone();
        let overlay = Overlay::start(meeting.config)?;
        println!("id        {}", overlay.id());
        println!("worker    {} on {}", worker.address(), offer.chain);
        let listener = local::bind(args.edge.api).await?;
        let url = format!("http://{}", listener.local_addr()?);

        let metrics = meet::watch(&overlay, args.overlay.metrics).await?;
        let status = tokio::spawn({
            let (overlay, dir) = (overlay.clone(), args.dir.clone());
            async move { meet::keep_status(&overlay, &dir, metrics).await }
        });
        let first: Vec<PeerId> = joined.iter().map(overlay::PeerAddress::peer).collect();
        let stop = stop_signal();
        tokio::pin!(stop);
        let gateway = tokio::select! {
            gateway = first_gateway(&overlay, &first, offer.chain, near) => gateway,
            result = &mut stop => {
                eprintln!("stopping");
                overlay.close().await;
                return result;
            }
        };
        println!("gateway   {gateway}");
        println!("node      {url}");
        let (chosen, choice) = watch::channel(gateway);
        tokio::spawn(overlay::open_api(overlay.clone(), listener, choice));
        let keeping = tokio::spawn(keep_gateway(overlay.clone(), first, offer.chain, near, chosen));

        let client = Client::new(&url)?;
        let working = std::thread::spawn({
            let cancel = cancel.clone();
            move || -> Result<()> {
                let anchor = anchor_of(&client, &cancel)?;
                if anchor.network() != network {
                    bail!("the gateway serves network {}", anchor.network());
                }
                home::trust(&anchor)?;
                edge::serve(Edge { client, network, worker, store, offer }, cancel, tell);
                Ok(())
            }
        });
        let failed = async {
            while !working.is_finished() {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::select! {
            result = &mut stop => result?,
            () = failed => {}
        }
        eprintln!("stopping");
        cancel.store(true, Ordering::Relaxed);
        keeping.abort();
        status.abort();
        overlay.close().await;
        if working.is_finished() {
            working.join().map_err(|_| anyhow::anyhow!("the worker panicked"))??;
        }
        Ok(())
    })?;
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(())
}

fn tell(said: Said) {
    match said {
        Said::Registered => println!("ready"),
        Said::Ran { job, fuel } => println!("ran       {job} for {fuel} fuel"),
        Said::NeedsMoney(address) => eprintln!(
            "waiting for money: registering costs a fee\nhint: meshx wallet send {address} 0.01, or on a development network meshx faucet"
        ),
        Said::Trouble(what) => eprintln!("{what}"),
    }
}

fn anchor_of(client: &Client, cancel: &AtomicBool) -> Result<Anchor> {
    let mut told = false;
    loop {
        match client.genesis() {
            Ok(bytes) => return Anchor::decode(bytes).context("the network cannot be read"),
            Err(error) if cancel.load(Ordering::Relaxed) => return Err(error.into()),
            Err(error) if !told => {
                eprintln!("{error}");
                told = true;
            }
            Err(_) => {}
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// A gateway that answers: one of those named, or one that says in the table that it is.
async fn first_gateway(
    overlay: &Overlay,
    named: &[PeerId],
    chain: types::ChainId,
    near: Option<Cell>,
) -> PeerId {
    let (since, mut told) = (Instant::now(), false);
    loop {
        if let Some(gateway) = some_gateway(overlay, named, chain, near).await {
            return gateway;
        }
        if since.elapsed() > PATIENCE && !told {
            told = true;
            eprintln!(
                "no gateway answers yet\nhint: meshx peers --dir DIR shows who is reached; is the address of --join right, and is that node up? meshx doctor looks for what is in the way"
            );
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Whoever was named comes first; of those in the table, the one that answers soonest.
async fn some_gateway(
    overlay: &Overlay,
    named: &[PeerId],
    chain: types::ChainId,
    near: Option<Cell>,
) -> Option<PeerId> {
    for peer in named {
        if answers_after(overlay, *peer).await.is_some() {
            return Some(*peer);
        }
    }
    let listed = match near {
        Some(cell) => overlay.providers_near(Role::Aggregator, chain, cell).await,
        None => overlay.providers(Role::Aggregator, chain).await,
    };
    let listed = listed.unwrap_or_default();
    let mut answering = Vec::new();
    for peer in listed.into_iter().filter(|peer| !named.contains(peer)) {
        answering.extend(answers_after(overlay, peer).await.map(|took| (took, peer)));
        if answering.len() >= COMPARED_MAX {
            break;
        }
    }
    answering.into_iter().min_by_key(|(took, _)| *took).map(|(_, peer)| peer)
}

/// How long `peer` takes to serve a stream, once it is reached. `None`: a relay or another edge serves no API.
async fn answers_after(overlay: &Overlay, peer: PeerId) -> Option<Duration> {
    overlay.reach(peer).await.ok()?;
    let begun = Instant::now();
    overlay.open(peer, overlay::API_PROTOCOL).await.ok()?;
    Some(begun.elapsed())
}

/// Change to another gateway when the one there is does not answer.
async fn keep_gateway(
    overlay: Overlay,
    named: Vec<PeerId>,
    chain: types::ChainId,
    near: Option<Cell>,
    chosen: watch::Sender<PeerId>,
) {
    loop {
        tokio::time::sleep(LOOK).await;
        let now = *chosen.borrow();
        let Ok(status) = overlay.status().await else { return };
        if status.peers.iter().any(|peer| peer.peer == now) {
            continue;
        }
        if let Some(other) = some_gateway(&overlay, &named, chain, near).await {
            if other != now {
                println!("gateway   {other}");
            }
            chosen.send_replace(other);
        }
    }
}
