//! Blocks applied to a map in memory: what a chain does, seen from outside.

use crate::*;
use crypto::SigningKey;
use futures::executor::block_on;
use std::collections::BTreeMap;
use types::{
    Abi, Action, Address, Agreement, Beacon, ChainId, Float, Fuel, Hash, Height, Intent, JobSpec,
    Limits, List, Millis, NanoMeshx, Nonce, Outcome, OutputRef, PublicKey, Reveal, Schedule,
    Status, Submission, Term, Text, Tx, TxId,
    codec::{Bytes, DecodeExt, Encode as _},
    network::{Genesis, GenesisAccount, GenesisWorker},
    state::{
        Account, Earned, Ending, JobRecord, Key, Phase, REPUTATION_NEW, Supply, WorkerPlace,
        WorkerRecord, pools,
    },
};

mod draws;
mod nonces;

#[derive(Default)]
struct Memory(BTreeMap<Key, Vec<u8>>);

impl Store for Memory {
    async fn get_many(&self, keys: &[Key]) -> Vec<Option<Vec<u8>>> {
        keys.iter().map(|key| self.0.get(key).cloned()).collect()
    }
}

const NETWORK: Hash = Hash([42; 32]);
const CLIENT: u8 = 100;

struct Net {
    store: Memory,
    genesis: Genesis,
    height: u64,
    nonces: BTreeMap<u8, u64>,
}

fn key(n: u8) -> SigningKey {
    SigningKey::from_seed(&[n; 32])
}
fn who(n: u8) -> Address {
    Address::of(&PublicKey(key(n).public()))
}
fn profile() -> Hash {
    Hash([1; 32])
}

impl Net {
    /// Workers 0..workers, and a client with 1,000 MESHX.
    fn new(workers: u8) -> Self {
        let account = GenesisAccount { address: who(CLIENT), balance: "1000".parse().unwrap() };
        let worker = |n| GenesisWorker { address: who(n), capacity: 16, city: Text::default() };
        let genesis = Genesis {
            chain: ChainId::Europe,
            started: Millis::ZERO,
            validators: List::default(),
            sharing: Bytes::default(),
            term_blocks: 7_200,
            params: local_params(profile(), Hash([2; 32]), 500),
            accounts: List::new(vec![account]).unwrap(),
            workers: List::new((0..workers).map(worker).collect()).unwrap(),
            stakes: List::default(),
            emission: Schedule { steps: List::default() },
            vesting: List::default(),
            witnesses: List::default(),
        };
        let mut net =
            Self { store: Memory::default(), genesis, height: 0, nonces: BTreeMap::new() };
        net.block(vec![]);
        net
    }

    fn tx(&mut self, from: u8, action: Action) -> CheckedTx {
        let nonce = self.nonces.entry(from).or_default();
        let tx = signed(from, *nonce, action);
        *nonce += 1;
        check_tx(tx, &NETWORK, ChainId::Europe).unwrap()
    }

    fn context(&self) -> BlockContext {
        BlockContext {
            network: NETWORK,
            chain: ChainId::Europe,
            height: Height::new(self.height + 1),
            term: Term::ZERO,
            view: (self.height + 1) * 2,
            leader: PublicKey(key(200).public()),
            timestamp: Millis::new(self.height * 500),
        }
    }

    fn try_block(
        &self,
        txs: Vec<CheckedTx>,
        beacons: Vec<Beacon>,
        mode: Mode,
    ) -> Result<Applied, Refusal> {
        block_on(apply_block(
            &self.store,
            &self.genesis,
            &self.context(),
            Proposal { beacons, txs },
            mode,
        ))
    }

    /// Apply a block in which everything must go through, with every beacon that is due and has room.
    fn block(&mut self, txs: Vec<CheckedTx>) -> Applied {
        let built = self.try_block(txs, self.due_beacons(), Mode::Build).expect("a block is built");
        assert!(built.refused.is_empty(), "{:?}", built.refused);
        let again = self.try_block(built.included, built.beacons, Mode::Check);
        let applied = again.expect("block is valid");
        assert_eq!(applied.writes, built.writes, "a proposer and a validator disagree");
        for (key, value) in &applied.writes {
            match value {
                Some(bytes) => self.store.0.insert(*key, bytes.clone()),
                None => self.store.0.remove(key),
            };
        }
        self.height += 1;
        self.assert_conserved();
        applied
    }

