//! Transactions that wait.

use super::{Memory, News};
use crate::{news::SubmitError, pooled::PooledTx};
use chain::{CheckedTx, Refusal};
use mempool::{Ahead, Arrival, Dropped};
use std::collections::{BTreeMap, BTreeSet};
use types::{
    Address, BODY_BYTES_MAX, BODY_TXS_MAX, Height, Millis, NanoMeshx, PublicKey, Tx, TxId,
};

/// What the newest state says of a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Its next nonce.
    pub(crate) nonce: u64,
    /// What its account holds. `None`: what the pool knows of it is enough.
    pub(crate) funds: Option<NanoMeshx>,
}

/// What was found out about transactions before the pool judges them.
pub(crate) struct Findings {
    /// When the state was read: see [`Memory::round`].
    pub(crate) round: u64,
    /// Of every sender.
    pub(crate) standings: BTreeMap<Address, Standing>,
    pub(crate) base_fee: NanoMeshx,
    /// Those that would go through.
    pub(crate) proven: BTreeSet<TxId>,
    pub(crate) now: Millis,
}

/// What came of taking transactions in.
#[derive(Default)]
pub(crate) struct Admitted {
    /// What peers should hear of.
    pub(crate) spread: Vec<CheckedTx>,
    /// Who is to be told that theirs had to go.
    pub(crate) news: Vec<News>,
}

impl Memory {
    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.pool.len()
    }

    /// Whether room in the pool is short, so that one transaction may displace another.
    pub(crate) fn is_crowded(&self) -> bool {
        self.pool.is_crowded()
    }

    /// Those of `txs` for which there is no room, as far as can be told without any work.
    pub(crate) fn closed_to(&self, txs: &[Tx]) -> Vec<bool> {
        use types::codec::EncodeSize as _;
        let closed = |tx: &Tx| {
            tx.action.settles(tx.from()).is_none()
                && self.pool.is_closed_to(tx.tip.get(), tx.encode_size())
        };
        // Only a full pool is closed to anybody.
        if self.pool.is_closed_to(0, 1) {
            txs.iter().map(closed).collect()
        } else {
            vec![false; txs.len()]
        }
    }

    /// Final blocks that the pool has heard of: what the state says now holds for [`Memory::admit`] and
    /// [`Memory::next_nonce`] until the next one.
    pub(crate) const fn round(&self) -> u64 {
        self.round
    }

    /// What a transaction of the next block pays at least, if that was read in this round.
    pub(crate) fn base_fee(&self) -> Option<NanoMeshx> {
        self.base_fee.filter(|(round, _)| *round == self.round).map(|(_, base_fee)| base_fee)
    }

    /// The best of what waits, as much as one block holds. `ahead`: see [`mempool::Pool::best`].
    pub(crate) fn best(&self, ahead: &Ahead) -> Vec<CheckedTx> {
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

    /// The state's next nonce of a sender with waiting transactions, if its account pays for `more` nano beside those.
    pub(crate) fn standing(&self, sender: &Address, more: u64) -> Option<Standing> {
        let (nonce, left) = self.pool.standing(sender)?;
        (left >= more).then_some(Standing { nonce, funds: None })
    }

    /// The nonce to use next, if `state_nonce` was read in `round` and that is not over.
    pub(crate) fn next_nonce(&self, round: u64, sender: &Address, state_nonce: u64) -> Option<u64> {
        (self.round == round).then(|| self.pool.next_nonce(sender, state_nonce))
    }

    /// Take in what has been found good so far. `brought` says for each which peer brought it; `None`: a client of this
    /// node.
    ///
    /// `None`: the round is over and nothing has happened; ask the state again.
    pub(crate) fn admit(
        &mut self,
        findings: &Findings,
        verdicts: &mut [Result<CheckedTx, SubmitError>],
        brought: &[Option<PublicKey>],
    ) -> Option<Admitted> {
        let Findings { round, standings, base_fee, proven, now } = findings;
        if self.round != *round {
            return None;
        }
        self.base_fee = Some((*round, *base_fee));
        let mut admitted = Admitted { news: self.begin(*base_fee, *now), ..Admitted::default() };
        for (verdict, from) in verdicts.iter_mut().zip(brought) {
            let Ok(checked) = verdict else { continue };
            if self.pool.contains(&checked.id()) {
                continue;
            }
            let standing = standings[&checked.from()];
            // Peers' messages may overtake each other; a client that leaves a gap has made a mistake.
            let expected = self.pool.next_nonce(&checked.from(), standing.nonce);
            let gap = checked.tx().nonce.number().filter(|nonce| *nonce > expected);
            if let Some(nonce) = gap.filter(|_| from.is_none()) {
                *verdict = Err(Refusal::nonce(checked.from(), expected, nonce).into());
                continue;
            }
            let arrival = Arrival {
                next: standing.nonce,
                funds: standing.funds,
                proven: proven.contains(&checked.id()),
                from: *from,
                now: *now,
            };
            match self.pool.insert(PooledTx(checked.clone()), &arrival) {
                Ok(dropped) => {
                    // A peer sends its clients' transactions to everybody itself. Passing them on as well would
                    // multiply all traffic.
                    if from.is_none() {
                        admitted.spread.push(checked.clone());
                    }
                    admitted.news.extend(self.tell_of(dropped));
                }
                Err(rejected) => *verdict = Err(rejected.into()),
            }
        }
        Some(admitted)
    }

    /// Drop what has waited too long for its turn, or will not pay this base fee.
    pub(super) fn begin(&mut self, base_fee: NanoMeshx, now: Millis) -> Vec<News> {
        let height = self.tip().map_or(Height::ZERO, |tip| tip.height);
        let dropped = self.pool.begin(base_fee, height, now);
        self.tell_of(dropped)
    }

    fn tell_of(&mut self, dropped: Vec<Dropped<PooledTx>>) -> Vec<News> {
        let told = dropped.into_iter().map(|Dropped { tx, why }| (tx.0.id(), why.into()));
        told.flat_map(|(id, fate)| self.news(&id, &fate)).collect()
    }
}
