//! One run: a chain and its model side by side, a block at a time.

use super::{
    compare,
    operations::{Agree, Amount, Case, How, Nonce, Odd, Operation},
    rules::{Life, Model, Place},
};
use crate::{gas, memory::Memory};
use chain::{
    Applied, BlockContext, CheckedTx, Mode, Proposal, apply_block, check_tx, local_params,
};
use crypto::SigningKey;
use futures::executor::block_on;
use std::{cell::RefCell, collections::BTreeMap};
use types::{
    Abi, Action, Address, Agreement, BaseFeeRule, Beacon, ChainId, Float, Fuel, Hash, Height,
    Intent, JobId, JobSpec, Limits, List, Millis, NanoMeshx, Outcome, OutputFiles, OutputRef,
    PublicKey, Reveal, Schedule, Status, Submission, Term, Text, Tx,
    codec::{Bytes, Encode, EncodeSize as _},
    domain_hash,
    network::{Genesis, GenesisAccount, GenesisWorker},
    state::{Event, Params, Phase, pools},
};

pub(super) const NETWORK: Hash = Hash([42; 32]);
const STRICT: Hash = Hash([1; 32]);
/// People with money, after the workers (0 to 7) and one who has neither.
const CLIENTS: [u8; 3] = [100, 101, 102];
const POOR: u8 = 110;

/// What happened, to know that the comparison compared something.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub cases: u64,
    pub blocks: u64,
    pub included: u64,
    /// By name.
    pub refused: BTreeMap<&'static str, u64>,
    pub drawn: u64,
    pub settled: u64,
    pub cached: u64,
    pub ended: BTreeMap<String, u64>,
}

pub struct World {
    store: Memory,
    model: Model,
    genesis: Genesis,
    workers: u8,
    view: u64,
    /// The block being filled.
    txs: Vec<Tx>,
    /// The model as those would leave it, draws aside: what the next one is aimed at.
    preview: Option<Model>,
    /// What each assigned worker has decided to reveal.
    secrets: BTreeMap<(JobId, Address), Reveal>,
    seen: Seen,
    /// How often each job was told to be over.
    endings: BTreeMap<JobId, u32>,
}

thread_local! {
    static KEYS: RefCell<BTreeMap<u8, (SigningKey, PublicKey)>> = const { RefCell::new(BTreeMap::new()) };
}

fn with_key<T>(who: u8, use_it: impl FnOnce(&SigningKey, PublicKey) -> T) -> T {
    KEYS.with_borrow_mut(|keys| {
        let (key, public) = keys.entry(who).or_insert_with(|| {
            let key = SigningKey::from_seed(&[who; 32]);
            let public = PublicKey(key.public());
            (key, public)
        });
        use_it(key, *public)
    })
}

fn address(who: u8) -> Address {
    with_key(who, |_, public| Address::of(&public))
}

/// Small numbers, so that sequences of a hundred operations reach every edge.
fn params(rules: u8) -> Params {
    let usual = local_params(STRICT, Hash([2; 32]), 500);
    let short = Params {
        commit_blocks: 3,
        reveal_blocks: 3,
        deadline_blocks_max: 60,
        // Some can put down a bond for a few places, and nobody for all that there may be.
        place_bond: NanoMeshx::new(30_000),
        place_bond_blocks: 7,
        ..usual
    };
    match rules {
        // Reputations meet both ends within three jobs.
        0..=3 => Params { reputation_gain: 3_000, reputation_loss: 2_600, ..short },
        // Shares that leave a remainder of almost every payment.
        4..=6 => Params {
            validators_bps: 333,
            treasury_bps: 77,
            burned_bps: 129,
            fuel_per_core_us: 7,
            ..short
        },
        // A fee that moves both ways.
        7 => Params {
            base_fee: BaseFeeRule {
                target: 1_000,
                min: NanoMeshx::new(8),
                max: NanoMeshx::new(2_000),
            },
            reveal_blocks: 1,
            commit_blocks: 1,
            ..short
        },
        _ => Params { fuel_max: Fuel::new(u64::MAX), fuel_per_core_us: 1, ..short },
    }
}

fn committing(life: &Life) -> bool {
    matches!(life, Life::Committing { .. })
}
fn revealing(life: &Life) -> bool {
    matches!(life, Life::Revealing { .. })
}

