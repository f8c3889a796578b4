//! The edge at work: tell a shift what the gateway says, and carry out what it orders, each order in a thread.

use crate::{Said, hands::Hands};
use std::{
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};
use types::{Action, JobId, Millis};
use worker::{Asks, Duty, Order, Shift, Told};

/// The longest that the shift is told nothing.
const TICK: Duration = Duration::from_millis(200);
/// How often the worker looks whether it is time to say that it is still there.
const BEAT_LOOKS: Duration = Duration::from_secs(10);
/// What may wait for the shift to hear it; a sender with more waits.
const WAITING_MAX: usize = 64;

/// To the shift. One that has ended needs to hear nothing.
type Tell = mpsc::SyncSender<Told>;

pub(crate) fn work(hands: &Arc<Hands>) {
    let (tell, inbox) = mpsc::sync_channel(WAITING_MAX);
    let begun = Instant::now();
    let mut shift = Shift::new(hands.capacity());
    let (mut told, mut looked) = (Told::Lagged, begun);
    while !hands.stopped() {
        let now = Millis::new(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX));
        for order in shift.told(now, told) {
            spawn(hands, &tell, |hands, tell| carry_out(hands, order, tell));
        }
        if looked.elapsed() >= BEAT_LOOKS {
            looked = Instant::now();
            spawn(hands, &tell, look_at_itself);
        }
        told = inbox.recv_timeout(TICK).unwrap_or(Told::Tick);
    }
    hands.leave();
}

fn spawn(hands: &Arc<Hands>, tell: &Tell, what: impl FnOnce(&Hands, &Tell) + Send + 'static) {
    let (hands, tell) = (hands.clone(), tell.clone());
    thread::spawn(move || what(&hands, &tell));
}

fn carry_out(hands: &Hands, order: Order, tell: &Tell) {
    let (job, duty, done) = match order {
        Order::Run { job, duty } => {
            (job, duty, hands.run(job, duty).map(|outcome| Told::Ran { job, outcome }))
        }
        Order::Commit { job, outcome } => {
            let said = hands.commit(job, outcome);
            (job, Duty::Run, said.map(|()| Told::Said { job, duty: Duty::Run }))
        }
        Order::Reveal { job, outcome } => {
            let said = hands.reveal(job, outcome);
            (job, Duty::Reveal, said.map(|()| Told::Said { job, duty: Duty::Reveal }))
        }
        Order::Heartbeat => {
            if let Err(error) = hands.say(Action::Heartbeat) {
                tracing::debug!(%error, "no heartbeat");
            }
            return drop(tell.send(Told::Beat));
        }
        Order::LookUp { held } => return look_up(hands, &held, tell),
    };
    let told = done.unwrap_or_else(|error| {
        tracing::warn!(trace = %job, ?duty, %error, "failed");
        hands.tell(Said::Trouble(format!("{job}: {error}")));
        if error.job_is_over() {
            let _ = tell.send(Told::Job { job, asks: Asks::Over });
        }
        let (lasting, obstacle) = (error.is_lasting(), error.obstacle());
        Told::Failed { job, duty, lasting, obstacle }
    });
    let _ = tell.send(told);
}

fn look_at_itself(hands: &Hands, tell: &Tell) {
    match hands.own() {
        Ok(own) => drop(tell.send(own)),
        Err(error) => tracing::debug!(%error, "no word of this worker"),
    }
    if let Err(error) = hands.pay_out() {
        tracing::warn!(%error, "no payout");
    }
}

fn look_up(hands: &Hands, held: &[JobId], tell: &Tell) {
    let told = |job, asks| drop(tell.send(Told::Job { job, asks }));
    let again = hands.look_up(held, told).unwrap_or_else(|error| {
        tracing::warn!(%error, "the gateway's feed broke");
        hands.tell(Said::Trouble(error.to_string()));
        true
    });
    if again {
        let _ = tell.send(Told::Lagged);
    }
}
