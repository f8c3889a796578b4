//! What a chain remembers: the records under its state root, and the keys they stand under.

use crate::{
    Address, ChainId, Hash, Height, JobId, JobSpec, List, NanoMeshx, Outcome, Ppm, PublicKey,
    REPLICAS_MAX, Submission, Term, Wire, codec::Encode, governance::ProposalId, hash::domain_hash,
};
use serde::{Deserialize, Serialize};

pub use crate::{Params, economy::*, worker::*};

/// Most jobs one block may have waiting for a draw, or falling due.
pub const JOBS_PER_HEIGHT_MAX: usize = 1_024;

/// Most heights that wait at once.
pub const HEIGHTS_MAX: usize = 256;

/// Names one record of a chain's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Wire)]
pub enum Key {
    /// [`Params`]: what validators must agree on beside the code.
    #[wire(tag = 0)]
    Params,
    /// [`Supply`].
    #[wire(tag = 1)]
    Supply,
    /// [`Account`].
    #[wire(tag = 2)]
    Account(Address),
    /// [`JobRecord`].
    #[wire(tag = 3)]
    Job(JobId),
    /// [`WorkerRecord`].
    #[wire(tag = 4)]
    Worker(Address),
    /// How many workers ever registered: `u32`.
    #[wire(tag = 5)]
    WorkerCount,
    /// The address of the worker that registered as number `i`: [`Address`].
    #[wire(tag = 6)]
    WorkerAt(u32),
    /// The heights that have jobs waiting for a draw: [`Heights`].
    #[wire(tag = 7)]
    Queue,
    /// The jobs of one such height: [`Queued`].
    #[wire(tag = 8)]
    Queued(Height),
    /// The jobs to look at when the chain reaches this height: [`Due`].
    #[wire(tag = 9)]
    Due(Height),
    /// The settled job that answers an equal spec: [`JobId`]. See [`cache_key`].
    #[wire(tag = 10)]
    Cached(Hash),
    /// [`Market`].
    #[wire(tag = 11)]
    Market,
    /// Who published a module, and what it asks for: [`ModuleRecord`].
    #[wire(tag = 12)]
    Module(Hash),
    /// [`Earned`].
    #[wire(tag = 13)]
    Earned(Address),
    /// [`VestingRecord`] of this account.
    #[wire(tag = 14)]
    Vesting(Address),
    /// [`crate::staking::ValidatorRecord`] of this operator.
    #[wire(tag = 15)]
    Validator(Address),
    /// The operator whose validator votes with this key: [`Address`].
    #[wire(tag = 16)]
    ValidatorKey(PublicKey),
    /// The operators of all validators there ever were: [`Validators`].
    #[wire(tag = 17)]
    Validators,
    /// [`crate::staking::DelegationRecord`].
    #[wire(tag = 18)]
    Delegation(Stake),
    /// [`crate::staking::UnbondingRecord`].
    #[wire(tag = 19)]
    Unbonding(Stake),
    /// The validators an account has stake with, or stake leaving: [`Backed`].
    #[wire(tag = 20)]
    Backed(Address),
    /// When views of this chain were: [`ViewTime`].
    #[wire(tag = 22)]
    ViewTime(ViewStep),
    /// [`crate::governance::Proposal`].
    #[wire(tag = 23)]
    Proposal(ProposalId),
    /// How many proposals there were: `u64`.
    #[wire(tag = 24)]
    ProposalCount,
    /// Those that are open or wait for their timelock: [`OpenProposals`].
    #[wire(tag = 25)]
    OpenProposals,
    /// How one account voted: see the governance crate.
    #[wire(tag = 26)]
    Ballot(BallotKey),
    /// What was voted behind one validator.
    #[wire(tag = 27)]
    ValidatorVotes(VotesKey),
    /// A decision for other chains: [`crate::governance::Decree`].
    #[wire(tag = 28)]
    Decree(u64),
    /// How many decrees this chain has issued or taken up, and those that wait: [`Decrees`].
    #[wire(tag = 29)]
    Decrees,
    /// Who may vote on a chain: [`crate::governance::Admission`].
    #[wire(tag = 30)]
    Admission(ChainId),
    /// What new evidence must answer: [`crate::attest::Challenges`].
    #[wire(tag = 31)]
    Challenges,
    /// What an account's machine proved: [`crate::attest::AttestationRecord`].
    #[wire(tag = 32)]
    Attested(Address),
    /// The account a physical platform stands behind: [`Address`].
    #[wire(tag = 33)]
    Platform(Hash),
    /// Whether governance has this entry on its list: `bool`. See [`crate::attest::Listed::id`].
    #[wire(tag = 34)]
    Listed(Hash),
    /// Where nodes of this operator's validator are met: [`crate::staking::PeerAddresses`].
    #[wire(tag = 35)]
    Peers(Address),
    /// Who votes in this term: [`TermRecord`].
    #[wire(tag = 36)]
    Term(Term),
    /// What this operator draws lots with: [`crate::committee::VrfRecord`].
    #[wire(tag = 37)]
    Vrf(Address),
    /// The draw that is open: [`crate::committee::DrawRecord`].
    #[wire(tag = 38)]
    Draw,
    /// This operator's ticket for it: [`crate::committee::TicketRecord`].
    #[wire(tag = 39)]
    Ticket(Address),
    /// Who was drawn last for a chain: [`crate::committee::SeatsRecord`]. A shard knows its own.
    #[wire(tag = 40)]
    Seats(ChainId),
    /// Where this operator's validator stands: [`crate::presence::PresenceRecord`].
    #[wire(tag = 41)]
    Presence(Address),
    /// What was measured of the node with this key: [`crate::presence::MeasuredRecord`].
    #[wire(tag = 42)]
    Measured(PublicKey),
    /// How often the witness with this key was faster than light: `u16`.
    #[wire(tag = 43)]
    Marks(PublicKey),
    /// The period that is on: [`crate::presence::PeriodRecord`].
    #[wire(tag = 44)]
    Period,
    /// Its witnesses: [`crate::presence::WitnessList`].
    #[wire(tag = 45)]
    Witnesses,
    /// Those that genesis named, on and off the list: [`crate::presence::WitnessList`].
    #[wire(tag = 46)]
    GenesisWitnesses,
    /// The expiring nonces that this account has used lately: [`crate::Spent`].
    #[wire(tag = 47)]
    Spent(Address),
    /// Heights whose due jobs had no room in their own blocks: [`Heights`].
    #[wire(tag = 48)]
    Overdue,
    /// A place that draws may choose, by its number: [`WorkerPlace`].
    #[wire(tag = 49)]
    WorkerPlace(u32),
    /// How many of them there are: `u32`.
    #[wire(tag = 50)]
    WorkerPlaces,
    /// The numbers of this worker's places: [`PlacesOf`].
    #[wire(tag = 51)]
    PlacesOf(Address),
    /// Workers whose places change once older draws are over: [`Moves`].
    #[wire(tag = 52)]
    Moves,
}

