//! Blocks of made-up transactions through `apply_block`, over a store in memory.

use crate::bytes::Draw;
use chain::{
    Applied, BlockContext, CheckedTx, Mode, Proposal, Store, apply_block, check_tx, local_params,
};
use crypto::SigningKey;
use futures::executor::block_on;
use std::{cell::RefCell, collections::BTreeMap, sync::LazyLock};
use types::{
    Abi, Action, Address, Agreement, Beacon, ChainId, Float, Fuel, Hash, Height, JobId, JobSpec,
    Limits, List, Millis, NanoMeshx, Nonce, Outcome, OutputRef, PublicKey, Reveal, Signature,
    Status, Submission, Term, Text, Tx, TxId,
    codec::{Bytes, DecodeExt, Read},
    network::{Genesis, GenesisAccount, GenesisWorker},
    state::{Account, Heights, JobRecord, Key, Phase, Queued, Supply, pools},
};

const NETWORK: Hash = Hash([42; 32]);
const PEOPLE: u8 = 6;
const BLOCKS_MAX: u64 = 48;

/// Everybody has money; 1 to 4 are workers from the start.
static KEYS: LazyLock<Vec<(SigningKey, PublicKey, Address)>> = LazyLock::new(|| {
    let person = |n| {
        let key = SigningKey::from_seed(&[n; 32]);
        let public = PublicKey(key.public());
        (key, public, Address::of(&public))
    };
    (0..PEOPLE).map(person).collect()
});

static GENESIS: LazyLock<Genesis> = LazyLock::new(|| {
    let account = |n: u8| GenesisAccount {
        address: KEYS[usize::from(n)].2,
        balance: NanoMeshx::new(if n == 5 { 3_000 } else { 1_000_000_000 }),
    };
    let worker = |n: u8| GenesisWorker {
        address: KEYS[usize::from(n)].2,
        capacity: 2,
        city: Text::default(),
    };
    Genesis {
        chain: ChainId::Europe,
        started: Millis::ZERO,
        validators: List::default(),
        sharing: Bytes::default(),
        term_blocks: 7_200,
        params: types::state::Params {
            commit_blocks: 3,
            reveal_blocks: 3,
            deadline_blocks_max: 40,
            ..local_params(Hash([1; 32]), Hash([2; 32]), 500)
        },
        accounts: List::new((0..PEOPLE).map(account).collect()).expect("few"),
        workers: List::new((1..5).map(worker).collect()).expect("few"),
        stakes: List::default(),
        emission: types::Schedule { steps: List::default() },
        vesting: List::default(),
        witnesses: List::default(),
    }
});

#[derive(Default)]
struct Memory(BTreeMap<Key, Vec<u8>>);

impl Store for Memory {
    async fn get_many(&self, keys: &[Key]) -> Vec<Option<Vec<u8>>> {
        keys.iter().map(|key| self.0.get(key).cloned()).collect()
    }
}

#[derive(Default)]
struct World {
    store: Memory,
    height: u64,
    /// Nonces used in the block being filled.
    nonces: BTreeMap<u8, u64>,
    txs: Vec<CheckedTx>,
    jobs: Vec<JobId>,
}

pub(crate) fn run(input: &[u8]) {
    let (mut draw, mut world) = (Draw(input), World::default());
    world.block(&mut draw);
    while !draw.is_empty() && world.height < BLOCKS_MAX {
        match draw.below(8) {
            0 => world.block(&mut draw),
            _ => world.transaction(&mut draw),
        }
    }
    world.block(&mut draw);
}

/// Transactions kept signed: mutations of one input share most of theirs, and signing costs more than applying.
const SIGNED_MAX: usize = 20_000;

thread_local! {
    static SIGNED: RefCell<BTreeMap<TxId, CheckedTx>> = const { RefCell::new(BTreeMap::new()) };
}

fn checked(from: u8, nonce: u64, tip: NanoMeshx, action: Action) -> CheckedTx {
    let (key, sender, _) = &KEYS[usize::from(from)];
    let signature = Signature([0; 64]);
    let (chain, nonce, fee_max) = (ChainId::Europe, Nonce::strict(nonce), Tx::ANY_FEE);
    let mut tx = Tx { chain, sender: *sender, nonce, tip, fee_max, action, signature };
    SIGNED.with_borrow_mut(|signed| {
        if signed.len() >= SIGNED_MAX {
            signed.clear();
        }
        let id = tx.id();
        let sign = move || {
            tx.signature = Signature(key.sign(Tx::DOMAIN, &tx.signing_bytes(&NETWORK)));
            check_tx(tx, &NETWORK, ChainId::Europe).expect("it is signed by its sender")
        };
        signed.entry(id).or_insert_with(sign).clone()
    })
}

