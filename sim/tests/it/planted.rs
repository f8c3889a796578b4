//! Five bugs, each planted and each caught by the property that is named for it. Without the bug the
//! same scenario passes: it is the bug that was seen.

use chain::{Applied, BlockContext, Mode, Proposal, Refusal, Store};
use consensus::{ApplyBlock, Before, Transition};
use futures::future::{BoxFuture, FutureExt as _};
use sim::{Committee, Conduct, Fault, Plants, Property, Scenario, Treason, run};
use std::{collections::BTreeMap, sync::Arc};
use types::{
    Address, Beacon, NanoMeshx,
    codec::{DecodeExt as _, Encode as _},
    network::Genesis,
    state::{Account, Event, Heights, Key, Phase, Queued, pools},
};

type Answer<'a> = BoxFuture<'a, Result<Applied, Refusal>>;

#[track_caller]
fn caught(scenario: &Scenario, plants: Plants, by: Property) {
    let clean = run(scenario, Plants::default());
    assert_eq!(clean.violations, [], "without the bug");
    assert!(clean.checks.contains_key(&by), "{by:?} was asked");
    let buggy = run(scenario, plants);
    let found: Vec<Property> = buggy.violations.iter().map(|v| v.property).collect();
    assert!(found.contains(&by), "{by:?} should have caught it, but: {found:?}");
}

fn planted<T: Transition>(
    make: impl Fn(&Arc<Committee>, u32) -> T + Send + Sync + 'static,
) -> Plants {
    let transition = move |committee: &Arc<Committee>, cuts: u32| -> Arc<dyn Transition> {
        Arc::new(make(committee, cuts))
    };
    Plants { transition: Some(Arc::new(transition)), ..Plants::default() }
}

/// Pays the first worker of a settled job out of the escrow a second time, if the escrow can.
struct PaysTwice;

impl Transition for PaysTwice {
    fn apply<'a>(
        &'a self,
        before: Before<'a>,
        genesis: &'a Genesis,
        context: &'a BlockContext,
        proposal: Proposal,
        mode: Mode,
    ) -> Answer<'a> {
        async move {
            let mut applied = ApplyBlock.apply(before, genesis, context, proposal, mode).await?;
            let settled = applied.events.iter().find_map(|event| match event {
                Event::Job { phase: Phase::Settled(settlement), .. } => settlement
                    .assignments
                    .iter()
                    .find(|assignment| assignment.outcome == Some(settlement.outcome))
                    .map(|assignment| assignment.worker),
                _ => None,
            });
            if let Some(worker) = settled {
                let pay = NanoMeshx::new(100);
                let escrow = account(&mut applied, pools::escrow(), |a| a.checked_sub(pay));
                if escrow {
                    account(&mut applied, worker, |a| a.checked_add(pay));
                }
            }
            Ok(applied)
        }
        .boxed()
    }
}

/// Change a balance that the block wrote; false if it does not allow that.
fn account(
    applied: &mut Applied,
    address: Address,
    change: impl Fn(NanoMeshx) -> Option<NanoMeshx>,
) -> bool {
    let key = Key::Account(address);
    let Some((_, Some(bytes))) = applied.writes.iter_mut().find(|(known, _)| *known == key) else {
        return false;
    };
    let account = Account::decode(bytes.clone()).expect("an account");
    let Some(balance) = change(account.balance) else { return false };
    *bytes = Account { balance, ..account }.encode().to_vec();
    true
}

#[test]
fn a_worker_paid_twice_is_caught() {
    caught(&Scenario::calm(11, 4), planted(|_, _| PaysTwice), Property::PaidOnce);
}

/// A store with a hole or a lie in it.
struct Twisted<'a, F> {
    before: Before<'a>,
    twist: F,
}

impl<F: Fn(&Key, Option<Vec<u8>>) -> Option<Vec<u8>> + Send + Sync> Store for Twisted<'_, F> {
    async fn get_many(&self, keys: &[Key]) -> Vec<Option<Vec<u8>>> {
        let records = self.before.get_many(keys).await;
        keys.iter().zip(records).map(|(key, record)| (self.twist)(key, record)).collect()
    }
}

/// Once power has failed, what jobs' deadlines asked to be reminded of is forgotten.
struct Forgetful {
    restarted: bool,
}

/// Blocks below this may have to be executed again after the cut, as they were before.
const FORGETS_FROM: u64 = 12;