    fn due_beacons(&self) -> Vec<Beacon> {
        let heights: types::state::Heights = self.get(Key::Queue).unwrap_or_default();
        heights
            .iter()
            .map(|height| {
                let queued: types::state::Queued = self.get(Key::Queued(*height)).unwrap();
                Beacon {
                    height: *height,
                    term: queued.term,
                    view: queued.view,
                    signature: Bytes::new(vec![height.get() as u8; 48]).unwrap(),
                }
            })
            .collect()
    }

    fn get<T: types::codec::Read<Cfg = ()>>(&self, key: Key) -> Option<T> {
        self.store.0.get(&key).map(|bytes| T::decode(bytes.clone()).unwrap())
    }
    fn balance(&self, address: Address) -> u64 {
        self.get::<Account>(Key::Account(address)).unwrap_or_default().balance.get()
    }
    fn job(&self, id: TxId) -> JobRecord {
        self.get(Key::Job(id)).expect("job exists")
    }

    fn assert_conserved(&self) {
        let supply: Supply = self.get(Key::Supply).unwrap();
        let mut held = 0_u128;
        let mut promised = 0_u128;
        for (key, bytes) in &self.store.0 {
            match key {
                Key::Account(_) => {
                    held += u128::from(Account::decode(bytes.clone()).unwrap().balance.get())
                }
                Key::Job(_) => {
                    let job = JobRecord::decode(bytes.clone()).unwrap();
                    if !matches!(job.phase, Phase::Settled(_) | Phase::Ended { .. }) {
                        promised += u128::from(job.submission.price_max.get());
                    }
                }
                _ => {}
            }
        }
        assert_eq!(
            held + u128::from(supply.burned.get()),
            u128::from(supply.genesis.get()) + u128::from(supply.minted.get()),
            "a nano was lost or made"
        );
        assert_eq!(
            u128::from(self.balance(pools::escrow())),
            promised,
            "escrow holds what open jobs promised"
        );
    }

    fn submit(&mut self, submission: Submission) -> TxId {
        let tx = self.tx(CLIENT, Action::SubmitJob(submission));
        let id = tx.id();
        self.block(vec![tx]);
        id
    }

    /// Each block takes in as many of `txs` as have room; the others are in the next one.
    fn submit_all(&mut self, txs: &mut Vec<CheckedTx>) {
        while !txs.is_empty() {
            let built = self.try_block(txs.clone(), self.due_beacons(), Mode::Build).unwrap();
            assert!(built.gas.total() < GAS_BLOCK_MAX, "own: {}", built.gas.own);
            txs.drain(..built.included.len());
            self.block(built.included);
        }
    }

    /// Draw, then let each assigned worker answer with `answer(worker)`; `None` stays silent.
    fn run(&mut self, id: TxId, answer: impl Fn(usize) -> Option<Outcome>) {
        let until = self.height + 40;
        while matches!(self.job(id).phase, Phase::Queued { .. }) && self.height < until {
            self.block(vec![]);
        }
        let Phase::Committing { assignments, .. } = self.job(id).phase else {
            panic!("not drawn: {:?}", self.job(id))
        };
        let assigned: Vec<u8> =
            assignments.iter().map(|s| (0..32).find(|n| who(*n) == s.worker).unwrap()).collect();
        let reveals: Vec<(u8, Reveal)> = assigned
            .iter()
            .enumerate()
            .filter_map(|(i, n)| {
                Some((*n, Reveal { job: id, outcome: answer(i)?, salt: Hash([*n; 32]) }))
            })
            .collect();
        let commits = reveals
            .iter()
            .map(|(n, r)| {
                self.tx(*n, Action::Commit { job: id, commitment: r.commitment(&who(*n)) })
            })
            .collect();
        self.block(commits);
        while let Phase::Committing { .. } = self.job(id).phase {
            self.block(vec![]);
        }
        if let Phase::Revealing { .. } = self.job(id).phase {
            let txs = reveals.into_iter().map(|(n, r)| self.tx(n, Action::Reveal(r))).collect();
            self.block(txs);
        }
    }
}

