//! Vesting: money that becomes its owner's in proportion to time, after a cliff.

use types::{Height, NanoMeshx, Vesting};

/// Why vesting refused. A refusal changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum VestingRefusal {
    #[error("a vesting must last at least one block")]
    NoLength,
    #[error("the cliff of {cliff} blocks is longer than the vesting of {length}")]
    CliffBeyondEnd { cliff: u64, length: u64 },
    #[error("{vested} MESHX have vested and {claimed} were claimed; that leaves less than {asked}")]
    NotYet { vested: NanoMeshx, claimed: NanoMeshx, asked: NanoMeshx },
}

impl VestingRefusal {
    /// The name of this refusal in the API.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoLength => "no_length",
            Self::CliffBeyondEnd { .. } => "cliff_beyond_end",
            Self::NotYet { .. } => "not_yet_vested",
        }
    }
}

/// Whether `vesting` can be followed; genesis and governance ask before they store one.
///
/// # Errors
/// [`VestingRefusal::NoLength`] or [`VestingRefusal::CliffBeyondEnd`].
pub fn check_vesting(vesting: &Vesting) -> Result<(), VestingRefusal> {
    let (cliff, length) = (vesting.cliff_blocks, vesting.length_blocks);
    match length {
        0 => Err(VestingRefusal::NoLength),
        _ if cliff > length => Err(VestingRefusal::CliffBeyondEnd { cliff, length }),
        _ => Ok(()),
    }
}

/// What has vested at `now`: nothing before the cliff, then total·elapsed/length rounded down, and
/// from the last block on everything, so the remainder of rounding vests at the end.
pub fn vested(vesting: &Vesting, now: Height) -> NanoMeshx {
    let Some(elapsed) = now.checked_sub(vesting.start).map(Height::get) else {
        return NanoMeshx::ZERO;
    };
    if elapsed < vesting.cliff_blocks {
        return NanoMeshx::ZERO;
    }
    if elapsed >= vesting.length_blocks {
        return vesting.total;
    }
    let part =
        u128::from(vesting.total.get()) * u128::from(elapsed) / u128::from(vesting.length_blocks);
    NanoMeshx::new(u64::try_from(part).expect("a part is at most the whole"))
}

/// Claim `asked` of what has vested, `claimed` having been taken before. Returns the new `claimed`.
///
/// # Errors
/// [`VestingRefusal::NotYet`] if less than that has vested and is still there.
pub fn claim(
    vesting: &Vesting,
    claimed: NanoMeshx,
    asked: NanoMeshx,
    now: Height,
) -> Result<NanoMeshx, VestingRefusal> {
    let vested = vested(vesting, now);
    claimed.checked_add(asked).filter(|after| *after <= vested).ok_or(VestingRefusal::NotYet {
        vested,
        claimed,
        asked,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use types::{Distribution, YEAR_BLOCKS};

    fn vesting(total: u64, start: u64, cliff_blocks: u64, length_blocks: u64) -> Vesting {
        let (total, start) = (NanoMeshx::new(total), Height::new(start));
        Vesting { total, start, cliff_blocks, length_blocks }
    }

    #[test]
    fn the_team_waits_a_year_and_has_everything_after_four() {
        let team = Vesting::team(Distribution::PAPER.team);
        let at = |height: u64| vested(&team, Height::new(height)).to_string();
        assert_eq!(at(YEAR_BLOCKS - 1), "0");
        assert_eq!(at(YEAR_BLOCKS), "375000000");
        assert_eq!(at(2 * YEAR_BLOCKS), "750000000");
        assert_eq!(at(4 * YEAR_BLOCKS - 1), "1499999994.054414003");
        assert_eq!(at(4 * YEAR_BLOCKS), "1500000000");
        assert_eq!(at(u64::MAX), "1500000000");
    }

    #[test]
    fn refuses_what_cannot_be_followed() {
        assert_eq!(check_vesting(&vesting(1, 0, 0, 0)), Err(VestingRefusal::NoLength));
        assert_eq!(check_vesting(&vesting(1, 0, 3, 3)), Ok(()));
        let (cliff, length) = (4, 3);
        assert_eq!(
            check_vesting(&vesting(1, 0, 4, 3)),
            Err(VestingRefusal::CliffBeyondEnd { cliff, length })
        );
    }

    #[test]
    fn a_claim_takes_what_has_vested_and_not_a_nano_more() {
        let (nano, now) = (NanoMeshx::new, Height::new(5));
        let half = vesting(10, 0, 0, 10);
        assert_eq!(claim(&half, nano(2), nano(3), now), Ok(nano(5)));
        for asked in [nano(4), nano(u64::MAX)] {
            let (vested, claimed) = (nano(5), nano(2));
            let refused = Err(VestingRefusal::NotYet { vested, claimed, asked });
            assert_eq!(claim(&half, claimed, asked, now), refused);
        }
    }

    proptest! {
        #[test]
        fn vests_nothing_early_everything_late_and_never_backwards(
            total: u64, start: u64, cliff: u64, length in 1..=u64::MAX, now: u64, later: u64,
        ) {
            let v = vesting(total, start, cliff.min(length), length);
            prop_assert_eq!(check_vesting(&v), Ok(()));
            let (now, later) = (now.min(later), now.max(later));
            let (first, then) = (vested(&v, Height::new(now)), vested(&v, Height::new(later)));
            prop_assert!(first <= then && then <= v.total);
            let elapsed = u128::from(now).saturating_sub(u128::from(start));
            if elapsed >= u128::from(length) {
                prop_assert_eq!(first, v.total);
            }
            if now < start || elapsed < u128::from(v.cliff_blocks) {
                prop_assert_eq!(first, NanoMeshx::ZERO);
            }
        }
    }
}
