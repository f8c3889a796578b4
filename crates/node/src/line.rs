//! What one key says on its chain: a worker's, or the faucet's, in order and in batches.
//!
//! Sending statements one by one would let each wait for the one before; here all that waits goes together. What becomes
//! of each is `worker`'s rule ([`worker::Tries`]).

use commonware_runtime::tokio::Context;
use consensus::{Chain, Fate, SubmitError};
use crypto::SigningKey;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use types::{
    Action, Address, Hash, Intent, Millis, NanoMeshx, Nonce, PublicKey, Tx, TxId,
    state::{Key, Market},
};
use worker::{AGAIN_AFTER, Next, Tries, Try};

/// Most statements sent at once.
const BATCH: usize = 256;

/// A statement, how often it was sent, and where to say that it is final or will never be.
struct Item {
    action: Action,
    tries: Tries,
    done: oneshot::Sender<Result<TxId, SubmitError>>,
}

/// A key's line to its chain. Cloning shares it.
#[derive(Clone)]
pub(crate) struct Line(mpsc::UnboundedSender<Item>);

impl Line {
    /// Open a line for `key`. It closes when the last clone is dropped.
    pub(crate) fn open(chain: Chain<Context>, key: SigningKey, network: Hash) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let speaker = Speaker { chain, key, network, again: sender.downgrade() };
        tokio::spawn(speaker.run(receiver));
        Self(sender)
    }

    /// Say `action`, and wait until it is final. The queue is bounded by what the worker owes: its
    /// capacity, twice.
    pub(crate) async fn say(&self, action: Action) -> Result<TxId, SubmitError> {
        let (done, outcome) = oneshot::channel();
        let item = Item { action, tries: Tries::default(), done };
        self.0.send(item).map_err(|_| SubmitError::Stopped)?;
        outcome.await.unwrap_or(Err(SubmitError::Stopped))
    }
}

struct Speaker {
    chain: Chain<Context>,
    key: SigningKey,
    network: Hash,
    /// Back into our own queue, without keeping it open.
    again: mpsc::WeakUnboundedSender<Item>,
}

impl Speaker {
    async fn run(self, mut waiting: mpsc::UnboundedReceiver<Item>) {
        let mut batch = Vec::new();
        while waiting.recv_many(&mut batch, BATCH).await > 0 {
            let refused = self.send(std::mem::take(&mut batch)).await;
            if !refused.is_empty() {
                // Nothing else is sent meanwhile: a full pool would not take that either.
                sleep(AGAIN_AFTER).await;
            }
            refused.into_iter().for_each(|item| put_back(&self.again, item));
        }
    }

    /// Send `batch`; returns what is to be sent again.
    async fn send(&self, batch: Vec<Item>) -> Vec<Item> {
        let sender = PublicKey(self.key.public());
        let first = self.chain.next_nonce(Address::of(&sender)).await;
        let market: Option<Market> = self.chain.record(Key::Market).await;
        // Before there is a market, there is no account that could pay either.
        let fee_max = market.map_or(NanoMeshx::ZERO, |market| client::fee_max(market.base_fee));
        let txs: Vec<Tx> = (first..)
            .zip(&batch)
            .map(|(nonce, item)| self.signed(sender, (nonce, fee_max), item.action.clone()))
            .collect();
        let ids: Vec<TxId> = txs.iter().map(Tx::id).collect();
        // Before they are sent, so that no fate is missed.
        let fates: Vec<_> = txs.iter().map(|tx| self.chain.watch(tx.id())).collect();
        let verdicts = self.chain.submit_all(txs).await;
        let mut again = Vec::new();
        for (((item, verdict), fate), id) in batch.into_iter().zip(verdicts).zip(fates).zip(ids) {
            match verdict {
                Ok(_) => self.follow(item, id, fate),
                Err(error) => again.extend(tried(item, Err(error)).map(|(item, _)| item)),
            }
        }
        again
    }

    /// Wait for what becomes of a statement that the chain took.
    fn follow(&self, item: Item, id: TxId, fate: oneshot::Receiver<Fate>) {
        let again = self.again.clone();
        tokio::spawn(async move {
            let came_to = match fate.await {
                Ok(fate) => fate.into_final().map(|_| id),
                Err(_) => Err(SubmitError::Stopped),
            };
            if let Some((item, after)) = tried(item, came_to) {
                sleep(after).await;
                put_back(&again, item);
            }
        });
    }

    fn signed(&self, sender: PublicKey, (nonce, fee_max): (u64, NanoMeshx), action: Action) -> Tx {
        let (chain, tip) = (self.chain.id(), NanoMeshx::ZERO);
        let intent = Intent { chain, nonce: Nonce::strict(nonce), tip, fee_max, action };
        Tx::signed(&self.network, sender, intent, |domain, message| self.key.sign(domain, message))
    }
}

/// Say what one try came to if that was the last, or give the statement back with the pause before the next.
fn tried(mut item: Item, came_to: Result<TxId, SubmitError>) -> Option<(Item, Millis)> {
    let worth = match &came_to {
        Ok(_) => Try::Final,
        Err(error) => Try::failed(error.is_lasting()),
    };
    match item.tries.after(worth) {
        Next::Again(after) => Some((item, after)),
        Next::Done | Next::GiveUp => {
            // A caller that no longer waits does not need it.
            let _ = item.done.send(came_to);
            None
        }
    }
}

fn put_back(again: &mpsc::WeakUnboundedSender<Item>, item: Item) {
    match again.upgrade() {
        Some(queue) => drop(queue.send(item)),
        None => drop(item.done.send(Err(SubmitError::Stopped))),
    }
}

async fn sleep(time: Millis) {
    tokio::time::sleep(Duration::from_millis(time.get())).await;
}
