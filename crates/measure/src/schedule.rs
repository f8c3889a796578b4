//! When to ask: at moments that a prover cannot know, spread over a window, never two at once.

/// Between two questions there is at least this part of the time that each would have to itself: two that share one queue
/// are one sample.
const GAP_PART: u64 = 4;

/// Microseconds from the beginning at which questions are due, one for each random number, in rising order and below
/// `window_us`. All choices that keep the gap are as likely as each other.
#[must_use]
pub(crate) fn schedule(window_us: u32, random: &[u64]) -> Vec<u64> {
    let count = random.len() as u64;
    if count == 0 {
        return Vec::new();
    }
    let gap_us = u64::from(window_us) / (GAP_PART * count);
    let free_us = u64::from(window_us) - gap_us * (count - 1);
    let mut dues: Vec<u64> = random
        .iter()
        .map(|random| {
            let scaled = (u128::from(*random) * u128::from(free_us)) >> 64;
            u64::try_from(scaled).expect("below the window")
        })
        .collect();
    dues.sort_unstable();
    // Gaps are put between moments that were drawn as if there were none.
    dues.iter().zip(0..).map(|(due_us, before)| due_us + before * gap_us).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn moments_are_apart_and_within(
            window_us in any::<u32>(),
            random in proptest::collection::vec(any::<u64>(), 0..13),
        ) {
            let dues = schedule(window_us, &random);
            prop_assert_eq!(dues.len(), random.len());
            let gap_us = u64::from(window_us) / (4 * random.len().max(1) as u64);
            prop_assert!(dues.windows(2).all(|pair| pair[0] + gap_us <= pair[1]));
            prop_assert!(dues.iter().all(|due_us| *due_us <= u64::from(window_us)));
        }
    }

    #[test]
    fn the_extremes_are_reached() {
        assert_eq!(schedule(3_200, &[0; 8]), [0, 100, 200, 300, 400, 500, 600, 700]);
        assert_eq!(schedule(3_200, &[u64::MAX; 8])[7], 3_199);
    }
}
