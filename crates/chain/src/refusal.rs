//! Why a transaction was refused, with a code that never changes meaning.

use types::{
    Address, ChainId, Code, Epoch, Height, JobId, Millis, Place, PublicKey, Remedy,
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
    #[error("the transaction is for chain {got}, this is {here}")]
    WrongChain { got: ChainId, here: ChainId },
    #[error("no job has id {0}")]
    UnknownJob(JobId),
    #[error("a worker needs a capacity of 1 to 1024, not {0}")]
    Capacity(u16),
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
    #[error("as many proposals are open as may be")]
    TooManyProposals,
    #[error("decree {got} is not the next, which is {expected}")]
    DecreeOrder { expected: u64, got: u64 },
    #[error("the decree is not proved to be the backbone's")]
    NotProved,
    #[error("the backbone needs nobody to bring it its own decrees")]
    OwnDecree,
    #[error("equivocation proof: {0}")]
    Equivocation(#[from] receipt::NotEquivocation),
    #[error(
        "the equivocation proof is of votes on {0}; only votes on the backbone can be judged yet"
    )]
    ForeignEquivocation(ChainId),
    #[error("no validator has ever bonded with the key that the equivocation proof is against")]
    UnknownKey,
    #[error("nobody here knows when view {0} was")]
    UnknownView(u64),
    #[error("stake lives on the backbone")]
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
    #[error("a royalty of {asked} basis points is above {max}")]
    Royalty { asked: u16, max: u16 },
    #[error("{author} has published this module")]
    NotAuthor { author: Address },
    #[error("governance has paused the intake of jobs until {until} ms since 1970; try again then")]
    IntakePaused { until: Millis },
    #[error("the evidence does not answer one of this chain's two last challenges")]
    StaleChallenge,
    #[error("the statement is from the future")]
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
    #[error("the evidence is refused: {0}")]
    NotAttested(&'static str),
    #[error("committees are drawn on the backbone")]
    NoDrawHere,
    #[error(
        "tickets of epoch {got} are not taken; of {open} they are, once its seed is known: draw one from that"
    )]
    TicketEpoch { got: Epoch, open: Epoch },
    #[error("{0}; draw one for the epoch that is open")]
    Untimely(#[from] staking::Untimely),
    #[error("{0} has a ticket for this epoch; one is all it can have")]
    TicketTaken(Address),
    #[error("{0} is in jail, or has less at stake itself than a seat takes")]
    NotEligible(Address),
    #[error("{0} has no VRF key")]
    NoVrfKey(Address),
    #[error(
        "the VRF key was registered in block {registered}, and the seed asked for in block {asked}"
    )]
    LateVrfKey { registered: Height, asked: Height },
    #[error("the attestation is of block {attested}, and the seed was asked for in block {asked}")]
    LateAttestation { attested: Height, asked: Height },
    #[error(
        "the proof is not of {0}'s VRF key over this epoch, its seed and the operator's attestation; draw it from the newest of them"
    )]
    NotItsTicket(Address),
    #[error("the VRF key is no point of the curve in its one encoding, or of small order")]
    BadVrfKey,
    #[error("the VRF key also signs")]
    VrfKeySigns,
    #[error("the VRF key has not proved that this account may draw with it on this network")]
    VrfKeyNotProved,
    #[error("the backbone draws seats itself; nobody needs to tell it")]
    OwnSeats,
    #[error("these are the seats of {0}; send them there")]
    SeatsElsewhere(ChainId),
    #[error("seats number {got} are not newer than number {known}, which the chain knows")]
    SeatsKnown { known: u64, got: u64 },
    #[error("presence is proved on the backbone")]
    NoPresenceHere,
    #[error("this network has no witnesses, so nobody can prove anything to it")]
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
        "the claim is unproven: {refuted} of {able} witnesses exclude {cell} in {continent}, where the validator may stand as well; be measured again, or name the continent it is on"
    )]
    Unproven { cell: Place, continent: ChainId, able: u16, refuted: u16 },
    #[error(
        "a certificate of this period that is worth as much is recorded; the next period takes another"
    )]
    AlreadyCertified,
    #[error("no witness says anything about this claim")]
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
            Self::Capacity(_) => Code::BadCapacity,
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
        check(Refusal::Busy, "again");
        check(Refusal::IntakePaused { until: later }, "again");
        check(staking::Refusal::StillJailed { until: later }, "again");
        check(staking::Refusal::Tombstoned, "lasting");
        check(jobs::OutOfPhase::Over, "lasting");
        check(Refusal::DecreeOrder { expected: 2, got: 1 }, "lasting");
        check(ledger::Refusal::ZeroAmount, "lasting");
    }
}
