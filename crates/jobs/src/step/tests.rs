use super::*;
use types::{
    Abi, Agreement, Float, Fuel, JobSpec, Limits, List, Millis, Outcome, OutputRef, Ppm, PublicKey,
    Rates, Status, Submission, state::Terms,
};

fn params() -> Params {
    // Ten fuel for a nano, and nothing else has a price: the prices below are of fuel alone.
    let none = NanoMeshx::ZERO;
    let core_second = NanoMeshx::new(1_000_000);
    Params {
        rates: Rates {
            core_second,
            ram_gb_second: none,
            storage_gb_hour: none,
            bandwidth_gb: none,
        },
        fuel_per_core_us: 10,
        fuel_max: Fuel::new(1_000_000),
        output_bytes_max: 1 << 20,
        commit_blocks: 4,
        reveal_blocks: 4,
        deadline_blocks_max: 100,
        reputation_loss: 100,
        profile_strict: Hash([1; 32]),
        profile_arch_class: Hash([2; 32]),
        ..Params::DEFAULT
    }
}

/// Half of the best reputation: the multiplier is 1.00.
const TERMS: Terms = Terms { reputation: 5_000, floor: NanoMeshx::ZERO };

fn who(n: u8) -> Address {
    Address::of(&PublicKey([n; 32]))
}

fn job(replicas: u8, agree: u8) -> JobRecord {
    let spec = JobSpec {
        module: Hash([1; 32]),
        module_len: 1,
        abi: Abi::Wasi,
        float: Float::Strict,
        input: Hash([2; 32]),
        input_len: 1,
        args: List::default(),
        env: List::default(),
        files: List::default(),
        limits: Limits {
            fuel: Fuel::new(1_000),
            memory_bytes: 1,
            output_bytes: 1,
            wall: Millis::new(500),
        },
        profile: Hash([1; 32]),
        seed: Hash([3; 32]),
        clock: Millis::ZERO,
    };
    let submission = Submission {
        spec,
        agreement: Agreement { replicas, agree },
        price_max: NanoMeshx::new(100 * u64::from(replicas) + 7),
        deadline: Height::new(50),
        fresh: false,
    };
    JobRecord {
        payer: who(200),
        submission,
        submitted: Height::new(1),
        demand: Ppm::ONE,
        phase: Phase::Queued { draws: 0 },
    }
}

fn outcome(n: u8, fuel: u64) -> Outcome {
    let output = OutputRef { hash: Hash([n; 32]), len: 1 };
    Outcome {
        status: Status::Exited(0),
        stdout: output,
        stderr: output,
        fuel: Fuel::new(fuel),
        memory_bytes: 1,
    }
}

const ID: Hash = Hash([9; 32]);

/// Run `inputs` at `now`, one after the other; returns the last phase and all effects.
fn run(mut job: JobRecord, inputs: Vec<(u64, Input)>) -> (Phase, Vec<Effect>) {
    let mut all = Vec::new();
    for (now, input) in inputs {
        let (phase, effects) =
            step(&ID, &job, input, Height::new(now), &params()).expect("fits the phase");
        job.phase = phase;
        all.extend(effects);
    }
    (job.phase, all)
}

fn reveal(worker: u8, outcome: Outcome) -> Reveal {
    Reveal { job: ID, outcome, salt: Hash([worker; 32]) }
}
fn commit(worker: u8, outcome: Outcome) -> Input {
    Input::Commit {
        worker: who(worker),
        commitment: reveal(worker, outcome).commitment(&who(worker)),
    }
}
fn drawn(workers: u8) -> Input {
    Input::Drawn((0..workers).map(|n| (who(n), TERMS)).collect())
}
fn open(worker: u8, outcome: Outcome) -> Input {
    Input::Reveal { worker: who(worker), reveal: reveal(worker, outcome) }
}

