//! How long to wait before something that failed is tried again.

use types::Millis;

/// After the first failure, and at most. A gateway or a peer that is gone is usually back within seconds; a duty has some
/// ten seconds, so a longer pause would miss it.
pub const PAUSE: Millis = Millis::new(1_000);
/// The longest pause between two tries.
pub const PAUSE_MAX: Millis = Millis::new(15_000);

/// The pause after so many failures in a row: twice as long each time, up to [`PAUSE_MAX`].
pub fn pause(failures: u32) -> Millis {
    let doubled = 1_u64.checked_shl(failures.saturating_sub(1)).unwrap_or(u64::MAX);
    Millis::new(PAUSE.get().saturating_mul(doubled).min(PAUSE_MAX.get()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound() {
        let pauses = [1, 2, 3, 4, 5, 64, u32::MAX].map(|failures| pause(failures).get());
        assert_eq!(pauses, [1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    }
}
