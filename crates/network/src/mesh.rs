//! A network inside one process. Each message waits as long as it would travel.

use crate::{
    Latency, Place,
    peer::{Blocks, Channel, Outlet, Parcel, Receiver, Sender},
};
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::Recipients;
use commonware_runtime::{IoBuf, IoBufs};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{sync::mpsc, time::Instant};

/// Peers in one process, each in its city. Cloning gives another handle to the same network.
#[derive(Clone)]
pub struct Mesh {
    state: Arc<State>,
}

struct State {
    latency: Latency,
    places: BTreeMap<PublicKey, Place>,
    blocks: BTreeMap<PublicKey, Blocks>,
    inboxes: RwLock<BTreeMap<(Channel, PublicKey), mpsc::Sender<Parcel>>>,
    sequence: AtomicU64,
}

impl Mesh {
    /// A network of the peers in `places`.
    pub fn new(latency: Latency, places: BTreeMap<PublicKey, Place>) -> Self {
        let blocks = places.keys().map(|peer| (peer.clone(), Blocks::default())).collect();
        let state = State {
            latency,
            places,
            blocks,
            inboxes: RwLock::default(),
            sequence: AtomicU64::new(0),
        };
        Self { state: Arc::new(state) }
    }

    /// `me`'s two ends of `channel`. Registering again replaces the former receiver.
    pub fn register(&self, me: &PublicKey, channel: Channel) -> (Sender, Receiver) {
        let (inbox, receiver) = Receiver::new();
        self.state
            .inboxes
            .write()
            .expect("no panic while locked")
            .insert((channel, me.clone()), inbox);
        let outlet = MeshOutlet { state: self.state.clone(), me: me.clone(), channel };
        (Sender(Arc::new(outlet)), receiver)
    }

    /// The peers that `me` refuses to hear.
    pub fn blocks(&self, me: &PublicKey) -> Blocks {
        self.state.blocks.get(me).cloned().unwrap_or_default()
    }
}

struct MeshOutlet {
    state: Arc<State>,
    me: PublicKey,
    channel: Channel,
}

impl Outlet for MeshOutlet {
    fn recipients(&self, wanted: Recipients<PublicKey>) -> Vec<PublicKey> {
        let peers = |peer: &PublicKey| *peer != self.me && self.state.places.contains_key(peer);
        match wanted {
            Recipients::All => {
                self.state.places.keys().filter(|peer| peers(peer)).cloned().collect()
            }
            Recipients::Some(some) => some.into_iter().filter(peers).collect(),
            Recipients::One(one) => Some(one).filter(peers).into_iter().collect(),
        }
    }

    fn send(&self, to: &[PublicKey], message: IoBufs, _priority: bool) -> bool {
        let bytes: IoBuf = message.coalesce();
        let now = Instant::now();
        let inboxes = self.state.inboxes.read().expect("no panic while locked");
        for peer in to {
            if self.state.blocks.get(peer).is_some_and(|blocks| blocks.contains(&self.me)) {
                continue;
            }
            let Some(inbox) = inboxes.get(&(self.channel, peer.clone())) else { continue };
            let delay =
                self.state.latency.one_way(&self.state.places[&self.me], &self.state.places[peer]);
            let sequence = self.state.sequence.fetch_add(1, Ordering::Relaxed);
            // A full inbox drops the message: consensus asks again for what it misses.
            let _ = inbox.try_send(Parcel {
                due: now + delay,
                sequence,
                message: (self.me.clone(), bytes.clone()),
            });
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use commonware_cryptography::Signer as _;
    use commonware_p2p::{Blocker as _, Receiver as _, Sender as _};

    fn mesh(cities: &[&str], latency: Latency) -> (Mesh, Vec<PublicKey>) {
        let keys: Vec<PublicKey> = (0..cities.len() as u64)
            .map(|n| crate::PrivateKey::from_seed(n).public_key())
            .collect();
        let places =
            keys.iter().cloned().zip(cities.iter().map(|c| latency.place(c).unwrap())).collect();
        (Mesh::new(latency, places), keys)
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_takes_half_the_round_trip() {
        let (mesh, keys) = mesh(&["Frankfurt", "Madrid"], Latency::real());
        let (mut sender, _) = mesh.register(&keys[0], 1);
        let (_, mut receiver) = mesh.register(&keys[1], 1);
        let start = Instant::now();
        sender.send(Recipients::All, IoBuf::from(b"hello".to_vec()), false);
        let (from, bytes) = receiver.recv().await.unwrap();
        assert_eq!((from, bytes.as_ref()), (keys[0].clone(), b"hello".as_slice()));
        assert_eq!(start.elapsed().as_millis(), 33_u128.div_ceil(2));
    }

    #[tokio::test(start_paused = true)]
    async fn messages_of_one_sender_keep_their_order() {
        let (mesh, keys) = mesh(&["Frankfurt", "Madrid"], Latency::real());
        let (mut sender, _) = mesh.register(&keys[0], 1);
        let (_, mut receiver) = mesh.register(&keys[1], 1);
        for n in 0..50_u8 {
            sender.send(Recipients::One(keys[1].clone()), IoBuf::from(vec![n]), false);
        }
        for n in 0..50_u8 {
            assert_eq!(receiver.recv().await.unwrap().1.as_ref(), [n]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_blocked_peer_is_not_heard() {
        let (mesh, keys) = mesh(&["Frankfurt", "Madrid"], Latency::none());
        let (mut sender, _) = mesh.register(&keys[0], 1);
        let (_, mut receiver) = mesh.register(&keys[1], 1);
        #[allow(clippy::disallowed_methods)]
        mesh.blocks(&keys[1]).block(keys[0].clone());
        sender.send(Recipients::All, IoBuf::from(b"hello".to_vec()), false);
        let heard = tokio::time::timeout(std::time::Duration::from_secs(5), receiver.recv()).await;
        assert!(heard.is_err());
    }
}
