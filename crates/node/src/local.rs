//! Deal a whole network in one process: the dev dealer's side of genesis.
//!
//! Every key follows from one secret seed, so a network's folder needs to keep nothing else; and
//! the holder of the seed *is* the network. The network keys say so (`dev_dealer`).

use consensus::deal;
use crypto::{SigningKey, VrfKey};
use network::{Latency, Place, PrivateKey, private_key, public_key, signing_key};
use types::{
    Address, ChainId, Float, Hash, List, Millis, NanoMeshx, PublicKey, SUPPLY_MAX, Schedule,
    SupplyPlan, Text,
    codec::Bytes,
    domain_hash,
    network::{
        ChainKey, Genesis, GenesisAccount, GenesisStake, GenesisVesting, GenesisWorker,
        NetworkKeys, Validator,
    },
    presence::WitnessEntry,
    state::{Params, pools},
};

/// What a local network is to be.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What people call the network.
    pub name: String,
    /// The chains it has; with the backbone, if there are to be stake and emission.
    pub chains: Vec<ChainId>,
    /// Per chain, 1 to 100.
    pub validators: usize,
    /// Per shard.
    pub workers: usize,
    /// Jobs one worker takes at once.
    pub capacity: u16,
    /// The time between blocks that leaders aim at.
    pub block: Millis,
    /// Blocks after which a committee hands over to the next.
    pub term_blocks: u64,
    /// The timestamp of genesis.
    pub started: Millis,
    /// Where validators and workers stand, and how long messages travel between them.
    pub latency: Latency,
    /// Processes with a faucet. Each has an account of its own on every chain, because nonces are counted by account.
    pub faucets: usize,
    /// Every chain has the same validators, as when each process runs one of every chain.
    pub same_validators: bool,
    /// Accounts with money on every chain.
    pub accounts: Vec<(Address, NanoMeshx)>,
    /// Who measures the first claims of presence. With some, a seat takes a certificate; a committee may then be of one, for
    /// such a network has few validators to a continent.
    pub witnesses: Vec<WitnessEntry>,
}

/// One chain's dealt keys.
pub struct DealtChain {
    /// What the chain starts from.
    pub genesis: Genesis,
    identity: Bytes<96>,
    /// The first committee, in the order of its keys.
    pub validators: Vec<DealtValidator>,
    /// Workers that are registered from the start; none on the backbone.
    pub workers: Vec<DealtWorker>,
    /// Secret: the keys of the faucets' accounts, one for each process that has one.
    pub faucets: Vec<SigningKey>,
}

/// A validator of the first committee, with its secrets.
pub struct DealtValidator {
    /// Secret: the key that it is known by and votes with.
    pub key: PrivateKey,
    /// The 32 bytes `key` is made from.
    pub(crate) secret: [u8; 32],
    /// Secret: its encoded share of the chain's threshold key.
    pub share: Vec<u8>,
    /// Where it stands, in the model of latencies.
    pub place: Place,
}

/// A worker that is registered from the start.
pub struct DealtWorker {
    /// Secret: the key of the account that is paid.
    pub key: SigningKey,
    /// Where it stands, in the model of latencies.
    pub place: Place,
}

/// A network with all its secrets.
pub struct Dealt {
    /// The network keys, which are not secret.
    pub network_keys: NetworkKeys,
    /// Genesis and secrets of each chain, in the order of the plan.
    pub chains: Vec<DealtChain>,
}

/// What each worker has for its fees at the start.
const WORKER_BALANCE: NanoMeshx = NanoMeshx::new(1_000_000_000);
/// What each validator of the backbone has at stake at the start, and what it keeps of rewards.
const STAKE: NanoMeshx = NanoMeshx::new(150_000_000_000_000);
const COMMISSION_BPS: u16 = 500;
/// What each chain's faucets have to give together, and a shard to pay workers for being there.
const FAUCET: NanoMeshx = NanoMeshx::new(100_000_000_000_000_000);
const AVAILABILITY: NanoMeshx = NanoMeshx::new(1_000_000_000_000_000);

fn secret(seed: &[u8; 32], role: &str, chain: ChainId, index: usize) -> [u8; 32] {
    domain_hash(
        "meshx/dev-dealer/v1",
        &[seed, role.as_bytes(), &[chain as u8], &(index as u64).to_be_bytes()],
    )
    .0
}

/// The key of a faucet's account, on a chain of the network dealt from `seed`.
fn faucet_key(seed: &[u8; 32], chain: ChainId, index: usize) -> SigningKey {
    SigningKey::from_seed(&secret(seed, "faucet", chain, index))
}

