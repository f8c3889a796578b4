//! What happens in one simulation: drawn from its seed, before anything runs.
//!
//! A scenario is plain data, so a test can write one down, and a seed always means the same one.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use types::network::TERM_BLOCKS_MIN;

/// Milliseconds of virtual time since the simulation began.
pub type Moment = u64;

/// All that happens in one simulation.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What it was drawn from, and what the runtime's own chance starts from.
    pub seed: u64,
    /// Validators, numbered from 0.
    pub validators: usize,
    /// How many of them have seats in the first term; the others may have one later.
    pub seats: usize,
    /// The time between blocks that leaders aim at, in milliseconds.
    pub block_ms: u64,
    /// Blocks of a committee's term.
    pub term_blocks: u64,
    /// How long a message travels from one validator to another, in milliseconds.
    pub latency_ms: u64,
    /// How much that varies, in milliseconds.
    pub jitter_ms: u64,
    /// In order of their moments.
    pub faults: Vec<(Moment, Fault)>,
    /// When every fault ends and every correct validator runs again.
    pub healed: Moment,
    /// How many blocks must follow after that.
    pub calm_blocks: u64,
    /// Validator and how it lies: at most [`faulty_max`] of them.
    pub traitors: Vec<(usize, Treason)>,
    /// How each worker behaves; their number is the number of workers.
    pub workers: Vec<Conduct>,
    /// Accounts that send transfers and submit jobs.
    pub clients: usize,
    /// Between two transactions of one client.
    pub client_ms: u64,
}

/// One thing that goes wrong, for `ms` milliseconds where it lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process dies at once, loses what it had not synced, and starts again later.
    Crash {
        /// Which one dies.
        validator: usize,
        /// How long it is gone.
        ms: u64,
    },
    /// The process dies and its disk is empty when it starts again.
    Wipe {
        /// Which one dies.
        validator: usize,
        /// How long it is gone.
        ms: u64,
    },
    /// Power fails everywhere; unsynced writes survive in part, `torn_percent` of their bytes.
    PowerCut {
        /// How much of an unsynced write survives, in percent of its bytes.
        torn_percent: u8,
        /// Whether these bytes lie anywhere in the write; otherwise they are its beginning.
        scattered: bool,
    },
    /// These hear and are heard by each other only.
    Partition {
        /// Validators on one side of the cut; all others are on the other.
        side: Vec<usize>,
        /// How long it lasts.
        ms: u64,
    },
    /// `from` is not heard by `to`, but hears it.
    OneWay {
        /// Who is not heard.
        from: usize,
        /// Who does not hear it.
        to: usize,
        /// How long it lasts.
        ms: u64,
    },
    /// Every operation of one disk takes longer.
    SlowDisk {
        /// Whose disk is slow.
        validator: usize,
        /// How much longer each operation takes, in milliseconds.
        by_ms: u64,
        /// How long it lasts.
        ms: u64,
    },
    /// The clock of one validator is wrong, to the end.
    ClockSkew {
        /// Whose clock is wrong.
        validator: usize,
        /// How far it is ahead, in milliseconds; behind if negative.
        ahead_ms: i64,
    },
    /// Messages are lost.
    Loss {
        /// How many, in percent.
        percent: u8,
        /// How long it lasts.
        ms: u64,
    },
    /// Messages arrive twice.
    Duplication {
        /// How many, in percent.
        percent: u8,
        /// How long it lasts.
        ms: u64,
    },
    /// That share of messages comes up to `by_ms` late, overtaken by others.
    Delay {
        /// How many, in percent.
        percent: u8,
        /// How late they are at most, in milliseconds.
        by_ms: u64,
        /// How long it lasts.
        ms: u64,
    },
}

/// How a validator lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Treason {
    /// Signs a second proposal for every vote, and leads with two valid blocks.
    Equivocate,
    /// Proposes blocks that commit to a state that is not theirs.
    BadStateRoot,
    /// Proposes blocks with an overdraft or a used nonce.
    InvalidTx,
    /// Votes for its block and shows it to almost nobody.
    WithholdBlock,
    /// Sends old certificates again and again.
    StaleCertificates,
    /// Floods every channel with noise and unsigned transactions.
    Spam,
    /// Leads with timestamps far off.
    WrongClock,
    /// Signs a second proposal for every vote, and shows both to everybody.
    DoubleSign,
}

impl Treason {
    /// What seeds draw from. [`Treason::DoubleSign`] is not among it: everybody stops listening to it at once,
    /// and each seed's faults stay what they were.
    pub const ALL: [Self; 7] = [
        Self::Equivocate,
        Self::BadStateRoot,
        Self::InvalidTx,
        Self::WithholdBlock,
        Self::StaleCertificates,
        Self::Spam,
        Self::WrongClock,
    ];
}

/// How a worker goes about its jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conduct {
    /// Runs the job, commits and reveals in time.
    Honest,
    /// Never commits to anything.
    Vanishes,
    /// Commits to an outcome that is not the job's, and reveals it.
    Lies,
    /// Commits to what another has committed to, and reveals what that one reveals.
    Copies,
    /// Answers when the time for it is over.
    Late,
}