impl World {
    pub fn new(case: &Case) -> Self {
        let account = |who, balance| GenesisAccount {
            address: address(who),
            balance: NanoMeshx::new(balance),
        };
        let mut accounts = vec![
            account(CLIENTS[0], 1_000_000_000),
            account(CLIENTS[1], 60_000),
            account(CLIENTS[2], u64::MAX / 4),
        ];
        accounts.extend((0..case.workers).map(|who| account(who, 1_000_000)));
        let worker = |who| GenesisWorker {
            address: address(who),
            capacity: case.capacity,
            city: Text::default(),
        };
        let genesis = Genesis {
            chain: if case.rules == 9 { ChainId::Backbone } else { ChainId::Europe },
            started: Millis::ZERO,
            validators: List::default(),
            sharing: Bytes::default(),
            term_blocks: 7_200,
            params: params(case.rules),
            accounts: List::new(accounts).expect("few"),
            workers: List::new((0..case.workers).map(worker).collect()).expect("few"),
            stakes: List::default(),
            emission: Schedule { steps: List::default() },
            vesting: List::default(),
            witnesses: List::default(),
        };
        Self {
            store: Memory::default(),
            model: Model::new(&genesis),
            genesis,
            workers: case.workers,
            view: 0,
            txs: vec![],
            preview: None,
            secrets: BTreeMap::new(),
            seen: Seen { cases: 1, ..Seen::default() },
            endings: BTreeMap::new(),
        }
    }

    fn person(&self, n: u8) -> u8 {
        let all = usize::from(self.workers) + CLIENTS.len() + 1;
        match usize::from(n) % all {
            n if n < CLIENTS.len() => CLIENTS[n],
            n if n == CLIENTS.len() => POOR,
            n => u8::try_from(n - CLIENTS.len() - 1).expect("few"),
        }
    }

    fn name_of(&self, who: &Address) -> u8 {
        (0..self.workers)
            .chain(CLIENTS)
            .chain([POOR])
            .find(|n| address(*n) == *who)
            .expect("all are known")
    }

    fn ahead(&self) -> &Model {
        self.preview.as_ref().unwrap_or(&self.model)
    }

    /// A job in the phase that `fits`; one time in sixteen, any job.
    fn job(&self, n: u8, fits: impl Fn(&Life) -> bool) -> Option<JobId> {
        let jobs = self.ahead().jobs.iter().filter(|(_, job)| n % 16 == 15 || fits(&job.life));
        let jobs: Vec<JobId> = jobs.map(|(id, _)| *id).collect();
        (!jobs.is_empty()).then(|| jobs[usize::from(n) % jobs.len()])
    }

    fn sign(&mut self, from: u8, nonce: Nonce, tip: u64, action: Action) {
        let preview = self.preview.get_or_insert_with(|| {
            let mut preview = self.model.clone();
            let place = Place { term: 0, view: 0, leader: address(0) };
            preview.begin(&place);
            preview
        });
        let next = preview.nonces.get(&address(from)).copied().unwrap_or(0);
        let nonce = types::Nonce::strict(match nonce {
            Nonce::Right => next,
            Nonce::Used => next.wrapping_sub(1),
            Nonce::Gap => next + 1,
        });
        // Every eighth tip comes with a cap that is too low, at times.
        let fee_max =
            if tip % 8 == 7 { NanoMeshx::new(tip.saturating_mul(200)) } else { Tx::ANY_FEE };
        let (chain, tip) = (self.genesis.chain, NanoMeshx::new(tip));
        let intent = Intent { chain, nonce, tip, fee_max, action };
        let tx = with_key(from, |key, sender| {
            Tx::signed(&NETWORK, sender, intent, |domain, message| key.sign(domain, message))
        });
        // Whether it will go through is for the comparison; here it only moves the aim.
        let _ = preview.tx(&tx, None, &Place { term: 0, view: 0, leader: address(from) });
        self.txs.push(tx);
    }

