//! Numbers that look random and come again with the same seed (splitmix64).

/// A stream of numbers.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The stream of `seed`; the same seed gives the same numbers.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A stream of its own for the part or round called `name`, so that one part can be replayed alone.
    pub fn child(&self, name: &str) -> Self {
        Self(name.bytes().fold(self.0 ^ 0x6D65_7368, |state, byte| mix(state ^ u64::from(byte))))
    }

    /// The next number; all 2⁶⁴ are equally likely.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// Below `end`; 0 if that is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.draw() % end.max(1)
    }

    /// From `from` up to, but not including, `to`; `from` if there is nothing between.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to.saturating_sub(from))
    }

    /// One of `items`.
    ///
    /// # Panics
    /// If there are none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }
}

/// Every bit of the result depends on every bit of `value`.
pub const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn the_same_seed_and_name_give_the_same_numbers() {
        let numbers = |name: &str| {
            let mut random = Random::new(7).child(name);
            [random.draw(), random.draw(), random.below(10)]
        };
        assert_eq!(numbers("kills"), numbers("kills"));
        assert_ne!(numbers("kills"), numbers("flips"));
    }
}
