//! The earth as a sphere, in integers: places, directions, distances. The same bits on every machine.
//!
//! Angles of places are ten-thousandths of a degree, directions have coordinates in Q30 (2³⁰ is one), distances are in
//! metres. Sines come from their series in Q60, whose error is below 2⁻⁵⁰, so that what is rounded to Q30 is as good as
//! a table of it (ADR 14).

use std::sync::OnceLock;
use types::Place;

/// Ten-thousandths of a degree in a quarter circle.
const QUARTER: i64 = 900_000;
const Q60: u32 = 60;
const ONE: i128 = 1 << Q60;
/// π in Q60, rounded to nearest.
const PI: i128 = 3_622_009_729_038_561_421;
/// Mean radius of the earth in decimetres: 6,371,008.8 m (IUGG).
const RADIUS_DM: i128 = 63_710_088;
/// Whole kilometres half around the earth.
const ANTIPODE_KM: u32 = 20_015;

/// A unit vector from the middle of the earth, Q30.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Direction(pub [i32; 3]);

impl Direction {
    /// The direction of `place` from the centre of the earth.
    #[must_use]
    pub fn of_place(place: Place) -> Self {
        let (lat, lon) = (i64::from(place.lat()), i64::from(place.lon()));
        let flat = cos(lat);
        let along = |part: i128| q30((flat * part) >> Q60);
        Self([along(cos(lon)), along(sin(lon)), q30(sin(lat))])
    }

    /// The cosine of the angle between two directions, Q60.
    #[must_use]
    pub fn dot(&self, other: &Self) -> i64 {
        let ([a, b, c], [x, y, z]) = (self.0, other.0);
        i64::from(a) * i64::from(x) + i64::from(b) * i64::from(y) + i64::from(c) * i64::from(z)
    }

    /// Kilometres between two places, rounded down.
    #[must_use]
    pub fn km(&self, other: &Self) -> u32 {
        let cosines = cosines_of_km();
        let dot = self.dot(other);
        // The cosines fall; the last that is not below is the whole kilometre.
        let above = cosines.partition_point(|cosine| *cosine >= dot);
        u32::try_from(above.saturating_sub(1)).expect("a few thousand kilometres")
    }

    /// The direction of a vector of any length but zero.
    #[must_use]
    pub fn of([x, y, z]: [i128; 3]) -> Option<Self> {
        // Small enough that squares fit, long enough that nothing is lost.
        let most = x.unsigned_abs().max(y.unsigned_abs()).max(z.unsigned_abs());
        let excess = (128 - most.leading_zeros()).saturating_sub(50);
        let [x, y, z] = [x >> excess, y >> excess, z >> excess];
        let length = i128::try_from((x * x + y * y + z * z).unsigned_abs().isqrt()).ok()?;
        if length == 0 {
            return None;
        }
        let part = |value: i128| i32::try_from((value << 30) / length).expect("at most one");
        Some(Self([part(x), part(y), part(z)]))
    }

    /// The place there, to ten-thousandths of a degree, by halving.
    #[must_use]
    pub fn place(&self) -> Place {
        let [x, y, z] = self.0.map(i128::from);
        // The greatest latitude whose sine is not above z.
        let lat = greatest(-QUARTER, QUARTER, |lat| i128::from(q30(sin(lat))) <= z);
        let flat = i128::try_from((x * x + y * y).unsigned_abs().isqrt()).expect("at most one");
        let half = greatest(0, 2 * QUARTER, |lon| cos(lon) * flat >= (x << Q60));
        let lon = if y < 0 { -half } else { half };
        let lon = if lon >= 2 * QUARTER { -2 * QUARTER } else { lon };
        let small = |angle: i64| i32::try_from(angle).expect("within a circle");
        Place::new(small(lat), small(lon)).expect("within its ranges")
    }
}

