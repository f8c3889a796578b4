//! `meshx node start --role edge`: a worker that holds no chain, wherever it stands.

use super::{
    headers,
    meet::{self, Meeting},
    registry,
};
use crate::{args::NodeStart, commands::up::stop_signal, home, local, settings::Settings, submit};
use anyhow::{Context as _, Result, bail};
use api::Client;
use blobs::Store;
use edge::{Edge, Offer, Said};
use node::Folder;
use overlay::{Cell, Overlay, PeerId, Role};
use receipt::{BEHIND_MAX, Follower};
use std::{
    path::Path,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::watch;
use types::{ChainId, City, Height, codec::DecodeExt as _, network::Anchor};
use worker::Worker;

/// How long to look for a first gateway before saying so.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often to look whether the gateway is still there.
const LOOK: Duration = Duration::from_secs(2);
/// A gateway that is connected and of no use so many looks in a row is left: it is silent, or blocks that others prove
/// to be final do not come to it.
const USELESS_MAX: u32 = 5;
/// How often the chain is asked where nodes are, and how soon again where that failed.
const REGISTRY_EVERY: Duration = Duration::from_secs(60 * 60);
const REGISTRY_AGAIN: Duration = Duration::from_secs(20);

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
        // There is something to check a gateway against once one has shown what the network is.
        let known: Arc<OnceLock<Arc<Mutex<Follower>>>> = Arc::default();
        let status = tokio::spawn({
            let (overlay, dir, known) = (overlay.clone(), args.dir.clone(), known.clone());
            let newest = move || headers::newest(known.get()?);
            async move { meet::keep_status(&overlay, &dir, metrics, newest).await }
        });
        let named = joined.iter().map(overlay::PeerAddress::peer).collect();
        let search = Search { overlay: overlay.clone(), named, chain: offer.chain, near };
        let stop = stop_signal();
        tokio::pin!(stop);
        let gateway = tokio::select! {
            gateway = first_gateway(&search) => gateway,
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
        let client = Client::new(&url)?;
        let keeping = tokio::spawn(keep_gateway(search, client.clone(), known.clone(), chosen));

        let working = std::thread::spawn({
            let (cancel, overlay, dir) = (cancel.clone(), overlay.clone(), args.dir.clone());
            let handle = tokio::runtime::Handle::current();
            move || -> Result<()> {
                let anchor = anchor_of(&client, &cancel)?;
                if anchor.network() != network {
                    bail!("the gateway serves network {}", anchor.network());
                }
                home::trust(&anchor)?;
                let follower = Arc::new(Mutex::new(Follower::new(anchor.clone(), offer.chain)?));
                handle.spawn(headers::follow(overlay.clone(), follower.clone()));
                known.get_or_init(|| follower.clone());
                // A network without a backbone has no stake to list anybody with.
                if let Ok(backbone) = Follower::new(anchor, ChainId::Backbone) {
                    let asking = Registry { client: client.clone(), backbone, overlay, handle };
                    let cancel = cancel.clone();
                    std::thread::spawn(move || asking.keep(&dir, &cancel));
                }
                let edge = Edge { client, network, worker, store, offer, follower };
                edge::serve(edge, cancel, tell);
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

/// Where the chain says that nodes are met.
struct Registry {
    client: Client,
    backbone: Follower,
    overlay: Overlay,
    handle: tokio::runtime::Handle,
}

impl Registry {
    /// Ask now and then, keep what is said for the next start, and look for those nodes.
    fn keep(mut self, dir: &Path, cancel: &AtomicBool) {
        while !cancel.load(Ordering::Relaxed) {
            let pause = match registry::read(&self.client, &mut self.backbone) {
                Ok(known) if known.is_empty() => REGISTRY_AGAIN,
                Ok(known) => {
                    registry::keep(dir, &known);
                    let start = local::random_seed().map_or(0, |seed| usize::from(seed[0]));
                    let tried = registry::kept(dir, start);
                    tracing::info!(nodes = known.len(), "the chain says where nodes are");
                    if self.handle.block_on(self.overlay.lead(tried)).is_err() {
                        return;
                    }
                    REGISTRY_EVERY
                }
                Err(error) => {
                    tracing::info!(%error, "no word of the chain where nodes are");
                    REGISTRY_AGAIN
                }
            };
            let until = Instant::now() + pause;
            while Instant::now() < until && !cancel.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(500));
            }
        }
    }
}

/// Where an edge looks for a gateway.
struct Search {
    overlay: Overlay,
    named: Vec<PeerId>,
    chain: ChainId,
    near: Option<Cell>,
}

/// A gateway that answers: one of those named, or one that says in the table that it is.
async fn first_gateway(search: &Search) -> PeerId {
    let (since, mut told) = (Instant::now(), false);
    loop {
        if let Some(gateway) = search.gateway(None).await {
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

impl Search {
    /// Whoever was named comes first; of those in the table, the one that answers soonest. Never `left`.
    async fn gateway(&self, left: Option<PeerId>) -> Option<PeerId> {
        let Self { overlay, named, chain, near } = self;
        for peer in named.iter().filter(|peer| Some(**peer) != left) {
            if answers_after(overlay, *peer).await.is_some() {
                return Some(*peer);
            }
        }
        let listed = match near {
            Some(cell) => overlay.providers_near(Role::Aggregator, *chain, *cell).await,
            None => overlay.providers(Role::Aggregator, *chain).await,
        };
        let listed = listed.unwrap_or_default();
        let mut answering = Vec::new();
        for peer in listed.into_iter().filter(|peer| !named.contains(peer) && Some(*peer) != left) {
            answering.extend(answers_after(overlay, peer).await.map(|took| (took, peer)));
            if answering.len() >= COMPARED_MAX {
                break;
            }
        }
        answering.into_iter().min_by_key(|(took, _)| *took).map(|(_, peer)| peer)
    }
}

/// How long `peer` takes to serve a stream, once it is reached. `None`: a relay or another edge serves no API.
async fn answers_after(overlay: &Overlay, peer: PeerId) -> Option<Duration> {
    overlay.reach(peer).await.ok()?;
    let begun = Instant::now();
    overlay.open(peer, overlay::API_PROTOCOL).await.ok()?;
    Some(begun.elapsed())
}

/// Change to another gateway when the one there is gone, or of no use.
async fn keep_gateway(
    search: Search,
    client: Client,
    known: Arc<OnceLock<Arc<Mutex<Follower>>>>,
    chosen: watch::Sender<PeerId>,
) {
    let mut useless = 0;
    loop {
        tokio::time::sleep(LOOK).await;
        let now = *chosen.borrow();
        let Ok(status) = search.overlay.status().await else { return };
        let connected = status.peers.iter().any(|peer| peer.peer == now);
        if connected {
            let newest = known.get().and_then(|follower| headers::newest(follower));
            useless = if is_useful(&client, search.chain, newest).await { 0 } else { useless + 1 };
            if useless < USELESS_MAX {
                continue;
            }
            tracing::info!(gateway = %now, "is silent, or behind what is final");
        }
        useless = 0;
        // One that is gone may have come back.
        if let Some(other) = search.gateway(connected.then_some(now)).await {
            if other != now {
                println!("gateway   {other}");
            }
            chosen.send_replace(other);
        }
    }
}

/// Whether the gateway answers, and has nearly all that is proved to be final.
async fn is_useful(client: &Client, chain: ChainId, newest: Option<Height>) -> bool {
    let client = client.clone();
    let status = tokio::task::spawn_blocking(move || client.status()).await;
    let Ok(Ok(status)) = status else { return false };
    let heights = status.chains.iter().filter(|of| of.chain == chain).map(|of| of.height);
    let height = heights.max().unwrap_or(Height::ZERO);
    newest.is_none_or(|newest| newest.saturating_sub(height).get() <= BEHIND_MAX)
}
