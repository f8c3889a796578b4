//! One chain with all its secrets: validators, clients and workers, dealt from a seed.

use chain::local_params;
use commonware_codec::Encode as _;
use commonware_consensus::{
    simplex::types::{Nullification, Nullify},
    types::{Epoch as EngineTerm, Round, View},
};
use commonware_parallel::Sequential;
use commonware_utils::{iter::NonEmpty, ordered::Set};
use consensus::{Guarded, deal, scheme};
use crypto::SigningKey;
use network::{PrivateKey, PublicKey, consensus_key, private_key, public_key};
use receipt::light::{Digest, Scheme};
use std::collections::BTreeMap;
use types::{
    Action, Address, ChainId, Hash, Intent, List, Millis, NanoMeshx, Nonce, Schedule, Text, Tx,
    codec::Bytes,
    domain_hash,
    network::{ChainKey, Genesis, GenesisAccount, GenesisWorker, NetworkKeys, Validator},
};

/// The shard every simulation runs: the engine is the same for all eight chains.
const CHAIN: ChainId = ChainId::Europe;
/// Virtual time starts here, so that clocks may run late without going before the Unix epoch.
pub const STARTED: Millis = Millis::new(1_000_000_000_000);
const CLIENT_BALANCE: NanoMeshx = NanoMeshx::new(1_000_000_000_000);

/// A key that signs transactions.
#[derive(Clone)]
pub struct Person {
    /// Secret: what it signs transactions with.
    pub key: SigningKey,
    /// The account of `key`.
    pub address: Address,
}

impl Person {
    fn new(secret: [u8; 32]) -> Self {
        let key = SigningKey::from_seed(&secret);
        let address = Address::of(&types::PublicKey(key.public()));
        Self { key, address }
    }

    /// A transaction of this person on the simulated shard, signed for `network`.
    pub fn sign(&self, network: &Hash, nonce: u64, tip: NanoMeshx, action: Action) -> Tx {
        let sender = types::PublicKey(self.key.public());
        let nonce = Nonce::strict(nonce);
        let intent = Intent { chain: CHAIN, nonce, tip, fee_max: Tx::ANY_FEE, action };
        Tx::signed(network, sender, intent, |domain, message| self.key.sign(domain, message))
    }
}

/// A validator's secrets; its number is its place in the order of keys.
#[derive(Clone)]
pub struct Member {
    /// Secret: the key that it is known by.
    pub key: PrivateKey,
    /// The public half of `key`, which peers know it by.
    pub public: PublicKey,
    /// Of the first term, if it has a seat there.
    pub share: Option<Vec<u8>>,
    /// Its share of the first term's threshold key; without one it checks votes and casts none.
    pub scheme: Scheme,
    /// What it votes with.
    pub hand: Guarded,
}

/// The people of a simulated shard, with all their secrets.
pub struct Committee {
    /// The network keys, which are not secret.
    pub network_keys: NetworkKeys,
    /// The network id that transactions are signed for.
    pub network: Hash,
    /// What the shard starts from.
    pub genesis: Genesis,
    /// Those with a seat in the first term, then those who may have one later.
    pub members: Vec<Member>,
    /// How many members have a seat in the first term.
    pub seats: usize,
    /// Accounts with money, which send transfers and submit jobs.
    pub clients: Vec<Person>,
    /// Accounts with places, which run jobs.
    pub workers: Vec<Person>,
}

