//! Stake, presence, committees and attestation.

use super::{
    Sample, add, address, hash,
    ledger::{header, tx},
};
use types::{
    Action, ChainId, Epoch, Hash, Height, Import, List, Millis, NanoMeshx, Params, Proved,
    PublicKey, Schedule, Signature, Text, Vesting,
    attest::{AttestationRecord, Challenges, Class, TcbStatus, Technology},
    codec::Bytes,
    committee::{
        CommitteeSeat, DrawRecord, SeatsRecord, SortitionParams, Ticket, TicketRecord, VrfRecord,
    },
    governance::{Decree, Order},
    network::{
        ChainKey, Genesis, GenesisAccount, GenesisStake, GenesisVesting, GenesisWorker,
        NetworkKeys, Validator,
    },
    presence::{
        Claim, Measured, MeasuredRecord, MeasuredRow, Minimum, PeriodRecord, PresenceCertificate,
        PresenceParams, PresenceRecord, PresenceTier, WitnessEntry, WitnessList, unnamed_network,
    },
    staking::{
        Arrival, Commission, DelegationRecord, Fault, Slash, StakeOrder, StakingParams, Standing,
        Unbonding, UnbondingRecord, ValidatorRecord,
    },
};

pub fn add_all(all: &mut Vec<Sample>) {
    stake(all);
    presence(all);
    committees(all);
    attestation(all);
    network(all);
}

fn stake(all: &mut Vec<Sample>) {
    let params = StakingParams {
        validator_min: NanoMeshx::new(1),
        delegator_min: NanoMeshx::new(2),
        unbonding_ms: Millis::new(3),
        slash_bps: 4,
        commission_max_bps: 5,
        jail_ms: Millis::new(6),
        validators_max: 7,
    };
    add(all, "staking-params", &params);
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
    add(all, "validator-active", &validator(Standing::Active));
    add(all, "validator-jailed", &validator(Standing::Jailed { until: Millis::new(16) }));
    add(all, "validator-tombstoned", &validator(Standing::Tombstoned));
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
    add(all, "delegation", &delegation);
    let entry = Unbonding {
        amount: NanoMeshx::new(24),
        created: Height::new(25),
        matures: Millis::new(26),
        slashes_seen: 2,
    };
    add(all, "unbonding", &UnbondingRecord { entries: List::new(vec![entry]).unwrap() });
}

fn presence(all: &mut Vec<Sample>) {
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
    add(all, "presence-certificate", &certificate);
    add(all, "tx-certify", &tx(Action::Certify(certificate)));
    add(all, "presence-params", &PresenceParams::DEFAULT);
    let witness = WitnessEntry {
        key: PublicKey([8; 32]),
        place,
        operator: address(9),
        network: unnamed_network(&address(9)),
    };
    add(all, "witnesses", &WitnessList::new(vec![witness]).unwrap());
    let period =
        PeriodRecord { number: 3, began: Height::new(4), started: Millis::new(5), seed: hash(6) };
    add(all, "period", &period);
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
    add(all, "presence", &record);
    let row = |period, rtt_us| MeasuredRow {
        period,
        times: List::new(vec![Measured { witness: PublicKey([12; 32]), rtt_us }]).unwrap(),
    };
    add(all, "measured", &MeasuredRecord { newest: row(3, 11_250), before: Some(row(2, 11_300)) });
}

fn committees(all: &mut Vec<Sample>) {
    add(all, "sortition-params", &SortitionParams::DEFAULT);
    let proof = Bytes::new(vec![1; 80]).unwrap();
    let ticket = Ticket { epoch: Epoch::new(2), operator: address(3), proof: proof.clone() };
    add(all, "tx-ticket", &tx(Action::Ticket(ticket)));
    let order = StakeOrder::RegisterVrf { key: hash(4), proof };
    add(all, "tx-stake-register-vrf", &tx(Action::Stake(order)));
    add(all, "vrf", &VrfRecord { key: hash(5), registered: Height::new(6) });
    let draw = DrawRecord {
        epoch: Epoch::new(7),
        boundary: Height::new(8),
        seed: hash(9),
        opens: Height::new(10),
        closes: Height::new(11),
    };
    add(all, "draw", &draw);
    let output = Bytes::new(vec![12; 64]).unwrap();
    add(all, "ticket", &TicketRecord { epoch: Epoch::new(13), output });
    add(all, "seats", &seats());
    add(all, "tx-import-seats", &tx(Action::ImportSeats(imported_seats())));
}

