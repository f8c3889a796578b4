//! Codes: why something was not done, in a word that a program can rely on, and everything that goes with that word.
//!
//! This is the one table. The rule crates name a [`Code`] for each of their refusals, in a `match` without a wildcard, so
//! a new refusal does not compile before it has one. A sender that may repeat a transaction (a node's worker, an edge, a
//! proposer's pool) asks the code whether that is of use.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What helps after a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// Nothing is wrong with what is asked, only with its turn: an earlier nonce is missing, the block has no room, or its fee is too high. A
    /// proposer keeps the transaction in its pool; a sender signs it again with the nonce that is then right.
    Wait,
    /// Time alone may help. Ask for the same again later.
    Retry,
    /// Somebody has to change something first: the request, an account, a key. The same again is of no use.
    Change,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident $text:literal $status:literal $remedy:ident $title:literal $hint:literal,)*) => {
        /// What went wrong, in a word that never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = concat!($title, ".")] $(#[doc = ""] #[$doc])* $variant,)* }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The code as it stands in a problem: `nonce_gap`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }
            /// What helps.
            pub const fn remedy(self) -> Remedy {
                match self { $(Self::$variant => Remedy::$remedy,)* }
            }
            /// The same for every problem with this code.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
            /// What a person may try. A problem that knows more says something better.
            pub const fn hint(self) -> &'static str {
                match self { $(Self::$variant => $hint,)* }
            }
        }
    };
}

