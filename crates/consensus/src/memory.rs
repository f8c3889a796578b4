//! What one validator remembers beside its disk: transactions that wait, blocks that are not final yet, the seeds of
//! recent views, who waits for news, and who signed twice. A restart forgets all of it.
//!
//! Nothing here waits, sends or reads a clock. What somebody is to be told is returned.

use crate::{equivocation::Docket, news::Fate, pooled::PooledTx, quiet::Activity, voters::Voters};
use chain::{CheckedTx, Refusal};
use mempool::{Ahead, Pool};
use std::collections::{BTreeMap, HashMap};
use tokio::sync::oneshot;
use types::{
    EquivocationProof, Hash, Header, Height, Millis, NanoMeshx, Nonce, PublicKey, TxId,
    codec::Bytes, state::Event,
};

/// How many recent views' seeds and applied headers are kept.
pub(crate) const RECENT_MAX: usize = 256;
/// How many heights beyond the last final one may have blocks that were executed and are not final.
const UNFINISHED_MAX: usize = 64;

/// A block that was executed and is not final yet: what it contained and did.
pub(crate) struct Executed {
    pub(crate) block: Hash,
    pub(crate) txs: Vec<CheckedTx>,
    pub(crate) events: Vec<Event>,
}

/// Who is to be told of a transaction, and what.
pub(crate) type News = (oneshot::Sender<Fate>, Fate);

pub(crate) struct Memory {
    pool: Pool<PooledTx>,
    /// Final blocks that `pool` has heard of. A nonce read from the state holds for the pool as long as this
    /// has not moved.
    round: u64,
    /// Seeds of views, by term and view, from their certificates.
    seeds: BTreeMap<(u64, u64), Bytes<96>>,
    /// Blocks from when they were executed until their height is final.
    executed: BTreeMap<Height, Vec<Executed>>,
    watchers: HashMap<TxId, Vec<oneshot::Sender<Fate>>>,
    /// The header of each recently applied block.
    applied: BTreeMap<Height, Header>,
    /// The newest view, by term and view, that was heard to be final.
    heard: Option<(u64, u64)>,
    /// Whether this validator once had applied all that it had heard to be final.
    caught_up: bool,
    /// Of validators that signed twice.
    docket: Docket,
    /// How many transactions' signatures were checked.
    signatures_checked: u64,
    /// What a transaction of the next block pays at least, and the round in which that was read.
    base_fee: Option<(u64, NanoMeshx)>,
    activity: Activity,
    voters: Voters,
}

impl Memory {
    pub(crate) fn new(limits: mempool::Limits) -> Self {
        Self {
            pool: Pool::new(limits),
            round: 0,
            seeds: BTreeMap::new(),
            executed: BTreeMap::new(),
            watchers: HashMap::new(),
            applied: BTreeMap::new(),
            heard: None,
            caught_up: false,
            docket: Docket::default(),
            signatures_checked: 0,
            base_fee: None,
            activity: Activity::default(),
            voters: Voters::default(),
        }
    }

    /// The newest final block this validator has applied.
    pub(crate) fn tip(&self) -> Option<&Header> {
        self.applied.last_key_value().map(|(_, header)| header)
    }

    /// A certificate says that this view is final.
    pub(crate) fn hear_final(&mut self, term: u64, view: u64) {
        self.heard = self.heard.max(Some((term, view)));
    }

    /// Whether this validator has applied the newest block since it started. One that was away hears of the newest first
    /// and fetches those before it; until it is through, its state is an old one.
    ///
    /// It stays true: later a certificate is always a moment ahead of its block.
    pub(crate) fn has_caught_up(&mut self) -> bool {
        let tip = self.tip().map(|tip| (tip.term.get(), tip.view));
        self.caught_up |= self.heard.is_some() && tip >= self.heard;
        self.caught_up
    }

    /// The recently applied block that leads to this state.
    pub(crate) fn header_of(&self, state_root: &Hash) -> Option<&Header> {
        self.applied.values().rev().find(|header| header.state_root == *state_root)
    }

    /// Keep a proof that was verified; false if it adds nothing.
    pub(crate) fn accuse(&mut self, proof: EquivocationProof) -> bool {
        self.docket.add(proof)
    }

    pub(crate) fn equivocations(&self) -> Vec<EquivocationProof> {
        self.docket.all()
    }

    pub(crate) fn remember_seed(&mut self, term: u64, view: u64, signature: Bytes<96>) {
        self.seeds.insert((term, view), signature);
        while self.seeds.len() > RECENT_MAX {
            self.seeds.pop_first();
        }
    }

