//! Nouns: how the things of `types` look in JSON, for the description of the API only.
//!
//! `types` knows nothing of OpenAPI. A test holds each of these against what `types` really writes.

#![allow(dead_code, reason = "they are read by a derive, not by code")]

use crate::presence::{PresenceCertificate, PresenceParams, RelayedSeats, SortitionParams, Ticket};
use serde::Serialize;
use utoipa::ToSchema;

/// Bytes as they are.
#[derive(Serialize, ToSchema)]
#[schema(value_type = String, format = Binary)]
pub(crate) struct Binary(Vec<u8>);

/// Lowercase hex.
#[derive(Serialize, ToSchema)]
#[schema(pattern = "^([0-9a-f]{2})*$")]
pub(crate) struct Hex(String);

/// A BLAKE3-256 digest: 64 lowercase hex digits.
#[derive(Serialize, ToSchema)]
#[schema(pattern = "^[0-9a-f]{64}$")]
pub(crate) struct Hash(String);

/// An Ed25519 public key: 64 lowercase hex digits.
#[derive(Serialize, ToSchema)]
#[schema(pattern = "^[0-9a-f]{64}$")]
pub(crate) struct PublicKey(String);

/// An Ed25519 signature: 128 lowercase hex digits.
#[derive(Serialize, ToSchema)]
#[schema(pattern = "^[0-9a-f]{128}$")]
pub(crate) struct Signature(String);

/// Where money is held: bech32m.
#[derive(Serialize, ToSchema)]
#[schema(pattern = "^meshx1[02-9ac-hj-np-z]+$")]
pub(crate) struct Address(String);

/// Nano-MESHX (10⁻⁹) in decimal digits. A string, because numbers above 2⁵³ do not survive JavaScript.
#[derive(Serialize, ToSchema)]
#[schema(pattern = "^[0-9]{1,20}$", example = "1500000000")]
pub(crate) struct Amount(String);

/// The backbone or a continent's shard.
#[derive(Serialize, ToSchema)]
pub(crate) enum ChainId {
    #[serde(rename = "backbone")]
    Backbone,
    #[serde(rename = "NA")]
    NorthAmerica,
    #[serde(rename = "EU")]
    Europe,
    #[serde(rename = "AS")]
    Asia,
    #[serde(rename = "SA")]
    SouthAmerica,
    #[serde(rename = "AF")]
    Africa,
    #[serde(rename = "OC")]
    Oceania,
    #[serde(rename = "AN")]
    Antarctica,
}

/// Why a request was not answered (RFC 9457).
#[derive(Serialize, ToSchema, utoipa::ToResponse)]
#[response(description = "Why there is no answer", content_type = "application/problem+json")]
pub(crate) struct Problem {
    /// `urn:meshx:error:<code>`
    r#type: String,
    /// The same for every problem with this code.
    title: String,
    status: u16,
    /// What happened this time.
    detail: String,
    #[schema(inline)]
    code: Code,
    /// What to try.
    hint: Option<String>,
}

/// A word that never changes its meaning. A client must expect ones it does not know.
#[derive(Serialize)]
pub(crate) struct Code;
impl utoipa::PartialSchema for Code {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let known = crate::Code::ALL.iter().filter(|code| code.is_sent());
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::Type::String)
            .description(Some(
                "A word that never changes its meaning. Expect ones you do not know.",
            ))
            .enum_values(Some(known.map(|code| code.as_str())))
            .into()
    }
}
impl ToSchema for Code {}

