//! Governance: what is proposed, how it was voted on, and what was decided.

use crate::{Address, ChainId, List, Millis, NanoMeshx, ParamName, Text, Wire, attest::Listed};
use serde::{Deserialize, Serialize};

/// Counts up from 1.
pub type ProposalId = u64;

/// Most parameters one proposal changes.
pub const CHANGES_MAX: usize = 16;

/// One parameter's new value, in the unit its entry in the registry names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct ParamChange {
    /// `None`: on all chains.
    pub chain: Option<ChainId>,
    pub name: ParamName,
    pub value: u64,
}

/// A locked pool that governance opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(rename_all = "snake_case")]
pub enum LockedPool {
    Ecosystem = 0,
    Treasury = 1,
}

/// Who may vote on a shard's chain beside what presence proofs say: Antarctica has no vantage points (DESIGN §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    /// By proof of presence.
    Presence = 0,
    /// By governance.
    Listed = 1,
    Closed = 2,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ProposalKind {
    #[wire(tag = 0)]
    ChangeParams { changes: List<ParamChange, CHANGES_MAX> },
    /// Pay out of a pool that only governance opens.
    #[wire(tag = 1)]
    Spend { pool: LockedPool, to: Address, amount: NanoMeshx },
    #[wire(tag = 2)]
    ShardAdmission { chain: ChainId, rule: Admission },
    /// Put something on a list that attestation goes by, or take it off.
    #[wire(tag = 4)]
    List { entry: Listed, allowed: bool },
    /// Take in no new jobs for `lasting` from execution on. `None`: on no chain.
    #[wire(tag = 3)]
    PauseIntake { chain: Option<ChainId>, lasting: Millis },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(rename_all = "snake_case")]
pub enum VoteOption {
    Yes = 0,
    No = 1,
    Abstain = 2,
    /// No, and the deposit is burned if enough say so.
    Veto = 3,
}

/// Stake behind each option.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Tally {
    pub yes: NanoMeshx,
    pub no: NanoMeshx,
    pub abstain: NanoMeshx,
    pub veto: NanoMeshx,
}

/// How one account voted with the stake it has behind one validator, in that validator's shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Ballot {
    pub option: VoteOption,
    pub shares: u128,
}

/// Shares of one validator behind each option, of those who voted themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Cast {
    pub yes: u128,
    pub no: u128,
    pub abstain: u128,
    pub veto: u128,
}

/// All votes behind one validator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct ValidatorVotes {
    pub cast: Cast,
    /// What its operator said, for all who did not vote themselves.
    pub operator: Option<VoteOption>,
}

/// Where a proposal is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum ProposalStatus {
    #[wire(tag = 0)]
    Voting { closes: Millis },
    /// Passed; it waits out its timelock.
    #[wire(tag = 1)]
    Queued { executes: Millis },
    #[wire(tag = 2)]
    Executed { at: Millis },
    #[wire(tag = 3)]
    Rejected,
    /// Too little stake voted.
    #[wire(tag = 4)]
    NoQuorum,
    /// Rejected, and the deposit burned.
    #[wire(tag = 5)]
    Vetoed,
    /// Passed, but it could not be carried out any more; nothing was changed.
    #[wire(tag = 6)]
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Proposal {
    pub id: ProposalId,
    pub proposer: Address,
    pub title: Text<120>,
    pub kind: ProposalKind,
    pub deposit: NanoMeshx,
    pub submitted: Millis,
    pub status: ProposalStatus,
    pub tally: Tally,
}

/// A decision that other chains carry out. They take them up in order, none left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Decree {
    /// Counts up from 1.
    pub number: u64,
    pub proposal: ProposalId,
    pub order: Order,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Order {
    #[wire(tag = 0)]
    SetParams { changes: List<ParamChange, CHANGES_MAX> },
    #[wire(tag = 1)]
    Admit { chain: ChainId, rule: Admission },
    #[wire(tag = 2)]
    Pause { chain: Option<ChainId>, until: Millis },
    #[wire(tag = 3)]
    List { entry: Listed, allowed: bool },
}