    /// `None`: this validator was away in that view, or it is long ago.
    pub(crate) fn seed(&self, term: u64, view: u64) -> Option<Bytes<96>> {
        self.seeds.get(&(term, view)).cloned()
    }

    pub(crate) fn remember(&mut self, height: Height, executed: Executed) {
        self.executed.entry(height).or_default().push(executed);
        while self.executed.len() > UNFINISHED_MAX {
            self.executed.pop_first();
        }
    }

    /// What `block` contained and did, if this validator executed it since it started. Others at its height and
    /// below can no longer become final and are forgotten.
    pub(crate) fn take_executed(&mut self, height: Height, block: &Hash) -> Option<Executed> {
        let at_height = self.executed.remove(&height).unwrap_or_default();
        self.executed.retain(|known, _| *known > height);
        at_height.into_iter().find(|executed| executed.block == *block)
    }

    /// The nonces of everyone with transactions in an executed block.
    pub(crate) fn count_ahead(&self, header: &Header, ahead: &mut Ahead) {
        let at_height = self.executed.get(&header.height).into_iter().flatten();
        let id = header.id();
        for tx in at_height.filter(|executed| executed.block == id).flat_map(|e| &e.txs) {
            note(tx, ahead);
        }
    }

    /// A block became final: its transactions wait no longer, and who waited for them is told.
    pub(crate) fn finalize(
        &mut self,
        header: &Header,
        txs: &[CheckedTx],
        events: &[Event],
        now: Millis,
    ) -> Vec<News> {
        // A nonce that somebody has read from the state before this block must not be taken for the pool's any more.
        self.round += 1;
        self.activity.note(header.height, txs.iter().map(|tx| &tx.tx().action), events);
        let mut done = Ahead::default();
        txs.iter().for_each(|tx| note(tx, &mut done));
        for (sender, next) in done.next {
            self.pool.advance(&sender, next);
        }
        for (sender, once) in done.once {
            self.pool.done(&sender, once);
        }
        self.applied.insert(header.height, header.clone());
        while self.applied.len() > RECENT_MAX {
            self.applied.pop_first();
        }
        let fate = Fate::Final { height: header.height, block: header.id() };
        let mut news: Vec<News> = txs.iter().flat_map(|tx| self.news(&tx.id(), &fate)).collect();
        let base_fee = self.base_fee.map_or(NanoMeshx::ZERO, |(_, base_fee)| base_fee);
        news.extend(self.begin(base_fee, now));
        self.forget_the_gone();
        news
    }

    /// A block's state will never take this transaction, nor those of its sender behind it.
    pub(crate) fn refuse(&mut self, tx: &CheckedTx, refusal: Refusal) -> Vec<News> {
        let dropped = self.pool.refuse(&tx.from(), tx.tx().nonce);
        let mut news = Vec::new();
        for PooledTx(dropped) in dropped {
            let first = dropped.id() == tx.id();
            let fate = if first { Fate::Refused(refusal) } else { Fate::Displaced };
            news.extend(self.news(&dropped.id(), &fate));
        }
        news
    }

    /// A validator voted.
    pub(crate) fn hear_vote(&mut self, key: PublicKey, now: Millis) {
        self.voters.hear(key, now);
    }

    /// Whose votes were heard.
    pub(crate) const fn voters(&self) -> &Voters {
        &self.voters
    }

    /// Whether nobody waits for the next block.
    pub(crate) fn is_quiet(&self) -> bool {
        self.pool.is_empty() && self.activity.is_quiet()
    }

    pub(crate) fn watch(&mut self, id: TxId) -> oneshot::Receiver<Fate> {
        let (sender, receiver) = oneshot::channel();
        self.watchers.entry(id).or_default().push(sender);
        receiver
    }

    fn news(&mut self, id: &TxId, fate: &Fate) -> Vec<News> {
        let watchers = self.watchers.remove(id).unwrap_or_default();
        watchers.into_iter().map(|watcher| (watcher, fate.clone())).collect()
    }

    /// Those who stopped waiting.
    fn forget_the_gone(&mut self) {
        self.watchers.retain(|_, of_tx| {
            of_tx.retain(|watcher| !watcher.is_closed());
            !of_tx.is_empty()
        });
    }
}

/// Count a transaction of a block.
fn note(tx: &CheckedTx, ahead: &mut Ahead) {
    match tx.tx().nonce {
        Nonce::Strict { number } => {
            let next = ahead.next.entry(tx.from()).or_default();
            *next = (*next).max(number + 1);
        }
        Nonce::Until(once) => drop(ahead.once.insert((tx.from(), once))),
    }
}

mod waiting;
pub(crate) use waiting::{Findings, Standing};

#[cfg(test)]
mod tests;
