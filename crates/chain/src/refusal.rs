//! Why a transaction was refused, with a code that never changes meaning.

use types::{
    Address, ChainId, Epoch, Height, JobId, Millis, Place, PublicKey, governance::ProposalId,
};

/// The reason; state is as it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error(transparent)]
    Ledger(#[from] ledger::Refusal),
    #[error(transparent)]
    Unacceptable(#[from] jobs::Unacceptable),
    #[error(transparent)]
    OutOfPhase(#[from] jobs::OutOfPhase),
    #[error(transparent)]
    Staking(#[from] staking::Refusal),
    #[error(transparent)]
    Vesting(#[from] ledger::VestingRefusal),
    #[error("the signature is not the sender's over this transaction on this network")]
    BadSignature,
    #[error("the transaction is for chain {got}, this is {here}")]
    WrongChain { got: ChainId, here: ChainId },
    #[error("no job has id {0}")]
    UnknownJob(JobId),
    #[error("a worker needs a capacity of 1 to 1024, not {0}")]
    Capacity(u16),
    #[error("too many jobs are waiting on this chain; try again in a few blocks")]
    Busy,
    #[error("{0} is the protocol's own account; only the protocol pays into it")]
    PoolAccount(Address),
    #[error("the backbone runs no jobs; send them to a shard")]
    NoJobsHere,
    #[error(transparent)]
    Governance(#[from] governance::Refusal),
    #[error("no proposal has number {0}")]
    UnknownProposal(ProposalId),
    #[error("as many proposals are open as may be; wait until one is decided")]
    TooManyProposals,
    #[error("decree {got} is not the next, which is {expected}")]
    DecreeOrder { expected: u64, got: u64 },
    #[error("the decree is not proved to be the backbone's")]
    NotProved,
    #[error("the backbone needs nobody to bring it its own decrees")]
    OwnDecree,
    #[error("evidence: {0}")]
    Evidence(#[from] receipt::BadEvidence),
    #[error("the evidence is of votes on {0}; only votes on the backbone can be judged yet")]
    ForeignEvidence(ChainId),
    #[error("no validator has ever bonded with the key that the evidence is against")]
    UnknownKey,
    #[error("nobody here knows when view {0} was")]
    UnknownView(u64),
    #[error("stake lives on the backbone; send this there")]
    NoStakeHere,
    #[error("{0} has no validator")]
    UnknownValidator(Address),
    #[error("the consensus key has not signed that this account may bond with it on this network")]
    KeyNotProved,
    #[error("no more validators can register on this network")]
    TooManyValidators,
    #[error(
        "an address of a node begins with / and has no spaces, like /ip4/192.0.2.1/tcp/8704/p2p/12D3…"
    )]
    PeerAddress,
    #[error(
        "an account has stake with at most {} validators; take some away first",
        types::state::BACKED_MAX
    )]
    TooManyBacked,
    #[error("this account has registered no worker on this chain")]
    NotWorker,
    #[error("nothing vests for this account")]
    NothingVests,
    #[error("a royalty of {asked} basis points is above {max}")]
    Royalty { asked: u16, max: u16 },
    #[error("{author} has published this module")]
    NotAuthor { author: Address },
    #[error("governance has paused the intake of jobs until {until} ms since 1970; try again then")]
    IntakePaused { until: Millis },
    #[error(
        "the evidence does not answer one of this chain's two last challenges; ask for the newest and attest anew"
    )]
    StaleChallenge,
    #[error("the statement is from the future; set the clock")]
    FromTheFuture,
    #[error("the parent has no attestation that counts on this chain")]
    NoParent,
    #[error("an attestation is to be later than its parent")]
    NotLater,
    #[error("a chain of attestations has at most {} links", types::attest::ATTESTATION_DEPTH_MAX)]
    TooDeep,
    #[error("what runs there is not on the list of this network")]
    NotListed,
    #[error("this platform already stands behind {0}")]
    PlatformTaken(Address),
    #[error("the evidence is refused: {0}; `meshx attest verify` says more")]
    NotAttested(&'static str),
    #[error("committees are drawn on the backbone; send this there")]
    NoDrawHere,
    #[error(
        "tickets of epoch {got} are not taken; of {open} they are, once its seed is known: draw one from that"
    )]
    TicketEpoch { got: Epoch, open: Epoch },
    #[error("{0}; draw one for the epoch that is open")]
    Untimely(#[from] staking::Untimely),
    #[error("{0} has a ticket for this epoch; one is all it can have")]
    TicketTaken(Address),
    #[error(
        "{0} is in jail, or has less at stake itself than a seat takes; `meshx stake unjail` or more stake of its own would help"
    )]
    NotEligible(Address),
    #[error(
        "{0} has no VRF key; register one with `meshx stake vrf`, and it counts from the next boundary on"
    )]
    NoVrfKey(Address),
    #[error(
        "the VRF key was registered in block {registered}, and the seed asked for in block {asked}; wait for the next epoch or period"
    )]
    LateVrfKey { registered: Height, asked: Height },
    #[error(
        "the attestation is of block {attested}, and the seed was asked for in block {asked}; wait for the next epoch or period"
    )]
    LateAttestation { attested: Height, asked: Height },
    #[error(
        "the proof is not of {0}'s VRF key over this epoch, its seed and the operator's attestation; draw it from the newest of them"
    )]
    NotItsTicket(Address),
    #[error(
        "the VRF key is no point of the curve in its one encoding, or of small order; make another"
    )]
    BadVrfKey,
    #[error("the VRF key also signs; a key that draws lots does nothing else, so make another")]
    VrfKeySigns,
    #[error("the VRF key has not proved that this account may draw with it on this network")]
    VrfKeyNotProved,
    #[error("the backbone draws seats itself; nobody needs to tell it")]
    OwnSeats,
    #[error("these are the seats of {0}; send them there")]
    SeatsElsewhere(ChainId),
    #[error("seats number {got} are not newer than number {known}, which the chain knows")]
    SeatsKnown { known: u64, got: u64 },
    #[error("presence is proved on the backbone; send this there")]
    NoPresenceHere,
    #[error("this network has no witnesses, so nobody can prove anything to it")]
    NoPeriod,
    #[error("the seed of period {0} is not known yet; try again in a few blocks")]
    NoSeed(u64),
    #[error(
        "no validator votes with {0}, which was measured; bond one with it first: meshx stake bond"
    )]
    UnknownVoter(PublicKey),
    #[error(
        "the claim's VRF key is not the one that {0} registered; draw the witnesses with that one"
    )]
    OtherVrfKey(Address),
    #[error(
        "the claim does not name the attestation that {0} had when the period began, or zero if it had none"
    )]
    OtherAttestation(Address),
    #[error("the certificate is none: {0}")]
    Certificate(#[from] presence::Rejected),
    #[error(
        "the claim is unproven: {refuted} of {able} witnesses exclude {cell} in {continent}, where the validator may stand as well; be measured again, or name the continent it is on"
    )]
    Unproven { cell: Place, continent: ChainId, able: u16, refuted: u16 },
    #[error(
        "a certificate of this period that is worth as much is recorded; the next period takes another"
    )]
    AlreadyCertified,
    #[error("no witness says anything about this claim; be measured again")]
    NoWitness,
    #[error("the beacon for height {0} is not the one this block needs")]
    WrongBeacon(types::Height),
    #[error("the transaction does not fit what this block has left")]
    BlockFull,
}

