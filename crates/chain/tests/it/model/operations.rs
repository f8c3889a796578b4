//! What can happen: operations that say what is meant and are given keys, nonces and jobs when they are played.

use proptest::{collection::vec, prelude::*};

/// One sequence: a small network and what happens on it.
#[derive(Clone, Debug)]
pub struct Case {
    pub workers: u8,
    pub capacity: u16,
    /// Chooses among a few sets of rules; 9 is the backbone, where no jobs run.
    pub rules: u8,
    pub operations: Vec<Operation>,
}

/// Numbers choose modulo what there is to choose from.
#[derive(Clone, Debug)]
pub enum Operation {
    /// End the block. `beacons`: 0 leaves them out, 1 and 2 add something wrong, the rest include all that are due.
    Block {
        beacons: u8,
        leader: u8,
    },
    /// So many blocks with beacons and nothing else.
    Wait {
        blocks: u8,
    },
    Transfer {
        from: u8,
        to: u8,
        amount: Amount,
        nonce: Nonce,
        tip: u64,
    },
    Register {
        who: u8,
        capacity: u16,
        floor: u64,
        nonce: Nonce,
    },
    Submit {
        payer: u8,
        spec: u8,
        replicas: u8,
        agree: Agree,
        odd: Odd,
        deadline: u8,
        fresh: bool,
        tip: u64,
    },
    /// One assigned worker commits (or somebody without one: `stranger`).
    Commit {
        job: u8,
        worker: u8,
        answer: u8,
        stranger: bool,
    },
    Reveal {
        job: u8,
        worker: u8,
        how: How,
    },
    Cancel {
        job: u8,
        by_payer: bool,
    },
    /// All workers of a job commit; `wrong` has a bit for each that will say something else, `silent` one for each that
    /// will not speak at all.
    CommitAll {
        job: u8,
        wrong: u16,
        silent: u16,
    },
    RevealAll {
        job: u8,
        silent: u16,
    },
}

#[derive(Clone, Copy, Debug)]
pub enum Amount {
    Some(u64),
    /// All the sender has after the fee, plus this.
    All(i8),
    Zero,
}

#[derive(Clone, Copy, Debug)]
pub enum Nonce {
    Right,
    Used,
    Gap,
}

#[derive(Clone, Copy, Debug)]
pub enum Agree {
    Majority,
    All,
    One,
    TooFew,
    TooMany,
}

/// What is unusual about a submission.
#[derive(Clone, Copy, Debug)]
pub enum Odd {
    Nothing,
    NoFuel,
    FuelOverMax,
    Memory,
    Output,
    NoWall,
    WallOverMax,
    ModuleOverMax,
    Profile,
    OneNanoShort,
    Generous(u32),
    DeadlineNow,
    DeadlineFar,
    DeadlineFarthest,
    ReplicasOverMax,
    NoReplicas,
}

#[derive(Clone, Copy, Debug)]
pub enum How {
    AsCommitted,
    OtherSalt,
    OtherOutcome,
    /// The reveal of the next assignment, word for word.
    Copied,
    OfAnotherJob,
    ByStranger,
}

fn nonce() -> impl Strategy<Value = Nonce> {
    prop_oneof![12 => Just(Nonce::Right), 1 => Just(Nonce::Used), 1 => Just(Nonce::Gap)]
}

fn tip() -> impl Strategy<Value = u64> {
    prop_oneof![20 => Just(0_u64), 10 => 1..5_000_u64, 1 => Just(u64::MAX)]
}

fn odd() -> impl Strategy<Value = Odd> {
    use Odd::*;
    let rare = proptest::sample::select(vec![
        NoFuel,
        FuelOverMax,
        Memory,
        Output,
        NoWall,
        WallOverMax,
        ModuleOverMax,
        Profile,
        OneNanoShort,
        DeadlineNow,
        DeadlineFar,
        DeadlineFarthest,
        ReplicasOverMax,
        NoReplicas,
    ]);
    prop_oneof![8 => Just(Nothing), 3 => (1..9_999_u32).prop_map(Generous), 3 => rare]
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation::*;
    let amount = prop_oneof![
        5 => (1..50_000_u64).prop_map(Amount::Some),
        2 => (-2..=2_i8).prop_map(Amount::All),
        1 => Just(Amount::Zero),
    ];
    let agree = prop_oneof![
        8 => Just(Agree::Majority),
        4 => Just(Agree::All),
        2 => Just(Agree::One),
        1 => Just(Agree::TooFew),
        1 => Just(Agree::TooMany),
    ];
    let how = prop_oneof![
        6 => Just(How::AsCommitted),
        1 => Just(How::OtherSalt),
        1 => Just(How::OtherOutcome),
        1 => Just(How::Copied),
        1 => Just(How::OfAnotherJob),
        1 => Just(How::ByStranger),
    ];
    let bits = || prop_oneof![5 => Just(0_u16), 3 => any::<u16>().prop_map(|n| 1 << (n % 8)), 1 => any::<u16>()];
    let replicas = prop_oneof![4 => 1..=3_u8, 1 => 1..=6_u8];
    let deadline = prop_oneof![3 => 8..30_u8, 2 => 0..8_u8];
    // From none to more than any offer here covers.
    let floor = prop_oneof![2 => Just(0), 3 => 0..3_000_000_u64, 1 => any::<u64>()];
    prop_oneof![
        8 => (0..12_u8, any::<u8>()).prop_map(|(beacons, leader)| Block { beacons, leader }),
        2 => (1..6_u8).prop_map(|blocks| Wait { blocks }),
        3 => (any::<u8>(), any::<u8>(), amount, nonce(), tip())
            .prop_map(|(from, to, amount, nonce, tip)| Transfer { from, to, amount, nonce, tip }),
        1 => (any::<u8>(), prop_oneof![4 => 0..3_u16, 1 => 1_023..1_026_u16], floor, nonce())
            .prop_map(|(who, capacity, floor, nonce)| Register { who, capacity, floor, nonce }),
        5 => (any::<u8>(), 0..5_u8, replicas, agree, odd(), deadline, any::<bool>(), tip()).prop_map(
            |(payer, spec, replicas, agree, odd, deadline, fresh, tip)| Submit {
                payer, spec, replicas, agree, odd, deadline, fresh, tip,
            }
        ),
        3 => (any::<u8>(), any::<u8>(), 0..3_u8, prop::bool::weighted(0.1))
            .prop_map(|(job, worker, answer, stranger)| Commit { job, worker, answer, stranger }),
        3 => (any::<u8>(), any::<u8>(), how).prop_map(|(job, worker, how)| Reveal { job, worker, how }),
        1 => (any::<u8>(), prop::bool::weighted(0.8)).prop_map(|(job, by_payer)| Cancel { job, by_payer }),
        7 => (any::<u8>(), bits(), bits()).prop_map(|(job, wrong, silent)| CommitAll { job, wrong, silent }),
        7 => (any::<u8>(), bits()).prop_map(|(job, silent)| RevealAll { job, silent }),
    ]
}

pub fn case() -> impl Strategy<Value = Case> {
    (1..8_u8, 1..4_u16, 0..10_u8, vec(operation(), 1..160)).prop_map(
        |(workers, capacity, rules, operations)| Case { workers, capacity, rules, operations },
    )
}
