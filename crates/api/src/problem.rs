//! Problems: why a request was not answered, as RFC 9457 tells it.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The media type of a problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// What clients are told of an internal failure, and all they are told of it.
const INTERNAL: &str = "the node could not answer; its log says why";

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident $text:literal $status:literal $title:literal,)*) => {
        /// What went wrong, in a word that never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The code as it stands in a problem: `nonce_gap`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }
            /// The same for every problem with this code.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

codes! {
    BadJson "bad_json" 400 "The body is not the JSON expected here",
    BadRequest "bad_request" 400 "The request is malformed",
    /// The bytes of a transaction do not decode.
    BadTx "bad_tx" 400 "The body is not a transaction",
    BadSignature "bad_signature" 400 "The signature does not match",
    InsufficientFunds "insufficient_funds" 402 "The account holds too little",
    /// No such route, or no such thing behind it.
    NotFound "not_found" 404 "There is nothing here",
    UnknownChain "unknown_chain" 404 "No such chain is served here",
    UnknownJob "unknown_job" 404 "No such job is known",
    UnknownBlob "unknown_blob" 404 "No such blob is stored here",
    UnknownWorker "unknown_worker" 404 "No such worker",
    UnknownBlock "unknown_block" 404 "No such block is final yet",
    MethodNotAllowed "method_not_allowed" 405 "The route does not have this method",
    NonceGap "nonce_gap" 409 "Earlier transactions of the sender are missing",
    NonceUsed "nonce_used" 409 "The nonce was used before",
    /// Another transaction with this nonce waits for a block.
    NonceOccupied "nonce_occupied" 409 "Another transaction waits with this nonce",
    OutOfPhase "out_of_phase" 409 "The job is in a phase that does not allow this",
    /// The output or receipt of a job that has none yet.
    NotSettled "not_settled" 409 "The job has no result",
    Pruned "pruned" 410 "This was here and is no longer kept",
    PayloadTooLarge "payload_too_large" 413 "The body is too long",
    UnsupportedMediaType "unsupported_media_type" 415 "The body has a type that is not read here",
    UnacceptableJob "unacceptable_job" 422 "The chain does not take such a job",
    WrongChain "wrong_chain" 422 "The transaction is for another chain",
    NoJobsHere "no_jobs_here" 422 "The backbone runs no jobs",
    ZeroAmount "zero_amount" 422 "A transfer of zero moves nothing",
    PoolAccount "pool_account" 422 "Only the protocol pays into its own accounts",
    BadCapacity "bad_capacity" 422 "A worker cannot have this capacity",
    BelowMinimum "below_minimum" 422 "The stake is below the minimum",
    LeavesTooLittle "leaves_too_little" 422 "Too little stake would be left",
    InsufficientStake "insufficient_stake" 422 "There is less stake than that",
    StakeLocked "stake_locked" 409 "The stake still answers for another validator",
    NoDelegation "no_delegation" 422 "There is no such stake",
    AlreadyValidator "already_validator" 409 "The account has a validator",
    KeyTaken "key_taken" 409 "Another validator votes with this key",
    KeyNotProved "key_not_proved" 422 "The consensus key has not agreed",
    CommissionTooHigh "commission_too_high" 422 "The commission is above the limit",
    NotOperator "not_operator" 403 "The validator is another account's",
    UnknownValidator "unknown_validator" 404 "No such validator is known",
    SameValidator "same_validator" 422 "The stake is there already",
    TooManyUnbondings "too_many_unbondings" 409 "Too much is leaving at once",
    TooManyBacked "too_many_backed" 409 "The account has stake with too many validators",
    TooManyValidators "too_many_validators" 409 "No more validators can register",
    PeerAddress "peer_address" 422 "This is no address of a node",
    NotMatured "not_matured" 409 "The unbonding period has not passed",
    NothingUnbonding "nothing_unbonding" 409 "Nothing is leaving",
    NothingOwed "nothing_owed" 409 "Nothing can be claimed",
    NoStake "no_stake" 409 "The validator has no stake",
    WorthlessShares "worthless_shares" 409 "The validator has lost all its stake",
    Tombstoned "tombstoned" 409 "The validator is out for ever",
    NotJailed "not_jailed" 409 "The validator is not in jail",
    StillJailed "still_jailed" 409 "The validator is still in jail",
    ParamOutOfBounds "param_out_of_bounds" 422 "The parameter is out of its bounds",
    ParamsInconsistent "params_inconsistent" 422 "The parameters would not fit together",
    EmptyProposal "empty_proposal" 422 "The proposal changes nothing",
    DuplicateParam "duplicate_param" 422 "A parameter is changed twice",
    OfOneShard "of_one_shard" 422 "The parameter is of one shard",
    NoTitle "no_title" 422 "The proposal has no title",
    BadAmount "bad_amount" 422 "The amount cannot be paid",
    PauseTooLong "pause_too_long" 422 "The pause is too long",
    NotAShard "not_a_shard" 422 "The backbone takes in no jobs",
    UnknownProposal "unknown_proposal" 404 "No such proposal is known",
    TooManyProposals "too_many_proposals" 409 "Too many proposals are open",
    VoteClosed "vote_closed" 409 "Votes are not taken any more",
    DecreeOrder "decree_order" 409 "The decree is not the next",
    NotProved "not_proved" 422 "The decree is not proved",
    OwnDecree "own_decree" 422 "The backbone knows its own decrees",
    DifferentChains "different_chains" 422 "The evidence proves nothing",
    DifferentViews "different_views" 422 "The evidence proves nothing",
    SameVote "same_vote" 422 "The evidence proves nothing",
    NotContradictory "not_contradictory" 422 "The evidence proves nothing",
    ForgedSignature "forged_signature" 422 "The evidence is forged",
    ForeignEvidence "foreign_evidence" 422 "The evidence is of another chain",
    UnknownKey "unknown_key" 422 "The evidence is against nobody",
    UnknownView "unknown_view" 422 "The evidence is of an unknown time",
    EvidenceTooOld "evidence_too_old" 422 "The evidence is too old",
    EvidenceFromFuture "evidence_from_future" 422 "The evidence is of the future",
    AlreadyPunished "already_punished" 409 "The fault was punished before",
    NoStakeHere "no_stake_here" 422 "Stake lives on the backbone",
    NotWorker "not_worker" 422 "The account has no worker here",
    NothingVests "nothing_vests" 422 "Nothing vests for the account",
    NotYetVested "not_yet_vested" 409 "Less than that has vested",
    RoyaltyTooHigh "royalty_too_high" 422 "The royalty is above the limit",
    NotAuthor "not_author" 403 "Another account has published the module",
    StaleChallenge "stale_challenge" 409 "The evidence answers an old challenge",
    FromTheFuture "from_the_future" 422 "The statement is from the future",
    NoParent "no_parent" 409 "The parent has no attestation that counts",
    NotLater "not_later" 422 "The attestation is not later than its parent",
    TooDeep "too_deep" 422 "The chain of attestations is too long",
    NotListed "not_listed" 403 "The code is not on the list",
    PlatformTaken "platform_taken" 409 "The platform stands behind another account",
    NotAttested "not_attested" 422 "The evidence is refused",
    NoDrawHere "no_draw_here" 422 "Committees are drawn on the backbone",
    TicketEpoch "ticket_epoch" 409 "The ticket is of another epoch",
    TicketEarly "ticket_early" 409 "The ticket comes too early",
    TicketLate "ticket_late" 409 "The ticket comes too late",
    TicketTaken "ticket_taken" 409 "The validator has a ticket",
    NotEligible "not_eligible" 409 "The validator cannot sit now",
    NoVrfKey "no_vrf_key" 409 "The validator has no VRF key",
    LateVrfKey "late_vrf_key" 409 "The VRF key does not count yet",
    LateAttestation "late_attestation" 409 "The attestation does not count yet",
    NotItsTicket "not_its_ticket" 422 "The ticket is not the validator's",
    BadVrfKey "bad_vrf_key" 422 "This is no VRF key",
    VrfKeySigns "vrf_key_signs" 422 "The VRF key also signs",
    VrfKeyNotProved "vrf_key_not_proved" 422 "The VRF key has not agreed",
    OwnSeats "own_seats" 422 "The backbone knows its own seats",
    SeatsElsewhere "seats_elsewhere" 422 "The seats are of another chain",
    SeatsKnown "seats_known" 409 "The chain knows newer seats",
    NoPresenceHere "no_presence_here" 422 "Presence is proved on the backbone",
    NoPeriod "no_period" 409 "The network has no witnesses",
    NoSeed "no_seed" 409 "The period's seed is not known yet",
    UnknownVoter "unknown_voter" 422 "No validator votes with the key that was measured",
    OtherVrfKey "other_vrf_key" 422 "The claim is of another VRF key",
    OtherAttestation "other_attestation" 422 "The claim names another attestation",
    OtherPeriod "other_period" 409 "The claim is of another period",
    BadCertificate "bad_certificate" 422 "The certificate is none",
    AlreadyCertified "already_certified" 409 "A certificate as good is recorded",
    Unproven "unproven" 422 "The claim is not proved",
    IntakePaused "intake_paused" 503 "Governance has paused the intake of jobs",
    /// The network is not for development, or this node does not have its keys.
    NoFaucet "no_faucet" 404 "There is no faucet here",
    Overflow "overflow" 422 "An account would hold more than can exist",
    /// The bytes do not have the hash they were sent under.
    HashMismatch "hash_mismatch" 422 "The content does not have this hash",
    /// Comes with `Retry-After`.
    Overloaded "overloaded" 429 "The node has too much to do",
    Internal "internal" 500 "The node failed",
    NotReady "not_ready" 503 "The node is not ready",
    BlockFull "block_full" 503 "The blocks are full",
    Timeout "timeout" 504 "The answer did not come in time",
    StorageFull "storage_full" 507 "The node's storage is full",
    /// Never sent: what a client makes of a code newer than itself.
    Unknown "unknown" 500 "The problem is not known to this version",
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}
impl From<&str> for Code {
    /// [`Code::Unknown`] for text that is no code of this version.
    fn from(text: &str) -> Self {
        Self::ALL.iter().copied().find(|code| code.as_str() == text).unwrap_or(Self::Unknown)
    }
}
impl Serialize for Code {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}
impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Self::from(String::deserialize(d)?.as_str()))
    }
}

