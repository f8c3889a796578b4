//! Judging transactions: by their signatures, by the newest state, and by what waits already.

use super::rehearsal::{Found, Rehearsal};
use crate::{
    memory::{Findings, Standing},
    news::SubmitError,
    shared::{Shared, tell},
    store::{Databases, TipStore},
};
use chain::{CheckedTx, Store as _};
use commonware_runtime::Spawner;
use commonware_storage::Context as StorageContext;
use std::{collections::BTreeMap, sync::Arc};
use types::{
    Address, Millis, NanoMeshx, PublicKey, Tx,
    codec::DecodeExt as _,
    state::{Account, Key, Market},
};

/// What a transaction is judged against.
pub(crate) struct Desk<E: StorageContext + Spawner> {
    pub(crate) shared: Arc<Shared>,
    pub(crate) databases: Databases<E>,
}

type Verdict = Result<CheckedTx, SubmitError>;

impl<E: StorageContext + Spawner> Desk<E> {
    /// What becomes of `txs`, and what peers should hear of. `brought` says for each which peer brought it; `None`: a
    /// client of this node.
    pub(super) async fn admit(
        &self,
        txs: Vec<Tx>,
        brought: &[Option<PublicKey>],
        now: Millis,
    ) -> (Vec<Verdict>, Vec<CheckedTx>) {
        let shared = &*self.shared;
        let mut verdicts = self.check(txs);
        // What the state said before a block became final does not hold for the pool after it.
        let admitted = loop {
            let (round, crowded) = {
                let memory = shared.memory();
                (memory.round(), memory.is_crowded())
            };
            let (standings, base_fee) = self.look_up(&verdicts).await;
            let rehearsal = Rehearsal::of(
                &verdicts,
                |index| crowded || brought[index].is_none(),
                |sender| standings[sender].nonce,
            );
            let Found { proven, refused } = self.rehearse(&mut verdicts, rehearsal).await;
            for (verdict, from) in verdicts.iter_mut().zip(brought) {
                let Ok(tx) = verdict else { continue };
                // What a peer's validator settles may belong to a block that is not here yet: it waits a while.
                let may_wait = from.is_some() && tx.duty().is_some();
                if let Some(refusal) = refused.get(&tx.id()).filter(|_| !may_wait) {
                    *verdict = Err((*refusal).into());
                }
            }
            let findings = Findings { round, standings, base_fee, proven, now };
            let admitted = shared.memory().admit(&findings, &mut verdicts, brought);
            if let Some(admitted) = admitted {
                break admitted;
            }
        };
        tell(admitted.news);
        shared.work.notify_waiters();
        (verdicts, admitted.spread)
    }

    /// Check signatures. Those for which there is no room are refused before any work is done: this is what keeps a
    /// flooded node on its feet.
    fn check(&self, txs: Vec<Tx>) -> Vec<Verdict> {
        let closed = self.shared.memory().closed_to(&txs);
        let open = txs.into_iter().zip(&closed).filter(|(_, closed)| !**closed).map(|(tx, _)| tx);
        let mut checked = self.shared.check_known(open.collect()).into_iter();
        let verdict = |closed: &bool| {
            if *closed {
                return Err(mempool::Rejected::Full.into());
            }
            Ok(checked.next().expect("one verdict for each that there may be room for")?)
        };
        closed.iter().map(verdict).collect()
    }

    /// Nonce and balance of every sender in the newest state, and what the next block asks of each transaction.
    async fn look_up(&self, verdicts: &[Verdict]) -> (BTreeMap<Address, Standing>, NanoMeshx) {
        let known_fee = self.shared.memory().base_fee();
        let base_fee = match known_fee {
            Some(base_fee) => base_fee,
            None => {
                let market = self.records(&[Key::Market]).await.pop().flatten();
                let market = market
                    .map(|bytes| Market::decode(bytes).expect("state holds what this code wrote"));
                // Before there is a state, nobody has an account in it.
                market.map_or(NanoMeshx::ZERO, |market| market.base_fee)
            }
        };
        let mut costs: BTreeMap<Address, u64> = BTreeMap::new();
        for tx in verdicts.iter().flatten() {
            let cost = costs.entry(tx.from()).or_default();
            *cost = cost.saturating_add(tx.cost(base_fee).get());
        }
        let (mut standings, mut unknown) = (BTreeMap::new(), Vec::new());
        {
            let memory = self.shared.memory();
            for (sender, cost) in costs {
                match memory.standing(&sender, cost) {
                    Some(standing) => drop(standings.insert(sender, standing)),
                    None => unknown.push(sender),
                }
            }
        }
        let keys: Vec<Key> = unknown.iter().map(|address| Key::Account(*address)).collect();
        let records = self.records(&keys).await;
        for (sender, record) in unknown.into_iter().zip(records) {
            let account = record
                .map(|bytes| Account::decode(bytes).expect("state holds what this code wrote"));
            let Account { nonce, balance } = account.unwrap_or_default();
            standings.insert(sender, Standing { nonce, funds: Some(balance) });
        }
        (standings, base_fee)
    }

    async fn records(&self, keys: &[Key]) -> Vec<Option<Vec<u8>>> {
        if keys.is_empty() {
            return Vec::new();
        }
        let state = self.databases.0.read().await;
        TipStore::<E>(&state).get_many(keys).await
    }

    async fn rehearse(&self, verdicts: &mut [Verdict], rehearsal: Rehearsal) -> Found {
        if rehearsal.txs.is_empty() {
            return Found::default();
        }
        let tip = self.shared.memory().tip().cloned();
        let Some(tip) = tip else {
            for verdict in verdicts.iter_mut().filter(|verdict| verdict.is_ok()) {
                *verdict = Err(SubmitError::NotReady);
            }
            return Found::default();
        };
        let state = self.databases.0.read().await;
        rehearsal.run(&self.shared, &tip, &TipStore::<E>(&state)).await
    }
}
