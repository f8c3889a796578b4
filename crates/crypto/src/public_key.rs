//! Public keys we refuse before looking at any signature.
//!
//! ZIP-215 accepts every encoding of every point. Two kinds of key are of no honest use, and each
//! invites a trick: under a key of small order one signature fits every message, and a second
//! encoding of the same key is a second account for the same person.

use crate::bad_signature::BadSignature;

/// The y-coordinates, sign bit cleared, of all points whose order divides 8.
const SMALL_ORDER_Y: [[u8; 32]; 5] = {
    let mut one = [0; 32];
    one[0] = 1;
    let mut minus_one = [0xff; 32];
    minus_one[0] = 0xec;
    minus_one[31] = 0x7f;
    [
        [0; 32],
        one,
        minus_one,
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef,
            0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88,
            0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10,
            0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77,
            0x92, 0xac, 0x03, 0x7a,
        ],
    ]
};

/// Whether `public` is a key we would ever verify under, from its bytes alone.
///
/// Whether the bytes are a point at all is found out while verifying. Comparing bytes is enough for
/// the rest: a canonical y below p has one encoding per sign, except x = 0, whose only points
/// (0, 1) and (0, -1) are of small order anyway.
pub(crate) fn check(public: &[u8; 32]) -> Result<(), BadSignature> {
    let mut y = *public;
    y[31] &= 0x7f;
    // p = 2^255 - 19 is 0xed, 30 times 0xff, 0x7f in little-endian.
    if y[31] == 0x7f && y[1..31].iter().all(|&byte| byte == 0xff) && y[0] >= 0xed {
        return Err(BadSignature::KeyNotCanonical);
    }
    if SMALL_ORDER_Y.contains(&y) {
        return Err(BadSignature::KeySmallOrder);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use curve25519_dalek::{constants::EIGHT_TORSION, edwards::CompressedEdwardsY};

    /// What `check` must say, worked out with curve arithmetic; `None` if the bytes are no point.
    fn by_arithmetic(public: [u8; 32]) -> Option<bool> {
        let point = CompressedEdwardsY(public).decompress()?;
        Some(point.compress().0 == public && !point.is_small_order())
    }

    #[test]
    fn agrees_with_curve_arithmetic_at_every_edge() {
        // Both signs of every y within 40 of 0, of p and of 2^255, and of the torsion points.
        let mut near = [[0; 32], [0xff; 32]].to_vec();
        near.extend(EIGHT_TORSION.iter().map(|point| point.compress().0));
        let (mut keys, mut refused) = (0, 0);
        for base in near {
            for low in 0..=255 {
                for sign in [0, 0x80] {
                    let mut public = base;
                    public[0] = low;
                    public[31] = public[31] & 0x7f | sign;
                    if let Some(good) = by_arithmetic(public) {
                        assert_eq!(check(&public).is_ok(), good, "{}", hex::encode(public));
                        keys += 1;
                        refused += u32::from(!good);
                    }
                }
            }
        }
        assert!(keys > 1000 && refused > 25, "{keys} {refused}");
    }
}
