//! The rules a second time: slow, plain, and written from what the documents say rather than from the code.
//!
//! Money is `u128` in one map; a transaction works on a copy of everything that is thrown away when it is refused; a
//! job's times are looked at one by one; who runs what is counted anew for every block. Nothing here is shared with `ledger` or `jobs`.

use std::collections::{BTreeMap, BTreeSet};
use types::{
    Action, Address, Beacon, Float, Hash, JobId, JobSpec, NanoMeshx, Outcome, Ppm, Submission,
    Text,
    codec::Encode,
    network::Genesis,
    state::{Assignment, Assignments, Ending, JobRecord, Params, Phase, Settlement, Terms, pools},
};

/// A refusal by its name.
pub type No = &'static str;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    pub capacity: u16,
    pub running: u16,
    pub reputation: u16,
    pub city: Text<64>,
    pub registered: u64,
    pub floor: u64,
    /// Its last registration: nobody here sends heartbeats.
    pub seen: u64,
    pub bond: u128,
    pub leaving: u128,
    pub free_at: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub payer: Address,
    pub submission: Submission,
    pub submitted: u64,
    /// In millionths.
    pub demand: u128,
    pub assignments: Vec<Assignment>,
    pub life: Life,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Life {
    /// So many draws found too few workers.
    Waiting {
        draws: u16,
    },
    Committing {
        drawn: u64,
        until: u64,
    },
    Revealing {
        drawn: u64,
        until: u64,
        early: bool,
    },
    Settled {
        at: u64,
        outcome: Outcome,
        agreed: u8,
        paid: u64,
        refunded: u64,
        from: Option<JobId>,
    },
    Ended {
        at: u64,
        ending: Ending,
        paid: u64,
    },
}

/// The jobs that one height's beacon will draw for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    pub term: u64,
    pub view: u64,
    pub jobs: Vec<JobId>,
}

#[derive(Clone, Debug)]
pub struct Model {
    pub(super) params: Params,
    shard: bool,
    pub now: u64,
    pub balances: BTreeMap<Address, u128>,
    pub nonces: BTreeMap<Address, u64>,
    pub minted: u128,
    pub burned: u128,
    pub workers: BTreeMap<Address, Worker>,
    /// In the order they came.
    pub roll: Vec<Address>,
    pub jobs: BTreeMap<JobId, Job>,
    pub rounds: BTreeMap<u64, Round>,
    /// The boundary whose beacon makes the next challenge, and those whose beacons made the last two.
    pub awaited: u64,
    pub challenged: [Option<Beacon>; 2],
    /// Payer and spec to the job that last settled it.
    pub answers: BTreeMap<(Address, Vec<u8>), JobId>,
    /// (height, job) in the order they were asked for: which of two jobs comes first matters where reputations clamp.
    reminders: Vec<(u64, JobId)>,
    pub base_fee: u128,
    /// In millionths.
    pub demand: u128,
    /// By worker: jobs. By leader: tips.
    pub earned: BTreeMap<Address, (u128, u128)>,
}

/// A block's place, as far as the rules care.
#[derive(Clone, Debug)]
pub struct Place {
    pub term: u64,
    pub view: u64,
    pub leader: Address,
}

impl Model {
    pub fn new(genesis: &Genesis) -> Self {
        let mut model = Self {
            params: genesis.params,
            shard: genesis.chain.is_shard(),
            now: 0,
            balances: BTreeMap::new(),
            nonces: BTreeMap::new(),
            minted: 0,
            burned: 0,
            workers: BTreeMap::new(),
            roll: vec![],
            jobs: BTreeMap::new(),
            rounds: BTreeMap::new(),
            awaited: 0,
            challenged: [None, None],
            answers: BTreeMap::new(),
            reminders: vec![],
            base_fee: genesis.params.base_fee.min.get().into(),
            demand: 1_000_000,
            earned: BTreeMap::new(),
        };
        for account in genesis.accounts.iter() {
            model.balances.insert(account.address, account.balance.get().into());
            model.minted += u128::from(account.balance.get());
        }
        for worker in genesis.workers.iter() {
            let bond = model.bond(worker.capacity);
            *model.balances.entry(pools::places()).or_default() += bond;
            model.minted += bond;
            model.enlist(worker.address, worker.capacity, worker.city.clone(), 0, 0);
        }
        model
    }