/// The rules of a chain that have a number in them.
#[derive(Serialize, ToSchema)]
pub(crate) struct Params {
    base_fee: BaseFeeRule,
    rates: Rates,
    demand: DemandRule,
    /// Millionths.
    location: u32,
    fuel_per_core_us: u64,
    storage_ms: u64,
    fuel_max: u64,
    memory_bytes_max: u64,
    output_bytes_max: u64,
    commit_blocks: u64,
    reveal_blocks: u64,
    deadline_blocks_max: u64,
    validators_bps: u16,
    treasury_bps: u16,
    burned_bps: u16,
    royalty_max_bps: u16,
    reputation_gain: u16,
    reputation_loss: u16,
    availability_hour: Amount,
    heartbeat_blocks: u64,
    emission_validators_bps: u16,
    epoch_blocks: u64,
    staking: StakingParams,
    governance: GovernanceParams,
    attest: AttestParams,
    presence: PresenceParams,
    sortition: SortitionParams,
    profile_strict: Hash,
    profile_arch_class: Hash,
    block_ms: u64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct BaseFeeRule {
    /// Bytes of a block at which the fee rests.
    target: u64,
    min: Amount,
    max: Amount,
}

/// What a resource costs before multipliers.
#[derive(Serialize, ToSchema)]
pub(crate) struct Rates {
    core_second: Amount,
    ram_gb_second: Amount,
    storage_gb_hour: Amount,
    bandwidth_gb: Amount,
}

/// Multipliers in millionths.
#[derive(Serialize, ToSchema)]
pub(crate) struct DemandRule {
    target_bps: u16,
    min: u32,
    max: u32,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct StakingParams {
    validator_min: Amount,
    delegator_min: Amount,
    unbonding_ms: u64,
    slash_bps: u16,
    commission_max_bps: u16,
    jail_ms: u64,
    validators_max: u16,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct GovernanceParams {
    deposit: Amount,
    voting_ms: u64,
    emergency_voting_ms: u64,
    timelock_ms: u64,
    quorum_bps: u16,
    threshold_bps: u16,
    emergency_threshold_bps: u16,
    veto_bps: u16,
    pause_max_ms: u64,
}

/// genesis + minted − burned = all balances of the chain.
#[derive(Serialize, ToSchema)]
pub(crate) struct Supply {
    genesis: Amount,
    minted: Amount,
    burned: Amount,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Earned {
    jobs: Amount,
    availability: Amount,
    royalties: Amount,
    rewards: Amount,
    commission: Amount,
    tips: Amount,
}

#[derive(Serialize, ToSchema)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub(crate) enum Standing {
    Active,
    Jailed { until: u64 },
    Tombstoned,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Tx {
    chain: ChainId,
    sender: PublicKey,
    nonce: u64,
    tip: Amount,
    action: Action,
    signature: Signature,
}

#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Action {
    Transfer { to: Address, amount: Amount },
    RegisterWorker { capacity: u16, city: String, floor: Amount },
    SubmitJob(Submission),
    Commit { job: Hash, commitment: Hash },
    Reveal(Reveal),
    CancelJob { job: Hash },
    PublishModule { module: Hash, royalty_bps: u16 },
    Heartbeat,
    Stake(StakeOrder),
    Report(DoubleSigning),
    Propose { title: String, kind: ProposalKind },
    Vote { proposal: u64, option: VoteOption },
    Relay(Relayed),
    Attest(Attestation),
    ClaimVested { amount: Amount },
    Ticket(Ticket),
    Certify(PresenceCertificate),
    Seat(RelayedSeats),
}

/// Evidence of what machine holds the sender's key.
#[derive(Serialize, ToSchema)]
pub(crate) struct Attestation {
    /// Hexadecimal, as all bytes here.
    evidence: String,
    collateral: String,
    code_hash: Hash,
    sealing_key: String,
    /// Seconds since 1970.
    stated: u64,
    challenge: Hash,
    parent: Option<Address>,
}

/// What an account's machine proved.
#[derive(Serialize, ToSchema)]
pub(crate) struct AttestationRecord {
    /// intel-sgx, intel-tdx, amd-sev-snp, aws-nitro, android-key-attestation, apple-app-attest, arm-cca, arm-psa, tpm2.
    technology: String,
    /// confidential-vm, confidential-process, device-bound-key, measured-boot, simulated.
    class: String,
    tcb_status: String,
    root: String,
    measurement: String,
    platform: Option<Hash>,
    /// SHA-256 of the evidence.
    evidence: Hash,
    code_hash: Hash,
    sealing_key: String,
    stated: u64,
    attested: u64,
    /// Milliseconds since 1970.
    until: u64,
    parent: Option<Hash>,
    depth: u8,
}

/// What new evidence must answer: the current one, or the one before it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Challenges {
    current: Hash,
    previous: Hash,
    height: u64,
    awaited: u64,
}

/// Which evidence counts; masks, bit by bit, as `meshx gov params` explains them.
#[derive(Serialize, ToSchema)]
pub(crate) struct AttestParams {
    classes: u16,
    tcb_statuses: u16,
    lasts_ms: u64,
    listed_only: u16,
}

/// Something on a list that attestation goes by.
#[derive(Serialize, ToSchema)]
#[serde(tag = "list", rename_all = "snake_case")]
pub(crate) enum Listed {
    Measurement { technology: String, measurement: String },
    PlatformKey { technology: String, key: Hash },
}

#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum ProposalKind {
    ChangeParams { changes: Vec<ParamChange> },
    Spend { pool: LockedPool, to: Address, amount: Amount },
    ShardAdmission { chain: ChainId, rule: Admission },
    List { entry: Listed, allowed: bool },
    PauseIntake { chain: Option<ChainId>, lasting: u64 },
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ParamChange {
    /// Null: on all chains.
    chain: Option<ChainId>,
    /// As `meshx gov params` lists them.
    name: String,
    value: u64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LockedPool {
    Ecosystem,
    Treasury,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Admission {
    Presence,
    Listed,
    Closed,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum VoteOption {
    Yes,
    No,
    Abstain,
    Veto,
}

/// A decision about the network.
#[derive(Serialize, ToSchema)]
pub(crate) struct Proposal {
    id: u64,
    proposer: Address,
    title: String,
    kind: ProposalKind,
    deposit: Amount,
    submitted: u64,
    status: ProposalStatus,
    tally: Tally,
}

#[derive(Serialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(crate) enum ProposalStatus {
    Voting { closes: u64 },
    Queued { executes: u64 },
    Executed { at: u64 },
    Rejected,
    NoQuorum,
    Vetoed,
    Failed,
}

/// Stake behind each option.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tally {
    yes: Amount,
    no: Amount,
    abstain: Amount,
    veto: Amount,
}

/// A decision of the backbone, with what proves it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Relayed {
    anchor: Anchor,
    decree: Decree,
    header: Header,
    certificate: String,
    proof: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Decree {
    number: u64,
    proposal: u64,
    order: Order,
}

#[derive(Serialize, ToSchema)]
#[serde(tag = "order", rename_all = "snake_case")]
pub(crate) enum Order {
    SetParams { changes: Vec<ParamChange> },
    Admit { chain: ChainId, rule: Admission },
    Pause { chain: Option<ChainId>, until: u64 },
    List { entry: Listed, allowed: bool },
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Anchor {
    name: String,
    dev_dealer: bool,
    chains: Vec<ChainAnchor>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ChainAnchor {
    chain: ChainId,
    identity: String,
    genesis: Hash,
}

/// Two votes of one validator that contradict each other.
#[derive(Serialize, ToSchema)]
pub(crate) struct DoubleSigning {
    key: PublicKey,
    first: SignedVote,
    second: SignedVote,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SignedVote {
    chain: ChainId,
    kind: VoteKind,
    epoch: u64,
    view: u64,
    parent: u64,
    payload: Hash,
    signature: Signature,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum VoteKind {
    Notarize,
    Nullify,
    Finalize,
}

/// Validators are named by their operator.
#[derive(Serialize, ToSchema)]
#[serde(tag = "order", rename_all = "snake_case")]
pub(crate) enum StakeOrder {
    Bond { key: PublicKey, amount: Amount, commission_bps: u16, proof: Signature },
    Delegate { validator: Address, amount: Amount },
    Undelegate { validator: Address, amount: Option<Amount> },
    Redelegate { from: Address, to: Address, amount: Option<Amount> },
    Withdraw { validator: Address },
    Claim { validator: Address },
    ClaimCommission,
    SetCommission { bps: u16 },
    Unjail,
    Announce { addresses: Vec<String> },
    RegisterVrf { key: Hash, proof: Hex },
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Submission {
    spec: JobSpec,
    agreement: Agreement,
    price_max: Amount,
    deadline: u64,
    fresh: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Reveal {
    job: Hash,
    outcome: Outcome,
    salt: Hash,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct JobSpec {
    module: Hash,
    module_len: u64,
    abi: Abi,
    float: Float,
    input: Hash,
    input_len: u64,
    args: Vec<String>,
    env: Vec<String>,
    files: Vec<InputFile>,
    limits: JobLimits,
    profile: Hash,
    seed: Hash,
    /// Milliseconds since the Unix epoch.
    clock: u64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Abi {
    Raw,
    Wasi,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Float {
    Strict,
    ArchClass,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct InputFile {
    name: String,
    content: Hash,
    len: u64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct JobLimits {
    fuel: u64,
    memory_bytes: u64,
    output_bytes: u64,
    /// Milliseconds.
    wall: u64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Agreement {
    replicas: u8,
    agree: u8,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Outcome {
    status: Status,
    stdout: OutputRef,
    stderr: OutputRef,
    fuel: u64,
    memory_bytes: u64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Exited(i32),
    Trapped(Trap),
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Trap {
    Wasm,
    OutOfFuel,
    OutOfMemory,
    StackOverflow,
    OutputTooLong,
    BadAbi,
    Abort,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OutputRef {
    hash: Hash,
    len: u64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct JobRecord {
    payer: Address,
    submission: Submission,
    submitted: u64,
    /// Millionths.
    demand: u32,
    phase: Phase,
}

#[derive(Serialize, ToSchema)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub(crate) enum Phase {
    Queued,
    Committing { drawn: u64, until: u64, seats: Vec<Seat> },
    Revealing { drawn: u64, until: u64, seats: Vec<Seat> },
    Settled(Settlement),
    Ended { height: u64, ending: Ending, seats: Vec<Seat> },
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Seat {
    worker: Address,
    terms: Terms,
    commitment: Option<Hash>,
    outcome: Option<Outcome>,
}

/// What a worker was drawn at.
#[derive(Serialize, ToSchema)]
pub(crate) struct Terms {
    reputation: u16,
    /// Least it takes for a core-second.
    floor: Amount,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Settlement {
    height: u64,
    outcome: Outcome,
    agreed: u8,
    seats: Vec<Seat>,
    paid: Amount,
    refunded: Amount,
    cached_from: Option<Hash>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ending {
    Expired,
    Cancelled,
    NoAgreement,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct WorkerRecord {
    capacity: u16,
    running: u16,
    reputation: u16,
    city: String,
    registered: u64,
    /// Least it takes for a core-second.
    floor: Amount,
    /// The block of its last heartbeat.
    seen: u64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Header {
    chain: ChainId,
    epoch: u64,
    view: u64,
    leader: PublicKey,
    parent_view: u64,
    parent: Hash,
    height: u64,
    /// Milliseconds since the Unix epoch.
    timestamp: u64,
    body: Hash,
    state_root: Hash,
    state_log: LogRoot,
    outbox: LogRoot,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct LogRoot {
    root: Hash,
    start: u64,
    end: u64,
}
