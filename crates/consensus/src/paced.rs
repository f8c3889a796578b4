//! The chain's beat: waits that must not hold up anything else.
//!
//! A proposer waits until its block is due, a validator until a block from the future is not. Both wait
//! here, before the state machine is asked: inside it, finalization of earlier blocks would wait too.

use crate::{
    block::{Block, BlockContext},
    clock::{TIMESTAMP_STEP_MAX, now},
    guarded::Guarded,
    shared::Shared,
};
use commonware_consensus::{Application, marshal::ancestry::Ancestry, types::Round};
use commonware_cryptography::Digested;
use commonware_runtime::Clock;
use futures::future::select;
use std::{pin::pin, sync::Arc, time::Duration};
use types::Millis;

/// A block's clock may run ahead of a validator's own by this much before it waits.
const CLOCK_AHEAD_MAX: u64 = 500;

#[derive(Clone)]
pub(crate) struct Paced<M> {
    pub(crate) inner: M,
    pub(crate) interval: Millis,
    /// Propose nothing up to this round: a block that is never signed could still differ from the one that
    /// was, before this validator lost its disk.
    pub(crate) silent_to: Round,
    /// The beat while nobody waits for a block, and who knows that; `None`: always the usual one.
    pub(crate) rest: Option<(Millis, Arc<Shared>)>,
}

impl<M> Paced<M> {
    /// How long after `now` the child of a block with this timestamp is due.
    fn wait_to_propose(&self, parent: u64, now: u64) -> u64 {
        let interval = self.interval.get();
        // A chain that was down catches up in time, not in blocks: deadlines are counted in blocks.
        if now > parent.saturating_add(TIMESTAMP_STEP_MAX) {
            return interval;
        }
        parent.saturating_add(interval).saturating_sub(now)
    }

    /// Wait on while nobody waits for the child of a block with this timestamp, at most until the slow beat.
    async fn rest<E: Clock>(&self, clock: &E, parent: u64) {
        let Some((beat, shared)) = &self.rest else { return };
        loop {
            // Made before the question, so that no call to wake up is missed between the two.
            let woken = pin!(shared.work.notified());
            let left = parent.saturating_add(beat.get()).saturating_sub(now(clock));
            if left == 0 || !shared.memory().is_quiet() {
                return;
            }
            let sleep = pin!(clock.sleep(Duration::from_millis(left)));
            select(woken, sleep).await;
        }
    }
}

/// How long a validator waits for a block with this timestamp.
fn wait_to_verify(timestamp: u64, now: u64) -> u64 {
    // An honest parent's time has passed, so more than one step is never needed.
    timestamp.saturating_sub(now.saturating_add(CLOCK_AHEAD_MAX)).min(TIMESTAMP_STEP_MAX)
}

async fn wait<E: Clock>(clock: &E, milliseconds: u64) {
    if milliseconds > 0 {
        clock.sleep(Duration::from_millis(milliseconds)).await;
    }
}

impl<E, M> Application<E> for Paced<M>
where
    E: Clock,
    M: Application<E, Block = Block, Context = BlockContext, SigningScheme = Guarded, Input = ()>
        + Sync,
{
    type SigningScheme = Guarded;
    type Context = BlockContext;
    type Block = Block;
    type Input = ();

    async fn propose(
        &mut self,
        context: (E, BlockContext),
        ancestry: impl Ancestry<Block>,
        input: (),
    ) -> Option<Digested<Block>> {
        if context.1.round <= self.silent_to {
            return None;
        }
        let parent = ancestry.peek().map(|parent| parent.inner().header().timestamp.get());
        if let Some(parent) = parent {
            wait(&context.0, self.wait_to_propose(parent, now(&context.0))).await;
            self.rest(&context.0, parent).await;
        }
        self.inner.propose(context, ancestry, input).await
    }

    async fn verify(&mut self, context: (E, BlockContext), ancestry: impl Ancestry<Block>) -> bool {
        let block = ancestry.peek().map(|block| block.inner().header().timestamp.get());
        if let Some(timestamp) = block {
            wait(&context.0, wait_to_verify(timestamp, now(&context.0))).await;
        }
        self.inner.verify(context, ancestry).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_due_one_interval_after_its_parent() {
        let interval = Millis::new(500);
        let paced = Paced { inner: (), interval, silent_to: crate::silence::BEGINNING, rest: None };
        assert_eq!(paced.wait_to_propose(10_000, 10_100), 400);
        assert_eq!(paced.wait_to_propose(10_000, 10_900), 0);
        assert_eq!(
            paced.wait_to_propose(10_000, 99_000),
            500,
            "a chain that was down keeps its beat"
        );
        assert_eq!(
            paced.wait_to_propose(u64::MAX, 0),
            u64::MAX,
            "only this proposer's own view is lost"
        );
    }

    #[test]
    fn no_timestamp_makes_a_validator_wait_longer_than_one_step() {
        assert_eq!(wait_to_verify(10_400, 10_000), 0);
        assert_eq!(wait_to_verify(11_000, 10_000), 500);
        assert_eq!(wait_to_verify(u64::MAX, 10_000), TIMESTAMP_STEP_MAX);
    }
}