    pub fn play(&mut self, operation: &Operation) -> Result<(), String> {
        match *operation {
            Operation::Block { beacons, leader } => return self.block(beacons, leader),
            Operation::Wait { blocks } => return (0..blocks).try_for_each(|_| self.block(9, 0)),
            Operation::Transfer { from, to, amount, nonce, tip } => {
                let (from, pool) = (self.person(from), to % 31 == 30);
                let to = if pool { pools::escrow() } else { address(self.person(to)) };
                let held = self.ahead().balances.get(&address(from)).copied().unwrap_or(0);
                let fee = self.ahead().base_fee + u128::from(tip);
                let amount = match amount {
                    Amount::Some(amount) => amount,
                    Amount::Zero => 0,
                    Amount::All(more) => u64::try_from(held.saturating_sub(fee))
                        .expect("no account holds more")
                        .saturating_add_signed(more.into()),
                };
                self.sign(
                    from,
                    nonce,
                    tip,
                    Action::Transfer { to, amount: NanoMeshx::new(amount) },
                );
            }
            Operation::Register { who, capacity, floor, nonce } => {
                let floor = NanoMeshx::new(floor);
                let city = Text::new(format!("City {capacity}")).expect("short");
                self.sign(
                    self.person(who),
                    nonce,
                    0,
                    Action::RegisterWorker { capacity, city, floor },
                );
            }
            Operation::Submit { payer, spec, replicas, agree, odd, deadline, fresh, tip } => {
                let submission = self.submission(spec, replicas, agree, odd, deadline, fresh);
                self.sign(self.person(payer), Nonce::Right, tip, Action::SubmitJob(submission));
            }
            Operation::Commit { job, worker, answer, stranger } => {
                self.commit_of(job, worker, answer, stranger);
            }
            Operation::CommitAll { job, wrong, silent } => {
                let Some(id) = self.job(job, committing) else { return Ok(()) };
                for (n, assignment) in self.ahead().jobs[&id].assignments.clone().iter().enumerate()
                {
                    if silent >> n & 1 == 0 {
                        let answer = u8::from(wrong >> n & 1 == 1);
                        self.commit(id, self.name_of(&assignment.worker), answer);
                    }
                }
            }
            Operation::Reveal { job, worker, how } => self.reveal_of(job, worker, how),
            Operation::RevealAll { job, silent } => {
                let Some(id) = self.job(job, revealing) else { return Ok(()) };
                for (n, assignment) in self.ahead().jobs[&id].assignments.clone().iter().enumerate()
                {
                    if silent >> n & 1 == 0 {
                        let reveal = self.secret(id, assignment.worker, 0);
                        self.sign(
                            self.name_of(&assignment.worker),
                            Nonce::Right,
                            0,
                            Action::Reveal(reveal),
                        );
                    }
                }
            }
            Operation::Cancel { job, by_payer } => {
                let waiting = |life: &Life| matches!(life, Life::Waiting { .. });
                let Some(id) = self.job_or_none(job, waiting) else { return Ok(()) };
                let payer = self.ahead().jobs.get(&id).map(|job| job.payer).filter(|_| by_payer);
                let by = payer.map_or(POOR, |payer| self.name_of(&payer));
                self.sign(by, Nonce::Right, 0, Action::CancelJob { job: id });
            }
        }
        Ok(())
    }

    /// A job in this phase, now and then one that nobody submitted.
    fn job_or_none(&self, job: u8, phase: fn(&Life) -> bool) -> Option<JobId> {
        self.job(job, phase).or_else(|| (job % 8 == 7).then(Hash::default))
    }

    fn commit_of(&mut self, job: u8, worker: u8, answer: u8, stranger: bool) {
        let Some(id) = self.job_or_none(job, committing) else { return };
        let who = match self.assigned(id, worker) {
            Some(worker) if !stranger => self.name_of(&worker),
            _ => self.person(worker),
        };
        self.commit(id, who, answer);
    }

    fn reveal_of(&mut self, job: u8, worker: u8, how: How) {
        let Some(id) = self.job_or_none(job, revealing) else { return };
        let who = self.assigned(id, worker).unwrap_or_else(|| address(self.person(worker)));
        let mut reveal = self.secret(id, who, 0);
        let mut by = self.name_of(&who);
        match how {
            How::AsCommitted => {}
            How::OtherSalt => reveal.salt = Hash([9; 32]),
            How::OtherOutcome => reveal.outcome.stdout.len += 1,
            How::Copied => {
                let next = self.assigned(id, worker.wrapping_add(1)).unwrap_or(who);
                reveal = self.secret(id, next, 0);
            }
            How::OfAnotherJob => {
                reveal.job = self.job(job.wrapping_add(1), revealing).unwrap_or_default();
            }
            How::ByStranger => by = POOR,
        }
        self.sign(by, Nonce::Right, 0, Action::Reveal(reveal));
    }

    fn assigned(&self, id: JobId, n: u8) -> Option<Address> {
        let assignments = &self.ahead().jobs.get(&id)?.assignments;
        (!assignments.is_empty()).then(|| assignments[usize::from(n) % assignments.len()].worker)
    }

