//! Products of two 128-bit numbers, divided again: no intermediate is too wide.

/// ⌊a·b / divisor⌋, or `None` if that is beyond 128 bits or `divisor` is zero.
pub(crate) fn mul_div_floor(a: u128, b: u128, divisor: u128) -> Option<u128> {
    Some(mul_div(a, b, divisor)?.0)
}

/// ⌈a·b / divisor⌉, likewise.
pub(crate) fn mul_div_ceil(a: u128, b: u128, divisor: u128) -> Option<u128> {
    let (quotient, rest) = mul_div(a, b, divisor)?;
    if rest == 0 { Some(quotient) } else { quotient.checked_add(1) }
}

/// The 256-bit a·b as (high, low).
pub(crate) fn mul(a: u128, b: u128) -> (u128, u128) {
    const LOW: u128 = u64::MAX as u128;
    let (a1, a0, b1, b0) = (a >> 64, a & LOW, b >> 64, b & LOW);
    let (low, middle, other, high) = (a0 * b0, a1 * b0, a0 * b1, a1 * b1);
    let carried = (low >> 64) + (middle & LOW) + (other & LOW);
    (high + (middle >> 64) + (other >> 64) + (carried >> 64), (carried << 64) | (low & LOW))
}

fn mul_div(a: u128, b: u128, divisor: u128) -> Option<(u128, u128)> {
    let (high, low) = mul(a, b);
    if divisor <= high {
        return None;
    }
    if high == 0 {
        return Some((low / divisor, low % divisor));
    }
    let (mut rest, mut quotient) = (high, 0_u128);
    for bit in (0..128).rev() {
        let overflows = rest >> 127 == 1;
        rest = (rest << 1) | (low >> bit & 1);
        quotient <<= 1;
        if overflows || rest >= divisor {
            rest = rest.wrapping_sub(divisor);
            quotient |= 1;
        }
    }
    Some((quotient, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigUint;
    use proptest::prelude::*;

    #[test]
    fn division_by_zero_is_no_answer() {
        assert_eq!(mul_div(0, 0, 0), None);
        assert_eq!(mul_div(u128::MAX, u128::MAX, 1), None);
        assert_eq!(mul_div(u128::MAX, u128::MAX, u128::MAX), Some((u128::MAX, 0)));
    }

    fn number() -> impl Strategy<Value = u128> {
        (any::<u128>(), 0_u32..128).prop_map(|(n, shift)| n >> shift)
    }

    proptest! {
        #[test]
        fn says_what_big_integers_say(a in number(), b in number(), divisor in number()) {
            prop_assume!(divisor != 0);
            let product = BigUint::from(a) * b;
            let (high, low) = mul(a, b);
            prop_assert_eq!((BigUint::from(high) << 128_u32) + low, product.clone());
            let quotient = &product / divisor;
            let expected = u128::try_from(&quotient).ok();
            prop_assert_eq!(mul_div_floor(a, b, divisor), expected);
            let up = if &quotient * divisor == product { quotient } else { quotient + 1_u32 };
            prop_assert_eq!(mul_div_ceil(a, b, divisor), u128::try_from(&up).ok());
        }
    }
}
