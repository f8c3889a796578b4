//! What one validator's engine is made from.

use crate::{block::Block, ceremony::SEATS_MAX, guarded::Guarded, keep::Keep, state_sync};
use commonware_consensus::marshal::{self, standard::Standard};
use commonware_cryptography::bls12381::primitives::variant::MinSig;
use commonware_glue::dkg::{max_payload_size as dkg_payload_size, orchestrator, probe};
use commonware_runtime::{Clock, Metrics, Network as RuntimeNetwork, Spawner, Storage, Supervisor};
use commonware_storage::Context as StorageContext;
use network::{PrivateKey, PublicKey, Receiver, Sender};
use rand_core::CryptoRng;
use receipt::light::Digest;
use types::{
    Millis,
    network::{Genesis, NetworkKeys},
};

/// Everything the engine needs of a runtime.
pub trait Env:
    Clock + CryptoRng + Spawner + Storage + StorageContext + Metrics + Supervisor + RuntimeNetwork
{
}
impl<
    T: Clock + CryptoRng + Spawner + Storage + StorageContext + Metrics + Supervisor + RuntimeNetwork,
> Env for T
{
}

/// How many network channels one chain uses.
pub const CHANNELS: u64 = 11;

/// The network ends of one chain's engine, one pair per stream of messages.
pub struct Channels<S = Sender, R = Receiver> {
    /// Votes of validators, and what they are about.
    pub votes: (S, R),
    /// Certificates that votes made.
    pub certificates: (S, R),
    /// Where a validator asks for certificates that it missed.
    pub resolver: (S, R),
    /// Where a validator asks for blocks that it missed.
    pub backfill: (S, R),
    /// Proposed blocks, from their leader to everybody.
    pub blocks: (S, R),
    /// Transactions, gossiped between pools.
    pub txs: (S, R),
    /// Where a validator with an empty disk asks how far the others are.
    pub rejoin: (S, R),
    /// Parts of the state, for those who have none of it.
    pub state: (S, R),
    /// The log of messages to other chains, for those who have none of it.
    pub outbox: (S, R),
    /// Shares of the key, dealt to those who vote next.
    pub dealing: (S, R),
    /// Where a validator with an empty disk asks which committee votes.
    pub terms: (S, R),
}

impl<S, R> Channels<S, R> {
    /// Register a chain's channels; `register` is given numbers 0 to [`CHANNELS`] − 1.
    pub fn register(mut register: impl FnMut(u64) -> (S, R)) -> Self {
        Self {
            votes: register(0),
            certificates: register(1),
            resolver: register(2),
            backfill: register(3),
            blocks: register(4),
            txs: register(5),
            rejoin: register(6),
            state: register(7),
            outbox: register(8),
            dealing: register(9),
            terms: register(10),
        }
    }
}

/// One validator of one chain.
pub struct ChainConfig {
    /// What the network is: its name, its id, and each chain's threshold key.
    pub network_keys: NetworkKeys,
    /// The state that the chain starts from.
    pub genesis: Genesis,
    /// The validator's own key: peers know it by this one, and it signs each vote beside the threshold share.
    pub key: PrivateKey,
    /// The validator's threshold share of the first term. Without one this node votes when it is dealt one.
    pub share: Option<Vec<u8>>,
    /// Everybody this node is connected to who may have a seat in some term, itself or not; beside genesis' validators.
    pub peers: Vec<PublicKey>,
    /// Names this validator's files within the runtime's storage folder.
    pub partition: String,
    /// The caller knows that this validator has never run. Otherwise one with an empty disk asks
    /// its peers first, and stays silent for a moment if they are past genesis.
    pub new_network: bool,
    /// How many transactions may wait here for a block.
    pub pool: mempool::Limits,
    /// Let the chain rest while nobody waits for a block: propose one at this beat only, at most every five seconds. For
    /// networks whose validators all run in one process: a leader that stopped is missed later.
    pub rest: Option<Millis>,
    /// How much of the past this validator keeps.
    pub keep: Keep,
    /// Memory for pages of this validator's files, at least 512 KiB. Reads that miss it go to the system.
    pub cache_bytes: usize,
}

/// The largest message of a chain, with any committee in any term.
pub fn message_bytes_max() -> u32 {
    let seats = SEATS_MAX.get();
    commonware_p2p::max_message_size(&[
        orchestrator::max_payload_size::<Guarded, Digest>(seats),
        dkg_payload_size::<MinSig, PublicKey>(SEATS_MAX),
        probe::max_payload_size::<Standard<Block>, Guarded>(seats, &()),
        marshal::max_payload_size::<Standard<Block>, Guarded>(seats, &()),
        state_sync::message_bytes_max(),
    ])
}