    fn commit(&mut self, id: JobId, who: u8, answer: u8) {
        let reveal = self.secret(id, address(who), answer);
        let commitment = reveal.commitment(&address(who));
        // A worker has no money to tip with, and need not: what it offers here must not be taken.
        let tip = u64::from(answer == 2) * 7;
        self.sign(who, Nonce::Right, tip, Action::Commit { job: id, commitment });
    }

    /// What `worker` reveals in `job`: decided at the first call.
    fn secret(&mut self, job: JobId, worker: Address, answer: u8) -> Reveal {
        let fuel = match (answer, self.ahead().jobs.get(&job)) {
            // A liar may claim any fuel; only the limit is ever paid.
            (1, _) => u64::MAX,
            (_, Some(known)) => known.submission.spec.limits.fuel.get() / 3 + 1,
            _ => 1,
        };
        let stdout = OutputRef { hash: Hash([answer; 32]), len: answer.into() };
        // A liar's claim again; the others' memory is some of what they may have.
        let memory_bytes = if answer == 1 { u64::MAX } else { 300_001 };
        let bytes = if answer == 1 { u64::MAX } else { 70 };
        let files = OutputFiles { list: stdout, bytes };
        let status = match answer % 2 {
            0 => Status::Exited(0),
            _ => Status::ExitedWithFiles { code: 0, files },
        };
        let fuel = Fuel::new(fuel);
        let outcome = Outcome { status, stdout, stderr: stdout, fuel, memory_bytes };
        let salt = domain_hash("meshx/test-salt/v1", &[&job.0, &worker.encode()]);
        self.secrets.entry((job, worker)).or_insert(Reveal { job, outcome, salt }).clone()
    }

    fn submission(
        &self,
        spec: u8,
        replicas: u8,
        agree: Agree,
        odd: Odd,
        deadline: u8,
        fresh: bool,
    ) -> Submission {
        let rules = &self.genesis.params;
        let mut agreement = Agreement { replicas, agree: replicas / 2 + 1 };
        match agree {
            Agree::Majority => {}
            Agree::All => agreement.agree = replicas,
            Agree::One => agreement = Agreement { replicas: 1, agree: 1 },
            Agree::TooFew => agreement.agree = replicas / 2,
            Agree::TooMany => agreement.agree = replicas + 1,
        }
        match odd {
            Odd::ReplicasOverMax => agreement = Agreement { replicas: 17, agree: 17 },
            Odd::NoReplicas => agreement = Agreement { replicas: 0, agree: 0 },
            _ => {}
        }
        let mut limits = Limits {
            fuel: Fuel::new(u64::from(spec) * 3_333 + 1),
            memory_bytes: 1 << 20,
            output_bytes: 1 << 10,
            wall: Millis::new([1, 499, 500, 501, 1_500][usize::from(spec) % 5]),
        };
        match odd {
            Odd::NoFuel => limits.fuel = Fuel::ZERO,
            Odd::FuelOverMax => limits.fuel = rules.fuel_max.saturating_add(Fuel::new(1)),
            Odd::Memory => limits.memory_bytes = rules.memory_bytes_max + 1,
            Odd::Output => limits.output_bytes = rules.output_bytes_max + 1,
            Odd::NoWall => limits.wall = Millis::ZERO,
            Odd::WallOverMax => limits.wall = Millis::new(3_600_001),
            _ => {}
        }
        let float = if spec == 4 { Float::ArchClass } else { Float::Strict };
        let right = if spec == 4 { rules.profile_arch_class } else { rules.profile_strict };
        let id = spec;
        let spec = JobSpec {
            module: Hash([spec; 32]),
            // What compiling it takes is up to two blocks.
            module_len: match odd {
                Odd::ModuleOverMax => types::MODULE_BYTES_MAX + 1,
                _ => [1, 99, 100, 49_999, 75_001][usize::from(id) % 5],
            },
            abi: Abi::Raw,
            float,
            input: Hash::default(),
            input_len: 0,
            args: List::default(),
            env: List::default(),
            files: List::default(),
            limits,
            profile: if matches!(odd, Odd::Profile) { Hash([77; 32]) } else { right },
            seed: Hash::default(),
            clock: Millis::ZERO,
        };
        let mut spec = spec;
        let least = self.model.wall_least(&spec);
        match odd {
            // Or one that a slow machine cannot keep; with little fuel that is none at all.
            Odd::NoWall => spec.limits.wall = Millis::new(least - 1),
            Odd::WallOverMax => {}
            _ => spec.limits.wall = Millis::new(least + spec.limits.wall.get() - 1),
        }
        let soonest = self.model.now + 1 + self.model.least_blocks(&spec);
        let deadline = match odd {
            Odd::DeadlineNow => soonest - 1,
            Odd::DeadlineFarthest => self.model.now + 1 + rules.deadline_blocks_max,
            Odd::DeadlineFar => self.model.now + 2 + rules.deadline_blocks_max,
            _ => soonest + u64::from(deadline),
        };
        let (price_max, deadline) = (NanoMeshx::ZERO, Height::new(deadline));
        let mut asked = Submission { spec, agreement, price_max, deadline, fresh };
        let needed = self.ahead().needed(&asked).and_then(|needed| u64::try_from(needed).ok());
        let needed = needed.unwrap_or(u64::MAX);
        asked.price_max = NanoMeshx::new(match odd {
            Odd::OneNanoShort => needed.saturating_sub(1),
            Odd::Generous(more) => needed.saturating_add(more.into()),
            _ => needed,
        });
        asked
    }

