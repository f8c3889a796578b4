//! Random sequences of all operations: nothing is lost, nobody is paid too much, and the naive model agrees.
//!
//! `MESHX_STAKING_CASES` says how many sequences, 500 unless told. A failure prints the seed of its case.

use crate::{
    model::Model,
    operations::{ACCOUNTS, Raw, VALIDATORS, operation, params},
    world::{Operation, World},
};
use num_rational::BigRational;
use proptest::prelude::*;
use std::collections::BTreeMap;

const OPERATIONS: usize = 60;
const EACH: u64 = 1_000_000_000_000_000_000;

#[derive(Default)]
struct Tally {
    accepted: BTreeMap<&'static str, u64>,
    refused: BTreeMap<&'static str, u64>,
    off: BigRational,
}

fn cases() -> u64 {
    std::env::var("MESHX_STAKING_CASES").map_or(500, |n| n.parse().expect("a number of cases"))
}

fn run(choice: u64, raws: &[Raw], tally: &mut Tally) {
    let params = params(choice);
    staking::check_params(&params).unwrap();
    let mut world = World::new(params, ACCOUNTS, EACH);
    let mut model = Model::default();
    let total = world.total();
    let mut one = |world: &mut World, model: &mut Model, operation: Operation| {
        let before = world.clone();
        let name = name(operation);
        match world.apply(operation) {
            Some(Ok(_)) => {
                model.apply(operation, world, &before);
                model.check(world);
                assert_eq!(world.total(), total, "no nano appears or disappears");
                *tally.accepted.entry(name).or_default() += 1;
            }
            Some(Err(refusal)) => *tally.refused.entry(refusal.code().as_str()).or_default() += 1,
            None => *tally.refused.entry("(not possible)").or_default() += 1,
        }
    };
    let all = |world: &mut World,
               model: &mut Model,
               one: &mut dyn FnMut(&mut World, &mut Model, Operation)| {
        for d in 0..ACCOUNTS {
            for v in 0..VALIDATORS {
                one(world, model, Operation::Settle { d, v });
            }
        }
        model.check_unbonding(world);
    };
    for v in 0..VALIDATORS - choice.is_multiple_of(3) as u8 {
        let amount = params.validator_min.get() * (1 + choice % 5);
        let bps = if params.commission_max_bps == 0 { 0 } else { 777 };
        one(&mut world, &mut model, Operation::Bond { v, amount, bps });
    }
    for raw in raws {
        let operation = operation(*raw, &world);
        one(&mut world, &mut model, operation);
    }
    all(&mut world, &mut model, &mut one);
    // Everybody goes home; only what rounds to less than a nano may stay in the pools, and no stake.
    one(&mut world, &mut model, Operation::Advance { ms: 5_000 });
    all(&mut world, &mut model, &mut one);
    for d in 0..ACCOUNTS {
        for v in 0..VALIDATORS {
            one(&mut world, &mut model, Operation::Withdraw { d, v });
            one(&mut world, &mut model, Operation::Claim { d, v });
            one(&mut world, &mut model, Operation::ClaimCommission { v, by: v });
            let portion = staking::Portion::All;
            one(&mut world, &mut model, Operation::Undelegate { d, v, portion });
        }
    }
    one(&mut world, &mut model, Operation::Advance { ms: 5_000 });
    for d in 0..ACCOUNTS {
        for v in 0..VALIDATORS {
            one(&mut world, &mut model, Operation::Withdraw { d, v });
        }
    }
    assert_eq!(world.balance(types::state::pools::bonded()), 0);
    assert_eq!(world.balance(types::state::pools::unbonding()), 0);
    let dust = world.balance(types::state::pools::rewards());
    assert!(dust <= u64::from(ACCOUNTS) * u64::from(VALIDATORS), "{dust} nano of rewards stay");
    tally.off = std::mem::take(&mut tally.off).max(model.off);
}

fn name(operation: Operation) -> &'static str {
    match operation {
        Operation::Bond { .. } => "bond",
        Operation::Delegate { .. } => "delegate",
        Operation::Undelegate { .. } => "undelegate",
        Operation::Redelegate { .. } => "redelegate",
        Operation::Withdraw { .. } => "withdraw",
        Operation::Claim { .. } => "claim",
        Operation::ClaimCommission { .. } => "claim_commission",
        Operation::SetCommission { .. } => "set_commission",
        Operation::Reward { .. } => "reward",
        Operation::Slash { .. } => "slash",
        Operation::Unjail { .. } => "unjail",
        Operation::Settle { .. } => "settle",
        Operation::Advance { .. } => "advance",
    }
}

/// xorshift64*, so that a seed is the same sequence everywhere.
struct Random(u64);
impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
    fn raw(&mut self) -> Raw {
        let [kind, a, b, c, amount, ..] = (self.next() >> 8).to_le_bytes();
        (kind, a, b, c, amount, self.next() >> 2)
    }
}

struct Seed(u64);
impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed of the case that failed: {}", self.0);
        }
    }
}

#[test]
fn random_sequences_agree_with_the_naive_model() {
    let mut tally = Tally::default();
    let first = std::env::var("MESHX_STAKING_SEED").map_or(1, |n| n.parse().expect("a seed"));
    for case in first..first + cases() {
        let _seed = Seed(case);
        let mut random = Random(case.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let choice = random.next() >> 8;
        let raws: Vec<Raw> = (0..OPERATIONS).map(|_| random.raw()).collect();
        run(choice, &raws, &mut tally);
    }
    println!("accepted {:?}", tally.accepted);
    println!("refused {:?}", tally.refused);
    println!("most off the exact reward, in nano a period: {}", as_decimal(&tally.off));
}

fn as_decimal(x: &BigRational) -> String {
    let billionths = (x * BigRational::from_integer(1_000_000_000.into())).ceil().to_integer();
    format!("{billionths} / 1e9")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_sequence_agrees_with_the_naive_model(
        choice in any::<u64>(),
        raws in proptest::collection::vec(any::<Raw>(), 0..80),
    ) {
        run(choice, &raws, &mut Tally::default());
    }
}