/// The most validators that may lie.
pub const fn faulty_max(validators: usize) -> usize {
    (validators - 1) / 3
}

impl Scenario {
    /// Nothing goes wrong.
    pub fn calm(seed: u64, validators: usize) -> Self {
        Self {
            seed,
            validators,
            seats: validators,
            block_ms: 300,
            term_blocks: 7_200,
            latency_ms: 30,
            jitter_ms: 5,
            faults: Vec::new(),
            healed: 4_000,
            calm_blocks: 12,
            traitors: Vec::new(),
            workers: vec![Conduct::Honest; 5],
            clients: 3,
            client_ms: 350,
        }
    }

    /// The scenario of `seed`.
    pub fn draw(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let validators = [4, 4, 4, 7, 7, 10][rng.random_range(0..6)];
        let mut scenario = Self {
            block_ms: rng.random_range(200..=500),
            latency_ms: rng.random_range(5..=120),
            jitter_ms: rng.random_range(0..=20),
            healed: rng.random_range(4_000..=9_000),
            calm_blocks: 8,
            clients: rng.random_range(2..=4),
            client_ms: rng.random_range(150..=500),
            ..Self::calm(seed, validators)
        };
        let count = rng.random_range(1..=5);
        for _ in 0..count {
            let at = rng.random_range(300..scenario.healed);
            let fault = fault(&mut rng, validators);
            scenario.faults.push((at, fault));
        }
        if rng.random_range(0..3) == 0 {
            let at = rng.random_range(1_500..scenario.healed);
            let (torn_percent, scattered) = (rng.random_range(0..=100), rng.random());
            scenario.faults.push((at, Fault::PowerCut { torn_percent, scattered }));
        }
        scenario.faults.sort_by_key(|(at, _)| *at);
        let liars = rng.random_range(0..=faulty_max(validators));
        for _ in 0..liars {
            let validator = rng.random_range(0..validators);
            let treason = Treason::ALL[rng.random_range(0..Treason::ALL.len())];
            if scenario.traitors.iter().all(|(known, _)| *known != validator) {
                scenario.traitors.push((validator, treason));
            }
        }
        let wiped = rng.random_range(0..validators);
        let (at, ms) = (rng.random_range(1_000..scenario.healed), rng.random_range(200..=2_000));
        // A validator that has forgotten its votes counts as faulty until it is back.
        let room = scenario.traitors.len() < faulty_max(validators);
        if room && !scenario.is_traitor(wiped) && rng.random_range(0..3) == 0 {
            scenario.faults.push((at, Fault::Wipe { validator: wiped, ms }));
            scenario.faults.sort_by_key(|(at, _)| *at);
        }
        for worker in &mut scenario.workers {
            *worker = match rng.random_range(0..10) {
                0 => Conduct::Vanishes,
                1 => Conduct::Lies,
                2 => Conduct::Copies,
                3 => Conduct::Late,
                _ => Conduct::Honest,
            };
        }
        // In half of them committees hand over while all of that happens.
        if rng.random() {
            scenario.term_blocks = TERM_BLOCKS_MIN;
        }
        scenario
    }

    /// Whether this validator lies.
    pub fn is_traitor(&self, validator: usize) -> bool {
        self.traitors.iter().any(|(traitor, _)| *traitor == validator)
    }

    /// The numbers of all validators that do not lie.
    pub fn correct(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.validators).filter(|validator| !self.is_traitor(*validator))
    }
}

fn fault(rng: &mut StdRng, validators: usize) -> Fault {
    let validator = rng.random_range(0..validators);
    let other = (validator + rng.random_range(1..validators)) % validators;
    let ms = rng.random_range(200..=3_000);
    let percent = rng.random_range(1..=20);
    match rng.random_range(0..10) {
        0..=2 => Fault::Crash { validator, ms },
        3 => {
            let side = (0..validators).filter(|_| rng.random()).collect();
            Fault::Partition { side, ms }
        }
        4 => Fault::OneWay { from: validator, to: other, ms },
        5 => Fault::SlowDisk { validator, by_ms: rng.random_range(1..=60), ms },
        6 => Fault::ClockSkew { validator, ahead_ms: rng.random_range(-2_000..=2_000) },
        7 => Fault::Loss { percent, ms },
        8 => Fault::Duplication { percent, ms },
        _ => Fault::Delay { percent, by_ms: rng.random_range(50..=1_500), ms },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_means_the_same_scenario() {
        for seed in 0..50 {
            assert_eq!(
                format!("{:?}", Scenario::draw(seed)),
                format!("{:?}", Scenario::draw(seed))
            );
        }
    }

    #[test]
    fn at_most_a_third_lies_and_faults_come_in_order() {
        for seed in 0..2_000 {
            let scenario = Scenario::draw(seed);
            assert!(scenario.traitors.len() <= faulty_max(scenario.validators));
            assert!(scenario.faults.is_sorted_by_key(|(at, _)| *at));
            assert!(scenario.faults.iter().all(|(at, _)| *at < scenario.healed));
        }
    }
}
