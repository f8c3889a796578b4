//! Parameters: rules with a number in them. Genesis sets them, governance changes them.

use crate::{
    BaseFeeRule, DemandRule, ExecProfile, Fuel, Millis, NanoMeshx, Ppm, Rates, Wire,
    attest::AttestParams, committee::SortitionParams, presence::PresenceParams,
    staking::StakingParams, state::PLACES_MAX,
};
use serde::{Deserialize, Serialize};

/// What the validators of one chain must agree on beside the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Params {
    /// How the base fee moves. It is burned for every transaction but a drawn worker's own.
    pub base_fee: BaseFeeRule,
    /// What resources cost before any multiplier.
    pub rates: Rates,
    /// How load moves prices.
    pub demand: DemandRule,
    /// What computing here costs beside elsewhere: 0.80 to 1.50.
    pub location: Ppm,
    /// Fuel that stands for a microsecond of one core.
    pub fuel_per_core_us: u64,
    /// How long what a job reads and writes is kept, and paid for as storage.
    pub storage_ms: Millis,
    /// Most fuel one job may ask for.
    pub fuel_max: Fuel,
    /// Most linear memory one job may ask for, in bytes.
    pub memory_bytes_max: u64,
    /// Most output one job may ask for, in bytes.
    pub output_bytes_max: u64,
    /// What a worker puts down for each place. Its chance in a draw follows from it, whatever the number of its names.
    pub place_bond: NanoMeshx,
    /// Blocks for which that is kept after the place was given up.
    pub place_bond_blocks: u64,
    /// Blocks a drawn worker has to commit, at least; a job's wall-clock limit is added.
    pub commit_blocks: u64,
    /// A job's wall-clock limit is at least so many times the core time that its fuel stands for, so that a worker as slow as
    /// that can finish it.
    pub wall_ratio: u16,
    /// Blocks a worker that committed has to reveal.
    pub reveal_blocks: u64,
    /// Most blocks between submission and deadline.
    pub deadline_blocks_max: u64,
    /// The validators' share of a job's payment, in basis points. Workers get what the three shares leave.
    pub validators_bps: u16,
    /// The treasury's share of a job's payment, in basis points. It also gets what rounding leaves.
    pub treasury_bps: u16,
    /// How much of a job's payment is burned, in basis points.
    pub burned_bps: u16,
    /// Most of a job's payment that its module's author may ask for, out of the worker's share.
    pub royalty_max_bps: u16,
    /// How much reputation a worker gains when it agrees with the quorum.
    pub reputation_gain: u16,
    /// How much reputation a worker loses when it disagrees or stays silent.
    pub reputation_loss: u16,
    /// What one place of a worker with full reputation earns for an hour in which it was there.
    pub availability_hour: NanoMeshx,
    /// Most blocks between two heartbeats for the time between them to count.
    pub heartbeat_blocks: u64,
    /// Validators' part of what a block mints; providers have the rest.
    pub emission_validators_bps: u16,
    /// Blocks between two boundaries, at which rewards are shared out, committees chosen and new parameters taken up.
    pub epoch_blocks: u64,
    /// Rules of stake.
    pub staking: StakingParams,
    /// Rules of votes.
    pub governance: GovernanceParams,
    /// Which evidence of hardware counts.
    pub attest: AttestParams,
    /// When a claim to stand somewhere holds.
    pub presence: PresenceParams,
    /// How committees are drawn.
    pub sortition: SortitionParams,
    /// The profile of a module with canonical NaNs.
    pub profile_strict: ExecProfile,
    /// The profile of a module whose NaNs are the processor's own.
    pub profile_arch_class: ExecProfile,
    /// The usual distance between two blocks, in milliseconds.
    pub block_ms: u64,
}

impl Params {
    /// What a worker that runs `capacity` jobs at once puts down for its places, of which it has at most [`PLACES_MAX`];
    /// `None` if that is more than there can be.
    #[must_use]
    pub fn bond(&self, capacity: u16) -> Option<NanoMeshx> {
        let places = u64::from(capacity.min(PLACES_MAX));
        self.place_bond.get().checked_mul(places).map(NanoMeshx::new)
    }

    /// What a network starts with (DESIGN §6), without execution profiles.
    pub const DEFAULT: Self = Self {
        base_fee: BaseFeeRule::DEFAULT,
        rates: Rates::PAPER,
        demand: DemandRule::DEFAULT,
        location: Ppm::ONE,
        fuel_per_core_us: 1_000,
        storage_ms: Millis::new(3_600_000),
        fuel_max: Fuel::new(1_000_000_000_000),
        memory_bytes_max: 1 << 30,
        output_bytes_max: 64 << 20,
        place_bond: NanoMeshx::new(10_000_000_000),
        place_bond_blocks: 172_800,
        commit_blocks: 20,
        wall_ratio: 6,
        reveal_blocks: 20,
        deadline_blocks_max: 172_800,
        validators_bps: 300,
        treasury_bps: 100,
        burned_bps: 100,
        royalty_max_bps: 3_000,
        reputation_gain: 10,
        reputation_loss: 500,
        availability_hour: NanoMeshx::new(100_000),
        heartbeat_blocks: 240,
        emission_validators_bps: 5_000,
        epoch_blocks: 7_200,
        staking: StakingParams::DEFAULT,
        governance: GovernanceParams::DEFAULT,
        attest: AttestParams::DEFAULT,
        presence: PresenceParams::DEFAULT,
        sortition: SortitionParams::DEFAULT,
        profile_strict: ExecProfile::ZERO,
        profile_arch_class: ExecProfile::ZERO,
        block_ms: 500,
    };
}

