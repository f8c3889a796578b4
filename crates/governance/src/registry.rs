//! The registry: every parameter governance may change, with its unit and its bounds.
//!
//! Within its bounds, and consistent with the others, a value leaves a chain able to take blocks, jobs and votes. What no
//! bound can rule out: that fewer vote than a quorum asks for, or that too few put up what a validator needs (then the
//! last committee stays). Before raising those, look at who votes and what is bonded.

use crate::Refusal;
use types::{Fuel, Millis, NanoMeshx, ParamName, Params, Ppm};

/// What is known about one parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParamInfo {
    /// Which parameter.
    pub name: ParamName,
    /// As people write it.
    pub text: &'static str,
    /// What its value counts, such as `blocks` or `basis points`.
    pub unit: &'static str,
    /// The least it can be set to.
    pub min: u64,
    /// The most it can be set to.
    pub max: u64,
    /// What it does, in a sentence for voters.
    pub doc: &'static str,
}

const MESHX: u64 = 1_000_000_000;
const DAY: u64 = 86_400_000;
const BODY: u64 = types::BODY_BYTES_MAX as u64;

/// A parameter as the plain number that proposals carry.
trait Plain: Copy {
    fn to_plain(self) -> u64;
    /// `plain` is within bounds that fit the type.
    fn from_plain(plain: u64) -> Self;
}
impl Plain for u64 {
    fn to_plain(self) -> u64 {
        self
    }
    fn from_plain(plain: u64) -> Self {
        plain
    }
}
impl Plain for u16 {
    fn to_plain(self) -> u64 {
        self.into()
    }
    fn from_plain(plain: u64) -> Self {
        Self::try_from(plain).expect("bounds fit the type")
    }
}
impl Plain for u32 {
    fn to_plain(self) -> u64 {
        self.into()
    }
    fn from_plain(plain: u64) -> Self {
        Self::try_from(plain).expect("bounds fit the type")
    }
}
impl Plain for Ppm {
    fn to_plain(self) -> u64 {
        self.get().into()
    }
    fn from_plain(plain: u64) -> Self {
        Self::new(u32::try_from(plain).expect("bounds fit the type"))
    }
}
macro_rules! plain_unit {
    ($($unit:ty),*) => {$(
        impl Plain for $unit {
            fn to_plain(self) -> u64 {
                self.get()
            }
            fn from_plain(plain: u64) -> Self {
                Self::new(plain)
            }
        }
    )*};
}
plain_unit!(NanoMeshx, Millis, Fuel);

macro_rules! registry {
    ($($name:ident, $text:literal, $($field:ident).+, $unit:literal, $min:expr, $max:expr, $doc:literal;)*) => {
        /// One entry for each parameter, in the order of [`ParamName`].
        pub const REGISTRY: &[ParamInfo] = &[$(ParamInfo {
            name: ParamName::$name, text: $text, unit: $unit, min: $min, max: $max, doc: $doc,
        },)*];

        /// What is known about `name`.
        pub const fn info(name: ParamName) -> &'static ParamInfo {
            match name {
                $(ParamName::$name => &ParamInfo {
                    name: ParamName::$name, text: $text, unit: $unit, min: $min, max: $max, doc: $doc,
                },)*
            }
        }

        /// The parameter's value, in the unit of its entry.
        pub fn get(params: &Params, name: ParamName) -> u64 {
            match name {
                $(ParamName::$name => params.$($field).+.to_plain(),)*
            }
        }

        fn put(params: &mut Params, name: ParamName, value: u64) {
            match name {
                $(ParamName::$name => params.$($field).+ = Plain::from_plain(value),)*
            }
        }
    };
}

