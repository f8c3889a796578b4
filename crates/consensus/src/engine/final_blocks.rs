//! Final blocks and their certificates: kept for peers and receipts, fetched where they are missing, and handed on in
//! order.

use super::{Env, VIEWS_KEPT, ends::BlockEnds, founding::Founding, validator::Validator};
use crate::{
    block::Block,
    guarded::Guarded,
    store::{BUFFER_BYTES, MAILBOX},
};
use commonware_broadcast::buffered;
use commonware_codec::CodecShared;
use commonware_consensus::{
    Reporter,
    marshal::{
        self, Update,
        core::{Actor as MarshalActor, Floor, Mailbox},
        resolver::{handler, p2p as marshal_resolver},
        standard::Standard,
    },
    simplex::types::Finalization,
    types::{Epoch as EngineTerm, FixedEpocher, ViewDelta},
};
use commonware_cryptography::{Digested, certificate::ConstantProvider};
use commonware_p2p::{Blocker, Receiver, Sender};
use commonware_parallel::Sequential;
use commonware_storage::{archive::prunable, translator::EightCap};
use commonware_utils::{NZDuration, NZU64, NZUsize};
use network::PublicKey;
use receipt::light::Digest;
use std::{sync::Arc, time::Duration};

/// Where final blocks are asked for.
pub(super) type Marshal = Mailbox<Guarded, Standard<Block>>;
type Archive<E, V> = prunable::Archive<EightCap, E, Digest, V>;
type Actor<E> = MarshalActor<
    E,
    Standard<Block>,
    ConstantProvider<Guarded, EngineTerm>,
    Archive<E, Finalization<Guarded, Digest>>,
    Archive<E, Arc<Block>>,
    FixedEpocher,
    Sequential,
>;
/// Genesis, or the block whose state is synced.
pub(super) type Start = marshal::Start<Guarded, Digest, Digested<Block>>;
/// What peers answer, and where they are asked.
type Resolver = (handler::Receiver<Digest>, marshal_resolver::Mailbox<Digest, PublicKey>);

/// Opened and not started: what it delivers to comes later.
pub(super) struct FinalBlocks<E: Env> {
    pub(super) marshal: Marshal,
    pub(super) floor: Floor,
    actor: Actor<E>,
    buffer: buffered::Mailbox<PublicKey, Block>,
    resolver: Resolver,
}

impl<E: Env> FinalBlocks<E> {
    pub(super) async fn open<S, R, B>(
        validator: &Validator<E>,
        founding: &Founding,
        start: Start,
        channels: BlockEnds<S, R>,
        blocker: B,
    ) -> Self
    where
        S: Sender<PublicKey = PublicKey>,
        R: Receiver<PublicKey = PublicKey>,
        B: Blocker<PublicKey = PublicKey>,
    {
        let resolver = fetch(validator, channels.backfill, blocker);
        let buffer = spread(validator, channels.blocks);
        let finalizations = archive(validator, "finalizations").await;
        let blocks = archive(validator, "blocks").await;
        let config = marshal::Config {
            provider: ConstantProvider::new(founding.verifier.clone()),
            epocher: FixedEpocher::new(founding.term_blocks),
            start,
            partition_prefix: validator.partition.clone(),
            mailbox_size: MAILBOX,
            view_retention: ViewDelta::new(VIEWS_KEPT),
            prunable_items_per_section: NZU64!(64),
            page_cache: validator.cache.clone(),
            replay_buffer: BUFFER_BYTES,
            key_write_buffer: BUFFER_BYTES,
            value_write_buffer: BUFFER_BYTES,
            block_codec_config: (),
            max_repair: NZUsize!(16),
            max_pending_acks: NZUsize!(4),
            strategy: Sequential,
        };
        let context = validator.context.child("marshal");
        let (actor, marshal, floor) = Actor::init(context, finalizations, blocks, config).await;
        Self { marshal, floor, actor, buffer, resolver }
    }

    /// Deliver to `reporters` from now on.
    pub(super) fn start(self, reporters: impl Reporter<Activity = Update<Block>>) {
        self.actor.start(reporters, self.buffer, self.resolver);
    }
}

/// Start the task that asks peers for blocks, and gives them theirs.
fn fetch<E, S, R, B>(validator: &Validator<E>, channel: (S, R), blocker: B) -> Resolver
where
    E: Env,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
    B: Blocker<PublicKey = PublicKey>,
{
    let config = marshal_resolver::Config {
        public_key: validator.me.clone(),
        peer_provider: validator.peers.clone(),
        blocker,
        mailbox_size: MAILBOX,
        fetch_timeout: NZDuration!(Duration::from_secs(2)),
        fetch_retry_delay: Duration::from_millis(100),
        priority_requests: false,
        priority_responses: false,
    };
    marshal_resolver::init(validator.context.child("marshal_resolver"), config, channel)
}

/// Start the task that passes new blocks around, and remembers the last ones of each peer.
fn spread<E, S, R>(validator: &Validator<E>, channel: (S, R)) -> buffered::Mailbox<PublicKey, Block>
where
    E: Env,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
{
    let config = buffered::Config {
        public_key: validator.me.clone(),
        mailbox_size: MAILBOX,
        deque_size: 16,
        priority: false,
        codec_config: (),
        peer_provider: validator.peers.clone(),
        strategy: Sequential,
    };
    let (engine, buffer) = buffered::Engine::new(validator.context.child("broadcast"), config);
    engine.start(channel);
    buffer
}

/// The validator's file of this name, by height and digest.
async fn archive<E: Env, V: CodecShared<Cfg = ()>>(
    validator: &Validator<E>,
    name: &'static str,
) -> Archive<E, V> {
    let partition = &validator.partition;
    let config = prunable::Config {
        translator: EightCap,
        metadata_partition: format!("{partition}-{name}-metadata"),
        key_partition: format!("{partition}-{name}-key"),
        key_page_cache: validator.cache.clone(),
        value_partition: format!("{partition}-{name}-value"),
        compression: None,
        codec_config: (),
        items_per_section: NZU64!(1_024),
        key_write_buffer: BUFFER_BYTES,
        value_write_buffer: BUFFER_BYTES,
        replay_buffer: BUFFER_BYTES,
    };
    let opened = Archive::init(validator.context.child(name), config).await;
    opened.unwrap_or_else(|error| panic!("the archive of {name} opens: {error}"))
}
