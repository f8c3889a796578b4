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
    #[schema(value_type = noun::ChainId)]
    pub chain: ChainId,
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
    pub capacity: u64,
    pub running: u64,
    /// No new jobs before this moment.
    #[schema(value_type = u64)]
    pub paused_until: Millis,
    #[schema(value_type = noun::Supply)]
    pub supply: Supply,
}

/// A validator as stakers see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ValidatorView {
    #[schema(value_type = noun::Address)]
    pub operator: Address,
    /// What it votes with.
    #[schema(value_type = noun::PublicKey)]
    pub key: PublicKey,
    #[schema(value_type = noun::Standing)]
    pub standing: Standing,
    /// All stake behind it.
    #[schema(value_type = noun::Amount)]
    pub tokens: NanoMeshx,
    pub commission_bps: u16,
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
    #[schema(value_type = noun::Address)]
    pub validator: Address,
    /// What it is worth, after slashes.
    #[schema(value_type = noun::Amount)]
    pub worth: NanoMeshx,
    /// Rewards earned and not yet taken out.
    #[schema(value_type = noun::Amount)]
    pub owed: NanoMeshx,
    pub unbonding: Vec<UnbondingView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnbondingView {
    /// Before slashes that came after it left.
    #[schema(value_type = noun::Amount)]
    pub amount: NanoMeshx,
    #[schema(value_type = u64)]
    pub matures: Millis,
}

/// What an account has at stake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StakeView {
    #[schema(value_type = noun::Address)]
    pub address: Address,
    #[schema(value_type = u64)]
    pub height: Height,
    /// That block's timestamp.
    #[schema(value_type = u64)]
    pub now: Millis,
    pub delegations: Vec<DelegationView>,
}

/// What an account's machine proved on one chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttestationView {
    #[schema(value_type = noun::Address)]
    pub address: Address,
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
    #[schema(value_type = noun::Address)]
    pub address: Address,
    #[schema(value_type = noun::ChainId)]
    pub chain: ChainId,
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
    #[schema(value_type = noun::ChainId)]
    pub chain: ChainId,
    #[schema(value_type = noun::Address)]
    pub address: Address,
}

/// What the faucet gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FaucetGave {
    #[schema(value_type = noun::Hash)]
    pub tx: TxId,
    #[schema(value_type = noun::Amount)]
    pub amount: NanoMeshx,
}
