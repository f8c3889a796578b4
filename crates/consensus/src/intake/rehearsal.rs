//! Rehearsing: what the next block would say.
//!
//! A transaction that stands behind others in the pool is rehearsed as if those were in a block already: its sender's
//! account shows the nonce that it will have then. Only a refusal of one that could be next is final; what the ones before it
//! change is not known.

use crate::{news::SubmitError, shared::Shared, transition::Before};
use chain::{CheckedTx, Mode, Proposal, Refusal, Store};
use std::collections::{BTreeMap, BTreeSet};
use types::{
    Address, Header, Nonce, TxId,
    codec::{DecodeExt as _, Encode as _},
    state::{Account, Key},
};

/// Which of `txs` are to be rehearsed, and with which nonces their senders' accounts are to be shown.
#[derive(Debug, Default)]
pub(super) struct Rehearsal {
    pub(super) txs: Vec<CheckedTx>,
    nonces: BTreeMap<Key, u64>,
    /// Those that could be next: what is said of them holds.
    next: BTreeSet<TxId>,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) proven: BTreeSet<TxId>,
    pub(super) refused: BTreeMap<TxId, Refusal>,
}

impl Rehearsal {
    /// Choose among what has been found good so far. `judge` says whether one is rehearsed if it could be next; those that
    /// settle are in any case. `state` is the next nonce of a sender in the newest state.
    pub(super) fn of(
        verdicts: &[Result<CheckedTx, SubmitError>],
        judge: impl Fn(usize) -> bool,
        state: impl Fn(&Address) -> u64,
    ) -> Self {
        let mut by_sender: BTreeMap<Address, BTreeMap<u64, usize>> = BTreeMap::new();
        let (mut chosen, mut rehearsal) = (Vec::new(), Self::default());
        for (index, verdict) in verdicts.iter().enumerate() {
            let Ok(tx) = verdict else { continue };
            match tx.tx().nonce {
                Nonce::Strict { number } => {
                    by_sender.entry(tx.from()).or_default().entry(number).or_insert(index);
                }
                // It waits for no other. Whether it was in a block before, only the state knows.
                Nonce::Until(_) => {
                    chosen.push(index);
                    rehearsal.next.insert(tx.id());
                }
            }
        }
        let at = |index: usize| verdicts[index].as_ref().expect("only good ones were sorted");
        let settles = |index: usize| at(index).duty().is_some();
        for (sender, txs) in by_sender {
            let state = state(&sender);
            let first = txs
                .iter()
                .find(|(nonce, index)| settles(**index) || (**nonce == state && judge(**index)));
            let Some((first, _)) = first else { continue };
            let run =
                (*first..).zip(txs.range(*first..)).take_while(|(want, (got, _))| want == *got);
            let run: Vec<usize> = run.map(|(_, (_, index))| *index).collect();
            // Those in between are needed for their nonces, those behind the last are not.
            let last = run.iter().rposition(|index| settles(*index)).unwrap_or(0);
            chosen.extend_from_slice(&run[..=last]);
            if *first == state {
                rehearsal.next.insert(at(run[0]).id());
            } else if *first > state {
                rehearsal.nonces.insert(Key::Account(sender), *first);
            }
        }
        // As they came: one may spend what another brings.
        chosen.sort_unstable();
        rehearsal.txs = chosen.into_iter().map(|index| at(index).clone()).collect();
        rehearsal
    }

    /// Apply them to the state in `store`, whose newest block is `tip`.
    pub(super) async fn run<S: Store>(self, shared: &Shared, tip: &Header, store: &S) -> Found {
        let context = chain::BlockContext {
            network: shared.network,
            chain: shared.chain(),
            height: tip.height.next(),
            term: tip.term,
            // Nobody knows the next block's view and leader yet. A guess is good enough here: the block asks again.
            view: tip.view + 1,
            leader: tip.leader,
            timestamp: tip.timestamp,
        };
        let Self { txs, nonces, next } = self;
        let proposal = Proposal { beacons: vec![], txs };
        let shown = Shown { store, nonces };
        let (before, genesis) = (Before::of(&shown), &shared.genesis);
        let applied =
            shared.transition.apply(before, genesis, &context, proposal, Mode::Build).await;
        let applied = applied.expect("building leaves out what it refuses");
        let refused = applied.refused.into_iter().map(|(tx, refusal)| (tx.id(), refusal));
        Found {
            proven: applied.included.iter().map(CheckedTx::id).collect(),
            refused: refused.filter(|(id, _)| next.contains(id)).collect(),
        }
    }
}

/// A state in which some accounts show another nonce.
struct Shown<'a, S> {
    store: &'a S,
    nonces: BTreeMap<Key, u64>,
}

impl<S: Store> Store for Shown<'_, S> {
    async fn get_many(&self, keys: &[Key]) -> Vec<Option<Vec<u8>>> {
        let mut records = self.store.get_many(keys).await;
        if self.nonces.is_empty() {
            return records;
        }
        for (key, record) in keys.iter().zip(&mut records) {
            let Some(nonce) = self.nonces.get(key) else { continue };
            *record = record.take().map(|bytes| {
                let account = Account::decode(bytes).expect("state holds what this code wrote");
                Account { nonce: *nonce, ..account }.encode().to_vec()
            });
        }
        records
    }
}
