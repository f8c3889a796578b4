//! Why a transaction was refused, with a code that never changes meaning.

use types::{
    Address, ChainId, Code, Epoch, Height, JobId, Millis, NanoMeshx, Place, PublicKey, Remedy,
    governance::ProposalId,
};

/// The reason; state is as it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
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
    #[error("the transaction is for chain {got}, but this is chain {here}")]
    WrongChain { got: ChainId, here: ChainId },
    #[error("no job has id {0}")]
    UnknownJob(JobId),
    #[error("a worker has a capacity of at most 1024, not {0}")]
    Capacity(u16),
    #[error("a worker may ask for at most {most} MESHX a core-second, not {asked}")]
    Floor { asked: NanoMeshx, most: NanoMeshx },
    #[error("the bond for so many places is more MESHX than there can be")]
    Bond,
    #[error("too many jobs are waiting on this chain")]
    Busy,
    #[error("{0} is the protocol's own account; only the protocol pays into it")]
    PoolAccount(Address),
    #[error("the backbone runs no jobs")]
    NoJobsHere,
    #[error(transparent)]
    Governance(#[from] governance::Refusal),
    #[error("no proposal has number {0}")]
    UnknownProposal(ProposalId),
    #[error("too many proposals are open; try again when one is decided")]
    TooManyProposals,
    #[error("decree {got} is not the next one: decree {expected} is")]
    DecreeOrder { expected: u64, got: u64 },
    #[error("the proof does not show that the backbone recorded this")]
    NotProved,
    #[error("the backbone knows its own decrees; send decrees to a shard")]
    OwnDecree,
    #[error("equivocation proof: {0}")]
    Equivocation(#[from] receipt::NotEquivocation),
    #[error(
        "the equivocation proof is about votes on {0}; only votes on the backbone can be judged so far"
    )]
    ForeignEquivocation(ChainId),
    #[error("no validator has ever bonded with the key of the equivocation proof")]
    UnknownKey,
    #[error("the chain has no record of when view {0} was")]
    UnknownView(u64),
    #[error("stake is kept on the backbone")]
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
    #[error("an account has stake with at most {} validators", types::state::BACKED_MAX)]
    TooManyBacked,
    #[error("this account has registered no worker on this chain")]
    NotWorker,
    #[error("nothing vests for this account")]
    NothingVests,
    #[error("a royalty of {asked} basis points is above the limit of {max}")]
    Royalty { asked: u16, max: u16 },
    #[error("{author} has already published this module")]
    NotAuthor { author: Address },
    #[error("governance has paused the intake of jobs until {until} ms since 1970; try again then")]
    IntakePaused { until: Millis },
    #[error("the evidence does not answer one of this chain's last two challenges")]
    StaleChallenge,
    #[error("the statement is from the future")]
    FromTheFuture,
    #[error("the parent has no valid attestation on this chain")]
    NoParent,
    #[error("an attestation must be later than its parent")]
    NotLater,
    #[error("a chain of attestations has at most {} links", types::attest::ATTESTATION_DEPTH_MAX)]
    TooDeep,
    #[error("the attested code is not on this network's list")]
    NotListed,
    #[error("{0} has already attested this platform")]
    PlatformTaken(Address),
    #[error("the evidence is refused: {0}")]
    NotAttested(&'static str),
    #[error("committees are drawn on the backbone")]
    NoDrawHere,
    #[error(
        "the ticket is for epoch {got}, but tickets are taken for epoch {open}; draw one once the seed of that epoch is known"
    )]
    TicketEpoch { got: Epoch, open: Epoch },
    #[error("{0}; draw one for the epoch that is open")]
    Untimely(#[from] staking::Untimely),
    #[error("{0} already has a ticket for this epoch, and can have only one")]
    TicketTaken(Address),
    #[error("{0} is in jail, or its own stake is below the minimum for a seat")]
    NotEligible(Address),
    #[error("{0} has no VRF key")]
    NoVrfKey(Address),
    #[error(
        "the VRF key was registered in block {registered}; the seed was requested in block {asked}, so only a key from before counts"
    )]
    LateVrfKey { registered: Height, asked: Height },
    #[error(
        "the attestation is of block {attested}; the seed was requested in block {asked}, so only one from before counts"
    )]
    LateAttestation { attested: Height, asked: Height },
    #[error(
        "the ticket's VRF proof does not match {0}'s VRF key, this epoch, its seed and the operator's attestation; draw it again from the newest of them"
    )]
    NotItsTicket(Address),
    #[error("the VRF key is not a canonically encoded point of the curve, or has small order")]
    BadVrfKey,
    #[error("the VRF key is also a signing key")]
    VrfKeySigns,
    #[error("the VRF key has not proved that this account may draw with it on this network")]
    VrfKeyNotProved,
    #[error("the backbone draws seats itself; send seats to their shard")]
    OwnSeats,
    #[error("these are the seats of {0}; send them there")]
    SeatsElsewhere(ChainId),
    #[error("the chain knows seats number {known}; number {got} is not newer")]
    SeatsKnown { known: u64, got: u64 },
    #[error("presence is proved on the backbone")]
    NoPresenceHere,
    #[error("this network has no witnesses, so it accepts no claims")]
    NoPeriod,
    #[error("the seed of period {0} is not known yet")]
    NoSeed(u64),
    #[error("no validator votes with {0}, which was measured")]
    UnknownVoter(PublicKey),
    #[error("the claim's VRF key is not the one that {0} registered")]
    OtherVrfKey(Address),
    #[error(
        "the claim does not name the attestation that {0} had when the period began, or zero if it had none"
    )]
    OtherAttestation(Address),
    #[error("the presence certificate is invalid: {0}")]
    Certificate(#[from] presence::Rejected),
    #[error(
        "the claim is unproven: the validator may also be at {cell} in {continent}, because only {refuted} of {able} witnesses exclude that place; run the measurement again, or name the right continent"
    )]
    Unproven { cell: Place, continent: ChainId, able: u16, refuted: u16 },
    #[error(
        "an equally good certificate of this period is already recorded; prove the place again in the next period"
    )]
    AlreadyCertified,
    #[error("no witness measured this claim")]
    NoWitness,
    #[error("the beacon for height {0} is not the one this block needs")]
    WrongBeacon(types::Height),
    #[error(
        "block {until} was the last that could hold the transaction, and this is block {height}"
    )]
    TxExpired { until: Height, height: Height },
    #[error(
        "the transaction's nonce expires after block {until}; {last} is the latest that is taken now"
    )]
    UntilTooFar { until: Height, last: Height },
    #[error("a block holds this account's transaction with expiring nonce {0} already")]
    TxSpent(u64),
    #[error(
        "this account has {} expiring nonces open, and may not have more; the first expires after block {first}",
        types::ONCE_OPEN_MAX
    )]
    TooManyOpen { first: Height },
    #[error("the base fee is {base_fee}, but the transaction pays at most {fee_max}")]
    FeeAboveMax { base_fee: NanoMeshx, fee_max: NanoMeshx },
    #[error("the transaction does not fit what this block has left")]
    BlockFull,
}