fn signed(from: u8, nonce: u64, action: Action) -> Tx {
    let (key, chain) = (key(from), ChainId::Europe);
    let nonce = Nonce::strict(nonce);
    let intent = Intent { chain, nonce, tip: NanoMeshx::ZERO, fee_max: Tx::ANY_FEE, action };
    Tx::signed(&NETWORK, PublicKey(key.public()), intent, |domain, message| {
        key.sign(domain, message)
    })
}

fn submission(replicas: u8, agree: u8, deadline: u64) -> Submission {
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
            fuel: Fuel::new(1_000_000),
            memory_bytes: 1,
            output_bytes: 1,
            wall: Millis::new(500),
        },
        profile: profile(),
        seed: Hash([3; 32]),
        clock: Millis::ZERO,
    };
    Submission {
        spec,
        agreement: Agreement { replicas, agree },
        price_max: NanoMeshx::new(2_000 * u64::from(replicas)),
        deadline: Height::new(deadline),
        fresh: false,
    }
}

fn outcome(n: u8) -> Outcome {
    let output = OutputRef { hash: Hash([n; 32]), len: 1 };
    let (status, fuel) = (Status::Exited(0), Fuel::new(100_000));
    Outcome { status, stdout: output, stderr: output, fuel, memory_bytes: 1 }
}

#[test]
fn a_job_runs_settles_and_refunds_in_one_transaction() {
    let mut net = Net::new(6);
    let before = net.balance(who(CLIENT));
    let id = net.submit(submission(4, 3, 100));
    net.run(id, |worker| Some(outcome(u8::from(worker == 2))));
    let Phase::Settled(settlement) = net.job(id).phase else { panic!("{:?}", net.job(id).phase) };
    assert_eq!(
        (settlement.agreed, settlement.paid.get(), settlement.refunded.get()),
        (3, 267, 7_733)
    );
    // 101 µs, one of them for compiling a byte, at the demand of a market that was idle for a block, 0.875, is 88.375
    // nano, and a little for the bytes: 89 for each of three replicas. 5,000 for the submission.
    assert_eq!(before - net.balance(who(CLIENT)), 5_267);
    let earned: Vec<u64> = (0..6).map(|n| net.balance(who(n))).filter(|b| *b > 0).collect();
    assert_eq!(earned, [84, 84, 84]);
    for n in (0..6).filter(|n| net.balance(who(*n)) > 0) {
        let kept: Earned = net.get(Key::Earned(who(n))).unwrap();
        assert_eq!(kept, Earned { jobs: NanoMeshx::new(84), ..Earned::default() });
    }
    let odd = settlement.assignments.as_slice()[2].worker;
    let record: WorkerRecord = net.get(Key::Worker(odd)).unwrap();
    assert_eq!((record.running, record.reputation), (0, REPUTATION_NEW - 500));
}

#[test]
fn an_equal_job_is_answered_at_once_and_costs_no_compute() {
    let mut net = Net::new(4);
    let first = net.submit(submission(3, 2, 100));
    net.run(first, |_| Some(outcome(1)));
    let before = net.balance(who(CLIENT));
    let second = net.submit(submission(3, 2, 100));
    let Phase::Settled(settlement) = net.job(second).phase else { panic!() };
    assert_eq!((settlement.cached_from, settlement.paid), (Some(first), NanoMeshx::ZERO));
    assert_eq!(before - net.balance(who(CLIENT)), 4_000);
    let fresh = net.submit(Submission { fresh: true, ..submission(3, 2, 100) });
    assert_eq!(net.job(fresh).phase, Phase::Queued { draws: 0 });
    let stricter = net.submit(submission(4, 4, 100));
    assert_eq!(net.job(stricter).phase, Phase::Queued { draws: 0 }, "three who agreed are no four");
}