/// How a proposal becomes a decision. Shares are in basis points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct GovernanceParams {
    /// What a proposal puts down. It comes back unless the proposal is vetoed.
    pub deposit: NanoMeshx,
    /// How long votes are taken.
    pub voting_ms: Millis,
    /// The same for an emergency pause.
    pub emergency_voting_ms: Millis,
    /// How long a decision waits before it takes effect.
    pub timelock_ms: Millis,
    /// Least part of all bonded stake that must vote.
    pub quorum_bps: u16,
    /// Yes must be more than this part of yes, no and veto.
    pub threshold_bps: u16,
    /// The same for an emergency pause.
    pub emergency_threshold_bps: u16,
    /// A veto of more than this part of all votes rejects, and burns the deposit.
    pub veto_bps: u16,
    /// Longest an emergency pause lasts before it ends by itself.
    pub pause_max_ms: Millis,
}

impl GovernanceParams {
    /// 1,000 MESHX down, a week of voting, two days of timelock; a third, a half, two thirds and a third.
    pub const DEFAULT: Self = Self {
        deposit: NanoMeshx::new(1_000_000_000_000),
        voting_ms: Millis::new(7 * 86_400_000),
        emergency_voting_ms: Millis::new(3_600_000),
        timelock_ms: Millis::new(2 * 86_400_000),
        quorum_bps: 3_340,
        threshold_bps: 5_000,
        emergency_threshold_bps: 6_667,
        veto_bps: 3_340,
        pause_max_ms: Millis::new(86_400_000),
    };
}

impl StakingParams {
    /// DESIGN §6: 100,000 and 100 MESHX, 14 days, a tenth; a day in jail.
    pub const DEFAULT: Self = Self {
        validator_min: NanoMeshx::new(100_000_000_000_000),
        delegator_min: NanoMeshx::new(100_000_000_000),
        unbonding_ms: Millis::new(14 * 86_400_000),
        slash_bps: 1_000,
        commission_max_bps: 2_000,
        jail_ms: Millis::new(86_400_000),
        validators_max: 100,
    };
}

/// The name of a parameter that governance may change. Its unit and bounds stand in the governance crate's registry.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Wire,
)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the registry says what each one means, in which unit")]
pub enum ParamName {
    BaseFeeTarget = 0,
    BaseFeeMin = 1,
    BaseFeeMax = 2,
    RateCoreSecond = 3,
    RateRamGbSecond = 4,
    RateStorageGbHour = 5,
    RateBandwidthGb = 6,
    DemandTargetBps = 7,
    DemandMin = 8,
    DemandMax = 9,
    Location = 10,
    FuelPerCoreUs = 11,
    StorageMs = 12,
    FuelMax = 13,
    MemoryBytesMax = 14,
    OutputBytesMax = 15,
    CommitBlocks = 16,
    RevealBlocks = 17,
    DeadlineBlocksMax = 18,
    ValidatorsBps = 19,
    TreasuryBps = 20,
    BurnedBps = 21,
    RoyaltyMaxBps = 22,
    ReputationGain = 23,
    ReputationLoss = 24,
    AvailabilityHour = 25,
    HeartbeatBlocks = 26,
    EmissionValidatorsBps = 27,
    EpochBlocks = 28,
    StakingValidatorMin = 29,
    StakingDelegatorMin = 30,
    StakingUnbondingMs = 31,
    StakingSlashBps = 32,
    StakingCommissionMaxBps = 33,
    StakingJailMs = 34,
    StakingValidatorsMax = 35,
    GovDeposit = 36,
    GovVotingMs = 37,
    GovEmergencyVotingMs = 38,
    GovTimelockMs = 39,
    GovQuorumBps = 40,
    GovThresholdBps = 41,
    GovEmergencyThresholdBps = 42,
    GovVetoBps = 43,
    GovPauseMaxMs = 44,
    AttestClasses = 45,
    AttestTcbStatuses = 46,
    AttestLastsMs = 47,
    AttestListedOnly = 48,
    PresenceWitnessesNear = 49,
    PresenceWitnessesAnywhere = 50,
    PresencePool = 51,
    PresenceOperatorMax = 52,
    PresenceNetworkMax = 53,
    PresenceAbleMin = 54,
    PresenceRefutedBps = 55,
    PresenceFarKm = 56,
    PresenceBorderKm = 57,
    PresenceStrictMPerMs = 58,
    PresenceUsualMPerMs = 59,
    PresenceValidMs = 60,
    PresencePeriodMs = 61,
    PresenceMarksMax = 62,
    SortitionSeatsMin = 63,
    SortitionOperatorSeatsMax = 64,
    SortitionSeats = 65,
    SortitionTicketBlocks = 66,
    SortitionPresenceRequired = 67,
    PlaceBond = 68,
    PlaceBondBlocks = 69,
    WallRatio = 70,
}