/// The key of the account whose stake is behind a validator that was dealt from `seed`.
pub fn operator_key(seed: &[u8; 32], index: usize) -> SigningKey {
    SigningKey::from_seed(&secret(seed, "operator", ChainId::Backbone, index))
}

/// Deal keys for `plan` from `seed`.
///
/// # Panics
/// If the plan has no validators, more than a chain may have, or more money than there can be.
pub fn deal_network(seed: &[u8; 32], plan: &Plan) -> Dealt {
    let mut chains = Vec::new();
    let supply = SupplyPlan::default();
    let mut left = SUPPLY_MAX.saturating_sub(supply.distribution.mining);
    for chain in &plan.chains {
        let dealt = deal_chain(seed, plan, &supply, *chain);
        left = left.checked_sub(held(&dealt.genesis)).expect("less than the supply was given");
        chains.push(dealt);
    }
    // What no account was given belongs to the treasury of the first chain, so that all chains together
    // start with the whole supply, less what is still to be minted.
    if let Some(first) = chains.first_mut() {
        let rest = GenesisAccount { address: pools::treasury(), balance: left };
        first.genesis.accounts.push(rest).expect("few accounts are dealt");
    }
    let chain_keys = chains
        .iter()
        .map(|dealt| ChainKey {
            chain: dealt.genesis.chain,
            identity: dealt.identity.clone(),
            genesis: dealt.genesis.id(),
        })
        .collect();
    let network_keys = NetworkKeys {
        name: Text::new(plan.name.clone()).expect("a short name"),
        dev_dealer: true,
        chains: List::new(chain_keys).expect("at most eight chains"),
    };
    Dealt { network_keys, chains }
}

/// All that a genesis gives out.
fn held(genesis: &Genesis) -> NanoMeshx {
    let accounts = genesis.accounts.iter().map(|account| account.balance);
    let stakes = genesis.stakes.iter().map(|stake| stake.amount);
    let vesting = genesis.vesting.iter().map(|part| part.vesting.total);
    accounts.chain(stakes).chain(vesting).fold(NanoMeshx::ZERO, |sum, amount| {
        sum.checked_add(amount).expect("a genesis gives out no more than there is")
    })
}

fn deal_chain(seed: &[u8; 32], plan: &Plan, supply: &SupplyPlan, chain: ChainId) -> DealtChain {
    let of = if plan.same_validators { ChainId::Backbone } else { chain };
    let mut keys: Vec<(PublicKey, [u8; 32])> = (0..plan.validators)
        .map(|index| secret(seed, "validator", of, index))
        .map(|secret| (public_key(&private_key(&secret)), secret))
        .collect();
    keys.sort_by_key(|(public, _)| *public);
    let publics: Vec<PublicKey> = keys.iter().map(|(public, _)| *public).collect();
    let committee = deal(secret(seed, "committee", chain, 0), &publics);
    let validators: Vec<DealtValidator> = keys
        .into_iter()
        .zip(&committee.shares)
        .enumerate()
        .map(|(index, ((public, secret), (of, share)))| {
            assert_eq!(public, *of, "shares come in the order of the keys");
            let (key, place) = (private_key(&secret), plan.latency.place_of(chain, index));
            DealtValidator { key, secret, share: share.clone(), place }
        })
        .collect();
    let worker_count = if chain.is_shard() { plan.workers } else { 0 };
    let workers: Vec<DealtWorker> = (0..worker_count)
        .map(|index| DealtWorker {
            key: SigningKey::from_seed(&secret(seed, "worker", chain, index)),
            place: plan.latency.place_of(chain, index),
        })
        .collect();
    let genesis = Genesis {
        chain,
        started: plan.started,
        validators: bounded(
            validators
                .iter()
                .zip(&publics)
                .map(|(v, key)| Validator { key: *key, city: city(&v.place) })
                .collect(),
        ),
        sharing: committee.sharing,
        term_blocks: plan.term_blocks,
        params: params(plan),
        accounts: bounded(accounts(seed, plan, supply, chain, &workers)),
        workers: bounded(
            workers
                .iter()
                .map(|worker| GenesisWorker {
                    address: address(&worker.key),
                    capacity: plan.capacity,
                    city: city(&worker.place),
                })
                .collect(),
        ),
        stakes: bounded(if chain.is_shard() { vec![] } else { stakes(seed, &validators) }),
        // Stake and emission live on the backbone; without one nothing is minted.
        emission: if chain.is_shard() {
            Schedule { steps: List::default() }
        } else {
            supply.schedule.clone()
        },
        vesting: bounded(if chain.is_shard() {
            vec![]
        } else {
            vec![GenesisVesting { owner: address(&team_key(seed)), vesting: supply.team }]
        }),
        witnesses: bounded(if chain.is_shard() { vec![] } else { plan.witnesses.clone() }),
    };
    let faucets = (0..plan.faucets).map(|index| faucet_key(seed, chain, index)).collect();
    DealtChain { genesis, identity: committee.identity, validators, workers, faucets }
}

