//! The bytes of wire types are pinned: `vectors/` at the root of the repository, read by everyone who
//! speaks the protocol. `MESHX_UPDATE=1` writes them anew, which is a decision and says so in its commit.

use serde::{Serialize, de::DeserializeOwned};
use std::{fmt::Debug, path::Path};
use types::{
    Abi, Action, Address, Agreement, Beacon, Block, Body, ChainId, DoubleSigning, Epoch,
    FinalHeader, Float, Fuel, Hash, Header, Height, InputFile, JobSpec, Limits, List, LogRoot,
    Millis, NanoMeshx, Outcome, OutputRef, ParamName, Ppm, Proved, PublicKey, Relay, Relayed,
    Reveal, Signature, SignedVote, Status, Submission, Text, Trap, Tx, VoteKind,
    codec::{Bytes, DecodeExt, Encode, Read},
    committee::{
        CommitteeSeat, DrawRecord, SeatsRecord, SortitionParams, Ticket, TicketRecord, VrfRecord,
    },
    governance::{
        Decree, Order, ParamChange, Proposal, ProposalKind, ProposalStatus, Tally, VoteOption,
    },
    network::Anchor,
    presence::{
        Claim, Measured, MeasuredRecord, MeasuredRow, Minimum, PeriodRecord, PresenceCertificate,
        PresenceParams, PresenceRecord, PresenceTier, WitnessEntry, WitnessList, unnamed_network,
    },
    staking::{
        Arrival, Commission, DelegationRecord, Fault, Slash, StakeOrder, StakingParams, Standing,
        Unbonding, UnbondingRecord, ValidatorRecord,
    },
    state::{
        Account, BallotKey, JobRecord, Key, Phase, Seat, Settlement, Stake, Supply, Terms,
        ViewStep, VotesKey, WorkerRecord,
    },
};

/// Compare `value` with the vector called `name`: same bytes, and the bytes decode to the same value.
#[track_caller]
fn check<T: Encode + Read<Cfg = ()> + PartialEq + Debug>(name: &str, value: &T) {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors").join(format!("{name}.hex"));
    let bytes = value.encode();
    if std::env::var_os("MESHX_UPDATE").is_some() {
        std::fs::write(&path, format!("{}\n", hex::encode(&bytes))).unwrap();
    }
    let pinned = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(hex::encode(&bytes), pinned.trim(), "the bytes of {name} have changed");
    assert_eq!(T::decode(bytes.clone()).unwrap(), *value);
    for end in 0..bytes.len() {
        assert!(
            T::decode(bytes.slice(..end)).is_err(),
            "{name} decodes from {end} of {} bytes",
            bytes.len()
        );
    }
    let mut longer = bytes.to_vec();
    longer.push(0);
    assert!(T::decode(longer).is_err(), "{name} decodes with a byte too many");
}

fn hash(n: u8) -> Hash {
    Hash([n; 32])
}
fn address(n: u8) -> Address {
    Address::of(&PublicKey([n; 32]))
}
fn output(n: u8) -> OutputRef {
    OutputRef { hash: hash(n), len: u64::from(n) }
}
fn outcome() -> Outcome {
    Outcome {
        status: Status::Exited(-3),
        stdout: output(1),
        stderr: output(2),
        fuel: Fuel::new(34_995),
        memory_bytes: 1_114_112,
    }
}