codes! {
    BadJson "bad_json" 400 Change "The body is not the JSON expected here"
        "compare the body with the schema in openapi.json",
    BadRequest "bad_request" 400 Change "The request is malformed"
        "compare the request with the route in openapi.json",
    /// The bytes of a transaction do not decode.
    BadTx "bad_tx" 400 Change "The body is not a transaction"
        "encode it with the version of MeshX that the node runs",
    BadSignature "bad_signature" 400 Change "The signature does not match"
        "sign with the sender's key, for the network that `meshx status` (GET /v1/status) names",
    InsufficientFunds "insufficient_funds" 402 Change "The account does not hold enough MESHX"
        "send MESHX to the account first, or ask for less",
    /// No such route, or no such thing behind it.
    NotFound "not_found" 404 Change "No route has this path"
        "GET /openapi.json lists the routes",
    UnknownChain "unknown_chain" 404 Change "This node does not serve that chain"
        "`meshx status` (GET /v1/status) lists the chains of this node",
    UnknownJob "unknown_job" 404 Retry "No job with that id is known here"
        "check the id and the network; a job is known once its block is final",
    UnknownBlob "unknown_blob" 404 Retry "No blob with that hash is stored here"
        "check the hash, or upload the content",
    UnknownWorker "unknown_worker" 404 Retry "No worker has that address"
        "check the address and the chain; a worker appears once it has registered",
    UnknownBlock "unknown_block" 404 Retry "This node has no final block at that height"
        "`meshx status` (GET /v1/status) says which block is the newest",
    MethodNotAllowed "method_not_allowed" 405 Change "The route does not have this method"
        "openapi.json lists the methods of each route",
    NonceGap "nonce_gap" 409 Wait "Earlier transactions of the sender are missing"
        "ask for the account's nonce and sign again",
    NonceUsed "nonce_used" 409 Wait "The nonce was used before"
        "ask for the account's nonce and sign again",
    /// Another transaction with this nonce waits for a block.
    NonceOccupied "nonce_occupied" 409 Wait "Another transaction waits with this nonce"
        "ask for the account's nonce and sign again",
    OutOfPhase "out_of_phase" 409 Change "The job is in a phase that does not allow this"
        "`meshx job show` (GET /v1/jobs/{id}) shows the phase",
    /// The output or receipt of a job that has none yet.
    NotSettled "not_settled" 409 Retry "The job has no result"
        "`meshx why` (GET /v1/jobs/{id}/why) explains the state of the job",
    Pruned "pruned" 410 Change "The node no longer keeps this"
        "ask a node that keeps more history",
    PayloadTooLarge "payload_too_large" 413 Change "The body is too long"
        "send less in one request",
    UnsupportedMediaType "unsupported_media_type" 415 Change "The route does not accept this media type"
        "openapi.json lists the media types of each route",
    UnacceptableJob "unacceptable_job" 422 Change "The chain does not accept this job"
        "change the limits, the price or the deadline; `meshx quote` and GET /v1/market show prices",
    WrongChain "wrong_chain" 422 Change "The transaction is for another chain"
        "send it to the chain that it names",
    NoJobsHere "no_jobs_here" 422 Change "The backbone runs no jobs"
        "send jobs to a shard",
    ZeroAmount "zero_amount" 422 Change "A transfer of zero moves nothing"
        "name an amount above zero",
    PoolAccount "pool_account" 422 Change "Only the protocol pays into its own accounts"
        "name another account",
    BadCapacity "bad_capacity" 422 Change "A worker cannot have this capacity"
        "offer a capacity of at most 1024",
    FloorTooHigh "floor_too_high" 422 Change "Nobody can pay this worker's floor"
        "ask for less; `meshx econ` shows the base price of a core-second",
    BelowMinimum "below_minimum" 422 Change "The stake is below the minimum"
        "stake more",
    LeavesTooLittle "leaves_too_little" 422 Change "The rest of the stake would be below the minimum"
        "take the whole stake, or a smaller part",
    InsufficientStake "insufficient_stake" 422 Change "The delegation holds less stake than that"
        "ask for less; `meshx stake show` says how much there is",
    StakeLocked "stake_locked" 409 Retry "The stake can still be slashed for another validator"
        "try again when the lock has ended",
    NoDelegation "no_delegation" 422 Change "The account has no stake with this validator"
        "`meshx stake show` lists the account's stake",
    AlreadyValidator "already_validator" 409 Change "The account already has a validator"
        "bond with another account",
    KeyTaken "key_taken" 409 Change "Another validator votes with this key"
        "make another consensus key",
    KeyNotProved "key_not_proved" 422 Change "The consensus key has not signed this bond"
        "sign the bond with the consensus key, for this account and network",
    CommissionTooHigh "commission_too_high" 422 Change "The commission is above the limit"
        "ask for a lower commission",
    NotOperator "not_operator" 403 Change "The validator belongs to another account"
        "sign with the operator's key",
    UnknownValidator "unknown_validator" 404 Change "No such validator is known"
        "`meshx stake validators` (GET /v1/validators) lists all",
    SameValidator "same_validator" 422 Change "Source and destination are the same validator"
        "name two different validators",
    TooManyUnbondings "too_many_unbondings" 409 Retry "Too many parts of the stake are unbonding"
        "try again when the first of them is free",
    TooManyBacked "too_many_backed" 409 Change "The account has stake with too many validators"
        "take some stake away first",
    TooManyValidators "too_many_validators" 409 Change "No more validators can register"
        "delegate to a registered validator",
    PeerAddress "peer_address" 422 Change "This is not the address of a node"
        "write it like /ip4/192.0.2.1/tcp/8704/p2p/12D3…",
    NotMatured "not_matured" 409 Retry "The unbonding period has not passed"
        "try again when the unbonding period has passed",
    NothingUnbonding "nothing_unbonding" 409 Change "No stake is unbonding"
        "take stake back first: meshx stake unbond",
    NothingOwed "nothing_owed" 409 Retry "No reward or commission can be claimed yet"
        "rewards are credited at the end of an epoch",
    NoStake "no_stake" 409 Change "There is no stake behind this"
        "delegate stake first: meshx stake delegate",
    WorthlessShares "worthless_shares" 409 Change "The validator has lost all its stake"
        "delegate to another validator",
    Tombstoned "tombstoned" 409 Change "The validator is excluded for ever"
        "bond a new validator with another account and key",
    NotJailed "not_jailed" 409 Change "The validator is not in jail"
        "there is nothing to do",
    StillJailed "still_jailed" 409 Retry "The validator is still in jail"
        "try again when its time is over",
    ParamOutOfBounds "param_out_of_bounds" 422 Change "The parameter is out of its bounds"
        "choose a value within the bounds",
    ParamsInconsistent "params_inconsistent" 422 Change "The parameters would contradict each other"
        "change the other parameter in the same proposal",
    EmptyProposal "empty_proposal" 422 Change "The proposal changes nothing"
        "name at least one change",
    DuplicateParam "duplicate_param" 422 Change "A parameter is changed twice"
        "name each parameter once",
    OfOneShard "of_one_shard" 422 Change "The parameter belongs to one shard"
        "name the shard, as in EU:location=900000",
    NoTitle "no_title" 422 Change "The proposal has no title"
        "give it a title",
    BadAmount "bad_amount" 422 Change "The amount cannot be paid"
        "name an amount above zero that can exist",
    PauseTooLong "pause_too_long" 422 Change "The pause is too long"
        "ask for a shorter pause",
    NotAShard "not_a_shard" 422 Change "The backbone accepts no jobs"
        "name a shard",
    UnknownProposal "unknown_proposal" 404 Change "No such proposal is known"
        "`meshx gov list` (GET /v1/proposals) lists them",
    TooManyProposals "too_many_proposals" 409 Retry "Too many proposals are open"
        "try again when one is decided",
    VoteClosed "vote_closed" 409 Change "The vote has closed"
        "there is nothing to do",
    DecreeOrder "decree_order" 409 Change "The decree is not the next in order"
        "send decrees in the order of their numbers",
    NotProved "not_proved" 422 Change "The imported record is not proved"
        "prove it by a final block of the backbone of this network",
    OwnDecree "own_decree" 422 Change "The backbone knows its own decrees"
        "send it to a shard",
    DifferentChains "different_chains" 422 Change "The two votes prove no equivocation"
        "send two votes on the same chain",
    DifferentViews "different_views" 422 Change "The two votes prove no equivocation"
        "send two votes of the same term and view",
    SameVote "same_vote" 422 Change "The two votes prove no equivocation"
        "send two votes that differ",
    NotContradictory "not_contradictory" 422 Change "The two votes prove no equivocation"
        "an honest validator may cast both votes",
    ForgedSignature "forged_signature" 422 Change "The equivocation proof is forged"
        "both votes must be signed by the key, on this network",
    ForeignEquivocation "foreign_equivocation" 422 Change "The equivocation proof is about another chain"
        "only votes on the backbone are judged",
    UnknownKey "unknown_key" 422 Change "No validator votes with the equivocation proof's key"
        "`meshx stake validators` (GET /v1/validators) lists them",
    UnknownView "unknown_view" 422 Change "The time of the equivocation is not known"
        "only views that the backbone has recorded can be judged",
    EquivocationTooOld "equivocation_too_old" 422 Change "The equivocation proof is too old"
        "there is nothing to do",
    EquivocationFromFuture "equivocation_from_future" 422 Retry "The equivocation proof is about a future block"
        "try again when that block is final",
    AlreadyPunished "already_punished" 409 Change "The fault was punished before"
        "there is nothing to do",
    NoStakeHere "no_stake_here" 422 Change "Stake is kept on the backbone"
        "send it to the backbone",
    NotWorker "not_worker" 422 Change "The account has no worker here"
        "register a worker on this chain first",
    NothingVests "nothing_vests" 422 Change "Nothing vests for the account"
        "name an account with vesting tokens in the genesis",
    NotYetVested "not_yet_vested" 409 Retry "Less than that has vested"
        "ask for less, or try again later",
    RoyaltyTooHigh "royalty_too_high" 422 Change "The royalty is above the limit"
        "ask for a lower royalty",
    NotAuthor "not_author" 403 Change "Another account has already published the module"
        "sign with the author's key",
    StaleChallenge "stale_challenge" 409 Change "The evidence answers an old challenge"
        "ask for the newest challenge and attest anew",
    FromTheFuture "from_the_future" 422 Retry "The statement is from the future"
        "set this machine's clock, or try again later",
    NoParent "no_parent" 409 Change "The parent has no valid attestation"
        "attest the parent first",
    NotLater "not_later" 422 Change "The attestation is not later than its parent"
        "attest anew",
    TooDeep "too_deep" 422 Change "The chain of attestations is too long"
        "name a parent nearer to the root",
    NotListed "not_listed" 403 Change "The code is not on the network's list"
        "run code that is on this network's list, or propose to list this one",
    PlatformTaken "platform_taken" 409 Change "Another account has attested this platform"
        "attest with that account, or with another machine",
    NotAttested "not_attested" 422 Change "The evidence is refused"
        "`meshx attest verify` says more",
    NoDrawHere "no_draw_here" 422 Change "Committees are drawn on the backbone"
        "send it to the backbone",
    TicketEpoch "ticket_epoch" 409 Change "The ticket is for another epoch"
        "draw a ticket for the epoch that is open",
    TicketEarly "ticket_early" 409 Retry "The ticket comes too early"
        "try again in the next block",
    TicketLate "ticket_late" 409 Change "The ticket comes too late"
        "draw a ticket for the next epoch",
    TicketTaken "ticket_taken" 409 Change "The validator has already sent a ticket"
        "there is nothing to do",
    NotEligible "not_eligible" 409 Change "The validator cannot get a seat now"
        "release it from jail with `meshx stake unjail`, or bond more stake of its own",
    NoVrfKey "no_vrf_key" 409 Change "The validator has no VRF key"
        "register one with `meshx stake vrf`; it counts from the next boundary on",
    LateVrfKey "late_vrf_key" 409 Change "The VRF key does not count yet"
        "wait for the next epoch or period",
    LateAttestation "late_attestation" 409 Change "The attestation does not count yet"
        "wait for the next epoch or period",
    NotItsTicket "not_its_ticket" 422 Change "The ticket does not belong to the validator"
        "draw it with the newest VRF key, seed and attestation",
    BadVrfKey "bad_vrf_key" 422 Change "This is not a VRF key"
        "make a new key with `meshx stake vrf`",
    VrfKeySigns "vrf_key_signs" 422 Change "The VRF key is also a signing key"
        "use a key that only draws lots",
    VrfKeyNotProved "vrf_key_not_proved" 422 Change "The VRF key has not signed its registration"
        "prove with the VRF key that this account may draw with it on this network",
    OwnSeats "own_seats" 422 Change "The backbone knows its own seats"
        "send them to their shard",
    SeatsElsewhere "seats_elsewhere" 422 Change "The seats belong to another chain"
        "send them to the chain that they name",
    SeatsKnown "seats_known" 409 Change "The chain knows newer seats"
        "there is nothing to do",
    NoPresenceHere "no_presence_here" 422 Change "Presence is proved on the backbone"
        "send it to the backbone",
    NoPeriod "no_period" 409 Change "The network has no witnesses"
        "validators can be witnesses once they announce their addresses: meshx stake announce",
    NoSeed "no_seed" 409 Retry "The period's seed is not known yet"
        "try again in a few blocks",
    UnknownVoter "unknown_voter" 422 Change "No validator votes with the key that was measured"
        "bond a validator with this key first: meshx stake bond",
    OtherVrfKey "other_vrf_key" 422 Change "The claim names another VRF key"
        "draw the witnesses with the registered key",
    OtherAttestation "other_attestation" 422 Change "The claim names another attestation"
        "name the attestation that the validator had when the period began",
    OtherPeriod "other_period" 409 Change "The claim is for another period"
        "run the measurement again in this period",
    BadCertificate "bad_certificate" 422 Change "The presence certificate is invalid"
        "run the measurement again",
    AlreadyCertified "already_certified" 409 Change "An equally good certificate is already recorded"
        "prove the place again in the next period",
    Unproven "unproven" 422 Change "The claim is not proved"
        "run the measurement again",
    IntakePaused "intake_paused" 503 Retry "Governance has paused the intake of jobs"
        "try again when the pause has ended, or send the job to another shard",
    /// The network is not for development, or this node does not have its keys.
    NoFaucet "no_faucet" 404 Change "There is no faucet here"
        "ask somebody who has MESHX",
    Overflow "overflow" 422 Change "An account would hold more MESHX than can exist"
        "name a smaller amount",
    /// The bytes do not have the hash they were sent under.
    HashMismatch "hash_mismatch" 422 Change "The content does not have this hash"
        "send the content that has the hash",
    /// Comes with `Retry-After`.
    Overloaded "overloaded" 429 Retry "The node has too much to do"
        "try again in a few seconds",
    Internal "internal" 500 Retry "The node failed"
        "the node's log says why; another node may answer",
    NotReady "not_ready" 503 Retry "The node is not ready"
        "try again in a second",
    TxSpent "tx_spent" 409 Change "A block holds this transaction already"
        "there is nothing to do",
    TxExpired "tx_expired" 409 Change "The transaction's expiring nonce is over"
        "sign it again with a later block in its nonce",
    UntilTooFar "until_too_far" 422 Change "The transaction's nonce expires too late"
        "sign it again with a block in its nonce that is at most 600 ahead",
    TooManyOpen "too_many_open" 429 Retry "The account has used as many expiring nonces as may be open"
        "try again when one of them has expired, or use a strict nonce",
    /// It goes on waiting in the node's pool for some seconds.
    FeeAboveMax "fee_above_max" 409 Wait "The base fee is above what the transaction offers"
        "wait until the base fee falls, or sign it again with a higher fee_max",
    BlockFull "block_full" 503 Wait "The blocks are full"
        "try again in a second",
    Timeout "timeout" 504 Retry "The answer did not come in time"
        "try again; sending the same transaction or blob twice is safe",
    StorageFull "storage_full" 507 Change "The node's storage is full"
        "ask another node",
    /// Never sent: a validator's word for a block that it refuses.
    WrongBeacon "wrong_beacon" 500 Change "The block draws with the wrong beacon"
        "there is nothing to do",
    /// Never sent: what a client makes of a code newer than itself.
    Unknown "unknown" 500 Retry "The problem is not known to this version"
        "use a newer version",
}

