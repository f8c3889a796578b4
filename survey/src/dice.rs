//! Chance that comes out the same on every machine and in every version.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng as _, SeedableRng as _},
};

pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number below `sides`, which is not 0.
    pub fn below(&mut self, sides: usize) -> usize {
        // The bias is below 2⁻⁴⁰ for all that is thrown here.
        (self.0.next_u64() % sides as u64) as usize
    }

    pub fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// Which of `count` are chosen, when `chosen` are.
    pub fn choose(&mut self, chosen: usize, count: usize) -> Vec<bool> {
        let mut order: Vec<usize> = (0..count).collect();
        let mut marks = vec![false; count];
        for index in 0..chosen.min(count) {
            let other = index + self.below(count - index);
            order.swap(index, other);
            marks[order[index]] = true;
        }
        marks
    }
}