    /// The beacons of all heights that wait, by the model.
    fn due(&self) -> Vec<Beacon> {
        let beacon = |(height, round): (&u64, &super::rules::Round)| Beacon {
            height: Height::new(*height),
            term: Term::new(round.term),
            view: round.view,
            signature: Bytes::new(
                domain_hash("meshx/test-beacon/v1", &[&height.to_be_bytes()]).0.to_vec(),
            )
            .expect("short"),
        };
        self.model.rounds.iter().map(beacon).collect()
    }

    /// End the block: apply it to both, and compare.
    fn block(&mut self, beacons: u8, leader: u8) -> Result<(), String> {
        let mut due = self.due();
        match beacons {
            0 => due.clear(),
            1 => due.reverse(),
            2 => due.iter_mut().for_each(|beacon| beacon.view += 1),
            3 => due.extend(due.first().cloned()),
            _ => {}
        }
        self.view += 1 + u64::from(beacons % 3);
        let leader = self.person(leader);
        let context = BlockContext {
            network: NETWORK,
            chain: self.genesis.chain,
            height: Height::new(self.model.now + 1),
            term: Term::new(self.model.now / 10),
            view: self.view,
            leader: with_key(leader, |_, public| public),
            timestamp: Millis::new(self.model.now * 500),
        };
        let place = Place { term: context.term.get(), view: self.view, leader: address(leader) };
        let txs = std::mem::take(&mut self.txs);
        self.preview = None;
        let checked: Result<Vec<CheckedTx>, _> =
            txs.into_iter().map(|tx| check_tx(tx, &NETWORK, context.chain)).collect();
        let whole =
            Proposal { beacons: due, txs: checked.map_err(|no| format!("signed here: {no}"))? };

        let built = self
            .apply(&context, &whole, Mode::Build)
            .map_err(|no| format!("Build refused: {no}"))?;
        let expected = self.expect(&whole, &built, &place)?;
        compare::outcomes(&whole, &built, &expected)?;
        gas::check(&built);
        self.check_mode(&context, &whole, &built, &expected)?;

        for (key, value) in &built.writes {
            match value {
                Some(bytes) => self.store.0.insert(*key, bytes.clone()),
                None => self.store.0.remove(key),
            };
        }
        compare::states(&self.store, &self.model)?;
        self.note(&built)
    }

    fn apply(
        &self,
        context: &BlockContext,
        proposal: &Proposal,
        mode: Mode,
    ) -> Result<Applied, chain::Refusal> {
        block_on(apply_block(&self.store, &self.genesis, context, proposal.clone(), mode))
    }

    /// What the rules make of the block, given the workers that the chain drew.
    fn expect(
        &mut self,
        whole: &Proposal,
        built: &Applied,
        place: &Place,
    ) -> Result<compare::Expected, String> {
        let mut expected = compare::Expected::default();
        self.model.begin(place);
        for beacon in &whole.beacons {
            let opened = self.model.open_round(beacon);
            expected.beacons.push(opened.as_ref().err().copied());
            for job in opened.unwrap_or_default() {
                let drawn = built.events.iter().find_map(|event| match event {
                    Event::Job {
                        job: about,
                        phase: Phase::Committing { drawn, assignments, .. },
                    } if *about == job && drawn.get() == self.model.now => Some(
                        assignments.iter().map(|assignment| assignment.worker).collect::<Vec<_>>(),
                    ),
                    _ => None,
                });
                self.seen.drawn += u64::from(drawn.is_some());
                let charged = built.charged.iter().find(|(about, _)| *about == job);
                self.model.drawn(job, drawn.as_deref(), charged.map(|(_, fee)| *fee))?;
            }
        }
        for tx in &whole.txs {
            let gas = built.included.iter().zip(&built.gas.txs).find(|(in_it, _)| *in_it == tx);
            expected.txs.push(self.model.tx(tx.tx(), gas.map(|(_, gas)| *gas), place).err());
        }
        let bytes = |(tx, no): (&CheckedTx, &Option<_>)| match no {
            None => tx.tx().encode_size() as u64,
            Some(_) => 0,
        };
        let bytes = whole.txs.iter().zip(&expected.txs).map(bytes).sum();
        self.model.finish_block(bytes, built.gas.total());
        for refused in expected.txs.iter().flatten() {
            *self.seen.refused.entry(refused).or_default() += 1;
        }
        Ok(expected)
    }

