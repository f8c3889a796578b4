//! What was observed in one simulation, and what the properties said about it.
//!
//! One simulation runs in one thread; the lock is here because tasks must be `Send`.

use crate::{
    books::Books,
    committee::{Committee, STARTED},
    properties::{self as must, Property, Verdict, Violation},
    scenario::Moment,
    truth::truth,
};
use commonware_consensus::types::Round;
use commonware_runtime::Clock;
use network::public_key;
use receipt::{
    check_equivocation,
    light::{self, Digest},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
    time::UNIX_EPOCH,
};
use types::{
    Action, Address, Block, EquivocationProof, Header, JobId, TxId,
    codec::DecodeExt as _,
    state::{Account, Heights, JobRecord, Key, Phase, Supply, pools},
};

/// Every fifth certificate is verified: a light client costs two pairings.
const CERTIFICATE_EVERY: u64 = 5;

/// A signed vote as it went over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cast {
    Notarize(Digest),
    Nullify,
    Finalize(Digest),
}

/// What one key signed in one view.
#[derive(Clone, Copy, Debug, Default)]
struct Ballot {
    notarized: Option<Digest>,
    finalized: Option<Digest>,
    nullified: bool,
}

pub struct Facts {
    committee: Arc<Committee>,
    traitors: BTreeSet<usize>,
    inner: Mutex<Inner>,
}

#[derive(Clone)]
pub struct Inner {
    /// Final blocks, from 1; the first validator to report one decides what the others must have.
    pub blocks: Vec<Block>,
    /// How far each validator has got.
    pub heights: Vec<u64>,
    /// The oldest block each validator must still have, since it reported one with this disk.
    kept_from: Vec<Option<u64>>,
    /// Where a transaction is.
    pub included: BTreeMap<TxId, u64>,
    pub nonces: BTreeMap<Address, u64>,
    /// Acknowledged by `Chain::submit` after healing: sender and nonce.
    pub promised: BTreeSet<(Address, u64)>,
    pub acknowledged: u64,
    pub jobs: BTreeSet<JobId>,
    endings: BTreeMap<JobId, Phase>,
    books: Books,
    /// How many blocks are in the books.
    booked: u64,
    /// Records read at a height by the first validator that could.
    records: BTreeMap<u64, BTreeMap<Key, Option<Vec<u8>>>>,
    ballots: BTreeMap<(usize, Round), Ballot>,
    /// Who voted to finalize what, by round.
    finalizers: BTreeMap<Round, BTreeMap<Digest, BTreeSet<usize>>>,
    /// The oldest height whose jobs wait for their beacon, as of the newest judged state.
    pub queue_oldest: Option<u64>,
    /// Who was proved to have signed twice, by the correct validators that can prove it.
    pub accused: BTreeMap<usize, BTreeSet<usize>>,
    pub checks: BTreeMap<Property, u64>,
    pub faults: BTreeMap<&'static str, u64>,
    pub violations: Vec<Violation>,
    pub log: Vec<String>,
    pub now_ms: u64,
}

impl Facts {
    pub fn new(committee: Arc<Committee>, traitors: BTreeSet<usize>) -> Self {
        let inner = Inner {
            blocks: Vec::new(),
            heights: vec![0; committee.members.len()],
            kept_from: vec![None; committee.members.len()],
            included: BTreeMap::new(),
            nonces: BTreeMap::new(),
            promised: BTreeSet::new(),
            acknowledged: 0,
            jobs: BTreeSet::new(),
            endings: BTreeMap::new(),
            books: Books::new(&committee.genesis),
            booked: 0,
            records: BTreeMap::new(),
            ballots: BTreeMap::new(),
            finalizers: BTreeMap::new(),
            queue_oldest: None,
            accused: BTreeMap::new(),
            checks: BTreeMap::new(),
            faults: BTreeMap::new(),
            violations: Vec::new(),
            log: Vec::new(),
            now_ms: 0,
        };
        Self { committee, traitors, inner: Mutex::new(inner) }
    }