fn submission() -> Submission {
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

fn tx(action: Action) -> Tx {
    Tx {
        chain: ChainId::Europe,
        sender: PublicKey([8; 32]),
        nonce: 9,
        tip: NanoMeshx::new(10),
        action,
        signature: Signature([11; 64]),
    }
}

fn job(phase: Phase) -> JobRecord {
    let (payer, submitted, demand) = (address(12), Height::new(7), Ppm::new(875_000));
    JobRecord { payer, submission: submission(), submitted, demand, phase }
}

#[test]
fn transactions() {
    check(
        "tx-transfer",
        &tx(Action::Transfer { to: address(1), amount: NanoMeshx::new(u64::MAX) }),
    );
    check(
        "tx-register-worker",
        &tx(Action::RegisterWorker {
            capacity: 16,
            city: Text::new("Warsaw").unwrap(),
            floor: NanoMeshx::new(5),
        }),
    );
    check("tx-submit-job", &tx(Action::SubmitJob(submission())));
    check("tx-commit", &tx(Action::Commit { job: hash(1), commitment: hash(2) }));
    check(
        "tx-reveal",
        &tx(Action::Reveal(Reveal { job: hash(1), outcome: outcome(), salt: hash(2) })),
    );
    check("tx-publish-module", &tx(Action::PublishModule { module: hash(1), royalty_bps: 250 }));
    check("tx-heartbeat", &tx(Action::Heartbeat));
    let vote = |n| SignedVote {
        chain: ChainId::Backbone,
        kind: VoteKind::Finalize,
        epoch: Epoch::ZERO,
        view: 7,
        parent: 6,
        payload: hash(n),
        signature: Signature([n; 64]),
    };
    let evidence = DoubleSigning { key: PublicKey([3; 32]), first: vote(1), second: vote(2) };
    check("tx-report", &tx(Action::Report(evidence)));
    let change = ParamChange { chain: None, name: ParamName::RateCoreSecond, value: 2_000_000 };
    let kind = ProposalKind::ChangeParams { changes: List::new(vec![change]).unwrap() };
    let title = Text::new("Dearer cores").unwrap();
    check("tx-propose", &tx(Action::Propose { title: title.clone(), kind: kind.clone() }));
    check("tx-vote", &tx(Action::Vote { proposal: 1, option: VoteOption::Veto }));
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
    check("proposal", &proposal);
    let until = Millis::new(7);
    let order = Order::Pause { chain: Some(ChainId::Asia), until };
    check("decree", &Decree { number: 6, proposal: 1, order });
    check("tx-claim-vested", &tx(Action::ClaimVested { amount: NanoMeshx::new(3) }));
    let proof = Signature([4; 64]);
    let amount = NanoMeshx::new(5);
    let key = PublicKey([6; 32]);
    let order = StakeOrder::Bond { key, amount, commission_bps: 500, proof };
    check("tx-stake-bond", &tx(Action::Stake(order)));
    let order = StakeOrder::Undelegate { validator: address(7), amount: None };
    check("tx-stake-undelegate", &tx(Action::Stake(order)));
    let address = Text::new("/dns4/node.example/tcp/8704/p2p/12D3KooW").unwrap();
    let order = StakeOrder::Announce { addresses: List::new(vec![address]).unwrap() };
    check("tx-stake-announce", &tx(Action::Stake(order)));
    check("tx-cancel-job", &tx(Action::CancelJob { job: hash(1) }));
}

#[test]
fn blocks() {
    let beacon = Beacon {
        height: Height::new(4),
        epoch: Epoch::ZERO,
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
    check("block", &Block { header: header.clone(), body });
    let certificate = Bytes::new(vec![8; 240]).unwrap();
    check("final-header", &FinalHeader { header, certificate });
}

fn header(body: Hash) -> Header {
    let log = LogRoot { root: hash(1), start: 2, end: 3 };
    Header {
        chain: ChainId::Antarctica,
        epoch: Epoch::new(1),
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

#[test]
fn state_records() {
    check("account", &Account { balance: NanoMeshx::new(1), nonce: 2 });
    check(
        "supply",
        &Supply {
            genesis: types::SUPPLY_MAX,
            minted: NanoMeshx::new(4),
            burned: NanoMeshx::new(3),
        },
    );
    let city = Text::new("Nairobi").unwrap();
    check(
        "worker",
        &WorkerRecord {
            capacity: 4,
            running: 1,
            reputation: 5_000,
            city,
            registered: Height::new(6),
            floor: NanoMeshx::new(7),
            seen: Height::new(8),
        },
    );
    check("job-queued", &job(Phase::Queued));
    let terms = Terms { reputation: 5_000, floor: NanoMeshx::new(1) };
    let seat = |n, commitment, outcome| Seat { worker: address(n), terms, commitment, outcome };
    let seats =
        List::new(vec![seat(1, Some(hash(2)), Some(outcome())), seat(3, None, None)]).unwrap();
    let settlement = Settlement {
        height: Height::new(9),
        outcome: Outcome { status: Status::Trapped(Trap::OutOfMemory), ..outcome() },
        agreed: 1,
        seats,
        paid: NanoMeshx::new(35),
        refunded: NanoMeshx::new(39_999_965),
        cached_from: Some(hash(8)),
    };
    check("job-settled", &job(Phase::Settled(settlement)));
}

#[test]
fn state_keys() {
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
        Key::ViewTime(ViewStep { epoch: Epoch::new(18), step: 26 }),
        Key::Proposal(19),
        Key::ProposalCount,
        Key::OpenProposals,
        Key::Ballot(BallotKey { proposal: 20, voter: address(21), validator: address(22) }),
        Key::ValidatorVotes(VotesKey { proposal: 23, validator: address(24) }),
        Key::Decree(25),
        Key::Decrees,
        Key::Admission(ChainId::Antarctica),
        Key::Term(Epoch::new(27)),
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
    ]);
    check("state-keys", &keys.unwrap());
}

/// Bytes from outside never panic a decoder, and what decodes has one encoding.
#[test]
fn random_bytes_are_refused_or_canonical() {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let valid = tx(Action::SubmitJob(submission())).encode().to_vec();
    for _ in 0..20_000 {
        let mut bytes = valid.clone();
        for _ in 0..=random() % 4 {
            let place = random() as usize % bytes.len();
            bytes[place] = random() as u8;
        }
        bytes.truncate(bytes.len() - (random() % 3) as usize);
        if let Ok(tx) = Tx::decode(bytes.clone()) {
            assert_eq!(tx.encode().to_vec(), bytes);
        }
    }
}

#[test]
fn stake() {
    let params = StakingParams {
        validator_min: NanoMeshx::new(1),
        delegator_min: NanoMeshx::new(2),
        unbonding_ms: Millis::new(3),
        slash_bps: 4,
        commission_max_bps: 5,
        jail_ms: Millis::new(6),
        validators_max: 7,
    };
    check("staking-params", &params);
    let slash = |fault| Slash { fault, height: Height::new(8), bps: 9 };
    let validator = |standing| ValidatorRecord {
        operator: address(1),
        key: PublicKey([2; 32]),
        standing,
        tokens: NanoMeshx::new(u64::MAX),
        shares: u128::MAX,
        shares_own: 1 << 64,
        commission: Commission { bps: 10, next_bps: 11, next_at: Millis::new(12) },
        commission_owed: NanoMeshx::new(13),
        rewards_per_share: 14 << 64,
        remainder: 15,
        dust: 19,
        slashes: List::new(vec![slash(Fault::DoubleSigning), slash(Fault::WrongResult)]).unwrap(),
    };
    check("validator-active", &validator(Standing::Active));
    check("validator-jailed", &validator(Standing::Jailed { until: Millis::new(16) }));
    check("validator-tombstoned", &validator(Standing::Tombstoned));
    let arrival = Arrival {
        from: address(3),
        shares: 17,
        created: Height::new(18),
        matures: Millis::new(19),
        slashes_seen: 1,
    };
    let delegation = DelegationRecord {
        shares: 20,
        paid_up_to: 21 << 64,
        owed: NanoMeshx::new(22),
        owed_fraction: 23,
        arrivals: List::new(vec![arrival]).unwrap(),
    };
    check("delegation", &delegation);
    let entry = Unbonding {
        amount: NanoMeshx::new(24),
        created: Height::new(25),
        matures: Millis::new(26),
        slashes_seen: 2,
    };
    check("unbonding", &UnbondingRecord { entries: List::new(vec![entry]).unwrap() });
}

#[test]
fn presence() {
    let place = "52.52,13.405".parse().unwrap();
    let claim = Claim {
        prover: PublicKey([1; 32]),
        place,
        continent: ChainId::Europe,
        attestation: hash(2),
        vrf_key: hash(3),
        period: 20_421,
    };
    let minimum = |witness, rtt_us| Minimum { witness, rtt_us, signature: Signature([6; 64]) };
    let certificate = PresenceCertificate {
        claim,
        draw: Bytes::new(vec![4; 80]).unwrap(),
        transcript: hash(5),
        signature: Signature([7; 64]),
        minima: List::new(vec![minimum(3, 11_250), minimum(1_027, 90_001)]).unwrap(),
    };
    check("presence-certificate", &certificate);
    check("tx-certify", &tx(Action::Certify(certificate)));
    check("presence-params", &PresenceParams::DEFAULT);
    let witness = WitnessEntry {
        key: PublicKey([8; 32]),
        place,
        operator: address(9),
        network: unnamed_network(&address(9)),
    };
    check("witnesses", &WitnessList::new(vec![witness]).unwrap());
    let period =
        PeriodRecord { number: 3, began: Height::new(4), started: Millis::new(5), seed: hash(6) };
    check("period", &period);
    let record = PresenceRecord {
        tier: PresenceTier::Certified,
        continent: ChainId::Europe,
        place,
        key: PublicKey([7; 32]),
        certificate: hash(8),
        period: 9,
        issued: Millis::new(10),
        expires: Millis::new(11),
    };
    check("presence", &record);
    let row = |period, rtt_us| MeasuredRow {
        period,
        times: List::new(vec![Measured { witness: PublicKey([12; 32]), rtt_us }]).unwrap(),
    };
    check("measured", &MeasuredRecord { newest: row(3, 11_250), before: Some(row(2, 11_300)) });
}

#[test]
fn committees() {
    check("sortition-params", &SortitionParams::DEFAULT);
    let proof = Bytes::new(vec![1; 80]).unwrap();
    let ticket = Ticket { epoch: Epoch::new(2), operator: address(3), proof: proof.clone() };
    check("tx-ticket", &tx(Action::Ticket(ticket)));
    let order = StakeOrder::RegisterVrf { key: hash(4), proof };
    check("tx-stake-register-vrf", &tx(Action::Stake(order)));
    check("vrf", &VrfRecord { key: hash(5), registered: Height::new(6) });
    let draw = DrawRecord {
        epoch: Epoch::new(7),
        boundary: Height::new(8),
        seed: hash(9),
        opens: Height::new(10),
        closes: Height::new(11),
    };
    check("draw", &draw);
    let output = Bytes::new(vec![12; 64]).unwrap();
    check("ticket", &TicketRecord { epoch: Epoch::new(13), output });
    let seat = CommitteeSeat {
        operator: address(14),
        key: PublicKey([15; 32]),
        tokens: NanoMeshx::new(16),
    };
    let seats = SeatsRecord {
        chain: ChainId::Africa,
        number: 17,
        chosen: Height::new(18),
        seats: List::new(vec![seat]).unwrap(),
    };
    check("seats", &seats);
    let anchor = Anchor {
        name: Text::new("test").unwrap(),
        dev_dealer: false,
        chains: List::new(vec![]).unwrap(),
    };
    let proved = Proved {
        record: seats,
        header: header(Hash::ZERO),
        certificate: Bytes::new(vec![19; 240]).unwrap(),
        proof: Bytes::new(vec![20; 32]).unwrap(),
    };
    let relayed = Relayed { anchor, proved };
    check("tx-seat", &tx(Action::Seat(relayed.clone())));
    is_flat("seats", &relayed, Action::Seat(relayed.clone()));
    let order = Order::SetParams { changes: List::default() };
    let record = Decree { number: 21, proposal: 22, order };
    let Proved { header, certificate, proof, .. } = relayed.proved;
    let proved = Proved { record, header, certificate, proof };
    let relayed = Relayed { anchor: relayed.anchor, proved };
    is_flat("decree", &relayed, Action::Relay(relayed.clone()));
}

/// A relayed record has its parts' bytes one after the other, and in JSON goes by its name.
#[track_caller]
fn is_flat<T>(name: &str, relayed: &Relayed<T>, action: Action)
where
    T: Relay + Encode + Serialize + DeserializeOwned + PartialEq + Debug,
{
    let Relayed { anchor, proved: Proved { record, header, certificate, proof } } = relayed;
    let parts =
        [anchor.encode(), record.encode(), header.encode(), certificate.encode(), proof.encode()];
    assert_eq!(relayed.encode(), parts.concat());
    let json = serde_json::to_string(relayed).unwrap();
    let parts = [
        ("anchor", serde_json::to_string(anchor)),
        (name, serde_json::to_string(record)),
        ("header", serde_json::to_string(header)),
        ("certificate", serde_json::to_string(certificate)),
        ("proof", serde_json::to_string(proof)),
    ];
    let parts = parts.map(|(name, json)| format!("\"{name}\":{}", json.unwrap()));
    assert_eq!(json, format!("{{{}}}", parts.join(",")));
    assert_eq!(serde_json::from_str::<Relayed<T>>(&json).unwrap(), *relayed);
    let json = serde_json::to_string(&action).unwrap();
    assert_eq!(serde_json::from_str::<Action>(&json).unwrap(), action);
}

/// What is measured in a period counts from the next one on, however often it is measured anew.
#[test]
fn a_row_counts_from_the_period_after_it() {
    let row = |period, rtt_us| MeasuredRow {
        period,
        times: List::new(vec![Measured { witness: PublicKey([1; 32]), rtt_us }]).unwrap(),
    };
    let first = MeasuredRecord::with(None, row(3, 10));
    assert_eq!((first.frozen(3), first.frozen(4)), (None, Some(&row(3, 10))));
    let again = MeasuredRecord::with(Some(first), row(3, 11));
    assert_eq!((again.frozen(3), again.frozen(4)), (None, Some(&row(3, 11))));
    let next = MeasuredRecord::with(Some(again), row(4, 12));
    let next = MeasuredRecord::with(Some(next), row(4, 13));
    assert_eq!((next.frozen(4), next.frozen(5)), (Some(&row(3, 11)), Some(&row(4, 13))));
}
