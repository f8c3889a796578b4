//! What a job used of each resource, from what its replicas agreed on and never from a clock.

use crate::compile::compile_core_us;

use super::{
    Multipliers, Unpriceable, agreed,
    metered::price,
    multipliers::{REPUTATION_FULL, reputation, tee},
};
use types::{
    Agreement, Fuel, JobSpec, NanoMeshx, Obstacle, Outcome, Ppm, Rates, Tee, Usage,
    state::{Params, Terms},
};

/// One replica's use. Fuel counts as core time, and so does compiling the module. Memory counts for as long as the fuel
/// lasts. What was read and written counts as bandwidth, and as storage for the time that it is kept. All is rounded up,
/// and never beyond the job's limits, even if a replica claims more.
///
/// # Errors
/// [`Unpriceable::TooMuch`] beyond what a u64 counts.
pub fn usage(spec: &JobSpec, outcome: &Outcome, params: &Params) -> Result<Usage, Unpriceable> {
    let limits = &spec.limits;
    let of = |bytes: u64| bytes.min(limits.output_bytes);
    // Files that it left share the limit of standard output.
    let left = outcome.status.files().map_or(0, |files| files.bytes.saturating_add(files.list.len));
    let printed = of(outcome.stdout.len.saturating_add(left));
    let written = printed.saturating_add(of(outcome.stderr.len));
    let fuel = match outcome.status.obstacle() {
        // It ran for longer than even a slow machine needs for all of its fuel.
        Some(Obstacle::WallClock) => limits.fuel,
        _ => outcome.fuel.min(limits.fuel),
    };
    let memory = outcome.memory_bytes.min(limits.memory_bytes);
    measure(spec, fuel, memory, written, params)
}

/// The same if it goes to every limit.
///
/// # Errors
/// [`Unpriceable::TooMuch`].
pub fn usage_max(spec: &JobSpec, params: &Params) -> Result<Usage, Unpriceable> {
    let limits = &spec.limits;
    // Standard output and standard error have that limit each.
    let written = limits.output_bytes.saturating_mul(2);
    measure(spec, limits.fuel, limits.memory_bytes, written, params)
}

fn measure(
    spec: &JobSpec,
    fuel: Fuel,
    memory_bytes: u64,
    written: u64,
    params: &Params,
) -> Result<Usage, Unpriceable> {
    let product = |a: u64, b: u64| a.checked_mul(b).ok_or(Unpriceable::TooMuch);
    let run_us = fuel.get().div_ceil(params.fuel_per_core_us.max(1));
    let read = spec.files.iter().fold(spec.input_len, |sum, file| sum.saturating_add(file.len));
    let bytes = spec.module_len.saturating_add(read).saturating_add(written);
    Ok(Usage {
        core_us: run_us.saturating_add(compile_core_us(spec.module_len)),
        ram_kb_us: product(memory_bytes.div_ceil(1_000), run_us)?,
        storage_kb_s: product(bytes.div_ceil(1_000), params.storage_ms.get().div_ceil(1_000))?,
        bandwidth_bytes: bytes,
    })
}

/// What one replica is paid: its use at the demand the job was taken in at, at this chain's location and the worker's
/// reputation; at least the worker's floor, at most `cap` and at least one nano.
///
/// # Errors
/// [`Unpriceable::TooMuch`]; [`Unpriceable::FloorAboveCap`].
pub fn pay(
    usage: &Usage,
    demand: Ppm,
    terms: &Terms,
    cap: NanoMeshx,
    params: &Params,
) -> Result<NanoMeshx, Unpriceable> {
    let multipliers = multipliers(demand, terms.reputation, params);
    // Rates may be 0: a worker that did what was asked is still paid something.
    let priced = price(usage, &params.rates, &multipliers)?.max(NanoMeshx::new(1));
    agreed(priced, floor(usage, terms.floor)?, cap)
}

/// The multipliers of a job on this chain, run by a worker of this reputation.
pub fn multipliers(demand: Ppm, score: u16, params: &Params) -> Multipliers {
    Multipliers {
        demand,
        location: params.location,
        // No job can ask for hardware yet.
        tee: tee(Tee::None),
        reputation: reputation(score.min(REPUTATION_FULL)).expect("at most the best"),
    }
}

/// The least a worker takes for this, at `floor` for a core-second; rounded up.
///
/// # Errors
/// [`Unpriceable::TooMuch`].
pub fn floor(usage: &Usage, floor: NanoMeshx) -> Result<NanoMeshx, Unpriceable> {
    let none = NanoMeshx::ZERO;
    let rates = Rates {
        core_second: floor,
        ram_gb_second: none,
        storage_gb_hour: none,
        bandwidth_gb: none,
    };
    price(&Usage { core_us: usage.core_us, ..Usage::default() }, &rates, &Multipliers::ONE)
}

/// What an offer must cover to be taken in: every replica to its limits, at `demand`, on workers of the best
/// reputation.
///
/// # Errors
/// [`Unpriceable::TooMuch`].
pub fn price_max(
    spec: &JobSpec,
    agreement: &Agreement,
    demand: Ppm,
    params: &Params,
) -> Result<NanoMeshx, Unpriceable> {
    let multipliers = multipliers(demand, REPUTATION_FULL, params);
    let each = price(&usage_max(spec, params)?, &params.rates, &multipliers)?;
    let each = each.get().max(1);
    let all = each.checked_mul(u64::from(agreement.replicas)).ok_or(Unpriceable::TooMuch)?;
    Ok(NanoMeshx::new(all))
}

