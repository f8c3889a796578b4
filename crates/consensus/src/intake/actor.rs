//! The one task: take what has arrived, judge it, answer, pass it on.

use super::{
    BATCH_TXS,
    desk::Desk,
    ingress::Request,
    state::{Batch, Round},
};
use crate::news::SubmitError;
use chain::{CheckedTx, Refusal};
use commonware_codec::Encode as _;
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{Receiver, Recipients, Sender};
use commonware_runtime::{IoBuf, Spawner};
use commonware_storage::Context as StorageContext;
use futures::FutureExt as _;
use std::collections::BTreeSet;
use tokio::sync::mpsc;
use types::codec::EncodeSize as _;

/// Most bytes in one message to peers.
const MESSAGE_BYTES: usize = 256 << 10;

/// One validator's intake.
pub(crate) struct Intake<E: StorageContext + Spawner, S, R> {
    pub(crate) desk: Desk<E>,
    pub(crate) requests: mpsc::Receiver<Request>,
    pub(crate) sender: S,
    pub(crate) receiver: R,
    /// Peers that passed on a transaction with a bad signature: an honest validator checks first. One bad
    /// signature spoils a whole batch, so nothing more is taken from them until this validator restarts.
    pub(crate) distrusted: BTreeSet<PublicKey>,
}

impl<E, S, R> Intake<E, S, R>
where
    E: StorageContext + Spawner,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
{
    /// Serve clients and peers until both channels close.
    pub(crate) async fn run(mut self) {
        loop {
            let mut round = Round::default();
            // Biased, so that a simulation with the same seed goes the same way.
            tokio::select! {
                biased;
                message = self.receiver.recv() => match message {
                    Ok((peer, bytes)) => self.hear(&mut round, peer, bytes),
                    Err(_) => return,
                },
                Some(request) = self.requests.recv() => round.take(request),
            }
            // Both take turns, so that neither can starve the other.
            while round.txs.len() < BATCH_TXS {
                let peer = self.receiver.recv().now_or_never();
                let client = self.requests.try_recv().ok();
                if peer.is_none() && client.is_none() {
                    break;
                }
                if let Some(Ok((peer, bytes))) = peer {
                    self.hear(&mut round, peer, bytes);
                }
                if let Some(request) = client {
                    round.take(request);
                }
            }
            self.settle(round).await;
        }
    }

    fn hear(&self, round: &mut Round, peer: PublicKey, bytes: IoBuf) {
        if !self.distrusted.contains(&peer) {
            round.hear(peer, bytes);
        }
    }

    /// Check a round's transactions, keep the good ones, answer clients and tell peers.
    async fn settle(&mut self, round: Round) {
        let Round { txs, replies, from_clients, peers } = round;
        let (verdicts, news) = self.desk.admit(txs, from_clients).await;
        // Before clients are answered, so that the next leader may have it by then.
        self.spread(&news);
        let mut from_peers = verdicts[from_clients..].iter();
        for (peer, count) in peers {
            let forged = |verdict: &Result<CheckedTx, SubmitError>| {
                matches!(verdict, Err(SubmitError::Refused(Refusal::BadSignature)))
            };
            // All of a peer's are looked at, so that the next peer's begin where they should.
            if from_peers.by_ref().take(count).filter(|verdict| forged(verdict)).count() > 0 {
                tracing::warn!(chain = %self.desk.shared.chain(), %peer, "peer passes on forged transactions");
                self.distrusted.insert(peer);
            }
        }
        let mut verdicts = verdicts.into_iter().map(|verdict| verdict.map(|checked| checked.id()));
        for (count, reply) in replies {
            // A client that has gone away needs no answer.
            let _ = reply.send(verdicts.by_ref().take(count).collect());
        }
    }

    fn spread(&mut self, txs: &[CheckedTx]) {
        let mut rest = txs;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = rest.iter().take(BATCH_TXS).take_while(|tx| {
                bytes += tx.bytes();
                bytes <= MESSAGE_BYTES
            });
            let (now, later) = rest.split_at(fits.count().max(1));
            let batch = Batch::new(now.iter().map(|tx| tx.tx().clone()).collect());
            let batch = batch.expect("taken within the bound");
            debug_assert!(batch.encode_size() < 2 * MESSAGE_BYTES);
            // Without priority: votes and blocks go first, and a transaction that is late is in the next block.
            self.sender.send(Recipients::All, IoBuf::from(batch.encode()), false);
            rest = later;
        }
    }
}