    fn enlist(&mut self, who: Address, capacity: u16, city: Text<64>, registered: u64, floor: u64) {
        let (running, reputation, seen) = (0, 5_000, registered);
        let (bond, leaving, free_at) = (self.bond(capacity), 0, 0);
        let worker = Worker {
            capacity,
            running,
            reputation,
            city,
            registered,
            floor,
            seen,
            bond,
            leaving,
            free_at,
        };
        self.workers.insert(who, worker);
        self.roll.push(who);
    }

    /// What is put down for so many places, of which nobody has more than 256.
    fn bond(&self, capacity: u16) -> u128 {
        u128::from(capacity.min(256)) * u128::from(self.params.place_bond.get())
    }

    /// Begin block `now`: jobs whose time is up move on before anything else happens.
    pub fn begin(&mut self, place: &Place) {
        self.now += 1;
        self.ask_challenge(place);
        let due: Vec<JobId> =
            self.reminders.iter().filter(|(at, _)| *at == self.now).map(|(_, job)| *job).collect();
        self.reminders.retain(|(at, _)| *at > self.now);
        for id in due {
            self.look_at(id, place);
        }
        let late = self.jobs.iter().find(|(_, job)| match job.life {
            Life::Waiting { .. } => job.submission.deadline.get() <= self.now,
            Life::Committing { until, .. } | Life::Revealing { until, .. } => until <= self.now,
            _ => false,
        });
        assert_eq!(late, None, "the model itself forgot a job at block {}", self.now);
    }

    fn remind(&mut self, at: u64, id: JobId) {
        if !self.reminders.contains(&(at, id)) {
            self.reminders.push((at, id));
        }
    }

    fn look_at(&mut self, id: JobId, place: &Place) {
        let job = self.jobs[&id].clone();
        let deadline = job.submission.deadline.get();
        match job.life {
            Life::Waiting { .. } if self.now >= deadline => self.end(id, Ending::Expired),
            // It has waited since a draw found too few. With 256 heights waiting, it comes back in the next block.
            Life::Waiting { .. }
                if self.rounds.len() >= 256 && !self.rounds.contains_key(&self.now) =>
            {
                self.remind(self.now + 1, id);
            }
            Life::Waiting { .. } => self.wait(id, place),
            Life::Committing { until, .. } if self.now >= until => {
                let spoke = job
                    .assignments
                    .iter()
                    .filter(|assignment| assignment.commitment.is_some())
                    .count();
                if self.now < deadline && spoke > 0 {
                    self.open_reveals(id);
                } else {
                    self.end(id, Ending::Expired);
                }
            }
            Life::Revealing { until, .. } if self.now >= until => self.count_votes(id),
            _ => {}
        }
    }

    /// At a boundary a beacon is asked for, jobs or not, unless 256 heights wait.
    fn ask_challenge(&mut self, place: &Place) {
        if !self.now.is_multiple_of(self.params.epoch_blocks) || self.rounds.len() >= 256 {
            return;
        }
        let round = Round { term: place.term, view: place.view, jobs: vec![] };
        self.rounds.entry(self.now).or_insert(round);
        self.awaited = self.now;
    }

    /// Whether the block may hold `beacon`: that of the oldest height that waits. If so, the jobs to draw for.
    pub fn open_round(&mut self, beacon: &Beacon) -> Result<Vec<JobId>, No> {
        let height = beacon.height.get();
        let oldest = self.rounds.keys().next().copied();
        let fits = oldest == Some(height)
            && height < self.now
            && self.rounds[&height].term == beacon.term.get()
            && self.rounds[&height].view == beacon.view;
        if !fits {
            return Err("wrong_beacon");
        }
        if height == self.awaited {
            self.challenged = [Some(beacon.clone()), self.challenged[0].take()];
        }
        Ok(self.rounds.remove(&height).map(|round| round.jobs).unwrap_or_default())
    }

