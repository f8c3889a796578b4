//! The price of what was metered: four resources, four multipliers, one rounding.

use super::{Multipliers, wide::Wide};
use types::{NanoMeshx, Rates, Usage};

/// Metered units that cost one base rate: µs in a second; kB·µs in a GB·second; kB·s in a GB·hour;
/// bytes in a GB. All divide [`COMMON`].
const PER_RATE: [u64; 4] = [1_000_000, 1_000_000_000_000, 3_600_000_000, 1_000_000_000];

/// The least common multiple of [`PER_RATE`].
const COMMON: u64 = 9_000_000_000_000;

/// Parts of one, in a [`types::Ppm`].
const MILLION: u64 = 1_000_000;

/// Why something has no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum Unpriceable {
    #[error("the price is more MESHX than can exist")]
    TooMuch,
    #[error("the provider asks for at least {floor} MESHX, but at most {cap} is offered")]
    FloorAboveCap { floor: NanoMeshx, cap: NanoMeshx },
}

impl Unpriceable {
    /// The name of this refusal in the API.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooMuch => "price_too_much",
            Self::FloorAboveCap { .. } => "floor_above_cap",
        }
    }
}

/// ⌈(Σ usage·rate) · demand · location · TEE · reputation⌉, rounded up once, at the very end.
///
/// # Errors
/// [`Unpriceable::TooMuch`] if that is more than a u64 of nano holds; nothing before overflows.
pub fn price(
    usage: &Usage,
    rates: &Rates,
    multipliers: &Multipliers,
) -> Result<NanoMeshx, Unpriceable> {
    exact(usage, rates, multipliers)
        .map(|exact| [MILLION; 4].into_iter().fold(exact.div_ceil(COMMON), Wide::div_ceil))
        .and_then(Wide::get)
        .map(NanoMeshx::new)
        .ok_or(Unpriceable::TooMuch)
}

/// The price in nano, times [`COMMON`], times a million per multiplier: at most 2^292.
fn exact(usage: &Usage, rates: &Rates, multipliers: &Multipliers) -> Option<Wide> {
    let used = [usage.core_us, usage.ram_kb_us, usage.storage_kb_s, usage.bandwidth_bytes];
    let Rates { core_second, ram_gb_second, storage_gb_hour, bandwidth_gb } = *rates;
    let rates = [core_second, ram_gb_second, storage_gb_hour, bandwidth_gb];
    let mut sum = Wide::default();
    for ((used, rate), per_rate) in used.into_iter().zip(rates).zip(PER_RATE) {
        let part = Wide::new(used).checked_mul(rate.get())?.checked_mul(COMMON / per_rate)?;
        sum = sum.checked_add(part)?;
    }
    multipliers.each().into_iter().try_fold(sum, |sum, by| sum.checked_mul(u64::from(by.get())))
}