/// Answers of workers 0, 1, 2, …; `None` never commits.
fn life(agree: u8, answers: &[Option<Outcome>]) -> (Phase, Vec<Effect>) {
    let replicas = answers.len() as u8;
    let mut inputs = vec![(2, drawn(replicas))];
    inputs
        .extend(answers.iter().enumerate().filter_map(|(n, a)| a.map(|a| (3, commit(n as u8, a)))));
    if answers.iter().any(Option::is_none) {
        inputs.push((7, Input::Tick));
    }
    if answers.iter().any(Option::is_some) {
        inputs.extend(
            answers.iter().enumerate().filter_map(|(n, a)| a.map(|a| (8, open(n as u8, a)))),
        );
    }
    run(job(replicas, agree), inputs)
}

fn money(effects: &[Effect]) -> u64 {
    effects
        .iter()
        .map(|effect| match effect {
            Effect::Pay { amount, .. } | Effect::Refund { amount, .. } => amount.get(),
            _ => 0,
        })
        .sum()
}

#[test]
fn three_of_four_settle_and_the_odd_one_out_is_not_paid() {
    let (good, bad) = (outcome(1, 995), outcome(2, 995));
    let (phase, effects) = life(3, &[Some(good), Some(bad), Some(good), Some(good)]);
    let Phase::Settled(settlement) = phase else { panic!("{phase:?}") };
    assert_eq!((settlement.outcome, settlement.agreed, settlement.paid.get()), (good, 3, 303));
    assert!(effects.contains(&Effect::Release { worker: who(1), good: Some(false) }));
    assert!(!effects.iter().any(|e| matches!(e, Effect::Pay { worker, .. } if *worker == who(1))));
    assert_eq!(money(&effects), 407);
}

#[test]
fn a_silent_worker_does_not_stop_the_others() {
    let good = outcome(1, 10);
    let (phase, effects) = life(3, &[Some(good), None, Some(good), Some(good)]);
    assert!(matches!(phase, Phase::Settled(s) if s.agreed == 3 && s.paid.get() == 6));
    assert!(effects.contains(&Effect::Release { worker: who(1), good: Some(false) }));
}

#[test]
fn a_job_that_nobody_can_run_costs_no_worker_its_reputation() {
    let (phase, effects) = life(3, &[None, None, None, None]);
    assert!(matches!(phase, Phase::Ended { ending: Ending::Expired, .. }));
    assert_eq!(money(&effects), 407);
    for n in 0..4 {
        assert!(effects.contains(&Effect::Release { worker: who(n), good: None }));
    }
    let (_, effects) = life(3, &[Some(outcome(1, 1)), None, None, None]);
    assert!(effects.contains(&Effect::Release { worker: who(1), good: Some(false) }));
}

/// What each worker that is paid gets, in the order of their names.
fn pays(effects: &[Effect]) -> Vec<(u8, u64)> {
    let all = (0..16).filter_map(|n| {
        let pay = effects.iter().find_map(|effect| match effect {
            Effect::Pay { worker, amount } if *worker == who(n) => Some(amount.get()),
            _ => None,
        });
        Some((n, pay?))
    });
    all.collect()
}

#[test]
fn without_agreement_each_gets_half_of_what_the_least_answer_is_worth() {
    let (phase, effects) = life(
        3,
        &[
            Some(outcome(1, 400)),
            Some(outcome(2, 990)),
            Some(outcome(1, 400)),
            Some(outcome(2, 990)),
        ],
    );
    assert!(
        matches!(phase, Phase::Ended { ending: Ending::NoAgreement, paid, .. } if paid.get() == 80)
    );
    assert_eq!(money(&effects), 407);
    assert_eq!(pays(&effects), [(0, 20), (1, 20), (2, 20), (3, 20)]);
    for n in 0..4 {
        assert!(effects.contains(&Effect::Release { worker: who(n), good: None }));
    }
}

