//! The application under consensus: builds blocks, checks them, and tells the shell what became final.

use crate::{
    block::{Block, BlockContext, plain_key},
    ceremony,
    clock::{TIMESTAMP_STEP_MAX, now},
    guarded::Guarded,
    memory::Executed,
    news::Final,
    shared::{Shared, tell},
    store::{BatchStore, Batches, Databases, Merkleized},
    transition::Before,
};
use chain::{Applied, CheckedTx, Mode, Proposal};
use commonware_consensus::{Epochable as _, Viewable as _, marshal::ancestry::Ancestry};
use commonware_glue::stateful::{
    Application, Finality, Input, Proposed,
    db::{DatabaseSet, Merkleized as _, Unmerkleized as _},
};
use commonware_runtime::{Clock, Spawner};
use commonware_storage::{Context as StorageContext, qmdb::sync::Target};
use commonware_utils::{non_empty_range, range::NonEmptyRange};
use futures::StreamExt as _;
use mempool::Ahead;
use receipt::light::{self, Digest, Family, Record, digest};
use std::sync::Arc;
use types::{
    Beacon, Body, Hash, Header, Height, List, LogRoot, Millis, Term,
    codec::DecodeExt as _,
    state::{Heights, Key, Queued},
};

/// Most beacons in one block.
const BEACONS_MAX: usize = 8;

#[derive(Clone)]
pub(crate) struct App {
    pub(crate) shared: Arc<Shared>,
}

impl App {
    /// Execute a block on its parent's state; `None` if it is invalid.
    async fn execute<E: StorageContext + Spawner>(
        &self,
        context: &chain::BlockContext,
        batches: Batches<E>,
        proposal: Proposal,
        mode: Mode,
    ) -> Option<(Applied, Merkleized<E>)> {
        let (state, outbox) = batches;
        let store = BatchStore::<E>(&state);
        let before = Before::of(&store);
        let transition = &self.shared.transition;
        let applied = transition.apply(before, &self.shared.genesis, context, proposal, mode).await;
        let applied = match applied {
            Ok(applied) => applied,
            Err(refusal) => {
                tracing::warn!(chain = %context.chain, height = %context.height, %refusal, "block refused");
                return None;
            }
        };
        let mut state = state;
        for (key, record) in &applied.writes {
            let record = record.as_ref().map(|bytes| {
                Record::new(bytes.clone()).expect("records are bounded by their types")
            });
            state = state.write(digest(&key.path()), record);
        }
        let state = state.merkleize().await.expect("the state can be read");
        let outbox = outbox.merkleize().await.expect("the outbox can be read");
        Some((applied, (state, outbox)))
    }

    /// The transactions and beacons for the next block. `queued` are the heights whose jobs wait.
    /// `ahead`: see [`mempool::Pool::best`].
    async fn gather<E: StorageContext + Spawner>(
        &self,
        batches: &Batches<E>,
        ahead: &Ahead,
    ) -> Proposal {
        let store = BatchStore::<E>(&batches.0);
        // The lock is taken for each question and given back: it must not be held over the reads of the disk that
        // follow.
        let txs = self.shared.memory().best(ahead);
        let heights: Heights = read(&store, Key::Queue).await.unwrap_or_default();
        let final_height = self.shared.memory().tip().map(|tip| tip.height);
        let mut beacons = Vec::new();
        for height in heights.iter().take(BEACONS_MAX) {
            // Not final here yet: a later block will draw.
            if final_height.is_none_or(|final_height| *height > final_height) {
                break;
            }
            let Some(queued) = read::<_, Queued>(&store, Key::Queued(*height)).await else { break };
            let seed = self.shared.memory().seed(queued.term.get(), queued.view);
            // This validator was away then: another's block will draw.
            let Some(signature) = seed else { break };
            beacons.push(Beacon {
                height: *height,
                term: queued.term,
                view: queued.view,
                signature,
            });
        }
        Proposal { beacons, txs }
    }