registry! {
    BaseFeeTarget, "base_fee_target", base_fee.target, "bytes", 1_000, BODY, "block size at which the base fee stays the same";
    BaseFeeMin, "base_fee_min", base_fee.min, "nano", 8, MESHX, "lowest base fee";
    BaseFeeMax, "base_fee_max", base_fee.max, "nano", 8, 1_000 * MESHX, "highest base fee";
    RateCoreSecond, "rate_core_second", rates.core_second, "nano", 0, 1_000 * MESHX, "base price of a core-second";
    RateRamGbSecond, "rate_ram_gb_second", rates.ram_gb_second, "nano", 0, 1_000 * MESHX, "base price of a GB of memory for a second";
    RateStorageGbHour, "rate_storage_gb_hour", rates.storage_gb_hour, "nano", 0, 1_000 * MESHX, "base price of a GB kept for an hour";
    RateBandwidthGb, "rate_bandwidth_gb", rates.bandwidth_gb, "nano", 0, 1_000 * MESHX, "base price of a GB moved";
    DemandTargetBps, "demand_target_bps", demand.target_bps, "bps", 1_000, 9_500, "utilisation at which the demand multiplier stays the same";
    DemandMin, "demand_min", demand.min, "ppm", 1_000, 1_000_000, "lowest demand multiplier";
    DemandMax, "demand_max", demand.max, "ppm", 1_000_000, 1_000_000_000, "highest demand multiplier";
    Location, "location", location, "ppm", 800_000, 1_500_000, "price multiplier of a chain for its location";
    FuelPerCoreUs, "fuel_per_core_us", fuel_per_core_us, "fuel", 1, 1_000_000, "fuel that counts as a microsecond of a core";
    StorageMs, "storage_ms", storage_ms, "ms", 1_000, 30 * DAY, "how long a job's bytes are kept and paid for";
    FuelMax, "fuel_max", fuel_max, "fuel", 1_000_000, 100_000_000_000_000, "most fuel of a job";
    MemoryBytesMax, "memory_bytes_max", memory_bytes_max, "bytes", 1 << 20, 1 << 32, "most memory of a job";
    OutputBytesMax, "output_bytes_max", output_bytes_max, "bytes", 1 << 10, 1 << 30, "most bytes a job may print";
    CommitBlocks, "commit_blocks", commit_blocks, "blocks", 2, 7_200, "blocks in which a drawn worker must commit";
    RevealBlocks, "reveal_blocks", reveal_blocks, "blocks", 2, 7_200, "blocks in which a committed worker must reveal";
    DeadlineBlocksMax, "deadline_blocks_max", deadline_blocks_max, "blocks", 100, 1_209_600, "most blocks between submission and deadline";
    ValidatorsBps, "validators_bps", validators_bps, "bps", 0, 2_000, "validators' share of a job's payment";
    TreasuryBps, "treasury_bps", treasury_bps, "bps", 0, 2_000, "the treasury's share of a job's payment";
    BurnedBps, "burned_bps", burned_bps, "bps", 0, 2_000, "part of a job's payment that is burned";
    RoyaltyMaxBps, "royalty_max_bps", royalty_max_bps, "bps", 0, 5_000, "most an author may ask of a job's payment";
    ReputationGain, "reputation_gain", reputation_gain, "points", 0, 1_000, "reputation that a worker gains by agreeing";
    ReputationLoss, "reputation_loss", reputation_loss, "points", 0, 10_000, "reputation that a worker loses by disagreeing or by silence";
    AvailabilityHour, "availability_hour", availability_hour, "nano", 0, 10 * MESHX, "pay for an hour of one unit of available capacity";
    HeartbeatBlocks, "heartbeat_blocks", heartbeat_blocks, "blocks", 16, 7_200, "most blocks between two heartbeats, if the time between is to be paid";
    EmissionValidatorsBps, "emission_validators_bps", emission_validators_bps, "bps", 0, 10_000, "validators' share of the emission";
    EpochBlocks, "epoch_blocks", epoch_blocks, "blocks", 4, 172_800, "blocks between two boundaries";
    StakingValidatorMin, "staking_validator_min", staking.validator_min, "nano", 100 * MESHX, 1_000_000 * MESHX, "least own stake of a validator";
    StakingDelegatorMin, "staking_delegator_min", staking.delegator_min, "nano", MESHX / 1_000, 100_000 * MESHX, "least stake of a delegation";
    StakingUnbondingMs, "staking_unbonding_ms", staking.unbonding_ms, "ms", 1_000, 90 * DAY, "how long unbonding stake is held and can be slashed";
    StakingSlashBps, "staking_slash_bps", staking.slash_bps, "bps", 1, 5_000, "part of the stake that a proven fault costs";
    StakingCommissionMaxBps, "staking_commission_max_bps", staking.commission_max_bps, "bps", 0, 10_000, "most a validator may keep of rewards";
    StakingJailMs, "staking_jail_ms", staking.jail_ms, "ms", 0, 365 * DAY, "how long a validator is in jail after a fault";
    StakingValidatorsMax, "staking_validators_max", staking.validators_max, "seats", 4, 100, "most seats of a committee";
    GovDeposit, "gov_deposit", governance.deposit, "nano", MESHX, 10_000_000 * MESHX, "deposit of a proposal";
    GovVotingMs, "gov_voting_ms", governance.voting_ms, "ms", 1_000, 60 * DAY, "how long votes are taken";
    GovEmergencyVotingMs, "gov_emergency_voting_ms", governance.emergency_voting_ms, "ms", 1_000, 7 * DAY, "the same for an emergency pause";
    GovTimelockMs, "gov_timelock_ms", governance.timelock_ms, "ms", 0, 60 * DAY, "how long a decision waits before it takes effect";
    GovQuorumBps, "gov_quorum_bps", governance.quorum_bps, "bps", 1, 5_000, "least part of all stake that must vote";
    GovThresholdBps, "gov_threshold_bps", governance.threshold_bps, "bps", 5_000, 9_000, "yes must be more than this part of yes, no and veto";
    GovEmergencyThresholdBps, "gov_emergency_threshold_bps", governance.emergency_threshold_bps, "bps", 5_000, 9_000, "the same for an emergency pause";
    GovVetoBps, "gov_veto_bps", governance.veto_bps, "bps", 100, 5_000, "more veto than this part of all votes rejects a proposal";
    GovPauseMaxMs, "gov_pause_max_ms", governance.pause_max_ms, "ms", 1_000, 7 * DAY, "longest emergency pause";
    AttestClasses, "attest_classes", attest.classes, "mask", 0, 31, "classes of hardware that count: 1 confidential-vm, 2 confidential-process, 4 device-bound-key, 8 measured-boot, 16 simulated";
    AttestTcbStatuses, "attest_tcb_statuses", attest.tcb_statuses, "mask", 0, 511, "TCB statuses that count: 1 UpToDate, 2 SWHardeningNeeded, 4 ConfigurationNeeded, 8 both, 16 OutOfDate, 32 OutOfDateConfigurationNeeded, 64 and 128 relaunch advised, 256 unrated";
    AttestLastsMs, "attest_lasts_ms", attest.lasts_ms, "ms", 10_000, 90 * DAY, "how long an attestation counts before it is to be renewed";
    AttestListedOnly, "attest_listed_only", attest.listed_only, "flag", 0, 1, "1: only listed measurements count";
    PresenceWitnessesNear, "presence_witnesses_near", presence.witnesses_near, "witnesses", 1, 96, "witnesses of a claim drawn from those nearest to it";
    PresenceWitnessesAnywhere, "presence_witnesses_anywhere", presence.witnesses_anywhere, "witnesses", 0, 95, "witnesses of a claim drawn from all others";
    PresencePool, "presence_pool", presence.pool, "witnesses", 1, 2_048, "how many of the nearest witnesses the draw chooses from";
    PresenceOperatorMax, "presence_operator_max", presence.operator_max, "witnesses", 1, 96, "most witnesses of one operator for a claim";
    PresenceNetworkMax, "presence_network_max", presence.network_max, "witnesses", 1, 96, "most witnesses of one autonomous system for a claim";
    PresenceAbleMin, "presence_able_min", presence.able_min, "witnesses", 1, 96, "least witnesses that could refute a piece of land";
    PresenceRefutedBps, "presence_refuted_bps", presence.refuted_bps, "bps", 3_334, 10_000, "part of those witnesses that must refute it";
    PresenceFarKm, "presence_far_km", presence.far_km, "km", 500, 10_000, "land nearer to the claim than this need not be refuted";
    PresenceBorderKm, "presence_border_km", presence.border_km, "km", 0, 2_000, "a node this near to another continent may claim that one";
    PresenceStrictMPerMs, "presence_strict_m_per_ms", presence.strict_m_per_ms, "m/ms", 50_000, 149_896, "distance that a millisecond of round-trip time allows, for a certified claim";
    PresenceUsualMPerMs, "presence_usual_m_per_ms", presence.usual_m_per_ms, "m/ms", 10_000, 149_896, "the same at the usual speed of the Internet, for a provisional claim";
    PresenceValidMs, "presence_valid_ms", presence.valid_ms, "ms", 10_000, 30 * DAY, "how long a certificate counts";
    PresencePeriodMs, "presence_period_ms", presence.period_ms, "ms", 1_000, 30 * DAY, "how long a list of witnesses is in force";
    PresenceMarksMax, "presence_marks_max", presence.marks_max, "marks", 1, 1_000, "times a witness may measure faster than light before it is removed";
    SortitionSeatsMin, "sortition_seats_min", sortition.seats_min, "seats", 1, 100, "fewest seats of a committee; if fewer are filled, the old one stays";
    SortitionOperatorSeatsMax, "sortition_operator_seats_max", sortition.operator_seats_max, "seats", 1, 100, "most seats of one operator";
    SortitionSeats, "sortition_seats", sortition.seats, "seats", 4, 100, "most seats of a shard's committee";
    SortitionTicketBlocks, "sortition_ticket_blocks", sortition.ticket_blocks, "blocks", 3, 172_800, "blocks after a boundary in which tickets are taken";
    SortitionPresenceRequired, "sortition_presence_required", sortition.presence_required, "flag", 0, 1, "1: a seat on the backbone needs a presence certificate";
    PlaceBond, "place_bond", place_bond, "nano", 0, 10_000 * MESHX, "what a worker puts down for each place";
    PlaceBondBlocks, "place_bond_blocks", place_bond_blocks, "blocks", 1, 5_184_000, "blocks for which that is kept after the place was given up";
    WallRatio, "wall_ratio", wall_ratio, "times", 1, 1_000, "least wall-clock limit of a job, in core times of its fuel";
}