    /// Those who could be assigned to `id` now.
    fn able(&self, id: &JobId) -> BTreeSet<Address> {
        let payer = self.jobs[id].payer;
        let asked = &self.jobs[id].submission;
        let cap = u128::from(asked.price_max.get()) / u128::from(asked.agreement.replicas);
        let most = self.core(&asked.spec, asked.spec.limits.fuel.get());
        let free = |w: &Worker| {
            let floor = (most * u128::from(w.floor)).div_ceil(1_000_000);
            let there = self.now - w.seen <= 4 * self.params.heartbeat_blocks;
            w.running < w.capacity && there && (w.floor == 0 || floor <= cap)
        };
        let able = self.workers.iter().filter(|(who, w)| **who != payer && free(w));
        able.map(|(who, _)| *who).collect()
    }

    /// Take over what the real draw decided for `id`: these workers, or (`None`) that too few were found and the payer was
    /// charged `fee` for that, or could not pay. An error says why that was not a draw the rules allow.
    pub fn drawn(
        &mut self,
        id: JobId,
        assignments: Option<&[Address]>,
        fee: Option<NanoMeshx>,
    ) -> Result<(), String> {
        let Life::Waiting { draws } = self.jobs[&id].life else {
            return match (assignments, fee) {
                (None, None) => Ok(()),
                _ => Err(format!("there was a draw for job {id}, which waits no more")),
            };
        };
        let able = self.able(&id);
        let Some(chosen) = assignments else {
            return self.undrawn(id, draws, fee);
        };
        let wanted = usize::from(self.jobs[&id].submission.agreement.replicas);
        let distinct: BTreeSet<Address> = chosen.iter().copied().collect();
        if chosen.len() != wanted || distinct.len() != wanted || !distinct.is_subset(&able) {
            return Err(format!("job {id} wants {wanted} of {able:?}, drawn were {chosen:?}"));
        }
        for who in chosen {
            self.workers.get_mut(who).expect("able").running += 1;
        }
        let spec = &self.jobs[&id].submission.spec;
        let run_blocks = self.run_blocks(spec);
        let deadline = self.jobs[&id].submission.deadline.get();
        let until = (self.now + self.params.commit_blocks + run_blocks).min(deadline);
        let now = self.now;
        let assignments = chosen
            .iter()
            .map(|who| {
                let Worker { reputation, floor, .. } = self.workers[who];
                let terms = Terms { reputation, floor: NanoMeshx::new(floor) };
                Assignment { worker: *who, terms, commitment: None, outcome: None }
            })
            .collect();
        let job = self.jobs.get_mut(&id).expect("known");
        job.assignments = assignments;
        job.life = Life::Committing { drawn: now, until };
        self.remind(until, id);
        Ok(())
    }

    /// Twice as many blocks pass until each next draw, up to 16.
    fn undrawn(&mut self, id: JobId, draws: u16, fee: Option<NanoMeshx>) -> Result<(), String> {
        let payer = self.jobs[&id].payer;
        let Some(fee) = fee.map(|fee| u128::from(fee.get())) else {
            let held = self.balances.get(&payer).copied().unwrap_or(0);
            // A draw of this size costs at most so much.
            if held > self.base_fee * 1_000 {
                return Err(format!("{payer} could have paid for a draw: it has {held}"));
            }
            self.end(id, Ending::Expired);
            return Ok(());
        };
        if fee < self.base_fee || fee % self.base_fee != 0 {
            return Err(format!("a fee of {fee} is not some of {}", self.base_fee));
        }
        self.take(payer, u64::try_from(fee).expect("as it was")).map_err(str::to_owned)?;
        self.burned += fee;
        let job = self.jobs.get_mut(&id).expect("known");
        job.life = Life::Waiting { draws: draws + 1 };
        let again = self.now + [1, 2, 4, 8, 16][usize::from(draws.min(4))];
        if again < job.submission.deadline.get() {
            self.remind(again, id);
        }
        Ok(())
    }

    fn wait(&mut self, id: JobId, place: &Place) {
        let empty = Round { term: place.term, view: place.view, jobs: vec![] };
        self.rounds.entry(self.now).or_insert(empty).jobs.push(id);
    }

    /// One transaction: all of it, or a refusal and nothing.
    /// `gas` is what it used, if it went through.
    pub fn tx(&mut self, tx: &types::Tx, gas: Option<u64>, place: &Place) -> Result<(), No> {
        let before = self.clone();
        let done = self.try_tx(tx, gas, place);
        if done.is_err() {
            *self = before;
        }
        done
    }

