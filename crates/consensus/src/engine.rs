//! Wiring one validator's engine.

use crate::{
    app::{App, SharedState},
    block::Block,
    ceremony::{self, EpochInfo, Payload, SEATS_MAX},
    dealer::{self, BadKeys},
    elector::Draw,
    evidence::double_signing,
    guarded::Guarded,
    handle::Chain,
    intake::{self, Desk, Intake},
    paced::Paced,
    peers::Known,
    rejoin::{Rejoin, Standing},
    reported::Reported,
    schemes::Schemes,
    secrets::Secrets,
    silence::{BEGINNING, Silence},
    state_sync::{self, FETCH_OPS, Peers},
    store::{BUFFER_BYTES, Databases, OutboxDb, StateDb, configs, page_cache},
    successors::{Opened, Successors},
    transition::{ApplyBlock, Transition},
};
use commonware_actor::Feedback;
use commonware_broadcast::buffered;
use commonware_codec::{DecodeExt as _, Encode as _};
use commonware_consensus::{
    Epochable as _, Reporter, Reporters, Viewable as _,
    marshal::{
        self,
        core::Actor as MarshalActor,
        resolver::p2p as marshal_resolver,
        standard::{Deferred, Standard},
    },
    simplex::{ForwardPolicy, SkipBudget, SkipPolicy, types::Activity},
    types::{Epoch, FixedEpocher, ViewDelta},
};
use commonware_cryptography::{
    Digested, Digestible as _, Signer as _,
    bls12381::{
        dkg::feldman_desmedt::Reveal,
        primitives::{group::Share, sharing::Mode, variant::MinSig},
    },
    certificate::ConstantProvider,
};
use commonware_glue::{
    dkg::{
        SecretStore as _,
        fence::Fence,
        max_payload_size as dkg_payload_size, orchestrator, probe, reshare,
        state_sync::{Config as StateSyncConfig, Plan as StateSyncPlan, StateSync},
    },
    stateful::{
        Config as StatefulConfig, PruneConfig, Stateful, SyncPlan,
        db::{DatabaseSet, SyncEngineConfig},
    },
};
use commonware_parallel::Sequential;
use commonware_runtime::{
    Clock, Metrics, Network as RuntimeNetwork, Spawner, Storage, Supervisor, tokio as tokio_runtime,
};
use commonware_storage::{Context as StorageContext, archive::prunable, translator::EightCap};
use commonware_utils::{NZDuration, NZU64, NZUsize, ordered::Set};
use futures::future::{BoxFuture, FutureExt as _};
use network::{Blocks, PrivateKey, PublicKey, Receiver, Sender};
use rand_core::CryptoRng;
use receipt::light::{Digest, Family, Scheme, namespace};
use std::{
    collections::BTreeSet,
    num::NonZeroU64,
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
pub const CHANNELS: u64 = 11;

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
    /// Shares of the key, dealt to those who vote next.
    pub dealing: (S, R),
    /// Where whoever has an empty disk asks which committee votes.
    pub terms: (S, R),
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
            dealing: register(9),
            terms: register(10),
        }
    }
}

/// One validator of one chain.
pub struct ChainConfig {
    pub anchor: Anchor,
    pub genesis: Genesis,
    pub key: PrivateKey,
    /// The validator's threshold share of the first term. Without one this node votes when it is dealt one.
    pub share: Option<Vec<u8>>,
    /// Everybody this node is connected to who may have a seat in some term, itself or not; beside genesis' validators.
    pub peers: Vec<PublicKey>,
    /// Names this validator's files within the runtime's storage folder.
    pub partition: String,
    /// Whoever starts it knows that this validator has never run. Otherwise one with an empty disk asks
    /// its peers first, and stays silent for a moment if they are past genesis.
    pub new_network: bool,
    pub pool: mempool::Limits,
    /// Memory for pages of this validator's files, at least 512 KiB. Reads that miss it go to the system.
    pub cache_bytes: usize,
}