    /// Everything known so far. A simulation that panicked still has its facts.
    pub fn get(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Look at the clock; the moment it shows.
    pub fn tick(&self, clock: &impl Clock) -> Moment {
        let since = clock.current().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(since.as_millis()).unwrap_or(u64::MAX) - STARTED.get();
        self.get().now_ms = now;
        now
    }

    pub fn count(&self, fault: &'static str) {
        *self.get().faults.entry(fault).or_default() += 1;
    }

    pub fn say(&self, line: impl std::fmt::Display) {
        self.get().say(line);
    }

    pub fn check(&self, property: Property, verdict: Verdict) {
        self.get().check(property, verdict);
    }

    pub fn broken(&self) -> bool {
        !self.get().violations.is_empty()
    }

    /// A vote left `validator`.
    pub fn vote(&self, validator: usize, round: Round, cast: Cast) {
        let mut inner = self.get();
        if let Cast::Finalize(digest) = cast {
            let of_view = inner.finalizers.entry(round).or_default();
            of_view.entry(digest).or_default().insert(validator);
        }
        if self.traitors.contains(&validator) {
            return;
        }
        let ballot = inner.ballots.entry((validator, round)).or_default();
        let verdict = ballot
            .cast(cast)
            .map_err(|what| format!("validator {validator} signed {what} in round {round}"));
        inner.check(Property::OneVote, verdict);
    }

    /// `validator`, which is correct, holds this proof.
    pub fn equivocation(&self, validator: usize, proof: &EquivocationProof) {
        let mut inner = self.get();
        let holds = check_equivocation(proof, &self.committee.network);
        let accused =
            self.committee.members.iter().position(|member| public_key(&member.key) == proof.key);
        let verdict = match (holds, accused) {
            (Err(error), _) => {
                Err(format!("validator {validator} holds no equivocation proof: {error}"))
            }
            (Ok(()), Some(accused)) if self.traitors.contains(&accused) => {
                inner.accused.entry(accused).or_default().insert(validator);
                Ok(())
            }
            (Ok(()), accused) => {
                Err(format!("validator {validator} accuses {accused:?}: {proof:?}"))
            }
        };
        inner.check(Property::Equivocation, verdict);
    }

    /// `validator`'s disk is empty now.
    pub fn wiped(&self, validator: usize) {
        self.get().kept_from[validator] = None;
    }

    /// `validator` has every block from `height` on.
    pub fn keeps_from(&self, validator: usize, height: u64) {
        let mut inner = self.get();
        inner.kept_from[validator] = Some(height);
        inner.say(format_args!("validator {validator} begins at height {height}"));
    }

    /// A correct validator built a block that draws with the beacon of `round`.
    pub fn drew(&self, validator: usize, round: Round) {
        let mut inner = self.get();
        // What makes a later round final makes its ancestors final.
        let later = inner.finalizers.range(round..).flat_map(|(_, of_view)| of_view.values());
        let finalizers = later.max_by_key(|who| who.len());
        let finalizers = finalizers.cloned().unwrap_or_default();
        inner.say(format_args!(
            "validator {validator}: a block is built with the beacon of round {round}, final for {finalizers:?}"
        ));
        let verdict = must::final_beacon(round, &finalizers, self.committee.quorum());
        inner.check(Property::FinalBeacon, verdict);
    }

    /// `validator` reports a block as final.
    pub fn block(&self, validator: usize, block: &Block) {
        let mut inner = self.get();
        let height = block.header.height.get();
        match inner.block_at(height).map(|known| known.header.clone()) {
            Some(known) => {
                inner.check(Property::OneChain, must::one_chain(&known, &block.header));
            }
            None if height == inner.blocks.len() as u64 + 1 => inner.extend(block),
            // Its predecessors will be reported first.
            None => return,
        }
        inner.heights[validator] = inner.heights[validator].max(height);
        if height == inner.blocks.len() as u64 {
            let (view, txs) = (block.header.view, block.body.txs.len());
            let beacons = block.body.beacons.len();
            inner.say(format_args!(
                "validator {validator}: block {height} final, view {view}, {txs} txs, {beacons} beacons, {}",
                block.header.id()
            ));
        }
    }

    /// The certificate that `validator` keeps for a block.
    pub fn certificate(&self, header: &Header, certificate: &[u8]) {
        if header.height.get().is_multiple_of(CERTIFICATE_EVERY) {
            let verdict =
                light::verify_certificate(&self.committee.network_keys, header, certificate);
            self.check(Property::Certificate, verdict.map_err(|error| error.to_string()));
        }
    }

    /// What to read of a validator's state to judge it.
    pub fn keys(&self) -> Vec<Key> {
        let people = self.committee.clients.iter().chain(&self.committee.workers);
        let leaders = self.committee.members.iter();
        let mut keys = vec![Key::Supply, Key::Queue];
        keys.extend(
            [pools::escrow(), pools::treasury(), pools::validators(), pools::places()]
                .map(Key::Account),
        );
        keys.extend(people.map(|person| Key::Account(person.address)));
        keys.extend(leaders.map(|leader| Key::Account(Address::of(&public_key(&leader.key)))));
        keys.extend(self.get().jobs.iter().map(|job| Key::Job(*job)));
        keys
    }

    /// `validator`'s own state after the block with `header` holds `records`.
    pub fn state(
        &self,
        validator: usize,
        header: &Header,
        records: BTreeMap<Key, Option<Vec<u8>>>,
    ) {
        let mut inner = self.get();
        let height = header.height.get();
        let Some(known) = inner.block_at(height).map(|block| block.header.clone()) else { return };
        let same = known.state_root == header.state_root;
        inner.check(
            Property::SameState,
            if same {
                Ok(())
            } else {
                Err(format!("validator {validator} has another root at {height}"))
            },
        );
        if let Some(first) = inner.records.get(&height) {
            let differs = records
                .iter()
                .find(|(key, record)| first.get(key).is_some_and(|first| first != *record));
            let verdict = match differs {
                Some((key, _)) => {
                    Err(format!("validator {validator} has another {key:?} at height {height}"))
                }
                None => Ok(()),
            };
            inner.check(Property::SameState, verdict);
            return;
        }
        inner.judge(height, &records);
        inner.records.insert(height, records);
        while inner.records.len() > 64 {
            inner.records.pop_first();
        }
    }
}

impl Ballot {
    /// What is wrong with casting this too.
    fn cast(&mut self, cast: Cast) -> Result<(), &'static str> {
        match cast {
            Cast::Notarize(digest) if *self.notarized.get_or_insert(digest) != digest => {
                Err("two proposals")
            }
            Cast::Finalize(digest) if *self.finalized.get_or_insert(digest) != digest => {
                Err("two finalizations")
            }
            Cast::Finalize(_) if self.nullified => Err("a finalization after giving the view up"),
            Cast::Nullify if self.finalized.is_some() => {
                Err("that it gives the view up after finalizing it")
            }
            Cast::Nullify => {
                self.nullified = true;
                Ok(())
            }
            Cast::Notarize(_) | Cast::Finalize(_) => Ok(()),
        }
    }
}