    fn try_tx(&mut self, tx: &types::Tx, gas: Option<u64>, place: &Place) -> Result<(), No> {
        let from = tx.from();
        let nonce = self.nonces.entry(from).or_default();
        let got = tx.nonce.number().expect("the model's nonces are strict");
        if got != *nonce {
            return Err(if got > *nonce { "nonce_gap" } else { "nonce_used" });
        }
        *nonce += 1;
        // A worker that speaks for its assignment pays nothing; everybody else burns the base fee for each 100,000 gas begun,
        // and tips the leader. Who has not even one base fee is not listened to.
        if matches!(tx.action, Action::Commit { .. } | Action::Reveal(_)) {
            return self.act(tx, from, place);
        }
        if self.base_fee > u128::from(tx.fee_max.get()) {
            return Err("fee_above_max");
        }
        if self.balances.get(&from).copied().unwrap_or(0) < self.base_fee {
            return Err("insufficient_funds");
        }
        self.act(tx, from, place)?;
        // Only the chain counts gas. Of what it did not take in, no transaction here uses more than two million.
        let left = self.balances.get(&from).copied().unwrap_or(0);
        if gas.is_none() && left < self.base_fee * 20 + u128::from(tx.tip.get()) {
            return Err("insufficient_funds");
        }
        let fees = self.base_fee * u128::from(gas.unwrap_or(1).div_ceil(100_000));
        self.take(from, u64::try_from(fees).map_err(|_| "insufficient_funds")?)?;
        self.burned += fees;
        self.take(from, tx.tip.get())?;
        self.give(place.leader, tx.tip.get());
        if tx.tip.get() > 0 {
            self.earned.entry(place.leader).or_default().1 += u128::from(tx.tip.get());
        }
        Ok(())
    }

    fn act(&mut self, tx: &types::Tx, from: Address, place: &Place) -> Result<(), No> {
        match &tx.action {
            Action::Transfer { to, amount } => {
                if amount.get() == 0 {
                    return Err("zero_amount");
                }
                if [pools::escrow(), pools::validators(), pools::treasury()].contains(to) {
                    return Err("pool_account");
                }
                self.take(from, amount.get())?;
                self.give(*to, amount.get());
                Ok(())
            }
            Action::RegisterWorker { capacity, city, floor } => {
                self.register(from, *capacity, city, floor.get())
            }
            Action::SubmitJob(submission) => self.submit(from, tx.id(), submission, place),
            Action::CancelJob { job } => self.cancel(from, *job),
            Action::Commit { job, commitment } => self.commit(from, *job, *commitment),
            Action::Reveal(reveal) => self.reveal(from, reveal),
            other => panic!("no operation does this yet: {other:?}"),
        }
    }

    fn take(&mut self, from: Address, amount: u64) -> Result<(), No> {
        let held = self.balances.entry(from).or_default();
        *held = held.checked_sub(amount.into()).ok_or("insufficient_funds")?;
        Ok(())
    }

    fn give(&mut self, to: Address, amount: u64) {
        *self.balances.entry(to).or_default() += u128::from(amount);
    }

    fn register(
        &mut self,
        from: Address,
        capacity: u16,
        city: &Text<64>,
        floor: u64,
    ) -> Result<(), No> {
        if !self.shard {
            return Err("no_jobs_here");
        }
        if capacity > 1_024 {
            return Err("bad_capacity");
        }
        if u128::from(floor) > 100 * u128::from(self.params.rates.core_second.get()) {
            return Err("floor_too_high");
        }
        let (now, needed) = (self.now, self.bond(capacity));
        let Some(known) = self.workers.get(&from) else {
            self.take(from, u64::try_from(needed).expect("few places"))?;
            self.give(pools::places(), u64::try_from(needed).expect("few places"));
            self.enlist(from, capacity, city.clone(), now, floor);
            return Ok(());
        };
        // All that it has down; what its places need; the rest leaves, or has left.
        let (held, mut free_at) = (known.bond + known.leaving, known.free_at);
        let due = if known.free_at <= now { known.leaving } else { 0 };
        let mut leaving = (held - due).saturating_sub(needed);
        if needed < known.bond {
            free_at = now + self.params.place_bond_blocks;
        } else {
            leaving = leaving.min(known.leaving - due);
        }
        let (gets, pays) = (due, (needed + leaving) - (held - due));
        self.take(pools::places(), u64::try_from(gets).expect("little"))?;
        self.give(from, u64::try_from(gets).expect("little"));
        self.take(from, u64::try_from(pays).expect("little"))?;
        self.give(pools::places(), u64::try_from(pays).expect("little"));
        let known = self.workers.get_mut(&from).expect("known");
        (known.capacity, known.city, known.floor) = (capacity, city.clone(), floor);
        (known.bond, known.leaving, known.free_at, known.seen) = (needed, leaving, free_at, now);
        Ok(())
    }