impl Code {
    /// Whether asking for the same again is of no use until somebody changes something. A nonce does not count: who asks
    /// again signs with the nonce that is then right.
    pub const fn is_lasting(self) -> bool {
        matches!(self.remedy(), Remedy::Change)
    }

    /// Whether a node sends this code to clients.
    pub const fn is_sent(self) -> bool {
        !matches!(self, Self::WrongBeacon | Self::Unknown)
    }
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
impl PartialEq<&str> for Code {
    fn eq(&self, text: &&str) -> bool {
        self.as_str() == *text
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_read_back() {
        for code in Code::ALL {
            assert_eq!(Code::from(code.as_str()), *code);
            assert!((400..600).contains(&code.status()), "{code}");
            assert!(!code.title().is_empty() && !code.hint().is_empty(), "{code}");
        }
        assert_eq!(Code::from("from_another_age"), Code::Unknown);
    }

    #[test]
    fn what_asks_to_come_again_is_never_lasting() {
        for code in Code::ALL.iter().filter(|code| matches!(code.status(), 429 | 503 | 504)) {
            assert!(!code.is_lasting(), "{code}");
        }
    }

    #[test]
    fn only_a_place_in_a_line_or_a_block_or_a_lower_fee_is_waited_for() {
        let wait = Code::ALL.iter().filter(|code| code.remedy() == Remedy::Wait);
        let words: Vec<&str> = wait.map(|code| code.as_str()).collect();
        assert_eq!(
            words,
            ["nonce_gap", "nonce_used", "nonce_occupied", "fee_above_max", "block_full"]
        );
    }
}