impl Inner {
    pub fn say(&mut self, line: impl std::fmt::Display) {
        self.log.push(format!("{:>7} ms  {line}", self.now_ms));
    }

    pub fn check(&mut self, property: Property, verdict: Verdict) {
        *self.checks.entry(property).or_default() += 1;
        if let Err(detail) = verdict {
            let violation = Violation { property, detail };
            self.say(format_args!("VIOLATION {violation}"));
            self.violations.push(violation);
        }
    }

    pub fn block_at(&self, height: u64) -> Option<&Block> {
        self.blocks.get(usize::try_from(height.checked_sub(1)?).ok()?)
    }

    /// The oldest block `validator` must still have; `None` if it has reported none with this disk.
    pub fn oldest(&self, validator: usize) -> Option<u64> {
        self.kept_from[validator]
    }

    pub fn open_jobs(&self) -> usize {
        self.jobs.len() - self.endings.len()
    }

    /// A new final block.
    fn extend(&mut self, block: &Block) {
        let height = block.header.height.get();
        for tx in block.body.txs.iter() {
            let (id, from) = (tx.id(), tx.from());
            let twice = match self.included.insert(id, height) {
                Some(before) => Err(format!("transaction {id} is in blocks {before} and {height}")),
                None => Ok(()),
            };
            self.check(Property::IncludedOnce, twice);
            // That an expiring nonce counts once follows from the transaction being in a block once.
            if let Some(nonce) = tx.nonce.number() {
                let next = self.nonces.get(&from).copied().unwrap_or(0);
                self.check(Property::Nonces, must::nonces(next, &from, nonce, height));
                self.nonces.insert(from, nonce + 1);
            }
            if matches!(tx.action, Action::SubmitJob(_)) {
                self.jobs.insert(id);
            }
        }
        self.blocks.push(block.clone());
    }

