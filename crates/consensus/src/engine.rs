//! Wiring one validator's engine.

use crate::{
    app::{App, SharedState},
    block::{Block, consensus_key},
    dealer::{self, BadKeys},
    elector::Draw,
    evidence::double_signing,
    guarded::Guarded,
    handle::Chain,
    intake::{self, Desk, Intake},
    paced::Paced,
    rejoin::{Rejoin, Standing},
    silence::Silence,
    state_sync::{self, FETCH_OPS, Peers},
    store::{BUFFER_BYTES, Databases, OutboxDb, StateDb, configs, page_cache},
    transition::{ApplyBlock, Transition},
};
use commonware_actor::Feedback;
use commonware_broadcast::buffered;
use commonware_codec::Encode as _;
use commonware_consensus::{
    Reporter, Reporters, Viewable as _,
    marshal::{
        self,
        core::Actor as MarshalActor,
        resolver::p2p as marshal_resolver,
        standard::{Deferred, Standard},
    },
    simplex::{self, Engine, Floor, ForwardPolicy, SkipBudget, SkipPolicy, types::Activity},
    types::{Epoch, FixedEpocher, View, ViewDelta},
};
use commonware_cryptography::{
    Digested, Digestible as _, Signer as _, certificate::ConstantProvider,
};
use commonware_glue::stateful::{
    Config as StatefulConfig, PruneConfig, Stateful, SyncPlan,
    db::{DatabaseSet, SyncEngineConfig},
};
use commonware_p2p::utils::StaticProvider;
use commonware_parallel::Sequential;
use commonware_runtime::{
    Clock, Metrics, Network as RuntimeNetwork, Spawner, Storage, Supervisor, tokio as tokio_runtime,
};
use commonware_storage::{Context as StorageContext, archive::prunable, translator::EightCap};
use commonware_utils::{NZDuration, NZU64, NZUsize, ordered::Set};
use futures::future::{BoxFuture, FutureExt as _};
use network::{Blocks, PrivateKey, PublicKey, Receiver, Sender};
use rand_core::CryptoRng;
use receipt::light::{Digest, Family};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};
use types::{
    Header, Height, Millis,
    codec::Bytes,
    network::{Anchor, Genesis},
};

/// Everything the engine needs of a runtime.
pub trait Env:
    Clock + CryptoRng + Spawner + Storage + StorageContext + Metrics + Supervisor + RuntimeNetwork
{
}
impl<
    T: Clock + CryptoRng + Spawner + Storage + StorageContext + Metrics + Supervisor + RuntimeNetwork,
> Env for T
{
}

/// How many network channels one chain uses.
pub const CHANNELS: u64 = 9;

/// The network ends of one chain's engine, one pair per stream of messages.
pub struct Channels<S = Sender, R = Receiver> {
    pub votes: (S, R),
    pub certificates: (S, R),
    pub resolver: (S, R),
    pub backfill: (S, R),
    pub blocks: (S, R),
    pub txs: (S, R),
    /// Where a validator with an empty disk asks how far the others are.
    pub rejoin: (S, R),
    /// State and outbox, for those who have none.
    pub state: (S, R),
    pub outbox: (S, R),
}

impl<S, R> Channels<S, R> {
    /// Register a chain's channels; `register` is given numbers 0 to [`CHANNELS`] − 1.
    pub fn register(mut register: impl FnMut(u64) -> (S, R)) -> Self {
        Self {
            votes: register(0),
            certificates: register(1),
            resolver: register(2),
            backfill: register(3),
            blocks: register(4),
            txs: register(5),
            rejoin: register(6),
            state: register(7),
            outbox: register(8),
        }
    }
}

/// One validator of one chain.
pub struct ChainConfig {
    pub anchor: Anchor,
    pub genesis: Genesis,
    pub key: PrivateKey,
    /// The validator's threshold share. Without one this node follows the chain and never votes.
    pub share: Option<Vec<u8>>,
    /// Names this validator's files within the runtime's storage folder.
    pub partition: String,
    /// Whoever starts it knows that this validator has never run. Otherwise one with an empty disk asks
    /// its peers first, and stays silent for a moment if they are past genesis.
    pub new_network: bool,
    pub pool: mempool::Limits,
    /// Memory for pages of this validator's files, at least 512 KiB. Reads that miss it go to the system.
    pub cache_bytes: usize,
}

