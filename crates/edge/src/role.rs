//! `meshx node start --role edge`: a worker that holds no chain, wherever it stands.

use crate::{
    Edge, Meeting, News, NoIdentity, NotMet, Offer, Say,
    gateway::{Known, Search, keep_gateway},
    headers, identity, keep_status,
    registry::Registry,
    serve,
    watch::{NotWatched, watch},
};
use api::{Client, ClientError};
use blobs::{BlobError, Store};
use client::home;
use overlay::{Overlay, OverlayError, PeerAddress, PeerId};
use receipt::{Follower, Invalid};
use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, runtime::Handle, sync::watch as last};
use types::{Address, ChainId, Hash, codec::DecodeExt as _, network::NetworkKeys};
use worker::Worker;

/// How long an edge that stops waits for the block that takes it off the list of workers.
const LEAVE_PATIENCE: Duration = Duration::from_secs(5);

/// What an edge does for others and for its own machine.
#[derive(Clone, Debug)]
pub struct Work {
    /// What the worker offers.
    pub offer: Offer,
    /// Where earnings go, on the chain that it works for. `None`: they stay with the worker.
    pub payout: Option<Address>,
    /// Where this machine's programs find the API of the gateway.
    pub api: SocketAddr,
    /// Where to answer questions about the overlay.
    pub metrics: Option<SocketAddr>,
}