/// Deal a key to the first `seats` of `validators`, with clients that have money and workers that offer places.
pub fn deal_committee(
    seed: u64,
    (validators, seats): (usize, usize),
    clients: usize,
    workers: usize,
    (block, term_blocks): (Millis, u64),
) -> Committee {
    let secret = |role: &str, index: usize| {
        let index = (index as u64).to_be_bytes();
        domain_hash("meshx/sim/v1", &[&seed.to_be_bytes(), role.as_bytes(), &index]).0
    };
    let mut keys: Vec<PrivateKey> =
        (0..validators).map(|n| private_key(&secret("validator", n))).collect();
    keys.sort_by_key(public_key);
    let publics: Vec<types::PublicKey> = keys.iter().take(seats).map(public_key).collect();
    let dealt = deal(secret("committee", 0), &publics);
    let people = |role, count| (0..count).map(|n| Person::new(secret(role, n))).collect::<Vec<_>>();
    let (clients, workers) = (people("client", clients), people("worker", workers));

    let mut params = local_params(profile(), Hash([2; 32]), block.get());
    // Short phases, so that workers who stay silent are noticed within a simulation.
    (params.commit_blocks, params.reveal_blocks) = (4, 4);
    let genesis = Genesis {
        chain: CHAIN,
        started: STARTED,
        validators: bounded(
            publics.iter().map(|key| Validator { key: *key, city: Text::default() }).collect(),
        ),
        sharing: dealt.sharing,
        term_blocks,
        params,
        accounts: bounded(
            clients
                .iter()
                .map(|client| GenesisAccount { address: client.address, balance: CLIENT_BALANCE })
                .collect(),
        ),
        workers: bounded(
            workers
                .iter()
                .map(|worker| GenesisWorker {
                    address: worker.address,
                    capacity: 16,
                    city: Text::default(),
                })
                .collect(),
        ),
        stakes: bounded(vec![]),
        emission: Schedule { steps: bounded(vec![]) },
        vesting: bounded(vec![]),
        witnesses: bounded(vec![]),
    };
    let network_keys = network_keys(&genesis, dealt.identity);
    let network = network_keys.network();
    let set: Set<PublicKey> = Set::from_iter_dedup(publics.iter().filter_map(consensus_key));
    let mut shares: BTreeMap<_, _> = dealt.shares.into_iter().collect();
    let members = keys
        .into_iter()
        .map(|key| {
            let share = shares.remove(&public_key(&key));
            let sharing = genesis.sharing.as_slice();
            let scheme = scheme(&network, CHAIN, set.clone(), sharing, share.as_deref())
                .expect("the dealer's shares fit its polynomial");
            let public = consensus_key(&public_key(&key)).expect("the dealer made this key");
            let hand = Guarded::new(scheme.clone(), network, CHAIN, Some(&key));
            Member { key, public, share, scheme, hand }
        })
        .collect();
    Committee { network_keys, network, genesis, members, seats, clients, workers }
}

impl Committee {
    /// Validators that can lie without harm: less than a third.
    pub fn faulty_max(&self) -> usize {
        (self.seats - 1) / 3
    }

    /// Votes that make a certificate: all seats less those that may lie.
    pub fn quorum(&self) -> usize {
        self.seats - self.faulty_max()
    }

    /// The member's number; `None` for a key that no member has.
    pub fn number_of(&self, key: &PublicKey) -> Option<usize> {
        self.members.iter().position(|member| member.public == *key)
    }

    /// The seed of a view before its committee has spoken: what only a dealer who kept all shares, or
    /// a quorum of traitors, could know.
    pub fn stolen_seed(&self, view: u64) -> Bytes<96> {
        let round = Round::new(EngineTerm::zero(), View::new(view));
        let votes: Vec<Nullify<Scheme>> = self
            .members
            .iter()
            .take(self.quorum())
            .map(|member| {
                Nullify::sign::<Digest>(&member.scheme, round).expect("members hold shares")
            })
            .collect();
        let scheme = &self.members[0].scheme;
        let votes = NonEmpty::try_new(votes.iter()).expect("a quorum is somebody");
        let certificate =
            Nullification::from_nullifies(scheme, votes, &Sequential).expect("a quorum signed");
        let signature = certificate.certificate.get().expect("just made").seed_signature.encode();
        Bytes::new(signature.to_vec()).expect("a signature fits")
    }
}

fn network_keys(genesis: &Genesis, identity: Bytes<96>) -> NetworkKeys {
    let chain = ChainKey { chain: CHAIN, identity, genesis: genesis.id() };
    NetworkKeys {
        name: Text::new("simulation").expect("short"),
        dev_dealer: true,
        chains: bounded(vec![chain]),
    }
}

/// The execution profile of simulated jobs. Nothing is executed, so any name does.
pub const fn profile() -> Hash {
    Hash([1; 32])
}

/// `items` as a list of a wire type.
///
/// # Panics
/// If there are more than `MAX`.
pub fn bounded<T, const MAX: usize>(items: Vec<T>) -> List<T, MAX> {
    List::new(items).expect("a simulation stays within the bounds of its types")
}
