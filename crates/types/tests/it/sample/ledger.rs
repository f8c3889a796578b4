//! Transactions, blocks and what a chain remembers.

use super::{Sample, add, add_bare, address, hash};
use types::{
    Abi, Action, Agreement, Beacon, Block, Body, ChainId, EquivocationProof, FinalHeader, Float,
    Fuel, Hash, Header, Height, InputFile, JobSpec, Limits, List, LogRoot, Millis, NanoMeshx,
    Nonce, Once, Outcome, OutputFile, OutputFiles, OutputList, OutputRef, ParamName, Params, Ppm,
    PublicKey, Reveal, Signature, SignedVote, Status, Submission, Term, Text, Trap, Tx, VoteKind,
    codec::Bytes,
    folder::{FolderFile, FolderIndex},
    governance::{
        Decree, Order, ParamChange, Proposal, ProposalKind, ProposalStatus, Tally, VoteOption,
    },
    staking::StakeOrder,
    state::{
        Account, Assignment, BallotKey, Earned, JobRecord, Key, Phase, Settlement, Stake, Supply,
        Terms, ViewStep, VotesKey, WorkerRecord,
    },
};

pub fn add_all(all: &mut Vec<Sample>) {
    transactions(all);
    blocks(all);
    state_records(all);
    state_keys(all);
}

fn output(n: u8) -> OutputRef {
    OutputRef { hash: hash(n), len: u64::from(n) }
}
pub fn outcome() -> Outcome {
    Outcome {
        status: Status::Exited(-3),
        stdout: output(1),
        stderr: output(2),
        fuel: Fuel::new(34_995),
        memory_bytes: 1_114_112,
    }
}

pub fn submission() -> Submission {
    let file = InputFile { name: Text::new("data.csv").unwrap(), content: hash(6), len: 600 };
    let spec = JobSpec {
        module: hash(3),
        module_len: 300,
        abi: Abi::Wasi,
        float: Float::Strict,
        input: hash(4),
        input_len: 400,
        args: List::new(vec![Text::new("--fast").unwrap()]).unwrap(),
        env: List::new(vec![Text::new("A=ü").unwrap()]).unwrap(),
        files: List::new(vec![file]).unwrap(),
        limits: Limits {
            fuel: Fuel::new(1 << 40),
            memory_bytes: 1 << 28,
            output_bytes: 1 << 24,
            wall: Millis::new(60_000),
        },
        profile: hash(5),
        seed: hash(7),
        clock: Millis::new(1_767_225_600_000),
    };
    let agreement = Agreement { replicas: 4, agree: 3 };
    Submission {
        spec,
        agreement,
        price_max: NanoMeshx::new(40_000_000),
        deadline: Height::new(1_207),
        fresh: true,
    }
}

pub fn tx(action: Action) -> Tx {
    Tx {
        chain: ChainId::Europe,
        sender: PublicKey([8; 32]),
        nonce: Nonce::strict(9),
        tip: NanoMeshx::new(10),
        fee_max: NanoMeshx::new(4_000),
        action,
        signature: Signature([11; 64]),
    }
}

pub fn job(phase: Phase) -> JobRecord {
    let (payer, submitted, demand) = (address(12), Height::new(7), Ppm::new(875_000));
    JobRecord { payer, submission: submission(), submitted, demand, phase }
}