impl World {
    fn transaction(&mut self, draw: &mut Draw<'_>) {
        let mut from = draw.below(PEOPLE);
        let job = usize::from(draw.byte())
            .checked_rem(self.jobs.len())
            .map_or_else(Hash::default, |n| self.jobs[n]);
        let action = match draw.below(8) {
            0 => {
                let to = match draw.below(PEOPLE + 3) {
                    n if n < PEOPLE => KEYS[usize::from(n)].2,
                    n if n == PEOPLE => pools::treasury(),
                    n if n == PEOPLE + 1 => pools::escrow(),
                    _ => pools::validators(),
                };
                Action::Transfer { to, amount: NanoMeshx::new(draw.number()) }
            }
            1 => Action::RegisterWorker {
                capacity: draw.short(),
                city: Text::default(),
                floor: NanoMeshx::new(if draw.byte() > 200 { draw.number() } else { 0 }),
            },
            2 | 3 => Action::SubmitJob(self.submission(draw)),
            4 => Action::CancelJob { job },
            // Mostly of an assigned worker, mostly what it will be able to open.
            5 | 6 => {
                if draw.byte() > 16 {
                    from = self.assigned(&job, draw.byte()).unwrap_or(from);
                }
                let reveal = reveal(job, from, draw.below(8));
                let committing = matches!(
                    self.get::<JobRecord>(Key::Job(job)).map(|job| job.phase),
                    Some(Phase::Committing { .. })
                );
                if committing == (draw.byte() > 16) {
                    Action::Commit {
                        job,
                        commitment: reveal.commitment(&KEYS[usize::from(from)].2),
                    }
                } else {
                    Action::Reveal(reveal)
                }
            }
            // Anything that decodes, signed by somebody.
            _ => {
                let (taken, rest) = draw.0.split_at(draw.0.len().min(300));
                let Ok(tx) = Tx::decode(taken.to_vec()) else { return };
                draw.0 = rest;
                tx.action
            }
        };
        let address = KEYS[usize::from(from)].2;
        let account: Account = self.get(Key::Account(address)).unwrap_or_default();
        let next = self.nonces.entry(from).or_insert(account.nonce);
        let nonce = match draw.byte() {
            0 => draw.number(),
            _ => *next,
        };
        *next = nonce.saturating_add(1);
        let tip = NanoMeshx::new(if draw.byte() == 0 { draw.number() } else { 0 });
        let tx = checked(from, nonce, tip, action);
        if matches!(tx.tx().action, Action::SubmitJob(_)) {
            self.jobs.push(tx.id());
        }
        self.txs.push(tx);
    }

    fn submission(&self, draw: &mut Draw<'_>) -> Submission {
        let small = draw.below(4);
        let odd = draw.byte() == 0;
        let fuel = if odd { draw.number() } else { 1_500 * u64::from(small) + 1 };
        let replicas = draw.below(if odd { 20 } else { 4 });
        let agree = if odd { draw.byte() } else { replicas / 2 + 1 };
        let limits = Limits {
            fuel: Fuel::new(fuel),
            memory_bytes: if odd { draw.number() } else { 1 },
            output_bytes: if odd { draw.number() } else { 1 },
            wall: Millis::new(if odd { draw.number() } else { 700 }),
        };
        let price = if odd { draw.number() } else { 20 * u64::from(replicas) };
        let deadline =
            if odd { draw.number() } else { self.height + 2 + u64::from(draw.below(38)) };
        let spec = JobSpec {
            module: Hash([small; 32]),
            module_len: 1,
            abi: Abi::Raw,
            float: Float::Strict,
            input: Hash::default(),
            input_len: 0,
            args: List::default(),
            env: List::default(),
            files: List::default(),
            limits,
            profile: Hash([1; 32]),
            seed: Hash::default(),
            clock: Millis::ZERO,
        };
        let (deadline, price_max) = (Height::new(deadline), NanoMeshx::new(price));
        Submission {
            spec,
            agreement: Agreement { replicas, agree },
            price_max,
            deadline,
            fresh: draw.byte() & 1 == 0,
        }
    }

    fn assigned(&self, job: &JobId, n: u8) -> Option<u8> {
        let (Phase::Committing { assignments, .. } | Phase::Revealing { assignments, .. }) =
            self.get::<JobRecord>(Key::Job(*job))?.phase
        else {
            return None;
        };
        let assignment =
            assignments.as_slice().get(usize::from(n).checked_rem(assignments.len())?)?;
        (0..PEOPLE).find(|n| KEYS[usize::from(*n)].2 == assignment.worker)
    }

