//! Whole numbers of 320 bits: what a price needs between its first product and its only rounding.

/// Least significant limb first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wide([u64; 5]);

impl Wide {
    pub(super) const fn new(value: u64) -> Self {
        Self([value, 0, 0, 0, 0])
    }

    /// `None` beyond 320 bits.
    pub(super) fn checked_mul(self, by: u64) -> Option<Self> {
        let (mut product, mut carry) = ([0; 5], 0);
        for (limb, out) in self.0.into_iter().zip(&mut product) {
            let wide = u128::from(limb) * u128::from(by) + u128::from(carry);
            (*out, carry) = (low(wide), high(wide));
        }
        (carry == 0).then_some(Self(product))
    }

    /// `None` beyond 320 bits.
    pub(super) fn checked_add(self, other: Self) -> Option<Self> {
        let (mut sum, mut carry) = ([0; 5], 0);
        for ((left, right), out) in self.0.into_iter().zip(other.0).zip(&mut sum) {
            let wide = u128::from(left) + u128::from(right) + u128::from(carry);
            (*out, carry) = (low(wide), high(wide));
        }
        (carry == 0).then_some(Self(sum))
    }

    /// ⌈self / by⌉. Doing so by a and then by b is ⌈self / ab⌉: rounding up twice rounds up once.
    pub(super) fn div_ceil(self, by: u64) -> Self {
        let (mut quotient, mut rest) = ([0; 5], 0);
        for (limb, out) in self.0.into_iter().zip(&mut quotient).rev() {
            let wide = (u128::from(rest) << 64) | u128::from(limb);
            (*out, rest) = (low(wide / u128::from(by)), low(wide % u128::from(by)));
        }
        let up = Self::new(u64::from(rest > 0));
        Self(quotient).checked_add(up).expect("dividing by two or more makes room for one")
    }

    /// `None` beyond 64 bits.
    pub(super) fn get(self) -> Option<u64> {
        let [lowest, above @ ..] = self.0;
        (above == [0; 4]).then_some(lowest)
    }
}

fn low(wide: u128) -> u64 {
    u64::try_from(wide & u128::from(u64::MAX)).expect("64 bits remain")
}
fn high(wide: u128) -> u64 {
    u64::try_from(wide >> 64).expect("64 bits remain")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ends_at_320_bits() {
        let top = (0..4).try_fold(Wide::new(u64::MAX), |wide, _| wide.checked_mul(u64::MAX));
        assert!(top.unwrap().checked_mul(u64::MAX).is_none());
        assert!(Wide([u64::MAX; 5]).checked_add(Wide::new(1)).is_none());
        assert_eq!(Wide([u64::MAX; 5]).div_ceil(1), Wide([u64::MAX; 5]));
        assert_eq!(Wide([0, 1, 0, 0, 0]).get(), None);
    }

    proptest! {
        #[test]
        fn counts_as_u128_does(a: u64, b: u64, c: u64, by in 1..=u64::MAX) {
            let wide = Wide::new(a).checked_mul(b).unwrap().checked_add(Wide::new(c)).unwrap();
            let same = (u128::from(a) * u128::from(b)).checked_add(u128::from(c)).unwrap();
            let quotient = same.div_ceil(u128::from(by));
            prop_assert_eq!(wide.div_ceil(by), Wide([low(quotient), high(quotient), 0, 0, 0]));
        }

        #[test]
        fn a_product_divides_back_into_its_factor(a: u64, by in prop::array::uniform4(1..=u64::MAX)) {
            let product = by.iter().try_fold(Wide::new(a), |wide, by| wide.checked_mul(*by)).unwrap();
            let back = by.iter().fold(product, |wide, by| wide.div_ceil(*by));
            prop_assert_eq!(back.get(), Some(a));
        }
    }
}