impl Refusal {
    /// A nonce that is not the expected one.
    pub const fn nonce(account: Address, expected: u64, got: u64) -> Self {
        Self::Ledger(ledger::Refusal::Nonce { account, expected, got })
    }

    /// The word for it in the API, with all that goes with the word. There is no wildcard: a new refusal needs a code.
    pub const fn code(&self) -> Code {
        match self {
            Self::Ledger(ledger::Refusal::InsufficientFunds { .. }) => Code::InsufficientFunds,
            Self::Ledger(ledger::Refusal::Nonce { expected, got, .. }) if *got > *expected => {
                Code::NonceGap
            }
            Self::Ledger(ledger::Refusal::Nonce { .. }) => Code::NonceUsed,
            Self::Ledger(ledger::Refusal::Overflow { .. }) => Code::Overflow,
            Self::Ledger(ledger::Refusal::ZeroAmount) => Code::ZeroAmount,
            Self::Unacceptable(_) => Code::UnacceptableJob,
            Self::OutOfPhase(_) => Code::OutOfPhase,
            Self::Staking(refusal) => refusal.code(),
            Self::Vesting(ledger::VestingRefusal::NotYet { .. }) => Code::NotYetVested,
            // Of a genesis, which was checked before the chain began.
            Self::Vesting(
                ledger::VestingRefusal::NoLength | ledger::VestingRefusal::CliffBeyondEnd { .. },
            ) => Code::Internal,
            Self::Governance(refusal) => refusal.code(),
            Self::UnknownProposal(_) => Code::UnknownProposal,
            Self::TooManyProposals => Code::TooManyProposals,
            Self::DecreeOrder { .. } => Code::DecreeOrder,
            Self::NotProved => Code::NotProved,
            Self::OwnDecree => Code::OwnDecree,
            Self::Equivocation(bad) => bad.code(),
            Self::ForeignEquivocation(_) => Code::ForeignEquivocation,
            Self::UnknownKey => Code::UnknownKey,
            Self::UnknownView(_) => Code::UnknownView,
            Self::NoStakeHere => Code::NoStakeHere,
            Self::UnknownValidator(_) => Code::UnknownValidator,
            Self::KeyNotProved => Code::KeyNotProved,
            Self::TooManyValidators => Code::TooManyValidators,
            Self::PeerAddress => Code::PeerAddress,
            Self::TooManyBacked => Code::TooManyBacked,
            Self::NotWorker => Code::NotWorker,
            Self::NothingVests => Code::NothingVests,
            Self::Royalty { .. } => Code::RoyaltyTooHigh,
            Self::NotAuthor { .. } => Code::NotAuthor,
            Self::IntakePaused { .. } => Code::IntakePaused,
            Self::StaleChallenge => Code::StaleChallenge,
            Self::FromTheFuture => Code::FromTheFuture,
            Self::NoParent => Code::NoParent,
            Self::NotLater => Code::NotLater,
            Self::TooDeep => Code::TooDeep,
            Self::NotListed => Code::NotListed,
            Self::PlatformTaken(_) => Code::PlatformTaken,
            Self::NotAttested(_) => Code::NotAttested,
            Self::BadSignature => Code::BadSignature,
            Self::WrongChain { .. } => Code::WrongChain,
            Self::UnknownJob(_) => Code::UnknownJob,
            Self::Capacity(_) | Self::Bond => Code::BadCapacity,
            Self::Floor { .. } => Code::FloorTooHigh,
            Self::Busy => Code::Overloaded,
            Self::PoolAccount(_) => Code::PoolAccount,
            Self::NoJobsHere => Code::NoJobsHere,
            Self::NoDrawHere => Code::NoDrawHere,
            Self::TicketEpoch { .. } => Code::TicketEpoch,
            Self::Untimely(staking::Untimely::Early { .. }) => Code::TicketEarly,
            Self::Untimely(staking::Untimely::Late { .. }) => Code::TicketLate,
            Self::TicketTaken(_) => Code::TicketTaken,
            Self::NotEligible(_) => Code::NotEligible,
            Self::NoVrfKey(_) => Code::NoVrfKey,
            Self::LateVrfKey { .. } => Code::LateVrfKey,
            Self::LateAttestation { .. } => Code::LateAttestation,
            Self::NotItsTicket(_) => Code::NotItsTicket,
            Self::BadVrfKey => Code::BadVrfKey,
            Self::VrfKeySigns => Code::VrfKeySigns,
            Self::VrfKeyNotProved => Code::VrfKeyNotProved,
            Self::OwnSeats => Code::OwnSeats,
            Self::SeatsElsewhere(_) => Code::SeatsElsewhere,
            Self::SeatsKnown { .. } => Code::SeatsKnown,
            Self::NoPresenceHere => Code::NoPresenceHere,
            Self::NoPeriod => Code::NoPeriod,
            Self::AlreadyCertified => Code::AlreadyCertified,
            Self::NoSeed(_) => Code::NoSeed,
            Self::UnknownVoter(_) => Code::UnknownVoter,
            Self::OtherVrfKey(_) => Code::OtherVrfKey,
            Self::OtherAttestation(_) => Code::OtherAttestation,
            Self::Certificate(presence::Rejected::Period { .. }) => Code::OtherPeriod,
            Self::Certificate(
                presence::Rejected::Continent { .. }
                | presence::Rejected::Draw
                | presence::Rejected::Prover
                | presence::Rejected::Order(_)
                | presence::Rejected::NotDrawn(_)
                | presence::Rejected::Witness(_),
            ) => Code::BadCertificate,
            Self::Unproven { .. } | Self::NoWitness => Code::Unproven,
            Self::WrongBeacon(_) => Code::WrongBeacon,
            Self::TxExpired { .. } => Code::TxExpired,
            Self::UntilTooFar { .. } => Code::UntilTooFar,
            Self::TxSpent(_) => Code::TxSpent,
            Self::TooManyOpen { .. } => Code::TooManyOpen,
            Self::FeeAboveMax { .. } => Code::FeeAboveMax,
            Self::BlockFull => Code::BlockFull,
        }
    }

