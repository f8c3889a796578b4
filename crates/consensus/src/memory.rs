//! What one validator remembers beside its disk: transactions that wait, blocks that are not final yet, the seeds of
//! recent views, who waits for news, and who signed twice. A restart forgets all of it.
//!
//! Nothing here waits, sends or reads a clock. What somebody is to be told is returned.

use crate::{
    equivocation::Docket,
    news::{Fate, SubmitError},
    pooled::PooledTx,
    quiet::Activity,
    voters::Voters,
};
use chain::{CheckedTx, Refusal};
use mempool::Pool;
use std::collections::{BTreeMap, HashMap};
use tokio::sync::oneshot;
use types::{
    Address, BODY_BYTES_MAX, BODY_TXS_MAX, EquivocationProof, Hash, Header, Height, Millis,
    PublicKey, Tx, TxId, codec::Bytes, state::Event,
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

    /// The next nonces of everyone with transactions in an executed block.
    pub(crate) fn count_ahead(&self, header: &Header, ahead: &mut BTreeMap<Address, u64>) {
        let at_height = self.executed.get(&header.height).into_iter().flatten();
        let id = header.id();
        for tx in at_height.filter(|executed| executed.block == id).flat_map(|e| &e.txs) {
            let next = ahead.entry(tx.from()).or_default();
            *next = (*next).max(tx.tx().nonce + 1);
        }
    }

    /// A block became final: its transactions wait no longer, and who waited for them is told.
    pub(crate) fn finalize(
        &mut self,
        header: &Header,
        txs: &[CheckedTx],
        events: &[Event],
    ) -> Vec<News> {
        // A nonce that somebody has read from the state before this block must not be taken for the pool's any more.
        self.round += 1;
        self.activity.note(header.height, txs.iter().map(|tx| &tx.tx().action), events);
        for tx in txs {
            self.pool.advance(&tx.from(), tx.tx().nonce + 1);
        }
        self.applied.insert(header.height, header.clone());
        while self.applied.len() > RECENT_MAX {
            self.applied.pop_first();
        }
        let fate = Fate::Final { height: header.height, block: header.id() };
        let news = txs.iter().flat_map(|tx| self.news(&tx.id(), &fate)).collect();
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

/// Transactions that wait.
impl Memory {
    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.pool.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.pool.is_full()
    }

    /// Final blocks that the pool has heard of: what the state says now holds for [`Memory::admit`] and
    /// [`Memory::next_nonce`] until the next one.
    pub(crate) const fn round(&self) -> u64 {
        self.round
    }

    /// The best of what waits, as much as one block holds. `ahead`: see [`Pool::best`].
    pub(crate) fn best(&self, ahead: &BTreeMap<Address, u64>) -> Vec<CheckedTx> {
        let best = self.pool.best(BODY_TXS_MAX, BODY_BYTES_MAX, ahead);
        best.into_iter().map(|PooledTx(tx)| tx).collect()
    }

    /// Those of `txs` that wait here, and so were checked when they came.
    pub(crate) fn known(&self, txs: &[Tx]) -> Vec<Option<CheckedTx>> {
        let known = |tx: &Tx| {
            let PooledTx(pooled) = self.pool.get(&tx.from(), tx.nonce)?;
            // Equal in every byte, the signature included: another one under the same nonce was never checked.
            (pooled.tx() == tx).then(|| pooled.clone())
        };
        txs.iter().map(known).collect()
    }

    pub(crate) const fn count_checked(&mut self, signatures: u64) {
        self.signatures_checked += signatures;
    }

    pub(crate) const fn signatures_checked(&self) -> u64 {
        self.signatures_checked
    }

    /// The state's next nonce of a sender with waiting transactions.
    pub(crate) fn state_nonce(&self, sender: &Address) -> Option<u64> {
        self.pool.state_nonce(sender)
    }

    /// The nonce to use next, if `state_nonce` was read in `round` and that is not over.
    pub(crate) fn next_nonce(&self, round: u64, sender: &Address, state_nonce: u64) -> Option<u64> {
        (self.round == round).then(|| self.pool.next_nonce(sender, state_nonce))
    }

    /// Take in what has been found good so far; the first `from_clients` are clients' own. `nonces` are the
    /// senders' next ones in the state, read in `round`.
    ///
    /// Returns what peers should hear of. `None`: that round is over and nothing has happened; ask the state again.
    pub(crate) fn admit(
        &mut self,
        round: u64,
        nonces: &BTreeMap<Address, u64>,
        verdicts: &mut [Result<CheckedTx, SubmitError>],
        from_clients: usize,
    ) -> Option<Vec<CheckedTx>> {
        if self.round != round {
            return None;
        }
        let mut news = Vec::new();
        for (index, verdict) in verdicts.iter_mut().enumerate() {
            let Ok(checked) = verdict else { continue };
            if self.pool.contains(&checked.id()) {
                continue;
            }
            let (nonce, state_nonce) = (checked.tx().nonce, nonces[&checked.from()]);
            // Peers' messages may overtake each other; a client that leaves a gap has made a mistake.
            let expected = self.pool.next_nonce(&checked.from(), state_nonce);
            if index < from_clients && nonce > expected {
                *verdict = Err(Refusal::nonce(checked.from(), expected, nonce).into());
                continue;
            }
            match self.pool.insert(PooledTx(checked.clone()), state_nonce) {
                // A peer sends its clients' transactions to everybody itself. Passing them on as well would multiply
                // all traffic.
                Ok(()) if index < from_clients => news.push(checked.clone()),
                Ok(()) => {}
                Err(rejected) => *verdict = Err(rejected.into()),
            }
        }
        Some(news)
    }
}

#[cfg(test)]
mod tests;
