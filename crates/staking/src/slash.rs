//! Slashing: what a proven fault costs.

use crate::{Moment, Refusal, liable::part, position::moved};
use types::{
    Height, Millis, NanoMeshx,
    staking::{Fault, SLASHES_MAX, Slash, StakingParams, Standing, ValidatorRecord},
    state::{Destination, Transfer, pools},
};

/// A fault that was proved. The caller has checked the proof; fault and height name the offence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offence {
    /// What was done.
    pub fault: Fault,
    /// When it was done: stake that was there at this height answers for it.
    pub height: Height,
    /// The timestamp of the block at `height`, from the chain and not from the accuser.
    pub at: Millis,
}

/// Punish `validator`: burn a part of all stake behind it, rounded up, and put it in jail. Stake that left at the
/// offence or later pays when it is next touched; stake that came after the offence pays too, for it cannot be told apart
/// without a loop over delegators.
///
/// Double signing is for ever, and so is the [`SLASHES_MAX`]th fault.
///
/// # Errors
/// [`Refusal::AlreadyPunished`] for a proof of an offence in the log, [`Refusal::Tombstoned`] for any other of
/// a validator that is out already, [`Refusal::EquivocationTooOld`] from one unbonding period after the offence on,
/// [`Refusal::EquivocationFromFuture`].
pub fn slash(
    validator: &mut ValidatorRecord,
    offence: Offence,
    params: &StakingParams,
    now: Moment,
) -> Result<Vec<Transfer>, Refusal> {
    let Offence { fault, height, at } = offence;
    if validator.slashes.iter().any(|slash| (slash.fault, slash.height) == (fault, height)) {
        return Err(Refusal::AlreadyPunished { fault, height });
    }
    if validator.standing == Standing::Tombstoned {
        return Err(Refusal::Tombstoned);
    }
    if height > now.height || at > now.at {
        return Err(Refusal::EquivocationFromFuture { height });
    }
    let expired = at.saturating_add(params.unbonding_ms);
    if expired <= now.at {
        return Err(Refusal::EquivocationTooOld { at, expired });
    }
    let bps = params.slash_bps;
    let lost = part(u128::from(validator.tokens.get()), bps);
    let lost = NanoMeshx::new(u64::try_from(lost).expect("a part fits where all did"));
    validator
        .slashes
        .push(Slash { fault, height, bps })
        .expect("a validator that fills the log is tombstoned with the last entry");
    validator.tokens = validator.tokens.saturating_sub(lost);
    let last = fault == Fault::DoubleSigning || validator.slashes.len() == SLASHES_MAX;
    let jailed = now.at.saturating_add(params.jail_ms);
    validator.standing = match validator.standing {
        _ if last => Standing::Tombstoned,
        Standing::Jailed { until } => Standing::Jailed { until: until.max(jailed) },
        Standing::Active | Standing::Tombstoned => Standing::Jailed { until: jailed },
    };
    Ok(moved(pools::bonded(), Destination::Burned, lost))
}