fn seats() -> SeatsRecord {
    let seat = CommitteeSeat {
        operator: address(14),
        key: PublicKey([15; 32]),
        tokens: NanoMeshx::new(16),
    };
    SeatsRecord {
        chain: ChainId::Africa,
        number: 17,
        chosen: Height::new(18),
        seats: List::new(vec![seat]).unwrap(),
    }
}

pub fn imported_seats() -> Import<SeatsRecord> {
    import(seats())
}

pub fn imported_decree() -> Import<Decree> {
    let order = Order::SetParams { changes: List::default() };
    import(Decree { number: 21, proposal: 22, order })
}

/// A record of the backbone, with something in the place of its proof.
fn import<T>(record: T) -> Import<T> {
    let name = Text::new("test").unwrap();
    let network_keys = NetworkKeys { name, dev_dealer: false, chains: List::default() };
    let (header, certificate) = (header(Hash::ZERO), Bytes::new(vec![19; 240]).unwrap());
    let proof = Bytes::new(vec![20; 32]).unwrap();
    Import { network_keys, proved: Proved { record, header, certificate, proof } }
}

fn attestation(all: &mut Vec<Sample>) {
    let record = AttestationRecord {
        technology: Technology::AmdSevSnp,
        class: Class::ConfidentialVm,
        tcb_status: TcbStatus::UpToDate,
        root: Text::new("AMD ARK Milan").unwrap(),
        measurement: Bytes::new(vec![1; 48]).unwrap(),
        platform: Some(hash(2)),
        evidence: hash(3),
        code_hash: hash(4),
        sealing_key: Bytes::new(vec![5; 4]).unwrap(),
        stated: 6,
        attested: Height::new(7),
        until: Millis::new(8),
        parent: Some(hash(9)),
        depth: 1,
    };
    add(all, "attestation", &record);
    let (height, awaited) = (Height::new(3), Height::new(4));
    add(all, "challenges", &Challenges { current: hash(1), previous: hash(2), height, awaited });
}

fn network(all: &mut Vec<Sample>) {
    let identity = Bytes::new(vec![1; 96]).unwrap();
    let chain = ChainKey { chain: ChainId::Backbone, identity, genesis: hash(2) };
    let chains = List::new(vec![chain]).unwrap();
    add(
        all,
        "network-keys",
        &NetworkKeys { name: Text::new("test").unwrap(), dev_dealer: true, chains },
    );
    let city = Text::new("Nairobi").unwrap();
    let place = "-1.2921,36.8219".parse().unwrap();
    let witness =
        WitnessEntry { key: PublicKey([8; 32]), place, operator: address(9), network: 10 };
    let stake = GenesisStake {
        operator: address(4),
        key: PublicKey([5; 32]),
        amount: NanoMeshx::new(6),
        commission_bps: 7,
        vrf: Some(hash(8)),
    };
    let vesting = GenesisVesting { owner: address(9), vesting: Vesting::team(NanoMeshx::new(10)) };
    let account = GenesisAccount { address: address(2), balance: NanoMeshx::new(3) };
    let genesis = Genesis {
        chain: ChainId::Africa,
        started: Millis::new(1),
        validators: List::new(vec![Validator { key: PublicKey([1; 32]), city: city.clone() }])
            .unwrap(),
        sharing: Bytes::new(vec![2; 3]).unwrap(),
        term_blocks: 32,
        params: Params::DEFAULT,
        accounts: List::new(vec![account]).unwrap(),
        workers: List::new(vec![GenesisWorker { address: address(3), capacity: 4, city }]).unwrap(),
        stakes: List::new(vec![stake]).unwrap(),
        emission: Schedule::default(),
        vesting: List::new(vec![vesting]).unwrap(),
        witnesses: List::new(vec![witness]).unwrap(),
    };
    add(all, "genesis", &genesis);
}