#[test]
fn without_workers_the_deadline_gives_the_money_back() {
    let mut net = Net::new(1);
    let before = net.balance(who(CLIENT));
    let id = net.submit(submission(4, 3, 50));
    while net.height < 51 {
        net.block(vec![]);
    }
    assert!(matches!(net.job(id).phase, Phase::Ended { ending: Ending::Expired, .. }));
    // The submission, and six draws that found too few.
    assert_eq!(before - net.balance(who(CLIENT)), 5_000 + 6_000);
    let reasons = why(&net.job(id), &[], &net.genesis.params, Height::new(51));
    assert_eq!(reasons[0].rule, "ended");
}

#[test]
fn workers_that_vanish_do_not_keep_the_money_and_the_others_are_paid() {
    let mut net = Net::new(4);
    let before = net.balance(who(CLIENT));
    let id = net.submit(submission(4, 3, 100));
    net.run(id, |worker| (worker < 2).then(|| outcome(1)));
    assert!(matches!(net.job(id).phase, Phase::Ended { ending: Ending::Expired, .. }));
    // Two of four did the work and said the same.
    assert_eq!(before - net.balance(who(CLIENT)), 5_000 + 2 * 89);
    for n in 0..4 {
        assert_eq!(net.get::<WorkerRecord>(Key::Worker(who(n))).unwrap().running, 0);
    }
}

#[test]
fn a_job_queued_before_its_beacon_can_be_cancelled() {
    let mut net = Net::new(0);
    let id = net.submit(submission(1, 1, 100));
    let stranger = net.tx(CLIENT, Action::CancelJob { job: Hash([7; 32]) });
    assert_eq!(
        net.try_block(vec![stranger], vec![], Mode::Check).unwrap_err(),
        Refusal::UnknownJob(Hash([7; 32]))
    );
    *net.nonces.get_mut(&CLIENT).unwrap() -= 1;
    let cancel = net.tx(CLIENT, Action::CancelJob { job: id });
    net.block(vec![cancel]);
    assert!(matches!(net.job(id).phase, Phase::Ended { ending: Ending::Cancelled, .. }));
}

#[test]
fn a_refused_transaction_leaves_nothing_behind() {
    let net = Net::new(4);
    let all = net.balance(who(CLIENT));
    let too_much = Action::Transfer { to: who(1), amount: NanoMeshx::new(all) };
    let tx = check_tx(signed(CLIENT, 0, too_much), &NETWORK, ChainId::Europe).unwrap();
    let built = net.try_block(vec![tx.clone()], vec![], Mode::Build).unwrap();
    assert_eq!(built.included, vec![]);
    // Prices move on an idle chain too.
    let [(Key::Market, Some(_))] = &built.writes[..] else { panic!("{:?}", built.writes) };
    assert_eq!(built.refused[0].1.code(), "insufficient_funds");
    assert_eq!(
        net.try_block(vec![tx], vec![], Mode::Check).unwrap_err().code(),
        "insufficient_funds"
    );
}

#[test]
fn nonces_neither_skip_nor_repeat() {
    let mut net = Net::new(0);
    let send = |nonce| {
        let action = Action::Transfer { to: who(1), amount: NanoMeshx::new(1) };
        check_tx(signed(CLIENT, nonce, action), &NETWORK, ChainId::Europe).unwrap()
    };
    assert_eq!(net.try_block(vec![send(1)], vec![], Mode::Check).unwrap_err().code(), "nonce_gap");
    net.block(vec![send(0), send(1)]);
    assert_eq!(net.try_block(vec![send(1)], vec![], Mode::Check).unwrap_err().code(), "nonce_used");
}

#[test]
fn a_signature_is_good_for_one_network_chain_and_content() {
    let tx = signed(CLIENT, 0, Action::Transfer { to: who(1), amount: NanoMeshx::new(1) });
    assert!(check_tx(tx.clone(), &NETWORK, ChainId::Europe).is_ok());
    assert_eq!(check_tx(tx.clone(), &Hash([0; 32]), ChainId::Europe), Err(Refusal::BadSignature));
    assert_eq!(check_tx(tx.clone(), &NETWORK, ChainId::Asia).unwrap_err().code(), "wrong_chain");
    let other = Tx { tip: NanoMeshx::new(1), ..tx };
    assert_eq!(check_tx(other, &NETWORK, ChainId::Europe), Err(Refusal::BadSignature));
}