    fn submit(
        &mut self,
        from: Address,
        id: JobId,
        submission: &Submission,
        place: &Place,
    ) -> Result<(), No> {
        if !self.shard {
            return Err("no_jobs_here");
        }
        self.acceptable(submission)?;
        let price = submission.price_max.get();
        self.take(from, price)?;
        self.give(pools::escrow(), price);
        let (submission, submitted) = (submission.clone(), self.now);
        let (demand, assignments, life) = (self.demand, vec![], Life::Waiting { draws: 0 });
        let mut job = Job { payer: from, submission, submitted, demand, assignments, life };
        if let Some((assignments, life)) = self.known_answer(from, &job.submission) {
            // Nobody runs it and nobody is paid: the whole price goes back.
            self.take(pools::escrow(), price).expect("it was put there");
            self.give(from, price);
            (job.assignments, job.life) = (assignments, life);
            self.jobs.insert(id, job);
            return Ok(());
        }
        let deadline = job.submission.deadline.get();
        self.jobs.insert(id, job);
        self.wait(id, place);
        self.remind(deadline, id);
        Ok(())
    }

    /// How an equal job that settled answers this one, if it was agreed at least as broadly.
    fn known_answer(&self, payer: Address, asked: &Submission) -> Option<(Vec<Assignment>, Life)> {
        let id =
            self.answers.get(&(payer, asked.spec.encode().to_vec())).filter(|_| !asked.fresh)?;
        let known = &self.jobs[id];
        let Life::Settled { outcome, agreed, .. } = known.life else {
            panic!("only settled jobs answer")
        };
        let (at, refunded) = (self.now, asked.price_max.get());
        let life = Life::Settled { at, outcome, agreed, paid: 0, refunded, from: Some(*id) };
        (agreed >= asked.agreement.agree).then(|| (known.assignments.clone(), life))
    }

    fn acceptable(&self, submission: &Submission) -> Result<(), No> {
        let (rules, limits) = (&self.params, &submission.spec.limits);
        let (of, agree) = (submission.agreement.replicas, submission.agreement.agree);
        if !(1..=16).contains(&of) || agree > of || u32::from(agree) * 2 <= u32::from(of) {
            return Err("unacceptable_job: agreement");
        }
        if limits.fuel.get() == 0 || limits.fuel > rules.fuel_max {
            return Err("unacceptable_job: fuel");
        }
        if limits.memory_bytes > rules.memory_bytes_max {
            return Err("unacceptable_job: memory");
        }
        if limits.output_bytes > rules.output_bytes_max {
            return Err("unacceptable_job: output");
        }
        if !(self.wall_least(&submission.spec)..=3_600_000).contains(&limits.wall.get()) {
            return Err("unacceptable_job: wall");
        }
        if submission.spec.module_len > 100_663_296 {
            return Err("unacceptable_job: module");
        }
        let profile = match submission.spec.float {
            Float::Strict => rules.profile_strict,
            Float::ArchClass => rules.profile_arch_class,
        };
        if submission.spec.profile != profile {
            return Err("unacceptable_job: profile");
        }
        if self
            .needed(submission)
            .is_none_or(|needed| u128::from(submission.price_max.get()) < needed)
        {
            return Err("unacceptable_job: price");
        }
        let deadline = submission.deadline.get();
        let soonest = self.now + self.least_blocks(&submission.spec);
        if deadline < soonest || deadline > self.now + rules.deadline_blocks_max {
            return Err("unacceptable_job: deadline");
        }
        Ok(())
    }

