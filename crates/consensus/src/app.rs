//! The application under consensus: builds blocks, checks them, and tells the shell what became final.

use crate::{
    block::{Block, BlockContext, plain_key},
    ceremony,
    evidence::Docket,
    guarded::Guarded,
    handle::Fate,
    intake::check_known,
    paced::{TIMESTAMP_STEP_MAX, now},
    pooled::PooledTx,
    store::{BatchStore, Batches, Databases, Merkleized},
    transition::{Before, Transition},
};
use chain::{Applied, CheckedTx, Mode, Proposal, Refusal};
use commonware_consensus::{Epochable as _, Viewable as _, marshal::ancestry::Ancestry};
use commonware_glue::stateful::{
    Application, Finality, Input, Proposed,
    db::{DatabaseSet, Merkleized as _, Unmerkleized as _},
};
use commonware_runtime::{Clock, Spawner};
use commonware_storage::{Context as StorageContext, qmdb::sync::Target};
use commonware_utils::{non_empty_range, range::NonEmptyRange};
use futures::StreamExt as _;
use mempool::Pool;
use receipt::{
    check_double_signing,
    light::{self, Digest, Family, Record, Scheme, digest},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::{broadcast, oneshot};
use types::{
    Address, BODY_BYTES_MAX, BODY_TXS_MAX, Beacon, Body, ChainId, DoubleSigning, Epoch, Hash,
    Header, Height, List, LogRoot, Millis, TxId,
    codec::{Bytes, DecodeExt as _},
    network::Genesis,
    state::{Event, Heights, Key, Queued},
};

/// How many recent views' seeds, applied headers and final blocks for slow listeners are kept.
const RECENT_MAX: usize = 1_024;
/// How many heights beyond the last final one may have blocks that were executed and are not final.
const UNFINISHED_MAX: usize = 64;
/// Most beacons in one block.
const BEACONS_MAX: usize = 8;

/// A block that became final.
#[derive(Clone, Debug)]
pub struct Final {
    pub header: Header,
    pub txs: Vec<CheckedTx>,
    pub events: Vec<Event>,
    /// From the proposer's timestamp until this validator applied the block.
    pub finality: Millis,
}

/// A block that was executed and is not final yet: what it contained and did.
struct Executed {
    block: Hash,
    txs: Vec<CheckedTx>,
    events: Vec<Event>,
}

/// What the application, the gossip and the handle of one validator share.
pub(crate) struct SharedState {
    pub(crate) network: Hash,
    pub(crate) genesis: Genesis,
    pub(crate) genesis_block: Block,
    pub(crate) scheme: Scheme,
    pub(crate) transition: Arc<dyn Transition>,
    pub(crate) pool: Mutex<Pool<PooledTx>>,
    /// Final blocks that `pool` has heard of; changes only while it is locked. A nonce read from the
    /// state holds for the pool as long as this has not moved.
    pub(crate) pool_round: AtomicU64,
    /// Seeds of views, from their certificates.
    pub(crate) seeds: Mutex<BTreeMap<(u64, u64), Bytes<96>>>,
    /// Blocks from when they were executed until their height is final.
    executed: Mutex<BTreeMap<Height, Vec<Executed>>>,
    /// Who waits to hear what became of a transaction.
    watchers: Mutex<HashMap<TxId, Vec<oneshot::Sender<Fate>>>>,
    /// The header of each recently applied block, by its state root.
    pub(crate) applied: Mutex<BTreeMap<Height, Header>>,
    pub(crate) finals: broadcast::Sender<Arc<Final>>,
    /// Of validators that signed twice, seen since this one started.
    evidence: Mutex<Docket>,
    /// Of transactions, since this validator started.
    pub(crate) signatures_checked: AtomicU64,
}

impl SharedState {
    pub(crate) fn new(
        network: Hash,
        genesis: Genesis,
        genesis_block: Block,
        scheme: Scheme,
        pool: mempool::Limits,
        transition: Arc<dyn Transition>,
    ) -> Self {
        let (finals, _) = broadcast::channel(RECENT_MAX);
        Self {
            network,
            genesis,
            genesis_block,
            scheme,
            transition,
            pool: Mutex::new(Pool::new(pool)),
            pool_round: AtomicU64::new(0),
            seeds: Mutex::default(),
            executed: Mutex::default(),
            watchers: Mutex::default(),
            applied: Mutex::default(),
            finals,
            evidence: Mutex::default(),
            signatures_checked: AtomicU64::new(0),
        }
    }

    pub(crate) const fn chain(&self) -> ChainId {
        self.genesis.chain
    }

    /// Keep `evidence` if it holds. The library reports before it has verified a signature.
    pub(crate) fn accuse(&self, evidence: DoubleSigning) {
        if let Err(error) = check_double_signing(&evidence, &self.network) {
            tracing::debug!(key = %evidence.key, %error, "no evidence of double signing");
        } else if lock(&self.evidence).add(evidence) {
            let DoubleSigning { key, first, .. } = evidence;
            tracing::warn!(chain = %first.chain, %key, view = first.view, "a validator signed twice");
        }
    }

    pub(crate) fn evidence(&self) -> Vec<DoubleSigning> {
        lock(&self.evidence).all()
    }

    pub(crate) fn remember_seed(&self, epoch: u64, view: u64, signature: Bytes<96>) {
        let mut seeds = lock(&self.seeds);
        seeds.insert((epoch, view), signature);
        while seeds.len() > RECENT_MAX {
            seeds.pop_first();
        }
    }

    fn remember(&self, height: Height, executed: Executed) {
        let mut all = lock(&self.executed);
        all.entry(height).or_default().push(executed);
        while all.len() > UNFINISHED_MAX {
            all.pop_first();
        }
    }

    /// What `block` contained and did, if this validator executed it since it started.
    fn take_executed(&self, height: Height, block: &Hash) -> Option<Executed> {
        let mut all = lock(&self.executed);
        let at_height = all.remove(&height).unwrap_or_default();
        all.retain(|known, _| *known > height);
        at_height.into_iter().find(|executed| executed.block == *block)
    }

    /// The next nonces of everyone with transactions in an executed block.
    fn count_ahead(&self, header: &Header, ahead: &mut BTreeMap<Address, u64>) {
        let all = lock(&self.executed);
        let at_height = all.get(&header.height).into_iter().flatten();
        let id = header.id();
        for tx in at_height.filter(|executed| executed.block == id).flat_map(|e| &e.txs) {
            let next = ahead.entry(tx.from()).or_default();
            *next = (*next).max(tx.tx().nonce + 1);
        }
    }

    /// The newest final block this validator has applied.
    pub(crate) fn tip(&self) -> Option<Header> {
        lock(&self.applied).last_key_value().map(|(_, header)| header.clone())
    }

    /// The pool, if no block became final since its round was `round`.
    pub(crate) fn pool_at(&self, round: u64) -> Option<MutexGuard<'_, Pool<PooledTx>>> {
        let pool = lock(&self.pool);
        (self.pool_round.load(Ordering::Relaxed) == round).then_some(pool)
    }

    pub(crate) fn watch(&self, id: TxId) -> oneshot::Receiver<Fate> {
        let (sender, receiver) = oneshot::channel();
        lock(&self.watchers).entry(id).or_default().push(sender);
        receiver
    }

    fn tell(&self, id: &TxId, fate: &Fate) {
        for watcher in lock(&self.watchers).remove(id).unwrap_or_default() {
            // Whoever no longer listens needs no answer.
            let _ = watcher.send(fate.clone());
        }
    }

    /// A block's state will never take this transaction, nor those of its sender behind it.
    fn refuse(&self, tx: &CheckedTx, refusal: Refusal) {
        let dropped = lock(&self.pool).refuse(&tx.from(), tx.tx().nonce);
        for PooledTx(dropped) in dropped {
            let first = dropped.id() == tx.id();
            let fate = if first { Fate::Refused(refusal) } else { Fate::Displaced };
            self.tell(&dropped.id(), &fate);
        }
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no panic while locked")
}

#[derive(Clone)]
pub(crate) struct App {
    pub(crate) shared: Arc<SharedState>,
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
    /// `ahead`: see [`Pool::best`].
    async fn gather<E: StorageContext + Spawner>(
        &self,
        batches: &Batches<E>,
        ahead: &BTreeMap<Address, u64>,
    ) -> Proposal {
        let store = BatchStore::<E>(&batches.0);
        let txs = lock(&self.shared.pool).best(BODY_TXS_MAX, BODY_BYTES_MAX, ahead);
        let heights: Heights = read(&store, Key::Queue).await.unwrap_or_default();
        let final_height = lock(&self.shared.applied).last_key_value().map(|(height, _)| *height);
        let mut beacons = Vec::new();
        for height in heights.iter().take(BEACONS_MAX) {
            // Not final here yet: a later block will draw.
            if final_height.is_none_or(|final_height| *height > final_height) {
                break;
            }
            let Some(queued) = read::<_, Queued>(&store, Key::Queued(*height)).await else { break };
            let seed = lock(&self.shared.seeds).get(&(queued.epoch.get(), queued.view)).cloned();
            // This validator was away then: another's block will draw.
            let Some(signature) = seed else { break };
            beacons.push(Beacon {
                height: *height,
                epoch: queued.epoch,
                view: queued.view,
                signature,
            });
        }
        Proposal { beacons, txs: txs.into_iter().map(|tx| tx.0).collect() }
    }

    /// The next nonces of those with transactions in `parent` and the blocks before it that are not
    /// final here yet.
    async fn ahead(
        &self,
        parent: &Header,
        mut ancestry: impl Ancestry<Block>,
    ) -> BTreeMap<Address, u64> {
        let mut ahead = BTreeMap::new();
        let tip = self.shared.tip().map_or(Height::ZERO, |tip| tip.height);
        let mut header = parent.clone();
        while header.height > tip {
            self.shared.count_ahead(&header, &mut ahead);
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
            && (earliest..=earliest.saturating_add(TIMESTAMP_STEP_MAX))
                .contains(&header.timestamp.get());
        if !in_order
            || !body.beacons.iter().all(|beacon| light::verify_beacon(&self.shared.scheme, beacon))
        {
            return None;
        }
        let txs = check_known(&self.shared, body.txs.as_slice().to_vec());
        let txs: Option<Vec<CheckedTx>> = txs.into_iter().map(Result::ok).collect();
        Some(Proposal { beacons: body.beacons.as_slice().to_vec(), txs: txs? })
    }
}

async fn read<S: chain::Store, T: types::codec::Read<Cfg = ()>>(store: &S, key: Key) -> Option<T> {
    let bytes = store.get_many(&[key]).await.pop().flatten()?;
    Some(T::decode(bytes).expect("state holds what this code wrote"))
}

fn context_of(
    shared: &SharedState,
    context: &BlockContext,
    height: Height,
    timestamp: Millis,
) -> chain::BlockContext {
    chain::BlockContext {
        network: shared.network,
        chain: shared.chain(),
        height,
        epoch: Epoch::new(context.epoch().get()),
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
            if !refusal.keeps_waiting() {
                self.shared.refuse(tx, *refusal);
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
            epoch: block_context.epoch,
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
        self.shared.remember(height, executed);
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
        if state_log::<E>(&merkleized) != (header.state_root, header.state_log, header.outbox) {
            tracing::warn!(chain = %header.chain, height = %header.height, "block commits to another state");
            return None;
        }
        let executed =
            Executed { block: header.id(), txs: applied.included, events: applied.events };
        self.shared.remember(header.height, executed);
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
        let executed = self.shared.take_executed(header.height, &id).unwrap_or_else(|| Executed {
            // Executed before a restart; its certificate says that its signatures were checked.
            block: id,
            txs: check_known(&self.shared, block.0.body.txs.as_slice().to_vec())
                .into_iter()
                .flatten()
                .collect(),
            events: Vec::new(),
        });
        {
            let mut pool = lock(&self.shared.pool);
            self.shared.pool_round.fetch_add(1, Ordering::Relaxed);
            for tx in &executed.txs {
                pool.advance(&tx.from(), tx.tx().nonce + 1);
            }
        }
        {
            let mut applied = lock(&self.shared.applied);
            applied.insert(header.height, header.clone());
            while applied.len() > RECENT_MAX {
                applied.pop_first();
            }
        }
        let fate = Fate::Final { height: header.height, block: id };
        {
            let mut watchers = lock(&self.shared.watchers);
            for tx in &executed.txs {
                for watcher in watchers.remove(&tx.id()).unwrap_or_default() {
                    let _ = watcher.send(fate.clone());
                }
            }
            // Those who stopped waiting.
            watchers.retain(|_, of_tx| {
                of_tx.retain(|watcher| !watcher.is_closed());
                !of_tx.is_empty()
            });
        }
        let finality = Millis::new(now(&clock).saturating_sub(header.timestamp.get()));
        let Executed { txs, events, .. } = executed;
        // Nobody listening is fine.
        let _ = self.shared.finals.send(Arc::new(Final { header, txs, events, finality }));
    }
}
