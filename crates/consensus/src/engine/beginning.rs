//! How this validator begins: from what is on its disk or, if that is empty, from what its peers tell it.

use super::{
    Env,
    ends::Questions,
    founding::{Dealt, Founding},
    validator::Validator,
};
use crate::{
    block::Block,
    ceremony::Directory,
    guarded::Guarded,
    old_terms::OldTerms,
    rejoin::{Rejoin, Standing},
    schemes::Schemes,
    secrets::Secrets,
    silence::{BEGINNING, Silence},
    store::MAILBOX,
};
use commonware_consensus::{
    Viewable as _,
    marshal::standard::Standard,
    types::{Epoch as EngineTerm, Round},
};
use commonware_cryptography::bls12381::primitives::variant::MinSig;
use commonware_glue::{
    dkg::{SecretStore as _, probe, state_sync::StateSync},
    stateful::SyncPlan,
};
use commonware_p2p::{Blocker, Receiver, Sender};
use commonware_parallel::Sequential;
use commonware_utils::NZDuration;
use network::PublicKey;
use receipt::light::Digest;
use std::{sync::Arc, time::Duration};

/// Between two questions of one that has an empty disk.
const RETRY: Duration = Duration::from_millis(500);

/// Knows, or asks, which committee votes.
pub(super) type Terms = probe::Mailbox<Guarded, Standard<Block>>;
pub(super) type Plan<E> = SyncPlan<E, Guarded, Standard<Block>>;
/// The block to begin at, and the committee of its term.
pub(super) type Synced = StateSync<Guarded, Digest, MinSig, Directory>;

/// What the rest of the engine needs to know of the beginning.
pub(super) struct Beginning<E: Env> {
    pub(super) plan: Plan<E>,
    pub(super) secrets: Secrets<E>,
    pub(super) terms: Terms,
    pub(super) standing: Arc<Standing>,
    pub(super) schemes: Schemes,
    /// Sign and propose nothing up to this round.
    pub(super) silent_to: Round,
    /// `None`: this validator has, or replays, every block since genesis.
    pub(super) synced: Option<Synced>,
}

/// Open what must never be forgotten, ask the peers if there is nothing, and answer them from then on.
///
/// `None`: the network closed before it had answered, because the process ends.
pub(super) async fn begin<E, S, R, B>(
    validator: &Validator<E>,
    founding: &Founding,
    dealt: Option<Dealt>,
    new_network: bool,
    questions: Questions<S, R>,
    blocker: B,
) -> Option<Beginning<E>>
where
    E: Env,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
    B: Blocker<PublicKey = PublicKey>,
{
    let Validator { context, partition, .. } = validator;
    let mut plan = SyncPlan::init(context.child("plan"), format!("{partition}-")).await;
    let mut silence = Silence::open(context.child("silence"), partition).await;
    let old = OldTerms::new(context.child("terms"), partition);
    let mut secrets = Secrets::open(context.child("secrets"), old, partition).await;
    // Also after a restart: the dealt share never changes, and the seed follows from it.
    if let Some(Dealt { share, seed }) = dealt {
        secrets.put_seed(EngineTerm::zero(), seed).await;
        secrets.put_share(EngineTerm::zero(), share).await;
    }
    let terms = serve_terms(validator, founding, &plan, questions.terms, blocker.clone());
    let mut rejoin = Rejoin {
        me: validator.me.clone(),
        committee: founding.validators.clone(),
        scheme: founding.verifier.clone(),
        sender: questions.rejoin.0,
        receiver: questions.rejoin.1,
        blocker,
    };
    let standing = Arc::new(Standing::default());
    if new_network {
        silence = silence.extend(BEGINNING).await;
        standing.begin();
    }
    let mut synced = None;
    if silence.to().is_none() && plan.may_sync() {
        let beginning = rejoin.ask(&mut context.child("rejoin")).await?;
        tracing::info!(
            chain = %founding.chain,
            floor = beginning.floor.as_ref().map(|floor| floor.view().get()),
            silent_to = %beginning.silent_to,
            "begins with an empty disk"
        );
        // Before anything else: after a crash the mark is there, even if all else is missing (ADR 6).
        silence = silence.extend(beginning.silent_to).await;
        if beginning.floor.is_some() {
            let artifact = terms.subscribe().await.ok()?;
            plan = plan.set_floor(artifact.floor.clone()).await;
            synced = Some(StateSync { info: artifact.info, floor: artifact.floor });
        } else {
            standing.begin();
        }
    }
    let silent_to = silence.to().unwrap_or(BEGINNING);
    let key = validator.key.clone();
    let schemes = Schemes::new(founding.network, founding.chain, key, silent_to, standing.begun());
    context.child("rejoin").spawn({
        let standing = standing.clone();
        move |_| rejoin.answer(standing)
    });
    Some(Beginning { plan, secrets, terms, standing, schemes, silent_to, synced })
}

/// Start the task that finds out, and tells peers, which committee votes.
fn serve_terms<E, S, R, B>(
    validator: &Validator<E>,
    founding: &Founding,
    plan: &Plan<E>,
    channel: (S, R),
    blocker: B,
) -> Terms
where
    E: Env,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
    B: Blocker<PublicKey = PublicKey>,
{
    let (prober, terms) = probe::Actor::new(probe::Config {
        context: validator.context.child("terms"),
        manager: validator.peers.clone(),
        bootstrap: probe::Bootstrap {
            epoch: EngineTerm::zero(),
            participants: founding.first.participants(),
            directory: Directory::default(),
        },
        floor: plan.floor().cloned(),
        verifier: founding.verifier.clone(),
        genesis: founding.first.clone(),
        strategy: Sequential,
        blocker,
        blocks_per_epoch: founding.term_blocks,
        retry_timeout: NZDuration!(RETRY),
        mailbox_size: MAILBOX,
        block_codec_config: (),
    });
    prober.start(channel);
    terms
}
