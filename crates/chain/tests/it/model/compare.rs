//! Where the two must agree.

use super::{
    rules::{Model, No},
    world::NETWORK,
};
use crate::memory::Memory;
use chain::{Applied, Proposal, Refusal};
use jobs::{OutOfPhase, Unacceptable};
use std::collections::BTreeSet;
use types::{
    Address, Beacon, Hash, Height, JobId, List, Millis, NanoMeshx, Ppm, Term,
    attest::Challenges,
    codec::{DecodeExt, Encode, Read},
    domain_hash,
    state::{
        Account, Earned, Heights, JobRecord, Key, Market, Moves, PlacesOf, Queued, Supply,
        WorkerPlace, WorkerRecord, pools,
    },
};

/// What the rules say of each item of a block: refused with this name, or in.
#[derive(Debug, Default)]
pub struct Expected {
    pub beacons: Vec<Option<No>>,
    pub txs: Vec<Option<No>>,
}

impl Expected {
    pub fn first_refusal(&self) -> Option<No> {
        self.beacons.iter().chain(&self.txs).flatten().next().copied()
    }
}

/// The refusals that random operations must come across.
pub const REACHABLE: [No; 25] = [
    "insufficient_funds",
    "nonce_gap",
    "nonce_used",
    "zero_amount",
    "pool_account",
    "bad_capacity",
    "no_jobs_here",
    "unknown_job",
    "unacceptable_job: agreement",
    "unacceptable_job: fuel",
    "unacceptable_job: memory",
    "unacceptable_job: output",
    "unacceptable_job: wall",
    "unacceptable_job: module",
    "unacceptable_job: profile",
    "unacceptable_job: price",
    "unacceptable_job: deadline",
    "out_of_phase: over",
    "out_of_phase: not committing",
    "out_of_phase: not revealing",
    "out_of_phase: not assigned",
    "out_of_phase: twice",
    "out_of_phase: not committed",
    "out_of_phase: not payer",
    "out_of_phase: too late",
];

/// The refusal's stable code, and the rule where one code stands for several.
pub fn name(refusal: &Refusal) -> No {
    match refusal {
        Refusal::Unacceptable(rule) => match rule {
            Unacceptable::Agreement { .. } => "unacceptable_job: agreement",
            Unacceptable::Fuel { .. } => "unacceptable_job: fuel",
            Unacceptable::Memory { .. } => "unacceptable_job: memory",
            Unacceptable::Output { .. } => "unacceptable_job: output",
            Unacceptable::Price { .. } => "unacceptable_job: price",
            Unacceptable::Deadline { .. } => "unacceptable_job: deadline",
            Unacceptable::Profile => "unacceptable_job: profile",
            Unacceptable::Wall { .. } => "unacceptable_job: wall",
            Unacceptable::Module { .. } => "unacceptable_job: module",
        },
        Refusal::OutOfPhase(rule) => match rule {
            OutOfPhase::Over => "out_of_phase: over",
            OutOfPhase::NotQueued => "out_of_phase: not queued",
            OutOfPhase::NotCommitting => "out_of_phase: not committing",
            OutOfPhase::NotRevealing => "out_of_phase: not revealing",
            OutOfPhase::NotAssigned(_) => "out_of_phase: not assigned",
            OutOfPhase::Twice(_) => "out_of_phase: twice",
            OutOfPhase::NotCommitted(_) => "out_of_phase: not committed",
            OutOfPhase::NotPayer => "out_of_phase: not payer",
            OutOfPhase::TooLate(_) => "out_of_phase: too late",
        },
        other => other.code().as_str(),
    }
}

/// Which beacons and transactions are in, and why the others are not.
pub fn outcomes(whole: &Proposal, built: &Applied, expected: &Expected) -> Result<(), String> {
    let kept = whole.beacons.iter().zip(&expected.beacons).filter(|(_, no)| no.is_none());
    let kept: Vec<_> = kept.map(|(beacon, _)| beacon.clone()).collect();
    same("the beacons that count", &built.beacons, &kept)?;
    let mut refused = built.refused.iter();
    let mut included = built.included.iter();
    for (n, (tx, no)) in whole.txs.iter().zip(&expected.txs).enumerate() {
        let (found, answer) = match no {
            None => (included.next(), "included"),
            Some(no) => {
                let next = refused.next();
                if let Some((_, why)) = next {
                    same(&format!("why transaction {n} is refused"), &name(why), no)?;
                }
                (next.map(|(tx, _)| tx), *no)
            }
        };
        if found != Some(tx) {
            return Err(format!("transaction {n} should be {answer}: {:?}", tx.tx().action));
        }
    }
    if included.next().is_some() || refused.next().is_some() {
        return Err("the block holds more than was proposed".into());
    }
    Ok(())
}

