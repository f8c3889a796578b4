//! Agreeing on the order of blocks: one simplex engine for each term, and which task reports to which.

use super::{
    Env, VIEWS_KEPT,
    ends::VoteEnds,
    final_blocks::Marshal,
    founding::Founding,
    handover::{Reshare, SyncedPlan},
    listener::Listener,
    validator::Validator,
};
use crate::{
    app::App,
    block::Block,
    elector::Draw,
    old_terms::journals,
    paced::Paced,
    reported::Reported,
    schemes::Schemes,
    shared::Shared,
    store::{BUFFER_BYTES, MAILBOX},
};
use commonware_consensus::{
    marshal::standard::Deferred,
    simplex::{ForwardPolicy, SkipBudget, SkipPolicy},
    types::{FixedEpocher, Round, ViewDelta},
};
use commonware_glue::{
    dkg::{
        fence::Gate,
        orchestrator::{self, SimplexConfig},
        reshare,
    },
    stateful,
};
use commonware_p2p::{Blocker, Receiver, Sender};
use commonware_parallel::Sequential;
use commonware_runtime::{Handle, buffer::paged::CacheRef};
use commonware_utils::NZDuration;
use network::PublicKey;
use std::{sync::Arc, time::Duration};
use types::{Hash, Millis};

/// How long a view waits for its leader beyond the block interval. Half-way round the Earth and back,
/// twice: shorter would vote out honest leaders, longer makes a crashed one cost more.
const LEADER_PATIENCE: Duration = Duration::from_millis(1_000);

/// What an order of blocks is agreed on, and which validators agree.
pub(super) struct Agreement<E: Env> {
    pub(super) stateful: stateful::Mailbox<E, App>,
    pub(super) marshal: Marshal,
    pub(super) reshare: Reshare,
    pub(super) synced: SyncedPlan,
    pub(super) gate: Gate,
    pub(super) schemes: Schemes,
    pub(super) listener: Listener<E>,
    /// Propose nothing up to this round.
    pub(super) silent_to: Round,
    /// See [`Paced::rest`].
    pub(super) rest: Option<(Millis, Arc<Shared>)>,
}

impl<E: Env> Agreement<E> {
    /// The running engine, and who wants to hear of final blocks, as terms end with them.
    pub(super) fn start<S, R, B>(
        self,
        validator: &Validator<E>,
        founding: &Founding,
        channels: VoteEnds<S, R>,
        oracle: B,
    ) -> (Handle<()>, orchestrator::Mailbox<Block>)
    where
        S: Sender<PublicKey = PublicKey>,
        R: Receiver<PublicKey = PublicKey>,
        B: Blocker<PublicKey = PublicKey>,
    {
        let Validator { context, partition, .. } = validator;
        let term_blocks = founding.term_blocks;
        let slowest = self.rest.as_ref().map_or(founding.interval, |(beat, _)| *beat);
        let application = Paced {
            inner: reshare::Application::new(self.stateful, self.reshare, term_blocks),
            interval: founding.interval,
            silent_to: self.silent_to,
            rest: self.rest,
        };
        let deferred = Deferred::new(
            context.child("deferred"),
            application,
            self.marshal.clone(),
            FixedEpocher::new(term_blocks),
        );
        let config = orchestrator::Config {
            oracle,
            manager: validator.peers.clone(),
            provider: self.schemes,
            marshal: self.marshal,
            application: Reported { inner: deferred, listener: self.listener },
            strategy: Sequential,
            simplex: simplex(
                founding.network,
                (founding.interval, slowest),
                validator.cache.clone(),
            ),
            gate: self.gate,
            state_sync: self.synced,
            blocks_per_epoch: term_blocks,
            mailbox_size: MAILBOX,
            partition_prefix: journals(partition),
        };
        let (orchestrator, boundaries) = orchestrator::Actor::new(context.child("simplex"), config);
        let engine = orchestrator.start(channels.votes, channels.certificates, channels.resolver);
        (engine, boundaries)
    }
}

/// How each term's engine votes, on a chain with a block every `interval`, and every `slowest` while nobody waits for one.
///
/// Only the wait for a leader's proposal must cover the slowest beat. All other waits are for those who have something to
/// say already, and a lost view costs no more of them on a chain that may rest.
fn simplex(
    network: Hash,
    (interval, slowest): (Millis, Millis),
    page_cache: CacheRef,
) -> SimplexConfig<Draw> {
    let patience = |beat: Millis| Duration::from_millis(beat.get()) + LEADER_PATIENCE;
    let (usual, leader_timeout) = (patience(interval), patience(slowest));
    SimplexConfig {
        elector: Draw { origin: network },
        mailbox_size: MAILBOX,
        replay_buffer: BUFFER_BYTES,
        write_buffer: BUFFER_BYTES,
        page_cache,
        leader_timeout,
        certification_timeout: leader_timeout + usual,
        timeout_retry: usual * 2,
        fetch_timeout: NZDuration!(Duration::from_secs(1)),
        fetch_retry_delay: Duration::from_millis(100),
        view_retention: ViewDelta::new(VIEWS_KEPT),
        skip: SkipPolicy::Enabled { timeout: leader_timeout * 8, budget: SkipBudget::Participants },
        // A second vote often comes after the certificate the first went into: without the first there
        // is no proof. A hundred validators' votes of the views kept are about 6 MB.
        track_historical_votes: true,
        forward: ForwardPolicy::Disabled,
    }
}