/// Between two questions of one that has an empty disk.
const RETRY: Duration = Duration::from_millis(500);
/// How long a view waits for its leader beyond the block interval. Half-way round the Earth and back,
/// twice: shorter would vote out honest leaders, longer makes a crashed one cost more.
const LEADER_PATIENCE: Duration = Duration::from_millis(1_000);
/// Views behind the last final one that stay in memory.
const VIEWS_KEPT: u64 = 64;
/// Final blocks kept to answer peers and receipts; at two a second, about three hours.
const BLOCKS_KEPT: usize = 20_000;

/// The largest message of a chain, whatever committee it has in whichever term.
pub fn message_bytes_max() -> u32 {
    let seats = SEATS_MAX.get();
    commonware_p2p::max_message_size(&[
        orchestrator::max_payload_size::<Guarded, Digest>(seats),
        dkg_payload_size::<MinSig, PublicKey>(SEATS_MAX),
        probe::max_payload_size::<Standard<Block>, Guarded>(seats, &()),
        marshal::max_payload_size::<Standard<Block>, Guarded>(seats, &()),
        state_sync::message_bytes_max(),
    ])
}

/// Start a validator, or one who only follows, on the tokio runtime.
///
/// Boxed behind a pointer so that the whole engine is compiled here: the state machine of an `async fn`
/// is compiled by whoever awaits it, and that would be every crate above.
///
/// # Errors
/// [`BadKeys`] if the share does not fit the genesis, or its terms are too short.
pub fn start(
    context: tokio_runtime::Context,
    config: ChainConfig,
    channels: Channels,
    blocks: Blocks,
) -> BoxFuture<'static, Result<Chain<tokio_runtime::Context>, BadKeys>> {
    start_on(context, config, channels, blocks, Arc::new(ApplyBlock)).boxed()
}

/// The block every validator starts from.
fn genesis_block<E: Env>(genesis: &Genesis, first: &EpochInfo) -> Block {
    let (state, outbox) = <Databases<E> as DatabaseSet<E>>::initial_sync_targets();
    let log = |target: &commonware_storage::qmdb::sync::Target<Family, Digest>| types::LogRoot {
        root: crate::block::hash(&target.root),
        start: *target.range.start(),
        end: *target.range.end(),
    };
    let ceremony = Some(ceremony::encode(&Payload::EpochInfo(first.clone())));
    let body = types::Body { ceremony, ..types::Body::default() };
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
    schemes: Schemes,
}

