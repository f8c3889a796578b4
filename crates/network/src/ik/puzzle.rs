//! Work to be done before a handshake costs a busy responder anything: a BLAKE3 hashcash over a challenge and the first
//! message, so that neither can be done beforehand or used twice.
//!
//! ```text
//! dialler                       busy responder
//!   first message ────────────▶
//!                 ◀────────────  "MX?" ‖ bits ‖ challenge
//!   nonce         ────────────▶  one hash; then the handshake as ever
//! ```

use ring::rand::SystemRandom;

/// No answer is as short as this.
pub(super) const PUZZLE_BYTES: usize = 4 + CHALLENGE_BYTES;
const CHALLENGE_BYTES: usize = 32;
const MAGIC: [u8; 3] = *b"MX?";
/// The hardest puzzle that is solved: a quarter of a million hashes in the mean. A peer that asks for more is not dialled.
pub const PUZZLE_BITS_MAX: u8 = 18;
/// Hashes between two looks at what else is to be done.
pub(super) const AT_ONCE: u64 = 1_024;
const DOMAIN: &str = "meshx/handshake-puzzle/v1";

/// What a busy responder asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Puzzle {
    pub(super) bits: u8,
    pub(super) challenge: [u8; CHALLENGE_BYTES],
}

impl Puzzle {
    /// # Errors
    /// If the system has no randomness.
    pub(super) fn new(bits: u8) -> Result<Self, ring::error::Unspecified> {
        let challenge = ring::rand::generate::<[u8; CHALLENGE_BYTES]>(&SystemRandom::new())?;
        Ok(Self { bits, challenge: challenge.expose() })
    }

    pub(super) fn frame(&self) -> [u8; PUZZLE_BYTES] {
        let mut frame = [0; PUZZLE_BYTES];
        frame[..3].copy_from_slice(&MAGIC);
        frame[3] = self.bits;
        frame[4..].copy_from_slice(&self.challenge);
        frame
    }

    /// `None`: the frame is something else, an answer.
    pub(super) fn of(frame: &[u8]) -> Option<Self> {
        let frame: &[u8; PUZZLE_BYTES] = frame.try_into().ok()?;
        let (magic, rest) = frame.split_first_chunk::<3>()?;
        let (&bits, challenge) = rest.split_first()?;
        let challenge = challenge.try_into().ok()?;
        (*magic == MAGIC).then_some(Self { bits, challenge })
    }

    /// What nonces of this puzzle for `first` are hashed with.
    pub(super) fn work(&self, first: &[u8]) -> Work {
        let mut hasher = blake3::Hasher::new_derive_key(DOMAIN);
        hasher.update(&self.challenge).update(first);
        Work { key: *hasher.finalize().as_bytes(), bits: self.bits }
    }
}

/// One puzzle and one first message.
pub(super) struct Work {
    key: [u8; 32],
    bits: u8,
}

impl Work {
    pub(super) fn is_done_by(&self, nonce: u64) -> bool {
        let hash = blake3::keyed_hash(&self.key, &nonce.to_le_bytes());
        let head = hash.as_bytes().first_chunk().expect("32 bytes");
        u64::from_be_bytes(*head).leading_zeros() >= u32::from(self.bits)
    }

    /// A nonce that does it among `nonces`.
    pub(super) fn search(&self, mut nonces: std::ops::Range<u64>) -> Option<u64> {
        nonces.find(|nonce| self.is_done_by(*nonce))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn puzzle(bits: u8) -> Puzzle {
        Puzzle { bits, challenge: [7; CHALLENGE_BYTES] }
    }

    #[test]
    fn a_puzzle_survives_the_way_and_nothing_else_is_one() {
        let frame = puzzle(12).frame();
        assert_eq!(Puzzle::of(&frame), Some(puzzle(12)));
        assert_eq!(Puzzle::of(&frame[1..]), None);
        assert_eq!(Puzzle::of(&[0; PUZZLE_BYTES]), None);
        assert_eq!(Puzzle::of(&[]), None);
    }

    #[test]
    fn work_fits_one_challenge_and_one_message() {
        let nonce = puzzle(12).work(b"first").search(0..1 << 20).unwrap();
        assert!(puzzle(12).work(b"first").is_done_by(nonce));
        assert!(!puzzle(12).work(b"another").is_done_by(nonce));
        assert!(!Puzzle { challenge: [8; 32], ..puzzle(12) }.work(b"first").is_done_by(nonce));
    }

    #[test]
    fn each_bit_doubles_the_work() {
        let tries = |bits| -> u64 {
            let nonces = (0..64_u8).map(|seed| {
                puzzle(bits).work(&[seed]).search(0..1 << 20).expect("a million is enough")
            });
            nonces.map(|nonce| nonce + 1).sum()
        };
        let (six, nine) = (tries(6), tries(9));
        assert!((64 * 40..64 * 100).contains(&six), "{six}");
        assert!(nine > 4 * six && nine < 16 * six, "{six} {nine}");
        assert_eq!(tries(0), 64);
    }
}
