//! What one key says on its chain: a worker's, or the faucet's, in order and in batches.
//!
//! Nonces count up by one, so a worker's statements form a line. Sending them one by one would let each
//! wait for the one before; here whatever waits goes together. A statement that the chain refuses takes
//! those behind it out of the line with it: they are sent again with the nonces that are then right.

use commonware_runtime::tokio::Context;
use consensus::{Chain, Fate, SubmitError};
use crypto::SigningKey;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use types::{Action, Address, Hash, Intent, NanoMeshx, PublicKey, Tx, TxId};

/// Most statements sent at once.
const BATCH: usize = 256;
/// How often a statement that the chain does not take yet is sent again, and how long between.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(250);

/// A statement, how often it was sent, and where to say that it is final or will never be.
struct Item {
    action: Action,
    tries: usize,
    done: oneshot::Sender<Result<TxId, SubmitError>>,
}

/// A key's line to its chain. Cloning shares it.
#[derive(Clone)]
pub(crate) struct Outbox(mpsc::UnboundedSender<Item>);

impl Outbox {
    /// Open a line for `key`. It closes when the last clone is dropped.
    pub(crate) fn open(chain: Chain<Context>, key: SigningKey, network: Hash) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let line = Line { chain, key, network, again: sender.downgrade() };
        tokio::spawn(line.run(receiver));
        Self(sender)
    }

    /// Say `action`, and wait until it is final. The queue is bounded by what the worker owes: its
    /// capacity, twice.
    pub(crate) async fn say(&self, action: Action) -> Result<TxId, SubmitError> {
        let (done, outcome) = oneshot::channel();
        self.0.send(Item { action, tries: 0, done }).map_err(|_| SubmitError::Stopped)?;
        outcome.await.unwrap_or(Err(SubmitError::Stopped))
    }
}

struct Line {
    chain: Chain<Context>,
    key: SigningKey,
    network: Hash,
    /// Back into our own queue, without keeping it open.
    again: mpsc::WeakUnboundedSender<Item>,
}

impl Line {
    async fn run(self, mut waiting: mpsc::UnboundedReceiver<Item>) {
        let mut batch = Vec::new();
        while waiting.recv_many(&mut batch, BATCH).await > 0 {
            let refused = self.send(std::mem::take(&mut batch)).await;
            if !refused.is_empty() {
                tokio::time::sleep(PAUSE).await;
            }
            refused.into_iter().for_each(|item| self.repeat(item, SubmitError::Stopped));
        }
    }

    /// Send `batch`; returns what the chain did not take.
    async fn send(&self, batch: Vec<Item>) -> Vec<Item> {
        let sender = PublicKey(self.key.public());
        let first = self.chain.next_nonce(Address::of(&sender)).await;
        let txs: Vec<Tx> = (first..)
            .zip(&batch)
            .map(|(nonce, item)| self.signed(sender, nonce, item.action.clone()))
            .collect();
        let ids: Vec<TxId> = txs.iter().map(Tx::id).collect();
        let fates: Vec<_> = txs.iter().map(|tx| self.chain.watch(tx.id())).collect();
        let verdicts = self.chain.submit_all(txs).await;
        let mut refused = Vec::new();
        for (((item, verdict), fate), id) in batch.into_iter().zip(verdicts).zip(fates).zip(ids) {
            match verdict {
                Ok(_) => self.follow(item, id, fate),
                Err(error) if error.is_lasting() => drop(item.done.send(Err(error))),
                Err(_) => refused.push(item),
            }
        }
        refused
    }

    /// Wait for what becomes of a statement that the chain took.
    fn follow(&self, item: Item, id: TxId, fate: oneshot::Receiver<Fate>) {
        let again = self.again.clone();
        tokio::spawn(async move {
            match fate.await {
                Ok(Fate::Final { .. }) => drop(item.done.send(Ok(id))),
                Ok(Fate::Refused(refusal)) => drop(item.done.send(Err(refusal.into()))),
                Ok(Fate::Displaced) => repeat(&again, item, SubmitError::Stopped),
                Err(_) => drop(item.done.send(Err(SubmitError::Stopped))),
            }
        });
    }

    fn repeat(&self, item: Item, error: SubmitError) {
        repeat(&self.again, item, error);
    }

    fn signed(&self, sender: PublicKey, nonce: u64, action: Action) -> Tx {
        let intent = Intent { chain: self.chain.id(), nonce, tip: NanoMeshx::ZERO, action };
        Tx::signed(&self.network, sender, intent, |domain, message| self.key.sign(domain, message))
    }
}

/// Put `item` back into the line, or give up with `error`.
fn repeat(again: &mpsc::WeakUnboundedSender<Item>, mut item: Item, error: SubmitError) {
    item.tries += 1;
    match again.upgrade().filter(|_| item.tries < TRIES) {
        Some(queue) => drop(queue.send(item)),
        None => drop(item.done.send(Err(error))),
    }
}