fn transactions(all: &mut Vec<Sample>) {
    add(
        all,
        "tx-transfer",
        &tx(Action::Transfer { to: address(1), amount: NanoMeshx::new(u64::MAX) }),
    );
    let once = Once { height: Height::new(1_207), salt: u64::MAX };
    let expiring = Tx { nonce: Nonce::Until(once), ..tx(Action::Heartbeat) };
    add(all, "tx-expiring", &expiring);
    add(
        all,
        "tx-register-worker",
        &tx(Action::RegisterWorker {
            capacity: 16,
            city: Text::new("Warsaw").unwrap(),
            floor: NanoMeshx::new(5),
        }),
    );
    add(all, "tx-submit-job", &tx(Action::SubmitJob(submission())));
    add(all, "tx-commit", &tx(Action::Commit { job: hash(1), commitment: hash(2) }));
    add(
        all,
        "tx-reveal",
        &tx(Action::Reveal(Reveal { job: hash(1), outcome: outcome(), salt: hash(2) })),
    );
    let files = OutputFiles { list: output(3), bytes: 260 };
    let outcome = Outcome { status: Status::ExitedWithFiles { code: 4, files }, ..outcome() };
    let reveal = Reveal { job: hash(1), outcome, salt: hash(2) };
    add(all, "tx-reveal-files", &tx(Action::Reveal(reveal)));
    add(all, "tx-publish-module", &tx(Action::PublishModule { module: hash(1), royalty_bps: 250 }));
    add(all, "tx-heartbeat", &tx(Action::Heartbeat));
    let vote = |n| SignedVote {
        chain: ChainId::Backbone,
        kind: VoteKind::Finalize,
        term: Term::ZERO,
        view: 7,
        parent: 6,
        payload: hash(n),
        signature: Signature([n; 64]),
    };
    add(all, "signed-vote", &vote(1));
    let proof = EquivocationProof { key: PublicKey([3; 32]), first: vote(1), second: vote(2) };
    add(all, "tx-report", &tx(Action::Report(proof)));
    let change = ParamChange { chain: None, name: ParamName::RateCoreSecond, value: 2_000_000 };
    let kind = ProposalKind::ChangeParams { changes: List::new(vec![change]).unwrap() };
    let title = Text::new("Dearer cores").unwrap();
    add(all, "tx-propose", &tx(Action::Propose { title: title.clone(), kind: kind.clone() }));
    add(all, "tx-vote", &tx(Action::Vote { proposal: 1, option: VoteOption::Veto }));
    let proposal = Proposal {
        id: 1,
        proposer: address(2),
        title,
        kind,
        deposit: NanoMeshx::new(3),
        submitted: Millis::new(4),
        status: ProposalStatus::Voting { closes: Millis::new(5) },
        tally: Tally::default(),
    };
    add(all, "proposal", &proposal);
    let until = Millis::new(7);
    let order = Order::Pause { chain: Some(ChainId::Asia), until };
    add(all, "decree", &Decree { number: 6, proposal: 1, order });
    add(all, "tx-claim-vested", &tx(Action::ClaimVested { amount: NanoMeshx::new(3) }));
    let proof = Signature([4; 64]);
    let amount = NanoMeshx::new(5);
    let key = PublicKey([6; 32]);
    let order = StakeOrder::Bond { key, amount, commission_bps: 500, proof };
    add(all, "tx-stake-bond", &tx(Action::Stake(order)));
    let order = StakeOrder::Undelegate { validator: address(7), amount: None };
    add(all, "tx-stake-undelegate", &tx(Action::Stake(order)));
    let address = Text::new("/dns4/node.example/tcp/8704/p2p/12D3KooW").unwrap();
    let order = StakeOrder::Announce { addresses: List::new(vec![address]).unwrap() };
    add(all, "tx-stake-announce", &tx(Action::Stake(order)));
    add(all, "tx-cancel-job", &tx(Action::CancelJob { job: hash(1) }));
}

fn blocks(all: &mut Vec<Sample>) {
    let beacon = Beacon {
        height: Height::new(4),
        term: Term::ZERO,
        view: 5,
        signature: Bytes::new(vec![6; 48]).unwrap(),
    };
    let txs = vec![tx(Action::CancelJob { job: hash(7) })];
    let body = Body {
        beacons: List::new(vec![beacon]).unwrap(),
        txs: List::new(txs).unwrap(),
        ceremony: Some(Bytes::new(vec![8; 3]).unwrap()),
    };
    let header = header(body.root());
    add(all, "block", &Block { header: header.clone(), body });
    let certificate = Bytes::new(vec![8; 240]).unwrap();
    add_bare(all, "final-header", &FinalHeader { header, certificate });
}

pub fn header(body: Hash) -> Header {
    let log = LogRoot { root: hash(1), start: 2, end: 3 };
    Header {
        chain: ChainId::Antarctica,
        term: Term::new(1),
        view: 2,
        leader: PublicKey([3; 32]),
        parent_view: 1,
        parent: hash(4),
        height: Height::new(5),
        timestamp: Millis::new(6),
        body,
        state_root: hash(7),
        state_log: log,
        outbox: log,
    }
}

