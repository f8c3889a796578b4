//! Whether anybody waits for this chain's next block.
//!
//! A mesh of one person's machine is idle for most of its life, and an empty block costs every validator as much as a
//! full one. So a validator may be told to let a chain rest: while nobody waits, it proposes at a slower beat, and at
//! once when something comes. This is the proposer's own choice and no rule of the chain: others accept any block
//! whose clock is near theirs.

use crate::clock::TIMESTAMP_STEP_MAX;
use std::collections::BTreeSet;
use types::{
    Action, Height, JobId, Millis,
    state::{Event, Phase},
};

/// The slowest beat of a chain that rests: half of what a block's clock may run ahead of its parent's.
const BEAT_MAX: u64 = TIMESTAMP_STEP_MAX / 2;
/// Blocks at the usual beat after the last thing that somebody did. What follows from it, such as a draw, a reward or
/// the end of a vote, comes as fast as it would on a busy chain.
const AFTERMATH: u64 = 120;

/// What is known of who waits, from final blocks.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    /// Jobs that have neither settled nor ended. Their deadlines are counted in blocks.
    open: BTreeSet<JobId>,
    /// The newest block in which somebody did something. The first that this process saw counts as one: what happened
    /// before is not known, and a job may be open since then.
    last: Option<Height>,
    tip: Height,
}

impl Activity {
    /// Take note of a final block.
    pub(crate) fn note<'a>(
        &mut self,
        height: Height,
        actions: impl IntoIterator<Item = &'a Action>,
        events: &[Event],
    ) {
        self.tip = height;
        if self.last.is_none() || actions.into_iter().any(|action| !is_upkeep(action)) {
            self.last = Some(height);
        }
        for event in events {
            let Event::Job { job, phase } = event else { continue };
            match phase {
                Phase::Queued { .. } | Phase::Committing { .. } | Phase::Revealing { .. } => {
                    self.open.insert(*job);
                }
                Phase::Settled(_) | Phase::Ended { .. } => {
                    self.open.remove(job);
                }
            }
        }
    }

    /// Whether nobody waits for the next block, as far as final blocks tell.
    pub(crate) fn is_quiet(&self) -> bool {
        let rests_from = self.last.map(|last| last.get().saturating_add(AFTERMATH));
        self.open.is_empty() && rests_from.is_some_and(|from| self.tip.get() > from)
    }
}

/// What nodes send by themselves, on every chain and for ever.
const fn is_upkeep(action: &Action) -> bool {
    matches!(
        action,
        Action::Heartbeat
            | Action::Ticket(_)
            | Action::ImportDecree(_)
            | Action::ImportSeats(_)
            | Action::Certify(_)
    )
}

/// The beat of a chain that rests, for one whose blocks usually come every `interval`.
pub(crate) fn beat(interval: Millis, asked: Millis) -> Millis {
    Millis::new(asked.get().min(BEAT_MAX)).max(interval)
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::{Address, Hash, NanoMeshx, PublicKey};

    fn transfer() -> Action {
        Action::Transfer { to: Address::of(&PublicKey([7; 32])), amount: NanoMeshx::new(1) }
    }

    /// Note empty blocks, or blocks of upkeep, until the chain rests; how many it took.
    fn rests_after(activity: &mut Activity, action: Option<&Action>) -> u64 {
        let begun = activity.tip.get();
        while !activity.is_quiet() {
            activity.note(activity.tip.next(), action, &[]);
            assert!(activity.tip.get() < begun + 1_000, "it never rests");
        }
        activity.tip.get() - begun
    }

    #[test]
    fn a_chain_rests_some_time_after_the_last_transaction() {
        let mut activity = Activity::default();
        assert!(!activity.is_quiet(), "a new chain is looked at");
        assert_eq!(rests_after(&mut activity, None), AFTERMATH + 2);
        activity.note(activity.tip.next(), [&transfer()], &[]);
        assert_eq!(rests_after(&mut activity, Some(&Action::Heartbeat)), AFTERMATH + 1);
    }

    #[test]
    fn a_chain_with_an_open_job_does_not_rest() {
        let mut activity = Activity::default();
        rests_after(&mut activity, None);
        let job = |phase| [Event::Job { job: Hash([3; 32]), phase }];
        activity.note(activity.tip.next(), None, &job(Phase::Queued { draws: 0 }));
        for _ in 0..2 * AFTERMATH {
            activity.note(activity.tip.next(), None, &[]);
            assert!(!activity.is_quiet());
        }
    }

    #[test]
    fn a_beat_is_never_faster_than_usual_and_never_past_what_others_accept() {
        let beat = |interval, asked| beat(Millis::new(interval), Millis::new(asked)).get();
        assert_eq!(beat(500, 3_000), 3_000);
        assert_eq!(beat(500, 100), 500);
        assert_eq!(beat(500, u64::MAX), BEAT_MAX);
        assert_eq!(beat(10_000, 3_000), 10_000);
    }
}
