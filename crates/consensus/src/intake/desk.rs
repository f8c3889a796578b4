//! Judging transactions: by their signatures, by the newest state, and by what waits already.

use crate::{
    news::SubmitError,
    shared::Shared,
    store::{Databases, TipStore, accounts},
    transition::Before,
};
use chain::{CheckedTx, Mode, Proposal, Refusal};
use commonware_runtime::Spawner;
use commonware_storage::Context as StorageContext;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use types::{Address, Tx, TxId};

/// What a transaction is judged against.
pub(crate) struct Desk<E: StorageContext + Spawner> {
    pub(crate) shared: Arc<Shared>,
    pub(crate) databases: Databases<E>,
}

impl<E: StorageContext + Spawner> Desk<E> {
    /// The first `from_clients` are a client's: those are refused here, before anything moves, if the
    /// newest state would refuse them. A peer has judged the others for its own clients. Also returns
    /// what peers should hear of.
    pub(super) async fn admit(
        &self,
        txs: Vec<Tx>,
        from_clients: usize,
    ) -> (Vec<Result<CheckedTx, SubmitError>>, Vec<CheckedTx>) {
        let shared = &*self.shared;
        // Before any work is done: this is what keeps a flooded node on its feet.
        if shared.memory().is_full() {
            let full = |_| Err(mempool::Rejected::Full.into());
            return (txs.iter().map(full).collect(), Vec::new());
        }
        let mut verdicts: Vec<Result<CheckedTx, SubmitError>> =
            shared.check_known(txs).into_iter().map(|checked| Ok(checked?)).collect();
        // What the state said before a block became final does not hold for the pool after it.
        let news = loop {
            let round = shared.memory().round();
            let nonces = self.nonces(verdicts.iter().flatten()).await;
            self.rehearse(&mut verdicts[..from_clients], &nonces).await;
            let news = shared.memory().admit(round, &nonces, &mut verdicts, from_clients);
            if let Some(news) = news {
                break news;
            }
        };
        shared.work.notify_waiters();
        (verdicts, news)
    }

    /// The next nonce of every sender in the newest state.
    async fn nonces(&self, txs: impl Iterator<Item = &CheckedTx>) -> BTreeMap<Address, u64> {
        let senders: BTreeSet<Address> = txs.map(CheckedTx::from).collect();
        let (mut nonces, mut unknown) = (BTreeMap::new(), Vec::new());
        {
            let memory = self.shared.memory();
            for sender in senders {
                match memory.state_nonce(&sender) {
                    Some(nonce) => drop(nonces.insert(sender, nonce)),
                    None => unknown.push(sender),
                }
            }
        }
        if !unknown.is_empty() {
            let found = accounts(&self.databases, &unknown).await;
            nonces.extend(unknown.into_iter().zip(found.into_iter().map(|account| account.nonce)));
        }
        nonces
    }

    /// What the next block would say to these transactions if nothing else were in it. One that waits
    /// for others of its sender cannot be judged yet and passes.
    async fn rehearse(
        &self,
        verdicts: &mut [Result<CheckedTx, SubmitError>],
        nonces: &BTreeMap<Address, u64>,
    ) {
        let next = verdicts
            .iter()
            .flatten()
            .filter(|tx| tx.tx().nonce == nonces[&tx.from()])
            .cloned()
            .collect::<Vec<_>>();
        if next.is_empty() {
            return;
        }
        let tip = self.shared.memory().tip().cloned();
        let Some(tip) = tip else {
            verdicts.fill_with(|| Err(SubmitError::NotReady));
            return;
        };
        let context = chain::BlockContext {
            network: self.shared.network,
            chain: self.shared.chain(),
            height: tip.height.next(),
            term: tip.term,
            // Nobody knows the next block's view and leader yet. A guess is good enough here: the block asks again.
            view: tip.view + 1,
            leader: tip.leader,
            timestamp: tip.timestamp,
        };
        let applied = {
            let state = self.databases.0.read().await;
            let proposal = Proposal { beacons: vec![], txs: next };
            let store = TipStore::<E>(&state);
            let (before, genesis) = (Before::of(&store), &self.shared.genesis);
            let transition = &self.shared.transition;
            transition
                .apply(before, genesis, &context, proposal, Mode::Build)
                .await
                .expect("building leaves out what it refuses")
        };
        let refused: BTreeMap<TxId, Refusal> =
            applied.refused.into_iter().map(|(tx, refusal)| (tx.id(), refusal)).collect();
        for verdict in verdicts {
            let refusal = verdict.as_ref().ok().and_then(|tx| refused.get(&tx.id()));
            if let Some(refusal) = refusal {
                *verdict = Err((*refusal).into());
            }
        }
    }
}
