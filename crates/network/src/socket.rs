//! TCP between processes: commonware's peers, found by address, over Noise IK.

use crate::{
    ik::{Identity, Ik, Suites},
    peer::{Blocks, Channel, Outlet, Parcel, Receiver, Sender, signing_key},
};
use commonware_cryptography::ed25519::{PrivateKey, PublicKey};
use commonware_p2p::{
    Address, AddressableManager as _, CheckedSender as _, LimitedSender, Receiver as _, Recipients,
    authenticated::lookup::{self, Network},
};
use commonware_runtime::{
    Handle, IoBufs, Quota, Spawner as _, Supervisor as _, tokio as tokio_runtime,
};
use commonware_stream::Upgrader as _;
use commonware_utils::{NZU32, NZUsize, ordered::Map};
use std::{
    net::SocketAddr,
    num::NonZeroUsize,
    sync::{Arc, Mutex},
};
use tokio::time::Instant;

/// Messages per second and channel from one peer. A channel reserves room for one burst of it per peer,
/// so a generous quota costs memory.
const MESSAGES_PER_SECOND: u32 = 512;

/// Most messages that wait for one peer and are packed into records together.
const MESSAGES_AT_ONCE: NonZeroUsize = NZUsize!(128);

/// How a node is reached, and which nodes it reaches.
#[derive(Clone, Debug)]
pub struct SocketsConfig {
    /// Who it is.
    pub key: PrivateKey,
    /// Which handshakes it takes and begins.
    pub suites: Suites,
    /// Separates networks: peers of another one fail the handshake.
    pub namespace: Vec<u8>,
    /// Where it listens.
    pub listen: SocketAddr,
    /// The nodes that it dials, and where.
    pub peers: Vec<(PublicKey, SocketAddr)>,
    /// Longest message it takes, in bytes.
    pub message_bytes_max: u32,
}

/// A node's sockets. Register channels, then start.
pub struct Sockets {
    context: tokio_runtime::Context,
    network: Network<tokio_runtime::Context, Ik>,
    oracle: lookup::Oracle<PublicKey>,
    me: PublicKey,
    peers: Vec<PublicKey>,
}

impl Sockets {
    /// Listen for `config.peers` and dial them. Nothing moves before [`Self::start`].
    pub fn new(context: tokio_runtime::Context, config: SocketsConfig) -> Self {
        let me = Identity::new(&signing_key(&config.key));
        let handshake = Ik::new(me, config.suites);
        let me = handshake.public_key();
        let peers_max = NonZeroUsize::new(config.peers.len()).unwrap_or(NonZeroUsize::MIN);
        let settings = lookup::Config::local(
            handshake,
            &config.namespace,
            config.listen,
            peers_max,
            config.message_bytes_max,
            NZUsize!(1_024),
        );
        let settings = lookup::Config { send_batch_size: MESSAGES_AT_ONCE, ..settings };
        let (network, mut oracle) = Network::new(context.child("network"), settings);
        let addresses =
            config.peers.iter().map(|(key, address)| (key.clone(), Address::Symmetric(*address)));
        oracle.track(0, Map::from_iter_dedup(addresses));
        let peers = config.peers.into_iter().map(|(key, _)| key).collect();
        Self { context, network, oracle, me, peers }
    }

    /// The two ends of `channel`.
    pub fn register(&mut self, channel: Channel) -> (Sender, Receiver) {
        let quota = Quota::per_second(NZU32!(MESSAGES_PER_SECOND));
        let (sender, mut incoming) = self.network.register(channel, quota);
        let (inbox, receiver) = Receiver::new();
        self.context.child("inbox").with_attribute("channel", channel).spawn(move |_| async move {
            let mut sequence = 0;
            while let Ok(message) = incoming.recv().await {
                sequence += 1;
                let parcel = Parcel { due: Instant::now(), sequence, message };
                if inbox.send(parcel).await.is_err() {
                    return;
                }
            }
        });
        let outlet = SocketOutlet {
            sender: Mutex::new(sender),
            me: self.me.clone(),
            peers: self.peers.clone(),
        };
        (Sender(Arc::new(outlet)), receiver)
    }

    /// The peers that this node refuses to talk to.
    pub fn blocks(&self) -> Blocks {
        Blocks::default()
    }

    /// Begin to listen and dial.
    pub fn start(self) -> Handle<()> {
        drop(self.oracle);
        self.network.start()
    }
}

struct SocketOutlet<S> {
    sender: Mutex<S>,
    me: PublicKey,
    peers: Vec<PublicKey>,
}

impl<S: LimitedSender<PublicKey = PublicKey>> Outlet for SocketOutlet<S> {
    fn recipients(&self, wanted: Recipients<PublicKey>) -> Vec<PublicKey> {
        let known = |peer: &PublicKey| *peer != self.me && self.peers.contains(peer);
        match wanted {
            Recipients::All => self.peers.iter().filter(|peer| known(peer)).cloned().collect(),
            Recipients::Some(some) => some.into_iter().filter(known).collect(),
            Recipients::One(one) => Some(one).filter(known).into_iter().collect(),
        }
    }

    fn send(&self, to: &[PublicKey], message: IoBufs, priority: bool) -> bool {
        let mut sender = self.sender.lock().expect("no panic while locked");
        match sender.check(Recipients::Some(to.to_vec())) {
            Ok(checked) => checked.send(message, priority).accepted(),
            Err(_rate_limited_until) => false,
        }
    }
}