    /// Judge the state after block `height`.
    fn judge(&mut self, height: u64, records: &BTreeMap<Key, Option<Vec<u8>>>) {
        // Another validator was ahead: the books are closed up to there.
        if height < self.booked {
            return;
        }
        for height in self.booked + 1..=height {
            let Some(block) = self.block_at(height).cloned() else { return };
            self.books.block(&block);
        }
        self.booked = height;
        let jobs: Vec<JobId> = self.jobs.iter().copied().collect();
        for id in jobs {
            let submitted = self.included.get(&id).is_some_and(|at| *at <= height);
            let Some(record) = records.get(&Key::Job(id)).filter(|_| submitted) else { continue };
            match record {
                Some(bytes) => self.judge_job(id, &decode(bytes), height),
                None => self.check(Property::EndsOnce, Err(format!("job {id} is forgotten"))),
            }
        }
        let accounts: Vec<(Address, Account)> = records
            .iter()
            .filter_map(|(key, record)| match key {
                Key::Account(address) => {
                    Some((*address, record.as_deref().map(decode).unwrap_or_default()))
                }
                _ => None,
            })
            .collect();
        let queue: Heights =
            records.get(&Key::Queue).and_then(Option::as_deref).map(decode).unwrap_or_default();
        self.queue_oldest = queue.iter().next().map(|height| height.get());
        if let Some(Some(supply)) = records.get(&Key::Supply) {
            let supply: Supply = decode(supply);
            let verdict = must::supply(&supply, accounts.iter().map(|(_, account)| account));
            self.check(Property::Supply, verdict);
        }
        for (address, account) in &accounts {
            if *address == pools::escrow() {
                let verdict = must::escrow(&self.books, account.balance);
                self.check(Property::Escrow, verdict);
            }
            let verdict = must::paid_once(&self.books, address, account);
            self.check(Property::PaidOnce, verdict);
        }
    }

    fn judge_job(&mut self, id: JobId, record: &JobRecord, height: u64) {
        let known = self.endings.get(&id).cloned();
        let verdict = must::ends_once(&id, record, known.as_ref(), height);
        self.check(Property::EndsOnce, verdict);
        let over = matches!(record.phase, Phase::Settled(_) | Phase::Ended { .. });
        if !over || known.is_some() {
            return;
        }
        self.endings.insert(id, record.phase.clone());
        self.books.ending(&id, record);
        // A job that asks one worker takes its word.
        if let Phase::Settled(settlement) = &record.phase
            && settlement.agreed > 1
        {
            let verdict = if settlement.outcome == truth(&id) {
                Ok(())
            } else {
                Err(format!("job {id} settled on a lie"))
            };
            self.check(Property::TrueResult, verdict);
        }
        let how = match &record.phase {
            Phase::Settled(settlement) => format!("settled, {} agreed", settlement.agreed),
            Phase::Ended { ending, .. } => format!("ended: {ending:?}"),
            Phase::Queued { .. } | Phase::Committing { .. } | Phase::Revealing { .. } => return,
        };
        self.say(format_args!("job {id} {how} at height {height}"));
    }
}

fn decode<T: types::codec::Read<Cfg = ()>>(bytes: &[u8]) -> T {
    T::decode(bytes.to_vec()).expect("state holds what the engine wrote")
}