#[test]
fn a_beacon_of_another_round_is_refused() {
    let mut net = Net::new(4);
    net.submit(submission(1, 1, 100));
    let mut beacons = net.due_beacons();
    beacons[0].view += 1;
    assert_eq!(net.try_block(vec![], beacons, Mode::Check).unwrap_err().code(), "wrong_beacon");
}

/// Invariant (checked after every block by `assert_conserved`): money is conserved and escrow holds
/// exactly what open jobs promised, with any behaviour of clients and workers.
#[test]
fn random_blocks_conserve_money() {
    let mut state = 7_u64;
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let mut net = Net::new(5);
    let mut open: Vec<TxId> = Vec::new();
    for _ in 0..400 {
        let mut txs = Vec::new();
        for _ in 0..random(4) {
            let from = [CLIENT, CLIENT, 0, 1, 2, 3, 4][random(7) as usize];
            let nonce = net.get::<Account>(Key::Account(who(from))).unwrap_or_default().nonce;
            let job = open.get(random(open.len() as u64 + 1) as usize).copied().unwrap_or_default();
            let reveal = Reveal { job, outcome: outcome(random(2) as u8), salt: Hash([from; 32]) };
            let action = match random(8) {
                0 => Action::Transfer {
                    to: who(random(8) as u8),
                    amount: NanoMeshx::new(random(2_000)),
                },
                1 | 2 => {
                    let replicas = 1 + random(4) as u8;
                    let mut wanted =
                        submission(replicas, replicas / 2 + 1, net.height + 44 + random(60));
                    wanted.spec.input_len = random(4);
                    Action::SubmitJob(wanted)
                }
                3 | 4 => Action::Commit { job, commitment: reveal.commitment(&who(from)) },
                5 | 6 => Action::Reveal(reveal),
                _ => Action::CancelJob { job },
            };
            txs.push(check_tx(signed(from, nonce, action), &NETWORK, ChainId::Europe).unwrap());
        }
        let beacons = if random(3) > 0 { net.due_beacons() } else { vec![] };
        let built = net.try_block(txs, beacons, Mode::Build).unwrap();
        open.extend(
            built
                .included
                .iter()
                .filter(|t| matches!(t.tx().action, Action::SubmitJob(_)))
                .map(CheckedTx::id),
        );
        let again =
            net.try_block(built.included.clone(), built.beacons.clone(), Mode::Check).unwrap();
        assert_eq!(again.writes, built.writes, "a proposer and a validator disagree");
        for (key, value) in built.writes {
            match value {
                Some(bytes) => net.store.0.insert(key, bytes),
                None => net.store.0.remove(&key),
            };
        }
        net.height += 1;
        net.assert_conserved();
    }
    assert!(open.len() > 20, "the test exercised jobs: {}", open.len());
}

#[test]
fn a_batch_gives_each_transaction_the_verdict_it_gets_alone() {
    let transfer = |n: u64| Action::Transfer {
        to: Address::of(&PublicKey(key(9).public())),
        amount: NanoMeshx::new(n),
    };
    let mut txs: Vec<Tx> = (0..40).map(|n| signed(1 + (n % 7) as u8, n, transfer(n + 1))).collect();
    txs[3].signature.0[40] ^= 1;
    txs[11].nonce = Nonce::strict(99);
    txs[17].chain = ChainId::Asia;
    txs[23].sender = PublicKey([0; 32]);
    let alone: Vec<_> =
        txs.iter().map(|tx| check_tx(tx.clone(), &NETWORK, ChainId::Europe)).collect();
    let refused: Vec<usize> = (0..txs.len()).filter(|n| alone[*n].is_err()).collect();
    assert_eq!(refused, [3, 11, 17, 23]);
    assert_eq!(crate::check_txs(txs, &NETWORK, ChainId::Europe), alone);
}

