//! Committees hand over to others while everything goes on.

use chain::{Applied, BlockContext, Mode, Proposal, Refusal};
use consensus::{ApplyBlock, Before, Transition};
use futures::future::{BoxFuture, FutureExt as _};
use network::public_key;
use sim::{Committee, Fault, Outcome, Plants, Property, Scenario, run};
use std::sync::Arc;
use types::{
    List, PublicKey,
    codec::{DecodeExt as _, Encode as _},
    network::{Genesis, TERM_BLOCKS_MIN},
    state::{Key, TermRecord},
};

/// Has each term's seats go round among all validators, regardless of what the chain would choose.
struct Rotate {
    keys: Vec<PublicKey>,
    seats: usize,
}

impl Rotate {
    fn seated(&self, term: u64) -> Vec<PublicKey> {
        let first = usize::try_from(term).expect("few terms") * self.seats / 2;
        let mut keys: Vec<_> =
            (0..self.seats).map(|n| self.keys[(first + n) % self.keys.len()]).collect();
        keys.sort_unstable();
        keys
    }
}

impl Transition for Rotate {
    fn apply<'a>(
        &'a self,
        before: Before<'a>,
        genesis: &'a Genesis,
        context: &'a BlockContext,
        proposal: Proposal,
        mode: Mode,
    ) -> BoxFuture<'a, Result<Applied, Refusal>> {
        async move {
            let mut applied = ApplyBlock.apply(before, genesis, context, proposal, mode).await?;
            for (key, record) in &mut applied.writes {
                if let (Key::Term(term), Some(bytes)) = (*key, record.as_mut())
                    && context.height.get() > 1
                {
                    let known = TermRecord::decode(bytes.clone()).expect("a record of the chain's");
                    assert_eq!(known.keys.len(), self.seats);
                    let keys = List::new(self.seated(term.get())).expect("a few");
                    *bytes = TermRecord { keys }.encode().to_vec();
                }
            }
            Ok(applied)
        }
        .boxed()
    }
}

fn rotating() -> Plants {
    let make = |committee: &Arc<Committee>, _| {
        let keys = committee.members.iter().map(|member| public_key(&member.key)).collect();
        Arc::new(Rotate { keys, seats: committee.seats }) as Arc<dyn Transition>
    };
    Plants { transition: Some(Arc::new(make)), ..Plants::default() }
}

/// Eight validators, four seats, and more terms than it takes for the first committee to be gone.
fn scenario(seed: u64, terms: u64) -> Scenario {
    Scenario {
        seats: 4,
        term_blocks: TERM_BLOCKS_MIN,
        block_ms: 200,
        calm_blocks: TERM_BLOCKS_MIN * terms,
        ..Scenario::calm(seed, 8)
    }
}

fn holds(outcome: &Outcome) {
    assert!(outcome.violations.is_empty(), "{:?}\n{}", outcome.violations, outcome.log.join("\n"));
    assert!(outcome.checks[&Property::Liveness] > 0);
}

#[test]
fn seats_go_round_and_no_job_is_lost() {
    let outcome = run(&scenario(5, 6), rotating());
    holds(&outcome);
    let terms = outcome.heights / TERM_BLOCKS_MIN;
    println!(
        "{} blocks, {terms} terms, {} transactions, {} jobs, all ended",
        outcome.heights, outcome.transactions, outcome.jobs
    );
    assert!(terms >= 6 && outcome.jobs > 5);
}

#[test]
fn a_committee_hands_over_although_validators_crash_and_power_fails() {
    let mut scenario = scenario(6, 5);
    scenario.faults = vec![
        (2_000, Fault::Crash { validator: 1, ms: 2_000 }),
        (9_000, Fault::PowerCut { torn_percent: 50, scattered: true }),
        (12_000, Fault::Crash { validator: 6, ms: 3_000 }),
        (20_000, Fault::Crash { validator: 2, ms: 1_000 }),
    ];
    scenario.healed = 24_000;
    let outcome = run(&scenario, rotating());
    holds(&outcome);
    assert!(outcome.heights / TERM_BLOCKS_MIN >= 6);
}
