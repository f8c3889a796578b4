//! What the application, the intake, the listener and the handle of one validator share: what never changes, and one
//! [`Memory`] behind one lock.
//!
//! Consensus reports seeds and faults in a function that cannot wait, so a bounded mailbox would have to drop them
//! when it is full. A proposer reads seeds and transactions while its view runs, and would stand behind all clients.
//! Hence a lock (ADR 17). There is one, so there is no order to take locks in. It is never held across an `await`:
//! its guard cannot be sent to another thread, and every task of the engine must be.

use crate::{
    block::Block,
    locked::lock,
    memory::{Memory, News, RECENT_MAX},
    news::Final,
    transition::Transition,
};
use chain::{CheckedTx, Refusal, check_txs};
use receipt::{check_equivocation, light::Scheme};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::{Notify, broadcast};
use types::{ChainId, EquivocationProof, Hash, Tx, network::Genesis};

pub(crate) struct Shared {
    pub(crate) network: Hash,
    pub(crate) genesis: Genesis,
    pub(crate) genesis_block: Block,
    pub(crate) scheme: Scheme,
    pub(crate) transition: Arc<dyn Transition>,
    pub(crate) finals: broadcast::Sender<Arc<Final>>,
    /// Woken when the chain may have to stop resting.
    pub(crate) work: Notify,
    memory: Mutex<Memory>,
}

impl Shared {
    pub(crate) fn new(
        network: Hash,
        genesis: Genesis,
        genesis_block: Block,
        scheme: Scheme,
        pool: mempool::Limits,
        transition: Arc<dyn Transition>,
    ) -> Self {
        let (finals, _) = broadcast::channel(RECENT_MAX);
        let memory = Mutex::new(Memory::new(pool));
        Self {
            network,
            genesis,
            genesis_block,
            scheme,
            transition,
            finals,
            work: Notify::new(),
            memory,
        }
    }

    pub(crate) const fn chain(&self) -> ChainId {
        self.genesis.chain
    }

    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        lock(&self.memory)
    }

    /// Keep `proof` if it holds. The library reports before it has verified a signature.
    pub(crate) fn accuse(&self, proof: EquivocationProof) {
        if let Err(error) = check_equivocation(&proof, &self.network) {
            tracing::debug!(key = %proof.key, %error, "no equivocation proof");
        } else if self.memory().accuse(proof) {
            let EquivocationProof { key, first, .. } = proof;
            tracing::warn!(chain = %first.chain, %key, view = first.view, "a validator signed twice");
        }
    }

    /// [`check_txs`], except that what waits in the pool was checked when it came.
    pub(crate) fn check_known(&self, txs: Vec<Tx>) -> Vec<Result<CheckedTx, Refusal>> {
        // The lock is not held while signatures are checked: that takes milliseconds, and consensus reports under the
        // same lock.
        let known = self.memory().known(&txs);
        let mut unknown = Vec::new();
        for (tx, known) in txs.into_iter().zip(&known) {
            if known.is_none() {
                unknown.push(tx);
            }
        }
        self.memory().count_checked(unknown.len() as u64);
        let mut checked = check_txs(unknown, &self.network, self.chain()).into_iter();
        known
            .into_iter()
            .map(|known| match known {
                Some(tx) => Ok(tx),
                None => checked.next().expect("one verdict for each unknown one"),
            })
            .collect()
    }
}

/// A caller that no longer listens needs no answer.
pub(crate) fn tell(news: Vec<News>) {
    for (watcher, fate) in news {
        let _ = watcher.send(fate);
    }
}