impl Reporter for Listener {
    type Activity = Activity<Guarded, Digest>;
    fn report(&mut self, activity: Self::Activity) -> Feedback {
        self.standing.hear(&activity);
        let scheme = self.schemes.get(activity.epoch());
        if let Some(evidence) = scheme.and_then(|scheme| double_signing(&scheme, &activity)) {
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
/// [`BadKeys`] if the share does not fit the genesis, or its terms are too short.
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
    let ChainConfig {
        anchor,
        genesis,
        key,
        share,
        peers,
        partition,
        new_network,
        pool,
        cache_bytes,
    } = config;
    let me: PublicKey = key.public_key();
    let dealt = ceremony::dealt(genesis.sharing.as_slice()).ok_or(BadKeys::Sharing)?;
    let validators = dealt.players().clone();
    let network = anchor.network();
    if let Some(share) = &share {
        let sharing = genesis.sharing.as_slice();
        dealer::scheme(&network, genesis.chain, validators.clone(), sharing, Some(share))?;
    }
    let namespace = namespace(&network, genesis.chain);
    // The key of the chain outlives every committee, so this checks certificates of all terms.
    let light = Scheme::certificate_verifier(&namespace, *dealt.public().public());
    let verifier = Guarded::new(light.clone(), network, genesis.chain, None);
    let first = ceremony::first_term(dealt);
    let term_blocks = dealer::term_blocks(&genesis)?;
    let known = Set::from_iter_dedup(validators.iter().cloned().chain(peers));
    let peers = Known::new(known);
    let genesis_block = genesis_block::<E>(&genesis, &first);
    let genesis_digest = genesis_block.digest();
    let interval = Millis::new(genesis.params.block_ms);
    let standing = Arc::new(Standing::default());
    let cache = page_cache(cache_bytes);
    let mut plan = SyncPlan::init(context.child("plan"), format!("{partition}-")).await;
    let mut silence = Silence::open(context.child("silence"), &partition).await;
    let mut secrets = Secrets::open(context.child("secrets"), &partition).await;
    if let Some(share) = &share {
        secrets.put_seed(Epoch::zero(), ceremony::first_seed(share)).await;
        let share = Share::decode(share.clone()).map_err(|_| BadKeys::Share)?;
        secrets.put_share(Epoch::zero(), share).await;
    }
    let (prober, terms) = probe::Actor::new(probe::Config {
        context: context.child("terms"),
        manager: peers.clone(),
        bootstrap: probe::Bootstrap {
            epoch: Epoch::zero(),
            participants: first.participants(),
            directory: ceremony::Directory::default(),
        },
        floor: plan.floor().cloned(),
        verifier: verifier.clone(),
        genesis: first.clone(),
        strategy: Sequential,
        blocker: blocks.clone(),
        blocks_per_epoch: term_blocks,
        retry_timeout: NZDuration!(RETRY),
        mailbox_size: NZUsize!(256),
        block_codec_config: (),
    });
    prober.start(channels.terms);
    let mut rejoin = Rejoin {
        me: me.clone(),
        committee: validators,
        scheme: verifier.clone(),
        sender: channels.rejoin.0,
        receiver: channels.rejoin.1,
        blocker: blocks.clone(),
    };
    if new_network {
        silence = silence.extend(BEGINNING).await;
        standing.begin();
    }
    let mut synced = None;
    if silence.to().is_none() && plan.may_sync() {
        let Some(beginning) = rejoin.ask(&mut context.child("rejoin")).await else {
            // The network closes when the process ends.
            return std::future::pending().await;
        };
        tracing::info!(
            chain = %genesis.chain,
            floor = beginning.floor.as_ref().map(|floor| floor.view().get()),
            silent_to = %beginning.silent_to,
            "begins with an empty disk"
        );
        silence = silence.extend(beginning.silent_to).await;
        if beginning.floor.is_some() {
            // The block to begin at, and the committee of its term.
            let Ok(artifact) = terms.subscribe().await else {
                return std::future::pending().await;
            };
            plan = plan.set_floor(artifact.floor.clone()).await;
            synced = Some(StateSync { info: artifact.info, floor: artifact.floor });
        } else {
            standing.begin();
        }
    }
    let silent_to = silence.to().unwrap_or(BEGINNING);
    let schemes = Schemes::new(network, genesis.chain, key.clone(), silent_to, standing.clone());
    context.child("rejoin").spawn({
        let standing = standing.clone();
        move |_| rejoin.answer(standing)
    });
    let shared = Arc::new(SharedState::new(
        network,
        genesis,
        genesis_block.clone(),
        light,
        pool,
        transition,
    ));

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

    let epocher = FixedEpocher::new(term_blocks);
    let (marshal_actor, marshal, floor) = MarshalActor::<_, Standard<Block>, _, _, _, _, _>::init(
        context.child("marshal"),
        finalizations,
        final_blocks,
        marshal::Config {
            provider: ConstantProvider::new(verifier),
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

    let synced = StateSyncPlan::init(
        context.child("synced"),
        StateSyncConfig {
            partition_prefix: partition.clone(),
            max_participants: SEATS_MAX,
            max_supported_mode: ceremony::sharing_mode(),
        },
        synced,
    )
    .await;
    let (fence, gate) = Fence::new();
    let opened = Opened::<E>::default();
    let (resharing, handover) = reshare::Actor::new(
        context.child("reshare"),
        reshare::Config {
            signer: key,
            manager: peers.clone(),
            blocker: blocks.clone(),
            participants_provider: Successors {
                context: context.child("successors"),
                databases: opened.clone(),
            },
            secret_store: secrets,
            strategy: Sequential,
            registrar: schemes.clone(),
            marshal: marshal.clone(),
            state_sync: synced.clone(),
            fence,
            // The library wants it for ever; a process starts a chain once.
            namespace: Box::leak([b"meshx/reshare/v1".as_slice(), &namespace].concat().into()),
            sharing_mode: Mode::NonZeroCounter,
            reveal: Reveal::V1,
            mailbox_size: NZUsize!(256),
            partition_prefix: format!("{partition}-reshare"),
            page_cache: cache.clone(),
            write_buffer: BUFFER_BYTES,
            replay_buffer: BUFFER_BYTES,
            max_participants: SEATS_MAX,
            blocks_per_epoch: term_blocks,
        },
    );
    resharing.start(channels.dealing);

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
                // Who restarts reads its term's committee from the last block of the term before.
                retained_marshal_blocks: blocks_kept(term_blocks),
                retained_qmdb_blocks: 1_000,
            }),
            strategy: Sequential,
        },
    );
    let deferred = Deferred::new(
        context.child("deferred"),
        Paced {
            inner: reshare::Application::new(stateful.clone(), handover.clone(), term_blocks),
            interval,
            silent_to,
        },
        marshal.clone(),
        epocher,
    );

