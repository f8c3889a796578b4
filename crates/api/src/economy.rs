//! Views of money that works: prices, stake, earnings.

use crate::noun;
use serde::{Deserialize, Serialize};
use types::{
    Address, ChainId, Height, Millis, NanoMeshx, PublicKey, TxId,
    attest::{AttestationRecord, Challenges},
    staking::Standing,
    state::{Earned, Supply},
};
use utoipa::ToSchema;

/// What moves with load on one chain, as its next block finds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MarketView {
    /// The chain whose prices these are.
    #[schema(value_type = noun::ChainId)]
    pub chain: ChainId,
    /// The newest final block; all else is as it leaves it.
    #[schema(value_type = u64)]
    pub height: Height,
    /// Burned for a transaction.
    #[schema(value_type = noun::Amount)]
    pub base_fee: NanoMeshx,
    /// What jobs are priced at, in millionths.
    #[schema(value_type = u32)]
    pub demand: types::Ppm,
    /// Places that are paid for, of all places, in basis points.
    pub utilisation_bps: u16,
    /// How many replicas all registered workers of the chain can run at once.
    pub capacity: u64,
    /// How many of these places open jobs have paid for.
    pub running: u64,
    /// No new jobs before this moment.
    #[schema(value_type = u64)]
    pub paused_until: Millis,
    /// What exists on this chain: at genesis, minted since, burned since.
    #[schema(value_type = noun::Supply)]
    pub supply: Supply,
}

/// A validator as stakers see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ValidatorView {
    /// The account that bonded the validator; it names the validator.
    #[schema(value_type = noun::Address)]
    pub operator: Address,
    /// What it votes with.
    #[schema(value_type = noun::PublicKey)]
    pub key: PublicKey,
    /// Whether it may take a seat, or is jailed, or is out for ever.
    #[schema(value_type = noun::Standing)]
    pub standing: Standing,
    /// All stake behind it.
    #[schema(value_type = noun::Amount)]
    pub tokens: NanoMeshx,
    /// What it keeps of rewards before its delegators get theirs, now, in basis points.
    pub commission_bps: u16,
    /// Commission that its operator has earned and not yet taken out.
    #[schema(value_type = noun::Amount)]
    pub commission_owed: NanoMeshx,
    /// Faults it was found guilty of.
    pub slashes: u8,
    /// Whether it has a seat in the backbone's committee that was drawn last, or in the first one if none was.
    pub seated: bool,
    /// Where nodes of it are met, as the operator says.
    pub peers: Vec<String>,
}

/// Stake of one account behind one validator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DelegationView {
    /// The operator of the validator.
    #[schema(value_type = noun::Address)]
    pub validator: Address,
    /// What it is worth, after slashes.
    #[schema(value_type = noun::Amount)]
    pub worth: NanoMeshx,
    /// Rewards earned and not yet taken out.
    #[schema(value_type = noun::Amount)]
    pub owed: NanoMeshx,
    /// Stake that is leaving this validator, in the order in which it began to leave.
    pub unbonding: Vec<UnbondingView>,
}

/// Stake that has left a validator and cannot be withdrawn yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnbondingView {
    /// Before slashes that came after it left.
    #[schema(value_type = noun::Amount)]
    pub amount: NanoMeshx,
    /// It can be withdrawn from this moment on.
    #[schema(value_type = u64)]
    pub matures: Millis,
}

/// What an account has at stake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StakeView {
    /// The account that was asked about.
    #[schema(value_type = noun::Address)]
    pub address: Address,
    /// The backbone's newest final block; all else is as it leaves it.
    #[schema(value_type = u64)]
    pub height: Height,
    /// That block's timestamp.
    #[schema(value_type = u64)]
    pub now: Millis,
    /// One for each validator that the account has stake behind, or stake leaving.
    pub delegations: Vec<DelegationView>,
}

/// What an account's machine proved on one chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttestationView {
    /// The account that was asked about.
    #[schema(value_type = noun::Address)]
    pub address: Address,
    /// The chain on which it attests.
    #[schema(value_type = noun::ChainId)]
    pub chain: ChainId,
    /// What new evidence must answer.
    #[schema(value_type = noun::Challenges)]
    pub challenges: Challenges,
    /// Null: nothing yet.
    #[schema(value_type = Option<noun::AttestationRecord>)]
    pub record: Option<AttestationRecord>,
    /// Whether it counts at `now`.
    pub counts: bool,
    /// The newest block's time.
    #[schema(value_type = u64)]
    pub now: Millis,
}

/// All that an account has earned on one chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EarningsView {
    /// The account that was asked about.
    #[schema(value_type = noun::Address)]
    pub address: Address,
    /// The chain on which it earned. Rewards and commission are of the backbone; elsewhere they are 0.
    #[schema(value_type = noun::ChainId)]
    pub chain: ChainId,
    /// What it was paid, by what for.
    #[schema(value_type = noun::Earned)]
    pub earned: Earned,
    /// Rewards of stake that can be claimed.
    #[schema(value_type = noun::Amount)]
    pub rewards_owed: NanoMeshx,
    /// Commission that can be claimed.
    #[schema(value_type = noun::Amount)]
    pub commission_owed: NanoMeshx,
}

/// The account that a development network's faucet pays, and its chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FaucetAsked {
    /// The chain on which the account is to have the money.
    #[schema(value_type = noun::ChainId)]
    pub chain: ChainId,
    /// The account that is to have it. An account of the protocol is refused (`pool_account`).
    #[schema(value_type = noun::Address)]
    pub address: Address,
    /// How much, in nano-MESHX: at most, and usually, 500,000 MESHX.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<noun::Amount>)]
    pub amount: Option<NanoMeshx>,
}

/// What the faucet gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FaucetGave {
    /// The transfer. It is final when this answer comes.
    #[schema(value_type = noun::Hash)]
    pub tx: TxId,
    /// How much it moved, in nano-MESHX.
    #[schema(value_type = noun::Amount)]
    pub amount: NanoMeshx,
}
