//! The chain's state on disk, advanced by the application, and fetched from peers by a validator that has none.

use super::{Env, beginning::Plan, ends::StateEnds, final_blocks::Marshal, validator::Validator};
use crate::{
    app::App,
    block::Block,
    keep::Keep,
    state_sync::{FETCH_OPS, Peers},
    store::{MAILBOX, OutboxDb, StateDb, configs},
};
use commonware_consensus::marshal::{core::Floor, standard::Standard};
use commonware_glue::stateful::{Config, Mailbox, PruneConfig, Stateful, db::SyncEngineConfig};
use commonware_p2p::{Blocker, Receiver, Sender};
use commonware_parallel::Sequential;
use commonware_utils::{NZU64, NZUsize};
use network::PublicKey;
use std::num::NonZeroU64;

/// The peers' copies of both databases.
type Copies<E> = (Peers<E, StateDb<E>>, Peers<E, OutboxDb<E>>);
/// Executes blocks, and brings the databases from one final block to the next.
type Keeper<E> = Stateful<E, App, Standard<Block>, Copies<E>, Sequential>;

/// Serve peers, and fetch from them, on `channels`.
pub(super) fn copies<E, S, R, B>(
    validator: &Validator<E>,
    channels: StateEnds<S, R>,
    blocker: &B,
) -> Copies<E>
where
    E: Env,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
    B: Blocker<PublicKey = PublicKey>,
{
    let Validator { context, me, peers, .. } = validator;
    let state = context.child("state_peers");
    let state = Peers::start(state, me.clone(), peers, blocker, channels.state);
    let outbox = context.child("outbox_peers");
    let outbox = Peers::start(outbox, me.clone(), peers, blocker, channels.outbox);
    (state, outbox)
}

/// Ready to be started: the state that `application` advances from where `plan` begins.
pub(super) fn keep<E: Env>(
    validator: &Validator<E>,
    application: App,
    plan: Plan<E>,
    marshal: (Marshal, Floor),
    resolvers: Copies<E>,
    (kept, term_blocks): (Keep, NonZeroU64),
) -> (Keeper<E>, Mailbox<E, App>) {
    let config = Config {
        application,
        db_config: configs(&validator.partition, &validator.cache),
        provider: (),
        marshal,
        mailbox_size: MAILBOX,
        plan,
        resolvers,
        sync_config: SyncEngineConfig {
            fetch_batch_size: FETCH_OPS,
            apply_batch_size: NZU64!(1_024),
            max_outstanding_requests: NZUsize!(8),
        },
        prune_config: Some(PruneConfig {
            maintenance_interval: NZUsize!(256),
            retained_marshal_blocks: kept.blocks_with(term_blocks),
            retained_qmdb_blocks: kept.states,
        }),
        strategy: Sequential,
    };
    Stateful::new(validator.context.child("stateful"), config)
}