fn state_records(all: &mut Vec<Sample>) {
    add(all, "account", &Account { balance: NanoMeshx::new(1), nonce: 2 });
    add(
        all,
        "supply",
        &Supply {
            genesis: types::SUPPLY_MAX,
            minted: NanoMeshx::new(4),
            burned: NanoMeshx::new(3),
        },
    );
    let city = Text::new("Nairobi").unwrap();
    add(
        all,
        "worker",
        &WorkerRecord {
            capacity: 4,
            running: 1,
            reputation: 5_000,
            city,
            registered: Height::new(6),
            floor: NanoMeshx::new(7),
            seen: Height::new(8),
            bond: NanoMeshx::new(9),
            leaving: NanoMeshx::new(10),
            free_at: Height::new(11),
            silent: false,
        },
    );
    add(all, "params", &Params::DEFAULT);
    let earned = Earned {
        jobs: NanoMeshx::new(1),
        availability: NanoMeshx::new(2),
        royalties: NanoMeshx::new(3),
        rewards: NanoMeshx::new(4),
        commission: NanoMeshx::new(5),
        tips: NanoMeshx::new(6),
    };
    add(all, "earned", &earned);
    add(all, "job-queued", &job(Phase::Queued { draws: 0 }));
    let file = |path, len| FolderFile { path: Text::new(path).unwrap(), len };
    let index = FolderIndex { files: List::new(vec![file("a/b", 300), file("c", 0)]).unwrap() };
    add(all, "folder-index", &index);
    let file = |path, n| OutputFile { path: Text::new(path).unwrap(), content: output(n) };
    let files = List::new(vec![file("a/ü.txt", 5), file("b", 255)]).unwrap();
    add(all, "output-list", &OutputList { files });
    let terms = Terms { reputation: 5_000, floor: NanoMeshx::new(1) };
    let assignment =
        |n, commitment, outcome| Assignment { worker: address(n), terms, commitment, outcome };
    let assignments =
        List::new(vec![assignment(1, Some(hash(2)), Some(outcome())), assignment(3, None, None)])
            .unwrap();
    let settlement = Settlement {
        height: Height::new(9),
        outcome: Outcome { status: Status::Trapped(Trap::OutOfMemory), ..outcome() },
        agreed: 1,
        assignments,
        paid: NanoMeshx::new(35),
        refunded: NanoMeshx::new(39_999_965),
        cached_from: Some(hash(8)),
    };
    add(all, "job-settled", &job(Phase::Settled(settlement)));
}

fn state_keys(all: &mut Vec<Sample>) {
    let keys = List::<_, 64>::new(vec![
        Key::Params,
        Key::Supply,
        Key::Account(address(1)),
        Key::Job(hash(2)),
        Key::Worker(address(3)),
        Key::WorkerCount,
        Key::WorkerAt(4),
        Key::Queue,
        Key::Queued(Height::new(5)),
        Key::Due(Height::new(6)),
        Key::Cached(hash(7)),
        Key::Market,
        Key::Module(hash(8)),
        Key::Earned(address(9)),
        Key::Vesting(address(10)),
        Key::Validator(address(11)),
        Key::ValidatorKey(PublicKey([12; 32])),
        Key::Validators,
        Key::Delegation(Stake { delegator: address(13), validator: address(14) }),
        Key::Unbonding(Stake { delegator: address(15), validator: address(16) }),
        Key::Backed(address(17)),
        Key::ViewTime(ViewStep { term: Term::new(18), step: 26 }),
        Key::Proposal(19),
        Key::ProposalCount,
        Key::OpenProposals,
        Key::Ballot(BallotKey { proposal: 20, voter: address(21), validator: address(22) }),
        Key::ValidatorVotes(VotesKey { proposal: 23, validator: address(24) }),
        Key::Decree(25),
        Key::Decrees,
        Key::Admission(ChainId::Antarctica),
        Key::Term(Term::new(27)),
        Key::Vrf(address(26)),
        Key::Draw,
        Key::Ticket(address(27)),
        Key::Seats(ChainId::Oceania),
        Key::Presence(address(28)),
        Key::Measured(PublicKey([29; 32])),
        Key::Marks(PublicKey([30; 32])),
        Key::Period,
        Key::Witnesses,
        Key::GenesisWitnesses,
        Key::Spent(address(18)),
    ]);
    add_bare(all, "state-keys", &keys.unwrap());
}