    /// The nonces of those with transactions in `parent` and the blocks before it that are not
    /// final here yet.
    async fn ahead(&self, parent: &Header, mut ancestry: impl Ancestry<Block>) -> Ahead {
        let mut ahead = Ahead::default();
        let tip = self.shared.memory().tip().map_or(Height::ZERO, |tip| tip.height);
        let mut header = parent.clone();
        while header.height > tip {
            self.shared.memory().count_ahead(&header, &mut ahead);
            // The parent of this block is final, so the pool has heard of its transactions.
            if header.height.get() <= tip.get() + 1 {
                break;
            }
            let Some(block) = ancestry.next().await else { break };
            header = block.inner().header().clone();
        }
        ahead
    }

    /// Check everything about a block that can be seen without its parent's state.
    fn check(&self, block: &Block, parent: &Block) -> Option<Proposal> {
        let (header, body) = (block.header(), &block.0.body);
        let parent = parent.header();
        let earliest = parent.timestamp.get();
        let in_order = header.chain == self.shared.chain()
            && header.height == parent.height.next()
            && header.parent == parent.id()
            && header.body == body.root()
            // Never backwards, because votes, unbonding and certificates end by it; never far ahead, because every
            // validator waits for it.
            && (earliest..=earliest.saturating_add(TIMESTAMP_STEP_MAX))
                .contains(&header.timestamp.get());
        if !in_order
            || !body.beacons.iter().all(|beacon| light::verify_beacon(&self.shared.scheme, beacon))
        {
            return None;
        }
        let txs = self.shared.check_known(body.txs.as_slice().to_vec());
        // One forged transaction makes the whole block invalid: its leader could have known.
        let txs: Option<Vec<CheckedTx>> = txs.into_iter().map(Result::ok).collect();
        Some(Proposal { beacons: body.beacons.as_slice().to_vec(), txs: txs? })
    }
}

async fn read<S: chain::Store, T: types::codec::Read<Cfg = ()>>(store: &S, key: Key) -> Option<T> {
    let bytes = store.get_many(&[key]).await.pop().flatten()?;
    Some(T::decode(bytes).expect("state holds what this code wrote"))
}

fn context_of(
    shared: &Shared,
    context: &BlockContext,
    height: Height,
    timestamp: Millis,
) -> chain::BlockContext {
    chain::BlockContext {
        network: shared.network,
        chain: shared.chain(),
        height,
        term: Term::new(context.epoch().get()),
        view: context.view().get(),
        leader: plain_key(&context.leader),
        timestamp,
    }
}

fn state_log<E: StorageContext + Spawner>(merkleized: &Merkleized<E>) -> (Hash, LogRoot, LogRoot) {
    let (state, outbox) = merkleized;
    let state_log = LogRoot {
        root: crate::block::hash(&state.ops_root()),
        start: *state.sync_boundary(),
        end: *state.bounds().tip.size,
    };
    let outbox_bounds = outbox.bounds();
    let outbox_log = LogRoot {
        root: crate::block::hash(&outbox.root()),
        start: *outbox_bounds.inactivity_floor,
        end: *outbox_bounds.tip.size,
    };
    (crate::block::hash(&state.root()), state_log, outbox_log)
}

fn target(log: &LogRoot) -> Target<Family, Digest> {
    let range: NonEmptyRange<_> =
        non_empty_range!(log.start.into(), log.end.max(log.start + 1).into());
    Target::new(digest(&log.root), range)
}

impl<E: StorageContext + Spawner + Clock> Application<E> for App {
    type SigningScheme = Guarded;
    type Context = BlockContext;
    type Block = Block;
    type Databases = Databases<E>;
    type Captured = ();
    type Provider = ();
    type Input = ceremony::Input;

    fn sync_targets(block: &Block) -> <Databases<E> as DatabaseSet<E>>::SyncTargets {
        (target(&block.header().state_log), target(&block.header().outbox))
    }

    async fn genesis(&mut self) -> Block {
        self.shared.genesis_block.clone()
    }

