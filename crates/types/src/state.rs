//! What a chain remembers: the records under its state root, and the keys they stand under.

use crate::{
    Address, City, Hash, Height, JobId, JobSpec, List, NanoMeshx, Outcome, REPLICAS_MAX,
    Submission, codec::Encode, hash::domain_hash, wire_enum, wire_struct,
};
use serde::{Deserialize, Serialize};

pub use crate::Params;

/// Reputation a new worker starts with, and its ceiling.
pub const REPUTATION_NEW: u16 = 5_000;
pub const REPUTATION_MAX: u16 = 10_000;
/// Most jobs one block may have waiting for a draw, or falling due.
pub const JOBS_PER_HEIGHT_MAX: usize = 1_024;

/// Names one record of a chain's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// [`Params`]: what validators must agree on beside the code.
    Params,
    /// [`Supply`].
    Supply,
    /// [`Account`].
    Account(Address),
    /// [`JobRecord`].
    Job(JobId),
    /// [`WorkerRecord`].
    Worker(Address),
    /// How many workers ever registered: `u32`.
    WorkerCount,
    /// The address of the worker that registered as number `i`: [`Address`].
    WorkerAt(u32),
    /// The heights that have jobs waiting for a draw: [`Heights`].
    Queue,
    /// The jobs of one such height: [`Queued`].
    Queued(Height),
    /// The jobs to look at when the chain reaches this height: [`Due`].
    Due(Height),
    /// The settled job that answers an equal spec: [`JobId`]. See [`cache_key`].
    Cached(Hash),
}
wire_enum!(Key {
    0 => Params, 1 => Supply, 2 => Account(address), 3 => Job(id), 4 => Worker(address), 5 => WorkerCount,
    6 => WorkerAt(index), 7 => Queue, 8 => Queued(height), 9 => Due(height), 10 => Cached(hash),
});

impl Key {
    /// Where the record stands in the authenticated store.
    pub fn path(&self) -> Hash {
        domain_hash("meshx/state-key/v1", &[&self.encode()])
    }
}

/// Jobs with the same key give the same bytes: same module, input, limits and profile.
pub fn cache_key(spec: &JobSpec) -> Hash {
    domain_hash("meshx/cache-key/v1", &[&spec.encode()])
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub balance: NanoMeshx,
    pub nonce: u64,
}
wire_struct!(Account { balance, nonce });

/// Money that came and went. At every height: `genesis - burned` = the sum of all balances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supply {
    pub genesis: NanoMeshx,
    pub burned: NanoMeshx,
}
wire_struct!(Supply { genesis, burned });

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerRecord {
    /// Jobs it runs at once, at most.
    pub capacity: u16,
    /// Seats it holds now.
    pub running: u16,
    /// 0 to [`REPUTATION_MAX`].
    pub reputation: u16,
    pub city: City,
    pub registered: Height,
}
wire_struct!(WorkerRecord { capacity, running, reputation, city, registered });

/// One replica of a job: who runs it, and what it has said so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    pub worker: Address,
    pub commitment: Option<Hash>,
    pub outcome: Option<Outcome>,
}
wire_struct!(Seat { worker, commitment, outcome });

pub type Seats = List<Seat, REPLICAS_MAX>;

/// How a job ended without a result. The payer got everything back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    Expired,
    Cancelled,
    /// Too few workers said the same.
    NoAgreement,
}
wire_enum!(Ending { 0 => Expired, 1 => Cancelled, 2 => NoAgreement });

/// What a settled job gave and cost. `paid + refunded` is what was in escrow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    pub height: Height,
    pub outcome: Outcome,
    /// Seats that revealed `outcome`.
    pub agreed: u8,
    pub seats: Seats,
    pub paid: NanoMeshx,
    pub refunded: NanoMeshx,
    /// The job whose result answered this one; then nobody ran it and `paid` is zero.
    pub cached_from: Option<JobId>,
}
wire_struct!(Settlement { height, outcome, agreed, seats, paid, refunded, cached_from });

/// Where a job is in its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// Paid for, no workers yet.
    Queued,
    /// Workers run it; each shows a commitment by `until`.
    Committing {
        drawn: Height,
        until: Height,
        seats: Seats,
    },
    /// Those who committed open their commitment by `until`.
    Revealing {
        drawn: Height,
        until: Height,
        seats: Seats,
    },
    Settled(Settlement),
    Ended {
        height: Height,
        ending: Ending,
        seats: Seats,
    },
}
wire_enum!(Phase {
    0 => Queued,
    1 => Committing { drawn, until, seats },
    2 => Revealing { drawn, until, seats },
    3 => Settled(settlement),
    4 => Ended { height, ending, seats },
});

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRecord {
    pub payer: Address,
    pub submission: Submission,
    pub submitted: Height,
    pub phase: Phase,
}
wire_struct!(JobRecord { payer, submission, submitted, phase });

/// Jobs of one height that wait for that height's beacon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    pub epoch: crate::Epoch,
    pub view: u64,
    pub jobs: List<JobId, JOBS_PER_HEIGHT_MAX>,
}
wire_struct!(Queued { epoch, view, jobs });

pub type Heights = List<Height, 256>;
pub type Due = List<JobId, JOBS_PER_HEIGHT_MAX>;

/// Where money goes: an account, or out of existence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    Account(Address),
    Burned,
}

/// Money on its way from one account to somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    pub from: Address,
    pub to: Destination,
    pub amount: NanoMeshx,
}

/// Accounts that belong to the protocol; no key opens them.
pub mod pools {
    use crate::Address;
    /// What jobs have promised and not yet paid.
    pub fn escrow() -> Address {
        Address::pool("escrow")
    }
    pub fn treasury() -> Address {
        Address::pool("treasury")
    }
    /// The validators' share of job payments, until staking divides it.
    pub fn validators() -> Address {
        Address::pool("validators")
    }
    /// Stake that backs a validator.
    pub fn bonded() -> Address {
        Address::pool("bonded")
    }
    /// Stake on its way out.
    pub fn unbonding() -> Address {
        Address::pool("unbonding")
    }
    /// Rewards and commissions of stake, earned and not yet paid out.
    pub fn rewards() -> Address {
        Address::pool("rewards")
    }
}

/// Something a block did that a node may have to act on. Derived from the block, so not part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    Included {
        tx: crate::TxId,
        sender: Address,
    },
    /// The job's record changed; `phase` is its new one.
    Job {
        job: JobId,
        phase: Phase,
    },
    Worker {
        worker: Address,
    },
}