#[test]
fn the_id_of_a_checked_transaction_is_its_own() {
    let tx = signed(1, 0, Action::CancelJob { job: Hash([3; 32]) });
    let checked = check_tx(tx.clone(), &NETWORK, ChainId::Europe).unwrap();
    assert_eq!((checked.id(), checked.from()), (tx.id(), tx.from()));
    assert_eq!(checked.bytes(), types::codec::Encode::encode(&tx).len());
}

#[test]
fn a_published_module_earns_its_author_a_part_of_the_workers_share() {
    let mut net = Net::new(6);
    let publish = |module, royalty_bps| Action::PublishModule { module, royalty_bps };
    let module = submission(4, 3, 100).spec.module;
    let tx = net.tx(CLIENT, publish(module, 1_000));
    net.block(vec![tx]);
    // The author may change the royalty; nobody else takes the module over, and no royalty is above the limit.
    let nonce = net.nonces[&CLIENT];
    let high = check_tx(signed(CLIENT, nonce, publish(module, 3_001)), &NETWORK, ChainId::Europe);
    let refused = net.try_block(vec![high.unwrap()], vec![], Mode::Check).unwrap_err();
    assert_eq!(refused.code(), "royalty_too_high");
    let pay = Action::Transfer { to: who(9), amount: NanoMeshx::new(5_000) };
    let tx = net.tx(CLIENT, pay);
    net.block(vec![tx]);
    let theft = check_tx(signed(9, 0, publish(module, 1)), &NETWORK, ChainId::Europe).unwrap();
    let refused = net.try_block(vec![theft], vec![], Mode::Check).unwrap_err();
    assert_eq!(refused.code(), "not_author");

    let id = net.submit(submission(4, 3, 100));
    net.run(id, |_| Some(outcome(1)));
    let Phase::Settled(settlement) = net.job(id).phase else { panic!("{:?}", net.job(id).phase) };
    let each = settlement.paid.get() / 4;
    let earned: Earned = net.get(Key::Earned(who(CLIENT))).unwrap();
    assert_eq!(earned.royalties.get(), 4 * (each / 10));
    let worker: Earned = net.get(Key::Earned(settlement.assignments.as_slice()[0].worker)).unwrap();
    assert_eq!(worker.jobs.get(), each * 95 / 100 - each / 10);
}

#[test]
fn a_worker_is_paid_for_being_there_until_the_pool_is_empty() {
    let mut net = Net::new(2);
    let fees = Action::Transfer { to: who(0), amount: NanoMeshx::new(100_000) };
    let tx = net.tx(CLIENT, fees);
    net.block(vec![tx]);
    // Genesis placed nothing here: a heartbeat earns nothing, and is still one.
    let tx = net.tx(0, Action::Heartbeat);
    net.block(vec![tx]);
    assert_eq!(net.get::<Earned>(Key::Earned(who(0))), None);
    let record: WorkerRecord = net.get(Key::Worker(who(0))).unwrap();
    assert_eq!(record.seen, Height::new(net.height));
    let stranger =
        check_tx(signed(CLIENT, net.nonces[&CLIENT], Action::Heartbeat), &NETWORK, ChainId::Europe);
    let refused = net.try_block(vec![stranger.unwrap()], vec![], Mode::Check).unwrap_err();
    assert_eq!(refused.code(), "not_worker");

    let pool = Key::Account(pools::availability());
    let supply: Supply = net.get(Key::Supply).unwrap();
    let more = NanoMeshx::new(100);
    let genesis = supply.genesis.checked_add(more).unwrap();
    net.store.0.insert(pool, Account { balance: more, nonce: 0 }.encode().to_vec());
    net.store.0.insert(Key::Supply, Supply { genesis, ..supply }.encode().to_vec());
    for _ in 0..9 {
        net.block(vec![]);
    }
    // Ten blocks of sixteen places at half the reputation are 1,111 nano; there are 100.
    let tx = net.tx(0, Action::Heartbeat);
    net.block(vec![tx]);
    let earned: Earned = net.get(Key::Earned(who(0))).unwrap();
    assert_eq!((earned.availability.get(), net.balance(pools::availability())), (100, 0));
}