    let leader_timeout = Duration::from_millis(interval.get()) + LEADER_PATIENCE;
    let listener = Listener { shared: shared.clone(), standing, schemes: schemes.clone() };
    let (orchestrator, boundaries) = orchestrator::Actor::new(
        context.child("simplex"),
        orchestrator::Config {
            oracle: blocks,
            manager: peers,
            provider: schemes.clone(),
            marshal: marshal.clone(),
            application: Reported { inner: deferred, listener },
            strategy: Sequential,
            simplex: orchestrator::SimplexConfig {
                elector: Draw { anchor: network },
                mailbox_size: NZUsize!(256),
                replay_buffer: BUFFER_BYTES,
                write_buffer: BUFFER_BYTES,
                page_cache: cache,
                leader_timeout,
                certification_timeout: leader_timeout * 2,
                timeout_retry: leader_timeout * 2,
                fetch_timeout: NZDuration!(Duration::from_secs(1)),
                fetch_retry_delay: Duration::from_millis(100),
                view_retention: ViewDelta::new(VIEWS_KEPT),
                skip: SkipPolicy::Enabled {
                    timeout: leader_timeout * 8,
                    budget: SkipBudget::Participants,
                },
                // A second vote often comes after the certificate the first went into: without the first there
                // is no evidence. A hundred validators' votes of the views kept are about 6 MB.
                track_historical_votes: true,
                forward: ForwardPolicy::Disabled,
            },
            gate,
            state_sync: synced,
            blocks_per_epoch: term_blocks,
            mailbox_size: NZUsize!(256),
            partition_prefix: format!("{partition}-simplex"),
        },
    );
    let engine = orchestrator.start(channels.votes, channels.certificates, channels.resolver);
    let reporters = Reporters::from((stateful.clone(), Reporters::from((boundaries, handover))));
    marshal_actor.start(reporters, buffer, resolver);
    terms.attach(marshal.clone());
    stateful_actor.start();

    let databases = stateful.subscribe_databases().await;
    let _ = opened.set(databases.clone());
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
        silent_to,
        schemes,
        requests: submit,
        engine: Arc::new(Mutex::new(Some(engine))),
    })
}

/// Final blocks to keep: at least a term of them and some.
fn blocks_kept(term_blocks: NonZeroU64) -> usize {
    let term = usize::try_from(term_blocks.get()).unwrap_or(usize::MAX);
    BLOCKS_KEPT.max(term.saturating_add(term / 2))
}