    /// Whether the same again is of no use until somebody changes something: see [`Code::is_lasting`].
    pub const fn is_lasting(&self) -> bool {
        self.code().is_lasting()
    }

    /// Whether the transaction goes on waiting in a pool: only its turn has not come. A missing nonce may still arrive, a
    /// later block may have room, and what another block used is dropped when that block is final.
    pub const fn keeps_waiting(&self) -> bool {
        matches!(self.code().remedy(), Remedy::Wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a sender and a pool do about a refusal: keep waiting, ask again, or give up.
    #[track_caller]
    fn check(refusal: impl Into<Refusal>, expected: &str) {
        let refusal: Refusal = refusal.into();
        let told = match (refusal.keeps_waiting(), refusal.is_lasting()) {
            (true, false) => "wait",
            (false, false) => "again",
            (false, true) => "lasting",
            (true, true) => panic!("{refusal} is waited for, and lasts"),
        };
        assert_eq!(told, expected, "{refusal}");
        assert!(refusal.code().is_sent() && refusal.code() != Code::Internal, "{refusal}");
    }

    #[test]
    fn only_a_turn_is_waited_for_and_only_time_is_tried_again() {
        let (somebody, later) = (Address::of(&PublicKey([1; 32])), Millis::new(5));
        for got in [0, 2] {
            check(Refusal::nonce(somebody, 1, got), "wait");
        }
        check(Refusal::BlockFull, "wait");
        let (base_fee, fee_max) = (NanoMeshx::new(9), NanoMeshx::new(8));
        check(Refusal::FeeAboveMax { base_fee, fee_max }, "wait");
        check(Refusal::Busy, "again");
        check(Refusal::IntakePaused { until: later }, "again");
        check(staking::Refusal::StillJailed { until: later }, "again");
        check(staking::Refusal::Tombstoned, "lasting");
        check(jobs::OutOfPhase::Over, "lasting");
        check(Refusal::DecreeOrder { expected: 2, got: 1 }, "lasting");
        check(ledger::Refusal::ZeroAmount, "lasting");
    }
}