/// What the store's keys say without their records.
#[derive(Default)]
struct Held {
    accounts: BTreeSet<Address>,
    jobs: BTreeSet<JobId>,
    workers: BTreeSet<Address>,
    /// How many places the roll of workers has.
    places: usize,
    /// How many heights have jobs that wait.
    queued: usize,
    /// How many jobs answer equal ones.
    answers: usize,
}

/// Every record of the store against the model, and nothing in the store that the model does not know.
pub fn states(store: &Memory, model: &Model) -> Result<(), String> {
    let held = held(store, model)?;
    let total = people(store, model, &held)?;
    jobs_and_workers(store, model, &held)?;
    places(store, model)?;
    waiting(store, model, &held)?;
    challenges(store, model)?;
    answers(store, model, &held)?;
    market(store, model)?;
    money(store, model, total)
}

fn held(store: &Memory, model: &Model) -> Result<Held, String> {
    let mut held = Held::default();
    for key in store.0.keys() {
        match key {
            Key::Account(who) => drop(held.accounts.insert(*who)),
            Key::Job(id) => drop(held.jobs.insert(*id)),
            Key::Worker(who) => drop(held.workers.insert(*who)),
            Key::WorkerAt(_) => held.places += 1,
            Key::Queued(_) => held.queued += 1,
            Key::Cached(_) => held.answers += 1,
            Key::Earned(who) => {
                if !model.earned.contains_key(who) {
                    return Err(format!("{who} has earned nothing by the model"));
                }
            }
            Key::Params
            | Key::Supply
            | Key::Market
            | Key::ViewTime(_)
            | Key::Draw
            | Key::WorkerCount
            | Key::WorkerPlaces
            | Key::WorkerPlace(_)
            | Key::PlacesOf(_)
            | Key::Moves
            | Key::Queue
            | Key::Challenges
            | Key::Due(_) => {}
            other => return Err(format!("nothing writes {other:?} here")),
        }
    }
    Ok(held)
}

/// Balances and nonces; gives the sum of all balances.
fn people(store: &Memory, model: &Model, held: &Held) -> Result<u128, String> {
    let known = model.balances.keys().chain(model.nonces.keys());
    let accounts: BTreeSet<Address> = held.accounts.iter().chain(known).copied().collect();
    let mut total = 0_u128;
    for who in accounts {
        let account: Account = get(store, Key::Account(who)).unwrap_or_default();
        total += u128::from(account.balance.get());
        let balance = model.balances.get(&who).copied().unwrap_or(0);
        same(&format!("balance of {who}"), &u128::from(account.balance.get()), &balance)?;
        same(
            &format!("nonce of {who}"),
            &account.nonce,
            &model.nonces.get(&who).copied().unwrap_or(0),
        )?;
    }
    Ok(total)
}

fn jobs_and_workers(store: &Memory, model: &Model, held: &Held) -> Result<(), String> {
    for id in held.jobs.iter().chain(model.jobs.keys()) {
        let found: Option<JobRecord> = get(store, Key::Job(*id));
        same(&format!("job {id}"), &found, &model.jobs.get(id).map(super::rules::Job::record))?;
    }
    for who in held.workers.iter().chain(model.workers.keys()) {
        let found: Option<WorkerRecord> = get(store, Key::Worker(*who));
        let expected = model.workers.get(who).map(|worker| WorkerRecord {
            capacity: worker.capacity,
            running: worker.running,
            reputation: worker.reputation,
            city: worker.city.clone(),
            registered: Height::new(worker.registered),
            floor: NanoMeshx::new(worker.floor),
            seen: Height::new(worker.seen),
            bond: nano(worker.bond),
            leaving: nano(worker.leaving),
            free_at: Height::new(worker.free_at),
            silent: false,
        });
        same(&format!("worker {who}"), &found, &expected)?;
    }

    same(
        "number of workers",
        &get::<u32>(store, Key::WorkerCount),
        &u32::try_from(model.roll.len()).ok(),
    )?;
    same("places on the roll", &held.places, &model.roll.len())?;
    for (n, who) in (0..).zip(&model.roll) {
        same(&format!("worker number {n}"), &get::<Address>(store, Key::WorkerAt(n)), &Some(*who))?;
    }
    Ok(())
}

/// Each worker has as many places as it offers, unless that is still to follow, and each number one place.
fn places(store: &Memory, model: &Model) -> Result<(), String> {
    let count: u32 = get(store, Key::WorkerPlaces).unwrap_or(0);
    let moves: Moves = get(store, Key::Moves).unwrap_or_default();
    let mut known = 0;
    for (who, worker) in &model.workers {
        let own: PlacesOf = get(store, Key::PlacesOf(*who)).unwrap_or_default();
        for (nth, number) in (0..).zip(own.iter()) {
            let expected = Some(WorkerPlace { worker: *who, nth });
            same(&format!("place {number}"), &get(store, Key::WorkerPlace(*number)), &expected)?;
        }
        known += own.len();
        if !moves.iter().any(|one| one.worker == *who) {
            same(&format!("places of {who}"), &own.len(), &worker.capacity.min(256).into())?;
        }
    }
    let kept = store.0.keys().filter(|key| matches!(key, Key::WorkerPlace(_))).count();
    same("places", &(count as usize, kept), &(known, known))
}