#[test]
fn a_silent_worker_of_the_payers_own_makes_nobodys_work_free() {
    let good = outcome(1, 400);
    let (phase, effects) = life(4, &[Some(good), Some(good), None, Some(good)]);
    assert!(
        matches!(phase, Phase::Ended { ending: Ending::Expired, paid, .. } if paid.get() == 123)
    );
    assert_eq!(pays(&effects), [(0, 41), (1, 41), (3, 41)]);
    assert!(effects.contains(&Effect::Release { worker: who(2), good: Some(false) }));
    assert_eq!(money(&effects), 407);
}

#[test]
fn one_answer_alone_is_paid_half() {
    let (phase, effects) = life(2, &[Some(outcome(1, 400)), None, None]);
    assert!(matches!(phase, Phase::Ended { ending: Ending::Expired, .. }));
    assert_eq!(pays(&effects), [(0, 20)]);
    assert_eq!(money(&effects), 307);
}

#[test]
fn a_job_that_cannot_be_run_costs_its_payer_and_no_worker() {
    // Nobody could have the input; one says it could, and one's machine was too slow.
    let missing = Outcome::hindered(types::Obstacle::MissingInput);
    let slow = Outcome::hindered(types::Obstacle::WallClock);
    let answers = [Some(missing), Some(missing), Some(outcome(1, 3)), Some(missing), Some(slow)];
    let (phase, effects) = life(3, &answers);
    let Phase::Settled(settlement) = phase else { panic!("{phase:?}") };
    assert_eq!(settlement.outcome, missing);
    assert_eq!(pays(&effects).iter().map(|(n, _)| *n).collect::<Vec<_>>(), [0, 1, 3]);
    for n in 0..5 {
        assert!(effects.contains(&Effect::Release { worker: who(n), good: None }));
    }
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Cache { .. })));
    // A machine that was too slow for the clock is paid for all of the time.
    let (_, effects) = life(2, &[Some(slow), Some(slow), Some(outcome(1, 900))]);
    assert_eq!(pays(&effects), [(0, 101), (1, 101)]);
    assert!(effects.contains(&Effect::Release { worker: who(2), good: None }));
}

#[test]
fn once_enough_have_committed_the_others_have_three_times_as_long() {
    let good = outcome(1, 10);
    let mut record = job(3, 2);
    record.submission.spec.limits.wall = Millis::new(10_000);
    let (phase, effects) =
        run(record.clone(), vec![(2, drawn(3)), (5, commit(0, good)), (6, commit(1, good))]);
    // Four blocks for everybody, and three times the four that these took.
    assert!(matches!(phase, Phase::Committing { until, .. } if until.get() == 2 + 4 + 12));
    assert!(effects.contains(&Effect::Remind { at: Height::new(18) }));
    record.phase = phase;
    let (phase, _) = run(record.clone(), vec![(17, Input::Tick)]);
    assert!(matches!(phase, Phase::Committing { .. }));
    let (phase, effects) =
        run(record, vec![(18, Input::Tick), (19, open(0, good)), (20, open(1, good))]);
    assert!(matches!(phase, Phase::Settled(ref s) if s.agreed == 2), "{phase:?}");
    // It may still have been at work.
    assert!(effects.contains(&Effect::Release { worker: who(2), good: None }));
}

#[test]
fn a_copied_commitment_cannot_be_opened() {
    let good = outcome(1, 10);
    let mut record = job(3, 2);
    let copied = Input::Commit { worker: who(1), commitment: reveal(0, good).commitment(&who(0)) };
    let (phase, _) = run(
        record.clone(),
        vec![(2, drawn(3)), (3, commit(0, good)), (3, copied), (3, commit(2, good))],
    );
    record.phase = phase;
    let stolen = Input::Reveal { worker: who(1), reveal: reveal(0, good) };
    assert_eq!(
        step(&ID, &record, stolen, Height::new(4), &params()),
        Err(OutOfPhase::NotCommitted(who(1)))
    );
}