    /// A check of the block that was built must come to the same writes, and refuse it with anything else in it.
    fn check_mode(
        &self,
        context: &BlockContext,
        whole: &Proposal,
        built: &Applied,
        expected: &compare::Expected,
    ) -> Result<(), String> {
        let block = Proposal { beacons: built.beacons.clone(), txs: built.included.clone() };
        let checked = self
            .apply(context, &block, Mode::Check)
            .map_err(|no| format!("a block that was built is refused when checked: {no}"))?;
        if checked.writes != built.writes || checked.events != built.events {
            return Err("checking a block gives other writes or events than building it".into());
        }
        if let Some(first) = expected.first_refusal() {
            match self.apply(context, whole, Mode::Check) {
                Err(no) if compare::name(&no) == first => {}
                Err(no) => return Err(format!("Check refused with {no:?}, expected {first}")),
                Ok(_) => {
                    return Err(format!("Check accepted a block with a refusal in it: {first}"));
                }
            }
        }
        Ok(())
    }

    /// Count, and see that no job ends twice.
    fn note(&mut self, built: &Applied) -> Result<(), String> {
        self.seen.blocks += 1;
        self.seen.included += built.included.len() as u64;
        for event in &built.events {
            let Event::Job { job, phase } = event else { continue };
            match phase {
                Phase::Settled(settlement) if settlement.cached_from.is_some() => {
                    self.seen.cached += 1
                }
                Phase::Settled(_) => self.seen.settled += 1,
                Phase::Ended { ending, .. } => {
                    *self.seen.ended.entry(format!("{ending:?}")).or_default() += 1
                }
                _ => continue,
            }
            let endings = self.endings.entry(*job).or_default();
            *endings += 1;
            if *endings > 1 {
                return Err(format!("job {job} ended twice"));
            }
        }
        for (id, job) in &self.model.jobs {
            let over = matches!(job.life, Life::Settled { .. } | Life::Ended { .. });
            if over != self.endings.contains_key(id) {
                return Err(format!("job {id} is over: {over}, but no event said so"));
            }
        }
        Ok(())
    }

    /// Let the last block end, and every open job reach its deadline: then no money is promised any more.
    pub fn finish(mut self) -> Result<Seen, String> {
        for _ in 0..=self.genesis.params.deadline_blocks_max + 1 {
            self.block(9, 0)?;
            if self.model.promised() == 0 {
                break;
            }
        }
        if self.model.promised() != 0 {
            return Err("a job outlived its deadline".into());
        }
        if let Some((who, worker)) =
            self.model.workers.iter().find(|(_, worker)| worker.running > 0)
        {
            return Err(format!(
                "no job is open, yet worker {who} holds {} assignments",
                worker.running
            ));
        }
        Ok(self.seen)
    }
}

impl Seen {
    pub fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        self.blocks += other.blocks;
        self.included += other.included;
        self.drawn += other.drawn;
        self.settled += other.settled;
        self.cached += other.cached;
        other.refused.iter().for_each(|(name, n)| *self.refused.entry(name).or_default() += n);
        other.ended.iter().for_each(|(name, n)| *self.ended.entry(name.clone()).or_default() += n);
    }

    /// Every kind of end and every refusal that operations aim at came up, at least once in many cases.
    pub fn must_have_been_busy(&self) {
        if self.cases < 100 {
            return;
        }
        assert!(self.settled > 0 && self.cached > 0, "jobs settled: {self:#?}");
        for ending in ["Expired", "Cancelled", "NoAgreement"] {
            assert!(self.ended.contains_key(ending), "no job ended as {ending}");
        }
        for name in compare::REACHABLE {
            assert!(self.refused.contains_key(name), "nothing was refused as {name}");
        }
    }
}