    /// The core time of the fuel, in milliseconds.
    fn core_ms(&self, spec: &JobSpec) -> u64 {
        let per_us = u128::from(self.params.fuel_per_core_us);
        let us = u128::from(spec.limits.fuel.get()).div_ceil(per_us);
        u64::try_from(us.div_ceil(1_000)).expect("less than the fuel")
    }

    /// Some machines are several times as slow.
    pub fn wall_least(&self, spec: &JobSpec) -> u64 {
        let slow = u128::from(self.core_ms(spec)) * u128::from(self.params.wall_ratio);
        u64::try_from(slow.clamp(1, 3_600_000)).expect("an hour")
    }

    /// A tenth of a second for each ten thousand bytes that are to be compiled, and the whole wall-clock limit.
    fn run_blocks(&self, spec: &JobSpec) -> u64 {
        (spec.limits.wall.get() + spec.module_len / 100).div_ceil(self.params.block_ms)
    }

    /// Two blocks for the draw; the commitments; the reveals.
    pub fn least_blocks(&self, spec: &JobSpec) -> u64 {
        2 + self.params.commit_blocks + self.run_blocks(spec) + self.params.reveal_blocks
    }

    fn live(&self, id: JobId) -> Result<Job, No> {
        let job = self.jobs.get(&id).ok_or("unknown_job")?;
        match job.life {
            Life::Settled { .. } | Life::Ended { .. } => Err("out_of_phase: over"),
            _ => Ok(job.clone()),
        }
    }

    fn cancel(&mut self, by: Address, id: JobId) -> Result<(), No> {
        let job = self.live(id)?;
        if job.payer != by {
            return Err("out_of_phase: not payer");
        }
        if !matches!(job.life, Life::Waiting { .. }) {
            return Err("out_of_phase: too late");
        }
        self.end(id, Ending::Cancelled);
        Ok(())
    }

    fn commit(&mut self, worker: Address, id: JobId, commitment: Hash) -> Result<(), No> {
        let job = self.live(id)?;
        if !matches!(job.life, Life::Committing { .. }) {
            return Err("out_of_phase: not committing");
        }
        let assignment = assignment_of(&job, worker)?;
        if job.assignments[assignment].commitment.is_some() {
            return Err("out_of_phase: twice");
        }
        let job = self.jobs.get_mut(&id).expect("live");
        job.assignments[assignment].commitment = Some(commitment);
        if job.assignments.iter().all(|assignment| assignment.commitment.is_some()) {
            self.open_reveals(id);
            return Ok(());
        }
        let said = job.assignments.iter().filter(|one| one.commitment.is_some()).count();
        let Life::Committing { drawn, until } = job.life else { panic!("it was just so") };
        if said == usize::from(job.submission.agreement.agree) {
            // Three times as long as these took, or what a quick machine needs for all of the fuel.
            let spec = job.submission.spec.clone();
            let quick =
                (self.core_ms(&spec) + spec.module_len / 100).div_ceil(self.params.block_ms);
            let long = (3 * (self.now - drawn)).max(quick);
            let sooner = drawn + self.params.commit_blocks + long;
            if sooner < until {
                self.jobs.get_mut(&id).expect("live").life =
                    Life::Committing { drawn, until: sooner };
                self.remind(sooner, id);
            }
        }
        Ok(())
    }

    fn reveal(&mut self, worker: Address, reveal: &types::Reveal) -> Result<(), No> {
        let id = reveal.job;
        let job = self.live(id)?;
        if !matches!(job.life, Life::Revealing { .. }) {
            return Err("out_of_phase: not revealing");
        }
        let assignment = assignment_of(&job, worker)?;
        if job.assignments[assignment].outcome.is_some() {
            return Err("out_of_phase: twice");
        }
        if job.assignments[assignment].commitment != Some(reveal.commitment(&worker)) {
            return Err("out_of_phase: not committed");
        }
        let job = self.jobs.get_mut(&id).expect("live");
        job.assignments[assignment].outcome = Some(reveal.outcome);
        if job
            .assignments
            .iter()
            .all(|assignment| assignment.commitment.is_none() || assignment.outcome.is_some())
        {
            self.count_votes(id);
        }
        Ok(())
    }

