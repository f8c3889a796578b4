//! The first records of a chain.

use crate::{Write, term::DEALT_TERMS};
use crypto::VrfPublicKey;
use ledger::Emission;
use staking::Candidate;
use std::collections::BTreeMap;
use types::{
    Address, GovernanceParams, Hash, Height, List, Millis, NanoMeshx, Ppm, PublicKey, Term,
    attest::AttestParams,
    codec::Encode,
    committee::{SortitionParams, VrfRecord},
    network::{Genesis, GenesisStake, GenesisWorker},
    presence::PresenceParams,
    staking::StakingParams,
    state::{
        Account, Backed, Key, Market, Params, PlacesOf, REPUTATION_NEW, Stake, Supply, TermRecord,
        Validators, VestingRecord, WorkerPlace, WorkerRecord, pools,
    },
};

/// What genesis puts into an empty store.
///
/// # Panics
/// If it gives or mints more than can exist, a parameter cannot be followed, or a stake is none: a genesis like that
/// must not start.
pub fn genesis_writes(genesis: &Genesis) -> Vec<Write> {
    let mut writes: BTreeMap<Key, Option<Vec<u8>>> = BTreeMap::new();
    let mut put = |key: Key, bytes: Vec<u8>| {
        writes.insert(key, Some(bytes));
    };
    let params = &genesis.params;
    check_params(params);
    let mut balances: BTreeMap<Address, NanoMeshx> = BTreeMap::new();
    let mut total = NanoMeshx::ZERO;
    let bond = |worker: &GenesisWorker| {
        let bond = params.bond(worker.capacity).expect("a bond of genesis can be put down");
        (pools::places(), bond)
    };
    let bonded = genesis.workers.iter().map(bond);
    let given = genesis.accounts.iter().map(|account| (account.address, account.balance));
    let staked = genesis.stakes.iter().map(|stake| (pools::bonded(), stake.amount));
    let vesting = genesis.vesting.iter().map(|part| (pools::team(), part.vesting.total));
    for (address, amount) in given.chain(staked).chain(vesting).chain(bonded) {
        total = total.checked_add(amount).expect("genesis holds at most the supply");
        let balance = balances.entry(address).or_default();
        *balance = balance.checked_add(amount).expect("a part of the total");
    }
    let emission = Emission::new(genesis.emission.clone(), types::SUPPLY_MAX)
        .expect("the emission can be followed");
    let most = total.checked_add(emission.total()).expect("no more than there can be");
    assert!(most <= types::SUPPLY_MAX, "genesis and what is minted are at most the supply");
    put(Key::Params, params.encode().to_vec());
    put(Key::Supply, Supply { genesis: total, ..Supply::default() }.encode().to_vec());
    for (address, balance) in balances {
        put(Key::Account(address), Account { balance, nonce: 0 }.encode().to_vec());
    }
    for part in genesis.vesting.iter() {
        ledger::check_vesting(&part.vesting).expect("a vesting can be followed");
        let record = VestingRecord { vesting: part.vesting, claimed: NanoMeshx::ZERO };
        put(Key::Vesting(part.owner), record.encode().to_vec());
    }
    put_stakes(genesis, &mut put);
    if !genesis.validators.is_empty() {
        let mut keys: Vec<PublicKey> = genesis.validators.iter().map(|v| v.key).collect();
        // The dealer gave out shares in the order of keys, so a committee's record has that order, too.
        keys.sort_unstable();
        let record = TermRecord { keys: List::new(keys).expect("as many as validators") };
        for term in 0..DEALT_TERMS {
            put(Key::Term(Term::new(term)), record.encode().to_vec());
        }
    }
    if !genesis.witnesses.is_empty() {
        put(Key::GenesisWitnesses, genesis.witnesses.encode().to_vec());
    }
    let capacity = genesis.workers.iter().map(|worker| u64::from(worker.capacity)).sum();
    let market = Market {
        base_fee: params.base_fee.min,
        demand: Ppm::ONE.max(params.demand.min).min(params.demand.max),
        capacity,
        running: 0,
        paused_until: Millis::ZERO,
    };
    put(Key::Market, market.encode().to_vec());
    let count = u32::try_from(genesis.workers.len()).expect("bounded by its type");
    put(Key::WorkerCount, count.encode().to_vec());
    let mut places = Vec::new();
    for (index, worker) in (0..count).zip(genesis.workers.iter()) {
        let record = WorkerRecord {
            capacity: worker.capacity,
            running: 0,
            reputation: REPUTATION_NEW,
            city: worker.city.clone(),
            bond: bond(worker).1,
            ..WorkerRecord::default()
        };
        let own = (0..record.places()).map(|nth| {
            let number = u32::try_from(places.len()).expect("few workers have few places");
            places.push(WorkerPlace { worker: worker.address, nth });
            number
        });
        let own = PlacesOf::new(own.collect()).expect("as many as a worker may have");
        if !own.is_empty() {
            put(Key::PlacesOf(worker.address), own.encode().to_vec());
        }
        put(Key::WorkerAt(index), worker.address.encode().to_vec());
        put(Key::Worker(worker.address), record.encode().to_vec());
    }
    for (number, place) in (0..).zip(&places) {
        put(Key::WorkerPlace(number), place.encode().to_vec());
    }
    let count = u32::try_from(places.len()).expect("few workers have few places");
    put(Key::WorkerPlaces, count.encode().to_vec());
    writes.into_iter().collect()
}