#[test]
fn a_worker_with_a_floor_is_not_drawn_for_less() {
    let mut net = Net::new(1);
    let register = |floor| Action::RegisterWorker {
        capacity: 16,
        city: Text::default(),
        floor: NanoMeshx::new(floor),
    };
    let fees = Action::Transfer { to: who(0), amount: NanoMeshx::new(100_000) };
    let tx = net.tx(CLIENT, fees);
    net.block(vec![tx]);
    // The limit is a millisecond: 2,000 nano are offered, a floor of 0.1 MESHX a core-second asks for 100,000.
    let tx = net.tx(0, register(100_000_000));
    net.block(vec![tx]);
    let id = net.submit(submission(1, 1, 100));
    net.block(vec![]);
    assert_eq!(net.job(id).phase, Phase::Queued { draws: 1 });
    let reasons = why(
        &net.job(id),
        &[(who(0), net.get(Key::Worker(who(0))).unwrap())],
        &net.genesis.params,
        Height::new(9),
    );
    assert!(reasons.iter().any(|reason| reason.rule == "floor"), "{reasons:?}");
    // At 1.5 times the base rate it takes the job, and gets its floor.
    let tx = net.tx(0, register(1_500_000));
    net.block(vec![tx]);
    net.run(id, |_| Some(outcome(1)));
    let Phase::Settled(settlement) = net.job(id).phase else { panic!("{:?}", net.job(id).phase) };
    // A hundred microseconds of running and one of compiling, rounded up.
    assert_eq!(settlement.paid.get(), 152);
}

/// As `count` registrations would leave the state: workers that nobody can pay, or that are busy.
fn add_workers(net: &mut Net, count: u32, floor: u64) {
    use types::state::Market;
    let before: u32 = net.get(Key::WorkerPlaces).unwrap();
    for i in 0..count {
        let who = Address::of(&PublicKey(types::domain_hash("worker", &[&i.to_be_bytes()]).0));
        let record = WorkerRecord {
            capacity: 16,
            reputation: REPUTATION_NEW,
            floor: NanoMeshx::new(floor),
            ..WorkerRecord::default()
        };
        let place = WorkerPlace { worker: who, nth: 0 };
        net.store.0.insert(Key::WorkerPlace(before + i), place.encode().to_vec());
        net.store.0.insert(Key::Worker(who), record.encode().to_vec());
    }
    net.store.0.insert(Key::WorkerPlaces, (before + count).encode().to_vec());
    net.store.0.insert(Key::WorkerCount, (before + count).encode().to_vec());
    let mut market: Market = net.get(Key::Market).unwrap();
    market.capacity += 16 * u64::from(count);
    net.store.0.insert(Key::Market, market.encode().to_vec());
}

/// Submissions that differ, of 16 replicas, for as little as can be.
fn many_jobs(net: &mut Net, count: u64, deadline: u64) -> Vec<CheckedTx> {
    let job = |i: u64| {
        let mut submission = submission(16, 9, deadline);
        submission.spec.seed = types::domain_hash("job", &[&i.to_be_bytes()]);
        submission.spec.limits.fuel = Fuel::new(1);
        submission.price_max = NanoMeshx::new(1_600);
        submission
    };
    (0..count).map(|i| net.tx(CLIENT, Action::SubmitJob(job(i)))).collect()
}

/// What the protocol's own work of a block may cost at most: draws and due jobs stop at the first item beyond their share,
/// and a draw of 16 replicas may look at 1,024 workers.
const OWN_MAX: u64 = gas::DRAWS_MAX + gas::DUE_MAX + 10_000_000;

