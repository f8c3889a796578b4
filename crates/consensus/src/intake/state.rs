//! What one turn of the task has taken.

use super::{
    BATCH_TXS,
    ingress::{Request, Verdicts},
};
use crate::block::plain_key;
use commonware_codec::DecodeExt as _;
use commonware_cryptography::ed25519::PublicKey;
use commonware_runtime::IoBuf;
use tokio::sync::oneshot;
use types::{List, Tx};

/// What peers send each other.
pub(super) type Batch = List<Tx, BATCH_TXS>;

/// Clients' transactions first, then peers'.
#[derive(Default)]
pub(super) struct Round {
    pub(super) txs: Vec<Tx>,
    pub(super) from_clients: usize,
    pub(super) replies: Vec<(usize, oneshot::Sender<Verdicts>)>,
    /// Whose the others are, in order.
    pub(super) peers: Vec<(PublicKey, usize)>,
}

impl Round {
    pub(super) fn take(&mut self, request: Request) {
        let count = request.txs.len();
        // Clients' before peers', so that one number says which are to be rehearsed and whose verdicts go back.
        self.txs.splice(self.from_clients..self.from_clients, request.txs);
        self.from_clients += count;
        self.replies.push((count, request.reply));
    }

    /// For each transaction, the peer that brought it; `None`: a client of this node.
    pub(super) fn brought(&self) -> Vec<Option<types::PublicKey>> {
        let peers = self
            .peers
            .iter()
            .flat_map(|(peer, count)| std::iter::repeat_n(Some(plain_key(peer)), *count));
        std::iter::repeat_n(None, self.from_clients).chain(peers).collect()
    }

    /// What a peer sends that is no batch is dropped: its node answers for it to its clients, not to us.
    pub(super) fn hear(&mut self, peer: PublicKey, bytes: IoBuf) {
        if let Ok(batch) = Batch::decode(bytes) {
            self.peers.push((peer, batch.len()));
            self.txs.extend(batch.into_vec());
        }
    }
}
