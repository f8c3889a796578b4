//! The one task: take what has arrived, judge it, answer, pass it on.

use super::{
    BATCH_TXS,
    desk::Desk,
    ingress::Request,
    patience::Patience,
    state::{Batch, Round},
};
use crate::{clock::now, news::SubmitError};
use chain::{CheckedTx, Refusal};
use commonware_codec::Encode as _;
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{Receiver, Recipients, Sender};
use commonware_runtime::{Clock, IoBuf, Spawner};
use commonware_storage::Context as StorageContext;
use futures::FutureExt as _;
use std::collections::BTreeSet;
use tokio::sync::mpsc;
use types::{Millis, codec::EncodeSize as _};

/// Most bytes in one message to peers.
const MESSAGE_BYTES: usize = 256 << 10;

/// One validator's intake.
pub(crate) struct Intake<E: StorageContext + Spawner, S, R> {
    clock: E,
    desk: Desk<E>,
    requests: mpsc::Receiver<Request>,
    sender: S,
    receiver: R,
    patience: Patience,
    /// Peers that passed on a transaction with a bad signature: an honest validator checks first. One bad
    /// signature spoils a whole batch, so nothing more is taken from them until this validator restarts.
    distrusted: BTreeSet<PublicKey>,
}

impl<E, S, R> Intake<E, S, R>
where
    E: StorageContext + Spawner + Clock,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
{
    pub(crate) fn new(
        clock: E,
        desk: Desk<E>,
        (requests, sender, receiver): (mpsc::Receiver<Request>, S, R),
    ) -> Self {
        let (patience, distrusted) = (Patience::default(), BTreeSet::new());
        Self { clock, desk, requests, sender, receiver, patience, distrusted }
    }

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

    fn now(&self) -> Millis {
        Millis::new(now(&self.clock))
    }

    fn hear(&self, round: &mut Round, peer: PublicKey, bytes: IoBuf) {
        if !self.distrusted.contains(&peer) && self.patience.has(&peer, self.now()) {
            round.hear(peer, bytes);
        }
    }

    /// Check a round's transactions, keep the good ones, answer clients and tell peers.
    async fn settle(&mut self, round: Round) {
        let (brought, now) = (round.brought(), self.now());
        let Round { txs, replies, from_clients, peers } = round;
        let (verdicts, news) = self.desk.admit(txs, &brought, now).await;
        // Before clients are answered, so that the next leader may have it by then.
        self.spread(&news);
        let mut from_peers = verdicts[from_clients..].iter();
        for (peer, count) in peers {
            // All of a peer's are looked at, so that the next peer's begin where they should.
            let (mut forged, mut mistakes) = (false, 0);
            for verdict in from_peers.by_ref().take(count) {
                match verdict {
                    Err(SubmitError::Refused(Refusal::BadSignature)) => forged = true,
                    // Its own rehearsal should have refused these.
                    Err(
                        SubmitError::Refused(_)
                        | SubmitError::Rejected(mempool::Rejected::Unfunded { .. }),
                    ) => mistakes += 1,
                    _ => {}
                }
            }
            self.patience.lose(&peer, mistakes, now);
            if forged {
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