/// Why a node without a chain does not run, or has ended.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum NotRun {
    #[error(transparent)]
    NotMet(#[from] NotMet),
    #[error(transparent)]
    NoIdentity(#[from] NoIdentity),
    #[error(transparent)]
    Blobs(#[from] BlobError),
    #[error(transparent)]
    NoEngine(#[from] client::NoEngine),
    #[error("the operating system gives no threads")]
    Runtime(#[source] io::Error),
    #[error(transparent)]
    Overlay(#[from] OverlayError),
    #[error(
        "cannot listen on {address}\nhint: stop what listens there (meshx up?), or choose another address with --api"
    )]
    Listen { address: SocketAddr, source: io::Error },
    #[error(transparent)]
    NotWatched(#[from] NotWatched),
    #[error("cannot listen for signals")]
    Signal(#[source] io::Error),
    #[error(transparent)]
    Gateway(#[from] ClientError),
    #[error("the network keys cannot be decoded")]
    Network(#[source] types::codec::Error),
    #[error("the gateway serves another network: {0}")]
    OtherNetwork(Hash),
    #[error(transparent)]
    NotKept(#[from] home::NotKept),
    #[error(transparent)]
    NotFollowed(#[from] Invalid),
    #[error("the worker panicked")]
    Panicked,
}

/// Work until `stop` is done.
///
/// # Errors
/// [`NotRun`] if it cannot start, or no gateway serves this network.
pub fn work(
    meeting: &Meeting,
    work: &Work,
    say: &Say,
    stop: impl Future<Output = io::Result<()>>,
) -> Result<(), NotRun> {
    let key = identity(&meeting.dir)?;
    let store = Store::open(meeting.dir.join("blobs"))?;
    let worker = Worker::new(key.clone(), Arc::new(client::engine()?), store.clone());
    let config = meeting.config(key)?;
    let runtime = tokio::runtime::Runtime::new().map_err(NotRun::Runtime)?;
    runtime.block_on(async {
        let overlay = Overlay::start(config)?;
        say(News::Id(overlay.id()));
        say(News::Worker(worker.address(), work.offer.chain));
        let running = Running {
            dir: meeting.dir.clone(),
            network: meeting.network,
            overlay: overlay.clone(),
            known: Known::default(),
            cancel: Arc::default(),
            say: say.clone(),
        };
        let ended = running.run(meeting, work, (worker, store), stop).await;
        overlay.close().await;
        ended
    })?;
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(())
}

/// An edge that runs.
#[derive(Clone)]
struct Running {
    dir: PathBuf,
    network: Hash,
    overlay: Overlay,
    known: Known,
    cancel: Arc<AtomicBool>,
    say: Say,
}

impl Running {
    async fn run(
        self,
        meeting: &Meeting,
        work: &Work,
        (worker, store): (Worker, Store),
        stop: impl Future<Output = io::Result<()>>,
    ) -> Result<(), NotRun> {
        let Self { overlay, known, say, .. } = &self;
        let (listener, url) = bind(work.api).await?;
        let metrics = watch(overlay, work.metrics, say).await?;
        let status = tokio::spawn(self.clone().keep_status(metrics));
        // Nodes known before may be gone, and each that is costs a lookup: they only lead into the table.
        let named: Vec<PeerId> = meeting.join.iter().map(PeerAddress::peer).collect();
        let (chain, near) = (work.offer.chain, meeting.place);
        let standbys = Mutex::default();
        let search = Search { overlay: overlay.clone(), named, chain, near, standbys };
        tokio::pin!(stop);
        let gateway = tokio::select! {
            gateway = search.first(say) => gateway,
            result = &mut stop => {
                say(News::Stopping);
                return result.map_err(NotRun::Signal);
            }
        };
        say(News::Gateway(gateway));
        say(News::Api(url.clone()));
        let (chosen, choice) = last::channel(gateway);
        tokio::spawn(overlay::open_api(overlay.clone(), listener, choice));
        let client = Client::new(&url)?;
        let keeping =
            tokio::spawn(keep_gateway(search, client.clone(), known.clone(), chosen, say.clone()));
        let working = thread::spawn({
            let (running, work, handle) = (self.clone(), work.clone(), Handle::current());
            move || running.follow(client, (worker, store), work, handle)
        });
        let failed = async {
            while !working.is_finished() {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::select! {
            result = &mut stop => result.map_err(NotRun::Signal)?,
            () = failed => {}
        }
        say(News::Stopping);
        self.cancel.store(true, Ordering::Relaxed);
        // It takes itself off the list, through a gateway that may be gone.
        let left = Instant::now() + LEAVE_PATIENCE;
        while !working.is_finished() && Instant::now() < left {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        keeping.abort();
        status.abort();
        if working.is_finished() {
            working.join().map_err(|_| NotRun::Panicked)??;
        }
        Ok(())
    }

    async fn keep_status(self, metrics: Option<SocketAddr>) {
        let newest = || headers::newest(self.known.get()?);
        keep_status(&self.overlay, &self.dir, metrics, newest, &self.say).await;
    }

    /// Follow the chain behind the gateway, and work for it. Blocks.
    fn follow(
        self,
        client: Client,
        (worker, store): (Worker, Store),
        Work { offer, payout, .. }: Work,
        handle: Handle,
    ) -> Result<(), NotRun> {
        let network_keys = self.network_keys(&client)?;
        if network_keys.network() != self.network {
            return Err(NotRun::OtherNetwork(network_keys.network()));
        }
        home::trust(&network_keys)?;
        let development = network_keys.dev_dealer;
        let follower = Arc::new(Mutex::new(Follower::new(network_keys.clone(), offer.chain)?));
        handle.spawn(headers::follow(self.overlay.clone(), follower.clone()));
        self.known.get_or_init(|| follower.clone());
        // A network without a backbone has no stake to list anybody with.
        if let Ok(backbone) = Follower::new(network_keys, ChainId::Backbone) {
            let Self { dir, overlay, cancel, say, .. } = self.clone();
            let asking = Registry { client: client.clone(), backbone, overlay, handle, say };
            thread::spawn(move || asking.keep(&dir, &cancel));
        }
        let Self { network, cancel, say, .. } = self;
        let edge = Edge { client, network, worker, store, offer, payout, development, follower };
        serve(edge, cancel, move |said| say(News::Work(said)));
        Ok(())
    }

    /// What the network is, as soon as the gateway says it.
    fn network_keys(&self, client: &Client) -> Result<NetworkKeys, NotRun> {
        let mut told = false;
        loop {
            match client.genesis() {
                Ok(bytes) => return NetworkKeys::decode(bytes).map_err(NotRun::Network),
                Err(error) if self.cancel.load(Ordering::Relaxed) => return Err(error.into()),
                Err(error) if !told => {
                    (self.say)(News::trouble(&error));
                    told = true;
                }
                Err(_) => {}
            }
            thread::sleep(Duration::from_secs(1));
        }
    }
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, String), NotRun> {
    let bound = async {
        let listener = TcpListener::bind(address).await?;
        let url = format!("http://{}", listener.local_addr()?);
        Ok((listener, url))
    };
    bound.await.map_err(|source| NotRun::Listen { address, source })
}
