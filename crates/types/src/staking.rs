//! Stake: what a chain remembers of validators, of those who delegate to them, and of stake that leaves.

use crate::{
    Address, Hash, Height, List, Millis, NanoMeshx, PublicKey, Signature, Text, Wire,
    codec::Encode, committee::VrfProofBytes,
};
use serde::{Deserialize, Serialize};

/// Most times one delegator may be leaving one validator at once: each is looked at when stake is withdrawn.
pub const UNBONDINGS_MAX: usize = 7;
/// Most parts of one delegation that may still answer for the validator they came from.
pub const ARRIVALS_MAX: usize = 7;
/// Most faults a validator may be found guilty of; with the last one it is tombstoned. So the log is
/// complete for ever, and stake that left looks up there what it owes, however late it asks.
pub const SLASHES_MAX: usize = 8;

/// Rules of staking with a number in them. Set at genesis, changed by governance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct StakingParams {
    /// Least a validator has at stake itself to sit in a committee: 100,000 MESHX.
    pub validator_min: NanoMeshx,
    /// Least one delegation is worth, and what a part that leaves may leave behind: 100 MESHX.
    pub delegator_min: NanoMeshx,
    /// How long stake that leaves can still be slashed, and equivocation proofs are taken: 14 days.
    pub unbonding_ms: Millis,
    /// Part of the stake one proven fault costs, in basis points: 1,000.
    pub slash_bps: u16,
    /// Most of a reward a validator may keep before its delegators get theirs.
    pub commission_max_bps: u16,
    /// How long a validator that proved wrong stays out, at least.
    pub jail_ms: Millis,
    /// Most seats in a committee.
    pub validators_max: u16,
}

/// May the validator sit in a committee?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum Standing {
    /// It may take a seat.
    #[wire(tag = 0)]
    Active,
    /// Out until it asks to come back, at this moment or later.
    #[wire(tag = 1)]
    Jailed {
        /// It may ask to come back from this time on.
        until: Millis,
    },
    /// Out for ever.
    #[wire(tag = 2)]
    Tombstoned,
}

/// What can cost stake. Silence is not here: a crash never slashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Wire)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Two signatures that contradict each other.
    DoubleSigning = 0,
    /// A result that was proved wrong.
    WrongResult = 1,
}
impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::DoubleSigning => "double signing",
            Self::WrongResult => "wrong result",
        })
    }
}

/// One fault a validator was found guilty of. The fault and its height name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Slash {
    /// The fault that was proved.
    pub fault: Fault,
    /// When it was done. Stake that left at this height or later answers for it.
    pub height: Height,
    /// How much of its stake this cost, in basis points.
    pub bps: u16,
}

/// All faults of one validator, in the order in which they were proved.
pub type SlashLog = List<Slash, SLASHES_MAX>;

/// What a validator keeps of a reward. A change waits for an unbonding period, so that delegators can leave before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Commission {
    /// How much of a reward it keeps before its delegators get theirs, in basis points.
    pub bps: u16,
    /// Counts from `next_at` on.
    pub next_bps: u16,
    /// When the announced change takes effect.
    pub next_at: Millis,
}

/// A validator: all stake behind it, and how rewards reach it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct ValidatorRecord {
    /// Whose validator it is. Its own stake is an ordinary delegation of this account.
    pub operator: Address,
    /// What it signs votes with.
    pub key: PublicKey,
    /// Whether it may take a seat.
    pub standing: Standing,
    /// All stake behind it. A slash lowers this, and no share.
    pub tokens: NanoMeshx,
    /// Sum of the shares of its delegations.
    pub shares: u128,
    /// Those of its operator.
    pub shares_own: u128,
    /// How much of rewards it keeps.
    pub commission: Commission,
    /// Commission earned and not yet paid out.
    pub commission_owed: NanoMeshx,
    /// All a share has earned since the validator began, in 2⁻⁶⁴ nano.
    pub rewards_per_share: u128,
    /// What did not divide by the shares, in 2⁻⁶⁴ nano: part of the next reward.
    pub remainder: u128,
    /// What closed delegations left of less than a nano each, in 2⁻⁶⁴ nano: nobody's, and the treasury's once it is whole.
    pub dust: u128,
    /// The faults that were proved.
    pub slashes: SlashLog,
}

/// Stake that came from another validator and still answers for that one's earlier faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Arrival {
    /// The operator of the validator that it came from.
    pub from: Address,
    /// Part of the delegation's shares; they stay until `matures`.
    pub shares: u128,
    /// The block in which it came.
    pub created: Height,
    /// From this time on, faults of `from` no longer reduce it.
    pub matures: Millis,
    /// Slashes of `from` that are already counted in.
    pub slashes_seen: u8,
}