/// How long a view waits for its leader beyond the block interval. Half-way round the Earth and back,
/// twice: shorter would vote out honest leaders, longer makes a crashed one cost more.
const LEADER_PATIENCE: Duration = Duration::from_millis(1_000);
/// Views behind the last final one that stay in memory.
const VIEWS_KEPT: u64 = 64;
/// Final blocks kept to answer peers and receipts; at two a second, about three hours.
const BLOCKS_KEPT: usize = 20_000;

/// The largest message of a chain with `validators` validators.
pub fn message_bytes_max(validators: u32) -> u32 {
    commonware_p2p::max_message_size(&[
        simplex::max_payload_size::<Guarded, Digest>(validators),
        marshal::max_payload_size::<Standard<Block>, Guarded>(validators, &()),
        state_sync::message_bytes_max(),
    ])
}

/// Start a validator, or one who only follows, on the tokio runtime.
///
/// Boxed behind a pointer so that the whole engine is compiled here: the state machine of an `async fn`
/// is compiled by whoever awaits it, and that would be every crate above.
///
/// # Errors
/// [`BadKeys`] if the share does not fit the genesis.
pub fn start(
    context: tokio_runtime::Context,
    config: ChainConfig,
    channels: Channels,
    blocks: Blocks,
) -> BoxFuture<'static, Result<Chain<tokio_runtime::Context>, BadKeys>> {
    start_on(context, config, channels, blocks, Arc::new(ApplyBlock)).boxed()
}

/// The block every validator starts from.
fn genesis_block<E: Env>(genesis: &Genesis) -> Block {
    let (state, outbox) = <Databases<E> as DatabaseSet<E>>::initial_sync_targets();
    let log = |target: &commonware_storage::qmdb::sync::Target<Family, Digest>| types::LogRoot {
        root: crate::block::hash(&target.root),
        start: *target.range.start(),
        end: *target.range.end(),
    };
    let body = types::Body::default();
    let header = Header {
        chain: genesis.chain,
        epoch: types::Epoch::ZERO,
        view: 0,
        leader: genesis.validators.as_slice()[0].key,
        parent_view: 0,
        parent: genesis.id(),
        height: Height::ZERO,
        timestamp: genesis.started,
        body: body.root(),
        state_root: types::Hash::default(),
        state_log: log(&state),
        outbox: log(&outbox),
    };
    Block(types::Block { header, body })
}

/// Hears consensus' own reports: keeps each view's seed for later draws, how far this validator is, and who
/// signed twice.
///
/// Seeds of notarised views too: a block may become final by a later one's certificate and never get
/// its own, and its jobs would wait for ever. Whoever draws sees to it that the block is final.
#[derive(Clone)]
struct Listener {
    shared: Arc<SharedState>,
    standing: Arc<Standing>,
    scheme: Guarded,
}

impl Reporter for Listener {
    type Activity = Activity<Guarded, Digest>;
    fn report(&mut self, activity: Self::Activity) -> Feedback {
        self.standing.hear(&activity);
        if let Some(evidence) = double_signing(&self.scheme, &activity) {
            self.shared.accuse(evidence);
        }
        let (round, certificate) = match &activity {
            Activity::Notarization(notarization) => {
                (notarization.proposal.round, &notarization.certificate)
            }
            Activity::Finalization(finalization) => {
                (finalization.proposal.round, &finalization.certificate)
            }
            _ => return Feedback::Ok,
        };
        if let Some(signature) = certificate.get()
            && let Ok(seed) = Bytes::new(signature.seed_signature.encode().to_vec())
        {
            self.shared.remember_seed(round.epoch().get(), round.view().get(), seed);
        }
        Feedback::Ok
    }
}