/// What is paid to a provider with a floor: `price` or `floor`, whichever is more, but never above
/// `cap`, which is all that the payer agreed to.
///
/// # Errors
/// [`Unpriceable::FloorAboveCap`]: this provider does not take this job.
pub fn agreed(
    price: NanoMeshx,
    floor: NanoMeshx,
    cap: NanoMeshx,
) -> Result<NanoMeshx, Unpriceable> {
    if floor > cap {
        return Err(Unpriceable::FloorAboveCap { floor, cap });
    }
    Ok(price.max(floor).min(cap))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::{LOCATION_MAX, reputation, tee};
    use proptest::prelude::*;
    use types::{Ppm, Tee};

    fn usage(core_us: u64, ram_kb_us: u64, storage_kb_s: u64, bandwidth_bytes: u64) -> Usage {
        Usage { core_us, ram_kb_us, storage_kb_s, bandwidth_bytes }
    }
    fn plain(usage: Usage) -> String {
        price(&usage, &Rates::PAPER, &Multipliers::ONE).unwrap().to_string()
    }

    #[test]
    fn one_of_each_costs_what_the_paper_says() {
        let (giga, tera) = (1_000_000_000, 1_000_000_000_000);
        assert_eq!(plain(usage(1_000_000, 0, 0, 0)), "0.001");
        assert_eq!(plain(usage(0, tera, 0, 0)), "0.0001");
        assert_eq!(plain(usage(0, 0, 3_600_000_000, 0)), "0.00001");
        assert_eq!(plain(usage(0, 0, 0, giga)), "0.0001");
        assert_eq!(plain(usage(1_000_000, tera, 3_600_000_000, giga)), "0.00121");
        assert_eq!(plain(usage(0, 0, 0, 0)), "0");
    }

    #[test]
    fn four_fractions_of_a_nano_round_up_once() {
        // A byte and a kB·ms are each 1/10,000 of a nano.
        assert_eq!(plain(usage(0, 5_000_000, 0, 5_000)), "0.000000001");
        assert_eq!(plain(usage(0, 5_000_000, 0, 5_001)), "0.000000002");
        assert_eq!(plain(usage(0, 0, 1, 0)), "0.000000001");
    }

    #[test]
    fn every_multiplier_counts() {
        let multipliers = Multipliers {
            demand: Ppm::new(2_000_000),
            location: LOCATION_MAX,
            tee: tee(Tee::ConfidentialVm),
            reputation: reputation(10_000).unwrap(),
        };
        let priced = price(&usage(1_000_000, 0, 0, 0), &Rates::PAPER, &multipliers).unwrap();
        assert_eq!(priced.to_string(), "0.0054");
    }

    #[test]
    fn the_largest_of_everything_is_refused_and_does_not_overflow() {
        let (all, top) = (u64::MAX, Ppm::new(u32::MAX));
        let rate = NanoMeshx::new(all);
        let rates = Rates {
            core_second: rate,
            ram_gb_second: rate,
            storage_gb_hour: rate,
            bandwidth_gb: rate,
        };
        let most = Multipliers { demand: top, location: top, tee: top, reputation: top };
        let full = usage(all, all, all, all);
        assert!(exact(&full, &rates, &most).is_some());
        assert_eq!(price(&full, &rates, &most), Err(Unpriceable::TooMuch));
        let edge = Rates { core_second: NanoMeshx::new(1_000_000), ..Rates::PAPER };
        let priced = |rates| price(&usage(all, 0, 0, 0), rates, &Multipliers::ONE);
        assert_eq!(priced(&edge), Ok(NanoMeshx::new(all)));
        let beyond = Rates { core_second: NanoMeshx::new(1_000_001), ..edge };
        assert_eq!(priced(&beyond), Err(Unpriceable::TooMuch));
    }

    #[test]
    fn a_floor_lifts_a_price_and_a_cap_holds_it() {
        let nano = NanoMeshx::new;
        let agreed = |price, floor, cap| agreed(nano(price), nano(floor), nano(cap));
        assert_eq!(agreed(5, 3, 9), Ok(nano(5)));
        assert_eq!(agreed(5, 7, 9), Ok(nano(7)));
        assert_eq!(agreed(50, 7, 9), Ok(nano(9)));
        let refused = Unpriceable::FloorAboveCap { floor: nano(10), cap: nano(9) };
        assert_eq!(agreed(5, 10, 9), Err(refused));
    }

    fn any_usage() -> impl Strategy<Value = Usage> {
        any::<[u64; 4]>().prop_map(|[a, b, c, d]| usage(a, b, c, d))
    }

    proptest! {
        /// In u128, with what fits there: the numbers of jobs a person would run.
        #[test]
        fn equals_the_formula(used in prop::array::uniform4(0..1_000_000_000_000_u64), demand in 1..100_000_000_u32) {
            let multipliers = Multipliers { demand: Ppm::new(demand), ..Multipliers::ONE };
            let priced = price(&usage(used[0], used[1], used[2], used[3]), &Rates::PAPER, &multipliers);
            let [a, b, c, d] = used.map(u128::from);
            // Times 9·10^12, as above, at the paper's rates.
            let sum = a * 9_000_000_000_000 + b * 900_000 + c * 25_000_000 + d * 900_000_000;
            let same = (sum * u128::from(demand)).div_ceil(9_000_000_000_000_000_000);
            prop_assert_eq!(priced.ok().map(|p| u128::from(p.get())), Some(same).filter(|p| *p <= u128::from(u64::MAX)));
        }

        #[test]
        fn more_use_never_costs_less(one in any_usage(), more in any_usage(), demand: u32) {
            let multipliers = Multipliers { demand: Ppm::new(demand), ..Multipliers::ONE };
            let sum = usage(
                one.core_us.saturating_add(more.core_us),
                one.ram_kb_us.saturating_add(more.ram_kb_us),
                one.storage_kb_s.saturating_add(more.storage_kb_s),
                one.bandwidth_bytes.saturating_add(more.bandwidth_bytes),
            );
            let priced = |usage| price(usage, &Rates::PAPER, &multipliers);
            match (priced(&one), priced(&sum)) {
                (Ok(less), Ok(most)) => prop_assert!(less <= most),
                (less, most) => prop_assert!(less.is_ok() || most.is_err()),
            }
        }

        #[test]
        fn what_is_agreed_is_within_floor_and_cap(price: u64, floor: u64, cap: u64) {
            let nano = NanoMeshx::new;
            match agreed(nano(price), nano(floor), nano(cap)) {
                Ok(paid) => prop_assert!(floor <= paid.get() && paid.get() <= cap),
                Err(_) => prop_assert!(floor > cap),
            }
        }
    }
}