fn waiting(store: &Memory, model: &Model, held: &Held) -> Result<(), String> {
    let heights: Heights = get(store, Key::Queue).unwrap_or_default();
    let waiting: Vec<Height> = model.rounds.keys().map(|height| Height::new(*height)).collect();
    same("heights that wait", &heights.as_slice(), &waiting.as_slice())?;
    same("rounds that wait", &held.queued, &model.rounds.len())?;
    for (height, round) in &model.rounds {
        let found: Option<Queued> = get(store, Key::Queued(Height::new(*height)));
        let jobs = List::new(round.jobs.clone()).expect("few");
        let expected = Queued { term: Term::new(round.term), view: round.view, begun: false, jobs };
        same(&format!("jobs of height {height}"), &found, &Some(expected))?;
    }
    Ok(())
}

fn challenges(store: &Memory, model: &Model) -> Result<(), String> {
    let made = |beacon: &Option<Beacon>| match beacon {
        Some(beacon) => domain_hash("meshx/att/challenge/v1", &[&NETWORK.0, &beacon.encode()]),
        None => Hash::ZERO,
    };
    let [current, previous] = &model.challenged;
    let expected = Challenges {
        current: made(current),
        previous: made(previous),
        height: current.as_ref().map_or(Height::ZERO, |beacon| beacon.height),
        awaited: Height::new(model.awaited),
    };
    let found: Challenges = get(store, Key::Challenges).unwrap_or_default();
    same("challenges", &found, &expected)
}

fn answers(store: &Memory, model: &Model, held: &Held) -> Result<(), String> {
    same("number of kept answers", &held.answers, &model.answers.len())?;
    for id in model.answers.values() {
        let key = Key::Cached(types::state::cache_key(
            &model.jobs[id].payer,
            &model.jobs[id].submission.spec,
        ));
        same("the job that answers", &get::<JobId>(store, key), &Some(*id))?;
    }
    Ok(())
}

fn nano(amount: u128) -> NanoMeshx {
    NanoMeshx::new(u64::try_from(amount).expect("within the supply"))
}

fn market(store: &Memory, model: &Model) -> Result<(), String> {
    let ppm = |demand| Ppm::new(u32::try_from(demand).expect("within its bounds"));
    let sum = |of: fn(&super::rules::Worker) -> u16| {
        model.workers.values().map(|worker| u64::from(of(worker))).sum()
    };
    let expected = Market {
        base_fee: nano(model.base_fee),
        demand: ppm(model.demand),
        capacity: sum(|worker| worker.capacity),
        running: sum(|worker| worker.running),
        paused_until: Millis::ZERO,
    };
    same("the market", &get(store, Key::Market), &Some(expected))?;
    for (who, (jobs, tips)) in &model.earned {
        let expected = Earned { jobs: nano(*jobs), tips: nano(*tips), ..Earned::default() };
        same(&format!("what {who} has earned"), &get(store, Key::Earned(*who)), &Some(expected))?;
    }
    Ok(())
}

fn money(store: &Memory, model: &Model, total: u128) -> Result<(), String> {
    let supply: Option<Supply> = get(store, Key::Supply);
    let (genesis, burned) = (nano(model.minted), nano(model.burned));
    let expected = Supply { genesis, minted: NanoMeshx::ZERO, burned };
    same("supply", &supply, &Some(expected))?;

    // Said once more without the model's help: money is conserved, and escrow holds what open jobs promised.
    let supply = supply.expect("compared");
    same(
        "genesis - burned = the sum of all balances",
        &(u128::from(supply.genesis.get()) - u128::from(supply.burned.get())),
        &total,
    )?;
    let escrow: Account = get(store, Key::Account(pools::escrow())).unwrap_or_default();
    same(
        "escrow holds what open jobs promised",
        &u128::from(escrow.balance.get()),
        &model.promised(),
    )
}

fn get<T: Read<Cfg = ()> + Encode>(store: &Memory, key: Key) -> Option<T> {
    let bytes = store.0.get(&key)?;
    let value = T::decode(bytes.clone()).expect("state decodes");
    assert_eq!(value.encode().to_vec(), *bytes, "a record has one byte form");
    Some(value)
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, real: &T, model: &T) -> Result<(), String> {
    if real == model {
        return Ok(());
    }
    Err(format!("{what}\n  chain: {real:?}\n  model: {model:?}"))
}
