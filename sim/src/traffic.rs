//! What a network is for: clients that send transactions, and workers that answer jobs.
//!
//! Clients also try what must be refused: used nonces, money they do not have, the same transaction
//! twice. Workers are simulated by their transactions; nothing is executed, and a job's true outcome
//! follows from its number.

use crate::{
    committee::{Person, bounded, profile},
    machine::Machine,
    scenario::Conduct,
    truth::truth,
    world::World,
};
use commonware_runtime::{Clock as _, deterministic::Context};
use consensus::Chain;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use types::{
    Abi, Action, Agreement, Float, Fuel, Hash, JobId, JobSpec, Limits, Millis, NanoMeshx, Outcome,
    OutputRef, Reveal, Submission, Tx, domain_hash,
    state::{JobRecord, Key, Phase},
};

/// The fuel limit of simulated jobs.
const FUEL_MAX: Fuel = Fuel::new(1_000_000);
/// A job's deadline lies this many blocks ahead: drawn, committed and revealed within, if all answer.
const DEADLINE_BLOCKS: std::ops::RangeInclusive<u64> = 18..=28;

/// One client, for as long as the simulation wants transactions.
pub async fn client(context: Context, world: Arc<World>, number: usize) {
    let seed = world.scenario.seed.wrapping_mul(31).wrapping_add(number as u64);
    let mut rng = StdRng::seed_from_u64(seed);
    let me = world.committee.clients[number].clone();
    let mut home = number;
    let mut last: Option<Tx> = None;
    while !world.closing() {
        let pause = world.scenario.client_ms;
        context.sleep(Duration::from_millis(rng.random_range(pause / 2..=pause * 2))).await;
        let Some(chain) = world.chain_near(&mut home) else { continue };
        let Some(tip) = chain.tip() else { continue };
        let nonce = chain.next_nonce(me.address).await;
        let other = world.committee.clients[(number + 1) % world.committee.clients.len()].address;
        let transfer = |amount| Action::Transfer { to: other, amount: NanoMeshx::new(amount) };
        let tip_paid = NanoMeshx::new(rng.random_range(0..1_000));
        let sign = |nonce, action| me.sign(&world.committee.network, nonce, tip_paid, action);
        let amount = rng.random_range(1..1_000_000);
        // Nothing of this client waits, so its next transaction is judged at once.
        let idle = chain.account(me.address).await.nonce == nonce;
        match rng.random_range(0..20) {
            0 if idle && nonce > 0 => {
                let tx = sign(nonce - 1, transfer(amount));
                world.refused(chain.submit(tx).await.is_err(), "used nonce");
            }
            1 if idle => {
                let tx = sign(nonce, transfer(u64::MAX / 2));
                world.refused(chain.submit(tx).await.is_err(), "overdraft");
            }
            2 => {
                if let Some(tx) = &last {
                    // Refused or known already: both are fine, twice in a block is not.
                    let _ = chain.submit(tx.clone()).await;
                    world.facts.count("transaction sent again");
                }
            }
            3..=9 if !world.healed() => {
                let deadline = tip.height.get() + rng.random_range(DEADLINE_BLOCKS);
                let submission =
                    submission(&mut rng, deadline, tip.height.get() + world.scenario.seed);
                let tx = sign(nonce, Action::SubmitJob(submission));
                if chain.submit(tx.clone()).await.is_ok() {
                    world.facts.count("job submitted");
                    last = Some(tx);
                }
            }
            10 if idle && !world.healed() => {
                let job = world.facts.get().jobs.iter().next_back().copied();
                if let Some(job) = job {
                    let _ = chain.submit(sign(nonce, Action::CancelJob { job })).await;
                }
            }
            _ => {
                let tx = sign(nonce, transfer(amount));
                if chain.submit(tx.clone()).await.is_ok() {
                    world.acknowledged(&me, nonce, idle);
                    last = Some(tx);
                }
            }
        }
    }
}

fn submission(rng: &mut StdRng, deadline: u64, salt: u64) -> Submission {
    let replicas = [1, 3, 3, 5][rng.random_range(0..4)];
    let agreement = Agreement { replicas, agree: replicas / 2 + 1 };
    let price = 4_000 * u64::from(replicas);
    Submission {
        spec: JobSpec {
            module: Hash([3; 32]),
            module_len: 1,
            abi: Abi::Raw,
            float: Float::Strict,
            input: domain_hash("meshx/sim-input/v1", &[&salt.to_be_bytes()]),
            input_len: 1,
            args: bounded(vec![]),
            env: bounded(vec![]),
            files: bounded(vec![]),
            limits: Limits {
                fuel: FUEL_MAX,
                memory_bytes: 1,
                output_bytes: 1,
                wall: Millis::new(6),
            },
            profile: profile(),
            seed: Hash::default(),
            clock: Millis::ZERO,
        },
        agreement,
        price_max: NanoMeshx::new(price + rng.random_range(0..500)),
        deadline: types::Height::new(deadline),
        fresh: true,
    }
}

