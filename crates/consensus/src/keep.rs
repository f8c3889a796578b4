//! How much of a chain's past a validator keeps on its disk.

use std::num::NonZeroU64;

/// What is older than this is pruned, now and then and by whole files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Final blocks: for peers that fetch them, and for receipts, which show what workers said in them.
    pub blocks: usize,
    /// Blocks whose states peers may still fetch.
    pub states: usize,
}

impl Keep {
    /// Of a validator on a network: at two blocks a second, about three hours.
    pub const NETWORK: Self = Self { blocks: 20_000, states: 1_000 };
    /// Of the validator whose chain people see, on a mesh in one process: 25 minutes of a busy chain, two and a half hours
    /// of one that rests.
    pub const SHOWN: Self = Self { blocks: 3_000, states: 256 };
    /// Of the others there. Nobody asks them.
    pub const BESIDE: Self = Self { blocks: 0, states: 256 };

    /// Final blocks to keep where a committee sits for so many: one that starts again reads its committee from the last
    /// block of the term before, and the engine asks that a state that is kept has its block.
    pub(crate) fn blocks_with(self, term_blocks: NonZeroU64) -> usize {
        let term = usize::try_from(term_blocks.get()).unwrap_or(usize::MAX);
        self.blocks.max(self.states).max(term.saturating_add(term / 2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_block_of_the_term_before_is_always_kept() {
        for (keep, term, blocks) in [
            (Keep::NETWORK, 7_200, 20_000),
            (Keep::NETWORK, 100_000, 150_000),
            (Keep::BESIDE, 600, 900),
            (Keep::BESIDE, 32, 256),
            (Keep::BESIDE, u64::MAX, usize::MAX),
        ] {
            assert_eq!(keep.blocks_with(NonZeroU64::new(term).unwrap()), blocks);
        }
    }
}