/// The greatest number from `low` to `high` that holds, of numbers of which all below it hold; `low` if none does.
fn greatest(mut low: i64, mut high: i64, holds: impl Fn(i64) -> bool) -> i64 {
    while low < high {
        let middle = (low + high + 1).div_euclid(2);
        if holds(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

/// The cosine of the angle that so many kilometres along the earth's surface make, Q60; less than any cosine from the
/// antipode on, so that nothing is further away.
#[must_use]
pub fn cosine_of_km(km: u32) -> i64 {
    let found = usize::try_from(km).ok().and_then(|km| cosines_of_km().get(km));
    found.copied().unwrap_or(i64::MIN)
}

/// Cosines of whole kilometres, Q60.
fn cosines_of_km() -> &'static [i64] {
    static TABLE: OnceLock<Vec<i64>> = OnceLock::new();
    TABLE.get_or_init(|| {
        (0..=ANTIPODE_KM)
            .map(|km| {
                let angle = (i128::from(km) * 10_000 * ONE) / RADIUS_DM;
                i64::try_from(cosine(angle)).expect("at most one")
            })
            .collect()
    })
}

/// Of an angle in ten-thousandths of a degree, Q60.
fn sin(angle: i64) -> i128 {
    let angle = (angle + 2 * QUARTER).rem_euclid(4 * QUARTER) - 2 * QUARTER;
    // Beyond a quarter the sine is that of what is left to the half.
    let angle = match angle {
        above if above > QUARTER => 2 * QUARTER - above,
        below if below < -QUARTER => -2 * QUARTER - below,
        within => within,
    };
    sine(i128::from(angle) * PI / i128::from(2 * QUARTER))
}

fn cos(angle: i64) -> i128 {
    sin(angle + QUARTER)
}

/// Of 0 to π, Q60.
fn cosine(angle: i128) -> i128 {
    sine(PI / 2 - angle)
}

/// Of −π/2 to π/2, Q60, by its series: the first term left out is below 2⁻⁶⁰.
fn sine(angle: i128) -> i128 {
    let square = (angle * angle) >> Q60;
    let (mut term, mut sum) = (angle, angle);
    for n in 1..=13_i128 {
        term = -((term * square) >> Q60) / (2 * n * (2 * n + 1));
        sum += term;
    }
    sum.clamp(-ONE, ONE)
}

/// Q60 to Q30, to nearest.
fn q30(value: i128) -> i32 {
    i32::try_from((value + (1 << 29)) >> 30).expect("at most one")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        text.parse().unwrap()
    }

    #[test]
    fn known_angles_have_known_sines() {
        let half = ONE / 2;
        for (angle, wanted) in [
            (0, 0),
            (300_000, half),
            (QUARTER, ONE),
            (1_500_000, half),
            (1_800_000, 0),
            (-300_000, -half),
            (-QUARTER, -ONE),
            (3_900_000, half),
        ] {
            assert!((sin(angle) - wanted).abs() < 1 << 8, "{angle}: {}", sin(angle) - wanted);
        }
        for angle in (-1_800_000..1_800_000).step_by(7_919) {
            let (s, c) = (sin(angle), cos(angle));
            let one = (s * s + c * c) >> Q60;
            assert!((one - ONE).abs() < 1 << 10, "{angle}: {}", one - ONE);
        }
    }

    #[test]
    fn distances_are_those_of_the_atlas() {
        // City pairs by the great circle on a sphere of this radius, from their coordinates.
        for (a, b, km) in [
            ("52.52,13.405", "48.8566,2.3522", 877),
            ("40.7128,-74.006", "51.5074,-0.1278", 5_570),
            ("-33.8688,151.2093", "35.6762,139.6503", 7_825),
            ("90,0", "-90,0", 20_015),
            ("0,0", "0,0.0001", 0),
            ("0,179.9", "0,-179.9", 22),
        ] {
            assert_eq!(
                Direction::of_place(place(a)).km(&Direction::of_place(place(b))),
                km,
                "{a} to {b}"
            );
        }
    }

    #[test]
    fn a_place_comes_back_from_its_direction() {
        for lat in (-899_000..=899_000).step_by(31_013) {
            for lon in (-1_800_000..1_800_000).step_by(44_987) {
                let there = Place::new(lat, lon).unwrap();
                let back = Direction::of_place(there).place();
                // Q30 knows a thousandth of a degree beside the poles, and less elsewhere.
                assert!(
                    Direction::of_place(there).km(&Direction::of_place(back)) == 0,
                    "{there} came back as {back}"
                );
            }
        }
    }
}