#[test]
fn reveals_stay_shut_until_all_have_committed() {
    let mut record = job(3, 2);
    let (phase, _) = run(record.clone(), vec![(2, drawn(3)), (3, commit(0, outcome(1, 1)))]);
    record.phase = phase;
    let early = open(0, outcome(1, 1));
    assert_eq!(step(&ID, &record, early, Height::new(3), &params()), Err(OutOfPhase::NotRevealing));
}

#[test]
fn only_the_payer_cancels_and_only_before_the_draw() {
    let mut record = job(1, 1);
    let cancel = |by| Input::Cancel { by };
    assert_eq!(
        step(&ID, &record, cancel(who(1)), Height::new(2), &params()),
        Err(OutOfPhase::NotPayer)
    );
    let (phase, effects) = run(record.clone(), vec![(2, cancel(who(200)))]);
    assert!(matches!(phase, Phase::Ended { ending: Ending::Cancelled, .. }));
    assert_eq!(money(&effects), 107);
    record.phase = run(record.clone(), vec![(2, drawn(1))]).0;
    let late = step(&ID, &record, cancel(who(200)), Height::new(3), &params());
    assert_eq!(late, Err(OutOfPhase::TooLate(Height::new(50))));
}

#[test]
fn the_deadline_ends_a_job_nobody_took() {
    let (phase, effects) =
        run(job(1, 1), vec![(49, Input::Tick), (50, Input::Tick), (51, Input::Tick)]);
    assert!(matches!(phase, Phase::Ended { ending: Ending::Expired, .. }));
    // A reminder before the deadline has it drawn for once more.
    assert_eq!(effects.len(), 2);
    assert_eq!(effects[0], Effect::Enqueue);
    assert_eq!(money(&effects), 107);
}

/// Invariant: however inputs arrive, a job ends at most once, pays out exactly its escrow, and frees
/// every assignment it took.
#[test]
fn random_lives_settle_exactly_once() {
    let mut state = 1_u64;
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    for _ in 0..3_000 {
        let replicas = 1 + random(6) as u8;
        let agree = replicas / 2 + 1;
        let mut record = job(replicas, agree);
        let (mut paid, mut taken, mut ended) = (0, 0_i32, 0);
        let mut now = 2;
        while now < 52 {
            let worker = random(u64::from(replicas) + 1) as u8;
            let answer = outcome(random(2) as u8, random(1_001));
            let input = match random(9) {
                0 => drawn(replicas),
                1..=3 => commit(worker, answer),
                4..=6 => open(worker, answer),
                7 => Input::Cancel { by: who(if random(20) == 0 { 200 } else { 1 }) },
                _ => {
                    now += 1 + random(3);
                    Input::Tick
                }
            };
            let was_over = matches!(record.phase, Phase::Settled(_) | Phase::Ended { .. });
            if let Ok((phase, effects)) = step(&ID, &record, input, Height::new(now), &params()) {
                paid += money(&effects);
                for effect in &effects {
                    taken += match effect {
                        Effect::Occupy { .. } => 1,
                        Effect::Release { .. } => -1,
                        _ => 0,
                    };
                }
                record.phase = phase;
                let over = matches!(record.phase, Phase::Settled(_) | Phase::Ended { .. });
                ended += i32::from(over && !was_over);
            }
        }
        let (phase, effects) = step(&ID, &record, Input::Tick, Height::new(60), &params()).unwrap();
        paid += money(&effects);
        let over = matches!(phase, Phase::Settled(_) | Phase::Ended { .. });
        assert!(over, "alive after its deadline: {phase:?}");
        if !matches!(record.phase, Phase::Settled(_) | Phase::Ended { .. }) {
            ended += 1;
            taken -= effects.iter().filter(|e| matches!(e, Effect::Release { .. })).count() as i32;
        }
        assert_eq!((paid, taken, ended), (record.submission.price_max.get(), 0, 1));
    }
}