/// Why a request was not answered. Nothing in it is secret: all of it goes to whoever asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    pub code: Code,
    /// What happened this time, for a person.
    pub detail: String,
    /// What to try, for a person.
    pub hint: Option<String>,
    /// When to try again, in seconds: the `Retry-After` header.
    pub retry_after: Option<u32>,
}

impl Problem {
    /// A problem; [`Code::Overloaded`] and [`Code::BlockFull`] ask to try again in a second.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let retry_after = matches!(code, Code::Overloaded | Code::BlockFull).then_some(1);
        Self { code, detail: detail.into(), hint: None, retry_after }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// A failure of the node's own. `error` goes to the log; the client learns only that there was one.
    pub fn internal(error: impl std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(Code::Internal, INTERNAL)
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(Code::BadRequest, detail)
    }
}

/// The JSON form (RFC 9457).
#[derive(Serialize, Deserialize)]
struct Wire {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    status: u16,
    #[serde(default)]
    detail: String,
    code: Code,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        Wire {
            kind: format!("urn:meshx:error:{}", self.code),
            title: self.code.title().to_owned(),
            status: self.code.status(),
            detail: self.detail.clone(),
            code: self.code,
            hint: self.hint.clone(),
        }
        .serialize(s)
    }
}
impl<'de> Deserialize<'de> for Problem {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let Wire { code, title, detail, hint, .. } = Wire::deserialize(d)?;
        let detail = if detail.is_empty() { title } else { detail };
        Ok(Self { code, detail, hint, retry_after: None })
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.status()).expect("the table holds statuses");
        let json = serde_json::to_vec(&self).expect("strings and numbers become JSON");
        let mut response = (status, json).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_read_back() {
        for code in Code::ALL {
            assert_eq!(Code::from(code.as_str()), *code);
            assert!((400..600).contains(&code.status()), "{code}");
        }
        assert_eq!(Code::from("from_another_age"), Code::Unknown);
    }

    #[test]
    fn a_problem_reads_back_as_written() {
        let problem = Problem::new(Code::NonceGap, "the next nonce is 3").hint("send it first");
        let json = serde_json::to_string(&problem).unwrap();
        assert_eq!(serde_json::from_str::<Problem>(&json).unwrap(), problem);
    }

    #[test]
    fn internal_failures_keep_their_secrets() {
        let json = serde_json::to_string(&Problem::internal("/secret/path: disk on fire")).unwrap();
        assert!(!json.contains("secret") && !json.contains("fire"), "{json}");
    }
}