    fn open_reveals(&mut self, id: JobId) {
        let now = self.now;
        let job = self.jobs.get_mut(&id).expect("live");
        let Life::Committing { drawn, .. } = job.life else { panic!("commitments come first") };
        let until =
            (now + self.params.reveal_blocks).min(job.submission.deadline.get()).max(now + 1);
        let full = drawn + self.params.commit_blocks;
        let spec = job.submission.spec.clone();
        let deadline = job.submission.deadline.get();
        let early = now < (full + self.run_blocks(&spec)).min(deadline);
        self.jobs.get_mut(&id).expect("live").life = Life::Revealing { drawn, until, early };
        self.remind(until, id);
    }

    fn count_votes(&mut self, id: JobId) {
        let job = self.jobs[&id].clone();
        let says = |outcome| {
            job.assignments.iter().filter(|assignment| assignment.outcome == Some(outcome)).count()
        };
        let winner = job
            .assignments
            .iter()
            .filter_map(|assignment| assignment.outcome)
            .find(|outcome| says(*outcome) >= usize::from(job.submission.agreement.agree));
        let Life::Revealing { early, .. } = job.life else { panic!("reveals are counted") };
        let Some(outcome) = winner else { return self.pay_what_was_shown(id, early) };
        let mut paid = 0;
        for assignment in &job.assignments {
            let right = assignment.outcome == Some(outcome);
            if right {
                let each = self.worth(&job, &outcome, assignment.terms);
                self.pay_out(assignment.worker, each);
                paid += each;
            }
            let slow = early && assignment.commitment.is_none();
            self.release(assignment.worker, (!slow).then_some(right));
        }
        let refunded = job.submission.price_max.get() - paid;
        self.take(pools::escrow(), refunded).expect("the rest of what was put there");
        self.give(job.payer, refunded);
        let agreed = u8::try_from(says(outcome)).expect("at most sixteen");
        let settled = Life::Settled { at: self.now, outcome, agreed, paid, refunded, from: None };
        self.jobs.get_mut(&id).expect("live").life = settled;
        self.answers.insert((job.payer, job.submission.spec.encode().to_vec()), id);
    }

    /// Too few said the same. Those that most others confirm are paid in full; where nobody is confirmed, each gets half of
    /// what the least answer is worth. Who committed and did not reveal, or never spoke in all the time there was, loses
    /// reputation.
    fn pay_what_was_shown(&mut self, id: JobId, early: bool) {
        let job = self.jobs[&id].clone();
        let shown: Vec<Outcome> = job.assignments.iter().filter_map(|one| one.outcome).collect();
        let says = |outcome: Outcome| shown.iter().filter(|other| **other == outcome).count();
        let confirmed = shown
            .iter()
            .copied()
            .find(|one| says(*one) > 1 && says(*one) > shown.len() - says(*one));
        let work = |one: &Outcome| self.worth(&job, one, Terms::default());
        let least = shown.iter().copied().min_by_key(work);
        let mut paid = 0;
        for assignment in &job.assignments {
            let each = match (assignment.outcome, confirmed) {
                (None, _) => 0,
                (Some(one), Some(right)) if one == right => {
                    self.worth(&job, &right, assignment.terms)
                }
                (Some(_), Some(_)) => 0,
                (Some(_), None) => {
                    self.worth(&job, &least.expect("one at least"), assignment.terms) / 2
                }
            };
            if each > 0 {
                self.pay_out(assignment.worker, each);
                paid += each;
            }
            let slow = early && assignment.commitment.is_none();
            let silent = assignment.outcome.is_none() && !slow;
            self.release(assignment.worker, silent.then_some(false));
        }
        let rest = job.submission.price_max.get() - paid;
        self.take(pools::escrow(), rest).expect("the rest of what was put there");
        self.give(job.payer, rest);
        let enough = shown.len() >= usize::from(job.submission.agreement.agree);
        let ending = if enough { Ending::NoAgreement } else { Ending::Expired };
        self.jobs.get_mut(&id).expect("live").life = Life::Ended { at: self.now, ending, paid };
    }

