//! How busy this node is with handshakes, and what that costs new peers.

use network::ik::PUZZLE_BITS_MAX;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// So many handshakes at once are no load.
const UNPRESSED: usize = 64;
/// Four thousand hashes: about what a handshake costs the side that is dialled.
const FIRST_BITS: u8 = 12;

/// Handshakes in progress that others began.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pressure(Arc<AtomicUsize>);

/// One of them. It counts until this is dropped.
pub(crate) struct Pressing(Pressure);

impl Pressure {
    /// One more; and how many bits of work it has to do first.
    pub(crate) fn one_more(&self) -> (Pressing, u8) {
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        (Pressing(self.clone()), bits(before))
    }
}

impl Drop for Pressing {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Twice as many at once cost four times the work.
fn bits(at_once: usize) -> u8 {
    match (at_once / UNPRESSED).checked_ilog2() {
        None => 0,
        Some(doublings) => {
            let doublings = u8::try_from(doublings).unwrap_or(u8::MAX);
            FIRST_BITS.saturating_add(doublings.saturating_mul(2)).min(PUZZLE_BITS_MAX)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_asked_for_under_load_only() {
        assert_eq!([0, 1, 63].map(bits), [0; 3]);
        assert_eq!(
            [64, 127, 128, 256, 511, 512, usize::MAX].map(bits),
            [12, 12, 14, 16, 16, 18, 18]
        );
    }

    #[test]
    fn whoever_is_done_presses_no_longer() {
        let pressure = Pressure::default();
        let crowd: Vec<_> = (0..70).map(|_| pressure.one_more()).collect();
        assert_eq!((crowd[63].1, crowd[64].1), (0, 12));
        drop(crowd);
        assert_eq!(pressure.one_more().1, 0);
    }
}