impl Refusal {
    /// A nonce that is not the expected one.
    pub const fn nonce(account: Address, expected: u64, got: u64) -> Self {
        Self::Ledger(ledger::Refusal::Nonce { account, expected, got })
    }

    /// The stable code of the API's error contract.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Ledger(ledger::Refusal::InsufficientFunds { .. }) => "insufficient_funds",
            Self::Ledger(ledger::Refusal::Nonce { expected, got, .. }) if *got > *expected => {
                "nonce_gap"
            }
            Self::Ledger(ledger::Refusal::Nonce { .. }) => "nonce_used",
            Self::Ledger(ledger::Refusal::Overflow { .. }) => "overflow",
            Self::Ledger(ledger::Refusal::ZeroAmount) => "zero_amount",
            Self::Unacceptable(_) => "unacceptable_job",
            Self::OutOfPhase(_) => "out_of_phase",
            Self::Staking(refusal) => refusal.code(),
            Self::Vesting(refusal) => refusal.code(),
            Self::Governance(refusal) => refusal.code(),
            Self::UnknownProposal(_) => "unknown_proposal",
            Self::TooManyProposals => "too_many_proposals",
            Self::DecreeOrder { .. } => "decree_order",
            Self::NotProved => "not_proved",
            Self::OwnDecree => "own_decree",
            Self::Evidence(bad) => bad.code(),
            Self::ForeignEvidence(_) => "foreign_evidence",
            Self::UnknownKey => "unknown_key",
            Self::UnknownView(_) => "unknown_view",
            Self::NoStakeHere => "no_stake_here",
            Self::UnknownValidator(_) => "unknown_validator",
            Self::KeyNotProved => "key_not_proved",
            Self::TooManyValidators => "too_many_validators",
            Self::PeerAddress => "peer_address",
            Self::TooManyBacked => "too_many_backed",
            Self::NotWorker => "not_worker",
            Self::NothingVests => "nothing_vests",
            Self::Royalty { .. } => "royalty_too_high",
            Self::NotAuthor { .. } => "not_author",
            Self::IntakePaused { .. } => "intake_paused",
            Self::StaleChallenge => "stale_challenge",
            Self::FromTheFuture => "from_the_future",
            Self::NoParent => "no_parent",
            Self::NotLater => "not_later",
            Self::TooDeep => "too_deep",
            Self::NotListed => "not_listed",
            Self::PlatformTaken(_) => "platform_taken",
            Self::NotAttested(_) => "not_attested",
            Self::BadSignature => "bad_signature",
            Self::WrongChain { .. } => "wrong_chain",
            Self::UnknownJob(_) => "unknown_job",
            Self::Capacity(_) => "bad_capacity",
            Self::Busy => "overloaded",
            Self::PoolAccount(_) => "pool_account",
            Self::NoJobsHere => "no_jobs_here",
            Self::NoDrawHere => "no_draw_here",
            Self::TicketEpoch { .. } => "ticket_epoch",
            Self::Untimely(staking::Untimely::Early { .. }) => "ticket_early",
            Self::Untimely(staking::Untimely::Late { .. }) => "ticket_late",
            Self::TicketTaken(_) => "ticket_taken",
            Self::NotEligible(_) => "not_eligible",
            Self::NoVrfKey(_) => "no_vrf_key",
            Self::LateVrfKey { .. } => "late_vrf_key",
            Self::LateAttestation { .. } => "late_attestation",
            Self::NotItsTicket(_) => "not_its_ticket",
            Self::BadVrfKey => "bad_vrf_key",
            Self::VrfKeySigns => "vrf_key_signs",
            Self::VrfKeyNotProved => "vrf_key_not_proved",
            Self::OwnSeats => "own_seats",
            Self::SeatsElsewhere(_) => "seats_elsewhere",
            Self::SeatsKnown { .. } => "seats_known",
            Self::NoPresenceHere => "no_presence_here",
            Self::NoPeriod => "no_period",
            Self::AlreadyCertified => "already_certified",
            Self::NoSeed(_) => "no_seed",
            Self::UnknownVoter(_) => "unknown_voter",
            Self::OtherVrfKey(_) => "other_vrf_key",
            Self::OtherAttestation(_) => "other_attestation",
            Self::Certificate(presence::Rejected::Period { .. }) => "other_period",
            Self::Certificate(_) => "bad_certificate",
            Self::Unproven { .. } | Self::NoWitness => "unproven",
            Self::WrongBeacon(_) => "wrong_beacon",
            Self::BlockFull => "block_full",
        }
    }
}
