//! Workers at work: tell a shift what its chain says, and hand on what it orders.

mod hands;

use crate::{
    host::{Node, workers_of},
    line::Line,
};
use commonware_runtime::tokio::Context;
use consensus::{Chain, Final};
use hands::Hands;
use std::{
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};
use tokio::sync::{
    broadcast::{Receiver, error::RecvError},
    mpsc,
};
use types::{Millis, state::Event};
use worker::{Shift, Told, Worker};

/// Blocks between two looks at whether a heartbeat is due.
const BEAT_LOOKS: u64 = 16;
/// The longest that the shift is told nothing.
const TICK: Duration = Duration::from_millis(500);
/// What may wait for the shift to hear it; a sender with more waits.
const WAITING_MAX: usize = 64;

/// Serve until the chain's feed ends.
pub(crate) async fn serve(
    node: Node,
    chain: Chain<Context>,
    worker: Worker,
    cancel: Arc<AtomicBool>,
) {
    let finals = chain.finals();
    let line = Line::open(chain.clone(), worker.key().clone(), node.network_keys().network());
    let (tell, inbox) = mpsc::channel(WAITING_MAX);
    let hands = Arc::new(Hands { node, chain, worker, line, tell, cancel });
    tokio::select! {
        () = listen(&hands, finals) => {}
        () = work(&hands, inbox) => {}
    }
}

async fn work(hands: &Arc<Hands>, mut inbox: mpsc::Receiver<Told>) {
    let begun = Instant::now();
    // The chain says how much this worker offers, as soon as it says anything.
    let mut shift = Shift::new(1);
    let mut told = Told::Lagged;
    loop {
        let now = Millis::new(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX));
        for order in shift.told(now, told) {
            // A task for each: a run may take minutes, and the reveal of another job must not wait for it.
            tokio::spawn(hands.clone().carry_out(order));
        }
        told = match tokio::time::timeout(TICK, inbox.recv()).await {
            Ok(Some(told)) => told,
            Ok(None) => return,
            Err(_) => Told::Tick,
        };
    }
}

/// Tell what each final block says to this worker.
async fn listen(hands: &Hands, mut finals: Receiver<Arc<Final>>) {
    loop {
        match finals.recv().await {
            Ok(block) => hear(hands, &block).await,
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "worker fell behind its chain");
                hands.tell(Told::Lagged).await;
            }
            Err(RecvError::Closed) => return,
        }
    }
}

async fn hear(hands: &Hands, block: &Final) {
    if block.header.height.get().is_multiple_of(BEAT_LOOKS) {
        hands.look_at_itself().await;
    }
    for event in &block.events {
        let Event::Job { job, phase } = event else { continue };
        if workers_of(phase).any(|worker| worker == hands.worker.address()) {
            hands.look_at(*job).await;
        }
    }
}