/// What one account has at stake with one validator. All zero: the same as no record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct DelegationRecord {
    /// Its part of the validator's `shares`.
    pub shares: u128,
    /// The validator's `rewards_per_share` when this was last brought up to date.
    pub paid_up_to: u128,
    /// Rewards earned until then and not yet paid out.
    pub owed: NanoMeshx,
    /// What `owed` has beyond whole nano, in 2⁻⁶⁴ nano.
    pub owed_fraction: u64,
    /// Parts of it that came from other validators and have not matured.
    pub arrivals: List<Arrival, ARRIVALS_MAX>,
}

/// Stake on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Unbonding {
    /// What left, before slashes that came later.
    pub amount: NanoMeshx,
    /// The block in which it began to leave.
    pub created: Height,
    /// It can be withdrawn from this time on.
    pub matures: Millis,
    /// Slashes of the validator that are already counted in.
    pub slashes_seen: u8,
}

/// All that one account is taking from one validator. Empty: the same as no record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct UnbondingRecord {
    /// In the order in which they began to leave.
    pub entries: List<Unbonding, UNBONDINGS_MAX>,
}

/// Most nodes that one validator makes known.
pub const PEER_ADDRESSES_MAX: usize = 4;
/// Where nodes are met, as multiaddresses that end in `/p2p/` and an identity. A chain does not read them.
pub type PeerAddresses = List<Text<160>, PEER_ADDRESSES_MAX>;

/// What an account asks for its stake. Validators are named by their operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum StakeOrder {
    /// Begin a validator that votes with `key`; `proof` is that key's signature over [`bond_message`].
    #[wire(tag = 0)]
    Bond {
        /// The key that the validator will vote with.
        key: PublicKey,
        /// The operator's own stake.
        amount: NanoMeshx,
        /// What it keeps of rewards, in basis points.
        commission_bps: u16,
        /// A signature that shows that the sender holds `key`.
        proof: Signature,
    },
    /// Put stake behind a validator.
    #[wire(tag = 1)]
    Delegate {
        /// The validator's operator.
        validator: Address,
        /// How much.
        amount: NanoMeshx,
    },
    /// `amount: None`: all of it.
    #[wire(tag = 2)]
    Undelegate {
        /// The operator of the validator that it leaves.
        validator: Address,
        /// How much; `None` for all.
        amount: Option<NanoMeshx>,
    },
    /// Move stake from one validator to another at once. Until it matures, faults of the first still reduce it.
    #[wire(tag = 3)]
    Redelegate {
        /// The operator of the validator that it leaves.
        from: Address,
        /// The operator of the validator that it goes to.
        to: Address,
        /// How much; `None` for all.
        amount: Option<NanoMeshx>,
    },
    /// Take out what has been leaving for its unbonding period.
    #[wire(tag = 4)]
    Withdraw {
        /// The operator of the validator that the stake has left.
        validator: Address,
    },
    /// Take out rewards.
    #[wire(tag = 5)]
    Claim {
        /// The operator of the validator that earned the rewards.
        validator: Address,
    },
    /// Take out the commission that the sender's validator has earned.
    #[wire(tag = 6)]
    ClaimCommission,
    /// Announce another commission; it counts after an unbonding period.
    #[wire(tag = 7)]
    SetCommission {
        /// The new commission, in basis points.
        bps: u16,
    },
    /// Ask to come back from jail.
    #[wire(tag = 8)]
    Unjail,
    /// Let everybody know where nodes of the sender's validator are met; none: nowhere any more.
    #[wire(tag = 9)]
    Announce {
        /// All addresses. They replace those announced before.
        addresses: PeerAddresses,
    },
    /// Draw lots and witnesses with the VRF key `key` from the next boundary on; `proof` is that key's over
    /// [`crate::committee::vrf_possession`]. A key that changes while a draw is open has no ticket in it.
    #[wire(tag = 10)]
    RegisterVrf {
        /// A public key of the VRF (RFC 9381).
        key: Hash,
        /// A VRF proof that shows that the sender holds the key.
        proof: VrfProofBytes,
    },
}

/// What a consensus key signs to let `operator` bond with it, on this network only.
pub fn bond_message(network: &Hash, operator: &Address) -> Vec<u8> {
    [network.0.as_slice(), &operator.encode()].concat()
}

/// The domain of signatures over [`bond_message`].
pub const BOND_DOMAIN: &str = "meshx/bond/v1";
