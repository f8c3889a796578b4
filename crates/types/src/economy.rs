//! What a chain remembers of its economy: prices, modules, earnings, decrees. Re-exported by [`crate::state`].

use crate::{
    Address, Height, List, Millis, NanoMeshx, Ppm, PublicKey, Term, Vesting, Wire,
    governance::ProposalId,
};
use serde::{Deserialize, Serialize};

/// What moves with load. The base fee and demand of a block follow from the block before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Market {
    /// Burned for a transaction of this block.
    pub base_fee: NanoMeshx,
    /// What a job submitted in this block is priced at.
    pub demand: Ppm,
    /// Places of all workers.
    pub capacity: u64,
    /// Places that are paid for now.
    pub running: u64,
    /// No new jobs before this moment: governance paused them.
    pub paused_until: Millis,
}

/// A module somebody stands for. The first to publish it is its author for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct ModuleRecord {
    /// The account that published it first. It receives the royalties.
    pub author: Address,
    /// Part of each job's payment, out of the worker's share.
    pub royalty_bps: u16,
    /// The block of that publication.
    pub published: Height,
}

/// All that an account has earned on this chain, by how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Earned {
    /// As a worker, for jobs.
    pub jobs: NanoMeshx,
    /// As a worker, for having been there.
    pub availability: NanoMeshx,
    /// As the author of modules.
    pub royalties: NanoMeshx,
    /// As a delegator: rewards of stake, when claimed.
    pub rewards: NanoMeshx,
    /// As a validator's operator, when claimed.
    pub commission: NanoMeshx,
    /// As the proposer of blocks.
    pub tips: NanoMeshx,
}

/// Money of the pool [`crate::state::pools::team`] that becomes its owner's with time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct VestingRecord {
    /// How much vests, and when.
    pub vesting: Vesting,
    /// How much of it was claimed already.
    pub claimed: NanoMeshx,
}

/// Operators of all validators there ever were, in the order in which they bonded.
pub type Validators = List<Address, VALIDATORS_KNOWN_MAX>;
/// Operators of the validators with which one account has stake, or stake that is leaving.
pub type Backed = List<Address, BACKED_MAX>;
/// Numbers of the proposals that take votes or wait for their timelock.
pub type OpenProposals = List<ProposalId, OPEN_PROPOSALS_MAX>;

/// Most validators that can ever register: a boundary looks at each of them.
pub const VALIDATORS_KNOWN_MAX: usize = 1_000;
/// Most validators one account has stake with at once: its vote looks at each of them.
pub const BACKED_MAX: usize = 16;
/// Most proposals that are open at once: a change of stake looks at each of them.
pub const OPEN_PROPOSALS_MAX: usize = 8;

/// Some views of a term: `256 * step` and on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Wire)]
pub struct ViewStep {
    /// The term.
    pub term: Term,
    /// The view divided by 256, rounded down.
    pub step: u64,
}

/// Who votes in one term of a chain, unless the hand-over to them fails: then the earlier committee goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct TermRecord {
    /// Voting keys, in ascending order, none twice, at least one.
    pub keys: List<PublicKey, { crate::network::VALIDATORS_MAX }>,
}

/// The first block at or after the first view of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct ViewTime {
    /// The height of that block.
    pub height: Height,
    /// Its timestamp.
    pub at: Millis,
}

/// Decrees, seen from one chain. On the backbone `known` is how many there are, and `waiting` is what
/// it will itself take up at its next boundary; so on a shard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Decrees {
    /// How many decrees this chain has issued or imported.
    pub known: u64,
    /// Numbers of the decrees that wait for the next boundary, ascending.
    pub waiting: List<u64, DECREES_WAITING_MAX>,
}

/// Most decrees that wait for a boundary.
pub const DECREES_WAITING_MAX: usize = 64;