/// The parameter people write as `text`.
pub fn parse(text: &str) -> Option<ParamName> {
    REGISTRY.iter().find(|info| info.text == text).map(|info| info.name)
}

/// `params` with all of `changes`, or a refusal.
///
/// # Errors
/// [`Refusal::OutOfBounds`], [`Refusal::Inconsistent`].
pub fn set(params: &Params, changes: &[(ParamName, u64)]) -> Result<Params, Refusal> {
    let mut after = *params;
    for (name, value) in changes {
        let info = info(*name);
        if !(info.min..=info.max).contains(value) {
            return Err(Refusal::OutOfBounds { name: *name, value: *value });
        }
        put(&mut after, *name, *value);
    }
    check(&after)?;
    Ok(after)
}

/// Whether parameters fit each other.
///
/// # Errors
/// [`Refusal::Inconsistent`] names the first rule broken.
pub fn check(params: &Params) -> Result<(), Refusal> {
    let shares =
        [params.validators_bps, params.treasury_bps, params.burned_bps, params.royalty_max_bps];
    let shares: u32 = shares.into_iter().map(u32::from).sum();
    let (presence, sortition) = (&params.presence, &params.sortition);
    let drawn = usize::from(presence.witnesses_near) + usize::from(presence.witnesses_anywhere);
    let rules = [
        (shares <= 9_000, "shares and royalty leave the worker less than a tenth"),
        (params.base_fee.min <= params.base_fee.max, "base_fee_min is above base_fee_max"),
        (params.demand.min <= params.demand.max, "demand_min is above demand_max"),
        (
            params.staking.delegator_min <= params.staking.validator_min,
            "staking_delegator_min is above staking_validator_min",
        ),
        (
            params.governance.threshold_bps <= params.governance.emergency_threshold_bps,
            "gov_emergency_threshold_bps is below gov_threshold_bps",
        ),
        (
            params.commit_blocks.saturating_add(params.reveal_blocks) < params.deadline_blocks_max,
            "commit_blocks and reveal_blocks leave no time before deadline_blocks_max",
        ),
        (
            drawn <= types::presence::WITNESSES_MAX,
            "presence_witnesses_near and presence_witnesses_anywhere are more than 96",
        ),
        (
            usize::from(presence.able_min) <= drawn,
            "presence_able_min is above presence_witnesses_near and presence_witnesses_anywhere",
        ),
        (
            presence.witnesses_near <= presence.pool,
            "presence_witnesses_near is above presence_pool",
        ),
        (
            presence.usual_m_per_ms <= presence.strict_m_per_ms,
            "presence_usual_m_per_ms is above presence_strict_m_per_ms",
        ),
        (
            presence.period_ms <= presence.valid_ms,
            "presence_period_ms is above presence_valid_ms: certificates would run out before the next period",
        ),
        (
            sortition.seats_min <= sortition.seats.min(params.staking.validators_max),
            "sortition_seats_min is above sortition_seats or staking_validators_max",
        ),
    ];
    match rules.into_iter().find(|(holds, _)| !holds) {
        Some((_, rule)) => Err(Refusal::Inconsistent { rule }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_has_an_entry_and_reads_back_as_set() {
        for (place, info) in REGISTRY.iter().enumerate() {
            assert_eq!(info.name as usize, place, "the order of ParamName");
            assert_eq!(parse(info.text), Some(info.name));
            let json = serde_json::to_string(&info.name).unwrap();
            assert_eq!(json, format!("\"{}\"", info.text), "one name everywhere");
            let usual = get(&Params::DEFAULT, info.name);
            assert!((info.min..=info.max).contains(&usual), "{}: {usual}", info.text);
            for value in [info.min, usual, info.max] {
                let mut after = Params::DEFAULT;
                put(&mut after, info.name, value);
                assert_eq!(get(&after, info.name), value, "{}", info.text);
                put(&mut after, info.name, usual);
                assert_eq!(after, Params::DEFAULT, "{} touches nothing else", info.text);
            }
        }
        assert_eq!(check(&Params::DEFAULT), Ok(()));
    }

    #[test]
    fn beyond_its_bounds_nothing_is_set() {
        for info in REGISTRY {
            let beyond = [info.min.checked_sub(1), info.max.checked_add(1)];
            for value in beyond.into_iter().flatten() {
                let refused = set(&Params::DEFAULT, &[(info.name, value)]);
                assert_eq!(refused, Err(Refusal::OutOfBounds { name: info.name, value }));
            }
        }
    }

    #[test]
    fn what_does_not_fit_together_is_refused_as_a_whole() {
        let refused = |changes: &[(ParamName, u64)]| {
            set(&Params::DEFAULT, changes).unwrap_err().code().as_str()
        };
        let shares = [
            (ParamName::ValidatorsBps, 2_000),
            (ParamName::TreasuryBps, 2_000),
            (ParamName::RoyaltyMaxBps, 5_000),
        ];
        assert_eq!(refused(&shares), "params_inconsistent");
        assert_eq!(
            refused(&[(ParamName::BaseFeeMin, 2_000), (ParamName::BaseFeeMax, 1_999)]),
            "params_inconsistent"
        );
        let staking = [
            (ParamName::StakingValidatorMin, 100 * MESHX),
            (ParamName::StakingDelegatorMin, 101 * MESHX),
        ];
        assert_eq!(refused(&staking), "params_inconsistent");
        assert_eq!(refused(&[(ParamName::GovThresholdBps, 6_668)]), "params_inconsistent");
        let phases = [(ParamName::CommitBlocks, 50), (ParamName::DeadlineBlocksMax, 100)];
        assert!(set(&Params::DEFAULT, &phases).is_ok());
        let phases = [(ParamName::CommitBlocks, 80), (ParamName::DeadlineBlocksMax, 100)];
        assert_eq!(refused(&phases), "params_inconsistent");
        for (name, value) in [
            (ParamName::PresenceWitnessesNear, 73),
            (ParamName::PresencePool, 71),
            (ParamName::PresenceUsualMPerMs, 99_932),
            (ParamName::PresencePeriodMs, 27 * 3_600_000),
            (ParamName::SortitionSeatsMin, 100),
            (ParamName::SortitionSeats, 4),
        ] {
            let alone = set(&Params::DEFAULT, &[(name, value)]);
            assert_eq!(alone.is_ok(), value == 100 || value == 4, "{name:?}");
        }
        let draw = [(ParamName::SortitionSeatsMin, 5), (ParamName::SortitionSeats, 4)];
        assert_eq!(refused(&draw), "params_inconsistent");
        let few =
            [(ParamName::PresenceWitnessesNear, 4), (ParamName::PresenceWitnessesAnywhere, 4)];
        assert_eq!(refused(&few), "params_inconsistent");
        // Two changes that fit only together do go through.
        let both = [(ParamName::BaseFeeMin, 2 * 1_000_000), (ParamName::BaseFeeMax, 3 * 1_000_000)];
        assert!(set(&Params::DEFAULT, &both).is_ok());
    }
}