    async fn propose(
        &mut self,
        (clock, context): (E, BlockContext),
        mut ancestry: impl Ancestry<Block>,
        batches: Batches<E>,
        input: Input<ceremony::Input, ()>,
    ) -> Option<Proposed<Self, E>> {
        let parent = ancestry.next().await?;
        let parent = parent.inner().header().clone();
        let ahead = self.ahead(&parent, ancestry).await;
        let latest = parent.timestamp.get().saturating_add(TIMESTAMP_STEP_MAX);
        let timestamp = Millis::new(now(&clock).clamp(parent.timestamp.get(), latest));
        let height = parent.height.next();
        let proposal = self.gather::<E>(&batches, &ahead).await;
        let block_context = context_of(&self.shared, &context, height, timestamp);
        let (applied, merkleized) =
            self.execute::<E>(&block_context, batches, proposal, Mode::Build).await?;
        for (tx, refusal) in &applied.refused {
            // What only came too early stays in the pool. All else would be tried, and refused, by every leader to
            // come.
            if !refusal.keeps_waiting() {
                let news = self.shared.memory().refuse(tx, *refusal);
                tell(news);
            }
        }
        let body = Body {
            beacons: List::new(applied.beacons.clone()).expect("at most eight were gathered"),
            txs: List::new(applied.included.iter().map(|tx| tx.tx().clone()).collect())
                .expect("the pool was asked for no more"),
            ceremony: input.upstream.payload.as_ref().map(ceremony::encode),
        };
        let (state_root, state_log, outbox) = state_log::<E>(&merkleized);
        let header = Header {
            chain: self.shared.chain(),
            term: block_context.term,
            view: block_context.view,
            leader: block_context.leader,
            parent_view: context.parent.0.get(),
            parent: parent.id(),
            height,
            timestamp,
            body: body.root(),
            state_root,
            state_log,
            outbox,
        };
        let executed =
            Executed { block: header.id(), txs: applied.included, events: applied.events };
        self.shared.memory().remember(height, executed);
        Some(Proposed { block: Block(types::Block { header, body }), merkleized })
    }

    async fn process(
        &mut self,
        (_, context): (E, BlockContext),
        mut ancestry: impl Ancestry<Block>,
        batches: Batches<E>,
        _: Finality,
    ) -> Option<Merkleized<E>> {
        let block = ancestry.next().await?;
        let parent = ancestry.next().await?;
        let (block, parent) = (block.inner(), parent.inner());
        let proposal = self.check(block, parent)?;
        let header = block.header();
        let block_context = context_of(&self.shared, &context, header.height, header.timestamp);
        let (applied, merkleized) =
            self.execute::<E>(&block_context, batches, proposal, Mode::Check).await?;
        // A leader that commits to a state which nobody else reaches must get no certificate: light clients believe the
        // header.
        if state_log::<E>(&merkleized) != (header.state_root, header.state_log, header.outbox) {
            tracing::warn!(chain = %header.chain, height = %header.height, "block commits to another state");
            return None;
        }
        let executed =
            Executed { block: header.id(), txs: applied.included, events: applied.events };
        self.shared.memory().remember(header.height, executed);
        Some(merkleized)
    }

    async fn capture(
        &mut self,
        _: (E, BlockContext),
        _: &Block,
        _: &Merkleized<E>,
        _: <Databases<E> as DatabaseSet<E>>::Readers,
    ) {
    }

    async fn finalized(
        &mut self,
        (clock, _): (E, BlockContext),
        block: &Block,
        (): (),
        _: <Databases<E> as DatabaseSet<E>>::Readers,
    ) {
        let header = block.header().clone();
        let id = header.id();
        let executed = self.shared.memory().take_executed(header.height, &id);
        let executed = executed.unwrap_or_else(|| Executed {
            // Executed before a restart; its certificate says that its signatures were checked.
            block: id,
            txs: self
                .shared
                .check_known(block.0.body.txs.as_slice().to_vec())
                .into_iter()
                .flatten()
                .collect(),
            events: Vec::new(),
        });
        let now = Millis::new(now(&clock));
        let news = self.shared.memory().finalize(&header, &executed.txs, &executed.events, now);
        tell(news);
        self.shared.work.notify_waiters();
        let finality = now.saturating_sub(header.timestamp);
        let Executed { txs, events, .. } = executed;
        // Nobody listening is fine.
        let _ = self.shared.finals.send(Arc::new(Final { header, txs, events, finality }));
    }
}
