//! Whether a submission may become a job at all. Asked before money moves.

use crate::{draw, price::price_max};
use types::{
    Float, Height, MODULE_BYTES_MAX, NanoMeshx, Ppm, REPLICAS_MAX, Submission, state::Params,
};

/// Why a job is not taken on. Nothing has been paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum Unacceptable {
    #[error(
        "{agree} of {replicas} replicas is not an accepted agreement; ask for 1 to {REPLICAS_MAX} replicas, of which more than half must agree"
    )]
    Agreement { replicas: u8, agree: u8 },
    #[error("fuel limit {asked} is outside 1 to {max}")]
    Fuel { asked: u64, max: u64 },
    #[error("memory limit {asked} is above {max} bytes")]
    Memory { asked: u64, max: u64 },
    #[error("output limit {asked} is above {max} bytes")]
    Output { asked: u64, max: u64 },
    #[error(
        "the job may cost {needed} MESHX but offers {offered}; raise the offer or lower the limits"
    )]
    Price { offered: NanoMeshx, needed: NanoMeshx },
    #[error(
        "deadline {deadline} is not {least} to {max} blocks after {now}: a draw, the wall-clock limit and the reveals must fit in"
    )]
    Deadline { deadline: Height, now: Height, least: u64, max: u64 },
    #[error(
        "the job was made for another execution profile than this network runs; rebuild the request with this version"
    )]
    Profile,
    #[error("the module has {asked} bytes, more than the {max} that a job may have")]
    Module { asked: u64, max: u64 },
    #[error(
        "wall-clock limit {asked} ms is outside {least} to {max}, for a slow machine may need {least} ms for the fuel"
    )]
    Wall { asked: u64, least: u64, max: u64 },
}

/// Longest wall-clock limit a job may ask for: an hour.
const WALL_MS_MAX: u64 = 3_600_000;

/// Check a submission against the network's rules at height `now` and at this `demand`.
///
/// # Errors
/// The first rule it breaks, as [`Unacceptable`].
pub fn check(
    submission: &Submission,
    demand: Ppm,
    params: &Params,
    now: Height,
) -> Result<(), Unacceptable> {
    let Submission { spec, agreement, price_max: offered, deadline, .. } = submission;
    let (replicas, agree) = (agreement.replicas, agreement.agree);
    if replicas == 0
        || usize::from(replicas) > REPLICAS_MAX
        || agree > replicas
        // Not more than half: two outcomes could both have enough workers, and none would be the job's.
        || u16::from(agree) * 2 <= u16::from(replicas)
    {
        return Err(Unacceptable::Agreement { replicas, agree });
    }
    let limits = &spec.limits;
    if limits.fuel.get() == 0 || limits.fuel > params.fuel_max {
        return Err(Unacceptable::Fuel { asked: limits.fuel.get(), max: params.fuel_max.get() });
    }
    if limits.memory_bytes > params.memory_bytes_max {
        return Err(Unacceptable::Memory {
            asked: limits.memory_bytes,
            max: params.memory_bytes_max,
        });
    }
    if limits.output_bytes > params.output_bytes_max {
        return Err(Unacceptable::Output {
            asked: limits.output_bytes,
            max: params.output_bytes_max,
        });
    }
    // A limit that honest machines cannot keep would have them work for nothing.
    let slow = draw::core_time(spec, params).get().saturating_mul(params.wall_ratio.into());
    let (asked, least) = (limits.wall.get(), slow.clamp(1, WALL_MS_MAX));
    if !(least..=WALL_MS_MAX).contains(&asked) {
        return Err(Unacceptable::Wall { asked, least, max: WALL_MS_MAX });
    }
    // Its length buys time to compile it.
    if spec.module_len > MODULE_BYTES_MAX {
        return Err(Unacceptable::Module { asked: spec.module_len, max: MODULE_BYTES_MAX });
    }
    // Fuel means something within one engine, configuration and cost table only. Outcomes of two profiles never agree.
    let profile = match spec.float {
        Float::Strict => params.profile_strict,
        Float::ArchClass => params.profile_arch_class,
    };
    if spec.profile != profile {
        return Err(Unacceptable::Profile);
    }
    // No offer covers a price beyond what an amount can say.
    let needed = price_max(spec, agreement, demand, params).ok();
    if needed.is_none_or(|needed| *offered < needed) {
        let needed = needed.unwrap_or(NanoMeshx::new(u64::MAX));
        return Err(Unacceptable::Price { offered: *offered, needed });
    }
    let window = deadline.get().checked_sub(now.get());
    let (least, max) = (draw::least_blocks(spec, params), params.deadline_blocks_max);
    if !window.is_some_and(|blocks| (least..=max).contains(&blocks)) {
        return Err(Unacceptable::Deadline { deadline: *deadline, now, least, max });
    }
    Ok(())
}