/// Names what one account has with one validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Wire)]
pub struct Stake {
    /// The account that delegated the stake.
    pub delegator: Address,
    /// The validator's operator.
    pub validator: Address,
}

/// The name of one ballot: one account, one validator, one proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Wire)]
pub struct BallotKey {
    /// The number of the proposal.
    pub proposal: ProposalId,
    /// The account that voted.
    pub voter: Address,
    /// The operator of the validator behind which the stake is.
    pub validator: Address,
}

/// The name of the votes of all stake behind one validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Wire)]
pub struct VotesKey {
    /// The number of the proposal.
    pub proposal: ProposalId,
    /// The validator's operator.
    pub validator: Address,
}

impl Key {
    /// Where the record stands in the authenticated store.
    pub fn path(&self) -> Hash {
        domain_hash("meshx/state-key/v1", &[&self.encode()])
    }
}

/// Jobs with the same key give the same bytes to the same payer: same module, input, limits and profile. What strangers'
/// jobs gave answers nobody else, because a quorum of liars would then lie to all who ask.
pub fn cache_key(payer: &Address, spec: &JobSpec) -> Hash {
    domain_hash("meshx/cache-key/v2", &[&payer.encode(), &spec.encode()])
}

/// What one address holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Account {
    /// In nano-MESHX.
    pub balance: NanoMeshx,
    /// How many transactions of this account with strict nonces are in blocks of this chain.
    pub nonce: u64,
}

