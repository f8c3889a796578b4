//! Which parameters make sense together.

use crate::Refusal;
use types::{NanoMeshx, staking::StakingParams};

/// The whole, in basis points.
pub(crate) const BPS: u16 = 10_000;

/// What every rule here relies on. Genesis and governance ask before they set `params`.
///
/// # Errors
/// [`Refusal::BadParams`] with what is wrong.
pub fn check_params(params: &StakingParams) -> Result<(), Refusal> {
    let bad = |what| Err(Refusal::BadParams(what));
    if params.delegator_min == NanoMeshx::ZERO {
        return bad("delegator_min is zero: dust could be delegated");
    }
    if params.validator_min < params.delegator_min {
        return bad("validator_min is below delegator_min");
    }
    if params.unbonding_ms.get() == 0 {
        return bad("unbonding_ms is zero: no equivocation proof would be in time");
    }
    if params.slash_bps == 0 || params.slash_bps > BPS {
        return bad("slash_bps is not within 1 to 10,000");
    }
    if params.commission_max_bps > BPS {
        return bad("commission_max_bps is above 10,000");
    }
    if params.validators_max == 0 {
        return bad("validators_max is zero: nobody would make blocks");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::Millis;

    const GOOD: StakingParams = StakingParams {
        validator_min: NanoMeshx::new(100),
        delegator_min: NanoMeshx::new(100),
        unbonding_ms: Millis::new(1),
        slash_bps: BPS,
        commission_max_bps: BPS,
        jail_ms: Millis::ZERO,
        validators_max: 1,
    };

    #[test]
    fn each_parameter_has_its_bounds() {
        assert_eq!(check_params(&GOOD), Ok(()));
        for bad in [
            StakingParams { delegator_min: NanoMeshx::ZERO, ..GOOD },
            StakingParams { validator_min: NanoMeshx::new(99), ..GOOD },
            StakingParams { unbonding_ms: Millis::ZERO, ..GOOD },
            StakingParams { slash_bps: 0, ..GOOD },
            StakingParams { slash_bps: BPS + 1, ..GOOD },
            StakingParams { commission_max_bps: BPS + 1, ..GOOD },
            StakingParams { validators_max: 0, ..GOOD },
        ] {
            assert!(matches!(check_params(&bad), Err(Refusal::BadParams(_))), "{bad:?}");
        }
    }
}
