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
    /// Which parameter.
    pub name: ParamName,
    /// Its new value, in the unit of its entry in the registry.
    pub value: u64,
}

/// A locked pool that governance opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(rename_all = "snake_case")]
pub enum LockedPool {
    /// Money for people who build on MeshX.
    Ecosystem = 0,
    /// Money for the protocol's own purposes.
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
    /// Nobody may vote, so the chain makes no new blocks.
    Closed = 2,
}

/// What a proposal does if it passes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ProposalKind {
    /// Set parameters.
    #[wire(tag = 0)]
    ChangeParams {
        /// In the order in which they are made. All are made, or none.
        changes: List<ParamChange, CHANGES_MAX>,
    },
    /// Pay out of a pool that only governance opens.
    #[wire(tag = 1)]
    Spend {
        /// Which pool pays.
        pool: LockedPool,
        /// Who is paid.
        to: Address,
        /// How much.
        amount: NanoMeshx,
    },
    /// Say who may vote on a shard.
    #[wire(tag = 2)]
    ShardAdmission {
        /// The shard.
        chain: ChainId,
        /// How voters are chosen from then on.
        rule: Admission,
    },
    /// Put something on a list that attestation goes by, or take it off.
    #[wire(tag = 4)]
    List {
        /// The entry to add or to remove.
        entry: Listed,
        /// True to put it on the list, false to take it off.
        allowed: bool,
    },
    /// Take in no new jobs for `lasting` from execution on. `None`: on no chain.
    #[wire(tag = 3)]
    PauseIntake {
        /// The chain; `None` for all of them.
        chain: Option<ChainId>,
        /// How long; at most `governance.pause_max_ms`.
        lasting: Millis,
    },
}

/// What an account says about a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(rename_all = "snake_case")]
pub enum VoteOption {
    /// For the proposal.
    Yes = 0,
    /// Against the proposal.
    No = 1,
    /// Neither. The stake still counts for the quorum.
    Abstain = 2,
    /// No, and the deposit is burned if enough say so.
    Veto = 3,
}

/// Stake behind each option.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Tally {
    /// Stake behind yes.
    pub yes: NanoMeshx,
    /// Stake behind no.
    pub no: NanoMeshx,
    /// Stake that abstained.
    pub abstain: NanoMeshx,
    /// Stake behind a veto.
    pub veto: NanoMeshx,
}

/// How one account voted with the stake it has behind one validator, in that validator's shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Ballot {
    /// What the account chose.
    pub option: VoteOption,
    /// How many shares it counted with.
    pub shares: u128,
}

/// Shares of one validator behind each option, of those who voted themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Cast {
    /// Shares behind yes.
    pub yes: u128,
    /// Shares behind no.
    pub no: u128,
    /// Shares that abstained.
    pub abstain: u128,
    /// Shares behind a veto.
    pub veto: u128,
}

/// All votes behind one validator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct ValidatorVotes {
    /// Of those who voted themselves.
    pub cast: Cast,
    /// What its operator said, for all who did not vote themselves.
    pub operator: Option<VoteOption>,
}

/// Where a proposal is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum ProposalStatus {
    /// Votes are taken.
    #[wire(tag = 0)]
    Voting {
        /// Votes are refused from this time on.
        closes: Millis,
    },
    /// Passed; it waits out its timelock.
    #[wire(tag = 1)]
    Queued {
        /// When the timelock ends, and the proposal is carried out.
        executes: Millis,
    },
    /// Carried out.
    #[wire(tag = 2)]
    Executed {
        /// The time of the block that carried it out.
        at: Millis,
    },
    /// Enough stake voted, and too little of it said yes.
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

/// A proposal, from its submission to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Proposal {
    /// Its number, from 1.
    pub id: ProposalId,
    /// The account that made it and paid the deposit.
    pub proposer: Address,
    /// A short text that people know it by.
    pub title: Text<120>,
    /// What it does if it passes.
    pub kind: ProposalKind,
    /// Paid by the proposer. It comes back unless the proposal is vetoed.
    pub deposit: NanoMeshx,
    /// The time of the block that holds it.
    pub submitted: Millis,
    /// Where it is in its life.
    pub status: ProposalStatus,
    /// The stake behind each option, as far as it is counted.
    pub tally: Tally,
}

/// A decision that other chains carry out. They take them up in order, none left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Decree {
    /// Counts up from 1.
    pub number: u64,
    /// The proposal that decided it.
    pub proposal: ProposalId,
    /// What other chains have to do.
    pub order: Order,
}

/// What a decree tells other chains to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Order {
    /// Set parameters at the next boundary.
    #[wire(tag = 0)]
    SetParams {
        /// In the order in which they are made.
        changes: List<ParamChange, CHANGES_MAX>,
    },
    /// Change who may vote on a chain.
    #[wire(tag = 1)]
    Admit {
        /// The chain.
        chain: ChainId,
        /// How voters are chosen from then on.
        rule: Admission,
    },
    /// Accept no new jobs.
    #[wire(tag = 2)]
    Pause {
        /// The chain; `None` for all of them.
        chain: Option<ChainId>,
        /// Jobs are accepted again from this time on.
        until: Millis,
    },
    /// Change a list that attestation goes by.
    #[wire(tag = 3)]
    List {
        /// The entry to add or to remove.
        entry: Listed,
        /// True to put it on the list, false to take it off.
        allowed: bool,
    },
}