/// Money that came and went. At every height: `genesis + minted - burned` = the sum of all balances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Supply {
    /// What existed at genesis.
    pub genesis: NanoMeshx,
    /// What was minted since.
    pub minted: NanoMeshx,
    /// What was burned since.
    pub burned: NanoMeshx,
}

impl Supply {
    /// What all accounts and pools of the chain hold together, in nano. Zero for a supply that burned more than
    /// there was, which no chain has.
    pub fn circulating(&self) -> u128 {
        let [genesis, minted, burned] =
            [self.genesis, self.minted, self.burned].map(|part| u128::from(part.get()));
        (genesis + minted).saturating_sub(burned)
    }
}

/// What a worker was drawn at. It is paid by this, even if the worker changes it meanwhile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Terms {
    /// Its reputation at the draw, from 0 to [`REPUTATION_MAX`].
    pub reputation: u16,
    /// Least it takes for a core-second.
    pub floor: NanoMeshx,
}

/// One replica of a job: who runs it, and what it has said so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Assignment {
    /// The worker, named by the account that is paid.
    pub worker: Address,
    /// The conditions under which it was drawn.
    pub terms: Terms,
    /// [`crate::Reveal::commitment`]; `None` before the worker has committed.
    pub commitment: Option<Hash>,
    /// The outcome it revealed; `None` before it has.
    pub outcome: Option<Outcome>,
}

/// One assignment for each replica of a job, in the order of the draw.
pub type Assignments = List<Assignment, REPLICAS_MAX>;

/// How a job ended without a result. The payer got back what nobody earned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Too few workers took it, or answered in time.
    Expired = 0,
    /// Its payer cancelled it before workers were drawn.
    Cancelled = 1,
    /// Too few workers said the same.
    NoAgreement = 2,
}

/// What a settled job gave and cost. `paid + refunded` is what was in escrow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Settlement {
    /// The block that settled it.
    pub height: Height,
    /// The outcome that enough replicas agreed on.
    pub outcome: Outcome,
    /// Assignments that revealed `outcome`.
    pub agreed: u8,
    /// The workers, and what each revealed.
    pub assignments: Assignments,
    /// What workers, author, validators and treasury received, with what was burned.
    pub paid: NanoMeshx,
    /// What the payer got back.
    pub refunded: NanoMeshx,
    /// The job whose result answered this one; then nobody ran it and `paid` is zero.
    pub cached_from: Option<JobId>,
}

/// Where a job is in its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// Paid for, no workers yet.
    #[wire(tag = 0)]
    Queued {
        /// How many draws have found too few workers. The next one is the later, the more there were.
        draws: u16,
    },
    /// Workers run it; each shows a commitment by `until`.
    #[wire(tag = 1)]
    Committing {
        /// The block that drew the workers.
        drawn: Height,
        /// The last block that may hold a commitment.
        until: Height,
        /// The workers, and what each has committed.
        assignments: Assignments,
    },
    /// Those who committed open their commitment by `until`.
    #[wire(tag = 2)]
    Revealing {
        /// The block that drew the workers.
        drawn: Height,
        /// The last block that may hold a reveal.
        until: Height,
        /// Whether they opened before every worker had its full time to commit, because enough had committed.
        early: bool,
        /// The workers, and what each has revealed.
        assignments: Assignments,
    },
    /// The job has a result.
    #[wire(tag = 3)]
    Settled(Settlement),
    /// The job ended without a result.
    #[wire(tag = 4)]
    Ended {
        /// The block that ended it.
        height: Height,
        /// Why it ended.
        ending: Ending,
        /// What workers got for the work that they showed, with what was burned.
        paid: NanoMeshx,
        /// The workers; empty if none were drawn.
        assignments: Assignments,
    },
}

/// A job, from its submission on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct JobRecord {
    /// The account that pays, and gets back what is not earned.
    pub payer: Address,
    /// What to run, and what the payer offers for it.
    pub submission: Submission,
    /// The block that holds the submission.
    pub submitted: Height,
    /// The demand multiplier it is priced at.
    pub demand: Ppm,
    /// Where the job is in its life.
    pub phase: Phase,
}

