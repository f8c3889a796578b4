//! Applying a block: what the protocol does by itself, then due jobs, beacons and transactions; last, prices move.

use crate::{
    CheckedTx, GasUsed, Refusal, Write, challenge, decrees, effects, epoch, gas, genesis, market,
    period, places, queue,
    scratch::{Records, Scratch, Stop},
    seats, term, tx,
};
use std::{collections::BTreeMap, future::Future};
use types::{
    Beacon, ChainId, Hash, Height, JobId, Millis, NanoMeshx, PublicKey, Term,
    network::Genesis,
    state::{Due, Event, HEIGHTS_MAX, Heights, Key, Queued},
};

/// Where a block stands, beside what it contains.
#[derive(Clone, Debug)]
pub struct BlockContext {
    /// The network's id.
    pub network: Hash,
    /// The chain whose block it is.
    pub chain: ChainId,
    /// The block's height.
    pub height: Height,
    /// The committee's term.
    pub term: Term,
    /// The view of that term.
    pub view: u64,
    /// The consensus key of the proposer.
    pub leader: PublicKey,
    /// The block's time.
    pub timestamp: Millis,
}

/// What a block wants done. The caller has checked each beacon's signature.
#[derive(Clone, Debug, Default)]
pub struct Proposal {
    /// For each height whose jobs are drawn in this block, ascending.
    pub beacons: Vec<Beacon>,
    /// In the order to try them in.
    pub txs: Vec<CheckedTx>,
}

/// What to do about a refused item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Building: leave it out.
    Build,
    /// Checking another's block: the block is invalid.
    Check,
}

/// The state before the block.
pub trait Store: Send + Sync {
    /// The records under `keys`, in the same order; `None` where there is none.
    fn get_many(&self, keys: &[Key]) -> impl Future<Output = Vec<Option<Vec<u8>>>> + Send;
}

/// What a block did.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// In key order; each key once.
    pub writes: Vec<Write>,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// What went through, in order: all of the proposal under [`Mode::Check`].
    pub beacons: Vec<Beacon>,
    /// The transactions that were executed, in order.
    pub included: Vec<CheckedTx>,
    /// What did not, under [`Mode::Build`].
    pub refused: Vec<(CheckedTx, Refusal)>,
    /// What the payers of jobs have paid for draws that found too few workers, in order.
    pub charged: Vec<(JobId, NanoMeshx)>,
    /// The work it was. What was refused is not in it.
    pub gas: GasUsed,
}

/// Apply one block to `store`. `genesis` is written by the block of height 1.
///
/// # Errors
/// Under [`Mode::Check`], the first refusal; under [`Mode::Build`], never.
pub async fn apply_block<S: Store>(
    store: &S,
    genesis: &Genesis,
    context: &BlockContext,
    proposal: Proposal,
    mode: Mode,
) -> Result<Applied, Refusal> {
    let mut run = Run { store, records: Records::default(), mode, refused: 0 };
    let mut applied = Applied::default();
    if context.height == Height::new(1) {
        run.records.written = genesis::genesis_writes(genesis).into_iter().collect();
    }
    run.prefetch(context, &proposal).await;

    // What an epoch did is judged by the parameters that it ran under, so decrees change them only after rewards,
    // draws, the period and the term are seen to.
    run.must(|pad| epoch::note_view(pad, context)).await;
    run.must(|pad| epoch::mint(pad, &genesis.emission, context)).await;
    run.must(|pad| epoch::boundary(pad, genesis, context)).await;
    run.must(|pad| seats::boundary(pad, context)).await;
    run.must(|pad| period::turn(pad, context)).await;
    run.must(|pad| term::fix(pad, genesis, context)).await;
    run.must(|pad| decrees::decide(pad, context)).await;
    run.must(|pad| decrees::take_up(pad, context)).await;
    run.must(|pad| challenge::ask(pad, context)).await;
    // Before the beacons: a job whose deadline is this block must end, and not get workers that have no time left.
    run.due(context).await;
    // Before the transactions: the proposer sees the beacon, and could otherwise put a registration in front of the
    // draw.
    run.draws(proposal.beacons, context, &mut applied).await?;
    // A transaction sees what those before it did, so a sender can spend in one block what it received in it.
    for tx in proposal.txs {
        let before = run.records.gas;
        let room = if tx::is_free(&tx) { gas::BLOCK_MAX } else { gas::PAID_MAX };
        match mode {
            // It waits in the pool; one of a drawn worker behind it may still have room. What is refused takes time as
            // well, so a proposer counts it.
            Mode::Build if before.saturating_add(run.refused) >= room => continue,
            Mode::Check if before >= room => return Err(Refusal::BlockFull),
            _ => {}
        }
        match run.attempt(|pad| tx::apply(pad, &tx, context)).await {
            Ok(()) => {
                applied.gas.txs.push(run.records.gas - before);
                applied.included.push(tx);
            }
            Err(refusal) if mode == Mode::Check => return Err(refusal),
            Err(refusal) => applied.refused.push((tx, refusal)),
        }
    }
    let bytes = applied.included.iter().map(|tx| tx.bytes() as u64).sum();
    applied.gas.own = run.records.gas - applied.gas.total();
    run.must(|pad| market::close(pad, bytes, applied.gas.total())).await;

    applied.writes = run.records.written.into_iter().collect();
    applied.events = run.records.events;
    Ok(applied)
}

