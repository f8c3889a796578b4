//! The two ends of a channel, over any carrier.

use commonware_actor::{Feedback, Unreliable};
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{
    BlockedSubscription, Blocker, CheckedSender, LimitedSender, Message, Recipients,
};
use commonware_runtime::IoBufs;
use commonware_utils::{NZUsize, channel::ring, ordered::Set};
use std::{
    collections::BinaryHeap,
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    time::SystemTime,
};
use tokio::{sync::mpsc, time::Instant};

/// Names one stream of messages between peers.
pub type Channel = u64;

/// Most messages that wait for one receiver; more are dropped, as a full network queue would.
pub(crate) const INBOX_MESSAGES_MAX: usize = 4_096;

/// Where a [`Sender`]'s messages go. Never blocks; what does not fit is dropped.
pub(crate) trait Outlet: Send + Sync + 'static {
    fn recipients(&self, wanted: Recipients<PublicKey>) -> Vec<PublicKey>;
    fn send(&self, to: &[PublicKey], message: IoBufs, priority: bool) -> bool;
}

/// The sending end of a channel; clones share it.
#[derive(Clone)]
pub struct Sender(pub(crate) Arc<dyn Outlet>);

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sender")
    }
}

impl LimitedSender for Sender {
    type PublicKey = PublicKey;
    type Checked<'a> = Checked;
    fn check(&mut self, recipients: Recipients<PublicKey>) -> Result<Checked, SystemTime> {
        Ok(Checked { to: self.0.recipients(recipients), outlet: self.0.clone() })
    }
}

/// A message's recipients, chosen before the message is made.
pub struct Checked {
    to: Vec<PublicKey>,
    outlet: Arc<dyn Outlet>,
}

impl CheckedSender for Checked {
    type PublicKey = PublicKey;
    fn recipients(&self) -> Vec<PublicKey> {
        self.to.clone()
    }
    fn send(self, message: impl Into<IoBufs> + Send, priority: bool) -> Unreliable<Feedback> {
        if self.outlet.send(&self.to, message.into(), priority) {
            Unreliable::new(Feedback::Ok)
        } else {
            Unreliable::rejected()
        }
    }
}

/// A message and the moment it arrives.
pub(crate) struct Parcel {
    pub(crate) due: Instant,
    /// Breaks ties, so that two messages of one sender keep their order.
    pub(crate) sequence: u64,
    pub(crate) message: Message<PublicKey>,
}

impl PartialEq for Parcel {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Parcel {}
impl PartialOrd for Parcel {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Parcel {
    /// Greatest = due first, because [`BinaryHeap`] pops the greatest.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.due, other.sequence).cmp(&(self.due, self.sequence))
    }
}

/// The receiving end of a channel.
pub struct Receiver {
    inbox: mpsc::Receiver<Parcel>,
    /// Arrived in the process, not yet in the city.
    travelling: BinaryHeap<Parcel>,
}

impl Receiver {
    pub(crate) fn new() -> (mpsc::Sender<Parcel>, Self) {
        let (sender, inbox) = mpsc::channel(INBOX_MESSAGES_MAX);
        (sender, Self { inbox, travelling: BinaryHeap::new() })
    }
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Receiver")
    }
}

/// The other side is gone: the node is shutting down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the channel is closed")]
pub struct Closed;

impl commonware_p2p::Receiver for Receiver {
    type Error = Closed;
    type PublicKey = PublicKey;

    /// Cancel-safe: consensus polls this inside `select!`, so what has been taken from the inbox is kept
    /// in `self` across every await.
    async fn recv(&mut self) -> Result<Message<PublicKey>, Closed> {
        loop {
            while let Ok(parcel) = self.inbox.try_recv() {
                self.travelling.push(parcel);
            }
            let Some(next) = self.travelling.peek() else {
                let parcel = self.inbox.recv().await.ok_or(Closed)?;
                self.travelling.push(parcel);
                continue;
            };
            if next.due <= Instant::now() {
                return Ok(self.travelling.pop().expect("peeked").message);
            }
            let due = next.due;
            tokio::select! {
                parcel = self.inbox.recv() => self.travelling.push(parcel.ok_or(Closed)?),
                () = tokio::time::sleep_until(due) => {}
            }
        }
    }

    fn capacity(&self) -> NonZeroUsize {
        NZUsize!(INBOX_MESSAGES_MAX)
    }
}

/// The peers one node will not listen to any more.
#[derive(Clone, Default)]
pub struct Blocks {
    state: Arc<Mutex<BlocksState>>,
}

#[derive(Default)]
struct BlocksState {
    blocked: std::collections::BTreeSet<PublicKey>,
    subscribers: Vec<ring::Sender<Set<PublicKey>>>,
}

impl Blocks {
    /// Whether nothing of this peer is let through.
    pub fn contains(&self, peer: &PublicKey) -> bool {
        self.state.lock().expect("no panic while locked").blocked.contains(peer)
    }
}

impl Blocker for Blocks {
    type PublicKey = PublicKey;
    fn block(&mut self, peer: PublicKey) -> Feedback {
        let mut state = self.state.lock().expect("no panic while locked");
        state.blocked.insert(peer);
        let all = Set::from_iter_dedup(state.blocked.iter().cloned());
        state.subscribers.retain(|subscriber| subscriber.send_lossy(all.clone()));
        Feedback::Ok
    }
    fn blocked(&mut self) -> BlockedSubscription<PublicKey> {
        let (sender, receiver) = ring::channel(NZUsize!(1));
        let mut state = self.state.lock().expect("no panic while locked");
        sender.send_lossy(Set::from_iter_dedup(state.blocked.iter().cloned()));
        state.subscribers.push(sender);
        receiver
    }
}

/// The identity key made from 32 secret bytes.
pub fn private_key(secret: &[u8; 32]) -> commonware_cryptography::ed25519::PrivateKey {
    use commonware_codec::DecodeExt as _;
    commonware_cryptography::ed25519::PrivateKey::decode(secret.to_vec())
        .expect("any 32 bytes are an Ed25519 seed")
}

/// The identity in the form that signs for MeshX.
pub fn signing_key(key: &commonware_cryptography::ed25519::PrivateKey) -> crypto::SigningKey {
    use commonware_codec::Write as _;
    let mut seed = zeroize::Zeroizing::new([0; 32]);
    key.write(&mut seed.as_mut_slice());
    crypto::SigningKey::from_seed(&seed)
}

/// The public half of an identity, as the rest of MeshX writes it.
pub fn public_key(key: &commonware_cryptography::ed25519::PrivateKey) -> types::PublicKey {
    use commonware_cryptography::Signer as _;
    types::PublicKey(key.public_key().as_ref().try_into().expect("an Ed25519 key has 32 bytes"))
}

/// The public half of an identity, as peers know it.
pub fn peer_key(key: &commonware_cryptography::ed25519::PrivateKey) -> PublicKey {
    use commonware_cryptography::Signer as _;
    key.public_key()
}

/// The peer key behind a validator's key, if it is one.
pub fn consensus_key(key: &types::PublicKey) -> Option<PublicKey> {
    use commonware_codec::DecodeExt as _;
    PublicKey::decode(key.0.to_vec()).ok()
}