/// Jobs of one height that wait for that height's beacon.
#[derive(Clone, Debug, PartialEq, Eq, Wire)]
pub struct Queued {
    /// The term of the round at that height.
    pub term: crate::Term,
    /// The view of that round. The beacon is a signature over term and view.
    pub view: u64,
    /// Whether the beacon has come. Then these are the jobs that had no room in the block that brought it.
    pub begun: bool,
    /// In the order in which they were submitted.
    pub jobs: List<JobId, JOBS_PER_HEIGHT_MAX>,
}

/// Heights that something waits at, ascending: jobs for a draw, or reminders for room in a block.
pub type Heights = List<Height, HEIGHTS_MAX>;
/// Jobs to look at when the chain reaches one height.
pub type Due = List<JobId, JOBS_PER_HEIGHT_MAX>;

/// Where money goes: an account, or out of existence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// An account of the same chain.
    Account(Address),
    /// Nowhere: the money is destroyed, and [`Supply::burned`] grows.
    Burned,
}

/// Money on its way from one account to somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// The account that pays.
    pub from: Address,
    /// Where the money goes.
    pub to: Destination,
    /// In nano-MESHX.
    pub amount: NanoMeshx,
}

/// Accounts that belong to the protocol; no key opens them.
pub mod pools {
    use crate::Address;

    /// A function for each pool, and one for all of them, so that an audit cannot leave one out.
    macro_rules! pools {
        ($($(#[$doc:meta])* $name:ident)*) => {
            $($(#[$doc])*
            pub fn $name() -> Address {
                Address::pool(stringify!($name))
            })*
            /// Every pool: with the accounts that keys open, these hold the whole supply.
            pub fn all() -> impl Iterator<Item = Address> {
                [$($name as fn() -> Address),*].into_iter().map(|pool| pool())
            }
        };
    }
    pools! {
        /// What jobs have promised and not yet paid.
        escrow
        /// What governance may spend.
        treasury
        /// The validators' share of job payments, until staking divides it.
        validators
        /// Locked until governance releases it.
        ecosystem
        /// The team's, vesting.
        team
        /// Providers' part of what is minted, until chains can send each other money.
        providers
        /// What a shard pays its workers for being there; placed at genesis.
        availability
        /// What workers have put down for their places.
        places
        /// What open proposals have put down.
        deposits
        /// Stake that backs a validator.
        bonded
        /// Stake on its way out.
        unbonding
        /// Rewards and commissions of stake, earned and not yet paid out.
        rewards
    }
}

/// Something a block did that a node may have to act on. Derived from the block, so not part of it.
#[expect(clippy::large_enum_variant, reason = "a block has few events, and none is kept")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A block holds a transaction.
    Included {
        /// The id of the transaction.
        tx: crate::TxId,
        /// The account that sent it.
        sender: Address,
    },
    /// The job's record changed; `phase` is its new one.
    Job {
        /// The id of the job.
        job: JobId,
        /// The phase it is in now.
        phase: Phase,
    },
    /// A worker's record changed.
    Worker {
        /// The account of the worker.
        worker: Address,
    },
    /// A proposal was made, voted on, closed or carried out.
    Proposal {
        /// The number of the proposal.
        proposal: ProposalId,
    },
    /// A decision that other chains are to take up.
    Decree {
        /// [`crate::governance::Decree::number`].
        number: u64,
    },
    /// What this account's machine proved is recorded anew.
    Attested {
        /// The account whose machine it is.
        account: Address,
    },
    /// A draw's seed has come: tickets are taken from the next block on.
    Draw {
        /// [`crate::committee::DrawRecord::epoch`].
        epoch: crate::Epoch,
    },
    /// Who was drawn for a chain.
    Seats {
        /// The chain on which this committee votes.
        chain: ChainId,
        /// [`crate::committee::SeatsRecord::number`].
        number: u64,
    },
    /// Where this operator's validator stands is recorded anew.
    Presence {
        /// The validator's operator.
        operator: Address,
    },
}
