//! Governance: what is proposed, how it was voted on, and what was decided.

use crate::{
    Address, ChainId, List, Millis, NanoMeshx, ParamName, Text, attest::Listed, wire_enum,
    wire_struct,
};
use serde::{Deserialize, Serialize};

/// Counts up from 1.
pub type ProposalId = u64;

/// Most parameters one proposal changes.
pub const CHANGES_MAX: usize = 16;

/// One parameter's new value, in the unit its entry in the registry names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParamChange {
    /// `None`: on all chains.
    pub chain: Option<ChainId>,
    pub name: ParamName,
    pub value: u64,
}
wire_struct!(ParamChange { chain, name, value });

/// A locked pool that governance opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockedPool {
    Ecosystem,
    Treasury,
}
wire_enum!(LockedPool { 0 => Ecosystem, 1 => Treasury });

/// Who may vote on a shard's chain beside what presence proofs say: Antarctica has no vantage points (DESIGN §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    /// By proof of presence.
    Presence,
    /// By governance.
    Listed,
    Closed,
}
wire_enum!(Admission { 0 => Presence, 1 => Listed, 2 => Closed });

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ProposalKind {
    ChangeParams {
        changes: List<ParamChange, CHANGES_MAX>,
    },
    /// Pay out of a pool that only governance opens.
    Spend {
        pool: LockedPool,
        to: Address,
        amount: NanoMeshx,
    },
    ShardAdmission {
        chain: ChainId,
        rule: Admission,
    },
    /// Put something on a list that attestation goes by, or take it off.
    List {
        entry: Listed,
        allowed: bool,
    },
    /// Take in no new jobs for `lasting` from execution on. `None`: on no chain.
    PauseIntake {
        chain: Option<ChainId>,
        lasting: Millis,
    },
}
wire_enum!(ProposalKind {
    0 => ChangeParams { changes },
    1 => Spend { pool, to, amount },
    2 => ShardAdmission { chain, rule },
    3 => PauseIntake { chain, lasting },
    4 => List { entry, allowed },
});

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoteOption {
    Yes,
    No,
    Abstain,
    /// No, and the deposit is burned if enough say so.
    Veto,
}
wire_enum!(VoteOption { 0 => Yes, 1 => No, 2 => Abstain, 3 => Veto });

/// Stake behind each option.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub yes: NanoMeshx,
    pub no: NanoMeshx,
    pub abstain: NanoMeshx,
    pub veto: NanoMeshx,
}
wire_struct!(Tally { yes, no, abstain, veto });

/// How one account voted with the stake it has behind one validator, in that validator's shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ballot {
    pub option: VoteOption,
    pub shares: u128,
}
wire_struct!(Ballot { option, shares });

/// Shares of one validator behind each option, of those who voted themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cast {
    pub yes: u128,
    pub no: u128,
    pub abstain: u128,
    pub veto: u128,
}
wire_struct!(Cast { yes, no, abstain, veto });

/// All votes behind one validator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidatorVotes {
    pub cast: Cast,
    /// What its operator said, for all who did not vote themselves.
    pub operator: Option<VoteOption>,
}
wire_struct!(ValidatorVotes { cast, operator });

/// Where a proposal is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum ProposalStatus {
    Voting {
        closes: Millis,
    },
    /// Passed; it waits out its timelock.
    Queued {
        executes: Millis,
    },
    Executed {
        at: Millis,
    },
    Rejected,
    /// Too little stake voted.
    NoQuorum,
    /// Rejected, and the deposit burned.
    Vetoed,
    /// Passed, but it could not be carried out any more; nothing was changed.
    Failed,
}
wire_enum!(ProposalStatus {
    0 => Voting { closes },
    1 => Queued { executes },
    2 => Executed { at },
    3 => Rejected,
    4 => NoQuorum,
    5 => Vetoed,
    6 => Failed,
});

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
wire_struct!(Proposal { id, proposer, title, kind, deposit, submitted, status, tally });

/// A decision that other chains carry out. They take them up in order, none left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decree {
    /// Counts up from 1.
    pub number: u64,
    pub proposal: ProposalId,
    pub order: Order,
}
wire_struct!(Decree { number, proposal, order });

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Order {
    SetParams { changes: List<ParamChange, CHANGES_MAX> },
    Admit { chain: ChainId, rule: Admission },
    Pause { chain: Option<ChainId>, until: Millis },
    List { entry: Listed, allowed: bool },
}
wire_enum!(Order {
    0 => SetParams { changes },
    1 => Admit { chain, rule },
    2 => Pause { chain, until },
    3 => List { entry, allowed },
});