/// Start a validator on any runtime and network: [`start`] for the node, the simulator for itself.
///
/// # Errors
/// [`BadKeys`] if the share does not fit the genesis.
pub async fn start_on<E, S, R, B>(
    context: E,
    config: ChainConfig,
    channels: Channels<S, R>,
    blocks: B,
    transition: Arc<dyn Transition>,
) -> Result<Chain<E>, BadKeys>
where
    E: Env,
    S: commonware_p2p::Sender<PublicKey = PublicKey>,
    R: commonware_p2p::Receiver<PublicKey = PublicKey>,
    B: commonware_p2p::Blocker<PublicKey = PublicKey>,
{
    let ChainConfig { anchor, genesis, key, share, partition, new_network, pool, cache_bytes } =
        config;
    let me: PublicKey = key.public_key();
    let keys = genesis.validators.iter().filter_map(|validator| consensus_key(&validator.key));
    let validators: Set<PublicKey> = Set::from_iter_dedup(keys);
    let network = anchor.network();
    let sharing = genesis.sharing.as_slice();
    let scheme =
        dealer::scheme(&network, genesis.chain, validators.clone(), sharing, share.as_deref())?;
    let voting = share.is_some().then_some(&key);
    let hand = Guarded::new(scheme.clone(), network, genesis.chain, voting);
    let peers = StaticProvider::new(0, validators.clone());
    let genesis_block = genesis_block::<E>(&genesis);
    let genesis_digest = genesis_block.digest();
    let interval = Millis::new(genesis.params.block_ms);
    let standing = Arc::new(Standing::default());
    let mut plan = SyncPlan::init(context.child("plan"), format!("{partition}-")).await;
    let mut silence = Silence::open(context.child("silence"), &partition).await;
    let mut rejoin = Rejoin {
        me: me.clone(),
        committee: validators,
        scheme: hand.clone(),
        sender: channels.rejoin.0,
        receiver: channels.rejoin.1,
        blocker: blocks.clone(),
    };
    if new_network {
        silence = silence.extend(View::zero()).await;
        standing.begin();
    }
    if silence.to().is_none() && plan.may_sync() {
        let Some(beginning) = rejoin.ask(&mut context.child("rejoin")).await else {
            // The network closes when the process ends.
            return std::future::pending().await;
        };
        tracing::info!(
            chain = %genesis.chain,
            floor = beginning.floor.as_ref().map(|floor| floor.view().get()),
            silent_to = beginning.silent_to.get(),
            "begins with an empty disk"
        );
        silence = silence.extend(beginning.silent_to).await;
        match beginning.floor {
            Some(floor) => plan = plan.set_floor(floor).await,
            None => standing.begin(),
        }
    }
    let start = plan.floor().cloned();
    let silent_to = silence.to().unwrap_or(View::zero());
    let voter = hand.silent_to(silent_to).telling(standing.clone());
    context.child("rejoin").spawn({
        let standing = standing.clone();
        move |_| rejoin.answer(standing)
    });
    let shared = Arc::new(SharedState::new(
        network,
        genesis,
        genesis_block.clone(),
        scheme.clone(),
        pool,
        transition,
    ));
    let cache = page_cache(cache_bytes);

    let resolver = marshal_resolver::init(
        context.child("marshal_resolver"),
        marshal_resolver::Config {
            public_key: me.clone(),
            peer_provider: peers.clone(),
            blocker: blocks.clone(),
            mailbox_size: NZUsize!(256),
            fetch_timeout: NZDuration!(Duration::from_secs(2)),
            fetch_retry_delay: Duration::from_millis(100),
            priority_requests: false,
            priority_responses: false,
        },
        channels.backfill,
    );
    let (broadcast, buffer) = buffered::Engine::new(
        context.child("broadcast"),
        buffered::Config {
            public_key: me.clone(),
            mailbox_size: NZUsize!(256),
            deque_size: 16,
            priority: false,
            codec_config: (),
            peer_provider: peers.clone(),
            strategy: Sequential,
        },
    );
    broadcast.start(channels.blocks);

    let archive = |name: &str| prunable::Config {
        translator: EightCap,
        metadata_partition: format!("{partition}-{name}-metadata"),
        key_partition: format!("{partition}-{name}-key"),
        key_page_cache: cache.clone(),
        value_partition: format!("{partition}-{name}-value"),
        compression: None,
        codec_config: (),
        items_per_section: NZU64!(1_024),
        key_write_buffer: BUFFER_BYTES,
        value_write_buffer: BUFFER_BYTES,
        replay_buffer: BUFFER_BYTES,
    };
    let finalizations =
        prunable::Archive::init(context.child("finalizations"), archive("finalizations"))
            .await
            .expect("the finalizations archive opens");
    let final_blocks = prunable::Archive::init(context.child("blocks"), archive("blocks"))
        .await
        .expect("the block archive opens");

    let epocher = FixedEpocher::new(NZU64!(u64::MAX));
    let (marshal_actor, marshal, floor) = MarshalActor::<_, Standard<Block>, _, _, _, _, _>::init(
        context.child("marshal"),
        finalizations,
        final_blocks,
        marshal::Config {
            provider: ConstantProvider::new(voter.clone()),
            epocher: epocher.clone(),
            start: plan.marshal_start(Digested::precomputed(genesis_block, genesis_digest)),
            partition_prefix: partition.clone(),
            mailbox_size: NZUsize!(256),
            view_retention: ViewDelta::new(VIEWS_KEPT),
            prunable_items_per_section: NZU64!(64),
            page_cache: cache.clone(),
            replay_buffer: BUFFER_BYTES,
            key_write_buffer: BUFFER_BYTES,
            value_write_buffer: BUFFER_BYTES,
            block_codec_config: (),
            max_repair: NZUsize!(16),
            max_pending_acks: NZUsize!(4),
            strategy: Sequential,
        },
    )
    .await;

    let resolvers = (
        Peers::<E, StateDb<E>>::start(
            context.child("state_peers"),
            me.clone(),
            &peers,
            &blocks,
            channels.state,
        ),
        Peers::<E, OutboxDb<E>>::start(
            context.child("outbox_peers"),
            me,
            &peers,
            &blocks,
            channels.outbox,
        ),
    );
    let app = App { shared: shared.clone() };
    let (stateful_actor, stateful) = Stateful::new(
        context.child("stateful"),
        StatefulConfig {
            application: app,
            db_config: configs(&partition, &cache),
            provider: (),
            marshal: (marshal.clone(), floor),
            mailbox_size: NZUsize!(256),
            plan,
            resolvers,
            sync_config: SyncEngineConfig {
                fetch_batch_size: FETCH_OPS,
                apply_batch_size: NZU64!(1_024),
                max_outstanding_requests: NZUsize!(8),
            },
            prune_config: Some(PruneConfig {
                maintenance_interval: NZUsize!(1_000),
                retained_marshal_blocks: BLOCKS_KEPT,
                retained_qmdb_blocks: 1_000,
            }),
            strategy: Sequential,
        },
    );
    let deferred = Deferred::new(
        context.child("deferred"),
        Paced { inner: stateful.clone(), interval, silent_to },
        marshal.clone(),
        epocher,
    );
    marshal_actor.start(stateful.clone(), buffer, resolver);
    stateful_actor.start();

    let leader_timeout = Duration::from_millis(interval.get()) + LEADER_PATIENCE;
    let engine = Engine::new(
        context.child("simplex"),
        simplex::Config {
            scheme: voter.clone(),
            elector: Draw { anchor: network },
            blocker: blocks,
            automaton: deferred.clone(),
            relay: deferred.clone(),
            reporter: Reporters::from((
                deferred,
                Listener { shared: shared.clone(), standing, scheme: voter },
            )),
            // A second vote often comes after the certificate the first went into: without the first there
            // is no evidence. A hundred validators' votes of the views kept are about 6 MB.
            track_historical_votes: true,
            strategy: Sequential,
            partition: format!("{partition}-simplex"),
            mailbox_size: NZUsize!(256),
            epoch: Epoch::zero(),
            floor: start.map_or(Floor::Genesis(genesis_digest), Floor::Finalized),
            replay_buffer: BUFFER_BYTES,
            write_buffer: BUFFER_BYTES,
            page_cache: cache,
            leader_timeout,
            certification_timeout: leader_timeout * 2,
            timeout_retry: leader_timeout * 2,
            view_retention: ViewDelta::new(VIEWS_KEPT),
            skip: SkipPolicy::Enabled {
                timeout: leader_timeout * 8,
                budget: SkipBudget::Participants,
            },
            fetch_timeout: NZDuration!(Duration::from_secs(1)),
            fetch_retry_delay: Duration::from_millis(100),
            forward: ForwardPolicy::Disabled,
        },
    )
    .start(channels.votes, channels.certificates, channels.resolver);

    let databases = stateful.subscribe_databases().await;
    let (sender, receiver) = channels.txs;
    let (submit, requests) = intake::requests();
    let desk = Desk { shared: shared.clone(), databases: databases.clone() };
    let intake = Intake { desk, requests, sender, receiver, distrusted: BTreeSet::new() };
    context.child("intake").spawn(move |_| intake.run());
    Ok(Chain {
        context: Arc::new(context.child("handle")),
        shared,
        databases,
        marshal,
        silent_to: silent_to.get(),
        requests: submit,
        engine: Arc::new(Mutex::new(Some(engine))),
    })
}