/// Validators that are bonded from the start.
fn put_stakes(genesis: &Genesis, put: &mut impl FnMut(Key, Vec<u8>)) {
    let mut known = Validators::default();
    for stake in genesis.stakes.iter() {
        let GenesisStake { operator, key, amount, commission_bps, vrf } = *stake;
        let candidate = Candidate { operator, key, commission_bps };
        let (position, _) = staking::bond(candidate, amount, None, None, &genesis.params.staking)
            .expect("a stake of genesis is one");
        let backed = Backed::new(vec![operator]).expect("one is not many");
        put(Key::Validator(operator), position.validator.encode().to_vec());
        put(Key::ValidatorKey(key), operator.encode().to_vec());
        if let Some(vrf) = vrf {
            VrfPublicKey::new(vrf.0).expect("a VRF key of genesis is one");
            assert!(vrf.0 != key.0, "a key that votes draws no lots");
            // Before every block that asks for a seed, so these keys count from the first draw on.
            let record = VrfRecord { key: vrf, registered: Height::ZERO };
            put(Key::Vrf(operator), record.encode().to_vec());
        }
        let own = Stake { delegator: operator, validator: operator };
        put(Key::Delegation(own), position.delegation.encode().to_vec());
        put(Key::Backed(operator), backed.encode().to_vec());
        known.push(operator).expect("a genesis has few validators");
    }
    if !known.is_empty() {
        put(Key::Validators, known.encode().to_vec());
    }
}

fn check_params(params: &Params) {
    ledger::check_base_fee(&params.base_fee).expect("a base fee that can move");
    jobs::check_demand(&params.demand).expect("a demand that can move");
    jobs::location(params.location).expect("a location's multiplier");
    staking::check_params(&params.staking).expect("rules of staking that can be followed");
    governance::check(params).expect("parameters that fit together");
}

/// The rules a local mesh starts with: the defaults, with the times of stake and governance cut to what somebody who
/// tries them out will wait.
pub fn local_params(profile_strict: Hash, profile_arch_class: Hash, block_ms: u64) -> Params {
    let usual = Params::DEFAULT;
    Params {
        profile_strict,
        profile_arch_class,
        block_ms,
        epoch_blocks: 20,
        place_bond: NanoMeshx::new(1_000_000_000),
        place_bond_blocks: 40,
        staking: StakingParams {
            unbonding_ms: Millis::new(20_000),
            jail_ms: Millis::new(60_000),
            ..usual.staking
        },
        governance: GovernanceParams {
            voting_ms: Millis::new(20_000),
            emergency_voting_ms: Millis::new(10_000),
            timelock_ms: Millis::new(5_000),
            ..usual.governance
        },
        // Software stands for hardware here: for trying the protocol out.
        attest: AttestParams { classes: 0b1_1111, ..usual.attest },
        presence: PresenceParams {
            valid_ms: Millis::new(300_000),
            period_ms: Millis::new(60_000),
            ..usual.presence
        },
        // Nobody witnesses on one machine: stake and a ticket are enough for the backbone, and shards keep their committees.
        sortition: SortitionParams { ticket_blocks: 16, presence_required: 0, ..usual.sortition },
        ..usual
    }
}
