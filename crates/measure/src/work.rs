//! Work: a chain of hashes that takes its time wherever it is done, and shows a longer way by what it takes more.
//!
//! A key that answers probes from where it should be, while the machine that works is elsewhere, has to send each item
//! there and its result back. The answer then comes a round trip later than the quickest probe and the work itself.

use crate::Nonce;

/// Most items of a session.
pub const WORKS_MAX: u8 = 4;
/// Most rounds of an item: some 20 ms of one core, so that what 96 witnesses may ask of a prover is below 8 s.
pub const WORK_ROUNDS_MAX: u32 = 1 << 18;

/// What a witness asks after its probes, and how soon it wants the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkRule {
    /// Items, at most [`WORKS_MAX`]. The quickest counts.
    pub count: u8,
    /// Hashes of an item one after the other, at most [`WORK_ROUNDS_MAX`].
    pub rounds: u32,
    /// Microseconds for the work and all that delays it on a machine; less than a proxy's round trip, or it shows
    /// nothing.
    pub allowance_us: u32,
}

impl WorkRule {
    /// Is it within its bounds? A prover does nothing beyond them.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.count <= WORKS_MAX && self.rounds <= WORK_ROUNDS_MAX
    }
}

/// BLAKE3 of the nonce, and of that, `rounds` times. Nothing of it can be done before the nonce is known, nor side by side.
pub(crate) fn result(nonce: &Nonce, rounds: u32) -> [u8; 32] {
    let mut value = blake3::derive_key("meshx/measure/work-item/v1", nonce);
    for _ in 0..rounds {
        value = *blake3::hash(&value).as_bytes();
    }
    value
}

/// Did the answer to work come as soon as from where probes are answered? Microseconds, by one clock. An answer from
/// before its question is none.
#[must_use]
pub const fn answered_in_time(
    issued_us: u64,
    received_us: u64,
    minimum_rtt_us: u32,
    allowance_us: u32,
) -> bool {
    match received_us.checked_sub(issued_us) {
        Some(took_us) => took_us <= minimum_rtt_us as u64 + allowance_us as u64,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_hangs_on_all_of_it() {
        let of = |nonce, rounds| result(&[nonce; 16], rounds);
        assert_eq!(of(1, 100), of(1, 100));
        assert_ne!(of(1, 100), of(1, 101));
        assert_ne!(of(1, 100), of(2, 100));
        assert_ne!(of(1, 0), [1; 32]);
    }

    #[test]
    fn a_proxy_s_round_trip_is_too_much() {
        let check = |took_us: u64| answered_in_time(1_000, 1_000 + took_us, 12_000, 5_000);
        assert!(check(0) && check(17_000), "minimum and allowance");
        assert!(!check(17_001));
        // 500 km further, there and back.
        assert!(!check(12_000 + 2_000 + 10_000));
        assert!(!answered_in_time(1_000, 999, u32::MAX, u32::MAX), "before it was asked");
        assert!(answered_in_time(0, 2 * u64::from(u32::MAX), u32::MAX, u32::MAX));
    }
}