struct Run<'a, S> {
    store: &'a S,
    records: Records,
    mode: Mode,
    /// Gas of what was refused. It is in no block, so only a proposer counts it.
    refused: u64,
}

impl<S: Store> Run<'_, S> {
    /// Read what the block's items will certainly ask for in one go.
    async fn prefetch(&mut self, context: &BlockContext, proposal: &Proposal) {
        let mut keys = vec![
            Key::Params,
            Key::Supply,
            Key::Market,
            Key::Decrees,
            Key::OpenProposals,
            Key::Queue,
            Key::Queued(context.height),
            Key::Due(context.height),
            Key::Overdue,
            Key::Moves,
            Key::WorkerPlaces,
        ];
        keys.extend(proposal.beacons.iter().map(|beacon| Key::Queued(beacon.height)));
        for tx in &proposal.txs {
            tx::static_keys(tx, &mut keys);
        }
        keys.sort_unstable();
        keys.dedup();
        // In block 1 genesis has just written what the store does not hold yet.
        keys.retain(|key| !self.records.written.contains_key(key));
        let values = self.store.get_many(&keys).await;
        self.records.loaded.extend(keys.into_iter().zip(values));
    }

    /// Look at the jobs whose reminders fell due, as many as have room. The others are the first in the next block.
    async fn due(&mut self, context: &BlockContext) {
        let overdue = self.must(|pad| queue::overdue(pad)).await;
        // Should as many heights wait as may, the oldest is seen to whatever it takes.
        let crowded = overdue.len() + 1 >= HEIGHTS_MAX;
        let mut left = Heights::default();
        let before = self.records.gas;
        for (nth, height) in overdue.iter().copied().chain([context.height]).enumerate() {
            let mut jobs = self.must(|pad| queue::due(pad, height)).await.into_vec().into_iter();
            if jobs.len() == 0 {
                continue;
            }
            let all = crowded && nth == 0;
            while (all || self.records.gas - before < gas::DUE_MAX)
                && let Some(job) = jobs.next()
            {
                self.must(|pad| effects::tick(pad, &job, context)).await;
            }
            let rest = Due::new(jobs.collect()).expect("no more than there were");
            self.must(|pad| {
                queue::put_off(pad, height, &rest);
                Ok(())
            })
            .await;
            if !rest.is_empty() {
                left.push(height)
                    .expect("one of the oldest has gone if there were as many as may be");
            }
        }
        if left != overdue {
            self.must(|pad| {
                pad.put(Key::Overdue, &left);
                Ok(())
            })
            .await;
        }
    }

    /// Draw for the jobs that waited for these beacons, as many as have room.
    async fn draws(
        &mut self,
        beacons: Vec<Beacon>,
        context: &BlockContext,
        applied: &mut Applied,
    ) -> Result<(), Refusal> {
        // Only draws count: places that move are paid for, and must not keep jobs from their workers.
        let (mut used, mut room) = (0, true);
        for beacon in beacons {
            if !room && self.mode == Mode::Check {
                return Err(Refusal::BlockFull);
            }
            if !room {
                break;
            }
            let Some(opened) = self.item(|pad| queue::open(pad, &beacon, context)).await? else {
                continue;
            };
            if !opened.begun {
                self.must(|pad| challenge::take(pad, &beacon, context)).await;
            }
            // What changed in that block or since does not count: its sender may have known the seed.
            self.moves(Some(beacon.height)).await;
            let mut jobs = opened.jobs.clone().into_vec().into_iter();
            for job in jobs.by_ref() {
                let before = self.records.gas;
                let charged = self.must(|pad| queue::draw(pad, &beacon, &job, context)).await;
                applied.charged.extend(charged.map(|fee| (job, fee)));
                used += self.records.gas - before;
                room = used < gas::DRAWS_MAX;
                if !room {
                    break;
                }
            }
            let jobs = Due::new(jobs.collect()).expect("fewer than there were");
            let rest = Queued { begun: true, jobs, ..opened };
            self.must(|pad| queue::close(pad, beacon.height, &rest)).await;
            applied.beacons.push(beacon);
        }
        let open = self.must(|pad| queue::oldest(pad)).await;
        self.moves(open).await;
        Ok(())
    }

    /// Have places follow the offers of blocks before `before`, or all of them.
    async fn moves(&mut self, before: Option<Height>) {
        let (now, later) = self.must(|pad| places::waiting(pad, before)).await;
        for one in &now {
            self.must(|pad| places::follow(pad, one.worker)).await;
        }
        if !now.is_empty() {
            self.must(|pad| {
                pad.put(Key::Moves, &later);
                Ok(())
            })
            .await;
        }
    }

    /// Run one item to its end, loading what it turns out to need; keep its writes only if it goes through.
    async fn attempt<T>(
        &mut self,
        item: impl Fn(&mut Scratch<'_>) -> Result<T, Stop>,
    ) -> Result<T, Refusal> {
        loop {
            let mut pad = self.records.scratch();
            match item(&mut pad) {
                Ok(value) => {
                    let (writes, events, gas): (BTreeMap<_, _>, _, _) = pad.into_parts();
                    self.records.written.extend(writes);
                    self.records.events.extend(events);
                    self.records.gas = self.records.gas.saturating_add(gas);
                    return Ok(value);
                }
                Err(Stop::Refused(refusal)) => {
                    self.refused = self.refused.saturating_add(pad.gas().used());
                    return Err(refusal);
                }
                // A rule is a plain function and cannot wait for a disk, so it begins anew with what it missed. Each
                // round loads something that was not there, so this ends.
                Err(Stop::Missing(keys)) => {
                    let values = self.store.get_many(&keys).await;
                    self.records.loaded.extend(keys.into_iter().zip(values));
                }
            }
        }
    }

    /// An item that may be refused: left out when building, fatal when checking.
    async fn item<T>(
        &mut self,
        item: impl Fn(&mut Scratch<'_>) -> Result<T, Stop>,
    ) -> Result<Option<T>, Refusal> {
        match (self.attempt(item).await, self.mode) {
            (Ok(value), _) => Ok(Some(value)),
            (Err(_), Mode::Build) => Ok(None),
            (Err(refusal), Mode::Check) => Err(refusal),
        }
    }

    /// An item of the protocol's own, which no rule can refuse.
    async fn must<T>(&mut self, item: impl Fn(&mut Scratch<'_>) -> Result<T, Stop>) -> T {
        self.attempt(item).await.expect("the protocol's own steps are never refused")
    }
}