fn params(plan: &Plan) -> Params {
    let mut params = chain::local_params(
        sandbox::profile(Float::Strict),
        sandbox::profile(Float::ArchClass),
        plan.block.get(),
    );
    if !plan.witnesses.is_empty() {
        (params.sortition.presence_required, params.sortition.seats_min) = (1, 1);
    }
    params
}

fn accounts(
    seed: &[u8; 32],
    plan: &Plan,
    supply: &SupplyPlan,
    chain: ChainId,
    workers: &[DealtWorker],
) -> Vec<GenesisAccount> {
    let one = |address, balance| GenesisAccount { address, balance };
    let each = FAUCET.get() / u64::try_from(plan.faucets.max(1)).expect("a plan has few faucets");
    let faucet = |index| one(address(&faucet_key(seed, chain, index)), NanoMeshx::new(each));
    let mut accounts: Vec<_> = (0..plan.faucets).map(faucet).collect();
    if !chain.is_shard() {
        accounts.push(one(pools::ecosystem(), supply.distribution.ecosystem));
        accounts.extend(plan.accounts.iter().map(|(address, balance)| one(*address, *balance)));
        return accounts;
    }
    accounts.push(one(pools::availability(), AVAILABILITY));
    accounts.extend(plan.accounts.iter().map(|(address, balance)| one(*address, *balance)));
    accounts.extend(workers.iter().map(|worker| one(address(&worker.key), WORKER_BALANCE)));
    accounts
}

fn stakes(seed: &[u8; 32], validators: &[DealtValidator]) -> Vec<GenesisStake> {
    let stake = |(index, validator): (usize, &DealtValidator)| GenesisStake {
        operator: address(&operator_key(seed, index)),
        key: public_key(&validator.key),
        amount: STAKE,
        commission_bps: COMMISSION_BPS,
        vrf: Some(Hash(VrfKey::beside(&signing_key(&validator.key)).public())),
    };
    validators.iter().enumerate().map(stake).collect()
}

/// The key by which edges know a mesh that was dealt from `seed`.
pub(crate) fn gateway_key(seed: &[u8; 32]) -> SigningKey {
    SigningKey::from_seed(&secret(seed, "gateway", ChainId::Backbone, 0))
}

/// The secret of the `index`th node that follows all chains and votes on none.
pub(crate) fn follower_secret(seed: &[u8; 32], index: usize) -> [u8; 32] {
    secret(seed, "follower", ChainId::Backbone, index)
}

fn team_key(seed: &[u8; 32]) -> SigningKey {
    SigningKey::from_seed(&secret(seed, "team", ChainId::Backbone, 0))
}

fn address(key: &SigningKey) -> Address {
    Address::of(&PublicKey(key.public()))
}

fn city(place: &Place) -> types::City {
    let short: String = place.city.chars().take(48).collect();
    Text::new(short).unwrap_or_default()
}

fn bounded<T, const MAX: usize>(items: Vec<T>) -> List<T, MAX> {
    List::new(items).expect("a plan stays within the bounds of a genesis")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(validators: usize) -> Plan {
        Plan {
            name: "test".into(),
            chains: ChainId::ALL.to_vec(),
            validators,
            workers: 4,
            capacity: 4,
            block: Millis::new(500),
            term_blocks: 7_200,
            started: Millis::new(1),
            latency: Latency::real(),
            faucets: 3,
            same_validators: false,
            accounts: vec![(Address::pool("somebody"), NanoMeshx::new(5))],
            witnesses: vec![],
        }
    }

    #[test]
    fn all_chains_together_start_with_the_whole_supply_less_what_is_minted() {
        let dealt = deal_network(&[1; 32], &plan(4));
        let sum: u128 =
            dealt.chains.iter().map(|chain| u128::from(held(&chain.genesis).get())).sum();
        let minted = SupplyPlan::default().distribution.mining;
        assert_eq!(sum + u128::from(minted.get()), u128::from(SUPPLY_MAX.get()));
    }

    #[test]
    fn the_seed_decides_everything() {
        let id = |seed| deal_network(&[seed; 32], &plan(1)).network_keys.network();
        assert_eq!(id(1), id(1));
        assert_ne!(id(1), id(2));
    }

    #[test]
    fn a_chain_may_have_a_hundred_validators() {
        let mut one = plan(100);
        one.chains = vec![ChainId::Europe];
        assert_eq!(deal_network(&[1; 32], &one).chains[0].validators.len(), 100);
    }
}
