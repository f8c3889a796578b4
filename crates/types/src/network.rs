//! What a network is: the keys its chains sign with, and what they started from.

use crate::{
    Address, ChainId, City, Hash, List, Millis, NanoMeshx, PublicKey, Schedule, Text, Vesting,
    Wire,
    codec::{Bytes, Encode},
    hash::domain_hash,
    presence::{WITNESSES_GENESIS_MAX, WitnessEntry},
    state::Params,
};
use serde::{Deserialize, Serialize};

/// Most validators of one chain.
pub const VALIDATORS_MAX: usize = 100;

/// Fewest blocks of a term. In its second half enough dealers must have led: among the four of a local mesh, three
/// different ones in sixteen blocks, which they fail to be once in 5,000 terms.
pub const TERM_BLOCKS_MIN: u64 = 32;

/// Enough to check any certificate of a network, and no more. Its hash *is* the network's name to
/// everyone: transactions are signed for it, and a receipt is worth what this hash is worth to you.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct NetworkKeys {
    /// What people call the network.
    pub name: Text<64>,
    /// Whether one process dealt all threshold keys, and so could sign alone.
    pub dev_dealer: bool,
    /// One entry for each of its chains.
    pub chains: List<ChainKey, 8>,
}

/// What a light client needs to check one chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct ChainKey {
    /// The chain that this key belongs to.
    pub chain: ChainId,
    /// The committee's BLS12-381 threshold public key (G2, compressed).
    pub identity: Bytes<96>,
    /// [`Genesis::id`].
    pub genesis: Hash,
}

impl NetworkKeys {
    /// The network's id.
    pub fn network(&self) -> Hash {
        domain_hash("meshx/network/v1", &[&self.encode()])
    }

    /// The entry of `chain`; `None` if the network does not have that chain.
    pub fn chain(&self, chain: ChainId) -> Option<&ChainKey> {
        self.chains.iter().find(|key| key.chain == chain)
    }
}

/// A member of the first committee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Validator {
    /// Names it to its peers and to the leader draw.
    pub key: PublicKey,
    /// Where it says it is. Development networks use it for maps and simulated delays.
    pub city: City,
}

/// An account that holds money from the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct GenesisAccount {
    /// The owner.
    pub address: Address,
    /// In nano-MESHX.
    pub balance: NanoMeshx,
}

/// A worker that is registered from the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct GenesisWorker {
    /// The account that is paid for its work.
    pub address: Address,
    /// Most jobs it runs at once.
    pub capacity: u16,
    /// Where it says it is.
    pub city: City,
}

/// A validator that has stake from the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct GenesisStake {
    /// The validator's operator.
    pub operator: Address,
    /// What it votes with.
    pub key: PublicKey,
    /// The stake that is bonded, in nano-MESHX.
    pub amount: NanoMeshx,
    /// What it keeps of rewards before its delegators get theirs, in basis points.
    pub commission_bps: u16,
    /// What it draws lots with.
    pub vrf: Option<Hash>,
}

/// Money that vests from the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct GenesisVesting {
    /// The account that may claim it.
    pub owner: Address,
    /// How much vests, and when.
    pub vesting: Vesting,
}

/// What one chain starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Genesis {
    /// The chain that this is the genesis of.
    pub chain: ChainId,
    /// The timestamp of block 0.
    pub started: Millis,
    /// Sorted by key.
    pub validators: List<Validator, VALIDATORS_MAX>,
    /// What the dealing of the threshold key gave: the commitment to the sharing polynomial, from which each partial key
    /// follows, and who holds a share.
    pub sharing: Bytes<20_000>,
    /// Blocks of a committee's term, after which it hands over to the next; never changes. At least [`TERM_BLOCKS_MIN`].
    pub term_blocks: u64,
    /// What its validators agree on beside the code.
    pub params: Params,
    /// Accounts that hold money from the start.
    pub accounts: List<GenesisAccount, 1_024>,
    /// Workers that are registered from the start.
    pub workers: List<GenesisWorker, 1_024>,
    /// Stake that is bonded from the start, beside what `accounts` hold.
    pub stakes: List<GenesisStake, VALIDATORS_MAX>,
    /// What this chain mints, from block 1 on.
    pub emission: Schedule,
    /// Money that vests, beside what `accounts` hold.
    pub vesting: List<GenesisVesting, 1_024>,
    /// Who measures the first claims, on the backbone; may be empty.
    pub witnesses: List<WitnessEntry, WITNESSES_GENESIS_MAX>,
}

impl Genesis {
    /// The hash that names this genesis. The id of the network follows from it.
    pub fn id(&self) -> Hash {
        domain_hash("meshx/genesis/v1", &[&self.encode()])
    }
}
