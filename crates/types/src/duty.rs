//! Duties: transactions that settle what is under way, and what each may take from its sender.

use crate::{Action, Address, ChainId, Epoch, JobId, NanoMeshx, staking::StakeOrder};

/// What a transaction that settles something does, and for which seat. Two with the same duty are worth one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Duty {
    /// A drawn worker commits to its outcome of a job.
    Commit(JobId, Address),
    /// It opens that commitment.
    Reveal(JobId, Address),
    /// A validator's lot for the committees of an epoch.
    Ticket(Epoch, Address),
    /// The backbone's decree of this number reaches a shard.
    Decree(u64),
    /// The committee of this number reaches its chain.
    Seats(ChainId, u64),
}

impl Action {
    /// What this action of `sender` settles; `None` for all that an account does for itself.
    ///
    /// What settles is free, because each duty is done once: for a job that is paid for, or by one that was drawn. A pool
    /// keeps room for it, which nobody can buy. A new action belongs here if somebody else's money or a committee waits
    /// for it, and if the chain's state bounds how often it goes through.
    #[must_use]
    pub const fn settles(&self, sender: Address) -> Option<Duty> {
        match self {
            Self::Commit { job, .. } => Some(Duty::Commit(*job, sender)),
            Self::Reveal(reveal) => Some(Duty::Reveal(reveal.job, sender)),
            Self::Ticket(ticket) => Some(Duty::Ticket(ticket.epoch, ticket.operator)),
            Self::ImportDecree(import) => Some(Duty::Decree(import.proved.record.number)),
            Self::ImportSeats(import) => {
                Some(Duty::Seats(import.proved.record.chain, import.proved.record.number))
            }
            Self::Transfer { .. }
            | Self::RegisterWorker { .. }
            | Self::SubmitJob(_)
            | Self::CancelJob { .. }
            | Self::PublishModule { .. }
            | Self::Heartbeat
            | Self::Stake(_)
            | Self::Report(_)
            | Self::Propose { .. }
            | Self::Vote { .. }
            | Self::Attest(_)
            | Self::ClaimVested { .. }
            | Self::Certify(_) => None,
        }
    }

    /// What the action takes from its sender's account beside fee and tip, as far as the action says it itself. A
    /// proposal's deposit, for instance, is a parameter of the chain.
    #[must_use]
    pub const fn moves(&self) -> NanoMeshx {
        match self {
            Self::Transfer { amount, .. }
            | Self::Stake(StakeOrder::Bond { amount, .. } | StakeOrder::Delegate { amount, .. }) => {
                *amount
            }
            Self::SubmitJob(submission) => submission.price_max,
            _ => NanoMeshx::ZERO,
        }
    }
}