/// What a liar says instead: each another lie, and a dearer one.
fn lie(job: &JobId, liar: &Person) -> Outcome {
    let hash = domain_hash("meshx/sim-lie/v1", &[&job.0, &liar.key.public()]);
    Outcome { stdout: OutputRef { hash, len: 1 }, fuel: FUEL_MAX, ..truth(job) }
}

/// One worker, for as long as there may be jobs.
pub async fn worker(context: Context, world: Arc<World>, number: usize) {
    let me = world.committee.workers[number].clone();
    let conduct = world.scenario.workers[number];
    let mut home = number;
    // Each word is said once: the chain refuses a second, which would hold up those behind it.
    let mut said: BTreeSet<(JobId, Word)> = BTreeSet::new();
    loop {
        context.sleep(Duration::from_millis(world.scenario.block_ms)).await;
        let Some(chain) = world.chain_near(&mut home) else { continue };
        let jobs: Vec<JobId> = world.facts.get().jobs.iter().rev().take(24).copied().collect();
        let keys: Vec<Key> = jobs.iter().map(|job| Key::Job(*job)).collect();
        let records = chain.records(&keys).await;
        for (job, record) in jobs.iter().zip(records) {
            use types::codec::DecodeExt as _;
            let Some(record) = record.and_then(|bytes| JobRecord::decode(bytes).ok()) else {
                continue;
            };
            let Some((word, action)) = answer(&me, conduct, job, &record, &said) else { continue };
            said.insert((*job, word));
            match (conduct, word) {
                (Conduct::Vanishes, _) => world.facts.count("worker vanished"),
                (Conduct::Lies, Word::Commit) => world.facts.count("worker lied"),
                (Conduct::Copies, Word::Commit) => world.facts.count("worker copied"),
                (Conduct::Late, Word::TooLate) => world.facts.count("worker answered late"),
                _ => {}
            }
            if let Some(action) = action {
                send(&world, &chain, &me, action).await;
            }
        }
    }
}

/// What a worker has to say about a job, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    Commit,
    Reveal,
    /// A commitment when nobody asks for one any more.
    TooLate,
}

/// What this worker does about a job now, if anything; the action is `None` if what it does is to say
/// nothing.
fn answer(
    me: &Person,
    conduct: Conduct,
    job: &JobId,
    record: &JobRecord,
    said: &BTreeSet<(JobId, Word)>,
) -> Option<(Word, Option<Action>)> {
    let outcome = match conduct {
        Conduct::Lies => lie(job, me),
        _ => truth(job),
    };
    let salt = domain_hash("meshx/sim-salt/v1", &[&me.key.public(), &job.0]);
    let reveal = Reveal { job: *job, outcome, salt };
    let commit = |commitment| Some(Action::Commit { job: *job, commitment });
    let (assignments, word) = match &record.phase {
        Phase::Committing { assignments, .. } => (assignments, Word::Commit),
        Phase::Revealing { assignments, .. } => (assignments, Word::Reveal),
        Phase::Settled(settlement) => (&settlement.assignments, Word::TooLate),
        Phase::Ended { assignments, .. } => (assignments, Word::TooLate),
        Phase::Queued { .. } => return None,
    };
    let assignment = assignments.iter().find(|assignment| assignment.worker == me.address)?;
    if said.contains(&(*job, word)) {
        return None;
    }
    let action = match (conduct, word) {
        (Conduct::Vanishes, Word::Commit) => None,
        (Conduct::Late, Word::TooLate) => commit(reveal.commitment(&me.address)),
        (Conduct::Vanishes | Conduct::Late, _) | (_, Word::TooLate) => return None,
        (Conduct::Copies, Word::Commit) => {
            let others = assignments.iter().filter(|assignment| assignment.worker != me.address);
            commit(others.filter_map(|assignment| assignment.commitment).next()?)
        }
        (_, Word::Commit) => commit(reveal.commitment(&me.address)),
        (_, Word::Reveal) if assignment.commitment.is_some() && assignment.outcome.is_none() => {
            Some(Action::Reveal(reveal))
        }
        (_, Word::Reveal) => return None,
    };
    Some((word, action))
}

async fn send(world: &World, chain: &Chain<Machine>, me: &Person, action: Action) {
    let nonce = chain.next_nonce(me.address).await;
    let tx = me.sign(&world.committee.network, nonce, NanoMeshx::ZERO, action);
    // A refusal means that the job moved on, or that this is a worker that deserves it.
    let _ = chain.submit(tx).await;
}