    fn block(&mut self, draw: &mut Draw<'_>) {
        self.height += 1;
        let mut beacons = self.beacons();
        match draw.byte() {
            0 => beacons.clear(),
            1 => beacons.reverse(),
            2 => beacons.iter_mut().for_each(|beacon| beacon.view ^= 1),
            _ => {}
        }
        let context = BlockContext {
            network: NETWORK,
            chain: ChainId::Europe,
            height: Height::new(self.height),
            term: Term::ZERO,
            view: self.height * 2,
            leader: KEYS[usize::from(draw.below(PEOPLE))].1,
            timestamp: Millis::new(self.height * 500),
        };
        self.nonces.clear();
        let whole = Proposal { beacons, txs: std::mem::take(&mut self.txs) };
        let built = self.apply(&context, &whole, Mode::Build).expect("building refuses nothing");
        assert_eq!(
            built.included.len() + built.refused.len(),
            whole.txs.len(),
            "each is in or refused"
        );

        let block = Proposal { beacons: built.beacons.clone(), txs: built.included.clone() };
        let checked =
            self.apply(&context, &block, Mode::Check).expect("a block that was built is valid");
        assert_eq!(
            (&checked.writes, &checked.events),
            (&built.writes, &built.events),
            "building and checking agree"
        );
        let complete = block.beacons.len() == whole.beacons.len() && built.refused.is_empty();
        assert_eq!(
            self.apply(&context, &whole, Mode::Check).is_ok(),
            complete,
            "a refused item spoils a block"
        );

        for (key, value) in built.writes {
            match value {
                Some(bytes) => self.store.0.insert(key, bytes),
                None => self.store.0.remove(&key),
            };
        }
        self.assert_money();
    }

    fn apply(
        &self,
        context: &BlockContext,
        proposal: &Proposal,
        mode: Mode,
    ) -> Result<Applied, chain::Refusal> {
        block_on(apply_block(&self.store, &GENESIS, context, proposal.clone(), mode))
    }

    fn beacons(&self) -> Vec<Beacon> {
        let heights: Heights = self.get(Key::Queue).unwrap_or_default();
        let beacon = |height: &Height| {
            let queued: Queued = self.get(Key::Queued(*height)).expect("the queue names it");
            let signature = Bytes::new(vec![height.get() as u8; 48]).expect("short");
            Beacon { height: *height, term: queued.term, view: queued.view, signature }
        };
        heights.iter().map(beacon).collect()
    }

    fn assert_money(&self) {
        let supply: Supply = self.get(Key::Supply).expect("genesis wrote it");
        let (mut total, mut promised, mut assignments) = (0_u128, 0_u128, 0_u32);
        let mut running = 0_u32;
        for (key, bytes) in &self.store.0 {
            match key {
                Key::Account(_) => total += u128::from(decode::<Account>(bytes).balance.get()),
                Key::Worker(_) => {
                    running += u32::from(decode::<types::state::WorkerRecord>(bytes).running)
                }
                Key::Job(_) => {
                    let job: JobRecord = decode(bytes);
                    let open = match &job.phase {
                        Phase::Queued { .. } => true,
                        Phase::Committing { assignments: taken, .. }
                        | Phase::Revealing { assignments: taken, .. } => {
                            assignments += u32::try_from(taken.len()).expect("at most sixteen");
                            true
                        }
                        Phase::Settled(_) | Phase::Ended { .. } => false,
                    };
                    promised += u128::from(if open { job.submission.price_max.get() } else { 0 });
                }
                _ => {}
            }
        }
        assert_eq!(
            u128::from(supply.genesis.get()) + u128::from(supply.minted.get())
                - u128::from(supply.burned.get()),
            total,
            "money is conserved"
        );
        let escrow: Account = self.get(Key::Account(pools::escrow())).unwrap_or_default();
        assert_eq!(
            u128::from(escrow.balance.get()),
            promised,
            "escrow holds what open jobs promised"
        );
        assert_eq!(running, assignments, "a worker runs what it is assigned");
    }

    fn get<T: Read<Cfg = ()>>(&self, key: Key) -> Option<T> {
        self.store.0.get(&key).map(|bytes| decode(bytes))
    }
}

fn decode<T: Read<Cfg = ()>>(bytes: &[u8]) -> T {
    T::decode(bytes.to_vec()).expect("state decodes")
}

fn reveal(job: JobId, worker: u8, odd: u8) -> Reveal {
    let answer = if odd == 7 { worker + 1 } else { 0 };
    let stdout = OutputRef { hash: Hash([answer; 32]), len: answer.into() };
    let fuel = Fuel::new(if odd == 6 { u64::MAX } else { 900 });
    let memory_bytes = if odd == 5 { u64::MAX } else { 1 };
    let status = Status::Exited(0);
    let outcome = Outcome { status, stdout, stderr: stdout, fuel, memory_bytes };
    Reveal { job, outcome, salt: Hash([worker; 32]) }
}
