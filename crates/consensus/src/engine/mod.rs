//! Wiring one validator's engine, part by part.
//!
//! ```text
//!  founding ──▶ beginning ──▶ final_blocks ──▶ handover ──▶ state ──▶ ordering
//!  of genesis   disk, peers   marshal          reshare      App       simplex of each term
//! ```
//! What the parts say to each other is the picture in the crate's own words; here is only who is given what. The order
//! counts: a simulation with the same seed starts the same tasks one after the other.

mod beginning;
mod config;
mod ends;
mod final_blocks;
mod founding;
mod handover;
mod listener;
mod ordering;
mod state;
mod validator;

use crate::{
    app::App,
    dealer::BadKeys,
    handle::Chain,
    intake::{self, Desk, Intake},
    quiet,
    shared::Shared,
    transition::{ApplyBlock, Transition},
};
use beginning::begin;
use commonware_consensus::Reporters;
use commonware_p2p::{Blocker, Receiver, Sender};
use commonware_runtime::tokio as tokio_runtime;
pub use config::{CHANNELS, ChainConfig, Channels, Env, message_bytes_max};
use ends::Ends;
use final_blocks::FinalBlocks;
use founding::Founding;
use futures::future::{BoxFuture, FutureExt as _};
use handover::{Handover, Keys};
use listener::Listener;
use network::{Blocks, PublicKey};
use ordering::Agreement;
use std::sync::{Arc, Mutex};
use validator::Validator;

/// Views behind the last final one that stay in memory.
const VIEWS_KEPT: u64 = 64;

/// Start a validator, or one who only follows, on the tokio runtime.
///
/// Boxed behind a pointer so that the whole engine is compiled here: the state machine of an `async fn`
/// is compiled in the crate that awaits it, and that would be every crate above.
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

/// Start a validator on any runtime and network: [`start`] for the node, the simulator for itself.
///
/// # Errors
/// [`BadKeys`] if the share does not fit the genesis, or its terms are too short.
pub async fn start_on<E, S, R, B>(
    context: E,
    config: ChainConfig,
    channels: Channels<S, R>,
    blocker: B,
    transition: Arc<dyn Transition>,
) -> Result<Chain<E>, BadKeys>
where
    E: Env,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
    B: Blocker<PublicKey = PublicKey>,
{
    let founding = Founding::of::<E>(&config.network_keys, &config.genesis)?;
    let dealt = match &config.share {
        Some(share) => Some(founding.dealt(&config.genesis, share)?),
        None => None,
    };
    let validator = Validator::new(context, &config, &founding);

    let ends = Ends::from(channels);
    let new_network = config.new_network;
    let begun =
        begin(&validator, &founding, dealt, new_network, ends.questions, blocker.clone()).await;
    let Some(begun) = begun else {
        // The network closes when the process ends.
        return std::future::pending().await;
    };
    let rest = config.rest.map(|asked| quiet::beat(founding.interval, asked));
    let shared = Arc::new(Shared::new(
        founding.network,
        config.genesis,
        founding.block.clone(),
        founding.light.clone(),
        config.pool,
        transition,
    ));
    let start = begun.plan.marshal_start(founding.first_block());
    let blocks =
        FinalBlocks::open(&validator, &founding, start, ends.blocks, blocker.clone()).await;
    let marshal = blocks.marshal.clone();
    let copies = state::copies(&validator, ends.state, &blocker);

    let (schemes, silent_to) = (begun.schemes, begun.silent_to);
    let keys = Keys { secrets: begun.secrets, schemes: schemes.clone(), synced: begun.synced };
    let handover = Handover::start(
        &validator,
        &founding,
        keys,
        marshal.clone(),
        ends.dealing,
        blocker.clone(),
    )
    .await;
    let (keeper, stateful) = state::keep(
        &validator,
        App { shared: shared.clone() },
        begun.plan,
        (marshal.clone(), blocks.floor),
        copies,
        (config.keep, founding.term_blocks),
    );
    let listener = Listener {
        clock: Arc::new(validator.context.child("listener")),
        shared: shared.clone(),
        standing: begun.standing,
        schemes: schemes.clone(),
    };
    let agreement = Agreement {
        stateful: stateful.clone(),
        marshal: marshal.clone(),
        reshare: handover.mailbox.clone(),
        synced: handover.synced,
        gate: handover.gate,
        schemes: schemes.clone(),
        listener,
        silent_to,
        rest: rest.map(|beat| (beat, shared.clone())),
    };
    let (engine, boundaries) = agreement.start(&validator, &founding, ends.votes, blocker);

    let followers = Reporters::from((boundaries, handover.mailbox));
    // Only now: those that are told of final blocks must be there for the first one.
    blocks.start(Reporters::from((stateful.clone(), followers)));
    begun.terms.attach(marshal.clone());
    keeper.start();
    let databases = stateful.subscribe_databases().await;
    // Nobody else sets it.
    let _ = handover.opened.set(databases.clone());

    let (sender, receiver) = ends.txs;
    let (mailbox, requests) = intake::mailbox();
    let desk = Desk { shared: shared.clone(), databases: databases.clone() };
    let intake = (requests, sender, receiver);
    validator.context.child("intake").spawn(move |clock| Intake::new(clock, desk, intake).run());
    Ok(Chain {
        context: Arc::new(validator.context.child("handle")),
        shared,
        databases,
        marshal,
        silent_to,
        slowest: rest.unwrap_or(founding.interval),
        schemes,
        mailbox,
        engine: Arc::new(Mutex::new(Some(engine))),
    })
}
