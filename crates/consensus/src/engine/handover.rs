//! Handing the chain's key over: each committee deals shares to the next one within its term.

use super::{
    Env, beginning::Synced, final_blocks::Marshal, founding::Founding, validator::Validator,
};
use crate::{
    block::Block,
    ceremony::{self, Directory, SEATS_MAX},
    guarded::Guarded,
    schemes::Schemes,
    secrets::Secrets,
    store::{BUFFER_BYTES, MAILBOX},
    successors::{Opened, Successors},
};
use commonware_cryptography::bls12381::{
    dkg::feldman_desmedt::Reveal,
    primitives::{sharing::Mode, variant::MinSig},
};
use commonware_glue::dkg::{
    fence::{Fence, Gate},
    reshare,
    state_sync::{Config as StateSyncConfig, Plan},
};
use commonware_p2p::{Blocker, Receiver, Sender};
use commonware_parallel::Sequential;
use network::{PrivateKey, PublicKey};
use receipt::light::Digest;

/// [`Synced`], on disk until this validator has a term's last block of its own.
pub(super) type SyncedPlan = Plan<Guarded, Digest, MinSig, Directory>;
/// Where a proposer asks for its part in the hand-over.
pub(super) type Reshare = reshare::Mailbox<Block, MinSig, PrivateKey>;

/// A hand-over that runs.
pub(super) struct Handover<E: Env> {
    pub(super) mailbox: Reshare,
    /// Opens for a term when its committee is known here.
    pub(super) gate: Gate,
    pub(super) synced: SyncedPlan,
    /// To be told of the databases when they are open: the state names the committees.
    pub(super) opened: Opened<E>,
}

/// What a validator keeps and knows of its terms.
pub(super) struct Keys<E: Env> {
    pub(super) secrets: Secrets<E>,
    pub(super) schemes: Schemes,
    pub(super) synced: Option<Synced>,
}

impl<E: Env> Handover<E> {
    pub(super) async fn start<S, R, B>(
        validator: &Validator<E>,
        founding: &Founding,
        keys: Keys<E>,
        marshal: Marshal,
        channel: (S, R),
        blocker: B,
    ) -> Self
    where
        S: Sender<PublicKey = PublicKey>,
        R: Receiver<PublicKey = PublicKey>,
        B: Blocker<PublicKey = PublicKey>,
    {
        let Validator { context, partition, .. } = validator;
        let config = StateSyncConfig {
            partition_prefix: partition.clone(),
            max_participants: SEATS_MAX,
            max_supported_mode: ceremony::sharing_mode(),
        };
        let synced = SyncedPlan::init(context.child("synced"), config, keys.synced).await;
        let (fence, gate) = Fence::new();
        let opened = Opened::<E>::default();
        let successors =
            Successors { context: context.child("successors"), databases: opened.clone() };
        // The library wants it for ever; a process starts a chain once.
        let namespace = [b"meshx/reshare/v1".as_slice(), &founding.namespace].concat();
        let config = reshare::Config {
            signer: validator.key.clone(),
            manager: validator.peers.clone(),
            blocker,
            participants_provider: successors,
            secret_store: keys.secrets,
            strategy: Sequential,
            registrar: keys.schemes,
            marshal,
            state_sync: synced.clone(),
            fence,
            namespace: Box::leak(namespace.into()),
            sharing_mode: Mode::NonZeroCounter,
            reveal: Reveal::V1,
            mailbox_size: MAILBOX,
            partition_prefix: format!("{partition}-reshare"),
            page_cache: validator.cache.clone(),
            write_buffer: BUFFER_BYTES,
            replay_buffer: BUFFER_BYTES,
            max_participants: SEATS_MAX,
            blocks_per_epoch: founding.term_blocks,
        };
        let (resharing, mailbox) = reshare::Actor::new(context.child("reshare"), config);
        resharing.start(channel);
        Self { mailbox, gate, synced, opened }
    }
}