#[test]
fn jobs_that_nobody_takes_do_not_hold_up_blocks() {
    for workers in [16, 1_000] {
        let mut net = Net::new(0);
        add_workers(&mut net, workers, u64::MAX);
        let height = net.height;
        let before = net.balance(who(CLIENT));
        let mut txs = many_jobs(&mut net, 40, height + 100_000);
        let ids: Vec<TxId> = txs.iter().map(CheckedTx::id).collect();
        net.submit_all(&mut txs);
        let paid_in = before - net.balance(who(CLIENT));
        let mut draws = 0;
        for _ in 0..8 {
            let applied = net.block(vec![]);
            let own = applied.gas.own;
            assert!(own < OWN_MAX, "{workers} workers: a block of nothing else used {own} gas");
            draws += applied.charged.len();
        }
        assert!(draws >= 40, "{workers} workers: {draws} draws");
        let paid = before - net.balance(who(CLIENT)) - paid_in;
        assert!(paid >= 1_000 * draws as u64, "{draws} draws for {paid} nano");
        let waits = ids.iter().filter(|id| matches!(net.job(**id).phase, Phase::Queued { .. }));
        assert_eq!(waits.count(), ids.len());
    }
}

#[test]
fn who_cannot_pay_for_another_draw_gets_the_rest_back() {
    let mut net = Net::new(2);
    let height = net.height;
    let all = net.balance(who(CLIENT));
    let mut rich = submission(3, 2, height + 1_000);
    rich.price_max = NanoMeshx::new(all - 60_000);
    let id = net.submit(rich);
    assert!(matches!(net.job(id).phase, Phase::Queued { draws: 0 }));
    while let Phase::Queued { draws } = net.job(id).phase {
        assert!(draws < 60, "it is drawn for ever");
        net.block(vec![]);
    }
    assert!(matches!(net.job(id).phase, Phase::Ended { ending: Ending::Expired, .. }));
    assert!(net.balance(who(CLIENT)) > all - 61_000);
}

#[test]
fn draws_of_a_job_come_ever_later_and_find_the_worker_that_comes() {
    let mut net = Net::new(2);
    let height = net.height;
    let id = net.submit(submission(3, 2, height + 1_000));
    let mut at = vec![];
    for _ in 0..60 {
        if !net.block(vec![]).charged.is_empty() {
            at.push(net.height - height);
        }
    }
    // The first draw is in the block after the submission; a draw asks for its beacon one block before.
    assert_eq!(at, [2, 4, 7, 12, 21, 38, 55]);
    add_workers(&mut net, 1, 0);
    for _ in 0..17 {
        net.block(vec![]);
    }
    assert!(matches!(net.job(id).phase, Phase::Committing { .. }));
}

#[test]
fn a_block_of_due_jobs_is_bounded_and_none_is_forgotten() {
    let mut net = Net::new(0);
    let height = net.height;
    let mut txs = many_jobs(&mut net, 500, height + 60);
    let ids: Vec<TxId> = txs.iter().map(CheckedTx::id).collect();
    net.submit_all(&mut txs);
    for _ in 0..80 {
        let own = net.block(vec![]).gas.own;
        assert!(own < OWN_MAX, "{own} gas");
    }
    assert_eq!(net.get::<types::state::Heights>(Key::Overdue).unwrap_or_default().len(), 0);
    for id in ids {
        assert!(matches!(net.job(id).phase, Phase::Ended { .. }), "{:?}", net.job(id).phase);
    }
    assert_eq!(net.balance(pools::escrow()), 0);
}

#[test]
fn a_proposer_does_not_spend_more_than_a_block_on_what_it_refuses() {
    let net = Net::new(0);
    // Each is refused after its signature was looked at, since its account has nothing.
    let poor = |n: u8| {
        let action = Action::Transfer { to: who(1), amount: NanoMeshx::new(1) };
        check_tx(signed(n, 0, action), &NETWORK, ChainId::Europe).unwrap()
    };
    let some: Vec<CheckedTx> = (0..99).map(poor).collect();
    let txs: Vec<CheckedTx> = some.iter().cycle().take(40_000).cloned().collect();
    let sent = txs.len();
    let built = net.try_block(txs, vec![], Mode::Build).unwrap();
    assert!(built.included.is_empty());
    assert!(built.refused.len() < sent / 2, "{} of {sent} were looked at", built.refused.len());
}