/// The most one replica is paid of an offer: an equal part, rounded down.
pub fn cap(offered: NanoMeshx, agreement: &Agreement) -> NanoMeshx {
    // Rounded down, so that all replicas together never get more than the escrow holds.
    NanoMeshx::new(offered.get() / u64::from(agreement.replicas.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::{Abi, Float, Hash, Limits, List, Millis, OutputFiles, OutputRef, Status};

    fn spec() -> JobSpec {
        JobSpec {
            module: Hash::ZERO,
            module_len: 1_000_000,
            abi: Abi::Wasi,
            float: Float::Strict,
            input: Hash::ZERO,
            input_len: 499_000,
            args: List::default(),
            env: List::default(),
            files: List::default(),
            limits: Limits {
                fuel: Fuel::new(2_000_000_000),
                memory_bytes: 64 << 20,
                output_bytes: 1_000,
                wall: Millis::new(1),
            },
            profile: Hash::ZERO,
            seed: Hash::ZERO,
            clock: Millis::ZERO,
        }
    }
    fn outcome(memory_bytes: u64) -> Outcome {
        let of = |len| OutputRef { hash: Hash::ZERO, len };
        let fuel = Fuel::new(1_000_000_001);
        Outcome { status: Status::Exited(0), stdout: of(900), stderr: of(100), fuel, memory_bytes }
    }
    const TERMS: Terms = Terms { reputation: 5_000, floor: NanoMeshx::ZERO };

    #[test]
    fn all_four_resources_count_and_round_up() {
        let mut spec = spec();
        spec.limits.memory_bytes = 2_000_000_000;
        let used = usage(&spec, &outcome(1_000_000_001), &Params::DEFAULT).unwrap();
        let core_us = 1_000_001 + 1_000_000;
        let ram_kb_us = 1_000_001 * 1_000_001;
        let bytes = 1_500_000;
        let storage_kb_s = 1_500 * 3_600;
        assert_eq!(used, Usage { core_us, ram_kb_us, storage_kb_s, bandwidth_bytes: bytes });
        let paid = pay(&used, Ppm::ONE, &TERMS, NanoMeshx::new(u64::MAX), &Params::DEFAULT);
        // 1,000,001 for the core that runs and 1,000,000 for the one that compiles, 100,000.200001 for memory, 15 for storage, 150 for bandwidth.
        assert_eq!(paid, Ok(NanoMeshx::new(2_100_167)));
    }

    #[test]
    fn files_are_paid_for_like_what_is_printed() {
        let (spec, params) = (spec(), Params::DEFAULT);
        let bytes = |left, list| {
            let list = OutputRef { hash: Hash::ZERO, len: list };
            let files = OutputFiles { list, bytes: left };
            let status = Status::ExitedWithFiles { code: 0, files };
            usage(&spec, &Outcome { status, ..outcome(1) }, &params).unwrap().bandwidth_bytes
        };
        let none = usage(&spec, &outcome(1), &params).unwrap().bandwidth_bytes;
        assert_eq!(bytes(20, 30), none + 50);
        assert_eq!(bytes(100, 1), none + 100, "with stdout's 900 at the limit");
        assert_eq!(bytes(u64::MAX, u64::MAX), none + 100);
    }

    #[test]
    fn more_of_any_resource_never_costs_less_than_the_limits_say() {
        let (spec, params) = (spec(), Params::DEFAULT);
        let used = usage(&spec, &outcome(64 << 20), &params).unwrap();
        let most = usage_max(&spec, &params).unwrap();
        let agreement = Agreement { replicas: 3, agree: 2 };
        let offer = price_max(&spec, &agreement, Ppm::ONE, &params).unwrap();
        let best = Terms { reputation: 10_000, ..TERMS };
        for used in [used, most] {
            let uncapped = pay(&used, Ppm::ONE, &best, NanoMeshx::new(u64::MAX), &params).unwrap();
            assert_eq!(pay(&used, Ppm::ONE, &best, cap(offer, &agreement), &params), Ok(uncapped));
        }
    }

    #[test]
    fn a_floor_is_for_core_time_and_rounds_up() {
        let used = Usage { core_us: 1, ..Usage::default() };
        assert_eq!(floor(&used, NanoMeshx::new(1)), Ok(NanoMeshx::new(1)));
        let terms = Terms { floor: NanoMeshx::new(5_000_000), ..TERMS };
        let second = Usage { core_us: 1_000_000, ..Usage::default() };
        let paid = |cap| pay(&second, Ppm::ONE, &terms, NanoMeshx::new(cap), &Params::DEFAULT);
        assert_eq!(paid(9_000_000), Ok(NanoMeshx::new(5_000_000)));
        assert!(paid(4_999_999).is_err());
    }

    #[test]
    fn what_no_number_holds_is_refused() {
        let mut huge = spec();
        (huge.limits.fuel, huge.limits.memory_bytes) = (Fuel::new(u64::MAX), u64::MAX);
        let params = Params { fuel_per_core_us: 0, ..Params::DEFAULT };
        assert_eq!(usage_max(&huge, &params), Err(Unpriceable::TooMuch));
    }

    #[test]
    fn whatever_a_run_claims_it_is_paid_to_its_limits() {
        let (spec, params) = (spec(), Params::DEFAULT);
        let all = OutputRef { hash: Hash::ZERO, len: u64::MAX };
        let claim =
            Outcome { fuel: Fuel::new(u64::MAX), stdout: all, stderr: all, ..outcome(u64::MAX) };
        assert_eq!(usage(&spec, &claim, &params), usage_max(&spec, &params));
    }
}