    /// Whitepaper: 95 % to the worker, 3 % to the validators, 1 % burned, each rounded down; the treasury has 1 % and
    /// what rounding leaves.
    fn pay_out(&mut self, worker: Address, amount: u64) {
        self.take(pools::escrow(), amount).expect("a job pays from its own escrow");
        let [validators, treasury, burned] =
            [self.params.validators_bps, self.params.treasury_bps, self.params.burned_bps]
                .map(u64::from);
        let share = |bps: u64| {
            u64::try_from(u128::from(amount) * u128::from(bps) / 10_000).expect("a part")
        };
        let own = share(10_000 - validators - treasury - burned);
        let (validators, burned) = (share(validators), share(burned));
        self.give(worker, own);
        if own > 0 {
            self.earned.entry(worker).or_default().0 += u128::from(own);
        }
        self.give(pools::validators(), validators);
        self.give(pools::treasury(), amount - own - validators - burned);
        self.burned += u128::from(burned);
    }

    fn release(&mut self, who: Address, verdict: Option<bool>) {
        let (gain, loss) = (self.params.reputation_gain, self.params.reputation_loss);
        let worker = self.workers.get_mut(&who).expect("assignments are for workers");
        worker.running -= 1;
        let (now, gain, loss) = (i64::from(worker.reputation), i64::from(gain), i64::from(loss));
        let then = match verdict {
            Some(true) => now + gain,
            Some(false) => now - loss,
            None => now,
        };
        worker.reputation = u16::try_from(then.clamp(500, 10_000)).expect("clamped");
    }

    /// Everything goes back to the payer; workers that were silent in their turn lose reputation, unless all
    /// were.
    fn end(&mut self, id: JobId, ending: Ending) {
        let job = self.jobs[&id].clone();
        let nobody = job.assignments.iter().all(|assignment| assignment.commitment.is_none());
        for assignment in &job.assignments {
            let silent = assignment.commitment.is_none() && !nobody;
            self.release(assignment.worker, if silent { Some(false) } else { None });
        }
        self.take(pools::escrow(), job.submission.price_max.get()).expect("still all there");
        self.give(job.payer, job.submission.price_max.get());
        self.jobs.get_mut(&id).expect("live").life = Life::Ended { at: self.now, ending, paid: 0 };
    }

    /// What open jobs promised.
    pub fn promised(&self) -> u128 {
        let open = |job: &&Job| !matches!(job.life, Life::Settled { .. } | Life::Ended { .. });
        self.jobs.values().filter(open).map(|job| u128::from(job.submission.price_max.get())).sum()
    }
}

fn assignment_of(job: &Job, worker: Address) -> Result<usize, No> {
    job.assignments
        .iter()
        .position(|assignment| assignment.worker == worker)
        .ok_or("out_of_phase: not assigned")
}

impl Job {
    /// As the chain should have stored it.
    pub fn record(&self) -> JobRecord {
        let assignments = Assignments::new(self.assignments.clone()).expect("at most sixteen");
        let height = types::Height::new;
        let phase = match self.life.clone() {
            Life::Waiting { draws } => Phase::Queued { draws },
            Life::Committing { drawn, until } => {
                Phase::Committing { drawn: height(drawn), until: height(until), assignments }
            }
            Life::Revealing { drawn, until, early } => {
                Phase::Revealing { drawn: height(drawn), until: height(until), early, assignments }
            }
            Life::Settled { at, outcome, agreed, paid, refunded, from } => {
                Phase::Settled(Settlement {
                    height: height(at),
                    outcome,
                    agreed,
                    assignments,
                    paid: NanoMeshx::new(paid),
                    refunded: NanoMeshx::new(refunded),
                    cached_from: from,
                })
            }
            Life::Ended { at, ending, paid } => {
                let (height, paid) = (height(at), NanoMeshx::new(paid));
                Phase::Ended { height, ending, paid, assignments }
            }
        };
        JobRecord {
            payer: self.payer,
            submission: self.submission.clone(),
            submitted: height(self.submitted),
            demand: Ppm::new(u32::try_from(self.demand).expect("within its bounds")),
            phase,
        }
    }
}