impl Transition for Forgetful {
    fn apply<'a>(
        &'a self,
        before: Before<'a>,
        genesis: &'a Genesis,
        context: &'a BlockContext,
        proposal: Proposal,
        mode: Mode,
    ) -> Answer<'a> {
        async move {
            let forgets = self.restarted && context.height.get() >= FORGETS_FROM;
            let twist = |key: &Key, record| match key {
                Key::Due(height) if forgets && *height == context.height => None,
                _ => record,
            };
            let store = Twisted { before, twist };
            ApplyBlock.apply(Before::of(&store), genesis, context, proposal, mode).await
        }
        .boxed()
    }
}

#[test]
fn an_escrow_forgotten_at_restart_is_caught() {
    let mut scenario = Scenario::calm(12, 4);
    scenario.workers = vec![Conduct::Vanishes; 5];
    scenario.faults = vec![(2_600, Fault::PowerCut { torn_percent: 50, scattered: false })];
    let plants = planted(|_, cuts| Forgetful { restarted: cuts > 0 });
    caught(&scenario, plants, Property::EndsOnce);
}

/// Takes a nonce that is used for the next one.
struct Lenient;

impl Transition for Lenient {
    fn apply<'a>(
        &'a self,
        before: Before<'a>,
        genesis: &'a Genesis,
        context: &'a BlockContext,
        proposal: Proposal,
        mode: Mode,
    ) -> Answer<'a> {
        async move {
            let mut lowest: BTreeMap<Address, u64> = BTreeMap::new();
            for tx in &proposal.txs {
                let nonce = lowest.entry(tx.from()).or_insert(u64::MAX);
                *nonce = tx.tx().nonce.number().unwrap_or(u64::MAX).min(*nonce);
            }
            let twist = |key: &Key, record: Option<Vec<u8>>| match (key, record) {
                (Key::Account(address), Some(bytes)) if lowest.contains_key(address) => {
                    let account = Account::decode(bytes).expect("an account");
                    let nonce = account.nonce.min(lowest[address]);
                    Some(Account { nonce, ..account }.encode().to_vec())
                }
                (_, record) => record,
            };
            let store = Twisted { before, twist };
            ApplyBlock.apply(Before::of(&store), genesis, context, proposal, mode).await
        }
        .boxed()
    }
}

#[test]
fn a_stale_nonce_accepted_is_caught() {
    // The traitor's transaction is only sometimes one with a used nonce, and only sometimes in a block that becomes final.
    let scenario =
        |seed| Scenario { traitors: vec![(0, Treason::InvalidTx)], ..Scenario::calm(seed, 4) };
    let outcomes = (13..21).map(|seed| run(&scenario(seed), planted(|_, _| Lenient)));
    let mut tried = vec![];
    for outcome in outcomes {
        if outcome.violations.iter().any(|found| found.property == Property::Nonces) {
            return caught(&scenario(outcome.seed), planted(|_, _| Lenient), Property::Nonces);
        }
        tried.push(outcome.faults);
    }
    panic!("nobody has caught it: {tried:?}");
}

#[test]
fn a_validator_that_signs_two_blocks_is_caught() {
    let plants = Plants { equivocator: Some(2), ..Plants::default() };
    caught(&Scenario::calm(14, 4), plants, Property::OneVote);
}

/// Draws at once, with the randomness of a round whose votes are still under way.
struct Impatient {
    committee: Arc<Committee>,
}

impl Transition for Impatient {
    fn apply<'a>(
        &'a self,
        before: Before<'a>,
        genesis: &'a Genesis,
        context: &'a BlockContext,
        mut proposal: Proposal,
        mode: Mode,
    ) -> Answer<'a> {
        async move {
            let waiting = before.get_many(&[Key::Queue]).await.pop().flatten();
            let waiting = waiting.map(|bytes| Heights::decode(bytes).expect("heights"));
            if mode == Mode::Build
                && let Some(waiting) = waiting
                && proposal.beacons.is_empty()
            {
                for height in waiting.iter().take(8) {
                    let queued = before.get_many(&[Key::Queued(*height)]).await.pop().flatten();
                    let queued = Queued::decode(queued.expect("it waits")).expect("a queue");
                    proposal.beacons.push(Beacon {
                        height: *height,
                        term: queued.term,
                        view: queued.view,
                        signature: self.committee.stolen_seed(queued.view),
                    });
                }
            }
            ApplyBlock.apply(before, genesis, context, proposal, mode).await
        }
        .boxed()
    }
}

#[test]
fn randomness_of_a_round_in_progress_is_caught() {
    // Far apart and in a hurry: the next block is built before the last one's votes are in.
    let scenario =
        Scenario { latency_ms: 150, jitter_ms: 100, block_ms: 200, ..Scenario::calm(15, 7) };
    let plants = planted(|committee, _| Impatient { committee: committee.clone() });
    caught(&scenario, plants, Property::FinalBeacon);
}
